"""Verdicts: the paired ratio against SciPy, its coverage, the rules, and overrides."""

import math

import numpy as np
import pytest
from scipy import stats

from neurosim.article.claims import Claim
from neurosim.article.matrix import RemedyMatrix
from neurosim.article.phrases import note_words
from neurosim.article.verdict import (
    NOT_TOLD,
    OUTCOMES,
    Verdict,
    judge_alarm,
    judge_over_ensemble,
    judge_rate,
    judge_remedy,
)
from neurosim.base import parameters
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import override, parameter
from neurosim.model.axon.axon import Conditions
from neurosim.model.body.remedies import REMEDY_NAMES
from neurosim.model.firing.hazard import hazard_table
from neurosim.simulation.ratio import Ratio, paired_ratio
from neurosim.simulation.robustness import Lean

FLOOR = parameter("study", "rate_floor")


def test_the_paired_ratio_is_a_t_interval_of_log_ratios():
    rates, healthy = np.array([12, 30, 7, 0.5, 55]), np.array([4, 11, 9, 2, 20.0])
    log = np.log(rates / healthy)
    ratio = paired_ratio(rates, healthy)
    # by hand: t(0.975; 4 degrees of freedom) = 2.7764
    half = 2.7764451 * math.sqrt(((log - log.mean()) ** 2).sum() / 4.0) / math.sqrt(5.0)
    assert (ratio.value, ratio.people) == (pytest.approx(math.exp(log.mean())), 5)
    assert ratio.low == pytest.approx(math.exp(log.mean() - half), rel=1e-6)
    assert ratio.high == pytest.approx(math.exp(log.mean() + half), rel=1e-6)
    interval = stats.ttest_rel(np.log(rates), np.log(healthy)).confidence_interval(0.95)
    assert (ratio.low, ratio.high) == pytest.approx((math.exp(interval[0]), math.exp(interval[1])))


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(2000):
        rates_healthy = rng.lognormal(6.5, 0.8, 20)
        change = rng.lognormal(np.log(1.6), 0.3, 20)
        ratio = paired_ratio(rates_healthy * change, rates_healthy)
        inside.append(ratio.low < 1.6 < ratio.high)
    assert stats.binomtest(sum(inside), 2000, 0.95).pvalue > 1e-3


def test_silence_in_both_gives_one_and_one_person_gives_no_interval():
    none = np.zeros(10)
    assert paired_ratio(none, none) == Ratio(1.0, 1.0, 1.0, 10)
    alone = paired_ratio(np.array([10]), np.array([2]))
    assert alone.low == 0.0 and alone.high == math.inf and alone.change == "same"
    # silence counts as the floor, however long anybody was watched
    ratio = paired_ratio(np.array([1.0, 1.0]), np.array([0.0, FLOOR / 100]))
    assert ratio.value == pytest.approx(1.0 / FLOOR)


@pytest.mark.parametrize(
    ("low", "high", "change"),
    [
        (1.3, 9.0, "more"),
        (1.2, 9.0, "same"),
        (0.1, 0.79, "fewer"),
        (0.1, 0.81, "same"),
        (0.9, 1.1, "same"),
        (0.1, 9.0, "same"),
    ],
)
def test_a_change_counts_only_beyond_the_smallest_ratio(low, high, change):
    assert Ratio(1.0, low, high, 10).change == change


def rates(**means):
    """Return synthetic rates of 40 people by scenario name."""
    rng = np.random.default_rng(3)
    rates_healthy = rng.lognormal(0.0, 0.5, 40)
    return {
        name.replace("_and_", "+"): rng.gamma(50.0, rates_healthy * mean / 50.0)
        for name, mean in means.items()
    }


def cause(*scenarios, combination=("stress",)):
    return Claim(1, "It does", scenarios=scenarios or ("caffeine",), combination=combination)


ALONE = {"normal": 50, "stress": 80}


