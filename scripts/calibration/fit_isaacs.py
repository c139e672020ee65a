"""Run the chain of Isaacs' syndrome under changed bodies, and distil how often it fires.

    python scripts/calibration/fit_isaacs.py [--run ghk]

With `--run` the direct runs of one axon, 15 minutes on one core; without, the fit of the law from
`neurosim/firing/isaacs_runs_AXON.csv`, some seconds. `neurosim/model/firing/endings.py` holds the law. It
is fitted on states that differ from health in one value; the error written beside it is also that
of states that differ in several, which the fit never saw.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from neurosim.base.parameters import parameter
from neurosim.model.axon import chain as ch
from neurosim.model.axon import terminals
from neurosim.model.axon.axon import Conditions, at_rest
from neurosim.model.firing import endings

ROOM = "neurosim/model/firing/isaacs.toml"
RUNS = "neurosim/firing/isaacs_runs_{}.csv"
AXONS = ("ghk", "ohmic")
COPIES, SECONDS, DT_MS, BURST_MS = 16, (6.0, 18.0), 0.02, 30.0
ENOUGH = 60  # bursts: then, or without any, the longer second part is not run
LEFT = (0.1, 0.2, 0.5)
SINGLE = {
    "calcium_out_mmol_l": (0.7, 0.8, 0.9, 1.0, 1.1, 1.35, 1.6),
    "potassium_out_mmol_l": (2.5, 3.0, 3.5, 3.8, 4.6, 5.0, 5.5, 6.0, 7.0),
    "persistent_sodium_scale": (0.5, 0.65, 0.8, 0.9, 1.15, 1.3, 1.6),
    "sodium_scale": (0.7, 0.9),
    "sodium_in_mmol_l": (9.7, 10.5, 11.3, 13.0),
    "temperature_c": (25.0, 28.0, 30.5, 35.0, 36.5),
    "ph": (7.2, 7.5, 7.6),
    "magnesium_out_mmol_l": (0.2, 1.1, 2.0),
    "sodium_out_mmol_l": (120.0, 160.0),
    "slow_potassium_scale": (0.8, 0.9),
    "pump_scale": (0.8, 1.2),
}
JOINT, SPREAD = 48, {  # joint states: each value moved with chance 0.5, evenly in this range
    "calcium_out_mmol_l": (0.8, 1.45), "potassium_out_mmol_l": (3.0, 6.0),
    "persistent_sodium_scale": (0.5, 1.3), "sodium_scale": (0.85, 1.0),
    "sodium_in_mmol_l": (8.5, 12.5), "temperature_c": (28.0, 35.0), "ph": (7.3, 7.55),
    "magnesium_out_mmol_l": (0.3, 1.5), "sodium_out_mmol_l": (125.0, 155.0),
    "slow_potassium_scale": (0.8, 1.0), "potassium_in_scale": (0.9, 1.1),
}  # fmt: skip
WEIGHTS = (0.2, 0.3, 0.4, 0.5, 0.6)
NOTES = {
    "rate_0": "ln bursts a minute at action 20 and a rest of -72 mV",
    "rate_action": "change of that per unit of action; -1 would be the weak-noise limit",
    "rate_rest": "change of that per 5 mV of rest",
    "rate_ceiling": "ln of the highest burst rate at a rest of -72 mV",
    "rate_ceiling_rest": "change of that per 5 mV of rest",
    "spikes_0": "ln of the mean spikes of a burst after its first, at a rest of -72 mV",
    "spikes_rest": "change of that per 5 mV of rest",
    "spikes_rest2": "curvature of that",
    "spikes_action": "change of that per unit of action up to 30",
    "spikes_left": "change of that per unit of ln fast potassium left",
    "pace_0": "ln of the median interval within bursts, ms, at a rest of -72 mV",
    "pace_rest": "change of that per 5 mV of rest",
    "pace_shift": "change of that per 5 mV that calcium, magnesium and pH shift sodium gates",
    "pace_warm": "change of that per unit of ln speed of the sodium gates",
}
STATES = tuple(Conditions.__dataclass_fields__)


def states() -> dict[str, dict[str, float]]:
    """Return the changes of every body state by its name."""
    found = {"health": {}}
    for name, values in SINGLE.items():
        found |= {f"{name} {v:g}": {name: v} for v in values}
    rng = np.random.default_rng(5)
    for i in range(JOINT):
        changes = {}
        while len(changes) < 2:
            changes = {
                name: float(np.round(rng.uniform(*ends), 3))
                for name, ends in SPREAD.items()
                if rng.random() < 0.3
            }
        found[f"joint {i}"] = changes
    return found


def of_one(changes: dict[str, float], left: float, axon: str, key: int) -> dict[str, float]:
    """Return what direct runs of one state count at the healthy end."""
    units = terminals.fitted_isaacs(left, axon, terminals.CHANNELS, by_itself=True)
    units = terminals.place_in_body(units, Conditions().replace(**changes))
    built = ch.build_chain([units] * COPIES, parameter("chain", "axial_ns"), axon, strict=False)
    row = {"rest_mv": float(built.rest[0, -1, 0]), "seconds": COPIES * sum(SECONDS)}
    keys = ("bursts", "spikes", "high", "several", "inside", *(f"size_{k}" for k in range(1, 11)))
    count, state, ran_s = dict.fromkeys(keys, 0), built.start(), 0.0
    gaps: list[np.ndarray] = []
    for part, seconds in enumerate(SECONDS if np.isfinite(row["rest_mv"]) else ()):
        seed = np.random.SeedSequence([7, key, part])
        ran, _ = ch.run_chain(
            built, seconds * 1000.0, state=state, dt=DT_MS, seed=seed, capacity=8000
        )
        for j in range(COPIES):
            tell(ran.for_unit(0, j), int(ran.counts[0, j]), count)
            gaps.append(np.diff(ran.for_unit(0, j)[0]))
        row["seconds"] = ran_s = ran_s + COPIES * seconds
        if count["bursts"] >= ENOUGH or not count["bursts"]:
            break
    inside = np.concatenate(gaps or [np.empty(0)])
    inside = inside[inside <= BURST_MS]
    middle = float(np.median(inside)) if inside.size else float("nan")
    return row | count | {"interval_ms": middle}


def tell(train, spikes: int, count: dict[str, int]) -> None:
    """Add what one train at the healthy end has to `count`."""
    times, peaks = train
    first = np.flatnonzero(np.diff(times, prepend=-np.inf) > BURST_MS)
    size = np.diff(np.append(first, times.size))
    several = [(i, k) for i, k in zip(first, size, strict=True) if k > 1]
    per_s = np.array([1000.0 / np.median(np.diff(times[i : i + k])) for i, k in several])
    count["bursts"] += size.size
    count["spikes"] += spikes
    count["high"] += int((peaks > 10.0).sum())
    count["several"] += per_s.size
    count["inside"] += int(((per_s > 30.0) & (per_s < 300.0)).sum())
    for k in np.minimum(size, 10):
        count[f"size_{k}"] += 1


def make_runs(axon: str, path: str) -> None:
    """Run every state that `path` does not hold and write what was counted."""
    old = read_rows(axon) if Path(path).exists() else []
    held = {(row["state"], float(row["left"])): row for row in old}
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = None
        for i, (name, changes) in enumerate(states().items()):
            for key, left in enumerate(LEFT, 4 * i + 1):
                row = {"state": name, "left": left, **dict.fromkeys(STATES, ""), **changes}
                row |= held.get((name, left)) or of_one(changes, left, axon, key)
                if writer is None:
                    writer = csv.DictWriter(file, row)
                    writer.writeheader()
                writer.writerow(row)
                file.flush()
            print(axon, name, flush=True)


def read_rows(axon: str) -> list[dict[str, str]]:
    """Return the rows of direct runs of one axon."""
    with open(RUNS.format(axon), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- the fit ------------------------------------------------------------------------------------


def read(axon: str) -> dict[str, np.ndarray]:
    """Return the runs of one axon as columns, with the body of each row."""
    rows = read_rows(axon)
    names = ("left", "seconds", "bursts", "spikes", "several", "inside", "interval_ms")
    found = {n: np.array([float(row[n]) for row in rows]) for n in names}
    found["joint"] = np.array([row["state"].startswith("joint") for row in rows])
    found["state"] = np.array([row["state"] for row in rows])
    found["body"] = np.array(
        [Conditions().replace(**{n: float(row[n]) for n in STATES if row.get(n)}) for row in rows]
    )
    return found


def at_weight(runs, axon: str, weight: float) -> np.ndarray:
    """Return the coordinates of every row's middle node."""
    pairs = zip(runs["left"], runs["body"], strict=True)
    nodes = [endings.middle_conditions(float(left), body, axon, weight) for left, body in pairs]
    return endings.node_coordinates(at_rest(nodes, axon), runs["left"])


