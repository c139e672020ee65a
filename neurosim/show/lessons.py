"""Lessons: one source each, from which come the pupil's and the teacher's copy and the worksheet.

A source is a MyST Markdown notebook, ``notebooks/NN_name.md``. Its cells carry tags that say whose
they are (`TAGS`); its front matter says for whom the lesson is. Nobody writes an answer down: the
teacher's copy and the key are run when they are built, so the model gives the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from neurosim.errors import NeurosimError, named, unknown_name

TAGS = {
    "question": "to be answered in writing; on the worksheet",
    "answer": "prints the answer; teacher's copy and key",
    "teacher": "notes for the teacher; teacher's copy and key",
    "figure": "its picture is on the worksheet",
    "knob": "what a pupil edits",
    "goal": "says whether the goal is reached",
    "check": "asserts what the lesson says; teacher's copy",
}
TEACHERS = {"answer", "teacher", "check"}  # cells that no pupil sees
TEXTS, LISTS = ("title", "level", "minutes", "goal"), ("aims", "knobs")
LINES = 3  # ruled lines under a question that does not say
MY_ANSWER = "*My answer (double-click to write):*"
PARTS = ("student", "teacher", "worksheets")
LIMIT_S = 300.0  # of a lesson; without Numba the model takes about 20 times as long
_NAME = re.compile(r"\d\d_[a-z0-9_]+")
_SAID = re.compile(r"\*+(For the )?teacher[.:]?\*+\s*", re.IGNORECASE)  # at the start of a note
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@dataclass(frozen=True)
class Lesson:
    """One lesson as its source has it.

    Attributes
    ----------
    name : str
        Of the file, such as ``01_one_twitch``.
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


def needs(*modules: str) -> None:
    """Say in a sentence what is missing for lessons.

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


# --- Sources ---------------------------------------------------------------------------


def folder() -> Path:
    """Return the folder of the sources: beside the package in a checkout, else inside it."""
    inside = Path(str(resources.files("neurosim"))) / "notebooks"
    return inside if inside.is_dir() else inside.parents[1] / "notebooks"


def sources(at: Path | None = None) -> dict[str, Path]:
    """Return the lessons' sources by name, in order."""
    found = sorted((at or folder()).glob("[0-9][0-9]_*.md"))
    return {path.stem: path for path in found}


def called(asked: str, names: Sequence[str], pages: Sequence[str] = ()) -> str:
    """Return the lesson that is meant by its number, its name or a part of it.

    Parameters
    ----------
    asked : str
    names : sequence of str
        Of the lessons, such as ``01_one_twitch``.
    pages : sequence of str
        What else the user might have meant.

    Raises
    ------
    NeurosimError
        If there is no such lesson, or more than one.
    """
    key = re.sub(r"[\s-]+", "_", asked.strip().lower().removesuffix(".ipynb"))
    key = key.zfill(2) if key.isascii() and key.isdigit() else key
    found = [name for name in names if key in (name, name.split("_")[0])]
    found = found or [name for name in names if len(key) > 2 and key in name]
    if len(found) == 1:
        return found[0]
    if found:
        raise NeurosimError(f"'{named(asked)}' may be {' or '.join(found)}.")
    valid = [name[:2] for name in names] if key.isdigit() else [*pages, *names]
    raise unknown_name("lesson or page" if pages else "lesson", asked, valid)


def chosen(names: Sequence[str], at: Path | None = None) -> list[Path]:
    """Return the sources asked for by number or name; all of them if none is.

    Raises
    ------
    NeurosimError
        For a lesson that is not there.
    """
    all_of = sources(at)
    if not all_of:
        raise NeurosimError(f"There are no lessons in {at or folder()}.")
    picked = [called(asked, list(all_of)) for asked in names]
    return [all_of[name] for name in all_of if not names or name in picked]


def read(path: Path) -> Lesson:
    """Return the lesson of a source.

    Raises
    ------
    NeurosimError
        If it cannot be read, its front matter lacks something, or a tag is unknown.
    """
    needs("jupytext", "nbformat")
    import jupytext

    try:
        book = jupytext.read(path, fmt="md:myst")
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
    said: dict[str, Any] = {key: about[key] for key in TEXTS}
    said |= {key: tuple(map(str, about[key])) for key in LISTS}
    return Lesson(path.stem, cells=tuple(book.cells), **said)


def tags(cell: Any) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", ()))


# --- Copies ----------------------------------------------------------------------------


def student(lesson: Lesson) -> Any:
    """Return the pupil's copy: no answers, and a cell to write in after every question."""
    cells, asked = [], 0
    for cell in lesson.cells:
        if not tags(cell) & TEACHERS:
            cells.append(_plain(cell))
        if "question" in tags(cell):
            asked += 1
            cells.append(_Cell("markdown", MY_ANSWER, {}, f"my-answer-{asked}"))
    return _notebook(cells)


def teacher(lesson: Lesson) -> Any:
    """Return the teacher's copy, not yet run: every cell, notes for the teacher marked."""
    return _notebook([_plain(cell) for cell in lesson.cells])


class _Cell(NamedTuple):
    """A cell without outputs."""

    kind: str
    text: str
    about: dict[str, Any]
    mark: str


