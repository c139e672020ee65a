"""Find the sick terminals of a chain of nodes again, and write neurosim/model/axon/chain.toml.

    python scripts/calibration/fit_chain.py [--axon ghk] [--samples 1024] [--out FILE.toml]

Stages for each axon, targets and bounds below, no number set by hand:

terminal
    One sick last unit with an internode of `LENGTHS`. The only free number is its persistent
    sodium; it is moved until the healthy end sees `RATE` bursts a minute (20 s of channel noise a
    try, then 60 s). Doublets, triplets and intervals are then counted on new seeds: nothing is
    fitted on them.
isaacs
    Two last units whose fast potassium is nearly gone. Random search over `BOUNDS`, without
    noise: a passing impulse must come back as one spike with healthy fast potassium and as
    `MULTIPLET` spikes without, at 30 to 300 per second, all of full height, and end; the more
    fast potassium, the fewer. Of the samples that do all this the one nearest the middle of the
    bounds is kept. Then both persistent sodiums are scaled until channel noise starts `RATE`
    bursts a minute.
myokymia
    Two short (remyelinated) internodes amid the axon, with persistent sodium and an outward
    current that grows with every spike: a grid of the two and of its time constant; kept is the
    point whose neighbourhood makes the best grouped bursts of 2 to 10 spikes at 5 to 62 per
    second, every 0.1 to 10 s (`judge`).
count
    Direct runs on new seeds: the numbers of `chain.toml` on bursts.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from neurosim.model.axon import chain as ch
from neurosim.model.axon.terminals import (
    CHANNELS,
    REMYELINATED,
    isaacs_chain,
    remyelinated_chain,
    terminal_chain,
)

AXONS = ("ghk", "ohmic")
AXIAL_NS = 80.0  # 0.7 ohm m, 10 um thick, 1.4 mm long
DT_MS = 0.02
RATE = 20.0  # bursts a minute
BURST_MS = 30.0  # spikes closer than this are one burst
HIGH_MV = 10.0
LESION_NU = np.geomspace(5.0, 10.0, 8)
LESION_PA = (4.0, 8.0, 15.0, 30.0)
LESION_TAU_MS = (1000.0, 2000.0)
JUDGED = {
    "size": ("1", "median spikes of a burst"), "sized": ("1", "share of bursts of 2 to 10"),
    "per_s": ("1/s", "median rate within a burst"),
    "in_band": ("1", "share of intervals within bursts at 5 to 62 per second"),
    "every_s": ("s", "from burst to burst"), "cv": ("1", "of the pauses"),
    "valley": ("1", "share of intervals near the dividing gap"), "score": ("1", "1 is all of V51"),
}  # fmt: skip
LENGTHS = {"short": 0.5, "middling": 0.75, "long": 1.0}
KF = (1.0, 0.5, 0.3, 0.2, 0.1, 0.0)
MULTIPLET = (3, 10)
INTERVAL_MS = (1000.0 / 300.0, 1000.0 / 30.0)
LARGEST = 10  # bursts of more spikes are counted with these
BOUNDS = {
    "nu": (1.0, 5.0), "nu_before": (1.0, 3.0), "slow_potassium": (0.4, 1.0),
    "slow_potassium_before": (0.6, 1.0), "internode": (0.4, 1.0), "node": (1.0, 1.6),
    "outward_pa": (2.0, 60.0), "outward_tau_ms": (20.0, 200.0),
}  # fmt: skip
UNITS = {"outward_pa": "pA", "outward_tau_ms": "ms"}


def sizes(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of spikes of each burst and the index of its first spike."""
    first = np.flatnonzero(np.diff(times, prepend=-np.inf) > BURST_MS)
    return np.diff(np.append(first, times.size)), first


def direct(chains, axon: str, seconds: float, seed) -> ch.Spikes:
    """Return the spikes of chains with channel noise."""
    built = ch.build_chain(chains, AXIAL_NS, axon, strict=False)
    return ch.run_chain(
        built, seconds * 1000.0, settings=ch.RunSettings(dt=DT_MS, seed=seed, capacity=40000)
    )[0]


