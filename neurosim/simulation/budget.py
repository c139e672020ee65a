"""How long a run takes and how much memory and disk it needs, estimated before it begins."""

from __future__ import annotations

import os
import shutil
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError, format_number
from neurosim.model.firing.discharge import MAX_DISCHARGES
from neurosim.simulation import workers as crew
from neurosim.simulation.person_run import run_one
from neurosim.simulation.plan import COHORT_SIGNS, HOUR_S, HOURLY, ROW, ROW_BYTES, Plan, chunks
from neurosim.simulation.state import body_trajectory
from neurosim.simulation.tally import INTERVAL_EDGES_S, LARGEST, can_count_as_drawn, tally_person

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from neurosim.simulation.checkpoint import Checkpoint
    from neurosim.simulation.scenario import Scenario

CHUNK_S = 5.0  # a chunk takes about so long
MOST_PEOPLE_A_CHUNK, CHUNKS_OF_FEW = 1000, 16
TRIAL_S = 240_000.0  # simulated time of all people, up to which nobody asks how long it takes
LONG_S = 180.0  # a longer computation says beforehand how long
MAX_RUN_S = 86_400.0  # of a run that cannot be resumed
MAX_TABLE_ROWS = 2_000_000  # of one person's discharges: about 100 MB
SHORT_S = 3600.0  # of a run whose discharges always fit
PROCESS_WORTHWHILE_S = 10.0
MAX_COHORT_S = 30 * 86_400.0
PROCESS_BYTES = 400e6  # a process with the model in it
DISCHARGE_BYTES = 250.0  # while the discharges of one muscle are counted


