"""Move many axons at once: as machine code where `backends` has it, else in NumPy.

Arrays are (10, n) for the states and (39, n) for the parameters, rows named by
`equations.STATE` and `equations.PARAMETERS`, one column an axon. The NumPy loops are
the reference; the compiled ones run the same lines.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurosim.base import backends
from neurosim.model.axon import equations as eq

# Current and noise of a step, from the tests, their clocks and the stimuli on trial.
Drive = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray | float, np.ndarray | None]]


class _Mover:
    """Moves states in place, one step a call.

    The internode's rates are computed every few steps (`equations.hold_steps`) and held between.
    """

    def __init__(self, P: np.ndarray, dt: float) -> None:
        self.P, self.dt, self.pack, self.every = P, dt, eq.pack_gates(P), eq.hold_steps(dt)
        self.steps, self.inner = 0, None
        self.before: np.ndarray | None = None

    def __call__(self, S: np.ndarray, current: np.ndarray | float, xi: np.ndarray | None) -> None:
        if self.steps % self.every == 0:
            before = S[1] if self.before is None else self.before
            self.inner = eq.hold_slow_rates(S[1], before, self.pack, self.dt)
        self.before = S[1].copy()
        S[:] = eq.step(S, self.P, current, xi, self.dt, self.pack, self.inner)
        self.steps += 1

    def subset(self, P: np.ndarray, keep: np.ndarray) -> _Mover:
        """Return a mover of the axons at `keep`; it computes the held rates at its first step."""
        other = _Mover(P, self.dt)
        other.before = None if self.before is None else self.before[keep]
        return other

    def restart(self, S: np.ndarray, which: np.ndarray) -> None:
        """Restart some axons; their held slow rates are refreshed at the next renewal."""
        if self.before is not None:
            self.before[which] = S[1, which]


def advance(
    S: np.ndarray, P: np.ndarray, current: np.ndarray, n_steps: int, dt: float
) -> np.ndarray:
    """Move every axon `n_steps` at constant current, in place, and return its highest E, mV.

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
    """
    return run_segments(S, P, np.asarray(current)[None], [n_steps], dt)[1][0]


def find_threshold(
    S: np.ndarray,
    P: np.ndarray,
    lane: np.ndarray,
    column: np.ndarray,
    steady: np.ndarray,
    steps: np.ndarray,
    after: int,
    rest: np.ndarray,
    search: np.ndarray,
    dt: float,
) -> np.ndarray:
    """Find the least pulse that fires in each of many tests.

    Parameters
    ----------
    S : ndarray, shape (10, k)
        States to start from; not changed.
    P : ndarray, shape (39, b)
        Parameters.
    lane, column : ndarray of int, shape (n,)
        Column of `S` each test starts from, and the axon it runs on.
    steady : ndarray, shape (n,)
        Current that ends with the pulse, pA.
    steps : ndarray of int, shape (n,)
        Width of each pulse.
    after : int
        Steps to wait after the pulse; a trial ends earlier once `equations.spike_status` decides.
    rest : ndarray, shape (b,)
        Resting potential, mV.
    search : ndarray, shape (5, n)
        First pulse to try, and factor, stride, highest and width of `equations.next_trial`; the
        factor is squared from trial to trial.
    dt : float
        Step, ms.

    Returns
    -------
    bounds : ndarray, shape (4, n)
        The strongest pulse that failed (0 for none) and the weakest that fired (infinite for
        none), within `width` of each other; then the times (ms, or NaN) from the end of the pulse
        to the failure and to the spike.
    """
    loop = backends.loop("find_threshold")
    if loop is not None:
        return loop(S, P, lane, column, steady, steps, after, rest, search, dt)

    def drive(
        tests: np.ndarray, clock: np.ndarray, trial: np.ndarray
    ) -> tuple[np.ndarray | float, np.ndarray | None]:
        return (trial + steady[tests]) * (clock < steps[tests]), None

    return _search_thresholds(
        S[:, lane], P[:, column], rest[column], steps, after, search, dt, drive
    )


def find_noise_threshold(
    S: np.ndarray,
    P: np.ndarray,
    column: np.ndarray,
    shape: np.ndarray,
    after: int,
    rest: np.ndarray,
    search: np.ndarray,
    dt: float,
) -> np.ndarray:
    """Find the least factor on a course of channel noise that fires in each of many tests.

    The same search as `find_threshold` makes for a current.

    Parameters
    ----------
    S, P : ndarray, shapes (10, b) and (39, b)
        States to start from (not changed) and parameters.
    column : ndarray of int, shape (n,)
        The axon of each test.
    shape : ndarray, shape (n_steps, 3, b)
        Course of the standard normals of gates m, h and p.

    Returns
    -------
    bounds : ndarray, shape (4, n)
        As in `find_threshold`, for the factor.
    """
    loop = backends.loop("find_noise_threshold")
    if loop is not None:
        return loop(S, P, column, shape, after, rest, search, dt)
    padded = np.concatenate([shape, np.zeros_like(shape[:1])])

    def drive(
        tests: np.ndarray, clock: np.ndarray, trial: np.ndarray
    ) -> tuple[np.ndarray | float, np.ndarray | None]:
        row = np.minimum(clock, len(shape))
        return 0.0, padded[row, :, column[tests]].T * trial

    steps = np.full(column.size, len(shape))
    return _search_thresholds(
        S[:, column], P[:, column], rest[column], steps, after, search, dt, drive, judge_m=False
    )


def _search_thresholds(
    start: np.ndarray,
    P: np.ndarray,
    rest: np.ndarray,
    steps: np.ndarray,
    after: int,
    search: np.ndarray,
    dt: float,
    drive: Drive,
    judge_m: bool = True,
) -> np.ndarray:
    """Search the thresholds of all tests side by side; `drive` gives a step's (current, noise)."""
    n = start.shape[1]
    bounds = np.array([[0.0], [np.inf], [np.nan], [np.nan]]) * np.ones(n)
    tests, S, move = np.arange(n), start.copy(), _Mover(P, dt)
    x, factor = search[0].copy(), search[1].copy()
    clock, top, end = np.zeros(n, int), np.full(n, -1000.0), np.zeros(n)
    running, spike = np.ones(n, bool), np.zeros(n, bool)
    while tests.size:
        before, width = S[0].copy(), steps[tests]
        move(S, *drive(tests, clock, x))
        m = S[2] if judge_m else 1.0
        hit, over, top, time = eq.spike_status(S[0], before, m, top, rest[tests], clock, width)
        clock += 1
        late = clock >= width + after
        ends = running & (hit | over | late)
        spike[ends], end[ends] = hit[ends], np.where(hit | over, time, after)[ends]
        running &= ~ends
        if move.steps % move.every or running.all():
            continue
        for i in np.flatnonzero(~running):
            j, fired = tests[i], int(spike[i])
            bounds[fired, j], bounds[2 + fired, j] = x[i], end[i] * dt
            low, high, (stride, highest, near) = *bounds[:2, j], search[2:, j]
            x[i] = eq.next_trial(low, high, x[i], factor[i], stride, highest, near)
        again = ~running & (x > 0.0)
        S[:, again], clock[again], top[again] = start[:, tests[again]], 0, -1000.0
        move.restart(S, again)
        factor[again] = np.minimum(factor[again], 1e9) ** 2
        keep = running | again
        running[:] = True
        if not keep.all():
            S, P, tests = S[:, keep], P[:, keep], tests[keep]
            x, factor, clock, top, end = (a[keep] for a in (x, factor, clock, top, end))
            running, spike, move = running[keep], spike[keep], move.subset(P, keep)
    return bounds


