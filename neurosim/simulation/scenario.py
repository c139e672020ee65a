"""A question put to the model: whose body, which muscle, for how long, how many people.

A scenario is frozen and comes from Python or from a TOML file such as those in
`catalogue/`::

    title = "Low blood calcium"
    about = "Ionised calcium as in a tetany that can still be walked with."
    [body]
    ionised_calcium_mmol_l = 0.8

One that ships may also say what is mild, as ``[mild]`` with ``about`` and ``[mild.body]``:
``low_calcium_mild`` is then a scenario, too.

A body that changes has a `course` besides (`neurosim.model.body.course`), and a duration in words
such as ``duration = "24 h"``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from dataclasses import replace as _replace
from functools import wraps
from importlib import resources
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple, cast

from neurosim.base.calls import public
from neurosim.base.errors import (
    NeurosimError,
    file_bytes,
    number_within,
    short_repr,
    unknown_name,
)
from neurosim.model.axon.axon import AXONS
from neurosim.model.axon.ensemble import ENSEMBLE
from neurosim.model.body.course import Course
from neurosim.model.body.remedies import remedy
from neurosim.model.body.state import Body
from neurosim.model.muscle.anatomy import canonical_root, muscle_name

MAX_DURATION_S = 31_557_600.0
MAX_PEOPLE = 100_000
LARGEST_FILE_MB = 0.1
MAX_DOTS = 1000  # in a line: reading a dotted key takes time with their square
LONGEST = {"name": 100, "title": 200, "about": 2000}  # characters
DAY_S = 86_400.0  # of a scenario with a course, where nothing else is said
_KEYS = ("name", "title", "about", "body", "muscle", "duration_s", "people", "seed", "axon",
         "root", "course")  # fmt: skip
SCENARIO_FIELDS = (*_KEYS, "duration")  # what `Scenario` and `replace` take
_UNITS_S = {
    "s": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0,
    "d": 86_400.0, "day": 86_400.0, "week": 604_800.0,
}  # fmt: skip


def duration_seconds(duration: object) -> float:
    """Return a duration such as ``"24 h"``, ``"90 min"`` or ``"2 weeks"`` in seconds.

    Raises
    ------
    NeurosimError
        If it is no number with a unit of time.

    Examples
    --------
    >>> duration_seconds("24 h"), duration_seconds("90 min"), duration_seconds("2 weeks")
    (86400.0, 5400.0, 1209600.0)
    """
    written = duration if isinstance(duration, str) else short_repr(duration)
    match = re.fullmatch(r"([0-9.]+)\s*([a-z]+)", written.strip().lower())
    unit = match[2] if match else ""
    unit = unit if unit in _UNITS_S else unit.removesuffix("s")
    if not match or unit not in _UNITS_S:
        raise NeurosimError(
            f"duration = {short_repr(duration)} must be a number with s, min, h, days or weeks, "
            "such as '24 h'."
        )
    return number_within("duration", match[1], 0.0, 1e12) * _UNITS_S[unit]


def _convert_duration(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a scenario with a duration in words as `duration_s`."""
    fields = dict(values)
    if "duration" in fields:
        if "duration_s" in fields:
            raise NeurosimError("duration and duration_s say the same; give only one of them.")
        fields["duration_s"] = duration_seconds(fields.pop("duration"))
    return fields


def check_whole(name: str, value: object, low: int, high: int) -> int:
    """Return `value` as an int from `low` to `high`.

    Raises
    ------
    NeurosimError
        If it is no whole number or lies outside.
    """
    number = number_within(name, value, low, high)
    if number != int(number):
        raise NeurosimError(f"{name} must be a whole number, not {number:g}.")
    return int(value) if isinstance(value, int) else int(number)  # a float would blur a big seed


def _check_text(name: str, value: object, most: int = 100) -> None:
    """Refuse what is no text, or longer than it can be shown.

    Raises
    ------
    NeurosimError
    """
    if not isinstance(value, str):
        raise NeurosimError(f"{name} must be text, not {short_repr(value)}.")
    if len(value) > most:
        raise NeurosimError(f"{name} has {len(value)} characters; at most {most} are allowed.")


