"""Unlabelled patients: where each illness is, what is counted, and that nothing tells the key."""

from dataclasses import replace

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.classroom.lessons import unlabelled as w
from neurosim.classroom.lessons.unlabelled_plot import picture_patients
from neurosim.classroom.mystery.patient import CAUSES, case_of
from neurosim.model.muscle.anatomy import MUSCLES, muscle_roots
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.simulate import simulate


@pytest.fixture(scope="module")
def four():
    return w.unlabelled_patients(3, 20.0)


def test_the_seed_knows_the_order(four):
    assert sorted(w.shuffle("abcd", 5)) == list("abcd")
    assert {tuple(w.shuffle("abcd", s)) for s in range(40)} != {tuple("abcd")}
    assert w.true_causes(four) == w.true_causes(w.unlabelled_patients(3, 1.0))
    assert sorted(w.true_causes(four).values()) == sorted(w.ILL)
    assert [p.letter for p in four] == list("ABCD")
    assert not any(cause in str(p) or cause in repr(p) for p in four for cause in w.ILL)


def test_a_root_reaches_the_muscles_that_it_supplies():
    for root in ("C6", "L5"):
        patient = w.draw_patient("pinched_nerve", watched_s=60.0, root=root)
        myokymic = {f.muscle for f in patient.findings if f.per_min[1] > 0}
        assert myokymic == {m for m in MUSCLES if root in muscle_roots(m)}
        assert all((f.force < 0.99) == (f.muscle in myokymic) for f in patient.findings)


def test_each_illness_loses_what_it_loses(four):
    patient_of = {c: p for p, c in zip(four, w.true_causes(four).values(), strict=True)}
    losses = {c: {f.muscle for f in p.findings if f.units < 0.95} for c, p in patient_of.items()}
    assert losses == {
        "pinched_nerve": set(),
        "isaacs": set(),
        "nerve_damage": {"calf", "foot_sole"},
        "als": set(MUSCLES) - {"eyelid"},
    }
    assert all(f.per_min[2] > 0 for f in patient_of["isaacs"].findings)
    assert not any(f.per_min[1] + f.per_min[2] for f in patient_of["als"].findings)


def test_a_patient_is_a_case_of_the_mystery(four):
    assert set(w.AMOUNTS) <= set(CAUSES) and w.AMOUNTS["als"]["shin"] == 0.6
    for patient in four:
        case = patient.case
        assert case.people_seed == 3 and case.person == 0 and not case.habits
        for name in MUSCLES:
            amount = w.AMOUNTS[case.cause].get(name, 0.0)
            scenario = case.scenario(name, 5.0)
            assert getattr(scenario.body, CAUSES[case.cause].field) == amount
            assert (scenario.muscle, scenario.seed, scenario.root) == (name, 3, "S1")
    with pytest.raises(NeurosimError, match="Unknown cause 'isacs': did you mean 'isaacs'"):
        case_of("isacs", {})
    with pytest.raises(NeurosimError, match="seed"):
        case_of("isaacs", {}, seed=-1)


def test_findings_are_counted_per_minute_without_spasms():
    run = simulate(Scenario(muscle="thumb", duration_s=30.0, seed=1))
    kinds = ["single", "doublet", "myokymic_burst", "neuromyotonic_burst", "spasm", "single"]
    columns = {name: np.zeros(6) for name in ("onset_s", "duration_s", "peak_mn", "unit", "units")}
    more = {"discharges": np.ones(6), "origin": np.full(6, "x"), "visible": np.ones(6, bool)}
    events = type(run.twitches)(**columns, **more, kind=np.array(kinds))
    finding = w.observe_muscle(replace(run, twitches=events))
    assert finding.per_min == (6.0, 2.0, 2.0) and finding.units == 1.0
    assert finding.force == pytest.approx(1.0, abs=1e-3)


def test_who_is_told_right(four):
    key = w.true_causes(four)
    assert (
        w.correct_diagnoses(four, key) == list("ABCD")
        and w.correct_diagnoses(four, {"A": ""}) == []
    )
    swapped = {**key, "A": key["B"], "B": key["A"]}
    assert w.correct_diagnoses(four, swapped) == ["C", "D"]
    with pytest.raises(NeurosimError, match="isaacs"):
        w.correct_diagnoses(four, {"A": "isacs"})
    with pytest.raises(NeurosimError, match="patient"):
        w.correct_diagnoses(four, {"E": ""})
    with pytest.raises(NeurosimError, match="cause"):
        w.draw_patient("flu")


def test_the_picture_tells_every_muscle(four):
    picture = picture_patients(four)
    assert len(picture.axes) == 8 and len(picture_patients(four[:1]).axes) == 2
    for patient in four:
        for f in patient.findings:
            assert f"{100 * f.units:.0f} % of the motor units" in picture.alt_text
    first = four[0].findings
    bars = [bar.get_width() for bar in picture.axes[1].patches]
    assert bars == pytest.approx([100 * f.units for f in first])
    with pytest.raises(NeurosimError, match="1 to 4 patients"):
        picture_patients([])
