# pyright: reportCallIssue=false
# pyright does not see how many rows a reader returns.
"""The loop of `chain`, compiled by Numba from the lines of `equations` and `chain`.

Nothing here knows any physiology; the layout is that of `compiled`: blocks of `WIDTH` chains,
one flat buffer, a range of rows for each unit. Import this module only through
`neurosim.base.backends`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.extending import register_jitable

from neurosim.base.code_hash import code_hash
from neurosim.model.axon import chain_equations as ch
from neurosim.model.axon import equations as eq
from neurosim.model.axon.compiled import (
    INLINE,
    PARAMS,
    PART,
    STATES,
    WIDTH,
    clamp_potential,
    compile_loop,
    gate_n,
    gate_q,
    gate_rows,
    gate_s,
    h_rows,
    inner_gate_rows,
    internode_current,
    m_rows,
    n_rows,
    ni_rows,
    node_current,
    noisy_h,
    noisy_m,
    p_rows,
    q_rows,
    row_reader,
    s_rows,
)
from neurosim.model.axon.compiled import gate_h as quiet_h
from neurosim.model.axon.compiled import gate_m as quiet_m

SLOW = STATES * WIDTH
CURRENT = SLOW + len(ch.SLOW) * WIDTH
P = CURRENT + WIDTH
FEEDBACK = P + PARAMS * WIDTH
NOISE = FEEDBACK + len(ch.FEEDBACK) * WIDTH
AXIAL = NOISE + 3 * WIDTH  # conductance to the unit before and after; current from them
WORK = AXIAL + 3 * WIDTH  # diagonal, right side, own change of the internode, its share
UNIT = WORK + 4 * WIDTH
W = WIDTH

for _f in (
    ch.available_sodium,
    ch.log_ratio,
    ch.nernst_shift,
    ch.potassium_current,
    ch.internode_row,
    ch.node_row,
    ch.eliminate_row,
):
    register_jitable(**INLINE)(_f)
sodium_rows = row_reader(range(eq.F_NAP, eq.OHM_REVERSAL + 1))
potassium_rows, inner_potassium_rows = (
    row_reader(rows) for rows in ((eq.G_KF, eq.G_KS), (eq.GI_KF, eq.GI_KS))
)
noise_rows = row_reader(NOISE // W + np.arange(3))
available_sodium, nernst_shift, potassium_current = (
    ch.available_sodium,
    ch.nernst_shift,
    ch.potassium_current,
)
internode_row, node_row, eliminate_row = (
    ch.internode_row,
    ch.node_row,
    ch.eliminate_row,
)


def _compile_loop(function):
    """Compile a loop under a name that also changes with `chain_equations`."""
    function.__qualname__ += f"_{code_hash('model/axon/chain_equations.py')[:8]}"
    return compile_loop(function)


@njit(**INLINE)
def _unit(b, noise, dt):
    """Move gates and slow states of the unit in `b` and write its row of the system."""
    for i in range(WIDTH):
        E, Ei = clamp_potential(b[i]), clamp_potential(b[i + W])
        f, d = i + P, i + FEEDBACK
        m, h, p, n, s = gate_rows(b, i)
        if noise:
            xi_m, xi_h, xi_p = noise_rows(b, i)
            m = noisy_m(E, m, *m_rows(b, f), b[f + eq.NOISE_MH * W], xi_m, dt)
            h = noisy_h(E, h, *h_rows(b, f), b[f + eq.NOISE_MH * W], xi_h, dt)
            p = noisy_m(E, p, *p_rows(b, f), b[f + eq.NOISE_P * W], xi_p, dt)
        else:
            m = quiet_m(E, m, *m_rows(b, f), dt)
            h = quiet_h(E, h, *h_rows(b, f), dt)
            p = quiet_m(E, p, *p_rows(b, f), dt)
        n = gate_n(E, n, *n_rows(b, f), dt)
        s = gate_s(E, s, *s_rows(b, f), dt)
        ni, si, q = inner_gate_rows(b, i)
        ni = gate_n(Ei, ni, *ni_rows(b, f), dt)
        si = gate_s(Ei, si, *s_rows(b, f), dt)
        q = gate_q(Ei, q, *q_rows(b, f), dt)

        outward = b[i + SLOW] * b[d + ch.DECAY * W]
        open_ = b[i + SLOW + W]
        open_ += b[d + ch.S_RATE * W] * (
            available_sodium(E, b[d + ch.S_HALF * W], b[d + ch.S_WIDTH * W], b[d + ch.S_SCALE * W])
            - open_
        )
        k = b[i + SLOW + 2 * W]
        shift_k, shift_h = nernst_shift(
            k, b[d + ch.K_BATH * W], b[d + ch.KT * W], b[d + ch.H_SODIUM * W]
        )
        E_k, E_h = b[f + eq.E_K * W] + shift_k, b[f + eq.E_H * W] + shift_h
        E_lk = b[f + eq.E_LK * W] + b[d + ch.LEAK_SHARE * W] * shift_k
        Ei_lk = b[f + eq.EI_LK * W] + b[d + ch.LEAK_SHARE_I * W] * shift_k
        leak_k = b[d + ch.LEAK_SHARE * W] * b[f + eq.G_LK * W]
        leak_k_i = b[d + ch.LEAK_SHARE_I * W] * b[f + eq.GI_LK * W]
        ik = potassium_current(E, n, s, *potassium_rows(b, f), E_k, leak_k)
        ik += potassium_current(Ei, ni, si, *inner_potassium_rows(b, f), E_k, leak_k_i)
        k += b[d + ch.K_GAIN * W] * (ik - b[d + ch.IK_REST * W]) - b[d + ch.K_RATE * W] * (
            k - b[d + ch.K_BATH * W]
        )

        sodium = b[f + eq.P_NA * W] * open_, *sodium_rows(b, f)
        leak = b[f + eq.G_LK * W], E_lk, b[f + eq.I_PUMP * W]
        current, g = node_current(E, m, h, p, n, s, *sodium, *potassium_rows(b, f), E_k, *leak)
        others = b[f + eq.G_H * W], E_h, b[f + eq.GI_LK * W], Ei_lk, b[f + eq.II_PUMP * W]
        current_i, g_i = internode_current(Ei, ni, si, q, *inner_potassium_rows(b, f), E_k, *others)
        own, share = internode_row(
            E, Ei, current_i, g_i, b[f + eq.G_BB * W], b[f + eq.C_MY * W], b[f + eq.C_I * W], dt
        )
        left, right = b[i + AXIAL], b[i + AXIAL + W]
        diagonal, rhs = node_row(
            E,
            Ei,
            current + outward,
            g,
            own,
            share,
            b[i + CURRENT],
            left,
            right,
            b[i + AXIAL + 2 * W],
            b[f + eq.G_BB * W],
            b[f + eq.C_N * W],
            b[f + eq.C_MY * W],
            dt,
        )
        b[i + eq.S_M * W], b[i + eq.S_H * W], b[i + eq.S_P * W] = m, h, p
        b[i + eq.S_N * W], b[i + eq.S_S * W] = n, s
        b[i + eq.S_NI * W], b[i + eq.S_SI * W], b[i + eq.S_Q * W] = ni, si, q
        b[i + SLOW], b[i + SLOW + W], b[i + SLOW + 2 * W] = outward, open_, k
        b[i + WORK], b[i + WORK + W] = diagonal, rhs
        b[i + WORK + 2 * W], b[i + WORK + 3 * W] = own, share


@njit(**INLINE)
def _axial(b, units):
    """Write the current that flows into every node from its neighbours."""
    for u in range(units):
        one, before, after = b[u], b[max(u - 1, 0)], b[min(u + 1, units - 1)]
        for i in range(WIDTH):
            flow = one[i + AXIAL] * (before[i] - one[i])
            one[i + AXIAL + 2 * W] = flow + one[i + AXIAL + W] * (after[i] - one[i])


@njit(**INLINE)
def _solve(b, units, dt):
    """Solve for all nodes of a block and move both potentials of every unit."""
    for u in range(1, units):
        one, before = b[u], b[u - 1]
        for i in range(WIDTH):
            off = -0.5 * dt * one[i + AXIAL]
            one[i + WORK], one[i + WORK + W] = eliminate_row(
                one[i + WORK], one[i + WORK + W], off, before[i + WORK], before[i + WORK + W]
            )
    for u in range(units - 1, -1, -1):
        one, after = b[u], b[min(u + 1, units - 1)]
        for i in range(WIDTH):
            off = -0.5 * dt * one[i + AXIAL + W]  # 0 at the last unit
            change = (one[i + WORK + W] - off * after[i + WORK + W]) / one[i + WORK]
            one[i + WORK + W] = change
            one[i] += change
            one[i + W] += one[i + WORK + 2 * W] - one[i + WORK + 3 * W] * change


@njit(**PART)
def _load(b, S, slow, rows, feedback, axial, stimulus, first):
    units, n = S.shape[1], S.shape[2]
    for u in range(units):
        for i in range(WIDTH):
            j = min(first + i, n - 1)
            for k in range(STATES):
                b[u, i + k * W] = S[k, u, j]
            for k in range(slow.shape[0]):
                b[u, i + SLOW + k * W] = slow[k, u, j]
            for k in range(PARAMS):
                b[u, i + P + k * W] = rows[k, u, j]
            for k in range(feedback.shape[0]):
                b[u, i + FEEDBACK + k * W] = feedback[k, u, j]
            b[u, i + CURRENT] = stimulus[u, j]
            b[u, i + AXIAL] = axial[u - 1, j] if u > 0 else 0.0
            b[u, i + AXIAL + W] = axial[u, j] if u < units - 1 else 0.0


@njit(**INLINE)
def _note_spikes(one, u, first, lanes, above, per_spike, times, peaks, counts, time_ms):
    """Record the spikes of one unit and return whether any is under way."""
    capacity, under_way = times.shape[2], False
    for i in range(lanes):
        e, j = one[i], first + i
        if e > -20.0 and not above[u, j]:
            above[u, j] = True
            one[i + SLOW] += per_spike[u, j]
            if counts[u, j] < capacity:
                times[u, j, counts[u, j]], peaks[u, j, counts[u, j]] = time_ms, e
            counts[u, j] += 1
        elif above[u, j]:
            if e < -35.0:
                above[u, j] = False
            last = counts[u, j] - 1
            if 0 <= last < capacity and e > peaks[u, j, last]:
                peaks[u, j, last] = e
        under_way = under_way or above[u, j]
    return under_way


@_compile_loop
def move_block(
    S,
    slow,
    above,
    rows,
    feedback,
    axial,
    stimulus,
    noisy,
    steps,
    on,
    dt,
    began,
    rng,
    first,
    times,
    peaks,
    counts,
    trace,
    every,
):
    """Move the block of chains from `first` on as `chain._move_reference` moves all."""
    units, n = S.shape[1], S.shape[2]
    lanes, per_spike = min(WIDTH, n - first), feedback[0]
    b = np.zeros((units, UNIT))
    _load(b, S, slow, rows, feedback, axial, stimulus, first)
    chunk = 64
    xi = np.empty((chunk, 3, noisy.size, WIDTH))
    is_noisy = np.zeros(units, dtype=np.bool_)
    is_noisy[noisy] = True
    active = above[:, first : first + lanes].sum(axis=1) > 0
    for t in range(steps):
        if t == on:
            b[:, CURRENT : CURRENT + W] = 0.0
        c = t % chunk
        if c == 0 and noisy.size > 0:
            for r in range(chunk):
                for g in range(3):
                    for v in range(noisy.size):
                        for i in range(WIDTH):
                            xi[r, g, v, i] = rng.standard_normal()
        for v in range(noisy.size):
            for g in range(3):
                for i in range(WIDTH):
                    b[noisy[v], NOISE + g * W + i] = xi[c, g, v, i]
        _axial(b, units)
        for u in range(units):
            if is_noisy[u]:
                _unit(b[u], True, dt)
            else:
                _unit(b[u], False, dt)
        _solve(b, units, dt)
        for u in range(units):
            top = -1000.0
            for i in range(WIDTH):
                top = max(top, b[u, i])
            if top > -20.0 or active[u]:
                active[u] = _note_spikes(
                    b[u],
                    u,
                    first,
                    lanes,
                    above,
                    per_spike,
                    times,
                    peaks,
                    counts,
                    began + (t + 1) * dt,
                )
        if every > 0 and (t + 1) % every == 0:
            for u in range(units):
                for i in range(lanes):
                    trace[(t + 1) // every - 1, u, first + i] = b[u, i]
    for u in range(units):
        for i in range(lanes):
            for k in range(STATES):
                S[k, u, first + i] = b[u, i + k * W]
            for k in range(slow.shape[0]):
                slow[k, u, first + i] = b[u, i + SLOW + k * W]
