"""How the states of a body change its blood: the indirect routes, one step each.

Hyperventilation (over-breathing), sweat and drink, adrenaline, kidneys, medicines and diet do not
touch nerve or muscle themselves: they change an ion of the blood, or its acid, and those act on
the membrane as any other change of them does. A blood value of `Body` is what it is without these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter
from neurosim.model.body.fields import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IONS = {
    "sodium": "sodium_mmol_l",
    "potassium": "potassium_mmol_l",
    "calcium": "ionised_calcium_mmol_l",
    "magnesium": "ionised_magnesium_mmol_l",
}


@dataclass(frozen=True)
class Step:
    """One change of one blood value.

    Attributes
    ----------
    factor : str
        What brings it.
    value : str
        Field of the body, or ``"ph"``.
    change : float
        Added, in the unit of the value.
    size : str
        Parameter of the group ``body`` that sizes it.
    why : str
        One sentence.
    """

    factor: str
    value: str
    change: float
    size: str
    why: str


# Blood value, parameter that sizes the change, sign, why; in proportion to the scale.
_ROUTES = {
    "stress": (
        ("potassium_mmol_l", "stress_potassium_fall_mmol_l", -1.0,
         "Adrenaline moves potassium from the blood into cells, which calms the axon."),
    ),
    "anxiety": (
        ("paco2_mmhg", "anxiety_paco2_fall_mmhg", -1.0, ""),
    ),
    "beta2_agonist": (
        ("potassium_mmol_l", "beta2_potassium_fall_mmol_l", -1.0,
         "The medicine moves potassium from the blood into cells as adrenaline does."),
    ),
    "diuretic": (
        ("potassium_mmol_l", "diuretic_potassium_fall_mmol_l", -1.0,
         "The kidney loses potassium with the water."),
        ("ionised_magnesium_mmol_l", "diuretic_magnesium_fall_mmol_l", -1.0,
         "The kidney loses magnesium with the water."),
    ),
    "magnesium_depletion": (
        ("ionised_magnesium_mmol_l", "depletion_magnesium_fall_mmol_l", -1.0,
         "Too little magnesium is taken up, or too much is lost, for weeks."),
        ("ionised_calcium_mmol_l", "depletion_calcium_fall_mmol_l", -1.0,
         "Without magnesium the parathyroid glands fail, and calcium falls."),
        ("potassium_mmol_l", "depletion_potassium_fall_mmol_l", -1.0,
         "Without magnesium the kidney cannot hold potassium."),
    ),
    "poor_nutrition": (
        ("ionised_magnesium_mmol_l", "nutrition_magnesium_fall_mmol_l", -1.0,
         "Food lacks magnesium."),
        ("ionised_calcium_mmol_l", "nutrition_calcium_fall_mmol_l", -1.0,
         "Food lacks calcium, or vitamin D to take it up."),
        ("potassium_mmol_l", "nutrition_potassium_fall_mmol_l", -1.0,
         "Food lacks potassium."),
    ),
    "kidney_disease": (
        ("potassium_mmol_l", "kidney_potassium_rise_mmol_l", 1.0,
         "Failing kidneys keep potassium back."),
        ("ionised_magnesium_mmol_l", "kidney_magnesium_rise_mmol_l", 1.0,
         "Failing kidneys keep magnesium back."),
        ("ionised_calcium_mmol_l", "kidney_calcium_fall_mmol_l", -1.0,
         "Failing kidneys make no active vitamin D, and calcium falls."),
        ("bicarbonate_mmol_l", "kidney_bicarbonate_fall_mmol_l", -1.0, ""),
        ("paco2_mmhg", "kidney_paco2_fall_mmhg", -1.0, ""),
    ),
}  # fmt: skip


def _condition_steps(body: Mapping[str, float]) -> Iterator[Step]:
    for name, rows in _ROUTES.items():
        scale = body[name]
        for value, size, sign, why in rows if scale else ():
            change = sign * scale * parameter("body", size)
            yield Step(factor_label(name), value, change, size, why)
    if body["anxiety"]:
        size = "stress_potassium_fall_mmol_l"
        change = -body["anxiety"] * parameter("body", "anxiety_arousal") * parameter("body", size)
        why = "Adrenaline moves potassium from the blood into cells, which calms the axon."
        yield Step(factor_label("anxiety"), "potassium_mmol_l", change, size, why)


def factor_label(field: str) -> str:
    """Return the label of a field without its scale, as a factor is named."""
    return FIELDS[field].label


def _sweat_steps(body: Mapping[str, float]) -> Iterator[Step]:
    """Yield the changes of sodium and potassium by sweat and drink.

    Plasma sodium follows exchangeable sodium and potassium over body water. Of what was drunk
    no more is retained than was lost: the kidney excretes the rest.
    """
    mass_kg = parameter("body", "body_mass_kg.healthy")
    lost_l = mass_kg * body["mass_loss_percent"] / 100.0
    drunk_l = body["plain_water_l"] + body["rehydration_l"]
    if not lost_l:
        return
    retained = min(1.0, lost_l / drunk_l) if drunk_l else 0.0
    sweat = {ion: parameter("body", f"sweat_{ion}_mmol_l") for ion in ("sodium", "potassium")}
    drink = {ion: parameter("body", f"rehydration_{ion}_mmol_l") for ion in sweat}
    # The kidney excretes salt beyond what was lost as it does water.
    balance = {
        i: min(0.0, retained * body["rehydration_l"] * drink[i] - lost_l * sweat[i]) for i in sweat
    }
    water_l = parameter("body", "body_water_share") * mass_kg
    before = FIELDS["sodium_mmol_l"].healthy
    after = (before * water_l + sum(balance.values())) / (water_l - lost_l + retained * drunk_l)
    factor = "sweating" if not drunk_l else "sweating and drinking"
    why = "Sweat holds less salt than blood; what is drunk decides what becomes of the rest."
    yield Step(factor, "sodium_mmol_l", after - before, "sweat_sodium_mmol_l", why)
    change = balance["potassium"] / parameter("body", "potassium_lost_per_fall")
    why = "Sweat holds some potassium; cells make up for most of it."
    yield Step(factor, "potassium_mmol_l", change, "potassium_lost_per_fall", why)


def blood_ph(paco2_mmhg: float, bicarbonate_mmol_l: float) -> float:
    """Return the pH of blood (Henderson-Hasselbalch).

    Bicarbonate is that at the healthy carbon dioxide; breathing some off lowers it a little
    within minutes (`acute_bicarbonate_slope`), and keeping some back raises it less. At least
    1 mmol/L is left.
    """
    fall = FIELDS["paco2_mmhg"].healthy - paco2_mmhg
    slope = "acute_bicarbonate_slope" if fall > 0 else "acute_bicarbonate_slope_up"
    left = bicarbonate_mmol_l - parameter("body", slope) * fall
    acid = parameter("body", "co2_solubility") * paco2_mmhg
    return parameter("body", "acid_pk") + math.log10(max(left, 1.0) / acid)


def _acid_base_steps(body: Mapping[str, float], earlier: list[Step]) -> Iterator[Step]:
    """Yield the change of pH by carbon dioxide and bicarbonate, and that of calcium by pH."""
    healthy = {n: FIELDS[n].healthy for n in ("paco2_mmhg", "bicarbonate_mmol_l")}
    current = {n: _value_after(body, earlier, n) for n in healthy}
    if current == healthy:  # then none of its numbers is read
        return
    change = blood_ph(*current.values()) - blood_ph(*healthy.values())
    if not change:
        return
    causes = [s for s in earlier if s.value in healthy]
    factor = causes[0].factor if causes else "breathing and acid"
    size = causes[0].size if causes else "acute_bicarbonate_slope"
    why = (
        f"Carbon dioxide of {current['paco2_mmhg']:.3g} mmHg and bicarbonate of "
        f"{current['bicarbonate_mmol_l']:.3g} mmol/L make the blood more "
        f"{'alkaline' if change > 0 else 'acid'}, which moves the gates of sodium channels."
    )
    yield Step(factor, "ph", change, size, why)
    bound = parameter("body", "ionised_calcium_per_ph") * change
    why = (
        "In alkaline blood proteins bind more of the calcium."
        if change > 0
        else "In acid blood proteins let go of some calcium."
    )
    yield Step(factor, "ionised_calcium_mmol_l", bound, "ionised_calcium_per_ph", why)


def _value_after(body: Mapping[str, float], steps: list[Step], name: str) -> float:
    """Return one value of the blood after all steps that change it.

    Raises
    ------
    NeurosimError
        If they bring it to where nobody survives.
    """
    changes = [s for s in steps if s.value == name]
    value = body[name] + sum(s.change for s in changes)
    field = FIELDS[name]
    if changes and not field.lowest <= value <= field.highest:
        factors = " and ".join(dict.fromkeys(s.factor for s in changes))
        raise NeurosimError(
            f"{name} comes to {value:.3g} {field.unit} with {factors}: "
            f"survivable is {field.lowest:g} to {field.highest:g} {field.unit}."
        )
    return value


def blood_steps(body: Mapping[str, float]) -> list[Step]:
    """Return every change that a body's states make to its blood.

    Parameters
    ----------
    body : mapping of str to float
        Values by field, as ``vars`` of a `Body` gives them.

    Raises
    ------
    NeurosimError
        If they add up to what nobody survives.
    """
    steps = [*_condition_steps(body), *_sweat_steps(body)]
    steps += _acid_base_steps(body, steps)
    for name in IONS.values():
        _value_after(body, steps, name)
    ph = parameter("body", "ph.healthy") + sum(s.change for s in steps if s.value == "ph")
    low, high = (parameter("body", f"ph.survivable_{end}") for end in ("low", "high"))
    if not low <= ph <= high:
        raise NeurosimError(f"The pH comes to {ph:.3g}: survivable is {low:g} to {high:g}.")
    return steps


def blood(body: Mapping[str, float]) -> dict[str, float]:
    """Return the blood after all steps: ions (mmol/L) by field, and ``"ph"``.

    Raises
    ------
    NeurosimError
        As `blood_steps`.
    """
    steps = blood_steps(body)
    healthy = parameter("body", "ph.healthy")
    ph = healthy + sum(s.change for s in steps if s.value == "ph")
    return {**{name: _value_after(body, steps, name) for name in IONS.values()}, "ph": ph}
