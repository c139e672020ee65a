"""A cramp in a pool of motoneurons: plateaus that nerve stimulation starts and inhibition ends.

The muscle is shortened, which is taken to raise the gain of the persistent inward current
(`cramp_gain`, fitted; lost inhibition and afferents themselves are not modelled). Stimulating the
nerve depolarises every unit in proportion to the rate of stimuli; stretch inhibits every unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.soma import pool, trains
from neurosim.model.soma.pool import hold_input, join_inputs
from neurosim.model.soma.soma import SomaConditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BEFORE_S, STIMULUS_S = 1.0, 2.0
HIGHEST_HZ = 60.0
STEP_HZ = 2.0
SHARE = 0.5  # of the units on a plateau make a cramp
STRETCH_AT_S, STRETCH_S = 10.0, 1.0
LONGEST_S = 120.0  # after the push: for so long the pool of a scenario is followed


@dataclass(frozen=True)
class Cramping:
    """How a body changes its pool of motoneurons.

    Gain of the persistent inward current, how much lower it opens, the push before the record,
    and the inhibition by a stretch.
    """

    pic_scale: float = 1.0
    pic_lowered_mv: float = 0.0
    push_mv: float = 0.0
    stretch_mv: float = 0.0


def shorten(conditions: SomaConditions | None = None) -> SomaConditions:
    """Return conditions with the PIC gain of a shortened muscle, on top of what it was."""
    resting = SomaConditions() if conditions is None else conditions
    return resting.replace(pic_gain=resting.pic_gain * parameter("pool", "cramp_gain"))


def person_pool(person: int, units: int, prone: bool) -> pool.Pool:
    """Return the pool of a person, cramp-prone or not."""
    usual = pool.build_pool(units, person=person)
    return pool.make_cramp_prone(usual) if prone else usual


@dataclass(frozen=True)
class Stimulation:
    """Stimulation of the nerve, and what follows it.

    Attributes
    ----------
    stimulus_hz : float
        Stimuli per second, for `STIMULUS_S` after `BEFORE_S` of rest.
    after_s : float
        Time after the stimulation, s.
    inhibition_mv, inhibition_s : float
        Inhibition (stretch) in the middle of the time after, mV and s.
    """

    stimulus_hz: float
    after_s: float = 90.0
    inhibition_mv: float = 0.0
    inhibition_s: float = 0.0


def stimulate(
    motoneurons: pool.Pool,
    conditions: SomaConditions,
    stimulation: Stimulation,
    *,
    seed: int | np.random.SeedSequence,
    trace: Sequence[int] = (),
) -> pool.PoolRun:
    """Return a run: rest, stimulation of the nerve, inhibition (or none), and rest again.

    Parameters
    ----------
    motoneurons : Pool
    conditions : SomaConditions
        Those of a shortened muscle.
    stimulation : Stimulation
    seed : int or numpy.random.SeedSequence
        Of the noise.
    trace : sequence of int
        Units whose potential is recorded.
    """
    push = stimulation.stimulus_hz * parameter("pool", "reflex_mv")
    inhibition_s = stimulation.inhibition_s
    calm = 0.5 * (stimulation.after_s - inhibition_s)
    parts = [hold_input(BEFORE_S), hold_input(STIMULUS_S, push), hold_input(calm)]
    parts += [hold_input(inhibition_s, -stimulation.inhibition_mv)] if inhibition_s else []
    drive = pool.PoolInput(input_mv=join_inputs(*parts, hold_input(calm)))
    return pool.run_pool(motoneurons, drive, conditions, seed=seed, trace=trace)


def spikes_after_push(
    units: int,
    cramping: Cramping,
    conditions: SomaConditions,
    duration_s: float,
    person: np.random.SeedSequence,
    seed: np.random.SeedSequence,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the spikes of a pool from the end of its push on: times (s) and units.

    The pool has its own stretch, in place of what one does to the tone of resting somata: it lasts
    `STRETCH_S` from `STRETCH_AT_S` after the push. The pool is followed for `LONGEST_S`.

    Parameters
    ----------
    units : int
    cramping : Cramping
    conditions : SomaConditions
        The somata at rest; the shortened muscle's gain comes on top.
    duration_s : float
    person, seed : numpy.random.SeedSequence
        Who it is, and the noise.
    """
    motoneurons = pool.build_pool(units, person=person)
    motoneurons = motoneurons.replace(pic_half_mv=motoneurons.pic_half_mv - cramping.pic_lowered_mv)
    shortened = conditions.replace(
        pic_gain=conditions.pic_gain * cramping.pic_scale, tone_scale=1.0
    )
    after = hold_input(min(duration_s, LONGEST_S))
    begin, end = (round(1000.0 * t) for t in (STRETCH_AT_S, STRETCH_AT_S + STRETCH_S))
    after[begin:end] = -cramping.stretch_mv
    push = join_inputs(hold_input(BEFORE_S), hold_input(STIMULUS_S, cramping.push_mv), after)
    run = pool.run_pool(motoneurons, pool.PoolInput(input_mv=push), shortened, seed=seed)
    late = run.time_s >= BEFORE_S + STIMULUS_S
    return run.time_s[late] - BEFORE_S - STIMULUS_S, run.unit[late]


