"""From a scenario to a result: one person, or the same people under many scenarios.

Every number that a pupil sees comes through `simulate`; `replicate` runs the same chain
for many people and keeps the counts. Same seed, same people, same discharges, however the
people are split over cores.
"""

from __future__ import annotations

import os
import platform
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import metadata
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import numpy as np

from neurosim import sources
from neurosim.body.course import corners
from neurosim.body.factors import Contribution, contributions
from neurosim.body.state import Body
from neurosim.errors import unknown_name
from neurosim.firing.discharge import (
    ORIGINS,
    PROCESSES,
    Firing,
    HazardCourse,
    UnitHazard,
    expected_bursts_per_min,
    followed,
    merge,
    over_time,
    sample_firing,
)
from neurosim.firing.disease import (
    Lesion,
    Streams,
    Terminal,
    cramps,
    diseased_sites,
    multiplets,
    myokymia,
)
from neurosim.firing.hazard import (
    HazardTable,
    conduction,
    critical_nu,
    hazard_course,
    hazard_table,
    prepare,
    unit_hazard,
)
from neurosim.firing.sites import Sites, draw_sites, person_scores, person_streams
from neurosim.membrane import people
from neurosim.membrane.axon import Conditions, apply, changed
from neurosim.membrane.cramp import Cramping
from neurosim.membrane.excitability import Excitability, examine
from neurosim.membrane.motoneuron import SomaConditions, apply_soma, misfires_per_min
from neurosim.muscle.anatomy import MUSCLES, muscle, roots
from neurosim.muscle.events import Twitches, find_twitches
from neurosim.muscle.force import muscle_force_mn
from neurosim.muscle.junction import Junction, repeat, transmit
from neurosim.sources import Form, number, remember
from neurosim.study.scenario import Scenario, scenario
from neurosim.views import view


@dataclass(frozen=True)
class State:
    """What a body makes of each place: its contributions and the places after them.

    Attributes
    ----------
    contributions : tuple of Contribution
    axon : Conditions
        Fluids and membrane of every axon and misfire site.
    soma : SomaConditions
    junction : Junction
        What the junctions make of a discharge.
    force_scale, contraction_time_scale : float
    units_scale, fibres_scale : float
        Motor units that live, and fibres of each of them.
    terminal : Terminal
    lesion : Lesion
    pool : Cramping
    """

    contributions: tuple[Contribution, ...]
    axon: Conditions
    soma: SomaConditions
    junction: Junction
    force_scale: float = 1.0
    contraction_time_scale: float = 1.0
    units_scale: float = 1.0
    fibres_scale: float = 1.0
    terminal: Terminal = Terminal()
    lesion: Lesion = Lesion()
    pool: Cramping = Cramping()

    @property
    def transmission(self) -> float:
        """Share of muscle fibres that follow a discharge across the junction, 0 to 1."""
        return self.junction.share

    @property
    def unit_force_scale(self) -> float:
        """Factor on the twitch force of every unit, before the junction."""
        return self.force_scale * self.fibres_scale


_MUSCLE = {name: 1.0 for name in (
    "force_scale", "contraction_time_scale", "units_scale", "fibres_scale",
)}  # fmt: skip


_JUNCTION = {
    "calcium_out_mmol_l": Conditions().calcium_out_mmol_l,
    "magnesium_out_mmol_l": Conditions().magnesium_out_mmol_l,
    "acetylcholinesterase_scale": 1.0,
}


def _applied(items: Sequence[Contribution], site: str, healthy: dict[str, float]):
    """Return the numbers of one place after contributions, by name alone."""
    now = dict(healthy)
    for c in items:
        if c.site == site:
            if c.parameter not in now:
                raise unknown_name(f"{site} parameter", c.parameter, now)
            now[c.parameter] = changed(now[c.parameter], c)
    return now


def state_of(items: Sequence[Contribution]) -> State:
    """Return the state that contributions make, by site and parameter name alone."""
    place = _applied(items, "junction", _JUNCTION)
    made = transmit(
        place["calcium_out_mmol_l"], place["magnesium_out_mmol_l"],
        place["acetylcholinesterase_scale"],
    )  # fmt: skip
    return State(
        tuple(items), apply(items, "axon"), apply_soma(items), made,
        **_applied(items, "muscle", _MUSCLE),
        terminal=Terminal(**_applied(items, "terminal", vars(Terminal()))),
        lesion=Lesion(**_applied(items, "lesion", vars(Lesion()))),
        pool=Cramping(**_applied(items, "pool", vars(Cramping()))),
    )  # fmt: skip


