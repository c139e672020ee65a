"""Build lessons: pupil's copy, teacher's copy, worksheet and key, all from one source.

A source is a MyST Markdown notebook, ``notebooks/NN_name.md``. The tags of its cells say in which
copies they appear (`TAGS`); its front matter names the audience. No answer is written by hand: the
teacher's copy and the key are run when they are built, so the model gives the numbers.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, short_repr, unknown_name
from neurosim.base.files import prepare_folder, write_files
from neurosim.classroom.lessons.source import (
    TEACHER_TAGS,
    Lesson,
    cell_tags,
    lesson_sources,
    read_lesson,
    select_sources,
    source_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MY_ANSWER = "*My answer (double-click to write):*"
PARTS = ("student", "teacher", "worksheets")
FOLDER = Path("neurosim-out") / "lessons"
LIMIT_S = 300.0  # for one lesson; with nothing compiled the model takes about 20 times as long
_NAME = re.compile(r"\d\d_[a-z0-9_]+")
_TEACHER_PREFIX = re.compile(
    r"\*+(For the )?teacher[.:]?\*+\s*", re.IGNORECASE
)  # at the start of a note
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def student_copy(lesson: Lesson) -> Any:
    """Return the pupil's copy: no answers, and a cell to write in after every question."""
    cells: list[_Cell] = []
    questions = 0
    for cell in lesson.cells:
        if not cell_tags(cell) & TEACHER_TAGS:
            cells.append(_strip_cell(cell))
        if "question" in cell_tags(cell):
            questions += 1
            cells.append(_Cell("markdown", MY_ANSWER, {}, f"my-answer-{questions}"))
    return _notebook(cells)


def teacher_copy(lesson: Lesson) -> Any:
    """Return the teacher's copy, not yet run: every cell, notes for the teacher marked."""
    return _notebook([_strip_cell(cell) for cell in lesson.cells])


class _Cell(NamedTuple):
    """A cell without outputs."""

    kind: str
    text: str
    about: dict[str, Any]
    mark: str


def _strip_cell(cell: Any) -> _Cell:
    """Return a cell of a source as it is copied; its id follows from its text alone."""
    text = str(cell.source)
    if "teacher" in cell_tags(cell):
        note = _TEACHER_PREFIX.sub("", text, count=1) if _TEACHER_PREFIX.match(text) else text
        text = "> **For the teacher**\n>\n" + re.sub(r"^", "> ", note, flags=re.MULTILINE)
    mark = sha256(f"{cell.cell_type}\n{text}".encode()).hexdigest()[:12]
    about: dict[str, Any] = {"tags": sorted(cell_tags(cell))} if cell_tags(cell) else {}
    if "lines" in cell.metadata:
        about["lines"] = int(cell.metadata["lines"])
    return _Cell(cell.cell_type, text, about, mark)