def _plain(cell: Any) -> _Cell:
    """Return a cell of a source as copies have it; its id follows from its text alone."""
    text = str(cell.source)
    if "teacher" in tags(cell):
        said = _SAID.sub("", text, count=1) if _SAID.match(text) else text
        text = "> **For the teacher**\n>\n" + re.sub(r"^", "> ", said, flags=re.MULTILINE)
    mark = sha256(f"{cell.cell_type}\n{text}".encode()).hexdigest()[:12]
    about: dict[str, Any] = {"tags": sorted(tags(cell))} if tags(cell) else {}
    if "lines" in cell.metadata:
        about["lines"] = int(cell.metadata["lines"])
    return _Cell(cell.cell_type, text, about, mark)


def _notebook(cells: Sequence[_Cell]) -> Any:
    """Return a notebook of cells, without outputs."""
    import nbformat

    made, used = [], {}
    for cell in cells:
        n = used[cell.mark] = used.get(cell.mark, 0) + 1  # two cells may say the same
        found = {
            "cell_type": cell.kind, "source": cell.text, "metadata": cell.about,
            "id": cell.mark if n == 1 else f"{cell.mark}-{n}",
        }  # fmt: skip
        empty = {"outputs": [], "execution_count": None} if cell.kind == "code" else {}
        made.append(found | empty)
    book = {"cells": made, "metadata": _KERNEL, "nbformat": 4, "nbformat_minor": 5}
    return nbformat.from_dict(book)


def notebook_bytes(book: Any) -> bytes:
    """Return a notebook as a file; the same notebook gives the same bytes."""
    import nbformat

    return (nbformat.writes(book).rstrip("\n") + "\n").encode("utf-8")


# --- What a checkout keeps -------------------------------------------------------------


def committed() -> dict[str, bytes]:
    """Return the pupils' copies and ``docs/lessons.md`` of a checkout, made from the sources.

    Raises
    ------
    NeurosimError
        If there is no checkout around the sources.
    """
    page = folder().parent / "docs" / "lessons.md"
    if not page.is_file():
        raise NeurosimError(f"There is no {page}: this needs a checkout of neurosim.")
    found = [read(path) for path in chosen([])]
    copies = {f"notebooks/{one.name}.ipynb": notebook_bytes(student(one)) for one in found}
    head, _, rest = page.read_text("utf-8").partition("<!-- lessons: ")
    line, _, rest = rest.partition("\n")
    after = rest[rest.index("<!-- end -->") :]
    text = f"{head}<!-- lessons: {line}\n\n{_table(found)}\n\n{after}"
    return {**copies, "docs/lessons.md": text.encode("utf-8")}


def _table(found: Sequence[Lesson]) -> str:
    """Return lessons as a table in Markdown."""
    rows = [("lesson", "for", "minutes", "goal"), ("---",) * 4]
    rows += [(f"{one.number} {one.title}", one.level, one.minutes, one.goal) for one in found]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


# --- Everything of some lessons --------------------------------------------------------


def build(
    lessons: Sequence[Lesson],
    only: str | None = None,
    limit_s: float = LIMIT_S,
    told: Callable[[Lesson, int, int], None] | None = None,
) -> dict[str, bytes]:
    """Return the files of some lessons by their place in the folder.

    Parameters
    ----------
    lessons : sequence of Lesson
    only : str, optional
        One of `PARTS`; worksheets come with their keys.
    limit_s : float
        How long one lesson may run.
    told : callable, optional
        Called with lesson, cells run so far, and how many there are.

    Raises
    ------
    NeurosimError
        If a lesson fails; the sentence names lesson and cell.
    """
    from neurosim.show.lesson_run import run
    from neurosim.show.worksheet import worksheet_html

    files: dict[str, bytes] = {}
    for lesson in lessons:
        if only in (None, "student"):
            files[f"student/{lesson.name}.ipynb"] = notebook_bytes(student(lesson))
        if only == "student":
            continue
        tell = None if told is None else (lambda done, of, one=lesson: told(one, done, of))
        done = run(teacher(lesson), lesson.name, limit_s, tell)
        if only in (None, "teacher"):
            files[f"teacher/{lesson.name}.ipynb"] = notebook_bytes(done)
        if only in (None, "worksheets"):
            for place, key in (("worksheets", False), ("keys", True)):
                html = worksheet_html(lesson, done, key)
                files[f"{place}/{lesson.name}.html"] = html.encode("utf-8")
    return files


def with_index(files: Mapping[str, bytes], out: Path) -> dict[str, bytes]:
    """Return files with a page that lists all lessons, linking to what is or will be in `out`."""
    from neurosim.show.worksheet import index_html

    lessons = [read(path) for path in sources().values()]
    there = {name for name in _places(lessons) if name in files or (out / name).is_file()}
    return {**files, "index.html": index_html(lessons, there).encode("utf-8")}


def _places(lessons: Sequence[Lesson]) -> list[str]:
    """Return where every file of some lessons belongs."""
    ends = {"student": "ipynb", "teacher": "ipynb", "worksheets": "html", "keys": "html"}
    return [f"{part}/{one.name}.{end}" for one in lessons for part, end in ends.items()]
