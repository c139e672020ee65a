"""Figures: the chain from body to twitch, a pair of bodies, a sweep, a neuron.

Each `picture_*` returns a whole `Picture` with its alt text and never shows it. Each `plot_*` draws
one panel on `ax` (new axes if omitted) and returns the axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.model.body.fields import FIELDS
from neurosim.view import panels, state_panels
from neurosim.view.course import picture_course
from neurosim.view.describe_firing import firing_words, twitch_words
from neurosim.view.describe_ratio import healthy_partner, is_healthy
from neurosim.view.style import (
    ADVICE,
    BLACK,
    CHANGED,
    GREY,
    HEALTH,
    OUTCOME_SHAPES,
    PALE,
    SKY,
    add_titles,
    axes_or_new,
    format_signed,
    house_style,
    muscle_words,
    name_lines,
    new_figure,
    pluralize,
    safe_label,
)
from neurosim.view.summary import check_results, describe, describe_soma, describe_sweep
from neurosim.view.terms import explain_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.simulation.people import People
    from neurosim.simulation.result import Result


@house_style
def picture_chain(
    result: Result, against: Result | None = None, people: People | None = None
) -> Any:
    """Draw the chain from body to twitch on one figure, a changed body beside health.

    A body that changes is drawn on its clock (`neurosim.view.course.picture_course`).

    Parameters
    ----------
    result : Result
    against : Result, optional
        The same person under another scenario; health if omitted.
    people : People, optional
        Many people under both scenarios, the changed one first.

    Returns
    -------
    Picture
        Its alt text is that of `neurosim.view.summary.describe`.

    Raises
    ------
    NeurosimError
        If an argument is of another kind.
    """
    check_results(result, against, people)
    if against is None and not is_healthy(result):
        against = healthy_partner(result)
    if result.scenario.course is not None:
        return picture_course(result, against, people)
    lanes = [r for r in (against, result) if r is not None]
    fig, s, window = new_figure(), result.scenario, panels.window_s(*lanes)
    fig.alt_text = describe(result, against, people)
    above, below = fig.subfigures(2, 1, height_ratios=[3.9, 4.7 if len(lanes) > 1 else 3.5])
    first = above.subplots(1, 4, width_ratios=[3.5, 1.9, 4.3, 2.8])
    lane_colours = panels.body_colours(*(r.scenario.body for r in lanes))
    state_panels.plot_body(s.body, first[0])
    state_panels.plot_thresholds(result, first[1], colour=lane_colours[-1])
    state_panels.plot_margin(lanes, first[2])
    panels.plot_rate(result, against, people, first[3])
    axes = _draw_lanes(below, lanes, lane_colours, window)
    panels.share_force_scale(list(axes[:, 1]))
    handles = panels.origin_handles(lanes) + panels.force_handles()
    below.legend(
        handles=handles, loc="outside upper left", ncols=7, handletextpad=0.2, columnspacing=1.2
    )
    title = f"{safe_label(s.title)}: from blood to twitch, {muscle_words(s.muscle)}"
    note = f"person {result.person} of seed {s.seed}, {panels.window_words(window, s.duration_s)}"
    add_titles(fig, title, f"Simulated: {note}.")
    return fig


def _draw_lanes(
    fig: Any, lanes: Sequence[Result], lane_colours: Sequence[str], window: tuple[float, float]
) -> np.ndarray:
    """Draw a row for each lane, discharges on the left and force on the right; return the axes."""
    axes = fig.subplots(len(lanes), 2, sharex=True, squeeze=False)
    for row, lane, colour in zip(axes, lanes, lane_colours, strict=True):
        panels.plot_raster(lane, window, row[0], colour=colour)
        panels.plot_force(lane, window, row[1], colour=colour)
    for ax in axes[:-1].flat:
        ax.set_xlabel("")
    return axes


@house_style
def picture_pair(top: Result, bottom: Result) -> Any:
    """Draw two results one above the other: discharges and force, with a line of words each.

    Parameters
    ----------
    top, bottom : Result

    Returns
    -------
    Picture
    """
    fig, both = new_figure(13.0, 7.3), (top, bottom)
    axes = fig.subplots(4, 1, sharex=True, height_ratios=[1.0, 0.9, 1.0, 0.9])
    window = panels.window_s(*both)
    lane_colours = panels.body_colours(*(r.scenario.body for r in both))
    for i, (result, colour) in enumerate(zip(both, lane_colours, strict=True)):
        raster, force = axes[2 * i : 2 * i + 2]
        panels.plot_raster(result, window, raster, colour=colour)
        panels.plot_force(result, window, force, colour=colour)
        raster.set_title(_pair_words(result, panels.lane_title(result)), color=colour)
        force.set_title("")
    panels.share_force_scale(list(axes[1::2]))
    for ax in axes[:-1]:
        ax.set_xlabel("")
    handles = panels.origin_handles(both) + panels.force_handles()
    fig.legend(
        handles=handles,
        loc="outside upper left",
        ncols=5 if len(handles) == 5 else 4,
        handletextpad=0.2,
        columnspacing=1.2,
    )
    s = bottom.scenario
    part = panels.window_words(window, s.duration_s)
    note = f"Simulated {muscle_words(s.muscle)}, one person, {part}."
    add_titles(fig, "", note)
    lines = [
        f"{_pair_words(r, r.scenario.title)}.\n{firing_words(r)}\n{twitch_words(r)}" for r in both
    ]
    fig.alt_text = explain_terms("\n".join([note, *lines, ADVICE]))
    return fig


def _pair_words(result: Result, title: str) -> str:
    abnormal = result.scenario.body.abnormal()
    values = ", ".join(f"{FIELDS[n].title} {v:g} {FIELDS[n].unit}".strip() for n, v, _ in abnormal)
    start = title + (f" ({values})" if values else "")
    return f"{start}: {pluralize(result.twitches_per_min, 'twitch')} per minute"


@house_style
def picture_sweep(
    label: str,
    values: Sequence[float],
    per_min: np.ndarray,
    reference: tuple[float, float] | None = None,
    duration_s: float = 600.0,
) -> Any:
    """Draw twitches per minute against one value of the body; arguments as `plot_sweep`.

    Returns
    -------
    Picture
        Its alt text is that of `neurosim.view.summary.describe_sweep`.
    """
    fig = new_figure(13.0, 7.3)
    ax = plot_sweep(label, values, per_min, reference, duration_s, fig.add_subplot())
    ax.set_title("")
    fig.alt_text = describe_sweep(label, values, np.asarray(per_min, float))
    people = np.shape(per_min)[1]
    note = "1 simulated person." if people == 1 else f"{people} simulated people."
    add_titles(fig, "Sweep: how often it twitches when one value changes", note)
    return fig


@house_style
def plot_sweep(
    label: str,
    values: Sequence[float],
    per_min: np.ndarray,
    reference: tuple[float, float] | None = None,
    duration_s: float = 600.0,
    ax: Any = None,
) -> Any:
    """Draw twitches per minute against one value of the body: people as dots, their median.

    Parameters
    ----------
    label : str
        What is swept, with its unit.
    values : sequence of float, shape (n,)
    per_min : ndarray, shape (n, people)
        Twitches per minute.
    reference : (float, float), optional
        Reference range, shaded.
    duration_s : float
        Simulated time; one twitch in it is the least that can be counted.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, x, rates = axes_or_new(ax), np.asarray(values, float), np.asarray(per_min, float)
    if reference is not None:
        _shade_reference(ax, reference)
    least = 60.0 / duration_s
    zero = least / 4.0
    y, median = np.where(rates > 0, rates, zero), np.median(rates, axis=1)
    median = np.where(median > 0, median, zero)
    ax.plot(np.repeat(x, rates.shape[1]), y.ravel(), "o", color=SKY, ms=5, alpha=0.6, ls="none")
    ax.plot(x, median, "-", marker=OUTCOME_SHAPES[CHANGED], color=CHANGED, ms=8, lw=2)
    none = zero if (rates == 0).any() else None
    panels.log_rate_axis(ax, least, float(y.max()), none, float(y.min()))
    ax.annotate(
        "median\nperson",
        (x[-1], median[-1]),
        (12, 0),
        textcoords="offset points",
        color=CHANGED,
        fontweight="bold",
        va="center",
        annotation_clip=False,
    )
    ax.text(
        1.0, 1.005, "a dot: one person", transform=ax.transAxes, ha="right", va="bottom", color=GREY
    )
    ax.set_xlabel(safe_label(label))
    ax.set_ylabel("twitches per minute")
    ax.set_title("Sweep: how often it twitches")
    return ax


