"""The picture, the words and the tables of a global sensitivity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.simulation.sensitivity import (
    KEPT_NUMBERS,
    RANGES,
    SMALL_SHARE,
    InputFactor,
    Sensitivity,
)
from neurosim.view.export import provenance, table_files, text_bytes
from neurosim.view.style import (
    BLUE,
    GREEN,
    GREY,
    PAGE_INCHES,
    VERMILION,
    add_titles,
    axes_or_new,
    house_style,
    label_number,
    muscle_words,
    new_figure,
    png_bytes,
)

if TYPE_CHECKING:
    from neurosim.base.files import Content

MAX_SHOWN = 15  # inputs in the picture
KIND_MARKS = {
    "body": (BLUE, "a field of the body"),
    "number": (VERMILION, "a number of the model"),
    "person": (GREEN, "who it is"),
}


def _range_words(f: InputFactor) -> str:
    """Return the range of an input in words."""
    if f.kind == "person":
        return f"one of {f.high:.0f}"
    return f"{label_number(f.low)} to {label_number(f.high)} {f.unit}".strip()


# --- The picture -----------------------------------------------------------------------


@house_style
def picture_sensitivity(result: Sensitivity) -> Any:
    """Draw the indices of the inputs that move the rate most, with their intervals.

    Parameters
    ----------
    result : Sensitivity

    Returns
    -------
    Picture
        Its `words` are those of `describe_sensitivity`.
    """
    fig = new_figure()
    plot_sensitivity(result, fig.add_subplot())
    add_titles(fig, "What moves the twitch rate most", _footnote(result))
    fig.alt_text = describe_sensitivity(result)
    return fig


@house_style
def plot_sensitivity(result: Sensitivity, ax: Any = None) -> Any:
    """Draw a row for each of the inputs that move the rate most, and what it was moved over.

    Parameters
    ----------
    result : Sensitivity
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, x = axes_or_new(ax, *PAGE_INCHES), result.indices
    rows = x.order[:MAX_SHOWN][::-1]
    for y, i in enumerate(rows):
        colour, _ = KIND_MARKS[x.factors[i].kind]
        _draw_bar(ax, y, x.total[i], x.total_half[i], colour, height=0.78, alpha=0.3)
        _draw_bar(ax, y - 0.12, x.first[i], x.first_half[i], colour, height=0.3, alpha=1.0)
    ax.set_yticks(range(len(rows)), [x.factors[i].label for i in rows])
    for label, i in zip(ax.get_yticklabels(), rows, strict=True):
        label.set_color(KIND_MARKS[x.factors[i].kind][0])
    right = 1.02 * max(0.5, float((x.total + x.total_half)[rows].max()))
    ax.set_xlim(0.0, min(right, 1.3))
    ax.set_ylim(-0.6, len(rows) - 0.4)
    for y, i in enumerate(rows):
        kind = {"number": "model: ", "body": "body: "}.get(x.factors[i].kind, "")
        ax.text(
            1.01,
            y,
            kind + _range_words(x.factors[i]),
            transform=ax.get_yaxis_transform(),
            va="center",
            color=GREY,
        )
    ax.text(1.01, len(rows) - 0.35, "moved over", transform=ax.get_yaxis_transform(), color=GREY)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("share of the variance of the twitch rate's logarithm (base 10)")
    _add_legend(ax)
    return ax


def _draw_bar(ax: Any, y: float, value: float, half: float, colour: str, **options: Any) -> None:
    """Draw one index as a bar with its interval."""
    ax.barh(y, max(value, 0.0), color=colour, lw=0, zorder=2, **options)
    ends = np.maximum([value - half, value + half], 0.0)
    low = 0.25 if options["alpha"] < 1.0 else 0.0
    ax.plot(ends, [y + low, y + low], color="black", lw=1.3, zorder=3, solid_capstyle="butt")


def _add_legend(ax: Any) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks = [Patch(color=colour, label=words) for colour, words in KIND_MARKS.values()]
    marks += [
        Patch(color=GREY, label="thin, dark: alone (first order)"),
        Patch(color=GREY, alpha=0.3, label="wide, pale: with all it takes part in (total)"),
        Line2D([], [], color="black", lw=1.3, label="95 % interval (bootstrap)"),
    ]
    ax.legend(handles=marks, loc="lower right")


