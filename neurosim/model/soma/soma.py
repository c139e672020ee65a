"""The soma of a motor neuron: how far it rests from firing, and how often noise fires it.

Integrate-and-fire with after-hyperpolarisation, a threshold that rises with each spike, and
synaptic noise. Potentials are in mV above the rest of a motor neuron without input, except
in `SomaTrace`, which shows absolute mV. Sodium outside is stored but changes nothing here. The
persistent inward current (PIC) is a steady depolarisation, so there are no plateaus.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from dataclasses import replace as _replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neurosim.base.errors import NeurosimError, number_within, unknown_name
from neurosim.base.parameters import parameter
from neurosim.model.axon.conditions import apply_contribution
from neurosim.model.axon.ions import thermal_mv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike

    from neurosim.model.axon.conditions import (
        _Contribution,  # pyright: ignore[reportPrivateUsage] the protocol of both sites
    )


MAX_SAMPLES = 50_000_000  # neurons x samples of one run: two such arrays take 0.8 GB
_CHUNK = 2_000_000  # noise numbers drawn at a time; does not change the result


@dataclass(frozen=True)
class SomaConditions:
    """The fluid around a motor neuron's soma and the gains of its inputs.

    The healthy soma is `SomaConditions()`; everything else is a `replace`. Concentrations
    are in mmol/L (calcium and magnesium ionised), gain and scales multiply the healthy value.

    Raises
    ------
    NeurosimError
        For a value that is no number or is out of range.
    """

    sodium_out_mmol_l: float = 144.2
    potassium_out_mmol_l: float = 4.2
    calcium_out_mmol_l: float = 1.2
    magnesium_out_mmol_l: float = 0.55
    pic_gain: float = 1.0
    synaptic_noise_scale: float = 1.0
    ahp_scale: float = 1.0
    drive_scale: float = 1.0
    tone_scale: float = 1.0

    def __post_init__(self) -> None:
        for f in fields(self):
            fluid = f.name.endswith("_mmol_l")
            low = 0.01 if fluid and f.name != "magnesium_out_mmol_l" else 0.0
            high, unit = (1000.0, "mmol/L") if fluid else (100.0, "")
            value = number_within(f.name, getattr(self, f.name), low, high, unit)
            object.__setattr__(self, f.name, value)

    def replace(self, **changes: float) -> SomaConditions:
        """Return a copy with `changes`.

        Raises
        ------
        NeurosimError
            For a name that is no condition, or a value out of range.
        """
        names = {f.name for f in fields(self)}
        for name in changes:
            if name not in names:
                raise unknown_name("soma parameter", name, names)
        return _replace(self, **changes)


def apply_soma_contributions(
    contributions: Sequence[_Contribution], site: str = "soma"
) -> SomaConditions:
    """Return the conditions at a soma after `contributions`, by parameter name alone.

    Parameters
    ----------
    contributions : sequence
        Objects with `site`, `parameter`, `operation` (``set``, ``add``, ``scale``), `change`;
        those of other sites are passed over.
    site : str
        ``"soma"``, or ``"facial"`` for the lid's motor neuron.

    Raises
    ------
    NeurosimError
        For a parameter the soma does not have, or a value out of range.
    """
    conditions = SomaConditions()
    for c in contributions:
        if c.site == site:
            conditions = conditions.replace(
                **{c.parameter: apply_contribution(getattr(conditions, c.parameter, 0.0), c)}
            )
    return conditions


def _param(name: str) -> float:
    return parameter("soma", f"soma_{name}")


def resting_mv(conditions: SomaConditions) -> float:
    """Return the mean potential at rest, in mV above the rest of a neuron without input.

    Synaptic tone, PIC, and the shift of the potassium potential times the share of the
    resting conductance that follows it.
    """
    kt = thermal_mv(_param("temperature_c"))
    healthy = parameter("membrane", "base_potassium")
    nernst_change = kt * float(np.log(conditions.potassium_out_mmol_l / healthy))
    return (
        _param("tone_mv") * conditions.drive_scale * conditions.tone_scale
        + _param("pic_mv") * conditions.pic_gain
        + _param("potassium_share") * nernst_change
    )


def threshold_parts_mv(conditions: SomaConditions) -> dict[str, float]:
    """Return the parts of the threshold of a rested soma, in mV, by name.

    ``baseline`` is the healthy threshold above the rest of a neuron without input;
    ``electrolyte`` is what the divalent ions add: -s ln[(Ca0 + w Mg0) / (Ca + w Mg)], the
    empirical form of the gate shift of Frankenhaeuser & Hodgkin (1957), so that low calcium
    lowers the threshold. What recent spikes add is in `SomaTrace`.
    """
    weight = _param("magnesium_weight")
    healthy = parameter("membrane", "base_calcium") + weight * parameter(
        "membrane", "base_magnesium"
    )
    ions = conditions.calcium_out_mmol_l + weight * conditions.magnesium_out_mmol_l
    shift = -_param("gate_shift") * float(np.log(healthy / ions))
    return {"baseline": _param("threshold_mv"), "electrolyte": shift + 0.0}  # no -0.0


def margin_mv(conditions: SomaConditions) -> float:
    """Return how far the mean resting potential lies below the threshold, mV, before noise."""
    return sum(threshold_parts_mv(conditions).values()) - resting_mv(conditions)


def noise_mv(conditions: SomaConditions) -> float:
    """Return the standard deviation of the potential under synaptic noise, mV."""
    return _param("noise_mv") * conditions.synaptic_noise_scale


def misfires_per_min(conditions: SomaConditions, margin_offset_mv: Any = 0.0) -> Any:
    """Return how many times a minute noise alone carries a resting soma over its threshold.

    Rice's rate of upcrossings of a Gaussian potential with margin M and deviation sigma,
    ``exp(-M^2 / (2 sigma^2)) / (2 pi sqrt(tau_m tau_s))``: exponentially correlated noise
    (tau_s) filtered by the membrane (tau_m) has a slope of deviation
    sigma / sqrt(tau_m tau_s). It holds while crossings are rare. Spikes are somewhat fewer,
    since crossings come in clusters and a spike resets the neuron: simulated spikes are
    0.92 of this rate at M = 3.5 sigma, 0.88 at 3, 0.78 at 2.5 and 0.62 at 2. For M < 0 the
    rate at M = 0 is returned as a ceiling; use `simulate_soma` below 2.5 sigma.

    Parameters
    ----------
    conditions : SomaConditions
        The fluid and gains.
    margin_offset_mv : float or array_like
        Added to the margin, for units or people that differ; positive is calmer.

    Returns
    -------
    ndarray or float
        Rate per minute and unit, in the shape of `margin_offset_mv`.

    Raises
    ------
    NeurosimError
        If an offset is no finite number.

    References
    ----------
    Rice SO (1944) Mathematical analysis of random noise. Bell Syst Tech J 23:282-332.
    """
    margin = np.maximum(
        margin_mv(conditions) + _finite_array("margin_offset_mv", margin_offset_mv), 0.0
    )
    sigmas = margin / max(noise_mv(conditions), 1e-12)  # without noise nothing crosses
    top = 60_000.0 / (2.0 * np.pi * np.sqrt(_param("tau_membrane_ms") * _param("noise_tau_ms")))
    return top * np.exp(-0.5 * sigmas**2)


def _finite_array(name: str, value: Any) -> np.ndarray:
    """Return `value` as an array of finite floats."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.isfinite(array).all():
        raise NeurosimError(f"{name} must hold finite numbers only, in mV.")
    return array


