"""The pool of motoneurons against what is published of motor units, and its two loops."""

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter
from neurosim.model.soma import pool as pl
from neurosim.model.soma import trains
from neurosim.model.soma.pool import hold_input, join_inputs, ramp_input
from neurosim.model.soma.soma import SomaConditions, resting_mv

POOL = pl.build_pool(120)
SOME = POOL.subset([0, 30, 60, 90, 119])
HEALTHY = SomaConditions()


def triangle(peak=0.1):
    up = ramp_input(10.0, 0.0, peak)
    return join_inputs(up, up[::-1])


@pytest.fixture(scope="module")
def ramped():
    return [
        pl.run_pool(POOL, pl.PoolInput(excitation=triangle()), seed=s).trains_s()
        for s in (21, 22, 23)
    ]


def steady(pool, excitation, seconds=6.0, **options):
    firing = pl.run_pool(
        pool, pl.PoolInput(excitation=excitation, duration_s=seconds), seed=3, **options
    )
    return np.array([trains.rate_per_s(t, 1.0, seconds) for t in firing.trains_s()])


def test_units_scale_as_caillet_says():
    # closed form at i = N, N/2 (0.5^1.1831 = 0.44041) and i = 1 of a large pool
    big = pl.build_pool(10_000)
    assert big.rheobase_na[[0, 4999, 9999]] == pytest.approx([3.85, 10.182, 35.035], rel=1e-3)
    # their resistance, 1.68e-10 / S^2.43 ohm with I_th = 3.82e8 S^2.52, is within 20 % of ours
    area = (big.rheobase_na * 1e-9 / 3.82e8) ** (1 / 2.52)
    assert np.allclose(big.resistance_mohm * 1e6, 1.68e-10 / area**2.43, rtol=0.2)
    assert (np.diff(big.tau_membrane_ms) < 0).all() and (np.diff(big.ahp_tau_ms) < 0).all()


def test_rheobase_is_the_current_that_fires():
    quiet = SomaConditions(drive_scale=0.0, pic_gain=0.0)
    rest = resting_mv(quiet)  # ions only: 0 in health
    assert rest == pytest.approx(0.0)
    for factor, fires in ((0.995, False), (1.005, True)):
        for i in range(SOME.units):
            one = SOME.subset([i])
            changed = factor * one.rheobase_na[0]
            firing = pl.run_pool(
                one, pl.PoolInput(current_na=changed, duration_s=1.0), quiet, seed=1, noise=False
            )
            assert (firing.time_s.size > 0) == fires


def test_the_resting_pool_is_silent_and_rests_where_the_single_soma_does():
    run = pl.run_pool(POOL, pl.PoolInput(duration_s=120.0), seed=5)
    assert run.time_s.size == 0
    seen = pl.run_pool(SOME, pl.PoolInput(duration_s=20.0), seed=5, trace=range(5))
    means = seen.potential_mv.mean(axis=1) - parameter("soma", "soma_rest_mv")
    assert means == pytest.approx(resting_mv(HEALTHY), abs=0.25)
    sds = seen.potential_mv.std(axis=1)
    assert sds == pytest.approx(parameter("soma", "soma_noise_mv"), rel=0.15)


def test_rate_rises_with_drive_to_25_to_50_a_second():
    firing = np.array([steady(SOME, e) for e in (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)])
    assert (np.diff(firing, axis=0) > -0.3).all()
    assert (firing[-1] > 25.0).all() and (firing[-1] < 50.0).all()
    # primary range: mean slope against injected current is near straight, positive (Kernell)
    amps = SOME.rheobase_na[0] * np.linspace(2.0, 4.0, 5)
    one = SOME.subset([0])
    rates = [
        trains.rate_per_s(t, 1.0, 4.0)
        for a in amps
        for t in pl.run_pool(
            one, pl.PoolInput(current_na=a, duration_s=4.0), seed=1, noise=False
        ).trains_s()
    ]
    fit = np.polyfit(amps, rates, 1)
    assert 0.5 < fit[0] < 6.0
    assert np.abs(np.polyval(fit, amps) - rates).max() < 1.0


