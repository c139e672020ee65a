"""Twitches to count: which discharges cause one, its kind, strength, length and visibility.

One event is one episode: a burst of one unit, or a plateau over many (a spasm). Without labelled
episodes, discharges of one unit within 20 ms of each other are one event. Its force is
the sum of its own twitches; between two discharges of a unit that sum is (a + b u) exp(-u), u the
time in contraction times, so that peak and edges are exact and need no sampling.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter
from neurosim.model.muscle import anatomy
from neurosim.model.muscle.force import (
    UNSCALED,
    TwitchScales,
    check_factor,
    muscle_force_mn,
    sort_discharges,
)

if TYPE_CHECKING:
    from neurosim.model.muscle.anatomy import Muscle

KINDS = (
    "single", "doublet", "multiplet", "myokymic_burst", "neuromyotonic_burst", "spasm",
)  # fmt: skip
PAINFUL = ("spasm",)  # prolonged and often painful; all else is short and usually painless
_PEAK_HZ = 1000.0  # samples of the force of a spasm among which its peak is found


@dataclass(frozen=True, eq=False)
class Twitches:
    """Twitches of one muscle in order of onset, as columns of shape (n,).

    Attributes
    ----------
    onset_s : numpy.ndarray
        When the force first exceeds 5 % of its peak, s.
    duration_s : numpy.ndarray
        From onset until the force is under 5 % of its peak again, s.
    peak_mn : numpy.ndarray
        Peak force, mN.
    unit : numpy.ndarray
        Motor unit, 0 the smallest; of a spasm the smallest that takes part.
    units : numpy.ndarray
        Number of motor units that take part: 1, but for a spasm.
    discharges : numpy.ndarray
        Number of discharges in the event.
    kind : numpy.ndarray
        One of `KINDS`: ``"single"``, ``"doublet"``, ``"multiplet"`` (three discharges or more),
        ``"myokymic_burst"`` (two or more by the rule of a lesion), ``"neuromyotonic_burst"``
        (three or more of an ending without fast potassium channels), or ``"spasm"``: a plateau of
        motor neurons, nearly always of many units at once. A lid's motor neuron on a plateau
        fires so slowly that each discharge is a twitch, and is labelled as one.
    origin : numpy.ndarray
        Where its discharges started (``"axon"``, ``"terminal"``, ``"soma"``, ``"lesion"`` or
        ``"junction"``); ``"unknown"`` without a label.
    visible : numpy.ndarray
        True if the peak is above the muscle's visible force (fasciculation).
    """

    onset_s: np.ndarray
    duration_s: np.ndarray
    peak_mn: np.ndarray
    unit: np.ndarray
    units: np.ndarray
    discharges: np.ndarray
    kind: np.ndarray
    origin: np.ndarray
    visible: np.ndarray

    def __post_init__(self) -> None:
        lengths = {name: np.shape(column) for name, column in self.columns().items()}
        if len(set(lengths.values())) != 1 or len(lengths["onset_s"]) != 1:
            raise NeurosimError(f"The columns of Twitches must have equal length, not {lengths}.")

    def __len__(self) -> int:
        return len(self.onset_s)

    def __str__(self) -> str:
        if len(self) == 0:
            return "no twitches"
        count = {kind: int(np.sum(self.kind == kind)) for kind in KINDS}
        parts = [f"{count['single']} single"] if count["single"] else []
        parts += [
            _pluralize(count[kind], kind.replace("_", " ")) for kind in KINDS[1:] if count[kind]
        ]
        what = "event" if count["spasm"] else "twitch"
        return (
            f"{_pluralize(len(self), what)}: {', '.join(parts)}; "
            f"{int(np.sum(self.visible)) or 'none'} visible"
        )

    @property
    def painful(self) -> np.ndarray:
        """Whether each is of a kind that is often painful (stated of spasms, not computed)."""
        return np.isin(self.kind, PAINFUL)

    def columns(self) -> dict[str, np.ndarray]:
        """Return the columns by name, the unit at the end of the name, ready for a CSV."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class DischargeLabels(NamedTuple):
    """What is known of each discharge beside its time and unit; columns of shape (n,) or None.

    Attributes
    ----------
    origin : array_like of str, optional
        Where it started.
    episode : array_like, optional
        Its episode; without, discharges of one unit within 20 ms of each other are one.
    process : array_like of str, optional
        Which process caused it: ``"misfire"`` (taken without the column), ``"neuromyotonia"``,
        ``"myokymia"`` or ``"plateau"``.
    """

    origin: Any = None
    episode: Any = None
    process: Any = None


UNLABELLED = DischargeLabels()


