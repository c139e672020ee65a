"""The motor neuron's soma: closed forms, statistics of its noise, firing, and refusals."""

from types import SimpleNamespace

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter
from neurosim.model.body import contributions, state
from neurosim.model.soma import soma as mn

HEALTHY = mn.SomaConditions()


def soma(name):
    return parameter("soma", f"soma_{name}")


@pytest.fixture
def without(monkeypatch):
    """Set some soma numbers to other values."""

    def override(**changes):
        def changed(room, name):
            return changes.get(name.removeprefix("soma_"), parameter(room, name))

        monkeypatch.setattr(mn, "parameter", changed)

    return override


def settled(conditions, drive_mv, duration_ms, seed, neurons, dt_ms=0.2, skip_ms=200.0):
    """Return the potentials and spike times after the first `skip_ms`."""
    trace = mn.simulate_soma(
        conditions, drive_mv, duration_ms + skip_ms, dt_ms, seed=seed, neurons=neurons
    )
    late = trace.time_ms >= skip_ms
    return trace.potential_mv[:, late], [s[s >= skip_ms] for s in trace.spikes]


def test_healthy_soma_rests_below_threshold_and_hardly_misfires():
    assert mn.resting_mv(HEALTHY) == soma("tone_mv") + soma("pic_mv")
    assert mn.margin_mv(HEALTHY) == pytest.approx(soma("threshold_mv") - mn.resting_mv(HEALTHY))
    # Reimers 1996: a twitch in 11 % of people who had 28 muscles (of some 200 units) looked
    # at for half a minute each; somata may not give more than half of that
    assert 0 < 28 * 200 * 0.5 * mn.misfires_per_min(HEALTHY) < 0.055


@pytest.mark.parametrize("above_mv", [0.5, 3.0, 12.0])
def test_noiseless_period_is_that_of_the_leaky_integrator(without, above_mv):
    without(adaptation_mv=0.0)
    quiet = HEALTHY.replace(synaptic_noise_scale=0, ahp_scale=0)
    dt = 0.05
    trace = mn.simulate_soma(quiet, mn.margin_mv(quiet) + above_mv, 500, dt, seed=0)
    reached, reset = soma("threshold_mv") + above_mv, soma("reset_mv")
    period = soma("refractory_ms") + soma("tau_membrane_ms") * np.log((reached - reset) / above_mv)
    intervals = np.diff(trace.spikes[0])
    assert intervals.size > 5
    assert np.all((intervals >= period - 1e-6) & (intervals <= period + dt + 1e-6))


def test_noiseless_soma_below_threshold_is_silent():
    quiet = HEALTHY.replace(synaptic_noise_scale=0)
    trace = mn.simulate_soma(quiet, mn.margin_mv(quiet) - 0.1, 500, seed=0)
    assert trace.spikes[0].size == 0
    assert trace.potential_mv[0, -1] == pytest.approx(trace.threshold_baseline_mv - 0.1, abs=1e-6)


