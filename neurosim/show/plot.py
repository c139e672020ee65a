"""Figures: the chain from body to twitch, a pair of bodies, the clinic's test.

Each function returns a Matplotlib figure and never shows it; `neurosim.show.describe`
says the same in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.body.fields import FIELDS
from neurosim.membrane.excitability import (
    LONG_LEVELS,
    LONG_MS,
    TE_CURVES,
    Excitability,
    NormCurve,
)
from neurosim.membrane.indices import POLARISED_FROM_MS
from neurosim.show import describe as words
from neurosim.show import panels
from neurosim.show.course import picture_course
from neurosim.show.style import (
    ADVICE,
    BLACK,
    CHANGED,
    GREY,
    HEALTH,
    PALE,
    SKY,
    drawable,
    muscle_words,
    new_figure,
    plain_number,
    styled,
)

if TYPE_CHECKING:
    from neurosim.study.run import Result
    from neurosim.study.tally import People


@styled
def picture_chain(
    result: Result,
    against: Result | None = None,
    people: People | None = None,
    figure: Any = None,
) -> Any:
    """Draw the chain from body to twitch on one figure, a changed body beside health.

    A body that changes is drawn on its clock (`neurosim.show.course.picture_course`).

    Parameters
    ----------
    result : Result
    against : Result, optional
        The same person under another scenario; health if omitted.
    people : People, optional
        Many people under both scenarios, the changed one first.
    figure : matplotlib.figure.Figure, optional
        An empty figure to draw on.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if against is None and not words.is_healthy(result):
        against = words.healthy_partner(result)
    if result.scenario.course is not None:
        return picture_course(result, against, figure)
    lanes = [r for r in (against, result) if r is not None]
    n = len(lanes)
    fig = figure if figure is not None else new_figure(15.0, 9.0 + 1.9 * n)
    above, below = fig.subfigures(2, 1, height_ratios=[4.0, 1.0 + 3.0 * n])
    left, right = below.subfigures(1, 2, width_ratios=[3.0, 1.0])
    first = above.subplots(1, 3, width_ratios=[3.6, 2.6, 5.0])
    shown = panels.window_s(*lanes)
    panels.draw_body(first[0], result.scenario.body)
    lane_colours = panels.colours(*(r.scenario.body for r in lanes))
    panels.draw_thresholds(first[1], result, lane_colours[-1])
    panels.draw_margin(first[2], lanes, lane_colours)
    _lanes(left, lanes, lane_colours, shown)
    panels.draw_rate(right.subplots(), result, against, people)
    s = result.scenario
    fig.suptitle(
        f"{drawable(s.title)}: from blood to twitch, {muscle_words(s.muscle)}", x=0.01, ha="left"
    )
    window = panels.window_words(shown)
    fig.supxlabel(
        f"Simulated: person {result.person} of seed {s.seed}, {window}. {ADVICE}",
        x=0.01, ha="left", fontsize=11, color=GREY,
    )  # fmt: skip
    return fig


def _lanes(
    fig: Any, lanes: Sequence[Result], lane_colours: Sequence[str], shown: tuple[float, float]
) -> None:
    """Draw the raster of each lane, then the force of each on one scale."""
    n = len(lanes)
    grid = fig.add_gridspec(2 * n, 1)
    top, axes = 0.0, []
    for i, (lane, colour) in enumerate(zip(lanes, lane_colours, strict=True)):
        ax = fig.add_subplot(grid[i])
        panels.draw_raster(ax, lane, shown, colour, named=() if i else lanes)
        axes.append(fig.add_subplot(grid[n + i]))
        top = max(top, panels.draw_force(axes[-1], lane, shown, colour))
    panels.share_force_scale(axes, top)
    for ax in fig.axes:
        if ax is not axes[-1]:
            ax.set_xlabel("")
            ax.tick_params(labelbottom=False)
    panels.legend_marks(axes[0])


