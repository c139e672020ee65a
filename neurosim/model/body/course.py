"""A body that changes in time: events on a clock, and the body that they lead to.

A `Course` is a list of events. It gives the body at every minute: caffeine is absorbed and
eliminated, sweat is lost and drunk again, sleep is missed and made up for, breath and mood follow
within minutes, fatigue fades, a medicine is absorbed and eliminated. What no event names stays as
it is in the body. Sizes and time constants are in ``course.toml``. In a scenario's file::

    start = "06:30"
    duration = "24 h"
    [[course]]
    at = "07:30"
    caffeine_mg = 100
    [[course]]
    from = "09:00"
    to = "12:00"
    stress = 0.5
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neurosim.base.errors import (
    NeurosimError,
    finite_number,
    number_within,
    short_repr,
    unknown_name,
)
from neurosim.base.parameters import load_group, parameter
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.kinetics import caffeine_umol_l, elimination_per_h, healthy_mass_kg
from neurosim.model.body.state import Body

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

DAY_MIN = 1440
LONGEST_SPAN_H = 16.0  # a longer one is probably written backwards
MAX_DAYS = 366
MAX_TABLES = 1000  # of events, in a scenario's file
MAX_EVENTS = 2000  # while a course lasts, a daily event once a day
MAX_KNOTS = 5000  # an axon is examined at each
TOLERANCE = 0.05  # of a quantity's range in a course: how far off straight lines may be
_TIMES = {"at", "from", "to", "day", "daily"}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


# Fields that a span holds at a value, and the parameter that says how fast the body follows.
FOLLOWS = {
    "stress": "mood_min",
    "anxiety": "mood_min",
    "paco2_mmhg": "breath_min",
    "limb_temperature_c": "limb_min",
    "bicarbonate_mmol_l": "salts_min",
    "sodium_mmol_l": "salts_min",
    "potassium_mmol_l": "salts_min",
    "ionised_calcium_mmol_l": "salts_min",
    "ionised_magnesium_mmol_l": "salts_min",
}
LEVELS = tuple(name for name in FOLLOWS if name in FIELDS)
MEDICINES = tuple(
    name.split(".")[1]
    for name in load_group("course")
    if name.endswith(".half_life_h") and name.split(".")[1] in FIELDS
)
# What can happen at a moment, and over a span: least and most of it, and its unit.
MOMENTS = {
    "caffeine_mg": (0.0, parameter("body", "caffeine_dose_highest_mg"), "mg"),
    "plain_water_l": (0.0, 5.0, "L"),
    "rehydration_l": (0.0, 5.0, "L"),
    "contraction": (0.0, 1.0, ""),
    **dict.fromkeys(MEDICINES, (0.0, 1.0, "")),
}
SPANS = {
    "sweat_l_per_h": (0.0, 4.0, "L/h"),
    "sleep": (1.0, 1.0, ""),
    **{name: (FIELDS[name].lowest, FIELDS[name].highest, FIELDS[name].unit) for name in LEVELS},
}
DRINKS = ("plain_water_l", "rehydration_l")


@dataclass(frozen=True)
class Event:
    """One thing that happens.

    Attributes
    ----------
    what : str
        One of `MOMENTS` or `SPANS`.
    value : float
        How much, in the unit of the name.
    start_min, stop_min : int
        Minutes after the course's start; the same for a moment.
    daily : bool
        Whether it comes again every 24 hours.
    """

    what: str
    value: float
    start_min: int
    stop_min: int
    daily: bool = False

    def times(self, until_min: int) -> list[tuple[int, int]]:
        """Return when it starts and stops, every time that it starts up to a minute."""
        if not self.daily:
            return [(self.start_min, self.stop_min)]
        shifts = range(0, max(until_min - self.start_min, 0) + 1, DAY_MIN)
        return [(self.start_min + d, self.stop_min + d) for d in shifts]


@dataclass(frozen=True)
class Course:
    """What happens to a body, on a clock.

    Attributes
    ----------
    start_min : int
        Minutes after midnight at which the course starts.
    events : tuple of Event
    tables : tuple of mappings
        The events as they were written.
    """

    start_min: int
    events: tuple[Event, ...]
    tables: tuple[tuple[tuple[str, object], ...], ...] = ()

    @classmethod
    def from_tables(cls, tables: Sequence[Mapping[str, object]], start: object) -> Course:
        """Return the course of a scenario's file.

        Parameters
        ----------
        tables : sequence of mappings
            ``at``, or ``from`` and ``to``, ``"HH:MM"``; ``day`` (1 if not given, counted in 24
            hours from the start) or ``daily = true``; and one or more of `MOMENTS` or `SPANS`.
        start : str
            Time of the clock at which the course starts.

        Raises
        ------
        NeurosimError
            For a time that is none, a span that is backwards or overlaps another of its kind, an
            unknown name, or a value that is not allowed.
        """
        listed = cast("object", tables)
        if isinstance(listed, (str, bytes, Mapping)) or not isinstance(listed, Sequence):
            raise NeurosimError("course must be a list of tables, such as [[course]] at = '07:30'.")
        if start is None:
            raise NeurosimError("A course needs the time at which it starts: start = '06:30'.")
        if len(tables) > MAX_TABLES:
            raise NeurosimError(
                f"A course of {len(tables)} tables is too long: at most {MAX_TABLES} are allowed."
            )
        begin = _parse_clock("start", start)
        events = [event for table in tables for event in _read_events(table, begin)]
        _refuse_overlaps(events, begin)
        copies = tuple(tuple(table.items()) for table in tables)
        return cls(begin, tuple(events), copies)

    def as_tables(self) -> list[dict[str, object]]:
        """Return the events as they were written, one table each."""
        return [dict(table) for table in self.tables]

    def without_events(self, *what: str) -> Course:
        """Return the course in which some kinds of events do not happen.

        Raises
        ------
        NeurosimError
            For a name that is none of `MOMENTS` or `SPANS`.
        """
        for name in what:
            if name not in MOMENTS and name not in SPANS:
                raise unknown_name("course event", name, {*MOMENTS, *SPANS})
        return self._rename_events(dict.fromkeys(what))

    def replace_events(self, old: str, new: str) -> Course:
        """Return the course with events of another kind in the place of those of one kind.

        Raises
        ------
        NeurosimError
            If such events cannot be.
        """
        return self._rename_events({old: new})

    def _rename_events(self, names: Mapping[str, str | None]) -> Course:
        """Return the course with events renamed, or left out where the name is none."""
        tables: list[dict[str, object]] = []
        for table in self.as_tables():
            pairs = ((names.get(k, k), v) for k, v in table.items())
            renamed = {name: v for name, v in pairs if name is not None}
            if set(renamed) - _TIMES:
                tables.append(renamed)
        return Course.from_tables(tables, _format_clock(self.start_min))

    @property
    def changes(self) -> tuple[str, ...]:
        """The body's fields that this course can change."""
        fields = {field for event in self.events for field in _EVENT_FIELDS.get(event.what, ())}
        fields |= {event.what for event in self.events if event.what in FIELDS}
        return tuple(name for name in FIELDS if name in fields)

    def clock_time(self, hours: float) -> str:
        """Return the time of the clock some hours after the start, such as ``"14:05"``."""
        minute = round(self.start_min + 60.0 * hours) % DAY_MIN
        return f"{minute // 60:02d}:{minute % 60:02d}"

    def values(self, body: Body, duration_h: float) -> dict[str, np.ndarray]:
        """Return the fields that change at every whole minute, shape (minutes + 1,).

        Parameters
        ----------
        body : Body
            Before the course; its values fade, or are returned to after an event.
        duration_h : float
            Up to when, h after the start.
        """
        minutes = max(1, int(np.ceil(round(60.0 * duration_h, 6))))
        happenings = sum(len(event.times(minutes)) for event in self.events)
        if happenings > MAX_EVENTS:
            raise NeurosimError(
                f"In this course {happenings} things happen, at most {MAX_EVENTS} are allowed: "
                "choose a shorter duration or fewer events."
            )
        columns: dict[str, np.ndarray] = {}
        for name in self.changes:
            if name in LEVELS:
                columns[name] = self._follow_target(name, getattr(body, name), minutes)
            elif name in MEDICINES:
                columns[name] = self._medicine(name, getattr(body, name), minutes)
        if "plasma_caffeine_umol_l" in self.changes:
            columns["plasma_caffeine_umol_l"] = self._caffeine(body, minutes)
        if "fatigue" in self.changes:
            columns["fatigue"] = self._fatigue(body, minutes)
        if "sleep_debt_h" in self.changes:
            columns["sleep_debt_h"] = self._sleep_debt(body, minutes)
        if "mass_loss_percent" in self.changes:
            columns |= self._water(body, minutes)
        return {name: columns[name] for name in self.changes}

    def knots(self, body: Body, duration_h: float) -> tuple[np.ndarray, list[Body]]:
        """Return times (h) and bodies between which the body changes linearly.

        As few as keep every field within `TOLERANCE` of its range in the course; one if
        nothing changes.
        """
        values = self.values(body, duration_h)
        if not any(np.ptp(column) for column in values.values()):
            return np.zeros(1), [self._body_in_column(body, values, 0, 0.0)]
        columns = np.stack(list(values.values()), axis=1)
        at = select_knots(np.arange(len(columns)), columns)
        if at.size > MAX_KNOTS:
            raise NeurosimError(
                f"The body changes too often in this course: {at.size} straight lines would be "
                f"needed, at most {MAX_KNOTS} are allowed; choose a shorter duration."
            )
        return at / 60.0, [self._body_in_column(body, values, i, i / 60.0) for i in at]

    def bodies_at(self, hours: ArrayLike, body: Body) -> list[Body]:
        """Return the body at some times.

        Parameters
        ----------
        hours : array_like
            Hours after the start.
        body : Body
            Before the course.

        Raises
        ------
        NeurosimError
            If a time is no number or before the start, or the body could not be survived then.
        """
        at = np.atleast_1d(np.asarray([finite_number("hours", h) for h in np.ravel(hours)]))
        if at.size and at.min() < 0.0:
            raise NeurosimError(f"hours = {at.min():g} is before the start of the course.")
        if at.size:
            number_within("hours", at.max(), 0.0, 24.0 * MAX_DAYS, "h")
        known = self.values(body, float(at.max(initial=0.0)))
        minute = 60.0 * at
        columns = {name: np.interp(minute, np.arange(v.size), v) for name, v in known.items()}
        return [self._body_in_column(body, columns, i, hour) for i, hour in enumerate(at)]

    def body_at(self, hours: float, body: Body | None = None) -> Body:
        """Return the body some hours after the start; a healthy one before it if not given."""
        return self.bodies_at([hours], Body() if body is None else body)[0]

    def _body_in_column(
        self, body: Body, columns: dict[str, np.ndarray], i: int, hour: float
    ) -> Body:
        try:
            return body.replace(**{name: float(column[i]) for name, column in columns.items()})
        except NeurosimError as error:
            raise NeurosimError(f"In this course at {self.clock_time(hour)}: {error}") from None

    # --- Each quantity at every minute -------------------------------------------------------

    def _doses(self, what: str, minutes: int) -> list[tuple[float, int]]:
        """Return (amount, minute) of everything of a kind, by time."""
        events = [e for e in self.events if e.what == what]
        return sorted((e.value, at) for e in events for at, _ in e.times(minutes))

    def _span_values(self, what: str, minutes: int, otherwise: float) -> np.ndarray:
        """Return the value of a span in each minute between two whole ones, shape (minutes,)."""
        column = np.full(minutes, otherwise)
        for event in self.events:
            if event.what == what:
                for start, stop in event.times(minutes):
                    column[start:stop] = event.value
        return column

    def _follow_target(self, name: str, base: float, minutes: int) -> np.ndarray:
        """Return a field that follows its target with a time constant."""
        target = self._span_values(name, minutes, base)
        away = parameter("course", FOLLOWS[name])
        back = parameter("course", "breath_back_min") if name == "paco2_mmhg" else away
        column = np.full(minutes + 1, base)
        edges = np.flatnonzero(np.diff(target, prepend=np.nan))
        for start, stop in zip(edges, np.append(edges[1:], minutes), strict=True):
            goal, current = target[start], column[start]
            tau = back if goal == base else away
            passed = cast("np.ndarray", np.arange(1, stop - start + 1))
            column[start + 1 : stop + 1] = goal + (current - goal) * np.exp(-passed / tau)
        return column

    def _medicine(self, name: str, base: float, minutes: int) -> np.ndarray:
        """Return the scale of a medicine: a dose's value is what its level peaks at."""
        take, leave = medicine_rates_per_h(name)
        hours = np.arange(minutes + 1) / 60.0
        level = base * np.exp(-leave * hours)
        top = _bateman(np.log(take / leave) / (take - leave), take, leave)
        for value, at in self._doses(name, minutes):
            level += value * _bateman(np.maximum(hours - at / 60.0, 0.0), take, leave) / top
        return np.minimum(level, 1.0)

    def _caffeine(self, body: Body, minutes: int) -> np.ndarray:
        """Return caffeine in plasma; what was in the body before is eliminated as the doses are."""
        hours = np.arange(minutes + 1) / 60.0
        before = body.plasma_caffeine_umol_l * np.exp(-elimination_per_h() * hours)
        doses = [(mg, at / 60.0) for mg, at in self._doses("caffeine_mg", minutes)]
        return before + caffeine_umol_l(doses, hours)

    def _fatigue(self, body: Body, minutes: int) -> np.ndarray:
        """Return fatigue: each contraction adds to it, and it fades as the axon's sodium does."""
        at = np.arange(minutes + 1)
        level = body.fatigue * _sodium_left(at)
        for value, start in self._doses("contraction", minutes):
            since = at - start
            level += value * np.where(since > 0, _sodium_left(np.maximum(since - 1, 0)), 0.0)
        return np.minimum(level, 1.0)

    def _sleep_debt(self, body: Body, minutes: int) -> np.ndarray:
        """Return the debt: usual sleep that was missed, less sleep at other times."""
        asleep = self._span_values("sleep", minutes, 0.0)
        begin = self.start_min - round(60.0 * parameter("course", "usual_sleep_from_h"))
        usual = (begin + np.arange(minutes)) % DAY_MIN < 60.0 * parameter("course", "usual_sleep_h")
        owed = body.sleep_debt_h + np.append(0.0, np.cumsum(usual - asleep) / 60.0)
        # Nobody sleeps in advance: the debt is never below zero.
        return owed - np.minimum(np.minimum.accumulate(owed), 0.0)

    def _water(self, body: Body, minutes: int) -> dict[str, np.ndarray]:
        """Return sweat lost and the drinks retained; the kidneys excrete the surplus."""
        at, per_percent = np.arange(minutes + 1), healthy_mass_kg() / 100.0
        sweat = body.mass_loss_percent * per_percent + np.append(
            0.0, np.cumsum(self._span_values("sweat_l_per_h", minutes, 0.0)) / 60.0
        )
        tau = parameter("course", "drink_absorption_min")
        taken = np.empty((len(DRINKS), minutes + 1))
        for row, name in zip(taken, DRINKS, strict=True):
            row[:] = getattr(body, name)
            for litres, start in self._doses(name, minutes):
                row += litres * -np.expm1(-np.maximum(at - start, 0) / tau)
        retained = _retained_water_l(taken, sweat, parameter("course", "water_excretion_h"))
        return dict(zip(DRINKS, retained, strict=True)) | {"mass_loss_percent": sweat / per_percent}


