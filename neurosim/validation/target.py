"""One target: what was published, what the model gives, whether it lies inside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosim.base.viewable import Viewable

if TYPE_CHECKING:
    from neurosim.base.parameters import Key

INF = math.inf
COLUMNS = (
    "target", "quantity", "unit", "condition", "published_low", "published_high", "model",
    "inside", "grade", "source",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One target; its range is open on one side where only a sign was published."""

    target: str
    quantity: str
    unit: str
    condition: str
    published_low: float
    published_high: float
    model: float
    grade: str
    source: str

    @property
    def inside(self) -> bool:
        """Whether the model's value lies in the published range (NaN does not)."""
        return bool(self.published_low <= self.model <= self.published_high)

    @property
    def is_sign(self) -> bool:
        """Whether the published range is open on a side, so that only a sign is asked."""
        return not (math.isfinite(self.published_low) and math.isfinite(self.published_high))

    @property
    def place(self) -> float:
        """Where the model lies: 0 in the middle of the published range, -1 and 1 at its ends.

        NaN for a range that is open on one side or of no width.
        """
        low, high = self.published_low, self.published_high
        if not (math.isfinite(low) and math.isfinite(high) and high > low):
            return math.nan
        return (self.model - 0.5 * (low + high)) / (0.5 * (high - low))


@dataclass(frozen=True, repr=False)
class Validation(Viewable):
    """The model against published numbers, misses included.

    Attributes
    ----------
    rows : tuple of Row
        Every target, with the model's value.
    not_computable : tuple of (str, str, str)
        Target, fact, and why the model cannot compute it.
    parameters : frozenset of (str, str)
        Group and name of every parameter that was read.
    """

    rows: tuple[Row, ...]
    not_computable: tuple[tuple[str, str, str], ...]
    parameters: frozenset[Key] = frozenset()

    @property
    def misses(self) -> tuple[Row, ...]:
        """The targets whose published range the model leaves."""
        return tuple(row for row in self.rows if not row.inside)
