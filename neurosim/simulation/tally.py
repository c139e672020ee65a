"""Counts of people's muscles over a long time, kept instead of every discharge.

A day of a busy muscle has millions of discharges; a cohort wants their counts. `tallies` gives
for one person under several scenarios what happened in each stretch of time (an hour, say), how
long bursts and intervals were, and where twitches started. Where only axons and somata misfire
the discharges are counted as they are drawn (`count_bursts`, one source for plain Python and for
Numba) and none is kept; with sources beside the hazard, or junctions that repeat, they are drawn
whole and counted then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base import backends
from neurosim.model.axon.axon import Conditions
from neurosim.model.firing.discharge import ORIGINS, Firing, HazardCourse, stream_discharges
from neurosim.model.firing.hazard import prefetch_tables
from neurosim.model.firing.sites import person_scores
from neurosim.model.muscle import anatomy
from neurosim.simulation import person_run, result
from neurosim.simulation import state as state_
from neurosim.simulation.counting import count_bursts, force_law

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.model.muscle.events import Twitches
    from neurosim.simulation.scenario import Scenario

ROOM = 8192  # discharges drawn at a time: they stay in the processor's cache
LARGEST = 10  # of the table of burst sizes: so many discharges or more
# Edges of the table of intervals: ten a decade from 1 ms to a fortnight; what is shorter or
# longer falls into the first and the last cell.
INTERVAL_EDGES_S = 10.0 ** (np.arange(-30, 61) / 10.0)


@dataclass(frozen=True)
class Tally:
    """What one person's muscle did under one scenario, in counts.

    Attributes
    ----------
    bin_s, duration_s : float
        Length of a stretch of time, and of all of them; the last may be shorter.
    twitches, visible, doublets, spasms : ndarray of int, shape (bins,)
        Twitches by when they begin, those that can be seen, those of two discharges or more (a
        spasm is in none of them), and spasms.
    discharges : ndarray of int, shape (bins,)
        Of all units.
    origins : ndarray of int, shape (len(ORIGINS),)
        Twitches by where they started.
    burst_sizes : ndarray of int, shape (10,)
        Twitches of 1, 2, ... 10 (or more) discharges.
    intervals : ndarray of int, shape (92,)
        Intervals between successive discharges of a unit, by `INTERVAL_EDGES_S`: under the first
        edge, between the first two, ..., over the last.
    active_units : int
    expected_per_min : float
        Twitches per minute to be expected over a long time, or the course.
    """

    bin_s: float
    duration_s: float
    twitches: np.ndarray
    visible: np.ndarray
    doublets: np.ndarray
    spasms: np.ndarray
    discharges: np.ndarray
    origins: np.ndarray
    burst_sizes: np.ndarray
    intervals: np.ndarray
    active_units: int
    expected_per_min: float


def bin_count(duration_s: float, bin_s: float) -> int:
    """Return how many stretches of `bin_s` a duration has, the last perhaps shorter."""
    return max(1, int(np.ceil(duration_s / bin_s - 1e-9)))


def tally_firing(
    firing: Firing, twitches: Twitches, bin_s: float, expected_per_min: float = 0.0
) -> Tally:
    """Return the tally of discharges and the twitches they made (their origins named)."""
    n = bin_count(firing.duration_s, bin_s)

    def by_bin(times: np.ndarray) -> np.ndarray:
        index = np.clip((times / bin_s).astype(np.int64), 0, n - 1)
        return np.bincount(index, minlength=n)

    short = ~twitches.painful
    order = np.lexsort((firing.time_s, firing.unit))
    unit, time = firing.unit[order], firing.time_s[order]
    gaps = np.diff(time)[np.diff(unit) == 0]
    cell = np.searchsorted(INTERVAL_EDGES_S, gaps, side="right")
    names = np.array(ORIGINS)
    return Tally(
        bin_s,
        firing.duration_s,
        by_bin(twitches.onset_s[short]),
        by_bin(twitches.onset_s[short & twitches.visible]),
        by_bin(twitches.onset_s[short & (twitches.discharges > 1)]),
        by_bin(twitches.onset_s[~short]),
        by_bin(firing.time_s),
        (twitches.origin[short, None] == names).sum(axis=0),
        np.bincount(np.minimum(twitches.discharges[short], LARGEST) - 1, minlength=LARGEST),
        np.bincount(cell, minlength=INTERVAL_EDGES_S.size + 1),
        np.unique(firing.unit).size,
        expected_per_min,
    )


def can_count_as_drawn(trajectory: state_.BodyTrajectory) -> bool:
    """Return whether discharges are counted as they are drawn: all twitches are misfires."""
    first = trajectory.states[0]
    beside = first.terminal.fast_potassium_scale < 1.0 or first.pool.push_mv > 0.0
    repeats = any(state.junction.repeats_ms for state in trajectory.states)
    return not (beside or repeats or first.lesion.myokymic_share > 0.0)


def _count_as_drawn(
    trajectory: state_.BodyTrajectory,
    hazards: HazardCourse,
    scenario: Scenario,
    reached: np.ndarray,
    bin_s: float,
    rng: np.random.Generator,
) -> Tally:
    """Return the tally of discharges that are drawn and let go."""
    m = anatomy.muscle(scenario.muscle)
    twitch = anatomy.twitch_forces_mn(m), anatomy.contraction_times_ms(m) / 1000.0
    force = np.array([s.unit_force_scale * max(s.transmission, 1e-6) for s in trajectory.states])
    slow = np.array([s.contraction_time_scale for s in trajectory.states])
    knots = (
        trajectory.at_s,
        0.5 * (trajectory.at_s[1:] + trajectory.at_s[:-1]),
        force,
        slow,
        reached,
    )
    by_bin = np.zeros((4, bin_count(scenario.duration_s, bin_s)), np.int64)
    origins, sizes = np.zeros(len(ORIGINS), np.int64), np.zeros(LARGEST, np.int64)
    intervals, active = np.zeros(INTERVAL_EDGES_S.size + 1, np.int64), np.zeros(m.units, bool)
    origin, last = hazards.knots[0].origin, np.array([-1.0, 0.0, 0.0])
    law = force_law()
    count = backends.loop("count_bursts") or count_bursts
    for rows in stream_discharges(hazards, scenario.duration_s, rng, ROOM):
        count(
            rows,
            twitch,
            m.visible_force_mn,
            law,
            knots,
            origin,
            bin_s,
            last,
            by_bin,
            origins,
            sizes,
            intervals,
            active,
        )
    twitches, visible, doublets, discharges = by_bin
    none = np.zeros((trajectory.at_s.size, len(ORIGINS)))
    expected = result.mean_rate(hazards, result.twitch_rates(hazards, none, reached))
    return Tally(
        bin_s,
        scenario.duration_s,
        twitches,
        visible,
        doublets,
        np.zeros_like(twitches),
        discharges,
        origins,
        sizes,
        intervals,
        int(active.sum()),
        expected,
    )


def _tally_scenario(
    trajectory: state_.BodyTrajectory, scenario: Scenario, person: int, bin_s: float
) -> Tally:
    """Return what one person's muscle does under one scenario, in counts."""
    sites, rng = person_run.person_sites(scenario, person)
    sites = person_run.sites_in_state(trajectory.states[0], sites, scenario, person)
    if can_count_as_drawn(trajectory):
        trajectory = person_run.follow_sites(trajectory, sites, scenario)
        hazards = person_run.trajectory_hazards(trajectory, sites, scenario)
        reached = person_run.reached_over_time(trajectory, scenario, sites.scores)
        return _count_as_drawn(trajectory, hazards, scenario, reached, bin_s, rng)
    run = person_run.simulate_person(trajectory, sites, scenario, person, rng)
    per_min = result.twitch_rates(run.hazards, run.other_bursts_per_min, run.reached)
    expected = result.mean_rate(run.hazards, per_min)
    return tally_firing(run.firing, run.twitches, bin_s, expected)


def tally_person(scenarios: Sequence[Scenario], person: int, bin_s: float = 3600.0) -> list[Tally]:
    """Return what one person's muscle does under each scenario, in counts.

    Parameters
    ----------
    scenarios : sequence of Scenario
    person : int
        Number of the person within each scenario's seed.
    bin_s : float
        Length of a stretch of time, s.
    """
    trajectories = [state_.body_trajectory(s) for s in scenarios]
    for axon, seed in {(s.axon, s.seed) for s in scenarios}:
        conditions = [
            examined
            for s, trajectory in zip(scenarios, trajectories, strict=True)
            if (s.axon, s.seed) == (axon, seed)
            for examined in trajectory.examined_axons
        ]
        prefetch_tables([Conditions(), *conditions], axon, person_scores(seed, person))
    return [
        _tally_scenario(trajectory, s, person, bin_s)
        for s, trajectory in zip(scenarios, trajectories, strict=True)
    ]
