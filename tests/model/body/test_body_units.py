"""The door: conversions worked out by hand, and every mistake in one sentence."""

import pytest

from neurosim.base.errors import NeurosimError
from neurosim.model.body.contributions import contributions
from neurosim.model.body.state import Body
from neurosim.model.body.units import (
    INPUT_UNITS,
    ionised_calcium_mmol_l,
    ionised_magnesium_mmol_l,
    to_body_fields,
)


@pytest.mark.parametrize(
    ("values", "field", "expected"),
    [
        ({"potassium_meq_l": 5.1}, "potassium_mmol_l", 5.1),
        ({"potassium_mg_dl": 16.42}, "potassium_mmol_l", 4.2),  # 164.2 mg/L / 39.098
        ({"sodium_meq_l": 128}, "sodium_mmol_l", 128),
        ({"sodium_mg_l": 3218.6}, "sodium_mmol_l", 140),  # / 22.990
        ({"calcium_mg_dl": 9.6187}, "ionised_calcium_mmol_l", 1.20),  # 96.187 / 40.078 = 2.40
        ({"total_calcium_mmol_l": 2.0}, "ionised_calcium_mmol_l", 1.0),
        ({"calcium_meq_l": 4.0}, "ionised_calcium_mmol_l", 1.0),  # 2.0 mmol/L total
        # Payne: 2.00 + 0.02 x (40 - 25) = 2.30; half of it.
        ({"calcium_mmol_l": 2.0, "albumin_g_l": 25}, "ionised_calcium_mmol_l", 1.15),
        ({"calcium_mmol_l": 2.0, "albumin_g_dl": 2.5}, "ionised_calcium_mmol_l", 1.15),
        # Alkalosis of 0.2 units binds 0.09 mmol/L.
        ({"calcium_mmol_l": 2.4, "ph": 7.6}, "ionised_calcium_mmol_l", 1.11),
        ({"ionised_calcium_mg_dl": 4.8094}, "ionised_calcium_mmol_l", 1.2),
        ({"Ionized_Calcium_mmol_l": 1.1}, "ionised_calcium_mmol_l", 1.1),
        ({"magnesium_mg_dl": 2.4305}, "ionised_magnesium_mmol_l", 0.65),  # 1.0 total
        ({"magnesium_meq_l": 2.0}, "ionised_magnesium_mmol_l", 0.65),
        ({"ionized_magnesium_mmol_l": 0.3}, "ionised_magnesium_mmol_l", 0.3),
        ({"caffeine_mg_l": 19.419}, "plasma_caffeine_umol_l", 100.0),
    ],
)
def test_hand_computed_conversions(values, field, expected):
    fields = to_body_fields(values)
    assert set(fields) == {field}
    assert fields[field] == pytest.approx(expected, rel=1e-4)
    assert getattr(Body(**values), field) == fields[field]


def test_healthy_totals_are_a_healthy_body_exactly():
    body = Body(total_calcium_mmol_l=2.40, albumin_g_l=40, ph=7.4, total_magnesium_mmol_l=0.846)
    assert body == Body()
    assert contributions(body) == ()


def test_coffee_is_a_dose():
    cups = Body(cups_of_coffee=2).plasma_caffeine_umol_l
    assert cups == pytest.approx(Body(caffeine_mg=190).plasma_caffeine_umol_l)
    # 200 mg in 70 kg is about 21 umol/L.
    assert Body(caffeine_mg=200).plasma_caffeine_umol_l == pytest.approx(21, abs=0.5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"albumin_g_l": 30}, "albumin_g_l only corrects a total calcium"),
        ({"ph": 7.5, "ionised_calcium_mmol_l": 1.0}, "ph only corrects a total calcium"),
        ({"calcium_mg_dl": 9, "calcium_mmol_l": 2.2}, "give only one of them"),
        ({"calcium_mg_dl": 9, "ionized_calcium_mmol_l": 1.1}, "give only one of them"),
        ({"ionised_calcium_mmol_l": 1.1, "calcium_mg_dl": 9}, "give only one of them"),
        ({"magnesium_mg_dl": 2, "ionised_magnesium_mmol_l": 0.5}, "give only one of them"),
        ({"potassium_meq_l": 4, "potassium_mmol_l": 4}, "give only one of them"),
        ({"caffeine_mg": 100, "cups_of_coffee": 1}, "give only one of them"),
        ({"ph": 9, "calcium_mmol_l": 2.4}, "ph = 9 is outside the survivable range"),
        (
            {"ionised_calcium_mmol_l": 4.8},
            r"4.8 mmol/L is outside .*; if it is in mg/dL write ionised_calcium_mg_dl=4.8\.$",
        ),
        ({"ionised_calcium_mmol_l": 9.6}, r"if it is in mg/dL write calcium_mg_dl=9.6\.$"),
        (
            {"calcium_mg_dl": 2.4},
            "With calcium_mg_dl = 2.4, ionised.*; if it is in mmol/L write calcium_mmol_l=2.4",
        ),
        ({"potassium_mmol_l": 16.4}, "write potassium_mg_dl=16.4"),
        ({"albumin_g_l": 4.2, "calcium_mmol_l": 2.4}, "write albumin_g_dl=4.2"),
        ({"potassium_mmol_l": 1e9}, r"outside the survivable range 1.5 to 9.5 mmol/L\.$"),
        ({"caffeine_mg": -5}, "caffeine_mg = -5, .* outside"),
    ],
)
def test_mistakes_are_one_sentence(values, words):
    with pytest.raises(NeurosimError, match=words):
        to_body_fields(values)


@pytest.mark.parametrize("name", INPUT_UNITS)
@pytest.mark.parametrize("nonsense", [float("nan"), "a lot", None, 1e300, -1e300])
def test_nonsense_at_every_door(name, nonsense):
    with pytest.raises(NeurosimError, match=name):
        to_body_fields({name: nonsense} | ({} if "calcium" in name else {"calcium_mmol_l": 2.4}))


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("kalzium", "calcium_mmol_l"),
        ("calcium", "calcium_mmol_l"),
        ("potasium_meq_l", "potassium_meq_l"),
        ("magnesum", "magnesium_mmol_l"),
        ("albumin", "albumin_g_l"),
        ("coffee", "cups_of_coffee"),
        ("ionised_calcum", "ionised_calcium_mmol_l"),
    ],
)
def test_a_misspelt_name_offers_the_plainest(name, nearest):
    with pytest.raises(NeurosimError, match=f"did you mean '{nearest}'"):
        to_body_fields({name: 1})


def test_the_bare_conversions_refuse_nonsense():
    with pytest.raises(NeurosimError, match="total calcium must be a finite number"):
        ionised_calcium_mmol_l("x")  # type: ignore[arg-type]
    with pytest.raises(NeurosimError, match="albumin_g_l = 400 g/L is outside"):
        ionised_calcium_mmol_l(2.4, 400)
    with pytest.raises(NeurosimError, match="ph = 1 is outside"):
        ionised_calcium_mmol_l(2.4, 40, 1)
    with pytest.raises(NeurosimError, match="total magnesium must be a finite number"):
        ionised_magnesium_mmol_l(float("nan"))
