"""Sound files read back sample by sample; the record's figure, words and files."""

import io
import json
import wave

import numpy as np
import pytest
from matplotlib.figure import Figure

import neurosim as ns
from neurosim.base.errors import NeurosimError
from neurosim.clinic.emg import emg_uv
from neurosim.clinic.unit_potentials import unit_potentials
from neurosim.view import emg_plot, sound


def read_wav(content):
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return raw.astype(float), file.getframerate()


def tone(hz, rate, seconds=1.0, size=300.0):
    return size * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def test_what_is_written_is_read_back():
    signal = tone(440, 8000)
    content, about = sound.wav_bytes(signal, 8000, full_scale_uv=1000)
    raw, rate = read_wav(content)
    assert rate == about.rate_hz == 8000 and about.clipped == 0
    assert np.abs(raw * 1000 / 32767 - signal).max() < 1000 / 32767


@pytest.mark.parametrize(("hz", "rate"), [(1000, 8000), (2000, 8000), (10_000, 11_025)])
def test_pitch_loudness_and_length_survive_resampling(hz, rate):
    raw, file_rate = read_wav(sound.wav_bytes(tone(200, hz, 2.0), hz, 1000)[0])
    assert file_rate == rate and raw.size / rate == pytest.approx(2.0, abs=0.01)
    inside = raw[rate // 4 : -rate // 4] * 1000 / 32767
    pitch = np.abs(np.fft.rfft(inside)).argmax() * rate / inside.size
    assert pitch == pytest.approx(200, abs=1)
    assert np.sqrt(np.mean(inside**2)) == pytest.approx(300 / np.sqrt(2), rel=0.01)


def test_a_faster_record_loses_only_what_the_file_cannot_hold():
    both = tone(300, 50_000) + tone(24_000, 50_000)
    raw, rate = read_wav(sound.wav_bytes(both, 50_000, 1000)[0])
    assert rate == 44_100
    power = np.abs(np.fft.rfft(raw)) ** 2
    hz = np.fft.rfftfreq(raw.size, 1 / rate)
    assert power[np.abs(hz - 300) < 5].sum() > 0.97 * power.sum()


def test_cutting_off_is_counted_and_said():
    _, about = sound.wav_bytes(tone(100, 8000, size=300), 8000, full_scale_uv=150)
    assert about.clipped == pytest.approx(8000 * 2 / 3, rel=0.02)  # |sin| beyond a half
    assert "samples cut off" in str(about)
    _, about = sound.wav_bytes(tone(100, 8000, size=300), 8000)
    assert about.full_scale_uv == 500 and about.clipped == 0 and "nothing cut off" in str(about)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"emg_uv": []}, "at least one sample"),
        ({"emg_uv": [np.nan]}, "finite"),
        ({"sampling_hz": 0}, "sampling_hz"),
        ({"rate_hz": 9000}, "8000, 11025"),
        ({"full_scale_uv": 0}, "full_scale_uv"),
    ],
)
def test_mistakes_are_one_sentence(arguments, words):
    with pytest.raises(NeurosimError, match=words):
        sound.wav_bytes(**({"emg_uv": [0.0], "sampling_hz": 8000} | arguments))


def test_an_unwritable_place_is_one_sentence(tmp_path):
    with pytest.raises(NeurosimError, match="Cannot write"):
        sound.write_wav(tmp_path / "none" / "x.wav", [0.0], 8000)


def test_a_short_record_is_a_table_and_a_long_one_an_array(tmp_path):
    short, long = np.linspace(-50, 50, 2000), np.linspace(-50, 50, 61 * 1000)
    sound.write_emg(tmp_path, short, 1000.0, start_s=5.0)
    table = np.genfromtxt(tmp_path / "emg.csv", delimiter=",", names=True)
    assert table["time_s"][[0, -1]] == pytest.approx([5.0, 6.999])
    assert np.allclose(table["emg_uv"], short, atol=1e-3)
    files = sound.emg_files(long, 1000.0)
    assert set(files) == {"emg.npz", "emg.json", "emg.wav"}
    held = np.load(io.BytesIO(files["emg.npz"]))
    assert np.allclose(held["emg_uv"], long, rtol=1e-6) and held["sampling_hz"] == 1000.0
    assert json.loads(files["emg.json"])["sound"]["full_scale_uv"] in (50, 100)


