"""One claim in the report: what its row shows and opens to; the words of each fact.

The row itself is the template ``article/templates/claim.html``.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.article import phrases
from neurosim.article.claims import Claim, claim, claim_citations
from neurosim.base.parameters import citation, load_group
from neurosim.model.axon.axon import ENSEMBLE
from neurosim.model.body.contributions import Contribution, contributions, describe_contributions
from neurosim.model.body.remedies import remedy
from neurosim.simulation.ratio import paired_ratio, shared_ratio
from neurosim.simulation.scenario import (
    CatalogueName,
    combined_name,
    load_scenario,
    severities,
)
from neurosim.view.describe_body import body_state_words
from neurosim.view.describe_ratio import interval_words
from neurosim.view.style import label_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from neurosim.article.verdict import Verdict

Facts = dict[str, Any]  # what a template shows, by the names that it uses
NONE: Mapping[Contribution, float] = MappingProxyType({})


def claim_facts(verdict: Verdict, article: Any) -> Facts:
    """Return what one claim's row shows: outcome, phrase, and all that it opens to."""
    v, record = verdict, claim(verdict.number)
    makers = {
        "rate": _rate_facts,
        "remedy": _remedy_facts,
        "test": _test_facts,
        "alarm": _alarm_facts,
    }
    citations = (c.rstrip(".") for c in claim_citations(record))
    return {
        "kind": v.kind,
        "number": v.number,
        "title": v.claim,
        "css": v.outcome.split()[0],
        "outcome": phrases.outcome_words(v.outcome),
        "says": phrases.phrase(v, article),
        "physiology": record.physiology,
        "sources": "; ".join(citations),
        "lid_label": _capitalize(phrases.LID_LABEL),
        "lid": phrases.lid_words(v),
        "certainty": _certainty_pairs(v) if v.kind in ("rate", "remedy") else (),
    } | (makers[v.kind](v, record, article) if v.kind in makers else {})


def _change_facts(
    changes: Iterable[Contribution], without: Mapping[Contribution, float] = NONE
) -> list[Facts]:
    """Return what a body changes, a sentence each with its source; and what it was without."""
    return [
        {
            "words": _capitalize(words).replace(" -", " −"),
            "before": _previous_effect(without.get(c, math.nan), c),
            "source": citation(c.source),
        }
        for words, c in zip(describe_contributions(changes), changes, strict=True)
    ]


def _previous_effect(change: float, c: Contribution) -> str:
    if math.isnan(change):
        return ""
    unit = "" if c.unit == "1" else f" {c.unit}"
    size = f"times {change:.3g}" if c.operation == "scale" else f"{change:+.3g}{unit}"
    return f" Without it {size.replace('-', '−')}."


def _capitalize(words: str) -> str:
    return words[:1].upper() + words[1:]


# --- Causes ----------------------------------------------------------------------------


def _rate_facts(v: Verdict, record: Claim, article: Any) -> Facts:
    scenario = load_scenario(v.factor)
    return {
        "about": scenario.about,
        "body": _capitalize(body_state_words(scenario.body)),
        "changes": _change_facts(contributions(scenario.body)),
        "rates": _rates_words(v.factor, record.own_rates(article.rates)),
        "tried": _tried_states(record, article),
    }


def _rates_words(name: str, rates: Mapping[str, np.ndarray]) -> str:
    ill, healthy = (np.median(rates[n]) for n in (name, "normal"))
    return f"The median person twitches {_per_min_words(ill)}, in health {_per_min_words(healthy)}."


def _per_min_words(rate: float) -> str:
    """Return a rate in a unit that gives a number to think of."""
    steps = ((1.0, 1.0, "a minute"), (1 / 60, 60.0, "an hour"), (1 / 1440, 1440.0, "a day"))
    for least, factor, unit in steps:
        if rate >= least:
            return f"about {label_number(float(f'{rate * factor:.2g}'))} times {unit}"
    return "less than once a day"


def _tried_states(record: Claim, article: Any) -> list[tuple[str, ...]]:
    """Return every state that the claim was put to, with what it does."""
    rates = record.own_rates(article.rates)
    rows: list[tuple[str, ...]] = []
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
    return list(dict.fromkeys(rows))


def _tried_state_row(title: str, about: str, ratio: Any) -> tuple[str, ...]:
    words = phrases.rate_direction_words(ratio.value, ratio.low, ratio.high)
    return title, about, words, interval_words(ratio.low, ratio.high)


