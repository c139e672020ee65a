"""A body that changes: a picture of its day, the text, and the table.

The clock is the axis: what changes in the body on top, the expected rate below it, then the
sampled twitches.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.model.body.fields import FIELDS
from neurosim.model.firing.discharge import ORIGINS
from neurosim.view.describe_body import body_state_words, person_words
from neurosim.view.describe_firing import firing_words, origin_bursts, twitch_words
from neurosim.view.describe_ratio import comparison_name, comparison_words
from neurosim.view.parameter_use import assumption_words
from neurosim.view.style import (
    ADVICE,
    CHANGED,
    HEALTH,
    ORIGIN_MARKS,
    PALE,
    add_titles,
    axes_or_new,
    house_style,
    label_number,
    muscle_words,
    new_figure,
    safe_label,
    time_words,
)
from neurosim.view.terms import explain_terms

if TYPE_CHECKING:
    from neurosim.simulation.people import People
    from neurosim.simulation.result import Result

HOUR_S = 3600.0
BINS_S = (60.0, 300.0, 600.0, 1800.0, HOUR_S, 6 * HOUR_S, 24 * HOUR_S)
MOST_BINS = 160
LEAST_PER_MIN = 1e-6  # a lower rate is drawn here: less than one twitch in two years


def _clock_words(result: Result, seconds: float) -> str:
    """Return the time of the clock, with the day in a longer course."""
    course = result.scenario.course
    assert course is not None
    hours = seconds / HOUR_S
    day = f" on day {int(hours // 24) + 1}" if result.scenario.duration_s > 25 * HOUR_S else ""
    return course.clock_time(hours) + day


def changing_fields(result: Result) -> dict[str, np.ndarray]:
    """Return the fields of the body that change, at every moment of a result."""
    columns = {
        name: np.array([getattr(body, name) for body in result.trajectory.bodies])
        for name in FIELDS
    }
    return {name: column for name, column in columns.items() if np.ptp(column) > 0.0}


def course_columns(result: Result) -> dict[str, Any]:
    """Return columns with a row for each moment: time, clock, what changes, expected rate."""
    at_s = result.trajectory.at_s
    return {
        "time_s": at_s,
        "clock": [_clock_words(result, t) for t in at_s],
        **changing_fields(result),
        "expected_twitches_per_min": result.per_min,
    }


def hourly_twitches(result: Result) -> np.ndarray:
    """Return the expected number of twitches in each hour of a course, shape (hours,)."""
    grid_s = np.arange(0.0, result.scenario.duration_s + 1.0, 60.0)
    log_rate = np.log(np.maximum(result.per_min, 1e-300))
    log_rate = np.interp(grid_s, result.trajectory.at_s, log_rate)
    per_min = np.exp(0.5 * (log_rate[1:] + log_rate[:-1]))
    hours = -(-per_min.size // 60)
    return np.pad(per_min, (0, hours * 60 - per_min.size)).reshape(hours, 60).sum(axis=1)


# --- In words ----------------------------------------------------------------------------------


def describe_course(
    result: Result, against: Result | None = None, people: People | None = None
) -> str:
    """Return a course and its twitches in plain words; arguments as `summary.describe`."""
    s = result.scenario
    start = _clock_words(result, 0.0)
    lines = [
        f"{s.title}: {muscle_words(s.muscle)}, {time_words(s.duration_s)} from {start} on, "
        f"person {result.person} of seed {s.seed}.",
        person_words(s.axon, result.sites.scores),
        f"Before: {body_state_words(s.body)}",
        _changes_words(result),
        _rate_words(result),
        firing_words(result),
        twitch_words(result),
        *comparison_words(result, against, people),
        assumption_words(result.parameters),
        ADVICE,
    ]
    return explain_terms("\n".join(lines))


def _changes_words(result: Result) -> str:
    """Return between which values each field moves, and when it is farthest from its start."""
    parts: list[str] = []
    for name, column in changing_fields(result).items():
        field, unit = FIELDS[name], f" {FIELDS[name].unit}" if FIELDS[name].unit else ""
        distance = np.abs(column - column[0])
        farthest, first = int(distance.argmax()), int((distance > 0.98 * distance.max()).argmax())
        clock = _clock_words(result, float(result.trajectory.at_s[first]))
        label, value = field.label, column[farthest]
        parts.append(f"{label} {column[0]:.3g} to {value:.3g}{unit} (at {clock})")
    return "What changes: " + ("; ".join(parts) if parts else "nothing") + "."


def _rate_words(result: Result) -> str:
    """Return the expected rate: mean, least and most, and the origin of the most."""
    rate, at_s = result.per_min, result.trajectory.at_s
    if not rate.any():
        return "Expected rate: none all the while."
    low, high = int(rate.argmin()), int(rate.argmax())
    text = f"Expected rate: {label_number(result.expected_per_min)} twitches per minute"
    if high == low:
        return f"{text} all the while."
    share = origin_bursts(result, high)
    source = ORIGIN_MARKS[int(share.argmax())][2] if share.sum() > 0 else "nowhere"
    return (
        f"{text} on average, "
        f"least at {_clock_words(result, at_s[low])} ({label_number(rate[low])}), "
        f"most at {_clock_words(result, at_s[high])} ({label_number(rate[high])}, "
        f"mostly from {source})."
    )


# --- As a picture ------------------------------------------------------------------------------


@house_style
def picture_course(
    result: Result, against: Result | None = None, people: People | None = None
) -> Any:
    """Draw a course on the clock: the body, the expected rate, twitches and discharges.

    Parameters
    ----------
    result : Result
        Of a scenario with a course.
    against : Result, optional
        The same person under another scenario, its rate drawn dashed.
    people : People, optional
        Many people under both scenarios, in the alt text only.

    Returns
    -------
    Picture
        Its alt text is that of `describe_course`.
    """
    body = changing_fields(result)
    heights = [0.55] * len(body) + [1.7, 1.2, 1.5]
    fig = new_figure()
    fig.alt_text = describe_course(result, against, people)
    axes = fig.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    for ax, name in zip(axes, body, strict=False):
        plot_course_value(result, name, ax)
    rate, counts, raster = axes[-3:]
    plot_course_rate(result, against, rate)
    plot_course_counts(result, counts)
    plot_course_raster(result, raster)
    for ax in axes[:-1]:
        ax.set_xlabel("")
    for ax in axes[: len(body)]:
        ax.tick_params(axis="x", length=0)
        ax.spines["bottom"].set_visible(False)
    s = result.scenario
    add_titles(
        fig,
        f"{safe_label(s.title)}, {muscle_words(s.muscle)}",
        f"Simulated: person {result.person} of seed {s.seed}.",
    )
    return fig


def _axis_hours(result: Result, seconds: np.ndarray) -> np.ndarray:
    """Return times on the axis: hours since midnight before the start."""
    course = result.scenario.course
    assert course is not None
    return course.start_min / 60.0 + np.asarray(seconds) / HOUR_S


@house_style
def plot_course_value(result: Result, name: str, ax: Any = None) -> Any:
    """Draw one value of the body through a course as a strip, its extremes as ticks.

    Parameters
    ----------
    result : Result
        Of a scenario with a course.
    name : str
        A field of the body.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, x, field = axes_or_new(ax), _axis_hours(result, result.trajectory.at_s), FIELDS[name]
    column = np.array([getattr(body, name) for body in result.trajectory.bodies])
    base = getattr(result.scenario.body, name)
    ax.fill_between(x, base, column, color=PALE, lw=0)
    ax.plot(x, column, color=CHANGED, lw=1.8)
    low, high = float(min(column.min(), base)), float(max(column.max(), base))
    pad = 0.12 * (high - low)
    ax.set_ylim(low - pad, high + pad)
    ax.set_yticks([low, high], [f"{low:.3g}", f"{high:.3g}"])
    unit = f", {field.unit}" if field.unit else ""
    ax.text(
        1.01,
        0.5,
        safe_label(field.label) + unit,
        transform=ax.transAxes,
        va="center",
    )
    return _clock_axis(ax, result)


