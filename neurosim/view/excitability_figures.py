"""Figures of the clinic's excitability test: four panels as its programs draw them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.clinic.conditioning import LONG_LEVELS, LONG_MS
from neurosim.clinic.indices import POLARISED_FROM_MS
from neurosim.clinic.norms import TE_CURVES, NormCurve
from neurosim.view import excitability_words
from neurosim.view.style import (
    BAND,
    BLACK,
    CHANGED,
    GREY,
    HEALTH,
    LINE_STYLES,
    OUTCOME_SHAPES,
    SMALLEST_PT,
    add_titles,
    axes_or_new,
    house_style,
    new_figure,
    safe_label,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neurosim.clinic.excitability import Excitability

    pass


@house_style
def picture_excitability(
    examination: Excitability,
    healthy: Excitability,
    norms: Mapping[str, NormCurve] | None = None,
    title: str = "this body",
) -> Any:
    """Draw the four classic plots of the nerve-excitability test, changed over health.

    Parameters
    ----------
    examination, healthy : Excitability
        From `neurosim.clinic.excitability.examine` with ``full=True``.
    norms : mapping, optional
        `neurosim.clinic.norms.norms`: mean and 1.96 SD of 280 people behind them.
    title : str
        Name of the changed condition.

    Returns
    -------
    Picture
        Its `alt_text` is that of `neurosim.view.excitability_words.describe_excitability`.
    """
    fig = new_figure()
    axes = fig.subplots(2, 2)
    plot_charge(examination, healthy, axes[0, 0])
    plot_electrotonus(examination, healthy, norms, axes[0, 1])
    plot_recovery(examination, healthy, norms, axes[1, 0])
    plot_iv(examination, healthy, norms, axes[1, 1])
    name = safe_label(title[:1].lower() + title[1:])
    fig.legend(
        handles=_test_handles(examination is not healthy, norms is not None, name),
        loc="outside upper left",
        ncols=3,
    )
    add_titles(fig, "", "The clinic's nerve-excitability test on the model axon.")
    fig.alt_text = (
        f"Nerve-excitability test, {title}.\n"
        + excitability_words.describe_excitability(examination, healthy)
    )
    return fig


def _test_handles(changed: bool, band: bool, name: str) -> list[Any]:
    """Return marks for the legend of the test."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    looks = [(CHANGED, f"model, {name}")] if changed else []
    handles: list[Any] = [
        Line2D(
            [], [], color=colour, ls=LINE_STYLES[colour], marker=OUTCOME_SHAPES[colour], label=label
        )
        for colour, label in (*looks, (HEALTH, "model, health"))
    ]
    label = "280 healthy people: mean ± 1.96 SD (published records)"
    return [*handles, Patch(color=BAND, label=label)] if band else handles


def _draw_norm_band(ax: Any, curve: NormCurve | None) -> None:
    if curve is not None:
        ax.fill_between(
            curve.x,
            curve.mean - 1.96 * curve.sd,
            curve.mean + 1.96 * curve.sd,
            color=BAND,
            lw=0,
            alpha=0.7,
            zorder=0,
        )
        ax.plot(curve.x, curve.mean, color="#8C8C8C", lw=1.2, zorder=1)


def _format_level(percent: float) -> str:
    """Return a level with a real minus sign."""
    return f"{percent:+d} %".replace("-", "\N{MINUS SIGN}")


def _draw_pair(
    ax: Any, x: np.ndarray, changed: np.ndarray, healthy: np.ndarray, **look: Any
) -> None:
    """Draw health and, where there is one, the changed state over it."""
    ax.plot(x, healthy, LINE_STYLES[HEALTH], color=HEALTH, **({"lw": 1.8} | look))
    if changed is not healthy:
        ax.plot(x, changed, LINE_STYLES[CHANGED], color=CHANGED, **({"lw": 1.8} | look))


def _draw_marked(ax: Any, x: np.ndarray, changed: np.ndarray, healthy: np.ndarray) -> None:
    _draw_pair(ax, x, changed, healthy)
    ax.plot(x, healthy, OUTCOME_SHAPES[HEALTH], color=HEALTH, ms=5)
    if changed is not healthy:
        ax.plot(x, changed, OUTCOME_SHAPES[CHANGED], color=CHANGED, ms=5)


