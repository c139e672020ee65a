"""The clinic's nerve-excitability test (TROND protocol) run on the model axon.

The test measures how an axon's threshold depends on the width of the pulse (strength-duration),
how it recovers after a discharge (recovery cycle), and how it follows a polarising current in
time (threshold electrotonus) and in strength (threshold I/V). `examine` runs it on the axon
under any conditions, `norms` holds the results of 280 people, and `compare_with_norms` puts
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

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neurosim.base.errors import NeurosimError, number_within
from neurosim.clinic.conditioning import (
    CONDITIONING,
    IV_MS,
    LONG_DELAYS_MS,
    LONG_LEVELS,
    LONG_MS,
    TE_MS,
    TEST_MS,
    PolarisedCourse,
    level_columns,
    polarise,
    release,
    run_course,
    shift_gates,
    te_delays,
)
from neurosim.clinic.indices import (
    MEASURES,
    POLARISED_FROM_MS,
    charge_measures,
    electrotonus_measures,
    iv_measures,
    recovery_measures,
)
from neurosim.clinic.norms import TE_CURVES, norms
from neurosim.model.axon import axon as axons_of
from neurosim.model.axon import kernel
from neurosim.model.axon.axon import COARSE_DT_MS, Axons, Conditions

if TYPE_CHECKING:
    from collections.abc import Sequence

CHARGE_WIDTHS_MS = (0.2, 0.4, 0.6, 0.8, 1.0)
WIDE_MS = 20.0
TOLERANCE = 1e-4  # of a threshold after another, times that of 1 ms
# Until this interval the recovery cycle needs finer steps, of its tests and of the spike before:
# one of 0.02 ms throughout would be up to 21 points off LSODA, these are within 0.25 (a test).
REFRACTORY_MS, REFRACTORY_DT_MS, SPIKE_DT_MS = 3.2, 0.005, 0.00125
SAMPLE_MS = 0.1  # every time of the protocol is a multiple
BLOCK_STEP_MV = 10.0  # assumed: a smaller step from failure to success is no action potential


@dataclass(frozen=True, repr=False)
class Excitability:
    """Results of the nerve-excitability test; NaN where a measure is undefined.

    A measure is undefined where the axon is blocked, where a conditioning current or pulse makes
    it fire on its own, where it needs no pulse at all, and where that part of the test was left
    out. A spike counts as evoked if it begins before the potential E has fallen half-way back from
    the pulse. This matters only to an axon about to fire on its own: a later spike would lower
    the last point before the measure is undefined.

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

    def __repr__(self) -> str:
        return (
            f"<Excitability: rests at {self.resting_potential_mv:.1f} mV, "
            f"a 1-ms pulse needs {self.threshold_1ms_pa:.0f} pA>"
        )

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


class _TestPulses(NamedTuple):
    """Test pulses to give, columns by body and then by test: all of shape (..., n k)."""

    start: np.ndarray
    current: np.ndarray
    spoilt: np.ndarray
    width_ms: np.ndarray


def _recovery_tests(off: PolarisedCourse, interval_ms: np.ndarray) -> _TestPulses:
    """Return the tests after a 1-ms pulse of 1.5 times threshold; spoilt by a second spike."""
    index = off.time_index(interval_ms)
    start = off.states[index][..., 0].transpose(1, 2, 0)
    return _stack_tests(start, np.zeros(start.shape[1:]), off.rises[index][..., 0].T != 1)


def _stack_tests(
    start: np.ndarray,
    current: np.ndarray,
    spoilt: np.ndarray,
    width_ms: float | tuple[float, ...] = TEST_MS,
) -> _TestPulses:
    """Return tests from arrays of shape (..., n, k)."""
    width = np.broadcast_to(width_ms, current.shape)
    return _TestPulses(
        start.reshape(len(start), -1), current.ravel(), spoilt.ravel(), width.ravel()
    )


class _Electrotonus(NamedTuple):
    """Polarising currents, %, how long they last, ms, and the delays of their tests, ms."""

    levels: tuple[int, ...]
    lasts: float
    delay_ms: np.ndarray


def _short_electrotonus() -> _Electrotonus:
    return _Electrotonus(tuple(TE_CURVES), TE_MS, te_delays())


def _long_electrotonus() -> _Electrotonus:
    return _Electrotonus(LONG_LEVELS, LONG_MS, np.array(LONG_DELAYS_MS))


