"""Build the loops of `neurosim.base.loops` ahead, as shared libraries for many machines at once.

    python scripts/build_loops.py FOLDER [SYSTEM ...]

Numba types and lowers every loop of the table; its intermediate code, not yet optimised for any
processor, is given a door with one calling convention, optimised by LLVM for each target and
linked by the linkers in the package ``ziglang``. The same lines give the same bytes. Needs
``numba`` and, to link, ``pip install ziglang``; no compiler. Takes about a minute.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

os.environ["NUMBA_OPT"] = "0"  # else the code is already made for this very processor
os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp()  # what Numba reads from disk has no such code

import llvmlite.binding as llvm

from neurosim.base.ahead import HELPERS, RESULTS, library_name
from neurosim.base.jit import dispatcher, signature
from neurosim.base.loops import LOOPS, Kind, kinds

SIGNATURES = {"malloc": "ptr i64", "free": "void ptr", "memmove": "ptr ptr ptr i64",
              "memset": "ptr ptr i32 i64", "exp": "double double", "log1p": "double double",
              "expm1": "double double", "log10": "double double",
              "pow": "double double double"}  # fmt: skip


class Target(NamedTuple):
    """A kind of machine: LLVM's names for it, how it is linked, and the library's suffix."""

    triple: str
    processor: str
    features: str
    suffix: str


def _x86(triple: str, suffix: str) -> dict[str, Target]:
    levels = ("v2", "v3")
    return {f"x86_64_{v}": Target(triple, f"x86-64-{v}", "", suffix) for v in levels}


SYSTEMS = {
    "linux_x86_64": _x86("x86_64-unknown-linux-gnu", ".so"),
    "linux_arm64": {"arm64": Target("aarch64-unknown-linux-gnu", "generic", "", ".so")},
    "macos_x86_64": _x86("x86_64-apple-macosx11.0.0", ".dylib"),
    "macos_arm64": {"arm64": Target("arm64-apple-macosx11.0.0", "apple-m1", "", ".dylib")},
    "windows_x86_64": _x86("x86_64-pc-windows-msvc", ".dll"),
    "windows_arm64": {"arm64": Target("aarch64-pc-windows-msvc", "generic", "", ".dll")},
    "wasm32": {
        "wasm32": Target(
            "wasm32-unknown-unknown",
            "generic",
            "+simd128,+bulk-memory,+sign-ext,+nontrapping-fptoint",
            ".wasm",
        )
    },
}


class Lowered(NamedTuple):
    """A loop in Numba's intermediate code: name, name of the function in it, text."""

    name: str
    function: str
    text: str


def lower() -> list[Lowered]:
    """Return every loop in Numba's intermediate code."""
    lowered = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without optimisation nothing can be cached
        for name in LOOPS:
            loop, types = dispatcher(name), signature(name)
            loop.compile(types)
            code = loop.overloads[types]
            text = loop.inspect_llvm(types).replace("@sqrt(", "@llvm.sqrt.f64(")
            lowered.append(Lowered(name, code.fndesc.mangled_name, text))
    return lowered


# --- The door ------------------------------------------------------------------------------------


def ir_type(kind: Kind) -> str:
    """Return LLVM's type of a result: Numba makes equal parts of a tuple an array."""
    if kind.parts:
        parts = [ir_type(part) for part in kind.parts]
        return (
            f"[{len(parts)} x {parts[0]}]" if len({*parts}) == 1 else "{" + ", ".join(parts) + "}"
        )
    if kind.dimensions:
        n = kind.dimensions
        return f"{{ptr, ptr, i64, i64, ptr, [{n} x i64], [{n} x i64]}}"
    return "double" if kind.letter == "d" else "i64"


def leaves(kind: Kind, path: tuple[int, ...] = ()) -> list[tuple[tuple[int, ...], str]]:
    """Return place and type of every word of a result: of an array its owner, data and shape."""
    if kind.parts:
        return [leaf for k, part in enumerate(kind.parts) for leaf in leaves(part, (*path, k))]
    if kind.dimensions:
        shape = [((*path, 5, k), "i64") for k in range(kind.dimensions)]
        return [((*path, 0), "ptr"), ((*path, 4), "ptr"), *shape]
    return [(path, ir_type(kind))]


