"""The sampler in a body that changes: rescaled time, a stepped clock, what carries over."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from neurosim.base.parameters import parameter
from neurosim.model.firing.discharge import (
    HazardCourse,
    UnitHazard,
    balance,
    expected_bursts_per_min,
    sample_by_time_steps,
    sample_firing,
)

GRID = np.array([0.0, 0.7, 1.5, 2.5, 4.0, 6.0])
DEAD_S = parameter("firing", "burst_dead_time_ms") / 1000.0


def course(at_s, rates, *, slope=0.0, pair=0.0, load=0.0, tau=360.0, unit=None):
    """Return sites whose bursts per minute without load are `rates`, shape (knots, sites)."""
    rates = np.atleast_2d(np.asarray(rates, float))
    n = rates.shape[1]
    unit = np.arange(n) if unit is None else np.asarray(unit)
    pair = np.broadcast_to(np.atleast_1d(pair).astype(float), (len(rates),))
    knots = tuple(
        UnitHazard(
            GRID,
            row[:, None] * np.exp(-slope * GRID),
            unit,
            np.arange(n) % 3,
            np.full(n, p),
            int(unit.max()) + 1,
            load,
            tau,
            1e6,
        )
        for row, p in zip(rates, pair, strict=True)
    )
    return HazardCourse(np.asarray(at_s, float), knots)


def draw(law, duration_s, seed):
    return sample_firing(law, duration_s, np.random.default_rng(seed))


def integrated(at_s, rates, begin, end):
    """Return the integral of rates log-linear between times, from begin to end, by quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    total = 0.0
    cuts = np.unique(np.clip([begin, *at_s, end], begin, end))
    for a, b in itertools.pairwise(cuts):
        t = 0.5 * (b - a) * (1.0 + nodes) + a
        total += 0.5 * (b - a) * (weights * np.exp(np.interp(t, at_s, np.log(rates)))).sum()
    return total / 60.0


AT = [0.0, 40.0, 100.0, 101.0, 300.0]
RATES = [6.0, 120.0, 120.0, 3.0, 60.0]


def test_time_rescaled_by_a_changing_law_is_exponential_over_seeds():
    law, p_values, pooled = course(AT, np.array([RATES]).T), [], []
    for seed in range(30):
        time = draw(law, 300.0, seed).time_s
        start = np.append(0.0, time[:-1] + DEAD_S)
        gaps = np.array([integrated(AT, RATES, a, b) for a, b in zip(start, time, strict=True)])
        p_values.append(stats.kstest(gaps, "expon").pvalue)
        pooled.append(gaps)
    assert np.concatenate(pooled).size > 4000
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3
    assert stats.kstest(np.concatenate(pooled), "expon").pvalue > 1e-3


def test_many_quiet_units_fire_when_the_law_says():
    # 3000 units of a few bursts each: their times follow the law itself, thinned by nothing
    law = course([0.0, 600.0, 900.0], np.array([[0.02], [1.0], [0.02]]) * np.ones(3000))
    time = draw(law, 900.0, 7).time_s
    grid = np.linspace(0.0, 900.0, 91)
    cumulated = np.array([integrated([0, 600, 900], [0.02, 1.0, 0.02], 0, t) for t in grid])
    uniform = np.interp(time, grid, cumulated / cumulated[-1])
    assert time.size == pytest.approx(3000 * cumulated[-1], rel=0.05)
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3


