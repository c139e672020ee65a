"""What one person's simulation found, with every intermediate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.parameters import Key, parameter
from neurosim.base.viewable import Viewable
from neurosim.model.firing.discharge import (
    Firing,
    HazardCourse,
    UnitHazard,
    expected_bursts_per_min,
    mean_over_time,
)
from neurosim.model.firing.hazard import HazardTable, conduction_probability
from neurosim.model.muscle.force import TwitchScales, muscle_force_mn

if TYPE_CHECKING:
    from neurosim.clinic.excitability import Excitability
    from neurosim.model.axon import people
    from neurosim.model.firing.sites import Sites
    from neurosim.model.muscle.events import Twitches
    from neurosim.simulation.people import People
    from neurosim.simulation.scenario import Scenario
    from neurosim.simulation.state import BodyTrajectory, TissueState


@dataclass(frozen=True, repr=False)
class Result(Viewable):
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
    trajectory : Moments
        The body at the times that say what it is; `state`, `excitability` and `hazard` are those of
        the first.
    hazards : HazardCourse
        Hazards of all sites at those times.
    reached : ndarray, shape (moments,)
        1 where a discharge reaches the muscle then, 0 where axon or junction block it.
    other_bursts_per_min : ndarray, shape (moments, len(ORIGINS))
        Bursts per minute, over a long time, of sources beside that hazard (`firing.disease`).
    firing : Firing
    twitches : Twitches
    versions : dict
        Versions of neurosim, Python and the packages under it.
    parameters : frozenset of (str, str)
        Group and name of every parameter that was read to compute this, `against` and `compared`.
    against : Result, optional
        The same person under the scenario that it is compared with, where that was asked for.
    compared : People, optional
        Many people under both scenarios, this one first.
    idle_remedy : str
        Label of a remedy that was tried and had nothing to mend in this body.
    """

    scenario: Scenario
    person: int
    state: TissueState
    excitability: Excitability
    healthy: Excitability
    hazard: HazardTable
    sites: Sites
    trajectory: BodyTrajectory
    hazards: HazardCourse
    reached: np.ndarray
    other_bursts_per_min: np.ndarray
    firing: Firing
    twitches: Twitches
    versions: dict[str, str]
    parameters: frozenset[Key] = frozenset()
    against: Result | None = None
    compared: People | None = None
    idle_remedy: str = ""

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
        return twitch_rates(self.hazards, self.other_bursts_per_min, self.reached)

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
        scales = TwitchScales(*muscle_scales(f, self.trajectory, self.reached))
        return muscle_force_mn(
            f.time_s,
            f.unit,
            self.scenario.muscle,
            self.scenario.duration_s,
            sampling_hz,
            scales,
        )


def reaches(state: TissueState, axon: str, scores: people.Scores = ()) -> float:
    """Return 1 if a discharge moves the muscle, 0 if the axon blocks or too few fibres follow."""
    if state.transmission < parameter("study", "smallest_transmission"):
        return 0.0
    return float(
        conduction_probability(state.axon, axon, scores)
        >= parameter("study", "smallest_conduction")
    )


def twitch_rates(
    hazards: HazardCourse, beside_per_min: np.ndarray, reached: np.ndarray
) -> np.ndarray:
    """Return twitches per minute to be expected at each knot, the sodium loads in balance."""
    by_law = [expected_bursts_per_min(knot).sum() for knot in hazards.knots]
    return (np.array(by_law) + beside_per_min.sum(axis=1)) * reached


def mean_rate(hazards: HazardCourse, per_min: np.ndarray) -> float:
    """Return the mean over time of rates at the knots."""
    return float(mean_over_time(hazards.at_s, list(per_min[:, None]))[0]) if per_min.any() else 0.0


def muscle_scales(
    firing: Firing, trajectory: BodyTrajectory, reached: np.ndarray, least: float = 0.0
) -> tuple[Any, Any]:
    """Return the factors on twitch force and contraction time at each discharge."""
    force = [
        state.unit_force_scale * max(state.transmission, least) * is_reached
        for state, is_reached in zip(trajectory.states, reached, strict=True)
    ]
    slow: float | np.ndarray = trajectory.interpolate(
        firing.time_s, [state.contraction_time_scale for state in trajectory.states]
    )
    # In steps, so that discharges alike are drawn alike.
    return trajectory.interpolate(firing.time_s, force), slow if np.ndim(slow) == 0 else np.round(
        slow, 2
    )
