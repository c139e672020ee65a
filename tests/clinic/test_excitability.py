"""The clinic's nerve-excitability test on the model axon against people and its own table."""

import math

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.clinic import comparison, conditioning, indices
from neurosim.clinic import excitability as ex
from neurosim.clinic import norms as norms_
from neurosim.model.axon import axon as ax
from neurosim.model.axon import equations
from neurosim.model.axon.axon import Conditions

# measures of the fitted axons, from the prototype of the fit (another implementation), which took
# means over points and extremes of points where `indices` smooths as the records do
EXPECTED = {
    "sdtc_ms": (0.43, 0.43), "te_d_10_20_percent": (64.10, 64.78),
    "te_d_peak_percent": (65.63, 66.77), "te_d_40_60_percent": (54.03, 54.77),
    "te_d_90_100_percent": (46.55, 46.24), "te_h_10_20_percent": (-80.17, -79.25),
    "te_h_20_40_percent": (-101.05, -99.95), "te_h_90_100_percent": (-121.23, -122.89),
    "te_d_undershoot_percent": (-19.94, -19.94), "te_h_overshoot_percent": (18.27, 18.08),
    "s2_accommodation_percent": (19.07, 20.53), "superexcitability_percent": (-24.35, -25.15),
    "subexcitability_percent": (12.51, 14.54), "relative_refractory_period_ms": (2.47, 2.50),
    "refractoriness_2_5_ms_percent": (-1.58, -0.31), "resting_iv_slope": (0.56, 0.57),
    "minimum_iv_slope": (0.24, 0.23), "hyperpolarising_iv_slope": (0.41, 0.41),
}  # fmt: skip
K = "potassium_out_mmol_l"
COLUMNS = (
    "sdtc_ms", "relative_refractory_period_ms", "superexcitability_percent",
    "subexcitability_percent", "te_d_peak_percent", "te_d_90_100_percent", "te_h_90_100_percent",
)  # fmt: skip
TABLE = [
    ("ghk", {K: 2.8}, (0.32, 2.15, -29.32, 13.36, 77.31, 54.14, -141.13)),
    ("ghk", {K: 6.0}, (0.59, 3.60, -9.28, 8.87, 45.06, 32.27, -75.72)),
    ("ghk", {K: 8.0}, (0.63, math.nan, 3.92, 4.13, 39.98, 13.74, -33.95)),
    (
        "ghk",
        {"persistent_sodium_scale": 2.0},
        (0.57, 2.40, -35.88, 18.23, 79.34, 48.39, -122.40),
    ),
    ("ghk", {"calcium_out_mmol_l": 0.7}, (0.81, 2.93, -27.39, 23.41, 60.74, 34.68, -86.21)),
    ("ghk", {"fast_potassium_scale": 0.3}, (0.44, 2.23, -44.05, 14.99, 83.91, 47.89, -122.93)),
    ("ghk", {"temperature_c": 30.0}, (0.51, 3.12, -20.50, 13.78, 68.55, 48.01, -137.54)),
    ("ohmic", {K: 6.0}, (0.58, 3.44, -11.25, 10.44, 47.28, 33.29, -76.08)),
    ("ohmic", {K: 9.0}, (0.64, math.nan, 5.09, 4.13, 39.98, -0.39, -21.15)),
    ("ohmic", {"pump_scale": 0.0}, (0.51, 3.24, -8.69, 17.46, 51.47, 33.57, -70.12)),
    ("ohmic", {"sodium_in_mmol_l": 12.0}, (0.37, 2.27, -35.14, 9.72, 78.58, 57.06, -165.15)),
    ("ohmic", {"hcn_scale": 0.2}, (0.43, 2.49, -25.85, 14.12, 67.60, 46.90, -133.20)),
    ("ohmic", {"magnesium_out_mmol_l": 2.0}, (0.36, 2.40, -25.70, 12.11, 69.94, 49.63, -148.19)),
]


@pytest.fixture(scope="module")
def healthy():
    return {name: ex.examine(Conditions(), name) for name in ax.AXONS}


def by_points(examination):
    """Return the measures of a curve's points without the smoothing of the records."""
    t = examination.te_delay_ms - 10
    on, off = (t >= 0) & (t < 100), t >= 100
    up, down = examination.te_reduction_percent[40], examination.te_reduction_percent[-40]

    def window(y, low, high):
        return y[on & (t >= low) & (t <= high)].mean()

    return examination.measures | {
        "te_d_10_20_percent": window(up, 10, 20),
        "te_d_peak_percent": up[on].max(),
        "te_d_40_60_percent": window(up, 40, 60),
        "te_h_10_20_percent": window(down, 10, 20),
        "te_h_20_40_percent": window(down, 20, 40),
        "te_d_undershoot_percent": up[off].min(),
        "te_h_overshoot_percent": down[off].max(),
        "s2_accommodation_percent": up[on].max() - window(up, 90, 100),
    }


