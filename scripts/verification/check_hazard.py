"""Check the hazard law and the doublets on body states that they were not fitted on.

    python scripts/verification/check_hazard.py [--states 30]
                                                [--figure docs/figures/hazard_check.png]

Draws body states by a seed (one to four changes each of ions, sodium load, temperature, pump and
channels), chooses six sites of each where the law says 1 to 300 bursts a minute, simulates every
site directly with channel noise, and compares. Rows go to `neurosim/model/firing/hazard_check.csv`
eight states at a time; a state that stands there is not run again. About five minutes of one core
per axon.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path

import numpy as np

from neurosim.model.axon import axon as ax
from neurosim.model.axon import kernel
from neurosim.model.firing.escape import escape_action
from neurosim.model.firing.hazard import burst_rate, pair_probability, propagating_share

sys.path.insert(0, str(Path(__file__).parents[1] / "calibration"))
from make_hazard_runs import CHANNELS, DT_MS, summary

RANGES = {
    "potassium_out_mmol_l": (3.0, 6.5), "calcium_out_mmol_l": (0.7, 1.7),
    "magnesium_out_mmol_l": (0.2, 2.0), "sodium_out_mmol_l": (120.0, 160.0),
    "sodium_in_mmol_l": (8.0, 13.0), "temperature_c": (29.0, 37.0), "pump_scale": (0.5, 1.4),
    "fast_potassium_scale": (0.3, 1.5), "slow_potassium_scale": (0.6, 1.3),
    "sodium_scale": (0.85, 1.15), "hcn_scale": (0.3, 2.0), "leak_scale": (0.8, 1.2),
}  # fmt: skip
WANTED_PER_MIN = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
FIELDS = ("axon", "state", *RANGES, "nu", "rest_mv", "action", "predicted_per_min",
          "predicted_leave", "predicted_pair", "seconds", "bursts", "leave", "pairs")  # fmt: skip
TOGETHER = 8  # states simulated at once: whole blocks of the kernel
GRID = np.concatenate([np.arange(0.8, 4.0, 0.1), np.arange(4.0, 8.1, 0.2)])


def states(count: int, seed: int) -> list[dict[str, float]]:
    """Return `count` body states drawn by `seed`; the first ones do not depend on `count`."""
    drawn = []
    for seed_of_state in np.random.SeedSequence([seed, 20]).spawn(count):
        rng = np.random.default_rng(seed_of_state)
        names = rng.choice(list(RANGES), rng.integers(1, 5), replace=False)
        drawn.append({str(n): round(float(rng.uniform(*RANGES[n])), 3) for n in sorted(names)})
    return drawn


def predict(axon: str, conditions: list[ax.Conditions]):
    """Return (batch at rest, action, bursts per minute, share that leave, pair probability)."""
    batch = ax.at_rest(conditions, axon)
    act, peak = escape_action(batch)
    nu = np.array([c.persistent_sodium_scale for c in conditions])
    shift = batch.P[0] - ax.at_rest(ax.Conditions(), axon).P[0, 0]
    rate = burst_rate(axon, np.nan_to_num(act), batch.rest_mv)
    rate = np.where(np.isfinite(act), rate, 0.0)
    leave = np.where(np.isfinite(peak), propagating_share(axon, np.nan_to_num(peak)), 0.0)
    return batch, act, rate, leave, pair_probability(axon, batch.rest_mv, nu, shift)


def sites_of(axon: str, state: dict[str, float]) -> list[ax.Conditions]:
    """Return one state at the nu where the law says `WANTED_PER_MIN` (the first such)."""
    start = ax.Conditions().replace(**state)
    grid = [start.replace(persistent_sodium_scale=float(v)) for v in GRID]
    rate = np.maximum.accumulate(predict(axon, grid)[2])
    log = np.log(np.maximum(rate, 1e-9)) + 1e-9 * np.arange(rate.size)
    nus = np.interp(np.log(WANTED_PER_MIN), log, GRID)
    return [start.replace(persistent_sodium_scale=round(float(v), 3)) for v in nus]


def run(axon: str, numbered: list[tuple[int, dict[str, float]]], seconds: float, seed: int):
    """Return the rows of some states: predictions of the law, and results of simulation."""
    conditions = [c for _, state in numbered for c in sites_of(axon, state)]
    batch, act, rate, leave, pair = predict(axon, conditions)
    noisy = batch.with_noise(CHANNELS)
    steps = round(seconds * 1000.0 / DT_MS)
    child = np.random.SeedSequence([seed, 21, numbered[0][0], ax.AXONS.index(axon)])
    n = len(conditions)
    times, peaks, counts = kernel.noisy_spikes(
        noisy.rest.copy(), noisy.P, np.zeros(n), steps, DT_MS, child, capacity=16384
    )
    rows = []
    for i, c in enumerate(conditions):
        number, state = numbered[i // len(WANTED_PER_MIN)]
        k = min(int(counts[i]), times.shape[1])
        counts_of_site = summary(times[i, :k], peaks[i, :k], seconds)
        rows.append(
            {
                "axon": axon,
                "state": number,
                **state,
                "nu": c.persistent_sodium_scale,
                "rest_mv": round(batch.rest_mv[i], 3),
                "action": round(act[i], 3),
                "predicted_per_min": f"{rate[i]:.5g}",
                "predicted_leave": f"{leave[i]:.4g}",
                "predicted_pair": f"{pair[i]:.4g}",
                "seconds": seconds,
                "bursts": counts_of_site["bursts"],
                "leave": counts_of_site["first_over_10mv"],
                "pairs": counts_of_site["second_over_10mv"],
            }
        )
    return rows


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows written so far."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


def append(path: Path, rows) -> None:
    """Add rows to the table, with its head if it is new."""
    fresh = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, restval="")
        if fresh:
            writer.writeheader()
        writer.writerows(rows)


def predict_rows(rows) -> dict[str, np.ndarray]:
    """Return columns of `rows` as arrays, the predictions made anew by the present law."""
    columns = {n: np.array([float(r[n]) for r in rows]) for n in FIELDS[-4:]}
    columns["state"] = np.array([int(r["state"]) for r in rows])
    columns["axon"] = np.array([r["axon"] for r in rows])
    for name in ("rate", "share", "pair", "rest"):
        columns[name] = np.zeros(len(rows))
    for axon in np.unique(columns["axon"]):
        rows_of_axon = np.flatnonzero(columns["axon"] == axon)
        conditions = [
            ax.Conditions().replace(
                **{n: float(rows[i][n]) for n in RANGES if rows[i][n]},
                persistent_sodium_scale=float(rows[i]["nu"]),
            )
            for i in rows_of_axon
        ]
        batch, _, rate, leave, pair = predict(axon, conditions)
        for name, value in (
            ("rate", rate),
            ("share", leave),
            ("pair", pair),
            ("rest", batch.rest_mv),
        ):
            columns[name][rows_of_axon] = value
    return columns


def rate_errors(d) -> np.ndarray:
    """Return ln(predicted/found) of the bursts that leave; NaN where neither is above 1."""
    expected = d["rate"] * d["share"] * d["seconds"] / 60.0
    error = np.log(expected + 0.7) - np.log(d["leave"] + 0.7)
    return np.where((d["leave"] > 0) | (expected > 1.0), error, np.nan)


def print_errors(d, rows) -> None:
    """Print the error by axon and decade, that of the doublets, and the worst states."""
    error = rate_errors(d)
    per_min = d["leave"] / d["seconds"] * 60.0
    for axon in np.unique(d["axon"]):
        rows_of_axon = (d["axon"] == axon) & np.isfinite(error)
        print(f"{axon}: {np.unique(d['state'][rows_of_axon]).size} states never fitted")
        for low, high in ((0.0, 0.3), (0.3, 3.0), (3.0, 30.0), (30.0, 300.0), (300.0, 3000.0)):
            e = error[rows_of_axon & (per_min >= low) & (per_min < high)]
            if e.size:
                print(
                    f"  {low:g} to {high:g} a minute: median factor "
                    f"{np.exp(np.median(np.abs(e))):.2f}, root mean square factor "
                    f"{np.exp(np.sqrt(np.mean(e**2))):.2f}, mean {np.exp(e.mean()):.2f}, "
                    f"{e.size} runs"
                )
        busy = rows_of_axon & (d["leave"] >= 20) & (per_min < 200)
        p = d["pairs"][busy] / d["leave"][busy]
        off = d["pair"][busy] - p
        print(
            f"  doublets: predicted minus found {off.mean():+.3f} (mean), root mean square "
            f"{np.sqrt(np.mean(off**2)):.3f}, correlation "
            f"{np.corrcoef(d['pair'][busy], p)[0, 1]:.2f}"
        )
        worst = {
            s: np.mean(error[rows_of_axon & (d["state"] == s)])
            for s in np.unique(d["state"][rows_of_axon])
        }
        for s in sorted(worst, key=lambda s: -abs(worst[s]))[:4]:
            row = next(r for r in rows if int(r["state"]) == s)
            changes = " ".join(f"{n}={row[n]}" for n in RANGES if row[n])
            print(f"  off most: x{np.exp(worst[s]):.2f} in state {s}: {changes}")


def draw(d, path: str) -> None:
    """Draw predicted against direct: bursts that leave, and doublets."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    rate_axes, pair_axes = figure.subplots(1, 2)
    expected, per_min = d["rate"] * d["share"], d["leave"] / d["seconds"] * 60.0
    least = 30.0 / d["seconds"].max()
    marks = zip(
        np.unique(d["axon"]), ("o", "^", "s"), ("#0072b2", "#d55e00", "#009e73"), strict=False
    )
    for axon, mark, colour in marks:
        rows_of_axon = d["axon"] == axon
        rate_axes.plot(
            np.maximum(expected[rows_of_axon], least / 3),
            np.maximum(per_min[rows_of_axon], least),
            mark,
            color=colour,
            ms=3.5,
            alpha=0.7,
            label=axon,
        )
        busy = rows_of_axon & (d["leave"] >= 20) & (per_min < 200)
        pair_axes.plot(
            d["pair"][busy],
            d["pairs"][busy] / d["leave"][busy],
            mark,
            color=colour,
            ms=3.5,
            alpha=0.7,
            label=axon,
        )
    line = np.array([least / 3, 2000.0])
    rate_axes.plot(line, line, "k-", lw=1)
    rate_axes.fill_between(
        line, line / 2, line * 2, color="0.85", zorder=0, label="within two-fold"
    )
    rate_axes.set(
        xscale="log",
        yscale="log",
        xlabel="bursts a minute that leave, by the law",
        ylabel="direct simulation (none: lowest line)",
        title="States that the law was not fitted on",
    )
    pair_axes.plot([0, 0.7], [0, 0.7], "k-", lw=1)
    pair_axes.set(
        xlabel="probability of a further spike, by the law",
        ylabel="direct simulation",
        title="Doublets, runs below 200 a minute",
    )
    rate_axes.legend(fontsize=8)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Run what is missing, then print and draw all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--axon", action="append", choices=ax.AXONS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("neurosim/model/firing/hazard_check.csv"))
    parser.add_argument("--figure", default=None)
    options = parser.parse_args()
    done = {(r["axon"], int(r["state"])) for r in read(options.out)}
    began = time.time()
    numbered = list(enumerate(states(options.states, options.seed)))
    for axon in options.axon or ax.AXONS:
        for first in range(0, options.states, TOGETHER):
            part = [s for s in numbered[first : first + TOGETHER] if (axon, s[0]) not in done]
            if not part:
                continue
            append(options.out, run(axon, part, options.seconds, options.seed))
            print(f"{time.time() - began:6.0f} s  {axon}, {first + len(part)} states", flush=True)
    rows = read(options.out)
    d = predict_rows(rows)
    print_errors(d, rows)
    if options.figure:
        draw(d, options.figure)


if __name__ == "__main__":
    main()
