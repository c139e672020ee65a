"""Move many axons at once: compiled where Numba is installed, else in NumPy.

Arrays are (10, n) for the states and (39, n) for the parameters, rows named by
`equations.STATE` and `equations.PARAMETERS`, one column an axon. The NumPy loops are
the reference; the compiled ones run the same lines.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec

import numpy as np

from neurosim.membrane import equations as eq


@cache
def compiled():
    """Return the module of compiled loops, or None without Numba or with NEUROSIM_NUMBA=0."""
    if os.environ.get("NEUROSIM_NUMBA", "1") == "0" or find_spec("numba") is None:
        return None
    from neurosim.membrane import compiled as loops

    return loops


class _Mover:
    """Moves states in place, one step a call; the rates of the internode are held between."""

    def __init__(self, P, dt):
        self.P, self.dt, self.pack, self.every = P, dt, eq.packed(P), eq.hold_steps(dt)
        self.steps, self.inner, self.before = 0, None, None

    def __call__(self, S, current, xi):
        if self.steps % self.every == 0:
            before = S[1] if self.before is None else self.before
            self.inner = eq.held(S[1], before, self.pack, self.dt)
        self.before = S[1].copy()
        S[:] = eq.step(S, self.P, current, xi, self.dt, self.pack, self.inner)
        self.steps += 1


def advance(S, P, current, n_steps, dt, level_m=-1.0):
    """Move every axon `n_steps` at constant current, in place.

    Parameters
    ----------
    S : ndarray, shape (10, n)
        States; changed in place.
    P : ndarray, shape (39, n)
        Parameters.
    current : ndarray, shape (n,)
        Current into the node, pA.
    n_steps : int
    dt : float
        Step, ms.
    level_m : float
        A spike counts only while the gate m is above this (0.5 during a pulse).

    Returns
    -------
    fired : ndarray of bool, shape (n,)
        Whether E was above -20 mV (with m above `level_m`) at any step.
    peak_mv : ndarray, shape (n,)
        Highest E.
    """
    loops = compiled()
    if loops is not None:
        return loops.advance(S, P, np.asarray(current, float), n_steps, dt, level_m)
    fired = np.zeros(S.shape[1], bool)
    peak = np.full(S.shape[1], -1000.0)
    move = _Mover(P, dt)
    for _ in range(n_steps):
        move(S, current, None)
        fired |= (S[0] > -20.0) & (S[2] > level_m)
        np.maximum(peak, S[0], out=peak)
    return fired, peak


def pulse(S, P, lane, column, stimulus, steps, after, rest, dt):
    """Give many axons a pulse each and return which fired and how clearly.

    Parameters
    ----------
    S : ndarray, shape (10, k)
        States to start from; not changed.
    P : ndarray, shape (39, b)
        Parameters.
    lane, column : ndarray of int, shape (n,)
        Which start and which axon each trial has.
    stimulus : ndarray, shape (n,)
        Current during the pulse, pA; none after it.
    steps : ndarray of int, shape (n,)
        Width of each pulse.
    after : int
        Steps to wait after the pulse; a trial ends earlier once `equations.verdict` is clear.
    rest : ndarray, shape (b,)
        Resting potential, mV.
    dt : float
        Step, ms.

    Returns
    -------
    fired : ndarray of bool, shape (n,)
    when_ms : ndarray, shape (n,)
        Time from the end of the pulse to the spike or to its failing.
    """
    loops = compiled()
    if loops is not None:
        return loops.pulse(S, P, lane, column, stimulus, steps, after, rest, dt)
    S, P, rest = S[:, lane], P[:, column], rest[column]
    return _judged(S, P, rest, steps, after, dt, lambda t: (stimulus * (t < steps), None), S[2])


def _judged(S, P, rest, steps, after, dt, driven_by, gate_m):
    """Step trials, `driven_by` (current, noise) at each step, until each has fired or failed.

    `gate_m` is the row of `S` that tells a spike within a pulse, or 1.
    """
    n = S.shape[1]
    fired, left = np.zeros(n, bool), np.ones(n, bool)
    when, top = np.full(n, float(after)), np.full(n, -1000.0)
    move = _Mover(P, dt)
    for t in range(int(np.max(steps, initial=0)) + after):
        before = S[0].copy()
        move(S, *driven_by(t))
        hit, over, top, time = eq.verdict(S[0], before, gate_m, top, rest, t, steps)
        ends = left & (hit | over | (t + 1 >= steps + after))
        fired[ends & hit], when[ends] = True, time[ends]
        left &= ~ends
        if not left.any():
            break
    return fired, when * dt


def trace(S, P, current, n_steps, dt, every=1):
    """Move every axon `n_steps` at constant current, in place, and keep states on the way.

    Returns
    -------
    ndarray, shape (n_steps // every, 10, n)
        The states after each `every` steps.
    """
    loops = compiled()
    if loops is not None:
        return loops.trace(S, P, np.asarray(current, float), n_steps, dt, every)
    out = np.empty((n_steps // every, *S.shape))
    move = _Mover(P, dt)
    for t in range(1, n_steps + 1):
        move(S, current, None)
        if t % every == 0:
            out[t // every - 1] = S
    return out


def driven(S, P, shape, amplitude, dt):
    """Move every axon along a given course of its channel noise, in place.

    Parameters
    ----------
    shape : ndarray, shape (n_steps, 3, n)
        Course of the standard normals of gates m, h and p.
    amplitude : ndarray, shape (n,)
        Factor on the course of each axon.

    Returns
    -------
    peak_mv : ndarray, shape (n,)
        Highest E.
    """
    loops = compiled()
    if loops is not None:
        return loops.driven(S, P, shape, np.asarray(amplitude, float), dt)
    peak = np.full(S.shape[1], -1000.0)
    zero, move = np.zeros(S.shape[1]), _Mover(P, dt)
    for xi in shape:
        move(S, zero, xi * amplitude)
        np.maximum(peak, S[0], out=peak)
    return peak


def kicked(S, P, lane, shape, amplitude, after, rest, dt):
    """Move axons along a course of their channel noise and return which it fires.

    As `pulse` for a current: a trial ends once `equations.verdict` is clear.

    Parameters
    ----------
    S, P : ndarray, shapes (10, b) and (39, b)
        States to start from (not changed) and parameters.
    lane : ndarray of int, shape (n,)
        The axon of each trial.
    shape : ndarray, shape (n_steps, 3, b)
        Course of the standard normals of gates m, h and p.
    amplitude : ndarray, shape (n,)
        Factor on the course in each trial.
    after : int
        Steps to wait after the course.
    rest : ndarray, shape (b,)
        Resting potential, mV.

    Returns
    -------
    fired : ndarray of bool, shape (n,)
    when_ms : ndarray, shape (n,)
        Time from the end of the course to the spike or to its failing.
    """
    loops = compiled()
    if loops is not None:
        return loops.kicked(S, P, lane, shape, amplitude, after, rest, dt)
    S, P, rest, width = S[:, lane], P[:, lane], rest[lane], len(shape)

    def course(t):
        return 0.0, shape[t][:, lane] * amplitude if t < width else None

    return _judged(S, P, rest, width, after, dt, course, 1.0)


def noisy(S, P, current, n_steps, dt, seed, capacity=4096):
    """Move every axon `n_steps` with channel noise, in place, and return its spikes.

    A spike begins when E rises through -20 mV and ends when E falls below -35 mV.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
        Seed; the axons are drawn in blocks of 16, so results depend on the seed alone.
    capacity : int
        Spikes kept of one axon; later ones are only counted.

    Returns
    -------
    times_ms, peaks_mv : ndarray, shape (n, capacity)
        Spike times and highest E of each spike; valid up to min(count, capacity).
    counts : ndarray of int, shape (n,)
    """
    loops = compiled()
    width = 16
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    n = S.shape[1]
    generators = [np.random.Generator(np.random.PCG64(s)) for s in root.spawn(-(-n // width))]
    times, peaks = np.empty((n, capacity)), np.empty((n, capacity))
    counts = np.zeros(n, np.int64)
    if loops is None:
        _noisy_reference(S, P, current, n_steps, dt, generators, times, peaks, counts)
        return times, peaks, counts
    current = np.asarray(current, float)
    for block, rng in enumerate(generators):
        loops.noisy(S, P, current, n_steps, dt, rng, block * width, times, peaks, counts)
    return times, peaks, counts


def _noisy_reference(S, P, current, n_steps, dt, generators, times, peaks, counts):
    (n, capacity), chunk, width = times.shape, 256, 16
    above, move = np.zeros(n, bool), _Mover(P, dt)
    for t in range(n_steps):
        c = t % chunk
        if c == 0:
            draws = [g.standard_normal((3, chunk, width)) for g in generators]
            xi = np.concatenate(draws, axis=2)[:, :, :n]
        move(S, current, xi[:, c])
        up = (S[0] > -20.0) & ~above
        for j in np.flatnonzero(up | above):
            if up[j]:
                if counts[j] < capacity:
                    times[j, counts[j]], peaks[j, counts[j]] = (t + 1) * dt, S[0, j]
                counts[j] += 1
            elif 0 < counts[j] <= capacity:
                peaks[j, counts[j] - 1] = max(peaks[j, counts[j] - 1], S[0, j])
        above = (above | up) & (S[0] >= -35.0)
