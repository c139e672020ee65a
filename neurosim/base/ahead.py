"""The loops of a library that was built ahead: no Numba while a program runs, no compiling.

A wheel brings one shared library for each instruction set, made by ``scripts/build_loops.py`` from
Numba's own intermediate code. Its name tells the lines that it was made of (`loops.digest`) and its
content, so that neither a stale nor a damaged one is ever opened. It asks the system for nothing:
what it needs of the C library it finds in a table of addresses that this module fills.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.loops import LOOPS, Kind, contiguous, digest, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "_loops"
# What the machine code asks of this process, by place in its table.
HELPERS = ("malloc", "free", "memmove", "memset", "exp", "log1p", "expm1", "log10", "pow")
SUFFIXES = {"win32": ".dll", "darwin": ".dylib"}  # else .so
RESULTS = 64  # most words that a loop returns


@cache
def open_library() -> Library | None:
    """Return the library of these very lines for this machine, or None."""
    for target in targets():
        for path in sorted(
            FOLDER.glob(f"{digest()}-{target}-*{SUFFIXES.get(sys.platform, '.so')}")
        ):
            if is_whole(path):
                try:
                    return Library(path, target)
                except (OSError, AttributeError):  # the system does not let it run
                    continue
    return None


def library_name(target: str, content: bytes, suffix: str) -> str:
    """Return the name of a library of these lines with that content."""
    return f"{digest()}-{target}-{sha256(content).hexdigest()[:16]}{suffix}"


def is_whole(path: Path) -> bool:
    """Return whether a library's content is what its name says."""
    try:
        return sha256(path.read_bytes()).hexdigest()[:16] == path.stem.rpartition("-")[2]
    except OSError:
        return False


def targets() -> list[str]:
    """Return the instruction sets of this machine that libraries are built for, best first."""
    machine = platform.machine().lower()
    if machine in ("arm64", "aarch64"):
        return ["arm64"]
    if machine not in ("x86_64", "amd64") or sys.maxsize < 2**32:
        return []
    return ["x86_64_v3", "x86_64_v2"] if _has_v3() else ["x86_64_v2"]


def _has_v3() -> bool:
    """Return whether the processor has x86-64-v3's instructions, as NumPy tells."""
    try:
        inside: Any = import_module("numpy._core._multiarray_umath")
    except ImportError:
        return False
    features: dict[str, bool] = getattr(inside, "__cpu_features__", {})
    return features.get("X86_V3", features.get("AVX2", False) and features.get("FMA3", False))


class Library:
    """The loops of one library by name.

    Raises
    ------
    OSError
        If the system refuses it.
    AttributeError
        If a loop is missing.
    """

    def __init__(self, path: Path, target: str) -> None:
        self.path, self.target, self._library = path, target, ctypes.CDLL(str(path))
        table = (ctypes.c_void_p * len(HELPERS)).in_dll(self._library, "neurosim_table")
        table[:] = helper_addresses()
        self._loops = {
            name: AheadLoop(name, getattr(self._library, f"neurosim_{name}")) for name in LOOPS
        }

    def loop(self, name: str) -> AheadLoop:
        """Return a loop as a function."""
        return self._loops[name]


class AheadLoop:
    """One loop of a library: every argument is laid out in words of 64 bits, and every result."""

    def __init__(self, name: str, function: Any) -> None:
        self.name, self.function, self.kinds = name, function, kinds(name)
        function.restype, function.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p]

    def __call__(self, *values: Any) -> Any:
        """Do what the function does, and change in place what it changes.

        Raises
        ------
        RuntimeError
            If the loop fails, as where there is no memory.
        """
        words: list[int] = []
        alive: list[Any] = []
        back: list[tuple[Any, Any]] = []
        for kind, value in zip(self.kinds[0], values, strict=True):
            _lay_out(kind, value, words, alive, back)
        given, results = np.array(words, np.int64), np.zeros(RESULTS, np.int64)
        if self.function(given.ctypes.data, results.ctypes.data):
            raise RuntimeError(f"The loop {self.name} failed.")
        for target, value in back:
            target[...] = value
        taken = iter(results.tolist())
        read = [_read(kind, taken) for kind in self.kinds[1]]
        return None if not read else read[0] if len(read) == 1 else tuple(read)


def _lay_out(
    kind: Kind, value: Any, words: list[int], alive: list[Any], back: list[tuple[Any, Any]]
) -> None:
    """Add a value to the words: a number as its bits, an array as Numba's record of one."""
    if kind.parts:
        for part, one in zip(kind.parts, value, strict=True):
            _lay_out(part, one, words, alive, back)
    elif kind.letter == "R":
        words += _generator_words(value)
    elif kind.dimensions:
        array = contiguous(kind, value, back)
        alive.append(array)
        words += [0, 0, array.size, array.itemsize, array.ctypes.data]
        words += [*array.shape, *array.strides]
    else:
        words.append(_bits(float(value)) if kind.letter == "d" else int(value))


def _bits(number: float) -> int:
    return ctypes.c_int64.from_buffer(ctypes.c_double(number)).value


def _generator_words(rng: np.random.Generator) -> list[int]:
    """Return the nine words that a generator is to Numba."""
    c: Any = rng.bit_generator.ctypes
    draw = [_address(f) for f in (c.next_uint64, c.next_uint32, c.next_double)]
    return [0, c.state_address, _address(c.state), *draw, _address(c.bit_generator), 0, 0]


def _read(kind: Kind, words: Iterator[int]) -> Any:
    """Return a result from its words; an array is copied and its memory freed."""
    if kind.parts:
        parts = [_read(part, words) for part in kind.parts]
        return tuple(parts) if kind.record is None else kind.record(*parts)
    if not kind.dimensions:
        word = next(words)
        return (
            word if kind.letter == "i" else ctypes.c_double.from_buffer(ctypes.c_int64(word)).value
        )
    owner, data = next(words), next(words)
    shape = tuple(next(words) for _ in range(kind.dimensions))
    array = np.empty(shape)
    if array.size:
        ctypes.memmove(array.ctypes.data, data, array.nbytes)
    _free(owner)
    return array


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _free(address: int) -> None:
    ctypes.pythonapi.PyMem_RawFree(ctypes.c_void_p(address))


def helper_addresses() -> list[int]:
    """Return the addresses of `HELPERS` in this process: the functions that Numba's code calls."""
    python = ctypes.pythonapi
    memory: dict[str, Any] = {
        "malloc": python.PyMem_RawMalloc,
        "free": python.PyMem_RawFree,
        "memmove": ctypes.memmove,
        "memset": ctypes.memset,
    }
    mathematics = _c_library()
    return [_address(memory.get(name) or getattr(mathematics, name)) for name in HELPERS]


def _c_library() -> ctypes.CDLL:
    """Return the C library with its mathematics."""
    if sys.platform == "win32":
        return ctypes.CDLL("ucrtbase")
    everything = ctypes.CDLL(None)
    if hasattr(everything, "log1p"):
        return everything
    from ctypes.util import find_library

    return ctypes.CDLL(find_library("m"))