def find_nu(make, nus: np.ndarray, axon: str) -> float:
    """Return the multiplier at which the healthy end sees `RATE` bursts a minute.

    Two scans, the second a fine one about the first's answer; log-linear between tries.
    """
    for step, seconds in enumerate((20.0, 60.0)):
        spikes = direct([make(v) for v in nus], axon, seconds, [1, step])
        rates = [sizes(spikes.for_unit(0, j)[0])[0].size * 60.0 / seconds for j in range(len(nus))]
        rates = np.maximum.accumulate(rates)
        above = int(np.argmax(rates >= RATE))
        if rates[above] < RATE or above == 0:
            return float("nan")
        low, high = np.log(np.maximum(rates[above - 1 : above + 1], 0.5))
        w = (np.log(RATE) - low) / (high - low)
        nu = nus[above - 1] + w * (nus[above] - nus[above - 1])
        print(
            f"    nu {nu:.3f}: {nus[above - 1]:.3f} gives {rates[above - 1]:.0f}, "
            f"{nus[above]:.3f} gives {rates[above]:.0f} a minute",
            flush=True,
        )
        nus = nu * np.linspace(0.95, 1.05, 8)
    return float(nu)


def count(chains, axon: str, seconds: float, seed, prefix: str) -> dict[str, tuple]:
    """Return statistics of the bursts that arrive at the healthy end, with units and notes."""
    spikes = direct(chains, axon, seconds, seed)
    burst_sizes, gaps, lasts, peaks = [], [], [], []
    for j in range(len(chains)):
        times, peak = spikes.for_unit(0, j)
        size, first = sizes(times)
        burst_sizes.append(size)
        peaks.append(peak)
        gaps += [np.diff(times[i : i + k]) for i, k in zip(first, size, strict=True) if k > 1]
    size, peak = np.concatenate(burst_sizes), np.concatenate(peaks)
    every = np.concatenate(gaps) if gaps else np.array([np.nan])
    lasts = [g[-1] > g[0] for g in gaps if g.size > 1]
    rising = [bool((np.diff(g) > 0).all()) for g in gaps if g.size > 1]
    minutes = len(chains) * seconds / 60.0
    two, three = int((size >= 2).sum()), int((size >= 3).sum())
    out = {
        "burst_rate": (size.size / minutes, "1/min", f"{size.size} bursts"),
        "share_two": (two / max(size.size, 1), "1", "bursts of two spikes or more"),
        "share_three": (three / max(two, 1), "1", "of those, three or more"),
        "spikes": (size.mean() if size.size else 0.0, "1", "mean spikes of a burst"),
        "spikes_most": (size.max(initial=0), "1", "most"),
        "interval_shortest_ms": (every.min(), "ms", f"of {every.size}"),
        "interval_10_ms": (np.percentile(every, 10), "ms", "10 % are shorter"),
        "interval_median_ms": (np.median(every), "ms", ""),
        "interval_90_ms": (np.percentile(every, 90), "ms", "10 % are longer"),
        "share_high": ((peak > HIGH_MV).mean() if peak.size else 0.0, "1",
                       "spikes above +10 mV at the healthy end"),
    }  # fmt: skip
    for k in range(1, LARGEST + 1):
        share = (size == k).mean() if k < LARGEST else (size >= k).mean()
        out[f"size_{k}"] = (float(share) if size.size else 0.0, "1", "share of bursts")
    for k in range(LARGEST - 1):
        gap_ms = np.array([g[k] for g in gaps if g.size > k])
        if gap_ms.size >= 10:
            out[f"interval_{k + 1}_ms"] = (np.median(gap_ms), "ms", f"median of {gap_ms.size}")
            out[f"interval_{k + 1}_spread"] = (np.log(gap_ms).std(), "ln", "")
    if len(lasts) >= 10:
        out["share_last_longer"] = (np.mean(lasts), "1", "last interval longer than the first")
        out["share_lengthening"] = (np.mean(rising), "1", "every interval longer than the last")
    print("    " + ", ".join(f"{k} {v:.3g}" for k, (v, _, _) in out.items() if v), flush=True)
    return {f"{prefix}.{name}": value for name, value in out.items() if np.isfinite(value[0])}


