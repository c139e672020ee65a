"""The command line: files, words, and one sentence for every mistake."""

import ast
import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neurosim.article import trial, verdict
from neurosim.cli import main as cli
from neurosim.cli.commands import run
from neurosim.model.firing.discharge import PROCESSES
from neurosim.model.firing.sites import TYPICAL_PERSON
from neurosim.validation import target, validate

MISTAKES = [
    "run --people=--",
    "run --set=--",
    "rnu", "run lowcalcium", "run nothing.toml", "run broken.toml", "run --set potassium",
    "run --set potasium_mmol_l=3", "run --set potassium_mmol_l=abc", "run --set =3",
    "run --set potassium_mmol_l=30", "run --set stress=1 --set stress=0", "run --set",
    "run --frobnicate", "run normal low_calcium", "run --people 0", "run --people 1e9",
    "run --people 2.5", "run --duration 1e12", "run --duration nan", "run --duration 0",
    "run --seed x", "run --seed -1", "run --muscle eylid", "run --axon foo",
    "run --out no/such/folder", "run --out broken.toml", "run --against foo", "run --people",
    "sweep", "sweep stress", "sweep stress 0:1", "sweep stress 0:1:1", "sweep stress a:1:3",
    "sweep stress 0:1:1e6", "sweep foo 0:1:3", "sweep stress 0:2:3", "sweep stress 0:1:3 --set x=1",
    "article --people 1", "article --out broken.toml", "excitability --set x",
    "excitability --out broken.toml", "excitability --change hcn_scale", "excitability --axon foo",
    "excitability --change hcn=2", "excitability --change hcn_scale=99",
    "excitability --change hcn_scale=1 hcn_scale=2", "excitability --change leak_scale=x",
    "cohort", "cohort strss", "cohort normal normal", "cohort stress --people 2 stress",
    "cohort nothing.toml", "cohort broken.toml", "cohort normal --people 0",
    "cohort normal --people -1", "cohort normal --people 1e9", "cohort normal --people x",
    "cohort normal --hours nan", "cohort normal --hours 0", "cohort normal --hours 9000",
    "cohort normal --seed -1", "cohort normal --muscle nose", "cohort normal --workers 0",
    "cohort normal --workers 1000", "cohort normal --workers 1.5", "cohort normal --format xls",
    "cohort normal --scheduler nonsense", "cohort normal --scheduler tcp://127.0.0.1:99999",
    "cohort normal --scheduler tcp://127.0.0.1:9 --workers 2", "cohort normal --duration 3",
    "cohort normal --out broken.toml/o", "cohort normal --out no/such/folder",
    "sources --csv no/such.csv", "sources foo", "list --muscle x",
    "validate --out broken.toml", "--frobnicate",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_sentence_and_leaves_nothing(line, tmp_path, capsys):
    (tmp_path / "broken.toml").write_text("title = \n")
    assert cli.main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1 and len(err) > 20, err
    assert err.rstrip()[-1] in ".?"
    assert "Traceback" not in err and "argument " not in err.split(";")[0][:9]
    assert os.listdir(tmp_path) == ["broken.toml"]


def test_nearest_names_are_offered(capsys):
    cli.main(["rnu"])
    assert "did you mean 'run'?" in capsys.readouterr().err
    cli.main(["list", "--muscle", "x"])
    assert "'--muscle': choose from --help" in capsys.readouterr().err


def test_whole_numbers_are_written_out(capsys):
    cli.main(["run", "--seed", str(2**60)])
    assert "0 to 9007199254740992." in capsys.readouterr().err
    cli.main("run --people 1e9".split())
    assert "people = 1000000000 is outside" in capsys.readouterr().err


def test_imports_stay_light():
    code = (
        "import sys, neurosim, neurosim.cli.main as c\n"
        "try:\n c.main(['--help'])\nexcept SystemExit:\n pass\n"
        "assert c.main(['list']) == 0\n"
        "assert c.main(['run', '--people', '0']) == 2\n"
        "bad = {'matplotlib', 'numba', 'scipy.stats', 'pandas'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "kind", "origin", "words"),
    [
        ("cramp", "spasm", "soma", "a spasm is prolonged and often painful"),
        ("isaacs", "neuromyotonic_burst", "terminal", "neuromyotonic bursts"),
        ("pinched_nerve", "myokymic_burst", "lesion", "by an empirical rule"),
        ("als", "single", "terminal", "motor units times 0.58"),
    ],
)
def test_every_disease_runs_through_the_whole_chain(name, kind, origin, words, tmp_path, capsys):
    assert cli.main(f"run {name} --duration 20 --out o".split()) == 0
    out = capsys.readouterr().out
    assert words in out and "nan" not in out.lower().split()
    found = {(row["kind"], row["origin"]) for row in read("o/twitches.csv")}
    assert (kind, origin) in found
    assert {row["process"] for row in read("o/discharges.csv")} <= set(PROCESSES)
    assert (tmp_path / "o" / "emg.wav").stat().st_size > 20_000


def test_a_pinched_root_is_told_and_a_wrong_one_refused(capsys):
    told = {
        "--muscle eyelid": "the facial nerve, no spinal root, moves the eyelid; S1 does not reach",
        "--muscle upper_arm": "whose roots are C5 and C6 (--root C6 pinches one)",
        "--muscle upper_arm --root c6": "C6 carries 60 % of the axons of the upper arm",
        "--root sensory": "touches no motor axon",
    }
    for options, words in told.items():
        assert cli.main(f"run pinched_nerve --duration 5 --out o {options}".split()) == 0
        assert words in capsys.readouterr().out
    assert cli.main("run pinched_nerve --root S9 --out o".split()) == 2
    assert capsys.readouterr().err.strip() == "Unknown root 'S9': did you mean 'S2'?"


def test_run_writes_everything_and_says_so(tmp_path, capsys):
    line = "run low_calcium --duration 20 --set potassium_meq_l=4.5 caffeine_mg=50 --out o"
    assert cli.main(line.split()) == 0
    out = capsys.readouterr().out
    assert "A teaching model, not medical advice." in out
    assert set(os.listdir("o")) == {
        "twitches.csv",
        "twitches.json",
        "discharges.csv",
        "discharges.json",
        "result.json",
        "figure.png",
        "figure.txt",
        "emg.csv",
        "emg.json",
        "emg.wav",
    }
    assert (tmp_path / "o" / "figure.txt").read_text("utf-8").strip() in out
    assert all(name in out for name in os.listdir("o"))
    rows = read("o/twitches.csv")
    assert list(rows[0]) == [
        "onset_s",
        "duration_s",
        "peak_mn",
        "unit",
        "units",
        "discharges",
        "kind",
        "origin",
        "visible",
    ]
    assert list(read("o/discharges.csv")[0]) == [
        "time_s",
        "unit",
        "origin",
        "place_in_burst",
        "sodium_load_mmol_l",
        "episode",
        "process",
    ]
    about = json.loads((tmp_path / "o" / "result.json").read_text("utf-8"))
    assert about["scenario"]["body"]["potassium_mmol_l"] == 4.5
    assert (tmp_path / "o" / "figure.png").stat().st_size > 20_000


def reader_gone():
    reading, writing = os.pipe()
    os.close(reading)
    return open(writing, "w", encoding="utf-8")


def disk_full():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    return open("/dev/full", "w", encoding="utf-8")


@pytest.mark.parametrize("output", [reader_gone, disk_full])
@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("run caffeine --duration 2", 10),
        ("sweep stress 0:1:2 --people 2", 4),
        ("excitability", 6),
        ("cohort stress --people 2 --hours 0.01 --workers 1", 7),
        ("key --seed 7", 3),
        ("validate", 2),
        ("article --people 6", 10),
    ],
)
def test_files_are_whole_though_nobody_reads_the_words(
    line, files, output, tmp_path, monkeypatch, capsys, small_article
):
    monkeypatch.setattr(trial, "run_article", lambda *args, **more: small_article)
    monkeypatch.setattr(validate, "validation_rows", tuple)
    with output() as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        code = cli.main([*line.split(), "--out", "o"])
    names = os.listdir("o")
    assert len(names) == files and all((tmp_path / "o" / name).stat().st_size for name in names)
    if output is reader_gone:
        assert code == 0 and not capsys.readouterr().err
    else:
        assert code == 2
        assert capsys.readouterr().err == "Cannot print: No space left on device.\n"


