"""From a scenario to the result of one person: the chain from sites to twitches.

Same seed, same people, same discharges, however many others are run beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.cache import Codec, cached
from neurosim.base.parameters import keep_reads
from neurosim.clinic.excitability import Excitability, examine
from neurosim.model.axon import people
from neurosim.model.axon.axon import Conditions
from neurosim.model.firing.discharge import (
    ORIGINS,
    PROCESSES,
    Firing,
    HazardCourse,
    UnitHazard,
    append_followers,
    merge_firings,
    sample_firing,
)
from neurosim.model.firing.disease import (
    DiseaseStreams,
    diseased_sites,
    fire_cramps,
    fire_lid,
    fire_multiplets,
    fire_myokymia,
)
from neurosim.model.firing.hazard import (
    critical_multiplier,
    hazard_course,
    hazard_table,
    prefetch_tables,
    unit_hazard,
)
from neurosim.model.firing.sites import (
    DAY_S,
    LEAST_RUN_S,
    TYPICAL_PERSON,
    Sites,
    add_lives,
    draw_sites,
    lives_rng,
    mean_rogues,
    person_scores,
    person_streams,
)
from neurosim.model.muscle.anatomy import MUSCLES, muscle
from neurosim.model.muscle.events import DischargeLabels, Twitches, find_twitches
from neurosim.model.muscle.force import TwitchScales
from neurosim.model.muscle.junction import add_repeats
from neurosim.model.soma import facial
from neurosim.model.soma.soma import misfires_per_min
from neurosim.simulation.provenance import versions
from neurosim.simulation.result import Result, muscle_scales, reaches
from neurosim.simulation.state import (
    BodyTrajectory,
    TissueState,
    body_trajectory,
    constant_trajectory,
    insert_moments,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from neurosim.simulation.scenario import Scenario


EYELID = "eyelid"  # the muscle of `neurosim.model.soma.facial`
SWITCH_S = 1.0  # in which a site that comes or goes does so
DAYS_RUN_S = 60.0 * DAY_S  # the longest run whose sites come and go by the day


def _decode_excitability(values: dict[str, Any]) -> Excitability:
    return Excitability(**values)


@cached(codec=Codec(vars, _decode_excitability))
def _examine_person(conditions: Conditions, axon: str, scores: people.Scores) -> Excitability:
    return examine(conditions, people.axon_of_person(axon, scores), full=False)


def trajectory_hazards(
    trajectory: BodyTrajectory, sites: Sites, scenario: Scenario
) -> HazardCourse:
    """Return the hazards of one person's muscle while the body changes."""
    tables = [hazard_table(axon, scenario.axon, sites.scores) for axon in trajectory.examined_axons]
    soma = [misfires_per_min(state.soma) * sites.living for state in trajectory.states]
    return hazard_course(
        tables, trajectory.examined_index, sites, soma, trajectory.at_s, scenario.duration_s
    )


def reached_over_time(
    trajectory: BodyTrajectory, scenario: Scenario, scores: people.Scores
) -> np.ndarray:
    """Return `reaches` of each moment, the axon's part from the nearest that was examined."""
    middle = 0.5 * (trajectory.examined_index[1:] + trajectory.examined_index[:-1])
    near = trajectory.examined_index[np.searchsorted(middle, np.arange(trajectory.at_s.size))]
    return np.array(
        [
            reaches(replace(state, axon=trajectory.states[int(i)].axon), scenario.axon, scores)
            for state, i in zip(trajectory.states, near, strict=True)
        ]
    )


def state_hazard(
    state: TissueState,
    sites: Sites,
    scenario: Scenario,
    make: Callable[..., UnitHazard] = unit_hazard,
) -> UnitHazard:
    """Return the hazards of one person's muscle in one state, made as `unit_hazard` does."""
    table = hazard_table(state.axon, scenario.axon, sites.scores)
    soma = misfires_per_min(state.soma) * sites.living
    return make(table, sites, soma, scenario.duration_s)


