"""How much channel noise it takes to fire a site: its action.

A silent membrane fires when its channel noise happens to take a course that carries it
over the threshold. The likelihood of a course xi(t) of standard normals is
exp(-sum(xi^2)/2); the least such sum is the site's *action* S, and the rate of misfires
falls as exp(-S) but for slow factors (Freidlin & Wentzell 1984). The course is that which
moves the potential most in the membrane linearised at rest (its reversed response to the
noise, the matched filter); its amplitude is then raised in the full model until it fires.

Unlike the threshold for a current, the action is one coordinate for depolarised,
hyperpolarised, low-calcium and sodium-loaded membranes alike: `docs/model.md` shows it
against direct simulation.
"""

from __future__ import annotations

import numpy as np

from neurosim.membrane import equations as eq
from neurosim.membrane import kernel
from neurosim.membrane.axon import COARSE_DT_MS, Axons
from neurosim.sources import number

COURSE_MS = 8.0  # a longer course changes the action of no state by more than a few per cent
AFTER_MS = 5.0
AMPLITUDES = np.arange(0.5, 9.6, 0.75)  # actions up to 45; above that a site never fires
HALVINGS = 9


def jacobian(axons: Axons) -> np.ndarray:
    """Return d(flow)/d(state) at rest (per ms), shape (n, 10, 10)."""
    S, P = axons.rest, axons.P
    found = np.empty((S.shape[1], 10, 10))
    for k in range(10):
        step = np.zeros((10, 1))
        step[k] = 1e-4 if k < 2 else 1e-6
        found[:, :, k] = ((eq.flow(S + step, P) - eq.flow(S - step, P)) / (2 * step[k])).T
    return found


def _matrix_exponential(a: np.ndarray) -> np.ndarray:
    """Return exp of a stack of matrices: Taylor on a/2^s, squared s times."""
    s = max(0, int(np.ceil(np.log2(max(np.abs(a).sum(axis=2).max(), 1e-9)))) + 3)
    scaled = a / 2.0**s
    total = term = np.broadcast_to(np.eye(a.shape[1]), a.shape).copy()
    for k in range(1, 9):
        term = term @ scaled / k
        total = total + term
    for _ in range(s):
        total = total @ total
    return total


def noise_course(axons: Axons, dt: float = COARSE_DT_MS) -> np.ndarray:
    """Return the most effective course of channel noise, shape (steps, 3, n), unit action norm.

    Rows are the standard normals of gates m, h and p; the last step is the latest.
    """
    S, r = axons.rest, dict(zip(eq.PARAMETERS, axons.P, strict=True))
    kick = np.empty((S.shape[1], 3))
    for k, (rates, phi, size) in enumerate((
        (eq.rates_m(S[0] + r["shift_m"]), r["phi_m"], r["noise_mh"]),
        (eq.rates_h(S[0] + r["shift_h"]), r["phi_h"], r["noise_mh"]),
        (eq.rates_m(S[0] + r["shift_p"]), r["phi_p"], r["noise_p"]),
    )):  # fmt: skip
        a, b = rates
        kick[:, k] = eq.jitter(a / (a + b), a * phi, b * phi, dt, size, 1.0)
    forward = _matrix_exponential(jacobian(axons) * dt)
    steps = round(COURSE_MS / dt)
    course = np.empty((steps, 3, S.shape[1]))
    effect = np.zeros((S.shape[1], 1, 10))
    effect[:, 0, 0] = 1.0
    for t in range(steps - 1, -1, -1):
        course[t] = (effect[:, 0, 2:5] * kick).T
        effect = np.clip(effect @ forward, -1e6, 1e6)
    return course / np.sqrt((course**2).sum(axis=(0, 1)))


def action(axons: Axons, dt: float = COARSE_DT_MS) -> tuple[np.ndarray, np.ndarray]:
    """Return the action of each site and the height of the spike it fires.

    Parameters
    ----------
    axons : Axons
        Sites at rest; their channel noise is set here to `noise_channels`.
    dt : float
        Step, ms.

    Returns
    -------
    action : ndarray, shape (n,)
        Half the summed square of the least course that fires; NaN above 45.
    peak_mv : ndarray, shape (n,)
        Highest potential of the spike, mV; NaN where none is fired.
    """
    noisy = axons.with_noise(number("firing", "noise_channels"))
    course = noise_course(noisy, dt)
    n = noisy.P.shape[1]
    tail = np.zeros((round(AFTER_MS / dt), 3, n))

    def height(amplitude):
        S = noisy.rest.copy()
        first = kernel.driven(S, noisy.P, course, amplitude, dt)
        return np.maximum(first, kernel.driven(S, noisy.P, tail, amplitude, dt))

    low, high = np.zeros(n), np.full(n, np.nan)
    for a in AMPLITUDES:  # upwards: a stronger course may block a depolarised site
        fires = (height(np.full(n, a)) > -20.0) & np.isnan(high)
        high[fires], low[fires] = a, max(a - 0.75, 0.0)
        if not np.isnan(high).any():
            break
    never = np.isnan(high)
    high[never] = AMPLITUDES[-1]
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        fires = height(middle) > -20.0
        low, high = np.where(fires, low, middle), np.where(fires, middle, high)
    peak = height(high * 1.03)
    return np.where(never, np.nan, 0.5 * high * high), np.where(never, np.nan, peak)
