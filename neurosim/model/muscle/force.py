"""The force of a muscle, from the discharges of its units.

Each discharge of a motor unit adds one twitch, f(t) = g P (t/T) exp(1 - t/T). The gain g
makes twitches that follow closely add to the force that the unit really reaches at that
rate. Twitches of all units add up (Fuglevand, Winter & Patla 1993).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import NeurosimError, finite_number, number_within
from neurosim.base.parameters import parameter
from neurosim.model.muscle import anatomy

if TYPE_CHECKING:
    from neurosim.model.muscle.anatomy import Muscle

MAX_SAMPLES = 200_000_000
_TAIL = 20.0  # contraction times after which a twitch is dropped: 1e-7 of its peak is left
_SHORTEST_INTERVAL_S = 1e-6  # keeps the gain finite if a unit fires twice at one time


class TwitchScales(NamedTuple):
    """Factors on the twitches of a muscle: each is one number, or one for each discharge.

    Attributes
    ----------
    force : float or array_like
        On every twitch force, 0 to 100.
    contraction_time : float or array_like
        On every contraction time, 0.1 to 10.
    """

    force: Any = 1.0
    contraction_time: Any = 1.0


UNSCALED = TwitchScales()


def twitch_mn(time_s: Any, peak_mn: float, contraction_time_ms: float) -> np.ndarray:
    """Return the force of one twitch, mN, shape of `time_s`.

    Parameters
    ----------
    time_s : array_like
        Time since the discharge, s; the force is 0 before it.
    peak_mn : float
        Peak force, mN, reached at the contraction time.
    contraction_time_ms : float
        Time from discharge to peak, ms.
    """
    u = np.maximum(np.asarray(time_s, float) / (contraction_time_ms / 1000.0), 0.0)
    return peak_mn * u * np.exp(1.0 - u)


def tetanic_fraction(ratio: Any) -> np.ndarray:
    """Return the force at a steady rate as a fraction of the largest, shape of `ratio`.

    S(x) = 1 - exp(-2 x^3): half at x = 0.702, nine tenths at 1.048 (Fuglevand, Winter &
    Patla 1993; Potvin & Fuglevand 2017).

    Parameters
    ----------
    ratio : array_like
        Contraction time times rate (contraction time over interval), pure number.
    """
    factor, exponent, _ = force_frequency()
    return -np.expm1(-factor * np.asarray(ratio, float) ** exponent)


def force_fraction(ratio: Any) -> np.ndarray:
    """Return the force at a steady rate as a fraction of the largest, twitches summed below 0.4.

    `tetanic_fraction` above T f = 0.4, a straight line to 0 below (Potvin & Fuglevand 2017).

    Parameters
    ----------
    ratio : array_like
        Contraction time times rate, pure number.
    """
    limit = force_frequency()[2]
    x = np.asarray(ratio, float)
    return np.where(x > limit, tetanic_fraction(x), x / limit * tetanic_fraction(limit))


def summation_gain(ratio: Any) -> np.ndarray:
    """Return how much larger a twitch is than a lone one, shape of `ratio`.

    1 below T/ISI = 0.4, then S(x)/x over S(0.4)/0.4 (Fuglevand, Winter & Patla 1993).

    Parameters
    ----------
    ratio : array_like
        Contraction time over the interval before the discharge, pure number.
    """
    limit = force_frequency()[2]
    x = np.maximum(np.asarray(ratio, float), limit)
    return tetanic_fraction(x) / x * (limit / tetanic_fraction(limit))


def muscle_force_mn(
    times_s: Any,
    units: Any,
    muscle: str | Muscle,
    duration_s: float,
    sampling_hz: float = 1000.0,
    scales: TwitchScales = UNSCALED,
) -> np.ndarray:
    """Return the force of a muscle, mN, shape (n_samples,), sampled at k / `sampling_hz`.

    The work follows the number of discharges; nothing as long as the result is allocated
    beside it. Twitches are evaluated at the sample times, not moved to the nearest sample.

    Parameters
    ----------
    times_s : array_like
        Discharge times, s, shape (n,). A discharge before 0 counts with what is left of it.
    units : array_like
        Unit of each discharge, shape (n,); 0 is the smallest.
    muscle : str or Muscle
        The muscle.
    duration_s : float
        Length of the record, s.
    sampling_hz : float
        Samples per second.
    scales : TwitchScales
        Factors on twitch force and contraction time.

    Raises
    ------
    NeurosimError
        If an argument is not a number, the columns differ in length, a unit does not exist,
        or the record has more than `MAX_SAMPLES` samples.
    """
    n_samples = _sample_count(duration_s, sampling_hz)
    times, unit, peak, contraction = sort_discharges(
        times_s, units, muscle, scales.contraction_time
    )
    scale = check_factor("force_scale", scales.force, 0, 100, times.size)
    if np.ndim(scale):
        scale = scale[np.lexsort((np.atleast_1d(times_s), np.atleast_1d(units)))]
    peak, force = scale * peak, np.zeros(n_samples)
    new = (np.diff(unit, prepend=-1, append=-1) != 0) | (
        np.diff(contraction, prepend=-1, append=-1) != 0
    )
    bounds = np.flatnonzero(new)
    for start, stop in itertools.pairwise(bounds):
        part = slice(start, stop)
        _add_unit(force, times[part], peak[part], float(contraction[start]), float(sampling_hz))
    return force


def check_factor(name: str, value: Any, low: float, high: float, size: int) -> Any:
    """Return a factor that is checked: a float, or one for each of `size` discharges.

    Raises
    ------
    NeurosimError
        If one is no number or outside the range, or there are not as many.
    """
    if np.ndim(value) == 0:
        return number_within(name, value, low, high)
    each = np.asarray(value, float)
    if each.shape != (size,):
        raise NeurosimError(f"{name} must be one number, or one for each of {size} discharges.")
    for worst in (each.min(initial=low), each.max(initial=low)):
        number_within(name, worst, low, high)
    return each


def sort_discharges(
    times_s: Any, units: Any, muscle: str | Muscle, contraction_time_scale: Any = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the discharges by unit and time, each with the twitch it makes.

    Parameters
    ----------
    times_s, units : array_like
        Discharge times, s, and unit of each, shape (n,), in any order.
    muscle : str or Muscle
        The muscle.
    contraction_time_scale : float or array_like
        Factor on every contraction time, 0.1 to 10; one, or one for each discharge.

    Returns
    -------
    times_s, units, peak_mn, contraction_time_s : numpy.ndarray
        Shape (n,) each; peak force includes the gain of the interval before.

    Raises
    ------
    NeurosimError
        If the columns are not numbers, differ in length, or name a unit that does not exist.
    """
    m = anatomy.muscle(muscle)
    times, unit = _check_discharges(times_s, units, m)
    scale = check_factor("contraction_time_scale", contraction_time_scale, 0.1, 10, times.size)
    order = np.lexsort((times, unit))
    times, unit = times[order], unit[order]
    scale = scale[order] if np.ndim(scale) else scale
    contraction = anatomy.contraction_times_ms(m)[unit] * (scale / 1000.0)
    ratio = np.zeros(times.size)
    interval = np.maximum(np.diff(times), _SHORTEST_INTERVAL_S)
    ratio[1:] = np.where(unit[1:] == unit[:-1], contraction[1:] / interval, 0.0)
    return times, unit, anatomy.twitch_forces_mn(m)[unit] * summation_gain(ratio), contraction


