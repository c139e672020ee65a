"""Watch blinking lids for a thousand hours, and the lid's motor neuron against its law of onset.

    python scripts/verification/lid_hours.py [--hours 1000] [--tone healthy|prone] [--part 0/2]
    python scripts/verification/lid_hours.py --causes [--hours 5]

`--tone healthy` runs the motor neuron of the average lid of the population that is assumed
(`tone_mean_mv`), which blinks 15 times a minute: no episode may begin. Any number is a tone, mV.
About 1.5 s of one core for an hour with Numba; `--part 1/2` does the second half of the hours.
With `--causes` prone lids are run under each everyday cause, strong and mild, and the factor on
their episodes per hour of silence stands beside that of the law (`lid.onset_factors`).
"""

from __future__ import annotations

import argparse

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.soma import facial
from neurosim.model.soma.soma import SomaConditions
from neurosim.simulation import lid as lids
from neurosim.simulation.scenario import load_scenario

HOURS_AT_ONCE = 10


def watch(hours, tone_mv, first=0, report=None):
    """Return (episodes, lone discharges) of lids watched ten hours each, seeds from `first`."""
    episodes = lone = 0
    lid = facial.Lids([SomaConditions()], tone_mv)
    for i in range(first, first + max(1, round(hours / HOURS_AT_ONCE))):
        seconds = 3600.0 * min(hours, HOURS_AT_ONCE)
        run = facial.run_unit(lid, seconds, seed=np.random.SeedSequence([77, i]))
        p = facial.measure_pattern(run, seconds)
        episodes, lone = episodes + p.episodes, lone + p.lone
        if report:
            report(i + 1 - first, episodes, lone)
    return episodes, lone


def compare_causes(hours):
    """Print the factor of each everyday cause by direct runs and by the law."""
    tone_mv, by_name = parameter("facial", "prone_tone_mv"), {"nothing": load_scenario("normal")}
    for mild in ("", "_mild"):
        by_name |= {name + mild: load_scenario(name + mild) for name in lids.CLAIMED}
    law = {"nothing": 1.0} | lids.onset_factors()
    law |= {f"{name}_mild": x for name, x in lids.onset_factors(mild=True).items()}
    per_h = {}
    for i, (name, scenario) in enumerate(by_name.items()):
        lid = facial.Lids([lids.prone_conditions(scenario.body)], tone_mv)
        run = facial.run_unit(lid, 3600.0 * hours, seed=np.random.SeedSequence([78, i]))
        p = facial.measure_pattern(run, 3600.0 * hours)
        per_h[name] = p.per_h
        print(
            f"{name}: {p.episodes} episodes, {p.per_h:.3g} an hour, {p.duration_s[1]:.3g} s, on "
            f"{p.share_on:.0%} of the time; factor {p.per_h / per_h['nothing']:.2f}, "
            f"the law {law[name]:.2f}",
            flush=True,
        )


def main():
    """Print episodes and lone discharges, and what the law expects."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1000.0)
    parser.add_argument("--tone", default="healthy")
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--causes", action="store_true")
    options = parser.parse_args()
    if options.causes:
        compare_causes(min(options.hours, 5.0))
        return
    names = {"healthy": "tone_mean_mv", "prone": "prone_tone_mv"}
    tone = options.tone
    tone_mv = parameter("facial", names[tone]) if tone in names else float(tone)
    part, parts = (int(x) for x in options.part.split("/"))
    hours = options.hours / parts
    episodes, lone = watch(
        hours,
        tone_mv,
        first=part * 100_000,
        report=lambda n, e, s: print(f"{n * HOURS_AT_ONCE} h: {e}, {s}", flush=True),
    )
    law = hours * float(facial.onset_per_h(SomaConditions(), tone_mv))
    print(
        f"{hours:g} hours at a tone of {tone_mv:g} mV: {episodes} episodes (the law: {law:.3g}), "
        f"{lone} lone discharges beside blinks"
    )


if __name__ == "__main__":
    main()
