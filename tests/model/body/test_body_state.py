"""The body: healthy by default, frozen, honest about what is abnormal."""

import dataclasses
import pickle
import re
import subprocess
import sys

import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, read_toml
from neurosim.model.body.fields import FIELDS, MEANINGS
from neurosim.model.body.state import Body

CONDITIONS = [name for name, field in FIELDS.items() if not field.usual]


def test_a_healthy_adult_has_textbook_values_and_nothing_abnormal():
    body = Body()
    assert dataclasses.asdict(body) == {
        "sodium_mmol_l": 140,
        "potassium_mmol_l": 4.2,
        "ionised_calcium_mmol_l": 1.2,
        "ionised_magnesium_mmol_l": 0.55,
        "limb_temperature_c": 33,
        "plasma_caffeine_umol_l": 0,
        "stress": 0,
        "fatigue": 0,
        **dict.fromkeys(CONDITIONS, 0),
        "paco2_mmhg": 40,
        "bicarbonate_mmol_l": 24,
    }
    assert not any(FIELDS[name].label in str(body) for name in CONDITIONS)
    assert all(FIELDS[n].label in str(Body(**{n: FIELDS[n].highest})) for n in CONDITIONS)
    assert body.abnormal() == []
    assert "LOW" not in str(body) and "HIGH" not in str(body)
    assert "<strong>" not in body._repr_html_()


@pytest.mark.parametrize("name", FIELDS)
def test_limits_are_accepted_and_a_step_beyond_is_not(name):
    field = FIELDS[name]
    for edge, step in ((field.lowest, -1e-6), (field.highest, 1e-6)):
        assert getattr(Body(**{name: edge}), name) == edge
        with pytest.raises(
            NeurosimError, match=f"{name} = .* outside the {MEANINGS[field.kind]} range"
        ):
            Body(**{name: edge + step})


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), "high", None, [], True])
def test_nonsense_names_the_field(name, nonsense):
    with pytest.raises(NeurosimError, match=f"{name} must be a finite number"):
        Body(**{name: nonsense})
    with pytest.raises(NeurosimError, match=f"{name} must be a finite number"):
        Body().replace(**{name: nonsense})


def test_a_misspelt_field_offers_the_nearest():
    for make in (Body, Body().replace, lambda **v: Body.from_values(v)):
        with pytest.raises(NeurosimError, match="did you mean 'potassium_mmol_l'"):
            make(potasium_mmol_l=3.0)
    with pytest.raises(NeurosimError, match="choose from .*stress"):
        Body(xyz=1)
    with pytest.raises(NeurosimError, match="names with numbers"):
        Body.from_values([1, 2])  # type: ignore[arg-type]


def test_replace_changes_one_thing_and_leaves_the_old_body():
    low = Body(stress=0.5)
    lower = low.replace(potassium_meq_l=3.0)
    assert (lower.potassium_mmol_l, lower.stress) == (3.0, 0.5)
    assert low.potassium_mmol_l == 4.2
    with pytest.raises(dataclasses.FrozenInstanceError):
        low.stress = 1.0  # type: ignore[misc]
    assert dataclasses.replace(low, fatigue=1.0).fatigue == 1.0
    assert pickle.loads(pickle.dumps(lower)) == lower and hash(lower) == hash(lower.replace())


def test_abnormal_and_print_mark_the_side():
    body = Body(potassium_mmol_l=5.6, ionised_calcium_mmol_l=0.9)
    assert body.abnormal() == [
        ("potassium_mmol_l", 5.6, "high"),
        ("ionised_calcium_mmol_l", 0.9, "low"),
    ]
    lines = {line[:9]: line for line in str(body).splitlines()}
    assert lines["potassium"].endswith("]o  HIGH") and "3.5 to 5" in lines["potassium"]
    assert lines["ionised c"].count("o[") == 1 and lines["ionised c"].endswith("LOW")
    assert body._repr_html_().count("<strong>LOW</strong>") == 1
    assert max(map(len, str(body).splitlines())) <= 80


def test_the_gauge_moves_with_the_value():
    def place(k):
        line = next(x for x in str(Body(potassium_mmol_l=k)).splitlines() if "potassium" in x)
        return re.search(r"\[.*\]", line).group().index("o")  # type: ignore[union-attr]

    assert [place(k) for k in (3.5, 4.25, 5.0)] == [1, 5, 9]


def test_every_number_has_a_known_source_and_is_inside_its_own_range():
    known = read_toml("model/body/parameters.toml")["references"]
    used = {value.source for value in load_group("body").values()}
    assert used == set(known)
    for value in load_group("body").values():
        assert value.unit
        assert not (value.value < value.low or value.value > value.high), value.name
    for field in FIELDS.values():
        assert field.lowest <= field.low <= field.healthy <= field.high <= field.highest


def test_importing_the_room_is_light():
    code = (
        "import sys, neurosim.model.body.contributions\n"
        "heavy = {'matplotlib', 'numba', 'scipy.stats', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_field_is_declared_once_and_read_by_docstring_checks_and_table():
    assert list(Body.__annotations__) == list(FIELDS)
    for name, field in FIELDS.items():
        documented = re.search(rf"(?ms)^{name} : float\n(.+?)(?=^\S)", Body.__doc__ + "\nend")[1]
        assert " ".join(documented.split()).startswith(field.about)
        assert field.title.endswith(" (0 to 1)") == field.is_scale
        assert "(0 to 1)" not in field.label
