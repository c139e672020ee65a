"""What a record tells of twitches and spasms, from force and electromyogram alone.

`confusion.py` and `draw_emg.py` ask it about records whose discharges are known. The package's own
door, `neurosim.clinic.detect`, has no force and is the same sorting and the same reading of trains.

Nothing here knows who fired when. **Which electrode:** one record of potentials, best a needle's
beside the active unit. The edges of its potentials last a millisecond, so that intervals of a burst
can be read even if it came only once; a potential on the skin lasts 5 to 20 ms and is smooth, and
small or deep units drown in its noise. How many units pull is told by the force, not by a second
electrode. `docs/events.md` has the confusion matrices of both.

**Spasm**: potentials fill the record for a second and more, and the force is above what the
strongest unit could hold alone. **All else**: potentials are sorted (`spike_sorting`), spikes of
one unit that follow closely are one event, and kind and origin follow from the intervals of its
unit (`classify_train`). Numbers: ``detect.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from neurosim.base import parameters
from neurosim.base.errors import NeurosimError, number_within
from neurosim.clinic.spike_sorting import (
    EmgRecord,
    busy_stretches,
    check_samples,
    prepare_record,
    sort_potentials,
)
from neurosim.clinic.trains import TrainEvent, classify_train
from neurosim.model.muscle import anatomy
from neurosim.model.muscle.anatomy import Muscle
from neurosim.model.muscle.force import summation_gain, tetanic_fraction

FORCE_HZ = (100.0, 50_000.0)


def _param(name: str) -> float:
    return parameters.parameter("detect", name)


@dataclass(frozen=True, eq=False)
class DetectedEvents:
    """Events found in a record, in order of onset, as columns of shape (n,).

    Attributes
    ----------
    onset_s : ndarray
        Largest point of the first potential; of a spasm when the force first exceeds 5 % of its
        peak.
    duration_s : ndarray
        Until the force is back under 5 % of the event's peak (or three SDs of its noise) above
        where it began, or until the next event; of a spasm from the first to the last point above
        5 %.
    peak_mn : ndarray
        Largest force above that at the onset.
    unit : ndarray of int
        Which of the potentials' shapes it has; -1 for a spasm.
    spikes : ndarray of int
        Potentials in the event; 0 for a spasm, whose potentials cannot be told apart.
    rate_per_s : ndarray
        Inverse mean interval; NaN with one spike and for a spasm.
    kind : ndarray of str
        ``"single"``, ``"doublet"``, ``"multiplet"``, ``"myokymic_burst"``,
        ``"neuromyotonic_burst"`` or ``"spasm"``.
    origin : ndarray of str
        ``"axon"``, ``"terminal"``, ``"soma"`` or ``"lesion"``, by the intervals of its unit.
    visible : ndarray of bool
        Whether the peak is above the muscle's visible force.
    """

    onset_s: np.ndarray
    duration_s: np.ndarray
    peak_mn: np.ndarray
    unit: np.ndarray
    spikes: np.ndarray
    rate_per_s: np.ndarray
    kind: np.ndarray
    origin: np.ndarray
    visible: np.ndarray

    def __len__(self) -> int:
        return len(self.onset_s)

    def columns(self) -> dict[str, np.ndarray]:
        """Return the columns by name, the unit at the end of the name, ready for a CSV."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        if not len(self):
            return "no events"
        names, counts = np.unique(self.kind, return_counts=True)
        parts = [
            f"{n} {name.replace('_', ' ')}{'s' if n > 1 and name != 'single' else ''}"
            for name, n in zip(names, counts, strict=True)
        ]
        seen = int(self.visible.sum()) or "none"
        return f"{len(self)} event{'s' * (len(self) > 1)}: {', '.join(parts)}; {seen} visible"


