"""What a verdict leans on: every assumed and fitted number with a range, moved one at a time.

Everybody has the mean axon here (one hazard table then serves all), but where it is asked how
much people's axons matter; the axon itself is exchanged for every other that fits the same nerves.
"""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neurosim.base.parameters import load_group, override, parameter, track_reads
from neurosim.model.axon.axon import AXONS
from neurosim.model.axon.ensemble import ENSEMBLE, parameter_key
from neurosim.model.body.contributions import contributions
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body
from neurosim.model.firing.event_sites import fitted_at_share
from neurosim.simulation.long_run import person_rates
from neurosim.simulation.person_run import run_one
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.workers import map_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

PEOPLE = 8
PERSON_INDEPENDENT_GROUPS = (
    "junction",
)  # rooms whose numbers act on everybody alike: one person tells
MEAN_AXON = "people_spread"  # at 0 everybody's axon is the mean one
BLOOD_VALUES = ("sodium_mmol_l", "potassium_mmol_l", "ionised_calcium_mmol_l",
                "ionised_magnesium_mmol_l")  # fmt: skip
MOVED_GROUPS = ("membrane", "firing", "soma", "junction")  # whose numbers every scenario reads
FIXED_NUMBERS = ("base_", "soma_threshold_")  # what health is, and a range of kinds of units
GROUP_TITLES = {
    "rogue_tail": "tail of the rogue sites",
    "rogue_person_spread_foot_sole": "how much people differ in rogue sites of the sole",
    "rogue_person_spread_ordinary": "how much people differ in rogue sites",
    "event_share": "share of rogue sites that events fire",
    "event_rate_per_s": "events at an event site",
    "event_size": "size of the events",
    "event_width_ms": "width of the events",
    "site_life_months": "life of a rogue site",
    "sprout_readiness": "readiness of sprouts",
    "bulk_spread": "spread of the ordinary nodes",
    "load_factor": "sodium load of a terminal",
    "hazard_state_error": "error of the hazard law in this state",
    "noise_channels": "channel noise of a site",
    "propagation_mv": "height of a spike that leaves its site",
    "people_spread": "how much people's axons differ",
    "S5Na": "gate shift by five-fold calcium",
    "quanta": "packets released at the junction",
    "soma_noise_mv": "synaptic noise of the soma",
    "soma_tone_mv": "resting tone of the soma",
    "internal_ions_per_sodium": "water that follows sodium",
    "csf_transfer": "what of the blood's ions reaches the soma",
}


@dataclass(frozen=True)
class Assumption:
    """One number that a sensitivity run exchanges, with its range."""

    group: str
    name: str
    label: str
    nominal: float
    low: float
    high: float
    unit: str

    @contextmanager
    def overridden(self, value: float) -> Generator[None, None, None]:
        """Use `value` inside a ``with`` block."""
        with override(self.group, self.name, value):
            yield


def _read_assumption(room: str, name: str) -> Assumption:
    v = load_group(room)[name]
    plain = name.replace("_", " ").replace(" mmol l", "").replace(" mv", "").replace(" mmhg", "")
    return Assumption(room, name, GROUP_TITLES.get(name, plain), v.value, v.low, v.high, v.unit)


def _is_movable(room: str, name: str) -> bool:
    v = load_group(room)[name]
    fixed = v.grade == "measured" or name.endswith(".healthy") or name.startswith(FIXED_NUMBERS)
    return v.low < v.high and not fixed


def list_assumptions(scenario: Scenario) -> tuple[Assumption, ...]:
    """Return every assumed or fitted number with a range that all scenarios read.

    Those that a run of the muscle with this axon reads in health.
    """
    health = Scenario(muscle=scenario.muscle, axon=scenario.axon, duration_s=1.0)
    reads = run_one(health).parameters
    names = [
        (group, name)
        for group in MOVED_GROUPS
        for name in load_group(group)
        if (group, name) in reads and _is_movable(group, name)
    ]
    return tuple(_read_assumption(*one) for one in (*names, parameter_key(scenario.axon, "S5Na")))


def comparison_muscle(name: str) -> str:
    """Return the muscle in which a verdict is shown, too: the calf, or the sole of the foot."""
    return "calf" if name == "foot_sole" else "foot_sole"