def test_recruitment_is_in_order_and_begins_at_6_to_8_a_second(ramped):
    first = []
    for firing in ramped:
        begins = np.array([trains.recruitment_s(t)[0] for t in firing])
        on = np.isfinite(begins)
        assert on.sum() > 60
        order = np.argsort(np.argsort(begins[on]))
        assert np.corrcoef(order, np.arange(on.sum()))[0, 1] > 0.9
        first += [trains.first_rate_per_s(t[t >= b]) for t, b in zip(firing, begins, strict=True)]
    assert 6.0 <= np.nanmedian(first) <= 8.0


def test_hysteresis_is_3_to_6_a_second_and_gone_without_the_current(ramped):
    def median(runs):
        pairs = [
            trains.delta_f_per_s(firing[c], firing[t])
            for firing in runs
            for c in range(0, 110, 5)
            for t in range(c + 6, 118, 7)
        ]
        pairs = np.array(pairs)
        assert np.isfinite(pairs).sum() > 30
        return np.nanmedian(pairs)

    assert 3.0 <= median(ramped) <= 6.0
    without = pl.run_pool(
        POOL, pl.PoolInput(excitation=triangle(0.16)), HEALTHY.replace(pic_gain=0.0), seed=21
    )
    assert abs(median([without.trains_s()])) < 1.5


def test_intervals_vary_by_a_tenth_to_a_quarter_in_steady_firing():
    firing = pl.run_pool(POOL, pl.PoolInput(excitation=0.08, duration_s=30.0), seed=8).trains_s()
    cvs = [trains.interval_cv(t[t > 1.0]) for t in firing if trains.rate_per_s(t, 1, 30) > 9.0]
    assert len(cvs) > 20
    assert 0.10 <= np.median(cvs) <= 0.25


@pytest.mark.parametrize("gain", [1.0, 0.0])
def test_a_short_push_leaves_firing_that_a_short_inhibition_ends(gain):
    # held under its threshold by a bias, as plateaus are shown
    changed = HEALTHY.replace(pic_gain=gain)
    bias = 3.5 if gain else 5.0  # without the current the margin is 1.5 mV wider
    parts = [hold_input(2.0, bias), hold_input(0.5, bias + 8.0), hold_input(4.0, bias),
             hold_input(0.5, bias - 10.0), hold_input(4.0, bias)]  # fmt: skip
    run = pl.run_pool(
        SOME, pl.PoolInput(input_mv=join_inputs(*parts)), changed, seed=2, noise=False
    )
    for t in run.trains_s():
        assert not (t < 2.0).any()
        assert ((t > 2.0) & (t < 2.5)).sum() >= 2
        on = ((t > 3.5) & (t < 6.5)).sum() / 3.0
        assert (2.0 < on < 15.0) if gain else on == 0
        assert not (t > 6.7).any()


def test_a_unit_is_the_same_whoever_runs_beside_it():
    drive = triangle(0.2)[:4000]
    all_of = pl.run_pool(POOL, pl.PoolInput(excitation=drive), seed=9).trains_s()
    few = pl.run_pool(POOL.subset(slice(0, 3)), pl.PoolInput(excitation=drive), seed=9).trains_s()
    for a, b in zip(all_of, few, strict=False):
        assert np.array_equal(a, b)
    assert not np.array_equal(
        pl.run_pool(POOL, pl.PoolInput(excitation=drive), seed=10).time_s,
        pl.run_pool(POOL, pl.PoolInput(excitation=drive), seed=9).time_s,
    )


def test_half_the_noise_is_common():
    # correlation of two equal resting units' potentials: 0.37 + 0.13 of the variance
    twins = POOL.subset([5, 5])
    v = pl.run_pool(twins, pl.PoolInput(duration_s=100.0), seed=4, trace=(0, 1)).potential_mv
    assert np.corrcoef(v)[0, 1] == pytest.approx(0.5, abs=0.06)