def detect_with_force(
    emg_uv: Any,
    force_mn: Any,
    sampling_hz: float,
    muscle: str | Muscle,
    *,
    force_hz: float = 1000.0,
) -> DetectedEvents:
    """Return the events of a record, seen in its samples alone.

    Parameters
    ----------
    emg_uv : array_like
        Electromyogram, uV, of one electrode, best a needle in or beside the active unit.
    force_mn : array_like
        Force of the muscle, mN, over the same time.
    sampling_hz : float
        Samples of the electromyogram per second, 1000 to 50 000.
    muscle : str or Muscle
        Says how strong a twitch must be to be seen.
    force_hz : float
        Samples of the force per second, 100 to 50 000.

    Raises
    ------
    NeurosimError
        If a record is no column of finite numbers, the two differ in length by more than one
        tenth of a second, or a rate is not allowed.
    """
    m = anatomy.muscle(muscle)
    hz = number_within("force_hz", force_hz, *FORCE_HZ, "per second")
    force = check_samples("force_mn", force_mn)
    record = prepare_record(emg_uv, sampling_hz)
    length_s = np.size(emg_uv) / float(sampling_hz)
    if abs(length_s - force.size / hz) > 0.1:
        raise NeurosimError(
            f"The electromyogram lasts {length_s:.4g} s and the force {force.size / hz:.4g} s: "
            "both must cover the same time (check sampling_hz and force_hz)."
        )
    pull = _ForceRecord(force, hz)
    spasms = _find_spasms(record, pull, float(anatomy.twitch_forces_mn(m)[-1]))
    potentials = sort_potentials(record, spasms)
    rows = [TrainEvent(a, b, -1, 0, np.nan, "spasm", "soma") for a, b in spasms]
    for unit in range(len(potentials.shapes_uv)):
        rows += [
            row.with_unit(unit)
            for row in classify_train(potentials.time_s[potentials.unit == unit])
        ]
    return _measure_forces(sorted(rows, key=lambda r: r.start_s), pull, m)


class _ForceRecord:
    """The force record, smoothed, and its noise."""

    def __init__(self, force_mn: np.ndarray, hz: float) -> None:
        from scipy.ndimage import uniform_filter1d

        self.hz = hz
        width = max(round(_param("force_smooth_ms") / 1000.0 * hz), 1)
        self.force = uniform_filter1d(force_mn, width, mode="nearest")
        steps = np.abs(np.diff(force_mn)) if force_mn.size > 1 else np.zeros(1)
        self.noise = float(np.median(steps)) / 0.6745 / np.sqrt(2.0 * width)

    def samples_between(self, start_s: float, stop_s: float) -> np.ndarray:
        """Return the samples between two times, at least one."""
        first = min(max(round(start_s * self.hz), 0), self.force.size - 1)
        return self.force[first : max(round(stop_s * self.hz), first + 1)]


def _find_spasms(
    record: EmgRecord, pull: _ForceRecord, strongest_mn: float
) -> list[tuple[float, float]]:
    """Return start and end, s, of the busy stretches in which many units pull.

    Their mean force is above what the strongest unit could hold alone: that of a fused tetanus.
    """
    ratio = parameters.parameter("muscle", "force_frequency_linear_limit")
    alone = np.e * float(summation_gain(ratio) * ratio / tetanic_fraction(ratio)) * strongest_mn
    spasms = []
    for start, end in busy_stretches(record):
        before = pull.samples_between(start - 0.05, start).mean()
        if pull.samples_between(start, end).mean() - before > alone:
            spasms.append((start, end))
    return spasms


def _measure_forces(rows: list[TrainEvent], pull: _ForceRecord, m: Muscle) -> DetectedEvents:
    """Return the events with their forces."""
    edge = parameters.parameter("muscle", "event_edge_fraction")
    n, tail = len(rows), _param("twitch_tail_s")
    duration, peak = np.zeros(n), np.zeros(n)
    starts = np.array([r.start_s for r in rows])
    for k, row in enumerate(rows):
        later = starts[starts > row.end_s + 0.005]
        stop = min(row.end_s + tail, float(later[0]) if later.size else np.inf)
        lead = min(_param("force_smooth_ms") / 1000.0, row.start_s)
        part = pull.samples_between(row.start_s - lead, stop)
        above = part - part[0]
        top = int(np.argmax(above))
        peak[k] = max(float(above[top]), 0.0)
        under = above[top:] < max(edge * peak[k], 3.0 * pull.noise)
        back = top + int(np.argmax(under)) if under.any() else above.size
        duration[k] = max(back / pull.hz - lead, row.end_s - row.start_s)
        if row.kind == "spasm":
            held = np.flatnonzero(above > edge * peak[k]) / pull.hz - lead
            starts[k] += held[0]
            duration[k] = held[-1] - held[0]
    return DetectedEvents(
        onset_s=starts,
        duration_s=duration,
        peak_mn=peak,
        unit=np.array([r.unit for r in rows], np.int64),
        spikes=np.array([r.spikes for r in rows], np.int64),
        rate_per_s=np.array([r.rate_per_s for r in rows], float),
        kind=np.array([r.kind for r in rows], "U19"),
        origin=np.array([r.origin for r in rows], "U8"),
        visible=peak > m.visible_force_mn,
    )
