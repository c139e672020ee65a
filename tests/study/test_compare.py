"""Verdicts: the paired ratio against SciPy, its coverage, the rules, and what is exchanged."""

import math

import numpy as np
import pytest
from scipy import stats

from neurosim import sources
from neurosim.body.state import Body
from neurosim.errors import NeurosimError
from neurosim.firing.hazard import hazard_table
from neurosim.membrane.axon import AXONS, Conditions
from neurosim.sources import exchanged, number
from neurosim.study import compare
from neurosim.study.claims import CLAIMS, Claim
from neurosim.study.compare import OUTCOMES, Ratio, judge, long_run_ratio, paired_ratio
from neurosim.study.run import People
from neurosim.study.scenario import Scenario, catalogue, scenario

FLOOR = number("study", "rate_floor")


def test_the_paired_ratio_is_a_t_interval_of_log_ratios():
    rates, healthy = np.array([12, 30, 7, 0.5, 55]), np.array([4, 11, 9, 2, 20.0])
    log = np.log(rates / healthy)
    found = paired_ratio(rates, healthy)
    # by hand: t(0.975; 4 degrees of freedom) = 2.7764
    half = 2.7764451 * math.sqrt(((log - log.mean()) ** 2).sum() / 4.0) / math.sqrt(5.0)
    assert (found.value, found.people) == (pytest.approx(math.exp(log.mean())), 5)
    assert found.low == pytest.approx(math.exp(log.mean() - half), rel=1e-6)
    assert found.high == pytest.approx(math.exp(log.mean() + half), rel=1e-6)
    interval = stats.ttest_rel(np.log(rates), np.log(healthy)).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((math.exp(interval[0]), math.exp(interval[1])))


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(2000):
        own = rng.lognormal(6.5, 0.8, 20)
        change = rng.lognormal(np.log(1.6), 0.3, 20)
        ratio = paired_ratio(own * change, own)
        inside.append(ratio.low < 1.6 < ratio.high)
    assert stats.binomtest(sum(inside), 2000, 0.95).pvalue > 1e-3


def test_silence_in_both_gives_one_and_one_person_gives_no_interval():
    none = np.zeros(10)
    assert paired_ratio(none, none) == Ratio(1.0, 1.0, 1.0, 10)
    alone = paired_ratio(np.array([10]), np.array([2]))
    assert alone.low == 0.0 and alone.high == math.inf and alone.change == "same"
    # silence counts as the floor, however long anybody was watched
    found = paired_ratio(np.array([1.0, 1.0]), np.array([0.0, FLOOR / 100]))
    assert found.value == pytest.approx(1.0 / FLOOR)


@pytest.mark.parametrize(
    ("low", "high", "change"),
    [
        (1.3, 9.0, "more"), (1.2, 9.0, "same"), (0.1, 0.79, "fewer"), (0.1, 0.81, "same"),
        (0.9, 1.1, "same"), (0.1, 9.0, "same"),
    ],
)  # fmt: skip
def test_a_change_counts_only_beyond_the_smallest_ratio(low, high, change):
    assert Ratio(1.0, low, high, 10).change == change


def people(**rates):
    """Return people of synthetic counts: mean count by scenario name."""
    rng = np.random.default_rng(3)
    own = rng.lognormal(0.0, 0.5, 40)
    rows = tuple(Scenario(name=name.replace("_and_", "+")) for name in rates)
    counts = np.array([rng.poisson(own * mean) for mean in rates.values()])
    return People(rows, counts, counts, counts, counts, counts.astype(float))


CLAIM = Claim("It does", "factor", combination=("partner",))


