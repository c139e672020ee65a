"""The command line: one command for a pupil, the same objects as in Python.

All input and the folder are checked before anything is computed, and files are written at
the end, all or none, before their words are printed: a reader that goes away costs no file. A
mistake is answered with one sentence and exit code 2.
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn

from neurosim.base.errors import NeurosimError, clip_name, unknown_name

COMMANDS = ("run", "list", "lab", "mystery", "lessons", "key", "article", "sweep", "excitability",
            "fit", "cohort", "sensitivity", "sources", "validate")  # fmt: skip
READER_GONE = (errno.EPIPE, errno.EINVAL)  # the latter on Windows
EXIT_OUT_OF_RESOURCES = 3  # exit code when a run stops because the machine is too small
ARTICLE_STATES = 150  # about so many states of each person are asked by the article
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # by Windows
SHOWN_FIRST = (".html", ".png", ".txt", ".wav")  # files that are named before tables
LONGEST_NAME = 80  # of a folder made from settings


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence."""

    def error(self, message: str) -> NoReturn:
        text = re.sub(r"^argument [^:]*?(-{1,2}[a-z-]+|[A-Z]\w*)?: ", _match_prefix, message)
        text = text[:1].upper() + text[1:300]
        raise NeurosimError(text.rstrip(".") + "; see 'neurosim --help'.")

    def _print_message(self, message: str, file: Any = None) -> None:
        _print(message, end="", file=file or sys.stderr)


def _match_prefix(match: re.Match) -> str:
    return f"{match.group(1)}: " if match.group(1) else ""


def _parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    top = _Parser(
        prog="neurosim",
        allow_abbrev=False,
        description="From a blood value to a muscle twitch. A teaching model, not medical advice.",
        epilog="Start with 'neurosim run', then 'neurosim run low_calcium', then 'neurosim lab'.",
    )
    top.add_argument("--version", action="store_true", help="print the version")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, help: str, *options: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, description=help, allow_abbrev=False)
        command.set_defaults(options=options)
        for option in options:
            command.add_argument(f"--{option}", **_OPTIONS[option])
        return command

    run = add(
        "run",
        "simulate one scenario and write tables, a figure and its words",
        "against",
        "set",
        "remedy",
        "muscle",
        "duration",
        "people",
        "person",
        "seed",
        "axon",
        "root",
        "out",
    )
    run.add_argument(
        "scenario",
        nargs="?",
        default="normal",
        metavar="NAME|FILE.toml",
        help="scenario of 'neurosim list' (or normal), or a TOML file",
    )
    add("list", "list scenarios, muscles, the fields of a body and an axon's conditions")
    lab = add(
        "lab",
        "open the sliders, a lesson or the mystery patient in the browser",
        "no-browser",
        "port",
        "out",
    )
    lab.add_argument(
        "page",
        nargs="?",
        metavar="LESSON",
        help="a lesson's number or name, such as "
        "03, or mystery, the patient (default: explore, the sliders)",
    )
    add(
        "mystery",
        "work a patient with a hidden cause: order tests, say what it is, what to do",
        "seed",
        "out",
    )
    lessons = add(
        "lessons",
        "build the lessons: notebooks for pupils and teacher, worksheets and their keys",
        "only",
        "out",
    )
    lessons.add_argument(
        "lesson",
        nargs="*",
        default=(),
        metavar="NN",
        help="numbers of lessons, such as 01 04 (default: all)",
    )
    add(
        "key",
        "print the teacher's key of a mystery patient (--seed 7) or a class (--seed 1:30)",
        "seed",
        "out",
    )
    add("article", "judge every claim of the article", "people", "seed", "out")
    sweep = add(
        "sweep", "change one field of the body step by step", "muscle", "people", "seed", "out"
    )
    sweep.add_argument("field", metavar="FIELD", help="a field of the body, in any of its units")
    sweep.add_argument("steps", metavar="START:STOP:N", help="such as 0.7:1.3:7")
    add(
        "excitability",
        "run the clinic's nerve-excitability test on the axon",
        "condition",
        "set",
        "change",
        "axon",
        "person",
        "seed",
        "out",
    )
    fit = add(
        "fit", "tell which parameters of the axon moved in one person's record", "axon", "out"
    )
    fit.add_argument(
        "record",
        metavar="RECORD.mem|csv",
        help="a MEM file, or a table of curves such as the curves.csv of 'neurosim excitability'",
    )
    cohort = add(
        "cohort",
        "count many people under many scenarios for hours, resumably",
        "people",
        "hours",
        "seed",
        "muscle",
        "workers",
        "scheduler",
        "resume",
        "format",
        "out",
    )
    cohort.add_argument(
        "scenario",
        nargs="+",
        metavar="NAME|FILE.toml",
        help="scenarios of 'neurosim list' or TOML files; health is added",
    )
    add(
        "sensitivity",
        "tell which field of the body and which number of the model moves the rate most",
        "range",
        "samples",
        "people",
        "muscle",
        "axon",
        "seed",
        "out",
    )
    add("sources", "print every number of the model with its source", "csv")
    add("validate", "compare the model with published numbers", "out")
    return top


