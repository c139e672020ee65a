"""Scenarios: the catalogue, the way to TOML and back, and one sentence for every mistake."""

import dataclasses
import tomllib
from importlib import resources

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.model.body.state import Body
from neurosim.simulation.scenario import Scenario, catalogue, combine, load_scenario, severities

NAMES = {
    "normal", "low_sodium", "high_sodium", "low_potassium", "high_potassium", "low_calcium",
    "high_calcium", "low_magnesium", "high_magnesium", "caffeine", "fatigue", "stress",
    "als", "cholinesterase_inhibition", "cramp", "isaacs", "pinched_nerve", "anxiety",
    "beta2_agonist", "dehydration", "dehydration_with_water", "diuretic", "kidney_disease",
    "magnesium_depletion", "nerve_damage", "over_breathing", "poor_nutrition",
    "serotonin_syndrome", "sleep_loss", "a_day",
    "oxaliplatin", "eyelid_myokymia",
}  # fmt: skip


def test_the_catalogue_is_complete_and_normal_comes_first():
    assert set(catalogue()) == NAMES and catalogue()[0] == "normal"
    assert len(catalogue()) == len(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_catalogue_scenario_says_what_it_is_and_changes_one_side(name):
    found = load_scenario(name)
    assert found.name == name and found.title and found.about.endswith(".")
    changed = {f for f, v in vars(found.body).items() if v != getattr(Body(), f)}
    if name == "normal":
        assert found.body == Body()
        return
    assert len(changed) == {"cramp": 3, "eyelid_myokymia": 4, "dehydration_with_water": 2}.get(
        name, 1
    )
    if name.startswith(("low", "high")):
        side, ion = name.split("_")
        (field,) = changed
        assert ion in field
        assert found.body.abnormal() == [(field, getattr(found.body, field), side)]


@pytest.mark.parametrize("name", ["Low-Calcium", " low calcium ", "LOW_CALCIUM"])
def test_names_are_read_generously(name):
    assert load_scenario(name) == load_scenario("low_calcium")


def as_toml(asked):
    """Return a scenario as the text of its TOML file."""
    texts = ("name", "title", "about", "muscle", "axon", "root")
    lines = [f'{k} = "{getattr(asked, k)}"' for k in texts]
    lines += [f"{k} = {getattr(asked, k)!r}" for k in ("duration_s", "people", "seed")]
    if asked.course is not None:
        lines.append(f'start = "{asked.course.clock_time(0.0)}"')
    lines += ["[body]", *(f"{k} = {v!r}" for k, v in vars(asked.body).items())]
    for table in asked.course.as_tables() if asked.course is not None else ():
        plain = {k: str(v).lower() if isinstance(v, bool) else repr(v) for k, v in table.items()}
        lines += ["[[course]]", *(f"{k} = {v}" for k, v in plain.items())]
    return "\n".join(lines)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_there_and_back_through_a_file(tmp_path, name):
    asked = load_scenario(name).replace(
        muscle="eyelid", duration_s=12.5, people=7, seed=2**50 + 1, axon="ohmic"
    )
    path = tmp_path / "question.toml"
    path.write_text(as_toml(asked), "utf-8")
    assert Scenario.from_toml(path) == asked == load_scenario(path) == load_scenario(str(path))


def test_a_file_without_a_name_is_called_after_itself(tmp_path):
    path = tmp_path / "my_test.toml"
    path.write_text("[body]\npotassium_mmol_l = 3\n", "utf-8")
    found = load_scenario(path)
    assert (found.name, found.title, found.body.potassium_mmol_l) == ("my_test", "my test", 3.0)


def test_shipped_files_hold_nothing_but_known_keys():
    folder = resources.files("neurosim").joinpath("simulation/catalogue")
    for file in folder.iterdir():
        table = tomllib.loads(file.read_text("utf-8"))
        assert set(table) <= {
            "title",
            "about",
            "body",
            "duration",
            "start",
            "course",
            "duration_s",
            "mild",
            "muscle",
        }, file.name


@pytest.mark.parametrize("name", sorted(NAMES - {"normal", "cramp", "a_day"}))
def test_what_is_mild_is_the_same_and_less(name):
    severe, mild = load_scenario(name), load_scenario(f"{name}_mild")
    assert severities(name) == (name, mild.name) == (name, f"{name}_mild")
    assert mild.title == f"{severe.title}, mild" and mild.about != severe.about
    healthy = vars(Body())
    for field, value in vars(severe.body).items():
        less, more = (abs(b - healthy[field]) for b in (getattr(mild.body, field), value))
        assert less < more if more else less == 0
    with pytest.raises(NeurosimError, match="Unknown scenario 'cramp_mild'"):
        load_scenario("cramp_mild")


def test_a_scenario_is_frozen_and_replace_makes_another():
    first = Scenario()
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.seed = 2
    assert first.replace(seed=2).seed == 2 and first.seed == 1
    assert Scenario(muscle="Abductor Hallucis").muscle == "foot_sole"
    assert Scenario(people=np.int64(3), seed=5.0) == Scenario(people=3, seed=5)
    assert len({Scenario(seed=2**50 + s).seed for s in range(3)}) == 3


def sentence(error):
    """Assert that an error is one short sentence, fit to be read aloud."""
    text = str(error.value)
    assert text[0].isupper() or text[0].islower() or "/" in text
    assert text.endswith((".", "?")) and "\n" not in text and "Traceback" not in text
    assert len(text) < 700
    return text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"muscle": "nose"}, "nose"),
        ({"axon": "gkh"}, "did you mean 'ghk'"),
        ({"duration_s": 0}, "duration_s"),
        ({"duration_s": 1e9}, "duration_s"),
        ({"duration_s": float("nan")}, "duration_s"),
        ({"duration_s": "long"}, "duration_s"),
        ({"people": 0}, "people"),
        ({"people": 1.5}, "whole number"),
        ({"people": True}, "people"),
        ({"people": 10**6}, "people"),
        ({"seed": -1}, "seed"),
        ({"seed": 0.5}, "whole number"),
        ({"seed": 2**53 + 2}, "seed"),
        ({"seed": None}, "seed"),
        ({"body": 3}, "body"),
    ],
)
def test_a_value_that_is_not_allowed_is_one_sentence(changes, words):
    with pytest.raises(NeurosimError) as error:
        Scenario(**changes)
    assert words in sentence(error)
    with pytest.raises(NeurosimError) as error:
        Scenario().replace(**changes)
    assert words in sentence(error)


