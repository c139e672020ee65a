"""Running people: the same person however many run beside them, and a result that adds up."""

import inspect

import numpy as np
import pytest

import neurosim as ns
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import override, parameter
from neurosim.classroom.explorer.settings import Explorer
from neurosim.model.body import contributions
from neurosim.model.body.state import Body
from neurosim.model.firing.sites import TYPICAL_PERSON
from neurosim.model.muscle.events import DischargeLabels, find_twitches
from neurosim.simulation import state as state_
from neurosim.simulation.replicate import replicate
from neurosim.simulation.scenario import Scenario, load_scenario
from neurosim.simulation.simulate import simulate
from neurosim.simulation.tally import tally_person

COUNTS = ("twitches", "visible", "doublets", "active_units", "expected_per_min")
ASKED = ("normal", "low_calcium", "fatigue")


def same(a, b, columns=slice(None)):
    return all(np.array_equal(getattr(a, n)[:, columns], getattr(b, n)[:, columns]) for n in COUNTS)


def test_a_person_is_the_same_among_any_number_of_people():
    few, many = (replicate(ASKED, n, duration_s=120.0) for n in (3, 23))
    assert few.twitches.shape == (3, 3) and many.twitches.shape == (3, 23)
    assert np.array_equal(few.twitches, many.twitches[:, :3])
    assert all(np.array_equal(getattr(few, n), getattr(many, n)[:, :3]) for n in COUNTS)
    asked = tuple(load_scenario(n).replace(duration_s=120.0) for n in ASKED)
    for person in (22, 4, 0):  # in any order, alone
        found = tally_person(asked, person)
        assert [t.twitches.sum() for t in found] == many.twitches[:, person].tolist()
        assert [t.expected_per_min for t in found] == many.expected_per_min[:, person].tolist()


def test_a_person_does_not_depend_on_the_scenarios_beside_theirs():
    alone = replicate(["low_calcium"], 5, duration_s=60.0)
    among = replicate(["fatigue", "low_calcium", "normal"], 5, duration_s=60.0)
    assert np.array_equal(alone.twitches[0], among.twitches[among.row("low_calcium")])


@pytest.mark.parametrize(
    "one", ["stress", load_scenario("stress"), Body(stress=1.0)], ids=["name", "scenario", "body"]
)
def test_one_scenario_needs_no_list(one):
    people = replicate(one, 2, duration_s=60.0)
    assert people.twitches.shape == (1, 2)
    assert same(people, replicate([one], 2, duration_s=60.0))


def test_a_person_does_not_depend_on_cores_also_when_numbers_are_exchanged():
    asked = ("normal", "high_sodium")
    nominal = replicate(asked, 12, duration_s=60.0)
    with override("firing", "load_factor", 3.0 * parameter("firing", "load_factor")):
        one, two = (replicate(asked, 12, duration_s=60.0, cores=cores) for cores in (1, 2))
    assert same(one, two)
    assert not np.array_equal(one.expected_per_min, nominal.expected_per_min)


def test_progress_is_told_to_the_end():
    told = []
    replicate(["normal"], 23, duration_s=1.0, progress=lambda *now: told.append(now))
    assert told[-1] == (23, 23) and [n for n, _ in told] == sorted({n for n, _ in told})


def test_who_is_run_unasked_is_typical():
    names = ["normal", "low_calcium", "low_magnesium", "anxiety", "isaacs"]
    people = replicate(names, 60, duration_s=1.0)
    rates = people.expected_per_min
    typical = [simulate(s).expected_per_min for s in people.scenarios]
    assert np.array_equal(rates[:, TYPICAL_PERSON], typical)
    for values in (rates, rates[1:] / rates[0]):  # in the middle half, and so against health
        low, high = np.quantile(values, (0.25, 0.75), axis=1)
        assert (low <= values[:, TYPICAL_PERSON]).all() and (
            values[:, TYPICAL_PERSON] <= high
        ).all()


@pytest.mark.parametrize("function", [simulate, ns.explore, Explorer])
def test_the_typical_person_is_one_number(function):
    assert inspect.signature(function).parameters["person"].default is TYPICAL_PERSON


