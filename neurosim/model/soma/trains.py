"""Measures of spike trains: rates, regularity, hysteresis, and plateaus without drive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def rate_per_s(times_s: np.ndarray, start_s: float, stop_s: float) -> float:
    """Return the mean rate between two times: the inverse mean interval there, 0 without one."""
    inside = times_s[(times_s >= start_s) & (times_s < stop_s)]
    return float((inside.size - 1) / (inside[-1] - inside[0])) if inside.size > 1 else 0.0


def first_rate_per_s(times_s: np.ndarray, intervals: int = 4) -> float:
    """Return the rate of the first intervals of a train, NaN if it has fewer."""
    if times_s.size <= intervals:
        return float("nan")
    return float(intervals / (times_s[intervals] - times_s[0]))


def interval_cv(times_s: np.ndarray) -> float:
    """Return the coefficient of variation of the intervals, NaN with fewer than three."""
    gaps = np.diff(times_s)
    return float(gaps.std() / gaps.mean()) if gaps.size > 2 else float("nan")


def smooth_rate_per_s(times_s: np.ndarray, at_s: float, width_s: float = 1.0) -> float:
    """Return the rate about a time, per s: spikes in a window, parts of intervals counted."""
    edges = np.interp(
        [at_s - 0.5 * width_s, at_s + 0.5 * width_s], times_s, np.arange(times_s.size)
    )
    return float((edges[1] - edges[0]) / width_s)


def recruitment_s(times_s: np.ndarray, longest_s: float = 0.25) -> tuple[float, float]:
    """Return when steady firing begins and ends: first and last spike of intervals below 0.25 s.

    NaN if there is none; single early discharges under noise are passed over.
    """
    short = np.flatnonzero(np.diff(times_s) < longest_s)
    if not short.size:
        return float("nan"), float("nan")
    return float(times_s[short[0]]), float(times_s[short[-1] + 1])


def delta_f_per_s(control: np.ndarray, test: np.ndarray, apart_s: float = 1.0) -> float:
    """Return the hysteresis of a unit by the paired-motor-unit method, pulses per second.

    The control unit's rate, which stands for the drive, when the test unit is recruited minus
    when it stops. NaN unless the test unit comes `apart_s` later and stops before the control.

    References
    ----------
    Gorassini M, Yang JF, Siu M, Bennett DJ (2002) Intrinsic activation of human motoneurons.
    J Neurophysiol 87:1850-1858; recalled.
    """
    begins, ends = recruitment_s(test)
    first, last = recruitment_s(control)
    if not (begins - first >= apart_s and last - ends >= 0.5):
        return float("nan")
    return smooth_rate_per_s(control, begins) - smooth_rate_per_s(control, ends)


@dataclass(frozen=True)
class Plateau:
    """Firing that goes on by itself: for how long, and mean, least and largest rate, per s.

    Least and largest are those of running means over five intervals.
    """

    duration_s: float
    mean_per_s: float
    least_per_s: float
    largest_per_s: float


def self_sustained_plateau(
    times_s: np.ndarray, from_s: float, least_s: float = 1.0
) -> Plateau | None:
    """Return the self-sustained firing after `from_s`, when all drive has ended.

    It must begin within half a second and ends with the first pause above half a second; None if
    it lasts less than `least_s`.
    """
    after = times_s[times_s >= from_s]
    if after.size < 6 or after[0] - from_s > 0.5:
        return None
    gaps = np.diff(after)
    pause = np.flatnonzero(gaps > 0.5)
    gaps = gaps[: pause[0]] if pause.size else gaps
    duration = float(after[gaps.size] - from_s)
    if duration < least_s or gaps.size < 5:
        return None
    running = 5.0 / np.convolve(gaps, np.ones(5), "valid")
    mean = gaps.size / (after[gaps.size] - after[0])
    return Plateau(duration, float(mean), float(running.min()), float(running.max()))


def number_plateaus(times_s: np.ndarray, unit: np.ndarray, least_s: float = 1.0) -> np.ndarray:
    """Return the plateau that each spike of many units belongs to, shape (n,), -1 for none.

    A unit is on a plateau while it fires six spikes and more, for `least_s` and more, without a
    pause above half a second; plateaus of units that overlap in time are one.
    """
    order = np.lexsort((times_s, unit))
    time, spike_unit = times_s[order], unit[order]
    new = np.ones(time.size, bool)
    new[1:] = (np.diff(spike_unit) != 0) | (np.diff(time) > 0.5)
    first = np.flatnonzero(new)
    size = np.diff(first, append=time.size)
    begin, end = time[first], time[first + size - 1]
    plateau = np.full(first.size, -1)
    last, count = -np.inf, -1
    for i in np.argsort(begin, kind="stable"):
        if size[i] < 6 or end[i] - begin[i] < least_s:
            continue
        count += begin[i] > last
        last = max(last, end[i])
        plateau[i] = count
    episode = np.empty(time.size, np.int64)
    episode[order] = np.repeat(plateau, size.astype(np.intp))
    return episode
