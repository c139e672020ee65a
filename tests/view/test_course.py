"""A course looked at: its words, its table and its picture say what its numbers say."""

import json

import numpy as np
import pytest

from neurosim.model.body.course import Course
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.simulate import simulate
from neurosim.view import export
from neurosim.view.course import (
    busiest_hour,
    changing_fields,
    course_columns,
    hourly_twitches,
    origin_at,
    picture_course,
)
from neurosim.view.describe_firing import origin_shares
from neurosim.view.sound import run_files
from neurosim.view.style import ADVICE, png_bytes
from neurosim.view.summary import describe


@pytest.fixture(scope="module")
def tense():
    """Return six hours with an hour of stress and a coffee, in a calf."""
    tables = [{"from": "09:00", "to": "10:00", "stress": 0.9}, {"at": "07:00", "caffeine_mg": 300}]
    course = Course.from_tables(tables, "06:00")
    scenario = Scenario(name="tense", course=course, duration_s=6 * 3600.0, muscle="calf")
    return simulate(scenario, person=1)


def test_the_table_has_a_row_for_each_moment(tense):
    columns = course_columns(tense)
    n = tense.trajectory.at_s.size
    assert {len(column) for column in columns.values()} == {n} and n > 10
    assert set(changing_fields(tense)) == {"stress", "plasma_caffeine_umol_l"} < set(columns)
    assert columns["clock"][0] == "06:00" and columns["clock"][-1] == "12:00"
    units = json.loads(export.table_files("course", columns)["course.json"])["units"]
    assert units["plasma_caffeine_umol_l"] == "µmol/L" and units["stress"] == "1"
    assert export.unit_of("sleep_debt_h") == "h" and export.unit_of("plain_water_l") == "L"
    assert export.unit_of("paco2_mmhg") == "mmHg"


def test_the_busiest_hour_is_the_tense_one(tense):
    twitches = hourly_twitches(tense)
    assert twitches.size == 6 and twitches.sum() == pytest.approx(
        tense.expected_per_min * 360.0, rel=0.02
    )
    hour, share = busiest_hour(tense)
    assert hour == "09:00 to 10:00" and share == pytest.approx(twitches.max() / twitches.sum())
    assert origin_at(tense, int(tense.per_min.argmax())) == "soma"
    shares = origin_shares(tense)
    assert shares.sum() == pytest.approx(1.0) and shares[2] > 0.9


def test_words_name_the_clock_and_what_changed(tense):
    text = describe(tense)
    for part in (
        "from 06:00 on",
        "stress 0 to 0.898",
        "caffeine in plasma",
        "at 10:00",
        "cell body",
    ):
        assert part in text
    assert "Against health" in text and text.endswith(ADVICE)
    assert "nan" not in text.lower().split()
    two_days = tense.scenario.replace(duration="2 days")
    assert "on day 1" in describe(simulate(two_days))


def test_the_picture_shows_each_value_that_changes_and_the_clock(tense):
    figure = picture_course(tense)
    axes = figure.get_axes()
    assert len(axes) == 2 + 3
    figure.draw_without_rendering()
    ticks = [label.get_text() for label in axes[-1].get_xticklabels()]
    assert {"06:00", "09:00"} <= set(ticks) and axes[-1].get_xlabel() == "time of the clock"
    assert axes[-1].get_xlim() == (6.0, 12.0)
    bars = sum(patch.get_height() for patch in axes[-2].patches)
    assert bars == (~tense.twitches.painful).sum() > 0
    assert png_bytes(figure).startswith(b"\x89PNG")
    assert len(tense.plot().get_axes()) == 5  # a course is drawn on its clock


def test_two_weeks_are_days_on_the_axis(tense):
    long = simulate(tense.scenario.replace(duration="2 weeks"))
    axes = picture_course(long).get_axes()
    assert axes[-1].get_xlabel() == "midnight of day"
    assert len(axes[-1].get_xticks()) == 14


def test_files_keep_the_course(tense):
    content = json.loads(export.json_bytes(export.result_json(tense)))["scenario"]
    assert content["start"] == "06:00" and content["course"][1] == {
        "at": "07:00",
        "caffeine_mg": 300,
    }
    again = Scenario.from_mapping({k: v for k, v in content.items() if v != ""})
    assert again == tense.scenario
    assert np.isfinite(len(run_files(tense)["emg.wav"]))
    reads = {v["name"] for v in export.sources_json(tense.sources())["values"]}
    assert {"mood_min", "caffeine_absorption_per_h", "stress_pic_gain_rise"} <= reads
    assert not {"breath_min", "water_excretion_h"} & reads
