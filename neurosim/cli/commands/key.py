"""``neurosim key``: print the teacher's key of a mystery patient, or of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.base.errors import NeurosimError
from neurosim.cli.output import output_folder, print_now, save_and_print
from neurosim.cli.progress import ProgressLine

if TYPE_CHECKING:
    import argparse

HELP = "print the teacher's key of a mystery patient (--seed 7) or a class (--seed 1:30)"
OPTIONS = ("seed", "out")


def run(args: argparse.Namespace) -> None:
    """Print the key, and save it if a folder is given."""
    from neurosim.classroom.mystery.key import key, patient_seeds

    if args.seed is None:
        raise NeurosimError("key needs --seed, such as --seed 7 or --seed 1:30.")
    patient_seeds(args.seed)  # before a folder is made
    progress = ProgressLine("patients")
    if args.out is None:
        print_now(str(key(args.seed, progress=progress)))
        return
    with output_folder(args.out, "key") as folder:
        save_and_print(folder, key(args.seed, progress=progress))