def fit_terminals(axon: str) -> dict[str, tuple]:
    """Return the terminals of every length."""
    out = {}
    for name, length in LENGTHS.items():
        print(f"  {axon} {name}", flush=True)

        def make(v, length=length):
            return terminal_chain(float(v), length)

        nu = find_nu(make, np.geomspace(3.0, 14.0, 16), axon)
        if not np.isfinite(nu):
            continue
        out[f"{name}.nu"] = (nu, "1", "persistent sodium at which 20 bursts a minute arrive")
        out |= count([make(nu)] * 16, axon, 30.0, [2, int(100 * length)], name)
    return out


def evoked(samples, axon: str, kfs) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    """Return times and heights at the healthy end after one impulse from there, and before it."""
    chains = [isaacs_chain(x, kf) for x in samples for kf in kfs]
    built = ch.build_chain(chains, AXIAL_NS, axon, strict=False)
    state = built.start()
    before, _ = ch.run_chain(
        built, 100.0, state=state, settings=ch.RunSettings(dt=DT_MS, capacity=8)
    )
    pulse = np.zeros((5, 1))
    pulse[0] = 1500.0
    spikes, _ = ch.run_chain(
        built,
        200.0,
        state=state,
        stimulus=ch.Stimulus(pulse, 1.0),
        settings=ch.RunSettings(dt=DT_MS, capacity=64),
    )
    silent = before.counts.sum(axis=0) == 0
    each = [spikes.for_unit(0, j) if silent[j] else (np.empty(0),) * 2 for j in range(len(chains))]
    return [each[i : i + len(kfs)] for i in range(0, len(each), len(kfs))]


def passes(responses) -> bool:
    """Return whether one sample, at fast potassium `KF`, is a multiplet switched by it."""
    spikes = [times.size for times, _ in responses]
    times, peaks = responses[KF.index(0.1)]
    gaps = np.diff(times)
    return bool(
        spikes[0] == 1
        and MULTIPLET[0] <= times.size <= MULTIPLET[1]
        and all(np.diff(spikes[:5]) >= 0)
        and (gaps > INTERVAL_MS[0]).all()
        and (gaps < INTERVAL_MS[1]).all()
        and (peaks > HIGH_MV).all()
    )


def search(axon: str, least_samples: int) -> tuple[dict[str, float] | None, dict[str, float]]:
    """Return the accepted sample of the random search, and the tally of all samples."""
    rng = np.random.default_rng([3, AXONS.index(axon)])
    samples_run, multiplets, accepted, longer = 0, 0, [], 0
    while samples_run < least_samples:
        u = rng.random((64, len(BOUNDS)))
        low, high = np.array(list(BOUNDS.values())).T
        values = np.exp(np.log(low) + u * np.log(high / low))
        samples = [dict(zip(BOUNDS, row, strict=True)) for row in values]
        samples_run += len(samples)
        first = evoked(samples, axon, (1.0, 0.1))  # the ends of the switch alone
        likely = [
            i
            for i, ((single, _), (several, _)) in enumerate(first)
            if single.size == 1 and MULTIPLET[0] <= several.size <= MULTIPLET[1]
        ]
        multiplets += len(likely)
        if not likely:
            continue
        results = evoked([samples[i] for i in likely], axon, KF)
        for i, result in zip(likely, results, strict=True):
            if passes(result):
                accepted.append((float(np.abs(u[i] - 0.5).max()), samples[i]))
                gaps = np.diff(result[KF.index(0.1)][0])
                longer += bool((np.diff(gaps) > 0).all())
    tally = {
        "tried": samples_run,
        "multiplets": multiplets,
        "kept": len(accepted),
        "lengthening": longer,
    }
    print(f"  {axon} isaacs: {tally}", flush=True)
    return (min(accepted, key=lambda pair: pair[0])[1] if accepted else None), tally


