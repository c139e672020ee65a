"""The sampler on the full law, over seeds, and that every way of getting it wrong is found out.

The checks are in `scripts/verification/check_sampler.py`: time-rescaling, short silences, bursts,
sites and the stepped clock, on sites, refractoriness, branching, sodium load over minutes and a
drive that changes within a minute and over the day.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from neurosim.model.firing import sites

SCRIPT = Path(__file__).parents[3] / "scripts" / "verification" / "check_sampler.py"
spec = importlib.util.spec_from_file_location("check_sampler", SCRIPT)
assert spec is not None and spec.loader is not None
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)


def test_the_full_law_is_drawn_exactly_over_seeds():
    rows = check.check_seeds(2.0, range(24))
    for name, p in check.verdict(rows).items():
        assert p > 1e-3, name
    # all p-values of all checks, and none is far out by itself
    every = np.array([v for row in rows for k, v in row.items() if k != "load"])
    assert stats.kstest(every, "uniform").pvalue > 1e-3
    assert every.min() > 1e-5


def test_bursts_counts_and_intervals_are_those_of_the_clock():
    rows = [check.compare_with_clock(seed, copies=40)[0] for seed in range(20)]
    for name, p in check.verdict(rows).items():
        assert p > 1e-3, name


@pytest.mark.parametrize("name", [*check.WRONG, check.BY_MINUTES])
def test_a_wrong_sampler_is_found_out(name):
    hours = 1.5 if name == "wait begun anew" else 0.5
    p_values = check.verdict(check.check_mutant(name, hours))
    assert min(p_values.values()) < 1e-6


def firsts(streams):
    """Return the first random numbers of all streams of some people, seeds and muscles."""
    return [
        rng.random()
        for seed in (1, 2)
        for person in range(60)
        for muscle in range(6)
        for rng in streams(seed, person, muscle)[1:]
    ]


def test_no_two_people_share_a_seed():
    assert len(set(firsts(sites.person_streams))) == 2 * 60 * 6 * 2
    shared = firsts(lambda seed, person, muscle: sites.person_streams(seed, person // 2, muscle))
    assert len(set(shared)) == len(shared) // 2  # that is how it would show