_OPTIONS: dict[str, dict[str, Any]] = {
    "against": {"metavar": "NAME", "help": "scenario to compare with (default: health)"},
    "set": {"metavar": "FIELD=VALUE", "nargs": "+", "action": "extend",
            "help": "change fields of the body, such as potassium_mmol_l=2.5 stress=0.5"},
    "remedy": {"metavar": "NAME", "help": "try a remedy on that body, such as calm; compared with "
                                          "the same body without, unless told otherwise"},
    "change": {"metavar": "NAME=VALUE", "nargs": "+", "action": "extend",
               "help": "change the axon by a name of 'neurosim list': multiply a part of the "
                       "membrane (persistent_sodium_scale=2), set what is around it "
                       "(potassium_out_mmol_l=6, ph=7.6) or say what it went through "
                       "(ischaemia_min=10 after_min=2)"},
    "condition": {"metavar": "NAME", "help": "a named condition of the axon, such as ischaemia; "
                                             "'neurosim list' shows all"},
    "muscle": {"metavar": "M", "help": "muscle, such as eyelid ('all' six in a cohort)"},
    "hours": {"metavar": "H", "help": "simulated time, in hours (default: 24)"},
    "workers": {"metavar": "W", "help": "processes to use (default: the machine's cores)"},
    "scheduler": {"metavar": "ADDRESS", "help": "a Dask cluster that does the work instead, such "
                                                "as tcp://127.0.0.1:8786"},
    "resume": {"action": "store_true", "help": "go on with the unfinished run in the folder"},
    "format": {"metavar": "csv|parquet", "default": "csv", "help": "of the tables"},
    "duration": {"metavar": "T", "help": "simulated time, in seconds or as '24 h'"},
    "people": {"metavar": "N", "help": "number of people"},
    "person": {"metavar": "N", "help": "which of the seed's people, from 0 (without it, a "
                                       "typical one is run and the mean axon examined)"},
    "seed": {"metavar": "S", "help": "same seed, same people and twitches"},
    "axon": {"metavar": "ghk|ohmic|alternative",
             "help": "which of the axons that fit people's nerves"},
    "root": {"metavar": "R", "help": "which root a pinched nerve pinches, such as C6 (default: S1; "
                                     "'sensory' for sensory fibres alone)"},
    "range": {"metavar": "reference|clinical", "default": "reference",
              "help": "how far the fields of the body are moved (default: reference)"},
    "samples": {"metavar": "N", "help": "a power of 2 (default: 512); the rate is computed about "
                                        "30 times as often"},
    "only": {"metavar": "student|teacher|worksheets",
             "help": "build only these (default: all); keys come with the worksheets"},
    "no-browser": {"action": "store_true", "help": "print the address only"},
    "port": {"metavar": "P", "help": "port of this machine (default: one that is free)"},
    "out": {"metavar": "DIR", "help": "folder for the files"},
    "csv": {"metavar": "FILE", "help": "also write them as a CSV table"},
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 is done, 2 a mistake of the user, 3 a machine too small, 130 stopped by the user.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        return _dispatch(given)
    except NeurosimError as error:
        return _print_error(" ".join(str(error).split()), 2)
    except MemoryError:
        return _print_error(
            "There is not enough memory: choose fewer people or a shorter duration.",
            EXIT_OUT_OF_RESOURCES,
        )
    except KeyboardInterrupt as stopped:
        return _print_error(str(stopped) or "Stopped; nothing was written.", 130)


def _print_error(sentence: str, code: int) -> int:
    _print(sentence, file=sys.stderr)
    return code


def _print(text: str, end: str = "\n", file: Any = None) -> None:
    """Print at once; a reader that has gone away stops nothing.

    Raises
    ------
    NeurosimError
        If the standard output takes no more for another reason, such as a full disk.
    """
    stream = sys.stdout if file is None else file
    try:
        print(text, end=end, file=stream, flush=True)
    except OSError as error:
        # What is left in its buffer would fail once more at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if stream is sys.stdout and error.errno not in READER_GONE:
            raise NeurosimError(f"Cannot print: {error.strerror}.") from None


def _dispatch(given: list[str]) -> int:
    parser = _parser()
    if given and not given[0].startswith("-") and given[0] not in COMMANDS:
        raise unknown_name("command", given[0], COMMANDS)
    args, extra = parser.parse_known_args(given)
    if args.command == "cohort" and not any(word.startswith("-") for word in extra):
        args.scenario, extra = [*args.scenario, *extra], []  # named after an option
    if extra:
        _refuse(args, extra[0])
    for name, value in vars(args).items():
        if value == [] and name != "scenario":  # what argparse makes of --people=--
            raise NeurosimError(f"--{name} needs a value, not '--'; see 'neurosim --help'.")
    if args.version:
        from neurosim import __version__

        _print(f"neurosim {__version__}")
        return 0
    if not args.command:
        parser.print_help()
        return 0
    with _announce_compiling():
        globals()[f"_{args.command}"](args)
    return 0


@contextmanager
def _announce_compiling() -> Iterator[None]:
    """Say once, on a terminal, why a first command is slow: it compiles the loops."""
    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        from neurosim.model.axon.kernel import is_compiling

        while not ended.wait(1.0):
            if is_compiling():
                _print("Compiling, once on this machine: about half a minute.", file=sys.stderr)
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _refuse(args: argparse.Namespace, word: str) -> NoReturn:
    """Say what is wrong with an argument that no option takes."""
    if word.startswith("-"):
        valid = [f"--{option}" for option in getattr(args, "options", ("version",))]
        raise unknown_name("option", word.split("=")[0], [*valid, "--help"])
    raise NeurosimError(
        f"'{clip_name(word)}' is one argument too many for 'neurosim {args.command}'."
    )


# --- Reading the input -----------------------------------------------------------------


def _parse_whole(name: str, text: str | None) -> Any:
    """Return a whole number as int, or the text for the scenario's own check."""
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        from neurosim.base.errors import finite_number

        finite_number(name, text)
        return text


def _settings(
    items: Sequence[str] | None,
    option: str = "--set",
    like: str = "FIELD=VALUE, such as stress=0.5",
) -> dict[str, str]:
    """Return the fields of ``--set``, or the names and factors of another such option.

    Raises
    ------
    NeurosimError
        For an item without ``=``, or a field given twice.
    """
    found: dict[str, str] = {}
    for item in items or ():
        name, sign, value = item.partition("=")
        name = name.strip()
        if not sign or not name or not value.strip():
            raise NeurosimError(f"{option} needs {like}, not '{clip_name(item)}'.")
        if name in found:
            raise NeurosimError(f"{option} gives {clip_name(name)} twice.")
        found[name] = value.strip()
    return found


def _has_unit(duration: str | None) -> bool:
    """Return whether a duration has a unit, as ``24 h`` has and ``3e7`` has not."""
    try:
        return duration is not None and float(duration) is None
    except ValueError:
        return re.search("[A-Za-z]", duration or "") is not None


def _scenario_changes(args: argparse.Namespace) -> dict[str, Any]:
    """Return the scenario fields that the options change."""
    duration = getattr(args, "duration", None)
    changes = {
        "muscle": getattr(args, "muscle", None),
        "duration" if _has_unit(duration) else "duration_s": duration,
        "axon": getattr(args, "axon", None),
        "root": getattr(args, "root", None),
        "people": _parse_whole("people", getattr(args, "people", None)),
        "seed": _parse_whole("seed", getattr(args, "seed", None)),
    }
    return {name: value for name, value in changes.items() if value is not None}


def _parse_person(args: argparse.Namespace) -> int | None:
    """Return the person asked for, if any.

    Raises
    ------
    NeurosimError
        For anything but a whole number from 0.
    """
    found = _parse_whole("person", args.person)
    if found is None:
        return None
    if not isinstance(found, int) or found < 0:
        raise NeurosimError(f"person = {clip_name(args.person)} must be a whole number from 0.")
    return found


def _scenario_with_settings(args: argparse.Namespace) -> Any:
    """Return the scenario of ``run``, its body changed by ``--set``."""
    from neurosim.simulation.scenario import load_scenario

    asked = load_scenario(args.scenario).replace(**_scenario_changes(args))
    settings = _settings(args.set)
    if not settings:
        return asked
    body = asked.body.replace(**settings)  # type: ignore[arg-type]
    words = _describe_settings(asked.body, body)
    name = _name_settings(settings)
    if asked.name == "normal":
        title = words[:1].upper() + words[1:] or "Health"
    else:
        name = f"{asked.name}+{name}"
        title = f"{asked.title}, {words}" if words else asked.title
    return asked.replace(name=name, title=title, about="", body=body)


def _name_settings(settings: dict[str, str]) -> str:
    """Return a name made of settings, such as ``potassium_mmol_l_6.5+stress_0.5``.

    One that would be too long for a folder ends in a mark of what was cut off.
    """
    from hashlib import sha256

    parts = (f"{name.lower()}_{float(value):.6g}" for name, value in settings.items())
    name = "+".join(parts)
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}+{sha256(name.encode()).hexdigest()[:8]}"


