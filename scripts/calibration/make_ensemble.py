"""Draw axons that the people's norms do not tell from the shipped one, and print what they do.

    python scripts/calibration/make_ensemble.py [--drawn 11] [--cores 2] [--seed 1]
                                                [--save PATH] [--read PATH] [--write] [--table]

The norms do not see where slow sodium inactivation stands: its midpoint (Vs) and slope (ks) are
normalised away at the healthy rest, and only potassium, or another change of rest, shows them.
So both are drawn, evenly over `BOX` (a Latin hypercube), and held; the other 27 parameters of the
shipped `ghk` set are fitted again at each draw, from the shipped values, by a few steps of the
least squares of `fit_axon.py` and on its cost.

A draw is a member if its axon keeps every derived measure within `LARGEST_Z` SDs of the norms and
its cost is no higher than the shipped set's. Of those it stays with probability exp(-(cost - least
cost) / 2). The cost is a sum of weighted mean squares, not of squares, so this weight is lenient
beside a likelihood: it takes away what fits clearly worse and no more. The first that stay, in
the order of the draw and as many as `ENSEMBLE` has names, are numbered by their midpoint.

`--write` puts them into neurosim/model/axon/ensemble.toml. The last tables, alone with `--table`,
are of the axons that the package has: how far each state of the body moves the threshold of a brief
pulse, which decides for event sites, and the rate of a channel site (ghk's hazard law).
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import fit_axon
import numpy as np
from scipy.optimize import least_squares
from scipy.stats import qmc

from neurosim.base.parameters import load_group, override
from neurosim.clinic.space import Space
from neurosim.model.axon import axon as ax
from neurosim.model.axon.ensemble import ENSEMBLE
from neurosim.model.body.contributions import contributions
from neurosim.model.body.state import Body
from neurosim.model.firing.hazard import critical_multiplier, hazard_table, site_rates
from neurosim.simulation.scenario import load_scenario
from neurosim.simulation.state import state_from_contributions

BASE = "ghk"
BOX = {"Vs": (-76.0, -66.0), "ks": (4.0, 10.0)}  # mV; of ks the bounds of the fit
ROUNDS, FTOL = 14, 4e-3  # of a refit: steps at most, relative gain that ends it
LARGEST_Z = 1.1  # of a derived measure
PATH = Path("neurosim/model/axon/ensemble.toml")
GRADE = ("fitted", "this-fit-ensemble")
HEADER = """\
# Written by scripts/calibration/make_ensemble.py; do not edit. Axons that meet the people's norms
# as the ghk set does and differ in where slow sodium inactivation stands, which no norm sees.
# What is not here (temperature, fluids, Cn, ...) is ghk's; so are the coefficients of the hazard
# law, the tables of chains and contacts, and the spread between people (docs/limits.md)."""
REFERENCES = """\
[references]
ensemble-box = "Drawn evenly over the box (low, high), seed 1: no norm of the clinic sees it. The \
slope has the bounds of the fit; nothing was measured at \
mammalian nodes between -95 and -65 mV."
this-fit-ensemble = "Fitted on the norms of 280 \
human median motor nerves and on condition targets \
from the shipped ghk set, midpoint and slope of slow inactivation held, by \
scripts/calibration/make_ensemble.py."
"""
AXONS = (*ax.AXONS, *ENSEMBLE)
BODIES = {
    "K 3.5": Body(potassium_mmol_l=3.5),
    "K 5": Body(potassium_mmol_l=5.0),
    "K 6": Body(potassium_mmol_l=6.0),
    "kidney": load_scenario("kidney_disease").body,
    "stress": load_scenario("stress").body,
    "fatigue": load_scenario("fatigue").body,
    "Na 120": Body(sodium_mmol_l=120.0),
    "Ca 0.8": Body(ionised_calcium_mmol_l=0.8),
    "blocker": Body(sodium_channel_blocker=1.0),
    "ALS 1": Body(als=1.0),
}


@dataclass(frozen=True)
class Draw:
    """One axon of the draw: its values by name, the cost and the largest |z| of a measure."""

    values: dict[str, float]
    cost: float
    largest_z: float


