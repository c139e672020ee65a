"""Results as files: CSV tables with a JSON sidecar, and texts; all files of a run or none.

`neurosim.base.files.write_files` writes them. CSV is UTF-8 with dot decimals and units in the names
of the columns.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.base.files import write_files
from neurosim.clinic.comparison import compare_with_norms
from neurosim.clinic.conditioning import LONG_LEVELS
from neurosim.clinic.excitability import Excitability
from neurosim.clinic.norms import TE_CURVES, norms
from neurosim.view import style

if TYPE_CHECKING:
    from neurosim.base.viewable import Sources
    from neurosim.simulation.people import People
    from neurosim.simulation.result import Result

# Unit by ending of a column's name; the longest ending that fits counts.
UNITS = {
    "_per_min": "per minute",
    "_mmol_l": "mmol/L",
    "_umol_l": "µmol/L",
    "_percent": "%",
    "_mmhg": "mmHg",
    "_l": "L",
    "_h": "h",
    "_pa_ms": "pA ms",
    "_mv": "mV",
    "_mn": "mN",
    "_ms": "ms",
    "_pa": "pA",
    "_uv": "µV",
    "_s": "s",
}


def unit_of(column: str) -> str:
    """Return the unit at the end of a column's name, ``"1"`` if it has none.

    Examples
    --------
    >>> unit_of("onset_s"), unit_of("sodium_load_mmol_l"), unit_of("unit")
    ('s', 'mmol/L', '1')
    """
    endings = [ending for ending in UNITS if column.endswith(ending)]
    return UNITS[max(endings, key=len)] if endings else "1"


def write_table(
    path: str | Path, table: Any, sidecar: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write a CSV file and, beside it, ``<name>.json`` with units and provenance.

    Parameters
    ----------
    path : str or Path
        Of the CSV file.
    table : mapping of columns, or sequence of mappings (rows)
    sidecar : mapping, optional
        What else goes into the JSON, such as seed, scenario and versions.

    Raises
    ------
    NeurosimError
        If columns differ in length, or a file cannot be written.
    """
    path = Path(path)
    return write_files(path.parent, table_files(path.stem, table, sidecar))


def table_files(
    stem: str, table: Any, sidecar: Mapping[str, Any] | None = None
) -> dict[str, bytes]:
    """Return the CSV and JSON files of a table by name."""
    columns = to_columns(table)
    about: dict[str, Any] = {
        "file": f"{stem}.csv",
        "rows": len(next(iter(columns.values()), ())),
        "units": {name: unit_of(name) for name in columns},
        **(sidecar or {}),
    }
    return {f"{stem}.csv": csv_bytes(columns), f"{stem}.json": json_bytes(about)}


def to_columns(table: Any) -> dict[str, Any]:
    """Return a table as columns of equal length, from columns or from rows.

    Raises
    ------
    NeurosimError
        If columns differ in length.
    """
    columns: dict[str, Any]
    if isinstance(table, Mapping):
        columns = {str(n): values for n, values in cast("Mapping[Any, Any]", table).items()}
    else:
        rows: list[Mapping[Any, Any]] = list(table)
        names = list(rows[0]) if rows else []
        columns = {str(name): [row[name] for row in rows] for name in names}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise NeurosimError(f"The columns of a table must have equal length, not {lengths}.")
    return columns