def _describe_settings(before: Any, after: Any) -> str:
    """Return the fields that ``--set`` changed, in plain words with their new values."""
    from neurosim.model.body.fields import FIELDS

    parts = [
        f"{f.label} {getattr(after, name):.4g} {f.unit}".strip()
        for name, f in FIELDS.items()
        if getattr(after, name) != getattr(before, name)
    ]
    return ", ".join(parts)


def _safe_name(name: str) -> str:
    """Return a name as a folder can have it on any system, and nowhere but in its place."""
    safe = re.sub(r"[^\w.+-]+", "_", name).strip("._")
    safe = safe.encode("utf-8", "ignore")[:120].decode("utf-8", "ignore").strip("._")
    return f"_{safe}" if _RESERVED.match(safe) else safe or "custom"


@contextmanager
def _output_folder(out: str | None, name: str) -> Iterator[Path]:
    """Give a computing command its folder; one made in vain is removed again."""
    from neurosim.base.files import prepare_folder

    path = Path(out) if out is not None else Path("neurosim-out") / _safe_name(name)
    above = [p for p in (path, path.parent) if not os.path.exists(p)]
    try:
        folder = prepare_folder(path, parents=out is None)
        _warn_if_slow()
        yield folder
    except BaseException:
        for made in above:
            if os.path.isdir(made) and not any(made.iterdir()):
                made.rmdir()
        raise


