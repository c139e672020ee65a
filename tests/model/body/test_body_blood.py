"""The indirect routes: what states make of the blood, against textbook values and closed forms."""

import math

import pytest

from neurosim.base.errors import NeurosimError
from neurosim.model.body.blood import blood_ph, blood_steps
from neurosim.model.body.contributions import contributions
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body

TEXTBOOK = {"ph": 0.01, "potassium_mmol_l": 0.01}


def test_a_healthy_body_leaves_its_blood_alone():
    assert blood_steps(vars(Body())) == [] and Body().blood()["ph"] == 7.4
    assert "comes to" not in str(Body())
    # carbon dioxide of 40 and bicarbonate of 24: pH 7.40 in every textbook
    assert blood_ph(40.0, 24.0) == pytest.approx(7.40, abs=0.005)


def test_over_breathing_makes_alkaline_blood_that_binds_calcium():
    blood = Body(paco2_mmhg=20).blood()
    # 20 mmHg: pH about 7.6, ionised calcium down by 0.05 to 0.1 mmol/L (clinical ranges)
    assert 7.55 < blood["ph"] < 7.68
    assert 0.05 < 1.2 - blood["ionised_calcium_mmol_l"] < 0.105
    by_hand = 6.1 + math.log10((24 - 0.2 * 20) / (0.03 * 20))
    assert blood["ph"] - 7.4 == pytest.approx(by_hand - (6.1 + math.log10(24 / 1.2)))
    # kept back: 60 mmHg with 1 mmol/L for every 10, about 7.27 in the textbooks
    assert Body(paco2_mmhg=60).blood()["ph"] == pytest.approx(7.26, abs=0.02)
    fluids = {(c.site, c.parameter): c.change for c in contributions(Body(paco2_mmhg=20))}
    assert fluids["axon", "ph"] > 0.2 and fluids["junction", "calcium_out_mmol_l"] < -0.05


def test_anxiety_over_breathes_and_lowers_potassium_as_adrenaline_does():
    anxious, breathing = Body(anxiety=1).blood(), Body(paco2_mmhg=20).blood()
    assert anxious["ph"] == pytest.approx(breathing["ph"])
    assert anxious["potassium_mmol_l"] == pytest.approx(4.2 - 0.5 * 0.8)
    assert Body(stress=1).blood()["potassium_mmol_l"] == pytest.approx(3.4)


def sodium(**values):
    return Body(**values).blood()["sodium_mmol_l"]


def test_sweat_concentrates_and_plain_water_dilutes():
    # 3 % of 70 kg: 2.1 L of 42 L, with 47 + 5.2 mmol/L; by hand
    assert sodium(mass_loss_percent=3) == pytest.approx((140 * 42 - 2.1 * 52.2) / 39.9)
    watered = sodium(mass_loss_percent=3, plain_water_l=2.1)
    assert watered == pytest.approx((140 * 42 - 2.1 * 52.2) / 42)
    # measured at 3 %: osmolality 282 to 295 mosmol/kg, +4.6 %; the balance gives most of it
    assert 1.02 < sodium(mass_loss_percent=3) / 140 < 1.046
    # 2.1 L of 75 mmol/L hold more salt than was lost, and the kidney passes the rest
    assert watered < 140 == sodium(mass_loss_percent=3, rehydration_l=2.1)
    half = sodium(mass_loss_percent=3, rehydration_l=1.0)
    # potassium is made up for
    assert half == pytest.approx((140 * 42 + 75 - 2.1 * 47) / 40.9)


def test_the_kidney_passes_what_was_drunk_too_much():
    assert sodium(plain_water_l=5) == 140 == sodium(rehydration_l=5)
    exact, more = (sodium(mass_loss_percent=3, plain_water_l=v) for v in (2.1, 6.0))
    assert exact == pytest.approx(more)
    assert Body(plain_water_l=5).blood() == Body().blood()


def test_kidneys_move_four_values_and_acid_gives_calcium_back():
    blood = Body(kidney_disease=1).blood()
    assert 5.5 < blood["potassium_mmol_l"] < 6.5 and blood["ionised_magnesium_mmol_l"] > 0.65
    assert blood["ph"] < 7.35
    assert 1.0 < blood["ionised_calcium_mmol_l"] < 1.15  # falls by 0.2, gets some back
    assert blood["ionised_calcium_mmol_l"] == pytest.approx(1.0 - 0.45 * (blood["ph"] - 7.4))


def test_lack_of_magnesium_brings_calcium_and_potassium_down():
    blood = Body(magnesium_depletion=1).blood()
    assert blood["ionised_magnesium_mmol_l"] < FIELDS["ionised_magnesium_mmol_l"].low
    assert blood["ionised_calcium_mmol_l"] < 1.15 and blood["potassium_mmol_l"] < 3.5
    half = Body(magnesium_depletion=0.5).blood()
    for name in ("ionised_magnesium_mmol_l", "ionised_calcium_mmol_l", "potassium_mmol_l"):
        assert half[name] == pytest.approx((blood[name] + FIELDS[name].healthy) / 2)


def test_routes_add_up_with_what_the_blood_was_given():
    body = Body(potassium_mmol_l=5.0, stress=1, diuretic=0.5)
    assert body.blood()["potassium_mmol_l"] == pytest.approx(5.0 - 0.8 - 0.6)
    line = str(body).splitlines()[-1]
    assert line.startswith("With these the blood comes to:") and "potassium in plasma 3.6" in line
    assert all(c.size.startswith(("body.", "pool.")) for c in contributions(body))


def test_what_nobody_survives_is_one_sentence():
    bad = Body(potassium_mmol_l=2.0, stress=1, diuretic=1)
    assert "comes to 0 mmol/L" in str(bad)  # printing is no mistake
    with pytest.raises(NeurosimError, match=r"The pH comes to 8.05: survivable is 6.8 to 7.8"):
        contributions(Body(paco2_mmhg=15, bicarbonate_mmol_l=45))
    with pytest.raises(NeurosimError) as error:
        contributions(bad)
    assert str(error.value) == (
        "potassium_mmol_l comes to 0 mmol/L with stress and diuretic: "
        "survivable is 1.5 to 9.5 mmol/L."
    )
