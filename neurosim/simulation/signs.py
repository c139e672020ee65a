"""The article's signs of alarm, read from a table of seen twitches (weeks, muscles)."""

from __future__ import annotations

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.muscle.anatomy import MUSCLES, muscle_roots

ORDINARY = tuple(m for m in MUSCLES if m != "foot_sole")  # the sole twitches in nearly everybody


def _n(name: str) -> float:
    return parameter("alarms", name)


def persists(seen: np.ndarray) -> bool:
    """Whether a twitch was seen in the recent weeks and another long before, but for the sole."""
    weekly = seen[:, [MUSCLES.index(m) for m in ORDINARY]].sum(axis=1)
    first = int(np.argmax(weekly > 0))
    long = weekly.size - first >= _n("persist_weeks")
    return bool(weekly[-round(_n("recent_weeks")) :].any() and long)


def _early_and_late(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return twitches a week in the first and in the last weeks of a table (weeks, ...)."""
    early, late = round(_n("baseline_weeks")), round(_n("recent_weeks"))
    return seen[:early].sum(axis=0) / early, seen[-late:].sum(axis=0) / late


def newly_active_muscles(seen: np.ndarray) -> np.ndarray:
    """Return which muscles twitch much more than at the beginning, shape (muscles,)."""
    early, late = _early_and_late(seen)
    enough = late * round(_n("recent_weeks")) >= _n("spread_twitches")
    return enough & (late > _n("spread_ratio") * early)


def spreads(seen: np.ndarray) -> bool:
    """Whether several muscles are newly active."""
    return bool(newly_active_muscles(seen).sum() >= _n("spread_muscles"))


def spreads_beyond_a_root(seen: np.ndarray) -> bool:
    """Whether several muscles are newly active that no one root supplies."""
    supply = [
        set(muscle_roots(MUSCLES[int(m)])) for m in np.flatnonzero(newly_active_muscles(seen))
    ]
    return spreads(seen) and not set[str].intersection(*supply)


def gets_worse(seen: np.ndarray) -> bool:
    """Whether the twitches of some muscle rise over the weeks."""
    from scipy.stats import kendalltau  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] scipy has no types

    limit = _n("progress_p") / len(MUSCLES)
    early, late = _early_and_late(seen)
    enough = late * round(_n("recent_weeks")) >= _n("spread_twitches")
    rising = np.flatnonzero(enough & (late > _n("progress_ratio") * early))
    weeks = np.arange(len(seen))
    trends = [kendalltau(weeks, seen[:, m], alternative="greater") for m in rising]
    return any(f.pvalue < limit for f in trends)  # type: ignore[attr-defined]