@pytest.mark.parametrize(
    ("claim", "rates", "outcome"),
    [
        (CLAIM, {"normal": 50, "factor": 150}, "supported"),
        (CLAIM, {"normal": 50, "factor": 10}, "opposed"),
        (
            CLAIM,
            {"normal": 50, "factor": 50, "partner": 80, "factor_and_partner": 80},
            "no difference at this size",
        ),
        (
            CLAIM,
            {"normal": 50, "factor": 51, "partner": 60, "factor_and_partner": 200},
            "only in combination",
        ),
        (
            CLAIM,  # the partner alone does as much: nothing is added by the factor
            {"normal": 50, "factor": 50, "partner": 300, "factor_and_partner": 300},
            "no difference at this size",
        ),
        (Claim("It stops", "factor", "remedy", "fewer"), {"normal": 80, "factor": 9}, "supported"),
        (Claim("It stops", "factor", "remedy", "fewer"), {"normal": 9, "factor": 80}, "opposed"),
        (Claim("Out", "other", outside="why"), {"normal": 9}, "outside this model"),
    ],
)
def test_every_outcome(claim, rates, outcome):
    verdict = judge(claim, people(**rates))
    assert verdict.outcome == outcome and outcome in OUTCOMES
    assert (verdict.claim, verdict.factor, verdict.expected) == (
        claim.claim, claim.factor, claim.expected,
    )  # fmt: skip
    if outcome == "outside this model":
        assert math.isnan(verdict.rate_ratio) and verdict.note == "why" and verdict.people == 0
    else:
        assert verdict.ci_low <= verdict.rate_ratio <= verdict.ci_high and verdict.people == 40
    assert verdict.note == ("with partner" if outcome == "only in combination" else verdict.note)


def test_a_verdict_on_people_who_were_not_run_is_refused():
    with pytest.raises(NeurosimError, match="not among normal"):
        judge(Claim("It does", "absent"), people(normal=3))


def test_an_article_needs_two_people():
    with pytest.raises(NeurosimError, match="at least 2"):
        compare.article(1)


def test_claims_ask_for_scenarios_that_exist():
    for claim in CLAIMS:
        assert claim.group in ("cause", "remedy") and claim.expected in ("more", "fewer")
        if not claim.outside:
            assert {claim.factor, *claim.combination} <= set(catalogue())
    asked = [(c.factor, c.expected) for c in CLAIMS]
    assert len(set(asked)) == len(asked)


def test_two_factors_together_change_what_either_changes():
    both = compare._together("low_magnesium", "low_calcium", scenario("normal"))
    magnesium, calcium = scenario("low_magnesium").body, scenario("low_calcium").body
    assert both.name == "low_magnesium+low_calcium"
    assert both.body.ionised_magnesium_mmol_l == magnesium.ionised_magnesium_mmol_l
    assert both.body.ionised_calcium_mmol_l == calcium.ionised_calcium_mmol_l
    assert both.body.potassium_mmol_l == Body().potassium_mmol_l


# --- what is exchanged ---


def test_exchanged_restores_also_after_an_error_and_when_nested():
    nominal = number("firing", "load_factor")
    with exchanged("firing", "load_factor", 2.0):
        with exchanged("firing", "load_factor", 3.0), exchanged("study", "confidence", 0.5):
            assert number("firing", "load_factor") == 3.0
            assert number("study", "confidence") == 0.5
        assert number("firing", "load_factor") == 2.0
        assert number("study", "confidence") == 0.95
    assert number("firing", "load_factor") == nominal
    with pytest.raises(RuntimeError), exchanged("firing", "load_factor", 2.0):
        raise RuntimeError
    assert number("firing", "load_factor") == nominal and not sources._exchanged


def test_only_numbers_that_exist_can_be_exchanged():
    with pytest.raises(NeurosimError, match="load_factor"), exchanged("firing", "load_facto", 1.0):
        pass
    with pytest.raises(NeurosimError, match="room"), exchanged("fire", "load_factor", 1.0):
        pass
    assert not sources._exchanged


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
    with exchanged(room, name, factor * number(room, name)):
        inside = hazard_table(conditions)
        assert np.abs(np.log(inside.bursts_per_min / before.bursts_per_min)).max() > 0.1
        assert hazard_table(conditions) is inside
    assert hazard_table(conditions) is before


