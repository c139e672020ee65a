"""Examinations as MEM files, the text files in which QTRAC leaves a nerve's excitability.

The layout is that of the open records of the Nerve Norms web tool (kelvinejones/nerve-norms,
MIT licence). `mem_text` writes the model's examination in it, marked as simulated; `read_mem`
reads such a file or a recorded one.

The model's currents are written in mA as the layout has them, though they enter one node:
some 1e-7 of what a surface electrode needs. They are never to be compared with a nerve's.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.errors import NeurosimError, file_bytes
from neurosim.clinic.conditioning import LONG_LEVELS, LONG_MS
from neurosim.clinic.indices import POLARISED_FROM_MS, POLARISED_TO_MS
from neurosim.clinic.norms import TE_CURVES, norms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from neurosim.clinic.excitability import Excitability

LARGEST_MB = 1.0  # of a record; those of a whole examination have 20 kB
LARGEST_NUMBER = 1e6  # in any unit of the layout
LONGEST_LINE = 2000  # a longer one is none of the layout's
MA_PER_PA = 1e-9
# Number and name of the derived measures in the layout; those without a number are extra.
LABELS = {
    "sdtc_ms": (3, r"Strength-duration\time constant (ms)"),
    "rheobase_pa": (4, "Rheobase (mA)"),
    "resting_iv_slope": (7, "Resting I/V slope"),
    "minimum_iv_slope": (8, "Minimum I/V slope"),
    "relative_refractory_period_ms": (10, "RRP (ms)"),
    "te_h_90_100_percent": (11, "TEh(90-100ms)"),
    "te_d_10_20_percent": (12, "TEd(10-20ms)"),
    "superexcitability_percent": (13, "Superexcitability (%)"),
    "subexcitability_percent": (14, "Subexcitability (%)"),
    "te_d_40_60_percent": (20, "TEd(40-60ms)"),
    "te_d_90_100_percent": (21, "TEd(90-100ms)"),
    "te_h_10_20_percent": (22, "TEh(10-20ms)"),
    "te_d_undershoot_percent": (23, "TEd(undershoot)"),
    "te_h_overshoot_percent": (24, "TEh(overshoot)"),
    "te_d_peak_percent": (25, "TEd(peak)"),
    "s2_accommodation_percent": (26, "S2 accommodation"),
    "accommodation_half_time_ms": (27, "Accommodation half-time (ms)"),
    "hyperpolarising_iv_slope": (28, "Hyperpol. I/V slope"),
    "refractoriness_2_5_ms_percent": (29, "Refractoriness at 2.5ms (%)"),
    "te_h_20_40_percent": (30, "TEh(20-40ms)"),
    "te_h_slope_101_140_percent_per_ms": (31, "TEh(slope 101-140ms)"),
    "refractoriness_2_ms_percent": (32, "Refractoriness at 2 ms (%)"),
    "superexcitability_7_ms_percent": (33, "Superexcitability at 7 ms (%)"),
    "superexcitability_5_ms_percent": (34, "Superexcitability at 5 ms (%)"),
    "te_d20_peak_percent": (35, "TEd20(peak)"),
    "te_d20_10_20_percent": (0, "TEd20(10-20ms)"),
    "te_h20_10_20_percent": (0, "TEh20(10-20ms)"),
}
_TABLES = {
    "SR": "stimulus_response", "QT": "charge_duration", "RC": "recovery_cycle",
    "IV": "threshold_iv",
}  # fmt: skip
_COLUMNS = {"SR": 2, "QT": 3, "RC": 2, "IV": 2, "TE": 3}


@dataclass(frozen=True)
class MemFile:
    """What a MEM file holds.

    Attributes
    ----------
    header : dict of str to str
        The lines at the top, such as ``Name`` and ``Temperature``.
    stimulus_response : ndarray, shape (n, 2)
        Response in % of the greatest, stimulus in mA.
    charge_duration : ndarray, shape (n, 3)
        Width in ms, threshold in mA, charge in mA ms.
    electrotonus : dict of int to ndarray, shape (n, 3)
        By level in %: delay in ms, current in %, threshold reduction in %. Of several
        recordings at one level the last counts.
    recovery_cycle : ndarray, shape (n, 2)
        Interval in ms, threshold change in %.
    threshold_iv : ndarray, shape (n, 2)
        Current in %, threshold reduction in %.
    measures : dict of str to float
        The derived measures, by the keys of `neurosim.clinic.indices.MEASURES`.
    other : dict of str to float
        Every other derived or extra variable, by its name in the file.
    """

    header: dict[str, str]
    stimulus_response: np.ndarray
    charge_duration: np.ndarray
    electrotonus: dict[int, np.ndarray]
    recovery_cycle: np.ndarray
    threshold_iv: np.ndarray
    measures: dict[str, float]
    other: dict[str, float]

    @property
    def simulated(self) -> bool:
        """Whether the file says that it is simulated."""
        return "Simulated" in self.header


# --- Writing ---------------------------------------------------------------------------


def _format_value(value: float) -> str:
    """Return a number without an exponent, empty if undefined."""
    if math.isnan(value):
        return ""
    text = f"{value:.14f}" if 0 < abs(value) < 1e-3 else f"{value:.4f}"
    return text.rstrip("0").rstrip(".") if float(text) else "0"


def _table_rows(name: str, rows: Iterable[Iterable[float]]) -> list[str]:
    """Return the lines of a table, numbered from 1, an undefined number left empty."""
    return [
        f"{name}{i}".ljust(20)
        + "".join("\t" + f" {_format_value(v)}".ljust(20) for v in row).rstrip(" ")
        for i, row in enumerate(rows, 1)
    ]


def _section_lines(title: str, columns: Iterable[str], rows: list[str]) -> list[str]:
    head = " " * 20 + "".join("\t" + column.ljust(20) for column in columns).rstrip()
    return ["", f"  {title}", "", head, *rows, ""]


def _electrotonus_lines(found: Excitability) -> list[str]:
    """Return the curves of every level, set by set, an empty line between them."""
    lines: list[str] = []
    sets = [
        (
            level,
            norms()[name].x,
            POLARISED_TO_MS,
            found.te_reduction_percent[level][np.isin(found.te_delay_ms, norms()[name].x)],
        )
        for level, name in TE_CURVES.items()
    ]
    sets += [
        (
            level,
            found.te_long_delay_ms,
            POLARISED_FROM_MS + LONG_MS,
            found.te_long_reduction_percent[level],
        )
        for level in LONG_LEVELS
    ]
    for number, (level, delay, end, reduction) in enumerate(sets, 1):
        current = np.where((delay >= POLARISED_FROM_MS) & (delay < end), level, 0)
        lines += [
            *([""] if lines else []),
            *_table_rows(f"TE{number}.", zip(delay, current, reduction, strict=True)),
        ]
    return lines


def mem_text(
    examination: Excitability,
    title: str = "health",
    axon: str = "ghk",
    temperature_c: float = math.nan,
) -> str:
    """Return an examination in the layout of a MEM file.

    What is not defined is left empty or out. The stimulus-response curve has one row, the
    threshold of the one axon. Currents are in mA of current into a node.

    Parameters
    ----------
    examination : Excitability
        From `neurosim.clinic.excitability.examine` with ``full=True``.
    title, axon : str
        What was examined.
    temperature_c : float
        Of the axon.
    """
    lines = _header_lines(title, axon, temperature_c)
    milliamperes = MA_PER_PA * examination.charge_pa_ms / examination.charge_widths_ms
    lines += ["", " STIMULUS-RESPONSE DATA", "", "Values are those of one axon, all or none"]
    lines += ["", "\t".join([" " * 20, "% Max".ljust(20), "Stimulus(2)"])]
    lines += [f"{'SR.50':<20}\t {50:<19}\t {_format_value(milliamperes[-1])}", ""]
    lines += _curve_lines(examination, milliamperes)
    lines += ["", *_derived_lines(examination, temperature_c), ""]
    return "\n".join(lines)


def _header_lines(title: str, axon: str, temperature_c: float) -> list[str]:
    header = {
        "Simulated": "yes, by neurosim: a model axon, no person was examined",
        "File": "excitability.mem",
        "Name": f"simulated axon {axon}",
        "Protocol": "TROND on one axon",
        "Date": "",
        "Start time": "",
        "Age": "",
        "Sex": "",
        "Temperature": _format_value(temperature_c),
        "S/R sites": "one node",
        "NC/disease": "",
        "Operator": "",
        "Comments": " ".join(title.split()),
    }
    return [f" {name + ':':<19}\t{value}".rstrip(" ") for name, value in header.items()]


def _curve_lines(examination: Excitability, milliamperes: np.ndarray) -> list[str]:
    """Return the tables of charge, electrotonus, recovery and I/V; `milliamperes` by width."""
    width = examination.charge_widths_ms
    lines = _section_lines(
        "CHARGE DURATION DATA",
        ("Duration (ms)", " Threshold (mA)", "  Threshold charge (mA.mS)"),
        _table_rows("QT.", zip(width, milliamperes, milliamperes * width, strict=True)),
    )
    lines += _section_lines(
        "THRESHOLD ELECTROTONUS DATA",
        ("Delay (ms)", "Current (%)", "Thresh redn. (%)"),
        _electrotonus_lines(examination),
    )
    lines += _section_lines(
        "RECOVERY CYCLE DATA",
        ("Interval (ms)", "  Threshold change (%)"),
        _table_rows(
            "RC1.",
            zip(examination.recovery_interval_ms, examination.recovery_change_percent, strict=True),
        ),
    )
    iv = zip(
        examination.iv_current_percent[::-1], examination.iv_reduction_percent[::-1], strict=True
    )
    return lines + _section_lines(
        "THRESHOLD I/V DATA", ("Current (%)", "  Threshold redn. (%)"), _table_rows("IV1.", iv)
    )


def _derived_lines(examination: Excitability, temperature_c: float) -> list[str]:
    """Return the derived measures with the numbers of the layout, and the extra ones."""
    values = {key: examination.measures[key] for key in LABELS}
    values["rheobase_pa"] *= MA_PER_PA
    numbered = [(number, label, values[key]) for key, (number, label) in LABELS.items() if number]
    numbered += [
        (1, "Stimulus (mA) for 50% max response", MA_PER_PA * examination.threshold_1ms_pa)
    ]
    numbered += [(9, "Temperature ( C)", temperature_c)]
    extra = [(label, values[key]) for key, (number, label) in LABELS.items() if not number]
    return [
        "  DERIVED EXCITABILITY VARIABLES",
        "",
        "Program = neurosim (simulated)",
        "Threshold method = 0 (bisection on one axon)",
        "SR method = 0 (one axon, all or none)",
        "",
        *(
            f" {number}.".ljust(20) + f"\t{_format_value(value):<20}\t{label}"
            for number, label, value in sorted(numbered)
            if not math.isnan(value)
        ),
        "",
        "",
        "  EXTRA VARIABLES (add here as required, e.g. Potassium = 4.5)",
        "",
        *(f"{label} = {_format_value(value)}" for label, value in extra if not math.isnan(value)),
        "",
    ]


# --- Reading ---------------------------------------------------------------------------

_TABLE_LINE = re.compile(r"^(SR|QT|TE|RC|IV)(\d*)\.(\d+)\s*\t(.*)$")
_HEADER_LINE = re.compile(r"^\s+([^:\t]+):\s*(.*)$")
_DERIVED_LINE = re.compile(r"^\s*\d+\.\s+(\S+)\s+(.+)$")
_EXTRA_LINE = re.compile(r"^(.+?)\s*=\s*(\S+)\s*$")


def _parse_number(text: str) -> float:
    """Return a number, with a comma or a point; NaN if there is none."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return math.nan


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def read_mem(path: str | Path) -> MemFile:
    """Return what a MEM file holds, whether recorded or written by `mem_text`.

    Rows with an empty place are left out. Sections that are absent give empty tables.

    Raises
    ------
    NeurosimError
        If the file cannot be read or is no MEM file.
    """
    header: dict[str, str] = {}
    tables: dict[tuple[str, str], list[list[float]]] = {}
    derived: dict[str, float] = {}
    section = ""
    for line in _decode(file_bytes(path, LARGEST_MB)).splitlines():
        if len(line) > LONGEST_LINE:
            continue
        title = line.strip()
        if re.match(r"^ +[A-Z][A-Z/ -]{8,}", line) and ":" not in line:
            section = title
        elif match := _TABLE_LINE.match(line):
            kind, group, _, rest = match.groups()
            values = [_parse_number(cell) for cell in rest.split("\t")][: _COLUMNS[kind]]
            rows = tables.setdefault((kind, group if kind == "TE" else ""), [])
            if len(values) == _COLUMNS[kind] and all(abs(v) <= LARGEST_NUMBER for v in values):
                rows.append(values)
        elif not section and (match := _HEADER_LINE.match(line)):
            header[match[1].strip()] = match[2].strip()
        elif section.startswith("DERIVED") and (match := _DERIVED_LINE.match(line)):
            derived[match[2].strip()] = _parse_number(match[1])
        elif section.startswith("EXTRA") and (match := _EXTRA_LINE.match(line)):
            derived[match[1].strip()] = _parse_number(match[2])
    if not tables and not derived:
        raise NeurosimError(f"{path} is no MEM file: it has no table of an examination.")
    return _mem_file(header, tables, derived)


def _mem_file(
    header: dict[str, str],
    tables: Mapping[tuple[str, str], list[list[float]]],
    derived: Mapping[str, float],
) -> MemFile:
    """Return the parts of a file under their names."""
    known = {label: key for key, (_, label) in LABELS.items()}
    measures = {known[name]: v for name, v in derived.items() if name in known}
    if "rheobase_pa" in measures:
        measures["rheobase_pa"] /= MA_PER_PA
    electrotonus: dict[int, np.ndarray] = {}
    for (kind, _), rows in tables.items():
        if kind == "TE" and rows:
            array = np.array(rows)
            level = round(float(array[np.abs(array[:, 1]).argmax(), 1]))
            electrotonus[level] = array
    plain = {
        name: np.array(tables.get((kind, ""), []), float).reshape(-1, _COLUMNS[kind])
        for kind, name in _TABLES.items()
    }
    other = {name: v for name, v in derived.items() if name not in known}
    return MemFile(
        header=header, electrotonus=electrotonus, measures=measures, other=other, **plain
    )
