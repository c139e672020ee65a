"""Draw what electrodes see of single units, and the kinds of event on the same axes.

    python scripts/draw_emg.py [--sounds FOLDER]

Writes docs/figures/emg_potentials.png, events.png (with what the detector says) and sounds.png
(the WAV files' samples), in seconds, and prints the words that stand for them. With --sounds also
writes the WAV files. Discharges: a lone one, two 5 ms apart, a unit with myokymia
(`firing.bursts`, an empirical rule), bursts of Isaacs' syndrome (distilled from a chain of nodes),
a cramp of a pool of motoneurons.
"""

from __future__ import annotations

import argparse
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from neurosim.clinic import emg, unit_potentials
from neurosim.model.firing.bursts import Rhythm, sample_multiplets, sample_myokymia, site_bursts
from neurosim.model.muscle.anatomy import muscle
from neurosim.model.muscle.force import muscle_force_mn
from neurosim.model.soma import cramp
from neurosim.view.emg_plot import (
    describe_emg,
    describe_potentials,
    plot_potentials,
    plot_record,
    plot_signal,
    plot_stretch,
    summarise_emg,
)
from neurosim.view.sound import wav_bytes, write_wav
from neurosim.view.style import (
    PALE,
    SMALLEST_PT,
    add_titles,
    house_style,
    label_decades,
    new_figure,
)

sys.path.insert(0, str(Path(__file__).parent / "verification"))
from force_events import detect_with_force

FOLDER = Path("docs/figures")
MUSCLE, UNIT, HZ, LENGTH_S = "shin", 90, 10_000.0, 2.0
SETTINGS = unit_potentials.EmgSettings(HZ)
HEARD = {
    "Twitch": "a lone dull knock", "Doublet": "the same knock, split",
    "Myokymic run": "marching groups", "Neuromyotonic burst": "a short rattle",
    "Cramp begins": "a roar",
}  # fmt: skip


def keep(fig, name: str) -> None:
    """Write a figure and print the words that stand for it."""
    fig.savefig(FOLDER / f"{name}.png", dpi=80)
    print(fig.alt_text)


def needle_at(unit: int) -> unit_potentials.Electrode:
    """Return a needle put a millimetre before the middle of a unit's territory."""
    x, y, _ = unit_potentials.territories_mm(MUSCLE)[unit]
    return unit_potentials.needle_electrode(MUSCLE, x - 1.0, y)


@house_style
def draw_potentials() -> None:
    """Draw surface and needle potentials of a small, a middling and a large unit."""
    fig = new_figure(13.0, 4.6)
    left, right = fig.subplots(1, 2)
    table = unit_potentials.territories_mm(MUSCLE)
    shallow = np.flatnonzero(table[:, 1] < np.median(table[:, 1]))
    units = [int(shallow[np.abs(shallow - u).argmin()]) for u in (10, 75, 145)]
    names = [
        f"{word} unit ({u + 1})"
        for word, u in zip(("small", "middling", "large"), units, strict=True)
    ]
    skin = unit_potentials.unit_potentials(MUSCLE, "surface", SETTINGS, units)[
        :, : round(0.045 * HZ)
    ]
    plot_potentials(skin, HZ, names, left, title="Two discs on the skin")
    near = [unit_potentials.unit_potentials(MUSCLE, needle_at(u), SETTINGS, u)[0] for u in units]
    deep = np.stack(near)[:, : round(0.03 * HZ)]
    plot_potentials(deep, HZ, names, right, title="A needle inside the unit")
    add_titles(fig, "", "Simulated.")
    fig.alt_text = "\n".join(
        f"{where}: {describe_potentials(rows, HZ, names)}"
        for where, rows in (("Two discs on the skin", skin), ("A needle", deep))
    )
    keep(fig, "emg_potentials")


