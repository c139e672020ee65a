"""The clinic's nerve-excitability test (TROND protocol) run on the model axon.

A neurophysiologist asks an axon four questions: how the threshold depends on the width
of the pulse, how it recovers after a discharge, and how it follows a polarising current
in time (threshold electrotonus) and in strength (threshold I/V). `examine` asks them of
the axon under any conditions, `norms` gives the answers of 280 people, `compare` puts
one beside the other.

The protocol is that of Kiernan, Burke, Andersen & Bostock (2000), Muscle Nerve
23:399, recalled and not read again; where a window or a smoothing was not known, the
definition below was chosen and says so. Every test pulse lasts 1 ms, and every current
and change is relative to the 1-ms threshold of the same condition.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from neurosim.errors import NeurosimError, number_within
from neurosim.membrane import axon as axons_of
from neurosim.membrane import kernel
from neurosim.membrane.axon import COARSE_DT_MS, Axons, Conditions

CHARGE_WIDTHS_MS = (0.2, 0.4, 0.6, 0.8, 1.0)
TEST_MS = 1.0
CONDITIONING = 1.5  # conditioning pulse of the recovery cycle, times the threshold
POLARISED_FROM_MS, POLARISED_TO_MS = 10.0, 110.0  # on the axis of the electrotonus norms
IV_MS = 200.0
SAMPLE_MS = 0.1  # every time of the protocol is a multiple
TE_CURVES = MappingProxyType(
    {40: "depolarising_40", -40: "hyperpolarising_40",
     20: "depolarising_20", -20: "hyperpolarising_20"}
)  # fmt: skip
BLOCK_STEP_MV = 10.0  # assumed: a smaller step from failure to success is no action potential
NORMAL_Z = 1.96


class Measure(NamedTuple):
    """One derived measure: key, short name, unit, what it says, how it is defined."""

    key: str
    name: str
    unit: str
    words: str
    definition: str


MEASURES = tuple(
    Measure(*row)
    for row in (
        ("sdtc_ms", "strength-duration time constant", "ms",
         "how much a longer pulse helps; grows with persistent sodium current",
         "intercept over slope of the least-squares line of charge on width, 0.2 to 1 ms"),
        ("te_d_10_20_percent", "TEd(10-20 ms)", "%",
         "early help of a depolarising current",
         "+40 %: mean of the points 10 to 20 ms after onset"),
        ("te_d_peak_percent", "TEd(peak)", "%",
         "greatest help of a depolarising current",
         "+40 %: largest point while the current is on"),
        ("te_d_40_60_percent", "TEd(40-60 ms)", "%",
         "what accommodation leaves of it",
         "+40 %: mean of the points 40 to 60 ms after onset"),
        ("te_d_90_100_percent", "TEd(90-100 ms)", "%",
         "what slow potassium channels leave of it at the end",
         "+40 %: mean of the points from 90 ms after onset to the end of the current"),
        ("te_h_10_20_percent", "TEh(10-20 ms)", "%",
         "early hindrance by a hyperpolarising current",
         "-40 %: mean of the points 10 to 20 ms after onset"),
        ("te_h_20_40_percent", "TEh(20-40 ms)", "%",
         "its growth as the internode charges",
         "-40 %: mean of the points 20 to 40 ms after onset"),
        ("te_h_90_100_percent", "TEh(90-100 ms)", "%",
         "hindrance at the end; limited by inward rectification",
         "-40 %: mean of the points from 90 ms after onset to the end of the current"),
        ("te_d_undershoot_percent", "TEd(undershoot)", "%",
         "hindrance left behind by slow potassium channels",
         "+40 %: smallest point after the end of the current"),
        ("te_h_overshoot_percent", "TEh(overshoot)", "%",
         "help left behind by closed slow potassium and open HCN channels",
         "-40 %: largest point after the end of the current"),
        ("s2_accommodation_percent", "S2 accommodation", "%",
         "how far the axon gets used to a depolarising current",
         "TEd(peak) less TEd(90-100 ms)"),
        ("superexcitability_percent", "superexcitability", "%",
         "how much easier the axon fires some 5 ms after a discharge",
         "recovery cycle: lowest mean of three adjacent points up to 18 ms"),
        ("subexcitability_percent", "subexcitability", "%",
         "how much harder it fires some 40 ms after a discharge",
         "recovery cycle: highest mean of three adjacent points after 10 ms"),
        ("relative_refractory_period_ms", "relative refractory period", "ms",
         "time after a discharge until the threshold is first back",
         "recovery cycle: first fall through zero, linear in the logarithm of the interval"),
        ("refractoriness_2_5_ms_percent", "refractoriness at 2.5 ms", "%",
         "how much harder the axon fires 2.5 ms after a discharge",
         "recovery cycle: the point at 2.5 ms"),
        ("resting_iv_slope", "resting I/V slope", "1",
         "conductance of the resting membrane",
         "change of current over change of threshold reduction, -10 to +10 %"),
        ("minimum_iv_slope", "minimum I/V slope", "1",
         "least conductance, under moderate hyperpolarisation",
         "smallest such slope over three adjacent points"),
        ("hyperpolarising_iv_slope", "hyperpolarising I/V slope", "1",
         "conductance of inward rectification (HCN channels)",
         "such slope from -100 to -80 %"),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Excitability:
    """What the nerve-excitability test finds; NaN where a measure is undefined.

    Undefined means: the axon is blocked, a conditioning current or pulse makes it fire on
    its own, it needs no pulse at all, or that part of the test was not asked for.

    Attributes
    ----------
    resting_potential_mv, internode_potential_mv : float
        Node and internode at rest.
    threshold_1ms_pa, threshold_20ms_pa : float
        Thresholds from rest.
    rheobase_pa : float
        Slope of the charge-duration line (Weiss).
    tau_sd_ms : float
        Strength-duration time constant.
    charge_widths_ms, charge_pa_ms : ndarray, shape (5,)
        Width and threshold charge.
    recovery_interval_ms, recovery_change_percent : ndarray, shape (18,)
        Interval from onset to onset, and change of threshold (negative: more excitable).
    te_delay_ms : ndarray, shape (d,)
        Every delay that one of the four norm curves has; the current runs from 10 to 110 ms.
    te_reduction_percent : dict of int to ndarray, shape (d,)
        Threshold reduction (positive: more excitable) for +40, -40, +20, -20 %.
    iv_current_percent, iv_reduction_percent : ndarray, shape (16,)
        Polarising current of 200 ms, and threshold reduction at its end.
    measures : dict of str to float
        The derived measures, by the keys of `MEASURES`.
    """

    resting_potential_mv: float
    internode_potential_mv: float
    threshold_1ms_pa: float
    threshold_20ms_pa: float
    rheobase_pa: float
    tau_sd_ms: float
    charge_widths_ms: np.ndarray
    charge_pa_ms: np.ndarray
    recovery_interval_ms: np.ndarray
    recovery_change_percent: np.ndarray
    te_delay_ms: np.ndarray
    te_reduction_percent: dict[int, np.ndarray]
    iv_current_percent: np.ndarray
    iv_reduction_percent: np.ndarray
    measures: dict[str, float]

    @property
    def blocked(self) -> bool:
        """Whether no pulse evokes an action potential."""
        return math.isnan(self.threshold_1ms_pa)

    def relative_to(self, healthy: Excitability) -> dict[str, float]:
        """Return the thresholds in per cent of those of `healthy`."""
        return {
            name.replace("_pa", "_percent"): 100.0 * getattr(self, name) / getattr(healthy, name)
            for name in ("threshold_1ms_pa", "threshold_20ms_pa", "rheobase_pa")
        }


@dataclass(frozen=True)
class NormCurve:
    """One curve of the 280 people, point by point: arrays of equal length."""

    x: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    n: np.ndarray
    median: np.ndarray


class Comparison(NamedTuple):
    """One derived measure of the model beside the people's."""

    measure: Measure
    model: float
    human_median: float
    human_sd: float
    z: float
    inside_95: bool