def fit_isaacs(axon: str, least_samples: int) -> dict[str, tuple]:
    """Return Isaacs' terminal, its bursts, and what one impulse evokes."""
    best, tally = search(axon, least_samples)
    note = "samples of the random search"
    out = {f"isaacs.search_{k}": (float(v), "1", note) for k, v in tally.items()}
    if best is None:
        return out

    def make(v, kf=0.1):
        x = best | {"nu": best["nu"] * v, "nu_before": best["nu_before"] * v}
        return isaacs_chain(x, kf, CHANNELS)

    factor = find_nu(make, np.geomspace(0.85, 1.8, 16), axon)
    for name, value in best.items():
        out[f"isaacs.{name}"] = (value, UNITS.get(name, "1"), "")
    for kf, (times, _) in zip(KF, evoked([best], axon, KF)[0], strict=True):
        out[f"isaacs.evoked_{round(100 * kf)}"] = (
            float(times.size), "1", f"spikes after one impulse, fast potassium x{kf:g}",
        )  # fmt: skip
    if np.isfinite(factor):
        out["isaacs.noise_factor"] = (factor, "1", "on both nu: 20 bursts a minute by themselves")
        for kf in (0.1, 0.5, 1.0):
            print(f"  {axon} isaacs by itself, fast potassium x{kf:g}", flush=True)
            name = "isaacs" if kf == 0.1 else f"isaacs.potassium_{round(100 * kf)}"
            out |= count([make(factor, kf)] * 16, axon, 30.0, [4], name)
    return out


def judge(times: np.ndarray, peaks: np.ndarray, seconds: float) -> dict[str, float]:
    """Return how myokymic a train is, at the gap that divides it best; score 1 is all of it."""
    times = times[peaks > HIGH_MV]
    gaps = np.diff(times)
    best = {"score": 0.0, "spikes": float(times.size)}
    if times.size < 6 or times.size > 60 * seconds:
        return best
    for gap in np.geomspace(25.0, 1000.0, 24):
        inside = gaps[gaps <= gap]
        size = np.diff(np.flatnonzero(np.concatenate([[True], gaps > gap, [True]])))
        if size.size < 3 or inside.size < 3:
            continue
        between = gaps[gaps > gap]
        row = {
            "gap_ms": gap, "bursts": float(size.size), "size": float(np.median(size)),
            "sized": float(((size >= 2) & (size <= 10)).mean()),
            "in_band": float(((inside >= 1000.0 / 62.0) & (inside <= 200.0)).mean()),
            "per_s": 1000.0 / float(np.median(inside)),
            "every_s": seconds / size.size, "between_s": float(np.median(between)) / 1000.0,
            "valley": float(((gaps > gap / 1.5) & (gaps < gap * 1.5)).mean()),
            "cv": float(between.std() / between.mean()), "spikes": float(times.size),
        }  # fmt: skip
        row["score"] = (
            row["sized"]
            * row["in_band"]
            * max(0.0, 1.0 - 4.0 * row["valley"])
            * min(1.0, np.median(between) / np.median(inside) / 3.0)
        ) * (0.1 <= row["every_s"] <= 10.0)
        if row["score"] > best["score"]:
            best = row
    return best


def fit_myokymia(axon: str) -> dict[str, tuple]:
    """Return a lesion of two short internodes that makes grouped bursts, and those bursts."""
    grid = [(nu, pa, tau) for nu in LESION_NU for pa in LESION_PA for tau in LESION_TAU_MS]
    trains = lesion_trains(grid, axon, 10.0, [5, 0])
    score = np.array([judge(*train, 10.0)["score"] for train in trains])
    score = score.reshape(len(LESION_NU), len(LESION_PA), len(LESION_TAU_MS))
    edge = np.pad(score, ((1, 1), (1, 1), (0, 0)))  # the best neighbourhood, not the best point
    around = (edge[:-2, 1:-1] + edge[2:, 1:-1] + edge[1:-1, :-2] + edge[1:-1, 2:]) / 8 + score / 2
    nu, pa, tau = grid[int(np.argmax(around))]
    print(
        f"  {axon} myokymia: {(score > 0.5).sum()} of {score.size} grid points score above 0.5; "
        f"nu {nu:.3g}, {pa:g} pA, {tau:g} ms",
        flush=True,
    )
    out = {
        "myokymia.nu": (nu, "1", "persistent sodium of both short units"),
        "myokymia.outward_pa": (pa, "pA", "outward current that a spike adds"),
        "myokymia.outward_tau_ms": (tau, "ms", ""),
        "myokymia.search_good": (float((score > 0.5).sum()), "1", f"points of {score.size} tried"),
    }
    for with_outward, name in ((1.0, "myokymia"), (0.0, "myokymia.without_outward")):
        train = lesion_trains([(nu, pa * with_outward, tau)], axon, 60.0, [5, 1])[0]
        score_of_train = judge(*train, 60.0)
        print("    " + ", ".join(f"{k} {v:.3g}" for k, v in score_of_train.items()), flush=True)
        for key, (unit, note) in JUDGED.items():
            if key in score_of_train:
                out[f"{name}.{key}"] = (score_of_train[key], unit, note)
    return out