def _electrotonus_tests(
    threshold: np.ndarray,
    on: PolarisedCourse,
    off: PolarisedCourse,
    first: int,
    protocol: _Electrotonus,
) -> _TestPulses:
    """Return the tests of all levels, one after another; spoilt by any spike.

    The current begins at `POLARISED_FROM_MS` of the delays, and there the tests; it stays on
    during a test pulse that begins while it is on. `first` of `off` has the first level.
    """
    levels, lasts, delay_ms = protocol
    delays = delay_ms[delay_ms >= POLARISED_FROM_MS] - POLARISED_FROM_MS
    during, lane = delays < lasts, level_columns(levels)
    rest = slice(first, first + lane.size)
    before, after = on.time_index(delays[during]), off.time_index(delays[~during] - lasts)
    begun = on.rises[on.time_index(lasts)][..., lane]
    start = np.concatenate([on.states[before][..., lane], off.states[after][..., rest]])
    rises = np.concatenate([on.rises[before][..., lane], begun + off.rises[after][..., rest]])
    level = np.outer(threshold, np.array(levels) / 100.0)
    # from (delay, ..., body, level) to (..., body, level x delay)
    n = threshold.size
    return _stack_tests(
        start.transpose(1, 2, 3, 0).reshape(len(start[0]), n, -1),
        (level[:, :, None] * during).reshape(n, -1),
        (rises > 0).transpose(1, 2, 0).reshape(n, -1),
    )


def _current_voltage_tests(threshold: np.ndarray, on: PolarisedCourse) -> _TestPulses:
    """Return the tests at the end of 200 ms of each polarising current, which stays on."""
    current = np.outer(threshold, norms()["threshold_iv"].x / 100.0)
    return _stack_tests(
        on.states[on.time_index(IV_MS)], current, on.rises[on.time_index(IV_MS)] > 0
    )


def _charge_tests(bodies: Axons, threshold: np.ndarray) -> _TestPulses:
    """Return the tests of `CHARGE_WIDTHS_MS` but the last, that of `TEST_MS`, at rest."""
    n, k = threshold.size, len(CHARGE_WIDTHS_MS) - 1
    start = np.repeat(bodies.rest[:, :, None], k, axis=2)
    return _stack_tests(start, np.zeros((n, k)), np.zeros((n, k), bool), CHARGE_WIDTHS_MS[:-1])


def _count_failures(bodies: Axons, pulses: np.ndarray, dt: float) -> np.ndarray:
    """Return how many of each body's 20-ms pulses, shape (n, k), come before the first to fire."""
    n, k = len(pulses), int(pulses.shape[1])
    column, tried = np.repeat(np.arange(n), k), pulses.ravel()
    once = np.stack(np.broadcast_arrays(tried, 1.0, 0.0, tried, np.inf))  # one trial each
    _, fires, *_ = kernel.find_threshold(
        bodies.rest,
        bodies.P,
        column,
        column,
        0.0 * tried,
        np.full(tried.size, round(WIDE_MS / dt)),
        round(axons_of.WAIT_MS / dt),
        bodies.rest[0],
        once,
        dt,
    )
    failed: np.ndarray = np.isinf(fires).reshape(n, k)
    return np.cumprod(failed, axis=1).sum(axis=1)


def _wide_threshold(bodies: Axons, threshold: np.ndarray, dt: float) -> np.ndarray:
    """Return thresholds of 20-ms pulses, within twice `TOLERANCE` times that of 1 ms; NaN if 0.

    Seven at a time: a search one by one would wait twelve times for the end of a long pulse.
    """
    low, high, part = np.zeros(threshold.size), threshold.copy(), np.arange(1, 8)
    while (high - low > 4.0 * TOLERANCE * threshold).any():
        eighth = (high - low) / 8.0
        fails = _count_failures(bodies, low[:, None] + eighth[:, None] * part, dt)
        low, high = low + eighth * fails, low + eighth * (fails + 1)
    return np.where(low > 0.0, 0.5 * (low + high), np.nan)


def _all_or_none(bodies: Axons, threshold: np.ndarray, dt: float) -> np.ndarray:
    """Return whether 2 % above threshold rises clearly higher than 2 % below it.

    In depolarisation block the answer is graded, and a "threshold" only says which pulse
    pushes the membrane to the spike criterion.
    """
    repeated = bodies.take(np.repeat(np.arange(threshold.size), 2))
    pulse = np.outer(np.nan_to_num(threshold), (0.98, 1.02)).ravel()
    S = repeated.rest.copy()
    during = kernel.advance(S, repeated.P, pulse, round(TEST_MS / dt), dt)
    after = kernel.advance(S, repeated.P, 0 * pulse, round(4.0 / dt), dt)
    peak = np.maximum(during, after).reshape(-1, 2)
    return ~np.isnan(threshold) & (peak[:, 1] - peak[:, 0] >= BLOCK_STEP_MV)


