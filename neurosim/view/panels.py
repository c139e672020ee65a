"""The panels of discharges, force and rate; those of body and threshold are `state_panels`.

Every `plot_*` takes its data and then `ax` (new axes if omitted), returns the axes, and changes
neither the data nor Matplotlib's settings.
"""

from __future__ import annotations

import math
from textwrap import fill, shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.model.body.state import Body
from neurosim.model.firing.discharge import PROCESSES
from neurosim.model.muscle.force import TwitchScales, muscle_force_mn
from neurosim.view.describe_ratio import RatioFacts, people_ratio, person_ratio, ratio_facts
from neurosim.view.style import (
    BLACK,
    CHANGED,
    GREY,
    HEALTH,
    ORIGIN_MARKS,
    OUTCOME_SHAPES,
    PALE,
    axes_or_new,
    house_style,
    label_number,
    plain_numbers,
    pluralize,
    safe_label,
    time_unit,
    time_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.model.muscle.events import Twitches
    from neurosim.simulation.people import People
    from neurosim.simulation.result import Result

MANY_DISCHARGES = 150  # twitches in a whole run above which only a part of it is drawn
PLATEAU = PROCESSES.index("plateau")  # of motor neurons that hold themselves firing
WINDOWS_S = (10.0, 30.0, 60.0, 300.0, 600.0, 3600.0, 21_600.0, 86_400.0, 604_800.0)
LONGEST_TRACE_S = 900.0  # a longer force is drawn as one line per twitch


def window_s(*results: Result) -> tuple[float, float]:
    """Return start and end (s) of the part of the run to draw.

    All of it where twitches are rare, otherwise so much of its end that they can be told
    apart: by then the sodium load of busy units has settled. Where motor neurons hold themselves
    firing now and then and the end has no such episode, the part as long that has most of one.
    """
    duration = results[0].scenario.duration_s
    busiest = max(len(r.twitches) for r in results)
    if busiest <= MANY_DISCHARGES:
        return 0.0, duration
    needed = duration * MANY_DISCHARGES / busiest
    length = min(duration, max((w for w in WINDOWS_S if w <= needed), default=WINDOWS_S[0]))
    held_s = np.concatenate([r.firing.time_s[r.firing.process == PLATEAU] for r in results])
    before = np.floor((duration - held_s) / length).astype(int)  # lengths before the end
    whole = np.bincount(before[before < int(duration / length)], minlength=1)
    end = duration if whole[0] else duration - length * int(whole.argmax())
    return end - length, end


def window_words(window: tuple[float, float], duration_s: float) -> str:
    """Return in words which part of a run is drawn."""
    start, end = window
    if start <= 0 and end >= duration_s:
        return f"all {time_words(end)} shown"
    length, all_of_it = time_words(end - start), time_words(duration_s)
    if end >= duration_s:
        return f"the last {length} of {all_of_it} shown"
    return f"{length} of {all_of_it} shown, from {time_words(start)} on"


def _time_label(window: tuple[float, float], duration_s: float) -> str:
    start, end = window
    label = f"time, {time_unit(end - start)[1]}"
    if end < duration_s:
        return f"{label} (from {time_words(start)} on)"
    return f"{label} (the last {time_words(end - start)})" if start > 0 else label


def lane_title(result: Result) -> str:
    """Return the name of a result's lane."""
    if result.scenario.body == Body() and result.scenario.course is None:
        return "In health"
    return safe_label(shorten(result.scenario.title, 34, placeholder=" ..."))


def body_colours(*bodies: Body) -> list[str]:
    """Return one colour for each body: blue for health, vermilion for the last changed one."""
    colours = [HEALTH if body == Body() else CHANGED for body in bodies]
    if len(colours) > 1 and colours[0] == colours[-1] == CHANGED:
        colours[0] = BLACK
    return colours


# --- Raster and force ------------------------------------------------------------------


@house_style
def plot_raster(
    result: Result,
    window: tuple[float, float] | None = None,
    ax: Any = None,
    *,
    colour: str = "",
    key: bool = False,
) -> Any:
    """Draw the discharges of one result by unit; shape and colour show their origin.

    Parameters
    ----------
    result : Result
    window : (float, float), optional
        Which part of the time to draw, s; that of `window_s` if omitted.
    ax : matplotlib axes, optional
        New ones if omitted.
    colour : str
        Of the title; that of the body if omitted.
    key : bool
        Whether to add a legend of the origins.

    Returns
    -------
    matplotlib axes
    """
    ax, firing = axes_or_new(ax), result.firing
    start, end = window or window_s(result)
    size, _ = time_unit(end - start)
    drawn = (firing.time_s >= start) & (firing.time_s <= end)
    marks = {"ms": 4 if drawn.sum() > 400 else 6, "ls": "none", "mew": 0, "alpha": 0.85}
    for origin, (origin_colour, marker, _) in enumerate(ORIGIN_MARKS):
        mask = drawn & (firing.origin == origin)
        time = (firing.time_s[mask] - start) / size
        ax.plot(time, firing.unit[mask] + 1, marker, color=origin_colour, **marks)
    bursts = int((firing.place[drawn] == 0).sum())
    ax.set_title(
        f"{lane_title(result)}: {pluralize(bursts, 'burst')}",
        color=colour or body_colours(result.scenario.body)[0],
    )
    if not bursts:
        text = f"silent for {time_words(end - start)}"
        ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=GREY)
    ax.set_xlim(0, (end - start) / size)
    ax.set_ylim(1 - 0.06 * result.sites.units, 1.06 * result.sites.units)
    ax.set_yticks([1, result.sites.units])
    ax.set_ylabel("motor unit,\nsmall to large")
    ax.set_xlabel(_time_label((start, end), result.scenario.duration_s))
    if key:
        ax.legend(
            handles=origin_handles([result]),
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=5,
            **_COMPACT_LEGEND,
        )
    return ax


