"""What a command prints and writes: files first, all or none, then their words.

A closed pipe loses no file.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosim.base.errors import NeurosimError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

READER_GONE = (errno.EPIPE, errno.EINVAL)  # the latter on Windows
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # by Windows
SHOWN_FIRST = (".html", ".png", ".txt", ".wav")  # files that are named before tables


def print_now(text: str, end: str = "\n", file: Any = None) -> None:
    """Print at once; a reader that has gone away stops nothing.

    Raises
    ------
    NeurosimError
        If the standard output takes no more for another reason, such as a full disk.
    """
    stream = sys.stdout if file is None else file
    try:
        print(text, end=end, file=stream, flush=True)
    except OSError as error:
        # What is left in its buffer would fail once more at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if stream is sys.stdout and error.errno not in READER_GONE:
            raise NeurosimError(f"Cannot print: {error.strerror}.") from None


def safe_name(name: str) -> str:
    """Return a name as a folder can have it on any system, and nowhere but in its place."""
    safe = re.sub(r"[^\w.+-]+", "_", name).strip("._")
    safe = safe.encode("utf-8", "ignore")[:120].decode("utf-8", "ignore").strip("._")
    return f"_{safe}" if _RESERVED.match(safe) else safe or "custom"


@contextmanager
def output_folder(out: str | None, name: str) -> Generator[Path, None, None]:
    """Give a computing command its folder; a new one that stays empty is removed."""
    from neurosim.base.files import prepare_folder

    path = Path(out) if out is not None else Path("neurosim-out") / safe_name(name)
    above = [p for p in (path, path.parent) if not os.path.exists(p)]
    try:
        folder = prepare_folder(path, parents=out is None)
        warn_if_slow()
        yield folder
    except BaseException:
        for new in above:
            if os.path.isdir(new) and not any(new.iterdir()):
                new.rmdir()
        raise


def save_files(folder: Path, files: Mapping[str, Any]) -> str:
    """Write the files of a command and return where they are, in words."""
    from neurosim.base.files import write_files

    return _written_words(folder, write_files(folder, files))


def warn_if_slow() -> None:
    """Say on stderr, before a command computes, that nothing is compiled."""
    from neurosim.base import backends

    if not backends.is_compiled():
        print_now(backends.SLOWNESS, file=sys.stderr)


def _written_words(folder: Path, paths: Sequence[Path]) -> str:
    """Return where files are, in words: pages and pictures before tables."""
    look = {suffix: rank for rank, suffix in enumerate(SHOWN_FIRST)}
    paths = sorted(paths, key=lambda path: look.get(path.suffix, len(look)))
    return f"Written into {folder}: " + ", ".join(path.name for path in paths)


def say_if_long(seconds: float) -> None:
    """Say on stderr, before a command computes, how long it takes."""
    from neurosim.simulation.budget import time_sentence

    if sentence := time_sentence(seconds):
        print_now(sentence, file=sys.stderr)


def save_and_print(folder: Path, result: Any) -> None:
    """Write a result's files, then print its words and where the files are."""
    paths = result.save(folder)
    print_now(f"{result}\n{_written_words(folder, paths)}")
