"""The electromyogram as a sound, as the clinic hears it, and as files on disk.

A needle's loudspeaker plays the potential itself: nothing is added here but the rate of a
sound file. Full scale is stated, and what does not fit under it is counted.
"""

from __future__ import annotations

import math
import wave
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError, number_within
from neurosim.base.files import write_files
from neurosim.clinic.emg import emg_uv as electromyogram
from neurosim.clinic.unit_potentials import EmgSettings, surface_electrode
from neurosim.view.export import csv_bytes, json_bytes, provenance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neurosim.simulation.result import Result

RUN_HZ = 2000.0
RATES_HZ = (8000, 11025, 16000, 22050, 44100)
LONG_S = 60.0  # of a record above which the samples go into an .npz file
_LARGEST = 32767  # of 16 bits


@dataclass(frozen=True)
class Sound:
    """How a record became a sound.

    Attributes
    ----------
    rate_hz : int
        Samples of the sound per second.
    full_scale_uv : float
        Potential that is as loud as the file can be.
    clipped : int
        Samples of the sound that were beyond it and are cut off.
    duration_s : float
    """

    rate_hz: int
    full_scale_uv: float
    clipped: int
    duration_s: float

    def __str__(self) -> str:
        cut = f"{self.clipped} samples cut off" if self.clipped else "nothing cut off"
        return (
            f"{self.duration_s:.3g} s of sound at {self.rate_hz} samples per second, "
            f"full scale {self.full_scale_uv:g} uV, {cut}"
        )


def wav_bytes(
    emg_uv: Any,
    sampling_hz: float,
    full_scale_uv: float | None = None,
    rate_hz: int | None = None,
) -> tuple[bytes, Sound]:
    """Return a record as a WAV file (one channel, 16 bits), and how it was made.

    Parameters
    ----------
    emg_uv : array_like
        Record, uV, shape (n,).
    sampling_hz : float
        Its samples per second, 100 to 100 000.
    full_scale_uv : float, optional
        Potential at full loudness; by default the next of 1, 2, 5, 10... above the
        largest potential, so that nothing is cut off.
    rate_hz : int, optional
        One of `RATES_HZ`; by default the lowest that keeps every frequency.

    Raises
    ------
    NeurosimError
        If the record is empty or not finite, or a value is not allowed.
    """
    signal = np.asarray(emg_uv, float)
    if signal.ndim != 1 or not signal.size or not np.isfinite(signal).all():
        raise NeurosimError("A sound needs a record of at least one sample, all of them finite.")
    hz = number_within("sampling_hz", sampling_hz, 100, 100_000, "per second")
    rate = next((r for r in RATES_HZ if r >= hz), RATES_HZ[-1]) if rate_hz is None else rate_hz
    if rate not in RATES_HZ:
        choice = ", ".join(map(str, RATES_HZ))
        raise NeurosimError(f"rate_hz = {rate} is not one of {choice}.")
    signal = _resample(signal, hz, rate)
    top = float(np.abs(signal).max())
    if full_scale_uv is None:
        full = _next_round(top)
    else:
        full = number_within("full_scale_uv", full_scale_uv, 1e-3, 1e7, "uV")
    levels = np.rint(signal / full * _LARGEST)
    clipped = int(np.count_nonzero(np.abs(levels) > _LARGEST))
    levels = np.clip(levels, -_LARGEST, _LARGEST).astype("<i2")
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(levels.tobytes())
    return buffer.getvalue(), Sound(rate, full, clipped, signal.size / rate)


def write_wav(
    path: str | Path,
    emg_uv: Any,
    sampling_hz: float,
    full_scale_uv: float | None = None,
    rate_hz: int | None = None,
) -> Sound:
    """Write a record as a WAV file and return how it was made; see `wav_bytes`.

    Raises
    ------
    NeurosimError
        As `wav_bytes`, or if the file cannot be written.
    """
    content, sound = wav_bytes(emg_uv, sampling_hz, full_scale_uv, rate_hz)
    path = Path(path)
    write_files(path.parent, {path.name: content})
    return sound


def _resample(signal: np.ndarray, hz: float, rate: int) -> np.ndarray:
    scipy_signal: Any = import_module("scipy.signal")  # it has no types
    ratio = Fraction(rate / hz).limit_denominator(1000)
    if ratio == 1:
        return signal
    return np.asarray(scipy_signal.resample_poly(signal, ratio.numerator, ratio.denominator))


