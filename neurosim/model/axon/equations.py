"""The membrane equations of the human motor axon, one source for scalars and arrays.

Written branch-free with arithmetic only, so that NumPy runs a function on arrays (the
reference) and Numba compiles the same lines for scalars inside a vectorised loop
(`neurosim.model.axon.compiled`). Units: mV, ms, pA, nS, pF, mmol/L.

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
# Rows of the states after both potentials, and of the parameters, by name.
S_M, S_H, S_P, S_N, S_S, S_NI, S_SI, S_Q = range(2, len(STATE))
(
    SHIFT_M, PHI_M, SHIFT_H, PHI_H, SHIFT_P, PHI_P,
    SHIFT_N, SHIFT_NI, PHI_N, SHIFT_S, PHI_S, SHIFT_Q, PHI_Q,
    P_NA, F_NAP, U_PER_MV, GHK_OUT, GHK_IN, OHM_SLOPE, OHM_REVERSAL,
    G_KF, G_KS, E_K, G_LK, E_LK, I_PUMP,
    GI_KF, GI_KS, G_H, E_H, GI_LK, EI_LK, II_PUMP,
    G_BB, C_N, C_MY, C_I,
    NOISE_MH, NOISE_P,
) = (*range(len(PARAMETERS)),)  # fmt: skip
NODE = slice(P_NA, I_PUMP + 1)  # what `node_current` takes after the gates
INTERNODE = [GI_KF, GI_KS, E_K, G_H, E_H, GI_LK, EI_LK, II_PUMP]  # the same of `internode_current`
CIRCUIT = slice(G_BB, C_I + 1)  # of `solve`


def exp(x):
    """Return e to the x."""
    return np.exp(x)


def exp2(x):
    """Return 2 to the x."""
    return np.exp2(x)


def off_zero(x):
    """Return `x`, moved by 1e-5 if it is within 1e-5 of 0."""
    return x + 1e-5 * (abs(x) < 1e-5)


LN2 = 0.6931471805599453


def _rate_form(c, v0, w):
    """Return factor, slope and offset of c x/(1 - exp(-x)), x = (v + v0)/w, in powers of 2.

    It is (c ln 2) z/(2^z - 1) at z = slope v + offset.
    """
    return c * LN2, -1.0 / (w * LN2), -v0 / (w * LN2)


# Rates of the form c (v + v0)/w / (1 - exp(-(v + v0)/w)), 1/ms at 36 degC, from c, v0, w
OPEN_M, CLOSE_M = _rate_form(67.671, 20.4, 10.3), _rate_form(2.78464, 25.7, -9.16)
OPEN_H = _rate_form(3.74, 114.0, -11.0)
OPEN_N, CLOSE_N = _rate_form(0.05082, 83.2, 1.1), _rate_form(0.8652, 66.0, -10.5)
OPEN_S, CLOSE_S = _rate_form(0.071501, 23.5, 12.7), _rate_form(0.039897, 91.1, -11.7)


def linoid_parts(z, e):
    """Return numerator and denominator of z / (e - 1) for e = 2^z, both above 0.

    z / d is written (z d + t) / (d d + t ln 2), which is finite and exact at 0; with t = 1e-12
    the relative error is below 3e-7 near 0 and vanishes away from it.
    """
    d = e - 1.0
    return z * d + 1e-12, d * d + 6.931471805599453e-13


def linoid_rate(v, form):
    """Return the rate at `v` of a `form` (factor, slope, offset)."""
    z = v * form[1] + form[2]
    top, bottom = linoid_parts(z, exp2(z))
    return form[0] * top / bottom


def linoid_pair(za, ea, zb, eb, a, b, scale):
    """Return two rates times `scale` with one division, from z and 2^z of each."""
    top_a, bottom_a = linoid_parts(za, ea)
    top_b, bottom_b = linoid_parts(zb, eb)
    r = scale / (bottom_a * bottom_b)
    return a * (top_a * bottom_b) * r, b * (top_b * bottom_a) * r


def linoid_rates(v, opening, closing, scale):
    """Return the rates at `v` of two forms, times `scale`."""
    za, zb = v * opening[1] + opening[2], v * closing[1] + closing[2]
    return linoid_pair(za, exp2(za), zb, exp2(zb), opening[0], closing[0], scale)


def rates_m(v, scale=1.0):
    """Return opening and closing rate (1/ms) of transient sodium activation at 36 degC."""
    return linoid_rates(v, OPEN_M, CLOSE_M, scale)


def rates_mp(e, shift_m, shift_p, ratio_open, ratio_close, scale_m, scale_p):
    """Return the rates of m and of p at `e`, computing their powers of 2 only once.

    p has the kinetics of m at another shift, so its powers are those of m times `ratio_open`
    and `ratio_close` (`ratios_mp`).
    """
    v = e + shift_m
    za, zb = v * OPEN_M[1] + OPEN_M[2], v * CLOSE_M[1] + CLOSE_M[2]
    ea, eb = exp2(za), exp2(zb)
    am, bm = linoid_pair(za, ea, zb, eb, OPEN_M[0], CLOSE_M[0], scale_m)
    v = e + shift_p
    za, zb = v * OPEN_M[1] + OPEN_M[2], v * CLOSE_M[1] + CLOSE_M[2]
    ea, eb = ea * ratio_open, eb * ratio_close
    ap, bp = linoid_pair(za, ea, zb, eb, OPEN_M[0], CLOSE_M[0], scale_p)
    return am, bm, ap, bp


def ratios_mp(shift_m, shift_p):
    """Return the ratios of the powers of 2 of p to those of m, opening and closing."""
    apart = shift_p - shift_m
    return exp2(apart * OPEN_M[1]), exp2(apart * CLOSE_M[1])


# of 12.6/(1 + exp((-31.8 - v)/13.4)): factor, slope and offset in powers of 2
CLOSE_H = (12.6, -1.0 / (13.4 * LN2), -31.8 / (13.4 * LN2))


def rates_h(v, scale=1.0):
    """Return the rates (1/ms) of fast sodium inactivation at 36 degC."""
    z = v * OPEN_H[1] + OPEN_H[2]
    top, bottom = linoid_parts(z, exp2(z))
    sigmoid = 1.0 + exp2(v * CLOSE_H[1] + CLOSE_H[2])
    r = scale / (bottom * sigmoid)
    return OPEN_H[0] * (top * sigmoid) * r, CLOSE_H[0] * bottom * r


def rates_n(v, scale=1.0):
    """Return the rates (1/ms) of the fast potassium gate at 36 degC."""
    return linoid_rates(v, OPEN_N, CLOSE_N, scale)


def rates_s(v, scale=1.0):
    """Return the rates (1/ms) of the slow potassium gate at 36 degC."""
    return linoid_rates(v, OPEN_S, CLOSE_S, scale)


def rates_q(v, scale=1.0):
    """Return the rates (1/ms) of the hyperpolarisation-activated gate at 36 degC."""
    x = (v + 107.3) / 12.2
    c = 0.00522 * scale
    return c * exp(-x), c * exp(x)


def relax(y, a, b):
    """Return gate `y` after a step at fixed rates, `a` and `b` per step.

    1/(1 + x + x^2/2 + x^3/6) replaces exp(-x) in y_inf + (y - y_inf) exp(-x): third order,
    positive, and cheaper, as a division costs less than an exponential.
    """
    x = a + b
    c = 1.0 + x * (0.5 + x * 0.16666666666666666)
    return (y + a * c) / (1.0 + x * c)


def exponential_step(a, b):
    """Return decay d and gain g of one step of `relax`, after which gate y is y d + g."""
    x = a + b
    c = 1.0 + x * (0.5 + x * 0.16666666666666666)
    d = 1.0 / (1.0 + x * c)
    return d, a * c * d


def jitter(y, a, b, size, xi):
    """Return the Langevin term of one gate over a step, its rates per step.

    Ornstein-Uhlenbeck noise (Fox & Lu 1994) of `size` = 1/sqrt(number of channels), for a
    standard normal number `xi`.
    """
    x = a + b
    d = 1.0 / (1.0 + x * (1.0 + x * (0.5 + x * 0.16666666666666666)))  # as in `relax`
    variance = (a * (1.0 - y) + b * y) / x
    return size * np.sqrt(0.5 * abs(variance) * (1.0 - d * d)) * xi


def clip01(y):
    """Return `y` clipped to 0 to 1 without a branch."""
    y = 0.5 * (y + abs(y))
    return 0.5 * (y + 1.0 - abs(y - 1.0))


def ghk(e, u_per_mv, out, inside):
    """Return the constant-field driving force (pA per 1e-9 cm3/s) and its slope in E."""
    u = off_zero(e * u_per_mv)
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
    a, b = rates_m(e + shift, phi * dt)
    return relax(y, a, b)


def gate_h(e, y, shift, phi, dt):
    """Return gate h after `dt`."""
    a, b = rates_h(e + shift, phi * dt)
    return relax(y, a, b)


def noisy_m(e, y, shift, phi, size, xi, dt):
    """Return gate m (or p) after `dt`, with channel noise."""
    a, b = rates_m(e + shift, phi * dt)
    return clip01(relax(y, a, b) + jitter(y, a, b, size, xi))


def noisy_h(e, y, shift, phi, size, xi, dt):
    """Return gate h after `dt`, with channel noise."""
    a, b = rates_h(e + shift, phi * dt)
    return clip01(relax(y, a, b) + jitter(y, a, b, size, xi))


def gate_n(e, y, shift, phi, dt):
    """Return a fast potassium gate after `dt`."""
    a, b = rates_n(e + shift, phi * dt)
    return relax(y, a, b)


def gate_s(e, y, shift, phi, dt):
    """Return a slow potassium gate after `dt`."""
    a, b = rates_s(e + shift, phi * dt)
    return relax(y, a, b)


def gate_q(e, y, shift, phi, dt):
    """Return the hyperpolarisation-activated gate after `dt`."""
    a, b = rates_q(e + shift, phi * dt)
    return relax(y, a, b)


def gates_mp(e, m, p, shift_m, phi_m, shift_p, phi_p, ratio_open, ratio_close, dt):
    """Return gates m and p after `dt`."""
    am, bm, ap, bp = rates_mp(e, shift_m, shift_p, ratio_open, ratio_close, phi_m * dt, phi_p * dt)
    return relax(m, am, bm), relax(p, ap, bp)


def noisy_mp(
    e,
    m,
    p,
    shift_m,
    phi_m,
    shift_p,
    phi_p,
    ratio_open,
    ratio_close,
    size_m,
    size_p,
    xi_m,
    xi_p,
    dt,
):
    """Return gates m and p after `dt`, with channel noise."""
    am, bm, ap, bp = rates_mp(e, shift_m, shift_p, ratio_open, ratio_close, phi_m * dt, phi_p * dt)
    return (
        clip01(relax(m, am, bm) + jitter(m, am, bm, size_m, xi_m)),
        clip01(relax(p, ap, bp) + jitter(p, ap, bp, size_p, xi_p)),
    )


# The internode's gates keep the same rates for this time, those at its extrapolated middle. (The
# node's gate s cannot be treated so: a spike is too short.)
HOLD_MS = 0.04


def hold_steps(dt):
    """Return the number of steps of `dt` ms for which the internode's rates are held."""
    return max(2, int(HOLD_MS / dt + 0.5))


