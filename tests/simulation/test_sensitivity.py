"""Sobol's indices against closed forms, and the model as a function of its inputs."""

import csv
import sys

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import override, parameter
from neurosim.cli import main as cli
from neurosim.model.firing.sites import ROGUE
from neurosim.simulation import sensitivity as study
from neurosim.simulation.scenario import Scenario

FEW = ("event_size", "event_share", "csf_transfer", "rogue_person_spread_foot_sole")


def inputs(*bounds):
    return [study.InputFactor("number", "", f"x{i}", f"x{i}", *b) for i, b in enumerate(bounds)]


def few(asked):
    return tuple(f for f in _every(asked) if f.name in FEW)


_every = study.number_factors


def test_ishigami_has_its_closed_form():
    def ishigami(x):
        return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])

    found = study.sobol(inputs(*[(-np.pi, np.pi)] * 3), ishigami, 2048)
    assert found.first == pytest.approx([0.3139, 0.4424, 0.0], abs=0.03)
    assert found.total == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.03)
    assert (abs(found.total - [0.5576, 0.4424, 0.2437]) < 2 * found.total_half).all()
    assert found.order == [0, 1, 2] and found.is_firm.all()
    assert [w for w in found.warnings if "first-order index cannot be told from none: x2." in w]


def test_a_straight_line_is_additive():
    slope, low, high = np.array([3.0, 1.0, 0.0]), np.array([0.0, -1.0, 5.0]), np.array([1, 2, 6])
    part = (slope * (high - low)) ** 2 / ((slope * (high - low)) ** 2).sum()  # of the variance
    bounds = inputs(*zip(low, high, strict=True))
    found = study.sobol(bounds, lambda x: x @ slope, 1024)
    assert found.first == pytest.approx(part, abs=0.01)
    assert found.total == pytest.approx(part, abs=0.01)
    effects = study.screen_inputs(bounds, lambda x: x @ slope, 5)
    assert effects == pytest.approx(slope * (high - low))


def test_few_samples_say_so():
    rng = np.random.default_rng(1)
    found = study.sobol(inputs(*[(0, 1)] * 6), lambda x: rng.standard_normal(len(x)), 8)
    assert any("Not converged" in w for w in found.warnings)
    with pytest.raises(NeurosimError, match="no variance"):
        study.sobol(inputs((0, 1)), lambda x: np.ones(len(x)), 8)


def test_same_seed_same_indices():
    one, two, other = (
        study.sobol(inputs((0, 1), (0, 1)), lambda x: x[:, 0] ** 2 + x[:, 1], 32, seed)
        for seed in (1, 1, 2)
    )
    assert (one.total == two.total).all() and (one.total_half == two.total_half).all()
    assert (one.total != other.total).any()


def test_every_input_moves_what_it_names():
    asked = Scenario()
    setup = study.InputSetup(asked, (*study.body_factors(), *few(asked), study.person_factor(64)))
    rows = np.tile([0.5 * (f.low + f.high) for f in setup.factors], (4, 1))
    names = [f.name for f in setup.factors]
    rows[1, names.index("potassium_mmol_l")] = 5.0
    rows[2, names.index("event_size")] = 0.11
    rows[3, names.index("person")] = 7.5
    alone = study.log10_rates(setup, rows)
    assert alone[1] > alone[0] + 0.1 and alone[2] > alone[0]
    assert np.unique(alone).size == 4
    # One chunk or two, one process or two: the same numbers.
    many = np.repeat(rows, 2, axis=0)
    both = study._Model(2, None)(setup, many, 1)
    assert (both == np.repeat(alone, 2)).all()


def test_a_body_that_cannot_live_counts_as_no_twitch():
    field = study.InputFactor("body", "body", "mass_loss_percent", "", 0.0, 10.0)
    salt = study.InputFactor("body", "body", "sodium_mmol_l", "", 100.0, 185.0)
    model, setup = study._Model(1, None), study.InputSetup(Scenario(), (field, salt))
    assert model(setup, np.array([[10.0, 185.0]]), 1) == pytest.approx(-5.0)
    assert model.unlivable == 1


def test_a_number_of_sites_does_not_draw_another_person():
    asked = Scenario()
    with override("membrane", "people_spread", 0.0):
        before = study.same_sites(asked, 3)
        with override("firing", "bulk_sites_per_unit", 40.0):
            denser = study.same_sites(asked, 3)
        with override("firing", "rogues_per_unit_foot_sole", 20.0):
            more = study.same_sites(asked, 3)
    rogues, same, grown = (
        set(
            zip(
                s.sodium_multiplier[s.origin == ROGUE], s.event_size[s.origin == ROGUE], strict=True
            )
        )
        for s in (before, denser, more)
    )
    assert same == rogues and rogues < grown
    assert denser.sodium_multiplier.size > before.sodium_multiplier.size
    mean = parameter("firing", "rogues_per_unit_foot_sole")
    with override("firing", "rogue_person_spread_foot_sole", 0.0):
        drawn = [study.same_sites(asked, p) for p in range(20)]
    counts = [(s.origin == ROGUE).sum() / s.units for s in drawn]
    error = np.sqrt(mean / before.units / len(drawn))  # of Poisson's
    assert np.mean(counts) == pytest.approx(mean, abs=4 * error)


def test_ranges_come_from_fields_and_scenarios():
    healthy = {f.name: (f.low, f.high) for f in study.body_factors("reference")}
    patients = {f.name: (f.low, f.high) for f in study.body_factors("clinical")}
    assert healthy["potassium_mmol_l"] == (3.5, 5.0) and healthy["stress"] == (0.0, 0.4)
    assert patients["potassium_mmol_l"] == (2.7, 6.0) and patients["stress"] == (0.0, 1.0)
    assert patients["paco2_mmhg"] == (20.0, 45.0) and patients["sleep_debt_h"] == (0.0, 8.0)
    numbers = study.number_factors(Scenario())
    assert {"rogue_tail", "S5Na", "csf_transfer"} <= {f.name for f in numbers}
    assert not [f for f in numbers if f.group == "junction"]


def test_the_command_writes_all(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(study, "number_factors", few)
    monkeypatch.setattr("neurosim.simulation.budget.useful_cores", lambda people: 1)
    assert cli.main("sensitivity --samples 4 --people 5 --out found".split()) == 0
    words = capsys.readouterr().out
    assert "sole of the foot" in words and "Not converged" in words and "| potassium" in words
    with open(tmp_path / "found" / "sensitivity.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {r["kind"] for r in rows} == set(study.KINDS) and len(rows) == 12 + 4 + 1
    totals = [float(r["total"]) for r in rows]
    assert totals == sorted(totals, reverse=True)
    made = {"sensitivity.csv", "sensitivity.json", "sensitivity.png", "sensitivity.txt",
            "screening.csv", "screening.json"}  # fmt: skip
    assert {p.name for p in (tmp_path / "found").iterdir()} == made


@pytest.mark.parametrize(
    "line",
    [
        "--samples 100",
        "--samples 1e9",
        "--samples x",
        "--samples 2",
        "--people 1",
        "--people 0",
        "--range everything",
        "--muscle eylid",
        "--seed -1",
        "--axon foo",
    ],
)
def test_a_mistake_is_one_sentence(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["sensitivity", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.rstrip()[-1] in ".?"
    assert not list(tmp_path.iterdir())


def test_without_salib_it_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in [n for n in sys.modules if n.split(".")[0] == "SALib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "SALib", None)
    assert cli.main(["sensitivity"]) == 2
    assert "pip install 'neurosim[sensitivity]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
