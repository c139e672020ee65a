"""``neurosim article``: judge every claim of the article."""

from __future__ import annotations

import argparse

from neurosim.base.errors import NeurosimError
from neurosim.cli.options import scenario_changes
from neurosim.cli.output import output_folder, save_and_print
from neurosim.cli.progress import ProgressLine

HELP = "judge every claim of the article"
STATES_A_PERSON = 150  # about so many are computed of each
OPTIONS = ("people", "seed", "out")


def run(args: argparse.Namespace) -> None:
    """Do the command."""
    from neurosim.simulation.scenario import Scenario

    asked = Scenario(name="article", people=200).replace(**scenario_changes(args))
    if asked.people < 2:
        raise NeurosimError(f"people = {asked.people} is too few: a verdict needs at least 2.")
    with output_folder(args.out, "article") as folder:
        from neurosim.article.trial import article
        from neurosim.simulation.budget import useful_cores

        progress = ProgressLine()
        result = article(
            people=asked.people,
            seed=asked.seed,
            cores=useful_cores(asked.people * STATES_A_PERSON),
            progress=progress,
            stage=progress.stage,
        )
        progress.stage("the report")
        save_and_print(folder, result)
