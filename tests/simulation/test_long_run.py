"""Long-run rates: those of the whole chain, the same however people are split, paired."""

import numpy as np
import pytest

from neurosim.simulation.long_run import SEEDS, long_run_rates, person_rates, seed_and_person
from neurosim.simulation.scenario import load_scenario
from neurosim.simulation.simulate import simulate

NAMES = ("normal", "low_magnesium", "als", "isaacs", "stress")


def asked(*names, **changes):
    return tuple(load_scenario(n).replace(seed=5, **changes) for n in names or NAMES)


def test_a_rate_is_that_of_the_whole_chain():
    found = long_run_rates(asked(), SEEDS + 2)
    for person in (0, SEEDS + 1):
        seed, number = seed_and_person(person, 5)
        for name, row in zip(NAMES, found, strict=True):
            one = simulate(name, person=number, seed=seed, duration_s=1)
            assert row[person] == pytest.approx(one.expected_per_min, rel=1e-9), name


def test_people_come_from_several_seeds_and_never_twice():
    people = [seed_and_person(p, 5) for p in range(40)]
    assert len(set(people)) == 40 and {s for s, _ in people} == {5, 6, 7, 8}
    assert len(set(long_run_rates(asked("normal"), 12)[0])) == 12


def test_the_same_on_several_cores_and_in_any_company():
    alone = long_run_rates(asked(), 6)
    seen = []
    both = long_run_rates(asked(), 6, cores=2, progress=lambda done, of: seen.append((done, of)))
    assert np.array_equal(alone, both) and seen[-1] == (6, 6)
    assert np.array_equal(alone[1], long_run_rates(asked("low_magnesium"), 6)[0])


def test_groups_that_come_by_a_rule_are_left_out():
    told = simulate("pinched_nerve", person=1, seed=5, duration_s=1)
    rate = person_rates(asked("pinched_nerve"), SEEDS)[0]
    assert told.other_bursts_per_min.sum() > 0
    assert rate == pytest.approx(told.expected_per_min - told.other_bursts_per_min.sum(), rel=1e-9)
