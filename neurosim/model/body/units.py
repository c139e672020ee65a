"""The door: laboratory units, totals, cups of coffee and printed panels become body fields.

Inside the package there is one unit per quantity; everything else is converted here, once.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from neurosim.base.errors import NeurosimError, clip_name, finite_number, short_repr, unknown_name
from neurosim.base.parameters import parameter
from neurosim.model.body.fields import FIELDS, Field, read_field
from neurosim.model.body.kinetics import peak_caffeine_umol_l

# How laboratories print the units that end a name here.
PRINTED = {
    "mmol_l": "mmol/L",
    "meq_l": "mEq/L",
    "mg_dl": "mg/dL",
    "mg_l": "mg/L",
    "g_dl": "g/dL",
    "g_l": "g/L",
    "umol_l": "µmol/L",
}


@dataclass(frozen=True)
class InputUnit:
    """One name a user may write: the quantity it means, and its factor into the model's unit."""

    target: str
    factor: float
    unit: str


def _ion_units() -> dict[str, InputUnit]:
    """Return the names of each ion in every unit: mmol/L, mEq/L, mg/dL, mg/L."""
    names = {
        "sodium": ("sodium", "sodium_mmol_l"),
        "potassium": ("potassium", "potassium_mmol_l"),
        "ionised_calcium": ("calcium", "ionised_calcium_mmol_l"),
        "calcium": ("calcium", "total_calcium"),
        "total_calcium": ("calcium", "total_calcium"),
        "ionised_magnesium": ("magnesium", "ionised_magnesium_mmol_l"),
        "magnesium": ("magnesium", "total_magnesium"),
        "total_magnesium": ("magnesium", "total_magnesium"),
    }
    units: dict[str, InputUnit] = {}
    for name, (ion, target) in names.items():
        mass = parameter("body", f"{ion}_molar_mass")
        per_unit = {
            "mmol_l": 1.0,
            "meq_l": 1.0 / parameter("body", f"{ion}_valence"),
            "mg_dl": 10.0 / mass,
            "mg_l": 1.0 / mass,
        }
        for suffix, factor in per_unit.items():
            units[f"{name}_{suffix}"] = InputUnit(target, factor, PRINTED[suffix])
    return units


def _caffeine_units() -> dict[str, InputUnit]:
    """Return the names of caffeine: a level, or a dose whose peak level is meant."""
    field, per_mg = "plasma_caffeine_umol_l", peak_caffeine_umol_l(1.0)
    per_mg_l = 1000.0 / parameter("body", "caffeine_molar_mass")
    return {
        "caffeine_umol_l": InputUnit(field, 1.0, "µmol/L"),
        "caffeine_mg_l": InputUnit(field, per_mg_l, "mg/L"),
        "plasma_caffeine_mg_l": InputUnit(field, per_mg_l, "mg/L"),
        "caffeine_mg": InputUnit(field, per_mg, "mg swallowed"),
        "cups_of_coffee": InputUnit(
            field, per_mg * parameter("body", "caffeine_per_cup_mg"), "cups"
        ),
    }


INPUT_UNITS = {
    **{name: InputUnit(name, 1.0, field.unit) for name, field in FIELDS.items()},
    **_ion_units(),
    **_caffeine_units(),
    "albumin_g_l": InputUnit("albumin_g_l", 1.0, "g/L"),
    "albumin_g_dl": InputUnit("albumin_g_l", 10.0, "g/dL"),
    "ph": InputUnit("ph", 1.0, ""),
}
# The fields that totals are converted to, with albumin and pH.
TOTALS = {
    "total_calcium": "ionised_calcium_mmol_l",
    "total_magnesium": "ionised_magnesium_mmol_l",
}
ALBUMIN, PH = read_field("albumin_g_l"), read_field("ph")


@dataclass(frozen=True)
class EnteredValue:
    """A value as the user wrote it, and in the unit of its target."""

    name: str
    raw: float
    value: float


def ionised_calcium_mmol_l(
    total_mmol_l: float, albumin_g_l: float = ALBUMIN.healthy, ph: float = PH.healthy
) -> float:
    """Return the ionised calcium (mmol/L) estimated from a total.

    Half of the albumin-corrected total is ionised; alkalosis binds some of it. Rounded to
    0.001 mmol/L, since a total is known no better.

    Raises
    ------
    NeurosimError
        If a value is no finite number, or albumin or pH is outside what can be survived.
    """
    total = finite_number("total calcium", total_mmol_l)
    missing_albumin = ALBUMIN.healthy - ALBUMIN.check(albumin_g_l)
    corrected = total + parameter("body", "calcium_per_albumin") * missing_albumin
    alkalosis = PH.check(ph) - PH.healthy
    ionised = parameter("body", "ionised_calcium_fraction") * corrected
    return round(ionised + parameter("body", "ionised_calcium_per_ph") * alkalosis, 3)


def ionised_magnesium_mmol_l(total_mmol_l: float) -> float:
    """Return the ionised magnesium (mmol/L) estimated from a total, rounded to 0.001.

    Raises
    ------
    NeurosimError
        If the total is no finite number.
    """
    total = finite_number("total magnesium", total_mmol_l)
    return round(parameter("body", "ionised_magnesium_fraction") * total, 3)


