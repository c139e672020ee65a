"""The axon against NEURON and Brian2: the same equations written anew in `benchmarks/peers.py`.

NEURON integrates by CVODE at a tolerance of 1e-9, Brian2 by Runge-Kutta of order 4 at 0.001 ms;
the package at its own 0.01 ms, where nothing else is said. Neither peer knows anything of the
package but numbers.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from neurosim.clinic.excitability import examine
from neurosim.clinic.norms import norms
from neurosim.model.axon import axon as ax
from neurosim.model.axon import equations as eq
from neurosim.model.axon.axon import Axons, Conditions

CASES = (
    Conditions(),
    Conditions(potassium_out_mmol_l=6.0),
    Conditions(calcium_out_mmol_l=0.8),
)
PEERS = Path(__file__).parents[3] / "benchmarks" / "peers.py"
ALL = [(name, c) for name in ax.AXONS for c in CASES]

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def batch():
    """Return the six axons at rest and their 1-ms thresholds."""
    batches = [ax.at_rest(list(CASES), name) for name in ax.AXONS]
    parts = (
        np.concatenate([getattr(f, part) for f in batches], -1) for part in Axons.__annotations__
    )
    axons = Axons(*parts)
    return axons, ax.threshold_pa(axons, 1.0)


@pytest.fixture(scope="module", params=["neuron", "brian2"])
def make(request):
    """Return a function that builds a batch of axons of one simulator from ours."""
    pytest.importorskip(request.param)
    if not PEERS.exists():
        pytest.skip("benchmarks/peers.py is not part of this copy")
    spec = importlib.util.spec_from_file_location("peers", PEERS)
    peers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peers)

    def build(axons):
        return peers.PEERS[request.param](dict(zip(eq.PARAMETERS, axons.P, strict=True)))

    build.fires = peers.fires
    return build


def test_rest_stays(make, batch):
    axons, threshold = batch
    peer = make(axons)
    peer.start(axons.rest)
    peer.run(0.0 * threshold, 20.0)
    np.testing.assert_allclose(peer.states(), axons.rest, rtol=0, atol=1e-4)


def test_threshold_is_that_of_the_peer_within_a_thousandth(make, batch):
    axons, threshold = batch
    twice = np.repeat(np.arange(len(ALL)), 2)
    amplitude = threshold[twice] * np.tile([0.999, 1.001], len(ALL))
    doubled = axons.take(twice)
    fired = make.fires(make(doubled), doubled.rest, amplitude).reshape(-1, 2)
    assert np.array_equal(fired, np.tile([False, True], (len(ALL), 1)))


def test_recovery_cycle_is_that_of_the_peer_within_half_a_point(make, batch):
    axons, _ = batch
    threshold = ax.threshold_pa(axons, 1.0, dt=0.0025)
    intervals = norms()["recovery_cycle"].x
    # the conditioning pulse and what follows, in the peer itself
    peer = make(axons)
    peer.start(axons.rest)
    peer.run(1.5 * threshold, 1.0)
    time_ms, after = 1.0, []
    for interval in intervals:
        peer.run(0.0 * threshold, float(interval - time_ms))
        time_ms = float(interval)
        after.append(peer.states())
    start = np.stack(after, axis=2)  # states, axons, intervals
    for dt in (0.0025, 0.01):
        recovery = [examine(c, name, dt, full=False).recovery_change_percent for name, c in ALL]
        which, when = np.nonzero(np.isfinite(recovery))
        assert which.size >= len(ALL) * np.sum(intervals >= 2.5)
        middle = np.array(recovery)[which, when]
        which, when = np.repeat(which, 2), np.repeat(when, 2)
        percent = 100.0 + np.repeat(middle, 2) + np.tile([-0.5, 0.5], middle.size)
        repeated = axons.take(which)
        amplitude = threshold[which] * percent / 100.0
        fired = make.fires(make(repeated), start[:, which, when], amplitude).reshape(-1, 2)
        assert np.array_equal(fired, np.tile([False, True], (middle.size, 1)))
