"""The words: decade bands, the lines of a result, and what must never be missing."""

import math

import pytest

from neurosim.base.errors import NeurosimError
from neurosim.model.body.state import Body
from neurosim.simulation.replicate import replicate
from neurosim.simulation.simulate import simulate
from neurosim.view import describe_body, describe_firing, describe_ratio, summary
from neurosim.view.describe_body import body_words
from neurosim.view.figures import picture_chain
from neurosim.view.terms import PLAIN_WORDS, explain_terms


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.0, "near zero"),
        (0.0099, "near zero"),
        (0.02, "less than a tenth as many"),
        (0.1, "less than half as many"),
        (0.3, "less than half as many"),
        (0.6, "somewhat fewer"),
        (1.0, "about as many"),
        (1.5, "somewhat more"),
        (3.9, "a few times as many"),
        (10.0, "tens of times as many"),
        (100.0, "hundreds of times as many"),
        (1000.0, "thousands of times as many"),
        (math.inf, "some, where there were none"),
        (math.nan, "no twitches in either, so nothing to compare"),
    ],
)
def test_band_has_the_decade_words_and_no_bare_ratio(ratio, words):
    assert describe_ratio.ratio_band(ratio) == words


def test_band_with_an_interval():
    assert (
        describe_ratio.ratio_band(17, 4.1, 320) == "tens of times as many (between 4 and 300 times)"
    )
    assert describe_ratio.ratio_band(7.4, 7.21, 7.38).endswith("(between 7.2 and 7.4 times)")
    assert describe_ratio.ratio_band(0.62, 0.6151, 0.6249).endswith(
        "(between 0.615 and 0.625 times)"
    )
    assert describe_ratio.ratio_band(1.7, 1.70001, 1.70002).endswith("(1.7 times)")
    assert describe_ratio.ratio_band(0.05, 0.0001, 0.3).endswith("(between nearly 0 and 0.3 times)")
    assert describe_ratio.ratio_band(3.0, 0.8, 12).startswith("no clear difference")
    assert describe_ratio.ratio_band(1.0, 1.0, 1.0) == "about as many"
    assert describe_ratio.ratio_band(0.0001, 0.0, 0.001) == "near zero"


def test_result_in_about_ten_short_lines():
    result = simulate("low_calcium", duration_s=60, seed=3)
    text = str(result)
    lines = text.splitlines()
    assert 8 <= len(lines) <= 12
    assert "calcium 0.8 mmol/L is LOW (reference 1.15 to 1.3), hypocalcaemia" in text
    assert lines[-1] == "A teaching model, not medical advice."
    assert "of them assumed" in text
    assert "Against health, the same person" in text


def test_a_term_has_its_plain_word_once():
    text = str(simulate("low_calcium", duration_s=60))
    for term in ("ectopic site", "hyperexcitable axon terminal", "fasciculation", "doublet"):
        plain = set(PLAIN_WORDS[term])
        assert sum(text.count(f"({words})") for words in plain) == 1, term
    assert explain_terms("doublet, doublet") == "doublet (two discharges together), doublet"
    assert "hyperventilation, over-breathing" in body_words(Body(paco2_mmhg=25))


@pytest.mark.parametrize("show", [summary.describe, picture_chain])
def test_what_is_no_result_is_one_sentence(show):
    result = simulate(duration_s=10)
    for name, arguments in (
        ("result", ("low_calcium",)),
        ("against", (result, "normal")),
        ("people", (result, None, result)),
    ):
        with pytest.raises(NeurosimError, match=rf"^{name} = .* is not a result of \w+\(\)\.$"):
            show(*arguments)


def test_healthy_body_is_not_compared():
    text = str(simulate(duration_s=30))
    assert "all values are normal" in text
    assert "Against" not in text


def test_people_are_compared_with_an_interval():
    people = replicate(["low_calcium", "normal"], 4, duration_s=60)
    ratio, low, high = describe_ratio.people_ratio(people)
    assert low < ratio < high
    text = summary.describe(simulate("low_calcium", duration_s=60), people=people)
    assert "the same 4 people" in text
    assert "between" in text


def test_silent_person_has_nothing_to_compare():
    a = simulate("high_magnesium", duration_s=10, muscle="shin")
    assert math.isnan(describe_ratio.person_ratio(a, a)) or a.expected_per_min > 1e-5


def test_sources_leave_out_the_other_axon_and_muscles():
    entries = simulate("normal", muscle="calf", duration_s=1).sources().entries
    reads = {(group, value.name.split(".")[0]) for group, value in entries}
    assert not any(group == "axon_ohmic" for group, _ in reads)
    assert ("anatomy", "calf") in reads
    assert ("anatomy", "eyelid") not in reads


def test_the_margin_counts_the_sites_that_fire_once_a_minute():
    low = simulate("low_calcium", duration_s=30)
    rates = describe_body.site_rates_per_min(low)
    assert describe_body.count_ectopic_sites(low) == (rates >= 1.0).sum() > 0
    assert f"Margin: {(rates >= 1.0).sum()} of this person's" in describe_body.margin_words(low)


def test_where_a_raised_rate_comes_from():
    calf = simulate("stress", duration_s=30, muscle="calf")
    assert describe_firing.origin_shares(calf) == pytest.approx([0, 0, 1, 0, 0], abs=1e-3)
    assert "as many, all from the cell body" in str(calf)
    low = simulate("low_calcium", duration_s=30)
    assert describe_firing.origin_shares(low).sum() == pytest.approx(1.0)
    assert describe_ratio.origin_of_increase(low, 50.0).split(" from ")[1] in (
        "an ordinary axon site",
        "a hyperexcitable axon terminal",
    )
    assert (
        describe_ratio.origin_of_increase(low, 1.0)
        == describe_ratio.origin_of_increase(low, math.nan)
        == ""
    )