def _progress(what: str, then: str = "") -> Callable[[int, int], None] | None:
    """Return a function that shows progress and what is left on a terminal, None elsewhere."""
    if not sys.stderr.isatty():
        return None
    begun = perf_counter()

    def show(done: int, of: int) -> None:
        left_min = (perf_counter() - begun) * (of - done) / max(done, 1) / 60.0
        wait = "" if left_min < 0.5 else f", about {left_min:.0f} minutes to go"
        wait = wait if left_min < 120.0 else f", about {left_min / 60.0:.0f} hours to go"
        tail, end = (then, "\n") if done >= of else (wait, "")
        _print(f"\r{done} of {of} {what}{tail:<32}", end=end, file=sys.stderr)

    return show


def _people_progress() -> Callable[[int, int], None] | None:
    """Return a function that shows people done, their rate, and the time left; on a terminal."""
    if not sys.stderr.isatty():
        return None
    begun, before = perf_counter(), -1

    def show(done: int, of: int) -> None:
        nonlocal before
        before = done if before < 0 else before  # those of a run that was stopped
        rate = (done - before) / max(perf_counter() - begun, 1e-9)
        told = f"{done} of {of} people"
        if rate > 0:
            told += f", {rate:.2g} a second"
            if done < of:
                told += f", {_time_left((of - done) / rate)} to go"
        _print(f"\r{told:<70}", end="\n" if done >= of else "", file=sys.stderr)

    return show


