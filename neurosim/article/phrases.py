"""The article in words: the one module that makes sentences of what was judged and counted.

All that it reads are fields of a verdict, a claim or the matrix. A rate is given as its direction
and decade band, a test by its finding, a sign of alarm by how many people show it; beside each
stands whether it rests on a size that nobody has measured.
"""

from __future__ import annotations

import math
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from neurosim.article.claims import GROUPS, claim
from neurosim.article.matrix import CAUSES, RemedyMatrix
from neurosim.article.verdict import NOT_TOLD, OUTCOMES, Verdict
from neurosim.base.cache import cached
from neurosim.base.parameters import load_group, track_reads
from neurosim.model.axon.axon import AXON_TITLES
from neurosim.model.axon.ensemble import ENSEMBLE
from neurosim.model.body.contributions import Contribution, contributions
from neurosim.model.body.remedies import remedy
from neurosim.simulation.ratio import Ratio, mean_ratio
from neurosim.simulation.scenario import (
    CatalogueName,
    apply_remedy,
    load_scenario,
    title_in_sentence,
)
from neurosim.view.describe_ratio import NEAR_ZERO, band_of
from neurosim.view.style import ADVICE, muscle_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

ALARM = (
    "See a doctor if twitching persists for weeks, spreads to other muscles or gets worse, or "
    "if there is weakness, a muscle becomes thinner, or speech or swallowing changes."
)
OUTCOME_SIGNS = {
    "supported": ("✔", "the model does what the article says"),
    "opposed": ("✘", "the model does the opposite, or the claim fails its test"),
    "no difference at this size": ("=", "no difference that this many people would show"),
    "only in combination": (
        "+",
        "only with something else, or a remedy against some causes",
    ),
    "not told by this model": (
        "?",
        "what no measurement decides (hidden numbers of the axon, share of event sites) turns it",
    ),
    "outside this model": ("–", "the model has nothing that could answer"),
}
# Numbers that carry a blood value to the nerve; they do not say how large a factor is.
PASSAGES = ("interstitial_", "csf_transfer", "internal_ions_per_sodium")
LID_LABEL = "in the eyelid (hypothesis)"
WIDTH = 100
COLUMNS = (3, 32, 19, 40)  # of the printed table: number, claim, outcome, what was found


def outcome_words(outcome: str) -> str:
    """Return an outcome with the sign that stands beside it."""
    return f"{OUTCOME_SIGNS[outcome][0]} {outcome}"


def cause_words(name: str) -> str:
    """Return a cause of the matrix as read aloud."""
    return "nothing (health)" if name == "normal" else title_in_sentence(load_scenario(name).title)


