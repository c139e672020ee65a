"""The hazard law: the rate at which a site fires by itself, in any body and at any sodium load.

A site's burst rate follows from its action (`escape`) and resting potential alone. The few
coefficients were fitted to direct stochastic simulation of a small node in 55 body states
(`scripts/calibration/fit_hazard.py`; `hazard.toml` holds them and their error). A burst counts
only if its spike is high enough to propagate from the site, so depolarisation block needs no
separate rule. `hazard_table` tabulates the law over the persistent sodium multiplier nu and the
sodium load of a unit, for one body state and one person's axon. Event sites (`event_sites`) need
no such law: beside it stands the threshold of a brief pulse at the ordinary node, over load.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter, track_reads
from neurosim.model.axon import equations as eq
from neurosim.model.axon import people
from neurosim.model.axon.axon import Conditions, at_rest
from neurosim.model.axon.ensemble import calibrated_axon
from neurosim.model.firing.discharge import HazardCourse, UnitHazard, balance, terminal_load
from neurosim.model.firing.event_sites import event_rate
from neurosim.model.firing.examined_sites import (
    LOAD_MMOL_L,
    NU,
    ExaminedSites,
    evoked_mv,
    examine_states,
    examined_sites,
    interpolate_sites,
    pulse_pa,
    site_batch,
    split_by_state,
)
from neurosim.model.firing.sites import SOMA, Sites

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_PER_MIN = 1e-30  # bursts per minute of a site whose action is above 45


@dataclass(frozen=True, repr=False)
class HazardTable:
    """Misfires of a site in one body state, over its persistent sodium and its sodium load.

    Attributes
    ----------
    conditions : Conditions
    axon : str
    sodium_multiplier : ndarray, shape (n,)
        Persistent sodium current relative to the healthy axon.
    load_mmol_l : ndarray, shape (k,)
        Sodium load of the unit, above the internal sodium that the body sets.
    bursts_per_min : ndarray, shape (n, k)
    action : ndarray, shape (n, k)
    pair : ndarray, shape (n,)
        Probability that a spike of a burst is followed by another that propagates.
    rest_mv : ndarray, shape (n,)
        Resting potential of the site without load.
    threshold_ratio : ndarray, shape (k,)
        Threshold of a pulse of `event_width_ms` at an ordinary node over that of the person's
        healthy axon without load; infinite where no pulse fires it.
    scores : tuple of float
        Scores of the person's axon; none for the mean axon.
    """

    conditions: Conditions
    axon: str
    sodium_multiplier: np.ndarray
    load_mmol_l: np.ndarray
    bursts_per_min: np.ndarray
    action: np.ndarray
    pair: np.ndarray
    rest_mv: np.ndarray
    threshold_ratio: np.ndarray
    scores: people.Scores = ()

    def __repr__(self) -> str:
        return (
            f"<HazardTable: axon {self.axon}; a site fires once a minute at "
            f"{self.critical_multiplier:.3g} times the persistent sodium current>"
        )

    @property
    def critical_multiplier(self) -> float:
        """Persistent sodium multiplier at which a site misfires once a minute.

        The lowest multiplier of the table if every site does; NaN if none does.
        """
        return multiplier_at_once_a_minute(self.bursts_per_min[:, 0], self.sodium_multiplier)


def multiplier_at_once_a_minute(rate: np.ndarray, nu: np.ndarray = NU) -> float:
    """Return the nu at which `rate` first reaches one a minute; see `critical_multiplier`."""
    if rate[0] >= 1.0:
        return float(nu[0])
    above = np.flatnonzero((rate[1:] >= 1.0) & (rate[:-1] < 1.0))
    if not above.size:
        return float("nan")
    i = above[0]
    y = np.log(rate[i : i + 2])
    return float(nu[i] + (nu[i + 1] - nu[i]) * (0.0 - y[0]) / (y[1] - y[0]))


def _param(axon: str, name: str) -> float:
    # the ensemble has ghk's coefficients: its own membranes, no direct noise runs of its own
    return parameter("hazard", f"{calibrated_axon(axon)}.{name}")


def burst_rate(axon: str, action_: np.ndarray, rest_mv: np.ndarray) -> np.ndarray:
    """Return the rate at which bursts start at a site, per minute, from its action and rest.

    `propagating_share` gives the share that leaves it. A site of action 0 fires without noise.
    """
    e = (rest_mv + 80.0) / 5.0
    log = _param(axon, "intercept") + _param(axon, "action_slope") * (action_ - 14.0)
    log = log + _param(axon, "rest_slope") * e
    ceiling = _param(axon, "ln_ceiling") + _param(axon, "ceiling_rest_slope") * e
    return np.exp(-np.logaddexp(-ceiling, -log))


def propagating_share(axon: str, peak_mv: np.ndarray) -> np.ndarray:
    """Return the share of spikes that propagate, from their height in the noise-free model."""
    criterion_shift_mv = parameter("firing", "propagation_mv") - 10.0
    z = (peak_mv - criterion_shift_mv - _param(axon, "peak_half_mv")) / _param(
        axon, "peak_width_mv"
    )
    return 1.0 / (1.0 + np.exp(-z))


def pair_probability(
    axon: str, rest_mv: np.ndarray, nu: np.ndarray, shift_mv: np.ndarray
) -> np.ndarray:
    """Return the probability of a further spike that propagates within a burst."""
    e = (rest_mv + 80.0) / 5.0
    z = _param(axon, "pair_0") + _param(axon, "pair_rest") * e + _param(axon, "pair_rest2") * e * e
    z = z + _param(axon, "pair_ln_nu") * np.log(nu) + _param(axon, "pair_shift") * shift_mv / 5.0
    return np.minimum(1.0 / (1.0 + np.exp(-z)), parameter("firing", "pair_ceiling"))


def conduction_probability(
    conditions: Conditions, axon: str = "ghk", scores: people.Scores = ()
) -> float:
    """Return the probability that a discharge is conducted along the axon, 0 (block) to 1.

    It follows from the height of a spike evoked in the person's axon (nu = 1) by a pulse of
    `EVOKED_FACTOR` times the threshold, by the rule that also lets a misfire leave its site.
    """
    peak_mv = evoked_mv(conditions, axon, _scores_if_personal(scores))
    return 0.0 if np.isnan(peak_mv) else float(propagating_share(axon, np.array([peak_mv]))[0])


def hazard_table(
    conditions: Conditions, axon: str = "ghk", scores: people.Scores = ()
) -> HazardTable:
    """Return the hazard table of one body state (0.1 s with Numba, then cached).

    Parameters
    ----------
    conditions : Conditions
        Fluids and membrane that all sites share.
    axon : str
        One of `neurosim.model.axon.axon.AXONS` or `ENSEMBLE`; the law's coefficients of the
        latter are ``"ghk"``'s, all that they act on (action, rest, threshold) is its own.
    scores : tuple of float
        Scores of the person's axon (`neurosim.model.axon.people`); none for the mean axon.

    Raises
    ------
    NeurosimError
        If a site has no resting potential under these conditions.
    """
    table = _table(conditions, axon, _scores_if_personal(scores))
    error = parameter("firing", "hazard_state_error")
    if error == 0.0 or conditions == Conditions():
        return table
    return replace(
        table, bursts_per_min=np.maximum(table.bursts_per_min * np.exp(error), LEAST_PER_MIN)
    )


def prefetch_tables(states: Sequence[Conditions], axon: str, scores: people.Scores) -> None:
    """Compute and cache the tables of a person in several states, faster than one by one."""
    personal, states = _scores_if_personal(scores), tuple(dict.fromkeys(states))
    several = [(c, axon, personal) for c in states]
    new = {
        *examined_sites.missing(several),
        *evoked_mv.missing(several),
        *pulse_pa.missing(several),
    }
    try:
        examine_states([c for c in states if (c, axon, personal) in new], axon, personal)
    except NeurosimError:  # a state without rest: `hazard_table` raises it for that state
        return
    several = _table.missing(several)
    with track_reads(alone=True) as reads:
        tables = _from_hazard_law([c for c, *_ in several], axon, personal)
    _table.store_all(tables, several, reads)


def _scores_if_personal(scores: people.Scores) -> people.Scores:
    """Return the scores of a person whose axon differs from the mean one, else none."""
    return scores if people.differs_from_mean(scores) else ()


# --- The law -------------------------------------------------------------------------------------


@cached(size=8192)
def _table(conditions: Conditions, axon: str, scores: people.Scores) -> HazardTable:
    return _from_hazard_law([conditions], axon, scores)[0]


def _from_hazard_law(
    states: Sequence[Conditions], axon: str, scores: people.Scores
) -> list[HazardTable]:
    """Return the tables of several states by the law."""
    if not states:
        return []
    each = zip(*(examined_sites(c, axon, scores) for c in states), strict=True)
    examined = ExaminedSites(*(np.array(values) for values in each))
    examined = interpolate_sites(examined) if scores else examined
    least, rate = _actions_and_rates(axon, examined)
    rest = examined.rest_mv[:, :, 0]
    pair = pair_probability(axon, rest, NU, examined.shift_mv[:, None] - _healthy_shift_mv(axon))
    ratio = _threshold_ratios(states, axon, scores)
    columns = (states, rate, least, pair, rest, ratio)
    return [
        HazardTable(c, axon, NU, LOAD_MMOL_L, per_min, action_, twice, rest_mv, rho, scores)
        for c, per_min, action_, twice, rest_mv, rho in zip(*columns, strict=True)
    ]


def _threshold_ratios(states: Sequence[Conditions], axon: str, scores: people.Scores) -> np.ndarray:
    """Return `HazardTable.threshold_ratio` of several states, shape (states, k)."""
    pulses = np.array([pulse_pa(c, axon, scores) for c in states])
    ratio = pulses / pulse_pa(Conditions(), axon, scores)[0]
    ratio = np.where(np.isnan(ratio), np.inf, ratio)
    return np.maximum.accumulate(ratio, axis=1)  # a load never raises the rate of a site


def _actions_and_rates(axon: str, examined: ExaminedSites) -> tuple[np.ndarray, np.ndarray]:
    """Return the least action (NaN where no noise fires) and bursts per minute by the law."""
    actions, rest = examined.action, examined.rest_mv
    # Along nu the action falls until the site fires without noise. Beyond that, the course of
    # noise may block the site instead of firing it; action and rate then stay as they were.
    least = np.minimum.accumulate(np.where(np.isnan(actions), np.inf, actions), axis=1)
    fresh = np.isfinite(actions) & (actions <= least)
    rate = burst_rate(axon, np.minimum(least, 1e3), rest)
    leaves = np.where(fresh, propagating_share(axon, np.where(fresh, examined.peak_mv, 0.0)), 0.0)
    for i in range(1, NU.size):
        stale = ~fresh[:, i] & np.isfinite(least[:, i])
        leaves[:, i] = np.where(stale, leaves[:, i - 1], leaves[:, i])
    rate = np.where(np.isfinite(least), np.maximum(rate * leaves, LEAST_PER_MIN), LEAST_PER_MIN)
    rate = np.minimum.accumulate(rate, axis=2)  # a load never raises the rate of a site
    return np.where(np.isfinite(least), least, np.nan), rate


@cached()
def _healthy_shift_mv(axon: str) -> float:
    return float(at_rest(Conditions(), axon).P[eq.ROW["shift_m"], 0])


@cached()
def _mean_critical_multiplier(axon: str) -> float:
    """Return `HazardTable.critical_multiplier` of the mean axon in health.

    It needs only the sites without load, a sixth of the table; the whole table would be of no
    further use where every person has a personal axon.
    """
    sites = at_rest(site_batch([Conditions()], NU, LOAD_MMOL_L[:1]), axon)
    (examined,) = split_by_state(sites, (1, NU.size, 1))
    _, rate = _actions_and_rates(
        axon, ExaminedSites(*(np.asarray(values)[None] for values in examined))
    )
    return multiplier_at_once_a_minute(rate[0, :, 0])


def critical_multiplier(axon: str = "ghk", scores: people.Scores = ()) -> float:
    """Return the nu at which a person's channel sites misfire once a minute in health.

    It is the unit of their excess of persistent sodium. Sites are set against the person's own
    healthy axon: that growth and repair adjust them to its margin is an assumption.
    """
    if not people.differs_from_mean(scores):
        return _mean_critical_multiplier(axon)
    personal = hazard_table(Conditions(), axon, scores).critical_multiplier
    return personal if np.isfinite(personal) else float(NU[-1])


def site_rates(
    table: HazardTable, nu: np.ndarray, event_size: np.ndarray | None = None
) -> np.ndarray:
    """Return bursts per minute of sites at the table's loads, shape (sites, k).

    Channel sites: log-linear between the nu of the table, constant beyond its ends. Sites with an
    `event_size` above 0 are event sites (`event_sites.event_rate`).
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
    rates = np.exp((1.0 - w) * log[j] + w * log[j + 1])
    if event_size is not None and event_size.any():
        driven = event_size > 0.0
        events = event_rate(table.threshold_ratio, event_size[driven, None])
        rates[driven] = np.maximum(events, LEAST_PER_MIN)
    return rates


