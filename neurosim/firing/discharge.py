"""When motor units discharge by themselves: the exact event-driven sampler.

A unit's hazard is the sum over its sites. Between discharges only its sodium load moves,
and it decays, so in a body that stays the same the hazard can only rise: the hazard at the
end of a window bounds the hazard within it, and thinning against that bound is exact. In a
body that changes (`HazardCourse`) the log rate of every site is a straight line between knots
in time; a sum of such exponentials is convex, so the greater of its two ends bounds it. Cost
follows the discharges and the knots, not the time. `clock_driven` is the same law stepped
through time, for small checks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.util import find_spec

import numpy as np

from neurosim.errors import NeurosimError
from neurosim.sources import number

ORIGINS = ("axon", "terminal", "soma", "lesion", "junction")
PROCESSES = ("misfire", "neuromyotonia", "myokymia", "plateau")  # what makes discharges
MAX_DISCHARGES = 20_000_000
SILENT = 1e-9  # a unit with fewer expected bursts than this in the whole run is not visited


@dataclass(frozen=True)
class UnitHazard:
    """Hazards of the sites of one muscle, as the sampler needs them.

    Attributes
    ----------
    load_mmol_l : ndarray, shape (k,)
        Grid of sodium load above the body's own internal sodium, rising from 0.
    bursts_per_min : ndarray, shape (sites, k)
        Hazard of each site on that grid, falling along it; sorted by unit.
    unit : ndarray of int, shape (sites,)
        Motor unit of each site, rising.
    origin : ndarray of int, shape (sites,)
        Index into `ORIGINS`.
    pair : ndarray, shape (sites,)
        Probability that a spike of a burst is followed by another that propagates.
    units : int
        Number of motor units of the muscle.
    load_per_spike_mmol_l, load_tau_s : float
        Sodium gained by a discharge, and the time constant of its removal.
    ceiling_per_min : float
        Highest burst rate of a unit.
    start_load_mmol_l : ndarray, shape (units,), optional
        Sodium load at time 0; none if omitted.
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


@dataclass(frozen=True)
class HazardCourse:
    """Hazards of one muscle in a body that changes.

    Between two knots the logarithm of every site's rate is a straight line in time, after the
    last it stays. One knot is a body that does not change.

    Attributes
    ----------
    at_s : ndarray, shape (knots,)
        Times of the knots, rising from 0.
    knots : tuple of UnitHazard
        Hazards at those times, of the same sites. Load, its removal and the ceiling are those of
        the first.
    """

    at_s: np.ndarray
    knots: tuple[UnitHazard, ...]

    @property
    def rows(self) -> np.ndarray:
        """Log rates per second, shape (knots, sites, k)."""
        each = np.stack([hazard.bursts_per_min for hazard in self.knots])
        return np.log(np.maximum(each / 60.0, 1e-300))

    @property
    def pair(self) -> np.ndarray:
        """Probability of a further spike, shape (knots, sites)."""
        return np.stack([hazard.pair for hazard in self.knots])


def as_course(hazard: UnitHazard | HazardCourse) -> HazardCourse:
    """Return a hazard as one that may change."""
    return hazard if isinstance(hazard, HazardCourse) else HazardCourse(np.zeros(1), (hazard,))


