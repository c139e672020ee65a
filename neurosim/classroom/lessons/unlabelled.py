"""Patients without a label, for a class to tell apart: what a doctor finds, and not why.

Four people twitch for four reasons. An illness has a place: a pinched root and a damaged nerve
reach the muscles that they supply, Isaacs' syndrome all, ALS some of several roots, and more of
them with time. Where it is and how far it has come is chosen here for teaching; what is found
follows from the bodies as in any run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from neurosim.base.errors import unknown_name
from neurosim.model.body.state import Body
from neurosim.model.muscle.anatomy import MUSCLES, muscle
from neurosim.simulation.result import Result
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.simulate import simulate
from neurosim.simulation.state import strength

RHYTHMS = ("lone", "slow groups", "fast rattles")
_RHYTHM_OF = MappingProxyType({"myokymic_burst": 1, "neuromyotonic_burst": 2})  # else lone
# What ails each muscle, by cause; the tibial nerve drives calf and sole.
CAUSES: Mapping[str, Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "healthy": {},
        "pinched_nerve": {m: {"pinched_nerve": 0.8} for m in MUSCLES},
        "nerve_damage": {"calf": {"nerve_damage": 1.0}, "foot_sole": {"nerve_damage": 1.0}},
        "isaacs": {m: {"isaacs": 0.9} for m in MUSCLES},
        "als": {
            "thumb": {"als": 0.8},
            "upper_arm": {"als": 0.6},
            "shin": {"als": 0.6},
            "calf": {"als": 0.3},
            "foot_sole": {"als": 0.2},
        },
    }
)
ILL = tuple(c for c in CAUSES if c != "healthy")


@dataclass(frozen=True)
class Finding:
    """What is found in one muscle.

    Attributes
    ----------
    muscle : str
    per_min : tuple of 3 floats
        Twitches per minute that the needle sees, by `RHYTHMS`.
    units, force : float
        Motor units that live, and the largest force by will, against health.
    """

    muscle: str
    per_min: tuple[float, float, float]
    units: float
    force: float


@dataclass(frozen=True)
class Patient:
    """One patient.

    Attributes
    ----------
    letter : str
    findings : tuple of Finding
        One of each muscle.
    watched_s : float
        How long each muscle was watched.
    """

    letter: str
    findings: tuple[Finding, ...]
    watched_s: float
    _cause: str = field(repr=False)

    def __str__(self) -> str:
        heads = ("muscle", *(f"{s}/min" for s in RHYTHMS), "motor units, %", "strength, %")
        rows = [heads] + [
            (
                f.muscle.replace("_", " "),
                *(f"{r:.1f}" for r in f.per_min),
                f"{100 * f.units:.0f}",
                f"{100 * f.force:.0f}",
            )
            for f in self.findings
        ]
        wide = [max(len(row[i]) for row in rows) for i in range(len(heads))]
        lines = [
            "  ".join(
                c.rjust(w) if i else c.ljust(w)
                for i, (c, w) in enumerate(zip(row, wide, strict=True))
            )
            for row in rows
        ]
        return "\n".join([f"Patient {self.letter}", *lines])


def shuffle(things: Sequence[Any], seed: int) -> list[Any]:
    """Return things in an order that only the seed knows."""
    order = np.random.default_rng(np.random.SeedSequence([seed, len(things)]))
    return [things[i] for i in order.permutation(len(things))]


def observe_muscle(result: Result) -> Finding:
    """Return what is found in the muscle of a run."""
    t, minutes = result.twitches, result.scenario.duration_s / 60.0
    sound = np.array([_RHYTHM_OF.get(str(k), 0) for k in t.kind[~t.painful]], int)
    lone, slow, fast = (np.bincount(sound, minlength=len(RHYTHMS)) / minutes).tolist()
    force, units = strength(result.state, result.sites, result.scenario.muscle)
    return Finding(result.scenario.muscle, (lone, slow, fast), units, force)


def draw_patient(
    cause: str,
    letter: str = "",
    watched_s: float = 60.0,
    seed: int = 1,
    root: str = "S1",
    muscles: Sequence[str] = MUSCLES,
) -> Patient:
    """Return what is found in somebody of a cause.

    Parameters
    ----------
    cause : str
        One of `CAUSES`.
    letter : str
        What the patient is called; the cause if empty.
    watched_s : float
        How long a needle watches each muscle, s.
    seed : int
        Who it is.
    root : str
        Root that is pinched, if one is.
    muscles : sequence of str
        Those that are examined.

    Raises
    ------
    NeurosimError
        For an unknown cause, muscle or root, or a time that is not allowed.
    """
    if cause not in CAUSES:
        raise unknown_name("cause", cause, CAUSES)
    findings = []
    for name in (muscle(m).name for m in muscles):
        body = Body(**CAUSES[cause].get(name, {}))
        scenario = Scenario(body=body, muscle=name, root=root, duration_s=watched_s, seed=seed)
        findings.append(observe_muscle(simulate(scenario, person=0)))
    return Patient(letter or cause.replace("_", " "), tuple(findings), watched_s, cause)


def unlabelled_patients(seed: int = 1, watched_s: float = 60.0) -> list[Patient]:
    """Return four patients, A to D, one of each of `ILL`, in an order that the seed knows.

    Raises
    ------
    NeurosimError
        For a time that is not allowed.
    """
    causes = shuffle(ILL, seed)
    return [draw_patient(c, name, watched_s, seed) for name, c in zip("ABCD", causes, strict=True)]


def correct_diagnoses(patients: Sequence[Patient], answers: Mapping[str, str]) -> list[str]:
    """Return the letters of those patients whose cause was told right.

    Parameters
    ----------
    patients : sequence of Patient
    told : mapping of str to str
        Cause by letter; an empty text for "not told yet".

    Raises
    ------
    NeurosimError
        For a letter or a cause that is not there.
    """
    letters = {p.letter: p for p in patients}
    for letter, cause in answers.items():
        if letter not in letters:
            raise unknown_name("patient", letter, letters)
        if cause and cause not in CAUSES:
            raise unknown_name("cause", cause, CAUSES)
    return [name for name, p in letters.items() if answers.get(name) == p._cause]


def true_causes(patients: Sequence[Patient]) -> dict[str, str]:
    """Return the cause of each patient by letter: the key."""
    return {p.letter: p._cause for p in patients}
