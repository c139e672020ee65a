"""Time the sampler of discharges against NEURON, Brian2 and NEST, which run the same law.

1,200 units, 120 a muscle, whose hazard falls with their sodium load, which doublets raise too; in
balance from the start, so that bursts come at the rate in the first column. Every contestant
has a process of its own that is set up once, compiling included; then they take turns, and
only processor time of the run itself counts. Prints nanoseconds per burst, unit-seconds (units x
simulated seconds) per second, how many times longer than ours each takes, and how ours grows with
duration, silent units and people. Takes about three minutes:

    python benchmarks/firing.py [--rounds 3] [--only numba neuron ...] [--scaling]
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import replace
from importlib import metadata
from importlib.util import find_spec
from math import exp, sqrt
from statistics import median

import numpy as np
import peer_firing
from peer_firing import Law

RATES_PER_MIN = (0.1, 1.0, 10.0, 60.0, 600.0, 6000.0)  # bursts of a muscle
UNITS, MUSCLES = 120, 10
GRID_MMOL_L = np.array([0.0, 0.7, 1.5, 2.5, 4.0, 6.0])
SLOPE = 1.5  # fall of ln rate per mmol/L, as of an axon that fires some times a minute
GAIN_MMOL_L, TAU_S, PAIR = 0.001434, 360.0, 0.1
DEAD_S, SHORTEST_S, EXTRA_S = 0.020, 0.0038, 0.0018
TARGET_S = 0.35  # processor time of a measurement
MOST_BURSTS = 2_000_000  # of ours in memory, all muscles; the run is repeated instead
AIM_NS, AIM_NEURON = 40.0, 50.0


def per_unit_s(per_min: float) -> float:
    """Return bursts per second of a unit of a muscle with `per_min` bursts."""
    return per_min / 60.0 / UNITS


def law(per_min: float) -> Law:
    """Return the law of units in balance at that rate."""
    rate = per_unit_s(per_min)
    load = rate / (1.0 - PAIR) * GAIN_MMOL_L * TAU_S
    silent = DEAD_S + PAIR / (1.0 - PAIR) * (SHORTEST_S + EXTRA_S)
    free = rate / (1.0 - rate * silent) * exp(SLOPE * load)
    return Law(free, SLOPE, GAIN_MMOL_L, TAU_S, load, PAIR, DEAD_S, SHORTEST_S, EXTRA_S)


# --- contestants ------------------------------------------------------------------------------


class Ours:
    """Sample every muscle by `stream_discharges`, dropping each batch, or storing all."""

    def __init__(self, draw: str = "stream_discharges", first_s: float = 600.0):
        from neurosim.model.firing import discharge

        self.first_s, self.most = first_s, np.inf if draw == "stream_discharges" else MOST_BURSTS
        self.draw, self.hazard = getattr(discharge, draw), discharge.UnitHazard

    def prepare(self, law: Law, duration_s: float, seed: int) -> None:
        """Build the hazard of a muscle."""
        self.muscle = self.hazard_of(np.full(UNITS, law.per_s), law)
        self.duration_s, self.rng = duration_s, np.random.default_rng(seed)

    def hazard_of(self, per_s: np.ndarray, law: Law):
        """Return units of those rates (at no load, per second) as one muscle."""
        n = per_s.size
        fall = np.exp(-law.slope * GRID_MMOL_L)
        return self.hazard(
            load_mmol_l=GRID_MMOL_L,
            bursts_per_min=60.0 * per_s[:, None] * fall,
            unit=np.arange(n),
            origin=np.zeros(n, np.int64),
            pair=np.full(n, law.pair),
            units=n,
            load_per_spike_mmol_l=law.per_spike_mmol_l,
            load_tau_s=law.tau_s,
            ceiling_per_min=1e6,
            start_load_mmol_l=np.full(n, law.start_mmol_l),
        )

    def go(self) -> None:
        """Draw."""
        self.n_discharges = 0
        for _ in range(MUSCLES):
            draws = self.draw(self.muscle, self.duration_s, self.rng)
            is_stored = hasattr(draws, "__len__")
            self.n_discharges += len(draws) if is_stored else sum(rows.shape[1] for rows in draws)

    def count(self) -> int:
        """Return the number of discharges."""
        return self.n_discharges


class Bound:
    """A lower bound: the random numbers and two exponentials that every burst needs."""

    first_s, most = 600.0, np.inf

    def __init__(self):
        from numba import njit

        @njit
        def draws(rng, n, mean, pair):
            total, more = 0.0, 0
            for _ in range(n):
                gap = rng.standard_exponential() * mean  # when
                load = np.exp(-gap)  # the load then
                total += rng.random() * np.exp(-load)  # whether, at that load
                while rng.random() < pair:  # whether another follows
                    total += rng.standard_exponential()
                    more += 1
            return total, n + more

        self.draws = draws

    def prepare(self, law: Law, duration_s: float, seed: int) -> None:
        """Set how many bursts there are."""
        rate = law.per_s * exp(-law.slope * law.start_mmol_l)
        rate /= 1.0 + rate * (DEAD_S + PAIR / (1.0 - PAIR) * (SHORTEST_S + EXTRA_S))
        self.args = np.random.default_rng(seed), round(rate * UNITS * MUSCLES * duration_s)

    def go(self) -> None:
        """Draw."""
        self.n_discharges = self.draws(*self.args, 0.01, PAIR)[1]

    def count(self) -> int:
        """Return the number of discharges."""
        return self.n_discharges


class Peer:
    """A peer; its duration may be fixed, and it may have no doublets."""

    most = 1_000_000

    def __init__(self, kind, *given, first_s: float, fixed: bool = False):
        self.peer = kind(UNITS * MUSCLES, *given)
        self.first_s, self.fixed = first_s, fixed
        self.prepare, self.go = self.peer.prepare, self.peer.go

    def count(self) -> int:
        """Return the number of discharges."""
        return self.peer.spikes()[0].size


# name: module, package, heading, what it is, how to make it, rates (all if none are given)
CONTESTANTS = {
    "numba": ("numba", "numba", "ours", "stream_discharges with Numba, unit by unit, none stored",
              Ours, ()),
    "kept": ("numba", "numba", "ours, kept", "sample_firing with Numba, all stored by time",
             lambda: Ours("sample_firing"), ()),
    "bound": ("numba", "numba", "bound", "random numbers and exponentials alone, in Numba", Bound,
              ()),
    "neuron": ("neuron", "neuron", "NEURON", "event-driven ARTIFICIAL_CELL in NMODL, exact, "
               "spikes recorded by NetCon",
               lambda: Peer(peer_firing.Neuron, first_s=1000.0), ()),
    "brian2": ("brian2", "brian2", "Brian2 1ms", "C++ standalone, accumulated hazard, steps of "
               "1 ms, which its doublets are rounded to",
               lambda: Peer(peer_firing.Brian, 1.0, True, first_s=200.0, fixed=True), ()),
    "brian2-fine": ("brian2", "brian2", "Brian2 0.1", "the same in steps of 0.1 ms",
                    lambda: Peer(peer_firing.Brian, 0.1, True, first_s=20.0, fixed=True), ()),
    "nest": ("nest", "nest-simulator", "NEST 1ms", "pp_psc_delta, steps of 1 ms, no doublets",
             lambda: Peer(peer_firing.Nest, 1.0, first_s=2.0), ()),
    "nest-fine": ("nest", "nest-simulator", "NEST 0.1", "the same in steps of 0.1 ms",
                  lambda: Peer(peer_firing.Nest, 0.1, first_s=0.2), ()),
    "plain": ("numpy", "numpy", "plain", "stream_discharges in plain Python",
              lambda: Ours(first_s=1.0), (10.0, 6000.0)),
    "clock": ("numpy", "numpy", "clock", "sample_by_time_steps in plain Python, steps of 1 ms",
              lambda: Ours("sample_by_time_steps", 0.05), (10.0, 6000.0)),
}  # fmt: skip
PEERS = ("neuron", "brian2", "brian2-fine", "nest", "nest-fine")
CLOCKED = PEERS[1:]


# --- a process for each -----------------------------------------------------------------------


def cpu_s() -> float:
    """Return the processor time of this process and of its finished children, s."""
    return sum(os.times()[:4]) if os.name == "nt" else _usage()


def _usage() -> float:
    import resource

    usages = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in usages)


def once(it, per_min: float, duration_s: float, seed: int) -> tuple[float, int]:
    """Return processor time and discharges of one run."""
    it.prepare(law(per_min), duration_s, seed)
    start = cpu_s()
    it.go()
    return cpu_s() - start, it.count()


def calibrate(it, per_min: float) -> tuple[float, int]:
    """Return the duration and repeats that take about `TARGET_S`."""
    duration = it.first_s
    if getattr(it, "fixed", False):
        return duration, 1
    most = it.most / (per_unit_s(per_min) * UNITS * MUSCLES)
    while True:
        spent, _ = once(it, per_min, duration, 0)
        if spent > 0.5 * TARGET_S or duration == most:
            break
        duration = min(most, duration * min(100.0, max(2.0, 0.8 * TARGET_S / (spent + 1e-6))))
    goal = min(most, duration * TARGET_S / spent)
    return goal, max(1, round(TARGET_S / (spent * goal / duration)))


def work(name: str) -> None:
    """Answer with measurements: a line of JSON for each rate on standard input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the peers greet on standard output

    def answer(**fields):
        print(json.dumps(fields), file=answers, flush=True)

    try:
        it = CONTESTANTS[name][4]()
        once(it, 600.0, it.first_s, 0)  # compile, fill caches
    except Exception as reason:  # no compiler, for one
        answer(error=str(reason).strip().splitlines()[0])
        return
    answer(start_s=cpu_s())
    calibration: dict[float, tuple[float, int]] = {}
    for seed, line in enumerate(sys.stdin, 1):
        per_min = float(line)
        calibration[per_min] = calibration.get(per_min) or calibrate(it, per_min)
        duration, repeats = calibration[per_min]
        runs = [once(it, per_min, duration, 1000 * seed + i) for i in range(repeats)]
        spent, discharges = (sum(column) for column in zip(*runs, strict=True))
        answer(spent_s=spent, discharges=discharges, duration_s=duration * repeats)