@pytest.mark.parametrize(
    ("claim", "means", "outcome", "partner"),
    [
        (cause(), ALONE | {"caffeine": 150}, "supported", ""),
        (cause(), ALONE | {"caffeine": 10}, "opposed", ""),
        (
            cause(),
            ALONE | {"caffeine": 50, "caffeine_and_stress": 80},
            "no difference at this size",
            "",
        ),
        (
            cause(),
            ALONE | {"caffeine": 51, "caffeine_and_stress": 300},
            "only in combination",
            "stress",
        ),
        # more than with the partner alone, but fewer than in health
        (
            cause(),
            ALONE | {"stress": 1, "caffeine": 50, "caffeine_and_stress": 5},
            "no difference at this size",
            "",
        ),
        # the partner alone does as much: nothing is added by the factor
        (
            cause(),
            ALONE | {"stress": 300, "caffeine": 50, "caffeine_and_stress": 300},
            "no difference at this size",
            "",
        ),
        # one of several does it
        (
            cause("caffeine", "anxiety", combination=()),
            ALONE | {"caffeine": 50, "anxiety": 200},
            "supported",
            "",
        ),
    ],
)
def test_every_outcome_of_a_cause(claim, means, outcome, partner):
    verdict = judge_rate(claim, rates(**means))
    assert (verdict.outcome, verdict.partner) == (outcome, partner) and outcome in OUTCOMES
    changes = {name: {10: "fewer", 50: "same", 51: "same"}.get(means[name], "more")
               for name in claim.scenarios}  # fmt: skip
    assert verdict.changes == changes
    assert verdict.ci_low <= verdict.rate_ratio <= verdict.ci_high and verdict.people == 40
    assert verdict.factor == ("anxiety" if "anxiety" in claim.scenarios else "caffeine")
    assert verdict.expected == "more"


@pytest.mark.parametrize(
    ("means", "outcome", "factor"),
    [
        # the first makes no difference: what the second lessens does not count
        ({"caffeine": 50, "anxiety": 10}, "no difference at this size", "caffeine"),
        ({"caffeine": 10, "anxiety": 50}, "opposed", "caffeine"),
        # the first of those that do it is the one that is told
        ({"caffeine": 150, "anxiety": 400}, "supported", "caffeine"),
    ],
)
def test_of_several_scenarios_the_first_is_the_main_one(means, outcome, factor):
    verdict = judge_rate(cause("caffeine", "anxiety", combination=()), rates(**ALONE | means))
    assert (verdict.outcome, verdict.factor) == (outcome, factor)
    assert verdict.rate_ratio == pytest.approx(means[factor] / 50, rel=0.1)


def test_a_partner_comes_to_the_first_scenario():
    means = ALONE | {"caffeine": 50, "anxiety": 50, "caffeine_and_stress": 300}
    verdict = judge_rate(cause("caffeine", "anxiety"), rates(**means))
    assert (verdict.outcome, verdict.partner) == ("only in combination", "stress")


def test_a_verdict_of_which_nothing_is_known_holds_no_number():
    verdict = Verdict(1, "It does")
    assert (verdict.people, verdict.assumed, verdict.turns) == (0, 0, False)
    assert math.isnan(verdict.rate_ratio) and verdict.lean is None


def test_a_verdict_turns_where_its_number_or_its_axon_does():
    assert Verdict(1, "c", lean=Lean("gain", 1.0, "", 0.5, 2.0, flips_at=1.5)).turns
    assert not Verdict(1, "c", lean=Lean("gain", 1.0, "", 0.5, 2.0)).turns
    assert Verdict(1, "c", lean=Lean(axon="ghk", turning_axons=("ohmic",))).turns
    assert not Verdict(1, "c", lean=Lean(axon="ghk")).turns


def test_what_changes_how_is_listed():
    verdict = Verdict(1, "c", changes={"stress": "more", "als": "fewer", "caffeine": "more"})
    assert verdict.changed("more") == ("stress", "caffeine") and verdict.changed("same") == ()


