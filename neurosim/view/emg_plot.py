"""The electromyogram drawn: who fired, force, potential and spectrogram over one time axis.

`describe_emg` says the same in words, from the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.clinic.unit_potentials import measure_shape
from neurosim.view.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    VERMILION,
    add_titles,
    axes_or_new,
    house_style,
    label_number,
    new_figure,
    pluralize,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

FORCE_HZ = 1000.0  # samples of the force per second
ROWS = ("raster", "force", "emg", "spectrogram")
LINES = ((BLUE, "-"), (GREEN, "--"), (VERMILION, "-."), (PURPLE, ":"))
_WINDOW_S = 0.064  # of the spectrogram
_DEEPEST_DB = 50.0  # under the loudest, the darkest colour


@dataclass(frozen=True)
class EmgSummary:
    """What figure and words say of a record.

    Attributes
    ----------
    duration_s : float
    discharges, units : int
        How many, and of how many units.
    peak_uv : float
        Largest distance from the baseline.
    rms_uv, quiet_uv : float
        Root mean square of all of it, and of its quietest tenth of windows (the noise).
    median_hz : float
        Half of the power above the quiet lies below it; NaN for an empty record.
    shortest_ms : float
        Shortest interval between two discharges of one unit; NaN if there is none.
    """

    duration_s: float
    discharges: int
    units: int
    peak_uv: float
    rms_uv: float
    quiet_uv: float
    median_hz: float
    shortest_ms: float


def summarise_emg(time_s: Any, unit: Any, emg_uv: Any, sampling_hz: float) -> EmgSummary:
    """Return what can be read off a record and the discharges under it."""
    signal, times, units = (np.asarray(a, float) for a in (emg_uv, time_s, unit))
    if signal.ndim != 1 or signal.size < 2:
        raise NeurosimError("A record of at least two samples is needed.")
    order = np.lexsort((times, units))
    same = np.diff(units[order]) == 0
    gaps = np.diff(times[order])[same]
    power = signal**2
    width = max(1, min(round(0.05 * sampling_hz), signal.size))
    windows = power[: signal.size // width * width].reshape(-1, width).mean(axis=1)
    spectrum = np.cumsum(np.abs(np.fft.rfft(signal - signal.mean())) ** 2)
    half = int(np.searchsorted(spectrum, [spectrum[-1] / 2])[0]) * sampling_hz / signal.size
    return EmgSummary(
        duration_s=signal.size / sampling_hz,
        discharges=times.size,
        units=np.unique(units).size,
        peak_uv=float(np.abs(signal).max()),
        rms_uv=float(np.sqrt(power.mean())),
        quiet_uv=float(np.sqrt(np.quantile(windows, 0.1))),
        median_hz=float(half) if spectrum[-1] > 0 else float("nan"),
        shortest_ms=float(gaps.min() * 1000) if gaps.size else float("nan"),
    )


def describe_emg(numbers: EmgSummary, electrode: str = "electrode") -> str:
    """Return the words that stand for the figure."""
    n = numbers
    parts = [
        f"Electromyogram by {electrode}, {n.duration_s:.3g} s: "
        f"{pluralize(n.discharges, 'discharge')} of {pluralize(n.units, 'motor unit')}."
    ]
    if n.shortest_ms == n.shortest_ms:
        parts.append(f"The shortest interval within a unit is {n.shortest_ms:.3g} ms.")
    quiet = label_number(float(f"{n.quiet_uv:.2g}"))
    parts.append(
        f"The potential reaches {label_number(n.peak_uv)} µV over a quiet line of {quiet} µV "
        f"(root mean square)"
        + (
            f"; half of its power lies below {n.median_hz:.3g} Hz."
            if n.median_hz == n.median_hz
            else "."
        )
    )
    return " ".join(parts)


@house_style
def picture_emg(
    time_s: Any,
    unit: Any,
    force_mn: Any,
    emg_uv: Any,
    sampling_hz: float,
    electrode: str = "electrode",
) -> Any:
    """Draw discharges, force, potential and spectrogram over one time axis.

    Parameters
    ----------
    time_s, unit : array_like
        Discharges: when, s, and of which unit, from 0.
    force_mn : array_like
        Force, mN, at `FORCE_HZ` samples per second.
    emg_uv : array_like
        Potential, µV, sampled at `sampling_hz`.
    sampling_hz : float
    electrode : str
        Named in the words.

    Returns
    -------
    Picture
        Its `alt_text` is that of `describe_emg`.
    """
    fig = new_figure()
    fig.alt_text = describe_emg(summarise_emg(time_s, unit, emg_uv, sampling_hz), electrode)
    axes = fig.subplots(4, 1, sharex=True)
    plot_record(time_s, unit, force_mn, emg_uv, sampling_hz, axes)
    loudness = axes[3].collections[0]
    fig.colorbar(
        loudness, ax=list(axes), fraction=0.03, aspect=14, shrink=0.3, anchor=(0, 0)
    ).set_label(loudness.get_label())
    fig.align_ylabels(axes)
    add_titles(fig, "Electromyogram", "Simulated.")
    return fig


def plot_record(
    time_s: Any,
    unit: Any,
    force_mn: Any,
    emg_uv: Any,
    sampling_hz: float,
    ax: Sequence[Any] | None = None,
) -> Sequence[Any]:
    """Draw discharges, force, potential and spectrogram on four axes, and return them.

    Parameters
    ----------
    time_s, unit, force_mn, emg_uv, sampling_hz
        As of `picture_emg`.
    ax : sequence of 4 matplotlib axes, optional
        From top to bottom as `ROWS`; new ones if omitted.

    Returns
    -------
    sequence of matplotlib axes
    """
    axes = new_figure().subplots(len(ROWS), 1, sharex=True) if ax is None else ax
    if len(axes) != len(ROWS):
        raise NeurosimError(f"plot_record needs {len(ROWS)} axes, one each for {', '.join(ROWS)}.")
    raster, pull, wave, colours = axes
    end = np.size(emg_uv) / sampling_hz
    plot_discharges(time_s, unit, raster)
    plot_signal(force_mn, FORCE_HZ, "force, mN", pull, lw=1.5)
    plot_signal(emg_uv, sampling_hz, "EMG, µV", wave, lw=0.7)
    plot_spectrogram(emg_uv, sampling_hz, colours)
    for each in axes:
        each.set_xlim(0, end)
        if each is not colours:
            each.tick_params(labelbottom=False)
            each.set_xlabel("")
    return axes


@house_style
def plot_discharges(time_s: Any, unit: Any, ax: Any = None) -> Any:
    """Draw a stroke for each discharge, a row for each unit.

    Parameters
    ----------
    time_s, unit : array_like
        When, s, and of which unit, from 0.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, units = axes_or_new(ax), np.asarray(unit, float)
    ax.plot(np.asarray(time_s, float), units + 1, "|", color=BLACK, ms=9, mew=1.2)
    low, high = (units.min() + 1, units.max() + 1) if units.size else (1.0, 1.0)
    ax.set_ylim(low - 1, high + 1)
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.set_ylabel("motor unit")
    ax.set_xlabel("time, seconds")
    return ax