def test_a_patient_is_worked_to_the_end_though_nobody_reads(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("bill\nquit\n"))
    with reader_gone() as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert cli.main("mystery --seed 7 --out o".split()) == 0
    assert os.listdir("o")


def test_a_reader_that_leaves_early_is_no_error_of_the_process(tmp_path):
    home = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    for buffered in ("1", ""):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-m", "neurosim", "list"],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**home, "PYTHONUNBUFFERED": buffered},
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (0, "")


def test_no_command_prints_before_its_files_are_written():
    for path in Path(cli.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            lines = {}
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                lines.setdefault(ast.unparse(call.func).split(".")[-1], []).append(call.lineno)
            assert "print" not in lines or function.name == "print_now", function.name
            writes = [
                i for name in ("save", "save_files", "write_files") for i in lines.get(name, ())
            ]
            if writes and "print_now" in lines:
                assert min(writes) <= min(lines["print_now"]), function.name


def test_default_folder_and_toml_file(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'name = "../evil name"\nduration_s = 5\n[body]\nstress = 1\n'
    )
    assert cli.main(["run", "mine.toml"]) == 0
    assert os.listdir("neurosim-out") == ["evil_name"]


def test_settings_name_the_folder(capsys):
    for settings in ("potassium_mmol_l=6.50 stress=.5", "potassium_mmol_l=5", "stress=0"):
        assert cli.main(f"run --duration 2 --set {settings}".split()) == 0
    assert "Health: sole of the foot" in capsys.readouterr().out
    assert cli.main("run low_calcium --duration 2 --set stress=1".split()) == 0
    assert sorted(os.listdir("neurosim-out")) == [
        "low_calcium+stress_1",
        "potassium_mmol_l_5",
        "potassium_mmol_l_6.5+stress_0.5",
        "stress_0",
    ]


def test_a_name_of_many_settings_is_bounded_and_its_own():
    many = {f"ionised_calcium_mmol_l_{i}": "1" for i in range(9)}
    names = {run._name_settings(many), run._name_settings(many | {"stress": "1"})}
    assert len(names) == 2
    assert all(len(name) <= run.LONGEST_NAME for name in names)


def test_a_title_that_the_font_lacks_is_drawn_without_warning(tmp_path, capsys):
    (tmp_path / "a.toml").write_text(
        'title = "低 $5 and $x^$ 😀"\nduration_s = 2\npeople = 2\n[body]\nstress = 1\n', "utf-8"
    )
    assert cli.main(["run", "a.toml"]) == 0
    assert "低 $5" in capsys.readouterr().out


def test_where_nothing_is_compiled_it_says_so_once(monkeypatch, capsys):
    monkeypatch.setenv("NEUROSIM_BACKEND", "numpy")
    monkeypatch.setattr(validate, "validation_rows", tuple)
    assert cli.main("validate --out o".split()) == 0
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "about 20 times as long" in err
    assert cli.main(["list"]) == 0
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("per_person_s", "code", "words"),
    [(0.001, 0, ""), (2.0, 0, "takes about 10 minutes"), (600.0, 2, "about 50 hours: choose")],
)
def test_a_long_run_says_how_long(per_person_s, code, words, monkeypatch, capsys):
    from neurosim.simulation import budget
    from neurosim.simulation.replicate import replicate

    monkeypatch.setattr(
        "neurosim.simulation.simulate.replicate", lambda pair, people, **more: replicate(pair, 2)
    )
    monkeypatch.setattr(budget, "useful_cores", lambda people: 1)
    monkeypatch.setattr(budget, "measure_few", lambda scenarios, people: (per_person_s, 0.0))
    assert cli.main("run --people 300 --duration 1000 --out o".split()) == code
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == bool(words)


