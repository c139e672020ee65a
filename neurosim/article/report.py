"""The article's report: one HTML file that opens from a USB stick, without a network."""

from __future__ import annotations

from html import escape
from importlib import resources
from typing import Any

from neurosim.article import phrases, plot, tables
from neurosim.article.claims import GROUPS
from neurosim.article.diary import GROUPS as DIARY_GROUPS
from neurosim.article.report_claim import claim_row
from neurosim.base.files import Content
from neurosim.base.parameters import GRADES, all_values, load_group, parameter
from neurosim.model.axon.axon import AXON_TITLES
from neurosim.model.body.remedies import remedy
from neurosim.simulation.scenario import title_in_sentence
from neurosim.view.export import text_bytes
from neurosim.view.html_parts import html_list, html_picture, html_table, interval_words
from neurosim.view.parameter_use import assumption_words
from neurosim.view.style import ADVICE, muscle_words, png_bytes

TITLE = "What makes muscles twitch? An article's claims, put to a model"
DIARY_WORDS = {
    "benign": "benign twitching", "als": "early ALS", "pinched": "pinched nerve",
    "anxiety": "anxiety",
}  # fmt: skip
# Class of a cell of the matrix, where it is not its word.
_CLASSES = {
    "nearly none": "fewer", "far fewer": "fewer", "far more": "more",
    "nothing to change": "nothing",
}  # fmt: skip
SECTIONS = {
    "summary": "In short",
    "picture": "The verdicts in one picture",
    "claims": "The claims one by one",
    "remedies": "Every remedy on every cause",
    "alarms": "Signs of alarm",
    "rules": "How it was judged",
    "outside": "Outside this model",
    "doctor": "When to see a doctor",
    "leans": "What this leans on",
}


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
    makers = (
        _summary_section,
        _verdicts_picture,
        _claims_section,
        _remedies_section,
        _alarms_section,
        _rules_section,
        _outside_section,
        _doctor_section,
        _provenance_section,
    )
    sections = "\n".join(
        f'<section id="{key}"><h2>{title}</h2>\n{make(article)}</section>'
        for (key, title), make in zip(SECTIONS.items(), makers, strict=True)
    )
    links = html_list(f'<a href="#{key}">{title}</a>' for key, title in SECTIONS.items())
    css = resources.files("neurosim").joinpath("article/report.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{TITLE}</title>\n<style>\n{css}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#claims">To the claims</a>\n<header>\n'
        f'<p class="note"><strong>{ADVICE}</strong> Everything here is simulated.</p>\n'
        f'<h1>{TITLE}</h1>\n<nav aria-label="Contents">{links}</nav>\n</header>\n'
        f"<main>\n{sections}\n</main>\n</body>\n</html>"
    )


# --- The sections ----------------------------------------------------------------------


def _summary_section(article: Any) -> str:
    """Return question and result in a few sentences."""
    counts = phrases.count_outcomes(article.verdicts)
    boxes = "".join(
        f'<li class="{name.split()[0]}"><strong>{n}</strong>'
        f"{escape(phrases.outcome_words(name))}</li>"
        for name, n in counts.items()
    )
    base, rest = article.base, phrases.summary_sentences(article.verdicts)[1:]
    lists = [
        f"<strong>{escape(outcome[:1].upper() + outcome[1:])}</strong>: "
        + _link_claims(article, outcome)
        for outcome, n in counts.items()
        if n
    ]
    return (
        f"<p>A popular article makes {len(article.verdicts)} claims about twitching muscles "
        f"(a twitch that one can see is a fasciculation). Its "
        f"causes were put to {article.people} simulated people "
        f"({escape(muscle_words(base.muscle))}), every one compared with the same person in "
        f"health, its remedies to {article.matrix.log_ratio.shape[2]} of them on every cause; "
        "the other claims to stated tests.</p>"
        f'<ul class="counts">{boxes}</ul>{html_list(lists)}'
        f"{html_list(map(escape, rest))}"
        "<p>How often healthy people twitch after coffee, a short night, stress, sweat, "
        "stretching, a diet or yoga has never been counted in a controlled study: verdicts on "
        "these rest on assumed magnitudes. Sizes are given as bands of about ten.</p>"
    )


def _link_claims(article: Any, outcome: str) -> str:
    """Return the claims of one outcome, linked to their rows."""
    return "; ".join(
        f'<a href="#claim-{v.number}">{escape(title_in_sentence(v.claim))}</a>'
        for v in article.verdicts
        if v.outcome == outcome
    )


def _verdicts_picture(article: Any) -> str:
    return html_picture(plot.picture_verdicts(article))


def _claims_section(article: Any) -> str:
    """Return every claim as a row, by group."""
    parts = ["<p>Every row opens: how the verdict came about, how sure it is, and what "
             "physiology says.</p>"]  # fmt: skip
    for group, title in GROUPS.items():
        rows = [claim_row(v, article) for v in article.verdicts if v.group == group]
        parts.append(f"<h3>{escape(title)}</h3>\n" + "\n".join(rows))
    return "\n".join(parts)


