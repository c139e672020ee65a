"""Stated tests: each can come out either way, and says what it measured."""

import math
from functools import cache

import numpy as np
import pytest

from neurosim.article import claim_tests
from neurosim.article.claim_tests import Evidence
from neurosim.article.matrix import CAUSES, RemedyMatrix
from neurosim.base.parameters import override, parameter
from neurosim.model.body.remedies import REMEDY_NAMES
from neurosim.simulation.scenario import load_scenario


def evidence(rate=1.0, log=0.0, **changes):
    log_ratio = np.full((len(CAUSES), len(REMEDY_NAMES), 20), log, float)
    base = load_scenario("normal").replace(**{"duration_s": 60.0, **changes})
    return Evidence(
        base, {"normal": np.full(20, rate)}, RemedyMatrix(CAUSES, REMEDY_NAMES, log_ratio, None)
    )


def outcome(test, e):
    finding = claim_tests.TESTS[test](e)
    assert not finding.sentence.endswith(".") and len(finding.sentence) > 30
    return finding.outcome


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(claim_tests, "WATCHED_PEOPLE", 2)
    monkeypatch.setattr(claim_tests, "LONG_S", 600.0)


def test_twitches_are_short_and_repeat_by_the_stated_limit():
    assert outcome("short_and_repeating", evidence()) == "supported"
    with override("study", "short_twitch_s", 0.2):
        assert outcome("short_and_repeating", evidence()) == "opposed"


def test_twitches_are_no_spasms_and_spasms_last():
    assert outcome("painless", evidence(duration_s=20.0)) == "supported"
    assert outcome("spasm_prolonged", evidence()) == "supported"
    with override("study", "prolonged_times", 1e4):
        assert outcome("spasm_prolonged", evidence()) == "opposed"


def test_a_practice_that_ends_spasms_must_lessen_twitches(monkeypatch):
    monkeypatch.setattr(
        claim_tests, "_simulate_people", cache(claim_tests._simulate_people)
    )  # asked twice alike
    assert outcome("same_practices", evidence(log=-1.0)) == "supported"
    finding = claim_tests.same_practices(evidence(log=0.0))
    assert finding.outcome == "opposed" and "holding a stretch" in finding.sentence


def test_who_twitches_daily_cannot_avoid_it(monkeypatch):
    monkeypatch.setattr(claim_tests, "WATCHED_PEOPLE", 8)
    assert outcome("unavoidable", evidence(rate=0.1)) == "supported"
    assert outcome("unavoidable", evidence(rate=1e-5)) == "opposed"
    assert outcome("nerves_misfire", evidence(rate=0.1)) == "opposed"  # events care little
    with override("firing", "event_share", 0.0):  # channel sites a great deal
        assert outcome("nerves_misfire", evidence(rate=0.1)) == "supported"
        assert outcome("nerves_misfire", evidence(rate=1e-5)) == "opposed"
        with override("study", "smaller_sensitivity_change", 0.001):
            assert outcome("nerves_misfire", evidence(rate=0.1)) == "opposed"


def test_times_are_as_irregular_as_chance():
    assert outcome("unpredictable", evidence()) == "supported"
    with override("study", "random_interval_cv", 3.0):
        assert outcome("unpredictable", evidence()) == "opposed"


def test_a_remedy_for_all_would_be_found():
    assert outcome("no_single_remedy", evidence(log=0.0)) == "supported"
    assert outcome("no_single_remedy", evidence(log=-2.0)) == "opposed"


def test_bayes_by_hand():
    # 5 in 100 000, all of whom twitch, among 11.4 % of the healthy
    finding = claim_tests.rarely_serious(evidence())
    exact = 5e-5 / (5e-5 + (1 - 5e-5) * 0.114)
    assert finding.outcome == "supported" and f"{exact * 1e5:.0f} in 100 000" in finding.sentence
    assert outcome("no_disease", evidence()) == "supported"
    with override("study", "nerve_disease_prevalence", 0.4):
        assert outcome("no_disease", evidence()) == "opposed"
    assert math.isclose(parameter("study", "most"), 0.5)


def test_axons_do_not_cross_in_health_whatever_the_blood():
    finding = claim_tests.short_circuits(evidence())
    assert finding.outcome in ("opposed", "only in combination")
    assert "lost their myelin" in finding.sentence
