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
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, update_wrapper
from importlib import resources
from typing import NamedTuple

from neurosim import store
from neurosim.errors import NeurosimError, unknown_name

GRADES = ("measured", "fitted", "assumed")
FILES = {
    "body": "body/parameters.toml",
    "course": "body/course.toml",
    "membrane": "membrane/parameters.toml",
    "conditions": "membrane/conditions.toml",
    "soma": "membrane/soma.toml",
    "pool": "membrane/pool.toml",
    "axon_ghk": "membrane/axon_ghk.toml",
    "axon_ohmic": "membrane/axon_ohmic.toml",
    "axon_alternative": "membrane/axon_alternative.toml",
    "people": "membrane/people.toml",
    "fit": "membrane/fit.toml",
    "chain": "membrane/chain.toml",
    "ephapse": "membrane/ephapse.toml",
    "firing": "firing/parameters.toml",
    "hazard": "firing/hazard.toml",
    "bursts": "firing/bursts.toml",
    "isaacs": "firing/isaacs.toml",
    "muscle": "muscle/parameters.toml",
    "anatomy": "muscle/anatomy.toml",
    "emg": "muscle/emg.toml",
    "detect": "muscle/detect.toml",
    "fatigue": "muscle/fatigue.toml",
    "junction": "muscle/junction.toml",
    "study": "study/parameters.toml",
    "alarms": "study/alarms.toml",
    "mystery": "study/mystery.toml",
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
def load(room: str) -> Mapping[str, Value]:
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


_exchanged: dict[tuple[str, str], float] = {}
_recorders: list[set[tuple[str, str]]] = []


def number(room: str, name: str) -> float:
    """Return one number of one room as a float, as `exchanged` if it is.

    Raises
    ------
    NeurosimError
        If the room has no such number.
    """
    values = load(room)
    if name not in values:
        raise unknown_name(f"number of {room}", name, values)
    for reads in _recorders:
        reads.add((room, name))
    return _exchanged.get((room, name), float(values[name].value))


@contextmanager
def recorded() -> Iterator[set[tuple[str, str]]]:
    """Collect (room, name) of every `number` read inside a ``with`` block; not what is kept."""
    reads: set[tuple[str, str]] = set()
    _recorders.append(reads)
    try:
        yield reads
    finally:
        _recorders.remove(reads)


@contextmanager
def exchanged(room: str, name: str, value: float) -> Iterator[None]:
    """Use another value for one number inside a ``with`` block: a sensitivity run."""
    number(room, name)
    before = dict(_exchanged)
    _exchanged[room, name] = value
    try:
        yield
    finally:
        _exchanged.clear()
        _exchanged.update(before)


class Form(NamedTuple):
    """How a value goes to disk: as what `store.pack` takes, and back."""

    plain: Callable
    whole: Callable


AS_IT_IS = Form(lambda value: value, lambda value: value)


class Kept:
    """A function whose values are kept, by its arguments and by what is exchanged in its rooms.

    With a `Form` they are kept on disk, too; the `repr` of its arguments must tell them wholly.
    """

    def __init__(
        self, function: Callable, rooms: Collection[str], size: int, form: Form | None
    ) -> None:
        self.function, self.rooms, self.size = function, frozenset(rooms), size
        self.form, self.values = form, OrderedDict()
        update_wrapper(self, function)

    def key(self, *args) -> tuple:
        """Return what the value for these arguments is kept by."""
        now = {k: v for k, v in _exchanged.items() if {k[0], ".".join(k)} & self.rooms}
        return (*sorted(now.items()), *args)

    def __call__(self, *args):
        """Return the value for these arguments."""
        key = self.key(*args)
        if key not in self.values and self.missing([args]):
            value = self.function(*args)
            return self.values[key] if key in self.values else self.keep(value, *args)
        self.values.move_to_end(key)
        return self.values[key]

    def missing(self, several: Iterable[tuple]) -> list[tuple]:
        """Return those of several arguments whose values are not kept."""
        new = {key: args for args in several if (key := self.key(*args)) not in self.values}
        if self.form is not None and new and store.folder() is not None:
            on_disk = {self._name(key): key for key in new}
            for name, value in store.get(list(on_disk)).items():
                self._keep(on_disk[name], self.form.whole(value))
                del new[on_disk[name]]
        return list(new.values())

    def keep(self, value, *args):
        """Keep a value that was found together with others, and return it."""
        self.keep_all([value], [args])
        return value

    def keep_all(self, values: Iterable, several: Iterable[tuple]) -> None:
        """Keep values that were found together, by their arguments."""
        new = {self.key(*args): value for value, args in zip(values, several, strict=True)}
        for key, value in new.items():
            self._keep(key, value)
        if self.form is not None and store.folder() is not None:
            store.put({self._name(key): self.form.plain(value) for key, value in new.items()})

    def _keep(self, key: tuple, value) -> None:
        self.values[key] = value
        if len(self.values) > self.size:
            self.values.popitem(last=False)

    def _name(self, key: tuple) -> bytes:
        return store.key(self.function.__module__, self.function.__qualname__, key)


def remember(*rooms: str, size: int = 256, form: Form | None = None) -> Callable[[Callable], Kept]:
    """Keep up to `size` values of a function, by its arguments and by what is exchanged in `rooms`.

    A room may be narrowed to one of its numbers, as ``"firing.noise_channels"``. With a `form`
    values are kept on disk, too (`neurosim.store`): for what costs milliseconds and more.
    """
    return lambda function: Kept(function, rooms, size, form)


@cache
def references() -> Mapping[str, str]:
    """Return every source key with its citation, from the ``[references]`` of each room."""
    return {k: str(v) for path in FILES.values() for k, v in read_toml(path)["references"].items()}


def all_values() -> list[tuple[str, Value]]:
    """Return (room, value) for every number of the model, in the order of the rooms."""
    return [(room, value) for room in FILES for value in load(room).values()]


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
