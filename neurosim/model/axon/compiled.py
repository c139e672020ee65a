# pyright: reportCallIssue=false
# pyright does not see how many rows a reader returns.
"""The loops of the axon, compiled by Numba from the lines of `equations`.

Nothing here knows any physiology. Axons are handled in blocks of `WIDTH`; a block is
one flat buffer whose rows are states, current and parameters, so that the compiler sees
fixed offsets from one pointer and turns the loop over axons into SIMD instructions.
Import this module only through `neurosim.base.backends`.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import intrinsic, overload, register_jitable

from neurosim.base.code_hash import code_hash
from neurosim.model.axon import equations as eq

WIDTH = 16
STATES, PARAMS = len(eq.STATE), len(eq.PARAMETERS)
CURRENT = STATES * WIDTH
FIRST = CURRENT + WIDTH
NOISE = FIRST + PARAMS * WIDTH
INNER = NOISE + 3 * WIDTH  # decay and gain of ni, si and q
RATIO = INNER + 6 * WIDTH  # of the exponentials of p to those of m
BEFORE = RATIO + 2 * WIDTH  # the internode's potential one step ago
TOP = BEFORE + WIDTH  # highest potential
# One row each for a search: stimulus of the trial, factor of the next, current while the pulse is
# on, its width, clock, rest, potential one step ago, whether the trial goes on, whether it fired,
# and when it ended.
TRIAL, FACTOR, ON, PULSE_STEPS, CLOCK, REST, LAST, RUNNING, SPIKE, END = (
    TOP + (k + 1) * WIDTH for k in range(10)
)
SIZE = END + WIDTH
# Not `fastmath=True`: that would let the compiler assume there is no inf and no NaN.
MATH: dict = {"fastmath": {"contract", "arcp", "nsz", "afn"}, "error_model": "numpy"}
# Parts of a loop: nothing else calls them, so they need no way in from Python or C.
PART: dict = {**MATH, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
INLINE: dict = {**PART, "forceinline": True}


# Of every line that the machine code is made of.
DIGEST = code_hash("model/axon/equations.py", "model/axon/compiled.py")[:12]


def compile_loop(function):
    """Compile a loop; its machine code is stored under a name that changes with `equations`.

    Numba itself compares only the date and size of this file, and names the stored file by the
    function's qualified name. Without a writable folder the loop is compiled in every process.
    """
    function.__qualname__ += f"_{DIGEST}"
    try:
        return njit(**MATH, cache=True)(function)
    except RuntimeError:
        return njit(**MATH)(function)


@overload(eq.exp2, jit_options=INLINE)  # pyright: ignore[reportArgumentType]
def _exp2(x):
    def exp2(x):
        # 2^k 2^f, |f| <= 1/2, by the best polynomial of degree 9 that is 1 at 0: 2e-14
        # relative; `x` must be within +-1000, which `clamp_potential` ensures
        shifted = x + 6755399441055744.0
        f = x - (shifted - 6755399441055744.0)
        f2 = f * f
        c01 = 1.0 + f * 0.6931471805598851
        c23 = 0.24022650695724743 + f * 0.05550410866844199
        c45 = 0.009618129180595077 + f * 0.0013333557618187305
        c67 = 0.00015403441347265943 + f * 1.5252995816773623e-05
        c89 = 1.3258224383199383e-06 + f * 1.0146963705617414e-07
        p = c01 + f2 * (c23 + f2 * (c45 + f2 * (c67 + f2 * c89)))
        bits = np.float64(p).view(np.int64) + (np.float64(shifted).view(np.int64) << 52)
        return np.int64(bits).view(np.float64)

    return exp2


@overload(eq.exp, jit_options=INLINE)  # pyright: ignore[reportArgumentType]
def _exp(x):
    return lambda x: eq.exp2(x * 1.4426950408889634)


@overload(eq.off_zero, jit_options=INLINE)  # pyright: ignore[reportArgumentType]
def _off_zero(x):
    # the same value, without turning a comparison into a number
    return lambda x: x + (1e-5 if abs(x) < 1e-5 else 0.0)


for _f in (
    eq.linoid_parts,
    eq.linoid_rate,
    eq.linoid_pair,
    eq.linoid_rates,
    eq.rates_m,
    eq.rates_mp,
    eq.ratios_mp,
    eq.rates_h,
    eq.rates_n,
    eq.rates_s,
    eq.rates_q,
    eq.relax,
    eq.exponential_step,
    eq.jitter,
    eq.clip01,
    eq.ghk,
    eq.sodium_force,
    eq.gate_m,
    eq.gate_h,
    eq.noisy_m,
    eq.noisy_h,
    eq.gate_n,
    eq.gate_s,
    eq.gate_q,
    eq.gates_mp,
    eq.noisy_mp,
    eq.hold_steps,
    eq.extrapolate,
    eq.internode_steps,
    eq.node_current,
    eq.internode_current,
    eq.solve,
    eq.spike_status,
    eq.next_trial,
):
    register_jitable(**INLINE)(_f)
noisy_m, noisy_h, noisy_mp, gates_mp = eq.noisy_m, eq.noisy_h, eq.noisy_mp, eq.gates_mp
gate_m, gate_h, gate_n, gate_s, gate_q = eq.gate_m, eq.gate_h, eq.gate_n, eq.gate_s, eq.gate_q
node_current, internode_current, solve = eq.node_current, eq.internode_current, eq.solve
spike_status, hold_steps, extrapolate = eq.spike_status, eq.hold_steps, eq.extrapolate
next_trial = eq.next_trial
internode_steps, ratios_mp = eq.internode_steps, eq.ratios_mp


def row_reader(rows):
    """Return a compiled function of (b, f) that returns these rows, counted from `f`, as a tuple.

    Its offsets are fixed, as the compiler needs them for SIMD. Written as loads, not as a function
    to compile, it costs nothing to compile, and there are two dozen.
    """
    offsets = [int(row) * WIDTH for row in rows]

    def read(typing_context, b, f):
        def load(context, builder, signature, values):
            array = context.make_array(signature.args[0])(context, builder, values[0])
            loaded = []
            for offset in offsets:  # without overflow, or there would be no SIMD
                place = builder.add(values[1], values[1].type(offset), flags=["nsw"])
                loaded.append(builder.load(builder.gep(array.data, [place])))
            return context.make_tuple(builder, signature.return_type, loaded)

        return types.UniTuple(types.float64, len(offsets))(b, types.intp), load

    return intrinsic(read)


node_rows, internode_rows, circuit_rows = (
    row_reader(np.arange(PARAMS)[rows]) for rows in (eq.NODE, eq.INTERNODE, eq.CIRCUIT)
)
# shift and phi of every gate
mp_rows = row_reader([eq.SHIFT_M, eq.PHI_M, eq.SHIFT_P, eq.PHI_P])
m_rows, h_rows = row_reader([eq.SHIFT_M, eq.PHI_M]), row_reader([eq.SHIFT_H, eq.PHI_H])
p_rows, n_rows = row_reader([eq.SHIFT_P, eq.PHI_P]), row_reader([eq.SHIFT_N, eq.PHI_N])
ni_rows, s_rows = row_reader([eq.SHIFT_NI, eq.PHI_N]), row_reader([eq.SHIFT_S, eq.PHI_S])
q_rows = row_reader([eq.SHIFT_Q, eq.PHI_Q])
# of a lane's own rows: states of the gates, draws of the noise, and what `_renew` holds
gate_rows, inner_gate_rows = row_reader(range(eq.S_M, eq.S_NI)), row_reader(range(eq.S_NI, STATES))
noise_rows, held_rows, ratio_rows = (
    row_reader(first // WIDTH + np.arange(n)) for first, n in ((NOISE, 3), (INNER, 6), (RATIO, 2))
)


@njit(**INLINE)
def clamp_potential(e):
    """Return potential `e` clamped to +-250 mV, far beyond any axon's; NaN stays NaN.

    Every exponent, and twice it, then stays within +-700; the steepest is (e + shift)/1.1 mV.
    """
    e = 250.0 if e > 250.0 else e
    return -250.0 if e < -250.0 else e


@njit(**INLINE)
def _renew(b, dt, steps, lanes):
    """Compute decay and gain of the internode's gates of a block (`equations.hold_slow_rates`)."""
    for i in range(lanes):
        f, k = i + FIRST, i + INNER
        Ei = clamp_potential(extrapolate(b[i + WIDTH], b[i + BEFORE], steps))
        inner = *ni_rows(b, f), *s_rows(b, f), *q_rows(b, f)
        dni, gni, dsi, gsi, dq, gq = internode_steps(Ei, *inner, dt)
        b[k], b[k + WIDTH], b[k + 2 * WIDTH] = dni, gni, dsi
        b[k + 3 * WIDTH], b[k + 4 * WIDTH], b[k + 5 * WIDTH] = gsi, dq, gq