@pytest.mark.parametrize("name", ["ghk", "ohmic"])
def test_measures_are_those_of_the_fit(healthy, name):
    measures = by_points(healthy[name])
    assert list(healthy[name].measures) == [m.key for m in indices.MEASURES]
    assert set(EXPECTED) < set(measures)
    for key, values in EXPECTED.items():
        expected = values[["ghk", "ohmic"].index(name)]
        allowed = 0.006 if abs(expected) < 1 and "percent" not in key else 0.15
        allowed = 0.04 if key == "relative_refractory_period_ms" else allowed
        assert measures[key] == pytest.approx(expected, abs=allowed), key


@pytest.mark.parametrize("name", ax.AXONS)
def test_measures_lie_among_people(healthy, name):
    rows = comparison.compare_with_norms(healthy[name])
    assert len(rows) == 27
    for row in rows:
        if row.measure.key == "rheobase_pa":
            assert math.isnan(row.z) and row.verdict == "no norm"
            continue
        assert abs(row.z) < 1.5, row.measure.key
        assert row.inside_95 and row.verdict == "inside" and row.human_n > 100
    by_key = {row.measure.key: row for row in rows}
    sdtc = by_key["sdtc_ms"]
    assert (sdtc.human_mean, sdtc.human_median, sdtc.human_sd) == (0.4327, 0.424, 0.0967)
    assert sdtc.z == pytest.approx((healthy[name].tau_sd_ms - 0.4327) / 0.0967)


@pytest.mark.parametrize("name", ax.AXONS)
def test_curves_run_among_people(healthy, name):
    examination = healthy[name]
    recovery, iv = norms_.norms()["recovery_cycle"], norms_.norms()["threshold_iv"]
    assert np.abs((examination.recovery_change_percent - recovery.mean) / recovery.sd).max() < 2
    used = iv.x != 0
    z = (examination.iv_reduction_percent - iv.mean)[used] / iv.sd[used]
    assert np.abs(z).max() < 2
    for level, curve in norms_.TE_CURVES.items():
        people = norms_.norms()[curve]
        at = np.isin(examination.te_delay_ms, people.x) & (examination.te_delay_ms > 11)
        after = people.x > 11
        z = (examination.te_reduction_percent[level][at] - people.mean[after]) / people.sd[after]
        assert np.mean(z**2) < 1, level


def test_currents_act_from_their_own_onset(healthy):
    examination = healthy["ghk"]
    for level, y in examination.te_reduction_percent.items():
        assert (y[examination.te_delay_ms < 10] == 0).all()
        assert y[examination.te_delay_ms == 10] == pytest.approx(level, abs=0.1)
        # switched off at 110 ms: the part that only adds to the pulse is gone
        jump = y[examination.te_delay_ms == 109] - y[examination.te_delay_ms == 110]
        assert jump == pytest.approx(level, abs=0.1 * abs(level) + 1)
    assert (np.diff(examination.iv_reduction_percent) > 0).all()
    assert examination.iv_reduction_percent[examination.iv_current_percent == 0] == pytest.approx(
        0, abs=0.01
    )
    assert examination.recovery_change_percent[-1] == pytest.approx(0, abs=0.5)


def test_strength_duration_line(healthy):
    examination = healthy["ghk"]
    line = examination.rheobase_pa * (examination.charge_widths_ms + examination.tau_sd_ms)
    np.testing.assert_allclose(examination.charge_pa_ms, line, rtol=0.03)
    assert examination.charge_pa_ms[-1] == examination.threshold_1ms_pa
    assert examination.threshold_1ms_pa > examination.threshold_20ms_pa > examination.rheobase_pa
    assert examination.resting_potential_mv == pytest.approx(-81.65, abs=0.01)
    assert examination.internode_potential_mv < examination.resting_potential_mv


@pytest.mark.parametrize(("name", "change", "expected"), TABLE)
def test_conditions_give_the_measures_of_the_table(name, change, expected):
    examination = by_points(ex.examine(Conditions(**change), name))
    for key, value in zip(COLUMNS, expected, strict=True):
        allowed = 0.012 if key == "sdtc_ms" else max(0.3, 0.006 * abs(value))
        allowed = 0.04 if key == "relative_refractory_period_ms" else allowed
        assert examination[key] == pytest.approx(value, abs=allowed, nan_ok=True), key


