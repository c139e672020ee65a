"""The body of a person: blood, breath, sweat, sleep, mood, medicines and diseases.

A `Body` never changes; `replace` returns another. Printed, it shows where every value lies in its
reference range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from neurosim.base.errors import NeurosimError
from neurosim.base.registry import view
from neurosim.model.body.blood import blood
from neurosim.model.body.fields import FIELDS, Field
from neurosim.model.body.units import to_body_fields

GAUGE_WIDTH = 9


@dataclass(frozen=True, init=False)
class Body:
    """One person's body; ``Body()`` is a healthy adult at rest.

    Every input name and unit is understood (``Body(calcium_mg_dl=8.1)``) and converted to the
    units below.

    Attributes
    ----------
    sodium_mmol_l, potassium_mmol_l : float
        In plasma (mmol/L).
    ionised_calcium_mmol_l, ionised_magnesium_mmol_l : float
        The free ion in plasma (mmol/L), about half and two thirds of the total.
    limb_temperature_c : float
        Skin temperature over the nerve (degrees Celsius).
    plasma_caffeine_umol_l : float
        Caffeine in plasma (micromol/L).
    stress : float
        0 calm to 1 the strongest.
    fatigue : float
        0 rested to 1 just after one minute of maximal contraction.
    paco2_mmhg, bicarbonate_mmol_l : float
        Carbon dioxide in arterial blood (mmHg), low in hyperventilation; bicarbonate in plasma
        (mmol/L) at the healthy carbon dioxide. Together they make the pH.
    mass_loss_percent : float
        Body mass lost by sweating (%).
    plain_water_l, rehydration_l : float
        Plain water, and oral rehydration solution, drunk since (L); what exceeds the loss is
        passed by the kidney.
    sleep_debt_h : float
        Hours of sleep missing.
    anxiety : float
        0 calm to 1 hyperventilation until fingers tingle, and half of the strongest stress.
    serotonin_excess : float
        0 none, about 0.2 one medicine that raises serotonin, to 1 serotonin syndrome.
    magnesium_depletion : float
        0 none to 1 weeks of severe lack of magnesium, with what that does to calcium and potassium.
    poor_nutrition : float
        0 none to 1 months of a diet that lacks magnesium, calcium, potassium and vitamins B.
    kidney_disease : float
        0 none to 1 before a dialysis.
    nerve_damage : float
        0 none to 1 half of the muscle's motor units lost, the others sprouting.
    isaacs : float
        Antibodies against the fast potassium channels of nerve endings: 0 none to 1 severe
        Isaacs' syndrome.
    pinched_nerve : float
        0 none to 1 a nerve root pinched so that half of its axons are hurt.
    als : float
        0 none to 1 a muscle that has lost 70 % of its motor units and is weak.
    cholinesterase_inhibition : float
        How much of the acetylcholinesterase of the end plates a medicine or poison blocks: 0 none
        to 1 nearly all.
    beta2_agonist, diuretic, sodium_channel_blocker, gabapentinoid, oxaliplatin : float
        Medicines, 0 none to 1 a high dose: asthma sprays and theophylline; loop and thiazide
        diuretics; mexiletine, carbamazepine, phenytoin; gabapentin, pregabalin; the days after an
        infusion of oxaliplatin.
    shortened_muscle, cramp_proneness : float
        0 at its usual length to 1 as short as it goes; 0 an ordinary to 1 a cramp-prone person.
    nerve_stimulation_per_s : float
        Stimuli per second given to the nerve for 2 s, which end as the run begins.
    stretch : float
        How firmly the muscle is stretched, 0 not to 1. A cramp's pool is inhibited 10 s into the
        run for 1 s; resting motor neurons are calmed as long as it is held.

    Raises
    ------
    NeurosimError
        For an unknown name, or a value that is no number or cannot be survived.
    """

    sodium_mmol_l: float = FIELDS["sodium_mmol_l"].healthy
    potassium_mmol_l: float = FIELDS["potassium_mmol_l"].healthy
    ionised_calcium_mmol_l: float = FIELDS["ionised_calcium_mmol_l"].healthy
    ionised_magnesium_mmol_l: float = FIELDS["ionised_magnesium_mmol_l"].healthy
    limb_temperature_c: float = FIELDS["limb_temperature_c"].healthy
    plasma_caffeine_umol_l: float = FIELDS["plasma_caffeine_umol_l"].healthy
    stress: float = FIELDS["stress"].healthy
    fatigue: float = FIELDS["fatigue"].healthy
    paco2_mmhg: float = FIELDS["paco2_mmhg"].healthy
    bicarbonate_mmol_l: float = FIELDS["bicarbonate_mmol_l"].healthy
    mass_loss_percent: float = FIELDS["mass_loss_percent"].healthy
    plain_water_l: float = FIELDS["plain_water_l"].healthy
    rehydration_l: float = FIELDS["rehydration_l"].healthy
    sleep_debt_h: float = FIELDS["sleep_debt_h"].healthy
    anxiety: float = FIELDS["anxiety"].healthy
    serotonin_excess: float = FIELDS["serotonin_excess"].healthy
    magnesium_depletion: float = FIELDS["magnesium_depletion"].healthy
    poor_nutrition: float = FIELDS["poor_nutrition"].healthy
    kidney_disease: float = FIELDS["kidney_disease"].healthy
    nerve_damage: float = FIELDS["nerve_damage"].healthy
    isaacs: float = FIELDS["isaacs"].healthy
    pinched_nerve: float = FIELDS["pinched_nerve"].healthy
    als: float = FIELDS["als"].healthy
    cholinesterase_inhibition: float = FIELDS["cholinesterase_inhibition"].healthy
    beta2_agonist: float = FIELDS["beta2_agonist"].healthy
    diuretic: float = FIELDS["diuretic"].healthy
    sodium_channel_blocker: float = FIELDS["sodium_channel_blocker"].healthy
    gabapentinoid: float = FIELDS["gabapentinoid"].healthy
    oxaliplatin: float = FIELDS["oxaliplatin"].healthy
    shortened_muscle: float = FIELDS["shortened_muscle"].healthy
    cramp_proneness: float = FIELDS["cramp_proneness"].healthy
    nerve_stimulation_per_s: float = FIELDS["nerve_stimulation_per_s"].healthy
    stretch: float = FIELDS["stretch"].healthy

    # Written out rather than generated, so that a misspelt name gets the package's own
    # sentence, and every input unit is understood here too.
    def __init__(self, **values: float) -> None:
        checked = to_body_fields(values)
        for field in fields(self):
            object.__setattr__(self, field.name, checked.get(field.name, field.default))

    @classmethod
    def from_values(cls, values: Mapping[str, float]) -> Body:
        """Return a body from input names with numbers; the rest is healthy.

        Raises
        ------
        NeurosimError
            As for `Body`.
        """
        return cls(**to_body_fields(values))

    def replace(self, **values: float) -> Body:
        """Return this body with some values changed, under any input name.

        Raises
        ------
        NeurosimError
            As for `Body`.
        """
        return Body(**{**vars(self), **to_body_fields(values)})

    def abnormal(self) -> list[tuple[str, float, str]]:
        """Return (field, value, ``"high"`` or ``"low"``) for all outside the reference range."""
        sides = [(name, value, FIELDS[name].side(value)) for name, value in vars(self).items()]
        return [item for item in sides if item[2]]

    def blood(self) -> dict[str, float]:
        """Return the blood after the changes by its states: ions (mmol/L) by field, and ``"ph"``.

        Raises
        ------
        NeurosimError
            If they add up to what nobody survives.
        """
        return blood(vars(self))

    def routes(self) -> str:
        """Return how its states change the blood, in a line, or an empty text."""
        try:
            blood = self.blood()
        except NeurosimError as error:
            return str(error).rstrip(".")
        changed = {n: v for n, v in blood.items() if f"{v:.3g}" != f"{vars(self).get(n, 7.4):.3g}"}
        listed = ", ".join(
            f"{FIELDS[n].label if n in FIELDS else 'pH'} {v:.3g}" for n, v in changed.items()
        )
        return f"With these the blood comes to: {listed}" if listed else ""

    def rows(self) -> list[tuple[str, ...]]:
        """Return the printed table: label, value, unit, reference range, gauge, mark."""
        return [
            (
                field.label,
                f"{getattr(self, name):.4g}",
                field.unit,
                f"{field.low:g} to {field.high:g}" if field.high > field.low else f"{field.low:g}",
                _draw_gauge(field, getattr(self, name)),
                field.side(getattr(self, name)).upper(),
            )
            for name, field in FIELDS.items()
            if field.is_shown(getattr(self, name))
        ]

    def __str__(self) -> str:
        rows = [("Body", "value", "unit", "reference", "in the range", ""), *self.rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(6)]
        lines = []
        for label, value, *rest in rows:
            cells = [label.ljust(widths[0]), value.rjust(widths[1])]
            cells += [text.ljust(width) for text, width in zip(rest, widths[2:], strict=True)]
            lines.append("  ".join(cells).rstrip())
        routes = self.routes()
        return "\n".join([*lines, routes] if routes else lines)

    def _repr_html_(self) -> str:
        return view("Body", "html")(self)


def _draw_gauge(field: Field, value: float) -> str:
    """Return a drawing of the reference range with an o where `value` lies."""
    bar = ["-"] * GAUGE_WIDTH
    side = field.side(value)
    if not side:
        span = field.high - field.low
        share = (value - field.low) / span if span else 0.0
        bar[round(share * (GAUGE_WIDTH - 1))] = "o"
    return f"{'o' if side == 'low' else ' '}[{''.join(bar)}]{'o' if side == 'high' else ' '}"
