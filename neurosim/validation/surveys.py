"""What healthy people show: the model's share of active muscles, against two surveys.

The surveys are van der Heijden (1994; both abductor hallucis and tibialis anterior of 50
young adults) and Reimers (1996; 28 muscles of 70 adults). Rates are long-run ones from the
hazards. `scripts/calibration/fit_population.py` fits the free numbers on these facts, and
`neurosim validate` lists them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.axon.axon import Conditions
from neurosim.model.firing.discharge import UnitHazard, expected_bursts_per_min
from neurosim.model.firing.hazard import (
    NU,
    HazardTable,
    critical_multiplier,
    hazard_table,
    site_rates,
)
from neurosim.model.firing.sites import person_scores
from neurosim.model.muscle.anatomy import muscle

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SURVEY_MUSCLES = 28  # 14 of both sides
RELEVANT = 0.48  # of the critical excess; in health a site below misfires once in a century


@dataclass(frozen=True)
class Fact:
    """One surveyed fact: model value, published range, and the goal of a fit with its tolerance."""

    name: str
    unit: str
    model: float
    low: float
    high: float
    goal: float
    tolerance: float
    source: str


def margins(people: int, axon: str, seed: int) -> np.ndarray:
    """Return each person's critical excess of the sodium multiplier over that of their sites.

    Shape (people,); 1 where sites are set by the person's axon (parameter `own_critical`).
    """
    if parameter("firing", "own_critical") == 1.0:
        return np.ones(people)
    scores = [person_scores(seed, person) for person in range(people)]
    multipliers = [hazard_table(Conditions(), axon, s).critical_multiplier for s in scores]
    multipliers = np.nan_to_num(multipliers, nan=float(NU[-1]))
    return (multipliers - 1.0) / (np.array([critical_multiplier(axon, s) for s in scores]) - 1.0)


def rates_per_min(
    table: HazardTable, people: int, muscles: int, units: int, site_class: str, seed: int
) -> np.ndarray:
    """Return long-run burst rates of many healthy muscles, shape (people, muscles).

    The ectopic (rogue) sites of `firing.sites.draw_sites`, thinned to those that matter in health,
    so that thousands of muscles take a moment. Hazards are those of the mean axon, over the sodium
    multiplier in units of each person's margin.
    """
    from scipy.special import pdtrik

    rng = np.random.default_rng(seed)
    margin = np.repeat(margins(people, table.axon, seed), muscles)
    propensity = np.repeat(rng.standard_normal(people), muscles)
    uniform = rng.random(people * muscles)
    excess = table.critical_multiplier - 1.0
    tail = parameter("firing", "rogue_tail")
    mean = parameter("firing", f"rogues_per_unit_{site_class}") * units
    mean = mean * np.exp(
        parameter("firing", "rogue_person_spread") * propensity - RELEVANT * margin / tail
    )
    # the uniform's Poisson quantile: smooth in the numbers being fitted
    counts = np.where(
        uniform <= np.exp(-mean), 0, np.ceil(np.nan_to_num(pdtrik(uniform, mean)))
    ).astype(np.intp)
    muscle_index = np.repeat(np.arange(counts.size), counts)
    beyond = tail / margin[muscle_index] * rng.standard_exponential(muscle_index.size)
    multiplier = 1.0 + excess * (RELEVANT + beyond)
    unit = muscle_index * units + rng.integers(0, units, muscle_index.size)
    order = np.argsort(unit, kind="stable")
    hazard = _rested_hazard(table, multiplier[order], unit[order], counts.size * units)
    per_unit = expected_bursts_per_min(hazard)
    return per_unit.reshape(counts.size, units).sum(axis=1).reshape(people, muscles)


def _rested_hazard(
    table: HazardTable, multiplier: np.ndarray, unit: np.ndarray, n_units: int
) -> UnitHazard:
    """Return the hazards of sites with these sodium multipliers, one place of each."""
    return UnitHazard(
        table.load_mmol_l,
        site_rates(table, multiplier),
        unit,
        np.ones(multiplier.size, np.int64),
        np.interp(multiplier, table.sodium_multiplier, table.pair),
        n_units,
        parameter("firing", "load_per_discharge_mmol_l") * parameter("firing", "load_factor"),
        parameter("firing", "load_tau_min") * 60.0,
        float(np.exp(parameter("hazard", f"{table.axon}.ln_ceiling"))),
    )


def seen_probability(rate_per_min: ArrayLike, minutes: float) -> np.ndarray:
    """Return the probability of at least one burst within `minutes`."""
    return 1.0 - np.exp(-np.asarray(rate_per_min) * minutes)


def _largest_of_eight(expected: np.ndarray, positive: np.ndarray) -> float:
    """Return the typical largest number of muscles among eight people with a twitch."""
    among = expected / np.maximum(positive, 1e-12)
    order = np.argsort(among)
    weight = np.cumsum(positive[order]) / positive.sum()
    return float(np.interp(8.0 / 9.0, weight, among[order]))


def survey_facts(people: int = 300, seed: int = 11, axon: str = "ghk") -> tuple[Fact, ...]:
    """Return the surveyed facts with the model's values.

    Parameters
    ----------
    people : int
        Simulated people per survey.
    seed : int
    axon : str
    """
    table = hazard_table(Conditions(), axon)
    foot, shin = muscle("foot_sole").units, muscle("shin").units
    feet = rates_per_min(table, people, 2, foot, "foot_sole", seed)
    shins = rates_per_min(table, people, 2, shin, "ordinary", seed + 1)
    units = round(parameter("study", "survey_units"))
    survey = rates_per_min(table, people, SURVEY_MUSCLES, units, "ordinary", seed + 2)
    active = 1.0 - np.prod(
        1.0 - seen_probability(feet, parameter("study", "survey_recording_min")), axis=1
    )
    seen = seen_probability(survey, parameter("study", "survey_look_min"))
    positive = 1.0 - np.prod(1.0 - seen, axis=1)
    h, r = "vanderheijden1994", "reimers1996"
    # 50 of 50, 0 of 100, 8 of 70: exact binomial 95 % intervals
    facts = (
        ("people with a discharge in an abductor hallucis", "share", float(active.mean()), 0.929,
         1.0, 0.985, 0.008, h),
        ("abductor hallucis above 100 per minute", "share", float((feet > 100).mean()), 0.005, 0.15,
         0.06, 0.04, h),
        ("tibialis anterior above 3 per minute", "share", float((shins > 3).mean()), 0.0, 0.036,
         0.005, 0.01, h),
        ("people with a twitch in 28 muscles", "share", float(positive.mean()), 0.051, 0.213, 0.114,
         0.03, r),
        ("most muscles in one of 8 such people", "muscles",
         _largest_of_eight(seen.sum(axis=1), positive), 4.0, 8.0, 8.0, 3.0, r),
    )  # fmt: skip
    return tuple(Fact(*fact) for fact in facts)