def matrix(*rows, **others):
    """Return a matrix with a mean log ratio for each cause, of stretching and of other remedies."""
    causes = ("normal", "stress", "caffeine")
    log = np.zeros((3, len(REMEDY_NAMES), 30))
    spread = 0.05 * np.random.default_rng(1).standard_normal(30)
    for name, means in {"stretching": rows, **others}.items():
        log[:, REMEDY_NAMES.index(name)] = np.array(means)[:, None] + spread
    return RemedyMatrix(causes, REMEDY_NAMES, log, log.any(axis=2))


def test_of_several_remedies_the_one_counts_that_helps_against_most():
    claim = Claim(36, "They stop it", "relief", "remedy", remedies=("stretching", "contracting"))
    verdict = judge_remedy(claim, matrix(-3.0, 0.0, 0.0, contracting=(-0.5, -0.5, 0.0)))
    assert (verdict.factor, verdict.outcome) == ("contracting", "only in combination")
    assert judge_remedy(claim, matrix(0.0, 0.0, 0.0)).factor == "stretching"  # the first of equals


@pytest.mark.parametrize(
    ("rows", "outcome", "changes"),
    [
        ((-1.0, -2.0, -0.5), "supported", "fewer fewer fewer"),
        ((-1.0, 0.0, 0.0), "only in combination", "fewer same same"),
        ((-1.0, -1.0, 0.0), "only in combination", "fewer fewer same"),
        ((0.0, 1.0, 0.0), "opposed", "same more same"),
        ((0.0, 0.0, 0.1), "no difference at this size", "same same same"),
        ((-1.0, 1.0, 0.0), "only in combination", "fewer more same"),
    ],
)
def test_every_outcome_of_a_remedy(rows, outcome, changes):
    claim = Claim(34, "It stops", "relief", "remedy", remedies=("stretching",))
    verdict = judge_remedy(claim, matrix(*rows))
    causes = dict(zip(("normal", "stress", "caffeine"), changes.split(), strict=True))
    assert (verdict.outcome, verdict.changes) == (outcome, causes)
    assert verdict.people == 30  # the mean is over causes, the interval over people
    assert verdict.rate_ratio == pytest.approx(math.exp(np.mean(rows)), rel=0.05)


class Diaries:
    """Likelihood ratios as `Alarms` gives them."""

    def __init__(self, alone, both, weak=4.0):
        self.ratios = {"s": alone, "s_and_weak": both, "weak": (weak, 2.0, 8.0)}

    def likelihood_ratio(self, sign):
        return Ratio(*self.ratios[sign], 30)

    def sensitivity(self, sign):
        return "50 (40 to 60)"

    specificity = sensitivity


@pytest.mark.parametrize(
    ("alone", "both", "outcome"),
    [
        ((4.0, 1.5, 10.0), (9.0, 3.0, 20.0), "supported"),
        ((4.0, 0.9, 10.0), (20.0, 5.0, 90.0), "only in combination"),
        # weakness alone does as much
        ((4.0, 0.9, 10.0), (9.0, 3.0, 20.0), "no difference at this size"),
        ((1.1, 0.9, 1.4), (1.5, 1.1, 2.0), "no difference at this size"),
        ((0.5, 0.3, 0.9), (9.0, 3.0, 20.0), "opposed"),
    ],
)
def test_every_outcome_of_an_alarm(alone, both, outcome):
    claim = Claim(44, "Beware", "worry", "alarm", sign="s")
    verdict = judge_alarm(claim, Diaries(alone, both))
    assert verdict.outcome == outcome and "50 (40 to 60) %" in verdict.finding
    assert ("weakness" in note_words(verdict)) == (outcome == "only in combination")


LEAST = parameter("study", "alarm_likelihood_ratio")


