"""The axons of different people: how membranes differ among the healthy.

A person has a few *scores*, independent standard normal numbers. Each parameter of the axon
(conductances, capacitances and gate speeds in their logarithm, gate shifts and leak reversals
in mV) is linear in the scores by its entry in `people.toml`: `value` is its standard deviation
between people, `along` its direction in the space of scores. The mean axon has scores of zero.

Few scores suffice because the clinic's excitability test depends on few directions:
`scripts/calibration/fit_people.py` finds the smallest spread of parameters that reproduces the
standard deviations and correlations of the derived measures in healthy people. A direction that
the test cannot see is assumed not to vary, so real axons differ at least this much
(`docs/limits.md`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, parameter
from neurosim.model.axon.axon import Axon, axon_parameters
from neurosim.model.axon.ensemble import SHARED_AXON

if TYPE_CHECKING:
    from collections.abc import Mapping

Scores = tuple[float, ...]


class Spread(NamedTuple):
    """Spread of one parameter between people: SD per score, unit (``ln`` or ``mV``), label."""

    per_score: np.ndarray
    unit: str
    label: str

    @property
    def sd(self) -> float:
        """Standard deviation between people, in `unit`."""
        return float(np.sqrt((self.per_score**2).sum()))


@cached()
def axon_spread(axon: str = "ghk") -> Mapping[str, Spread]:
    """Return the spread of each parameter of one axon between people, by name.

    An axon without an entry in `people.toml` takes the spread of ``"ghk"``, as the ensemble does.
    """
    entries = load_group("people")
    set_name = axon if any(name.startswith(f"{axon}.") for name in entries) else SHARED_AXON
    scale = parameter("membrane", "people_spread")
    return {
        name.removeprefix(f"{set_name}."): Spread(
            scale * parameter("people", name) * np.array(entry.along), entry.unit, entry.note
        )
        for name, entry in entries.items()
        if name.startswith(f"{set_name}.")
    }


def score_count() -> int:
    """Return the number of scores of a person."""
    return len(next(iter(axon_spread(SHARED_AXON).values())).per_score)


def differs_from_mean(scores: Scores) -> bool:
    """Return whether a person with `scores` has an axon other than the mean one."""
    return any(scores) and parameter("membrane", "people_spread") > 0.0


def draw_scores(rng: np.random.Generator) -> Scores:
    """Draw the scores of one person."""
    return tuple(float(s) for s in rng.standard_normal(score_count()))


@cached(size=4096)
def axon_of_person(axon: Axon = "ghk", scores: Scores = ()) -> Axon:
    """Return the healthy axon of a person.

    Parameters
    ----------
    axon : str or ParameterSet
        The mean axon.
    scores : tuple of float
        The person's scores; without any, or with zeros only, the mean axon is returned.

    Raises
    ------
    NeurosimError
        If the number of scores is wrong.
    """
    if not differs_from_mean(scores):
        return axon
    if len(scores) != score_count():
        raise NeurosimError(f"A person has {score_count()} scores of the axon, not {len(scores)}.")
    mean = axon_parameters(axon)
    changes: dict[str, float] = {}
    for name, spread in axon_spread(axon if isinstance(axon, str) else SHARED_AXON).items():
        difference = float(spread.per_score @ np.array(scores))
        by_factor = spread.unit == "ln"
        changes[name] = mean[name] * np.exp(difference) if by_factor else mean[name] + difference
    return mean.replace(**changes).normalised_at_rest()


def largest_differences(axon: str, scores: Scores, most: int = 3) -> list[tuple[str, float, str]]:
    """Return (label, change, unit) of the parameters that differ most, in SDs between people.

    The change is in per cent for a parameter that varies in its logarithm, else in mV.
    """
    rows: dict[str, tuple[float, float, str]] = {}
    for spread in axon_spread(axon).values():
        difference = float(spread.per_score @ np.array(scores)) if scores else 0.0
        if spread.sd > 0.0:
            percent = 100.0 * (np.exp(difference) - 1.0)
            change, unit = (percent, "%") if spread.unit == "ln" else (difference, "mV")
            rows[spread.label] = (abs(difference) / spread.sd, change, unit)
    first = sorted(rows, key=lambda label: -rows[label][0])[:most]
    return [(label, rows[label][1], rows[label][2]) for label in first]
