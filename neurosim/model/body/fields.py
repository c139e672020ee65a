"""The fields of a body: one record each, in ``parameters.toml``.

A record has the plain name, what kind of quantity it is, what it means, and the healthy value, the
reference range and the outer limits with unit, grade and source. The docstring of `Body`, the
checks, the printed table, the command line, the sliders and the documentation read this one list.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill, indent
from typing import TYPE_CHECKING, Literal

from neurosim.base.errors import number_within
from neurosim.base.parameters import FILES, Value, load_group, parameter, read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["quantity", "scale"]
PRINTED_UNITS = {"umol/L": "µmol/L", "degC": "°C", "1": "", "1/s": "per second"}
MEANINGS: Mapping[Kind, str] = {"quantity": "survivable", "scale": "allowed"}  # of the limits


@dataclass(frozen=True)
class Field:
    """One quantity with its ranges.

    Attributes
    ----------
    name, label, unit : str
        Name in the code, in plain words, and the unit as printed (empty for a scale).
    kind : str
        ``"quantity"``, or ``"scale"`` from 0, none, to 1.
    about : str
        What it is, in a sentence; for a scale what its ends mean.
    usual : bool
        Whether everybody has it, so that it is always shown.
    low, high : float
        Reference range.
    lowest, highest : float
        Outer limits, survivable or of the scale.
    grade, source : str
        Of the healthy value and its range, as in `neurosim.base.parameters.Value`.
    """

    name: str
    label: str
    unit: str
    kind: Kind
    about: str
    usual: bool
    low: float
    high: float
    lowest: float
    highest: float
    grade: str
    source: str

    @property
    def healthy(self) -> float:
        """Value of a healthy adult; all scales share theirs."""
        return parameter("body", f"{'scale' if self.is_scale else self.name}.healthy")

    @property
    def is_scale(self) -> bool:
        """Whether it is a scale without unit, 0 none to 1."""
        return self.kind == "scale"

    @property
    def title(self) -> str:
        """The label, of a scale with its ends, as in a table."""
        return f"{self.label} (0 to 1)" if self.is_scale else self.label

    def check(self, value: object) -> float:
        """Return `value` as a float within the outer limits.

        Raises
        ------
        NeurosimError
            If it is no finite number or lies outside them.
        """
        meaning = MEANINGS[self.kind]
        return number_within(self.name, value, self.lowest, self.highest, self.unit, meaning)

    def is_shown(self, value: float) -> bool:
        """Return whether a value belongs in the table of a body: usual fields always do."""
        return self.usual or value != self.healthy

    def side(self, value: float) -> str:
        """Return ``"low"`` or ``"high"`` outside the reference range, otherwise an empty text."""
        return "low" if value < self.low else "high" if value > self.high else ""


def read_field(name: str, record: Mapping[str, object] | None = None) -> Field:
    """Return the field `name` with its numbers in ``parameters.toml`` (all scales share theirs).

    Without a record, as for what only a laboratory's sheet has, it is named as it is written.
    """
    words: Mapping[str, object] = {"label": name, "kind": "quantity", "about": ""} | dict(
        record or {}
    )
    numbers = "scale" if words["kind"] == "scale" else name
    values: Mapping[str, Value] = load_group("body")
    healthy = values[f"{numbers}.healthy"]
    return Field(
        name=name,
        label=str(words["label"]),
        unit=PRINTED_UNITS.get(healthy.unit, healthy.unit),
        kind="scale" if words["kind"] == "scale" else "quantity",
        about=" ".join(str(words["about"]).split()),
        usual=bool(words.get("usual", False)),
        low=healthy.low,
        high=healthy.high,
        lowest=float(values[f"{numbers}.survivable_low"]),
        highest=float(values[f"{numbers}.survivable_high"]),
        grade=healthy.grade,
        source=healthy.source,
    )


def describe_fields(fields: Mapping[str, Field]) -> str:
    """Return the fields as the lines of a NumPy docstring's ``Attributes``."""
    lines: list[str] = []
    for field in fields.values():
        unit = f" {field.unit}" if field.unit else ""
        ranges = f" Healthy {field.healthy:g}{unit}" if not field.is_scale else ""
        if field.high > field.low:
            ranges += f", reference {field.low:g} to {field.high:g}"
        text = f"{field.about}{ranges}." if ranges else field.about
        lines += [f"{field.name} : float", indent(fill(text, 92), "    ")]
    return "\n".join(lines)


FIELDS = {
    name: read_field(name, record)
    for name, record in read_toml(FILES["body"]).items()
    if "about" in record
}