@cache
def _norm_file() -> dict:
    text = resources.files("neurosim").joinpath("membrane/trond_norms.json").read_text("utf-8")
    return json.loads(text)


@cache
def norms() -> Mapping[str, NormCurve]:
    """Return mean, SD, number and median of each point of 280 human median motor nerves.

    Curves: ``charge_duration`` (mA ms against ms), ``recovery_cycle`` (% against ms),
    ``threshold_iv`` (% against %) and the four of `TE_CURVES` (% against ms). Source: the
    open records of the Nerve Norms web tool (kelvinejones/nerve-norms, MIT licence).
    """
    file = _norm_file()
    rows = {n: file[n]["rows"] for n in ("charge_duration", "recovery_cycle", "threshold_iv")}
    rows |= {name: file["threshold_electrotonus"][name] for name in TE_CURVES.values()}
    curves = {name: NormCurve(*np.array(table, float).T) for name, table in rows.items()}
    for curve in curves.values():
        for array in vars(curve).values():
            array.setflags(write=False)
    return MappingProxyType(curves)


def compare(found: Excitability) -> list[Comparison]:
    """Return the derived measures beside those of 280 people, in the order of `MEASURES`.

    z is the distance from the human median in human SDs; within 1.96 counts as inside the
    95 % limits. An undefined measure has z NaN and is not inside.
    """
    rows = []
    for measure in MEASURES:
        _, sd, _, median = _norm_file()["measures"]["rows"][measure.key]
        model = found.measures[measure.key]
        z = (model - median) / sd
        rows.append(Comparison(measure, model, median, sd, z, abs(z) <= NORMAL_Z))
    return rows