def test_an_unknown_field_offers_the_nearest():
    for make in (
        lambda: Scenario().replace(durations=3),
        lambda: Scenario.from_mapping({"durations": 3}),
    ):
        with pytest.raises(NeurosimError) as error:
            make()
        assert "did you mean 'duration_s'?" in sentence(error)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("24 h", 86_400),
        ("90 min", 5400),
        ("90min", 5400),
        ("2 weeks", 1_209_600),
        ("1.5 days", 129_600),
        ("30 s", 30),
        ("1 Hour", 3600),
        ("1 week", 604_800),
    ],
)
def test_a_duration_may_be_in_words(words, seconds):
    assert Scenario().replace(duration=words).duration_s == seconds
    assert Scenario.from_mapping({"duration": words}).duration_s == seconds


@pytest.mark.parametrize(
    "words", ["24", "h", "a day", "24 fortnights", "1 2 h", "-3 h", 3, "1e3 s"]
)
def test_a_duration_without_a_unit_of_time_is_one_sentence(words):
    with pytest.raises(NeurosimError) as error:
        Scenario.from_mapping({"duration": words})
    assert repr(words) in sentence(error) and "24 h" in str(error.value)


def test_two_durations_are_one_too_many():
    with pytest.raises(NeurosimError, match="give only one"):
        Scenario.from_mapping({"duration": "24 h", "duration_s": 3})


def test_a_course_needs_its_start_and_a_start_its_course():
    coffee = {"course": [{"at": "07:30", "caffeine_mg": 100}]}
    with pytest.raises(NeurosimError, match="needs the time at which it starts"):
        Scenario.from_mapping(coffee)
    with pytest.raises(NeurosimError, match="there is no"):
        Scenario.from_mapping({"start": "06:00"})
    found = Scenario.from_mapping({**coffee, "start": "06:00"})
    assert found.duration_s == 86_400.0 and found.course is not None
    with pytest.raises(NeurosimError, match="must be a Course"):
        Scenario(course=coffee)


@pytest.mark.parametrize("name", ["low_calcum", "calcium low", "", 7])
def test_an_unknown_scenario_is_one_sentence(name):
    with pytest.raises(NeurosimError) as error:
        load_scenario(name)
    assert str(name) in sentence(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[body]\npotasium_mmol_l = 3\n", "potassium_mmol_l"),
        ("[body]\npotassium_mmol_l = 99\n", "survivable"),
        ("[body]\npotassium_mmol_l = 'high'\n", "potassium_mmol_l"),
        ("[body]\npotassium_mmol_l = nan\n", "potassium_mmol_l"),
        ("body = 3\n", "[body]"),
        ("title = 3\n", "title must be text"),
        ("muscle = 3\n", "muscle must be text"),
        ("muscle = 'nose'\n", "nose"),
        ("colour = 'red'\n", "colour"),
        ("seed = 1.5\n", "whole number"),
        ("duration_s = [1]\n", "duration_s"),
        ("[body\n", "not valid TOML"),
    ],
)
def test_a_file_with_a_mistake_is_one_sentence_that_names_the_file(tmp_path, text, words):
    path = tmp_path / "bad.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(NeurosimError) as error:
        load_scenario(path)
    assert words in sentence(error) and "bad.toml" in str(error.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "latin.toml").write_bytes("title = 'é'".encode("latin-1"))
    for name in ("missing.toml", "folder.toml", "latin.toml"):
        with pytest.raises(NeurosimError) as error:
            load_scenario(tmp_path / name)
        assert name in sentence(error)


def test_scenarios_together_change_what_any_changes():
    base = Scenario(seed=3, muscle="calf")
    both = combine(("low_magnesium", "low_calcium"), base)
    magnesium, calcium = load_scenario("low_magnesium").body, load_scenario("low_calcium").body
    assert (both.name, both.seed, both.muscle) == ("low_magnesium+low_calcium", 3, "calf")
    assert both.title == "Low blood magnesium and low blood calcium"
    assert both.body.ionised_magnesium_mmol_l == magnesium.ionised_magnesium_mmol_l
    assert both.body.ionised_calcium_mmol_l == calcium.ionised_calcium_mmol_l
    assert both.body.potassium_mmol_l == Body().potassium_mmol_l
    first = combine(("low_calcium", "low_calcium_mild")).body
    assert first.ionised_calcium_mmol_l == calcium.ionised_calcium_mmol_l