def _notebook(cells: Sequence[_Cell]) -> Any:
    """Return a notebook of cells, without outputs."""
    import nbformat

    entries: list[dict[str, Any]] = []
    copies: dict[str, int] = {}
    for cell in cells:
        n = copies[cell.mark] = copies.get(cell.mark, 0) + 1  # two cells may have the same text
        entry: dict[str, Any] = {
            "cell_type": cell.kind, "source": cell.text, "metadata": cell.about,
            "id": cell.mark if n == 1 else f"{cell.mark}-{n}",
        }  # fmt: skip
        empty: dict[str, Any] = (
            {"outputs": [], "execution_count": None} if cell.kind == "code" else {}
        )
        entries.append(entry | empty)
    book: dict[str, Any] = {
        "cells": entries,
        "metadata": _KERNEL,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return cast("Any", nbformat).from_dict(book)


def notebook_bytes(book: Any) -> bytes:
    """Return a notebook as a file; the same notebook gives the same bytes."""
    import nbformat

    return (str(cast("Any", nbformat).writes(book)).rstrip("\n") + "\n").encode("utf-8")


def student_notebooks() -> dict[str, bytes]:
    """Return the pupils' copy of every lesson by its name, such as ``01_one_twitch``."""
    lessons = (read_lesson(path) for path in select_sources([]))
    return {lesson.name: notebook_bytes(student_copy(lesson)) for lesson in lessons}


def lessons_page() -> tuple[Path, bytes]:
    """Return ``docs/lessons.md`` of a checkout, its table of lessons made from the sources.

    Raises
    ------
    NeurosimError
        If there is no checkout around the sources.
    """
    page = source_folder().parent / "docs" / "lessons.md"
    if not page.is_file():
        raise NeurosimError(f"There is no {page}: this needs a checkout of neurosim.")
    lessons = [read_lesson(path) for path in select_sources([])]
    head, _, rest = page.read_text("utf-8").partition("<!-- lessons: ")
    line, _, rest = rest.partition("\n")
    after = rest[rest.index("<!-- end -->") :]
    text = f"{head}<!-- lessons: {line}\n\n{_lesson_table(lessons)}\n\n{after}"
    return page, text.encode("utf-8")


def _lesson_table(lessons: Sequence[Lesson]) -> str:
    """Return lessons as a table in Markdown."""
    rows = [("lesson", "for", "minutes", "goal"), ("---",) * 4]
    rows += [
        (f"{lesson.number} {lesson.title}", lesson.level, lesson.minutes, lesson.goal)
        for lesson in lessons
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


@public
def lessons(
    *names: str | int,
    only: str | None = None,
    folder: str | Path | None = None,
    progress: Callable[[int, int], object] | None = None,
    stage: Callable[[str], object] | None = None,
) -> list[Path]:
    """Build lessons into a folder: pupils' and teacher's notebooks, worksheets and keys.

    The teacher's copies are run, so a minute or two a lesson; their numbers are in the keys.

    Parameters
    ----------
    *names : str or int
        Numbers or names, such as ``1`` or ``"01_one_twitch"``; all lessons if there are none.
    only : str, optional
        ``"student"``, ``"teacher"`` or ``"worksheets"`` (with their keys) for these alone.
    folder : str or Path, optional
        ``neurosim-out/lessons`` if omitted; made if need be.
    progress : callable, optional
        Called after every cell with the number done in the lesson and the total.
    stage : callable, optional
        Called with the title of a lesson before it is run.

    Returns
    -------
    list of Path
        The files written; the last is ``index.html``, which links to all.

    Raises
    ------
    NeurosimError
        For an unknown lesson or part, a folder that cannot be written to, or a lesson that fails.

    Examples
    --------
    >>> lessons(1, only="student", folder="class")  # doctest: +SKIP
    [PosixPath('class/student/01_one_twitch.ipynb'), PosixPath('class/index.html')]
    """
    if only not in (None, *PARTS):
        raise unknown_name("part for only", only, PARTS)
    for name, callback in (("progress", progress), ("stage", stage)):
        if callback is not None and not callable(callback):
            raise NeurosimError(f"{name} must be a function, not {short_repr(callback)}.")
    chosen = [read_lesson(path) for path in select_sources(names)]
    out = prepare_folder(FOLDER if folder is None else folder, parents=folder is None)
    files = build_lessons(chosen, only, progress=progress, stage=stage)
    return write_files(out, add_index(files, out))


def build_lessons(
    lessons: Sequence[Lesson],
    only: str | None = None,
    limit_s: float = LIMIT_S,
    progress: Callable[[int, int], object] | None = None,
    stage: Callable[[str], object] | None = None,
) -> dict[str, bytes]:
    """Return the files of some lessons by their path in the folder.

    Parameters
    ----------
    lessons : sequence of Lesson
    only : str, optional
        One of `PARTS`; worksheets come with their keys.
    limit_s : float
        Limit for one lesson, s.
    progress, stage : callable, optional
        See `lessons`.

    Raises
    ------
    NeurosimError
        If a lesson fails; the sentence names lesson and cell.
    """
    from neurosim.classroom.lessons.execute import execute_notebook
    from neurosim.classroom.lessons.worksheet import worksheet_html

    files: dict[str, bytes] = {}
    for lesson in lessons:
        if only in (None, "student"):
            files[f"student/{lesson.name}.ipynb"] = notebook_bytes(student_copy(lesson))
        if only == "student":
            continue
        if stage is not None:
            stage(f"lesson {lesson.number}, {lesson.title}")
        book = execute_notebook(teacher_copy(lesson), lesson.name, limit_s, progress)
        if only in (None, "teacher"):
            files[f"teacher/{lesson.name}.ipynb"] = notebook_bytes(book)
        if only in (None, "worksheets"):
            for place, key in (("worksheets", False), ("keys", True)):
                html = worksheet_html(lesson, book, key)
                files[f"{place}/{lesson.name}.html"] = html.encode("utf-8")
    return files


def add_index(files: Mapping[str, bytes], out: Path) -> dict[str, bytes]:
    """Return files with a page that lists all lessons and links to their files in `out`."""
    from neurosim.classroom.lessons.worksheet import index_html

    lessons = [read_lesson(path) for path in lesson_sources().values()]
    existing = {name for name in _output_paths(lessons) if name in files or (out / name).is_file()}
    return {**files, "index.html": index_html(lessons, existing).encode("utf-8")}


def _output_paths(lessons: Sequence[Lesson]) -> list[str]:
    """Return the path of every file of some lessons."""
    ends = {"student": "ipynb", "teacher": "ipynb", "worksheets": "html", "keys": "html"}
    return [f"{part}/{lesson.name}.{end}" for lesson in lessons for part, end in ends.items()]
