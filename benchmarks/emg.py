"""Time the electromyogram: adding potentials one by one, by chunks, and by convolution.

Prints processor milliseconds and their ratios, which matter more: all taken in one run on one
machine. Takes two or three minutes; run as ``python benchmarks/emg.py``. 153 units of the
shin, surface electrode, 1 kHz, potentials already computed, no noise (its cost is told last).
"""

import time

import numpy as np

from neurosim.clinic import emg, unit_potentials

MUSCLE, UNITS, HZ = "shin", 153, 1000.0
CASES = (  # seconds, discharges per second of each unit
    (3600.0, 1 / 60), (3600.0, 1.0), (60.0, 20.0), (3600.0, 8.0),
)  # fmt: skip


def milliseconds(work) -> float:
    """Return processor milliseconds, the best of three."""
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return 1000 * best


def discharges(seconds: float, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return times and units of a muscle that fires at random."""
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(UNITS), rng.poisson(rate * seconds, UNITS))
    return rng.uniform(0, seconds, units.size), units


def record(times, units, seconds, dense):
    """Return the record with chunks taken from so many samples per event on."""
    before, unit_potentials._DENSE = unit_potentials._DENSE, dense
    try:
        return emg.emg_uv(
            times, units, MUSCLE, seconds, "surface", unit_potentials.EmgSettings(HZ, noise_uv=0)
        )
    finally:
        unit_potentials._DENSE = before


def convolved(times, units, seconds, table):
    """Return the record by one FFT convolution per unit, discharges on the nearest sample."""
    from scipy.signal import oaconvolve

    out = np.zeros(round(seconds * HZ))
    for u in range(UNITS):
        train = np.bincount(np.rint(times[units == u] * HZ).astype(int), minlength=out.size)[
            : out.size
        ].astype(float)
        out += oaconvolve(train, table[u])[: out.size]
    return out


def main() -> None:
    """Print the table."""
    table = unit_potentials.unit_potentials(MUSCLE, "surface", unit_potentials.EmgSettings(HZ))
    emg.emg_uv(
        np.zeros(UNITS), np.arange(UNITS), MUSCLE, 1.0, "surface", unit_potentials.EmgSettings(HZ)
    )
    print(
        f"{'seconds':>8} {'events':>9} {'as chosen':>10} {'one by one':>10} {'chunks':>9}"
        f" {'FFT':>9} {'one/chosen':>10} {'FFT/chosen':>10}"
    )
    for seconds, rate in CASES:
        times, units = discharges(seconds, rate)
        chosen, single, chunks = (
            milliseconds(lambda d=d, s=seconds, t=times, u=units: record(t, u, s, d))
            for d in (unit_potentials._DENSE, 0, 10**9)
        )
        fft = milliseconds(lambda s=seconds, t=times, u=units: convolved(t, u, s, table))
        print(
            f"{seconds:>8g} {times.size:>9} {chosen:>10.3g} {single:>10.3g} {chunks:>9.3g}"
            f" {fft:>9.3g} {single / chosen:>10.3g} {fft / chosen:>10.3g}"
        )
    noise = milliseconds(
        lambda: emg.emg_uv([], [], MUSCLE, 3600.0, "surface", unit_potentials.EmgSettings(HZ))
    )
    print(f"noise of an hour: {noise:.3g} ms")
    start = time.process_time()
    unit_potentials.unit_potentials(MUSCLE, "surface", unit_potentials.EmgSettings(HZ, seed=2))
    print(f"potentials of {UNITS} units, once: {1000 * (time.process_time() - start):.3g} ms")


if __name__ == "__main__":
    main()
