"""Many people, many scenarios, many hours, counted: on cores or on a Dask cluster.

Health always runs beside, so that every rate can be held against the same person's in health. Work
is cut into chunks of people; a finished chunk is kept as a part (`checkpoint.Checkpoint`), so that
a run that was stopped goes on from there. What a person does depends on seed, person, scenario and
muscle alone, and people are added up as whole numbers: the result is the same bit for bit
however they are split.
"""

from __future__ import annotations

import os
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base import disk_cache
from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError
from neurosim.base.files import prepare_folder
from neurosim.base.parameters import Key, track_reads
from neurosim.base.viewable import Viewable
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.simulation import workers as crew
from neurosim.simulation.budget import MOST_PEOPLE_A_CHUNK, PROCESS_WORTHWHILE_S, plan_layout
from neurosim.simulation.checkpoint import Checkpoint, first_difference
from neurosim.simulation.plan import (
    COHORT_SIGNS,
    COUNTS,
    HOUR_S,
    HOURLY,
    ROW,
    UNKNOWN,
    WEEK_H,
    Plan,
    chunks,
    least_weeks,
    make_plan,
)
from neurosim.simulation.scenario import (
    SCENARIO_FIELDS,
    Scenario,
    check_callback,
    check_whole,
    load_scenarios,
)
from neurosim.simulation.tally import INTERVAL_EDGES_S, LARGEST, Tally, tally_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from neurosim.model.body.state import Body

PART = {"rows", "hours", "intervals", "bursts", "seconds", "parameters"}
LEAST_CHUNK = 10  # people of a part in memory
MAX_CACHED_STATES = 20_000  # of people's axons; more would drive all else out of the cache on disk


def _seen_by_week(by_muscle: Sequence[tuple[str, Tally]]) -> np.ndarray:
    """Return how many twitches were visible, shape (whole weeks, muscles)."""
    weeks = by_muscle[0][1].visible.size // WEEK_H
    seen = np.zeros((weeks, len(MUSCLES)), np.int64)
    for name, tally in by_muscle:
        whole = tally.visible[: weeks * WEEK_H].reshape(weeks, WEEK_H)
        seen[:, MUSCLES.index(name)] = whole.sum(axis=1)
    return seen


def _person_signs(by_muscle: Sequence[tuple[str, Tally]]) -> list[int]:
    """Return each sign of one person in one scenario: 1, 0, or `UNKNOWN` in so short a time."""
    seen = _seen_by_week(by_muscle)
    return [
        int(rule(seen)) if seen.shape[0] >= least_weeks(sign) else UNKNOWN
        for sign, rule in COHORT_SIGNS.items()
    ]


def count_people(plan: Plan, first: int, stop: int) -> dict[str, np.ndarray]:
    """Return what people `first` to `stop` (left out) do: a part.

    Returns
    -------
    dict
        ``rows``: structured array (`ROW`), shape (people, states). Summed over the people:
        ``hours``, shape (states, hours, len(HOURLY)); ``intervals`` and ``bursts``, shape (states,
        cells). ``seconds``: what it took. ``parameters``: group and name of those that were read,
        shape (n, 2).
    """
    with (
        disk_cache.bypass_cache()
        if plan.people * len(plan.states) > MAX_CACHED_STATES
        else nullcontext(),
        track_reads() as reads,
    ):
        part = _count_part(plan, first, stop)
    return part | {"parameters": np.array(sorted(reads), dtype=str)}


def _count_part(plan: Plan, first: int, stop: int) -> dict[str, np.ndarray]:
    begun, states = perf_counter(), plan.states
    rows = np.zeros((stop - first, len(states)), ROW)
    hours = np.zeros((len(states), plan.bins, len(HOURLY)), np.int64)
    intervals = np.zeros((len(states), INTERVAL_EDGES_S.size + 1), np.int64)
    bursts = np.zeros((len(states), LARGEST), np.int64)
    for person in range(first, stop):
        try:
            tallies = tally_person(states, person, HOUR_S)
        except NeurosimError as error:
            raise NeurosimError(f"Person {person}: {error}") from None
        signs = {
            name: _person_signs(
                [(s.muscle, t) for s, t in zip(states, tallies, strict=True) if s.name == name]
            )
            for name in dict.fromkeys(s.name for s in states)
        }
        for i, (state, tally) in enumerate(zip(states, tallies, strict=True)):
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
    return {"rows": rows, "hours": hours, "intervals": intervals, "bursts": bursts, "seconds": took}


