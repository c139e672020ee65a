"""What may stop twitching, tried on a body that twitches for a given reason.

A remedy makes another body of a body, by what it can change: it never touches a rate. Where it
has nothing to mend (a diet for somebody who lacks nothing) the body stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurosim.base.parameters import number
from neurosim.model.body.remedies import NAMES
from neurosim.simulation.scenario import Scenario, relieved, scenario

CAUSES = (
    "normal", "low_calcium", "magnesium_depletion", "poor_nutrition", "dehydration",
    "dehydration_with_water", "anxiety", "stress", "caffeine", "sleep_loss", "kidney_disease",
    "serotonin_syndrome", "pinched_nerve", "nerve_damage", "als", "isaacs",
)  # fmt: skip


def tried(base: Scenario, causes: Sequence[str] = CAUSES) -> dict[str, Scenario]:
    """Return every cause alone and with every remedy, by name, in the muscle of `base`."""
    found = {}
    for cause in causes:
        asked = base.replace(name=cause, title=scenario(cause).title, body=scenario(cause).body)
        for one in (asked, *(relieved(asked, name) for name in NAMES)):
            found[one.name] = one
    return found


@dataclass(frozen=True)
class Matrix:
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


def matrix(base: Scenario, rates: dict[str, np.ndarray], causes: Sequence[str] = CAUSES) -> Matrix:
    """Return the matrix from rates by scenario name (those of `tried`), each of shape (people,)."""
    floor = number("study", "rate_floor")
    rows, changed = [], []
    for cause in causes:
        asked = base.replace(name=cause, body=scenario(cause).body)
        without = np.maximum(rates[cause], floor)
        names = [relieved(asked, name).name for name in NAMES]
        rows.append([np.log(np.maximum(rates[n], floor) / without) for n in names])
        changed.append([n != cause for n in names])
    return Matrix(tuple(causes), NAMES, np.array(rows), np.array(changed))