def select_knots(time: np.ndarray, columns: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """Return the rows of a table between which straight lines stay near all others.

    Rows are added where the lines are farthest off (Douglas and Peucker's rule).

    Parameters
    ----------
    time : ndarray, shape (n,)
        When each row is, rising.
    columns : ndarray, shape (n, m)
        Quantities at those times.
    tolerance : float
        How far off a line may be, as a share of its column's range.
    """
    spread = np.ptp(columns, axis=0)
    scaled = columns[:, spread > 0.0] / spread[spread > 0.0]
    knots, left = {0, time.size - 1}, [(0, time.size - 1)]
    while left and scaled.size:
        first, last = left.pop()
        share = (time[first : last + 1] - time[first]) / (time[last] - time[first])
        line = scaled[first] + share[:, None] * (scaled[last] - scaled[first])
        off = np.abs(scaled[first : last + 1] - line).max(axis=1)
        worst = int(off.argmax())
        if off[worst] > tolerance:
            knots.add(first + worst)
            left += [(first, first + worst), (first + worst, last)]
    return np.array(sorted(knots))


# The body's fields that an event of another name changes.
_EVENT_FIELDS = {
    "caffeine_mg": ("plasma_caffeine_umol_l",),
    "contraction": ("fatigue",),
    "sleep": ("sleep_debt_h",),
    **dict.fromkeys((*DRINKS, "sweat_l_per_h"), ("mass_loss_percent", *DRINKS)),
}


def _retained_water_l(taken: np.ndarray, sweat: np.ndarray, tau_h: float) -> np.ndarray:
    """Return the litres of each drink left when surplus water leaves with a time constant."""
    retained = taken.copy()
    leaves = -np.expm1(-1.0 / (60.0 * tau_h))
    for i in range(1, sweat.size):
        litres = retained[:, i - 1] + taken[:, i] - taken[:, i - 1]
        surplus = litres.sum() - sweat[i]
        retained[:, i] = (
            litres * (1.0 - leaves * surplus / litres.sum()) if surplus > 0.0 else litres
        )
    return retained


def _sodium_left(since_min: np.ndarray) -> np.ndarray:
    """Return the share of the sodium of a minute's contraction that is left, both stores summed."""
    share = parameter("firing", "load_fast_share")
    taus = [parameter("firing", name) for name in ("load_tau_min", "load_fast_tau_min")]
    slow, fast = (
        w * -np.expm1(-1.0 / t) * t for w, t in zip((1.0 - share, share), taus, strict=True)
    )
    in_fast = fast / (slow + fast)
    return (1.0 - in_fast) * np.exp(-since_min / taus[0]) + in_fast * np.exp(-since_min / taus[1])


def _bateman(hours: np.ndarray | float, take: float, leave: float) -> np.ndarray:
    """Return the course of a dose taken up at one rate and leaving at another, without scale."""
    return np.exp(-leave * hours) - np.exp(-take * hours)


def medicine_rates_per_h(name: str) -> tuple[float, float]:
    """Return how fast a medicine is taken up and leaves (1/h), from its peak and half-life.

    Raises
    ------
    NeurosimError
        If it is not one of `MEDICINES`.
    """
    from scipy.optimize import root_scalar  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] scipy has no types

    if name not in MEDICINES:
        raise unknown_name("medicine", name, MEDICINES)
    leave = np.log(2.0) / parameter("course", f"medicine.{name}.half_life_h")
    peak_h = parameter("course", f"medicine.{name}.peak_h")

    def late(take: float) -> float:
        return np.log(take / leave) / (take - leave) - peak_h

    solution = cast("Any", root_scalar(late, bracket=(leave * (1.0 + 1e-6), 1e4)))
    return float(solution.root), float(leave)