def _is_intact(part: dict[str, np.ndarray] | None, plan: Plan, first: int, stop: int) -> bool:
    """Return whether a part that was read is the one of these people."""
    if part is None or set(part) != PART:
        return False
    rows = part["rows"]
    return (
        rows.dtype == ROW
        and rows.shape == (stop - first, len(plan.states))
        and part["hours"].shape == (len(plan.states), plan.bins, len(HOURLY))
        and np.array_equal(rows["person"][:, 0], np.arange(first, stop))
    )


class AlreadyFinished(NeurosimError):
    """The folder has the finished run that was asked for; nothing is left to do."""


@dataclass(frozen=True, repr=False)
class Cohort(Viewable):
    """Counts of many people under many scenarios.

    Attributes
    ----------
    plan : Plan
    chunk : int
        People in a part.
    seconds : float
        What this run took, without what was there before it.
    resumed : bool
    checkpoint : Checkpoint or None
        Folder of the parts, None where they are in memory.
    """

    plan: Plan
    chunk: int
    seconds: float
    resumed: bool
    checkpoint: Checkpoint | None
    _read: Callable[[int], dict[str, np.ndarray] | None]

    def save(self, folder: str | Path) -> list[Path]:
        """Write the tables, the picture and the words, all or none of them.

        In the folder of its run they take the place of the parts; then the rows of every person
        are in the table of people alone.

        Raises
        ------
        NeurosimError
            If the folder cannot be written to; the parts stay, and the sentence says so.
        KeyboardInterrupt
            When stopped by the user, likewise.
        """
        if self.checkpoint is None or not _same_folder(folder, self.checkpoint.folder):
            return super().save(folder)
        people = self.plan.people
        resume = f"the counts of all {people} people are kept: add --resume to write the tables."
        try:
            with self.checkpoint:
                paths = super().save(folder)
                self.checkpoint.clear()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"Stopped; {resume}") from None
        except NeurosimError as error:
            raise NeurosimError(f"{str(error).rstrip('.')}; {resume}") from None
        return paths

    def parts(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield the parts in the order of the people, as `count_people` returns them.

        Raises
        ------
        NeurosimError
            If a part has been lost since it was written.
        """
        for i, (first, stop) in enumerate(chunks(self.plan.people, self.chunk)):
            part = self._read(i)
            if part is None or not _is_intact(part, self.plan, first, stop):
                raise NeurosimError(
                    f"The counts of people {first} to {stop - 1} are no longer in the folder of "
                    "the run: read its table of people, or add --resume to count them again."
                )
            yield part

    @cached_property
    def _sums(self) -> dict[str, Any]:
        shape = (len(self.plan.states), self.plan.people)
        names = ("twitches", "visible", "expected_per_min", *COHORT_SIGNS)
        sums: dict[str, Any] = {name: np.zeros(shape, ROW[name]) for name in names}
        sums["parameters"] = set[Key]()
        summed = ("hours", "intervals", "bursts", "seconds")
        for part in self.parts():
            index = part["rows"]["person"][:, 0]
            for name in names:
                sums[name][:, index] = part["rows"][name].T
            sums["parameters"].update(map(tuple, part["parameters"].tolist()))
            for name in summed:
                sums[name] = sums.get(name, 0) + part[name]
        return sums

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
    def parameters(self) -> frozenset[Key]:  # pyright: ignore[reportIncompatibleVariableOverride] its parts have them
        """Group and name of every parameter that was read."""
        return frozenset(self._sums["parameters"])

    @property
    def core_seconds(self) -> float:
        """What counting took, added up over all workers and runs."""
        return float(self._sums["seconds"])


@public(also=SCENARIO_FIELDS)
def cohort(  # noqa: PLR0913 (a door: the command's options)
    *scenarios: Scenario | Body | str | Path,
    people: int = 100,
    hours: float = 24.0,
    seed: int = 1,
    muscle: str | None = None,
    format: str = "csv",
    folder: str | Path | None = None,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    stage: Callable[[str], object] | None = None,
    **changes: Any,
) -> Cohort:
    """Count many people under many scenarios, each in health beside them.

    Parameters
    ----------
    *scenarios : Scenario, Body, catalogue name or TOML file
        Health is added in front; without any it is alone.
    people, hours, seed, muscle, format
        As for `neurosim.simulation.plan.make_plan`.
    folder : str or Path, optional
        Where the counts are kept while the run goes on, so that one that was stopped can be
        resumed; they stay until the result is saved there. In memory if omitted.
    resume : bool
        Whether to go on with the unfinished run in that folder; with none there, one begins.
    workers, scheduler, progress, stage
        As for `run_cohort`.
    **changes
        Scenario fields to change in all of them: `axon`, `root`.

    Returns
    -------
    Cohort

    Raises
    ------
    NeurosimError
        For a value that is not allowed, or a run that the folder or the machine cannot take;
        `AlreadyFinished` where `resume` has nothing left to do.

    Examples
    --------
    >>> counted = cohort("high_calcium", people=2, hours=0.01, muscle="calf")
    >>> [s.name for s in counted.plan.states], counted.per_min.shape
    (['normal', 'high_calcium'], (2, 2))
    """
    changed = [s.replace(**changes) for s in load_scenarios(scenarios or ("normal",))]
    plan = make_plan(changed, people, hours, seed, muscle, format)
    options: dict[str, Any] = {"workers": workers, "scheduler": scheduler}
    options |= {"progress": progress, "stage": stage}
    check_workers(workers, scheduler)
    check_callback("progress", progress)
    check_callback("stage", stage)
    if folder is None:
        return run_cohort(plan, **options)
    with Checkpoint(prepare_folder(folder)) as checkpoint:
        if resume and is_finished(checkpoint, plan):
            raise AlreadyFinished(
                f"Nothing is left to do: the run in {checkpoint.folder} is finished."
            )
        return run_cohort(plan, checkpoint, resume=resume, **options)


def _same_folder(one: str | Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, TypeError, ValueError):  # not there, or no path: whoever writes says so
        return False


def run_cohort(
    plan: Plan,
    checkpoint: Checkpoint | None = None,
    *,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    stage: Callable[[str], object] | None = None,
) -> Cohort:
    """Count what many people do under many scenarios.

    Parameters
    ----------
    plan : Plan
        As `plan` makes one.
    checkpoint : Checkpoint, optional
        Where parts are kept, inside its ``with`` block; in memory if omitted. `Checkpoint.clear`
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
    stage : callable, optional
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
    >>> counted = run_cohort(make_plan("high_calcium", people=2, hours=0.01, muscle="calf"))
    >>> [s.name for s in counted.plan.states], counted.per_min.shape
    (['normal', 'high_calcium'], (2, 2))
    """
    begun, settings = perf_counter(), plan.settings()
    number_of = check_workers(workers, scheduler)
    record = _earlier_record(checkpoint, settings, resume) if checkpoint is not None else None
    cluster = crew.cluster(scheduler) if scheduler is not None else nullcontext()
    with cluster as client:
        cores = crew.cluster_capacity(client) if client is not None else number_of
        if record is None:
            record = plan_layout(plan, cores, client is None, checkpoint, stage)
            record["settings"] = settings
            if checkpoint is not None:
                _begin_run(checkpoint, record)
        if client is None and workers is None:
            cores = max(1, min(cores, int(record["seconds_expected"] / PROCESS_WORTHWHILE_S)))
        store = _MemoryParts() if checkpoint is None else checkpoint
        resumed = _count_all(plan, record["chunk"], store, cores, client, progress)
    seconds = perf_counter() - begun
    return Cohort(plan, record["chunk"], seconds, resumed, checkpoint, store.read)


def count_in_memory(
    plan: Plan, cores: int = 1, progress: Callable[[int, int], object] | None = None
) -> Cohort:
    """Return a cohort whose time nobody asks beforehand, in parts of a hundredth of its people."""
    begun, store = perf_counter(), _MemoryParts()
    chunk = int(np.clip(plan.people // 100, LEAST_CHUNK, MOST_PEOPLE_A_CHUNK))
    _count_all(plan, chunk, store, cores, None, progress)
    return Cohort(plan, chunk, perf_counter() - begun, False, None, store.read)


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
        return check_whole("workers", workers, 1, crew.MAX_WORKERS)
    return min(os.cpu_count() or 1, crew.MAX_WORKERS)


class _MemoryParts(dict[int, dict[str, np.ndarray]]):
    """Parts that are kept in memory."""

    def write(self, number: int, part: dict[str, np.ndarray]) -> None:
        self[number] = part

    def read(self, number: int) -> dict[str, np.ndarray] | None:
        return self.get(number)


def _earlier_record(
    checkpoint: Checkpoint, settings: dict[str, Any], resume: bool
) -> dict[str, Any] | None:
    """Return the record of the run to go on with, None if one is to begin.

    Raises
    ------
    NeurosimError
        If the folder's run may not be touched, or is another one.
    """
    record = checkpoint.unfinished_record()
    if record is None:
        return None
    if not resume:
        raise NeurosimError(
            f"{checkpoint.folder} has an unfinished run: add --resume to go on with it, or choose "
            "another --out."
        )
    refuse_other_run(checkpoint.folder, record["settings"], settings)
    return record


def is_finished(checkpoint: Checkpoint, plan: Plan) -> bool:
    """Return whether the folder has the finished run that is asked.

    Raises
    ------
    NeurosimError
        If it has another one.
    """
    before = checkpoint.finished_record() if checkpoint.unfinished_record() is None else None
    if before is None:
        return False
    refuse_other_run(checkpoint.folder, before["settings"], plan.settings())
    return True


def refuse_other_run(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to go on with a run that was asked otherwise, or made by other code.

    Raises
    ------
    NeurosimError
        It names the first difference.
    """
    name, value_before, value_now = first_difference(before, now)
    if not name:
        return
    if name == "made_by.code":
        raise NeurosimError(
            f"The run in {folder} was begun with other code or numbers of neurosim, so its people "
            "cannot be added to: choose another --out."
        )
    raise NeurosimError(
        f"The run in {folder} has {name} = {value_before}, not {value_now}: ask for the same "
        "again, or choose another --out."
    )


def _begin_run(checkpoint: Checkpoint, record: dict[str, Any]) -> None:
    try:
        checkpoint.begin(record)
    except OSError as error:
        checkpoint.clear()
        why = error.strerror or error
        raise NeurosimError(
            f"Cannot write to {checkpoint.folder}: {why}; nothing was begun."
        ) from None


def _count_all(
    plan: Plan,
    chunk: int,
    store: Any,
    cores: int,
    client: Any,
    progress: Callable[[int, int], object] | None,
) -> bool:
    """Count the people of every part that is not there yet; return whether some were there."""
    todo: list[tuple[Plan, int, int]] = []
    done = 0
    for i, (first, stop) in enumerate(chunks(plan.people, chunk)):
        if _is_intact(store.read(i), plan, first, stop):
            done += stop - first
        else:
            todo.append((plan, first, stop))
    resumed = done > 0
    on_disk = isinstance(store, Checkpoint)
    if progress and todo:
        progress(done, plan.people)
    try:
        with closing(crew.run_jobs(count_people, todo, min(cores, len(todo)), client)) as coming:
            for (_, first, stop), part in coming:
                store.write(first // chunk, part)
                done += stop - first
                if progress:
                    progress(done, plan.people)
    except KeyboardInterrupt:
        so_far = f"Stopped after {done} of {plan.people} people"
        text = f"{so_far}; add --resume to go on." if on_disk else f"{so_far}."
        raise KeyboardInterrupt(text) from None
    except (OSError, crew.WorkersLost, MemoryError) as error:
        why = getattr(error, "strerror", None) or str(error) or "there is not enough memory"
        why = f"cannot write to {store.place}: {why}" if isinstance(error, OSError) else why
        rest = "; mend that and add --resume to go on." if on_disk else "."
        raise NeurosimError(
            f"Stopped after {done} of {plan.people} people, {'kept' if on_disk else 'lost'}, "
            f"because {why}{rest}"
        ) from None
    return resumed