@styled
def picture_pair(top: Result, bottom: Result) -> Any:
    """Draw two results one above the other: discharges and force, with a line of words each."""
    fig = new_figure(12.0, 7.4)
    grid = fig.add_gridspec(4, 1, height_ratios=[1.0, 0.9, 1.0, 0.9])
    shown = panels.window_s(top, bottom)
    both = panels.colours(top.scenario.body, bottom.scenario.body)
    highest, axes = 0.0, []
    for i, (result, colour) in enumerate(zip((top, bottom), both, strict=True)):
        raster, force = (fig.add_subplot(grid[2 * i + j]) for j in (0, 1))
        panels.draw_raster(raster, result, shown, colour, named=() if i else (top, bottom))
        highest = max(highest, panels.draw_force(force, result, shown, colour))
        raster.set_title(_pair_words(result), color=colour)
        force.set_title("")
        raster.set_xlabel("")
        raster.tick_params(labelbottom=False)
        axes.append(force)
    panels.share_force_scale(axes, highest)
    axes[0].set_xlabel("")
    s = bottom.scenario
    window = panels.window_words(shown)
    fig.supxlabel(
        f"Simulated {muscle_words(s.muscle)}, one person, {window}. {ADVICE}",
        x=0.01, ha="left", fontsize=11, color=GREY,
    )  # fmt: skip
    return fig


def _pair_words(result: Result) -> str:
    abnormal = result.scenario.body.abnormal()
    why = ", ".join(f"{FIELDS[n].label} {v:g} {FIELDS[n].unit}".strip() for n, v, _ in abnormal)
    rate = plain_number(result.twitches_per_min)
    start = panels.title_of(result) + (f" ({why})" if why else "")
    return f"{start}: {rate} twitches per minute"


# --- The clinic's test -----------------------------------------------------------------


@styled
def picture_excitability(
    found: Excitability,
    healthy: Excitability,
    norms: Mapping[str, NormCurve] | None = None,
    title: str = "this body",
) -> Any:
    """Draw the four classic plots of the nerve-excitability test, changed over health.

    Parameters
    ----------
    found, healthy : Excitability
        From `neurosim.membrane.excitability.examine` with ``full=True``.
    norms : mapping, optional
        `neurosim.membrane.excitability.norms`: mean and 1.96 SD of 280 people behind them.
    title : str
        Name of the changed condition.
    """
    fig = new_figure(14.0, 10.5)
    axes = fig.subplots(2, 2)
    names = (drawable(title[:1].lower() + title[1:]), "health")
    _charge_panel(axes[0, 0], found, healthy)
    _electrotonus_panel(axes[0, 1], found, healthy, norms)
    _recovery_panel(axes[1, 0], found, healthy, norms)
    _iv_panel(axes[1, 1], found, healthy, norms)
    handles = [axes[0, 0].plot([], [], "o-", color=HEALTH, label=f"model, {names[1]}")[0]]
    if found is not healthy:
        changed = axes[0, 0].plot([], [], "D--", color=CHANGED, label=f"model, {names[0]}")
        handles = [*changed, *handles]
    if norms is not None:
        band = axes[0, 0].fill_between([], [], [], color="#D0D0D0")
        band.set_label("280 healthy people: mean ± 1.96 SD (published records)")
        handles.append(band)
    fig.legend(handles=handles, loc="outside upper left", ncols=3)
    fig.supxlabel(f"The clinic's nerve-excitability test on the model axon. {ADVICE}", x=0.01,
                  ha="left", fontsize=11, color=GREY)  # fmt: skip
    return fig


def _norm_band(ax: Any, curve: NormCurve | None) -> None:
    if curve is not None:
        ax.fill_between(curve.x, curve.mean - 1.96 * curve.sd, curve.mean + 1.96 * curve.sd,
                        color="#D0D0D0", lw=0, alpha=0.7, zorder=0)  # fmt: skip
        ax.plot(curve.x, curve.mean, color="#8C8C8C", lw=1.2, zorder=1)


def _signed(percent: float) -> str:
    """Return a level with a real minus sign."""
    return f"{percent:+d} %".replace("-", "\N{MINUS SIGN}")


def _two(ax: Any, x: np.ndarray, found: np.ndarray, healthy: np.ndarray) -> None:
    ax.plot(x, healthy, "o-", color=HEALTH, ms=5, lw=1.8)
    if found is not healthy:
        ax.plot(x, found, "D--", color=CHANGED, ms=5, lw=1.8)


