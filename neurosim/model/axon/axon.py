"""The human motor axon, node and internode: from parameters and ions to rest and threshold.

Form of Bostock, Howells and colleagues; parameters refitted (`docs/model.md`). One batch
holds many axons: different local membranes, body fluids, sodium loads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import NeurosimError, unknown_name
from neurosim.base.parameters import load_group, parameter
from neurosim.model.axon import equations, ions, kernel
from neurosim.model.axon.conditions import Conditions
from neurosim.model.axon.ensemble import ENSEMBLE, parameter_key

eq = cast("Any", equations)  # a kernel has no types

DT_MS = 0.01  # threshold error 0.02 %, after-potentials within 0.002 mV of LSODA
COARSE_DT_MS = 0.02  # for tables over many sites: 20-ms threshold within 0.05 %
FIRST_SCAN_POINTS = 161  # of the grid of potentials, up to -60 mV: nearly every axon rests there
REST_STEPS = 5  # more than enough for 1e-12 mV from 0.5 mV
HIGHEST_PA = 8000.0  # a pulse that does not fire at this never does
HEALTHY_PH = 7.4
AXON_TITLES = {  # parameter sets that fit the same nerves, and how they differ
    "ghk": "constant-field sodium force",
    "ohmic": "ohmic sodium force",
    "alternative": "another fit, without slow inactivation",
}
AXONS = tuple(AXON_TITLES)


class ParameterSet(Mapping[str, float]):
    """The parameters of one axon, immutable; accepted wherever the name of an axon is.

    Slow sodium inactivation is 1 at the potential `Es0`. An axon altered from the healthy one
    keeps that axon's `Es0`; one that is itself healthy has its own rest there
    (`normalised_at_rest`).

    Parameters
    ----------
    values : mapping of str to float
        Every parameter of `axon_parameters("ghk")`, in the units of its TOML file.

    Raises
    ------
    NeurosimError
        If a parameter is unknown, missing, or not a finite number.
    """

    def __init__(self, values: Mapping[str, float]) -> None:
        names = load_group("axon_ghk")
        for name, value in values.items():
            if name not in names:
                raise unknown_name("axon parameter", name, names)
            if not math.isfinite(value):
                raise NeurosimError(f"The axon parameter '{name}' is {value}, no finite number.")
        missing = [name for name in names if name not in values]
        if missing:
            raise NeurosimError(f"The axon parameter '{missing[0]}' is missing.")
        self._values = {name: float(values[name]) for name in names}
        self._hash = hash(tuple(self._values.values()))

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"ParameterSet({self._values})"

    def replace(self, **changes: float) -> ParameterSet:
        """Return a copy with `changes`."""
        return ParameterSet({**self._values, **changes})

    def normalised_at_rest(self) -> ParameterSet:
        """Return a copy whose slow sodium inactivation is 1 at its own rest (sets `Es0`)."""
        return self.replace(Es0=float(healthy_rest_mv([self])[0]))


Axon = str | ParameterSet


@cached()
def _read_axon(name: str) -> ParameterSet:
    return ParameterSet({p: parameter(*parameter_key(name, p)) for p in load_group("axon_ghk")})


def axon_parameters(axon: Axon = "ghk") -> ParameterSet:
    """Return the parameters of an axon by name, or a `ParameterSet` as it is.

    Raises
    ------
    NeurosimError
        If the name is not one of `AXONS` or `ENSEMBLE`.
    """
    if isinstance(axon, ParameterSet):
        return axon
    if axon not in (*AXONS, *ENSEMBLE):
        raise unknown_name("axon", axon, AXONS)
    return _read_axon(axon)


def _stack_rows(rows: Sequence[Mapping[str, float]]) -> dict[str, np.ndarray]:
    """Return a batch of mappings as arrays by name."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


Columns = Mapping[str, np.ndarray]
Slow = Callable[[np.ndarray, Any], Any]  # share of sodium channels available, by E and axon


