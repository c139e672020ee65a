"""Changes of an axon by name: ions, channels, pump, temperature, pH, and its recent history.

`CHANGES` lists everything that can be changed, `named_conditions` the named conditions composed
of them (`conditions.toml`); `apply_changes` and `condition` apply them, and so do the command
line's ``--change`` and ``--condition``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from neurosim.base.errors import number_within, unknown_name
from neurosim.base.parameters import FILES, load_group, parameter, read_toml
from neurosim.model.axon.activity import AxonHistory, conditions_after
from neurosim.model.axon.conditions import Change, Conditions, read_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neurosim.model.axon.axon import Axon

CHANGES: Mapping[str, Change] = MappingProxyType(
    read_changes(Conditions) | read_changes(AxonHistory)
)
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
    checked: dict[str, float] = {}
    for name, value in changes.items():
        if name not in CHANGES:
            raise unknown_name("membrane change", name, CHANGES)
        c = CHANGES[name]
        checked[name] = number_within(name, value, c.low, c.high, c.unit)
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
    if not isinstance(name, str) or name not in conditions:  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise unknown_name("condition", name, conditions)
    return conditions[name]