def _check_names(values: Iterable[str], valid: Sequence[str]) -> None:
    for name in values:
        if name not in valid:
            raise unknown_name("scenario field", name, valid)


@dataclass(frozen=True)
class Scenario:
    """One frozen question.

    Attributes
    ----------
    name, title, about : str
        Short name, title, and one sentence in words.
    body : Body
    muscle : str
        One of `neurosim.model.muscle.anatomy.MUSCLES`.
    duration_s : float
        Simulated time, s, up to a year; ``duration="24 h"`` says it, too.
    people : int
        How many people are simulated.
    seed : int
        Same seed, same people and discharges.
    axon : str
        One of `neurosim.model.axon.axon.AXONS`, or of `ENSEMBLE` there: which fitted set of
        membrane parameters.
    root : str
        Which spinal root `pinched_nerve` pinches, such as ``"S1"``, or ``"sensory"`` for sensory
        fibres alone. Only the muscles it supplies are reached (`anatomy.muscle_roots`).
    course : Course, optional
        What happens to the body in that time; without it the body stays as it is.

    Raises
    ------
    NeurosimError
        For a value outside what is allowed, or an unknown muscle, axon or root.
    """

    name: str = "custom"
    title: str = ""
    about: str = ""
    body: Body = field(default_factory=Body)
    muscle: str = "foot_sole"
    duration_s: float = 600.0
    people: int = 1
    seed: int = 1
    axon: str = "ghk"
    root: str = "S1"
    course: Course | None = None

    def __post_init__(self) -> None:
        keep = object.__setattr__
        if not isinstance(self.body, Body):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
            raise NeurosimError(f"body must be a Body, not {short_repr(self.body)}.")
        keep(self, "muscle", muscle_name(self.muscle))
        if self.course is not None and not isinstance(self.course, Course):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
            raise NeurosimError(f"course must be a Course, not {short_repr(self.course)}.")
        seconds = number_within("duration_s", self.duration_s, 1, MAX_DURATION_S, "s")
        keep(self, "duration_s", seconds)
        keep(self, "people", check_whole("people", self.people, 1, MAX_PEOPLE))
        keep(self, "seed", check_whole("seed", self.seed, 0, 2**53))
        for name, most in LONGEST.items():
            _check_text(name, getattr(self, name), most)
        keep(self, "title", self.title or self.name.replace("_", " "))
        if self.axon not in (*AXONS, *ENSEMBLE):
            raise unknown_name("axon", self.axon, AXONS)
        keep(self, "root", canonical_root(self.root))

    def replace(self, **changes: Any) -> Scenario:
        """Return a copy with `changes`.

        Raises
        ------
        NeurosimError
            For an unknown field or a value that is not allowed.
        """
        _check_names(changes, SCENARIO_FIELDS)
        return _replace(self, **_convert_duration(changes))

    def to_mapping(self) -> dict[str, Any]:
        """Return everything that it says as plain values, laid out like its TOML file."""
        values = {**asdict(self), "body": dict(vars(self.body))}
        course = values.pop("course")
        if course is None or self.course is None:
            return values
        return values | {"start": self.course.clock_time(0.0), "course": self.course.as_tables()}

    @classmethod
    def from_mapping(cls, table: Mapping[str, Any], name: str = "custom") -> Scenario:
        """Return a scenario from a mapping laid out like its TOML file.

        Raises
        ------
        NeurosimError
            For an unknown key or a value that is not allowed.
        """
        if not isinstance(table, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
            raise NeurosimError(f"A scenario must be names with values, not {short_repr(table)}.")
        _check_names(table, (*_KEYS, "duration", "start"))
        values = _convert_duration(table)
        start = values.pop("start", None)
        if "course" in values:
            values["course"] = Course.from_tables(values["course"], start)
            values.setdefault("duration_s", DAY_S)
        elif start is not None:
            raise NeurosimError(
                "start is the time at which a course begins; there is no [[course]]."
            )
        body: object = values.pop("body", {})
        if not isinstance(body, Mapping):
            raise NeurosimError("body must be a table, such as [body] potassium_mmol_l = 3.")
        for key in ("muscle", "axon", "root"):
            _check_text(key, values.get(key, ""))
        values.setdefault("name", name)
        return cls(**values, body=Body.from_values(cast("Mapping[str, Any]", body)))

    @classmethod
    def from_toml(cls, path: str | Path) -> Scenario:
        """Return the scenario in a TOML file.

        Raises
        ------
        NeurosimError
            If the file cannot be read, is no TOML, or holds something that is not allowed.
        """
        path = Path(path)
        data = file_bytes(path, LARGEST_FILE_MB)
        if any(line.count(b".") > MAX_DOTS for line in data.splitlines()):
            raise NeurosimError(f"{path} cannot be a scenario: a line has too many dots.")
        try:
            table = tomllib.loads(data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n"))
        except UnicodeDecodeError:
            raise NeurosimError(f"{path} is not a text file in UTF-8.") from None
        except RecursionError:
            raise NeurosimError(f"{path} is not valid TOML: it is nested too deeply.") from None
        except ValueError as error:  # of TOML, or of a whole number with thousands of digits
            why = str(error).split(";")[0].rstrip(".")
            raise NeurosimError(f"{path} is not valid TOML: {why}.") from None
        try:
            return cls.from_mapping(table, path.stem)
        except NeurosimError as error:
            raise NeurosimError(f"{path}: {error}") from None


_set_fields = Scenario.__init__


@wraps(_set_fields)
def _check_and_set_fields(self: Scenario, *values: object, **named: object) -> None:
    """Set the fields; a misspelt name gets the sentence of `Scenario.replace`."""
    _check_names(named, SCENARIO_FIELDS)
    try:
        signature(_set_fields).bind(self, *values, **(named := _convert_duration(named)))
    except TypeError as error:
        raise NeurosimError(f"A scenario has {error}.") from None
    _set_fields(self, *values, **named)  # type: ignore[arg-type]


Scenario.__init__ = _check_and_set_fields


@public
def catalogue() -> tuple[str, ...]:
    """Return the names of the scenarios that ship with the package, `normal` first."""
    folder = resources.files("neurosim").joinpath("simulation/catalogue")
    names = sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))
    return ("normal", *(n for n in names if n != "normal"))


