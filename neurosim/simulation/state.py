"""From a body to the state of every tissue, at one time and along a course."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import unknown_name
from neurosim.base.parameters import parameter
from neurosim.model.axon.conditions import Conditions, apply_contribution, apply_contributions
from neurosim.model.body.contributions import Contribution, contributions
from neurosim.model.body.course import select_knots
from neurosim.model.body.state import Body
from neurosim.model.firing.disease import (
    Lesion,
    Terminal,
)
from neurosim.model.muscle.anatomy import muscle_roots, twitch_forces_mn
from neurosim.model.muscle.junction import Junction, transmit
from neurosim.model.soma.cramp import Cramping
from neurosim.model.soma.facial import Lid
from neurosim.model.soma.soma import SomaConditions, apply_soma_contributions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.model.firing.sites import Sites
    from neurosim.simulation.scenario import Scenario


def strength(state: TissueState, sites: Sites, name: str) -> tuple[float, float]:
    """Return largest force and number of motor units of a muscle, against health."""
    forces, living = twitch_forces_mn(name), sites.living
    force = forces[living].sum() / forces.sum() * state.unit_force_scale * state.transmission
    driven = 1.0 - parameter("alarms", "pinched_blocked") * state.lesion.axons_share
    return float(force * driven), float(living.mean())


@dataclass(frozen=True)
class TissueState:
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
    lid : Lid
        The motor neuron of a lid that can hold itself firing, if there is one.
    facial : SomaConditions
        Its fluids and gains.
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
    lid: Lid = Lid()
    facial: SomaConditions = SomaConditions()

    @property
    def transmission(self) -> float:
        """Share of muscle fibres that follow a discharge across the junction, 0 to 1."""
        return self.junction.share

    @property
    def unit_force_scale(self) -> float:
        """Factor on the twitch force of every unit, before the junction."""
        return self.force_scale * self.fibres_scale


_MUSCLE: dict[str, float] = dict.fromkeys(
    ("force_scale", "contraction_time_scale", "units_scale", "fibres_scale"), 1.0
)
_JUNCTION = {
    "calcium_out_mmol_l": Conditions().calcium_out_mmol_l,
    "magnesium_out_mmol_l": Conditions().magnesium_out_mmol_l,
    "acetylcholinesterase_scale": 1.0,
}


def _apply_site(
    items: Sequence[Contribution], site: str, healthy: dict[str, float]
) -> dict[str, float]:
    """Return the numbers of one place after contributions, by name alone."""
    now = dict(healthy)
    for c in items:
        if c.site == site:
            if c.parameter not in now:
                raise unknown_name(f"{site} parameter", c.parameter, now)
            now[c.parameter] = apply_contribution(now[c.parameter], c)
    return now


def state_from_contributions(items: Sequence[Contribution]) -> TissueState:
    """Return the state that contributions make, by site and parameter name alone."""
    place = _apply_site(items, "junction", _JUNCTION)
    junction = transmit(
        place["calcium_out_mmol_l"],
        place["magnesium_out_mmol_l"],
        place["acetylcholinesterase_scale"],
    )
    return TissueState(
        tuple(items),
        apply_contributions(items, "axon"),
        apply_soma_contributions(items),
        junction,
        **_apply_site(items, "muscle", _MUSCLE),
        terminal=Terminal(**_apply_site(items, "terminal", vars(Terminal()))),
        lesion=Lesion(**_apply_site(items, "lesion", vars(Lesion()))),
        pool=Cramping(**_apply_site(items, "pool", vars(Cramping()))),
        lid=Lid(**_apply_site(items, "lid", vars(Lid()))),
        facial=apply_soma_contributions(items, "facial"),
    )


def tissue_state(scenario: Scenario) -> TissueState:
    """Return the state that a body makes of the muscle asked for.

    A pinched root reaches the share of the muscle's axons that it carries, and no other.
    """
    return _tissue_state(scenario.body, scenario.muscle, scenario.root)


@cached(size=4096)
def _tissue_state(body: Body, muscle: str, root: str) -> TissueState:
    state = state_from_contributions(contributions(body))
    if not state.lesion.axons_share:
        return state
    share = muscle_roots(muscle).get(root, 0.0)
    reached = replace(state.lesion, axons_share=state.lesion.axons_share * share)
    return replace(state, lesion=reached if share else Lesion())


@dataclass(frozen=True)
class BodyTrajectory:
    """A body at the times between which straight lines say what it is; one if it never changes.

    Attributes
    ----------
    at_s : ndarray, shape (n,)
        Times, s, rising from 0.
    bodies, states : tuple
        What the body is at each, and what it makes of every place.
    examined_index : ndarray of int
        Those whose axon is examined; between two of them it changes along a line, too.
    """

    at_s: np.ndarray
    bodies: tuple[Body, ...]
    states: tuple[TissueState, ...]
    examined_index: np.ndarray

    @property
    def examined_axons(self) -> list[Conditions]:
        """The axon at each moment that is examined."""
        return [self.states[int(i)].axon for i in self.examined_index]

    def nearest(self, time_s: np.ndarray) -> np.ndarray:
        """Return the index of the moment nearest to each time."""
        return np.searchsorted(0.5 * (self.at_s[1:] + self.at_s[:-1]), time_s)

    def interpolate(self, time_s: np.ndarray, values: Sequence[float]) -> Any:
        """Return values of the moments at times, along lines; a plain number if all are alike."""
        if min(values) == max(values):
            return values[0]
        return np.interp(time_s, self.at_s, values)


def constant_trajectory(state: TissueState, body: Body | None = None) -> BodyTrajectory:
    """Return the moments of a state that stays as it is: one."""
    bodies = (Body() if body is None else body,)
    return BodyTrajectory(np.zeros(1), bodies, (state,), np.zeros(1, int))


def body_trajectory(scenario: Scenario) -> BodyTrajectory:
    """Return the body of a scenario at the times that say what it is all the while."""
    if scenario.course is None:
        return constant_trajectory(tissue_state(scenario), scenario.body)
    hours, bodies = scenario.course.knots(scenario.body, scenario.duration_s / 3600.0)
    states = tuple(tissue_state(scenario.replace(body=body)) for body in bodies)
    axons = np.array([list(vars(state.axon).values()) for state in states], float)
    at = select_knots(hours, axons) if np.ptp(axons, axis=0).any() else np.zeros(1, int)
    return BodyTrajectory(3600.0 * hours, tuple(bodies), states, at)


def insert_moments(
    trajectory: BodyTrajectory, times_s: np.ndarray, scenario: Scenario
) -> BodyTrajectory:
    """Return the trajectory of a scenario with further moments."""
    at_s = np.union1d(trajectory.at_s, times_s)
    before: list[int] = (np.searchsorted(trajectory.at_s, at_s, side="right") - 1).tolist()
    bodies = [trajectory.bodies[i] for i in before]
    states = [trajectory.states[i] for i in before]
    new = np.flatnonzero(~np.isin(at_s, trajectory.at_s))
    if scenario.course is not None and len(trajectory.bodies) > 1:
        between = scenario.course.bodies_at(at_s[new] / 3600.0, scenario.body)
        for i, body in zip(new, between, strict=True):
            bodies[i], states[i] = body, tissue_state(scenario.replace(body=body))
    examined = np.searchsorted(at_s, trajectory.at_s[trajectory.examined_index])
    return BodyTrajectory(at_s, tuple(bodies), tuple(states), examined)
