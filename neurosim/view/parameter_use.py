"""Which parameters a run can read, and how many of them are assumed."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from neurosim.base.parameters import Value, all_values, load_group, track_reads
from neurosim.model.axon.axon import AXONS
from neurosim.model.body.contributions import contributions
from neurosim.model.body.course import Course
from neurosim.model.body.state import Body
from neurosim.model.firing.sites import CLASSES
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.model.muscle.anatomy import muscle as get_muscle

if TYPE_CHECKING:
    from neurosim.simulation.result import Result

# Parameters that no run reads: limits of what is accepted, conversions of units, how well the
# hazard law fits, the survey that sets people's sites, what only a firing cell body needs, named
# conditions of an axon, chains of nodes and their bursts, axons that touch, pools of motor neurons
# and their fatigue, loss of blood flow, the needle, the detector, the mystery patient's game, and
# the rule for events without labelled bursts.
_UNREAD = {
    "alarms": re.compile(""),
    "anatomy": re.compile(r".*\.roots\."),
    "bursts": re.compile(""),
    "chain": re.compile(""),
    "conditions": re.compile(""),
    "course": re.compile(""),
    "detect": re.compile(""),
    "fatigue": re.compile(""),
    "pool": re.compile(""),
    "membrane": re.compile(r"(ischaemia|release)_pump_|washout_|potassium_space_"),
    "body": re.compile(""),  # what a body reads is tracked
    "emg": re.compile(r"needle_|noise_needle_|core_|shaft_|onset_"),
    "ephapse": re.compile(""),
    "fit": re.compile(""),
    "hazard": re.compile(r".*error"),
    "isaacs": re.compile(""),
    "mystery": re.compile(""),
    "study": re.compile(r"(?!smallest_|rate_floor|confidence)"),
    "soma": re.compile(r"soma_(ahp|adaptation|reset|refractory|rest)_"),
}
# What a run reads only if a body has a condition; AXON is that of the chain, MUSCLE of the run.
_CRAMP = {"pool": "", "soma": "(?!soma_ahp_tau)"}
_CONDITIONAL = {
    "isaacs": {
        "chain": (
            r"AXON\.isaacs\.((potassium_\d+\.)?(burst_rate|size_)|interval_\d_|nu|node|internode|"
            r"noise_factor|outward_|slow_potassium)"
        ),
        "isaacs": r"AXON\.(?!.*(error|median|wrong|silent|inside))",
    },
    "pinched_nerve": {"bursts": "", "anatomy": r"MUSCLE\.roots\."},
    **{
        name: _CRAMP
        for name in ("shortened_muscle", "cramp_proneness", "nerve_stimulation_per_s", "stretch")
    },
}


def _condition_reads(body: Body, axon: str, muscle: str, group: str, name: str) -> bool:
    """Return whether a run reads a parameter because of a condition that the body has."""
    chain = "ohmic" if axon == "ohmic" else "ghk"
    return any(
        group in patterns
        and re.match(patterns[group].replace("AXON", chain).replace("MUSCLE", muscle), name)
        for field, patterns in _CONDITIONAL.items()
        if getattr(body, field)
    )


def used_values(
    axon: str = "ghk",
    muscle: str = "foot_sole",
    body: Body | None = None,
    course: Course | None = None,
) -> list[tuple[str, Value]]:
    """Return (group, value) of the parameters that a run can read, those of its conditions too."""
    site_class = get_muscle(muscle).site_class
    others = {name for name in MUSCLES if name != muscle}
    others |= {name for name in AXONS if name != axon}
    others |= {f"axon_{name}" for name in AXONS if name != axon}
    others |= {f"rogues_per_unit_{name}" for name in CLASSES if name != site_class}
    # A muscle's own value replaces the one that most muscles share.
    others |= {
        n.removeprefix(f"{muscle}.") for n in load_group("anatomy") if n.startswith(f"{muscle}.")
    }
    reads = _body_reads(body or Body(), course)
    return [
        (group, value)
        for group, value in all_values()
        if group not in others
        and value.name.split(".")[0] not in others
        and not (group in _UNREAD and _UNREAD[group].match(value.name))
        or (group, value.name) in reads
        or (body and _condition_reads(body, axon, muscle, group, value.name))
    ]


def _body_reads(body: Body, course: Course | None) -> Collection[tuple[str, str]]:
    """Return (group, name) of what the body, or a course that starts from it, reads."""
    with track_reads() as reads:
        for state in course.knots(body, 24.0)[1] if course else [body]:
            contributions(state)
            state.blood()
    return reads


def used_parameters(result: Result) -> set[tuple[str, str]]:
    """Return (group, name) of the parameters that a result can rest on, rather too many."""
    s = result.scenario
    return {(g, v.name) for g, v in used_values(s.axon, s.muscle, s.body, s.course)}


class AssumptionCount(NamedTuple):
    """How many parameters a run leans on, and how many of them are assumed."""

    numbers: int
    assumed: int

    def words(self) -> str:
        """Return both in words, without a full stop."""
        return f"This leans on {self.numbers} numbers, {self.assumed} of them assumed"


def count_assumptions(
    axon: str, muscle: str, body: Body | None = None, course: Course | None = None
) -> AssumptionCount:
    """Return how many parameters a run leans on, and how many of them are assumed."""
    grades = [value.grade for _, value in used_values(axon, muscle, body, course)]
    return AssumptionCount(len(grades), grades.count("assumed"))


def assumption_words(
    axon: str, muscle: str, body: Body | None = None, course: Course | None = None
) -> str:
    """Return how many parameters a run leans on and how many are assumed, and who lists them."""
    counts = count_assumptions(axon, muscle, body, course)
    return f"{counts.words()} ('neurosim sources' lists them)."
