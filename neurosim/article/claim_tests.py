"""Claims that are not on a rate: a stated test for each, its limits fixed in `parameters.toml`.

Every test returns an outcome and a sentence that says what was measured. What a test cannot
measure (pain, for instance) stands in the record of the claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neurosim.base.parameters import override, parameter
from neurosim.model.axon import ephapse
from neurosim.model.body import contributions
from neurosim.model.body.remedies import REMEDY_NAMES, remedy
from neurosim.model.firing.discharge import expected_bursts_per_min
from neurosim.simulation import person_run as run
from neurosim.simulation import state as state_
from neurosim.simulation.persistence import follow_up
from neurosim.simulation.person_run import run_one
from neurosim.simulation.ratio import mean_ratio
from neurosim.simulation.scenario import Scenario, apply_remedy, load_scenario, title_in_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neurosim.article.matrix import RemedyMatrix
    from neurosim.simulation.result import Result

WATCHED_PEOPLE = 10  # people
LONG_S = 3600.0
SPASM_S = 60.0
FACTORS = ("low_calcium", "high_potassium", "low_potassium", "anxiety", "stress", "caffeine",
           "fatigue", "dehydration", "sleep_loss")  # fmt: skip


def _param(name: str) -> float:
    return parameter("study", name)


@dataclass(frozen=True)
class Finding:
    """Outcome of a test (one of `neurosim.article.verdict.OUTCOMES`), and a sentence."""

    outcome: str
    sentence: str


@dataclass(frozen=True)
class Evidence:
    """What the tests may look at.

    Attributes
    ----------
    base : Scenario
        Muscle, duration, seed and axon.
    rates : mapping of str to ndarray
        Long-run twitches per minute of the same people by scenario.
    matrix : RemedyMatrix
        Every remedy on every cause.
    """

    base: Scenario
    rates: Mapping[str, np.ndarray]
    matrix: RemedyMatrix


def _simulate_people(scenario: Scenario, people: int = WATCHED_PEOPLE) -> list[Result]:
    return [run_one(scenario, p) for p in range(people)]


TOO_FEW_EVENTS = Finding(
    "no difference at this size", "too few events in this muscle to tell anything"
)


def _finding_if(holds: bool, sentence: str) -> Finding:
    return Finding("supported" if holds else "opposed", sentence)


def short_and_repeating(e: Evidence) -> Finding:
    """Return whether nearly all twitches are short, and most people with one have more."""
    twitches = [r.twitches for r in _simulate_people(e.base)]
    lengths = np.concatenate([t.duration_s[~t.painful] for t in twitches])
    share_short = float((lengths < _param("short_twitch_s")).mean()) if lengths.size else 0.0
    repeating = [len(t) > 1 for t in twitches if len(t)]
    share_repeating = float(np.mean(repeating)) if repeating else 0.0
    if not lengths.size:
        return TOO_FEW_EVENTS
    words = (
        f"{100 * share_short:.3g} % of {lengths.size} twitches were over within "
        f"{_param('short_twitch_s'):g} s (median {np.median(lengths):.2g} s), and "
        f"{sum(repeating)} of {len(repeating)} twitching people had more than one in "
        f"{e.base.duration_s / 60:g} min"
    )
    return _finding_if(
        share_short >= _param("nearly_all") and share_repeating > _param("most"), words
    )


def painless(e: Evidence) -> Finding:
    """Return whether next to no event of people who twitch is a spasm."""
    names = ("normal", "low_calcium", "anxiety")
    scenarios = [e.base.replace(name=n, body=load_scenario(n).body) for n in names]
    twitches = [r.twitches for s in scenarios for r in _simulate_people(s, 4)]
    events = sum(len(t) for t in twitches)
    painful = sum(int(t.painful.sum()) for t in twitches)
    if not events:
        return TOO_FEW_EVENTS
    words = f"{painful} of {events} events in health, low calcium and anxiety were spasms"
    return _finding_if(painful <= _param("painful_share") * events, words)


def _measure_spasms(scenario: Scenario, people: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return the lengths of spasms (s), and each person's seconds in spasm times units in it."""
    twitches = [r.twitches for r in _simulate_people(scenario, people)]
    lengths = [t.duration_s[t.painful] for t in twitches]
    units = [t.units[t.painful] for t in twitches]
    return np.concatenate(lengths), np.array([s @ n for s, n in zip(lengths, units, strict=True)])