@pytest.mark.parametrize("tau_s", [3.0, 10.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_potential_has_the_stated_deviation(without, tau_s, seed):
    without(noise_tau_ms=tau_s)
    # far below threshold, so that no spike disturbs it; also right from the first sample
    noisy = HEALTHY.replace(synaptic_noise_scale=1.2)
    v, spikes = settled(noisy, -30.0, 1500, seed, 100, skip_ms=0.0)
    assert sum(s.size for s in spikes) == 0
    v = v - v.mean(axis=0)
    # about 40 independent pieces per neuron: relative error near 1/sqrt(2 x 4000) = 1.1 %
    assert v.std() == pytest.approx(soma("noise_mv") * 1.2, rel=0.045)


@pytest.mark.parametrize("dt_ms", [0.05, 0.5])
def test_one_step_law_does_not_depend_on_the_step(dt_ms):
    v, _ = settled(HEALTHY, -30.0, 1000, 5, 100, dt_ms=dt_ms)
    lag = round(10.0 / dt_ms)
    r = np.mean((v[:, lag:] - v.mean()) * (v[:, :-lag] - v.mean())) / v.var()
    # tau_m = tau_s = tau: autocorrelation (1 + t/tau) exp(-t/tau)
    assert soma("tau_membrane_ms") == soma("noise_tau_ms") == 10.0
    assert r == pytest.approx(2.0 * np.exp(-1.0), abs=0.04)


def test_rice_rate_counts_the_upcrossings_of_the_noise():
    v, _ = settled(HEALTHY, -30.0, 5000, 8, 400)
    v = v - v.mean()
    for sigmas in (2.5, 3.0):
        level = sigmas * mn.noise_mv(HEALTHY)
        crossings = np.sum((v[:, :-1] < level) & (v[:, 1:] >= level))
        away = level - mn.margin_mv(HEALTHY)
        expected = mn.misfires_per_min(HEALTHY, away) * 400 * 5 / 60
        # counting error, doubled in variance for clusters; steps of 0.2 ms miss a few
        assert abs(crossings - expected) < 3 * np.sqrt(2 * expected) + 0.03 * expected


@pytest.mark.parametrize("sigmas", [2.5, 3.0])
def test_rice_rate_against_simulated_spikes(without, sigmas):
    without(adaptation_mv=0.0)
    plain = HEALTHY.replace(ahp_scale=0)
    away = sigmas * mn.noise_mv(plain) - mn.margin_mv(plain)
    crossings = 0
    for seed in range(2):
        _, spikes = settled(plain, -away, 4000, seed, 400)
        crossings += sum(s.size for s in spikes)
    expected = mn.misfires_per_min(plain, away) * 2 * 400 * 4 / 60
    # three deviations of counting, and up to an eighth lost to reset and clustered crossings
    assert 0.875 * expected - 3 * np.sqrt(expected) < crossings < expected + 3 * np.sqrt(expected)


def test_rice_rate_by_hand_and_over_offsets():
    offsets = np.array([[-1.0, 0.0], [1.0, 40.0]])
    rates = mn.misfires_per_min(HEALTHY, offsets)
    sigma, m = soma("noise_mv"), mn.margin_mv(HEALTHY) - 1.0
    assert rates.shape == (2, 2)
    assert rates[0, 0] == pytest.approx(6000 / (2 * np.pi) * np.exp(-0.5 * (m / sigma) ** 2))
    assert rates[0, 0] > rates[0, 1] > rates[1, 0] > rates[1, 1] >= 0
    ceiling = 6000 / (2 * np.pi)
    assert np.allclose(mn.misfires_per_min(HEALTHY, [-8.5, -20]), ceiling)
    silent = HEALTHY.replace(synaptic_noise_scale=0)
    assert np.array_equal(mn.misfires_per_min(silent, [0.0, -20.0]), [0.0, ceiling])


def test_divalents_move_the_threshold_by_the_stated_law():
    w = soma("magnesium_weight")
    for ca, mg in ((0.7, 0.55), (1.2, 0.2), (1.8, 1.0)):
        parts = mn.threshold_parts_mv(
            HEALTHY.replace(calcium_out_mmol_l=ca, magnesium_out_mmol_l=mg)
        )
        law = -soma("gate_shift") * np.log((1.2 + w * 0.55) / (ca + w * mg))
        assert parts["electrolyte"] == pytest.approx(law)
        assert parts["baseline"] == soma("threshold_mv")
    low = HEALTHY.replace(calcium_out_mmol_l=0.8)
    assert mn.margin_mv(low) < mn.margin_mv(HEALTHY)
    assert mn.misfires_per_min(low) > mn.misfires_per_min(HEALTHY)


def test_potassium_and_gains_move_the_rest():
    doubled = HEALTHY.replace(potassium_out_mmol_l=8.4)
    rise = mn.resting_mv(doubled) - mn.resting_mv(HEALTHY)
    assert rise == pytest.approx(soma("potassium_share") * 26.727 * np.log(2), rel=1e-4)
    assert mn.resting_mv(HEALTHY.replace(pic_gain=2)) - mn.resting_mv(HEALTHY) == soma("pic_mv")
    assert mn.resting_mv(HEALTHY.replace(drive_scale=0)) == soma("pic_mv")


def test_firing_starts_slowly_and_regularly_and_rises_with_drive():
    start = mn.margin_mv(HEALTHY) + 1.0
    rates, variations = [], []
    for above in (0.0, 9.0, 24.0):
        _, spikes = settled(HEALTHY, start + above, 4000, 3, 12, skip_ms=1000)
        intervals = [np.diff(s) for s in spikes]
        rates.append(np.mean([s.size for s in spikes]) / 4)
        variations.append(np.mean([i.std() / i.mean() for i in intervals]))
    assert 6 < rates[0] < 9 and 15 < rates[1] < 25 and 25 < rates[2] < 50
    assert all(0.1 < cv < 0.35 for cv in variations)


def test_adaptation_and_ahp_slow_the_firing(without):
    drive = mn.margin_mv(HEALTHY) + 5.0

    def count(conditions):
        return sum(s.size for s in settled(conditions, drive, 2000, 1, 4)[1])

    base = count(HEALTHY)
    assert count(HEALTHY.replace(ahp_scale=1.5)) < base < count(HEALTHY.replace(ahp_scale=0.5))
    assert count(HEALTHY.replace(drive_scale=0.7)) < base
    without(adaptation_mv=0.0)
    assert count(HEALTHY) > base


def test_trace_is_absolute_and_its_threshold_the_sum_of_its_parts():
    low = HEALTHY.replace(calcium_out_mmol_l=0.8)
    drive = np.concatenate([np.linspace(0, 15, 5000), np.full(5000, 15.0)])
    trace = mn.simulate_soma(low, drive, 1000, seed=2, neurons=3)
    assert trace.potential_mv.shape == trace.threshold_mv.shape == (3, 10_000)
    assert trace.time_ms[1] == 0.1
    assert trace.threshold_baseline_mv == soma("rest_mv") + soma("threshold_mv")
    assert trace.threshold_electrolyte_mv < 0
    for k, times in enumerate(trace.spikes):
        at = np.searchsorted(trace.time_ms, times - 1e-6)
        assert at.size > 3
        assert np.all(trace.potential_mv[k, at] >= trace.threshold_mv[k, at])
        assert np.allclose(trace.potential_mv[k, at + 1], soma("rest_mv") + soma("reset_mv"))
        assert trace.threshold_adaptation_mv[k, 0] == 0
        jump = np.diff(trace.threshold_adaptation_mv[k])[at]
        assert np.allclose(jump, soma("adaptation_mv"), atol=0.02)


def test_same_seed_same_trace_and_neurons_do_not_depend_on_their_number(monkeypatch):
    drive = mn.margin_mv(HEALTHY) + 2.0
    seed = np.random.SeedSequence(11)
    few = mn.simulate_soma(HEALTHY, drive, 300, seed=seed, neurons=2)
    monkeypatch.setattr(mn, "_CHUNK", 1000)
    many = mn.simulate_soma(HEALTHY, drive, 300, seed=seed, neurons=5)
    again = mn.simulate_soma(HEALTHY, drive, 300, seed=11, neurons=5)
    assert np.array_equal(many.potential_mv, again.potential_mv)
    assert np.allclose(few.potential_mv, many.potential_mv[:2], rtol=0, atol=1e-9)
    for a, b in zip(few.spikes, many.spikes, strict=False):
        assert np.array_equal(a, b)
    other = mn.simulate_soma(HEALTHY, drive, 300, seed=12, neurons=2)
    assert not np.array_equal(few.potential_mv, other.potential_mv)
    assert not np.array_equal(many.potential_mv[0], many.potential_mv[1])


def test_contributions_apply_by_name_alone():
    body = state.Body(stress=1.0, ionised_calcium_mmol_l=0.9)
    conditions = mn.apply_soma_contributions(contributions.contributions(body))
    assert conditions.pic_gain == pytest.approx(1 + parameter("body", "stress_pic_gain_rise"))
    assert conditions.synaptic_noise_scale == pytest.approx(
        1 + parameter("body", "stress_synaptic_noise_rise")
    )
    assert conditions.calcium_out_mmol_l < 1.2
    assert mn.apply_soma_contributions([]) == HEALTHY
    assert mn.misfires_per_min(conditions) > mn.misfires_per_min(HEALTHY)
    fields = set(mn.SomaConditions.__dataclass_fields__)
    assert set(contributions.PARAMETERS["soma"]) == fields
    odd = SimpleNamespace(site="soma", parameter="pic_gian", operation="scale", change=2.0)
    with pytest.raises(NeurosimError, match="pic_gain"):
        mn.apply_soma_contributions([odd])


@pytest.mark.parametrize(
    "changes",
    [
        {"calcium_out_mmol_l": 0.0},
        {"potassium_out_mmol_l": float("nan")},
        {"pic_gain": -1.0},
        {"ahp_scale": "much"},
        {"noise": 1.0},
    ],
)
def test_conditions_refuse_nonsense(changes):
    with pytest.raises(NeurosimError):
        HEALTHY.replace(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"drive_mv": np.zeros(7)},
        {"drive_mv": float("inf")},
        {"drive_mv": "strong"},
        {"duration_ms": -1},
        {"duration_ms": float("nan")},
        {"dt_ms": 0},
        {"dt_ms": 5},
        {"seed": -1},
        {"seed": "x"},
        {"seed": True},
        {"neurons": 0},
        {"neurons": 1.5},
        {"neurons": 10_000_000},
        {"conditions": 3},
    ],
)
def test_simulation_refuses_nonsense(changes):
    good = {"conditions": HEALTHY, "drive_mv": 0.0, "duration_ms": 100, "seed": 1}
    with pytest.raises(NeurosimError):
        mn.simulate_soma(**{**good, **changes})
    with pytest.raises(NeurosimError):
        mn.misfires_per_min(HEALTHY, [0.0, float("nan")])
