"""A lesson on paper: the worksheet with lines to write on, its key, and the list of all lessons.

Both come from the teacher's copy after its run, so that they show the lesson's pictures and the key
prints what the model computed. Pages load nothing from a network and print on A4 and Letter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from html.parser import HTMLParser
from importlib import resources
from typing import Any

from neurosim.classroom.lessons.source import ANSWER_LINES, Lesson, cell_tags
from neurosim.view.html_parts import html_list
from neurosim.view.style import ADVICE

# Kinds of pictures among a cell's outputs, the best for paper first.
_PICTURES = ("image/svg+xml", "image/png")
_NO_WORDS = "Picture of the lesson"


@dataclass
class _Item:
    """A question or a picture of a worksheet, with the answers that the key adds."""

    html: str
    lines: int = 0
    number: int = 0
    key: list[str] = field(default_factory=list)


@dataclass
class _Part:
    """The items under one heading of the lesson."""

    heading: str
    items: list[_Item] = field(default_factory=list)


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
    parts = "\n".join(
        f"<section>\n<h2>{part.heading}</h2>\n{_items_html(part.items, key)}\n</section>"
        for part in _worksheet_parts(done)
        if part.items
    )
    about = f"{_header_rows(lesson)}<p>You will:</p>{html_list(map(_inline_html, lesson.aims))}"
    name = f"{lesson.number}. {lesson.title}"
    what = "Key" if key else "Worksheet"
    return _page_html(
        f"{what}: {name}",
        f"<header>\n{_KEY if key else _WHO}\n<h1>{_inline_html(name)}</h1>\n{about}\n</header>\n"
        f"<main>\n{parts}\n</main>",
    )


# Fields at the head of a page for the pupil to fill in; the key has none.
_WHO = (
    '<p class="who"><label>Name <input></label> <label>Class <input></label> '
    "<label>Date <input></label></p>"
)
_KEY = (
    '<p class="note"><strong>Key, for the teacher.</strong> The model computed every answer when '
    "this page was built; a pupil who changed other values will have other numbers.</p>"
)


def _header_rows(lesson: Lesson) -> str:
    """Return level, time, knobs and goal as an HTML list of terms."""
    rows = {
        "For": lesson.level, "Time": f"{lesson.minutes} minutes",
        "You change": "; ".join(lesson.knobs), "Goal": lesson.goal,
    }  # fmt: skip
    items = "".join(
        f"<div><dt>{name}</dt><dd>{_inline_html(t)}</dd></div>" for name, t in rows.items()
    )
    return f"<dl>{items}</dl>"


def _worksheet_parts(done: Any) -> list[_Part]:
    """Return a run lesson's questions and pictures under its headings."""
    parts, number = [_Part("Questions")], 0
    for cell in done.cells:
        tags = cell_tags(cell)
        if "question" in tags:
            number += 1
            lines = int(cell.metadata.get("lines", ANSWER_LINES))
            parts[-1].items.append(_Item(_markdown_html(cell.source), lines, number))
        elif "teacher" in tags:
            _add_to_key(parts, f'<aside class="teacher">{_markdown_html(cell.source)}</aside>')
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


def _add_to_key(parts: list[_Part], html: str) -> None:
    """Add a text that only the key shows to the last item."""
    if not parts[-1].items:
        parts[-1].items.append(_Item(""))
    parts[-1].items[-1].key.append(html)


def _items_html(items: Sequence[_Item], key: bool) -> str:
    return "\n".join(filter(None, (_item_html(item, key) for item in items)))


def _item_html(item: _Item, key: bool) -> str:
    """Return one question with its lines or its answer, or one picture."""
    filled = "".join(item.key) if key else ""
    if not item.number:
        return item.html + filled
    filled = filled or (_OPEN if key else "")
    label = f"q{item.number}"
    if not key and item.lines:
        ruled = '<div aria-hidden="true">' + "<i></i>" * item.lines + "</div>"
        filled = (
            f'<div class="write">{ruled}<textarea rows="{item.lines}" spellcheck="false" '
            f'aria-label="Answer to question {item.number}"></textarea></div>'
        )
    return (
        f'<div class="question" role="group" aria-labelledby="{label}">'
        f'<h3 id="{label}">Question {item.number}</h3>\n{item.html}{filled}</div>'
    )


_OPEN = "<p><em>No single answer, or it comes with a later question.</em></p>"