def state_in(asked: Scenario) -> State:
    """Return the state that a body makes of the muscle asked for.

    A pinched root reaches the share of the muscle's axons that it carries, and no other.
    """
    return _state_in(asked.body, asked.muscle, asked.root)


@remember(*sources.FILES, size=4096)
def _state_in(body: Body, muscle: str, root: str) -> State:
    state = state_of(contributions(body))
    if not state.lesion.axons_share:
        return state
    share = roots(muscle).get(root, 0.0)
    reached = replace(state.lesion, axons_share=state.lesion.axons_share * share)
    return replace(state, lesion=reached if share else Lesion())


@dataclass(frozen=True)
class Moments:
    """A body at the times between which straight lines say what it is; one if it never changes.

    Attributes
    ----------
    at_s : ndarray, shape (n,)
        Times, s, rising from 0.
    bodies, states : tuple
        What the body is at each, and what it makes of every place.
    examined : ndarray of int
        Those whose axon is examined; between two of them it changes along a line, too.
    """

    at_s: np.ndarray
    bodies: tuple[Body, ...]
    states: tuple[State, ...]
    examined: np.ndarray

    def near(self, time_s: np.ndarray) -> np.ndarray:
        """Return the index of the moment nearest to each time."""
        return np.searchsorted(0.5 * (self.at_s[1:] + self.at_s[:-1]), time_s)

    def over(self, time_s: np.ndarray, values: Sequence[float]) -> Any:
        """Return values of the moments at times, along lines; a plain number if all are alike."""
        if min(values) == max(values):
            return values[0]
        return np.interp(time_s, self.at_s, values)


def still(state: State, body: Body | None = None) -> Moments:
    """Return the moments of a state that stays as it is: one."""
    kept = (Body() if body is None else body,)
    return Moments(np.zeros(1), kept, (state,), np.zeros(1, int))


def moments(asked: Scenario) -> Moments:
    """Return the body of a scenario at the times that say what it is all the while."""
    if asked.course is None:
        return still(state_in(asked), asked.body)
    hours, bodies = asked.course.knots(asked.body, asked.duration_s / 3600.0)
    states = tuple(state_in(asked.replace(body=body)) for body in bodies)
    axons = np.array([list(vars(state.axon).values()) for state in states], float)
    at = corners(hours, axons) if np.ptp(axons, axis=0).any() else np.zeros(1, int)
    return Moments(3600.0 * hours, tuple(bodies), states, at)


@dataclass(frozen=True)
class Result:
    """One person under one scenario, with every intermediate.

    Attributes
    ----------
    scenario : Scenario
    person : int
        Number of the person within the seed.
    state : State
        The body's contributions and the membranes after them.
    excitability, healthy : Excitability
        The clinic's short examination of this person's axon in this body and in health.
    hazard : HazardTable
        Bursts per minute of a site by its nu and the unit's sodium load.
    sites : Sites
    moments : Moments
        The body at the times that say what it is; `state`, `excitability` and `hazard` are those of
        the first.
    hazards : HazardCourse
        Hazards of all sites at those times.
    reached : ndarray, shape (moments,)
        1 where a discharge reaches the muscle then, 0 where axon or junction block it.
    beside_per_min : ndarray, shape (moments, len(ORIGINS))
        Bursts per minute, over a long time, of sources beside that hazard (`firing.disease`).
    firing : Firing
    twitches : Twitches
    versions : dict
        Versions of neurosim, Python and the packages under it.
    """

    scenario: Scenario
    person: int
    state: State
    excitability: Excitability
    healthy: Excitability
    hazard: HazardTable
    sites: Sites
    moments: Moments
    hazards: HazardCourse
    reached: np.ndarray
    beside_per_min: np.ndarray
    firing: Firing
    twitches: Twitches
    versions: dict[str, str] = field(repr=False)

    @property
    def twitches_per_min(self) -> float:
        """Twitches per minute; a spasm is none."""
        return int((~self.twitches.painful).sum()) / self.scenario.duration_s * 60.0

    @property
    def unit_hazard(self) -> UnitHazard:
        """Hazards of all sites at the start."""
        return self.hazards.knots[0]

    @property
    def per_min(self) -> np.ndarray:
        """Twitches per minute to be expected at each moment, shape (moments,)."""
        return twitch_rates(self.hazards, self.beside_per_min, self.reached)

    @property
    def expected_per_min(self) -> float:
        """Twitches per minute to be expected of this person over a long time, or the course."""
        return mean_rate(self.hazards, self.per_min)

    @property
    def reaches(self) -> float:
        """1 if a discharge reaches the muscle at the start, 0 if axon or junction block it."""
        return float(self.reached[0])

    def force_mn(self, sampling_hz: float = 1000.0) -> np.ndarray:
        """Return the muscle's force against time, mN, shape (duration x sampling_hz,)."""
        f = self.firing
        force_scale, slowness = _muscle_scales(f, self.moments, self.reached)
        return muscle_force_mn(
            f.time_s, f.unit, self.scenario.muscle, self.scenario.duration_s, sampling_hz,
            force_scale=force_scale, contraction_time_scale=slowness,
        )  # fmt: skip

    def plot(self, **options):
        """Return a `Picture` of the chain from body to twitch, with words.

        Options are those of `neurosim.show.plot.picture_chain`.
        """
        return view("plot")(self, **options)

    def __str__(self) -> str:
        return view("describe")(self)


