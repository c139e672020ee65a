"""The whole trial on a few people: every claim judged, once, with what stands behind it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from neurosim.article import trial
from neurosim.article.claims import CLAIMS
from neurosim.article.matrix import CAUSES
from neurosim.article.report import report_html
from neurosim.article.verdict import NOT_TOLD, OUTCOMES
from neurosim.base.errors import NeurosimError
from neurosim.simulation import robustness
from neurosim.simulation.scenario import load_scenario


def small_run():
    base = load_scenario("normal").replace(people=4, seed=1, duration_s=60.0)
    return trial.run_article(base, robustness=False, diaries=2)


def test_an_article_needs_two_people():
    with pytest.raises(NeurosimError, match="at least 2"):
        trial.article(people=1)


@pytest.fixture(scope="module")
def article():
    return small_run()


def test_every_claim_is_judged_once(article):
    assert [v.number for v in article.verdicts] == [c.number for c in CLAIMS]
    for v, c in zip(article.verdicts, CLAIMS, strict=True):
        assert v.outcome in OUTCOMES and v.claim == c.claim
        assert (v.outcome == "outside this model") == (c.kind == "outside")
        assert math.isnan(v.rate_ratio) == (c.kind not in ("rate", "remedy"))
        assert bool(v.finding) == (c.kind in ("test", "alarm"))
    assert article.people == 4 and article.rates["normal"].shape == (4,)


def test_remedies_and_mild_sizes_are_of_the_first_people(article, monkeypatch):
    monkeypatch.setattr(trial, "FEW", 3)
    less = small_run()
    assert less.matrix.log_ratio.shape[2] == 3 and less.rates["low_calcium_mild"].size == 3
    assert less.rates["low_calcium"].size == 4
    assert np.array_equal(less.matrix.log_ratio, article.matrix.log_ratio[:, :, :3])
    one = [next(v for v in a.verdicts if v.factor == "low_calcium") for a in (less, article)]
    assert one[0].rate_ratio == one[1].rate_ratio and one[0].mild_ratio != one[1].mild_ratio
    assert "Low blood calcium, mild" in report_html(less)


def test_a_cause_tells_its_mild_size_and_its_seeds(article):
    verdict = next(v for v in article.verdicts if v.factor == "low_calcium")
    assert verdict.seed_low <= verdict.rate_ratio <= verdict.seed_high
    assert 1.0 < verdict.mild_ratio < verdict.rate_ratio


def test_what_leans_is_joined_to_its_verdict(article, monkeypatch):
    collected = []
    lean = robustness.Lean("gain", 1.0, flips_at=0.5)

    def fake(questions, cores):
        collected.extend(questions)
        return [
            robustness.Robustness(lean, 7, -1.0, 1.0, {"ohmic": 0.5}, {0.3: 0.2}, 0.1)
            for _ in questions
        ]

    monkeypatch.setattr(trial, "assess_robustness", fake)
    causes, others = trial._all_scenarios(article.base)
    assert not set(causes) & set(others) and set(causes | others) == set(article.rates)
    scenarios = causes | others
    verdicts = trial._assess_robustness(list(article.verdicts), scenarios, article.rates, 1)
    for v in verdicts:
        if v.kind == "rate":
            assert (v.lean, v.turns, v.assumed) == (lean, True, 7)
            assert v.span_high == pytest.approx(v.rate_ratio * math.e)
            assert v.share_ratios == {0.3: pytest.approx(v.rate_ratio * math.exp(0.2))}
            assert (v.outcome == NOT_TOLD) == bool(v.turns_with or v.turns_at_share)
            assert v.axon_ratios == {"ohmic": pytest.approx(v.rate_ratio * math.exp(0.5))}
        elif v.kind == "remedy" and v.lean:
            assert v.lean.against in CAUSES
            assert v.lean == replace(lean, against=v.lean.against)
        else:
            assert v.lean is None and not v.turns
    assert {q.against.name for q in collected} > {"normal"}


def test_a_few_claims_are_judged_as_in_the_whole_article(article):
    few = trial.try_claims((24, 9, 7), 4, duration_s=60.0)
    assert [v.number for v in few] == [24, 9, 7]
    for v in few:
        whole = next(w for w in article.verdicts if w.number == v.number)
        facts = [(w.outcome, w.factor, w.changes, w.partner, w.reason) for w in (v, whole)]
        assert facts[0] == facts[1]
        assert v.rate_ratio == pytest.approx(whole.rate_ratio, nan_ok=True)
        assert v.ci_high == pytest.approx(whole.ci_high, nan_ok=True)


@pytest.mark.parametrize(
    ("numbers", "people", "words"),
    [
        ((34,), 4, "not on a cause"),
        ((99,), 4, "no claim 99"),
        ((24,), 1, "at least 2"),
    ],
)
def test_claims_that_cannot_be_tried_alone(numbers, people, words):
    with pytest.raises(NeurosimError, match=words):
        trial.try_claims(numbers, people)
