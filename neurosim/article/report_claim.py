"""One claim in the report: a row that opens to how the verdict came about."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape
from types import MappingProxyType
from typing import Any

import numpy as np

from neurosim.article import phrases
from neurosim.article.claims import Claim, claim, claim_citations
from neurosim.article.verdict import Verdict
from neurosim.base.parameters import citation, load_group
from neurosim.model.body.contributions import Contribution, contributions, describe_contributions
from neurosim.simulation.ratio import paired_ratio, shared_ratio
from neurosim.simulation.scenario import (
    CatalogueName,
    combined_name,
    load_scenario,
    severities,
)
from neurosim.view.describe_body import body_state_words
from neurosim.view.html_parts import html_facts, html_list, html_table, interval_words
from neurosim.view.style import label_number

NONE: Mapping[Contribution, float] = MappingProxyType({})


def claim_row(verdict: Verdict, article: Any) -> str:
    """Return one claim as a row with outcome and phrase that opens to all the rest."""
    v, record = verdict, claim(verdict.number)
    kind = v.outcome.split()[0]
    parts = {
        "rate": _rate_section,
        "remedy": _remedy_section,
        "test": _test_section,
        "alarm": _alarm_section,
    }
    inside = parts[v.kind](v, record, article) if v.kind in parts else ""
    return (
        f'<details class="claim" id="claim-{v.number}"><summary>'
        f'<span class="number">{v.number}</span><span class="name">{escape(v.claim)}</span>'
        f'<span class="outcome {kind}">{escape(phrases.outcome_words(v.outcome))}</span>'
        f'<span class="says">{escape(phrases.phrase(v, article))}</span></summary>'
        f"<div>{inside}{_physiology_section(record)}</div></details>"
    )


def _physiology_section(record: Claim) -> str:
    return (
        "<h4>What physiology says, for and against</h4>"
        f"<p>{escape(record.physiology)}</p>{_sources_list(claim_citations(record))}"
    )


def _sources_list(citations: tuple[str, ...]) -> str:
    return f'<p class="source">Sources: {escape("; ".join(c.rstrip(".") for c in citations))}.</p>'


def _changes_list(
    changes: Iterable[Contribution], without: Mapping[Contribution, float] = NONE
) -> str:
    """Return what a body changes, a sentence each with its source; and what it was without."""
    return html_list(
        escape(_capitalize(words).replace(" -", " −"))
        + _previous_effect(without.get(c, math.nan), c)
        + " "
        + f'<span class="source">{escape(citation(c.source))}</span>'
        for words, c in zip(describe_contributions(changes), changes, strict=True)
    )


def _previous_effect(change: float, c: Contribution) -> str:
    if math.isnan(change):
        return ""
    unit = "" if c.unit == "1" else f" {c.unit}"
    size = f"times {change:.3g}" if c.operation == "scale" else f"{change:+.3g}{unit}"
    return f" Without it {size.replace('-', '−')}."


def _capitalize(words: str) -> str:
    return words[:1].upper() + words[1:]


# --- Causes ----------------------------------------------------------------------------


def _rate_section(v: Verdict, record: Claim, article: Any) -> str:
    scenario = load_scenario(v.factor)
    changes = contributions(scenario.body)
    return (
        "<h4>From body to membrane to rate</h4>"
        + html_list(
            (
                f"<strong>Body.</strong> {escape(scenario.about)} "
                + escape(_body_section(scenario.body)),
                f"<strong>Nerve and muscle.</strong> {_changes_list(changes)}",
                f"<strong>Rate.</strong> {escape(_rates_words(v.factor, article))}",
            ),
            "ol",
        )
        + _tried_states_section(record, article)
        + _certainty_section(v)
    )


def _body_section(body: Any) -> str:
    return _capitalize(body_state_words(body))


def _rates_words(name: str, article: Any) -> str:
    ill, healthy = (np.median(article.rates[n]) for n in (name, "normal"))
    return f"The median person twitches {_per_min_words(ill)}, in health {_per_min_words(healthy)}."


def _per_min_words(rate: float) -> str:
    """Return a rate in a unit that gives a number to think of."""
    steps = ((1.0, 1.0, "a minute"), (1 / 60, 60.0, "an hour"), (1 / 1440, 1440.0, "a day"))
    for least, factor, unit in steps:
        if rate >= least:
            return f"about {label_number(float(f'{rate * factor:.2g}'))} times {unit}"
    return "less than once a day"


def _tried_states_section(record: Claim, article: Any) -> str:
    """Return every state that the claim was put to, with what it does."""
    rates, rows = article.rates, []
    for name in record.scenarios:
        for size in severities(CatalogueName.parse(name).base):
            rows.append(
                _tried_state_row(
                    load_scenario(size).title,
                    load_scenario(size).about,
                    shared_ratio(rates, size, "normal"),
                )
            )
    for partner in record.combination:
        combined = combined_name((record.scenarios[0], partner))
        other = phrases.cause_words(partner)
        rows.append(
            _tried_state_row(
                f"Together with {other}",
                f"Against {other} alone.",
                paired_ratio(rates[combined], rates[partner]),
            )
        )
    unique = list(dict.fromkeys(rows))
    return html_table("What was tried", ("State", "Which is", "Twitches", "95 % interval"), unique)


def _tried_state_row(title: str, about: str, ratio: Any) -> tuple[str, ...]:
    words = phrases.rate_direction_words(ratio.value, ratio.low, ratio.high)
    return title, about, words, interval_words(ratio.low, ratio.high)


def _certainty_section(v: Verdict) -> str:
    """Return how sure a ratio is: over people, seeds, numbers, axons and muscles.

    A remedy's parameters are moved on the cause on which it does most.
    """
    sizes = [_number_name(n) for n in phrases.assumed_sizes(v.kind, v.factor)]
    elsewhere = (
        "" if math.isnan(v.elsewhere_ratio) else phrases.rate_direction_words(v.elsewhere_ratio)
    )
    people = f"{v.people} people" + (", mean of all causes" if v.kind == "remedy" else "")
    pairs = (
        ("Over people", f"{interval_words(v.ci_low, v.ci_high)} (95 % interval, {people})"),
        ("Over seeds", interval_words(v.seed_low, v.seed_high)),
        ("Assumed sizes", ", ".join(sizes) + ": nobody has measured them" if sizes else ""),
        ("Leans most on", phrases.lean_words(v) or "not examined"),
        ("Outcome turns at", phrases.flip_words(v)),
        ("As numbers move", _span_words(v)),
        ("With other axons", _axons_section(v)),
        ("In another muscle", elsewhere),
        ("Over the reference range", _reference_section(v)),
    )
    return f"<h4>How sure that is</h4>{html_facts(pairs)}"


def _number_name(full_name: str) -> str:
    group, _, name = full_name.partition(".")
    v = load_group(group)[name]
    unit = "" if v.unit == "1" else f" {v.unit}"
    plain = name.replace("_", " ").removesuffix(" mmol l").removesuffix(" mv")
    plain = plain.replace("pic gain", "gain of the persistent inward current")
    return f"{plain} ({v.value:g}{unit})"


def _span_words(v: Verdict) -> str:
    if math.isnan(v.span_low):
        return ""
    return f"{interval_words(v.span_low, v.span_high)}, {v.assumed} numbers moved one at a time"


def _axons_section(v: Verdict) -> str:
    """Return the result with every other axon, and whether it survives the exchange."""
    if not v.axon_ratios:
        return ""
    text = "; ".join(f"{n}: {phrases.rate_direction_words(r)}" for n, r in v.axon_ratios.items())
    if v.kind == "remedy":  # they moved on one cause, the verdict is on all
        return text
    turning = " and ".join(v.turns_with)
    return text + (f" (the outcome turns with {turning})" if turning else " (the outcome stays)")


def _reference_section(v: Verdict) -> str:
    if v.kind == "remedy" or math.isnan(v.reference_low):
        return ""
    return (
        f"{interval_words(*sorted((v.reference_low, v.reference_high)))} between its ends; "
        "nobody has measured such a ratio, only its direction should be believed"
    )


# --- Other claims ----------------------------------------------------------------------


def _remedy_section(v: Verdict, record: Claim, article: Any) -> str:
    """Return what each remedy of a claim changes, and what it does by cause."""
    from neurosim.model.body.remedies import remedy

    parts = ["<h4>From remedy to membrane to rate</h4>"]
    for name in record.remedies:
        column = article.matrix.remedies.index(name)
        index = np.flatnonzero(article.matrix.applies[:, column])
        if not index.size:
            continue
        cause = article.matrix.causes[index[0]]
        brings, removes = phrases.remedy_changes(name, cause)
        words = _capitalize(remedy(name).label)
        gone = f" It takes away: {', '.join(removes)}." if removes else ""
        parts.append(
            f"<p><strong>{escape(words)}</strong>, for example for "
            f"{escape(phrases.cause_words(cause))}.{escape(gone)} With it:</p>"
            + (_changes_list(tuple(brings), brings) or "<p>Nothing else is new.</p>")
            + _cause_list(words, column, article.matrix)
        )
    return "".join(parts) + _certainty_section(v)


def _cause_list(words: str, column: int, matrix: Any) -> str:
    rows = []
    for i, cause in enumerate(matrix.causes):
        word, ratio = phrases.remedy_cell(matrix, i, column)
        if word != "nothing to change":
            share = f"{100 * phrases.share_helped(matrix, i, column):.0f} %"
            rows.append(
                (phrases.cause_words(cause), word, interval_words(ratio.low, ratio.high), share)
            )
    caption = f"{words}: where it has something to change"
    return html_table(caption, ("Cause", "Twitches", "95 % interval", "People helped"), rows)


def _test_section(v: Verdict, record: Claim, article: Any) -> str:
    return (
        "<h4>How it was tested</h4>"
        f"<p>Asked: {escape(record.question)}. "
        "Its limits stand with the other rules.</p>"
        f"<p>Found: {escape(v.finding)}.</p>"
    )


def _alarm_section(v: Verdict, record: Claim, article: Any) -> str:
    alarms = article.alarms
    ratio, weak = (alarms.likelihood_ratio(s) for s in (record.sign, f"{record.sign}_and_weak"))
    return (
        "<h4>How it was counted</h4>"
        f"<p>Asked: {escape(record.question)}. Read from diaries of "
        f"{len(alarms.diaries)} simulated people over {alarms.weeks} weeks.</p>"
        + html_facts(
            (
                (
                    "Sensitivity",
                    f"{alarms.sensitivity(record.sign)} % of people with early ALS show it",
                ),
                ("Specificity", f"{alarms.specificity(record.sign)} % of the others do not"),
                (
                    "Likelihood ratio",
                    f"{interval_words(ratio.low, ratio.high)} as often in early ALS",
                ),
                ("With weakness", f"{interval_words(weak.low, weak.high)} as often"),
            )
        )
    )
