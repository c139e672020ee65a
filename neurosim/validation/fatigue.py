"""How a muscle that holds a force fatigues, unit by unit (Potvin & Fuglevand 2017).

Units are rate-coded: excitation sets each unit's rate, rate its force by the curve of `force`, and
force times fatigability what it loses; a tired unit is slower, a long-driven one fires less. In
each step the least excitation is taken that gives the target force. Recovery, which the published
model lacks, is a return to full force in proportion to what is lost and to how little the unit is
active; it is off by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import NeurosimError, number_within
from neurosim.base.parameters import parameter
from neurosim.model.muscle.force import force_fraction

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

STEP_S = 0.1
EXCITATION_STEP = 0.01  # to which the excitation is found, as in the authors' code


def _param(name: str) -> float:
    return parameter("fatigue", name)


@dataclass(frozen=True, eq=False)
class RateCodedUnits:
    """Rate-coded units, the smallest first; arrays of shape (units,).

    Attributes
    ----------
    threshold : ndarray
        Excitation that recruits a unit, from 1.
    highest_per_s : ndarray
        Largest rate.
    force : ndarray
        Force at full activation, in that of the smallest unit.
    contraction_time_ms : ndarray
        Of a rested unit.
    loss_per_s : ndarray
        Share of its rested force lost each second at full activation.
    recovery_tau_s : ndarray
        Time constant of recovery.
    """

    threshold: np.ndarray
    highest_per_s: np.ndarray
    force: np.ndarray
    contraction_time_ms: np.ndarray
    loss_per_s: np.ndarray
    recovery_tau_s: np.ndarray

    @property
    def full_excitation(self) -> float:
        """Excitation at which the last unit has its largest rate."""
        above = self.highest_per_s[-1] - _param("lowest_rate")
        return float(self.threshold[-1] + above / _param("rate_gain"))


def build_units() -> RateCodedUnits:
    """Return the units of Potvin & Fuglevand (2017)."""
    n = round(_param("units"))
    rank = np.arange(n) / (n - 1)
    threshold = _param("recruitment_range") ** rank
    force = _param("force_range") ** rank
    c = np.log(_param("force_range")) / np.log(_param("contraction_time_range"))
    fall = (threshold - 1.0) / (threshold[-1] - 1.0)
    slow, fast = _param("recovery_tau_slow_s"), _param("recovery_tau_fast_s")
    return RateCodedUnits(
        threshold=threshold,
        highest_per_s=_param("highest_rate_first") - _param("highest_rate_fall") * fall,
        force=force,
        contraction_time_ms=_param("contraction_time_slow_ms") * force ** (-1.0 / c),
        loss_per_s=_param("fatigability_largest") * _param("fatigability_range") ** (rank - 1.0),
        recovery_tau_s=slow * (fast / slow) ** rank,
    )


def rates_per_s(units: RateCodedUnits, excitation: ArrayLike, on_s: ArrayLike = 0.0) -> np.ndarray:
    """Return the rate of every unit, per s; 0 below its threshold.

    Parameters
    ----------
    units : RateCodedUnits
        The pool.
    excitation : float or array_like, shape (..., 1)
        Common drive.
    on_s : float or ndarray, shape (units,)
        For how long each unit has fired, which lowers its rate.
    """
    lowest, slope, adaptation, offset, tau_s = _rate_parameters()
    above = np.asarray(excitation, float) - units.threshold
    rate = np.minimum(lowest + slope * above, units.highest_per_s)
    share = adaptation * (units.threshold - 1.0) / (units.threshold[-1] - 1.0)
    rate = rate + share * (rate - lowest + offset) * np.expm1(-np.asarray(on_s, float) / tau_s)
    return np.where(above >= 0.0, rate, 0.0)


@cached()
def _rate_parameters() -> tuple[float, ...]:
    names = ("lowest_rate", "rate_gain", "adaptation", "adaptation_offset", "adaptation_tau_s")
    return tuple(_param(name) for name in names)


@dataclass(frozen=True, eq=False)
class Effort:
    """A held force against time.

    Attributes
    ----------
    time_s : ndarray, shape (T,)
        Start of each step.
    force_percent : ndarray, shape (T,)
        Force, % of the rested largest.
    target_percent : ndarray, shape (T,)
        Target force, % of the rested largest.
    excitation_percent : ndarray, shape (T,)
        Drive, % of full.
    capacity_percent : ndarray, shape (T,)
        What full drive would give without adaptation, % of the rested largest.
    left : ndarray, shape (units,)
        Share of its rested force that each unit has at the end.
    """

    time_s: np.ndarray
    force_percent: np.ndarray
    target_percent: np.ndarray
    excitation_percent: np.ndarray
    capacity_percent: np.ndarray
    left: np.ndarray

    @property
    def endurance_s(self) -> float:
        """Time of the first step in which the target is not reached; infinite if it always is."""
        short = self.force_percent < self.target_percent - 1e-9
        return float(self.time_s[short.argmax()]) if short.any() else float("inf")


def simulate_effort(
    target_percent: ArrayLike,
    *,
    recovery: bool = False,
    units: RateCodedUnits | None = None,
    stop: bool = False,
) -> Effort:
    """Return how a muscle follows a target force.

    Parameters
    ----------
    target_percent : array_like, shape (T,)
        Target force in each step of `STEP_S`, % of the rested largest, 0 to 100.
    recovery : bool
        Whether units recover (assumed) or only fatigue (as published).
    units : RateCodedUnits, optional
        Another pool than that of `build_units`.
    stop : bool
        Whether to end with the first step in which the target is not reached.

    Raises
    ------
    NeurosimError
        If the target is no series of such numbers.

    References
    ----------
    Potvin JR, Fuglevand AJ (2017) A motor unit-based model of muscle fatigue. PLoS Comput Biol
    13:e1005581.
    """
    target = _check_target(target_percent)
    pool = build_units() if units is None else units
    full = pool.full_excitation
    largest = float(_unit_forces(pool, full, 0.0, np.ones_like(pool.force))[1].sum())
    left, on_s = np.ones_like(pool.force), np.zeros_like(pool.force)
    columns, e = np.empty((3, target.size)), 0.0
    for i, percent in enumerate(target):
        e = _least_excitation(pool, full, e, on_s, left, percent / 100.0 * largest)
        active, force = _unit_forces(pool, e, on_s, left)
        capacity = _unit_forces(pool, full, 0.0, left)[1].sum()
        columns[:, i] = force.sum() / largest, e / full, capacity / largest
        if stop and force.sum() < percent / 100.0 * largest - 1e-9:
            target, columns = target[: i + 1], columns[:, : i + 1]
            break
        recovered = recovery * (1.0 - left) * (1.0 - active) / pool.recovery_tau_s
        left = np.clip(left + STEP_S * (recovered - pool.loss_per_s * active), 0.0, 1.0)
        on_s = np.where(active > 0.0, on_s + STEP_S, 0.0)
    time = STEP_S * np.arange(target.size)
    force, excitation, capacity = 100.0 * columns
    return Effort(time, force, target, excitation, capacity, left)


def longest_hold_s(percent: float, longest_s: float = 1000.0, *, recovery: bool = False) -> float:
    """Return for how long a force can be held, s; infinite if longer than `longest_s`.

    `recovery` as in `simulate_effort`.
    """
    number_within("percent", percent, 0.0, 100.0, "%")
    steps = round(number_within("longest_s", longest_s, STEP_S, 1e5, "s") / STEP_S)
    target = np.full(steps, float(percent))
    return simulate_effort(target, recovery=recovery, stop=True).endurance_s


def _unit_forces(
    pool: RateCodedUnits, excitation: float, on_s: ArrayLike, left: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return activation (0 to 1) and force of every unit."""
    slowing = _param("slowing")
    slowed = pool.contraction_time_ms * (1.0 + slowing * (1.0 - left))
    active = force_fraction(slowed / 1000.0 * rates_per_s(pool, excitation, on_s))
    return active, active * left * pool.force


