"""The tests that a mystery patient can be given; each sees only what the model's body makes.

A test's `Report` holds its findings as numbers with unit and reference range, so that words, page
and table are made of the same. What is measured has the noise of its measurement: the ions vary
within a person from day to day and in the laboratory, a count of motor units and a force have the
errors of the clinic, and twitches come when they come. Ordered again, a test is done again, with
new noise and for its price. Numbers: ``mystery.toml``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurosim.base.cache import cached
from neurosim.base.errors import unknown_name
from neurosim.base.parameters import parameter
from neurosim.classroom.mystery.patient import PATIENTS_SEED, Case, case_generator
from neurosim.clinic import emg, unit_potentials
from neurosim.clinic.comparison import NORMAL_Z
from neurosim.clinic.detect import classify_train
from neurosim.clinic.excitability import examine
from neurosim.clinic.norms import norm_measures
from neurosim.model.axon.people import axon_of_person
from neurosim.model.body.blood import IONS, blood_steps
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.kinetics import peak_caffeine_umol_l
from neurosim.model.body.units import PH
from neurosim.model.firing.sites import person_scores
from neurosim.model.muscle.anatomy import MUSCLES, muscle
from neurosim.simulation.person_run import PersonRun, person_sites, simulate_person, sites_in_state
from neurosim.simulation.state import constant_trajectory, strength, tissue_state

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

    @property
    def flag(self) -> str:
        """``"low"`` or ``"high"`` outside the reference range, otherwise an empty text."""
        return "low" if self.value < self.low else "high" if self.value > self.high else ""


@dataclass(frozen=True)
class Report:
    """What one test found.

    Attributes
    ----------
    test : str
        One of `TESTS`.
    place : str
        The muscle it was done in; empty where it is done in none.
    time : int
        How often it had been done there before.
    price : float
        Points.
    findings : tuple of Finding
    mentioned : tuple of str
        What the patient mentions, by the names of `neurosim.classroom.mystery.patient.EXPOSURES`.
    record : object
        What a picture is drawn of: `Needle`, `Excitability`, or None.
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
        for found in self.findings:
            if found.name == name and found.place in ("", place or found.place):
                return found.value
        raise unknown_name("finding", name, [f.name for f in self.findings])


@dataclass(frozen=True)
class Needle:
    """What a needle heard: who of the muscle fired when, and where it lay first.

    Attributes
    ----------
    muscle : str
    time_s, unit : ndarray
    across_mm, depth_mm : float
        Place of the needle's core.
    fibres_scale : float
    seed : tuple of int
        Whose muscle.
    """

    muscle: str
    time_s: np.ndarray
    unit: np.ndarray
    across_mm: float
    depth_mm: float
    fibres_scale: float
    seed: tuple[int, ...]

    def trace(self) -> tuple[float, np.ndarray]:
        """Return start (s) and potential (uV, `EMG_HZ`) of the second in which most happens."""
        edges = np.arange(0.0, 60.0 * _param("emg_min") + TRACE_S, TRACE_S)
        start = float(edges[np.argmax(np.histogram(self.time_s, edges)[0])])
        now = (self.time_s > start - 0.1) & (self.time_s < start + TRACE_S)
        electrode = unit_potentials.needle_electrode(self.muscle, self.across_mm, self.depth_mm)
        return start, emg.emg_uv(
            self.time_s[now] - start,
            self.unit[now],
            self.muscle,
            TRACE_S,
            electrode,
            EMG_HZ,
            self.seed,
            fibres_scale=self.fibres_scale,
        )


# --- Talking and looking ---------------------------------------------------------------------


