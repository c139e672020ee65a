"""Break the code in one place at a time and say which breaks no test sees.

    python scripts/verification/mutate.py [--only blood ...] [--sample N]

Each mutant of a module of `TARGETS` (a constant moved, a comparison or a sign turned, an ``and``
for an ``or``, a condition negated, ``min`` for ``max``) is put to the tests named beside it, in a
process of its own that imports the mutated source in place of the file; nothing is written. A
mutant that survives is a rule that no test holds, unless it stands in `EQUIVALENT` with the reason
why it cannot be told from the original. Ends with 1 if any other survives. Needs an operating
system that forks.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60.0
TARGETS = {
    "model/body/blood": ("tests/model/body/test_body_blood.py",),
    "article/verdict": ("tests/article/test_verdict.py",),
    "article/phrases": ("tests/article/test_phrases.py",),
    "article/matrix": ("tests/article/test_matrix.py",),
    "model/muscle/events": ("tests/model/muscle/test_events.py",),
}
# Tests that take long and hold none of these rules.
SKIPPED = "not million and not covers and not table_changes and not long_train"
IMPORTED_ONCE = ("numpy", "pytest", "scipy.special", "scipy.stats", "matplotlib.text")  # for all
HEADS = ("module", "mutants", "killed", "(too long)", "equivalent", "survived")


class Equivalent(NamedTuple):
    """Mutants of one line that no test could tell from the original, and why."""

    module: str
    code: str
    changes: tuple[str, ...]
    reason: str


_SAME_LENGTH = "both are made of the same rows: the check of lengths never fails"
_ITERATION = "start, slope or tolerance of an iteration that ends at the same root"
_ROUNDING = "a margin for rounding, a millionth of the shortest time between two discharges"
_BLOOD, _VERDICT, _PHRASES = "model/body/blood", "article/verdict", "article/phrases"
_EVENTS = "model/muscle/events"
EQUIVALENT = (
    Equivalent(_BLOOD, "retained = min(1.0, lost_l / drunk_l) if drunk_l else 0.0", ("0.0 -> 1.0",),
               "the share of nothing drunk: it is multiplied by what was drunk, 0"),
    Equivalent(_BLOOD, 'slope = "acute_bicarbonate_slope" if fall > 0 else '
               '"acute_bicarbonate_slope_up"', ("fall > 0 -> fall >= 0",),
               "at no fall either slope is multiplied by 0"),
    Equivalent(_BLOOD, "f\"{'alkaline' if change > 0 else 'acid'}, which moves the gates of sodium "
               'channels."', ("change > 0 -> change >= 0",), "a change of 0 has returned before"),
    Equivalent(_BLOOD, "if change > 0", ("change > 0 -> change >= 0",),
               "a change of 0 has returned before"),
    Equivalent(_VERDICT, "return {c: mean_ratio(row).change for c, row in zip(matrix.causes, rows, "
               "strict=True)}", ("True -> False",), _SAME_LENGTH),
    Equivalent(_PHRASES, "columns = [wrap(c, w) or [\"\"] for c, w in zip(cells, COLUMNS, "
               "strict=True)]", ("True -> False",), _SAME_LENGTH),
    Equivalent(_PHRASES, 'lines.append("  ".join(p.ljust(w) for p, w in zip(part, COLUMNS, '
               'strict=True)).rstrip())', ("True -> False",), _SAME_LENGTH),
    Equivalent(_EVENTS, "_PEAK_HZ = 1000.0  # samples of the force of a spasm among which its peak "
               "is found", ("1000.0 -> 1110.0",),
               "the largest of a smooth force's samples moves by less than a thousandth"),
    Equivalent(_EVENTS, "*(float(np.ravel(v)[0]) if np.size(v) else 1.0 for v in (scale, "
               "scales[1]))", ("1.0 -> 1.11", "1.0 -> -1.0"),
               "read only without any discharge, where there is no spasm to be scaled"),
    Equivalent(_EVENTS, "times[inside] - start, unit[inside], m, end - start, _PEAK_HZ, scales",
               ("end - start -> end + start",), "the force is watched for longer, when it falls"),
    Equivalent(_EVENTS, "for name, value in zip(names, values, strict=True):", ("True -> False",),
               _SAME_LENGTH),
    Equivalent(_EVENTS, '("plateau", 1, "spasm"),', ("1 -> 0",),
               "an event has one discharge at least"),
    Equivalent(_EVENTS, 'limit_s = parameter("muscle", "event_interval_ms") / 1000.0 + 1e-9',
               ("1e-09 -> 1.11e-09",), _ROUNDING),
    Equivalent(_EVENTS, "new[1:] = (np.diff(unit) != 0) | (np.diff(times_s) > limit_s)",
               ("np.diff(times_s) > limit_s -> np.diff(times_s) >= limit_s",), _ROUNDING),
    Equivalent(_EVENTS, "gap[starts[1:] - 1] = np.inf", ("1 -> 0",),
               "the gap before the first event is the last one, which is infinite already"),
    Equivalent(_EVENTS, "above = top >= np.repeat(edge, discharges.astype(np.intp))",
               ("top >= np.repeat(edge, discharges.astype(np.intp)) -> "
                "top > np.repeat(edge, discharges.astype(np.intp))",),
               "that a top is 5 % of its event's peak to the last bit never happens"),
    *(Equivalent(_EVENTS, code, changes, _ITERATION) for code, changes in {
        "s = -1.0 - log_y": ("-1.0 -> 1.0", "1.0 -> 1.11", "1.0 -> -1.0"),
        "v = np.exp(log_y) if rising else 1.0 + np.sqrt(2.0 * s) + s":
            ("1.0 -> 1.11", "1.0 -> -1.0", "2.0 * s -> 2.0 / s", "2.0 -> 2.22"),
        "for _ in range(60):": ("60 -> 61", "60 -> 59"),
        "slope = 1.0 - 1.0 / v": ("1.0 -> 1.11",),
        "step = np.divide(residue, slope, out=np.zeros_like(v), where=np.abs(slope) > 1e-8)":
            ("np.abs(slope) > 1e-08 -> np.abs(slope) >= 1e-08",
             "1e-08 -> 1.1100000000000002e-08", "1e-08 -> -1e-08"),
        "if np.all(np.abs(step) <= 1e-13 * v):":
            ("np.abs(step) <= 1e-13 * v -> np.abs(step) < 1e-13 * v", "1e-13 * v -> 1e-13 / v",
             "1e-13 -> 1.1100000000000002e-13", "1e-13 -> -1e-13"),
    }.items()),
)  # fmt: skip

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
}  # fmt: skip
EXTREMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}


class Mutant(NamedTuple):
    """A module with one node changed: where, how, and its whole new source."""

    module: str
    function: str
    line: int
    code: str
    change: str
    source: str

    @property
    def is_equivalent(self) -> bool:
        """Whether `EQUIVALENT` says that nothing could tell it from the original."""
        return any(
            (e.module, e.code) == (self.module, self.code) and self.change in e.changes
            for e in EQUIVALENT
        )


# --- The mutants -----------------------------------------------------------------------


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every mutant of one node itself, not of what it holds."""
    if isinstance(node, ast.Constant):
        yield from map(ast.Constant, _other_constants(node.value))
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in COMPARISONS[type(op)]:
                yield ast.Compare(node.left, [*node.ops[:i], other(), *node.ops[i + 1 :]],
                                  node.comparators)  # fmt: skip
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.Name) and node.id in EXTREMES:
        yield ast.Name(EXTREMES[node.id], node.ctx)
    elif isinstance(node, ast.Attribute) and node.attr in EXTREMES:
        yield ast.Attribute(node.value, EXTREMES[node.attr], node.ctx)


