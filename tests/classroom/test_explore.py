"""The explorer: its answers are the model's, its limits the body's, its picture moves."""

import asyncio
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import neurosim as ns
from neurosim.base.errors import NeurosimError
from neurosim.classroom.explorer import open, plot, settings
from neurosim.classroom.explorer.settings import (
    Explorer,
    ExplorerSetting,
    all_sliders,
    explorer_conditions,
    rate_words,
)
from neurosim.model.body.fields import FIELDS
from neurosim.model.firing.sites import TYPICAL_PERSON
from neurosim.view.style import ADVICE

ROOT = Path(__file__).resolve().parents[2]
LOW = {"ionised_calcium_mmol_l": 0.8}


@pytest.fixture(scope="module")
def explorer():
    return Explorer(seed=1, person=0)


@pytest.fixture
def sliders():
    pytest.importorskip("ipywidgets")
    from neurosim.classroom.explorer.widgets import Sliders

    return Sliders(Explorer(), ExplorerSetting(), canvas=False)


def alone(body, muscle="foot_sole", person=0):
    """Return the model's own answer, asked for without the explorer."""
    return ns.simulate(body, muscle=muscle, duration_s=60, seed=1, person=person)


# --- A setting is a body ------------------------------------------------------------------


def test_limits_of_the_sliders_are_those_of_the_body():
    assert list(all_sliders()) == [
        "ionised_calcium_mmol_l",
        "potassium_mmol_l",
        "ionised_magnesium_mmol_l",
        "sodium_mmol_l",
        "cups_of_coffee",
        "sleep_debt_h",
        "stress",
    ]
    for door, k in all_sliders().items():
        f = FIELDS[k.field]
        per = ns.Body(**{door: 1.0}).replace() if door == "cups_of_coffee" else None
        factor = per.plasma_caffeine_umol_l if per else 1.0
        assert k.low * factor == pytest.approx(f.low) and k.high * factor == pytest.approx(f.high)
        assert k.lowest * factor == pytest.approx(f.lowest)
        assert (
            f.highest - factor < k.highest * factor <= f.highest if per else k.highest == f.highest
        )
        steps = (k.healthy - k.lowest) / k.step
        assert steps == pytest.approx(round(steps)), "health is a position of the slider"
        for end in (k.lowest, k.highest):
            ns.Body(**{door: end})


def test_a_setting_is_the_body_of_its_doors_and_condition():
    assert ExplorerSetting().body() == ns.Body()
    assert ExplorerSetting(LOW).body() == ns.Body(**LOW)
    assert ExplorerSetting({"cups_of_coffee": 4}).body() == ns.Body(cups_of_coffee=4)
    body = ExplorerSetting(LOW, condition="isaacs").body()
    assert body == ns.Body(**LOW, isaacs=ns.load_scenario("isaacs").body.isaacs)
    half, worst = (
        ExplorerSetting(condition="over_breathing", severity=0.5),
        ns.load_scenario("over_breathing"),
    )
    assert half.body().paco2_mmhg == pytest.approx((40 + worst.body.paco2_mmhg) / 2)
    none = ExplorerSetting(condition="isaacs", severity=0.0)
    assert none.body() == ns.Body() and not none.has_condition


def test_every_condition_is_a_scenario_whose_fields_no_slider_moves():
    slider_fields = {k.field for k in all_sliders().values()}
    assert {
        "als",
        "isaacs",
        "pinched_nerve",
        "nerve_damage",
        "serotonin_syndrome",
        "kidney_disease",
        "cramp",
    } <= set(explorer_conditions())
    for name in explorer_conditions():
        assert not {f for f, _, _ in ns.load_scenario(name).body.abnormal()} & slider_fields
        assert ExplorerSetting(condition=name).body() == ns.load_scenario(name).body


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"values": {"calcium": 1.0}}, "Unknown slider 'calcium'"),
        ({"values": {"potassium_mmol_l": 40}}, "outside the survivable range 1.5 to 9.5 mmol/L"),
        ({"values": {"stress": 2}}, "outside the allowed range 0 to 1"),
        ({"condition": "isaac"}, "did you mean 'isaacs'"),
        ({"severity": 1.5}, "severity = 1.5"),
    ],
)
def test_what_no_slider_can_say_is_refused_in_a_sentence(values, message):
    with pytest.raises(NeurosimError, match=re.escape(message)):
        ExplorerSetting(**values)


