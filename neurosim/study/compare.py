"""From people and claims to verdicts.

The rules are fixed in `parameters.toml` before anything is run. A person is compared with
the same person in health: the verdict is on the mean of their log rate ratios, with its
95 % interval. Each verdict names the assumption it leans on most, and how far that must
move to turn it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from neurosim.body.factors import contributions
from neurosim.body.fields import FIELDS
from neurosim.body.state import Body
from neurosim.errors import NeurosimError
from neurosim.firing.discharge import expected_bursts_per_min
from neurosim.membrane.axon import AXON_WORDS, AXONS
from neurosim.muscle.anatomy import muscle
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
MEAN_AXON = "people_spread"  # at 0 everybody's axon is the mean one
COMPARISON_MUSCLES = ("calf", "foot_sole")  # verdicts are shown in the first, too
BLOOD_VALUES = ("sodium_mmol_l", "potassium_mmol_l", "ionised_calcium_mmol_l",
                "ionised_magnesium_mmol_l")  # fmt: skip


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


def paired_ratio(rates: np.ndarray, healthy: np.ndarray) -> Ratio:
    """Return the geometric mean over people of rate / rate in health, with its interval.

    Parameters
    ----------
    rates, healthy : ndarray, shape (people,)
        Long-run twitches per minute of the same people. Rates below `rate_floor` count as
        that, so that the ratio does not depend on how long anybody was watched.
    """
    from scipy.special import stdtrit

    floor = number("study", "rate_floor")
    log = np.log(np.maximum(rates, floor) / np.maximum(healthy, floor))
    n = log.size
    mean = float(log.mean())
    half = np.inf
    if n > 1:
        tail = 0.5 + number("study", "confidence") / 2.0
        half = float(stdtrit(n - 1, tail) * log.std(ddof=1) / np.sqrt(n))
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
        The assumption that turns the outcome within its range and moves it most; if none
        turns it, the one that moves the ratio most.
    flips_at : str
        Its value at which the outcome turns, or the range over which it does not.
    span_low, span_high : float
        Least and greatest rate ratio while each assumption alone is moved over its range and
        the axon is exchanged; NaN if that was not asked.
    axon_ratios : mapping of str to float
        Rate ratio with each other axon that fits the same nerves; empty if not asked.
    elsewhere_ratio : float
        Rate ratio in the calf (in the foot sole, if the verdict is on the calf).
    reference_low, reference_high : float
        Rate ratios at both ends of the reference range of the blood value; NaN for others.
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
    axon_ratios: Mapping[str, float] = field(default_factory=dict)
    elsewhere_ratio: float = float("nan")
    reference_low: float = float("nan")
    reference_high: float = float("nan")
    note: str = ""

    @property
    def scenario(self) -> str:
        """Name of the scenario behind the verdict."""
        return self.factor

    @property
    def turns_with(self) -> tuple[str, ...]:
        """Axons with which the ratio falls on another side (more, same, fewer) than here."""
        same = self.outcome == "no difference at this size"
        here = "same" if same else _side(np.log(self.rate_ratio))
        return tuple(a for a, ratio in self.axon_ratios.items() if _side(np.log(ratio)) != here)


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


def assumptions(axon: str = "ghk", muscle_class: str = "foot_sole") -> tuple[Assumption, ...]:
    """Return the numbers whose ranges are tried on every verdict, besides the axon itself."""
    return (
        _assumption("firing", "rogue_tail", "tail of the rogue sites"),
        _assumption("firing", f"rogues_per_unit_{muscle_class}", "number of rogue sites"),
        _assumption("firing", "bulk_spread", "spread of the ordinary nodes"),
        _assumption("firing", "load_factor", "sodium load of a terminal"),
        _assumption("firing", "hazard_state_error", "error of the hazard law in this state"),
        _assumption("firing", "noise_channels", "channel noise of a site"),
        _assumption("firing", "propagation_mv", "height of a spike that leaves its site"),
        _assumption("membrane", "people_spread", "how much people's axons differ"),
        _assumption("firing", "own_critical", "sites set against the person's own axon (1) or the "
                    "mean axon (0)"),
        _assumption(f"axon_{axon}", "S5Na", "gate shift by five-fold calcium"),
        _assumption("junction", "quanta", "packets released at the junction"),
        _assumption("soma", "soma_noise_mv", "synaptic noise of the soma"),
        _assumption("soma", "soma_tone_mv", "resting tone of the soma"),
        _assumption("body", "internal_ions_per_sodium", "water that follows sodium",
                    ("low_sodium", "high_sodium")),
        _assumption("body", "csf_transfer", "what of the blood's ions reaches the soma"),
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


def long_run_ratio(asked: Scenario, people: int = SENSITIVITY_PEOPLE) -> float:
    """Return ln of the rate ratio of the first `people` people, from their hazards alone."""
    states = [run.state_of(contributions(b)) for b in (asked.body, Body())]
    rates = np.empty((2, people))
    for person in range(people):
        sites, _ = run.people_sites(asked, person)
        for i, state in enumerate(states):
            hazard = run.hazard_of(state, sites, asked)
            per_min = expected_bursts_per_min(hazard).sum()
            rates[i, person] = per_min * run.reaches(state, asked.axon, sites.scores)
    return float(np.log(paired_ratio(rates[0], rates[1]).value))


def _side(log_ratio: float) -> str:
    edge = np.log(number("study", "smallest_ratio"))
    return "more" if log_ratio > edge else "fewer" if log_ratio < -edge else "same"


@dataclass(frozen=True)
class Lean:
    """What one verdict leans on, and how it fares elsewhere; shifts and ratios are ln.

    Attributes
    ----------
    leans_on, flips_at : str
        The assumption leant on most, and where it turns the outcome.
    lowest, highest : float
        Least and greatest shift while every assumption alone is moved over its range.
    axons : mapping of str to float
        Shift with each other axon.
    elsewhere : float
        Ratio in the comparison muscle.
    reference : tuple of float
        Ratios at both ends of the reference range, if the scenario changes one blood value.
    """

    leans_on: str = ""
    flips_at: str = ""
    lowest: float = float("nan")
    highest: float = float("nan")
    axons: Mapping[str, float] = field(default_factory=dict)
    elsewhere: float = float("nan")
    reference: tuple[float, float] = (float("nan"), float("nan"))


def lean(asked: Scenario, main: float | None = None) -> Lean:
    """Return what one scenario's result leans on.

    Every assumption alone is moved to both ends of its range; the axon is exchanged for every
    other that fits the same nerves. Everybody has the mean axon here (one hazard table then
    serves all), but where it is asked how much people's axons matter. An assumption that
    turns the outcome goes before one that does not; among those, the one that moves the
    result most.

    Parameters
    ----------
    asked : Scenario
    main : float, optional
        ln of the rate ratio of all people, to which the shifts found in the first
        `SENSITIVITY_PEOPLE` people are added.
    """
    with exchanged("membrane", MEAN_AXON, 0.0):
        base = long_run_ratio(asked)
        main = base if main is None else main
        axons = {
            name: long_run_ratio(asked.replace(axon=name)) - base
            for name in AXONS
            if name != asked.axon
        }
        tried = [_tried_axons(asked.axon, axons, main)]
        reach = [0.0, *axons.values()]
        site_class = muscle(asked.muscle).site_class
        for a in assumptions(asked.axon, site_class):
            if a.factors and asked.name not in a.factors:
                continue
            found, words = _moves(asked, a, base, main)
            reach += found
            tried.append(words)
        best = max(tried, key=lambda t: (t[0], t[1]))
        elsewhere = COMPARISON_MUSCLES[asked.muscle == COMPARISON_MUSCLES[0]]
        return Lean(best[2], best[3], min(reach), max(reach), axons,
                    long_run_ratio(asked.replace(muscle=elsewhere)), _reference(asked))  # fmt: skip


def _moves(asked: Scenario, a: Assumption, base: float, main: float):
    """Return the shifts at both ends of one assumption's range, and what `_tried` says of it."""
    if a.name == MEAN_AXON:
        with a.at(a.nominal):
            base = long_run_ratio(asked)

    def moved() -> float:
        return long_run_ratio(asked) - base

    found = []
    for end in (a.low, a.high):
        with a.at(end):
            found.append(moved())
    return found, _tried(a, found, main, moved)


