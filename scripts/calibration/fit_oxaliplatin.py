"""Find how far oxaliplatin slows sodium inactivation, from the clinic's test before and after it.

    python scripts/calibration/fit_oxaliplatin.py [--write]

Refractoriness of motor axons rose from 31.7 (SE 6.4) to 68.8 (14.5) % after one infusion in 18
patients. The time constant of gate h is moved until the model's, 2.5 ms after a discharge (the time
is recalled), rises as much, and by one standard error more and less. Nothing else of that study is
used: its strength-duration time constant is left to ask.
"""

from __future__ import annotations

import argparse
import re

from scipy.optimize import brentq

from neurosim.clinic.excitability import examine
from neurosim.model.axon.axon import AXONS, Conditions

RISE, ERROR = 68.8 - 31.7, (6.4**2 + 14.5**2) ** 0.5
PATH, NAME = "neurosim/model/body/parameters.toml", "oxaliplatin_inactivation_slowing"


def slowing(rise: float, axon: str) -> float:
    """Return by what share the time constant grows where refractoriness rises by `rise`."""

    def refractoriness(scale):
        examination = examine(Conditions(inactivation_tau_scale=scale), axon)
        return examination.measures["refractoriness_2_5_ms_percent"]

    start = refractoriness(1.0) + rise
    return float(brentq(lambda s: refractoriness(s) - start, 1.0, 1.75, xtol=1e-3)) - 1.0


def main() -> None:
    """Print what every axon needs and write that of the first."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    slowings = {
        axon: [slowing(rise, axon) for rise in (RISE - ERROR, RISE, RISE + ERROR)] for axon in AXONS
    }
    for axon, values in slowings.items():
        print(axon, *(f"{v:.3f}" for v in values))
    if options.write:
        low, value, high = slowings[AXONS[0]]
        with open(PATH, encoding="utf-8") as file:
            text = file.read()
        head = rf"(\[{NAME}\]\n)value = .*\nunit = \"1\"\nlow = .*\nhigh = .*\n"
        new = rf'\g<1>value = {value:.2f}\nunit = "1"\nlow = {low:.2f}\nhigh = {high:.2f}\n'
        with open(PATH, "w", encoding="utf-8") as file:
            file.write(re.sub(head, new, text))


if __name__ == "__main__":
    main()