def _other_constants(value: object) -> Sequence[object]:
    """Return what to put in place of a constant: nothing for words."""
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return value + 1, value - 1
    if isinstance(value, float):
        return (1.11 * value, -value) if value else (1.0,)
    return ()


def places(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST, str, int | None]]:
    """Yield every child of a tree that may be exchanged: function, parent, field and index."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for i, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            if isinstance(child, ast.AST):
                name = getattr(child, "name", "")
                scoped = isinstance(child, (ast.FunctionDef, ast.ClassDef))
                inner = f"{function}.{name}".strip(".") if scoped else function
                yield function, tree, field, i
                yield from places(child, inner)


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, in the order of its source."""
    text = (ROOT / f"neurosim/{module}.py").read_text("utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    for function, parent, field, i in places(tree):
        slot = getattr(parent, field)
        node = slot if i is None else slot[i]
        for other in _all_variants(node, parent, field):
            _put(parent, field, i, other)
            source = ast.unparse(ast.fix_missing_locations(copy.deepcopy(tree)))
            _put(parent, field, i, node)
            change = f"{ast.unparse(node)} -> {ast.unparse(other)}"
            line = getattr(node, "lineno", 1)
            yield Mutant(module, function, line, lines[line - 1].strip(), change, source)


def _all_variants(node: ast.AST, parent: ast.AST, field: str) -> Iterator[ast.AST]:
    yield from variants(node)
    negatable = isinstance(parent, (ast.If, ast.While)) and field == "test"
    if (
        negatable
        and isinstance(node, ast.expr)
        and not isinstance(node, (ast.Compare, ast.UnaryOp))
    ):
        yield ast.UnaryOp(ast.Not(), node)


def _put(parent: ast.AST, field: str, i: int | None, node: ast.AST) -> None:
    if i is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[i] = node


# --- One mutant against its tests ------------------------------------------------------


class _Loader(importlib.abc.Loader):
    """Loads the source of a mutant in place of a module's file."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.source, f"<{self.mutant.change}>", "exec"), vars(module))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the mutant by the name of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant, self.name = mutant, f"neurosim.{mutant.module.replace('/', '.')}"

    def find_spec(self, fullname: str, path: object, target: object = None):
        if fullname != self.name:
            return None
        origin = str(ROOT / f"neurosim/{self.mutant.module}.py")
        return importlib.util.spec_from_loader(fullname, _Loader(self.mutant), origin=origin)


def _run_tests(mutant: Mutant | None, tests: Sequence[str]) -> None:
    """Run tests with a mutant imported, as the whole work of a process; its end is theirs."""
    import pytest

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # a second for each mutant
    os.environ["NEUROSIM_CACHE"] = "0"  # nothing of a mutant may outlive it
    sys.path.insert(0, str(ROOT))
    if mutant is not None:
        sys.meta_path.insert(0, _Finder(mutant))
    options = ["-x", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-k", SKIPPED]
    os._exit(int(pytest.main([*options, *tests])))


class _Run(NamedTuple):
    """A mutant on its way through the tests."""

    mutant: Mutant | None
    process: BaseProcess
    deadline_s: float


def _start(mutant: Mutant | None, tests: Sequence[str]) -> _Run:
    process = multiprocessing.get_context("fork").Process(target=_run_tests, args=(mutant, tests))
    process.start()
    return _Run(mutant, process, time.monotonic() + TIMEOUT_S)


def exit_codes(
    tests: Sequence[str], chosen: Iterable[Mutant | None], cores: int
) -> Iterator[tuple[Mutant | None, int | None]]:
    """Yield each mutant with the exit code of its tests, 0 if all pass, None if they took too long.

    Processes are forked from this thread alone: a fork beside other threads may hang, and what
    hangs would count as killed.
    """
    waiting, running = iter(chosen), list[_Run]()
    while True:
        running += [_start(m, tests) for m in islice(waiting, cores - len(running))]
        if not running:
            return
        wait([run.process.sentinel for run in running], timeout=1.0)
        for run in list(running):
            late = time.monotonic() > run.deadline_s
            if run.process.is_alive() and not late:
                continue
            if late:
                run.process.kill()
            run.process.join()
            running.remove(run)
            yield run.mutant, None if late else run.process.exitcode


def judge(module: str, chosen: Sequence[Mutant], cores: int) -> tuple[list[Mutant], int]:
    """Return the mutants that every test of their module passes, and how many took too long.

    Raises
    ------
    SystemExit
        If the tests fail on the unchanged code.
    """
    tests = TARGETS[module]
    if [code for _, code in exit_codes(tests, [None], 1)] != [0]:
        raise SystemExit(f"{', '.join(tests)} must pass before anything is mutated.")
    alive, late = set[Mutant](), 0
    for mutant, code in exit_codes(tests, chosen, cores):
        late += code is None
        if mutant is not None and code == 0:
            alive.add(mutant)
    return [m for m in chosen if m in alive], late


# --- The table -------------------------------------------------------------------------


def main() -> int:
    """Print how many mutants of each module were killed, and every one that survived."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", default=[], help="modules by the end of their name")
    parser.add_argument("--sample", type=int, help="so many of each module, always the same")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    for name in IMPORTED_ONCE:
        importlib.import_module(name)
    print("{:22}{:>9}{:>8}{:>11}{:>12}{:>10}".format(*HEADS))
    unexplained: list[Mutant] = []
    for module in TARGETS:
        if args.only and not module.endswith(tuple(args.only)):
            continue
        chosen = list(mutants(module))
        if args.sample and args.sample < len(chosen):
            chosen = random.Random(1).sample(chosen, args.sample)
        alive, late = judge(module, chosen, args.cores)
        bad = [m for m in alive if not m.is_equivalent]
        killed = len(chosen) - len(alive)
        counts = (len(chosen), killed, late, len(alive) - len(bad), len(bad))
        print("{:22}{:9}{:8}{:11}{:12}{:10}".format(module, *counts), flush=True)
        for m in bad:
            print(f"    {m.function or 'module'}:{m.line}: {m.change}", flush=True)
        unexplained += bad
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
