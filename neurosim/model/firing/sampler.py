"""The loop that draws discharges: one source for plain Python and for Numba.

Exact thinning, unit by unit. Candidates come from a Poisson process whose rate bounds the unit's
hazard. The bound is the hazard without sodium load as long as the hazard is close to it, otherwise
the hazard at the end of a short window, where the load is least; where the body changes, it is the
greater of the hazards at both ends. The wait for a candidate is a unit exponential divided by the
bound.

A candidate is accepted if a second unit exponential exceeds the gap between the logarithms of
bound and hazard, so that no hazard need be exponentiated. By memorylessness the excess is again a
unit exponential and serves as the next wait; a wait cut off by the end of a window carries over.
So a discharge costs one exponential, plus uniforms for its site and for a further spike.

The loop returns when its output is full and resumes from `state`, so that memory does not grow
with the number of discharges; the draws do not depend on where it stopped. Plain Python and Numba
use the same random numbers and the exponential of the C library, and so give the same discharges
to the bit.
"""

from __future__ import annotations

from math import exp

LONGEST = 64  # discharges of a burst; at a chance of 0.6 each, more would come once in 1e14
FOREVER = 1e300
CLOSE = 0.1  # a bound is close if it exceeds the hazard by no more than this in the logarithm
WINDOWS = 20.0  # windows of any other bound in one time constant of the load
STATE = 13  # numbers that `state` holds between calls
ROWS = 5  # of the output: time, unit, site, place in the burst, sodium load


def grid_cell(load, grid):
    """Return the index of the grid cell that contains a load."""
    j = 0
    while j < grid.size - 2 and load > grid[j + 1]:
        j += 1
    return j


def knot_fraction(t, at_s, q):
    """Return the position of a time between knot `q` and the next, 0 to 1; 0 after the last."""
    return min((t - at_s[q]) / (at_s[q + 1] - at_s[q]), 1.0) if q < at_s.size - 1 else 0.0


def log_hazard(load, a, q, u, grid, log_rate, slope):
    """Return the log burst rate (per second) of a unit, a fraction `a` after knot `q`."""
    j = grid_cell(load, grid)
    more = min(load, grid[-1]) - grid[j]
    log_rate_hz = log_rate[q, u, j] + slope[q, u, j] * more
    if a > 0.0:
        log_rate_hz += a * (log_rate[q + 1, u, j] + slope[q + 1, u, j] * more - log_rate_hz)
    return log_rate_hz


def choose_site(goal, load, a, q, grid, share, first, last):
    """Return the first site from `first` to `last` - 1 whose cumulative share reaches `goal`.

    The likeliest sites come first, so a search from the front is short.
    """
    j = grid_cell(load, grid)
    w = min((load - grid[j]) / (grid[j + 1] - grid[j]), 1.0)
    for s in range(first, last - 1):
        reached = (1.0 - w) * share[q, j, s] + w * share[q, j + 1, s]
        if a > 0.0:
            later = (1.0 - w) * share[q + 1, j, s] + w * share[q + 1, j + 1, s]
            reached += a * (later - reached)
        if goal <= reached:
            return s
    return last - 1


