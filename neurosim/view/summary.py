"""Results in words: the lines that `print` shows, and the text of the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError, short_repr
from neurosim.view.describe_body import (
    body_words,
    contribution_words,
    margin_words,
    person_words,
    root_words,
    threshold_words,
)
from neurosim.view.describe_firing import firing_words, twitch_words
from neurosim.view.describe_ratio import comparison_words, healthy_partner, is_healthy
from neurosim.view.parameter_use import assumption_words
from neurosim.view.style import (
    ADVICE,
    format_signed,
    label_number,
    muscle_words,
    pluralize,
    time_words,
)
from neurosim.view.terms import explain_terms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neurosim.simulation.people import People
    from neurosim.simulation.result import Result


def describe(result: Result, against: Result | None = None, people: People | None = None) -> str:
    """Return one result in about ten lines of plain words.

    Parameters
    ----------
    result : Result
    against : Result, optional
        The same person under another scenario; health if omitted.
    people : People, optional
        Many people under both scenarios, the changed one first.

    Raises
    ------
    NeurosimError
        If an argument is of another kind.
    """
    check_results(result, against, people)
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
        *comparison_words(result, against, people),
        assumption_words(result.parameters),
        ADVICE,
    ]
    return explain_terms("\n".join(lines))


def check_results(result: object, against: object = None, people: object = None) -> None:
    """Raise a `NeurosimError` unless these are a result, another one or none, and people or none.

    Examples
    --------
    >>> check_results("low_calcium")
    Traceback (most recent call last):
        ...
    neurosim.base.errors.NeurosimError: result = 'low_calcium' is not a result of simulate().
    """
    from neurosim.simulation.people import People
    from neurosim.simulation.result import Result

    for name, value in (("result", result), ("against", against)):
        if not isinstance(value, Result) and (value is not None or name == "result"):
            raise NeurosimError(f"{name} = {short_repr(value)} is not a result of simulate().")
    if people is not None and not isinstance(people, People):
        raise NeurosimError(f"people = {short_repr(people)} is not a result of replicate().")


def headline(result: Result) -> str:
    """Return what a result is of, in one line."""
    s, n = result.scenario, len(result.twitches)
    return (
        f"{s.name}, {muscle_words(s.muscle)}, {time_words(s.duration_s)}, "
        f"person {result.person} of seed {s.seed}, {pluralize(n, 'twitch')}"
    )


def describe_sweep(label: str, values: Iterable[float], per_min: np.ndarray) -> str:
    """Return a sweep in words: the mean rate at each value.

    Parameters
    ----------
    label : str
        What is swept; after a comma its unit.
    values : iterable of float, shape (n,)
    per_min : ndarray, shape (n, people)
        Twitches per minute.
    """
    name, _, unit = label.partition(", ")
    unit = "" if unit in ("", "no unit") else f" {unit}"
    lines = [
        f"{name} {value:.4g}{unit}: {label_number(float(rates.mean()))} twitches per minute on "
        f"average, {int((rates > 0).sum())} of {rates.size} people twitched."
        for value, rates in zip(values, per_min, strict=True)
    ]
    return "\n".join([*lines, ADVICE])


def describe_soma(trace: Any, neuron: int = 0) -> str:
    """Return the trace of a motor neuron's cell body in words: spikes, thresholds, how near.

    Parameters
    ----------
    trace : SomaTrace
    neuron : int
        Which of the neurons.
    """
    potential, threshold = trace.potential_mv[neuron], trace.threshold_mv[neuron]
    nearest = float((threshold - potential).min())
    if nearest > 0:
        distance = f"never nearer than {nearest:.1f} mV to the threshold"
    else:
        distance = "it reaches the threshold"
    lines = [
        f"Cell body of a motor neuron, {trace.time_ms[-1] - trace.time_ms[0]:.4g} ms: "
        f"{pluralize(trace.spikes[neuron].size, 'spike')}.",
        f"Threshold: {format_signed(trace.threshold_baseline_mv)} mV in health, "
        f"{format_signed(trace.threshold_electrolyte_mv)} mV by the ions; "
        f"recent spikes raise it to at most {format_signed(float(threshold.max()))} mV.",
        f"Potential: {format_signed(float(np.median(potential)))} mV in the middle; {distance}.",
        ADVICE,
    ]
    return "\n".join(lines)
