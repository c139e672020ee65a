"""The fields of a body: plain name, unit, healthy value, reference range and limits.

Everything here is read from ``parameters.toml``; the printed table, the checks and the
unit hints all use this one list.
"""

from __future__ import annotations

from dataclasses import dataclass

from neurosim.base.errors import number_within
from neurosim.base.parameters import load_group, parameter

LABELS = {
    "sodium_mmol_l": "sodium in plasma",
    "potassium_mmol_l": "potassium in plasma",
    "ionised_calcium_mmol_l": "ionised calcium",
    "ionised_magnesium_mmol_l": "ionised magnesium",
    "limb_temperature_c": "limb temperature",
    "plasma_caffeine_umol_l": "caffeine in plasma",
    "stress": "stress (0 to 1)",
    "fatigue": "fatigue (0 to 1)",
    "paco2_mmhg": "carbon dioxide in blood",
    "bicarbonate_mmol_l": "bicarbonate at usual carbon dioxide",
    "mass_loss_percent": "body mass lost by sweating",
    "plain_water_l": "plain water drunk since",
    "rehydration_l": "rehydration solution drunk since",
    "sleep_debt_h": "sleep missing",
    "anxiety": "anxiety (0 to 1)",
    "serotonin_excess": "serotonin excess (0 to 1)",
    "magnesium_depletion": "magnesium depletion (0 to 1)",
    "poor_nutrition": "poor nutrition (0 to 1)",
    "kidney_disease": "kidney disease (0 to 1)",
    "nerve_damage": "nerve damage (0 to 1)",
    "isaacs": "Isaacs' syndrome (0 to 1)",
    "pinched_nerve": "pinched nerve (0 to 1)",
    "als": "ALS (0 to 1)",
    "cholinesterase_inhibition": "cholinesterase inhibition (0 to 1)",
    "beta2_agonist": "beta2 agonist (0 to 1)",
    "diuretic": "diuretic (0 to 1)",
    "sodium_channel_blocker": "sodium channel blocker (0 to 1)",
    "gabapentinoid": "gabapentinoid (0 to 1)",
    "oxaliplatin": "oxaliplatin (0 to 1)",
    "shortened_muscle": "shortened muscle (0 to 1)",
    "cramp_proneness": "proneness to cramp (0 to 1)",
    "nerve_stimulation_per_s": "stimuli to the nerve",
    "stretch": "stretch (0 to 1)",
}
# What every body has and is always shown; the rest is shown only where it is present.
USUAL = (
    "sodium_mmol_l", "potassium_mmol_l", "ionised_calcium_mmol_l", "ionised_magnesium_mmol_l",
    "limb_temperature_c", "plasma_caffeine_umol_l", "stress", "fatigue",
)  # fmt: skip
CONDITIONS = tuple(name for name in LABELS if name not in USUAL)
SCALES = tuple(name for name, label in LABELS.items() if label.endswith("(0 to 1)"))
SIGNS = {"umol/L": "µmol/L", "degC": "°C", "1": "", "1/s": "per second"}


@dataclass(frozen=True)
class Field:
    """One quantity with its ranges.

    Attributes
    ----------
    name, label, unit : str
        Name in the code, in plain words, and the unit as printed (empty for a scale).
    low, high : float
        Reference range.
    lowest, highest : float
        Outer limits; `meaning` says of what.
    meaning : str
        ``"survivable"``, or ``"allowed"`` for a scale.
    key : str
        Name of its numbers in the group ``body``.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    lowest: float
    highest: float
    meaning: str = "survivable"
    key: str = ""

    @property
    def healthy(self) -> float:
        """Value of a healthy adult."""
        return parameter("body", f"{self.key or self.name}.healthy")

    def check(self, value: object) -> float:
        """Return `value` as a float within the outer limits.

        Raises
        ------
        NeurosimError
            If it is no finite number or lies outside them.
        """
        return number_within(self.name, value, self.lowest, self.highest, self.unit, self.meaning)

    def is_shown(self, value: float) -> bool:
        """Return whether a value belongs in the table of a body: usual fields always do."""
        return self.name not in CONDITIONS or value != self.healthy

    def side(self, value: float) -> str:
        """Return ``"low"`` or ``"high"`` outside the reference range, otherwise an empty text."""
        return "low" if value < self.low else "high" if value > self.high else ""


def read_field(name: str, label: str = "", meaning: str = "survivable") -> Field:
    """Return the field `name` as ``parameters.toml`` describes it (all scales are alike)."""
    values, entry = load_group("body"), "scale" if name in SCALES else name
    healthy = values[f"{entry}.healthy"]
    return Field(
        name=name,
        label=label or name,
        unit=SIGNS.get(healthy.unit, healthy.unit),
        low=healthy.low,
        high=healthy.high,
        lowest=float(values[f"{entry}.survivable_low"]),
        highest=float(values[f"{entry}.survivable_high"]),
        meaning=meaning,
        key=entry,
    )


FIELDS = {
    name: read_field(name, label, "allowed" if name in SCALES else "survivable")
    for name, label in LABELS.items()
}
