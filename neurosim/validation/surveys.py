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
from neurosim.model.axon.ensemble import calibrated_axon
from neurosim.model.firing.discharge import UnitHazard, expected_bursts_per_min, terminal_load
from neurosim.model.firing.event_sites import least_size
from neurosim.model.firing.examined_sites import LOAD_MMOL_L
from neurosim.model.firing.hazard import HazardTable, hazard_table, pair_chances, site_rates
from neurosim.model.firing.sites import RELEVANT_EXCESS, person_scores
from neurosim.model.muscle.anatomy import muscle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

SURVEY_MUSCLES = 28  # 14 of both sides
AXONS, PEOPLE_SEED = 24, 1  # people's own axons in a survey, taken in turn
MOST_SITES = 3000.0  # of a muscle


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
    condition: str = "health"


@dataclass(frozen=True)
class Sample:
    """How many muscles of a class are surveyed: people, muscles of each, units of a muscle."""

    people: int
    muscles: int
    units: int
    site_class: str


def personal_tables(axon: str, states: Sequence[Conditions] = ()) -> list[list[HazardTable]]:
    """Return the hazard tables of `AXONS` people's own axons, in health and each state."""
    tables: list[list[HazardTable]] = []
    for person in range(AXONS):
        scores = person_scores(PEOPLE_SEED, person)
        tables.append([hazard_table(c, axon, scores) for c in (Conditions(), *states)])
    return tables