def _tried_axons(axon: str, axons: Mapping[str, float], main: float):
    """Return (turns the outcome, largest shift, words, where) of the choice of the axon."""
    turning = [name for name, shift in axons.items() if _side(main + shift) != _side(main)]
    at = ", ".join(turning) or "not with " + " or ".join(axons)
    shift = max(abs(axons[name]) for name in turning or axons)
    return bool(turning), shift, f"axon ({axon}: {AXON_WORDS[axon]})", at


def _tried(a: Assumption, found: Sequence[float], main: float, moved: Callable[[], float]):
    """Return (turns the outcome, largest shift, words, where) of one assumption."""
    side = _side(main)
    unit = "" if a.unit == "1" else f" {a.unit}"
    name = f"{a.words} ({a.nominal:g}{unit})"
    shift = max(abs(f) for f in found)
    turning = [e for e, f in zip((a.low, a.high), found, strict=True) if _side(main + f) != side]
    if not turning:
        return False, shift, name, f"not within {a.low:g} to {a.high:g}{unit}"
    value = _turning_point(lambda: main + moved(), a, turning[0], side)
    return True, shift, name, f"{value:.3g}{unit}"


def _reference(asked: Scenario) -> tuple[float, float]:
    """Return ln ratios at both ends of the reference range of the one blood value changed."""
    healthy = Body()
    fields = [f for f in FIELDS if getattr(asked.body, f) != getattr(healthy, f)]
    if len(fields) != 1 or fields[0] not in BLOOD_VALUES:
        return (float("nan"), float("nan"))
    name = fields[0]
    low, high = (
        long_run_ratio(asked.replace(body=Body(**{name: value})))
        for value in (FIELDS[name].low, FIELDS[name].high)
    )
    return (low, high)


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
    rates = people.expected_per_min
    ratio = paired_ratio(rates[row(claim.factor)], rates[row(normal)])
    note = ""
    if ratio.change == claim.expected:
        outcome = "supported"
    elif ratio.change == "same":
        outcome = "no difference at this size"
        for partner in claim.combination:
            added = paired_ratio(rates[row(f"{claim.factor}+{partner}")], rates[row(partner)])
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
    leans = [Lean()] * len(factors)
    if sensitivity:
        rates = found.expected_per_min
        healthy = rates[found.row("normal")]
        mains = [np.log(paired_ratio(rates[found.row(f)], healthy).value) for f in factors]
        leans = _leans([asked[f] for f in factors], mains, cores)
    leant = dict(zip(factors, leans, strict=True))
    verdicts = []
    for claim in CLAIMS:
        verdict, on = judge(claim, found), leant.get(claim.factor, Lean())
        ratio, low_high = verdict.rate_ratio, np.exp(on.reference)
        verdicts.append(replace(
            verdict, leans_on=on.leans_on, flips_at=on.flips_at,
            span_low=float(ratio * np.exp(on.lowest)),
            span_high=float(ratio * np.exp(on.highest)),
            axon_ratios={name: float(ratio * np.exp(v)) for name, v in on.axons.items()},
            elsewhere_ratio=float(np.exp(on.elsewhere)),
            reference_low=float(low_high[0]), reference_high=float(low_high[1]),
        ))  # fmt: skip
    return Article(tuple(verdicts), found)


def _leans(asked: Sequence[Scenario], mains: Sequence[float], cores: int) -> list[Lean]:
    if cores <= 1:
        return [lean(s, m) for s, m in zip(asked, mains, strict=True)]
    with run.processes(cores) as pool:
        return list(pool.map(lean, asked, mains))
