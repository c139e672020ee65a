"""Many people, many scenarios, many hours, counted: on cores or on a Dask cluster.

Health always runs beside, so that every rate can be held against the same person's in health. Work
is cut into chunks of people; a finished chunk is kept as a part (`neurosim.study.parts`), so that
a run that was stopped goes on from there. What a person does depends on seed, person, scenario and
muscle alone, and people are added up as whole numbers: the result is the same bit for bit
however they are split.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from neurosim import sources, store
from neurosim.body.state import Body
from neurosim.errors import NeurosimError, number_within, plain, unknown_name
from neurosim.firing.discharge import MAX_DISCHARGES, ORIGINS
from neurosim.muscle.anatomy import MUSCLES, muscle
from neurosim.sources import number
from neurosim.study import crew
from neurosim.study.alarms import gets_worse, persists, spreads
from neurosim.study.parts import Parts, first_difference
from neurosim.study.run import moments
from neurosim.study.scenario import Scenario, _whole, scenario
from neurosim.study.tally import INTERVAL_EDGES_S, LARGEST, Tally, as_drawn, bins, tallies

MAX_PEOPLE, MAX_HOURS, MAX_WORKERS = 1_000_000, 8784.0, 512
FORMATS = ("csv", "parquet")
HOUR_S, WEEK_H = 3600.0, 168
COUNTS = ("twitches", "visible", "doublets", "spasms", "discharges")  # by hour
HOURLY = ("people_twitching", *COUNTS)
SIGNS = {"persists": persists, "spreads": spreads, "gets_worse": gets_worse}
UNKNOWN = -1  # of a sign that so short a time cannot tell
# What a part keeps of one person in one state (a scenario in a muscle).
ROW = np.dtype([
    ("person", np.int64), *((n, np.int64) for n in COUNTS), ("active_units", np.int64),
    ("expected_per_min", float), *((f"{o}_twitches", np.int64) for o in ORIGINS),
    *((sign, np.int8) for sign in SIGNS),
])  # fmt: skip

KEPT_STATES = 20_000  # of people's axons; more would drive all else out of the cache on disk
CHUNK_S = 5.0  # a chunk takes about so long
MOST_PEOPLE_A_CHUNK, CHUNKS_OF_FEW = 1000, 16
FEW_S = 240_000.0  # simulated time up to which nobody asks how long it takes
A_PROCESS_PAYS_S = 10.0
MAX_ROWS = 200_000_000  # of a table
TOO_LONG_S = 30 * 86_400.0
ROW_BYTES = 160  # of people.csv; a row of hours.csv has less
PROCESS_BYTES = 400e6  # a process with the model in it
DISCHARGE_BYTES = 250.0  # while the discharges of one muscle are counted


# --- What is asked ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """What a cohort is asked; `plan` makes one.

    Attributes
    ----------
    scenarios : tuple of Scenario
        Health first; each with the duration and the seed of all.
    states : tuple of Scenario
        Every scenario in every muscle that is counted: the rows of a person.
    people : int
    hours : float
    seed : int
    format : str
        Of the tables, one of `FORMATS`.
    """

    scenarios: tuple[Scenario, ...]
    states: tuple[Scenario, ...]
    people: int
    hours: float
    seed: int
    format: str = "csv"

    @property
    def bins(self) -> int:
        """Hours of the table by hours; the last may be shorter."""
        return bins(self.hours * HOUR_S, HOUR_S)

    @property
    def healthy(self) -> dict[str, int]:
        """Index into `states` of health, by muscle."""
        name = self.scenarios[0].name
        return {s.muscle: i for i, s in enumerate(self.states) if s.name == name}

    def settings(self) -> dict[str, Any]:
        """Return everything that determines the result, as plain values."""
        exchanged = {".".join(key): value for key, value in sources._exchanged.items()}
        return {
            "people": self.people, "hours": self.hours, "seed": self.seed, "format": self.format,
            "states": [f"{s.name} in the {s.muscle}" for s in self.states],
            "scenarios": {s.name: s.contents() for s in self.scenarios},
            "exchanged": dict(sorted(exchanged.items())), "made_by": crew.made_by(),
        }  # fmt: skip


def plan(
    scenarios: Sequence[Scenario | str] | Scenario | str = "normal",
    people: int = 100,
    hours: float = 24.0,
    seed: int = 1,
    muscle: str | None = None,
    format: str = "csv",
) -> Plan:
    """Return what a cohort is asked, everything checked.

    Parameters
    ----------
    scenarios : one or a sequence of Scenario, catalogue names or TOML files
        Health (`normal`) is added in front. A course is kept, whatever the hours.
    people : int
        Numbered from 0 within the seed, 1 to 1 000 000.
    hours : float
        Simulated time, h, up to a year.
    seed : int
        Same seed, same people and twitches.
    muscle : str, optional
        ``"all"`` or one muscle for all scenarios; else each has its own and health has
        those of all.
    format : str
        Of the tables, one of `FORMATS`.

    Raises
    ------
    NeurosimError
        For an unknown name, a scenario given twice, or a value that is not allowed.
    """
    hours = number_within("hours", hours, 1.0 / HOUR_S, MAX_HOURS, "h")
    people = _whole("people", people, 1, MAX_PEOPLE)
    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    one = isinstance(scenarios, (str, Path, Scenario))
    found = _with_health([scenario(s) for s in ([scenarios] if one else scenarios)])
    found = [s.replace(duration_s=hours * HOUR_S, seed=seed, people=1) for s in found]
    for s in found:
        if s.course is not None:
            moments(s)  # a body that cannot be survived is told now
    states = [s.replace(muscle=m) for s in found for m in _muscles(s, found, muscle)]
    asked = Plan(tuple(found), tuple(states), people, hours, found[0].seed, format)
    _fits_tables(asked)
    return asked


def _with_health(found: list[Scenario]) -> list[Scenario]:
    """Return the scenarios with health in front.

    Raises
    ------
    NeurosimError
        If two have the same name, `normal` is not health, or they have different axons.
    """
    names = [s.name for s in found]
    for name in names:
        if names.count(name) > 1:
            raise NeurosimError(f"The scenario '{name}' is given twice.")
    ill = [s for s in found if s.name != "normal"]
    healthy = next((s for s in found if s.name == "normal"), scenario("normal"))
    if healthy.body != Body() or healthy.course is not None:
        raise NeurosimError(
            "The scenario 'normal' must be a healthy body, with which all are compared: give "
            "yours another name."
        )
    axons = {s.axon: s.name for s in ill}
    if len(axons) > 1:
        one, two, *_ = axons
        raise NeurosimError(
            f"People are compared with one axon each: '{axons[one]}' has the axon {one}, "
            f"'{axons[two]}' {two}."
        )
    return [healthy.replace(axon=next(iter(axons), healthy.axon)), *ill]


def _muscles(one: Scenario, of_all: Sequence[Scenario], asked: str | None) -> list[str]:
    """Return the muscles in which a scenario is counted."""
    if asked is not None:
        return list(MUSCLES) if asked == "all" else [muscle(asked).name]
    if one is of_all[0] and len(of_all) > 1:
        return list(dict.fromkeys(s.muscle for s in of_all[1:]))
    return [one.muscle]


def _fits_tables(asked: Plan) -> None:
    n = len(asked.states)
    rows = {"people": asked.people * n, "hours": asked.bins * n}
    for name, many in rows.items():
        if many > MAX_ROWS:
            fewer = "people" if name == "people" else "hours"
            raise NeurosimError(
                f"{name}.{asked.format} would have {many:.2g} rows (about "
                f"{many * ROW_BYTES / 1e9:.0f} GB), more than {MAX_ROWS:.0e}: choose fewer "
                f"{fewer}, scenarios or muscles."
            )


# --- One chunk of people ---------------------------------------------------------------------


class _Weeks:
    """As much of a diary as the article's signs need: what was visible, week by week."""

    def __init__(self, found: Sequence[tuple[str, Tally]]) -> None:
        self.weeks = found[0][1].visible.size // WEEK_H
        self._seen = np.zeros((self.weeks, len(MUSCLES)), np.int64)
        for name, tally in found:
            whole = tally.visible[: self.weeks * WEEK_H].reshape(self.weeks, WEEK_H)
            self._seen[:, MUSCLES.index(name)] = whole.sum(axis=1)

    def seen(self) -> np.ndarray:
        return self._seen