@dataclass(frozen=True)
class Firing:
    """Discharges of one muscle, in columns of equal length, sorted by time.

    Attributes
    ----------
    time_s : ndarray
    unit : ndarray of int
    origin : ndarray of int
        Index into `ORIGINS`: which kind of site it started at.
    place : ndarray of int
        Position within its burst, 0 for the first spike.
    load_mmol_l : ndarray
        Sodium load of the unit just before the discharge.
    episode : ndarray of int
        Which burst, multiplet or plateau it belongs to, numbered by their first discharges.
        A plateau goes over many units, everything else is of one.
    process : ndarray of int
        Index into `PROCESSES`: what made it.
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
            "time_s": self.time_s, "unit": self.unit,
            "origin": np.array(ORIGINS)[self.origin], "place_in_burst": self.place,
            "sodium_load_mmol_l": self.load_mmol_l, "episode": self.episode,
            "process": np.array(PROCESSES)[self.process],
        }  # fmt: skip

    def __str__(self) -> str:
        return (
            f"{len(self)} discharges of {np.unique(self.unit).size} units in "
            f"{self.duration_s:g} s: {self.bursts_per_min:.3g} bursts per minute"
        )


def _between(load, grid):
    """Return the cell of the grid that a load lies in, and how far into it (0 to 1)."""
    j = min(max(int(np.searchsorted(grid, load)) - 1, 0), grid.size - 2)
    return j, min(max((load - grid[j]) / (grid[j + 1] - grid[j]), 0.0), 1.0)


def _now(t, at, q):
    """Return where between knot `q` and the next a time lies, 0 to 1; 0 after the last."""
    return (t - at[q]) / (at[q + 1] - at[q]) if q < at.size - 1 else 0.0


def _rate(a, now, later, s, cell):
    """Return the rate (per second) of a site: log-linear on the grid of loads and in time."""
    j, w = cell
    low = (1.0 - a) * now[s, j] + a * later[s, j]
    high = (1.0 - a) * now[s, j + 1] + a * later[s, j + 1]
    return np.exp((1.0 - w) * low + w * high)


def _hazard(load, a, grid, now, later, first, last, ceiling):
    """Return the burst rate (per second) of a unit at a load, `a` of the way to the next knot."""
    cell, total = _between(load, grid), 0.0
    for s in range(first, last):
        total += _rate(a, now, later, s, cell)
    return min(total, ceiling)


def _pick(load, a, grid, now, later, first, last, u):
    """Return the site that a discharge of the unit started at, for a uniform `u`."""
    goal, part = u * _hazard(load, a, grid, now, later, first, last, np.inf), 0.0
    cell = _between(load, grid)
    for s in range(first, last):
        part += _rate(a, now, later, s, cell)
        if part >= goal:
            return s
    return last - 1


def _sample(
    rng, starts, begin, grid, at, rows, pair, duration, per_spike, tau, ceiling, timing, out
):  # fmt: skip
    """Fill `out` (rows: time, unit index, site, place, load) and return how many there are.

    Returns -1 when `out` is too small. `starts` bounds the sites of each unit and `begin` is
    the load it starts with; `at` are the times of the knots of `rows` and `pair`; `timing` is
    (dead time after a burst, shortest interval, mean of its exponential part), s.
    """
    dead, shortest, mean_extra = timing
    room, n, knots = out.shape[1], 0, at.size
    for u in range(starts.size - 1):
        first, last = starts[u], starts[u + 1]
        t, load, q, edge = 0.0, begin[u], -1, 0.0
        now = later = rows[0]
        window = 0.0
        while t < duration:
            if t >= edge:  # into the segment of the knots around t
                while t >= edge:
                    q += 1
                    edge = at[q + 1] if q < knots - 1 else np.inf
                now, later = rows[q], rows[min(q + 1, knots - 1)]
                highest = _hazard(0.0, 0.0, grid, now, later, first, last, ceiling)
                if q < knots - 1:
                    other = _hazard(0.0, 1.0, grid, now, later, first, last, ceiling)
                    highest = max(highest, other)
                window = max(tau / 20.0, 0.5 / highest)
            step = min(window, edge - t)
            end = t + step if step < edge - t else edge
            least = load * np.exp(-step / tau)
            a = _now(t, at, q)
            bound = _hazard(least, a, grid, now, later, first, last, ceiling)
            if q < knots - 1:
                b = _now(end, at, q)
                bound = max(bound, _hazard(least, b, grid, now, later, first, last, ceiling))
            gap = -np.log1p(-rng.random()) / bound
            if gap > step:
                t, load = end, least
                continue
            t += gap
            load *= np.exp(-gap / tau)
            if t >= duration:
                break
            a = min(_now(t, at, q), 1.0)
            hazard = _hazard(load, a, grid, now, later, first, last, ceiling)
            if rng.random() * bound > hazard:
                continue
            site = _pick(load, a, grid, now, later, first, last, rng.random())
            place, chance = 0, (1.0 - a) * pair[q, site] + a * pair[min(q + 1, knots - 1), site]
            while t < duration:
                if n >= room:
                    return -1
                out[0, n], out[1, n], out[2, n] = t, u, site
                out[3, n], out[4, n] = place, load
                n += 1
                load += per_spike
                if rng.random() >= chance:
                    break
                place += 1
                extra = -np.log1p(-rng.random()) * mean_extra
                step = shortest + min(extra, dead - shortest)
                t += step
                load *= np.exp(-step / tau)
            t += dead
            load *= np.exp(-dead / tau)
    return n


@cache
def _sampler():
    """Return `_sample`, compiled where Numba is installed (NEUROSIM_NUMBA=0 turns it off)."""
    if os.environ.get("NEUROSIM_NUMBA", "1") == "0" or find_spec("numba") is None:
        return _sample
    from neurosim.firing.compiled import sample

    return sample


def _start_load(hazard: UnitHazard) -> np.ndarray:
    if hazard.start_load_mmol_l is None:
        return np.zeros(hazard.units)
    return hazard.start_load_mmol_l


def _timing():
    return (
        number("firing", "burst_dead_time_ms") / 1000.0,
        number("firing", "burst_interval_shortest_ms") / 1000.0,
        number("firing", "burst_interval_mean_extra_ms") / 1000.0,
    )


def balance(hazard: UnitHazard) -> tuple[np.ndarray, np.ndarray]:
    """Return each unit's long-run burst rate and sodium load, both of shape (units,).

    Mean-field: load = rate x spikes x load per spike x tau, with a unit's rate and gain
    log-linear between the loads of the grid; bursts per minute and mmol/L.
    """
    return balances([hazard])[0]


def balances(hazards: Sequence[UnitHazard]) -> list[tuple[np.ndarray, np.ndarray]]:
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
    at, bottom, top = log_gain[unit, j], low.copy(), high.copy()
    for _ in range(30):
        load = 0.5 * (bottom + top)
        more = np.exp(at + slope * (load - low)) > load
        bottom, top = np.where(more, load, bottom), np.where(more, top, load)
    load = 0.5 * (bottom + top)
    w = (load - low) / (high - low)
    found = np.exp((1 - w) * log_rate[unit, j] + w * log_rate[unit, j + 1])
    ends = np.cumsum([hazard.units for hazard in hazards])[:-1]
    return list(zip(np.split(found, ends), np.split(load, ends), strict=True))


def _rate_and_gain(hazard: UnitHazard) -> tuple[np.ndarray, np.ndarray]:
    """Return each unit's bursts per minute and the load they hold, shape (units, k)."""
    k, n = hazard.load_mmol_l.size, hazard.units
    per_spike = hazard.load_per_spike_mmol_l * hazard.load_tau_s / 60.0
    cell = (hazard.unit[:, None] * k + np.arange(k)).ravel()

    def by_unit(values):
        return np.bincount(cell, values.ravel(), n * k).reshape(n, k)

    total = by_unit(hazard.bursts_per_min)
    spikes = by_unit(hazard.bursts_per_min / (1.0 - hazard.pair)[:, None])
    cap = np.minimum(1.0, hazard.ceiling_per_min / np.maximum(total, 1e-300))
    return total * cap, spikes * cap * per_spike


