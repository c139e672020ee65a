"""Expensive values, cached on disk between runs; nothing ever depends on it.

One SQLite file in the user's cache folder (`cache_folder`) holds values by a hash of all that they
come from: function, arguments, overrides, the code and parameters of the rooms that compute them,
and the versions and settings of NumPy and Numba. A value is a plain tree of numbers, texts and
arrays with a checksum, so that reading the file cannot run code. Several processes may use it at
once. Whatever goes wrong (no SQLite, a full disk, no rights, a lock, a broken file) means that
nothing is cached.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from hashlib import blake2b, sha256
from importlib.util import find_spec
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np

from neurosim.base.code_hash import code_hash

MOST_BYTES = 256 * 2**20  # size of the file above which the oldest eighth of the values goes
CODE = ("base", "model", "clinic", "simulation/state.py", "simulation/person_run.py")
WAIT_S = 5.0  # for another process that writes
KEYS_PER_QUERY = 500

_local = threading.local()  # each thread's connection and its key, (process, folder)
_inherited: list[Any] = []  # connections that belong to the process this one was forked from
_bypassed: list[bool] = []
_disabled: set[tuple[int, str]] = set()  # processes and folders in which something went wrong


def cache_folder() -> Path | None:
    """Return the folder of the cache: NEUROSIM_CACHE, else the user's; None if it is turned off.

    NEUROSIM_CACHE is a folder; empty or ``0`` turns the cache off.
    """
    if _bypassed:
        return None
    setting = os.environ.get("NEUROSIM_CACHE")
    if setting is not None:
        return Path(setting) if setting not in ("", "0") else None
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
    """Bypass the disk cache inside a ``with`` block, for runs too large to be worth caching."""
    _bypassed.append(True)
    try:
        yield
    finally:
        _bypassed.pop()


@cache
def code_signature() -> str:
    """Return a hash of the code and parameters behind cached values, and of what computes them."""
    numba = find_spec("numba")
    version = b""
    if numba is not None and numba.origin:
        file = Path(numba.origin).with_name("_version.py")
        version = file.read_bytes() if file.exists() else b""
    compiles = os.environ.get("NEUROSIM_NUMBA", "1") != "0" and numba is not None
    machine = os.uname().machine if hasattr(os, "uname") else ""
    parts = (np.__version__, version, compiles, sys.platform, machine, sys.byteorder)
    return sha256(repr((code_hash(*CODE), *parts)).encode()).hexdigest()


def cache_key(*parts: Any) -> bytes:
    """Return the key of a value that depends on `parts`, told apart by their `repr`."""
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
        array = np.asarray(value)
        arrays.append(array.tobytes())
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        return [kind, array.dtype.str, list(array.shape)]
    if isinstance(value, tuple):
        return ["tuple", *(_flatten(v, arrays) for v in value)]
    if isinstance(value, Mapping):
        return ["dict", *([k, _flatten(v, arrays)] for k, v in value.items())]
    if value is None or isinstance(value, float | int | str):
        return value
    raise TypeError(f"A {type(value).__name__} cannot be cached.")


def unpack(packed: bytes) -> Any:
    """Return the value that `pack` turned into these bytes.

    Raises
    ------
    ValueError
        If the bytes are damaged.
    """
    checksum, body = packed[:8], packed[8:]
    if blake2b(body, digest_size=8).digest() != checksum:
        raise ValueError("A cached value is broken.")
    start = 4 + int.from_bytes(body[:4], "little")
    value, end = _unflatten(json.loads(body[4:start]), body, start)
    if end != len(body):
        raise ValueError("A cached value is broken.")
    return value


def _unflatten(tree: Any, body: bytes, at: int) -> tuple[Any, int]:
    """Return the value of a tree whose arrays begin at `at`, and where those after it begin."""
    if not isinstance(tree, list):
        return tree, at
    kind, *parts = tree
    if kind in ("array", "scalar"):
        dtype, shape = np.dtype(parts[0]), parts[1]
        if dtype.kind not in "biuf":
            raise ValueError("A cached value is no number.")
        count = math.prod(shape)
        array = np.frombuffer(body, dtype, count, at).reshape(shape)
        return (array.copy() if kind == "array" else array[()]), at + count * dtype.itemsize
    values = []
    for part in parts:
        value, at = _unflatten(part if kind == "tuple" else part[1], body, at)
        values.append(value)
    if kind == "tuple":
        return tuple(values), at
    return {k: v for (k, _), v in zip(parts, values, strict=True)}, at


# --- The file ------------------------------------------------------------------------------------


def get(keys: Sequence[bytes]) -> dict[bytes, Any]:
    """Return the values of those keys that are in the cache."""
    rows: list[tuple[bytes, bytes]] = []
    for first in range(0, len(keys), KEYS_PER_QUERY):
        rows += _with_database(partial(_select, keys=keys[first : first + KEYS_PER_QUERY])) or []
    values = {}
    for key, packed in rows:
        try:
            values[key] = unpack(packed)
        except (ValueError, TypeError, KeyError, IndexError):
            continue  # it is computed and cached again
    return values


def _select(database: Any, keys: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    marks = ",".join("?" * len(keys))
    query = f"SELECT key, value FROM kept WHERE key IN ({marks})"
    return database.execute(query, keys).fetchall()


def put(values: Mapping[bytes, Any]) -> None:
    """Cache values by key, all in one transaction."""
    if values and cache_folder() is not None:
        rows = [(key, pack(value)) for key, value in values.items()]
        _with_database(partial(_write, rows=rows))


def _write(database: Any, rows: Sequence[tuple[bytes, bytes]]) -> None:
    with database:
        database.executemany("INSERT OR REPLACE INTO kept (key, value) VALUES (?, ?)", rows)
        pages, free, size = (
            database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size > MOST_BYTES:
            database.execute(
                "DELETE FROM kept WHERE rowid IN (SELECT rowid FROM kept ORDER BY rowid "
                "LIMIT (SELECT count(*) / 8 + 1 FROM kept))"
            )


def close() -> None:
    """Close this thread's connection; the next query opens another."""
    if getattr(_local, "key", (0,))[0] == os.getpid():
        _local.database.close()
    _local.__dict__.clear()