def _footnote(result: Sensitivity) -> str:
    x = result.indices
    left = len(x.factors) - min(MAX_SHOWN, len(x.factors))
    more = f"{left} more inputs have a total index of at most " if left else ""
    more += f"{x.total[x.order[MAX_SHOWN:]].max():.2g}. " if left else ""
    return (
        f"Simulated: {muscle_words(result.scenario.muscle)}, {RANGES[result.range]}; "
        f"{label_number(len(x.values))} runs. {more}\n"
        f"Of {len(result.screened)} assumed or fitted numbers those that a screening found to move "
        f"the rate most."
    )


# --- The words -------------------------------------------------------------------------


def describe_sensitivity(result: Sensitivity) -> str:
    """Return in words what moves the rate, how it was found, and what not to read into it."""
    parts = [
        _spread_words(result),
        *_leader_sentences(result),
        _sum_words(result),
        _method_words(result),
    ]
    if result.unlivable:
        parts.append(
            f"{result.unlivable} runs had a body that nobody survives, or a membrane without a "
            "resting potential; they count as no twitch."
        )
    return "\n".join([*parts, *result.indices.warnings])


def _spread_words(result: Sensitivity) -> str:
    log = result.indices.values
    low, middle, high = (label_number(10.0**v) for v in np.quantile(log, [0.05, 0.5, 0.95]))
    floor = parameter("study", "rate_floor")
    return (
        f"Long-run twitches per minute in the {muscle_words(result.scenario.muscle)}, every input "
        f"moved at once, fields of the body {RANGES[result.range]}: {middle} in the middle, 90 % "
        f"of the runs between {low} and {high} (log10: SD {log.std():.2f}); a rate below "
        f"{label_number(floor)} counts as that, which "
        f"{100.0 * (log <= np.log10(floor)).mean():.1f} % of the runs do."
    )


def _leader_sentences(result: Sensitivity) -> list[str]:
    """Return a sentence for the input of each kind that moves the rate most."""
    x, heads = result.indices, {
        "body": "Of the body, {} moves it most",
        "number": "Of the numbers that nobody has measured, {} moves it most",
        "person": "{}",
    }  # fmt: skip
    lines: list[str] = []
    for kind, head in heads.items():
        ranked = [i for i in x.order if x.factors[i].kind == kind]
        if not ranked:
            continue
        best, *others = ranked
        name = "Who it is" if kind == "person" else x.factors[best].label
        line = (
            f"{head.format(name)}: total index {_index_words(x.total[best], x.total_half[best])}, "
        )
        line += f"alone {_index_words(x.first[best], x.first_half[best])}"
        then = [
            f"{x.factors[i].label} {x.total[i]:.2f}" for i in others[:3] if x.total[i] > SMALL_SHARE
        ]
        lines.append(line + (f"; then {', '.join(then)}." if then else "."))
    return lines


def _index_words(value: float, half: float) -> str:
    return f"{value:.2f} ± {half:.2f}".replace("-0.00", "0.00")


def _sum_words(result: Sensitivity) -> str:
    """Return what kinds of inputs explain alone, and what only combinations do."""
    x = result.indices
    kinds = np.array([f.kind for f in x.factors])
    sums = {kind: max(0.0, float(x.first[kinds == kind].sum())) for kind in KIND_MARKS}
    alone = float(x.first.sum())
    half = float(np.sqrt((x.first_half**2).sum()))
    text = (
        f"Alone, fields of the body explain {100 * sums['body']:.0f} % of the variance, numbers of "
        f"the model {100 * sums['number']:.0f} %, who it is {100 * sums['person']:.0f} %, together "
        f"{100 * alone:.0f} % (± {100 * half:.0f})"
    )
    if alone + half < 1.0:
        return (
            f"{text}. The rest belongs to combinations: no input's effect can be told without "
            "saying what the others are."
        )
    return f"{text}; that combinations matter cannot be told from these samples."


