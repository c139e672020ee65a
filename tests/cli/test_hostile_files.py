"""A file is data: nothing in it is run, written elsewhere, or read for ever."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from neurosim.base.errors import NeurosimError, clip_name, file_bytes, short_repr
from neurosim.cli import main as cli
from neurosim.cli import output
from neurosim.clinic.laboratory_csv import LARGEST_MB
from neurosim.clinic.panel import read_panel
from neurosim.model.body.course import MAX_EVENTS, Course
from neurosim.simulation.scenario import LARGEST_FILE_MB, Scenario
from neurosim.simulation.simulate import simulate

NAMES = [
    "../../x", "..", ".", "/etc/x", "a/../../b", "..\\..\\x", "C:\\x", "CON", "con.txt", "LPT1",
    "a\\u0000b", "x" * 100, "\u4e2d" * 100, "\U0001f600" * 20, "~/x", "$HOME/x", "`touch x`", "-rf",
    " ", "a\\nb", "\u202egnp.exe",
]  # fmt: skip
COFFEE = '[[course]]\nat = "07:00"\n{}caffeine_mg = 1\n'
START = 'start = "06:00"\n'
# Files that were found to hang or to end a command in a traceback, or that are merely too much.
HOSTILE = {
    "million.toml": START + COFFEE.format("") * 3000,
    "large.toml": "# " + "x" * int(LARGEST_FILE_MB * 1e6),
    "weeks.toml": 'duration = "1e300 weeks"',
    "centuries.toml": 'duration = "99999999999 weeks"',
    "brackets.toml": "x = " + "[" * 40_000 + "]" * 40_000,
    "tables.toml": "x = " + "{a = " * 9000,
    "dots.toml": "a." * 45_000 + "b = 1",
    "digits.toml": "people = " + "9" * 90_000,
    "point.toml": "people = 0.4" + "9" * 90_000,
    "step.toml": "duration_s = 1e-300",
    "name.toml": 'name = "' + "x" * 90_000 + '"',
    "keys.toml": "[body]\n" + "\n".join(f"k{i} = 1" for i in range(9000)),
    "field.csv": 'curve,x,value\nrecovery_cycle,"' + "1" * 200_000 + '",2\n',
    "head.csv": "curve,x,value," + '"' + "a" * 200_000 + '"\n',
    "columns.csv": "curve,x,value" + ",a" * 400_000 + "\n" + "1," * 80_000,
    "large.csv": "curve,x,value\n" + "recovery_cycle,1,1\n" * 100_000,
    "alike.csv": "curve,x,value\ncharge_duration,0,0\ncharge_duration,1,0\ncharge_duration,4,0\n",
    "huge.csv": "curve,x,value\n" + "charge_duration,1e154,1\n" * 3,
    "huge.mem": " EXTRA\nRC1.1\t1e400\t1e300\n",
    "blanks.mem": " " * 900_000,
    "columns.mem": "RC1.1\t" + "1\t" * 400_000,
    "large.mem": "x" * 2_000_000,
    "zero.bin.mem": "\0" * 500_000,
}
# Records of an electromyogram that are too much, or none.
RECORDS = {
    "cell.rec.csv": "time_s,emg_uv\n0," + "1" * 200_000 + "\n",
    "quote.rec.csv": 'time_s,emg_uv\n0,"' + "1\n" * 50_000,
    "wide.rec.csv": "time_s" + ",a_uv" * 100_000 + "\n" + "1," * 100_000,
    "header.rec.csv": "a,b\n" * 100_000,
    "leaps.rec.csv": "time_s,emg_uv\n" + "".join(f"{10.0**k},1\n" for k in range(300)),
    "huge.rec.csv": "time_s,emg_uv\n" + "".join(f"{k / 1e3},1e308\n" for k in range(2000)),
    "infinite.rec.csv": "time_s,emg_uv\n" + "inf,inf\n" * 2000,
    "fast.rec.csv": "time_s,emg_uv\n" + "".join(f"{k * 1e-9:.9f},1\n" for k in range(2000)),
    "zeros.rec.csv": "\0" * 50_000,
}
ENDLESS = ("endless.toml", "endless.mem", "endless.csv")  # never read to their end
LINES = [
    ["run", "--people", "9" * 20],
    ["run", "--people", "9" * 5000],
    ["run", "--seed", "1" + "0" * 4400],
    ["run", "--set", *(f"a{i}=1" for i in range(10_000))],
    ["run", "--duration", "1e300 weeks"],
    ["run", "--out", "x" * 5000],
    ["run", "--out", "a\0b"],
    ["run", "a\0b.toml"],
    ["run", "x" * 99_999],
    ["sources", "--csv", "x" * 5000],
    ["sources", "--csv", "a\0b"],
    ["fit", "a\0b"],
    ["detect", "a\0b"],
    ["detect", "x" * 99_999],
    ["detect", "absent.csv", "--rate-hz", "9" * 5000],
    ["sweep", "stress", "0:1:1000000000"],
    ["sweep", "stress", "0:1:" + "9" * 5000],
    ["sweep", "x" * 99_999, "0:1:3"],
    ["excitability", "--change", "x" * 99_999 + "=1"],
]
PROGRAM = """
import json, sys
from neurosim.cli.main import main
for line in json.load(sys.stdin):
    code = main(line)
    print(code, line[:2], file=sys.stderr) if code != 2 else None
