"""The clinic's excitability test in words and as a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neurosim.clinic.comparison import compare_with_norms, match_pattern
from neurosim.view.style import (
    ADVICE,
)

if TYPE_CHECKING:
    from neurosim.clinic.excitability import Excitability

    pass
from neurosim.view.describe_body import threshold_words


def excitability_table(examination: Excitability, healthy: Excitability) -> str:
    """Return every derived measure in aligned columns: model, health, people, z, verdict."""
    rows = [("measure", "unit", "model", "health", "people: mean ± SD", "z", "95 % limits")]
    for row in compare_with_norms(examination):
        m = row.measure
        known = not math.isnan(row.human_sd)
        unit = "" if m.unit == "1" else m.unit
        places = 3 if row.human_sd < 0.5 else 2 if row.human_sd < 1 else 1
        people = f"{row.human_mean:.{places}f} ± {row.human_sd:.{places}f}" if known else "-"
        z = "-" if math.isnan(row.z) else f"{row.z:+.1f}"
        rows.append(
            (
                m.name,
                unit,
                _format_measure(row.model),
                _format_measure(healthy.measures[m.key]),
                people,
                z,
                row.verdict,
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  "
        + "  ".join(f"{row[i]:>{widths[i]}}" for i in range(2, 6))
        + f"  {row[6]}"
        for row in rows
    )


def _format_measure(value: float) -> str:
    """Return a measure for the table; ``-`` if it is not defined."""
    if math.isnan(value):
        return "-"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.{2 if abs(value) < 10 else 1}f}"


def describe_excitability(examination: Excitability, healthy: Excitability) -> str:
    """Return the clinic's test in words: thresholds, what it looks like, and the people."""
    lines: list[str] = []
    if not examination.blocked:
        lines.append(
            "Stimulus-response: the model is one axon, all or none, so there is no curve; its "
            f"1-ms threshold is {examination.threshold_1ms_pa:.1f} pA "
            f"(health {healthy.threshold_1ms_pa:.1f})."
        )
    lines.append(threshold_words(examination, healthy))
    name = match_pattern(examination, healthy)
    if name is not None:
        lines.append(f"Against health it looks like {name}: every sign of that pattern agrees.")
    elif not examination.blocked and examination.measures != healthy.measures:
        lines.append("Against health the signs do not agree on one known pattern.")
    rows = compare_with_norms(examination)
    defined = [row for row in rows if not math.isnan(row.z)]
    outside = [row.measure.name for row in defined if not row.inside_95]
    undefined = [row.measure.name for row in rows if row.verdict == "not defined"]
    if defined:
        lines.append(
            f"{len(defined) - len(outside)} of {len(defined)} measures lie inside the 95 % limits "
            "of healthy people."
        )
    else:
        lines.append("No measure can be compared with those of healthy people.")
    if 0 < len(outside) <= 6:
        lines.append("Outside: " + ", ".join(outside) + ".")
    if undefined and defined:
        lines.append("Not defined here: " + ", ".join(undefined) + ".")
    return "\n".join([*lines, ADVICE])
