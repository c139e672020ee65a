"""The clinic's nerve-excitability test (TROND protocol) run on the model axon.

A neurophysiologist asks an axon four questions: how the threshold depends on the width
of the pulse, how it recovers after a discharge, and how it follows a polarising current
in time (threshold electrotonus) and in strength (threshold I/V). `examine` asks them of
the axon under any conditions, `norms` gives the answers of 280 people, `compare` puts
one beside the other.

The protocol is that of Kiernan, Burke, Andersen & Bostock (2000), Muscle Nerve
23:399, recalled and not read again; the derived measures are those of `indices`. Every
test pulse lasts 1 ms, and every current and change is relative to the 1-ms threshold of the
same condition. A nerve's stimulus-response curve is the spread of its axons' thresholds; the
model is one axon, all or none, and gives its threshold only.

The polarising currents of +-40 and +-20 % last 100 ms, as in the people's records. Those of
-70 and -100 % last 200 ms here: how long the protocol's last was not known, and at 200 ms
they end where the threshold I/V is taken. No norms of them are at hand.
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
from neurosim.membrane.indices import (
    MEASURES,
    POLARISED_FROM_MS,
    POLARISED_TO_MS,
    Measure,
    charge_measures,
    electrotonus_measures,
    iv_measures,
    recovery_measures,
)

CHARGE_WIDTHS_MS = (0.2, 0.4, 0.6, 0.8, 1.0)
TEST_MS = 1.0
CONDITIONING = 1.5  # conditioning pulse of the recovery cycle, times the threshold
IV_MS = 200.0
LONG_LEVELS = (-70, -100)  # %, for LONG_MS
LONG_MS = 200.0
LONG_DELAYS_MS = (0.0, 9.0, 10.0, 11.0, *range(20, 201, 10), 209.0, 210.0, 211.0,
                  *range(220, 311, 10))  # fmt: skip
SAMPLE_MS = 0.1  # every time of the protocol is a multiple
TE_CURVES = MappingProxyType(
    {40: "depolarising_40", -40: "hyperpolarising_40",
     20: "depolarising_20", -20: "hyperpolarising_20"}
)  # fmt: skip
BLOCK_STEP_MV = 10.0  # assumed: a smaller step from failure to success is no action potential
NORMAL_Z = 1.96


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
    te_long_delay_ms : ndarray, shape (e,)
        Delays of the stronger hyperpolarising currents, which run from 10 to 210 ms.
    te_long_reduction_percent : dict of int to ndarray, shape (e,)
        Threshold reduction for -70 and -100 %.
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
    te_long_delay_ms: np.ndarray
    te_long_reduction_percent: dict[int, np.ndarray]
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
    human_mean: float
    human_median: float
    human_sd: float
    human_n: int
    z: float
    inside_95: bool

    @property
    def verdict(self) -> str:
        """``inside`` or ``outside`` the 95 % limits, ``not defined`` or ``no norm``."""
        if math.isnan(self.human_sd):
            return "no norm"
        if math.isnan(self.z):
            return "not defined"
        return "inside" if self.inside_95 else "outside"


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
    """Return the derived measures beside the people's, in the order of `MEASURES`.

    z is the distance from the human mean in human SDs; within 1.96 counts as inside the
    95 % limits. A measure that is undefined or has no norm has z NaN and is not inside. A
    median that was not published is NaN.
    """
    rows = []
    published = _norm_file()["measures"]["rows"]
    for measure in MEASURES:
        row = published.get(measure.key, (None, None, 0, None))
        mean, sd, n, median = (math.nan if value is None else value for value in row)
        model = found.measures[measure.key]
        z = (model - mean) / sd
        inside = abs(z) <= NORMAL_Z
        rows.append(Comparison(measure, model, mean, median, sd, int(n), z, inside))
    return rows


PATTERNS = MappingProxyType({
    "a depolarised axon": {
        "threshold_1ms_pa": -1, "sdtc_ms": +1, "relative_refractory_period_ms": +1,
        "superexcitability_percent": +1, "te_d_90_100_percent": -1, "te_h_90_100_percent": +1,
    },
    "a hyperpolarised axon": {
        "threshold_1ms_pa": +1, "sdtc_ms": -1, "relative_refractory_period_ms": -1,
        "superexcitability_percent": -1, "te_d_90_100_percent": +1, "te_h_90_100_percent": -1,
    },
    "more persistent sodium current": {
        "rheobase_pa": -1, "sdtc_ms": +1, "superexcitability_percent": -1,
        "te_d_peak_percent": +1,
    },
    "less persistent sodium current": {
        "rheobase_pa": +1, "sdtc_ms": -1, "superexcitability_percent": +1,
        "te_d_peak_percent": -1,
    },
})  # fmt: skip
# A change counts from a quarter of the people's SD (a current: from 2 % of health); chosen here.
LEAST_SD, LEAST_PART = 0.25, 0.02


def sign_of_change(found: Excitability, healthy: Excitability, key: str) -> int:
    """Return +1 or -1 if a measure (or ``threshold_1ms_pa``) is up or down, 0 if neither."""
    if key.endswith("_pa"):
        now, then = getattr(found, key), getattr(healthy, key)
        least = LEAST_PART * then
    else:
        now, then = found.measures[key], healthy.measures[key]
        least = LEAST_SD * _norm_file()["measures"]["rows"][key][1]
    return int(now - then > least) - int(then - now > least)


def pattern(found: Excitability, healthy: Excitability) -> str | None:
    """Return the one of `PATTERNS` whose every sign `found` shows against `healthy`, if any.

    The signs are those known from people and experiments: a depolarised or hyperpolarised
    nerve, whatever the cause; and the whole nerve in ALS, read as more persistent sodium
    current (its larger hyperpolarising electrotonus is left out: in the model persistent
    sodium hardly moves it).
    """
    for name, signs in PATTERNS.items():
        if all(sign_of_change(found, healthy, key) == sign for key, sign in signs.items()):
            return name
    return None


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


def _electrotonus(one: Axons, threshold, dt, levels, delay_ms, lasts) -> _Tests:
    """Return the tests of all levels, one after another; spoilt by any spike.

    The current begins at `POLARISED_FROM_MS` of the delays and stays on during a test pulse
    that begins while it is on.
    """
    delays = delay_ms - POLARISED_FROM_MS
    level = np.array([percent / 100.0 * threshold for percent in levels])
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


class _Curves(NamedTuple):
    """Recovery cycle, electrotonus by level, the long levels likewise, and I/V."""

    recovery: np.ndarray
    electrotonus: dict[int, np.ndarray]
    long: dict[int, np.ndarray]
    iv: np.ndarray


def _empty_curves() -> _Curves:
    """Return the curves of an axon that gives none."""
    return _Curves(
        np.full(norms()["recovery_cycle"].x.size, np.nan),
        {level: np.full(_te_delays().size, np.nan) for level in TE_CURVES},
        {level: np.full(len(LONG_DELAYS_MS), np.nan) for level in LONG_LEVELS},
        np.full(norms()["threshold_iv"].x.size, np.nan),
    )


def _by_level(levels, delay_ms, change) -> dict[int, np.ndarray]:
    """Return the threshold reductions by level, 0 before the current."""
    rows = -change.reshape(len(levels), -1)
    rows[:, delay_ms < POLARISED_FROM_MS] = 0.0
    return dict(zip(levels, rows, strict=True))


def _curves(one: Axons, threshold, dt, full) -> _Curves:
    """Return every curve of one axon."""
    empty = _empty_curves()
    if math.isnan(threshold):
        return empty
    tests = [_recovery(one, threshold, dt)]
    if not full:
        return empty._replace(recovery=_changes(one, threshold, tests, dt)[0])
    delays, long_delays = _te_delays(), np.array(LONG_DELAYS_MS)
    lasts = POLARISED_TO_MS - POLARISED_FROM_MS
    tests += [
        _electrotonus(one, threshold, dt, TE_CURVES, delays, lasts),
        _electrotonus(one, threshold, dt, LONG_LEVELS, long_delays, LONG_MS),
        _current_voltage(one, threshold, dt),
    ]
    recovery, short, long, iv = _changes(one, threshold, tests, dt)
    return _Curves(
        recovery, _by_level(tuple(TE_CURVES), delays, short),
        _by_level(LONG_LEVELS, long_delays, long), -iv,
    )  # fmt: skip


def _at_rest(conditions, axon) -> Axons | None:
    """Return the axon at rest, or None if it has no resting potential."""
    axons_of.axon_parameters(axon)  # a misspelt name is a mistake of the user
    try:
        return axons_of.at_rest(conditions, axon)
    except NeurosimError:
        return None


def examine(
    conditions: Conditions,
    axon: axons_of.Axon = "ghk",
    dt: float = COARSE_DT_MS,
    full: bool = True,
) -> Excitability:
    """Return what the clinic's nerve-excitability test finds under `conditions`.

    Parameters
    ----------
    conditions : Conditions
        Fluids and local membrane; `Conditions()` is health.
    axon : str or ParameterSet
        ``"ghk"``, ``"ohmic"`` or one's own.
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


