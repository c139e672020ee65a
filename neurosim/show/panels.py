"""The panels of the chain from body to twitch, each drawn on axes that it is given.

Every panel takes the changed result and the one it is compared with (health), or None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill, shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.body.fields import CONDITIONS, FIELDS, SCALES
from neurosim.body.state import Body
from neurosim.membrane.motoneuron import SomaConditions, margin_mv
from neurosim.muscle.force import muscle_force_mn
from neurosim.show import describe as words
from neurosim.show.style import (
    BLACK,
    CHANGED,
    GREY,
    HEALTH,
    ORIGIN_MARKS,
    PALE,
    counted,
    drawable,
    plain_number,
    time_unit,
    time_words,
)

if TYPE_CHECKING:
    from neurosim.study.run import Result
    from neurosim.study.tally import People

MANY = 150  # twitches in a whole run above which only a part of it is drawn
MARKS = {HEALTH: "o", CHANGED: "D", BLACK: "s"}
WINDOWS_S = (10.0, 30.0, 60.0, 300.0, 600.0, 3600.0, 21_600.0, 86_400.0, 604_800.0)
LONGEST_TRACE_S = 900.0  # a longer force is drawn as one line per twitch


def window_s(*results: Result) -> tuple[float, float]:
    """Return which part of the time (s) to draw, so that something can be seen.

    All of it where twitches are rare, otherwise so much of its end that they can be told
    apart: by then the sodium load of busy units has settled.
    """
    duration = results[0].scenario.duration_s
    busiest = max(len(r.twitches) for r in results)
    if busiest <= MANY:
        return 0.0, duration
    needed = duration * MANY / busiest
    length = min(duration, max((w for w in WINDOWS_S if w <= needed), default=WINDOWS_S[0]))
    return duration - length, duration


def window_words(window: tuple[float, float]) -> str:
    """Return which part of the time is drawn."""
    start, end = window
    if start > 0:
        return f"the last {time_words(end - start)} of {time_words(end)} shown"
    return f"all {time_words(end)} shown"


def _time_label(window: tuple[float, float]) -> str:
    start, end = window
    unit = time_unit(end - start)[1]
    return f"time within the last {time_words(end - start)}, {unit}" if start else f"time, {unit}"


def title_of(result: Result) -> str:
    """Return the name of a result's lane."""
    if result.scenario.body == Body() and result.scenario.course is None:
        return "In health"
    return drawable(shorten(result.scenario.title, 34, placeholder=" ..."))


def colours(*bodies: Body) -> list[str]:
    """Return one colour for each body: blue for health, vermilion for the last changed one."""
    found = [HEALTH if body == Body() else CHANGED for body in bodies]
    if found[:1] == [CHANGED] and len(found) > 1 and found[-1] == CHANGED:
        found[0] = BLACK
    return found


# --- Body ------------------------------------------------------------------------------


def _place(name: str, value: float) -> float:
    """Return where a value lies: 0 to 1 in the reference range, -1 and 2 at the limits."""
    f = FIELDS[name]
    if value < f.low:
        return (value - f.low) / (f.low - f.lowest)
    if value > f.high:
        return 1.0 + (value - f.high) / (f.highest - f.high)
    return (value - f.low) / (f.high - f.low) if f.high > f.low else 0.5


def draw_body(ax: Any, body: Body) -> None:
    """Draw every value of a body on its reference range; what is abnormal is named."""
    names = [name for name, f in FIELDS.items() if f.shown(getattr(body, name))]
    ax.axvspan(0, 1, color=PALE, zorder=0)
    for row, name in enumerate(reversed(names)):
        f, value = FIELDS[name], getattr(body, name)
        side = f.side(value)
        x = _place(name, value)
        # A scale has no survivable ends: it runs from none to the strongest.
        ax.plot([0.5 if name in SCALES else -1, 2], [row, row], color="#C8C8C8", lw=1, zorder=1)
        if name in SCALES:
            for at, word, where in ((0.5, "none", "center"), (2.0, "strongest", "right")):
                ax.text(at, row - 0.36, word, ha=where, va="center", color=GREY,
                        fontsize=10 if len(names) < 10 else 8)  # fmt: skip
        colour = CHANGED if side else GREY
        ax.plot(x, row, marker="D" if side else "o", ms=10 if side else 7, color=colour, zorder=3)
        mark = "" if name in CONDITIONS else side.upper()
        text = f"{value:.4g} {f.unit} {mark}".replace("  ", " ").strip()
        weight = "bold" if side else "normal"
        ax.text(2.12, row, text, va="center", color=colour, fontweight=weight, fontsize=11)
    ax.set_yticks(range(len(names)), [FIELDS[n].label for n in reversed(names)])
    ax.set_xticks([-1, 0.5, 2], ["lowest\nsurvivable", "reference\nrange", "highest\nsurvivable"])
    ax.set_xlim(-1.15, 3.3)
    ax.set_ylim(-0.7, len(names) - 0.3)
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_title("Body: what is in the blood")


