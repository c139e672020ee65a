"""What `neurosim validate` prints and writes (see `neurosim.base.viewable`)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from neurosim.base.parameters import GRADES
from neurosim.clinic.indices import MEASURES
from neurosim.simulation.scenario import Scenario
from neurosim.validation.target import COLUMNS, Row, Validation
from neurosim.view import export

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.base.files import Content

# What a target is for the model, by its grade.
KINDS = dict(zip(GRADES, ("predictions (measured)", "fitted", "assumed"), strict=True))
# Names and units of quantities that are no measure of nerve excitability, by their key.
OTHER_QUANTITIES = {
    "threshold_1ms_pa": ("threshold of a 1-ms pulse", "pA"),
    "resting_potential_mv": ("resting potential", "mV"),
    "least_per_s": ("least rate", "1/s"),
    "mean_per_s": ("mean rate", "1/s"),
    "duration_s": ("duration", "s"),
}


def describe_validation(validation: Validation) -> str:
    """Return how many targets are met, then every miss and every fact that cannot be computed."""
    lines = [f"Inside the published range: {count_targets(validation.rows)}."]
    sided = [row for row in validation.rows if row.grade == "measured" and not row.is_sign]
    inside = sum(row.inside for row in sided)
    lines.append(
        f"  Of {len(sided)} measured with a range on both sides, {inside} inside; the other "
        "measured ones hold a sign only."
    )
    lines += [
        f"  outside: {row.quantity} ({row.condition}): model {row.model:.4g}, "
        f"published {range_words(row.published_low, row.published_high)} "
        f"{row.unit} [{row.source}]"
        for row in validation.misses
    ]
    lines += [
        f"  not asked: {fact} ({target}): {why}" for target, fact, why in validation.not_computable
    ]
    return "\n".join(lines)


def validation_headline(validation: Validation) -> str:
    """Return in one line how many targets the model meets."""
    rows = validation.rows
    return f"{len(rows) - len(validation.misses)} of {len(rows)} published targets met"


def count_targets(rows: Sequence[Row]) -> str:
    """Return how many targets are met, by what a target is for the model."""
    parts: list[str] = []
    for grade, kind in KINDS.items():
        inside = [row.inside for row in rows if row.grade == grade]
        parts.append(f"{sum(inside)} of {len(inside)} {kind}")
    return "; ".join(parts)


def target_rows(validation: Validation) -> list[dict[str, Any]]:
    """Return one row a target, with the columns of `COLUMNS`."""
    return [{name: getattr(row, name) for name in COLUMNS} for row in validation.rows]


def validation_files(validation: Validation) -> dict[str, Content]:
    """Return the table as ``validation.csv`` with its sidecar."""
    about = export.provenance(
        Scenario(name="validate"),
        note="published_low and published_high are published, model is simulated",
        not_asked={target: f"{fact}: {why}" for target, fact, why in validation.not_computable},
    )
    return dict(export.table_files("validation", target_rows(validation), about))


# --- One target -----------------------------------------------------------------------------------


def range_words(low: float, high: float) -> str:
    """Return a range in words, open on one side or both.

    >>> range_words(1, 2.5), range_words(-float("inf"), 0), range_words(float("nan"), 1)
    ('1 to 2.5', 'at most 0', '')
    """
    if low != low or high != high:
        return ""
    if low == -float("inf"):
        return f"at most {high:.4g}"
    return f"at least {low:.4g}" if high == float("inf") else f"{low:.4g} to {high:.4g}"


def unit_words(unit: str) -> str:
    """Return a unit in its real signs; nothing for a pure number.

    >>> unit_words("degC"), unit_words("um"), unit_words("1e-9 cm3/s"), unit_words("1")
    ('°C', 'µm', '× 10⁻⁹ cm³/s', '')
    """
    if unit in ("1", ""):
        return ""
    for plain, sign in (("degC", "°C"), ("1e-9 cm3", "× 10⁻⁹ cm³"), ("ohm", "Ω")):
        unit = unit.replace(plain, sign)
    unit = re.sub(r"\bu(?=[mVFA]\b|mol)", "µ", unit)
    return re.sub(r"(?<=m)([23])\b", lambda match: "²³"[int(match[1]) - 2], unit)


@cache
def _quantities() -> dict[str, tuple[str, str]]:
    """Return name and unit of what a target names by its key."""
    return {**{m.key: (m.name, m.unit) for m in MEASURES}, **OTHER_QUANTITIES}


def quantity_words(row: Row) -> tuple[str, str]:
    """Return the quantity of a target and its unit, with names in place of keys."""
    words, unit = row.quantity, row.unit
    for key, (name, its_unit) in _quantities().items():
        if re.search(rf"\b{key}\b", words):
            words = re.sub(rf"\b{key}\b", name, words)
            unit = its_unit if unit == "of the measure" else unit
    return words, unit_words("" if unit == "of the measure" else unit)


def condition_words(row: Row) -> str:
    """Return the condition of a target as one says it."""
    words = row.condition.replace("_", " ").replace("umol", "µmol")
    return re.sub(r"^als\b", "ALS", words)


def value_words(row: Row) -> str:
    """Return a target in numbers: the model's value beside the published range."""
    span = range_words(row.published_low, row.published_high)
    words = f"{row.model:.3g}, published {span}".replace("-", "−")
    return f"{words} {quantity_words(row)[1]}".strip()
