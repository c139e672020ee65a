"""Time the axon: one step compiled and in NumPy, a hazard table, the clinic's test.

Prints nanoseconds of processor time per axon and step for batches of several sizes, and the
ratio, taken in one run on one machine. Takes about 20 seconds; run as
``python benchmarks/axon.py``.
"""

import os
import time

import numpy as np

from neurosim.firing.hazard import hazard_table
from neurosim.membrane import kernel
from neurosim.membrane.axon import DT_MS, Conditions, at_rest
from neurosim.membrane.excitability import examine

BATCHES = (1, 16, 64, 256)
SAMPLE_S = 0.5  # processor time to spend on each number


def spent(work) -> float:
    """Return the processor time of `work`, s."""
    start = time.process_time()
    work()
    return time.process_time() - start


def step_ns(batch: int, numba: bool) -> float:
    """Return processor time per axon and step, ns: the best of three."""
    before = os.environ.get("NEUROSIM_NUMBA")
    os.environ["NEUROSIM_NUMBA"] = "1" if numba else "0"
    kernel.compiled.cache_clear()
    axons = at_rest([Conditions()] * batch)
    current, steps = np.zeros(batch), 20

    def advance():
        kernel.advance(axons.rest.copy(), axons.P, current, steps, DT_MS)

    try:
        advance()  # compile, fill caches
        while (once := spent(advance)) < SAMPLE_S / 3:
            steps *= 4
        return min(once, spent(advance), spent(advance)) / (batch * steps) * 1e9
    finally:
        kernel.compiled.cache_clear()
        if before is None:
            del os.environ["NEUROSIM_NUMBA"]
        else:
            os.environ["NEUROSIM_NUMBA"] = before


def main() -> None:
    """Print the tables."""
    print("ns of processor time per axon and step")
    print(f"{'axons':>6}  {'NumPy':>8}  {'Numba':>8}  {'NumPy/Numba':>11}")
    for batch in BATCHES:
        plain, fast = step_ns(batch, False), step_ns(batch, True)
        print(f"{batch:>6}  {plain:>8.3g}  {fast:>8.3g}  {plain / fast:>11.3g}")
    print("\nseconds of processor time, with Numba if it is installed")
    for calcium in (1.1, 1.0):  # the first one may compile
        table = spent(lambda: hazard_table(Conditions(calcium_out_mmol_l=calcium)))  # noqa: B023
        test = spent(lambda: examine(Conditions(calcium_out_mmol_l=calcium)))  # noqa: B023
    short = spent(lambda: examine(Conditions(), full=False))
    print(f"a hazard table of one body: {table:.2f}")
    print(f"the clinic's test, all of it: {test:.2f}; thresholds and recovery only: {short:.2f}")


if __name__ == "__main__":
    main()
