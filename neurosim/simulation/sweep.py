"""One field of the body changed step by step, in the same people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, clip_name, finite_number, short_repr
from neurosim.base.viewable import Viewable
from neurosim.model.body.state import Body
from neurosim.simulation.replicate import replicate
from neurosim.simulation.scenario import SCENARIO_FIELDS, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from neurosim.base.parameters import Key
    from neurosim.simulation.people import People

MAX_STEPS = 1000
PEOPLE = 20


@dataclass(frozen=True, repr=False)
class Sweep(Viewable):
    """How often the same people twitch while one field of the body changes step by step.

    Attributes
    ----------
    scenario : Scenario
        Muscle, duration, people, seed and axon; its body is healthy.
    field : str
        The field, as it was asked for: in any of its units.
    values : tuple of float
        Its steps.
    people : People
        A row for each step.
    """

    scenario: Scenario
    field: str
    values: tuple[float, ...]
    people: People

    @property
    def parameters(self) -> frozenset[Key]:  # pyright: ignore[reportIncompatibleVariableOverride] its people have them
        """Group and name of every parameter that was read."""
        return self.people.parameters


@public(also=SCENARIO_FIELDS)
def sweep(
    field: str,
    steps: str | Iterable[float],
    *,
    people: int = PEOPLE,
    cores: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    **changes: Any,
) -> Sweep:
    """Change one field of a healthy body step by step.

    Parameters
    ----------
    field : str
        A field of `Body`, in any of its units, such as ``"ionised_calcium_mmol_l"``.
    steps : str or sequence of float
        ``"START:STOP:N"`` such as ``"0.7:1.3:7"``, or the values themselves.
    people : int
        The same at every step.
    cores : int, optional
        Processes to use, 1 if omitted; the result does not depend on it.
    progress : callable, optional
        Called with (people done, people).
    **changes
        Scenario fields to change: `muscle`, `duration_s`, `seed`, `axon`.

    Returns
    -------
    Sweep

    Raises
    ------
    NeurosimError
        For an unknown field, steps that are none, or a value that is not allowed.

    Examples
    --------
    >>> calcium = sweep("ionised_calcium_mmol_l", [0.8, 1.2], people=2, duration_s=60)
    >>> calcium.people.twitches.shape
    (2, 2)
    """
    base = sweep_scenario(people=people, **changes)
    values = parse_steps(steps)
    scenarios = step_scenarios(base, field, values)
    counted = replicate(scenarios, base.people, cores=cores, progress=progress)
    return Sweep(base, field, values, counted)


def sweep_scenario(**changes: Any) -> Scenario:
    """Return the scenario that all steps of a sweep share."""
    return Scenario(name="sweep", people=PEOPLE).replace(**changes)


def step_scenarios(base: Scenario, field: str, values: Iterable[float]) -> list[Scenario]:
    """Return the scenario of every step.

    Raises
    ------
    NeurosimError
        For a field that is none, or a value that nobody survives.
    """
    if not isinstance(field, str):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise NeurosimError(
            f"field must be the name of a field of the body, not {short_repr(field)}."
        )
    return [base.replace(name=f"{field}={v:g}", body=Body.from_values({field: v})) for v in values]


def parse_steps(steps: str | Iterable[float]) -> tuple[float, ...]:
    """Return the values of ``"START:STOP:N"``, or of a sequence of numbers.

    Raises
    ------
    NeurosimError
        If it is neither, or has more than `MAX_STEPS` values.
    """
    if isinstance(steps, str):
        return _parse_range(steps)
    try:
        values = tuple(finite_number("a step", v) for v in steps)
    except TypeError:
        raise NeurosimError(
            "steps must be START:STOP:N, such as '0.7:1.3:7', or a sequence of numbers, not "
            f"{short_repr(steps)}."
        ) from None
    if not 1 <= len(values) <= MAX_STEPS:
        raise NeurosimError(f"steps must be 1 to {MAX_STEPS} numbers, not {len(values)}.")
    return values


def _parse_range(text: str) -> tuple[float, ...]:
    parts = text.split(":")
    if len(parts) != 3:
        raise NeurosimError(
            f"The steps must be START:STOP:N, such as 0.7:1.3:7, not '{clip_name(text)}'."
        )
    start, stop = (finite_number(n, p) for n, p in zip(("START", "STOP"), parts[:2], strict=True))
    finite_number("N", parts[2])
    try:
        count = int(parts[2])
    except ValueError:
        count = 0
    if not 2 <= count <= MAX_STEPS:
        raise NeurosimError(
            f"N = {clip_name(parts[2])} must be a whole number from 2 to {MAX_STEPS}."
        )
    values = (start + (stop - start) * i / (count - 1) for i in range(count))
    return tuple(float(f"{v:.10g}") for v in values)
