"""Draw what electrodes see of single units, and the kinds of event on the same axes.

    python scripts/draw_emg.py [--sounds FOLDER]

Writes docs/figures/emg_potentials.png, emg_kinds.png and events.png (seconds; the last with a
cramp of a pool of motoneurons, and what the detector says) and prints the words that stand for
them. With --sounds also a WAV file of each kind. Discharges: a lone one, two 5 ms apart, a unit
with myokymia (`firing.bursts`, an empirical rule), bursts of Isaacs' syndrome (distilled from a
chain of nodes).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from neurosim.firing.bursts import Rhythm, sample_multiplets, sample_myokymia, site_bursts
from neurosim.membrane import cramp
from neurosim.muscle import emg
from neurosim.muscle.anatomy import muscle
from neurosim.muscle.detect import detect
from neurosim.muscle.force import muscle_force_mn
from neurosim.show.emg_plot import (
    describe_emg,
    draw_sweep,
    emg_numbers,
    plot_emg,
    plot_potentials,
)
from neurosim.show.sound import write_wav
from neurosim.show.style import PALE, new_figure, styled

FOLDER = Path("docs/figures")
MUSCLE, UNIT, HZ, LENGTH_S = "shin", 90, 10_000.0, 2.0


def needle_at(unit: int) -> emg.Electrode:
    """Return a needle put a millimetre before the middle of a unit's territory."""
    x, y, _ = emg.territories_mm(MUSCLE)[unit]
    return emg.needle(MUSCLE, x - 1.0, y)


@styled
def draw_potentials() -> None:
    """Draw surface and needle potentials of a small, a middling and a large unit."""
    fig = new_figure(13.0, 4.6)
    left, right = fig.subplots(1, 2)
    table = emg.territories_mm(MUSCLE)
    shallow = np.flatnonzero(table[:, 1] < np.median(table[:, 1]))
    units = [int(shallow[np.abs(shallow - u).argmin()]) for u in (10, 75, 145)]
    names = [f"{word} unit ({u + 1})" for word, u in
             zip(("small", "middling", "large"), units, strict=True)]  # fmt: skip
    skin = emg.unit_potentials(MUSCLE, "surface", HZ, units=units)[:, : round(0.045 * HZ)]
    plot_potentials(left, skin, HZ, names, "Two discs on the skin")
    near = [emg.unit_potentials(MUSCLE, needle_at(u), HZ, units=u)[0] for u in units]
    deep = np.stack(near)[:, : round(0.03 * HZ)]
    plot_potentials(right, deep, HZ, names, "A needle inside the unit")
    fig.savefig(FOLDER / "emg_potentials.png", dpi=80)
    for where, rows in (("skin", skin), ("needle", deep)):
        for name, row in zip(names, rows, strict=True):
            print(where, name, emg.shape_of(row, HZ))


def kinds() -> dict[str, np.ndarray]:
    """Return the discharge times of each kind within the picture, s."""
    rng = np.random.default_rng(7)
    spasm = sample_myokymia(Rhythm(5, 35.0, 0.55), LENGTH_S, rng)[0]
    isaacs = sample_multiplets(site_bursts("isaacs"), np.array([0.3, 0.9, 1.5]), rng)[0]
    return {
        "fasciculation": np.array([0.5]),
        "doublet": np.array([0.5, 0.505]),
        "myokymia": spasm,
        "neuromyotonia": isaacs,
    }