@pytest.mark.parametrize("name", ax.AXONS)
def test_potassium_moves_the_axon_as_in_the_clinic(healthy, name):
    base = healthy[name]
    low, high = (ex.examine(Conditions(**{K: k}), name) for k in (2.8, 6.0))
    for key, sign in {
        "superexcitability_percent": 1,
        "sdtc_ms": 1,
        "relative_refractory_period_ms": 1,
        "te_d_peak_percent": -1,
        "te_d_90_100_percent": -1,
        "te_h_90_100_percent": 1,
        "resting_iv_slope": 1,
    }.items():
        less, middle, more = (e.measures[key] for e in (low, base, high))
        assert sign * less < sign * middle < sign * more, key
    assert low.resting_potential_mv < base.resting_potential_mv < high.resting_potential_mv
    up, down = low.relative_to(base), high.relative_to(base)
    assert set(up) == {"threshold_1ms_percent", "threshold_20ms_percent", "rheobase_percent"}
    assert all(up[key] > 105 and down[key] < 95 for key in up)
    assert all(v == pytest.approx(100) for v in base.relative_to(base).values())


def test_a_blocked_axon_has_no_measures():
    examination = ex.examine(Conditions(**{K: 12.0}))
    assert examination.blocked
    assert math.isfinite(examination.resting_potential_mv)
    assert math.isnan(examination.threshold_1ms_pa)
    assert math.isnan(examination.threshold_20ms_pa)
    assert all(math.isnan(v) for v in examination.measures.values())
    assert np.isnan(examination.recovery_change_percent).all()
    assert not any(row.inside_95 for row in comparison.compare_with_norms(examination))
    assert {row.verdict for row in comparison.compare_with_norms(examination)} == {
        "not defined",
        "no norm",
    }
    assert all(np.isnan(y).all() for y in examination.te_long_reduction_percent.values())


def test_a_conditioning_current_that_fires_by_itself_spoils_only_its_own_measures():
    examination = ex.examine(Conditions(persistent_sodium_scale=4.0), "ohmic")
    assert not examination.blocked
    assert math.isnan(examination.measures["te_d_90_100_percent"])
    fired = np.isnan(examination.te_reduction_percent[40])
    assert fired.any() and fired[np.flatnonzero(fired)[0] :].all()  # also once it is off
    assert examination.te_delay_ms[fired].max() > 150.0
    assert math.isfinite(examination.measures["te_h_90_100_percent"])
    assert math.isfinite(examination.measures["superexcitability_percent"])


def test_an_axon_that_goes_on_firing_has_no_recovery_cycle():
    examination = ex.examine(Conditions(persistent_sodium_scale=6.0), full=False)
    assert not examination.blocked
    assert np.isnan(examination.recovery_change_percent[-2:]).all()
    assert math.isnan(examination.measures["subexcitability_percent"])


@pytest.mark.parametrize(("axon", "scale"), [("alternative", 6.0), ("ghk", 6.0), ("ghk", 2.0)])
def test_an_axon_that_fires_without_a_pulse_has_no_threshold_there(axon, scale):
    dt, body = 0.02, ax.at_rest(Conditions(persistent_sodium_scale=scale), axon)
    threshold = ax.threshold_pa(body, 1.0, dt=dt)
    on = conditioning.polarise(body, threshold, dt)
    off = conditioning.release(body, threshold, dt, on)
    tests = ex._electrotonus_tests(threshold, on, off, 1, ex._short_electrotonus())
    change = ex._threshold_changes(body, threshold, [ex._charge_tests(body, threshold), tests], dt)[
        1
    ][0]

    def fires(pulse):
        S, P, high = tests.start.copy(), np.repeat(body.P, tests.current.size, axis=1), False
        for t in range(250):
            S = equations.step(S, P, (pulse + tests.current) * (t < 50), None, dt)
            high |= (S[0] > -20.0) & ((t >= 50) | (S[2] > 0.5))
        return high

    assert np.isnan(change[fires(0.0)]).all()
    defined = ~np.isnan(change)
    assert defined.any() and (np.isnan(change).any() == (scale > 2.0))
    # one that does need a pulse fires by what was found for it
    assert fires(np.nan_to_num(threshold * (1.0 + change / 100.0)) + 0.1)[defined].all()