def _next_round(value: float) -> float:
    """Return the first of ... 1, 2, 5, 10, 20 ... that is not below a value; 1 for zero."""
    if value <= 0:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(value))
    return next(k * decade for k in (1.0, 2.0, 5.0, 10.0) if k * decade >= value)


def emg_files(
    emg_uv: Any,
    sampling_hz: float,
    start_s: float = 0.0,
    about: Mapping[str, Any] | None = None,
    full_scale_uv: float | None = None,
) -> dict[str, bytes]:
    """Return a record as files by name: ``emg.csv`` or ``emg.npz``, ``emg.json``, ``emg.wav``.

    Parameters
    ----------
    emg_uv : array_like
        Record, uV, shape (n,). Longer than a minute it becomes an ``.npz`` of 32-bit floats.
    sampling_hz : float
    start_s : float
        When in the run it begins.
    about : mapping, optional
        What else ``emg.json`` says, such as the electrode.
    full_scale_uv : float, optional
        Of the sound; see `wav_bytes`.
    """
    signal = np.asarray(emg_uv, float)
    wav, sound = wav_bytes(signal, sampling_hz, full_scale_uv)
    files: dict[str, bytes] = {}
    if signal.size <= LONG_S * sampling_hz + 1:
        time_s = start_s + np.arange(signal.size) / sampling_hz
        files["emg.csv"] = csv_bytes({"time_s": time_s, "emg_uv": np.round(signal, 3)})
    else:
        buffer = BytesIO()
        np.savez(buffer, emg_uv=signal.astype(np.float32), start_s=start_s, sampling_hz=sampling_hz)
        files["emg.npz"] = buffer.getvalue()
    description: dict[str, Any] = {
        "file": next(iter(files)), "samples": signal.size, "start_s": start_s,
        "sampling_hz": sampling_hz, "units": {"time_s": "s", "emg_uv": "µV"},
        "sound": {"file": "emg.wav", **asdict(sound)}, **(about or {}),
    }  # fmt: skip
    return files | {"emg.json": json_bytes(description), "emg.wav": wav}


def write_emg(
    folder: str | Path,
    emg_uv: Any,
    sampling_hz: float,
    start_s: float = 0.0,
    about: Mapping[str, Any] | None = None,
    full_scale_uv: float | None = None,
) -> list[Path]:
    """Write the files of `emg_files` into a folder, all or none, and return their paths."""
    return write_files(folder, emg_files(emg_uv, sampling_hz, start_s, about, full_scale_uv))


def busiest_s(time_s: Any, duration_s: float, length_s: float = LONG_S) -> tuple[float, float]:
    """Return start and end (s) of the stretch with the most discharges, the first if none has.

    It begins 0.1 s before its first discharge and lies within the run.
    """
    length = min(length_s, duration_s)
    times = np.sort(np.asarray(time_s, float))
    if not times.size:
        return 0.0, length
    inside = np.searchsorted(times, times + length) - np.arange(times.size)
    start = float(np.clip(times[inside.argmax()] - 0.1, 0.0, duration_s - length))
    return start, start + length


def run_files(result: Result) -> dict[str, bytes]:
    """Return the surface electromyogram of a run's busiest minute, as files by name."""
    s, fired = result.scenario, result.firing
    start, end = busiest_s(fired.time_s, s.duration_s)
    moment = int(result.trajectory.nearest(np.array(start)))
    state, reached = result.trajectory.states[moment], result.reached[moment]
    near = (fired.time_s > start - 1.0) & (fired.time_s < end) & (reached > 0)
    electrode = surface_electrode(s.muscle)
    signal = electromyogram(
        fired.time_s[near] - start,
        fired.unit[near],
        s.muscle,
        end - start,
        electrode,
        EmgSettings(
            RUN_HZ,
            (s.seed, result.person),
            scale_of_units=state.transmission,
            fibres_scale=state.fibres_scale,
        ),
    )
    about = provenance(
        s,
        person=result.person,
        electrode=asdict(electrode),
        note="The minute with the most discharges, or all of a shorter run.",
    )
    return emg_files(signal, RUN_HZ, start, about)
