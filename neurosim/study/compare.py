"""From people and claims to verdicts.

The rules are fixed in `parameters.toml` before anything is run. A person is compared with
the same person in health: the verdict is on the mean of their log rate ratios, with its
95 % interval. Each verdict names the assumption it leans on most, and how far that must
move to turn it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from neurosim.body.factors import contributions
from neurosim.body.state import Body
from neurosim.errors import NeurosimError
from neurosim.firing.discharge import expected_bursts_per_min
from neurosim.sources import exchanged, load, number
from neurosim.study import run
from neurosim.study.claims import CLAIMS, Claim
from neurosim.study.run import People, replicate
from neurosim.study.scenario import Scenario, scenario

OUTCOMES = (
    "supported",
    "opposed",
    "no difference at this size",
    "only in combination",
    "outside this model",
)
SENSITIVITY_PEOPLE = 24
FORCES = {"ghk": "constant field", "ohmic": "ohmic"}


@dataclass(frozen=True)
class Ratio:
    """Rate ratio of the same people in two states: value and 95 % interval."""

    value: float
    low: float
    high: float
    people: int

    @property
    def change(self) -> str:
        """``"more"``, ``"fewer"`` or ``"same"`` by the rules."""
        edge = number("study", "smallest_ratio")
        if self.low > edge:
            return "more"
        return "fewer" if self.high < 1.0 / edge else "same"


def paired_ratio(counts: np.ndarray, healthy: np.ndarray) -> Ratio:
    """Return the geometric mean over people of count / count in health, with its interval.

    Parameters
    ----------
    counts, healthy : ndarray of int, shape (people,)
        Twitches of the same people over the same time. `count_floor` is added to each, so
        a ratio that counts cannot resolve is drawn towards 1, never away from it.
    """
    from scipy.special import stdtrit

    floor = number("study", "count_floor")
    log = np.log((counts + floor) / (healthy + floor))
    n = log.size
    mean = float(log.mean())
    half = 0.0
    if n > 1:
        tail = 0.5 + number("study", "confidence") / 2.0
        half = float(stdtrit(n - 1, tail) * log.std(ddof=1) / np.sqrt(n))
    else:
        half = np.inf
    return Ratio(float(np.exp(mean)), float(np.exp(mean - half)), float(np.exp(mean + half)), n)


@dataclass(frozen=True)
class Verdict:
    """What the model says of one claim.

    Attributes
    ----------
    claim, factor, expected, group : str
        As in `Claim`.
    outcome : str
        One of `OUTCOMES`.
    rate_ratio, ci_low, ci_high : float
        Twitch rate against the same people in health; NaN outside the model.
    people : int
    leans_on : str
        The assumption whose range moves the ratio most.
    flips_at : str
        Its value at which the outcome turns, or the range over which it does not.
    span_low, span_high : float
        Least and greatest rate ratio while each assumption alone is moved over its range and
        the axon is exchanged; NaN if that was not asked.
    other_force_ratio : float
        Rate ratio with the other driving force of sodium (ohmic for constant field).
    note : str
        Why, where that needs a sentence.
    """

    claim: str
    factor: str
    group: str
    expected: str
    outcome: str
    rate_ratio: float = float("nan")
    ci_low: float = float("nan")
    ci_high: float = float("nan")
    people: int = 0
    leans_on: str = ""
    flips_at: str = ""
    span_low: float = float("nan")
    span_high: float = float("nan")
    other_force_ratio: float = float("nan")
    note: str = ""

    @property
    def scenario(self) -> str:
        """Name of the scenario behind the verdict."""
        return self.factor


@dataclass(frozen=True)
class Article:
    """Every verdict, and the people behind them."""

    verdicts: tuple[Verdict, ...]
    people_result: People


@dataclass(frozen=True)
class Assumption:
    """One number (or the choice of axon) that a sensitivity run exchanges.

    `low` and `high` are its range; `factors` limits it to scenarios it can touch.
    """

    room: str
    name: str
    words: str
    nominal: float
    low: float
    high: float
    unit: str
    factors: tuple[str, ...] = ()

    @contextmanager
    def at(self, value: float) -> Iterator[None]:
        """Use `value` inside a ``with`` block."""
        with exchanged(self.room, self.name, value):
            yield


def _assumption(room: str, name: str, words: str, factors: Sequence[str] = ()) -> Assumption:
    v = load(room)[name]
    return Assumption(room, name, words, v.value, v.low, v.high, v.unit, tuple(factors))


def assumptions(axon: str = "axon_ghk") -> tuple[Assumption, ...]:
    """Return the numbers whose ranges are tried on every verdict."""
    return (
        _assumption("firing", "rogue_tail", "tail of the rogue sites"),
        _assumption("firing", "load_factor", "sodium load of a terminal"),
        _assumption("firing", "hazard_state_error", "error of the hazard law in this state"),
        _assumption(axon, "S5Na", "gate shift by five-fold calcium"),
        _assumption("soma", "soma_noise_mv", "synaptic noise of the soma"),
        _assumption("soma", "soma_tone_mv", "resting tone of the soma"),
        _assumption("body", "caffeine_pic_gain_full_block", "what caffeine does to the soma",
                    ("caffeine",)),
        _assumption("body", "stress_synaptic_noise_rise", "what stress does to the noise",
                    ("stress",)),
        _assumption("body", "stress_pic_gain_rise", "what stress does to the soma", ("stress",)),
        _assumption("body", "stress_potassium_fall_mmol_l", "adrenaline's fall of potassium",
                    ("stress",)),
        _assumption("body", "fatigue_sodium_load_mmol_l", "sodium load after a contraction",
                    ("fatigue",)),
    )  # fmt: skip


def mean_field_log_ratio(asked: Scenario, people: int = SENSITIVITY_PEOPLE) -> float:
    """Return the mean over people of ln(expected count / expected count in health).

    From the hazards alone, without drawing discharges, so that two assumptions can be told
    apart with few people; counts get the same floor as in `paired_ratio`.
    """
    floor = number("study", "count_floor")
    minutes = asked.duration_s / 60.0
    logs = []
    states = [run.state_of(contributions(b)) for b in (asked.body, Body())]
    for person in range(people):
        sites, _ = run.people_sites(asked, person)
        counts = [
            expected_bursts_per_min(run.hazard_of(s, sites, asked)).sum()
            * run.reaches(s, asked.axon) * minutes
            for s in states
        ]  # fmt: skip
        logs.append(np.log((counts[0] + floor) / (counts[1] + floor)))
    return float(np.mean(logs))


def _side(log_ratio: float) -> str:
    edge = np.log(number("study", "smallest_ratio"))
    return "more" if log_ratio > edge else "fewer" if log_ratio < -edge else "same"


@dataclass(frozen=True)
class Lean:
    """What one verdict leans on, where it turns, and the reach of all assumptions (ln ratio)."""

    leans_on: str = ""
    flips_at: str = ""
    lowest: float = float("nan")
    highest: float = float("nan")
    other_force: float = float("nan")


def lean(asked: Scenario) -> Lean:
    """Return the assumption that one scenario leans on most and where it turns the outcome.

    Every assumption is moved to both ends of its range; the axon is exchanged for the one
    with ohmic sodium. The one that moves the log ratio most is leant on, but one that turns
    the outcome goes before one that does not.
    """
    log = partial(mean_field_log_ratio, asked)
    other = "ohmic" if asked.axon == "ghk" else "ghk"
    base = log()
    tried: list[tuple[bool, float, str, str]] = []
    exchanged_axon = mean_field_log_ratio(asked.replace(axon=other))
    turned = _side(exchanged_axon) != _side(base)
    at = f"{FORCES[other]}" if turned else f"not with {FORCES[other]}"
    words = f"driving force of sodium ({FORCES[asked.axon]})"
    tried.append((turned, abs(exchanged_axon - base), words, at))
    reach = [0.0, exchanged_axon - base]
    for a in assumptions(f"axon_{asked.axon}"):
        if a.factors and asked.name not in a.factors:
            continue
        ends = []
        for end in (a.low, a.high):
            with a.at(end):
                ends.append(log())
        shift = max(abs(e - base) for e in ends)
        reach += [e - base for e in ends]
        turning = [e for e, found in zip((a.low, a.high), ends, strict=True)
                   if _side(found) != _side(base)]  # fmt: skip
        unit = "" if a.unit == "1" else f" {a.unit}"
        name = f"{a.words} ({a.nominal:g}{unit})"
        if turning:
            value = _turning_point(log, a, turning[0], _side(base))
            tried.append((True, shift, name, f"{value:.3g}{unit}"))
        else:
            tried.append((False, shift, name, f"not within {a.low:g} to {a.high:g}{unit}"))
    best = max(tried, key=lambda t: (t[0], t[1]))
    return Lean(best[2], best[3], min(reach), max(reach), exchanged_axon - base)


def _turning_point(log: Callable[[], float], a: Assumption, end: float, side: str) -> float:
    inside, outside = a.nominal, end
    for _ in range(6):
        middle = 0.5 * (inside + outside)
        with a.at(middle):
            same = _side(log()) == side
        inside, outside = (middle, outside) if same else (inside, middle)
    return 0.5 * (inside + outside)


def _together(name: str, partner: str, asked: Scenario) -> Scenario:
    """Return the scenario of two factors at once: every field that either one changes."""
    healthy, first, second = Body(), scenario(name).body, scenario(partner).body
    fields = {
        f: getattr(b, f)
        for b in (second, first)
        for f in Body.__dataclass_fields__
        if getattr(b, f) != getattr(healthy, f)
    }
    return asked.replace(name=f"{name}+{partner}", body=Body(**fields))


def judge(claim: Claim, people: People, normal: str = "normal") -> Verdict:
    """Return the verdict on one claim from people who were run under its scenario.

    `people` holds `normal`, the claim's factor, and for each combination the partner alone
    and ``factor+partner``.
    """
    if claim.outside:
        return Verdict(claim.claim, claim.factor, claim.group, claim.expected,
                       "outside this model", note=claim.outside)  # fmt: skip
    row = people.row
    ratio = paired_ratio(people.twitches[row(claim.factor)], people.twitches[row(normal)])
    note = ""
    if ratio.change == claim.expected:
        outcome = "supported"
    elif ratio.change == "same":
        outcome = "no difference at this size"
        for partner in claim.combination:
            both = people.twitches[row(f"{claim.factor}+{partner}")]
            added = paired_ratio(both, people.twitches[row(partner)])
            if added.change == claim.expected:
                outcome = "only in combination"
                note = f"with {partner.replace('_', ' ')}"
                break
    else:
        outcome = "opposed"
    return Verdict(claim.claim, claim.factor, claim.group, claim.expected, outcome,
                   ratio.value, ratio.low, ratio.high, ratio.people, note=note)  # fmt: skip


def article(
    people: int = 200,
    seed: int = 1,
    *,
    cores: int = 1,
    progress: Callable[[int, int], None] | None = None,
    sensitivity: bool = True,
    **changes,
) -> Article:
    """Put every claim of the article to the model.

    Parameters
    ----------
    people : int
        People, each paired with themselves in health; at least 2.
    seed, cores, progress
        As in `neurosim.study.run.replicate`.
    sensitivity : bool
        Whether to find what each verdict leans on.
    **changes
        Scenario fields to change in all: `muscle`, `duration_s`, `axon`.

    Raises
    ------
    NeurosimError
        With fewer than 2 people, or a value that is not allowed.
    """
    if people < 2:
        raise NeurosimError(f"people = {people} is too few: a verdict needs at least 2.")
    base = scenario("normal").replace(seed=seed, **changes)
    asked = {"normal": base}
    for claim in CLAIMS:
        if claim.outside:
            continue
        asked[claim.factor] = scenario(claim.factor).replace(seed=seed, **changes)
        for partner in claim.combination:
            asked[partner] = scenario(partner).replace(seed=seed, **changes)
            both = _together(claim.factor, partner, base)
            asked[both.name] = both
    found = replicate(tuple(asked.values()), people, cores=cores, progress=progress)
    factors = list(dict.fromkeys(c.factor for c in CLAIMS if not c.outside))
    leans = _leans([asked[f] for f in factors], cores) if sensitivity else [Lean()] * len(factors)
    leant = dict(zip(factors, leans, strict=True))
    verdicts = []
    for claim in CLAIMS:
        verdict, on = judge(claim, found), leant.get(claim.factor, Lean())
        verdicts.append(replace(
            verdict, leans_on=on.leans_on, flips_at=on.flips_at,
            span_low=float(verdict.rate_ratio * np.exp(on.lowest)),
            span_high=float(verdict.rate_ratio * np.exp(on.highest)),
            other_force_ratio=float(verdict.rate_ratio * np.exp(on.other_force)),
        ))  # fmt: skip
    return Article(tuple(verdicts), found)


def _leans(asked: Sequence[Scenario], cores: int) -> list[Lean]:
    if cores <= 1:
        return [lean(s) for s in asked]
    with run.processes(cores) as pool:
        return list(pool.map(lean, asked))