def test_long_currents_end_where_the_threshold_iv_is_taken(healthy):
    examination = healthy["ghk"]
    delay = examination.te_long_delay_ms
    for level, y in examination.te_long_reduction_percent.items():
        at_end = examination.iv_reduction_percent[examination.iv_current_percent == level]
        assert y[delay == 209] == pytest.approx(at_end, rel=0.005)
        assert y[delay == 10] == pytest.approx(level, abs=0.1)
        assert (y[delay < 10] == 0).all()
        assert y[delay == 209] - y[delay == 210] < 0.9 * level


PATTERNS = [
    ({K: 6.0}, "a depolarised axon"), ({K: 2.8}, "a hyperpolarised axon"),
    ({"bias_current_pa": 40.0}, "a depolarised axon"),
    ({"sodium_in_mmol_l": 12.0}, "a hyperpolarised axon"),
    ({"persistent_sodium_scale": 2.0}, "more persistent sodium current"),
    ({"persistent_sodium_scale": 0.3}, "less persistent sodium current"),
    ({"fast_potassium_scale": 0.3}, None), ({"hcn_scale": 0.2}, None), ({K: 12.0}, None),
    ({}, None),
    ({"temperature_c": 30.0}, None),
]  # fmt: skip


@pytest.mark.parametrize(("change", "name"), PATTERNS)
@pytest.mark.parametrize("axon", ax.AXONS)
def test_patterns_are_named_when_every_sign_agrees(healthy, axon, change, name):
    assert comparison.match_pattern(ex.examine(Conditions(**change), axon), healthy[axon]) == name


def test_an_axon_without_rest_is_undefined_and_no_error(monkeypatch):
    def no_rest(*_):
        raise NeurosimError("A membrane has no resting potential under these conditions.")

    monkeypatch.setattr(ax, "at_rest", no_rest)
    examination = ex.examine(Conditions())
    assert examination.blocked
    assert math.isnan(examination.resting_potential_mv)
    assert all(math.isnan(v) for v in examination.measures.values())


def test_short_examination_leaves_out_the_long_currents(healthy):
    short, full = ex.examine(Conditions(), full=False), healthy["ghk"]
    np.testing.assert_allclose(
        short.recovery_change_percent, full.recovery_change_percent, rtol=0, atol=1e-6
    )
    assert short.tau_sd_ms == pytest.approx(full.tau_sd_ms)
    assert short.te_reduction_percent[40].shape == full.te_delay_ms.shape
    assert np.isnan(short.te_reduction_percent[40]).all()
    assert np.isnan(short.iv_reduction_percent).all()
    assert math.isnan(short.measures["te_d_peak_percent"])


def test_the_step_matters_little(healthy):
    fine, coarse = ex.examine(Conditions(), dt=0.01), healthy["ghk"]
    assert coarse.threshold_1ms_pa == pytest.approx(fine.threshold_1ms_pa, rel=5e-4)
    assert coarse.tau_sd_ms == pytest.approx(fine.tau_sd_ms, rel=0.01)
    for key, value in fine.measures.items():
        steep = key in ("refractoriness_2_ms_percent", "rheobase_pa")
        assert coarse.measures[key] == pytest.approx(value, abs=0.8 if steep else 0.2), key


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"axon": "gkh"}, "did you mean 'ghk'"), ({"dt": 0.03}, "0.1 ms"), ({"dt": 1.0}, "dt = 1")],
)
def test_mistakes_are_told_in_words(change, sentence):
    with pytest.raises(NeurosimError, match=sentence):
        ex.examine(Conditions(), **change)


def test_norms_are_whole_and_cannot_be_changed():
    norms = norms_.norms()
    assert set(norms) == {
        "charge_duration",
        "recovery_cycle",
        "threshold_iv",
        *norms_.TE_CURVES.values(),
    }
    for name, curve in norms.items():
        assert (np.diff(curve.x) > 0).all(), name
        assert (curve.n >= 190).all()
        assert (curve.sd >= 0).all()
        with pytest.raises(ValueError, match="read-only"):
            curve.mean[0] = 1.0
    assert len(norms["recovery_cycle"].x) == 18
    with pytest.raises(TypeError):
        norms["recovery_cycle"] = None  # type: ignore[index]


def test_the_reference_loops_find_the_same(monkeypatch):
    fast = ex.examine(Conditions(), dt=0.05, full=False)
    monkeypatch.setenv("NEUROSIM_BACKEND", "numpy")
    examination = ex.examine(Conditions(), dt=0.05, full=False)
    np.testing.assert_allclose(
        examination.recovery_change_percent, fast.recovery_change_percent, rtol=0, atol=1e-7
    )


