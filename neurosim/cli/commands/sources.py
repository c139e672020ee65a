"""``neurosim sources``: print every number of the model with its source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from neurosim.base.errors import NeurosimError, clip_name
from neurosim.cli.output import print_now

if TYPE_CHECKING:
    import argparse

HELP = "print every number of the model with its source"
OPTIONS = ("csv",)


def run(args: argparse.Namespace) -> None:
    """Print the numbers, and save them if a file is named."""
    from neurosim.base.files import write_files
    from neurosim.base.viewable import sources
    from neurosim.view.sources_table import source_files

    result, written = sources(), ""
    if args.csv is not None:
        path = Path(args.csv)
        if os.path.isdir(path) or not os.path.isdir(path.absolute().parent):
            raise NeurosimError(
                f"Cannot write {clip_name(args.csv)}: it must be a file in an existing folder."
            )
        (content,) = source_files(result).values()
        write_files(path.parent, {path.name: content})
        written = f"\nWritten: {args.csv}"
    print_now(f"{result}{written}")