def test_same_seed_same_bytes_and_people_do_not_change_them(tmp_path):
    for folder, extra in (("a", []), ("b", []), ("c", ["--people", "3"]), ("d", ["--seed", "9"])):
        assert cli.main(["run", "low_calcium", "--duration", "10", "--out", folder, *extra]) == 0
    a, b, c, d = ((tmp_path / f / "twitches.csv").read_bytes() for f in "abcd")
    assert a == b == c
    assert a != d
    rows = read("c/people.csv")
    assert len(rows) == 6
    assert {r["scenario"] for r in rows} == {"low_calcium", "normal"}
    note = json.loads((tmp_path / "c" / "twitches.json").read_text())["note"]
    assert f"person {TYPICAL_PERSON} only" in note


def test_a_remedy_is_compared_with_the_same_body_without(capsys):
    assert cli.main("run over_breathing --remedy calm --duration 20 --out o".split()) == 0
    out = capsys.readouterr().out
    assert out.startswith("Over-breathing alone, calm:")
    assert "against over-breathing alone" in out.lower() or "Over-breathing alone" in out[40:]
    assert cli.main("run normal --remedy healthy_diet --duration 20 --out p".split()) == 0
    assert "nothing to mend in this body" in capsys.readouterr().out
    assert cli.main("run normal --remedy yoga --out q".split()) == 2
    assert "Unknown remedy 'yoga'" in capsys.readouterr().err


