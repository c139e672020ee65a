"""The sites that the hazard law examines at the membrane, over persistent sodium and sodium load.

For each body state: the action, the height of a spike and the rest of a site, on a grid of the
persistent sodium multiplier nu and of the load; and at the ordinary node the height of an evoked
spike and the threshold of a brief pulse over the load. None of it depends on the law (`hazard`).

A full table examines 216 sites. For a person's own axon 36 are examined and the rest is
interpolated: along nu the square root of the action is nearly linear in ln nu, and rest and peak
are smooth (`tests/model/firing/test_people_hazard.py` compares the result with the full table).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neurosim.base.cache import IDENTITY, Codec, cached
from neurosim.base.parameters import parameter, track_reads
from neurosim.model.axon import equations as eq
from neurosim.model.axon import kernel, people
from neurosim.model.axon.axon import (
    COARSE_DT_MS,
    Axons,
    Conditions,
    at_rest,
    condition_columns,
    threshold_pa,
)
from neurosim.model.firing.escape import HIGHEST, escape_action

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NU = np.concatenate([np.arange(0.7, 2.0, 0.1), np.arange(2.0, 5.0, 0.2), np.arange(5.0, 8.1, 0.5)])
LOAD_MMOL_L = np.array([0.0, 0.7, 1.5, 2.5, 4.0, 6.0])
EVOKED_FACTOR = 1.2  # times the threshold of a 1-ms pulse
# Sites of a personal axon that are examined; the rest of the table is interpolated.
PERSON_NU = np.array([1.2, 1.6, 2.0, 2.5, 3.1, 3.9, 5.0, 6.0, 7.5])
PERSON_LOAD_MMOL_L = np.array([0.0, 1.5, 4.0, 6.0])
NO_AMPLITUDE = 12.0  # stands for a course of noise that fires nothing: an action of 72
MAX_SITES = 1000  # examined in one batch
PULSE_TOLERANCE_PA = 0.02  # moves the rate of an event site by less than 0.1 %


class ExaminedSites(NamedTuple):
    """Examined sites of one state, or of several along a first axis.

    Action, height of the spike and rest have the shape (nu, loads), the first two NaN where no
    noise fires the site; the shift of the sodium gates by the body is common to all.
    """

    action: np.ndarray
    peak_mv: np.ndarray
    rest_mv: np.ndarray
    shift_mv: np.ndarray


def _examined_grid(scores: people.Scores) -> tuple[np.ndarray, np.ndarray]:
    """Return nu and loads of the sites to examine."""
    return (PERSON_NU, PERSON_LOAD_MMOL_L) if scores else (NU, LOAD_MMOL_L)


def site_batch(
    states: Sequence[Conditions], nu: np.ndarray, loads: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the conditions of sites as arrays by name, ordered by state, then nu, then load."""
    shape = (len(states), len(nu), len(loads))
    each = {
        name: v.reshape(-1, 1, 1) + np.zeros(shape) for name, v in condition_columns(states).items()
    }
    each["persistent_sodium_scale"] *= np.reshape(nu, (-1, 1))
    each["sodium_in_mmol_l"] += loads
    return {name: v.ravel() for name, v in each.items()}