def versions() -> dict[str, str]:
    """Return the versions that a result was made with."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    # Kept, for reading what is installed takes as long as a short run.
    found = {"python": platform.python_version()}
    for name in ("neurosim", "numpy", "scipy", "matplotlib", "numba"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


@remember(*people.ROOMS, form=Form(vars, lambda values: Excitability(**values)))
def _examined(conditions: Conditions, axon: str, scores: people.Scores) -> Excitability:
    return examine(conditions, people.persons_axon(axon, scores), full=False)


def reaches(state: State, axon: str, scores: people.Scores = ()) -> float:
    """Return 1 if a discharge moves the muscle, 0 if the axon blocks or too few fibres follow."""
    if state.transmission < number("study", "smallest_transmission"):
        return 0.0
    return float(conduction(state.axon, axon, scores) >= number("study", "smallest_conduction"))


def twitch_rates(
    hazards: HazardCourse, beside_per_min: np.ndarray, reached: np.ndarray
) -> np.ndarray:
    """Return twitches per minute to be expected at each knot, the sodium loads in balance."""
    by_law = [expected_bursts_per_min(knot).sum() for knot in hazards.knots]
    return (np.array(by_law) + beside_per_min.sum(axis=1)) * reached


def mean_rate(hazards: HazardCourse, per_min: np.ndarray) -> float:
    """Return the mean over time of rates at the knots."""
    return float(over_time(hazards.at_s, list(per_min[:, None]))[0]) if per_min.any() else 0.0


def hazards_of(of: Moments, sites: Sites, asked: Scenario) -> HazardCourse:
    """Return the hazards of one person's muscle while the body changes."""
    tables = [hazard_table(of.states[i].axon, asked.axon, sites.scores) for i in of.examined]
    soma = [misfires_per_min(state.soma) * sites.living for state in of.states]
    return hazard_course(tables, of.examined, sites, soma, of.at_s, asked.duration_s)


def reached_in(of: Moments, asked: Scenario, scores: people.Scores) -> np.ndarray:
    """Return `reaches` of each moment, the axon's part from the nearest that was examined."""
    middle = 0.5 * (of.examined[1:] + of.examined[:-1])
    near = of.examined[np.searchsorted(middle, np.arange(of.at_s.size))]
    return np.array([
        reaches(replace(state, axon=of.states[i].axon), asked.axon, scores)
        for state, i in zip(of.states, near, strict=True)
    ])  # fmt: skip


def _muscle_scales(
    firing: Firing, of: Moments, reached: np.ndarray, least: float = 0.0
) -> tuple[Any, Any]:
    """Return the factors on twitch force and contraction time at each discharge."""
    force = [
        state.unit_force_scale * max(state.transmission, least) * there
        for state, there in zip(of.states, reached, strict=True)
    ]
    slow = of.over(firing.time_s, [state.contraction_time_scale for state in of.states])
    # In steps, so that discharges alike are drawn alike.
    return of.over(firing.time_s, force), slow if np.ndim(slow) == 0 else np.round(slow, 2)


def hazard_of(
    state: State, sites: Sites, asked: Scenario, make: Callable[..., UnitHazard] = unit_hazard
) -> UnitHazard:
    """Return the hazards of one person's muscle in one state, made as `unit_hazard` does."""
    table = hazard_table(state.axon, asked.axon, sites.scores)
    soma = misfires_per_min(state.soma) * sites.living
    return make(table, sites, soma, asked.duration_s)


def people_sites(asked: Scenario, person: int):
    """Return (sites, generator of the discharges) of one person's muscle."""
    m = muscle(asked.muscle)
    *_, firing_rng = person_streams(asked.seed, person, MUSCLES.index(m.name))
    return own_sites(asked, person), firing_rng