@cache
def _te_delays() -> np.ndarray:
    """Return every delay of the four electrotonus norm curves, ms."""
    return np.unique(np.concatenate([norms()[name].x for name in TE_CURVES.values()]))


class _Tests(NamedTuple):
    """Test pulses to give: start states (10, n), polarising current (n,), spoilt or not (n,)."""

    start: np.ndarray
    current: np.ndarray
    spoilt: np.ndarray


def _course(one: Axons, currents, lasts_ms, dt):
    """Return the states from rest every 0.1 ms, shape (t, 10, levels).

    `currents` are (levels,) arrays in pA, one after another, for `lasts_ms` each.
    """
    n = currents[0].size
    P, S = np.repeat(one.P, n, axis=1), np.repeat(one.rest, n, axis=1)
    parts = [S[None].copy()]
    for current, last in zip(currents, lasts_ms, strict=True):
        parts.append(kernel.trace(S, P, current, round(last / dt), dt, round(SAMPLE_MS / dt)))
    return np.concatenate(parts)


def _recovery(one: Axons, threshold, dt) -> _Tests:
    """Return the tests after a 1-ms pulse of 1.5 times threshold; spoilt by a second spike."""
    intervals = norms()["recovery_cycle"].x
    pulse = np.array([CONDITIONING * threshold])
    states = _course(one, (pulse, 0 * pulse), (TEST_MS, intervals[-1]), dt)[:, :, 0]
    high = states[:, 0] > -20.0
    rises = np.concatenate([[0], np.cumsum(high[1:] & ~high[:-1])])
    at = np.rint(intervals / SAMPLE_MS).astype(int)
    return _Tests(states[at].T, np.zeros(at.size), rises[at] != 1)


def _electrotonus(one: Axons, threshold, dt) -> _Tests:
    """Return the tests of the four levels, one after another; spoilt by any spike.

    The current stays on during a test pulse that begins while it is on.
    """
    delays = _te_delays() - POLARISED_FROM_MS
    lasts = POLARISED_TO_MS - POLARISED_FROM_MS
    level = np.array([percent / 100.0 * threshold for percent in TE_CURVES])
    states = _course(one, (level, 0 * level), (lasts, delays[-1] - lasts), dt)
    at = np.rint(np.maximum(delays, 0.0) / SAMPLE_MS).astype(int)
    fired = np.maximum.accumulate(states[:, 0] > -20.0, axis=0)
    on = (delays >= 0) & (delays < lasts)
    start = states[at].transpose(1, 2, 0).reshape(len(states[0]), -1)
    return _Tests(start, np.outer(level, on).ravel(), fired[at].T.ravel())


def _current_voltage(one: Axons, threshold, dt) -> _Tests:
    """Return the tests at the end of 200 ms of each polarising current, which stays on."""
    current = norms()["threshold_iv"].x / 100.0 * threshold
    P, S = np.repeat(one.P, current.size, axis=1), np.repeat(one.rest, current.size, axis=1)
    fired, _ = kernel.advance(S, P, current, round(IV_MS / dt), dt)
    return _Tests(S, current, fired)


def _threshold(one: Axons, width_ms, dt) -> float:
    """Return the threshold from rest, NaN if there is none or none is needed."""
    found = float(axons_of.threshold_pa(one, width_ms, dt=dt)[0])
    return found if found > 0.01 else math.nan


