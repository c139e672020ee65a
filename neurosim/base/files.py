"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from neurosim.base.errors import NeurosimError, clip_name, short_repr

if TYPE_CHECKING:
    pass


def prepare_folder(path: str | Path, parents: bool = False) -> Path:
    """Return `path` as a folder that exists and can be written to; made if need be.

    Parameters
    ----------
    path : str or Path
    parents : bool
        Whether the folders above it are made too.

    Raises
    ------
    NeurosimError
        If it is not a folder, cannot be written to, or its parent is absent.
    """
    try:
        folder = Path(path)
    except TypeError:
        raise NeurosimError(f"folder must be the path of one, not {short_repr(path)}.") from None
    try:
        if folder.exists() and not folder.is_dir():
            raise NeurosimError(f"{folder} is a file, not a folder; choose another --out.")
        if not parents and not folder.absolute().parent.is_dir():
            raise NeurosimError(
                f"The folder {folder} cannot be made, because {folder.absolute().parent} "
                "is not a folder that exists."
            )
        folder.mkdir(parents=parents, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        if isinstance(error, NeurosimError):
            raise
        why = getattr(error, "strerror", None) or error
        raise NeurosimError(
            f"Cannot write to the folder {clip_name(str(folder))}: {why}."
        ) from None
    return folder


Content = bytes | Callable[[IO[bytes]], object]


def write_files(folder: str | Path, files: Mapping[str, Content]) -> list[Path]:
    """Write several files into a folder, all of them or none, and return their paths.

    Parameters
    ----------
    folder : str or Path
    files : mapping of str to bytes or callable
        What each holds; one too large for memory comes as a function that writes it to a file. A
        name such as ``keys/01.html`` lies in a folder below, which is made if need be.

    Raises
    ------
    NeurosimError
        If one cannot be written; nothing new is left behind then.
    """
    written: list[tuple[str, Path]] = []
    made: list[Path] = []
    place = Path(folder)
    try:
        try:
            for name, content in files.items():
                target = place / name
                if target.parent != place and not target.parent.exists():
                    target.parent.mkdir()
                    made.append(target.parent)
                handle, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
                written.append((beside, target))
                with os.fdopen(handle, "wb") as file:
                    file.write(content) if isinstance(content, bytes) else content(file)
                os.chmod(beside, 0o644)
            for beside, target in written:
                os.replace(beside, target)
        finally:
            for beside, _ in written:
                Path(beside).unlink(missing_ok=True)
            for below in made:
                with suppress(OSError):  # something is in it
                    below.rmdir()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise NeurosimError(f"Cannot write to {place}: {why}.") from None
    return [target for _, target in written]


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file beside its place, onto the disk, and rename it.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written to; nothing is left behind then.
    """
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        Path(beside).unlink(missing_ok=True)
    if os.name == "posix":  # the new name, too, survives a power cut
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