def own_sites(asked: Scenario, person: int) -> Sites:
    """Return the sites of one person's muscle in health."""
    return _drawn(muscle(asked.muscle).name, asked.axon, asked.seed, person)


@remember(*sources.FILES, size=64)
def _drawn(name: str, axon: str, seed: int, person: int) -> Sites:
    m = muscle(name)
    own, rng, _ = person_streams(seed, person, MUSCLES.index(m.name))
    scores = person_scores(seed, person)
    return draw_sites(m.units, m.site_class, critical_nu(axon, scores), own, rng, scores)


def fibres_firing(firing: Firing, of: Moments) -> Firing:
    """Return the discharges of the muscle: the nerve's and what its fibres add to them."""
    near, parts = of.near(firing.time_s), []
    for i in np.unique(near):
        mine = np.flatnonzero(near == i)
        at, behind = repeat(firing.time_s[mine], firing.unit[mine], of.states[i].junction)
        parts.append((at, mine[behind]))
    if not any(at.size for at, _ in parts):
        return firing
    at, behind = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return followed(firing, at, behind, "junction")


def sites_of(state: State, sites: Sites, asked: Scenario, person: int) -> Sites:
    """Return a person's sites with what disease takes away and adds; health's as they are."""
    new = state.terminal.sprouts_per_unit or state.lesion.axons_share
    if state.units_scale == 1.0 and not new:
        return sites
    critical, streams = critical_nu(asked.axon, sites.scores), _streams(asked, person)
    return diseased_sites(sites, state.units_scale, state.terminal, state.lesion, critical, streams)


def _streams(asked: Scenario, person: int) -> Streams:
    return Streams(asked.seed, person, MUSCLES.index(asked.muscle))


def sources_of(
    state: State, sites: Sites, asked: Scenario, person: int
) -> tuple[list[Firing], np.ndarray]:
    """Return the discharges of the sources beside the hazard law, and bursts per minute by origin.

    As `sources_in` of a body that stays the same.
    """
    found, per_min = sources_in(still(state), sites, asked, person)
    return found, per_min[0]


def sources_in(
    of: Moments, sites: Sites, asked: Scenario, person: int
) -> tuple[list[Firing], np.ndarray]:
    """Return the discharges of the sources beside the hazard law, and bursts per minute.

    The rates have the shape (moments, origins). Both are empty and zero without disease, which
    is that of the first moment: no course changes it. The long-run rate leaves a cramp out,
    which happens once.
    """
    state, found, per_min = of.states[0], [], np.zeros((of.at_s.size, len(ORIGINS)))
    streams, duration = _streams(asked, person), asked.duration_s
    if state.terminal.fast_potassium_scale < 1.0:
        made, rate = _endings_in(of, sites, asked, streams)
        found.append(made)
        per_min[:, ORIGINS.index("terminal")] = rate
    if state.lesion.myokymic_share > 0.0:
        made, rate = myokymia(state.lesion, sites.living, duration, streams)
        found.append(made)
        per_min[:, ORIGINS.index("lesion")] = rate
    if state.pool.push_mv > 0.0:
        found += cramps(state.pool, state.soma, sites.living, duration, streams)
    return found, per_min


def _endings_in(
    of: Moments, sites: Sites, asked: Scenario, streams: Streams
) -> tuple[Firing, np.ndarray]:
    """Return multiplets, and how many a minute at each moment.

    Around each moment whose axon is examined their rate is the one of that moment.
    """
    at_s = of.at_s[of.examined]
    edges = np.array([0.0, *(0.5 * (at_s[1:] + at_s[:-1])), asked.duration_s])
    parts, rates = [], []
    for part, i in enumerate(of.examined):
        begin, end = edges[part], edges[part + 1]
        made, rate = multiplets(
            of.states[0].terminal, sites.living, asked.axon, end - begin, streams,
            of.states[i].axon, part,
        )  # fmt: skip
        parts.append(replace(made, time_s=made.time_s + begin, duration_s=asked.duration_s))
        rates.append(rate)
    middle = 0.5 * (of.examined[1:] + of.examined[:-1])
    near = np.searchsorted(middle, np.arange(of.at_s.size))
    return (parts[0] if len(parts) == 1 else merge(parts)), np.array(rates)[near]


def discharges_of(
    of: Moments, sites: Sites, hazards: HazardCourse, asked: Scenario, person: int,
    rng: np.random.Generator,
) -> tuple[Firing, np.ndarray]:  # fmt: skip
    """Return all discharges of one person's muscle, and bursts per minute beside the hazard."""
    firing = sample_firing(hazards, asked.duration_s, rng)
    more, per_min = sources_in(of, sites, asked, person)
    firing = merge([firing, *more]) if more else firing
    return fibres_firing(firing, of), per_min