def condition_columns(conditions: Sequence[Conditions]) -> dict[str, np.ndarray]:
    """Return conditions as arrays by name, each of shape (n,); `at_rest` accepts either form."""
    return _stack_rows([vars(one) for one in conditions])


def _as_columns(conditions: Conditions | Sequence[Conditions] | Columns) -> Columns:
    if isinstance(conditions, Mapping):
        return conditions
    return condition_columns([conditions] if isinstance(conditions, Conditions) else conditions)


def _phi(q10: float, temperature_c: np.ndarray) -> np.ndarray:
    return q10 ** ((temperature_c - 36.0) / 10.0)


def _sodium_terms(
    a: Columns, nao: np.ndarray, nai: np.ndarray, ko: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return (u_per_mv, ghk_out, ghk_in, ohm_slope, ohm_reversal) of the sodium channels."""
    sel = a["selNa"]
    out, inside = sel * nao + (1 - sel) * ko, sel * nai + (1 - sel) * a["Ki"]
    kt = ions.thermal_mv(t)
    ohmic = a["ohm"] > 0
    reversal = np.where(ohmic, kt * np.log(out / inside), 0.0)
    return 1 / kt, np.where(ohmic, 0.0, out), np.where(ohmic, 0.0, inside), a["ohm"], reversal


@cached()
def _split_leak_and_pump(axons: tuple[Axon, ...]) -> Mapping[str, np.ndarray]:
    """Split leak and pump of healthy axons by ion, so that their rest stays as fitted.

    3 I_p = -(all sodium entry): the 3:2 pump balances leak and channels.
    """
    a = _stack_rows([axon_parameters(axon) for axon in axons])
    c = _stack_rows([vars(Conditions())] * len(axons))
    t, kt = a["T"], ions.thermal_mv(a["T"])
    e_k = kt * np.log(a["Ko"] / a["Ki"])
    e_na = kt * np.log(a["Nao"] / a["Nai"])
    e_h = kt * np.log((a["Ko"] + a["rH"] * a["Nao"]) / (a["Ki"] + a["rH"] * a["Nai"]))
    P = _kernel_rows(a, c, a["eLk_n"], a["eLk_i"], a["Ip_n"], a["Ip_i"])
    e, ei = _find_rest(P)
    state = steady_state(P, e, ei)
    m, h, p, q = state[2], state[3], state[4], state[9]
    open_na = a["PNa"] * (m**3 * h + a["fNaP"] * p**3)
    # all current of an ohmic channel counts as sodium
    z, _ = eq.ghk(e, 1 / kt, a["selNa"] * a["Nao"], a["selNa"] * a["Nai"])
    ohmic = a["ohm"] * (e - _sodium_terms(a, a["Nao"], a["Nai"], a["Ko"], t)[4])
    na_n = open_na * np.where(a["ohm"] > 0, ohmic, z)
    na_i = (e_h - e_k) / (e_na - e_k) * a["GH_i"] * q * (ei - e_na)
    shares: dict[str, np.ndarray] = {}
    for end, g, e_lk, i_p, v, na in (
        ("n", a["GLk_n"], a["eLk_n"], a["Ip_n"], e, na_n),
        ("i", a["GLk_i"], a["eLk_i"], a["Ip_i"], ei, na_i),
    ):
        total = g * (v - e_lk) + i_p
        # unknown g_na: g_k = g - g_na; total = g_k (v-Ek) + g_na (v-Ena) + I_p;
        # 3 I_p = -(g_na (v-Ena) + na)
        g_na = (total - g * (v - e_k) + na / 3.0) / ((v - e_na) * 2.0 / 3.0 - (v - e_k))
        shares[f"gNa_{end}"], shares[f"gK_{end}"] = g_na, g - g_na
        shares[f"Ip_{end}"] = -(g_na * (v - e_na) + na) / 3.0
    shares["rest_mv"] = e
    return shares


def healthy_rest_mv(axons: Sequence[Axon]) -> np.ndarray:
    """Return the healthy resting potential of each axon, slow inactivation off; mV, shape (n,)."""
    return _split_leak_and_pump(tuple(axons))["rest_mv"].copy()


def _pump(a: Columns, c: Columns) -> np.ndarray:
    """Return pump currents relative to the healthy axon."""
    k, n = parameter("membrane", "pump_k_half"), parameter("membrane", "pump_na_half")

    def rate(ko: np.ndarray, nai: np.ndarray) -> np.ndarray:
        return (ko / (ko + k)) ** 2 * (nai / (nai + n)) ** 3

    warm = parameter("membrane", "q10_pump") ** ((c["temperature_c"] - a["T"]) / 10.0)
    rate_now = rate(c["potassium_out_mmol_l"], c["sodium_in_mmol_l"])
    return c["pump_scale"] * warm * rate_now / rate(a["Ko"], a["Nai"])


def _divalent_shift(kind: str, a: Columns, c: Columns) -> np.ndarray:
    """Return the shift of the gates of one kind by calcium and magnesium, mV."""
    fluids = np.stack([c["calcium_out_mmol_l"], c["magnesium_out_mmol_l"], c["temperature_c"]], 1)
    rows = [tuple(row) for row in fluids.tolist()]
    shifts = {row: ions.gate_shift_mv(kind, *row, 1.0) for row in dict.fromkeys(rows)}
    unit = np.array([shifts[row] for row in rows])
    return c["divalent_shift_scale"] * unit * a[f"S5{kind.capitalize()}"]


def _unprotonated_share(ph: np.ndarray) -> np.ndarray:
    """Return the share of sodium channels not blocked by protons, relative to health."""
    pk = parameter("membrane", "proton_block_pk")
    return (1.0 + 10.0 ** (pk - HEALTHY_PH)) / (1.0 + 10.0 ** (pk - ph))


def _kernel_rows(
    a: Columns, c: Columns, e_lk: np.ndarray, ei_lk: np.ndarray, i_p: np.ndarray, ii_p: np.ndarray
) -> np.ndarray:
    """Return the kernel parameters, slow inactivation not yet applied.

    `a` holds the parameters of the axons, `c` their conditions, both arrays by name.
    """
    t = c["temperature_c"]
    kt = ions.thermal_mv(t)
    warm = parameter("membrane", "q10_conductance") ** ((t - a["T"]) / 10.0)
    ph_shift = parameter("membrane", "ph_gate_shift") * (c["ph"] - HEALTHY_PH)
    na_shift = c["gate_shift_sodium_mv"] + ph_shift + _divalent_shift("na", a, c)
    k_shift = _divalent_shift("k", a, c)
    out_h = c["potassium_out_mmol_l"] + a["rH"] * c["sodium_out_mmol_l"]
    phi_m, phi_h, phi_k = (_phi(parameter("membrane", f"q10_gate_{g}"), t) for g in "mhk")
    fast, slow = c["fast_potassium_scale"] * warm, c["slow_potassium_scale"] * warm
    values: dict[str, np.ndarray | float] = {
        "shift_m": na_shift + a["dVm"], "phi_m": phi_m / a["tauNa"],
        "shift_h": na_shift + a["dVh"], "phi_h": phi_h / a["tauNa"] / c["inactivation_tau_scale"],
        "shift_p": na_shift + a["dVm"] + a["dVp"], "phi_p": phi_m * a["kp"],
        "shift_n": k_shift + a["dVn"], "shift_ni": k_shift + a["dVn"] + a["dVn_i"],
        "phi_n": phi_k, "shift_s": k_shift + a["dVs"], "phi_s": phi_k * a["kKs"],
        "shift_q": a["dVq"], "phi_q": phi_k,
        "P_na": a["PNa"] * c["sodium_scale"] * _unprotonated_share(c["ph"]) * warm,
        "f_nap": a["fNaP"] * c["persistent_sodium_scale"],
        "g_kf": a["GKf_n"] * fast, "g_ks": a["GKs_n"] * slow,
        "E_k": kt * np.log(c["potassium_out_mmol_l"] / a["Ki"]),
        "g_lk": a["GLk_n"] * c["leak_scale"] * warm, "E_lk": e_lk,
        "I_pump": i_p - c["bias_current_pa"],
        "gi_kf": a["GKf_i"] * fast, "gi_ks": a["GKs_i"] * slow,
        "g_h": a["GH_i"] * c["hcn_scale"] * warm,
        "E_h": kt * np.log(out_h / (a["Ki"] + a["rH"] * c["sodium_in_mmol_l"])),
        "gi_lk": a["GLk_i"] * c["leak_scale"] * warm, "Ei_lk": ei_lk,
        "Ii_pump": ii_p,
        "g_bb": a["GBB"], "C_n": a["Cn"], "C_my": a["Cmy"], "C_i": a["Ci"],
        "noise_mh": 0.0, "noise_p": 0.0,
    }  # fmt: skip
    terms = _sodium_terms(
        a, c["sodium_out_mmol_l"], c["sodium_in_mmol_l"], c["potassium_out_mmol_l"], t
    )
    names = ("u_per_mv", "ghk_out", "ghk_in", "ohm_slope", "ohm_reversal")
    values.update(zip(names, terms, strict=True))
    rows = np.empty((len(eq.PARAMETERS), t.size))
    for row, name in zip(rows, eq.PARAMETERS, strict=True):
        row[:] = values[name]
    return rows


def _distinct_axons(axon: Axon | Sequence[Axon], n: int) -> tuple[tuple[Axon, ...], np.ndarray]:
    """Return the distinct axons among `n` conditions, and the index of each condition's axon."""
    if isinstance(axon, str | ParameterSet):
        return (axon,), np.zeros(n, int)
    axons = tuple(axon)
    if len(axons) != n:
        raise NeurosimError(f"There are {len(axons)} axons for {n} conditions.")
    different = tuple(dict.fromkeys(axons))
    position = {one: i for i, one in enumerate(different)}
    return different, np.array([position[one] for one in axons])


def _axon_columns(different: Sequence[Axon], which: np.ndarray) -> dict[str, np.ndarray]:
    """Return the parameters of axons as arrays by name."""
    each = _stack_rows([axon_parameters(one) for one in different])
    return {name: values[which] for name, values in each.items()}


def kernel_parameters(
    axon: Axon | Sequence[Axon], conditions: Sequence[Conditions] | Columns
) -> np.ndarray:
    """Return the kernel parameters of a batch, shape (39, n), before slow inactivation.

    `axon` is one for all conditions, or a sequence with one for each.
    """
    c = _as_columns(conditions)
    different, which = _distinct_axons(axon, c["ph"].size)
    base = {k: v[which] for k, v in _split_leak_and_pump(different).items()}
    a = _axon_columns(different, which)
    a = {**a, "Ki": a["Ki"] * c["potassium_in_scale"]}
    kt = ions.thermal_mv(c["temperature_c"])
    e_k = kt * np.log(c["potassium_out_mmol_l"] / a["Ki"])
    e_na = kt * np.log(c["sodium_out_mmol_l"] / c["sodium_in_mmol_l"])
    e_lk, ei_lk = (
        (base[f"gK_{x}"] * e_k + base[f"gNa_{x}"] * e_na) / (base[f"gK_{x}"] + base[f"gNa_{x}"])
        for x in "ni"
    )
    pump = _pump(a, c)
    return _kernel_rows(a, c, e_lk, ei_lk, base["Ip_n"] * pump, base["Ip_i"] * pump)


def steady_state(P: np.ndarray, e: np.ndarray, ei: np.ndarray) -> np.ndarray:
    """Return the states, shape (10, n), with every gate at its steady value."""
    node, _, inner, _ = eq.pack_gates(P)
    gates = (
        eq.steady_gates(eq.node_rates(e, node, 1.0)),
        eq.steady_gates(eq.internode_rates(ei, inner, 1.0)),
    )
    return np.concatenate([[e, ei], *gates])


def _imbalance(
    P: np.ndarray, e: np.ndarray, gates: Sequence[np.ndarray], slow: np.ndarray | float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the net current at node potential `e`, and the Ei at which the node is in balance.

    Parameters
    ----------
    P : ndarray, shape (39, n)
    e : ndarray, shape (..., n)
        mV; also (..., 1) for all axons.
    gates : tuple of ndarray
        Shifts of the gates (`eq.pack_gates`), of all axons or of one where they are equal.
    slow : float or ndarray
        Share of sodium channels available after slow inactivation.
    """
    node, _, inner, _ = (g.reshape(len(g), *(1,) * (e.ndim - 1), -1) for g in gates)
    m, h, p, n, s = eq.steady_gates(eq.node_rates(e, node, 1.0))
    P_na, *others = P[eq.NODE]
    out, _ = eq.node_current(e, m, h, p, n, s, P_na * slow, *others)
    ei = e + out / P[eq.ROW["g_bb"]]
    ni, si, q = eq.steady_gates(eq.internode_rates(ei, inner, 1.0))
    inter, _ = eq.internode_current(ei, ni, si, q, *P[eq.INTERNODE])
    return inter + out, ei


def _scan_imbalance(
    P: np.ndarray, grid: np.ndarray, gates: Sequence[np.ndarray], slow: np.ndarray
) -> np.ndarray:
    """Return the imbalance on a grid of potentials; axons of equal gates share their rates."""
    f = np.empty((grid.size, P.shape[1]))
    _, which = np.unique(np.concatenate(gates), axis=1, return_inverse=True)
    which = which.ravel()
    for group in range(which.max() + 1):
        i = np.flatnonzero(which == group)
        f[:, i], _ = _imbalance(P[:, i], grid, [g[:, i[:1]] for g in gates], slow[:, i])
    return f


def _bracket_rest(P: np.ndarray, gates: Sequence[np.ndarray], slow_of: Slow) -> np.ndarray:
    """Return, for each axon, the first grid cell in which the imbalance rises through 0.

    As the potentials of its two ends and the imbalance at each. The upper part of the grid is
    scanned only for the few axons that do not rest in the lower one.
    """
    grid = np.arange(-140.0, 20.5, 0.5)[:, None]
    ends, todo = np.full((4, P.shape[1]), np.nan), np.arange(int(P.shape[1]))
    for part in (grid[:FIRST_SCAN_POINTS], grid[FIRST_SCAN_POINTS - 1 :]):
        slow = np.broadcast_to(slow_of(part, todo), (part.size, todo.size))
        f = _scan_imbalance(P[:, todo], part, [g[:, todo] for g in gates], slow)
        rising = (f[:-1] <= 0) & (f[1:] > 0)
        bracketed = np.flatnonzero(rising.any(axis=0))
        k = np.argmax(rising[:, bracketed], axis=0)
        ends[:, todo[bracketed]] = part[k, 0], part[k + 1, 0], f[k, bracketed], f[k + 1, bracketed]
        todo = np.delete(todo, bracketed)
        if not todo.size:
            return ends
    raise NeurosimError("A membrane has no resting potential under these conditions.")


def _find_rest(P: np.ndarray, slow_of: Slow | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the most negative resting E and its Ei of each axon (0.5-mV scan, then refined).

    `slow_of(e, which)` gives the share of sodium channels available after slow inactivation.
    """
    n, gates = int(P.shape[1]), eq.pack_gates(P)
    slow: Slow = (lambda e, which: 1.0) if slow_of is None else slow_of
    low, high, f_low, f_high = cast("Sequence[np.ndarray]", _bracket_rest(P, gates, slow))
    every = np.arange(n)
    side = np.zeros(n)
    for _ in range(REST_STEPS):  # Illinois method: the value at an end that stays is halved
        e = low - f_low * (high - low) / (f_high - f_low)
        imbalance, _ = _imbalance(P, e, gates, slow(e, every))
        up = imbalance > 0
        f_low, f_high = (
            np.where(up, np.where(side > 0, 0.5 * f_low, f_low), imbalance),
            np.where(up, imbalance, np.where(side < 0, 0.5 * f_high, f_high)),
        )
        low, high, side = np.where(up, low, e), np.where(up, e, high), np.where(up, 1, -1)
    e = low - f_low * (high - low) / (f_high - f_low)
    return e, _imbalance(P, e, gates, slow(e, every))[1]


@dataclass(frozen=True)
class Axons:
    """A batch of axons at rest.

    Attributes
    ----------
    P : ndarray, shape (39, n)
        Kernel parameters with slow sodium inactivation applied.
    rest : ndarray, shape (10, n)
        Resting states; row 0 is the resting potential in mV.
    availability : ndarray, shape (n,)
        Share of sodium channels not slowly inactivated, relative to health.
    """

    P: np.ndarray
    rest: np.ndarray
    availability: np.ndarray

    @property
    def rest_mv(self) -> np.ndarray:
        """Resting potential of the node, mV, shape (n,)."""
        return self.rest[0]

    def take(self, index: slice | np.ndarray) -> Axons:
        """Return the axons at `index` as a new batch."""
        return Axons(self.P[:, index].copy(), self.rest[:, index].copy(), self.availability[index])

    def with_noise(self, channels: float) -> Axons:
        """Return the batch with the channel noise of `channels` transient sodium channels."""
        P = self.P.copy()
        P[eq.ROW["noise_mh"]] = 1.0 / np.sqrt(channels)
        persistent = parameter("membrane", "noise_persistent_share") * channels
        P[eq.ROW["noise_p"]] = 1.0 / np.sqrt(persistent)
        return Axons(P, self.rest.copy(), self.availability)


def at_rest(
    conditions: Conditions | Sequence[Conditions] | Columns, axon: Axon | Sequence[Axon] = "ghk"
) -> Axons:
    """Return axons at rest under `conditions`, slow sodium inactivation in balance.

    Slow inactivation multiplies the sodium permeability by s(E)/s(healthy rest),
    s = 1/(1 + exp((E - Vs)/ks)); it takes seconds, so it is held constant during a test.

    Parameters
    ----------
    conditions : Conditions, sequence of Conditions, or mapping of arrays
        As `condition_columns` returns them in the last case.
    axon : str, ParameterSet, or a sequence of them
        One for all conditions, or one for each.

    Raises
    ------
    NeurosimError
        If a membrane has no resting potential.

    Examples
    --------
    >>> round(float(at_rest(Conditions()).rest_mv[0]), 1)
    -81.6
    """
    c = _as_columns(conditions)
    a = _axon_columns(*_distinct_axons(axon, c["ph"].size))
    P = kernel_parameters(axon, c)
    healthy = 1.0 / (1.0 + np.exp((a["Es0"] - a["Vs"]) / a["ks"]))

    def slow(e: np.ndarray, which: Any) -> np.ndarray:
        return 1.0 / (1.0 + np.exp((e - a["Vs"][which]) / a["ks"][which])) / healthy[which]

    e, ei = _find_rest(P, slow)
    availability = slow(e, np.arange(e.size))
    P[eq.ROW["P_na"]] *= availability
    return Axons(P, steady_state(P, e, ei), availability)


def resting_states(conditions: Conditions, axon: Axon = "ghk") -> int:
    """Return the number of potentials at which an axon could rest (above 1: bistable).

    Slow sodium inactivation is held at its value at the most negative of them. Whether the axon
    would oscillate around a rest is not examined.
    """
    P = at_rest(conditions, axon).P
    grid = np.arange(-140.0, 20.1, 0.1)[:, None]
    f, _ = _imbalance(P, grid, eq.pack_gates(P))
    return int(((f[:-1] <= 0) & (f[1:] > 0)).sum())


WAIT_MS = 4.0  # for a spike, after the pulse
FIRST_GUESS_PA = 400.0
# Near the threshold the time until a spike, or until it fails, grows as -ln(distance)/8 ms; a
# failure shows 1.4 times later. This only interpolates within the last interval of the search.
GROWTH_PER_MS, FAILING = 8.0, 1.4
TIMED_INTERVAL = 4  # width (in tolerances) of the interval that is left to this interpolation


def interpolate_thresholds(
    low: np.ndarray, high: np.ndarray, low_ms: np.ndarray, high_ms: np.ndarray
) -> np.ndarray:
    """Return thresholds between a pulse that failed and one that fired, from their times if known.

    Parameters
    ----------
    low, high : ndarray
        Strongest pulse that failed and weakest that fired (infinite: none), pA.
    low_ms, high_ms : ndarray
        Times from the end of the pulse to the failure and to the spike, ms.

    Returns
    -------
    ndarray
        pA; NaN where no pulse fired.
    """
    late = np.clip(low_ms - high_ms, -0.3, 0.3)
    share = 1.0 / (1.0 + np.exp(GROWTH_PER_MS * late) / FAILING)
    timed = (low_ms > 0.0) & (high_ms > 0.0)  # not of a spike during the pulse
    share = np.where(timed, share, 0.5)
    never = np.isinf(high)
    return np.where(never, np.nan, low + np.where(never, 0.0, high - low) * share)


@dataclass(frozen=True)
class SearchStarts:
    """Where the tests of a threshold search start, if not each axon at its rest.

    Attributes
    ----------
    states : ndarray, shape (10, n)
        States at the start of each test's pulse; not changed.
    current_pa : ndarray or float
        Steady polarising current of each test, pA, that ends with the pulse.
    axon : ndarray of int, shape (n,), optional
        Index of the axon of each test; one test for each axon if omitted.
    """

    states: np.ndarray
    current_pa: np.ndarray | float = 0.0
    axon: np.ndarray | None = None


def threshold_pa(
    axons: Axons,
    width_ms: float | np.ndarray,
    starts: SearchStarts | None = None,
    dt: float = DT_MS,
    tolerance_pa: np.ndarray | float = 0.01,
    near_pa: np.ndarray | float = FIRST_GUESS_PA,
) -> np.ndarray:
    """Return the smallest pulse that fires each axon, pA, shape (n,).

    An axon fires if E rises above -20 mV, during the pulse with m > 0.5, or after it before E
    has fallen half-way back to rest, within 4 ms. The threshold is NaN where a pulse of
    `HIGHEST_PA` does not fire, and 0 where none is needed. In depolarisation block spikes are
    graded and their threshold means little (`neurosim.clinic.excitability` reports block).

    Parameters
    ----------
    axons : Axons
    width_ms : float or ndarray, shape (n,)
        Pulse width.
    starts : SearchStarts, optional
        State and polarising current of each test; every axon at rest if omitted.
    dt : float
        Step, ms.
    tolerance_pa : float or ndarray, shape (n,)
        The typical error is half of this, the greatest four times it.
    near_pa : ndarray or float
        First pulse to try. It changes the result only within the tolerance; a near one saves time.
    """
    starts = SearchStarts(axons.rest) if starts is None else starts
    column = np.arange(int(axons.P.shape[1])) if starts.axon is None else starts.axon
    n = column.size
    steps = np.broadcast_to(np.rint(np.asarray(width_ms) / dt).astype(np.int64), n)
    steady = np.broadcast_to(np.asarray(starts.current_pa, float), n)
    near = np.clip(near_pa, tolerance_pa, HIGHEST_PA) + np.zeros(n)
    search = np.stack(
        np.broadcast_arrays(near, 1.125, 0.0, HIGHEST_PA, TIMED_INTERVAL * tolerance_pa)
    )
    bounds = kernel.find_threshold(
        starts.states,
        axons.P,
        np.arange(n),
        column,
        steady,
        steps,
        round(WAIT_MS / dt),
        axons.rest[0],
        search,
        dt,
    )
    return np.where(bounds[0] > 0.0, interpolate_thresholds(*bounds), 0.0)


@cached()
def healthy_threshold_pa(axon: Axon = "ghk", width_ms: float = 20.0, dt: float = DT_MS) -> float:
    """Return the threshold (pA) of the healthy axon; 100 % of every relative threshold."""
    return float(threshold_pa(at_rest(Conditions(), axon), width_ms, dt=dt)[0])
