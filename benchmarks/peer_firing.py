"""The law of discharges once more, in NEURON, Brian2 and NEST, written anew.

Nothing here imports the package. A `Law` is one unit's: bursts come at a rate that falls
exponentially with its sodium load, every discharge adds to the load, the load decays, a burst
goes on with probability `pair`, and after it the unit is silent for a dead time. Every class has
`prepare`, which may compile; `go`, which is what it costs; and `spikes`, times (s) and units.
NEURON needs a C++ compiler and make, Brian2 a C++ compiler.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Law:
    """One unit's law; all units of a run share it.

    Attributes
    ----------
    per_s : float
        Bursts per second at no load.
    slope : float
        Fall of the rate's logarithm per mmol/L of load.
    per_spike_mmol_l, tau_s, start_mmol_l : float
        Load of a discharge, its time constant, and the load at time 0.
    pair : float
        Probability that a discharge is followed by another of the same burst.
    dead_s, shortest_s, extra_s : float
        Silence after a burst; interval within one: shortest plus an exponential of mean
        `extra_s`, at most `dead_s`.
    """

    per_s: float
    slope: float
    per_spike_mmol_l: float
    tau_s: float
    start_mmol_l: float
    pair: float
    dead_s: float
    shortest_s: float
    extra_s: float


# --- NEURON: exact, by events -----------------------------------------------------------------

# Candidates come at a bound of the hazard within a window: what it is at the window's end, when
# the load is least. The window is long enough that nearly no candidate falls behind it.
NMODL = """
NEURON {
    ARTIFICIAL_CELL FiringUnit
    RANGE per, slope, gain, tau, start, pair, dead, shortest, extra
    RANDOM draw
    THREADSAFE
}
PARAMETER {
    per = 1  slope = 0  gain = 0  tau = 1  start = 0
    pair = 0  dead = 20  shortest = 3.8  extra = 1.8
}
ASSIGNED { load last bound window wait kind }
INITIAL {
    load = start
    last = 0
    window = tau / 20
    if (window < 5 / per) { window = 5 / per }
    next()
    net_send(wait, kind)
}
PROCEDURE next() {
    bound = per * exp(-slope * load * exp(-window / tau))
    wait = random_negexp(draw, 1 / bound)
    kind = 1
    if (wait > window) { wait = window  kind = 2 }
}
NET_RECEIVE (w) {
    load = load * exp(-(t - last) / tau)
    last = t
    if (flag == 2) {
        next()
    } else if (flag == 1 && random_uniform(draw) * bound > per * exp(-slope * load)) {
        next()
    } else {
        net_event(t)
        load = load + gain
        if (random_uniform(draw) < pair) {
            wait = random_negexp(draw, extra)
            if (wait > dead - shortest) { wait = dead - shortest }
            wait = wait + shortest
            kind = 3
        } else {
            load = load * exp(-dead / tau)
            last = t + dead
            next()
            wait = wait + dead
        }
    }
    net_send(wait, kind)
}
"""


def _neuron():
    """Return NEURON with the cell compiled and loaded."""
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    from neuron import h

    if hasattr(h, "FiringUnit"):
        return h
    folder = Path(tempfile.mkdtemp(prefix="neurosim-nmodl-"))
    (folder / "firing.mod").write_text(NMODL)
    tool = Path(sys.executable).with_name("nrnivmodl")
    command = str(tool) if tool.exists() else shutil.which("nrnivmodl") or "nrnivmodl"
    done = subprocess.run([command, "."], cwd=folder, capture_output=True, text=True)
    library = next(folder.glob("*/libnrnmech.*"), None)
    if done.returncode or library is None:
        raise RuntimeError(f"nrnivmodl failed:\n{done.stdout}\n{done.stderr}")
    h.nrn_load_dll(str(library))
    return h


class Neuron:
    """An ARTIFICIAL_CELL for each unit, its next candidate in the queue; Random123."""

    def __init__(self, units: int):
        self.h = _neuron()
        self.cells = [self.h.FiringUnit() for _ in range(units)]
        self.times, self.which = self.h.Vector(), self.h.Vector()
        self.wires = [self.h.NetCon(cell, None) for cell in self.cells]
        for i, wire in enumerate(self.wires):
            wire.record(self.times, self.which, i)
        self.cvode = self.h.CVode()
        self.cvode.active(True)  # without states: from event to event, no steps

    def prepare(self, law: Law, duration_s: float, seed: int) -> None:
        """Set the law and start anew."""
        self.last_ms = 1000.0 * duration_s
        for i, cell in enumerate(self.cells):
            cell.per, cell.slope, cell.pair = law.per_s / 1000.0, law.slope, law.pair
            cell.gain, cell.tau = law.per_spike_mmol_l, 1000.0 * law.tau_s
            cell.start, cell.dead = law.start_mmol_l, 1000.0 * law.dead_s
            cell.shortest, cell.extra = 1000.0 * law.shortest_s, 1000.0 * law.extra_s
            cell.draw.set_ids(i, seed, 0)
            cell.draw.set_seq(0)
        self.h.finitialize()

    def go(self) -> None:
        """Run."""
        self.cvode.solve(self.last_ms)

    def spikes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return times (s) and units."""
        return np.array(self.times) / 1000.0, np.array(self.which, int)


