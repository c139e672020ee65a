"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from neurosim.base.errors import NeurosimError, clip_name, short_repr

Content = bytes | Callable[[IO[bytes]], object]


def prepare_folder(path: str | Path, parents: bool = False) -> Path:
    """Return `path` as a folder that exists and can be written to; create it if need be.

    Parameters
    ----------
    path : str or Path
    parents : bool
        Whether the folders above it are created too.

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


def write_files(folder: str | Path, files: Mapping[str, Content]) -> list[Path]:
    """Write several files into a folder, all of them or none, and return their paths.

    Parameters
    ----------
    folder : str or Path
        It must exist.
    files : mapping of str to bytes or callable
        Content by name; one too large for memory is a function that writes it to an open file. A
        name such as ``keys/01.html`` lies in a folder below, which is created if need be.

    Raises
    ------
    NeurosimError
        If one cannot be written; nothing new is left behind then.
    """
    contents = {Path(folder) / name: content for name, content in files.items()}
    try:
        _replace_all(Path(folder), contents)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise NeurosimError(f"Cannot write to {folder}: {why}.") from None
    return list(contents)


def write_atomically(path: Path, content: bytes) -> None:
    """Write one file into a folder that exists.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written to; nothing is left behind then.
    """
    _replace_all(path.parent, {path: content})


def _replace_all(folder: Path, contents: Mapping[Path, Content]) -> None:
    """Write every file beside its place, onto the disk, and rename all of them at the end."""
    beside: dict[Path, Path] = {}  # the place of each file by where it is written first
    new_folders: list[Path] = []
    try:
        for target, content in contents.items():
            if target.parent != folder and not target.parent.exists():
                target.parent.mkdir()
                new_folders.append(target.parent)
            handle, name = tempfile.mkstemp(".part", f".{target.name}.", target.parent)
            beside[Path(name)] = target
            with os.fdopen(handle, "wb") as file:
                file.write(content) if isinstance(content, bytes) else content(file)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
        for temporary, target in beside.items():
            os.replace(temporary, target)
    finally:
        for temporary in beside:
            temporary.unlink(missing_ok=True)
        for below in new_folders:
            with suppress(OSError):  # something is in it
                below.rmdir()
    for changed in {target.parent for target in contents}:
        _sync_folder(changed)


def _sync_folder(folder: Path) -> None:
    """Let the new names in a folder survive a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network folders cannot
            os.fsync(handle)
    finally:
        os.close(handle)
