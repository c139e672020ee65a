"""What a game and a teacher's key leave in a folder: a table, its origin, and the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosim.classroom.mystery import key_phrases, phrases
from neurosim.simulation.provenance import versions
from neurosim.view import export
from neurosim.view.style import ADVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.classroom.mystery.desk import Mystery
    from neurosim.classroom.mystery.game import Game
    from neurosim.classroom.mystery.key import TeacherKey

# Groups of parameters that no patient rests on, whatever the hidden cause.


def _provenance(**more: Any) -> dict[str, Any]:
    return {"simulated": True, "versions": versions(), **more, "advice": ADVICE}


def game_files(game: Game, messages: Sequence[str]) -> dict[str, Any]:
    """Return the files of a game: what was ordered, what it showed, and the messages in order."""
    proposals = [
        {
            "cause": o.cause,
            "remedy": o.remedy,
            "right": o.is_right,
            "mends": o.mends_cause,
            "before_per_min": o.before,
            "after_per_min": o.after,
            "score": o.score,
        }
        for o in game.outcomes
    ]
    about = _provenance(
        patient=game.seed,
        cost_points=game.cost,
        proposals=proposals,
        told=game.is_revealed,
        note="findings carry the noise of their tests",
    )
    files = export.table_files("mystery", _findings_table(game), about)
    return files | {"mystery.txt": export.text_bytes("\n".join(messages))}


def _findings_table(game: Game) -> dict[str, list[Any]]:
    rows = phrases.report_rows(game.seed, game.reports)
    empty = [{"patient": game.seed, "order": 0, "test": "nothing ordered"}]
    return export.to_columns(rows or empty)


def mystery_files(mystery: Mystery) -> dict[str, Any]:
    """Return the files of a game in a notebook: its reports, then its outcomes, in words."""
    game = mystery.game
    messages = [phrases.patient_words(game), *map(phrases.report_words, game.reports)]
    messages += ["\n".join(phrases.outcome_lines(outcome)) for outcome in game.outcomes]
    return game_files(game, messages)


def mystery_table(mystery: Mystery) -> dict[str, list[Any]]:
    """Return a row for each finding of the tests that were ordered."""
    return _findings_table(mystery.game)


def key_files(key: TeacherKey) -> dict[str, Any]:
    """Return the files of a key: a row for each patient, and everything in words."""
    about = _provenance(patients=[p.case.seed for p in key.patients], note="for the teacher")
    text = "\n\n".join(key_phrases.patient_key_words(p) for p in key.patients)
    files = export.table_files("key", export.to_columns(key_phrases.key_rows(key)), about)
    return files | {"key.txt": export.text_bytes(text)}
