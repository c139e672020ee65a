"""Every command has a twin: it prints, draws and writes the same, and refuses alike."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from neurosim.cli import main as cli
from neurosim.cli import output
from neurosim.simulation.cohort import AlreadyFinished
from neurosim.simulation.people import People

ROOT = Path(ns.__file__).parents[1]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# --- The command and its twin ----------------------------------------------------------------

PAIRS = {
    "run low_calcium --duration 30": lambda: ns.simulate("low_calcium", duration_s=30),
    "run --duration 30": lambda: ns.simulate(duration="30 s"),
    "run stress --remedy calm --duration 30": lambda: ns.run(
        "stress", remedy="calm", duration_s=30
    ),
    "run --remedy calm --duration 30": lambda: ns.run(remedy="calm", duration_s=30),
    "run caffeine --against stress --duration 30 --person 3": lambda: ns.simulate(
        "caffeine", against="stress", duration_s=30, person=3
    ),
    "run low_calcium --people 3 --duration 30": lambda: ns.simulate(
        "low_calcium", people=3, duration_s=30
    ),
    "run a_day --duration 3600": lambda: ns.simulate("a_day", duration_s=3600),
    "sweep calcium_mg_dl 8:10:3 --people 2": lambda: ns.sweep("calcium_mg_dl", "8:10:3", people=2),
    "cohort stress --people 2 --hours 0.01 --muscle calf": lambda: ns.cohort(
        "stress", people=2, hours=0.01, muscle="calf"
    ),
}


@pytest.mark.parametrize("line", PAIRS)
def test_a_twin_prints_and_writes_what_its_command_does(line, capsys):
    assert cli.main([*line.split(), "--out", "command"]) == 0
    printed = capsys.readouterr().out
    result = PAIRS[line]()
    paths = result.save("twin")
    text, last = printed.rstrip("\n").rsplit("\n", 1)
    assert last.startswith("Written into command: ") and str(result) == text
    assert (
        sorted(p.name for p in paths) == sorted(os.listdir("command")) == sorted(os.listdir("twin"))
    )
    for name in os.listdir("command"):
        if name != "cohort.json":  # it says how long it took
            assert Path("command", name).read_bytes() == Path("twin", name).read_bytes(), name
    assert len(repr(result).splitlines()) <= 2


def test_files_are_written_before_anything_is_printed(monkeypatch):
    seen = []
    monkeypatch.setattr(output, "print_now", lambda *text, **more: seen.append(os.listdir("o")))
    assert cli.main("run --remedy calm --duration 2 --out o".split()) == 0
    assert seen and all("result.json" in files for files in seen)


def test_a_result_holds_what_it_is_compared_with():
    result = ns.simulate("low_calcium", people=3, duration_s=10)
    assert result.against.scenario.name == "normal" and result.against.person == result.person
    assert [s.name for s in result.compared.scenarios] == ["low_calcium", "normal"]
    assert ns.simulate("low_calcium", duration_s=10).against is None
    beside = ns.simulate("normal", against="normal", duration_s=10).against
    assert beside.scenario.name == "normal_compared"
    assert ns.simulate("normal", remedy="calm", duration_s=10).idle_remedy
    assert ns.run is ns.simulate


@pytest.mark.parametrize(
    "make",
    [
        lambda: ns.replicate(["low_calcium", "normal"], 4, duration_s=10),
        lambda: ns.replicate("stress", 1, duration_s=10),
        lambda: ns.sweep("stress", (0, 0.5, 1), people=2, duration_s=10),
        lambda: ns.cohort("stress", "caffeine", people=2, hours=0.01, muscle="calf"),
    ],
    ids=["people", "one person", "sweep", "cohort"],
)
def test_results_show_themselves(make):
    result = make()
    assert 50 < len(str(result)) < 2000 and len(repr(result)) <= 200
    assert result.plot().alt_text and result._repr_html_().startswith("<pre>")
    assert len(result.to_dataframe()) >= 1
    assert len(result.sources()) > 100
    assert {p.suffix for p in result.save("o")} >= {".csv", ".json", ".png", ".txt"}


def test_people_are_compared_with_the_healthy_among_them():
    people = ns.replicate(["low_calcium", "normal"], 4, duration_s=10)
    assert "against health" in str(people) and "times as many" in str(people)
    assert "against health" not in str(ns.replicate(["low_calcium", "stress"], 4, duration_s=10))
    table = people.to_dataframe()
    assert list(table["scenario"]) == ["low_calcium"] * 4 + ["normal"] * 4
    assert np.array_equal(table["twitches"], people.twitches.ravel())


def test_a_cohort_in_a_folder_goes_on_and_is_finished_once():
    options = {"people": 4, "hours": 0.01, "muscle": "calf", "folder": "o"}
    first = ns.cohort("stress", **options)
    assert os.listdir("o") == ["parts"]
    with pytest.raises(ns.NeurosimError, match="unfinished run"):
        ns.cohort("stress", **options)
    again = ns.cohort("stress", resume=True, **options)
    assert again.resumed and np.array_equal(again.per_min, first.per_min)
    again.save("beside")
    assert "parts" in os.listdir("o")
    again.save("o")
    assert "parts" not in os.listdir("o") and "people.csv" in os.listdir("o")
    assert Path("o/people.csv").read_bytes() == Path("beside/people.csv").read_bytes()
    with pytest.raises(AlreadyFinished, match="the run in o is finished"):
        ns.cohort("stress", resume=True, **options)


# --- Bad input -------------------------------------------------------------------------------

SHORT = {"duration_s": 1.0}
WRONG = {
    "Scenario(muscel)": (lambda: ns.Scenario(muscel="calf"), "'muscel': did you mean 'muscle'?"),
    "Scenario(duration twice)": (
        lambda: ns.Scenario(duration="1 h", duration_s=2),
        "duration and duration_s say the same",
    ),
    "Scenario(duration)": (lambda: ns.Scenario(duration="long"), "duration = 'long'"),
    "Scenario(many)": (lambda: ns.Scenario(*"abcdefghijklm"), "too many"),
    "Scenario(twice)": (lambda: ns.Scenario("a", name="b"), "name"),
    "Scenario(axon list)": (lambda: ns.Scenario(axon=["ghk"]), "axon"),
    "Scenario(body)": (lambda: ns.Scenario(body="x"), "body must be a Body"),
    "load_scenario(5)": (lambda: ns.load_scenario(5), "not 5"),
    "load_scenario(None)": (lambda: ns.load_scenario(None), "not None"),
    "simulate(5)": (lambda: ns.simulate(5), "not 5"),
    "simulate(muscel)": (lambda: ns.simulate(muscel="calf"), "did you mean 'muscle'"),
    "person=-1": (lambda: ns.simulate(person=-1), "person = -1"),
    "person=a": (lambda: ns.simulate(person="a"), "person must be a finite number, not 'a'"),
    "person=1.5": (lambda: ns.simulate(person=1.5), "person must be a whole number, not 1.5"),
    "person=True": (lambda: ns.simulate(person=True), "person must be a finite number, not True"),
    "person=None": (lambda: ns.simulate(person=None), "person must be a finite number"),
    "against": (lambda: ns.simulate(against="helth"), "helth"),
    "against=5": (lambda: ns.simulate(against=5), "not 5"),
    "remedy": (lambda: ns.simulate(remedy="clam"), "calm"),
    "remedy=5": (lambda: ns.simulate(remedy=5), "5"),
    "people": (lambda: ns.simulate(people="a"), "people must be a finite number, not 'a'"),
    "cores": (lambda: ns.simulate(people=2, cores="a", **SHORT), "cores must be a finite number"),
    "cores=0": (lambda: ns.replicate("normal", 2, cores=0, **SHORT), "cores = 0"),
    "cores=1.5": (lambda: ns.replicate("normal", 2, cores=1.5, **SHORT), "cores must be a whole"),
    "progress": (lambda: ns.replicate("normal", 2, progress=5, **SHORT), "progress must be"),
    "replicate(5)": (lambda: ns.replicate(5), "not 5"),
    "replicate([])": (lambda: ns.replicate([]), "empty"),
    "replicate(people)": (lambda: ns.replicate("normal", [1]), "people must be a finite number"),
    "seed": (lambda: ns.replicate("normal", 2, seed="x"), "seed must be a finite number"),
    "sweep(field)": (lambda: ns.sweep("ionised_calcum", "0:1:3"), "ionised_calcum"),
    "sweep(5)": (lambda: ns.sweep(5, "0:1:3"), "field must be"),
    "steps text": (lambda: ns.sweep("stress", "0:1"), "START:STOP:N"),
    "steps count": (lambda: ns.sweep("stress", "0:1:2.5"), "N = 2.5 must be a whole number"),
    "steps words": (lambda: ns.sweep("stress", "a:1:3"), "START must be a finite number"),
    "steps=5": (lambda: ns.sweep("stress", 5), "steps must be START:STOP:N"),
    "steps=[]": (lambda: ns.sweep("stress", []), "1 to 1000 numbers, not 0"),
    "steps=['a']": (lambda: ns.sweep("stress", ["a"]), "a step must be a finite number"),
    "steps low": (lambda: ns.sweep("stress", [2.0]), "stress = 2"),
    "cohort(5)": (lambda: ns.cohort(5), "not 5"),
    "cohort(muscel)": (lambda: ns.cohort("stress", muscel="calf"), "did you mean 'muscle'"),
    "cohort(hours)": (lambda: ns.cohort("stress", hours="x"), "hours must be a finite number"),
    "cohort(seed)": (lambda: ns.cohort("stress", seed=-1), "seed = -1"),
    "cohort(format)": (lambda: ns.cohort("stress", format=["csv"]), "format"),
    "cohort(workers)": (lambda: ns.cohort("stress", workers="x"), "workers must be a finite"),
    "cohort(scheduler)": (lambda: ns.cohort("stress", scheduler=5), "scheduler"),
    "cohort(folder)": (lambda: ns.cohort("stress", folder="a/b/c"), "folder"),
    "cohort(folder=5)": (lambda: ns.cohort("stress", folder=5), "folder"),
    "sensitivity(range)": (lambda: ns.sensitivity(range=["x"]), "range"),
    "sensitivity(samples)": (lambda: ns.sensitivity(samples=100), "power of 2"),
    "sensitivity(people)": (lambda: ns.sensitivity(people=1), "too few"),
    "sensitivity(what)": (lambda: ns.sensitivity(5), "not 5"),
    "sensitivity(stage)": (lambda: ns.sensitivity(samples=4, stage=5), "stage must be"),
    "save": (lambda: ns.sweep("stress", [0], people=1, **SHORT).save(5), "folder"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_one_sentence(name, tmp_path):
    call, words = WRONG[name]
    with pytest.raises(ns.NeurosimError) as refusal:
        call()
    sentence = str(refusal.value)
    assert words in sentence and "\n" not in sentence and sentence[-1] in ".?"
    assert not list(tmp_path.iterdir())


def test_durations_are_read_as_in_a_file():
    assert ns.Scenario(duration="24 h").duration_s == 86_400.0
    assert ns.Scenario(duration="24 h") == ns.Scenario(duration_s=86_400)
    assert ns.simulate(duration="2 s").scenario.duration_s == 2.0


# --- Processes -------------------------------------------------------------------------------

SCRIPT = """
import neurosim as ns
people = ns.replicate("stress", 20, duration_s=1.0, muscle="calf", cores=2)
print("counted", people.twitches.shape)
"""


@pytest.mark.parametrize("how", ["file", "-c", "stdin", "-m"])
def test_a_script_without_a_guard_may_use_cores(how, tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "plain.py").write_text(SCRIPT, "utf-8")
    # It would stop any process that looks for modules here; the script stands elsewhere.
    if how == "file":
        (tmp_path / "types.py").write_text("raise RuntimeError('a pupil's file')", "utf-8")
    arguments = {"file": ["scripts/plain.py"], "-c": ["-c", SCRIPT], "stdin": ["-"],
                 "-m": ["-m", "scripts.plain"]}[how]  # fmt: skip
    done = subprocess.run(
        [sys.executable, *arguments],
        input=SCRIPT if how == "stdin" else None,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "counted (1, 20)\n"  # once: no process ran the script again


def test_people_are_the_same_on_processes():
    one, two = (ns.replicate("stress", 20, cores=cores, duration_s=20.0) for cores in (1, 2))
    assert isinstance(one, People)
    for name in ("twitches", "visible", "doublets", "active_units", "expected_per_min"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
