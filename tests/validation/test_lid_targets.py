"""The rows of the prone eyelid: the known misses are two, and a row leaves its range if broken."""

import pytest

from neurosim.base.parameters import override
from neurosim.validation import lid_targets


def test_length_and_interval_of_episodes_are_missed_and_nothing_else():
    rows = lid_targets.lid_rows()
    assert {r.quantity for r in rows if not r.inside} == {
        "length of the longest tenth of episodes",
        "mean interval within an episode",
    }
    assert {r.grade for r in rows if "potassium" in r.quantity or "sleep" in r.quantity} == {
        "fitted"
    }


@pytest.mark.parametrize(
    ("name", "value", "missed"),
    [("ion_share", 1.0, "potassium"), ("sleep_share", 0.0, "short sleep")],
)
def test_another_size_is_a_miss(name, value, missed):
    with override("facial", name, value):
        misses = {r.quantity for r in lid_targets._case_rows() if not r.inside}
    assert f"studies of prone lids that find {missed}" in misses