def _remedies_section(article: Any) -> str:
    """Return the matrix as a picture and as a table."""
    matrix = article.matrix
    rows, classes = [], []
    for i, cause in enumerate(matrix.causes):
        cells, names = [], []
        for j in range(len(matrix.remedies)):
            word, _ = phrases.remedy_cell(matrix, i, j)
            cells.append(_cell_words(matrix, i, j, word))
            names.append(_CLASSES.get(word, word))
        rows.append((phrases.cause_words(cause), *cells))
        classes.append(names)
    heads = ("Cause", *(remedy(name).label for name in matrix.remedies))
    return (
        "<p>A remedy is given to people who twitch for one reason, and their twitches are "
        "compared with those of the same people without it. A remedy never touches a rate: it "
        "changes what it can change in the body. Where a cause calms the nerve in this model "
        "(stress lowers potassium), undoing it brings twitches back.</p>"
        + html_picture(plot.picture_remedies(matrix))
        + html_table(
            "Twitches with a remedy against without; in per cent the people whom it helps; – "
            "where it has nothing to change",
            heads,
            rows,
            "matrix",
            classes,
        )
    )


def _cell_words(matrix: Any, i: int, j: int, word: str) -> str:
    if word == "nothing to change":
        return plot.ARROWS[word]
    helped = 100 * phrases.share_helped(matrix, i, j)
    return f"{plot.ARROWS[word]} {word} {helped:.0f} %"


def _alarms_section(article: Any) -> str:
    """Return who shows which sign, and how well it discriminates early ALS."""
    alarms = article.alarms
    groups = [g for g in DIARY_GROUPS if alarms.for_group(g)]
    heads = (
        "Sign",
        *(DIARY_WORDS.get(g, g) for g in groups),
        "Sensitivity, %",
        "Specificity, %",
        "Likelihood ratio",
    )
    rows = []
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
    return (
        f"<p>{len(alarms.diaries)} simulated people keep a diary of their twitches over "
        f"{alarms.weeks} weeks. The article's signs are read from the diaries alone; weakness and "
        "lost motor units, which the article leaves out, are measured in the clinic. The mix of "
        "people is this study's, not that of any clinic. In brackets: 95 % intervals.</p>"
        + html_table("Who shows which sign", heads, rows)
    )


def _rules_section(article: Any) -> str:
    """Return the rules, which were fixed before anything was run."""
    edge, sure = parameter("study", "smallest_ratio"), parameter("study", "confidence")
    outcomes = html_list(
        f"<strong>{sign} {escape(name)}</strong>: {escape(meaning)}."
        for name, (sign, meaning) in phrases.OUTCOME_SIGNS.items()
    )
    limits = html_list(
        f"{escape(v.note)}: {v.value:g}{'' if v.unit == '1' else ' ' + escape(v.unit)}"
        for v in load_group("study").values()
        if v.source == "rule" and v.note
    )
    axons = "; ".join(f"'{name}' ({words})" for name, words in AXON_TITLES.items())
    return (
        "<p>The rules were fixed before this run; three were moved after earlier ones (how short "
        "a twitch is, from half a second to one; when twitching persists, and when it gets "
        "worse). Every simulated person is compared with the same "
        "person in health: same muscle, same places where twitches can start. The mean of their "
        f"log rate ratios has a {100 * sure:.0f} % interval; a claim counts as decided only if "
        f"the whole interval lies beyond {edge:g} times, up or down.</p>{outcomes}"
        f"<p>The axon is one of {len(AXON_TITLES)} sets of parameters that fit the same nerves: "
        f"{escape(axons)}. What turns with another of them is not known.</p>"
        f"<details><summary>All limits</summary>{limits}</details>"
    )


def _outside_section(article: Any) -> str:
    outside = [v for v in article.verdicts if v.outcome == "outside this model"]
    return (
        "<p>The model has nothing that could answer these claims, which says nothing about "
        "whether they are true.</p>"
        + html_list(f"{escape(v.claim)}: {escape(v.reason)}." for v in outside)
    )


def _doctor_section(article: Any) -> str:
    return f'<p class="alarm">{phrases.ALARM}</p><p>{ADVICE}</p>'


def _provenance_section(article: Any) -> str:
    """Return how well the numbers are known, and how the report was made."""
    from neurosim.simulation.provenance import versions

    grades = [v.grade for _, v in all_values()]
    counts = ", ".join(f"{grades.count(g)} {g}" for g in GRADES)
    base = article.base
    programs = ", ".join(f"{name} {v}" for name, v in versions().items())
    return (
        f"<p>The whole model has {len(grades)} numbers: {counts}. "
        f"{escape(assumption_words(article.parameters, 'The verdicts lean'))}</p>"
        f"<p>Made with {escape(programs)}; seed {base.seed} and those after it, axon "
        f"'{escape(base.axon)}'.</p>"
    )
