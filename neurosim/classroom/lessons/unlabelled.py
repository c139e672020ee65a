"""Patients without a label, for a class to tell apart: what a doctor finds, and not why.

Four people twitch for four reasons. An illness has a place: a pinched root and a damaged nerve
reach the muscles that they supply, Isaacs' syndrome all, ALS some of several roots, and more of
them with time. Where the illness is and how far it has gone is chosen here for teaching; the
findings follow from the bodies as in any run. Each is a `Case` of the mystery patient.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import unknown_name
from neurosim.classroom.mystery.patient import HEALTHY, Case, case_of
from neurosim.model.muscle.anatomy import MUSCLES, muscle
from neurosim.simulation.simulate import simulate
from neurosim.simulation.state import strength

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neurosim.simulation.result import Result

RHYTHMS = ("single", "myokymic", "neuromyotonic")  # the twitches of a minute are counted by these
_RHYTHM_INDEX = MappingProxyType({"myokymic_burst": 1, "neuromyotonic_burst": 2})  # else single
# How strong each cause is, by muscle; the tibial nerve drives calf and sole.
AMOUNTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "healthy": {},
        "pinched_nerve": dict.fromkeys(MUSCLES, 0.8),
        "nerve_damage": {"calf": 1.0, "foot_sole": 1.0},
        "isaacs": dict.fromkeys(MUSCLES, 0.9),
        "als": {"thumb": 0.8, "upper_arm": 0.6, "shin": 0.6, "calf": 0.3, "foot_sole": 0.2},
    }
)
ILL = tuple(cause for cause in AMOUNTS if cause != HEALTHY)


@dataclass(frozen=True)
class ExaminedMuscle:
    """One muscle of a patient, examined.

    Attributes
    ----------
    muscle : str
    per_min : tuple of 3 floats
        Twitches per minute that the needle sees, by `RHYTHMS`.
    units, force : float
        Motor units that live, and the largest voluntary force, as shares of health.
    """

    muscle: str
    per_min: tuple[float, float, float]
    units: float
    force: float


@dataclass(frozen=True)
class Patient:
    """A patient whose cause is hidden.

    Attributes
    ----------
    letter : str
    findings : tuple of ExaminedMuscle
        One of each muscle.
    watched_s : float
        How long each muscle was watched.
    case : Case
        Who it is and why, hidden from the pupil.
    """

    letter: str
    findings: tuple[ExaminedMuscle, ...]
    watched_s: float
    case: Case = field(repr=False)

    def __str__(self) -> str:
        heads = ("muscle", *(f"{s}/min" for s in RHYTHMS), "motor units, %", "strength, %")
        rows = [heads]
        rows += [
            (
                f.muscle.replace("_", " "),
                *(f"{r:.1f}" for r in f.per_min),
                f"{100 * f.units:.0f}",
                f"{100 * f.force:.0f}",
            )
            for f in self.findings
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in rows
        ]
        return "\n".join([f"Patient {self.letter}", *lines])


def shuffle(items: Sequence[Any], seed: int) -> list[Any]:
    """Return items in an order that depends on the seed alone."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, len(items)]))
    return [items[i] for i in rng.permutation(len(items))]


def observe_muscle(result: Result) -> ExaminedMuscle:
    """Count the twitches of a run by rhythm, and measure its motor units and force."""
    twitches, minutes = result.twitches, result.scenario.duration_s / 60.0
    kinds = twitches.kind[~twitches.painful]
    rhythms = np.array([_RHYTHM_INDEX.get(str(kind), 0) for kind in kinds], int)
    per_min = (np.bincount(rhythms, minlength=len(RHYTHMS)) / minutes).tolist()
    force, units = strength(result.state, result.sites, result.scenario.muscle)
    return ExaminedMuscle(result.scenario.muscle, tuple(per_min), units, force)


def draw_patient(
    cause: str,
    letter: str = "",
    watched_s: float = 60.0,
    seed: int = 1,
    root: str = "S1",
    muscles: Sequence[str] = MUSCLES,
) -> Patient:
    """Examine somebody with a cause, muscle by muscle.

    Parameters
    ----------
    cause : str
        One of `AMOUNTS`.
    letter : str
        Name of the patient; the cause if empty.
    watched_s : float
        How long a needle watches each muscle, s.
    seed : int
        Which person.
    root : str
        The root that is pinched, if the cause is a pinched nerve.
    muscles : sequence of str
        Muscles that are examined.

    Raises
    ------
    NeurosimError
        For an unknown cause, muscle or root, or a time that is not allowed.
    """
    if cause not in AMOUNTS:
        raise unknown_name("cause", cause, AMOUNTS)
    case = case_of(cause, AMOUNTS[cause], seed, root)
    scenarios = [case.scenario(muscle(name).name, watched_s) for name in muscles]
    findings = tuple(observe_muscle(simulate(s, person=case.person)) for s in scenarios)
    return Patient(letter or cause.replace("_", " "), findings, watched_s, case)


def unlabelled_patients(seed: int = 1, watched_s: float = 60.0) -> list[Patient]:
    """Return four patients, A to D, one with each cause of `ILL`, in an order set by the seed.

    Raises
    ------
    NeurosimError
        For a time that is not allowed.
    """
    causes = shuffle(ILL, seed)
    return [draw_patient(c, name, watched_s, seed) for name, c in zip("ABCD", causes, strict=True)]


def correct_diagnoses(patients: Sequence[Patient], answers: Mapping[str, str]) -> list[str]:
    """Return the letters of the patients whose cause is named correctly.

    Parameters
    ----------
    patients : sequence of Patient
    answers : mapping of str to str
        Cause by letter; an empty text where none is named yet.

    Raises
    ------
    NeurosimError
        For an unknown letter or cause.
    """
    letters = {p.letter: p for p in patients}
    for letter, cause in answers.items():
        if letter not in letters:
            raise unknown_name("patient", letter, letters)
        if cause and cause not in AMOUNTS:
            raise unknown_name("cause", cause, AMOUNTS)
    return [letter for letter, p in letters.items() if answers.get(letter) == p.case.cause]


def true_causes(patients: Sequence[Patient]) -> dict[str, str]:
    """Return the cause of each patient by letter: the key."""
    return {p.letter: p.case.cause for p in patients}
