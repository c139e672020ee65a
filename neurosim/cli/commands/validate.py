"""``neurosim validate``: compare the model with published numbers."""

from __future__ import annotations

import argparse

from neurosim.cli.output import output_folder, save_and_print

HELP = "compare the model with published numbers"
OPTIONS = ("out",)


def run(args: argparse.Namespace) -> None:
    """Compute every target, save and print the misses."""
    with output_folder(args.out, "validate") as folder:
        from neurosim.validation.validate import validate

        save_and_print(folder, validate())
