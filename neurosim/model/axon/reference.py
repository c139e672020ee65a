"""The motor axon as a textbook writes it: for reading, and to hold the fast equations to.

Node and internode are two membranes joined by the myelin's capacity and by the conductance along
and through the sheath (Barrett & Barrett 1982). The node carries transient and persistent sodium
current by the constant-field equation (Goldman, Hodgkin & Katz), fast and slow potassium current,
leak and pump; the internode carries fast and slow potassium current, the current through channels
that open with hyperpolarisation, leak and pump. Gates follow Hodgkin and Huxley:
dy/dt = phi (alpha (1 - y) - beta y).

`equations` has the same currents and rates in the form that is quick to compute; a test holds both
to each other. Units: mV, ms, pA, nS, pF, mmol/L; rates 1/ms at 36 degC, rows of parameters as in
`equations.PARAMETERS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

FARADAY = 96.48533  # C/mmol


def linoid(V: np.ndarray, rate: float, half_mv: float, slope_mv: float) -> np.ndarray:
    """Return the rate of a gate that opens or closes in proportion to depolarisation."""
    x = (V + half_mv) / slope_mv
    return rate * x / (1.0 - np.exp(-x))


def derivatives(
    state: np.ndarray, parameters: Mapping[str, np.ndarray], stimulus_pa: float | np.ndarray = 0.0
) -> np.ndarray:
    """Return the time derivative of the ten states.

    Parameters
    ----------
    state : ndarray, shape (10, ...)
        Potentials of node and internode (mV), gates m, h, p, n, s of the node and n, s, q of the
        internode.
    parameters : mapping of str to ndarray
        By the names of `equations.PARAMETERS`.
    stimulus_pa : float or ndarray
        Current into the node.

    Returns
    -------
    ndarray, shape (10, ...)
        Per ms.

    Examples
    --------
    >>> from neurosim.model.axon import equations
    >>> from neurosim.model.axon.axon import Conditions, at_rest
    >>> axon = at_rest(Conditions())
    >>> rows = dict(zip(equations.PARAMETERS, axon.P, strict=True))
    >>> bool(np.abs(derivatives(axon.rest, rows)).max() < 1e-6)
    True
    """
    E, Ei, m, h, p, n, s, n_i, s_i, q = state
    k = parameters

    # Node: I = P F u (out - in e^u) / (1 - e^u), u = E F / (R T)
    u = E * k["u_per_mv"]
    constant_field = FARADAY * u * (k["ghk_out"] - k["ghk_in"] * np.exp(u)) / (1.0 - np.exp(u))
    drive = constant_field + k["ohm_slope"] * (E - k["ohm_reversal"])  # one of both is chosen
    I_na_transient = k["P_na"] * m**3 * h * drive
    I_na_persistent = k["P_na"] * k["f_nap"] * p**3 * drive
    I_k_fast = k["g_kf"] * n**4 * (E - k["E_k"])
    I_k_slow = k["g_ks"] * s * (E - k["E_k"])
    I_leak = k["g_lk"] * (E - k["E_lk"])
    I_node = I_na_transient + I_na_persistent + I_k_fast + I_k_slow + I_leak + k["I_pump"]

    # Internode
    I_k_fast = k["gi_kf"] * n_i**4 * (Ei - k["E_k"])
    I_k_slow = k["gi_ks"] * s_i * (Ei - k["E_k"])
    I_h = k["g_h"] * q * (Ei - k["E_h"])
    I_leak = k["gi_lk"] * (Ei - k["Ei_lk"])
    I_internode = I_k_fast + I_k_slow + I_h + I_leak + k["Ii_pump"]

    # Kirchhoff: C_n dE/dt + C_my d(E - Ei)/dt = stimulus - I_node - I_sheath
    #            C_i dEi/dt - C_my d(E - Ei)/dt = I_sheath - I_internode
    I_sheath = k["g_bb"] * (E - Ei)
    into_node, into_internode = stimulus_pa - I_node - I_sheath, I_sheath - I_internode
    C_n, C_my, C_i = k["C_n"], k["C_my"], k["C_i"]
    whole = C_n * C_my + C_n * C_i + C_my * C_i
    dE = ((C_i + C_my) * into_node + C_my * into_internode) / whole
    dEi = ((C_n + C_my) * into_internode + C_my * into_node) / whole

    def gate(y: np.ndarray, phi: str, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
        return k[phi] * (alpha * (1.0 - y) - beta * y)

    def sodium_m(V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return linoid(V, 67.671, 20.4, 10.3), linoid(V, 2.78464, 25.7, -9.16)

    def sodium_h(V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return linoid(V, 3.74, 114.0, -11.0), 12.6 / (1.0 + np.exp(-(V + 31.8) / 13.4))

    def fast_potassium(V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return linoid(V, 0.05082, 83.2, 1.1), linoid(V, 0.8652, 66.0, -10.5)

    def slow_potassium(V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return linoid(V, 0.071501, 23.5, 12.7), linoid(V, 0.039897, 91.1, -11.7)

    def hyperpolarisation(V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = (V + 107.3) / 12.2
        return 0.00522 * np.exp(-x), 0.00522 * np.exp(x)

    return np.stack(
        [
            dE,
            dEi,
            gate(m, "phi_m", *sodium_m(E + k["shift_m"])),
            gate(h, "phi_h", *sodium_h(E + k["shift_h"])),
            gate(p, "phi_p", *sodium_m(E + k["shift_p"])),
            gate(n, "phi_n", *fast_potassium(E + k["shift_n"])),
            gate(s, "phi_s", *slow_potassium(E + k["shift_s"])),
            gate(n_i, "phi_n", *fast_potassium(Ei + k["shift_ni"])),
            gate(s_i, "phi_s", *slow_potassium(Ei + k["shift_s"])),
            gate(q, "phi_q", *hyperpolarisation(Ei + k["shift_q"])),
        ]
    )
