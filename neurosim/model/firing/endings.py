"""Response of a hyperexcitable axon terminal (Isaacs' syndrome) to the body.

Rate, size and pace of its bursts are fitted to direct runs of the chain
(`neurosim.model.axon.terminals.fitted_isaacs`) with channel noise and all its units in a changed
body. The runs collapse onto two coordinates of one node with properties between those of the two
diseased ones (the middle node): its action and its resting potential, as for a single site
(`neurosim.model.firing.hazard`). `scripts/calibration/fit_isaacs.py` fits the law on states that
differ from health in one value and measures its error on states that differ in several;
`isaacs.toml` holds both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.parameters import parameter
from neurosim.model.axon import equations as eq
from neurosim.model.axon import terminals
from neurosim.model.axon.axon import Axons, Conditions, at_rest
from neurosim.model.firing.escape import escape_action

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_ACTION = 60.0  # action of a middle node that no course of noise fires
RATE_TERMS = ("rate_0", "rate_action", "rate_rest", "rate_ceiling", "rate_ceiling_rest")
SPIKE_TERMS = ("spikes_0", "spikes_rest", "spikes_rest2", "spikes_action", "spikes_left")
PACE_TERMS = ("pace_0", "pace_rest", "pace_shift", "pace_warm")


@dataclass(frozen=True)
class EndingResponse:
    """Changes of the bursts of one ending in a changed body, relative to health.

    Attributes
    ----------
    rate_factor : float
        Change of ln bursts per minute far below the ceiling.
    ceiling_per_min, healthy_ceiling_per_min : float
        Highest bursts per minute of one ending, in this body and in health.
    further, interval : float
        Factors on the number of spikes of a burst after its first, and on its intervals.
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
    """Return the membrane of the middle node of the chain in a body.

    Its persistent sodium and slow potassium are weighted geometric means of those of the two
    diseased nodes; `weight` is that of the last one.
    """
    units = terminals.place_in_body(terminals.fitted_isaacs(left, axon, by_itself=True), body)
    before, last = (unit.membrane for unit in units[-2:])
    scales = ("persistent_sodium_scale", "slow_potassium_scale")
    mean = {
        name: getattr(before, name) ** (1.0 - weight) * getattr(last, name) ** weight
        for name in scales
    }
    return last.replace(**mean)


def node_coordinates(nodes: Axons, left: float | np.ndarray) -> np.ndarray:
    """Return the coordinates of middle nodes in which the laws are linear, shape (5, n).

    Rows: action; rest, (E + 72 mV)/5 mV; shift of the sodium gates in units of 5 mV; ln of the
    sodium gates' speed; ln of the remaining fast potassium channels, `left`.
    """
    action, _ = escape_action(nodes)
    rest = (nodes.rest_mv + 72.0) / 5.0
    shift = nodes.P[eq.ROW["shift_m"]] / 5.0
    warm = np.log(nodes.P[eq.ROW["phi_m"]])
    action = np.where(np.isfinite(action), action, NO_ACTION)
    return np.stack([action, rest, shift, warm, np.log(left) + 0.0 * rest])


def ln_rate_parts(c: Sequence[float], nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ln of bursts per minute far below the ceiling, and ln of the ceiling.

    `c` holds the five coefficients in the order of `RATE_TERMS`.
    """
    action, rest, *_ = nodes
    return c[0] + c[1] * (action - 20.0) + c[2] * rest, c[3] + c[4] * rest


def ln_rate(c: Sequence[float], nodes: np.ndarray) -> np.ndarray:
    """Return ln of bursts per minute, saturating at the ceiling."""
    below, ceiling = ln_rate_parts(c, nodes)
    return -np.logaddexp(-ceiling, -below)


def ln_further(c: Sequence[float], nodes: np.ndarray) -> np.ndarray:
    """Return ln of the mean spikes of a burst after its first, in the order of `SPIKE_TERMS`."""
    action, rest, _, _, left = nodes
    return c[0] + c[1] * rest + c[2] * rest * rest + c[3] * np.minimum(action, 30.0) + c[4] * left


def ln_interval(c: Sequence[float], nodes: np.ndarray) -> np.ndarray:
    """Return ln of the median interval within bursts, in the order of `PACE_TERMS`."""
    _, rest, shift, warm, _ = nodes
    return c[0] + c[1] * rest + c[2] * shift + c[3] * warm


LAWS = {"further": (ln_further, SPIKE_TERMS), "interval": (ln_interval, PACE_TERMS)}


@cached(size=1024)
def ending_response(left: float, body: Conditions, axon: str = "ghk") -> EndingResponse:
    """Return the response of an ending's bursts to a body (20 ms once, then cached).

    Parameters
    ----------
    left : float
        Remaining share of the ending's fast potassium channels, 0.1 to 1.
    body : Conditions
        Fluids and channels of all axons.
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
    coordinates = node_coordinates(at_rest(nodes, axon), left)
    below, ceiling = ln_rate_parts([_param(axon, c) for c in RATE_TERMS], coordinates)
    factors: dict[str, float] = {}
    for name, (law, names) in LAWS.items():
        changed, healthy = law([_param(axon, c) for c in names], coordinates)
        factors[name] = float(np.exp(changed - healthy))
    most = np.exp(ceiling)
    return EndingResponse(float(below[0] - below[1]), float(most[0]), float(most[1]), **factors)