def _shade_reference(ax: Any, reference: tuple[float, float]) -> None:
    """Shade a reference range and name it above."""
    ax.axvspan(*reference, color=PALE, zorder=0)
    ax.text(
        sum(reference) / 2,
        1.005,
        "reference range",
        color=GREY,
        ha="center",
        va="bottom",
        transform=ax.get_xaxis_transform(),
    )


@house_style
def picture_soma(trace: Any, neuron: int = 0) -> Any:
    """Draw potential and threshold of a motor neuron's cell body; arguments as `plot_soma`.

    Returns
    -------
    Picture
        Its alt text is that of `neurosim.view.summary.describe_soma`.
    """
    fig = new_figure(13.0, 7.3)
    plot_soma(trace, neuron, fig.add_subplot())
    fig.alt_text = describe_soma(trace, neuron)
    add_titles(fig, "", "Simulated.")
    return fig


@house_style
def plot_soma(trace: Any, neuron: int = 0, ax: Any = None) -> Any:
    """Draw potential and threshold of a motor neuron's cell body, the threshold's parts named.

    Parameters
    ----------
    trace : SomaTrace
    neuron : int
        Which of the neurons.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, time = axes_or_new(ax), trace.time_ms
    baseline, potential = trace.threshold_baseline_mv, trace.potential_mv[neuron]
    threshold, spikes = trace.threshold_mv[neuron], trace.spikes[neuron]
    rested = baseline + trace.threshold_electrolyte_mv
    low, high = float(potential.min()), max(float(threshold.max()), baseline)
    above = high + 0.12 * (high - low)
    ax.plot(time, potential, "-", color=HEALTH, lw=1.3)
    ax.plot(time, threshold, "--", color=CHANGED, lw=2.2)
    ax.axhline(baseline, color=GREY, lw=1.2, ls=":")
    ax.plot(time, np.full(time.size, rested), color=BLACK, lw=1.2, ls="-.")
    ax.plot(spikes, np.full(spikes.size, above), "v", color=BLACK, ms=8, ls="none")
    ax.set_xlim(time[0], time[-1])
    ax.set_ylim(low - 0.05 * (high - low), high + 0.22 * (high - low))
    ax.set_xlabel("time, ms")
    ax.set_ylabel("potential, mV")
    ax.set_title("Cell body: the potential wanders, the threshold waits")
    ions = format_signed(trace.threshold_electrolyte_mv)
    all_parts = "threshold, all parts (dashed);\nwhat recent spikes add is the rest"
    labels = [
        (above, f"{pluralize(spikes.size, 'spike')} (triangles)", BLACK),
        (float(threshold[-1]), all_parts, CHANGED),
        (rested, f"with the ions' part {ions} mV (dash-dot)", BLACK),
        (baseline - 1e-9, f"healthy threshold {format_signed(baseline)} mV (dotted)", GREY),
        (float(potential[-1]), "potential (solid)", HEALTH),
    ]
    name_lines(ax, labels)
    return ax
