"""Which parameters of the axon moved in one person: the fit of a nerve-excitability record.

The program MEMFIT does the same with another model. The record's curves (threshold electrotonus
at +-40 and +-20 %, recovery cycle, I/V, strength-duration time constant; no absolute current) are
compared with those of the model axon. There are two answers.

*All together* (`Fit.estimates`): the most probable parameters, given a prior centred on the
healthy axon with the spread of healthy people (``person.*`` of ``clinic/fit.toml``) and the noise
of a record, found by SciPy's bounded least squares; their uncertainty is Laplace's, the inverse of
the curvature there. Where the model misses the record by more than the noise, the noise is taken
to be that much larger.

*One alone* (`Fit.singles`): for every single change, the value that removes most of the
discrepancy, with no prior, and how much that is. Changes that do nearly as well as the best cannot
be told from it by this record.

The model's healthy axon is not the people's mean to the last point. A record of a person is
compared with the people's mean, and the model's change with the model's health: what differs
between the two in health is added to the model. A simulated record is compared with the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator  # pyright: ignore[reportMissingTypeStubs] scipy has no types
from scipy.optimize import least_squares  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] scipy has no types

from neurosim.base.cache import cached
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import Key, keep_reads, parameter
from neurosim.base.viewable import Viewable
from neurosim.clinic import excitability as ex
from neurosim.clinic import norms as norms_
from neurosim.clinic.conditioning import te_delays
from neurosim.clinic.indices import POLARISED_FROM_MS
from neurosim.clinic.space import Space
from neurosim.model.axon import axon as axons_of
from neurosim.model.axon.axon import Axon, Conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STEP = 0.1  # of a derivative, in prior SDs
NOISE_TOLERANCE = 1.2  # times the stated noise, up to which the model follows a record
UNDEFINED = 10.0  # residual of a point that the axon does not have, in SDs of the noise
FEWEST_POINTS = 20
Z95, CHI95 = 1.96, 3.84
SINGLE_POINTS = 7  # of a single change, on either side of health
BOUNDARY_STEPS = 2  # to where the axon can no longer be tested in full
REFINED_CHANGES = 3  # single changes whose best value is looked at more closely
INSEPARABLE_CORRELATION = 0.8  # correlation from which two estimates count as one
UNINFORMED_SPREAD = 0.8  # posterior over prior SD from which a record has told nothing


@dataclass(frozen=True, repr=False)
class NerveRecord:
    """What one person's record gives: each curve as (x, y) with NaN-free arrays of equal length.

    Attributes
    ----------
    electrotonus : dict of int to (ndarray, ndarray)
        By level in %: delay in ms (the current begins at 10), threshold reduction in %.
    recovery, iv : (ndarray, ndarray)
        Interval in ms and change in %; current in % and reduction in %.
    sdtc_ms : float
        Strength-duration time constant; NaN if unknown.
    temperature_c : float
        Skin temperature, or the axon's in a simulated record; NaN if unknown.
    simulated : bool
        Whether a model made it.
    title : str
    """

    electrotonus: Mapping[int, tuple[np.ndarray, np.ndarray]] = field(
        default_factory=dict[int, tuple[np.ndarray, np.ndarray]]
    )
    recovery: tuple[np.ndarray, np.ndarray] = (np.array([]), np.array([]))
    iv: tuple[np.ndarray, np.ndarray] = (np.array([]), np.array([]))
    sdtc_ms: float = np.nan
    temperature_c: float = np.nan
    simulated: bool = False
    title: str = "record"

    def __repr__(self) -> str:
        levels = ", ".join(f"{level:+d} %" for level in self.electrotonus) or "none"
        return (
            f"<NerveRecord: {self.title}; electrotonus {levels}; recovery cycle of "
            f"{self.recovery[0].size} points; I/V of {self.iv[0].size}>"
        )

    @classmethod
    def from_curves(
        cls, curves: ex.Curves, body: int = 0, temperature_c: float = np.nan
    ) -> NerveRecord:
        """Return the record that the model's `curves` of one body are."""
        one = ex.single_excitability(curves.take([body]))
        return cls.from_excitability(one, temperature_c)

    @classmethod
    def from_excitability(
        cls, examination: ex.Excitability, temperature_c: float = np.nan, title: str = "record"
    ) -> NerveRecord:
        """Return the model's examination as the record that a clinic would have of it."""
        electrotonus: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for level, name in norms_.TE_CURVES.items():
            delays = examination.te_delay_ms
            in_protocol = np.isin(delays, norms_.norms()[name].x)
            reduction = examination.te_reduction_percent[level]
            electrotonus[level] = _drop_undefined(delays[in_protocol], reduction[in_protocol])
        return cls(
            electrotonus,
            _drop_undefined(examination.recovery_interval_ms, examination.recovery_change_percent),
            _drop_undefined(examination.iv_current_percent, examination.iv_reduction_percent),
            examination.tau_sd_ms,
            temperature_c,
            simulated=True,
            title=title,
        )

    @classmethod
    def from_norms(cls) -> NerveRecord:
        """Return the mean of 280 people as a record."""
        norms = norms_.norms()
        return cls(
            {level: (norms[name].x, norms[name].mean) for level, name in norms_.TE_CURVES.items()},
            (norms["recovery_cycle"].x, norms["recovery_cycle"].mean),
            (norms["threshold_iv"].x, norms["threshold_iv"].mean),
            norms_.norm_measures()["sdtc_ms"][0],
            title="mean of the people",
        )


