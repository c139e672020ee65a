"""Twitches to count: which discharges make one, of what kind, how strong, how long, seen or not.

One event is one episode: a burst of one unit, or a plateau over many (a spasm). Where nobody
tells episodes, discharges of one unit within 20 ms of each other are one event. Its force is
the sum of its own twitches; between two discharges of a unit that sum is (a + b u) exp(-u), u the
time in contraction times, so that peak and edges are exact and need no sampling.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from neurosim.base import parameters
from neurosim.base.errors import NeurosimError
from neurosim.model.muscle import anatomy
from neurosim.model.muscle.anatomy import Muscle
from neurosim.model.muscle.force import check_factor, muscle_force_mn, sort_discharges

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
        motor neurons, nearly always of many units at once.
    origin : numpy.ndarray
        Where its discharges started (``"axon"``, ``"terminal"``, ``"soma"``, ``"lesion"`` or
        ``"junction"``); ``"unknown"`` if that was not told.
    visible : numpy.ndarray
        True if the peak is above the muscle's visible force.
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


def find_twitches(
    times_s: Any,
    units: Any,
    muscle: str | Muscle,
    force_scale: Any = 1.0,
    contraction_time_scale: Any = 1.0,
    *,
    origin: Any = None,
    episode: Any = None,
    process: Any = None,
) -> Twitches:
    """Return the twitches that a muscle makes of its discharges.

    Parameters
    ----------
    times_s : array_like
        Discharge times, s, shape (n,), in any order.
    units : array_like
        Unit of each discharge, shape (n,); 0 is the smallest.
    muscle : str or Muscle
        The muscle.
    force_scale : float or array_like
        Factor on every twitch force, 0 to 100; one, or one for each discharge. A plateau over
        several units takes the first.
    contraction_time_scale : float or array_like
        Factor on every contraction time, 0.1 to 10; likewise.
    origin, process : array_like of str, optional
        Where each discharge started, and what made it (``"misfire"``, the default,
        ``"neuromyotonia"``, ``"myokymia"`` or ``"plateau"``), shape (n,).
    episode : array_like, optional
        Episode of each discharge, shape (n,); by default discharges of one unit within 20 ms of
        each other are one.

    Raises
    ------
    NeurosimError
        If an argument is not a number, the columns differ in length, or a unit does not exist.
    """
    m = anatomy.muscle(muscle)
    times, unit, peak, contraction = sort_discharges(times_s, units, m, contraction_time_scale)
    scale = check_factor("force_scale", force_scale, 0, 100, times.size)
    told = _check_columns(times.size, origin=origin, episode=episode, process=process)
    order = np.arange(times.size)
    if told or np.ndim(scale):
        order = np.lexsort((np.atleast_1d(times_s), np.atleast_1d(units)))
    if episode is None:
        which = group_by_interval(times, unit)
    else:
        which = told["episode"][order]
        by_event = np.lexsort((which, unit))  # stable: an event's discharges stay in order of time
        times, unit, peak, contraction, which, order = (
            v[by_event] for v in (times, unit, peak, contraction, which, order)
        )
    starts = _event_starts(unit, which)
    discharges = np.diff(starts, append=times.size)
    onset, end, event_peak = _event_shapes(times, peak, contraction, starts, discharges)
    scale = scale[order][starts] if np.ndim(scale) else scale
    rows = {
        "onset_s": onset, "end_s": end, "peak_mn": event_peak * scale, "unit": unit[starts],
        "units": np.ones(starts.size, np.int64), "discharges": discharges,
        "episode": which[starts], "kind": np.minimum(discharges, 3) - 1,
        "first": order[starts],
    }  # fmt: skip
    if process is not None:
        made = told["process"][order]
        rows["kind"] = _classify_events(rows["kind"], discharges, made[starts])
        held = made == "plateau"
        first = [
            float(np.ravel(v)[0]) if np.size(v) else 1.0 for v in (scale, contraction_time_scale)
        ]
        rows = _merge_spasms(rows, times[held], unit[held], which[held], m, *first)
    return _to_twitches(rows, m, told.get("origin"))


def _check_columns(size: int, **columns: Any) -> dict[str, np.ndarray]:
    """Return the columns that were given, as arrays of one entry for each discharge."""
    found = {name: np.asarray(given) for name, given in columns.items() if given is not None}
    for name, column in found.items():
        if column.shape != (size,):
            raise NeurosimError(
                f"{name} must have one entry for each of {size} discharges, "
                f"not the shape {column.shape}."
            )
    return found


def _merge_spasms(rows, times_s, unit, episode, m: Muscle, scale: float, slowness: float) -> dict:
    """Return the rows of events with the parts of each plateau over several units made one.

    A spasm lasts from the first onset to the last end of its parts; its peak is that of their
    sum. Times, units and episodes are those of the discharges on a plateau.
    """
    parts = np.flatnonzero(rows["kind"] == KINDS.index("spasm"))
    keep, merged = np.ones(rows["unit"].size, bool), []
    for number_of in np.unique(rows["episode"][parts]):
        mine = parts[rows["episode"][parts] == number_of]
        keep[mine[1:]] = False
        start, end = rows["onset_s"][mine].min(), rows["end_s"][mine].max()
        of, long = episode == number_of, end - start
        force = muscle_force_mn(times_s[of] - start, unit[of], m, long, _PEAK_HZ, scale, slowness)
        merged.append(
            (mine[0], start, end, force.max(initial=0.0), mine.size, rows["discharges"][mine].sum())
        )
    names = ("onset_s", "end_s", "peak_mn", "units", "discharges")
    for at, *values in merged:
        for name, value in zip(names, values, strict=True):
            rows[name][at] = value
    return {name: column[keep] for name, column in rows.items()}


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
    """Return the index into `KINDS` of each event by what made it; `kind` is a misfire's."""
    for made, least, name in (
        ("myokymia", 2, "myokymic_burst"),
        ("neuromyotonia", 3, "neuromyotonic_burst"),
        ("plateau", 1, "spasm"),
    ):
        kind = np.where((process == made) & (discharges >= least), KINDS.index(name), kind)
    return kind


