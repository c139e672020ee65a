"""What may stop twitching, tried on a body that twitches for a given reason.

A remedy changes the body, never a rate. Where it has nothing to correct (a diet for somebody who
lacks nothing) the body stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.body.remedies import REMEDY_NAMES
from neurosim.simulation.scenario import Scenario, apply_remedy, load_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

CAUSES = (
    "normal", "low_calcium", "magnesium_depletion", "poor_nutrition", "dehydration",
    "dehydration_with_water", "anxiety", "stress", "caffeine", "sleep_loss", "kidney_disease",
    "serotonin_syndrome", "pinched_nerve", "nerve_damage", "als", "isaacs",
)  # fmt: skip


def remedy_scenarios(base: Scenario, causes: Sequence[str] = CAUSES) -> dict[str, Scenario]:
    """Return every cause alone and with every remedy, by name, in the muscle of `base`."""
    scenarios: dict[str, Scenario] = {}
    for cause in causes:
        scenario = base.replace(
            name=cause, title=load_scenario(cause).title, body=load_scenario(cause).body
        )
        for each in (scenario, *(apply_remedy(scenario, name) for name in REMEDY_NAMES)):
            scenarios[each.name] = each
    return scenarios


@dataclass(frozen=True)
class RemedyMatrix:
    """Rates of people with every remedy against the same people without, by cause.

    Attributes
    ----------
    causes, remedies : tuple of str
    log_ratio : ndarray, shape (causes, remedies, people)
        ln of the ratio; 0 where the remedy has nothing to change.
    applies : ndarray of bool, shape (causes, remedies)
        Whether the remedy changes the body.
    """

    causes: tuple[str, ...]
    remedies: tuple[str, ...]
    log_ratio: np.ndarray
    applies: np.ndarray


def remedy_matrix(
    base: Scenario, rates: dict[str, np.ndarray], causes: Sequence[str] = CAUSES
) -> RemedyMatrix:
    """Return the matrix from rates, shape (people,), by name of the `remedy_scenarios`."""
    floor = parameter("study", "rate_floor")
    log_ratios: list[list[np.ndarray]] = []
    applies: list[list[bool]] = []
    for cause in causes:
        scenario = base.replace(name=cause, body=load_scenario(cause).body)
        without = np.maximum(rates[cause], floor)
        names = [apply_remedy(scenario, name).name for name in REMEDY_NAMES]
        log_ratios.append([np.log(np.maximum(rates[n], floor) / without) for n in names])
        applies.append([n != cause for n in names])
    return RemedyMatrix(tuple(causes), REMEDY_NAMES, np.array(log_ratios), np.array(applies))
