"""What a verdict leans on: every number moved, its turning point, the physics behind the ratios."""

import math

import numpy as np
import pytest

from neurosim.base.parameters import load_group, override, parameter
from neurosim.model.axon.axon import AXONS
from neurosim.model.axon.ensemble import ENSEMBLE
from neurosim.model.body.state import Body
from neurosim.simulation import robustness
from neurosim.simulation.robustness import Question, long_run_ratio
from neurosim.simulation.scenario import load_scenario

STRESS, HEALTH = load_scenario("stress"), load_scenario("normal")


def test_every_number_of_the_rooms_is_moved_within_its_range():
    for axon in AXONS:
        found = robustness.list_assumptions(HEALTH.replace(axon=axon))
        names = {a.name for a in found}
        assert {"S5Na", "rogue_tail", "rogues_per_unit_foot_sole", "noise_channels"} <= names
        assert "rogues_per_unit_ordinary" not in names and "soma_reset_mv" not in names
        for a in found:
            assert a.low <= a.nominal <= a.high and a.low < a.high, a.name
            assert load_group(a.group)[a.name].grade in ("assumed", "fitted")
            with a.overridden(a.high):
                assert parameter(a.group, a.name) == a.high


def test_the_sizes_of_a_body_are_moved_too():
    names = {a.name for a in robustness.size_assumptions(Body(anxiety=1))}
    assert {
        "anxiety_paco2_fall_mmhg",
        "anxiety_arousal",
        "stress_pic_gain_rise",
        "ionised_calcium_per_ph",
        "csf_transfer",
    } <= names
    assert "stress_pic_gain_rise" not in {
        a.name for a in robustness.size_assumptions(Body(anxiety=0, fatigue=1))
    }
    assert robustness.size_assumptions(Body()) == ()


def _fake(monkeypatch, value):
    """Let every rate be `value(scenario)` of the numbers exchanged, without any physics."""
    monkeypatch.setattr(
        robustness, "person_rates", lambda asked, person: np.array([value(s) for s in asked])
    )


def test_what_moves_most_and_where_it_turns(monkeypatch):
    def rate(s):
        if s.body == Body():
            return 1.0
        gain = parameter("body", "stress_pic_gain_rise")  # 0.5 in 0.1 to 0.5
        return 10.0 ** (2.0 * gain) * (2.0 if s.axon == "ohmic" else 1.0)

    _fake(monkeypatch, rate)
    (found,) = robustness.assess_robustness([Question(STRESS, HEALTH, math.log(10.0))])
    assert (found.lean.label, found.lean.value) == ("stress pic gain rise", 0.5)
    assert found.lowest == pytest.approx(math.log(10.0) * 2.0 * (0.1 - 0.5))
    assert found.highest == pytest.approx(math.log(2.0))
    alike = dict.fromkeys(("alternative", *ENSEMBLE), pytest.approx(0))
    assert found.axons == {"ohmic": pytest.approx(math.log(2.0)), **alike}
    # 10^0.2 is more than 1.25: it never turns
    assert not found.lean.turns and (found.lean.low, found.lean.high) == (0.1, 0.5)
    assert found.numbers_tried == len(robustness.list_assumptions(HEALTH)) + len(
        robustness.size_assumptions(STRESS.body)
    )


def test_the_turning_point_is_found_by_bisection(monkeypatch):
    # 1.25 at a gain of log10(1.25) / 4 x ... : rate 10^(4 (gain - 0.3)) is 1.25 at 0.3242
    _fake(
        monkeypatch,
        lambda s: (
            1.0
            if s.body == Body()
            else 10.0 ** (4.0 * (parameter("body", "stress_pic_gain_rise") - 0.3))
        ),
    )
    (found,) = robustness.assess_robustness([Question(STRESS, HEALTH, math.log(10.0**0.8))])
    exact = 0.3 + math.log10(parameter("study", "smallest_ratio")) / 4.0
    assert found.lean.turns and found.lean.flips_at == pytest.approx(exact, abs=0.02)


def test_every_other_axon_turns_only_if_it_does(monkeypatch):
    def rate(s):
        by_axon = {"alternative": 0.1, "ensemble_7": 0.5}
        return by_axon.get(s.axon, 10.0) if s.body.stress else 1.0

    _fake(monkeypatch, rate)
    (found,) = robustness.assess_robustness([Question(STRESS, HEALTH, math.log(10.0))])
    assert (found.lean.axon, found.lean.turning_axons) == ("ghk", ("alternative", "ensemble_7"))
    assert found.lean.turns
    assert found.lowest == pytest.approx(math.log(0.01))


def test_the_reference_range_is_asked_for_one_blood_value(monkeypatch):
    _fake(monkeypatch, lambda s: s.body.potassium_mmol_l)
    asked = load_scenario("high_potassium")
    (found,) = robustness.assess_robustness([Question(asked, HEALTH, math.log(6.0 / 4.2))])
    assert found.reference == pytest.approx((math.log(3.5 / 4.2), math.log(5.0 / 4.2)))
    (none,) = robustness.assess_robustness([Question(STRESS, HEALTH, 0.0)])
    assert math.isnan(none.reference[0])


def test_an_interval_turns_before_its_middle():
    edge = math.log(parameter("study", "smallest_ratio"))
    q = Question(STRESS, HEALTH, 1.0, 0.5, 1.5)
    assert q.turns(edge - 0.6) and not q.turns(edge - 0.4)
    unsure = Question(STRESS, HEALTH, 0.3, -0.5, 1.1)  # no difference, though above 1.25
    assert not unsure.turns(-0.2) and unsure.turns(edge + 0.6)


def test_a_side_is_taken_only_beyond_the_rule():
    edge = math.log(parameter("study", "smallest_ratio"))
    assert [
        robustness.ratio_side(v) for v in (1.01 * edge, 0.99 * edge, -0.99 * edge, -1.01 * edge)
    ] == [
        "more",
        "same",
        "same",
        "fewer",
    ]


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
        ("low_sodium", -0.5, 1.0),
        ("high_sodium", -4.0, -0.3),
        ("fatigue", -20.0, -0.3),
    ],
)
def test_every_ion_moves_the_rate_its_own_way(name, low, high):
    assert low < long_run_ratio(load_scenario(name), people=12) < high


@pytest.mark.parametrize("name", ["low_calcium", "high_calcium", "high_magnesium", "low_potassium"])
def test_the_same_with_ohmic_sodium(name):
    ghk, ohmic = (
        long_run_ratio(load_scenario(name).replace(axon=axon), people=6)
        for axon in ("ghk", "ohmic")
    )
    assert np.sign(ghk) == np.sign(ohmic) and abs(ohmic) > 0.5


def test_water_that_follows_sodium_undoes_part_of_what_it_does():
    with override("firing", "event_share", 0.0):  # of channel sites, which feel it most
        with_water = long_run_ratio(load_scenario("low_sodium"), people=6)
        with override("body", "internal_ions_per_sodium", 0.0):
            assert long_run_ratio(load_scenario("low_sodium"), people=6) < with_water - 1.0 < -1.0
