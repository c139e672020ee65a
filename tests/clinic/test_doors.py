"""`excitability` and `fit` from Python: what the commands print and write; else one sentence."""

import math

import numpy as np
import pytest

import neurosim as ns
from neurosim.cli import main as cli
from neurosim.clinic.excitability import examine
from neurosim.clinic.fit import NerveRecord
from neurosim.model.axon.axon import Conditions
from neurosim.model.axon.changes import condition
from neurosim.simulation.state import body_trajectory, tissue_state

NONSENSE = [3.5, -1, True, "?", b"x", [], ("a",), {3: 4}, {"leak_scale": "x"}, math.nan, object()]


@pytest.fixture(scope="module")
def high_potassium():
    return ns.excitability(ns.Body(potassium_mmol_l=6), person=3)


@pytest.fixture(scope="module")
def fitted(high_potassium):
    return ns.fit(high_potassium)


def run_command(line, capsys):
    assert cli.main(line) == 0
    return capsys.readouterr().out.rpartition("Written into")[0]


def assert_same_files(folder, other):
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in other.iterdir()} != set()
    for name in names:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name


def test_an_examination_is_what_the_command_prints_and_writes(high_potassium, tmp_path, capsys):
    line = f"excitability --set potassium_mmol_l=6 --person 3 --out {tmp_path / 'command'}"
    assert run_command(line.split(), capsys) == f"{high_potassium}\n"
    high_potassium.save(tmp_path / "twin")
    assert_same_files(tmp_path / "command", tmp_path / "twin")


def test_a_fit_is_what_the_command_prints_and_writes(high_potassium, tmp_path, capsys):
    path = {p.name: p for p in high_potassium.save(tmp_path / "test")}["curves.csv"]
    result = ns.fit(path, axon="ohmic")
    command = tmp_path / "command"
    line = ["fit", str(path), "--axon", "ohmic", "--out", str(command)]
    assert run_command(line, capsys) == f"{result}\n"
    result.save(tmp_path / "twin")
    assert_same_files(command, tmp_path / "twin")


def test_a_fit_of_an_examination_is_that_of_its_file(high_potassium, fitted, tmp_path):
    path = {p.name: p for p in high_potassium.save(tmp_path)}["excitability.mem"]
    from_file = ns.fit(ns.read_record(path))
    assert fitted.record.temperature_c == from_file.record.temperature_c
    for one, other in zip(fitted.singles[:3], from_file.singles[:3], strict=True):
        assert one.name == other.name and one.value == pytest.approx(other.value, rel=2e-3)
    assert fitted.singles[0].name == "potassium_out_mmol_l"
    plain = NerveRecord.from_excitability(examine(Conditions(potassium_out_mmol_l=6)))
    assert math.isnan(plain.temperature_c) and plain.simulated
    assert ns.fit(plain).record is plain


def test_a_result_shows_itself(high_potassium, fitted):
    for result in (high_potassium, fitted):
        assert len(repr(result)) <= 160 and "\n" not in repr(result)
        html = result._repr_html_()
        assert "<img" in html and "not medical advice" in html
        assert result.plot().alt_text in str(result)
        assert len(result.sources()) > 20
    rows = high_potassium.to_dataframe()
    assert rows["model"][0] == high_potassium.tau_sd_ms
    assert rows["health"][0] == high_potassium.healthy.tau_sd_ms != rows["model"][0]
    assert set(fitted.to_dataframe()["answer"]) == {"all together", "one alone"}


def test_the_sources_are_those_of_what_was_examined(high_potassium):
    def groups(examination):
        return {group for group, _ in examination.sources().entries}

    assert {"membrane", "axon_ghk", "people", "body"} <= groups(high_potassium)
    mean = ns.excitability(condition="ischaemia", axon="ohmic")
    assert {"axon_ohmic", "conditions"} <= groups(mean)
    assert not {"axon_ghk", "people"} & groups(mean)


@pytest.mark.parametrize(
    ("what", "conditions", "title"),
    [
        (None, Conditions(), "health"),
        ("normal", Conditions(), "health"),
        (Conditions(ph=7.6), Conditions(ph=7.6), "ph = 7.6"),
        ("low_calcium", None, "Low blood calcium"),
        (ns.Scenario(body=ns.Body(potassium_mmol_l=6), title="A"), None, "A"),
    ],
)
def test_what_may_be_many_things(what, conditions, title):
    result = ns.excitability(what)
    assert result.title == title and result.is_healthy == (title == "health")
    if conditions is None:
        assert result.conditions == tissue_state(ns.load_scenario(what)).axon != Conditions()
    else:
        assert result.conditions == conditions


def test_a_changing_body_is_examined_at_its_start():
    scenario = ns.load_scenario("a_day")
    states = body_trajectory(scenario).states
    assert ns.excitability(scenario).conditions == states[0].axon
    assert len({state.axon for state in states}) > 1


def test_a_change_has_the_last_word_over_a_named_condition():
    result = ns.excitability(condition="persistent_sodium_twice", change={"leak_scale": 2})
    assert result.conditions == condition("persistent_sodium_twice").replace(leak_scale=2.0)
    assert result.title.endswith("leak times 2")
    overruled = ns.excitability(condition="cold", change={"temperature_c": 33})
    np.testing.assert_array_equal(
        overruled.recovery_change_percent, examine(Conditions()).recovery_change_percent
    )


def test_a_scenario_keeps_its_axon_and_seed_unless_told_otherwise():
    scenario = ns.Scenario(axon="ohmic", seed=4)
    result = ns.excitability(scenario, person=1)
    assert result.axon == "ohmic" and "person 1 of seed 4" in result.title
    other = ns.excitability(scenario, person=1, axon="ghk", seed=5)
    assert other.axon == "ghk" and other.scores != result.scores


def test_a_title_of_many_values_is_cut():
    fields = ("stress", "fatigue", "anxiety", "isaacs", "als", "nerve_damage", "diuretic",
              "kidney_disease", "gabapentinoid", "poor_nutrition", "stretch")  # fmt: skip
    result = ns.excitability(ns.Body(**dict.fromkeys(fields, 0.1)), person=0)
    assert 150 < len(result.title) <= 200 and result.title.endswith("(person 0 of seed 1)")


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    ("function", "name"),
    [
        *(("excitability", n) for n in ("what", "condition", "change", "person", "axon", "seed")),
        *(("fit", n) for n in ("record", "axon")),
        ("read_record", "path"),
        ("read_panel", "path"),
    ],
)
def test_nonsense_is_one_sentence(function, name, value):
    arguments = {"record": "no.mem"} if (function, name) == ("fit", "axon") else {}
    with pytest.raises(ns.NeurosimError) as error:
        getattr(ns, function)(**{**arguments, name: value})
    assert "\n" not in str(error.value) and str(error.value)[-1] in ".?"


@pytest.mark.parametrize("name", ["record", "axon"])
def test_a_fit_needs_a_record_and_an_axon(name):
    with pytest.raises(ns.NeurosimError, match=f"{name} must|Unknown {name}"):
        ns.fit(**{"record": "no.mem", name: None})
    with pytest.raises(ns.NeurosimError, match="did you mean 'axon'"):
        ns.fit("no.mem", axn="ghk")


def test_an_axon_that_cannot_be_tested_is_no_mistake():
    blocked = ns.excitability(change={"potassium_out_mmol_l": 20})
    assert blocked.blocked and "no pulse makes it fire" in repr(blocked)
    with pytest.raises(ns.NeurosimError, match="a fit needs at least 20"):
        ns.fit(blocked)
