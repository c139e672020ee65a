"""The mains' hum in a record: found as lines at 50 or 60 Hz and their multiples, and taken away.

Sines are fitted to the quiet samples of each second and subtracted. A notch filter would do
the same and ring after every potential.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.clinic.filters import power_spectrum

if TYPE_CHECKING:
    from neurosim.clinic.filters import Floats

MAINS_HZ = (50.0, 60.0)
_TOP_HZ = 1000.0
_LINE_OVER_FLOOR = 10.0  # in power, within 1 Hz; noise alone reaches half of it
_QUIET = 5.0  # samples beyond so many median distances from the median are potentials
_WINDOW_S = 1.0


@dataclass(frozen=True)
class Hum:
    """What was taken away.

    Attributes
    ----------
    mains_hz : float
        50 or 60; 0 if there was none.
    rms_uv : float
        Its root mean square.
    """

    mains_hz: float = 0.0
    rms_uv: float = 0.0


def remove_hum(signal_uv: Floats, hz: float) -> tuple[Floats, Hum]:
    """Return a record without the mains' hum, and what that was.

    Parameters
    ----------
    signal_uv : ndarray, shape (n,)
        Finite.
    hz : float
        Samples per second.
    """
    lines = {mains: _find_lines(signal_uv, hz, mains) for mains in MAINS_HZ}
    mains = max(lines, key=lambda m: (m in lines[m], len(lines[m])))
    if not lines[mains] or signal_uv.size < 2 * _WINDOW_S * hz:
        return signal_uv, Hum()
    base = _refine(signal_uv, hz, lines[mains][0]) / lines[mains][0]
    hum = _fit_sines(signal_uv, hz, [base * f for f in lines[mains]])
    return signal_uv - hum, Hum(mains, float(np.sqrt(np.mean(hum**2))))


def _quiet(signal: Floats) -> Floats:
    """Return a signal about its median, its potentials cut off."""
    out = signal - np.median(signal)
    limit = _QUIET * float(np.median(np.abs(out)))
    return np.clip(out, -limit, limit)


def _find_lines(signal: Floats, hz: float, mains: float) -> list[float]:
    """Return the multiples of a mains frequency that stand out of the spectrum."""
    width = min(round(2.0 * hz), signal.size)
    frequency, power = power_spectrum(_quiet(signal), hz, width)
    lines: list[float] = []
    for line in np.arange(mains, min(_TOP_HZ, 0.45 * hz), mains).tolist():
        far = np.abs(frequency - line)
        near, around = far <= 1.0, (far > 3.0) & (far < 15.0)
        if near.any() and power[near].max() > _LINE_OVER_FLOOR * np.median(power[around]):
            lines.append(line)
    return lines


def _refine(signal: Floats, hz: float, line: float) -> float:
    """Return the frequency near a line at which the record's first minute has most power."""
    part = _quiet(signal[: round(60.0 * hz)])
    time = np.arange(part.size) / hz
    shifted = part * np.exp(-2j * np.pi * line * time)
    step = max(round(hz / 50.0), 1)  # what is left turns slowly
    slow = shifted[: part.size // step * step].reshape(-1, step).sum(axis=1)
    offsets = np.linspace(-0.5, 0.5, 401) * line / 50.0
    turns = np.exp(-2j * np.pi * np.outer(offsets, time[: slow.size * step : step]))
    return line + float(offsets[np.argmax(np.abs(turns @ slow))])


def _fit_sines(signal: Floats, hz: float, lines: list[float]) -> Floats:
    """Return the sum of sines at the lines, fitted second by second to the quiet samples."""
    half = round(_WINDOW_S * hz / 2.0)
    total, weight = np.zeros(signal.size), np.zeros(signal.size)
    for first in range(0, max(signal.size - half, 1), half):
        part = signal[first : first + 2 * half]
        phase = 2.0 * np.pi * np.outer(np.arange(first, first + part.size) / hz, lines)
        waves = np.hstack([np.sin(phase), np.cos(phase), np.ones((part.size, 1))])
        size = np.abs(part - np.median(part))
        calm = size <= _QUIET * np.median(size)
        fitted = np.linalg.lstsq(waves[calm], part[calm], rcond=None)[0]
        window = np.hanning(part.size + 2)[1:-1]
        total[first : first + part.size] += window * (waves[:, :-1] @ fitted[:-1])
        weight[first : first + part.size] += window
    return np.asarray(total / np.maximum(weight, 1e-9))
