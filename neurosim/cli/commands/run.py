"""``neurosim run``: simulate one scenario and write tables, a figure and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosim.cli.options import parse_person, parse_settings, scenario_changes
from neurosim.cli.output import output_folder, save_and_print, say_if_long
from neurosim.cli.progress import ProgressLine

if TYPE_CHECKING:
    import argparse

HELP = "simulate one scenario and write tables, a figure and its words"
OPTIONS = (
    "against",
    "set",
    "remedy",
    "muscle",
    "duration",
    "people",
    "person",
    "seed",
    "axon",
    "root",
    "out",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the positional arguments."""
    parser.add_argument(
        "scenario",
        nargs="?",
        default="normal",
        metavar="NAME|FILE.toml",
        help="scenario of 'neurosim list' (or normal), or a TOML file",
    )


LONGEST_NAME = 80  # of a folder made from settings


def _scenario_with_settings(args: argparse.Namespace) -> Any:
    """Return the scenario of ``run``, its body changed by ``--set``."""
    from neurosim.simulation.scenario import load_scenario

    scenario = load_scenario(args.scenario).replace(**scenario_changes(args))
    settings = parse_settings(args.set)
    if not settings:
        return scenario
    body = scenario.body.replace(**settings)  # type: ignore[arg-type]
    words = _describe_settings(scenario.body, body)
    name = _name_settings(settings)
    if scenario.name == "normal":
        title = words[:1].upper() + words[1:] or "Health"
    else:
        name = f"{scenario.name}+{name}"
        title = f"{scenario.title}, {words}" if words else scenario.title
    return scenario.replace(name=name, title=title, about="", body=body)


def _name_settings(settings: dict[str, str]) -> str:
    """Return a name made of settings, such as ``potassium_mmol_l_6.5+stress_0.5``.

    One that would be too long for a folder ends in a mark of what was cut off.
    """
    from hashlib import sha256

    parts = (f"{name.lower()}_{float(value):.6g}" for name, value in settings.items())
    name = "+".join(parts)
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}+{sha256(name.encode()).hexdigest()[:8]}"


def _describe_settings(before: Any, after: Any) -> str:
    """Return the fields that ``--set`` changed, in plain words with their new values."""
    from neurosim.model.body.fields import FIELDS

    parts = [
        f"{f.title} {getattr(after, name):.4g} {f.unit}".strip()
        for name, f in FIELDS.items()
        if getattr(after, name) != getattr(before, name)
    ]
    return ", ".join(parts)


def run(args: argparse.Namespace) -> None:
    """Simulate the scenario, save the result and print it."""
    from neurosim.simulation.scenario import apply_remedy, comparison_scenario

    scenario, person = _scenario_with_settings(args), parse_person(args)
    treated = scenario if args.remedy is None else apply_remedy(scenario, args.remedy)
    against = scenario if args.against is None and treated is not scenario else args.against
    other = comparison_scenario(treated, against)
    with output_folder(args.out, treated.name) as folder:
        from neurosim.model.firing.sites import TYPICAL_PERSON
        from neurosim.simulation import budget
        from neurosim.simulation.simulate import simulate

        person = TYPICAL_PERSON if person is None else person
        budget.check_table_size(treated, person)
        pair = [s for s in (treated, other) if s is not None]
        cores = budget.useful_cores(treated.people)
        say_if_long(budget.count_seconds(pair, treated.people, cores))
        result = simulate(
            scenario,
            against=other,
            remedy=args.remedy,
            person=person,
            cores=cores,
            progress=ProgressLine("people"),
        )
        save_and_print(folder, result)
