"""Values that cost much, kept on disk between runs; nothing ever depends on it.

One SQLite file in the user's folder of caches (`folder`) holds values by a hash of all that they
come from: function, arguments, exchanged numbers, the code and numbers of the rooms that make
them, and what computes (NumPy, Numba). A value is a plain tree of numbers, texts and arrays with a
checksum, so that reading a file cannot run anything. Several processes may use it at once. Whatever
goes wrong (no SQLite, no room, no rights, a lock, a broken file) means that nothing is kept.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b, sha256
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np

MOST_BYTES = 256 * 2**20  # of the file; then the oldest eighth of the values goes
CODE = ("base", "model", "clinic", "simulation/state.py", "simulation/person_run.py")
CODE_ENDS = (".py", ".toml", ".json")
WAIT_S = 5.0  # for others who write
KEYS_PER_QUERY = 500  # keys of one question

_local = threading.local()  # a connection of each thread
_inherited: list[Any] = []  # connections of processes that this one was forked from
_bypassed: list[bool] = []
_disabled: set[tuple[int, str]] = set()  # processes and folders in which something went wrong


def cache_folder() -> Path | None:
    """Return the folder of the cache: NEUROSIM_CACHE, else the user's; None if it is turned off.

    NEUROSIM_CACHE is a folder; empty or ``0`` turns the cache off.
    """
    if _bypassed:
        return None
    asked = os.environ.get("NEUROSIM_CACHE")
    if asked is not None:
        return Path(asked) if asked not in ("", "0") else None
    try:
        if sys.platform == "win32":
            local = os.environ.get("LOCALAPPDATA")
            return Path(local or Path.home() / "AppData" / "Local") / "neurosim" / "Cache"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches" / "neurosim"
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "neurosim"
    except RuntimeError:  # no home
        return None


@contextmanager
def bypass_cache() -> Iterator[None]:
    """Keep and find nothing inside a ``with`` block: so many values that nobody asks for again."""
    _bypassed.append(True)
    try:
        yield
    finally:
        _bypassed.pop()


@cache
def code_signature() -> str:
    """Return a hash of the code and numbers that values come from, and of what computes them."""
    found = sha256()
    for path in CODE:
        _hash_file(found, path, resources.files("neurosim").joinpath(path))
    numba = find_spec("numba")
    compiles = os.environ.get("NEUROSIM_NUMBA", "1") != "0" and numba is not None
    if numba is not None and numba.origin:
        version = Path(numba.origin).with_name("_version.py")
        found.update(version.read_bytes() if version.exists() else b"")
    machine = os.uname().machine if hasattr(os, "uname") else ""
    found.update(repr((np.__version__, compiles, sys.platform, machine, sys.byteorder)).encode())
    return found.hexdigest()


def _hash_file(found, path: str, at) -> None:
    if at.is_dir():
        for one in sorted(at.iterdir(), key=lambda one: one.name):
            if one.is_dir() or one.name.endswith(CODE_ENDS):
                _hash_file(found, f"{path}/{one.name}", one)
    else:
        found.update(path.encode() + b"\0" + sha256(at.read_bytes()).digest())


def cache_key(*parts: Any) -> bytes:
    """Return the key of a value that comes from some things, which their `repr` tells wholly."""
    return sha256(repr((code_signature(), *parts)).encode()).digest()


# --- Values as bytes -----------------------------------------------------------------------------


def pack(value: Any) -> bytes:
    """Return a value as bytes: numbers, texts, None, arrays, and tuples and dicts of them."""
    arrays: list[bytes] = []
    head = json.dumps(_flatten(value, arrays)).encode()
    body = len(head).to_bytes(4, "little") + head + b"".join(arrays)
    return blake2b(body, digest_size=8).digest() + body


def _flatten(value: Any, arrays: list[bytes]) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        some = np.asarray(value)
        arrays.append(some.tobytes())
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        return [kind, some.dtype.str, list(some.shape)]
    if isinstance(value, tuple):
        return ["tuple", *(_flatten(v, arrays) for v in value)]
    if isinstance(value, Mapping):
        return ["dict", *([k, _flatten(v, arrays)] for k, v in value.items())]
    if value is None or isinstance(value, float | int | str):
        return value
    raise TypeError(f"A {type(value).__name__} cannot be kept.")


def unpack(found: bytes) -> Any:
    """Return the value of `pack`.

    Raises
    ------
    ValueError
        If the bytes are not whole.
    """
    mark, body = found[:8], found[8:]
    if blake2b(body, digest_size=8).digest() != mark:
        raise ValueError("A kept value is broken.")
    start = 4 + int.from_bytes(body[:4], "little")
    value, end = _unflatten(json.loads(body[4:start]), body, start)
    if end != len(body):
        raise ValueError("A kept value is broken.")
    return value


def _unflatten(tree: Any, body: bytes, at: int) -> tuple[Any, int]:
    """Return a value, and where the arrays after it begin."""
    if not isinstance(tree, list):
        return tree, at
    kind, *parts = tree
    if kind in ("array", "scalar"):
        dtype, shape = np.dtype(parts[0]), parts[1]
        if dtype.kind not in "biuf":
            raise ValueError("A kept value is no number.")
        count = math.prod(shape)
        some = np.frombuffer(body, dtype, count, at).reshape(shape)
        return (some.copy() if kind == "array" else some[()]), at + count * dtype.itemsize
    found = []
    for part in parts:
        value, at = _unflatten(part if kind == "tuple" else part[1], body, at)
        found.append(value)
    if kind == "tuple":
        return tuple(found), at
    return {k: v for (k, _), v in zip(parts, found, strict=True)}, at


# --- The file ------------------------------------------------------------------------------------


def get(keys: Sequence[bytes]) -> dict[bytes, Any]:
    """Return those values that are kept, by key."""
    rows: list[tuple[bytes, bytes]] = []
    for first in range(0, len(keys), KEYS_PER_QUERY):
        some = keys[first : first + KEYS_PER_QUERY]
        marks = ",".join("?" * len(some))
        rows += (
            _with_database(
                lambda to, some=some, marks=marks: to.execute(
                    f"SELECT key, value FROM kept WHERE key IN ({marks})", some
                ).fetchall()
            )
            or []
        )
    found = {}
    for name, value in rows:
        try:
            found[name] = unpack(value)
        except (ValueError, TypeError, KeyError, IndexError):
            continue  # it is found and kept anew
    return found


def put(values: Mapping[bytes, Any]) -> None:
    """Keep values by key, all in one transaction."""
    if values and cache_folder() is not None:
        rows = [(name, pack(value)) for name, value in values.items()]
        _with_database(lambda to: _write(to, rows))


def _write(to, rows: Sequence[tuple[bytes, bytes]]) -> None:
    with to:
        to.executemany("INSERT OR REPLACE INTO kept (key, value) VALUES (?, ?)", rows)
        pages, free, size = (
            to.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size > MOST_BYTES:
            to.execute(
                "DELETE FROM kept WHERE rowid IN (SELECT rowid FROM kept ORDER BY rowid "
                "LIMIT (SELECT count(*) / 8 + 1 FROM kept))"
            )


def close() -> None:
    """Close this thread's connection; the next question opens another."""
    if getattr(_local, "mine", (0,))[0] == os.getpid():
        _local.to.close()
    _local.__dict__.clear()