def _fires_alone(
    bodies: Axons, start: np.ndarray, current: np.ndarray, owner: np.ndarray, dt: float
) -> np.ndarray:
    """Return which tests end in a spike without any test pulse, its time and 4 ms after it."""
    repeated, S = bodies.take(owner), start.copy()
    steps = np.ones(round(TEST_MS / dt), int)
    during, _ = kernel.run_segments(S, repeated.P, np.tile(current, (steps.size, 1)), steps, dt)
    peak = kernel.advance(S, repeated.P, 0 * current, round(axons_of.WAIT_MS / dt), dt)
    return ((during[:, 0] > -20.0) & (during[:, 2] > 0.5)).any(axis=0) | (peak > -20.0)


def _guess_thresholds(
    bodies: Axons, threshold: np.ndarray, start: np.ndarray, width_ms: np.ndarray, owner: np.ndarray
) -> np.ndarray:
    """Return a first guess of the thresholds of tests of bodies `owner`, pA."""
    z = (bodies.rest[0, owner] - start[0]) / 20.0
    brief = (width_ms + 0.4) / (1.4 * width_ms)  # Weiss
    return threshold[owner] * brief * np.clip(1.0 + 1.5 * z + 0.5 * z * z, 0.2, 6.0)


def _threshold_changes(
    bodies: Axons, threshold: np.ndarray, tests: list[_TestPulses], dt: float
) -> list[np.ndarray]:
    """Return the changes of threshold in %, each (n, k), of all tests at once."""
    start, current, spoilt, width = (np.concatenate(a, axis=-1) for a in zip(*tests, strict=True))
    n = threshold.size
    owner = np.concatenate([np.repeat(np.arange(n), t.current.size // n) for t in tests])
    # only a body that somewhere fires on its own may do so in a test as well
    doubtful = np.flatnonzero(~spoilt & np.isin(owner, owner[spoilt]) & (width == TEST_MS))
    if doubtful.size:
        alone = _fires_alone(bodies, start[:, doubtful], current[doubtful], owner[doubtful], dt)
        spoilt[doubtful[alone]] = True
    tested = np.flatnonzero(~spoilt)
    tested_owner, start, width = owner[tested], start[:, tested], width[tested]
    thresholds = axons_of.threshold_pa(
        bodies,
        width,
        axons_of.SearchStarts(start, current[tested], tested_owner),
        dt,
        TOLERANCE * threshold[tested_owner],
        _guess_thresholds(bodies, threshold, start, width, tested_owner),
    )
    change = np.full(spoilt.size, np.nan)
    change[tested] = np.where(
        thresholds > 0.01, 100.0 * (thresholds / threshold[tested_owner] - 1.0), np.nan
    )
    ends = np.cumsum([t.current.size for t in tests])[:-1]
    return [part.reshape(n, -1) for part in np.split(change, ends)]


@dataclass(frozen=True)
class Curves:
    """Results of the test in each of n bodies, as arrays; NaN where undefined.

    The meaning of every part is that of `Excitability`.

    Attributes
    ----------
    resting_potential_mv, internode_potential_mv : ndarray, shape (n,)
    threshold_pa : ndarray, shape (n, 5)
        Thresholds from rest of the pulses of `CHARGE_WIDTHS_MS`; the last is that of 1 ms.
    threshold_20ms_pa : ndarray, shape (n,)
    recovery_percent : ndarray, shape (n, 18)
        Change of threshold at the intervals of ``norms()["recovery_cycle"].x``.
    te_percent : ndarray, shape (n, 4, d)
        Threshold reduction by level, in the order of `TE_CURVES`, and delay (`te_delays`).
    te_long_percent : ndarray, shape (n, 2, e)
        Likewise for `LONG_LEVELS` at `LONG_DELAYS_MS`.
    iv_percent : ndarray, shape (n, 16)
        Threshold reduction at the currents of ``norms()["threshold_iv"].x``.
    measures : dict of str to ndarray, shape (n,)
        The derived measures, by the keys of `MEASURES`.
    """

    resting_potential_mv: np.ndarray
    internode_potential_mv: np.ndarray
    threshold_pa: np.ndarray
    threshold_20ms_pa: np.ndarray
    recovery_percent: np.ndarray
    te_percent: np.ndarray
    te_long_percent: np.ndarray
    iv_percent: np.ndarray
    measures: dict[str, np.ndarray]

    def take(self, index: Sequence[int]) -> Curves:
        """Return the bodies at `index`."""
        parts = {name: part[index] for name, part in vars(self).items() if name != "measures"}
        return Curves(**parts, measures={k: v[index] for k, v in self.measures.items()})


def _undefined_curves(n: int) -> Curves:
    """Return the curves of `n` bodies that give none."""

    def nan(*shape: int) -> np.ndarray:
        return np.full((n, *shape), np.nan)

    return Curves(
        nan(),
        nan(),
        nan(len(CHARGE_WIDTHS_MS)),
        nan(),
        nan(norms()["recovery_cycle"].x.size),
        nan(len(TE_CURVES), te_delays().size),
        nan(len(LONG_LEVELS), len(LONG_DELAYS_MS)),
        nan(norms()["threshold_iv"].x.size),
        {m.key: nan() for m in MEASURES},
    )


def _threshold_reductions(
    change: np.ndarray, levels: tuple[int, ...], delay_ms: np.ndarray
) -> np.ndarray:
    """Return the threshold reductions (n, levels, delays), 0 before the current."""
    idle = int((delay_ms < POLARISED_FROM_MS).sum())
    rows = -change.reshape(len(change), len(levels), -1)
    return np.pad(rows, ((0, 0), (0, 0), (idle, 0)))


def _refine_refractory(
    recovery: np.ndarray, bodies: Axons, threshold: np.ndarray, dt: float
) -> np.ndarray:
    """Return the recovery with its refractory intervals at finer steps; NaN stays NaN.

    There a spike's remains decide, and a conditioning pulse stronger by 0.04 % moves the threshold
    by up to 1.4 %: spike, tests and the threshold of the pulse all need their finer steps.
    """
    interval_ms = norms()["recovery_cycle"].x
    early = interval_ms <= REFRACTORY_MS
    early_ms = interval_ms[early]
    test_dt, spike_dt = min(dt, REFRACTORY_DT_MS), min(dt, SPIKE_DT_MS)
    single = axons_of.threshold_pa(
        bodies, TEST_MS, dt=test_dt, tolerance_pa=TOLERANCE * threshold, near_pa=threshold
    )
    start, pulse = bodies.rest[:, :, None], CONDITIONING * single[:, None]
    off = run_course(bodies, start, pulse, TEST_MS, early_ms, spike_dt)
    tests = _recovery_tests(off, early_ms)
    repeated = np.repeat(bodies.P, early_ms.size, axis=1)
    behind = shift_gates(tests.start, repeated, 0.5 * (spike_dt - test_dt))
    tests = tests._replace(start=behind)
    (change,) = _threshold_changes(bodies, single, [tests], test_dt)
    refined = recovery.copy()
    refined[:, early] = np.where(np.isnan(recovery[:, early]), np.nan, change)
    return refined


def _run_conditioned(
    bodies: Axons, threshold: np.ndarray, dt: float, full: bool
) -> tuple[np.ndarray, ...]:
    """Return the changes from rest, of recovery, electrotonus, the long levels and I/V.

    Only the first two if not `full`.
    """
    on = polarise(bodies, threshold, dt) if full else None
    off = release(bodies, threshold, dt, on)
    tests = [_charge_tests(bodies, threshold), _recovery_tests(off, norms()["recovery_cycle"].x)]
    if on is None:
        rest, recovery = _threshold_changes(bodies, threshold, tests, dt)
        return rest, _refine_refractory(recovery, bodies, threshold, dt)
    brief, prolonged, first = _short_electrotonus(), _long_electrotonus(), 1 + len(TE_CURVES)
    tests += [
        _electrotonus_tests(threshold, on, off, 1, brief),
        _electrotonus_tests(threshold, on, off, first, prolonged),
        _current_voltage_tests(threshold, on),
    ]
    rest, recovery, short, long, iv = _threshold_changes(bodies, threshold, tests, dt)
    return (
        rest,
        _refine_refractory(recovery, bodies, threshold, dt),
        _threshold_reductions(short, brief.levels, brief.delay_ms),
        _threshold_reductions(long, prolonged.levels, prolonged.delay_ms),
        -iv,
    )


def _check_step(dt: float) -> None:
    """Refuse a step that does not divide 0.1 ms."""
    steps = SAMPLE_MS / number_within("dt", dt, 0.001, 0.05, "ms")
    if abs(steps - round(steps)) > 1e-9:
        raise NeurosimError(f"dt = {dt:g} ms must divide 0.1 ms into whole steps.")


def measure_curves(axons: Axons, dt: float = COARSE_DT_MS, full: bool = False) -> Curves:
    """Run the clinic's test on every axon of a batch.

    Parameters
    ----------
    axons : Axons
        The bodies at rest, one column each, with whatever parameters.
    dt : float
        Step, ms; 0.1 ms must be a whole number of steps.
    full : bool
        False leaves out threshold electrotonus and I/V.

    Raises
    ------
    NeurosimError
        For an unfit step. An axon that cannot be tested has NaN.
    """
    _check_step(dt)
    n = axons.rest.shape[1]
    curves = _undefined_curves(n)
    curves.resting_potential_mv[:], curves.internode_potential_mv[:] = axons.rest[:2]
    threshold = axons_of.threshold_pa(axons, TEST_MS, dt=dt)
    threshold = np.where(threshold > 0.01, threshold, np.nan)
    able = np.flatnonzero(_all_or_none(axons, threshold, dt))
    if able.size:
        bodies = axons.take(able)
        targets = (curves.recovery_percent, curves.te_percent, curves.te_long_percent)
        rest, *parts = _run_conditioned(bodies, threshold[able], dt, full)
        curves.threshold_20ms_pa[able] = _wide_threshold(bodies, threshold[able], dt)
        rest = threshold[able, None] * (1.0 + rest / 100.0)
        curves.threshold_pa[able] = np.column_stack([rest, threshold[able]])
        for target, part in zip((*targets, curves.iv_percent), parts, strict=False):
            target[able] = part
    rows = [_derived_measures(curves, i) for i in range(n)]
    return replace(curves, measures={m.key: np.array([r[m.key] for r in rows]) for m in MEASURES})


def _derived_measures(curves: Curves, i: int) -> dict[str, float]:
    """Return the derived measures of body `i`."""
    widths = np.array(CHARGE_WIDTHS_MS)
    interval, current = norms()["recovery_cycle"].x, norms()["threshold_iv"].x
    measures = charge_measures(widths, widths * curves.threshold_pa[i])
    measures |= electrotonus_measures(_protocol_points(curves.te_percent[i]))
    measures |= recovery_measures(interval, curves.recovery_percent[i])
    return measures | iv_measures(current, curves.iv_percent[i])


def _rest_if_any(conditions: Conditions, axon: axons_of.Axon) -> Axons | None:
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
    """Run the clinic's nerve-excitability test on an axon under `conditions`.

    Parameters
    ----------
    conditions : Conditions
        Fluids and local membrane; `Conditions()` is health.
    axon : str or ParameterSet
        One of `neurosim.model.axon.axon.AXONS`, or a set of parameters.
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
    _check_step(dt)
    axons = _rest_if_any(conditions, axon)
    return single_excitability(
        _undefined_curves(1) if axons is None else measure_curves(axons, dt, full)
    )


def _protocol_points(electrotonus: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return delays and reductions of each level at the delays of its own norm curve."""
    delays = te_delays()
    points: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for reduction, (level, name) in zip(electrotonus, TE_CURVES.items(), strict=True):
        x = norms()[name].x
        points[level] = x, reduction[np.searchsorted(delays, x)]
    return points


def single_excitability(curves: Curves) -> Excitability:
    """Return the findings in the one body of `curves`."""
    measures = {key: float(value[0]) for key, value in curves.measures.items()}
    widths, thresholds = np.array(CHARGE_WIDTHS_MS), curves.threshold_pa[0]
    return Excitability(
        resting_potential_mv=float(curves.resting_potential_mv[0]),
        internode_potential_mv=float(curves.internode_potential_mv[0]),
        threshold_1ms_pa=float(thresholds[-1]),
        threshold_20ms_pa=float(curves.threshold_20ms_pa[0]),
        rheobase_pa=measures["rheobase_pa"],
        tau_sd_ms=measures["sdtc_ms"],
        charge_widths_ms=widths,
        charge_pa_ms=widths * thresholds,
        recovery_interval_ms=norms()["recovery_cycle"].x,
        recovery_change_percent=curves.recovery_percent[0],
        te_delay_ms=te_delays(),
        te_reduction_percent=dict(zip(TE_CURVES, curves.te_percent[0], strict=True)),
        te_long_delay_ms=np.array(LONG_DELAYS_MS),
        te_long_reduction_percent=dict(zip(LONG_LEVELS, curves.te_long_percent[0], strict=True)),
        iv_current_percent=norms()["threshold_iv"].x,
        iv_reduction_percent=curves.iv_percent[0],
        measures=measures,
    )
