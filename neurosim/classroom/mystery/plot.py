"""Pictures of what the mystery patient's tests found, each with its words.

Ions and gases on their usual ranges, force and twitches by muscle, the needle's trace, and the
curves of the nerve-excitability test.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.classroom.mystery import phrases
from neurosim.classroom.mystery.examinations import EMG_HZ, TRACE_S, Report
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.view.style import (
    CHANGED,
    GREY,
    HEALTH,
    OUTCOME_SHAPES,
    PALE,
    add_titles,
    house_style,
    label_number,
    muscle_words,
    new_figure,
    pluralize,
)

QUIET_UV = 100.0  # a needle's trace spans at least so much to both sides
WIDTH_IN = 11.0
LOWEST, HIGHEST = -1.0, 2.0  # drawn, with the usual range from 0 to 1


def picture_report(report: Report) -> Any:
    """Return a picture of a report with its words, or None where words are enough.

    Parameters
    ----------
    report : Report
        From `neurosim.classroom.mystery.game.Game.order`.
    """
    draw = {
        "blood": _draw_ranges,
        "gas": _draw_ranges,
        "examination": _draw_muscles,
        "emg": _draw_trace,
        "excitability": _draw_curves,
    }.get(report.test)
    return draw(report) if draw else None


def _finish_picture(figure: Any, title: str, text: str) -> Any:
    add_titles(figure, title, "Simulated.")
    figure.alt_text = text
    return figure


@house_style
def _draw_ranges(report: Report) -> Any:
    """Draw each value on its usual range, 0 at its low and 1 at its high end."""
    rows = report.findings
    fig = new_figure(WIDTH_IN, 1.7 + 0.5 * len(rows))
    ax = fig.add_subplot()
    ax.axvspan(0, 1, color=PALE, zorder=0)
    for i, f in enumerate(reversed(rows)):
        x = (f.value - f.low) / (f.high - f.low)
        colour = CHANGED if f.flag else HEALTH
        far = "<" if x < LOWEST else ">" if x > HIGHEST else ""  # an arrow: it lies further out
        ax.plot([LOWEST, HIGHEST], [i, i], color="#C8C8C8", lw=1, zorder=1)
        ax.plot(
            float(np.clip(x, LOWEST, HIGHEST)),
            i,
            far or OUTCOME_SHAPES[colour],
            color=colour,
            ms=12,
        )
        digits = f"{f.value:.2f}" if f.name == "ph" else label_number(f.value)
        ax.text(
            HIGHEST + 0.15,
            i,
            " ".join(filter(None, (digits, f.unit, f.flag.upper()))),
            va="center",
            color=colour,
            fontweight="bold" if f.flag else "normal",
        )
    ax.set_yticks(range(len(rows)), [phrases.SIGN_WORDS[f.name] for f in reversed(rows)])
    ax.set_xticks([0, 1], ["lowest usual", "highest usual"])
    ax.set_xlim(LOWEST - 0.1, HIGHEST + 0.1)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)
    text, title = "; ".join(phrases.report_lines(report)), phrases.TITLES[report.test]
    return _finish_picture(fig, title, f"{title} on the usual ranges: {text}.")


@house_style
def _draw_muscles(report: Report) -> Any:
    """Draw force and twitches seen of every muscle side by side."""
    fig = new_figure(WIDTH_IN, 4.6)
    force_axes, twitch_axes = fig.subplots(1, 2, sharey=True)
    names = list(reversed(MUSCLES))
    force = {f.place: f for f in report.findings if f.name == "force"}
    seen = {f.place: f for f in report.findings if f.name == "twitches_seen"}
    for i, name in enumerate(names):
        f, colour = force[name], CHANGED if force[name].flag else HEALTH
        force_axes.barh(i, f.value, color=colour, height=0.55)
        force_axes.text(f.value + 2, i, f"{f.value:.0f} {f.flag.upper()}".strip(), va="center")
        twitch_axes.barh(i, seen[name].value, color=HEALTH, height=0.55)
        twitch_axes.text(seen[name].value, i, f"  {label_number(seen[name].value)}", va="center")
    force_axes.axvline(force[names[0]].low, color=GREY, ls="--", lw=1.5)
    force_axes.set_title("Force (dashed: lowest usual)")
    force_axes.set_xlabel("% of usual")
    force_axes.set_xlim(0, 165)
    twitch_axes.set_title("Fasciculations (twitches seen)")
    twitch_axes.set_xlabel("per minute")
    twitch_axes.margins(x=0.25)
    force_axes.set_yticks(range(len(names)), [muscle_words(n) for n in names])
    text = "; ".join(phrases.report_lines(report))
    return _finish_picture(
        fig, phrases.TITLES[report.test], f"Bars for six muscles, force and twitches seen: {text}."
    )


@house_style
def _draw_trace(report: Report) -> Any:
    """Draw the needle's second in which most happens."""
    start, wave = report.record.trace()
    time_s = report.record.time_s
    count = int(((time_s >= start) & (time_s < start + TRACE_S)).sum())
    fig = new_figure(WIDTH_IN, 4.2)
    ax = fig.add_subplot()
    ax.plot(1000.0 * np.arange(wave.size) / EMG_HZ, wave, color=HEALTH, lw=0.9)
    ax.set_xlim(0, 1000.0 * TRACE_S)
    ax.set_xlabel(f"time after {label_number(start)} s, ms")
    ax.set_ylabel("potential, µV")
    view = "the busiest second" if count else "silence"
    title = f"Needle in the {muscle_words(report.place)} at rest: {view}"
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, -QUIET_UV), max(high, QUIET_UV))  # so that noise alone looks like noise
    peak = float(np.abs(wave).max())
    text = (
        f"The needle's potential in the {muscle_words(report.place)} over the busiest second: "
        f"{pluralize(count, 'discharge')} of units near it, up to {label_number(peak)} µV from the "
        "baseline. "
        f"In all: {'; '.join(phrases.report_lines(report))}."
    )
    return _finish_picture(fig, title, text)


def _draw_curves(report: Report) -> Any:
    """Draw the curves of the nerve at the wrist over the mean healthy axon and 280 people."""
    from neurosim.clinic.excitability import examine
    from neurosim.clinic.norms import norms
    from neurosim.model.axon.axon import Conditions
    from neurosim.view.excitability_figures import picture_excitability
    from neurosim.view.excitability_words import describe_excitability

    healthy = examine(Conditions(), "ghk")
    fig = picture_excitability(report.record, healthy, norms(), "The patient's nerve at the wrist")
    fig.alt_text = (
        "Four curves of the patient's nerve over the mean healthy axon: "
        f"{describe_excitability(report.record, healthy)} "
        f"Measured: {'; '.join(phrases.report_lines(report))}."
    )
    return fig
