"""Time the pool of motoneurons: a minute of full effort, here and in Brian2, in one run.

Prints seconds of processor time for 120 units and the ratio; Brian2 (`peer_pool.py`, Cython) runs
the same equations at the same step without noise, its compiling left out. Takes about a minute;
run as ``python benchmarks/pool.py``.
"""

import time
from importlib.util import find_spec

import numpy as np
import peer_pool

from neurosim.model.soma import pool, pool_equations
from neurosim.model.soma.soma import SomaConditions

UNITS, SECONDS, PEER_SECONDS = 120, 60.0, 5.0
PUSH_MV = 40.0


def spent(work) -> float:
    """Return the processor time of `work`, s."""
    start = time.process_time()
    work()
    return time.process_time() - start


def peer_s(units) -> float:
    """Return Brian2's processor time for a minute, from two runs of different length."""
    P = pool.unit_parameters(units, SomaConditions())
    times = []
    for seconds in (1.0, 1.0 + PEER_SECONDS):
        push = pool.hold_input(seconds, PUSH_MV)
        run = peer_pool.build(
            P,
            pool.at_rest(P),
            push,
            pool_equations.DT_MS,
            pool_equations.DT_MS,
            "exponential_euler",
        )
        times.append(spent(run))  # both start anew; the code itself is compiled once
    return (times[1] - times[0]) * SECONDS / PEER_SECONDS


def main() -> None:
    """Print the table."""
    units = pool.build_pool(UNITS)
    pool.run_pool(units, pool.PoolInput(excitation=1.0, duration_s=0.1), seed=1)  # compile
    steady = pool.PoolInput(excitation=1.0, duration_s=SECONDS)
    noisy = min(spent(lambda: pool.run_pool(units, steady, seed=1)) for _ in range(3))
    push = pool.hold_input(SECONDS, PUSH_MV)
    quiet = min(
        spent(lambda: pool.run_pool(units, pool.PoolInput(input_mv=push), seed=1, noise=False))
        for _ in range(3)
    )
    print(f"{UNITS} units, a minute, steps of {pool_equations.DT_MS} ms; seconds of processor time")
    print(f"full effort with noise: {noisy:.2f}; without noise: {quiet:.2f}")
    if find_spec("brian2") is None:
        print("brian2 is not installed, so it is left out: pip install brian2")
        return
    peer_s(units)  # compile
    peer = float(np.median([peer_s(units) for _ in range(3)]))
    print(f"Brian2 without noise: {peer:.1f}, {peer / quiet:.1f} times ours")


if __name__ == "__main__":
    main()
