"""The electromyogram drawn: who fired, force, potential and spectrogram over one time axis.

Every function takes axes and returns them; `describe_emg` says the same in words, from the
same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.errors import NeurosimError
from neurosim.muscle.emg import shape_of
from neurosim.show.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    VERMILION,
    counted,
    plain_number,
    styled,
)

ROWS = ("raster", "force", "emg", "spectrogram")
LINES = ((BLUE, "-"), (GREEN, "--"), (VERMILION, "-."), (PURPLE, ":"))
_WINDOW_S = 0.064  # of the spectrogram
_DEEPEST_DB = 50.0  # under the loudest, the darkest colour


@dataclass(frozen=True)
class EmgNumbers:
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


def emg_numbers(time_s: Any, unit: Any, emg_uv: Any, sampling_hz: float) -> EmgNumbers:
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
    half = np.searchsorted(spectrum, spectrum[-1] / 2) * sampling_hz / signal.size
    return EmgNumbers(
        duration_s=signal.size / sampling_hz, discharges=times.size,
        units=np.unique(units).size, peak_uv=float(np.abs(signal).max()),
        rms_uv=float(np.sqrt(power.mean())),
        quiet_uv=float(np.sqrt(np.quantile(windows, 0.1))),
        median_hz=float(half) if spectrum[-1] > 0 else float("nan"),
        shortest_ms=float(gaps.min() * 1000) if gaps.size else float("nan"),
    )  # fmt: skip


def describe_emg(numbers: EmgNumbers, electrode: str = "electrode") -> str:
    """Return the words that stand for the figure."""
    n = numbers
    parts = [
        f"Electromyogram by {electrode}, {n.duration_s:.3g} s: "
        f"{counted(n.discharges, 'discharge')} of {counted(n.units, 'motor unit')}."
    ]
    if n.shortest_ms == n.shortest_ms:
        parts.append(f"The shortest interval within a unit is {n.shortest_ms:.3g} ms.")
    parts.append(
        f"The potential reaches {n.peak_uv:.3g} µV over a quiet line of {n.quiet_uv:.2g} µV "
        f"(root mean square)"
        + (f"; half of its power lies below {n.median_hz:.3g} Hz."
           if n.median_hz == n.median_hz else ".")
    )  # fmt: skip
    return " ".join(parts)


@styled
def picture_emg(
    axes: Sequence[Any],
    time_s: Any,
    unit: Any,
    force_mn: Any,
    emg_uv: Any,
    sampling_hz: float,
    *,
    force_hz: float = 1000.0,
    title: str = "",
    colour: str = BLUE,
) -> Sequence[Any]:
    """Draw raster, force, potential and spectrogram on four axes, and return them.

    Parameters
    ----------
    axes : sequence of 4 matplotlib axes
        From top to bottom as `ROWS`.
    time_s, unit : array_like
        Discharges.
    force_mn : array_like
        Force, mN, sampled at `force_hz`.
    emg_uv : array_like
        Potential, uV, sampled at `sampling_hz`.
    title : str
    colour : str
        Of force and potential.
    """
    if len(axes) != len(ROWS):
        raise NeurosimError(f"picture_emg needs {len(ROWS)} axes, one each for {', '.join(ROWS)}.")
    signal, force = np.asarray(emg_uv, float), np.asarray(force_mn, float)
    times, units = np.asarray(time_s, float), np.asarray(unit, float)
    raster, pull, wave, colours = axes
    end = signal.size / sampling_hz
    raster.plot(times, units + 1, "|", color=BLACK, ms=9, mew=1.2)
    raster.set_ylabel("motor unit")
    raster.set_title(title)
    low, high = (units.min() + 1, units.max() + 1) if units.size else (1.0, 1.0)
    raster.set_ylim(low - 1, high + 1)
    raster.yaxis.get_major_locator().set_params(integer=True)
    pull.plot(np.arange(force.size) / force_hz, force, color=colour, lw=1.5)
    pull.set_ylabel("force, mN")
    wave.plot(np.arange(signal.size) / sampling_hz, signal, color=colour, lw=0.7)
    wave.set_ylabel("EMG, µV")
    draw_spectrogram(colours, signal, sampling_hz)
    colours.set_xlabel("time, seconds")
    for ax in axes:
        ax.set_xlim(0, end)
        if ax is not colours:
            ax.tick_params(labelbottom=False)
    return axes


@styled
def draw_spectrogram(ax: Any, emg_uv: Any, sampling_hz: float, top_hz: float | None = None) -> Any:
    """Draw the power of a record against time and frequency, dB under its loudest."""
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    signal = np.asarray(emg_uv, float)
    width = max(8, min(round(_WINDOW_S * sampling_hz), signal.size))
    hop = max(1, width // 8, signal.size // 2000)
    stft = ShortTimeFFT(hann(width), hop, sampling_hz)
    power = stft.spectrogram(signal)
    loud = max(float(power.max()), 1e-300)
    level = 10 * np.log10(np.maximum(power / loud, 1e-12))
    times = stft.t(signal.size)
    image = ax.pcolormesh(
        times, stft.f, level, vmin=-_DEEPEST_DB, vmax=0, cmap="cividis", shading="nearest",
        rasterized=True,
    )  # fmt: skip
    image.set_label("power, dB under the loudest")
    ax.set_xlim(0, signal.size / sampling_hz)
    ax.set_ylim(0, top_hz or min(sampling_hz / 2, 1000.0))
    ax.set_ylabel("frequency, Hz")
    return ax


@styled
def draw_sweep(
    ax: Any, emg_uv: Any, sampling_hz: float, start_s: float, length_ms: float = 60.0,
    colour: str = BLUE,
) -> Any:  # fmt: skip
    """Draw a short stretch of a record as an oscilloscope shows it, and return the axes."""
    signal = np.asarray(emg_uv, float)
    first = max(round(start_s * sampling_hz), 0)
    part = signal[first : first + round(length_ms * sampling_hz / 1000.0)]
    ax.plot(np.arange(part.size) / sampling_hz * 1000.0, part, color=colour, lw=1.2)
    ax.axhline(0, color=GREY, lw=0.6, zorder=0)
    ax.set_xlim(0, length_ms)
    ax.set_xlabel(f"time after {start_s:.3g} s, ms")
    ax.set_ylabel("EMG, µV")
    return ax


@styled
def picture_potentials(
    ax: Any, potentials_uv: Any, sampling_hz: float, names: Sequence[str], title: str = ""
) -> Any:
    """Draw unit potentials over each other, each with its size in the legend; return the axes.

    Parameters
    ----------
    ax : matplotlib axes
    potentials_uv : array_like
        Shape (n, samples), n up to 4.
    sampling_hz : float
    names : sequence of str
    """
    rows = np.atleast_2d(np.asarray(potentials_uv, float))
    if len(rows) != len(names) or len(rows) > len(LINES):
        raise NeurosimError(f"picture_potentials draws up to {len(LINES)} potentials, a name each.")
    time = np.arange(rows.shape[1]) / sampling_hz * 1000.0
    for row, name, (colour, line) in zip(rows, names, LINES, strict=False):
        s = shape_of(row, sampling_hz)
        size = f"{plain_number(float(f'{s.amplitude_uv:.3g}'))} µV"
        label = f"{name}: {size}" + (f", {s.duration_ms:.3g} ms" if s.phases else ", in the noise")
        ax.plot(time, row, line, color=colour, lw=1.8, label=label)
    ax.axhline(0, color=GREY, lw=0.6, zorder=0)
    ax.set_xlabel("time after the end plates fire, ms")
    ax.set_ylabel("potential, µV")
    ax.set_title(title)
    ax.legend(loc="upper right")
    return ax
