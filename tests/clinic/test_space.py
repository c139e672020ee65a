"""Points of parameters: scales, bounds, prior, and the axons they stand for."""

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.clinic.space import Dimension, Space
from neurosim.model.axon import axon as ax


@pytest.mark.parametrize("kind", ["axon", "person"])
@pytest.mark.parametrize("axon", ax.AXONS)
def test_values_go_to_coordinates_and_back(kind, axon):
    space = Space.from_file(kind, axon=axon)
    low, high = space.bounds
    assert (low < 0).all() and (high > 0).all() and len(space) == len(space.names) > 10
    np.testing.assert_allclose(space.point(), 0, atol=1e-12)
    for x in (0 * low, low, high, 0.3 * low):
        np.testing.assert_allclose(space.point(space.values(x)), x, rtol=1e-9, atol=1e-9)
    for d, x in zip(space.dimensions, high, strict=True):
        assert d.value(x) == pytest.approx(d.high)


def test_a_scale_is_logarithmic_but_for_voltages_currents_and_temperatures():
    scale = Dimension("leak_scale", "1", 2.0, 0.5, 8.0, 0.5)
    assert scale.coordinate(8.0) == pytest.approx(-scale.coordinate(0.5))
    assert scale.value(1.0) == pytest.approx(2.0 * np.exp(0.25))  # SD at the centre: 25 %
    shift = Dimension("dVm", "mV", 1.0, -3.0, 5.0, 2.0)
    assert shift.coordinate(5.0) == -shift.coordinate(-3.0) == 2.0


@pytest.mark.parametrize("axon", ax.AXONS)
def test_the_centre_of_a_person_is_the_healthy_axon(axon):
    space = Space.from_file("person", axon=axon)
    healthy = ax.at_rest(ax.Conditions(), axon)
    axons = space.at_rest(np.zeros((1, len(space))), axon)
    np.testing.assert_allclose(axons.P, healthy.P, rtol=1e-12)


def test_points_become_axons_and_conditions():
    space = Space.from_file("person", ["GBB", "potassium_out_mmol_l"])
    points = np.array([space.point({"GBB": 60.0}), space.point({"potassium_out_mmol_l": 6.0})])
    around = ax.Conditions(calcium_out_mmol_l=0.9)
    batch = space.at_rest(points, "ghk", around)
    gbb = ax.at_rest(around, ax.axon_parameters().replace(GBB=60.0))
    potassium = ax.at_rest(around.replace(potassium_out_mmol_l=6.0))
    np.testing.assert_allclose(batch.P, np.hstack([gbb.P, potassium.P]), rtol=1e-9)


def test_draws_have_the_correlation_of_the_prior():
    two = Space.from_file("person", ["leak_scale", "pump_scale"]).dimensions
    space = Space(two, np.array([[1.0, 0.7], [0.7, 1.0]]))
    x = space.draw(4000, np.random.default_rng(1))
    assert np.corrcoef(x.T)[0, 1] == pytest.approx(0.7, abs=0.03)
    np.testing.assert_allclose(np.cov((x @ space.whitener.T).T), np.eye(2), atol=0.06)


def test_draws_stay_within_bounds():
    space = Space((Dimension("leak_scale", "1", 1.0, 0.9, 1.5, 0.5),))
    values = [space.values(x)["leak_scale"] for x in space.draw(500, np.random.default_rng(2))]
    assert 0.9 <= min(values) < max(values) <= 1.5


def test_mistakes_are_one_sentence():
    with pytest.raises(NeurosimError, match="did you mean 'hcn_scale'"):
        Space.from_file("person", ["hcn_scal"])
    with pytest.raises(NeurosimError, match="did you mean 'leak_scale'"):
        Space.from_file("person", ["leak_scale"]).point({"leak_scal": 1.0})
    with pytest.raises(NeurosimError, match="Unknown parameter 'heat'"):
        Dimension("heat", "1", 1.0, 0.5, 2.0, 0.1)
    with pytest.raises(NeurosimError, match="must lie within 2 to 3"):
        Dimension("GBB", "nS", 1.0, 2.0, 3.0, 0.1)
    with pytest.raises(NeurosimError, match="SD must be positive"):
        Dimension("GBB", "nS", 1.0, 0.0, 3.0, 0.1)
