"""A cohort as tables and words: people, hours, histograms and a summary.

Tables may be larger than memory, so they come in blocks and are written block by block, as CSV or
Parquet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.firing.discharge import ORIGINS
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.simulation.plan import COHORT_SIGNS, COUNTS, HOURLY, UNKNOWN, least_weeks
from neurosim.simulation.provenance import versions
from neurosim.simulation.ratio import Ratio, paired_ratio
from neurosim.simulation.tally import INTERVAL_EDGES_S, LARGEST
from neurosim.view.describe_ratio import ratio_band
from neurosim.view.export import csv_bytes, json_bytes, unit_of
from neurosim.view.style import ADVICE, label_number, muscle_words, pluralize

if TYPE_CHECKING:
    from neurosim.base.files import Content
    from neurosim.simulation.cohort import Cohort
    from neurosim.simulation.scenario import Scenario

Block = Mapping[str, Any]
HOURS = {"hours": "h", "hour": "h"}  # columns whose unit is their name
SIGN_VALUES = np.array([False, True, None], object)  # by a sign's number, the last `UNKNOWN`


# --- Tables ----------------------------------------------------------------------------------


def people_blocks(cohort: Cohort) -> Iterator[Block]:
    """Yield one row for each person, scenario and muscle, a part of the people at a time."""
    plan, n = cohort.plan, len(cohort.plan.states)
    names = np.array([s.name for s in plan.states], object)
    muscles = np.array([s.muscle for s in plan.states], object)
    for part in cohort.parts():
        rows = part["rows"]
        people, flat = len(rows), rows.ravel()
        yield {
            "seed": np.full(people * n, plan.seed),
            "person": flat["person"],
            "scenario": np.tile(names, people),
            "muscle": np.tile(muscles, people),
            "hours": np.full(people * n, plan.hours),
            **{c: flat[c] for c in COUNTS},
            "active_units": flat["active_units"],
            "expected_per_min": flat["expected_per_min"],
            "twitches_per_min": flat["twitches"] / (60.0 * plan.hours),
            **{f"{o}_twitches": flat[f"{o}_twitches"] for o in ORIGINS},
            **{sign: SIGN_VALUES[flat[sign]] for sign in COHORT_SIGNS},
        }


def hours_blocks(cohort: Cohort) -> Iterator[Block]:
    """Yield one row for each scenario, muscle and hour, summed over people."""
    plan = cohort.plan
    for i, state in enumerate(plan.states):
        yield {
            "seed": np.full(plan.bins, plan.seed),
            **_label_rows(state, plan.bins),
            "hour": np.arange(plan.bins),
            "people": np.full(plan.bins, plan.people),
            **{name: cohort.hours[i, :, c] for c, name in enumerate(HOURLY)},
        }


def histogram_blocks(cohort: Cohort) -> Iterator[Block]:
    """Yield the cells of the tables of intervals and of burst sizes; an open end is undefined."""
    sizes = np.arange(1.0, LARGEST + 1.0)
    tables = (
        ("interval_s", np.r_[0.0, INTERVAL_EDGES_S], np.r_[INTERVAL_EDGES_S, np.nan],
         cohort.intervals),
        ("burst_size", sizes, np.r_[sizes[:-1], np.nan], cohort.bursts),
    )  # fmt: skip
    for i, state in enumerate(cohort.plan.states):
        for kind, low, high, counts in tables:
            yield {
                "seed": np.full(low.size, cohort.plan.seed),
                **_label_rows(state, low.size),
                "kind": np.full(low.size, kind, object),
                "low": low,
                "high": high,
                "count": counts[i],
            }


def _label_rows(state: Any, rows: int) -> dict[str, np.ndarray]:
    return {
        "scenario": np.full(rows, state.name, object),
        "muscle": np.full(rows, state.muscle, object),
    }


def summary_rows(cohort: Cohort) -> list[dict[str, Any]]:
    """Return one row for each scenario and muscle.

    Rate ratios are those of the rates to be expected, person by person against health in the same
    muscle (`neurosim.simulation.ratio.paired_ratio`).
    """
    plan = cohort.plan
    rows: list[dict[str, Any]] = []
    for i, state in enumerate(plan.states):
        row = rate_row(
            state,
            cohort.per_min[i],
            cohort.visible[i],
            cohort.expected_per_min[i],
            ratio_to_health(cohort, i),
        )
        signs = {f"{sign}_share": _shown_share(cohort.sign(sign)[i]) for sign in COHORT_SIGNS}
        rows.append({"seed": plan.seed, **row, "hours": plan.hours, **signs})
    order = ("seed", "scenario", "muscle", "people", "hours")
    return [{**{name: row[name] for name in order}, **row} for row in rows]


def rate_row(
    scenario: Scenario,
    per_min: np.ndarray,
    visible: np.ndarray,
    expected_per_min: np.ndarray,
    ratio: Ratio,
) -> dict[str, Any]:
    """Return what the summary says of the rates of the same people in one scenario.

    Parameters
    ----------
    scenario : Scenario
    per_min, visible, expected_per_min : ndarray, shape (people,)
        Twitches per minute that were counted, twitches that could be seen, and twitches per minute
        to be expected over a long time.
    ratio : Ratio
        Against health.
    """
    low, median, high = np.quantile(per_min, (0.25, 0.5, 0.75))
    return {
        "scenario": scenario.name,
        "muscle": scenario.muscle,
        "people": per_min.size,
        "twitching_share": float((per_min > 0).mean()),
        "visible_share": float((visible > 0).mean()),
        "median_per_min": median,
        "lower_quartile_per_min": low,
        "upper_quartile_per_min": high,
        "mean_per_min": per_min.mean(),
        "mean_expected_per_min": expected_per_min.mean(),
        **_ratio_columns(ratio),
    }


def ratio_to_health(cohort: Cohort, state: int) -> Ratio:
    """Return the rate ratio of a state against the same people in health, in the same muscle."""
    healthy = cohort.plan.healthy[cohort.plan.states[state].muscle]
    return paired_ratio(cohort.expected_per_min[state], cohort.expected_per_min[healthy])


def _ratio_columns(ratio: Ratio) -> dict[str, float]:
    values = {"rate_ratio": ratio.value, "ratio_low": ratio.low, "ratio_high": ratio.high}
    return {name: v if math.isfinite(v) else math.nan for name, v in values.items()}


def _shown_share(sign: np.ndarray) -> float:
    return math.nan if (sign == UNKNOWN).any() else float(sign.mean())


# --- Files -----------------------------------------------------------------------------------


def csv_content(blocks: Callable[[], Iterator[Block]]) -> Content:
    """Return a function that writes blocks as one CSV table."""

    def write(file: IO[bytes]) -> None:
        for i, block in enumerate(blocks()):
            file.write(csv_bytes(block, head=i == 0))

    return write


def parquet_content(blocks: Callable[[], Iterator[Block]]) -> Content:
    """Return a function that writes blocks as one Parquet table."""

    def write(file: IO[bytes]) -> None:
        pa: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
        writer: Any = None
        for block in blocks():
            table: Any = pa.table(
                {
                    name: pa.array(column, type=pa.bool_() if name in COHORT_SIGNS else None)
                    for name, column in block.items()
                }
            )
            writer = writer or parquet.ParquetWriter(file, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()

    return write


def cohort_table_files(cohort: Cohort) -> dict[str, Content]:
    """Return the tables of a cohort by file name, to be written block by block."""
    end = cohort.plan.format
    content = parquet_content if end == "parquet" else csv_content
    rows = summary_rows(cohort)
    summary = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    summary |= {n: summary[n].astype(object) for n in ("scenario", "muscle")}
    blocks: dict[str, Callable[[], Iterator[Block]]] = {
        "people": lambda: people_blocks(cohort),
        "hours": lambda: hours_blocks(cohort),
        "histograms": lambda: histogram_blocks(cohort),
        "summary": lambda: iter([summary]),
    }
    return {f"{name}.{end}": content(one) for name, one in blocks.items()}


def cohort_record(cohort: Cohort) -> bytes:
    """Return ``cohort.json``: what was plan, units, versions, and what it took."""
    plan = cohort.plan
    first = {
        "people": next(people_blocks(cohort)), "hours": next(hours_blocks(cohort)),
        "histograms": next(histogram_blocks(cohort)), "summary": summary_rows(cohort)[0],
    }  # fmt: skip
    return json_bytes(
        {
            "simulated": True,
            "tables": {
                f"{name}.{plan.format}": {c: HOURS.get(c, unit_of(c)) for c in block}
                for name, block in first.items()
            },
            "note": "one row of people for each person, scenario and muscle; hours and histograms "
            "are summed over people; low and high of an interval in s, of a burst in discharges; "
            "hour is its start, in hours",
            "seed": plan.seed,
            "settings": plan.settings(),
            "chunk": cohort.chunk,
            "seconds": cohort.seconds,
            "core_seconds": cohort.core_seconds,
            "resumed": cohort.resumed,
            "versions": versions(),
            "advice": ADVICE,
        }
    )


# --- Words -----------------------------------------------------------------------------------


def describe_cohort(cohort: Cohort) -> str:
    """Return the summary as a table with a few sentences below."""
    plan = cohort.plan
    muscles = {s.muscle for s in plan.states}
    where = muscle_words(next(iter(muscles))) if len(muscles) == 1 else f"{len(muscles)} muscles"
    who = "1 person" if plan.people == 1 else f"{label_number(plan.people)} people"
    head = f"{who} (seed {plan.seed}), {pluralize(plan.hours, 'hour')}, {where}"
    lines = rate_table(summary_rows(cohort), len(muscles) > 1)
    floor = label_number(parameter("study", "rate_floor"))
    notes = [
        "Twitches a minute: the median person, and in brackets the middle half of people; silent "
        "people count as 0.",
        "Against health: rate to be expected over a long time against the same person's in health "
        f"(mean of people, 95 % interval); rates below {floor} a minute count as that.",
        _signs_words(cohort),
        ADVICE,
    ]
    return "\n".join([head, "", *lines, "", *notes])


def cohort_sentences(cohort: Cohort) -> str:
    """Return what the picture shows, a sentence for each scenario and muscle."""
    span = f"in {pluralize(cohort.plan.hours, 'hour')}"
    return rate_sentences(cohort.plan.states, summary_rows(cohort), span)


def rate_sentences(
    scenarios: Sequence[Scenario], rows: Sequence[Mapping[str, Any]], span: str
) -> str:
    """Return what a picture of rates shows, a sentence for each scenario (rows as `rate_row`)."""
    several, people = len({s.muscle for s in scenarios}) > 1, rows[0]["people"]
    who = "1 simulated person" if people == 1 else f"{label_number(people)} simulated people"
    lines = [f"How often {who} twitch {span}: the median person."]
    for row, state in zip(rows, scenarios, strict=True):
        where = f", {muscle_words(state.muscle)}" if several else ""
        low, middle, high = (
            label_number(float(f"{row[f'{name}_per_min']:.2g}"))
            for name in ("lower_quartile", "median", "upper_quartile")
        )
        lines.append(
            f"{state.title}{where}: {middle} twitches per minute (the middle half of people {low} "
            f"to {high}), {100.0 * (1.0 - row['twitching_share']):.0f} % without any twitch."
        )
    return "\n".join([*lines, ADVICE])


def rate_table(rows: Sequence[Mapping[str, Any]], with_muscle: bool = False) -> list[str]:
    """Return the lines of the printed table, of rows as `rate_row` and `summary_rows` give them."""
    known = [s for s in COHORT_SIGNS if not math.isnan(rows[0].get(f"{s}_share", math.nan))]
    compares = any(not math.isnan(row["rate_ratio"]) for row in rows)
    heads = [
        "scenario",
        *(["muscle"] if with_muscle else []),
        "twitch",
        "visibly",
        "twitches a minute",
        *(["against health"] if compares else []),
        *(sign.replace("_", " ") for sign in known),
    ]
    cells = [heads] + [
        [
            row["scenario"],
            *([row["muscle"]] if with_muscle else []),
            _percent_words(row["twitching_share"]),
            _percent_words(row["visible_share"]),
            f"{_rate_words(row['median_per_min'])} "
            f"({_rate_words(row['lower_quartile_per_min'])} to "
            f"{_rate_words(row['upper_quartile_per_min'])})",
            *([ratio_words(row)] if compares else []),
            *(_percent_words(row[f"{sign}_share"]) for sign in known),
        ]
        for row in rows
    ]
    wide = [max(len(line[i]) for line in cells) for i in range(len(heads))]
    left = 1 + with_muscle
    return [
        "  ".join(
            c.ljust(w) if i < left else c.rjust(w)
            for i, (c, w) in enumerate(zip(line, wide, strict=True))
        )
        for line in cells
    ]


def _percent_words(share: float) -> str:
    return f"{100.0 * share:.0f} %"


def _rate_words(per_min: float) -> str:
    return label_number(float(f"{per_min:.2g}"))


def ratio_words(row: Mapping[str, Any]) -> str:
    """Return the rate ratio of a summary's row in words, with its interval."""
    if row["scenario"] == "normal":
        return "health"
    return ratio_band(row["rate_ratio"], row["ratio_low"], row["ratio_high"])


