"""The cost of fit_axon.py: what it compares, and that its sets can be read, drawn and written."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from neurosim.base.parameters import parameter
from neurosim.clinic import comparison, norms
from neurosim.clinic import excitability as ex
from neurosim.model.axon import axon as ax

SCRIPT = Path(__file__).parents[3] / "scripts" / "calibration" / "fit_axon.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("fit_axon", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def shipped(script):
    cost = script.Cost("ghk")
    point = cost.space.point(cost.shipped())
    return cost, point, script.blocks(cost.space, point[None], "ghk")


def test_the_blocks_are_those_of_the_examination(script, shipped):
    _, _, parts = shipped
    rows = {r.measure.key: r.z for r in comparison.compare_with_norms(ex.examine(ax.Conditions()))}
    expected = [rows[key] for key in norms.norm_measures()]
    np.testing.assert_allclose(parts["measures"][0], expected, atol=0.02)
    by_name = {
        (c, m): z for (c, m, *_), z in zip(script.targets(), parts["conditions"][0], strict=True)
    }
    low = ex.examine(ax.Conditions(potassium_out_mmol_l=2.8))
    value = low.measures["superexcitability_percent"]
    target = parameter("fit", "target.potassium_2_8.superexcitability_percent")
    assert by_name["potassium_2_8", "superexcitability_percent"] == pytest.approx(
        (value - target) / 5.0, abs=0.02
    )


def test_the_cost_is_the_sum_of_its_blocks(script, shipped):
    cost, point, parts = shipped
    residuals = cost.residuals(point[None])
    total = sum(float(v[0]) for v in script.costs(parts).values())
    assert (residuals**2).sum() == pytest.approx(total, rel=1e-9)
    assert script.at_bound(cost.space, point) == ["PNa"]


def test_sets_are_saved_and_read(script, shipped, tmp_path):
    cost, point, _ = shipped
    script.save(cost, {"one": point, "two": 0.5 * point}, str(tmp_path / "sets.csv"))
    back = script.read(cost, str(tmp_path / "sets.csv"))
    np.testing.assert_allclose(back["one"], point, atol=1e-4)
    np.testing.assert_allclose(back["two"], 0.5 * point, atol=1e-4)
