"""The article's report: one HTML file that opens from a USB stick, without a network."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from neurosim.article import phrases, plot, tables
from neurosim.article.claims import GROUPS
from neurosim.article.diary import GROUPS as DIARY_GROUPS
from neurosim.article.report_claim import claim_facts
from neurosim.base.parameters import GRADES, all_values, load_group, parameter
from neurosim.model.axon.axon import AXON_TITLES
from neurosim.model.body.fields import PRINTED_UNITS
from neurosim.model.body.remedies import remedy
from neurosim.simulation.scenario import title_in_sentence
from neurosim.view.describe_ratio import interval_words
from neurosim.view.export import text_bytes
from neurosim.view.parameter_use import assumption_words
from neurosim.view.style import ADVICE, muscle_words, png_bytes
from neurosim.view.templates import inline_picture, mark_html, render

if TYPE_CHECKING:
    from neurosim.base.files import Content

Facts = dict[str, Any]  # what a template shows, by the names that it uses
DIARY_WORDS = {
    "benign": "benign twitching", "als": "early ALS", "pinched": "pinched nerve",
    "anxiety": "anxiety",
}  # fmt: skip
# Class of a cell of the matrix, where it is not its word.
_CLASSES = {
    "nearly none": "fewer", "far fewer": "fewer", "far more": "more",
    "nothing to change": "nothing",
}  # fmt: skip


def article_files(article: Any) -> dict[str, Content]:
    """Return what `neurosim article` writes, by file name: tables, pictures, report."""
    files: dict[str, Content] = dict(tables.table_files(article))
    pictures = {
        "verdicts": plot.picture_verdicts(article),
        "remedies": plot.picture_remedies(article.matrix),
    }
    for name, figure in pictures.items():
        files[f"{name}.png"] = png_bytes(figure)
        files[f"{name}.txt"] = text_bytes(figure.alt_text)
    return files | {"report.html": text_bytes(report_html(article))}


def report_html(article: Any) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    article : Article
        From `neurosim.article.trial.article`.
    """
    css = resources.files("neurosim").joinpath("article/report.css").read_text("utf-8")
    return render(
        "article/templates/report.html",
        css=mark_html(css),
        advice=ADVICE,
        alarm=phrases.ALARM,
        summary=_summary_facts(article),
        verdicts_picture=inline_picture(plot.picture_verdicts(article)),
        claim_groups=[
            (title, [claim_facts(v, article) for v in article.verdicts if v.group == group])
            for group, title in GROUPS.items()
        ],
        remedies=_remedy_facts(article.matrix),
        alarms=_alarm_facts(article.alarms),
        rules=_rule_facts(),
        outside=[v for v in article.verdicts if v.outcome == "outside this model"],
        leans=_provenance_facts(article),
    )


# --- The facts of each section ---------------------------------------------------------


def _summary_facts(article: Any) -> Facts:
    counts = phrases.count_outcomes(article.verdicts)
    return {
        "claims": len(article.verdicts),
        "people": article.people,
        "remedy_people": article.matrix.log_ratio.shape[2],
        "muscle": muscle_words(article.base.muscle),
        "outcomes": [
            {
                "css": name.split()[0],
                "count": count,
                "words": phrases.outcome_words(name),
                "title": name[:1].upper() + name[1:],
                "claims": [
                    {"number": v.number, "words": title_in_sentence(v.claim)}
                    for v in article.verdicts
                    if v.outcome == name
                ],
            }
            for name, count in counts.items()
        ],
        "sentences": phrases.summary_sentences(article.verdicts)[1:],
    }


def _remedy_facts(matrix: Any) -> Facts:
    rows: list[tuple[str, ...]] = []
    classes: list[list[str]] = []
    for i, cause in enumerate(matrix.causes):
        words = [phrases.remedy_cell(matrix, i, j)[0] for j in range(len(matrix.remedies))]
        cells = (_cell_words(matrix, i, j, word) for j, word in enumerate(words))
        rows.append((phrases.cause_words(cause), *cells))
        classes.append([_CLASSES.get(word, word) for word in words])
    return {
        "picture": inline_picture(plot.picture_remedies(matrix)),
        "heads": ("Cause", *(remedy(name).label for name in matrix.remedies)),
        "rows": rows,
        "classes": classes,
    }


def _cell_words(matrix: Any, i: int, j: int, word: str) -> str:
    if word == "nothing to change":
        return plot.ARROWS[word]
    helped = 100 * phrases.share_helped(matrix, i, j)
    return f"{plot.ARROWS[word]} {word} {helped:.0f} %"


def _alarm_facts(alarms: Any) -> Facts:
    """Return who shows which sign, and how well it discriminates early ALS."""
    groups = [g for g in DIARY_GROUPS if alarms.for_group(g)]
    measures = ("Sensitivity, %", "Specificity, %", "Likelihood ratio")
    rows: list[tuple[str, ...]] = []
    for r in alarms.rows():
        counts = (f"{r[f'{g}_shown']} of {r[f'{g}_people']}" for g in groups)
        ratio = alarms.likelihood_ratio(r["sign"])
        rows.append(
            (
                str(r["words"]),
                *counts,
                str(alarms.sensitivity(r["sign"])),
                str(alarms.specificity(r["sign"])),
                interval_words(ratio.low, ratio.high),
            )
        )
    return {
        "people": len(alarms.diaries),
        "weeks": alarms.weeks,
        "heads": ("Sign", *(DIARY_WORDS.get(g, g) for g in groups), *measures),
        "rows": rows,
    }


def _rule_facts() -> Facts:
    limits = [v for v in load_group("study").values() if v.source == "rule" and v.note]
    return {
        "sure_percent": f"{100 * parameter('study', 'confidence'):.0f}",
        "edge": f"{parameter('study', 'smallest_ratio'):g}",
        "outcomes": phrases.OUTCOME_SIGNS,
        "axons": AXON_TITLES,
        "limits": [
            f"{v.note}: {v.value:g} {PRINTED_UNITS.get(v.unit, v.unit)}".strip() for v in limits
        ],
    }


def _provenance_facts(article: Any) -> Facts:
    """Return how well the numbers are known, and how the report was made."""
    from neurosim.simulation.provenance import versions

    grades = [v.grade for _, v in all_values()]
    return {
        "numbers": len(grades),
        "grades": ", ".join(f"{grades.count(g)} {g}" for g in GRADES),
        "words": assumption_words(article.parameters, "The verdicts lean"),
        "programs": ", ".join(f"{name} {v}" for name, v in versions().items()),
        "seed": article.base.seed,
        "axon": article.base.axon,
    }