def find_twitches(
    times_s: Any,
    units: Any,
    muscle: str | Muscle,
    scales: TwitchScales = UNSCALED,
    labels: DischargeLabels = UNLABELLED,
) -> Twitches:
    """Return the twitches of a muscle that its discharges cause.

    Parameters
    ----------
    times_s : array_like
        Discharge times, s, shape (n,), in any order.
    units : array_like
        Unit of each discharge, shape (n,); 0 is the smallest.
    muscle : str or Muscle
        The muscle.
    scales : TwitchScales
        Factors on twitch force and contraction time. A plateau over several units takes the first.
    labels : DischargeLabels
        Origin, episode and process of each discharge.

    Raises
    ------
    NeurosimError
        If an argument is not a number, the columns differ in length, or a unit does not exist.

    Examples
    --------
    >>> print(find_twitches([1.0, 2.0, 2.01], [3, 8, 8], "thumb"))
    2 twitches: 1 single, 1 doublet; none visible
    """
    m = anatomy.muscle(muscle)
    d = _sort_by_event(times_s, units, m, scales.contraction_time, labels)
    scale = check_factor("force_scale", scales.force, 0, 100, d.times_s.size)
    starts = _event_starts(d.unit, d.event)
    discharges = np.diff(starts, append=d.times_s.size)
    onset, end, peak = _event_shapes(d.times_s, d.peak_mn, d.contraction_s, starts, discharges)
    scale = scale[d.order][starts] if np.ndim(scale) else scale
    rows = {
        "onset_s": onset, "end_s": end, "peak_mn": peak * scale, "unit": d.unit[starts],
        "units": np.ones(starts.size, np.int64), "discharges": discharges,
        "episode": d.event[starts], "kind": np.minimum(discharges, 3) - 1,
        "first": d.order[starts],
    }  # fmt: skip
    if labels.process is not None:
        process = np.asarray(labels.process)[d.order]
        rows["kind"] = _classify_events(rows["kind"], discharges, process[starts])
        first = TwitchScales(
            *(float(np.ravel(v)[0]) if np.size(v) else 1.0 for v in (scale, scales[1]))
        )
        rows = _merge_spasms(rows, d, process == "plateau", m, first)
    return _to_twitches(rows, m, None if labels.origin is None else np.asarray(labels.origin))


class _Discharges(NamedTuple):
    """Discharges by unit, event and time, and where each stood before."""

    times_s: np.ndarray
    unit: np.ndarray
    peak_mn: np.ndarray
    contraction_s: np.ndarray
    event: np.ndarray
    order: np.ndarray


def _sort_by_event(
    times_s: Any, units: Any, m: Muscle, contraction_scale: Any, labels: DischargeLabels
) -> _Discharges:
    times, unit, peak, contraction = sort_discharges(times_s, units, m, contraction_scale)
    columns = _check_columns(times.size, **labels._asdict())
    order = np.lexsort((np.atleast_1d(times_s), np.atleast_1d(units)))
    if "episode" not in columns:
        event = group_by_interval(times, unit)
        return _Discharges(times, unit, peak, contraction, event, order)
    event = columns["episode"][order]
    by_event = np.lexsort((event, unit))  # stable: an event's discharges stay in order of time
    sorted_columns = (times, unit, peak, contraction, event, order)
    return _Discharges(*(column[by_event] for column in sorted_columns))


def _check_columns(size: int, **columns: Any) -> dict[str, np.ndarray]:
    """Return the columns that are not None, as arrays of one entry for each discharge."""
    arrays = {name: np.asarray(values) for name, values in columns.items() if values is not None}
    for name, column in arrays.items():
        if column.shape != (size,):
            raise NeurosimError(
                f"{name} must have one entry for each of {size} discharges, "
                f"not the shape {column.shape}."
            )
    return arrays


def _merge_spasms(
    rows: dict[str, np.ndarray],
    d: _Discharges,
    on_plateau: np.ndarray,
    m: Muscle,
    scales: TwitchScales,
) -> dict[str, np.ndarray]:
    """Return the rows of events, the parts of each plateau over several units merged into one.

    A spasm lasts from the first onset to the last end of its parts; its peak is that of their sum.
    """
    times, unit, event = d.times_s[on_plateau], d.unit[on_plateau], d.event[on_plateau]
    parts = np.flatnonzero(rows["kind"] == KINDS.index("spasm"))
    remaining = np.ones(rows["unit"].size, bool)
    merged: list[tuple[Any, ...]] = []
    for plateau in np.unique(rows["episode"][parts]):
        pieces = parts[rows["episode"][parts] == plateau]
        remaining[pieces[1:]] = False
        start, end = rows["onset_s"][pieces].min(), rows["end_s"][pieces].max()
        inside = event == plateau
        force = muscle_force_mn(
            times[inside] - start, unit[inside], m, end - start, _PEAK_HZ, scales
        )
        count = rows["discharges"][pieces].sum()
        merged.append((pieces[0], start, end, force.max(initial=0.0), pieces.size, count))
    names = ("onset_s", "end_s", "peak_mn", "units", "discharges")
    for at, *values in merged:
        for name, value in zip(names, values, strict=True):
            rows[name][at] = value
    return {name: column[remaining] for name, column in rows.items()}