def run_segments(
    S: np.ndarray, P: np.ndarray, current: np.ndarray, counts: np.ndarray | list[int], dt: float
) -> tuple[np.ndarray, np.ndarray]:
    """Move every axon through consecutive segments, in place; return the states after each.

    Parameters
    ----------
    current : ndarray, shape (parts, n)
        Current of every axon in each segment, pA.
    counts : array_like of int, shape (parts,)
        Steps of each segment.

    Returns
    -------
    states : ndarray, shape (parts, 10, n)
    peak_mv : ndarray, shape (parts, n)
        Highest E within each segment.
    """
    loop, counts = backends.loop("run_segments"), np.asarray(counts, np.int64)
    if loop is not None:
        return loop(S, P, current, counts, dt)
    states, peak = np.empty((counts.size, *S.shape)), np.full((counts.size, S.shape[1]), -1000.0)
    move = _Mover(P, dt)
    for part, count in enumerate(counts):
        for _ in range(count):
            move(S, current[part], None)
            np.maximum(peak[part], S[0], out=peak[part])
        states[part] = S
    return states, peak


def matched_noise(forward: np.ndarray, kick: np.ndarray, steps: int) -> np.ndarray:
    """Return the course of channel noise that moves the potential most, of unit norm.

    Parameters
    ----------
    forward : ndarray, shape (n, 10, 10)
        State transition over one step of each membrane linearised at rest.
    kick : ndarray, shape (n, 3)
        Change of gates m, h and p in one step by a standard normal of 1.
    steps : int

    Returns
    -------
    course : ndarray, shape (steps, 3, n)
        The last step is the latest.
    """
    loop = backends.loop("matched_noise")
    if loop is not None:
        return loop(forward, kick, steps)
    course = np.empty((steps, 3, len(kick)))
    effect = np.zeros((len(kick), 1, 10))
    effect[:, 0, 0] = 1.0
    for t in range(steps - 1, -1, -1):
        course[t] = (effect[:, 0, 2:5] * kick).T
        effect = np.clip(effect @ forward, -1e6, 1e6)
    return course / np.sqrt((course**2).sum(axis=(0, 1)))