@njit(**INLINE)
def _move(b, dt, noise, renew, lanes):
    """Move the first `lanes` of a block by one step, as `equations.step` does, row by row.

    Without `noise` (a compile-time constant) the noise rows are not read. With `renew` the held
    rates of the slow gates are computed anew first.
    """
    if renew:
        _renew(b, dt, hold_steps(dt), lanes)
    for i in range(lanes):
        E, Ei = clamp_potential(b[i]), b[i + WIDTH]
        f = i + FIRST
        m, h, p, n, s = gate_rows(b, i)
        if noise:
            xi_m, xi_h, xi_p = noise_rows(b, i)
            sizes = b[f + eq.NOISE_MH * WIDTH], b[f + eq.NOISE_P * WIDTH]
            m, p = noisy_mp(E, m, p, *mp_rows(b, f), *ratio_rows(b, i), *sizes, xi_m, xi_p, dt)
            h = noisy_h(E, h, *h_rows(b, f), sizes[0], xi_h, dt)
        else:
            m, p = gates_mp(E, m, p, *mp_rows(b, f), *ratio_rows(b, i), dt)
            h = gate_h(E, h, *h_rows(b, f), dt)
        n = gate_n(E, n, *n_rows(b, f), dt)
        s = gate_s(E, s, *s_rows(b, f), dt)
        ni, si, q = inner_gate_rows(b, i)
        dni, gni, dsi, gsi, dq, gq = held_rows(b, i)
        ni, si, q = ni * dni + gni, si * dsi + gsi, q * dq + gq
        current, g = node_current(E, m, h, p, n, s, *node_rows(b, f))
        current_i, g_i = internode_current(Ei, ni, si, q, *internode_rows(b, f))
        E, Ei = solve(E, Ei, current, g, current_i, g_i, b[i + CURRENT], *circuit_rows(b, f), dt)
        b[i + BEFORE] = b[i + WIDTH]
        b[i], b[i + WIDTH] = E, Ei
        b[i + eq.S_M * WIDTH], b[i + eq.S_H * WIDTH], b[i + eq.S_P * WIDTH] = m, h, p
        b[i + eq.S_N * WIDTH], b[i + eq.S_S * WIDTH] = n, s
        b[i + eq.S_NI * WIDTH], b[i + eq.S_SI * WIDTH], b[i + eq.S_Q * WIDTH] = ni, si, q


