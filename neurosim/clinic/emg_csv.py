"""Reading an electromyogram from a CSV file: columns of voltage, and one of time or a rate.

The header says the units (``time_s``, ``Zeit (ms)``, ``EMG [µV]``); every column of voltage is a
channel. Empty cells and pauses of the clock are gaps (NaN). What the numbers mean is in `detect`.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError, clip_name, number_within, unknown_name
from neurosim.clinic.laboratory_csv import SEPARATORS, fold_text, read_text
from neurosim.clinic.spike_sorting import SAMPLING_HZ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from neurosim.clinic.filters import Floats, Places

LARGEST_MB = 200.0  # 15 minutes at 10 kHz; one sample is a line of some 20 bytes
LEAST_S = 1.0  # of record
MOST_COLUMNS = 256
MOST_GAP = 20.0  # times the record that may be missing within it
LARGEST_UV = 1e6
UNITS_UV = {"uv": 1.0, "mv": 1e3, "v": 1e6, "nv": 1e-3, "microvolt": 1.0, "microvolts": 1.0,
            "millivolt": 1e3, "millivolts": 1e3, "volt": 1e6, "volts": 1e6}  # fmt: skip
UNITS_S = {"s": 1.0, "sec": 1.0, "sek": 1.0, "second": 1.0, "seconds": 1.0, "sekunden": 1.0,
           "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "min": 60.0}  # fmt: skip
TIME_WORDS = ("time", "t", "zeit", "temps", "tiempo")
_EMPTY = ("", "nan", "na", "n/a", "-", "null", "inf", "-inf")
_HEADER_LINES = 60  # within which the header must stand


@dataclass(frozen=True, eq=False)
class EmgFile:
    """What a file or a column of samples holds.

    Attributes
    ----------
    title : str
        Name of the file.
    sampling_hz : float
        Samples per second.
    start_s : float
        Time of the first sample.
    channels : mapping of str to ndarray, shape (n,)
        Samples, uV, by name of the column; NaN where there is none.
    ignored : tuple of str
        Columns that are neither time nor voltage.
    """

    title: str
    sampling_hz: float
    start_s: float
    channels: Mapping[str, Floats]
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Header:
    """Which column is what, and where the numbers begin."""

    first_line: int
    separator: str
    time: tuple[int, float] | None
    volts: tuple[tuple[int, str, float], ...]
    ignored: tuple[str, ...]


def read_emg(
    path: str | PathLike[str], rate_hz: float | None = None, unit: str | None = None
) -> EmgFile:
    """Return the channels of a CSV file.

    Parameters
    ----------
    path : str or path
    rate_hz : float, optional
        Samples per second, where the file has no column of time.
    unit : str, optional
        ``"uV"``, ``"mV"`` or ``"V"`` of a voltage column whose header does not say so.

    Raises
    ------
    NeurosimError
        If it cannot be read, a column, a unit or the rate is missing, a cell is no number, the
        time does not rise evenly, or the record is too short.
    """
    name = clip_name(Path(path).name)
    lines = re.split(r"\r\n|\r|\n", read_text(path, LARGEST_MB, "the record"))
    header = _find_header(name, lines, unit)
    columns = [] if header.time is None else [header.time[0]]
    columns += [column for column, _, _ in header.volts]
    table = _read_numbers(name, lines, header, columns)
    with np.errstate(over="ignore"):  # what overflows is refused as too large or a gap
        volts = table[:, -len(header.volts) :] * [scale for _, _, scale in header.volts]
    start = 0.0
    if header.time is None:
        if rate_hz is None:
            raise NeurosimError(
                f"{name} has no column of time: say how many samples per second it has with "
                "--rate-hz (rate_hz in Python)."
            )
        hz = check_rate(rate_hz)
    else:
        time_s = table[:, 0] * header.time[1]
        start = float(time_s[0]) if time_s.size else 0.0
        hz, place = _lay_out_time(name, time_s, header.first_line)
        volts = _spread(volts, place)
        if rate_hz is not None and abs(check_rate(rate_hz) / hz - 1.0) > 0.01:
            raise NeurosimError(
                f"rate_hz = {rate_hz:g}, but the time of {name} has {hz:.6g} samples per second."
            )
    channels = {
        label: check_channel(f"{name} ({label})", volts[:, k], hz)
        for k, (_, label, _) in enumerate(header.volts)
    }
    return EmgFile(name, hz, start, channels, header.ignored)


def check_rate(rate_hz: Any) -> float:
    """Return a rate that can be detected in."""
    return number_within("rate_hz", rate_hz, *SAMPLING_HZ, "per second")


def check_unit(unit: Any) -> float:
    """Return how many uV a unit of voltage has."""
    if not isinstance(unit, str) or fold_text(unit) not in UNITS_UV:
        raise unknown_name("unit", unit, ("uV", "mV", "V"))
    return UNITS_UV[fold_text(unit)]


def check_channel(name: str, samples_uv: Floats, hz: float) -> Floats:
    """Return samples that can be an electromyogram."""
    there = samples_uv[np.isfinite(samples_uv)]
    if there.size < LEAST_S * hz:
        raise NeurosimError(
            f"{name} has {there.size / hz:.3g} s of record; at least {LEAST_S:g} s are needed."
        )
    largest = float(np.abs(there).max())
    if largest > LARGEST_UV:
        raise NeurosimError(
            f"{name} reaches {largest / 1e6:.3g} V; an electromyogram stays below "
            f"{LARGEST_UV / 1e6:g} V (is the unit right, or was the amplifier's gain left in?)."
        )
    return samples_uv


def _find_header(name: str, lines: Sequence[str], unit: str | None) -> _Header:
    """Return what the header says; of a file without one, that all columns are voltage."""
    scale = None if unit is None else check_unit(unit)
    header = None
    for k, line in enumerate(lines[:_HEADER_LINES]):
        separator = _find_separator(line)
        cells = _split_line(line, separator)
        if not any(cells):
            continue
        if all(_is_number(cell, separator) for cell in cells):
            labels = [f"column {i + 1}" for i in range(len(cells))]
            header = header or _name_columns(k, separator, labels, scale)
            break
        named = _name_columns(k + 1, separator, cells, scale)
        if named.volts:
            header = named
            break
        if header is None or named.time:
            header = named
    if header is None:
        raise NeurosimError(f"{name} is empty.")
    if not header.volts:
        columns = clip_name(", ".join(header.ignored)) or "a time alone"
        raise NeurosimError(
            f"{name} has no column of voltage with its unit in the header (uV, mV or V, such as "
            f"emg_uv), but {columns}; or say the unit with --unit (unit in Python)."
        )
    return header


def _find_separator(line: str) -> str:
    """Return what parts the cells of a line: nothing in one number with a decimal comma."""
    if not any(s in line for s in SEPARATORS) or re.fullmatch(r"\s*[-+]?\d+,\d+\s*", line):
        return ""
    return max(SEPARATORS, key=line.count)


def _split_line(line: str, separator: str) -> list[str]:
    if not separator:
        return [line.strip().strip('"').strip()]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
    except (csv.Error, StopIteration):
        return [line]


def _is_number(cell: str, separator: str) -> bool:
    try:
        float(cell if separator == "," else cell.replace(",", "."))
    except ValueError:
        return fold_text(cell) in _EMPTY
    return True


def _name_columns(first: int, separator: str, cells: list[str], scale: float | None) -> _Header:
    """Return which column is time and which voltage, by the words of a header."""
    if len(cells) > MOST_COLUMNS:
        raise NeurosimError(f"A record may have {MOST_COLUMNS} columns at most, not {len(cells)}.")
    time: tuple[int, float] | None = None
    volts: list[tuple[int, str, float]] = []
    ignored: list[str] = []
    for k, cell in enumerate(cells):
        words = [w for w in re.split(r"[^a-z0-9/]+", fold_text(cell)) if w]
        last = words[-1] if words else ""
        if words and (words[0] in TIME_WORDS or last in UNITS_S):
            if last not in UNITS_S:
                raise NeurosimError(
                    f"The column '{clip_name(cell)}' needs its unit in the header: s or ms, such "
                    "as time_s."
                )
            time = time or (k, UNITS_S[last])
        elif last in UNITS_UV:
            volts.append((k, _free_label(cell, volts), UNITS_UV[last]))
        elif cell:
            ignored.append(cell)
    if scale is not None and not volts:
        volts = [(k, cell, scale) for k, cell in enumerate(cells) if cell in ignored]
        ignored = []
    return _Header(first, separator, time, tuple(volts), tuple(ignored))


def _free_label(cell: str, volts: Sequence[tuple[int, str, float]]) -> str:
    """Return a channel's name that no other one has."""
    label = clip_name(cell)
    taken = {other for _, other, _ in volts}
    return label if label not in taken else f"{label} ({len(volts) + 1})"


