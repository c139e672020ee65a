"""Reading the sheet a laboratory prints: lines of analyte, value and unit, in any usual CSV.

This module knows only the file; what an analyte means is in `panel`.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosim.base.errors import NeurosimError, file_bytes

if TYPE_CHECKING:
    from os import PathLike

# English, German, French and Spanish, without accents.
HEADERS = {
    "analyte": (
        "analyte", "test", "parameter", "name", "component", "investigation",
        "analyt", "bezeichnung", "untersuchung", "analyse", "examen", "parametre", "analito",
        "prueba", "parametro",
    ),
    "value": (
        "value", "result", "results", "measurement",
        "ergebnis", "messwert", "wert", "resultat", "valeur", "resultado", "valor",
    ),
    "unit": ("unit", "units", "einheit", "einheiten", "unite", "unites", "unidad", "unidades"),
}  # fmt: skip
LARGEST_MB = 0.2  # a sheet has a few kB
SEPARATORS = ";\t,"


@dataclass(frozen=True)
class Row:
    """One line of the sheet: its number in the file and the three texts."""

    line: int
    analyte: str
    value: str
    unit: str


def read_text(
    path: str | PathLike[str], most_mb: float = LARGEST_MB, what: str = "the laboratory panel"
) -> str:
    """Return the text of a file in UTF-8, or as Excel saves it (UTF-16, Windows-1252).

    Raises
    ------
    NeurosimError
        If it cannot be read or is no text.
    """
    data = file_bytes(path, most_mb, what)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise NeurosimError(f"T{what[1:]} {path!s} is not a text file; save it as CSV.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _find_columns(cells: list[str]) -> dict[str, int]:
    """Return which column is the analyte, the value and the unit, as far as they are named."""
    names = [fold_text(cell) for cell in cells]
    return {
        role: names.index(next(word for word in headers if word in names))
        for role, headers in HEADERS.items()
        if any(word in names for word in headers)
    }


def read_rows(path: str | PathLike[str]) -> list[Row]:
    """Return the filled lines below the header of a laboratory sheet.

    The header may stand below a title; comma, semicolon and tab separate; blank lines and
    other columns (reference range, flag) are passed over.

    Raises
    ------
    NeurosimError
        If the file cannot be read or a column is missing.
    """
    # Not splitlines(): it also breaks at characters that an editor does not count as lines.
    lines = re.split(r"\r\n|\r|\n", read_text(path))
    best: dict[str, int] = {}
    for separator in SEPARATORS:
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        try:
            table = [(reader.line_num, cells) for cells in reader]
        except csv.Error as error:
            raise NeurosimError(f"{path!s}, line {reader.line_num}: {error}.") from None
        for start, (_, cells) in enumerate(table):
            columns = _find_columns(cells)
            if len(columns) == len(HEADERS):
                return _body_rows(table[start + 1 :], columns)
            best = max(best, columns, key=len)
    missing = ", ".join(role for role in HEADERS if role not in best)
    raise NeurosimError(
        f"The laboratory panel {path!s} has no column {missing}: its first line must name the "
        "columns analyte, value and unit, separated by commas, semicolons or tabs."
    )


def _body_rows(table: list[tuple[int, list[str]]], columns: dict[str, int]) -> list[Row]:
    def cell(cells: list[str], role: str) -> str:
        place = columns[role]
        return cells[place].strip() if place < len(cells) else ""

    rows = [Row(n, *(cell(cells, role) for role in HEADERS)) for n, cells in table]
    return [row for row in rows if row.analyte or row.value]


def fold_text(text: str) -> str:
    """Return a text in lower case, without accents and superscripts, one micro sign and minus."""
    text = unicodedata.normalize("NFKD", text).lower().replace("μ", "u")
    text = "".join(c for c in text if not unicodedata.combining(c))
    return text.replace("\N{MINUS SIGN}", "-").strip()


def unit_suffix(unit: str) -> str | None:
    """Return a printed unit as it ends a name here (``mg/dL`` is ``mg_dl``), or None."""
    text = re.sub(r"\s|\^", "", fold_text(unit)).replace("·", "")
    text = re.sub(r"(d?l)-1$", r"/\1", text)
    return UNITS.get(text)


UNITS = {
    "mmol/l": "mmol_l",
    "mm": "mmol_l",
    "meq/l": "meq_l",
    "mval/l": "meq_l",
    "mg/dl": "mg_dl",
    "mg%": "mg_dl",
    "mg/l": "mg_l",
    "ug/ml": "mg_l",
    "mcg/ml": "mg_l",
    "g/dl": "g_dl",
    "g/l": "g_l",
    "umol/l": "umol_l",
    "um": "umol_l",
}
NUMBER_PATTERN = re.compile(r"[+-]?\d+(?:[.,]\d+)?", re.ASCII)


def parse_number(text: str) -> float | None:
    """Return a printed number, with a decimal point or comma, or None if it is none."""
    text = fold_text(text)
    return float(text.replace(",", ".")) if NUMBER_PATTERN.fullmatch(text) else None
