"""Fit the free numbers of the ectopic (rogue) sites on published rates of healthy people and ALS.

    python scripts/calibration/fit_population.py [--people 1500] [--axon ghk] [--write]
    python scripts/calibration/fit_population.py --shares [--write]
    python scripts/calibration/fit_population.py --profile [--write]

Eight numbers (tails of channel and of event sites, their density in the foot sole and in ordinary
muscles, the spreads between people of both, the sodium load of a terminal, the readiness of
sprouts) on six facts: the five of `neurosim.validation.surveys` by their likelihood (50 of 50
people, 0 of 100 shins, 8 of 70 people; 0.06 +- 0.04 busy feet; the most muscles 6 +- 2) and the
median rate of the upper arm in ALS (ln 40.5 +- 0.6). What the facts leave open is held by weak
priors (`PRIOR`), and told so. People have their own axons. `event_share` and `event_rate_per_s`
are assumed; `--shares` fits the others again at both ends of the range of the share, over which
verdicts are tried; `--profile` at several values of each number, and prints the cost.

What a discharge leaves is fitted apart (`fit_sodium.py`). The sodium at which the 1-ms threshold
stands 19.6 % higher, as after a minute of maximal contraction (Vucic 2007), is read off the axon
alone; `--write` writes it to the body. A fit takes about 4 minutes on
one core, the profile an hour.
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
from neurosim.model.body.state import Body
from neurosim.simulation.replicate import replicate
from neurosim.simulation.scenario import Scenario
from neurosim.validation.surveys import survey_facts

# name: (lowest, highest, first step in ln)
NUMBERS = {
    "rogue_tail": (0.08, 0.45, 0.15),
    "rogues_per_unit_foot_sole": (1.0, 80.0, 0.4),
    "rogues_per_unit_ordinary": (1e-5, 1.0, 0.5),
    "rogue_person_spread_foot_sole": (0.1, 2.0, 0.3),
    "rogue_person_spread_ordinary": (0.3, 4.0, 0.2),
    "load_factor": (1.6, 16.0, 0.4),
    "sprout_readiness": (0.5, 10.0, 0.4),
    "event_size": (0.02, 2.0, 0.4),
}
# Weak priors: middle, and standard deviation of ln.
PRIOR = {"rogue_tail": (0.17, 0.3), "load_factor": (6.3, 0.5), "sprout_readiness": (1.0, 1.0),
         "event_size": (0.2, 1.0)}  # fmt: skip
PROFILE = {
    "event_share": (0.0, 0.3, 0.5, 0.7, 0.9, 1.0),
    "event_rate_per_s": (0.3, 1.0, 3.0, 10.0, 30.0),
    "event_width_ms": (1.0, 5.0),
    "event_size": (0.035, 0.05, 0.064, 0.08, 0.11),
    "rogue_tail": (0.11, 0.15, 0.177, 0.21),
    "rogue_person_spread_ordinary": (0.6, 1.5, 2.2, 3.0),
    "rogue_person_spread_foot_sole": (0.2, 0.5, 0.85, 1.2),
    "load_factor": (2.7, 4.8, 6.7, 12.7),
    "sprout_readiness": (1.0, 1.3, 1.8, 2.3),
}
ALS_MEDIAN, ALS_PEOPLE = 40.5, 80
MVC_RISE = 1.196


def contraction_load(axon: str) -> float:
    """Return the sodium load (mmol/L) that raises the threshold as a contraction does."""
    healthy = ax.healthy_threshold_pa(axon, 1.0)

    def excess_rise(sodium_mmol_l):
        loaded = ax.Conditions(sodium_in_mmol_l=9.0 + sodium_mmol_l)
        return float(ax.threshold_pa(ax.at_rest(loaded, axon), 1.0)[0]) / healthy - MVC_RISE

    return float(brentq(excess_rise, 0.2, 8.0, xtol=1e-3))  # type: ignore[arg-type]


def als_median(axon: str, people: int = ALS_PEOPLE) -> float:
    """Return the median long-run rate of upper arms with ALS, twitches per minute."""
    ill = Scenario(name="als", body=Body(als=1.0), axon=axon)
    rates = replicate(ill, people, muscle="upper_arm", duration_s=1.0).expected_per_min
    return float(np.median(rates))


def facts_with(values: Mapping[str, float], people: int, axon: str) -> dict[str, float]:
    """Return the model's values of the facts with other numbers."""
    with ExitStack() as stack:
        for name, value in values.items():
            stack.enter_context(override("firing", name, float(value)))
        facts = {fact.name: fact.model for fact in survey_facts(people, axon=axon)}
        return facts | {"median upper arm in ALS": als_median(axon)}