def _protocol_points(electrotonus) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return delays and reductions of each level at the delays of its own norm curve."""
    delays = _te_delays()
    points = {level: norms()[name].x for level, name in TE_CURVES.items()}
    return {level: (x, electrotonus[level][np.isin(delays, x)]) for level, x in points.items()}


def _report(rest, thresholds, longest, curves: _Curves) -> Excitability:
    """Return the findings with their derived measures, in the order of `MEASURES`."""
    widths = np.array(CHARGE_WIDTHS_MS)
    interval, current = norms()["recovery_cycle"].x, norms()["threshold_iv"].x
    measures = charge_measures(widths, widths * thresholds)
    measures |= electrotonus_measures(_protocol_points(curves.electrotonus))
    measures |= recovery_measures(interval, curves.recovery) | iv_measures(current, curves.iv)
    return Excitability(
        resting_potential_mv=rest[0],
        internode_potential_mv=rest[1],
        threshold_1ms_pa=float(thresholds[-1]),
        threshold_20ms_pa=longest,
        rheobase_pa=measures["rheobase_pa"],
        tau_sd_ms=measures["sdtc_ms"],
        charge_widths_ms=widths,
        charge_pa_ms=widths * thresholds,
        recovery_interval_ms=interval,
        recovery_change_percent=curves.recovery,
        te_delay_ms=_te_delays(),
        te_reduction_percent=curves.electrotonus,
        te_long_delay_ms=np.array(LONG_DELAYS_MS),
        te_long_reduction_percent=curves.long,
        iv_current_percent=current,
        iv_reduction_percent=curves.iv,
        measures={m.key: measures[m.key] for m in MEASURES},
    )