def _charge_panel(ax: Any, found: Excitability, healthy: Excitability) -> None:
    """Charge against width, in per cent of the healthy charge at 1 ms (a nerve's is in mA ms).

    The upper line is named above itself, the lower one below.
    """
    whole = healthy.charge_pa_ms[-1]
    x = healthy.charge_widths_ms
    lines = [(healthy, "o", HEALTH)] + ([(found, "D", CHANGED)] if found is not healthy else [])
    higher = not found.charge_pa_ms[-1] < whole
    sides = (("health", not higher), ("changed", higher))
    for (e, _, colour), (name, above) in zip(lines, sides, strict=False):
        y = 100.0 * e.charge_pa_ms[3] / whole
        if not np.isnan(y):
            ax.annotate(name, (x[3], y), (-12, 5) if above else (12, -14), color=colour,
                        textcoords="offset points", ha="right" if above else "left",
                        fontweight="bold")  # fmt: skip
    for e, style, colour in lines:
        y = 100.0 * e.charge_pa_ms / whole
        ax.plot(x, y, style, color=colour, ms=7)
        if not np.isnan(y).any():
            line = np.polyfit(x, y, 1)
            ends = np.array([-e.tau_sd_ms, x[-1]])
            ax.plot(ends, np.polyval(line, ends), "-" if style == "o" else "--", color=colour)
    ax.axhline(0, color=BLACK, lw=0.8)
    ax.axvline(0, color=BLACK, lw=0.8)
    ax.set_xlabel("width of the pulse, ms")
    ax.set_ylabel("charge needed, % of health at 1 ms")
    ax.set_title("Charge: how much a longer pulse takes")
    ax.text(0.98, 0.06, "The line meets 0 at minus the\nstrength-duration time constant.",
            transform=ax.transAxes, ha="right", color=GREY, fontsize=10.5)  # fmt: skip


def _electrotonus_panel(ax: Any, found: Excitability, healthy: Excitability, norms: Any) -> None:
    for level, name in TE_CURVES.items():
        _norm_band(ax, norms[name] if norms is not None else None)
        x = healthy.te_delay_ms
        ax.plot(x, healthy.te_reduction_percent[level], "-", color=HEALTH, lw=1.8)
        if found is not healthy:
            ax.plot(x, found.te_reduction_percent[level], "--", color=CHANGED, lw=1.8)
        ax.text(7, level, _signed(level), color=GREY, ha="right", va="center", fontsize=10.5)
    ax.axhline(0, color=BLACK, lw=0.8)
    ax.set_xlim(left=-15)
    ax.set_xlabel("delay, ms (the current runs from 10 to 110 ms)")
    ax.set_ylabel("threshold reduction, %")
    ax.set_title("Electrotonus: how it follows a steady current")
    _long_inset(ax, found, healthy)


def _long_inset(ax: Any, found: Excitability, healthy: Excitability) -> None:
    """Draw the stronger hyperpolarising currents small, in thin lines: no norms are at hand."""
    inset = ax.inset_axes((0.64, 0.09, 0.35, 0.28))
    x = healthy.te_long_delay_ms
    for level in LONG_LEVELS:
        inset.plot(x, healthy.te_long_reduction_percent[level], "-", color=HEALTH, lw=0.9)
        if found is not healthy:
            inset.plot(x, found.te_long_reduction_percent[level], "--", color=CHANGED, lw=0.9)
        end = healthy.te_long_reduction_percent[level][x == POLARISED_FROM_MS + LONG_MS - 1]
        if np.isfinite(end).all():
            inset.text(218, end[0], _signed(level), color=GREY, va="center", fontsize=10)
    inset.axhline(0, color=BLACK, lw=0.6)
    inset.set_xticks([10, 110, 210])
    inset.set_yticks([0, -200, -400])
    inset.tick_params(labelsize=10)
    inset.set_title("10 to 210 ms; no norms", fontsize=10, pad=2, fontweight="normal", color=GREY)


def _recovery_panel(ax: Any, found: Excitability, healthy: Excitability, norms: Any) -> None:
    _norm_band(ax, norms["recovery_cycle"] if norms is not None else None)
    x = healthy.recovery_interval_ms
    _two(ax, x, found.recovery_change_percent, healthy.recovery_change_percent)
    ax.axhline(0, color=BLACK, lw=0.8)
    ax.set_xscale("log")
    ticks = [2, 3, 5, 10, 20, 50, 100, 200]
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.set_xticks([], minor=True)
    ax.set_ylim(-50, 110)
    ax.set_xlabel("time after a discharge, ms")
    ax.set_ylabel("threshold change, %")
    ax.set_title("Recovery: how ready it is after a discharge")
    ax.text(0.99, 0.97, "up: harder to fire", transform=ax.transAxes, ha="right", va="top",
            color=GREY)  # fmt: skip
    ax.text(0.99, 0.03, "down: easier to fire", transform=ax.transAxes, ha="right", color=GREY)


