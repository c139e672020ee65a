"""The equations of one motor neuron of a pool, one step at a time.

The lines here are the only ones: NumPy runs them as they are, and Numba compiles them.
"""

from __future__ import annotations

import numpy as np

from neurosim.base.parameters import parameter

DT_MS = 0.2  # step of the potential
INPUT_MS = 1.0  # drive, inhibition and noise are held for this long
SUBSTEPS = round(INPUT_MS / DT_MS)
NOISE_HZ = (5.0, 10.0, 50.0)  # common slow, common fast, own: noise is below these


def _param(name: str) -> float:
    return parameter("pool", name)


def _soma_param(name: str) -> float:
    return parameter("soma", f"soma_{name}")


def step(v, w, ahp, rise, p, h, wait, u, P):
    """Return the states after one step of `DT_MS`, and whether the unit fired (1.0 or 0.0).

    Dendrite: tau dw/dt = -(w - rest) + u + PIC p h; PIC: tau_p dp/dt = -p + 1/(1 + exp((half -
    w)/slope)), tau_h dh/dt = 1 - (1 - least) p - h. Soma: tau dv/dt = -(v - rest) + u + PIC p h -
    AHP. AHP and threshold rise decay, and jump at v >= threshold; then v is held at the reset,
    the dendrite goes on. Each equation is linear in its own variable and is solved exactly with the
    others as they were. `u` is drive, other input and noise, mV; `P` has rows `ROWS`.
    """
    goal = P[1] + u + P[6] * p * h
    open_p = 1.0 / (1.0 + np.exp((P[7] - w) / P[8]))
    w = goal + (w - goal) * P[0]
    goal = goal - ahp
    v = goal + (v - goal) * P[0]
    h = h + (1.0 - (1.0 - P[11]) * p - h) * P[10]
    p = p + (open_p - p) * P[9]
    ahp, rise = ahp * P[2], rise * P[4]
    held = 1.0 * (wait > 0.5)
    v = v + (P[13] - v) * held
    fired = (1.0 - held) * (v >= P[12] + rise)
    wait = wait - held + (P[14] - wait) * fired
    return v, w, ahp + P[3] * fired, rise + P[5] * fired, p, h, wait, fired


def independent_noise() -> tuple[float, float, float]:
    """Return (share kept over one ms, SD of one kick) of a unit's own noise, and driving force."""
    keep = float(np.exp(-INPUT_MS * 2.0 * np.pi * NOISE_HZ[2] / 1000.0))
    return keep, float(np.sqrt(1.0 - keep**2)), _param("driving_force_mv")
