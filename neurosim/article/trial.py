"""The article on trial: every claim put to people, remedies, tests and diaries, and judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neurosim.article import alarms, claim_tests
from neurosim.article.claims import CLAIMS, Claim
from neurosim.article.claims import claim as numbered
from neurosim.article.matrix import RemedyMatrix, remedy_matrix, remedy_scenarios
from neurosim.article.verdict import Verdict, judge_alarm, judge_rate, judge_remedy, make_verdict
from neurosim.base.errors import NeurosimError
from neurosim.simulation.long_run import SEEDS, long_run_rates
from neurosim.simulation.ratio import NO_RATIO, Ratio, paired_ratio, shared_ratio
from neurosim.simulation.robustness import Question, Robustness, assess_robustness
from neurosim.simulation.scenario import (
    MILD_SUFFIX,
    Scenario,
    apply_remedy,
    combine,
    load_scenario,
    severities,
    title_in_sentence,
)

DIARIES = 30  # people of each group who keep one
FEW = 80  # of the people, who are tried with every remedy and at mild sizes
WEEKS = 26


@dataclass(frozen=True)
class Article:
    """Every verdict, and what is behind them.

    Attributes
    ----------
    verdicts : tuple of Verdict
    base : Scenario
        Muscle, duration, seed and axon of all.
    people : int
    rates : mapping of str to ndarray
        Long-run twitches per minute under every scenario; of the first `FEW` people with remedies
        and at mild sizes.
    matrix : Matrix
        Every remedy on every cause.
    alarms : Alarms
    """

    verdicts: tuple[Verdict, ...]
    base: Scenario
    people: int
    rates: Mapping[str, np.ndarray]
    matrix: RemedyMatrix
    alarms: alarms.Alarms


def _state_scenario(base: Scenario, name: str) -> Scenario:
    own = load_scenario(name)
    return base.replace(name=name, title=own.title, about=own.about, body=own.body)


def _claim_scenarios(claim: Claim, base: Scenario) -> dict[str, Scenario]:
    """Return the scenarios that a verdict on a claim of a cause needs, by name."""
    found = {name: _state_scenario(base, name) for name in claim.scenarios}
    for partner in claim.combination:
        found[partner] = _state_scenario(base, partner)
        both = combine((claim.scenarios[0], partner), base)
        found[both.name] = both
    return found


def _all_scenarios(base: Scenario) -> tuple[dict[str, Scenario], dict[str, Scenario]]:
    """Return every scenario that a verdict on a cause needs, by name, and all the others."""
    found, others = {"normal": base}, remedy_scenarios(base)
    for claim in CLAIMS:
        found |= _claim_scenarios(claim, base)
        for name in claim.scenarios:
            for size in severities(name.removesuffix(MILD_SUFFIX)):
                others[size] = _state_scenario(base, size)
    return found, {name: s for name, s in others.items() if name not in found}


def try_claims(
    numbers: Sequence[int], people: int = 20, seed: int = 1, *, cores: int = 1, **changes
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
    asked = [numbered(n) for n in numbers]
    for one in asked:
        if one.kind not in ("rate", "outside"):
            raise NeurosimError(
                f"Claim {one.number} ({one.claim}) is not on a cause, so it cannot be tried by "
                "itself: article() puts every claim to the model."
            )
    base = load_scenario("normal").replace(seed=seed, **changes)
    states = {"normal": base}
    for one in asked:
        states |= _claim_scenarios(one, base)
    rates = dict(
        zip(states, long_run_rates(tuple(states.values()), people, cores=cores), strict=True)
    )
    return tuple(
        judge_rate(one, rates)
        if one.kind == "rate"
        else make_verdict(one, "outside this model", note=one.outside)
        for one in asked
    )


def _check_people(people: int) -> None:
    if people < 2:
        raise NeurosimError(f"people = {people} is too few: a verdict needs at least 2.")


def run_article(
    people: int = 200,
    seed: int = 1,
    *,
    cores: int = 1,
    progress: Callable[[int, int], None] | None = None,
    stage: Callable[[str], None] = lambda words: None,
    sensitivity: bool = True,
    diaries: int = DIARIES,
    **changes,
) -> Article:
    """Put every claim of the article to the model.

    Parameters
    ----------
    people : int
        People, each paired with themselves in health; at least 2. They come from four seeds.
    seed, cores, progress
        As in `neurosim.replicate`.
    stage : callable, optional
        Told in words what is done next.
    sensitivity : bool
        Whether to find what each verdict leans on.
    diaries : int
        People of each group who keep a diary, for the signs of alarm.
    **changes
        Scenario fields to change in all: `muscle`, `duration_s`, `axon`.

    Raises
    ------
    NeurosimError
        With fewer than 2 people, or a value that is not allowed.
    """
    _check_people(people)
    base = load_scenario("normal").replace(seed=seed, **changes)
    causes, others = _all_scenarios(base)
    asked, few = causes | others, min(people, FEW)
    rates = {}
    for some, n in ((causes, people), (others, few)):
        stage(f"{n} people in {len(some)} states")
        found = long_run_rates(tuple(some.values()), n, cores=cores, progress=progress)
        rates |= dict(zip(some, found, strict=True))
    table = remedy_matrix(base, {name: own[:few] for name, own in rates.items()})
    stage(f"diaries of {4 * diaries} people over {WEEKS} weeks")
    kept = alarms.run_alarms(diaries, WEEKS, seed, cores, progress)
    stage("tests of the other claims")
    evidence = claim_tests.Evidence(base, rates, table)
    verdicts = [_judge(claim, evidence, kept) for claim in CLAIMS]
    if sensitivity:
        stage("what each verdict leans on")
        verdicts = _assess_robustness(verdicts, asked, base, rates, cores)
    return Article(tuple(verdicts), base, people, rates, table, kept)


def _judge(claim: Claim, evidence: claim_tests.Evidence, kept: alarms.Alarms) -> Verdict:
    if claim.kind == "rate":
        return _add_sizes(judge_rate(claim, evidence.rates), evidence.rates)
    if claim.kind == "remedy":
        return judge_remedy(claim, evidence.matrix)
    if claim.kind == "alarm":
        return judge_alarm(claim, kept)
    if claim.kind == "test":
        found = claim_tests.TESTS[claim.test](evidence)
        return make_verdict(claim, found.outcome, finding=found.sentence)
    return make_verdict(claim, "outside this model", note=claim.outside)


def _add_sizes(verdict: Verdict, rates: Mapping[str, np.ndarray]) -> Verdict:
    """Return a verdict on a rate with its mild size and the spread over seeds."""
    own, healthy = rates[verdict.factor], rates["normal"]
    groups = [
        paired_ratio(own[i::SEEDS], healthy[i::SEEDS]).value
        for i in range(SEEDS)
        if own[i::SEEDS].size
    ]
    mild = verdict.factor.removesuffix(MILD_SUFFIX) + MILD_SUFFIX
    small = shared_ratio(rates, mild, "normal") if mild in rates else NO_RATIO
    return replace(
        verdict,
        seed_low=min(groups),
        seed_high=max(groups),
        mild_ratio=small.value,
        mild_low=small.low,
        mild_high=small.high,
    )


def _robustness_questions(
    verdicts: list[Verdict], asked: Mapping[str, Scenario], base: Scenario, rates
) -> dict[int, Question]:
    """Return what to move numbers on, by number of the claim; a remedy on its best cause."""
    found = {}
    for v in verdicts:
        if v.kind == "rate":
            ratio = Ratio(v.rate_ratio, v.ci_low, v.ci_high, v.people)
            found[v.number] = _robustness_question(asked[v.factor], base, ratio)
        elif v.kind == "remedy":
            cause = _strongest_cause(v.factor, asked, rates)
            if cause is not None:
                pair = (apply_remedy(asked[cause], v.factor), asked[cause])
                found[v.number] = _robustness_question(
                    *pair, shared_ratio(rates, pair[0].name, cause)
                )
    return found


def _robustness_question(asked: Scenario, against: Scenario, ratio: Ratio) -> Question:
    return Question(
        asked, against, *(float(np.log(v)) for v in (ratio.value, ratio.low, ratio.high))
    )


def _strongest_cause(name: str, asked: Mapping[str, Scenario], rates) -> str | None:
    """Return the cause on which a remedy helps most, or None if it changes nothing anywhere."""
    effect = {
        cause: -np.log(shared_ratio(rates, both, cause).value)
        for both in asked
        if both.endswith(f"+{name}") and (cause := both.removesuffix(f"+{name}")) in rates
    }
    return max(effect, key=effect.__getitem__) if effect else None


def _assess_robustness(verdicts, asked, base, rates, cores) -> list[Verdict]:
    questions = _robustness_questions(verdicts, asked, base, rates)
    leans = dict(zip(questions, assess_robustness(list(questions.values()), cores), strict=True))
    return [
        _add_robustness(v, leans[v.number], questions[v.number]) if v.number in leans else v
        for v in verdicts
    ]


def _add_robustness(verdict: Verdict, on: Robustness, question: Question) -> Verdict:
    main = np.exp(question.main)
    words = on.leans_on
    if verdict.kind == "remedy":  # of one cause, so not to be mixed with the mean of all
        words += f" (against {title_in_sentence(question.against.title)})"
        return replace(verdict, leans_on=words, flips_at=on.flips_at, assumed=on.numbers_tried)
    low, high = (float(np.exp(v)) for v in on.reference)
    return replace(
        verdict,
        leans_on=words,
        flips_at=on.flips_at,
        assumed=on.numbers_tried,
        span_low=float(main * np.exp(on.lowest)),
        span_high=float(main * np.exp(on.highest)),
        axon_ratios={name: float(main * np.exp(v)) for name, v in on.axons.items()},
        elsewhere_ratio=float(np.exp(on.elsewhere)),
        reference_low=low,
        reference_high=high,
    )