def _method_words(result: Sensitivity) -> str:
    x, effects = result.indices, result.effects
    left = effects[KEPT_NUMBERS:]
    text = (
        f"Two steps. Screening (Morris): {len(effects)} assumed or fitted numbers with a range, "
        f"one at a time from {result.trajectories} starting points; the "
        f"{min(KEPT_NUMBERS, len(effects))} that move the rate most were kept"
    )
    if left.size:
        text += (
            f", moving it by {effects[0]:.2g} to {effects[KEPT_NUMBERS - 1]:.2g} decades over "
            f"their range, those left out by at most {left.max():.2g}"
        )
    return (
        f"{text}. Then Sobol's indices (Saltelli's sampling, N = {x.samples}, {len(x.values)} "
        f"runs): every input uniform over its range and independent of the others, each run with "
        f"one of {result.people} people. The axon ({result.scenario.axon}) and the numbers of the "
        "end plate stay as they are."
    )


# --- The tables ------------------------------------------------------------------------


def sensitivity_rows(result: Sensitivity) -> list[dict[str, Any]]:
    """Return one row for each input, from the greatest total index down."""
    x = result.indices
    return [
        {
            "kind": f.kind,
            "room": f.group,
            "name": f.name,
            "words": f.label,
            "low": f.low,
            "high": f.high,
            "unit": f.unit,
            "first": x.first[i],
            "first_half": x.first_half[i],
            "total": x.total[i],
            "total_half": x.total_half[i],
            "firm": bool(x.is_firm[i]),
        }
        for i in x.order
        for f in (x.factors[i],)
    ]


def screening_rows(result: Sensitivity) -> list[dict[str, Any]]:
    """Return one row for each number that was screened, from the one that moves the rate most."""
    kept = {(f.group, f.name) for f in result.indices.factors}
    return [
        {
            "room": f.group,
            "name": f.name,
            "words": f.label,
            "low": f.low,
            "high": f.high,
            "unit": f.unit,
            "effect_decades": effect,
            "kept": (f.group, f.name) in kept,
        }
        for f, effect in zip(result.screened, result.effects, strict=True)
    ]


def sensitivity_table(result: Sensitivity) -> str:
    """Return the indices as a table in Markdown."""
    x = result.indices
    cells = [("input", "moved over", "alone (first order)", "total")]
    loose = (x.total > SMALL_SHARE) & ~x.is_firm
    cells += [
        (
            f.label,
            _range_words(f),
            _index_words(x.first[i], x.first_half[i]),
            _index_words(x.total[i], x.total_half[i]) + " (not converged)" * int(loose[i]),
        )
        for i in x.order
        for f in (x.factors[i],)
    ]
    widths = [max(len(row[k]) for row in cells) for k in range(4)]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


# --- The result ------------------------------------------------------------------------


def sensitivity_text(result: Sensitivity) -> str:
    """Return the lines that `neurosim sensitivity` prints: words and the table."""
    return f"{describe_sensitivity(result)}\n\n{sensitivity_table(result)}"


def sensitivity_headline(result: Sensitivity) -> str:
    """Return what was moved, in one line."""
    first = result.indices.factors[result.indices.order[0]]
    return (
        f"{len(result.indices.factors)} inputs, {result.range} range, {result.scenario.muscle}; "
        f"{first.label} moves the rate most"
    )


def sensitivity_files(result: Sensitivity) -> dict[str, Content]:
    """Return what `neurosim sensitivity` writes, by file name."""
    about = provenance(
        result.scenario,
        range=result.range,
        samples=result.indices.samples,
        runs=len(result.indices.values),
        unlivable=result.unlivable,
        warnings=result.indices.warnings,
        note="shares of the variance of log10 of twitches per minute; _half: half width of "
        "the 95 % interval",
    )
    files: dict[str, Content] = {}
    files |= table_files("sensitivity", sensitivity_rows(result), about)
    files |= table_files("screening", screening_rows(result), about)
    files["sensitivity.png"] = png_bytes(picture_sensitivity(result))
    files["sensitivity.txt"] = text_bytes(sensitivity_text(result))
    return files
