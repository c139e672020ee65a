"""Cramps: plateaus across a pool, what starts them, what ends them, and trains read by hand."""

import numpy as np
import pytest

from neurosim.model.soma import cramp, pool, trains
from neurosim.model.soma.soma import SomaConditions


@pytest.fixture(scope="module")
def cramping():
    """Return the plateaus of people that nothing was fitted on."""
    return cramp.plateau_census(3, 30, cramp.Stimulation(40.0), seed=100)


def test_units_fire_in_a_cramp_as_minetto_found(cramping):
    measured, early = cramping
    assert early < 90, "under one spike a unit in the second before the stimulation"
    assert len(measured) > 0.8 * 90
    means = {
        k: np.mean([getattr(p, k) for p in measured])
        for k in ("mean_per_s", "least_per_s", "largest_per_s", "duration_s")
    }
    # Minetto 2009, 48 units: mean +- SD
    assert means["mean_per_s"] == pytest.approx(14.5, abs=5.1)
    assert means["largest_per_s"] == pytest.approx(25.0, abs=8.0)
    assert means["duration_s"] == pytest.approx(23.6, abs=16.2)


def test_stretch_ends_a_cramp_and_without_the_current_there_is_none():
    motoneurons = cramp.person_pool(0, 30, prone=False)
    for gain, inhibition, left in ((1.0, 0.0, True), (1.0, 30.0, False), (0.0, 0.0, False)):
        conditions = cramp.shorten(SomaConditions(pic_gain=gain))
        run = cramp.stimulate(
            motoneurons, conditions, cramp.Stimulation(40.0, 8.0, inhibition, 1.0), seed=7
        )
        between = (run.time_s > 4.0) & (run.time_s < 6.0)
        late = run.time_s > 8.5
        assert (between.sum() > 100) == (gain > 0.0)
        assert (late.sum() > 100) == left


def test_a_census_is_its_people_one_by_one():
    measured, early = cramp.plateau_census(2, 12, cramp.Stimulation(40.0, 4.0), seed=70)
    by_hand = []
    for person in (0, 1):
        motoneurons = cramp.person_pool(person, 12, prone=False)
        run = cramp.stimulate(
            motoneurons, cramp.shorten(), cramp.Stimulation(40.0, 4.0), seed=70 + person
        )
        assert run.duration_s == pytest.approx(1.0 + 2.0 + 4.0)
        by_hand += [trains.self_sustained_plateau(t, 3.0) for t in run.trains_s()]
    assert measured == [p for p in by_hand if p is not None]
    driven = SomaConditions(drive_scale=4.0)  # fires at rest
    short = cramp.Stimulation(40.0, 2.0)
    assert cramp.plateau_census(1, 12, short, seed=70, conditions=driven)[1] > early
    with_stretch = cramp.stimulate(
        motoneurons, cramp.shorten(), cramp.Stimulation(40.0, 4.0, 30.0, 1.0), seed=1
    )
    assert with_stretch.duration_s == pytest.approx(1.0 + 2.0 + 4.0)


def test_the_cramp_prone_need_a_lower_rate_and_gain_lowers_it():
    people = range(20, 24)
    usual, prone = (
        np.nanmean(cramp.cramp_threshold_hz(people, 24, p, seed=60)) for p in (False, True)
    )
    assert prone == pytest.approx(14.9, abs=5.0)  # Miller & Knight 2009
    assert usual == pytest.approx(25.5, abs=5.0)
    more = cramp.cramp_threshold_hz(
        people, 24, True, seed=60, conditions=SomaConditions(pic_gain=1.25)
    )
    assert np.mean(more) < prone
    none = cramp.cramp_threshold_hz(
        people, 24, True, seed=60, conditions=SomaConditions(pic_gain=0.0)
    )
    assert np.isnan(none).all()