def _counts(uniform: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the Poisson quantiles of uniform deviates: smooth in the numbers being fitted."""
    from scipy.special import pdtrik  # pyright: ignore[reportMissingTypeStubs] scipy has no types

    count = np.ceil(np.nan_to_num(pdtrik(uniform, np.minimum(mean, MOST_SITES))))
    return np.where(uniform <= np.exp(-mean), 0, count).astype(np.intp)


def _draw_relevant(
    sample: Sample, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the muscle of each rogue site that matters in health, its excess and event size.

    Those of `firing.sites.draw_sites`, thinned, so that thousands of muscles take a moment; the
    excess is in units of the person's critical one.
    """
    n = sample.people * sample.muscles
    own = rng.standard_normal(sample.people)[np.arange(n) // sample.muscles]
    uniform = rng.random((2, n))
    spread = parameter("firing", f"rogue_person_spread_{sample.site_class}")
    density = parameter("firing", f"rogues_per_unit_{sample.site_class}") * np.exp(spread * own)
    share, tail = parameter("firing", "event_share"), parameter("firing", "rogue_tail")
    least, size = least_size(), parameter("firing", "event_size")
    mean = density * sample.units
    channel = _counts(uniform[0], (1.0 - share) * mean * np.exp(-RELEVANT_EXCESS / tail))
    driven = _counts(uniform[1], share * mean * np.exp(-least / size))
    counts = np.concatenate([channel, driven]).astype(np.intp)
    muscle_index = np.repeat(np.tile(np.arange(n), 2), counts)
    readiness = rng.standard_exponential(muscle_index.size)
    by_events = np.arange(muscle_index.size) >= channel.sum()
    excess = np.where(by_events, 0.0, RELEVANT_EXCESS + tail * readiness)
    return muscle_index, excess, np.where(by_events, least + size * readiness, 0.0)


def rates_per_min(tables: Sequence[Sequence[HazardTable]], sample: Sample, seed: int) -> np.ndarray:
    """Return long-run burst rates of many healthy muscles, shape (people, muscles).

    Each person has one of the axons of `personal_tables`, in turn.
    """
    rng = np.random.default_rng(seed)
    muscle_index, excess, event_size = _draw_relevant(sample, rng)
    unit = muscle_index * sample.units + rng.integers(0, sample.units, muscle_index.size)
    _, unit = np.unique(unit, return_inverse=True)
    owner = muscle_index // sample.muscles % len(tables)
    rate, pair = np.empty((excess.size, LOAD_MMOL_L.size)), np.empty(excess.size)
    for i, (table, *_) in enumerate(tables):
        mine = owner == i
        multiplier = 1.0 + excess[mine] * (table.critical_multiplier - 1.0)
        rate[mine] = site_rates(table, multiplier, event_size[mine])
        pair[mine] = pair_chances(table, multiplier, event_size[mine])
    order = np.argsort(unit, kind="stable")
    units = int(unit.max(initial=-1)) + 1
    hazard = _rested_hazard(rate[order], pair[order], unit[order], units, tables[0][0].axon)
    muscle_of_unit = np.zeros(units, np.intp)
    muscle_of_unit[unit] = muscle_index
    per_muscle = np.bincount(
        muscle_of_unit, expected_bursts_per_min(hazard), sample.people * sample.muscles
    )
    return per_muscle.reshape(sample.people, sample.muscles)


def _rested_hazard(
    rate: np.ndarray, pair: np.ndarray, unit: np.ndarray, units: int, axon: str
) -> UnitHazard:
    """Return the hazards of rogue sites as the sampler needs them."""
    return UnitHazard(
        LOAD_MMOL_L,
        rate,
        unit,
        np.ones(unit.size, np.int64),
        pair,
        units,
        ceiling_per_min=float(np.exp(parameter("hazard", f"{calibrated_axon(axon)}.ln_ceiling"))),
        **terminal_load(),
    )


def seen_probability(rate_per_min: ArrayLike, minutes: float) -> np.ndarray:
    """Return the probability of at least one burst within `minutes`."""
    return 1.0 - np.exp(-np.asarray(rate_per_min) * minutes)


def largest_of_eight(
    seen: np.ndarray, rng: np.random.Generator, quantiles: Sequence[float] = (0.5, 0.05, 0.95)
) -> np.ndarray:
    """Return quantiles of the largest number of twitching muscles among eight who twitch.

    Parameters
    ----------
    seen : ndarray, shape (people, muscles)
        Probability that a look sees each muscle twitch; one look at each person is drawn.
    rng : numpy.random.Generator
    quantiles : sequence of float
        Of surveys of that size; P(largest <= k) is P(one <= k) to the eighth power.
    """
    number = (rng.random(seen.shape) < seen).sum(axis=1)
    number = number[number > 0]
    if not number.size:
        return np.zeros(len(quantiles))
    most: np.ndarray = np.arange(int(seen.shape[1]) + 1)
    below: np.ndarray = np.searchsorted(np.sort(number), most, side="right") / number.size
    return np.interp(quantiles, below**8, most)


def survey_facts(people: int = 300, seed: int = 11, axon: str = "ghk") -> tuple[Fact, ...]:
    """Return the surveyed facts with the model's values.

    Parameters
    ----------
    people : int
        Simulated people per survey.
    seed : int
    axon : str
    """
    tables = personal_tables(axon)
    foot, shin = muscle("foot_sole").units, muscle("shin").units
    feet = rates_per_min(tables, Sample(people, 2, foot, "foot_sole"), seed)
    shins = rates_per_min(tables, Sample(people, 2, shin, "ordinary"), seed + 1)
    looked_at = Sample(
        people, SURVEY_MUSCLES, round(parameter("study", "survey_units")), "ordinary"
    )
    survey = rates_per_min(tables, looked_at, seed + 2)
    active = 1.0 - np.prod(
        1.0 - seen_probability(feet, parameter("study", "survey_recording_min")), axis=1
    )
    seen = seen_probability(survey, parameter("study", "survey_look_min"))
    positive = 1.0 - np.prod(1.0 - seen, axis=1)
    most, fewest, highest = largest_of_eight(seen, np.random.default_rng(seed + 3))
    h, r = "vanderheijden1994", "reimers1996"
    # 50 of 50, 0 of 100, 8 of 70: exact binomial 95 % intervals
    return (
        Fact(
            "people with a discharge in an abductor hallucis",
            "share",
            float(active.mean()),
            0.929,
            1.0,
            0.985,
            0.008,
            h,
        ),
        Fact(
            "abductor hallucis above 100 per minute",
            "share",
            float((feet > 100).mean()),
            0.005,
            0.15,
            0.06,
            0.04,
            h,
        ),
        Fact(
            "tibialis anterior above 3 per minute",
            "share",
            float((shins > 3).mean()),
            0.0,
            0.036,
            0.005,
            0.01,
            h,
        ),
        Fact(
            "people with a twitch in 28 muscles",
            "share",
            float(positive.mean()),
            0.051,
            0.213,
            0.114,
            0.03,
            r,
        ),
        Fact(
            "most muscles in one of 8 such people",
            "muscles",
            float(most),
            4.0,
            8.0,
            6.0,
            2.0,
            r,
            f"health; 5 to 95 % of such surveys: {fewest:.0f} to {highest:.0f}",
        ),
    )
