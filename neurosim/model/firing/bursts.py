"""Bursts that come by a rule: myokymia (empirical) and the multiplets of Isaacs' syndrome.

**Myokymia is an empirical rule here, not a mechanism.** A chain of nodes can fire in groups
(`membrane.terminals.fitted_myokymia`), but only at the slow edge of what is recorded
(`docs/limits.md`); what a needle records (V51: 2 to 10 spikes, 5 to 62 per second, typically 30
to 40, half-rhythmic, every 0.1 to 10 s) is drawn here directly, so that a pinched nerve can be
shown. It follows from no body value and answers to none.

**Multiplets** are distilled from direct simulation of a chain whose last nodes have lost their
fast potassium channels (`scripts/calibration/fit_chain.py`): how many spikes a burst has, and each interval
by its place in the burst. How the body moves them is told by `firing.endings`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, parameter
from neurosim.model.axon.axon import Conditions
from neurosim.model.firing.endings import EndingResponse, ending_response

LARGEST = 10  # of the table of burst sizes
BETWEEN_S = 0.004  # from the last spike of a burst to the next burst of that ending, at least
# Direct runs of the chain of Isaacs' syndrome, by what is left of its fast potassium channels.
ISAACS_RUNS = {0.1: "isaacs", 0.5: "isaacs.potassium_50", 1.0: "isaacs.potassium_100"}


@dataclass(frozen=True)
class Rhythm:
    """How one unit's myokymic bursts go.

    Attributes
    ----------
    spikes : int
        Usual number of spikes of a burst.
    spikes_per_s : float
        Rate within a burst.
    period_s : float
        Mean time from one burst's start to the next.
    """

    spikes: int
    spikes_per_s: float
    period_s: float

    @property
    def burst_s(self) -> float:
        """Length of a usual burst."""
        return (self.spikes - 1) / self.spikes_per_s


def _param(name: str) -> float:
    return parameter("bursts", name)


def draw_rhythm(rng: np.random.Generator) -> Rhythm:
    """Return the rhythm of one unit: an empirical draw within the published ranges.

    The rate is triangular in its logarithm about the typical one, size and period even (the
    period in its logarithm), and bursts are a third of their period at most: else they would not
    be told apart.
    """
    low, typical, high = np.log(
        [_param(f"spikes_per_s_{end}") for end in ("low", "typical", "high")]
    )
    rate = float(np.exp(rng.triangular(low, typical, high)))
    while True:
        spikes = int(rng.integers(round(_param("spikes_low")), round(_param("spikes_high")) + 1))
        period = float(
            np.exp(rng.uniform(np.log(_param("every_low_s")), np.log(_param("every_high_s"))))
        )
        found = Rhythm(spikes, rate, period)
        if 3.0 * found.burst_s <= period:
            return found


def sample_myokymia(
    rhythm: Rhythm, duration_s: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the discharges of one unit with myokymia: times (s), rising, and places in bursts.

    Empirical: sizes vary by one spike about the usual one, intervals and periods by their
    coefficients of variation (gamma), and the first burst falls anywhere in a period.

    Raises
    ------
    NeurosimError
        If `duration_s` is not above 0.
    """
    if not duration_s > 0.0:
        raise NeurosimError(f"duration_s must be above 0, not {duration_s:g}.")
    count = int(3.0 * duration_s / rhythm.period_s) + 20
    shape = 1.0 / _param("period_cv") ** 2
    starts = np.cumsum(rng.gamma(shape, rhythm.period_s / shape, count))
    starts -= starts[0] * rng.random()
    fewest, most = round(_param("spikes_low")), round(_param("spikes_high"))
    size = np.clip(rhythm.spikes + rng.integers(-1, 2, count), fewest, most).astype(np.intp)
    burst = np.repeat(np.arange(count), size)
    place = np.arange(burst.size) - np.repeat(np.cumsum(size) - size, size)
    shape = 1.0 / _param("interval_cv") ** 2
    gaps = rng.gamma(shape, 1.0 / (rhythm.spikes_per_s * shape), burst.size) * (place > 0)
    run = np.cumsum(gaps)
    times = starts[burst] + run - run[place == 0][burst]
    return _clip_to_run(times, place, duration_s)


@dataclass(frozen=True)
class Multiplets:
    """Bursts of Isaacs' syndrome, distilled from a chain of nodes.

    Attributes
    ----------
    size_share : ndarray, shape (10,)
        Share of bursts of 1, 2, ... 10 (or more) spikes at the healthy end.
    interval_ms, interval_spread : ndarray, shape (9,)
        Median of each interval by its place in the burst, and the standard deviation of its
        logarithm. Places that were hardly seen repeat the last that was.
    """

    size_share: np.ndarray
    interval_ms: np.ndarray
    interval_spread: np.ndarray


