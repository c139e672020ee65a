"""The mystery patient in words: tests, their findings, and the outcome of a proposal.

The command line, the notebook and its page share these sentences: plain lines, one finding in
each, which a screen reader reads as they are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neurosim.base.parameters import parameter
from neurosim.classroom.mystery.examinations import TESTS, Finding, Report
from neurosim.classroom.mystery.game import DOCTOR, REMEDIES, Game, Outcome
from neurosim.classroom.mystery.patient import CAUSES, Case
from neurosim.model.body.fields import FIELDS
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.view.style import ADVICE, label_number, muscle_words

if TYPE_CHECKING:
    from collections.abc import Sequence

MYSTERY_TEXTS = {
    "history": "ask about habits and medicines",
    "examination": "look at six muscles for a minute each and try their force",
    "count": "count the twitches of one muscle for ten minutes",
    "blood": "blood panel: sodium, potassium, ionised calcium, ionised magnesium",
    "gas": "blood gas from an artery: carbon dioxide, pH, bicarbonate",
    "emg": "needle electromyogram of one muscle: who fires how, how many motor units there are",
    "excitability": "nerve-excitability test at the wrist",
}
TITLES = {
    "history": "History", "examination": "Examination", "count": "Count for ten minutes",
    "blood": "Blood panel", "gas": "Blood gas", "emg": "Electromyogram",
    "excitability": "Nerve excitability",
}  # fmt: skip
EXPOSURE_WORDS = {
    "coffee": "drinks coffee",
    "short_sleep": "sleeps badly",
    "tension": "feels tense",
    "sport": "did sport, sweated and drank plain water",
    "asthma_spray": "uses an asthma spray",
    "water_tablet": "takes a water tablet (a diuretic) for the blood pressure",
    "antidepressant": "takes a medicine that raises serotonin",
    "garden_spray": "sprays insects in the garden",
    "diet": "eats little that is fresh",
}
SIGN_WORDS = {
    **{
        name: FIELDS[name].label
        for name in (
            "sodium_mmol_l",
            "potassium_mmol_l",
            "ionised_calcium_mmol_l",
            "ionised_magnesium_mmol_l",
        )
    },
    "cups_of_coffee": "coffee, an hour ago",
    "sleep_debt_h": "sleep debt (sleep missing)",
    "paco2_mmhg": "carbon dioxide",
    "ph": "pH",
    "bicarbonate_mmol_l": "bicarbonate",
    "twitches_seen": "fasciculations (twitches seen)",
    "force": "force",
    "singles_per_min": "single discharges",
    "doublets_per_min": "doublets (two discharges)",
    "multiplets_per_min": "multiplets (three or more)",
    "myokymic_bursts_per_min": "myokymic bursts (groups at a regular rate, again and again)",
    "neuromyotonic_bursts_per_min": "neuromyotonic bursts (many discharges at a very high rate)",
    "repeated_percent": "share of all these with two discharges or more",
    "active_percent": "motor units near the needle that fire at rest",
    "units": "motor units, estimated",
    "potential_uv": "size of the motor units' potentials",
    "sdtc_ms": "strength-duration time constant",
    "relative_refractory_period_ms": "relative refractory period",
    "refractoriness_2_5_ms_percent": "refractoriness at 2.5 ms",
    "superexcitability_percent": "superexcitability",
    "subexcitability_percent": "subexcitability",
    "te_d_90_100_percent": "depolarising electrotonus at 90 to 100 ms",
    "te_h_90_100_percent": "hyperpolarising electrotonus at 90 to 100 ms",
}
# As in a textbook. The findings come from the model, and tests check that they agree.
CLUES = {
    "healthy": "Every test is as usual; the sole of the foot twitches in nearly everybody.",
    "low_calcium": "Calcium clearly low (hypocalcaemia), the other ions and the breath as usual.",
    "magnesium_depletion": "Magnesium far too low (hypomagnesaemia), and it takes calcium with it.",
    "poor_nutrition": "Magnesium and calcium both a little low.",
    "anxiety": "Hyperventilation: carbon dioxide low and pH high, which lowers calcium a little.",
    "kidney_disease": "Magnesium and potassium kept back, calcium low, the blood acid.",
    "serotonin_syndrome": "Nearly every motor unit fires single discharges, in all muscles.",
    "cholinesterase_inhibition": "Every discharge is repeated at once: no single ones are left.",
    "pinched_nerve": "Myokymic bursts, in the muscles of one root.",
    "nerve_damage": "Motor units are lost and those left are large, in one muscle.",
    "als": "Motor units are lost and those left are large, in muscles of different roots.",
    "isaacs": "Hyperexcitable axon terminals: neuromyotonic bursts beside others, in all muscles.",
}
BY_DOCTOR = {
    "treats": "A doctor should see this, and can treat it.",
    "heals": "Most pinched nerves get better within weeks to months; a doctor should see it, and "
    "at once if a muscle grows weak.",
    "quietens": "A doctor is needed: the twitches can be made quieter, and the cause looked after.",
    "stands_by": "No remedy here brings back motor units that are lost. A doctor can find out "
    "what it is, treat what can be treated, and help; nobody should be alone with it.",
    "may_help": "",
}
HARMLESS = "Twitches of a rested, healthy muscle are common, in the sole of the foot above all."


def _points_words(value: float) -> str:
    return f"{label_number(round(value, 1))} point{'' if value == 1 else 's'}"


# --- Before ------------------------------------------------------------------------------------


def patient_words(game: Game) -> str:
    """Return who the patient is, and the complaint."""
    return (
        f"Patient {game.seed}: an adult who twitches in the {muscle_words(game.muscle)}, at rest "
        "(fasciculations: twitches that can be seen). "
        "Find out why, and what to do."
    )


def tests_words() -> str:
    """Return the list of tests with their prices."""
    lines = ["Tests and their prices:"]
    for name, test in TESTS.items():
        name = f"{name} [MUSCLE]" if test.in_a_muscle else name
        lines.append(f"  {name}, {_points_words(test.price)}: {MYSTERY_TEXTS[test.name]}")
    return "\n".join([*lines, "Muscles: " + ", ".join(MUSCLES) + "."])


def causes_words() -> str:
    """Return the possible causes."""
    lines = [f"  {name}: {c.title}. {CLUES[name]}" for name, c in CAUSES.items()]
    return "\n".join(["Causes, and what to look for:", *lines])


def remedies_words() -> str:
    """Return the possible remedies."""
    return "\n".join(["Remedies:", *(f"  {name}: {label}" for name, label in REMEDIES.items())])


def rules_words() -> str:
    """Return how points are given."""
    cause, remedy, thrift, price = (
        label_number(parameter("mystery", name))
        for name in ("points_cause", "points_remedy", "points_thrift", "price_per_point")
    )
    return (
        f"Points: {cause} for the right cause. {remedy} for a remedy that mends the cause, or for "
        "a doctor where one is needed; half of it for one that only halves the twitches, or for a "
        "doctor where none is needed; half of that again if the cause is wrong. "
        f"{thrift} for thrift if the cause is right, less one for every {price} points spent on "
        "tests. The first proposal counts."
    )


# --- Reports -----------------------------------------------------------------------------------


def _finding_value(finding: Finding) -> str:
    if math.isnan(finding.value):
        return "could not be measured"
    digits = f"{finding.value:.2f}" if finding.name == "ph" else label_number(finding.value)
    digits = digits.replace("-", "\N{MINUS SIGN}")
    return f"{digits} {finding.unit}".strip()


def reference_words(finding: Finding) -> str:
    """Return a finding's reference range, or an empty text."""
    low, high = (
        label_number(v).replace("-", "\N{MINUS SIGN}") if math.isfinite(v) else ""
        for v in (finding.low, finding.high)
    )
    if finding.name == "ph":
        low, high = f"{finding.low:.2f}", f"{finding.high:.2f}"
    if low and high:
        return f"{low} to {high}" if finding.low else f"up to {high}"
    return f"at least {low}" if low and finding.low else ""


