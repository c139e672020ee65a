"""The conditioning currents of the nerve-excitability test, before any test pulse is given.

An axon in every polarising current of the protocol, and after those and a conditioning pulse: its
states at the times from which `excitability` then asks for the threshold of a test pulse.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from neurosim.clinic.indices import POLARISED_FROM_MS, POLARISED_TO_MS
from neurosim.clinic.norms import TE_CURVES, norms
from neurosim.model.axon import equations, kernel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from neurosim.model.axon.axon import Axons

TEST_MS = 1.0
CONDITIONING = 1.5  # conditioning pulse of the recovery cycle, times the threshold
IV_MS = 200.0
TE_MS = POLARISED_TO_MS - POLARISED_FROM_MS
LONG_LEVELS = (-70, -100)  # %, for LONG_MS
LONG_MS = 200.0
LONG_DELAYS_MS = (0.0, 9.0, 10.0, 11.0, *range(20, 201, 10), 209.0, 210.0, 211.0,
                  *range(220, 311, 10))  # fmt: skip
# The step of conditioning currents and pulses later than this after a change of current: potentials
# differ by less than 0.01 mV from those of a step of 0.02 ms throughout (held by a test).
QUIET_DT_MS, SETTLED_MS = 0.04, 30.0


@cache
def te_delays() -> np.ndarray:
    """Return every delay of the four electrotonus norm curves, ms."""
    return np.unique(np.concatenate([norms()[name].x for name in TE_CURVES.values()]))


class PolarisedCourse(NamedTuple):
    """States of every body's courses at some times.

    Attributes
    ----------
    time_ms : ndarray, shape (t,)
    states : ndarray, shape (t, 10, n, courses)
        Gates are half of the finer step behind, as loops expect.
    rises : ndarray of int, shape (t, n, courses)
        How often E has risen through -20 mV so far.
    """

    time_ms: np.ndarray
    states: np.ndarray
    rises: np.ndarray

    def time_index(self, time_ms: ArrayLike) -> np.ndarray:
        """Return where in `time_ms` some times are."""
        return np.searchsorted(self.time_ms, time_ms)


def shift_gates(states: np.ndarray, P: np.ndarray, ms: float) -> np.ndarray:
    """Return states, shape (10, n), with every gate moved by `ms` at its potential."""
    return cast("Any", equations).shift_gates(states, P, ms)


def _shift_states(states: np.ndarray, P: np.ndarray, ms: float) -> np.ndarray:
    """Return states, shape (t, 10, n), with every gate moved by `ms` at its potential."""
    together = states.transpose(1, 0, 2).reshape(states.shape[1], -1)
    moved = shift_gates(together, np.tile(P, len(states)), ms)
    return moved.reshape(states.shape[1], len(states), -1).transpose(1, 0, 2)


def run_course(
    bodies: Axons,
    start: np.ndarray,
    current: np.ndarray,
    lasts: float,
    time_ms: np.ndarray,
    dt: float,
) -> PolarisedCourse:
    """Return courses in `current` for `lasts` ms and in none after it.

    The step is `QUIET_DT_MS` later than `SETTLED_MS` after the last change.

    Parameters
    ----------
    bodies : Axons
    start : ndarray, shape (10, n, courses)
    current : ndarray, shape (n, courses)
        pA.
    lasts : float
        ms; infinite if the current stays.
    time_ms : ndarray
        When to keep the states; rising.
    """
    n, courses = len(current), int(current.shape[1])
    repeated = bodies.take(np.repeat(np.arange(n), courses))
    state, last, level = start.reshape(len(start), -1).copy(), dt, current.ravel()
    settled = SETTLED_MS + (lasts if np.isfinite(lasts) else 0.0)
    bounds = [t for t in (0.0, lasts, settled) if t < time_ms[-1]]
    cuts = np.unique(np.concatenate([bounds, time_ms]))
    states: list[np.ndarray] = [state[None].copy()]
    rises: list[np.ndarray] = [np.zeros((1, state.shape[1]), int)]
    for late, step in ((False, dt), (True, max(dt, QUIET_DT_MS))):
        ends = cuts[1:][(cuts[1:] > settled) == late]
        if not ends.size:
            continue
        lag = 0.5 * (step - dt)
        if step != last:
            state, last = shift_gates(state, repeated.P, 0.5 * (last - step)), step
        begins = cuts[:-1][(cuts[1:] > settled) == late]
        counts = np.rint((ends - begins) / step).astype(int)
        part, peak = kernel.run_segments(
            state, repeated.P, np.outer(begins < lasts, level), counts, step
        )
        low = np.concatenate([states[-1][-1:, 0], part[:-1, 0]]) <= -20.0
        rises.append(rises[-1][-1] + np.cumsum(low & (peak > -20.0), axis=0))
        states.append(_shift_states(part, repeated.P, lag) if lag else part)
    keep = np.searchsorted(cuts, time_ms)
    return PolarisedCourse(
        time_ms,
        np.concatenate(states)[keep].reshape(keep.size, len(state), n, courses),
        np.concatenate(rises)[keep].reshape(keep.size, n, courses),
    )


def polarise(bodies: Axons, threshold: np.ndarray, dt: float) -> PolarisedCourse:
    """Return the courses in every current of the threshold I/V, from rest, for 200 ms."""
    level = np.outer(threshold, norms()["threshold_iv"].x / 100.0)
    delays = np.concatenate([te_delays(), LONG_DELAYS_MS]) - POLARISED_FROM_MS
    start = np.repeat(bodies.rest[:, :, None], level.shape[1], axis=2)
    time_ms = np.unique(np.append(delays[(delays >= 0.0) & (delays <= IV_MS)], [TE_MS, IV_MS]))
    return run_course(bodies, start, level, math.inf, time_ms, dt)


def level_columns(levels: Iterable[int]) -> np.ndarray:
    """Return which courses of `_polarised` have these currents, %."""
    return np.searchsorted(norms()["threshold_iv"].x, tuple(levels))


def release(
    bodies: Axons, threshold: np.ndarray, dt: float, on: PolarisedCourse | None
) -> PolarisedCourse:
    """Return the courses after the conditioning pulse and those of currents switched off.

    The latter, of `TE_CURVES` and `LONG_LEVELS`, are left out without `on`. The pulse of the
    first lasts from 0 to 1 ms, while the others have no current.
    """
    starts, time_ms = [bodies.rest[:, :, None]], norms()["recovery_cycle"].x
    if on is not None:
        starts += [on.states[on.time_index(TE_MS)][..., level_columns(TE_CURVES)]]
        starts += [on.states[on.time_index(IV_MS)][..., level_columns(LONG_LEVELS)]]
        ends = (te_delays() - TE_MS, np.array(LONG_DELAYS_MS) - LONG_MS)
        later = np.concatenate(ends) - POLARISED_FROM_MS
        time_ms = np.unique(np.concatenate([time_ms, later[later >= 0.0]]))
    start = np.concatenate(starts, axis=2)
    current = np.zeros(start.shape[1:])
    current[:, 0] = CONDITIONING * threshold
    return run_course(bodies, start, current, TEST_MS, time_ms, dt)
