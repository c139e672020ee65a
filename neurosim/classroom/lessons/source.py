"""Lessons as they are written: Markdown files with tagged cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from neurosim.base.errors import NeurosimError, clip_name, short_repr, unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

TAGS = {
    "question": "to be answered in writing; on the worksheet",
    "answer": "prints the answer; teacher's copy and key",
    "teacher": "notes for the teacher; teacher's copy and key",
    "figure": "its picture is on the worksheet",
    "knob": "what a pupil edits",
    "goal": "says whether the goal is reached",
    "check": "asserts what the lesson says; teacher's copy",
}
TEACHER_TAGS = {"answer", "teacher", "check"}  # cells that no pupil sees
TEXTS, LISTS = ("title", "level", "minutes", "goal"), ("aims", "knobs")
ANSWER_LINES = 3  # ruled lines under a question that does not say


@dataclass(frozen=True)
class Lesson:
    """One lesson, as read from its source.

    Attributes
    ----------
    name : str
        Name of the file, such as ``01_one_twitch``.
    title, level, minutes, goal : str
    aims, knobs : tuple of str
        What pupils will do; what they may change.
    cells : tuple
        Notebook cells, all of them.
    """

    name: str
    title: str
    level: str
    minutes: str
    goal: str
    aims: tuple[str, ...]
    knobs: tuple[str, ...]
    cells: tuple[Any, ...]

    @property
    def number(self) -> str:
        """The two digits of its name."""
        return self.name[:2]


def require_packages(*modules: str) -> None:
    """Raise if a package that lessons need is not installed.

    Raises
    ------
    NeurosimError
    """
    from importlib.util import find_spec

    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise NeurosimError(
            f"Building lessons needs {' and '.join(missing)}, which is not installed: "
            "pip install 'neurosim[lab]'."
        )


def source_folder() -> Path:
    """Return the folder of the sources: beside the package in a checkout, else inside it."""
    inside = Path(str(resources.files("neurosim"))) / "notebooks"
    return inside if inside.is_dir() else inside.parents[1] / "notebooks"


def lesson_sources(folder: Path | None = None) -> dict[str, Path]:
    """Return the lessons' sources by name, in order."""
    paths = sorted((folder or source_folder()).glob("[0-9][0-9]_*.md"))
    return {path.stem: path for path in paths}


def lesson_query(value: object) -> str:
    """Return how a user names a lesson, as a text: a whole number is its number.

    Raises
    ------
    NeurosimError
        If it is neither a text nor a whole number.
    """
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value) if isinstance(value, str) or abs(value) < 1000 else short_repr(value)
    raise NeurosimError(
        "A lesson is named by number or name, such as 1 or '01_one_twitch', "
        f"not {short_repr(value)}."
    )


def resolve_lesson(value: object, names: Sequence[str], pages: Sequence[str] = ()) -> str:
    """Resolve a lesson by its number, its name or a unique part of it.

    Parameters
    ----------
    value : str or int
    names : sequence of str
        Of the lessons, such as ``01_one_twitch``.
    pages : sequence of str
        What else the user might have meant.

    Raises
    ------
    NeurosimError
        If there is no such lesson, or more than one.
    """
    query = lesson_query(value)
    key = re.sub(r"[\s-]+", "_", query.strip().lower().removesuffix(".ipynb"))
    key = key.zfill(2) if key.isascii() and key.isdigit() else key
    matches = [name for name in names if key in (name, name.split("_")[0])]
    matches = matches or [name for name in names if len(key) > 2 and key in name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise NeurosimError(f"'{clip_name(query)}' may be {' or '.join(matches)}.")
    valid = [name[:2] for name in names] if key.isdigit() else [*pages, *names]
    raise unknown_name("lesson or page" if pages else "lesson", query, valid)


def select_sources(names: Sequence[object], folder: Path | None = None) -> list[Path]:
    """Return the sources of lessons named by number or name; of all of them if none is.

    Raises
    ------
    NeurosimError
        For a lesson that does not exist.
    """
    sources = lesson_sources(folder)
    if not sources:
        raise NeurosimError(f"There are no lessons in {folder or source_folder()}.")
    chosen = [resolve_lesson(name, list(sources)) for name in names]
    return [path for name, path in sources.items() if not names or name in chosen]


def read_lesson(path: Path) -> Lesson:
    """Return the lesson of a source.

    Raises
    ------
    NeurosimError
        If it cannot be read, its front matter lacks something, or a tag is unknown.
    """
    require_packages("jupytext", "nbformat")
    import jupytext  # pyright: ignore[reportMissingTypeStubs] scipy has no types

    try:
        book = cast("Any", jupytext).read(path, fmt="md:myst")
    except Exception as error:
        why = " ".join(str(error).split())[:200]
        raise NeurosimError(f"The lesson {path.name} cannot be read: {why}.") from None
    about = book.metadata.get("neurosim", {})
    for key in (*TEXTS, *LISTS):
        kind = str if key in TEXTS else list
        if not about.get(key) or not isinstance(about[key], kind):
            raise NeurosimError(f"The front matter of the lesson {path.name} lacks '{key}'.")
    for cell in book.cells:
        for tag in cell.metadata.get("tags", ()):
            if tag not in TAGS:
                raise unknown_name("tag", tag, TAGS)
    fields: dict[str, Any] = {key: about[key] for key in TEXTS}
    fields |= {key: tuple(map(str, about[key])) for key in LISTS}
    return Lesson(path.stem, cells=tuple(book.cells), **fields)


def cell_tags(cell: Any) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", ()))