"""


def files_below(folder):
    return {str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stays_within_its_folder(name, tmp_path, monkeypatch):
    place = tmp_path / "one" / "two" / "three"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    text = (
        f'name = "{name}"\n'
        if "\\" not in name or "u0000" in name or "nb" in name
        else (f"name = '{name}'\n")
    )
    (place / "x.toml").write_text(text, "utf-8")
    scenario = Scenario.from_toml("x.toml")
    with output.output_folder(None, scenario.name) as folder:
        output.save_files(folder, {"words.txt": b"words"})
    made = files_below(tmp_path) - {"one/two/three/x.toml"}
    assert len(made) == 1 and made.pop().startswith("one/two/three/neurosim-out/")
    assert folder.parent == Path("neurosim-out") and len(os.fsencode(folder.name)) <= 121
    assert folder.name.split(".")[0].upper() not in ("CON", "NUL", "LPT1", "")


def test_a_whole_run_writes_within_its_folder(tmp_path, monkeypatch, capsys):
    place = tmp_path / "one" / "two"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    about = "__import__('os').system('touch pwned'); {0.__class__} $(touch pwned) %s"
    text = f'name = "../../x"\ntitle = "<script>x</script>"\nabout = "{about}"\nduration_s = 2\n'
    (place / "x.toml").write_text(text, "utf-8")
    assert cli.main(["run", "x.toml"]) == 0
    made = files_below(tmp_path) - {"one/two/x.toml"}
    assert made and all(f.startswith("one/two/neurosim-out/x/") for f in made)
    found = json.loads((place / "neurosim-out" / "x" / "result.json").read_text("utf-8"))
    assert found["scenario"]["about"] == about


def test_what_is_too_much_ends_in_sentences(tmp_path):
    for name, text in (HOSTILE | RECORDS).items():
        (tmp_path / name).write_text(text, "utf-8")
    for name in ENDLESS if os.path.exists("/dev/zero") else ():
        (tmp_path / name).symlink_to("/dev/zero")
    before = files_below(tmp_path)
    names = sorted({*HOSTILE, *(ENDLESS if os.path.exists("/dev/zero") else ())})
    lines = [["run" if n.endswith(".toml") else "fit", n] for n in names] + LINES
    lines += [["detect", name] for name in (*RECORDS, *(n for n in names if n.endswith(".csv")))]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        input=json.dumps(lines),
        text=True,
        capture_output=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = done.stderr.splitlines()
    assert done.stdout == "" and len(said) == len(lines), done.stderr[-3000:]
    for line, words in zip(lines, said, strict=True):
        assert words[-1] in ".?" and 20 < len(words) < 2500, (line[:2], words[:200])
    assert files_below(tmp_path) == before


@pytest.mark.parametrize("name", [n for n in (*HOSTILE, "rows.csv") if n.endswith(".csv")])
def test_a_panel_that_is_too_much_is_refused(name, tmp_path):
    text = HOSTILE.get(name, "analyte,value,unit\n" + "Zinc,1,g/L\n" * 80_000)
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(NeurosimError) as found:
        read_panel(tmp_path / name)
    assert len(str(found.value)) < 600
    assert ("larger than" in str(found.value)) == (len(text) > 1e6 * LARGEST_MB)


def test_a_course_is_bounded_before_it_is_simulated():
    daily = {"at": "07:00", "caffeine_mg": 1.0, "daily": True}
    course = Course.from_tables([daily] * 20, "06:00")
    with pytest.raises(NeurosimError, match=f"at most {MAX_EVENTS} are allowed"):
        simulate(Scenario(course=course, duration_s=300 * 86_400.0))


def test_a_sentence_repeats_little():
    assert short_repr(10**5000) == "a very large int"
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert len(short_repr(deep)) < 130 and len(short_repr(["x" * 1000] * 50)) < 130
    assert clip_name("x" * 61) == "x" * 60 + "..." and clip_name("x" * 60) == "x" * 60
    with pytest.raises(NeurosimError, match="Cannot read"):
        Scenario.from_toml(os.devnull + "/x.toml")


def test_a_name_of_thousands_of_characters_is_not_read_aloud_whole():
    with pytest.raises(NeurosimError) as told:
        file_bytes("9" * 5000, 1.0)
    assert str(told.value).startswith("Cannot read 999") and len(str(told.value)) < 400
