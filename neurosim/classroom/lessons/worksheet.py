"""A lesson on paper: the worksheet with lines to write on, its key, and the list of all lessons.

Both come from the teacher's copy after its run, so that they show the lesson's pictures and the key
prints what the model computed. Pages load nothing from a network and print on A4 and Letter.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from importlib import resources
from typing import TYPE_CHECKING, Any

from neurosim.classroom.lessons.source import ANSWER_LINES, Lesson, cell_tags
from neurosim.view.style import ADVICE
from neurosim.view.templates import mark_html, render

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from markupsafe import Markup

# Kinds of pictures among a cell's outputs, the best for paper first.
_PICTURES = ("image/svg+xml", "image/png")
_NO_WORDS = "Picture of the lesson"


@dataclass
class _Item:
    """A question or a picture of a worksheet, with the answers that the key adds."""

    html: Markup
    lines: int = 0
    number: int = 0
    key: list[Markup] = field(default_factory=list["Markup"])


@dataclass
class _Part:
    """The items under one heading of the lesson."""

    heading: Markup
    items: list[_Item] = field(default_factory=list[_Item])


def worksheet_html(lesson: Lesson, done: Any, key: bool = False) -> str:
    """Return a lesson's worksheet, or its key, as a page to print.

    Parameters
    ----------
    lesson : Lesson
    done : notebook
        The teacher's copy after its run.
    key : bool
        Whether answers and notes for the teacher are filled in.
    """
    name = f"{lesson.number}. {lesson.title}"
    about = {
        "For": lesson.level,
        "Time": f"{lesson.minutes} minutes",
        "You change": "; ".join(lesson.knobs),
        "Goal": lesson.goal,
    }
    return _render_page(
        "worksheet",
        f"{'Key' if key else 'Worksheet'}: {name}",
        key=key,
        name=_inline_html(name),
        about=[(term, _inline_html(text)) for term, text in about.items()],
        aims=[_inline_html(aim) for aim in lesson.aims],
        parts=_worksheet_parts(done),
    )


def _worksheet_parts(done: Any) -> list[_Part]:
    """Return a run lesson's questions and pictures under its headings."""
    parts, number = [_Part(mark_html("Questions"))], 0
    for cell in done.cells:
        tags = cell_tags(cell)
        if "question" in tags:
            number += 1
            lines = int(cell.metadata.get("lines", ANSWER_LINES))
            parts[-1].items.append(_Item(_markdown_html(cell.source), lines, number))
        elif "teacher" in tags:
            note = mark_html('<aside class="teacher">{}</aside>').format(
                _markdown_html(cell.source)
            )
            _add_to_key(parts, note)
        elif "answer" in tags:
            questions = [item for part in parts for item in part.items if item.number]
            questions[-1].key.append(_answer_html(cell)) if questions else _add_to_key(
                parts, _answer_html(cell)
            )
        elif "figure" in tags:
            parts[-1].items += [_Item(html) for html in _figures_html(cell)]
        elif cell.cell_type == "markdown" and not tags:
            parts += [_Part(heading) for heading in _headings(cell.source)]
    return parts


def _add_to_key(parts: list[_Part], html: Markup) -> None:
    """Add a text that only the key shows to the last item."""
    if not parts[-1].items:
        parts[-1].items.append(_Item(mark_html("")))
    parts[-1].items[-1].key.append(html)


# --- Cells as HTML ---------------------------------------------------------------------


@cache
def _markdown() -> Any:
    """Return the reader of Markdown: CommonMark with tables, and no HTML of its own."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _markdown_html(text: str) -> Markup:
    """Return Markdown as HTML; headings in it come below a question's own."""
    tokens = _markdown().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 3, 6)}"
    return mark_html(_markdown().renderer.render(tokens, _markdown().options, {}))


def _inline_html(text: str) -> Markup:
    """Return one line of Markdown as HTML."""
    return mark_html(_markdown().renderInline(text))


