"""The neuromuscular junction: from an impulse of the nerve to the spikes of its muscle fibres.

Calcium and magnesium set how many packets of transmitter an impulse releases (Dodge & Rahamimoff
1967); their number and sizes vary; together they open the end plate of a fibre, a cable with
sodium and potassium channels, for a time that the enzyme acetylcholinesterase sets. Whether the
fibre follows, whether it fires again while the end plate is still open, and whether it is blocked
come out of that cable; nothing here sets how often anything fires.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from neurosim.base.cache import IDENTITY, Codec, cached
from neurosim.base.errors import NeurosimError, number_within
from neurosim.base.parameters import parameter

STEP_MS = 0.02
STEP_MM = 0.25
COMPARTMENTS = 24  # half a fibre: 6 mm from the end plate
RECORDED_COMPARTMENT = -4  # the compartment whose spikes count, 5 mm from the end plate
CROSSED_MV = -20.0
TRAVEL_MS = 0.5  # less than a spike needs from the end plate to there
QUANTA = np.geomspace(1.0, 200.0, 48)  # strengths of the end plate that are tried
_FIBRES = np.polynomial.hermite_e.hermegauss(21)


def _param(name: str) -> float:
    return parameter("junction", name)


def relative_release(calcium_mmol_l: Any, magnesium_mmol_l: Any) -> np.ndarray:
    """Return transmitter release relative to health, shape of the arguments together.

    m = k (Ca / (1 + Ca/K1 + Mg/K2))^4 in ionised concentrations (Dodge & Rahamimoff 1967).
    """
    k1, k2, n = _param("release_k_calcium"), _param("release_k_magnesium"), _param("release_power")

    def m(ca: Any, mg: Any) -> Any:
        return (ca / (1.0 + ca / k1 + mg / k2)) ** n

    base = m(parameter("membrane", "base_calcium"), parameter("membrane", "base_magnesium"))
    return m(np.asarray(calcium_mmol_l, float), np.asarray(magnesium_mmol_l, float)) / base


def decay_ms(acetylcholinesterase_scale: float) -> float:
    """Return the time constant of the end-plate current, ms, with a share of the enzyme left.

    Transmitter goes by the enzyme and by leaving the cleft, two rates that add up:
    1/tau = (1/tau0) (r + (1 - r) scale), where 1/r is how much slower it goes without the enzyme.
    """
    left = number_within("acetylcholinesterase_scale", acetylcholinesterase_scale, 0.0, 10.0)
    without = 1.0 / _param("decay_without_enzyme")
    return _param("decay_ms") / (without + (1.0 - without) * left)


# --- the fibre ---------------------------------------------------------------------------------


def _linoid(x: np.ndarray | float, width: float) -> np.ndarray:
    small = np.abs(x) < 1e-6
    return np.where(small, width, x / -np.expm1(-np.where(small, 1.0, x) / width))


def _gate_rates(v: np.ndarray | float) -> tuple[tuple[np.ndarray, np.ndarray | float], ...]:
    """Return (steady state, rate per ms at 20 degC) of m, h, n and s at potentials in mV.

    Shorten and others (2007) after Wallinga and others (1999): sodium m^3 h s, potassium n^4; s is
    slow inactivation.
    """
    am, bm = 0.288 * _linoid(v + 46.0, 10.0), 1.38 * np.exp(-(v + 46.0) / 18.0)
    ah, bh = 0.0081 * np.exp(-(v + 45.0) / 14.7), 4.38 / (1.0 + np.exp(-(v + 45.0) / 9.0))
    an, bn = 0.0131 * _linoid(v + 40.0, 7.0), 0.067 * np.exp(-(v + 40.0) / 40.0)
    slow = 1.0 / (1.0 + np.exp((v + 68.0) / 7.1))
    slow_rate = (0.2 + 5.65 * ((v + 70.0) / 100.0) ** 2) / 60.0
    return (
        (am / (am + bm), am + bm),
        (ah / (ah + bh), ah + bh),
        (an / (an + bn), an + bn),
        (slow, slow_rate),
    )


@dataclass(frozen=True, eq=False)
class _Cable:
    """Half a fibre, per compartment: what one step along it needs."""

    spread: np.ndarray  # (n, n): potentials after half a step of axial current alone
    sodium: np.ndarray  # (n, 1), mS/cm2
    potassium: float
    end_plate: float  # mS/cm2 of the first compartment by 1 nS at the end plate
    leak_mv: float
    rest: tuple[float, ...]


@cached()
def _make_cable() -> _Cable:
    from scipy.linalg import expm  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] scipy has no types

    radius_cm, step_cm = 0.5e-4 * _param("fibre_um"), 0.1 * STEP_MM
    per_ohm = 1e-2 * parameter("emg", "intracellular_conductivity")  # S/cm
    axial_ms = 1e3 * np.pi * radius_cm**2 * per_ohm / step_cm
    size = np.ones(COMPARTMENTS)
    size[0] = 0.5  # the cut goes through the middle of the end plate
    area = 2.0 * np.pi * radius_cm * step_cm * size
    flow = axial_ms * (
        np.diag(np.ones(COMPARTMENTS - 1), 1) + np.diag(np.ones(COMPARTMENTS - 1), -1)
    )
    flow -= np.diag(flow.sum(axis=1))
    warm = _param("fibre_q10_conductance") ** ((_param("fibre_temperature_c") - 20.0) / 10.0)
    sodium = np.full((COMPARTMENTS, 1), warm * _param("fibre_sodium"))
    sodium[0] *= _param("end_plate_sodium")
    potassium, v = warm * _param("fibre_potassium"), _param("rest_mv")
    rest = tuple(float(steady) for steady, _ in _gate_rates(v))
    m, h, n, s = rest
    inward = sodium[1, 0] * m**3 * h * s * (v - _param("fibre_sodium_mv"))
    outward = potassium * n**4 * (v - _param("fibre_potassium_mv"))
    return _Cable(
        spread=cast(
            "np.ndarray", expm(0.5 * STEP_MS * flow / (_param("fibre_capacitance") * area)[:, None])
        ),
        sodium=sodium,
        potassium=potassium,
        end_plate=0.5e-6 / area[0],
        leak_mv=v + (inward + outward) / _param("fibre_leak"),
        rest=rest,
    )


def fibre_mv(
    strength_ns: Any, tau_ms: float, run_ms: float, starts_ms: Any = (0.0,), channels: bool = True
) -> np.ndarray:
    """Return the potential of fibres at the end plate and 5 mm on, mV, shape (steps, 2, fibres).

    C dv/dt = -g_Na m^3 h s (v - E_Na) - g_K n^4 (v - E_K) - g_L (v - E_L) - end plate + axial
    current. In each step of `STEP_MS` half a step of axial current alone, a step of the others with
    the gates held, and half a step again are each solved exactly. E_L lets the fibre rest.

    Parameters
    ----------
    strength_ns : array_like, shape (fibres,)
        Conductance that each impulse opens at the end plate, nS; it decays with `tau_ms`.
    tau_ms : float
        Time constant of that decay.
    run_ms : float
        Length of the run.
    starts_ms : sequence of float
        When impulses arrive.
    channels : bool
        False leaves sodium and potassium channels out: the end-plate potential alone.
    """
    c, opened_ns = _make_cable(), np.atleast_1d(np.asarray(strength_ns, float))
    warm = _param("fibre_q10") ** ((_param("fibre_temperature_c") - 20.0) / 10.0)
    leak, capacitance = _param("fibre_leak"), _param("fibre_capacitance")
    e_na, e_k, e_end = (
        _param("fibre_sodium_mv"),
        _param("fibre_potassium_mv"),
        _param("reversal_mv"),
    )
    v = np.full((COMPARTMENTS, opened_ns.size), _param("rest_mv"))
    gates = [np.full_like(v, x) for x in c.rest]
    steps = round(run_ms / STEP_MS)
    impulses = np.bincount(np.round(np.asarray(starts_ms) / STEP_MS).astype(int), minlength=steps)
    out, open_ns = np.empty((steps, 2, opened_ns.size)), np.zeros(opened_ns.size)
    keep, e_leak = np.exp(-STEP_MS / tau_ms), c.leak_mv if channels else _param("rest_mv")
    for i in range(steps):
        open_ns = open_ns + impulses[i] * opened_ns
        if channels:
            gates = [
                steady + (x - steady) * np.exp(-STEP_MS * warm * rate)
                for x, (steady, rate) in zip(gates, _gate_rates(v), strict=True)
            ]
        m, h, n, s = gates
        g_na, g_k = channels * c.sodium * m**3 * h * s, channels * c.potassium * n**4
        total, weighted_mv = g_na + g_k + leak, g_na * e_na + g_k * e_k + leak * e_leak
        total[0] += c.end_plate * open_ns
        weighted_mv[0] += c.end_plate * open_ns * e_end
        goal = weighted_mv / total
        v = goal + (c.spread @ v - goal) * np.exp(-STEP_MS * total / capacitance)
        v = c.spread @ v
        open_ns = keep * open_ns
        out[i] = v[0], v[RECORDED_COMPARTMENT]
    return out


def spike_times_ms(potential_mv: np.ndarray) -> list[np.ndarray]:
    """Return when each fibre's potential rises through `CROSSED_MV`, ms, from (steps, fibres)."""
    up = (potential_mv[1:] >= CROSSED_MV) & (potential_mv[:-1] < CROSSED_MV)
    return [(np.flatnonzero(column) + 1) * STEP_MS for column in up.T]


