"""The article's two pictures: every verdict in a line, and every remedy on every cause."""

from __future__ import annotations

import math
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.article import phrases
from neurosim.article.claims import GROUPS
from neurosim.model.body.remedies import remedy
from neurosim.view.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PAGE_INCHES,
    PALE,
    PURPLE,
    SKY,
    VERMILION,
    add_titles,
    axes_or_new,
    house_style,
    new_figure,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.article.matrix import RemedyMatrix
    from neurosim.article.verdict import Verdict

OUTCOME_MARKS = {
    "supported": (GREEN, "o"),
    "opposed": (VERMILION, "X"),
    "no difference at this size": (BLACK, "s"),
    "only in combination": (PURPLE, "^"),
    "not told by this model": (BLUE, "D"),
    "outside this model": (GREY, ""),
}
RATIO_LIMITS = (1e-4, 1e4)
NO_RATE = {
    "test": "a stated test, no rate",
    "alarm": "counted in diaries, no rate",
    "outside": "not asked",
}
# Of a cell's word: its colour, and that of its text.
CELLS = {
    "nearly none": (BLUE, "white"),
    "far fewer": (SKY, "black"),
    "fewer": ("#C6E4F7", "black"),
    "same": ("white", "black"),
    "unclear": ("#EFEFEF", "black"),
    "more": ("#F8D899", "black"),
    "far more": (ORANGE, "black"),
    "nothing to change": ("white", GREY),
}
ARROWS = {
    "nearly none": "▼▼▼", "far fewer": "▼▼", "fewer": "▼", "same": "=", "unclear": "?",
    "more": "▲", "far more": "▲▲", "nothing to change": "–",
}  # fmt: skip


# --- Verdicts --------------------------------------------------------------------------


@house_style
def picture_verdicts(verdicts: Any) -> Any:
    """Draw every claim with its outcome and, where it is on a rate, its ratio and interval.

    A page to scroll: as wide as a screen, as long as the list.

    Parameters
    ----------
    verdicts : Article or sequence of Verdict

    Returns
    -------
    Picture
        Its ``alt_text`` is that of `neurosim.article.phrases.describe_verdicts`.
    """
    rows = list(getattr(verdicts, "verdicts", verdicts))
    fig = new_figure(PAGE_INCHES[0], 2.4 + 0.31 * len(_picture_lines(rows)))
    plot_verdicts(verdicts, fig.add_subplot())
    people = max((v.people for v in rows), default=0)
    add_titles(
        fig, "What the article claims, and what the model finds", f"{people} simulated people."
    )
    fig.alt_text = phrases.describe_verdicts(verdicts)
    return fig


