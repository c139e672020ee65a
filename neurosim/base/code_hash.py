"""A hash of the package's code and numbers: what a result was computed by, what a cache is for."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

SUFFIXES = (".py", ".toml", ".csv", ".json")  # of the files that results depend on


@cache
def code_hash(*paths: str, package: str = "neurosim") -> str:
    """Return a hash of files of the package: their names and contents, whatever the line ends.

    Parameters
    ----------
    *paths : str
        Files and folders inside the package, such as ``"model/axon"``; none: the whole package.
        Of a folder, all files with one of `SUFFIXES` count.
    package : str
        The package that they are in.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> code_hash("model/axon/equations.py") == code_hash("model/axon/kernel.py")
    False
    """
    digest = sha256()
    for path in paths or ("",):
        for name, file in _walk(path, resources.files(package).joinpath(path)):
            content = file.read_bytes().replace(b"\r\n", b"\n")
            digest.update(name.encode() + b"\0" + sha256(content).digest())
    return digest.hexdigest()


def _walk(name: str, file: Traversable) -> Iterator[tuple[str, Traversable]]:
    """Yield the path inside the package and the file, in the order of the names."""
    if not file.is_dir():
        yield name, file
        return
    for inner in sorted(file.iterdir(), key=lambda inner: inner.name):
        if inner.is_dir() or inner.name.endswith(SUFFIXES):
            yield from _walk(f"{name}/{inner.name}".lstrip("/"), inner)
