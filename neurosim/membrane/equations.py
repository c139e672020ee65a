"""The membrane equations of the human motor axon, one source for scalars and arrays.

Written branch-free with arithmetic only, so that NumPy runs a function on arrays (the
reference) and Numba compiles the same lines for scalars inside a vectorised loop
(`neurosim.membrane.compiled`). Units: mV, ms, pA, nS, pF, mmol/L.

Gate kinetics: rate forms of Schwarz et al. (1995) as used by McIntyre et al. (2002),
Howells et al. (2012) and Gaines et al. (2018), written for 36 degC; the temperature and
fit factors sit in the ``phi`` rows.
"""

from __future__ import annotations

import numpy as np

FARADAY = 96.48533  # pA per (1e-9 cm3/s x mmol/L), and C/mmol

STATE = ("E", "Ei", "m", "h", "p", "n", "s", "ni", "si", "q")
PARAMETERS = (
    # gate arguments are E (or Ei) + shift; phi scales both rates
    "shift_m", "phi_m", "shift_h", "phi_h", "shift_p", "phi_p",
    "shift_n", "shift_ni", "phi_n", "shift_s", "phi_s", "shift_q", "phi_q",
    # sodium: permeability, persistent share, GHK terms or ohmic slope and reversal
    "P_na", "f_nap", "u_per_mv", "ghk_out", "ghk_in", "ohm_slope", "ohm_reversal",
    # node, then internode
    "g_kf", "g_ks", "E_k", "g_lk", "E_lk", "I_pump",
    "gi_kf", "gi_ks", "g_h", "E_h", "gi_lk", "Ei_lk", "Ii_pump",
    # circuit
    "g_bb", "C_n", "C_my", "C_i",
    # channel noise: 1/sqrt(number of channels) of m and h, and of p; 0 for none
    "noise_mh", "noise_p",
)  # fmt: skip
ROW = {name: row for row, name in enumerate(PARAMETERS)}


def exp(x):
    """Return e to the x."""
    return np.exp(x)


def off_zero(x):
    """Return `x`, moved by 1e-5 if it is within 1e-5 of 0."""
    return x + 1e-5 * (abs(x) < 1e-5)


def linoid(x):
    """Return x / (1 - exp(-x)), finite at 0."""
    x = off_zero(x)
    return x / (1.0 - exp(-x))


# Rates of the form c (v + v0)/w / (1 - exp(-(v + v0)/w)), 1/ms at 36 degC: (c, v0, w)
OPEN_M, CLOSE_M = (67.671, 20.4, 10.3), (2.78464, 25.7, -9.16)
OPEN_H = (3.74, 114.0, -11.0)
OPEN_N, CLOSE_N = (0.05082, 83.2, 1.1), (0.8652, 66.0, -10.5)
OPEN_S, CLOSE_S = (0.071501, 23.5, 12.7), (0.039897, 91.1, -11.7)


def linoid_rate(v, form):
    """Return the rate at `v` of a `form` (c, v0, w)."""
    return form[0] * linoid((v + form[1]) / form[2])


def rates_m(v):
    """Return opening and closing rate (1/ms) of transient sodium activation at 36 degC."""
    return linoid_rate(v, OPEN_M), linoid_rate(v, CLOSE_M)


def closing_h(v):
    """Return the closing rate (1/ms) of fast sodium inactivation at 36 degC."""
    return 12.6 / (1.0 + exp((-31.8 - v) / 13.4))


def rates_h(v):
    """Return the rates (1/ms) of fast sodium inactivation at 36 degC."""
    return linoid_rate(v, OPEN_H), closing_h(v)


def rates_n(v):
    """Return the rates (1/ms) of the fast potassium gate at 36 degC."""
    return linoid_rate(v, OPEN_N), linoid_rate(v, CLOSE_N)


def rates_s(v):
    """Return the rates (1/ms) of the slow potassium gate at 36 degC."""
    return linoid_rate(v, OPEN_S), linoid_rate(v, CLOSE_S)


def rates_q(v):
    """Return the rates (1/ms) of the hyperpolarisation-activated gate at 36 degC."""
    a = exp((-107.3 - v) / 12.2)
    return 0.00522 * a, 0.00522 / a


def relax(y, a, b, dt):
    """Return gate `y` after `dt` ms at fixed rates.

    1/(1 + x + x^2/2 + x^3/6) stands for exp(-x) in inf + (y - inf) exp(-x): third order,
    positive, and a division is cheaper than an exponential.
    """
    x = (a + b) * dt
    c = 1.0 + x * (0.5 + x * 0.16666666666666666)
    return (y + a * dt * c) / (1.0 + x * c)


def jitter(y, a, b, dt, size, xi):
    """Return the Langevin term of one gate over `dt`.

    Ornstein-Uhlenbeck noise (Fox & Lu 1994) of `size` = 1/sqrt(number of channels), for a
    standard normal number `xi`.
    """
    inf = a / (a + b)
    x = (a + b) * dt
    d = 1.0 / (1.0 + x * (1.0 + x * (0.5 + x * 0.16666666666666666)))  # as in `relax`
    variance = inf * (1.0 - y) + (1.0 - inf) * y
    return size * np.sqrt(0.5 * abs(variance) * (1.0 - d * d)) * xi