def _cramp_scenario(e: Evidence) -> Scenario:
    cramp = load_scenario("cramp")
    return e.base.replace(name="cramp", title=cramp.title, body=cramp.body, duration_s=SPASM_S)


def spasm_prolonged(e: Evidence) -> Finding:
    """Return whether a spasm lasts many times longer than a twitch."""
    lengths, _ = _measure_spasms(_cramp_scenario(e))
    twitch = np.concatenate([r.twitches.duration_s for r in _simulate_people(e.base)])
    if not (lengths.size and twitch.size):
        return TOO_FEW_EVENTS
    times = float(np.median(lengths) / np.median(twitch))
    words = (
        f"a spasm lasted {np.median(lengths):.2g} s (median of "
        f"{lengths.size}), {times:.0f} times a twitch; that it hurts is not modelled"
    )
    return _finding_if(times >= _param("prolonged_times"), words)


def same_practices(e: Evidence) -> Finding:
    """Return whether every practice that shortens spasms also lessens twitches, in most causes."""
    cramp = _cramp_scenario(e)
    _, alone = _measure_spasms(cramp)
    if not alone.any():
        return TOO_FEW_EVENTS
    ending: list[str] = []
    failing: list[str] = []
    for i, name in enumerate(REMEDY_NAMES):
        treated = apply_remedy(cramp, name)
        if treated is cramp:
            continue
        _, seconds = _measure_spasms(treated)
        if seconds.mean() * _param("smallest_ratio") > alone.mean():
            continue
        fewer = [mean_ratio(row[i]).change == "fewer" for row in e.matrix.log_ratio]
        ending.append(name)
        if np.mean(fewer) <= _param("most"):
            failing.append(name)
    words = (
        f"spasms are shortened by {_join_names(ending)}; "
        f"of these {_join_names(failing)} did not lessen twitches in most causes"
        if failing
        else f"spasms are shortened by {_join_names(ending)}, and so are twitches lessened"
    )
    return _finding_if(bool(ending) and not failing, words)


def _join_names(names: list[str]) -> str:
    return " and ".join(remedy(n).label for n in names) or "nothing"


def unavoidable(e: Evidence) -> Finding:
    """Return whether most people twitch every day with nothing wrong with them."""
    daily = float((e.rates["normal"] > _param("daily_rate")).mean())
    words = f"{100 * daily:.0f} % of healthy people twitch at least once a day in this muscle"
    return _finding_if(daily > _param("most"), words)


def nerves_misfire(e: Evidence) -> Finding:
    """Return whether healthy resting nerves misfire, and a small change of them does much."""
    daily = float((e.rates["normal"] > _param("daily_rate")).mean())
    change = _param("smaller_sensitivity_change")
    state = state_.state_from_contributions(())
    changed = state.axon.replace(persistent_sodium_scale=1.0 + change)
    log_ratios: list[float] = []
    with override("membrane", "people_spread", 0.0):
        for person in range(WATCHED_PEOPLE):
            sites, _ = run.person_sites(e.base, person)
            rates = [
                expected_bursts_per_min(
                    run.state_hazard(run.replace(state, axon=axon), sites, e.base)
                ).sum()
                for axon in (changed, state.axon)
            ]
            log_ratios.append(np.log(rates[0] / rates[1]))
    times = mean_ratio(np.array(log_ratios))
    words = (
        f"{100 * daily:.0f} % of healthy people misfire at least daily without any drive, and "
        f"{100 * change:.0f} % more persistent sodium current makes "
        f"{times.value:.2g} times as many misfires"
    )
    return _finding_if(daily > _param("most") and times.change == "more", words)


def short_circuits(e: Evidence) -> Finding:
    """Return whether a spike crosses from axon to axon: in health, under factors, at a lesion."""
    states = {
        n: state_.state_from_contributions(contributions.contributions(load_scenario(n).body)).axon
        for n in FACTORS
    }
    states = {"normal": state_.state_from_contributions(()).axon, **states}
    shares = {n: ephapse.crosstalk_share(c, "healthy", e.base.axon) for n, c in states.items()}
    most = max(shares.values())
    lesion = ephapse.crosstalk_share(states["normal"], "lesion", e.base.axon)
    words = (
        f"between healthy axons a spike gives its neighbour at most "
        f"{100 * most:.2g} % of what would fire it, in any of {len(shares)} states of the body; "
        f"where two have lost their myelin and touch, {100 * lesion:.2g} %"
    )
    if most >= ephapse.FIRES:
        return Finding("supported", words)
    return Finding("only in combination" if lesion >= ephapse.FIRES else "opposed", words)


