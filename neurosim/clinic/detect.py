"""The detector of a clinician's own record: potentials, units, doublets and bursts, and its limits.

Mains hum is taken away, gaps are filled, potentials sorted into units by shape (`spike_sorting`)
and each unit's intervals read (`trains`). Stretches in which potentials interfere are told and not
sorted. A unit's size is measured on the record itself, about its spikes. Numbers: ``detect.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import Key, keep_reads, parameter
from neurosim.base.viewable import Viewable
from neurosim.clinic.emg_csv import EmgFile, check_channel, check_rate, check_unit, read_emg
from neurosim.clinic.filters import poisson_limits, upsample
from neurosim.clinic.hum import Hum, remove_hum
from neurosim.clinic.spike_sorting import (
    EmgRecord,
    Potentials,
    busy_stretches,
    check_samples,
    noise_level,
    prepare_record,
    sort_potentials,
    true_runs,
)
from neurosim.clinic.trains import TrainEvent, classify_train
from neurosim.clinic.unit_potentials import (
    ELECTRODES,
    PotentialShape,
    measure_shape,
    unit_potentials,
)
from neurosim.model.muscle import anatomy

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike

    from neurosim.clinic.filters import Floats, Mask, Places

KINDS = ("single", "doublet", "multiplet", "myokymic_burst", "neuromyotonic_burst", "tonic")
CONFIDENCE = 0.95
_FLAT_RUN = 3  # equal samples at an extreme that an amplifier's end makes


@dataclass(frozen=True, eq=False)
class DetectedUnit:
    """What one unit's potentials look like in the record, and when they come.

    Attributes
    ----------
    number : int
        From 1, in the order in which the channel's units were told apart.
    time_s : ndarray, shape (n,)
        Of its potentials.
    events : tuple of TrainEvent
    shape_uv : ndarray
        Median of the record about its potentials, sampled at `shape_hz`; sample `shape_zero`
        is the potential's time.
    shape_hz : float
    shape_zero : int
    size : PotentialShape
        Amplitude, duration and phases of that.
    """

    number: int
    time_s: Floats
    events: tuple[TrainEvent, ...]
    shape_uv: Floats
    shape_hz: float
    shape_zero: int
    size: PotentialShape

    @property
    def intervals_ms(self) -> Floats:
        """Intervals from each potential to the next."""
        return 1000.0 * np.diff(self.time_s)

    @property
    def is_tonic(self) -> bool:
        """Whether most of its potentials come on and on, regularly, as by will."""
        return sum(event_kind(e) == "tonic" for e in self.events) > len(self.time_s) / 2


@dataclass(frozen=True, eq=False)
class DetectedChannel:
    """What one channel shows.

    Attributes
    ----------
    name : str
        Of its column.
    signal_uv : ndarray, shape (n,)
        The record about its median, without hum; NaN in the gaps.
    watched_s : float
        Time in which potentials were looked for: without gaps and interference.
    missing_s : float
        Gaps.
    noise_uv : float
        Root mean square of the quiet record, above the detector's lower edge (80 Hz).
    least_uv : float
        A potential that comes once, with its largest phase below it, would be missed; one of a
        unit that comes often may be found by its shape.
    hum : Hum
    saturated : int
        Samples at the end of the amplifier's range.
    interference : tuple of (start, end)
        Stretches, s, in which potentials cannot be told apart; not sorted, not counted.
    units : tuple of DetectedUnit
    share_seen : mapping of str to float
        By electrode, which share of the model's units in the named muscle is above `least_uv`.
    """

    name: str
    signal_uv: Floats
    watched_s: float
    missing_s: float
    noise_uv: float
    least_uv: float
    hum: Hum
    saturated: int
    interference: tuple[tuple[float, float], ...]
    units: tuple[DetectedUnit, ...]
    share_seen: dict[str, float]

    @property
    def events(self) -> list[TrainEvent]:
        """Events of all units, in order of time."""
        return sorted((e for u in self.units for e in u.events), key=lambda e: e.start_s)

    @property
    def potentials(self) -> int:
        """How many potentials were found."""
        return sum(unit.time_s.size for unit in self.units)

    def count(self, kind: str) -> int:
        """Return how many events are of one of `KINDS`."""
        return sum(event_kind(e) == kind for e in self.events)

    def rate_per_min(self, count: int) -> tuple[float, float, float]:
        """Return a count per minute watched, and its exact Poisson interval (95 %)."""
        minutes = self.watched_s / 60.0
        if minutes <= 0.0:
            return np.nan, np.nan, np.nan
        low, high = poisson_limits(count, CONFIDENCE)
        return count / minutes, low / minutes, high / minutes


@dataclass(frozen=True, repr=False, eq=False)
class Detection(Viewable):
    """What `detect` tells of a record.

    Attributes
    ----------
    title : str
        Name of the file.
    muscle : str or None
    sampling_hz : float
    start_s : float
        Time of the first sample; all times count from it.
    channels : tuple of DetectedChannel
    ignored : tuple of str
        Columns that were not read.
    parameters : frozenset of (str, str)
        Group and name of every parameter that it was computed from.
    """

    title: str
    muscle: str | None
    sampling_hz: float
    start_s: float
    channels: tuple[DetectedChannel, ...]
    ignored: tuple[str, ...]
    parameters: frozenset[Key] = frozenset()


def event_kind(event: TrainEvent) -> str:
    """Return which of `KINDS` an event is."""
    return "tonic" if event.origin == "soma" else event.kind


@public
@keep_reads
def detect(
    record: str | Path | ArrayLike,
    *,
    rate_hz: float | None = None,
    unit: str | None = None,
    muscle: str | None = None,
) -> Detection:
    """Find and sort the potentials of an electromyogram, as ``neurosim detect`` does.

    Parameters
    ----------
    record : path or array_like
        A CSV file with a column of time (s or ms) and one or more of voltage (uV, mV or V), the
        units in the header; or samples, shape (n,), NaN where there is none.
    rate_hz : float, optional
        Samples per second, 1000 to 50 000, where the record has no time.
    unit : str, optional
        ``"uV"`` (of samples by default), ``"mV"`` or ``"V"``, where no header says so.
    muscle : str, optional
        One of the model's muscles: which share of its units could be seen at this noise.

    Returns
    -------
    Detection

    Raises
    ------
    NeurosimError
        If the record cannot be read, is too short, or a name or value is not allowed.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> detect(rng.normal(0.0, 5.0, 50_000), rate_hz=10_000).channels[0].potentials
    0
    """
    if muscle is not None:
        muscle = anatomy.muscle(muscle).name
    if isinstance(record, str | PathLike):
        file = read_emg(record, rate_hz, unit)
    else:
        file = _read_samples(record, rate_hz, unit)
    channels = (
        _detect_channel(name, samples, file.sampling_hz, muscle)
        for name, samples in file.channels.items()
    )
    return Detection(
        file.title, muscle, file.sampling_hz, file.start_s, tuple(channels), file.ignored
    )


def _read_samples(samples: ArrayLike, rate_hz: Any, unit: str | None) -> EmgFile:
    """Return bare samples as a file of one channel."""
    column = check_samples("record", samples, gaps=True)
    if rate_hz is None:
        raise NeurosimError("Samples need their rate: rate_hz, samples per second.")
    hz, scale = check_rate(rate_hz), check_unit("uV" if unit is None else unit)
    return EmgFile("samples", hz, 0.0, {"emg": check_channel("record", column * scale, hz)})


def _detect_channel(name: str, samples: Floats, hz: float, muscle: str | None) -> DetectedChannel:
    """Return what one channel shows."""
    missing = ~np.isfinite(samples)
    signal, hum = remove_hum(_fill_gaps(samples, missing), hz)
    signal = signal - np.median(signal[~missing])
    record = prepare_record(signal, hz, missing)
    busy = busy_stretches(record)
    watched_s = _watched_samples(missing, busy, hz) / hz
    potentials = _drop_leftovers(sort_potentials(record, busy), watched_s)
    least_uv = parameter("detect", "threshold_noise") * record.noise_uv
    return DetectedChannel(
        name=name,
        signal_uv=np.where(missing, np.nan, signal),
        watched_s=watched_s,
        missing_s=float(missing.sum()) / hz,
        noise_uv=_quiet_rms(record, missing),
        least_uv=least_uv,
        hum=hum,
        saturated=_count_saturated(samples[~missing], record.noise_uv),
        interference=tuple(busy),
        units=_measure_units(signal, missing, potentials, record),
        share_seen={} if muscle is None else _share_seen(muscle, least_uv),
    )


def _quiet_rms(record: EmgRecord, missing: Mask) -> float:
    """Return the root mean square of all that is no potential.

    The level that thresholds go by is that of the quietest windows, some 5 to 15 % less.
    """
    gap = np.repeat(missing, record.signal_uv.size // missing.size)
    quiet = record.signal_uv[~record.active & ~gap]
    return float(np.sqrt(np.mean(quiet**2))) if quiet.size else record.noise_uv


def _fill_gaps(samples: Floats, missing: Mask) -> Floats:
    """Return samples with straight lines across their gaps."""
    if not missing.any():
        return samples
    there = np.flatnonzero(~missing)
    return np.interp(np.arange(samples.size), there, samples[there])


def _watched_samples(missing: Mask, busy: list[tuple[float, float]], hz: float) -> int:
    """Return how many samples are neither missing nor of interference."""
    left = ~missing
    for start, end in busy:
        left[round(start * hz) : round(end * hz) + 1] = False
    return int(left.sum())


def _drop_leftovers(potentials: Potentials, watched_s: float) -> Potentials:
    """Return the potentials without units that come only beside those found before them.

    What is left of several larger units beside their spikes looks like one more; sorting asks
    each larger unit alone. The share beside them is counted beyond that of chance.
    """
    reach_s = parameter("detect", "leftover_ms") / 1000.0
    keep = np.zeros(potentials.time_s.size, bool)
    for unit in range(len(potentials.shapes_uv)):
        theirs = potentials.unit == unit
        others, times = potentials.time_s[keep], potentials.time_s[theirs]
        near = np.searchsorted(others, times + reach_s) > np.searchsorted(others, times - reach_s)
        chance = 1.0 - np.exp(-2.0 * reach_s * others.size / max(watched_s, reach_s))
        beyond = (np.mean(near) - chance) / (1.0 - chance) if near.size else 1.0
        if beyond <= parameter("detect", "leftover_share"):
            keep |= theirs
    return replace(potentials, time_s=potentials.time_s[keep], unit=potentials.unit[keep])


def _count_saturated(samples: Floats, noise_uv: float) -> int:
    """Return how many samples lie in runs at the record's extremes, far out of the noise."""
    about, total = samples - np.median(samples), 0
    for end in (about.max(), about.min()):
        if abs(end) > 10.0 * noise_uv:
            starts, ends = true_runs(about == end)
            lengths: Places = ends - starts
            total += int(lengths @ (lengths >= _FLAT_RUN))
    return total


