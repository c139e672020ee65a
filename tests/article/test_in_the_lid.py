"""Everyday claims in a prone eyelid: judged by the foot's rule, and never for the foot."""

import pytest

from neurosim.article.claims import claim
from neurosim.article.in_the_lid import judge_in_lid
from neurosim.article.phrases import LID_LABEL, lid_words, verdict_table
from neurosim.article.report import report_html
from neurosim.article.tables import verdict_rows
from neurosim.article.verdict import NOT_TOLD, judge_rate
from neurosim.base.parameters import override
from neurosim.simulation.lid import CLAIMED, onset_factors

EXPECTED = {"stress": "supported", "caffeine": NOT_TOLD, "sleep_loss": NOT_TOLD,
            "fatigue": NOT_TOLD}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMED)
def test_a_size_whose_range_turns_it_makes_it_not_told(name):
    lid = judge_in_lid(name)
    assert lid.outcome == EXPECTED[name]
    assert (lid.outcome == NOT_TOLD) == bool(lid.turned_by)
    assert lid.low <= lid.ratio <= lid.high and lid.ratio == onset_factors([name])[name]


def test_sizes_that_studies_chose_are_named():
    sleep = judge_in_lid("sleep_loss")
    assert sleep.chosen == sleep.turned_by == ("facial.sleep_share",)
    assert sleep.low == pytest.approx(1.0), "at none it does nothing"
    assert judge_in_lid("stress").chosen == ()


def test_a_cause_that_does_nothing_is_no_difference_and_fewer_is_opposed():
    assert judge_in_lid("stress", "fewer").outcome == "opposed"
    assert judge_in_lid("normal").outcome == "no difference at this size"


def test_a_smaller_size_gives_a_smaller_factor():
    usual = judge_in_lid("sleep_loss").ratio
    with override("facial", "sleep_share", 2.0):
        assert judge_in_lid("sleep_loss").ratio < usual


def test_the_lid_stands_beside_the_foot_and_leaves_its_verdict(small_article):
    verdicts = small_article.verdicts
    first = {v.number: claim(v.number).scenarios[0] for v in verdicts if v.kind == "rate"}
    lids = {v.number for v in verdicts if v.lid}
    assert {first[n] for n in lids} == set(CLAIMED) and len(lids) == len(CLAIMED)
    for row, v in zip(verdict_rows(small_article), verdicts, strict=True):
        assert row["outcome"] == v.outcome and "lid" not in row
        assert row["lid_outcome"] == (v.lid.outcome if v.lid else "")
        if v.lid:
            rates = claim(v.number).own_rates(small_article.rates)
            assert judge_rate(claim(v.number), rates).outcome == v.outcome, "the foot's, alone"
        assert ("chosen" in lid_words(v)) == bool(v.lid and v.lid.chosen)
    assert verdict_table(small_article).count(LID_LABEL) == len(CLAIMED)
    assert report_html(small_article).count("does not count for the verdict") == len(CLAIMED)