def test_against_runs_the_same_people(capsys):
    line = "run stress --against caffeine --duration 10 --people 2 --out o"
    assert cli.main(line.split()) == 0
    assert "Against 'Caffeine', the same 2 people" in capsys.readouterr().out
    assert {r["scenario"] for r in read("o/people.csv")} == {"stress", "caffeine"}


def test_sweep(capsys):
    assert cli.main("sweep calcium_mg_dl 8:12:2 --people 2 --out o".split()) == 0
    rows = read("o/sweep.csv")
    assert [r["calcium_mg_dl"] for r in rows] == ["8", "8", "12", "12"]
    assert set(os.listdir("o")) == {"sweep.csv", "sweep.json", "sweep.png", "sweep.txt"}
    assert "not medical advice" in capsys.readouterr().out


def test_excitability(capsys):
    assert cli.main("excitability --set potassium_mmol_l=6 --out o".split()) == 0
    assert set(os.listdir("o")) == {
        "excitability.csv",
        "excitability.json",
        "excitability.png",
        "excitability.txt",
        "curves.csv",
        "excitability.mem",
    }
    rows = {r["key"]: r for r in read("o/excitability.csv")}
    assert len(rows) == 27
    assert rows["rheobase_pa"]["limits_95"] == "no norm" and rows["rheobase_pa"]["z"] == ""
    sdtc = rows["sdtc_ms"]
    assert float(sdtc["z"]) == pytest.approx((float(sdtc["model"]) - 0.4327) / 0.0967)
    curves = read("o/curves.csv")
    assert list(curves[0])[:7] == [
        "curve",
        "x",
        "x_unit",
        "model",
        "health",
        "human_mean",
        "human_sd",
    ]
    assert {r["curve"] for r in curves} == {
        "strength_duration",
        "charge_duration",
        "recovery_cycle",
        "depolarising_40",
        "depolarising_20",
        "hyperpolarising_40",
        "hyperpolarising_20",
        "hyperpolarising_70",
        "hyperpolarising_100",
        "threshold_iv",
    }
    assert sum(bool(r["human_mean"]) for r in curves if r["curve"] == "depolarising_40") == 28
    assert not any(r["human_mean"] for r in curves if r["curve"] == "hyperpolarising_100")
    assert "looks like a depolarised axon" in capsys.readouterr().out


def test_excitability_of_a_changed_membrane(capsys):
    from neurosim.clinic.excitability import examine
    from neurosim.clinic.mem import read_mem
    from neurosim.model.axon.axon import Conditions

    line = "excitability --change persistent_sodium_scale=2 --axon ohmic --out o"
    assert cli.main(line.split()) == 0
    out = capsys.readouterr().out
    assert "looks like more persistent sodium current" in out
    table = out.split("\n\n")[1].splitlines()
    assert len(table) == 28 and table[0].endswith("95 % limits")
    assert {row.split("  ")[-1] for row in table[1:]} <= {"inside", "outside", "no norm"}
    found = examine(Conditions(persistent_sodium_scale=2.0), "ohmic")
    rows = {r["key"]: r for r in read("o/excitability.csv")}
    assert float(rows["sdtc_ms"]["model"]) == pytest.approx(found.tau_sd_ms)
    assert read_mem("o/excitability.mem").simulated
    about = json.loads(Path("o/excitability.json").read_text("utf-8"))
    assert about["membrane_changes"] == {"persistent_sodium_scale": 2.0}


