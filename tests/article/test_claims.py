"""The claims: all 46, each put to the model or told why not, in words with sources."""

import pytest

from neurosim.article.claim_tests import TESTS
from neurosim.article.claims import CLAIMS, GROUPS, KINDS, claim, claim_citations
from neurosim.base.errors import NeurosimError
from neurosim.model.body.remedies import REMEDY_NAMES
from neurosim.simulation.scenario import catalogue, load_scenario


def test_nothing_of_the_article_is_left_out():
    assert [c.number for c in CLAIMS] == list(range(1, 47))
    assert len({c.claim for c in CLAIMS}) == 46
    count = {group: sum(c.group == group for c in CLAIMS) for group in GROUPS}
    assert count == {"nature": 8, "cause": 18, "rare cause": 6, "relief": 8, "worry": 6}
    with pytest.raises(NeurosimError, match="There is no claim 47"):
        claim(47)


@pytest.mark.parametrize("record", CLAIMS, ids=lambda c: str(c.number))
def test_a_claim_asks_for_what_exists_and_says_its_sources(record):
    assert record.kind in KINDS and record.group in GROUPS
    for name in (*record.scenarios, *record.combination):
        assert load_scenario(name).body != load_scenario("normal").body
    assert set(record.remedies) <= set(REMEDY_NAMES)
    put_to = {
        "rate": record.scenarios, "remedy": record.remedies, "test": record.test,
        "alarm": record.sign,
        "outside": record.outside,
    }  # fmt: skip
    assert [kind for kind, what in put_to.items() if what] == [record.kind]
    assert not record.test or record.test in TESTS
    assert record.question.startswith("whether ") == bool(record.test or record.sign)
    assert record.physiology.endswith(".") and claim_citations(record)


def test_every_test_and_every_cause_is_asked_for():
    assert {c.test for c in CLAIMS} - {""} == set(TESTS)
    named = {n.removesuffix("_mild") for c in CLAIMS for n in (*c.scenarios, *c.combination)}
    assert set(catalogue()) - named <= {"normal", "cramp", "a_day", "eyelid_myokymia"}


@pytest.mark.parametrize(
    ("number", "factor", "expected"),
    [(11, "caffeine", "more"), (34, "stretching", "fewer"), (2, "painless", ""), (30, "none", "")],
)
def test_what_stands_behind_a_claim(number, factor, expected):
    assert (claim(number).factor, claim(number).expected) == (factor, expected)
