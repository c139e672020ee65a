"""A printed laboratory panel becomes a body: names and units as laboratories print them."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, clip_name
from neurosim.base.parameters import parameter
from neurosim.clinic import laboratory_csv as sheet
from neurosim.model.body.state import Body
from neurosim.model.body.units import (
    INPUT_UNITS,
    PRINTED,
    TOTALS,
    EnteredValue,
    _check_limits,  # pyright: ignore[reportPrivateUsage] the limits of every entry
    to_body_fields,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

SUBSTANCES = {
    "sodium": "sodium",
    "natrium": "sodium",
    "sodio": "sodium",
    "na": "sodium",
    "na+": "sodium",
    "potassium": "potassium",
    "kalium": "potassium",
    "potasio": "potassium",
    "k": "potassium",
    "k+": "potassium",
    "calcium": "calcium",
    "kalzium": "calcium",
    "calcio": "calcium",
    "ca": "calcium",
    "ca2+": "calcium_ion",
    "ca++": "calcium_ion",
    "ica": "ionised_calcium",
    "ica2+": "ionised_calcium",
    "ica++": "ionised_calcium",
    "magnesium": "magnesium",
    "magnesio": "magnesium",
    "mg": "magnesium",
    "mg2+": "magnesium",
    "mg++": "magnesium",
    "img": "ionised_magnesium",
    "img2+": "ionised_magnesium",
    "img++": "ionised_magnesium",
    "albumin": "albumin",
    "albumine": "albumin",
    "albumina": "albumin",
    "alb": "albumin",
    "ph": "ph",
    "caffeine": "caffeine",
    "cafeine": "caffeine",
    "cafeina": "caffeine",
    "coffein": "caffeine",
    "koffein": "caffeine",
}
IONISED_WORDS = set(
    "ionised ionized ion ionic free ionisiert ionisiertes frei freies ionise libre ionizado "
    "ionico".split()
)
TOTAL_WORDS = {"total", "totale", "ges", "gesamt"}
# Words that do not change which quantity is meant.
HARMLESS_WORDS = set(
    "serum plasma blood arterial venous capillary s p b level im in de du en wert spiegel blut "
    "vollblut arteriell venos kapillar serique plasmatique sang suero sangre "
    "serico plasmatico pl ise 37 c".split()
)
# Words that make it something else, which the model has no use for.
OTHER_FLUIDS = set(
    "urine urinary u harn urin sammelurin spontanurin urinaire urines orina urinaria csf liquor "
    "stool stuhl sweat faeces feces dialysate punctate punktat fluid saliva speichel hair rbc "
    "erythrocyte erythrocytes intracellular excretion ausscheidung clearance ratio quotient "
    "creatinine kreatinin globulin bicarbonate vitamin antibody channel 125 15 19 72".split()
)
# A calcium of this kind is a total with albumin already in it, printed beside the plain one.
ADJUSTED_WORDS = {
    "adjusted",
    "adj",
    "corrected",
    "corr",
    "korrigiert",
    "korr",
    "corrige",
    "corregido",
}


@dataclass(frozen=True)
class Panel:
    """A laboratory panel as read.

    Attributes
    ----------
    body : Body
        The person the panel describes; what is not on it is healthy.
    used : tuple of str
        One sentence for each line the model uses.
    ignored : tuple of str
        One sentence for each line it does not use, and why.
    """

    body: Body
    used: tuple[str, ...]
    ignored: tuple[str, ...]

    def __str__(self) -> str:
        parts = [str(self.body), "", "Read from the panel:", *self.used]
        return "\n".join([*parts, "Not used:", *self.ignored] if self.ignored else parts)


def _match_substances(analyte: str) -> tuple[list[str], list[str]]:
    """Return the substances that a printed analyte names, and its words beside them.

    Words that change nothing are left out.
    """
    text = re.sub(r"\b(gesamt|serum|plasma)(?=[a-z])", r"\1 ", sheet.fold_text(analyte))
    tokens = re.findall(r"[a-z0-9]+\+*", text)
    # "Na +" and "Ca 2+" are one word printed as two.
    joined = re.sub(r"\b(na|k|i?ca|i?mg) ?(2\+|\+{1,2})", r"\1\2", " ".join(tokens))
    # "i.S." and "i.U." are German for in serum and in urine.
    joined = re.sub(r"\bi (?=(s|p|pl|b|u|serum|plasma|blut|urin|harn)\b)", "", joined)
    rest = [w for w in joined.split() if w not in HARMLESS_WORDS or w == joined]
    return [SUBSTANCES[w] for w in rest if w in SUBSTANCES], [
        w for w in rest if w not in SUBSTANCES
    ]


def _resolve_quantity(analyte: str) -> str | None:
    """Return which quantity a printed analyte is, or None if the model has no such quantity.

    Raises
    ------
    NeurosimError
        If it names a substance of the model with a word that is not understood.
    """
    named, others = _match_substances(analyte)
    qualifiers = set(others)
    bases = {n.removeprefix("ionised_").removesuffix("_ion") for n in named}
    if len(bases) != 1 or qualifiers & (OTHER_FLUIDS | ADJUSTED_WORDS):
        return None
    substance = max(named, key=len)  # "Calcium (Ca2+)": the symbol says more
    ionised, total = qualifiers & IONISED_WORDS, qualifiers & TOTAL_WORDS
    strange = [w for w in others if w not in IONISED_WORDS | TOTAL_WORDS]
    divided = substance in ("calcium", "calcium_ion", "magnesium")
    if strange or (ionised and total) or (total and not divided):
        word = strange[0] if strange else others[-1]
        known = substance.removesuffix("_ion").replace("_", " ")
        raise NeurosimError(
            f"'{analyte}' names {known}, but '{word}' with it is not understood; write only "
            f"'{known}', or leave the line out."
        )
    if not divided:
        return substance
    base = substance.removesuffix("_ion")
    if ionised:
        return f"ionised_{base}"
    return f"total_{base}" if total or substance != "calcium_ion" else substance


def _guess_analyte(analyte: str) -> str:
    """Return the analyte that a word was probably meant to be, or an empty text."""
    known = HARMLESS_WORDS | OTHER_FLUIDS | IONISED_WORDS | TOTAL_WORDS | ADJUSTED_WORDS
    tokens = [w for w in re.findall(r"[a-z]{5,}", sheet.fold_text(analyte)) if w not in known]
    if len(tokens) != 1 or tokens[0] in SUBSTANCES:
        return ""
    near = difflib.get_close_matches(tokens[0][:60], [s for s in SUBSTANCES if len(s) > 4], 1, 0.85)
    return near[0] if near else ""


def _is_adjusted_calcium(analyte: str) -> bool:
    named, others = _match_substances(analyte)
    return (
        "calcium" in named and bool(ADJUSTED_WORDS & set(others)) and not OTHER_FLUIDS & set(others)
    )


def _known_quantity(row: sheet.Row, where: str) -> str | None:
    """Return the quantity of a line, or None if the model has no use for it."""
    if not row.analyte:
        raise NeurosimError(f"{where}: the value {clip_name(row.value)} has no analyte.")
    try:
        quantity = _resolve_quantity(row.analyte)
    except NeurosimError as error:
        raise NeurosimError(f"{where}: {error}") from None
    near = "" if quantity else _guess_analyte(row.analyte)
    if near:
        raise NeurosimError(
            f"{where}: unknown analyte '{clip_name(row.analyte)}': did you mean '{near}'?"
        )
    return quantity


def _read_calcium_ion(value: float, where: str) -> str:
    """Return whether a bare Ca2+ in mmol/L is the ionised or the total calcium.

    Printers use the symbol for both; the two healthy values are a factor of two apart.
    """
    if value < parameter("body", "calcium_ion_is_ionised_below"):
        return "ionised_calcium"
    if value > parameter("body", "calcium_ion_is_total_above"):
        return "total_calcium"
    raise NeurosimError(
        f"{where}: Ca2+ {value:g} mmol/L may be total or ionised calcium; write 'Calcium (total)' "
        "or 'Ionised calcium'."
    )


def _input_name(quantity: str, row: sheet.Row, where: str) -> str:
    """Return the name under which a body takes a quantity in the unit of its line."""
    if quantity == "ph":
        if sheet.fold_text(row.unit) in ("", "1", "-", "ph"):
            return "ph"
        raise NeurosimError(
            f"{where}: unknown unit '{clip_name(row.unit)}' for {clip_name(row.analyte)}; "
            "it has none."
        )
    prefix = "ionised_calcium" if quantity == "calcium_ion" else quantity
    name = f"{prefix}_{sheet.unit_suffix(row.unit)}"
    if name not in INPUT_UNITS:
        allowed = ", ".join(t for s, t in PRINTED.items() if f"{prefix}_{s}" in INPUT_UNITS)
        split = sheet.parse_number(row.unit) is not None
        hint = " (if a decimal comma split the value, put it in quotes)" if split else ""
        raise NeurosimError(
            f"{where}: unknown unit '{clip_name(row.unit)}' for {clip_name(row.analyte)}; "
            f"allowed are {allowed}{hint}."
        )
    return name


def _read_row(row: sheet.Row, quantity: str, where: str) -> tuple[str, float]:
    """Return the name under which a body takes one used line, and its number."""
    value = sheet.parse_number(row.value)
    if value is None:
        raise NeurosimError(
            f"{where}: the value of {clip_name(row.analyte)} must be a number, not "
            f"'{clip_name(row.value)}'."
        )
    name = _input_name(quantity, row, where)
    if quantity == "calcium_ion":
        kind = _read_calcium_ion(value * INPUT_UNITS[name].factor, where)
        name = name.replace("ionised_calcium", kind)
    return name, value


def _drop_unneeded(entries: dict[str, tuple[str, float, str]]) -> list[str]:
    """Remove lines that another one makes needless, and return why, one sentence each.

    A panel prints what it prints: a measured ionised value beats one estimated from a
    total, and albumin and pH then have nothing to correct.
    """
    reasons: list[str] = []
    for total, field in TOTALS.items():
        if total in entries and field in entries:
            reasons.append(f"{entries.pop(total)[2]}: the ionised value is used instead.")
    for target in ("albumin_g_l", "ph"):
        if target in entries and "total_calcium" not in entries:
            reasons.append(f"{entries.pop(target)[2]}: it only corrects a total calcium.")
    return reasons


@public
def read_panel(path: str | PathLike[str]) -> Panel:
    """Return the body that a laboratory panel in a CSV file describes.

    The file has columns analyte, value and unit (other columns are passed over), separated
    by commas, semicolons or tabs, with decimal points or commas.

    Raises
    ------
    NeurosimError
        Naming the line, for a value that is no number or cannot be survived, an unknown
        unit, or an analyte that stands there twice; also if the file cannot be read, lacks
        a column, or holds nothing the model uses.
    """
    entries: dict[str, tuple[str, float, str]] = {}
    ignored: list[str] = []
    adjusted = ""
    for row in sheet.read_rows(path):
        where, label = f"{path!s}, line {row.line}", f"line {row.line}, {clip_name(row.analyte)}"
        quantity = _known_quantity(row, where)
        if quantity is None:
            ignored.append(f"{label}: not part of this model.")
            adjusted = adjusted or (where if _is_adjusted_calcium(row.analyte) else "")
            continue
        name, value = _read_row(row, quantity, where)
        target = INPUT_UNITS[name].target
        if target in entries:
            raise NeurosimError(
                f"{where}: {clip_name(row.analyte)} stands there twice ({entries[target][2]})."
            )
        entries[target] = (name, value, label)
    if adjusted and not entries.keys() & {"total_calcium", "ionised_calcium_mmol_l"}:
        raise NeurosimError(
            f"{adjusted}: an adjusted calcium alone is not used; give the measured total calcium "
            "and albumin, or ionised calcium."
        )
    ignored += _drop_unneeded(entries)
    if not entries:
        raise NeurosimError(f"The laboratory panel {path!s} has no analyte that the model uses.")
    used = tuple(f"{label}: read as {name} = {value:g}." for name, value, label in entries.values())
    return Panel(Body(**_panel_fields(path, entries)), used, tuple(ignored))


def _panel_fields(
    path: str | PathLike[str], entries: Mapping[str, tuple[str, float, str]]
) -> dict[str, float]:
    """Return the body fields of a panel's lines, naming the line of a value out of range."""
    fields: dict[str, float] = {}
    conditions = {t: entries[t] for t in ("albumin_g_l", "ph") if t in entries}
    for target, (name, value, label) in entries.items():
        if target in conditions:
            continue
        together = {name: value}
        try:
            if target == "total_calcium":
                for other, (alias, amount, its_label) in conditions.items():
                    label = its_label
                    _check_limits(
                        other,
                        amount * INPUT_UNITS[alias].factor,
                        EnteredValue(alias, amount, amount),
                    )
                    together[alias] = amount
                label = entries[target][2]
            fields |= to_body_fields(together)
        except NeurosimError as error:
            raise NeurosimError(f"{path!s}, {label}: {error}") from None
    return fields