def pair_chances(
    table: HazardTable, nu: np.ndarray, event_size: np.ndarray | None = None
) -> np.ndarray:
    """Return each site's chance that a spike is followed by another of its burst.

    None at event sites: of their bursts fewer than 2 % have another event that soon.
    """
    chances = np.interp(nu, table.sodium_multiplier, table.pair)
    return chances if event_size is None else np.where(event_size > 0.0, 0.0, chances)


def rates_without_load(table: HazardTable, sites: Sites) -> np.ndarray:
    """Return bursts per minute of each site without load; the bulk's between the table's nu."""
    rate = np.interp(sites.sodium_multiplier, table.sodium_multiplier, table.bursts_per_min[:, 0])
    driven = sites.event_size > 0.0
    rate[driven] = event_rate(table.threshold_ratio[0], sites.event_size[driven])
    return rate


def unit_hazard(
    table: HazardTable, sites: Sites, soma_per_min: np.ndarray, duration_s: float
) -> UnitHazard:
    """Return the hazards of one person's muscle in a constant body.

    Equal to the first knot of `hazard_course` with one table.
    """
    hazard = rested_hazard(table, sites, soma_per_min, duration_s)
    return replace(hazard, start_load_mmol_l=balance(hazard)[1])


def rested_hazard(
    table: HazardTable, sites: Sites, soma_per_min: np.ndarray, duration_s: float
) -> UnitHazard:
    """Return `unit_hazard` of units that start without load, which suffices for long-run rates."""
    first = np.zeros(1, int)
    return _hazard_knots([table], first, sites, [soma_per_min], np.zeros(1), duration_s)[0]