def run_with_noise(
    S: np.ndarray, P: np.ndarray, shape: np.ndarray, amplitude: np.ndarray, dt: float
) -> np.ndarray:
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
    loop = backends.loop("run_with_noise")
    if loop is not None:
        return loop(S, P, shape, amplitude, dt)
    peak = np.full(S.shape[1], -1000.0)
    zero, move = np.zeros(S.shape[1]), _Mover(P, dt)
    for xi in shape:
        move(S, zero, xi * amplitude)
        np.maximum(peak, S[0], out=peak)
    return peak


def noisy_spikes(
    S: np.ndarray,
    P: np.ndarray,
    current: np.ndarray,
    n_steps: int,
    dt: float,
    seed: int | np.random.SeedSequence,
    capacity: int = 4096,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Move every axon `n_steps` with channel noise, in place, and return its spikes.

    A spike begins when E rises through -20 mV and ends when E falls below -35 mV.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
        Seed; the axons are drawn in blocks of 16, so results depend on the seed alone.
    capacity : int
        Spikes stored for one axon; later ones are only counted.

    Returns
    -------
    times_ms, peaks_mv : ndarray, shape (n, capacity)
        Spike times and highest E of each spike; valid up to min(count, capacity).
    counts : ndarray of int, shape (n,)
    """
    loop = backends.loop("noisy_spikes")
    width = 16
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    n = S.shape[1]
    generators = [np.random.Generator(np.random.PCG64(s)) for s in root.spawn(-(-n // width))]
    times, peaks = np.empty((n, capacity)), np.empty((n, capacity))
    counts = np.zeros(n, np.int64)
    if loop is None:
        _noisy_spikes_reference(S, P, current, n_steps, dt, generators, times, peaks, counts)
        return times, peaks, counts
    for block, rng in enumerate(generators):
        loop(S, P, current, n_steps, dt, rng, block * width, times, peaks, counts)
    return times, peaks, counts


def _noisy_spikes_reference(
    S: np.ndarray,
    P: np.ndarray,
    current: np.ndarray,
    n_steps: int,
    dt: float,
    generators: list[np.random.Generator],
    times: np.ndarray,
    peaks: np.ndarray,
    counts: np.ndarray,
) -> None:
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
