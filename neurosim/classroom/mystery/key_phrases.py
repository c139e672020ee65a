"""The teacher's key in words and as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosim.classroom.mystery import phrases
from neurosim.classroom.mystery.game import REMEDIES, is_right_remedy
from neurosim.classroom.mystery.patient import CAUSES, Case
from neurosim.model.body.fields import FIELDS
from neurosim.view.style import ADVICE, label_number, muscle_words, pluralize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.classroom.mystery.key import PatientKey, TeacherKey


def describe_key(key: TeacherKey) -> str:
    """Return a key as the command prints it: one patient in full, a class in a few lines each."""
    if len(key) == 1:
        return patient_key_words(key.patients[0])
    return class_key_words(key.patients)


def key_headline(key: TeacherKey) -> str:
    """Return of whom the key is."""
    seeds = [patient.case.seed for patient in key.patients]
    span = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    return f"{pluralize(len(seeds), 'mystery patient')}, {span}"


def _severity_words(case: Case) -> str:
    cause = CAUSES[case.cause]
    if not cause.field:
        return ""
    field = FIELDS[cause.field]
    if field.is_scale:
        return f"{case.severity:.2f} of 1"
    return f"{field.label} {label_number(case.severity)} {field.unit}".strip()


def decisive_findings(key: PatientKey) -> list[str]:
    """Return the findings outside their reference ranges, a phrase each."""
    return [
        f"{phrases.TITLES[r.test].lower()}{f', {muscle_words(r.place)}' if r.place else ''}: "
        f"{phrases.finding_words(f)}"
        for r in key.reports
        for f in r.flagged
    ]


def patient_key_words(key: PatientKey) -> str:
    """Return everything about one patient, for the teacher."""
    case = key.case
    severity = _severity_words(case)
    lines = [
        f"Key of patient {case.seed}",
        f"Cause: {case.cause}, {CAUSES[case.cause].title}.",
        *([f"Severity: {severity}."] if severity else []),
        f"Complaint: twitches in the {muscle_words(case.muscle)}.",
        *([f"Root: {case.root}."] if CAUSES[case.cause].reach == "root" else []),
        "Harmless beside it: " + ", ".join(case.harmless).replace("_", " ") + ".",
        "Outside the usual range, as a pupil finds it at the first order:",
        *([f"  {text}" for text in decisive_findings(key)] or ["  nothing"]),
        "Twitches seen per minute after each remedy, by the model:",
        f"  none: {phrases.rate_words(key.effects[''])}",
        *(
            f"  {name}: {phrases.rate_words(key.effects[name])}"
            f"{', right' if is_right_remedy(case, name) else ''}"
            for name in REMEDIES
        ),
        f"Best: {key.best}.",
        "All reports:",
        *(f"  {line}" for r in key.reports for line in phrases.report_words(r).splitlines()),
        ADVICE,
    ]
    return "\n".join(lines)


def class_key_words(keys: Sequence[PatientKey]) -> str:
    """Return a class's patients in a few lines each."""
    parts: list[str] = []
    for k in keys:
        severity = _severity_words(k.case)
        parts += [
            f"Patient {k.case.seed}: {k.case.cause}{f' ({severity})' if severity else ''}, "
            f"{muscle_words(k.case.muscle)}, {phrases.rate_words(k.effects[''])} twitches seen a "
            "minute; "
            f"best: {k.best}, then {phrases.rate_words(k.effects[k.best])}.",
            *(f"  {text}" for text in decisive_findings(k)),
        ]
    return "\n".join([*parts, ADVICE])


def key_rows(key: TeacherKey) -> list[dict[str, Any]]:
    """Return a row for each patient of a class."""
    return [
        {
            "patient": k.case.seed,
            "cause": k.case.cause,
            "severity": _severity_words(k.case),
            "muscle": k.case.muscle,
            "harmless": "; ".join(k.case.harmless),
            "outside_the_usual_range": "; ".join(decisive_findings(k)),
            "seen_per_min": k.effects[""],
            "best_remedy": k.best,
            "best_seen_per_min": k.effects[k.best],
            "right_remedies": "; ".join(n for n in REMEDIES if is_right_remedy(k.case, n)),
        }
        for k in key.patients
    ]