def size_assumptions(body: Body) -> tuple[Assumption, ...]:
    """Return every assumed or fitted number with a range that sizes what a body changes."""
    with track_reads() as reads:
        contributions(body)
    return tuple(_read_assumption(*one) for one in sorted(reads) if _is_movable(*one))


@dataclass(frozen=True)
class RateTask:
    """Scenarios to run for the first people, with some numbers exchanged."""

    scenarios: tuple[Scenario, ...]
    overrides: tuple[tuple[str, str, float], ...] = ()
    people: int = PEOPLE


def mean_log_rates(task: RateTask) -> np.ndarray:
    """Return the mean over people of ln of the long-run rate of each scenario of a task."""
    with ExitStack() as stack:
        for one in task.overrides:
            stack.enter_context(override(*one))
        rates = np.array([person_rates(task.scenarios, p) for p in range(task.people)])
    return np.log(np.maximum(rates, parameter("study", "rate_floor"))).mean(axis=0)


def long_run_ratio(scenario: Scenario, people: int = PEOPLE) -> float:
    """Return ln of the rate ratio of a few people with the mean axon, against health."""
    health = scenario.replace(name="normal", body=Body())
    log_rates = mean_log_rates(
        RateTask((scenario, health), (("membrane", MEAN_AXON, 0.0),), people)
    )
    return float(log_rates[0] - log_rates[1])


@dataclass(frozen=True)
class Lean:
    """The assumption that a result leans on most, a number or the choice of the axon.

    Attributes
    ----------
    label, unit : str
        Of the number in words; empty for the axon.
    value, low, high : float
        The number, and the range over which it was moved; NaN for the axon.
    flips_at : float
        Where in its range the number turns the outcome; NaN if nowhere, and for the axon.
    axon : str
        The axon in use, if it is the axon that is leant on most; otherwise empty.
    turning_axons : tuple of str
        The axons with which the outcome turns.
    against : str
        The scenario on which a remedy was tried; empty for a cause, which is tried in health.
    """

    label: str = ""
    value: float = math.nan
    unit: str = ""
    low: float = math.nan
    high: float = math.nan
    flips_at: float = math.nan
    axon: str = ""
    turning_axons: tuple[str, ...] = ()
    against: str = ""

    @property
    def turns(self) -> bool:
        """Whether it turns the outcome."""
        return bool(self.turning_axons) or not math.isnan(self.flips_at)


@dataclass(frozen=True)
class Robustness:
    """What one result leans on, and how it fares elsewhere; shifts and ratios are ln.

    Attributes
    ----------
    lean : Lean or None
        The assumption leant on most.
    numbers_tried : int
        How many numbers were moved.
    lowest, highest : float
        Least and greatest shift while every number alone is moved over its range, or the axon.
    axons : mapping of str to float
        Shift with each other axon.
    event_shares : mapping of float to float
        Shift with each end of the range of `event_share`.
    elsewhere : float
        Ratio in the comparison muscle.
    reference : tuple of float
        Ratios at both ends of the reference range, if the scenario changes one blood value.
    """

    lean: Lean | None = None
    numbers_tried: int = 0
    lowest: float = math.nan
    highest: float = math.nan
    axons: Mapping[str, float] = field(default_factory=dict[str, float])
    event_shares: Mapping[float, float] = field(default_factory=dict[float, float])
    elsewhere: float = math.nan
    reference: tuple[float, float] = (math.nan, math.nan)


@dataclass(frozen=True)
class Question:
    """One result: a scenario against another of the same people, ln of the ratio and its ends."""

    scenario: Scenario
    against: Scenario
    main: float
    low: float = math.nan
    high: float = math.nan

    def turns(self, shift: float) -> bool:
        """Return whether a shift brings the interval (or the ratio) to another side."""
        low, high = (self.main if math.isnan(v) else v for v in (self.low, self.high))
        return ratio_side(low + shift, high + shift) != ratio_side(low, high)

    @property
    def pair(self) -> tuple[Scenario, Scenario]:
        """Both scenarios."""
        return self.scenario, self.against


