"""How often people twitch over a long time, from their hazards alone, under many scenarios.

Verdicts rest on these rates: counts within a run would only add noise to them. Groups that come
by a rule (myokymia) are left out, since a rule proves nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neurosim.model.axon.axon import Conditions
from neurosim.model.firing.discharge import UnitHazard, balance_many
from neurosim.model.firing.hazard import prefetch_tables, rested_hazard
from neurosim.model.firing.sites import person_scores
from neurosim.simulation import person_run, result
from neurosim.simulation import state as state_
from neurosim.simulation.workers import map_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neurosim.model.firing.sites import Sites
    from neurosim.simulation.scenario import Scenario

SEEDS = 4  # groups of people, each from a seed of its own
CHUNK = 5  # people at a time


def seed_and_person(person: int, seed: int) -> tuple[int, int]:
    """Return (seed, number within it) of one of a study's people."""
    return seed + person % SEEDS, person // SEEDS


def _comparable_state(scenario: Scenario) -> state_.TissueState:
    """Return a scenario's state without the groups that come by a rule."""
    state = state_.tissue_state(scenario)
    return replace(state, lesion=replace(state.lesion, myokymic_share=0.0))


def person_rates(
    scenarios: Sequence[Scenario],
    person: int,
    draw: Callable[[Scenario, int], Sites] = person_run.healthy_sites,
) -> np.ndarray:
    """Return twitches per minute of one person under every scenario, shape (scenarios,).

    `draw` gives a person's sites in health, as `neurosim.simulation.person_run.healthy_sites` does.
    """
    seed, number = seed_and_person(person, scenarios[0].seed)
    scenarios = [s.replace(seed=seed, duration_s=1.0) for s in scenarios]
    states = [_comparable_state(s) for s in scenarios]
    for axon in {s.axon for s in scenarios}:
        conditions = [t.axon for s, t in zip(scenarios, states, strict=True) if s.axon == axon]
        prefetch_tables([Conditions(), *conditions], axon, person_scores(seed, number))
    hazards = [_person_hazard(s, t, number, draw) for s, t in zip(scenarios, states, strict=True)]
    by_law = [np.maximum(rate, 1e-300).sum() for rate, _ in balance_many([h for h, _ in hazards])]
    return np.array([law + more for law, (_, more) in zip(by_law, hazards, strict=True)]) * [
        result.reaches(t, s.axon, person_scores(seed, number))
        for s, t in zip(scenarios, states, strict=True)
    ]


def _person_hazard(
    scenario: Scenario,
    state: state_.TissueState,
    person: int,
    draw: Callable[[Scenario, int], Sites],
) -> tuple[UnitHazard, float]:
    """Return a person's hazards in a state, and bursts per minute beside them."""
    sites = person_run.sites_in_state(state, draw(scenario, person), scenario, person)
    _, beside = person_run.state_other_sources(state, sites, scenario, person)
    return person_run.state_hazard(state, sites, scenario, rested_hazard), beside.sum()


def _rates_chunk(scenarios: Sequence[Scenario], people: np.ndarray) -> list[np.ndarray]:
    return [person_rates(scenarios, int(p)) for p in people]


def long_run_rates(
    scenarios: Sequence[Scenario],
    people: int,
    *,
    cores: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Return twitches per minute of the same people under every scenario.

    Parameters
    ----------
    scenarios : sequence of Scenario
        Of the same seed: the people come from `SEEDS` seeds from there on, in turn.
    people : int
    cores : int
        Processes to use; the result does not depend on it.
    progress : callable, optional
        Called with (people done, people).

    Returns
    -------
    ndarray, shape (scenarios, people)
    """
    chunks = np.array_split(np.arange(people), max(1, -(-people // CHUNK)))
    rates: list[np.ndarray] = []
    for part in map_jobs(_rates_chunk, ((scenarios, chunk) for chunk in chunks), cores):
        rates += part
        if progress:
            progress(len(rates), people)
    return np.array(rates).T
