"""Reading one person's nerve-excitability record: a MEM file or a table of curves."""

from __future__ import annotations

import csv
import math
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, clip_name, file_bytes, short_repr, unknown_name
from neurosim.clinic.conditioning import LONG_LEVELS
from neurosim.clinic.fit import NerveRecord
from neurosim.clinic.indices import charge_measures
from neurosim.clinic.mem import LARGEST_MB, LARGEST_NUMBER, MemFile, read_mem
from neurosim.clinic.norms import TE_CURVES

if TYPE_CHECKING:
    from collections.abc import Mapping

SEPARATORS = ";\t,"
LEAST_WIDTHS = 3  # from which a strength-duration time constant is computed
_LEVELS = {name: level for level, name in TE_CURVES.items()}
_UNUSED = {"strength_duration", *(f"hyperpolarising_{-level}" for level in LONG_LEVELS)}
CURVES = (*_LEVELS, "recovery_cycle", "threshold_iv", "charge_duration", "sdtc_ms")


@public
def read_record(path: str | Path) -> NerveRecord:
    """Return the record in a file: CSV by its name, else a MEM file.

    A CSV has the columns ``curve``, ``x`` and ``value`` (a person's) or ``model`` (as
    ``neurosim excitability`` writes ``curves.csv``); curves are named as in `CURVES`.

    Raises
    ------
    NeurosimError
        If it cannot be read, or is neither.
    """
    if not isinstance(path, str | PathLike):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise NeurosimError(f"A record must be the path of a file, not {short_repr(path)}.")
    name = str(path)
    if name.lower().endswith(".csv"):
        return _read_csv_record(Path(name))
    return _read_mem_record(read_mem(path), Path(name).name)


def _read_mem_record(file: MemFile, title: str) -> NerveRecord:
    """Return the record of a MEM file."""
    sdtc = file.measures.get("sdtc_ms", math.nan)
    if not math.isfinite(sdtc):
        sdtc = _time_constant_ms(file.charge_duration[:, 0], file.charge_duration[:, 2])
    try:
        temperature = float(file.header.get("Temperature", "").split()[0].replace(",", "."))
    except (ValueError, IndexError):
        temperature = math.nan
    return NerveRecord(
        {level: (t[:, 0], t[:, 2]) for level, t in file.electrotonus.items()},
        (file.recovery_cycle[:, 0], file.recovery_cycle[:, 1]),
        (file.threshold_iv[:, 0], file.threshold_iv[:, 1]),
        sdtc,
        _check_temperature(temperature),
        file.simulated,
        title,
    )


def _check_temperature(temperature_c: float) -> float:
    """Return a temperature within which the model holds; one that nobody measured is unknown.

    Raises
    ------
    NeurosimError
        If it is a temperature, but not one of a limb that the model stands for.
    """
    if math.isnan(temperature_c) or temperature_c <= 0:
        return math.nan
    if not 28.0 <= temperature_c <= 38.0:
        raise NeurosimError(
            f"The record's temperature is {temperature_c:g} °C; the axon holds from 28 to 38."
        )
    return temperature_c


def _time_constant_ms(width_ms: np.ndarray, charge: np.ndarray) -> float:
    """Return the strength-duration time constant, NaN if there are too few widths."""
    if np.unique(width_ms).size < LEAST_WIDTHS:
        return math.nan
    with np.errstate(all="ignore"):  # charges all alike have no rheobase to divide by
        time_constant = charge_measures(width_ms, charge)["sdtc_ms"]
    return time_constant if math.isfinite(time_constant) else math.nan


def _read_csv_record(path: Path) -> NerveRecord:
    """Return the record of a table of curves."""
    try:
        text = file_bytes(path, LARGEST_MB).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NeurosimError(f"{path} is not a text file in UTF-8.") from None
    head, *_ = text.splitlines() or [""]
    separator = max(SEPARATORS, key=head.count)
    rows = csv.DictReader(text.splitlines(), delimiter=separator)
    try:
        names = [name.strip() for name in rows.fieldnames or ()]
    except csv.Error as error:
        raise NeurosimError(f"{path}, line 1: {error}.") from None
    rows.fieldnames = names
    column = next((name for name in ("value", "model") if name in names), None)
    if column is None or not {"curve", "x"} <= set(names):
        present = ", ".join(names)[:80] or "an empty table"
        raise NeurosimError(f"{path} needs the columns curve, x and value or model, not {present}.")
    try:
        points = _curve_points(path, rows, column, comma=separator != ",")
    except csv.Error as error:
        raise NeurosimError(f"{path}, line {rows.line_num + 1}: {error}.") from None

    def curve(name: str) -> tuple[np.ndarray, np.ndarray]:
        x, y = zip(*sorted(points.get(name, ())), strict=True) if points.get(name) else ((), ())
        return np.array(x, float), np.array(y, float)

    sdtc = points.get("sdtc_ms")
    return NerveRecord(
        {level: curve(name) for name, level in _LEVELS.items() if name in points},
        curve("recovery_cycle"),
        curve("threshold_iv"),
        sdtc[0][1] if sdtc else _time_constant_ms(*curve("charge_duration")),
        simulated=column == "model",
        title=path.name,
    )


def _curve_points(
    path: Path, rows: csv.DictReader[str], column: str, comma: bool
) -> Mapping[str, list[tuple[float, float]]]:
    """Return the (x, y) of each curve; rows without a value are passed over."""
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        name = (row["curve"] or "").strip()
        if name in _UNUSED or not name or not (row[column] or "").strip():
            continue
        if name not in CURVES:
            raise unknown_name("curve", name, CURVES)
        try:
            cells = [str(row[c] or "").strip() for c in ("x", column)]
            x, y = (float(c.replace(",", ".") if comma else c) for c in cells)
        except ValueError:
            raise NeurosimError(
                f"{path}, line {rows.line_num}: '{clip_name(row['x'])}' and "
                f"'{clip_name(row[column])}' must be numbers."
            ) from None
        if max(abs(x), abs(y)) > LARGEST_NUMBER and math.isfinite(x) and math.isfinite(y):
            raise NeurosimError(
                f"{path}, line {rows.line_num}: {x:g} and {y:g} are of no examination of a nerve."
            )
        if math.isfinite(x) and math.isfinite(y):
            points.setdefault(name, []).append((x, y))
    return points