def ratio_side(low: float, high: float | None = None) -> str:
    """Return ``"more"``, ``"fewer"`` or ``"same"`` of ln of a ratio, or of its interval."""
    edge, high = math.log(parameter("study", "smallest_ratio")), low if high is None else high
    return "more" if low > edge else "fewer" if high < -edge else "same"


RunKey = tuple[str | float, ...]  # what a run is for


class _Runs:
    """Mean ln rates of all that is asked, run together so that tables are shared."""

    def __init__(self, questions: Sequence[Question], cores: int) -> None:
        self.questions, self.cores = questions, cores
        self.scenarios = tuple(dict.fromkeys(chain(*(q.pair for q in questions))))
        self.row = {s: i for i, s in enumerate(self.scenarios)}
        self.tasks: dict[RunKey, RateTask] = {}
        self.found: dict[RunKey, np.ndarray] = {}

    def request(
        self,
        key: RunKey,
        change: Callable[[Scenario], Scenario] = lambda s: s,
        moved: Sequence[tuple[str, str, float]] = (),
        only: Question | None = None,
    ) -> None:
        """Ask for all scenarios (or those of one question), changed, with numbers exchanged."""
        pairs = self.scenarios if only is None else only.pair
        mean = () if any(m[1] == MEAN_AXON for m in moved) else (("membrane", MEAN_AXON, 0.0),)
        people = (
            1
            if any(m[0] in PERSON_INDEPENDENT_GROUPS for m in moved) or key == ("one",)
            else PEOPLE
        )
        self.tasks[key] = RateTask(tuple(change(s) for s in pairs), (*mean, *moved), people)

    def run(self) -> None:
        """Run what was asked."""
        results = map_jobs(mean_log_rates, ((task,) for task in self.tasks.values()), self.cores)
        self.found = dict(zip(self.tasks, results, strict=True))

    def ratio(self, key: RunKey, q: Question) -> float:
        """Return ln of the ratio of a question in one run."""
        values = self.found[key]
        if key[0] in ("size", "reference"):
            return float(values[0] - values[1])
        return float(values[self.row[q.scenario]] - values[self.row[q.against]])


def assess_robustness(questions: Sequence[Question], cores: int = 1) -> list[Robustness]:
    """Return what every question leans on."""
    first = questions[0].scenario
    by_muscle = {q.scenario.muscle: q.scenario for q in questions}
    lists = [list_assumptions(scenario) for scenario in by_muscle.values()]
    general = tuple(dict.fromkeys(chain(*lists)))
    runs = _Runs(questions, cores)
    runs.request(("base",))
    runs.request(("one",))
    spread = parameter("membrane", MEAN_AXON)
    runs.request(("spread",), moved=(("membrane", MEAN_AXON, spread),))
    for a in general:
        for end in (a.low, a.high):
            runs.request((a.name, end), moved=_moved(a, end))
    for name in (*AXONS, *ENSEMBLE):
        if name != first.axon:
            runs.request(("axon", name), partial(Scenario.replace, axon=name))
    runs.request(("elsewhere",), _run_elsewhere)
    by_question = {i: _question_assumptions(q) for i, q in enumerate(questions)}
    for i, q in enumerate(questions):
        for a in by_question[i]:
            for end in (a.low, a.high):
                runs.request(("size", i, a.name, end), moved=((a.group, a.name, end),), only=q)
        for end, body in _reference_bodies(q):
            healthy = Question(q.scenario.replace(body=body), q.against, 0.0)
            runs.request(("reference", i, end), only=healthy)
    runs.run()
    return [_assess_question(runs, i, q, general, by_question[i]) for i, q in enumerate(questions)]


def _moved(a: Assumption, value: float) -> tuple[tuple[str, str, float], ...]:
    """Return what is exchanged where a number has another value; a share brings its own fit."""
    others = fitted_at_share(value) if a.name == "event_share" else {}
    return (
        (a.group, a.name, value),
        *(("firing", name, other) for name, other in others.items()),
    )


def _question_assumptions(q: Question) -> tuple[Assumption, ...]:
    return tuple(
        dict.fromkeys((*size_assumptions(q.scenario.body), *size_assumptions(q.against.body)))
    )


