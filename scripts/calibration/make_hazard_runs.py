"""Simulate a small noisy node directly in many body states, and write its bursts.

    python scripts/calibration/make_hazard_runs.py [--seconds 200] [--axon ghk] [--out FILE.csv]

Every row is one site: one body state, one persistent-sodium multiplier nu, `seconds` of
the whole axon model with the channel noise of 2500 sodium channels. `fit_hazard.py`
turns the rows into the hazard law that the package ships. States that stand in the file are not
run again: remove it to begin anew. About 12 minutes of one core per axon at the default length.
"""

from __future__ import annotations

import argparse
import csv
import os
import time

import numpy as np

from neurosim.model.axon import axon as ax
from neurosim.model.axon import kernel

CHANNELS = 2500.0
DT_MS = 0.02
BURST_MS = 20.0
TARGETS = (50.0, 44.0, 39.0, 35.0, 32.0, 29.5, 27.0, 25.0,
           23.0, 21.0, 19.0, 17.0, 15.0, 12.5, 10.0, 7.0)  # fmt: skip
K, CA, MG, NA = (
    "potassium_out_mmol_l",
    "calcium_out_mmol_l",
    "magnesium_out_mmol_l",
    ("sodium_out_mmol_l"),
)
LOAD, T, PUMP = "sodium_in_mmol_l", "temperature_c", "pump_scale"
KF, KS, P_NA = "fast_potassium_scale", "slow_potassium_scale", "sodium_scale"
STATES: list[dict[str, float]] = [
    {},
    *({K: v} for v in (2.5, 3.0, 3.5, 4.6, 5.0, 5.5, 6.0, 6.5, 7.0, 8.0)),
    *({CA: v} for v in (0.5, 0.6, 0.7, 0.8, 0.9, 1.05, 1.4, 1.8)),
    *({MG: v} for v in (0.1, 0.3, 1.0, 2.0, 4.0)),
    *({NA: v} for v in (118.0, 128.0, 136.0, 152.0, 165.0)),
    *({LOAD: v} for v in (7.5, 10.0, 11.0, 12.0, 14.0, 17.0)),
    {CA: 0.8, LOAD: 12.0},
    {CA: 0.6, LOAD: 14.0},
    {K: 5.5, LOAD: 12.0},
    {K: 6.5, LOAD: 11.0},
    {K: 3.2, LOAD: 11.0},
    {T: 30.0},
    {T: 36.0},
    {KF: 0.5},
    {KF: 0.2},
    {KS: 0.7},
    {PUMP: 0.5},
    {PUMP: 1.3},
    {P_NA: 0.9},
    {K: 6.0, CA: 1.05, MG: 1.1},
    {CA: 0.9, MG: 0.3, K: 3.2},
    {CA: 0.8, K: 5.0},
    {CA: 0.8, K: 3.2},
    {CA: 1.5, K: 5.5},
    {NA: 125.0, K: 5.0},
    {NA: 128.0, CA: 0.9},
]
LATER_BLOCK = [{K: 8.5, CA: 1.0}, {K: 9.0}]  # where an axon without slow inactivation blocks
STATES_OF = dict.fromkeys(ax.AXONS, STATES) | {"alternative": STATES + LATER_BLOCK}
NAMES = sorted({k for s in STATES for k in s})
FIELDS = [
    "state", *NAMES, "nu", "rest_mv", "availability", "x20_percent", "x1_percent",
    "seconds", "spikes", "bursts", "pairs", "triples", "peak_first_mv", "peak_second_mv",
    "second_over_0mv", "second_over_10mv", "second_over_20mv", "interval_ms", "first_over_10mv",
]  # fmt: skip


