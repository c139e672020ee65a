"""Run one person under one scenario, and many people beside them if that is wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neurosim.base.calls import public
from neurosim.base.parameters import keep_reads
from neurosim.model.body.remedies import remedy as find_remedy
from neurosim.model.firing.sites import TYPICAL_PERSON
from neurosim.simulation.person_run import run_one
from neurosim.simulation.replicate import replicate
from neurosim.simulation.scenario import (
    SCENARIO_FIELDS,
    Scenario,
    apply_remedy,
    check_callback,
    check_person,
    comparison_scenario,
    load_scenario,
)
from neurosim.simulation.workers import check_cores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from neurosim.model.body.state import Body
    from neurosim.simulation.result import Result


@public(also=SCENARIO_FIELDS)
@keep_reads
def simulate(
    what: Body | Scenario | str | Path | None = None,
    *,
    against: Body | Scenario | str | Path | None = None,
    remedy: str | None = None,
    people: int | None = None,
    person: int = TYPICAL_PERSON,
    cores: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    **changes: Any,
) -> Result:
    """Run the whole chain for one person and return every intermediate.

    Parameters
    ----------
    what : Body, Scenario, catalogue name or TOML file
        A healthy body if omitted.
    against : Body, Scenario, catalogue name or TOML file, optional
        What to compare with, in the same person, muscle and time. Without it a changed body is
        compared with health as the result is printed, drawn or saved.
    remedy : str, optional
        A remedy tried on that body (`neurosim.model.body.remedies`), such as ``"calm"``; compared
        with the same body without it, unless `against` says otherwise.
    people : int, optional
        How many people are counted beside, in both scenarios; as many as the scenario says if
        omitted, which is 1 (nobody beside) unless set.
    person : int
        Which of the seed's people, from 0; by default a typical one of seed 1.
    cores : int, optional
        Processes that count the people, 1 if omitted; the result does not depend on it.
    progress : callable, optional
        Called with (people done, people).
    **changes
        Scenario fields to change: `muscle`, `duration_s` or `duration` (``"24 h"``), `seed`,
        `axon`, `root`, `body`, `course`.

    Returns
    -------
    Result

    Raises
    ------
    NeurosimError
        For an unknown name or a value that is not allowed.

    Examples
    --------
    >>> result = simulate("low_calcium", duration_s=60, seed=1)
    >>> result.scenario.muscle
    'foot_sole'
    """
    scenario = load_scenario("normal" if what is None else what).replace(**changes)
    if people is not None:
        scenario = scenario.replace(people=people)
    check_callback("progress", progress)
    person, cores, idle_remedy = check_person(person), check_cores(cores), ""
    if remedy is not None:
        untreated, scenario = scenario, apply_remedy(scenario, remedy)
        if scenario is untreated:
            idle_remedy = find_remedy(remedy).label
        elif against is None:
            against = untreated
    other = None
    if against is not None or scenario.people > 1:
        other = comparison_scenario(scenario, against)
    pair = [s for s in (scenario, other) if s is not None]
    result, *others = (run_one(s, person) for s in pair)
    compared = None
    if scenario.people > 1:
        compared = replicate(pair, scenario.people, cores=cores, progress=progress)
    return replace(
        result, against=others[0] if others else None, compared=compared, idle_remedy=idle_remedy
    )


run = simulate  # under the name of the command
