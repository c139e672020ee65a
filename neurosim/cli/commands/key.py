"""``neurosim key``.

It can print the teacher's key of a mystery patient (--seed 7) or a class (--seed 1:30).
"""

from __future__ import annotations

import argparse

from neurosim.base.errors import NeurosimError
from neurosim.cli.output import output_folder, print_now, write_and_print
from neurosim.cli.progress import ProgressLine

HELP = "print the teacher's key of a mystery patient (--seed 7) or a class (--seed 1:30)"
OPTIONS = ("seed", "out")


def run(args: argparse.Namespace) -> None:
    """Do the command."""
    from neurosim.classroom.mystery.key import key, patient_seeds

    if args.seed is None:
        raise NeurosimError("key needs --seed, such as --seed 7 or --seed 1:30.")
    patient_seeds(args.seed)  # before a folder is made
    progress = ProgressLine("patients")
    if args.out is None:
        print_now(str(key(args.seed, progress=progress)))
        return
    with output_folder(args.out, "key") as folder:
        from neurosim.classroom.mystery.files import key_files

        result = key(args.seed, progress=progress)
        write_and_print(folder, key_files(result), str(result))
