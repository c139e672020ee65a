"""Every scenario script and every notebook runs, with warnings as errors."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "scenarios").glob("[!_]*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ADVICE = "A teaching model, not medical advice."


def name_of(path):
    return path.stem


def test_there_are_examples():
    assert SCRIPTS and NOTEBOOKS


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_script_runs(script, tmp_path):
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}
    env.pop("MPLBACKEND", None)  # no script may need it
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path, env=env, capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
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
    assert len(text.splitlines()) <= 60
    assert "pyplot" not in text


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name_of)
def test_notebook_is_clean(notebook):
    book = json.loads(notebook.read_text("utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) >= (4, 5)
    ids = [cell["id"] for cell in book["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], "outputs are not committed"
            assert cell["execution_count"] is None, "execution counts are not committed"
    everything = "".join("".join(cell["source"]) for cell in book["cells"])
    assert ADVICE in everything
    for never in ("pip install", "http://", "https://", "%matplotlib"):
        assert never not in everything


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name_of)
def test_notebook_runs(notebook, tmp_path, monkeypatch):
    import matplotlib

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    matplotlib.use("Agg")
    book = json.loads(notebook.read_text("utf-8"))
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    namespace = {"__name__": "__main__"}
    pictures = 0
    for cell in cells:
        shown = run_cell("".join(cell["source"]), f"{notebook.name}:{cell['id']}", namespace)
        draw = getattr(shown, "_repr_png_", None)
        pictures += draw is not None and draw().startswith(b"\x89PNG")
    assert pictures > 0
    last = ast.parse("".join(cells[-1]["source"]))
    assert any(isinstance(part, ast.Assert) for part in last.body)


def run_cell(source, name, namespace):
    """Run a cell as a notebook does and return the value of its last line."""
    tree = ast.parse(source)
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        exec(compile(tree, name, "exec"), namespace)
        return None
    last = tree.body.pop()
    exec(compile(tree, name, "exec"), namespace)
    return eval(compile(ast.Expression(last.value), name, "eval"), namespace)
