"""A pool of motoneurons: size principle, common drive, and plateaus by a persistent inward current.

The soma is that of `soma` (mV above the rest of a motoneuron without input; threshold that
rises with each spike, after-hyperpolarisation, noise), here with a persistent inward current (PIC)
that opens with depolarisation, stays open a while, and slowly inactivates. `step` holds the
equations, once for NumPy and for Numba.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neurosim.base import backends
from neurosim.base.errors import NeurosimError, number_within, unknown_name
from neurosim.model.soma.pool_equations import (
    DT_MS,
    INPUT_MS,
    NOISE_HZ,
    SUBSTEPS,
    _param,  # pyright: ignore[reportPrivateUsage] same room
    _soma_param,  # pyright: ignore[reportPrivateUsage] same room
    independent_noise,
    step,  # pyright: ignore[reportUnknownVariableType] a kernel has no types
)
from neurosim.model.soma.soma import SomaConditions, noise_mv, resting_mv, threshold_parts_mv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_SAMPLES = 200_000_000  # units x milliseconds of one run
MAX_TRACED = 20_000_000  # units x steps whose potential is recorded
_CHUNK_MS = 10_000
ROWS = (
    "keep", "rest", "ahp_keep", "ahp_jump", "rise_keep", "rise_jump", "pic", "half", "slope",
    "pic_share", "slow_share", "least", "rested", "reset", "refractory",
)  # fmt: skip
STATES = ("v", "w", "ahp", "rise", "p", "h", "wait")


@dataclass(frozen=True, eq=False)
class Pool:
    """Motoneurons by size, the smallest first; every attribute is an array of shape (units,).

    Attributes
    ----------
    rheobase_na : ndarray
        Current that just fires a unit without synaptic tone and PIC.
    resistance_mohm : ndarray
        Input resistance: mV of depolarisation by 1 nA.
    tau_membrane_ms, ahp_tau_ms : ndarray
        Time constants of the membrane and of the after-hyperpolarisation.
    pic_mv : ndarray
        Depolarisation by the whole PIC at gain 1.
    pic_half_mv : ndarray
        Potential at which half of it is open.
    """

    rheobase_na: np.ndarray
    resistance_mohm: np.ndarray
    tau_membrane_ms: np.ndarray
    ahp_tau_ms: np.ndarray
    pic_mv: np.ndarray
    pic_half_mv: np.ndarray

    @property
    def units(self) -> int:
        """How many."""
        return self.rheobase_na.size

    def subset(self, units: Any) -> Pool:
        """Return the pool of some units, by index, slice or mask."""
        index = np.atleast_1d(np.arange(self.units)[units])
        return Pool(*(getattr(self, f)[index] for f in Pool.__annotations__))

    def replace(self, **changes: Any) -> Pool:
        """Return a copy in which some arrays are others (numbers are spread over the units).

        Raises
        ------
        NeurosimError
            For a name that is no attribute, or an array that does not fit.
        """
        for name, value in changes.items():
            if name not in Pool.__annotations__:
                raise unknown_name("pool parameter", name, Pool.__annotations__)
            changes[name] = _finite_array(name, value, ((), (self.units,))) + np.zeros(self.units)
        return replace(self, **changes)


def _check_whole(name: str, value: Any, low: int, high: int) -> int:
    if number_within(name, value, low, high) != int(value):
        raise NeurosimError(f"{name} must be a whole number, not {value!r}.")
    return int(value)


def _finite_array(name: str, value: Any, shapes: Sequence[tuple[int, ...]]) -> np.ndarray:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.isfinite(array).all():
        raise NeurosimError(f"{name} must hold finite numbers only.")
    if array.shape not in shapes:
        raise NeurosimError(f"{name} must be of one of the shapes {shapes}, not {array.shape}.")
    return array


def _seed_sequence(seed: Any) -> np.random.SeedSequence:
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool) and seed >= 0:
        return np.random.SeedSequence(int(cast("int", seed)))
    if not isinstance(seed, np.random.SeedSequence):
        raise NeurosimError(f"seed must be a whole number from 0 or a SeedSequence, not {seed!r}.")
    return seed


def _child_generator(seed: np.random.SeedSequence, i: int) -> np.random.Generator:
    # not seed.spawn(), which would give other children at a second call
    key = (*seed.spawn_key, i)
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=key))


def build_pool(units: int = 120, person: int | np.random.SeedSequence | None = None) -> Pool:
    """Return a pool by the size principle.

    Rheobase of unit i of N is 3.85 nA x 9.1^((i/N)^1.1831); resistance and capacitance follow by
    membrane area (Caillet et al. 2022); the after-hyperpolarisation shortens with size.

    Parameters
    ----------
    units : int
        How many, 1 to 10 000.
    person : int or numpy.random.SeedSequence, optional
        Draws the PIC of each unit, normal with the spread ``pic_spread`` and never under a fifth
        of the mean; without it all are the mean.

    Raises
    ------
    NeurosimError
        For a number of units out of range.
    """
    n = _check_whole("units", units, 1, 10_000)
    size = (np.arange(1, n + 1) / n) ** _param("rheobase_exponent")
    rheobase = _param("rheobase_smallest_na") * _param("rheobase_range") ** size
    area = (rheobase / rheobase[0]) ** (1.0 / _param("area_exponent"))
    slow, fast = _param("ahp_tau_slow_ms"), _param("ahp_tau_fast_ms")
    pic = np.full(n, _param("pic_mv"))
    if person is not None:
        draws = _child_generator(_seed_sequence(person), 0).standard_normal(n)
        pic *= np.maximum(1.0 + _param("pic_spread") * draws, 0.2)
    return Pool(
        rheobase_na=rheobase,
        resistance_mohm=_soma_param("threshold_mv") / rheobase,
        tau_membrane_ms=_soma_param("tau_membrane_ms")
        * area ** (1.0 - _param("resistance_exponent")),
        ahp_tau_ms=slow * (fast / slow) ** size,
        pic_mv=pic,
        pic_half_mv=np.full(n, _param("pic_half_mv")),
    )


def make_cramp_prone(pool: Pool) -> Pool:
    """Return the pool with the PIC opening at a lower potential, as in people who cramp easily."""
    return pool.replace(pic_half_mv=pool.pic_half_mv - _param("prone_shift_mv"))


def ramp_input(seconds: float, start: float, stop: float) -> np.ndarray:
    """Return a straight line from `start` to `stop` over `seconds`, one number each ms."""
    n = round(number_within("seconds", seconds, 0.001, 1e6, "s") * 1000.0)
    return start + (stop - start) * (np.arange(n) + 0.5) / n


def hold_input(seconds: float, level: float = 0.0) -> np.ndarray:
    """Return `level` for `seconds`, one number each ms."""
    return ramp_input(seconds, level, level)


def sine_input(seconds: float, mean: float, amplitude: float, hz: float) -> np.ndarray:
    """Return mean + amplitude sin(2 pi hz t) for `seconds`, one number each ms."""
    t = np.arange(hold_input(seconds).size) / 1000.0
    return mean + amplitude * np.sin(2.0 * np.pi * hz * t)


def join_inputs(*parts: np.ndarray) -> np.ndarray:
    """Return parts one after the other: ``join_inputs(hold_input(1), ramp_input(5, 0, 0.3))``."""
    return np.concatenate(parts)


def unit_parameters(pool: Pool, conditions: SomaConditions) -> np.ndarray:
    """Return what `step` needs of each unit, shape (len(ROWS), units).

    `resting_mv` contains the whole PIC of a healthy soma at rest. The part of it that changes here
    is taken out of the constant part.
    """
    healthy = resting_mv(SomaConditions())
    p = 1.0 / (1.0 + np.exp((pool.pic_half_mv - healthy) / _param("pic_slope_mv")))
    moving = pool.pic_mv * p * (1.0 - (1.0 - _param("pic_least")) * p) * conditions.pic_gain
    one = np.ones(pool.units)
    return np.stack(
        [
            np.exp(-DT_MS / pool.tau_membrane_ms),
            resting_mv(conditions) - moving,
            np.exp(-DT_MS / pool.ahp_tau_ms),
            _soma_param("ahp_mv") * conditions.ahp_scale * one,
            np.exp(-DT_MS / _soma_param("adaptation_tau_ms")) * one,
            _soma_param("adaptation_mv") * one,
            pool.pic_mv * conditions.pic_gain,
            pool.pic_half_mv,
            _param("pic_slope_mv") * one,
            -np.expm1(-DT_MS / _param("pic_tau_ms")) * one,
            -np.expm1(-DT_MS / _param("pic_inactivation_tau_ms")) * one,
            _param("pic_least") * one,
            sum(threshold_parts_mv(conditions).values()) * one,
            _soma_param("reset_mv") * one,
            round(_soma_param("refractory_ms") / DT_MS) * one,
        ]
    )


def at_rest(P: np.ndarray) -> np.ndarray:
    """Return the states of rested units: the lowest potential at which nothing moves.

    A unit that has none below its threshold starts at its threshold's edge with the PIC of there.
    """
    v = P[1].copy()
    for _ in range(2000):  # rises to the lowest fixed point, never past it
        p = 1.0 / (1.0 + np.exp((P[7] - v) / P[8]))
        v = np.minimum(P[1] + P[6] * p * (1.0 - (1.0 - P[11]) * p), P[12] - 1e-9)
    p = 1.0 / (1.0 + np.exp((P[7] - v) / P[8]))
    zero = np.zeros_like(v)
    return np.stack([v, v, zero, zero, p, 1.0 - (1.0 - P[11]) * p, zero])


def move(
    S: np.ndarray,
    P: np.ndarray,
    noise: np.ndarray,
    kicks: np.ndarray,
    common: np.ndarray,
    size: np.ndarray,
    saturating: np.ndarray,
    linear: np.ndarray,
    other: np.ndarray,
    spikes: np.ndarray,
    counts: np.ndarray,
    traces: np.ndarray,
    rows: np.ndarray,
) -> None:
    """Move every unit through one chunk of milliseconds, in place.

    Parameters
    ----------
    S : ndarray, shape (7, units)
        States, changed in place.
    P : ndarray, shape (len(ROWS), units)
        Parameters.
    noise : ndarray, shape (units,)
        State of each unit's own noise in its steady SD, changed in place.
    kicks : ndarray, shape (units, ms)
        Standard normal numbers for it.
    common : ndarray, shape (2, ms)
        The two common noises, SD 1.
    size : ndarray, shape (5, units)
        mV of own, common slow and common fast noise; mV by full excitation before saturation;
        resistance.
    saturating, linear : ndarray, shape (ms,)
        Excitation from 0 to 1, and current in nA.
    other : ndarray, shape (1 or units, ms)
        Further input, mV.
    spikes, counts : ndarray, shape (units, most) and (units,)
        Steps at which each unit fired in this chunk.
    traces : ndarray, shape (3, traced, steps)
        Potential, threshold rise and PIC of the units in `rows` (-1: not recorded).
    """
    keep, kick, force = independent_noise()
    loop = backends.loop("pool")
    if loop is not None:
        drive = common, size, saturating, linear, other
        loop(S, P, noise, kicks, *drive, spikes, counts, traces, rows, force)
        return
    traced = np.flatnonzero(rows >= 0)
    states: list[np.ndarray] = list(S)
    for k in range(kicks.shape[1]):
        noise[:] = keep * noise + kick * kicks[:, k]
        x = size[3] * saturating[k]
        u = x / (1.0 + x / force) + size[4] * linear[k] + other[:, k]
        u = u + size[0] * noise + size[1] * common[0, k] + size[2] * common[1, k]
        for j in range(SUBSTEPS):
            *states, fired = cast("tuple[np.ndarray, ...]", cast("Any", step)(*states, u, P))
            at = k * SUBSTEPS + j
            for i in np.flatnonzero(fired):
                spikes[i, counts[i]] = at
                counts[i] += 1
            if traced.size:
                v, _, _, rise, p, h, _ = states
                recorded = np.stack([v, rise, P[6] * p * h])
                traces[:, rows[traced], at] = recorded[:, traced]
    S[:] = states


@dataclass(frozen=True, eq=False)
class PoolRun:
    """The spikes of a pool under a drive, and the potentials of some units.

    Attributes
    ----------
    duration_s : float
        Length of the run.
    time_s, unit : ndarray, shape (n,)
        Every spike in order of time, and its unit.
    traced : ndarray, shape (k,)
        Units whose potential was recorded.
    time_ms : ndarray, shape (T,)
        Times of the traces.
    potential_mv : ndarray, shape (k, T)
        Absolute potential; a spike is not drawn: after it the unit is held at the reset.
    threshold_baseline_mv, threshold_electrolyte_mv : float
        Absolute threshold of the healthy rested soma, and what the divalent ions add to it.
    threshold_adaptation_mv : ndarray, shape (k, T)
        What the spikes so far add to it.
    pic_mv : ndarray, shape (k, T)
        Depolarisation by the PIC, which other inputs need not supply to reach the threshold.
    """

    duration_s: float
    time_s: np.ndarray
    unit: np.ndarray
    units: int
    traced: np.ndarray
    time_ms: np.ndarray
    potential_mv: np.ndarray
    threshold_baseline_mv: float
    threshold_electrolyte_mv: float
    threshold_adaptation_mv: np.ndarray
    pic_mv: np.ndarray = field(repr=False)

    @property
    def threshold_mv(self) -> np.ndarray:
        """Absolute threshold of the traced units, mV, shape (k, T)."""
        rested = self.threshold_baseline_mv + self.threshold_electrolyte_mv
        return rested + self.threshold_adaptation_mv

    def spikes_s(self, unit: int) -> np.ndarray:
        """Return the spike times of one unit, s."""
        return self.time_s[self.unit == unit]

    def trains_s(self) -> list[np.ndarray]:
        """Return the spike times of every unit, s."""
        order = np.argsort(self.unit, kind="stable")
        cuts = np.searchsorted(self.unit[order], np.arange(1, self.units))
        return np.split(self.time_s[order], cuts)


@dataclass(frozen=True, eq=False)
class PoolInput:
    """What drives a pool; one number, or one for each millisecond of the run.

    Attributes
    ----------
    excitation : float or array_like, shape (ms,)
        Voluntary drive from 0 to 1, common to all units. Its current is the same in all; the
        depolarisation saturates towards the synaptic driving force: x / (1 + x / 70 mV),
        x = resistance x current.
    current_na : float or array_like, shape (ms,)
        Current injected into every soma, nA.
    input_mv : float or array_like, shape (ms,) or (units, ms)
        Further depolarisation; negative is inhibition (stretch).
    duration_s : float
        Needed if no input is an array.
    """

    excitation: Any = 0.0
    current_na: Any = 0.0
    input_mv: Any = 0.0
    duration_s: float | None = None

    @property
    def length_ms(self) -> int:
        """Milliseconds of the run.

        Raises
        ------
        NeurosimError
            If the inputs differ in length, or none has one.
        """
        inputs = (self.excitation, self.current_na, self.input_mv)
        sizes = {np.shape(values)[-1] for values in inputs if np.ndim(values)}
        if self.duration_s is not None:
            duration_s = number_within("duration_s", self.duration_s, 0.001, 1e7, "s")
            sizes.add(round(duration_s * 1000.0))
        if len(sizes) != 1:
            raise NeurosimError(
                "the inputs and duration_s must be of one length, one number each millisecond, "
                f"not {sorted(sizes)} ms."
            )
        return sizes.pop()


def run_pool(
    pool: Pool,
    drive: PoolInput,
    conditions: SomaConditions | None = None,
    *,
    seed: int | np.random.SeedSequence,
    noise: bool = True,
    trace: Sequence[int] = (),
) -> PoolRun:
    """Return the spikes of a pool under a drive, and the potentials of chosen units.

    Parameters
    ----------
    pool : Pool
        The units.
    drive : PoolInput
        Excitation, currents and other inputs, and their length.
    conditions : SomaConditions
        Fluid and gains, the same for all units; those of health by default.
    seed : int or numpy.random.SeedSequence
        Child 0 is the common noise, child i + 1 that of unit i: a unit's noise does not depend on
        how many run beside it.
    noise : bool
        Without it the run is deterministic.
    trace : sequence of int
        Units whose potential is recorded.

    Raises
    ------
    NeurosimError
        For inputs of different lengths, a value out of range, or a run too large.

    Examples
    --------
    >>> run = run_pool(build_pool(12), PoolInput(excitation=0.1, duration_s=1.0), seed=1)
    >>> len(run.trains_s())
    12
    """
    fluid = SomaConditions() if conditions is None else conditions
    if not isinstance(fluid, SomaConditions):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise NeurosimError(f"run_pool needs SomaConditions, not {conditions!r}.")
    ms, n = drive.length_ms, pool.units
    if ms * n > MAX_SAMPLES:
        raise NeurosimError(
            f"units x milliseconds = {ms * n:g} is more than {MAX_SAMPLES:g}: "
            "take fewer units or a shorter time."
        )
    inputs = _check_inputs(drive, ms, n, fluid.drive_scale)
    traced = np.array([_check_whole("trace", i, 0, n - 1) for i in trace], dtype=np.int64)
    if traced.size * ms * SUBSTEPS > MAX_TRACED:
        raise NeurosimError("too much to record: trace fewer units or take a shorter time.")
    drawn = noise_chunks(_seed_sequence(seed), n, ms, noise)
    return _run_chunks(pool, fluid, inputs, drawn, traced)


def _check_inputs(drive: PoolInput, ms: int, n: int, scale: float) -> tuple[np.ndarray, ...]:
    """Return scaled excitation, current and other input, shapes (ms,), (ms,), (1 or n, ms)."""
    e = _finite_array("excitation", drive.excitation, ((), (ms,)))
    if e.min() < 0.0 or e.max() > 1.0:
        raise NeurosimError(
            f"excitation must lie between 0 and 1, not reach {e.min():g} or {e.max():g}."
        )
    current = _finite_array("current_na", drive.current_na, ((), (ms,)))
    other = np.atleast_1d(_finite_array("input_mv", drive.input_mv, ((), (ms,), (n, ms))))
    other = np.broadcast_to(other, (1, ms)) if other.ndim == 1 else other
    return np.broadcast_to(e * scale, ms), np.broadcast_to(current, ms), other


def _noise_sizes(pool: Pool, conditions: SomaConditions, noise: bool) -> np.ndarray:
    """Return the mV of each kind of noise as an input, shape (3, units): own, slow, fast.

    A membrane with tau filters noise of tau_s to the share tau_s / (tau + tau_s) of its variance;
    the variances of the potential add up to `noise_mv` squared.
    """
    slow, fast = _param("noise_common_slow"), _param("noise_common_fast")
    shares = (1.0 - slow - fast, slow, fast)
    rows: list[np.ndarray] = []
    for share, hz in zip(shares, (NOISE_HZ[2], *NOISE_HZ[:2]), strict=True):
        tau = 1000.0 / (2.0 * np.pi * hz)
        rows.append(np.sqrt(share * (1.0 + pool.tau_membrane_ms / tau)))
    return noise_mv(conditions) * float(noise) * np.stack(rows)


def _common_noise(generator: np.random.Generator, ms: int, last: np.ndarray | None) -> np.ndarray:
    """Return the two common noises of SD 1, shape (2, ms), going on from `last`."""
    from scipy.signal import lfilter  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] scipy has no types

    normal = generator.standard_normal((ms, 2)).T
    out = np.empty((2, ms))
    for i, hz in enumerate(NOISE_HZ[:2]):
        keep = np.exp(-INPUT_MS * 2.0 * np.pi * hz / 1000.0)
        kick = np.sqrt(1.0 - keep**2)
        x = kick * normal[i]
        if last is None:
            x[0] = normal[i, 0]
        start = [0.0 if last is None else keep * last[i]]
        out[i] = lfilter([1.0], [1.0, -keep], x, zi=start)[0]
    return out


@dataclass(frozen=True, eq=False)
class _Noise:
    """The noise of a run."""

    is_on: bool
    start: np.ndarray  # (units,): state of each unit's own noise
    chunks: Iterator[tuple[np.ndarray, np.ndarray]]  # common (2, ms) and kicks (units, ms)


def noise_chunks(seed: np.random.SeedSequence, n: int, ms: int, is_on: bool) -> _Noise:
    """Return the noise of a run, drawn chunk by chunk."""
    common_generator = _child_generator(seed, 0)
    generators = [_child_generator(seed, i + 1) for i in range(n)]
    start = np.array([g.standard_normal() for g in generators]) * float(is_on)

    def draw() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        common = None
        for first in range(0, ms, _CHUNK_MS):
            m = min(_CHUNK_MS, ms - first)
            if not is_on:
                yield np.zeros((2, m)), np.zeros((n, m))
                continue
            common = _common_noise(common_generator, m, None if common is None else common[:, -1])
            yield common, np.stack([g.standard_normal(m) for g in generators])

    return _Noise(is_on, start, draw())


def _in_order_of_time(spikes: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return step and unit of every spike of a chunk."""
    at = np.concatenate([s[:c] for s, c in zip(spikes, counts, strict=True)])
    unit = np.repeat(np.arange(counts.size), counts.astype(np.intp))
    order = np.argsort(at, kind="stable")
    return at[order], unit[order]


