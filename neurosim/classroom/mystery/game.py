"""The game of the mystery patient: order tests, propose a cause and a remedy, see what happens.

`Game` is the one object behind the command line, the notebook's page and its plain methods. It
holds facts; `neurosim.classroom.mystery.phrases` makes the sentences. The outcome is the model's:
the same person in the same ten minutes, before and after the remedy.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from neurosim.base.errors import NeurosimError, unknown_name
from neurosim.base.parameters import Key, parameter, track_reads
from neurosim.classroom.mystery.examinations import TESTS, Report, perform_test
from neurosim.classroom.mystery.patient import CAUSES, Case, draw_case, seen_per_min
from neurosim.model.body import remedies
from neurosim.model.body.fields import FIELDS
from neurosim.model.muscle.anatomy import muscle

if TYPE_CHECKING:
    from collections.abc import Generator

    from neurosim.model.body.state import Body

DOCTOR, LEAVE, REASSURE = "see_doctor", "leave_medicine", "reassure"
EXTRA_REMEDIES = {
    DOCTOR: "see a doctor, who treats the cause where it can be treated",
    LEAVE: "leave the medicine or the poison, a medicine only with the doctor",
    REASSURE: "explain that it is harmless, and do nothing",
}
REMEDIES = {**{r.name: r.label for r in remedies.REMEDIES}, **EXTRA_REMEDIES}
CHOICES = {"test": TESTS, "cause": CAUSES, "remedy": REMEDIES}
# Fields of the body that are zero after `LEAVE`.
_MEDICINES = (
    "serotonin_excess", "cholinesterase_inhibition", "beta2_agonist", "diuretic", "oxaliplatin",
)  # fmt: skip


def _param(name: str) -> float:
    return parameter("mystery", name)


# --- Remedies --------------------------------------------------------------------------------


def body_after_remedy(case: Case, remedy: str) -> Body:
    """Return the patient's body in the complaint's muscle after a remedy.

    Raises
    ------
    NeurosimError
        For an unknown remedy.
    """
    body, cause = case.body(), CAUSES[case.cause]
    if remedy not in EXTRA_REMEDIES:
        return remedies.remedy(remedy).apply(body)
    if remedy == LEAVE:
        return body.replace(**dict.fromkeys(_MEDICINES, 0.0))
    if remedy == DOCTOR and cause.doctor in ("treats", "heals"):
        value, healthy = getattr(body, cause.field), FIELDS[cause.field].healthy
        remaining = 1.0 - parameter("study", "remedy_share")
        return body.replace(**{cause.field: healthy + remaining * (value - healthy)})
    if remedy == DOCTOR and cause.doctor == "quietens":
        return body.replace(sodium_channel_blocker=1.0)
    return body


def mends_cause(case: Case, remedy: str) -> bool:
    """Return whether a remedy removes at least half of the cause, whatever it does to twitches."""
    field = CAUSES[case.cause].field
    if not field:
        return remedy == REASSURE
    healthy = FIELDS[field].healthy
    before, after = (
        abs(getattr(b, field) - healthy) for b in (case.body(), body_after_remedy(case, remedy))
    )
    return after <= 0.5 * before


def is_right_remedy(case: Case, remedy: str) -> bool:
    """Return whether a remedy mends the cause, or is the doctor where one is needed."""
    return mends_cause(case, remedy) or (remedy == DOCTOR and CAUSES[case.cause].needs_doctor)


def remedy_effects(case: Case) -> dict[str, float]:
    """Return twitches seen per minute after every remedy; under ``""`` without any."""
    bodies = {"": case.body(), **{name: body_after_remedy(case, name) for name in REMEDIES}}
    return seen_per_min(case, bodies)


# --- The game --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """The outcome of a proposal.

    Attributes
    ----------
    cause, remedy : str
        As proposed.
    case : Case
        The patient, no longer hidden.
    before, after, seen_without_cause : float
        Twitches seen per minute: as the patient came, after the remedy, and without the cause.
    is_right, mends_cause, quietens : bool
        Whether the cause is right, the remedy mends it (or is the doctor where one is needed),
        and the twitches are halved.
    cost : float
        Points spent on tests.
    points : dict of str to float
        For ``cause``, ``remedy`` and ``thrift``.
    is_scored : bool
        Whether the points count: those of the first proposal do, unless the pupil gave up before.
    """

    cause: str
    remedy: str
    case: Case
    before: float
    after: float
    seen_without_cause: float
    is_right: bool
    mends_cause: bool
    quietens: bool
    cost: float
    points: dict[str, float]
    is_scored: bool = True

    @property
    def score(self) -> float:
        """All points, 0 to 100."""
        return sum(self.points.values())


def judge_proposal(case: Case, cause: str, remedy: str, cost: float) -> Outcome:
    """Return the outcome of a cause and a remedy after tests of this cost."""
    bodies = {
        "before": case.body(),
        "after": body_after_remedy(case, remedy),
        "without": case.body_without_cause(),
    }
    rates = seen_per_min(case, bodies)
    right, mended = cause == case.cause, is_right_remedy(case, remedy)
    quietens = rates["after"] <= 0.5 * rates["before"]
    careful = remedy == DOCTOR  # never wrong, sometimes too much
    share = 1.0 if mended else 0.5 if quietens or careful else 0.0
    points = {
        "cause": _param("points_cause") * right,
        "remedy": _param("points_remedy") * share * (1.0 if right else 0.5),
        "thrift": max(0.0, _param("points_thrift") - cost / _param("price_per_point")) * right,
    }
    return Outcome(
        cause,
        remedy,
        case,
        rates["before"],
        rates["after"],
        rates["without"],
        right,
        mended,
        quietens,
        cost,
        points,
    )


def check_choice(kind: str, value: object) -> str:
    """Return the name of a ``"test"``, ``"cause"`` or ``"remedy"`` as it is spelt.

    Raises
    ------
    NeurosimError
        If there is no such name.
    """
    key = str(value).strip().lower().replace("-", "_").replace(" ", "_")
    if key not in CHOICES[kind]:
        raise unknown_name(kind, value, CHOICES[kind])
    return key


class Game:
    """One patient, the tests ordered and the proposals made so far.

    Parameters
    ----------
    seed : int
        Same seed, same patient.

    Raises
    ------
    NeurosimError
        If the seed is no whole number from 0 to 2**53.
    """

    def __init__(self, seed: int) -> None:
        self._reads: set[Key] = set()
        with self._track():
            self._case = draw_case(seed)
        self.seed = self._case.seed
        self.muscle = self._case.muscle
        self.reports: list[Report] = []
        self.outcomes: list[Outcome] = []
        self.is_revealed = False

    @property
    def parameters(self) -> frozenset[Key]:
        """Group and name of every parameter that was read so far."""
        return frozenset(self._reads)

    @contextmanager
    def _track(self) -> Generator[None]:
        with track_reads() as reads:
            yield
        self._reads |= reads

    @property
    def cost(self) -> float:
        """Points spent on tests so far."""
        return sum(r.price for r in self.reports)

    def order(self, test: str, muscle_name: str = "") -> Report:
        """Do a test, add its price to the bill, and return its report.

        Parameters
        ----------
        test : str
            One of `neurosim.classroom.mystery.examinations.TESTS`.
        muscle_name : str
            For a test that is done in a muscle; the complaint's if omitted.

        Raises
        ------
        NeurosimError
            For an unknown test or muscle, or a muscle for a test that is done in none.
        """
        name = check_choice("test", test)
        if muscle_name and not TESTS[name].in_a_muscle:
            raise NeurosimError(f"'{name}' is not done in one muscle; order it without.")
        place = muscle(muscle_name or self.muscle).name if TESTS[name].in_a_muscle else ""
        done = sum(r.test == name and r.place == place for r in self.reports)
        with self._track():
            report = perform_test(self._case, name, place, done)
        self.reports.append(report)
        return report

    def propose(self, cause: str, remedy: str) -> Outcome:
        """Propose a cause and a remedy, and return the outcome.

        The first proposal is scored; later ones, and any after giving up, only show what the
        model does.

        Raises
        ------
        NeurosimError
            For an unknown cause or remedy.
        """
        checked = check_choice("cause", cause), check_choice("remedy", remedy)
        with self._track():
            outcome = judge_proposal(self._case, *checked, self.cost)
        outcome = replace(outcome, is_scored=not (self.outcomes or self.is_revealed))
        self.outcomes.append(outcome)
        return outcome

    def give_up(self) -> Case:
        """Return the patient's secret; no later proposal is scored."""
        self.is_revealed = True
        return self._case
