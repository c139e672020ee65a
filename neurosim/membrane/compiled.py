"""The loops of the axon, compiled by Numba from the lines of `equations`.

Nothing here knows any physiology. Axons are handled in blocks of `WIDTH`; a block is
one flat buffer whose rows are states, current and parameters, so that the compiler sees
fixed offsets from one pointer and turns the loop over axons into SIMD instructions.
Import this module only through `neurosim.membrane.kernel`.
"""

from __future__ import annotations

from hashlib import sha256
from importlib import resources

import numpy as np
from numba import njit
from numba.extending import overload, register_jitable

from neurosim.membrane import equations as eq

WIDTH = 16
STATES, PARAMS = len(eq.STATE), len(eq.PARAMETERS)
CURRENT = STATES * WIDTH
FIRST = CURRENT + WIDTH
NOISE = FIRST + PARAMS * WIDTH
SIZE = NOISE + 3 * WIDTH
# Not `fastmath=True`: that would let the compiler assume there is no inf and no NaN.
MATH: dict = {"fastmath": {"contract", "arcp", "nsz", "afn"}, "error_model": "numpy"}
INLINE: dict = {**MATH, "forceinline": True}


def _digest() -> str:
    """Return a short digest of every line that the machine code is made of."""
    room = resources.files("neurosim.membrane")
    lines = [room.joinpath(name).read_bytes() for name in ("equations.py", "compiled.py")]
    return sha256(b"".join(lines)).hexdigest()[:12]


DIGEST = _digest()


def loop(function):
    """Compile a loop and keep its machine code, under a name that changes with `equations`.

    Numba looks only at the date and size of this file and names its files by the function's
    qualified name; without a folder to write in, the code is compiled in every process.
    """
    function.__qualname__ += f"_{DIGEST}"
    try:
        return njit(**MATH, cache=True)(function)
    except RuntimeError:
        return njit(**MATH)(function)


@overload(eq.exp, jit_options=INLINE)  # pyright: ignore
def _exp(x):  # noqa: ANN001, ANN202
    def exp(x):
        # 2^k times a polynomial of the rest; 1e-16 relative, for |x| < 700
        x = 0.5 * (x + 700.0 - abs(x - 700.0))
        x = 0.5 * (x - 700.0 + abs(x + 700.0))
        shifted = x * 1.4426950408889634 + 6755399441055744.0
        k = shifted - 6755399441055744.0
        r = x - k * 0.6931471803691238 - k * 1.9082149292705877e-10
        p = 2.505210838544172e-08
        p = p * r + 2.755731922398589e-07
        p = p * r + 2.7557319223985893e-06
        p = p * r + 2.48015873015873e-05
        p = p * r + 0.0001984126984126984
        p = p * r + 0.001388888888888889
        p = p * r + 0.008333333333333333
        p = p * r + 0.041666666666666664
        p = p * r + 0.16666666666666666
        p = p * r + 0.5
        p = p * r + 1.0
        p = p * r + 1.0
        bits = (np.float64(shifted).view(np.int64) + 1023) << 52
        return p * np.int64(bits).view(np.float64)

    return exp


for _f in (
    eq.linoid, eq.rates_m, eq.rates_h, eq.rates_n, eq.rates_s, eq.rates_q, eq.relax,
    eq.jitter, eq.clip01, eq.ghk, eq.sodium_force, eq.gate_m, eq.gate_h, eq.gate_n,
    eq.gate_s, eq.gate_q, eq.node_current, eq.internode_current, eq.solve,
):  # fmt: skip
    register_jitable(**INLINE)(_f)
gate_m, gate_h, gate_n, gate_s, gate_q = eq.gate_m, eq.gate_h, eq.gate_n, eq.gate_s, eq.gate_q
node_current, internode_current, solve = eq.node_current, eq.internode_current, eq.solve


