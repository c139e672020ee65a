"""What an examination of an axon prints, draws, saves and rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosim.clinic.comparison import match_pattern
from neurosim.clinic.mem import mem_text
from neurosim.clinic.norms import norms
from neurosim.view import excitability_figures, export, style
from neurosim.view.describe_body import person_words
from neurosim.view.excitability_words import describe_excitability, excitability_table

if TYPE_CHECKING:
    from neurosim.base.files import Content
    from neurosim.clinic.excitability import Excitability
    from neurosim.simulation.examine import Examination

LONGEST_TITLE = 40  # characters of a title in a headline


def _with_partner(examination: Examination) -> tuple[Excitability, Excitability]:
    """Return the test and that of health; where nothing is changed, they are one object."""
    healthy = examination.healthy
    return (healthy if examination.is_healthy else examination), healthy


def _figure_words(examination: Examination) -> str:
    lines = [f"Nerve-excitability test, {examination.title}."]
    if examination.person is not None:
        lines.insert(0, person_words(examination.axon, examination.scores))
    return "\n".join([*lines, describe_excitability(*_with_partner(examination))])


def describe_examination(examination: Examination) -> str:
    """Return the lines that `neurosim excitability` prints."""
    table = excitability_table(*_with_partner(examination))
    head = f"Axon {examination.axon}, {examination.title}"
    return f"{head}\n\n{table}\n\n{_figure_words(examination)}"


def examination_headline(examination: Examination) -> str:
    """Return what was examined and what it looks like."""
    test, healthy = _with_partner(examination)
    title = examination.title
    if len(title) > LONGEST_TITLE:
        title = f"{title[:LONGEST_TITLE]}..."
    pattern = match_pattern(test, healthy)
    if test.blocked:
        verdict = "no pulse makes it fire"
    elif pattern is not None:
        verdict = f"looks like {pattern}"
    else:
        verdict = f"1-ms threshold {test.threshold_1ms_pa:.0f} pA"
    return f"axon {examination.axon}, {title}: {verdict}"[:90]


def picture_examination(examination: Examination) -> Any:
    """Draw the test's four classic plots over those of health and of 280 people."""
    test, healthy = _with_partner(examination)
    title = examination.title
    figure = excitability_figures.picture_excitability(test, healthy, norms(), title)
    figure.alt_text = _figure_words(examination)
    return figure


def examination_rows(examination: Examination) -> list[dict[str, Any]]:
    """Return one row for each derived measure, as in ``excitability.csv``."""
    return export.excitability_rows(*_with_partner(examination))


def examination_files(examination: Examination) -> dict[str, Content]:
    """Return what `neurosim excitability` writes."""
    test, healthy = _with_partner(examination)
    figure = picture_examination(examination)
    about = export.provenance(
        examination.scenario,
        membrane_changes=examination.changes,
        conditions=vars(examination.conditions),
        curves=export.excitability_json(test),
        published="human_mean, human_sd and human_median are of human_n healthy people; "
        "model and health are simulated",
    )
    files: dict[str, Content] = {}
    files |= export.table_files("excitability", examination_rows(examination), about)
    files["curves.csv"] = export.csv_bytes(export.to_columns(export.curve_rows(test, healthy)))
    temperature_c = examination.conditions.temperature_c
    mem = mem_text(test, examination.title, examination.axon, temperature_c)
    files["excitability.mem"] = mem.encode("utf-8")
    files["excitability.png"] = style.png_bytes(figure)
    table = excitability_table(test, healthy)
    files["excitability.txt"] = export.text_bytes(f"{table}\n\n{figure.alt_text}")
    return files
