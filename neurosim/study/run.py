"""From a scenario to a result: one person, or the same people under many scenarios.

Every number that a pupil sees comes through `simulate`; `replicate` runs the same chain
for many people and keeps the counts. Same seed, same people, same discharges, however the
people are split over cores.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

import numpy as np

from neurosim import sources
from neurosim.body.factors import Contribution, contributions
from neurosim.body.state import Body
from neurosim.errors import NeurosimError, unknown_name
from neurosim.firing.discharge import (
    ORIGINS,
    PROCESSES,
    Firing,
    UnitHazard,
    expected_bursts_per_min,
    followed,
    merge,
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
from neurosim.sources import number, remember
from neurosim.study.scenario import Scenario, scenario

VIEWS: dict[str, Callable] = {}  # filled by neurosim.show, so that imports point one way


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
    state = state_of(contributions(asked.body))
    if not state.lesion.axons_share:
        return state
    share = roots(asked.muscle).get(asked.root, 0.0)
    reached = replace(state.lesion, axons_share=state.lesion.axons_share * share)
    return replace(state, lesion=reached if share else Lesion())


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
    unit_hazard : UnitHazard
    beside_per_min : ndarray, shape (len(ORIGINS),)
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
    unit_hazard: UnitHazard
    beside_per_min: np.ndarray
    firing: Firing
    twitches: Twitches
    versions: dict[str, str] = field(repr=False)

    @property
    def twitches_per_min(self) -> float:
        """Twitches per minute; a spasm is none."""
        return int((~self.twitches.painful).sum()) / self.scenario.duration_s * 60.0

    @property
    def expected_per_min(self) -> float:
        """Twitches per minute to be expected of this person over a long time."""
        by_law = float(expected_bursts_per_min(self.unit_hazard).sum())
        return (by_law + float(self.beside_per_min.sum())) * self.reaches

    @property
    def reaches(self) -> float:
        """1 if a discharge reaches the muscle, 0 if axon or junction block it."""
        return reaches(self.state, self.scenario.axon, self.sites.scores)

    def force_mn(self, sampling_hz: float = 1000.0) -> np.ndarray:
        """Return the muscle's force against time, mN, shape (duration x sampling_hz,)."""
        f = self.firing
        s = self.state
        return muscle_force_mn(
            f.time_s, f.unit, self.scenario.muscle, self.scenario.duration_s, sampling_hz,
            force_scale=s.unit_force_scale * s.transmission * self.reaches,
            contraction_time_scale=s.contraction_time_scale,
        )  # fmt: skip

    def plot(self, **options):
        """Draw the chain from body to twitch; see `neurosim.show.plot.plot_chain`."""
        return VIEWS["plot"](self, **options)

    def __str__(self) -> str:
        return VIEWS["describe"](self)