def least_weeks(sign: str) -> float:
    """Return how many weeks a sign of the article needs to be told at all."""
    two_ends = number("alarms", "baseline_weeks") + number("alarms", "recent_weeks")
    return max(two_ends, number("alarms", "persist_weeks")) if sign == "persists" else two_ends


def _signs(found: Sequence[tuple[str, Tally]]) -> list[int]:
    """Return each sign of one person in one scenario: 1, 0, or `UNKNOWN` in so short a time."""
    weeks = _Weeks(found)
    return [
        int(rule(weeks)) if weeks.weeks >= least_weeks(sign) else UNKNOWN  # type: ignore[arg-type]
        for sign, rule in SIGNS.items()
    ]


def count_people(asked: Plan, first: int, stop: int) -> dict[str, np.ndarray]:
    """Return what people `first` to `stop` (left out) do: a part.

    Returns
    -------
    dict
        ``rows``: structured array (`ROW`), shape (people, states). Summed over the people:
        ``hours``, shape (states, hours, len(HOURLY)); ``intervals`` and ``bursts``, shape (states,
        cells). ``seconds``: what it took.
    """
    with store.paused() if asked.people * len(asked.states) > KEPT_STATES else nullcontext():
        return _count(asked, first, stop)


def _count(asked: Plan, first: int, stop: int) -> dict[str, np.ndarray]:
    begun, states = perf_counter(), asked.states
    rows = np.zeros((stop - first, len(states)), ROW)
    hours = np.zeros((len(states), asked.bins, len(HOURLY)), np.int64)
    intervals = np.zeros((len(states), INTERVAL_EDGES_S.size + 1), np.int64)
    bursts = np.zeros((len(states), LARGEST), np.int64)
    for person in range(first, stop):
        try:
            found = tallies(states, person, HOUR_S)
        except NeurosimError as error:
            raise NeurosimError(f"Person {person}: {error}") from None
        signs = {
            name: _signs([(s.muscle, t) for s, t in zip(states, found, strict=True)
                          if s.name == name])
            for name in dict.fromkeys(s.name for s in states)
        }  # fmt: skip
        for i, (state, tally) in enumerate(zip(states, found, strict=True)):
            by_hour = np.stack([getattr(tally, name) for name in COUNTS], axis=1)
            hours[i, :, 0] += by_hour[:, 0] > 0
            hours[i, :, 1:] += by_hour
            intervals[i] += tally.intervals
            bursts[i] += tally.burst_sizes
            rows[person - first, i] = (
                person, *by_hour.sum(axis=0), tally.active_units, tally.expected_per_min,
                *tally.origins, *signs[state.name],
            )  # fmt: skip
    took = np.array(perf_counter() - begun)
    return {"rows": rows, "hours": hours, "intervals": intervals, "bursts": bursts,
            "seconds": took}  # fmt: skip


