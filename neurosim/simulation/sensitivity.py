"""What moves the twitch rate most: body, numbers of the model and who it is, all moved at once.

Two steps. A screening after Morris moves every assumed or fitted number with a range one at a
time from many starting points, and keeps those that move the rate most; Sobol's indices (Saltelli's
sampling) then share out the variance of log10 of the long-run rate among the fields of the body,
the numbers kept, and which person it is. Every input is uniform over its range and independent of
the others. SALib draws the samples and makes the indices; it is imported inside functions.
"""

from __future__ import annotations

import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, number_within, unknown_name
from neurosim.base.parameters import Key, keep_reads, override, parameter
from neurosim.base.viewable import Viewable
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body
from neurosim.model.firing.hazard import critical_multiplier
from neurosim.model.firing.sites import Sites, draw_sites, person_scores, person_streams
from neurosim.model.muscle.anatomy import MUSCLES, muscle
from neurosim.simulation.long_run import person_rates
from neurosim.simulation.robustness import Assumption, list_assumptions, size_assumptions
from neurosim.simulation.scenario import (
    SCENARIO_FIELDS,
    CatalogueName,
    Scenario,
    catalogue,
    check_callback,
    load_scenario,
    severities,
)
from neurosim.simulation.workers import check_cores, map_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

USUAL = tuple(name for name, field in FIELDS.items() if field.usual)
BODY = (*USUAL, "paco2_mmhg", "bicarbonate_mmol_l", "mass_loss_percent", "sleep_debt_h")
RANGES = {
    "reference": "over the reference ranges (what healthy people have)",
    "clinical": "from the severest scenario on one side to that on the other (what patients have)",
}
KINDS = ("body", "number", "person")
KEPT_NUMBERS = 12  # kept by the screening
PEOPLE = 64  # among whom the person is drawn
SAMPLES = 512
MAX_SAMPLES = 4096
TRAJECTORIES = 12  # of the screening, fewer where few samples are asked for
LEVELS = 4  # of each number in the screening
RESAMPLES = 300  # of the bootstrap behind the intervals
CONFIDENCE = 0.95
CHUNK = 4  # base samples at a time: their rows share tables
RATE_DECIMALS = 6  # decimals of a rate; what lies behind them must not depend on who computed it
SMALL_SHARE = 0.02  # share of the variance below which nothing is claimed of an index
# Their ranges taken together leave many a healthy person's end plate too weak for its fibre.
EXCLUDED_GROUPS = ("junction",)
# Where the words of `study.lean` are too long or too short for a picture.
FIELD_TITLES = {
    "noise_persistent_share": "persistent channels in a site's noise",
    "rogues_per_unit_foot_sole": "rogue sites of a motor unit",
    "rogues_per_unit_ordinary": "rogue sites of a motor unit",
    "interstitial_potassium_per_plasma": "potassium around the nerve per plasma's",
    "interstitial_calcium_per_plasma": "calcium around the nerve per plasma's",
    "interstitial_magnesium_per_plasma": "magnesium around the nerve per plasma's",
    "interstitial_sodium_per_plasma": "sodium around the nerve per plasma's",
    "ph_gate_shift": "gate shift by pH",
    "ionised_calcium_per_ph": "ionised calcium by pH",
    "soma_pic_mv": "persistent inward current of the soma",
    "fatigue_sodium_load_mmol_l": "sodium that an effort leaves in the axon",
    "nerve_temperature_per_limb": "nerve's temperature by the skin's",
}


@dataclass(frozen=True)
class InputFactor:
    """One input, uniform between `low` and `high`.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    group, name : str
        Room and name of a number; the body's field; or the person.
    label, unit : str
    low, high : float
    """

    kind: str
    group: str
    name: str
    label: str
    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True)
