"""The sampler against the law it draws from: closed forms, quadrature and a stepped clock."""

import dataclasses
import sys

import numpy as np
import pytest
from scipy import stats

from neurosim.base import backends
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter
from neurosim.model.firing import discharge, sampler
from neurosim.model.firing.discharge import (
    ORIGINS,
    HazardCourse,
    UnitHazard,
    as_course,
    balance,
    expected_bursts_per_min,
    firing_from_rows,
    merge_firings,
    sample_by_time_steps,
    sample_firing,
    stream_discharges,
)

GRID = np.array([0.0, 0.7, 1.5, 2.5, 4.0, 6.0])
DEAD_S = parameter("firing", "burst_dead_time_ms") / 1000.0
SHORTEST_S = parameter("firing", "burst_interval_shortest_ms") / 1000.0


def sites(
    rates,
    unit=None,
    *,
    slope=1.0,
    pair=0.0,
    load=0.0,
    tau=360.0,
    ceiling=1e6,
    units=None,
    start=None,
    share=0.0,
    tau_fast=5.0,
):
    """Return sites with bursts per minute falling by `slope` per mmol/L of load."""
    rates = np.atleast_1d(np.asarray(rates, float))
    n = rates.size
    unit = np.arange(n) if unit is None else np.asarray(unit)
    units = int(unit.max(initial=-1)) + 1 if units is None else units
    return UnitHazard(
        load_mmol_l=GRID,
        bursts_per_min=rates[:, None] * np.exp(-np.multiply.outer(np.broadcast_to(slope, n), GRID)),
        unit=unit,
        origin=np.arange(n) % 3,
        pair=np.broadcast_to(np.asarray(pair, float), n).copy(),
        units=units,
        load_per_spike_mmol_l=load,
        load_tau_s=tau,
        ceiling_per_min=ceiling,
        start_load_mmol_l=None if start is None else np.full(units, start),
        load_fast_share=share,
        load_fast_tau_s=tau_fast,
    )


def draw(hazard, duration_s, seed):
    return sample_firing(hazard, duration_s, np.random.default_rng(seed))


def per_second(hazard, load):
    """Return the burst rate of a one-unit hazard at each load, by NumPy's own interpolation."""
    total = np.minimum(hazard.bursts_per_min.sum(axis=0), hazard.ceiling_per_min)
    return np.exp(np.interp(load, GRID, np.log(total / 60.0)))


def stores(hazard):
    """Return what a discharge adds to both stores, their time constants, and their loads at 0."""
    share, start = hazard.load_fast_share, hazard.start_load_mmol_l
    added = hazard.load_per_spike_mmol_l * np.array([1.0 - share, share])
    taus = np.array([hazard.load_tau_s, hazard.load_fast_tau_s])
    steady = added * taus / (added * taus).sum()
    return added, taus, steady * (0.0 if start is None else start[0])


def rescaled_gaps(hazard, firing):
    """Return the hazard integrated over each silence; exponential with mean 1 if it is exact."""
    burst = np.cumsum(firing.place == 0) - 1
    last = np.append(np.flatnonzero(np.diff(burst)), len(firing) - 1)
    first = np.flatnonzero(firing.place == 0)
    start = np.append(0.0, firing.time_s[last] + DEAD_S)
    added, taus, load = stores(hazard)
    after, before = np.empty((len(firing), 2)), 0.0
    for i, t in enumerate(firing.time_s):
        load = load * np.exp(-(t - before) / taus)
        assert load.sum() == pytest.approx(firing.load_mmol_l[i], rel=1e-9, abs=1e-12)
        load, before = load + added, t
        after[i] = load
    load = np.vstack([stores(hazard)[2], after[last] * np.exp(-DEAD_S / taus)])[: first.size]
    length = firing.time_s[first] - start[: first.size]
    nodes, weights = np.polynomial.legendre.leggauss(80)
    s = 0.5 * length[:, None] * (1.0 + nodes)
    decayed = load[:, :, None] * np.exp(-s[:, None, :] / taus[:, None])
    rate = per_second(hazard, decayed.sum(axis=1))
    return 0.5 * length * (rate * weights).sum(axis=1)


