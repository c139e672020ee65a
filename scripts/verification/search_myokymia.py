"""Search for a lesion that fires myokymic bursts, and print the best.

    python scripts/verification/search_myokymia.py [--minutes 3] [--seed 1] [--best 8]
                                                   [--out FILE.csv]

Target (V51): bursts of 2 to 10 spikes at 5 to 62 per second, every 0.1 to 10 s, plainly grouped,
arriving at the healthy end of a chain healthy - lesion - healthy.

Where to look follows from freezing the slow variable. A lesion with much persistent sodium is
silent or fires in rhythm at the same outward current, over a narrow range of it: a slow negative
feedback then moves the lesion to and fro across that range, which is square-wave bursting. Every
property but the persistent sodium is drawn; the persistent sodium is stepped through the range.
Slow variables: an outward current that grows with every spike, slow sodium inactivation,
potassium that gathers in a narrow space, alone and together. The search itself has no channel
noise; whatever scores well is run again, longer and with noise, and only that second run counts.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path

import numpy as np

from neurosim.model.axon import chain as ch
from neurosim.model.axon.axon import Conditions
from neurosim.model.axon.terminals import TRUNK_CHANNELS

sys.path.insert(0, str(Path(__file__).parents[1] / "calibration"))
from fit_chain import judge

DT_MS = 0.02
BOUNDS = {
    "internode": (0.05, 1.0), "bridge": (0.3, 1.0), "node": (0.8, 1.3),
    "slow_potassium": (0.8, 1.5), "fast_potassium": (0.3, 2.0), "temperature": (33.0, 37.0),
    "outward_pa": (2.0, 60.0), "outward_tau_ms": (300.0, 3000.0),
    "inactivation_tau_ms": (200.0, 3000.0), "space_pl": (0.5, 5.0), "space_tau_ms": (50.0, 500.0),
}  # fmt: skip
AXIAL_NS = 80.0
FEEDBACKS = ("outward", "inactivation", "space")
COARSE = np.geomspace(3.0, 13.0, 12)
KICK_MS = 600.0  # what a kick at the start evokes is over by then


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return one lesion without its persistent sodium."""
    x = {k: float(np.exp(rng.uniform(*np.log(v)))) for k, v in BOUNDS.items()}
    on = rng.random(3) < 0.6
    on[rng.integers(3)] = True
    x |= {name: float(flag) for name, flag in zip(FEEDBACKS, on, strict=True)}
    return x | {"sick": float(rng.integers(1, 4))}


def lesion(x: dict[str, float], nu: float, channels: float) -> list[ch.ChainUnit]:
    """Return a chain: two healthy units, the lesion, two healthy units."""
    membrane = Conditions(
        persistent_sodium_scale=nu,
        slow_potassium_scale=x["slow_potassium"],
        fast_potassium_scale=x["fast_potassium"],
        temperature_c=x["temperature"],
    )
    unit = ch.ChainUnit(
        membrane,
        internode=x["internode"],
        bridge=x["bridge"],
        node=x["node"],
        channels=channels,
        outward_pa_per_spike=x["outward_pa"] * x["outward"],
        outward_tau_ms=x["outward_tau_ms"],
        inactivation_tau_ms=x["inactivation_tau_ms"] if x["inactivation"] else np.inf,
        space_pl=x["space_pl"] if x["space"] else np.inf,
        space_tau_ms=x["space_tau_ms"],
    )
    sick = round(x["sick"])
    healthy = ch.ChainUnit(Conditions(temperature_c=x["temperature"]))
    return [healthy] * 2 + [unit] * sick + [healthy] * 2


def fire(x, nus, seconds, seed=0, channels=np.inf):
    """Return times and heights at the healthy end for each persistent sodium, after a kick."""
    built = ch.build_chain([lesion(x, v, channels) for v in nus], AXIAL_NS, strict=False)
    kick = np.zeros((built.units, 1))
    kick[2] = 600.0
    spikes, _ = ch.run_chain(
        built,
        1000.0 * seconds + KICK_MS,
        stimulus=ch.Stimulus(kick, 10.0),
        settings=ch.RunSettings(dt=DT_MS, seed=seed, capacity=8192),
    )
    each = [spikes.for_unit(0, j) for j in range(len(nus))]
    return [(t[t > KICK_MS], p[t > KICK_MS]) for t, p in each]


def search(minutes: float, seed: int) -> list[dict[str, float]]:
    """Return every lesion that scored, best first."""
    rng, began, scored, n_lesions, n_firing = (
        np.random.default_rng(seed),
        time.process_time(),
        [],
        0,
        0,
    )
    while time.process_time() - began < 60.0 * minutes:
        x = draw(rng)
        n_lesions += 1
        trains = fire(x, COARSE, 2.5)
        counts = np.array([t.size for t, _ in trains])
        n_firing += bool(counts.any())
        for nu, (times, peaks) in zip(COARSE, trains, strict=True):
            row = judge(times, peaks, 2.5)
            if row["score"] > 0.2:
                scored.append(x | {"nu": float(nu)} | row)
    print(f"{n_lesions} lesions drawn, {n_firing} fire, {len(scored)} runs score above 0.2")
    return sorted(scored, key=lambda row: -row["score"])


def main() -> None:
    """Search, run the best again and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--best", type=int, default=8)
    parser.add_argument("--out", default="")
    options = parser.parse_args()
    rows = search(options.minutes, options.seed)[: options.best]
    for row in rows:
        again = judge(*fire(row, [row["nu"]], 40.0, [options.seed, 99], TRUNK_CHANNELS)[0], 40.0)
        row |= {f"noisy_{k}": v for k, v in again.items()}
        print(", ".join(f"{k} {v:.3g}" for k, v in row.items()), flush=True)
    if options.out and rows:
        with open(options.out, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, sorted({k for row in rows for k in row}), restval="")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