def site_bursts(site: str, axon: str = "ghk") -> Multiplets:
    """Return the bursts of one kind of site: sizes and intervals at the healthy end.

    Parameters
    ----------
    site : str
        ``"short"``, ``"middling"`` or ``"long"`` last internode, or ``"isaacs"``.
    axon : str
        ``"ghk"`` or ``"ohmic"``.

    Raises
    ------
    NeurosimError
        If the chain was not run for that site.
    """
    known = load_group("chain")
    name = f"{axon}.{site}"
    if f"{name}.size_1" not in known:
        sites = sorted(k.removesuffix(".size_1") for k in known if k.endswith(".size_1"))
        raise NeurosimError(f"No bursts were simulated for '{name}': choose from {sites}.")
    share = _size_shares(name)
    rows = [
        [parameter("chain", f"{name}.interval_{k}_{part}") for part in ("ms", "spread")]
        for k in range(1, LARGEST)
        if f"{name}.interval_{k}_ms" in known
    ]
    rows += rows[-1:] * (LARGEST - 1 - len(rows))
    interval, spread = np.array(rows).T
    return Multiplets(share, interval, spread)


def _size_shares(name: str) -> np.ndarray:
    share = np.array([parameter("chain", f"{name}.size_{k}") for k in range(1, LARGEST + 1)])
    return share / share.sum()


def isaacs_bursts(
    fast_potassium_scale: float, axon: str = "ghk", body: Conditions | None = None
) -> tuple[float, Multiplets]:
    """Return bursts per minute of one ending with few fast potassium channels, and these bursts.

    Between the direct runs of the chain (`ISAACS_RUNS`) the rate is log-linear and sizes are
    mixed; with fewer channels than in the first it is as there. The rate is that beyond an
    ending with all its channels: what healthy endings do is in the hazard law. Intervals are those
    with the fewest channels, since the other runs gave too few bursts to tell them. All this is
    of a healthy body; another moves rate, further spikes and intervals (`firing.endings`).

    Parameters
    ----------
    fast_potassium_scale : float
        What is left of the channels, 0 to 1.
    axon : str
        ``"ghk"`` or ``"ohmic"``.
    body : Conditions, optional
        The fluids and channels of all axons; healthy if left out.
    """
    at, names = ISAACS_RUNS.keys(), [f"{axon}.{name}" for name in ISAACS_RUNS.values()]
    log = np.log([parameter("chain", f"{name}.burst_rate") for name in names])
    left = max(fast_potassium_scale, min(at))
    weights = [np.interp(left, list(at), row) for row in np.eye(len(names))]
    table = site_bursts("isaacs", axon)
    sizes = np.sum([w * _size_shares(n) for w, n in zip(weights, names, strict=True)], axis=0)
    rate = float(np.exp(weights @ log) - np.exp(log[-1]))
    bursts = Multiplets(sizes, table.interval_ms, table.interval_spread)
    said = ending_response(left, body or Conditions(), axon)
    if said == EndingResponse():
        return rate, bursts
    grown = Multiplets(
        _scale_sizes(sizes, said.further),
        bursts.interval_ms * said.interval,
        bursts.interval_spread,
    )
    return said.per_min(rate), grown


def _scale_sizes(size_share: np.ndarray, factor: float) -> np.ndarray:
    """Return shares of burst sizes whose mean further spikes are `factor` times as many.

    Shares are multiplied by a power of the size; no size appears that had no share.
    """
    from scipy.optimize import brentq

    further = np.arange(LARGEST)
    seen = further[size_share > 0.0]
    wanted = np.clip(size_share @ further * factor, seen[0] + 0.02, seen[-1] - 0.02)

    def tilted(power):
        share = size_share * np.exp(power * (further - seen[-1] * (power > 0.0)))
        return share / share.sum()

    power = brentq(lambda x: float(tilted(x) @ further - wanted), -20.0, 20.0)
    return tilted(power)


def sample_multiplets(
    table: Multiplets, starts_s: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the discharges of bursts that begin at `starts_s`: times (s), places in bursts.

    Sizes come from the table; intervals are log-normal by their place, drawn independently. A
    burst ends where the next begins.
    """
    starts = np.asarray(starts_s, float)
    size = (1 + rng.choice(LARGEST, starts.size, p=table.size_share)).astype(np.intp)
    burst = np.repeat(np.arange(starts.size), size)
    place = np.arange(burst.size) - np.repeat(np.cumsum(size) - size, size)
    at = np.maximum(place - 1, 0)
    spread = table.interval_spread[at] * rng.standard_normal(burst.size)
    run = np.cumsum(table.interval_ms[at] / 1000.0 * np.exp(spread) * (place > 0))
    times = starts[burst] + run - run[place == 0][burst]
    alone = times < np.append(starts[1:], np.inf)[burst] - BETWEEN_S
    times, place = times[alone | (place == 0)], place[alone | (place == 0)]
    order = np.argsort(times, kind="stable")
    return times[order], place[order]


def _clip_to_run(times, place, duration_s):
    order = np.argsort(times, kind="stable")
    times, place = times[order], place[order]
    keep = times < duration_s
    return times[keep], place[keep]