_COMPACT_LEGEND = {"handletextpad": 0.2, "columnspacing": 1.2, "borderaxespad": 0.1}


def origin_handles(results: Sequence[Result]) -> list[Any]:
    """Return marks for a legend: the origins of healthy people and those of these results."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], marker=marker, color=colour, ls="none", ms=7, label=name)
        for origin, (colour, marker, name) in enumerate(ORIGIN_MARKS)
        if origin < 3 or any((r.firing.origin == origin).any() for r in results)
    ]


def _force_mn(result: Result, window: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return time (s) within the window and force (mN), computed for that part only."""
    firing, state = result.firing, result.state
    start, end = window
    near = (firing.time_s >= start - 5.0) & (firing.time_s <= end)  # earlier twitches are over
    hz = 500.0 if end - start <= 120 else 100.0
    force = muscle_force_mn(
        firing.time_s[near] - start,
        firing.unit[near],
        result.scenario.muscle,
        end - start,
        hz,
        TwitchScales(
            state.unit_force_scale * state.transmission * result.reaches,
            state.contraction_time_scale,
        ),
    )
    return np.arange(force.size) / hz, force


@house_style
def plot_force(
    result: Result,
    window: tuple[float, float] | None = None,
    ax: Any = None,
    *,
    colour: str = "",
) -> Any:
    """Draw the force of one result with its twitches marked: filled if visible at the skin.

    Parameters
    ----------
    result : Result
    window : (float, float), optional
        Which part of the time to draw, s; that of `window_s` if omitted.
    ax : matplotlib axes, optional
        New ones if omitted.
    colour : str
        That of the body if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, colour = axes_or_new(ax), colour or body_colours(result.scenario.body)[0]
    window = window or window_s(result)
    twitches = result.twitches
    start, end = window
    size, _ = time_unit(end - start)
    drawn = (twitches.onset_s >= start) & (twitches.onset_s <= end)
    top = max(float(twitches.peak_mn[drawn].max(initial=0.0)), 1.0)
    onset = (twitches.onset_s - start) / size
    if end - start <= LONGEST_TRACE_S:
        time, force = _force_mn(result, window)
        ax.plot(time / size, force, color=colour, lw=1.0)
        top = max(top, float(force.max(initial=0.0)))
    else:
        ax.vlines(onset[drawn], 0, twitches.peak_mn[drawn], color=colour, lw=1.0)
    marks = {"ls": "none", "mew": 1.1, "ms": 4 if drawn.sum() > 150 else 6, "mec": colour}
    for visible, inside in ((False, "white"), (True, colour)):
        mask = drawn & (twitches.visible == visible)
        ax.plot(onset[mask], twitches.peak_mn[mask], "o", mfc=inside, **marks)
    ax.set_title(f"{lane_title(result)}: {_count_words(twitches, drawn)}", color=colour)
    ax.set_xlim(0, (end - start) / size)
    ax.set_ylim(-0.03 * top, 1.12 * top)
    ax.yaxis.set_major_formatter(plain_numbers())
    ax.set_ylabel("force, mN")
    ax.set_xlabel(_time_label(window, result.scenario.duration_s))
    return ax


def _count_words(twitches: Twitches, drawn: np.ndarray) -> str:
    """Return how many of the drawn events are twitches, spasms and visible."""
    painless = drawn & ~twitches.painful
    spasms = int((drawn & twitches.painful).sum())
    visible = int((painless & twitches.visible).sum())
    text = pluralize(int(painless.sum()), "twitch")
    if spasms:
        text += f" and {pluralize(spasms, 'spasm')}"
    if painless.any():
        text += f", {label_number(visible) if visible else 'none'} visible"
    return text


def share_force_scale(axes: Sequence[Any]) -> None:
    """Give every force panel the axis of the strongest."""
    low, high = np.array([ax.get_ylim() for ax in axes]).T
    for ax in axes:
        ax.set_ylim(low.min(), high.max())


def force_handles() -> list[Any]:
    """Return marks for a legend: what filled and open circles mean."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], marker="o", mec=GREY, mfc=inside, ls="none", ms=7, label=name)
        for inside, name in ((GREY, "filled: fasciculation"), ("white", "open: too weak to see"))
    ]


