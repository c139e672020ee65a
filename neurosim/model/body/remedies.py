"""What the article says stops twitching: what each remedy makes of a body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosim.base.errors import clip_name, unknown_name
from neurosim.base.parameters import parameter
from neurosim.model.body.fields import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neurosim.model.body.state import Body

RAISED_IF_LOW = ("potassium_mmol_l", "ionised_calcium_mmol_l", "ionised_magnesium_mmol_l")


def _move_toward_health(body: Body, names: Sequence[str], only_low: bool = False) -> Body:
    """Return a body whose values lie closer to health by `remedy_share`."""
    left = 1.0 - parameter("study", "remedy_share")
    changes: dict[str, float] = {}
    for name in names:
        healthy, value = FIELDS[name].healthy, getattr(body, name)
        if value < healthy or not only_low:
            changes[name] = healthy + left * (value - healthy)
    return body.replace(**changes)


def _stretch_muscle(body: Body) -> Body:
    return body.replace(stretch=1.0)


def _contract_muscle(body: Body) -> Body:
    return body.replace(fatigue=1.0)


def _use_lightly(body: Body) -> Body:
    return body.replace(fatigue=max(body.fatigue, parameter("study", "light_use_fatigue")))


def _block_sodium_channels(body: Body) -> Body:
    return body.replace(sodium_channel_blocker=1.0)


def _take_gabapentinoid(body: Body) -> Body:
    return body.replace(gabapentinoid=1.0)


def _eat_better(body: Body) -> Body:
    mended = _move_toward_health(body, ("poor_nutrition", "magnesium_depletion"))
    return _move_toward_health(mended, RAISED_IF_LOW, only_low=True)


def _lost_water_l(body: Body) -> float:
    lost = body.mass_loss_percent / 100.0 * parameter("body", "body_mass_kg.healthy")
    return max(0.0, lost - body.plain_water_l - body.rehydration_l)


def _drink_water(body: Body) -> Body:
    return body.replace(plain_water_l=body.plain_water_l + _lost_water_l(body))


def _drink_salts(body: Body) -> Body:
    """Return a body that drank a rehydration solution for what it lost, instead of water."""
    lost = body.mass_loss_percent / 100.0 * parameter("body", "body_mass_kg.healthy")
    return body.replace(rehydration_l=lost, plain_water_l=0.0) if lost else body


def _calm_down(body: Body) -> Body:
    return _move_toward_health(body, ("stress", "anxiety", "paco2_mmhg"))


@dataclass(frozen=True)
class Remedy:
    """One remedy: its words, and what it makes of a body."""

    name: str
    label: str
    apply: Callable[[Body], Body]


REMEDIES = (
    Remedy("stretching", "holding a stretch", _stretch_muscle),
    Remedy("contracting", "contracting with full force for a minute", _contract_muscle),
    Remedy("sodium_channel_blocker", "a sodium-channel blocker", _block_sodium_channels),
    Remedy("gabapentinoid", "a gabapentinoid", _take_gabapentinoid),
    Remedy("healthy_diet", "a healthy diet for weeks", _eat_better),
    Remedy("plain_water", "plain water for what was sweated", _drink_water),
    Remedy("rehydration", "a rehydration solution instead", _drink_salts),
    Remedy("light_use", "light use of the muscle", _use_lightly),
    Remedy("calm", "calm", _calm_down),
)
REMEDY_NAMES = tuple(r.name for r in REMEDIES)


def remedy(name: str) -> Remedy:
    """Return a remedy by its name.

    Raises
    ------
    NeurosimError
        If there is no such remedy; the nearest name is offered.
    """
    key = clip_name(name).strip().lower().replace("-", "_").replace(" ", "_")
    if key not in REMEDY_NAMES:
        raise unknown_name("remedy", name, REMEDY_NAMES)
    return REMEDIES[REMEDY_NAMES.index(key)]
