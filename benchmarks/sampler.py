"""Time the sampler of discharges: event-driven against clock-driven, compiled against plain.

Prints unit-seconds (motor units x simulated seconds) per second of processor time at several
rates, and the ratios between the ways, which matter more than the numbers: they were all
taken in one run on one machine. Takes about 20 seconds; run as ``python benchmarks/sampler.py``.
"""

import os
import time

import numpy as np

from neurosim.firing import discharge
from neurosim.firing.discharge import UnitHazard, clock_driven, sample_firing

UNITS = 100
RATES_PER_MIN = (0.01, 1.0, 10.0, 60.0)  # of one unit
SAMPLE_S = 0.4  # processor time to spend on each number


def hazard(per_min: float) -> UnitHazard:
    """Return a muscle whose every unit has three sites and `per_min` bursts in all."""
    load = np.array([0.0, 0.7, 1.5, 2.5, 4.0, 6.0])
    rows = np.tile(per_min / 3.0 * np.exp(-load / 2.0), (3 * UNITS, 1))
    unit = np.repeat(np.arange(UNITS), 3)
    return UnitHazard(
        load_mmol_l=load, bursts_per_min=rows, unit=unit, origin=np.ones(unit.size, np.int64),
        pair=np.full(unit.size, 0.1), units=UNITS, load_per_spike_mmol_l=0.01, load_tau_s=120.0,
        ceiling_per_min=400.0,
    )  # fmt: skip


def unit_seconds(draw, per_min: float, first_s: float) -> float:
    """Return unit-seconds simulated per second of processor time, the best of three."""
    given = hazard(per_min)
    draw(given, first_s, np.random.default_rng(0))  # compile, fill caches
    duration, spent = first_s, 0.0
    while spent < SAMPLE_S / 3 and duration < 1e8:
        start = time.process_time()
        draw(given, duration, np.random.default_rng(1))
        spent = time.process_time() - start
        duration *= 4 if spent < SAMPLE_S / 3 else 1
    best = spent
    for _ in range(2):
        start = time.process_time()
        draw(given, duration, np.random.default_rng(1))
        best = min(best, time.process_time() - start)
    return UNITS * duration / best


def event_driven(numba: bool):
    """Return the event-driven sampler with Numba switched on or off."""

    def draw(given, duration_s, rng):
        before = os.environ.get("NEUROSIM_NUMBA")
        os.environ["NEUROSIM_NUMBA"] = "1" if numba else "0"
        discharge._sampler.cache_clear()
        try:
            return sample_firing(given, duration_s, rng)
        finally:
            discharge._sampler.cache_clear()
            if before is None:
                del os.environ["NEUROSIM_NUMBA"]
            else:
                os.environ["NEUROSIM_NUMBA"] = before

    return draw


def main() -> None:
    """Print the table."""
    print(f"{UNITS} motor units; unit-seconds simulated per second of processor time")
    print(f"{'bursts/min':>10}  {'clock, 1 ms':>12}  {'event, plain':>12}  {'event, Numba':>12}"
          f"  {'plain/clock':>11}  {'Numba/plain':>11}")  # fmt: skip
    for per_min in RATES_PER_MIN:
        clock = unit_seconds(clock_driven, per_min, 0.2)
        plain = unit_seconds(event_driven(False), per_min, 10.0)
        fast = unit_seconds(event_driven(True), per_min, 10.0)
        print(f"{per_min:>10g}  {clock:>12.3g}  {plain:>12.3g}  {fast:>12.3g}"
              f"  {plain / clock:>11.3g}  {fast / plain:>11.3g}")  # fmt: skip


if __name__ == "__main__":
    main()
