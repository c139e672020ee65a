"""Bursts drawn by a rule: myokymia (empirical) and the multiplets of Isaacs' syndrome.

**Myokymia is an empirical rule here, not a mechanism.** A chain of nodes can fire in groups
(`neurosim.model.axon.terminals.fitted_myokymia`), but only at the slow edge of what is recorded
(`docs/limits.md`). Instead, what a needle records (V51: 2 to 10 spikes, 5 to 62 per second,
typically 30 to 40, half-rhythmic, every 0.1 to 10 s) is drawn directly, so that a pinched nerve
can be shown. It depends on no value of the body.

**Multiplets** are distilled from direct simulation of a chain whose last nodes have lost their
fast potassium channels (`scripts/calibration/fit_chain.py`): the number of spikes of a burst, and
each interval by its place in the burst. `neurosim.model.firing.endings` gives their dependence on
the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, parameter
from neurosim.model.axon.axon import Conditions
from neurosim.model.firing.endings import EndingResponse, ending_response

LARGEST = 10  # of the table of burst sizes
BETWEEN_S = 0.004  # least time from the last spike of a burst to the next burst of that ending
# Direct runs of the chain of Isaacs' syndrome, by the remaining share of fast potassium channels.
ISAACS_RUNS = {0.1: "isaacs", 0.5: "isaacs.potassium_50", 1.0: "isaacs.potassium_100"}


@dataclass(frozen=True)
class Rhythm:
    """The rhythm of one unit's myokymic bursts.

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

    The logarithm of the rate is triangular about the typical one; the size and the logarithm of
    the period are uniform. A burst lasts a third of the period at most, since otherwise bursts
    could not be told apart.
    """
    ends = [_param(f"spikes_per_s_{end}") for end in ("low", "typical", "high")]
    low, typical, high = np.log(ends).tolist()
    rate = float(np.exp(cast("float", rng.triangular(low, typical, high))))
    while True:
        spikes = int(rng.integers(round(_param("spikes_low")), round(_param("spikes_high")) + 1))
        period = float(
            np.exp(
                cast(
                    "float",
                    rng.uniform(np.log(_param("every_low_s")), np.log(_param("every_high_s"))),
                )
            )
        )
        rhythm = Rhythm(spikes, rate, period)
        if 3.0 * rhythm.burst_s <= period:
            return rhythm


def sample_myokymia(
    rhythm: Rhythm, duration_s: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the discharges of one unit with myokymia: rising times (s), and places in bursts.

    Empirical: sizes vary by one spike about the usual one, intervals and periods are gamma
    distributed with their coefficients of variation, and the first burst falls anywhere in a
    period.

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
        logarithm. Places with too few observations repeat the last one with enough.
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
        If the chain was not simulated for that site.
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
    mixed; with fewer channels than in the first run, its values are used. The rate is the excess
    over an ending with all its channels, whose bursts the hazard law already contains. Intervals
    are those of the run with the fewest channels, as the others gave too few bursts. All this
    holds in a healthy body; another changes the rate, the further spikes and the intervals
    (`neurosim.model.firing.endings`).

    Parameters
    ----------
    fast_potassium_scale : float
        Remaining share of the channels, 0 to 1.
    axon : str
        ``"ghk"`` or ``"ohmic"``.
    body : Conditions, optional
        Fluids and channels of all axons; healthy if omitted.
    """
    measured, names = ISAACS_RUNS.keys(), [f"{axon}.{name}" for name in ISAACS_RUNS.values()]
    log = np.log([parameter("chain", f"{name}.burst_rate") for name in names])
    left = max(fast_potassium_scale, min(measured))
    weights = [np.interp(left, list(measured), row) for row in np.eye(len(names))]
    table = site_bursts("isaacs", axon)
    sizes = np.sum([w * _size_shares(n) for w, n in zip(weights, names, strict=True)], axis=0)
    rate = float(np.exp(weights @ log) - np.exp(log[-1]))
    bursts = Multiplets(sizes, table.interval_ms, table.interval_spread)
    response = ending_response(left, body or Conditions(), axon)
    if response == EndingResponse():
        return rate, bursts
    grown = Multiplets(
        _scale_sizes(sizes, response.further),
        bursts.interval_ms * response.interval,
        bursts.interval_spread,
    )
    return response.per_min(rate), grown


def _scale_sizes(size_share: np.ndarray, factor: float) -> np.ndarray:
    """Return shares of burst sizes with `factor` times as many further spikes on average.

    Shares are multiplied by an exponential of the size; a size without a share stays without.
    """
    from scipy.optimize import brentq  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] scipy has no types

    further = np.arange(LARGEST)
    possible = further[size_share > 0.0]
    target = np.clip(size_share @ further * factor, possible[0] + 0.02, possible[-1] - 0.02)

    def tilted(power: float) -> np.ndarray:
        share = size_share * np.exp(power * (further - possible[-1] * (power > 0.0)))
        return share / share.sum()

    def excess(power: float) -> float:
        return float(tilted(power) @ further - target)

    return tilted(cast("float", brentq(excess, -20.0, 20.0)))


def sample_multiplets(
    table: Multiplets, starts_s: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the discharges of bursts that begin at `starts_s`: times (s), places in bursts.

    Sizes are drawn from the table; intervals are drawn independently from the log-normal
    distribution of their place. A burst is cut off where the next begins.
    """
    starts = np.asarray(starts_s, float)
    size = (1 + rng.choice(LARGEST, starts.size, p=table.size_share)).astype(np.intp)
    burst = np.repeat(np.arange(starts.size), size)
    place = np.arange(burst.size) - np.repeat(np.cumsum(size) - size, size)
    gap_index = np.maximum(place - 1, 0)
    spread = table.interval_spread[gap_index] * rng.standard_normal(burst.size)
    run = np.cumsum(table.interval_ms[gap_index] / 1000.0 * np.exp(spread) * (place > 0))
    times = starts[burst] + run - run[place == 0][burst]
    alone = times < np.append(starts[1:], np.inf)[burst] - BETWEEN_S
    times, place = times[alone | (place == 0)], place[alone | (place == 0)]
    order = np.argsort(times, kind="stable")
    return times[order], place[order]


def _clip_to_run(
    times: np.ndarray, place: np.ndarray, duration_s: float
) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(times, kind="stable")
    times, place = times[order], place[order]
    keep = times < duration_s
    return times[keep], place[keep]
