"""Draw the prone eyelid of docs/eyelid.md: episodes over hours, one episode, and its intervals.

    python scripts/draw_lid.py [--hours 8]

Writes docs/figures/eyelid.png and prints the words that stand for it; a minute with Numba.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.soma import facial
from neurosim.simulation.lid import prone_conditions
from neurosim.simulation.scenario import load_scenario
from neurosim.view.style import BAND, BLUE, VERMILION, add_titles, house_style, new_figure

FIGURE = Path(__file__).parent.parent / "docs" / "figures" / "eyelid.png"
STATES = {"normal": "health", "sleep_loss": "a night without sleep", "stress": "stress"}
PUBLISHED_MS = (1000.0 / 8.0, 1000.0 / 3.0)  # 3 to 8 Hz, Banik & Miller 2004


def watch(hours: float) -> dict[str, np.ndarray]:
    """Return the discharges of a prone lid in each state without those of blinks, s."""
    tone = parameter("facial", "prone_tone_mv")
    runs: dict[str, np.ndarray] = {}
    for i, name in enumerate(STATES):
        lid = facial.Lids([prone_conditions(load_scenario(name).body)], tone)
        seed = np.random.SeedSequence([79, i])
        runs[name] = facial.spontaneous(facial.run_unit(lid, 3600.0 * hours, seed=seed))
    return runs


@house_style
def draw(hours: float) -> None:
    """Draw, write and print."""
    runs = watch(hours)
    fig = new_figure(13.0, 6.4)
    grid = fig.add_gridspec(2, 2)
    above = fig.add_subplot(grid[0, :])
    lines: list[str] = []
    for row, (name, t) in enumerate(runs.items()):
        episode = facial.number_episodes(t)
        starts = np.array([t[episode == i][0] for i in range(episode.max(initial=-1) + 1)])
        above.vlines(
            starts / 3600.0, row - 0.35, row + 0.35, color=VERMILION if row else BLUE, lw=0.7
        )
        lines.append(f"{STATES[name]}: {starts.size} episodes in {hours:g} hours")
    above.set(title="Episodes of a prone lid, each a line where it begins", xlabel="time, hours")
    above.set(yticks=range(3), xlim=(0.0, hours), ylim=(2.6, -0.6))
    above.set_yticklabels([line.replace(": ", "\n").split(" in ")[0] for line in lines])
    t = runs["normal"]
    episode = facial.number_episodes(t)
    one = t[episode == 1]
    gap = np.diff(t)
    gaps = 1000.0 * gap[(np.diff(episode) == 0) & (episode[1:] >= 0)
                        & (facial.since_blink_s(t[1:]) > gap)]  # fmt: skip
    left, right = fig.add_subplot(grid[1, 0]), fig.add_subplot(grid[1, 1])
    left.vlines(one - one[0], 0.0, 1.0, color=BLUE, lw=0.8)
    left.set(title=f"One episode in health: {one.size} discharges", yticks=[])
    left.set(xlabel="time, seconds (those of blinks are left out)")
    right.axvspan(*PUBLISHED_MS, color=BAND, lw=0)
    right.hist(gaps, np.arange(0.0, 601.0, 20.0), histtype="step", color=BLUE, lw=1.8)
    right.set(title="Intervals; grey: the published 3 to 8 Hz")
    right.set(xlabel="interval, ms", ylabel="count", xlim=(0.0, 600.0))
    inside = np.mean((gaps > PUBLISHED_MS[0]) & (gaps < PUBLISHED_MS[1]))
    lines.append(f"{100 * inside:.0f} % of intervals in health lie at 3 to 8 Hz")
    add_titles(fig, "", "A hypothesis, simulated; fitted to the published rate.")
    fig.alt_text = f"A prone eyelid. {'; '.join(lines)}."
    fig.savefig(FIGURE, dpi=80)
    print(fig.alt_text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    draw(parser.parse_args().hours)
