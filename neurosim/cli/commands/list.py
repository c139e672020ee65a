"""``neurosim list``: list scenarios, muscles, the fields of a body and an axon's conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.cli.output import print_now

if TYPE_CHECKING:
    import argparse

HELP = "list scenarios, muscles, the fields of a body and an axon's conditions"
OPTIONS: tuple[str, ...] = ()


def run(args: argparse.Namespace) -> None:
    """Print all that can be named in a command."""
    from neurosim.model.axon.changes import CHANGES, named_conditions
    from neurosim.model.body.fields import FIELDS
    from neurosim.model.body.remedies import REMEDIES
    from neurosim.model.body.units import INPUT_UNITS
    from neurosim.model.muscle.anatomy import MUSCLES, muscle, muscle_roots
    from neurosim.simulation.scenario import catalogue, load_scenario

    print_now("Scenarios (neurosim run NAME; NAME_mild for most of them):")
    for name in catalogue():
        s = load_scenario(name)
        print_now(f"  {name:<25} {s.title}: {s.about}")
    print_now("\nMuscles (--muscle M):")
    for name in MUSCLES:
        supply = ", ".join(muscle_roots(name)) or "no spinal root"
        print_now(f"  {name:<16} {muscle(name).latin} ({supply})")
    print_now("\nFields of the body (--set FIELD=VALUE):")
    for f in FIELDS.values():
        usual = f"{f.low:g} to {f.high:g}" if f.high > f.low else f"{f.low:g}"
        unit = f" {f.unit}" if f.unit else ""
        print_now(f"  {f.name:<25} {f.title}, reference {usual}{unit}")
    print_now("\nAlso understood: " + ", ".join(n for n in INPUT_UNITS if n not in FIELDS) + ".")
    print_now("\nConditions of an axon (neurosim excitability --condition NAME):")
    for c in named_conditions().values():
        what = ", ".join(f"{name}={value:g}" for name, value in c.changes.items())
        print_now(f"  {c.name:<23} {c.title}: {c.description} ({what})")
    print_now("\nRemedies (neurosim run NAME --remedy REMEDY):")
    for remedy in REMEDIES:
        print_now(f"  {remedy.name:<25} {remedy.label}")
    print_now(
        "\nChanges of an axon (neurosim excitability --change NAME=VALUE; a scale multiplies):"
    )
    for change in CHANGES.values():
        unit = f" {change.unit}" if change.unit else ""
        print_now(f"  {change.name:<24} {change.label}, {change.low:g} to {change.high:g}{unit}")
