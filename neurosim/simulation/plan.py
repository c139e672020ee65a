"""What a cohort is to do: people, scenarios, hours, and the chunks they are split into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base import parameters
from neurosim.base.errors import NeurosimError, number_within, unknown_name
from neurosim.base.parameters import parameter
from neurosim.model.body.state import Body
from neurosim.model.firing.discharge import ORIGINS
from neurosim.model.muscle.anatomy import MUSCLES, muscle_name
from neurosim.simulation import provenance
from neurosim.simulation.scenario import Scenario, check_whole, load_scenario, load_scenarios
from neurosim.simulation.signs import gets_worse, persists, spreads
from neurosim.simulation.state import body_trajectory
from neurosim.simulation.tally import bin_count

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PEOPLE, MAX_HOURS = 1_000_000, 8784.0
FORMATS = ("csv", "parquet")
HOUR_S, WEEK_H = 3600.0, 168
COUNTS = ("twitches", "visible", "doublets", "spasms", "discharges")  # by hour
HOURLY = ("people_twitching", *COUNTS)
COHORT_SIGNS = {"persists": persists, "spreads": spreads, "gets_worse": gets_worse}
UNKNOWN = -1  # of a sign that so short a time cannot tell
# What a part keeps of one person in one state (a scenario in a muscle).
ROW = np.dtype(
    [
        ("person", np.int64),
        *((n, np.int64) for n in COUNTS),
        ("active_units", np.int64),
        ("expected_per_min", float),
        *((f"{o}_twitches", np.int64) for o in ORIGINS),
        *((sign, np.int8) for sign in COHORT_SIGNS),
    ]
)
MAX_ROWS = 200_000_000  # of a table
ROW_BYTES = 160  # of people.csv; a row of hours.csv has less


@dataclass(frozen=True)
class Plan:
    """What a cohort is asked; `plan` makes one.

    Attributes
    ----------
    scenarios : tuple of Scenario
        Health first; each with the duration and the seed of all.
    states : tuple of Scenario
        Every scenario in every muscle that is counted: the rows of a person.
    people : int
    hours : float
    seed : int
    format : str
        Of the tables, one of `FORMATS`.
    """

    scenarios: tuple[Scenario, ...]
    states: tuple[Scenario, ...]
    people: int
    hours: float
    seed: int
    format: str = "csv"

    @property
    def bins(self) -> int:
        """Hours of the table by hours; the last may be shorter."""
        return bin_count(self.hours * HOUR_S, HOUR_S)

    @property
    def healthy(self) -> dict[str, int]:
        """Index into `states` of health, by muscle."""
        name = self.scenarios[0].name
        return {s.muscle: i for i, s in enumerate(self.states) if s.name == name}

    def settings(self) -> dict[str, Any]:
        """Return everything that determines the result, as plain values."""
        overrides = {".".join(key): value for key, value in parameters.overrides().items()}
        return {
            "people": self.people,
            "hours": self.hours,
            "seed": self.seed,
            "format": self.format,
            "states": [f"{s.name} in the {s.muscle}" for s in self.states],
            "scenarios": {s.name: s.to_mapping() for s in self.scenarios},
            "exchanged": dict(sorted(overrides.items())),
            "made_by": provenance.build_info(),
        }


def make_plan(
    scenarios: Sequence[Scenario | str] | Scenario | str = "normal",
    people: int = 100,
    hours: float = 24.0,
    seed: int = 1,
    muscle: str | None = None,
    format: str = "csv",
) -> Plan:
    """Return what a cohort is asked, everything checked.

    Parameters
    ----------
    scenarios : one or a sequence of Scenario, catalogue names or TOML files
        Health (`normal`) is added in front. A course is kept, whatever the hours.
    people : int
        Numbered from 0 within the seed, 1 to 1 000 000.
    hours : float
        Simulated time, h, up to a year.
    seed : int
        Same seed, same people and twitches.
    muscle : str, optional
        ``"all"`` or one muscle for all scenarios; else each has its own and health has
        those of all.
    format : str
        Of the tables, one of `FORMATS`.

    Raises
    ------
    NeurosimError
        For an unknown name, a scenario given twice, or a value that is not allowed.
    """
    hours = number_within("hours", hours, 1.0 / HOUR_S, MAX_HOURS, "h")
    people = check_whole("people", people, 1, MAX_PEOPLE)
    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    _require_pyarrow(format)
    several = _add_health(list(load_scenarios(scenarios)))
    several = [s.replace(duration_s=hours * HOUR_S, seed=seed, people=1) for s in several]
    for s in several:
        if s.course is not None:
            body_trajectory(s)  # a body that cannot be survived is told now
    states = [s.replace(muscle=m) for s in several for m in _scenario_muscles(s, several, muscle)]
    plan = Plan(tuple(several), tuple(states), people, hours, several[0].seed, format)
    _check_tables_fit(plan)
    return plan


def _add_health(scenarios: list[Scenario]) -> list[Scenario]:
    """Return the scenarios with health in front.

    Raises
    ------
    NeurosimError
        If two have the same name, `normal` is not health, or they have different axons.
    """
    names = [s.name for s in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise NeurosimError(f"The scenario '{name}' is given twice.")
    ill = [s for s in scenarios if s.name != "normal"]
    healthy = next((s for s in scenarios if s.name == "normal"), load_scenario("normal"))
    if healthy.body != Body() or healthy.course is not None:
        raise NeurosimError(
            "The scenario 'normal' must be a healthy body, with which all are compared: give "
            "yours another name."
        )
    axons = {s.axon: s.name for s in ill}
    if len(axons) > 1:
        one, two, *_ = axons
        raise NeurosimError(
            f"People are compared with one axon each: '{axons[one]}' has the axon {one}, "
            f"'{axons[two]}' {two}."
        )
    return [healthy.replace(axon=next(iter(axons), healthy.axon)), *ill]


def _scenario_muscles(
    scenario: Scenario, scenarios: Sequence[Scenario], name: str | None
) -> list[str]:
    """Return the muscles in which a scenario is counted."""
    if name is not None:
        return list(MUSCLES) if name == "all" else [muscle_name(name)]
    if scenario is scenarios[0] and len(scenarios) > 1:
        return list(dict.fromkeys(s.muscle for s in scenarios[1:]))
    return [scenario.muscle]


def _check_tables_fit(plan: Plan) -> None:
    n = len(plan.states)
    rows = {"people": plan.people * n, "hours": plan.bins * n}
    for name, count in rows.items():
        if count > MAX_ROWS:
            fewer = "people" if name == "people" else "hours"
            raise NeurosimError(
                f"{name}.{plan.format} would have {count:.2g} rows (about "
                f"{count * ROW_BYTES / 1e9:.0f} GB), more than {MAX_ROWS:.0e}: choose fewer "
                f"{fewer}, scenarios or muscles."
            )


def least_weeks(sign: str) -> float:
    """Return how many weeks a sign of the article needs to be told at all."""
    two_ends = parameter("alarms", "baseline_weeks") + parameter("alarms", "recent_weeks")
    return max(two_ends, parameter("alarms", "persist_weeks")) if sign == "persists" else two_ends


def _require_pyarrow(format: str) -> None:
    """Refuse Parquet without its package.

    Raises
    ------
    NeurosimError
        It says what to install.
    """
    from importlib.util import find_spec

    if format == "parquet" and find_spec("pyarrow") is None:
        raise NeurosimError(
            "Parquet needs pyarrow: install it with: pip install 'neurosim[cohort]', or choose "
            "--format csv."
        )


def chunks(people: int, chunk: int) -> list[tuple[int, int]]:
    """Return (first, stop) of the people of each part."""
    return [(first, min(first + chunk, people)) for first in range(0, people, chunk)]