MILD_SUFFIX = "_mild"
PROPER_NAMES = ("ALS", "Isaacs")


def title_in_sentence(title: str) -> str:
    """Return a title as it stands within a sentence: without a capital, but for names.

    Examples
    --------
    >>> title_in_sentence("Low blood calcium"), title_in_sentence("Isaacs' syndrome")
    ('low blood calcium', "Isaacs' syndrome")
    """
    return title if title.startswith(PROPER_NAMES) else title[:1].lower() + title[1:]


class CatalogueName(NamedTuple):
    """What a name of the catalogue says: which scenario, and whether at its mild size."""

    base: str
    is_mild: bool = False

    @classmethod
    def parse(cls, name: str) -> CatalogueName:
        """Return what a name says, such as ``"stress_mild"``; the one place where it is read."""
        key = name.strip().lower().replace("-", "_").replace(" ", "_")
        base = key.removesuffix(MILD_SUFFIX)
        return cls(base, key != base)

    def __str__(self) -> str:
        return self.base + MILD_SUFFIX * self.is_mild


def severities(base: str) -> tuple[str, ...]:
    """Return the names of a catalogue scenario at each size: severe, and mild where there is."""
    sizes = (False, True) if "mild" in _read_scenario(base) else (False,)
    return tuple(str(CatalogueName(base, is_mild)) for is_mild in sizes)


def combined_name(names: Sequence[str]) -> str:
    """Return the name of several scenarios at once, or of one with a remedy."""
    return "+".join(names)


def _read_scenario(name: str) -> dict[str, Any]:
    file = resources.files("neurosim").joinpath(f"simulation/catalogue/{name}.toml")
    return tomllib.loads(file.read_text("utf-8"))


