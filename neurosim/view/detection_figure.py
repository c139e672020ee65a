"""The detector's picture of a record: the trace with its potentials, their shapes, their intervals.

`picture_detection` draws the channel with most potentials; the tables hold all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.view import export
from neurosim.view.detection import (
    describe_detection,
    detection_headline,
    detection_json,
    potential_columns,
    unit_rows,
)
from neurosim.view.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    PALE,
    PURPLE,
    VERMILION,
    add_titles,
    axes_or_new,
    house_style,
    label_decades,
    label_number,
    new_figure,
    pluralize,
    png_bytes,
    safe_label,
)

if TYPE_CHECKING:
    from neurosim.base.files import Content
    from neurosim.clinic.detect import DetectedChannel, Detection
    from neurosim.clinic.filters import Floats

MARKS = ((BLUE, "o", "-"), (VERMILION, "D", "--"), (GREEN, "^", "-."), (PURPLE, "s", ":"))
REST = (BLACK, "x", "-")  # of all units beyond those that have a colour
DRAWN_POINTS = 6000  # of a trace; of more, the extremes of each part
SHAPE_MS = (6.0, 12.0)  # drawn before and after a potential's time


def _mark(index: int) -> tuple[str, str, str]:
    return MARKS[index] if index < len(MARKS) else REST


def busiest_channel(detection: Detection) -> DetectedChannel:
    """Return the channel with most potentials, the first of equals."""
    return max(detection.channels, key=lambda channel: channel.potentials)


@house_style
def picture_detection(detection: Detection) -> Any:
    """Draw the busiest channel: trace and potentials, shapes of its units, and their intervals.

    Parameters
    ----------
    detection : Detection

    Returns
    -------
    Picture
        Its `alt_text` is what the command prints.
    """
    figure = new_figure()
    channel = busiest_channel(detection)
    grid = figure.add_gridspec(3, 2, height_ratios=(1.3, 0.9, 1.5))
    trace = figure.add_subplot(grid[0, :])
    plot_trace(detection, trace)
    plot_unit_raster(detection, figure.add_subplot(grid[1, :], sharex=trace))
    plot_unit_shapes(detection, figure.add_subplot(grid[2, 0]))
    plot_intervals(detection, figure.add_subplot(grid[2, 1]))
    trace.tick_params(labelbottom=False)
    trace.set_xlabel("")
    other = len(detection.channels) - 1
    more = f" {pluralize(other, 'more channel')} in the tables." if other else ""
    add_titles(
        figure,
        f"{safe_label(detection_headline(detection))}",
        f"Channel {safe_label(channel.name)}.{more}",
    )
    figure.alt_text = describe_detection(detection)
    return figure


@house_style
def plot_trace(detection: Detection, ax: Any = None) -> Any:
    """Draw the busiest channel's record, each potential marked by its unit.

    Parameters
    ----------
    detection : Detection
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, channel = axes_or_new(ax), busiest_channel(detection)
    start, hz = detection.start_s, detection.sampling_hz
    time, values = _thin_trace(channel.signal_uv, hz)
    ax.plot(time + start, values, color=GREY, lw=0.6)
    for first, last in channel.interference:
        ax.axvspan(first + start, last + start, color=PALE, zorder=0)
    for k, unit in enumerate(channel.units):
        colour, marker, _ = _mark(k)
        place = np.clip(np.rint(unit.time_s * hz).astype(int), 0, channel.signal_uv.size - 1)
        ax.plot(unit.time_s + start, channel.signal_uv[place], marker, color=colour, ms=5, ls="")
    for level in (channel.least_uv, -channel.least_uv):
        ax.axhline(level, color=BLACK, lw=0.8, ls=":")
    ax.set(xlabel="time, seconds", ylabel="EMG, µV")
    ax.set_title(f"Record; dotted: what is smaller than {channel.least_uv:.2g} µV would be missed")
    ax.set_xlim(start, start + channel.signal_uv.size / hz)
    return ax