@styled
def draw_kinds(sounds: Path | None) -> None:
    """Draw the four kinds of twitch, a column each; print their words and write their sounds."""
    found = kinds()
    fig = new_figure(15.0, 10.5)
    grid = fig.subplots(5, len(found), sharey="row")
    electrode = needle_at(UNIT)
    for column, (name, times) in enumerate(found.items()):
        units = np.full(times.size, UNIT)
        signal = emg.emg_uv(times, units, MUSCLE, LENGTH_S, electrode, HZ)
        force = muscle_force_mn(times, units, MUSCLE, LENGTH_S)
        plot_emg(grid[:4, column], times, units, force, signal, HZ, title=name.capitalize())
        draw_sweep(grid[4, column], signal, HZ, float(times[0]) - 0.005)
        print(f"{name}: {describe_emg(emg_numbers(times, units, signal, HZ), 'needle')}")
        if sounds:
            print(write_wav(sounds / f"{name}.wav", signal, HZ, 2000.0))
    for ax in grid[:, 1:].flat:
        ax.set_ylabel("")
    fig.colorbar(grid[3, -1].collections[0], ax=grid[3, :], label="dB under the loudest")
    fig.savefig(FOLDER / "emg_kinds.png", dpi=75)


def events() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return discharges, s, and their units for a column each of the picture of events."""
    rng = np.random.default_rng(3)
    found = {
        "Twitch": np.array([0.8]),
        "Doublet": np.array([0.8, 0.805]),
        "Myokymic run": sample_myokymia(Rhythm(5, 35.0, 0.55), LENGTH_S, rng)[0],
        "Neuromyotonic burst": sample_multiplets(site_bursts("isaacs"), np.array([0.8]), rng)[0],
    }
    columns = {name: (times, np.full(times.size, UNIT)) for name, times in found.items()}
    made = cramp.units_of(1, muscle(MUSCLE).units, prone=True)
    run = cramp.stimulate(made, cramp.shortened(), 24.0, LENGTH_S, seed=1)
    return columns | {"Cramp begins": (run.time_s - 0.4, run.unit)}


@styled
def draw_events() -> None:
    """Draw five kinds of event on the same axes, and under the force what the detector says."""
    fig = new_figure(17.0, 11.0)
    grid = fig.subplots(5, 5, height_ratios=(0.9, 1, 1, 1, 0.8))
    for row in grid[:4]:
        for ax in row[1:]:
            ax.sharey(row[0])
            ax.tick_params(labelleft=False)
    for column, (name, (times, units)) in enumerate(events().items()):
        keep = (times > 0.0) & (times < LENGTH_S)
        times, units = times[keep], units[keep]
        signal = emg.emg_uv(times, units, MUSCLE, LENGTH_S, needle_at(UNIT), HZ)
        force = muscle_force_mn(times, units, MUSCLE, LENGTH_S)
        plot_emg(grid[:4, column], times, units, force, signal, HZ, title=name)
        draw_sweep(
            grid[4, column], signal, HZ, 0.795 if name != "Myokymic run" else times[0] - 0.005
        )
        told = detect(signal, force, HZ, MUSCLE)
        for onset, length in zip(told.onset_s, told.duration_s, strict=True):
            grid[1, column].axvspan(onset, min(onset + length, LENGTH_S), color=PALE, zorder=0)
        kinds_of = "\n".join(f"{k.replace('_', ' ')},\n{o}" for k, o in
                             sorted(set(zip(told.kind, told.origin, strict=True))))  # fmt: skip
        grid[1, column].text(0.03, 0.95, f"detector:\n{kinds_of}", va="top", fontsize=10.5,
                             transform=grid[1, column].transAxes)  # fmt: skip
        print(f"{name}: {describe_emg(emg_numbers(times, units, signal, HZ), 'needle')} "
              f"Detector: {told}.")  # fmt: skip
    grid[0, 0].set_ylim(0, muscle(MUSCLE).units + 2)
    grid[1, 0].set_yscale("log")
    grid[1, 0].set_ylim(1.0, 1e6)
    for ax in grid[:, 1:].flat:
        ax.set_ylabel("")
    fig.colorbar(grid[3, -1].collections[0], ax=grid[3, :], label="dB under the loudest")
    fig.savefig(FOLDER / "events.png", dpi=75)


def main() -> None:
    """Draw, print and, if asked, sound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sounds", type=Path)
    args = parser.parse_args()
    draw_potentials()
    draw_kinds(args.sounds)
    draw_events()


if __name__ == "__main__":
    main()
