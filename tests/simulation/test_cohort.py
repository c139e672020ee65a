"""A cohort: the same people however they are split, stopped or killed, and counts that add up."""

import csv
import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.files import write_files
from neurosim.base.parameters import override, parameter
from neurosim.cli import main as cli
from neurosim.model.firing.discharge import ORIGINS
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.simulation import budget, cohort, plan, provenance, workers
from neurosim.simulation.checkpoint import Checkpoint, first_difference
from neurosim.simulation.replicate import replicate
from neurosim.simulation.scenario import Scenario, catalogue, load_scenario, severities
from neurosim.simulation.simulate import simulate
from neurosim.simulation.tally import Tally, bin_count
from neurosim.view import cohort_tables as tables

ROOT = Path(cohort.__file__).parents[2]
SMALL = {"people": 12, "hours": 0.02, "muscle": "calf"}
posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def small(**more):
    return plan.make_plan("stress", **(SMALL | more))


def people_csv(found, folder):
    """Return the bytes of every table of a cohort."""
    folder.mkdir(exist_ok=True)
    write_files(folder, tables.cohort_table_files(found))
    return {p.name: p.read_bytes() for p in sorted(folder.glob("*.csv"))}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return the tables of the small cohort, counted in this process in one go."""
    return people_csv(cohort.run_cohort(small(), workers=1), tmp_path_factory.mktemp("plain"))


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def drawn(states, person, bin_s=3600.0):
    """Return tallies that are drawn by seed, person and state, in place of the model's."""
    found = []
    for s in states:
        name = sum(ord(c) * 31**i for i, c in enumerate(f"{s.name} {s.muscle}"))
        rng = np.random.default_rng([s.seed, person, name])
        n = bin_count(s.duration_s, bin_s)
        counts = rng.poisson(rng.lognormal(0.0, 1.0), (5, n))
        tables = [rng.poisson(3.0, cells) for cells in (len(ORIGINS), 10, 92)]
        found.append(Tally(bin_s, s.duration_s, *counts, *tables, 3, rng.random()))
    return found


# --- What is counted -------------------------------------------------------------------------


def test_rows_are_those_of_the_same_people_simulated_one_by_one(plain, tmp_path):
    (tmp_path / "people.csv").write_bytes(plain["people.csv"])
    rows = read(tmp_path / "people.csv")
    assert [(int(r["person"]), r["scenario"]) for r in rows] == [
        (p, s) for p in range(12) for s in ("normal", "stress")
    ]
    people = replicate(["normal", "stress"], 12, muscle="calf", duration_s=72.0)
    for name in ("twitches", "visible", "doublets", "active_units"):
        assert [int(r[name]) for r in rows] == list(getattr(people, name).T.ravel())
    expected = [float(r["expected_per_min"]) for r in rows]
    assert expected == pytest.approx(people.expected_per_min.T.ravel(), rel=1e-6)
    for row in rows:
        assert float(row["twitches_per_min"]) == pytest.approx(int(row["twitches"]) / 1.2)
        assert sum(int(row[f"{o}_twitches"]) for o in ORIGINS) == int(row["twitches"])
    busy = max(rows, key=lambda r: int(r["discharges"]))
    one = simulate(busy["scenario"], person=int(busy["person"]), muscle="calf", duration_s=72.0)
    assert int(busy["discharges"]) == len(one.firing) > 0


def test_tables_add_up(plain, tmp_path):
    for name, content in plain.items():
        (tmp_path / name).write_bytes(content)
    people, hours, cells = (read(tmp_path / f"{n}.csv") for n in ("people", "hours", "histograms"))
    for state in ("normal", "stress"):
        mine = [r for r in people if r["scenario"] == state]
        (hour,) = [r for r in hours if r["scenario"] == state]
        for name in plan.COUNTS:
            assert int(hour[name]) == sum(int(r[name]) for r in mine)
        assert int(hour["people_twitching"]) == sum(int(r["twitches"]) > 0 for r in mine)
        sizes = [r for r in cells if r["scenario"] == state and r["kind"] == "burst_size"]
        assert sum(int(r["count"]) for r in sizes) == int(hour["twitches"])
        gaps = [r for r in cells if r["scenario"] == state and r["kind"] == "interval_s"]
        active = sum(int(r["active_units"]) for r in mine)
        assert sum(int(r["count"]) for r in gaps) == int(hour["discharges"]) - active
    for table in (people, hours, cells):
        assert {r["muscle"] for r in table} == {"calf"} and {r["seed"] for r in table} == {"1"}


