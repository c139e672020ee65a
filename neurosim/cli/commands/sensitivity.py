"""``neurosim sensitivity``: tell what moves the rate most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.cli.options import parse_whole, scenario_changes
from neurosim.cli.output import output_folder, save_and_print
from neurosim.cli.progress import ProgressLine

if TYPE_CHECKING:
    import argparse

HELP = "tell which field of the body and which number of the model moves the rate most"
RUNS_PER_SAMPLE = 30  # about so often the rate is computed
OPTIONS = ("range", "samples", "people", "muscle", "axon", "seed", "out")


def run(args: argparse.Namespace) -> None:
    """Move everything, and print what counts."""
    from neurosim.simulation import sensitivity as study
    from neurosim.simulation.scenario import Scenario

    changes = scenario_changes(args)
    samples = study.SAMPLES if args.samples is None else parse_whole("samples", args.samples)
    people = Scenario(people=study.PEOPLE).replace(**changes).people
    study.check_request(args.range, samples, people)
    with output_folder(args.out, f"sensitivity_{args.range}") as folder:
        from neurosim.simulation.budget import useful_cores

        progress = ProgressLine()
        result = study.sensitivity(
            range=args.range,
            samples=samples,
            cores=useful_cores(samples * RUNS_PER_SAMPLE),
            progress=progress,
            stage=progress.stage,
            **changes,
        )
        save_and_print(folder, result)
