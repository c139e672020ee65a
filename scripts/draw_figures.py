"""Draw the figures of README and docs again.

    python scripts/draw_figures.py [--people 200]

Writes docs/figures/*.png: health above low calcium, the verdicts, the clinic's test in three
states. About 2 minutes. `hazard_law.png` is drawn by fit_hazard.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import neurosim as ns
from neurosim.membrane.axon import Conditions
from neurosim.membrane.excitability import examine, norms
from neurosim.show.plot import plot_excitability, plot_pair, plot_verdicts
from neurosim.study.compare import article

FOLDER = Path("docs/figures")
STATES = {
    "potassium_6": Conditions(potassium_out_mmol_l=6.0),
    "potassium_2_8": Conditions(potassium_out_mmol_l=2.8),
    "calcium_0_8": Conditions(calcium_out_mmol_l=0.8),
}


def main() -> None:
    """Draw and write every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    people = parser.parse_args().people
    FOLDER.mkdir(parents=True, exist_ok=True)
    healthy, low = (ns.simulate(n, person=0, seed=1) for n in ("normal", "low_calcium"))
    plot_pair(healthy, low).savefig(FOLDER / "health_and_low_calcium.png", dpi=110)
    reference, table = examine(Conditions()), norms()
    for name, conditions in STATES.items():
        figure = plot_excitability(
            examine(conditions), reference, table, title=name.replace("_", " ")
        )
        figure.savefig(FOLDER / f"excitability_{name}.png", dpi=90)
    plot_verdicts(article(people)).savefig(FOLDER / "verdicts.png", dpi=90)


if __name__ == "__main__":
    main()
