"""``neurosim article``: judge every claim of the article."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.base.errors import NeurosimError
from neurosim.cli.options import scenario_changes
from neurosim.cli.output import output_folder, save_and_print
from neurosim.cli.progress import ProgressLine

if TYPE_CHECKING:
    import argparse

HELP = "judge every claim of the article"
STATES_PER_PERSON = 150  # about so many are computed of each
OPTIONS = ("people", "seed", "out")


def run(args: argparse.Namespace) -> None:
    """Judge the claims, save the report and print the verdicts."""
    from neurosim.simulation.scenario import Scenario

    scenario = Scenario(name="article", people=200).replace(**scenario_changes(args))
    if scenario.people < 2:
        raise NeurosimError(f"people = {scenario.people} is too few: a verdict needs at least 2.")
    with output_folder(args.out, "article") as folder:
        from neurosim.article.trial import article
        from neurosim.simulation.budget import useful_cores

        progress = ProgressLine()
        result = article(
            people=scenario.people,
            seed=scenario.seed,
            cores=useful_cores(scenario.people * STATES_PER_PERSON),
            progress=progress,
            stage=progress.stage,
        )
        progress.stage("the report")
        save_and_print(folder, result)
