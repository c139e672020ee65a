"""From people and claims to verdicts: the rules, fixed in `parameters.toml` before any run.

A person is compared with the same person in health: the verdict is on the mean of their log rate
ratios, with its 95 % interval.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from neurosim.base.parameters import parameter
from neurosim.simulation.ratio import Ratio, mean_ratio, paired_ratio
from neurosim.simulation.scenario import combined_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from neurosim.article.alarms import Alarms
    from neurosim.article.claims import Claim
    from neurosim.article.matrix import RemedyMatrix
    from neurosim.simulation.robustness import Lean

NOT_TOLD = "not told by this model"
OUTCOMES = (
    "supported",
    "opposed",
    "no difference at this size",
    "only in combination",
    NOT_TOLD,
    "outside this model",
)


@dataclass(frozen=True)
class LidFinding:
    """What a prone lid says of one cause.

    Attributes
    ----------
    outcome : str
        One of `OUTCOMES`.
    ratio, low, high : float
        Episodes in an hour of silence against the same lid in health; least and greatest while
        each number was moved through its range.
    turned_by : tuple of str
        Numbers (``group.name``) that turn the outcome within their range.
    chosen : tuple of str
        Numbers whose size was chosen because a study had found the cause; tried at 0, too.
    """

    outcome: str
    ratio: float
    low: float
    high: float
    turned_by: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()


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
        The finding of a test or of the diaries in one sentence.
    changes : mapping of str to str
        Whether twitches are ``"more"``, the ``"same"`` or ``"fewer"`` under each scenario of a
        cause, or with a remedy against each cause.
    partner : str
        The scenario with which the first one does it, if only in combination.
    reason : str
        Why the model cannot judge it; empty if it can.
    lean : Lean or None
        The number (or the axon) that turns the outcome within its range and moves it most; if
        none turns it, the one that moves the ratio most. None if that was not examined.
    assumed : int
        How many assumed and fitted parameters were moved, one at a time.
    span_low, span_high : float
        Least and greatest rate ratio while they were, and the axon was exchanged.
    axon_ratios : mapping of str to float
        Rate ratio with each other axon that fits the same nerves.
    share_ratios : mapping of float to float
        Rate ratio with each end of the range of the share of event sites.
    muscle : str
        Where it was judged, if not where all others were.
    elsewhere_ratio : float
        Rate ratio in the calf; in the sole of the foot, if the verdict is on another muscle.
    reference_low, reference_high : float
        Rate ratios at both ends of the reference range of the blood value; NaN for others.
    lid : LidFinding or None
        What a prone eyelid says of an everyday cause, a hypothesis that never moves the outcome.
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
    changes: Mapping[str, str] = field(default_factory=dict[str, str])
    partner: str = ""
    reason: str = ""
    lean: Lean | None = None
    assumed: int = 0
    span_low: float = float("nan")
    span_high: float = float("nan")
    axon_ratios: Mapping[str, float] = field(default_factory=dict[str, float])
    share_ratios: Mapping[float, float] = field(default_factory=dict[float, float])
    muscle: str = ""
    elsewhere_ratio: float = float("nan")
    reference_low: float = float("nan")
    reference_high: float = float("nan")
    lid: LidFinding | None = None

    @property
    def turns(self) -> bool:
        """Whether some number within its range, or another axon, turns the outcome."""
        return self.lean is not None and self.lean.turns

    def changed(self, change: str) -> tuple[str, ...]:
        """Return under which scenarios, or against which causes, twitches change so."""
        return tuple(name for name, c in self.changes.items() if c == change)

    def side(self, ratio: float) -> str:
        """Return ``"more"``, ``"same"`` or ``"fewer"`` of the interval, moved to another ratio."""
        here = Ratio(self.rate_ratio, self.ci_low, self.ci_high, self.people)
        return here.moved_to(ratio).change

    @property
    def turns_with(self) -> tuple[str, ...]:
        """Axons with which the ratio falls on another side (more, same, fewer) than here.

        Empty for a remedy, whose axons were exchanged on one cause only; `lean` has that.
        """
        if self.kind == "remedy":
            return ()
        return tuple(a for a, r in self.axon_ratios.items() if self.side(r) != self.change)

    @property
    def turns_at_share(self) -> tuple[float, ...]:
        """Ends of the range of event sites at which the ratio falls on another side than here."""
        return tuple(s for s, r in self.share_ratios.items() if self.side(r) != self.change)

    @property
    def change(self) -> str:
        """Side of the ratio itself."""
        return self.side(self.rate_ratio)


def judge_over_ensemble(verdict: Verdict) -> Verdict:
    """Return the verdict, *not told by this model* where what no norm decides turns it.

    That is the share of event sites, and the axon: the named sets and the ensemble, all of which
    fit the same nerves. Only verdicts on a cause; a remedy's mean is over many causes.
    """
    if verdict.kind != "rate" or not (verdict.turns_with or verdict.turns_at_share):
        return verdict
    return replace(verdict, outcome=NOT_TOLD)


def make_verdict(claim: Claim, outcome: str, **details: Any) -> Verdict:
    """Return the verdict on a claim with an outcome and what else is known."""
    fields: dict[str, Any] = {"factor": claim.factor, "muscle": claim.muscle, **details}
    return Verdict(
        claim.number,
        claim.claim,
        claim.group,
        claim.kind,
        expected=claim.expected,
        outcome=outcome,
        **fields,
    )


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
    outcome, partner = _rate_outcome(claim, first, confirming, rates)
    factor = confirming[0] if confirming else claim.scenarios[0]
    changes = {name: ratio.change for name, ratio in ratios.items()}
    return make_verdict(
        claim,
        outcome,
        factor=factor,
        changes=changes,
        partner=partner,
        **_ratio_fields(ratios[factor]),
    )


def _ratio_fields(ratio: Ratio) -> dict[str, float]:
    return {
        "rate_ratio": ratio.value,
        "ci_low": ratio.low,
        "ci_high": ratio.high,
        "people": ratio.people,
    }


def _rate_outcome(
    claim: Claim, first: Ratio, confirming: Sequence[str], rates: Mapping[str, np.ndarray]
) -> tuple[str, str]:
    """Return the outcome of a cause, and the partner that it needs if it needs one."""
    if confirming:
        return "supported", ""
    if first.change != "same":
        return "opposed", ""
    for partner in claim.combination:
        combined = rates[combined_name((claim.scenarios[0], partner))]
        alone = (rates[partner], rates["normal"])
        if all(paired_ratio(combined, each).change == claim.expected for each in alone):
            return "only in combination", partner
    return "no difference at this size", ""


def judge_remedy(claim: Claim, matrix: RemedyMatrix) -> Verdict:
    """Return the verdict on a claim of a remedy, tried on every cause.

    Supported if it makes fewer in every cause, only in combination if in some, opposed if in none
    and more in some. Of several remedies the one counts that makes fewer in most causes. The
    ratio is the mean over people and causes.
    """
    tried = {name: _remedy_changes(matrix, name) for name in claim.remedies}
    name = max(tried, key=lambda n: list(tried[n].values()).count("fewer"))
    changes = set(tried[name].values())
    if changes == {"fewer"}:
        outcome = "supported"
    elif "fewer" in changes:
        outcome = "only in combination"
    else:
        outcome = "opposed" if "more" in changes else "no difference at this size"
    pooled = mean_ratio(matrix.log_ratio[:, matrix.remedies.index(name)].mean(axis=0))
    return make_verdict(claim, outcome, factor=name, changes=tried[name], **_ratio_fields(pooled))


def _remedy_changes(matrix: RemedyMatrix, name: str) -> dict[str, str]:
    """Return whether a remedy makes more, as many or fewer twitches, by cause."""
    rows = matrix.log_ratio[:, matrix.remedies.index(name)]
    return {c: mean_ratio(row).change for c, row in zip(matrix.causes, rows, strict=True)}


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
    return make_verdict(claim, outcome, finding=finding)
