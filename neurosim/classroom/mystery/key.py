"""The teacher's key of mystery patients: hidden cause, every test, and what each remedy does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, clip_name, short_repr
from neurosim.base.parameters import Key, keep_reads
from neurosim.base.viewable import Viewable
from neurosim.classroom.mystery.examinations import TESTS, Report, perform_test
from neurosim.classroom.mystery.game import DOCTOR, REMEDIES, is_right_remedy, remedy_effects
from neurosim.classroom.mystery.patient import Case, check_seed, draw_case

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PATIENTS = 100  # in one key


@dataclass(frozen=True)
class PatientKey:
    """Everything about one patient, for the teacher.

    Attributes
    ----------
    case : Case
    reports : tuple of Report
        Every test once, as a pupil gets it first; the needle also in a muscle of another root.
    effects : dict of str to float
        Twitches seen per minute after every remedy; under ``""`` without any.
    best : str
        The doctor where one is needed, else what mends the cause with the fewest twitches left.
    """

    case: Case
    reports: tuple[Report, ...]
    effects: dict[str, float]
    best: str


def patient_key(seed: int) -> PatientKey:
    """Return the key of one patient, computed now.

    Raises
    ------
    NeurosimError
        If the seed is no whole number from 0 to 2**53.
    """
    case = draw_case(seed)
    reports = [perform_test(case, name) for name in TESTS]
    reports += [
        perform_test(case, name, case.unrelated_muscle())
        for name, t in TESTS.items()
        if t.in_a_muscle
    ]
    effects = remedy_effects(case)
    right = [name for name in REMEDIES if is_right_remedy(case, name)]
    best = DOCTOR if DOCTOR in right else min(right, key=effects.__getitem__)
    return PatientKey(case, tuple(reports), effects, best)


@dataclass(frozen=True, repr=False)
class TeacherKey(Viewable):
    """What a teacher holds against a class's answers.

    Attributes
    ----------
    patients : tuple of PatientKey
        One for each seed.
    parameters : frozenset of (str, str)
        Group and name of every parameter that was read.
    """

    patients: tuple[PatientKey, ...]
    parameters: frozenset[Key] = frozenset()

    def __len__(self) -> int:
        return len(self.patients)


@public
@keep_reads
def key(seed: int | str, *, progress: Callable[[int, int], object] | None = None) -> TeacherKey:
    """Return the teacher's key of a mystery patient or of a class, computed now.

    Parameters
    ----------
    seed : int or str
        One patient, such as ``7``, or at most 100 of them, such as ``"1:30"``.
    progress : callable, optional
        Called after every patient with how many are done, and of how many.

    Returns
    -------
    TeacherKey
        Prints the key; ``save(folder)`` writes ``key.csv``, ``key.json`` and ``key.txt``.

    Raises
    ------
    NeurosimError
        If a seed is no whole number from 0 to 2**53, or the range is empty or too long.

    Examples
    --------
    >>> print(key(7))  # doctest: +ELLIPSIS
    Key of patient 7
    Cause: anxiety, Anxiety with over-breathing.
    ...
    """
    if progress is not None and not callable(progress):
        raise NeurosimError(f"progress must be a function, not {short_repr(progress)}.")
    seeds = patient_seeds(seed)
    patients: list[PatientKey] = []
    for patient_seed in seeds:
        patients.append(patient_key(patient_seed))
        if progress is not None:
            progress(len(patients), len(seeds))
    return TeacherKey(tuple(patients))


def patient_seeds(seed: object) -> range:
    """Return the seeds of ``7``, ``"7"`` or ``"1:30"``.

    Raises
    ------
    NeurosimError
        If it is none of these, or more than `MAX_PATIENTS`.
    """
    ends = [check_seed(part) for part in (seed.split(":", 1) if isinstance(seed, str) else [seed])]
    first, last = ends[0], ends[-1]
    if not first <= last < first + MAX_PATIENTS:
        raise NeurosimError(
            f"seed = {clip_name(seed)} must run upwards, over at most {MAX_PATIENTS} patients."
        )
    return range(first, last + 1)
