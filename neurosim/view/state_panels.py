"""The panels of the first steps of the chain: body, threshold and margin.

Every `plot_*` takes its data and then `ax` (new axes if omitted), returns the axes, and changes
neither the data nor Matplotlib's settings.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.model.body.fields import FIELDS
from neurosim.model.soma.soma import SomaConditions, margin_mv
from neurosim.view.describe_body import count_ectopic_sites, site_rates_per_min
from neurosim.view.panels import body_colours
from neurosim.view.style import (
    BLACK,
    CHANGED,
    GREY,
    HEALTH,
    LINE_STYLES,
    OUTCOME_SHAPES,
    PALE,
    axes_or_new,
    house_style,
    label_number,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.model.body.state import Body
    from neurosim.simulation.result import Result


# --- Body ------------------------------------------------------------------------------


def _range_position(name: str, value: float) -> float:
    """Return where a value lies: 0 to 1 in the reference range, -1 and 2 at the limits."""
    f = FIELDS[name]
    if value < f.low:
        return (value - f.low) / (f.low - f.lowest)
    if value > f.high:
        return 1.0 + (value - f.high) / (f.highest - f.high)
    return (value - f.low) / (f.high - f.low) if f.high > f.low else 0.5


@house_style
def plot_body(body: Body, ax: Any = None) -> Any:
    """Draw every value of a body on its reference range; abnormal values stand out.

    Parameters
    ----------
    body : Body
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax = axes_or_new(ax)
    names = [name for name, f in FIELDS.items() if f.is_shown(getattr(body, name))]
    ax.axvspan(0, 1, color=PALE, zorder=0)
    for row, name in enumerate(reversed(names)):
        f, value = FIELDS[name], getattr(body, name)
        side = f.side(value)
        x = _range_position(name, value)
        # A scale has no survivable ends: it runs from none to the strongest.
        ax.plot([0.5 if f.is_scale else -1, 2], [row, row], color="#C8C8C8", lw=1, zorder=1)
        colour = CHANGED if side else GREY
        ax.plot(x, row, marker="D" if side else "o", ms=10 if side else 7, color=colour, zorder=3)
        mark = "" if not f.usual else side.upper()
        unit = "of 1" if f.is_scale else f.unit
        text = f"{value:.4g} {unit} {mark}".replace("  ", " ").strip()
        weight = "bold" if side else "normal"
        ax.text(2.3, row, text, va="center", color=colour, fontweight=weight)
    labels = [FIELDS[n].label for n in reversed(names)]
    ax.set_yticks(range(len(names)), labels)
    ax.set_xticks([-1, 0.5, 2], ["lowest\nsurvivable", "reference\nrange", "highest\nsurvivable"])
    ax.set_xlim(-1.15, 3.4)
    ax.set_ylim(-0.7, len(names) - 0.3)
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_title("Body: what is in the blood")
    return ax


# --- Threshold and margin --------------------------------------------------------------


