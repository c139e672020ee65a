"""The clinic's two tools on a person: the nerve-excitability test, and the fit of a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, finite_number, short_repr
from neurosim.base.parameters import Key, keep_reads
from neurosim.base.viewable import Viewable
from neurosim.clinic.excitability import Excitability, examine
from neurosim.clinic.fit import Fit, NerveRecord, fit_record
from neurosim.clinic.record import read_record
from neurosim.model.axon.axon import Conditions, axon_parameters
from neurosim.model.axon.changes import (
    CHANGES,
    apply_changes,
    check_changes,
    named_condition,
)
from neurosim.model.axon.people import Scores, axon_of_person
from neurosim.model.body.state import Body
from neurosim.model.firing.sites import person_scores
from neurosim.simulation.scenario import LONGEST, Scenario, check_person, load_scenario
from neurosim.simulation.state import tissue_state


@dataclass(frozen=True, repr=False, kw_only=True)
class Examination(Viewable, Excitability):
    """The nerve-excitability test of one axon in one body, beside the same axon in health.

    It holds everything that an `Excitability` does, and what was examined.

    Attributes
    ----------
    scenario : Scenario
        The body; its `title` says in words what was examined.
    condition : str or None
        Named condition of the axon.
    changes : dict of str to float
        Every change of the axon beside the body's, by the names of `CHANGES`.
    conditions : Conditions
        The axon's surroundings and membrane after all of it.
    person : int or None
        Number of the person within the seed; None is the mean axon.
    healthy : Excitability
        The same axon in health.
    parameters : frozenset of (str, str)
        Group and name of every parameter that was read.
    """

    scenario: Scenario
    condition: str | None
    changes: dict[str, float]
    conditions: Conditions
    person: int | None
    healthy: Excitability
    parameters: frozenset[Key] = frozenset()

    @property
    def title(self) -> str:
        """What was examined, in words."""
        return self.scenario.title

    @property
    def axon(self) -> str:
        """Name of the axon's fitted parameters."""
        return self.scenario.axon

    @property
    def scores(self) -> Scores:
        """Scores of the person's axon; none for the mean axon."""
        return () if self.person is None else person_scores(self.scenario.seed, self.person)

    @property
    def is_healthy(self) -> bool:
        """Whether nothing about the axon is changed."""
        return self.conditions == Conditions()


@public
@keep_reads
def excitability(
    what: Body | Scenario | Conditions | str | Path | None = None,
    *,
    condition: str | None = None,
    change: Mapping[str, float] | None = None,
    person: int | None = None,
    axon: str | None = None,
    seed: int | None = None,
) -> Examination:
    """Run the clinic's nerve-excitability test on an axon, as the command of that name does.

    Parameters
    ----------
    what : Body, Scenario, catalogue name, TOML file or Conditions, optional
        Where the axon lies: a healthy body if omitted; of a body that changes, its start;
        `Conditions` are the axon's surroundings themselves.
    condition : str, optional
        A named condition of the axon, such as ``"ischaemia"``.
    change : mapping of str to float, optional
        More changes of the axon, such as ``{"persistent_sodium_scale": 2}``; these have the last
        word.
    person : int, optional
        Whose axon, from 0 within the seed; by default the mean of healthy people.
    axon : str, optional
        ``"ghk"``, ``"ohmic"`` or ``"alternative"``; by default the scenario's, mostly ``"ghk"``.
    seed : int, optional
        Whose people; by default the scenario's, mostly 1.

    Returns
    -------
    Examination
        An axon that cannot be tested is no mistake: its measures are NaN.

    Raises
    ------
    NeurosimError
        For an unknown name or a value that is not allowed.

    Examples
    --------
    >>> high = excitability(Body(potassium_mmol_l=6))
    >>> round(high.measures["superexcitability_percent"], 1)
    -9.3
    """
    scenario, start = _load_axon(what, {"axon": axon, "seed": seed})
    if person is not None:
        person = check_person(person)
    changes_named = _check_change(change)
    preset = {} if condition is None else dict(named_condition(condition).changes)
    title = _describe_examined(what, scenario, condition, changes_named)
    if person is not None:
        title = f"{title} (person {person} of seed {scenario.seed})"
    name = scenario.name if isinstance(what, Scenario | str | Path) else "excitability"
    scenario = scenario.replace(name=name, title=title)
    scores = () if person is None else person_scores(scenario.seed, person)
    person_axon = axon_of_person(scenario.axon, scores)
    conditions = apply_changes({**preset, **changes_named}, start, person_axon)
    healthy = examine(Conditions(), person_axon)
    changed = conditions != Conditions()
    test = examine(conditions, person_axon) if changed else healthy
    return Examination(
        **vars(test),
        scenario=scenario,
        condition=condition,
        changes={**preset, **changes_named},
        conditions=conditions,
        person=person,
        healthy=healthy,
    )


