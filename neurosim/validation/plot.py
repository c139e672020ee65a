"""The model against published ranges, drawn: every target in its pile, every miss in its line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neurosim.validation.views import condition_words, quantity_words, value_words
from neurosim.view import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.validation.target import Row, Validation

PANELS = (
    ("measured", "Predictions: no fit used them"),
    ("fitted", "Fitted on: the model was made to meet them"),
    ("assumed", "Recalled, or their width chosen here"),
)
FAR = 1.6  # places further out than this are drawn at the edge
MISS_LIMIT = 3.0  # the same among the misses
ONE_SIDED = 1.4  # where a miss of a range that is open on one side is drawn


@style.house_style
def picture_targets(validation: Validation) -> Any:
    """Draw where the model lies in the published ranges, a dot for each target.

    Returns
    -------
    Picture
    """
    figure = style.new_figure(9.0, 4.8)
    axes = figure.subplots(len(PANELS), 1, sharex=True)
    words = ["Where the model lies in the published ranges."]
    for ax, (grade, title) in zip(axes, PANELS, strict=True):
        rows = [row for row in validation.rows if row.grade == grade]
        title = f"{title}: {sum(row.inside for row in rows)} of {len(rows)} met"
        _draw_piles(ax, rows)
        ax.set_title(title)
        words.append(f"{title}.")
    axes[-1].set_xlim(-FAR - 0.05, FAR + 0.05)
    axes[-1].set_xticks([-1, 0, 1], ["low end", "middle", "high end"])
    axes[-1].set_xlabel("place of the model in the published range (shaded); ✗ outside")
    figure.alt_text = " ".join(words)
    return figure


def _draw_piles(ax: Any, rows: Sequence[Row]) -> None:
    """Draw the places of targets that have a range of two ends, those alike upon each other."""
    ax.axvspan(-1.0, 1.0, color=style.PALE, zorder=0)
    tallest = 1
    for inside, colour, marker in ((True, style.BLUE, "o"), (False, style.VERMILION, "X")):
        places = [r.place for r in rows if not math.isnan(r.place) and r.inside == inside]
        xs, heights = stack_places(places)
        if xs:  # a line of nothing that is not clipped has no extent to be laid out
            ax.plot(xs, heights, marker, color=colour, ms=6, mec="white", mew=0.5, clip_on=False)
        tallest = max([tallest, *heights])
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_ylim(0.2, tallest + 1)


def stack_places(places: Sequence[float]) -> tuple[list[float], list[int]]:
    """Return places rounded to a twentieth, and the height of each in its pile."""
    piles: dict[float, int] = {}
    xs: list[float] = []
    heights: list[int] = []
    for place in sorted(places):
        x = round(max(-FAR, min(FAR, place)) * 20.0) / 20.0
        piles[x] = piles.get(x, 0) + 1
        xs.append(x)
        heights.append(piles[x])
    return xs, heights


@style.house_style
def picture_misses(validation: Validation) -> Any:
    """Draw every miss, as the model's value beside the published range.

    Returns
    -------
    Picture
    """
    misses = [[r for r in validation.misses if r.grade == grade] for grade, _ in PANELS]
    lines = sum(map(len, misses)) + len(PANELS)
    figure = style.new_figure(10.0, max(2.5, 0.8 + 0.29 * lines))
    ax = figure.subplots()
    y = 0
    sentences: list[str] = []
    labels: list[tuple[int, str, str]] = []  # place, words, weight of the font
    for (_, title), rows in zip(PANELS, misses, strict=True):
        labels.append((y, title.partition(":")[0], "bold"))
        for row in rows:
            y += 1
            name = f"{quantity_words(row)[0]} ({condition_words(row)})"
            labels.append((y, name, "normal"))
            sentences.append(f"{name}: {value_words(row)}")
            _draw_miss(ax, y, row)
        y += 1
    ax.set_yticks([y for y, *_ in labels], [words for _, words, _ in labels], fontsize=9)
    for tick, (*_, weight) in zip(ax.get_yticklabels(), labels, strict=True):
        tick.set_fontweight(weight)
    ax.set_ylim(y - 0.4, -0.6)
    ax.set_xlim(-MISS_LIMIT - 0.1, MISS_LIMIT + 0.1)
    ax.set_xticks([-1, 1], ["low end", "high end"])
    ax.set_xlabel("published range (shaded)\nand the model (✗)")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    figure.alt_text = f"The {len(sentences)} misses, predictions first. {'; '.join(sentences)}."
    return figure


def _draw_miss(ax: Any, y: float, row: Row) -> None:
    x = row.place
    if math.isnan(x):  # open on one side: only that it lies beyond is shown
        x = -ONE_SIDED if math.isfinite(row.published_low) else ONE_SIDED
    ax.barh(y, 2.0, left=-1.0, height=0.62, color=style.PALE, zorder=0)
    x = max(-MISS_LIMIT, min(MISS_LIMIT, x))
    ax.plot(x, y, "X", color=style.VERMILION, ms=8, mec="white", mew=0.6, clip_on=False)
    ax.annotate(value_words(row), (3.3, y), va="center", fontsize=9, annotation_clip=False)
