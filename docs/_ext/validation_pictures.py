"""Figures of the page on validation, and their words, from the same rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from generated import condition_words, quantity_words, range_words

from neurosim.view import style

PANELS = (
    ("measured", "Predictions: no fit used them"),
    ("fitted", "Fitted on: the model was made to meet them"),
    ("assumed", "Recalled, or their width chosen here"),
)
FAR = 1.6  # places further out than this are drawn at the edge


def place(row: dict) -> float:
    """Return where the model lies: 0 in the middle of a published range, -1 and 1 at its ends.

    NaN for a range that is open on one side or of no width.
    """
    low, high = row["published_low"], row["published_high"]
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return math.nan
    return (row["model"] - 0.5 * (low + high)) / (0.5 * (high - low))


def draw(rows: Sequence[dict], folder: Path) -> dict[str, str]:
    """Draw both figures into a folder and return their words, and what is not drawn."""
    figures = {"places": places(rows), "misses": misses(rows)}
    for name, (figure, _) in figures.items():
        (folder / f"validation_{name}.png").write_bytes(style.png_bytes(figure, 150))
    signs = [r["inside"] for r in rows if math.isnan(place(r))]
    said = (
        f"Not drawn: {len(signs)} targets that ask for a direction or a bound alone, "
        f"of which {sum(signs)} are met."
    )
    return {name: words for name, (_, words) in figures.items()} | {"signs": said}


@style.house_style
def places(rows: Sequence[dict]):
    """Draw where the model lies in published ranges, a dot for each."""
    figure = style.new_figure(9.0, 4.8)
    axes = figure.subplots(len(PANELS), 1, sharex=True)
    words = ["Where the model lies in the published ranges."]
    for ax, (grade, title) in zip(axes, PANELS, strict=True):
        mine = [r for r in rows if r["grade"] == grade]
        ranged = [(place(r), r["inside"]) for r in mine if not math.isnan(place(r))]
        ax.axvspan(-1.0, 1.0, color=style.PALE, zorder=0)
        tall = 1
        for inside, colour, marker in ((True, style.BLUE, "o"), (False, style.VERMILION, "X")):
            xs, ys = stacked([x for x, met in ranged if met == inside])
            ax.plot(xs, ys, marker, color=colour, ms=6, mec="white", mew=0.5, clip_on=False)
            tall = max([tall, *ys])
        said = f"{title}: {sum(r['inside'] for r in mine)} of {len(mine)} met"
        ax.set_title(said)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_ylim(0.2, tall + 1)
        words.append(f"{said}.")
    axes[-1].set_xlim(-FAR - 0.05, FAR + 0.05)
    axes[-1].set_xticks([-1, 0, 1], ["low end", "middle", "high end"])
    axes[-1].set_xlabel("place of the model in the published range (shaded); ✗ outside")
    return figure, " ".join(words)


def stacked(values: Sequence[float]) -> tuple[list[float], list[int]]:
    """Return places rounded to a twentieth, and the height of each in its pile."""
    piles: dict[float, int] = {}
    xs, ys = [], []
    for value in sorted(values):
        x = round(max(-FAR, min(FAR, value)) * 20.0) / 20.0
        piles[x] = piles.get(x, 0) + 1
        xs.append(x)
        ys.append(piles[x])
    return xs, ys


@style.house_style
def misses(rows: Sequence[dict]):
    """Draw every miss, as the model's value beside the published range."""
    missed = [[r for r in rows if r["grade"] == g and not r["inside"]] for g, _ in PANELS]
    lines = sum(map(len, missed)) + len(PANELS)
    figure = style.new_figure(10.0, 0.8 + 0.29 * lines)
    ax = figure.subplots()
    at, told, labels = 0, [], []
    for (_, title), mine in zip(PANELS, missed, strict=True):
        labels.append((at, title.partition(":")[0], "bold"))
        for row in mine:
            at += 1
            x = place(row)
            if math.isnan(x):  # open on one side: only that it lies beyond is shown
                x = -1.4 if math.isfinite(row["published_low"]) else 1.4
            ax.barh(at, 2.0, left=-1.0, height=0.62, color=style.PALE, zorder=0)
            shown = max(-3.0, min(3.0, x))
            ax.plot(
                shown, at, "X", color=style.VERMILION, ms=8, mec="white", mew=0.6, clip_on=False
            )
            name = f"{quantity_words(row)[0]} ({condition_words(row)})"
            labels.append((at, name, "normal"))
            ax.annotate(value_words(row), (3.3, at), va="center", fontsize=9, annotation_clip=False)
            told.append(f"{name}: {value_words(row)}")
        at += 1
    ax.set_yticks([y for y, *_ in labels], [words for _, words, _ in labels], fontsize=9)
    for tick, (*_, weight) in zip(ax.get_yticklabels(), labels, strict=True):
        tick.set_fontweight(weight)
    ax.set_ylim(at - 0.4, -0.6)
    ax.set_xlim(-3.1, 3.1)
    ax.set_xticks([-1, 1], ["low end", "high end"])
    ax.set_xlabel("published range (shaded)\nand the model (✗)")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return figure, f"The {len(told)} misses, predictions first. {'; '.join(told)}."


def value_words(row: dict) -> str:
    """Return a miss in numbers."""
    span = range_words(row["published_low"], row["published_high"])
    said = f"{row['model']:.3g}, published {span}".replace("-", "−")
    return f"{said} {quantity_words(row)[1]}".strip()
