"""What a result was made with: versions of the package, of Python and of the packages under it."""

from __future__ import annotations

import platform
from functools import cache
from hashlib import sha256
from importlib import metadata, resources
from pathlib import Path

CODE_SUFFIXES = (".py", ".toml", ".csv", ".json")


@cache
def code_hash() -> str:
    """Return a hash of the package: its code and the files that its numbers stand in."""
    root, found = Path(str(resources.files("neurosim"))), sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in CODE_SUFFIXES):
        found.update(path.relative_to(root).as_posix().encode())
        found.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()[:16]


@cache
def build_info() -> dict[str, str]:
    """Return what must be the same wherever the work is done: versions, hash of the code."""
    return {n: v for n, v in versions().items() if n not in ("python", "matplotlib")} | {
        "code": code_hash()
    }


def versions() -> dict[str, str]:
    """Return the versions that a result was made with."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    # Kept, for reading what is installed takes as long as a short run.
    found = {"python": platform.python_version()}
    for name in ("neurosim", "numpy", "scipy", "matplotlib", "numba"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