@njit(**INLINE)
def _move(b, dt):
    """Move one block by one step: the wiring of `equations.step`, row by row."""
    for i in range(WIDTH):
        E, Ei = b[i], b[i + WIDTH]
        m = gate_m(
            E,
            b[i + 2 * WIDTH],
            b[i + FIRST],
            b[i + FIRST + 1 * WIDTH],
            b[i + FIRST + 37 * WIDTH],
            b[i + NOISE],
            dt,
        )
        h = gate_h(
            E,
            b[i + 3 * WIDTH],
            b[i + FIRST + 2 * WIDTH],
            b[i + FIRST + 3 * WIDTH],
            b[i + FIRST + 37 * WIDTH],
            b[i + NOISE + WIDTH],
            dt,
        )
        p = gate_m(
            E,
            b[i + 4 * WIDTH],
            b[i + FIRST + 4 * WIDTH],
            b[i + FIRST + 5 * WIDTH],
            b[i + FIRST + 38 * WIDTH],
            b[i + NOISE + 2 * WIDTH],
            dt,
        )
        n = gate_n(E, b[i + 5 * WIDTH], b[i + FIRST + 6 * WIDTH], b[i + FIRST + 8 * WIDTH], dt)
        s = gate_s(E, b[i + 6 * WIDTH], b[i + FIRST + 9 * WIDTH], b[i + FIRST + 10 * WIDTH], dt)
        ni = gate_n(Ei, b[i + 7 * WIDTH], b[i + FIRST + 7 * WIDTH], b[i + FIRST + 8 * WIDTH], dt)
        si = gate_s(Ei, b[i + 8 * WIDTH], b[i + FIRST + 9 * WIDTH], b[i + FIRST + 10 * WIDTH], dt)
        q = gate_q(Ei, b[i + 9 * WIDTH], b[i + FIRST + 11 * WIDTH], b[i + FIRST + 12 * WIDTH], dt)
        current, g = node_current(
            E,
            m,
            h,
            p,
            n,
            s,
            b[i + FIRST + 13 * WIDTH],
            b[i + FIRST + 14 * WIDTH],
            b[i + FIRST + 15 * WIDTH],
            b[i + FIRST + 16 * WIDTH],
            b[i + FIRST + 17 * WIDTH],
            b[i + FIRST + 18 * WIDTH],
            b[i + FIRST + 19 * WIDTH],
            b[i + FIRST + 20 * WIDTH],
            b[i + FIRST + 21 * WIDTH],
            b[i + FIRST + 22 * WIDTH],
            b[i + FIRST + 23 * WIDTH],
            b[i + FIRST + 24 * WIDTH],
            b[i + FIRST + 25 * WIDTH],
        )
        current_i, g_i = internode_current(
            Ei,
            ni,
            si,
            q,
            b[i + FIRST + 26 * WIDTH],
            b[i + FIRST + 27 * WIDTH],
            b[i + FIRST + 22 * WIDTH],
            b[i + FIRST + 28 * WIDTH],
            b[i + FIRST + 29 * WIDTH],
            b[i + FIRST + 30 * WIDTH],
            b[i + FIRST + 31 * WIDTH],
            b[i + FIRST + 32 * WIDTH],
        )
        E, Ei = solve(
            E,
            Ei,
            current,
            g,
            current_i,
            g_i,
            b[i + CURRENT],
            b[i + FIRST + 33 * WIDTH],
            b[i + FIRST + 34 * WIDTH],
            b[i + FIRST + 35 * WIDTH],
            b[i + FIRST + 36 * WIDTH],
            dt,
        )
        b[i], b[i + WIDTH] = E, Ei
        b[i + 2 * WIDTH], b[i + 3 * WIDTH], b[i + 4 * WIDTH] = m, h, p
        b[i + 5 * WIDTH], b[i + 6 * WIDTH] = n, s
        b[i + 7 * WIDTH], b[i + 8 * WIDTH], b[i + 9 * WIDTH] = ni, si, q


@loop
def _load(b, S, P, current, first, n):
    for i in range(WIDTH):
        j = min(first + i, n - 1)
        for k in range(STATES):
            b[k * WIDTH + i] = S[k, j]
        for k in range(PARAMS):
            b[FIRST + k * WIDTH + i] = P[k, j]
        b[CURRENT + i] = current[j]


@loop
def _store(b, S, first, n):
    for i in range(min(WIDTH, n - first)):
        for k in range(STATES):
            S[k, first + i] = b[k * WIDTH + i]


@loop
def advance(S, P, current, n_steps, dt, level_m):
    """See `kernel.advance`."""
    n = S.shape[1]
    fired = np.zeros(n, dtype=np.bool_)
    peak = np.full(n, -1000.0)
    b = np.zeros(SIZE)
    flag = np.zeros(WIDTH)
    top = np.zeros(WIDTH)
    for first in range(0, n, WIDTH):
        _load(b, S, P, current, first, n)
        flag[:] = 0.0
        top[:] = -1000.0
        for _ in range(n_steps):
            _move(b, dt)
            for i in range(WIDTH):
                e = b[i]
                flag[i] += 1.0 * (e > -20.0) * (b[i + 2 * WIDTH] > level_m)
                top[i] = 0.5 * (top[i] + e + abs(top[i] - e))
        _store(b, S, first, n)
        for i in range(min(WIDTH, n - first)):
            fired[first + i] = flag[i] > 0.0
            peak[first + i] = top[i]
    return fired, peak


@loop
def trace(S, P, current, n_steps, dt, every):
    """See `kernel.trace`."""
    n = S.shape[1]
    out = np.empty((n_steps // every, STATES, n))
    b = np.zeros(SIZE)
    for first in range(0, n, WIDTH):
        _load(b, S, P, current, first, n)
        for t in range(n_steps):
            _move(b, dt)
            if (t + 1) % every == 0:
                for k in range(STATES):
                    for i in range(min(WIDTH, n - first)):
                        out[(t + 1) // every - 1, k, first + i] = b[k * WIDTH + i]
        _store(b, S, first, n)
    return out


@loop
def noisy(S, P, current, n_steps, dt, rng, first, times, peaks, counts):
    """Move the block of axons from `first` on; see `kernel.noisy`, whose results it fills."""
    n, capacity = times.shape
    b = np.zeros(SIZE)
    above = np.zeros(WIDTH, dtype=np.bool_)
    chunk = 256
    xi = np.empty((3, chunk, WIDTH))
    _load(b, S, P, current, first, n)
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
        _move(b, dt)
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


@loop
def driven(S, P, shape, amplitude, dt):
    """See `kernel.driven`."""
    n, n_steps = S.shape[1], shape.shape[0]
    peak = np.full(n, -1000.0)
    b = np.zeros(SIZE)
    top = np.zeros(WIDTH)
    zero = np.zeros(n)
    for first in range(0, n, WIDTH):
        _load(b, S, P, zero, first, n)
        top[:] = -1000.0
        for t in range(n_steps):
            for k in range(3):
                for i in range(WIDTH):
                    j = min(first + i, n - 1)
                    b[NOISE + k * WIDTH + i] = shape[t, k, j] * amplitude[j]
            _move(b, dt)
            for i in range(WIDTH):
                top[i] = 0.5 * (top[i] + b[i] + abs(top[i] - b[i]))
        _store(b, S, first, n)
        for i in range(min(WIDTH, n - first)):
            peak[first + i] = top[i]
    return peak
