"""Equilibrium potentials and gate shifts against their textbook limits."""

import numpy as np
import pytest

from neurosim.model.axon import axon, equations, ions
from neurosim.model.axon.axon import Conditions


def test_nernst_potentials_of_the_healthy_axon():
    assert ions.nernst_mv(4.2, 155.0, 33.0) == pytest.approx(-95.20, abs=0.005)
    assert ions.nernst_mv(144.2, 9.0, 33.0) == pytest.approx(73.18, abs=0.005)
    assert ions.nernst_mv(5.0, 5.0, 20.0) == 0.0
    assert ions.nernst_mv(1.2, 1e-4, 37.0, valence=2) == pytest.approx(
        ions.nernst_mv(1.2, 1e-4, 37.0) / 2
    )
    ten_fold = ions.nernst_mv(10.0, 1.0, 37.0)
    assert ten_fold == pytest.approx(61.54, abs=0.01)


def test_goldman_current_vanishes_at_nernst_and_has_its_limits():
    u = 1.0 / ions.thermal_mv(33.0)
    current, _ = equations.ghk(ions.nernst_mv(144.2, 9.0, 33.0), u, 144.2, 9.0)
    assert current == pytest.approx(0.0, abs=1e-6)
    at_zero, _ = equations.ghk(0.0, u, 144.2, 9.0)
    assert at_zero == pytest.approx(-equations.FARADAY * (144.2 - 9.0), rel=1e-4)
    deep, slope = equations.ghk(-400.0, u, 144.2, 9.0)  # only inflow: linear in E
    assert deep == pytest.approx(-400.0 * u * equations.FARADAY * 144.2, rel=1e-5)
    assert slope == pytest.approx(u * equations.FARADAY * 144.2, rel=1e-4)
    high, _ = equations.ghk(400.0, u, 144.2, 9.0)  # only outflow
    assert high == pytest.approx(400.0 * u * equations.FARADAY * 9.0, rel=1e-5)


def test_goldman_slope_is_the_derivative():
    e = np.array([-120.0, -80.0, -20.0, 0.5, 40.0, 90.0])
    u = 1.0 / ions.thermal_mv(33.0)
    _, slope = equations.ghk(e, u, 130.0, 23.0)
    up, down = (
        equations.ghk(e + 1e-4, u, 130.0, 23.0)[0],
        equations.ghk(e - 1e-4, u, 130.0, 23.0)[0],
    )
    np.testing.assert_allclose(slope, (up - down) / 2e-4, rtol=1e-6)


@pytest.mark.parametrize("kind", ["na", "k"])
@pytest.mark.parametrize("size", [3.0, 14.6])
def test_gate_shift_is_none_at_base_and_its_size_for_a_five_fold_change(kind, size):
    assert ions.gate_shift_mv(kind, 1.2, 0.55, 33.0, size) == pytest.approx(0.0, abs=1e-9)
    low = ions.gate_shift_mv(kind, 1.2 / np.sqrt(5), 0.55, 33.0, size)
    high = ions.gate_shift_mv(kind, 1.2 * np.sqrt(5), 0.55, 33.0, size)
    assert low > 0 > high  # less calcium acts as if depolarised
    assert low - high == pytest.approx(size, abs=1e-6)


def test_gate_shift_falls_with_each_divalent_ion_and_calcium_binds_more():
    def shift(ca, mg):
        return ions.gate_shift_mv("na", ca, mg, 33.0, 14.6)

    assert shift(0.7, 0.55) > shift(0.9, 0.55) > 0 > shift(1.5, 0.55)
    assert shift(1.2, 0.3) > 0 > shift(1.2, 1.0) > shift(1.2, 2.0)
    assert abs(shift(1.7, 0.55)) > abs(shift(1.2, 1.05))


def test_the_axon_uses_the_shift_of_its_own_fit():
    names = equations.PARAMETERS
    a = axon.axon_parameters("ghk")
    base, low = (
        dict(zip(names, axon.kernel_parameters("ghk", [c])[:, 0], strict=True))
        for c in (Conditions(), Conditions(calcium_out_mmol_l=0.7))
    )
    assert base["shift_m"] == pytest.approx(a["dVm"])
    expected = ions.gate_shift_mv("na", 0.7, 0.55, 33.0, a["S5Na"])
    for gate in ("shift_m", "shift_h", "shift_p"):
        assert low[gate] - base[gate] == pytest.approx(expected)
    assert low["shift_q"] == base["shift_q"]  # HCN is not shifted