def plan_layout(
    plan: Plan,
    cores: int,
    here: bool,
    checkpoint: Checkpoint | None,
    stage: Callable[[str], object] | None,
) -> dict[str, Any]:
    """Return the layout of a run: people in a chunk, seconds to be expected on one core.

    Raises
    ------
    NeurosimError
        If the run would not fit memory or disk, or take longer than anybody waits.
    """
    few = plan.people * len(plan.states) * plan.hours * HOUR_S <= TRIAL_S
    if few:
        chunk = -(-plan.people // CHUNKS_OF_FEW)
        return {"chunk": min(chunk, MOST_PEOPLE_A_CHUNK), "seconds_expected": 0.0}
    each_s, most = measure_few(plan.states, plan.people)
    chunk = int(np.clip(CHUNK_S / each_s, 1, MOST_PEOPLE_A_CHUNK))
    chunk = max(1, min(chunk, plan.people // (CHUNKS_OF_FEW * cores)))
    _check_memory(plan, chunk, cores if here else 0, most)
    if checkpoint is not None:
        _check_disk(plan, chunk, checkpoint.folder)
    total_s = each_s * plan.people
    if total_s / cores > MAX_COHORT_S:
        raise NeurosimError(
            f"{plan.people} people for {format_number(plan.hours)} hours in {len(plan.states)} "
            f"states would take about {total_s / cores / 86_400.0:.2g} days: choose fewer people, "
            "hours or scenarios."
        )
    if stage is not None and total_s / cores > LONG_S:
        stage(time_sentence(total_s / cores))
    return {"chunk": chunk, "seconds_expected": total_s}


def time_sentence(seconds: float) -> str:
    """Return how long something takes; nothing to say of a short time."""
    minutes = seconds / 60.0
    if seconds <= LONG_S:
        return ""
    length = f"{minutes:.0f} minutes" if minutes < 120.0 else f"{minutes / 60.0:.0f} hours"
    return f"This takes about {length}."


def useful_cores(people: int) -> int:
    """Return how many processes pay: starting one costs as much as a few hundred people."""
    return 1 if people < 400 else max(1, min(os.cpu_count() or 1, 8))


def count_seconds(scenarios: Sequence[Scenario], people: int, cores: int) -> float:
    """Return how long counting people takes, 0 where it is too short to ask.

    Raises
    ------
    NeurosimError
        If that is more than a day.
    """
    duration_s = scenarios[0].duration_s
    if people == 1 or people * len(scenarios) * duration_s <= TRIAL_S:
        return 0.0
    some = scenarios[:: -(-len(scenarios) // 3)]
    seconds = measure_few(some, people)[0] * people / cores * len(scenarios) / len(some)
    if seconds > MAX_RUN_S:
        raise NeurosimError(
            f"{people} people for {format_number(duration_s)} s would take about "
            f"{seconds / 3600.0:.0f} hours: choose fewer people or a shorter duration."
        )
    return seconds


def check_table_size(scenario: Scenario, person: int) -> None:
    """Refuse a run whose discharges would fill the memory, before it is made.

    Raises
    ------
    NeurosimError
        If about more than `MAX_TABLE_ROWS` are to be expected of the person.
    """
    if scenario.duration_s <= SHORT_S:
        return
    short = scenario.replace(duration_s=1.0) if scenario.course is None else scenario
    rows = run_one(short, person).expected_per_min * scenario.duration_s / 60.0
    if rows > MAX_TABLE_ROWS:
        raise NeurosimError(
            f"About {rows:.2g} discharges in {format_number(scenario.duration_s)} s are too many "
            f"for a table of at most {MAX_TABLE_ROWS} rows: choose a shorter --duration."
        )


def measure_few(scenarios: Sequence[Scenario], people: int) -> tuple[float, float]:
    """Return seconds a person takes on a core, and most discharges that are held at once.

    Some people beyond the first `people` live through a short time, the same again, and ever
    longer ones: the first tells what a person costs, the others what each hour adds.
    """
    duration_h = scenarios[0].duration_s / HOUR_S

    def last(hours: float) -> list[Scenario]:
        return [s.replace(duration_s=hours * HOUR_S) for s in scenarios]

    least_h = min(duration_h, 1.0 / 60.0)
    tally_person(last(least_h), people)  # what is compiled is paid once
    some: list[int] = []
    rates: list[float] = []
    begun = perf_counter()
    while len(some) < 3 or (len(some) < 20 and perf_counter() - begun < 1.0):
        some.append(people + 1 + len(some))
        rates += [t.expected_per_min for t in tally_person(last(least_h), some[-1])]
    once_s, spans_h = perf_counter() - begun, [least_h]
    took_s: list[float] = []
    while True:
        begun = perf_counter()
        for person in some:
            tally_person(last(spans_h[-1]), person)
        took_s.append(perf_counter() - begun)
        if spans_h[-1] >= duration_h or took_s[-1] > 1.0:
            break
        spans_h.append(min(4.0 * spans_h[-1], duration_h))
    rise = (took_s[-1] - took_s[0]) / max(spans_h[-1] - spans_h[0], 1e-9)
    each_s = (once_s + max(rise, 0.0) * (duration_h - spans_h[0])) / len(some)
    is_held = [not can_count_as_drawn(body_trajectory(s)) for s in scenarios]
    most = np.max(np.array(rates).reshape(-1, len(is_held)) * is_held)
    return each_s, most * 60.0 * duration_h


def part_bytes(plan: Plan, people: int) -> float:
    """Return how large a part of so many people is."""
    n = len(plan.states)
    summed = plan.bins * len(HOURLY) + INTERVAL_EDGES_S.size + 1 + LARGEST
    return float(n * (people * ROW.itemsize + 8 * summed))


def memory_bytes(plan: Plan, chunk: int, workers: int, discharges: float) -> float:
    """Return the memory that a run needs at most: parts under way, sums, workers."""
    sums = (
        plan.people
        * len(plan.states)
        * sum(ROW[n].itemsize for n in ("twitches", "visible", "expected_per_min", *COHORT_SIGNS))
    )
    under_way = (crew.JOBS_AHEAD * workers + 4) * part_bytes(plan, chunk)
    held = min(discharges, MAX_DISCHARGES)  # no more are ever sampled at once
    each = PROCESS_BYTES + DISCHARGE_BYTES * held
    return PROCESS_BYTES + 2.0 * sums + under_way + workers * each


def _check_memory(plan: Plan, chunk: int, workers: int, discharges: float) -> None:
    has, needs = machine_bytes(), memory_bytes(plan, chunk, workers, discharges)
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


def _check_disk(plan: Plan, chunk: int, folder: Path) -> None:
    n = len(plan.states)
    tables = (plan.people + plan.bins) * n * ROW_BYTES
    parts = sum(part_bytes(plan, b - a) for a, b in chunks(plan.people, chunk))
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
