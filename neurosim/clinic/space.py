"""Parameters of axons as points of a space with bounds and a prior: what every fit moves in.

A `Space` names the parameters that may differ. Each is one number of an axon (a key of
`axon_parameters`, such as ``GBB``) or of its conditions (a field of `Conditions`, such as
``persistent_sodium_scale``), has bounds, a centre and the prior SD about it, and a scale: a
positive number moves on a logarithmic scale, a voltage, current or temperature on a linear one.

A point is a vector in prior SDs from the centre: the centre is the zero vector, and the
prior a standard normal, or one with the `correlation` of the space. To build the axons of many
points at once:

>>> space = Space.from_file("person", ["persistent_sodium_scale", "GBB"])
>>> axons = space.at_rest(np.zeros((3, 2)))  # a batch of three healthy axons
>>> point = space.point({"persistent_sodium_scale": 1.6})  # what is not named is at its centre
>>> round(space.values(point)["persistent_sodium_scale"], 3)
1.6

Those spaces that the package reads itself stand in ``clinic/fit.toml``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from neurosim.base.errors import NeurosimError, unknown_name
from neurosim.base.parameters import load_group, parameter
from neurosim.model.axon import axon as axons_of
from neurosim.model.axon.axon import Axon, Axons, Conditions, ParameterSet, axon_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LINEAR_UNITS = ("mV", "pA", "degC")  # every other number moves on a logarithmic scale
Numbers = TypeVar("Numbers", float, np.ndarray)
_CONDITIONS = frozenset(f.name for f in fields(Conditions))


@dataclass(frozen=True)
class Dimension:
    """One parameter that may differ.

    Attributes
    ----------
    name : str
        A key of `axon_parameters` or a field of `Conditions`.
    unit : str
    centre, low, high : float
        Prior mean and bounds, in the unit.
    sd : float
        Prior SD at the centre, in the unit.
    label : str
        What it is, for people.
    """

    name: str
    unit: str
    centre: float
    low: float
    high: float
    sd: float
    label: str = ""

    def __post_init__(self) -> None:
        names = {*load_group("axon_ghk"), *_CONDITIONS}
        if self.name not in names:
            raise unknown_name("parameter", self.name, names)
        if not self.low <= self.centre <= self.high or not self.low < self.high:
            raise NeurosimError(
                f"{self.name}: {self.centre:g} must lie within {self.low:g} to {self.high:g}."
            )
        if not self.sd > 0 or (self.is_logarithmic and not self.low > 0):
            raise NeurosimError(f"{self.name}: its SD must be positive, and so its bounds.")

    @property
    def is_logarithmic(self) -> bool:
        """Whether it moves on a logarithmic scale."""
        return self.unit not in LINEAR_UNITS

    @property
    def is_condition(self) -> bool:
        """Whether it is a field of `Conditions`, not a number of the axon."""
        return self.name in _CONDITIONS

    def coordinate(self, value: Numbers) -> Numbers:
        """Return `value` (in the unit) in prior SDs from the centre."""
        if self.is_logarithmic:
            return cast("Numbers", np.log(value / self.centre) * (self.centre / self.sd))
        return (value - self.centre) / self.sd

    def value(self, coordinate: Numbers) -> Numbers:
        """Return what is `coordinate` prior SDs from the centre, in the unit."""
        if self.is_logarithmic:
            return cast("Numbers", self.centre * np.exp(coordinate * (self.sd / self.centre)))
        return self.centre + coordinate * self.sd


def _read_dimension(kind: str, name: str, axon: Axon) -> Dimension:
    """Return one parameter of ``clinic/fit.toml``."""
    group = load_group("fit")
    entry = group[f"{kind}.{name}"]
    unit, numbers = (
        entry.unit,
        np.array([parameter("fit", f"{kind}.{name}"), entry.low, entry.high]),
    )
    if kind == "person" and name not in _CONDITIONS:
        unit, healthy = load_group("axon_ghk")[name].unit, axon_parameters(axon)[name]
        numbers = numbers + healthy if unit in LINEAR_UNITS else numbers * healthy
    centre, low, high = map(float, numbers)
    if f"{kind}_sd.{name}" in group:
        sd = parameter("fit", f"{kind}_sd.{name}") * (1.0 if unit == entry.unit else centre)
    elif unit in LINEAR_UNITS:
        sd = parameter("fit", "prior_share") * (high - low)
    else:
        sd = parameter("fit", "prior_share") * math.log(high / low) * centre
    return Dimension(name, unit, centre, low, high, sd, entry.note)


@dataclass(frozen=True)
class Space:
    """The parameters that may differ, in the order of a point's coordinates.

    Attributes
    ----------
    dimensions : tuple of Dimension
    correlation : ndarray, shape (d, d), optional
        Prior correlation of the coordinates; without it they are independent.
    """

    dimensions: tuple[Dimension, ...]
    correlation: np.ndarray | None = None

    @classmethod
    def from_file(cls, kind: str, names: Iterable[str] | None = None, axon: Axon = "ghk") -> Space:
        """Return the space ``kind.*`` of ``clinic/fit.toml``, of all its parameters or `names`.

        Parameters
        ----------
        kind : str
            ``"axon"`` (the fit on the norms) or ``"person"`` (the fit of one record).
        names : iterable of str, optional
        axon : str or ParameterSet
            The healthy axon about which a person's numbers stand as factors and shifts.

        Raises
        ------
        NeurosimError
            For a name that the space has not.
        """
        known = [n.removeprefix(f"{kind}.") for n in load_group("fit") if n.startswith(f"{kind}.")]
        dimensions: list[Dimension] = []
        for name in known if names is None else names:
            if name not in known:
                raise unknown_name("parameter of the fit", name, known)
            dimensions.append(_read_dimension(kind, name, axon))
        return cls(tuple(dimensions))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(d.name for d in self.dimensions)

    def __len__(self) -> int:
        return len(self.dimensions)

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of the coordinates, two arrays of shape (d,)."""
        return (
            np.array([d.coordinate(d.low) for d in self.dimensions]),
            np.array([d.coordinate(d.high) for d in self.dimensions]),
        )

    @cached_property
    def whitener(self) -> np.ndarray:
        """Matrix ``W``, shape (d, d); ``W x`` is standard normal and ``|W x|^2`` its cost."""
        if self.correlation is None:
            return np.eye(len(self))
        return np.linalg.inv(np.linalg.cholesky(self.correlation))

    def point(self, values: Mapping[str, float] | None = None) -> np.ndarray:
        """Return the point of `values`, shape (d,); what is not named is at its centre.

        Raises
        ------
        NeurosimError
            For a name that the space has not.
        """
        values = values or {}
        for name in values:
            if name not in self.names:
                raise unknown_name("parameter of the fit", name, self.names)
        return np.array([d.coordinate(values.get(d.name, d.centre)) for d in self.dimensions])

    def values(self, point: np.ndarray) -> dict[str, float]:
        """Return the parameters at a point (d,) by name, in their units."""
        return {d.name: float(d.value(x)) for d, x in zip(self.dimensions, point, strict=True)}

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return `n` points of the prior, shape (n, d), those outside the bounds drawn again."""
        low, high = self.bounds
        spread = np.linalg.inv(self.whitener)
        points = np.empty((0, len(self)))
        while len(points) < n:
            x = rng.standard_normal((n, len(self))) @ spread.T
            points = np.concatenate([points, x[((x >= low) & (x <= high)).all(axis=1)]])
        return points[:n]

    def axon_and_conditions(
        self, point: np.ndarray, axon: Axon = "ghk", conditions: Conditions | None = None
    ) -> tuple[ParameterSet, Conditions]:
        """Return the axon and the conditions at one point, all else as in `axon`, `conditions`."""
        values = self.values(point)
        around = {d.name: values[d.name] for d in self.dimensions if d.is_condition}
        axon_values = {name: value for name, value in values.items() if name not in around}
        base = axon_parameters(axon)
        return base.replace(**axon_values) if axon_values else base, (
            conditions or Conditions()
        ).replace(**around)

    def at_rest(
        self, points: np.ndarray, axon: Axon = "ghk", conditions: Conditions | None = None
    ) -> Axons:
        """Return the axons at `points`, shape (n, d), at rest: a batch of n.

        Raises
        ------
        NeurosimError
            If a membrane has no resting potential.
        """
        pairs = [self.axon_and_conditions(x, axon, conditions) for x in np.atleast_2d(points)]
        return axons_of.at_rest([c for _, c in pairs], [a for a, _ in pairs])
