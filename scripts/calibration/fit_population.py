"""Fit the free parameters of the population on published rates of healthy people.

    python scripts/calibration/fit_population.py [--people 250] [--write]

Five parameters (tail of the ectopic (rogue) sites, their density in the foot sole and in ordinary
muscles, its spread between people, sodium load of a terminal) on the five facts of
`neurosim.validation.surveys`. It is not over-determined: meeting these facts is a fit, not a
prediction. The sodium load of one discharge is read off the axon alone: one minute of
maximal contraction (1620 discharges) raises its 1-ms threshold by 19.6 % (Vucic 2007).
About 3 minutes on one core.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from contextlib import ExitStack

import numpy as np
from scipy.optimize import brentq, minimize

from neurosim.base.parameters import load_group, override
from neurosim.model.axon import axon as ax
from neurosim.validation.surveys import Fact, survey_facts

NAMES = ("rogue_tail", "rogues_per_unit_foot_sole", "rogues_per_unit_ordinary",
         "rogue_person_spread", "load_factor")  # fmt: skip
LOWER = (0.1, 2.0, 0.0005, 0.1, 1.0)
UPPER = (0.4, 60.0, 0.2, 1.6, 10.0)
MVC_DISCHARGES, MVC_RISE = 1620.0, 1.196


def load_per_discharge(axon: str) -> float:
    """Return the sodium load of one discharge (mmol/L) from the rise after a contraction."""
    healthy = ax.healthy_threshold_pa(axon, 1.0)

    def excess_rise(sodium_mmol_l):
        loaded = ax.Conditions(sodium_in_mmol_l=9.0 + sodium_mmol_l)
        return float(ax.threshold_pa(ax.at_rest(loaded, axon), 1.0)[0]) / healthy - MVC_RISE

    return float(brentq(excess_rise, 0.2, 8.0, xtol=1e-3)) / MVC_DISCHARGES  # type: ignore[arg-type]


def facts_with(values: Mapping[str, float], people: int, axon: str) -> tuple[Fact, ...]:
    """Return the facts with other values of the fitted parameters."""
    with ExitStack() as stack:
        for name, value in values.items():
            stack.enter_context(override("firing", name, float(value)))
        return survey_facts(people, axon=axon)


def rewrite(path: str, values: Mapping[str, float]) -> None:
    """Replace the values of parameters in a TOML file, nothing else."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for name, value in values.items():
        text = re.sub(rf"(\[{name}\]\nvalue = )[\d.e-]+", rf"\g<1>{value:.4g}", text)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main() -> None:
    """Fit, print every fact, and write the parameters with --write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=250)
    parser.add_argument("--axon", default="ghk", choices=ax.AXONS)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    sodium = load_per_discharge(args.axon)
    low, high = np.log(LOWER), np.log(UPPER)

    def parameters_at(v):
        fitted = dict(zip(NAMES, np.exp(np.clip(v, low, high)), strict=True))
        return fitted | {"load_per_discharge_mmol_l": sodium}

    def cost(v):
        facts = facts_with(parameters_at(v), args.people, args.axon)
        miss = sum(((f.model - f.goal) / f.tolerance) ** 2 for f in facts)
        return miss + 10.0 * float(np.sum((v - np.clip(v, low, high)) ** 2))

    start = np.log([load_group("firing")[n].value for n in NAMES])
    best = minimize(
        cost, start, method="Nelder-Mead", options={"maxfev": 220, "xatol": 0.02, "fatol": 0.02}
    )
    values = parameters_at(best.x)
    print(f"cost {best.fun:.2f} after {best.nfev} evaluations")
    print(f"sodium load of a one-minute contraction {sodium * MVC_DISCHARGES:.3f} mmol/L")
    for name, value in values.items():
        print(f"  {name} = {value:.4g}")
    for f in facts_with(values, 4 * args.people, args.axon):
        print(f"  {f.name}: model {f.model:.3f}, published {f.low:g} to {f.high:g}")
    if args.write:
        rewrite("neurosim/model/firing/parameters.toml", values)
        load_mvc = {"fatigue_sodium_load_mmol_l": sodium * MVC_DISCHARGES}
        rewrite("neurosim/model/body/parameters.toml", load_mvc)


if __name__ == "__main__":
    main()
