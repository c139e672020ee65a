"""The loop that draws discharges: one source for plain Python and for Numba.

Exact thinning, unit by unit. A unit waits for a unit exponential of its bound: its hazard without
sodium load as long as that is close, else the hazard at the end of a window, where its load is
least; at whichever end the body drives it more. A candidate is kept if a second exponential
exceeds how far the hazard lies under the bound in its logarithm, so that no hazard need be
exponentiated; by how much it does is an exponential again and the next wait. What is left of a
wait at the end of a window goes on in the next. So a discharge takes one exponential, and uniforms
for its site and for a further spike. The loop stops when its room is full and
goes on from `state`, so that memory does not grow with the discharges; where it stopped moves
nothing. Both ways take the same random numbers and the C library's exponential, so that they
give the same discharges to the bit.
"""

from __future__ import annotations

from math import exp

LONGEST = 64  # discharges of a burst; at a chance of 0.6 each, more would come once in 1e14
FOREVER = 1e300
CLOSE = 0.1  # a bound is close if the log hazard is so little under it
WINDOWS = 20.0  # of a bound that is not, in one time constant of the load
STATE = 13  # numbers that say where the loop is
ROWS = 5  # of what it draws: time, unit, site, place in the burst, sodium load


def grid_cell(load, grid):
    """Return the cell of the grid that a load lies in."""
    j = 0
    while j < grid.size - 2 and load > grid[j + 1]:
        j += 1
    return j


def knot_fraction(t, at, q):
    """Return where between knot `q` and the next a time lies, 0 to 1; 0 after the last."""
    return min((t - at[q]) / (at[q + 1] - at[q]), 1.0) if q < at.size - 1 else 0.0


def log_hazard(load, a, q, u, grid, log_rate, slope):
    """Return the log burst rate (per second) of a unit, `a` of the way from knot `q` on."""
    j = grid_cell(load, grid)
    more = min(load, grid[-1]) - grid[j]
    found = log_rate[q, u, j] + slope[q, u, j] * more
    if a > 0.0:
        found += a * (log_rate[q + 1, u, j] + slope[q + 1, u, j] * more - found)
    return found


def choose_site(goal, load, a, q, grid, share, first, last):
    """Return the site among `first` to `last` - 1 whose cumulative share reaches a `goal`.

    The likeliest sites come first, so that a search from the front is short.
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
    names,
    starts,
    begin,
    grid,
    at,
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
    """Fill `out` with bursts from where `state` is, and return how many discharges there are.

    Parameters
    ----------
    rng : numpy.random.Generator
    waits : ndarray, shape (units,)
        Unit exponentials: the first wait of each unit.
    names : (ndarray, ndarray)
        What units and sites are called in `out`, shapes (units,) and (sites,).
    starts : ndarray of int, shape (units + 1,)
        Bounds of each unit's sites.
    begin : ndarray, shape (units,)
        Sodium load at time 0, mmol/L.
    grid : ndarray, shape (k,)
        Loads of the tables.
    at : ndarray, shape (knots,)
        Times of the tables, s.
    log_rate : ndarray, shape (knots, units, k)
        Log burst rates per second.
    slope : ndarray, shape (knots, units, k - 1)
        What they fall by from load to load, per mmol/L.
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
        Begins with unit 0 and time -1; the first is the number of units when all is drawn.
    out : ndarray, shape (5, room)
        Time, unit, site, place in the burst, load; `room` above `LONGEST`.
    """
    per_spike, tau = load_law
    dead, shortest, mean_extra = timing
    removal, (units, sites) = -1.0 / tau, names
    rest = exp(dead * removal)
    n, full, knots, u = 0, out.shape[1] - LONGEST, at.size, int(state[0])
    t, load, wait, edge, end, log_bound, mean, log_most, shortest_mean, level, fall = state[1:12]
    q, second = int(state[12]), grid[1]
    while u < waits.size:
        first, last = starts[u], starts[u + 1]
        if t < 0.0:
            t, load, wait, q, edge, end = 0.0, begin[u], waits[u], -1, 0.0, 0.0
        while t < duration:
            if t >= end:  # into a new window
                if t >= edge:
                    while t >= edge:
                        q += 1
                        edge = at[q + 1] if q < knots - 1 else FOREVER
                    log_most = log_rate[q, u, 0]
                    if q < knots - 1:
                        log_most = max(log_most, log_rate[q + 1, u, 0])
                    shortest_mean = exp(-log_most)
                    level, fall = log_rate[q, u, 0], slope[q, u, 0]
                a = knot_fraction(t, at, q)
                end, log_bound, mean = edge, log_most, shortest_mean
                if log_hazard(load, a, q, u, grid, log_rate, slope) < log_most - CLOSE:
                    step = max(tau / WINDOWS, shortest_mean)
                    end = min(t + step, edge)
                    least = load * exp((end - t) * removal)
                    log_bound = log_hazard(least, a, q, u, grid, log_rate, slope)
                    if q < knots - 1:
                        a = knot_fraction(end, at, q)
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
            a = knot_fraction(t, at, q)
            wait = rng.standard_exponential() - log_bound
            if a == 0.0 and load <= second:  # nearly always: no table need be searched
                wait += level + fall * load
            else:
                wait += log_hazard(load, a, q, u, grid, log_rate, slope)
            if wait < 0.0:  # not kept
                wait = rng.standard_exponential()
                if log_bound == log_most:
                    end = t  # a closer bound may be had
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
