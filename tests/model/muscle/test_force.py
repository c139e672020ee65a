"""Force against closed forms, published invariants and a plain double loop."""

import math
import tracemalloc

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.model.muscle import anatomy
from neurosim.model.muscle.force import (
    TwitchScales,
    muscle_force_mn,
    summation_gain,
    tetanic_fraction,
    twitch_mn,
)


def naive_force(times, units, name, duration, hz, force_scale=1.0, time_scale=1.0):
    """Sum every twitch at every sample, gain and all, written from the paper."""
    peaks, contractions = anatomy.twitch_forces_mn(name), anatomy.contraction_times_ms(name)
    t = np.arange(round(duration * hz)) / hz
    force = np.zeros(t.size)
    for t0, u in zip(times, units, strict=True):
        T = contractions[u] * time_scale / 1000
        before = [s for s, v in zip(times, units, strict=True) if v == u and s < t0]
        g = 1.0
        if before and (x := T / (t0 - max(before))) >= 0.4:
            g = ((1 - math.exp(-2 * x**3)) / x) / ((1 - math.exp(-2 * 0.4**3)) / 0.4)
        tau = np.where(t >= t0, t - t0, 0.0)
        force += force_scale * g * peaks[u] * (tau / T) * np.exp(1 - tau / T)
    return force


def test_one_twitch_is_the_closed_form():
    m = anatomy.muscle("thumb")
    force = muscle_force_mn([0.0], [0], m, 2.0, 10_000)
    assert force.max() == pytest.approx(3.0, rel=1e-9)
    assert np.argmax(force) == 800  # 80 ms
    half = np.flatnonzero(force > 1.5)[-1] / 10_000
    assert (half - 0.080) / 0.080 == pytest.approx(1.678, abs=2e-3)
    assert twitch_mn([-1.0, 0.0, 0.08], 3.0, 80.0) == pytest.approx([0, 0, 3])


def testforce_frequency_invariants():
    x = np.linspace(0.01, 3, 300_000)
    assert np.interp(0.5, tetanic_fraction(x), x) == pytest.approx(0.702, abs=1e-3)
    assert np.interp(0.9, tetanic_fraction(x), x) == pytest.approx(1.048, abs=1.5e-3)
    assert pytest.approx(14.0, abs=0.1) == 0.702 / 0.050
    assert np.all(summation_gain([0.0, 0.1, 0.4]) == 1.0)
    assert summation_gain(0.4 + 1e-9) == pytest.approx(1.0)
    assert summation_gain(1e6) == pytest.approx(1e-6 / (tetanic_fraction(0.4) / 0.4))


def test_thenar_units_reach_half_force_at_the_published_rate():
    # Thomas and others 1991: 12 (SD 4) per second.
    rates = 0.702 / (anatomy.contraction_times_ms("thumb") / 1000)
    assert abs(rates.mean() - 12) < 4


@pytest.mark.parametrize("rate", [1.0, 2.0, 4.0])
def test_mean_force_at_a_low_rate_is_the_area_of_the_twitches(rate):
    unit, m = 0, anatomy.muscle("thumb")  # T = 80 ms: no gain below 5 per second
    times = np.arange(0, 60, 1 / rate)
    force = muscle_force_mn(times, np.full(times.size, unit), m, 60)
    assert force[20_000:40_000].mean() == pytest.approx(math.e * 3.0 * 0.080 * rate, rel=1e-3)


@pytest.mark.parametrize("rate", [8.0, 12.5, 20.0, 50.0])
def test_mean_force_at_a_fused_rate_follows_theforce_frequency_curve(rate):
    times = np.arange(0, 10, 1 / rate)
    force = muscle_force_mn(times, np.zeros(times.size), "thumb", 10)
    x = 0.080 * rate
    expected = 9.05 * 3.0 * (1 - math.exp(-2 * x**3))  # plateau of 9.05 twitches
    assert force[4000:8000].mean() == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["eyelid", "foot_sole", "calf"])