def _read_numbers(name: str, lines: list[str], header: _Header, columns: list[int]) -> Floats:
    """Return the numbers of some columns; the quick way if every cell is one."""
    body = lines[header.first_line :]
    if header.separator != ",":
        body = [line.replace(",", ".") for line in body]
    if not any(line.strip() for line in body):
        raise NeurosimError(f"{name} has a header and no samples.")
    try:
        return np.loadtxt(
            body,
            delimiter=header.separator or None,
            usecols=columns,
            ndmin=2,
            comments=None,
            quotechar='"',
        )
    except (ValueError, IndexError):
        return _read_cells(name, body, header, columns)


def _read_cells(name: str, body: list[str], header: _Header, columns: list[int]) -> Floats:
    """Return the numbers cell by cell: an empty one is a gap, another text is refused."""
    rows: list[list[float]] = []
    for k, line in enumerate(body):
        if not line.strip():
            continue
        cells = _split_line(line, header.separator)
        row: list[float] = []
        for column in columns:
            cell = cells[column] if column < len(cells) else ""
            try:
                row.append(np.nan if fold_text(cell) in _EMPTY else float(cell))
            except ValueError:
                raise NeurosimError(
                    f"{name}, line {header.first_line + k + 1}: '{clip_name(cell)}' must be a "
                    "number."
                ) from None
        rows.append(row)
    return np.array(rows, float)


