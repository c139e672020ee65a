"""Changes of an axon by name: ions, channels, pump, temperature, pH, and its recent history.

`CHANGES` lists everything that can be changed, `named_conditions` the named conditions composed
of them (`conditions.toml`); `apply_changes` and `condition` apply them, and so do the command
line's ``--change`` and ``--condition``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import MappingProxyType

from neurosim.base.errors import number_within, unknown_name
from neurosim.base.parameters import FILES, load_group, parameter, read_toml
from neurosim.model.axon.activity import LONGEST_MIN, AxonHistory, conditions_after
from neurosim.model.axon.axon import Axon, Conditions


@dataclass(frozen=True)
class Change:
    """One quantity that can be changed.

    Attributes
    ----------
    name, label, unit : str
        Name, plain words, and unit (empty for a factor and for pH).
    low, high : float
        Allowed range.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float

    @property
    def is_factor(self) -> bool:
        """Whether it multiplies the present value; otherwise it replaces it."""
        return self.name.endswith("_scale")


_ROWS = (
    ("potassium_out_mmol_l", "potassium outside the axon", "mmol/L", 0.5, 20.0),
    ("sodium_out_mmol_l", "sodium outside the axon", "mmol/L", 80.0, 220.0),
    ("calcium_out_mmol_l", "ionised calcium outside the axon", "mmol/L", 0.05, 10.0),
    ("magnesium_out_mmol_l", "ionised magnesium outside the axon", "mmol/L", 0.01, 20.0),
    ("sodium_in_mmol_l", "sodium inside the axon", "mmol/L", 1.0, 60.0),
    ("potassium_in_scale", "potassium inside the axon", "", 0.5, 2.0),
    ("inactivation_tau_scale", "time of fast sodium inactivation", "", 0.2, 5.0),
    ("temperature_c", "temperature of the axon", "degC", 15.0, 42.0),
    ("ph", "pH around the axon, at the ionised calcium given", "", 6.5, 8.0),
    ("pump_scale", "sodium pump", "", 0.0, 20.0),
    ("sodium_scale", "all sodium channels", "", 0.0, 20.0),
    ("persistent_sodium_scale", "persistent sodium current", "", 0.0, 20.0),
    ("fast_potassium_scale", "fast potassium channels (Kv1)", "", 0.0, 20.0),
    ("slow_potassium_scale", "slow potassium channels (Kv7)", "", 0.0, 20.0),
    ("hcn_scale", "current that hyperpolarisation opens (I_h)", "", 0.0, 20.0),
    ("leak_scale", "leak", "", 0.0, 20.0),
    ("gate_shift_sodium_mv", "shift of the sodium gates, + as if depolarised", "mV", -20.0, 20.0),
    ("bias_current_pa", "steady current into the node", "pA", -2000.0, 2000.0),
    ("ischaemia_min", "minutes without blood flow", "min", 0.0, LONGEST_MIN),
    ("train_per_s", "discharges a second while it fired", "1/s", 0.0, 200.0),
    ("train_min", "minutes of firing", "min", 0.0, LONGEST_MIN),
    ("after_min", "minutes since firing or ischaemia ended", "min", 0.0, LONGEST_MIN),
)
CHANGES: Mapping[str, Change] = MappingProxyType({row[0]: Change(*row) for row in _ROWS})
_HISTORY = frozenset(f.name for f in fields(AxonHistory))


@dataclass(frozen=True)
class NamedCondition:
    """One named condition: title, description, and its changes by name."""

    name: str
    title: str
    description: str
    changes: Mapping[str, float]


@cache
def _change_texts() -> Mapping[str, tuple[str, str]]:
    table = read_toml(FILES["conditions"])
    return {k: (v["title"], v["about"]) for k, v in table.items() if k != "references"}


def named_conditions() -> dict[str, NamedCondition]:
    """Return every named condition."""
    numbers = [key.split(".") for key in load_group("conditions")]
    return {
        name: NamedCondition(
            name,
            *texts,
            {
                change: parameter("conditions", f"{name}.{change}")
                for n, change in numbers
                if n == name
            },
        )
        for name, texts in _change_texts().items()
    }


def check_changes(changes: Mapping[str, object]) -> dict[str, float]:
    """Validate `changes` and return them as numbers.

    Raises
    ------
    NeurosimError
        If a name is unknown, or a value is not a number within its range.
    """
    checked = {}
    for name, value in changes.items():
        if name not in CHANGES:
            raise unknown_name("membrane change", name, CHANGES)
        c = CHANGES[name]
        checked[name] = number_within(name, value, c.low, c.high, c.unit.replace("degC", "°C"))
    return checked


def apply_changes(
    changes: Mapping[str, object], start: Conditions | None = None, axon: Axon = "ghk"
) -> Conditions:
    """Return the conditions of an axon after `changes`.

    Parameters
    ----------
    changes : mapping
        Names of `CHANGES`; a ``_scale`` multiplies, anything else replaces. Firing and ischaemia
        (`neurosim.model.axon.activity.AxonHistory`) are applied last.
    start : Conditions, optional
        The axon before; healthy by default.
    axon : str or ParameterSet
        The axon that accumulates sodium in that history.

    Raises
    ------
    NeurosimError
        As `check_changes` and `AxonHistory` do.
    """
    values = check_changes(changes)
    history = AxonHistory(**{name: v for name, v in values.items() if name in _HISTORY})
    conditions = start or Conditions()
    membrane = {
        name: v * getattr(conditions, name) if CHANGES[name].is_factor else v
        for name, v in values.items()
        if name not in _HISTORY
    }
    return conditions_after(history, conditions.replace(**membrane), axon)


def condition(name: str, axon: Axon = "ghk", start: Conditions | None = None) -> Conditions:
    """Return the conditions of an axon in a named condition.

    Raises
    ------
    NeurosimError
        If the name is unknown; the message suggests the nearest.
    """
    return apply_changes(named_condition(name).changes, start, axon)


def named_condition(name: str) -> NamedCondition:
    """Return the named condition `name`.

    Raises
    ------
    NeurosimError
        If there is none; the message suggests the nearest.
    """
    conditions = named_conditions()
    if not isinstance(name, str) or name not in conditions:
        raise unknown_name("condition", name, conditions)
    return conditions[name]