def _measure_units(
    signal: Floats,
    missing: Mask,
    potentials: Potentials,
    record: EmgRecord,
) -> tuple[DetectedUnit, ...]:
    """Return every unit with its shape in the record before slow waves were taken off."""
    rate = record.rate_hz
    up = record.signal_uv.size // signal.size
    wide = upsample(signal, up)
    quiet = noise_level(wide[~np.repeat(missing, wide.size // missing.size)], rate)
    trains = _merge_alike(wide, potentials, rate)
    every = np.sort(np.concatenate([*trains, np.empty(0)]))
    units: list[DetectedUnit] = []
    for number, times in enumerate(trains, 1):
        shape, zero, averaged = _median_shape(wide, times, every, rate)
        onset = max(parameter("emg", "onset_uv"), 3.0 * quiet / np.sqrt(averaged))
        rows = tuple(row.with_unit(number) for row in classify_train(times))
        size = measure_shape(shape, rate, onset)
        units.append(DetectedUnit(number, times, rows, shape, rate, zero, size))
    return tuple(units)


def _merge_alike(wide: Floats, potentials: Potentials, rate: float) -> list[Floats]:
    """Return the spikes of each unit; those of units with one and the same shape are one train.

    Sorting may learn a shape twice, as with and without a doublet's second potential.
    """
    trains: list[Floats] = []
    shapes: list[Floats] = []
    for unit in range(len(potentials.shapes_uv)):
        times = potentials.time_s[potentials.unit == unit]
        if not times.size:
            continue
        shape, _, _ = _median_shape(wide, times, potentials.time_s, rate)
        late = [_delay_if_alike(other, shape, rate) for other in shapes]
        same = next((k for k, lag in enumerate(late) if lag is not None), None)
        if same is None:
            trains.append(times)
            shapes.append(shape)
        else:
            trains[same] = np.sort(np.r_[trains[same], times + (late[same] or 0.0)])
    return trains


def _delay_if_alike(one: Floats, other: Floats, rate: float) -> float | None:
    """Return how much later, s, the same shape comes in another, None if it is another shape."""
    limit = parameter("detect", "misfit_share") * float(np.abs(one).max())
    reach = round(parameter("detect", "about_ms") / 1000.0 * rate)
    inner = one[reach:-reach]
    left = [
        float(np.abs(other[reach + lag : other.size - reach + lag] - inner).max())
        for lag in range(-reach, reach + 1)
    ]
    best = int(np.argmin(left))
    return (best - reach) / rate if left[best] < limit else None


def _median_shape(
    wide: Floats,
    times: Floats,
    all_times: Floats,
    rate: float,
) -> tuple[Floats, int, int]:
    """Return the median of the record about some spikes, where its time is, and of how many.

    Spikes with no other potential within the shape count alone, if there are any.
    """
    before, after = (parameter("detect", f"shape_{e}_ms") / 1000.0 for e in ("before", "after"))
    near = np.searchsorted(all_times, times + after) - np.searchsorted(all_times, times - before)
    alone = times[near <= 1]
    used = alone if alone.size else times
    zero, length = round(before * rate), round((before + after) * rate)
    index = np.rint(used * rate).astype(np.intp)[:, None] + np.arange(-zero, length - zero)
    shape = np.median(wide[np.clip(index, 0, wide.size - 1)], axis=0)
    edges = np.r_[shape[: zero // 4], shape[-(zero // 4) :]]
    return shape - np.median(edges), zero, used.size


def _share_seen(muscle: str, least_uv: float) -> dict[str, float]:
    """Return which share of the model's units an electrode over or in a muscle's middle sees."""

    def share(electrode: str) -> float:
        peaks: Floats = np.abs(unit_potentials(muscle, electrode)).max(axis=1)
        return np.count_nonzero(peaks > least_uv) / peaks.size

    return {electrode: share(electrode) for electrode in ELECTRODES}
