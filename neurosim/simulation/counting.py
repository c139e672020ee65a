"""Count the twitches of discharges without keeping any: the loop behind `tally`.

The lines here are the only ones: Python runs them as they are, and Numba compiles them.
"""

from __future__ import annotations

from math import exp, expm1, log10

import numpy as np

from neurosim.model.muscle.force import force_frequency

ForceLaw = tuple[float, float, float, float]  # factor, exponent, linear limit, fraction there
Knots = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]

FUSED = 4.0  # contraction times in an interval above which twitches fuse wholly (to 1e-55)


def interpolate_knots(t: float, at: np.ndarray, values: np.ndarray) -> float:
    """Return a value at a time between the knots `at`, on a straight line; the ends held."""
    if at.size == 1 or t <= at[0]:
        return values[0]
    if t >= at[-1]:
        return values[-1]
    q = np.searchsorted(at, t, side="right") - 1
    return values[q] + (t - at[q]) / (at[q + 1] - at[q]) * (values[q + 1] - values[q])


def force_law() -> ForceLaw:
    """Return `muscle.force.force_frequency`, and the tetanic fraction at its linear limit."""
    factor, exponent, limit = force_frequency()
    return factor, exponent, limit, -expm1(-factor * limit**exponent)


def summation_gain(ratio: float, force_law: ForceLaw) -> float:
    """Return how much larger a twitch is than a lone one, as `muscle.force.gain` does."""
    factor, exponent, limit, fraction = force_law
    if ratio <= limit:
        return 1.0
    fused = 1.0 if ratio > FUSED else -expm1(-factor * ratio**exponent)
    return fused / fraction * limit / ratio


def count_bursts(
    rows: np.ndarray,
    twitch: tuple[np.ndarray, np.ndarray],
    muscle: float,
    force_law: ForceLaw,
    knots: Knots,
    origin: np.ndarray,
    bin_s: float,
    last: np.ndarray,
    by_bin: np.ndarray,
    origins: np.ndarray,
    sizes: np.ndarray,
    intervals: np.ndarray,
    active: np.ndarray,
) -> None:
    """Add bursts to counts.

    Parameters
    ----------
    rows : ndarray, shape (5, n)
        A piece of `firing.discharge.stream`: whole bursts, unit after unit.
    twitch : (ndarray, ndarray)
        Peak force (mN) and contraction time (s) of each unit.
    muscle : float
        Force above which a twitch is seen, mN.
    force_law : (float, float, float, float)
        As `force_law` returns it.
    knots : (ndarray, ndarray, ndarray, ndarray, ndarray)
        Times of the moments and halfway between them, factors on force and contraction time at
        them, and whether a discharge reaches the muscle.
    origin : ndarray of int
        Of each site.
    bin_s : float
    last : ndarray, shape (3,)
        Unit and time of the last discharge, and of the last that reached the muscle; goes on
        from piece to piece.
    by_bin : ndarray of int, shape (4, bins)
        Twitches, visible, doublets, discharges.
    origins, sizes, intervals, active : ndarray
        As in `Tally`; `active` by unit.
    """
    at, middle, force, slow, reached = knots
    i, n, end = 0, rows.shape[1], by_bin.shape[1] - 1
    while i < n:
        u = int(rows[1, i])
        begin: float = rows[0, i]
        if u != last[0]:
            last[0], last[1], last[2] = u, -1e300, -1e300
            active[u] = True
        is_reached = reached[np.searchsorted(middle, begin) if middle.size else 0] > 0.0
        a, b, top, t, contraction, size = 0.0, 0.0, 0.0, begin, 1.0, 0
        while i < n and (size == 0 or rows[3, i] > 0.0):
            t = rows[0, i]
            by_bin[3, min(int(t / bin_s), end)] += 1
            if last[1] >= 0.0:
                gap = max(t - last[1], 1e-9)
                cell = int(np.floor(10.0 * log10(gap))) + 31
                intervals[min(max(cell, 0), intervals.size - 1)] += 1
            if is_reached:
                u_gap = (t - last[1]) / contraction
                if size > 0:
                    top = max(top, peak_force(a, b, u_gap))
                    decay = exp(-u_gap)
                    a, b = (a + b * u_gap) * decay, b * decay
                contraction = twitch[1][u] * interpolate_knots(t, at, slow)
                ratio = contraction / max(t - last[2], 1e-6)
                b += twitch[0][u] * summation_gain(ratio, force_law)
                last[2] = t
            last[1] = t
            size += 1
            i += 1
        if is_reached:
            top = max(top, peak_force(a, b, 1e300)) if size > 1 else b
            hour = min(int(begin / bin_s), end)
            by_bin[0, hour] += 1
            by_bin[1, hour] += top * interpolate_knots(begin, at, force) > muscle
            by_bin[2, hour] += size > 1
            origins[origin[int(rows[2, i - 1])]] += 1
            sizes[min(size, sizes.size) - 1] += 1


def peak_force(a: float, b: float, u_gap: float) -> float:
    """Return the largest force within a gap after a discharge, over e: (a + b u) exp(1 - u)."""
    u = min(max(1.0 - a / b, 0.0), u_gap)
    return (a + b * u) * exp(1.0 - u)
