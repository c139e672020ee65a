"""Expensive values, cached on disk between runs; nothing ever depends on it.

One SQLite file in the user's cache folder (`cache_folder`) holds values by a hash of function,
arguments, the code and parameters of the rooms that compute them, and the versions and settings of
NumPy and Numba. Beside a value stand the parameters that it was computed from and the overrides of
them: it is served where those that are active agree. A value is an ``.npz`` file with a checksum,
read without pickle, so that reading cannot run code. Several processes may use the file at once.
Whatever goes wrong (no SQLite, a full disk, no rights, a lock, a broken file) means that nothing is
cached.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from functools import cache, lru_cache, partial
from hashlib import blake2b, sha256
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from time import sleep
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from neurosim.base import backends
from neurosim.base.code_hash import code_hash
from neurosim.base.parameters import FILES, Key, overridden

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_BYTES = 256 * 2**20  # size of the file above which the oldest eighth of the values goes
CODE = ("base", "model", "clinic", "simulation/state.py", "simulation/person_run.py")
WAIT_S = 5.0  # for another process that writes
KEYS_PER_QUERY = 500
TABLES = (
    "reads (id BLOB PRIMARY KEY, names TEXT)",  # sets of parameters, which many values share
    "kept (key BLOB, overridden TEXT, reads BLOB, checksum BLOB, value BLOB, "
    "PRIMARY KEY (key, overridden))",
)

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
def bypass_cache() -> Generator[None, None, None]:
    """Bypass the disk cache inside a ``with`` block, for runs too large to be worth caching."""
    _bypassed.append(True)
    try:
        yield
    finally:
        _bypassed.pop()


def code_signature() -> str:
    """Return a hash of the code and parameters behind cached values, and of what computes them."""
    return _signature(backends.describe())


@cache
def _signature(backend: str) -> str:
    numba = find_spec("numba")
    version = b""
    if numba is not None and numba.origin:
        file = Path(numba.origin).with_name("_version.py")
        version = file.read_bytes() if file.exists() else b""
    machine = os.uname().machine if hasattr(os, "uname") else ""
    parts = (np.__version__, version, backend, sys.platform, machine, sys.byteorder)
    return sha256(repr((code_hash(*CODE, *FILES.values()), *parts)).encode()).hexdigest()


def cache_key(*parts: Any) -> bytes:
    """Return the key of a value that depends on `parts`, told apart by their `repr`."""
    return sha256(repr((code_signature(), *parts)).encode()).digest()


# --- Values as bytes -----------------------------------------------------------------------------


def pack(value: Any) -> bytes:
    """Return a value as bytes: numbers, texts, None, arrays, and tuples and dicts of them.

    An ``.npz`` file in memory: every array as a member, and ``tree``, the JSON that joins them.
    """
    arrays: list[Array] = []
    tree = np.frombuffer(json.dumps(_flatten(value, arrays)).encode(), np.uint8)
    file = BytesIO()
    np.savez(file, *arrays, tree=tree)
    return file.getvalue()


def _flatten(value: Any, arrays: list[Array]) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        arrays.append(np.asarray(cast("Array", value)))
        return [kind, len(arrays) - 1]
    if isinstance(value, tuple):
        return ["tuple", *(_flatten(v, arrays) for v in cast("tuple[Any, ...]", value))]
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return ["dict", *([k, _flatten(v, arrays)] for k, v in items)]
    if value is None or isinstance(value, float | int | str):
        return value
    raise TypeError(f"A {type(value).__name__} cannot be cached.")


def unpack(packed: bytes) -> Any:
    """Return the value that `pack` turned into these bytes; no byte of them can run code.

    Raises
    ------
    ValueError
        If the bytes are damaged.
    """
    try:
        with np.load(BytesIO(packed), allow_pickle=False) as file:
            return _unflatten(json.loads(file["tree"].tobytes()), file)
    except Exception as error:  # whatever damage makes of the file's structure
        raise ValueError("A cached value is broken.") from error


def _unflatten(tree: Any, file: Any) -> Any:
    if not isinstance(tree, list):
        return tree
    kind, *parts = cast("list[Any]", tree)
    if kind in ("array", "scalar"):
        array = file[f"arr_{parts[0]}"]
        return array if kind == "array" else array[()]
    if kind == "tuple":
        return tuple(_unflatten(part, file) for part in parts)
    return {key: _unflatten(part, file) for key, part in parts}


# --- The file ------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """A value, the parameters that it was computed from, and those of them overridden then."""

    value: Any
    reads: frozenset[Key] = frozenset()
    overridden: Mapping[Key, float] = MappingProxyType({})


def _encode_reads(reads: frozenset[Key]) -> str:
    return "\n".join(sorted(map(".".join, reads)))


@lru_cache(1024)
def _decode_reads(text: str) -> frozenset[Key]:
    return frozenset(_split_key(name) for name in text.split("\n") if name)


def _split_key(name: str) -> Key:
    group, _, rest = name.partition(".")
    return group, rest


def _checksum(*parts: bytes | str) -> bytes:
    joined = repr(parts).encode()
    return blake2b(joined, digest_size=8).digest()


def get(keys: Sequence[bytes]) -> dict[bytes, Entry]:
    """Return the entries of those keys that hold under the active overrides."""
    entries: dict[bytes, Entry] = {}
    for first in range(0, len(keys), KEYS_PER_QUERY):
        entries |= _with_database(partial(_select, keys=keys[first : first + KEYS_PER_QUERY])) or {}
    return entries


def _select(database: Any, keys: Sequence[bytes]) -> dict[bytes, Entry]:
    """Look for entries by what they read, and fetch only the values of those that hold."""
    marks = ",".join("?" * len(keys))
    query = (
        "SELECT key, overridden, names FROM kept "
        f"JOIN reads ON kept.reads = reads.id WHERE key IN ({marks})"
    )
    entries: dict[bytes, Entry] = {}
    for key, overrides, names in database.execute(query, keys).fetchall():
        with suppress(ValueError, TypeError, IndexError, AttributeError):  # else damaged: a miss
            reads = _decode_reads(names)
            changed = {_split_key(k): v for k, v in json.loads(overrides).items()}
            if overridden(reads) != changed:
                continue
            value, checksum = database.execute(
                "SELECT value, checksum FROM kept WHERE key = ? AND overridden = ?",
                (key, overrides),
            ).fetchone()
            if checksum == _checksum(key, overrides, names, value):
                entries[key] = Entry(unpack(value), reads, changed)
    return entries


def put(entries: Mapping[bytes, Entry]) -> None:
    """Cache entries by key, all in one transaction."""
    if entries and cache_folder() is not None:
        rows = [_to_row(key, entry) for key, entry in entries.items()]
        _with_database(partial(_write, rows=rows))


def _to_row(key: bytes, entry: Entry) -> tuple[bytes, str, str, bytes]:
    changed = {".".join(k): v for k, v in sorted(entry.overridden.items())}
    return key, json.dumps(changed), _encode_reads(entry.reads), pack(entry.value)


def _write(database: Any, rows: Sequence[tuple[bytes, str, str, bytes]]) -> None:
    names = {row[2]: _checksum(row[2]) for row in rows}
    values = [(*row[:2], names[row[2]], _checksum(*row), row[3]) for row in rows]
    with database:
        database.executemany(
            "INSERT OR IGNORE INTO reads (id, names) VALUES (?, ?)",
            [(number, text) for text, number in names.items()],
        )
        database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?)", values)
        pages, free, size = (
            database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size > MOST_BYTES:
            database.execute(
                "DELETE FROM kept WHERE rowid IN (SELECT rowid FROM kept ORDER BY rowid "
                "LIMIT (SELECT count(*) / 8 + 1 FROM kept))"
            )


def clear() -> None:
    """Forget every value in the file, if there is one."""
    folder = cache_folder()
    if folder is not None and _path(folder).exists():
        _with_database(_delete_all)


def _delete_all(database: Any) -> None:
    with database:
        database.execute("DELETE FROM kept")


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
    return folder / "values-2.sqlite"


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
            for table in TABLES:
                database.execute(f"CREATE TABLE IF NOT EXISTS {table}")
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