def test_force_agrees_with_the_double_loop(name, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    times = np.sort(rng.uniform(-0.3, 3.2, n))
    units = rng.integers(0, min(5, anatomy.muscle(name).units), n)
    hz = float(rng.choice([100.0, 333.3, 1000.0]))
    force = muscle_force_mn(times, units, name, 3.0, hz, TwitchScales(1.7, 1.3))
    expected = naive_force(times, units, name, 3.0, hz, 1.7, 1.3)
    np.testing.assert_allclose(force, expected, rtol=0, atol=1e-6 * expected.max())


def test_units_superpose_and_order_does_not_matter():
    rng = np.random.default_rng(3)
    times, units = np.sort(rng.uniform(0, 5, 400)), rng.integers(0, 43, 400)
    whole = muscle_force_mn(times, units, "foot_sole", 6)
    parts = sum(
        muscle_force_mn(times[units == u], units[units == u], "foot_sole", 6) for u in range(43)
    )
    np.testing.assert_allclose(whole, parts, rtol=1e-12, atol=1e-12)
    shuffle = rng.permutation(400)
    np.testing.assert_array_equal(
        muscle_force_mn(times[shuffle], units[shuffle], "foot_sole", 6), whole
    )


def test_a_twitch_moves_with_its_discharge_within_one_sample():
    # Area and centre of a finely shifted twitch move by the shift, not by whole samples.
    t = np.arange(3000) / 1000
    centre = [
        np.average(t, weights=muscle_force_mn([1.0 + d], [0], "thumb", 3)) for d in (0, 0.0004)
    ]
    assert centre[1] - centre[0] == pytest.approx(0.0004, rel=0.02)


def test_a_day_needs_no_more_memory_than_its_force():
    rng = np.random.default_rng(0)
    hours = 24
    times = np.sort(rng.uniform(0, hours * 3600, 5000))
    units = rng.integers(0, 43, 5000)
    tracemalloc.start()
    force = muscle_force_mn(times, units, "foot_sole", hours * 3600, 100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert force.size == 8_640_000
    assert peak < force.nbytes + 5e6


def test_empty_and_outside():
    assert np.all(muscle_force_mn([], [], "calf", 1.0) == 0)
    assert muscle_force_mn([], [], "calf", 0.0).shape == (0,)
    assert np.all(muscle_force_mn([5.0, -100.0], [0, 1], "calf", 1.0) == 0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"times_s": [math.nan]}, "finite number of seconds"),
        ({"times_s": [math.inf]}, "finite number of seconds"),
        ({"times_s": ["soon"]}, "columns of numbers"),
        ({"times_s": [0.1, 0.2]}, "equal length"),
        ({"times_s": [[0.1]], "units": [[0]]}, "equal length"),
        ({"units": [43]}, "Unit 43 does not exist: the foot_sole has units 0 to 42"),
        ({"units": [-1]}, "does not exist"),
        ({"units": [0.5]}, "whole numbers"),
        ({"units": [math.nan]}, "does not exist"),
        ({"muscle": "tongue"}, "Unknown muscle"),
        ({"duration_s": -1}, "must not be negative"),
        ({"duration_s": None}, "duration_s must be a finite number"),
        ({"duration_s": 1e6}, "too long"),
        ({"sampling_hz": 0}, "above 0"),
        ({"scales": TwitchScales(force=-1)}, "force_scale"),
        ({"scales": TwitchScales(contraction_time=0)}, "contraction_time_scale"),
    ],
)
def test_nonsense_is_one_sentence(change, words):
    arguments = {"times_s": [0.1], "units": [0], "muscle": "foot_sole", "duration_s": 1.0} | change
    with pytest.raises(NeurosimError, match=words) as caught:
        muscle_force_mn(**arguments)
    assert "\n" not in str(caught.value) and str(caught.value).endswith((".", "?"))