class Worker:
    """The process of one contestant."""

    def __init__(self, name: str):
        plain = name in ("plain", "clock")
        environment = os.environ | {
            "NEUROSIM_BACKEND": "numpy" if plain else "numba",
            "OMP_NUM_THREADS": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", name],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        reply = self.hear()
        self.error, self.start_s = reply.get("error"), reply.get("start_s", 0.0)

    def hear(self) -> dict:
        """Return its next answer."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "its process ended"}

    def ask(self, per_min: float) -> dict:
        """Return a measurement at a rate."""
        print(per_min, file=self.process.stdin, flush=True)
        return self.hear()

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def start_workers(names) -> dict[str, Worker]:
    """Start the installed contestants and print what each is; print which are missing."""
    workers = {}
    for name in names:
        module, package, heading, description, *_ = CONTESTANTS[name]
        if find_spec(module) is None:
            print(
                f"{heading}: {package} is not installed, so it is left out: pip install {package}"
            )
            continue
        worker = Worker(name)
        if worker.error:
            print(f"{heading}: left out, it does not start: {worker.error}")
            continue
        workers[name] = worker
        version = "" if name in ("plain", "clock") else f" ({package} {metadata.version(package)})"
        print(f"{heading}: {description}{version}; set up in {worker.start_s:.1f} s")
    return workers


# --- tables -----------------------------------------------------------------------------------


def measure(workers, rounds: int) -> dict[tuple[str, float], list[dict]]:
    """Return measurements by contestant and rate; all take turns in every round."""
    runs: dict[tuple[str, float], list[dict]] = {}
    for per_min in RATES_PER_MIN:
        for _ in range(rounds):
            for name, worker in workers.items():
                if not (rates := CONTESTANTS[name][5]) or per_min in rates:
                    runs.setdefault((name, per_min), []).append(worker.ask(per_min))
    return runs


def doubtful(name: str, per_min: float, runs: list[dict]) -> bool:
    """Return whether the discharges are not as many as the law says."""
    spikes = 1.0 if name.startswith("nest") else 1.0 / (1.0 - PAIR)
    expected = sum(r["duration_s"] for r in runs) * per_unit_s(per_min) * UNITS * MUSCLES * spikes
    return (
        abs(sum(r["discharges"] for r in runs) - expected)
        > 6.0 * sqrt(expected + 1) + 0.01 * expected
    )


def table(title: str, cells, names) -> None:
    """Print a row for each rate."""
    print(f"\n{title}")
    print(f"{'a minute':>8}" + "".join(f"{CONTESTANTS[name][2]:>12}" for name in names))
    for per_min in RATES_PER_MIN:
        row = [cells.get((name, per_min)) for name in names]
        print(f"{per_min:>8g}" + "".join(f"{'-' if v is None else f'{v:.3g}':>12}" for v in row))


def verdicts(ns, names) -> None:
    """Print in words where a peer wins, and whether the aims are met."""
    peers = [name for name in names if name in PEERS]
    if "numba" not in names or not peers:
        return
    print()
    lost = [(name, r) for r in RATES_PER_MIN for name in peers if ns[name, r] < ns["numba", r]]
    for name, r in lost:
        print(
            f"{CONTESTANTS[name][2]} wins at {r:g} bursts a minute: "
            f"ours takes {ns['numba', r] / ns[name, r]:.2f} times as long."
        )
    if not lost:
        print("No peer wins at any of these rates.")
    ours = ns["numba", 10.0]
    print(f"Aim of {AIM_NS:g} ns a burst at 10 a minute: {met(ours <= AIM_NS)} ({ours:.3g}).")
    if "neuron" in names:
        times = ns["neuron", 10.0] / ours
        print(
            f"Aim of {AIM_NEURON:g} times NEURON's speed at 10 a minute: "
            f"{met(times >= AIM_NEURON)} ({times:.3g})."
        )
    if clocked := [name for name in names if name in CLOCKED]:
        best = min(ns[name, 600.0] for name in clocked) / ns["numba", 600.0]
        print(
            "Aim never to be slower than the quickest clock-driven peer at 600 a minute: "
            f"{met(best >= 1.0)} ({best:.3g} times its speed)."
        )


def met(aim: bool) -> str:
    """Return the word for it."""
    return "met" if aim else "not met"


def compare(names, rounds: int) -> None:
    """Print who takes part and the tables."""
    workers = start_workers(names)
    if not workers:
        return
    try:
        runs_by_key = measure(workers, rounds)
    finally:
        for worker in workers.values():
            worker.close()
    bursts = {r: per_unit_s(r) * UNITS * MUSCLES for r in RATES_PER_MIN}
    cost = {
        key: median(r["spent_s"] / r["duration_s"] for r in runs)
        for key, runs in runs_by_key.items()
    }
    ns = {(name, r): spent / bursts[r] * 1e9 for (name, r), spent in cost.items()}
    speed = {key: UNITS * MUSCLES / spent for key, spent in cost.items()}
    names = list(workers)
    table("nanoseconds of processor time per burst; rates are those of a muscle", ns, names)
    table("unit-seconds per second of processor time", speed, names)
    if "numba" in names:
        times = {(name, r): v / ns["numba", r] for (name, r), v in ns.items() if name != "numba"}
        table("times as long as ours", times, [name for name in names if name != "numba"])
    verdicts(ns, names)
    wrong = [key for key, runs in runs_by_key.items() if doubtful(*key, runs)]
    for name, r in wrong:
        print(f"{CONTESTANTS[name][2]} at {r:g}: not as many discharges as the law says.")
    if not wrong:
        print("All drew as many discharges as the law says.")


def cases() -> dict[str, list[tuple[str, int, np.ndarray, float]]]:
    """Return what to scale by: label, calls, rates (per second) of the units, duration (s)."""
    unit_rate, silent = per_unit_s(10.0), 1e-6 / 60.0
    firing_rates = np.full(12, 10.0 * unit_rate)
    all_s = 6.0 * 10_000  # 10,000 bursts at 10 a minute
    return {
        "duration": [
            (f"{10_000 * k:,} bursts", 1, np.full(UNITS, unit_rate), k * all_s)
            for k in (1, 10, 100)
        ],
        "silent units": [
            (
                f"12 of 120 fire; {n:,} more",
                1,
                np.append(firing_rates, np.full(108 + n, silent)),
                10 * all_s,
            )
            for n in (0, 1_200, 12_000)
        ],
        "people": [
            (f"{n:,} people of 10,000 bursts", n, np.full(UNITS, unit_rate), all_s)
            for n in (1, 10, 100)
        ],
    }


def scaling(rounds: int) -> None:
    """Print how the cost of ours grows."""
    ours, calm = Ours(), replace(law(10.0), start_mmol_l=0.0)
    list(ours.draw(ours.hazard_of(np.full(UNITS, 0.1), calm), 60.0, np.random.default_rng(0)))
    prepared = [
        (group, label, calls, ours.hazard_of(rates, calm), duration)
        for group, rows in cases().items()
        for label, calls, rates, duration in rows
    ]
    spent, bursts = [[] for _ in prepared], [0] * len(prepared)
    for turn in range(rounds):
        for i, (_, _, calls, hazard, duration) in enumerate(prepared):
            rng, start = np.random.default_rng(turn), time.process_time()
            counts = [
                rows.shape[1] for _ in range(calls) for rows in ours.draw(hazard, duration, rng)
            ]
            spent[i].append(time.process_time() - start)
            bursts[i] = round(sum(counts) * (1.0 - PAIR))
    print("\nHow ours grows; 10 bursts a minute")
    print(f"{'':<14}{'':<34}{'ms':>9}{'ns a burst':>12}{'times':>8}")
    for i, (group, label, *_) in enumerate(prepared):
        ns = median(spent[i]) / bursts[i] * 1e9
        first = next(j for j, other in enumerate(prepared) if other[0] == group)
        times = ns / (median(spent[first]) / bursts[first] * 1e9)
        print(f"{group:<14}{label:<34}{median(spent[i]) * 1e3:>9.3g}{ns:>12.3g}{times:>8.2f}")


def main() -> None:
    """Print the tables that the options choose."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each (3)")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, help="these contestants alone")
    parser.add_argument("--scaling", action="store_true", help="only how ours grows")
    parser.add_argument("--worker", choices=CONTESTANTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.worker)
        return
    command = " ".join(["python benchmarks/firing.py", *sys.argv[1:]])
    print(
        f"{command}: Python {platform.python_version()}, NumPy {np.__version__}, "
        f"{os.cpu_count()} cores, medians of {args.rounds} rounds\n"
    )
    if not args.scaling:
        compare(args.only or list(CONTESTANTS), args.rounds)
    if not args.only:
        scaling(args.rounds)
    print(f"\n{cpu_s():.0f} s of processor time in all")


if __name__ == "__main__":
    main()
