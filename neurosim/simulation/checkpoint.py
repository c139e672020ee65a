"""The folder of a long run: a record of what was asked, its parts, and a lock.

A part is written whole or not at all, so that a run that was killed at any moment goes on from
the parts that are there. While a run is not finished its record lies among the parts; what a
former, finished run left in the folder stays until the new tables take its place.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.base.files import write_atomically

RECORD, LOCK = "cohort.json", ".cohort.lock"
REMOVABLE = re.compile(
    r"(\d{7}\.npz|cohort\.json|\..*\.part)"
)  # what may be removed from the folder


class Checkpoint:
    """Parts of one run in a folder, to be used in a ``with`` block that keeps others out.

    Parameters
    ----------
    folder : str or Path
        An existing folder. The parts lie in ``parts`` in it.

    Raises
    ------
    NeurosimError
        On entering the block, if another run holds the folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.place = self.folder / "parts"
        self._handle: int | None = None

    def __enter__(self) -> Checkpoint:
        self._handle = _lock_folder(self.folder)
        return self

    def __exit__(self, *_) -> None:
        handle, self._handle = self._handle, None
        lock = self.folder / LOCK
        if os.name == "posix":  # before it is free, so that nobody can have it in between
            lock.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)
        if os.name != "posix":
            with suppress(OSError):
                lock.unlink(missing_ok=True)

    def unfinished_record(self) -> dict[str, Any] | None:
        """Return the record of the unfinished run in the folder, None if there is none."""
        return _read_json(self.place / RECORD)

    def finished_record(self) -> dict[str, Any] | None:
        """Return the record of the finished run in the folder, None if there is none."""
        return _read_json(self.folder / RECORD)

    def begin(self, record: Mapping[str, Any]) -> None:
        """Begin a run: what is left of another one's parts goes, the record is written.

        Raises
        ------
        OSError
            If that is not possible.
        """
        self.clear()
        self.place.mkdir(exist_ok=True)
        write_atomically(self.place / RECORD, json.dumps(record, indent=1).encode("utf-8"))

    def write(self, number: int, part: Mapping[str, np.ndarray]) -> None:
        """Write one part.

        Raises
        ------
        OSError
            If that is not possible; the other parts stay as they are.
        """
        buffer = BytesIO()
        np.savez_compressed(buffer, **dict(part))  # type: ignore[arg-type]
        write_atomically(self._path(number), buffer.getvalue())

    def read(self, number: int) -> dict[str, np.ndarray] | None:
        """Return one part, None if it is absent or damaged (each array has its checksum)."""
        try:
            with np.load(self._path(number), allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except Exception:  # whatever is wrong with it: it is counted again
            return None

    def clear(self) -> None:
        """Remove the parts, their record first, so that half of them is no unfinished run."""
        (self.place / RECORD).unlink(missing_ok=True)
        if self.place.is_dir():
            for path in self.place.iterdir():
                if REMOVABLE.fullmatch(path.name):
                    path.unlink(missing_ok=True)
            with suppress(OSError):  # somebody keeps other files there
                self.place.rmdir()

    def _path(self, number: int) -> Path:
        return self.place / f"{number:07d}.npz"


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    is_record = isinstance(record, dict) and "settings" in record
    return cast("dict[str, Any]", record) if is_record else None


def _lock_folder(folder: Path) -> int:
    """Return the handle of a folder's lock, which the system frees when the process ends."""
    path = folder / LOCK
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            why = error.strerror or error
            raise NeurosimError(f"Cannot write to the folder {folder}: {why}.") from None
        try:
            _lock_handle(handle)
        except OSError:
            os.close(handle)
            raise NeurosimError(
                f"Another run is writing to {folder}: wait for its end, or choose another --out."
            ) from None
        with suppress(FileNotFoundError):  # its last owner has just removed it: try again
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        os.close(handle)


def _lock_handle(handle: int) -> None:
    if os.name == "posix":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]


def first_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, Any, Any]:
    """Return (dotted name, value before, value now) of the first difference of two records.

    The name is empty if there is none.

    Examples
    --------
    >>> first_difference({"people": 3, "body": {"ph": 7.4}}, {"people": 3, "body": {"ph": 7.5}})
    ('body.ph', 7.4, 7.5)
    """
    a, b = _flatten(before), _flatten(now)
    for name in dict.fromkeys([*a, *b]):
        if a.get(name, "nothing") != b.get(name, "nothing"):
            return name, a.get(name, "nothing"), b.get(name, "nothing")
    return "", None, None


def _flatten(tree: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(tree, Mapping):
        items = [(str(key), value) for key, value in cast("Mapping[Any, Any]", tree).items()]
    elif isinstance(tree, list):
        items = [(str(i), value) for i, value in enumerate(cast("list[Any]", tree))]
    else:
        return {prefix.rstrip("."): tree}
    flat: dict[str, Any] = {}
    for key, value in items:
        flat |= _flatten(value, f"{prefix}{key}.")
    return flat
