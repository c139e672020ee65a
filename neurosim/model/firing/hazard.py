"""The one hazard law: how often a site fires by itself, for any body and sodium load.

A site's burst rate follows from its action (`escape`) and resting potential alone; the
few coefficients were fitted on direct stochastic simulation of a small node in 55 body
states (`scripts/calibration/fit_hazard.py`; `hazard.toml` holds them and their error). A burst counts
only if its spike is high enough to leave the site, so depolarisation block needs no rule
of its own. `hazard_table` tabulates the law over the persistent sodium multiplier nu and
the sodium load of a unit, for one body state and the axon of one person.

A table costs the examination of 216 sites. A person's is had from 36: along nu the
square root of the action is all but straight in ln nu, and rest and peak are smooth, so that
what lies between is interpolated (`tests/model/firing/test_people_hazard.py` holds it against the
whole table).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from neurosim.base.cache import IDENTITY, Codec, cached
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter
from neurosim.model.axon import equations as eq
from neurosim.model.axon import kernel, people
from neurosim.model.axon.axon import (
    COARSE_DT_MS,
    Axons,
    Conditions,
    at_rest,
    condition_columns,
    healthy_threshold_pa,
    threshold_pa,
)
from neurosim.model.firing.discharge import HazardCourse, UnitHazard, balance
from neurosim.model.firing.escape import HIGHEST, escape_action
from neurosim.model.firing.sites import SOMA, Sites

NU = np.concatenate([np.arange(0.7, 2.0, 0.1), np.arange(2.0, 5.0, 0.2), np.arange(5.0, 8.1, 0.5)])
LOAD_MMOL_L = np.array([0.0, 0.7, 1.5, 2.5, 4.0, 6.0])
EVOKED_FACTOR = 1.2  # times the threshold of a 1-ms pulse
# Sites of a person's own axon that are examined; the rest of the table is interpolated.
PERSON_NU = np.array([1.2, 1.6, 2.0, 2.5, 3.1, 3.9, 5.0, 6.0, 7.5])
PERSON_LOAD_MMOL_L = np.array([0.0, 1.5, 4.0, 6.0])
NO_AMPLITUDE = 12.0  # of a course of noise that fires nothing: an action of 72
FIRING = ("firing.noise_channels", "firing.propagation_mv", "firing.pair_ceiling")
PARAMETER_GROUPS = (*people.PARAMETER_GROUPS, "hazard", *FIRING)
MAX_SITES = 1000  # examined at once
LEAST_PER_MIN = 1e-30  # bursts per minute of a site whose action is above 45


@dataclass(frozen=True)
class HazardTable:
    """Misfires of a site in one body state.

    Attributes
    ----------
    conditions : Conditions
    axon : str
    sodium_multiplier : ndarray, shape (n,)
        Persistent sodium current relative to the healthy axon.
    load_mmol_l : ndarray, shape (k,)
        Sodium load of the unit above the body's own internal sodium.
    bursts_per_min : ndarray, shape (n, k)
    action : ndarray, shape (n, k)
    pair : ndarray, shape (n,)
        Probability that a spike of a burst is followed by another that propagates.
    rest_mv : ndarray, shape (n,)
        Resting potential of the site without load.
    scores : tuple of float
        Whose axon it is; none for the mean axon.
    """

    conditions: Conditions
    axon: str
    sodium_multiplier: np.ndarray
    load_mmol_l: np.ndarray
    bursts_per_min: np.ndarray
    action: np.ndarray
    pair: np.ndarray
    rest_mv: np.ndarray
    scores: people.Scores = ()

    @property
    def critical_multiplier(self) -> float:
        """Persistent sodium multiplier at which a site misfires once a minute.

        The lowest of the table where that one already misfires as often (every site does);
        NaN where none does.
        """
        return multiplier_at_once_a_minute(self.bursts_per_min[:, 0], self.sodium_multiplier)

    @property
    def threshold_percent(self) -> np.ndarray:
        """20-ms threshold of the sites in per cent of the person's healthy axon's, shape (n,)."""
        return _site_thresholds(self.conditions, self.axon, self.scores)


def multiplier_at_once_a_minute(rate: np.ndarray, nu: np.ndarray = NU) -> float:
    """Return the nu at which `rate` first reaches one a minute, as `HazardTable.critical_multiplier`."""
    if rate[0] >= 1.0:
        return float(nu[0])
    above = np.flatnonzero((rate[1:] >= 1.0) & (rate[:-1] < 1.0))
    if not above.size:
        return float("nan")
    i = above[0]
    y = np.log(rate[i : i + 2])
    return float(nu[i] + (nu[i + 1] - nu[i]) * (0.0 - y[0]) / (y[1] - y[0]))


def _param(axon: str, name: str) -> float:
    return parameter("hazard", f"{axon}.{name}")


def burst_rate(axon: str, action_: np.ndarray, rest_mv: np.ndarray) -> np.ndarray:
    """Return bursts per minute of a site by its action and resting potential.

    The rate that starts at the site; `propagating_share` says how many leave it. 0 action is a
    site that fires without noise.
    """
    e = (rest_mv + 80.0) / 5.0
    log = _param(axon, "intercept") + _param(axon, "action_slope") * (action_ - 14.0)
    log = log + _param(axon, "rest_slope") * e
    ceiling = _param(axon, "ln_ceiling") + _param(axon, "ceiling_rest_slope") * e
    return np.exp(-np.logaddexp(-ceiling, -log))


def propagating_share(axon: str, peak_mv: np.ndarray) -> np.ndarray:
    """Return the share of spikes of a noise-free height that propagate."""
    moved = parameter("firing", "propagation_mv") - 10.0
    z = (peak_mv - moved - _param(axon, "peak_half_mv")) / _param(axon, "peak_width_mv")
    return 1.0 / (1.0 + np.exp(-z))


def pair_probability(axon: str, rest_mv, nu, shift_mv) -> np.ndarray:
    """Return the probability of a further spike that propagates within a burst."""
    e = (rest_mv + 80.0) / 5.0
    z = _param(axon, "pair_0") + _param(axon, "pair_rest") * e + _param(axon, "pair_rest2") * e * e
    z = z + _param(axon, "pair_ln_nu") * np.log(nu) + _param(axon, "pair_shift") * shift_mv / 5.0
    return np.minimum(1.0 / (1.0 + np.exp(-z)), parameter("firing", "pair_ceiling"))


def conduction_probability(
    conditions: Conditions, axon: str = "ghk", scores: people.Scores = ()
) -> float:
    """Return the probability that a discharge travels the ordinary axon, 0 (block) to 1.

    From the height of a spike evoked in the person's axon (nu = 1) by a pulse of `EVOKED_FACTOR`
    times the threshold, by the same rule that lets a misfire leave its site.
    """
    peak_mv = _evoked_mv(conditions, axon, _scores_if_personal(scores))
    return 0.0 if np.isnan(peak_mv) else float(propagating_share(axon, np.array([peak_mv]))[0])


def hazard_table(
    conditions: Conditions, axon: str = "ghk", scores: people.Scores = ()
) -> HazardTable:
    """Return the hazard table of one body state (0.1 s where Numba is installed, then kept).

    Parameters
    ----------
    conditions : Conditions
        Fluids and membrane that all sites share.
    axon : str
        One of `membrane.axon.AXONS`.
    scores : tuple of float
        Whose axon (`neurosim.model.axon.people`); none for the mean axon.
    """
    table = _table(conditions, axon, _scores_if_personal(scores))
    error = parameter("firing", "hazard_state_error")
    if error == 0.0 or conditions == Conditions():
        return table
    return replace(
        table, bursts_per_min=np.maximum(table.bursts_per_min * np.exp(error), LEAST_PER_MIN)
    )


def prefetch_tables(states: Sequence[Conditions], axon: str, scores: people.Scores) -> None:
    """Find the tables of a person in several states, faster than one by one."""
    own, states = _scores_if_personal(scores), tuple(dict.fromkeys(states))
    several = [(c, axon, own) for c in states]
    new = {*_examined_sites.missing(several), *_evoked_mv.missing(several)}
    try:
        _examine_states([c for c in states if (c, axon, own) in new], axon, own)
    except NeurosimError:  # a state without rest: whoever asks for it is told
        return
    several = _table.missing(several)
    _table.store_all(_from_hazard_law([c for c, *_ in several], axon, own), several)


def _scores_if_personal(scores: people.Scores) -> people.Scores:
    """Return the scores of somebody with another axon than the mean one, else none."""
    return scores if people.differs_from_mean(scores) else ()


# --- What is examined ----------------------------------------------------------------------------


class ExaminedSites(NamedTuple):
    """Sites of one state, or of several in a first axis.

    Action, height of the spike and rest have the shape (nu, loads), NaN where none fires; the
    shift of the sodium gates by the body is theirs in common.
    """

    action: np.ndarray
    peak_mv: np.ndarray
    rest_mv: np.ndarray
    shift_mv: np.ndarray


def _examined_grid(scores: people.Scores) -> tuple[np.ndarray, np.ndarray]:
    """Return the nu and the loads of the sites that are examined."""
    return (PERSON_NU, PERSON_LOAD_MMOL_L) if scores else (NU, LOAD_MMOL_L)


def _site_batch(states: Sequence[Conditions], nu, loads) -> dict[str, np.ndarray]:
    """Return the conditions of sites by state, then nu, then load, as arrays by name."""
    shape = (len(states), len(nu), len(loads))
    each = {
        name: v.reshape(-1, 1, 1) + np.zeros(shape) for name, v in condition_columns(states).items()
    }
    each["persistent_sodium_scale"] *= np.reshape(nu, (-1, 1))
    each["sodium_in_mmol_l"] += loads
    return {name: v.ravel() for name, v in each.items()}


def _examine_states(states: Sequence[Conditions], axon: str, scores: people.Scores) -> None:
    """Find and keep `_cells` and `_evoked_mv` of several states."""
    nu, loads = _examined_grid(scores)
    at_once = max(1, MAX_SITES // (nu.size * loads.size))
    for first in range(0, len(states), at_once):
        some = states[first : first + at_once]
        several = [(c, axon, scores) for c in some]
        parts = (_site_batch(some, nu, loads), condition_columns(some))
        all_of = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        sites = at_rest(all_of, people.axon_of_person(axon, scores))
        n = len(some) * nu.size * loads.size
        _examined_sites.store_all(
            _split_by_state(sites.take(slice(n)), (len(some), nu.size, loads.size)), several
        )
        _evoked_mv.store_all(_evoked_peaks_mv(sites.take(slice(n, None))).tolist(), several)


def _split_by_state(sites: Axons, shape: tuple[int, int, int]) -> list[ExaminedSites]:
    """Return the cells of several states from all their sites."""
    found, peak = (v.reshape(shape) for v in escape_action(sites))
    shift = sites.P[eq.ROW["shift_m"]].reshape(shape)[:, 0, 0]
    each = zip(found, peak, sites.rest_mv.reshape(shape), shift, strict=True)
    return [ExaminedSites(*parts) for parts in each]


@cached(
    *people.PARAMETER_GROUPS,
    "firing.noise_channels",
    size=8192,
    form=Codec(tuple, lambda v: ExaminedSites(*v)),
)
def _examined_sites(conditions: Conditions, axon: str, scores: people.Scores) -> ExaminedSites:
    """Return the cells of one state, whatever the law is; a person's are few (`_grid`)."""
    _examine_states([conditions], axon, scores)
    return _examined_sites.values[_examined_sites.cache_key(conditions, axon, scores)]