def plateau_census(
    people: int,
    units: int,
    stimulation: Stimulation,
    *,
    seed: int,
    conditions: SomaConditions | None = None,
    prone: bool = False,
) -> tuple[list[trains.Plateau], int]:
    """Return the plateaus of all units of some people, and the spikes before the stimulus.

    Parameters
    ----------
    people, units : int
        How many people, and motor units of each.
    stimulation : Stimulation
    seed : int
        Of the noise of the first person; the next have the next.
    conditions : SomaConditions, optional
        The somata at rest; the shortened muscle's gain comes on top.
    prone : bool
        Whether the people are cramp-prone.

    Returns
    -------
    plateaus : list of trains.Plateau
    early : int
    """
    plateaus: list[trains.Plateau] = []
    early = 0
    for person in range(people):
        motoneurons = person_pool(person, units, prone)
        run = stimulate(motoneurons, shorten(conditions), stimulation, seed=seed + person)
        early += int((run.time_s < BEFORE_S).sum())
        by_unit = (trains.self_sustained_plateau(t, BEFORE_S + STIMULUS_S) for t in run.trains_s())
        plateaus += [p for p in by_unit if p is not None]
    return plateaus, early


def has_cramp(
    motoneurons: pool.Pool, conditions: SomaConditions, stimulus_hz: float, seed: int
) -> bool:
    """Return whether half of the units fire on for a second and more after the stimulation."""
    run = stimulate(motoneurons, conditions, Stimulation(stimulus_hz, 2.0), seed=seed)
    plateaus = [trains.self_sustained_plateau(t, BEFORE_S + STIMULUS_S) for t in run.trains_s()]
    return sum(p is not None for p in plateaus) >= SHARE * motoneurons.units


def cramp_threshold_hz(
    people: Iterable[int],
    units: int,
    prone: bool,
    *,
    seed: int,
    conditions: SomaConditions | None = None,
) -> np.ndarray:
    """Return the least rate of stimuli that starts a cramp in each person, per second.

    Rates rise by `STEP_HZ` as in the clinic's test, each from rest; NaN if `HIGHEST_HZ` starts
    none. Found by halving, so it takes for granted that a higher rate does what a lower one does.
    """
    thresholds: list[float] = []
    shortened = shorten(conditions)
    for person in people:
        motoneurons = person_pool(person, units, prone)
        low, high = 0, round(HIGHEST_HZ / STEP_HZ)
        if not has_cramp(motoneurons, shortened, HIGHEST_HZ, seed + person):
            thresholds.append(np.nan)
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if has_cramp(motoneurons, shortened, middle * STEP_HZ, seed + person):
                high = middle
            else:
                low = middle
        thresholds.append(high * STEP_HZ)
    return np.array(thresholds)