def unpredictable(e: Evidence) -> Finding:
    """Return whether intervals between a person's twitches are as irregular as chance."""
    from scipy.stats import spearmanr  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] scipy has no types

    cvs: list[float] = []
    correlations: list[float] = []
    for result in _simulate_people(e.base.replace(duration_s=LONG_S)):
        gaps = np.diff(np.sort(result.twitches.onset_s))
        if gaps.size >= 20:
            cvs.append(gaps.std(ddof=1) / gaps.mean())
            correlations.append(cast("Any", spearmanr(gaps[1:], gaps[:-1])).statistic)
    if not cvs:
        return TOO_FEW_EVENTS
    cv, correlation = float(np.median(cvs)), float(np.median(np.abs(correlations)))
    words = (
        f"intervals between the twitches of {len(cvs)} people vary by {cv:.2f} of their mean "
        f"(chance has 1, a clock 0), and the rank correlation of one with the next is "
        f"{correlation:.2f}"
    )
    holds = cv >= _param("random_interval_cv") and correlation <= _param(
        "random_interval_correlation"
    )
    return _finding_if(holds, words)


def no_single_remedy(e: Evidence) -> Finding:
    """Return whether no remedy lessens the twitches of nearly everybody in every cause."""
    edge = -np.log(_param("smallest_ratio"))
    helped = (e.matrix.log_ratio < edge).mean(axis=2)  # causes, remedies
    worst = helped.min(axis=0)
    best = int(np.argmax(worst))
    foolproof = [
        n
        for n, share in zip(e.matrix.remedies, worst, strict=True)
        if share >= _param("nearly_all")
    ]
    where = e.matrix.causes[int(np.argmin(helped[:, best]))]
    words = (
        f"the best of {len(REMEDY_NAMES)}, {remedy(e.matrix.remedies[best]).label}, helps "
        f"{100 * worst[best]:.0f} % of people where it helps least "
        f"({title_in_sentence(load_scenario(where).title)})"
    )
    return _finding_if(not foolproof, words)


def disease_share(prevalence: float, twitching: float = 1.0) -> float:
    """Return the share of people who twitch that has a disease (Bayes).

    Parameters
    ----------
    prevalence, twitching : float
        Share of people who have it, and of those the share who twitch.
    """
    ill = prevalence * twitching
    return ill / (ill + (1.0 - prevalence) * _param("twitching_in_health"))


def often_passes(e: Evidence) -> Finding:
    """Return whether half of those who twitch enough to complain have none two years later."""
    months = 24.0
    after = follow_up(months, seed=e.base.seed, axon=e.base.axon)
    gone = 1.0 - after.persists
    words = (
        f"of people whose ordinary muscles twitch enough to complain, {100 * gone:.0f} % have no "
        f"twitching {months:.0f} months later, {100 * after.halved:.0f} % have less than half and "
        f"{100 * after.doubled:.0f} % more than twice as much"
    )
    return _finding_if(gone >= _param("often_passes"), words)


def rarely_serious(e: Evidence) -> Finding:
    """Return whether next to nobody who twitches has ALS, if everybody with it does (Bayes)."""
    share = disease_share(_param("als_prevalence"), 1.0)
    words = (
        f"with surveys' shares and not the model's "
        f"({100 * _param('twitching_in_health'):.2g} % in health) "
        f"{share * 1e5:.0f} in 100 000 people seen to twitch have ALS"
    )
    return _finding_if(share < 1.0 - _param("nearly_all"), words)


def no_disease(e: Evidence) -> Finding:
    """Return whether most who twitch have no chronic disease of the nerves (Bayes)."""
    ill = _param("twitching_in_nerve_disease")
    shares = (
        disease_share(_param("als_prevalence"), 1.0),
        disease_share(_param("nerve_disease_prevalence"), ill),
    )
    words = (
        f"with surveys' shares and not the model's, {100 * sum(shares):.0f} % of people seen to "
        f"twitch have a nerve disease, nearly all a neuropathy or a root lesion"
    )
    return _finding_if(1.0 - sum(shares) > _param("most"), words)


TESTS: Mapping[str, Callable[[Evidence], Finding]] = {
    f.__name__: f
    for f in (
        short_and_repeating,
        painless,
        spasm_prolonged,
        same_practices,
        unavoidable,
        nerves_misfire,
        short_circuits,
        unpredictable,
        no_single_remedy,
        often_passes,
        rarely_serious,
        no_disease,
    )
}