@house_style
def plot_charge(examination: Excitability, healthy: Excitability, ax: Any = None) -> Any:
    """Draw charge against width, in per cent of the healthy charge at 1 ms.

    A nerve's is in mA ms, so only the shape can be compared.

    Parameters
    ----------
    examination, healthy : Excitability
        With ``full=True``; twice the same draws health alone.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, x = axes_or_new(ax), healthy.charge_widths_ms
    healthy_charge = healthy.charge_pa_ms[-1]
    higher = not examination.charge_pa_ms[-1] < healthy_charge
    lines = [(healthy, HEALTH, "health", not higher)]
    lines += [(examination, CHANGED, "changed", higher)] if examination is not healthy else []
    for e, colour, name, above in lines:
        y = 100.0 * e.charge_pa_ms / healthy_charge
        ax.plot(x, y, OUTCOME_SHAPES[colour], color=colour, ms=7)
        if np.isnan(y).any():
            continue
        # The upper line is named above itself, the lower one below.
        ax.annotate(
            name,
            (x[3], y[3]),
            (-12, 5) if above else (12, -14),
            color=colour,
            textcoords="offset points",
            ha="right" if above else "left",
            fontweight="bold",
        )
        ends = np.array([-e.tau_sd_ms, x[-1]])
        ax.plot(ends, np.polyval(np.polyfit(x, y, 1), ends), LINE_STYLES[colour], color=colour)  # pyright: ignore[reportUnknownArgumentType]
    ax.axhline(0, color=BLACK, lw=0.8)
    ax.axvline(0, color=BLACK, lw=0.8)
    ax.set_xlabel("width of the pulse, ms")
    ax.set_ylabel("charge needed, % of health at 1 ms")
    ax.set_title("Charge: how much a longer pulse takes")
    ax.text(
        0.98,
        0.1,
        "The line meets 0 at minus the\nstrength-duration time constant.",
        transform=ax.transAxes,
        ha="right",
        color=GREY,
    )
    return ax


@house_style
def plot_electrotonus(
    examination: Excitability, healthy: Excitability, norms: Any = None, ax: Any = None
) -> Any:
    """Draw threshold electrotonus; stronger hyperpolarising currents in a small plot within.

    Parameters
    ----------
    examination, healthy : Excitability
        With ``full=True``; twice the same draws health alone.
    norms : mapping, optional
        `neurosim.clinic.norms.norms`.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, x = axes_or_new(ax), healthy.te_delay_ms
    for level, name in TE_CURVES.items():
        _draw_norm_band(ax, norms[name] if norms is not None else None)
        health = healthy.te_reduction_percent[level]
        _draw_pair(
            ax,
            x,
            health if examination is healthy else examination.te_reduction_percent[level],
            health,
        )
        ax.text(7, level, _format_level(level), color=GREY, ha="right", va="center")
    ax.axhline(0, color=BLACK, lw=0.8)
    ax.set_xlim(left=-17)
    ax.set_xlabel("delay, ms (the current runs from 10 to 110 ms)")
    ax.set_ylabel("threshold reduction, %")
    ax.set_title("Electrotonus: how it follows a steady current")
    _draw_long_inset(ax, examination, healthy)
    return ax


def _draw_long_inset(ax: Any, examination: Excitability, healthy: Excitability) -> None:
    """Draw the stronger hyperpolarising currents small, in thin lines: no norms are at hand."""
    inset = ax.inset_axes((0.62, 0.1, 0.37, 0.3))
    x = healthy.te_long_delay_ms
    for level in LONG_LEVELS:
        health = healthy.te_long_reduction_percent[level]
        _draw_pair(
            inset,
            x,
            health if examination is healthy else examination.te_long_reduction_percent[level],
            health,
            lw=0.9,
        )
        end = health[x == POLARISED_FROM_MS + LONG_MS - 1]
        if np.isfinite(end).all():
            inset.text(
                218, end[0], _format_level(level), color=GREY, va="center", fontsize=SMALLEST_PT
            )
    inset.axhline(0, color=BLACK, lw=0.6)
    inset.set_xticks([10, 110, 210])
    inset.set_yticks([0, -200, -400])
    inset.tick_params(labelsize=SMALLEST_PT)
    inset.set_title(
        "10 to 210 ms; no norms", fontsize=SMALLEST_PT, pad=2, fontweight="normal", color=GREY
    )


@house_style
def plot_recovery(
    examination: Excitability, healthy: Excitability, norms: Any = None, ax: Any = None
) -> Any:
    """Draw the recovery cycle: how the threshold changes after a discharge.

    Parameters
    ----------
    examination, healthy : Excitability
        With ``full=True``; twice the same draws health alone.
    norms : mapping, optional
        `neurosim.clinic.norms.norms`.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax = axes_or_new(ax)
    _draw_norm_band(ax, norms["recovery_cycle"] if norms is not None else None)
    x, health = healthy.recovery_interval_ms, healthy.recovery_change_percent
    _draw_marked(
        ax, x, health if examination is healthy else examination.recovery_change_percent, health
    )
    ax.axhline(0, color=BLACK, lw=0.8)
    ax.set_xscale("log")
    ticks = [2, 3, 5, 10, 20, 50, 100, 200]
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.set_xticks([], minor=True)
    ax.set_ylim(-50, 110)
    ax.set_xlabel("time after a discharge, ms")
    ax.set_ylabel("threshold change, %")
    ax.set_title("Recovery: how ready it is after a discharge")
    ax.text(
        0.99, 0.97, "up: harder to fire", transform=ax.transAxes, ha="right", va="top", color=GREY
    )
    ax.text(0.99, 0.03, "down: easier to fire", transform=ax.transAxes, ha="right", color=GREY)
    return ax


@house_style
def plot_iv(
    examination: Excitability, healthy: Excitability, norms: Any = None, ax: Any = None
) -> Any:
    """Draw the threshold after a long steady current against that current.

    Parameters
    ----------
    examination, healthy : Excitability
        With ``full=True``; twice the same draws health alone.
    norms : mapping, optional
        `neurosim.clinic.norms.norms`.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax = axes_or_new(ax)
    _draw_norm_band(ax, norms["threshold_iv"] if norms is not None else None)
    x, health = healthy.iv_current_percent, healthy.iv_reduction_percent
    _draw_marked(
        ax, x, health if examination is healthy else examination.iv_reduction_percent, health
    )
    ax.axhline(0, color=BLACK, lw=0.8)
    ax.axvline(0, color=BLACK, lw=0.8)
    ax.set_xlabel("steady current for 200 ms, % of threshold")
    ax.set_ylabel("threshold reduction, %")
    ax.set_title("Current and threshold: how the membrane conducts")
    return ax
