"""The derived measures of the nerve-excitability test: names, definitions, formulas.

Windows and smoothing follow what the acquisition program QTRAC printed: each definition here
gives the derived values printed in two open records of the Nerve Norms web tool
(kelvinejones/nerve-norms, MIT licence: FESB70821A and FESB70821B) from the curves printed in
the same record, within rounding (`tests/clinic/test_indices.py`). The program itself was not
read. All formulas take the points of the protocol and return NaN for what is not defined.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

POLARISED_FROM_MS, POLARISED_TO_MS = 10.0, 110.0  # on the axis of the electrotonus norms
AFTER_TO_MS = 200.0  # last delay that counts for undershoot and overshoot
RUN_MS = 21  # values at 1-ms steps in a running mean, 20 ms from first to last
LEVELS = (40, -40, 20, -20)


class Measure(NamedTuple):
    """One derived measure: key, short name, unit, what it says, how it is defined."""

    key: str
    name: str
    unit: str
    meaning: str
    definition: str


_SAME = "; agrees with open records"
_MEAN = "mean of the curve read every 1 ms (straight lines between its points), "
_RUN = "of running means over 20 ms of the curve read every 1 ms"
MEASURES = tuple(
    Measure(*row[:4], row[4] + _SAME if not row[4].startswith("chosen here") else row[4])
    for row in (
        (
            "sdtc_ms",
            "strength-duration time constant",
            "ms",
            "how much a longer pulse helps; grows with persistent sodium current",
            "intercept over slope of the least-squares line of charge on width, 0.2 to 1 ms",
        ),
        (
            "rheobase_pa",
            "rheobase",
            "pA",
            "least current that a very long pulse would need; "
            "a surface electrode's mA do not compare",
            "slope of the same line",
        ),
        (
            "te_d_10_20_percent",
            "TEd(10-20 ms)",
            "%",
            "early help of a depolarising current",
            "+40 %: " + _MEAN + "10 to 20 ms after onset",
        ),
        (
            "te_d_peak_percent",
            "TEd(peak)",
            "%",
            "greatest help of a depolarising current",
            "+40 %: largest " + _RUN + " while the current is on",
        ),
        (
            "te_d_40_60_percent",
            "TEd(40-60 ms)",
            "%",
            "what accommodation leaves of it",
            "+40 %: " + _MEAN + "40 to 60 ms after onset",
        ),
        (
            "te_d_90_100_percent",
            "TEd(90-100 ms)",
            "%",
            "what slow potassium channels leave of it at the end",
            "+40 %: " + _MEAN + "90 to 99 ms after onset, the end of the current left out",
        ),
        (
            "te_h_10_20_percent",
            "TEh(10-20 ms)",
            "%",
            "early hindrance by a hyperpolarising current",
            "-40 %: " + _MEAN + "10 to 20 ms after onset",
        ),
        (
            "te_h_20_40_percent",
            "TEh(20-40 ms)",
            "%",
            "its growth as the internode charges",
            "-40 %: " + _MEAN + "20 to 40 ms after onset",
        ),
        (
            "te_h_90_100_percent",
            "TEh(90-100 ms)",
            "%",
            "hindrance at the end; limited by inward rectification",
            "-40 %: " + _MEAN + "90 to 99 ms after onset, the end of the current left out",
        ),
        (
            "te_d_undershoot_percent",
            "TEd(undershoot)",
            "%",
            "hindrance left behind by slow potassium channels",
            "+40 %: smallest " + _RUN + ", 1 to 90 ms after the end of the current",
        ),
        (
            "te_h_overshoot_percent",
            "TEh(overshoot)",
            "%",
            "help left behind by closed slow potassium and open HCN channels",
            "-40 %: largest " + _RUN + ", 1 to 90 ms after the end of the current",
        ),
        (
            "te_h_slope_101_140_percent_per_ms",
            "TEh(slope 101-140 ms)",
            "%/ms",
            "how fast the threshold returns after a hyperpolarising current",
            "-40 %: least-squares slope of the curve read every 1 ms, 101 to 140 ms after onset",
        ),
        (
            "te_d20_10_20_percent",
            "TEd20(10-20 ms)",
            "%",
            "early help of a weaker depolarising current",
            "+20 %: " + _MEAN + "10 to 20 ms after onset",
        ),
        (
            "te_d20_peak_percent",
            "TEd20(peak)",
            "%",
            "greatest help of a weaker depolarising current",
            "+20 %: largest " + _RUN + " while the current is on",
        ),
        (
            "te_h20_10_20_percent",
            "TEh20(10-20 ms)",
            "%",
            "early hindrance by a weaker hyperpolarising current",
            "-20 %: " + _MEAN + "10 to 20 ms after onset",
        ),
        (
            "s2_accommodation_percent",
            "S2 accommodation",
            "%",
            "how far the axon gets used to a depolarising current",
            "TEd(peak) less TEd(90-100 ms)",
        ),
        (
            "accommodation_half_time_ms",
            "accommodation half-time",
            "ms",
            "how soon it is half used to it",
            "+40 %: time from onset until the curve, past its peak, falls half-way from TEd(peak) "
            "to TEd(90-100 ms)",
        ),
        (
            "superexcitability_percent",
            "superexcitability",
            "%",
            "how much easier the axon fires some 5 ms after a discharge",
            "recovery cycle: lowest mean of three adjacent points (chosen here: up to 18 ms)",
        ),
        (
            "superexcitability_5_ms_percent",
            "superexcitability at 5 ms",
            "%",
            "how much easier it fires 5 ms after a discharge",
            "recovery cycle: the point at 5 ms",
        ),
        (
            "superexcitability_7_ms_percent",
            "superexcitability at 7 ms",
            "%",
            "how much easier it fires 7 ms after a discharge",
            "recovery cycle: mean of the points at 6.3 and 7.9 ms",
        ),
        (
            "subexcitability_percent",
            "subexcitability",
            "%",
            "how much harder it fires some 40 ms after a discharge",
            "recovery cycle: highest mean of three adjacent points (chosen here: after 10 ms)",
        ),
        (
            "relative_refractory_period_ms",
            "relative refractory period",
            "ms",
            "time after a discharge until the threshold is first back",
            "recovery cycle: first fall through zero, linear in the logarithm of the interval",
        ),
        (
            "refractoriness_2_ms_percent",
            "refractoriness at 2 ms",
            "%",
            "how much harder the axon fires 2 ms after a discharge",
            "chosen here: recovery cycle, the point at 2 ms (neither record prints that point)",
        ),
        (
            "refractoriness_2_5_ms_percent",
            "refractoriness at 2.5 ms",
            "%",
            "how much harder the axon fires 2.5 ms after a discharge",
            "recovery cycle: the point at 2.5 ms",
        ),
        (
            "resting_iv_slope",
            "resting I/V slope",
            "1",
            "conductance of the resting membrane",
            "change of current over change of threshold reduction, -10 to +10 %",
        ),
        (
            "minimum_iv_slope",
            "minimum I/V slope",
            "1",
            "least conductance, under moderate hyperpolarisation",
            "smallest such slope over three adjacent points",
        ),
        (
            "hyperpolarising_iv_slope",
            "hyperpolarising I/V slope",
            "1",
            "conductance of inward rectification (HCN channels)",
            "such slope from -100 to -80 %",
        ),
    )
)


def charge_measures(widths: np.ndarray, charge: np.ndarray) -> dict[str, float]:
    """Return time constant (intercept over slope, ms) and rheobase (slope)."""
    if np.isnan(charge).any():
        return {"sdtc_ms": math.nan, "rheobase_pa": math.nan}
    slope, intercept = np.polyfit(widths, charge, 1)
    return {"sdtc_ms": float(intercept / slope), "rheobase_pa": float(slope)}


def _means_of_three(y: np.ndarray) -> np.ndarray:
    """Return the means of three adjacent points."""
    return (y[:-2] + y[1:-1] + y[2:]) / 3.0


def recovery_measures(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return the measures of the recovery cycle `y` (%) at intervals `x` (ms).

    A point that is not defined makes them NaN, unless it lies before the first defined
    one (the axon is still refractory there). Early and late points are kept apart so that
    an axon without any superexcitability is not given the quiet end of its cycle.
    """
    known = np.flatnonzero(~np.isnan(y))
    first = int(known[0]) if known.size else 0
    early = _means_of_three(y[first:][x[first:] <= 18.0])
    down = np.flatnonzero((y[:-1] > 0) & (y[1:] <= 0))
    period = math.nan
    if down.size and y[first] > 0:  # an axon ready at the first interval has none to show
        i = int(down[0])
        share = y[i] / (y[i] - y[i + 1])
        period = float(x[i] * (x[i + 1] / x[i]) ** share)

    def at(*intervals: float) -> float:
        values = y[np.isin(x, intervals)]
        return float(values.mean()) if values.size == len(intervals) else math.nan

    return {
        "superexcitability_percent": float(early.min()) if early.size else math.nan,
        "superexcitability_5_ms_percent": at(5.0),
        "superexcitability_7_ms_percent": at(6.3, 7.9),
        "subexcitability_percent": float(_means_of_three(y[x > 10.0]).max()),
        "relative_refractory_period_ms": period,
        "refractoriness_2_ms_percent": at(2.0),
        "refractoriness_2_5_ms_percent": at(2.5),
    }


