"""A recording heard, told and drawn: the file's samples, and events made by hand."""

import io
import wave
from base64 import b64decode

import numpy as np
import pytest

import neurosim as ns
from neurosim.base.errors import NeurosimError
from neurosim.model.muscle.events import find_twitches
from neurosim.view import recording


@pytest.fixture(scope="module")
def twitcher():
    return ns.simulate("normal", person=1, seed=1, duration_s=20)


@pytest.fixture(scope="module")
def cramp():
    return ns.simulate("cramp", seed=1, duration_s=5)


def test_it_plays_what_the_needle_saw_at_a_modest_loudness(twitcher):
    needle = recording.make_recording(twitcher, length_s=6)
    page = needle._repr_html_()
    content = b64decode(page.split("base64,")[1].split('"')[0])
    with wave.open(io.BytesIO(content)) as file:
        rate, raw = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert raw.size / rate == pytest.approx(6.0, abs=0.01)
    assert 0.2 * 32767 < np.abs(raw.astype(float)).max() < 0.4 * 32767
    assert "<audio controls" in page and "autoplay" not in page and str(needle) in page


def test_the_needle_sees_the_discharges_and_the_force_is_the_runs(twitcher):
    needle = recording.make_recording(twitcher, length_s=6)
    fired = twitcher.firing
    within = (fired.time_s > needle.start_s) & (fired.time_s < needle.end_s)
    at = fired.time_s[within & (fired.unit == needle.unit)] - needle.start_s
    of_any = fired.time_s[within] - needle.start_s
    loud = (
        np.flatnonzero(np.abs(needle.emg_uv) > 0.1 * np.abs(needle.emg_uv).max())
        / recording.NEEDLE_HZ
    )
    assert at.size > 2 and all(np.abs(of_any - t).min() < 0.02 for t in loud)
    assert all(np.abs(loud - t).min() < 0.02 for t in at)
    first = round(needle.start_s * 1000)
    assert np.array_equal(needle.force_mn, twitcher.force_mn()[first : first + 6000])


def test_events_sound_by_their_discharges():
    times = np.array([1.0, 2.0, 2.005, 3.0, 3.005, 3.01])
    twitches = find_twitches(times, np.zeros(6, int), "calf")
    assert [recording.sound_label(twitches, i) for i in range(3)] == ["tap", "ta-tap", "trrr"]


def test_a_cramp_roars_to_the_end_and_a_quiet_muscle_hisses(cramp):
    assert "Heard: a roar that goes on to the end" in str(
        recording.make_recording(cramp, length_s=3)
    )
    low = ns.Scenario(body=ns.Body(potassium_mmol_l=2.5), duration_s=2)
    quiet = recording.make_recording(ns.simulate(low, seed=1, muscle="eyelid"), "Quiet")
    assert str(quiet).startswith("Quiet, 2 seconds. Heard: nothing but a faint hiss.")
    assert quiet.shown_event is None and recording.close_look_s(quiet) == 0.0


def test_the_close_look_is_at_the_longest_burst_beside_the_needle():
    run = ns.simulate("isaacs", seed=1, duration_s=10)
    needle = recording.make_recording(run, length_s=8)
    t, i = run.twitches, needle.shown_event
    events = [k for k in needle.events if t.unit[k] == needle.unit]
    assert i is not None and t.discharges[i] == max(t.discharges[events])
    start = recording.close_look_s(needle)
    assert start < t.onset_s[i] < start + recording.SWEEP_MS / 1000


def test_the_picture_says_what_it_shows(twitcher, cramp):
    both = [
        recording.make_recording(twitcher, "One", 4),
        recording.make_recording(cramp, "Other", 4),
    ]
    picture = recording.picture_recordings(both)
    assert len(picture.axes) == 8
    inside = twitcher.firing.time_s
    n = ((inside >= both[0].start_s) & (inside < both[0].end_s)).sum()
    here = (inside >= both[0].start_s) & (inside < both[0].end_s)
    units = np.unique(twitcher.firing.unit[here]).size
    assert f"{n} discharges of {units} motor unit" in picture.alt_text
    assert "a roar" in picture.alt_text
    assert sum(len(line.get_xdata()) for line in picture.axes[0].lines) >= n


def test_mistakes_get_a_sentence(twitcher):
    with pytest.raises(NeurosimError, match="length_s"):
        recording.make_recording(twitcher, length_s=0.1)
    with pytest.raises(NeurosimError, match="start_s"):
        recording.make_recording(twitcher, length_s=6, start_s=15)
    with pytest.raises(NeurosimError, match="1 to 4 recordings"):
        recording.picture_recordings([])
