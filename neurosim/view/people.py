"""Many people under several scenarios, and a sweep: words, pictures, tables, files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body
from neurosim.simulation.ratio import NO_RATIO, paired_ratio
from neurosim.view import export, figures, style, summary
from neurosim.view.cohort_plot import draw_rates
from neurosim.view.cohort_tables import rate_row, rate_sentences, rate_table
from neurosim.view.style import ADVICE, label_number, muscle_words, pluralize, time_words

if TYPE_CHECKING:
    from neurosim.base.files import Content
    from neurosim.simulation.people import People
    from neurosim.simulation.sweep import Sweep

# --- Many people ---------------------------------------------------------------------------


def people_rows(people: People) -> list[dict[str, Any]]:
    """Return one row for each scenario, its rates against the first healthy body, if there is."""
    rows: list[dict[str, Any]] = []
    health = _healthy_row(people)
    for i, scenario in enumerate(people.scenarios):
        expected, ratio = people.expected_per_min[i], NO_RATIO
        if health is not None:
            ratio = paired_ratio(expected, people.expected_per_min[health])
        rows.append(rate_row(scenario, people.per_min[i], people.visible[i], expected, ratio))
    return rows


def _healthy_row(people: People) -> int | None:
    healthy = [s.body == Body() and s.course is None for s in people.scenarios]
    return healthy.index(True) if True in healthy else None


def people_headline(people: People) -> str:
    """Return who was counted, in one line."""
    first = people.scenarios[0]
    return (
        f"{_count_words(people.twitches.shape[1])} of seed {first.seed}, "
        f"{pluralize(len(people.scenarios), 'scenario')}, {muscle_words(first.muscle)}, "
        f"{time_words(first.duration_s)}"
    )


def _count_words(people: int) -> str:
    return "1 person" if people == 1 else f"{label_number(people)} people"


def describe_people(people: People) -> str:
    """Return how often the people twitch: a table, and what it says below."""
    lines = [people_headline(people), "", *rate_table(people_rows(people)), ""]
    lines.append(
        "Twitches a minute: the median person, and in brackets the middle half of people; silent "
        "people count as 0."
    )
    return "\n".join([*lines, ADVICE])


def draw_people(people: People) -> Any:
    """Draw twitches per minute of all people, a row for each scenario."""
    first = people.scenarios[0]
    sentences = rate_sentences(
        people.scenarios, people_rows(people), f"in {time_words(first.duration_s)}"
    )
    caption = f"{people_headline(people)}; the same people in every row"
    return draw_rates(people.scenarios, people_rows(people), people.per_min, caption, sentences)


def people_files(people: People) -> dict[str, Content]:
    """Return the table of the people with its description, and the picture."""
    about = export.provenance(
        people.scenarios[0], scenarios={s.name: s.to_mapping() for s in people.scenarios}
    )
    files: dict[str, Content] = {}
    files |= export.table_files("people", export.people_columns(people), about)
    figure = draw_people(people)
    files["people.png"] = style.png_bytes(figure)
    files["people.txt"] = export.text_bytes(f"{describe_people(people)}\n\n{figure.alt_text}")
    return files


# --- A sweep -------------------------------------------------------------------------------


def _field_label(sweep: Sweep) -> str:
    field = FIELDS.get(sweep.field)
    return f"{field.title}, {field.unit or 'no unit'}" if field else sweep.field


def describe_sweep(sweep: Sweep) -> str:
    """Return the lines that `neurosim sweep` prints."""
    return summary.describe_sweep(_field_label(sweep), sweep.values, sweep.people.per_min)


def sweep_headline(sweep: Sweep) -> str:
    """Return what was swept, in one line."""
    ends = f"{sweep.values[0]:g} to {sweep.values[-1]:g} in {pluralize(len(sweep.values), 'step')}"
    return f"{sweep.field} {ends}, {_count_words(sweep.scenario.people)} each"


def draw_sweep(sweep: Sweep) -> Any:
    """Draw twitches per minute against the field."""
    field = FIELDS.get(sweep.field)
    return figures.picture_sweep(
        _field_label(sweep),
        sweep.values,
        sweep.people.per_min,
        (field.low, field.high) if field and field.high > field.low else None,
        sweep.scenario.duration_s,
    )


def sweep_columns(sweep: Sweep) -> dict[str, Any]:
    """Return one row for each step and person, the field first."""
    columns, n = export.people_columns(sweep.people), sweep.scenario.people
    steps = np.repeat(sweep.values, n)
    return {sweep.field: steps, **{n: c for n, c in columns.items() if n != "scenario"}}


def sweep_files(sweep: Sweep) -> dict[str, Content]:
    """Return what `neurosim sweep` writes, by file name."""
    about = export.provenance(sweep.scenario, swept=sweep.field)
    files: dict[str, Content] = {}
    files |= export.table_files("sweep", sweep_columns(sweep), about)
    figure = draw_sweep(sweep)
    files["sweep.png"] = style.png_bytes(figure)
    files["sweep.txt"] = export.text_bytes(figure.alt_text)
    return files