# --- Brian2: by steps, the hazard added up until it passes an exponential threshold -----------

# The hazard is a state, which needs no exponential in a step (4 times quicker than computing it
# from the load, and than a random number in each step). `gone` starts at minus the threshold,
# less what the hazard adds while the unit is silent; a further spike of a burst is due when
# that has been made up. Half a step less rounds to the nearest one.
BRIAN_MODEL = """
dload/dt = -load/tau : 1
drate/dt = rate*slope*load/tau : Hz
dgone/dt = rate : 1
per : Hz (shared, constant)
"""
BRIAN_RESET = """
load += gain
rate = per*exp(-slope*load)
again = int(rand() < pair)
draw = log(1 - rand())
wait = (1 - again)*dead + again*(shortest + extra*clip(-draw, 0, most)) - dt/2
gone = (1 - again)*draw - rate*wait
"""


class Brian:
    """A group of units in Brian2: at run time, or as a C++ program of its own (`standalone`)."""

    def __init__(self, units: int, dt_ms: float, standalone: bool = False):
        import brian2 as b2

        self.b2, self.units, self.dt_ms, self.standalone = b2, units, dt_ms, standalone
        b2.BrianLogger.log_level_error()
        self.group = None

    def _build(self, law: Law, duration_s: float) -> None:
        b2 = self.b2
        if self.standalone:
            b2.set_device("cpp_standalone", build_on_run=False)
        numbers = {
            "tau": law.tau_s * b2.second, "slope": law.slope, "gain": law.per_spike_mmol_l,
            "pair": law.pair, "dead": law.dead_s * b2.second, "extra": law.extra_s * b2.second,
            "shortest": law.shortest_s * b2.second,
            "most": (law.dead_s - law.shortest_s) / law.extra_s,
        }  # fmt: skip
        self.group = b2.NeuronGroup(
            self.units,
            BRIAN_MODEL,
            threshold="gone >= 0",
            reset=BRIAN_RESET,
            method="euler",
            dt=self.dt_ms * b2.ms,
            namespace=numbers,
        )
        self.group.gone = "log(1 - rand())"
        for name, value in self._given(law).items():
            setattr(self.group, name, value)
        self.monitor = b2.SpikeMonitor(self.group)
        self.network = b2.Network(self.group, self.monitor)
        if self.standalone:
            self.network.run(duration_s * b2.second)
            self.folder = tempfile.TemporaryDirectory(prefix="neurosim-brian-")
            b2.device.build(directory=self.folder.name, compile=True, run=False, with_output=False)

    def _given(self, law: Law) -> dict:
        rate = law.per_s * np.exp(-law.slope * law.start_mmol_l)
        return {"per": law.per_s * self.b2.Hz, "rate": rate * self.b2.Hz, "load": law.start_mmol_l}

    def prepare(self, law: Law, duration_s: float, seed: int) -> None:
        """Build; a program once built keeps its duration, seeds itself and takes another rate."""
        self.law, self.duration_s = law, duration_s
        if not (self.standalone and self.group):
            self.b2.seed(None if self.standalone else seed)
            self._build(law, duration_s)

    def go(self) -> None:
        """Run; a program of its own is a child process."""
        if self.standalone:
            values = {getattr(self.group, k): v for k, v in self._given(self.law).items()}
            self.b2.device.run(run_args=values, with_output=False)
        else:
            self.network.run(self.duration_s * self.b2.second)

    def spikes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return times (s) and units."""
        return np.array(self.monitor.t / self.b2.second), np.array(self.monitor.i)


# --- NEST: by steps, a probability in each ----------------------------------------------------


class Nest:
    """A `pp_psc_delta` for each unit: the load is its adaptive threshold.

    It has no doublets: a burst is one discharge with the load of a whole burst. A load to start
    with is a potential below rest that decays as the load does.
    """

    def __init__(self, units: int, dt_ms: float):
        import nest

        nest.verbosity = nest.VerbosityLevel.ERROR
        self.nest, self.units, self.dt_ms = nest, units, dt_ms

    def prepare(self, law: Law, duration_s: float, seed: int) -> None:
        """Build anew."""
        nest, tau_ms = self.nest, 1000.0 * law.tau_s
        nest.ResetKernel()
        nest.resolution, nest.rng_seed = self.dt_ms, seed + 1
        self.last_ms = self.dt_ms * round(1000.0 * duration_s / self.dt_ms)
        gain = law.per_spike_mmol_l / (1.0 - law.pair)
        units = nest.Create(
            "pp_psc_delta",
            self.units,
            params={
                "c_1": 0.0,
                "c_2": law.per_s,
                "c_3": law.slope,
                "q_sfa": [gain],
                "tau_sfa": [tau_ms],
                "dead_time": 1000.0 * law.dead_s,
                "dead_time_random": False,
                "with_reset": False,
                "tau_m": tau_ms,
                "V_m": -law.start_mmol_l,
            },
        )
        self.recorder = nest.Create("spike_recorder")
        nest.Connect(units, self.recorder)
        nest.Prepare()

    def go(self) -> None:
        """Run."""
        self.nest.Run(self.last_ms)

    def spikes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return times (s) and units."""
        self.nest.Cleanup()
        events = self.recorder.get("events")
        return events["times"] / 1000.0, events["senders"] - 1