@dataclass(frozen=True, eq=False)
class SomaTrace:
    """Potential and threshold of motor neurons against time.

    Attributes
    ----------
    time_ms : ndarray, shape (T,)
    potential_mv : ndarray, shape (neurons, T)
        Absolute potential; the spike itself is not drawn: the sample that reaches the
        threshold is shown, the next is at the reset.
    threshold_baseline_mv : float
        Absolute threshold of the healthy, rested soma.
    threshold_electrolyte_mv : float
        What the divalent ions add to it.
    threshold_adaptation_mv : ndarray, shape (neurons, T)
        What the spikes so far add to it.
    spikes : list of ndarray
        Spike times of each neuron, ms.
    """

    time_ms: np.ndarray
    potential_mv: np.ndarray
    threshold_baseline_mv: float
    threshold_electrolyte_mv: float
    threshold_adaptation_mv: np.ndarray
    spikes: list[np.ndarray] = field(repr=False)

    @property
    def threshold_mv(self) -> np.ndarray:
        """Absolute threshold, the sum of its parts, mV, shape (neurons, T)."""
        rested = self.threshold_baseline_mv + self.threshold_electrolyte_mv
        return rested + self.threshold_adaptation_mv


def simulate_soma(
    conditions: SomaConditions,
    drive_mv: ArrayLike,
    duration_ms: float,
    dt_ms: float = 0.1,
    *,
    seed: int | np.random.SeedSequence,
    neurons: int = 1,
) -> SomaTrace:
    """Return the potentials, thresholds and spikes of motor neurons under a drive.

    ``tau_m dV/dt = -(V - rest) + drive_scale * drive + noise - AHP`` is advanced exactly
    from step to step (drive constant within a step). At V >= threshold a neuron fires: V is
    held at the reset for the refractory time, AHP and threshold jump up and decay again.
    Each run starts at rest, noise in its steady state, with the drive from time 0.

    Parameters
    ----------
    conditions : SomaConditions
        The fluid and gains, the same for all neurons.
    drive_mv : float or array_like, shape (T,)
        Steady depolarisation that the drive would give, on top of tone, mV; ``drive_mv[i]``
        acts from sample i to sample i + 1; T is ``round(duration_ms / dt_ms)``.
    duration_ms, dt_ms : float
        Length of the run and step, 0.001 to 1 ms.
    seed : int or numpy.random.SeedSequence
        Each neuron draws from a child of its own, so its trace does not depend on how many
        neurons run beside it.
    neurons : int
        How many.

    Raises
    ------
    NeurosimError
        For a drive of another length, a value out of range, or a run too large.
    """
    if not isinstance(conditions, SomaConditions):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise NeurosimError(f"simulate_soma needs SomaConditions, not {conditions!r}.")
    dt = number_within("dt_ms", dt_ms, 0.001, 1.0, "ms")
    samples = round(number_within("duration_ms", duration_ms, dt, 1e9, "ms") / dt)
    count = cast("object", neurons)
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or neurons < 1:
        raise NeurosimError(f"neurons must be a whole number of at least 1, not {neurons!r}.")
    if samples * neurons > MAX_SAMPLES:
        raise NeurosimError(
            f"neurons x samples = {neurons * samples:g} is more than {MAX_SAMPLES:g}: "
            "take fewer neurons, a shorter time or a larger dt_ms."
        )
    drive = _finite_array("drive_mv", drive_mv)
    if drive.shape not in ((), (samples,)):
        raise NeurosimError(
            f"drive_mv must be one number or {samples} of them (duration_ms / dt_ms), "
            f"not of shape {drive.shape}."
        )
    drive = np.broadcast_to(drive * conditions.drive_scale, samples)
    generators = _neuron_generators(seed, int(neurons))
    v, rise, spikes = _run_soma(conditions, drive, dt, generators)
    rest, parts = _param("rest_mv"), threshold_parts_mv(conditions)
    v += rest
    return SomaTrace(
        time_ms=np.arange(samples) * dt,
        potential_mv=v.T,
        threshold_baseline_mv=rest + parts["baseline"],
        threshold_electrolyte_mv=parts["electrolyte"],
        threshold_adaptation_mv=rise.T,
        spikes=spikes,
    )


