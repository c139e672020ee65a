"""The library built ahead: where it is absent, stale or damaged, the next backend runs."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from neurosim.base import ahead, backends, loops

SUFFIX = ahead.SUFFIXES.get(sys.platform, ".so")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty folder of libraries, and forget what was chosen before and after."""
    monkeypatch.setattr(ahead, "FOLDER", tmp_path)
    monkeypatch.delenv("NEUROSIM_BACKEND", raising=False)
    for function in (ahead.open_library, backends._choose):
        function.cache_clear()
    yield tmp_path
    for function in (ahead.open_library, backends._choose):
        function.cache_clear()


REAL = ahead.open_library()


@pytest.fixture
def real(folder):
    """Return a copy of this machine's library in the folder."""
    if REAL is None:
        pytest.skip("no library was built for these lines and this machine")
    return Path(shutil.copy(REAL.path, folder))


def test_without_a_library_the_next_backend_runs(folder):
    assert ahead.open_library() is None
    assert backends.backend() in ("numba", "numpy") and " " not in backends.describe()


def test_a_whole_library_is_opened(real):
    assert ahead.open_library().path == real
    assert backends.describe() == f"ahead {REAL.target}"


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "folder", "of other lines"])
def test_a_damaged_or_stale_library_is_never_opened(damage, real, monkeypatch):
    content = real.read_bytes()
    opened = []
    monkeypatch.setattr(ahead, "Library", lambda path, target: opened.append(path))
    if damage == "cut":
        real.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        real.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    elif damage == "empty":
        real.write_bytes(b"")
    elif damage == "folder":
        real.unlink()
        real.mkdir()
    else:
        real.rename(real.with_name("0123456789abcdef" + real.name[16:]))
    assert ahead.open_library() is None and not opened
    assert backends.backend() in ("numba", "numpy")


def test_what_a_loop_returns_is_freed(real):
    resource = pytest.importorskip("resource")
    loop = ahead.open_library().loop("matched_noise")
    forward, kick = np.zeros((160, 10, 10)), np.ones((160, 3))
    most = []
    for _ in range(2):
        for _ in range(100):  # 0.8 MB each
            loop(forward, kick, 200)
        most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert most[1] < 1.1 * most[0]


def test_a_file_that_is_no_library_is_passed_over(folder):
    for target in ahead.targets():
        text = b"This is no machine code."
        (folder / ahead.library_name(target, text, SUFFIX)).write_bytes(text)
    assert ahead.open_library() is None


def test_a_library_that_lacks_a_loop_is_passed_over(real, monkeypatch):
    monkeypatch.setitem(loops.LOOPS, "another", loops.LOOPS["matched_noise"])
    assert ahead.open_library() is None


def test_the_older_instructions_run_where_the_newer_are_not(folder, monkeypatch):
    monkeypatch.setattr(ahead.platform, "machine", lambda: "AMD64")
    for v3, expected in ((True, ["x86_64_v3", "x86_64_v2"]), (False, ["x86_64_v2"])):
        monkeypatch.setattr(ahead, "_has_v3", lambda v3=v3: v3)
        assert ahead.targets() == expected
    for machine, expected in (("aarch64", ["arm64"]), ("arm64", ["arm64"]), ("riscv64", [])):
        monkeypatch.setattr(ahead.platform, "machine", lambda machine=machine: machine)
        assert ahead.targets() == expected


def test_the_digest_follows_the_equations_whatever_the_line_ends(tmp_path, monkeypatch):
    from importlib import resources

    from neurosim.base import code_hash

    root = Path(ahead.__file__).parents[1]
    for name in loops.SOURCES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    marks = [loops.digest()]
    file = tmp_path / "model" / "axon" / "equations.py"
    text = file.read_bytes()
    for changed in (text, text.replace(b"\n", b"\r\n"), text.replace(b"250.0", b"250.1") + b"#"):
        file.write_bytes(changed)
        code_hash.code_hash.cache_clear()
        loops.digest.cache_clear()
        marks.append(loops.digest())
    monkeypatch.undo()
    code_hash.code_hash.cache_clear()
    loops.digest.cache_clear()
    assert marks[0] == marks[1] == marks[2] != marks[3]


def test_a_loop_that_fails_says_so():
    loop = ahead.AheadLoop("matched_noise", FailingFunction())
    with pytest.raises(RuntimeError, match="matched_noise failed"):
        loop(np.zeros((1, 10, 10)), np.zeros((1, 3)), 4)
    with pytest.raises(TypeError, match="is due"):
        loop(np.zeros((10, 10)), np.zeros((1, 3)), 4)


class FailingFunction:
    """A function of C that tells of an error."""

    def __call__(self, words, results):
        return 1
