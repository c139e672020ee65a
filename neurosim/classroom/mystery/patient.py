"""The mystery patient: one person of the model with a hidden cause, drawn from a seed.

A `Case` is a cause with its severity, a person, the muscle they come with, and a few harmless
habits and medicines that the article blames and that do nothing here. Causes are those of the
catalogue that make somebody twitch in this model; what does not (coffee, a short night, salt, most
tablets) is among the harmless. A case is taken only if its cause makes this person's twitches, so
that there is something to find. Parameters: ``mystery.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.errors import NeurosimError, clip_name, finite_number, unknown_name
from neurosim.base.parameters import load_group, parameter
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body
from neurosim.model.muscle.anatomy import MUSCLES, muscle_roots
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.scenario import load_scenario as catalogued
from neurosim.simulation.tally import tally_person

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENTS_SEED = 8  # the seed of all patients; each is one of its people
SALT = 1279  # keeps the draws apart from all others of the same seed
HEALTHY = "healthy"
MAX_TRIES = 600
LARGEST_SEED = 2**53


@dataclass(frozen=True)
class Cause:
    """One possible answer.

    Attributes
    ----------
    name : str
        `HEALTHY`, or a scenario of the catalogue.
    field : str
        Field of the body that it changes; empty for `HEALTHY`.
    muscles : tuple of str
        Muscles in which a patient may notice it.
    reach : str
        ``"all"`` muscles, ``"root"`` (those of one root), ``"one"`` muscle, or ``"most"`` (all
        but the eyelid, the others less).
    doctor : str
        What a doctor can do: ``"treats"`` the cause, ``"heals"`` (time does, under their eyes),
        ``"quietens"``, ``"stands_by"``, or ``"may_help"`` where nobody needs one.
    """

    name: str
    field: str
    muscles: tuple[str, ...]
    reach: str
    doctor: str

    @property
    def title(self) -> str:
        """The cause in words."""
        if self.name == HEALTHY:
            return "Nothing is wrong: twitches of a healthy muscle at rest"
        return catalogued(self.name).title

    @property
    def needs_doctor(self) -> bool:
        """Whether a doctor should see it."""
        return self.doctor != "may_help"


_LIMBS = ("calf", "shin", "thumb", "upper_arm")
_MOSTLY_SOLE = (
    *MUSCLES,
    *(3 * ("foot_sole",)),
)  # where causes that only add to twitches are noticed
CAUSES = {
    c.name: c
    for c in (
        Cause(HEALTHY, "", ("foot_sole",), "all", "may_help"),
        Cause("low_calcium", "ionised_calcium_mmol_l", MUSCLES, "all", "treats"),
        Cause("magnesium_depletion", "magnesium_depletion", _MOSTLY_SOLE, "all", "treats"),
        Cause("poor_nutrition", "poor_nutrition", _MOSTLY_SOLE, "all", "may_help"),
        Cause("anxiety", "anxiety", _MOSTLY_SOLE, "all", "may_help"),
        Cause("kidney_disease", "kidney_disease", _MOSTLY_SOLE, "all", "treats"),
        Cause("serotonin_syndrome", "serotonin_excess", MUSCLES, "all", "treats"),
        Cause(
            "cholinesterase_inhibition",
            "cholinesterase_inhibition",
            ("foot_sole",),
            "all",
            "treats",
        ),
        Cause("pinched_nerve", "pinched_nerve", _LIMBS, "root", "heals"),
        Cause("nerve_damage", "nerve_damage", (*_LIMBS, "eyelid"), "one", "stands_by"),
        Cause("als", "als", _LIMBS, "most", "stands_by"),
        Cause("isaacs", "isaacs", (*_LIMBS, "eyelid"), "all", "quietens"),
    )
}

# Habits and medicines that a patient mentions in the history, with the fields of the body they set.
EXPOSURES: dict[str, tuple[str, ...]] = {
    "coffee": ("plasma_caffeine_umol_l",),
    "short_sleep": ("sleep_debt_h",),
    "tension": ("stress", "anxiety"),
    "sport": ("mass_loss_percent",),
    "asthma_spray": ("beta2_agonist",),
    "water_tablet": ("diuretic",),
    "antidepressant": ("serotonin_excess",),
    "garden_spray": ("cholinesterase_inhibition",),
    "diet": ("poor_nutrition",),
}


def _habit_fields(name: str, amount: float) -> dict[str, float]:
    """Return the fields of the body that a harmless habit of this amount sets."""
    if name == "coffee":
        return {"caffeine_mg": round(amount / 50.0) * 50.0}
    if name == "sport":
        lost_l = parameter("body", "body_mass_kg.healthy") * amount / 100.0
        return {"mass_loss_percent": amount, "plain_water_l": lost_l}
    return {EXPOSURES[name][0]: amount}


@dataclass(frozen=True)
class Case:
    """One patient.

    Attributes
    ----------
    seed : int
    cause : str
        Name of one of `CAUSES`; hidden from the pupil.
    amounts : tuple of (str, float)
        The cause's field of the body in each muscle.
    person : int
        Which person of `people_seed`.
    muscle : str
        The one in which the patient notices twitches.
    root : str
        The pinched root, if the cause pinches one.
    harmless : tuple of str
        Habits and medicines beside the cause.
    habits : tuple of (str, float)
        The fields of the body that they set.
    people_seed : int
        The seed that the persons are drawn with.
    """

    seed: int
    cause: str
    amounts: tuple[tuple[str, float], ...]
    person: int
    muscle: str
    root: str
    harmless: tuple[str, ...] = ()
    habits: tuple[tuple[str, float], ...] = field(repr=False, default=())
    people_seed: int = PATIENTS_SEED

    @property
    def severity(self) -> float:
        """The cause's field of the body in the muscle of the complaint; NaN in health."""
        return dict(self.amounts)[self.muscle] if self.amounts else float("nan")

    def body_without_cause(self) -> Body:
        """Return the body with its habits and without the cause."""
        return Body(**dict(self.habits))

    def body(self, muscle: str | None = None) -> Body:
        """Return the body as it is in a muscle (that of the complaint if omitted)."""
        amount = dict(self.amounts).get(muscle or self.muscle)
        body = self.body_without_cause()
        return body if amount is None else body.replace(**{CAUSES[self.cause].field: amount})

    def scenario(self, muscle: str, duration_s: float, body: Body | None = None) -> Scenario:
        """Return the scenario of a muscle for some time, in this body or another."""
        body = self.body(muscle) if body is None else body
        return Scenario(
            name=f"patient_{self.seed}",
            body=body,
            muscle=muscle,
            seed=self.people_seed,
            duration_s=duration_s,
            root=self.root,
        )

    def exposures(self) -> tuple[str, ...]:
        """Return the habits and medicines that the patient mentions, names of `EXPOSURES`."""
        body, bare = self.body(), Body()
        return tuple(
            name
            for name, fields in EXPOSURES.items()
            if any(getattr(body, f) != getattr(bare, f) for f in fields)
        )

    def unrelated_muscle(self) -> str:
        """Return a muscle that no root of the complaint's muscle supplies."""
        roots = set(muscle_roots(self.muscle))
        return next(m for m in ("thumb", "shin", "calf") if not roots & set(muscle_roots(m)))


