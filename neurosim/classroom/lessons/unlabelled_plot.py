"""Unlabelled patients drawn: which muscles twitch, in which rhythm, what they have lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.view.style import (
    ADVICE,
    BLACK,
    BLUE,
    GREY,
    PAGE_INCHES,
    PURPLE,
    VERMILION,
    add_titles,
    axes_or_new,
    house_style,
    label_number,
    muscle_words,
    new_figure,
    safe_label,
    time_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.classroom.lessons.unlabelled import Patient

RHYTHM_STYLES = ((BLUE, "o"), (VERMILION, "s"), (PURPLE, "^"))  # by RHYTHMS
NONE_PER_MIN, MOST_PER_MIN = 0.1, 5000.0
ONE_ROW_IN = 5.4  # height of the picture of one or two patients


@house_style
def picture_patients(patients: Sequence[Patient]) -> Any:
    """Draw each patient's muscles: twitches per minute by rhythm, motor units left, strength.

    Parameters
    ----------
    patients : sequence of Patient
        1 to 4.

    Raises
    ------
    NeurosimError
        For none or too many.
    """
    if not 1 <= len(patients) <= 4:
        raise NeurosimError(f"1 to 4 patients fit on the picture, not {len(patients)}.")
    rows, across = (len(patients) + 1) // 2, min(len(patients), 2)
    fig = new_figure(PAGE_INCHES[0], PAGE_INCHES[1] if rows > 1 else ONE_ROW_IN)
    grid = fig.subplots(rows, 2 * across, squeeze=False, width_ratios=(3, 2) * across)
    pairs = grid.reshape(-1, 2)
    for (rhythms, losses), patient in zip(pairs, patients, strict=False):
        plot_rhythms(patient, rhythms)
        plot_lost(patient, losses)
        losses.tick_params(labelleft=False)
    for ax in pairs[len(patients) :].ravel():
        ax.remove()
    handles = [
        pairs[0, 0].plot([], [], marker, color=colour, ls="none", ms=9, label=name)[0]
        for name, (colour, marker) in zip(_rhythm_names(), RHYTHM_STYLES, strict=True)
    ]
    fig.legend(handles=handles, loc="outside upper right", ncols=3)
    watched = time_words(patients[0].watched_s)
    title = "What each muscle does, and what it has lost"
    add_titles(fig, title, f"Simulated; each muscle watched for {watched}.")
    fig.alt_text = describe_patients(patients)
    return fig


def _rhythm_names() -> tuple[str, str, str]:
    return (
        "single twitches",
        "myokymic groups (marching)",
        "neuromyotonic bursts (rattling)",
    )


def describe_patients(patients: Sequence[Patient]) -> str:
    """Return the picture of patients in words, for its alt text."""
    sentences: list[str] = []
    for patient in patients:
        muscles = "; ".join(
            f"{muscle_words(f.muscle)}: {_rates_words(f.per_min)}, "
            f"{100 * f.units:.0f} % of the motor units, {100 * f.force:.0f} % of the strength"
            for f in patient.findings
        )
        sentences.append(f"Patient {patient.letter}. {muscles}.")
    return " ".join([*sentences, ADVICE])


def _rates_words(per_min: Sequence[float]) -> str:
    parts = [
        f"{label_number(r)} {name.split(' (')[0]} per minute"
        for r, name in zip(per_min, _rhythm_names(), strict=True)
        if r > 0
    ]
    return " and ".join(parts) or "no twitches"


def _name_muscles(ax: Any, patient: Patient) -> np.ndarray:
    """Label the rows with muscles, from the top, and return the rows' positions."""
    rows = np.arange(len(patient.findings))
    ax.set_yticks(rows, [muscle_words(f.muscle) for f in patient.findings])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color="#DDDDDD", lw=0.6)
    ax.set_axisbelow(True)
    return rows


@house_style
def plot_rhythms(patient: Patient, ax: Any = None) -> Any:
    """Draw how often each muscle of a patient twitches, by rhythm.

    Parameters
    ----------
    one : Patient
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax = axes_or_new(ax)
    _name_muscles(ax, patient)
    ax.set_xscale("log")
    ax.set_xlim(NONE_PER_MIN / 1.6, MOST_PER_MIN)
    ticks = [NONE_PER_MIN, 1, 10, 100, 1000]
    ax.set_xticks(ticks, ["none", "1", "10", "100", "1000"])
    ax.set_xticks([], minor=True)
    ax.axvline(0.3, color=GREY, lw=0.8, ls=":")
    for i, finding in enumerate(patient.findings):
        if not any(finding.per_min):
            ax.plot(NONE_PER_MIN, i, "o", color=GREY, mfc="white", ms=6)
        for k, (rate, (colour, marker)) in enumerate(
            zip(finding.per_min, RHYTHM_STYLES, strict=True)
        ):
            if rate > 0:
                x = float(np.clip(rate, 0.35, MOST_PER_MIN))
                ax.plot(x, i + 0.16 * (k - 1), marker, color=colour, ms=9)
    ax.set_title(f"Patient {safe_label(patient.letter)}")
    ax.set_xlabel("twitches per minute")
    return ax


@house_style
def plot_lost(patient: Patient, ax: Any = None) -> Any:
    """Draw the motor units that each muscle of a patient has left, and its strength.

    Parameters
    ----------
    one : Patient
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax = axes_or_new(ax)
    rows = _name_muscles(ax, patient)
    units = [100 * f.units for f in patient.findings]
    ax.barh(rows, units, height=0.55, color="#B9D7EA")
    ax.plot([100 * f.force for f in patient.findings], rows, "D", color=BLACK, ms=6)
    for y, value in zip(rows, units, strict=True):
        ax.text(2, y, f"{value:.0f} %", va="center")
    ax.axvline(100, color=GREY, lw=0.8)
    ax.set_xlim(0, 125)
    ax.set_title(
        "bar: motor units left\n\N{BLACK DIAMOND} strength", fontsize=12, fontweight="normal"
    )
    ax.set_xlabel("% of health")
    return ax