def person_sites(scenario: Scenario, person: int) -> tuple[Sites, np.random.Generator]:
    """Return (sites, generator of the discharges) of one person's muscle."""
    m = muscle(scenario.muscle)
    *_, firing_rng = person_streams(scenario.seed, person, MUSCLES.index(m.name))
    return healthy_sites(scenario, person), firing_rng


def healthy_sites(scenario: Scenario, person: int) -> Sites:
    """Return the sites of one person's muscle in health; in long runs they come and go."""
    name, run_s = muscle(scenario.muscle).name, scenario.duration_s
    sites = _draw_healthy_sites(name, scenario.axon, scenario.seed, person)
    return long_lived(sites, scenario, person, run_s) if run_s >= LEAST_RUN_S else sites


def long_lived(sites: Sites, scenario: Scenario, person: int, duration_s: float) -> Sites:
    """Return one person's sites with when they go, and those that come within a duration."""
    m = muscle(scenario.muscle)
    index = MUSCLES.index(m.name)
    person_rng, *_ = person_streams(scenario.seed, person, index)
    mean = mean_rogues(m.units, m.site_class, person_rng)
    critical = critical_multiplier(scenario.axon, sites.scores)
    lives = lives_rng(scenario.seed, person, index)
    return round_lives(add_lives(sites, mean, critical, duration_s, lives), duration_s)


def round_lives(sites: Sites, duration_s: float) -> Sites:
    """Return sites that come and go at the ends of days, of weeks in a run beyond two months.

    So that a run has no more moments than that, however many sites there are.
    """
    step_s = DAY_S if duration_s <= DAYS_RUN_S else 7.0 * DAY_S
    born, gone = (np.ceil(t / step_s) * step_s for t in (sites.born_s, sites.gone_s))
    return replace(sites, born_s=born, gone_s=gone)


def follow_sites(trajectory: BodyTrajectory, sites: Sites, scenario: Scenario) -> BodyTrajectory:
    """Return the trajectory with the moments at which sites come and go, each within a second."""
    times = np.concatenate([sites.born_s, sites.gone_s])
    times = times[(times > SWITCH_S) & (times < scenario.duration_s)]
    if not times.size:
        return trajectory
    moments = np.concatenate([times - SWITCH_S, times, [scenario.duration_s]])
    return insert_moments(trajectory, moments, scenario)


@cached(size=64)
def _draw_healthy_sites(name: str, axon: str, seed: int, person: int) -> Sites:
    m = muscle(name)
    person_rng, rng, _ = person_streams(seed, person, MUSCLES.index(m.name))
    scores = person_scores(seed, person)
    return draw_sites(
        m.units, m.site_class, critical_multiplier(axon, scores), person_rng, rng, scores
    )


def add_fibre_repeats(firing: Firing, trajectory: BodyTrajectory) -> Firing:
    """Return the discharges of the muscle: the nerve's and what its fibres add to them."""
    near = trajectory.nearest(firing.time_s)
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    for i in np.unique(near):
        index = np.flatnonzero(near == i)
        time_s, behind = add_repeats(
            firing.time_s[index], firing.unit[index], trajectory.states[int(i)].junction
        )
        parts.append((time_s, index[behind]))
    if not any(time_s.size for time_s, _ in parts):
        return firing
    time_s, behind = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return append_followers(firing, time_s, behind, "junction")


def sites_in_state(state: TissueState, sites: Sites, scenario: Scenario, person: int) -> Sites:
    """Return a person's sites with what disease takes away and adds; health's as they are."""
    new = state.terminal.sprouts_per_unit or state.lesion.axons_share
    if state.units_scale == 1.0 and not new:
        return sites
    critical, streams = (
        critical_multiplier(scenario.axon, sites.scores),
        _disease_streams(scenario, person),
    )
    return diseased_sites(sites, state.units_scale, state.terminal, state.lesion, critical, streams)


def _disease_streams(scenario: Scenario, person: int) -> DiseaseStreams:
    return DiseaseStreams(scenario.seed, person, MUSCLES.index(scenario.muscle))


