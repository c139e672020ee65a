"""Where every number of the model comes from.

Each group of parameters is a TOML file beside the code that uses it. An entry has a value, a
unit, a range, a grade and a source, and the file's ``[references]`` says what each source
is; `neurosim sources` prints them all.

Grades
------
measured
    Read from a publication about the thing itself.
fitted
    Found by a fit on published targets or on direct simulation, as the source tells; a script in
    ``scripts/`` fits it again.
assumed
    Nobody has measured it, or the source could not be read again.
"""

from __future__ import annotations

import math
import tomllib
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache, wraps
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from neurosim.base.errors import NeurosimError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence, Set

GRADES = ("measured", "fitted", "assumed")
FILES = {
    "body": "model/body/parameters.toml",
    "course": "model/body/course.toml",
    "membrane": "model/axon/parameters.toml",
    "conditions": "model/axon/conditions.toml",
    "soma": "model/soma/soma.toml",
    "pool": "model/soma/pool.toml",
    "facial": "model/soma/facial.toml",
    "axon_ghk": "model/axon/axon_ghk.toml",
    "axon_ohmic": "model/axon/axon_ohmic.toml",
    "axon_alternative": "model/axon/axon_alternative.toml",
    "ensemble": "model/axon/ensemble.toml",
    "people": "model/axon/people.toml",
    "fit": "clinic/fit.toml",
    "chain": "model/axon/chain.toml",
    "ephapse": "model/axon/ephapse.toml",
    "firing": "model/firing/parameters.toml",
    "hazard": "model/firing/hazard.toml",
    "bursts": "model/firing/bursts.toml",
    "isaacs": "model/firing/isaacs.toml",
    "muscle": "model/muscle/parameters.toml",
    "anatomy": "model/muscle/anatomy.toml",
    "emg": "clinic/emg.toml",
    "detect": "clinic/detect.toml",
    "junction": "model/muscle/junction.toml",
    "study": "simulation/parameters.toml",
    "alarms": "simulation/alarms.toml",
}
# An application that is deleted takes its parameters with it.
for _group, _path in (
    ("mystery", "classroom/mystery/mystery.toml"),
    ("fatigue", "validation/fatigue.toml"),
    ("variation", "validation/variation.toml"),
):
    if resources.files("neurosim").joinpath(_path.split("/")[0], "__init__.py").is_file():
        FILES[_group] = _path
P = ParamSpec("P")
R = TypeVar("R")
Key = tuple[str, str]  # group and name of a parameter


@dataclass(frozen=True)
class Value:
    """One parameter of the model.

    Attributes
    ----------
    name : str
        Name within its group.
    value : float
        The number used.
    unit : str
        Unit; ``"1"`` for a pure number.
    low, high : float
        Range that the source supports, or over which a sensitivity is run; NaN if unknown.
    grade : str
        ``measured``, ``fitted`` or ``assumed``.
    source : str
        Key of `references()`.
    note : str
        One sentence where the number needs it.
    along : sequence of float
        Of a spread between people: its share of each score, a unit vector.
    """

    name: str
    value: float
    unit: str
    grade: str
    source: str
    low: float = math.nan
    high: float = math.nan
    note: str = ""
    along: Sequence[float] = ()

    def __post_init__(self) -> None:
        if self.grade not in GRADES:
            raise unknown_name("grade", self.grade, GRADES)

    def __float__(self) -> float:
        return float(self.value)


def read_toml(path: str) -> dict[str, Any]:
    """Return the TOML file at `path` inside the package."""
    return tomllib.loads(resources.files("neurosim").joinpath(path).read_text("utf-8"))


@cache
def load_group(group: str) -> Mapping[str, Value]:
    """Return every parameter of one group by name.

    Nested tables become dotted names: ``[calf.units]`` is ``"calf.units"``.

    Raises
    ------
    NeurosimError
        If there is no such group.
    """
    if group not in FILES:
        raise unknown_name("group of parameters", group, FILES)
    values: dict[str, Value] = {}

    def walk(table: Mapping[str, Any], prefix: str) -> None:
        inner = {k: cast("Mapping[str, Any]", v) for k, v in table.items() if isinstance(v, dict)}
        for key, entry in inner.items():
            name = f"{prefix}{key}"
            if "value" in entry and "grade" in entry:
                values[name] = Value(name=name, **entry)
            else:
                walk(entry, name + ".")

    walk(read_toml(FILES[group]), "")
    return values