def _with_database(work) -> Any:
    """Return what `work` does with the file; None if there is none or anything goes wrong."""
    where = cache_folder()
    if where is None or (os.getpid(), str(where)) in _disabled:
        return None
    try:
        import sqlite3

        try:
            return work(_connection(where))
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # a lock, a full disk, no rights
                raise
            _set_aside(where)
            return work(_connection(where))
    except Exception:  # whatever it is: a cache may fail, a run may not
        close()
        _disabled.add((os.getpid(), str(where)))
        return None


def _path(where: Path) -> Path:
    return where / "values-1.sqlite"


def _connection(where: Path):
    """Return this thread's connection in this process."""
    mine = (os.getpid(), str(where))
    if getattr(_local, "mine", mine)[0] != mine[0]:  # of before a fork: not ours to close
        _inherited.append(_local.to)
        _local.__dict__.clear()
    if getattr(_local, "mine", None) != mine:
        close()
        _local.to, _local.mine = _open_database(where), mine
    return _local.to


def _open_database(where: Path):
    import sqlite3

    where.mkdir(parents=True, exist_ok=True)
    for _ in range(20):  # others may make it just now, and SQLite does not wait for that
        to = sqlite3.connect(_path(where), timeout=WAIT_S)
        try:
            to.execute("PRAGMA journal_mode = WAL")
            to.execute("PRAGMA synchronous = NORMAL")
            to.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value BLOB)")
            to.commit()
            return to
        except sqlite3.OperationalError as error:
            to.close()
            if "locked" not in str(error):
                raise
            sleep(0.05)
        except sqlite3.DatabaseError:
            to.close()
            raise
    raise OSError("The cache is locked.")


def _set_aside(where: Path) -> None:
    """Put a broken file beside the one to be made anew."""
    close()
    broken = _path(where)
    broken.replace(broken.with_suffix(".broken"))
    for end in ("-wal", "-shm"):
        broken.with_name(broken.name + end).unlink(missing_ok=True)
