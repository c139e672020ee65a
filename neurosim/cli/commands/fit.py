"""``neurosim fit``: tell which parameters of the axon moved in one person's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.cli.options import scenario_changes
from neurosim.cli.output import output_folder, save_and_print

if TYPE_CHECKING:
    import argparse

HELP = "tell which parameters of the axon moved in one person's record"
OPTIONS = ("axon", "out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the positional arguments."""
    parser.add_argument(
        "record",
        metavar="RECORD.mem|csv",
        help="a MEM file, or a table of curves such as the curves.csv of 'neurosim excitability'",
    )


def run(args: argparse.Namespace) -> None:
    """Fit the record and print what moved."""
    from neurosim.simulation.examine import fit

    with output_folder(args.out, "fit") as folder:
        save_and_print(folder, fit(args.record, **scenario_changes(args)))
