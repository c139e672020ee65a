"""How many parameters something rests on, and how many of them nobody has measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neurosim.base.viewable import sources_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from neurosim.base.parameters import Key


class AssumptionCount(NamedTuple):
    """How many parameters a result leans on, and how many of them are assumed."""

    numbers: int
    assumed: int

    def words(self, what: str = "This leans") -> str:
        """Return both in words, without a full stop; `what` is subject and verb."""
        return f"{what} on {self.numbers} numbers, {self.assumed} of them assumed"


def count_assumptions(parameters: Collection[Key]) -> AssumptionCount:
    """Return how many of a result's parameters there are, and how many of them are assumed.

    Parameters
    ----------
    parameters : collection of (str, str)
        Those of a result (`neurosim.base.viewable.Viewable.parameters`).
    """
    used = sources_of(parameters)
    return AssumptionCount(len(used), used.grades["assumed"])


def assumption_words(parameters: Collection[Key], what: str = "This leans") -> str:
    """Return how many parameters a result leans on, how many are assumed, and who lists them."""
    return f"{count_assumptions(parameters).words(what)} ('neurosim sources' lists them)."