def rate_error(c, at, runs) -> np.ndarray:
    """Return ln(predicted/found) of the bursts of every row, 0.7 added to both counts."""
    expected = np.exp(endings.ln_rate(c, at)) * runs["seconds"] / 60.0
    return np.log(expected + 0.7) - np.log(runs["bursts"] + 0.7)


def fit_rate(at, runs, use) -> np.ndarray:
    """Return the coefficients of the rate, robustly, counts weighted by their certainty."""
    sure = np.sqrt(1.0 / (runs["bursts"] + 1.0) + 0.05)
    start = [1.0, -0.8, 0.0, 6.0, 0.0]
    return least_squares(
        lambda c: (rate_error(c, at, runs) / sure)[use], start, loss="soft_l1", f_scale=2.0
    ).x


def told(c, at, runs) -> np.ndarray:
    """Return which rows tell of the rate: bursts seen, or more than one expected."""
    expected = np.exp(endings.ln_rate(c, at)) * runs["seconds"] / 60.0
    return (runs["bursts"] > 0) | (expected > 1.0)


def fit_linear(law, count: int, at, values, use) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients of a law linear in them, and the error of every row."""
    columns = np.stack([law(row, at) for row in np.eye(count)], axis=1)
    c = np.linalg.lstsq(columns[use], values[use], rcond=None)[0]
    return c, columns @ c - values


def rms(x) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(x))))


def fit(axon: str) -> dict[str, tuple[float, str]]:
    """Return every number of one axon with its note."""
    runs = read(axon)
    single = ~runs["joint"]
    tried = {}
    for weight in WEIGHTS:
        at = at_weight(runs, axon, weight)
        c = fit_rate(at, runs, single)
        tried[weight] = (rms(rate_error(c, at, runs)[single & told(c, at, runs)]), at, c)
    weight = min(tried, key=lambda w: tried[w][0])
    _, at, c = tried[weight]
    tell_of, error = told(c, at, runs), rate_error(c, at, runs)
    found = {
        "weight": (
            weight,
            "share of the last node in the middle node, of " + ", ".join(f"{w:g}" for w in WEIGHTS),
        )
    }
    found |= {n: (v, NOTES[n]) for n, v in zip(endings.RATE_TERMS, c, strict=True)}
    for name, rows in (("single", single), ("joint", ~single)):
        mine = error[rows & tell_of]
        said = "fitted on" if name == "single" else "left out of the fit"
        found[f"rate_error_{name}"] = (rms(mine), f"rms of ln rate, {mine.size} rows {said}")
        found[f"rate_median_{name}"] = (float(np.median(np.abs(mine))), "median size of the same")
        wrong = np.abs(mine) > np.log(3.0)
        found[f"rate_wrong_{name}"] = (float(wrong.mean()), "share of them off by more than 3")
    silent = (runs["bursts"] == 0) & ~single
    below = np.exp(endings.ln_rate(c, at))[silent]
    note = f"of {silent.sum()} silent rows left out: share below 0.6 a minute"
    found["silent_joint"] = (float((below < 0.6).mean()), note)
    many = runs["bursts"] >= 20
    values = {
        "further": np.log(np.maximum(runs["spikes"] / np.maximum(runs["bursts"], 1.0) - 1.0, 0.1)),
        "interval": np.log(np.where(np.isfinite(runs["interval_ms"]), runs["interval_ms"], 1.0)),
    }
    for name, y in values.items():
        law, names = endings.LAWS[name]
        c, error = fit_linear(law, len(names), at, y, many & single)
        found |= {n: (v, NOTES[n]) for n, v in zip(names, c, strict=True)}
        for part, rows in (("single", single), ("joint", ~single)):
            found[f"{name}_error_{part}"] = (rms(error[rows & many]),
                                             f"rms of ln, {(rows & many).sum()} rows")  # fmt: skip
    inside = runs["inside"][many] / np.maximum(runs["several"][many], 1.0)
    note = "median over rows of the share of bursts at 30 to 300 per second"
    found["inside"] = (float(np.median(inside)), note)
    return found


def write(found: dict[str, dict[str, tuple[float, str]]]) -> None:
    """Write the TOML room."""
    lines = [
        "# Written by scripts/calibration/fit_isaacs.py from the direct runs; do not edit.",
        "",
    ]
    for axon, rows in found.items():
        for name, (value, note) in rows.items():
            lines += [
                f"[{axon}.{name}]",
                f"value = {value:.6g}",
                'unit = "1"',
                'grade = "fitted"',
                'source = "isaacs-runs"',
                f'note = "{note}"',
                "",
            ]
    lines += [
        "[references]",
        "isaacs-runs = \"Direct simulation of the chain of Isaacs' syndrome with channel noise, "
        "all its units in changed fluids and membranes, by scripts/calibration/fit_isaacs.py; "
        'neurosim/firing/isaacs_runs_AXON.csv holds what was counted."',
    ]
    Path(ROOM).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Make runs or fit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", choices=AXONS)
    options = parser.parse_args()
    if options.run:
        make_runs(options.run, RUNS.format(options.run))
        return
    found = {axon: fit(axon) for axon in AXONS}
    write(found)
    for axon, rows in found.items():
        for name, (value, note) in rows.items():
            print(f"{axon:6s} {name:22s} {value:9.4f}  {note}")


if __name__ == "__main__":
    main()
