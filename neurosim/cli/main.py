"""The command line's parser, and what becomes of a mistake: one sentence and exit code 2.

All input and the folder are checked before anything is computed, and files are written at the
end, all or none, before their words are printed.
"""

from __future__ import annotations

import argparse
import re
import sys
import threading
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn

from neurosim.base.errors import NeurosimError, clip_name, unknown_name
from neurosim.cli.options import OPTIONS
from neurosim.cli.output import print_now

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

COMMANDS = (
    *("run", "list", "lab", "mystery", "lessons", "key", "article", "sweep", "excitability"),
    *("fit", "detect", "cohort", "sensitivity", "sources", "validate"),
)
# What a command needs of the applications, any of which may be left out.
APPLICATIONS = {
    **dict.fromkeys(("lab", "mystery", "lessons", "key"), ("classroom",)),
    "article": ("article",),
    "validate": ("validation", "article"),
}
EXIT_OUT_OF_RESOURCES = 3  # exit code when a run stops because the machine is too small


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence."""

    def error(self, message: str) -> NoReturn:
        text = re.sub(r"^argument [^:]*?(-{1,2}[a-z-]+|[A-Z]\w*)?: ", _match_prefix, message)
        text = text[:1].upper() + text[1:300]
        raise NeurosimError(text.rstrip(".") + "; see 'neurosim --help'.")

    def _print_message(self, message: str, file: Any = None) -> None:
        print_now(message, end="", file=file or sys.stderr)


def _match_prefix(match: re.Match[str]) -> str:
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
    for name in COMMANDS:
        if _left_out(name):
            continue
        command = import_module(f"neurosim.cli.commands.{name}")
        parser = commands.add_parser(
            name, help=command.HELP, description=command.HELP, allow_abbrev=False
        )
        parser.set_defaults(run=command.run, options=command.OPTIONS)
        for option in command.OPTIONS:
            parser.add_argument(f"--{option}", **OPTIONS[option])
        if hasattr(command, "add_arguments"):
            command.add_arguments(parser)
    return top


def _left_out(command: str) -> str:
    """Return the application that a command needs and this installation lacks, or an empty text."""
    needs = APPLICATIONS.get(command, ())
    return next((room for room in needs if find_spec(f"neurosim.{room}") is None), "")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 is done, 2 a mistake of the user, 3 a machine too small, 130 stopped by the user.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        return _dispatch(words)
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
    print_now(sentence, file=sys.stderr)
    return code


def _dispatch(words: list[str]) -> int:
    parser = _parser()
    if words and not words[0].startswith("-"):
        if words[0] not in COMMANDS:
            raise unknown_name("command", words[0], COMMANDS)
        if room := _left_out(words[0]):
            raise NeurosimError(
                f"'neurosim {words[0]}' needs neurosim.{room}, which this installation leaves out."
            )
    args, extra = parser.parse_known_args(words)
    if args.command == "cohort" and not any(word.startswith("-") for word in extra):
        args.scenario, extra = (
            [*args.scenario, *extra],
            [],
        )  # of `cohort a --people 5 b` argparse leaves b over
    if extra:
        _refuse(args, extra[0])
    for name, value in vars(args).items():
        if value == [] and name != "scenario":  # what argparse makes of --people=--
            raise NeurosimError(f"--{name} needs a value, not '--'; see 'neurosim --help'.")
    if args.version:
        from neurosim import __version__

        print_now(f"neurosim {__version__}")
        return 0
    if not args.command:
        parser.print_help()
        return 0
    with _announce_compiling():
        args.run(args)
    return 0


@contextmanager
def _announce_compiling() -> Generator[None, None, None]:
    """Say once, on a terminal, why a first command is slow: it compiles the loops."""
    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        from neurosim.base.jit import is_compiling

        while not ended.wait(1.0):
            if is_compiling():
                print_now("Compiling, once on this machine: some ten seconds.", file=sys.stderr)
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