def test_wrong_people_and_muscles_are_refused():
    with pytest.raises(NeurosimError, match="person = -1"):
        ns.explore(person=-1)
    with pytest.raises(NeurosimError, match="person"):
        ns.explore(person="x")
    with pytest.raises(NeurosimError, match="did you mean 'calf'"):
        ns.explore(muscle="calfs")


# --- Answers and words ------------------------------------------------------------------------


def test_the_answer_is_what_simulate_says(explorer):
    response = explorer.respond(ExplorerSetting(LOW, muscle="calf"))
    expected = alone(ns.Body(**LOW), "calf")
    assert np.array_equal(response.result.firing.time_s, expected.firing.time_s)
    assert response.result.expected_per_min == expected.expected_per_min
    assert response.healthy.expected_per_min == alone(ns.Body(), "calf").expected_per_min
    assert response.result.scenario.muscle == response.healthy.scenario.muscle == "calf"


def test_words_hold_the_numbers_of_the_model(explorer):
    low, healthy = alone(ns.Body(**LOW)), alone(ns.Body())
    text = explorer.respond(ExplorerSetting(LOW)).text()
    part = low.excitability.relative_to(healthy.excitability)
    assert f"a 1-ms pulse needs {part['threshold_1ms_percent']:.0f} %" in text
    assert f"a 20-ms pulse {part['threshold_20ms_percent']:.0f} %: easier to fire" in text
    assert f"{low.expected_per_min:.0f} per minute over a long time" in text
    assert f"{rate_words(healthy.expected_per_min)} in health: tens of times as many" in text
    assert "ionised calcium 0.80 mmol/L (low), in the sole of the foot" in text
    assert text.endswith(ADVICE) and text.count(ADVICE) == 1
    assert 3 <= len(explorer.respond(ExplorerSetting(LOW)).sentences()) <= 5


def test_words_of_what_is_rare_blocked_or_a_spasm(explorer):
    setting = ExplorerSetting({"ionised_calcium_mmol_l": 1.75}, muscle="eyelid")
    rare = explorer.respond(setting).text()
    assert re.search(r"Twitches: one in [\d.]+ (days|hours) over a long time", rare)
    assert "harder to fire" in rare and "none of 6 000 sites of the nerve are ectopic" in rare
    blocked = explorer.respond(ExplorerSetting({"potassium_mmol_l": 9.5})).text()
    assert "Threshold: the nerve fibre is blocked" in blocked and "nan" not in blocked
    for body, phrase in (
        ({"sodium_mmol_l": 120.0}, "easier to fire by a short pulse, harder by a long one"),
        ({"sodium_mmol_l": 160.0}, "harder to fire by a short pulse, easier by a long one"),
    ):
        part = alone(ns.Body(**body)).excitability.relative_to(alone(ns.Body()).excitability)
        short, long = part["threshold_1ms_percent"], part["threshold_20ms_percent"]
        assert (short < 100 < long) == phrase.startswith("easier") and (short - 100) * (
            long - 100
        ) < 0
        assert phrase in explorer.respond(ExplorerSetting(body)).text()
    cramp = explorer.respond(ExplorerSetting(condition="cramp")).text()
    assert "2 spasms in this minute" in cramp


# --- The picture --------------------------------------------------------------------------------


def test_a_move_moves_artists_and_makes_no_new_ones(explorer):
    before = dict(matplotlib.rcParams)
    figure = plot.ExplorerFigure()
    figure.update(explorer.respond(ExplorerSetting()))
    first, artists = figure.png_bytes(), figure.figure.findobj()
    response = explorer.respond(ExplorerSetting(LOW))
    figure.update(response)
    second = figure.png_bytes()
    assert first.startswith(b"\x89PNG") and first != second
    assert {id(a) for a in artists} >= {id(a) for a in figure._moving}
    lines = [line for ax in figure.figure.axes for line in ax.lines]
    f = response.result.firing
    terminals = [
        line for line in lines if np.array_equal(line.get_xdata(), f.time_s[f.origin == 1])
    ]
    assert terminals and np.array_equal(terminals[0].get_ydata(), f.unit[f.origin == 1] + 1)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    "setting",
    [
        ExplorerSetting(LOW),
        ExplorerSetting({"potassium_mmol_l": 9.5}),
        ExplorerSetting(muscle="calf"),
    ],
    ids=["low", "blocked", "more units, as much force"],
)
def test_what_is_moved_looks_as_if_drawn_anew(explorer, setting):
    moved, anew = plot.ExplorerFigure(), plot.ExplorerFigure()
    for other in (ExplorerSetting(condition="als"), ExplorerSetting(muscle="eyelid"), setting):
        moved.update(explorer.respond(other))
        moved.png_bytes()
    anew.update(explorer.respond(setting))
    assert moved.png_bytes() == anew.png_bytes()


