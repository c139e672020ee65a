"""The pictures of alarms against counts made by hand."""

import numpy as np
import pytest

from neurosim.article import alarms_plot
from neurosim.article.alarms import SIGNS, Alarms
from neurosim.article.diary import GROUPS, Diary
from neurosim.base.errors import NeurosimError
from neurosim.model.muscle.anatomy import MUSCLES


def make_diary(group, week, muscle):
    """Return a diary of 10 weeks with three twitches of one muscle in one week."""
    time = 7.0 * week + np.arange(3.0)
    m = np.full(3, MUSCLES.index(muscle))
    return Diary(
        group, 0, 10, time, m, np.zeros(3, int), np.ones(3, bool), np.ones((2, 6)), np.ones(6)
    )


@pytest.fixture(scope="module")
def study():
    diaries = tuple(make_diary(g, 4, "thumb") for g in GROUPS for _ in range(2))
    shown = {sign: tuple(d.group == "als" for d in diaries) for sign in SIGNS}
    return Alarms(10, 1, 0, diaries, shown)


def test_diaries_and_counts_are_drawn_and_told(study):
    picture = alarms_plot.picture_alarms(study)
    x, y = picture.axes[0].collections[0].get_offsets()[0]
    assert (x, y) == (4.5, MUSCLES.index("thumb"))
    assert (
        "A typical diary of early ALS: 3 twitches seen in 10 weeks, in thumb." in picture.alt_text
    )
    assert "It gets worse: 0 of 2 with benign twitching, 2 of 2 with early ALS," in picture.alt_text


@pytest.mark.parametrize(("share", "filled"), [(0.0, 0), (0.0004, 0), (0.028, 28), (1.0, 1000)])
def test_a_thousand_alarms_are_drawn(share, filled):
    empty, full = alarms_plot.picture_true_alarms(share).axes[0].collections
    assert len(full.get_offsets()) == filled and len(empty.get_offsets()) == 1000 - filled


def test_shares_are_told():
    assert alarms_plot.describe_true_alarms(0.001).endswith("1 is true, 999 are false.")
    assert alarms_plot.describe_true_alarms(0.0004).endswith("0.4 are true, nearly all are false.")
    with pytest.raises(NeurosimError, match="share"):
        alarms_plot.picture_true_alarms(1.2)