@pytest.mark.parametrize(
    "hazard",
    [
        sites([40.0], [0], load=0.4, tau=20.0),
        sites([30.0, 20.0, 5.0], [0, 0, 0], slope=[0.5, 1.0, 2.0], pair=0.3, load=0.3, tau=15.0),
        sites([400.0, 90.0], [0, 0], slope=1.5, pair=0.2, load=0.25, tau=30.0, ceiling=150.0),
        sites([90.0], [0], load=0.05, tau=600.0, start=5.0),
        sites([60.0], [0], pair=0.4, load=0.5, tau=60.0, start=1.0, share=0.8),
        sites([20.0, 9.0], [0, 0], slope=[1.0, 3.0], load=0.6, tau=90.0, share=0.5, tau_fast=9.0),
    ],
    ids=[
        "one site",
        "three sites in bursts",
        "at its ceiling",
        "loaded from the start",
        "in two stores",
        "in two stores, two sites",
    ],
)
def test_rescaled_silences_are_exponential_over_seeds(hazard):
    p_values, pooled = [], []
    for seed in range(40):
        firing = draw(hazard, 6000.0, seed)
        gaps = rescaled_gaps(hazard, firing)[:250]
        assert gaps.size == 250
        p_values.append(stats.kstest(gaps, "expon").pvalue)
        pooled.append(gaps)
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3
    assert stats.kstest(np.concatenate(pooled), "expon").pvalue > 1e-3


