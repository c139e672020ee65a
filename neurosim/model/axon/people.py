"""The axons of different people: how the membranes of the healthy differ from one another.

A person has a few *scores*, independent standard normal numbers. Each parameter of the axon
(conductances, capacitances and gate speeds in their logarithm, gate shifts and leak reversals
in mV) moves with the scores by its entry in `people.toml`: `value` is its standard deviation
between people, `along` the direction in the scores. The mean axon has scores of zero.

Few scores suffice because the clinic's test sees few directions: `scripts/calibration/fit_people.py` finds
the smallest spread of parameters that reproduces the standard deviations and correlations of
the derived measures in healthy people. What the test does not see is taken not to vary, so
that axons differ at least this much (`docs/limits.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, parameter
from neurosim.model.axon.axon import PARAMETER_GROUPS as AXON_ROOMS
from neurosim.model.axon.axon import Axon, axon_parameters

PARAMETER_GROUPS = (*AXON_ROOMS, "people", "membrane.people_spread")
SHARED_AXON = "ghk"  # the axon whose spread serves one that has none of its own
Scores = tuple[float, ...]


class Spread(NamedTuple):
    """How one parameter differs between people: SD per score, unit (``ln`` or ``mV``), words."""

    per_score: np.ndarray
    unit: str
    label: str

    @property
    def sd(self) -> float:
        """Standard deviation between people, in `unit`."""
        return float(np.sqrt((self.per_score**2).sum()))


@cached("people", "membrane.people_spread")
def axon_spread(axon: str = "ghk") -> Mapping[str, Spread]:
    """Return how each parameter of one axon differs between people, by name.

    An axon without a spread of its own has that of ``"ghk"``.
    """
    entries = load_group("people")
    own = axon if any(name.startswith(f"{axon}.") for name in entries) else SHARED_AXON
    scale = parameter("membrane", "people_spread")
    return {
        name.removeprefix(f"{own}."): Spread(
            scale * parameter("people", name) * np.array(entry.along), entry.unit, entry.note
        )
        for name, entry in entries.items()
        if name.startswith(f"{own}.")
    }


def score_count() -> int:
    """Return how many scores a person has."""
    return len(next(iter(axon_spread(SHARED_AXON).values())).per_score)


def differs_from_mean(scores: Scores) -> bool:
    """Return whether somebody with `scores` has another axon than the mean one."""
    return any(scores) and parameter("membrane", "people_spread") > 0.0


def draw_scores(rng: np.random.Generator) -> Scores:
    """Draw the scores of one person."""
    return tuple(float(s) for s in rng.standard_normal(score_count()))


@cached(*PARAMETER_GROUPS, size=4096)
def axon_of_person(axon: Axon = "ghk", scores: Scores = ()) -> Axon:
    """Return the healthy axon of a person.

    Parameters
    ----------
    axon : str or ParameterSet
        The mean axon.
    scores : tuple of float
        The person's scores; none, or all zero, is the mean axon itself.

    Raises
    ------
    NeurosimError
        For a wrong number of scores.
    """
    if not differs_from_mean(scores):
        return axon
    if len(scores) != score_count():
        raise NeurosimError(f"A person has {score_count()} scores of the axon, not {len(scores)}.")
    mean = axon_parameters(axon)
    changes = {}
    for name, found in axon_spread(axon if isinstance(axon, str) else SHARED_AXON).items():
        moved = float(found.per_score @ np.array(scores))
        changes[name] = mean[name] * np.exp(moved) if found.unit == "ln" else mean[name] + moved
    return mean.replace(**changes).normalised_at_rest()


def largest_differences(axon: str, scores: Scores, most: int = 3) -> list[tuple[str, float, str]]:
    """Return (words, change, unit) of the parameters that differ most, in SDs between people.

    The change is in per cent where the spread is one of logarithms, else in mV.
    """
    rows: dict[str, tuple[float, float, str]] = {}
    for found in axon_spread(axon).values():
        moved = float(found.per_score @ np.array(scores)) if scores else 0.0
        if found.sd > 0.0:
            percent = 100.0 * (np.exp(moved) - 1.0)
            change, unit = (percent, "%") if found.unit == "ln" else (moved, "mV")
            rows[found.label] = (abs(moved) / found.sd, change, unit)
    first = sorted(rows, key=lambda words: -rows[words][0])[:most]
    return [(words, rows[words][1], rows[words][2]) for words in first]
