"""The mystery patient: fair, solvable by a pupil's table, the same for the same seed."""

from collections import Counter

import numpy as np
import pytest

from neurosim.body.state import Body
from neurosim.errors import NeurosimError
from neurosim.muscle.anatomy import MUSCLES, muscle, roots
from neurosim.sources import number
from neurosim.study import clinic, patient
from neurosim.study.clinic import TESTS, do
from neurosim.study.mystery import (
    DOCTOR,
    LEAVE,
    REASSURE,
    REMEDIES,
    Game,
    after,
    is_right,
    judge,
    key,
    mends,
)
from neurosim.study.patient import CAUSES, HEALTHY, draw, seen_per_min

FEW, ALL = range(24), range(200)
cases = {}


def case_of(seed):
    if seed not in cases:
        cases[seed] = draw(seed)
    return cases[seed]


# --- A pupil's decision table, which sees reports alone ----------------------------------------

PUPIL = {
    "low_calcium": DOCTOR, "magnesium_depletion": DOCTOR, "poor_nutrition": "healthy_diet",
    "anxiety": "calm", "kidney_disease": DOCTOR, "serotonin_syndrome": LEAVE,
    "cholinesterase_inhibition": LEAVE, "pinched_nerve": DOCTOR, "nerve_damage": DOCTOR,
    "als": DOCTOR, "isaacs": DOCTOR, HEALTHY: REASSURE,
}  # fmt: skip


def other_muscle(name):
    return next(m for m in ("thumb", "shin", "calf") if not set(roots(m)) & set(roots(name)))


def flags(report):
    return {f.name: f.flag for f in report.findings if f.flag}


def from_blood(game):
    """Return a cause that blood and breath tell, or None."""
    blood = game.order("blood")
    seen = flags(blood)
    if seen.get("ionised_magnesium_mmol_l") == "high":
        return "kidney_disease"
    if seen.get("ionised_magnesium_mmol_l") == "low" and "ionised_calcium_mmol_l" in seen:
        low = blood.value("ionised_magnesium_mmol_l") < 0.37
        return "magnesium_depletion" if low else "poor_nutrition"
    gas = flags(game.order("gas"))
    if gas.get("paco2_mmhg") == "low" and gas.get("ph") == "high":
        return "anxiety"
    if blood.value("ionised_calcium_mmol_l") < 1.08:  # only just low may be the noise
        return "low_calcium"
    return None


def lost(report):
    """Return whether motor units are gone: clearly fewer, or fewer and those left are larger."""
    seen = flags(report)
    few = report.value("units") < 0.75 * muscle(report.place).units
    return seen.get("units") == "low" and (few or seen.get("potential_uv") == "high")


def from_needle(game):
    """Return what the needle tells."""
    found = game.order("emg")
    seen = flags(found)
    if lost(found):
        return "als" if lost(game.order("emg", other_muscle(game.muscle))) else "nerve_damage"
    if "active_percent" in seen:
        return "serotonin_syndrome"
    if "myokymic_bursts_per_min" in seen:
        return "pinched_nerve"
    if found.value("repeated_percent") > 95.0:  # every single discharge is repeated
        return "cholinesterase_inhibition"
    return "isaacs" if "neuromyotonic_bursts_per_min" in seen else HEALTHY


def solve(game):
    return from_blood(game) or from_needle(game)
