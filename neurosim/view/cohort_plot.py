"""A cohort's picture: how often people twitch in every scenario, a panel for each muscle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.view.cohort_tables import (
    cohort_record,
    cohort_sentences,
    cohort_table_files,
    describe_cohort,
    summary_rows,
)
from neurosim.view.export import text_bytes
from neurosim.view.style import (
    BLACK,
    CHANGED,
    GREY,
    HEALTH,
    PALE,
    add_titles,
    axes_or_new,
    house_style,
    label_number,
    muscle_words,
    new_figure,
    pluralize,
    png_bytes,
    safe_label,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neurosim.base.files import Content
    from neurosim.simulation.cohort import Cohort
    from neurosim.simulation.scenario import Scenario

FEW_PEOPLE = 60  # people who are drawn each, instead of their distribution
CELLS_A_DECADE = 4
MAX_STRIP_HEIGHT = 0.78  # of a distribution, where the next row is 1 away
COLUMNS = 3  # of panels
SILENT = 0.13  # of the axis: people without a twitch, beside the others


@house_style
def picture_cohort(cohort: Cohort) -> Any:
    """Draw twitches per minute of all people, a row for each scenario, a panel for each muscle.

    With many scenarios a page to scroll: as wide as a screen, as long as the list.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    Picture
        Its `words` are those of `neurosim.view.cohort_tables.cohort_sentences`.
    """
    return draw_rates(
        cohort.plan.states,
        summary_rows(cohort),
        cohort.per_min,
        _caption_words(cohort),
        cohort_sentences(cohort),
    )


@house_style
def draw_rates(
    scenarios: Sequence[Scenario],
    rows: Sequence[Mapping[str, Any]],
    per_min: np.ndarray,
    caption: str,
    sentences: str,
) -> Any:
    """Draw twitches per minute of the same people in scenarios, a panel for each muscle.

    Parameters
    ----------
    scenarios : sequence of Scenario
    rows : sequence of mapping
        Of `rate_row`, one for each scenario.
    per_min : ndarray, shape (scenarios, people)
    caption, sentences : str
        What stands below, and what it shows in words.

    Returns
    -------
    Picture
    """
    muscles = list(dict.fromkeys(s.muscle for s in scenarios))
    lines = max(sum(s.muscle == m for s in scenarios) for m in muscles)
    across = min(len(muscles), COLUMNS)
    down = -(-len(muscles) // across)
    height = 2.0 + down * (1.3 + (0.5 if lines <= 12 else 0.36) * lines)
    # A wide page needs no more height than its list; a narrow one would make letters too small.
    fig = new_figure(max(11.0 if across == 1 else 3.0 + 4.3 * across, 1.2 * height), height)
    axes = np.atleast_1d(fig.subplots(down, across, sharex=True, squeeze=False).ravel())
    for i, (ax, name) in enumerate(zip(axes, muscles, strict=False)):
        _draw_muscle(ax, scenarios, rows, per_min, name)
        if i % across:
            ax.set_yticklabels([])
        ax.set_title(muscle_words(name) if len(muscles) > 1 else "")
        if i < len(muscles) - across:
            ax.set_xlabel("")
        else:
            ax.tick_params(labelbottom=True)
    for ax in axes[len(muscles) :]:
        ax.remove()
    where = f", {muscle_words(muscles[0])}" if len(muscles) == 1 else ""
    add_titles(fig, f"How often people twitch{where}", caption)
    fig.alt_text = sentences
    return fig


@house_style
def plot_cohort(cohort: Cohort, muscle: str | None = None, ax: Any = None) -> Any:
    """Draw the scenarios of one muscle, the first above; a faint line goes down from health.

    Parameters
    ----------
    cohort : Cohort
    muscle : str, optional
        Of those of the cohort; the first if omitted.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, states = axes_or_new(ax), cohort.plan.states
    muscle = states[0].muscle if muscle is None else muscle
    if muscle not in [s.muscle for s in states]:
        known = ", ".join(dict.fromkeys(s.muscle for s in states))
        raise NeurosimError(f"muscle = '{muscle}' is not in this cohort; it has {known}.")
    _draw_muscle(ax, states, summary_rows(cohort), cohort.per_min, muscle)
    return ax


def _draw_muscle(
    ax: Any,
    scenarios: Sequence[Scenario],
    rows: Sequence[Mapping[str, Any]],
    per_min: np.ndarray,
    muscle: str,
) -> None:
    """Draw the scenarios of one muscle with their titles; the axis has room for all muscles."""
    index = [i for i, s in enumerate(scenarios) if s.muscle == muscle]
    _draw_panel(ax, [rows[i] for i in index], per_min[index], _axis_span(per_min))
    ax.set_yticks(range(len(index)), [safe_label(scenarios[i].title) for i in index])
    ax.set_xlabel("twitches per minute")
    ax.set_title(muscle_words(muscle))


