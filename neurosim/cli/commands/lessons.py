"""``neurosim lessons``: build notebooks, worksheets and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.cli.output import output_folder, print_now
from neurosim.cli.progress import ProgressLine

if TYPE_CHECKING:
    import argparse

HELP = "build the lessons: notebooks for pupils and teacher, worksheets and their keys"
OPTIONS = ("only", "out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the positional arguments."""
    parser.add_argument(
        "lesson",
        nargs="*",
        default=(),
        metavar="NN",
        help="numbers of lessons, such as 01 04 (default: all)",
    )


def run(args: argparse.Namespace) -> None:
    """Build the lessons into a folder."""
    from neurosim.classroom.lessons.build import lessons

    with output_folder(args.out, "lessons") as folder:
        progress = ProgressLine()
        paths = lessons(
            *args.lesson, only=args.only, folder=folder, progress=progress, stage=progress.stage
        )
        print_now(f"Written: {len(paths)} files in {folder}; open {folder / 'index.html'}")