def finding_words(finding: Finding) -> str:
    """Return one finding in a line."""
    name = SIGN_WORDS[finding.name]
    if finding.place:
        name = f"{muscle_words(finding.place)}, {name}"
    reference = reference_words(finding)
    usual = f" (usual {reference})" if reference else ""
    flag = f", {finding.flag.upper()}" if finding.flag else ""
    return f"{name}: {_finding_value(finding)}{usual}{flag}"


def report_title(report: Report) -> str:
    """Return the name of the test, its muscle and its price."""
    where = f", {muscle_words(report.place)}" if report.place else ""
    again = f", time {report.time + 1}" if report.time else ""
    return f"{TITLES[report.test]}{where}{again}, {_points_words(report.price)}"


def mention_lines(report: Report) -> list[str]:
    """Return what the patient mentions in a test, one line each."""
    if report.test == "history" and not report.mentioned:
        return ["the patient mentions no medicine and no habit"]
    return [f"the patient {EXPOSURE_WORDS[name]}" for name in report.mentioned]


def report_lines(report: Report) -> list[str]:
    """Return what a test brought, one line each."""
    return [*mention_lines(report), *map(finding_words, report.findings)]


def report_words(report: Report) -> str:
    """Return a report in plain lines."""
    return "\n".join([f"{report_title(report)}:", *(f"  {t}" for t in report_lines(report))])