@cached(*people.PARAMETER_GROUPS, size=8192, form=IDENTITY)
def _evoked_mv(conditions: Conditions, axon: str, scores: people.Scores) -> float:
    """Return the height of a spike evoked in the ordinary axon, mV; NaN if there is none."""
    return float(_evoked_peaks_mv(at_rest(conditions, people.axon_of_person(axon, scores)))[0])


def _evoked_peaks_mv(ordinary: Axons) -> np.ndarray:
    pulse = threshold_pa(ordinary, 1.0, dt=COARSE_DT_MS, tolerance_pa=0.1) * EVOKED_FACTOR
    S, given = ordinary.rest.copy(), np.where(np.isnan(pulse), 0.0, pulse)
    during = kernel.advance(S, ordinary.P, given, round(1.0 / COARSE_DT_MS), COARSE_DT_MS)
    after = kernel.advance(S, ordinary.P, 0.0 * given, round(4.0 / COARSE_DT_MS), COARSE_DT_MS)
    return np.where(np.isnan(pulse), np.nan, np.maximum(during, after))


# --- From few sites to all of them ---------------------------------------------------------------


def _interpolate_sites(cells: ExaminedSites) -> ExaminedSites:
    """Return cells of several states at every `NU` and `LOAD_MMOL_L` from a person's few sites."""
    amplitude = _interpolate_along_nu(np.sqrt(2.0 * cells.action), straight=True)
    fires = np.isfinite(cells.action)
    last = np.where(fires, np.log(PERSON_NU)[:, None], -np.inf).max(axis=1, keepdims=True)
    blocked = (np.log(NU)[:, None] > last + 0.01) & ~fires[:, -1:]
    amplitude = np.where(np.isnan(amplitude), NO_AMPLITUDE, amplitude)
    amplitude = _interpolate_across_loads(np.where(blocked, np.nan, amplitude))
    amplitude = np.where(amplitude > HIGHEST, np.nan, np.maximum(amplitude, 0.0))
    peak = _interpolate_across_loads(_interpolate_along_nu(cells.peak_mv, straight=False))
    rest = _interpolate_across_loads(_interpolate_along_nu(cells.rest_mv, straight=True))
    return ExaminedSites(0.5 * amplitude**2, peak, rest, cells.shift_mv)