def wide_cost() -> fit_axon.Cost:
    """Return the cost of `fit_axon.py` in a space whose bounds let Vs and ks reach all `BOX`."""
    cost = fit_axon.Cost(BASE)
    cost.space = Space(
        tuple(
            replace(d, low=min(d.low, BOX[d.name][0]), high=max(d.high, BOX[d.name][1]))
            if d.name in BOX
            else d
            for d in cost.space.dimensions
        )
    )
    return cost


def draw_box(n: int, seed: int) -> list[dict[str, float]]:
    """Return `n` pairs of Vs and ks, spread evenly over the box."""
    low, high = np.array(list(BOX.values())).T
    points = qmc.LatinHypercube(len(BOX), rng=np.random.default_rng(seed)).random(n)
    return [dict(zip(BOX, map(float, p), strict=True)) for p in low + points * (high - low)]


def refit(held: dict[str, float]) -> Draw:
    """Fit all parameters but those `held` again, from the shipped set."""
    cost = wide_cost()
    low, high = cost.space.bounds
    start = np.clip(cost.space.point({**cost.shipped(), **held}), low + 1e-6, high - 1e-6)
    free = np.array([name not in held for name in cost.space.names])

    def whole(part: np.ndarray) -> np.ndarray:
        point = start.copy()
        point[free] = part
        return point

    solution = least_squares(
        lambda part: cost.residuals(whole(part)[None])[0],
        start[free],
        lambda part: cost.jacobian(whole(part))[:, free],
        (low[free], high[free]),
        max_nfev=ROUNDS,
        ftol=FTOL,
    )
    draw = judge(cost, whole(solution.x))
    print(
        f"  Vs {held['Vs']:.2f}, ks {held['ks']:.2f}: cost {draw.cost:.3f}, "
        f"largest |z| {draw.largest_z:.2f}",
        flush=True,
    )
    return draw


def judge(cost: fit_axon.Cost, point: np.ndarray) -> Draw:
    """Return the axon at a point of the fit with its cost and largest |z|."""
    parts = fit_axon.blocks(cost.space, point[None], BASE)
    values = cost.space.values(point)
    values["Es0"] = fit_axon.axons_at_rest(cost.space, point[None], BASE)[0]["Es0"]
    total = sum(float(c[0]) for c in fit_axon.costs(parts).values())
    z = np.nan_to_num(parts["measures"], nan=np.inf)
    return Draw(values, total, float(np.abs(z).max()))


def accept(draws: list[Draw], shipped: Draw, members: int, seed: int) -> list[Draw]:
    """Return the draws that become members, by rising midpoint; see the top of the file."""
    fitting = [d for d in draws if d.largest_z <= LARGEST_Z and d.cost <= shipped.cost]
    least = min(d.cost for d in fitting)
    chance = np.random.default_rng([seed, 1]).random(len(fitting))
    stay = [d for d, u in zip(fitting, chance, strict=True) if u < np.exp(-0.5 * (d.cost - least))]
    return sorted(stay[:members], key=lambda d: -d.values["Vs"])


def save(draws: list[Draw], path: str) -> None:
    """Write every draw as CSV, one row each."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["cost", "largest_z", *draws[0].values])
        rows.writerows([[repr(d.cost), repr(d.largest_z), *d.values.values()] for d in draws])


def read(path: str) -> list[Draw]:
    """Return the draws that `save` wrote."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    return [Draw(row, row.pop("cost"), row.pop("largest_z")) for row in rows]


def entry(name: str, value: float, unit: str, note: str = "", ends=(np.nan, np.nan)) -> str:
    """Return one number as TOML."""
    lines = [f"[{name}]", f"value = {value:.6g}", f'unit = "{unit}"']
    if np.isfinite(ends[0]):
        lines += [f"low = {ends[0]}", f"high = {ends[1]}"]
    grade, source = ("assumed", "ensemble-box") if name.split(".")[1] in BOX else GRADE
    lines += [f'grade = "{grade}"', f'source = "{source}"']
    return "\n".join([*lines, f'note = "{note}"'] if note else lines)


