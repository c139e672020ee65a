"""The equations that a chain of nodes adds to `equations`: axial current and slow feedbacks.

NumPy runs these lines as they are, and Numba compiles the same lines.
"""

from __future__ import annotations

from neurosim.model.axon import equations as eq

SLOW = ("outward_pa", "available", "potassium_mmol_l")
FEEDBACK = (
    "per_spike", "decay", "s_half", "s_width", "s_scale", "s_rate",
    "k_gain", "k_rate", "k_bath", "kt", "leak_share", "leak_share_i", "h_sodium", "ik_rest",
)  # fmt: skip
(
    PER_SPIKE, DECAY, S_HALF, S_WIDTH, S_SCALE, S_RATE,
    K_GAIN, K_RATE, K_BATH, KT, LEAK_SHARE, LEAK_SHARE_I, H_SODIUM, IK_REST,
) = (*range(len(FEEDBACK)),)  # fmt: skip
FEEDBACK_ROWS = {name: row for row, name in enumerate(FEEDBACK)}
SCALED_CHANNELS = {
    "internode": ("gi_kf", "gi_ks", "g_h", "gi_lk", "Ii_pump", "C_my", "C_i"),
    "bridge": ("g_bb",),
    "node": ("P_na", "g_kf", "g_ks", "g_lk", "I_pump", "C_n"),
    "capacity": ("C_n",),
    "myelin_capacity": ("C_my",),
}


def available_sodium(e, s_half, s_width, s_scale):
    """Return the steady share of sodium channels not slowly inactivated, relative to rest."""
    return s_scale / (1.0 + eq.exp((e - s_half) / s_width))


def log_ratio(x):
    """Return ln(x), within 0.8 % from x = 1/3 to 3: a Pade form that needs no logarithm."""
    return 3.0 * (x * x - 1.0) / (x * (x + 4.0) + 1.0)


def nernst_shift(k, k_bath, kt, h_sodium):
    """Return the shifts of E_K and E_H (mV) by potassium `k` outside instead of `k_bath`."""
    return kt * log_ratio(k / k_bath), kt * log_ratio((k + h_sodium) / (k_bath + h_sodium))


def potassium_current(e, n, s, g_kf, g_ks, E_k, g_lk_k):
    """Return the potassium current (pA) of one membrane: fast, slow and leak."""
    n2 = n * n
    return (g_kf * n2 * n2 + g_ks * s + g_lk_k) * (e - E_k)


def internode_row(e, ei, current_i, g_i, g_bb, c_my, c_i, dt):
    """Return the internode's own change (mV) in one step, and its share of the node's change."""
    half = 0.5 * dt
    a22 = c_i + c_my + half * (g_i + g_bb)
    a12 = -c_my - half * g_bb
    return dt * (g_bb * (e - ei) - current_i) / a22, a12 / a22


def node_row(e, ei, current, g, own, share, stimulus, left, right, axial, g_bb, c_n, c_my, dt):
    """Return diagonal and right side of the node's linearised trapezoidal step.

    `left`, `right` are the axial conductances and `axial` the current they bring; the
    internode is eliminated by its `own` change and its `share` (`internode_row`).
    """
    half = 0.5 * dt
    a12 = -c_my - half * g_bb
    diagonal = c_n + c_my + half * (g + g_bb + left + right) - a12 * share
    return diagonal, dt * (stimulus - current - g_bb * (e - ei) + axial) - a12 * own


def eliminate_row(diagonal, rhs, off, diagonal_before, rhs_before):
    """Return a row of the tridiagonal system with the row before it eliminated (Thomas)."""
    w = off / diagonal_before
    return diagonal - w * off, rhs - w * rhs_before