def electrotonus_measures(curves: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Return the measures of threshold electrotonus.

    Parameters
    ----------
    curves : mapping of int to (ndarray, ndarray)
        By level (`LEVELS`, in %): the protocol's own delays in ms, the current running from
        10 to 110 ms, and the threshold reduction in % there.
    """
    onset, end = POLARISED_FROM_MS, POLARISED_TO_MS

    def read(level: int, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        delays = np.arange(low, high + 0.5)
        return delays, np.interp(delays, *curves[level])

    def mean(level: int, low: float, high: float) -> float:
        return float(read(level, onset + low, min(onset + high, end - 1))[1].mean())

    def runs(level: int, low: float, high: float) -> np.ndarray:
        return np.convolve(read(level, low, high)[1], np.full(RUN_MS, 1.0 / RUN_MS), "valid")

    peak, last = float(runs(40, onset, end - 1).max()), mean(40, 90, 100)
    delay, after = read(-40, onset + 101, onset + 140)
    slope = math.nan if np.isnan(after).any() else float(np.polyfit(delay, after, 1)[0])
    return {
        "te_d_10_20_percent": mean(40, 10, 20),
        "te_d_peak_percent": peak,
        "te_d_40_60_percent": mean(40, 40, 60),
        "te_d_90_100_percent": last,
        "te_h_10_20_percent": mean(-40, 10, 20),
        "te_h_20_40_percent": mean(-40, 20, 40),
        "te_h_90_100_percent": mean(-40, 90, 100),
        "te_d_undershoot_percent": float(runs(40, end + 1, AFTER_TO_MS).min()),
        "te_h_overshoot_percent": float(runs(-40, end + 1, AFTER_TO_MS).max()),
        "te_h_slope_101_140_percent_per_ms": slope,
        "te_d20_10_20_percent": mean(20, 10, 20),
        "te_d20_peak_percent": float(runs(20, onset, end - 1).max()),
        "te_h20_10_20_percent": mean(-20, 10, 20),
        "s2_accommodation_percent": peak - last,
        "accommodation_half_time_ms": _half_time(*curves[40], peak, last),
    }


def _half_time(delay: np.ndarray, y: np.ndarray, peak: float, last: float) -> float:
    """Return the time from onset at which `y`, past its largest point, is half-way down."""
    on = (delay >= POLARISED_FROM_MS) & (delay < POLARISED_TO_MS)
    x, y, half = delay[on], y[on], 0.5 * (peak + last)
    if math.isnan(half) or np.isnan(y).any() or not last < peak:
        return math.nan
    top = int(y.argmax())
    below = np.flatnonzero(y[top:] <= half)
    if not below.size or not below[0]:
        return math.nan
    i = top + int(below[0])
    share = (y[i - 1] - half) / (y[i - 1] - y[i])
    return float(x[i - 1] + share * (x[i] - x[i - 1]) - POLARISED_FROM_MS)


def iv_measures(current: np.ndarray, reduction: np.ndarray) -> dict[str, float]:
    """Return the slopes of the threshold I/V curve, `current` rising in steps of 10 %."""
    index = {round(float(c)): i for i, c in enumerate(current)}

    def slope(low: int, high: int) -> float:
        change = reduction[index[high]] - reduction[index[low]]
        return float((high - low) / change) if change > 0 else math.nan

    return {
        "resting_iv_slope": slope(-10, 10),
        "minimum_iv_slope": float(np.min([slope(c, c + 20) for c in list(index)[:-2]])),
        "hyperpolarising_iv_slope": slope(-100, -80),
    }