def _all_or_none(one: Axons, threshold, dt) -> bool:
    """Return whether 2 % above threshold rises clearly higher than 2 % below it.

    In depolarisation block the answer is graded, and a "threshold" only says which pulse
    pushes the membrane to the spike criterion.
    """
    S, P = np.repeat(one.rest, 2, axis=1), np.repeat(one.P, 2, axis=1)
    pulse = threshold * np.array([0.98, 1.02])
    _, during = kernel.advance(S, P, pulse, round(TEST_MS / dt), dt)
    _, after = kernel.advance(S, P, 0 * pulse, round(4.0 / dt), dt)
    peak = np.maximum(during, after)
    return bool(peak[1] - peak[0] >= BLOCK_STEP_MV)


def _changes(one: Axons, threshold, tests: list[_Tests], dt) -> list[np.ndarray]:
    """Return the change of threshold in %, of all tests at once: one bisection in step."""
    start, current, spoilt = (np.concatenate(a, axis=-1) for a in zip(*tests, strict=True))
    many = one.take(np.zeros(current.size, int))
    settings: dict[str, Any] = {"start": start, "current": current, "dt": dt}
    found = axons_of.threshold_pa(many, TEST_MS, **settings)
    change = np.where(spoilt | ~(found > 0.01), np.nan, 100.0 * (found / threshold - 1.0))
    return np.split(change, np.cumsum([t.current.size for t in tests])[:-1])


def _line(widths, charge) -> tuple[float, float]:
    """Return rheobase (slope, pA) and time constant (intercept over slope, ms)."""
    if np.isnan(charge).any():
        return math.nan, math.nan
    slope, intercept = np.polyfit(widths, charge, 1)
    return float(slope), float(intercept / slope)


def _threes(y) -> np.ndarray:
    """Return the means of three adjacent points."""
    return (y[:-2] + y[1:-1] + y[2:]) / 3.0


def _recovery_measures(x, y) -> dict[str, float]:
    """Return the measures of the recovery cycle `y` (%) at intervals `x` (ms).

    A point that is not defined makes them NaN, unless it lies before the first defined
    one (the axon is still refractory there). Early and late points are kept apart so that
    an axon without any superexcitability is not given the quiet end of its cycle.
    """
    known = np.flatnonzero(~np.isnan(y))
    first = int(known[0]) if known.size else 0
    early = _threes(y[first:][x[first:] <= 18.0])
    down = np.flatnonzero((y[:-1] > 0) & (y[1:] <= 0))
    period = math.nan
    if down.size:
        i = int(down[0])
        share = y[i] / (y[i] - y[i + 1])
        period = float(x[i] * (x[i + 1] / x[i]) ** share)
    return {
        "superexcitability_percent": float(early.min()) if early.size else math.nan,
        "subexcitability_percent": float(_threes(y[x > 10.0]).max()),
        "relative_refractory_period_ms": period,
        "refractoriness_2_5_ms_percent": float(y[x == 2.5][0]),
    }


def _electrotonus_measures(delay_ms, up, down) -> dict[str, float]:
    """Return the measures of threshold electrotonus at +40 % (`up`) and -40 % (`down`).

    The windows hold the points of all four norm curves: mean values over sparse points
    depend a little on which points there are.
    """
    t = delay_ms - POLARISED_FROM_MS
    end = POLARISED_TO_MS - POLARISED_FROM_MS
    on, off = (t >= 0) & (t < end), t >= end

    def window(y, low, high):
        return float(y[on & (t >= low) & (t <= high)].mean())

    peak, last = float(up[on].max()), window(up, 90, 100)
    return {
        "te_d_10_20_percent": window(up, 10, 20),
        "te_d_peak_percent": peak,
        "te_d_40_60_percent": window(up, 40, 60),
        "te_d_90_100_percent": last,
        "te_h_10_20_percent": window(down, 10, 20),
        "te_h_20_40_percent": window(down, 20, 40),
        "te_h_90_100_percent": window(down, 90, 100),
        "te_d_undershoot_percent": float(up[off].min()),
        "te_h_overshoot_percent": float(down[off].max()),
        "s2_accommodation_percent": peak - last,
    }


def _iv_measures(current, reduction) -> dict[str, float]:
    """Return the slopes of the threshold I/V curve, `current` rising in steps of 10 %."""
    at = {round(float(c)): i for i, c in enumerate(current)}

    def slope(low, high):
        change = reduction[at[high]] - reduction[at[low]]
        return float((high - low) / change) if change > 0 else math.nan

    return {
        "resting_iv_slope": slope(-10, 10),
        "minimum_iv_slope": float(np.min([slope(c, c + 20) for c in list(at)[:-2]])),
        "hyperpolarising_iv_slope": slope(-100, -80),
    }