def _neuron_generators(seed: Any, neurons: int) -> list[np.random.Generator]:
    """Return one generator per neuron, the same ones for the same seed."""
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool) and seed >= 0:
        seed = np.random.SeedSequence(int(cast("int", seed)))
    if not isinstance(seed, np.random.SeedSequence):
        raise NeurosimError(f"seed must be a whole number from 0 or a SeedSequence, not {seed!r}.")
    # not seed.spawn(), which would give other children at a second call
    children = (
        np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, i)) for i in range(neurons)
    )
    return [np.random.default_rng(child) for child in children]


def _input_gain(tau_ms: float, dt: float) -> float:
    """Return what an input that decays with `tau_ms` adds to V in one step, per mV of it."""
    a, x = 1.0 / _param("tau_membrane_ms"), dt / _param("tau_membrane_ms") - dt / tau_ms
    return a * dt * float(np.exp(-a * dt)) * (float(np.expm1(x)) / x if abs(x) > 1e-12 else 1.0)


def _noise_mixing(sd_mv: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the Cholesky factors (steady state, one step) of (V, noise current), 2 x 2.

    With S the steady covariance and F the step of the linear system, a step adds S - F S F'.
    """
    tau_m, tau_s = _param("tau_membrane_ms"), _param("noise_tau_ms")
    steady = np.array([[1.0, 1.0], [1.0, (tau_m + tau_s) / tau_s]])
    f = np.array([[np.exp(-dt / tau_m), _input_gain(tau_s, dt)], [0.0, np.exp(-dt / tau_s)]])
    step = steady - f @ steady @ f.T
    return sd_mv * np.linalg.cholesky(steady), sd_mv * np.linalg.cholesky(step)


def _noise_kicks(
    generators: Sequence[np.random.Generator], samples: int, sd_mv: float, dt: float
) -> Iterator[np.ndarray]:
    """Yield what noise adds to (V, noise current) at each sample, mV, shape (2, neurons).

    The first sample is drawn from the steady state.
    """
    steady, step = _noise_mixing(sd_mv, dt)
    chunk = max(1, _CHUNK // (2 * len(generators)))
    for start in range(0, samples, chunk):
        n = min(chunk, samples - start)
        drawn = np.stack([g.standard_normal((n, 2)) for g in generators], axis=-1)
        kicks = step @ drawn
        if start == 0:
            kicks[0] = steady @ drawn[0]
        yield from kicks


def _run_soma(
    conditions: SomaConditions,
    drive: np.ndarray,
    dt: float,
    generators: Sequence[np.random.Generator],
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return potentials and threshold rises, shape (T, neurons), mV, and the spike times."""
    samples, n = drive.size, len(generators)
    tau_s, tau_ahp = _param("noise_tau_ms"), _param("ahp_tau_ms")
    keep, noise_keep = np.exp(-dt / _param("tau_membrane_ms")), np.exp(-dt / tau_s)
    ahp_keep, rise_keep = np.exp(-dt / tau_ahp), np.exp(-dt / _param("adaptation_tau_ms"))
    noise_in, ahp_in = _input_gain(tau_s, dt), _input_gain(tau_ahp, dt)
    ahp_jump, rise_jump = _param("ahp_mv") * conditions.ahp_scale, _param("adaptation_mv")
    reset, hold = _param("reset_mv"), round(_param("refractory_ms") / dt)
    rested = sum(threshold_parts_mv(conditions).values())
    rest = resting_mv(conditions)
    toward = (1.0 - keep) * (rest + drive)
    kicks = _noise_kicks(generators, samples, noise_mv(conditions), dt)

    potential, rises = np.empty((samples, n)), np.empty((samples, n))
    ahp, rise, held_until = np.zeros(n), np.zeros(n), np.full(n, -1)
    v, current = np.full(n, rest), np.zeros(n)
    last_held = -1
    spike_times: list[np.ndarray] = []
    spike_neurons: list[np.ndarray] = []
    for i, kick in enumerate(kicks):
        if i:
            v = keep * v + toward[i - 1] + noise_in * current - ahp_in * ahp
            current *= noise_keep
            ahp *= ahp_keep
            rise *= rise_keep
        v += kick[0]
        current += kick[1]
        if i <= last_held:
            v[i <= held_until] = reset
        potential[i], rises[i] = v, rise
        firing = np.flatnonzero((v >= rested + rise) & (i > held_until))
        if firing.size:
            last_held = i + hold
            v[firing], held_until[firing] = reset, last_held
            ahp[firing] += ahp_jump
            rise[firing] += rise_jump
            spike_times.append(np.full(firing.size, i * dt))
            spike_neurons.append(firing)
    return potential, rises, _split_by_neuron(spike_times, spike_neurons, n)


def _split_by_neuron(
    times: list[np.ndarray], neurons: list[np.ndarray], n: int
) -> list[np.ndarray]:
    """Return the spike times of each neuron from times and neurons in order of time."""
    if not times:
        return [np.empty(0) for _ in range(n)]
    t, w = np.concatenate(times), np.concatenate(neurons)
    order = np.argsort(w, kind="stable")
    return np.split(t[order], np.searchsorted(w[order], np.arange(1, n)))
