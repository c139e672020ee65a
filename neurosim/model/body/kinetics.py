"""How caffeine comes and goes: from doses and clock times to the level in plasma.

One compartment with first-order absorption, in closed form, so that any number of
times costs one line of arithmetic.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neurosim.base.errors import NeurosimError, finite_number, number_within, short_repr
from neurosim.base.parameters import parameter
from neurosim.model.body.fields import read_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


def healthy_mass_kg() -> float:
    """Return the mass of the body that everybody is taken to have."""
    return parameter("body", "body_mass_kg.healthy")


def elimination_per_h() -> float:
    """Return the elimination rate of caffeine (1/h): clearance over volume of distribution."""
    return parameter("body", "caffeine_clearance_l_h_kg") / parameter(
        "body", "caffeine_volume_l_kg"
    )


def _check_dose(mg: object) -> float:
    return number_within(
        "caffeine dose", mg, 0.0, parameter("body", "caffeine_dose_highest_mg"), "mg"
    )


def _level_per_mg(mass_kg: object) -> float:
    """Return the level (µmol/L) that 1 mg spread at once over the body would give."""
    mass_kg = healthy_mass_kg() if mass_kg is None else mass_kg
    mass = read_field("body_mass_kg").check(mass_kg)
    volume_l = parameter("body", "caffeine_volume_l_kg") * mass
    umol = 1000.0 * parameter("body", "caffeine_bioavailability")
    return umol / (parameter("body", "caffeine_molar_mass") * volume_l)


def _check_doses(doses: object) -> list[tuple[float, float]]:
    """Return the doses as checked (mg, h) pairs."""
    try:
        pairs = [(mg, hour) for mg, hour in cast("Any", doses)]
    except (TypeError, ValueError):
        raise NeurosimError(
            "doses must be a list of (mg, time in h) pairs such as [(100, 8)], "
            f"not {short_repr(doses)}."
        ) from None
    return [(_check_dose(mg), finite_number("dose time (h)", hour)) for mg, hour in pairs]


def caffeine_umol_l(
    doses: Sequence[tuple[float, float]], time_h: ArrayLike, mass_kg: float | None = None
) -> np.ndarray:
    """Return the caffeine in plasma at the times `time_h`.

    Parameters
    ----------
    doses : sequence of (mg, h)
        Each dose swallowed and when.
    time_h : array_like
        Times (h), on the same clock as the doses.
    mass_kg : float, optional
        Body mass; `healthy_mass_kg` if omitted.

    Returns
    -------
    numpy.ndarray
        µmol/L, in the shape of `time_h`; zero before the first dose.

    Raises
    ------
    NeurosimError
        For doses that are not pairs, a dose outside 0 to 10 g, or a time or mass that is
        not a sensible number.

    Notes
    -----
    Sizes in ``parameters.toml``; compared with Blanchard & Sawers 1983 in the tests.
    """
    try:
        time = np.asarray(time_h, dtype=float)
    except (TypeError, ValueError):
        time = np.array(math.nan)
    if not np.all(np.isfinite(time)):
        raise NeurosimError(f"time_h must be finite numbers (h), not {short_repr(time_h)}.")
    ka, ke = parameter("body", "caffeine_absorption_per_h"), elimination_per_h()
    scale = _level_per_mg(mass_kg) * ka / (ka - ke)
    level = np.zeros(time.shape)
    for mg, hour in _check_doses(doses):
        # Before the dose the time since is held at zero, where both terms cancel.
        since = np.maximum(time - hour, 0.0)
        level = level + mg * scale * (np.exp(-ke * since) - np.exp(-ka * since))
    return level


def peak_caffeine_umol_l(mg: float, mass_kg: float | None = None) -> float:
    """Return the highest level (µmol/L) that one dose of `mg` reaches, within the first hour.

    Raises
    ------
    NeurosimError
        If the dose or the mass is not a sensible number.
    """
    ka, ke = parameter("body", "caffeine_absorption_per_h"), elimination_per_h()
    # At the peak as much is absorbed as eliminated: t = ln(ka/ke) / (ka - ke).
    peak_h = math.log(ka / ke) / (ka - ke)
    return _check_dose(mg) * _level_per_mg(mass_kg) * math.exp(-ke * peak_h)