def _least_excitation(
    pool: RateCodedUnits,
    full: float,
    near: float,
    on_s: np.ndarray,
    left: np.ndarray,
    target: float,
) -> float:
    """Return the least excitation, in whole steps, that gives a force, or the full one.

    Force rises with excitation; the search starts `near` the last answer and halves its bracket.
    """
    if target <= 0.0:
        return 0.0

    def enough(step: int) -> bool:
        return _unit_forces(pool, step * EXCITATION_STEP, on_s, left)[1].sum() >= target

    most = int(np.ceil(full / EXCITATION_STEP))
    low, high, width = -1, min(round(near / EXCITATION_STEP), most), 1
    if enough(high):
        while high - width > 0 and enough(high - width):
            high, width = high - width, 2 * width
        low = max(high - width, -1)
    else:
        while high < most and not enough(high):
            low, high, width = high, min(high + width, most), 2 * width
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return min(high * EXCITATION_STEP, full)


def _check_target(target_percent: ArrayLike) -> np.ndarray:
    try:
        target = np.atleast_1d(np.asarray(target_percent, dtype=float))
    except (TypeError, ValueError):
        target = np.array([np.nan])
    if target.ndim != 1 or not ((target >= 0.0) & (target <= 100.0)).all():
        raise NeurosimError("target_percent must be a series of numbers from 0 to 100 %.")
    return target
