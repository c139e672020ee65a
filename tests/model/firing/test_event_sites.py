"""Event sites: closed forms, drawn sites, the axon itself, and what no choice of axon may turn."""

import numpy as np
import pytest

from neurosim.base.parameters import override, parameter
from neurosim.model.axon import kernel
from neurosim.model.axon.axon import AXONS, DT_MS, Conditions, at_rest, healthy_threshold_pa
from neurosim.model.axon.ensemble import ENSEMBLE
from neurosim.model.body.contributions import contributions
from neurosim.model.body.state import Body
from neurosim.model.firing import event_sites
from neurosim.model.firing.discharge import sample_firing
from neurosim.model.firing.hazard import (
    hazard_table,
    pair_chances,
    rates_without_load,
    site_rates,
    unit_hazard,
)
from neurosim.model.firing.sites import ROGUE, Sites, draw_sites, person_scores
from neurosim.simulation.person_run import person_sites
from neurosim.simulation.scenario import Scenario, load_scenario
from neurosim.simulation.state import state_from_contributions

# rho of 1-ms pulses: an independent computation on the same equations, to three digits.
RATIOS = (
    (Body(potassium_mmol_l=3.5), 1.194),
    (Body(potassium_mmol_l=5.0), 0.826),
    (Body(potassium_mmol_l=6.0), 0.680),
    (Body(ionised_calcium_mmol_l=0.8), 0.574),
    (Body(sodium_channel_blocker=1.0), 1.160),
    (Body(als=1.0), 0.892),
)
LOADED = (1.0, 1.052, 1.119, 1.214, 1.380, 1.640)


def axon_in(body):
    return state_from_contributions(contributions(body)).axon


def event_hazard(size, units=1, duration_s=600.0, load_per_spike=None):
    """Return the hazard of one event site a unit, in health."""
    n = np.full(units, float(size))
    sites = Sites(np.ones(units), np.arange(units), np.full(units, ROGUE), units, n)
    return unit_hazard(hazard_table(Conditions()), sites, np.zeros(units), duration_s)


@pytest.mark.parametrize(("body", "ratio"), RATIOS, ids=lambda v: str(v)[:20])
def test_the_threshold_ratio_is_the_published_one_of_this_membrane(body, ratio):
    assert hazard_table(axon_in(body)).threshold_ratio[0] == pytest.approx(ratio, abs=0.002)


def test_a_sodium_load_raises_the_threshold():
    assert hazard_table(Conditions()).threshold_ratio == pytest.approx(LOADED, abs=0.002)


def test_every_person_is_at_one_in_their_own_health():
    for person in range(4):
        table = hazard_table(Conditions(), "ghk", person_scores(1, person))
        assert table.threshold_ratio[0] == 1.0
        assert np.all(np.diff(table.threshold_ratio) > 0.0)


@pytest.mark.parametrize("potassium", [3.5, 6.0])
def test_pulses_of_random_size_fire_the_axon_as_often_as_the_law_says(potassium):
    # The axon itself, no threshold search: 4,000 pulses of exponential size, counted.
    body, size, n = Conditions(potassium_out_mmol_l=potassium), 0.35, 4000
    sizes = (
        np.random.default_rng(5).standard_exponential(n) * size * healthy_threshold_pa("ghk", 1.0)
    )
    node = at_rest(body, "ghk")
    S, P = np.repeat(node.rest, n, axis=1), np.repeat(node.P, n, axis=1)
    steps = round(1.0 / DT_MS)
    peak = kernel.advance(S, P, sizes, steps, DT_MS)
    peak = np.maximum(peak, kernel.advance(S, P, 0.0 * sizes, 4 * steps, DT_MS))
    share = np.exp(-hazard_table(body).threshold_ratio[0] / size)
    assert (peak > -20.0).mean() == pytest.approx(share, abs=4.0 * np.sqrt(share / n))


def test_the_sampler_counts_as_the_closed_form_without_load():
    size, seconds = 0.2, 3600.0
    with override("firing", "load_factor", 1e-9):
        hazard = event_hazard(size, 20, seconds)
        firing = sample_firing(hazard, seconds, np.random.default_rng(1))
    rate = 60.0 * parameter("firing", "event_rate_per_s") * np.exp(-1.0 / size)
    expected = 20 * seconds / 60.0 * rate / (1.0 + rate / 60.0 * 0.02)  # 20 ms of dead time each
    assert abs(len(firing) - expected) < 4.0 * np.sqrt(expected)
    assert not firing.place.any()  # no burst of an event site has a second spike
    gaps = np.diff(firing.time_s[firing.unit == 0])
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.2)


