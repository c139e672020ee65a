"""Follow-ups of people who twitch, against the closed form of a birth and death of sites."""

from contextlib import ExitStack

import numpy as np
import pytest

from neurosim.base.parameters import override, parameter
from neurosim.simulation import persistence
from neurosim.simulation.persistence import follow_up


@pytest.mark.parametrize("months", [6.0, 24.0, 60.0])
def test_none_is_left_as_often_as_in_closed_form(months):
    # Everybody has the same mean m; of those with a site, (e^-m - e^-m(2-s))/(1 - e^-m) have none.
    with ExitStack() as stack:
        for group, name, value in (
            ("firing", "rogue_person_spread_ordinary", 1e-9),
            ("study", "twitching_per_min", 1e-30),
            ("firing", "rogues_per_unit_ordinary", 0.0005),
        ):
            stack.enter_context(override(group, name, value))
        units = persistence.MUSCLES * parameter("study", "survey_units")
        m = 0.0005 * units * sum(persistence._relevant_shares())
        after = follow_up(months, complaint_per_min=1e-30, people=40_000)
    s = np.exp(-months / parameter("firing", "site_life_months"))
    none = (np.exp(-m) - np.exp(-m * (2.0 - s))) / (1.0 - np.exp(-m))
    error = np.sqrt(none * (1.0 - none) / after.people)
    assert 1.0 - after.persists == pytest.approx(none, abs=4.0 * error)
    assert after.complaining == pytest.approx(1.0 - np.exp(-m), abs=0.01)


def test_at_once_nothing_has_changed_and_much_later_little_is_left_of_a_complaint():
    now, late = follow_up(0.0, people=20_000), follow_up(1200.0, people=20_000)
    assert (now.persists, now.halved, now.doubled) == (1.0, 0.0, 0.0)
    assert late.halved > 0.5 and late.persists > 0.5  # prone people grow other sites
    assert follow_up(24.0, people=20_000) == follow_up(24.0, people=20_000)


def test_what_was_published_is_met():
    after = follow_up()
    assert 0.79 <= after.persists <= 0.99
    assert 0.40 <= after.halved <= 0.62
    assert 0.01 <= after.doubled <= 0.09