def _sound(part: dict[str, np.ndarray] | None, asked: Plan, first: int, stop: int) -> bool:
    """Return whether a part that was read is the one of these people."""
    if part is None or set(part) != {"rows", "hours", "intervals", "bursts", "seconds"}:
        return False
    rows = part["rows"]
    return (
        rows.dtype == ROW and rows.shape == (stop - first, len(asked.states))
        and part["hours"].shape == (len(asked.states), asked.bins, len(HOURLY))
        and np.array_equal(rows["person"][:, 0], np.arange(first, stop))
    )  # fmt: skip


# --- All of them -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Cohort:
    """Counts of many people under many scenarios.

    Attributes
    ----------
    plan : Plan
    chunk : int
        People in a part.
    seconds : float
        What this run took, without what was there before it.
    resumed : bool
    """

    plan: Plan
    chunk: int
    seconds: float
    resumed: bool
    _read: Callable[[int], dict[str, np.ndarray] | None] = field(repr=False)

    def parts(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield the parts in the order of the people, as `count_people` returns them.

        Raises
        ------
        NeurosimError
            If a part has been lost since it was written.
        """
        for i, (first, stop) in enumerate(chunks(self.plan.people, self.chunk)):
            part = self._read(i)
            if part is None or not _sound(part, self.plan, first, stop):
                raise NeurosimError(
                    f"The counts of people {first} to {stop - 1} have been lost: "
                    "add --resume to count them again."
                )
            yield part

    @cached_property
    def _sums(self) -> dict[str, np.ndarray]:
        shape = (len(self.plan.states), self.plan.people)
        names = ("twitches", "visible", "expected_per_min", *SIGNS)
        found = {name: np.zeros(shape, ROW[name]) for name in names}
        summed = ("hours", "intervals", "bursts", "seconds")
        for part in self.parts():
            at = part["rows"]["person"][:, 0]
            for name in names:
                found[name][:, at] = part["rows"][name].T
            for name in summed:
                found[name] = found.get(name, 0) + part[name]
        return found

    @property
    def per_min(self) -> np.ndarray:
        """Twitches per minute that were counted, shape (states, people)."""
        return self._sums["twitches"] / (60.0 * self.plan.hours)

    @property
    def visible(self) -> np.ndarray:
        """Twitches that could be seen, shape (states, people)."""
        return self._sums["visible"]

    @property
    def expected_per_min(self) -> np.ndarray:
        """Twitches per minute to be expected over a long time, shape (states, people)."""
        return self._sums["expected_per_min"]

    def sign(self, name: str) -> np.ndarray:
        """Return a sign of `SIGNS`, shape (states, people): 1, 0 or `UNKNOWN`."""
        return self._sums[name]

    @property
    def hours(self) -> np.ndarray:
        """Sums over people by hour, shape (states, hours, len(HOURLY))."""
        return self._sums["hours"]

    @property
    def intervals(self) -> np.ndarray:
        """Intervals between a unit's discharges by `INTERVAL_EDGES_S`, shape (states, cells)."""
        return self._sums["intervals"]

    @property
    def bursts(self) -> np.ndarray:
        """Twitches of 1, 2, ... discharges, shape (states, cells)."""
        return self._sums["bursts"]

    @property
    def core_seconds(self) -> float:
        """What counting took, added up over all workers and runs."""
        return float(self._sums["seconds"])


def chunks(people: int, chunk: int) -> list[tuple[int, int]]:
    """Return (first, stop) of the people of each part."""
    return [(first, min(first + chunk, people)) for first in range(0, people, chunk)]


def run_cohort(
    asked: Plan,
    kept: Parts | None = None,
    *,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Cohort:
    """Count what many people do under many scenarios.

    Parameters
    ----------
    asked : Plan
        As `plan` makes one.
    kept : Parts, optional
        Where parts are kept, inside its ``with`` block; in memory if omitted. `Parts.clear`
        removes them when they are no longer needed.
    resume : bool
        Whether to go on with the unfinished run in that folder; with none there, one begins.
    workers : int, optional
        Processes on this machine; as many as cores if omitted and if they pay. The result does
        not depend on it.
    scheduler : str, optional
        Address of a Dask scheduler whose workers do it instead.
    progress : callable, optional
        Called with (people done, people).
    tell : callable, optional
        Called with one sentence if it will take minutes.

    Raises
    ------
    NeurosimError
        If the folder has an unfinished run (or with `resume` another one than was asked), the
        run would not fit the machine, the disk is full, or workers were lost.
    KeyboardInterrupt
        When stopped by the user, with a sentence that says how to go on.

    Examples
    --------
    >>> found = run_cohort(plan("high_calcium", people=2, hours=0.01, muscle="calf"))
    >>> [s.name for s in found.plan.states], found.per_min.shape
    (['normal', 'high_calcium'], (2, 2))
    """
    begun, settings = perf_counter(), asked.settings()
    number_of = check_workers(workers, scheduler)
    record = _earlier(kept, settings, resume) if kept is not None else None
    there = crew.cluster(scheduler) if scheduler is not None else nullcontext()
    with there as client:
        cores = crew.threads(client) if client is not None else number_of
        if record is None:
            record = _laid_out(asked, cores, client is None, kept, tell)
            record["settings"] = settings
            if kept is not None:
                _begin(kept, record)
        if client is None and workers is None:
            cores = max(1, min(cores, int(record["seconds_expected"] / A_PROCESS_PAYS_S)))
        store = _InMemory() if kept is None else kept
        resumed = _count_all(asked, record["chunk"], store, cores, client, progress)
    return Cohort(asked, record["chunk"], perf_counter() - begun, resumed, store.read)


def check_workers(workers: int | None, scheduler: str | None) -> int:
    """Return how many processes work here.

    Raises
    ------
    NeurosimError
        For a number that is not allowed, no address, or both given.
    """
    if scheduler is not None:
        if workers is not None:
            raise NeurosimError("--workers run here and --scheduler is elsewhere: give only one.")
        crew.check_address(scheduler)
    if workers is not None:
        return _whole("workers", workers, 1, MAX_WORKERS)
    return min(os.cpu_count() or 1, MAX_WORKERS)


class _InMemory(dict):
    """Parts that are kept in memory."""

    def write(self, number: int, part: dict[str, np.ndarray]) -> None:
        self[number] = part

    def read(self, number: int) -> dict[str, np.ndarray] | None:
        return self.get(number)


def _earlier(kept: Parts, settings: dict[str, Any], resume: bool) -> dict[str, Any] | None:
    """Return the record of the run to go on with, None if one is to begin.

    Raises
    ------
    NeurosimError
        If the folder's run may not be touched, or is another one.
    """
    record = kept.begun()
    if record is None:
        return None
    if not resume:
        raise NeurosimError(
            f"{kept.folder} has an unfinished run: add --resume to go on with it, or choose "
            "another --out."
        )
    refuse_another(kept.folder, record["settings"], settings)
    return record


def nothing_left(kept: Parts, asked: Plan) -> bool:
    """Return whether the folder has the finished run that is asked.

    Raises
    ------
    NeurosimError
        If it has another one.
    """
    before = kept.finished() if kept.begun() is None else None
    if before is None:
        return False
    refuse_another(kept.folder, before["settings"], asked.settings())
    return True


def refuse_another(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to go on with a run that was asked otherwise, or made by other code.

    Raises
    ------
    NeurosimError
        It names the first difference.
    """
    name, then, new = first_difference(before, now)
    if not name:
        return
    if name == "made_by.code":
        raise NeurosimError(
            f"The run in {folder} was begun with other code or numbers of neurosim, so its people "
            "cannot be added to: choose another --out."
        )
    raise NeurosimError(
        f"The run in {folder} has {name} = {then}, not {new}: ask for the same again, or choose "
        "another --out."
    )


def _begin(kept: Parts, record: dict[str, Any]) -> None:
    try:
        kept.begin(record)
    except OSError as error:
        kept.clear()
        why = error.strerror or error
        raise NeurosimError(f"Cannot write to {kept.folder}: {why}; nothing was begun.") from None


def _count_all(
    asked: Plan, chunk: int, store: Any, cores: int, client: Any,
    progress: Callable[[int, int], None] | None,
) -> bool:  # fmt: skip
    """Count the people of every part that is not there yet; return whether some were there."""
    todo, done = [], 0
    for i, (first, stop) in enumerate(chunks(asked.people, chunk)):
        if _sound(store.read(i), asked, first, stop):
            done += stop - first
        else:
            todo.append((asked, first, stop))
    resumed = done > 0
    on_disk = isinstance(store, Parts)
    if progress and todo:
        progress(done, asked.people)
    try:
        with closing(crew.results(count_people, todo, min(cores, len(todo)), client)) as coming:
            for (_, first, stop), part in coming:
                store.write(first // chunk, part)
                done += stop - first
                if progress:
                    progress(done, asked.people)
    except KeyboardInterrupt:
        so_far = f"Stopped after {done} of {asked.people} people"
        text = f"{so_far}; add --resume to go on." if on_disk else f"{so_far}."
        raise KeyboardInterrupt(text) from None
    except (OSError, crew.Lost, MemoryError) as error:
        why = getattr(error, "strerror", None) or str(error) or "there is not enough memory"
        why = f"cannot write to {store.place}: {why}" if isinstance(error, OSError) else why
        rest = "; mend that and add --resume to go on." if on_disk else "."
        raise NeurosimError(
            f"Stopped after {done} of {asked.people} people, {'kept' if on_disk else 'lost'}, "
            f"because {why}{rest}"
        ) from None
    return resumed


# --- What it will take -----------------------------------------------------------------------


def _laid_out(
    asked: Plan, cores: int, here: bool, kept: Parts | None, tell: Callable[[str], None] | None
) -> dict[str, Any]:
    """Return the layout of a run: people in a chunk, seconds to be expected on one core.

    Raises
    ------
    NeurosimError
        If the run would not fit memory or disk, or take longer than anybody waits.
    """
    few = asked.people * len(asked.states) * asked.hours * HOUR_S <= FEW_S
    if few:
        chunk = -(-asked.people // CHUNKS_OF_FEW)
        return {"chunk": min(chunk, MOST_PEOPLE_A_CHUNK), "seconds_expected": 0.0}
    each_s, most = try_few(asked)
    chunk = int(np.clip(CHUNK_S / each_s, 1, MOST_PEOPLE_A_CHUNK))
    chunk = max(1, min(chunk, asked.people // (CHUNKS_OF_FEW * cores)))
    _fits_memory(asked, chunk, cores if here else 0, most)
    if kept is not None:
        _fits_disk(asked, chunk, kept.folder)
    total_s = each_s * asked.people
    if total_s / cores > TOO_LONG_S:
        raise NeurosimError(
            f"{asked.people} people for {plain(asked.hours)} hours in {len(asked.states)} states "
            f"would take about {total_s / cores / 86_400.0:.2g} days: choose fewer people, hours "
            "or scenarios."
        )
    if tell is not None and total_s / cores > 180.0:
        minutes = total_s / cores / 60.0
        words = f"{minutes:.0f} minutes" if minutes < 120.0 else f"{minutes / 60.0:.0f} hours"
        tell(f"This takes about {words}.")
    return {"chunk": chunk, "seconds_expected": total_s}


def try_few(asked: Plan) -> tuple[float, float]:
    """Return seconds a person takes on a core, and most discharges that are kept at once.

    Some people beyond those asked for live through a short time, the same again, and ever longer
    ones: the first tells what a person costs, the others what each hour adds.
    """

    def short(hours: float) -> list[Scenario]:
        return [s.replace(duration_s=hours * HOUR_S) for s in asked.states]

    hours = min(asked.hours, 1.0 / 60.0)
    tallies(short(hours), asked.people)  # what is compiled is paid once
    who, rates, begun = [], [], perf_counter()
    while len(who) < 3 or (len(who) < 20 and perf_counter() - begun < 1.0):
        who.append(asked.people + 1 + len(who))
        rates += [t.expected_per_min for t in tallies(short(hours), who[-1])]
    once_s, spans, took = perf_counter() - begun, [hours], []
    while True:
        begun = perf_counter()
        for person in who:
            tallies(short(spans[-1]), person)
        took.append(perf_counter() - begun)
        if spans[-1] >= asked.hours or took[-1] > 1.0:
            break
        spans.append(min(4.0 * spans[-1], asked.hours))
    rise = (took[-1] - took[0]) / max(spans[-1] - spans[0], 1e-9)
    each_s = (once_s + max(rise, 0.0) * (asked.hours - spans[0])) / len(who)
    kept = [not as_drawn(moments(s)) for s in asked.states]
    most = np.max(np.array(rates).reshape(-1, len(kept)) * kept)
    return each_s, most * 60.0 * asked.hours


def part_bytes(asked: Plan, people: int) -> float:
    """Return how large a part of so many people is."""
    n = len(asked.states)
    summed = asked.bins * len(HOURLY) + INTERVAL_EDGES_S.size + 1 + LARGEST
    return float(n * (people * ROW.itemsize + 8 * summed))


def memory_bytes(asked: Plan, chunk: int, workers: int, discharges: float) -> float:
    """Return the memory that a run needs at most: parts under way, sums, workers."""
    sums = asked.people * len(asked.states) * sum(
        ROW[n].itemsize for n in ("twitches", "visible", "expected_per_min", *SIGNS)
    )  # fmt: skip
    under_way = (crew.AHEAD * workers + 4) * part_bytes(asked, chunk)
    held = min(discharges, MAX_DISCHARGES)  # no more are ever sampled at once
    each = PROCESS_BYTES + DISCHARGE_BYTES * held
    return PROCESS_BYTES + 2.0 * sums + under_way + workers * each


def _fits_memory(asked: Plan, chunk: int, workers: int, discharges: float) -> None:
    has, needs = machine_bytes(), memory_bytes(asked, chunk, workers, discharges)
    if needs > has:
        raise NeurosimError(
            f"This would need about {needs / 1e9:.2g} GB of memory, and the machine has "
            f"{has / 1e9:.2g}: choose fewer --workers, people or hours."
        )


def machine_bytes() -> float:
    """Return the memory of this machine, infinite where it does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return float("inf")


def _fits_disk(asked: Plan, chunk: int, folder: Path) -> None:
    n = len(asked.states)
    tables = (asked.people + asked.bins) * n * ROW_BYTES
    parts = sum(part_bytes(asked, b - a) for a, b in chunks(asked.people, chunk))
    needs = tables + parts
    try:
        free = shutil.disk_usage(folder).free
    except OSError:  # whoever writes there is told what is wrong
        return
    if needs > free:
        raise NeurosimError(
            f"The tables and parts would take up to {needs / 1e9:.2g} GB, and {folder} has "
            f"{free / 1e9:.2g} free: choose fewer people, hours, scenarios or muscles."
        )
