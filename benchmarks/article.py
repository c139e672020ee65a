"""Where the time of ``neurosim article`` goes: compiled loops against the rest, by stage and group.

Every function of `GROUPS` is wrapped by a clock of processor time that leaves out what the wrapped
functions under it take, so that the groups add up. One process, few people; runs in half a
minute as ``python benchmarks/article.py`` (``python benchmarks/article.py 12`` for more people).
"""

import os
import sys
import time
from collections import defaultdict
from functools import cache, wraps
from importlib import import_module

os.environ["NEUROSIM_CACHE"] = "0"  # what is timed is computed

from neurosim.article import alarms, diary, trial
from neurosim.base import backends
from neurosim.simulation import robustness
from neurosim.simulation.long_run import person_rates
from neurosim.simulation.scenario import load_scenario

KERNEL = "compiled loops"
GROUPS = {
    KERNEL: (),
    "rest of the axon": ("model.axon.axon:at_rest", "model.axon.people:axon_of_person"),
    "course of noise, action": ("model.firing.escape:noise_course escape_action",),
    "tables": (
        "model.firing.hazard:hazard_table prefetch_tables critical_multiplier "
        "conduction_probability",
    ),
    "sites": ("simulation.simulate:person_sites healthy_sites sites_in_state",),
    "hazards of the sites": ("model.firing.hazard:hazard_course rested_hazard",),
    "loads in balance": ("model.firing.discharge:balance_many expected_bursts_per_min",),
    "bodies and their states": (
        "simulation.state:state_from_contributions",
        "model.body.contributions:contributions",
    ),
    "sampling": ("model.firing.discharge:sample_firing",),
    "disease beside the law": ("simulation.simulate:state_other_sources",),
    "twitches": ("model.muscle.events:find_twitches",),
}
REST = "all else"
_under: list[float] = []  # time of the wrapped functions under each one that runs
_spent: dict[str, float] = defaultdict(float)


def clocked(function, group: str):
    """Return a function that adds its own processor time to a group."""

    @wraps(function)
    def timed(*args, **options):
        start = time.process_time()
        _under.append(0.0)
        try:
            return function(*args, **options)
        finally:
            elapsed = time.process_time() - start
            _spent[group] += elapsed - _under.pop()
            if _under:
                _under[-1] += elapsed

    return timed


def wrap(function, group: str) -> None:
    """Put a clock around a function wherever the package has a name for it."""
    timed = clocked(function, group)
    for module in [m for name, m in sys.modules.items() if name.startswith("neurosim")]:
        for name, value in list(vars(module).items()):
            if value is function:
                setattr(module, name, timed)


def wrap_all() -> None:
    """Put clocks around the functions of every group and around the loops."""
    for group, places in GROUPS.items():
        for place in places:
            home, names = place.split(":")
            module = import_module(f"neurosim.{home}")
            for name in names.split():
                wrap(getattr(module, name), group)
    loop = backends.loop
    timed = cache(lambda name: loop(name) and clocked(loop(name), KERNEL))
    backends.loop = timed


def stage(words: str, work) -> dict[str, float]:
    """Run a stage and return the processor time of every group, s."""
    _spent.clear()
    start = time.process_time()
    work()
    elapsed = time.process_time() - start
    return {**_spent, REST: elapsed - sum(_spent.values())}


def main() -> None:
    """Print the table."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    base = load_scenario("normal").replace(seed=1)
    causes, others = trial._all_scenarios(base)
    scenarios = tuple({**causes, **others}.values())
    questions = [robustness.Question(s, base, 0.0) for n, s in causes.items() if n != "normal"][:8]
    wrap_all()
    person_rates(scenarios, people)  # what is compiled or read is paid once
    alarms._run_diary(("als", diary.EVERYBODY, 8, 1))
    robustness.PEOPLE = 2
    stages = {
        f"{people} people, {len(scenarios)} states": stage(
            "rates", lambda: [person_rates(scenarios, p) for p in range(people)]
        ),
        f"{people} diaries": stage(
            "diaries",
            lambda: [
                alarms.simulate_diary("als", diary.EVERYBODY + p, 26, 1) for p in range(people)
            ],
        ),
        f"what {len(questions)} verdicts lean on": stage(
            "lean", lambda: robustness.assess_robustness(questions)
        ),
    }
    groups = [*GROUPS, REST]
    print(f"{'processor time, s':<26}" + "".join(f"{name:>26}" for name in stages))
    for group in groups:
        print(
            f"{group:<26}" + "".join(f"{each.get(group, 0.0):>26.2f}" for each in stages.values())
        )
    totals = {name: sum(each.values()) for name, each in stages.items()}
    print(f"{'together':<26}" + "".join(f"{t:>26.2f}" for t in totals.values()))
    share = [100.0 * (1.0 - each[KERNEL] / totals[name]) for name, each in stages.items()]
    print(f"{'outside the loops, %':<26}" + "".join(f"{s:>26.0f}" for s in share))


if __name__ == "__main__":
    main()
