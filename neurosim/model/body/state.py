"""The body of a person: blood, breath, sweat, sleep, mood, medicines and diseases.

A `Body` never changes; `replace` returns another. Printed, it shows where every value lies in its
reference range.
"""

from __future__ import annotations

from dataclasses import dataclass
from inspect import cleandoc
from typing import TYPE_CHECKING

from neurosim.base.errors import NeurosimError
from neurosim.base.registry import view
from neurosim.model.body.blood import blood
from neurosim.model.body.fields import FIELDS, Field, describe_fields
from neurosim.model.body.units import to_body_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

GAUGE_WIDTH = 9
_HEALTHY = {name: field.healthy for name, field in FIELDS.items()}


@dataclass(frozen=True, init=False)
class Body:
    """One person's body; ``Body()`` is a healthy adult at rest.

    Every input name and unit is understood (``Body(calcium_mg_dl=8.1)``) and converted to the
    units below.

    Attributes
    ----------
    {fields}

    Raises
    ------
    NeurosimError
        For an unknown name, or a value that is no number or cannot be survived.
    """

    # Named here for editors and type checkers; all else about a field is its record.
    sodium_mmol_l: float
    potassium_mmol_l: float
    ionised_calcium_mmol_l: float
    ionised_magnesium_mmol_l: float
    limb_temperature_c: float
    plasma_caffeine_umol_l: float
    stress: float
    fatigue: float
    paco2_mmhg: float
    bicarbonate_mmol_l: float
    mass_loss_percent: float
    plain_water_l: float
    rehydration_l: float
    sleep_debt_h: float
    anxiety: float
    serotonin_excess: float
    magnesium_depletion: float
    poor_nutrition: float
    kidney_disease: float
    nerve_damage: float
    isaacs: float
    pinched_nerve: float
    als: float
    cholinesterase_inhibition: float
    beta2_agonist: float
    diuretic: float
    sodium_channel_blocker: float
    gabapentinoid: float
    oxaliplatin: float
    shortened_muscle: float
    cramp_proneness: float
    eyelid_proneness: float
    nerve_stimulation_per_s: float
    stretch: float

    # Written out rather than generated, so that a misspelt name gets the package's own
    # sentence, and every input unit is understood here too.
    def __init__(self, **values: float) -> None:
        checked = to_body_fields(values)
        for name, healthy in _HEALTHY.items():
            object.__setattr__(self, name, checked.get(name, healthy))

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
                field.title,
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
        lines: list[str] = []
        for label, value, *rest in rows:
            cells = [label.ljust(widths[0]), value.rjust(widths[1])]
            cells += [text.ljust(width) for text, width in zip(rest, widths[2:], strict=True)]
            lines.append("  ".join(cells).rstrip())
        routes = self.routes()
        return "\n".join([*lines, routes] if routes else lines)

    def _repr_html_(self) -> str:
        return view("Body", "html")(self)


Body.__doc__ = cleandoc(Body.__doc__ or "").replace("{fields}", describe_fields(FIELDS))


def _draw_gauge(field: Field, value: float) -> str:
    """Return a drawing of the reference range with an o where `value` lies."""
    bar = ["-"] * GAUGE_WIDTH
    side = field.side(value)
    if not side:
        span = field.high - field.low
        share = (value - field.low) / span if span else 0.0
        bar[round(share * (GAUGE_WIDTH - 1))] = "o"
    return f"{'o' if side == 'low' else ' '}[{''.join(bar)}]{'o' if side == 'high' else ' '}"