def test_many_bodies_at_once_give_what_each_gives_alone():
    several = [Conditions(), Conditions(**{K: 6.0}), Conditions(**{K: 12.0}),
               Conditions(persistent_sodium_scale=2.0)]  # fmt: skip
    examination = ex.measure_curves(ax.at_rest(several), full=True)
    for i, conditions in enumerate(several):
        one = ex.examine(conditions)
        te = [one.te_reduction_percent[level] for level in norms_.TE_CURVES]
        long = [one.te_long_reduction_percent[level] for level in conditioning.LONG_LEVELS]
        for course, alone in (
            (examination.resting_potential_mv[i], one.resting_potential_mv),
            (examination.threshold_pa[i], one.charge_pa_ms / one.charge_widths_ms),
            (examination.threshold_20ms_pa[i], one.threshold_20ms_pa),
            (examination.recovery_percent[i], one.recovery_change_percent),
            (examination.te_percent[i], te),
            (examination.te_long_percent[i], long),
            (examination.iv_percent[i], one.iv_reduction_percent),
            ([v[i] for v in examination.measures.values()], list(one.measures.values())),
        ):
            np.testing.assert_allclose(course, alone, rtol=1e-9, atol=0.01)


BODIES = [
    {},
    *({K: k} for k in (2.8, 6.0, 8.0)),
    *({"calcium_out_mmol_l": c} for c in (0.5, 0.7, 2.0)),
    *({"persistent_sodium_scale": f} for f in (2.0, 4.0)),
    *({"temperature_c": t} for t in (28.0, 37.0)),
]


def conditioned_mv(axon, dt):
    """Return E of conditioned axons, shape (times, courses), and which the clinic would test.

    Every body of `BODIES` in 200 ms of polarising currents and 100 ms after, and after a pulse.
    """
    bodies = ax.at_rest([Conditions(**change) for change in BODIES], axon)
    levels = np.array([-100.0, -70, -40, -20, 10, 20, 30, 40, 50])
    threshold = ax.threshold_pa(bodies, 1.0)
    level, pulse = np.outer(threshold, levels / 100), 1.5 * threshold[:, None]
    start = np.repeat(bodies.rest[:, :, None], levels.size, axis=2)
    on = conditioning.run_course(bodies, start, level, np.inf, np.arange(0.0, 201.0, 2.0), dt)
    times = np.arange(0.0, 101.0, 2.0)
    off = conditioning.run_course(bodies, on.states[-1], 0 * level, conditioning.TEST_MS, times, dt)
    shot = conditioning.run_course(bodies, start[..., :1], pulse, conditioning.TEST_MS, times, dt)
    e = [c.states[:, 0].reshape(len(c.states), -1) for c in (on, off, shot)]
    calm = (on.rises[-1] + off.rises[-1] == 0).ravel()
    together = np.concatenate([e[0], e[1]])[-times.size * 2 :]
    tested = np.concatenate([calm, (shot.rises[-1] == 1).ravel()])
    return np.concatenate([together, np.pad(e[2], ((times.size, 0), (0, 0)))], axis=1), tested


@pytest.mark.parametrize("axon", ax.AXONS)
def test_quiet_steps_move_potentials_by_less_than_the_bound(monkeypatch, axon):
    course, tested = conditioned_mv(axon, 0.02)
    monkeypatch.setattr(conditioning, "QUIET_DT_MS", 0.0)
    fine, same = conditioned_mv(axon, 0.02)
    assert (tested == same).all() and tested.sum() > 90
    assert np.abs(course - fine)[:, tested].max() < 0.01


def test_quiet_steps_move_conditioned_states_and_curves_little(monkeypatch, healthy):
    monkeypatch.setattr(conditioning, "QUIET_DT_MS", 0.02)
    examination = ex.examine(Conditions())
    for level, y in examination.te_reduction_percent.items():
        np.testing.assert_allclose(healthy["ghk"].te_reduction_percent[level], y, atol=0.02)
    np.testing.assert_allclose(
        healthy["ghk"].recovery_change_percent, examination.recovery_change_percent, atol=0.02
    )


def test_tests_begin_from_gates_as_far_behind_in_quiet_steps_as_in_fine_ones(monkeypatch):
    body = Conditions(persistent_sodium_scale=4.0)
    quiet = ex.examine(body, "ohmic").te_long_reduction_percent
    monkeypatch.setattr(conditioning, "QUIET_DT_MS", 0.02)
    for level, y in ex.examine(body, "ohmic").te_long_reduction_percent.items():
        np.testing.assert_allclose(quiet[level], y, atol=0.04)
