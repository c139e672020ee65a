"""The detector's door: records of a clinician's own, and what the simulation writes read back.

The oracles are discharges that the simulation knows and the detector does not, and waves that no
part of the package made.
"""

import numpy as np
import pytest
from scipy.stats import binomtest

import neurosim as ns
from neurosim.base.errors import NeurosimError
from neurosim.clinic import unit_potentials
from neurosim.clinic.detect import _delay_if_alike, poisson_limits
from neurosim.clinic.emg_csv import read_emg
from neurosim.clinic.filters import high_pass
from neurosim.clinic.hum import remove_hum
from neurosim.view.recording import NEEDLE_HZ, make_recording
from neurosim.view.sound import RUN_HZ, run_files

HZ = 10_000.0
NEAR_S = (-0.005, 0.025)  # of a potential's largest point after the discharge: waves take time


def wave(times, length_s, hz=HZ, peak_uv=300.0, width_ms=1.0, sign=1.0):
    """Return a record of biphasic waves, the derivative of a normal curve, without noise."""
    time = np.arange(round(length_s * hz)) / hz
    out = np.zeros(time.size)
    for t in times:
        x = 1000.0 * (time - t) / width_ms
        out += sign * peak_uv * np.e**0.5 * x * np.exp(-0.5 * x**2)
    return out


