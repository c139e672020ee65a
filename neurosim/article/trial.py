"""The article on trial: every claim put to people, remedies, tests and diaries, and judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.article import alarms, claim_tests, claims
from neurosim.article.claims import CLAIMS, Claim
from neurosim.article.in_the_lid import judge_in_lid
from neurosim.article.matrix import CAUSES, RemedyMatrix, remedy_matrix, remedy_scenarios
from neurosim.article.verdict import (
    Verdict,
    judge_alarm,
    judge_over_ensemble,
    judge_rate,
    judge_remedy,
    make_verdict,
)
from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, number_within, short_repr
from neurosim.base.parameters import Key, keep_reads
from neurosim.base.viewable import Viewable
from neurosim.simulation.lid import CLAIMED
from neurosim.simulation.long_run import SEEDS, long_run_rates
from neurosim.simulation.ratio import NO_RATIO, Ratio, paired_ratio, shared_ratio
from neurosim.simulation.robustness import Question, Robustness, assess_robustness
from neurosim.simulation.scenario import (
    CatalogueName,
    Scenario,
    apply_remedy,
    combine,
    combined_name,
    load_scenario,
    severities,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DIARIES = 30  # people of each group who keep one
FEW = 80  # of the people, who are tried with every remedy and at mild sizes
WEEKS = 26
MAX_CORES = 1024


@dataclass(frozen=True, repr=False)
class Article(Viewable):
    """Every verdict, and what is behind them: it prints, plots and saves itself.

    Attributes
    ----------
    verdicts : tuple of Verdict
    base : Scenario
        Muscle, duration, number of people, seed and axon of all.
    rates : mapping of str to ndarray
        Long-run twitches per minute under every scenario; of the first `FEW` people with remedies
        and at mild sizes.
    matrix : RemedyMatrix
        Every remedy on every cause.
    alarms : Alarms
    parameters : frozenset of (str, str)
        Group and name of every parameter that was read.
    """

    verdicts: tuple[Verdict, ...]
    base: Scenario
    rates: Mapping[str, np.ndarray]
    matrix: RemedyMatrix
    alarms: alarms.Alarms
    parameters: frozenset[Key] = frozenset()

    @property
    def people(self) -> int:
        """People, each paired with themselves in health."""
        return self.base.people


def _state_scenario(base: Scenario, name: str) -> Scenario:
    state = load_scenario(name)
    return base.replace(name=name, title=state.title, about=state.about, body=state.body)


def _claim_scenarios(claim: Claim, base: Scenario) -> dict[str, Scenario]:
    """Return the scenarios that a verdict on a claim of a cause needs, by name."""
    base = base.replace(muscle=claim.muscle) if claim.muscle else base
    scenarios = {name: _state_scenario(base, name) for name in claim.scenarios}
    for partner in claim.combination:
        scenarios[partner] = _state_scenario(base, partner)
        combination = combine((claim.scenarios[0], partner), base)
        scenarios[combination.name] = combination
    return {claim.rates_name(n): s for n, s in ({"normal": base} | scenarios).items()}


def _all_scenarios(base: Scenario) -> tuple[dict[str, Scenario], dict[str, Scenario]]:
    """Return every scenario that a verdict on a cause needs, by name, and all the others."""
    causes, others = {"normal": base}, remedy_scenarios(base)
    for claim in CLAIMS:
        causes |= _claim_scenarios(claim, base)
        place = base.replace(muscle=claim.muscle) if claim.muscle else base
        for name in claim.scenarios:
            for size in severities(CatalogueName.parse(name).base):
                others[claim.rates_name(size)] = _state_scenario(place, size)
    return causes, {name: s for name, s in others.items() if name not in causes}


def try_claims(
    numbers: Sequence[int], people: int = 20, seed: int = 1, *, cores: int = 1, **changes: Any
) -> tuple[Verdict, ...]:
    """Put a few claims of causes to a few people, in seconds, and return the verdicts.

    As in `article`, but without mild sizes, other seeds and what a verdict leans on.

    Parameters
    ----------
    numbers : sequence of int
        Numbers of claims: of causes, or outside the model.
    people, seed, cores, **changes
        As in `article`.

    Raises
    ------
    NeurosimError
        For an unknown claim, one that is not on a cause, fewer than 2 people, or a value that is
        not allowed.
    """
    _check_people(people)
    records = [claims.claim(n) for n in numbers]
    for claim in records:
        if claim.kind not in ("rate", "outside"):
            raise NeurosimError(
                f"Claim {claim.number} ({claim.claim}) is not on a cause, so it cannot be tried by "
                "itself: article() puts every claim to the model."
            )
    base = load_scenario("normal").replace(seed=seed, **changes)
    scenarios = {"normal": base}
    for claim in records:
        scenarios |= _claim_scenarios(claim, base)
    rates = dict(
        zip(scenarios, long_run_rates(tuple(scenarios.values()), people, cores=cores), strict=True)
    )
    return tuple(
        judge_rate(claim, claim.own_rates(rates))
        if claim.kind == "rate"
        else make_verdict(claim, "outside this model", reason=claim.outside)
        for claim in records
    )


def _check_people(people: int) -> None:
    if people < 2:
        raise NeurosimError(f"people = {people} is too few: a verdict needs at least 2.")


def _check_cores(cores: int | None) -> int:
    """Return how many processes are to be used; 1 if none is named."""
    number = 1.0 if cores is None else number_within("cores", cores, 1, MAX_CORES)
    if number != int(number):
        raise NeurosimError(f"cores must be a whole number, not {number:g}.")
    return int(number)


def _check_callback(name: str, value: object) -> None:
    if value is not None and not callable(value):
        raise NeurosimError(f"{name} must be a function or None, not {short_repr(value)}.")


@public
def article(
    *,
    people: int = 200,
    seed: int = 1,
    cores: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    stage: Callable[[str], None] | None = None,
) -> Article:
    """Put every claim of a popular article about twitching to the model, and judge it.

    The same as ``neurosim article``: minutes to hours, by the number of people.

    Parameters
    ----------
    people : int
        2 to 100 000 people, each paired with themselves in health. They come from four seeds.
    seed : int
        Same seed, same people.
    cores : int, optional
        Processes to use, 1 if omitted; the result does not depend on it.
    progress : callable, optional
        Called with (people done, people).
    stage : callable, optional
        Called with what is done next, in words.

    Returns
    -------
    Article
        It prints the verdicts, draws them (``plot``) and writes the report (``save``).

    Raises
    ------
    NeurosimError
        With fewer than 2 people, or a value that is not allowed.

    Examples
    --------
    >>> ns.article(people=50).save("report")  # doctest: +SKIP
    """
    base = load_scenario("normal").replace(people=people, seed=seed)
    _check_people(base.people)
    for name, value in (("progress", progress), ("stage", stage)):
        _check_callback(name, value)
    return run_article(base, cores=_check_cores(cores), progress=progress, stage=stage)


@keep_reads
def run_article(
    base: Scenario,
    *,
    cores: int = 1,
    progress: Callable[[int, int], None] | None = None,
    stage: Callable[[str], None] | None = None,
    robustness: bool = True,
    diaries: int = DIARIES,
) -> Article:
    """Put every claim of the article to the people of a scenario.

    Parameters
    ----------
    base : Scenario
        Health, with muscle, duration, number of people, seed and axon of all.
    cores, progress, stage
        As in `article`.
    robustness : bool
        Whether to find what each verdict leans on.
    diaries : int
        People of each group who keep a diary, for the signs of alarm.

    Raises
    ------
    NeurosimError
        With fewer than 2 people.
    """
    _check_people(base.people)
    announce: Callable[[str], None] = stage or (lambda _: None)
    causes, others = _all_scenarios(base)
    scenarios, few = causes | others, min(base.people, FEW)
    rates: dict[str, np.ndarray] = {}
    for part, n in ((causes, base.people), (others, few)):
        announce(f"{n} people in {len(part)} states")
        table = long_run_rates(tuple(part.values()), n, cores=cores, progress=progress)
        rates |= dict(zip(part, table, strict=True))
    matrix = remedy_matrix(base, {name: per_min[:few] for name, per_min in rates.items()})
    announce(f"diaries of {4 * diaries} people over {WEEKS} weeks")
    signs = alarms.run_alarms(diaries, WEEKS, base.seed, cores, progress)
    announce("tests of the other claims")
    evidence = claim_tests.Evidence(base, rates, matrix)
    verdicts = [_judge(claim, evidence, signs) for claim in CLAIMS]
    if robustness:
        announce("what each verdict leans on")
        verdicts = _assess_robustness(verdicts, scenarios, rates, cores)
    return Article(tuple(verdicts), base, rates, matrix, signs)


def _judge(claim: Claim, evidence: claim_tests.Evidence, signs: alarms.Alarms) -> Verdict:
    if claim.kind == "rate":
        rates = claim.own_rates(evidence.rates)
        first = claim.scenarios[0]
        lid = judge_in_lid(first, claim.expected) if first in CLAIMED else None
        return replace(_add_sizes(judge_rate(claim, rates), rates), lid=lid)
    if claim.kind == "remedy":
        return judge_remedy(claim, evidence.matrix)
    if claim.kind == "alarm":
        return judge_alarm(claim, signs)
    if claim.kind == "test":
        finding = claim_tests.TESTS[claim.test](evidence)
        return make_verdict(claim, finding.outcome, finding=finding.sentence)
    return make_verdict(claim, "outside this model", reason=claim.outside)


def _add_sizes(verdict: Verdict, rates: Mapping[str, np.ndarray]) -> Verdict:
    """Return a verdict on a rate with its mild size and the spread over seeds."""
    ill, healthy = rates[verdict.factor], rates["normal"]
    seed_ratios = [
        paired_ratio(ill[i::SEEDS], healthy[i::SEEDS]).value
        for i in range(SEEDS)
        if ill[i::SEEDS].size
    ]
    mild_name = str(CatalogueName.parse(verdict.factor)._replace(is_mild=True))
    mild = shared_ratio(rates, mild_name, "normal") if mild_name in rates else NO_RATIO
    return replace(
        verdict,
        seed_low=min(seed_ratios),
        seed_high=max(seed_ratios),
        mild_ratio=mild.value,
        mild_low=mild.low,
        mild_high=mild.high,
    )


def _robustness_questions(
    verdicts: Sequence[Verdict],
    scenarios: Mapping[str, Scenario],
    rates: Mapping[str, np.ndarray],
) -> dict[int, Question]:
    """Return what to move numbers on, by number of the claim; a remedy on its best cause."""
    questions: dict[int, Question] = {}
    for v in verdicts:
        if v.kind == "rate":
            ratio = Ratio(v.rate_ratio, v.ci_low, v.ci_high, v.people)
            pair = (claims.claim(v.number).rates_name(n) for n in (v.factor, "normal"))
            ill, healthy = (scenarios[n] for n in pair)
            questions[v.number] = _robustness_question(ill, healthy, ratio)
        elif v.kind == "remedy":
            cause = _strongest_cause(v.factor, scenarios, rates)
            if cause is not None:
                pair = (apply_remedy(scenarios[cause], v.factor), scenarios[cause])
                questions[v.number] = _robustness_question(
                    *pair, shared_ratio(rates, pair[0].name, cause)
                )
    return questions


def _robustness_question(scenario: Scenario, against: Scenario, ratio: Ratio) -> Question:
    return Question(
        scenario, against, *(float(np.log(v)) for v in (ratio.value, ratio.low, ratio.high))
    )


def _strongest_cause(
    name: str, scenarios: Mapping[str, Scenario], rates: Mapping[str, np.ndarray]
) -> str | None:
    """Return the cause on which a remedy helps most, or None if it changes nothing anywhere."""
    effect = {
        cause: -np.log(shared_ratio(rates, treated, cause).value)
        for cause in CAUSES
        if (treated := combined_name((cause, name))) in scenarios and cause in rates
    }
    return max(effect, key=effect.__getitem__) if effect else None


def _assess_robustness(
    verdicts: Sequence[Verdict],
    scenarios: Mapping[str, Scenario],
    rates: Mapping[str, np.ndarray],
    cores: int,
) -> list[Verdict]:
    questions = _robustness_questions(verdicts, scenarios, rates)
    robustness = dict(
        zip(questions, assess_robustness(list(questions.values()), cores), strict=True)
    )
    return [
        _add_robustness(v, robustness[v.number], questions[v.number])
        if v.number in robustness
        else v
        for v in verdicts
    ]


def _add_robustness(verdict: Verdict, robustness: Robustness, question: Question) -> Verdict:
    main = np.exp(question.main)
    if verdict.kind == "remedy":  # of one cause, so not to be mixed with the mean of all
        lean = robustness.lean and replace(robustness.lean, against=question.against.name)
        return replace(verdict, lean=lean, assumed=robustness.numbers_tried)
    low, high = (float(np.exp(v)) for v in robustness.reference)
    changed = replace(
        verdict,
        lean=robustness.lean,
        assumed=robustness.numbers_tried,
        span_low=float(main * np.exp(robustness.lowest)),
        span_high=float(main * np.exp(robustness.highest)),
        axon_ratios={name: float(main * np.exp(v)) for name, v in robustness.axons.items()},
        share_ratios={at: float(main * np.exp(v)) for at, v in robustness.event_shares.items()},
        elsewhere_ratio=float(np.exp(robustness.elsewhere)),
        reference_low=low,
        reference_high=high,
    )
    return judge_over_ensemble(changed)