def _lay_out_time(name: str, time_s: Floats, first_line: int) -> tuple[float, Places]:
    """Return the samples per second, and the place of each sample on an even grid."""
    with np.errstate(invalid="ignore"):
        steps = np.diff(time_s)
    bad = np.flatnonzero(~(steps >= 0.0))
    if not np.isfinite(time_s[:1]).all() or bad.size:
        line = first_line + 1 + (int(bad[0]) + 1 if np.isfinite(time_s[:1]).all() else 0)
        raise NeurosimError(f"{name}, near line {line}: the time must rise from sample to sample.")
    if time_s.size < 10 or time_s[-1] <= time_s[0]:
        raise NeurosimError(f"{name} has {time_s.size} samples; that is too short for a record.")
    step = float(np.median(steps))
    coarse = not steps.all()  # a clock of fewer digits than the rate needs: no gaps can be told
    is_gap = np.zeros(steps.size, bool) if coarse else steps > 1.75 * step
    hz = float((~is_gap).sum() / steps[~is_gap].sum())
    number_within(f"The rate of {name}", hz, *SAMPLING_HZ, "per second")
    place = np.arange(time_s.size, dtype=np.intp)
    jumps = np.where(is_gap, np.rint(steps * hz) - 1.0, 0.0)
    if jumps.sum() > MOST_GAP * time_s.size:
        raise NeurosimError(f"{name} is mostly gaps: its time leaps over {steps.max():.4g} s.")
    place[1:] += np.cumsum(jumps).astype(np.intp)
    off = np.abs(time_s - time_s[0] - place / hz)
    room = 2.0 * float(steps.max()) if coarse else 0.02 * time_s.size**0.5 / hz + 5.0 / hz
    if off.max() > room + 2e-9 * abs(float(time_s[-1])) or (
        not coarse and np.std(steps[~is_gap]) > 0.6 * step
    ):
        raise NeurosimError(f"{name} is not sampled evenly: its time strays from any one rate.")
    return hz, place


def _spread(volts: Floats, place: Places) -> Floats:
    """Return samples on their even grid, NaN in the gaps."""
    if place[-1] == place.size - 1:
        return volts
    out = np.full((int(place[-1]) + 1, volts.shape[1]), np.nan)
    out[place] = volts
    return out
