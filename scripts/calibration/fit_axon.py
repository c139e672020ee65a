"""Fit the parameters of the axon on the people's norms and on what conditions do to them.

    python scripts/calibration/fit_axon.py [--axon ghk] [--starts 3] [--cores 2] [--write]
                                           [--figure PATH]

All its assumptions are in neurosim/clinic/fit.toml: bounds and prior of each
parameter, the conditions and their loose targets, the weights. The cost is a sum of blocks, each a
weight times a mean square: electrotonus, recovery cycle and I/V in SDs of 280 people, the derived
measures likewise, the targets in tolerances, the rest, the prior.

It starts from the shipped set and from the best of random points between the bounds, which know
nothing of it; each start is taken downhill by SciPy's bounded least squares.
It prints costs, z of every derived measure, parameters at a bound, and how far the sets differ in
their parameters and in their reactions: sets that fit the norms alike need not react alike
(docs/limits.md). `--write` puts the best set into the axon's TOML file; the hazard law and all
that follows were fitted on the shipped set and must then be fitted again.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import qmc

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, parameter
from neurosim.clinic import excitability as ex
from neurosim.clinic import norms as norms_
from neurosim.clinic.conditioning import te_delays
from neurosim.clinic.space import Space
from neurosim.model.axon import axon as ax

STEP = 0.05  # of a derivative, in prior SDs
UNDEFINED = 4.0  # residual of a measure that the axon does not have
SCREENED, EXAMINED = 1024, 32  # random points: their rest is computed, those near it examined
AT_BOUND = 0.01  # of the range between the bounds
REACTIONS = {
    "potassium 6": ax.Conditions(potassium_out_mmol_l=6.0),
    "potassium 2.8": ax.Conditions(potassium_out_mmol_l=2.8),
    "calcium 0.8": ax.Conditions(calcium_out_mmol_l=0.8),
    "magnesium 2": ax.Conditions(magnesium_out_mmol_l=2.0),
    "sodium 120": ax.Conditions(sodium_out_mmol_l=120.0),
    "persistent sodium x2": ax.Conditions(persistent_sodium_scale=2.0),
    "persistent sodium x3": ax.Conditions(persistent_sodium_scale=3.0),
    "fast potassium x0.3": ax.Conditions(fast_potassium_scale=0.3),
    "slow potassium x0.5": ax.Conditions(slow_potassium_scale=0.5),
    "pump x0.5": ax.Conditions(pump_scale=0.5),
    "sodium inside 12": ax.Conditions(sodium_in_mmol_l=12.0),
    "30 degrees": ax.Conditions(temperature_c=30.0),
}


def conditions() -> dict[str, ax.Conditions]:
    """Return health and the conditions that have targets, by name."""
    by_name = {"health": ax.Conditions()}
    for key in (k for k in load_group("fit") if k.startswith("condition.")):
        _, name, field = key.split(".")
        by_name[name] = by_name.get(name, ax.Conditions()).replace(**{field: parameter("fit", key)})
    return by_name


def targets() -> list[tuple[str, str, float, float]]:
    """Return (condition, measure, value, tolerance) of every target under a condition."""
    rows = [(k, v) for k, v in load_group("fit").items() if k.startswith("target.")]
    parts = [(*k.split(".")[1:], v.value, 0.5 * (v.high - v.low)) for k, v in rows]
    return [p for p in parts if p[0] != "health"]


def axons_at_rest(space: Space, points: np.ndarray, axon: str) -> list[ax.ParameterSet]:
    """Return the axons at `points`, each with its slow inactivation at its own rest."""
    sets = [space.axon_and_conditions(x, axon)[0] for x in points]
    return [s.replace(Es0=e) for s, e in zip(sets, ax.healthy_rest_mv(sets), strict=True)]


def measure_batch(sets, around, full: bool) -> list[ex.Curves]:
    """Return the curves of all sets, for each condition."""
    n = len(sets)
    axons = ax.at_rest([c for c in around for _ in sets], list(sets) * len(around))
    curves = ex.measure_curves(axons, full=full)
    return [curves.take(slice(i * n, (i + 1) * n)) for i in range(len(around))]


def test_curves(sets: Sequence[ax.ParameterSet]) -> dict[str, ex.Curves]:
    """Return the curves in health and under every condition that has targets."""
    around, curves = conditions(), {}
    polarised = {c for c, measure, *_ in targets() if measure.startswith("te_")} | {"health"}
    for full in (True, False):
        names = [name for name in around if (name in polarised) == full]
        curves |= dict(
            zip(names, measure_batch(sets, [around[c] for c in names], full), strict=True)
        )
    return curves


def blocks(space: Space, points: np.ndarray, axon: str) -> dict[str, np.ndarray]:
    """Return the residuals of each block, shape (n, k), NaN where a measure is undefined."""
    curves, norms, delays = (
        test_curves(axons_at_rest(space, points, axon)),
        norms_.norms(),
        te_delays(),
    )
    health, rest = curves["health"], load_group("fit")["target.health.rest_mv"]
    parts = {
        "electrotonus": np.hstack(
            [
                _z(health.te_percent[:, i, np.isin(delays, norms[name].x)], norms[name])
                for i, name in enumerate(norms_.TE_CURVES.values())
            ]
        ),
        "recovery": _z(health.recovery_percent, norms["recovery_cycle"]),
        "iv": _z(health.iv_percent, norms["threshold_iv"]),
        "measures": np.stack(
            [(health.measures[k] - mean) / sd for k, (mean, sd) in norms_.norm_measures().items()],
            1,
        ),
        "conditions": np.stack(
            [(curves[c].measures[m] - value) / tol for c, m, value, tol in targets()], 1
        ),
        "rest": (health.resting_potential_mv[:, None] - rest.value) / (rest.high - rest.value),
        "prior": points @ space.whitener.T,
    }
    return parts


def _z(curves, norm: norms_.NormCurve) -> np.ndarray:
    """Return curves in SDs from the mean, without the points where all people are alike."""
    differ = norm.sd > 0
    return ((curves - norm.mean) / np.where(differ, norm.sd, 1.0))[:, differ]


def costs(parts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the weighted mean square of each block, shape (n,)."""
    return {
        name: parameter("fit", f"weight.{name}")
        * np.mean(np.nan_to_num(part, nan=UNDEFINED) ** 2, axis=1)
        for name, part in parts.items()
    }