def _column_patterns(known: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (its columns, pattern) of each pattern among columns, shape (n, columns)."""
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    for i, pattern in enumerate(patterns.T):
        yield np.flatnonzero(which.ravel() == i), pattern


def _interpolate_along_nu(values: np.ndarray, straight: bool) -> np.ndarray:
    """Return `values` (states, few nu, few loads) at every `NU`: monotone cubic in ln nu.

    Below the first site, the line through the first two if `straight`, else its value; above
    the last its value. NaN where fewer than two sites of a load are known.
    """
    from scipy.interpolate import PchipInterpolator

    states, _, loads = values.shape
    values = values.transpose(1, 0, 2).reshape(len(PERSON_NU), -1)
    at, target = np.log(PERSON_NU), np.log(NU)
    found = np.full((NU.size, values.shape[1]), np.nan)
    for mine, known in _column_patterns(np.isfinite(values)):
        if known.sum() < 2:
            continue
        x, y = at[known], values[known][:, mine]
        some = PchipInterpolator(x, y)(np.clip(target, x[0], x[-1]))
        if straight:
            below = np.minimum(target - x[0], 0.0)[:, None]
            some = some + below * (y[1] - y[0]) / (x[1] - x[0])
        found[:, mine] = some
    return found.reshape(NU.size, states, loads).transpose(1, 0, 2)


def _interpolate_across_loads(values: np.ndarray) -> np.ndarray:
    """Return `values` of few loads, shape (..., few), at every load: monotone cubic.

    Where some are NaN, straight lines between those known, the ends held.
    """
    from scipy.interpolate import PchipInterpolator

    rows = values.reshape(-1, values.shape[-1])
    known = np.isfinite(rows)
    whole = PchipInterpolator(PERSON_LOAD_MMOL_L, np.where(known, rows, 0.0), axis=1)
    found = whole(LOAD_MMOL_L)
    for i in np.flatnonzero(~known.all(axis=1)):
        x, y = PERSON_LOAD_MMOL_L[known[i]], rows[i, known[i]]
        found[i] = np.interp(LOAD_MMOL_L, x, y) if x.size else np.nan
    return found.reshape(*values.shape[:-1], LOAD_MMOL_L.size)


# --- The law -------------------------------------------------------------------------------------


@cached(*PARAMETER_GROUPS, size=8192)
def _table(conditions: Conditions, axon: str, scores: people.Scores) -> HazardTable:
    return _from_hazard_law([conditions], axon, scores)[0]


def _from_hazard_law(
    states: Sequence[Conditions], axon: str, scores: people.Scores
) -> list[HazardTable]:
    """Return the tables that the law makes of the cells of several states."""
    if not states:
        return []
    each = zip(*(_examined_sites(c, axon, scores) for c in states), strict=True)
    cells = ExaminedSites(*(np.array(values) for values in each))
    cells = _interpolate_sites(cells) if scores else cells
    least, rate = _actions_and_rates(axon, cells)
    rest = cells.rest_mv[:, :, 0]
    pair = pair_probability(axon, rest, NU, cells.shift_mv[:, None] - _healthy_shift_mv(axon))
    return [
        HazardTable(c, axon, NU, LOAD_MMOL_L, per_min, action_, twice, rest_mv, scores)
        for c, per_min, action_, twice, rest_mv in zip(states, rate, least, pair, rest, strict=True)
    ]


def _actions_and_rates(axon: str, cells: ExaminedSites) -> tuple[np.ndarray, np.ndarray]:
    """Return least action (NaN where none fires) and bursts per minute by the law."""
    found, rest = cells.action, cells.rest_mv
    # Along nu the action falls until the site fires without noise; there the course that
    # is tried can block instead, and the rate stays what it was.
    least = np.minimum.accumulate(np.where(np.isnan(found), np.inf, found), axis=1)
    fresh = np.isfinite(found) & (found <= least)
    rate = burst_rate(axon, np.minimum(least, 1e3), rest)
    leaves = np.where(fresh, propagating_share(axon, np.where(fresh, cells.peak_mv, 0.0)), 0.0)
    for i in range(1, NU.size):
        stale = ~fresh[:, i] & np.isfinite(least[:, i])
        leaves[:, i] = np.where(stale, leaves[:, i - 1], leaves[:, i])
    rate = np.where(np.isfinite(least), np.maximum(rate * leaves, LEAST_PER_MIN), LEAST_PER_MIN)
    rate = np.minimum.accumulate(rate, axis=2)  # a load never makes a site fire more
    return np.where(np.isfinite(least), least, np.nan), rate


@cached(*people.PARAMETER_GROUPS)
def _healthy_shift_mv(axon: str) -> float:
    return float(at_rest(Conditions(), axon).P[eq.ROW["shift_m"], 0])


@cached(*PARAMETER_GROUPS)
def _mean_critical_multiplier(axon: str) -> float:
    """Return `HazardTable.critical_multiplier` of the mean axon in health, from its unloaded sites alone.

    They are a sixth of the table, which nobody else needs when each person has an own axon.
    """
    sites = at_rest(_site_batch([Conditions()], NU, LOAD_MMOL_L[:1]), axon)
    (cells,) = _split_by_state(sites, (1, NU.size, 1))
    _, rate = _actions_and_rates(
        axon, ExaminedSites(*(np.asarray(values)[None] for values in cells))
    )
    return multiplier_at_once_a_minute(rate[0, :, 0])


def critical_multiplier(axon: str = "ghk", scores: people.Scores = ()) -> float:
    """Return the nu by which a person's sites are measured: once a minute in health.

    Between that of their own axon (`own_critical` 1) and that of the mean axon (0): whether
    growth and repair set sites against a nerve's own margin is assumed.
    """
    mean = _mean_critical_multiplier(axon)
    own = (
        hazard_table(Conditions(), axon, scores).critical_multiplier
        if people.differs_from_mean(scores)
        else mean
    )
    own = own if np.isfinite(own) else float(NU[-1])
    share = parameter("firing", "own_critical")
    return 1.0 + float((own - 1.0) ** share * (mean - 1.0) ** (1.0 - share))


@cached(*people.PARAMETER_GROUPS, form=IDENTITY)
def _site_thresholds(conditions: Conditions, axon: str, scores: people.Scores) -> np.ndarray:
    own = people.axon_of_person(axon, scores)
    sites = at_rest(_site_batch([conditions], NU, [0.0]), own)
    found = threshold_pa(sites, 20.0, dt=COARSE_DT_MS, tolerance_pa=0.1)
    return found / healthy_threshold_pa(own) * 100.0


def site_rates(table: HazardTable, nu: np.ndarray) -> np.ndarray:
    """Return bursts per minute of sites over the table's loads, shape (sites, k).

    Log-linear between the nu of the table, its ends held beyond them.
    """
    j = np.clip(
        np.searchsorted(table.sodium_multiplier, nu) - 1, 0, table.sodium_multiplier.size - 2
    )
    w = np.clip(
        (nu - table.sodium_multiplier[j])
        / (table.sodium_multiplier[j + 1] - table.sodium_multiplier[j]),
        0.0,
        1.0,
    )[:, None]
    log = np.log(table.bursts_per_min)
    return np.exp((1.0 - w) * log[j] + w * log[j + 1])


def unit_hazard(
    table: HazardTable, sites: Sites, soma_per_min: np.ndarray, duration_s: float
) -> UnitHazard:
    """Return the hazards of one person's muscle in a body that stays the same.

    As `hazard_course` with one table.
    """
    found = rested_hazard(table, sites, soma_per_min, duration_s)
    return replace(found, start_load_mmol_l=balance(found)[1])


def rested_hazard(
    table: HazardTable, sites: Sites, soma_per_min: np.ndarray, duration_s: float
) -> UnitHazard:
    """Return `unit_hazard` of units that start without a load: enough for rates in the long run."""
    one = np.zeros(1, int)
    return _hazard_knots([table], one, sites, [soma_per_min], np.zeros(1), duration_s)[0]


def hazard_course(
    tables: Sequence[HazardTable],
    at: np.ndarray,
    sites: Sites,
    soma_per_min: Sequence[np.ndarray],
    at_s: np.ndarray,
    duration_s: float,
) -> HazardCourse:
    """Return the hazards of one person's muscle as the sampler needs them.

    The body has been in its first state for long: units start with their sodium load in balance.
    Sites that misfire less than once in 1e12 such durations are left out.

    Parameters
    ----------
    tables : sequence of HazardTable
    at : ndarray of int
        Which of the times `at_s` each table is of; between them the logarithm of a rate is a
        straight line in time.
    sites : Sites
    soma_per_min : sequence of ndarray, shape (units,)
        Misfires of each motoneuron's soma, per minute, at every time.
    at_s : ndarray
        The times, s, rising from 0.
    duration_s : float
    """
    knots = _hazard_knots(tables, at, sites, soma_per_min, at_s, duration_s)
    knots[0] = replace(knots[0], start_load_mmol_l=balance(knots[0])[1])
    return HazardCourse(np.asarray(at_s, float), tuple(knots))


def _hazard_knots(tables, at, sites, soma_per_min, at_s, duration_s) -> list[UnitHazard]:
    """Return the knots of `hazard_course`, without a load to start with."""
    least = 1e-12 / duration_s * 60.0
    most = np.max(
        [
            np.interp(sites.sodium_multiplier, t.sodium_multiplier, t.bursts_per_min[:, 0])
            for t in tables
        ],
        axis=0,
    )
    enough = np.flatnonzero(most > least)
    soma = np.flatnonzero(np.max(soma_per_min, axis=0) > least)
    rates = [site_rates(table, sites.sodium_multiplier[enough]) for table in tables]
    pairs = [
        np.interp(sites.sodium_multiplier[enough], table.sodium_multiplier, table.pair)
        for table in tables
    ]
    unit = np.concatenate([sites.unit[enough], soma])
    order = np.argsort(unit, kind="stable")
    origin = np.concatenate([sites.origin[enough], np.full(soma.size, SOMA)])[order]
    k, knots = tables[0].load_mmol_l.size, []
    common = {
        "load_mmol_l": tables[0].load_mmol_l, "unit": unit[order], "origin": origin,
        "units": sites.units,
        "load_per_spike_mmol_l": parameter("firing", "load_per_discharge_mmol_l")
        * parameter("firing", "load_factor"),
        "load_tau_s": parameter("firing", "load_tau_min") * 60.0,
        "ceiling_per_min": float(np.exp(_param(tables[0].axon, "ln_ceiling"))),
    }  # fmt: skip
    for i, per_min in enumerate(soma_per_min):
        alike = np.repeat(np.asarray(per_min)[soma, None], k, axis=1)
        rate, pair = _interpolate_tables(i, at, at_s, rates, pairs)
        knots.append(
            UnitHazard(
                bursts_per_min=np.concatenate([rate, alike])[order],
                pair=np.concatenate([pair, np.zeros(soma.size)])[order],
                **common,
            )
        )
    return knots


def _interpolate_tables(i: int, at: np.ndarray, at_s: np.ndarray, rates: list, pairs: list):
    """Return rates and pairs at the time `i` from those of the tables before and after it."""
    j = int(np.searchsorted(at, i, "right")) - 1
    if at[j] == i or len(at) == 1:
        return rates[j], pairs[j]
    w = (at_s[i] - at_s[at[j]]) / (at_s[at[j + 1]] - at_s[at[j]])
    log = (1.0 - w) * np.log(rates[j]) + w * np.log(rates[j + 1])
    return np.exp(log), (1.0 - w) * pairs[j] + w * pairs[j + 1]