def _load_axon(what: object, fields: Mapping[str, object]) -> tuple[Scenario, Conditions]:
    """Return the scenario with the `fields` that are given, and the axon's conditions in it."""
    fields = {name: value for name, value in fields.items() if value is not None}
    if isinstance(what, Conditions):
        for name, value in vars(what).items():
            finite_number(name, value)
        return Scenario().replace(**fields), what
    if what is not None and not isinstance(what, Body | Scenario | str | Path):
        raise NeurosimError(
            "what must be a Body, a Scenario, Conditions, a scenario's name or a TOML file, not "
            f"{short_repr(what)}."
        )
    scenario = load_scenario("normal" if what is None else what).replace(**fields)
    if scenario.course is None:
        return scenario, tissue_state(scenario).axon
    _, bodies = scenario.course.knots(scenario.body, scenario.duration_s / 3600.0)
    return scenario, tissue_state(scenario.replace(body=bodies[0])).axon


def _check_change(change: object) -> dict[str, float]:
    if change is None:
        return {}
    if not isinstance(change, Mapping):
        raise NeurosimError(
            "change must be names with values, such as {'persistent_sodium_scale': 2}, not "
            f"{short_repr(change)}."
        )
    return check_changes(cast("Mapping[str, Any]", change))


def _describe_examined(
    what: object, scenario: Scenario, condition: str | None, change: Mapping[str, float]
) -> str:
    """Return what is examined, in words: the named condition, the body and every other change."""
    parts = [] if condition is None else [named_condition(condition).title]
    if isinstance(what, Body | Conditions):
        healthy = vars(type(what)())
        parts += [f"{name} = {v:g}" for name, v in vars(what).items() if v != healthy[name]]
    elif scenario.body != Body() or scenario.course is not None:
        parts.append(scenario.title)
    for name, value in change.items():
        c = CHANGES[name]
        amount = f"times {value:g}" if c.is_factor else f"{value:g} {c.unit}".strip()
        parts.append(f"{c.label.split(',')[0]} {amount}")
    title = ", ".join(parts) or "health"
    longest = LONGEST["title"] - 50  # leaves room for the person
    return title if len(title) <= longest else f"{title[:longest]}..."


@public
def fit(record: str | Path | NerveRecord | Excitability, *, axon: str = "ghk") -> Fit:
    """Tell which parameters of the axon moved in one person's nerve-excitability record.

    Parameters
    ----------
    record : path, NerveRecord or Excitability
        A MEM file or a CSV table of curves, a record that was read, or what `excitability`
        returned.
    axon : str
        The healthy axon to start from: ``"ghk"``, ``"ohmic"`` or ``"alternative"``.

    Returns
    -------
    Fit

    Raises
    ------
    NeurosimError
        If the record cannot be read, or too little of it can be compared.

    Examples
    --------
    >>> fit(excitability(change={"leak_scale": 2})).singles[0].name
    'leak_scale'
    """
    axon_parameters(axon)
    if isinstance(record, Examination):
        record = NerveRecord.from_excitability(
            record, record.conditions.temperature_c, record.title
        )
    elif isinstance(record, Excitability):
        record = NerveRecord.from_excitability(record)
    elif isinstance(record, str | Path):
        record = read_record(record)
    elif not isinstance(record, NerveRecord):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise NeurosimError(
            "record must be a MEM or CSV file, a NerveRecord or what excitability() returned, not "
            f"{short_repr(record)}."
        )
    return fit_record(record, axon)