def expected_bursts_per_min(hazard: UnitHazard | HazardCourse) -> np.ndarray:
    """Return each unit's long-run burst rate, its sodium load in balance, shape (units,).

    Of a course it is the mean up to its last knot, the load in balance with each moment.
    """
    course = as_course(hazard)
    return over_time(course.at_s, [balance(knot)[0] for knot in course.knots])


def over_time(at_s: np.ndarray, rates: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean of rates whose logarithms are straight between the times `at_s`."""
    each = np.maximum(np.stack(rates), 1e-300)
    if len(each) == 1:
        return each[0]
    low, high = each[:-1], each[1:]
    step = np.log(high / low)
    near = np.abs(step) < 1e-6
    mean = np.where(near, 0.5 * (low + high), (high - low) / np.where(near, 1.0, step))
    return np.tensordot(np.diff(at_s) / (at_s[-1] - at_s[0]), mean, 1)


def _visited(course: HazardCourse, duration_s: float):
    """Return the sites of units that may fire at all, sorted, and their bounds."""
    first = course.knots[0]
    most = np.max([hazard.bursts_per_min[:, 0] for hazard in course.knots], axis=0)
    by_unit = np.bincount(first.unit, most, first.units)
    keep = (by_unit * duration_s / 60.0 > SILENT)[first.unit]
    keep &= most * duration_s / 60.0 > SILENT / 1000.0
    index = np.flatnonzero(keep)
    index = index[np.argsort(first.unit[index], kind="stable")]
    units, starts = np.unique(first.unit[index], return_index=True)
    return index, units, np.append(starts, index.size)


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
        Only its ``random()`` is used, so compiled and plain Python give the same discharges.

    Raises
    ------
    NeurosimError
        If more than 20 million discharges are to be expected.
    """
    course = as_course(hazard)
    first = course.knots[0]
    index, units, starts = _visited(course, duration_s)
    if not index.size:
        return firing_of(np.empty((5, 0)), float(duration_s))
    expected = expected_bursts_per_min(course).sum() * duration_s / 60.0
    if expected > MAX_DISCHARGES:
        raise NeurosimError(
            f"About {expected:.0g} discharges are to be expected, more than {MAX_DISCHARGES:.0g}: "
            "choose a shorter duration."
        )
    room = int(4 * expected + 10 * np.sqrt(expected + 1) + 256)
    state = rng.bit_generator.state
    while True:
        out = np.empty((5, room))
        n = _sampler()(
            rng, starts, _start_load(first)[units], first.load_mmol_l, course.at_s,
            course.rows[:, index], course.pair[:, index], float(duration_s),
            first.load_per_spike_mmol_l, first.load_tau_s, first.ceiling_per_min / 60.0,
            _timing(), out,
        )  # fmt: skip
        if n >= 0:
            break
        room *= 4
        rng.bit_generator.state = state  # the same stream again, with more room
    out = out[:, :n]
    out[2] = first.origin[index[out[2].astype(np.int64)]]
    out[1] = units[out[1].astype(np.int64)]
    return firing_of(out, float(duration_s))


def firing_of(rows: np.ndarray, duration_s: float, process: str = "misfire") -> Firing:
    """Return discharges from rows in which bursts stand one after the other.

    Parameters
    ----------
    rows : ndarray, shape (5, n)
        Time (s), unit, index into `ORIGINS`, place in the burst, sodium load (mmol/L). A place
        of 0 begins a burst.
    duration_s : float
    process : str
        One of `PROCESSES`.
    """
    order = np.argsort(rows[0], kind="stable")
    first = np.flatnonzero(rows[3] == 0)
    number_of = np.empty(first.size, np.int64)
    number_of[np.argsort(rows[0, first], kind="stable")] = np.arange(first.size)
    episode = np.repeat(number_of, np.diff(first, append=rows.shape[1]))
    time, unit, origin, place, load = rows[:, order]
    unit, origin, place = (v.astype(np.int64) for v in (unit, origin, place))
    made_by = np.full(order.size, PROCESSES.index(process))
    return Firing(time, unit, origin, place, load, episode[order], made_by, duration_s)


def _in_order(columns: dict[str, np.ndarray], duration_s: float) -> Firing:
    """Return discharges by time, their episodes numbered by their first discharges."""
    order = np.argsort(columns["time_s"], kind="stable")
    found = {name: column[order] for name, column in columns.items()}
    _, first, which = np.unique(found["episode"], return_index=True, return_inverse=True)
    found["episode"] = np.argsort(np.argsort(first, kind="stable"), kind="stable")[which]
    return Firing(**found, duration_s=duration_s)


def merge(parts: Sequence[Firing]) -> Firing:
    """Return the discharges of several sources in the same units as one record.

    What would come sooner after a discharge of another episode of its unit than an axon can
    follow (the shortest interval of fasciculations) is left out.

    Parameters
    ----------
    parts : sequence of Firing
        Of the same duration, at least one.
    """
    names = [f.name for f in fields(Firing)[:-1]]
    columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
    shift = np.cumsum([0, *(p.episode.max(initial=-1) + 1 for p in parts[:-1])])
    columns["episode"] += np.repeat(shift, [len(p) for p in parts])
    kept = _able_to_follow(columns)
    columns = {name: column[kept] for name, column in columns.items()}
    return _in_order(columns | {"place": _places(columns)}, parts[0].duration_s)


def followed(firing: Firing, time_s: np.ndarray, behind: np.ndarray, origin: str) -> Firing:
    """Return the discharges with further ones, each in the episode of the one it follows.

    Parameters
    ----------
    firing : Firing
    time_s : ndarray, shape (n,)
        When they come, s.
    behind : ndarray of int, shape (n,)
        Index of the discharge that each follows.
    origin : str
        One of `ORIGINS`: where they start.
    """
    names = [f.name for f in fields(Firing)[:-1]]
    columns = {n: np.concatenate([getattr(firing, n), getattr(firing, n)[behind]]) for n in names}
    columns["time_s"][len(firing) :] = time_s
    columns["origin"][len(firing) :] = ORIGINS.index(origin)
    kept = columns["time_s"] < firing.duration_s
    columns = {n: column[kept] for n, column in columns.items()}
    return _in_order(columns | {"place": _places(columns)}, firing.duration_s)


def _able_to_follow(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Return the index of discharges that come late enough after another episode's."""
    least = number("firing", "burst_interval_shortest_ms") / 1000.0
    time, unit, episode = columns["time_s"], columns["unit"], columns["episode"]
    order = np.lexsort((time, unit))
    while True:
        soon = np.zeros(order.size, bool)
        soon[1:] = (np.diff(time[order]) < least) & (np.diff(unit[order]) == 0)
        soon[1:] &= np.diff(episode[order]) != 0
        soon[1:] &= ~soon[:-1]  # one before it that is left out itself does not count
        if not soon.any():
            return order
        order = order[~soon]


def _places(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Return each discharge's place within its unit's part of its episode."""
    unit, episode = columns["unit"], columns["episode"]
    order = np.lexsort((columns["time_s"], unit, episode))
    new = np.ones(order.size, bool)
    new[1:] = (np.diff(unit[order]) != 0) | (np.diff(episode[order]) != 0)
    index = np.arange(order.size)
    place = np.empty(order.size, np.int64)
    place[order] = index - np.maximum.accumulate(np.where(new, index, 0))
    return place


def clock_driven(
    hazard: UnitHazard | HazardCourse, duration_s: float, rng: np.random.Generator,
    dt_s: float = 1e-3,
) -> Firing:  # fmt: skip
    """Return the discharges of the same law stepped through time: slow, for small checks.

    Each step draws one uniform a unit; bursts and sodium load are as in `sample_firing`.
    """
    course = as_course(hazard)
    law = course.knots[0]
    dead, shortest, mean_extra = _timing()
    rows, pair, at_s = course.rows, course.pair, course.at_s
    bounds = np.searchsorted(law.unit, np.arange(law.units + 1))
    load, free = _start_load(law).copy(), np.zeros(law.units)
    found = []
    for step in range(int(duration_s / dt_s)):
        t = step * dt_s
        q = int(np.searchsorted(at_s, t, "right")) - 1
        later, a = min(q + 1, at_s.size - 1), _now(t, at_s, q)
        load *= np.exp(-dt_s / law.load_tau_s)
        draw = rng.random(law.units)
        for u in np.flatnonzero(free <= t):
            first, last = bounds[u], bounds[u + 1]
            args = (load[u], a, law.load_mmol_l, rows[q], rows[later], first, last)
            if first == last or draw[u] > _hazard(*args, law.ceiling_per_min / 60.0) * dt_s:
                continue
            site = _pick(*args, rng.random())
            place, chance, at = 0, (1.0 - a) * pair[q, site] + a * pair[later, site], t
            while at < duration_s:
                found.append((at, u, law.origin[site], place, load[u]))
                load[u] += law.load_per_spike_mmol_l
                if rng.random() >= chance:
                    break
                place += 1
                at += shortest + min(rng.exponential(mean_extra), dead - shortest)
            free[u] = at + dead
    table = np.array(found).reshape(-1, 5).T
    return firing_of(table, float(duration_s))