def cohort_files(cohort: Cohort) -> dict[str, Content]:
    """Return what `neurosim cohort` writes, by file name; tables are written block by block."""
    text, files = describe_cohort(cohort), cohort_table_files(cohort)
    figure = picture_cohort(cohort)
    files["cohort.png"] = png_bytes(figure)
    files["cohort.txt"] = text_bytes(f"{text}\n\nThe picture in words:\n{figure.alt_text}")
    files["cohort.json"] = cohort_record(cohort)
    return files


def _caption_words(cohort: Cohort) -> str:
    plan = cohort.plan
    shape = "strokes: each person" if plan.people <= FEW_PEOPLE else "hills: all people who twitch"
    who = (
        "1 simulated person"
        if plan.people == 1
        else (f"{label_number(plan.people)} simulated people")
    )
    return (
        f"{who} (seed {plan.seed}), the same in every row, for "
        f"{pluralize(plan.hours, 'hour')}; {shape};\n"
        "bar: the middle half of all people; circle and number: the median person. Left: people "
        "without any twitch.\n"
    )


def _axis_span(per_min: np.ndarray) -> tuple[float, float]:
    """Return where the axis begins and where the last person is, as powers of ten."""
    some = per_min[per_min > 0]
    if not some.size:
        return -2.2, 1.0
    low, high = np.log10(some.min()) - 0.2, np.log10(some.max())
    return float(low), float(max(high, low + 3.0))


def _draw_panel(
    ax: Any, rows: Sequence[Mapping[str, Any]], per_min: np.ndarray, span: tuple[float, float]
) -> None:
    """Draw the scenarios of one muscle, the first above; a faint line goes down from health."""
    low, high = span
    strip = SILENT * (high - low)
    ax.axvspan(low - strip, low, color=PALE, lw=0, zorder=0)
    health = rows[0]["median_per_min"]
    if health > 0:
        ax.axvline(np.log10(health), color=HEALTH, lw=1.0, ls=(0, (4, 3)), zorder=1)
    cells = np.arange(np.floor(low), np.ceil(high) + 0.5 / CELLS_A_DECADE, 1.0 / CELLS_A_DECADE)
    some = [np.log10(rates[rates > 0]) for rates in per_min]
    hills = np.array([np.histogram(one, cells)[0] for one in some])
    for y, (row, rates) in enumerate(zip(rows, per_min, strict=True)):
        colour = HEALTH if row["scenario"] == "normal" else CHANGED
        if rates.size <= FEW_PEOPLE:
            ax.plot(
                some[y],
                np.full(some[y].size, y - 0.25),
                "|",
                color=colour,
                ms=9,
                mew=1.2,
                alpha=0.8,
            )
        else:
            ax.stairs(
                y - MAX_STRIP_HEIGHT * hills[y] / max(hills.max(), 1),
                cells,
                baseline=y,
                fill=True,
                color=colour,
                alpha=0.3,
                lw=0,
                zorder=2,
            )
        _draw_row(ax, y, row, some[y], low, strip, colour)
    ax.set_xlim(low - strip, high + 0.15 * (high - low))
    ax.set_ylim(len(rows) - 0.6, -0.6 if rows[0]["people"] <= FEW_PEOPLE else -0.9)
    _set_ticks(ax, low, high, strip)


def _set_ticks(ax: Any, low: float, high: float, strip: float) -> None:
    powers = [float(k) for k in range(math.ceil(low), math.floor(high) + 1)]
    powers = powers[:: 1 if len(powers) <= 7 else 2]
    names = [label_number(10.0**k) for k in powers]
    ax.set_xticks([low - strip / 2, *powers], ["none", *names])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _draw_row(
    ax: Any,
    y: int,
    row: Mapping[str, Any],
    some: np.ndarray,
    low: float,
    strip: float,
    colour: str,
) -> None:
    """Draw the middle half, the median and the silent share of the people of one scenario."""
    silent = 1.0 - row["twitching_share"]
    ax.text(
        low - strip / 2,
        y,
        _percent_words(silent),
        ha="center",
        va="center",
        color=BLACK if silent else GREY,
        fontsize=11.5,
    )
    quartiles = (row["lower_quartile_per_min"], row["upper_quartile_per_min"])
    ends = [np.log10(q) if q > 0 else low for q in quartiles]
    if ends[1] > low:
        ax.plot(ends, [y, y], color=colour, lw=4.5, solid_capstyle="butt", zorder=3)
    median = row["median_per_min"]
    if median > 0:
        ax.plot(np.log10(median), y, "o", ms=8, mfc="white", mec=colour, mew=2.0, zorder=4)
    words = label_number(float(f"{median:.2g}")) if median > 0 else "0"
    ax.text(
        max([*some, low]) + 0.12,
        y,
        words,
        va="center",
        ha="left",
        color=colour,
        fontweight="bold",
        fontsize=11.5,
        zorder=5,
    )


def _percent_words(share: float) -> str:
    if 0.0 < share < 0.005:
        return "<1 %"
    return f"{100.0 * share:.0f} %" if share < 0.995 or share == 1.0 else ">99 %"