def state_other_sources(
    state: TissueState, sites: Sites, scenario: Scenario, person: int
) -> tuple[list[Firing], np.ndarray]:
    """Return the discharges of the sources beside the hazard law, and bursts per minute by origin.

    As `other_sources` of a body that stays the same.
    """
    firings, per_min = other_sources(constant_trajectory(state), sites, scenario, person)
    return firings, per_min[0]


def other_sources(
    trajectory: BodyTrajectory, sites: Sites, scenario: Scenario, person: int
) -> tuple[list[Firing], np.ndarray]:
    """Return the discharges of the sources beside the hazard law, and bursts per minute.

    The rates have the shape (moments, origins). Both are empty and zero without disease, which
    is that of the first moment: no course changes it. The long-run rate leaves a cramp out,
    which happens once.
    """
    state, per_min = trajectory.states[0], np.zeros((trajectory.at_s.size, len(ORIGINS)))
    firings: list[Firing] = []
    streams, duration = _disease_streams(scenario, person), scenario.duration_s
    if state.terminal.fast_potassium_scale < 1.0:
        firing, rate = _ending_multiplets(trajectory, sites, scenario, streams)
        firings.append(firing)
        per_min[:, ORIGINS.index("terminal")] = rate
    if state.lesion.myokymic_share > 0.0:
        firing, rate = fire_myokymia(state.lesion, sites.living, duration, streams)
        firings.append(firing)
        per_min[:, ORIGINS.index("lesion")] = rate
    if state.pool.push_mv > 0.0:
        firings += fire_cramps(state.pool, state.soma, sites.living, duration, streams)
    if state.lid.local_tone_mv > 0.0 and scenario.muscle == EYELID:
        firings += fire_lid(_lid_course(trajectory), sites.living, duration, streams)
        per_min[:, ORIGINS.index("soma")] = [
            facial.twitches_per_min(s.facial, s.lid.local_tone_mv) for s in trajectory.states
        ]
    return firings, per_min


def _lid_course(trajectory: BodyTrajectory) -> facial.Lids:
    """Return the lid's motor neuron in a changing body, by the moment nearest to each time."""
    middle = 0.5 * (trajectory.at_s[1:] + trajectory.at_s[:-1])
    conditions = [state.facial for state in trajectory.states]
    tone_mv = trajectory.states[0].lid.local_tone_mv
    return facial.Lids(conditions, tone_mv, begin_s=[0.0, *middle])


def _ending_multiplets(
    trajectory: BodyTrajectory, sites: Sites, scenario: Scenario, streams: DiseaseStreams
) -> tuple[Firing, np.ndarray]:
    """Return multiplets, and how many a minute at each moment.

    Around each moment whose axon is examined their rate is the one of that moment.
    """
    at_s = trajectory.at_s[trajectory.examined_index]
    edges = np.array([0.0, *(0.5 * (at_s[1:] + at_s[:-1])), scenario.duration_s])
    parts: list[Firing] = []
    rates: list[float] = []
    for part, axon in enumerate(trajectory.examined_axons):
        begin, end = edges[part], edges[part + 1]
        multiplets, rate = fire_multiplets(
            trajectory.states[0].terminal,
            sites.living,
            scenario.axon,
            end - begin,
            replace(streams, part=part),
            axon,
        )
        parts.append(
            replace(multiplets, time_s=multiplets.time_s + begin, duration_s=scenario.duration_s)
        )
        rates.append(rate)
    middle = 0.5 * (trajectory.examined_index[1:] + trajectory.examined_index[:-1])
    near = np.searchsorted(middle, np.arange(trajectory.at_s.size))
    return (parts[0] if len(parts) == 1 else merge_firings(parts)), np.array(rates)[near]


def all_discharges(
    trajectory: BodyTrajectory,
    sites: Sites,
    hazards: HazardCourse,
    scenario: Scenario,
    person: int,
    rng: np.random.Generator,
) -> tuple[Firing, np.ndarray]:
    """Return all discharges of one person's muscle, and bursts per minute beside the hazard."""
    firing = sample_firing(hazards, scenario.duration_s, rng)
    more, per_min = other_sources(trajectory, sites, scenario, person)
    firing = merge_firings([firing, *more]) if more else firing
    return add_fibre_repeats(firing, trajectory), per_min


