"""The action of a site: how much channel noise it takes to fire it.

A silent membrane fires when its channel noise happens to take a course that carries it over the
threshold. The likelihood of a course xi(t) of standard normals is exp(-sum(xi^2)/2); the least
sum(xi^2)/2 that fires is the site's *action* S, and the rate of misfires falls as exp(-S), up to
slowly varying factors (Freidlin & Wentzell 1984). The course used is the one that moves the
potential most in the membrane linearised at rest (the time-reversed response to the noise, its
matched filter); its amplitude is then raised in the full model until the site fires.

Unlike the threshold for a current, the action is one coordinate for depolarised,
hyperpolarised, low-calcium and sodium-loaded membranes alike: `docs/model.md` shows it
against direct simulation.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.axon import equations as eq
from neurosim.model.axon import kernel
from neurosim.model.axon.axon import COARSE_DT_MS, Axons

COURSE_MS = 8.0  # a longer course changes the action of no state by more than a few per cent
AFTER_MS = 5.0
STRIDE, HIGHEST = 0.75, 9.5  # of amplitudes: actions up to 45; beyond, a site counts as silent
SILENT_MV = 0.75  # a course that moves the linear membrane less never fires (least seen: 1.1)
HALVINGS = 9


def jacobian(axons: Axons) -> np.ndarray:
    """Return d(flow)/d(state) at rest (per ms), shape (n, 10, 10)."""
    S, P = axons.rest, axons.P
    slopes = np.empty((S.shape[1], 10, 10))
    for k in range(10):
        step = np.zeros((10, 1))
        step[k] = 1e-4 if k < 2 else 1e-6
        slopes[:, :, k] = ((eq.flow(S + step, P) - eq.flow(S - step, P)) / (2 * step[k])).T
    return slopes


def _matrix_exponential(a: np.ndarray) -> np.ndarray:
    """Return the exponentials of a stack of matrices: Taylor series of a/2^s, squared s times.

    Each matrix has its own s. SciPy's function, which treats them one by one, would cost more
    than a whole hazard table.
    """
    norm = np.abs(a).sum(axis=2).max(axis=1)
    s = np.maximum(np.ceil(np.log2(np.maximum(norm, 1e-9))) + 3.0, 0.0)
    scaled = a / 2.0 ** s[:, None, None]
    total = term = np.broadcast_to(np.eye(a.shape[1]), a.shape).copy()
    for k in range(1, 9):
        term = term @ scaled / k
        total = total + term
    for k in range(int(s.max(initial=0.0))):
        total[s > k] = total[s > k] @ total[s > k]
    return total


def noise_course(axons: Axons, dt: float = COARSE_DT_MS) -> np.ndarray:
    """Return the most effective course of channel noise, shape (steps, 3, n), of unit norm.

    Rows are the standard normals of gates m, h and p, in the order of time.
    """
    S, r = axons.rest, dict(zip(eq.PARAMETERS, axons.P, strict=True))
    kick = np.empty((S.shape[1], 3))
    equations = cast("Any", eq)  # a kernel has no types
    for k, (rates, phi, size) in enumerate(
        (
            (equations.rates_m(S[0] + r["shift_m"]), r["phi_m"], r["noise_mh"]),
            (equations.rates_h(S[0] + r["shift_h"]), r["phi_h"], r["noise_mh"]),
            (equations.rates_m(S[0] + r["shift_p"]), r["phi_p"], r["noise_p"]),
        )
    ):
        a, b = rates
        kick[:, k] = equations.jitter(a / (a + b), a * phi * dt, b * phi * dt, size, 1.0)
    forward = _matrix_exponential(jacobian(axons) * dt)
    return kernel.matched_noise(forward, kick, round(COURSE_MS / dt))


def escape_action(axons: Axons, dt: float = COARSE_DT_MS) -> tuple[np.ndarray, np.ndarray]:
    """Return the action of each site and the height of the spike it fires.

    Parameters
    ----------
    axons : Axons
        Sites at rest; their channel noise is set to `noise_channels`.
    dt : float
        Step, ms.

    Returns
    -------
    action : ndarray, shape (n,)
        Half the sum of squares of the least course that fires; NaN above 45.
    peak_mv : ndarray, shape (n,)
        Highest potential of the spike, mV; NaN where none is fired.
    """
    noisy = axons.with_noise(parameter("firing", "noise_channels"))
    course = noise_course(noisy, dt)
    after, n = round(AFTER_MS / dt), noisy.P.shape[1]

    # search upwards on a grid, since a stronger course may block a depolarised site
    least = _largest_silent(noisy, course, dt)
    which = np.flatnonzero(least <= HIGHEST)
    search = np.stack(
        np.broadcast_arrays(least[which], 1.0, STRIDE, HIGHEST, STRIDE * 0.5**HALVINGS)
    )
    _, high, *_ = kernel.find_noise_threshold(
        noisy.rest, noisy.P, which, course, after, noisy.rest[0], search, dt
    )
    action, peak = np.full(n, np.nan), np.full(n, np.nan)
    which, high = which[np.isfinite(high)], high[np.isfinite(high)]
    if not which.size:
        return action, peak
    action[which] = 0.5 * high**2
    S, P = noisy.rest[:, which], noisy.P[:, which]
    first = kernel.run_with_noise(S, P, course[:, :, which], high * 1.03, dt)
    tail = np.zeros((after, 3, which.size))
    peak[which] = np.maximum(first, kernel.run_with_noise(S, P, tail, 0.0 * high, dt))
    return action, peak


def _largest_silent(noisy: Axons, course: np.ndarray, dt: float) -> np.ndarray:
    """Return the largest grid amplitude at which the linear membrane stays below `SILENT_MV`.

    Extrapolated from the response to a course of small amplitude; the grid begins at 0.5.
    """
    S, small = noisy.rest.copy(), 0.02
    n = S.shape[1]
    height = (
        kernel.run_with_noise(S, noisy.P, course, cast("np.ndarray", np.full(n, small)), dt)
        - noisy.rest[0]
    )
    silent = SILENT_MV * small / np.maximum(height, 1e-12)
    return 0.5 + STRIDE * np.floor(np.maximum(silent - 0.5, 0.0) / STRIDE)
