"""The loop that draws discharges: one source for plain Python and for Numba.

Exact thinning, unit by unit. Candidates come from a Poisson process whose rate bounds the unit's
hazard. The bound is the hazard without sodium load as long as the hazard is close to it, otherwise
the hazard at the end of a short window, where the load is least; where the body changes, it is the
greater of the hazards at both ends. A load is in two stores, each of which only decays between
discharges, so that their sum only falls. The wait for a candidate is a unit exponential divided by
the bound.

A candidate is accepted if a second unit exponential exceeds the gap between the logarithms of
bound and hazard, so that no hazard need be exponentiated. By memorylessness the excess is again a
unit exponential and serves as the next wait; a wait cut off by the end of a window carries over.
So a discharge costs one exponential, plus uniforms for its site and for a further spike.

`sample` is that loop; `enter_window` finds the next bound, `propose` draws a candidate and accepts
or rejects it, `emit_burst` draws what follows from an accepted one. The loop returns when its
output is full and goes on from the `State` that it returned, so that memory does not grow with the
number of discharges; the draws do not depend on where it stopped. Plain Python and Numba use the
same random numbers and the exponential of the C library, and so give the same discharges to the
bit.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

LONGEST = 64  # discharges of a burst; at a chance of 0.6 each, more would come once in 1e14
FOREVER = 1e300
CLOSE = 0.1  # a bound is close if it exceeds the hazard by no more than this in the logarithm
WINDOWS = 20.0  # windows of any other bound in one time constant of the load
ROWS = 5  # of the output: time, unit, site, place in the burst, sodium load


class SamplingTables(NamedTuple):
    """The units that may fire at all, their sites and their hazards between the knots of time.

    Attributes
    ----------
    unit, site : ndarray of int, shapes (units,) and (sites,)
        Number of each unit and site in the muscle.
    starts : ndarray of int, shape (units + 1,)
        Index of each unit's first site, and the number of sites.
    start_slow, start_fast : ndarray, shape (units,)
        Sodium load at time 0 in the slow and in the fast store, mmol/L.
    grid : ndarray, shape (k,)
        Loads of the tables, mmol/L.
    at_s : ndarray, shape (knots,)
        Times of the tables, s.
    log_rate : ndarray, shape (knots, units, k)
        Log burst rates per second.
    slope : ndarray, shape (knots, units, k - 1)
        Their slopes between the loads of the grid, per mmol/L.
    share : ndarray, shape (knots, k, sites)
        Cumulative shares of a unit's sites in its bursts.
    pair : ndarray, shape (knots, sites)
        Chance of a further spike.
    """

    unit: np.ndarray
    site: np.ndarray
    starts: np.ndarray
    start_slow: np.ndarray
    start_fast: np.ndarray
    grid: np.ndarray
    at_s: np.ndarray
    log_rate: np.ndarray
    slope: np.ndarray
    share: np.ndarray
    pair: np.ndarray


class Timing(NamedTuple):
    """What a discharge leaves behind, and when the next of its burst may come.

    Attributes
    ----------
    per_spike, per_spike_fast : float
        Sodium load per spike in the slow and in the fast store, mmol/L.
    tau, tau_fast : float
        Time constants of their decay, s.
    dead : float
        Dead time after a burst, s.
    shortest, mean_extra : float
        Shortest interval within a burst, and the mean of its exponential part, s.
    """

    per_spike: float
    per_spike_fast: float
    tau: float
    tau_fast: float
    dead: float
    shortest: float
    mean_extra: float


class Window(NamedTuple):
    """A stretch of time in which one bound holds.

    Attributes
    ----------
    q : int
        Last knot of the tables before it.
    edge : float
        Time of the next knot, s.
    log_most : float
        Log of the hazard without load, the greater one at both knots.
    mean_most : float
        Mean wait at that hazard, s.
    level, fall : float
        Log hazard and its slope at knot `q`, in the first cell of the grid of loads.
    end : float
        Time at which the bound ends, s.
    log_bound : float
        Log of the bound.
    mean : float
        Mean wait for a candidate at the bound, s.
    """

    q: int
    edge: float
    log_most: float
    mean_most: float
    level: float
    fall: float
    end: float
    log_bound: float
    mean: float


# The window before the first knot, which ends where it begins.
CLOSED = Window(-1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class State(NamedTuple):
    """Where a draw stands.

    Attributes
    ----------
    u : int
        Unit.
    t : float
        Its time, s; negative if it has not begun.
    slow, fast : float
        Its sodium load in both stores, mmol/L.
    wait : float
        Unit exponential that is left of the wait.
    window : Window
    """

    u: int
    t: float
    slow: float
    fast: float
    wait: float
    window: Window


Sample = Callable[..., tuple[int, State]]  # `sample`, compiled or not


def initial_state(u: int = 0) -> State:
    """Return the state before anything of unit `u` is drawn."""
    return State(u, -1.0, 0.0, 0.0, 0.0, CLOSED)


def grid_cell(load: float, grid: np.ndarray) -> int:
    """Return the index of the grid cell that contains a load."""
    j = 0
    while j < grid.size - 2 and load > grid[j + 1]:
        j += 1
    return j


def knot_fraction(t: float, at_s: np.ndarray, q: int) -> float:
    """Return the position of a time between knot `q` and the next, 0 to 1; 0 after the last."""
    return min((t - at_s[q]) / (at_s[q + 1] - at_s[q]), 1.0) if q < at_s.size - 1 else 0.0


def log_hazard(tables: SamplingTables, u: int, load: float, a: float, q: int) -> float:
    """Return the log burst rate (per second) of unit `u`, a fraction `a` after knot `q`."""
    grid, log_rate, slope = tables.grid, tables.log_rate, tables.slope
    j = grid_cell(load, grid)
    more = min(load, grid[-1]) - grid[j]
    log_rate_hz = log_rate[q, u, j] + slope[q, u, j] * more
    if a > 0.0:
        log_rate_hz += a * (log_rate[q + 1, u, j] + slope[q + 1, u, j] * more - log_rate_hz)
    return log_rate_hz


def choose_site(tables: SamplingTables, u: int, goal: float, load: float, a: float, q: int) -> int:
    """Return the first site of unit `u` whose cumulative share reaches `goal`.

    The likeliest sites come first, so a search from the front is short.
    """
    grid, share = tables.grid, tables.share
    last = tables.starts[u + 1]
    j = grid_cell(load, grid)
    w = min((load - grid[j]) / (grid[j + 1] - grid[j]), 1.0)
    for s in range(tables.starts[u], last - 1):
        reached = (1.0 - w) * share[q, j, s] + w * share[q, j + 1, s]
        if a > 0.0:
            later = (1.0 - w) * share[q + 1, j, s] + w * share[q + 1, j + 1, s]
            reached += a * (later - reached)
        if goal <= reached:
            return s
    return last - 1


def pass_knots(tables: SamplingTables, u: int, t: float, q: int) -> Window:
    """Return the window of unit `u` that a time `t`, past the next knot of `q`, falls into."""
    at_s, log_rate, edge = tables.at_s, tables.log_rate, t
    while t >= edge:
        q += 1
        edge = at_s[q + 1] if q < at_s.size - 1 else FOREVER
    log_most = log_rate[q, u, 0]
    if q < at_s.size - 1:
        log_most = max(log_most, log_rate[q + 1, u, 0])
    mean = exp(-log_most)
    level, fall = log_rate[q, u, 0], tables.slope[q, u, 0]
    return Window(q, edge, log_most, mean, level, fall, edge, log_most, mean)


def enter_window(tables: SamplingTables, timing: Timing, state: State) -> State:
    """Return the state in the window that begins now.

    The hazard without load is the bound up to the next knot if it is close; else the hazard at the
    end of a window short against the decay of the fuller store, where the load is least.
    """
    u, t, slow, fast, wait, window = state
    if t >= window.edge:
        window = pass_knots(tables, u, t, window.q)
    q, edge, log_most, mean_most, level, fall = window[:6]
    end, log_bound, mean = edge, log_most, mean_most
    a = knot_fraction(t, tables.at_s, q)
    if log_hazard(tables, u, slow + fast, a, q) < log_most - CLOSE:
        tau = timing.tau_fast if fast > slow else timing.tau
        end = min(t + max(tau / WINDOWS, mean_most), edge)
        least = slow * exp((end - t) * (-1.0 / timing.tau))
        least += fast * exp((end - t) * (-1.0 / timing.tau_fast))
        log_bound = log_hazard(tables, u, least, a, q)
        if q < tables.at_s.size - 1:
            later = log_hazard(tables, u, least, knot_fraction(end, tables.at_s, q), q)
            log_bound = max(log_bound, later)
        mean = exp(-log_bound)
    window = Window(q, edge, log_most, mean_most, level, fall, end, log_bound, mean)
    return State(u, t, slow, fast, wait, window)


def propose(
    rng: np.random.Generator, tables: SamplingTables, timing: Timing, duration: float, state: State
) -> tuple[bool, State]:
    """Wait for a candidate; return whether a burst begins, and the state after the wait.

    None begins if the window or the draw ends first, or if the candidate is rejected.
    """
    u, t, slow, fast, wait, window = state
    gap, removal, spread = wait * window.mean, -1.0 / timing.tau, -1.0 / timing.tau_fast
    if t + gap >= window.end:
        gap = window.end - t
        wait = max(wait - gap / window.mean, 0.0)
        slow, fast = slow * exp(gap * removal), fast * exp(gap * spread)
        return False, State(u, window.end, slow, fast, wait, window)
    t, slow, fast = t + gap, slow * exp(gap * removal), fast * exp(gap * spread)
    if t >= duration:
        return False, State(u, t, slow, fast, wait, window)
    load = slow + fast
    a = knot_fraction(t, tables.at_s, window.q)
    wait = rng.standard_exponential() - window.log_bound
    if a == 0.0 and load <= tables.grid[1]:  # the usual case, without a search of the table
        wait += window.level + window.fall * load
    else:
        wait += log_hazard(tables, u, load, a, window.q)
    if wait >= 0.0:
        return True, State(u, t, slow, fast, wait, window)
    if window.log_bound == window.log_most:  # rejected: look for a closer bound
        window = Window(*window[:6], t, window.log_bound, window.mean)
    return False, State(u, t, slow, fast, rng.standard_exponential(), window)


def emit_burst(
    rng: np.random.Generator,
    tables: SamplingTables,
    timing: Timing,
    duration: float,
    state: State,
    out: np.ndarray,
    n: int,
) -> tuple[int, State]:
    """Write the burst that begins now to `out` after `n` rows; return rows and the state after.

    Each spike may be followed by another, up to `LONGEST`; after the last comes a dead time.
    """
    u, t, slow, fast, wait, window = state
    removal, spread = -1.0 / timing.tau, -1.0 / timing.tau_fast
    q, s = window.q, tables.starts[u]
    a = knot_fraction(t, tables.at_s, q)
    if tables.starts[u + 1] - s > 1:
        s = choose_site(tables, u, rng.random(), slow + fast, a, q)
    chance = tables.pair[q, s]
    if a > 0.0:
        chance += a * (tables.pair[q + 1, s] - chance)
    place = 0
    while t < duration:
        out[0, n], out[1, n], out[2, n] = t, tables.unit[u], tables.site[s]
        out[3, n], out[4, n] = place, slow + fast
        n += 1
        place += 1
        slow += timing.per_spike
        fast += timing.per_spike_fast
        if place == LONGEST or rng.random() >= chance:
            break
        extra = timing.mean_extra * rng.standard_exponential()
        gap = timing.shortest + min(extra, timing.dead - timing.shortest)
        t += gap
        slow *= exp(gap * removal)
        fast *= exp(gap * spread)
    slow *= exp(timing.dead * removal)
    fast *= exp(timing.dead * spread)
    return n, State(u, t + timing.dead, slow, fast, wait, window)


def sample(
    rng: np.random.Generator,
    tables: SamplingTables,
    timing: Timing,
    waits: np.ndarray,
    duration: float,
    state: State,
    out: np.ndarray,
) -> tuple[int, State]:
    """Fill `out` with bursts, going on from `state`; return how many discharges, and the new state.

    Parameters
    ----------
    rng : numpy.random.Generator
    tables : SamplingTables
    timing : Timing
    waits : ndarray, shape (units,)
        Unit exponentials: the first wait of each unit.
    duration : float
        s.
    state : State
        `initial_state` at first; its unit is the number of units when the draw is complete.
    out : ndarray, shape (5, columns)
        Time, unit, site, place in the burst, load; more than `LONGEST` columns.

    Returns
    -------
    (int, State)
    """
    n, full = 0, out.shape[1] - LONGEST
    while state.u < waits.size:
        if state.t < 0.0:
            u = state.u
            state = State(u, 0.0, tables.start_slow[u], tables.start_fast[u], waits[u], CLOSED)
        while state.t < duration:
            if state.t >= state.window.end:
                state = enter_window(tables, timing, state)
            begins, state = propose(rng, tables, timing, duration, state)
            if begins:
                n, state = emit_burst(rng, tables, timing, duration, state, out, n)
                if n > full:
                    return n, state
        state = initial_state(state.u + 1)
    return n, state