def test_a_figure_saved_in_between_leaves_no_ghost(explorer, tmp_path):
    moved, anew = plot.ExplorerFigure(), plot.ExplorerFigure()
    moved.update(explorer.respond(ExplorerSetting(LOW)))
    moved.png_bytes()
    moved.figure.savefig(tmp_path / "saved.png", dpi=plot.DPI)
    for figure in (moved, anew):
        figure.update(explorer.respond(ExplorerSetting()))
    assert moved.png_bytes() == anew.png_bytes()
    low = plot.ExplorerFigure()
    low.update(explorer.respond(ExplorerSetting(LOW)))
    from matplotlib.image import imread

    saved = imread(tmp_path / "saved.png")[..., :3]
    low.draw()
    pixels = np.asarray(low.canvas.buffer_rgba())[..., :3] / 255
    assert saved.shape == pixels.shape and np.abs(saved - pixels).mean() < 0.01


@pytest.mark.parametrize(
    "setting",
    [
        ExplorerSetting(),
        ExplorerSetting(LOW, condition="isaacs"),
        ExplorerSetting({"ionised_calcium_mmol_l": 0.4}),
        ExplorerSetting({"potassium_mmol_l": 1.5}),
        ExplorerSetting({"potassium_mmol_l": 9.5}),
        ExplorerSetting(condition="serotonin_syndrome", muscle="calf"),
    ],
    ids=["health", "most", "lowest", "rarest", "blocked", "calf"],
)
def test_the_picture_is_readable_on_a_projector(explorer, setting, check):
    figure = plot.ExplorerFigure()
    figure.update(explorer.respond(setting))
    figure.draw()
    check(figure.figure)


def test_without_a_notebook_there_are_small_pictures_and_a_sentence_why(capsys):
    picture = ns.explore()
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1 and printed.startswith(
        "No sliders, because no notebook is running"
    )
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert len(picture.alt_text.splitlines()) == 1 + 20 + 1
    low = alone(ns.Body(**LOW), person=TYPICAL_PERSON)
    rate = rate_words(low.expected_per_min)
    percent = low.excitability.relative_to(low.healthy)["threshold_1ms_percent"]
    assert f"mmol/L (low): {rate}; threshold {percent:.0f} %." in picture.alt_text


