"""What may stop twitching, tried on a body that twitches for a given reason.

A remedy makes another body of a body, by what it can change: it never touches a rate. Where it
has nothing to mend (a diet for somebody who lacks nothing) the body stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from neurosim.body.fields import FIELDS
from neurosim.body.state import Body
from neurosim.errors import unknown_name
from neurosim.sources import number
from neurosim.study.scenario import Scenario, scenario

CAUSES = (
    "normal", "low_calcium", "magnesium_depletion", "poor_nutrition", "dehydration",
    "dehydration_with_water", "anxiety", "stress", "caffeine", "sleep_loss", "kidney_disease",
    "serotonin_syndrome", "pinched_nerve", "nerve_damage", "als", "isaacs",
)  # fmt: skip
LOW_ONES = ("potassium_mmol_l", "ionised_calcium_mmol_l", "ionised_magnesium_mmol_l")


def _toward(body: Body, names: Sequence[str], only_low: bool = False) -> Body:
    """Return a body whose values lie closer to health by `remedy_share`."""
    left = 1.0 - number("study", "remedy_share")
    changes = {}
    for name in names:
        healthy, value = FIELDS[name].healthy, getattr(body, name)
        if value < healthy or not only_low:
            changes[name] = healthy + left * (value - healthy)
    return body.replace(**changes)


def _stretch(body: Body) -> Body:
    return body.replace(stretch=1.0)


def _contract(body: Body) -> Body:
    return body.replace(fatigue=1.0)


def _use_lightly(body: Body) -> Body:
    return body.replace(fatigue=max(body.fatigue, number("study", "light_use_fatigue")))


def _block(body: Body) -> Body:
    return body.replace(sodium_channel_blocker=1.0)


def _gabapentinoid(body: Body) -> Body:
    return body.replace(gabapentinoid=1.0)


def _eat(body: Body) -> Body:
    mended = _toward(body, ("poor_nutrition", "magnesium_depletion"))
    return _toward(mended, LOW_ONES, only_low=True)


def _lost_l(body: Body) -> float:
    lost = body.mass_loss_percent / 100.0 * number("body", "body_mass_kg.healthy")
    return max(0.0, lost - body.plain_water_l - body.rehydration_l)


def _drink_water(body: Body) -> Body:
    return body.replace(plain_water_l=body.plain_water_l + _lost_l(body))


def _drink_salts(body: Body) -> Body:
    """Return a body that drank a rehydration solution for what it lost, instead of water."""
    lost = body.mass_loss_percent / 100.0 * number("body", "body_mass_kg.healthy")
    return body.replace(rehydration_l=lost, plain_water_l=0.0) if lost else body


def _calm_down(body: Body) -> Body:
    return _toward(body, ("stress", "anxiety", "paco2_mmhg"))


@dataclass(frozen=True)
class Remedy:
    """One remedy: its words, and what it makes of a body."""

    name: str
    words: str
    on: Callable[[Body], Body]


REMEDIES = (
    Remedy("stretching", "holding a stretch", _stretch),
    Remedy("contracting", "contracting with full force for a minute", _contract),
    Remedy("sodium_channel_blocker", "a sodium-channel blocker", _block),
    Remedy("gabapentinoid", "a gabapentinoid", _gabapentinoid),
    Remedy("healthy_diet", "a healthy diet for weeks", _eat),
    Remedy("plain_water", "plain water for what was sweated", _drink_water),
    Remedy("rehydration", "a rehydration solution instead", _drink_salts),
    Remedy("light_use", "light use of the muscle", _use_lightly),
    Remedy("calm", "calm", _calm_down),
)
NAMES = tuple(r.name for r in REMEDIES)


def remedy(name: str) -> Remedy:
    """Return a remedy by its name.

    Raises
    ------
    NeurosimError
        If there is no such remedy; the nearest name is offered.
    """
    key = str(name).strip().lower().replace("-", "_").replace(" ", "_")
    if key not in NAMES:
        raise unknown_name("remedy", name, NAMES)
    return REMEDIES[NAMES.index(key)]


def relieved(asked: Scenario, name: str) -> Scenario:
    """Return a scenario after a remedy; the same one if the remedy has nothing to change."""
    how = remedy(name)
    body = how.on(asked.body)
    if body == asked.body:
        return asked
    title = f"{asked.title}, {how.words}"
    return asked.replace(name=f"{asked.name}+{how.name}", title=title, body=body)


def tried(base: Scenario, causes: Sequence[str] = CAUSES) -> dict[str, Scenario]:
    """Return every cause alone and with every remedy, by name, in the muscle of `base`."""
    found = {}
    for cause in causes:
        asked = base.replace(name=cause, title=scenario(cause).title, body=scenario(cause).body)
        for one in (asked, *(relieved(asked, name) for name in NAMES)):
            found[one.name] = one
    return found


@dataclass(frozen=True)
class Matrix:
    """Rates of people with every remedy against the same people without, by cause.

    Attributes
    ----------
    causes, remedies : tuple of str
    log_ratio : ndarray, shape (causes, remedies, people)
        ln of the ratio; 0 where the remedy has nothing to change.
    applies : ndarray of bool, shape (causes, remedies)
        Whether the remedy changes the body.
    """

    causes: tuple[str, ...]
    remedies: tuple[str, ...]
    log_ratio: np.ndarray
    applies: np.ndarray


def matrix(base: Scenario, rates: dict[str, np.ndarray], causes: Sequence[str] = CAUSES) -> Matrix:
    """Return the matrix from rates by scenario name (those of `tried`), each of shape (people,)."""
    floor = number("study", "rate_floor")
    rows, changed = [], []
    for cause in causes:
        asked = base.replace(name=cause, body=scenario(cause).body)
        without = np.maximum(rates[cause], floor)
        names = [relieved(asked, name).name for name in NAMES]
        rows.append([np.log(np.maximum(rates[n], floor) / without) for n in names])
        changed.append([n != cause for n in names])
    return Matrix(tuple(causes), NAMES, np.array(rows), np.array(changed))