_NO_OVERRIDES: Mapping[Key, float] = MappingProxyType({})
_overrides: ContextVar[Mapping[Key, float]] = ContextVar("overrides", default=_NO_OVERRIDES)


class Reads(set[Key]):
    """(group, name) of the parameters read inside a `track_reads` block; whole at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.shared: set[frozenset[Key]] = set()  # of cached values, joined at the block's end


_trackers: ContextVar[tuple[Reads, ...]] = ContextVar("trackers", default=())


def parameter(group: str, name: str) -> float:
    """Return one parameter as a float: its value in the group's file, or the active override.

    Parameters
    ----------
    group : str
        One of `FILES`, such as ``"firing"``.
    name : str
        Name within the group.

    Returns
    -------
    float
        In the unit of its `Value`.

    Raises
    ------
    NeurosimError
        If there is no such parameter.

    Examples
    --------
    >>> with override("firing", "noise_channels", 500.0):
    ...     parameter("firing", "noise_channels")
    500.0
    """
    key, nominal = (group, name), _nominal(group, name)
    for reads in _trackers.get():
        reads.add(key)
    return _overrides.get().get(key, nominal)


def _nominal(group: str, name: str) -> float:
    values = load_group(group)
    if name not in values:
        raise unknown_name(f"parameter of {group}", name, values)
    return float(values[name].value)


@contextmanager
def track_reads(*, alone: bool = False) -> Generator[Reads, None, None]:
    """Record (group, name) of every parameter read inside a ``with`` block, in this thread.

    Those behind cached values are among them, whether a value was computed or served. The set is
    whole when the block ends.

    Parameters
    ----------
    alone : bool
        Whether the blocks around this one see nothing of it.
    """
    reads = Reads()
    token = _trackers.set((reads,) if alone else (*_trackers.get(), reads))
    try:
        yield reads
    finally:
        _trackers.reset(token)
        reads.update(*reads.shared)


def count_reads(reads: frozenset[Key]) -> None:
    """Let every active `track_reads` block know of reads made earlier, or in another process."""
    for tracker in _trackers.get():
        tracker.shared.add(reads)


def keep_reads(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function's result, a dataclass, hold in `parameters` all that it was computed from."""

    @wraps(function)
    def tracked(*args: P.args, **kwargs: P.kwargs) -> R:
        with track_reads() as reads:
            result = function(*args, **kwargs)
        return replace(cast("Any", result), parameters=frozenset(reads))

    return tracked


def overrides() -> dict[Key, float]:
    """Return a copy of the active overrides, by (group, name), to be sent to a worker.

    A thread or process that is started knows none of them: it takes them over by `override_all`.
    """
    return dict(_overrides.get())


def overridden(reads: Set[Key]) -> dict[Key, float]:
    """Return the active overrides of these parameters alone."""
    return {key: value for key, value in _overrides.get().items() if key in reads}


@contextmanager
def override_all(values: Mapping[Key, float]) -> Generator[None, None, None]:
    """Use these overrides, by (group, name), and no others inside a ``with`` block.

    Raises
    ------
    NeurosimError
        If there is no such parameter.
    """
    for group, name in values:
        _nominal(group, name)
    token = _overrides.set(MappingProxyType(dict(values)))
    try:
        yield
    finally:
        _overrides.reset(token)


@contextmanager
def override(group: str, name: str, value: float) -> Generator[None, None, None]:
    """Use another value of one parameter inside a ``with`` block, as a sensitivity run does.

    Parameters
    ----------
    group, name : str
        The parameter, as `parameter` takes them.
    value : float
        In the unit of the parameter; its range is not checked.

    Raises
    ------
    NeurosimError
        If there is no such parameter.
    """
    with override_all(overrides() | {(group, name): value}):
        yield


@cache
def references() -> Mapping[str, str]:
    """Return every source key with its citation, from the ``[references]`` of each group."""
    return {k: str(v) for path in FILES.values() for k, v in read_toml(path)["references"].items()}


def all_values() -> list[tuple[str, Value]]:
    """Return (group, value) for every parameter of the model, in the order of the groups."""
    return [(group, value) for group in FILES for value in load_group(group).values()]


def citation(key: str) -> str:
    """Return the citation behind a source key.

    Raises
    ------
    NeurosimError
        If the key is not in the list of references.
    """
    try:
        return references()[key]
    except KeyError:
        raise NeurosimError(f"Source '{key}' is in no group's [references].") from None
