"""Options of the commands, and what their words mean in the terms of the twins in Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from neurosim.base.errors import NeurosimError, clip_name

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

OPTIONS: dict[str, dict[str, Any]] = {
    "against": {"metavar": "NAME", "help": "scenario to compare with (default: health)"},
    "set": {"metavar": "FIELD=VALUE", "nargs": "+", "action": "extend",
            "help": "change fields of the body, such as potassium_mmol_l=2.5 stress=0.5"},
    "remedy": {"metavar": "NAME", "help": "try a remedy on that body, such as calm; compared with "
                                          "the same body without, unless told otherwise"},
    "change": {"metavar": "NAME=VALUE", "nargs": "+", "action": "extend",
               "help": "change the axon by a name of 'neurosim list': multiply a part of the "
                       "membrane (persistent_sodium_scale=2), set what is around it "
                       "(potassium_out_mmol_l=6, ph=7.6) or say what it went through "
                       "(ischaemia_min=10 after_min=2)"},
    "condition": {"metavar": "NAME", "help": "a named condition of the axon, such as ischaemia; "
                                             "'neurosim list' shows all"},
    "muscle": {"metavar": "M", "help": "muscle, such as eyelid ('all' six in a cohort)"},
    "rate-hz": {"metavar": "HZ", "help": "samples per second, where the file has no column of "
                                         "time"},
    "unit": {"metavar": "uV|mV|V", "help": "of the voltage, where the header does not say it"},
    "hours": {"metavar": "H", "help": "simulated time, in hours (default: 24)"},
    "workers": {"metavar": "W", "help": "processes to use (default: the machine's cores)"},
    "scheduler": {"metavar": "ADDRESS", "help": "a Dask cluster that does the work instead, such "
                                                "as tcp://127.0.0.1:8786"},
    "resume": {"action": "store_true", "help": "go on with the unfinished run in the folder"},
    "format": {"metavar": "csv|parquet", "default": "csv", "help": "of the tables"},
    "duration": {"metavar": "T", "help": "simulated time, in seconds or as '24 h'"},
    "people": {"metavar": "N", "help": "number of people"},
    "person": {"metavar": "N", "help": "which of the seed's people, from 0 (without it, a "
                                       "typical one is run and the mean axon examined)"},
    "seed": {"metavar": "S", "help": "same seed, same people and twitches"},
    "axon": {"metavar": "ghk|ohmic|alternative",
             "help": "which of the axons that fit people's nerves"},
    "root": {"metavar": "R", "help": "which root a pinched nerve pinches, such as C6 (default: S1; "
                                     "'sensory' for sensory fibres alone)"},
    "range": {"metavar": "reference|clinical", "default": "reference",
              "help": "how far the fields of the body are moved (default: reference)"},
    "samples": {"metavar": "N", "help": "a power of 2 (default: 512); the rate is computed about "
                                        "30 times as often"},
    "only": {"metavar": "student|teacher|worksheets",
             "help": "build only these (default: all); keys come with the worksheets"},
    "no-browser": {"action": "store_true", "help": "print the address only"},
    "port": {"metavar": "P", "help": "port of this machine (default: one that is free)"},
    "out": {"metavar": "DIR", "help": "folder for the files"},
    "csv": {"metavar": "FILE", "help": "also write them as a CSV table"},
}  # fmt: skip


def parse_whole(name: str, text: str | None) -> Any:
    """Return a whole number as int, None for None; another number as text, for its own check.

    Raises
    ------
    NeurosimError
        If it is no number.
    """
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        from neurosim.base.errors import finite_number

        finite_number(name, text)
        return text


def parse_settings(
    items: Sequence[str] | None,
    option: str = "--set",
    like: str = "FIELD=VALUE, such as stress=0.5",
) -> dict[str, str]:
    """Return the fields of ``--set``, or the names and factors of another such option.

    Raises
    ------
    NeurosimError
        For an item without ``=``, or a field given twice.
    """
    settings: dict[str, str] = {}
    for item in items or ():
        name, sign, value = item.partition("=")
        name = name.strip()
        if not sign or not name or not value.strip():
            raise NeurosimError(f"{option} needs {like}, not '{clip_name(item)}'.")
        if name in settings:
            raise NeurosimError(f"{option} gives {clip_name(name)} twice.")
        settings[name] = value.strip()
    return settings


def _has_unit(duration: str | None) -> bool:
    """Return whether a duration has a unit, as ``24 h`` has and ``3e7`` has not."""
    try:
        float(duration or 0.0)
    except ValueError:
        return re.search("[A-Za-z]", duration or "") is not None
    return False


def scenario_changes(args: argparse.Namespace) -> dict[str, Any]:
    """Return the scenario fields that the options change."""
    duration = getattr(args, "duration", None)
    changes = {
        "muscle": getattr(args, "muscle", None),
        "duration" if _has_unit(duration) else "duration_s": duration,
        "axon": getattr(args, "axon", None),
        "root": getattr(args, "root", None),
        "people": parse_whole("people", getattr(args, "people", None)),
        "seed": parse_whole("seed", getattr(args, "seed", None)),
    }
    return {name: value for name, value in changes.items() if value is not None}


def parse_person(args: argparse.Namespace) -> int | None:
    """Return the person asked for, if any.

    Raises
    ------
    NeurosimError
        For anything but a whole number from 0.
    """
    person = parse_whole("person", args.person)
    if person is None or (isinstance(person, int) and person >= 0):
        return person
    raise NeurosimError(f"person = {clip_name(args.person)} must be a whole number from 0.")