def seen_per_min(case: Case, bodies: Mapping[str, Body]) -> dict[str, float]:
    """Return twitches per minute that can be seen in the complaint's muscle, in each body.

    The same ten minutes of the same person in all of them.
    """
    minutes = parameter("mystery", "count_min")
    scenarios = [case.scenario(case.muscle, 60.0 * minutes, body) for body in bodies.values()]
    twitches = tally_person(scenarios, case.person, 60.0 * minutes)
    return {n: float(t.visible.sum()) / minutes for n, t in zip(bodies, twitches, strict=True)}


def check_seed(seed: object) -> int:
    """Return a seed as a whole number.

    Raises
    ------
    NeurosimError
        If it is no whole number from 0 to 2**53.
    """
    value = finite_number("seed", seed)
    if value != int(value) or not 0 <= value <= LARGEST_SEED:
        raise NeurosimError(
            f"seed = {clip_name(str(seed))} must be a whole number from 0 to 2**53."
        )
    return int(seed) if isinstance(seed, int) else int(value)


def case_generator(seed: int, *key: int) -> np.random.Generator:
    """Return a random generator, independent of all others of the same seed."""
    return np.random.default_rng(np.random.SeedSequence([seed, SALT], spawn_key=key))


def _draw_between(rng: np.random.Generator, name: str) -> float:
    entry = load_group("mystery")[name]
    return round(float(rng.uniform(entry.low, entry.high)), 3)


