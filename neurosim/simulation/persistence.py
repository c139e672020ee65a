"""Does twitching pass by itself? People who complain of it, looked at again months later.

A follow-up of many people's ordinary muscles by their rogue sites alone: each site lives for an
exponential time, as many come as go (`firing.sites.add_lives`), so that whoever is seen at their
worst is likely to be better later. Rates are those of health, without load.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.axon.axon import Conditions
from neurosim.model.firing.event_sites import event_rate, least_size
from neurosim.model.firing.hazard import HazardTable, hazard_table, site_rates
from neurosim.model.firing.sites import RELEVANT_EXCESS

MUSCLES = 28  # of both sides, looked at as in a survey
MOST_PER_MIN = 60.0  # of a site; beyond, its own load would slow it
MOST_SITES = 300.0  # of a person


@dataclass(frozen=True)
class FollowUp:
    """What became of people who complained of twitching.

    Attributes
    ----------
    complaining : float
        Share of all people who complained.
    people : int
        How many of them were followed.
    persists, halved, doubled : float
        Share of them who twitch still, less than half as often, more than twice as often.
    """

    complaining: float
    people: int
    persists: float
    halved: float
    doubled: float


def follow_up(
    months: float = 24.0,
    complaint_per_min: float | None = None,
    people: int = 60_000,
    seed: int = 1,
    axon: str = "ghk",
) -> FollowUp:
    """Return what becomes of people whose ordinary muscles twitch often enough to complain.

    Parameters
    ----------
    months : float
    complaint_per_min : float, optional
        Twitches per minute of all muscles from which on they complain; `complaint_per_min` of the
        study if omitted.
    people : int
        Drawn, most of whom have next to no site.
    seed : int
    axon : str

    Examples
    --------
    >>> 0.5 < follow_up(months=24, people=20_000).persists <= 1.0
    True
    """
    if complaint_per_min is None:
        complaint_per_min = parameter("study", "complaint_per_min")
    rng = np.random.default_rng(seed)
    table = hazard_table(Conditions(), axon)
    relevant = _relevant_shares()
    density = parameter("firing", "rogues_per_unit_ordinary")
    spread = parameter("firing", "rogue_person_spread_ordinary")
    units = MUSCLES * parameter("study", "survey_units")
    own = np.exp(spread * rng.standard_normal(people))
    mean = np.minimum(density * units * sum(relevant) * own, MOST_SITES)
    left = float(np.exp(-months / parameter("firing", "site_life_months")))
    here = rng.poisson(mean).astype(np.intp)
    person = np.repeat(np.arange(people), here)
    rates = _draw_rates(person.size, relevant, table, rng)
    before = np.bincount(person, rates, people)
    stays = rng.random(person.size) < left
    come = rng.poisson(mean * (1.0 - left)).astype(np.intp)
    new = np.repeat(np.arange(people), come)
    after = np.bincount(person[stays], rates[stays], people) + np.bincount(
        new, _draw_rates(new.size, relevant, table, rng), people
    )
    case = before >= complaint_per_min
    seen = parameter("study", "twitching_per_min")
    return FollowUp(
        float(case.mean()),
        int(case.sum()),
        *(
            float(share[case].mean()) if case.any() else float("nan")
            for share in (after >= seen, after < 0.5 * before, after > 2.0 * before)
        ),
    )


def _relevant_shares() -> tuple[float, float]:
    """Return the shares of rogue sites that may fire in health: channel sites, event sites."""
    events, tail = parameter("firing", "event_share"), parameter("firing", "rogue_tail")
    return (
        (1.0 - events) * float(np.exp(-RELEVANT_EXCESS / tail)),
        events * float(np.exp(-least_size() / parameter("firing", "event_size"))),
    )


def _draw_rates(
    n: int, relevant: tuple[float, float], table: HazardTable, rng: np.random.Generator
) -> np.ndarray:
    """Return bursts per minute of `n` relevant rogue sites in health, without load."""
    by_events = rng.random(n) < relevant[1] / sum(relevant)
    readiness = rng.standard_exponential(n)
    excess = RELEVANT_EXCESS + parameter("firing", "rogue_tail") * readiness
    channel = site_rates(table, 1.0 + excess * (table.critical_multiplier - 1.0))[:, 0]
    size = least_size() + parameter("firing", "event_size") * readiness
    rates = np.where(by_events, event_rate(np.ones(1), size), channel)
    return np.minimum(rates, MOST_PER_MIN)