@house_style
def plot_verdicts(verdicts: Any, ax: Any = None) -> Any:
    """Draw every claim in a row of its own, by group.

    Parameters
    ----------
    verdicts : Article or sequence of Verdict
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    lines = _picture_lines(list(getattr(verdicts, "verdicts", verdicts)))
    ax = axes_or_new(ax, PAGE_INCHES[0], 2.4 + 0.31 * len(lines))
    _set_ratio_axis(ax)
    for y, line in enumerate(reversed(lines)):
        if isinstance(line, str):
            ax.axhspan(y - 0.42, y + 0.42, color="white", zorder=1, lw=0)
        else:
            _draw_verdict(ax, y, line)
    names = [n if isinstance(n, str) else f"{n.claim}  {n.number:>2}" for n in reversed(lines)]
    ax.set_yticks(range(len(lines)), names)
    for label, line in zip(ax.get_yticklabels(), reversed(lines), strict=True):
        label.set_fontweight("bold" if isinstance(line, str) else "normal")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.7, len(lines) - 0.3)
    ax.set_xlabel(
        "twitches against the same people: causes against health, remedies against none "
        "(mean of all causes)\n"
        "thick: 95 % interval over people; thin: as assumed and fitted numbers move in their ranges"
    )
    return ax


def _picture_lines(rows: Sequence[Verdict]) -> list[str | Verdict]:
    """Return the lines of the picture: the title of each group, and its claims."""
    lines: list[str | Verdict] = []
    for group, title in GROUPS.items():
        verdicts = [v for v in rows if v.group == group]
        lines += [title, *verdicts] if verdicts else []
    return lines


def _set_ratio_axis(ax: Any) -> None:
    low, high = RATIO_LIMITS
    for k in range(-4, 4, 2):
        ax.axvspan(10.0**k, 10.0 ** (k + 1), color=PALE, zorder=0, lw=0)
    ax.axvline(1.0, color=BLACK, lw=1.5, zorder=1)
    ax.set_xscale("log")
    ax.set_xlim(low / 2, high * 2)
    ticks = [1e-3, 1e-2, 1e-1, 1, 10, 100, 1000]
    names = ["1/1000", "1/100", "1/10", "as many", "10 ×", "100 ×", "1000 ×"]
    ax.set_xticks(ticks, names)
    ax.set_xticks([], minor=True)
    ax.tick_params(axis="x", top=True, labeltop=True)


def _draw_verdict(ax: Any, y: int, verdict: Verdict) -> None:
    """Draw one claim: interval, mark (an arrow where it leaves the axis), outcome."""
    low, high = RATIO_LIMITS
    colour, marker = OUTCOME_MARKS[verdict.outcome]
    ax.text(
        1.01,
        y,
        phrases.outcome_words(verdict.outcome),
        va="center",
        color=colour,
        transform=ax.get_yaxis_transform(),
        fontweight="bold" if marker else "normal",
    )
    value = verdict.rate_ratio
    if math.isnan(value):
        ax.text(1.3, y, NO_RATE.get(verdict.kind, ""), va="center", color=GREY, style="italic")
        return
    if not math.isnan(verdict.span_low) and verdict.kind != "remedy":  # it moved on one cause only
        reach = np.clip([verdict.span_low, verdict.span_high], low, high)
        ax.plot(reach, [y, y], color=colour, lw=1.0, zorder=2)
    ends = np.clip([verdict.ci_low, verdict.ci_high], low, high)
    ax.plot(ends, [y, y], color=colour, lw=2.5, solid_capstyle="butt", zorder=2)
    if value < low or value > high:
        edge, shape = (low, "<") if value < low else (high, ">")
        ax.plot(edge, y, shape, ms=11, color=colour, zorder=3)
    else:
        ax.plot(value, y, marker or "o", ms=9, color=colour, zorder=3)


# --- Remedies --------------------------------------------------------------------------


@house_style
def picture_remedies(matrix: RemedyMatrix) -> Any:
    """Draw what every remedy does against every cause: a word, arrows and whom it helps.

    A page to scroll: as wide as a screen, as long as the list.

    Parameters
    ----------
    matrix : RemedyMatrix

    Returns
    -------
    Picture
        Its ``alt_text`` is that of `neurosim.article.phrases.describe_remedies`.
    """
    fig = new_figure(*_remedies_size(matrix))
    plot_remedies(matrix, fig.add_subplot())
    add_titles(
        fig,
        "What each remedy does against twitches of each cause",
        "Twitches with the remedy against the same people without. ▼ fewer, ▼▼ less than a "
        "tenth, ▼▼▼ less than a hundredth, ▲ more,\n▲▲ more than ten times; = within 1.25 times; "
        "? people differ too much; – the remedy has nothing to change. In per cent: people "
        f"whom it helps.\n{matrix.log_ratio.shape[2]} simulated people. Sizes of remedies are "
        "assumed.",
    )
    fig.alt_text = phrases.describe_remedies(matrix)
    return fig


def _remedies_size(matrix: RemedyMatrix) -> tuple[float, float]:
    """Return width and height, inches, that leave each cell room for its words."""
    return 3.0 + 1.45 * len(matrix.remedies), 2.6 + 0.58 * len(matrix.causes)


@house_style
def plot_remedies(matrix: RemedyMatrix, ax: Any = None) -> Any:
    """Draw the cells of the matrix: a row for each cause, a column for each remedy.

    Parameters
    ----------
    matrix : RemedyMatrix
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax = axes_or_new(ax, *_remedies_size(matrix))
    rows, columns = len(matrix.causes), len(matrix.remedies)
    for i in range(rows):
        for j in range(columns):
            _draw_cell(ax, i, j, matrix)
    ax.set_xlim(-0.01, columns + 0.01)
    ax.set_ylim(rows + 0.01, -0.01)
    heads = [fill(remedy(name).label, 16) for name in matrix.remedies]
    ax.set_xticks(np.arange(columns) + 0.5, heads)
    ax.set_yticks(np.arange(rows) + 0.5, [phrases.cause_words(c) for c in matrix.causes])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_ylabel("twitching because of")
    return ax


def _draw_cell(ax: Any, i: int, j: int, matrix: RemedyMatrix) -> None:
    """Draw one cell of the matrix."""
    word, _ = phrases.remedy_cell(matrix, i, j)
    colour, ink = CELLS[word]
    ax.fill([j, j + 1, j + 1, j], [i, i, i + 1, i + 1], color=colour, ec=GREY, lw=0.6)
    if word == "nothing to change":
        ax.text(j + 0.5, i + 0.5, ARROWS[word], ha="center", va="center", color=ink)
        return
    text = f"{ARROWS[word]} {word}\n{100 * phrases.share_helped(matrix, i, j):.0f} %"
    ax.text(j + 0.5, i + 0.5, text, ha="center", va="center", color=ink, fontsize=11.5)
