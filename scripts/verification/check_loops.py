"""Run libraries of other machines in an emulator and compare them with Numba.

    python scripts/verification/check_loops.py FOLDER

FOLDER is what ``scripts/build_loops.py FOLDER`` wrote. Every loop gets the inputs of the cases in
``tests/base/test_backends.py``, recorded while Numba answers them, and runs in an emulated ARM64 or
x86-64-v2 processor by the calling convention of its system, or as WebAssembly (``pip install
unicorn lief wasmtime``). Random numbers, memory and the C library's functions are served by this
process. What is not checked: that the system opens the file. Takes half a minute.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import math
import os
import struct
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

os.environ["NEUROSIM_BACKEND"] = "numba"

import lief
import numpy as np
import unicorn
import wasmtime
from unicorn import arm64_const as arm
from unicorn import x86_const as x86

from neurosim.base import backends
from neurosim.base.ahead import HELPERS, RESULTS
from neurosim.base.loops import LOOPS, Kind, kinds

PAGE, STUBS, STACK, HEAP = 1 << 16, 1 << 40, 1 << 41, 1 << 42
REAL = {"d": "d"}
HEAP_SIZE, STACK_SIZE = 1 << 28, 1 << 20
DRAWS = ("next_uint64", "next_uint32", "next_double")
# What macOS has in its C library besides.
STUB_NAMES = (*HELPERS, *DRAWS, "__bzero", "bzero", "memset_pattern16", "dyld_stub_binder", "end")


def recorded() -> dict[str, tuple[Any, Any, Any]]:
    """Return of every loop what it got first, what it left of that, and what it returned."""
    path = Path(__file__).parents[2] / "tests" / "base" / "test_backends.py"
    spec = importlib.util.spec_from_file_location("cases", path)
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    calls, loop = {}, backends._loop

    def record(name: str, which: str) -> Any:
        def call(*values: Any) -> Any:
            before = copy.deepcopy(values)
            result = loop(name, which)(*values)
            calls.setdefault(name, (before, copy.deepcopy(values), copy.deepcopy(result)))
            return result

        return call

    backends._loop = record
    for case in cases.CASES.values():
        case()
    backends._loop = loop
    return calls


class Machine(ABC):
    """A machine whose memory this process sees, with a library in it."""

    rng: np.random.Generator

    def __init__(self, heap: int) -> None:
        self.heap = self.begin = heap

    @abstractmethod
    def read(self, at: int, size: int) -> bytes:
        """Return a part of the memory."""

    @abstractmethod
    def write(self, at: int, content: bytes) -> None:
        """Change a part of the memory."""

    @abstractmethod
    def stub(self, name: str) -> int:
        """Return the address at which this process serves a function."""

    @abstractmethod
    def run(self, name: str, given: int, results: int) -> int:
        """Run a loop and return what its door returns."""

    def take(self, size: int) -> int:
        """Return new memory."""
        at = -(-self.heap // 64) * 64
        self.heap = at + size
        assert self.heap < self.begin + HEAP_SIZE
        return at

    def put(self, content: bytes) -> int:
        """Return the address of new memory with that content."""
        at = self.take(len(content) + 64)
        self.write(at, content)
        return at

    def serve(self, name: str, whole: list[int], real: list[float]) -> float:
        """Do what a function that the library calls does, and return its result."""
        a, b, c = whole
        if name == "malloc":
            return self.take(a)
        if name == "memmove":
            self.write(a, self.read(b, c))
            return a
        if name in ("memset", "__bzero", "bzero"):
            length, fill = (c, b & 255) if name == "memset" else (b, 0)
            self.write(a, bytes([fill]) * length)
            return a
        if name == "memset_pattern16":
            self.write(a, (self.read(b, 16) * (c // 16 + 1))[:c])
        elif name in DRAWS:
            bits = self.rng.bit_generator.ctypes
            return getattr(bits, name)(bits.state)
        elif name == "dyld_stub_binder":
            raise RuntimeError("a name was not bound")
        elif name != "free":
            return math.pow(*real) if name == "pow" else getattr(math, name)(real[0])
        return 0

    def lay_out(self, kind: Kind, value: Any, words: list[int], arrays: list[Any]) -> None:
        """Add an argument to the words, and an array with its address to `arrays`."""
        if kind.parts:
            for part, one in zip(kind.parts, value, strict=True):
                self.lay_out(part, one, words, arrays)
        elif kind.letter == "R":
            self.rng = copy.deepcopy(value)
            words += [0, 0, 0, *map(self.stub, DRAWS), 0, 0, 0]
        elif kind.dimensions:
            dtype = {"d": np.float64, "i": np.int64, "b": np.bool_}[kind.letter]
            array = np.array(value, dtype, order="C")
            at = self.put(array.tobytes())
            arrays.append((at, array))
            words += [0, 0, array.size, array.itemsize, at, *array.shape, *array.strides]
        else:
            words += struct.unpack("<q", struct.pack(f"<{REAL.get(kind.letter, 'q')}", value))

    def call(self, name: str, values: tuple[Any, ...]) -> list[np.ndarray]:
        """Call a loop; return its arrays as it left them, and every word and array it returned."""
        self.heap, words, arrays = self.begin, [], []
        for kind, value in zip(kinds(name)[0], values, strict=True):
            self.lay_out(kind, value, words, arrays)
        given = self.put(struct.pack(f"<{len(words)}q", *words))
        results = self.put(bytes(8 * RESULTS))
        assert self.run(name, given, results) == 0, f"{name} failed"
        left = [self._array(at, array.dtype, array.shape) for at, array in arrays]
        taken = iter(self._array(results, np.dtype(np.int64), (RESULTS,)))
        return left + [one for kind in kinds(name)[1] for one in self._words(kind, taken)]

    def _words(self, kind: Kind, words: Any) -> list[np.ndarray]:
        if kind.parts:
            return [one for part in kind.parts for one in self._words(part, words)]
        if not kind.dimensions:
            word = np.array(next(words))
            return [word.view(np.float64) if kind.letter == "d" else word]
        next(words)
        at = int(next(words))
        shape = tuple(int(next(words)) for _ in range(kind.dimensions))
        return [self._array(at, np.dtype(np.float64), shape)]

    def _array(self, at: int, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
        return np.frombuffer(self.read(at, math.prod(shape) * dtype.itemsize), dtype).reshape(shape)


class Emulated(Machine):
    """An emulated processor with a library in its memory at address 0."""

    def __init__(self, path: Path, system: str) -> None:
        super().__init__(HEAP)
        self.is_arm, self.is_windows = system.endswith("arm64"), system.startswith("windows")
        kind = (unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        kind = kind if self.is_arm else (unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
        self.cpu = unicorn.Uc(*kind)
        if self.is_arm:
            self.cpu.ctl_set_cpu_model(arm.UC_CPU_ARM64_MAX)  # Apple's have atomic additions
            self.cpu.reg_write(arm.UC_ARM64_REG_CPACR_EL1, 3 << 20)  # floating point on
        for at, size in ((STUBS, PAGE), (STACK, STACK_SIZE), (HEAP, HEAP_SIZE)):
            self.cpu.mem_map(at, size)
        back = b"\xc0\x03\x5f\xd6" * 4 if self.is_arm else b"\xc3" + b"\x90" * 15
        self.write(STUBS, back * len(STUB_NAMES))
        self.cpu.hook_add(unicorn.UC_HOOK_CODE, self._stop_at, begin=STUBS, end=STUBS + PAGE)
        self.entries = self._load(lief.parse(str(path)))
        table = struct.pack(f"<{len(HELPERS)}Q", *map(self.stub, HELPERS))
        self.write(self.entries["neurosim_table"], table)

    def read(self, at: int, size: int) -> bytes:
        """See `Machine`."""
        return bytes(self.cpu.mem_read(at, size)) if size else b""

    def write(self, at: int, content: bytes) -> None:
        """See `Machine`."""
        self.cpu.mem_write(at, content)

    def stub(self, name: str) -> int:
        """See `Machine`."""
        return STUBS + 16 * STUB_NAMES.index(name)

    def _load(self, binary: Any) -> dict[str, int]:
        """Put a library into memory as its system does, and return the addresses of its names."""
        base = binary.optional_header.imagebase if self.is_windows else 0
        parts = binary.sections if self.is_windows else binary.segments
        ends = [part.virtual_address + part.virtual_size for part in parts]
        self.cpu.mem_map(base, -(-max(ends) // PAGE) * PAGE)
        for part in parts:
            if "LOAD" in str(getattr(part, "type", "LOAD")):
                self.write(base + part.virtual_address, bytes(part.content))
        if self.is_windows:
            assert not [*binary.imports], "a library asks for nothing"
            return {e.name: base + e.address for e in binary.get_export().entries}
        if isinstance(binary, lief.ELF.Binary):
            for one in binary.relocations:
                value = (one.symbol.value if one.has_symbol else 0) + one.addend
                assert value, f"{one.symbol.name} is not in the library"
                self.write(one.address, struct.pack("<Q", value))
            return {s.name: s.value for s in binary.dynamic_symbols if s.value}
        for one in binary.bindings:
            name = one.symbol.name.removeprefix("_")
            self.write(one.address, struct.pack("<Q", self.stub(name)))
        return {s.name.removeprefix("_"): s.value for s in binary.symbols if s.value}

    def _registers(self) -> tuple[list[int], int, list[int]]:
        """Return the registers of whole arguments, of a whole result, and of real ones."""
        if self.is_arm:
            whole = [arm.UC_ARM64_REG_X0, arm.UC_ARM64_REG_X1, arm.UC_ARM64_REG_X2]
            return whole, arm.UC_ARM64_REG_X0, [arm.UC_ARM64_REG_D0, arm.UC_ARM64_REG_D1]
        whole = [x86.UC_X86_REG_RDI, x86.UC_X86_REG_RSI, x86.UC_X86_REG_RDX]
        if self.is_windows:
            whole = [x86.UC_X86_REG_RCX, x86.UC_X86_REG_RDX, x86.UC_X86_REG_R8]
        return whole, x86.UC_X86_REG_RAX, [x86.UC_X86_REG_XMM0, x86.UC_X86_REG_XMM1]

    def _stop_at(self, cpu: unicorn.Uc, address: int, size: int, data: Any) -> None:
        """Serve the function at an address of a stub; its one instruction is a return."""
        if (address - STUBS) % 16:
            return
        name = STUB_NAMES[(address - STUBS) // 16]
        if name == "end":
            cpu.emu_stop()
            return
        whole, result, real = self._registers()
        bits = (cpu.reg_read(register) & (2**64 - 1) for register in real)
        numbers = [struct.unpack("<d", struct.pack("<Q", word))[0] for word in bits]
        value = self.serve(name, [cpu.reg_read(register) for register in whole], numbers)
        if isinstance(value, float):
            cpu.reg_write(real[0], struct.unpack("<Q", struct.pack("<d", value))[0])
        else:
            cpu.reg_write(result, value)

    def run(self, name: str, given: int, results: int) -> int:
        """See `Machine`."""
        whole, result, _ = self._registers()
        self.cpu.reg_write(whole[0], given)
        self.cpu.reg_write(whole[1], results)
        top = STACK + STACK_SIZE - 4096
        if self.is_arm:
            self.cpu.reg_write(arm.UC_ARM64_REG_SP, top)
            self.cpu.reg_write(arm.UC_ARM64_REG_X30, self.stub("end"))
        else:
            self.write(top - 8, struct.pack("<Q", self.stub("end")))
            self.cpu.reg_write(x86.UC_X86_REG_RSP, top - 8)
        self.cpu.emu_start(self.entries[f"neurosim_{name}"], 0)
        return self.cpu.reg_read(result) & 0xFFFFFFFF


class WebAssembly(Machine):
    """The machine of a browser, with a library in it."""

    def __init__(self, path: Path) -> None:
        self.store = wasmtime.Store()
        module = wasmtime.Module.from_file(self.store.engine, str(path))
        wanted = {one.name: one.type for one in module.imports}
        self.memory = wasmtime.Memory(self.store, wanted["memory"])
        served = [
            self.memory if name == "memory" else self._serve(name, type_)
            for name, type_ in wanted.items()
        ]
        self.exports = wasmtime.Instance(self.store, module, served).exports(self.store)
        super().__init__(self.exports["__heap_base"].value(self.store))
        self.memory.grow(self.store, HEAP_SIZE // PAGE + 1)
        i32, i64, f64 = wasmtime.ValType.i32(), wasmtime.ValType.i64(), wasmtime.ValType.f64()
        results = dict(zip(DRAWS, (i64, i32, f64), strict=True))
        self.places = {
            name: self.exports["__indirect_function_table"].grow(
                self.store, 1, self._serve(name, wasmtime.FuncType([i64], [result]))
            )
            for name, result in results.items()
        }

    def _serve(self, name: str, type_: wasmtime.FuncType) -> wasmtime.Func:
        helper = {"ns_malloc": "malloc", "ns_free": "free"}.get(name, name)

        def call(*values: float) -> float | None:
            whole = [v & 2**64 - 1 if isinstance(v, int) else 0 for v in values]
            result = self.serve(helper, [*whole, 0, 0, 0][:3], list(values))
            return result if type_.results else None

        return wasmtime.Func(self.store, type_, call)

    def read(self, at: int, size: int) -> bytes:
        """See `Machine`."""
        return bytes(self.memory.read(self.store, at, at + size))

    def write(self, at: int, content: bytes) -> None:
        """See `Machine`."""
        self.memory.write(self.store, content, at)

    def stub(self, name: str) -> int:
        """See `Machine`."""
        return self.places[name]

    def run(self, name: str, given: int, results: int) -> int:
        """See `Machine`."""
        return self.exports[f"neurosim_{name}"](self.store, given, results)


def flat(kinds_: tuple[Kind, ...], values: Any) -> list[np.ndarray]:
    """Return numbers and arrays in the order of `Machine.call`; of arguments the arrays alone."""
    out = []
    for kind, value in zip(kinds_, values, strict=True):
        if kind.parts:
            out += flat(kind.parts, value)
        elif kind.letter != "R":
            out.append(np.asarray(value))
    return out


def worst(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest difference of two arrays, relative to the value and a tenth of its unit.

    A potential that rises through 0 mV has no digits of its own there.
    """
    one, other = one.astype(float), other.astype(float)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        difference = np.abs(one - other) / (np.abs(one) + 0.1)
    return float(np.where(same, 0.0, difference).max(initial=0.0))


def main() -> None:
    """Check what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    calls, failed = recorded(), False
    for path in sorted(parser.parse_args().folder.glob("*/*")):
        system = path.parent.name
        if "x86_64_v3" in path.name:
            continue  # no emulator has its instructions
        machine = WebAssembly(path) if system == "wasm32" else Emulated(path, system)
        for name in LOOPS:
            before, after, result = calls[name]
            takes, gives = kinds(name)
            results = () if not gives else result if len(gives) > 1 else (result,)
            arrays = tuple(k for k in takes), after
            expected = [a for a in flat(*arrays) if a.ndim] + flat(gives, results)
            found = machine.call(name, before)
            differences = [worst(e, f) for e, f in zip(expected, found, strict=True)]
            bits = all(e.tobytes() == f.tobytes() for e, f in zip(expected, found, strict=True))
            failed |= max(differences) > 1e-9
            words = "same bits" if bits else f"differ by {max(differences):.1e}"
            print(f"{system:<15}{name:<21}{words}", flush=True)
    raise SystemExit("Some loop differs by more than 1e-9." if failed else 0)


if __name__ == "__main__":
    main()