def _reference_bodies(q: Question) -> list[tuple[str, Body]]:
    """Return bodies at both ends of the reference range of the one blood value changed."""
    healthy = Body()
    changed = [f for f in FIELDS if getattr(q.scenario.body, f) != getattr(healthy, f)]
    if len(changed) != 1 or changed[0] not in BLOOD_VALUES:
        return []
    f = FIELDS[changed[0]]
    return [("low", Body(**{f.name: f.low})), ("high", Body(**{f.name: f.high}))]


def _run_elsewhere(scenario: Scenario) -> Scenario:
    return scenario.replace(muscle=comparison_muscle(scenario.muscle))


def _assess_question(
    runs: _Runs,
    i: int,
    q: Question,
    general: Sequence[Assumption],
    sizes: Sequence[Assumption],
) -> Robustness:
    base, spread, one = (runs.ratio((k,), q) for k in ("base", "spread", "one"))
    axons = {
        n: runs.ratio(("axon", n), q) - base
        for n in (*AXONS, *ENSEMBLE)
        if ("axon", n) in runs.found
    }
    shifts: dict[Assumption, list[float]] = {}
    for a in (*general, *sizes):
        keys = [(a.name, e) if a in general else ("size", i, a.name, e) for e in (a.low, a.high)]
        start = (
            spread if a.name == MEAN_AXON else one if a.group in PERSON_INDEPENDENT_GROUPS else base
        )
        shifts[a] = [runs.ratio(k, q) - start for k in keys]
    tried = [_try_axons(q, axons), *(_try_number(q, a, ends) for a, ends in shifts.items())]
    best = max(tried, key=lambda t: (t.turns, t.shift))
    reach = [0.0, *axons.values(), *chain(*shifts.values())]
    low, high = (
        runs.ratio(key, q) if (key := ("reference", i, end)) in runs.found else math.nan
        for end in ("low", "high")
    )
    return Robustness(
        best.lean(),
        len(shifts),
        min(reach),
        max(reach),
        axons,
        {
            end: shift
            for a, ends in shifts.items()
            if a.name == "event_share"
            for end, shift in zip((a.low, a.high), ends, strict=True)
        },
        runs.ratio(("elsewhere",), q),
        (low, high),
    )


class _Trial(NamedTuple):
    """An assumption that was tried: whether it turns, its largest shift, and how it is leant on."""

    turns: bool
    shift: float
    lean: Callable[[], Lean]


def _try_axons(q: Question, axons: Mapping[str, float]) -> _Trial:
    """Return what the choice of the axon does."""
    turning = tuple(name for name, shift in axons.items() if q.turns(shift))
    shift = max(abs(axons[name]) for name in turning or axons)
    lean = Lean(axon=q.scenario.axon, turning_axons=turning)
    return _Trial(bool(turning), shift, lambda: lean)


def _try_number(q: Question, a: Assumption, ends: Sequence[float]) -> _Trial:
    """Return what one number does; where it turns is sought only if it is leant on most."""
    lean = Lean(a.label, a.nominal, "" if a.unit == "1" else a.unit, a.low, a.high)
    turning = [
        (shift, end) for end, shift in zip((a.low, a.high), ends, strict=True) if q.turns(shift)
    ]
    if not turning:
        return _Trial(False, max(abs(f) for f in ends), lambda: lean)
    shift, end = max(turning, key=lambda t: abs(t[0]))
    return _Trial(True, abs(shift), lambda: replace(lean, flips_at=turning_point(q, a, end)))


def turning_point(q: Question, a: Assumption, end: float) -> float:
    """Return the value of a number, between its own and one end, at which the side changes."""
    mean = () if a.name == MEAN_AXON else (("membrane", MEAN_AXON, 0.0),)

    def ratio(value: float) -> float:
        people = 1 if a.group in PERSON_INDEPENDENT_GROUPS else PEOPLE
        log_rates = mean_log_rates(RateTask(q.pair, (*mean, *_moved(a, value)), people))
        return float(log_rates[0] - log_rates[1])

    start = ratio(a.nominal)
    inside, outside = a.nominal, end
    for _ in range(5):
        middle = 0.5 * (inside + outside)
        if q.turns(ratio(middle) - start):
            outside = middle
        else:
            inside = middle
    return 0.5 * (inside + outside)
