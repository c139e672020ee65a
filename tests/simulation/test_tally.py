"""Counts as discharges are drawn against the same discharges kept whole, and against laws."""

import numpy as np
import pytest
from scipy import stats

from neurosim.model.muscle import force
from neurosim.simulation import counting, person_run, state, tally
from neurosim.simulation.scenario import load_scenario
from neurosim.simulation.tally import INTERVAL_EDGES_S, bin_count, tally_firing, tally_person

COLUMNS = [name for name in tally.Tally.__dataclass_fields__ if name not in ("bin_s",)]


def whole(asked, person, bin_s):
    """Return the tally of discharges that are all kept, and those discharges and twitches."""
    acted = person_run._run_person(state.body_trajectory(asked), asked, person)
    return tally_firing(acted.firing, acted.twitches, bin_s), acted


@pytest.mark.parametrize(
    ("name", "muscle", "duration_s", "bin_s"),
    [
        ("normal", "foot_sole", 7200.0, 600.0),
        ("low_calcium", "foot_sole", 900.0, 100.0),
        ("low_calcium", "calf", 3000.0, 1000.0),
        ("als", "eyelid", 7200.0, 3600.0),
        ("a_day", "foot_sole", 40_000.0, 3600.0),
        ("serotonin_syndrome", "foot_sole", 1000.0, 300.0),
    ],
)
def test_counted_as_drawn_they_are_what_they_are_kept_whole(name, muscle, duration_s, bin_s):
    asked = load_scenario(name).replace(muscle=muscle, duration_s=duration_s)
    assert tally.can_count_as_drawn(state.body_trajectory(asked))
    for person in (2, 5):
        (found,) = tally_person([asked], person, bin_s)
        kept, acted = whole(asked, person, bin_s)
        for column in ("origins", "burst_sizes", "intervals", "discharges"):
            assert np.array_equal(getattr(found, column), getattr(kept, column)), column
        assert found.active_units == kept.active_units
        for column in ("twitches", "visible", "doublets"):
            one, other = getattr(found, column), getattr(kept, column)
            assert one.sum() == other.sum()
            # an onset is some ms after the discharge that makes it, so a few change bins
            assert np.abs(one - other).sum() <= 2 + 0.002 * one.sum()
        assert found.twitches.sum() == (acted.firing.place == 0).sum() == found.burst_sizes.sum()


@pytest.mark.parametrize("name", ["isaacs", "cholinesterase_inhibition", "pinched_nerve", "cramp"])
def test_sources_beside_the_hazard_are_counted_whole(name):
    asked = load_scenario(name).replace(duration_s=120.0, muscle="foot_sole")
    assert not tally.can_count_as_drawn(state.body_trajectory(asked))
    (found,), (kept, acted) = tally_person([asked], 1, 60.0), whole(asked, 1, 60.0)
    for column in COLUMNS[1:-1]:
        assert np.array_equal(getattr(found, column), getattr(kept, column)), column
    assert found.twitches.sum() == (~acted.twitches.painful).sum() > 0
    assert found.spasms.sum() == acted.twitches.painful.sum()
    assert found.discharges.sum() == len(acted.firing)
    assert found.expected_per_min > 0.0


def test_intervals_fall_into_their_cells():
    asked = load_scenario("normal").replace(duration_s=3600.0, muscle="foot_sole")
    (found,), (_, acted) = tally_person([asked], 2), whole(asked, 2, 3600.0)
    f = acted.firing
    gaps = np.concatenate([np.diff(f.time_s[f.unit == u]) for u in np.unique(f.unit)])
    assert gaps.size > 1000
    by_numpy = np.histogram(gaps, np.concatenate([[0.0], INTERVAL_EDGES_S, [np.inf]]))[0]
    assert np.array_equal(found.intervals, by_numpy)
    assert found.intervals.size == INTERVAL_EDGES_S.size + 1


def test_plain_python_counts_what_the_compiled_loop_counts(monkeypatch):
    pytest.importorskip("numba")
    asked = load_scenario("low_calcium").replace(duration_s=60.0, muscle="foot_sole")
    (fast,) = tally_person([asked], 2, 20.0)
    monkeypatch.setenv("NEUROSIM_BACKEND", "numpy")
    (slow,) = tally_person([asked], 2, 20.0)
    for column in COLUMNS:
        assert np.array_equal(getattr(fast, column), getattr(slow, column)), column
    assert fast.twitches.sum() > 500


@pytest.mark.parametrize("ratio", [0.0, 0.39, 0.41, 0.7, 1.1, 4.0, 30.0])
def test_the_gain_of_a_twitch_is_that_of_the_force(ratio):
    assert counting.summation_gain(ratio, counting.force_law()) == pytest.approx(
        float(force.summation_gain(ratio)), rel=1e-12
    )


def test_twitches_of_many_quiet_people_are_poisson():
    # In the calf a healthy person's few sites never load: counts are Poisson about the rate
    # that the tables give, so the z-scores of the people are standard normal.
    asked = load_scenario("magnesium_depletion").replace(duration_s=400_000.0, muscle="calf")
    found = [tally_person([asked], person)[0] for person in range(40)]
    expected = np.array([t.expected_per_min * asked.duration_s / 60.0 for t in found])
    counts = np.array([t.twitches.sum() for t in found])
    some = (expected > 5.0) & (expected < 2000.0)
    assert some.sum() > 3
    p = stats.poisson.cdf(counts[some], expected[some]) - 0.5 * stats.poisson.pmf(
        counts[some], expected[some]
    )
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_bins_cover_the_duration():
    assert [bin_count(3600.0, 3600.0), bin_count(3601.0, 3600.0), bin_count(10.0, 3600.0)] == [
        1,
        2,
        1,
    ]
    assert bin_count(86_400.0, 3600.0) == 24 and bin_count(0.3, 0.1) == 3