def test_a_named_condition_is_examined_and_its_mem_file_reads_back(capsys):
    from neurosim.clinic.excitability import examine
    from neurosim.clinic.mem import read_mem
    from neurosim.model.axon.activity import AxonHistory, conditions_after

    line = "excitability --condition ischaemia --change ischaemia_min=8 --out o"
    assert cli.main(line.split()) == 0
    out = capsys.readouterr().out
    assert "Ten minutes without blood, minutes without blood flow 8 min" in out
    assert "looks like a depolarised axon" in out
    conditions = conditions_after(AxonHistory(ischaemia_min=8.0))
    found = examine(conditions)
    back = read_mem("o/excitability.mem")
    assert back.simulated
    for key, value in back.measures.items():
        allowed = {"abs": 5e-4} if key != "rheobase_pa" else {"rel": 1e-6}
        assert value == pytest.approx(found.measures[key], **allowed), key
    recovery = dict(back.recovery_cycle)
    assert recovery[10.0] == pytest.approx(
        found.recovery_change_percent[found.recovery_interval_ms == 10.0][0], abs=1e-3
    )
    about = json.loads(Path("o/excitability.json").read_text("utf-8"))
    assert about["membrane_changes"] == {"ischaemia_min": 8.0}
    assert about["conditions"]["potassium_out_mmol_l"] == conditions.potassium_out_mmol_l


def test_conditions_of_an_axon_are_listed_and_a_wrong_one_is_a_sentence(capsys):
    assert cli.main(["list"]) == 0
    out = capsys.readouterr().out
    assert "ischaemia_released      Two minutes after ten without blood" in out
    assert "persistent_sodium_scale  persistent sodium current, 0 to 20" in out
    for line, says in (
        ("--condition ischemia", "Unknown condition 'ischemia': did you mean 'ischaemia'?"),
        ("--change train_per_s=20", "Firing needs both train_per_s and train_min."),
        ("--change ph=4", "ph = 4 is outside the allowed range 6.5 to 8."),
    ):
        assert cli.main(["excitability", *line.split()]) == 2
        assert capsys.readouterr().err == says + "\n"


def test_body_and_membrane_changes_add_up(tmp_path):
    line = "excitability --set fatigue=1 --change sodium_in_mmol_l=9 --out"
    assert cli.main([*line.split(), "a"]) == 0
    assert cli.main("excitability --out b".split()) == 0
    model = [r["model"] for r in read("a/excitability.csv")]
    assert model == [r["model"] for r in read("b/excitability.csv")]
    assert "health" in (tmp_path / "b" / "excitability.mem").read_text("utf-8")


def test_a_year_of_busy_twitches_is_refused_before_it_is_run(tmp_path, capsys):
    assert cli.main("run --duration 3e7".split()) == 2
    assert "too many for a table" in capsys.readouterr().err
    assert not os.listdir(tmp_path)


def test_list_sources_and_version(capsys):
    assert cli.main(["list"]) == 0
    out = capsys.readouterr().out
    assert "low_calcium" in out and "eyelid" in out and "cups_of_coffee" in out
    assert cli.main(["sources", "--csv", "all.csv"]) == 0
    assert "assumed" in capsys.readouterr().out
    rows = read("all.csv")
    assert {r["grade"] for r in rows} <= {"measured", "fitted", "assumed"}
    assert all(r["citation"] for r in rows)
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("neurosim ")


