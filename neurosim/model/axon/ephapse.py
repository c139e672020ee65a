"""What a spike in one axon does to another that it touches, read from a table.

`scripts/calibration/make_ephapse.py` holds the circuit, runs it along one axis of the body or the
contact at a time and writes `ephapse.csv`; the effects of several axes multiply here. How far that
is from direct runs of other states stands in `ephapse.toml` (`held_out_error`).
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.errors import NeurosimError, number_within, unknown_name
from neurosim.base.parameters import load_group, overrides, parameter
from neurosim.model.axon.axon import AXONS
from neurosim.model.axon.conditions import Conditions
from neurosim.model.axon.ensemble import calibrated_axon

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Groups of numbers that the table was made with.
_FROZEN = ("membrane", "chain", *(f"axon_{name}" for name in AXONS))
CONTACTS = ("healthy", "lesion")
FIRES = 1.0  # share from which a spike starts one in the neighbour; 0.9 to 1.1 in direct runs


@cache
def read_table(axon: str, contact: str) -> dict[str, NDArray[np.float64]]:
    """Return by axis its values, rising, and their shares."""
    text = resources.files("neurosim.model.axon").joinpath("ephapse.csv").read_text("utf-8")
    cells: dict[str, list[list[float]]] = {}
    for *table, axis, value, share in (line.split(",") for line in text.splitlines()[1:]):
        if table == [axon, contact]:
            cells.setdefault(axis, []).append([float(value), float(share)])
    return {axis: np.array(rows).T for axis, rows in cells.items()}


def crosstalk_share(
    conditions: Conditions | None = None, contact: str = "lesion", axon: str = "ghk"
) -> float:
    """Return the potential of the cleft over one of the same course that would fire the neighbour.

    Parameters
    ----------
    conditions : Conditions, optional
        Of both axons; healthy if left out.
    contact : str
        ``"healthy"`` (myelinated, node beside node) or ``"lesion"`` (without myelin).
    axon : str
        ``"ghk"``, ``"ohmic"`` or ``"alternative"``; a member of the ensemble has the first's table.

    Raises
    ------
    NeurosimError
        For an unknown contact or axon, and for what the table does not hold.
    """
    axon = calibrated_axon(axon)
    for kind, name, known in (("contact", contact, CONTACTS), ("axon", axon, AXONS)):
        if name not in known:
            raise unknown_name(kind, name, known)
    body, health, table = conditions or Conditions(), Conditions(), read_table(axon, contact)
    point = {f.name: (getattr(body, f.name), getattr(health, f.name)) for f in fields(body)}
    numbers = {n: v.value for n, v in load_group("ephapse").items() if n in table}
    point |= {name: (parameter("ephapse", name), value) for name, value in numbers.items()}
    moved = [name for name, (here, normal) in point.items() if name not in table and here != normal]
    moved += [name for group, name in overrides() if group in _FROZEN]
    if moved:
        raise NeurosimError(
            f"The table of axons in contact holds no other {moved[0]}, only {', '.join(table)}: "
            "scripts/calibration/make_ephapse.py runs the circuit itself."
        )
    if sum(point[name][0] != point[name][1] for name in numbers) > 1:
        raise NeurosimError(
            "The table of axons in contact holds the numbers of the contact one at a time: "
            "scripts/calibration/make_ephapse.py runs the circuit itself."
        )
    share = effect = 1.0
    for axis, (values, shares) in table.items():
        number_within(axis, point[axis][0], values[0], values[-1], meaning="tabulated")
        here, share = np.exp(np.interp(np.log(point[axis]), np.log(values), np.log(shares)))
        effect *= here / share
    return float(effect * share)