def test_counts_of_a_constant_hazard_are_poisson():
    mean = 3.0
    hazard = sites(np.full(4000, mean / 10.0), slope=0.0)
    firing = draw(hazard, 600.0, 5)
    counts = np.bincount(firing.unit, minlength=4000)
    histogram = np.bincount(np.minimum(counts, 9), minlength=10)
    law = stats.poisson.pmf(np.arange(9), mean)
    expected = 4000 * np.append(law, 1.0 - law.sum())
    assert stats.chisquare(histogram, expected).pvalue > 1e-3
    assert stats.kstest(firing.time_s / 600.0, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_counts_and_burst_sizes_agree_with_the_clock(share):
    hazard = sites(
        [160.0, 60.0, 120.0, 200.0],
        [0, 0, 1, 2],
        slope=[0.6, 1.5, 1.0, 1.0],
        pair=0.35,
        load=0.5,
        tau=8.0,
        share=share,
        tau_fast=1.0,
    )
    clock = [
        sample_by_time_steps(hazard, 20.0, np.random.default_rng(s), dt_s=2e-3) for s in range(6)
    ]
    exact = [draw(hazard, 20.0, 100 + s) for s in range(300)]

    def bursts(firings, unit):
        return np.array([((f.unit == unit) & (f.place == 0)).sum() for f in firings])

    for unit in range(3):
        a, b = bursts(clock, unit), bursts(exact, unit)
        error = b.std(ddof=1) * np.sqrt(1.0 / a.size + 1.0 / b.size)
        assert abs(a.mean() - b.mean()) < 3.5 * error

    def places(firings):
        return np.bincount(np.minimum(np.concatenate([f.place for f in firings]), 4), minlength=5)

    assert stats.chi2_contingency(np.stack([places(clock), places(exact)])).pvalue > 1e-3
    origins = [np.bincount(np.concatenate([f.origin for f in g])) for g in (clock, exact)]
    assert stats.chi2_contingency(np.stack(origins)).pvalue > 1e-3


def test_burst_sizes_are_geometric_by_the_site_they_start_at():
    pair = np.array([0.0, 0.25, 0.6])
    firing = draw(sites([20.0, 20.0, 20.0], [0, 1, 2], pair=pair, slope=0.0), 30_000.0, 3)
    for origin, chance in enumerate(pair):
        place = firing.place[firing.origin == origin]
        n = (place == 0).sum()
        longer = (place == 1).sum()
        assert stats.binomtest(int(longer), int(n), max(chance, 1e-12)).pvalue > 1e-3


def test_sodium_load_holds_the_rate_at_the_mean_field():
    # A small load per discharge and a long memory: then the mean-field is exact but for the
    # dead time (0.02 s of about 3 s).
    hazard = sites(np.full(20, 60.0), load=0.01, tau=300.0, pair=0.2)
    expected = expected_bursts_per_min(hazard)
    assert (expected < 40.0).all()
    spikes = 1.0 / (1.0 - 0.2)
    balance = 60.0 * np.exp(-expected / 60.0 * spikes * 0.01 * 300.0)
    assert expected == pytest.approx(balance, rel=0.02)  # its own equation, solved apart
    firing = draw(hazard, 9000.0, 2)
    late = (firing.time_s > 1800.0) & (firing.place == 0)
    rate = late.sum() / 7200.0 * 60.0 / 20
    assert rate == pytest.approx(expected.mean(), rel=0.02)
    early = (firing.time_s < 30.0) & (firing.place == 0)
    assert early.sum() / 30.0 * 60.0 / 20 > 1.2 * rate


def test_a_unit_that_starts_in_balance_stays_there():
    hazard = sites(np.full(300, 60.0), load=0.01, tau=300.0, pair=0.2)
    rate, load = balance(hazard)
    assert load == pytest.approx(rate / 60.0 * 0.01 * 300.0 / 0.8, rel=0.02)
    firing = draw(dataclasses.replace(hazard, start_load_mmol_l=load), 600.0, 3)
    first = firing.place == 0
    minutes = np.histogram(firing.time_s[first], bins=10, range=(0, 600))[0] / 300.0
    assert minutes == pytest.approx(np.full(10, rate[0]), rel=0.04)
    assert firing.load_mmol_l.mean() == pytest.approx(load[0], rel=0.04)


@pytest.mark.parametrize("rates", [[8.0], [200.0], [300.0, 4.0], [5000.0, 90.0]])
def test_the_balance_meets_its_own_equation(rates):
    hazard = sites(rates, [0] * len(rates), slope=1.3, pair=0.3, load=0.05, ceiling=500.0)
    (rate,), (load,) = balance(hazard)
    # the rate at that load, apart from the package's interpolation
    assert rate == pytest.approx(60.0 * float(per_second(hazard, np.array([load]))[0]), rel=0.03)
    assert load == pytest.approx(rate / 60.0 / 0.7 * 0.05 * 360.0, rel=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_balance_sums_the_stores(share):
    hazard = sites([30.0], [0], pair=0.25, load=0.05, tau=360.0, share=share, tau_fast=30.0)
    (rate,), (load,) = balance(hazard)
    by_hand = 0.05 * (360.0 * (1.0 - share) + 30.0 * share)
    assert load == pytest.approx(rate / 60.0 / 0.75 * by_hand, rel=1e-6)
    (slow,), (fast,) = discharge._start_loads(
        dataclasses.replace(hazard, start_load_mmol_l=np.array([2.0]))
    )
    assert slow + fast == pytest.approx(2.0)
    assert fast == pytest.approx(2.0 * 0.05 * 30.0 * share / by_hand)


def test_a_unit_in_two_stores_stays_in_balance():
    hazard = sites(np.full(300, 60.0), load=0.02, tau=300.0, pair=0.2, share=0.7, tau_fast=30.0)
    rate, load = balance(hazard)
    firing = draw(dataclasses.replace(hazard, start_load_mmol_l=load), 600.0, 3)
    minutes = np.histogram(firing.time_s[firing.place == 0], bins=10, range=(0, 600))[0] / 300.0
    assert minutes == pytest.approx(np.full(10, rate[0]), rel=0.05)
    assert firing.load_mmol_l.mean() == pytest.approx(load[0], rel=0.04)


def test_an_empty_fast_store_changes_no_discharge():
    hazard = sites([30.0, 9.0, 60.0], [0, 0, 1], pair=0.4, load=0.1, tau=60.0, start=0.5)
    one, other = (
        draw(dataclasses.replace(hazard, load_fast_tau_s=tau), 3600.0, 5) for tau in (0.1, 900.0)
    )
    for name, column in one.columns().items():
        assert np.array_equal(column, other.columns()[name]), name


def test_the_mean_field_never_exceeds_the_ceiling():
    hazard = sites([5000.0, 3000.0], [0, 0], load=1e-9, ceiling=500.0)
    assert expected_bursts_per_min(hazard) == pytest.approx([500.0])


def drawn_without_numba(monkeypatch, draw_it):
    """Return what is drawn by the plain loop."""
    with monkeypatch.context() as patch:
        patch.setenv("NEUROSIM_BACKEND", "numpy")
        return draw_it()


@pytest.mark.parametrize("seed", range(3))
def test_compiled_and_plain_python_give_the_same_discharges_to_the_bit(seed, monkeypatch):
    pytest.importorskip("numba")
    hazard = sites([30.0, 9.0, 60.0], [0, 0, 1], pair=0.4, load=0.1, tau=60.0, ceiling=50.0,
                   start=0.3, share=0.6)  # fmt: skip
    rising = HazardCourse(
        np.array([0.0, 500.0, 900.0]),
        (
            hazard,
            *(
                dataclasses.replace(hazard, bursts_per_min=hazard.bursts_per_min * f)
                for f in (3.0, 0.5)
            ),
        ),
    )
    law = hazard if seed else rising
    compiled = draw(law, 1200.0, seed)
    plain = drawn_without_numba(monkeypatch, lambda: draw(law, 1200.0, seed))
    assert len(plain) > 500 and plain.place.max() > 2
    for name, column in compiled.columns().items():
        assert np.array_equal(column, plain.columns()[name]), name


@pytest.mark.parametrize("max_rows", [1, 7, 1000])
def test_where_the_stream_is_cut_moves_nothing(max_rows):
    hazard = sites([30.0, 9.0, 60.0], [0, 0, 1], pair=0.5, load=0.1, tau=60.0)
    rising = HazardCourse(
        np.array([0.0, 700.0]),
        (hazard, dataclasses.replace(hazard, bursts_per_min=hazard.bursts_per_min * 3.0)),
    )
    pieces = [
        rows.copy()
        for rows in stream_discharges(rising, 3600.0, np.random.default_rng(4), max_rows=max_rows)
    ]
    uncut = draw(rising, 3600.0, 4)
    assert len(pieces) > 1 and all(rows[3, 0] == 0.0 for rows in pieces)
    assert max(rows.shape[1] for rows in pieces) <= max_rows + sampler.LONGEST
    times = np.concatenate(pieces, axis=1)[0]
    assert np.array_equal(np.sort(times), uncut.time_s)


def test_short_intervals_are_within_bursts_and_never_under_the_shortest():
    hazard = sites([200.0, 150.0, 80.0], [0, 1, 2], pair=0.5, slope=0.0)
    firing = draw(hazard, 3000.0, 8)
    assert np.all(np.diff(firing.time_s) >= 0)
    for unit in range(3):
        in_unit = firing.unit == unit
        interval, place = np.diff(firing.time_s[in_unit]), firing.place[in_unit]
        assert place[0] == 0
        inside = place[1:] > 0
        assert np.all(place[1:][inside] == place[:-1][inside] + 1)
        assert np.all(interval >= SHORTEST_S - 1e-9)
        # the dead time parts the two kinds of interval without overlap
        assert np.all(interval[inside] <= DEAD_S + 1e-9)
        assert np.all(interval[~inside] > DEAD_S - 1e-9)
        assert np.array_equal(interval <= DEAD_S + 1e-9, inside)
    in_unit = firing.unit == 0
    extra = np.diff(firing.time_s[in_unit])[firing.place[in_unit][1:] > 0] - SHORTEST_S
    mean = parameter("firing", "burst_interval_mean_extra_ms") / 1000.0
    uncapped = extra < DEAD_S - SHORTEST_S - 1e-9
    law = stats.truncexpon(b=(DEAD_S - SHORTEST_S) / mean, scale=mean)
    assert stats.kstest(extra[uncapped], law.cdf).pvalue > 1e-3


def test_sites_are_chosen_in_proportion_to_their_hazard():
    hazard = sites([30.0, 20.0, 10.0], [0, 0, 0], slope=0.0)
    firing = draw(hazard, 20_000.0, 4)
    counts = np.bincount(firing.origin, minlength=3)
    assert stats.chisquare(counts, len(firing) * np.array([3, 2, 1]) / 6.0).pvalue > 1e-3


@pytest.mark.parametrize("load", [0.0, 0.35, 1.5, 5.0, 9.0])
def test_the_choice_follows_the_shares_at_the_load_of_the_moment(load):
    hazard = sites([30.0, 20.0, 10.0], [0, 0, 0], slope=[0.1, 1.0, 0.4])
    share = hazard.bursts_per_min / hazard.bursts_per_min.sum(axis=0)
    share_at_load = np.array([np.interp(load, GRID, row) for row in share])
    law = discharge.sampling_tables(as_course(hazard), np.arange(3))
    picked = [
        sampler.choose_site(law, 0, u, load, 0.0, 0) for u in (np.arange(20_000) + 0.5) / 20_000
    ]
    assert np.bincount(law.site[picked], minlength=3) / 20_000 == pytest.approx(
        share_at_load, abs=1e-4
    )


def test_the_choice_and_the_rate_move_from_knot_to_knot():
    first = sites([30.0, 10.0], [0, 0], slope=0.0)
    later = dataclasses.replace(first, bursts_per_min=first.bursts_per_min[::-1] * 4.0)
    law = discharge.sampling_tables(
        HazardCourse(np.array([0.0, 60.0]), (first, later)), np.arange(2)
    )
    log_rate = sampler.log_hazard(law, 0, 0.2, 0.25, 0)
    assert np.exp(log_rate) * 60.0 == pytest.approx(40.0 * 4.0**0.25)
    goals = (np.arange(20_000) + 0.5) / 20_000
    picked = [sampler.choose_site(law, 0, u, 0.2, 0.25, 0) for u in goals]
    second = np.mean(law.site[picked] == 1)
    assert second == pytest.approx(0.75 * 0.25 + 0.25 * 0.75, abs=1e-4)


def test_drawing_leaves_the_references_to_its_tables_as_they_were():
    hazard = sites([300.0, 200.0, 100.0], [0, 0, 1], pair=0.2, load=0.1)
    tables = discharge.sampling_tables(as_course(hazard), np.arange(3))
    waits, out = np.ones(2), np.empty((sampler.ROWS, 1000))
    counts = []
    for seed in range(3):
        rng, timing = np.random.default_rng(seed), discharge._timing(hazard)
        state = sampler.initial_state()
        (backends.loop("sample") or sampler.sample)(rng, tables, timing, waits, 60.0, state, out)
        counts.append([sys.getrefcount(array) for array in (*tables, waits, out)])
    assert counts[0] == counts[1] == counts[2]


def test_shares_stay_exact_beside_a_unit_that_fires_much_more():
    hazard = sites([1e3, 3e-6, 1e-6], [0, 1, 1], slope=0.0)
    law = discharge.sampling_tables(as_course(hazard), np.arange(3))
    assert law.share[0, :, 1] == pytest.approx(np.full(6, 0.75), rel=1e-12)


def test_the_same_seed_gives_the_same_discharges():
    hazard = sites([20.0, 30.0], pair=0.2, load=0.1)
    first, second, other = (draw(hazard, 600.0, s) for s in (1, 1, 2))
    for name in ("time_s", "unit", "origin", "place", "load_mmol_l"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
    assert not np.array_equal(first.time_s, other.time_s)


def test_silent_units_take_no_random_numbers():
    few = draw(sites([20.0, 30.0], [1, 3]), 600.0, 1)
    rates = [1e-20, 20.0, 1e-18, 30.0, 1e-30]
    with_silent = draw(sites(rates, [0, 1, 2, 3, 4]), 600.0, 1)
    assert np.array_equal(few.time_s, with_silent.time_s) and np.array_equal(
        few.unit, with_silent.unit
    )


def test_a_longer_run_begins_with_the_shorter_one_for_one_unit():
    hazard = sites([20.0], pair=0.3, load=0.2)
    short, long = draw(hazard, 300.0, 6), draw(hazard, 900.0, 6)
    assert np.array_equal(short.time_s, long.time_s[long.time_s < 300.0])


@pytest.mark.parametrize("rates", [[], [1e-30, 1e-30]])
def test_without_sites_that_fire_there_is_nothing(rates):
    hazard = sites(rates, np.zeros(len(rates), int), units=3)
    firing = draw(hazard, 600.0, 0)
    assert len(firing) == 0 and firing.bursts_per_min == 0.0
    assert {c.size for c in firing.columns().values()} == {0}
    assert expected_bursts_per_min(hazard) == pytest.approx(np.zeros(3), abs=1e-20)
    assert "0 discharges" in str(firing)


def test_more_discharges_than_memory_holds_are_refused():
    with pytest.raises(NeurosimError, match="shorter duration"):
        draw(sites(np.full(200, 500.0)), 31_557_600.0, 0)


def test_columns_are_of_equal_length_and_name_their_origin():
    firing = draw(sites([20.0, 30.0, 40.0], pair=0.2, load=0.01), 600.0, 1)
    columns = firing.columns()
    assert {c.size for c in columns.values()} == {len(firing)}
    assert set(columns["origin"]) == set(ORIGINS[:3]) and set(columns["process"]) == {"misfire"}
    assert firing.bursts_per_min == pytest.approx((firing.place == 0).sum() / 10.0)
    assert np.all(firing.load_mmol_l >= 0) and firing.load_mmol_l[0] == 0.0


def test_a_hazard_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        sites([1.0]).units = 3


def test_an_episode_is_a_burst_and_episodes_are_numbered_in_time():
    firing = draw(sites([20.0, 30.0, 40.0], pair=0.4, load=0.01), 600.0, 1)
    first = firing.place == 0
    assert np.array_equal(firing.episode[first], np.arange(first.sum()))
    for episode in range(0, first.sum(), 7):
        members = np.flatnonzero(firing.episode == episode)
        assert np.array_equal(firing.place[members], np.arange(members.size))
        assert np.unique(firing.unit[members]).size == np.unique(firing.origin[members]).size == 1
        assert np.all(np.diff(firing.time_s[members]) <= 0.020)


def rows(*discharges):
    """Return the rows of `firing_from_rows` from (time, unit, place)."""
    time, unit, place = np.array(discharges, float).T
    return np.stack([time, unit, 0 * unit, place, 0 * unit])


def test_sources_merge_without_touching_each_others_bursts():
    first = firing_from_rows(rows((1.0, 0, 0), (1.005, 0, 1), (3.0, 0, 0)), 10.0)
    two = firing_from_rows(
        rows((0.5, 1, 0), (1.002, 0, 0), (1.02, 0, 1), (3.5, 0, 0)), 10.0, "myokymia"
    )
    merged = merge_firings([first, two])
    assert merged.time_s.tolist() == [
        0.5,
        1.0,
        1.005,
        1.02,
        3.0,
        3.5,
    ]  # 1.002 falls into the refractory
    assert merged.episode.tolist() == [0, 1, 1, 2, 3, 4]
    assert merged.place.tolist() == [0, 0, 1, 0, 0, 0]
    assert merged.columns()["process"].tolist() == (
        ["myokymia", "misfire", "misfire", "myokymia", "misfire", "myokymia"]
    )
    assert merge_firings([first, merge_firings([two])]).time_s.tolist() == merged.time_s.tolist()
    alone = merge_firings([first])
    assert all(
        np.array_equal(alone.columns()[name], column) for name, column in first.columns().items()
    )