def sites_of(state: dict[str, float], axon: str) -> tuple[list[float], list[float]]:
    """Return the nu of one state whose 20-ms thresholds are nearest TARGETS, and those."""
    grid = np.concatenate([np.arange(0.8, 3.0, 0.1), np.arange(3.0, 7.6, 0.2)])
    healthy = ax.Conditions().replace(**state)
    batch = ax.at_rest([healthy.replace(persistent_sodium_scale=v) for v in grid], axon)
    x = ax.threshold_pa(batch, 20.0, dt=DT_MS) / ax.healthy_threshold_pa(axon) * 100.0
    down = np.minimum.accumulate(np.where(np.isnan(x), np.inf, x))
    within = [t for t in TARGETS if down.min() < t < down.max()]
    chosen = sorted({round(float(np.interp(-t, -down, grid)), 3) for t in within})
    while len(chosen) < len(TARGETS):
        chosen.append(round(chosen[-1] * 1.06 if chosen else 3.0, 3))
    return chosen, list(np.interp(chosen, grid, x))


def summary(times, peaks, seconds) -> dict[str, float]:
    """Return counts and sizes of bursts (spikes less than 20 ms apart) of one run."""
    gap = np.diff(times, prepend=-np.inf)
    first = np.flatnonzero(gap > BURST_MS)
    size = np.diff(np.append(first, times.size))
    second = first[size >= 2] + 1
    p2 = peaks[second]

    def middle(v):
        return round(float(np.median(v)), 2) if v.size else float("nan")

    return {
        "seconds": seconds,
        "spikes": times.size,
        "bursts": first.size,
        "pairs": int((size >= 2).sum()),
        "triples": int((size >= 3).sum()),
        "peak_first_mv": middle(peaks[first]),
        "peak_second_mv": middle(p2),
        "second_over_0mv": int((p2 > 0).sum()),
        "second_over_10mv": int((p2 > 10).sum()),
        "second_over_20mv": int((p2 > 20).sum()),
        "interval_ms": middle(gap[second]),
        "first_over_10mv": int((peaks[first] > 10).sum()),
    }


def read_rows(path: str) -> list[dict[str, str]]:
    """Return the rows of a file of runs that was begun before; none without one."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Run every site of every state and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=200.0)
    parser.add_argument("--axon", default="ghk", choices=ax.AXONS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default=None)
    options = parser.parse_args()
    out = options.out or f"neurosim/model/firing/hazard_runs_{options.axon}.csv"
    began = time.time()
    rows = read_rows(out)
    done = {int(row["state"]) for row in rows}
    for number, state in enumerate(STATES_OF[options.axon]):
        if number in done:
            continue
        nus, x = sites_of(state, options.axon)
        conditions = [ax.Conditions().replace(**state, persistent_sodium_scale=v) for v in nus]
        batch = ax.at_rest(conditions, options.axon)
        x1 = ax.threshold_pa(batch, 1.0, dt=DT_MS)
        x1 = x1 / ax.healthy_threshold_pa(options.axon, 1.0) * 100.0
        noisy = batch.with_noise(CHANNELS)
        seed = np.random.SeedSequence([options.seed, number])
        times, peaks, counts = kernel.noisy_spikes(
            noisy.rest.copy(),
            noisy.P,
            np.zeros(len(nus)),
            round(options.seconds * 1000.0 / DT_MS),
            DT_MS,
            seed,
            capacity=16384,
        )
        for i, nu in enumerate(nus):
            c = min(int(counts[i]), times.shape[1])
            rows.append(
                {
                    "state": number,
                    **state,
                    "nu": nu,
                    "rest_mv": round(batch.rest_mv[i], 3),
                    "availability": round(batch.availability[i], 4),
                    "x20_percent": round(x[i], 3),
                    "x1_percent": round(x1[i], 3),
                    **summary(times[i, :c], peaks[i, :c], options.seconds),
                }
            )
        done = [f"{r['bursts'] * 60 / options.seconds:.1f}" for r in rows[-len(nus) :]]
        print(f"{time.time() - began:6.0f} s  {state or 'healthy'}: {' '.join(done)}", flush=True)
    with open(out, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, restval="")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
