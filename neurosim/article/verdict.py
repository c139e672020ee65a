"""From people and claims to verdicts: the rules, fixed in `parameters.toml` before any run.

A person is compared with the same person in health: the verdict is on the mean of their log rate
ratios, with its 95 % interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from neurosim.article.claims import Claim
from neurosim.article.matrix import RemedyMatrix
from neurosim.base.parameters import parameter
from neurosim.model.body.remedies import remedy
from neurosim.simulation.scenario import load_scenario, title_in_sentence

if TYPE_CHECKING:
    from neurosim.article.alarms import Alarms
from neurosim.simulation.ratio import Ratio, mean_ratio, paired_ratio

OUTCOMES = (
    "supported",
    "opposed",
    "no difference at this size",
    "only in combination",
    "outside this model",
)


@dataclass(frozen=True)
class Verdict:
    """What the model says of one claim.

    Attributes
    ----------
    number : int
    claim, group, kind, factor, expected : str
        As in `Claim`.
    outcome : str
        One of `OUTCOMES`.
    rate_ratio, ci_low, ci_high : float
        Twitch rate against the same people in health, or with a remedy against without; NaN for
        claims that are not on a rate.
    people : int
    mild_ratio, mild_low, mild_high : float
        The same at the mild size.
    seed_low, seed_high : float
        Least and greatest ratio among the seeds that people come from.
    finding : str
        The finding in one sentence.
    leans_on : str
        The parameter that turns the outcome within its range and moves it most; if none turns
        it, the one that moves the ratio most.
    flips_at : str
        Its value at which the outcome turns, or the range over which it does not.
    assumed : int
        How many assumed and fitted parameters were moved, one at a time.
    span_low, span_high : float
        Least and greatest rate ratio while they were, and the axon was exchanged.
    axon_ratios : mapping of str to float
        Rate ratio with each other axon that fits the same nerves.
    elsewhere_ratio : float
        Rate ratio in the calf (in the foot sole, if the verdict is on the calf).
    reference_low, reference_high : float
        Rate ratios at both ends of the reference range of the blood value; NaN for others.
    note : str
        Why, where that needs a sentence.
    """

    number: int
    claim: str
    group: str = "cause"
    kind: str = "rate"
    factor: str = ""
    expected: str = ""
    outcome: str = "outside this model"
    rate_ratio: float = float("nan")
    ci_low: float = float("nan")
    ci_high: float = float("nan")
    people: int = 0
    mild_ratio: float = float("nan")
    mild_low: float = float("nan")
    mild_high: float = float("nan")
    seed_low: float = float("nan")
    seed_high: float = float("nan")
    finding: str = ""
    leans_on: str = ""
    flips_at: str = ""
    assumed: int = 0
    span_low: float = float("nan")
    span_high: float = float("nan")
    axon_ratios: Mapping[str, float] = field(default_factory=dict)
    elsewhere_ratio: float = float("nan")
    reference_low: float = float("nan")
    reference_high: float = float("nan")
    note: str = ""

    @property
    def turns_with(self) -> tuple[str, ...]:
        """Axons with which the ratio falls on another side (more, same, fewer) than here.

        Empty for a remedy, whose axons were exchanged on one cause only; `flips_at` has that.
        """
        if self.kind == "remedy":
            return ()
        ratio = Ratio(self.rate_ratio, self.ci_low, self.ci_high, self.people)
        return tuple(
            a for a, r in self.axon_ratios.items() if ratio.moved_to(r).change != ratio.change
        )


def make_verdict(claim: Claim, outcome: str, **details) -> Verdict:
    """Return the verdict on a claim with an outcome and what else is known."""
    fields = {"factor": claim.factor, **details}
    return Verdict(
        claim.number,
        claim.claim,
        claim.group,
        claim.kind,
        expected=claim.expected,
        outcome=outcome,
        **fields,
    )


def _plain_name(name: str) -> str:
    title = title_in_sentence(load_scenario(name).title)
    return f"mild {title.removesuffix(', mild')}" if title.endswith(", mild") else title


def _join_names(names: Sequence[str]) -> str:
    """Return scenarios in words, with commas and an and."""
    *most, last = map(_plain_name, names)
    return f"{', '.join(most)} and {last}" if most else last


def judge_rate(claim: Claim, rates: Mapping[str, np.ndarray], normal: str = "normal") -> Verdict:
    """Return the verdict on a claim of a cause.

    Supported if any of its scenarios makes more twitches; else, if the first makes no difference,
    only in combination if with a factor that it often comes with it makes more than that one
    alone, and more than there are in health.

    Parameters
    ----------
    claim : Claim
    rates : mapping of str to ndarray
        Long-run rates of the same people by scenario: `normal`, those of the claim, and for each
        combination the partner alone and ``factor+partner``.
    """
    ratios = {name: paired_ratio(rates[name], rates[normal]) for name in claim.scenarios}
    first = ratios[claim.scenarios[0]]
    confirming = [name for name, ratio in ratios.items() if ratio.change == claim.expected]
    outcome, note = _changes_outcome(claim, first, confirming, rates)
    if len(ratios) > 1 and confirming:
        note = "with " + _join_names(confirming)
        for change, words in (("same", "no difference with"), ("fewer", "fewer with")):
            others = [n for n, ratio in ratios.items() if ratio.change == change]
            note += f"; {words} {_join_names(others)}" if others else ""
    factor = confirming[0] if confirming else claim.scenarios[0]
    return make_verdict(claim, outcome, factor=factor, **_ratio_fields(ratios[factor]), note=note)


def _ratio_fields(ratio: Ratio) -> dict:
    return {
        "rate_ratio": ratio.value,
        "ci_low": ratio.low,
        "ci_high": ratio.high,
        "people": ratio.people,
    }


def _changes_outcome(
    claim: Claim, first: Ratio, confirming: Sequence[str], rates
) -> tuple[str, str]:
    if confirming:
        return "supported", ""
    if first.change != "same":
        return "opposed", ""
    for partner in claim.combination:
        combined = rates[f"{claim.scenarios[0]}+{partner}"]
        alone = (rates[partner], rates["normal"])
        if all(paired_ratio(combined, each).change == claim.expected for each in alone):
            return "only in combination", f"with {_plain_name(partner)}"
    return "no difference at this size", ""


def judge_remedy(claim: Claim, matrix: RemedyMatrix) -> Verdict:
    """Return the verdict on a claim of a remedy, tried on every cause.

    Supported if it makes fewer in every cause, only in combination if in some (with which is
    said), opposed if in none and more in some. The ratio is the mean over people and causes.
    """
    best: tuple[list[str], list[str], Ratio, str] | None = None
    for name in claim.remedies:
        log_ratios = matrix.log_ratio[:, matrix.remedies.index(name)]
        ratios = [mean_ratio(row) for row in log_ratios]
        fewer, more = (
            [c for c, r in zip(matrix.causes, ratios, strict=True) if r.change == change]
            for change in ("fewer", "more")
        )
        if best is None or len(fewer) > len(best[0]):
            best = (fewer, more, mean_ratio(log_ratios.mean(axis=0)), name)
    assert best is not None
    fewer, more, pooled, name = best
    note = f"by {remedy(name).label}" if len(claim.remedies) > 1 else ""
    if len(fewer) == len(matrix.causes):
        outcome = "supported"
    elif fewer:
        outcome = "only in combination"
        note += ("; " if note else "") + "only against " + _list_causes(fewer, matrix.causes)
    else:
        outcome = "opposed" if more else "no difference at this size"
    if more:
        note += ("; " if note else "") + "more in " + _list_causes(more, matrix.causes)
    return make_verdict(claim, outcome, factor=name, **_ratio_fields(pooled), note=note)


def judge_alarm(claim: Claim, alarms: Alarms) -> Verdict:
    """Return the verdict on a sign of alarm: how much more often early ALS shows it.

    Supported if its likelihood ratio is `alarm_likelihood_ratio` or more and its interval
    lies above 1; only in combination if together with weakness or lost units its interval lies
    above what these tell alone.
    """
    alone, with_weakness, weak = (
        alarms.likelihood_ratio(s) for s in (claim.sign, f"{claim.sign}_and_weak", "weak")
    )
    finding = (
        f"{alarms.sensitivity(claim.sign)} % of people with early ALS show it, "
        f"{alarms.specificity(claim.sign)} % of the others do not; likelihood ratio {alone}, "
        f"together with weakness or lost units {with_weakness} (these alone {weak})"
    )
    least = parameter("study", "alarm_likelihood_ratio")
    if alone.value >= least and alone.low > 1.0:
        outcome = "supported"
    elif alone.high < 1.0:
        outcome = "opposed"
    elif with_weakness.value >= least and with_weakness.low > weak.value:
        outcome = "only in combination"
    else:
        outcome = "no difference at this size"
    note = (
        "with weakness or lost units, which the article leaves out"
        if outcome == OUTCOMES[3]
        else ""
    )
    return make_verdict(claim, outcome, finding=finding, note=note)


def _list_causes(names: Sequence[str], causes: Sequence[str]) -> str:
    """Return causes in words, those left out if they are fewer."""
    if len(names) > 0.6 * len(causes):
        rest = [n for n in causes if n not in names]
        return "all but " + ", ".join(map(_cause_words, rest)) if rest else "all"
    return ", ".join(map(_cause_words, names))


def _cause_words(name: str) -> str:
    return "health" if name == "normal" else _plain_name(name)
