"""`neurosim.validate()`: what its result shows and saves."""

import csv
from dataclasses import replace

import pytest

import neurosim as ns
from neurosim.base.parameters import parameter
from neurosim.validation import validate
from neurosim.validation.plot import picture_misses
from neurosim.validation.target import COLUMNS, INF, Row

MISS = Row("V1", "sdtc_ms", "of the measure", "hot_water", 1.0, 2.0, 3.0, "measured", "Somebody")
ROWS = (
    MISS,
    replace(MISS, model=1.5),
    replace(MISS, quantity="change", unit="1", published_low=0.0, published_high=INF, model=-1.0),
    replace(MISS, grade="fitted", model=2.0),
)


@pytest.fixture
def validation(monkeypatch):
    def rows():
        parameter("firing", "load_factor")
        return ROWS

    monkeypatch.setattr(validate, "validation_rows", rows)
    monkeypatch.setattr(validate, "NOT_COMPUTABLE", (("V9", "pain", "nothing feels here"),))
    return ns.validate()


def test_it_takes_no_argument():
    with pytest.raises(ns.NeurosimError, match="validate"):
        ns.validate(3)
    with pytest.raises(ns.NeurosimError, match="people"):
        ns.validate(people=3)


def test_words_count_targets_and_name_every_miss(validation):
    assert str(validation).splitlines() == [
        "Inside the published range: 1 of 3 predictions (measured); 1 of 1 fitted; 0 of 0 assumed.",
        "  Of 2 measured with a range on both sides, 1 inside; the other measured ones hold a sign "
        "only.",
        "  outside: sdtc_ms (hot_water): model 3, published 1 to 2 of the measure [Somebody]",
        "  outside: change (hot_water): model -1, published at least 0 1 [Somebody]",
        "  not asked: pain (V9): nothing feels here",
    ]
    assert repr(validation) == "<Validation: 2 of 4 published targets met>"
    assert validation.misses == (ROWS[0], ROWS[2])


def test_pictures_show_targets_and_misses(validation):
    words = validation.plot().alt_text
    assert "Predictions: no fit used them: 1 of 3 met." in words and "0 of 0 met." in words
    misses = picture_misses(validation).alt_text
    assert misses.startswith("The 2 misses") and "published at least 0" in misses
    assert [row.place for row in ROWS[:2]] == [3.0, 0.0] and ROWS[2].place != ROWS[2].place
    assert "<img" in validation._repr_html_()


def test_it_saves_what_the_command_writes(validation, tmp_path):
    paths = validation.save(tmp_path / "v")
    assert [path.name for path in paths] == ["validation.csv", "validation.json"]
    with paths[0].open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS) and [r["inside"] for r in rows] == [
        "no", "yes", "no", "yes",
    ]  # fmt: skip
    assert "V9" in paths[1].read_text("utf-8")
    assert list(validation.to_dataframe().columns) == list(COLUMNS)
    assert validation.parameters == {("firing", "load_factor")}
