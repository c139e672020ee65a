"""The table of the loops that are compiled: where each is, what it takes and what it returns.

A signature has one word an argument: ``d`` (float), ``i`` (int) or ``b`` (bool), with a number the
dimensions of an array of them and with ``!`` one that is changed in place; ``R`` a random
generator; ``( )`` a tuple; a name a record of `records`, its fields in brackets if there are
arrays among them. After the arrow stands what is returned.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neurosim.base.code_hash import code_hash

if TYPE_CHECKING:
    from collections.abc import Iterator


class Loop(NamedTuple):
    """One loop: its module and function, its signature, and the module of the records in it."""

    module: str
    function: str
    signature: str
    records: str = ""


AXON, CHAIN, POOL = "model.axon.compiled", "model.axon.compiled_chain", "model.soma.compiled_pool"
LOOPS = {
    "find_threshold": Loop(AXON, "find_threshold", "d2 d2 i1 i1 d1 i1 i d1 d2 d -> d2"),
    "find_noise_threshold": Loop(AXON, "find_noise_threshold", "d2 d2 i1 d3 i d1 d2 d -> d2"),
    "run_segments": Loop(AXON, "run_segments", "d2! d2 d2 i1 d -> d3 d2"),
    "run_with_noise": Loop(AXON, "run_with_noise", "d2! d2 d3 d1 d -> d1"),
    "matched_noise": Loop(AXON, "matched_noise", "d3 d2 i -> d3"),
    "noisy_spikes": Loop(AXON, "noisy_spikes", "d2! d2 d1 i d R i d2! d2! i1! ->"),
    "chain": Loop(
        CHAIN,
        "move_block",
        "d3! d3! b2! d3 d3 d2 d2 i1 i i d d R i d3! d3! i2! d3! i ->",
    ),
    "pool": Loop(POOL, "move", "d2! d2 d1! d2 d2 d2 d1 d1 d2 i2! i1! d3! i1 d ->"),
    "sample": Loop(
        "model.firing.compiled",
        "sample",
        "R SamplingTables( i1 i1 i1 d1 d1 d1 d1 d3 d3 d3 d2 ) Timing d1 d State d2! -> i State",
        "model.firing.sampler",
    ),
    "count_bursts": Loop(
        "simulation.compiled_counting",
        "count_bursts",
        "d2 ( d1 d1 ) d ( d d d d ) ( d1 d1 d1 d1 d1 ) i1 d d1! i2! i1! i1! i1! b1! ->",
    ),
}
# Every file whose lines go into the machine code of a loop.
SOURCES = (
    "base/ahead.py",
    "base/loops.py",
    "model/axon/chain_equations.py",
    "model/axon/compiled.py",
    "model/axon/compiled_chain.py",
    "model/axon/equations.py",
    "model/firing/compiled.py",
    "model/firing/sampler.py",
    "model/soma/compiled_pool.py",
    "model/soma/pool_equations.py",
    "simulation/compiled_counting.py",
    "simulation/counting.py",
)
DTYPES = {"d": np.dtype(np.float64), "i": np.dtype(np.int64), "b": np.dtype(np.bool_)}


class Kind(NamedTuple):
    """What one argument or result is.

    Attributes
    ----------
    letter : str
        ``d``, ``i``, ``b``, ``R``, or ``(`` for a tuple.
    dimensions : int
        Of an array; 0 of a number.
    changed : bool
        Whether the loop changes it.
    record : type or None
        Class of a tuple with names.
    parts : tuple of Kind
        Of a tuple.
    """

    letter: str
    dimensions: int = 0
    changed: bool = False
    record: type[Any] | None = None
    parts: tuple[Kind, ...] = ()


@cache
def digest() -> str:
    """Return a digest of all lines that the loops are made of, 16 hexadecimal digits."""
    return code_hash(*SOURCES)[:16]


@cache
def kinds(name: str) -> tuple[tuple[Kind, ...], tuple[Kind, ...]]:
    """Return the kinds of a loop's arguments and of its results."""
    takes, _, gives = LOOPS[name].signature.partition("->")
    records = LOOPS[name].records
    return _parse(iter(takes.split()), records), _parse(iter(gives.split()), records)


def _parse(words: Iterator[str], records: str) -> tuple[Kind, ...]:
    """Return the kinds that words name, up to the end or to a closing bracket."""
    parsed: list[Kind] = []
    for word in words:
        if word == ")":
            break
        if leaf := re.fullmatch(r"([dibR])(\d?)(!?)", word):
            letter, dimensions, changed = leaf.groups()
            parsed.append(Kind(letter, int(dimensions or 0), bool(changed)))
            continue
        record = _record(word.rstrip("("), records) if word != "(" else None
        fields = "(" in word
        parts = _parse(words, records) if fields or record is None else _fields(record, records)
        parsed.append(Kind("(", record=record, parts=parts))
    return tuple(parsed)


def _record(name: str, records: str) -> type[Any]:
    return getattr(import_module(f"neurosim.{records}"), name)


def _fields(record: type[Any], records: str) -> tuple[Kind, ...]:
    """Return the kinds of a record of numbers and records, by its annotations."""
    words = {"int": "i", "float": "d", "bool": "b"}
    named = (
        str(getattr(a, "__forward_arg__", getattr(a, "__name__", a)))
        for a in record.__annotations__.values()
    )
    return _parse((words.get(name, name) for name in named), records)


def contiguous(kind: Kind, value: Any, back: list[tuple[Any, Any]]) -> Any:
    """Return an array as the loops take it: its type, its dimensions, row by row, writeable.

    One that had to be copied and is changed goes into `back`, with its copy.

    Raises
    ------
    TypeError
        If it has another number of dimensions, or is to be changed and has another type.
    """
    array = np.asarray(value, DTYPES[kind.letter])
    if array.ndim != kind.dimensions or (kind.changed and array is not value):
        raise TypeError(f"An array {np.shape(value)} where {kind.letter}{kind.dimensions} is due.")
    flags = array.flags
    if flags.c_contiguous and flags.writeable and flags.aligned:
        return array
    array = np.array(array, order="C")
    if kind.changed:
        back.append((value, array))
    return array
