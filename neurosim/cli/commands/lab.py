"""``neurosim lab``: open the sliders, a lesson or the mystery patient in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.cli.options import parse_whole
from neurosim.cli.output import print_now

if TYPE_CHECKING:
    import argparse

HELP = "open the sliders, a lesson or the mystery patient in the browser"
OPTIONS = ("no-browser", "port", "out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the positional arguments."""
    parser.add_argument(
        "page",
        nargs="?",
        metavar="LESSON",
        help="a lesson's number or name, such as 03, or mystery, the patient "
        "(default: explore, the sliders)",
    )


def run(args: argparse.Namespace) -> None:
    """Open the page and serve it until it is closed."""
    from neurosim.classroom.lab import FOLDER, lab

    lab(
        args.page,
        port=parse_whole("port", args.port),
        browser=not args.no_browser,
        folder=FOLDER if args.out is None else args.out,
        tell=print_now,
    )