def _time_left(seconds: float) -> str:
    minutes = seconds / 60.0
    if minutes < 1.5:
        return "a second" if seconds < 1.5 else f"{seconds:.0f} seconds"
    return f"{minutes:.0f} minutes" if minutes < 120.0 else f"{minutes / 60.0:.0f} hours"


def _stage_progress() -> tuple[Callable[[str], None], Callable[[int, int], None] | None]:
    """Return two functions for a terminal: one says what is done next, one what of it is left."""
    if not sys.stderr.isatty():
        return lambda words: None, None
    begun = perf_counter()
    shown = _progress("done")

    def stage(words: str) -> None:
        nonlocal shown
        minutes = (perf_counter() - begun) / 60.0
        _print(f"{minutes:.0f} min: {words}", file=sys.stderr)
        shown = _progress("done")

    def progress(done: int, of: int) -> None:
        if shown is not None:
            shown(done, of)

    return stage, progress


def _write_files(folder: Path, files: Mapping[str, Any], words: str) -> None:
    """Write the files of a command, then print its words and where the files are."""
    _print(f"{words}\n{_saved(folder, files)}")


def _saved(folder: Path, files: Mapping[str, Any]) -> str:
    """Write the files of a command and return where they are, in words."""
    from neurosim.base.files import write_files

    return _written(folder, write_files(folder, files))


def _written(folder: Path, paths: Sequence[Path]) -> str:
    """Return where files are, in words, those first that one looks at first."""
    look = {suffix: rank for rank, suffix in enumerate(SHOWN_FIRST)}
    paths = sorted(paths, key=lambda path: look.get(path.suffix, len(look)))
    return f"Written into {folder}: " + ", ".join(path.name for path in paths)


def _warn_if_slow() -> None:
    """Say on stderr, before a command computes, that nothing is compiled."""
    from neurosim.model.axon.kernel import compiled_loops

    if compiled_loops() is None:
        _print(
            "Numba is not installed or switched off: this takes about 20 times as long.",
            file=sys.stderr,
        )


def _say_if_long(seconds: float) -> None:
    """Say on stderr, before a command computes, how long it takes."""
    from neurosim.simulation.budget import time_sentence

    if sentence := time_sentence(seconds):
        _print(sentence, file=sys.stderr)


