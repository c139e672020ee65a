"""How an ending of Isaacs' syndrome answers the body: rate, size and pace of its bursts.

Direct runs of the chain (`membrane.terminals.fitted_isaacs`) with channel noise, all its units in a
changed body, collapse on two coordinates of one node that is between the two sick ones (the middle
node): its action and its resting potential, as a single site's do (`firing.hazard`).
`scripts/calibration/fit_isaacs.py` fits the law on states that differ from health in one value and measures its
error on states that differ in several; `isaacs.toml` holds both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.parameters import parameter
from neurosim.model.axon import equations as eq
from neurosim.model.axon import terminals
from neurosim.model.axon.axon import PARAMETER_GROUPS, Axons, Conditions, at_rest
from neurosim.model.firing.escape import escape_action

NO_ACTION = 60.0  # of a middle node that no course of noise fires
RATE_TERMS = ("rate_0", "rate_action", "rate_rest", "rate_ceiling", "rate_ceiling_rest")
SPIKE_TERMS = ("spikes_0", "spikes_rest", "spikes_rest2", "spikes_action", "spikes_left")
PACE_TERMS = ("pace_0", "pace_rest", "pace_shift", "pace_warm")


@dataclass(frozen=True)
class EndingResponse:
    """What a changed body makes of the bursts of an ending, against health.

    Attributes
    ----------
    rate_factor : float
        Change of ln bursts per minute far below the ceiling.
    ceiling_per_min, healthy_ceiling_per_min : float
        Most bursts per minute of one ending, in this body and in health.
    further, interval : float
        Factors on the spikes of a burst after its first, and on its intervals.
    """

    rate_factor: float = 0.0
    ceiling_per_min: float = np.inf
    healthy_ceiling_per_min: float = np.inf
    further: float = 1.0
    interval: float = 1.0

    def per_min(self, healthy_per_min: float) -> float:
        """Return bursts per minute of an ending that has `healthy_per_min` in health."""
        if healthy_per_min <= 0.0 or self == EndingResponse():
            return healthy_per_min
        below = 1.0 / healthy_per_min - 1.0 / self.healthy_ceiling_per_min
        return 1.0 / (below * np.exp(-self.rate_factor) + 1.0 / self.ceiling_per_min)


def _param(axon: str, name: str) -> float:
    return parameter("isaacs", f"{axon}.{name}")


def middle_conditions(left: float, body: Conditions, axon: str, weight: float) -> Conditions:
    """Return the membrane between the two sick nodes of the chain in a body.

    Its persistent sodium and slow potassium are the geometric mean of theirs, the last node's
    with `weight`.
    """
    units = terminals.place_in_body(terminals.fitted_isaacs(left, axon, by_itself=True), body)
    before, last = (unit.membrane for unit in units[-2:])
    scales = ("persistent_sodium_scale", "slow_potassium_scale")
    mean = {
        name: getattr(before, name) ** (1.0 - weight) * getattr(last, name) ** weight
        for name in scales
    }
    return last.replace(**mean)


def node_coordinates(nodes: Axons, left) -> np.ndarray:
    """Return action, rest, gate shift, warmth and potassium left of middle nodes, shape (5, n).

    Rest is (E + 72 mV)/5 mV, the shift that of the sodium gates in 5 mV, warmth ln of the sodium
    gates' speed, potassium left ln of `left`.
    """
    found, _ = escape_action(nodes)
    rest = (nodes.rest_mv + 72.0) / 5.0
    shift = nodes.P[eq.ROW["shift_m"]] / 5.0
    warm = np.log(nodes.P[eq.ROW["phi_m"]])
    found = np.where(np.isfinite(found), found, NO_ACTION)
    return np.stack([found, rest, shift, warm, np.log(left) + 0.0 * rest])


def ln_rate_parts(c, at):
    """Return ln of bursts per minute far below the ceiling, and of the ceiling.

    For five coefficients, in the order of `RATE`.
    """
    found, rest, *_ = at
    return c[0] + c[1] * (found - 20.0) + c[2] * rest, c[3] + c[4] * rest


def ln_rate(c, at):
    """Return ln of bursts per minute, which saturate at the ceiling."""
    below, ceiling = ln_rate_parts(c, at)
    return -np.logaddexp(-ceiling, -below)


def ln_further(c, at):
    """Return ln of the mean spikes of a burst after its first, in the order of `SPIKE_TERMS`."""
    found, rest, _, _, left = at
    return c[0] + c[1] * rest + c[2] * rest * rest + c[3] * np.minimum(found, 30.0) + c[4] * left


def ln_interval(c, at):
    """Return ln of the median interval within bursts, in the order of `PACE`."""
    _, rest, shift, warm, _ = at
    return c[0] + c[1] * rest + c[2] * shift + c[3] * warm


LAWS = {"further": (ln_further, SPIKE_TERMS), "interval": (ln_interval, PACE_TERMS)}


@cached(*PARAMETER_GROUPS, "chain", "isaacs", "firing.noise_channels", size=1024)
def ending_response(left: float, body: Conditions, axon: str = "ghk") -> EndingResponse:
    """Return what a body makes of an ending's bursts against a healthy body's (20 ms, then kept).

    Parameters
    ----------
    left : float
        What is left of the ending's fast potassium channels, 0.1 to 1.
    body : Conditions
        The fluids and channels of all axons.
    axon : str
        ``"ghk"`` or ``"ohmic"``.

    Raises
    ------
    NeurosimError
        If the ending has no resting potential in that body.
    """
    if body == Conditions():
        return EndingResponse()
    weight = _param(axon, "weight")
    nodes = [middle_conditions(left, one, axon, weight) for one in (body, Conditions())]
    at = node_coordinates(at_rest(nodes, axon), left)
    below, ceiling = ln_rate_parts([_param(axon, c) for c in RATE_TERMS], at)
    found = {}
    for name, (law, names) in LAWS.items():
        changed, healthy = law([_param(axon, c) for c in names], at)
        found[name] = float(np.exp(changed - healthy))
    most = np.exp(ceiling)
    return EndingResponse(float(below[0] - below[1]), float(most[0]), float(most[1]), **found)