def events() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return discharges, s, and their units for a column each of the picture of events."""
    rng = np.random.default_rng(3)
    times_by_name = {
        "Twitch": np.array([0.8]),
        "Doublet": np.array([0.8, 0.805]),
        "Myokymic run": sample_myokymia(Rhythm(5, 35.0, 0.55), LENGTH_S, rng)[0],
        "Neuromyotonic burst": sample_multiplets(site_bursts("isaacs"), np.array([0.8]), rng)[0],
    }
    columns = {name: (times, np.full(times.size, UNIT)) for name, times in times_by_name.items()}
    pool = cramp.person_pool(1, muscle(MUSCLE).units, prone=True)
    run = cramp.stimulate(pool, cramp.shorten(), cramp.Stimulation(24.0, LENGTH_S), seed=1)
    columns["Cramp begins"] = run.time_s - 0.4, run.unit
    within = {name: (t > 0.0) & (t < LENGTH_S) for name, (t, _) in columns.items()}
    return {name: (t[within[name]], u[within[name]]) for name, (t, u) in columns.items()}


def recorded(times, units) -> np.ndarray:
    """Return what the needle sees, uV."""
    return emg.emg_uv(times, units, MUSCLE, LENGTH_S, needle_at(UNIT), SETTINGS)


@house_style
def draw_events() -> None:
    """Draw five kinds of event on the same axes, and under the force what the detector says."""
    fig, lines = new_figure(), []
    grid = fig.subplots(5, 5, height_ratios=(0.8, 1, 1, 1, 0.9))
    for row in grid[:4]:
        for ax in row[1:]:
            ax.sharey(row[0])
            ax.tick_params(labelleft=False)
    for column, (name, (times, units)) in enumerate(events().items()):
        signal = recorded(times, units)
        force = muscle_force_mn(times, units, MUSCLE, LENGTH_S)
        plot_record(times, units, force, signal, HZ, grid[:4, column])
        grid[0, column].set_title(name)
        start = 0.795 if name != "Myokymic run" else times[0] - 0.005
        plot_stretch(signal, HZ, start, ax=grid[4, column])
        detected = detect_with_force(signal, force, HZ, MUSCLE)
        for onset, length in zip(detected.onset_s, detected.duration_s, strict=True):
            grid[1, column].axvspan(onset, min(onset + length, LENGTH_S), color=PALE, zorder=0)
        kinds_of = "\n".join(
            f"{k.replace('_', ' ')},\n{o}"
            for k, o in sorted(set(zip(detected.kind, detected.origin, strict=True)))
        )
        grid[1, column].text(
            0.03,
            0.95,
            f"detector:\n{kinds_of}",
            va="top",
            fontsize=SMALLEST_PT,
            transform=grid[1, column].transAxes,
        )
        lines.append(
            f"{name}: {describe_emg(summarise_emg(times, units, signal, HZ), 'needle')} "
            f"Detector: {detected}."
        )
    grid[0, 0].set_ylim(0, muscle(MUSCLE).units + 2)
    grid[1, 0].set_yscale("log")
    grid[1, 0].set_ylim(1.0, 1e7)
    label_decades(grid[1, 0].yaxis)
    grid[0, 0].set_ylabel("unit")
    for ax in grid[:, 1:].flat:
        ax.set_ylabel("")
    for ax in grid[3]:
        ax.set_xlabel("time, seconds")
    bar = fig.colorbar(grid[3, -1].collections[0], ax=grid[3, :], fraction=0.03, aspect=10)
    bar.set_label("dB under\nthe loudest")
    add_titles(fig, "", "Simulated.")
    fig.alt_text = "\n".join(lines)
    keep(fig, "events")


@house_style
def draw_sounds(folder: Path | None) -> None:
    """Draw the samples of each kind's WAV file, as they are heard; write the files if asked."""
    fig, lines = new_figure(13.0, 7.3), []
    axes = fig.subplots(5, 1, sharex=True, sharey=True)
    for ax, (name, (times, units)) in zip(axes, events().items(), strict=True):
        signal = recorded(times, units)
        data, sound = wav_bytes(signal, HZ)
        rate, samples = wavfile.read(BytesIO(data))
        plot_signal(samples / 32768.0, rate, "", ax, lw=0.6)
        scale = f"(1 is {sound.full_scale_uv / 1000:g} mV)"
        ax.set_title(f"{name}: {HEARD[name]} {scale}")
        ax.set_ylim(-1.0, 1.0)
        ax.set_xlabel("")
        lines.append(f"{name}: {HEARD[name]} {scale}, {samples.size / rate:.3g} s.")
        if folder:
            print(write_wav(folder / f"{name.lower().replace(' ', '_')}.wav", signal, HZ))
    axes[2].set_ylabel("sample of the sound file, full scale 1")
    axes[-1].set_xlabel("time, seconds")
    add_titles(fig, "", "Simulated.")
    fig.alt_text = "\n".join(["The samples of five sound files.", *lines])
    keep(fig, "sounds")


def main() -> None:
    """Draw, print and, if asked, sound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sounds", type=Path)
    args = parser.parse_args()
    draw_potentials()
    draw_events()
    draw_sounds(args.sounds)


if __name__ == "__main__":
    main()