def _thin_trace(signal: Floats, hz: float) -> tuple[Floats, Floats]:
    """Return time and values of a trace, of a long one the extremes of each part."""
    if signal.size <= 2 * DRAWN_POINTS:
        return np.arange(signal.size) / hz, signal
    width = signal.size // DRAWN_POINTS
    parts = signal[: signal.size // width * width].reshape(-1, width)
    holes = np.isnan(parts).any(axis=1)
    low = np.where(holes, np.nan, parts.min(axis=1))
    high = np.where(holes, np.nan, parts.max(axis=1))
    time = np.repeat(np.arange(low.size) * width / hz, 2)
    return time, np.column_stack([low, high]).ravel()


@house_style
def plot_unit_raster(detection: Detection, ax: Any = None) -> Any:
    """Draw a stroke for each potential of the busiest channel, a row for each unit.

    Parameters
    ----------
    detection : Detection
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, channel = axes_or_new(ax), busiest_channel(detection)
    for k, unit in enumerate(channel.units):
        colour, _, _ = _mark(k)
        times = unit.time_s + detection.start_s
        ax.plot(times, np.full(times.size, unit.number), "|", color=colour, ms=9, mew=1.3)
    most = max(len(channel.units), 1)
    ax.set_ylim(most + 0.6, 0.4)
    ax.set_yticks(range(1, most + 1) if most < 6 else [1, most])
    ax.set(xlabel="time, seconds", ylabel="unit")
    if not channel.units:
        ax.plot([], [])
        _say_nothing(ax, "no potentials")
    return ax


@house_style
def plot_unit_shapes(detection: Detection, ax: Any = None) -> Any:
    """Draw the shapes of the busiest channel's units over each other.

    Parameters
    ----------
    detection : Detection
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, units = axes_or_new(ax), busiest_channel(detection).units
    for k, unit in enumerate(units):
        colour, _, line = _mark(k)
        time = (np.arange(unit.shape_uv.size) - unit.shape_zero) * 1000.0 / unit.shape_hz
        size = f"{label_number(float(f'{unit.size.amplitude_uv:.3g}'))} µV"
        words = f"{unit.number}: {size}, {unit.size.duration_ms:.3g} ms"
        style = {"color": colour, "lw": 1.8 if k < len(MARKS) else 0.8}
        ax.plot(time, unit.shape_uv, line, label=words if k < len(MARKS) else None, **style)
    ax.axhline(0, color=GREY, lw=0.6, zorder=0)
    ax.set_xlim(-SHAPE_MS[0], SHAPE_MS[1])
    ax.set(xlabel="time about the potential's largest point, ms", ylabel="median potential, µV")
    beyond = len(units) - len(MARKS)
    more = f"; thin black: {pluralize(beyond, 'smaller one')}" if beyond > 0 else ""
    ax.set_title(f"Shapes of the units{more}")
    if units:
        ax.legend(loc="upper right", labelcolor="linecolor", handlelength=2.8)
    else:
        _say_nothing(ax, "no units")
    return ax


@house_style
def plot_intervals(detection: Detection, ax: Any = None) -> Any:
    """Draw how often each interval within units comes, doublets and trains to the left.

    Parameters
    ----------
    detection : Detection
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, units = axes_or_new(ax), busiest_channel(detection).units
    gaps = [unit.intervals_ms for unit in units]
    every = np.concatenate(gaps) if gaps else np.empty(0)
    ax.set_xscale("log")
    longest = max(2e4, 1.3 * float(every.max(initial=0.0)))
    ax.set_xlim(2.0, longest)
    label_decades(ax.xaxis)
    ax.plot([], [])
    if every.size:
        edges = np.geomspace(2.0, longest, 41)
        rest = np.concatenate(gaps[len(MARKS) :]) if len(gaps) > len(MARKS) else np.empty(0)
        shown = [*gaps[: len(MARKS)], rest]
        colours = [*(mark[0] for mark in MARKS[: len(gaps)]), REST[0]]
        ax.hist(shown, edges, stacked=True, color=colours[: len(shown)], edgecolor="white", lw=0.5)
        ax.yaxis.get_major_locator().set_params(integer=True)
    else:
        _say_nothing(ax, "no unit came twice")
    ax.set(xlabel="interval within a unit, ms", ylabel="how often", title="Intervals")
    return ax


def _say_nothing(ax: Any, words: str) -> None:
    """Write on an empty panel why it is empty."""
    ax.text(0.5, 0.5, words, ha="center", va="center", transform=ax.transAxes)
    ax.set_yticks([])


def detection_files(detection: Detection) -> dict[str, Content]:
    """Return what `neurosim detect` writes, by file name."""
    figure = picture_detection(detection)
    about = {"record": detection.title}
    files: dict[str, Content] = {}
    files |= export.table_files("potentials", potential_columns(detection), about)
    files |= export.table_files("units", unit_rows(detection), about)
    files["detection.json"] = export.json_bytes(detection_json(detection))
    files["detection.png"] = png_bytes(figure)
    files["detection.txt"] = export.text_bytes(figure.alt_text)
    return files