def _take_history(case: Case, place: str, rng: np.random.Generator) -> Report:
    """Ask: what the patient takes and does, and how much coffee and sleep."""
    body, told, found = case.body(), case.exposures(), []
    if "coffee" in told:
        cup = peak_caffeine_umol_l(parameter("body", "caffeine_per_cup_mg"))
        found.append(Finding("cups_of_coffee", body.plasma_caffeine_umol_l / cup, "cups"))
    if "short_sleep" in told:
        found.append(Finding("sleep_debt_h", body.sleep_debt_h, "h"))
    return Report("history", "", 0, 0.0, tuple(found), told)


def _run_muscle(case: Case, name: str, minutes: float, rng: np.random.Generator) -> PersonRun:
    """Return what a muscle of the patient does for some minutes."""
    asked = case.scenario(name, 60.0 * minutes)
    state = tissue_state(asked)
    healthy, _ = person_sites(asked, case.person)
    sites = sites_in_state(state, healthy, asked, case.person)
    return simulate_person(
        constant_trajectory(state, asked.body), sites, asked, case.person, rng, named=False
    )


def _examine_muscles(case: Case, place: str, rng: np.random.Generator) -> Report:
    """Look at each muscle for a minute, and try its force against the examiner's hand."""
    found, minutes = [], _param("look_min")
    error = parameter("alarms", "force_error")
    least = 100.0 * math.exp(-NORMAL_Z * error)
    for name in MUSCLES:
        acted = _run_muscle(case, name, minutes, rng)
        seen = float(acted.twitches.visible.sum()) / minutes
        found.append(Finding("twitches_seen", seen, "per minute", place=name))
    for name in MUSCLES:
        acted = _run_muscle(case, name, 1.0 / 60.0, rng)
        true = strength(acted.trajectory.states[0], acted.sites, name)[0]
        force = 100.0 * true * math.exp(error * rng.standard_normal())
        found.append(Finding("force", force, "% of usual", least, math.inf, name))
    return Report("examination", "", 0, 0.0, tuple(found))


def _count_twitches(case: Case, place: str, rng: np.random.Generator) -> Report:
    minutes = _param("count_min")
    seen = _run_muscle(case, place, minutes, rng).twitches.visible.sum() / minutes
    return Report("count", place, 0, 0.0, (Finding("twitches_seen", float(seen), "per minute"),))


# --- Blood -----------------------------------------------------------------------------------


def _laboratory_value(true: float, within_percent: float, rng: np.random.Generator) -> float:
    """Return a blood value on some day, as a laboratory reads it."""
    noise = within_percent / 100.0 * math.hypot(1.0, _param("laboratory_share"))
    return true * (1.0 + noise * float(rng.standard_normal()))


def _test_blood(case: Case, place: str, rng: np.random.Generator) -> Report:
    """Measure the four ions."""
    true, found = case.body().blood(), []
    for ion, name in IONS.items():
        f = FIELDS[name]
        value = _laboratory_value(true[name], _param(f"within_{ion}_percent"), rng)
        found.append(Finding(name, value, f.unit, f.low, f.high))
    return Report("blood", "", 0, 0.0, tuple(found))


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
    acted: PersonRun, table: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return the units beside which the needle listens: the busiest, others where few are."""
    busy = np.bincount(acted.firing.unit, minlength=len(table))
    order = rng.permutation(len(table))
    return order[np.argsort(-busy[order], kind="stable")][: round(_param("needle_places"))]


def _audible_units(table: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return which units a needle hears from the centres of some."""
    gaps = np.hypot(
        table[:, None, 0] - table[centres, 0], table[:, None, 1] - table[centres, 1]
    ).min(axis=1)
    return gaps - table[:, 2] < _param("needle_reach_mm")