def _iv_panel(ax: Any, found: Excitability, healthy: Excitability, norms: Any) -> None:
    _norm_band(ax, norms["threshold_iv"] if norms is not None else None)
    x = healthy.iv_current_percent
    _two(ax, x, found.iv_reduction_percent, healthy.iv_reduction_percent)
    ax.axhline(0, color=BLACK, lw=0.8)
    ax.axvline(0, color=BLACK, lw=0.8)
    ax.set_xlabel("steady current for 200 ms, % of threshold")
    ax.set_ylabel("threshold reduction, %")
    ax.set_title("Current and threshold: how the membrane conducts")


# --- Sweep and soma --------------------------------------------------------------------


@styled
def picture_sweep(
    label: str,
    values: Sequence[float],
    per_min: np.ndarray,
    reference: tuple[float, float] | None = None,
    duration_s: float = 600.0,
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
    """
    x, rates = np.asarray(values, float), np.asarray(per_min, float)
    fig = new_figure(11.0, 6.5)
    ax = fig.add_subplot()
    if reference is not None:
        ax.axvspan(*reference, color=PALE, zorder=0)
        ax.text(sum(reference) / 2, 1.005, "reference range", color=GREY, ha="center",
                va="bottom", transform=ax.get_xaxis_transform())  # fmt: skip
    least = 60.0 / duration_s
    zero = least / 4.0
    y = np.where(rates > 0, rates, zero)
    ax.plot(np.repeat(x, rates.shape[1]), y.ravel(), "o", color=SKY, ms=5, alpha=0.6, ls="none",
            label="one person")  # fmt: skip
    middle = np.median(rates, axis=1)
    ax.plot(x, np.where(middle > 0, middle, zero), "D-", color=CHANGED, ms=8, lw=2,
            label="median person")  # fmt: skip
    none = zero if (rates == 0).any() else None
    panels.log_rate_axis(ax, least, float(y.max()), none, float(y.min()))
    ax.set_xlabel(drawable(label))
    ax.set_ylabel("twitches per minute")
    fig.suptitle("Sweep: how often it twitches when one value changes", x=0.01, ha="left")
    fig.legend(loc="outside upper right", ncols=2)
    fig.supxlabel(f"{rates.shape[1]} simulated people. {ADVICE}", x=0.01, ha="left", fontsize=11,
                  color=GREY)  # fmt: skip
    return fig


@styled
def picture_soma(trace: Any, neuron: int = 0) -> Any:
    """Draw potential and threshold of a motor neuron's cell body, the threshold's parts named.

    Parameters
    ----------
    trace : SomaTrace
    neuron : int
        Which of the neurons.
    """
    fig = new_figure(12.0, 6.5)
    ax = fig.add_subplot()
    t = trace.time_ms
    base = trace.threshold_baseline_mv
    rested = base + trace.threshold_electrolyte_mv
    ax.plot(t, trace.potential_mv[neuron], color=HEALTH, lw=1.3)
    ax.plot(t, trace.threshold_mv[neuron], "--", color=CHANGED, lw=2.2)
    ax.axhline(base, color=GREY, lw=1.2, ls=":")
    ax.plot(t, np.full(t.size, rested), color=BLACK, lw=1.2, ls="-.")
    spikes = trace.spikes[neuron]
    high = max(float(trace.threshold_mv[neuron].max()), base)
    low = float(trace.potential_mv[neuron].min())
    ax.plot(spikes, np.full(spikes.size, high + 0.12 * (high - low)), "v", color=BLACK, ms=8,
            ls="none")  # fmt: skip
    ax.set_xlim(t[0], t[-1])
    ax.set_ylim(low - 0.05 * (high - low), high + 0.22 * (high - low))
    ax.set_xlabel("time, ms")
    ax.set_ylabel("potential, mV")
    ax.set_title("Cell body: the potential wanders, the threshold waits")
    labels = [
        ("potential", HEALTH, "solid"), ("threshold, all parts", CHANGED, "dashed"),
        (f"healthy threshold {base:.1f} mV", GREY, "dotted"),
        (f"with the ions' part {trace.threshold_electrolyte_mv:+.1f} mV", BLACK, "dash-dot"),
        ("what recent spikes add is the rest", GREY, ""),
        (f"{spikes.size} spikes (triangles)", BLACK, ""),
    ]  # fmt: skip
    for i, (text, colour, style) in enumerate(labels):
        ax.text(1.01, 0.95 - 0.08 * i, f"{text} ({style})" if style else text, color=colour,
                transform=ax.transAxes, va="top")  # fmt: skip
    fig.supxlabel(f"Simulated. {ADVICE}", x=0.01, ha="left", fontsize=11, color=GREY)
    return fig