def cost(facts: Mapping[str, float]) -> float:
    """Return -2 ln likelihood of the facts against that of the best possible model."""
    active, busy, shin, twitch, most, als = facts.values()
    seen, share = np.clip(twitch, 1e-4, 0.9999), 8 / 70
    people = 8 * np.log(seen / share) + 62 * np.log((1 - seen) / (1 - share))
    surveys = -100 * np.log(active) - 200 * np.log(1 - shin) - 2 * people
    clustering = ((busy - 0.06) / 0.04) ** 2 + ((most - 6) / 2) ** 2
    return float(surveys + clustering + (np.log(als / ALS_MEDIAN) / 0.6) ** 2)


def prior_cost(values: Mapping[str, float]) -> float:
    """Return -2 ln of the priors of some numbers."""
    return sum(
        (np.log(values[name] / middle) / spread) ** 2
        for name, (middle, spread) in PRIOR.items()
        if name in values
    )


def fit(
    fixed: Mapping[str, float], people: int, axon: str, evaluations: int = 260
) -> tuple[dict[str, float], float]:
    """Return the numbers that meet the facts best, and the cost of the facts, others fixed."""
    free = [
        name
        for name in NUMBERS
        if name not in fixed and not (name == "event_size" and fixed.get("event_share") == 0.0)
    ]
    low, high, step = np.array([NUMBERS[name] for name in free]).T

    def values_at(v):
        within = np.exp(np.clip(v, np.log(low), np.log(high)))
        return {**dict(zip(free, map(float, within), strict=True)), **fixed}

    def objective(v):
        values, beyond = values_at(v), v - np.clip(v, np.log(low), np.log(high))
        return cost(facts_with(values, people, axon)) + prior_cost(values) + 10 * (beyond @ beyond)

    start = np.log([load_group("firing")[name].value for name in free])
    for sign in (1.0, -0.6):  # a second, turned simplex from where the first ended
        simplex = np.vstack([start, start + sign * np.diag(step)])
        options = {"maxfev": evaluations, "xatol": 0.02, "fatol": 0.02, "initial_simplex": simplex}
        start = minimize(objective, start, method="Nelder-Mead", options=options).x
    values = values_at(start)
    return values, cost(facts_with(values, people, axon))


def profile(people: int, axon: str) -> list[str]:
    """Return a table of the cost with each number fixed at several values, the others refitted."""
    lines = ["number,value,cost," + ",".join(NUMBERS)]
    for name, grid in PROFILE.items():
        for value in grid:
            values, miss = fit({name: value}, people, axon, evaluations=110)
            row = [f"{values.get(n, load_group('firing')[n].value):.4g}" for n in NUMBERS]
            lines.append(f"{name},{value:g},{miss:.2f}," + ",".join(row))
            print(lines[-1], flush=True)
    return lines


def fit_shares(people: int, axon: str) -> list[str]:
    """Return a table of the numbers fitted again at both ends of the range of `event_share`."""
    share = load_group("firing")["event_share"]
    lines = ["event_share," + ",".join(NUMBERS)]
    for value in (share.low, share.high):
        values, miss = fit({"event_share": value}, people, axon)
        lines.append(f"{value:g}," + ",".join(f"{values[name]:.4g}" for name in NUMBERS))
        print(f"cost {miss:.2f} with {lines[-1]}", flush=True)
    return lines


def write_lines(path: str, lines: list[str]) -> None:
    """Write a table."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


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
    parser.add_argument("--people", type=int, default=1500)
    parser.add_argument("--axon", default="ghk", choices=ax.AXONS)
    parser.add_argument("--shares", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    if args.profile:
        lines = profile(args.people, args.axon)
        if args.write:
            write_lines("docs/population_profile.csv", lines)
        return
    if args.shares:
        lines = fit_shares(args.people, args.axon)
        if args.write:
            write_lines("neurosim/model/firing/event_shares.csv", lines)
        return
    sodium = contraction_load(args.axon)
    values, miss = fit({}, args.people, args.axon)
    print(f"cost {miss:.2f}")
    print(f"sodium load of a one-minute contraction {sodium:.3f} mmol/L")
    for name, value in values.items():
        print(f"  {name} = {value:.4g}")
    for name, model in facts_with(values, 2 * args.people, args.axon).items():
        print(f"  {name}: model {model:.3f}")
    if args.write:
        rewrite("neurosim/model/firing/parameters.toml", values)
        load_mvc = {"fatigue_sodium_load_mmol_l": sodium}
        rewrite("neurosim/model/body/parameters.toml", load_mvc)


if __name__ == "__main__":
    main()