@house_style
def plot_course_rate(result: Result, against: Result | None = None, ax: Any = None) -> Any:
    """Draw the expected rate through a course on a log axis.

    Parameters
    ----------
    result : Result
        Of a scenario with a course.
    against : Result, optional
        The same person under another scenario, drawn dashed.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, x = axes_or_new(ax), _axis_hours(result, result.trajectory.at_s)
    y = np.maximum(result.per_min, LEAST_PER_MIN)
    ax.plot(x, y, color=CHANGED, lw=2.2)
    lowest, highest = float(y.min()), float(y.max())
    if against is not None:
        other = np.maximum(against.per_min, LEAST_PER_MIN)
        if other.size == 1:
            ax.axhline(float(other[0]), ls="--", color=HEALTH, lw=1.8)
        else:
            ax.plot(_axis_hours(result, against.trajectory.at_s), other, "--", color=HEALTH, lw=1.8)
        lowest, highest = min(lowest, float(other.min())), max(highest, float(other.max()))
        name = comparison_name(against.scenario.body, against.scenario.title)
        ax.text(1.01, 0.12, safe_label(f"dashed: {name}"), color=HEALTH, transform=ax.transAxes)
    ax.set_yscale("log")
    ax.set_ylim(lowest / 2.5, highest * 2.5)
    powers = range(math.ceil(math.log10(lowest / 2.5)), math.ceil(math.log10(highest * 2.5)))
    decades = [10.0**k for k in powers[:: 1 + len(powers) // 5]]
    ax.set_yticks(decades, [label_number(d) for d in decades])
    ax.set_yticks([], minor=True)
    ax.text(
        1.01,
        0.6,
        "expected twitches\nper minute",
        color=CHANGED,
        transform=ax.transAxes,
        va="center",
    )
    return _clock_axis(ax, result)


@house_style
def plot_course_counts(result: Result, ax: Any = None) -> Any:
    """Draw the number of twitches in each stretch of a course.

    Parameters
    ----------
    result : Result
        Of a scenario with a course.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax = axes_or_new(ax)
    duration = result.scenario.duration_s
    size = next((b for b in BINS_S if duration / b <= MOST_BINS), BINS_S[-1])
    edges = np.arange(0.0, duration + size, size)
    onset = result.twitches.onset_s[~result.twitches.painful]
    count = np.histogram(onset, edges)[0]
    ax.bar(_axis_hours(result, edges[:-1]), count, width=size / HOUR_S, align="edge", color=CHANGED)
    ax.set_ylim(0, max(float(count.max(initial=0)), 1.0) * 1.1)
    ax.locator_params(axis="y", nbins=4, integer=True)
    text = f"twitches in every\n{time_words(size)},\n{label_number(int(count.sum()))} in all"
    ax.text(1.01, 0.5, text, transform=ax.transAxes, va="center")
    return _clock_axis(ax, result)