@cached()
def quantum_ns() -> float:
    """Return the conductance, nS, whose end-plate potential in a healthy fibre is one packet's."""
    return _param("quantum_mv") / end_plate_mv(1.0, _param("decay_ms"))


@cached(size=4096, codec=IDENTITY)
def end_plate_mv(strength_ns: float, tau_ms: float) -> float:
    """Return the peak of the end-plate potential alone above rest, mV, of a strength in nS."""
    run_ms = 3.0 + 2.0 * tau_ms
    return float(
        fibre_mv(strength_ns, tau_ms, run_ms, channels=False)[:, 0].max() - _param("rest_mv")
    )


@dataclass(frozen=True, eq=False)
class FibreResponse:
    """The response of a fibre to one impulse, by how many mean packets open its end plate.

    Attributes
    ----------
    quanta : ndarray, shape (strengths,)
    spikes_ms : list of ndarray
        Its spikes, ms after the impulse, 5 mm from the end plate.
    threshold_quanta : float
        Least strength at which it fires.
    """

    quanta: np.ndarray
    spikes_ms: list[np.ndarray]
    threshold_quanta: float


def _encode_response(a: FibreResponse) -> tuple[np.ndarray, tuple[np.ndarray, ...], float]:
    return a.quanta, tuple(a.spikes_ms), a.threshold_quanta


