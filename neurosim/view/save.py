"""What `neurosim run` prints, draws and writes of a result, and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosim.simulation.person_run import run_one
from neurosim.simulation.scenario import comparison_scenario
from neurosim.view import course, export, figures, sound, style, summary

if TYPE_CHECKING:
    import numpy as np

    from neurosim.base.files import Content
    from neurosim.simulation.people import People
    from neurosim.simulation.result import Result


def comparison_result(result: Result) -> Result | None:
    """Return what a result is compared with: what was asked for, else the person in health.

    None for a healthy body.
    """
    if result.against is not None:
        return result.against
    other = comparison_scenario(result.scenario)
    return None if other is None else run_one(other, result.person)


def result_text(result: Result) -> str:
    """Return the lines that `neurosim run` prints."""
    return _text(result, summary.describe(result, comparison_result(result), result.compared))


def _text(result: Result, description: str) -> str:
    lines = [description]
    if result.idle_remedy:
        lines.insert(0, f"Nothing changes: {result.idle_remedy} has nothing to mend in this body.")
    if result.compared is not None:
        lines.append(
            f"twitches.csv and discharges.csv are of person {result.person}; people.csv counts all."
        )
    return "\n".join(lines)


def draw_result(result: Result, against: Result | None = None, people: People | None = None) -> Any:
    """Return the picture of a result beside what it is compared with, or beside something else."""
    other = comparison_result(result) if against is None else against
    return figures.picture_chain(result, other, result.compared if people is None else people)


def result_table(result: Result) -> dict[str, np.ndarray]:
    """Return one row a twitch, as in ``twitches.csv``."""
    return result.twitches.columns()


def result_files(result: Result) -> dict[str, Content]:
    """Return what `neurosim run` writes, by file name."""
    about: dict[str, Any] = export.provenance(result.scenario, person=result.person)
    if result.compared is not None:
        about["note"] = f"Of person {result.person} only; people.csv counts every person."
    files: dict[str, Content] = {}
    files |= export.table_files("twitches", result.twitches.columns(), about)
    files |= export.table_files("discharges", result.firing.columns(), about)
    if result.scenario.course is not None:
        files |= export.table_files("course", course.course_columns(result), about)
    files["result.json"] = export.json_bytes(export.result_json(result))
    if result.compared is not None:
        files["people.csv"] = export.csv_bytes(export.people_columns(result.compared))
    files |= sound.run_files(result)
    figure = draw_result(result)
    files["figure.png"] = style.png_bytes(figure)
    files["figure.txt"] = export.text_bytes(figure.alt_text)
    return files