class Indices:
    """Sobol's indices of every input, with the half widths of their 95 % intervals.

    Attributes
    ----------
    factors : tuple of Factor
    first, total : ndarray, shape (inputs,)
        Share of the variance that an input explains alone, and with all it takes part in.
    first_half, total_half : ndarray, shape (inputs,)
        From SALib's bootstrap.
    values : ndarray
        The output at every sample.
    samples : int
        N of Saltelli's N (inputs + 2) samples.
    """

    factors: tuple[InputFactor, ...]
    first: np.ndarray
    total: np.ndarray
    first_half: np.ndarray
    total_half: np.ndarray
    values: np.ndarray
    samples: int

    @property
    def order(self) -> list[int]:
        """The inputs from the greatest total index down."""
        return [int(i) for i in np.argsort(-self.total, kind="stable")]

    @property
    def is_firm(self) -> np.ndarray:
        """Whether the interval of a total index is narrower on each side than the index itself."""
        return self.total_half < self.total

    @property
    def warnings(self) -> list[str]:
        """In sentences, what these indices must not be read as."""
        sentences: list[str] = []
        matters = self.total > SMALL_SHARE
        loose = [self.factors[i].label for i in self.order if matters[i] and not self.is_firm[i]]
        if loose:
            sentences.append(
                "Not converged, the interval of the total index being wider than the index: "
                f"{', '.join(loose)}. More --samples would narrow it."
            )
        alone = matters & (self.first_half >= np.maximum(self.first, 0.0))
        if alone.any():
            sentences.append(
                f"Of {alone.sum()} inputs the first-order index cannot be told from none: "
                f"{', '.join(self.factors[i].label for i in self.order if alone[i])}."
            )
        if self.first.sum() > 1.0 + np.sqrt((self.first_half**2).sum()):
            sentences.append(
                f"The first-order indices add up to {self.first.sum():.2f}, more than all there "
                "is: too few samples."
            )
        if (self.total < self.first - self.first_half - self.total_half).any():
            sentences.append("Some total index lies below its first-order index: too few samples.")
        return sentences


@dataclass(frozen=True, repr=False)
class Sensitivity(Viewable):
    """Which inputs move the long-run twitch rate of a muscle most.

    Attributes
    ----------
    scenario : Scenario
        Muscle, axon and seed.
    range : str
        One of `RANGES`.
    people : int
        How many people the person was drawn from.
    indices : Indices
    screened : tuple of Factor
        Every number that was screened, from the one that moves the rate most down.
    effects : ndarray, shape (screened,)
        Mean size of the elementary effects: decades of the rate over a number's whole range.
    trajectories : int
    unlivable : int
        Samples whose body nobody survives; they count as no twitch.
    parameters : frozenset of (str, str)
        Group and name of every parameter that was read.
    """

    scenario: Scenario
    range: str
    people: int
    indices: Indices
    screened: tuple[InputFactor, ...] = ()
    effects: np.ndarray = field(default_factory=lambda: np.zeros(0))
    trajectories: int = 0
    unlivable: int = 0
    parameters: frozenset[Key] = frozenset()


# --- Inputs ----------------------------------------------------------------------------


def _single_field_scenarios() -> dict[str, dict[str, float]]:
    """Return, by scenario of the catalogue, the one field that it changes and its value."""
    changes: dict[str, dict[str, float]] = {}
    healthy = vars(Body())
    for name in (n for one in catalogue() for n in severities(one)):
        scenario = load_scenario(name)
        changed = {f: v for f, v in vars(scenario.body).items() if v != healthy[f]}
        if len(changed) == 1 and scenario.course is None:
            changes[name] = changed
    return changes


def body_factors(which: str = "reference") -> tuple[InputFactor, ...]:
    """Return the fields of the body that are moved, with their ranges.

    ``"reference"`` is the reference range; stress and fatigue, which have none, go up to their mild
    scenarios. ``"clinical"`` reaches as far as any scenario that changes the field alone.

    Raises
    ------
    NeurosimError
        For an unknown range.
    """
    if which not in RANGES:
        raise unknown_name("range", which, RANGES)
    factors: list[InputFactor] = []
    alone = _single_field_scenarios()
    for name in BODY:
        f = FIELDS[name]
        values = {s: v[name] for s, v in alone.items() if name in v}
        if which == "reference":
            mild = {s: v for s, v in values.items() if CatalogueName.parse(s).is_mild}
            values = mild if f.high <= f.low else {}
        reach = (f.low, f.high, *values.values())
        factors.append(InputFactor("body", "body", name, f.label, min(reach), max(reach), f.unit))
    return tuple(factors)


