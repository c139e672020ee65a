"""The same people under several scenarios: a cohort that is kept in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError
from neurosim.simulation.cohort import count_in_memory
from neurosim.simulation.people import People
from neurosim.simulation.plan import HOUR_S, Plan
from neurosim.simulation.scenario import SCENARIO_FIELDS, Scenario, check_callback, load_scenarios
from neurosim.simulation.workers import check_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from neurosim.model.body.state import Body

COUNTS = ("twitches", "visible", "doublets", "active_units", "expected_per_min")


@public(also=SCENARIO_FIELDS)
def replicate(
    scenarios: Scenario | Body | str | Path | Sequence[Scenario | Body | str | Path],
    people: int = 200,
    *,
    cores: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    **changes: Any,
) -> People:
    """Run the same people under several scenarios.

    Parameters
    ----------
    scenarios : Scenario, Body, catalogue name or TOML file, or a sequence of them
        One alone is one scenario.
    people : int
        Numbered from 0 within the seed, 1 to 100 000.
    cores : int, optional
        Processes to use, 1 if omitted; the result does not depend on it.
    progress : callable, optional
        Called with (people done, people).
    **changes
        Scenario fields to change in all of them: `muscle`, `duration_s`, `seed`, `axon`.

    Returns
    -------
    People

    Raises
    ------
    NeurosimError
        For an unknown name, or a value that is not allowed.

    Examples
    --------
    >>> people = replicate(["low_calcium", "normal"], 3, duration_s=60, muscle="calf")
    >>> people.twitches.shape
    (2, 3)
    """
    check_callback("progress", progress)
    states = tuple(s.replace(**changes, people=people) for s in load_scenarios(scenarios))
    if len({(s.duration_s, s.muscle, s.seed) for s in states}) != 1:
        raise NeurosimError("Scenarios compared must share duration_s, muscle and seed.")
    first = states[0]
    plan = Plan(states, states, first.people, first.duration_s / HOUR_S, first.seed)
    cohort = count_in_memory(plan, check_cores(cores), progress)
    rows = np.concatenate([part["rows"] for part in cohort.parts()])
    counts = (np.ascontiguousarray(rows[name].T) for name in COUNTS)
    return People(states, *counts, parameters=cohort.parameters)