def pink(rng, size, rms):
    """Return noise whose power falls as 1/f."""
    spectrum = np.fft.rfft(rng.normal(size=size)) / np.sqrt(np.maximum(np.arange(size // 2 + 1), 1))
    out = np.fft.irfft(spectrum, size)
    return rms * out / out.std()


def times_of(channel):
    return np.sort(np.concatenate([u.time_s for u in channel.units] + [np.empty(0)]))


def hits(truth, answers, near=NEAR_S):
    """Return how many true times have an answer of their own."""
    free, count = list(answers), 0
    for t in truth:
        answer = next((a for a in free if near[0] < a - t < near[1]), None)
        if answer is not None:
            free.remove(answer)
            count += 1
    return count


def lower(k, n):
    """Return the lower end of the exact 95 % interval of a share."""
    return binomtest(k, n).proportion_ci().low


# --- Round trip ------------------------------------------------------------------------------


def surface_round_trip(scenario, seed, folder):
    """Return (hits, visible discharges, right answers, answers) of a run's own ``emg.csv``."""
    result = ns.simulate(scenario, muscle="foot_sole", duration_s=60, seed=seed)
    path = folder / "emg.csv"
    path.write_bytes(run_files(result)["emg.csv"])
    detection = ns.detect(path)
    channel, fired = detection.channels[0], result.firing
    assert detection.sampling_hz == pytest.approx(RUN_HZ, rel=1e-6)
    state = result.trajectory.states[0]
    settings = unit_potentials.EmgSettings(
        RUN_HZ, (seed, result.person), fibres_scale=state.fibres_scale
    )
    rows = unit_potentials.unit_potentials("foot_sole", "surface", settings)
    share = np.broadcast_to(state.transmission, len(rows))
    peak = [share[u] * np.abs(high_pass(row, 80.0, RUN_HZ)).max() for u, row in enumerate(rows)]
    inside = (fired.time_s > detection.start_s) & (fired.time_s < detection.start_s + 59.97)
    times, units = fired.time_s[inside] - detection.start_s, fired.unit[inside]
    seen = np.array(peak)[units] > channel.least_uv
    answers = times_of(channel)
    return hits(times[seen], answers), int(seen.sum()), hits(times, answers), answers.size


@pytest.mark.parametrize(
    ("scenario", "recall", "precision"),
    # seeds 1 to 8 in health: 217 of 225 seen, 217 of 241 right
    [("normal", 0.88, 0.86), ("als", 0.92, 0.93)],
)
def test_what_a_run_writes_is_read_back(scenario, recall, precision, tmp_path):
    counts = np.sum([surface_round_trip(scenario, seed, tmp_path) for seed in (1, 2, 3)], axis=0)
    hit, true, right, answers = counts.tolist()
    assert true > 40
    assert lower(hit, true) > recall and lower(right, answers) > precision, counts


def test_a_needles_record_is_read_back(tmp_path):
    total = np.zeros(4, int)
    for seed in (1, 2, 3):
        result = ns.simulate("low_calcium", muscle="foot_sole", duration_s=60, seed=seed)
        recording = make_recording(result, length_s=30.0)
        table = np.round(recording.emg_uv / 1000.0, 6)  # mV, as many systems write it
        path = tmp_path / "needle.csv"
        np.savetxt(path, table, fmt="%.6f", header="EMG (mV)", comments="")
        channel = ns.detect(path, rate_hz=NEEDLE_HZ).channels[0]
        fired = result.firing
        near = (fired.time_s > recording.start_s) & (fired.time_s < recording.end_s - 0.03)
        mine = near & (fired.unit == recording.unit)
        answers = times_of(channel)
        total += (
            hits(fired.time_s[mine] - recording.start_s, answers),
            int(mine.sum()),
            hits(fired.time_s[near] - recording.start_s, answers),
            answers.size,
        )
    hit, true, right, answers = total.tolist()
    assert true > 40 and lower(hit, true) > 0.9 and lower(right, answers) > 0.9, total


# --- Waves from outside ------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["white", "pink"])
@pytest.mark.parametrize("hz", [2000.0, 4096.0, 25_000.0])
def test_analytic_waves_in_noise_are_found_with_their_size(noise, hz):
    total = np.zeros(3, int)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        truth = np.sort(rng.uniform(0.5, 29.5, 25))
        truth = truth[np.diff(truth, prepend=0.0) > 0.06]
        signal = wave(truth, 30.0, hz)
        size = signal.size
        signal += rng.normal(0, 8.0, size) if noise == "white" else pink(rng, size, 8.0)
        (channel,) = ns.detect(signal, rate_hz=hz).channels
        answers = times_of(channel)
        assert len(channel.units) == 1
        total += (hits(truth, answers, (-0.004, 0.004)), truth.size, answers.size)
        shape = channel.units[0].size
        assert shape.amplitude_uv == pytest.approx(600.0, rel=0.1)  # both phases of 300 uV
        assert shape.phases == 2 and 4.0 < shape.duration_ms < 8.0
    hit, true, answers = total.tolist()
    assert lower(hit, true) > 0.93 and lower(hit, answers) > 0.93, total


@pytest.mark.parametrize("noise", ["white", "pink"])
def test_noise_alone_gives_less_than_a_false_alarm_in_two_minutes(noise):
    count, minutes = 0, 0.0
    for seed, hz in enumerate([2000.0, 5000.0, 10_000.0, 20_000.0] * 3):
        rng, size = np.random.default_rng(seed), round(60 * hz)
        signal = rng.normal(0, 5.0, size) if noise == "white" else pink(rng, size, 5.0)
        count += ns.detect(signal, rate_hz=hz).channels[0].potentials
        minutes += 1.0
    assert poisson_limits(count, 0.95)[1] / minutes < 0.5


@pytest.mark.parametrize(("over_least", "found"), [(0.4, False), (1.5, True)])
def test_what_would_be_missed_is_missed_and_what_would_not_is_found(over_least, found):
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 5.0, 300_000)
    least = ns.detect(noise, rate_hz=HZ).channels[0].least_uv
    assert 22.0 < least < 32.0
    truth = np.arange(0.5, 29.5, 1.3)
    unit = np.abs(high_pass(wave([0.1], 0.2, peak_uv=1.0), 80.0, HZ)).max()
    signal = noise + wave(truth, 30.0, peak_uv=over_least * least / unit)
    share = hits(truth, times_of(ns.detect(signal, rate_hz=HZ).channels[0])) / truth.size
    assert share > 0.9 if found else share < 0.3


def test_the_noise_is_its_root_mean_square_above_the_lower_edge():
    noise = np.random.default_rng(1).normal(0, 5.0, 400_000)
    channel = ns.detect(noise, rate_hz=20_000).channels[0]
    assert channel.noise_uv == pytest.approx(high_pass(noise, 80.0, 20_000.0).std(), rel=0.01)


def test_two_waves_are_two_units_with_their_doublets_and_trains():
    rng = np.random.default_rng(4)
    single = np.arange(1.0, 58.0, 2.9)
    pairs = np.sort(np.r_[single, single[::4] + 0.008])
    train = np.cumsum(rng.normal(0.12, 0.012, 400))
    signal = rng.normal(0, 5.0, 600_000) + wave(pairs, 60.0)
    signal += wave(train, 60.0, peak_uv=120.0, width_ms=0.5, sign=-1.0)
    (channel,) = ns.detect(signal, rate_hz=HZ).channels
    first, second = sorted(channel.units, key=lambda u: u.time_s.size)
    assert second.is_tonic and not first.is_tonic
    assert abs(second.time_s.size - train.size) <= 4
    assert first.time_s.size == pytest.approx(pairs.size, abs=2)
    assert hits(pairs, first.time_s, (-0.002, 0.002)) >= pairs.size - 1
    assert channel.count("doublet") == pytest.approx(5, abs=1)
    rows = ns.detect(signal, rate_hz=HZ).to_dataframe()
    assert len(rows) == channel.potentials and rows.time_s.is_monotonic_increasing


def test_the_same_wave_later_is_the_same_unit_and_another_wave_is_not():
    one, late = wave([0.008], 0.024), wave([0.0087], 0.024)
    assert _delay_if_alike(one, late, HZ) == pytest.approx(0.0007)
    assert _delay_if_alike(one, 0.9 * one, HZ) == 0.0
    assert _delay_if_alike(one, -one, HZ) is None
    assert _delay_if_alike(one, 0.7 * one, HZ) is None


# --- What a real record brings -----------------------------------------------------------------


@pytest.fixture(scope="module")
def plain():
    """Return a record with 12 potentials, µV, and when they are."""
    truth = np.array([0.7, 1.9, 2.4, 3.8, 5.1, 5.106, 6.6, 7.0, 8.3, 9.4, 10.6, 11.5])
    return wave(truth, 12.0) + np.random.default_rng(8).normal(0, 5.0, 120_000), truth


def written(path, signal, head="time_s,emg_uv", line="{:.5f},{:.4f}", factor=1.0, start=0.0):
    rows = (line.format(start + k / HZ, v * factor) for k, v in enumerate(signal))
    path.write_text("\n".join([head, *rows]), "utf-8")
    return path


LAYOUTS = {
    "mV": ("Zeit (s),EMG [mV]", "{:.5f},{:.7f}", 1e-3, False),
    "V": ("t_s\tEMG (V)", "{:.5f}\t{:.3e}", 1e-6, False),
    "µV": ("sep;\nTime [s];EMG [µV];marker", "{:.5f};{:.4f};x", 1.0, True),
    "quoted": ('"Time (s)","EMG (uV)"', '"{:.5f}","{:.4f}"', 1.0, False),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_unit_separator_and_decimal_comma_do_not_matter(layout, plain, tmp_path):
    head, line, factor, comma = LAYOUTS[layout]
    path = written(tmp_path / "a.csv", plain[0], head, line, factor)
    if comma:
        path.write_text(path.read_text("utf-8").replace(".", ","), "utf-8")
    (channel,) = ns.detect(path).channels
    (bare,) = ns.detect(plain[0], rate_hz=HZ).channels
    assert times_of(channel) == pytest.approx(times_of(bare), abs=2e-5)
    assert channel.units[0].size.amplitude_uv == pytest.approx(
        bare.units[0].size.amplitude_uv, rel=1e-3
    )
    assert channel.noise_uv == pytest.approx(bare.noise_uv, rel=1e-3)
    assert channel.potentials == plain[1].size


def test_gaps_are_told_and_no_potential_is_made_of_them(plain, tmp_path):
    signal = plain[0].copy() + 40.0
    signal[20_000:21_000] = np.nan  # 2.0 to 2.1 s
    signal[60_500] = np.nan
    (channel,) = ns.detect(signal, rate_hz=HZ).channels
    assert channel.missing_s == pytest.approx(0.1001)
    assert hits(plain[1], times_of(channel), (-0.004, 0.004)) == plain[1].size
    assert channel.potentials == plain[1].size
    rows = [f"{k / HZ:.5f},{v:.4f}" for k, v in enumerate(signal) if np.isfinite(v)]
    path = tmp_path / "gap.csv"
    path.write_text("time_s,emg_uv\n" + "\n".join(rows), "utf-8")
    (read,) = ns.detect(path).channels
    assert read.missing_s == pytest.approx(0.1001, abs=2e-4)
    assert times_of(read) == pytest.approx(times_of(channel), abs=2e-4)


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_hum_is_removed_and_told(mains, plain):
    signal, truth = plain
    time = np.arange(signal.size) / HZ
    hum = 60.0 * np.sin(2 * np.pi * 1.0004 * mains * time + 1.0)
    hum += 15.0 * np.sin(2 * np.pi * 3 * 1.0004 * mains * time)
    (channel,) = ns.detect(signal + hum, rate_hz=HZ).channels
    assert channel.hum.mains_hz == mains
    assert channel.hum.rms_uv == pytest.approx(hum.std(), rel=0.05)
    assert hits(truth, times_of(channel), (-0.004, 0.004)) == truth.size == channel.potentials
    clean, _ = remove_hum(signal + hum, HZ)
    assert (clean - signal).std() < 2.0


def test_no_hum_is_no_hum(plain):
    clean, hum = remove_hum(plain[0], HZ)
    assert hum.mains_hz == 0.0 and clean is plain[0]


def test_saturation_is_told(plain):
    signal, _ = plain
    (channel,) = ns.detect(np.clip(signal, -150.0, 150.0), rate_hz=HZ).channels
    assert channel.saturated > 100
    assert ns.detect(signal, rate_hz=HZ).channels[0].saturated == 0
    assert "Saturated" in str(ns.detect(np.clip(signal, -150.0, 150.0), rate_hz=HZ))


def test_each_channel_is_read_alone(plain, tmp_path):
    signal, truth = plain
    quiet = np.random.default_rng(2).normal(0, 3.0, signal.size)
    both = zip(signal, quiet, strict=True)
    rows = (f"{k / HZ:.5f},{a:.3f},{b / 1000:.6f},7" for k, (a, b) in enumerate(both))
    path = tmp_path / "two.csv"
    path.write_text("time_s,left_uv,right_mV,trigger\n" + "\n".join(rows), "utf-8")
    detection = ns.detect(path, muscle="thumb")
    left, right = detection.channels
    assert (left.name, right.name) == ("left_uv", "right_mV")
    assert (left.potentials, right.potentials) == (truth.size, 0)
    assert right.noise_uv == pytest.approx(2.9, rel=0.05)
    assert detection.ignored == ("trigger",)
    assert 0.0 < left.share_seen["needle"] <= left.share_seen["surface"] <= 1.0
    assert "In the model's thumb" in str(detection)


def test_interference_is_told_and_not_counted():
    rng = np.random.default_rng(6)
    signal = rng.normal(0, 5.0, 200_000)
    signal[60_000:140_000] += rng.normal(0, 150.0, 80_000)
    (channel,) = ns.detect(signal, rate_hz=HZ).channels
    ((start, end),) = channel.interference
    assert (start, end) == pytest.approx((6.0, 14.0), abs=0.05)
    assert channel.watched_s == pytest.approx(12.0, abs=0.1)
    assert "Interference for 8" in str(ns.detect(signal, rate_hz=HZ))


def test_a_clock_of_few_digits_still_gives_the_rate(plain, tmp_path):
    path = written(tmp_path / "a.csv", plain[0], line="{:.3f},{:.3f}", start=900_000.0)
    file = read_emg(path)
    assert file.sampling_hz == pytest.approx(HZ, rel=1e-3) and file.start_s == 900_000.0


def test_the_rate_interval_is_the_published_one():
    # Garwood 1936, and any table of exact Poisson limits
    assert poisson_limits(0, 0.95) == pytest.approx((0.0, 3.689), abs=1e-3)
    assert poisson_limits(10, 0.95) == pytest.approx((4.795, 18.39), abs=1e-2)


def test_all_views_of_an_empty_and_of_a_full_record(plain, tmp_path):
    for signal in (plain[0], np.zeros(40_000), np.random.default_rng(1).normal(0, 5, 40_000)):
        detection = ns.detect(signal, rate_hz=HZ)
        words = str(detection)
        assert "not medical advice" in words and "Limits:" in words
        files = {path.name for path in detection.save(tmp_path)}
        assert files >= {"potentials.csv", "units.csv", "detection.png", "detection.json"}
        assert len(repr(detection)) < 120
        assert {group for group, _ in detection.sources().entries} >= {"detect"}
    head = (tmp_path / "potentials.csv").read_text("utf-8").splitlines()[0]
    assert head == "channel,time_s,unit,event,event_kind,interval_before_ms"


BAD = {
    "empty": ("", "is empty"),
    "no samples": ("time_s,emg_uv\n", "has a header and no samples"),
    "no column": ("time_s,emg\n" + "0,1\n" * 20, "no column of voltage"),
    "no unit": ("time,emg_uv\n" + "0,1\n" * 20, "'time' needs its unit"),
    "falls": ("time_s,emg_uv\n0,1\n0.001,2\n0.0005,1\n", "near line 4: the time must rise"),
    "word": ("time_s,emg_uv\n0,1\n0.001,loud\n", "line 3: 'loud' must be a number"),
    "short": ("time_s,emg_uv\n" + "".join(f"{k / 1e4},1\n" for k in range(500)), "0.05 s of"),
    "uneven": ("time_s,emg_uv\n" + "".join(f"{(k / 3e3) ** 2},{k}\n" for k in range(9000)),
               "not sampled evenly"),
    "few": ("time_s,emg_uv\n" + "".join(f"{k / 100},1\n" for k in range(500)), "1000 to 50000"),
    "no rate": ("emg_uv\n" + "1\n" * 5000, "--rate-hz"),
    "volts": ("time_s,emg_V\n" + "".join(f"{k / 1e3},{k}\n" for k in range(3000)), "below 1 V"),
    "a leap": ("time_s,emg_uv\n" + "".join(f"{k / 1e3 + 1e6 * (k > 900)},1\n" for k in range(2000)),
               "mostly gaps"),
    "gaps alone": ("time_s,emg_uv\n" + "".join(f"{k / 1e3},\n" for k in range(3000)), "0 s of"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_sentence(name, tmp_path):
    text, words = BAD[name]
    path = tmp_path / "bad.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(NeurosimError) as error:
        ns.detect(path)
    sentence = str(error.value)
    assert words in sentence and "\n" not in sentence and len(sentence) < 400, sentence


def test_bad_arguments_are_one_sentence(plain, tmp_path):
    signal, _ = plain
    path = written(tmp_path / "a.csv", signal)
    cases = [
        ((signal,), {}, "rate_hz"),
        ((signal,), {"rate_hz": 100}, "1000 to 50000"),
        ((signal,), {"rate_hz": HZ, "unit": "nanovolt"}, "Unknown unit"),
        ((signal,), {"rate_hz": HZ, "muscle": "thum"}, "did you mean 'thumb'"),
        ((signal[:500],), {"rate_hz": HZ}, "at least 1 s"),
        ((signal.reshape(2, -1),), {"rate_hz": HZ}, "column of samples"),
        ((path,), {"rate_hz": 5000}, "10000 samples per second"),
        ((tmp_path / "absent.csv",), {}, "Cannot read"),
    ]
    for args, options, words in cases:
        with pytest.raises(NeurosimError, match=words):
            ns.detect(*args, **options)


def test_a_headless_column_needs_rate_and_unit(plain, tmp_path):
    signal, truth = plain
    path = tmp_path / "bare.csv"
    path.write_text("\n".join(f"{v / 1000:.6f}".replace(".", ",") for v in signal), "utf-8")
    (channel,) = ns.detect(path, rate_hz=HZ, unit="mV").channels
    assert channel.potentials == truth.size
    with pytest.raises(NeurosimError, match="--unit"):
        ns.detect(path, rate_hz=HZ)