def test_trains_are_read_as_by_hand():
    t = np.concatenate([[0.0], np.arange(1.0, 2.05, 0.1)])
    assert trains.recruitment_s(t) == pytest.approx((1.0, 2.0))
    assert trains.first_rate_per_s(t[1:]) == pytest.approx(10.0)
    assert trains.rate_per_s(t, 0.95, 1.45) == pytest.approx(10.0)
    assert trains.rate_per_s(t, 5.0, 6.0) == 0.0
    assert trains.interval_cv(t[1:]) == pytest.approx(0.0, abs=1e-9)
    assert trains.smooth_rate_per_s(t, 1.5) == pytest.approx(10.0)
    assert np.isnan(trains.first_rate_per_s(t[:3])) and np.isnan(trains.interval_cv(t[:2]))
    assert np.isnan(trains.recruitment_s(np.array([0.0, 1.0]))).all()
    # control 10 per s up to 5 s, then 6: test on in the first part, off in the second
    control = np.concatenate([np.arange(0.0, 5.0, 0.1), np.arange(5.0, 10.0, 1.0 / 6.0)])
    test = np.arange(2.0, 8.0, 0.125)
    assert trains.delta_f_per_s(control, test) == pytest.approx(4.0, abs=0.1)
    assert np.isnan(trains.delta_f_per_s(test, control))
    # a second after the control at least, and half a second before its end
    assert np.isnan(trains.delta_f_per_s(control, np.arange(0.5, 8.0, 0.125)))
    assert np.isnan(trains.delta_f_per_s(control, np.arange(2.0, 9.9, 0.125)))


def test_a_plateau_is_read_as_by_hand():
    t = np.concatenate([np.arange(0.0, 3.0, 0.05), np.arange(3.0, 8.01, 0.1), [9.0, 9.1]])
    p = trains.self_sustained_plateau(t, 3.0)
    assert p.duration_s == pytest.approx(5.0)
    assert (p.mean_per_s, p.least_per_s, p.largest_per_s) == pytest.approx((10.0, 10.0, 10.0))
    assert trains.self_sustained_plateau(t, 8.5) is None
    assert trains.self_sustained_plateau(t + 1.0, 0.0) is None, "begins too late"
    short = np.cumsum(np.r_[0.0, np.full(20, 0.1), 0.05, np.full(20, 0.1)])
    assert trains.self_sustained_plateau(short, 0.0).largest_per_s == pytest.approx(
        5.0 / 0.45
    )  # five intervals
    assert trains.self_sustained_plateau(t, 3.0, least_s=6.0) is None


def test_a_pool_of_a_person_is_the_same_every_time():
    a, b, c = (cramp.person_pool(p, 20, False).pic_mv for p in (1, 1, 2))
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert np.ptp(pool.build_pool(20).pic_mv) == 0.0
    lower = cramp.person_pool(1, 20, True).pic_half_mv - cramp.person_pool(1, 20, False).pic_half_mv
    assert (lower < 0.0).all()


def after_push(duration_s, **change):
    conditions = cramp.Cramping(**{"pic_scale": 1.0, "push_mv": 20.0, **change})
    seeds = np.random.SeedSequence(3).spawn(2)
    return cramp.spikes_after_push(20, conditions, SomaConditions(), duration_s, *seeds)


def test_a_lower_current_holds_on_and_the_pool_is_followed_no_longer_than_told(monkeypatch):
    usual, lower = (after_push(4.0, pic_lowered_mv=mv)[0].size for mv in (0.0, 6.0))
    assert lower > 20 and usual < 0.5 * lower
    monkeypatch.setattr(cramp, "LONGEST_S", 2.0)
    late = after_push(4.0, pic_lowered_mv=6.0)[0]
    assert 1.5 < late.max() < 2.0


def test_the_threshold_is_the_least_rate_on_the_grid_that_cramps(monkeypatch):
    least = {65: 13.0, 66: 60.0, 67: 61.0, 68: 1.0, 69: 14.0}  # by seed + person
    monkeypatch.setattr(
        cramp, "has_cramp", lambda motoneurons, conditions, hz, seed: hz >= least[seed]
    )
    measured = cramp.cramp_threshold_hz(range(5, 10), 8, False, seed=60)
    assert measured == pytest.approx([14.0, 60.0, np.nan, 2.0, 14.0], nan_ok=True)