def examine_states(
    states: Sequence[Conditions], axon: str, scores: people.Scores
) -> list[ExaminedSites]:
    """Compute and cache what is examined in several states; return `examined_sites` of each.

    The others are `evoked_mv` and `pulse_pa`.
    """
    nu, loads = _examined_grid(scores)
    all_examined: list[ExaminedSites] = []
    at_once = max(1, MAX_SITES // (nu.size * loads.size))
    for first in range(0, len(states), at_once):
        batch = states[first : first + at_once]
        several = [(c, axon, scores) for c in batch]
        parts = (site_batch(batch, nu, loads), site_batch(batch, np.ones(1), LOAD_MMOL_L))
        columns = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        n = len(batch) * nu.size * loads.size
        with track_reads(alone=True) as common:
            sites = at_rest(columns, people.axon_of_person(axon, scores))
        with track_reads(alone=True) as reads:
            examined = split_by_state(sites.take(slice(n)), (len(batch), nu.size, loads.size))
        examined_sites.store_all(examined, several, common | reads)
        ordinary = sites.take(slice(n, None))
        with track_reads(alone=True) as reads:
            unloaded = ordinary.take(slice(None, None, LOAD_MMOL_L.size))
            peaks_mv = _evoked_peaks_mv(unloaded).tolist()
        evoked_mv.store_all(peaks_mv, several, common | reads)
        with track_reads(alone=True) as reads:
            pulses_pa = _pulse_thresholds_pa(ordinary).reshape(len(batch), -1)
        pulse_pa.store_all(list(pulses_pa), several, common | reads)
        all_examined += examined
    return all_examined


def split_by_state(sites: Axons, shape: tuple[int, int, int]) -> list[ExaminedSites]:
    """Return the examined sites of each state from those of all states."""
    actions, peak = (v.reshape(shape) for v in escape_action(sites))
    shift = sites.P[eq.ROW["shift_m"]].reshape(shape)[:, 0, 0]
    each = zip(actions, peak, sites.rest_mv.reshape(shape), shift, strict=True)
    return [ExaminedSites(*parts) for parts in each]


@cached(size=8192, codec=Codec(tuple, ExaminedSites._make))
def examined_sites(conditions: Conditions, axon: str, scores: people.Scores) -> ExaminedSites:
    """Return the examined sites of one state, on `_examined_grid`; independent of the law."""
    return examine_states([conditions], axon, scores)[0]


@cached(size=8192, codec=IDENTITY)
def evoked_mv(conditions: Conditions, axon: str, scores: people.Scores) -> float:
    """Return the height of a spike evoked in the ordinary axon, mV; NaN without a spike."""
    return float(_evoked_peaks_mv(at_rest(conditions, people.axon_of_person(axon, scores)))[0])


@cached(size=8192, codec=IDENTITY)
def pulse_pa(conditions: Conditions, axon: str, scores: people.Scores) -> np.ndarray:
    """Return the threshold of an event-like pulse at the ordinary node over the loads."""
    batch = site_batch([conditions], np.ones(1), LOAD_MMOL_L)
    return _pulse_thresholds_pa(at_rest(batch, people.axon_of_person(axon, scores)))


def _pulse_thresholds_pa(ordinary: Axons) -> np.ndarray:
    width_ms = parameter("firing", "event_width_ms")
    return threshold_pa(ordinary, width_ms, dt=COARSE_DT_MS, tolerance_pa=PULSE_TOLERANCE_PA)


def _evoked_peaks_mv(ordinary: Axons) -> np.ndarray:
    pulse = threshold_pa(ordinary, 1.0, dt=COARSE_DT_MS, tolerance_pa=0.1) * EVOKED_FACTOR
    S, current_pa = ordinary.rest.copy(), np.where(np.isnan(pulse), 0.0, pulse)
    during = kernel.advance(S, ordinary.P, current_pa, round(1.0 / COARSE_DT_MS), COARSE_DT_MS)
    after = kernel.advance(S, ordinary.P, 0.0 * current_pa, round(4.0 / COARSE_DT_MS), COARSE_DT_MS)
    return np.where(np.isnan(pulse), np.nan, np.maximum(during, after))


# --- Interpolation to the full table -------------------------------------------------------------


def interpolate_sites(examined: ExaminedSites) -> ExaminedSites:
    """Interpolate the few sites of a person, in several states, to every `NU` and load."""
    amplitude = _interpolate_along_nu(np.sqrt(2.0 * examined.action), straight=True)
    fires = np.isfinite(examined.action)
    last = np.where(fires, np.log(PERSON_NU)[:, None], -np.inf).max(axis=1, keepdims=True)
    blocked = (np.log(NU)[:, None] > last + 0.01) & ~fires[:, -1:]
    amplitude = np.where(np.isnan(amplitude), NO_AMPLITUDE, amplitude)
    amplitude = _interpolate_across_loads(np.where(blocked, np.nan, amplitude))
    amplitude = np.where(amplitude > HIGHEST, np.nan, np.maximum(amplitude, 0.0))
    peak = _interpolate_across_loads(_interpolate_along_nu(examined.peak_mv, straight=False))
    rest = _interpolate_across_loads(_interpolate_along_nu(examined.rest_mv, straight=True))
    return ExaminedSites(0.5 * amplitude**2, peak, rest, examined.shift_mv)


def _column_patterns(known: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (column indices, pattern) of each distinct column of `known`, shape (n, columns)."""
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    for i, pattern in enumerate(patterns.T):
        yield np.flatnonzero(which.ravel() == i), pattern


def _interpolate_along_nu(values: np.ndarray, straight: bool) -> np.ndarray:
    """Interpolate `values` (states, few nu, few loads) to every `NU` by a monotone cubic in ln nu.

    Below the first known site, the line through the first two if `straight`, else the first
    value; above the last, its value. NaN where fewer than two sites of a load are known.
    """
    from scipy.interpolate import PchipInterpolator  # pyright: ignore[reportMissingTypeStubs]

    states, _, loads = values.shape
    values = values.transpose(1, 0, 2).reshape(len(PERSON_NU), -1)
    log_nu, target = np.log(PERSON_NU), np.log(NU)
    interpolated = np.full((NU.size, values.shape[1]), np.nan)
    for columns, known in _column_patterns(np.isfinite(values)):
        if known.sum() < 2:
            continue
        x, y = log_nu[known], values[known][:, columns]
        curves = PchipInterpolator(x, y)(np.clip(target, x[0], x[-1]))
        if straight:
            below = np.minimum(target - x[0], 0.0)[:, None]
            curves = curves + below * (y[1] - y[0]) / (x[1] - x[0])
        interpolated[:, columns] = curves
    return interpolated.reshape(NU.size, states, loads).transpose(1, 0, 2)


def _interpolate_across_loads(values: np.ndarray) -> np.ndarray:
    """Interpolate `values`, shape (..., few loads), to every load by a monotone cubic.

    Rows with NaN are interpolated linearly between their known values, constant beyond them.
    """
    from scipy.interpolate import PchipInterpolator  # pyright: ignore[reportMissingTypeStubs]

    rows = values.reshape(-1, values.shape[-1])
    known = np.isfinite(rows)
    cubic = PchipInterpolator(PERSON_LOAD_MMOL_L, np.where(known, rows, 0.0), axis=1)
    interpolated = cubic(LOAD_MMOL_L)
    for i in np.flatnonzero(~known.all(axis=1)):
        x, y = PERSON_LOAD_MMOL_L[known[i]], rows[i, known[i]]
        interpolated[i] = np.interp(LOAD_MMOL_L, x, y) if x.size else np.nan
    return interpolated.reshape(*values.shape[:-1], LOAD_MMOL_L.size)