def test_the_busiest_stretch_is_found():
    times = np.concatenate([[3.0, 90.0], np.linspace(200, 210, 50)])
    start, end = sound.busiest_s(times, 600.0)
    assert start == pytest.approx(199.9) and end - start == pytest.approx(60.0)
    assert sound.busiest_s([], 600.0) == (0.0, 60.0)
    assert sound.busiest_s([9.0], 10.0) == (0.0, 10.0)


def test_a_runs_files_hold_its_discharges():
    result = ns.simulate("low_calcium", duration_s=30, seed=1)
    files = sound.run_files(result)
    table = np.genfromtxt(io.BytesIO(files["emg.csv"]), delimiter=",", names=True)
    assert table.size == 60_000
    loud = np.abs(table["emg_uv"]) > 25
    times = result.firing.time_s
    assert times.size and loud.any()
    gap = table["time_s"][loud] - times[np.searchsorted(times, table["time_s"][loud]) - 1]
    assert gap.min() > -1e-9 and gap.max() < 0.06
    about = json.loads(files["emg.json"])
    assert about["electrode"]["name"] == "surface" and about["samples"] == 60_000


# --- Figure and words --------------------------------------------------------------------


@pytest.fixture
def record():
    times, units = np.array([0.5, 0.505, 1.5]), np.array([40, 40, 20])
    return times, units, emg_uv(times, units, "foot_sole", 2.0)


def test_figure_and_words_come_from_the_same_numbers(record):
    times, units, signal = record
    axes = Figure().subplots(4, 1)
    force = np.linspace(0, 20, 2000)
    drawn = emg_plot.plot_record(times, units, force, signal, 2000.0, axes)
    assert drawn is axes
    raster, pull, wave_axes, colours = axes
    assert np.array_equal(raster.lines[0].get_xdata(), times)
    assert np.array_equal(raster.lines[0].get_ydata(), units + 1)
    assert np.array_equal(wave_axes.lines[0].get_ydata(), signal)
    assert pull.lines[0].get_ydata().max() == 20 and len({ax.get_xlim() for ax in axes}) == 1
    assert all(ax.get_ylabel() for ax in axes) and colours.collections
    n = emg_plot.summarise_emg(times, units, signal, 2000.0)
    assert n.peak_uv == np.abs(signal).max() and n.shortest_ms == pytest.approx(5.0)
    assert n.quiet_uv == pytest.approx(3.0, rel=0.25)  # the noise floor, between the potentials
    words = emg_plot.describe_emg(n, "surface")
    for part in ("3 discharges", "2 motor units", "5 ms", f"{n.peak_uv:.3g} µV"):
        assert part in words


def test_the_spectrogram_is_loud_where_and_at_what_the_record_is():
    signal = np.zeros(4000)
    signal[2000:3000] = tone(250, 2000, 0.5)
    ax = emg_plot.plot_spectrogram(signal, 2000.0, Figure().subplots())
    mesh = ax.collections[0]
    level = np.asarray(mesh.get_array()).reshape(mesh._coordinates.shape[0] - 1, -1)
    row, column = np.unravel_index(level.argmax(), level.shape)
    edges = mesh._coordinates
    assert edges[row, 0, 1] <= 250 <= edges[row + 1, 0, 1]
    assert 1.0 < edges[0, column, 0] < 1.5


def test_words_for_silence():
    n = emg_plot.summarise_emg([], [], np.zeros(100), 1000.0)
    assert "no discharges" in emg_plot.describe_emg(n) and "nan" not in emg_plot.describe_emg(n)


def test_potentials_are_drawn_with_their_sizes():
    rows = unit_potentials("foot_sole", units=[5, 40])
    ax = emg_plot.plot_potentials(rows, 2000.0, ["small", "large"], Figure().subplots())
    texts = [t.get_text() for t in ax.get_legend().get_texts()]
    assert [t.split(":")[0] for t in texts] == ["small", "large"]
    assert f"{np.ptp(rows[1]):.3g} µV" in texts[1]
    sweep = emg_plot.plot_stretch(np.arange(1000.0), 1000.0, 0.2, 50.0, Figure().subplots())
    assert np.array_equal(sweep.lines[0].get_ydata(), np.arange(200.0, 250.0))


def test_wrong_axes_or_names_are_one_sentence(record):
    with pytest.raises(NeurosimError, match="4 axes"):
        emg_plot.plot_record(*record[:2], [], record[2], 2000.0, [])
    with pytest.raises(NeurosimError, match="a name each"):
        emg_plot.plot_potentials(np.zeros((2, 9)), 2000.0, ["one"])
    with pytest.raises(NeurosimError, match="two samples"):
        emg_plot.summarise_emg([], [], [], 2000.0)
