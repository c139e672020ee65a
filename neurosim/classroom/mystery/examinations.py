"""The tests of the mystery patient; each observes only what the model's body brings about.

A test's `Report` holds its findings as numbers with unit and reference range, from which sentences,
page and table are made. Every measurement has its noise: the ions vary within a person from day to
day and in the laboratory, a count of motor units and a force have the errors of the clinic, and
twitches come at random. A test that is ordered again is done again, with new noise, for its price.
Parameters: ``mystery.toml``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import unknown_name
from neurosim.base.parameters import parameter
from neurosim.classroom.mystery.patient import PATIENTS_SEED, Case, case_generator
from neurosim.clinic import emg, unit_potentials
from neurosim.clinic.comparison import NORMAL_Z
from neurosim.clinic.excitability import examine
from neurosim.clinic.norms import norm_measures
from neurosim.clinic.trains import classify_train
from neurosim.model.axon.people import axon_of_person
from neurosim.model.body.blood import IONS, blood_steps
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.kinetics import peak_caffeine_umol_l
from neurosim.model.body.units import PH
from neurosim.model.firing.sites import person_scores
from neurosim.model.muscle.anatomy import MUSCLES, muscle
from neurosim.simulation.person_run import PersonRun, person_sites, simulate_person, sites_in_state
from neurosim.simulation.state import constant_trajectory, strength, tissue_state

if TYPE_CHECKING:
    from collections.abc import Callable

NERVE = "thumb"  # the nerve of the excitability test runs to it, past the wrist
EMG_HZ = 10_000.0
TRACE_S = 1.0
MEASURES = (
    "sdtc_ms", "relative_refractory_period_ms", "refractoriness_2_5_ms_percent",
    "superexcitability_percent", "subexcitability_percent", "te_d_90_100_percent",
    "te_h_90_100_percent",
)  # fmt: skip
BURSTS = ("single", "doublet", "multiplet", "myokymic_burst", "neuromyotonic_burst")


def _param(name: str) -> float:
    return parameter("mystery", name)


@dataclass(frozen=True)
class Finding:
    """One number of a report.

    Attributes
    ----------
    name : str
    value : float
        NaN where it cannot be measured.
    unit : str
        As printed; empty for a pure number.
    low, high : float
        Reference range; infinite where one side is open, NaN where there is none.
    place : str
        Muscle, where a report has several.
    """

    name: str
    value: float
    unit: str = ""
    low: float = math.nan
    high: float = math.nan
    place: str = ""

    def __post_init__(self) -> None:
        """Let all that cannot be measured be the same NaN, so that equal reports compare equal."""
        if math.isnan(self.value):
            object.__setattr__(self, "value", math.nan)

    @property
    def flag(self) -> str:
        """``"low"`` or ``"high"`` outside the reference range, otherwise an empty text."""
        return "low" if self.value < self.low else "high" if self.value > self.high else ""


@dataclass(frozen=True)
class Report:
    """The findings of one test.

    Attributes
    ----------
    test : str
        One of `TESTS`.
    place : str
        The muscle in which it was done; empty if it is done in none.
    time : int
        How often it had been done in this place before.
    price : float
        Points.
    findings : tuple of Finding
    mentioned : tuple of str
        Habits and medicines that the patient mentions, names of
        `neurosim.classroom.mystery.patient.EXPOSURES`.
    record : object
        Data of the picture: `Needle`, `Excitability`, or None.
    """

    test: str
    place: str
    time: int
    price: float
    findings: tuple[Finding, ...]
    mentioned: tuple[str, ...] = ()
    record: Any = field(default=None, repr=False, compare=False)

    @property
    def flagged(self) -> tuple[Finding, ...]:
        """The findings outside their reference ranges."""
        return tuple(f for f in self.findings if f.flag)

    def value(self, name: str, place: str = "") -> float:
        """Return the value of one finding.

        Raises
        ------
        NeurosimError
            If the report has no such finding.
        """
        for finding in self.findings:
            if finding.name == name and finding.place in ("", place or finding.place):
                return finding.value
        raise unknown_name("finding", name, [f.name for f in self.findings])


@dataclass(frozen=True)
class Needle:
    """What a needle recorded: which unit fired when, and the first position of the needle.

    Attributes
    ----------
    muscle : str
    time_s, unit : ndarray
    across_mm, depth_mm : float
        Position of the needle's core.
    fibres_scale : float
    seed : tuple of int
        Seed and person of the muscle.
    """

    muscle: str
    time_s: np.ndarray
    unit: np.ndarray
    across_mm: float
    depth_mm: float
    fibres_scale: float
    seed: tuple[int, ...]

    def trace(self) -> tuple[float, np.ndarray]:
        """Return start (s) and potential (uV, at `EMG_HZ`) of the second with most discharges."""
        edges = np.arange(0.0, 60.0 * _param("emg_min") + TRACE_S, TRACE_S)
        start = float(edges[np.argmax(np.histogram(self.time_s, edges)[0])])
        near = (self.time_s > start - 0.1) & (self.time_s < start + TRACE_S)
        electrode = unit_potentials.needle_electrode(self.muscle, self.across_mm, self.depth_mm)
        return start, emg.emg_uv(
            self.time_s[near] - start,
            self.unit[near],
            self.muscle,
            TRACE_S,
            electrode,
            unit_potentials.EmgSettings(EMG_HZ, self.seed, fibres_scale=self.fibres_scale),
        )


# --- Talking and looking ---------------------------------------------------------------------


def _take_history(case: Case, place: str, rng: np.random.Generator) -> Report:
    """Ask for habits and medicines, and for the amounts of coffee and sleep."""
    body, exposures = case.body(), case.exposures()
    findings: list[Finding] = []
    if "coffee" in exposures:
        cup = peak_caffeine_umol_l(parameter("body", "caffeine_per_cup_mg"))
        findings.append(Finding("cups_of_coffee", body.plasma_caffeine_umol_l / cup, "cups"))
    if "short_sleep" in exposures:
        findings.append(Finding("sleep_debt_h", body.sleep_debt_h, "h"))
    return Report("history", "", 0, 0.0, tuple(findings), exposures)


def _run_muscle(case: Case, name: str, minutes: float, rng: np.random.Generator) -> PersonRun:
    """Simulate a muscle of the patient for some minutes."""
    scenario = case.scenario(name, 60.0 * minutes)
    state = tissue_state(scenario)
    healthy, _ = person_sites(scenario, case.person)
    sites = sites_in_state(state, healthy, scenario, case.person)
    return simulate_person(
        constant_trajectory(state, scenario.body), sites, scenario, case.person, rng, named=False
    )


def _examine_muscles(case: Case, place: str, rng: np.random.Generator) -> Report:
    """Look at each muscle for a minute, and try its force against the examiner's hand."""
    findings: list[Finding] = []
    minutes = _param("look_min")
    error = parameter("alarms", "force_error")
    least = 100.0 * math.exp(-NORMAL_Z * error)
    for name in MUSCLES:
        run = _run_muscle(case, name, minutes, rng)
        seen = float(run.twitches.visible.sum()) / minutes
        findings.append(Finding("twitches_seen", seen, "per minute", place=name))
    for name in MUSCLES:
        run = _run_muscle(case, name, 1.0 / 60.0, rng)
        true = strength(run.trajectory.states[0], run.sites, name)[0]
        force = 100.0 * true * math.exp(error * rng.standard_normal())
        findings.append(Finding("force", force, "% of usual", least, math.inf, name))
    return Report("examination", "", 0, 0.0, tuple(findings))