def _pluralize(count: int, word: str) -> str:
    """Return a count with its word."""
    ending = "" if count == 1 else "es" if word.endswith("ch") else "s"
    return f"{count} {word}{ending}"


def group_by_interval(times_s: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return the episode of each discharge by the 20-ms rule, shape (n,)."""
    limit_s = (
        parameters.parameter("muscle", "event_interval_ms") / 1000.0 + 1e-9
    )  # rounding of times
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
        return np.zeros(0), np.zeros(0), np.zeros(0)
    gap = np.full(times_s.size, np.inf)
    gap[:-1] = np.diff(times_s) / contraction_s[:-1]
    gap[starts[1:] - 1] = np.inf
    a, b = _force_states(gap, np.e * peak_mn, starts, discharges)
    u_top = np.clip(1.0 - a / b, 0.0, gap)  # where the force is largest before the next one
    top = (a + b * u_top) * np.exp(-u_top)
    peak = np.maximum.reduceat(top, starts)
    edge = parameters.parameter("muscle", "event_edge_fraction") * peak
    above = top >= np.repeat(edge, discharges.astype(np.intp))
    index = np.arange(times_s.size)
    rise = np.minimum.reduceat(np.where(above, index, times_s.size), starts)
    fall = np.maximum.reduceat(np.where(above, index, -1), starts)
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
        here = first[: np.searchsorted(-count, -rank)] + rank
        decay = np.exp(-gap[here - 1])
        a[here] = (a[here - 1] + b[here - 1] * gap[here - 1]) * decay
        b[here] += b[here - 1] * decay
    return a, b


def _crossing(a: np.ndarray, b: np.ndarray, level: np.ndarray, rising: bool) -> np.ndarray:
    """Return u where (a + b u) exp(-u) crosses `level`, before or after its maximum.

    With v = u + a/b it is v exp(-v) = y; Newton's method on v - ln v + ln y, whose start
    lies on the side from which it converges without overshoot.
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