def _twitches(
    firing: Firing, of: Moments, asked: Scenario, reached: np.ndarray, named: bool = True
) -> Twitches:
    """Return the twitches of a firing, their origins `named` or not.

    Where only axons and somata misfire, bursts are what intervals alone make of them, and nothing
    else need be told.
    """
    keep = reached[of.near(firing.time_s)] > 0.0
    made, origin = firing.process[keep], firing.origin[keep]
    plain = not made.any() and not (origin == ORIGINS.index("junction")).any()
    force, slow = _muscle_scales(firing, of, np.ones_like(reached), 1e-6)
    return find_twitches(
        firing.time_s[keep], firing.unit[keep], asked.muscle,
        force_scale=force if np.ndim(force) == 0 else force[keep],
        contraction_time_scale=slow if np.ndim(slow) == 0 else slow[keep],
        origin=np.array(ORIGINS)[origin] if named else None,
        episode=None if plain else firing.episode[keep],
        process=None if plain else np.array(PROCESSES)[made],
    )  # fmt: skip


@dataclass(frozen=True)
class Acted:
    """What one person's muscle does in one scenario, before it is looked at."""

    of: Moments
    sites: Sites
    hazards: HazardCourse
    reached: np.ndarray
    firing: Firing
    beside_per_min: np.ndarray
    twitches: Twitches


def act(
    of: Moments, sites: Sites, asked: Scenario, person: int, rng: np.random.Generator,
    named: bool = True,
) -> Acted:  # fmt: skip
    """Return what one person's muscle does: the chain from sites to twitches.

    Parameters
    ----------
    of : Moments
        The body all the while; `still` makes one of a state.
    sites : Sites
        The person's, with what disease takes and adds.
    asked : Scenario
        Muscle, duration, axon and seed.
    person : int
    rng : numpy.random.Generator
        Of the discharges.
    named : bool
        Whether twitches are told where they start.
    """
    hazards = hazards_of(of, sites, asked)
    firing, beside = discharges_of(of, sites, hazards, asked, person, rng)
    reached = reached_in(of, asked, sites.scores)
    found = _twitches(firing, of, asked, reached, named)
    return Acted(of, sites, hazards, reached, firing, beside, found)


def _run(of: Moments, asked: Scenario, person: int, named: bool = True) -> Acted:
    sites, rng = people_sites(asked, person)
    return act(of, sites_of(of.states[0], sites, asked, person), asked, person, rng, named)


def simulate(
    what: Body | Scenario | str | Path | None = None, *, person: int = 0, **changes
) -> Result:
    """Run the whole chain for one person and return every intermediate.

    Parameters
    ----------
    what : Body, Scenario, catalogue name or TOML file
        A healthy body if omitted.
    person : int
        Which of the seed's people.
    **changes
        Scenario fields to change: `muscle`, `duration_s`, `seed`, `axon`, `body`.

    Returns
    -------
    Result

    Raises
    ------
    NeurosimError
        For an unknown name or a value that is not allowed.

    Examples
    --------
    >>> result = simulate("low_calcium", duration_s=60, seed=1)
    >>> result.scenario.muscle
    'foot_sole'
    """
    if isinstance(what, Body):
        asked = Scenario(body=what)
    else:
        asked = scenario("normal" if what is None else what)
    asked = asked.replace(**changes)
    of = moments(asked)
    if of.examined.size > 1:
        scores = person_scores(asked.seed, person)
        prepare([of.states[i].axon for i in of.examined], asked.axon, scores)
    run = _run(of, asked, person)
    state, scores = of.states[0], run.sites.scores
    return Result(
        scenario=asked, person=person, state=state,
        excitability=_examined(state.axon, asked.axon, scores),
        healthy=_examined(Conditions(), asked.axon, scores),
        hazard=hazard_table(state.axon, asked.axon, scores), sites=run.sites, moments=of,
        hazards=run.hazards, reached=run.reached, beside_per_min=run.beside_per_min,
        firing=run.firing, twitches=run.twitches, versions=versions(),
    )  # fmt: skip


def _take_over(exchanged: dict[tuple[str, str], float]) -> None:
    """Prepare a fresh process: its parent alone answers Ctrl-C, and it does not outlive that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sources._exchanged.update(exchanged)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def processes(cores: int):
    """Return a pool of `cores` fresh processes, a context manager.

    Numbers that are `exchanged` here are so in each of them.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(
        cores, get_context("spawn"), initializer=_take_over, initargs=(dict(sources._exchanged),)
    )