def test_under_load_counts_agree_with_the_clock_through_a_change():
    law = course(
        [0.0, 8.0, 9.0, 20.0],
        [[20.0, 200.0], [200.0, 200.0], [250.0, 10.0], [60.0, 300.0]],
        slope=1.0,
        pair=[0.1, 0.5, 0.5, 0.2],
        load=0.3,
        tau=8.0,
    )
    clock = [sample_by_time_steps(law, 20.0, np.random.default_rng(s), dt_s=2e-3) for s in range(8)]
    exact = [draw(law, 20.0, 100 + s) for s in range(400)]
    for unit in range(2):
        for begin, end in ((0.0, 8.0), (8.0, 12.0), (12.0, 20.0)):
            a, b = (
                np.array(
                    [
                        (
                            (f.unit == unit)
                            & (f.place == 0)
                            & (f.time_s >= begin)
                            & (f.time_s < end)
                        ).sum()
                        for f in firings
                    ]
                )
                for firings in (clock, exact)
            )
            error = b.std(ddof=1) * np.sqrt(1.0 / a.size + 1.0 / b.size)
            assert abs(a.mean() - b.mean()) < 3.5 * error, (unit, begin)
    places = [np.concatenate([f.place for f in g]) for g in (clock, exact)]
    counts = np.stack([np.bincount(np.minimum(p, 3), minlength=4) for p in places])
    assert stats.chi2_contingency(counts).pvalue > 1e-3


def test_the_load_is_carried_over_a_knot():
    # a busy first half leaves sodium behind; the second half begins quieter than it goes on
    rates = np.array([[300.0], [300.0], [60.0], [60.0]]) * np.ones(400)
    law = course([0.0, 60.0, 60.001, 400.0], rates, slope=1.0, load=0.05, tau=60.0)
    firing = draw(law, 400.0, 3)
    counts = np.histogram(firing.time_s, [60.0, 75.0, 250.0, 400.0])[0] / (15.0, 175.0, 150.0)
    assert counts[0] < 0.75 * counts[2]
    before = (firing.time_s > 55.0) & (firing.time_s < 60.0)
    after = (firing.time_s > 60.0) & (firing.time_s < 65.0)
    low, high = firing.load_mmol_l[before].mean(), firing.load_mmol_l[after].mean()
    assert 0.85 * low < high < 1.05 * low
    calm = balance(law.knots[-1])[1][0]
    assert firing.load_mmol_l[firing.time_s > 350.0].mean() == pytest.approx(calm, rel=0.1)


def test_the_chance_of_a_further_spike_changes_too():
    law = course([0.0, 300.0, 600.0], np.full((3, 30), 60.0), pair=[0.0, 0.6, 0.6])
    firing = draw(law, 600.0, 1)
    for begin, end, chance in ((100.0, 110.0, 0.21), (300.0, 600.0, 0.6)):
        within = (firing.time_s > begin) & (firing.time_s < end)
        n, longer = (firing.place[within] == 0).sum(), (firing.place[within] == 1).sum()
        assert stats.binomtest(int(longer), int(n), chance).pvalue > 1e-3


def test_knots_that_say_the_same_leave_the_discharges_as_they_are_in_law():
    constant = course([0.0], [[30.0, 9.0]], slope=1.0, load=0.1, pair=0.3)
    same = course([0.0, 100.0, 250.0], np.tile([30.0, 9.0], (3, 1)), slope=1.0, load=0.1, pair=0.3)
    counts = [[len(draw(law, 600.0, s)) for s in range(200)] for law in (constant, same)]
    assert stats.ks_2samp(*counts).pvalue > 1e-3
    assert expected_bursts_per_min(same) == pytest.approx(expected_bursts_per_min(constant))
    alone = draw(constant.knots[0], 600.0, 5)
    assert np.array_equal(alone.time_s, draw(constant, 600.0, 5).time_s)


def test_a_site_that_is_silent_at_first_is_not_left_out():
    law = course([0.0, 100.0, 200.0], [[1e-25], [1e-25], [600.0]])
    time = draw(law, 200.0, 2).time_s
    assert time.size > 5 and time.min() > 150.0


def test_the_expected_rate_is_the_mean_over_time():
    law = course([0.0, 100.0, 300.0], [[1.0], [10.0], [10.0]])
    by_hand = (100.0 * 9.0 / np.log(10.0) + 200.0 * 10.0) / 300.0
    assert expected_bursts_per_min(law) == pytest.approx([by_hand], rel=1e-9)
    sixty = dataclasses.replace(law, at_s=np.array([0.0, 60.0, 180.0]))
    assert expected_bursts_per_min(sixty) == pytest.approx([by_hand], rel=1e-9)