def _run_chunks(
    pool: Pool,
    conditions: SomaConditions,
    inputs: tuple[np.ndarray, ...],
    noise: _Noise,
    traced: np.ndarray,
) -> PoolRun:
    n, ms = pool.units, inputs[0].size
    P = unit_parameters(pool, conditions)
    S = at_rest(P)
    drive_mv = [pool.resistance_mohm * _param("largest_drive_na"), pool.resistance_mohm]
    size = np.concatenate([_noise_sizes(pool, conditions, noise.is_on), drive_mv])
    rows = np.full(n, -1)
    rows[traced] = np.arange(traced.size)
    traces = np.empty((3, traced.size, ms * SUBSTEPS))
    chunks: list[tuple[np.ndarray, np.ndarray]] = []
    most = int(_CHUNK_MS / max(_soma_param("refractory_ms"), DT_MS)) + 2
    spikes, counts = np.empty((n, most), dtype=np.int64), np.empty(n, dtype=np.int64)
    for start, (common, kicks) in zip(range(0, ms, _CHUNK_MS), noise.chunks, strict=True):
        part = slice(start, min(start + _CHUNK_MS, ms))
        counts[:] = 0
        drive, injected, other = (np.ascontiguousarray(values[..., part]) for values in inputs)
        trace = traces[:, :, start * SUBSTEPS : part.stop * SUBSTEPS]
        now = size, drive, injected, other
        move(S, P, noise.start, kicks, common, *now, spikes, counts, trace, rows)
        at, unit = _in_order_of_time(spikes, counts)
        chunks.append((at + start * SUBSTEPS, unit))
    parts, rest_mv = threshold_parts_mv(conditions), _soma_param("rest_mv")
    return PoolRun(
        duration_s=ms / 1000.0,
        time_s=(np.concatenate([step for step, _ in chunks]) + 1.0) * DT_MS / 1000.0,
        unit=np.concatenate([unit for _, unit in chunks]),
        units=n,
        traced=traced,
        time_ms=(np.arange(ms * SUBSTEPS if traced.size else 0) + 1.0) * DT_MS,
        potential_mv=traces[0] + rest_mv,
        threshold_baseline_mv=rest_mv + parts["baseline"],
        threshold_electrolyte_mv=parts["electrolyte"],
        threshold_adaptation_mv=traces[1],
        pic_mv=traces[2],
    )