def test_without_ipywidgets_the_sentence_says_so(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "ipywidgets is not installed (pip install ipywidgets)" in open.why_no_sliders()


# --- The sliders ----------------------------------------------------------------------------


def test_sliders_are_labelled_and_limited(sliders):
    for name, k in all_sliders().items():
        slider = sliders.sliders[name]
        assert (slider.min, slider.max, slider.step, slider.value) == (
            k.lowest,
            k.highest,
            k.step,
            k.healthy,
        )
        assert slider.description.lower() == k.label and slider.continuous_update
        assert k.range_words() in sliders._notes[name].value
    assert sliders.response.result.scenario.body == ns.Body()
    assert "usual in plasma: up to 5 cups' worth" in sliders._notes["cups_of_coffee"].value


def test_a_moved_slider_is_marked_and_answered(sliders):
    before = sliders.picture.value
    sliders.sliders["ionised_calcium_mmol_l"].value = 0.8
    low = alone(ns.Body(**LOW), person=TYPICAL_PERSON)
    assert np.array_equal(sliders.response.result.firing.time_s, low.firing.time_s)
    rate = f"{rate_words(low.expected_per_min)} over a long time"
    assert rate in sliders.sentences.value
    assert sliders.picture.value != before and rate in sliders.picture.value.split('" src=')[0]
    assert sliders.sliders["ionised_calcium_mmol_l"].description == "<b>Ionised calcium</b>"
    assert "<b>changed, LOW:</b>" in sliders._notes["ionised_calcium_mmol_l"].value
    assert "changed" not in sliders._notes["potassium_mmol_l"].value


def test_reset_puts_everything_back_with_one_answer(sliders):
    at_first = sliders.sentences.value, sliders.picture.value
    sliders.sliders["potassium_mmol_l"].value = 3.0
    sliders.condition.value, sliders.muscle.value = "als", "eyelid"
    sliders.sliders["severity"].value = 0.5
    assert sliders.response.result.scenario.body.als == pytest.approx(0.3)
    assert "changed" in sliders._notes["potassium_mmol_l"].value
    settings, respond = [], sliders._explorer.respond
    sliders._explorer.respond = lambda setting: settings.append(setting) or respond(setting)
    sliders.reset.click()
    assert len(settings) == 1 and sliders.setting == ExplorerSetting(
        {name: k.healthy for name, k in all_sliders().items()}
    )
    assert (sliders.sentences.value, sliders.picture.value) == at_first
    assert not any("changed" in sliders._notes[name].value for name in all_sliders())
    assert sliders.sliders["severity"].layout.display == "none"


def test_a_body_that_nobody_survives_leaves_the_last_picture(sliders):
    sliders.sliders["potassium_mmol_l"].value = 1.5
    last = sliders.picture.value
    sliders.sliders["stress"].value = 1.0
    assert "Not possible:" in sliders.sentences.value and "survivable" in sliders.sentences.value
    assert sliders.picture.value == last
    assert sliders.response.result.scenario.body == ns.Body(potassium_mmol_l=1.5)
    sliders.sliders["stress"].value = 0.0
    assert "Not possible" not in sliders.sentences.value


def test_moves_that_come_together_are_answered_together_the_latest_wins(sliders):
    settings, respond = [], sliders._explorer.respond
    sliders._explorer.respond = lambda setting: settings.append(setting) or respond(setting)

    async def drag():
        for value in np.arange(1.15, 0.75, -0.05):
            sliders.sliders["ionised_calcium_mmol_l"].value = value
            await asyncio.sleep(0)
        assert settings == []
        await asyncio.sleep(0.2)
        assert len(settings) == 1
        sliders.sliders["stress"].value = 0.5
        assert sliders.response.result.scenario.body.stress == 0.5  # who asks need not wait

    asyncio.run(drag())
    assert [s.body().ionised_calcium_mmol_l for s in settings] == pytest.approx([0.8, 0.8])


def test_a_notebook_that_shows_no_widgets_shows_the_words(sliders):
    bundle = sliders._repr_mimebundle_()
    assert bundle["text/plain"].splitlines() == list(map(str, sliders.response.sentences()))
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_the_canvas_of_ipympl_is_the_same_picture_and_no_global_backend():
    for name in ("ipywidgets", "ipympl"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    code = """
import matplotlib
from neurosim.classroom.explorer.widgets import _ipympl_canvas
before = dict(matplotlib.rcParams)
_ipympl_canvas()
print(dict(matplotlib.rcParams) == before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "True\n", done.stderr

    from neurosim.classroom.explorer.widgets import Sliders

    sliders = Sliders(Explorer(), ExplorerSetting(), canvas=True)
    canvas, figure = sliders.picture, sliders._figure.figure
    sliders.sliders["ionised_calcium_mmol_l"].value = 0.8
    assert sliders.picture is canvas and canvas.figure is figure
    anew = plot.ExplorerFigure()
    anew.update(sliders.response)
    anew.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    assert np.array_equal(pixels, np.asarray(anew.canvas.buffer_rgba()))


def test_what_is_not_installed_is_said_in_a_sentence(monkeypatch):
    pytest.importorskip("ipywidgets")
    from neurosim.classroom.explorer import widgets

    have = widgets.find_spec
    for absent in ("ipympl", "ipywidgets"):
        monkeypatch.setattr(
            widgets, "find_spec", lambda n, absent=absent: None if n == absent else have(n)
        )
        with pytest.raises(NeurosimError, match=f"pip install {absent}"):
            ns.explore(sliders=True, canvas=True)


def test_a_nerve_that_fires_into_a_silent_muscle_is_told_so():
    """Very low calcium: next to no transmitter at the end plate."""
    healthy = ns.simulate("normal", duration_s=60, seed=1)
    low = ns.simulate(ns.Body(ionised_calcium_mmol_l=0.4), duration_s=60, seed=1)
    assert low.firing.time_s.size > 1000 and low.twitches.onset_s.size == 0
    sentence = str(settings.twitch_sentence(low, healthy))
    assert "none over a long time" in sentence and "too few muscle fibres follow it" in sentence