# --- Threshold and margin --------------------------------------------------------------


def draw_thresholds(ax: Any, result: Result, colour: str) -> None:
    """Draw the axon's thresholds and the cell body's margin in per cent of health."""
    part = result.excitability.relative_to(result.healthy)
    margin, healthy = margin_mv(result.state.soma), margin_mv(SomaConditions())
    rows = [
        ("axon,\n1-ms pulse", part["threshold_1ms_percent"]),
        ("axon,\n20-ms pulse", part["threshold_20ms_percent"]),
        ("cell body,\nmargin in mV", 100.0 * margin / healthy),
    ]
    known = [100.0, *(v for _, v in rows if not math.isnan(v))]
    low, high = min(known), max(known)
    pad = max(0.3 * (high - low), 8.0)
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    ax.plot([100, 100], [-0.5, 2.6], color=HEALTH, lw=2)
    ax.text(100, 2.68, "health = 100 %", color=HEALTH, ha="center", fontsize=11)
    for y, (_, value) in enumerate(reversed(rows)):
        blocked = math.isnan(value)
        text = "blocked: no\npulse fires it" if blocked else f"{value:.0f} %"
        if not blocked:
            ax.plot([100, value], [y, y], color=colour, lw=3)
            ax.plot(value, y, MARKS[colour], ms=10, color=colour, zorder=3)
        ax.text(100 if blocked else value, y + 0.22, text, ha="center", color=colour,
                fontweight="bold", bbox=white, zorder=2)  # fmt: skip
    ax.set_yticks(range(3), [name for name, _ in reversed(rows)])
    ax.set_ylim(-0.5, 3.0)
    ax.set_xlim(low - pad, high + pad)
    ax.locator_params(axis="x", nbins=4)
    ax.set_xlabel("needed to fire, % of health")
    ax.set_title("Threshold: how much it takes")


