"""``neurosim detect``: find and sort the potentials in an electromyogram of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.cli.options import scenario_changes
from neurosim.cli.output import output_folder, save_and_print

if TYPE_CHECKING:
    import argparse

HELP = "find and sort the potentials in an electromyogram of one's own (CSV)"
OPTIONS = ("muscle", "rate-hz", "unit", "out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the positional arguments."""
    parser.add_argument(
        "record",
        metavar="RECORD.csv",
        help="columns of voltage (uV, mV or V in the header) and one of time (s or ms), such as "
        "the emg.csv of 'neurosim run'",
    )


def run(args: argparse.Namespace) -> None:
    """Detect in the record and print what was found."""
    from neurosim.clinic.detect import detect

    with output_folder(args.out, "detect") as folder:
        detection = detect(
            args.record, rate_hz=args.rate_hz, unit=args.unit, **scenario_changes(args)
        )
        save_and_print(folder, detection)