def _save_and_print(folder: Path, result: Any) -> None:
    """Write a result's files, then print its words and where the files are."""
    paths = result.save(folder)
    _print(f"{result}\n{_written(folder, paths)}")


# --- Commands --------------------------------------------------------------------------


def _run(args: argparse.Namespace) -> None:
    from neurosim.simulation.scenario import apply_remedy, comparison_scenario

    scenario, person = _scenario_with_settings(args), _parse_person(args)
    treated = scenario if args.remedy is None else apply_remedy(scenario, args.remedy)
    against = scenario if args.against is None and treated is not scenario else args.against
    other = comparison_scenario(treated, against)
    with _output_folder(args.out, treated.name) as folder:
        from neurosim.model.firing.sites import TYPICAL_PERSON
        from neurosim.simulation import budget
        from neurosim.simulation.simulate import simulate

        person = TYPICAL_PERSON if person is None else person
        budget.check_table_size(treated, person)
        pair = [s for s in (treated, other) if s is not None]
        cores = budget.useful_cores(treated.people)
        _say_if_long(budget.count_seconds(pair, treated.people, cores))
        result = simulate(
            scenario,
            against=other,
            remedy=args.remedy,
            person=person,
            cores=cores,
            progress=_progress("people"),
        )
        _save_and_print(folder, result)


def _list(args: argparse.Namespace) -> None:
    from neurosim.model.axon.changes import CHANGES, named_conditions
    from neurosim.model.body.fields import FIELDS
    from neurosim.model.body.remedies import REMEDIES
    from neurosim.model.body.units import INPUT_UNITS
    from neurosim.model.muscle.anatomy import MUSCLES, muscle, muscle_roots
    from neurosim.simulation.scenario import catalogue, load_scenario

    _print("Scenarios (neurosim run NAME; NAME_mild for most of them):")
    for name in catalogue():
        s = load_scenario(name)
        _print(f"  {name:<25} {s.title}: {s.about}")
    _print("\nMuscles (--muscle M):")
    for name in MUSCLES:
        supply = ", ".join(muscle_roots(name)) or "no spinal root"
        _print(f"  {name:<16} {muscle(name).latin} ({supply})")
    _print("\nFields of the body (--set FIELD=VALUE):")
    for f in FIELDS.values():
        usual = f"{f.low:g} to {f.high:g}" if f.high > f.low else f"{f.low:g}"
        unit = f" {f.unit}" if f.unit else ""
        _print(f"  {f.name:<25} {f.label}, reference {usual}{unit}")
    _print("\nAlso understood: " + ", ".join(n for n in INPUT_UNITS if n not in FIELDS) + ".")
    _print("\nConditions of an axon (neurosim excitability --condition NAME):")
    for c in named_conditions().values():
        what = ", ".join(f"{name}={value:g}" for name, value in c.changes.items())
        _print(f"  {c.name:<23} {c.title}: {c.description} ({what})")
    _print("\nRemedies (neurosim run NAME --remedy REMEDY):")
    for one in REMEDIES:
        _print(f"  {one.name:<25} {one.label}")
    _print("\nChanges of an axon (neurosim excitability --change NAME=VALUE; a scale multiplies):")
    for change in CHANGES.values():
        unit = f" {change.unit}" if change.unit else ""
        _print(f"  {change.name:<24} {change.label}, {change.low:g} to {change.high:g}{unit}")


def _lab(args: argparse.Namespace) -> None:
    from neurosim.classroom.lab import FOLDER, lab

    lab(
        args.page,
        port=_parse_whole("port", args.port),
        browser=not args.no_browser,
        folder=FOLDER if args.out is None else args.out,
        tell=_print,
    )


