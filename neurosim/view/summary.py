"""A result in words: the lines that `print` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.view.style import (
    ADVICE,
    muscle_words,
    pluralize,
    time_words,
)

if TYPE_CHECKING:
    from neurosim.simulation.people import People
    from neurosim.simulation.result import Result
from neurosim.view.describe import (
    assumption_words,
    body_words,
    comparison_words,
    contribution_words,
    firing_words,
    healthy_partner,
    is_healthy,
    margin_words,
    person_words,
    root_words,
    threshold_words,
    twitch_words,
)


def describe(result: Result, against: Result | None = None, people: People | None = None) -> str:
    """Return one result in about ten lines of plain words.

    Parameters
    ----------
    result : Result
    against : Result, optional
        The same person under another scenario; health if omitted.
    people : People, optional
        Many people under both scenarios, the changed one first.
    """
    if against is None and not is_healthy(result):
        against = healthy_partner(result)
    s = result.scenario
    if s.course is not None:
        from neurosim.view.course import describe_course

        return describe_course(result, against, people)
    lines = [
        f"{s.title}: {muscle_words(s.muscle)}, {time_words(s.duration_s)}, "
        f"person {result.person} of seed {s.seed}.",
        person_words(s.axon, result.sites.scores),
        body_words(s.body),
        contribution_words(result),
        *root_words(s),
        threshold_words(result.excitability, result.healthy),
        margin_words(result),
        firing_words(result),
        twitch_words(result),
    ]
    lines += comparison_words(result, against, people)
    lines += [assumption_words(s.axon, s.muscle, s.body), ADVICE]
    return "\n".join(lines)


def headline(result: Result) -> str:
    """Return what a result is of, in one line."""
    s, n = result.scenario, len(result.twitches)
    return (
        f"{s.name}, {muscle_words(s.muscle)}, {time_words(s.duration_s)}, "
        f"person {result.person} of seed {s.seed}, {pluralize(n, 'twitch')}"
    )
