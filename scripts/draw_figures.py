"""Draw the figures of README and docs again.

    python scripts/draw_figures.py [--people 200] [--only PART]

Writes docs/figures/*.png, by parts: `excitability`, the clinic's test in health and in named
conditions; `scenarios`, the pictures of some scripts of scenarios/; `day`, one person's day;
`pair`, health above low calcium; `article`, verdicts and remedies (some minutes).
`draw_emg.py`, `draw_sensitivity.py` and the fits draw their own.
`hazard_law.png` is drawn by fit_hazard.py. `neurosim excitability --condition NAME --out DIR`
draws the same picture of any other state.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import neurosim as ns
from neurosim.article.plot import picture_remedies, picture_verdicts
from neurosim.clinic.excitability import examine
from neurosim.clinic.norms import norms
from neurosim.model.axon.axon import Conditions
from neurosim.model.axon.changes import condition, named_condition
from neurosim.view.excitability_figures import picture_excitability
from neurosim.view.figures import picture_pair

FOLDER = Path("docs/figures")
SCENARIOS = ("firing_trace", "terminal_chain", "when_to_worry")
EXAMINED = (
    "hypokalaemia", "hyperkalaemia", "hypocalcaemia", "persistent_sodium_twice",
    "fast_potassium_lost", "ischaemia", "ischaemia_released",
)  # fmt: skip


def draw_excitability() -> None:
    """Draw the four classic plots of health and of each of `EXAMINED` over the norm band."""
    health, table = examine(Conditions()), norms()
    states = {"health": (health, "health")}
    states |= {name: (examine(condition(name)), named_condition(name).title) for name in EXAMINED}
    for name, (examination, title) in states.items():
        figure = picture_excitability(examination, health, table, title)
        figure.savefig(FOLDER / f"excitability_{name}.png", dpi=65)


def draw_scenarios() -> None:
    """Run the scenarios whose pictures the docs show, and keep these."""
    for name in SCENARIOS:
        script = Path("scenarios") / f"{name}.py"
        subprocess.run([sys.executable, script], check=True)
        shutil.copy(Path("neurosim-out") / f"{name}.png", FOLDER)


def draw_day() -> None:
    """Draw one person's day on its clock."""
    figure = ns.simulate("a_day").plot()
    figure.savefig(FOLDER / "a_day.png", dpi=75)


def draw_pair() -> None:
    """Draw one person in health and with low calcium."""
    healthy, low = (ns.simulate(n) for n in ("normal", "low_calcium"))
    picture_pair(healthy, low).savefig(FOLDER / "health_and_low_calcium.png", dpi=110)


def draw_article(people: int) -> None:
    """Put the article's claims to many people, and draw verdicts and remedies."""
    article = ns.article(people=people, cores=os.cpu_count() or 1)
    picture_verdicts(article).savefig(FOLDER / "verdicts.png", dpi=80)
    picture_remedies(article.matrix).savefig(FOLDER / "remedies.png", dpi=80)


def main() -> None:
    """Draw and write every figure, or those of one part."""
    parts = {
        "excitability": draw_excitability,
        "scenarios": draw_scenarios,
        "day": draw_day,
        "pair": draw_pair,
        "article": lambda: draw_article(args.people),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--only", choices=parts)
    args = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in parts.items():
        if args.only in (None, name):
            draw()


if __name__ == "__main__":
    main()
