"""People's axons: as different as the norms of healthy people say, and the same for a seed."""

import json
from importlib import resources

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, override
from neurosim.clinic.excitability import measure_curves
from neurosim.clinic.indices import MEASURES
from neurosim.model.axon import people
from neurosim.model.axon.axon import AXONS, Conditions, at_rest, axon_parameters
from neurosim.model.firing.sites import person_scores

DRAWN = 96
# What the norms' recordings add beside people (the fit's R and surroundings) is left out here:
# axons alone must lie below people's SD, and above half of it.
MAIN = (
    "sdtc_ms", "te_d_peak_percent", "te_d_90_100_percent", "te_h_20_40_percent",
    "te_h_90_100_percent", "te_d_undershoot_percent", "te_h_overshoot_percent",
    "superexcitability_percent", "subexcitability_percent", "resting_iv_slope",
    "minimum_iv_slope", "accommodation_half_time_ms",
)  # fmt: skip


def packaged(name):
    text = resources.files("neurosim").joinpath(f"clinic/{name}").read_text("utf-8")
    return json.loads(text)


@pytest.fixture(scope="module")
def drawn():
    """Return the measures of people drawn as a study draws them."""
    axons = [people.axon_of_person("ghk", person_scores(3, p)) for p in range(DRAWN)]
    curves = measure_curves(at_rest([Conditions()] * DRAWN, axons), full=True)
    return curves


def test_every_drawn_axon_fires_and_rests_like_an_axon(drawn):
    assert np.isfinite(drawn.threshold_pa).all()
    assert (drawn.resting_potential_mv > -90.0).all() and (drawn.resting_potential_mv < -72.0).all()


def test_drawn_axons_differ_as_people_do(drawn):
    rows = packaged("trond_norms.json")["measures"]["rows"]
    share = np.array([np.nanstd(drawn.measures[k], ddof=1) / rows[k][1] for k in MAIN])
    assert (share > 0.5).all() and (share < 1.25).all(), dict(zip(MAIN, share, strict=True))
    assert 0.75 < share.mean() < 1.0


def test_drawn_axons_go_together_as_people_do(drawn):
    table = packaged("norm_correlations.json")
    index = [table["measures"].index(k) for k in MAIN]
    published = np.array(table["correlation"], float)[np.ix_(index, index)]
    model = np.ma.corrcoef(np.ma.masked_invalid([drawn.measures[k] for k in MAIN])).filled(np.nan)
    upper = np.triu_indices(len(MAIN), 1)
    large = np.abs(published[upper]) >= 0.5
    assert large.sum() >= 10
    assert (np.sign(model[upper]) == np.sign(published[upper]))[large].all()
    assert np.corrcoef(model[upper], published[upper])[0, 1] > 0.85
    assert np.sqrt(np.mean((model - published)[upper] ** 2)) < 0.25


def test_the_mean_person_has_the_mean_axon(drawn):
    for axon in AXONS:
        assert people.axon_of_person(axon, ()) == axon
        assert people.axon_of_person(axon, (0.0,) * people.score_count()) == axon
    mean = measure_curves(at_rest(Conditions(), "ghk"), full=True)
    rows = packaged("trond_norms.json")["measures"]["rows"]
    for key in MAIN:
        away = np.nanmedian(drawn.measures[key]) - mean.measures[key][0]
        assert abs(away) < 0.5 * rows[key][1], key


def test_scores_depend_on_seed_and_person_alone():
    first = [person_scores(1, p) for p in range(40)]
    assert first == [person_scores(1, p) for p in range(40)]
    assert len(set(first)) == 40 and person_scores(2, 0) not in first
    assert people.axon_of_person("ghk", first[3]) == people.axon_of_person("ghk", tuple(first[3]))
    numbers = np.array([person_scores(1, p) for p in range(400)])
    assert np.abs(numbers.mean(axis=0)).max() < 0.2 and np.abs(numbers.std(axis=0) - 1).max() < 0.15


def test_a_score_moves_a_parameter_by_its_spread():
    entry = load_group("people")["ghk.PNa"]
    scores = (1.0, *[0.0] * (people.score_count() - 1))
    ratio = people.axon_of_person("ghk", scores)["PNa"] / axon_parameters("ghk")["PNa"]
    assert np.log(ratio) == pytest.approx(entry.value * entry.along[0], rel=1e-9)
    assert np.linalg.norm(entry.along) == pytest.approx(1.0, abs=1e-3)
    with override("membrane", "people_spread", 0.0):
        assert people.axon_of_person("ghk", scores) == "ghk"


def test_a_healthy_person_rests_where_slow_inactivation_is_one():
    person_axon = people.axon_of_person("ghk", person_scores(1, 7))
    axons = at_rest(Conditions(), person_axon)
    assert axons.availability[0] == pytest.approx(1.0, abs=1e-9)
    assert axons.rest_mv[0] == pytest.approx(person_axon["Es0"], abs=1e-6)


def test_every_axon_has_a_spread_and_mistakes_are_one_sentence():
    for axon in AXONS:
        assert len(people.axon_spread(axon)) >= 10
    with pytest.raises(NeurosimError, match="scores of the axon, not 2"):
        people.axon_of_person("ghk", (1.0, 2.0))


def test_words_name_what_differs_most():
    scores = person_scores(1, 0)
    differences = people.largest_differences("ghk", scores)
    assert len(differences) == 3 and len({label for label, _, _ in differences}) == 3
    assert {m.key for m in MEASURES} >= set(MAIN)
