"""The ensemble: axons that the norms do not tell apart, reached by name like the shipped ones."""

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, override
from neurosim.clinic import norms
from neurosim.clinic.excitability import measure_curves
from neurosim.model.axon import people
from neurosim.model.axon.axon import AXONS, Conditions, at_rest, axon_parameters, healthy_rest_mv
from neurosim.model.axon.ensemble import ENSEMBLE, calibrated_axon, parameter_key
from neurosim.model.axon.ephapse import crosstalk_share
from neurosim.model.body.state import Body
from neurosim.model.firing.hazard import critical_multiplier, hazard_table
from neurosim.model.firing.sites import person_scores
from neurosim.simulation.scenario import Scenario


def test_the_names_are_those_of_the_file_and_in_no_list():
    assert {name.split(".")[0] for name in load_group("ensemble")} == set(ENSEMBLE)
    assert not set(ENSEMBLE) & set(AXONS)
    with pytest.raises(NeurosimError, match="choose from alternative, ghk, ohmic"):
        axon_parameters("quite_another")
    with pytest.raises(NeurosimError, match="Unknown axon"):
        Scenario(axon="ensemble_9")


def test_members_spread_over_the_midpoint_and_slope():
    midpoint, slope = np.array([[axon_parameters(n)[p] for p in ("Vs", "ks")] for n in ENSEMBLE]).T
    assert np.all(np.diff(midpoint) < 0.0)  # numbered so
    assert midpoint.max() > -67.0 and midpoint.min() < -75.0
    assert slope.max() - slope.min() > 4.0


def test_no_norm_tells_a_member_apart():
    curves = measure_curves(at_rest([Conditions()] * len(ENSEMBLE), list(ENSEMBLE)), full=True)
    for key, (mean, sd) in norms.norm_measures().items():
        assert np.all(np.abs(curves.measures[key] - mean) < 1.15 * sd), key


def test_slow_inactivation_is_normalised_at_a_members_rest():
    at = [axon_parameters(name)["Es0"] for name in ENSEMBLE]
    assert healthy_rest_mv(ENSEMBLE) == pytest.approx(at, abs=1e-3)


def test_numbers_that_no_fit_moves_are_those_of_ghk():
    assert parameter_key("ensemble_2", "Nao") == ("axon_ghk", "Nao")
    assert parameter_key("ohmic", "Nao") == ("axon_ohmic", "Nao")
    with override("ensemble", "ensemble_2.Vs", -68.0), override("axon_ghk", "Vs", -60.0):
        assert axon_parameters("ensemble_2")["Vs"] == -68.0
        assert axon_parameters("ensemble_3")["Vs"] < -68.0


def test_laws_and_tables_fitted_on_ghk_serve_members():
    assert [calibrated_axon(n) for n in ("ghk", "ohmic", *ENSEMBLE)] == [
        "ghk",
        "ohmic",
        *["ghk"] * 8,
    ]
    before = hazard_table(Conditions(), "ensemble_3").bursts_per_min
    with override("hazard", "ghk.intercept", load_group("hazard")["ghk.intercept"].value - 0.5):
        after = hazard_table(Conditions(), "ensemble_3").bursts_per_min
    assert np.all(after <= before) and np.any(after < 0.7 * before)
    assert crosstalk_share(axon="ensemble_3") == crosstalk_share()


def test_people_differ_on_members_as_on_ghk():
    scores = person_scores(1, 3)
    shipped, member = (people.axon_of_person(n, scores) for n in ("ghk", "ensemble_5"))
    factor = shipped["PNa"] / axon_parameters("ghk")["PNa"]
    assert member["PNa"] / axon_parameters("ensemble_5")["PNa"] == pytest.approx(factor)
    table = hazard_table(Conditions(), "ensemble_5", scores)
    assert table.threshold_ratio[0] == 1.0 and 1.0 < critical_multiplier("ensemble_5", scores) < 8.0


def test_a_scenario_takes_a_member():
    scenario = Scenario(axon="ensemble_3", body=Body(potassium_mmol_l=6.0))
    assert scenario.replace(seed=2).axon == "ensemble_3"