def _count_twitches(case: Case, place: str, rng: np.random.Generator) -> Report:
    minutes = _param("count_min")
    seen = _run_muscle(case, place, minutes, rng).twitches.visible.sum() / minutes
    return Report("count", place, 0, 0.0, (Finding("twitches_seen", float(seen), "per minute"),))


# --- Blood -----------------------------------------------------------------------------------


def _laboratory_value(true: float, within_percent: float, rng: np.random.Generator) -> float:
    """Return a blood value of one day, as a laboratory measures it."""
    noise = within_percent / 100.0 * math.hypot(1.0, _param("laboratory_share"))
    return true * (1.0 + noise * float(rng.standard_normal()))


def _test_blood(case: Case, place: str, rng: np.random.Generator) -> Report:
    """Measure the four ions."""
    true = case.body().blood()
    findings: list[Finding] = []
    for ion, name in IONS.items():
        f = FIELDS[name]
        value = _laboratory_value(true[name], _param(f"within_{ion}_percent"), rng)
        findings.append(Finding(name, value, f.unit, f.low, f.high))
    return Report("blood", "", 0, 0.0, tuple(findings))


def _test_blood_gas(case: Case, place: str, rng: np.random.Generator) -> Report:
    """Measure carbon dioxide and pH of arterial blood; bicarbonate is computed from them."""
    body = case.body()
    changes = sum(s.change for s in blood_steps(vars(body)) if s.value == "paco2_mmhg")
    co2 = _laboratory_value(body.paco2_mmhg + changes, _param("within_paco2_percent"), rng)
    error = math.hypot(_param("within_ph"), _param("ph_precision"))
    ph = body.blood()["ph"] + error * float(rng.standard_normal())
    salt = parameter("body", "co2_solubility") * co2 * 10.0 ** (ph - parameter("body", "acid_pk"))
    low, high = (getattr(FIELDS["paco2_mmhg"], end) for end in ("low", "high"))
    limits = FIELDS["bicarbonate_mmol_l"]
    return Report(
        "gas",
        "",
        0,
        0.0,
        (
            Finding("paco2_mmhg", co2, "mmHg", low, high),
            Finding("ph", ph, "", PH.low, PH.high),
            Finding("bicarbonate_mmol_l", salt, "mmol/L", limits.low, limits.high),
        ),
    )


