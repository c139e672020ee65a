"""Write down, or compare, the numbers that must not move when the package is rebuilt.

    python scripts/verification/golden.py write golden.json [--only NAME ...]
    python scripts/verification/golden.py check golden.json [--only NAME ...]

A part is a scenario (of `PEOPLE`), ``article`` (every verdict, as `neurosim article` asks) or
``validate`` (every target). Numbers are kept to the last bit: arrays by a hash of their bytes,
floats in hexadecimal. Words are left out, since they may change. The cache on disk is off.
"""

import argparse
import json
import os
import sys
from collections import Counter
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import numpy as np

# All that is taken from the package. `RENAMED` leads from names of fields (of Firing, Twitches and
# Verdict) that have changed since to those in the file.
import neurosim
from neurosim.article.trial import article
from neurosim.base.disk_cache import cache_folder
from neurosim.simulation.simulate import simulate
from neurosim.validation.validate import validation_rows

RENAMED: dict[str, str] = {}
CACHE_SWITCH = "NEUROSIM_CACHE"
SCENARIOS = (
    *("normal", "low_calcium", "high_potassium", "magnesium_depletion", "over_breathing"),
    *("caffeine", "stress", "pinched_nerve", "als", "isaacs", "cramp", "a_day"),
)
PEOPLE, SEED, ARTICLE_PEOPLE = (0, 1, 2), 1, 200
CORES = os.cpu_count() or 1  # no number depends on it
Facts = dict[str, str]


def exact(value: object) -> str | None:
    """Return a value to the last bit, an array as kind, shape and hash; None if it is words."""
    if isinstance(value, np.ndarray):
        text = value.dtype.kind == "U"  # as wide as its longest word, which is no fact
        data = json.dumps(value.tolist()).encode() if text else value.tobytes()
        kind = "text" if text else value.dtype.str
        return f"{kind}{list(value.shape)} {sha256(data).hexdigest()}"
    if isinstance(value, float):
        return float(value).hex()
    return str(value) if isinstance(value, int | np.integer) else None


def fields(thing: object, prefix: str) -> Facts:
    """Return every field of a thing that is a number or an array."""
    values = {f"{prefix}{RENAMED.get(name, name)}": exact(v) for name, v in vars(thing).items()}
    return {name: value for name, value in values.items() if value is not None}


def of_scenario(name: str) -> Facts:
    """Return all discharges and twitches of some people under a scenario."""
    facts: Facts = {}
    for person in PEOPLE:
        result = simulate(name, person=person, seed=SEED)
        facts[f"{person} muscle"] = result.scenario.muscle
        facts[f"{person} discharges"] = str(len(result.firing))
        facts[f"{person} twitches"] = str(len(result.twitches))
        facts |= fields(result.firing, f"{person} firing.")
        facts |= fields(result.twitches, f"{person} twitches.")
    return facts


def of_article() -> Facts:
    """Return every verdict with its ratios, everybody's rates, and who shows which alarm."""
    done = article(people=ARTICLE_PEOPLE, seed=SEED, cores=CORES)
    facts: Facts = {}
    for v in done.verdicts:
        facts |= {f"{v.number} outcome": v.outcome, **fields(v, f"{v.number} ")}
        facts |= {f"{v.number} axon {name}": x.hex() for name, x in v.axon_ratios.items()}
    arrays = {"remedies": done.matrix.log_ratio}
    arrays |= {f"rates {name}": rates for name, rates in done.rates.items()}
    arrays |= {f"alarm {name}": np.array(who) for name, who in done.alarms.signs_shown.items()}
    return facts | {name: str(exact(array)) for name, array in arrays.items()}


def of_validate() -> Facts:
    """Return how many targets are hit and missed, and of each the model's value and the range."""
    rows, seen = validation_rows(), Counter()
    hits = sum(row.inside for row in rows)
    facts = {"hits": str(hits), "misses": str(len(rows) - hits), "total": str(len(rows))}
    for row in rows:
        seen[row.target] += 1
        values = [float(x).hex() for x in (row.model, row.published_low, row.published_high)]
        facts[f"{row.target}.{seen[row.target]}"] = " ".join([*values, str(row.inside)])
    return facts


PARTS = {name: partial(of_scenario, name) for name in SCENARIOS}
PARTS |= {"article": of_article, "validate": of_validate}


def compute(part: str) -> Facts:
    """Return the facts of a part, and tell how long it took."""
    begun, facts = perf_counter(), PARTS[part]()
    print(f"{part}: {len(facts)} facts, {perf_counter() - begun:.1f} s", file=sys.stderr)
    return facts


def check(kept: dict[str, Facts], parts: list[str]) -> int:
    """Print a line for each fact that is otherwise, gone or new; return 1 if there is any."""
    total = wrong = 0
    for part in parts:
        then, now = kept[part], compute(part)
        for name in then | now:
            before, after = (facts.get(name, "not there") for facts in (then, now))
            total, wrong = total + 1, wrong + (before != after)
            if before != after:
                print(f"{part}: {name}: {before} -> {after}", flush=True)
    print(f"{wrong} of {total} facts differ." if wrong else f"All {total} facts are the same.")
    return int(wrong > 0)


def main() -> int:
    """Write, or check and return 1 if anything differs."""
    parser = argparse.ArgumentParser(description="What must not move when the package is rebuilt.")
    parser.add_argument("what", choices=("write", "check"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="NAME")
    asked = parser.parse_args()
    os.environ[CACHE_SWITCH] = "0"  # for the processes that it starts, too
    if cache_folder() is not None:
        parser.error(f"{CACHE_SWITCH}=0 does not turn the cache on disk off.")
    print(f"numbers of {neurosim.__file__}", file=sys.stderr)
    if asked.what == "write":
        text = json.dumps({part: compute(part) for part in asked.only}, indent=1)
        asked.file.write_text(f"{text}\n", "utf-8")
        return 0
    kept = json.loads(asked.file.read_text("utf-8"))
    if absent := [name for name in asked.only if name not in kept]:
        parser.error(f"{asked.file} does not hold {', '.join(absent)}.")
    return check(kept, asked.only)


if __name__ == "__main__":
    sys.exit(main())
