"""Time the axon: one step compiled and in NumPy, NEURON and Brian2, a hazard table, the test.

Prints nanoseconds of processor time per axon and step (float64, one thread) for batches of
several sizes, and ratios, taken in one run on one machine; beside it the same axon in NEURON and
Brian2 (`peers.py`) where they are installed, and how far their thresholds are from ours. Takes
about half a minute, one to two minutes with both peers; run as ``python benchmarks/axon.py``.
"""

import os
import time
from importlib.util import find_spec

os.environ["NEUROSIM_CACHE"] = "0"  # what is timed is computed

import numpy as np
import peers

from neurosim.base.backends import backend
from neurosim.clinic.excitability import examine, measure_curves
from neurosim.model.axon import equations, kernel
from neurosim.model.axon.axon import DT_MS, Conditions, at_rest, threshold_pa
from neurosim.model.firing.hazard import hazard_table

BATCHES = (1, 16, 64, 256, 1024)
OWN_BATCH = 64
SPIKE_MS = 5.0  # a pulse of 1 ms at 1.5 thresholds, and 4 ms
SAMPLE_S = 0.5  # processor time to spend on each number


def spent(work) -> float:
    """Return the processor time of `work`, s."""
    start = time.process_time()
    work()
    return time.process_time() - start


def step_ns(batch: int, which: str) -> float:
    """Return processor time per axon and step, ns: the best of five."""
    before = os.environ.get("NEUROSIM_BACKEND")
    os.environ["NEUROSIM_BACKEND"] = which
    axons = at_rest([Conditions()] * batch)
    current, steps = np.zeros(batch), 20

    def advance():
        kernel.advance(axons.rest.copy(), axons.P, current, steps, DT_MS)

    try:
        advance()  # compile, fill caches
        while (once := spent(advance)) < SAMPLE_S / 3:
            steps *= 4
        return min(once, *(spent(advance) for _ in range(4))) / (batch * steps) * 1e9
    finally:
        if before is None:
            del os.environ["NEUROSIM_BACKEND"]
        else:
            os.environ["NEUROSIM_BACKEND"] = before


def peer_axons(name: str, batch: int, own_solver: bool):
    """Return a batch of healthy axons in one simulator, started, and its resting states."""
    axons = at_rest([Conditions()] * batch)
    peer = peers.PEERS[name](dict(zip(equations.PARAMETERS, axons.P, strict=True)), own_solver)
    peer.start(axons.rest)
    return peer, axons.rest


def peer_step_ns(name: str, batch: int) -> float:
    """Return what `step_ns` does, for one simulator at the same step: the best of five.

    What every run takes before its first step is left out.
    """
    peer, _ = peer_axons(name, batch, own_solver=False)
    current, last = np.zeros(batch), 1.0

    def run(ms):
        return spent(lambda: peer.run(current, ms))

    run(DT_MS)  # compile
    before = min(run(DT_MS), run(DT_MS))
    while (once := run(last) - before) < SAMPLE_S / 3:
        last *= 4.0
    best = min(once, *(run(last) - before for _ in range(4)))
    return best / (batch * last / DT_MS) * 1e9


def peer_spike_ns(name: str, batch: int, threshold: float) -> float:
    """Return ns per axon and 0.01 ms of a spike, by the simulator's own solver: the best of two."""
    peer, rest = peer_axons(name, batch, own_solver=True)
    pulse = np.full(batch, 1.5 * threshold)
    peers.fires(peer, rest, pulse)  # compile
    before = min(spent(lambda: peer.run(0.0 * pulse, DT_MS)) for _ in range(2))
    best = min(spent(lambda: peers.fires(peer, rest, pulse)) for _ in range(2))
    return (best - 2.0 * before) / (batch * SPIKE_MS / DT_MS) * 1e9


def peer_threshold(name: str, own_solver: bool, near: float) -> float:
    """Return the healthy 1-ms threshold (pA), searched within 1 % of `near`; NaN if not there."""
    peer, rest = peer_axons(name, 64, own_solver)
    low, high = 0.99 * near, 1.01 * near
    for _ in range(2):
        amplitudes = np.linspace(low, high, 64)
        fired = peers.fires(peer, rest, amplitudes)
        if fired[0] or not fired[-1]:
            return np.nan
        low, high = amplitudes[fired.argmax() - 1], amplitudes[fired.argmax()]
    return 0.5 * (low + high)


def peer_tables(ours_ns: dict[int, float]) -> None:
    """Print the same of NEURON and Brian2, those that are installed."""
    ours = float(threshold_pa(at_rest(Conditions()), 1.0)[0])
    for name in peers.PEERS:
        if find_spec(name) is None:
            print(f"\n{name} is not installed, so it is left out: pip install {name}")
            continue
        print(f"\n{name}: ns per axon and step of {DT_MS} ms, by the same scheme")
        print(f"{'axons':>6}  {name:>8}  {name + '/Numba':>13}")
        for batch in BATCHES:
            ns = peer_step_ns(name, batch)
            print(f"{batch:>6}  {ns:>8.3g}  {ns / ours_ns[batch]:>13.3g}")
        ns = peer_spike_ns(name, OWN_BATCH, ours)
        times = ns / ours_ns[OWN_BATCH]
        print(f"  its own solver, {OWN_BATCH} axons: {ns:.3g} per {DT_MS} ms of a spike,", end="")
        print(f" {times:.3g} times ours at rest")
        for own_solver in (False, True):
            percent = 100.0 * (peer_threshold(name, own_solver, ours) / ours - 1.0)
            how = "own solver" if own_solver else "same step "
            print(f"  1-ms threshold, {how}: {percent:+.3f} % from ours ({ours:.2f} pA)")


def main() -> None:
    """Print the tables."""
    ours = {}
    print("ns of processor time per axon and step")
    print(f"{'axons':>6}  {'NumPy':>8}  {'Numba':>8}  {'NumPy/Numba':>11}")
    for batch in BATCHES:
        plain, fast = step_ns(batch, "numpy"), step_ns(batch, backend())
        ours[batch] = fast
        print(f"{batch:>6}  {plain:>8.3g}  {fast:>8.3g}  {plain / fast:>11.3g}")
    peer_tables(ours)
    print("\nseconds of processor time, with Numba if it is installed")
    for calcium in (1.1, 1.0):  # the first one may compile
        table = spent(lambda: hazard_table(Conditions(calcium_out_mmol_l=calcium)))  # noqa: B023
        test = spent(lambda: examine(Conditions(calcium_out_mmol_l=calcium)))  # noqa: B023
    short = spent(lambda: examine(Conditions(), full=False))
    axons = at_rest([Conditions(calcium_out_mmol_l=c) for c in np.linspace(1.0, 1.4, 100)])
    each = spent(lambda: measure_curves(axons, full=True)) / 100
    print(f"a hazard table of one body: {table:.2f}")
    print(f"the clinic's test, all of it: {test:.2f}; thresholds and recovery only: {short:.2f}")
    print(f"the clinic's test on 100 bodies at once, each: {each:.4f}")


if __name__ == "__main__":
    main()
