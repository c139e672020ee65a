"""The house: which room may import which, that no two files need each other, what is read late.

The two tables are the drawing in docs/architecture.md; imports inside functions and for types
count as any other.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import neurosim

ROOT = Path(neurosim.__file__).parent
# What a room may import beside itself; `model` is one room of five folders.
ROOMS = {
    "base": (),
    "model": ("base",),
    "clinic": ("base", "model"),
    "simulation": ("base", "model", "clinic"),
    "view": ("base", "model", "clinic", "simulation"),
    "article": ("base", "model", "clinic", "simulation", "view"),
    "classroom": ("base", "model", "clinic", "simulation", "view"),
    "validation": ("base", "model", "clinic", "simulation", "view", "article"),
    "cli": ("base", "model", "clinic", "simulation", "view", "article", "classroom", "validation"),
}
# The body's contributions reach a membrane by parameter name alone.
MODEL = {
    "body": (),
    "axon": (),
    "soma": ("axon",),
    "firing": ("axon", "soma"),
    "muscle": (),
}
FORBIDDEN = {
    "base": {"matplotlib", "html", "argparse"},
    "model": {"matplotlib", "html", "argparse", "csv"},
    "clinic": {"matplotlib", "html", "argparse"},
    "simulation": {"matplotlib", "html", "argparse"},
}
LATE = {"matplotlib", "numba", "pandas", "SALib", "IPython", "ipywidgets", "dask", "distributed",
        "pyarrow", "numba.extending", "jupytext", "nbformat", "nbclient", "jupyter_client",
        "markdown_it", "ipympl", "jupyterlab", "voila", "traitlets", "zmq", "PIL"}  # fmt: skip


def files_of(root):
    """Return the package's Python files by dotted name, folders by the name of the folder."""
    paths = (p for p in sorted(root.rglob("*.py")) if "jupyter" not in p.parts)
    return {".".join(p.relative_to(root.parent).with_suffix("").parts): p for p in paths}


FILES = files_of(ROOT)


def imports(path, name, modules):
    """Yield (module of the package or outside it, line) of every import of a file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative imports are not resolved here"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                inside = full in modules or f"{full}.__init__" in modules
                yield (full if inside else str(node.module)), node.lineno


def room_of(module):
    """Return the room and, in the model, its folder, of a dotted name; ``""`` outside them."""
    parts = module.split(".")[1:]
    if not parts or parts[0] not in ROOMS:
        return "", ""
    return parts[0], parts[1] if parts[0] == "model" and len(parts) > 1 else ""


def back_arrows(root):
    """Return every import that the two tables do not allow, in words."""
    modules, wrong = files_of(root), []
    for name, path in modules.items():
        room, folder = room_of(name)
        for other, line in imports(path, name, modules):
            where = f"{name}:{line} imports {other}"
            if not room:
                continue  # the package's door names all rooms
            if other.split(".")[0] != "neurosim":
                if other.split(".")[0] in FORBIDDEN.get(room, ()):
                    wrong.append(where)
                continue
            there, its_folder = room_of(other)
            if there == room:
                if folder and its_folder != folder and its_folder not in MODEL[folder]:
                    wrong.append(where)
            elif there not in ROOMS[room] and not (there == "" and room == "cli"):
                wrong.append(where)
    return wrong


def circles(root):
    """Return groups of files that need each other, at any depth (Tarjan's components)."""
    modules = files_of(root)
    edges = {
        name: {m for m, _ in imports(path, name, modules) if m in modules and m != name}
        for name, path in modules.items()
        if name != "neurosim.__init__"
    }
    order, low, stack, groups = {}, {}, [], []

    def visit(name):
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in edges.get(name, ()):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            at = stack.index(name)
            group, stack[at:] = stack[at:], []
            if len(group) > 1:
                groups.append(sorted(group))

    for name in edges:
        if name not in order:
            visit(name)
    return groups


def test_every_file_stands_in_a_room():
    assert len(FILES) > 100
    outside = [name for name in FILES if not room_of(name)[0]]
    assert sorted(outside) == ["neurosim.__init__", "neurosim.__main__"]
    deep = [name for name in FILES if room_of(name)[0] == "model" and name.count(".") != 3]
    assert deep == ["neurosim.model.__init__"]


def test_every_folder_opens_with_the_line_that_says_what_it_is_for():
    for folder in sorted({path.parent for path in FILES.values()}):
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
        assert text and text.splitlines()[0].endswith("."), folder


def test_the_tests_mirror_the_rooms():
    tests = Path(__file__).parent
    folders = {p.name for p in tests.iterdir() if p.is_dir() and any(p.rglob("test_*.py"))}
    assert folders == {*ROOMS, "browser"}
    assert {p.name for p in (tests / "model").iterdir() if any(p.rglob("test_*.py"))} == {*MODEL}


def test_what_the_formatter_leaves_alone_is_a_table_of_data():
    literal = (ast.Tuple, ast.List, ast.Dict, ast.Set, ast.BinOp)
    for path in FILES.values():
        text = path.read_text("utf-8")
        skipped = {n for n, line in enumerate(text.split("\n"), 1) if line.endswith("# fmt: skip")}
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.stmt)
                and node.end_lineno in skipped
                and not (
                    isinstance(node, (ast.Assign, ast.AnnAssign))
                    and isinstance(node.value, literal)
                )
            ):
                inner = [n for n in ast.walk(node) if n is not node and isinstance(n, ast.stmt)]
                last = [n for n in inner if n.end_lineno == node.end_lineno]
                assert last, f"{path}:{node.end_lineno} is no table of data"