def _add_unit(
    force: np.ndarray, times_s: np.ndarray, peak_mn: np.ndarray, contraction_s: float, hz: float
) -> None:
    """Add the twitches of one unit to `force`, in place.

    A twitch that began d before sample i0 is, at sample i0 + k with u = k / (hz T), a sum
    of the two fixed curves exp(1 - u) and u exp(1 - u) with weights that depend on d alone.
    """
    u = np.arange(int(_TAIL * contraction_s * hz) + 2) / (hz * contraction_s)
    curves = np.exp(1.0 - u) * np.stack([np.ones_like(u), u])
    first = np.ceil(times_s * hz)
    inside = (first < force.size) & (first + u.size > 0)
    first, times_s, peak_mn = first[inside], times_s[inside], peak_mn[inside]
    late = np.maximum(first / hz - times_s, 0.0) / contraction_s
    weights = (peak_mn * np.exp(-late))[:, None] * np.stack([late, np.ones_like(late)], axis=1)
    starts = first.astype(np.int64)
    for i0, weight in zip(starts.tolist(), weights, strict=True):
        i, j = max(i0, 0), min(i0 + u.size, force.size)
        force[i:j] += weight @ curves[:, i - i0 : j - i0]


def _check_discharges(times_s: Any, units: Any, m: Muscle) -> tuple[np.ndarray, np.ndarray]:
    """Return checked discharge times (float) and units (int)."""
    try:
        times = np.atleast_1d(np.asarray(times_s, dtype=float))
        unit = np.atleast_1d(np.asarray(units, dtype=float))
    except (TypeError, ValueError):
        raise NeurosimError("Discharge times and units must be columns of numbers.") from None
    if times.ndim != 1 or times.shape != unit.shape:
        raise NeurosimError(
            f"Discharge times and units must be columns of equal length, "
            f"not of shapes {times.shape} and {unit.shape}."
        )
    if not np.all(np.isfinite(times)):
        raise NeurosimError("Every discharge time must be a finite number of seconds.")
    wrong = ~((unit >= 0) & (unit < m.units) & (unit == np.floor(unit)))
    if wrong.any():
        raise NeurosimError(
            f"Unit {unit[wrong][0]:g} does not exist: "
            f"the {m.name} has units 0 to {m.units - 1}, in whole numbers."
        )
    return times, unit.astype(np.int64)


def _sample_count(duration_s: float, sampling_hz: float) -> int:
    """Return how many samples a record has."""
    duration = finite_number("duration_s", duration_s)
    hz = finite_number("sampling_hz", sampling_hz)
    if duration < 0:
        raise NeurosimError(f"duration_s = {duration:g} s must not be negative.")
    if hz <= 0:
        raise NeurosimError(f"sampling_hz = {hz:g} per second must be above 0.")
    if duration * hz > MAX_SAMPLES:
        raise NeurosimError(
            f"A record of {duration:g} s at {hz:g} samples per second is too long: "
            f"at most {MAX_SAMPLES:.0e} samples are allowed, so lower one of the two."
        )
    return round(duration * hz)


@cached()
def force_frequency() -> tuple[float, float, float]:
    """Return factor, exponent and linear limit of the force-frequency curve."""
    return (
        parameter("muscle", "force_frequency_factor"),
        parameter("muscle", "force_frequency_exponent"),
        parameter("muscle", "force_frequency_linear_limit"),
    )