def count_outcomes(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Return how many verdicts there are of each outcome."""
    rows = list(verdicts)
    return {name: sum(v.outcome == name for v in rows) for name in OUTCOMES}


# --- What is assumed -------------------------------------------------------------------


def _assumed_changes(changes: Iterable[Contribution]) -> set[str]:
    names = {c.size for c in changes if c.grade == "assumed" and c.size}
    return {n for n in names if not n.partition(".")[2].startswith(PASSAGES)}


def remedy_changes(name: str, cause: str) -> tuple[dict[Contribution, float], list[str]]:
    """Return what a remedy changes in a cause's body.

    Returns
    -------
    (dict of Contribution to float, list of str)
        What is otherwise with it, and by how much it was changed without it (NaN if it was not);
        and what it takes away.
    """
    scenario = load_scenario(cause)

    def key(c: Contribution) -> tuple[str, str, str]:
        return c.site, c.parameter, c.factor

    before = {key(c): c for c in contributions(scenario.body)}
    after = {key(c): c for c in contributions(apply_remedy(scenario, name).body)}
    brings = {
        c: before[k].change if k in before else math.nan
        for k, c in after.items()
        if c != before.get(k)
    }
    return brings, list(dict.fromkeys(c.factor for k, c in before.items() if k not in after))


@cached()
def assumed_sizes(kind: str, factor: str) -> tuple[str, ...]:
    """Return the assumed parameters (``group.name``) that set the size of a verdict's cause.

    For a cause those of its body's contributions, for a remedy those of what it changes; not
    those that carry a blood value to the nerve, nor what every run reads.
    """
    if kind == "rate":
        return tuple(sorted(_assumed_changes(contributions(load_scenario(factor).body))))
    if kind != "remedy":
        return ()
    sizes: set[str] = set()
    for cause in CAUSES:
        sizes |= _assumed_changes(remedy_changes(factor, cause)[0])
        with track_reads() as reads:
            remedy(factor).apply(load_scenario(cause).body)
        sizes |= {
            f"study.{n}"
            for group, n in reads
            if group == "study" and load_group(group)[n].grade == "assumed"
        }
    return tuple(sorted(sizes))


def rests_on_assumed_size(verdict: Verdict) -> bool:
    """Return whether a verdict rests on the size of something that nobody has measured."""
    return bool(assumed_sizes(verdict.kind, verdict.factor))


def lean_words(verdict: Verdict) -> str:
    """Return the number, or the axon, that a verdict leans on most; empty if not examined."""
    lean = verdict.lean
    if lean is None:
        return ""
    if lean.axon:
        title = AXON_TITLES.get(lean.axon, "no norm tells it from ghk")
        words = f"axon ({lean.axon}: {title})"
    else:
        words = f"{lean.label} ({_amount(f'{lean.value:g}', lean.unit)})"
    if not lean.against:
        return words
    return f"{words} (against {title_in_sentence(load_scenario(lean.against).title)})"


def flip_words(verdict: Verdict) -> str:
    """Return where that number turns the outcome, or where it does not; empty if not examined."""
    lean = verdict.lean
    if lean is None:
        return ""
    if lean.axon:
        others = "others that fit the same nerves"
        turning = dict.fromkeys(others if n in ENSEMBLE else n for n in lean.turning_axons)
        return ", ".join(turning) or "not with another axon"
    if lean.turns:
        return _amount(f"{lean.flips_at:.3g}", lean.unit)
    return f"not within {_amount(f'{lean.low:g} to {lean.high:g}', lean.unit)}"


def _amount(number: str, unit: str) -> str:
    return f"{number} {unit}".strip()


# --- One verdict -----------------------------------------------------------------------


def _scenario_words(name: str) -> str:
    """Return a scenario of the catalogue within a sentence."""
    if name == "normal":
        return "health"
    base, is_mild = CatalogueName.parse(name)
    return "mild " * is_mild + title_in_sentence(load_scenario(base).title)


def _join_scenarios(names: Sequence[str]) -> str:
    """Return scenarios in words, with commas and an and."""
    *most, last = map(_scenario_words, names)
    return f"{', '.join(most)} and {last}" if most else last


def _is_most(names: Collection[str], causes: Collection[str]) -> bool:
    """Return whether causes are so many that those left out are told instead."""
    return len(names) > 0.6 * len(causes)


def _list_causes(names: Sequence[str], causes: Collection[str]) -> str:
    """Return causes in words, or those left out."""
    if _is_most(names, causes):
        rest = [n for n in causes if n not in names]
        return "all but " + ", ".join(map(_scenario_words, rest)) if rest else "all"
    return ", ".join(map(_scenario_words, names))


def _rate_note(v: Verdict) -> str:
    """Return what turns it, or with which states a cause does it and with which it does not."""
    if v.outcome == NOT_TOLD:
        return parting_words(v)
    if v.partner:
        return f"with {_scenario_words(v.partner)}"
    if len(v.changes) < 2 or not v.changed(v.expected):
        return ""
    heads = {"more": "with", "same": "no difference with", "fewer": "fewer with"}
    return "; ".join(
        f"{head} {_join_scenarios(v.changed(change))}"
        for change, head in heads.items()
        if v.changed(change)
    )


def _remedy_note(v: Verdict) -> str:
    """Return which of several remedies it is, what it helps against and what it makes worse."""
    parts = [f"by {remedy(v.factor).label}"] if len(claim(v.number).remedies) > 1 else []
    if v.outcome == "only in combination":
        helped = v.changed("fewer")
        only = "" if _is_most(helped, v.changes) else "only "
        parts.append(f"helps {only}against {_list_causes(helped, v.changes)}")
    if v.changed("more"):
        parts.append(f"makes more in {_list_causes(v.changed('more'), v.changes)}")
    return "; ".join(parts)


def note_words(v: Verdict) -> str:
    """Return on what an outcome depends, or why there is none; empty if neither is to be said."""
    if v.kind == "rate":
        return _rate_note(v)
    if v.kind == "remedy":
        return _remedy_note(v)
    if v.kind == "alarm" and v.outcome == "only in combination":
        return "with weakness or lost units, which the article leaves out"
    return v.reason


def rate_direction_words(
    ratio: float, low: float = math.nan, high: float = math.nan, against: str = ""
) -> str:
    """Return a rate ratio against the same people as direction and decade band.

    Examples
    --------
    >>> rate_direction_words(12, 4, 300, "in health")
    'tens of times as many twitches as in health'
    >>> rate_direction_words(1.5, 1.3, 1.7, "in health")
    'somewhat more twitches than in health'
    >>> rate_direction_words(0.0002, 0, 0.004)
    'hardly a twitch left'
    """
    band = band_of(ratio, low, high)
    if not band.joint:
        return "hardly a twitch left" if band is NEAR_ZERO else band.words
    return f"{band.words} twitches" + (f" {band.joint} {against}" if against else "")


def _capitalize(words: str) -> str:
    words = words.strip().rstrip(".")
    return words[:1].upper() + words[1:] + "." if words else ""


def parting_words(v: Verdict) -> str:
    """Return what turns a verdict that is not told, with what it then says."""
    parts: list[str] = []
    by_share = {f"{100 * s:.0f} % event sites": v.share_ratios[s] for s in v.turns_at_share}
    by_axon = {axon_words(name): v.axon_ratios[name] for name in v.turns_with}
    for change, heading in (("more", "more"), ("same", "no difference"), ("fewer", "fewer")):
        names = [name for name, r in (by_share | by_axon).items() if v.side(r) == change]
        if names:
            parts.append(f"{heading} with {', '.join(dict.fromkeys(names))}")
    return "; ".join(parts)


def axon_words(name: str) -> str:
    """Return an axon as read aloud; all members of the ensemble have one name."""
    return "other axons that fit the same nerves" if name in ENSEMBLE else f"the {name} axon"


def _rate_phrase(v: Verdict) -> str:
    words = rate_direction_words(v.rate_ratio, v.ci_low, v.ci_high, "in health")
    if v.muscle:
        words = f"in the {muscle_words(v.muscle)}, {words}"
    if v.outcome == NOT_TOLD:
        return f"{words}; but {note_words(v)}"
    if v.outcome == "only in combination":
        return f"alone {words}; more when it comes {note_words(v)}"
    return "; ".join(filter(None, (words, note_words(v))))


def lid_words(v: Verdict) -> str:
    """Return what a prone eyelid says of an everyday cause, empty where it has no say."""
    lid = v.lid
    if lid is None:
        return ""
    times = f"{lid.ratio:.2g} times the episodes, {lid.low:.2g} to {lid.high:.2g} as numbers move"
    parts = [f"{outcome_words(lid.outcome)}: {times}"]
    if lid.turned_by:
        parts.append(f"turned by {', '.join(map(_plain_name, lid.turned_by))}")
    if lid.chosen:
        parts.append(
            "its size was chosen because a study had found it, so a size of none was tried as well"
        )
    return "; ".join(parts)


def _plain_name(full_name: str) -> str:
    return full_name.partition(".")[2].replace("_", " ")


def _remedy_phrase(v: Verdict) -> str:
    mean = rate_direction_words(v.rate_ratio, v.ci_low, v.ci_high)
    return "; ".join(filter(None, (note_words(v), f"mean of all causes: {mean}")))


def phrase(verdict: Verdict, article: Any = None) -> str:
    """Return what was found on one claim, in one short text.

    Parameters
    ----------
    verdict : Verdict
    article : Article, optional
        Its shares stand for a sign of alarm; without it the finding of the verdict does.
    """
    v = verdict
    if v.kind == "alarm" and article is not None:
        sign = claim(v.number).sign
        sensitivity, specificity = (
            article.alarms.sensitivity(sign),
            article.alarms.specificity(sign),
        )
        text = (
            f"{100 * sensitivity.value:.0f} % with early ALS show it (sensitivity), "
            f"{100 * specificity.value:.0f} % of the others do not (specificity)"
        )
        note = note_words(v)
        return _capitalize(f"{text}; tells {note}" if note else text)
    if v.kind == "rate":
        words = _rate_phrase(v)
    elif v.kind == "remedy":
        words = _remedy_phrase(v)
    else:
        return _capitalize(v.finding or v.reason)
    assumed = " Rests on an assumed size." if rests_on_assumed_size(v) else ""
    return _capitalize(words) + assumed


# --- All of them -----------------------------------------------------------------------


def summary_sentences(verdicts: Sequence[Verdict]) -> list[str]:
    """Return how many verdicts there are of each outcome, and how many lean on assumptions."""
    counts = ", ".join(f"{n} {outcome_words(o)}" for o, n in count_outcomes(verdicts).items() if n)
    rows = [v for v in verdicts if v.kind in ("rate", "remedy")]
    resting = sum(map(rests_on_assumed_size, rows))
    lines = [
        f"{len(verdicts)} claims: {counts}.",
        f"{resting} of the {len(rows)} verdicts on causes and remedies rest on sizes that nobody "
        "has measured ('assumed size'); the others set a value of the blood, whose way to the "
        "nerve is partly assumed, too.",
    ]
    examined = [v for v in rows if v.lean]
    if examined:
        turning = sum(v.turns for v in examined)
        lines.append(
            f"For {turning} of {len(examined)} examined, an assumed or fitted "
            "number within its range (or another axon that fits the same nerves) turns the outcome."
        )
    return lines


def _wrap_row(cells: Sequence[str]) -> list[str]:
    """Return a row of the printed table, its cells wrapped."""
    columns = [wrap(c, w) or [""] for c, w in zip(cells, COLUMNS, strict=True)]
    lines: list[str] = []
    for i in range(max(map(len, columns))):
        part = (c[i] if i < len(c) else "" for c in columns)
        lines.append("  ".join(p.ljust(w) for p, w in zip(part, COLUMNS, strict=True)).rstrip())
    return lines


def verdict_table(article: Any) -> str:
    """Return the table that `neurosim article` prints, at most 100 columns wide.

    Parameters
    ----------
    article : Article
    """
    lines: list[str] = []
    for group, title in GROUPS.items():
        lines += ["", title, "-" * len(title)]
        for v in article.verdicts:
            if v.group == group:
                lines += _wrap_row(
                    (f"{v.number:>3}", v.claim, outcome_words(v.outcome), phrase(v, article))
                )
                if v.lid:
                    sign = outcome_words(v.lid.outcome)
                    words = lid_words(v).removeprefix(f"{sign}: ")
                    lines += _wrap_row(("", LID_LABEL, sign, _capitalize(words)))
    lines.append("")
    for text in (*summary_sentences(article.verdicts), ALARM, ADVICE):
        lines += wrap(text, WIDTH)
    return "\n".join(lines).lstrip("\n")


def article_headline(article: Any) -> str:
    """Return in one line how many claims there are, of how many people, and how they fared."""
    counts = count_outcomes(article.verdicts)
    supported, opposed = counts["supported"], counts["opposed"]
    return (
        f"{len(article.verdicts)} claims put to {article.people} people: {supported} supported, "
        f"{opposed} opposed, {len(article.verdicts) - supported - opposed} neither"
    )


def describe_verdicts(verdicts: Any) -> str:
    """Return all verdicts in words, one a line, as the text beside their figure.

    Parameters
    ----------
    verdicts : Article or sequence of Verdict
    """
    article = verdicts if hasattr(verdicts, "verdicts") else None
    rows: Sequence[Verdict] = getattr(verdicts, "verdicts", verdicts)
    lines = [f"{v.number} {v.claim}: {v.outcome}. {phrase(v, article)}" for v in rows]
    return "\n".join([*summary_sentences(rows), *lines, ADVICE])


# --- The matrix of remedies ------------------------------------------------------------


def remedy_cell(matrix: RemedyMatrix, cause: int, column: int) -> tuple[str, Ratio]:
    """Return what one remedy does against one cause: a word, and the ratio with its interval.

    The word is one of ``"nearly none"``, ``"far fewer"``, ``"fewer"``, ``"same"``,
    ``"unclear"``, ``"more"``, ``"far more"``, or ``"nothing to change"``.
    """
    from neurosim.base.parameters import parameter

    ratio = mean_ratio(matrix.log_ratio[cause, column])
    if not matrix.applies[cause, column]:
        return "nothing to change", ratio
    edge = parameter("study", "smallest_ratio")
    if ratio.change == "fewer":
        steps = ((0.01, "nearly none"), (0.1, "far fewer"), (math.inf, "fewer"))
        return next(word for upper, word in steps if ratio.value < upper), ratio
    if ratio.change == "more":
        return "far more" if ratio.value > 10.0 else "more", ratio
    inside = ratio.low > 1.0 / edge and ratio.high < edge
    return "same" if inside else "unclear", ratio


def share_helped(matrix: RemedyMatrix, cause: int, column: int) -> float:
    """Return the share of people whose twitches a remedy lessens by more than the least ratio."""
    from neurosim.base.parameters import parameter

    edge = -math.log(parameter("study", "smallest_ratio"))
    return float((matrix.log_ratio[cause, column] < edge).mean())


def describe_remedies(matrix: RemedyMatrix) -> str:
    """Return the matrix in words, one line a remedy, as the text beside its figure."""
    lines = [
        f"Twitches with each remedy against the same {matrix.log_ratio.shape[2]} people without; "
        "in brackets how many of them it helps."
    ]
    for j, name in enumerate(matrix.remedies):
        by_word: dict[str, list[str]] = {}
        for i, cause in enumerate(matrix.causes):
            word = remedy_cell(matrix, i, j)[0]
            share = (
                ""
                if word == "nothing to change"
                else f" ({100 * share_helped(matrix, i, j):.0f} %)"
            )
            by_word.setdefault(word, []).append(cause_words(cause) + share)
        text = "; ".join(f"{word}: {', '.join(causes)}" for word, causes in by_word.items())
        lines.append(f"{_capitalize(remedy(name).label)} {_capitalize(text)}")
    return "\n".join(lines)