# --- Reading a scenario's tables ---------------------------------------------------------------


def _parse_clock(name: str, text: object) -> int:
    """Return a time of the clock in minutes after midnight."""
    match = _CLOCK.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise NeurosimError(
            f"{name} must be a time of the clock such as '07:30', not {short_repr(text)}."
        )
    return 60 * int(match[1]) + int(match[2])


def _read_events(table: object, begin: int) -> list[Event]:
    """Return the events of one table."""
    if not isinstance(table, Mapping):
        raise NeurosimError(f"course must hold tables of an event each, not {short_repr(table)}.")
    entries = dict(cast("Mapping[str, object]", table))
    span = "from" in entries or "to" in entries
    if span == ("at" in entries) or (span and not ("from" in entries and "to" in entries)):
        raise NeurosimError(
            "An event of a course needs its time: at = '07:30', or from = '09:00' and to = '12:00'."
        )
    daily, day = entries.pop("daily", False), entries.pop("day", 1)
    if not isinstance(daily, bool):
        raise NeurosimError(f"daily must be true or false, not {short_repr(daily)}.")
    day_number = number_within("day", day, 1, MAX_DAYS)
    if not day_number.is_integer():
        raise NeurosimError(f"day must be a whole number, not {short_repr(day)}.")
    first = (
        _parse_clock("from", entries.pop("from")) if span else _parse_clock("at", entries.pop("at"))
    )
    start = (first - begin) % DAY_MIN + DAY_MIN * (int(day_number) - 1)
    stop = start + _span_min(first, entries.pop("to")) if span else start
    if not entries:
        raise NeurosimError(
            f"The event of a course at {_format_clock(first)} says nothing that happens."
        )
    return [
        Event(name, _check_amount(name, value, span), start, stop, daily)
        for name, value in entries.items()
    ]