def test_a_room_imports_only_what_its_row_allows():
    assert back_arrows(ROOT) == []


def test_no_files_import_each_other_not_even_late():
    assert circles(ROOT) == []


def test_a_planted_back_arrow_and_a_planted_circle_are_found(tmp_path):
    copy = shutil.copytree(
        ROOT, tmp_path / "neurosim", ignore=shutil.ignore_patterns("__pycache__")
    )
    sites = copy / "model" / "firing" / "sites.py"
    text = sites.read_text("utf-8")
    sites.write_text(text + "\n\ndef late():\n    from neurosim.view import figures\n", "utf-8")
    assert back_arrows(copy) == [
        f"neurosim.model.firing.sites:{text.count(chr(10)) + 4} imports neurosim.view.figures"
    ]
    assert any("neurosim.model.firing.sites" in group for group in circles(copy))
    sites.write_text(text + "\n\nfrom neurosim.model.firing import hazard\n", "utf-8")
    assert back_arrows(copy) == []
    assert any("neurosim.model.firing.hazard" in group for group in circles(copy))


ARTICLE_ALONE = """
from neurosim.article.trial import run_article
from neurosim.simulation.scenario import Scenario
base = Scenario(people=2, seed=1, duration_s=10.0)
print(len(run_article(base, robustness=False, diaries=1).verdicts))
"""
CLASSROOM_ALONE = """
from neurosim.classroom.explorer.settings import Explorer, ExplorerSetting
from neurosim.classroom.lessons.source import lesson_sources
from neurosim.classroom.mystery.game import Game
from neurosim.classroom.mystery.desk import Desk
Explorer().respond(ExplorerSetting())
Desk(Game(7)).answer("order history")
print(len(lesson_sources()))
"""