def lesion_trains(grid, axon: str, seconds: float, seed):
    """Return times and heights at the healthy end, after a kick at the lesion."""
    built = ch.build_chain(
        [remyelinated_chain(*point) for point in grid], AXIAL_NS, axon, strict=False
    )
    kick = np.zeros((built.units, 1))
    kick[2] = 600.0
    spikes, _ = ch.run_chain(
        built,
        1000.0 * seconds + 600.0,
        stimulus=ch.Stimulus(kick, 10.0),
        settings=ch.RunSettings(dt=DT_MS, seed=seed, capacity=8192),
    )
    each = [spikes.for_unit(0, j) for j in range(len(grid))]
    return [(t[t > 600.0], p[t > 600.0]) for t, p in each]


def write(path: str, rows_by_axon: dict[str, dict[str, tuple]]) -> None:
    """Write the TOML file."""
    lines = ["# Written by scripts/calibration/fit_chain.py; do not edit.", "",
             "[axial_ns]", f"value = {AXIAL_NS}", 'unit = "nS"', "low = 40.0", "high = 150.0",
             'grade = "assumed"', 'source = "chain-geometry"',
             'note = "0.7 ohm m, 10 um thick, 1.4 mm long"', ""]  # fmt: skip
    for name, length in LENGTHS.items():
        lines += [
            f"[internode_{name}]",
            f"value = {length}",
            'unit = "1"',
            'grade = "assumed"',
            'source = "chain-geometry"',
            'note = "last internode against the ordinary one"',
            "",
        ]
    lines += [
        "[remyelinated_internode]",
        f"value = {REMYELINATED}",
        'unit = "1"',
        "low = 0.1",
        "high = 0.3",
        'grade = "assumed"',
        'source = "chain-geometry"',
        'note = "each of two internodes that grew again"',
        "",
    ]
    for axon, rows in rows_by_axon.items():
        for name, (value, unit, note) in rows.items():
            lines += [
                f"[{axon}.{name}]",
                f"value = {float(value):.5g}",
                f'unit = "{unit}"',
                'grade = "fitted"',
                'source = "chain-runs"',
            ]
            lines += [f'note = "{note}"'] if note else []
            lines.append("")
    lines += [
        "[references]",
        'chain-geometry = "Assumption of this project: lengths of the last internodes and the '
        "axoplasm's resistance are not measured in people; internodes shorten towards the end of "
        'a fibre (recalled, not read again)."',
        'chain-runs = "Direct simulation of chains of nodes with 2500 sodium channels at a sick '
        'node, by scripts/calibration/fit_chain.py."',
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main() -> None:
    """Fit both axons and write the TOML file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axon", choices=AXONS, action="append")
    parser.add_argument("--stage", choices=("terminal", "isaacs", "myokymia"), action="append")
    parser.add_argument("--samples", type=int, default=1024, help="of the random search, each axon")
    parser.add_argument("--out", default="neurosim/model/axon/chain.toml")
    options = parser.parse_args()
    began = time.process_time()
    stages = {
        "terminal": fit_terminals,
        "isaacs": lambda axon: fit_isaacs(axon, options.samples),
        "myokymia": fit_myokymia,
    }
    rows_by_axon = {}
    for axon in options.axon or AXONS:
        rows_by_axon[axon] = {}
        for stage in options.stage or stages:
            rows_by_axon[axon] |= stages[stage](axon)
    write(options.out, rows_by_axon)
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
