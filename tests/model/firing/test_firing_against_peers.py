"""The sampler against Brian2, NEST and NEURON: its law written anew in `benchmarks/peer_firing.py`.

Brian2 and NEST step through time, 0.1 ms at a time; NEURON goes from event to event, as the sampler
does. The load of a discharge is large and decays within seconds, so that it halves the rate
while a test looks. NEST's `pp_psc_delta` has no doublets: against it the law is asked without
them. None is asked for several sites to a unit, a ceiling, or a hazard that is not exponential
in the load.
"""

import importlib.util
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from neurosim.base.parameters import parameter
from neurosim.model.firing.discharge import UnitHazard, sample_firing

PEER = Path(__file__).parents[3] / "benchmarks" / "peer_firing.py"
UNITS, DURATION_S, DT_MS = 4000, 6.0, 0.1
DEAD_S, SHORTEST_S, EXTRA_S = (
    parameter("firing", name) / 1000.0
    for name in ("burst_dead_time_ms", "burst_interval_shortest_ms", "burst_interval_mean_extra_ms")
)
GRID = np.array([0.0, 0.7, 1.5, 2.5, 4.0, 6.0, 12.0])
MORE = 10  # runs of ours for one of theirs: the error left is theirs
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def peer():
    """Return the law in other simulators."""
    if not PEER.exists():
        pytest.skip("benchmarks/peer_firing.py is not part of this copy")
    spec = importlib.util.spec_from_file_location("peer_firing", PEER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def law_of(peer, pair):
    """Return 4 bursts a second that the load brings down within seconds; some load to begin."""
    return peer.Law(4.0, 1.0, 0.3, 3.0, 0.2, pair, DEAD_S, SHORTEST_S, EXTRA_S)


def ours(law, seed, units=UNITS):
    """Return the discharges of the sampler: times (s) and units."""
    hazard = UnitHazard(
        load_mmol_l=GRID,
        bursts_per_min=np.tile(60.0 * law.per_s * np.exp(-law.slope * GRID), (units, 1)),
        unit=np.arange(units),
        origin=np.zeros(units, np.int64),
        pair=np.full(units, law.pair),
        units=units,
        load_per_spike_mmol_l=law.per_spike_mmol_l,
        load_tau_s=law.tau_s,
        ceiling_per_min=1e6,
        start_load_mmol_l=np.full(units, law.start_mmol_l),
    )
    firing = sample_firing(hazard, DURATION_S, np.random.default_rng(seed))
    return firing.time_s, firing.unit


class Drawn:
    """What is compared of discharges: by unit, in bursts, between them."""

    def __init__(self, time_s, unit, units, pair):
        order = np.lexsort((time_s, unit))
        time, unit = time_s[order], unit[order]
        same = np.diff(unit) == 0
        gap = np.diff(time)
        # a burst goes on within 20 ms, of whole steps
        inside = same & (gap < (DEAD_S + 0.5e-3 * DT_MS if pair else 0.0))
        first = np.append(True, ~inside)
        start = np.flatnonzero(first)
        self.size = np.diff(np.append(start, time.size))
        self.within, self.between = gap[inside], gap[same & ~inside]
        edges = np.linspace(0.0, DURATION_S, 4)  # early, middle, late
        self.counts = np.array(
            [
                np.bincount(unit[start][(time[start] >= a) & (time[start] < b)], minlength=units)
                for a, b in itertools.pairwise(edges)
            ]
        )


def agree(theirs, own_draw):
    """Assert that both are draws from one law."""
    for a, b in zip(theirs.counts, own_draw.counts, strict=True):
        error = np.sqrt(a.var() / a.size + b.var() / b.size)
        assert abs(a.mean() - b.mean()) < 4.0 * error
    spread = [d.counts.sum(axis=0).var() for d in (theirs, own_draw)]
    assert spread[0] == pytest.approx(spread[1], rel=4.0 * np.sqrt(2.0 / theirs.counts.shape[1]))
    # whole steps against real numbers: compared in classes of many steps, their edges between two
    cuts = np.quantile(own_draw.between, np.linspace(0.0, 1.0, 31)[1:-1])
    cuts = (np.round(1000.0 * cuts / DT_MS) + 0.5) * DT_MS / 1000.0
    table = [
        np.bincount(np.searchsorted(cuts, d.between), minlength=30) for d in (theirs, own_draw)
    ]
    assert stats.chi2_contingency(np.stack(table)).pvalue > 1e-3


def same_bursts(theirs, own_draw):
    """Assert that bursts have the same sizes and intervals."""
    sizes = [np.bincount(np.minimum(d.size, 5), minlength=6)[1:] for d in (theirs, own_draw)]
    assert stats.chi2_contingency(np.stack(sizes)).pvalue > 1e-3
    cuts = SHORTEST_S + (np.arange(0, 80, 5) + 10.5) * DT_MS / 1000.0
    table = [
        np.bincount(np.searchsorted(cuts, d.within), minlength=cuts.size + 1)
        for d in (theirs, own_draw)
    ]
    assert stats.chi2_contingency(np.stack(table)).pvalue > 1e-3


def draw_peer(simulator, law, units=UNITS):
    """Return what a peer draws."""
    simulator.prepare(law, DURATION_S, 1)
    simulator.go()
    return Drawn(*simulator.spikes(), units, law.pair)


def draw_ours(law, units=MORE * UNITS):
    """Return what we draw, more of it."""
    return Drawn(*ours(law, 1, units), units, law.pair)


def adapts(counted):
    """Assert that the case asks something: the load takes a third of the rate at least."""
    early, _, late = counted.counts.mean(axis=1)
    assert late < 0.67 * early and early > 2.0


def test_brian2_draws_the_same_bursts(peer):
    pytest.importorskip("brian2")
    law = law_of(peer, 0.3)
    theirs, own_draw = draw_peer(peer.Brian(UNITS, DT_MS), law), draw_ours(law)
    adapts(own_draw)
    agree(theirs, own_draw)
    same_bursts(theirs, own_draw)


def test_neuron_draws_the_same_bursts(peer):
    pytest.importorskip("neuron")
    law = law_of(peer, 0.3)
    n_units = 10 * UNITS  # it is exact and quick, so that a rate wrong by a hundredth shows
    theirs, own_draw = draw_peer(peer.Neuron(n_units), law, n_units), draw_ours(law, 4 * n_units)
    agree(theirs, own_draw)
    same_bursts(theirs, own_draw)


def test_nest_draws_the_same_single_discharges(peer):
    pytest.importorskip("nest")
    law = law_of(peer, 0.0)
    theirs, own_draw = draw_peer(peer.Nest(UNITS, DT_MS), law), draw_ours(law)
    adapts(own_draw)
    agree(theirs, own_draw)


@pytest.mark.parametrize(
    "change",
    [
        {"per_spike_mmol_l": 0.0},
        {"start_mmol_l": 0.0},
        {"tau_s": 4.5},
        {"slope": 1.15},
        {"per_s": 4.3},
        {"pair": 0.35},
        {"dead_s": 0.03},
        {"shortest_s": 0.0045},
        {"extra_s": 0.0023},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_law_would_be_found_out(peer, change):
    pytest.importorskip("neuron")
    law = law_of(peer, 0.3)
    theirs, own_draw = draw_peer(peer.Neuron(UNITS), replace(law, **change)), draw_ours(law)
    with pytest.raises(AssertionError):
        agree(theirs, own_draw)
        same_bursts(theirs, own_draw)
