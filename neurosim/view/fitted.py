"""The fit of one person's record as a table, in words, as rows for a file, and as a figure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.clinic.fit import NOISE_TOLERANCE, UNINFORMED_SPREAD, Estimate, Fit, SingleChange
from neurosim.clinic.norms import TE_CURVES
from neurosim.simulation.scenario import Scenario
from neurosim.view import export
from neurosim.view.examination import LONGEST_TITLE
from neurosim.view.style import (
    ADVICE,
    BAND,
    BLACK,
    CHANGED,
    HEALTH,
    LINE_STYLES,
    SKY,
    SMALLEST_PT,
    add_titles,
    axes_or_new,
    house_style,
    new_figure,
    png_bytes,
    safe_label,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.base.files import Content
    from neurosim.model.axon.axon import Axon

NEAR_BEST = 90.0  # % of what the best single change removes, from which another is named
MAX_NAMED = 6
MAX_SHOWN = 14  # bars in the figure; the table has all


def fit_table(fit: Fit) -> str:
    """Return both answers in aligned columns: all together, and each change alone."""
    together = [("all together", "health", "value", "95 % interval", "healthy SDs", "told", "")]
    together += [
        (
            e.words,
            _format_value(e.health, e.unit),
            _format_value(e.value),
            _interval_words(e),
            f"{e.spread:+.1f}",
            f"{100 * e.told:.0f} %",
            "moved" if e.moved else "",
        )
        for e in fit.estimates
    ]
    alone = [("one alone", "health", "value", "95 % interval", "removes", "", "")]
    alone += [
        (
            s.words,
            _format_value(s.health, s.unit),
            _format_value(s.value),
            _interval_words(s),
            f"{s.removed_percent:.0f} %",
            "",
            "",
        )
        for s in fit.singles
    ]
    return _align_columns(together) + "\n\n" + _align_columns(alone)


def _align_columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(7)]
    lines = (
        f"{row[0]:<{widths[0]}}  " + "  ".join(f"{row[i]:>{widths[i]}}" for i in range(1, 7))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _format_value(value: float, unit: str = "1") -> str:
    sign = {"1": "", "degC": " °C"}.get(unit, f" {unit}")
    return f"{value:.3g}{sign}"


def _interval_words(e: Estimate | SingleChange) -> str:
    return f"{e.low:.3g} to {e.high:.3g}"


def describe_fit(fit: Fit) -> str:
    """Return in words which parameters moved and what the record cannot tell."""
    m = fit.points.x.size
    before, after = fit.misfit(fit.healthy), fit.misfit(fit.fitted)
    lines = [
        f"{fit.record.title}: {m} points. Health misses them by {before**0.5:.1f} SDs of a record's"
        f" noise (root mean square), the fit by {after**0.5:.1f}."
    ]
    if fit.noise_scale > NOISE_TOLERANCE:
        lines.append(
            f"The model cannot follow this record within the noise; every interval allows for "
            f"{fit.noise_scale:.1f} times as much."
        )
    if fit.is_explained_by_health:
        return "\n".join(
            [*lines, "Nothing moved: health explains the record within its noise.", ADVICE]
        )
    lines += [*_moved_words(fit), *_single_words(fit), *_uninformed_words(fit)]
    return "\n".join([*lines, ADVICE])


def _moved_words(fit: Fit) -> list[str]:
    """Return what moved when all may move together, and what went with it."""
    moved = sorted((e for e in fit.estimates if e.moved), key=lambda e: -abs(e.spread))
    if not moved:
        return ["All together: no single parameter must have moved; several may have."]
    changes = "; ".join(
        f"{e.words} {_format_value(e.value, e.unit)} ({_interval_words(e)}; "
        f"health {_format_value(e.health)}, "
        f"{abs(e.spread):.1f} SDs of healthy people)"
        for e in moved
    )
    lines = [f"All together, moved: {changes}."]
    names = {e.name: e.words for e in fit.estimates}
    for first, second, r in fit.inseparable_pairs:
        if first in {e.name for e in moved} or second in {e.name for e in moved}:
            ways = "the same way" if r > 0 else "opposite ways"
            lines.append(f"Not told apart: {names[first]} and {names[second]}, moved {ways}.")
    return lines


def _single_words(fit: Fit) -> list[str]:
    """Return the best single change and its rivals."""
    best, *others = fit.singles
    lines = [
        f"One change alone: {best.words} {_format_value(best.value, best.unit)} "
        f"({_interval_words(best)}; health {_format_value(best.health)}) "
        f"removes {best.removed_percent:.0f} % of the discrepancy."
    ]
    same = [s for s in fit.rival_changes if s is not best]
    if same:
        lines.append("Within the noise as good: " + _name_changes(same) + ".")
    near = [
        s
        for s in others
        if s not in same and s.removed_percent >= NEAR_BEST / 100 * best.removed_percent
    ]
    if near:
        lines.append(
            "Nearly as good, and not to be excluded if the model errs a little: "
            + _name_changes(near)
            + "."
        )
    return lines


def _name_changes(singles: list[SingleChange]) -> str:
    phrases = [
        f"{s.words} {_format_value(s.value, s.unit)} ({s.removed_percent:.0f} %)"
        for s in singles[:MAX_NAMED]
    ]
    more = len(singles) - len(phrases)
    return "; ".join(phrases) + (f"; and {more} more" if more else "")


def _uninformed_words(fit: Fit) -> list[str]:
    """Return the parameters of which the record says nothing."""
    uninformed = [e.words for e in fit.estimates if 1.0 - e.told > UNINFORMED_SPREAD]
    return [f"The record says next to nothing of: {'; '.join(uninformed)}."] if uninformed else []


def fit_rows(fit: Fit) -> list[dict[str, Any]]:
    """Return one row for each parameter and answer."""
    rows = [
        {"answer": "all together", **asdict(e), "moved": e.moved, "removed_percent": np.nan}
        for e in fit.estimates
    ]
    for s in fit.singles:
        empty = {"spread": np.nan, "told": np.nan}
        row = {**asdict(s), **empty, "moved": not s.low <= s.health <= s.high}
        del row["misfit"]
        rows.append({"answer": "one alone", **row})
    columns = ("answer", "name", "words", "unit", "health", "value", "low", "high", "spread",
               "told", "moved", "removed_percent")  # fmt: skip
    return [{c: row[c] for c in columns} for row in rows]


def fit_json(fit: Fit) -> dict[str, Any]:
    """Return the points, both answers and the covariance as a mapping."""
    p = fit.points
    points = [
        {"curve": str(c), "x": x, "record": y, "health": h, "fitted": f, "noise_sd": s}
        for c, x, y, h, f, s in zip(
            p.curve, p.x, p.value, fit.healthy, fit.fitted, p.noise_sd, strict=True
        )
    ]
    return {
        "record": fit.record.title,
        "simulated": fit.record.simulated,
        "noise_scale": fit.noise_scale,
        "nothing_moved": fit.is_explained_by_health,
        "estimates": [asdict(e) | {"moved": e.moved} for e in fit.estimates],
        "covariance_in_prior_sds": fit.covariance.tolist(),
        "not_told_apart": [list(pair) for pair in fit.inseparable_pairs],
        "single_changes": [asdict(s) for s in fit.singles],
        "as_good_as_the_best": [s.name for s in fit.rival_changes],
        "points": points,
    }


def _name_axon(axon: Axon) -> str:
    return axon if isinstance(axon, str) else "of one's own"


def print_fit(fit: Fit) -> str:
    """Return the lines that `neurosim fit` prints."""
    return f"Axon {_name_axon(fit.axon)}\n\n{describe_fit(fit)}\n\n{fit_table(fit)}"


def fit_headline(fit: Fit) -> str:
    """Return whose record it is, and which single change explains most of it."""
    title = fit.record.title
    if len(title) > LONGEST_TITLE:
        title = f"{title[:LONGEST_TITLE]}..."
    best = fit.singles[0]
    answer = f"{best.name} {_format_value(best.value)} removes {best.removed_percent:.0f} %"
    return f"{title}: {'health explains it' if fit.is_explained_by_health else answer}"[:90]


def fit_files(fit: Fit) -> dict[str, Content]:
    """Return what `neurosim fit` writes."""
    scenario = Scenario(name="fit")
    if isinstance(fit.axon, str):
        scenario = scenario.replace(axon=fit.axon)
    figure = picture_fit(fit)
    about = export.provenance(scenario, **fit_json(fit))
    files: dict[str, Content] = {}
    files |= export.table_files("fit", fit_rows(fit), about)
    files["fit.png"] = png_bytes(figure)
    files["fit.txt"] = export.text_bytes(f"{figure.alt_text}\n\n{fit_table(fit)}")
    return files


@house_style
def picture_fit(fit: Fit) -> Any:
    """Draw record, fitted curves and health over the people's band, and the single changes.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Picture
        Its `alt_text` is that of `describe_fit`.
    """
    figure = new_figure()
    (electrotonus, recovery), (iv, alone) = figure.subplots(2, 2)
    plot_fit(fit, "electrotonus", electrotonus)
    plot_fit(fit, "recovery_cycle", recovery)
    plot_fit(fit, "threshold_iv", iv)
    plot_single_changes(fit, alone)
    handles, labels = electrotonus.get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))
    figure.legend(known.values(), known.keys(), loc="outside upper left", ncols=4)
    add_titles(figure, "", f"{safe_label(fit.record.title)}.")
    figure.alt_text = describe_fit(fit)
    return figure


# Of a panel: its curves, and what its axes say.
_PANELS = {
    "electrotonus": (
        tuple(TE_CURVES.values()), "delay, ms (current from 10 to 110 ms)",
        "threshold reduction, %", "Threshold electrotonus, ±40 and ±20 %",
    ),
    "recovery_cycle": (("recovery_cycle",), "interval, ms", "threshold change, %",
                       "Recovery cycle"),
    "threshold_iv": (("threshold_iv",), "polarising current, % of threshold",
                     "threshold reduction, %", "Threshold I/V"),
}  # fmt: skip


@house_style
def plot_fit(fit: Fit, panel: str = "electrotonus", ax: Any = None) -> Any:
    """Draw one panel of a fit: record, fitted curves and health over the people's band.

    Parameters
    ----------
    fit : Fit
    panel : str
        ``"electrotonus"``, ``"recovery_cycle"`` or ``"threshold_iv"``.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    if panel not in _PANELS:
        raise NeurosimError(f"panel = '{panel}' is none of {', '.join(_PANELS)}.")
    ax = axes_or_new(ax)
    curves, across, up, title = _PANELS[panel]
    for name in curves:
        _draw_curve(ax, fit, name)
    ax.set(xlabel=across, ylabel=up, title=title)
    if panel == "recovery_cycle":
        ax.set_xscale("log")
        ax.set_xticks([2, 5, 10, 20, 50, 100, 200], ["2", "5", "10", "20", "50", "100", "200"])
        ax.minorticks_off()
    return ax


