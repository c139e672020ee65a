"""Spontaneous discharges of motor units: the exact event-driven sampler.

A unit's hazard is the sum over its sites. Between discharges its sodium load only decays, so in a
constant body its hazard only rises: the hazard at the end of a window bounds the hazard within it,
and thinning against that bound is exact (`sampler`). In a changing body (`HazardCourse`) the log
rate of every unit is linear between knots in time, so the greater of its two ends is a bound. The
cost grows with the discharges and the knots, not with the duration. `sample_by_time_steps` steps
the same law through time, for small checks.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from neurosim.base import backends
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter
from neurosim.model.firing import sampler
from neurosim.model.firing.sampler import SamplingTables, Timing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ORIGINS = ("axon", "terminal", "soma", "lesion", "junction")
PROCESSES = ("misfire", "neuromyotonia", "myokymia", "plateau")  # that generate discharges
MAX_DISCHARGES = 20_000_000
BUFFER_ROWS = 65_536  # discharges drawn at a time
LEAST_BURSTS = 1e-9  # a unit with fewer expected bursts than this in the whole run is skipped


@dataclass(frozen=True)
class UnitHazard:
    """Hazards of the sites of one muscle, as the sampler needs them.

    Attributes
    ----------
    load_mmol_l : ndarray, shape (k,)
        Grid of sodium load (above the internal sodium that the body sets), rising from 0.
    bursts_per_min : ndarray, shape (sites, k)
        Hazard of each site on that grid, falling along it; sites sorted by unit.
    unit : ndarray of int, shape (sites,)
        Motor unit of each site, rising.
    origin : ndarray of int, shape (sites,)
        Index into `ORIGINS`.
    pair : ndarray, shape (sites,)
        Probability that a spike of a burst is followed by another that propagates.
    units : int
        Number of motor units of the muscle.
    load_per_spike_mmol_l, load_tau_s : float
        Sodium load added by a discharge, and the time constant of its removal from the axon.
    ceiling_per_min : float
        Highest possible burst rate of a unit.
    start_load_mmol_l : ndarray, shape (units,), optional
        Sodium load at time 0, in both stores as steady firing leaves it; none if omitted.
    load_fast_share, load_fast_tau_s : float
        Share of the load of a discharge that is in the fast store, under the membrane where it
        entered, and the time constant in which it spreads along the axon; the rest is in the slow
        one. By default all is in the slow one.
    """

    load_mmol_l: np.ndarray
    bursts_per_min: np.ndarray
    unit: np.ndarray
    origin: np.ndarray
    pair: np.ndarray
    units: int
    load_per_spike_mmol_l: float
    load_tau_s: float
    ceiling_per_min: float
    start_load_mmol_l: np.ndarray | None = None
    load_fast_share: float = 0.0
    load_fast_tau_s: float = 30.0

    @property
    def load_per_rate_mmol_l_s(self) -> float:
        """Sodium load in the long run for each discharge per second: the loads times their taus."""
        share = self.load_fast_share
        tau_s = self.load_tau_s * (1.0 - share) + self.load_fast_tau_s * share
        return self.load_per_spike_mmol_l * tau_s


@dataclass(frozen=True, repr=False)
class HazardCourse:
    """Hazards of one muscle in a changing body.

    Between two knots the logarithm of every unit's rate is linear in time, after the last it is
    constant. With a single knot the body is constant.

    Attributes
    ----------
    at_s : ndarray, shape (knots,)
        Times of the knots, rising from 0.
    knots : tuple of UnitHazard
        Hazards of the same sites at those times. Start load, removal of load and ceiling are taken
        from the first.
    """

    at_s: np.ndarray
    knots: tuple[UnitHazard, ...]

    def __repr__(self) -> str:
        sites = self.knots[0].bursts_per_min.shape[0]
        return f"<HazardCourse: {sites} sites at {self.at_s.size} time(s)>"


def as_course(hazard: UnitHazard | HazardCourse) -> HazardCourse:
    """Return a hazard as a course; a constant one becomes a course of one knot."""
    return hazard if isinstance(hazard, HazardCourse) else HazardCourse(np.zeros(1), (hazard,))


@dataclass(frozen=True)
class Firing:
    """Discharges of one muscle, in columns of equal length, sorted by time.

    Attributes
    ----------
    time_s : ndarray
    unit : ndarray of int
    origin : ndarray of int
        Index into `ORIGINS`: kind of site at which it started.
    place : ndarray of int
        Position within its burst, 0 for the first spike.
    load_mmol_l : ndarray
        Sodium load of the unit just before the discharge.
    episode : ndarray of int
        Burst, multiplet or plateau that it belongs to, numbered in the order of their first
        discharges. A plateau spans many units, any other episode a single one.
    process : ndarray of int
        Index into `PROCESSES`: what generated it.
    duration_s : float
    """

    time_s: np.ndarray
    unit: np.ndarray
    origin: np.ndarray
    place: np.ndarray
    load_mmol_l: np.ndarray
    episode: np.ndarray
    process: np.ndarray
    duration_s: float

    def __len__(self) -> int:
        return self.time_s.size

    @property
    def bursts_per_min(self) -> float:
        """Bursts (spontaneous twitches of one unit) per minute of the whole muscle."""
        return float((self.place == 0).sum()) / self.duration_s * 60.0

    def columns(self) -> dict[str, np.ndarray]:
        """Return the columns for a table, names with units."""
        return {
            "time_s": self.time_s,
            "unit": self.unit,
            "origin": np.array(ORIGINS)[self.origin],
            "place_in_burst": self.place,
            "sodium_load_mmol_l": self.load_mmol_l,
            "episode": self.episode,
            "process": np.array(PROCESSES)[self.process],
        }

    def __str__(self) -> str:
        return (
            f"{len(self)} discharges of {np.unique(self.unit).size} units in "
            f"{self.duration_s:g} s: {self.bursts_per_min:.3g} bursts per minute"
        )


class TerminalLoad(TypedDict):
    """The fields of `UnitHazard` that say what a discharge leaves."""

    load_per_spike_mmol_l: float
    load_tau_s: float
    load_fast_share: float
    load_fast_tau_s: float


def terminal_load() -> TerminalLoad:
    """Return what a discharge leaves in a thin terminal, as fields of `UnitHazard`."""
    per_spike = parameter("firing", "load_per_discharge_mmol_l")
    return {
        "load_per_spike_mmol_l": per_spike * parameter("firing", "load_factor"),
        "load_tau_s": parameter("firing", "load_tau_min") * 60.0,
        "load_fast_share": parameter("firing", "load_fast_share"),
        "load_fast_tau_s": parameter("firing", "load_fast_tau_min") * 60.0,
    }


def _start_loads(hazard: UnitHazard) -> tuple[np.ndarray, np.ndarray]:
    """Return each unit's load at time 0 in the slow and in the fast store."""
    load = np.zeros(hazard.units) if hazard.start_load_mmol_l is None else hazard.start_load_mmol_l
    share = hazard.load_fast_share
    fast, slow = share * hazard.load_fast_tau_s, (1.0 - share) * hazard.load_tau_s
    in_fast = load * (fast / (fast + slow))
    return load - in_fast, in_fast