def test_article_tables_and_report(monkeypatch, capsys, small_article):
    def judge(base, *, cores, progress, stage):
        assert (base.people, base.seed) == (6, 2)
        return small_article

    monkeypatch.setattr(trial, "run_article", judge)
    assert cli.main("article --people 6 --seed 2 --out o".split()) == 0
    assert set(os.listdir("o")) == {
        "verdicts.csv",
        "verdicts.json",
        "verdicts.png",
        "verdicts.txt",
        "remedies.csv",
        "remedies.png",
        "remedies.txt",
        "alarms.csv",
        "rates.csv",
        "report.html",
    }
    out = capsys.readouterr().out
    assert "not medical advice" in out and "See a doctor" in out
    rows = read("o/verdicts.csv")
    assert [int(r["number"]) for r in rows] == list(range(1, 47))
    assert {"rate_ratio_ghk", "rate_ratio_ohmic", "leans_on", "finding", "note"} <= set(rows[0])
    assert rows[23]["rate_ratio_ohmic"] == "30" and rows[23]["rate_ratio_alternative"] == ""
    assert {r["outcome"] for r in rows} <= set(verdict.OUTCOMES)
    cells = read("o/remedies.csv")
    assert len(cells) == small_article.matrix.applies.size
    assert {r["rate_ratio"] for r in cells if r["applies"] == "no"} == {"1"}
    rates = read("o/rates.csv")
    assert [r["scenario"] for r in rates] == list(small_article.rates)
    healthy = small_article.rates["normal"]
    assert float(rates[0]["median_per_min"]) == pytest.approx(np.median(healthy))
    assert [r["sign"] for r in read("o/alarms.csv")][:3] == ["persists", "spreads", "gets_worse"]


def test_validate_columns(monkeypatch, capsys):
    row = target.Row("V1", "x", "x", "x", 1.0, 2.0, 3.0, "measured", "x")
    met = replace(row, model=1.5)
    rows = (row, met, replace(met, grade="fitted"))
    monkeypatch.setattr(validate, "validation_rows", lambda: rows)
    assert cli.main("validate --out o".split()) == 0
    assert list(read("o/validation.csv")[0]) == list(target.COLUMNS)
    out = capsys.readouterr().out
    assert "1 of 2 predictions (measured); 1 of 1 fitted; 0 of 0 assumed." in out
    assert "model 3, published 1 to 2" in out


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [(KeyboardInterrupt, 130, "Stopped"), (MemoryError, 3, "not enough memory")],
)
def test_an_accident_leaves_no_folder(error, code, words, tmp_path, monkeypatch, capsys):
    def stop(*args, **kwargs):
        raise error

    monkeypatch.setattr("neurosim.simulation.simulate.simulate", stop)
    assert cli.main(["run", "normal"]) == code
    assert words in capsys.readouterr().err
    assert not os.listdir(tmp_path)


def test_a_first_command_says_once_that_it_compiles(monkeypatch, capsys):
    from time import sleep

    from neurosim.base import jit

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for compiling, said in ((True, 1), (False, 0)):
        monkeypatch.setattr(jit, "is_compiling", lambda compiling=compiling: compiling)
        with cli._announce_compiling():
            sleep(2.3)
        assert capsys.readouterr().err.count("Compiling, once on this machine") == said


def test_detect_reads_what_run_wrote(tmp_path, capsys):
    assert cli.main(["run", "--duration", "20", "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    out = tmp_path / "out"
    line = ["detect", str(tmp_path / "run" / "emg.csv"), "--muscle", "shin", "--out", str(out)]
    assert cli.main(line) == 0
    words = capsys.readouterr().out
    assert "In the model's shin" in words and "not medical advice" in words
    assert {p.name for p in out.iterdir()} == {
        *("detection.json", "detection.png", "detection.txt", "potentials.csv"),
        *("potentials.json", "units.csv", "units.json"),
    }
    assert json.loads((out / "units.json").read_text("utf-8"))["units"]["amplitude_uv"] == "µV"


def test_detect_refuses_in_one_sentence_and_leaves_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("emg_uv\n" + "1\n" * 5000, "utf-8")
    for options, words in (
        ([], "--rate-hz"),
        (["--rate-hz", "fast"], "rate_hz must be a finite number"),
        (["--rate-hz", "5000", "--muscle", "bicep"], "Unknown muscle"),
        (["--unit", "kV", "--rate-hz", "5000"], "Unknown unit"),
    ):
        assert cli.main(["detect", "a.csv", *options]) == 2
        said = capsys.readouterr()
        assert words in said.err and said.err.count("\n") == 1 and not said.out
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