def _to_twitches(rows: dict[str, np.ndarray], m: Muscle, origin: np.ndarray | None) -> Twitches:
    """Return events in order of onset, kinds and origins in words."""
    order = np.lexsort((rows["unit"], rows["onset_s"]))
    r = {name: column[order] for name, column in rows.items()}
    return Twitches(
        onset_s=r["onset_s"],
        duration_s=r["end_s"] - r["onset_s"],
        peak_mn=r["peak_mn"],
        unit=r["unit"],
        units=r["units"],
        discharges=r["discharges"],
        kind=np.array(KINDS)[r["kind"]],
        origin=np.full(order.size, "unknown") if origin is None else origin[r["first"]],
        visible=r["peak_mn"] > m.visible_force_mn,
    )


def _classify_events(kind: np.ndarray, discharges: np.ndarray, process: np.ndarray) -> np.ndarray:
    """Return the index into `KINDS` of each event by its process; `kind` is a misfire's."""
    for cause, least, name in (
        ("myokymia", 2, "myokymic_burst"),
        ("neuromyotonia", 3, "neuromyotonic_burst"),
        ("plateau", 2, "spasm"),  # one of a lid twitches apart, each discharge an event
    ):
        kind = np.where((process == cause) & (discharges >= least), KINDS.index(name), kind)
    return kind


def _pluralize(count: int, word: str) -> str:
    """Return a count with its word."""
    ending = "" if count == 1 else "es" if word.endswith("ch") else "s"
    return f"{count} {word}{ending}"


def group_by_interval(times_s: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return the episode of each discharge by the 20-ms rule, shape (n,)."""
    # with a margin for the rounding of times
    limit_s = parameter("muscle", "event_interval_ms") / 1000.0 + 1e-9
    new = np.ones(times_s.size, dtype=bool)
    new[1:] = (np.diff(unit) != 0) | (np.diff(times_s) > limit_s)
    return np.cumsum(new)


def _event_starts(unit: np.ndarray, episode: np.ndarray) -> np.ndarray:
    """Return the index of the first discharge of each event, shape (n_events,)."""
    new = np.ones(unit.size, dtype=bool)
    new[1:] = (np.diff(unit) != 0) | (np.diff(episode) != 0)
    return np.flatnonzero(new)


def _event_shapes(
    times_s: np.ndarray,
    peak_mn: np.ndarray,
    contraction_s: np.ndarray,
    starts: np.ndarray,
    discharges: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return onset (s), end (s) and peak force (mN) of each event, shape (n_events,)."""
    if starts.size == 0:
        none = np.zeros(0)
        return none, none, none
    gap = np.full(times_s.size, np.inf)
    gap[:-1] = np.diff(times_s) / contraction_s[:-1]
    gap[starts[1:] - 1] = np.inf
    a, b = _force_states(gap, np.e * peak_mn, starts, discharges)
    u_top = np.clip(1.0 - a / b, 0.0, gap)  # where the force is largest before the next one
    top = (a + b * u_top) * np.exp(-u_top)
    peak = np.maximum.reduceat(top, starts)
    edge = parameter("muscle", "event_edge_fraction") * peak
    above = top >= np.repeat(edge, discharges.astype(np.intp))
    index = np.arange(times_s.size)
    rise = np.minimum.reduceat(np.where(above, index, times_s.size), starts)
    fall = np.maximum.reduceat(index * above, starts)
    t_rise = times_s[rise] + contraction_s[rise] * _crossing(a[rise], b[rise], edge, rising=True)
    t_fall = times_s[fall] + contraction_s[fall] * _crossing(a[fall], b[fall], edge, rising=False)
    return t_rise, t_fall, peak


def _force_states(
    gap: np.ndarray, kick: np.ndarray, starts: np.ndarray, discharges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a and b just after each discharge: force is (a + b u) exp(-u) until the next.

    Works on the first discharges of all events, then on the second, and so on.
    """
    a, b = np.zeros(gap.size), kick.copy()
    longest_first = np.argsort(-discharges, kind="stable")
    first, count = starts[longest_first], discharges[longest_first]
    for rank in range(1, int(count[0])):
        index = first[: np.searchsorted(-count, -rank)] + rank
        decay = np.exp(-gap[index - 1])
        a[index] = (a[index - 1] + b[index - 1] * gap[index - 1]) * decay
        b[index] += b[index - 1] * decay
    return a, b


def _crossing(a: np.ndarray, b: np.ndarray, level: np.ndarray, rising: bool) -> np.ndarray:
    """Return u where (a + b u) exp(-u) crosses `level`, before or after its maximum.

    With v = u + a/b it is v exp(-v) = y; Newton's method on v - ln v + ln y, whose start
    lies on the side from which it converges without overshoot. (`scipy.special.lambertw` agrees to
    2e-15, but takes three to five times as long on many events, and a large a/b underflows.)
    """
    log_y = np.minimum(np.log(level / b) - a / b, -1.0)
    s = -1.0 - log_y
    v = np.exp(log_y) if rising else 1.0 + np.sqrt(2.0 * s) + s
    for _ in range(60):
        slope = 1.0 - 1.0 / v
        residue = v - np.log(v) + log_y
        step = np.divide(residue, slope, out=np.zeros_like(v), where=np.abs(slope) > 1e-8)
        v = v - step
        if np.all(np.abs(step) <= 1e-13 * v):
            break
    return np.maximum(v - a / b, 0.0)
