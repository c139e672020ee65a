"""Targets on the prone eyelid, a hypothesis: pattern (V84), students (V85), cases (V86).

Of every paper only the abstract was read. Whether closing the lid ends an episode is asked of
nobody: no trial was found.
"""

from __future__ import annotations

from neurosim.base.parameters import parameter
from neurosim.model.soma import facial
from neurosim.model.soma.soma import SomaConditions
from neurosim.simulation.lid import IONS, case_control, exam_week
from neurosim.validation.target import INF, Row

WATCHED_S, SEED, REPEATS = 1200.0, 84, 200
RARE = 0.5  # of repeats: a study that finds nothing is then the likelier one; chosen here
BANIK = "Banik & Miller 2004, J Neuro-Ophthalmol 24:290: bursts of a single unit, 3 to 8 Hz"
GUNES = "Gunes 2024, doi 10.7759/cureus.69249: none of 103 against 103; limit chosen here"
KIM = "Kim 2021 Korean J Health Promot 21:129: different in 72 against 197; limit chosen here"
NOT_COMPUTABLE = (
    ("V87", "whether closing the lid ends an episode", "no trial was found; in the model "
     "nine in ten and more fire on (docs/eyelid.md)"),
)  # fmt: skip


def lid_rows() -> list[Row]:
    """Return the rows of V84, V85 and V86."""
    return [*_pattern_rows(), _exam_row(), *_case_rows()]


def _pattern_rows() -> list[Row]:
    lid = facial.Lids([SomaConditions()], parameter("facial", "prone_tone_mv"))
    pattern = facial.measure_pattern(facial.run_unit(lid, WATCHED_S, seed=SEED), WATCHED_S)
    where = f"one prone motor neuron of the lid, {WATCHED_S / 60:g} min"
    return [
        Row(
            "V84", "rate within an episode", "Hz", where, 3.0, 8.0, pattern.rate_hz, "fitted", BANIK
        ),
        Row(
            "V84",
            "mean interval within an episode",
            "ms",
            where,
            100.0,
            200.0,
            1000.0 / pattern.rate_hz,
            "measured",
            f"{BANIK}: 100 to 200 ms between bursts",
        ),
        Row(
            "V84",
            "length of the longest tenth of episodes",
            "s",
            where,
            3600.0,
            INF,
            pattern.duration_s[2],
            "assumed",
            "clinical statements: seconds to hours; no counts",
        ),
    ]


def _exam_row() -> Row:
    """V85: 44 of 100 students; 95 % interval of Wilson."""
    return Row(
        "V85",
        "students whose lid twitches in the week before exams",
        "share",
        "20 000 people; how near to the edge they are is assumed",
        0.347,
        0.538,
        exam_week(seed=3)[1],
        "assumed",
        "Hadzic 2016, BJMMR 14(6):1-6: 44 of 100; Wilson interval",
    )


def _case_rows() -> list[Row]:
    """V86: how many repeats of a case-control study find each difference, P < .05."""
    ions = case_control(103, 103, repeats=REPEATS, seed=1)
    tired = case_control(72, 197, repeats=REPEATS, seed=2)
    rows: list[Row] = []
    for name in IONS:  # the share of potassium that arrives was chosen so
        grade = "fitted" if name.startswith("potassium") else "measured"
        quantity = f"studies of prone lids that find {name.removesuffix('_mmol_l')}"
        quantity = quantity.replace("_", " ")
        rows.append(
            Row("V86", quantity, "share", "103 against 103", 0.0, RARE, ions[name], grade, GUNES)
        )
    for name, words in (("sleep_debt_h", "short sleep"), ("tiredness", "tiredness")):
        quantity = f"studies of prone lids that find {words}"
        rows.append(
            Row("V86", quantity, "share", "72 against 197", RARE, 1.0, tired[name], "fitted", KIM)
        )
    return rows