@pytest.mark.parametrize(
    ("gone", "code", "count"),
    [("classroom", ARTICLE_ALONE, "46"), ("article", CLASSROOM_ALONE, "10")],
)
def test_an_application_works_without_the_other(gone, code, count, tmp_path):
    copy = shutil.copytree(ROOT, tmp_path / "neurosim", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copytree(ROOT.parent / "notebooks", tmp_path / "notebooks")
    shutil.rmtree(copy / gone)
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [count]
    said = subprocess.run(
        [sys.executable, "-m", "neurosim", "lab" if gone == "classroom" else "article"],
        cwd=tmp_path, env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert said.returncode == 2 and f"neurosim.{gone}" in said.stderr and "Trace" not in said.stderr


def at_import(tree):
    """Yield the import statements that run when a module is imported."""
    for node in tree.body if hasattr(tree, "body") else ():
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.unparse(node.test):
                yield from at_import(node)
        elif isinstance(node, (ast.Try, ast.With, ast.ClassDef)):
            yield from at_import(node)


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_slow_packages_are_imported_late(path):
    for node in at_import(ast.parse(path.read_text("utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [f"{names[0]}.{a.name}" if names else a.name for a in node.names]
        for name in names:
            late = name.split(".")[0] in LATE or name.startswith("scipy.stats")
            numba = path.name.startswith("compiled") and name.split(".")[0] == "numba"
            assert numba or not late, f"{path}:{node.lineno} imports {name} at module level"


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_compiled_loops_are_imported_late(path):
    for node in at_import(ast.parse(path.read_text("utf-8"))):
        assert "compiled" not in ast.unparse(node).split(), f"{path}:{node.lineno}"


# Whole numbers by which arrays are repeated; other counts are lists or arrays.
NUMBER = r"\d+|courses|k|muscles|n|one|per_unit|.+\.(size|shape\[\d\])( // n)?"


def repeat_counts(path):
    """Yield (count, its function, line) of each `np.repeat` of a file, in words."""
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        for node in ast.walk(function) if isinstance(function, ast.FunctionDef) else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.repeat":
                yield node.args[1], function, node.lineno


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_arrays_of_counts_are_as_wide_as_an_index(path):
    # NumPy draws and sums in 64 bits, and refuses such counts where an index has 32.
    for count, function, line in repeat_counts(path):
        words = ast.unparse(count)
        if re.fullmatch(NUMBER, words) or isinstance(count, (ast.List, ast.ListComp)):
            continue
        values = [words] + [
            ast.unparse(n.value)
            for n in ast.walk(function)
            if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == words
        ]
        assert any("np.intp" in value for value in values), f"{path}:{line} repeats by {words}"


def run(code):
    """Return what code printed in a fresh process, in words."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


LOADED = (
    "print(*sorted({'matplotlib', 'numba', 'pandas', 'numpy', 'scipy', 'IPython'}"
    " & set(sys.modules)))"
)


def test_importing_the_package_loads_none_of_them():
    assert run(f"import sys, neurosim, neurosim.cli.main\n{LOADED}") == []


@pytest.mark.parametrize("words", ["--help", "run --help", "--version", "nothing"])
def test_help_and_mistakes_load_none_of_them(words):
    code = f"""
import contextlib, io, sys
from neurosim.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    try:
        main({words.split()})
    except SystemExit:
        pass
{LOADED}"""
    assert run(code) == []


def test_a_run_loads_slow_packages_only_where_it_needs_them():
    names = "{'matplotlib', 'scipy.stats', 'scipy.optimize', 'scipy.signal', 'pandas'}"
    code = f"import sys, neurosim.simulation.simulate\nprint(*sorted({names} & set(sys.modules)))"
    assert run(code) == []


def test_every_public_name_is_there_when_asked_for():
    for name in neurosim.__all__:
        assert getattr(neurosim, name) is not None
        assert name in dir(neurosim)
    assert isinstance(neurosim.__version__, str)
    from neurosim.simulation.simulate import simulate

    assert neurosim.simulate is simulate
    with pytest.raises(AttributeError, match="module 'neurosim' has no attribute 'similate'"):
        neurosim.similate  # noqa: B018


def test_what_is_imported_for_the_reader_is_what_is_given_late():
    tree = ast.parse((ROOT / "__init__.py").read_text("utf-8"))
    (block,) = [n for n in tree.body if isinstance(n, ast.If)]
    late = {}
    for node in block.body:
        if isinstance(node, ast.ImportFrom):
            late |= {a.name: (node.module or "").removeprefix("neurosim.") for a in node.names}
    assert sorted(late) == sorted(neurosim.__all__)
    assert {n: h for n, h in late.items() if h != "neurosim"} == neurosim._HOME


def test_a_result_finds_its_views_however_it_is_made():
    code = """
from neurosim.simulation.simulate import simulate
import sys
one = simulate(duration_s=1.0)
assert "neurosim.view" not in sys.modules
print(len(str(one)) > 100, hasattr(one.plot(), "savefig"))
"""
    assert run(code) == ["True", "True"]