def _amplitudes_uv(
    name: str,
    who: tuple[int, ...],
    living: np.ndarray,
    fibres_scale: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the sizes of potentials of living units at several places inside them, uV."""
    table, sizes = unit_potentials.territories_mm(name, who), []
    least = _param("least_potential_over_noise") * unit_potentials.needle_electrode(name).noise_uv
    for centre in rng.choice(np.flatnonzero(living), round(_param("sized_places"))):
        x, y, _ = table[centre]
        y = max(float(y), _param("least_depth_mm"))
        inside = living & (np.hypot(table[:, 0] - x, table[:, 1] - y) < table[:, 2])
        units = rng.permutation(np.flatnonzero(inside))[: round(_param("sized_units"))]
        if units.size:
            electrode = unit_potentials.needle_electrode(name, float(x), y)
            waves = unit_potentials.unit_potentials(
                name, electrode, EMG_HZ, who, fibres_scale, 1.0, units
            )
            sizes += np.ptp(waves, axis=1).tolist()
    return np.maximum(sizes, least)


@cached("mystery", "emg", "anatomy", "muscle")
def usual_potential_uv(name: str) -> tuple[float, float]:
    """Return the reference range of a muscle's mean potential, uV, from healthy people."""
    living = np.ones(muscle(name).units, bool)
    means, spreads, counts = [], [], []
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
    minutes, who = _param("emg_min"), (PATIENTS_SEED, case.person)
    acted = _run_muscle(case, place, minutes, rng)
    firing, living = acted.firing, acted.sites.living
    table = unit_potentials.territories_mm(place, who)
    centres = _choose_needle_places(acted, table, rng)
    heard = _audible_units(table, centres) & living
    mine = heard[firing.unit]
    trains = [firing.time_s[firing.unit == unit] for unit in np.unique(firing.unit[mine])]
    rows = [row for train in trains for row in classify_train(train)]
    counts = {kind: sum(r.kind == kind for r in rows) / minutes for kind in BURSTS}
    scale = acted.trajectory.states[0].fibres_scale
    first = table[centres[0]]
    record = Needle(
        place,
        firing.time_s[mine],
        firing.unit[mine],
        float(first[0]),
        max(float(first[1]), _param("least_depth_mm")),
        scale,
        who,
    )
    active = 100.0 * len(trains) / max(int(heard.sum()), 1)
    enough = len(rows) >= _param("least_bursts")
    repeated = 100.0 * sum(r.spikes > 1 for r in rows) / len(rows) if enough else math.nan
    found = [
        *(
            Finding(f"{kind}s_per_min", counts[kind], "per minute", 0.0, _read_limit(kind))
            for kind in BURSTS
        ),
        Finding("repeated_percent", repeated, "%", 0.0, _param("limit_repeats_percent")),
        Finding("active_percent", active, "%", 0.0, _param("limit_active_percent")),
        *_estimate_units(case, place, living, scale, rng),
    ]
    return Report("emg", place, 0, 0.0, tuple(found), record=record)


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
    found = examine(state.axon, axon_of_person("ghk", scores))
    rows, norms = [], norm_measures()
    for key in MEASURES:
        mean, sd = norms[key]
        value = found.measures[key] + _param("excitability_error") * sd * float(
            rng.standard_normal()
        )
        unit = "ms" if key.endswith("_ms") else "%"
        rows.append(Finding(key, value, unit, mean - NORMAL_Z * sd, mean + NORMAL_Z * sd))
    return Report("excitability", "", 0, 0.0, tuple(rows), record=found)


@dataclass(frozen=True)
class Test:
    """One test on the list.

    Attributes
    ----------
    name : str
    in_a_muscle : bool
        Whether it is done in a muscle of one's choice.
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
        How often it has been done there before: each time has its own noise.

    Raises
    ------
    NeurosimError
        For an unknown test or muscle.
    """
    if test not in TESTS:
        raise unknown_name("test", test, TESTS)
    asked = TESTS[test]
    place = muscle(place or case.muscle).name if asked.in_a_muscle else ""
    at = MUSCLES.index(place) if place else 0
    rng = case_generator(case.seed, 1, list(TESTS).index(test), at, time)
    found = asked.perform(case, place, rng)
    return Report(test, place, time, asked.price, found.findings, found.mentioned, found.record)
