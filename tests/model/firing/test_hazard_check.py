"""The hazard law on body states that it was never fitted on, and channels one by one."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from neurosim.base.parameters import parameter
from neurosim.model.axon import axon as ax
from neurosim.model.axon import equations as eq
from neurosim.model.axon import kernel

SCRIPTS = Path(__file__).parents[3] / "scripts"
CHECK = Path(ax.__file__).parents[1] / "firing" / "hazard_check.csv"


def script(name):
    """Return one script as a module."""
    (path,) = SCRIPTS.rglob(f"{name}.py")
    sys.path.insert(0, str(path.parent))
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


@pytest.fixture(scope="module")
def check():
    return script("check_hazard")


@pytest.fixture(scope="module")
def unseen(check):
    rows = check.read(CHECK)
    return rows, check.predict_rows(rows)


def test_the_states_are_those_of_the_seed_and_no_fitted_one(check, unseen):
    rows, _ = unseen
    fitted = script("make_hazard_runs").STATES
    states = check.states(30, 1)
    assert states[:5] == check.states(5, 1)
    for row in rows:
        state = {n: float(row[n]) for n in check.RANGES if row[n]}
        assert state == states[int(row["state"])] and state not in fitted


def test_the_law_tells_unseen_states_as_well_as_is_said(check, unseen):
    _rows, d = unseen
    error, per_min = check.rate_errors(d), d["leave"] / d["seconds"] * 60.0
    ghk = (d["axon"] == "ghk") & np.isfinite(error)
    assert np.unique(d["state"][ghk]).size >= 25
    for low, high, runs in ((0.3, 3.0, 20), (3.0, 30.0, 40), (30.0, 300.0, 40)):
        e = error[ghk & (per_min >= low) & (per_min < high)]
        assert e.size >= runs
        assert np.median(np.abs(e)) < np.log(2.0) and np.sqrt(np.mean(e**2)) < np.log(3.2)
        assert abs(e.mean()) < np.log(2.0)


def test_the_law_is_least_sure_where_few_fast_potassium_channels_are_left(check, unseen):
    _, d = unseen
    error = check.rate_errors(d)
    fast = np.array([float(r["fast_potassium_scale"] or 1.0) for r in unseen[0]])
    ghk = (d["axon"] == "ghk") & np.isfinite(error)
    few = error[ghk & (fast < 0.5)]
    others = error[ghk & (fast >= 0.5)]
    assert few.mean() < -0.3 and np.abs(few).mean() > 1.3 * np.abs(others).mean()


def test_doublets_are_told_on_average_in_unseen_states(unseen):
    _, d = unseen
    per_min = d["leave"] / d["seconds"] * 60.0
    busy = (d["axon"] == "ghk") & (d["leave"] >= 20) & (per_min < 200)
    off = d["pair"][busy] - d["pairs"][busy] / d["leave"][busy]
    assert busy.sum() > 50
    assert abs(off.mean()) < 0.05 and np.sqrt(np.mean(off**2)) < 0.2


@pytest.mark.slow
def test_two_of_the_rows_run_again_give_the_same_rate(check, unseen):
    rows, d = unseen
    chosen = np.flatnonzero((d["axon"] == "ghk") & (d["leave"] > 60) & (d["leave"] < 400))[[3, -3]]
    conditions = [
        ax.Conditions().replace(
            **{n: float(rows[i][n]) for n in check.RANGES if rows[i][n]},
            persistent_sodium_scale=float(rows[i]["nu"]),
        )
        for i in chosen
    ]
    batch = ax.at_rest(conditions, "ghk").take(np.repeat([0, 1], 8)).with_noise(check.CHANNELS)
    seconds = 20.0  # of 8 copies
    times, peaks, counts = kernel.noisy_spikes(
        batch.rest.copy(), batch.P, np.zeros(16), round(seconds * 1000.0 / 0.02), 0.02, 99, 8192
    )
    for k, i in enumerate(chosen):
        again = sum(
            check.summary(times[j, : counts[j]], peaks[j, : counts[j]], seconds)["first_over_10mv"]
            for j in range(8 * k, 8 * k + 8)
        )
        expected = d["leave"][i] / d["seconds"][i] * 8 * seconds
        assert again == pytest.approx(expected, abs=4.0 * np.sqrt(expected * (1 + 160.0 / 300.0)))


# --- channels one by one ------------------------------------------------------------------


@pytest.fixture(scope="module")
def noise():
    return script("check_noise")


def test_three_gates_flip_independently(noise):
    opening, closing = np.array([0.1, 0.7]), np.array([0.3, 0.2])
    chances = noise.three_gates(opening, closing)
    for i in range(2):
        for j in range(4):
            stay = binom.pmf(np.arange(4), j, 1 - closing[i])
            join = binom.pmf(np.arange(4), 3 - j, opening[i])
            expected = np.convolve(stay, join)[:4]
            assert chances[j, :, i] == pytest.approx(expected, abs=1e-12)


def test_clamped_channels_are_open_as_often_and_as_variably_as_binomial_ones(noise):
    one = ax.at_rest(ax.Conditions())
    one.rest[:2] = -55.0  # clamped
    membrane = noise.Channels(one.take(np.zeros(400, int)), 500, 4)
    open_share = []
    for _ in range(160):
        membrane.step(np.zeros(400), 0.5)
        membrane.S[:2] = -55.0
        open_share.append(membrane.transient[1, 3] / 500.0)
    late = np.array(open_share)[60:]
    P = one.P[:, 0]
    m, h = (a / (a + b) for a, b in (eq.rates_m(-55.0 + P[0]), eq.rates_h(-55.0 + P[2])))
    expected = m**3 * h
    assert membrane.transient.sum(axis=(0, 1)) == pytest.approx(np.full(400, 500))
    assert late.mean() == pytest.approx(expected, rel=0.03)
    assert late.var() == pytest.approx(expected * (1 - expected) / 500.0, rel=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("axon", ["ghk", "ohmic"])
def test_eight_real_channels_spread_the_threshold_as_one_langevin_channel(noise, axon):
    _, langevin, _ = noise.langevin_spread(axon, 2500)
    _, real, error = noise.markov_spread(axon, 8 * 2500)
    assert real == pytest.approx(langevin, abs=4.0 * error + 0.07 * langevin)
    _, fewer, _ = noise.markov_spread(axon, 4 * 2500)
    assert fewer / real == pytest.approx(np.sqrt(2.0), rel=0.2)


def test_the_spread_of_a_trunk_axon_needs_some_forty_thousand_langevin_channels(noise):
    _, spread, _ = noise.langevin_spread("ghk", 38000, repeats=100)
    assert spread == pytest.approx(noise.TRUNK_SPREAD, rel=0.1)
    _, distal, _ = noise.langevin_spread("ghk", parameter("firing", "noise_channels"), repeats=100)
    assert distal / spread == pytest.approx(np.sqrt(38000 / 2500), rel=0.12)


# --- what slow noise can do to the steepness ------------------------------------------------


def test_slow_noise_far_below_the_ceiling_leaves_the_slope_as_it_is():
    steep = script("steepness")
    assert steep.tempered_slope(0.0, 1.0, 1e12) == pytest.approx(1.0, abs=1e-6)
    assert steep.tempered_slope(2.0, 1.0, 1e12) == pytest.approx(1.0, abs=1e-6)
    # without noise a saturating rate r has the slope 1 - r/ceiling
    assert steep.tempered_slope(0.0, 100.0, 500.0) == pytest.approx(0.8, abs=1e-4)
    slopes = [steep.tempered_slope(s, 1.0, 500.0) for s in (0.0, 1.0, 3.0, 5.0)]
    assert np.all(np.diff(slopes) < 0) and slopes[1] > 0.98


def test_intervals_under_slow_noise_vary_as_the_closed_form_says():
    steep = script("steepness")
    for spread in (0.3, 0.6):
        expected = steep.interval_cv(spread)
        assert steep.simulated_cv(spread, tau_in_intervals=100.0) == pytest.approx(
            expected, rel=0.05
        )
    assert steep.interval_cv(steep.largest_spread_by_cv()) == pytest.approx(steep.LARGEST_CV)
    assert steep.largest_spread_by_icc(2.0, 0.5) == pytest.approx(2.0)
