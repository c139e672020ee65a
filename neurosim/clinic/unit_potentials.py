"""The potential of a motor unit at an electrode, from its fibres and their places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base import cache, parameters
from neurosim.base.errors import NeurosimError, finite_number, number_within, unknown_name
from neurosim.clinic import filters
from neurosim.model.muscle import anatomy
from neurosim.model.muscle.anatomy import MUSCLES, Muscle
from neurosim.model.muscle.force import sort_discharges

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from neurosim.clinic.filters import Floats, Places

Seed = int | Sequence[int]
ELECTRODES = ("surface", "needle")
SAMPLING_HZ = (500.0, 50_000.0)
_INNER_HZ = 20_000.0  # at least; a discharge is placed to within half of such a sample
_SPIKE_LENGTHS = 20.0  # in 1/k, after which f is 1e-5 of its peak
_NEAR_MM = 2.5  # fibres this near a needle all count; they alone make its potential's size
_FAR_FIBRES = 100  # of the others so many stand for all
_SETTLE_S = 0.04  # what the amplifier's lower edge adds to a potential
_DENSE = 300  # samples of output per event below which adding by chunks is cheaper


@dataclass(frozen=True)
class Electrode:
    """Where potentials are picked up: points, their weights, and the amplifier behind them.

    Attributes
    ----------
    name : str
    points_mm : tuple of (x, y, z)
        Across, depth under the skin and along the fibres, mm.
    weights : tuple of float
        The record is the sum of the points' potentials by these; they usually add to 0.
    noise_uv : float
        Root mean square of the noise in the recorded band, uV.
    band_hz : (low, high) or None
        Edges of the amplifier; None leaves the potentials as they are.
    front_only : bool
        Whether fibres at smaller x than the first point are hidden, as by a needle's metal.
    """

    name: str
    points_mm: tuple[tuple[float, float, float], ...]
    weights: tuple[float, ...]
    noise_uv: float = 0.0
    band_hz: tuple[float, float] | None = None
    front_only: bool = False

    def __post_init__(self) -> None:
        points = np.asarray(self.points_mm, float)
        if points.ndim != 2 or points.shape != (len(self.weights), 3) or not points.size:
            raise NeurosimError("An electrode needs points of three coordinates, a weight each.")
        if not np.isfinite(points).all() or (points[:, 1] < 0).any():
            raise NeurosimError("Every point of an electrode must lie at a depth of 0 mm or more.")
        number_within("noise_uv", self.noise_uv, 0, 1e4, "uV")


@dataclass(frozen=True, eq=False)
class EmgSettings:
    """How a muscle is recorded, whose it is, and in what state its units are.

    Attributes
    ----------
    sampling_hz : float
        Samples per second, 500 to 50 000.
    seed : int or sequence of int
        Whose muscle: where units and fibres lie; and its noise.
    scale_of_units : array_like, optional
        Factor on each unit's potential, shape (units,) or one for all; such as the share of
        its fibres that follow.
    noise_uv : float, optional
        Root mean square of the noise; the electrode's if omitted.
    fibres_scale, scatter_scale : float
        Factors on the fibres of each unit and on their scatter; see `unit_fibres`.
    """

    sampling_hz: float = 2000.0
    seed: Seed = 1
    scale_of_units: Any = None
    noise_uv: float | None = None
    fibres_scale: float = 1.0
    scatter_scale: float = 1.0


DEFAULT_SETTINGS = EmgSettings()


@dataclass(frozen=True)
class PotentialShape:
    """What the clinic reads off a potential.

    Attributes
    ----------
    amplitude_uv : float
        From the highest to the lowest point.
    duration_ms : float
        From the first to the last moment beyond `onset_uv`; 0 if it never is.
    phases : int
        Swings to one side of the baseline beyond `onset_uv`.
    """

    amplitude_uv: float
    duration_ms: float
    phases: int


def _n(name: str) -> float:
    return parameters.parameter("emg", name)


def surface_electrode(
    muscle: str | Muscle, across_mm: float = 0.0, along_mm: float | None = None
) -> Electrode:
    """Return a pair of surface discs over a muscle, one behind the other along the fibres.

    Parameters
    ----------
    muscle : str or Muscle
    across_mm : float
        Position across the limb; 0 is the middle of the muscle.
    along_mm : float, optional
        Middle of the pair, from the end plates; half-way to the tendon if omitted.
    """
    m = anatomy.muscle(muscle)
    half = _n(f"{m.name}.half_length_mm")
    z = half / 2.0 if along_mm is None else finite_number("along_mm", along_mm)
    x = finite_number("across_mm", across_mm)
    spacing = min(_n("spacing_mm"), 2.0 * half * _n("spacing_share"))
    size = min(_n("disc_mm"), 0.8 * spacing) / 2.0 * math.sqrt(0.5)
    disc = [(0.0, 0.0), (size, 0.0), (-size, 0.0), (0.0, size), (0.0, -size)]
    points = [(x + a, 0.0, z + side * spacing / 2 + b) for side in (1, -1) for a, b in disc]
    weights = [side / len(disc) for side in (1, -1) for _ in disc]
    band = (_n("surface_low_hz"), _n("surface_high_hz"))
    return Electrode("surface", tuple(points), tuple(weights), _n("noise_surface_uv"), band)


def needle_electrode(
    muscle: str | Muscle,
    across_mm: float = 0.0,
    depth_mm: float | None = None,
    along_mm: float | None = None,
) -> Electrode:
    """Return a concentric needle put straight down: its core against the mean of its shaft.

    The core lies on one side of the metal and sees the fibres of that side, larger x
    (Nandedkar and others 1988).

    Parameters
    ----------
    muscle : str or Muscle
    across_mm : float
        Position across the limb; 0 is the middle of the muscle.
    depth_mm : float, optional
        Depth of the core under the skin; the middle of the muscle if omitted.
    along_mm : float, optional
        From the end plates; half-way to the tendon if omitted.
    """
    m = anatomy.muscle(muscle)
    middle = _n(f"{m.name}.cover_mm") + _n(f"{m.name}.thickness_mm") / 2.0
    y = middle if depth_mm is None else number_within("depth_mm", depth_mm, 0.5, 100, "mm")
    z = _n(f"{m.name}.half_length_mm") / 2.0
    z = z if along_mm is None else finite_number("along_mm", along_mm)
    x = finite_number("across_mm", across_mm)
    place, chord = np.polynomial.legendre.leggauss(5)
    chord = chord * np.sqrt(1.0 - place**2)  # of the ellipse, at each place on its long axis
    core = y + place * _n("core_long_mm") / 2.0
    shaft = np.linspace(max(y - _n("shaft_mm"), 0.0), y - 0.4, 8)
    points = [(x, float(d), z) for d in np.concatenate([core, shaft])]
    weights = np.concatenate([chord / chord.sum(), np.full(shaft.size, -1.0 / shaft.size)])
    band = (_n("needle_low_hz"), _n("needle_high_hz"))
    return Electrode(
        "needle", tuple(points), tuple(weights.tolist()), _n("noise_needle_uv"), band, True
    )


def electrode_for(electrode: str | Electrode, muscle: str | Muscle) -> Electrode:
    """Return an electrode; ``"surface"`` and ``"needle"`` are the usual ones for the muscle.

    Raises
    ------
    NeurosimError
        For another name.
    """
    if isinstance(electrode, Electrode):
        return electrode
    if electrode not in ELECTRODES:
        raise unknown_name("electrode", electrode, ELECTRODES)
    return surface_electrode(muscle) if electrode == "surface" else needle_electrode(muscle)


@dataclass(frozen=True, eq=False)
class Fibres:
    """The fibres of one unit, as columns of shape (n,).

    Attributes
    ----------
    x_mm, y_mm : ndarray
        Across and depth.
    end_plate_mm : ndarray
        Place of the end plate along the fibre.
    velocity_m_s, diameter_um : ndarray
    count : ndarray
        How many fibres each of these stands for.
    half_length_mm : float
        The tendons lie so far to both sides of the end-plate zone's middle.
    wave_m_s : float
        The unit's velocity: its spike lasts as long in every fibre as at this one.
    """

    x_mm: Floats
    y_mm: Floats
    end_plate_mm: Floats
    velocity_m_s: Floats
    diameter_um: Floats
    count: Floats
    half_length_mm: float
    wave_m_s: float


def velocities_m_s(muscle: str | Muscle) -> Floats:
    """Return the conduction velocity of the fibres of every unit, m/s, shape (units,), rising.

    From the slowest to the fastest that was measured, with the logarithm of the twitch force.
    """
    force = np.log(anatomy.twitch_forces_mn(muscle))
    span = math.log(anatomy.muscle(muscle).twitch_force_range)
    slow, fast = _n("velocity_slow"), _n("velocity_fast")
    return slow + (fast - slow) * (force - force[0]) / span


def fibre_counts(muscle: str | Muscle) -> Floats:
    """Return the number of fibres of every unit, shape (units,).

    In proportion to its twitch force over the cross-section of one of its fibres, so that
    every unit has the same force per area.
    """
    m = anatomy.muscle(muscle)
    slope, offset = _n("velocity_per_um"), _n("velocity_offset")
    share = anatomy.twitch_forces_mn(m) / ((velocities_m_s(m) - offset) / slope) ** 2
    mean = _n(f"{m.name}.fibres_per_unit")
    return np.maximum(np.rint(mean * share / share.mean()), 1).astype(np.int64)


def territories_mm(muscle: str | Muscle, seed: Seed = 1) -> Floats:
    """Return where every unit lies: x, y and radius of its disc, mm, shape (units, 3).

    Units lie anywhere in the elliptic muscle, as far inside it as their size lets them.
    """
    return np.array(_territories(anatomy.muscle(muscle), _check_seed(seed)), float)


@cache.cached()
def _territories(m: Muscle, seed: tuple[int, ...]) -> Floats:
    wide, thick = _n(f"{m.name}.width_mm") / 2.0, _n(f"{m.name}.thickness_mm") / 2.0
    radius = np.sqrt(fibre_counts(m) / (_n("fibres_per_mm2") * math.pi))
    table = np.empty((m.units, 3))
    for unit, r in enumerate(radius.tolist()):
        rng = _unit_generator(m, seed, unit, 0)
        far, angle = math.sqrt(rng.random()), 2.0 * math.pi * rng.random()
        x = far * math.cos(angle) * max(wide - r, 0.2 * wide)
        y = far * math.sin(angle) * max(thick - r, 0.2 * thick)
        table[unit] = x, y + _n(f"{m.name}.cover_mm") + thick, r
    return table


def _check_seed(seed: Seed) -> tuple[int, ...]:
    """Return a seed as whole numbers; one sentence if it is none."""
    numbers = np.atleast_1d(np.asarray(seed, dtype=object)).tolist()
    if not numbers or any(not isinstance(s, int | np.integer) or s < 0 for s in numbers):
        raise NeurosimError(f"seed must be one or more whole numbers from 0 up, not {seed!r}.")
    return tuple(int(s) for s in numbers)


def _unit_generator(m: Muscle, seed: tuple[int, ...], unit: int, kind: int) -> np.random.Generator:
    key = (MUSCLES.index(m.name), unit, kind)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def unit_fibres(
    muscle: str | Muscle,
    unit: int,
    seed: Seed = 1,
    fibres_scale: float = 1.0,
    scatter_scale: float = 1.0,
) -> Fibres:
    """Return every fibre of one unit.

    Parameters
    ----------
    muscle : str or Muscle
    unit : int
        0 is the smallest.
    seed : int or sequence of int
        Whose muscle.
    fibres_scale : float
        Factor on the number of fibres within the same territory: above 1 as after
        reinnervation, below 1 as where junctions fail.
    scatter_scale : float
        Factor on the scatter of end plates and of diameters.
    """
    m = anatomy.muscle(muscle)
    rng = _unit_generator(m, _check_seed(seed), unit, 1)
    x0, y0, radius = np.asarray(_territories(m, _check_seed(seed)), float)[unit]
    n = max(round(float(fibre_counts(m)[unit]) * fibres_scale), 1)
    wide, thick = _n(f"{m.name}.width_mm") / 2.0, _n(f"{m.name}.thickness_mm") / 2.0
    top = _n(f"{m.name}.cover_mm")
    x, y = np.empty(0), np.empty(0)
    while x.size < n:  # those outside the muscle are drawn again
        far, angle = radius * np.sqrt(rng.random(2 * n)), 2.0 * np.pi * rng.random(2 * n)
        across, deep = x0 + far * np.cos(angle), y0 + far * np.sin(angle)
        inside = (across / wide) ** 2 + ((deep - top - thick) / thick) ** 2 <= 1.0
        x, y = np.append(x, across[inside]), np.append(y, deep[inside])
    end_plate, size = (np.clip(rng.standard_normal(n), -2.0, 2.0) * scatter_scale for _ in (0, 1))
    wave = float(velocities_m_s(m)[unit])
    slope, offset = _n("velocity_per_um"), _n("velocity_offset")
    diameter = (wave - offset) / slope * np.maximum(1.0 + _n("diameter_cv") * size, 0.3)
    half = _n(f"{m.name}.half_length_mm")
    return Fibres(
        x_mm=x[:n],
        y_mm=y[:n],
        end_plate_mm=np.clip(end_plate * _n("end_plate_sd_mm"), -0.8 * half, 0.8 * half),
        velocity_m_s=offset + slope * diameter,
        diameter_um=diameter,
        count=np.ones(n),
        half_length_mm=half,
        wave_m_s=wave,
    )


def spike_mv(behind_mm: Any) -> Floats:
    """Return the action potential inside a fibre, mV above rest, at distances behind its front.

    A k^3 x^3 exp(-k x), 0 ahead of the front (Rosenfalck 1969, whose k is 1 per mm).
    """
    k = _n("spike_steepness")
    x = k * np.maximum(np.asarray(behind_mm, float), 0.0)
    return _n("spike_height") * x**3 * np.exp(-x)


def fibres_potential_uv(
    fibres: Fibres, electrode: Electrode, sampling_hz: float, samples: int
) -> Floats:
    """Return what an electrode sees when a unit's fibres are excited once, uV, (samples,).

    Sample k is k / `sampling_hz` after the end plates fire. No amplifier and no noise.
    """
    dt = 1000.0 / sampling_hz
    jumps = np.zeros(samples)
    for part in np.array_split(np.arange(fibres.x_mm.size), 1 + fibres.x_mm.size // 64):
        if not part.size:
            break
        jumps += _weight_steps(fibres, part, electrode, dt, samples)
    spike = spike_mv(fibres.wave_m_s * dt * np.arange(samples + 1))
    rise = np.diff(spike, prepend=0.0)[: samples + 1] / dt  # of the wave over each step, mV/ms
    size = 1 << (2 * samples).bit_length()
    total = np.fft.irfft(np.fft.rfft(jumps, size) * np.fft.rfft(rise, size), size)[:samples]
    within = _n("intracellular_conductivity") / (4.0 * math.pi * _n("radial_conductivity"))
    return 1000.0 * within * total


def _weight_steps(
    fibres: Fibres, part: Places, electrode: Electrode, dt_ms: float, samples: int
) -> Floats:
    """Return how w changes over each step of the waves, summed over fibres, shape (samples,).

    Each fibre counts by its cross-section over its velocity, mm2 / (mm/ms).
    """
    v = fibres.velocity_m_s[part, None]
    start = fibres.end_plate_mm[part, None]
    area = np.pi / 4.0 * (fibres.diameter_um[part] / 1000.0) ** 2
    share = fibres.count[part] * area / fibres.velocity_m_s[part]
    least = (fibres.diameter_um[part] / 2000.0) ** 2
    ratio = _n("axial_conductivity") / _n("radial_conductivity")
    total = np.zeros(samples)
    for side in (1.0, -1.0):
        length = fibres.half_length_mm - side * start
        steps = min(int(np.max(length / v) / dt_ms) + 2, samples)
        z = start + side * np.minimum(v * dt_ms * np.arange(steps + 1), length)
        w = np.zeros_like(z)
        for (px, py, pz), weight in zip(electrode.points_mm, electrode.weights, strict=True):
            across = (fibres.x_mm[part] - px) ** 2
            along = (z - pz) ** 2
            for y in {py, -py}:  # the fibre and, told from the other side, its image
                r2 = np.maximum(across + (fibres.y_mm[part] - y) ** 2, least)[:, None]
                w += (weight if py else 2.0 * weight) / np.sqrt(ratio * r2 + along)
        total[:steps] += share @ np.diff(w, axis=1)
    return total


def _thin_fibres(fibres: Fibres, electrode: Electrode) -> Fibres:
    """Return the fibres that the electrode sees, those far from it replaced by a few of them."""
    if electrode.front_only:
        seen = np.flatnonzero(fibres.x_mm > electrode.points_mm[0][0])
        fibres = _select_fibres(fibres, seen, fibres.count[seen])
    points = np.array(electrode.points_mm)[np.array(electrode.weights) > 0]
    gap = np.hypot(fibres.x_mm[:, None] - points[:, 0], fibres.y_mm[:, None] - points[:, 1]).min(
        axis=1
    )
    near, far = np.flatnonzero(gap <= _NEAR_MM), np.flatnonzero(gap > _NEAR_MM)
    if far.size <= _FAR_FIBRES:
        return fibres
    keep = np.append(near, far[:_FAR_FIBRES])
    count = np.append(np.ones(near.size), np.full(_FAR_FIBRES, far.size / _FAR_FIBRES))
    return _select_fibres(fibres, keep, count)


def _select_fibres(fibres: Fibres, index: Places, count: Floats) -> Fibres:
    """Return some of the fibres, each standing for `count`."""
    return Fibres(
        fibres.x_mm[index],
        fibres.y_mm[index],
        fibres.end_plate_mm[index],
        fibres.velocity_m_s[index],
        fibres.diameter_um[index],
        count,
        fibres.half_length_mm,
        fibres.wave_m_s,
    )


def _oversampling(sampling_hz: float) -> int:
    """Return how many inner samples there are to one of the record."""
    return max(1, math.ceil(_INNER_HZ / sampling_hz))


@cache.cached(size=8192)
def _unit_potential(
    m: Muscle,
    electrode: Electrode,
    hz: float,
    seed: tuple[int, ...],
    scales: tuple[float, float],
    unit: int,
) -> Floats:
    """Return one unit's potential, uV, shape (inner samples per sample, samples).

    Row p holds the inner samples p, p + n, p + 2 n...: the potential as sampled p inner
    samples after the discharge.
    """
    n = _oversampling(hz)
    half = _n(f"{m.name}.half_length_mm") + 2.0 * scales[1] * _n("end_plate_sd_mm")
    slow = max(0.5 * _n("velocity_slow"), 1.0)
    last_s = half / slow / 1000.0
    last_s += _SPIKE_LENGTHS / _n("spike_steepness") / _n("velocity_slow") / 1000.0
    last_s += _SETTLE_S if electrode.band_hz else 0.0
    samples = n * math.ceil(last_s * hz)
    fibres = _thin_fibres(unit_fibres(m, unit, seed, *scales), electrode)
    potential = fibres_potential_uv(fibres, electrode, n * hz, samples)
    potential = _amplify(potential, electrode, n * hz, 0.45 * hz)
    table = np.ascontiguousarray(potential.reshape(-1, n).T)
    table.flags.writeable = False
    return table


def _amplify(signal: Floats, electrode: Electrode, rate: float, top_hz: float) -> Floats:
    """Return a signal after the amplifier (second-order Butterworth), sampled at `rate`.

    Its upper edge is at most `top_hz`, so that nothing folds back in a record sampled slowly.
    """
    if electrode.band_hz is None:
        return signal
    low, high = electrode.band_hz
    edges = [low, min(high, top_hz, 0.45 * rate)]
    return filters.band_pass(signal, edges, rate)


def _check_settings(
    muscle: str | Muscle, electrode: str | Electrode, settings: EmgSettings
) -> tuple[Muscle, Electrode, float, tuple[float, float]]:
    m = anatomy.muscle(muscle)
    hz = number_within("sampling_hz", settings.sampling_hz, *SAMPLING_HZ, "per second")
    scales = (
        number_within("fibres_scale", settings.fibres_scale, 0.001, 20),
        number_within("scatter_scale", settings.scatter_scale, 0, 5),
    )
    return m, electrode_for(electrode, m), hz, scales


def unit_potentials(
    muscle: str | Muscle,
    electrode: str | Electrode = "surface",
    settings: EmgSettings = DEFAULT_SETTINGS,
    units: Any = None,
) -> Floats:
    """Return the potential of every unit at an electrode, uV, shape (units, samples).

    Sample 0 is the moment the end plates fire. Computed once and kept.

    Parameters
    ----------
    muscle : str or Muscle
    electrode : {"surface", "needle"} or Electrode
    settings : EmgSettings
        All but the noise and the factors on units.
    units : sequence of int, optional
        Only these units, in this order.

    Raises
    ------
    NeurosimError
        For an unknown name or a value that is not allowed.
    """
    m, e, hz, scales = _check_settings(muscle, electrode, settings)
    seed = _check_seed(settings.seed)
    wanted = np.arange(m.units) if units is None else np.atleast_1d(np.asarray(units))
    sort_discharges(np.zeros(wanted.size), wanted, m)  # refuses a unit that does not exist
    rows: list[Floats] = [_unit_potential(m, e, hz, seed, scales, int(u))[0] for u in wanted]
    return np.stack(rows)


def measure_shape(
    potential_uv: ArrayLike, sampling_hz: float, onset_uv: float | None = None
) -> PotentialShape:
    """Return amplitude, duration and phases of one potential sampled at `sampling_hz`.

    It begins and ends beyond `onset_uv`, by default the parameter ``emg.onset_uv``.
    """
    p = np.asarray(potential_uv, float)
    loud = np.flatnonzero(np.abs(p) > (_n("onset_uv") if onset_uv is None else onset_uv))
    if not loud.size:
        return PotentialShape(float(np.ptp(p)), 0.0, 0)
    phases = 1 + int(np.count_nonzero(np.diff(np.sign(p[loud]))))
    return PotentialShape(
        float(np.ptp(p)), float(loud[-1] - loud[0]) * 1000.0 / sampling_hz, phases
    )