def _drop_undefined(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(y)
    return x[known], y[known]


@dataclass(frozen=True)
class Points:
    """The points of a record that can be compared, and where they lie on the model's curves.

    Attributes
    ----------
    curve : ndarray of str, shape (m,)
        A key of ``norms()``, or ``sdtc``.
    x, value, people, people_sd, noise_sd : ndarray, shape (m,)
        The point, its value, mean and SD of 280 people there, SD of the record's noise.
    left, right : ndarray of int, shape (m,)
        Points of the model's row (`comparable_rows`) on either side.
    share : ndarray, shape (m,)
        Of the right one.
    """

    curve: np.ndarray
    x: np.ndarray
    value: np.ndarray
    people: np.ndarray
    people_sd: np.ndarray
    noise_sd: np.ndarray
    left: np.ndarray
    right: np.ndarray
    share: np.ndarray

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the model's curves at the points, shape (n, m)."""
        left, right = rows[:, self.left], rows[:, self.right]
        return np.where(self.share > 0, left + self.share * (right - left), left)


def comparable_rows(curves: ex.Curves) -> np.ndarray:
    """Return all that can be compared, one row a body: electrotonus, recovery, I/V, SDTC."""
    n = len(curves.resting_potential_mv)
    return np.hstack(
        [
            curves.te_percent.reshape(n, -1),
            curves.recovery_percent,
            curves.iv_percent,
            curves.measures["sdtc_ms"][:, None],
        ]
    )


def comparable_points(record: NerveRecord) -> Points:
    """Return the points of a record that the model and the people have too.

    Electrotonus counts from the onset of the current. Points between two of the protocol's are
    read on a straight line, of the recovery cycle on one in the logarithm of the interval.

    Raises
    ------
    NeurosimError
        If fewer than twenty points can be compared.
    """
    norms, delays = norms_.norms(), te_delays()
    cycle, iv = norms["recovery_cycle"], norms["threshold_iv"]
    parts: list[tuple[Any, ...]] = []
    for i, (level, name) in enumerate(norms_.TE_CURVES.items()):
        x, y = record.electrotonus.get(level, (np.array([]), np.array([])))
        from_onset = x >= POLARISED_FROM_MS
        place = (delays, i * delays.size)
        parts.append(
            _place_curve(name, x[from_onset], y[from_onset], norms[name], place, np.asarray)
        )
    begin = len(norms_.TE_CURVES) * delays.size
    parts.append(_place_curve("recovery_cycle", *record.recovery, cycle, (cycle.x, begin), np.log))
    begin += cycle.x.size
    parts.append(_place_curve("threshold_iv", *record.iv, iv, (iv.x, begin), np.asarray))
    if np.isfinite(record.sdtc_ms):
        mean, sd = norms_.norm_measures()["sdtc_ms"]
        last = begin + iv.x.size
        noise = parameter("fit", "noise.sdtc_ms")
        row = (["sdtc"], [1.0], [record.sdtc_ms], [mean], [sd], [noise], [last], [last], [0.0])
        parts.append(row)
    points = Points(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    if points.x.size < FEWEST_POINTS:
        raise NeurosimError(
            f"The record has {points.x.size} points of electrotonus, recovery cycle and I/V that "
            f"can be compared; a fit needs at least {FEWEST_POINTS}."
        )
    return points


def _place_curve(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    norm: norms_.NormCurve,
    place: tuple[np.ndarray, int],
    scale: Callable[[np.ndarray], np.ndarray],
) -> tuple[Any, ...]:
    """Return the columns of `Points` of one curve, without the points beyond the norms."""
    model, begin = place
    inside = (x >= max(norm.x[0], model[0])) & (x <= min(norm.x[-1], model[-1])) & np.isfinite(y)
    x, y = x[inside], y[inside]
    left = np.clip(np.searchsorted(model, x, side="right") - 1, 0, model.size - 2)
    lower, upper = scale(model[left]), scale(model[left + 1])
    share = (scale(x) - lower) / (upper - lower)
    mean, sd = (np.interp(scale(x), scale(norm.x), row) for row in (norm.mean, norm.sd))
    kind = {"recovery_cycle": "recovery", "threshold_iv": "iv"}.get(name, "electrotonus")
    noise = np.hypot(parameter("fit", f"noise.{kind}"), parameter("fit", "noise.share") * sd)
    known = [name] * x.size
    return known, x, y, mean, sd, noise, begin + left, begin + left + 1, share


@dataclass(frozen=True)
class Estimate:
    """One parameter of all together: value, 95 % interval, and where it lies among the healthy.

    Attributes
    ----------
    name, words, unit : str
    health, value, low, high : float
        In the unit; the interval is Laplace's.
    spread : float
        Distance from health in SDs of healthy people.
    told : float
        1 - posterior over prior SD: 0 if the record says nothing of it.
    """

    name: str
    words: str
    unit: str
    health: float
    value: float
    low: float
    high: float
    spread: float
    told: float

    @property
    def moved(self) -> bool:
        """Whether its 95 % interval leaves health out."""
        return not self.low <= self.health <= self.high


@dataclass(frozen=True)
class SingleChange:
    """One change alone: its best value, 95 % interval, and the discrepancy that it removes.

    `removed_percent` is of the mean square in SDs of the noise, `misfit` what is left of its sum;
    an interval that ends at a bound of the search goes on.
    """

    name: str
    words: str
    unit: str
    health: float
    value: float
    low: float
    high: float
    removed_percent: float
    misfit: float


@dataclass(frozen=True, repr=False)
class Fit(Viewable):
    """Which parameters of the axon moved in one record.

    Attributes
    ----------
    record : NerveRecord
    axon : str
    points : Points
    healthy, fitted : ndarray, shape (m,)
        What the model expects at the points in health and at the estimates.
    space : Space
    x : ndarray, shape (d,)
        The estimates in prior SDs.
    covariance : ndarray, shape (d, d)
        Laplace's, of the same.
    noise_scale : float
        How many times larger than stated the noise was taken to be (at least 1).
    singles : list of SingleChange
        Best first.
    parameters : frozenset of (str, str)
        Group and name of every parameter that was read.
    """

    record: NerveRecord
    axon: Axon
    points: Points
    healthy: np.ndarray
    fitted: np.ndarray
    space: Space
    x: np.ndarray
    covariance: np.ndarray
    noise_scale: float
    singles: list[SingleChange]
    parameters: frozenset[Key] = frozenset()

    def misfit(self, predicted: np.ndarray) -> float:
        """Return the mean square distance of the record, in SDs of its stated noise."""
        return float(np.mean(((self.points.value - predicted) / self.points.noise_sd) ** 2))

    @property
    def is_explained_by_health(self) -> bool:
        """Whether health explains the record within the noise (95 % of such records)."""
        m = self.points.x.size
        return self.misfit(self.healthy) < 1.0 + 1.65 * np.sqrt(2.0 / m)

    @cached_property
    def estimates(self) -> list[Estimate]:
        """Every parameter of all together, in the order of the space."""
        sds = np.sqrt(np.diag(self.covariance))
        rows: list[Estimate] = []
        for d, x, sd in zip(self.space.dimensions, self.x, sds, strict=True):
            low, high = (float(d.value(v)) for v in (x - Z95 * sd, x + Z95 * sd))
            rows.append(
                Estimate(
                    d.name,
                    d.label,
                    d.unit,
                    d.centre,
                    float(d.value(x)),
                    low,
                    high,
                    float(x),
                    float(1.0 - sd),
                )
            )
        return rows

    @property
    def inseparable_pairs(self) -> list[tuple[str, str, float]]:
        """Pairs of estimates that the record cannot separate, with their correlation."""
        sds = np.sqrt(np.diag(self.covariance))
        r = self.covariance / np.outer(sds, sds)
        pairs = np.argwhere(np.triu(np.abs(r), 1) > INSEPARABLE_CORRELATION).tolist()
        return [(self.space.names[i], self.space.names[j], float(r[i, j])) for i, j in pairs]

    @property
    def rival_changes(self) -> list[SingleChange]:
        """The best single change and those that the record cannot tell from it."""
        best = self.singles[0].misfit
        return [s for s in self.singles if s.misfit - best < CHI95 * self.noise_scale**2]


def _record_conditions(record: NerveRecord, axon: Axon) -> Conditions:
    """Return the healthy axon at the record's temperature."""
    if not np.isfinite(record.temperature_c):
        return Conditions()
    if record.simulated:
        return Conditions(temperature_c=record.temperature_c)
    warmer = record.temperature_c - parameter("fit", "norms_temperature_c")
    return Conditions(temperature_c=Conditions().temperature_c + warmer)


def person_space(axon: Axon, temperature_c: float) -> Space:
    """Return the parameters of a person, their temperature centred where it was measured."""
    space = Space.from_file("person", axon=axon)
    dimensions = tuple(
        replace(d, centre=temperature_c) if d.name == "temperature_c" else d
        for d in space.dimensions
    )
    return Space(dimensions, space.correlation)


def model_rows(space: Space, x: np.ndarray, axon: Axon) -> np.ndarray:
    """Return the model's rows at points of the space, shape (n, k); NaN if it has no rest."""
    try:
        return comparable_rows(ex.measure_curves(space.at_rest(x, axon), full=True))
    except NeurosimError:
        if len(x) > 1:
            return np.vstack([model_rows(space, point[None], axon) for point in x])
        width = len(norms_.TE_CURVES) * te_delays().size + 1
        width += norms_.norms()["recovery_cycle"].x.size + norms_.norms()["threshold_iv"].x.size
        return np.full((1, width), np.nan)


@cached(size=128)
def single_change(name: str, axon: Axon, temperature_c: float) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates of one parameter alone, and the model's rows there.

    They run from bound to bound, closer near health. Those beyond which the axon cannot be
    tested in full are left out, and that place is approached.
    """
    space = person_space(axon, temperature_c)
    place = space.names.index(name)
    near = np.sinh(np.linspace(0, 2.5, SINGLE_POINTS + 1)) / np.sinh(2.5)
    low, high = (bound[place] for bound in space.bounds)
    grid: np.ndarray = np.array([])
    rows: np.ndarray = np.empty((0, 0))
    first = last = 0
    more: np.ndarray = np.concatenate([low * near[:0:-1], high * near])
    for _ in range(BOUNDARY_STEPS + 1):
        new_rows = model_rows(space, np.outer(more, np.eye(len(space))[place]), axon)
        rows = np.vstack([rows, new_rows]) if grid.size else new_rows
        grid = np.concatenate([grid, more])
        order = np.argsort(grid)
        grid, rows = grid[order], rows[order]
        first, last = _defined_range(grid, rows)
        edges = [
            (float(grid[i]), float(grid[j]))
            for i, j in ((first - 1, first), (last, last + 1))
            if i >= 0 and j < grid.size
        ]
        if not edges:
            break
        more = np.concatenate([np.linspace(a, b, 5)[1:-1] for a, b in edges])
    return grid[first : last + 1], rows[first : last + 1]


def _defined_range(grid: np.ndarray, rows: np.ndarray) -> tuple[int, int]:
    """Return first and last place about health between which every point is defined."""
    bad, health = np.isnan(rows.sum(axis=1)), int(np.argmin(np.abs(grid)))
    below, above = np.flatnonzero(bad[:health]), np.flatnonzero(bad[health:])
    first = int(below[-1]) + 1 if below.size else 0
    last = health + int(above[0]) - 1 if above.size else grid.size - 1
    return first, last


@keep_reads
def fit_record(record: NerveRecord, axon: Axon = "ghk", space: Space | None = None) -> Fit:
    """Fit the parameters of the axon to a record.

    Parameters
    ----------
    record : NerveRecord
    axon : str or ParameterSet
        The healthy axon.
    space : Space, optional
        Parameters that may have moved, and their prior; by default those of `person_space`.

    Raises
    ------
    NeurosimError
        If too little of the record can be compared.
    """
    points, around = comparable_points(record), _record_conditions(record, axon)
    space = space or person_space(axon, around.temperature_c)
    healthy_rows = comparable_rows(
        ex.measure_curves(axons_of.at_rest(Conditions(), axon), full=True)
    )
    offset = 0.0 if record.simulated else points.people - points.predict(healthy_rows)[0]

    def predicted(x: np.ndarray) -> np.ndarray:
        return points.predict(model_rows(space, x, axon)) + offset

    def residuals(x: np.ndarray, scale: float) -> np.ndarray:
        z = (predicted(x) - points.value) / (scale * points.noise_sd)
        z = np.nan_to_num(z, nan=UNDEFINED / scale)
        return np.hstack([z, x @ space.whitener.T])

    x, slope = _most_probable(lambda x: residuals(x, 1.0), np.zeros(len(space)), space)
    misfit = (residuals(x[None], 1.0)[0, : points.x.size] ** 2).sum()
    scale = max(1.0, float(np.sqrt(misfit / max(points.x.size - len(space), 1))))
    if (
        scale > NOISE_TOLERANCE
    ):  # the model misses by more than the noise: once more with that much noise
        x, slope = _most_probable(lambda x: residuals(x, scale), x, space)
    health = predicted(np.zeros((1, len(space))))[0]
    singles = _single_changes(points, offset, space, axon, around.temperature_c, scale)
    return Fit(
        record,
        axon,
        points,
        health,
        predicted(x[None])[0],
        space,
        x,
        np.linalg.inv(slope.T @ slope),
        scale,
        singles,
    )


def _most_probable(
    residuals: Callable[[np.ndarray], np.ndarray], start: np.ndarray, space: Space
) -> tuple[np.ndarray, np.ndarray]:
    """Return the point of least squares within the bounds, and the derivatives there (m, d)."""
    low, high = space.bounds

    def slope(x: np.ndarray) -> np.ndarray:
        step = np.where(high - x > x - low, STEP, -STEP)
        r = residuals(np.vstack([x, x + np.diag(step)]))
        return ((r[1:] - r[0]) / step[:, None]).T

    def one_row(x: np.ndarray) -> np.ndarray:
        return residuals(x[None])[0]

    inside = np.clip(start, low + 1e-6, high - 1e-6)
    solution = cast("Any", least_squares)(
        one_row,
        inside,
        slope,
        (low, high),
        ftol=1e-3,
        xtol=1e-3,
    )
    return solution.x, slope(solution.x)


def _single_changes(
    points: Points,
    offset: float | np.ndarray,
    space: Space,
    axon: Axon,
    temperature_c: float,
    scale: float,
) -> list[SingleChange]:
    """Return every single change, that which removes most of the discrepancy first."""
    full_space = person_space(axon, temperature_c)
    best_values: dict[str, tuple[float, float, float, float]] = {}
    for d in (d for d in space.dimensions if d.name in full_space.names):
        grid, rows = single_change(d.name, axon, temperature_c)
        curves = PchipInterpolator(grid, points.predict(rows) + offset)
        best_values[d.name] = _best_single_value(points, curves, grid, scale)
    for name in sorted(best_values, key=lambda n: best_values[n][3])[:REFINED_CHANGES]:
        best, low, high, _ = best_values[name]
        grid = _refine_grid(best, low, high, full_space.bounds, full_space.names.index(name))
        rows = model_rows(
            full_space, np.outer(grid, np.eye(len(full_space))[full_space.names.index(name)]), axon
        )
        if np.isfinite(rows).all():
            curves = CubicSpline(grid, points.predict(rows) + offset)
            best_values[name] = _best_single_value(points, curves, grid, scale)
    health = full_space.point()[None]
    expected = points.predict(model_rows(full_space, health, axon))[0] + offset
    before = float((((points.value - expected) / points.noise_sd) ** 2).sum())
    singles: list[SingleChange] = []
    for d in (d for d in space.dimensions if d.name in best_values):
        best, least, most, misfit = best_values[d.name]
        value, low, high = (float(d.value(x)) for x in (best, least, most))
        removed = 100.0 * (1.0 - misfit / before) if before > 0 else 0.0
        singles.append(
            SingleChange(d.name, d.label, d.unit, d.centre, value, low, high, removed, misfit)
        )
    return sorted(singles, key=lambda s: s.misfit)


def _best_single_value(
    points: Points, curves: Callable[[np.ndarray], np.ndarray], grid: np.ndarray, scale: float
) -> tuple[float, float, float, float]:
    """Return where a single change has the least misfit, its 95 % interval, and that misfit."""
    fine = np.linspace(float(grid[0]), float(grid[-1]), 2001)
    misfit = (((points.value - curves(fine)) / points.noise_sd) ** 2).sum(axis=1)
    best = int(np.argmin(misfit))
    within = misfit < misfit[best] + CHI95 * scale**2
    # argmin finds the first value outside; none (0) becomes the last place of all
    low = fine[: best + 1][::-1][np.argmin(within[: best + 1][::-1]) - 1]
    high = fine[best:][np.argmin(within[best:]) - 1]
    return float(fine[best]), float(low), float(high), float(misfit[best])


def _refine_grid(
    best: float, low: float, high: float, bounds: tuple[np.ndarray, np.ndarray], place: int
) -> np.ndarray:
    """Return a narrow grid about the best value of a single change, within the bounds."""
    reach = 2.0 * max(high - low, 0.05)
    return np.linspace(max(best - reach, bounds[0][place]), min(best + reach, bounds[1][place]), 5)