def door(loop: Lowered) -> str:
    """Return the code of ``int neurosim_NAME(int64 *words, int64 *results)``.

    Every argument is read from words of 64 bits, and every word of the results is written to one.
    """
    quoted = f'"{loop.function}"' if f'"{loop.function}"' in loop.text else loop.function
    head = re.search(rf"define [^\n]*@{re.escape(quoted)}\(([^\n]*)\)", loop.text)
    assert head is not None
    taken = [word.split()[0] for word in re.split(r",\s*(?![^\[{]*[\]}])", head[1])][2:]
    gives = kinds(loop.name)[1]
    result = gives[0] if len(gives) == 1 else Kind("(", parts=gives)
    kind = ir_type(result) if gives else "ptr"
    words = leaves(result) if gives else []
    assert len(words) <= RESULTS
    lines = [
        f"define i32 @neurosim_{loop.name}(ptr %words, ptr %results) {{",
        f"%ret = alloca {kind}",
        "%exc = alloca ptr",
        f"store {kind} zeroinitializer, ptr %ret",
        "store ptr null, ptr %exc",
    ]
    for k, type_ in enumerate(taken):
        lines += [
            f"%w{k} = getelementptr i64, ptr %words, i64 {k}",
            f"%i{k} = load i64, ptr %w{k}",
            f"%a{k} = inttoptr i64 %i{k} to ptr" if type_ == "ptr"
            else f"%a{k} = bitcast i64 %i{k} to {type_}",
        ]  # fmt: skip
    values = ", ".join(f"{type_} %a{k}" for k, type_ in enumerate(taken))
    lines.append(f"%rc = call i32 @{quoted}(ptr %ret, ptr %exc, {values})")
    for k, (path, type_) in enumerate(words):
        index = "".join(f", i32 {step}" for step in path)
        to_bits = f"ptrtoint ptr %v{k}" if type_ == "ptr" else f"bitcast {type_} %v{k}"
        lines += [
            f"%g{k} = getelementptr {kind}, ptr %ret, i32 0{index}",
            f"%v{k} = load {type_}, ptr %g{k}",
            f"%b{k} = {to_bits} to i64",
            f"%r{k} = getelementptr i64, ptr %results, i64 {k}",
            f"store i64 %b{k}, ptr %r{k}",
        ]
    return "\n".join([*lines, "ret i32 %rc", "}"])


def runtime(suffix: str) -> str:
    """Return the code of what the loops need: C functions by way of a table, Numba's allocation.

    WebAssembly has the C functions of its host instead.
    """
    lines = [f"@neurosim_table = global [{len(HELPERS)} x ptr] zeroinitializer, align 64"]
    if suffix == ".dll":
        lines.append("@_fltused = hidden global i32 1")  # Windows' linker wants it of a C library
    names = {"malloc": "ns_malloc", "free": "ns_free"}
    for k, helper in enumerate(HELPERS):
        result, *taken = SIGNATURES[helper].split()
        name, values = (
            names.get(helper, helper),
            ", ".join(f"{t} %a{j}" for j, t in enumerate(taken)),
        )
        if suffix == ".wasm":
            lines.append(f"declare {result} @{name}({', '.join(taken)})")
            continue
        lines += [
            f"define hidden {result} @{name}({values}) noinline {{",
            f"%g = getelementptr [{len(HELPERS)} x ptr], ptr @neurosim_table, i32 0, i32 {k}",
            "%f = load ptr, ptr %g",
            f"call void %f({values})\nret void" if result == "void"
            else f"%r = call {result} %f({values})\nret {result} %r",
            "}",
        ]  # fmt: skip
    return "\n".join([*lines, ALLOCATION, MULTIPLICATION if suffix == ".wasm" else ""])


# Numba's record of memory is {count, destructor, its data, address, size, allocator}; then comes
# the memory itself, aligned to 64 bytes.
ALLOCATION = """
define hidden ptr @memcpy(ptr %to, ptr %from, i64 %n) noinline {
  %r = call ptr @memmove(ptr %to, ptr %from, i64 %n)
  ret ptr %r
}
define hidden ptr @NRT_MemInfo_alloc_aligned(i64 %n, i32 %align) noinline {
  %whole = add i64 %n, 128
  %m = call ptr @ns_malloc(i64 %whole)
  %no = icmp eq ptr %m, null
  br i1 %no, label %none, label %some
none:
  ret ptr null
some:
  call ptr @memset(ptr %m, i32 0, i64 48)
  store i64 1, ptr %m
  %i = ptrtoint ptr %m to i64
  %j = add i64 %i, 111
  %k = and i64 %j, -64
  %d = inttoptr i64 %k to ptr
  %pd = getelementptr {i64, ptr, ptr, ptr, i64, ptr}, ptr %m, i32 0, i32 3
  store ptr %d, ptr %pd
  %ps = getelementptr {i64, ptr, ptr, ptr, i64, ptr}, ptr %m, i32 0, i32 4
  store i64 %n, ptr %ps
  ret ptr %m
}
define hidden ptr @NRT_MemInfo_alloc(i64 %n) noinline {
  %r = call ptr @NRT_MemInfo_alloc_aligned(i64 %n, i32 16)
  ret ptr %r
}
define hidden void @NRT_MemInfo_call_dtor(ptr %m) noinline {
  call void @ns_free(ptr %m)
  ret void
}
"""