def _certainty_pairs(v: Verdict) -> tuple[tuple[str, str], ...]:
    """Return how sure a ratio is: over people, seeds, numbers, axons and muscles.

    A remedy's parameters are moved on the cause on which it does most.
    """
    sizes = [_number_name(n) for n in phrases.assumed_sizes(v.kind, v.factor)]
    elsewhere = (
        "" if math.isnan(v.elsewhere_ratio) else phrases.rate_direction_words(v.elsewhere_ratio)
    )
    people = f"{v.people} people" + (", mean of all causes" if v.kind == "remedy" else "")
    return (
        ("Over people", f"{interval_words(v.ci_low, v.ci_high)} (95 % interval, {people})"),
        ("Over seeds", interval_words(v.seed_low, v.seed_high)),
        ("Assumed sizes", ", ".join(sizes) + ": nobody has measured them" if sizes else ""),
        ("Leans most on", phrases.lean_words(v) or "not examined"),
        ("Outcome turns at", phrases.flip_words(v)),
        ("As numbers move", _span_words(v)),
        ("With other axons", _axons_words(v)),
        ("With fewer or more event sites", _shares_words(v)),
        ("In another muscle", elsewhere),
        ("Over the reference range", _reference_words(v)),
    )


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


def _axons_words(v: Verdict) -> str:
    """Return the result with every other axon, and whether it survives the exchange."""
    if not v.axon_ratios:
        return ""
    named = {n: r for n, r in v.axon_ratios.items() if n not in ENSEMBLE}
    text = "; ".join(f"{n}: {phrases.rate_direction_words(r)}" for n, r in named.items())
    others = [r for n, r in v.axon_ratios.items() if n in ENSEMBLE]
    if others:
        span = interval_words(min(others), max(others))
        text += f"; {len(others)} more that fit the same nerves: {span}"
    if v.kind == "remedy":  # they moved on one cause, the verdict is on all
        return text
    turning = " and ".join(dict.fromkeys(map(phrases.axon_words, v.turns_with)))
    return text + (f" (the outcome turns with {turning})" if turning else " (the outcome stays)")


def _shares_words(v: Verdict) -> str:
    """Return the result at both ends of the range of the share of event sites."""
    return "; ".join(
        f"{100 * share:.0f} %: {phrases.rate_direction_words(ratio)}"
        for share, ratio in v.share_ratios.items()
    )


def _reference_words(v: Verdict) -> str:
    if v.kind == "remedy" or math.isnan(v.reference_low):
        return ""
    return (
        f"{interval_words(*sorted((v.reference_low, v.reference_high)))} between its ends; "
        "nobody has measured such a ratio, only its direction should be believed"
    )


# --- Other claims ----------------------------------------------------------------------


def _remedy_facts(v: Verdict, record: Claim, article: Any) -> Facts:
    """Return what each remedy of a claim changes, and what it does by cause."""
    remedies: list[Facts] = []
    for name in record.remedies:
        column = article.matrix.remedies.index(name)
        index = np.flatnonzero(article.matrix.applies[:, column])
        if not index.size:
            continue
        cause = article.matrix.causes[index[0]]
        brings, removes = phrases.remedy_changes(name, cause)
        remedies.append(
            {
                "name": _capitalize(remedy(name).label),
                "cause": phrases.cause_words(cause),
                "gone": ", ".join(removes),
                "changes": _change_facts(tuple(brings), brings),
                "causes": _cause_rows(column, article.matrix),
            }
        )
    return {"remedies": remedies}


def _cause_rows(column: int, matrix: Any) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for i, cause in enumerate(matrix.causes):
        word, ratio = phrases.remedy_cell(matrix, i, column)
        if word != "nothing to change":
            share = f"{100 * phrases.share_helped(matrix, i, column):.0f} %"
            rows.append(
                (phrases.cause_words(cause), word, interval_words(ratio.low, ratio.high), share)
            )
    return rows


def _test_facts(v: Verdict, record: Claim, article: Any) -> Facts:
    return {"question": record.question, "finding": v.finding}


def _alarm_facts(v: Verdict, record: Claim, article: Any) -> Facts:
    alarms, sign = article.alarms, record.sign
    ratio, weak = (alarms.likelihood_ratio(s) for s in (sign, f"{sign}_and_weak"))
    often = f"{interval_words(ratio.low, ratio.high)} as often in early ALS"
    return {
        "question": record.question,
        "people": len(alarms.diaries),
        "weeks": alarms.weeks,
        "signs": (
            ("Sensitivity", f"{alarms.sensitivity(sign)} % of people with early ALS show it"),
            ("Specificity", f"{alarms.specificity(sign)} % of the others do not"),
            ("Likelihood ratio", often),
            ("With weakness", f"{interval_words(weak.low, weak.high)} as often"),
        ),
    }
