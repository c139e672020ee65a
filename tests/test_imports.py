"""Data flow one way: a room imports only from itself and from rooms to its left."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import neurosim

ROOT = Path(neurosim.__file__).parent
ORDER = ("body", "membrane", "firing", "muscle", "study", "show", "cli")
GROUND = {"errors", "sources", "store", "views"}  # importable by all, import no room
TOP = {"__init__", "__main__", "cli"}
LATE = {"matplotlib", "numba", "pandas", "SALib", "IPython", "ipywidgets", "dask", "distributed",
        "pyarrow", "numba.extending", "jupytext", "nbformat", "nbclient", "jupyter_client",
        "markdown_it", "ipympl", "jupyterlab", "voila", "traitlets", "zmq", "PIL"}  # fmt: skip
FILES = sorted(p for p in ROOT.rglob("*.py"))


def room_of(path):
    """Return the room of a file: a folder, or the name of a file beside the folders."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0]


def modules(path):
    """Yield (imported dotted name, node) of a file, in functions too, relative ones resolved."""
    here = ("neurosim", *path.relative_to(ROOT).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: -node.level]) if node.level else ""
            base = ".".join(part for part in (base, node.module or "") if part)
            yield from ((f"{base}.{alias.name}", node) for alias in node.names)


def imported_rooms(path):
    """Return the rooms of the package that a file imports; the package itself is ``""``."""
    found = {}
    for name, node in modules(path):
        parts = name.split(".")
        if parts[0] != "neurosim":
            continue
        known = len(parts) > 1 and parts[1] in {*ORDER, *GROUND}
        found[parts[1] if known else ""] = node.lineno
    return found


def test_every_file_belongs_to_a_room():
    assert len(FILES) > 20
    assert {room_of(p) for p in FILES} <= {*ORDER, *GROUND, *TOP}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_import_points_backwards(path):
    room = room_of(path)
    for other, line in imported_rooms(path).items():
        where = f"{path}:{line} imports {other or 'the whole package'}"
        if room in ("__init__", "__main__"):
            continue
        if room in GROUND:
            assert other in GROUND, where
        elif other == "":
            assert room == "cli", where
        elif other not in GROUND:
            assert ORDER.index(other) <= ORDER.index(room), where
            # the body's contributions reach a membrane by parameter name alone
            assert not (room == "membrane" and other == "body"), where
            assert not (room == "muscle" and other in ("membrane", "firing")), where


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


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_slow_packages_are_imported_late(path):
    for node in at_import(ast.parse(path.read_text("utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [
            f"{names[0]}.{a.name}" if names else a.name for a in node.names
        ]  # fmt: skip
        for name in names:
            late = name.split(".")[0] in LATE or name.startswith("scipy.stats")
            numba = path.name.startswith("compiled") and name.split(".")[0] == "numba"
            assert numba or not late, f"{path}:{node.lineno} imports {name} at module level"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_compiled_loops_are_imported_late(path):
    for node in at_import(ast.parse(path.read_text("utf-8"))):
        assert "compiled" not in ast.unparse(node).split(), f"{path}:{node.lineno}"


def run(code):
    """Return what code printed in a fresh process, in words."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


LOADED = "print(*sorted({'matplotlib', 'numba', 'pandas', 'numpy', 'scipy', 'IPython'}" \
    " & set(sys.modules)))"  # fmt: skip


def test_importing_the_package_loads_none_of_them():
    assert run(f"import sys, neurosim, neurosim.cli\n{LOADED}") == []


@pytest.mark.parametrize("words", ["--help", "run --help", "--version", "nothing"])
def test_help_and_mistakes_load_none_of_them(words):
    code = f"""
import contextlib, io, sys
from neurosim.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    try:
        main({words.split()})
    except SystemExit:
        pass
{LOADED}"""
    assert run(code) == []


def test_a_run_loads_slow_packages_only_where_it_needs_them():
    names = "{'matplotlib', 'scipy.stats', 'scipy.optimize', 'scipy.signal', 'pandas'}"
    code = f"import sys, neurosim.study.run\nprint(*sorted({names} & set(sys.modules)))"
    assert run(code) == []


def test_every_public_name_is_there_when_asked_for():
    for name in neurosim.__all__:
        assert getattr(neurosim, name) is not None
        assert name in dir(neurosim)
    assert isinstance(neurosim.__version__, str)
    from neurosim.study.run import simulate

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
from neurosim.study.run import simulate
import sys
one = simulate(duration_s=1.0)
assert "neurosim.show" not in sys.modules
print(len(str(one)) > 100, hasattr(one.plot(), "savefig"))
"""
    assert run(code) == ["True", "True"]