def _empty_curves() -> tuple[np.ndarray, dict[int, np.ndarray], np.ndarray]:
    """Return recovery cycle, electrotonus and I/V of an axon that gives none."""
    delays = _te_delays()
    return (
        np.full(norms()["recovery_cycle"].x.size, np.nan),
        {level: np.full(delays.size, np.nan) for level in TE_CURVES},
        np.full(norms()["threshold_iv"].x.size, np.nan),
    )


def _curves(one: Axons, threshold, dt, full):
    """Return recovery cycle, electrotonus (by level) and I/V of one axon."""
    recovery, electrotonus, iv = _empty_curves()
    if math.isnan(threshold):
        return recovery, electrotonus, iv
    tests = [_recovery(one, threshold, dt)]
    if full:
        tests += [_electrotonus(one, threshold, dt), _current_voltage(one, threshold, dt)]
    recovery, *rest = _changes(one, threshold, tests, dt)
    if full:
        by_level = -rest[0].reshape(len(TE_CURVES), -1)
        by_level[:, _te_delays() < POLARISED_FROM_MS] = 0.0
        electrotonus, iv = dict(zip(TE_CURVES, by_level, strict=True)), -rest[1]
    return recovery, electrotonus, iv


def _at_rest(conditions, axon) -> Axons | None:
    """Return the axon at rest, or None if it has no resting potential."""
    axons_of.axon_parameters(axon)  # a misspelt name is a mistake of the user
    try:
        return axons_of.at_rest(conditions, axon)
    except NeurosimError:
        return None


def examine(
    conditions: Conditions, axon: str = "ghk", dt: float = COARSE_DT_MS, full: bool = True
) -> Excitability:
    """Return what the clinic's nerve-excitability test finds under `conditions`.

    Parameters
    ----------
    conditions : Conditions
        Fluids and local membrane; `Conditions()` is health.
    axon : str
        ``"ghk"`` or ``"ohmic"``.
    dt : float
        Step, ms; 0.1 ms must be a whole number of steps.
    full : bool
        False leaves out threshold electrotonus and I/V.

    Raises
    ------
    NeurosimError
        For an unknown axon or an unfit step. An axon that cannot be tested is no mistake:
        its measures are NaN.
    """
    steps = SAMPLE_MS / number_within("dt", dt, 0.001, 0.05, "ms")
    if abs(steps - round(steps)) > 1e-9:
        raise NeurosimError(f"dt = {dt:g} ms must divide 0.1 ms into whole steps.")
    one = _at_rest(conditions, axon)
    widths = np.array(CHARGE_WIDTHS_MS)
    thresholds, longest = np.full(widths.size, np.nan), math.nan
    if one is not None:
        last = _threshold(one, TEST_MS, dt)
        if not math.isnan(last) and _all_or_none(one, last, dt):
            thresholds = np.array([*(_threshold(one, w, dt) for w in widths[:-1]), last])
            longest = _threshold(one, 20.0, dt)
    rest = (math.nan, math.nan) if one is None else (float(one.rest[0, 0]), float(one.rest[1, 0]))
    curves = _empty_curves() if one is None else _curves(one, float(thresholds[-1]), dt, full)
    return _report(rest, thresholds, longest, curves)


def _report(rest, thresholds, longest, curves) -> Excitability:
    """Return the findings with their derived measures."""
    recovery, electrotonus, iv = curves
    widths = np.array(CHARGE_WIDTHS_MS)
    rheobase, tau = _line(widths, widths * thresholds)
    delay, interval, current = _te_delays(), norms()["recovery_cycle"].x, norms()["threshold_iv"].x
    measures = {"sdtc_ms": tau}
    measures |= _electrotonus_measures(delay, electrotonus[40], electrotonus[-40])
    measures |= _recovery_measures(interval, recovery) | _iv_measures(current, iv)
    return Excitability(
        resting_potential_mv=rest[0],
        internode_potential_mv=rest[1],
        threshold_1ms_pa=float(thresholds[-1]),
        threshold_20ms_pa=longest,
        rheobase_pa=rheobase,
        tau_sd_ms=tau,
        charge_widths_ms=widths,
        charge_pa_ms=widths * thresholds,
        recovery_interval_ms=interval,
        recovery_change_percent=recovery,
        te_delay_ms=delay,
        te_reduction_percent=electrotonus,
        iv_current_percent=current,
        iv_reduction_percent=iv,
        measures=measures,
    )
