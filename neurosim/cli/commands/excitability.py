"""``neurosim excitability``: run the clinic's nerve-excitability test on the axon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.cli.options import parse_person, parse_settings, scenario_changes
from neurosim.cli.output import output_folder, save_and_print

if TYPE_CHECKING:
    import argparse

HELP = "run the clinic's nerve-excitability test on the axon"
OPTIONS = ("condition", "set", "change", "axon", "person", "seed", "out")


def run(args: argparse.Namespace) -> None:
    """Examine the axon of a body, a person, a condition."""
    from neurosim.model.body.state import Body
    from neurosim.simulation.examine import excitability

    like = "NAME=VALUE, such as persistent_sodium_scale=2"
    body = Body.from_values(parse_settings(args.set))  # type: ignore[arg-type]
    change, person = parse_settings(args.change, "--change", like), parse_person(args)
    with output_folder(args.out, "excitability") as folder:
        examination = excitability(
            body,
            condition=args.condition,
            change=change,  # type: ignore[arg-type]
            person=person,
            **scenario_changes(args),
        )
        save_and_print(folder, examination)