class Cost:
    """The residuals of one axon and their derivatives, whole batches at a time."""

    def __init__(self, axon: str) -> None:
        self.axon, self.space = axon, Space.from_file("axon", axon=axon)

    def residuals(self, points: np.ndarray) -> np.ndarray:
        """Return the residuals, shape (n, m); the sum of their squares is the cost."""
        try:
            with np.errstate(over="ignore"):  # of rates at potentials where no axon is
                parts = blocks(self.space, points, self.axon)
        except NeurosimError:  # some membrane has no resting potential
            if len(points) == 1:
                return np.full((1, self._length()), UNDEFINED)
            return np.vstack([self.residuals(x[None]) for x in points])
        return np.hstack(
            [
                np.nan_to_num(part, nan=UNDEFINED)
                * np.sqrt(parameter("fit", f"weight.{name}") / part.shape[1])
                for name, part in parts.items()
            ]
        )

    def _length(self) -> int:
        shipped = self.space.point(self.shipped())[None]
        return self.residuals(shipped).shape[1]

    def shipped(self) -> dict[str, float]:
        """Return the parameters that the package has now, those beyond a bound moved to it."""
        a = ax.axon_parameters(self.axon)
        return {d.name: float(np.clip(a[d.name], d.low, d.high)) for d in self.space.dimensions}

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Return the derivatives at `x`, shape (m, d), by steps towards the farther bound."""
        low, high = self.space.bounds
        step = np.where(high - x > x - low, STEP, -STEP)
        r = self.residuals(np.vstack([x, x + np.diag(step)]))
        return ((r[1:] - r[0]) / step[:, None]).T


def neutral_starts(cost: Cost, n: int, seed: int) -> list[np.ndarray]:
    """Return the best of random points (Sobol) of the whole box, `n` in all.

    Those near the wanted rest are examined. The centre of the prior itself fires again after
    every spike and shows no way down.
    """
    low, high = cost.space.bounds
    sobol = qmc.Sobol(low.size, seed=np.random.default_rng(seed)).random(SCREENED)
    points = low + sobol * (high - low)
    rest = ax.healthy_rest_mv([cost.space.axon_and_conditions(x, cost.axon)[0] for x in points])
    target = load_group("fit")["target.health.rest_mv"]
    near = points[np.abs(rest - target.value) < 3.0 * (target.high - target.value)][:EXAMINED]
    order = np.argsort((cost.residuals(near) ** 2).sum(axis=1))
    return list(near[order[:n]])


def descend(task) -> tuple[str, np.ndarray, float]:
    """Return (name, point, cost) of the minimum reached from one start; print every step."""
    axon, name, start, rounds = task
    cost, begun, taken = Cost(axon), time.perf_counter(), 0

    def slope(x):
        nonlocal taken
        taken += 1
        cost_now = (cost.residuals(x[None]) ** 2).sum()
        minutes = (time.perf_counter() - begun) / 60.0
        print(f"  {axon}, {name}: step {taken}, cost {cost_now:.3f}, {minutes:.1f} min", flush=True)
        return cost.jacobian(x)

    low, high = cost.space.bounds
    inside = np.clip(start, low + 1e-6, high - 1e-6)
    solution = least_squares(
        lambda x: cost.residuals(x[None])[0], inside, slope, (low, high), max_nfev=rounds, ftol=2e-3
    )
    return name, solution.x, 2.0 * solution.cost


def reactions(sets: Sequence[ax.ParameterSet]) -> dict[str, dict[str, np.ndarray]]:
    """Return the reaction of each set to each of `REACTIONS`: arrays over the sets.

    The 1-ms and the 20-ms threshold in % of the set's own health, and two measures.
    """
    health, *changed = measure_batch(sets, [ax.Conditions(), *REACTIONS.values()], False)
    return {
        name: {
            "threshold 1 ms, %": 100 * curves.threshold_pa[:, -1] / health.threshold_pa[:, -1],
            "threshold 20 ms, %": 100 * curves.threshold_20ms_pa / health.threshold_20ms_pa,
            "SDTC, ms": curves.measures["sdtc_ms"],
            "superexcitability, %": curves.measures["superexcitability_percent"],
        }
        for name, curves in zip(REACTIONS, changed, strict=True)
    }


def at_bound(space: Space, x: np.ndarray) -> list[str]:
    """Return the names of the parameters that sit at a bound."""
    low, high = space.bounds
    near = np.minimum(x - low, high - x) < AT_BOUND * (high - low)
    return [name for name, is_near in zip(space.names, near, strict=True) if is_near]


def print_report(cost: Cost, sets: dict[str, np.ndarray]) -> None:
    """Print costs, z of the measures, bounds, parameters and reactions of every set."""
    points = np.array(list(sets.values()))
    parts = blocks(cost.space, points, cost.axon)
    by_block = costs(parts)
    print("\ncost of".ljust(24) + "".join(f"{n[:9]:>11}" for n in [*by_block, "sum"]))
    for i, name in enumerate(sets):
        row = [v[i] for v in by_block.values()]
        print(f"{name:23}" + "".join(f"{v:11.3f}" for v in [*row, sum(row)]))
        print(f"    at a bound: {', '.join(at_bound(cost.space, points[i])) or 'none'}")
    table("z of measure", sets, norms_.norm_measures(), parts["measures"].T)
    labels = [f"{c} {m.rsplit('_', 1)[0]}"[:40] for c, m, *_ in targets()]
    table("miss of target, in tolerances", sets, labels, parts["conditions"].T)
    values = [list(cost.space.values(x).values()) for x in points]
    table("parameter", sets, cost.space.names, np.array(values).T)
    responses = reactions(axons_at_rest(cost.space, points, cost.axon))
    for measure in next(iter(responses.values())):
        table(measure, sets, responses, [row[measure] for row in responses.values()])


def table(title: str, columns, rows, values) -> None:
    """Print a table with one row a line."""
    print(f"\n{title:42}" + "".join(f"{name[:12]:>13}" for name in columns))
    for name, row in zip(rows, values, strict=True):
        print(f"  {name:40}" + "".join(f"{v:13.4g}" for v in row))


def draw(cost: Cost, sets: dict[str, np.ndarray], path: str) -> None:
    """Draw the parameters of the sets beside their reactions.

    Only of those that fit the norms as well as the shipped set, which comes first.
    """
    from matplotlib.figure import Figure

    points = np.array(list(sets.values()))
    by_block = costs(blocks(cost.space, points, cost.axon))
    misfit = np.sum([by_block[n] for n in ("electrotonus", "recovery", "iv", "measures")], axis=0)
    fits = misfit <= misfit[0]
    points = points[fits]
    sets = dict(zip([n for n, f in zip(sets, fits, strict=True) if f], points, strict=True))
    low, high = cost.space.bounds
    responses = reactions(axons_at_rest(cost.space, points, cost.axon))
    figure = Figure(figsize=(10, 7.5), layout="constrained")
    parameter_axes, response_axes = figure.subplots(1, 2)
    marks = ("k*", "o", "s", "^", "v", "D", "P", "X")
    share = (points - low) / (high - low)
    percent = np.array([row["threshold 20 ms, %"] for row in responses.values()]).T
    for name, mark, x, y in zip(sets, marks, share, percent, strict=False):
        parameter_axes.plot(x, np.arange(x.size), mark, ls="", ms=7, alpha=0.8)
        response_axes.plot(y, np.arange(y.size), mark, ls="", ms=7, alpha=0.8, label=name)
    parameter_axes.set(
        yticks=np.arange(low.size),
        yticklabels=cost.space.names,
        xlim=(-0.03, 1.03),
        xlabel="place between the bounds of the fit (0 to 1)",
        title=f"{cost.axon}: parameters of sets that fit the norms",
    )
    response_axes.set(
        yticks=np.arange(len(responses)),
        yticklabels=list(responses),
        xlabel="20-ms threshold, % of the same axon's health",
        title="... and how they react",
    )
    response_axes.axvline(100.0, color="0.6", lw=1)
    response_axes.legend(fontsize=8)
    for axes in (parameter_axes, response_axes):
        axes.grid(axis="y", alpha=0.3)
        axes.invert_yaxis()
    figure.savefig(path, dpi=90)


def write(cost: Cost, x: np.ndarray) -> None:
    """Put a set into the axon's TOML file, nothing else."""
    values = cost.space.values(x)
    values["Es0"] = axons_at_rest(cost.space, x[None], cost.axon)[0]["Es0"]
    path = Path(f"neurosim/model/axon/axon_{cost.axon}.toml")
    text = path.read_text("utf-8")
    for name, value in values.items():
        text = re.sub(rf"(\[{name}\]\nvalue = )[\d.e-]+", rf"\g<1>{value:.6g}", text)
    path.write_text(text, "utf-8")