def clip01(y):
    """Return `y` held between 0 and 1 without a branch."""
    y = 0.5 * (y + abs(y))
    return 0.5 * (y + 1.0 - abs(y - 1.0))


def ghk(e, u_per_mv, out, inside):
    """Return the constant-field driving force (pA per 1e-9 cm3/s) and its slope in E."""
    u = e * u_per_mv
    u = off_zero(u)
    w = exp(u)
    r = 1.0 / (1.0 - w)
    x = u * r
    z = FARADAY * x * (out - inside * w)
    slope = FARADAY * u_per_mv * ((out - inside * w) * r * (1.0 + x * w) - x * inside * w)
    return z, slope


def sodium_force(e, u_per_mv, out, inside, ohm_slope, ohm_reversal):
    """Return the driving force of the sodium channels and its slope: GHK, or ohmic if chosen.

    The ohmic choice has `ohm_slope` > 0, and `out` and `inside` 0.
    """
    z, slope = ghk(e, u_per_mv, out, inside)
    return z + ohm_slope * (e - ohm_reversal), slope + ohm_slope


def gate_m(e, y, shift, phi, dt):
    """Return gate m (or the persistent p) after `dt` at node potential `e`."""
    a, b = rates_m(e + shift)
    return relax(y, a, b, phi * dt)


def gate_h(e, y, shift, phi, dt):
    """Return gate h after `dt`."""
    a, b = rates_h(e + shift)
    return relax(y, a, b, phi * dt)


def noisy_m(e, y, shift, phi, size, xi, dt):
    """Return gate m (or p) after `dt`, with channel noise."""
    a, b = rates_m(e + shift)
    return clip01(relax(y, a, b, phi * dt) + jitter(y, a, b, phi * dt, size, xi))


def noisy_h(e, y, shift, phi, size, xi, dt):
    """Return gate h after `dt`, with channel noise."""
    a, b = rates_h(e + shift)
    return clip01(relax(y, a, b, phi * dt) + jitter(y, a, b, phi * dt, size, xi))


def gate_n(e, y, shift, phi, dt):
    """Return a fast potassium gate after `dt`."""
    a, b = rates_n(e + shift)
    return relax(y, a, b, phi * dt)


def gate_s(e, y, shift, phi, dt):
    """Return a slow potassium gate after `dt`."""
    a, b = rates_s(e + shift)
    return relax(y, a, b, phi * dt)


def gate_q(e, y, shift, phi, dt):
    """Return the hyperpolarisation-activated gate after `dt`."""
    a, b = rates_q(e + shift)
    return relax(y, a, b, phi * dt)


def node_current(
    e, m, h, p, n, s, P_na, f_nap, u_per_mv, ghk_out, ghk_in, ohm_slope, ohm_reversal,
    g_kf, g_ks, E_k, g_lk, E_lk, I_pump,
):  # fmt: skip
    """Return the node's outward current (pA) and its slope conductance (nS) at fixed gates."""
    z, slope = sodium_force(e, u_per_mv, ghk_out, ghk_in, ohm_slope, ohm_reversal)
    na = P_na * (m * m * m * h + f_nap * p * p * p)
    n2 = n * n
    gk = g_kf * n2 * n2 + g_ks * s
    return na * z + gk * (e - E_k) + g_lk * (e - E_lk) + I_pump, na * slope + gk + g_lk


def internode_current(e, n, s, q, g_kf, g_ks, E_k, g_h, E_h, g_lk, E_lk, I_pump):
    """Return the internode's outward current (pA) and conductance (nS) at fixed gates."""
    n2 = n * n
    gk = g_kf * n2 * n2 + g_ks * s
    gh = g_h * q
    return gk * (e - E_k) + gh * (e - E_h) + g_lk * (e - E_lk) + I_pump, gk + gh + g_lk


def solve(e, ei, current, g, current_i, g_i, stimulus, g_bb, c_n, c_my, c_i, dt):
    """Return both potentials after `dt`: one linearised trapezoidal 2x2 step."""
    bridge = g_bb * (e - ei)
    r1 = stimulus - current - bridge
    r2 = bridge - current_i
    half = 0.5 * dt
    a11 = c_n + c_my + half * (g + g_bb)
    a22 = c_i + c_my + half * (g_i + g_bb)
    a12 = -c_my - half * g_bb
    scale = dt / (a11 * a22 - a12 * a12)
    return e + scale * (a22 * r1 - a12 * r2), ei + scale * (a11 * r2 - a12 * r1)