def _curve(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Return nu and the 20-ms threshold of a place with it, %, at rest."""
    return result.hazard.nu, result.hazard.x_percent


def draw_margin(ax: Any, lanes: list[Result], lane_colours: list[str]) -> None:
    """Draw the threshold of a place against its persistent sodium, and the person's places."""
    result = lanes[-1]
    nu = result.hazard.nu
    top = min(max(float(np.nanmax(_curve(r)[1], initial=0.0)) for r in lanes), 160.0)
    top = max(top, 20.0)
    for i, (r, colour) in enumerate(zip(lanes, lane_colours, strict=True)):
        style = "-" if r is result else "--"
        ax.plot(*_curve(r), style, color=colour, lw=2.5)
        at, level = words.firing_point(r.hazard)
        tail = "never fires by itself"
        if not math.isnan(at):
            ax.plot(at, level, MARKS[colour], ms=10, color=colour, zorder=5)
            ax.plot([at, at], [level, 0], ":", color=colour, lw=1.5)
            tail = f"fires from {at:.2g} on"
        line = "solid" if style == "-" else "dashed"
        name = f"{shorten(title_of(r), 26, placeholder=' ...')} ({line}): {tail}"
        ax.text(0.99, 0.98 - 0.085 * i, name, color=colour, transform=ax.transAxes, ha="right",
                va="top", fontsize=11, fontweight="bold")  # fmt: skip
    _rug(ax, result, top)
    ax.set_xscale("log")
    ax.set_xlim(max(float(nu[0]), 0.5), float(nu[-1]))
    ax.set_ylim(-0.27 * top, (1.1 + 0.13 * len(lanes)) * top)
    ticks = [t for t in (0.5, 1, 2, 3, 4, 6, 10) if nu[0] <= t <= nu[-1]]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlabel(
        "persistent sodium current of a place, times healthy\n"
        "(right of its mark a place fires by itself)"
    )
    ax.set_ylabel("20-ms threshold, % of healthy axon")
    ax.set_title("Margin: how far from firing by itself")


def _rug(ax: Any, result: Result, top: float) -> None:
    """Draw the places of this person below zero: ordinary ones and excitable ones."""
    sites = result.sites
    rows = ((-0.21, "ordinary"), (-0.08, "endings"))
    for kind, (y, _) in enumerate(rows):
        nu = sites.nu[sites.origin == kind]
        nu = nu[:: max(1, nu.size // 2000)]
        ax.vlines(nu, (y - 0.04) * top, (y + 0.04) * top, lw=0.9, alpha=0.6,
                  color=ORIGIN_MARKS[kind][0])  # fmt: skip
    ax.axhline(0, color=BLACK, lw=0.8)
    step = 20 if top < 160 else 50
    levels = [float(t) for t in np.arange(0, top, step)]
    ax.set_yticks([*levels, *(y * top for y, _ in rows)],
                  [*(f"{t:g}" for t in levels), *(name for _, name in rows)])  # fmt: skip
    for kind, label in enumerate(ax.get_yticklabels()[-2:]):
        label.set_color(ORIGIN_MARKS[kind][0])


# --- Raster and force ------------------------------------------------------------------


def draw_raster(
    ax: Any, result: Result, window: tuple[float, float], colour: str,
    named: Sequence[Result] = (),
) -> None:  # fmt: skip
    """Draw the discharges of one result by unit; shape and colour say where they started.

    A legend names the places that health knows and those of the results `named`, if any.
    """
    f = result.firing
    start, end = window
    size, _ = time_unit(end - start)
    seen = (f.time_s >= start) & (f.time_s <= end)
    small = 4 if seen.sum() > 400 else 6
    handles = []
    for kind, (own, marker, name) in enumerate(ORIGIN_MARKS):
        mine = seen & (f.origin == kind)
        ax.plot((f.time_s[mine] - start) / size, f.unit[mine] + 1, marker, color=own,
                ms=small, ls="none", mew=0, alpha=0.85)  # fmt: skip
        if kind < 3 or any((r.firing.origin == kind).any() for r in named):
            handles.append(ax.plot([], [], marker, color=own, ls="none", ms=7, label=name)[0])
    bursts = int((f.place[seen] == 0).sum())
    ax.set_title(f"{title_of(result)}: {counted(bursts, 'burst')}", color=colour)
    if not bursts:
        ax.text(0.5, 0.5, f"silent for {time_words(end - start)}", transform=ax.transAxes,
                ha="center", va="center", color=GREY, fontsize=12)  # fmt: skip
    ax.set_xlim(0, (end - start) / size)
    ax.set_ylim(1 - 0.06 * result.sites.units, 1.06 * result.sites.units)
    ax.set_yticks([1, result.sites.units])
    ax.set_ylabel("motor unit,\nsmall to large")
    ax.set_xlabel(_time_label(window))
    if named:
        ax.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0),
                  ncols=len(handles), handletextpad=0.2, columnspacing=1.2,
                  borderaxespad=0.1)  # fmt: skip


def _force_mn(result: Result, window: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return time (s) within the window and force (mN), computed for that part only."""
    f, s = result.firing, result.state
    start, end = window
    near = (f.time_s >= start - 5.0) & (f.time_s <= end)  # an earlier twitch is long over
    hz = 500.0 if end - start <= 120 else 100.0
    force = muscle_force_mn(
        f.time_s[near] - start, f.unit[near], result.scenario.muscle, end - start, hz,
        force_scale=s.unit_force_scale * s.transmission * result.reaches,
        contraction_time_scale=s.contraction_time_scale,
    )  # fmt: skip
    return np.arange(force.size) / hz, force


def draw_force(ax: Any, result: Result, window: tuple[float, float], colour: str) -> float:
    """Draw the force of one result with its twitches marked, and return the top of its axis."""
    t = result.twitches
    start, end = window
    size, _ = time_unit(end - start)
    seen = (t.onset_s >= start) & (t.onset_s <= end)
    top = max(float(t.peak_mn[seen].max(initial=0.0)), 1.0)
    if end - start <= LONGEST_TRACE_S:
        time, force = _force_mn(result, window)
        ax.plot(time / size, force, color=colour, lw=1.0)
        top = max(top, float(force.max(initial=0.0)))
    else:
        ax.vlines((t.onset_s[seen] - start) / size, 0, t.peak_mn[seen], color=colour, lw=1.0)
    for visible, inside in ((False, "white"), (True, colour)):
        mine = seen & (t.visible == visible)
        ax.plot((t.onset_s[mine] - start) / size, t.peak_mn[mine], "o", ls="none", mew=1.1,
                ms=4 if seen.sum() > 150 else 6, mec=colour, mfc=inside)  # fmt: skip
    spasms = int((seen & t.painful).sum())
    seen &= ~t.painful
    visible = int((seen & t.visible).sum())
    ax.set_title(
        f"{title_of(result)}: {counted(int(seen.sum()), 'twitch')}"
        + (f" and {counted(spasms, 'spasm')}" if spasms else "")
        + (f", {plain_number(visible) if visible else 'none'} visible" if seen.any() else ""),
        color=colour,
    )
    ax.set_xlim(0, (end - start) / size)
    ax.set_ylim(-0.03 * top, 1.12 * top)
    ax.set_ylabel("force, mN")
    ax.set_xlabel(_time_label(window))
    return top


def share_force_scale(axes: list[Any], top_mn: float) -> None:
    """Give every force panel the same axis."""
    for ax in axes:
        ax.set_ylim(-0.03 * top_mn, 1.12 * top_mn)


# --- Rate ------------------------------------------------------------------------------


def draw_rate(ax: Any, result: Result, against: Result | None, people: People | None) -> None:
    """Draw twitches per minute beside health: one pair of dots for each person."""
    if people is not None:
        shown = len(people.scenarios[:2])
        rates = people.per_min[:2][::-1]
        bodies = [s.body for s in people.scenarios[:2]][::-1]
        names = [
            "in health" if s.body == Body() else drawable(s.title) for s in people.scenarios[:2]
        ][::-1]
        duration = people.scenarios[0].duration_s
        ratio = words.people_ratio(people) if shown > 1 else (math.nan,) * 3
    else:
        results = [r for r in (against, result) if r is not None]
        rates = np.array([[r.twitches_per_min] for r in results])
        bodies = [r.scenario.body for r in results]
        names = [title_of(r) for r in results]
        names = ["in health" if n == "In health" else n for n in names]
        duration = results[0].scenario.duration_s
        ratio = (words.person_ratio(result, against), math.nan, math.nan) if against else None
    _dots(ax, rates, bodies, names, duration)
    ax.set_ylabel("twitches per minute")
    ax.set_title("Rate: how often it twitches")
    if ratio is not None and len(rates) > 1:
        n = rates.shape[1]
        parts = [f"{n} people:" if n > 1 else "this person, long run:"]
        band = words.band(*ratio)
        source = words.source_of_more(result, ratio[0], people)
        parts += [*band.replace(" (", "|(").split("|"), *([source] if source else [])]
        ax.set_xlabel("\n".join(_wrap(part, 30) for part in parts), fontweight="bold")


def _dots(ax: Any, rates: np.ndarray, bodies: list[Body], names: list[str], duration: float):
    """Draw the rates, shape (lanes, people), on a log axis; a band below it means none."""
    least, any_zero = 60.0 / duration, bool((rates == 0).any())
    zero = least / 4.0
    y = np.where(rates > 0, rates, zero)
    lanes, people = rates.shape
    shift = np.linspace(-0.16, 0.16, people) if people > 1 else np.zeros(1)
    if lanes > 1:
        ax.plot(np.arange(lanes)[:, None] + shift, y, "-", color="#909090", lw=0.7, zorder=1,
                alpha=min(1.0, 40.0 / people))  # fmt: skip
    for lane, colour in enumerate(colours(*bodies)):
        ax.plot(lane + shift, y[lane], MARKS[colour], ls="none", color=colour,
                ms=5 if people > 1 else 10)  # fmt: skip
        if people == 1:
            ax.text(lane + 0.12, y[lane, 0], plain_number(float(rates[lane, 0])), va="center",
                    color=colour, fontweight="bold")  # fmt: skip
    log_rate_axis(ax, least, float(y.max()), zero if any_zero else None, float(y.min()))
    ax.set_xlim(-0.5, lanes - 0.5 + 0.2)
    ax.set_xticks(range(lanes), [_wrap(n, 14) for n in names])


def log_rate_axis(ax: Any, least: float, most: float, zero: float | None, lowest: float) -> None:
    """Give an axis of rates per minute plain decades; `zero` is where no twitch is drawn."""
    bottom = zero / 1.6 if zero else lowest / 4.0
    top = max(most * 4.0, 10.0)
    ax.set_yscale("log")
    ax.set_ylim(bottom, top)
    first = math.ceil(math.log10(least if zero else bottom))
    decades = [10.0**k for k in range(first, math.ceil(math.log10(top)))]
    decades = decades[:: 1 + len(decades) // 7]
    names = [plain_number(d) for d in decades]
    if zero:
        ax.axhspan(zero / 1.6, zero * 1.6, color=PALE, zorder=0)
        decades, names = [zero, *decades], ["none", *names]
    ax.set_yticks(decades, names)
    ax.set_yticks([], minor=True)


def _wrap(text: str, width: int) -> str:
    return fill(text, width, break_long_words=False)


def legend_marks(ax: Any) -> None:
    """Say under the force what filled and open circles mean."""
    for inside, name in ((GREY, "filled: seen at the skin"), ("white", "open: too weak to see")):
        ax.plot([], [], "o", mec=GREY, mfc=inside, ls="none", label=name)
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, handletextpad=0.2,
              columnspacing=1.2, borderaxespad=0.1)  # fmt: skip
