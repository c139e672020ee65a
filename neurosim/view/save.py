"""What a result is saved as: the files of a command, and its table."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.base.files import Content
from neurosim.simulation.result import Result
from neurosim.view import course, export, figures, sound, style


def result_table(result: Result) -> dict[str, np.ndarray]:
    """Return one row a twitch, as in ``twitches.csv``."""
    return result.twitches.columns()


def result_files(result: Result) -> dict[str, Content]:
    """Return what `neurosim run` writes of one person."""
    about: dict[str, Any] = export.provenance(result.scenario, person=result.person)
    files = export.table_files("twitches", result.twitches.columns(), about)
    files |= export.table_files("discharges", result.firing.columns(), about)
    if result.scenario.course is not None:
        files |= export.table_files("course", course.course_columns(result), about)
    files["result.json"] = export.json_bytes(export.result_json(result))
    files |= sound.run_files(result)
    figure = figures.picture_chain(result)
    files["figure.png"] = style.png_bytes(figure)
    files["figure.txt"] = export.text_bytes(figure.alt_text)
    return files