@pytest.mark.parametrize(
    ("alone", "both", "weak", "outcome"),
    [
        (
            (LEAST, 1.01, 9.0),
            (1.0, 0.5, 2.0),
            1.0,
            "supported",
        ),  # the least likelihood ratio counts
        ((9.0, 1.0, 20.0), (1.0, 0.5, 2.0), 1.0, "no difference at this size"),  # 1 is no more
        ((0.9, 0.5, 1.0), (1.0, 0.5, 2.0), 1.0, "no difference at this size"),  # and no less
        ((0.9, 0.5, 1.05), (1.0, 0.5, 2.0), 1.0, "no difference at this size"),
        ((1.0, 0.5, 2.0), (LEAST, 1.5, 9.0), 1.4, "only in combination"),
        ((1.0, 0.5, 2.0), (9.0, 1.5, 20.0), 1.5, "no difference at this size"),
    ],
)
def test_an_alarm_at_the_edge_of_its_rule(alone, both, weak, outcome):
    claim = Claim(44, "Beware", "worry", "alarm", sign="s")
    assert judge_alarm(claim, Diaries(alone, both, weak)).outcome == outcome


def test_a_verdict_says_which_axons_turn_it():
    def verdict(**ratios):
        return Verdict(
            1, "c", outcome="supported", rate_ratio=3.0, ci_low=2.0, ci_high=4.5, axon_ratios=ratios
        )

    assert verdict(ohmic=2.0, alternative=40.0).turns_with == ()
    # 1.5 lies above 1.25, its interval of 1 to 2.25 does not
    assert verdict(ohmic=1.5, alternative=0.2).turns_with == ("ohmic", "alternative")


@pytest.mark.parametrize(
    ("kind", "axons", "shares", "outcome"),
    [
        ("rate", {"ohmic": 2.9}, {0.3: 4.0, 0.95: 2.0}, "supported"),
        ("rate", {"ohmic": 0.2}, {0.3: 4.0, 0.95: 2.0}, NOT_TOLD),
        ("rate", {"ohmic": 2.9}, {0.3: 4.0, 0.95: 1.0}, NOT_TOLD),
        ("rate", {"ensemble_3": 1.0}, {}, NOT_TOLD),
        ("remedy", {"ohmic": 0.2}, {0.3: 0.1}, "supported"),
    ],
)
def test_what_no_measurement_decides_is_not_told(kind, axons, shares, outcome):
    verdict = Verdict(
        1, "c", kind=kind, outcome="supported", rate_ratio=3.0, ci_low=2.0, ci_high=4.5,
        axon_ratios=axons, share_ratios=shares,
    )  # fmt: skip
    assert judge_over_ensemble(verdict).outcome == outcome


# --- overrides ---


def test_override_restores_also_after_an_error_and_when_nested():
    nominal = parameter("firing", "load_factor")
    with override("firing", "load_factor", 2.0):
        with override("firing", "load_factor", 3.0), override("study", "confidence", 0.5):
            assert parameter("firing", "load_factor") == 3.0
            assert parameter("study", "confidence") == 0.5
        assert parameter("firing", "load_factor") == 2.0
        assert parameter("study", "confidence") == 0.95
    assert parameter("firing", "load_factor") == nominal
    with pytest.raises(RuntimeError), override("firing", "load_factor", 2.0):
        raise RuntimeError
    assert parameter("firing", "load_factor") == nominal and not parameters.overrides()


def test_only_parameters_that_exist_can_be_overridden():
    with pytest.raises(NeurosimError, match="load_factor"), override("firing", "load_facto", 1.0):
        pass
    with pytest.raises(NeurosimError, match="group"), override("fire", "load_factor", 1.0):
        pass
    assert not parameters.overrides()


@pytest.mark.parametrize(
    ("room", "name", "factor"),
    [
        ("firing", "noise_channels", 2.0),
        ("hazard", "ghk.intercept", 1.5),
        ("axon_ghk", "S5Na", 1.2),
    ],
)
def test_a_table_changes_inside_and_comes_back_after(room, name, factor):
    conditions = Conditions(calcium_out_mmol_l=0.9)
    before = hazard_table(conditions)
    with override(room, name, factor * parameter(room, name)):
        inside = hazard_table(conditions)
        assert np.abs(np.log(inside.bursts_per_min / before.bursts_per_min)).max() > 0.1
        assert hazard_table(conditions) is inside
    assert hazard_table(conditions) is before