# --- Needle and nerve ------------------------------------------------------------------------


def _choose_needle_places(
    run: PersonRun, table: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return the units beside which the needle lies: the busiest, then random others."""
    busy = np.bincount(run.firing.unit, minlength=len(table))
    order = rng.permutation(len(table))
    return order[np.argsort(-busy[order], kind="stable")][: round(_param("needle_places"))]


def _audible_units(table: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return a mask of the units that a needle records from the centres of some."""
    gaps = np.hypot(
        table[:, None, 0] - table[centres, 0], table[:, None, 1] - table[centres, 1]
    ).min(axis=1)
    return gaps - table[:, 2] < _param("needle_reach_mm")


def _amplitudes_uv(
    name: str,
    person_seed: tuple[int, ...],
    living: np.ndarray,
    fibres_scale: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the sizes of potentials of living units at several places inside them, uV."""
    table = unit_potentials.territories_mm(name, person_seed)
    sizes: list[float] = []
    least = _param("least_potential_over_noise") * unit_potentials.needle_electrode(name).noise_uv
    for centre in rng.choice(np.flatnonzero(living), round(_param("sized_places"))):
        x, y, _ = table[centre]
        y = max(float(y), _param("least_depth_mm"))
        inside = living & (np.hypot(table[:, 0] - x, table[:, 1] - y) < table[:, 2])
        units = rng.permutation(np.flatnonzero(inside))[: round(_param("sized_units"))]
        if units.size:
            electrode = unit_potentials.needle_electrode(name, float(x), y)
            waves = unit_potentials.unit_potentials(
                name,
                electrode,
                unit_potentials.EmgSettings(EMG_HZ, person_seed, fibres_scale=fibres_scale),
                units,
            )
            sizes += np.ptp(waves, axis=1).tolist()
    return np.maximum(sizes, least)


@cached()
def usual_potential_uv(name: str) -> tuple[float, float]:
    """Return the reference range of a muscle's mean potential, uV, from healthy people."""
    living = np.ones(muscle(name).units, bool)
    means: list[float] = []
    spreads: list[float] = []
    counts: list[int] = []
    for person in range(round(_param("sized_people"))):
        rng = case_generator(PATIENTS_SEED, 2, MUSCLES.index(name), person)
        logs = np.log(_amplitudes_uv(name, (PATIENTS_SEED, 10_000 + person), living, 1.0, rng))
        means.append(logs.mean())
        spreads.append(logs.std())
        counts.append(logs.size)
    half = NORMAL_Z * float(np.mean(spreads)) / math.sqrt(np.mean(counts))
    middle = float(np.mean(means))
    return math.exp(middle - half), math.exp(middle + half)


def _test_with_needle(case: Case, place: str, rng: np.random.Generator) -> Report:
    """Listen at a few places of a muscle at rest, then count and size its units at work."""
    minutes, person_seed = _param("emg_min"), (PATIENTS_SEED, case.person)
    run = _run_muscle(case, place, minutes, rng)
    firing, living = run.firing, run.sites.living
    table = unit_potentials.territories_mm(place, person_seed)
    centres = _choose_needle_places(run, table, rng)
    audible = _audible_units(table, centres) & living
    is_heard = audible[firing.unit]
    trains = [firing.time_s[firing.unit == unit] for unit in np.unique(firing.unit[is_heard])]
    rows = [row for train in trains for row in classify_train(train)]
    counts = {kind: sum(r.kind == kind for r in rows) / minutes for kind in BURSTS}
    scale = run.trajectory.states[0].fibres_scale
    first = table[centres[0]]
    record = Needle(
        place,
        firing.time_s[is_heard],
        firing.unit[is_heard],
        float(first[0]),
        max(float(first[1]), _param("least_depth_mm")),
        scale,
        person_seed,
    )
    active = 100.0 * len(trains) / max(int(audible.sum()), 1)
    enough = len(rows) >= _param("least_bursts")
    repeated = 100.0 * sum(r.spikes > 1 for r in rows) / len(rows) if enough else math.nan
    findings = [
        *(
            Finding(f"{kind}s_per_min", counts[kind], "per minute", 0.0, _read_limit(kind))
            for kind in BURSTS
        ),
        Finding("repeated_percent", repeated, "%", 0.0, _param("limit_repeats_percent")),
        Finding("active_percent", active, "%", 0.0, _param("limit_active_percent")),
        *_estimate_units(case, place, living, scale, rng),
    ]
    return Report("emg", place, 0, 0.0, tuple(findings), record=record)


def _read_limit(kind: str) -> float:
    limits = {"myokymic_burst": "groups", "neuromyotonic_burst": "bursts"}
    return _param(f"limit_{limits[kind]}_per_min") if kind in limits else math.inf


def _estimate_units(
    case: Case, place: str, living: np.ndarray, scale: float, rng: np.random.Generator
):
    """Return the estimated number of units and the mean size of their potentials."""
    error = parameter("alarms", "units_error") / math.sqrt(_param("units_counts"))
    units = float(living.sum()) * math.exp(error * float(rng.standard_normal()))
    usual, half = muscle(place).units, math.exp(NORMAL_Z * error)
    sizes = _amplitudes_uv(place, (PATIENTS_SEED, case.person), living, scale, rng)
    low, high = usual_potential_uv(place)
    return (
        Finding("units", units, "", usual / half, usual * half),
        Finding("potential_uv", math.exp(float(np.log(sizes).mean())), "µV", low, high),
    )


def _test_excitability(case: Case, place: str, rng: np.random.Generator) -> Report:
    """Run the clinic's test on the nerve at the wrist."""
    scores = person_scores(PATIENTS_SEED, case.person)
    state = tissue_state(case.scenario(NERVE, 60.0))
    examination = examine(state.axon, axon_of_person("ghk", scores))
    rows: list[Finding] = []
    norms = norm_measures()
    for key in MEASURES:
        mean, sd = norms[key]
        value = examination.measures[key] + _param("excitability_error") * sd * float(
            rng.standard_normal()
        )
        unit = "ms" if key.endswith("_ms") else "%"
        rows.append(Finding(key, value, unit, mean - NORMAL_Z * sd, mean + NORMAL_Z * sd))
    return Report("excitability", "", 0, 0.0, tuple(rows), record=examination)


@dataclass(frozen=True)
class Test:
    """One test on the list.

    Attributes
    ----------
    name : str
    in_a_muscle : bool
        Whether it is done in a muscle that the pupil chooses.
    perform : callable
    """

    name: str
    in_a_muscle: bool
    perform: Callable[[Case, str, np.random.Generator], Report] = field(repr=False)
    __test__ = False  # nothing for pytest

    @property
    def price(self) -> float:
        """Price, points."""
        return _param(f"price_{self.name}")


TESTS = {
    t.name: t
    for t in (
        Test("history", False, _take_history),
        Test("examination", False, _examine_muscles),
        Test("count", True, _count_twitches),
        Test("blood", False, _test_blood),
        Test("gas", False, _test_blood_gas),
        Test("emg", True, _test_with_needle),
        Test("excitability", False, _test_excitability),
    )
}


def perform_test(case: Case, test: str, place: str = "", time: int = 0) -> Report:
    """Do one test.

    Parameters
    ----------
    case : Case
    test : str
        One of `TESTS`.
    place : str
        A muscle, for a test that is done in one; the complaint's if omitted.
    time : int
        How often it has been done there before: every time has other noise.

    Raises
    ------
    NeurosimError
        For an unknown test or muscle.
    """
    if test not in TESTS:
        raise unknown_name("test", test, TESTS)
    kind = TESTS[test]
    place = muscle(place or case.muscle).name if kind.in_a_muscle else ""
    muscle_index = MUSCLES.index(place) if place else 0
    rng = case_generator(case.seed, 1, list(TESTS).index(test), muscle_index, time)
    report = kind.perform(case, place, rng)
    return Report(test, place, time, kind.price, report.findings, report.mentioned, report.record)
