"""Where every number of the model comes from.

Each room keeps its numbers in TOML files beside its code. An entry has a value, a
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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources

from neurosim.base.errors import NeurosimError, unknown_name

GRADES = ("measured", "fitted", "assumed")
FILES = {
    "body": "model/body/parameters.toml",
    "course": "model/body/course.toml",
    "membrane": "model/axon/parameters.toml",
    "conditions": "model/axon/conditions.toml",
    "soma": "model/soma/soma.toml",
    "pool": "model/soma/pool.toml",
    "axon_ghk": "model/axon/axon_ghk.toml",
    "axon_ohmic": "model/axon/axon_ohmic.toml",
    "axon_alternative": "model/axon/axon_alternative.toml",
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
    "fatigue": "model/muscle/fatigue.toml",
    "junction": "model/muscle/junction.toml",
    "study": "simulation/parameters.toml",
    "alarms": "simulation/alarms.toml",
    "mystery": "classroom/mystery/mystery.toml",
}


@dataclass(frozen=True)
class Value:
    """One number of the model.

    Attributes
    ----------
    name : str
        Name within its room.
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


def read_toml(path: str) -> dict:
    """Return the TOML file at `path` inside the package."""
    return tomllib.loads(resources.files("neurosim").joinpath(path).read_text("utf-8"))


@cache
def load_group(room: str) -> Mapping[str, Value]:
    """Return every number of one room by name.

    Nested tables become dotted names: ``[calf.units]`` is ``"calf.units"``.

    Raises
    ------
    NeurosimError
        If the room keeps no numbers.
    """
    if room not in FILES:
        raise unknown_name("room", room, FILES)
    found: dict[str, Value] = {}

    def walk(table: Mapping, prefix: str) -> None:
        for key, entry in table.items():
            if not isinstance(entry, Mapping):
                continue
            name = f"{prefix}{key}"
            if "value" in entry and "grade" in entry:
                found[name] = Value(name=name, **entry)
            else:
                walk(entry, name + ".")

    walk(read_toml(FILES[room]), "")
    return found


_overrides: dict[tuple[str, str], float] = {}
_recorders: list[set[tuple[str, str]]] = []


def parameter(room: str, name: str) -> float:
    """Return one number of one room as a float, as `exchanged` if it is.

    Raises
    ------
    NeurosimError
        If the room has no such number.
    """
    values = load_group(room)
    if name not in values:
        raise unknown_name(f"number of {room}", name, values)
    for reads in _recorders:
        reads.add((room, name))
    return _overrides.get((room, name), float(values[name].value))


@contextmanager
def track_reads() -> Iterator[set[tuple[str, str]]]:
    """Collect (room, name) of every `parameter` read inside a ``with`` block; not what is kept."""
    reads: set[tuple[str, str]] = set()
    _recorders.append(reads)
    try:
        yield reads
    finally:
        _recorders.pop()  # remove() takes the first that is equal: of nested ones, the wrong one


@contextmanager
def override(room: str, name: str, value: float) -> Iterator[None]:
    """Use another value for one number inside a ``with`` block: a sensitivity run."""
    parameter(room, name)
    before = dict(_overrides)
    _overrides[room, name] = value
    try:
        yield
    finally:
        _overrides.clear()
        _overrides.update(before)


@cache
def references() -> Mapping[str, str]:
    """Return every source key with its citation, from the ``[references]`` of each room."""
    return {k: str(v) for path in FILES.values() for k, v in read_toml(path)["references"].items()}


def all_values() -> list[tuple[str, Value]]:
    """Return (room, value) for every number of the model, in the order of the rooms."""
    return [(room, value) for room in FILES for value in load_group(room).values()]


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
        raise NeurosimError(f"Source '{key}' is in no room's [references].") from None
