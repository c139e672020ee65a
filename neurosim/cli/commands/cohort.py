"""``neurosim cohort``: count many people under many scenarios for hours, resumably."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from neurosim.cli.options import parse_whole
from neurosim.cli.output import output_folder, print_now, save_and_print
from neurosim.cli.progress import ProgressLine

if TYPE_CHECKING:
    import argparse

HELP = "count many people under many scenarios for hours, resumably"
OPTIONS = ("people", "hours", "seed", "muscle", "workers", "scheduler", "resume", "format", "out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the positional arguments."""
    parser.add_argument(
        "scenario",
        nargs="+",
        metavar="NAME|FILE.toml",
        help="scenarios of 'neurosim list' or TOML files; health is added",
    )


def run(args: argparse.Namespace) -> None:
    """Count the people, or go on with the run in the folder."""
    from neurosim.simulation.cohort import AlreadyFinished, check_workers, cohort
    from neurosim.simulation.plan import make_plan

    changes = {"people": parse_whole("people", args.people), "hours": args.hours,
               "seed": parse_whole("seed", args.seed), "muscle": args.muscle}  # fmt: skip
    changes = {n: v for n, v in changes.items() if v is not None} | {"format": args.format}
    make_plan(args.scenario, **changes)
    workers = parse_whole("workers", args.workers)
    check_workers(workers, args.scheduler)
    with output_folder(args.out, "cohort") as folder:
        try:
            result = cohort(
                *args.scenario,
                folder=folder,
                resume=args.resume,
                workers=workers,
                scheduler=args.scheduler,
                progress=ProgressLine("people"),
                stage=lambda sentence: print_now(sentence, file=sys.stderr),
                **changes,
            )
        except AlreadyFinished as finished:
            print_now(str(finished))
            return
        save_and_print(folder, result)