def _headings(text: str) -> list[Markup]:
    """Return the headings of the second level in Markdown, as HTML."""
    tokens = _markdown().parse(text)
    return [
        _inline_html(after.content)
        for token, after in itertools.pairwise(tokens)
        if token.type == "heading_open" and token.tag == "h2"
    ]


def _answer_html(cell: Any) -> Markup:
    """Return the printed text and the pictures of an answer cell."""
    text = "".join(out.text for out in cell.outputs if out.get("name") == "stdout").strip()
    paragraph = mark_html("<p>{}</p>").format(text) if text else ""
    inside = mark_html("").join([paragraph, *_figures_html(cell)])
    return mark_html('<div class="answer">{}</div>').format(inside)


def _figures_html(cell: Any) -> list[Markup]:
    """Return the pictures that a cell drew, with their alt texts."""
    return [html for out in cell.outputs if (html := _figure_html(out))]


def _figure_html(output: Any) -> Markup:
    """Return one output as a figure, or an empty text if it is no picture."""
    data = output.get("data", {})
    kind = next((kind for kind in _PICTURES if kind in data), None)
    if kind is None:
        return mark_html("")
    alt_text = _alt_text(output, kind)
    if kind == "image/svg+xml":
        svg = mark_html(data[kind][data[kind].find("<svg") :])
        inside = mark_html('<div role="img" aria-label="{}">{}</div>').format(alt_text, svg)
    else:
        code = "".join(data[kind].split())
        inside = mark_html('<img alt="{}" src="data:image/png;base64,{}">').format(alt_text, code)
    return mark_html("<figure>{}</figure>").format(inside)


def _alt_text(output: Any, kind: str) -> str:
    """Return the alt text of a picture: from its metadata, or from the HTML that shows it."""
    metadata = output.get("metadata", {}).get(kind, {})
    reader = _AltFinder()
    reader.feed(output["data"].get("text/html", ""))
    plain = output["data"].get("text/plain", "")
    text = "" if plain.startswith("<") else plain
    return metadata.get("alt") or reader.alt or text or _NO_WORDS


class _AltFinder(HTMLParser):
    """Finds the text of the first picture in HTML."""

    alt = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.alt = self.alt or attributes.get("alt") or attributes.get("aria-label") or ""


# --- The list of lessons ---------------------------------------------------------------


def index_html(lessons: Sequence[Lesson], existing: Collection[str]) -> str:
    """Return the page that lists lessons.

    Parameters
    ----------
    lessons : sequence of Lesson
    existing : collection of str
        Files that can be linked to, such as ``student/01_one_twitch.ipynb``.
    """
    return _render_page("index", "Lessons", lessons=[_index_row(one, existing) for one in lessons])


_FILES = {
    "student": ("ipynb", "pupil's notebook"), "worksheets": ("html", "worksheet"),
    "teacher": ("ipynb", "teacher's notebook"), "keys": ("html", "key"),
}  # fmt: skip


def _index_row(lesson: Lesson, existing: Collection[str]) -> dict[str, Any]:
    places = {f"{part}/{lesson.name}.{end}": label for part, (end, label) in _FILES.items()}
    return {
        "number": lesson.number,
        "title": _inline_html(lesson.title),
        "level": _inline_html(lesson.level),
        "minutes": lesson.minutes,
        "aims": [_inline_html(aim) for aim in lesson.aims],
        "goal": _inline_html(lesson.goal),
        "files": [(p, f"{label} {lesson.number}") for p, label in places.items() if p in existing],
    }


def _render_page(template: str, title: str, **facts: Any) -> str:
    """Return a whole page of a template of this room."""
    css = resources.files("neurosim").joinpath("classroom/lessons/worksheet.css").read_text("utf-8")
    css = css.replace("ADVICE", ADVICE).replace("TITLE", re.sub(r'["\\<]', "'", title))
    kind = "list" if template == "index" else "sheet"
    page = f"classroom/lessons/templates/{template}.html"
    return render(page, title=title, css=mark_html(css), kind=kind, advice=ADVICE, **facts)
