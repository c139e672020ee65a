"""What a result was made with: versions of the package, of Python, of packages; the backend."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata

from neurosim.base import backends
from neurosim.base.code_hash import code_hash


def build_info() -> dict[str, str]:
    """Return what must be the same wherever the work is done: versions, hash of the code."""
    return {n: v for n, v in versions().items() if n not in ("python", "matplotlib")} | {
        "code": code_hash()[:16]
    }


def versions() -> dict[str, str]:
    """Return the versions that a result was made with, and as ``backend`` what ran its loops."""
    return {**_versions(), "backend": backends.describe()}


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
