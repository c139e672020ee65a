"""Rates of the same people in two states, as a ratio with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.parameters import parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    pass


@dataclass(frozen=True)
class Ratio:
    """Rate ratio of the same people in two states: value and 95 % interval."""

    value: float
    low: float
    high: float
    people: int

    @property
    def change(self) -> str:
        """``"more"``, ``"fewer"`` or ``"same"`` by the rules."""
        edge = parameter("study", "smallest_ratio")
        if self.low > edge:
            return "more"
        return "fewer" if self.high < 1.0 / edge else "same"

    def moved_to(self, value: float) -> Ratio:
        """Return the ratio with its interval, moved to another value."""
        times = value / self.value
        return Ratio(value, self.low * times, self.high * times, self.people)


NO_RATIO = Ratio(float("nan"), float("nan"), float("nan"), 0)


def paired_ratio(rates: np.ndarray, healthy: np.ndarray) -> Ratio:
    """Return the geometric mean over people of rate / rate in health, with its interval.

    Parameters
    ----------
    rates, healthy : ndarray, shape (people,)
        Long-run twitches per minute of the same people. Rates below `rate_floor` count as
        that, so that the ratio does not depend on how long anybody was watched.
    """
    floor = parameter("study", "rate_floor")
    return mean_ratio(np.log(np.maximum(rates, floor) / np.maximum(healthy, floor)))


def shared_ratio(rates: Mapping[str, np.ndarray], name: str, against: str) -> Ratio:
    """Return the ratio of the people who were run in both scenarios."""
    n = min(rates[name].size, rates[against].size)
    return paired_ratio(rates[name][:n], rates[against][:n])


def mean_ratio(log: np.ndarray) -> Ratio:
    """Return the ratio behind people's log ratios: geometric mean and t interval."""
    from scipy.special import stdtrit  # pyright: ignore[reportMissingTypeStubs]

    n = log.size
    mean = float(log.mean())
    half = np.inf
    if n > 1:
        tail = 0.5 + parameter("study", "confidence") / 2.0
        half = float(stdtrit(n - 1, tail) * log.std(ddof=1) / np.sqrt(n))
    return Ratio(float(np.exp(mean)), float(np.exp(mean - half)), float(np.exp(mean + half)), n)