def number_factors(scenario: Scenario) -> tuple[InputFactor, ...]:
    """Return every assumed or fitted number with a range that such a run reads.

    But for those of `EXCLUDED_GROUPS`, which act together as no muscle could.
    """
    body = Body(**{f.name: 0.5 * (f.low + f.high) for f in body_factors("clinical")})
    general = list_assumptions(scenario)
    both = dict.fromkeys((*general, *size_assumptions(body)))
    return tuple(_to_factor(a) for a in both if a.group not in EXCLUDED_GROUPS)


def _to_factor(a: Assumption) -> InputFactor:
    unit = "" if a.unit == "1" else a.unit
    return InputFactor(
        "number", a.group, a.name, FIELD_TITLES.get(a.name, a.label), a.low, a.high, unit
    )


def person_factor(people: int) -> InputFactor:
    """Return the input that says which person it is."""
    words = "who it is (axon, sites)"
    return InputFactor("person", "", "person", words, 0.0, float(people), "")


# --- The model as a function of its inputs ---------------------------------------------


class _PrefixGenerator:
    """A generator whose every kind of draw has a stream of its own, longer draws adding to shorter.

    So that a number which changes how many sites there are does not draw all of them anew: that
    would be another person, and the number would be charged with it.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._normal, self._count, self._unit, self._tail, self._uniform = rng.spawn(5)

    def standard_normal(self, size: int) -> np.ndarray:
        return self._normal.standard_normal(size)

    def poisson(self, mean: float) -> int:
        """Return a count that grows with its mean."""
        from scipy.special import pdtrik  # pyright: ignore[reportMissingTypeStubs]

        return max(0, int(np.ceil(np.nan_to_num(pdtrik(self._count.uniform(), mean)))))

    def integers(self, low: int, high: int, size: int) -> np.ndarray:
        return self._unit.integers(low, high, size)

    def standard_exponential(self, size: int) -> np.ndarray:
        return self._tail.standard_exponential(size)

    def random(self, size: int) -> np.ndarray:
        return self._uniform.random(size)


def same_sites(scenario: Scenario, person: int) -> Sites:
    """Return the sites of a person, the same ones whatever the numbers of the model are."""
    m = muscle(scenario.muscle)
    units_rng, rng, _ = person_streams(scenario.seed, person, MUSCLES.index(m.name))
    scores = person_scores(scenario.seed, person)
    critical = critical_multiplier(scenario.axon, scores)
    return draw_sites(m.units, m.site_class, critical, units_rng, _PrefixGenerator(rng), scores)  # type: ignore[arg-type]


@dataclass(frozen=True)
class InputSetup:
    """What a row of inputs means."""

    scenario: Scenario
    factors: tuple[InputFactor, ...]


@contextmanager
def _apply_row(
    setup: InputSetup, row: Sequence[float]
) -> Generator[tuple[dict[str, float], int], None, None]:
    """Give the scenario and person of one row, its numbers exchanged inside the block."""
    fields: dict[str, float] = {}
    person = 0
    with ExitStack() as stack:
        for f, value in zip(setup.factors, row, strict=True):
            if f.kind == "number":
                stack.enter_context(override(f.group, f.name, float(value)))
            elif f.kind == "body":
                fields[f.name] = float(value)
            else:
                person = min(int(value), int(f.high) - 1)
        yield fields, person


def log10_rates(setup: InputSetup, rows: np.ndarray) -> np.ndarray:
    """Return log10 of twitches per minute at each row; NaN where nobody survives the body."""
    floor, log_rates = parameter("study", "rate_floor"), np.full(len(rows), np.nan)
    for i, row in enumerate(rows):
        with _apply_row(setup, row) as (fields, person):
            try:
                scenario = setup.scenario.replace(body=Body(**fields))
                rate = person_rates([scenario], person, same_sites)[0]
            except NeurosimError:
                continue
        log_rates[i] = np.round(np.log10(max(rate, floor)), RATE_DECIMALS)
    return log_rates


class _Model:
    """The rate as a function of rows of inputs, on several cores; counts what cannot live."""

    def __init__(self, cores: int, progress: Callable[[int, int], object] | None) -> None:
        self.cores, self.progress, self.unlivable = cores, progress, 0

    def __call__(self, setup: InputSetup, rows: np.ndarray, together: int) -> np.ndarray:
        """Return the output of every row; `together` rows in a row share tables."""
        chunks = np.array_split(rows, max(1, len(rows) // (CHUNK * together)))
        parts: list[np.ndarray] = []
        done = 0
        for part in map_jobs(log10_rates, ((setup, chunk) for chunk in chunks), self.cores):
            parts.append(part)
            done += len(part)
            if self.progress:
                self.progress(done, len(rows))
        log_rates = np.concatenate(parts)
        self.unlivable += int(np.isnan(log_rates).sum())
        return np.where(np.isnan(log_rates), np.log10(parameter("study", "rate_floor")), log_rates)


# --- Screening and indices -------------------------------------------------------------


def _import_salib() -> tuple[Any, Any, Any, Any]:
    """Return SALib's Morris and Sobol modules.

    Raises
    ------
    NeurosimError
        If it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what others' imports say is no concern of a pupil
            from SALib.analyze import morris as morris_of  # pyright: ignore[reportMissingTypeStubs]
            from SALib.analyze import sobol as sobol_of  # pyright: ignore[reportMissingTypeStubs]
            from SALib.sample import morris as morris_at  # pyright: ignore[reportMissingTypeStubs]
            from SALib.sample import sobol as sobol_at  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        raise NeurosimError(
            "A global sensitivity needs SALib: pip install 'neurosim[sensitivity]' "
            "(or pip install SALib)."
        ) from None
    return morris_at, morris_of, sobol_at, sobol_of


