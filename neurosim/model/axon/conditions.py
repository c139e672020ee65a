"""The fluids around an axon and the local changes of its membrane: one record a quantity.

Name, unit, healthy value, allowed range and plain words stand once, as the fields of `Conditions`;
the docstring, the checks of `neurosim.model.axon.changes`, the command line and the documentation
read them there.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from dataclasses import replace as _replace
from inspect import cleandoc
from textwrap import fill, indent
from typing import TYPE_CHECKING, Any, Protocol, cast

from neurosim.base.errors import unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Change:
    """One quantity of an axon that can be changed.

    Attributes
    ----------
    name, label, unit : str
        Name, plain words, and unit (empty for a factor and for pH).
    healthy : float
        Value of the healthy axon.
    low, high : float
        Allowed range.
    is_factor : bool
        Whether it multiplies the present value; otherwise it replaces it.
    """

    name: str
    label: str
    unit: str
    healthy: float
    low: float
    high: float
    is_factor: bool


def quantity(healthy: float, label: str, unit: str, low: float, high: float) -> Any:
    """Return a field of a dataclass with its record."""
    return field(default=healthy, metadata={"record": (label, unit, healthy, low, high)})


def factor(label: str, low: float = 0.0, high: float = 20.0) -> Any:
    """Return a field that multiplies what the healthy axon has."""
    return field(default=1.0, metadata={"record": (label, "", 1.0, low, high), "is_factor": True})


def read_changes(owner: type) -> dict[str, Change]:
    """Return the records of a dataclass whose fields are made by `quantity` and `factor`."""
    changes: dict[str, Change] = {}
    for f in cast("tuple[Field[float], ...]", fields(owner)):
        label, unit, healthy, low, high = f.metadata["record"]
        is_factor = f.metadata.get("is_factor", False)
        changes[f.name] = Change(f.name, label, unit, healthy, low, high, is_factor)
    return changes


def document_changes(owner: type) -> None:
    """Write the records of a dataclass into its docstring, in place of ``{changes}``."""
    lines: list[str] = []
    for c in read_changes(owner).values():
        unit = f" {c.unit}" if c.unit else ""
        size = "times the healthy one" if c.is_factor else f"healthy {c.healthy:g}{unit}"
        text = f"{c.label[:1].upper()}{c.label[1:]}: {size}, {c.low:g} to {c.high:g} allowed."
        lines += [f"{c.name} : float", indent(fill(text, 92), "    ")]
    owner.__doc__ = cleandoc(owner.__doc__ or "").replace("{changes}", "\n".join(lines))


@dataclass(frozen=True)
class Conditions:
    """The fluids around an axon and the local changes of its membrane.

    The healthy axon is `Conditions()`; use `replace` for any other. Concentrations are in mmol/L
    (calcium and magnesium ionised), scales multiply the healthy value. `ph` acts on the sodium
    channels alone: its effect on ionised calcium must be included in `calcium_out_mmol_l`.
    `inactivation_tau_scale` multiplies the time constant of fast inactivation (gate h), not its
    steady value.

    Attributes
    ----------
    {changes}
    """

    sodium_out_mmol_l: float = quantity(144.2, "sodium outside the axon", "mmol/L", 80.0, 220.0)
    potassium_out_mmol_l: float = quantity(4.2, "potassium outside the axon", "mmol/L", 0.5, 20.0)
    calcium_out_mmol_l: float = quantity(
        1.2, "ionised calcium outside the axon", "mmol/L", 0.05, 10.0
    )
    magnesium_out_mmol_l: float = quantity(
        0.55, "ionised magnesium outside the axon", "mmol/L", 0.01, 20.0
    )
    sodium_in_mmol_l: float = quantity(9.0, "sodium inside the axon", "mmol/L", 1.0, 60.0)
    temperature_c: float = quantity(33.0, "temperature of the axon", "°C", 15.0, 42.0)
    ph: float = quantity(7.4, "pH around the axon, at the ionised calcium given", "", 6.5, 8.0)
    pump_scale: float = factor("sodium pump")
    sodium_scale: float = factor("all sodium channels")
    persistent_sodium_scale: float = factor("persistent sodium current")
    fast_potassium_scale: float = factor("fast potassium channels (Kv1)")
    slow_potassium_scale: float = factor("slow potassium channels (Kv7)")
    hcn_scale: float = factor("current that hyperpolarisation opens (I_h)")
    leak_scale: float = factor("leak")
    gate_shift_sodium_mv: float = quantity(
        0.0, "shift of the sodium gates, + as if depolarised", "mV", -20.0, 20.0
    )
    bias_current_pa: float = quantity(0.0, "steady current into the node", "pA", -2000.0, 2000.0)
    divalent_shift_scale: float = factor("shift of the gates by calcium and magnesium")
    potassium_in_scale: float = factor("potassium inside the axon", 0.5, 2.0)
    inactivation_tau_scale: float = factor("time of fast sodium inactivation", 0.2, 5.0)

    def replace(self, **changes: float) -> Conditions:
        """Return a copy with `changes`.

        Raises
        ------
        NeurosimError
            If a name is not a field of `Conditions`.
        """
        names = {f.name for f in fields(self)}
        for name in changes:
            if name not in names:
                raise unknown_name("membrane parameter", name, names)
        return _replace(self, **changes)


document_changes(Conditions)


class _Contribution(Protocol):
    """What acts on a parameter: ``set``, ``add`` or ``scale`` by `change`."""

    @property
    def site(self) -> str: ...
    @property
    def parameter(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def change(self) -> float: ...


def apply_contributions(
    contributions: Sequence[_Contribution], site: str, start: Conditions | None = None
) -> Conditions:
    """Apply contributions to the conditions at one kind of site, by parameter name alone.

    Parameters
    ----------
    contributions : sequence
        Objects with `site`, `parameter`, `operation` (``set``, ``add``, ``scale``), `change`.
    site : str
        Kind of site whose contributions count.
    start : Conditions, optional
        The healthy membrane there.
    """
    conditions = start or Conditions()
    for c in contributions:
        if c.site == site:
            conditions = conditions.replace(
                **{c.parameter: apply_contribution(getattr(conditions, c.parameter, 0.0), c)}
            )
    return conditions


def apply_contribution(value: float, contribution: _Contribution) -> float:
    """Return `value` after one contribution."""
    if contribution.operation == "set":
        return contribution.change
    if contribution.operation == "add":
        return value + contribution.change
    return value * contribution.change