def _signs_words(cohort: Cohort) -> str:
    """Return whether the article's signs of alarm can be told of so many weeks, and how."""
    weeks = int(cohort.plan.hours // 168)
    short = [sign for sign in COHORT_SIGNS if weeks < least_weeks(sign)]
    if len(short) == len(COHORT_SIGNS):
        least = min(least_weeks(sign) for sign in COHORT_SIGNS)
        return (
            f"The signs of alarm (persists, spreads, gets worse) are told from {least:.0f} weeks "
            "on; this is too short for them."
        )
    text = (
        f"Signs of alarm: share of people who show them in {weeks} weeks, every visible twitch seen"
    )
    if {s.muscle for s in cohort.plan.states} != set(MUSCLES):
        text += ", in the muscles that were counted alone"
    if short:
        text += f"; it persists is told from {least_weeks('persists'):.0f} weeks on"
    return text + "."


def cohort_headline(cohort: Cohort) -> str:
    """Return who was counted for how long, in one line."""
    plan = cohort.plan
    return (
        f"{label_number(plan.people)} people of seed {plan.seed}, {pluralize(plan.hours, 'hour')}, "
        f"{pluralize(len(plan.states), 'state')} beginning with {plan.states[0].name}"
    )


def cohort_columns(cohort: Cohort) -> dict[str, np.ndarray]:
    """Return one row for each person, scenario and muscle: the table of people."""
    blocks = list(people_blocks(cohort))
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
