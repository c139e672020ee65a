"""``neurosim sweep``: change one field of the body step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.cli.options import scenario_changes
from neurosim.cli.output import output_folder, save_and_print, say_if_long
from neurosim.cli.progress import ProgressLine

if TYPE_CHECKING:
    import argparse

HELP = "change one field of the body step by step"
OPTIONS = ("muscle", "people", "seed", "out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the positional arguments."""
    parser.add_argument("field", metavar="FIELD", help="a field of the body, in any of its units")
    parser.add_argument("steps", metavar="START:STOP:N", help="such as 0.7:1.3:7")


def run(args: argparse.Namespace) -> None:
    """Change the field step by step, save and print what came of it."""
    from neurosim.simulation.sweep import parse_steps, step_scenarios, sweep, sweep_scenario

    changes, values = scenario_changes(args), parse_steps(args.steps)
    base = sweep_scenario(**changes)
    scenarios = step_scenarios(base, args.field, values)
    with output_folder(args.out, f"sweep_{args.field}") as folder:
        from neurosim.simulation import budget

        cores = budget.useful_cores(base.people * len(values))
        say_if_long(budget.count_seconds(scenarios, base.people, cores))
        result = sweep(args.field, values, cores=cores, progress=ProgressLine("people"), **changes)
        save_and_print(folder, result)