# --- Rate ------------------------------------------------------------------------------


@house_style
def plot_rate(
    result: Result, against: Result | None = None, people: People | None = None, ax: Any = None
) -> Any:
    """Draw twitches per minute beside health: one pair of dots for each person.

    Parameters
    ----------
    result : Result
    against : Result, optional
        The same person under another scenario.
    people : People, optional
        Many people under both scenarios, the changed one first; drawn in place of the two.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax = axes_or_new(ax)
    if people is not None:
        scenarios = list(people.scenarios[:2])[::-1]
        rates = people.per_min[:2][::-1]
        names = [safe_label(s.title) for s in scenarios]
        ratio = ratio_facts(*people_ratio(people)) if len(scenarios) > 1 else None
    else:
        results = [r for r in (against, result) if r is not None]
        scenarios = [r.scenario for r in results]
        rates = np.array([[r.twitches_per_min] for r in results])
        names = [lane_title(r) for r in results]
        ratio = None if against is None else ratio_facts(person_ratio(result, against))
    names = [
        "in health" if s.body == Body() and s.course is None else name
        for s, name in zip(scenarios, names, strict=True)
    ]
    _draw_rates(ax, rates, [s.body for s in scenarios], names, scenarios[0].duration_s)
    ax.set_ylabel("twitches per minute")
    ax.set_title("Rate: how often")
    if ratio is not None:
        _write_ratio(ax, rates.shape[1], ratio)
    return ax


def _write_ratio(ax: Any, people: int, ratio: RatioFacts) -> None:
    """Write the ratio of two rates, in words, into the top of the panel."""
    lines = [f"{people} people:" if people > 1 else "this person, long run:"]
    lines += [ratio.band.words, *([f"({ratio.interval})"] if ratio.interval else [])]
    text = "\n".join(_wrap_words(line, 22) for line in lines)
    _add_headroom(ax, 0.06 + 0.09 * (1 + text.count("\n")))
    label = ax.text(0.02, 0.99, text, transform=ax.transAxes, va="top", fontsize=11.5)
    label.set_in_layout(False)


def _add_headroom(ax: Any, share: float) -> None:
    """Raise the top of a logarithmic axis until a share of it is empty, and tick it no higher."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, low * (high / 4.0 / low) ** (1.0 / (1.0 - share)))
    ticks = [
        (t, label)
        for t, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
        if t <= high
    ]
    ax.set_yticks([t for t, _ in ticks], [label.get_text() for _, label in ticks])


def _draw_rates(
    ax: Any, rates: np.ndarray, bodies: list[Body], names: list[str], duration_s: float
) -> None:
    """Draw the rates, shape (lanes, people), on a log axis; a band below it means none."""
    least = 60.0 / duration_s
    zero = least / 4.0
    y = np.where(rates > 0, rates, zero)
    lanes, people = rates.shape
    shift = np.linspace(-0.16, 0.16, people) if people > 1 else np.zeros(1)
    if lanes > 1:
        ax.plot(
            np.arange(lanes)[:, None] + shift,
            y,
            "-",
            color="#909090",
            lw=0.7,
            zorder=1,
            alpha=min(1.0, 40.0 / people),
        )
    size = 5 if people > 1 else 10
    for lane, colour in enumerate(body_colours(*bodies)):
        shape = OUTCOME_SHAPES[colour]
        ax.plot(lane + shift, y[lane], shape, ls="none", color=colour, ms=size)
        if people == 1:
            where, text = (lane + 0.12, y[lane, 0]), label_number(float(rates[lane, 0]))
            ax.text(*where, text, va="center", color=colour, fontweight="bold")
    none = zero if (rates == 0).any() else None
    log_rate_axis(ax, least, float(y.max()), none, float(y.min()))
    ax.set_xlim(-0.5, lanes - 0.5 + 0.2)
    ax.set_xticks(range(lanes), [_wrap_words(n, 14) for n in names])


def log_rate_axis(ax: Any, least: float, most: float, zero: float | None, lowest: float) -> None:
    """Give an axis of rates per minute plain decades; `zero` is where no twitch is drawn."""
    bottom = zero / 1.6 if zero else lowest / 4.0
    top = max(most * 4.0, 10.0)
    ax.set_yscale("log")
    ax.set_ylim(bottom, top)
    first = math.ceil(math.log10(least if zero else bottom))
    decades = [10.0**k for k in range(first, math.ceil(math.log10(top)))]
    decades = decades[:: 1 + len(decades) // 7]
    names = [label_number(d) for d in decades]
    if zero:
        ax.axhspan(zero / 1.6, zero * 1.6, color=PALE, zorder=0)
        decades, names = [zero, *decades], ["none", *names]
    ax.set_yticks(decades, names)
    ax.set_yticks([], minor=True)


def _wrap_words(text: str, width: int) -> str:
    return fill(text, width, break_long_words=False)