def test_remember_is_keyed_by_the_rooms_it_names():
    calls = []

    @sources.remember("firing", "study.confidence")
    def value(x):
        calls.append(x)
        return x * number("firing", "load_factor")

    nominal = value(1.0)
    with exchanged("firing", "load_factor", 7.0):
        assert value(1.0) == 7.0
    with exchanged("study", "confidence", 0.5):
        assert value(1.0) == nominal
    assert len(calls) == 3
    with exchanged("study", "smallest_ratio", 2.0):
        assert value(1.0) == nominal
    assert value(1.0) == nominal and len(calls) == 3


def test_assumptions_have_a_range_about_their_value():
    for axon in AXONS:
        for a in compare.assumptions(axon):
            assert a.low <= a.nominal <= a.high and a.low < a.high, a.name
            assert set(a.factors) <= set(catalogue())
            with a.at(a.high):
                assert number(a.room, a.name) == a.high


def test_every_other_axon_is_exchanged_and_told():
    asked = scenario("low_potassium")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "assumptions", lambda *_: ())
        patch.setattr(compare, "_reference", lambda _: (math.nan, math.nan))
        shifts = {"ghk": 1.0, "ohmic": 1.3, "alternative": -2.0}
        patch.setattr(compare, "long_run_ratio", lambda s: shifts[s.axon])
        found = compare.lean(asked)
        assert found.axons == pytest.approx({"ohmic": 0.3, "alternative": -3.0})
        assert (found.lowest, found.highest) == (pytest.approx(-3.0), pytest.approx(0.3))
        assert found.flips_at == "alternative" and found.leans_on.startswith("axon (ghk")
        patch.setattr(compare, "long_run_ratio", lambda s: 1.0)
        assert compare.lean(asked.replace(axon="ohmic")).flips_at == "not with ghk or alternative"


def test_a_verdict_says_which_axons_turn_it():
    def verdict(**ratios):
        return compare.Verdict("c", "f", "cause", "more", "supported", 3.0, axon_ratios=ratios)

    assert verdict(ohmic=1.4, alternative=40.0).turns_with == ()
    assert verdict(ohmic=1.1, alternative=0.2).turns_with == ("ohmic", "alternative")


# --- the physics on the sole of the foot ---


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("normal", -1e-9, 1e-9),
        ("low_calcium", 1.0, 12.0),
        ("high_calcium", -20.0, -1.0),
        ("high_magnesium", -20.0, -1.0),
        ("low_magnesium", 0.3, 6.0),
        ("low_potassium", -20.0, -1.0),
        ("low_sodium", -8.0, -0.3),
        ("high_sodium", -4.0, -0.3),
        ("fatigue", -20.0, -0.3),
    ],
)
def test_every_ion_moves_the_rate_its_own_way(name, low, high):
    assert low < long_run_ratio(scenario(name), people=12) < high


@pytest.mark.parametrize("name", ["low_calcium", "high_calcium", "high_magnesium", "low_potassium"])
def test_the_same_with_ohmic_sodium(name):
    ghk, ohmic = (
        long_run_ratio(scenario(name).replace(axon=axon), people=6) for axon in ("ghk", "ohmic")
    )
    assert np.sign(ghk) == np.sign(ohmic) and abs(ohmic) > 0.5


def test_water_that_follows_sodium_undoes_part_of_what_it_does():
    with_water = long_run_ratio(scenario("low_sodium"), people=6)
    with exchanged("body", "internal_ions_per_sodium", 0.0):
        assert long_run_ratio(scenario("low_sodium"), people=6) < with_water - 1.0 < -1.0


def test_a_side_is_taken_only_beyond_the_rule():
    edge = math.log(number("study", "smallest_ratio"))
    assert [compare._side(v) for v in (1.01 * edge, 0.99 * edge, -0.99 * edge, -1.01 * edge)] == [
        "more", "same", "same", "fewer",
    ]  # fmt: skip


def test_the_turning_point_is_found_by_bisection():
    a = compare._assumption("firing", "load_factor", "words")

    def log():
        return 1.0 if number("firing", "load_factor") < 6.3 else 0.0

    assert compare._turning_point(log, a, a.high, "more") == pytest.approx(6.3, abs=0.1)
    assert number("firing", "load_factor") == a.nominal