def test_other_seeds_are_other_people():
    one, two = (replicate(["low_calcium"], 4, duration_s=60.0, seed=s) for s in (1, 2))
    assert not np.array_equal(one.expected_per_min, two.expected_per_min)
    assert np.array_equal(
        one.twitches, replicate(["low_calcium"], 4, duration_s=60.0, seed=1).twitches
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: replicate(["normal"], 0), "people"),
        (lambda: replicate(["normal", "lowcalcium"], 2), "low_calcium"),
        (lambda: replicate([Scenario(seed=1), Scenario(seed=2)], 2), "share"),
        (lambda: replicate([Scenario(), Scenario(muscle="eyelid")], 2), "share"),
        (lambda: replicate(["normal"], 2, durations=3), "duration_s"),
        (lambda: simulate("normal", muscle="nose"), "nose"),
        (lambda: simulate("nothing"), "nothing"),
    ],
)
def test_mistakes_are_one_sentence(make, words):
    with pytest.raises(NeurosimError, match=words):
        make()


def test_a_result_adds_up():
    result = simulate("low_calcium", duration_s=120.0, person=2)
    people = replicate(["low_calcium"], 3, duration_s=120.0)
    assert len(result.twitches) == people.twitches[0, 2]
    assert result.twitches_per_min == pytest.approx(len(result.twitches) / 2.0)
    assert result.twitches_per_min == pytest.approx(people.per_min[0, 2])
    assert result.expected_per_min == pytest.approx(people.expected_per_min[0, 2])
    assert result.firing.unit.max() < result.sites.units
    assert result.scenario.body.ionised_calcium_mmol_l == 0.8
    assert result.hazard.conditions == result.state.axon
    assert set(result.versions) >= {"python", "numpy", "scipy"}
    force = result.force_mn()
    assert force.size == 120_000 and force.min() >= 0.0 and force.max() > 0.0
    again = simulate("low_calcium", duration_s=120.0, person=2)
    assert np.array_equal(again.firing.time_s, result.firing.time_s)


@pytest.mark.parametrize("name", ["low_calcium", "high_potassium", "stress_mild"])
def test_a_burst_is_what_the_interval_alone_makes_an_event(name):
    result = simulate(name, duration_s=300.0, person=1)
    firing = result.firing
    found, again = (
        result.twitches,
        find_twitches(
            firing.time_s, firing.unit, "foot_sole", labels=DischargeLabels(episode=firing.episode)
        ),
    )
    for column in ("unit", "discharges", "kind"):
        assert np.array_equal(getattr(found, column), getattr(again, column))
    assert found.discharges.sum() == len(firing) and len(found) == firing.episode.max() + 1
    first = np.unique(firing.episode, return_index=True)[1]
    counts = np.unique(found.origin, return_counts=True)
    assert np.array_equal(counts, np.unique(firing.columns()["origin"][first], return_counts=True))


def test_simulate_takes_a_body_a_name_a_scenario_or_nothing():
    body = Body(ionised_calcium_mmol_l=1.0)
    first, second = simulate(body, duration_s=30), simulate(Scenario(body=body, duration_s=30))
    assert np.array_equal(first.firing.time_s, second.firing.time_s)
    assert simulate(duration_s=30).scenario.body == Body()


def test_counts_are_about_those_expected():
    people = replicate(["normal", "low_calcium"], 30, duration_s=1200.0)
    expected = people.expected_per_min.sum(axis=1) * 20.0
    # dead time and doublets merged into one twitch keep counts a little below the mean field
    assert people.twitches.sum(axis=1) == pytest.approx(expected, rel=0.12)


def test_a_junction_that_fails_stops_the_twitches_but_not_the_nerve():
    body = Body(ionised_calcium_mmol_l=0.5, ionised_magnesium_mmol_l=6.0)
    state = state_.state_from_contributions(contributions.contributions(body))
    assert state.transmission < parameter("study", "smallest_transmission")
    result = simulate(body, duration_s=60.0)
    assert len(result.twitches) == 0 and result.expected_per_min == 0.0
    assert result.force_mn().max() == 0.0