def _salib_problem(factors: Sequence[InputFactor]) -> dict[str, Any]:
    return {
        "num_vars": len(factors),
        "names": [f"{f.group}.{f.name}" for f in factors],
        "bounds": [[f.low, f.high] for f in factors],
    }


def check_samples(samples: object) -> int:
    """Return a number of samples that Sobol's sequence can be asked for.

    Raises
    ------
    NeurosimError
        If it is no power of 2 between 4 and `MAX_SAMPLES`.
    """
    count = number_within("samples", samples, 4, MAX_SAMPLES)
    if count != int(count) or int(count) & (int(count) - 1):
        raise NeurosimError(
            f"samples = {count:g} must be a power of 2, such as 128 or 256: Sobol's sequence is "
            "even only then."
        )
    return int(count)


def check_request(range: str, samples: object, people: int) -> None:
    """Check what `sensitivity` is asked for, before anything is computed.

    Raises
    ------
    NeurosimError
        If SALib is missing, or for a value that is not allowed.
    """
    if not isinstance(range, str) or range not in RANGES:  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise unknown_name("range", range, RANGES)
    check_samples(samples)
    if people < 2:
        raise NeurosimError(f"people = {people} is too few: who it is needs at least 2.")
    _import_salib()


def sobol(
    factors: Sequence[InputFactor],
    evaluate: Callable[[np.ndarray], np.ndarray],
    samples: int = SAMPLES,
    seed: int = 1,
) -> Indices:
    """Return Sobol's indices of a function of independent uniform inputs.

    Parameters
    ----------
    factors : sequence of Factor
    evaluate : callable
        Takes inputs, shape (rows, inputs), and returns the output of each row.
    samples : int
        A power of 2; the function is asked samples (inputs + 2) times.
    seed : int
        Same seed, same indices.

    Raises
    ------
    NeurosimError
        If SALib is missing, samples are no power of 2, or the output never changes.
    """
    _, _, sobol_at, sobol_of = _import_salib()
    n, problem = check_samples(samples), _salib_problem(factors)
    rows = sobol_at.sample(problem, n, calc_second_order=False, scramble=True, seed=seed % 2**32)
    values = np.asarray(evaluate(rows), float)
    if np.ptp(values) == 0.0:
        raise NeurosimError("The output never changes over these ranges: it has no variance.")
    indices = sobol_of.analyze(
        problem,
        values,
        calc_second_order=False,
        num_resamples=RESAMPLES,
        conf_level=CONFIDENCE,
        seed=seed % 2**32,
    )
    return Indices(
        tuple(factors),
        indices["S1"],
        indices["ST"],
        indices["S1_conf"],
        indices["ST_conf"],
        values,
        n,
    )