@house_style
def plot_course_raster(result: Result, ax: Any = None) -> Any:
    """Draw the discharges of a course by unit; shape and colour show their origin.

    Parameters
    ----------
    result : Result
        Of a scenario with a course.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, firing = axes_or_new(ax), result.firing
    step = max(1, len(firing) // 20_000)
    for origin, (colour, marker, name) in enumerate(ORIGIN_MARKS):
        index = np.flatnonzero(firing.origin == origin)[::step]
        if index.size:
            ax.plot(
                _axis_hours(result, firing.time_s[index]),
                firing.unit[index] + 1,
                marker,
                color=colour,
                ls="none",
                ms=3.5,
                mew=0,
                alpha=0.6,
                label=name,
            )
    if len(firing):
        ax.legend(
            loc="upper left",
            bbox_to_anchor=(1.0, 0.86),
            handletextpad=0.2,
            borderaxespad=0.1,
            labelspacing=0.3,
            markerscale=2.0,
        )
    units = result.sites.units
    ax.set_ylim(1 - 0.06 * units, 1.06 * units)
    ax.set_yticks([1, units])
    thinning = f", each {step}th drawn" if step > 1 else ""
    ax.text(1.01, 0.95, f"motor units{thinning}", transform=ax.transAxes, va="center")
    return _clock_axis(ax, result)


def _clock_axis(ax: Any, result: Result) -> Any:
    """Give a panel the clock: hours of a day, days of a longer course; return it."""
    begin, end = _axis_hours(result, np.array([0.0, result.scenario.duration_s]))
    ax.set_xlim(begin, end)
    span = end - begin
    if span > 48.0:
        days = np.arange(24.0 * np.ceil(begin / 24.0), end + 1e-9, 24.0 * max(1, span // 240))
        ax.set_xticks(days, [f"{round((d - begin) // 24) + 1}" for d in days])
        ax.set_xlabel("midnight of day")
        return ax
    step = next(s for s in (0.25, 0.5, 1.0, 2.0, 3.0) if span / s <= 16 or s == 3.0)
    hours = np.arange(step * np.ceil(begin / step), end + 1e-9, step)
    ax.set_xticks(hours, [f"{int(h) % 24:02d}:{round(60 * (h % 1)):02d}" for h in hours])
    ax.set_xlabel("time of the clock")
    return ax


def busiest_hour(result: Result) -> tuple[str, float]:
    """Return the hour of the clock with most expected twitches, and its share of all."""
    twitches = hourly_twitches(result)
    hour = int(twitches.argmax())
    share = float(twitches[hour] / twitches.sum()) if twitches.sum() > 0 else 0.0
    start, end = (_clock_words(result, h * HOUR_S) for h in (hour, hour + 1))
    return f"{start} to {end}", share


def origin_at(result: Result, moment: int) -> str:
    """Return where most bursts start at one moment, one of `ORIGINS`."""
    return ORIGINS[int(origin_bursts(result, moment).argmax())]
