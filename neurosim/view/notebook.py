"""What a notebook shows of a body and of a result, as HTML; every text escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from neurosim.base.registry import has_view
from neurosim.view.style import html_image, png_bytes

if TYPE_CHECKING:
    from neurosim.model.body.state import Body


def body_html(body: Body) -> str:
    """Return a body as the table that a notebook shows."""
    heads = ("Body", "value", "unit", "reference", "in the range", "")
    parts = ["<table><tr>", *(f"<th>{head}</th>" for head in heads), "</tr>"]
    for row in body.rows():
        tag = "strong" if row[-1] else "span"
        cells = (f"<td><{tag}>{escape(text)}</{tag}></td>" for text in row)
        parts += ["<tr>", *cells, "</tr>"]
    return "".join([*parts, "</table>", escape(body.routes())])


def result_html(result: Any) -> str:
    """Return what a notebook shows of a result: its text and, if it has one, its picture."""
    text = f"<pre>{escape(str(result))}</pre>"
    if not has_view(type(result).__name__, "plot"):
        return text
    figure = result.plot()
    return text + html_image(png_bytes(figure), figure.alt_text)