def save(cost: Cost, sets: dict[str, np.ndarray], path: str) -> None:
    """Write the parameters of every set as CSV, one row a set."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["set", *cost.space.names])
        rows.writerows(
            [n, *(f"{v:.6g}" for v in cost.space.values(x).values())] for n, x in sets.items()
        )


def read(cost: Cost, path: str) -> dict[str, np.ndarray]:
    """Return the sets that `save` wrote."""
    with open(path, encoding="utf-8", newline="") as file:
        return {
            row.pop("set"): cost.space.point({k: float(v) for k, v in row.items()})
            for row in csv.DictReader(file)
        }


def main() -> None:
    """Fit from every start, print the sets, and write the best with `--write`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--axon", default="ghk", choices=ax.AXONS)
    parser.add_argument("--starts", type=int, default=3, help="neutral starts beside the shipped")
    parser.add_argument("--rounds", type=int, default=25, help="steps of each descent at most")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", help="write the sets as CSV")
    parser.add_argument("--read", help="fit nothing, report on the sets in this CSV")
    parser.add_argument("--figure", help="draw parameters and reactions")
    parser.add_argument("--write", action="store_true", help="the best set becomes the axon's")
    options = parser.parse_args()
    cost = Cost(options.axon)
    shipped = cost.space.point(cost.shipped())
    if options.read:
        sets = read(cost, options.read)
    else:
        starts = {"from shipped": shipped}
        neutral = neutral_starts(cost, options.starts, options.seed)
        starts |= {f"from neutral {i}": x for i, x in enumerate(neutral, 1)}
        tasks = [(options.axon, name, x, options.rounds) for name, x in starts.items()]
        with ProcessPoolExecutor(options.cores) as pool:
            ends = sorted(pool.map(descend, tasks), key=lambda end: end[2])
        sets = {"shipped": shipped} | {name: x for name, x, _ in ends}
    print_report(cost, sets)
    if options.save:
        save(cost, sets, options.save)
    if options.figure:
        draw(cost, sets, options.figure)
    if options.write:
        write(cost, list(sets.values())[1])


if __name__ == "__main__":
    main()