def test_hourly_counts_of_a_still_body_are_poisson_with_the_rate_expected():
    # In health a thumb's sites misfire so seldom that no load and no doublet thins them.
    found = cohort.run_cohort(
        plan.make_plan("normal", people=40, hours=12, muscle="thumb"), workers=1
    )
    assert found.expected_per_min.max() < 5.0
    mean = 60.0 * found.expected_per_min[0].sum()  # of all people in an hour
    by_hour = found.hours[0, :, 1 + plan.COUNTS.index("twitches")]
    assert mean > 10.0 and by_hour.size == 12
    assert abs(by_hour.mean() - mean) < 3.3 * np.sqrt(mean / 12.0)
    spread = ((by_hour - mean) ** 2).sum() / mean  # chi-square of 12 degrees of freedom
    assert 2.2 < spread < 32.9  # 0.1 % on either side


def test_ratios_are_paired_with_health_in_the_same_muscle(monkeypatch):
    from scipy.stats import t

    monkeypatch.setattr(cohort, "tally_person", drawn)
    found = cohort.run_cohort(small(people=9, muscle="all"), workers=1)
    rows = tables.summary_rows(found)
    assert [(r["scenario"], r["muscle"]) for r in rows] == [
        (s, m) for s in ("normal", "stress") for m in MUSCLES
    ]
    for i, row in enumerate(rows[6:]):
        log = np.log(found.expected_per_min[6 + i] / found.expected_per_min[i])
        low, high = t.interval(0.95, 8, log.mean(), log.std(ddof=1) / 3.0)
        told = [row["rate_ratio"], row["ratio_low"], row["ratio_high"]]
        assert told == pytest.approx(np.exp([log.mean(), low, high]))
    assert {r["rate_ratio"] for r in rows[:6]} == {1.0}
    assert rows[0]["median_per_min"] == np.median(found.per_min[0])


# --- Signs of alarm --------------------------------------------------------------------------


def weekly(seen, hours):
    """Return a stand-in of `tallies` that has these visible twitches a week, by muscle."""

    def made(states, person, bin_s=3600.0):
        found = []
        for s in states:
            n = bin_count(s.duration_s, bin_s)
            visible = np.zeros(n, int)
            if s.name != "normal" and s.muscle in seen:
                visible[::168] = seen[s.muscle][: visible[::168].size]
            none = np.zeros(n, int)
            found.append(
                Tally(
                    bin_s,
                    s.duration_s,
                    visible,
                    visible,
                    none,
                    none,
                    visible,
                    np.zeros(len(ORIGINS), int),
                    np.zeros(10, int),
                    np.zeros(92, int),
                    1,
                    1.0,
                )
            )
        return found

    return made


@pytest.mark.parametrize(
    ("weeks", "calf", "thumb", "signs"),
    [
        (7, range(7), range(7), (-1, -1, -1)),
        (8, range(8), range(8), (-1, 1, 1)),
        (13, range(1, 14), range(1, 14), (1, 1, 1)),
        (13, range(1, 14), [5] * 13, (1, 0, 1)),
        (13, [5] * 13, [5] * 13, (1, 0, 0)),
        (13, [0] * 5 + [5] * 8, [0] * 13, (0, 0, 1)),
    ],
)
def test_signs_are_told_of_weeks(weeks, calf, thumb, signs, monkeypatch):
    seen = {"calf": list(calf), "thumb": list(thumb)}
    monkeypatch.setattr(cohort, "tally_person", weekly(seen, weeks * 168))
    asked = plan.make_plan("stress", people=2, hours=weeks * 168, muscle="all")
    rows = cohort.count_people(asked, 0, 2)["rows"]
    told = {tuple(int(rows[0, i][s]) for s in plan.COHORT_SIGNS) for i in range(6, 12)}
    assert told == {signs}
    found = cohort.run_cohort(asked, workers=1)
    block = next(tables.people_blocks(found))
    words = {1: True, 0: False, -1: None}
    assert [block[s][6] for s in plan.COHORT_SIGNS] == [words[s] for s in signs]
    text = tables.describe_cohort(found)
    assert ("too short for them" in text) == (weeks < 8)
    assert ("persists is told from 12 weeks" in text) == (weeks == 8)


