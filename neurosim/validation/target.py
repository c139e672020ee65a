"""One target: what was published, what the model gives, whether it lies inside."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
