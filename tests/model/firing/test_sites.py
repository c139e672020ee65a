"""The sites of a person: the same in every state, and distributed as the numbers say."""

import numpy as np
import pytest
from scipy import stats

from neurosim.base.parameters import override, parameter
from neurosim.model.body.state import Body
from neurosim.model.firing.sites import BULK, CLASSES, ROGUE, draw_sites, person_streams
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.simulation.person_run import person_sites
from neurosim.simulation.scenario import Scenario

CRITICAL = 2.85


def of_person(person, muscle_index=0, units=40, site_class="foot_sole", seed=1):
    person_rng, rng, _ = person_streams(seed, person, muscle_index)
    return draw_sites(units, site_class, CRITICAL, person_rng, rng)


def same(a, b):
    return a.units == b.units and all(
        np.array_equal(getattr(a, n), getattr(b, n))
        for n in ("sodium_multiplier", "unit", "origin")
    )


@pytest.mark.parametrize("site_class", CLASSES)
def test_sites_are_sorted_by_unit_and_of_two_kinds(site_class):
    sites = of_person(3, site_class=site_class)
    assert np.all(np.diff(sites.unit) >= 0)
    assert sites.unit.min() >= 0 and sites.unit.max() < sites.units
    assert set(sites.origin) <= {BULK, ROGUE}
    per_unit = np.bincount(sites.unit[sites.origin == BULK], minlength=sites.units)
    assert np.all(per_unit == parameter("firing", "bulk_sites_per_unit"))
    assert np.all(sites.sodium_multiplier[sites.origin == ROGUE] >= 1.0) and np.all(
        sites.sodium_multiplier > 0
    )


def test_a_person_has_the_same_sites_in_every_state_and_for_any_time():
    healthy, firing = person_sites(Scenario(), 5)
    ill = Scenario(body=Body(ionised_calcium_mmol_l=0.8, stress=1.0), duration_s=77.0, people=9)
    altered, again = person_sites(ill, 5)
    assert same(healthy, altered)
    assert firing.random() == again.random()


def test_a_person_does_not_depend_on_who_was_drawn_before():
    alone = of_person(4)
    for person in (0, 1, 2, 3, 9):
        of_person(person)
    assert same(alone, of_person(4))


def test_people_seeds_and_muscles_differ_in_their_sites():
    base = of_person(0)
    for other in (of_person(1), of_person(0, seed=2), of_person(0, muscle_index=1)):
        assert not np.array_equal(base.sodium_multiplier[:20], other.sodium_multiplier[:20])
    sites = [person_sites(Scenario(muscle=name), 0)[0] for name in MUSCLES]
    firsts = {s.sodium_multiplier[0] for s in sites}
    assert len(firsts) == len(MUSCLES)


def test_the_streams_of_one_person_are_independent_of_each_other():
    draws = np.array([[g.random() for g in person_streams(1, p, 2)] for p in range(2000)])
    correlation = np.corrcoef(draws.T)[np.triu_indices(3, 1)]
    assert np.abs(correlation).max() < 4.0 / np.sqrt(2000)


def test_a_person_is_rogue_rich_in_every_muscle():
    # The person's own density is shared: rogue counts of two muscles go together.
    counts = [[(of_person(p, m, 200).origin == ROGUE).sum() for m in (0, 3)] for p in range(60)]
    assert stats.spearmanr(*np.array(counts).T).statistic > 0.8


@pytest.mark.parametrize(("site_class", "units"), [("foot_sole", 120), ("ordinary", 60000)])
def test_rogues_are_poisson_with_an_exponential_tail(site_class, units):
    with (
        override("firing", f"rogue_person_spread_{site_class}", 0.0),
        override("firing", "event_share", 0.0),
    ):
        people = [of_person(p, units=units, site_class=site_class) for p in range(300)]
    counts = np.array([(s.origin == ROGUE).sum() for s in people])
    mean = parameter("firing", f"rogues_per_unit_{site_class}") * units
    assert abs(counts.mean() - mean) < 4.0 * np.sqrt(mean / counts.size)
    dispersion = counts.var(ddof=1) / mean * (counts.size - 1)
    assert 1e-3 < stats.chi2.cdf(dispersion, counts.size - 1) < 1.0 - 1e-3
    excess = np.concatenate([s.sodium_multiplier[s.origin == ROGUE] for s in people])[:3000] - 1.0
    tail = parameter("firing", "rogue_tail") * (CRITICAL - 1.0)
    assert stats.kstest(excess / tail, "expon").pvalue > 1e-3
    units_of = np.concatenate([s.unit[s.origin == ROGUE] for s in people])
    assert stats.chisquare(np.bincount(units_of * 40 // units, minlength=40)).pvalue > 1e-3


def test_the_bulk_is_log_normal():
    nu = np.concatenate([s.sodium_multiplier[s.origin == BULK] for s in map(of_person, range(5))])
    spread = parameter("firing", "bulk_spread") * np.log(CRITICAL)
    assert stats.kstest(np.log(nu) / spread, "norm").pvalue > 1e-3


def test_people_differ_in_rogues_as_log_normal():
    counts = np.array([(of_person(p, units=400).origin == ROGUE).sum() for p in range(400)])
    spread = parameter("firing", "rogue_person_spread_foot_sole")
    logs = np.log(counts / (parameter("firing", "rogues_per_unit_foot_sole") * 400))
    assert logs.std(ddof=1) == pytest.approx(spread, rel=0.12)
    assert abs(logs.mean()) < 4.0 * spread / 20.0