# --- The same, however it is done ------------------------------------------------------------


def test_it_is_the_same_whatever_the_chunks(plain, tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "CHUNKS_OF_FEW", 3)
    other = cohort.run_cohort(small(), workers=1)
    assert other.chunk == 4
    assert people_csv(other, tmp_path / "other") == plain


def test_more_people_and_other_scenarios_do_not_change_a_person(plain, tmp_path):
    many = cohort.run_cohort(plan.make_plan(["caffeine", "stress"], **SMALL | {"people": 14}))
    blocks = list(tables.people_blocks(many))
    rows = {n: np.concatenate([b[n] for b in blocks]) for n in ("scenario", "person", "discharges")}
    keep = (rows["scenario"] != "caffeine") & (rows["person"] < 12)
    (tmp_path / "people.csv").write_bytes(plain["people.csv"])
    alone = read(tmp_path / "people.csv")
    assert [int(r["discharges"]) for r in alone] == list(rows["discharges"][keep])
    assert rows["discharges"].sum() > 0


def test_it_is_the_same_on_processes_where_a_number_is_exchanged(plain, tmp_path):
    with override("firing", "load_factor", 3.0 * parameter("firing", "load_factor")):
        one, two = (
            people_csv(cohort.run_cohort(small(), workers=n), tmp_path / str(n)) for n in (1, 2)
        )
        settings = small().settings()
    assert one == two
    assert one["people.csv"] != plain["people.csv"]
    assert first_difference(small().settings(), settings)[0] == "exchanged.firing.load_factor"


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_that_loses_a_worker_gives_the_same(plain, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        killed = []

        def kill(done, of):
            if done and not killed:
                killed.append(cluster.workers[0].pid)
                os.kill(killed[0], getattr(signal, "SIGKILL", signal.SIGTERM))

        address = cluster.scheduler_address
        with override("firing", "load_factor", 3.0 * parameter("firing", "load_factor")):
            there = cohort.run_cohort(small(people=4), scheduler=address)
            here = cohort.run_cohort(small(people=4), workers=1)
        found = cohort.run_cohort(small(), scheduler=address, progress=kill)
    assert killed
    assert people_csv(found, tmp_path / "dask") == plain
    assert np.array_equal(there.expected_per_min, here.expected_per_min)
    assert not np.array_equal(there.expected_per_min, found.expected_per_min[:, :4])


def test_a_scheduler_that_is_not_there_is_a_sentence(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "CONNECT_S", 0.3)
    with pytest.raises(NeurosimError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9\."):
        cohort.run_cohort(small(), scheduler="tcp://127.0.0.1:9")


def test_parquet_has_what_csv_has(plain, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    found = cohort.run_cohort(small(format="parquet"), workers=1)
    write_files(tmp_path, tables.cohort_table_files(found))
    for name in ("people", "hours", "histograms", "summary"):
        table = parquet.read_table(tmp_path / f"{name}.parquet")
        (tmp_path / f"{name}.csv").write_bytes(plain[f"{name}.csv"])
        rows = read(tmp_path / f"{name}.csv")
        assert table.column_names == list(rows[0]) and table.num_rows == len(rows)
        for column in table.column_names:
            for value, text in zip(
                table[column].to_pylist(), [r[column] for r in rows], strict=True
            ):
                if isinstance(value, float):
                    assert text == "" if value != value else float(text) == pytest.approx(value)
                else:
                    assert text == ("" if value is None else str(value))


# --- Killed, stopped, out of room ------------------------------------------------------------

KILLED = """
import os, random, signal, sys, time
import numpy as np
sys.path.insert(0, {root!r})
from pathlib import Path
from neurosim.view import cohort_tables as tables
from neurosim.base.files import write_files
from neurosim.simulation import budget, cohort, plan as plans
from neurosim.simulation.checkpoint import Checkpoint
exec({drawn!r})
def slowly(*asked):
    time.sleep(0.004)
    return drawn(*asked)
budget.CHUNKS_OF_FEW, budget.TRIAL_S = 80, 1e9
asked = plans.make_plan("stress", people=320, hours=2, muscle="calf")
def run(folder, resume):
    with Checkpoint(folder) as kept:
        found = cohort.run_cohort(asked, kept, resume=resume, workers=1)
        write_files(folder, tables.cohort_table_files(found))
        kept.clear()
        return found.resumed
cohort.tally_person = drawn
Path("plain").mkdir(), Path("killed").mkdir()
run("plain", False)
cohort.tally_person = slowly
chance, there = random.Random(3), []
for i in range(20):
    pid = os.fork()
    if not pid:
        run("killed", True)
        os._exit(0)
    time.sleep(chance.uniform(0.0, 0.12))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    there.append(len(list(Path("killed/parts").glob("*.npz"))) if Path("killed/parts").is_dir()
                 else 0)
    if i in (7, 15):  # what a power cut could leave
        part = sorted(Path("killed/parts").glob("*.npz"))[i // 8]
        part.write_bytes(part.read_bytes()[: -7 if i == 7 else 0])
assert run("killed", True)
print(*there)
"""


@posix
def test_twenty_kills_change_nothing(tmp_path):
    import inspect

    begins = (
        "from neurosim.model.firing.discharge import ORIGINS\n"
        "from neurosim.simulation.tally import Tally, bin_count\n"
    )
    code = KILLED.format(root=str(ROOT), drawn=begins + inspect.getsource(drawn))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    there = [int(n) for n in done.stdout.split()]
    assert 0 < there[-1] < 80 and len(set(there)) > 5  # it was killed on its way
    names = sorted(os.listdir(tmp_path / "plain"))
    assert names == sorted(os.listdir(tmp_path / "killed")) and "people.csv" in names
    for name in names:
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()


def started(line, tmp_path):
    return subprocess.Popen(
        [sys.executable, "-m", "neurosim", *line.split()],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # a shell that put the tests into the background has told them to ignore it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for_parts(run, folder, least):
    until = time.monotonic() + 100
    while len(list((folder / "parts").glob("*.npz"))) < least:
        assert run.poll() is None and time.monotonic() < until, run.communicate()
        time.sleep(0.01)


@posix
def test_the_command_is_killed_twice_and_stopped_once(tmp_path, monkeypatch, capsys):
    # so many people that a machine of any speed is still at it when the signal comes
    line = "cohort stress --muscle calf --hours 0.001 --people 320 --out o"
    for how in (signal.SIGKILL, signal.SIGKILL, signal.SIGINT):
        before = len(list((tmp_path / "o" / "parts").glob("*.npz")))
        run = started(f"{line} --workers 2 --resume", tmp_path)
        wait_for_parts(run, tmp_path / "o", before + 1)
        if how == signal.SIGKILL:
            run.kill()  # it alone: its workers end by themselves, else the pipe stays open
            run.communicate(timeout=60)
        else:
            os.killpg(run.pid, how)
            out, err = run.communicate(timeout=60)
            assert run.returncode == 130 and out == ""
            assert err.startswith("Stopped after ") and err.count("\n") == 1
            assert err.endswith("of 320 people; add --resume to go on.\n")
    monkeypatch.chdir(tmp_path)
    assert cli.main(line.split()) == 2
    assert "o has an unfinished run: add --resume" in capsys.readouterr().err
    assert cli.main(f"{line} --resume --workers 1".split()) == 0
    assert cli.main(f"{line[:-1]}p".split()) == 0
    for name in ("people.csv", "hours.csv", "histograms.csv", "summary.csv", "cohort.txt"):
        assert Path("o", name).read_bytes() == Path("p", name).read_bytes()
    assert sorted(os.listdir("o")) == sorted(os.listdir("p"))
    about = json.loads(Path("o", "cohort.json").read_text("utf-8"))
    assert about["resumed"] and about["settings"]["people"] == 320
    capsys.readouterr()
    assert cli.main(f"{line} --resume".split()) == 0
    assert "the run in o is finished" in capsys.readouterr().out
    assert cli.main(f"{line} --resume --seed 2".split()) == 2
    assert "has seed = 1, not 2" in capsys.readouterr().err


def no_room(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_worker_process_that_dies_is_a_sentence_and_the_rest_is_kept(plain, tmp_path):
    def kill(done, of):
        if done:
            for child in multiprocessing.active_children():
                child.kill()

    with Checkpoint(tmp_path) as kept:
        with pytest.raises(NeurosimError, match=r"of 12 people, kept, because a worker process"):
            cohort.run_cohort(small(), kept, workers=2, progress=kill)
        found = cohort.run_cohort(small(), kept, workers=1, resume=True)
        assert found.resumed and people_csv(found, tmp_path / "again") == plain
    assert not multiprocessing.active_children()


def test_a_disk_that_is_full_at_the_start_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.mkstemp", no_room)
    assert cli.main("cohort stress --people 2 --hours 0.01 --out o".split()) == 2
    assert capsys.readouterr().err.endswith("No space left on device; nothing was begun.\n")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("what", ["replace", "fsync", "mkstemp"])
def test_a_full_disk_keeps_what_is_there(what, plain, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cohort, "tally_person", drawn)
    line = "cohort stress --people 16 --hours 0.5 --workers 1 --muscle calf --out o"
    module = os if what != "mkstemp" else __import__("tempfile")
    real, calls = getattr(module, what), []

    def filling(*args, **kwargs):
        calls.append(args)
        return no_room() if len(calls) > 7 else real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(module, what, filling)
        assert cli.main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert "of 16 people, kept, because cannot write to o" in err
    assert "No space left on device; mend that and add --resume to go on." in err
    assert 0 < len(list(Path("o/parts").glob("*.npz"))) < 16
    assert not list(Path("o/parts").glob(".*"))
    assert cli.main([*line.split(), "--resume"]) == 0
    assert cli.main([*line.split()[:-1], "p"]) == 0
    assert Path("o/people.csv").read_bytes() == Path("p/people.csv").read_bytes()


def test_a_disk_that_is_full_at_the_end_keeps_all_people(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cohort, "tally_person", drawn)
    line = "cohort stress --people 16 --hours 0.5 --workers 1 --muscle calf --out o"
    real = os.chmod
    with monkeypatch.context() as patch:
        patch.setattr(os, "chmod", lambda p, m: real(p, m) if "parts" in str(p) else no_room())
        assert cli.main(line.split()) == 2
    assert capsys.readouterr().err == (
        "Cannot write to o: No space left on device; the counts of all 16 people are kept: add "
        "--resume to write the tables.\n"
    )
    assert os.listdir("o") == ["parts"]
    monkeypatch.setattr(cohort, "tally_person", no_room)  # nobody is counted again
    assert cli.main([*line.split(), "--resume"]) == 0
    assert "people.csv" in os.listdir("o") and "parts" not in os.listdir("o")


def test_two_runs_in_one_folder_are_refused(tmp_path):
    with Checkpoint(tmp_path), pytest.raises(NeurosimError, match="Another run is writing to"):
        Checkpoint(tmp_path).__enter__()
    with Checkpoint(tmp_path):
        pass
    assert not os.listdir(tmp_path)


def test_another_question_or_other_code_is_not_added_to(tmp_path, monkeypatch):
    monkeypatch.setattr(cohort, "tally_person", drawn)
    other = load_scenario("stress").replace(body=load_scenario("stress").body.replace(stress=0.25))
    with Checkpoint(tmp_path) as kept:
        cohort.run_cohort(small(), kept, workers=1)
        for asked, words in (
            (small(people=13), "has people = 12, not 13"),
            (small(hours=1), "has hours = 0.02, not 1"),
            (small(format="parquet"), "has format = csv, not parquet"),
            (plan.make_plan(["stress", "caffeine"], **SMALL), "not caffeine in the calf"),
            (plan.make_plan(other, **SMALL), r"scenarios.stress.body.stress = \S+, not 0.25"),
        ):
            with pytest.raises(NeurosimError, match=words):
                cohort.run_cohort(asked, kept, resume=True, workers=1)
        with pytest.raises(NeurosimError, match="unfinished run: add --resume"):
            cohort.run_cohort(small(), kept, workers=1)
        monkeypatch.setattr(provenance, "build_info", lambda: {"code": "else"})
        with pytest.raises(NeurosimError, match="made_by|other code"):
            cohort.run_cohort(small(), kept, resume=True, workers=1)


def test_a_strangers_files_among_the_parts_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(cohort, "tally_person", drawn)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "mine.txt").write_text("keep")
    with Checkpoint(tmp_path) as kept:
        cohort.run_cohort(small(), kept, workers=1)
        kept.clear()
    assert os.listdir(tmp_path / "parts") == ["mine.txt"]


# --- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"people": 0}, "people = 0 is outside"),
        ({"people": 2.5}, "whole number"),
        ({"hours": float("nan")}, "hours must be a finite number"),
        ({"hours": 9000}, "hours = 9000 h is outside"),
        ({"scenarios": ["stress", "stress"]}, "'stress' is given twice"),
        ({"scenarios": ["strss"]}, "did you mean 'stress'"),
        ({"muscle": "nose"}, "nose"),
        ({"format": "xls"}, "format"),
        (
            {"scenarios": [Scenario(name="normal", body=load_scenario("stress").body)]},
            "another name",
        ),
        ({"scenarios": [Scenario(name="a", axon="ohmic"), "stress"]}, "one axon each"),
        (
            {
                "scenarios": [s for n in catalogue()[1:] for s in severities(n)],
                "people": 10**6,
                "muscle": "all",
            },
            r"people.csv would have .*e\+08 rows",
        ),
    ],
)
def test_mistakes_are_one_sentence(more, words):
    given = {"scenarios": "stress", **SMALL, **more}
    with pytest.raises(NeurosimError, match=words):
        plan.make_plan(**given)


def test_health_is_first_and_in_the_muscles_of_all():
    asked = plan.make_plan([Scenario(name="mine", muscle="thumb"), "normal", "stress"], hours=1)
    assert [(s.name, s.muscle) for s in asked.states] == [
        ("normal", "thumb"),
        ("normal", "foot_sole"),
        ("mine", "thumb"),
        ("stress", "foot_sole"),
    ]
    assert asked.healthy == {"thumb": 0, "foot_sole": 1}
    axons = {s.axon for s in plan.make_plan(Scenario(name="b", axon="ohmic")).scenarios}
    assert axons == {"ohmic"}


def test_what_does_not_fit_the_machine_is_refused_with_the_figure(tmp_path, monkeypatch):
    asked, told = small(people=1000, hours=24), []
    monkeypatch.setattr(budget, "measure_few", lambda states, people: (2.0, 1e6))
    with Checkpoint(tmp_path) as kept:
        for name, value, words in (
            ("machine_bytes", lambda: 1e9, "about 1.7 GB of memory, and the machine has 1:"),
            ("MAX_COHORT_S", 100.0, "would take about 0.012 days"),
        ):
            with monkeypatch.context() as patch, pytest.raises(NeurosimError, match=words):
                patch.setattr(budget, name, value)
                budget.plan_layout(asked, 2, True, kept, None)
        with monkeypatch.context() as patch, pytest.raises(NeurosimError, match="0.001 free"):
            patch.setattr("shutil.disk_usage", lambda _: type("Use", (), {"free": 1e6}))
            budget.plan_layout(
                asked.__class__(**vars(asked) | {"people": 10**6}), 2, True, kept, None
            )
        layout = budget.plan_layout(asked, 2, True, kept, told.append)
    assert layout == {"chunk": 2, "seconds_expected": 2000.0}
    assert told == ["This takes about 17 minutes."]
    assert not os.listdir(tmp_path)


def test_parquet_without_its_package_is_a_sentence(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NeurosimError, match=r"pip install 'neurosim\[cohort\]'"):
        plan._require_pyarrow("parquet")
    with pytest.raises(NeurosimError, match=r"pip install 'neurosim\[cohort\]'"):
        workers.check_address("tcp://127.0.0.1:8786")
    plan._require_pyarrow("csv")


def test_the_time_is_told_of_a_few_people():
    each_s, most = budget.measure_few(small(hours=1).states, 12)
    found = cohort.run_cohort(small(people=30, hours=0.01), workers=1)
    assert 0 < each_s < 60
    assert most == pytest.approx(60.0 * found.expected_per_min[:, 13:].max(), rel=5.0)


def test_a_person_who_cannot_be_counted_is_named(monkeypatch):
    def refuse(states, person, bin_s=3600.0):
        raise NeurosimError("Too many discharges.")

    monkeypatch.setattr(cohort, "tally_person", refuse)
    with pytest.raises(NeurosimError, match="Person 0: Too many discharges"):
        cohort.run_cohort(small(), workers=1)