def _decode_response(v: tuple[np.ndarray, tuple[np.ndarray, ...], float]) -> FibreResponse:
    return FibreResponse(v[0], list(v[1]), v[2])


_RESPONSE_CODEC = Codec(_encode_response, _decode_response)


@cached(codec=_RESPONSE_CODEC)
def fibre_response(acetylcholinesterase_scale: float = 1.0) -> FibreResponse:
    """Return the response of fibres to one impulse when a share of the enzyme is left."""
    tau = decay_ms(acetylcholinesterase_scale)

    def fire(quanta: np.ndarray) -> list[np.ndarray]:
        return spike_times_ms(fibre_mv(quanta * quantum_ns(), tau, 10.0 + 6.0 * tau)[:, 1])

    spikes = fire(QUANTA)
    fires = np.array([t.size > 0 for t in spikes])
    if not fires.any():
        raise NeurosimError(f"No end plate fires the fibre: time constant {tau:g} ms, 200 quanta.")
    first = int(fires.argmax())
    finer = np.linspace(float(QUANTA[max(first - 1, 0)]), float(QUANTA[first]), 17)
    threshold = finer[np.argmax([t.size > 0 for t in fire(finer)])]
    return FibreResponse(QUANTA, spikes, float(threshold))


def train_response(
    rate_per_s: float, impulses: int, quanta: Any = None, acetylcholinesterase_scale: float = 1.0
) -> np.ndarray:
    """Return how often fibres fire between each impulse of a train and the next.

    Release stays what it is: its own depression and facilitation are not modelled.

    Parameters
    ----------
    rate_per_s : float
        Impulses of the nerve per second, 0.1 to 200.
    impulses : int
        How many.
    quanta : array_like, shape (fibres,), optional
        Packets released by each; those of health for a middle fibre if omitted.
    acetylcholinesterase_scale : float
        Share of the enzyme left.

    Returns
    -------
    spikes : ndarray of int, shape (impulses, fibres)
    """
    period = 1000.0 / number_within("rate_per_s", rate_per_s, 0.1, 200.0, "per s")
    packets = np.atleast_1d(_param("quanta") if quanta is None else np.asarray(quanta, float))
    starts = period * np.arange(impulses)
    tau = decay_ms(acetylcholinesterase_scale)
    potential = fibre_mv(packets * quantum_ns(), tau, period * impulses, starts)[:, 1]
    edges = np.append(starts + TRAVEL_MS, np.inf)
    return np.stack([np.histogram(t, edges)[0] for t in spike_times_ms(potential)], axis=1)


