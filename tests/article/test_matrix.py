"""Remedies: they mend what is off and leave the rest, and their effect is the body's."""

import numpy as np
import pytest

from neurosim.article.matrix import remedy_matrix, remedy_scenarios
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import override
from neurosim.model.body.remedies import REMEDIES, REMEDY_NAMES, remedy
from neurosim.model.body.state import Body
from neurosim.simulation.long_run import long_run_rates
from neurosim.simulation.scenario import Scenario, apply_remedy, load_scenario


def after(name, **values):
    return remedy(name).apply(Body(**values))


@pytest.mark.parametrize("name", ["healthy_diet", "plain_water", "rehydration", "calm"])
def test_who_lacks_nothing_is_left_alone(name):
    healthy = load_scenario("normal")
    assert after(name) == Body() and apply_remedy(healthy, name) is healthy
    assert after(name, potassium_mmol_l=6.0) == Body(potassium_mmol_l=6.0)


def test_a_diet_mends_what_is_low_by_its_share():
    assert after("healthy_diet", ionised_calcium_mmol_l=0.8).ionised_calcium_mmol_l == (
        pytest.approx(1.2 - 0.2 * 0.4)
    )
    assert after("healthy_diet", magnesium_depletion=1).magnesium_depletion == pytest.approx(0.2)
    with override("study", "remedy_share", 1.0):
        assert after("healthy_diet", poor_nutrition=1.0, potassium_mmol_l=3.0) == Body()


def test_water_and_salts_make_up_for_what_was_sweated():
    dry = {"mass_loss_percent": 5.0}  # 3.5 L of 70 kg
    assert after("plain_water", **dry).plain_water_l == pytest.approx(3.5)
    assert after("plain_water", plain_water_l=3.5, **dry) == Body(plain_water_l=3.5, **dry)
    instead = after("rehydration", plain_water_l=3.5, **dry)
    assert (instead.rehydration_l, instead.plain_water_l) == (pytest.approx(3.5), 0.0)
    sodium = [after(n, **dry).blood()["sodium_mmol_l"] for n in ("plain_water", "rehydration")]
    assert sodium[0] < 140 == sodium[1] < Body(**dry).blood()["sodium_mmol_l"]


def test_calm_takes_away_what_stress_and_breathing_brought():
    calmed = after("calm", stress=1.0, anxiety=0.5, paco2_mmhg=20.0)
    assert calmed.stress == pytest.approx(0.2) and calmed.anxiety == pytest.approx(0.1)
    assert calmed.paco2_mmhg == pytest.approx(36.0)
    assert after("light_use", fatigue=0.7).fatigue == 0.7


def test_the_nearest_remedy_is_offered():
    assert remedy("Plain Water").name == "plain_water"
    with pytest.raises(NeurosimError, match="Unknown remedy 'strech': did you mean 'stretching'"):
        remedy("strech")


def test_the_matrix_compares_people_with_themselves():
    base = Scenario(seed=2)
    scenarios = remedy_scenarios(base, ("normal", "magnesium_depletion"))
    assert "normal+healthy_diet" not in scenarios and "normal+contracting" in scenarios
    rates = dict(zip(scenarios, long_run_rates(tuple(scenarios.values()), 4), strict=True))
    matrix = remedy_matrix(base, rates, ("normal", "magnesium_depletion"))
    assert matrix.log_ratio.shape == (2, len(REMEDIES), 4)
    at = REMEDY_NAMES.index
    assert not matrix.log_ratio[0, at("healthy_diet")].any() and not matrix.applies[0, at("calm")]
    expected = np.log(rates["normal+contracting"] / rates["normal"])
    assert matrix.log_ratio[0, at("contracting")] == pytest.approx(expected)
    # mending magnesium undoes the depletion; a blocker of sodium channels quietens everybody
    assert (matrix.log_ratio[1, at("healthy_diet")] < -0.3).all()
    assert (matrix.log_ratio[:, at("sodium_channel_blocker")] < -0.4).all()
