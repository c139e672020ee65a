"""The chain in NEURON: the axon of `benchmarks/peers.py` with pointers to its neighbours.

NEURON integrates by CVODE at 1e-9; it knows nothing of the package but numbers.
"""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neurosim.model.axon import chain as ch
from neurosim.model.axon import equations as eq
from neurosim.model.axon.axon import AXONS, Conditions

PEERS = Path(__file__).parents[3] / "benchmarks" / "peers.py"
COUPLED = (
    ("RANGE stimulus,", "POINTER prior, next\n    RANGE g_prior, g_next, stimulus,"),
    ("PARAMETER { stimulus = 0", "PARAMETER { g_prior = 0  g_next = 0  stimulus = 0"),
    ("ASSIGNED { fired", "ASSIGNED { v  prior  next  fired"),
    ("r1 = stimulus", "r1 = stimulus + g_prior * (prior - v_) + g_next * (next - v_)"),
)
PULSE_PA, LAST_MS = 1500.0, 5.0

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def neuron(tmp_path_factory):
    """Return NEURON with the coupled point process loaded, and the names that it knows."""
    pytest.importorskip("neuron")
    if not PEERS.exists():
        pytest.skip("benchmarks/peers.py is not part of this copy")
    spec = importlib.util.spec_from_file_location("peers_of_chain", PEERS)
    peers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peers)
    text = peers._nmodl("NodeOfChain", "METHOD derivimplicit", peers.MOVE_OWN, peers.GATE_OWN)
    for old, new in COUPLED:
        assert old in text
        text = text.replace(old, new, 1)
    folder = tmp_path_factory.mktemp("nmodl")
    (folder / "chain.mod").write_text(text)
    tool = Path(sys.executable).with_name("nrnivmodl")
    command = str(tool) if tool.exists() else shutil.which("nrnivmodl")
    done = subprocess.run([command, "."], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    from neuron import h

    h.nrn_load_dll(str(next(folder.glob("*/libnrnmech.*"))))
    return h, peers


def run_neuron(neuron, built):
    """Return times (ms) and potentials (units, times) of one evoked impulse."""
    h, peers = neuron
    section = h.Section(name="holder")
    nodes = [h.NodeOfChain(section(0.5)) for _ in range(built.units)]
    rows = dict(zip(eq.PARAMETERS, built.P[:, :, 0], strict=True))
    for u, node in enumerate(nodes):
        for name in peers.ROWS:
            setattr(node, name, float(rows[name][u]))
        first, last = u == 0, u == built.units - 1
        h.setpointer(nodes[u if first else u - 1]._ref_v_, "prior", node)
        h.setpointer(nodes[u if last else u + 1]._ref_v_, "next", node)
        node.g_prior = 0.0 if first else float(built.axial_ns[u - 1, 0])
        node.g_next = 0.0 if last else float(built.axial_ns[u, 0])
    solver = h.CVode()
    solver.active(True)
    solver.atol(1e-9)
    solver.rtol(1e-9)
    records = [h.Vector().record(node._ref_v_) for node in nodes]
    clock = h.Vector().record(h._ref_t)
    h.finitialize(-80.0)
    for u, node in enumerate(nodes):
        for name, value in zip(peers.STATES, built.rest[:, u, 0], strict=True):
            setattr(node, name + "_" * (name in "vw"), float(value))
    for pa, end in ((PULSE_PA, 1.0), (0.0, LAST_MS)):
        nodes[0].stimulus = pa
        solver.re_init()
        solver.solve(end)
    times, first = np.unique(np.array(clock), return_index=True)
    return times[1:], np.array([np.array(v) for v in records])[:, first[1:]]


@pytest.mark.parametrize("axon", AXONS)
def test_an_impulse_travels_as_in_neuron(neuron, axon):
    sick = ch.ChainUnit(Conditions(persistent_sodium_scale=4.0), internode=0.5, bridge=0.5)
    built = ch.build_chain([[ch.ChainUnit()] * 6 + [sick]], 80.0, axon)
    pulse = np.zeros((7, 1))
    pulse[0] = PULSE_PA
    times, neuron_potentials = run_neuron(neuron, built)

    def ours(dt):
        _, trace = ch.run_chain(
            built,
            LAST_MS,
            stimulus=ch.Stimulus(pulse, 1.0),
            settings=ch.RunSettings(dt=dt, every=1),
        )
        return dt * np.arange(1, len(trace) + 1), trace[:, :, 0].T

    def arrival(t, e):
        i = np.argmax(e > -20.0, axis=1)
        u = np.arange(len(e))
        w = (-20.0 - e[u, i - 1]) / (e[u, i] - e[u, i - 1])
        return t[i - 1] + w * (t[i] - t[i - 1])

    fine = ours(0.001)
    np.testing.assert_allclose(arrival(*fine), arrival(times, neuron_potentials), atol=0.002)
    np.testing.assert_allclose(fine[1].max(axis=1), neuron_potentials.max(axis=1), atol=0.1)
    for u in range(7):  # after the impulse has passed, the whole course
        late = fine[0] > arrival(*fine)[u] + 0.3
        neuron_e = np.interp(fine[0][late], times, neuron_potentials[u])
        np.testing.assert_allclose(fine[1][u, late], neuron_e, atol=0.1)
    delay = np.diff(arrival(times, neuron_potentials))[1:5].mean()
    assert np.diff(arrival(*ours(0.01)))[1:5].mean() == pytest.approx(delay, rel=0.03)