def _article(args: argparse.Namespace) -> None:
    from neurosim.simulation.scenario import Scenario

    asked = Scenario(name="article", people=200).replace(**_scenario_changes(args))
    if asked.people < 2:
        raise NeurosimError(f"people = {asked.people} is too few: a verdict needs at least 2.")
    with _output_folder(args.out, "article") as folder:
        from neurosim.article.trial import article
        from neurosim.simulation.budget import useful_cores

        stage, progress = _stage_progress()
        result = article(
            people=asked.people,
            seed=asked.seed,
            cores=useful_cores(asked.people * ARTICLE_STATES),
            progress=progress,
            stage=stage,
        )
        stage("the report")
        _save_and_print(folder, result)


def _cohort(args: argparse.Namespace) -> None:
    from neurosim.simulation.cohort import AlreadyFinished, check_workers, cohort
    from neurosim.simulation.plan import make_plan

    changes = {"people": _parse_whole("people", args.people), "hours": args.hours,
               "seed": _parse_whole("seed", args.seed), "muscle": args.muscle}  # fmt: skip
    changes = {n: v for n, v in changes.items() if v is not None} | {"format": args.format}
    make_plan(args.scenario, **changes)
    workers = _parse_whole("workers", args.workers)
    check_workers(workers, args.scheduler)
    with _output_folder(args.out, "cohort") as folder:
        try:
            result = cohort(
                *args.scenario,
                folder=folder,
                resume=args.resume,
                workers=workers,
                scheduler=args.scheduler,
                progress=_people_progress(),
                stage=lambda sentence: _print(sentence, file=sys.stderr),
                **changes,
            )
        except AlreadyFinished as finished:
            _print(str(finished))
            return
        _save_and_print(folder, result)


def _excitability(args: argparse.Namespace) -> None:
    from neurosim.model.body.state import Body
    from neurosim.simulation.examine import excitability

    like = "NAME=VALUE, such as persistent_sodium_scale=2"
    body = Body.from_values(_settings(args.set))  # type: ignore[arg-type]
    change, person = _settings(args.change, "--change", like), _parse_person(args)
    with _output_folder(args.out, "excitability") as folder:
        examination = excitability(
            body,
            condition=args.condition,
            change=change,  # type: ignore[arg-type]
            person=person,
            **_scenario_changes(args),
        )
        _save_and_print(folder, examination)


def _fit(args: argparse.Namespace) -> None:
    from neurosim.simulation.examine import fit

    with _output_folder(args.out, "fit") as folder:
        _save_and_print(folder, fit(args.record, **_scenario_changes(args)))


def _sweep(args: argparse.Namespace) -> None:
    from neurosim.simulation.sweep import parse_steps, step_scenarios, sweep, sweep_scenario

    changes, values = _scenario_changes(args), parse_steps(args.steps)
    base = sweep_scenario(**changes)
    scenarios = step_scenarios(base, args.field, values)
    with _output_folder(args.out, f"sweep_{args.field}") as folder:
        from neurosim.simulation import budget

        cores = budget.useful_cores(base.people * len(values))
        _say_if_long(budget.count_seconds(scenarios, base.people, cores))
        result = sweep(args.field, values, cores=cores, progress=_progress("people"), **changes)
        _save_and_print(folder, result)


def _sensitivity(args: argparse.Namespace) -> None:
    from neurosim.simulation import sensitivity as study
    from neurosim.simulation.scenario import Scenario

    changes = _scenario_changes(args)
    samples = study.SAMPLES if args.samples is None else _parse_whole("samples", args.samples)
    people = Scenario(people=study.PEOPLE).replace(**changes).people
    study.check_request(args.range, samples, people)
    with _output_folder(args.out, f"sensitivity_{args.range}") as folder:
        from neurosim.simulation.budget import useful_cores

        stage, progress = _stage_progress()
        result = study.sensitivity(
            range=args.range,
            samples=samples,
            cores=useful_cores(samples * ARTICLE_STATES),
            progress=progress,
            stage=stage,
            **changes,
        )
        _save_and_print(folder, result)


