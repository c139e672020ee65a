"""The detector of events against generators it knows nothing of, and against written-down spikes.

Each test draws discharges from a law of its own, makes force and electromyogram of them, and asks
the detector, which sees the samples alone.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.clinic import emg, unit_potentials
from neurosim.clinic.spike_sorting import (
    EmgRecord,
    busy_stretches,
    noise_level,
    prepare_record,
    sort_potentials,
)
from neurosim.clinic.trains import TrainEvent, classify_train
from neurosim.model.muscle import anatomy
from neurosim.model.muscle.force import muscle_force_mn
from neurosim.model.soma import cramp

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "verification"))
from force_events import (
    _find_spasms,
    _ForceRecord,
    _measure_forces,
    detect_with_force,
)

HZ = 10_000.0
MUSCLE, UNIT = "foot_sole", 30


def needle(unit=UNIT, seed=1):
    x, y, _ = unit_potentials.territories_mm(MUSCLE, seed)[unit]
    return unit_potentials.needle_electrode(MUSCLE, x - 1.0, y)


def recorded(times, unit=UNIT, length_s=10.0, noise_uv=None, seed=1, hz=HZ):
    """Return electromyogram and force of discharges."""
    units = np.broadcast_to(unit, np.shape(times))
    put = needle(int(np.atleast_1d(unit)[0]), seed)
    signal = emg.emg_uv(
        times,
        units,
        MUSCLE,
        length_s,
        put,
        unit_potentials.EmgSettings(hz, seed, noise_uv=noise_uv),
    )
    force = muscle_force_mn(times, units, MUSCLE, length_s)
    return signal, force + np.random.default_rng(seed).normal(0, 0.3, force.size)


def classify_single(times, **options):
    return detect_with_force(*recorded(np.asarray(times), **options), HZ, MUSCLE)


def intervals_ms(times, **options):
    """Return the intervals that sorting finds, all spikes being of one unit."""
    events = sort_potentials(prepare_record(recorded(np.asarray(times), **options)[0], HZ))
    assert len(events.shapes_uv) == 1
    return 1000.0 * np.diff(events.time_s)


# --- Potentials ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_is_nothing(seed):
    rng = np.random.default_rng(seed)
    events = detect_with_force(rng.normal(0, 5.0, 200_000), rng.normal(0, 0.3, 20_000), HZ, MUSCLE)
    assert len(events) == 0 and str(events) == "no events"


def test_the_noise_level_is_that_of_the_quiet_however_much_is_loud():
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 4.0, 400_000)
    loud = noise.copy()
    loud[20_000:] *= 40.0  # all but a twentieth
    for signal in (noise, loud):
        assert noise_level(signal, 20_000.0) == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("unit", [10, 18, 26, 34, 42])
def test_a_potential_of_many_phases_is_one_spike(unit):
    assert (
        unit_potentials.measure_shape(
            unit_potentials.unit_potentials(
                MUSCLE, needle(unit), unit_potentials.EmgSettings(HZ), unit
            )[0],
            HZ,
        ).phases
        > 2
    )
    assert classify_single([2.0], unit=unit).spikes.tolist() == [1]
    assert classify_single([2.0, 3.1, 5.7], unit=unit).spikes.tolist() == [1, 1, 1]


@pytest.mark.parametrize("interval_ms", [3.5, 4.2, 5.0, 6.7, 9.0, 13.0])
def test_a_lone_doublet_is_two_spikes_at_their_interval(interval_ms):
    # nothing of the record shows what one potential of the unit looks like
    gap = intervals_ms([2.0, 2.0 + interval_ms / 1000.0])
    assert gap == pytest.approx([interval_ms], abs=0.1)


def test_a_lone_doublet_melted_into_one_wave_on_the_skin_is_two_spikes():
    signal = emg.emg_uv([2.0, 2.005], [10, 10], MUSCLE, 4.0, "surface")
    events = sort_potentials(prepare_record(signal, 2000.0))
    assert 1000.0 * np.diff(events.time_s) == pytest.approx([5.0], abs=0.3)


@pytest.mark.parametrize("seed", range(4))
def test_intervals_of_overlapping_bursts_are_the_written_ones(seed):
    rng = np.random.default_rng(seed)
    gaps = np.concatenate([[1.0, *rng.uniform(0.003, 0.012, 4)] for _ in range(6)])
    times = np.cumsum(gaps)
    assert intervals_ms(times) == pytest.approx(1000.0 * gaps[1:], abs=0.15)


def triangle(times, width_ms, height, signal):
    """Add a wave with one steep and one slow side at each time: a shape that no model made."""
    n = round(width_ms * HZ / 1000.0)
    wave = height * np.interp(np.arange(n) / n, [0.0, 0.1, 0.25, 1.0], [0.0, -1.0, 0.6, 0.0])
    for t in times:
        i = round(t * HZ)
        signal[i : i + n] += wave


def test_two_made_up_shapes_are_two_units_with_their_own_times():
    rng = np.random.default_rng(5)
    ours, theirs = np.arange(0.5, 9.5, 0.83), np.arange(0.7, 9.5, 1.31)
    signal = rng.normal(0, 3.0, 100_000)
    triangle(ours, 6.0, 300.0, signal)
    triangle(theirs, 3.0, -120.0, signal)
    events = sort_potentials(prepare_record(signal, HZ))
    assert len(events.shapes_uv) == 2
    trains = [events.time_s[events.unit == u] for u in (0, 1)]
    trains.sort(key=len, reverse=True)
    for train, truth in zip(trains, (ours, theirs), strict=True):
        late = train - truth
        assert train.size == truth.size and np.ptp(late) < 2e-4 and 0 < late.mean() < 2e-3


def test_scale_and_offset_do_not_matter():
    rng = np.random.default_rng(2)
    times = np.sort(rng.uniform(0.5, 9.5, 8))
    times = np.sort(np.r_[times, times[::3] + 0.0047])
    signal, force = recorded(times)
    plain = detect_with_force(signal, force, HZ, MUSCLE)
    other = detect_with_force(70.0 * signal + 5000.0, force + 900.0, HZ, MUSCLE)
    assert plain.onset_s == pytest.approx(other.onset_s, abs=1e-4)
    assert plain.peak_mn == pytest.approx(other.peak_mn, abs=1e-6)
    assert (plain.kind == other.kind).all() and (plain.spikes == other.spikes).all()


# --- Events ----------------------------------------------------------------------------------


def poisson(rng, per_s, length_s):
    return np.sort(rng.uniform(0.3, length_s - 0.5, rng.poisson(per_s * length_s)))


@pytest.mark.parametrize("seed", range(4))
def test_poisson_twitches_with_doublets_are_axonal(seed):
    rng = np.random.default_rng(seed)
    times = poisson(rng, 0.6, 20.0)
    times = times[np.diff(times, prepend=0) > 0.1]
    paired = rng.random(times.size) < 0.4
    events = classify_single(
        np.sort(np.r_[times, times[paired] + rng.uniform(0.004, 0.007, paired.sum())]),
        length_s=20.0,
    )
    assert events.onset_s == pytest.approx(times, abs=0.004)
    assert events.kind.tolist() == ["doublet" if p else "single" for p in paired]
    assert set(events.origin) == {"axon"}


def test_force_of_a_lone_twitch_is_the_units_own():
    events = classify_single([2.0, 5.0])
    assert events.peak_mn == pytest.approx(anatomy.twitch_forces_mn(MUSCLE)[UNIT], rel=0.02)
    # falls to 5 % of its peak 5.74 contraction times after its discharge (events' closed form)
    whole = 5.74 * anatomy.contraction_times_ms(MUSCLE)[UNIT] / 1000.0
    assert events.duration_s == pytest.approx(whole, rel=0.1)
    seen = anatomy.twitch_forces_mn(MUSCLE)[UNIT] > anatomy.muscle(MUSCLE).visible_force_mn
    assert events.visible.tolist() == [seen, seen]
    assert classify_single([2.0], unit=12).visible.tolist() == [False]


@pytest.mark.parametrize(
    ("spikes", "per_s", "period_s"),
    [(3, 35.0, 0.5), (6, 20.0, 1.3), (2, 8.0, 2.0), (9, 55.0, 0.8)],
)
def test_half_rhythmic_bursts_are_a_lesions(spikes, per_s, period_s):
    rng = np.random.default_rng(7)
    starts = np.cumsum(period_s * rng.uniform(0.8, 1.2, 100))
    starts = starts[(starts > 0.3) & (starts < 18.5)]
    gaps = rng.uniform(0.85, 1.15, (starts.size, spikes - 1)) / per_s
    times = starts[:, None] + np.c_[np.zeros(starts.size), np.cumsum(gaps, axis=1)]
    events = classify_single(times.ravel(), length_s=20.0)
    assert len(events) == starts.size
    assert set(events.kind) == {"myokymic_burst"} and set(events.origin) == {"lesion"}
    assert (events.spikes == spikes).all()
    assert np.median(events.rate_per_s) == pytest.approx(per_s, rel=0.05)


def test_fast_lengthening_bursts_are_a_terminals():
    starts = np.array([1.0, 2.7, 3.1, 6.2, 8.0])
    rng = np.random.default_rng(1)
    gaps = np.array([0.004, 0.006, 0.009, 0.013]) * rng.uniform(0.9, 1.1, (5, 4))
    times = starts[:, None] + np.c_[np.zeros(5), np.cumsum(gaps, axis=1)]
    events = classify_single(times.ravel())
    assert events.kind.tolist() == ["neuromyotonic_burst"] * 5
    assert set(events.origin) == {"terminal"} and (events.spikes == 5).all()


def test_a_steady_train_is_a_motor_neurons_and_a_poisson_train_is_not():
    rng = np.random.default_rng(4)
    steady = np.cumsum(rng.normal(0.11, 0.015, 60))
    assert {row.origin for row in classify_train(steady)} == {"soma"}
    assert {row.kind for row in classify_train(steady)} == {"single"}
    for seed in range(20):  # 5 a second, with a dead time: many chance intervals like myokymia's
        gaps = 0.02 + np.random.default_rng(seed).exponential(0.2, 100)
        assert {row.origin for row in classify_train(np.cumsum(gaps))} == {"axon"}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_cramp_is_one_spasm_and_twitches_are_none(seed):
    pool = cramp.person_pool(seed, anatomy.muscle(MUSCLE).units, prone=True)
    run = cramp.stimulate(pool, cramp.shorten(), cramp.Stimulation(24.0, 9.0), seed=seed)
    signal, force = recorded(run.time_s, unit=run.unit, length_s=12.0, seed=seed)
    events = detect_with_force(signal, force, HZ, MUSCLE)
    spasm = events.kind == "spasm"
    assert spasm.sum() == 1 and events.origin[spasm] == ["soma"]
    pull = muscle_force_mn(run.time_s, run.unit, MUSCLE, 12.0)
    held = np.flatnonzero(pull > 0.05 * pull.max()) / 1000.0
    assert events.onset_s[spasm] == pytest.approx(held[0], abs=0.1)
    assert events.duration_s[spasm] == pytest.approx(held[-1] - held[0], abs=0.2)
    assert events.peak_mn[spasm] == pytest.approx(pull.max(), rel=0.02)
    # as many potentials in the needle, one unit's force: no spasm
    weak = detect_with_force(signal, force * 0.02, HZ, MUSCLE)
    assert "spasm" not in weak.kind


def test_a_fast_unit_alone_does_not_interfere():
    record = prepare_record(
        recorded(np.arange(0.5, 9.5, 0.04))[0], HZ
    )  # 25 per second, as fast as cramps
    assert busy_stretches(record) == []


def test_mistakes_are_one_sentence():
    signal, force = np.zeros(20_000), np.zeros(2000)
    cases = [
        ((signal, force, 50.0, MUSCLE), "sampling_hz = 50 per second"),
        ((signal[:0], force, HZ, MUSCLE), "emg_uv must be a column of samples"),
        ((signal, np.full(2000, np.nan), HZ, MUSCLE), "force_mn must hold finite numbers"),
        ((["loud"], force, HZ, MUSCLE), "emg_uv must be a column of numbers"),
        ((signal, force, 5000.0, MUSCLE), "lasts 4 s and the force 2 s"),
        ((signal, force, HZ, "foot_soul"), "did you mean 'foot_sole'"),
    ]
    for args, message in cases:
        with pytest.raises(NeurosimError, match=message):
            detect_with_force(*args)
    assert len(detect_with_force(signal, force, HZ, MUSCLE)) == 0  # silence without any noise


@pytest.mark.parametrize(("share", "busy"), [(0.62, False), (0.78, True)])
def test_potentials_interfere_from_seven_tenths_of_the_time_on(share, busy):
    active = np.arange(100_000) % 500 < 500 * share  # 5 s, a pause in every 25 ms
    record = EmgRecord(np.zeros(active.size), 20_000.0, 1.0, active)
    assert busy_stretches(record) == ([pytest.approx((0.0, 5.0), abs=0.03)] if busy else [])


@pytest.mark.parametrize("hz", [200.0, 1000.0])
def test_the_noise_of_the_force_is_that_of_its_mean_over_ten_milliseconds(hz):
    pull = _ForceRecord(np.random.default_rng(1).normal(50.0, 4.0, 200_000), hz)
    assert pull.noise == pytest.approx(pull.force.std(), rel=0.03)


@pytest.mark.parametrize(("noise_mn", "duration_s"), [(0.0, 0.7), (4.0, 0.2)])
def test_a_twitch_is_over_once_what_is_left_of_it_is_within_the_noise(noise_mn, duration_s):
    row = TrainEvent(1.0, 1.0, 0, 1, np.nan, "single", "axon")
    pull = _ForceRecord(np.repeat([0.0, 100.0, 8.0], [1000, 200, 1800]), 1000.0)  # stays at 8 %
    pull.noise = noise_mn
    events = _measure_forces([row], pull, anatomy.muscle("foot_sole"))
    assert events.duration_s == pytest.approx([duration_s], abs=0.008)


def test_a_spasm_begins_and_ends_with_its_force():
    row = TrainEvent(2.0, 8.0, -1, 900, 15.0, "spasm", "soma")
    pull = _ForceRecord(np.repeat([0.0, 4000.0, 0.0], [2500, 6000, 2000]), 1000.0)
    events = _measure_forces([row], pull, anatomy.muscle("foot_sole"))
    assert events.onset_s == pytest.approx([2.5], abs=0.006)
    assert events.duration_s == pytest.approx([6.0], abs=0.011)


@pytest.mark.parametrize("tone", [0.0, 20.0])
def test_a_spasm_pulls_more_than_the_strongest_unit_could_above_the_force_before(tone):
    active = np.zeros(160_000, bool)
    active[40_000:100_000] = True  # 2 to 5 s of 8
    record = EmgRecord(np.zeros(active.size), 20_000.0, 1.0, active)
    during = np.repeat([0.0, 1.0, 0.0], [2000, 3000, 3000])
    strongest = float(anatomy.twitch_forces_mn(MUSCLE)[-1])
    for twitches, expected in ((0.0, 0), (7.0, 0), (11.0, 1)):  # a fused tetanus is of 9 twitches
        pull = _ForceRecord((tone + twitches * during) * strongest, 1000.0)
        assert len(_find_spasms(record, pull, strongest)) == expected
