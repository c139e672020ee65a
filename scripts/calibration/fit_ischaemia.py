"""Fit how fast potassium gathers around an axon without blood flow.

    python scripts/calibration/fit_ischaemia.py

One number, `potassium_space_ratio` of model/axon/parameters.toml: the rise of potassium outside
for each mmol/L of sodium gained inside. It is set so that conduction is lost after the 46
minutes in which five people lost the muscle's response (Hofmeijer 2013), on average of the two
axons with slow sodium inactivation. The time course before that, and everything after release,
are predictions.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from neurosim.base.parameters import override
from neurosim.model.axon.activity import AxonHistory, ion_course
from neurosim.model.firing.hazard import conduction_probability

AXONS = ("ghk", "ohmic")  # those with slow sodium inactivation
LOST_MIN, LOST_SD_MIN = 46.0, 6.0
TIMES_MIN = np.arange(4.0, 121.0, 2.0)


def block_min(ratio: float, axon: str) -> float:
    """Return after how many minutes a discharge travels no longer (probability 0.5)."""
    with override("membrane", "potassium_space_ratio", ratio):
        states = ion_course(AxonHistory(ischaemia_min=120.0), None, axon, TIMES_MIN).conditions()
        travels = np.array([conduction_probability(c, axon) for c in states])
    return float(np.interp(-0.5, -np.minimum.accumulate(travels), TIMES_MIN))


def main() -> None:
    """Fit and print."""
    ratio = brentq(
        lambda r: np.mean([block_min(r, a) for a in AXONS]) - LOST_MIN, 0.04, 0.3, xtol=1e-4
    )
    print(f"potassium_space_ratio = {ratio:.4f}")
    for axon in AXONS:
        low, high = (
            brentq(lambda r, t=t, a=axon: block_min(r, a) - t, 0.03, 0.5, xtol=1e-3)
            for t in (LOST_MIN + 2 * LOST_SD_MIN, LOST_MIN - 2 * LOST_SD_MIN)
        )
        print(
            f"{axon}: block after {block_min(ratio, axon):.1f} min; 34 to 58 min for ratios "
            f"{low:.3f} to {high:.3f}"
        )


if __name__ == "__main__":
    main()