def versions() -> dict[str, str]:
    """Return the versions that a result was made with."""
    found = {"python": platform.python_version()}
    for name in ("neurosim", "numpy", "scipy", "matplotlib", "numba"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


@remember(*people.ROOMS)
def _examined(conditions: Conditions, axon: str, scores: people.Scores) -> Excitability:
    return examine(conditions, people.persons_axon(axon, scores), full=False)


def reaches(state: State, axon: str, scores: people.Scores = ()) -> float:
    """Return 1 if a discharge moves the muscle, 0 if the axon blocks or too few fibres follow."""
    if state.transmission < number("study", "smallest_transmission"):
        return 0.0
    return float(conduction(state.axon, axon, scores) >= number("study", "smallest_conduction"))


def hazard_of(state: State, sites: Sites, asked: Scenario) -> UnitHazard:
    """Return the hazards of one person's muscle in one state."""
    table = hazard_table(state.axon, asked.axon, sites.scores)
    soma = misfires_per_min(state.soma) * sites.living
    return unit_hazard(table, sites, soma, asked.duration_s)


def people_sites(asked: Scenario, person: int):
    """Return (sites, generator of the discharges) of one person's muscle."""
    m = muscle(asked.muscle)
    own, site_rng, firing_rng = person_streams(asked.seed, person, MUSCLES.index(m.name))
    scores = person_scores(asked.seed, person)
    critical = critical_nu(asked.axon, scores)
    return draw_sites(m.units, m.site_class, critical, own, site_rng, scores), firing_rng


def fibres_firing(firing: Firing, state: State) -> Firing:
    """Return the discharges of the muscle: the nerve's and what its fibres add to them."""
    at, behind = repeat(firing.time_s, firing.unit, state.junction)
    return followed(firing, at, behind, "junction") if at.size else firing


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

    Both are empty and zero without disease. The long-run rate leaves a cramp out, which happens
    once.
    """
    found, per_min = [], np.zeros(len(ORIGINS))
    streams, duration = _streams(asked, person), asked.duration_s
    if state.terminal.fast_potassium_scale < 1.0:
        made, rate = multiplets(
            state.terminal, sites.living, asked.axon, duration, streams, state.axon
        )
        found.append(made)
        per_min[ORIGINS.index("terminal")] = rate
    if state.lesion.myokymic_share > 0.0:
        made, rate = myokymia(state.lesion, sites.living, duration, streams)
        found.append(made)
        per_min[ORIGINS.index("lesion")] = rate
    if state.pool.push_mv > 0.0:
        found += cramps(state.pool, state.soma, sites.living, duration, streams)
    return found, per_min


def discharges_of(
    state: State, sites: Sites, hazard: UnitHazard, asked: Scenario, person: int,
    rng: np.random.Generator,
) -> tuple[Firing, np.ndarray]:  # fmt: skip
    """Return all discharges of one person's muscle, and bursts per minute beside the hazard."""
    firing = sample_firing(hazard, asked.duration_s, rng)
    more, per_min = sources_of(state, sites, asked, person)
    firing = merge([firing, *more]) if more else firing
    return fibres_firing(firing, state), per_min


def twitches_of(
    firing: Firing, state: State, asked: Scenario, reached: float, named: bool = True
) -> Twitches:
    """Return the twitches of a firing, their origins `named` or not.

    Where only axons and somata misfire, bursts are what intervals alone make of them, and nothing
    else need be told.
    """
    keep = slice(None) if reached else slice(0, 0)
    made, origin = firing.process[keep], firing.origin[keep]
    plain = not made.any() and not (origin == ORIGINS.index("junction")).any()
    return find_twitches(
        firing.time_s[keep], firing.unit[keep], asked.muscle,
        force_scale=state.unit_force_scale * max(state.transmission, 1e-6),
        contraction_time_scale=state.contraction_time_scale,
        origin=np.array(ORIGINS)[origin] if named else None,
        episode=None if plain else firing.episode[keep],
        process=None if plain else np.array(PROCESSES)[made],
    )  # fmt: skip


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
    state = state_in(asked)
    sites, rng = people_sites(asked, person)
    sites = sites_of(state, sites, asked, person)
    hazard = hazard_of(state, sites, asked)
    firing, beside = discharges_of(state, sites, hazard, asked, person, rng)
    reached = reaches(state, asked.axon, sites.scores)
    return Result(
        scenario=asked, person=person, state=state,
        excitability=_examined(state.axon, asked.axon, sites.scores),
        healthy=_examined(Conditions(), asked.axon, sites.scores),
        hazard=hazard_table(state.axon, asked.axon, sites.scores), sites=sites, unit_hazard=hazard,
        beside_per_min=beside, firing=firing,
        twitches=twitches_of(firing, state, asked, reached), versions=versions(),
    )  # fmt: skip


@dataclass(frozen=True)
class People:
    """The same people under several scenarios; rows are scenarios, columns people.

    Attributes
    ----------
    scenarios : tuple of Scenario
    twitches, visible, doublets, active_units : ndarray of int, shape (scenarios, people)
        Counts within `duration_s`, spasms left out; `doublets` of events of two discharges and
        more, `active_units` of units that discharge.
    expected_per_min : ndarray, shape (scenarios, people)
        Long-run twitch rate of each person from their hazards.
    """

    scenarios: tuple[Scenario, ...]
    twitches: np.ndarray
    visible: np.ndarray
    doublets: np.ndarray
    active_units: np.ndarray
    expected_per_min: np.ndarray

    @property
    def per_min(self) -> np.ndarray:
        """Twitches per minute, shape (scenarios, people)."""
        return self.twitches / self.scenarios[0].duration_s * 60.0

    def row(self, name: str) -> int:
        """Return the row of a scenario by name.

        Raises
        ------
        NeurosimError
            If it was not run.
        """
        names = [s.name for s in self.scenarios]
        if name not in names:
            raise NeurosimError(f"Scenario '{name}' is not among {', '.join(names)}.")
        return names.index(name)


def one_person(asked: Sequence[Scenario], person: int) -> np.ndarray:
    """Return the counts of one person under every scenario, shape (scenarios, 5)."""
    rows, states = [], [state_in(s) for s in asked]
    for axon, seed in {(s.axon, s.seed) for s in asked}:
        mine = [state.axon for s, state in zip(asked, states, strict=True) if s.axon == axon]
        prepare([Conditions(), *mine], axon, person_scores(seed, person))
    for s, state in zip(asked, states, strict=True):
        sites, rng = people_sites(s, person)
        sites = sites_of(state, sites, s, person)
        hazard = hazard_of(state, sites, s)
        firing, beside = discharges_of(state, sites, hazard, s, person, rng)
        reached = reaches(state, s.axon, sites.scores)
        found = twitches_of(firing, state, s, reached, named=False)
        rate = (expected_bursts_per_min(hazard).sum() + beside.sum()) * reached
        short = ~found.painful
        rows.append(
            (short.sum(), (found.visible & short).sum(), (short & (found.discharges > 1)).sum(),
             np.unique(firing.unit).size, rate)
        )  # fmt: skip
    return np.array(rows, float)


def _take_over(exchanged: dict[tuple[str, str], float]) -> None:
    sources._exchanged.update(exchanged)


def processes(cores: int):
    """Return a pool of `cores` fresh processes, a context manager.

    Numbers that are `exchanged` here are so in each of them.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(
        cores, get_context("spawn"), initializer=_take_over, initargs=(dict(sources._exchanged),)
    )


def _chunk(asked: Sequence[Scenario], people: np.ndarray) -> list[np.ndarray]:
    return [one_person(asked, int(p)) for p in people]


def replicate(
    scenarios: Sequence[Scenario | str],
    people: int = 200,
    *,
    cores: int = 1,
    progress: Callable[[int, int], None] | None = None,
    **changes,
) -> People:
    """Run the same people under several scenarios.

    Parameters
    ----------
    scenarios : sequence of Scenario or catalogue names
    people : int
    cores : int
        Processes to use; the result does not depend on it.
    progress : callable, optional
        Called with (people done, people).
    **changes
        Scenario fields to change in all of them: `muscle`, `duration_s`, `seed`, `axon`.

    Raises
    ------
    NeurosimError
        For an unknown name, or a value that is not allowed.
    """
    asked = tuple(scenario(s).replace(**changes, people=people) for s in scenarios)
    if len({(s.duration_s, s.muscle, s.seed) for s in asked}) != 1:
        raise NeurosimError("Scenarios compared must share duration_s, muscle and seed.")
    chunks = np.array_split(np.arange(people), max(1, min(people, -(-people // 10))))
    done: list[np.ndarray] = []
    if cores > 1:
        with processes(cores) as pool:
            for part in pool.map(_chunk, [asked] * len(chunks), chunks):
                done += part
                if progress:
                    progress(len(done), people)
    else:
        for chunk in chunks:
            done += _chunk(asked, chunk)
            if progress:
                progress(len(done), people)
    table = np.stack(done, axis=2).transpose(1, 0, 2)
    counts = table[:4].astype(np.int64)
    return People(asked, counts[0], counts[1], counts[2], counts[3], table[4])
