"""The pool against Brian2: the same equations written anew in `benchmarks/peer_pool.py`."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from neurosim.model.soma import pool as pl
from neurosim.model.soma import pool_equations, trains
from neurosim.model.soma.pool import hold_input, join_inputs, ramp_input
from neurosim.model.soma.soma import SomaConditions

PEER = Path(__file__).parents[3] / "benchmarks" / "peer_pool.py"
SOME = pl.build_pool(120).subset([0, 30, 60, 90, 119])
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def peer():
    """Return the other simulator's model."""
    pytest.importorskip("brian2")
    if not PEER.exists():
        pytest.skip("benchmarks/peer_pool.py is not part of this copy")
    spec = importlib.util.spec_from_file_location("peer_pool", PEER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def both(peer, conditions, drive_mv, dt_ms=pool_equations.DT_MS, method="exponential_euler"):
    """Return the trains of ours and of Brian2, ms."""
    P = pl.unit_parameters(SOME, conditions)
    ours = pl.run_pool(SOME, pl.PoolInput(input_mv=drive_mv), conditions, seed=1, noise=False)
    times, unit = peer.build(P, pl.at_rest(P), drive_mv, pool_equations.DT_MS, dt_ms, method)()
    theirs = [np.sort(times[unit == i]) for i in range(SOME.units)]
    return [1000.0 * t for t in ours.trains_s()], theirs


@pytest.mark.parametrize(
    "conditions",
    [
        SomaConditions(),
        SomaConditions(pic_gain=2.5, calcium_out_mmol_l=1.0),
        SomaConditions(pic_gain=0.0, ahp_scale=1.3),
    ],
)
def test_spikes_fall_within_one_step(peer, conditions):
    drive = join_inputs(
        hold_input(0.2),
        ramp_input(2.0, 0.0, 25.0),
        hold_input(1.0, 25.0),
        ramp_input(2.0, 25.0, 0.0),
        hold_input(0.5, 20.0),
        hold_input(1.0, 2.0),
        hold_input(0.3, -10.0),
        hold_input(0.5),
    )
    for a, b in zip(*both(peer, conditions, drive), strict=True):
        assert a.size == b.size > 20
        assert np.abs(a - b).max() <= pool_equations.DT_MS + 1e-6


@pytest.mark.parametrize("drive_mv", [9.0, 12.0, 25.0, 45.0])
def test_rate_against_input_is_the_same_by_another_scheme_and_step(peer, drive_mv):
    drive = hold_input(4.0, drive_mv)
    pair = both(peer, SomaConditions(), drive, dt_ms=0.02, method="rk4")
    ours, theirs = (np.array([trains.rate_per_s(t / 1000.0, 1.0, 4.0) for t in f]) for f in pair)
    assert (theirs > 3.0).all()
    assert ours == pytest.approx(theirs, rel=0.02)