def extrapolate(e, before, steps):
    """Return the potential in the middle of the next `steps`, extrapolated from the last step."""
    return e + 0.5 * (steps - 1.0) * (e - before)


def internode_steps(ei, shift_ni, phi_n, shift_s, phi_s, shift_q, phi_q, dt):
    """Return decay and gain (`exponential_step`) of gates ni, si and q: six numbers."""
    a, b = rates_n(ei + shift_ni, phi_n * dt)
    dni, gni = exponential_step(a, b)
    a, b = rates_s(ei + shift_s, phi_s * dt)
    dsi, gsi = exponential_step(a, b)
    a, b = rates_q(ei + shift_q, phi_q * dt)
    dq, gq = exponential_step(a, b)
    return dni, gni, dsi, gsi, dq, gq


def node_current(
    e,
    m,
    h,
    p,
    n,
    s,
    P_na,
    f_nap,
    u_per_mv,
    ghk_out,
    ghk_in,
    ohm_slope,
    ohm_reversal,
    g_kf,
    g_ks,
    E_k,
    g_lk,
    E_lk,
    I_pump,
):
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


def spike_status(e, before, m, top, rest, t, width):
    """Return (fired, failed, highest E, time) at step `t` of the response to a pulse.

    The axon has fired once E is above -20 mV; during the pulse (`t` < `width`, in steps) only if
    m is also above 0.5. It has failed once E, after the pulse, has fallen half-way from its
    highest value back to `rest`. The time is that of the crossing, in steps from the pulse's end.
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


def next_trial(low, high, trial, factor, stride, highest, width):
    """Return the next stimulus to try in a search for the threshold; 0 when the search is over.

    The stimulus moves up or down by `factor` and `stride` until one has failed (`low`, 0 for
    none) and one has fired (`high`, infinite for none); then it bisects until they are within
    `width`.
    """
    if np.isinf(high):
        return 0.0 if low >= highest else min(trial * factor + stride, highest)
    if low == 0.0:
        down = (trial - stride) / factor
        return 0.0 if high <= width else (down if down > 0.0 else 0.5 * high)
    return 0.0 if high - low <= width else 0.5 * (low + high)


# Rows of shift and phi, and stacked rate forms, of the node's gates m, h, p, n, s and of the
# internode's ni, si, q. All open and close by linoids, except that h closes by a sigmoid and q
# has exponential rates.
_NODE, _NODE_PHI = (
    [SHIFT_M, SHIFT_H, SHIFT_P, SHIFT_N, SHIFT_S],
    [PHI_M, PHI_H, PHI_P, PHI_N, PHI_S],
)
_INNER, _INNER_PHI = [SHIFT_NI, SHIFT_S, SHIFT_Q], [PHI_N, PHI_S, PHI_Q]
_NODE_FORMS = np.array(
    [OPEN_M, OPEN_H, OPEN_M, OPEN_N, OPEN_S, CLOSE_M, CLOSE_M, CLOSE_N, CLOSE_S]
).T
_INNER_FORMS = np.array([OPEN_N, OPEN_S, CLOSE_N, CLOSE_S]).T
_LINOIDS = [0, 1, 2, 3, 4, 0, 2, 3, 4]


def _broadcast_forms(forms, ndim):
    """Return stacked forms with axes for arrays of rates of `ndim` dimensions."""
    return forms.reshape(*forms.shape, *(1,) * (ndim - 1))


def pack_gates(P):
    """Return shifts and phis of the node's gates (5, n) and the internode's (3, n) for `step`."""
    return P[_NODE], P[_NODE_PHI], P[_INNER], P[_INNER_PHI]


def steady_gates(rates):
    """Return the steady values of gates with these opening and closing rates."""
    a, b = rates
    return a / (a + b)


def node_rates(e, shift, scale):
    """Return both rates of m, h, p, n and s times `scale`, each (5, ...), in few NumPy calls."""
    v = e + shift
    b = np.empty_like(v)
    linoids = linoid_rate(v[_LINOIDS], _broadcast_forms(_NODE_FORMS, v.ndim))
    b[[0, 2, 3, 4]] = linoids[5:]
    b[1] = CLOSE_H[0] / (1.0 + exp2(v[1] * CLOSE_H[1] + CLOSE_H[2]))
    return linoids[:5] * scale, b * scale


def internode_rates(ei, shift, scale):
    """Return both rates of ni, si and q times `scale`, each shape (3, ...)."""
    v = ei + shift
    a, b = np.empty_like(v), np.empty_like(v)
    linoids = linoid_rate(v[[0, 1, 0, 1]], _broadcast_forms(_INNER_FORMS, v.ndim))
    a[:2], b[:2] = linoids[:2], linoids[2:]
    a[2], b[2] = rates_q(v[2])
    return a * scale, b * scale


def hold_slow_rates(ei, before, pack, dt):
    """Return decay and gain of the internode's gates, each shape (3, n), valid for `hold_steps`.

    `before` is the internode's potential one step ago.
    """
    middle = extrapolate(ei, before, hold_steps(dt))
    return exponential_step(*internode_rates(middle, pack[2], pack[3] * dt))


def step(S, P, stimulus, xi, dt, pack=None, inner=None):
    """Return the ten states, shape (10, n), after `dt` ms.

    A leapfrog scheme: gates are half a step behind the potentials. Gates first move a whole step
    at the potential in the middle of that step, then the potentials at the gates in the middle
    of theirs. It is of second order in dt without noise, and Euler-Maruyama in law with it.

    Parameters
    ----------
    S, P : ndarray, shapes (10, n) and (39, n)
        States and parameters.
    stimulus : ndarray, shape (n,)
        Current into the node, pA.
    xi : ndarray, shape (3, n), or None
        Standard normals for gates m, h and p; None for no noise.
    dt : float
        ms.
    pack : tuple, optional
        `pack_gates(P)`, if already computed.
    inner : tuple, optional
        `hold_slow_rates` of at most `HOLD_MS` ago; without it the rates are computed anew.
    """
    pack = pack_gates(P) if pack is None else pack
    decay, gain = hold_slow_rates(S[1], S[1], pack, dt) if inner is None else inner
    a, b = node_rates(S[0], pack[0], pack[1] * dt)
    out = np.empty_like(S)
    out[2:7] = relax(S[2:7], a, b)
    if xi is not None:
        size = P[[NOISE_MH, NOISE_MH, NOISE_P]]
        noise = jitter(S[2:5], a[:3], b[:3], size, np.stack(np.broadcast_arrays(*xi)))
        out[2:5] = clip01(out[2:5] + noise)
    out[7:] = S[7:] * decay + gain
    m, h, p, n, s, ni, si, q = out[2:]
    E, Ei = S[:2]
    current, g = node_current(E, m, h, p, n, s, *P[NODE])
    current_i, g_i = internode_current(Ei, ni, si, q, *P[INTERNODE])
    out[0], out[1] = solve(E, Ei, current, g, current_i, g_i, stimulus, *P[CIRCUIT], dt=dt)
    return out


def shift_gates(S, P, ms):
    """Return the states with every gate moved by `ms` (possibly negative) at fixed potentials.

    Gates lag the potentials by half a step; where the step changes, this corrects the lag.
    """
    node, phi, inner, phi_inner = pack_gates(P)
    node_gates = relax(S[2:7], *node_rates(S[0], node, phi * ms))
    rates = internode_rates(S[1], inner, phi_inner * ms)
    return np.concatenate([S[:2], node_gates, relax(S[7:], *rates)])


def flow(S: np.ndarray, P: np.ndarray) -> np.ndarray:
    """Return the time derivative of the ten states (per ms), shape (10, n), without stimulus."""
    E, Ei, m, h, p, n, s, ni, si, q = S

    def gate(y, rates, phi):
        a, b = rates
        return (a * (1.0 - y) - b * y) * phi

    current, _ = node_current(E, m, h, p, n, s, *P[NODE])
    current_i, _ = internode_current(Ei, ni, si, q, *P[INTERNODE])
    bridge = P[G_BB] * (E - Ei)
    r1, r2 = -current - bridge, bridge - current_i
    a11, a22, a12 = P[C_N] + P[C_MY], P[C_I] + P[C_MY], -P[C_MY]
    det = a11 * a22 - a12 * a12
    return np.stack(
        [
            (a22 * r1 - a12 * r2) / det,
            (a11 * r2 - a12 * r1) / det,
            gate(m, rates_m(E + P[SHIFT_M]), P[PHI_M]),
            gate(h, rates_h(E + P[SHIFT_H]), P[PHI_H]),
            gate(p, rates_m(E + P[SHIFT_P]), P[PHI_P]),
            gate(n, rates_n(E + P[SHIFT_N]), P[PHI_N]),
            gate(s, rates_s(E + P[SHIFT_S]), P[PHI_S]),
            gate(ni, rates_n(Ei + P[SHIFT_NI]), P[PHI_N]),
            gate(si, rates_s(Ei + P[SHIFT_S]), P[PHI_S]),
            gate(q, rates_q(Ei + P[SHIFT_Q]), P[PHI_Q]),
        ]
    )