@house_style
def plot_thresholds(result: Result, ax: Any = None, *, colour: str = "") -> Any:
    """Draw the axon's thresholds and the cell body's margin in per cent of health.

    Parameters
    ----------
    result : Result
    ax : matplotlib axes, optional
        New ones if omitted.
    colour : str
        A key of `LINE_STYLES`; that of the body if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, colour = axes_or_new(ax), colour or body_colours(result.scenario.body)[0]
    percent = result.excitability.relative_to(result.healthy)
    margin, healthy = margin_mv(result.state.soma), margin_mv(SomaConditions())
    rows = [
        ("axon,\n1-ms pulse", percent["threshold_1ms_percent"]),
        ("axon,\n20-ms pulse", percent["threshold_20ms_percent"]),
        ("cell body,\nmargin in mV", 100.0 * margin / healthy),
    ]
    known = [100.0, *(v for _, v in rows if not math.isnan(v))]
    low, high = min(known), max(known)
    pad = max(0.3 * (high - low), 8.0)
    ax.plot([100, 100], [-0.5, 2.6], color=HEALTH, lw=2)
    ax.text(100, 2.68, "health = 100 %", color=HEALTH, ha="center")
    for y, (_, value) in enumerate(reversed(rows)):
        blocked = math.isnan(value)
        text = "blocked: no\npulse fires it" if blocked else f"{value:.0f} %"
        if not blocked:
            ax.plot([100, value], [y, y], color=colour, lw=3)
            ax.plot(value, y, OUTCOME_SHAPES[colour], ms=10, color=colour, zorder=3)
        ax.text(
            100 if blocked else value,
            y + 0.22,
            text,
            ha="center",
            color=colour,
            fontweight="bold",
            bbox=_WHITE_BOX,
            zorder=2,
        )
    ax.set_yticks(range(3), [name for name, _ in reversed(rows)])
    ax.set_ylim(-0.5, 3.0)
    ax.set_xlim(low - pad, high + pad)
    ax.locator_params(axis="x", nbins=4)
    ax.set_xlabel("needed to fire, % of health")
    ax.set_title("Threshold: what it takes")
    return ax


_WHITE_BOX = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
RARELY, OFTEN = 1e-4, 1e3  # bursts per minute at both ends of the margin's axis


@house_style
def plot_margin(lanes: Sequence[Result], ax: Any = None) -> Any:
    """Draw how many of a person's sites fire by themselves how often.

    Parameters
    ----------
    lanes : sequence of Result
        Of one person; the last one is the changed one.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax = axes_or_new(ax)
    most = [
        _draw_site_rates(ax, lane, colour, 0.99 - 0.1 * i)
        for i, (lane, colour) in enumerate(zip(lanes, _lane_colours(lanes), strict=True))
    ]
    ax.axvline(1.0, color=BLACK, lw=0.8, ls=":")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(RARELY, OFTEN)
    top = max(*most, 1)
    ax.set_ylim(0.7, (10.0 * top) ** (1.0 + 0.06 * len(lanes)))
    ax.set_xticks([1e-4, 1e-2, 1, 100], ["0.0001", "0.01", "1", "100"])
    ax.set_xticks([], minor=True)
    ticks = [10**k for k in range(1 + int(np.log10(10 * top)))]
    ax.set_yticks(ticks, [label_number(t) for t in ticks])
    ax.set_yticks([], minor=True)
    ax.set_xlabel("how often a site fires, per minute\n(from the dotted line on: ectopic)")
    ax.set_ylabel("number of sites that fire\nso often or more often", labelpad=24)
    ax.set_title("Margin: sites by rate", loc="right")
    return ax


_LINE_NAMES = {
    HEALTH: ("health", "dashed"),
    CHANGED: ("changed", "solid"),
    BLACK: ("compared", "dash-dotted"),
}


def _draw_site_rates(ax: Any, result: Result, colour: str, height: float) -> int:
    """Draw the number of sites above each rate, and its name; return the largest number."""
    rates = np.sort(site_rates_per_min(result))[::-1]
    rates = rates[rates >= RARELY]
    count = np.arange(1, rates.size + 1)
    if rates.size:
        ax.plot(
            np.append(np.minimum(rates, OFTEN), RARELY),
            np.append(count, rates.size),
            LINE_STYLES[colour],
            color=colour,
            lw=2.5,
            drawstyle="steps-pre",
        )
    ectopic = count_ectopic_sites(result)
    if ectopic:
        ax.plot(1.0, ectopic, OUTCOME_SHAPES[colour], ms=10, color=colour, zorder=5)
    name, line = _LINE_NAMES[colour]
    ax.text(
        0.99,
        height,
        f"{name} ({line}): {ectopic or 'none'} ectopic",
        color=colour,
        transform=ax.transAxes,
        ha="right",
        va="top",
        fontweight="bold",
        zorder=6,
        bbox=_WHITE_BOX,
    )
    return rates.size


def _lane_colours(lanes: Sequence[Result]) -> list[str]:
    return body_colours(*(lane.scenario.body for lane in lanes))