def _format_clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _span_min(first: int, to: object) -> int:
    """Return how many minutes a span lasts."""
    last = _parse_clock("to", to)
    length = (last - first) % DAY_MIN
    if not 0 < length <= 60.0 * LONGEST_SPAN_H:
        raise NeurosimError(
            f"from {_format_clock(first)} to {_format_clock(last)} would last "
            f"{(length or DAY_MIN) / 60.0:.3g} h, at most {LONGEST_SPAN_H:g} h "
            "are allowed: are the two the wrong way round?"
        )
    return length


def _check_amount(name: str, value: object, span: bool) -> float:
    """Return how much of something happens, checked."""
    kinds, others = (SPANS, MOMENTS) if span else (MOMENTS, SPANS)
    if name in others:
        how = "at a time, at = '07:30'" if span else "over a span, from = '09:00' and to = '12:00'"
        raise NeurosimError(f"{name} of a course happens {how}.")
    if name not in kinds:
        if name in FIELDS:
            raise NeurosimError(
                f"A course cannot change {name}, which belongs into [body]; it can change "
                f"{', '.join(sorted({*MOMENTS, *SPANS}))}."
            )
        raise unknown_name("course event", name, {*MOMENTS, *SPANS})
    if name == "sleep":
        if value is not True:
            raise NeurosimError(f"sleep of a course must be true, not {short_repr(value)}.")
        return 1.0
    low, high, unit = kinds[name]
    return number_within(name, value, low, high, unit)


def _refuse_overlaps(events: Sequence[Event], begin: int) -> None:
    """Refuse two spans of a kind at once, of which only one could hold."""
    until = max((e.stop_min for e in events), default=0) + DAY_MIN
    for what in SPANS:
        spans = sorted(t for e in events if e.what == what for t in e.times(until))
        for (_, stop), (start, _) in itertools.pairwise(spans):
            if start < stop:
                raise NeurosimError(
                    f"Two spans of {what} overlap at {_format_clock(begin + start)}; a course "
                    "can hold only one value at a time."
                )
