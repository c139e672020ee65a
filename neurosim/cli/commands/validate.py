"""``neurosim validate``: compare the model with published numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.cli.output import output_folder, save_and_print

if TYPE_CHECKING:
    import argparse

HELP = "compare the model with published numbers"
OPTIONS = ("out",)


def run(args: argparse.Namespace) -> None:
    """Compute every target, save and print the misses."""
    with output_folder(args.out, "validate") as folder:
        from neurosim.validation.validate import validate

        save_and_print(folder, validate())
