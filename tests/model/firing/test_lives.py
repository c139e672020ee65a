"""Rogue sites that come and go: a stationary law, the same at every moment and in every part."""

import numpy as np
import pytest
from scipy import stats

from neurosim.base.parameters import parameter
from neurosim.model.firing.discharge import sample_firing
from neurosim.model.firing.sites import (
    MONTH_S,
    ROGUE,
    Sites,
    add_lives,
    draw_sites,
    lives_rng,
    mean_rogues,
    person_streams,
)
from neurosim.simulation.person_run import follow_sites, healthy_sites, trajectory_hazards
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.simulate import simulate
from neurosim.simulation.state import constant_trajectory, state_from_contributions

UNITS, YEARS = 43, 10.0
LIFE_S = parameter("firing", "site_life_months") * MONTH_S


def person_over(person, duration_s=YEARS * 12.0 * MONTH_S):
    streams = person_streams(5, person, 0)
    mean = mean_rogues(UNITS, "foot_sole", streams[0])
    streams = person_streams(5, person, 0)
    sites = draw_sites(UNITS, "foot_sole", 2.0, streams[0], streams[1])
    return add_lives(sites, mean, 2.0, duration_s, lives_rng(5, person, 0)), mean


def number_at(sites, time_s):
    rogue = sites.origin == ROGUE
    return int((rogue & (sites.born_s <= time_s) & (sites.gone_s > time_s)).sum())


def test_every_moment_has_as_many_sites_and_a_site_lives_as_long_as_told():
    people = [person_over(p) for p in range(200)]
    means = np.array([mean for _, mean in people])
    for time_s in (0.0, 0.1 * LIFE_S, LIFE_S, 5.0 * LIFE_S):
        counts = np.array([number_at(sites, time_s) for sites, _ in people])
        z = (counts - means) / np.sqrt(means)
        assert abs(z.mean()) < 4.0 / np.sqrt(z.size)
        assert z.std() == pytest.approx(1.0, abs=0.2)
    lives = np.concatenate(
        [s.gone_s[s.born_s >= 0.0] - s.born_s[s.born_s >= 0.0] for s, _ in people]
    )
    assert stats.kstest(lives[:4000] / LIFE_S, "expon").pvalue > 1e-3
    born = np.concatenate([s.born_s[s.born_s >= 0.0] for s, _ in people])
    assert stats.kstest(born[:4000] / (YEARS * 12.0 * MONTH_S), "uniform").pvalue > 1e-3


def test_a_longer_run_begins_as_a_shorter_one():
    short, _ = person_over(3, LIFE_S)
    long, _ = person_over(3)
    kept = long.born_s < LIFE_S
    for name in ("sodium_multiplier", "event_size", "unit", "born_s", "gone_s"):
        assert np.array_equal(getattr(long, name)[kept], getattr(short, name)), name


def test_no_site_comes_or_goes_within_a_day():
    assert np.isinf(healthy_sites(Scenario(duration_s=3600.0), 1).gone_s).all()
    assert np.isfinite(healthy_sites(Scenario(duration_s=86_400.0), 1).gone_s).any()


def test_a_site_that_is_not_there_does_not_fire():
    # One busy event site in each of three units: always there, comes on day 3, goes on day 2.
    day, scenario = 86_400.0, Scenario(duration_s=7.0 * 86_400.0)
    sites = Sites(
        np.ones(3), np.arange(3), np.full(3, ROGUE), 3, np.full(3, 0.12),
        np.array([-np.inf, 3.0 * day, -np.inf]), np.array([np.inf, np.inf, 2.0 * day]),
    )  # fmt: skip
    state = state_from_contributions(())
    trajectory = follow_sites(constant_trajectory(state), sites, scenario)
    hazards = trajectory_hazards(trajectory, sites, scenario)
    firing = sample_firing(hazards, scenario.duration_s, np.random.default_rng(4))
    days = [np.floor(firing.time_s[firing.unit == unit] / day) for unit in range(3)]
    assert set(days[0]) == set(range(7))
    assert set(days[1]) == {3, 4, 5, 6} and set(days[2]) == {0, 1}
    counts = [np.bincount(d.astype(int), minlength=7) for d in days]
    usual = counts[0].mean()
    for count, there in ((counts[1], slice(3, 7)), (counts[2], slice(0, 2))):
        assert count[there] == pytest.approx(usual, abs=5.0 * np.sqrt(usual))


def test_a_site_fires_in_its_life_alone_and_the_rate_is_that_of_who_is_there():
    result = simulate("normal", person=2, duration_s=28 * 86_400.0, muscle="foot_sole")
    sites, firing = result.sites, result.firing
    for unit in np.unique(firing.unit):
        here = np.flatnonzero((sites.unit == unit) & (sites.origin == ROGUE))
        times = firing.time_s[firing.unit == unit]
        first, last = sites.born_s[here].min(), sites.gone_s[here].max()
        assert times.min() >= first - 1.0 and times.max() <= last + 1.0
    changes = np.concatenate([sites.born_s, sites.gone_s])
    changes = changes[(changes > 1.0) & (changes < result.scenario.duration_s)]
    assert changes.size > 0 and np.isin(changes, result.trajectory.at_s).all()
    expected = result.expected_per_min * result.scenario.duration_s / 60.0
    bursts = (firing.place == 0).sum()
    assert bursts == pytest.approx(expected, rel=0.03)
