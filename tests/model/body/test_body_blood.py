"""The indirect routes: what states make of the blood, against textbook values and closed forms."""

import math

import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, override
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


# Textbooks: adrenaline and beta2 agonists drive potassium into cells (Brown et al. 1983), a
# diuretic loses potassium and magnesium, lack of magnesium brings calcium and potassium down with
# it, and failing kidneys keep potassium, magnesium and acid back while calcium falls. Sizes and the
# ranges that they lie in are those of the sources in `parameters.toml`, at 1; by hand.
ROUTES = [
    ("stress", "potassium_mmol_l", -0.8),
    ("beta2_agonist", "potassium_mmol_l", -0.6),
    ("anxiety", "paco2_mmhg", -20.0),
    ("diuretic", "potassium_mmol_l", -1.2),
    ("diuretic", "ionised_magnesium_mmol_l", -0.15),
    ("magnesium_depletion", "ionised_magnesium_mmol_l", -0.3),
    ("magnesium_depletion", "ionised_calcium_mmol_l", -0.25),
    ("magnesium_depletion", "potassium_mmol_l", -0.8),
    ("poor_nutrition", "ionised_magnesium_mmol_l", -0.15),
    ("poor_nutrition", "ionised_calcium_mmol_l", -0.15),
    ("poor_nutrition", "potassium_mmol_l", -0.7),
    ("kidney_disease", "potassium_mmol_l", 1.6),
    ("kidney_disease", "ionised_magnesium_mmol_l", 0.35),
    ("kidney_disease", "ionised_calcium_mmol_l", -0.2),
    ("kidney_disease", "bicarbonate_mmol_l", -8.0),
    ("kidney_disease", "paco2_mmhg", -8.0),
]


@pytest.mark.parametrize("scale", [0.25, 1.0])
@pytest.mark.parametrize(("field", "value", "size"), ROUTES)
def test_every_route_has_the_direction_and_size_of_its_source(field, value, size, scale):
    step = next(s for s in blood_steps(vars(Body(**{field: scale}))) if s.value == value)
    assert step.change == pytest.approx(scale * size)
    sized = load_group("body")[step.size]
    assert sized.low <= abs(size) <= sized.high
    assert ("fall" in step.size) == (size < 0) and step.factor == FIELDS[field].label.split(" (")[0]


def test_there_is_no_other_route():
    fields = {f for f, *_ in ROUTES}
    steps = [(s.value, s.size) for f in fields for s in blood_steps(vars(Body(**{f: 1.0})))]
    # two of acid and calcium for each of anxiety and kidneys, and adrenaline of anxiety
    assert len(steps) == len(ROUTES) + 2 * 2 + 1


def test_a_little_carbon_dioxide_more_or_less():
    # bicarbonate falls by 0.2 and rises by 0.1 mmol/L for each mmHg (1 to 2 for 10 in textbooks)
    def by_hand(paco2, left):
        return 6.1 + math.log10(left / (0.03 * paco2))

    assert blood_ph(39.5, 24.0) == pytest.approx(by_hand(39.5, 23.9), abs=1e-12)
    assert blood_ph(40.5, 24.0) == pytest.approx(by_hand(40.5, 24.05), abs=1e-12)
    assert blood_ph(15.0, 3.0) == pytest.approx(by_hand(15.0, 1.0), abs=1e-12)


@pytest.mark.parametrize(
    ("values", "kind", "calcium"),
    [
        ({"paco2_mmhg": 20}, "alkaline", "bind more"),
        ({"paco2_mmhg": 60}, "acid", "let go"),
        ({"bicarbonate_mmol_l": 30}, "alkaline", "bind more"),
        ({"bicarbonate_mmol_l": 16}, "acid", "let go"),
    ],
)
def test_alkaline_blood_binds_calcium_and_acid_blood_lets_it_go(values, kind, calcium):
    ph, ion = blood_steps(vars(Body(**values)))
    assert f"make the blood more {kind}" in ph.why and calcium in ion.why
    assert (ph.change > 0) == (kind == "alkaline") == (ion.change < 0)
    assert ph.factor == ion.factor == "breathing and acid"
    assert ph.size == "acute_bicarbonate_slope"


def test_acid_that_breathing_makes_up_for_is_no_change():
    # 20 mmHg leave 12 of 16 mmol/L: half of both, so the same pH
    assert blood_steps(vars(Body(paco2_mmhg=20, bicarbonate_mmol_l=16))) == []


def test_the_acid_is_named_after_what_moves_it_first():
    body = Body(stress=1, anxiety=0.5, kidney_disease=1)
    step = next(s for s in blood_steps(vars(body)) if s.value == "ph")
    assert (step.factor, step.size) == ("anxiety", "anxiety_paco2_fall_mmhg")


def test_what_was_drunk_is_named_only_if_anything_was():
    def factors(**values):
        return {s.factor for s in blood_steps(vars(Body(mass_loss_percent=3, **values)))}

    assert factors() == {"sweating"}
    assert factors(plain_water_l=1) == factors(rehydration_l=1) == {"sweating and drinking"}


def test_the_ends_of_what_is_survivable_are_survived():
    with override("body", "stress_potassium_fall_mmol_l", 0.5):
        assert Body(potassium_mmol_l=2.0, stress=1).blood()["potassium_mmol_l"] == 1.5
    with override("body", "kidney_potassium_rise_mmol_l", 1.5):
        assert Body(potassium_mmol_l=8.0, kidney_disease=1).blood()["potassium_mmol_l"] == 9.5
    for end, paco2 in (("high", 20.0), ("low", 60.0)):
        ph = Body(paco2_mmhg=paco2).blood()["ph"]
        with override("body", f"ph.survivable_{end}", ph):
            assert Body(paco2_mmhg=paco2).blood()["ph"] == ph


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