@public
def load_scenario(name: str | Path | Scenario | Body) -> Scenario:
    """Return a scenario by catalogue name, by TOML file, of a body, or as it is.

    Raises
    ------
    NeurosimError
        If there is no such scenario; the nearest name is offered.
    """
    if isinstance(name, Scenario):
        return name
    if isinstance(name, Body):
        return Scenario(body=name)
    if not isinstance(name, (str, Path)):  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
        raise NeurosimError(
            "A scenario must be a Scenario, a Body, a catalogue name or a TOML file, not "
            f"{short_repr(name)}."
        )
    text = str(name)
    if text.endswith(".toml"):
        return Scenario.from_toml(text)
    parsed = CatalogueName.parse(text)
    if parsed.base not in catalogue() or str(parsed) not in severities(parsed.base):
        raise unknown_name("scenario", name, catalogue())
    table = _read_scenario(parsed.base)
    mild = table.pop("mild", {})
    if parsed.is_mild:
        table |= mild | {"title": f"{table['title']}, mild"}
    return Scenario.from_mapping(table, str(parsed))


def combine(names: Sequence[str], base: Scenario | None = None) -> Scenario:
    """Return one scenario of several of the catalogue at once: every field that any changes.

    Where two change the same field the first counts. Its name joins theirs by ``+``.

    Raises
    ------
    NeurosimError
        If there is no such scenario.
    """
    healthy = vars(Body())
    changed: dict[str, Any] = {}
    for name in reversed(names):
        body = vars(load_scenario(name).body)
        changed |= {f: value for f, value in body.items() if value != healthy[f]}
    first, *rest = (load_scenario(name).title for name in names)
    title = " and ".join([first, *map(title_in_sentence, rest)])
    start = Scenario() if base is None else base
    return start.replace(name=combined_name(names), title=title, body=Body(**changed))


def apply_remedy(scenario: Scenario, name: str) -> Scenario:
    """Return a scenario after a remedy; the same one if the remedy has nothing to change.

    Raises
    ------
    NeurosimError
        If there is no such remedy.
    """
    measure = remedy(name)
    body = measure.apply(scenario.body)
    if body == scenario.body:
        return scenario
    title = f"{scenario.title}, {measure.label}"
    return scenario.replace(
        name=combined_name((scenario.name, measure.name)), title=title, body=body
    )


def comparison_scenario(
    scenario: Scenario, against: Scenario | Body | str | Path | None = None
) -> Scenario | None:
    """Return what a scenario is compared with: health, unless `against` says otherwise.

    In the same people, muscle and time. None if the body is healthy itself and nothing else is
    named.

    Raises
    ------
    NeurosimError
        If there is no such scenario.
    """
    if against is None and scenario.body == Body() and scenario.course is None:
        return None
    other = load_scenario("normal" if against is None else against)
    shared = ("muscle", "duration_s", "people", "seed", "root", "axon")
    same = {field: getattr(scenario, field) for field in shared}
    name = other.name if other.name != scenario.name else f"{other.name}_compared"
    return other.replace(**same, name=name)


def load_scenarios(several: object) -> tuple[Scenario, ...]:
    """Return scenarios of one or a sequence of what `load_scenario` takes.

    Raises
    ------
    NeurosimError
        If it is neither, there is none, or one does not exist.
    """
    if isinstance(several, (Scenario, Body, str, Path)):
        return (load_scenario(several),)
    if not isinstance(several, Iterable) or isinstance(several, (bytes, Mapping)):
        raise NeurosimError(
            "scenarios must be a Scenario, Body, catalogue name or TOML file, or a list of them, "
            f"not {short_repr(cast('object', several))}."
        )
    scenarios = tuple(load_scenario(one) for one in cast("Iterable[Any]", several))
    if not scenarios:
        raise NeurosimError("scenarios is empty: at least one is needed.")
    return scenarios


def check_callback(name: str, callback: object) -> None:
    """Refuse what is neither None nor a function.

    Raises
    ------
    NeurosimError
    """
    if callback is not None and not callable(callback):
        raise NeurosimError(f"{name} must be a function, not {short_repr(callback)}.")


def check_person(person: object) -> int:
    """Return the number of a person within a seed.

    Raises
    ------
    NeurosimError
        For anything but a whole number from 0.
    """
    return check_whole("person", person, 0, 2**53)