def toml(members: list[Draw]) -> str:
    """Return the members as the text of `ensemble.toml`."""
    shipped, fit = load_group(f"axon_{BASE}"), load_group("fit")
    parts = [HEADER]
    for axon, member in zip(ENSEMBLE, members, strict=True):
        parts.append(
            f"# {axon}: cost {member.cost:.3f}, largest |z| of a measure {member.largest_z:.2f}"
        )
        for name, value in member.values.items():
            of = shipped[name]
            bounds = fit.get(f"axon.{name}", of)  # Es0, the rest, has none
            ends = BOX.get(name, (bounds.low, bounds.high))
            parts.append(entry(f"{axon}.{name}", value, of.unit, of.note, ends))
    return "\n\n".join([*parts, REFERENCES]) + "\n"


def print_tables() -> None:
    """Print what each state of the body does to event sites and to channel sites of every axon."""
    states = {name: state_from_contributions(contributions(b)).axon for name, b in BODIES.items()}
    for width_ms in (1.0, 5.0):
        with override("firing", "event_width_ms", width_ms):
            rows = {
                axon: [float(hazard_table(c, axon).threshold_ratio[0]) for c in states.values()]
                for axon in AXONS
            }
        # more events exceed a threshold below that of health
        print_table(f"threshold, {width_ms:g} ms", rows, lambda ratio: -np.log(ratio))
    print_table(
        "channel site, ln factor",
        {axon: [channel_factor(c, axon) for c in states.values()] for axon in AXONS},
        lambda factor: factor,
    )


def channel_factor(conditions: ax.Conditions, axon: str) -> float:
    """Return the ln rate of a channel site that fires once a minute in health."""
    nu = np.array([critical_multiplier(axon)])
    return float(np.log(site_rates(hazard_table(conditions, axon), nu)[0, 0]))


def print_table(
    title: str, rows: dict[str, list[float]], direction: Callable[[np.ndarray], np.ndarray]
) -> None:
    """Print one row an axon after its Vs and ks, and where all agree."""
    print("\n" + title.ljust(24) + "".join(f"{name:>9}" for name in BODIES))
    for axon, row in rows.items():
        a = ax.axon_parameters(axon)
        print(f"{axon:12}{a['Vs']:6.1f}{a['ks']:5.1f} " + "".join(f"{x:9.3f}" for x in row))
    up = direction(np.array(list(rows.values()))) > 0.0
    words = np.where(up.all(axis=0), "more", np.where(up.any(axis=0), "parts", "fewer"))
    print("discharges".ljust(24) + "".join(f"{word:>9}" for word in words))


def main() -> None:
    """Draw, fit, choose, and print what the axons of the package do."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=int, default=11)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", help="write all draws as CSV")
    parser.add_argument("--read", help="fit nothing, choose among the draws in this CSV")
    parser.add_argument("--table", action="store_true", help="fit nothing, print the last tables")
    parser.add_argument("--write", action="store_true", help="the members become the package's")
    options = parser.parse_args()
    if not options.table:
        draws = read(options.read) if options.read else fit_all(options)
        if options.save:
            save(draws, options.save)
        cost = wide_cost()
        shipped = judge(cost, cost.space.point(cost.shipped()))
        members = accept(draws, shipped, len(ENSEMBLE), options.seed)
        for draw in (shipped, *members):
            print(
                f"Vs {draw.values['Vs']:.2f}, ks {draw.values['ks']:.2f}: cost {draw.cost:.3f}, "
                f"largest |z| {draw.largest_z:.2f}"
            )
        if options.write:
            PATH.write_text(toml(members), "utf-8")
            return  # the package has read the old file
    print_tables()


def fit_all(options: argparse.Namespace) -> list[Draw]:
    """Return every draw, fitted."""
    with ProcessPoolExecutor(options.cores) as pool:
        return list(pool.map(refit, draw_box(options.drawn, options.seed)))


if __name__ == "__main__":
    main()
