"""The electromyogram of a muscle, from who fired when: by surface electrodes or a needle.

**Fibre.** Each discharge starts two waves at the end plate of every fibre of its unit, and
each runs to a tendon. Along the fibre, x mm behind its front, a wave is Rosenfalck's action
potential f(x) = A k^3 x^3 exp(-k x) above rest. The current that leaves the fibre is the line
source s_i a d2V/dz2 (s_i the conductivity inside, a the cross-section); at the end plate and at
the tendon, where dV/dz jumps, it is a point source, so that all currents together are zero
at every moment (Plonsey 1974; Dimitrov & Dimitrova 1974; Farina & Merletti 2001).

**Volume conductor.** A half-space of muscle, conducting s_z along the fibres and s_r across
them, with air above the skin: a current I at distance r and z gives
I / (4 pi s_r sqrt(K r^2 + z^2)), K = s_z / s_r, and as much from its mirror image (Nandedkar &
Stalberg 1983). Integrated by parts, line and point sources become one convolution,
phi(t) = s_i a / (4 pi s_r) * integral of f'(v t - s) w'(s) ds with w = 1 / sqrt(K r^2 + z^2):
what is left to integrate has no singular term. Derived here from those papers' sources.

**Unit.** Fibres are scattered over a disc, end plates along the fibres; fibres are as many as
the unit is strong, as thick as it is fast. Coordinates, mm: x across, y depth under the
skin, z along the fibres from the middle of the end-plate zone. Numbers: ``emg.toml``.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError, finite_number, number_within
from neurosim.clinic.unit_potentials import (
    _DENSE,  # pyright: ignore[reportPrivateUsage] same room
    DEFAULT_SETTINGS,
    Electrode,
    EmgSettings,
    _amplify,  # pyright: ignore[reportPrivateUsage] same room
    _check_seed,  # pyright: ignore[reportPrivateUsage] same room
    _check_settings,  # pyright: ignore[reportPrivateUsage] same room
    _oversampling,  # pyright: ignore[reportPrivateUsage] same room
    _unit_generator,  # pyright: ignore[reportPrivateUsage] same room
    _unit_potential,  # pyright: ignore[reportPrivateUsage] same room
)
from neurosim.model.muscle.force import sort_discharges

if TYPE_CHECKING:
    from neurosim.model.muscle.anatomy import Muscle

MAX_SAMPLES = 200_000_000


def emg_uv(
    time_s: Any,
    unit: Any,
    muscle: str | Muscle,
    duration_s: float,
    electrode: str | Electrode = "surface",
    settings: EmgSettings = DEFAULT_SETTINGS,
) -> np.ndarray:
    """Return the electromyogram, uV, shape (n_samples,), from 0 s on.

    Every discharge adds its unit's potential, placed to within 0.025 ms. The work follows
    the discharges; only the noise costs for silence.

    Parameters
    ----------
    time_s, unit : array_like
        Discharge times at the muscle, s, and unit of each, shape (n,), in any order.
    muscle : str or Muscle
    duration_s : float
        Length of the record, s.
    electrode : {"surface", "needle"} or Electrode
    settings : EmgSettings
        Sampling, whose muscle, and the state of its units.

    Raises
    ------
    NeurosimError
        For an unknown name or unit, a value that is not allowed, or a record that would not
        fit in memory.
    """
    m, e, hz, scales = _check_settings(muscle, electrode, settings)
    seed, level = _check_seed(settings.seed), settings.noise_uv
    n = _sample_count(duration_s, hz)
    times, units = sort_discharges(time_s, unit, m)[:2]
    factor = _check_unit_factors(settings.scale_of_units, m)
    inner = np.rint(times * hz * _oversampling(hz)).astype(np.int64)
    first = -(-inner // _oversampling(hz))  # the sample at or after each discharge
    row = first * _oversampling(hz) - inner
    bounds = np.flatnonzero(np.diff(units, prepend=-1, append=-1))
    tables = {
        int(units[b]): _unit_potential(m, e, hz, seed, scales, int(units[b])) for b in bounds[:-1]
    }
    length = max((t.shape[1] for t in tables.values()), default=0)
    record = np.zeros(n + 2 * length)
    for start, stop in itertools.pairwise(bounds):
        u = int(units[start])
        begin = first[start:stop] + length
        seen = (begin >= 0) & (begin < n + length)
        table = tables[u] * factor[u]
        _add_potentials(record, begin[seen], row[start:stop][seen], table)
    record = record[length : length + n]
    level = e.noise_uv if level is None else number_within("noise_uv", level, 0, 1e4, "uV")
    return record + _amplifier_noise(n, level, e, hz, m, seed) if level and n else record


def _add_potentials(
    record: np.ndarray, first: np.ndarray, row: np.ndarray, table: np.ndarray
) -> None:
    """Add row `row` of a unit's table to the record at each sample `first` (rising), in place."""
    length: int = table.shape[1]
    if first.size and (first[-1] - first[0] + length) < _DENSE * first.size:
        for part in np.array_split(np.arange(first.size), -(-first.size // 4096)):
            where = (first[part] - first[part[0]])[:, None] + np.arange(length)
            added = np.bincount(where.ravel(), table[row[part]].ravel())
            record[first[part[0]] : first[part[0]] + added.size] += added
        return
    for i, k in zip(first.tolist(), row.tolist(), strict=True):
        record[i : i + length] += table[k]


def _amplifier_noise(
    n: int, level_uv: float, e: Electrode, hz: float, m: Muscle, seed: tuple[int, ...]
) -> np.ndarray:
    """Return noise of a stated root mean square in the amplifier's band, shape (n,)."""
    noise = _amplify(_unit_generator(m, seed, 0, 2).standard_normal(n), e, hz, 0.45 * hz)
    return noise * (level_uv / max(float(np.sqrt(np.mean(noise**2))), 1e-300))


def _check_unit_factors(scale_of_units: Any, m: Muscle) -> np.ndarray:
    """Return a checked factor for every unit, shape (units,)."""
    if scale_of_units is None:
        return np.ones(m.units)
    try:
        values = np.asarray(scale_of_units, float)
        factor = np.broadcast_to(values, (m.units,))
    except (TypeError, ValueError):
        raise NeurosimError(
            f"scale_of_units must be one number or {m.units} numbers, one for each unit."
        ) from None
    if not (np.isfinite(factor).all() and (factor >= 0).all()):
        raise NeurosimError("scale_of_units must be finite and not negative.")
    return factor


def _sample_count(duration_s: float, hz: float) -> int:
    """Return how many samples a record has; refuse one that would not fit in memory."""
    duration = finite_number("duration_s", duration_s)
    if duration < 0:
        raise NeurosimError(f"duration_s = {duration:g} s must not be negative.")
    if duration * hz > MAX_SAMPLES:
        raise NeurosimError(
            f"An electromyogram of {duration:g} s at {hz:g} samples per second would need "
            f"{duration * hz * 16 / 1e9:.3g} GB of memory, and at most "
            f"{MAX_SAMPLES * 16 / 1e9:g} GB is allowed: shorten it, or sample it more slowly."
        )
    return round(duration * hz)
