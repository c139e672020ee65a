"""Every scenario script runs, with warnings as errors (lessons: tests/classroom)."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "scenarios").glob("[!_]*.py"))
ADVICE = "A teaching model, not medical advice."


def name_of(path):
    return path.stem


def test_there_are_examples():
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_script_runs(script, tmp_path):
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}
    env.pop("MPLBACKEND", None)  # no script may need it
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    picture = tmp_path / "neurosim-out" / f"{script.stem}.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000
    words = picture.with_suffix(".txt").read_text("utf-8").rstrip("\n")
    assert words in done.stdout
    assert words.count(ADVICE) == 1
    assert "nan" not in words.lower().split()
    assert str(Path("neurosim-out") / f"{script.stem}.png") in done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_script_is_short_and_says_what_to_see(script):
    text = script.read_text("utf-8")
    about = ast.get_docstring(ast.parse(text)) or ""
    for part in ("Question:", "You should see:", "Takes about"):
        assert part in about
    assert len(text.splitlines()) <= 80
    assert "pyplot" not in text