# --- the fibres of a unit ----------------------------------------------------------------------


def exceeding_share(quanta: Any, mean_quanta: float) -> np.ndarray:
    """Return the share of fibres and impulses whose packets add up to more than `quanta`.

    The number of packets is Poisson about each fibre's mean, which is spread log-normally about
    `mean_quanta`; sizes follow a gamma law of mean 1, so that k of them do too: the sum is exact.
    """
    from scipy.special import gammaincc, gammaln  # pyright: ignore[reportMissingTypeStubs]

    x, shape = np.atleast_1d(np.asarray(quanta, float)), _param("quantum_cv") ** -2.0
    nodes, weights = _FIBRES
    means = mean_quanta * np.exp(_param("quanta_spread") * nodes)
    k = np.arange(1, 2 + int(means.max() + 10.0 * np.sqrt(means.max() + 1.0)))
    log = k * np.log(np.maximum(means[:, None], 1e-300)) - means[:, None] - gammaln(k + 1.0)
    probability = (weights / weights.sum()) @ np.exp(log)
    return gammaincc(shape * k, shape * x[:, None]) @ probability


@dataclass(frozen=True)
class Junction:
    """How the junctions of a unit transmit one impulse.

    Attributes
    ----------
    quanta : float
        Packets released, mean of the middle fibre.
    threshold_quanta : float
        Packets that just fire a fibre.
    decay_ms : float
        Time constant of the end-plate current.
    share : float
        Share of fibres that follow, 0 to 1.
    repeats_ms : tuple of float
        Further discharges of the unit: delay behind the first spike, of the fibres that have it.
    repeats_share : tuple of float
        Share of the fibres that followed, for each; those under ``repeat_share`` are left out.
    """

    quanta: float
    threshold_quanta: float
    decay_ms: float
    share: float
    repeats_ms: tuple[float, ...] = ()
    repeats_share: tuple[float, ...] = ()

    @property
    def end_plate_mv(self) -> float:
        """Mean end-plate potential of the middle fibre, mV above rest."""
        return end_plate_mv(self.quanta * quantum_ns(), self.decay_ms)

    @property
    def threshold_mv(self) -> float:
        """Least end-plate potential that fires the fibre, mV above rest."""
        return end_plate_mv(self.threshold_quanta * quantum_ns(), self.decay_ms)

    @property
    def safety_factor(self) -> float:
        """End-plate potential over the depolarisation that fires the fibre (Ruff 2011)."""
        return self.end_plate_mv / self.threshold_mv


