"""The twitching eyelid in the chain: who has it, what acts on it, and what studies would find."""

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import override, parameter
from neurosim.model.body.state import Body
from neurosim.model.soma import facial
from neurosim.simulation import lid
from neurosim.simulation.scenario import load_scenario
from neurosim.simulation.simulate import simulate
from neurosim.validation.people_targets import IONS, draw_bloods

HOUR = 3600.0


@pytest.fixture(scope="module")
def ill():
    return simulate("eyelid_myokymia", duration_s=HOUR)


def test_the_scenario_twitches_by_one_motor_neuron(ill):
    columns = ill.firing.columns()
    on = columns["process"] == "plateau"
    assert on.sum() > 500 and set(columns["origin"][on]) == {"soma"}
    assert np.unique(columns["unit"][on]).size == 1
    assert set(ill.twitches.kind) <= {"single", "doublet", "multiplet"}, "no spasm"
    at = np.flatnonzero(on)
    gaps = np.diff(columns["time_s"][at])
    usual = gaps[gaps < facial.PAUSE_S]
    assert np.mean((usual > 0.1) & (usual < 0.35)) > 0.8
    lone = (columns["process"] == "misfire") & (columns["unit"] == columns["unit"][at[0]])
    assert lone.sum() < 10 * (1 + (gaps > facial.PAUSE_S).sum())


def test_the_law_tells_the_twitches_of_the_chain(ill):
    per_min = ill.other_bursts_per_min[0].sum()
    assert per_min == pytest.approx((ill.firing.process > 0).sum() / 60.0, rel=0.5)


@pytest.mark.parametrize(
    ("muscle", "proneness"), [("thumb", 1.0), ("eyelid", 0.0)], ids=["another muscle", "not prone"]
)
def test_nothing_else_fires_so(muscle, proneness):
    body = load_scenario("eyelid_myokymia").body.replace(eyelid_proneness=proneness)
    result = simulate("eyelid_myokymia", body=body, muscle=muscle, duration_s=600.0)
    assert not (result.firing.process > 0).any() and not result.other_bursts_per_min.any()


def test_proneness_moves_no_other_discharge(ill):
    healthy = load_scenario("eyelid_myokymia").body.replace(eyelid_proneness=0.0)
    without = simulate("eyelid_myokymia", body=healthy, duration_s=HOUR)
    soma = ill.firing.columns()["process"] == "misfire"
    times = set(ill.firing.time_s[soma])
    assert set(without.firing.time_s) <= times


def test_coffee_of_a_course_acts_when_it_is_drunk():
    scenario = load_scenario("a_day").replace(muscle="eyelid", duration_s=2 * HOUR)
    scenario = scenario.replace(body=scenario.body.replace(eyelid_proneness=1.0))
    result = simulate(scenario)
    expected = result.other_bursts_per_min.sum(axis=1)
    assert expected.size > 1 and np.ptp(expected) > 0.0 and len(result.firing) > 50


def test_everyday_causes_raise_the_onset_and_small_ones_less():
    strong, mild = lid.onset_factors(), lid.onset_factors(mild=True)
    assert set(strong) == set(lid.CLAIMED)
    for name, factor in strong.items():
        assert 1.0 < mild[name] < factor < 30.0, name
    other = lid.onset_factors(["low_magnesium", "low_calcium", "low_potassium", "high_potassium"])
    assert all(0.5 < factor < 2.0 for factor in other.values()), "ions hardly act"
    with override("facial", "tiredness_noise_rise", 0.0):
        assert lid.onset_factors(["fatigue"])["fatigue"] == pytest.approx(1.0)
    with pytest.raises(NeurosimError, match="Unknown scenario"):
        lid.onset_factors(["cofee"])


def test_a_study_of_ions_finds_nothing_unless_the_blood_arrives():
    shares = lid.case_control(103, 103, repeats=60, seed=1)
    ions = [shares[name] for name in lid.IONS]
    assert max(ions) <= 0.2, "chance finds one in twenty"
    arriving = lid.case_control(103, 103, repeats=20, seed=1, ion_share=1.0)
    assert arriving["potassium_mmol_l"] > 0.9


def test_blood_is_spread_as_in_the_other_studies_of_lids():
    bloods = draw_bloods(4000)
    for name, day in zip(IONS, bloods.day, strict=True):
        assert lid.blood_sd(name) == pytest.approx(day.std(), rel=0.06), name
    with override("variation", "between.potassium", 6.0):
        assert lid.blood_sd("potassium_mmol_l") > 0.28


def test_a_study_of_sleep_finds_it_only_if_sleep_acts():
    usual = lid.case_control(72, 197, repeats=60, seed=2)
    with override("facial", "sleep_share", 0.0), override("facial", "tiredness_noise_rise", 0.0):
        idle = lid.case_control(72, 197, repeats=60, seed=2)
    assert usual["sleep_debt_h"] > idle["sleep_debt_h"] + 0.2
    assert idle["sleep_debt_h"] <= 0.2 and idle["tiredness"] <= 0.2


def test_more_students_twitch_in_an_exam_week():
    usual, exams = lid.exam_week(seed=3)
    assert 0.29 <= exams <= 0.59, "44 of 100 in one study"
    assert usual < exams - 0.05
    same = lid.exam_week(seed=3, stress=0.0, sleep_debt_h=0.0)
    assert same[0] == usual and same[1] < exams


def test_onset_of_a_body_is_the_laws():
    tone = parameter("facial", "prone_tone_mv")
    assert lid.onset_of(Body()) == lid.onset_of(Body(), tone) > lid.onset_of(Body(), tone - 0.1)