@njit(**INLINE)
def _next_renewal(since, hold):
    """Return the steps since the last renewal of the held rates, one step on; 0 means renew."""
    return since + 1 if since + 1 < hold else 0


@njit(**INLINE)
def _lane_count(n):
    """Return the lanes to move for `n` axons; not a constant, which would unroll the loop."""
    return min(WIDTH, 4 * ((n + 3) // 4))


@njit(**INLINE)
def _fill_lane(b, i, S, j, P, k):
    """Load state `j`, the parameters of axon `k` and values derived from them into lane `i`."""
    for row in range(STATES):
        b[row * WIDTH + i] = S[row, j]
    for row in range(PARAMS):
        b[FIRST + row * WIDTH + i] = P[row, k]
    f = i + FIRST
    b[i + RATIO], b[i + RATIO + WIDTH] = ratios_mp(
        b[f + eq.SHIFT_M * WIDTH], b[f + eq.SHIFT_P * WIDTH]
    )
    b[i + BEFORE] = b[i + WIDTH]


@njit(**PART)
def _load(b, S, P, current, first, n):
    for i in range(WIDTH):
        j = min(first + i, n - 1)
        _fill_lane(b, i, S, j, P, j)
        b[CURRENT + i] = current[j]


@njit(**PART)
def _store(b, S, first, n):
    for i in range(min(WIDTH, n - first)):
        for k in range(STATES):
            S[k, first + i] = b[k * WIDTH + i]


@njit(**PART)
def _run(b, n_steps, since, dt, lanes):
    """Move one block, record its highest potential, and return the steps since a renewal."""
    hold = hold_steps(dt)
    for _ in range(n_steps):
        _move(b, dt, False, since == 0, lanes)
        since = _next_renewal(since, hold)
        for i in range(lanes):
            b[i + TOP] = 0.5 * (b[i + TOP] + b[i] + abs(b[i + TOP] - b[i]))
    return since


@compile_loop
def run_segments(S, P, current, counts, dt):
    """See `kernel.run_segments`."""
    parts, n = counts.size, S.shape[1]
    states, peak = np.empty((parts, STATES, n)), np.empty((parts, n))
    b = np.zeros(SIZE)
    for first in range(0, n, WIDTH):
        _load(b, S, P, current[0], first, n)
        lanes = _lane_count(n - first)
        since = 0
        for part in range(parts):
            for i in range(WIDTH):
                b[CURRENT + i] = current[part, min(first + i, n - 1)]
                b[i + TOP] = -1000.0
            since = _run(b, counts[part], since, dt, lanes)
            for i in range(min(WIDTH, n - first)):
                peak[part, first + i] = b[i + TOP]
                for k in range(STATES):
                    states[part, k, first + i] = b[k * WIDTH + i]
        _store(b, S, first, n)
    return states, peak


@njit(**INLINE)
def _judge(b, lanes, after, noise):
    """Record in every lane whether its trial fired or failed at this step (`spike_status`)."""
    for i in range(lanes):
        m = 1.0 if noise else b[i + eq.S_M * WIDTH]
        hit, over, b[i + TOP], time = spike_status(
            b[i], b[i + LAST], m, b[i + TOP], b[i + REST], b[i + CLOCK], b[i + PULSE_STEPS]
        )
        b[i + CLOCK] += 1.0
        ends = b[i + RUNNING] > 0.0 and (hit or over or b[i + CLOCK] >= b[i + PULSE_STEPS] + after)
        b[i + SPIKE] = 1.0 if ends and hit else b[i + SPIKE]
        b[i + END] = time if ends and (hit or over) else b[i + END]
        b[i + RUNNING] = 0.0 if ends else b[i + RUNNING]


@njit(**INLINE)
def _record_trial(b, i, j, bounds, search, dt):
    """Record the outcome of lane `i`'s trial for test `j` and return the next stimulus."""
    k = 1 if b[i + SPIKE] > 0.0 else 0
    bounds[k, j], bounds[2 + k, j] = b[i + TRIAL], b[i + END] * dt
    x = next_trial(
        bounds[0, j],
        bounds[1, j],
        b[i + TRIAL],
        b[i + FACTOR],
        search[2, j],
        search[3, j],
        search[4, j],
    )
    b[i + FACTOR] *= b[i + FACTOR]
    return x


@njit(**INLINE)
def _pack(b, test, lanes):
    """Move the lanes that have a test to the front and return how many lanes still run."""
    k = 0
    for i in range(lanes):
        if test[i] >= 0:
            for row in range(SIZE // WIDTH):
                b[row * WIDTH + k] = b[row * WIDTH + i]
            test[k] = test[i]
            k += 1
    test[k:] = -1
    b[RUNNING + k : RUNNING + WIDTH] = 0.0
    return _lane_count(k)


@njit(**INLINE)
def _search(S, P, lane, column, steady, steps, shape, after, rest, search, dt, noise):
    """Find the least stimulus that fires in each test; a lane that is done takes the next test.

    The stimulus is a current, or with `noise` (a compile-time constant) the factor on `shape`.
    A trial begins when the held rates are renewed, so that its result does not depend on the
    tests in other lanes.
    """
    n = lane.size
    bounds = np.zeros((4, n))  # strongest that failed, weakest that fired, and their times
    b = np.zeros(SIZE)
    hold, lanes = hold_steps(dt), _lane_count(n)
    test = np.full(WIDTH, -1)
    taken, since, begun = 0, 0, False
    while n > 0:
        if since == 0:
            ended = False
            for i in range(lanes):
                if b[i + RUNNING] > 0.0 or (test[i] < 0 and begun):
                    continue
                ended, j, x = True, test[i], 0.0
                if j >= 0:
                    x = _record_trial(b, i, j, bounds, search, dt)
                if x == 0.0:  # take the next test; spare lanes repeat the first one
                    test[i] = taken if taken < n else -1
                    taken += 1
                    j = max(test[i], 0)
                    x, b[i + FACTOR] = search[0, j], search[1, j]
                    if test[i] >= 0:
                        bounds[1, j], bounds[2, j], bounds[3, j] = np.inf, np.nan, np.nan
                _fill_lane(b, i, S, lane[j], P, column[j])
                b[i + TRIAL], b[i + ON] = x, x + steady[j]
                b[i + PULSE_STEPS], b[i + REST] = steps[j], rest[column[j]]
                b[i + CLOCK], b[i + SPIKE], b[i + END], b[i + TOP] = 0.0, 0.0, after, -1000.0
                b[i + RUNNING] = 1.0 if test[i] >= 0 else 0.0
            if ended and taken > n:
                lanes = _pack(b, test, lanes)
            if lanes == 0:
                break
            begun = True
        for i in range(lanes):
            b[CURRENT + i] = b[i + ON] if b[i + CLOCK] < b[i + PULSE_STEPS] and not noise else 0.0
            b[i + LAST] = b[i]
        if noise:
            for i in range(lanes):
                row = int(b[i + CLOCK])
                for k in range(3):
                    xi = shape[row, k, column[test[i]]] if row < shape.shape[0] else 0.0
                    b[NOISE + k * WIDTH + i] = xi * b[i + TRIAL]
        _move(b, dt, noise, since == 0, lanes)
        _judge(b, lanes, after, noise)
        since = _next_renewal(since, hold)
    return bounds


@compile_loop
def find_threshold(S, P, lane, column, steady, steps, after, rest, search, dt):
    """See `kernel.find_threshold`."""
    none = np.zeros((0, 3, 1))
    return _search(S, P, lane, column, steady, steps, none, after, rest, search, dt, False)


@compile_loop
def find_noise_threshold(S, P, column, shape, after, rest, search, dt):
    """See `kernel.find_noise_threshold`."""
    steady, steps = np.zeros(column.size), np.full(column.size, shape.shape[0])
    return _search(S, P, column, column, steady, steps, shape, after, rest, search, dt, True)


@compile_loop
def noisy_spikes(S, P, current, n_steps, dt, rng, first, times, peaks, counts):
    """Move the block of axons from `first` on, filling the results of `kernel.noisy_spikes`."""
    n, capacity = times.shape
    b = np.zeros(SIZE)
    hold = hold_steps(dt)
    above = np.zeros(WIDTH, dtype=np.bool_)
    chunk = 256
    xi = np.empty((3, chunk, WIDTH))
    _load(b, S, P, current, first, n)
    lanes = _lane_count(n - first)
    since = 0
    for t in range(n_steps):
        c = t % chunk
        if c == 0:
            for k in range(3):
                for j in range(chunk):
                    for i in range(WIDTH):
                        xi[k, j, i] = rng.standard_normal()
        for k in range(3):
            for i in range(WIDTH):
                b[NOISE + k * WIDTH + i] = xi[k, c, i]
        _move(b, dt, True, since == 0, lanes)
        since = _next_renewal(since, hold)
        for i in range(min(WIDTH, n - first)):
            e = b[i]
            j = first + i
            if e > -20.0 and not above[i]:
                above[i] = True
                if counts[j] < capacity:
                    times[j, counts[j]] = (t + 1) * dt
                    peaks[j, counts[j]] = e
                counts[j] += 1
            elif above[i]:
                if e < -35.0:
                    above[i] = False
                elif 0 < counts[j] <= capacity and e > peaks[j, counts[j] - 1]:
                    peaks[j, counts[j] - 1] = e
    _store(b, S, first, n)


@compile_loop
def run_with_noise(S, P, shape, amplitude, dt):
    """See `kernel.run_with_noise`."""
    n, n_steps = S.shape[1], shape.shape[0]
    peak = np.full(n, -1000.0)
    b = np.zeros(SIZE)
    hold = hold_steps(dt)
    zero = np.zeros(n)
    for first in range(0, n, WIDTH):
        _load(b, S, P, zero, first, n)
        lanes = _lane_count(n - first)
        b[TOP : TOP + WIDTH] = -1000.0
        since = 0
        for t in range(n_steps):
            for k in range(3):
                for i in range(WIDTH):
                    j = min(first + i, n - 1)
                    b[NOISE + k * WIDTH + i] = shape[t, k, j] * amplitude[j]
            _move(b, dt, True, since == 0, lanes)
            since = _next_renewal(since, hold)
            for i in range(lanes):
                b[i + TOP] = 0.5 * (b[i + TOP] + b[i] + abs(b[i + TOP] - b[i]))
        _store(b, S, first, n)
        for i in range(min(WIDTH, n - first)):
            peak[first + i] = b[i + TOP]
    return peak


@njit(**INLINE)
def _step_back(b):
    """Carry the effect on E one step back in time, in one flat buffer of lanes.

    Rows are the effect, the effect a step earlier, and the transition matrix column by column.
    """
    for j in range(STATES):
        row = (2 + j) * STATES * WIDTH
        for i in range(WIDTH):
            total = b[i] * b[i + row]
            for k in range(1, STATES):
                total += b[i + k * WIDTH] * b[i + row + k * WIDTH]
            total = 1e6 if total > 1e6 else total
            b[i + (STATES + j) * WIDTH] = -1e6 if total < -1e6 else total
    for i in range(STATES * WIDTH):
        b[i] = b[i + STATES * WIDTH]


@compile_loop
def matched_noise(forward, kick, steps):
    """See `kernel.matched_noise`."""
    n = kick.shape[0]
    course = np.empty((steps, 3, n))
    b = np.zeros((2 + STATES) * STATES * WIDTH)
    size, norm, block_course = np.zeros(3 * WIDTH), np.zeros(3 * WIDTH), np.zeros(steps * 3 * WIDTH)
    for first in range(0, n, WIDTH):
        lanes = min(WIDTH, n - first)
        b[: STATES * WIDTH] = 0.0
        b[:WIDTH], norm[:] = 1.0, 0.0
        for i in range(lanes):
            for j in range(STATES):
                for k in range(STATES):
                    b[i + ((2 + j) * STATES + k) * WIDTH] = forward[first + i, k, j]
            for k in range(3):
                size[i + k * WIDTH] = kick[first + i, k]
        for t in range(steps - 1, -1, -1):
            for i in range(3 * WIDTH):
                xi = b[i + eq.S_M * WIDTH] * size[i]
                block_course[i + t * 3 * WIDTH] = xi
                norm[i] += xi * xi
            _step_back(b)
        for i in range(lanes):
            norm[i] = 1.0 / np.sqrt(norm[i] + norm[i + WIDTH] + norm[i + 2 * WIDTH])
        for t in range(steps):
            for k in range(3):
                for i in range(lanes):
                    course[t, k, first + i] = block_course[i + (3 * t + k) * WIDTH] * norm[i]
    return course
