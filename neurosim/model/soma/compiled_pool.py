"""The loop of `pool`, compiled by Numba from the lines of its equations, one unit after another."""

from __future__ import annotations

from numba import njit

from neurosim.base.code_hash import code_hash
from neurosim.model.axon.compiled import compile_loop
from neurosim.model.soma import pool_equations

KEEP, KICK, _ = pool_equations.independent_noise()
SUBSTEPS = pool_equations.SUBSTEPS
step = njit(inline="always")(pool_equations.step)


def _compile_loop(function):
    """Compile a loop under a name that changes with `pool` too."""
    function.__qualname__ += f"_{code_hash('model/soma/pool_equations.py')[:8]}"
    return compile_loop(function)


@_compile_loop
def move(
    S, P, noise, kicks, common, size, saturating, linear, other, spikes, counts, traces, rows, force
):
    """Do what `pool.move` does."""
    shared = other.shape[0] == 1
    for i in range(S.shape[1]):
        v, w, ahp, rise = S[0, i], S[1, i], S[2, i], S[3, i]
        p, h, wait = S[4, i], S[5, i], S[6, i]
        params, input_row, row, count = P[:, i].copy(), 0 if shared else i, rows[i], counts[i]
        x = noise[i]
        for k in range(kicks.shape[1]):
            x = KEEP * x + KICK * kicks[i, k]
            push = size[3, i] * saturating[k]
            u = push / (1.0 + push / force) + size[4, i] * linear[k] + other[input_row, k]
            u = u + size[0, i] * x + size[1, i] * common[0, k] + size[2, i] * common[1, k]
            for j in range(SUBSTEPS):
                v, w, ahp, rise, p, h, wait, fired = step(v, w, ahp, rise, p, h, wait, u, params)
                if fired > 0.5:
                    spikes[i, count] = k * SUBSTEPS + j
                    count += 1
                if row >= 0:
                    at = k * SUBSTEPS + j
                    traces[0, row, at] = v
                    traces[1, row, at] = rise
                    traces[2, row, at] = params[6] * p * h
        S[0, i], S[1, i], S[2, i], S[3, i] = v, w, ahp, rise
        S[4, i], S[5, i], S[6, i] = p, h, wait
        noise[i], counts[i] = x, count