def _draw_curve(ax: Any, fit: Fit, name: str) -> None:
    """Draw the points of one curve."""
    p = fit.points
    index = np.flatnonzero(p.curve == name)
    index = index[np.argsort(p.x[index])]
    x, mean, sd = p.x[index], p.people[index], p.people_sd[index]
    ax.fill_between(
        x,
        mean - 1.96 * sd,
        mean + 1.96 * sd,
        color=BAND,
        lw=0,
        alpha=0.7,
        label="280 healthy people: mean ± 1.96 SD",
    )
    ax.plot(x, fit.healthy[index], LINE_STYLES[HEALTH], color=HEALTH, lw=1.8, label="model, health")
    ax.plot(
        x, fit.fitted[index], LINE_STYLES[CHANGED], color=CHANGED, lw=1.8, label="model, fitted"
    )
    ax.plot(x, p.value[index], "o", color=BLACK, ms=4, mfc="none", label="record")


@house_style
def plot_single_changes(fit: Fit, ax: Any = None) -> Any:
    """Draw how much of the discrepancy each change alone removes.

    Parameters
    ----------
    fit : Fit
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax = axes_or_new(ax)
    if fit.is_explained_by_health:
        ax.text(
            0.5,
            0.5,
            "Nothing moved: health explains\nthe record within its noise.",
            ha="center",
            va="center",
            transform=ax.transAxes,
        )
        ax.set_axis_off()
        return ax
    rows = fit.singles[:MAX_SHOWN][::-1]
    removed = [max(s.removed_percent, 0.0) for s in rows]
    ax.barh(range(len(rows)), removed, color=[SKY] * (len(rows) - 1) + ["#F2B48A"])
    for row, single in enumerate(rows):
        label = f"{single.words.split(' (')[0]} {_format_value(single.value, single.unit)}"
        ax.text(
            1.0,
            row,
            label,
            va="center",
            fontsize=SMALLEST_PT,
            fontweight="bold" if row == len(rows) - 1 else "normal",
        )
    ax.set_yticks([])
    ax.set(xlim=(0, 100), xlabel="% of the discrepancy removed", title="One change alone")
    return ax
