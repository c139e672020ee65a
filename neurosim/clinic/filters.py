"""What electrodes and detector take from SciPy: imported late, and with types."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]
    Mask = NDArray[np.bool_]


def _scipy(part: str) -> Any:  # SciPy has no type stubs
    return import_module(f"scipy.{part}")


def upsample(signal: Floats, times: int) -> Floats:
    """Return a signal with so many times as many samples."""
    return signal if times == 1 else np.asarray(_scipy("signal").resample_poly(signal, times, 1))


def high_pass(signal: Floats, edge_hz: float, hz: float) -> Floats:
    """Return a signal without what is slower than an edge (first order, to and fro)."""
    if signal.size <= 30:
        return signal
    low = _scipy("signal").butter(1, edge_hz, "highpass", fs=hz, output="sos")
    return np.asarray(_scipy("signal").sosfiltfilt(low, signal))


def band_pass(signal: Floats, edges_hz: list[float], hz: float) -> Floats:
    """Return a signal between two edges (second order, as an amplifier delays it)."""
    sections = _scipy("signal").butter(2, edges_hz, "bandpass", fs=hz, output="sos")
    return np.asarray(_scipy("signal").sosfilt(sections, signal))


def power_spectrum(signal: Floats, hz: float, width: int) -> tuple[Floats, Floats]:
    """Return frequencies, Hz, and power per Hz, averaged over windows of so many samples."""
    return _scipy("signal").welch(signal, hz, nperseg=width)


def correlate_valid(signal: Floats, pattern: Floats) -> Floats:
    """Return the products of a pattern with every part of a signal that it fits into."""
    return _scipy("signal").correlate(signal, pattern, "valid")


def find_peaks(signal: Floats, distance: int, height: float | None = None) -> Places:
    """Return the peaks of a signal, no two closer than `distance` samples."""
    return _scipy("signal").find_peaks(signal, height=height, distance=distance)[0]


def moving_max(values: Floats, reach: int) -> Floats:
    """Return the largest of the values within so many samples to both sides."""
    return _scipy("ndimage").maximum_filter1d(values, 2 * reach + 1)


def widen_mask(mask: Mask, reach: int) -> Mask:
    """Return a mask widened by so many samples to both sides."""
    return _scipy("ndimage").maximum_filter1d(mask.astype(np.uint8), 2 * reach + 1) > 0


def solve_toeplitz(column: Floats, right: Floats) -> Floats:
    """Return the solution of a symmetric Toeplitz system."""
    return _scipy("linalg").solve_toeplitz(column, right)


def next_fast_size(size: int) -> int:
    """Return the next size above whose Fourier transform is quick."""
    return int(_scipy("fft").next_fast_len(size, real=True))


def poisson_limits(count: int, confidence: float) -> tuple[float, float]:
    """Return the exact interval of a Poisson count's mean (Garwood 1936)."""
    chi2, tail = _scipy("stats").chi2, (1.0 - confidence) / 2.0
    low = float(chi2.ppf(tail, 2 * count)) / 2.0 if count else 0.0
    return low, float(chi2.ppf(1.0 - tail, 2 * count + 2)) / 2.0
