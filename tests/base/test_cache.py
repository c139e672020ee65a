"""Cached values and the numbers that they were made from: the same cold, warm and from disk."""

import random

import pytest

from neurosim.base import cache, disk_cache
from neurosim.base.cache import IDENTITY, cached
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import (
    all_values,
    load_group,
    override,
    override_all,
    parameter,
    track_reads,
)
from neurosim.model.axon import axon as ax
from neurosim.model.axon import people
from neurosim.model.axon.axon import Conditions
from neurosim.model.body.state import Body
from neurosim.model.firing import hazard as hz
from neurosim.model.firing.sites import person_scores
from neurosim.model.muscle import force, junction
from neurosim.simulation import state

LOAD, NOISE = ("firing", "load_factor"), ("firing", "noise_channels")
CALLS = {
    "table": (hz._table, (Conditions(), "ghk", ())),
    "a person's table": (hz._table, (Conditions(), "ghk", person_scores(1, 3))),
    "evoked": (hz.evoked_mv, (Conditions(potassium_out_mmol_l=6.0), "ohmic", ())),
    "axon": (ax._read_axon, ("alternative",)),
    "spread": (people.axon_spread, ("ghk",)),
    "junction": (junction.transmit, (1.1, 0.6, 0.4)),
    "force": (force.force_frequency, ()),
    "body": (state._tissue_state, (Body(isaacs=1.0, stress=0.5), "calf", "")),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for the cache on disk, which is returned."""
    monkeypatch.setenv("NEUROSIM_CACHE", str(tmp_path / "cache"))
    cache.clear()
    yield tmp_path / "cache"
    disk_cache.close()
    cache.clear()


def reads_of(function, *args):
    with track_reads() as reads:
        function(*args)
    return set(reads)


@pytest.mark.parametrize("name", CALLS)
def test_a_number_that_was_read_misses_when_overridden_and_no_other_does(folder, name):
    function, args = CALLS[name]
    reads = reads_of(function, *args)
    assert reads and reads == reads_of(function, *args)
    read, unread = [], []
    for group, value in all_values():
        with override(group, value.name, value.value * 1.01 + 1e-9):
            missed = function.missing([args]) != []
        if missed:
            read.append((group, value.name))
        else:
            unread.append((group, value.name))
    assert set(read) == reads and unread
    function.clear()  # and the same of what is on disk
    chosen = random.Random(1).sample(unread, 5), random.Random(1).sample(read, min(5, len(read)))
    for keys, gone in zip(chosen, (False, True), strict=True):
        for group, number in keys:
            function.clear()
            with override(group, number, load_group(group)[number].value * 1.01 + 1e-9):
                assert (function.missing([args]) != []) is (gone or function.codec is None)


def test_an_outer_value_has_the_reads_of_inner_ones(folder):
    @cached(codec=IDENTITY)
    def inner(x):
        return x * parameter(*LOAD)

    @cached(codec=IDENTITY)
    def outer(x):
        return inner(x) + inner(x) * (parameter(*NOISE) if x > 1 else 0.0)

    expected = {1.0: {LOAD}, 2.0: {LOAD, NOISE}}
    for x, reads in expected.items():
        for empty in ((), (), (outer,), (inner,), (inner, outer)):
            for function in empty:
                function.clear()
            assert reads_of(outer, x) == reads
    cache.clear()
    assert outer.missing([(1.0,)]) == [(1.0,)]


def test_values_of_several_overrides_stand_beside_each_other(folder):
    calls = []

    @cached(size=3)
    def factor():
        calls.append(1)
        return parameter(*LOAD)

    for value in (7.0, 8.0, 7.0, 8.0):
        with override(*LOAD, value), override(*NOISE, value):
            assert factor() == value
    assert len(calls) == 2 and factor() == load_group("firing")["load_factor"].value
    with override_all({LOAD: 9.0}):
        assert factor() == 9.0  # a fourth value: the one used least recently goes
    assert factor() == parameter(*LOAD) and len(calls) == 4
    with override(*LOAD, 7.0):
        assert factor() == 7.0 and len(calls) == 5


def test_what_a_failing_function_has_read_counts(folder):
    @cached()
    def fail():
        parameter(*LOAD)
        raise NeurosimError("no value")

    for _ in range(2):
        with track_reads() as reads, pytest.raises(NeurosimError, match="no value"):
            fail()
        assert set(reads) == {LOAD}


def test_reads_of_a_block_alone_are_not_seen_outside():
    with track_reads() as outer:
        parameter(*LOAD)
        with track_reads(alone=True) as alone:
            parameter(*NOISE)
    assert set(outer) == {LOAD} and set(alone) == {NOISE}


def test_the_ceiling_of_pairs_acts_on_a_warm_cache(folder):
    def largest():
        return hz.hazard_table(Conditions()).pair.max()

    usual = largest()
    with override("firing", "pair_ceiling", 0.05):
        assert largest() == 0.05 < usual
    assert largest() == usual
    cache.clear()
    with override("firing", "pair_ceiling", 0.05):
        assert largest() == 0.05
    assert largest() == usual


def test_values_of_a_batch_have_the_reads_of_single_ones(folder):
    states = [Conditions(), Conditions(ph=7.2), Conditions(potassium_out_mmol_l=6.0)]
    for scores in ((), person_scores(1, 3)):
        calls = [(c, "ghk", scores) for c in states]
        functions = (hz.examined_sites, hz.evoked_mv, hz._table)
        single = []
        for args in calls:
            for function in functions:
                cache.clear()
                single.append(reads_of(function, *args))
        cache.clear()
        with track_reads() as reads:
            hz.prefetch_tables(states, "ghk", scores)
        assert not reads & set().union(*single) - reads_of(hz.hazard_table, *calls[0])
        assert [reads_of(f, *args) for args in calls for f in functions] == single
