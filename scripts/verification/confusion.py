"""Ask the detector of events about recordings whose discharges are known, and count its answers.

    python scripts/verification/confusion.py [--seeds 12] [--first-seed 1000] [--cramps 4]

Simulates labelled recordings of four muscles, lets `force_events.py` read force and
electromyogram alone, and prints the confusion matrices of kind and origin by needle and by
surface electrode; writes docs/figures/confusion.png. Truth comes from the generators: axonal
discharges by the event sampler, Isaacs' and myokymic bursts by `firing.bursts`, cramps and weak
contractions by the pool of motoneurons. Thresholds were chosen on seeds below 100; those from 1000
are held out. Minutes.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from force_events import DetectedEvents, detect_with_force

from neurosim.clinic import emg, unit_potentials
from neurosim.model.firing.bursts import (
    draw_rhythm,
    sample_multiplets,
    sample_myokymia,
    site_bursts,
)
from neurosim.model.firing.discharge import UnitHazard, sample_firing
from neurosim.model.muscle import anatomy
from neurosim.model.muscle.events import KINDS, DischargeLabels, find_twitches
from neurosim.model.muscle.force import muscle_force_mn
from neurosim.model.soma import cramp, pool
from neurosim.simulation.simulate import simulate
from neurosim.view.style import house_style, new_figure

FIGURE = Path("docs/figures/confusion.png")
MUSCLES = ("shin", "foot_sole", "thumb", "calf")
CRAMPING = ("shin", "foot_sole")
RECORDS = ("axon", "isaacs", "myokymia", "five units", "rest")
LENGTH_S, FORCE_NOISE_MN = 20.0, 0.5
HZ = {"needle": 10_000.0, "surface": 2000.0}
NEAR_S = 0.025  # an answer this near a true onset is about that event
AWAY_MM = 1.0  # of the needle from the middle of the first unit
ORIGINS = ("axon", "terminal", "lesion", "soma")
NOTHING = "nothing"
SCENARIOS = ("low_calcium", "isaacs", "pinched_nerve", "cramp")


@dataclass
class Discharges:
    """Columns of one recording's discharges, with what made each, and its length."""

    time_s: np.ndarray
    unit: np.ndarray
    origin: np.ndarray
    process: np.ndarray
    episode: np.ndarray
    duration_s: float = LENGTH_S


def joined(parts: list[Discharges]) -> Discharges:
    """Return several units' discharges as one, their episodes kept apart."""
    first = np.cumsum([0, *(p.episode.max(initial=0) + 1 for p in parts)])
    columns = {
        name: np.concatenate([getattr(p, name) for p in parts])
        for name in ("time_s", "unit", "origin", "process")
    }
    episode = np.concatenate([p.episode + k for p, k in zip(parts, first[:-1], strict=True)])
    return Discharges(**columns, episode=episode)


def of_one(times: np.ndarray, unit: int, place: np.ndarray, origin: str, process: str):
    """Return one unit's discharges; an episode begins wherever the place in its burst is 0."""
    order = np.argsort(times, kind="stable")
    times, place = times[order], place[order]
    keep = (times > 0.1) & (times < LENGTH_S - 0.4)
    episode = np.cumsum(place == 0)
    complete = np.isin(episode, episode[(place == 0) & keep]) & keep
    n = int(complete.sum())
    return Discharges(
        times[complete],
        np.full(n, unit),
        np.full(n, origin),
        np.full(n, process),
        episode[complete],
    )


def axonal(unit: int, rng: np.random.Generator, per_min: float = 40.0) -> Discharges:
    """Return fasciculations of one unit by the event sampler."""
    hazard = UnitHazard(
        load_mmol_l=np.array([0.0, 1.0]),
        bursts_per_min=np.full((1, 2), per_min),
        unit=np.array([0]),
        origin=np.array([0]),
        pair=np.array([0.25]),
        units=1,
        load_per_spike_mmol_l=0.0,
        load_tau_s=360.0,
        ceiling_per_min=1e4,
    )
    f = sample_firing(hazard, LENGTH_S, rng)
    return of_one(f.time_s, unit, f.place, "axon", "misfire")


def isaacs(unit: int, rng: np.random.Generator) -> Discharges:
    """Return bursts of Isaacs' syndrome of one unit, about one in two seconds."""
    gaps = 0.3 + rng.exponential(1.7, 20)
    starts = np.cumsum(gaps)
    t, place = sample_multiplets(site_bursts("isaacs"), starts[starts < LENGTH_S], rng)
    return of_one(t, unit, place, "terminal", "neuromyotonia")