def _with_database(work: Callable[[Any], Any]) -> Any:
    """Return ``work(database)``; None if the cache is off or anything goes wrong."""
    folder = cache_folder()
    if folder is None or (os.getpid(), str(folder)) in _disabled:
        return None
    try:
        import sqlite3

        try:
            return work(_connection(folder))
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # a lock, a full disk, no rights
                raise
            _set_aside(folder)
            return work(_connection(folder))
    except Exception:  # whatever it is: a cache may fail, a run may not
        close()
        _disabled.add((os.getpid(), str(folder)))
        return None


def _path(folder: Path) -> Path:
    return folder / "values-1.sqlite"


def _connection(folder: Path) -> Any:
    """Return this thread's connection in this process."""
    key = (os.getpid(), str(folder))
    if getattr(_local, "key", key)[0] != key[0]:  # opened before a fork: the parent closes it
        _inherited.append(_local.database)
        _local.__dict__.clear()
    if getattr(_local, "key", None) != key:
        close()
        _local.database, _local.key = _open_database(folder), key
    return _local.database


def _open_database(folder: Path) -> Any:
    import sqlite3

    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(20):  # another process may create it just now; SQLite does not wait for that
        database = sqlite3.connect(_path(folder), timeout=WAIT_S)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value BLOB)")
            database.commit()
            return database
        except sqlite3.OperationalError as error:
            database.close()
            if "locked" not in str(error):
                raise
            sleep(0.05)
        except sqlite3.DatabaseError:
            database.close()
            raise
    raise OSError("The cache is locked.")


def _set_aside(folder: Path) -> None:
    """Rename a broken file, so that a new one can be created."""
    close()
    broken = _path(folder)
    broken.replace(broken.with_suffix(".broken"))
    for end in ("-wal", "-shm"):
        broken.with_name(broken.name + end).unlink(missing_ok=True)
