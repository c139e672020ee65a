"""What the article says stops twitching: what each remedy makes of a body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from neurosim.base.errors import unknown_name
from neurosim.base.parameters import number
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body

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
