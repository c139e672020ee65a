"""Draw axons that fit the clinic's norms as the shipped one does and differ in what no norm sees.

    python scripts/calibration/make_ensemble.py [--members 8] [--cores 2] [--write]

Slow sodium inactivation is normalised at rest in every test of the clinic, so its midpoint Vs has
no say in any norm, and decides what potassium does. A member has a midpoint in the middle of one of
as many equal parts of -75 to -65 mV (the cost is shallow there: the posterior is all but flat),
starts from the shipped `ghk` set with every other parameter moved by `SPREAD` prior SDs at random,
and is taken downhill with all others free, the steepness ks among them (`fit_axon.py`). It is kept
with the probability exp(-(cost - shipped)/2), at most 1, and only if no derived measure is more
than 1.5 SD from the norms. `--write` puts the members into neurosim/model/axon/ensemble.csv. Two
minutes on two cores; without `--write` it prints costs and what each member makes of the bodies of
`BODIES`: the threshold of a 1-ms pulse against its own health.
"""

from __future__ import annotations

import argparse
import csv
import time
from concurrent.futures import ProcessPoolExecutor

import fit_axon
import numpy as np
from scipy.optimize import least_squares

from neurosim.base.parameters import load_group
from neurosim.model.axon import axon as ax
from neurosim.model.body.contributions import contributions
from neurosim.model.body.state import Body
from neurosim.simulation.scenario import load_scenario
from neurosim.simulation.state import state_from_contributions

LOW_MV, HIGH_MV, SPREAD, LARGEST_Z = -75.0, -65.0, 0.3, 1.5
ATTEMPTS, HOPELESS = 4, 20.0  # random starts of a member; cost from which another is tried
PATH = "neurosim/model/axon/ensemble.csv"
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


def refit(task: tuple[int, float]) -> tuple[ax.ParameterSet, float, float]:
    """Return (axon, cost, largest |z| of a derived measure) of one member."""
    end = descend(*task, 0)
    for attempt in range(1, ATTEMPTS):
        if end[1] < HOPELESS:
            break
        end = descend(*task, attempt)
    return end


def descend(number: int, midpoint_mv: float, attempt: int) -> tuple[ax.ParameterSet, float, float]:
    """Return what `refit` does of one random start; some starts have no axon that fires."""
    rng, cost = np.random.default_rng([7, number, attempt]), fit_axon.Cost("ghk")
    low, high = cost.space.bounds
    names = cost.space.names
    x = cost.space.point({**cost.shipped(), "Vs": midpoint_mv})
    fixed = names.index("Vs")
    free = np.arange(len(names)) != fixed
    start = np.clip(x + SPREAD * rng.standard_normal(x.size) * free, low + 1e-6, high - 1e-6)

    def whole(part: np.ndarray) -> np.ndarray:
        point = start.copy()
        point[free] = part
        return point

    begun = time.perf_counter()
    solution = least_squares(
        lambda part: cost.residuals(whole(part)[None])[0],
        start[free],
        lambda part: cost.jacobian(whole(part))[:, free],
        (low[free], high[free]),
        max_nfev=14,
        ftol=4e-3,
    )
    point = whole(solution.x)
    (axon,) = fit_axon.axons_at_rest(cost.space, point[None], "ghk")
    measures = fit_axon.blocks(cost.space, point[None], "ghk")["measures"]
    total = 2.0 * solution.cost
    largest = float(np.nanmax(np.abs(measures)))
    print(
        f"  member {number}: Vs {axon['Vs']:.1f}, ks {axon['ks']:.1f}, cost {total:.2f}, largest z "
        f"{largest:.2f}, {time.perf_counter() - begun:.0f} s",
        flush=True,
    )
    return axon, total, largest


def threshold_ratios(axon: ax.Axon) -> dict[str, float]:
    """Return the threshold of a 1-ms pulse in each of `BODIES` against the axon's own health."""
    states = [state_from_contributions(contributions(body)).axon for body in BODIES.values()]
    pulses = ax.threshold_pa(ax.at_rest([ax.Conditions(), *states], axon), 1.0)
    return dict(zip(BODIES, pulses[1:] / pulses[0], strict=True))


def print_ratios(axons: dict[str, ax.Axon]) -> None:
    """Print `threshold_ratios` of axons, a line each."""
    print("\n" + "threshold ratio".ljust(16) + "".join(f"{name:>9}" for name in BODIES))
    for name, axon in axons.items():
        row = threshold_ratios(axon)
        print(name.ljust(16) + "".join(f"{value:9.3f}" for value in row.values()))


def main() -> None:
    """Fit the members, print them, and write them with --write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    edges = np.linspace(HIGH_MV, LOW_MV, args.members + 1)
    tasks = list(enumerate(0.5 * (edges[1:] + edges[:-1]), 1))
    with ProcessPoolExecutor(args.cores) as pool:
        ends = list(pool.map(refit, tasks))
    cost = fit_axon.Cost("ghk")
    shipped = float((cost.residuals(cost.space.point(cost.shipped())[None]) ** 2).sum())
    keep = np.random.default_rng(8)
    members = [
        axon
        for axon, total, largest in ends
        if largest <= LARGEST_Z and keep.random() < np.exp(-0.5 * max(total - shipped, 0.0))
    ]
    print(f"cost of the shipped set {shipped:.2f}; kept {len(members)} of {len(ends)}")
    named: dict[str, ax.Axon] = {name: name for name in ax.AXONS}
    print_ratios(named | {f"member {i}": axon for i, axon in enumerate(members, 1)})
    if args.write:
        with open(PATH, "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            names = list(load_group("axon_ghk"))
            rows.writerow(names)
            rows.writerows([[f"{axon[name]:.6g}" for name in names] for axon in members])


if __name__ == "__main__":
    main()