def _lessons(args: argparse.Namespace) -> None:
    from neurosim.classroom.lessons.build import lessons

    with _output_folder(args.out, "lessons") as folder:
        stage, progress = _stage_progress()
        paths = lessons(*args.lesson, only=args.only, folder=folder, progress=progress, stage=stage)
        _print(f"Written: {len(paths)} files in {folder}; open {folder / 'index.html'}")


def _mystery(args: argparse.Namespace) -> None:
    seed = _parse_whole("seed", args.seed)
    if args.out is None:
        _play_lines(seed)
        return
    with _output_folder(args.out, "mystery") as folder:
        from neurosim.classroom.mystery.files import game_files

        game, messages = _play_lines(seed)
        _print(_saved(folder, game_files(game, messages)))


def _play_lines(seed: Any) -> tuple[Any, list[str]]:
    """Answer lines of the standard input until it ends; return the game and all messages."""
    from neurosim.classroom.mystery.desk import Desk, mystery

    game = mystery(seed).game
    desk = Desk(game)
    messages = [desk.welcome()]
    if seed is None:
        messages.append(f"To meet this patient again: neurosim mystery --seed {game.seed}")
    _print("\n".join(messages))
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    while desk.open:
        if is_terminal:
            _print("> ", end="")
        line = sys.stdin.readline() if sys.stdin is not None else ""
        if line:
            messages.append(f"> {line.strip()}")
        try:
            messages.append(desk.answer(line or "quit"))  # the input has ended
        except NeurosimError as error:
            messages.append(" ".join(str(error).split()))
        if messages[-1]:
            _print(messages[-1])
    return game, messages


def _key(args: argparse.Namespace) -> None:
    from neurosim.classroom.mystery.key import key, patient_seeds

    if args.seed is None:
        raise NeurosimError("key needs --seed, such as --seed 7 or --seed 1:30.")
    patient_seeds(args.seed)  # before a folder is made
    progress = _progress("patients")
    if args.out is None:
        _print(str(key(args.seed, progress=progress)))
        return
    with _output_folder(args.out, "key") as folder:
        from neurosim.classroom.mystery.files import key_files

        result = key(args.seed, progress=progress)
        _write_files(folder, key_files(result), str(result))


def _sources(args: argparse.Namespace) -> None:
    from neurosim.base.parameters import GRADES, all_values, references

    rows = [
        {
            "room": room,
            "name": v.name,
            "value": float(v),
            "unit": v.unit,
            "low": v.low,
            "high": v.high,
            "grade": v.grade,
            "source": v.source,
            "citation": references().get(v.source, ""),
            "note": v.note,
        }
        for room, v in all_values()
    ]
    if args.csv is not None:
        from neurosim.base import files as files_
        from neurosim.view import export

        path = Path(args.csv)
        if os.path.isdir(path) or not os.path.isdir(path.absolute().parent):
            raise NeurosimError(
                f"Cannot write {clip_name(args.csv)}: it must be a file in an existing folder."
            )
        files_.write_files(path.parent, {path.name: export.csv_bytes(export.to_columns(rows))})
    lines = []
    for row in rows:
        span = "" if row["low"] != row["low"] else f" ({row['low']:g} to {row['high']:g})"
        lines.append(
            f"{row['room']}.{row['name']} = {row['value']:g} {row['unit']}{span}, "
            f"{row['grade']}, {row['source']}"
        )
    lines.append("\nReferences:")
    lines += [f"  {key}: {text}" for key, text in references().items()]
    counts = ", ".join(f"{sum(r['grade'] == g for r in rows)} {g}" for g in GRADES)
    lines.append(f"\n{len(rows)} numbers: {counts}.")
    if args.csv is not None:
        lines.append(f"Written: {args.csv}")
    _print("\n".join(lines))


def _validate(args: argparse.Namespace) -> None:
    with _output_folder(args.out, "validate") as folder:
        from neurosim.validation.validate import validate

        _save_and_print(folder, validate())


if __name__ == "__main__":
    sys.exit(main())