def hazard_course(
    tables: Sequence[HazardTable],
    table_index: np.ndarray,
    sites: Sites,
    soma_per_min: Sequence[np.ndarray],
    at_s: np.ndarray,
    duration_s: float,
) -> HazardCourse:
    """Return the hazards of one person's muscle as the sampler needs them.

    The body has been in its first state for long: units start with their sodium load in balance.
    Sites that would misfire less than once in 1e12 such durations are dropped.

    Parameters
    ----------
    tables : sequence of HazardTable
    table_index : ndarray of int
        Index into `at_s` of each table's time; between them the logarithm of a rate is linear
        in time.
    sites : Sites
    soma_per_min : sequence of ndarray, shape (units,)
        Misfires of each motoneuron's soma, per minute, at every time.
    at_s : ndarray
        Times of the knots, s, rising from 0.
    duration_s : float
    """
    knots = _hazard_knots(tables, table_index, sites, soma_per_min, at_s, duration_s)
    knots[0] = replace(knots[0], start_load_mmol_l=balance(knots[0])[1])
    return HazardCourse(np.asarray(at_s, float), tuple(knots))


def _hazard_knots(
    tables: Sequence[HazardTable],
    table_index: np.ndarray,
    sites: Sites,
    soma_per_min: Sequence[np.ndarray] | np.ndarray,
    at_s: np.ndarray,
    duration_s: float,
) -> list[UnitHazard]:
    """Return the knots of `hazard_course`, with no load at the start."""
    least = 1e-12 / duration_s * 60.0
    most = np.max([rates_without_load(table, sites) for table in tables], axis=0)
    enough = np.flatnonzero(most > least)
    chosen = sites.sodium_multiplier[enough], sites.event_size[enough]
    soma = np.flatnonzero(np.max(soma_per_min, axis=0) > least)
    rates = [site_rates(table, *chosen) for table in tables]
    pairs = [pair_chances(table, *chosen) for table in tables]
    unit = np.concatenate([sites.unit[enough], soma])
    order = np.argsort(unit, kind="stable")
    origin = np.concatenate([sites.origin[enough], np.full(soma.size, SOMA)])[order]
    k = tables[0].load_mmol_l.size
    knots: list[UnitHazard] = []
    common: dict[str, Any] = {
        "load_mmol_l": tables[0].load_mmol_l, "unit": unit[order], "origin": origin,
        "units": sites.units,
        **terminal_load(),
        "ceiling_per_min": float(np.exp(_param(tables[0].axon, "ln_ceiling"))),
    }  # fmt: skip
    born, gone = sites.born_s[enough], sites.gone_s[enough]
    for i, per_min in enumerate(soma_per_min):
        alike = np.repeat(np.asarray(per_min)[soma, None], k, axis=1)
        rate, pair = _interpolate_tables(i, table_index, at_s, rates, pairs)
        absent = (born > at_s[i]) | (gone <= at_s[i])
        if absent.any():
            rate = np.where(absent[:, None], LEAST_PER_MIN, rate)
        knots.append(
            UnitHazard(
                bursts_per_min=np.concatenate([rate, alike])[order],
                pair=np.concatenate([pair, np.zeros(soma.size)])[order],
                **common,
            )
        )
    return knots


def _interpolate_tables(
    i: int,
    table_index: np.ndarray,
    at_s: np.ndarray,
    rates: list[np.ndarray],
    pairs: list[np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return rates and pairs at the time of index `i`, between the tables before and after it."""
    j = int(np.searchsorted(table_index, i, "right")) - 1
    if table_index[j] == i or len(table_index) == 1:
        return rates[j], pairs[j]
    w = (at_s[i] - at_s[table_index[j]]) / (at_s[table_index[j + 1]] - at_s[table_index[j]])
    log = (1.0 - w) * np.log(rates[j]) + w * np.log(rates[j + 1])
    return np.exp(log), (1.0 - w) * pairs[j] + w * pairs[j + 1]