def screen_inputs(
    factors: Sequence[InputFactor],
    evaluate: Callable[[np.ndarray], np.ndarray],
    trajectories: int = TRAJECTORIES,
    seed: int = 1,
) -> np.ndarray:
    """Return the mean size of each input's elementary effects, over its whole range (Morris).

    Parameters
    ----------
    factors, evaluate, seed
        As for `sobol`.
    trajectories : int
        Starting points; the function is asked trajectories (inputs + 1) times.

    Raises
    ------
    NeurosimError
        If SALib is missing.
    """
    morris_at, morris_of, _, _ = _import_salib()
    problem = _salib_problem(factors)
    rows = morris_at.sample(problem, trajectories, num_levels=LEVELS, seed=seed % 2**32)
    values = np.asarray(evaluate(rows), float)
    effects = morris_of.analyze(
        problem, rows, values, num_levels=LEVELS, num_resamples=10, seed=seed % 2**32
    )
    return np.asarray(effects["mu_star"], float)


@public(also=SCENARIO_FIELDS)
@keep_reads
def sensitivity(
    what: Scenario | Body | str | Path | None = None,
    *,
    range: str = "reference",
    samples: int = SAMPLES,
    people: int | None = None,
    cores: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    stage: Callable[[str], object] | None = None,
    **changes: Any,
) -> Sensitivity:
    """Return which inputs move the long-run twitch rate of a muscle most.

    Who it is counts as an input: one of `people`, all as likely. It belongs to the answer (is it
    the blood, or the person?), and would be noise otherwise.

    Parameters
    ----------
    what : Scenario, Body, catalogue name or TOML file, optional
        Muscle, axon and seed; its body is not read.
    range : str
        How far the fields of the body are moved, one of `RANGES`.
    samples : int
        A power of 2, 4 to 4096; the rate is computed about 30 times as often.
    people : int, optional
        At least 2; 64 if omitted.
    cores : int, optional
        Processes to use, 1 if omitted; the result does not depend on it.
    progress : callable, optional
        Called with (runs done, runs) of each of the two steps.
    stage : callable, optional
        Called with a few words when a step begins.
    **changes
        Scenario fields to change: `muscle`, `axon`, `seed`.

    Returns
    -------
    Sensitivity

    Raises
    ------
    NeurosimError
        If SALib is missing, or for a value that is not allowed.
    """
    start = Scenario(name="sensitivity") if what is None else load_scenario(what)
    scenario = start.replace(people=PEOPLE if people is None else people).replace(**changes)
    check_request(range, samples, scenario.people)
    check_callback("progress", progress)
    check_callback("stage", stage)
    body, samples = body_factors(range), check_samples(samples)
    numbers, model = number_factors(scenario), _Model(check_cores(cores), progress)
    trajectories = max(2, min(TRAJECTORIES, samples // 16))
    if stage:
        stage(f"screening {len(numbers)} numbers")
    factors = (*body, *numbers)
    effects = _screen_model(scenario, factors, trajectories, model)[len(body) :]
    order = np.argsort(-effects, kind="stable")
    strongest = tuple(numbers[int(i)] for i in sorted(order[:KEPT_NUMBERS]))
    factors = (*body, *strongest, person_factor(scenario.people))
    if stage:
        stage(f"{samples * (len(factors) + 2)} runs for the indices")
    setup = InputSetup(scenario, factors)
    indices = sobol(
        factors, lambda rows: model(setup, rows, len(factors) + 2), samples, scenario.seed
    )
    return Sensitivity(
        scenario,
        range,
        scenario.people,
        indices,
        tuple(numbers[int(i)] for i in order),
        effects[order],
        trajectories,
        model.unlivable,
    )


def _screen_model(
    scenario: Scenario, factors: tuple[InputFactor, ...], trajectories: int, model: _Model
) -> np.ndarray:
    """Return the effects of body and numbers, each trajectory in a person of its own."""
    people = scenario.people
    setup = InputSetup(scenario, (*factors, person_factor(people)))
    one = len(factors) + 1

    def evaluate(rows: np.ndarray) -> np.ndarray:
        persons = np.random.default_rng(scenario.seed).integers(people, size=len(rows) // one)
        return model(setup, np.column_stack([rows, np.repeat(persons, one)]), one)

    return screen_inputs(factors, evaluate, trajectories, scenario.seed)