def _csv_cell(value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        number = float(cast("float", value))
        return "" if math.isnan(number) else f"{number:.9g}"
    return value


def _csv_cells(column: Any) -> Sequence[Any]:
    """Return the cells of a column; those of an array, of which there are many, by its type."""
    if not isinstance(column, np.ndarray):
        return [_csv_cell(value) for value in column]
    array = cast("np.ndarray", column)
    values: list[Any] = array.tolist()
    if array.dtype.kind == "f":
        return ["" if v != v else f"{v:.9g}" for v in values]
    return values if array.dtype.kind in "iuU" else [_csv_cell(value) for value in values]


def csv_bytes(columns: Mapping[str, Any], head: bool = True) -> bytes:
    """Return columns as CSV, under their names if `head`; an undefined number is an empty cell."""
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    if head:
        writer.writerow(list(columns))
    rows = len(next(iter(columns.values()), ()))
    for start in range(0, rows, 50_000):
        part = [column[start : start + 50_000] for column in columns.values()]
        writer.writerows(zip(*map(_csv_cells, part), strict=True))
    return buffer.getvalue().encode("utf-8")


def _json_value(value: Any) -> Any:
    """Return a value as JSON can hold it; an undefined or infinite number becomes null."""
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {str(k): _json_value(v) for k, v in items}
    if isinstance(value, np.ndarray):
        return _json_value(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_json_value(v) for v in cast("Sequence[Any]", value)]
    if isinstance(value, np.generic):
        return _json_value(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_bytes(content: Any) -> bytes:
    """Return content as readable JSON."""
    text = json.dumps(_json_value(content), indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8", "replace")


def text_bytes(text: str) -> bytes:
    """Return a text as a file that ends with a line end."""
    return (text.rstrip("\n") + "\n").encode("utf-8", "replace")


def provenance(scenario: Any, **more: Any) -> dict[str, Any]:
    """Return the part of a sidecar that says where its numbers come from."""
    from neurosim.simulation.provenance import versions

    return {
        "simulated": True,
        "scenario": scenario.to_mapping(),
        "seed": scenario.seed,
        "versions": versions(),
        **more,
        "advice": style.ADVICE,
    }


def sources_json(sources: Sources) -> dict[str, Any]:
    """Return the parameters that a result leans on, with their grades counted."""
    return {
        "counts": sources.grades,
        "values": [
            {
                "room": group,
                "name": v.name,
                "value": v.value,
                "unit": v.unit,
                "grade": v.grade,
                "source": v.source,
            }
            for group, v in sources.entries
        ],
    }


def excitability_rows(examination: Excitability, healthy: Excitability) -> list[dict[str, Any]]:
    """Return one row for each derived measure."""
    return [
        {
            "key": r.measure.key,
            "measure": r.measure.name,
            "unit": r.measure.unit,
            "model": r.model,
            "health": healthy.measures[r.measure.key],
            "human_mean": r.human_mean,
            "human_sd": r.human_sd,
            "human_n": r.human_n,
            "human_median": r.human_median,
            "z": r.z,
            "limits_95": r.verdict,
            "meaning": r.measure.meaning,
            "definition": r.measure.definition,
        }
        for r in compare_with_norms(examination)
    ]


def curve_rows(examination: Excitability, healthy: Excitability) -> list[dict[str, Any]]:
    """Return every point of every curve: one row each, the model's values beside people's.

    Strength and charge have no values of people: theirs are currents of a surface electrode and
    cannot be compared with the model's.
    """
    rows: list[dict[str, Any]] = []
    for (name, x, x_unit, unit, model), (*_, health) in zip(
        _curves(examination, healthy), _curves(healthy, healthy), strict=True
    ):
        curve = norms().get(name) if unit == "%" else None
        table = () if curve is None else zip(curve.x, curve.mean, curve.sd, strict=True)
        people = {point: (mean, sd) for point, mean, sd in table}
        for point, value, healthy_value in zip(x, model, health, strict=True):
            mean, sd = people.get(point, (math.nan, math.nan))
            rows.append(
                {
                    "curve": name,
                    "x": point,
                    "x_unit": x_unit,
                    "model": value,
                    "health": healthy_value,
                    "human_mean": mean,
                    "human_sd": sd,
                    "unit": unit,
                }
            )
    return rows


def _curves(
    examination: Excitability, healthy: Excitability
) -> Iterator[tuple[str, np.ndarray, str, str, np.ndarray]]:
    """Yield name, x, unit of x, unit of y and y of each curve, on the x of the healthy one."""
    width, charge = healthy.charge_widths_ms, examination.charge_pa_ms
    yield "strength_duration", width, "ms", "pA", charge / width
    yield "charge_duration", width, "ms", "pA ms", charge
    recovery = examination.recovery_change_percent
    yield "recovery_cycle", healthy.recovery_interval_ms, "ms", "%", recovery
    for level, name in TE_CURVES.items():
        yield name, healthy.te_delay_ms, "ms", "%", examination.te_reduction_percent[level]
    for level in LONG_LEVELS:
        reduction = examination.te_long_reduction_percent[level]
        yield f"hyperpolarising_{-level}", healthy.te_long_delay_ms, "ms", "%", reduction
    yield "threshold_iv", healthy.iv_current_percent, "%", "%", examination.iv_reduction_percent


def excitability_json(examination: Excitability) -> dict[str, Any]:
    """Return an examination's potentials, thresholds, curves and measures as a mapping."""
    return {field.name: getattr(examination, field.name) for field in fields(Excitability)}


def result_json(result: Result) -> dict[str, Any]:
    """Return everything that defines and explains a result, without its long columns."""
    s, state = result.scenario, result.state
    return provenance(
        s,
        person=result.person,
        scores=list(result.sites.scores),
        contributions=[asdict(c) for c in state.contributions],
        conditions={
            "axon": asdict(state.axon),
            "soma": asdict(state.soma),
            "transmission": state.transmission,
            "force_scale": state.force_scale,
            "contraction_time_scale": state.contraction_time_scale,
            "units_scale": state.units_scale,
            "fibres_scale": state.fibres_scale,
            "terminal": asdict(state.terminal),
            "lesion": asdict(state.lesion),
            "pool": asdict(state.pool),
        },
        excitability=excitability_json(result.excitability),
        rates={
            "bursts_per_min": result.firing.bursts_per_min,
            "twitches_per_min": result.twitches_per_min,
            "expected_twitches_per_min": result.expected_per_min,
            "visible_twitches": int(result.twitches.visible.sum()),
        },
        sources=sources_json(result.sources()),
    )


def people_columns(people: People) -> dict[str, Any]:
    """Return one row for each person and scenario."""
    scenarios, n = len(people.scenarios), int(people.twitches.shape[1])
    first = people.scenarios[0]
    columns: dict[str, Any] = {
        "person": np.tile(np.arange(n), scenarios),
        "scenario": np.repeat([s.name for s in people.scenarios], n),
        "muscle": [first.muscle] * (n * scenarios),
        "duration_s": [first.duration_s] * (n * scenarios),
        "seed": [first.seed] * (n * scenarios),
        "twitches": people.twitches.ravel(),
        "visible": people.visible.ravel(),
        "doublets_or_longer": people.doublets.ravel(),
        "active_units": people.active_units.ravel(),
        "twitches_per_min": people.per_min.ravel(),
        "expected_twitches_per_min": people.expected_per_min.ravel(),
    }
    return columns