@house_style
def plot_signal(
    values: Any,
    sampling_hz: float,
    label: str,
    ax: Any = None,
    *,
    colour: str = BLUE,
    lw: float = 1.0,
) -> Any:
    """Draw a sampled signal against time.

    Parameters
    ----------
    values : array_like
        In the unit that `label` names, one each ``1 / sampling_hz`` s.
    sampling_hz : float
    label : str
        What it is, with its unit.
    ax : matplotlib axes, optional
        New ones if omitted.
    colour : str
    lw : float
        Of the line, points.

    Returns
    -------
    matplotlib axes
    """
    ax, signal = axes_or_new(ax), np.asarray(values, float)
    ax.plot(np.arange(signal.size) / sampling_hz, signal, color=colour, lw=lw)
    ax.set_ylabel(label)
    ax.set_xlabel("time, seconds")
    return ax


@house_style
def plot_spectrogram(
    emg_uv: Any, sampling_hz: float, ax: Any = None, *, top_hz: float | None = None
) -> Any:
    """Draw the power of a record against time and frequency, dB under its loudest.

    Parameters
    ----------
    emg_uv : array_like
        Potential, µV, sampled at `sampling_hz`.
    sampling_hz : float
    ax : matplotlib axes, optional
        New ones if omitted.
    top_hz : float, optional
        Highest frequency drawn; 1000 Hz, or half of the sampling, if omitted.

    Returns
    -------
    matplotlib axes
    """
    scipy_signal: Any = import_module("scipy.signal")  # it has no types

    ax, signal = axes_or_new(ax), np.asarray(emg_uv, float)
    width = max(8, min(round(_WINDOW_S * sampling_hz), signal.size))
    hop = max(1, width // 8, signal.size // 2000)
    stft = scipy_signal.ShortTimeFFT(scipy_signal.windows.hann(width), hop, sampling_hz)
    power = stft.spectrogram(signal)
    loud = max(float(power.max()), 1e-300)
    level = 10 * np.log10(np.maximum(power / loud, 1e-12))
    image = ax.pcolormesh(
        stft.t(signal.size),
        stft.f,
        level,
        vmin=-_DEEPEST_DB,
        vmax=0,
        cmap="cividis",
        shading="nearest",
        rasterized=True,
    )
    image.set_label("power, dB under the loudest")
    ax.set_xlim(0, signal.size / sampling_hz)
    ax.set_ylim(0, top_hz or min(sampling_hz / 2, 1000.0))
    ax.set_ylabel("frequency, Hz")
    ax.set_xlabel("time, seconds")
    return ax


@house_style
def plot_stretch(
    emg_uv: Any,
    sampling_hz: float,
    start_s: float,
    length_ms: float = 60.0,
    ax: Any = None,
    *,
    colour: str = BLUE,
) -> Any:
    """Draw a short stretch of a record as the sweep of an oscilloscope shows it.

    Parameters
    ----------
    emg_uv : array_like
        Potential, µV, sampled at `sampling_hz`.
    sampling_hz, start_s, length_ms : float
    ax : matplotlib axes, optional
        New ones if omitted.
    colour : str

    Returns
    -------
    matplotlib axes
    """
    ax, signal = axes_or_new(ax), np.asarray(emg_uv, float)
    first = max(round(start_s * sampling_hz), 0)
    part = signal[first : first + round(length_ms * sampling_hz / 1000.0)]
    ax.plot(np.arange(part.size) / sampling_hz * 1000.0, part, color=colour, lw=1.2)
    ax.axhline(0, color=GREY, lw=0.6, zorder=0)
    ax.set_xlim(0, length_ms)
    ax.set_xlabel(f"time after {start_s:.3g} s, ms")
    ax.set_ylabel("EMG, µV")
    return ax


@house_style
def plot_potentials(
    potentials_uv: Any,
    sampling_hz: float,
    names: Sequence[str],
    ax: Any = None,
    *,
    title: str = "",
) -> Any:
    """Draw unit potentials over each other, each named with its size.

    Parameters
    ----------
    potentials_uv : array_like
        Potential, µV, shape (n, samples), n up to 4.
    sampling_hz : float
    names : sequence of str
    ax : matplotlib axes, optional
        New ones if omitted.
    title : str

    Returns
    -------
    matplotlib axes
    """
    rows = np.atleast_2d(np.asarray(potentials_uv, float))
    if len(rows) != len(names) or len(rows) > len(LINES):
        raise NeurosimError(f"plot_potentials draws up to {len(LINES)} potentials, a name each.")
    ax = axes_or_new(ax)
    time = np.arange(rows.shape[1], dtype=float) / sampling_hz * 1000.0
    for row, name, (colour, line) in zip(rows, names, LINES, strict=False):
        ax.plot(time, row, line, color=colour, lw=1.8, label=_size_label(row, name, sampling_hz))
    ax.axhline(0, color=GREY, lw=0.6, zorder=0)
    ax.set_xlabel("time after the end plates fire, ms")
    ax.set_ylabel("potential, µV")
    ax.set_title(title)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.1 * len(rows) * (high - low))
    # The lines end together at 0: a name at an end could not tell which is which.
    ax.legend(loc="upper right", labelcolor="linecolor", handlelength=2.8)
    return ax


def _size_label(row: np.ndarray, name: str, sampling_hz: float) -> str:
    """Return the name of a potential with its amplitude and duration."""
    shape = measure_shape(row, sampling_hz)
    size = f"{label_number(float(f'{shape.amplitude_uv:.3g}'))} µV"
    return f"{name}: {size}" + (f", {shape.duration_ms:.3g} ms" if shape.phases else ", in noise")


def describe_potentials(potentials_uv: Any, sampling_hz: float, names: Sequence[str]) -> str:
    """Return unit potentials in words: amplitude, µV, and duration, ms, of each."""
    rows = np.atleast_2d(np.asarray(potentials_uv, float))
    labels = [_size_label(row, name, sampling_hz) for row, name in zip(rows, names, strict=True)]
    return "; ".join(labels) + "."