def _person_twitches(
    firing: Firing,
    trajectory: BodyTrajectory,
    scenario: Scenario,
    reached: np.ndarray,
    named: bool = True,
) -> Twitches:
    """Return the twitches of a firing, their origins `named` or not.

    Where only axons and somata misfire, bursts are what intervals alone make of them, and nothing
    else need be told.
    """
    keep = reached[trajectory.nearest(firing.time_s)] > 0.0
    process, origin = firing.process[keep], firing.origin[keep]
    plain = not process.any() and not (origin == ORIGINS.index("junction")).any()
    force, slow = muscle_scales(firing, trajectory, np.ones_like(reached), 1e-6)
    return find_twitches(
        firing.time_s[keep],
        firing.unit[keep],
        scenario.muscle,
        TwitchScales(
            force if np.ndim(force) == 0 else force[keep],
            slow if np.ndim(slow) == 0 else slow[keep],
        ),
        DischargeLabels(
            origin=np.array(ORIGINS)[origin] if named else None,
            episode=None if plain else firing.episode[keep],
            process=None if plain else np.array(PROCESSES)[process],
        ),
    )


@dataclass(frozen=True)
class PersonRun:
    """What one person's muscle does in one scenario, before it is looked at."""

    trajectory: BodyTrajectory
    sites: Sites
    hazards: HazardCourse
    reached: np.ndarray
    firing: Firing
    other_bursts_per_min: np.ndarray
    twitches: Twitches


def simulate_person(
    trajectory: BodyTrajectory,
    sites: Sites,
    scenario: Scenario,
    person: int,
    rng: np.random.Generator,
    named: bool = True,
) -> PersonRun:
    """Return what one person's muscle does: the chain from sites to twitches.

    Parameters
    ----------
    trajectory : Moments
        The body all the while; `still` makes one of a state.
    sites : Sites
        The person's, with what disease takes and adds.
    scenario : Scenario
        Muscle, duration, axon and seed.
    person : int
    rng : numpy.random.Generator
        Of the discharges.
    named : bool
        Whether twitches are told where they start.
    """
    trajectory = follow_sites(trajectory, sites, scenario)
    hazards = trajectory_hazards(trajectory, sites, scenario)
    firing, beside = all_discharges(trajectory, sites, hazards, scenario, person, rng)
    reached = reached_over_time(trajectory, scenario, sites.scores)
    twitches = _person_twitches(firing, trajectory, scenario, reached, named)
    return PersonRun(trajectory, sites, hazards, reached, firing, beside, twitches)


def _run_person(
    trajectory: BodyTrajectory, scenario: Scenario, person: int, named: bool = True
) -> PersonRun:
    sites, rng = person_sites(scenario, person)
    return simulate_person(
        trajectory,
        sites_in_state(trajectory.states[0], sites, scenario, person),
        scenario,
        person,
        rng,
        named,
    )


@keep_reads
def run_one(scenario: Scenario, person: int = TYPICAL_PERSON) -> Result:
    """Run the whole chain for one person and return every intermediate."""
    trajectory = body_trajectory(scenario)
    if trajectory.examined_index.size > 1:
        scores = person_scores(scenario.seed, person)
        prefetch_tables(trajectory.examined_axons, scenario.axon, scores)
    run = _run_person(trajectory, scenario, person)
    state, scores = trajectory.states[0], run.sites.scores
    return Result(
        scenario=scenario,
        person=person,
        state=state,
        excitability=_examine_person(state.axon, scenario.axon, scores),
        healthy=_examine_person(Conditions(), scenario.axon, scores),
        hazard=hazard_table(state.axon, scenario.axon, scores),
        sites=run.sites,
        trajectory=run.trajectory,
        hazards=run.hazards,
        reached=run.reached,
        other_bursts_per_min=run.other_bursts_per_min,
        firing=run.firing,
        twitches=run.twitches,
        versions=versions(),
    )
