"""Loops compiled by Numba at their first call, one signature each, in two processes at first.

Compiling is nearly all Python's work, so half of the loops that every command needs are compiled
by a second process, which stores them in Numba's folder; this one waits for a loop of that half.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.base.loops import LOOPS, Kind, contiguous, kinds

if TYPE_CHECKING:
    from collections.abc import Generator

# What every first answer needs, in that order, halved by the time that it takes to compile.
HERE = ("matched_noise", "run_with_noise", "find_noise_threshold", "run_segments")
THERE = ("find_threshold", "sample")

_first_calls: set[str] = set()  # loops that are being compiled, or read from disk


class JitLoop:
    """One loop of `LOOPS`, compiled for the types of its signature and no others."""

    def __init__(self, name: str) -> None:
        self.name, self.kinds, self._ready = name, kinds(name)[0], False

    @cached_property
    def function(self) -> Any:
        """Numba's dispatcher."""
        return dispatcher(self.name)

    def __call__(self, *values: Any) -> Any:
        """Do what the function does, and change in place what it changes."""
        if not self._ready:
            self._compile()
        back: list[tuple[Any, Any]] = []
        pairs = zip(self.kinds, values, strict=True)
        result = self.function(*[_normal(kind, value, back) for kind, value in pairs])
        for target, value in back:
            target[...] = value
        return result

    def _compile(self) -> None:
        _first_calls.add(self.name)
        try:
            if self.name in THERE + HERE:
                other = _second_process()
                if other is not None and self.name in THERE:
                    other.wait_for(self.name)
            with _no_collection():
                self.function.compile(signature(self.name))
        finally:
            _first_calls.discard(self.name)
        self._ready = True


def dispatcher(name: str) -> Any:
    """Return Numba's dispatcher of a loop.

    Raises
    ------
    NeurosimError
        If Numba is here but cannot be imported, as beside a NumPy that is too new for it.
    """
    try:
        import_module("numba")
    except ImportError as error:
        why = str(error).rstrip(".")
        raise NeurosimError(
            f"Numba cannot be imported ({why}); NEUROSIM_BACKEND=numpy does without it."
        ) from None
    return getattr(import_module(f"neurosim.{LOOPS[name].module}"), LOOPS[name].function)


def is_compiling() -> bool:
    """Return whether a loop is being compiled now, or read from disk, which takes no second."""
    return bool(_first_calls)


def _normal(kind: Kind, value: Any, back: list[tuple[Any, Any]]) -> Any:
    """Return a value of exactly the type that the signature names.

    An array that had to be copied and is changed goes into `back`, with its copy.
    """
    if kind.parts:
        parts = [_normal(k, v, back) for k, v in zip(kind.parts, value, strict=True)]
        return tuple(parts) if kind.record is None else kind.record(*parts)
    if kind.dimensions:
        return contiguous(kind, value, back)
    return value if kind.letter == "R" else float(value) if kind.letter == "d" else int(value)


@contextmanager
def _no_collection() -> Generator[None, None, None]:
    """Leave out Python's search for unreachable objects, 4 % of the time of compiling."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def signature(name: str) -> tuple[Any, ...]:
    """Return Numba's types of a loop's arguments."""
    return tuple(_numba_type(kind) for kind in kinds(name)[0])


def _numba_type(kind: Kind) -> Any:
    numba: Any = import_module("numba")
    types = numba.types

    if kind.parts:
        parts = [_numba_type(part) for part in kind.parts]
        return types.BaseTuple.from_types(parts, kind.record)
    if kind.letter == "R":
        return numba.typeof(np.random.default_rng(0))
    scalar = {"d": types.float64, "i": types.int64, "b": types.boolean}[kind.letter]
    return types.Array(scalar, kind.dimensions, "C") if kind.dimensions else scalar


# --- The second process --------------------------------------------------------------------------


class SecondProcess:
    """A process that compiles loops and tells of each when it is stored."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "neurosim.base.jit", *names],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.done: set[str] = set()
        self._lock = threading.Lock()

    def wait_for(self, name: str) -> None:
        """Wait until a loop is stored, or the process has ended."""
        with self._lock:
            told = self.process.stdout
            while name not in self.done and told and not told.closed:
                line = told.readline()
                self.done.add(line.strip())
                if not line or self.done >= {*THERE}:
                    told.close()
                    self.process.wait()


@cache
def _second_process() -> SecondProcess | None:
    """Return the process that compiles half of the loops; None if they are stored, or on one core.

    None, too, in a process that another one started: all of them would start their own.
    """
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = Path(sys.executable or "").stem.startswith("python")
    if (cores or 1) < 2 or not python:
        return None
    if all(_is_stored(name) for name in THERE):
        return None
    try:
        return SecondProcess(THERE)
    except OSError:
        return None


def _is_stored(name: str) -> bool:
    """Return whether Numba has machine code of a loop on disk, or nowhere to put any."""
    function = dispatcher(name)
    folder = function.stats.cache_path
    pattern = f"*.{function.py_func.__qualname__}-*.nbi"
    return not folder or any(Path(folder).glob(pattern))


def _compile_and_tell(names: list[str]) -> None:
    for name in names:
        with _no_collection():
            dispatcher(name).compile(signature(name))
        print(name, flush=True)


if __name__ == "__main__":
    _compile_and_tell(sys.argv[1:])