def bill_words(game: Game) -> str:
    """Return the tests ordered and the points spent."""
    if not game.reports:
        return "Nothing ordered yet: 0 points."
    lines = [f"  {report_title(r)}" for r in game.reports]
    return "\n".join(["Ordered so far:", *lines, f"Together: {_points_words(game.cost)}."])


# --- After -------------------------------------------------------------------------------------


def rate_words(value: float) -> str:
    """Return a rate with three digits at most."""
    return label_number(float(f"{value:.3g}"))


def _remedy_sentence(outcome: Outcome) -> str:
    sentence = f"Remedy: {REMEDIES[outcome.remedy]}."
    if outcome.mends_cause and outcome.remedy == DOCTOR:
        return f"{sentence} That is right."
    if outcome.mends_cause:
        return f"{sentence} That mends the cause."
    if outcome.remedy == DOCTOR:
        return f"{sentence} That is never wrong, but here nobody needs one."
    if outcome.quietens:
        return f"{sentence} It quietens the twitches; the cause stays."
    return f"{sentence} It does not mend the cause."


def outcome_lines(outcome: Outcome) -> list[str]:
    """Return the outcome of a proposal, one sentence each."""
    true, proposed = CAUSES[outcome.case.cause], CAUSES[outcome.cause]
    if outcome.is_right:
        lines = [f"Right: {true.title}."]
    else:
        lines = [f"Not this time. You said: {proposed.title}. It is: {true.title}."]
    without = f"Without the cause this person has {rate_words(outcome.seen_without_cause)}."
    lines += [
        _remedy_sentence(outcome),
        f"Twitches seen per minute in the {muscle_words(outcome.case.muscle)}: "
        f"{rate_words(outcome.before)} before, {rate_words(outcome.after)} after it. "
        f"{without if true.field else HARMLESS}",
    ]
    if BY_DOCTOR[true.doctor]:
        lines.append(BY_DOCTOR[true.doctor])
    if outcome.is_scored:
        parts = [f"{_points_words(v)} for the {name}" for name, v in outcome.points.items()]
        lines += [
            f"Tests cost {_points_words(outcome.cost)}.",
            f"{', '.join(parts)}: {label_number(round(outcome.score, 1))} of 100.",
        ]
    else:
        lines.append("This one is not scored: it only shows what the model does.")
    return [*lines, ADVICE]


def secret_lines(case: Case) -> list[str]:
    """Return the cause of a patient, for a pupil who gives up."""
    true = CAUSES[case.cause]
    lines = [f"Patient {case.seed} has: {true.title}."]
    more = BY_DOCTOR[true.doctor] or ("" if true.field else HARMLESS)
    return [*lines, *([more] if more else []), ADVICE]


# --- Tables -------------------------------------------------------------------------------------


def report_rows(seed: int, reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Return a row for each finding of the tests that were ordered."""
    rows: list[dict[str, Any]] = []
    for order, report in enumerate(reports, 1):
        base = {"patient": seed, "order": order, "test": report.test, "price_points": report.price}
        findings = [Finding(exposure, math.nan) for exposure in report.mentioned]
        for finding in [*findings, *report.findings]:
            rows.append(base | _finding_row(finding, report.place))
    return rows


def _finding_row(finding: Finding, place: str) -> dict[str, Any]:
    return {
        "muscle": finding.place or place,
        "finding": finding.name,
        "value": finding.value,
        "unit": finding.unit,
        "usual_low": finding.low,
        "usual_high": finding.high,
        "flag": finding.flag,
    }