def test_both_loops_do_the_same(monkeypatch):
    pytest.importorskip("numba")
    drive = join_inputs(
        ramp_input(0.5, 0.0, 0.6), hold_input(11.0, 0.3), hold_input(0.5)
    )  # over a chunk's edge
    fast = pl.run_pool(SOME, pl.PoolInput(excitation=drive), seed=6, trace=(0, 4))
    monkeypatch.setenv("NEUROSIM_BACKEND", "numpy")
    slow = pl.run_pool(SOME, pl.PoolInput(excitation=drive), seed=6, trace=(0, 4))
    assert fast.time_s.size > 500
    assert np.array_equal(fast.unit, slow.unit)
    assert np.allclose(fast.time_s, slow.time_s, atol=1e-9)
    for name in ("potential_mv", "threshold_adaptation_mv", "pic_mv"):
        assert np.allclose(getattr(fast, name), getattr(slow, name), atol=1e-6)


def test_traces_hold_the_labelled_parts():
    low = HEALTHY.replace(calcium_out_mmol_l=0.8)
    run = pl.run_pool(SOME, pl.PoolInput(excitation=0.2, duration_s=2.0), low, seed=1, trace=(2,))
    assert run.potential_mv.shape == run.pic_mv.shape == (1, run.time_ms.size)
    assert run.threshold_electrolyte_mv < 0.0
    rested = run.threshold_baseline_mv + run.threshold_electrolyte_mv
    assert np.allclose(run.threshold_mv - run.threshold_adaptation_mv, rested)
    # at every spike the potential shown is at or above the threshold before its jump
    at = np.searchsorted(run.time_ms, run.spikes_s(2) * 1000.0 - 1e-6)
    jump = parameter("soma", "soma_adaptation_mv")
    assert (run.potential_mv[0, at] >= run.threshold_mv[0, at] - jump - 1e-9).all()
    assert at.size > 5 and 0.0 < run.pic_mv.max() <= SOME.pic_mv[2]


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"calcium_out_mmol_l": 0.8}, True),
        ({"potassium_out_mmol_l": 6.0}, True),
        ({"pic_gain": 1.5}, True),
        ({"drive_scale": 1.2}, True),
        ({"drive_scale": 0.8}, False),
        ({"ahp_scale": 1.5}, False),
    ],
)
def test_conditions_move_firing_as_they_should(change, more):
    changed, before = (
        steady(SOME, 0.3, conditions=c) for c in (HEALTHY.replace(**change), HEALTHY)
    )
    assert (changed > before).all() if more else (changed < before).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pl.build_pool(0), "units = 0"),
        (lambda: pl.build_pool(2.5), "whole number"),
        (lambda: POOL.replace(pic=1.0), "did you mean"),
        (lambda: pl.run_pool(POOL, pl.PoolInput(), seed=1), "one length"),
        (
            lambda: pl.run_pool(
                POOL, pl.PoolInput(excitation=hold_input(1.0), input_mv=hold_input(2.0)), seed=1
            ),
            "one length",
        ),
        (
            lambda: pl.run_pool(POOL, pl.PoolInput(excitation=1.5, duration_s=1.0), seed=1),
            "between 0 and 1",
        ),
        (
            lambda: pl.run_pool(POOL, pl.PoolInput(excitation="much", duration_s=1.0), seed=1),
            "finite numbers",
        ),
        (lambda: pl.run_pool(POOL, pl.PoolInput(duration_s=1.0), seed=-1), "seed"),
        (lambda: pl.run_pool(POOL, pl.PoolInput(duration_s=1e6), seed=1), "fewer units"),
        (
            lambda: pl.run_pool(POOL, pl.PoolInput(duration_s=1.0), seed=1, trace=(120,)),
            "trace = 120",
        ),
        (
            lambda: pl.run_pool(POOL, pl.PoolInput(duration_s=1000.0), seed=1, trace=range(9)),
            "trace fewer",
        ),
        (lambda: pl.run_pool(POOL, pl.PoolInput(duration_s=1.0), 3, seed=1), "SomaConditions"),
    ],
)
def test_mistakes_are_one_sentence(call, words):
    with pytest.raises(NeurosimError, match=words):
        call()