@cached(size=4096)
def transmit(
    calcium_mmol_l: float, magnesium_mmol_l: float, acetylcholinesterase_scale: float = 1.0
) -> Junction:
    """Return how the junctions of a unit transmit one impulse.

    Parameters
    ----------
    calcium_mmol_l, magnesium_mmol_l : float
        Ionised concentrations at the end plate.
    acetylcholinesterase_scale : float
        Share of the enzyme left: 1 in health, 0 with none.

    Raises
    ------
    NeurosimError
        If a number is outside what is possible.
    """
    for name, value in (("calcium", calcium_mmol_l), ("magnesium", magnesium_mmol_l)):
        number_within(f"{name}_mmol_l at the end plate", value, 0.0, 100.0, "mmol/L")
    response, tau = fibre_response(acetylcholinesterase_scale), decay_ms(acetylcholinesterase_scale)
    mean = _param("quanta") * float(relative_release(calcium_mmol_l, magnesium_mmol_l))
    share = float(exceeding_share(response.threshold_quanta, mean)[0])
    return Junction(
        mean, response.threshold_quanta, tau, share, *_repeated_spikes(response, mean, share)
    )


def _repeated_spikes(
    response: FibreResponse, mean: float, share: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return delays and shares of the further spikes that at least `repeat_share` fire."""
    if share <= 0.0:
        return (), ()
    edges = np.sqrt(response.quanta[1:] * response.quanta[:-1])
    above = np.concatenate([[1.0], exceeding_share(edges, mean), [0.0]])
    weight = above[:-1] - above[1:]
    delays: list[float] = []
    shares: list[float] = []
    for k in range(1, max(t.size for t in response.spikes_ms)):
        repeats = np.array([t.size > k for t in response.spikes_ms])
        fraction = float(weight[repeats].sum()) / share
        if fraction < _param("repeat_share"):
            break
        after_first = [t[k] - t[0] for t in response.spikes_ms if t.size > k]
        delays.append(float(np.average(after_first, weights=weight[repeats])))
        shares.append(min(fraction, 1.0))
    return tuple(delays), tuple(shares)


def add_repeats(times_s: Any, units: Any, junction: Junction) -> tuple[np.ndarray, np.ndarray]:
    """Return the further discharges that muscle fibres add to those of the nerve.

    One that would come after the unit's next impulse is left out: that impulse finds the end plate
    open already.

    Parameters
    ----------
    times_s, units : array_like, shape (n,)
        Discharges of the nerve, s, and unit of each.
    junction : Junction
        How the junctions transmit one impulse.

    Returns
    -------
    times_s : ndarray
        When they come, s, by time.
    behind : ndarray of int
        Index of the discharge that each follows.
    """
    times, unit = np.asarray(times_s, float), np.asarray(units)
    if times.shape != unit.shape or times.ndim != 1:
        raise NeurosimError("times_s and units must be columns of the same length.")
    order = np.lexsort((times, unit))
    next_s = np.full(times.size, np.inf)
    same = unit[order][1:] == unit[order][:-1]
    next_s[order[:-1][same]] = times[order][1:][same]
    added = [(times + ms / 1000.0, np.arange(times.size)) for ms in junction.repeats_ms]
    if not added:
        return np.empty(0), np.empty(0, dtype=int)
    at, behind = (np.concatenate(parts) for parts in zip(*added, strict=True))
    arrives = at < next_s[behind]
    at, behind = at[arrives], behind[arrives]
    by_time = np.argsort(at, kind="stable")
    return at[by_time], behind[by_time]
