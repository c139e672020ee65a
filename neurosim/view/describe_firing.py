"""Discharges and twitches in words, and which origins give them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from neurosim.model.firing.discharge import ORIGINS, balance
from neurosim.model.muscle.events import KINDS, Twitches
from neurosim.view.style import ORIGIN_MARKS, label_number, pluralize, time_words

if TYPE_CHECKING:
    from neurosim.simulation.result import Result


def firing_words(result: Result) -> str:
    """Return how many bursts there were and where they started."""
    firing = result.firing
    first = firing.place == 0
    n_bursts = int(first.sum())
    if n_bursts == 0:
        return f"Discharges: none in {time_words(firing.duration_s)}."
    share = np.bincount(firing.origin[first], minlength=len(ORIGINS)) / n_bursts
    top = int(share.argmax())
    units = f"{np.unique(firing.unit).size} of {result.sites.units} motor units"
    return (
        f"Discharges: {pluralize(n_bursts, 'burst')} of {units}, "
        f"{'all' if share[top] == 1 else 'mostly'} from {ORIGIN_MARKS[top][2]}."
    )


def twitch_words(result: Result) -> str:
    """Return how many twitches there were, of which kind, and how many were fasciculations."""
    twitches = result.twitches
    if len(twitches) == 0:
        why = " (too few muscle fibres follow a discharge)" if len(result.firing) else ""
        return f"Twitches: none{why}."
    count = {kind: int((twitches.kind == kind).sum()) for kind in KINDS}
    n_short = int((~twitches.painful).sum())
    n_visible = int((twitches.visible & ~twitches.painful).sum())
    text = (
        f"Twitches: {label_number(n_short) if n_short else 'none'}, or "
        f"{label_number(result.twitches_per_min)} per minute, short and usually painless; "
        f"{', '.join(_kind_words(count))}; {pluralize(n_visible, 'fasciculation')}."
    )
    return f"{text}\n{spasm_words(twitches)}" if count["spasm"] else text


def _kind_words(count: dict[str, int]) -> list[str]:
    """Return how many twitches are longer than a single discharge, by kind."""
    kinds = [pluralize(count["doublet"], "doublet")]
    if count["multiplet"]:
        kinds.append(pluralize(count["multiplet"], "longer group"))
    elif not (count["neuromyotonic_burst"] or count["myokymic_burst"]):
        kinds.append("none longer")
    if count["neuromyotonic_burst"]:
        kinds.append(pluralize(count["neuromyotonic_burst"], "neuromyotonic burst"))
    if count["myokymic_burst"]:
        name = pluralize(count["myokymic_burst"], "myokymic burst")
        kinds.append(f"{name} (drawn by an empirical rule, not by a mechanism)")
    return kinds


def spasm_words(twitches: Twitches) -> str:
    """Return what spasms there were, by the article's distinction from twitches."""
    spasms = np.flatnonzero(twitches.kind == "spasm")
    largest = spasms[twitches.discharges[spasms].argmax()]
    return (
        f"Spasms: {label_number(spasms.size)}, the largest of "
        f"{pluralize(int(twitches.units[largest]), 'motor unit')} for "
        f"{twitches.duration_s[largest]:.0f} s with up to "
        f"{twitches.peak_mn[largest] / 1000.0:.2g} N: "
        "a spasm is prolonged and often painful (stated, not computed), a twitch is neither."
    )


def origin_shares(result: Result) -> np.ndarray:
    """Return the share of the long-run bursts that each origin gives, NaN if there are none.

    Where the body changes, the shares are of all bursts of the course.
    """
    at_s = result.trajectory.at_s
    per_min = np.stack([origin_bursts(result, i) for i in range(at_s.size)])
    total = per_min[0] if at_s.size == 1 else np.trapezoid(per_min, at_s, axis=0)
    return total / total.sum() if total.sum() > 0 else np.full(len(ORIGINS), math.nan)


def origin_bursts(result: Result, moment: int) -> np.ndarray:
    """Return bursts per minute of each origin at one moment, sodium loads in balance.

    The sites of a unit share its long-run rate in proportion to their rates at that load.
    """
    hazard = result.hazards.knots[moment]
    rate, load = balance(hazard)
    grid, log_rate = hazard.load_mmol_l, np.log(np.maximum(hazard.bursts_per_min, 1e-300))
    site_load = load[hazard.unit]
    j = np.clip(np.searchsorted(grid, site_load) - 1, 0, grid.size - 2)
    w = np.clip((site_load - grid[j]) / (grid[j + 1] - grid[j]), 0.0, 1.0)
    site = np.arange(site_load.size)
    site_rate = np.exp((1.0 - w) * log_rate[site, j] + w * log_rate[site, j + 1])
    unit_rate = np.bincount(hazard.unit, site_rate, hazard.units)
    share = site_rate * rate[hazard.unit] / np.maximum(unit_rate, 1e-300)[hazard.unit]
    return np.bincount(hazard.origin, share, len(ORIGINS)) + result.other_bursts_per_min[moment]