def _draw_amounts(
    cause: Cause, rng: np.random.Generator
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Return the cause's field in every muscle that it reaches, by the muscle of the complaint."""
    if not cause.field:
        return dict.fromkeys(cause.muscles, ())
    severity = _draw_between(rng, f"severity.{cause.name}")
    if cause.reach == "one":
        return {muscle: ((muscle, severity),) for muscle in cause.muscles}
    if cause.reach == "most":
        elsewhere = {
            m: round(severity * _draw_between(rng, "severity.als_elsewhere"), 3) for m in MUSCLES
        }
        del elsewhere["eyelid"]
        return {muscle: tuple((elsewhere | {muscle: severity}).items()) for muscle in cause.muscles}
    return dict.fromkeys(cause.muscles, tuple((m, severity) for m in MUSCLES))


def _draw_habits(
    cause: Cause, rng: np.random.Generator
) -> tuple[tuple[str, ...], dict[str, float]]:
    """Return harmless habits that touch nothing of the cause, and the fields that they set."""
    free = [n for n, fields in EXPOSURES.items() if cause.field not in fields]
    count = round(parameter("mystery", "distractors"))
    chosen: tuple[str, ...] = tuple(
        free[int(i)] for i in sorted(rng.choice(len(free), count, replace=False))
    )
    fields: dict[str, float] = {}
    for name in chosen:
        fields |= _habit_fields(name, _draw_between(rng, f"harmless.{name}"))
    return chosen, _changed_fields(Body(**fields))


def _changed_fields(body: Body) -> dict[str, float]:
    return {n: v for n, v in vars(body).items() if v != FIELDS[n].healthy}


def _is_suitable(case: Case) -> bool:
    """Return whether the patient twitches enough to be seen, and because of the cause."""
    healthy = case.cause == HEALTHY
    bodies = {"now": case.body(), "without": Body() if healthy else case.body_without_cause()}
    rates = seen_per_min(case, bodies)
    if rates["now"] < parameter("mystery", "least_per_min"):
        return False
    ratio = parameter("mystery", "least_ratio")
    if healthy:  # the habits are not what makes it twitch, nor what hides it
        return rates["without"] / ratio <= rates["now"] <= ratio * rates["without"]
    return rates["now"] >= ratio * rates["without"]


def case_of(cause: str, amounts: Mapping[str, float], seed: int = 1, root: str = "S1") -> Case:
    """Return a patient with a chosen cause and no habits, the first person of a seed.

    Parameters
    ----------
    cause : str
        One of `CAUSES`.
    amounts : mapping of str to float
        The cause's field of the body, by muscle; the complaint is in the first of them.
    seed : int
    root : str
        The pinched root, if the cause pinches one.

    Raises
    ------
    NeurosimError
        For an unknown cause, or a seed that is no whole number from 0 to 2**53.

    Examples
    --------
    >>> case_of("nerve_damage", {"calf": 0.5}).body("calf").nerve_damage
    0.5
    """
    if cause not in CAUSES:
        raise unknown_name("cause", cause, CAUSES)
    seed, muscle = check_seed(seed), next(iter(amounts), CAUSES[cause].muscles[0])
    return Case(seed, cause, tuple(amounts.items()), 0, muscle, root, people_seed=seed)


def draw_case(seed: int) -> Case:
    """Return the patient of a seed: same seed, same patient.

    Raises
    ------
    NeurosimError
        If the seed is no whole number from 0 to 2**53.
    """
    seed = check_seed(seed)
    rng = case_generator(seed, 0)
    cause = list(CAUSES.values())[int(rng.integers(len(CAUSES)))]
    harmless, habits = _draw_habits(cause, rng)
    amounts = _draw_amounts(cause, rng)
    for _ in range(MAX_TRIES):
        muscle = cause.muscles[int(rng.integers(len(cause.muscles)))]
        person = int(rng.integers(round(parameter("mystery", "people"))))
        root = max(muscle_roots(muscle), key=muscle_roots(muscle).__getitem__, default="S1")
        case = Case(
            seed,
            cause.name,
            amounts[muscle],
            person,
            muscle,
            root,
            harmless,
            tuple(sorted(habits.items())),
        )
        if _is_suitable(case):
            return case
    raise NeurosimError(f"Seed {seed} has no patient; choose another seed.")
