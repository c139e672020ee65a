"""What the intervals of one unit's spikes say: single, doublet or burst, and where they may begin.

Numbers: ``detect.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base import parameters
from neurosim.clinic.spike_sorting import true_runs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from neurosim.clinic.filters import Floats, Mask


def _param(name: str) -> float:
    return parameters.parameter("detect", name)


@dataclass(frozen=True)
class TrainEvent:
    """What one event of a unit's train is, by its intervals.

    Attributes
    ----------
    start_s, end_s : float
        Its first and last spike.
    unit : int
        -1 for a spasm.
    spikes : int
    rate_per_s : float
        Inverse mean interval; NaN with one spike.
    kind : str
        ``"single"``, ``"doublet"``, ``"multiplet"``, ``"myokymic_burst"`` or
        ``"neuromyotonic_burst"``.
    origin : str
        ``"axon"``, ``"terminal"``, ``"soma"`` or ``"lesion"``.
    """

    start_s: float
    end_s: float
    unit: int
    spikes: int
    rate_per_s: float
    kind: str
    origin: str

    def with_unit(self, unit: int) -> TrainEvent:
        """Return the event as one of a unit."""
        return replace(self, unit=unit)


def classify_train(time_s: ArrayLike) -> list[TrainEvent]:
    """Return what the intervals of one unit say: its events with kind and origin.

    **Soma**: a run of more spikes than a myokymic burst has (10), at the rates of motor neurons
    and regular: each is a single twitch. **Lesion**: bursts of 2 to 10 at 5 to 62 per second,
    regular within, that hold most of the unit's spikes. **Terminal**: spikes within 20 ms of
    each other, more than three to a burst on average. **Axon**: all else; doublets now and then.
    """
    times = np.sort(np.asarray(time_s, float))
    rows: list[TrainEvent] = []
    if not times.size:
        return rows
    tonic = _is_tonic(np.diff(times))
    rows += [TrainEvent(t, t, 0, 1, np.nan, "single", "soma") for t in times[tonic].tolist()]
    times = times[~tonic]
    if not times.size:
        return rows
    gaps = np.diff(times)
    limit = _burst_gap(gaps)
    origin = "lesion"
    if limit is None:
        limit = parameters.parameter("muscle", "event_interval_ms") / 1000.0
        groups = 1 + int(np.sum(gaps > limit))
        is_terminal = times.size / groups > _param("terminal_spikes")
        origin = "terminal" if is_terminal else "axon"
        limit = 1.0 / _param("terminal_low_hz") if is_terminal else limit
    cuts = np.flatnonzero(gaps > limit) + 1
    for part in np.split(times, cuts):
        rate = (part.size - 1) / (part[-1] - part[0]) if part.size > 1 else np.nan
        kind = _classify_event(part.size, origin)
        rows.append(
            TrainEvent(float(part[0]), float(part[-1]), 0, part.size, float(rate), kind, origin)
        )
    return rows


def _classify_event(spikes: int, origin: str) -> str:
    if origin == "lesion" and spikes > 1:
        return "myokymic_burst"
    if origin == "terminal" and spikes > 2:
        return "neuromyotonic_burst"
    return ("single", "doublet", "multiplet")[min(spikes, 3) - 1]


def _is_tonic(gaps: Floats) -> Mask:
    """Return which spikes of a train fire on and on at a motor neuron's rate, regularly."""
    low, high = 1.0 / _param("tonic_high_hz"), 1.0 / _param("tonic_low_hz")
    tonic = np.zeros(gaps.size + 1, bool)
    for i, j in zip(*true_runs((gaps > low) & (gaps < high)), strict=True):
        part = gaps[i:j]
        if part.size >= _param("tonic_spikes") and part.std() < _param("tonic_cv") * part.mean():
            tonic[i : j + 1] = True
    return tonic


def _burst_gap(gaps: Floats) -> float | None:
    """Return the interval that parts myokymic bursts, None if the train is none of theirs.

    Intervals are cut in two where the logarithms of the parts differ most (Otsu's criterion, of
    those at myokymia's rates and longer); the shorter ones must be of
    myokymia's rates, regular (by their median and the median distance from it, so that a few
    spikes of another unit do no harm), and hold most of the spikes.
    """
    fast, slow = 1.0 / _param("myokymia_high_hz"), 1.0 / _param("myokymia_low_hz")
    tolerance = np.log(_param("myokymia_room"))
    times = np.cumsum(np.r_[0.0, gaps])
    once = times[np.r_[True, gaps > fast / np.exp(tolerance)]]  # a doublet counts once
    if once.size < _param("myokymia_share") * times.size or once.size < 3:
        return None
    gaps = np.diff(once)
    order = np.sort(np.log(gaps))
    inside = order[:-1] < np.log(slow) + tolerance
    if not inside.any():
        return None
    k = int(np.argmax(np.where(inside, _between_variance(order), 0.0)))
    short, limit = np.exp(order[: k + 1]), float(np.exp(0.5 * (order[k] + order[k + 1])))
    cuts = np.flatnonzero(gaps > limit) + 1
    sizes = np.diff(np.r_[0, cuts, gaps.size + 1])
    held = sizes[sizes > 1].sum() / sizes.sum()
    middle = float(np.median(short))
    spread = float(np.median(np.abs(short - middle))) / 0.6745
    fits = (
        abs(np.log(middle) - np.clip(np.log(middle), np.log(fast), np.log(slow))) < tolerance
        and spread < _param("myokymia_cv") * middle
        and np.quantile(sizes[sizes > 1], 0.9) <= _param("myokymia_spikes") + 1
        and held > _param("myokymia_share")
    )
    return limit if fits else None


def _between_variance(order: Floats) -> Floats:
    """Return the variance between the parts if a rising column is cut after each of its values."""
    n = np.arange(1, order.size)
    left = np.cumsum(order)[:-1]
    return (left * order.size - n * order.sum()) ** 2 / (n * (order.size - n))