def sample(
    rng,
    waits,
    labels,
    starts,
    start_load,
    grid,
    at_s,
    log_rate,
    slope,
    share,
    pair,
    load_law,
    timing,
    duration,
    state,
    out,
):
    """Fill `out` with bursts, resuming from `state`, and return the number of discharges.

    Parameters
    ----------
    rng : numpy.random.Generator
    waits : ndarray, shape (units,)
        Unit exponentials: the first wait of each unit.
    labels : (ndarray, ndarray)
        Numbers of units and sites to write to `out`, shapes (units,) and (sites,).
    starts : ndarray of int, shape (units + 1,)
        Index of each unit's first site, and the number of sites.
    start_load : ndarray, shape (units,)
        Sodium load at time 0, mmol/L.
    grid : ndarray, shape (k,)
        Loads of the tables.
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
    load_law : (float, float)
        Load per spike (mmol/L), time constant of its removal (s).
    timing : (float, float, float)
        Dead time after a burst, shortest interval, mean of its exponential part, s.
    duration : float
        s.
    state : ndarray, shape (13,)
        Starts as zeros, but for -1 as its second number; its first number is the current unit,
        and equals the number of units when the draw is complete.
    out : ndarray, shape (5, columns)
        Time, unit, site, place in the burst, load; more than `LONGEST` columns.
    """
    per_spike, tau = load_law
    dead, shortest, mean_extra = timing
    removal, (units, sites) = -1.0 / tau, labels
    rest = exp(dead * removal)
    n, full, knots, u = 0, out.shape[1] - LONGEST, at_s.size, int(state[0])
    t, load, wait, edge, end, log_bound, mean, log_most, shortest_mean, level, fall = state[1:12]
    q, second = int(state[12]), grid[1]
    while u < waits.size:
        first, last = starts[u], starts[u + 1]
        if t < 0.0:
            t, load, wait, q, edge, end = 0.0, start_load[u], waits[u], -1, 0.0, 0.0
        while t < duration:
            if t >= end:  # start a new window
                if t >= edge:
                    while t >= edge:
                        q += 1
                        edge = at_s[q + 1] if q < knots - 1 else FOREVER
                    log_most = log_rate[q, u, 0]
                    if q < knots - 1:
                        log_most = max(log_most, log_rate[q + 1, u, 0])
                    shortest_mean = exp(-log_most)
                    level, fall = log_rate[q, u, 0], slope[q, u, 0]
                a = knot_fraction(t, at_s, q)
                end, log_bound, mean = edge, log_most, shortest_mean
                if log_hazard(load, a, q, u, grid, log_rate, slope) < log_most - CLOSE:
                    step = max(tau / WINDOWS, shortest_mean)
                    end = min(t + step, edge)
                    least = load * exp((end - t) * removal)
                    log_bound = log_hazard(least, a, q, u, grid, log_rate, slope)
                    if q < knots - 1:
                        a = knot_fraction(end, at_s, q)
                        log_bound = max(
                            log_bound, log_hazard(least, a, q, u, grid, log_rate, slope)
                        )
                    mean = exp(-log_bound)
            gap = wait * mean
            if t + gap >= end:
                wait = max(wait - (end - t) / mean, 0.0)
                load *= exp((end - t) * removal)
                t = end
                continue
            t += gap
            load *= exp(gap * removal)
            if t >= duration:
                break
            a = knot_fraction(t, at_s, q)
            wait = rng.standard_exponential() - log_bound
            if a == 0.0 and load <= second:  # the usual case, without a search of the table
                wait += level + fall * load
            else:
                wait += log_hazard(load, a, q, u, grid, log_rate, slope)
            if wait < 0.0:  # rejected
                wait = rng.standard_exponential()
                if log_bound == log_most:
                    end = t  # look for a closer bound
                continue
            s = first
            if last - first > 1:
                s = choose_site(rng.random(), load, a, q, grid, share, first, last)
            chance = pair[q, s]
            if a > 0.0:
                chance += a * (pair[q + 1, s] - chance)
            place = 0
            while t < duration:
                out[0, n], out[1, n], out[2, n] = t, units[u], sites[s]
                out[3, n], out[4, n] = place, load
                n += 1
                place += 1
                load += per_spike
                if place == LONGEST or rng.random() >= chance:
                    break
                gap = shortest + min(mean_extra * rng.standard_exponential(), dead - shortest)
                t += gap
                load *= exp(gap * removal)
            t += dead
            load *= rest
            if n > full:
                state[0], state[1], state[2], state[3], state[4] = u, t, load, wait, edge
                state[5], state[6], state[7], state[8] = end, log_bound, mean, log_most
                state[9], state[10], state[11], state[12] = shortest_mean, level, fall, q
                return n
        u += 1
        t = -1.0
    state[0], state[1] = u, -1.0
    return n
