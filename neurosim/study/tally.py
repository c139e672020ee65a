"""Counts of one person's muscle over a long time, kept instead of every discharge.

A day of a busy muscle has millions of discharges; a cohort wants their counts. `tallies` gives
for one person under several scenarios what happened in each stretch of time (an hour, say), how
long bursts and intervals were, and where twitches started.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurosim.firing.discharge import ORIGINS, Firing
from neurosim.firing.hazard import prepare
from neurosim.firing.sites import person_scores
from neurosim.membrane.axon import Conditions
from neurosim.muscle.events import Twitches
from neurosim.study import run
from neurosim.study.scenario import Scenario

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
        Twitches by their onset, those that can be seen, those of two discharges or more (a spasm
        is in none of them), and spasms.
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


def bins(duration_s: float, bin_s: float) -> int:
    """Return how many stretches of `bin_s` a duration has, the last perhaps shorter."""
    return max(1, int(np.ceil(duration_s / bin_s - 1e-9)))


def count(
    firing: Firing, found: Twitches, bin_s: float, expected_per_min: float = 0.0
) -> Tally:  # fmt: skip
    """Return the tally of discharges and the twitches they made (their origins named)."""
    n = bins(firing.duration_s, bin_s)

    def by_bin(times):
        at = np.clip((times / bin_s).astype(np.int64), 0, n - 1)
        return np.bincount(at, minlength=n)

    short = ~found.painful
    order = np.lexsort((firing.time_s, firing.unit))
    unit, time = firing.unit[order], firing.time_s[order]
    gaps = np.diff(time)[np.diff(unit) == 0]
    which = np.searchsorted(INTERVAL_EDGES_S, gaps, side="right")
    names = np.array(ORIGINS)
    return Tally(
        bin_s, firing.duration_s,
        by_bin(found.onset_s[short]), by_bin(found.onset_s[short & found.visible]),
        by_bin(found.onset_s[short & (found.discharges > 1)]), by_bin(found.onset_s[~short]),
        by_bin(firing.time_s),
        (found.origin[short, None] == names).sum(axis=0),
        np.bincount(np.minimum(found.discharges[short], LARGEST) - 1, minlength=LARGEST),
        np.bincount(which, minlength=INTERVAL_EDGES_S.size + 1),
        np.unique(firing.unit).size, expected_per_min,
    )  # fmt: skip


def tallies(asked: Sequence[Scenario], person: int, bin_s: float = 3600.0) -> list[Tally]:
    """Return what one person's muscle does under each scenario, in counts.

    Parameters
    ----------
    asked : sequence of Scenario
    person : int
        Number of the person within each scenario's seed.
    bin_s : float
        Length of a stretch of time, s.
    """
    looked = [run.moments(s) for s in asked]
    for axon, seed in {(s.axon, s.seed) for s in asked}:
        mine = [of.states[i].axon for s, of in zip(asked, looked, strict=True)
                if (s.axon, s.seed) == (axon, seed) for i in of.examined]  # fmt: skip
        prepare([Conditions(), *mine], axon, person_scores(seed, person))
    found = []
    for s, of in zip(asked, looked, strict=True):
        acted = run._run(of, s, person)
        per_min = run.twitch_rates(acted.hazards, acted.beside_per_min, acted.reached)
        expected = run.mean_rate(acted.hazards, per_min)
        found.append(count(acted.firing, acted.twitches, bin_s, expected))
    return found
