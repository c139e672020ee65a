"""Hazards of people's own axons: few sites against the whole table, and what sets their sites."""

import numpy as np
import pytest

from neurosim.base.parameters import override
from neurosim.model.axon import people
from neurosim.model.axon.axon import Conditions, at_rest
from neurosim.model.firing import examined_sites
from neurosim.model.firing import hazard as hz
from neurosim.model.firing.sites import person_scores
from neurosim.simulation.scenario import Scenario, load_scenario
from neurosim.simulation.simulate import simulate
from neurosim.simulation.tally import tally_person

CACHES = (hz._table, hz.examined_sites, hz.evoked_mv, hz.pulse_pa)
STATES = {
    "health": Conditions(),
    "calcium 0.8": Conditions(calcium_out_mmol_l=0.8),
    "potassium 5.3": Conditions(potassium_out_mmol_l=5.3),
    "potassium 2.8": Conditions(potassium_out_mmol_l=2.8),
}


def whole_table(conditions, axon, scores):
    """Return a person's table with every one of its sites examined."""
    sites = at_rest(
        hz.site_batch([conditions], hz.NU, hz.LOAD_MMOL_L), people.axon_of_person(axon, scores)
    )
    (cells,) = hz.split_by_state(sites, (1, hz.NU.size, hz.LOAD_MMOL_L.size))
    least, rate = hz._actions_and_rates(axon, hz.ExaminedSites(*(np.array(v)[None] for v in cells)))
    rest = cells.rest_mv[:, 0]
    shift = cells.shift_mv - hz._healthy_shift_mv(axon)
    pair = hz.pair_probability(axon, rest, hz.NU, shift)
    (ratio,) = hz._threshold_ratios([conditions], axon, scores)
    return hz.HazardTable(
        conditions, axon, hz.NU, hz.LOAD_MMOL_L, rate[0], least[0], pair, rest, ratio, scores
    )


@pytest.mark.parametrize("name", STATES)
def test_few_sites_of_a_person_tell_the_whole_table(name):
    scores = person_scores(1, 0)
    interpolated = hz.hazard_table(STATES[name], "ghk", scores)
    exact = whole_table(STATES[name], "ghk", scores)
    assert interpolated.critical_multiplier == pytest.approx(
        exact.critical_multiplier, rel=0.02, nan_ok=True
    )
    # what counts: sites that fire between once in a day and once a second, unblocked
    counts = (exact.bursts_per_min > 1e-3) & (exact.bursts_per_min < 300.0)
    counts &= hz.NU[:, None] < 4.7
    assert counts.sum() > 10
    error = np.abs(np.log(interpolated.bursts_per_min / exact.bursts_per_min)[counts])
    assert np.median(error) < 0.25  # the law's own error is 0.35 to 0.5 (median)
    assert np.percentile(error, 75) < 0.6
    loads = hz.site_batch([STATES[name]], np.ones(1), hz.LOAD_MMOL_L)
    ordinary = at_rest(loads, people.axon_of_person("ghk", scores))
    pulses = examined_sites._pulse_thresholds_pa(ordinary)
    ratio = pulses / hz.pulse_pa(Conditions(), "ghk", scores)[0]
    assert interpolated.threshold_ratio == pytest.approx(ratio, rel=1e-9)
    within = (examined_sites.PERSON_NU[0] <= hz.NU) & (examined_sites.PERSON_NU[-1] >= hz.NU)
    assert np.allclose(interpolated.rest_mv[within], exact.rest_mv[within], atol=0.5)
    assert np.allclose(interpolated.pair[within], exact.pair[within], atol=0.02)


def test_states_found_together_are_those_found_one_by_one():
    scores, states = person_scores(1, 7), list(STATES.values())
    for scores_used in (scores, ()):
        several = [(c, "ghk", scores_used) for c in states]
        alone = []
        for args in several:
            for cached_function in CACHES:
                cached_function.clear()
            alone.append((hz._table(*args), hz.conduction_probability(*args)))
        for cached_function in CACHES:
            cached_function.clear()
        hz.prefetch_tables(states, "ghk", scores_used)
        for cached_function in CACHES:
            assert cached_function.missing(several) == []
        # to the last bit: a person does not depend on the batch
        for args, (table, travels) in zip(several, alone, strict=True):
            assert hz.conduction_probability(*args) == travels
            for name in ("bursts_per_min", "action", "pair", "rest_mv", "threshold_ratio"):
                value = getattr(hz._table(*args), name)
                assert np.array_equal(value, getattr(table, name), equal_nan=True), name


def test_the_mean_person_has_the_tables_of_the_mean_axon():
    zero = (0.0,) * people.score_count()
    assert hz.hazard_table(Conditions(), "ghk", zero) is hz.hazard_table(Conditions(), "ghk")
    assert hz.critical_multiplier("ghk", zero) == pytest.approx(
        hz.hazard_table(Conditions()).critical_multiplier
    )
    assert hz.conduction_probability(Conditions(), "ghk", zero) == hz.conduction_probability(
        Conditions(), "ghk"
    )


def test_sites_are_set_against_the_persons_own_axon():
    personal = [
        hz.hazard_table(Conditions(), "ghk", person_scores(1, p)).critical_multiplier
        for p in range(6)
    ]
    assert np.ptp(np.log(np.array(personal) - 1.0)) > 0.2  # people's margins differ
    critical = [hz.critical_multiplier("ghk", person_scores(1, p)) for p in range(6)]
    assert np.allclose(critical, personal)


def test_a_result_is_of_the_persons_own_axon_and_as_replicated():
    scenario = load_scenario("low_calcium").replace(duration_s=30.0, seed=4)
    result = simulate(scenario, person=2)
    assert result.sites.scores == result.hazard.scores == person_scores(4, 2)
    assert result.healthy.threshold_1ms_pa != simulate(scenario, person=1).healthy.threshold_1ms_pa
    (counts,) = tally_person([scenario], 2)
    assert counts.twitches.sum() == len(result.twitches)
    assert counts.expected_per_min == result.expected_per_min


def test_people_without_a_spread_are_the_people_of_the_mean_axon():
    with override("membrane", "people_spread", 0.0):
        scenario = Scenario(duration_s=1.0)
        result = simulate(scenario, person=2)
        other = simulate(scenario, person=3)
        assert result.excitability.threshold_1ms_pa == other.excitability.threshold_1ms_pa
        assert result.hazard is hz.hazard_table(Conditions())