def myokymic(unit: int, rng: np.random.Generator) -> Discharges:
    """Return myokymic bursts of one unit."""
    t, place = sample_myokymia(draw_rhythm(rng), LENGTH_S, rng)
    return of_one(t, unit, place, "lesion", "myokymia")


def recording(kind: str, muscle: str, rng: np.random.Generator) -> tuple[Discharges, int]:
    """Return the discharges of a recording, and the unit that the needle is put beside."""
    n = anatomy.muscle(muscle).units
    unit = [int(u) for u in rng.choice(np.arange(n // 4, n), 5, replace=False)]
    if kind == "axon":
        return axonal(unit[0], rng), unit[0]
    if kind == "isaacs":
        return isaacs(unit[0], rng), unit[0]
    if kind == "myokymia":
        return myokymic(unit[0], rng), unit[0]
    if kind == "rest":
        nobody = of_one(np.empty(0), 0, np.empty(0), "axon", "misfire")
        return nobody, unit[0]
    parts = [axonal(u, rng, 20.0) for u in unit[:3]]
    return joined([*parts, isaacs(unit[3], rng), myokymic(unit[4], rng)]), unit[0]


def pool_recording(kind: str, muscle: str, seed: int) -> tuple[Discharges, int]:
    """Return a cramp of a whole muscle, or a weak contraction by will."""
    n = anatomy.muscle(muscle).units
    if kind == "cramp":
        motor_pool = cramp.person_pool(seed, n, True)
        run = cramp.stimulate(motor_pool, cramp.shorten(), cramp.Stimulation(24.0, 37.0), seed=seed)
    else:
        drive = 0.05 if kind == "contraction" else 0.02
        parts = (
            pool.hold_input(2.0),
            pool.ramp_input(1.0, 0.0, drive),
            pool.hold_input(5.0, drive),
            pool.hold_input(2.0),
        )
        run = pool.run_pool(
            pool.build_pool(n, person=seed),
            pool.PoolInput(excitation=pool.join_inputs(*parts)),
            seed=seed,
        )
    count = run.time_s.size
    labels = (np.full(count, "soma"), np.full(count, "plateau"), np.zeros(count, np.int64))
    return Discharges(run.time_s, run.unit, *labels, run.duration_s), int(n * 0.6)


def needle_beside(muscle: str, unit: int, seed: int) -> unit_potentials.Electrode:
    """Return a needle put a millimetre before the middle of a unit's territory."""
    x, y, _ = unit_potentials.territories_mm(muscle, seed)[unit]
    return unit_potentials.needle_electrode(muscle, x - AWAY_MM, max(y, 0.6))


def answers(d: Discharges, unit: int, muscle: str, electrode: str, seed: int):
    """Return the detector's events, and which units the electrode sees at all."""
    put = (
        needle_beside(muscle, unit, seed)
        if electrode == "needle"
        else unit_potentials.surface_electrode(muscle)
    )
    hz = HZ[electrode]
    settings = unit_potentials.EmgSettings(hz, seed)
    signal = emg.emg_uv(d.time_s, d.unit, muscle, d.duration_s, put, settings)
    force = muscle_force_mn(d.time_s, d.unit, muscle, d.duration_s)
    force = force + np.random.default_rng(seed).normal(0.0, FORCE_NOISE_MN, force.size)
    size = {
        u: np.abs(unit_potentials.unit_potentials(muscle, put, settings, u)).max()
        for u in np.unique(d.unit).tolist()
    }
    seen = [u for u, largest in size.items() if largest > 6.0 * put.noise_uv]
    return detect_with_force(signal, force, hz, muscle), seen


def pairs(truth, events: DetectedEvents) -> list[tuple[int, int]]:
    """Return (true event, answer) for all that are about the same, the nearest first."""
    long = np.equal.outer(truth.kind, events.kind) & np.asarray(events.kind == "spasm")[None, :]
    gap = np.abs(truth.onset_s[:, None] - events.onset_s[None, :])
    overlap = np.minimum.outer(
        truth.onset_s + truth.duration_s, events.onset_s + events.duration_s
    ) - np.maximum.outer(truth.onset_s, events.onset_s)
    either = np.maximum.outer(truth.duration_s, events.duration_s)
    gap = np.where(long & (overlap > 0.5 * either), 0.0, gap)
    out: list[tuple[int, int]] = []
    for i, j in np.argwhere(gap < NEAR_S)[np.argsort(gap[gap < NEAR_S], kind="stable")].tolist():
        if all(i != a and j != b for a, b in out):
            out.append((i, j))
    return out


@dataclass
class Tally:
    """Counts of (truth, answer) for kind and origin, and what else is told of the answers."""

    kind: Counter
    origin: Counter
    unseen: int
    onset_ms: list[float]
    peak: list[float]
    visible: Counter

    def add(self, truth, events: DetectedEvents, seen: list[int]) -> None:
        """Add one recording."""
        paired = pairs(truth, events)
        for i, j in paired:
            self.kind[truth.kind[i], events.kind[j]] += 1
            self.origin[truth.origin[i], events.origin[j]] += 1
            self.visible[bool(truth.visible[i]), bool(events.visible[j])] += 1
            self.onset_ms.append(1000.0 * float(events.onset_s[j] - truth.onset_s[i]))
            self.peak.append(float(events.peak_mn[j] / truth.peak_mn[i]))
        for i in set(range(len(truth))) - {i for i, _ in paired}:
            if truth.kind[i] != "spasm" and int(truth.unit[i]) not in seen:
                self.unseen += 1
                continue
            self.kind[truth.kind[i], NOTHING] += 1
            self.origin[truth.origin[i], NOTHING] += 1
        for j in set(range(len(events))) - {j for _, j in paired}:
            self.kind[NOTHING, events.kind[j]] += 1
            self.origin[NOTHING, events.origin[j]] += 1


def tally() -> Tally:
    """Return empty counts."""
    return Tally(Counter(), Counter(), 0, [], [], Counter())


def truth_of(d: Discharges, muscle: str):
    """Return the true events of a recording."""
    labels = DischargeLabels(d.origin, d.episode, d.process)
    return find_twitches(d.time_s, d.unit, muscle, labels=labels)


def table(count: Counter, names: tuple[str, ...]) -> np.ndarray:
    """Return counts as a matrix, a row each for truth, `TOO_FEW_EVENTS` last."""
    full = (*names, NOTHING)
    return np.array([[count[a, b] for b in full] for a in full])


def print_matrix(title: str, count: Counter, names: tuple[str, ...]) -> None:
    """Print a matrix in Markdown with recall and precision."""
    m = table(count, names)
    print(f"\n{title}\n\n| truth | {' | '.join(names)} | {NOTHING} | recall |")
    print("| --- |" + " ---: |" * (len(names) + 2))
    for k, name in enumerate((*names, NOTHING)):
        total = m[k].sum()
        recall = f"{100 * m[k, k] / total:.1f} %" if total and name != NOTHING else ""
        print(f"| {name} | {' | '.join(map(str, m[k]))} | {recall} |")
    share = [
        f"{100 * m[k, k] / m[:, k].sum():.1f} %" if m[:, k].sum() else "" for k in range(len(names))
    ]
    print(f"| precision | {' | '.join(share)} |  |  |")


def run(electrode: str, seeds: range, cramps: int) -> tuple[Tally, dict[str, Tally], Counter]:
    """Return all counts, counts by recording, and the answers to contractions by will."""
    total, parts, will = tally(), {}, Counter()
    for muscle in MUSCLES:
        for kind in RECORDS:
            for seed in seeds:
                key = np.random.SeedSequence((seed, MUSCLES.index(muscle), RECORDS.index(kind)))
                d, unit = recording(kind, muscle, np.random.default_rng(key))
                events, seen = answers(d, unit, muscle, electrode, seed)
                for t in (total, parts.setdefault(kind, tally())):
                    t.add(truth_of(d, muscle), events, seen)
    for muscle in CRAMPING:
        for seed in range(seeds.start, seeds.start + cramps):
            d, unit = pool_recording("cramp", muscle, seed)
            events, seen = answers(d, unit, muscle, electrode, seed)
            for t in (total, parts.setdefault("cramp", tally())):
                t.add(truth_of(d, muscle), events, seen)
            for kind in ("contraction", "faint contraction"):
                d, unit = pool_recording(kind, muscle, seed)
                events, _ = answers(d, unit, muscle, electrode, seed)
                will[kind, "records"] += 1
                will.update((kind, k) for k in events.kind.tolist())
    return total, parts, will


def catalogue(electrode: str) -> None:
    """Print what the detector says of whole scenarios, the needle beside the busiest unit."""
    for name in SCENARIOS:
        r = simulate(name, person=0, duration_s=60.0, seed=1)
        f, m = r.firing.columns(), r.scenario.muscle
        d = Discharges(f["time_s"], f["unit"], f["origin"], f["process"], f["episode"], 60.0)
        busiest = int(np.bincount(d.unit, minlength=1).argmax())
        events, seen = answers(d, busiest, m, electrode, 1)
        t = tally()
        t.add(r.twitches, events, seen)
        right = sum(n for (a, b), n in t.kind.items() if a == b)
        n_in_view = sum(n for (a, _), n in t.kind.items() if a != NOTHING)
        origin = sum(n for (a, b), n in t.origin.items() if a == b)
        false = sum(n for (a, _), n in t.kind.items() if a == NOTHING)
        print(
            f"scenario {name}: {len(r.twitches)} events of {np.unique(d.unit).size} units, "
            f"{len(seen)} units in view; of {n_in_view} events in view {right} of the right kind, "
            f"{origin} of the right origin, {false} false; detector: {events}"
        )


@house_style
def draw(tallies: dict[str, Tally]) -> None:
    """Draw the matrices of both electrodes, kind on the left and origin on the right."""
    fig = new_figure(15.0, 11.0)
    axes = fig.subplots(len(tallies), 2, width_ratios=(7, 5))
    for row, (electrode, t) in zip(axes, tallies.items(), strict=True):
        for ax, count, names, what in (
            (row[0], t.kind, KINDS, "kind"),
            (row[1], t.origin, ORIGINS, "origin"),
        ):
            m = table(count, names)
            share = m / np.maximum(m.sum(axis=1, keepdims=True), 1)
            ax.imshow(share, vmin=0, vmax=1, cmap="Blues", aspect="auto")
            labels = [n.replace("_", "\n") for n in (*names, NOTHING)]
            ax.set_xticks(range(len(labels)), labels)
            ax.set_yticks(range(len(labels)), labels)
            for (i, j), n in np.ndenumerate(m):
                if n:
                    ax.text(
                        j,
                        i,
                        f"{n}",
                        ha="center",
                        va="center",
                        color="white" if share[i, j] > 0.5 else "black",
                    )
            ax.set_xlabel("what the detector said")
            ax.set_ylabel("what the generator did")
            ax.set_title(f"{electrode.capitalize()}: {what}")
            ax.tick_params(length=0)
            for side in ax.spines.values():
                side.set_visible(False)
    fig.savefig(FIGURE, dpi=75)


def main() -> None:
    """Run, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--cramps", type=int, default=4)
    args = parser.parse_args()
    seeds, tallies = range(args.first_seed, args.first_seed + args.seeds), {}
    for electrode in HZ:
        start = time.perf_counter()
        tallies[electrode], parts, will = run(electrode, seeds, args.cramps)
        t = tallies[electrode]
        print_matrix(f"{electrode.capitalize()}: kind", t.kind, KINDS)
        print_matrix(f"{electrode.capitalize()}: origin", t.origin, ORIGINS)
        low, middle, high = np.percentile(t.onset_ms, [10, 50, 90])
        print(f"\nOnset late by {middle:.1f} ms ({low:.1f} to {high:.1f}, 10 to 90 %).")
        low, middle, high = np.percentile(t.peak, [10, 50, 90])
        right = t.visible[True, True] + t.visible[False, False]
        print(
            f"Peak force x{middle:.3f} ({low:.3f} to {high:.3f}) of the truth; visible or not "
            f"right in {100 * right / t.visible.total():.1f} %."
        )
        print(f"{t.unseen} true events of units below six times the noise are left out.")
        for kind, part in parts.items():
            m = table(part.kind, KINDS)
            print(
                f"{kind}: {np.trace(m)} of {m[:-1].sum()} of the right kind, "
                f"{m[:-1, -1].sum()} missed, {m[-1].sum()} false"
            )
        print("Contractions by will:", {f"{a}, {b}": n for (a, b), n in sorted(will.items())})
        catalogue(electrode)
        print(f"{time.perf_counter() - start:.0f} s")
    draw(tallies)


if __name__ == "__main__":
    main()
