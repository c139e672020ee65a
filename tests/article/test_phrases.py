"""Verdicts in words: a table of facts and what must be said of them, and every rule at its edge."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from neurosim.article import phrases
from neurosim.article.claims import claim
from neurosim.article.matrix import CAUSES, RemedyMatrix
from neurosim.article.verdict import OUTCOMES, make_verdict
from neurosim.base.parameters import load_group, parameter
from neurosim.model.axon.axon import AXON_TITLES
from neurosim.model.body.contributions import Contribution
from neurosim.simulation.ratio import Ratio
from neurosim.simulation.robustness import Lean

NONE, MORE, FEWER, SAME = (math.nan,) * 3, (12, 4, 300), (0.3, 0.2, 0.45), (1.02, 0.8, 1.3)
SUPPORTED, OPPOSED, NO_DIFFERENCE, COMBINED, NOT_TOLD, OUTSIDE = OUTCOMES
TENS = "tens of times as many (between 4 and 300 times)"


def verdict(number, outcome, ratio=NONE, **details):
    """Return a verdict on a claim of the article, from facts given by hand."""
    values = dict(zip(("rate_ratio", "ci_low", "ci_high"), ratio, strict=True))
    return make_verdict(claim(number), outcome, **values, people=20, **details)


def on_causes(more=(), fewer=(), causes=CAUSES):
    """Return how twitches change against each cause."""
    return {c: "more" if c in more else "fewer" if c in fewer else "same" for c in causes}


# --- Of one verdict ---

FIVE = ("normal", "stress", "caffeine", "als", "anxiety")
RATES = [
    # one scenario (low calcium): how much, and against whom
    (24, SUPPORTED, MORE, {"low_calcium": "more"}, "Tens of times as many twitches as in health."),
    (24, OPPOSED, (0.7, 0.6, 0.75), {"low_calcium": "fewer"},
     "Somewhat fewer twitches than in health."),
    (24, OPPOSED, (0.001, 0.0, 0.002), {"low_calcium": "fewer"}, "Hardly a twitch left."),
    (24, NO_DIFFERENCE, SAME, {"low_calcium": "same"}, "No clear difference."),
    # several scenarios: with which it does, and with which it does not
    (8, SUPPORTED, MORE, {"dehydration": "more", "stress": "more", "anxiety": "more",
                          "caffeine": "same", "high_potassium": "fewer"},
     "Tens of times as many twitches as in health; with dehydration, stress and anxiety with "
     "over-breathing; no difference with caffeine; fewer with high blood potassium."),
    # a mild size is named as one, with its title whole
    (10, SUPPORTED, MORE, {"diuretic": "same", "magnesium_depletion_mild": "more"},
     "Tens of times as many twitches as in health; with mild magnesium depletion; no difference "
     "with diuretic."),
    # none of several does it: nothing is listed
    (8, OPPOSED, FEWER, {"dehydration": "fewer", "caffeine": "same"},
     "Less than half as many twitches as in health."),
]  # fmt: skip
REMEDIES = [
    # against few it says which, against most which not; and where it makes more
    (COMBINED, SAME, on_causes((), FIVE[:3], FIVE),
     "Helps only against health, stress, caffeine; mean of all causes: no clear difference."),
    (COMBINED, FEWER, on_causes((), FIVE[:4], FIVE),
     "Helps against all but anxiety with over-breathing; mean of all causes: less than half as "
     "many twitches."),
    (SUPPORTED, FEWER, on_causes((), CAUSES), "Mean of all causes: less than half as many "
     "twitches."),
    (OPPOSED, MORE, on_causes(("stress",)),
     "Makes more in stress; mean of all causes: tens of times as many twitches."),
    (OPPOSED, MORE, on_causes(CAUSES),
     "Makes more in all; mean of all causes: tens of times as many twitches."),
    (COMBINED, SAME, on_causes(("als",), ("stress",)),
     "Helps only against stress; makes more in ALS; mean of all causes: no clear difference."),
    (NO_DIFFERENCE, SAME, on_causes(), "Mean of all causes: no clear difference."),
]  # fmt: skip


@pytest.mark.parametrize(("number", "outcome", "ratio", "changes", "words"), RATES)
def test_what_is_said_of_a_cause(number, outcome, ratio, changes, words):
    v = verdict(number, outcome, ratio, changes=changes, factor="low_calcium")
    assert phrases.phrase(v) == words


@pytest.mark.parametrize(("outcome", "ratio", "changes", "words"), REMEDIES)
def test_what_is_said_of_a_remedy(outcome, ratio, changes, words):
    v = verdict(34, outcome, ratio, changes=changes)
    assert phrases.phrase(v) == f"{words} Rests on an assumed size."


def test_those_left_out_are_told_from_six_tenths_on():
    for helped, words in ((9, "helps only against"), (10, "helps against all but")):
        v = verdict(34, COMBINED, SAME, changes=on_causes((), CAUSES[:helped]))
        assert phrases.note_words(v).startswith(words)


def test_of_several_remedies_it_is_said_which_one():
    v = verdict(36, SUPPORTED, FEWER, changes=on_causes((), CAUSES), factor="gabapentinoid")
    assert phrases.note_words(v) == "by a gabapentinoid"


def test_a_cause_that_needs_a_partner_names_it():
    v = verdict(11, COMBINED, SAME, changes={"caffeine": "same"}, partner="stress")
    words = "Alone no clear difference; more when it comes with stress."
    assert phrases.phrase(v) == f"{words} Rests on an assumed size."


def test_an_assumed_size_is_told_of_rates_and_remedies_only():
    for v in (verdict(12, SUPPORTED, MORE), verdict(24, SUPPORTED, MORE)):
        is_assumed = v.factor == "pinched_nerve"
        assert phrases.rests_on_assumed_size(v) == is_assumed
        assert phrases.phrase(v).endswith(" Rests on an assumed size.") == is_assumed
    tested = verdict(1, SUPPORTED, finding="most are short.")
    assert phrases.phrase(tested) == "Most are short."
    assert phrases.phrase(verdict(30, OUTSIDE, reason="nobody can")) == "Nobody can."
    assert phrases.phrase(verdict(30, OUTSIDE)) == ""


class Alarms:
    """Shares as those of an article."""

    @staticmethod
    def sensitivity(sign):
        return SimpleNamespace(value={"persists": 0.93}[sign])

    @staticmethod
    def specificity(sign):
        return SimpleNamespace(value={"persists": 0.52}[sign])


@pytest.mark.parametrize(
    ("outcome", "note"),
    [
        (COMBINED, "; tells with weakness or lost units, which the article leaves out"),
        (SUPPORTED, ""),
    ],
)
def test_a_sign_is_told_by_its_shares(outcome, note):
    v = verdict(44, outcome, finding="counted")
    said = phrases.phrase(v, SimpleNamespace(alarms=Alarms))
    shares = "93 % with early ALS show it (sensitivity), 52 % of the others do not (specificity)"
    assert said == f"{shares}{note}."
    assert phrases.phrase(v) == "Counted."


@pytest.mark.parametrize(
    ("lean", "leans", "flips", "turns"),
    [
        (Lean("gain", 0.5, "mV", 0.1, 0.9, flips_at=0.3242), "gain (0.5 mV)", "0.324 mV", True),
        (Lean("gain", 0.5, "", 0.1, 0.9), "gain (0.5)", "not within 0.1 to 0.9", False),
        (Lean("gain", 0.5, "mV", 0.1, 0.9, against="stress"), "gain (0.5 mV) (against stress)",
         "not within 0.1 to 0.9 mV", False),
        (Lean(axon="ghk", turning_axons=("ohmic", "alternative")),
         f"axon (ghk: {AXON_TITLES['ghk']})", "ohmic, alternative", True),
        (Lean(axon="ghk"), f"axon (ghk: {AXON_TITLES['ghk']})", "not with another axon", False),
        (None, "", "", False),
    ],
)  # fmt: skip
def test_what_a_verdict_leans_on_and_where_it_turns(lean, leans, flips, turns):
    v = verdict(24, SUPPORTED, MORE, lean=lean)
    assert (phrases.lean_words(v), phrases.flip_words(v), v.turns) == (leans, flips, turns)


# --- Of all of them ---


def test_what_is_not_told_says_with_what_it_parts():
    v = verdict(
        17, NOT_TOLD, MORE, changes={"stress": "more"}, muscle="upper_arm",
        share_ratios={0.3: 0.01, 0.95: 12.0}, axon_ratios={"ensemble_1": 1.0, "ensemble_2": 1.0},
    )  # fmt: skip
    assert phrases.note_words(v) == (
        "no difference with other axons that fit the same nerves; fewer with 30 % event sites"
    )
    assert phrases.phrase(v).startswith("In the upper arm, tens of times as many twitches")


def test_outcomes_are_counted_and_have_a_sign():
    verdicts = [verdict(24, SUPPORTED), verdict(11, OPPOSED), verdict(12, SUPPORTED)]
    assert phrases.count_outcomes(iter(verdicts)) == {
        SUPPORTED: 2, OPPOSED: 1, NO_DIFFERENCE: 0, COMBINED: 0, NOT_TOLD: 0, OUTSIDE: 0,
    }  # fmt: skip
    assert [phrases.outcome_words(o)[0] for o in OUTCOMES] == ["✔", "✘", "=", "+", "?", "–"]
    assert phrases.outcome_words(OPPOSED) == "✘ opposed"


def test_how_many_rest_and_turn_is_told_of_causes_and_remedies():
    turning, firm = Lean("gain", flips_at=1.0), Lean("gain")
    verdicts = [
        verdict(24, SUPPORTED, lean=turning),  # sets a value of the blood
        verdict(11, OPPOSED, lean=firm),  # assumed size
        verdict(34, SUPPORTED, lean=turning),  # assumed size
        verdict(12, SUPPORTED),  # assumed size, not examined
        verdict(1, SUPPORTED, finding="so"),
    ]
    first, second, third = phrases.summary_sentences(verdicts)
    assert first == "5 claims: 4 ✔ supported, 1 ✘ opposed."
    assert second.startswith("3 of the 4 verdicts on causes and remedies rest on sizes")
    assert third.startswith("For 2 of 3 examined, an assumed or fitted number")
    assert len(phrases.summary_sentences([verdict(12, SUPPORTED)])) == 2


def article(*verdicts):
    return SimpleNamespace(verdicts=verdicts, people=7, alarms=Alarms)


def test_the_headline_counts_what_was_decided():
    verdicts = [verdict(n, o) for n, o in ((24, SUPPORTED), (11, SUPPORTED), (12, OPPOSED),
                                           (14, NO_DIFFERENCE), (30, OUTSIDE))]  # fmt: skip
    assert phrases.article_headline(article(*verdicts)) == (
        "5 claims put to 7 people: 2 supported, 1 opposed, 2 neither"
    )


def test_every_claim_stands_below_the_heading_of_its_group():
    text = phrases.verdict_table(article(verdict(1, SUPPORTED), verdict(24, SUPPORTED)))
    marks = [phrases.GROUPS["nature"], "  1  ", phrases.GROUPS["cause"], " 24  ",
             phrases.GROUPS["rare cause"]]  # fmt: skip
    places = [text.index(f"\n{mark}") if i else 0 for i, mark in enumerate(marks)]
    assert places == sorted(places) and text.startswith(marks[0])


def test_lines_and_cells_are_as_wide_as_they_may_be(monkeypatch):
    # words of one letter fill odd widths, with one of two letters before them even ones
    letters = "Bb" + 120 * " a"
    monkeypatch.setattr(phrases, "ALARM", letters)
    lines = phrases.verdict_table(article(verdict(1, SUPPORTED, finding=letters))).splitlines()
    cells = [len(line) - 60 for line in lines if line.startswith(("  1  ", 60 * " "))]
    assert cells[:2] == [40, 39]
    first = next(i for i, line in enumerate(lines) if line.startswith("Bb"))
    assert [len(line) for line in lines[first : first + 2]] == [100, 99]


def test_the_table_has_a_heading_for_every_group_and_wraps_its_cells():
    v = verdict(24, SUPPORTED, MORE, changes={"low_calcium": "more"})
    long = verdict(1, SUPPORTED, finding="a sentence that is " + "very " * 12 + "long")
    lines = phrases.verdict_table(article(v, long)).splitlines()
    assert lines[:2] == [phrases.GROUPS["nature"], "-" * len(phrases.GROUPS["nature"])]
    row = next(line for line in lines if line.startswith(" 24  "))
    assert row == (
        " 24  " + claim(24).claim[:32].ljust(32) + "  ✔ supported          "
        "Tens of times as many twitches as in"
    )
    first = next(i for i, line in enumerate(lines) if line.startswith("  1  "))
    second = lines[first + 1]  # the claim fits, what was seen goes on below itself
    assert second.index("very") == 3 + 2 + 32 + 2 + 19 + 2 and not second[:60].strip()
    assert max(map(len, lines)) <= 100 and lines[-1] == phrases.ADVICE
    assert phrases.ALARM.split()[0] == "See" and any(line.startswith("See a") for line in lines)


def test_all_verdicts_are_read_aloud_with_or_without_an_article():
    v = verdict(44, SUPPORTED, finding="counted")
    assert f"44 {v.claim}: supported. Counted." in phrases.describe_verdicts([v]).splitlines()
    line = phrases.describe_verdicts(article(v)).splitlines()[-2]
    assert line.startswith(f"44 {v.claim}: supported. 93 % with early ALS")


# --- What is assumed ---


def change(size, grade="assumed"):
    return Contribution("caffeine", "soma", "pic_gain", "scale", 1.1, "1", grade, "rule", "", size)


def test_only_assumed_sizes_count_and_not_the_way_to_the_nerve():
    changes = [change("body.gain"), change("body.other", "measured"), change(""),
               change("body.interstitial_potassium_per_plasma"), change("body.csf_transfer"),
               change("body.internal_ions_per_sodium")]  # fmt: skip
    assert phrases._assumed_changes(changes) == {"body.gain"}


def test_the_assumed_sizes_of_a_cause_and_of_a_remedy():
    assert phrases.assumed_sizes("rate", "sleep_loss") == ("body.sleep_noise_rise",)
    assert phrases.assumed_sizes("remedy", "gabapentinoid") == ("body.gabapentinoid_noise_fall",)
    assert phrases.assumed_sizes("test", "painless") == phrases.assumed_sizes("alarm", "s") == ()
    for name in phrases.assumed_sizes("remedy", "calm"):
        group, _, number = name.partition(".")
        assert load_group(group)[number].grade == "assumed"
    # the share that a remedy takes away is assumed as well
    assert "study.remedy_share" in phrases.assumed_sizes("remedy", "healthy_diet")
    assert "study.remedy_share" not in phrases.assumed_sizes("remedy", "plain_water")
    assert "study.light_use_fatigue" in phrases.assumed_sizes("remedy", "light_use")


def test_of_what_a_remedy_reads_the_assumed_numbers_of_the_study_count(monkeypatch):
    def read(body):
        for group, name in (("study", "remedy_share"), ("study", "twitching_in_nerve_disease"),
                            ("body", "sleep_noise_rise")):  # fmt: skip
            parameter(group, name)

    assert load_group("study")["twitching_in_nerve_disease"].grade != "assumed"
    assert load_group("body")["sleep_noise_rise"].grade == "assumed"
    alone = phrases.assumed_sizes("remedy", "gabapentinoid")
    monkeypatch.setattr(phrases, "remedy", lambda name: SimpleNamespace(apply=read))
    sizes = phrases.assumed_sizes.__wrapped__("remedy", "gabapentinoid")
    assert sizes == (*alone, "study.remedy_share")


def test_what_a_remedy_changes_and_what_was_there_before():
    brings, removes = phrases.remedy_changes("healthy_diet", "poor_nutrition")
    after = {c.parameter: (c.change, before) for c, before in brings.items()}
    assert removes == [] and after
    # a diet takes 80 % of a lack away, so that what is left is a fifth of what was there
    assert all(abs(new) < abs(old) for new, old in after.values() if new < 0)
    brings, removes = phrases.remedy_changes("plain_water", "dehydration")
    assert removes == ["sweating"]
    assert {c.factor for c in brings} == {"sweating and drinking"}
    assert all(math.isnan(before) for before in brings.values())
    assert phrases.remedy_changes("healthy_diet", "caffeine") == ({}, [])


# --- The matrix ---


@pytest.mark.parametrize(
    ("value", "low", "high", "word"),
    [
        (0.0099, 0.005, 0.02, "nearly none"),
        (0.01, 0.005, 0.02, "far fewer"),
        (0.099, 0.05, 0.2, "far fewer"),
        (0.1, 0.05, 0.2, "fewer"),
        (0.7, 0.6, 0.799, "fewer"),
        (0.9, 0.81, 1.2, "same"),
        (0.9, 0.8, 1.2, "unclear"),  # the interval reaches to 1.25 times fewer
        (1.1, 0.9, 1.25, "unclear"),
        (1.0, 0.5, 2.0, "unclear"),
        (1.4, 1.26, 1.6, "more"),
        (10.0, 9.0, 11.0, "more"),
        (10.1, 9.0, 11.0, "far more"),
    ],
)
def test_the_word_of_a_cell(value, low, high, word, monkeypatch):
    ratio = Ratio(value, low, high, 4)
    monkeypatch.setattr(phrases, "mean_ratio", lambda row: ratio)
    assert phrases.remedy_cell(matrix([[True]]), 0, 0) == (word, ratio)
    assert phrases.remedy_cell(matrix([[False]]), 0, 0) == ("nothing to change", ratio)


EDGE = -math.log(1.25)


def matrix(applies, rows=None):
    """Return a matrix of causes and remedies with people's log ratios, all 0 if omitted."""
    shape = np.shape(applies)
    log = np.zeros((*shape, 4)) if rows is None else np.array(rows, float)
    remedies = ("healthy_diet", "stretching")[: shape[1]]
    return RemedyMatrix(("normal", "stress")[: shape[0]], remedies, log, np.array(applies))


def test_a_remedy_helps_whose_twitches_it_lessens_by_more_than_the_least_ratio():
    helped = matrix([[True]], [[[-1.0, 1.01 * EDGE, EDGE, 1.0]]])
    assert phrases.share_helped(helped, 0, 0) == 0.5
    other = matrix([[True]], [[[-EDGE, 0.0, 0.99 * EDGE, 1.0]]])
    assert phrases.share_helped(other, 0, 0) == 0.0


def test_the_matrix_is_read_aloud_by_remedy_and_word():
    rows = [[[0, 0, 0, 0], [-1, -1, -1, -1]], [[-3, -3, -3, 3], [-1, -1, -1, -1]]]
    first, diet, stretch = phrases.describe_remedies(
        matrix([[False, True], [True, True]], rows)
    ).splitlines()
    assert "same 4 people without" in first
    assert diet == (
        "A healthy diet for weeks. Nothing to change: nothing (health); unclear: stress (75 %)."
    )
    assert stretch == "Holding a stretch. Fewer: nothing (health) (100 %), stress (100 %)."
