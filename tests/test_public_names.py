"""Nonsense at every argument of every public name: a right result, or one sentence.

`EASY` says for each public function which call is right and quick; each argument in turn is then
replaced by each piece of nonsense, and an argument that does not exist is added.
"""

import inspect
import math

import pytest

import neurosim as ns
from neurosim.base.errors import NeurosimError


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no")


NONSENSE = {
    "none": None,
    "true": True,
    "minus_one": -1,
    "half": 1.5,
    "nan": math.nan,
    "huge": 10**400,
    "empty": "",
    "text": "xyzzy",
    "nul": "a\0b",
    "bytes": b"\xff",
    "list": [],
    "nested": [[1, "a"], None],
    "mapping": {"x": object()},
    "set": {1},
    "class": int,
    "callable": lambda: 0,
    "object": object(),
    "unprintable": Unprintable(),
    "body": ns.Body(),
    "error": NeurosimError("no"),
}
SHORT = {"duration_s": 1.0}
EASY = {
    "Body": {},
    "Scenario": {},
    "article": {"people": 1},  # refused before it is run
    "catalogue": {},
    "cohort": {"scenarios": ("stress",), "people": 2, "hours": 0.001},
    "contributions": {"body": ns.Body()},
    "detect": {"record": [0.0, 1.0] * 2000, "rate_hz": 2000.0},
    "excitability": {},
    "explore": {"sliders": False},
    "fit": {"record": "absent.mem"},
    "key": {"seed": 7},
    "lab": {"page": "absent"},
    "lessons": {"names": ("absent",)},
    "load_scenario": {"name": "normal"},
    "mystery": {"seed": 7},
    "read_panel": {"path": "absent.csv"},
    "read_record": {"path": "absent.mem"},
    "replicate": {"scenarios": "normal", "people": 2, **SHORT},
    "run": {"what": "normal", **SHORT},
    "sensitivity": {"samples": 3},  # no power of 2
    "simulate": {"what": "normal", **SHORT},
    "sources": {},
    "sweep": {"field": "stress", "steps": [0.0, 1.0], "people": 2, **SHORT},
    "validate": {},
}
FUNCTIONS = [n for n in ns.__all__ if callable(getattr(ns, n)) and n != "NeurosimError"]
CALLBACKS = {"progress", "stage", "tell"}
NOT_RUN = {"validate"}  # half a minute, and takes nothing


def call(name, values):
    """Call a public name with arguments by name, those of ``*args`` in their place."""
    function, values = getattr(ns, name), dict(values)
    kinds = inspect.signature(function).parameters
    star = next((p.name for p in kinds.values() if p.kind is p.VAR_POSITIONAL), None)
    spread = values.pop(star, ()) if star else ()
    spread = spread if isinstance(spread, tuple) else (spread,)
    return function(*spread, **values)


def arguments(name):
    """Return the names of all arguments of a public name; those of fields for a class."""
    kinds = inspect.signature(getattr(ns, name)).parameters.values()
    names = [p.name for p in kinds if p.kind is not p.VAR_KEYWORD]
    if name == "Body":
        return ["sodium_mmol_l", "stress", "calcium_mg_dl"]
    if any(p.kind is p.VAR_KEYWORD for p in kinds):
        names += ["muscle", "duration_s", "seed", "axon", "body"]
    return names


CASES = [(n, a) for n in FUNCTIONS for a in arguments(n) if n not in NOT_RUN]


def answers(name, values):
    """Call, and fail unless there is a result or one printable sentence."""
    try:
        call(name, values)
    except NeurosimError as error:
        sentence = str(error)
        assert sentence and "\n" not in sentence and len(sentence) < 1500, sentence
        assert sentence[-1] in ".?", sentence


def test_every_public_name_is_tried():
    assert set(FUNCTIONS) <= set(EASY), set(FUNCTIONS) - set(EASY)


@pytest.mark.parametrize(("name", "argument"), CASES, ids=lambda x: str(x))
def test_nonsense_is_one_sentence(name, argument, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for kind, nonsense in NONSENSE.items():
        if argument in CALLBACKS and kind in ("class", "callable"):
            continue  # a function of the user's own may fail as it does
        answers(name, EASY[name] | {argument: nonsense})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_argument_that_does_not_exist_is_one_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NeurosimError, match="xyzzy"):
        call(name, EASY[name] | {"xyzzy": 1})


def test_what_is_meant_is_offered():
    for name, wrong, meant in (
        ("Scenario", "muscel", "muscle"),
        ("simulate", "persn", "person"),
        ("simulate", "muscel", "muscle"),
        ("replicate", "peple", "people"),
        ("excitability", "conditon", "condition"),
    ):
        with pytest.raises(NeurosimError, match=f"'{wrong}'.*'{meant}'"):
            call(name, EASY[name] | {wrong: 1})


def test_no_public_name_dumps_arrays(tmp_path):
    result = ns.simulate(**SHORT)
    examination = ns.excitability()
    examination.save(tmp_path)
    record = ns.read_record(tmp_path / "excitability.mem")
    for thing in (result, examination, record, ns.replicate("normal", 2, **SHORT)):
        assert len(repr(thing)) < 250 and repr(thing).count("\n") <= 1, repr(thing)
    for name, part in vars(result).items():
        if name != "parameters":  # a set of names, no array; sources() shows it
            assert len(repr(part)) < 2500, name
