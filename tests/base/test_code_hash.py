"""The hash of the code: it changes with any line of any file and with nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import neurosim
from neurosim.base.code_hash import code_hash

ROOT = Path(neurosim.__file__).parent
SIGNATURE = "from neurosim.base import disk_cache; print(disk_cache.code_signature())"


@pytest.fixture
def digest(tmp_path, monkeypatch):
    """Return the hash, now, of files of a small package in `tmp_path`."""
    (tmp_path / "smallpackage" / "sub").mkdir(parents=True)
    (tmp_path / "smallpackage" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    def hash_now(*paths):
        code_hash.cache_clear()
        return code_hash(*paths, package="smallpackage")

    yield hash_now
    code_hash.cache_clear()
    sys.modules.pop("smallpackage", None)


def test_it_changes_with_one_number_of_one_file(tmp_path, digest):
    package, hashes = tmp_path / "smallpackage", [digest()]
    for name, text in (("a.toml", "x = 1"), ("sub/b.py", "y = 1"), ("a.toml", "x = 2")):
        (package / name).write_text(text)
        hashes.append(digest())
    (package / "sub" / "b.py").rename(package / "b.py")
    hashes.append(digest())
    assert len(set(hashes)) == 5
    (package / "picture.png").write_text("nothing")
    assert digest() == hashes[-1]


def test_line_ends_of_another_system_are_the_same_code(tmp_path, digest):
    file = tmp_path / "smallpackage" / "a.py"
    file.write_bytes(b"x = 1\ny = 2\n")
    plain = digest("a.py")
    file.write_bytes(b"x = 1\r\ny = 2\r\n")
    assert digest("a.py") == plain


def test_a_path_that_does_not_exist_is_an_error(digest):
    with pytest.raises(FileNotFoundError):
        digest("models")


def signature(folder):
    return subprocess.run(
        [sys.executable, "-c", SIGNATURE],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
    ).stdout


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("model/firing/hazard.py", True),
        ("model/axon/axon_ghk.toml", True),
        ("clinic/excitability.py", True),
        ("base/parameters.py", True),
        ("view/figures.py", False),
    ],
)
def test_values_on_disk_are_dropped_if_what_made_them_changes(tmp_path, file, changes):
    copy = shutil.copytree(
        ROOT, tmp_path / "neurosim", ignore=shutil.ignore_patterns("__pycache__")
    )
    before = signature(tmp_path)
    with (copy / file).open("a") as end:
        end.write("\n# another line\n")
    assert (signature(tmp_path) != before) == changes
