"""What ions do to a membrane: equilibrium potentials and gate shifts."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.parameters import parameter

GAS = 8.314462618  # J/(mol K)
FARADAY_C_MMOL = 96.48533  # C/mmol, so that GAS T / FARADAY is in mV


def thermal_mv(temperature_c: Any) -> Any:
    """Return RT/F in mV at a temperature in degC."""
    return GAS * (temperature_c + 273.15) / FARADAY_C_MMOL


def nernst_mv(out_mmol_l: Any, in_mmol_l: Any, temperature_c: Any, valence: int = 1) -> Any:
    """Return the Nernst potential in mV.

    >>> round(float(nernst_mv(4.2, 155.0, 33.0)), 2)
    -95.2
    """
    return thermal_mv(temperature_c) / valence * np.log(out_mmol_l / in_mmol_l)


@cached(size=4096)
def surface_potential_mv(
    calcium_mmol_l: float,
    magnesium_mmol_l: float,
    temperature_c: float,
    charge_c_m2: float,
    k_ca: float,
    k_mg: float,
) -> float:
    """Return the outer surface potential of a charged membrane (Grahame with binding), mV.

    Monovalent salt is held at its healthy 150 mmol/L (`docs/model.md` says why).

    Parameters
    ----------
    calcium_mmol_l, magnesium_mmol_l : float
        Ionised concentrations outside.
    temperature_c : float
    charge_c_m2 : float
        Free surface charge, negative.
    k_ca, k_mg : float
        Binding constants per mol/L.
    """
    mono = parameter("membrane", "surface_monovalent_mmol_l")
    kt = thermal_mv(temperature_c)
    divalent = calcium_mmol_l + magnesium_mmol_l
    chloride = mono + 2.0 * divalent
    permittivity = parameter("membrane", "surface_permittivity") * 8.8541878128e-12
    energy = 2.0 * permittivity * GAS * (temperature_c + 273.15)

    def imbalance(psi: float) -> float:
        u = psi / kt
        e = np.exp(-u)
        ions = mono * (e - 1) + divalent * (e * e - 1) + chloride * (1 / e - 1)
        bound = 1.0 + (k_ca * calcium_mmol_l + k_mg * magnesium_mmol_l) * 1e-3 * e * e
        return np.sqrt(energy * max(ions, 0.0)) - abs(charge_c_m2) / bound

    low, high = -300.0, 0.0  # the screening grows with |psi|, the free charge shrinks: one root
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if imbalance(middle) > 0 else (low, middle)
    return 0.5 * (low + high)


def _surface(kind: str, calcium: float, magnesium: float, temperature_c: float) -> float:
    return surface_potential_mv(
        float(calcium),
        float(magnesium),
        float(temperature_c),
        parameter("membrane", f"surface_charge_{kind}"),
        parameter("membrane", f"surface_binding_calcium_{kind}"),
        parameter("membrane", f"surface_binding_magnesium_{kind}"),
    )


@cached(size=4096)
def gate_shift_mv(
    kind: str,
    calcium_mmol_l: float,
    magnesium_mmol_l: float,
    temperature_c: float,
    per_five_fold_mv: float,
) -> float:
    """Return the shift of a gate's voltage by divalent ions, mV (positive: as if depolarised).

    The Grahame curve gives the shape; its size is set so that a five-fold fall of ionised
    calcium (2.683 to 0.537 mmol/L at 0.55 mmol/L magnesium) shifts by `per_five_fold_mv`.

    Parameters
    ----------
    kind : str
        ``"na"`` (charge with binding) or ``"k"`` (weak charge, no binding).
    calcium_mmol_l, magnesium_mmol_l : float
        Ionised concentrations outside.
    temperature_c : float
    per_five_fold_mv : float
        Frankenhaeuser & Hodgkin (1957) found 10 to 15 mV in squid for sodium gates.
    """
    ca0, mg0, t0 = (
        parameter("membrane", n) for n in ("base_calcium", "base_magnesium", "base_temperature")
    )
    base = _surface(kind, ca0, mg0, t0)
    root5 = np.sqrt(5.0)
    unit = _surface(kind, ca0 * root5, mg0, t0) - _surface(kind, ca0 / root5, mg0, t0)
    shift = base - _surface(kind, calcium_mmol_l, magnesium_mmol_l, temperature_c)
    return float(shift * per_five_fold_mv / unit)