# --- Cells as HTML ---------------------------------------------------------------------


@cache
def _markdown() -> Any:
    """Return the reader of Markdown: CommonMark with tables, and no HTML of its own."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _markdown_html(text: str) -> str:
    """Return Markdown as HTML; headings in it come below a question's own."""
    tokens = _markdown().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 3, 6)}"
    return _markdown().renderer.render(tokens, _markdown().options, {})


def _inline_html(text: str) -> str:
    """Return one line of Markdown as HTML."""
    return _markdown().renderInline(text)


def _headings(text: str) -> list[str]:
    """Return the headings of the second level in Markdown, as HTML."""
    tokens = _markdown().parse(text)
    return [
        _inline_html(after.content)
        for token, after in zip(tokens, tokens[1:], strict=False)
        if token.type == "heading_open" and token.tag == "h2"
    ]


def _answer_html(cell: Any) -> str:
    """Return the printed text and the pictures of an answer cell."""
    text = "".join(out.text for out in cell.outputs if out.get("name") == "stdout").strip()
    paragraph = f"<p>{escape(text)}</p>" if text else ""
    return f'<div class="answer">{paragraph}{"".join(_figures_html(cell))}</div>'


def _figures_html(cell: Any) -> list[str]:
    """Return the pictures that a cell drew, with their alt texts."""
    return [html for out in cell.outputs if (html := _figure_html(out))]


def _figure_html(output: Any) -> str:
    """Return one output as a figure, or an empty text if it is no picture."""
    data = output.get("data", {})
    kind = next((kind for kind in _PICTURES if kind in data), None)
    if kind is None:
        return ""
    alt_text = _alt_text(output, kind)
    if kind == "image/svg+xml":
        svg = data[kind][data[kind].find("<svg") :]
        inside = f'<div role="img" aria-label="{escape(alt_text, quote=True)}">{svg}</div>'
    else:
        code = "".join(data[kind].split())
        inside = f'<img alt="{escape(alt_text, quote=True)}" src="data:image/png;base64,{code}">'
    return f"<figure>{inside}</figure>"


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
    there : collection of str
        Files that can be linked to, such as ``student/01_one_twitch.ipynb``.
    """
    heads = ("Lesson", "For", "Minutes", "Aims", "Goal", "Files")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    rows = "\n".join(_index_row(lesson, existing) for lesson in lessons)
    return _page_html(
        "Lessons",
        "<header><h1>Lessons</h1>\n<p>From a blood value to a muscle twitch, in "
        f"{len(lessons)} lessons. Pupils get the folders <em>student</em> and "
        "<em>worksheets</em>; <em>teacher</em> and <em>keys</em> hold the answers, computed by "
        f'the model.</p></header>\n<main><div class="wide" role="region" tabindex="0" '
        f'aria-label="Lessons"><table><caption>All lessons</caption><thead><tr>{head}</tr></thead>'
        f"\n<tbody>{rows}</tbody></table></div></main>",
        "list",
    )


_FILES = {
    "student": ("ipynb", "pupil's notebook"), "worksheets": ("html", "worksheet"),
    "teacher": ("ipynb", "teacher's notebook"), "keys": ("html", "key"),
}  # fmt: skip


def _index_row(lesson: Lesson, existing: Collection[str]) -> str:
    links = []
    for part, (end, label) in _FILES.items():
        place = f"{part}/{lesson.name}.{end}"
        if place in existing:
            links.append(f'<a href="{place}">{label} {lesson.number}</a>')
    cells = [_inline_html(lesson.level), escape(lesson.minutes)]
    cells += [html_list(map(_inline_html, lesson.aims)), _inline_html(lesson.goal)]
    cells.append(html_list(links))
    columns = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{lesson.number}. {_inline_html(lesson.title)}</th>{columns}</tr>'


def _page_html(title: str, body: str, kind: str = "sheet") -> str:
    """Return a whole page with its own style and the line of advice."""
    css = resources.files("neurosim").joinpath("classroom/lessons/worksheet.css").read_text("utf-8")
    css = css.replace("ADVICE", ADVICE).replace("TITLE", re.sub(r'["\\<]', "'", title))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{css}</style>\n</head>\n"
        f'<body class="{kind}">\n{body}\n<footer>{ADVICE} Everything here is simulated.</footer>\n'
        "</body>\n</html>\n"
    )
