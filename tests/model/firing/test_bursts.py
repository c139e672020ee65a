"""Bursts by rule: myokymia within its published ranges, multiplets as in their table."""

import numpy as np
import pytest
from scipy import stats

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, parameter
from neurosim.model.firing import bursts


def rng(*seed):
    return np.random.default_rng(np.random.SeedSequence(seed))


def sizes(place):
    first = np.flatnonzero(place == 0)
    return np.diff(np.append(first, place.size)), first


def test_rhythms_lie_in_the_published_ranges():
    rhythms = [bursts.draw_rhythm(rng(i)) for i in range(400)]
    assert {r.spikes for r in rhythms} == set(range(2, 11))
    rate = np.array([r.spikes_per_s for r in rhythms])
    period = np.array([r.period_s for r in rhythms])
    assert rate.min() >= 5.0 and rate.max() <= 62.0 and 25.0 < np.median(rate) < 40.0
    assert period.min() >= 0.1 and period.max() <= 10.0
    assert all(3.0 * r.burst_s <= r.period_s for r in rhythms)
    # the rate alone is triangular in its logarithm where any period will do
    low, top, high = np.log([5.0, 35.0, 62.0])
    free = [bursts.draw_rhythm(rng(7, i)) for i in range(2000)]
    logs = np.log([r.spikes_per_s for r in free if r.spikes == 2 and r.period_s > 1.0])
    law = stats.triang((top - low) / (high - low), low, high - low)
    assert stats.kstest(logs, law.cdf).pvalue > 1e-3


def test_myokymia_keeps_its_rhythm():
    rhythm = bursts.Rhythm(spikes=5, spikes_per_s=30.0, period_s=1.0)
    times, place = bursts.sample_myokymia(rhythm, 2000.0, rng(1))
    assert (np.diff(times) > 0).all() and times[0] >= 0 and times[-1] < 2000.0
    size, first = sizes(place)
    starts = times[first]
    gaps = np.diff(times)[place[1:] > 0]
    n = starts.size
    assert abs(n / 2000.0 - 1.0) < 4 * 0.2 / np.sqrt(2000.0)
    assert np.diff(starts).std() / np.diff(starts).mean() == pytest.approx(0.2, rel=0.08)
    assert gaps.mean() == pytest.approx(1 / 30.0, rel=4 * 0.15 / np.sqrt(gaps.size))
    assert gaps.std() / gaps.mean() == pytest.approx(0.15, rel=0.05)
    assert set(size[1:-1]) == {4, 5, 6}
    again, _ = bursts.sample_myokymia(rhythm, 2000.0, rng(1))
    assert np.array_equal(times, again)


def test_myokymia_needs_some_time():
    with pytest.raises(NeurosimError, match="duration_s must be above 0, not -1"):
        bursts.sample_myokymia(bursts.Rhythm(3, 30.0, 1.0), -1.0, rng(1))


def test_the_rule_says_that_it_is_empirical():
    for what in (bursts, bursts.draw_rhythm, bursts.sample_myokymia):
        assert "empirical" in (what.__doc__ or "").lower()
    assert all(value.grade == "assumed" for value in load_group("bursts").values())


@pytest.mark.parametrize("axon", ["ghk", "ohmic"])
@pytest.mark.parametrize("site", ["short", "long", "isaacs"])
def test_a_table_gives_its_own_sizes_and_intervals_back(axon, site):
    table = bursts.site_bursts(site, axon)
    assert table.size_share.sum() == pytest.approx(1.0)
    starts = np.arange(20000.0)
    times, place = bursts.sample_multiplets(table, starts, rng(3))
    size, first = sizes(place)
    np.testing.assert_allclose(times[first], starts, rtol=0, atol=1e-7)
    counted = np.bincount(size, minlength=11)[1:]
    expected = table.size_share * starts.size
    error = np.sqrt(np.maximum(expected * (1 - table.size_share), 1.0))
    assert (np.abs(counted - expected) < 4.5 * error).all()
    for k in range(1, 10):
        gap = np.diff(times)[place[1:] == k] * 1000.0
        if gap.size < 200:
            continue
        spread = table.interval_spread[k - 1]
        error = 4.5 * 1.2533 * spread / np.sqrt(gap.size)
        assert np.median(gap) == pytest.approx(table.interval_ms[k - 1], rel=error)
    assert parameter("chain", f"{axon}.{site}.share_two") == pytest.approx(
        1.0 - table.size_share[0], abs=1e-3
    )


def test_an_unknown_site_is_named():
    with pytest.raises(NeurosimError, match="ghk.shrot.*ghk.short"):
        bursts.site_bursts("shrot")
