"""How long a cohort takes and how much memory and disk it needs, told before it begins."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from neurosim.base.errors import NeurosimError, format_number
from neurosim.model.firing.discharge import MAX_DISCHARGES
from neurosim.simulation import workers as crew
from neurosim.simulation.checkpoint import Checkpoint
from neurosim.simulation.plan import COHORT_SIGNS, HOUR_S, HOURLY, ROW, ROW_BYTES, Plan, chunks
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.state import body_trajectory
from neurosim.simulation.tally import INTERVAL_EDGES_S, LARGEST, can_count_as_drawn, tally_person

CHUNK_S = 5.0  # a chunk takes about so long
MOST_PEOPLE_A_CHUNK, CHUNKS_OF_FEW = 1000, 16
TRIAL_S = 240_000.0  # simulated time up to which nobody asks how long it takes
PROCESS_WORTHWHILE_S = 10.0
TOO_LONG_S = 30 * 86_400.0
PROCESS_BYTES = 400e6  # a process with the model in it
DISCHARGE_BYTES = 250.0  # while the discharges of one muscle are counted


def _plan_layout(
    asked: Plan, cores: int, here: bool, kept: Checkpoint | None, tell: Callable[[str], None] | None
) -> dict[str, Any]:
    """Return the layout of a run: people in a chunk, seconds to be expected on one core.

    Raises
    ------
    NeurosimError
        If the run would not fit memory or disk, or take longer than anybody waits.
    """
    few = asked.people * len(asked.states) * asked.hours * HOUR_S <= TRIAL_S
    if few:
        chunk = -(-asked.people // CHUNKS_OF_FEW)
        return {"chunk": min(chunk, MOST_PEOPLE_A_CHUNK), "seconds_expected": 0.0}
    each_s, most = measure_few(asked)
    chunk = int(np.clip(CHUNK_S / each_s, 1, MOST_PEOPLE_A_CHUNK))
    chunk = max(1, min(chunk, asked.people // (CHUNKS_OF_FEW * cores)))
    _check_memory(asked, chunk, cores if here else 0, most)
    if kept is not None:
        _check_disk(asked, chunk, kept.folder)
    total_s = each_s * asked.people
    if total_s / cores > TOO_LONG_S:
        raise NeurosimError(
            f"{asked.people} people for {format_number(asked.hours)} hours in {len(asked.states)} states "
            f"would take about {total_s / cores / 86_400.0:.2g} days: choose fewer people, hours "
            "or scenarios."
        )
    if tell is not None and total_s / cores > 180.0:
        minutes = total_s / cores / 60.0
        words = f"{minutes:.0f} minutes" if minutes < 120.0 else f"{minutes / 60.0:.0f} hours"
        tell(f"This takes about {words}.")
    return {"chunk": chunk, "seconds_expected": total_s}


def measure_few(asked: Plan) -> tuple[float, float]:
    """Return seconds a person takes on a core, and most discharges that are kept at once.

    Some people beyond those asked for live through a short time, the same again, and ever longer
    ones: the first tells what a person costs, the others what each hour adds.
    """

    def short(hours: float) -> list[Scenario]:
        return [s.replace(duration_s=hours * HOUR_S) for s in asked.states]

    hours = min(asked.hours, 1.0 / 60.0)
    tally_person(short(hours), asked.people)  # what is compiled is paid once
    who, rates, begun = [], [], perf_counter()
    while len(who) < 3 or (len(who) < 20 and perf_counter() - begun < 1.0):
        who.append(asked.people + 1 + len(who))
        rates += [t.expected_per_min for t in tally_person(short(hours), who[-1])]
    once_s, spans, took = perf_counter() - begun, [hours], []
    while True:
        begun = perf_counter()
        for person in who:
            tally_person(short(spans[-1]), person)
        took.append(perf_counter() - begun)
        if spans[-1] >= asked.hours or took[-1] > 1.0:
            break
        spans.append(min(4.0 * spans[-1], asked.hours))
    rise = (took[-1] - took[0]) / max(spans[-1] - spans[0], 1e-9)
    each_s = (once_s + max(rise, 0.0) * (asked.hours - spans[0])) / len(who)
    kept = [not can_count_as_drawn(body_trajectory(s)) for s in asked.states]
    most = np.max(np.array(rates).reshape(-1, len(kept)) * kept)
    return each_s, most * 60.0 * asked.hours


def part_bytes(asked: Plan, people: int) -> float:
    """Return how large a part of so many people is."""
    n = len(asked.states)
    summed = asked.bins * len(HOURLY) + INTERVAL_EDGES_S.size + 1 + LARGEST
    return float(n * (people * ROW.itemsize + 8 * summed))


def memory_bytes(asked: Plan, chunk: int, workers: int, discharges: float) -> float:
    """Return the memory that a run needs at most: parts under way, sums, workers."""
    sums = (
        asked.people
        * len(asked.states)
        * sum(ROW[n].itemsize for n in ("twitches", "visible", "expected_per_min", *COHORT_SIGNS))
    )
    under_way = (crew.JOBS_AHEAD * workers + 4) * part_bytes(asked, chunk)
    held = min(discharges, MAX_DISCHARGES)  # no more are ever sampled at once
    each = PROCESS_BYTES + DISCHARGE_BYTES * held
    return PROCESS_BYTES + 2.0 * sums + under_way + workers * each


def _check_memory(asked: Plan, chunk: int, workers: int, discharges: float) -> None:
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


def _check_disk(asked: Plan, chunk: int, folder: Path) -> None:
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