def _field_value(target: str, value: float) -> float:
    """Return the value of the field behind a quantity, at healthy albumin and pH."""
    if target == "total_calcium":
        return ionised_calcium_mmol_l(value)
    return ionised_magnesium_mmol_l(value) if target == "total_magnesium" else value


def _unit_hint(field: Field, written: str, raw: float) -> str:
    """Return the other unit in which `raw` would lie nearest to health, as a half sentence.

    Among units that fit equally well mg/dL comes first, the one printed most often.
    """
    candidates: list[tuple[float, bool, str]] = []
    for name, input_unit in INPUT_UNITS.items():
        if TOTALS.get(input_unit.target, input_unit.target) != field.name or name == written:
            continue
        value = _field_value(input_unit.target, raw * input_unit.factor)
        if value > 0 and field.lowest <= value <= field.highest:
            # Health is no caffeine at all, and then every unit that fits is as near.
            far = abs(math.log(value / field.healthy)) if field.healthy else 0.0
            candidates.append((round(far, 1), not name.endswith("mg_dl"), name))
    if not candidates:
        return ""
    name = min(candidates)[2]
    return f"; if it is in {INPUT_UNITS[name].unit} write {name}={raw:g}"


def _check_limits(target: str, value: float, entered: EnteredValue) -> float:
    """Return a checked value; the error names what was entered and a likelier unit."""
    field = {"albumin_g_l": ALBUMIN, "ph": PH}.get(target) or FIELDS[target]
    try:
        return field.check(value)
    except NeurosimError as error:
        start = "" if entered.name == target else f"With {entered.name} = {entered.raw:g}, "
        # A unit can be mistaken only where there is one.
        hint = _unit_hint(field, entered.name, entered.raw) if field.unit else ""
        raise NeurosimError(f"{start}{str(error).rstrip('.')}{hint}.") from None


def _split_unit(name: str) -> tuple[str, str]:
    """Return a name without its unit, and the unit."""
    unit = next((u for u in (*PRINTED, "c", "mg") if name.endswith(f"_{u}")), "")
    return name.removesuffix(f"_{unit}") if unit else name, unit


def _nearest_input_name(key: str) -> str:
    """Return the name that a misspelt one was probably meant to be, or an empty text.

    The unit counts only among names that fit equally well; then the plainest goes first.
    """
    stem, unit = _split_unit(key)
    units = list(PRINTED)

    def rank(name: str) -> tuple[float, float, bool, int, bool, int]:
        candidate, suffix = _split_unit(name)
        fits = [
            difflib.SequenceMatcher(None, stem, w).ratio()
            for w in (candidate, *candidate.split("_"))
        ]
        usual = units.index(suffix) if suffix in units else len(units)
        is_model_unit = INPUT_UNITS[name].factor == 1.0
        return (
            -round(max(fits), 2),
            -round(fits[0], 2),
            suffix != unit,
            len(candidate),
            not is_model_unit,
            usual,
        )

    best = min(INPUT_UNITS, key=rank)
    return best if rank(best)[0] <= -0.7 else ""


def _collect_values(values: Mapping[str, object]) -> dict[str, EnteredValue]:
    """Return every value by the quantity it means, in the model's unit."""
    if not isinstance(values, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise NeurosimError(f"Body values must be names with numbers, not {short_repr(values)}.")
    entered: dict[str, EnteredValue] = {}
    for name, value in values.items():
        key = clip_name(name).strip().lower().replace("ionized", "ionised")
        if key not in INPUT_UNITS:
            raise unknown_name("body field", name, FIELDS, _nearest_input_name(key))
        input_unit, raw = INPUT_UNITS[key], finite_number(key, value)
        field = TOTALS.get(input_unit.target, input_unit.target)
        earlier = next((g for t, g in entered.items() if TOTALS.get(t, t) == field), None)
        if earlier:
            raise NeurosimError(
                f"{earlier.name} and {key} give the same quantity; give only one of them."
            )
        entered[input_unit.target] = EnteredValue(key, raw, raw * input_unit.factor)
    return entered


def to_body_fields(values: Mapping[str, object]) -> dict[str, float]:
    """Return body fields in the model's units from any input names and units.

    Parameters
    ----------
    values : mapping
        Names of `INPUT_UNITS` with numbers, such as ``{"calcium_mg_dl": 8.1, "albumin_g_l": 30}``.

    Raises
    ------
    NeurosimError
        For an unknown name, a quantity given twice, a value that is no number or cannot be
        survived, or albumin or pH without a total calcium.
    """
    entered = _collect_values(values)
    conditions = {
        t: _check_limits(t, entered[t].value, entered[t])
        for t in ("albumin_g_l", "ph")
        if t in entered
    }
    total = entered.get("total_calcium")
    if conditions and total is None:
        name = entered[next(iter(conditions))].name
        raise NeurosimError(
            f"{name} only corrects a total calcium; give calcium_mmol_l or calcium_mg_dl with it."
        )
    fields: dict[str, float] = {}
    for target, item in entered.items():
        if target in conditions:
            continue
        if target == "total_calcium":
            value = ionised_calcium_mmol_l(item.value, **conditions)
        else:
            value = _field_value(target, item.value)
        field = TOTALS.get(target, target)
        fields[field] = _check_limits(field, value, item)
    return fields
