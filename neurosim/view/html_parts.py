"""Pieces of the report's HTML: tables, pictures, lists; every text escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from neurosim.base.registry import has_view
from neurosim.model.body.state import Body
from neurosim.view.style import html_image, png_bytes


def html_list(items: Iterable[str], tag: str = "ul") -> str:
    """Return a list of texts that are HTML already; an empty text for none."""
    rows = "".join(f"<li>{item}</li>" for item in items)
    return f"<{tag}>{rows}</{tag}>" if rows else ""


def html_facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of names and texts; a name without a text is left out."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs if text
    )
    return f'<dl class="facts">{rows}</dl>' if rows else ""


def html_table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    kind: str = "",
    classes: Sequence[Sequence[str]] | None = None,
) -> str:
    """Return a table that scrolls sideways where it is too wide.

    Parameters
    ----------
    caption : str
    heads : sequence of str
    rows : iterable of sequence of str
        The first cell is the heading of its row.
    kind : str
        Class of the table.
    classes : sequence of sequence of str, optional
        Class of every cell after the first.
    """
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    body: list[str] = []
    for i, (first, *cells) in enumerate(rows):
        names = classes[i] if classes else [""] * len(cells)
        columns = "".join(
            f"<td{f' class={chr(34)}{name}{chr(34)}' if name else ''}>{escape(cell)}</td>"
            for cell, name in zip(cells, names, strict=True)
        )
        body.append(f'<tr><th scope="row">{escape(first)}</th>{columns}</tr>')
    name = f' class="{kind}"' if kind else ""
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption, quote=True)}">'
        f"<table{name}><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def html_picture(figure: Any) -> str:
    """Return a `Picture` as an inline image with its alt text."""
    return (
        '<div class="wide" role="region" tabindex="0" aria-label="picture, may scroll sideways">'
        f"{html_image(png_bytes(figure), figure.alt_text)}</div>"
    )


def ratio_words(value: float) -> str:
    """Return a ratio with at most two digits.

    Examples
    --------
    >>> ratio_words(0.0002), ratio_words(0.123), ratio_words(234.5)
    ('nearly 0', '0.12', '230')
    """
    if value < 1e-3:
        return "nearly 0"
    if value < 100:
        return f"{value:.2g}"
    return "more than 10 000" if value >= 1e4 else f"{float(f'{value:.2g}'):.0f}"


def interval_words(low: float, high: float) -> str:
    """Return an interval of ratios, empty if there is none."""
    if math.isnan(low):
        return ""
    ends = ratio_words(low), ratio_words(high)
    return f"{ends[0]} times" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]} times"


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
