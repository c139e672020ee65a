"""Several nodes in a row: the end of an axon, along which a misfire must travel to count.

Every unit is the whole axon of `axon` (node and internode) with its own membrane. Neighbouring
nodes are joined by the axial conductance of the axoplasm; both ends are sealed. Unit 0 is the
healthy end: a discharge counts if it arrives there. A unit may have channel noise and three slow
feedbacks: an outward current that grows with every spike, dynamic slow sodium inactivation, and
potassium that accumulates outside its membrane.

The equations are those of `equations`; those that a chain adds are in `chain_equations`, written
once for NumPy (the reference, here) and for Numba (`compiled_chain`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base import backends
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter
from neurosim.model.axon import equations as eq
from neurosim.model.axon import ions
from neurosim.model.axon.axon import (
    Conditions,
    _split_leak_and_pump,
    axon_parameters,
    kernel_parameters,
    steady_state,
)
from neurosim.model.axon.chain_equations import (
    FEEDBACK,
    FEEDBACK_ROWS,
    SCALED_CHANNELS,
    SLOW,
    available_sodium,
    eliminate_row,
    internode_row,
    nernst_shift,
    node_row,
    potassium_current,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

MMOL_L_PER_PA_MS_PL = 1e-3 / 96.48533  # mmol/L of one charge carried into 1 pL by 1 pA in 1 ms


@dataclass(frozen=True)
class ChainUnit:
    """One node and its internode.

    Attributes
    ----------
    membrane : Conditions
        Fluids and channels here.
    internode : float
        Length of the internode against the ordinary one: scales its membrane and myelin.
    bridge : float
        Conductance of the path between node and internode, through and under the myelin (Barrett
        and Barrett's), against the ordinary one.
    node : float
        Area of the nodal membrane against the ordinary one.
    capacity, myelin_capacity : float
        Further factors on the capacitance of the nodal membrane and of the myelin.
    channels : float
        Number of noisy sodium channels of the node; infinite for no noise.
    outward_pa_per_spike, outward_tau_ms : float
        Outward current that every spike of the node adds, and its decay time constant.
    inactivation_tau_ms : float
        Time constant of slow sodium inactivation; infinite to hold it at its value at rest.
    space_pl, space_tau_ms : float
        Volume around the membrane in which potassium accumulates, and its clearance time constant.
    """

    membrane: Conditions = field(default_factory=Conditions)
    internode: float = 1.0
    bridge: float = 1.0
    node: float = 1.0
    capacity: float = 1.0
    myelin_capacity: float = 1.0
    channels: float = np.inf
    outward_pa_per_spike: float = 0.0
    outward_tau_ms: float = 50.0
    inactivation_tau_ms: float = np.inf
    space_pl: float = np.inf
    space_tau_ms: float = 100.0

    def __post_init__(self) -> None:
        for name in (
            *SCALED_CHANNELS,
            "channels",
            "outward_tau_ms",
            "inactivation_tau_ms",
            "space_pl",
            "space_tau_ms",
        ):
            if not getattr(self, name) > 0.0:
                raise NeurosimError(f"{name} must be above 0, not {getattr(self, name):g}.")


@dataclass(frozen=True)
class Chain:
    """A batch of chains at rest, all of the same number of units.

    Attributes
    ----------
    P : ndarray, shape (39, units, n)
        Kernel parameters of every unit.
    rest : ndarray, shape (10, units, n)
        Resting states of the coupled units.
    axial_ns : ndarray, shape (units - 1, n)
        Conductance between neighbouring nodes.
    feedback : ndarray, shape (14, units, n)
        Slow feedbacks, rows named by `FEEDBACK`; rates per ms.
    noisy : ndarray of bool, shape (units,)
        Units with channel noise in any chain.
    """

    P: np.ndarray
    rest: np.ndarray
    axial_ns: np.ndarray
    feedback: np.ndarray
    noisy: np.ndarray

    @property
    def units(self) -> int:
        """Number of units of a chain."""
        return self.P.shape[1]

    @property
    def n(self) -> int:
        """Number of chains."""
        return self.P.shape[2]

    def start(self) -> ChainState:
        """Return a fresh state at rest."""
        slow = np.zeros((len(SLOW), self.units, self.n))
        slow[1], slow[2] = 1.0, self.feedback[FEEDBACK_ROWS["k_bath"]]
        return ChainState(self.rest.copy(), slow, np.zeros((self.units, self.n), bool))


@dataclass
class ChainState:
    """Variables of a run: states (10, units, n), slow states (3, units, n), spikes under way."""

    S: np.ndarray
    slow: np.ndarray
    above: np.ndarray
    time_ms: float = 0.0


@dataclass(frozen=True)
class Spikes:
    """Spikes of every unit of every chain.

    Attributes
    ----------
    times_ms, peaks_mv : ndarray, shape (units, n, capacity)
        Upward crossings of -20 mV and the highest E of each spike; valid up to the count.
    counts : ndarray of int, shape (units, n)
    """

    times_ms: np.ndarray
    peaks_mv: np.ndarray
    counts: np.ndarray

    def for_unit(self, unit: int, chain: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return times (ms) and heights (mV) of the spikes of one unit."""
        c = min(int(self.counts[unit, chain]), self.times_ms.shape[2])
        return self.times_ms[unit, chain, :c], self.peaks_mv[unit, chain, :c]


def build_chain(
    chains: Sequence[Sequence[ChainUnit]],
    axial_ns: float | np.ndarray,
    axon: str = "ghk",
    strict: bool = True,
) -> Chain:
    """Return chains at their common resting state.

    Parameters
    ----------
    chains : sequence of sequences of ChainUnit
        All of the same length; unit 0 is the healthy end.
    axial_ns : float or ndarray, shape (n,) or (units - 1, n)
        Conductance between neighbouring nodes, nS.
    axon : str
        ``"ghk"`` or ``"ohmic"``.
    strict : bool
        If false, a chain without a rest is NaN throughout and never fires (for searches).

    Raises
    ------
    NeurosimError
        If chains differ in length, or a chain has no rest near that of the healthy axon.
    """
    lengths = {len(units) for units in chains}
    if len(lengths) != 1:
        raise NeurosimError(f"Chains of one batch must be equally long, not {sorted(lengths)}.")
    k, n = lengths.pop(), len(chains)
    flat = [unit for position in range(k) for unit in (chain[position] for chain in chains)]
    P, slow_rows = _unit_rows(flat, axon)
    P, slow_rows = P.reshape(-1, k, n), slow_rows.reshape(-1, k, n)
    g = np.broadcast_to(np.asarray(axial_ns, float), (max(k - 1, 0), n)).copy()
    e, ei, has_rest = _find_coupled_rest(
        P, slow_rows, g, float(_split_leak_and_pump((axon,))["rest_mv"][0])
    )
    if strict and not has_rest.all():
        which = f"Chain {np.argmin(has_rest)} of {n}" if n > 1 else "The chain"
        raise NeurosimError(f"{which} has no resting potential near that of the healthy axon.")
    P[eq.ROW["P_na"]] *= available_sodium(e, *slow_rows)
    rest = steady_state(P, e, ei)
    noise = np.array([unit.channels for unit in flat]).reshape(k, n)
    noisy = np.asarray(np.isfinite(noise).any(axis=1))
    return Chain(P, rest, g, _unit_feedback(flat, P, rest, slow_rows, axon), noisy)


def _unit_rows(flat: Sequence[ChainUnit], axon: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters of every unit before slow inactivation, and its curve's parameters."""
    P = kernel_parameters(axon, [unit.membrane for unit in flat])
    for scale, names in SCALED_CHANNELS.items():
        factor = np.array([getattr(unit, scale) for unit in flat])
        for name in names:
            P[eq.ROW[name]] *= factor
    share = parameter("membrane", "noise_persistent_share")
    channels = np.array([unit.channels for unit in flat])
    P[eq.ROW["noise_mh"]] = 1.0 / np.sqrt(channels)
    P[eq.ROW["noise_p"]] = 1.0 / np.sqrt(share * channels)
    a = axon_parameters(axon)
    healthy = 1.0 + np.exp((a["Es0"] - a["Vs"]) / a["ks"])
    return P, np.array([[a["Vs"]], [a["ks"]], [healthy]]) * np.ones(len(flat))


def _currents(P, slow_rows, g, e, ei):
    """Return the currents out of every node and internode in steady state, axial ones too."""
    state = steady_state(P, e, ei)
    open_ = P[eq.ROW["P_na"]] * available_sodium(e, *slow_rows)
    node, _ = eq.node_current(e, *state[2:7], open_, *P[eq.NODE][1:])  # pyright: ignore[reportCallIssue]
    inner, _ = eq.internode_current(ei, *state[7:], *P[eq.INTERNODE])
    bridge = P[eq.ROW["g_bb"]] * (e - ei)
    flow = g * np.diff(e, axis=0)
    node = node + bridge
    node[:-1] -= flow
    node[1:] += flow
    return node, inner - bridge


def _find_coupled_rest(P, slow_rows, g, healthy_mv):
    """Return E and Ei at which no current flows, and a mask of chains that have such a rest.

    Newton steps from the healthy rest, each limited to 2 mV; the internode is eliminated.
    """
    k, n = P.shape[1:]
    bridge = P[eq.ROW["g_bb"]]
    e = np.full((k, n), healthy_mv)
    ei = e.copy()
    unit, tiny = np.arange(k), 1e-5
    for _ in range(80):
        node, inner = _currents(P, slow_rows, g, e, ei)
        # all nodes at once: the axial currents then cancel in the slope
        slope_e = (_currents(P, slow_rows, g, e + tiny, ei)[0] - node) / tiny
        slope_i = (_currents(P, slow_rows, g, e, ei + tiny)[1] - inner) / tiny
        matrix = np.zeros((n, k, k))
        matrix[:, unit, unit] = (slope_e - bridge**2 / slope_i).T
        matrix[:, unit[:-1], unit[:-1]] += g.T
        matrix[:, unit[1:], unit[1:]] += g.T
        matrix[:, unit[:-1], unit[1:]] -= g.T
        matrix[:, unit[1:], unit[:-1]] -= g.T
        right = -(node + bridge / slope_i * inner)
        move = np.linalg.solve(matrix, right.T[:, :, None])[:, :, 0].T
        move = np.clip(move, -2.0, 2.0)
        e = e + move
        ei = ei + np.clip((bridge * move - inner) / slope_i, -4.0, 4.0)
        if np.abs(move).max() < 1e-10:
            break
    has_rest = np.abs(_currents(P, slow_rows, g, e, ei)).max(axis=(0, 1)) < 1e-6
    return np.where(has_rest, e, np.nan), np.where(has_rest, ei, np.nan), has_rest


def _unit_feedback(flat, P, rest, slow_rows, axon) -> np.ndarray:
    k, n = P.shape[1:]
    a, base = axon_parameters(axon), _split_leak_and_pump((axon,))
    get = lambda name: np.array([getattr(u, name) for u in flat]).reshape(k, n)  # noqa: E731
    body = lambda name: np.array([getattr(u.membrane, name) for u in flat]).reshape(k, n)  # noqa: E731
    r = dict(zip(eq.PARAMETERS, P, strict=True))
    share, share_i = (base[f"gK_{x}"] / (base[f"gK_{x}"] + base[f"gNa_{x}"]) for x in "ni")
    e, ei, n_gate, s, ni, si = (rest[row] for row in (0, 1, 5, 6, 7, 8))
    ik = potassium_current(e, n_gate, s, r["g_kf"], r["g_ks"], r["E_k"], share * r["g_lk"])
    ik += potassium_current(ei, ni, si, r["gi_kf"], r["gi_ks"], r["E_k"], share_i * r["gi_lk"])
    out = np.zeros((len(FEEDBACK), k, n))
    out[FEEDBACK_ROWS["per_spike"]] = get("outward_pa_per_spike")
    out[FEEDBACK_ROWS["decay"]] = get("outward_tau_ms")
    out[FEEDBACK_ROWS["s_half"]], out[FEEDBACK_ROWS["s_width"]] = slow_rows[0], slow_rows[1]
    out[FEEDBACK_ROWS["s_scale"]] = 1.0 + np.exp((e - slow_rows[0]) / slow_rows[1])
    out[FEEDBACK_ROWS["s_rate"]] = 1.0 / get("inactivation_tau_ms")
    out[FEEDBACK_ROWS["k_gain"]] = MMOL_L_PER_PA_MS_PL / get("space_pl")
    out[FEEDBACK_ROWS["k_rate"]] = 1.0 / get("space_tau_ms")
    out[FEEDBACK_ROWS["k_bath"]] = body("potassium_out_mmol_l")
    out[FEEDBACK_ROWS["kt"]] = ions.thermal_mv(body("temperature_c"))
    out[FEEDBACK_ROWS["leak_share"]], out[FEEDBACK_ROWS["leak_share_i"]] = share, share_i
    out[FEEDBACK_ROWS["h_sodium"]] = a["rH"] * body("sodium_out_mmol_l")
    out[FEEDBACK_ROWS["ik_rest"]] = ik
    return out


def step(S, slow, P, feedback, axial_ns, stimulus, xi, dt):
    """Return states and slow states after `dt` ms: the reference for `compiled_chain`.

    As `equations.step`, with the potentials of all nodes solved together; the slow states move
    first. The rates in `feedback` are per step (`_feedback_per_step`).
    """
    E, Ei, m, h, p, n, s, ni, si, q = S
    f = dict(zip(FEEDBACK, feedback, strict=True))
    m = eq.noisy_m(E, m, P[eq.SHIFT_M], P[eq.PHI_M], P[eq.NOISE_MH], xi[0], dt)
    h = eq.noisy_h(E, h, P[eq.SHIFT_H], P[eq.PHI_H], P[eq.NOISE_MH], xi[1], dt)
    p = eq.noisy_m(E, p, P[eq.SHIFT_P], P[eq.PHI_P], P[eq.NOISE_P], xi[2], dt)
    n = eq.gate_n(E, n, P[eq.SHIFT_N], P[eq.PHI_N], dt)
    s = eq.gate_s(E, s, P[eq.SHIFT_S], P[eq.PHI_S], dt)
    ni = eq.gate_n(Ei, ni, P[eq.SHIFT_NI], P[eq.PHI_N], dt)
    si = eq.gate_s(Ei, si, P[eq.SHIFT_S], P[eq.PHI_S], dt)
    q = eq.gate_q(Ei, q, P[eq.SHIFT_Q], P[eq.PHI_Q], dt)

    outward = slow[0] * f["decay"]
    open_ = slow[1] + f["s_rate"] * (
        available_sodium(E, f["s_half"], f["s_width"], f["s_scale"]) - slow[1]
    )
    shift_k, shift_h = nernst_shift(slow[2], f["k_bath"], f["kt"], f["h_sodium"])
    P = P.copy()
    P[eq.P_NA] *= open_
    P[eq.E_K] += shift_k
    P[eq.E_H] += shift_h
    P[eq.E_LK] += f["leak_share"] * shift_k
    P[eq.EI_LK] += f["leak_share_i"] * shift_k
    leak_k, leak_k_i = f["leak_share"] * P[eq.G_LK], f["leak_share_i"] * P[eq.GI_LK]
    ik = potassium_current(E, n, s, P[eq.G_KF], P[eq.G_KS], P[eq.E_K], leak_k)
    ik = ik + potassium_current(Ei, ni, si, P[eq.GI_KF], P[eq.GI_KS], P[eq.E_K], leak_k_i)
    k = slow[2] + f["k_gain"] * (ik - f["ik_rest"]) - f["k_rate"] * (slow[2] - f["k_bath"])

    current, g = eq.node_current(E, m, h, p, n, s, *P[eq.NODE])
    current_i, g_i = eq.internode_current(Ei, ni, si, q, *P[eq.INTERNODE])
    own, share = internode_row(E, Ei, current_i, g_i, P[eq.G_BB], P[eq.C_MY], P[eq.C_I], dt)
    flow = axial_ns * np.diff(E, axis=0)
    none = np.zeros_like(E[:1])
    left, right = np.concatenate([none, axial_ns]), np.concatenate([axial_ns, none])
    axial = np.concatenate([flow, none]) - np.concatenate([none, flow])
    diagonal, rhs = node_row(
        E,
        Ei,
        current + outward,
        g,
        own,
        share,
        stimulus,
        left,
        right,
        axial,
        P[eq.G_BB],
        P[eq.C_N],
        P[eq.C_MY],
        dt,
    )
    off = -0.5 * dt * axial_ns
    for u in range(1, len(E)):
        diagonal[u], rhs[u] = eliminate_row(
            diagonal[u], rhs[u], off[u - 1], diagonal[u - 1], rhs[u - 1]
        )
    change = rhs / diagonal
    for u in range(len(E) - 2, -1, -1):
        change[u] = (rhs[u] - off[u] * change[u + 1]) / diagonal[u]
    new = np.stack((E + change, Ei + own - share * change, m, h, p, n, s, ni, si, q))
    return new, np.stack((outward, open_, k))


def _feedback_per_step(feedback, dt):
    """Return the feedbacks with their rates converted to shares of one step."""
    out = feedback.copy()
    out[FEEDBACK_ROWS["decay"]] = np.exp(-dt / feedback[FEEDBACK_ROWS["decay"]])
    out[FEEDBACK_ROWS["s_rate"]] = -np.expm1(-dt * feedback[FEEDBACK_ROWS["s_rate"]])
    out[FEEDBACK_ROWS["k_rate"]] = -np.expm1(-dt * feedback[FEEDBACK_ROWS["k_rate"]])
    out[FEEDBACK_ROWS["k_gain"]] = feedback[FEEDBACK_ROWS["k_gain"]] * dt
    return out


@dataclass(frozen=True)
class Stimulus:
    """A current pulse into the nodes of a chain, from the start of a run.

    Attributes
    ----------
    current_pa : ndarray or float
        Current into each node, broadcast to shape (units, n).
    width_ms : float
        Width of the pulse; the whole run by default.
    """

    current_pa: np.ndarray | float = 0.0
    width_ms: float = np.inf


@dataclass(frozen=True)
class RunSettings:
    """How a chain is integrated, and what is stored.

    Attributes
    ----------
    dt : float
        Step, ms. With 0.01 the delay per node is within 3 % of its limit, with 0.02 within 9 %.
    seed : int, sequence of int, or numpy.random.SeedSequence
        Seed of the channel noise, which is drawn in blocks of 16 chains.
    capacity : int
        Spikes stored for one node; later ones are only counted.
    every : int
        Store all node potentials every `every` steps; 0 for never.
    """

    dt: float = 0.01
    seed: int | Sequence[int] | np.random.SeedSequence = 0
    capacity: int = 1024
    every: int = 0


def run_chain(
    chain: Chain,
    duration_ms: float,
    *,
    state: ChainState | None = None,
    stimulus: Stimulus | None = None,
    settings: RunSettings | None = None,
) -> tuple[Spikes, np.ndarray]:
    """Move chains on for `duration_ms`, `state` in place.

    Parameters
    ----------
    chain : Chain
    duration_ms : float
    state : ChainState, optional
        Starting state; rest if omitted.
    stimulus : Stimulus, optional
        None if omitted.
    settings : RunSettings, optional

    Returns
    -------
    spikes : Spikes
        A spike begins when E rises through -20 mV and ends when E falls below -35 mV.
    trace_mv : ndarray, shape (stored, units, n)
    """
    pulse = Stimulus() if stimulus is None else stimulus
    run = RunSettings() if settings is None else settings
    state = chain.start() if state is None else state
    k, n, width = chain.units, chain.n, 16
    steps = round(duration_ms / run.dt)
    root = run.seed
    if not isinstance(root, np.random.SeedSequence):
        root = np.random.SeedSequence(root)
    generators = [np.random.Generator(np.random.PCG64(s)) for s in root.spawn(-(-n // width))]
    times, peaks = np.empty((k, n, run.capacity)), np.empty((k, n, run.capacity))
    counts = np.zeros((k, n), np.int64)
    trace = np.empty((steps // run.every if run.every else 0, k, n))
    current = np.ascontiguousarray(np.broadcast_to(np.asarray(pulse.current_pa, float), (k, n)))
    on = min(steps, round(min(pulse.width_ms, duration_ms) / run.dt))
    go = _move_reference if backends.loop("chain") is None else _move_blocks
    go(
        state.S,
        state.slow,
        state.above,
        chain.P,
        _feedback_per_step(chain.feedback, run.dt),
        chain.axial_ns,
        current,
        np.flatnonzero(chain.noisy),
        steps,
        on,
        run.dt,
        state.time_ms,
        generators,
        times,
        peaks,
        counts,
        trace,
        run.every,
    )
    state.time_ms += steps * run.dt
    return Spikes(times, peaks, counts), trace


def _move_blocks(
    S,
    slow,
    above,
    P,
    feedback,
    axial,
    stimulus,
    noisy,
    steps,
    on,
    dt,
    began,
    generators,
    times,
    peaks,
    counts,
    trace,
    every,
):
    """Give the results of `_move_reference`, 16 chains at a time, each block with its generator."""
    move = backends.loop("chain")
    assert move is not None
    state, rest = (S, slow, above, P, feedback, axial, stimulus), (times, peaks, counts, trace)
    for block, rng in enumerate(generators):
        move(*state, noisy, steps, on, dt, began, rng, 16 * block, *rest, every)


def _move_reference(
    S,
    slow,
    above,
    P,
    feedback,
    axial,
    stimulus,
    noisy,
    steps,
    on,
    dt,
    began,
    generators,
    times,
    peaks,
    counts,
    trace,
    every,
):
    capacity, chunk, width, n = times.shape[2], 64, 16, S.shape[2]
    xi = np.zeros((3, S.shape[1], n))
    for t in range(steps):
        c = t % chunk
        if c == 0 and noisy.size:
            draws = [r.standard_normal((chunk, 3, noisy.size, width)) for r in generators]
            drawn = np.concatenate(draws, axis=3)[:, :, :, :n]
        if noisy.size:
            xi[:, noisy] = drawn[c]
        S[:], slow[:] = step(S, slow, P, feedback, axial, stimulus * (t < on), xi, dt)
        E = S[0]
        up = (E > -20.0) & ~above
        slow[0] += up * feedback[FEEDBACK_ROWS["per_spike"]]
        for u, j in zip(*np.nonzero(up | above), strict=True):
            if up[u, j]:
                if counts[u, j] < capacity:
                    times[u, j, counts[u, j]] = began + (t + 1) * dt
                    peaks[u, j, counts[u, j]] = E[u, j]
                counts[u, j] += 1
            elif 0 < counts[u, j] <= capacity:
                last = counts[u, j] - 1
                peaks[u, j, last] = max(peaks[u, j, last], E[u, j])
        above[:] = (above | up) & (E >= -35.0)
        if every and (t + 1) % every == 0:
            trace[(t + 1) // every - 1] = E