def _timing(hazard: UnitHazard) -> Timing:
    return Timing(
        hazard.load_per_spike_mmol_l * (1.0 - hazard.load_fast_share),
        hazard.load_per_spike_mmol_l * hazard.load_fast_share,
        hazard.load_tau_s,
        hazard.load_fast_tau_s,
        parameter("firing", "burst_dead_time_ms") / 1000.0,
        parameter("firing", "burst_interval_shortest_ms") / 1000.0,
        parameter("firing", "burst_interval_mean_extra_ms") / 1000.0,
    )


def balance(hazard: UnitHazard) -> tuple[np.ndarray, np.ndarray]:
    """Return each unit's long-run burst rate and sodium load, both of shape (units,).

    Mean-field: load = rate x spikes x load per spike x tau, the last two summed over both stores,
    with a unit's rate and gain log-linear between the loads of the grid; bursts per minute and
    mmol/L.
    """
    return balance_many([hazard])[0]


def balance_many(hazards: Sequence[UnitHazard]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return `balance` of each of several hazards on the same grid of loads, at once."""
    if not hazards:
        return []
    grid, k = hazards[0].load_mmol_l, hazards[0].load_mmol_l.size
    each = zip(*(_rate_and_gain(hazard) for hazard in hazards), strict=True)
    rate, gain = (np.concatenate(parts) for parts in each)
    log_rate, log_gain = (np.log(np.maximum(v, 1e-300)) for v in (rate, gain))
    j = np.clip((gain > grid).sum(axis=1) - 1, 0, k - 2)
    unit = np.arange(len(rate))
    low, high = grid[j], grid[j + 1]
    slope = (log_gain[unit, j + 1] - log_gain[unit, j]) / (high - low)
    log_gain_low, bottom, top = log_gain[unit, j], low.copy(), high.copy()
    for _ in range(30):
        load = 0.5 * (bottom + top)
        more = np.exp(log_gain_low + slope * (load - low)) > load
        bottom, top = np.where(more, load, bottom), np.where(more, top, load)
    load = 0.5 * (bottom + top)
    w = (load - low) / (high - low)
    balanced_rate = np.exp((1 - w) * log_rate[unit, j] + w * log_rate[unit, j + 1])
    ends = np.cumsum([hazard.units for hazard in hazards])[:-1]
    return list(zip(np.split(balanced_rate, ends), np.split(load, ends), strict=True))


def _rate_and_gain(hazard: UnitHazard) -> tuple[np.ndarray, np.ndarray]:
    """Return each unit's bursts per minute and the load they would sustain, shape (units, k)."""
    k, n = hazard.load_mmol_l.size, hazard.units
    per_spike = hazard.load_per_rate_mmol_l_s / 60.0
    cell = (hazard.unit[:, None] * k + np.arange(k)).ravel()

    def by_unit(values: np.ndarray) -> np.ndarray:
        return np.bincount(cell, values.ravel(), n * k).reshape(n, k)

    total = by_unit(hazard.bursts_per_min)
    spikes = by_unit(hazard.bursts_per_min / (1.0 - hazard.pair)[:, None])
    cap = np.minimum(1.0, hazard.ceiling_per_min / np.maximum(total, 1e-300))
    return total * cap, spikes * cap * per_spike


def expected_bursts_per_min(hazard: UnitHazard | HazardCourse) -> np.ndarray:
    """Return each unit's long-run burst rate, its sodium load in balance, shape (units,).

    For a course, this is the mean up to the last knot, with the load in balance at each moment.
    """
    course = as_course(hazard)
    return mean_over_time(course.at_s, [balance(knot)[0] for knot in course.knots])


def mean_over_time(at_s: np.ndarray, rates: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean over time of rates whose logarithms are linear between the times `at_s`."""
    each = np.maximum(np.stack(rates), 1e-300)
    if len(each) == 1:
        return each[0]
    low, high = each[:-1], each[1:]
    step = np.log(high / low)
    near = np.abs(step) < 1e-6
    mean = np.where(near, 0.5 * (low + high), (high - low) / np.where(near, 1.0, step))
    return np.tensordot(np.diff(at_s) / (at_s[-1] - at_s[0]), mean, 1)


def _sites_that_may_fire(course: HazardCourse, duration_s: float) -> np.ndarray:
    """Return the sites of units that may fire at all, sorted by unit, likeliest first."""
    first = course.knots[0]
    most = np.max([hazard.bursts_per_min[:, 0] for hazard in course.knots], axis=0)
    by_unit = np.bincount(first.unit, most, first.units)
    keep = (by_unit * duration_s / 60.0 > LEAST_BURSTS)[first.unit]
    keep &= most * duration_s / 60.0 > LEAST_BURSTS / 1000.0
    site = np.flatnonzero(keep)
    return site[np.lexsort((-most[site], first.unit[site]))]


def _group_by_unit(course: HazardCourse, site: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the unique units of sites sorted by unit, and where each unit's sites begin."""
    units, starts = np.unique(course.knots[0].unit[site], return_index=True)
    return units, np.append(starts, site.size)


def _units_that_may_fire(
    course: HazardCourse, site: np.ndarray, starts: np.ndarray, waits: np.ndarray, duration_s: float
) -> np.ndarray:
    """Return a mask of units whose first exponential wait is below their bursts without load."""
    if not site.size:
        return np.zeros(0, bool)
    rate = np.stack([hazard.bursts_per_min[site, 0] for hazard in course.knots]) / 60.0
    most = np.minimum(np.add.reduceat(rate, starts[:-1], axis=1), course.knots[0].ceiling_per_min)
    stay = np.diff(np.minimum(course.at_s, duration_s), append=duration_s)
    bursts = stay @ np.maximum(most, np.concatenate([most[1:], most[-1:]]))
    return waits < bursts * (1.0 + 1e-9)


def sampling_tables(course: HazardCourse, site: np.ndarray) -> SamplingTables:
    """Return the tables of some sites, which must be sorted by unit.

    A unit's rate is the sum over its sites, up to the ceiling. Its logarithm and the shares of its
    sites are linear between the loads and the knots of the tables.
    """
    first, (units, starts) = course.knots[0], _group_by_unit(course, site)
    slow, fast = _start_loads(first)
    grid, knots = first.load_mmol_l, course.at_s.size
    each = np.stack([hazard.bursts_per_min[site] for hazard in course.knots])
    if site.size:
        total = np.maximum(np.add.reduceat(each, starts[:-1], axis=1), 1e-298)
    else:
        total = np.empty((knots, 0, grid.size))
    which = np.repeat(np.arange(units.size), np.diff(starts).astype(np.intp))
    share = np.cumsum(each / total[:, which], axis=1)
    before = np.concatenate([np.zeros((knots, 1, grid.size)), share], axis=1)
    share -= before[:, starts[:-1]][:, which]
    log_rate = np.log(np.minimum(total, first.ceiling_per_min) / 60.0)
    return SamplingTables(
        unit=units,
        site=site,
        starts=starts,
        start_slow=slow[units],
        start_fast=fast[units],
        grid=grid,
        at_s=course.at_s,
        log_rate=log_rate,
        slope=np.diff(log_rate, axis=2) / np.diff(grid),
        share=np.ascontiguousarray(share.transpose(0, 2, 1)),
        pair=np.stack([hazard.pair[site] for hazard in course.knots]),
    )


def stream_discharges(
    hazard: UnitHazard | HazardCourse,
    duration_s: float,
    rng: np.random.Generator,
    max_rows: int = BUFFER_ROWS,
) -> Iterator[np.ndarray]:
    """Yield the discharges of one muscle in batches, drawn exactly from its hazard.

    Parameters
    ----------
    hazard : UnitHazard or HazardCourse
    duration_s : float
        Simulated time, s.
    rng : numpy.random.Generator
    max_rows : int
        Greatest number of discharges in a batch; the draws do not depend on it.

    Yields
    ------
    ndarray, shape (5, n)
        Rows as in `firing_from_rows`, but with the number of the site instead of its origin; unit
        after unit, in whole bursts. The next batch overwrites them.
    """
    course, duration = as_course(hazard), float(duration_s)
    first, site = course.knots[0], _sites_that_may_fire(course, duration)
    units, starts = _group_by_unit(course, site)
    waits = rng.standard_exponential(units.size)
    fires = _units_that_may_fire(course, site, starts, waits, duration)
    tables = sampling_tables(course, site[np.repeat(fires, np.diff(starts).astype(np.intp))])
    timing, waits, sample = _timing(first), waits[fires], backends.loop("sample") or sampler.sample
    state, out = sampler.initial_state(), np.empty((sampler.ROWS, max_rows + sampler.LONGEST))
    while state.u < tables.unit.size:
        n, state = sample(rng, tables, timing, waits, duration, state, out)
        if n:
            yield out[:, :n]


def sample_firing(
    hazard: UnitHazard | HazardCourse, duration_s: float, rng: np.random.Generator
) -> Firing:
    """Return the discharges of one muscle over `duration_s`, drawn exactly from its hazard.

    Parameters
    ----------
    hazard : UnitHazard or HazardCourse
    duration_s : float
        Simulated time, s.
    rng : numpy.random.Generator
        Compiled and plain Python draw the same discharges from it.

    Raises
    ------
    NeurosimError
        If more than 20 million discharges are expected.
    """
    course = as_course(hazard)
    expected = expected_bursts_per_min(course).sum() * duration_s / 60.0
    if expected > MAX_DISCHARGES:
        raise NeurosimError(
            f"About {expected:.0g} discharges are to be expected, more than {MAX_DISCHARGES:.0g}: "
            "choose a shorter duration."
        )
    pieces = [rows.copy() for rows in stream_discharges(course, duration_s, rng)]
    rows = np.concatenate([np.empty((sampler.ROWS, 0)), *pieces], axis=1)
    rows[2] = course.knots[0].origin[rows[2].astype(np.int64)]
    return firing_from_rows(rows, float(duration_s))


def firing_from_rows(rows: np.ndarray, duration_s: float, process: str = "misfire") -> Firing:
    """Return discharges, sorted by time, from rows of consecutive bursts.

    Parameters
    ----------
    rows : ndarray, shape (5, n)
        Time (s), unit, index into `ORIGINS`, place in the burst, sodium load (mmol/L). Place 0
        begins a burst.
    duration_s : float
    process : str
        One of `PROCESSES`.
    """
    order = np.argsort(rows[0])
    burst = (np.cumsum(rows[3] == 0) - 1)[order]
    time, unit, origin, place, load = rows[:, order]
    unit, origin, place = (v.astype(np.int64) for v in (unit, origin, place))
    number_of = np.empty((place == 0).sum(), np.int64)
    number_of[burst[place == 0]] = np.arange(number_of.size)
    made_by = np.full(order.size, PROCESSES.index(process))
    return Firing(time, unit, origin, place, load, number_of[burst], made_by, duration_s)


def _sort_by_time(columns: dict[str, np.ndarray], duration_s: float) -> Firing:
    """Sort discharges by time and number their episodes in the order of first discharges."""
    order = np.argsort(columns["time_s"], kind="stable")
    sorted_columns = {name: column[order] for name, column in columns.items()}
    _, first, which = np.unique(sorted_columns["episode"], return_index=True, return_inverse=True)
    sorted_columns["episode"] = np.argsort(np.argsort(first, kind="stable"), kind="stable")[which]
    return Firing(**sorted_columns, duration_s=duration_s)


def merge_firings(parts: Sequence[Firing]) -> Firing:
    """Merge the discharges of several sources in the same units.

    A discharge that follows one of another episode of its unit sooner than an axon can conduct
    (the shortest interval within fasciculations) is dropped.

    Parameters
    ----------
    parts : sequence of Firing
        At least one, all of the same duration.
    """
    names = [f.name for f in fields(Firing)[:-1]]
    columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
    shift = np.cumsum([0, *(p.episode.max(initial=-1) + 1 for p in parts[:-1])])
    columns["episode"] += np.repeat(shift, [len(p) for p in parts])
    indices = _select_followable(columns)
    columns = {name: column[indices] for name, column in columns.items()}
    return _sort_by_time(columns | {"place": _number_places(columns)}, parts[0].duration_s)


def append_followers(firing: Firing, time_s: np.ndarray, behind: np.ndarray, origin: str) -> Firing:
    """Add discharges, each to the episode of the one it follows.

    Parameters
    ----------
    firing : Firing
    time_s : ndarray, shape (n,)
        Their times, s.
    behind : ndarray of int, shape (n,)
        Index of the discharge that each follows.
    origin : str
        One of `ORIGINS`: kind of site at which they start.
    """
    names = [f.name for f in fields(Firing)[:-1]]
    columns = {n: np.concatenate([getattr(firing, n), getattr(firing, n)[behind]]) for n in names}
    columns["time_s"][len(firing) :] = time_s
    columns["origin"][len(firing) :] = ORIGINS.index(origin)
    mask = columns["time_s"] < firing.duration_s
    columns = {n: column[mask] for n, column in columns.items()}
    return _sort_by_time(columns | {"place": _number_places(columns)}, firing.duration_s)


def _select_followable(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Return indices of the discharges that follow those of other episodes late enough."""
    least = parameter("firing", "burst_interval_shortest_ms") / 1000.0
    time, unit, episode = columns["time_s"], columns["unit"], columns["episode"]
    order = np.lexsort((time, unit))
    while True:
        soon = np.zeros(order.size, bool)
        soon[1:] = (np.diff(time[order]) < least) & (np.diff(unit[order]) == 0)
        soon[1:] &= np.diff(episode[order]) != 0
        soon[1:] &= ~soon[:-1]  # a predecessor that is itself dropped does not count
        if not soon.any():
            return order
        order = order[~soon]


def _number_places(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Return each discharge's place within its unit's part of its episode."""
    unit, episode = columns["unit"], columns["episode"]
    order = np.lexsort((columns["time_s"], unit, episode))
    new = np.ones(order.size, bool)
    new[1:] = (np.diff(unit[order]) != 0) | (np.diff(episode[order]) != 0)
    index = np.arange(order.size)
    place = np.empty(order.size, np.int64)
    place[order] = index - np.maximum.accumulate(np.where(new, index, 0))
    return place


def sample_by_time_steps(
    hazard: UnitHazard | HazardCourse,
    duration_s: float,
    rng: np.random.Generator,
    dt_s: float = 1e-3,
) -> Firing:
    """Draw discharges of the same law by stepping through time: slow, for small checks.

    Each step draws one uniform per unit; bursts and sodium load are as in `sample_firing`.
    """
    course = as_course(hazard)
    first, law = course.knots[0], sampling_tables(course, _sites_that_may_fire(course, duration_s))
    timing = _timing(first)
    added, tau_s = np.array(timing[:2]), np.array(timing[2:4])
    grid, n = first.load_mmol_l, law.unit.size
    loads, free = np.stack([law.start_slow, law.start_fast]), np.zeros(n)
    rows: list[tuple[object, ...]] = []
    for step in range(int(duration_s / dt_s)):
        t = step * dt_s
        q = np.interp(t, law.at_s, np.arange(law.at_s.size))
        before, after = int(np.floor(q)), int(np.ceil(q))
        table = (1.0 - q + before) * law.log_rate[before] + (q - before) * law.log_rate[after]
        load: np.ndarray = loads.sum(axis=0)
        cell = np.clip(np.searchsorted(grid, load) - 1, 0, grid.size - 2)
        w = np.clip((load - grid[cell]) / (grid[cell + 1] - grid[cell]), 0.0, 1.0)
        low, high = table[np.arange(n), cell], table[np.arange(n), cell + 1]
        hazards = np.exp((1.0 - w) * low + w * high)
        for u in np.flatnonzero((rng.random(n) < -np.expm1(-hazards * dt_s)) & (free <= t)):
            sites = slice(law.starts[u], law.starts[u + 1])
            j = cell[u] + (rng.random() < w[u])
            knot = after if rng.random() < q - before else before
            s = law.starts[u] + int((law.share[knot, j, sites] < rng.random()).sum())
            s = min(s, law.starts[u + 1] - 1)
            chance = (1.0 - q + before) * law.pair[before, s] + (q - before) * law.pair[after, s]
            place, time, both = 0, t, loads[:, u].copy()
            while time < duration_s:
                rows.append((time, law.unit[u], first.origin[law.site[s]], place, both.sum()))
                both += added
                if rng.random() >= chance:
                    break
                place += 1
                extra = rng.exponential(timing.mean_extra)
                gap = timing.shortest + min(extra, timing.dead - timing.shortest)
                both *= np.exp(-gap / tau_s)
                time += gap
            free[u] = time + timing.dead
            loads[:, u] = both * np.exp((time - t) / tau_s)
        loads *= np.exp(-dt_s / tau_s)[:, None]
    return firing_from_rows(np.array(rows).reshape(-1, 5).T, float(duration_s))