def verdict(e, before, m, top, rest, t, width):
    """Return what step `t` of an answer to a pulse says: fired, failed, highest E, and when.

    A spike is E above -20 mV, during the pulse (`t` < `width`, in steps) only with m above 0.5.
    It has failed to come when E, after the pulse, is half-way back from its highest value
    to `rest`. The time is that of the crossing, in steps from the end of the pulse.
    """
    off = t >= width
    hit = (e > -20.0) & (off | (m > 0.5))
    top = 0.5 * (top + e + abs(top - e))
    level = 0.5 * (top + rest)
    over = off & (e < level)
    mark = -20.0 * hit + level * (1.0 - hit)
    change = before - e
    back = (mark - e) / (change + 1e-9 * (change == 0.0))
    return hit, over, top, t + 1.0 - width - 0.5 * (abs(back) - abs(back - 1.0) + 1.0)


# Rows of the stacked gates m, h, p, n, s, ni, si, q: their potential, shift, phi, forms
_POTENTIAL = [0, 0, 0, 0, 0, 1, 1, 1]
_SHIFT, _PHI = [0, 2, 4, 6, 9, 7, 9, 11], [1, 3, 5, 8, 10, 8, 10, 12]
_CLOSING = [0, 2, 3, 4, 5, 6]  # all but h and q close by a linoid
_LINOID = [*range(7), *_CLOSING]
_FORMS = np.array(
    [OPEN_M, OPEN_H, OPEN_M, OPEN_N, OPEN_S, OPEN_N, OPEN_S]
    + [CLOSE_M, CLOSE_M, CLOSE_N, CLOSE_S, CLOSE_N, CLOSE_S]
).T[:, :, None]


def packed(P):
    """Return shift and phi of the stacked gates, each shape (8, n), as `step` takes them."""
    return P[_SHIFT], P[_PHI]


def stacked_rates(S, shift):
    """Return both rates of all eight gates, each shape (8, n): few calls for NumPy."""
    v = S[_POTENTIAL] + shift
    a, b = np.empty_like(v), np.empty_like(v)
    found = linoid_rate(v[_LINOID], _FORMS)
    a[:7], b[_CLOSING] = found[:7], found[7:]
    b[1] = closing_h(v[1])
    a[7], b[7] = rates_q(v[7])
    return a, b


def step(S, P, stimulus, xi, dt, pack=None):
    """Return the ten states, shape (10, n), after `dt` ms.

    Gates live half a step before the potentials (leapfrog): they move over a whole step
    at the potential in its middle, then the potentials move at the gates in theirs. Second
    order in dt without noise; with noise (`xi`, three rows of standard normals, else None) it
    is Euler-Maruyama in law. `pack` is what `packed` returns, if it is at hand.
    """
    shift, phi = packed(P) if pack is None else pack
    a, b = stacked_rates(S, shift)
    dts = phi * dt
    out = np.empty_like(S)
    out[2:] = relax(S[2:], a, b, dts)
    if xi is not None:
        size = P[[37, 37, 38]]
        noise = jitter(S[2:5], a[:3], b[:3], dts[:3], size, np.stack(np.broadcast_arrays(*xi)))
        out[2:5] = clip01(out[2:5] + noise)
    m, h, p, n, s, ni, si, q = out[2:]
    E, Ei = S[:2]
    current, g = node_current(E, m, h, p, n, s, *P[13:26])
    current_i, g_i = internode_current(
        Ei, ni, si, q, P[26], P[27], P[22], P[28], P[29], P[30], P[31], P[32]
    )
    out[0], out[1] = solve(
        E, Ei, current, g, current_i, g_i, stimulus, P[33], P[34], P[35], P[36], dt
    )
    return out


def shifted(S, P, ms):
    """Return the states with every gate moved by `ms` (also negative) at its potential.

    Gates are half a step behind the potentials; where the step changes, this puts them right.
    """
    shift, phi = packed(P)
    a, b = stacked_rates(S, shift)
    return np.concatenate([S[:2], relax(S[2:], a, b, phi * ms)])


def flow(S, P):
    """Return the time derivative of the ten states (per ms), shape (10, n), without stimulus."""
    E, Ei, m, h, p, n, s, ni, si, q = S

    def gate(y, rates, phi):
        a, b = rates
        return (a * (1.0 - y) - b * y) * phi

    current, _ = node_current(E, m, h, p, n, s, *P[13:26])
    current_i, _ = internode_current(
        Ei, ni, si, q, P[26], P[27], P[22], P[28], P[29], P[30], P[31], P[32]
    )
    bridge = P[33] * (E - Ei)
    r1, r2 = -current - bridge, bridge - current_i
    a11, a22, a12 = P[34] + P[35], P[36] + P[35], -P[35]
    det = a11 * a22 - a12 * a12
    return np.stack([
        (a22 * r1 - a12 * r2) / det, (a11 * r2 - a12 * r1) / det,
        gate(m, rates_m(E + P[0]), P[1]), gate(h, rates_h(E + P[2]), P[3]),
        gate(p, rates_m(E + P[4]), P[5]), gate(n, rates_n(E + P[6]), P[8]),
        gate(s, rates_s(E + P[9]), P[10]), gate(ni, rates_n(Ei + P[7]), P[8]),
        gate(si, rates_s(Ei + P[9]), P[10]), gate(q, rates_q(Ei + P[11]), P[12]),
    ])  # fmt: skip