def test_a_load_slows_an_event_site_through_its_threshold_alone():
    table = hazard_table(Conditions())
    sizes = np.array([0.1, 0.2])
    rates = site_rates(table, np.array([1.0, 5.0]), sizes)
    law = (
        60.0
        * parameter("firing", "event_rate_per_s")
        * np.exp(-table.threshold_ratio / sizes[:, None])
    )
    assert rates == pytest.approx(law, rel=1e-12)  # whatever the site's persistent sodium
    assert np.all(pair_chances(table, np.array([1.0, 5.0]), sizes) == 0.0)


def test_without_event_sites_the_sites_are_channel_sites_alone():
    rng = np.random.default_rng
    with override("firing", "event_share", 0.0):
        sites = draw_sites(43, "foot_sole", 2.0, rng(1), rng(2))
    with_events = draw_sites(43, "foot_sole", 2.0, rng(1), rng(2))
    assert not sites.event_size.any()
    driven = with_events.event_size > 0.0
    rogue = sites.origin == ROGUE
    share = driven.sum() / rogue.sum()
    assert share == pytest.approx(parameter("firing", "event_share"), abs=0.15)
    # the same people: channel sites are where they were, and readiness is the same
    assert np.array_equal(with_events.sodium_multiplier[~driven], sites.sodium_multiplier[~driven])
    tail = parameter("firing", "rogue_tail") / parameter("firing", "event_size")
    assert with_events.event_size[driven] * tail == pytest.approx(
        sites.sodium_multiplier[driven] - 1.0
    )


def test_drawn_sites_have_the_mean_and_the_share_of_the_closed_forms():
    n, lam = 400_000, parameter("firing", "event_rate_per_s")
    sizes = parameter("firing", "event_size") * np.random.default_rng(3).standard_exponential(n)
    means = []
    for ratio in (0.95, 1.0, 1.05):
        rates = event_sites.event_rate(np.float64(ratio), sizes)
        means.append(rates.mean())
        # rare busy sites make most of the mean: its own standard error is the yardstick
        error = rates.std() / np.sqrt(n)
        assert means[-1] == pytest.approx(event_sites.mean_rate(ratio), abs=4.0 * error)
    closed = event_sites.mean_rate(np.array([0.95, 1.05])) / event_sites.mean_rate(1.0)
    assert np.array(means)[[0, 2]] / means[1] == pytest.approx(closed, rel=0.005)
    rates = event_sites.event_rate(np.float64(1.0), sizes)
    for per_min in (0.01, 1.0, 10.0):
        share = event_sites.share_above(per_min)
        assert (rates > per_min).mean() == pytest.approx(share, abs=4.0 * np.sqrt(share / n))
    assert event_sites.share_above(60.0 * lam) == 0.0
    assert event_sites.event_rate(np.float64(1.0), event_sites.least_size(0.5)) == pytest.approx(
        0.5
    )


@pytest.mark.parametrize("axon", [*AXONS, *ENSEMBLE])
@pytest.mark.parametrize("width_ms", [1.0, 5.0])
def test_no_axon_and_no_width_turns_what_potassium_and_sodium_do(axon, width_ms):
    """More at potassium 6 and in kidney disease; fewer at 3.5, under stress, in fatigue."""

    def ratio(body):
        return hazard_table(axon_in(body), axon).threshold_ratio[0]

    with override("firing", "event_width_ms", width_ms):
        for body in (Body(potassium_mmol_l=6.0), load_scenario("kidney_disease").body):
            assert ratio(body) < 0.97
        for body in (
            Body(potassium_mmol_l=3.5),
            load_scenario("stress").body,
            load_scenario("fatigue").body,
        ):
            assert ratio(body) > 1.01


def test_channel_sites_make_the_doublets():
    scenario = Scenario(duration_s=1.0)
    sites, _ = person_sites(scenario, 1)
    table = hazard_table(Conditions(), "ghk", sites.scores)
    pairs = pair_chances(table, sites.sodium_multiplier, sites.event_size)
    rates = rates_without_load(table, sites)
    rogue, driven = sites.origin == ROGUE, sites.event_size > 0.0
    busy = rates > 0.1
    assert pairs[driven].max() < 0.02
    assert pairs[rogue & ~driven & busy].min() > 0.15