# WebAssembly has no product of 128 bits, by which Numba sees that a size is too large.
MULTIPLICATION = """
define hidden void @__multi3(ptr %r, i64 %a, i64 %ah, i64 %b, i64 %bh) noinline {
  %a0 = and i64 %a, 4294967295
  %a1 = lshr i64 %a, 32
  %b0 = and i64 %b, 4294967295
  %b1 = lshr i64 %b, 32
  %p00 = mul i64 %a0, %b0
  %p01 = mul i64 %a0, %b1
  %p10 = mul i64 %a1, %b0
  %p11 = mul i64 %a1, %b1
  %c = lshr i64 %p00, 32
  %m0 = and i64 %p01, 4294967295
  %m1 = and i64 %p10, 4294967295
  %s0 = add i64 %c, %m0
  %s1 = add i64 %s0, %m1
  %h0 = lshr i64 %p01, 32
  %h1 = lshr i64 %p10, 32
  %h2 = lshr i64 %s1, 32
  %x0 = mul i64 %a, %bh
  %x1 = mul i64 %ah, %b
  %t0 = add i64 %p11, %h0
  %t1 = add i64 %t0, %h1
  %t2 = add i64 %t1, %h2
  %t3 = add i64 %t2, %x0
  %high = add i64 %t3, %x1
  %low = mul i64 %a, %b
  store i64 %low, ptr %r
  %place = getelementptr i64, ptr %r, i64 1
  store i64 %high, ptr %place
  ret void
}
"""


# --- Objects and libraries -----------------------------------------------------------------------


def emit(loops: list[Lowered], target: Target) -> bytes:
    """Return the object file of all loops for one target."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.processor, features=target.features, opt=3, reloc="pic", codemodel="small"
    )
    head = f'target triple = "{target.triple}"\ntarget datalayout = "{machine.target_data}"\n'

    def parse(text: str) -> llvm.ModuleRef:
        text = re.sub(r'target (triple|datalayout) = "[^"]*"', "", text)
        return llvm.parse_assembly(head + text)

    whole = parse("")
    for loop in loops:
        module = parse(f"{loop.text}\n{door(loop)}")
        for part in (*module.functions, *module.global_variables):
            if not part.is_declaration and not part.name.startswith("neurosim_"):
                part.linkage = "internal"
        whole.link_in(module)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(whole, builder)
    parts = [p for p in (*whole.functions, *whole.global_variables) if not p.is_declaration]
    for k, part in enumerate(p for p in parts if not p.name.startswith("neurosim_")):
        part.name = f"part{k}"  # Numba's names hold addresses of this process
    whole.link_in(parse(runtime(target.suffix)))
    whole.verify()
    return machine.emit_object(whole)


def link(code: bytes, target: Target) -> bytes:
    """Return the shared library of an object file."""
    names = [f"neurosim_{name}" for name in (*LOOPS, "table")]
    processor = target.triple.split("-")[0]
    commands = {
        ".so": ["ld.lld", "-shared", "--strip-all", "-z", "now", "-o", "loops", "loops.o"],
        ".dylib": ["cc", "-target", f"{processor.replace('arm64', 'aarch64')}-macos.11.0",
                   "-shared", "-nostdlib", "-s", "-Wl,-install_name,@rpath/loops.dylib",
                   "-o", "loops", "loops.o"],
        ".dll": ["lld-link", "/dll", "/noentry", "/nodefaultlib", "/Brepro", "/out:loops",
                 *(f"/export:{n}" + ",DATA" * (n == "neurosim_table") for n in names), "loops.o"],
        ".wasm": ["wasm-ld", "--no-entry", "--allow-undefined", "--gc-sections", "--strip-all",
                  "--import-memory", "--export-table", "--growable-table", "--export=__heap_base",
                  *(f"--export={n}" for n in names), "-o", "loops", "loops.o"],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "loops.o").write_bytes(code)
        environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": folder, "ZIG_LOCAL_CACHE_DIR": folder}
        done = subprocess.run(
            [sys.executable, "-m", "ziglang", *commands[target.suffix]],
            cwd=folder, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{target.triple} cannot be linked: {done.stderr.strip()}")
        return Path(folder, "loops").read_bytes()


def build(folder: Path, systems: list[str]) -> list[Path]:
    """Write the libraries of some systems into a folder each, and return their paths."""
    loops, paths = lower(), []
    for system in systems:
        (folder / system).mkdir(parents=True, exist_ok=True)
        for name, target in SYSTEMS[system].items():
            library = link(emit(loops, target), target)
            paths.append(folder / system / library_name(name, library, target.suffix))
            paths[-1].write_bytes(library)
    return paths


def main() -> None:
    """Build what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where a folder for each system is made")
    parser.add_argument("systems", nargs="*", help=f"of {', '.join(SYSTEMS)}; default: all")
    words = parser.parse_args()
    for name in words.systems:
        if name not in SYSTEMS:
            parser.error(f"unknown system {name!r}: choose from {', '.join(SYSTEMS)}")
    for path in build(words.folder, words.systems or [*SYSTEMS]):
        print(f"{path} {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
