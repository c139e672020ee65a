"""The electromyogram against closed forms, brute force, and published sizes."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import override, parameter
from neurosim.clinic import emg, unit_potentials
from neurosim.model.muscle.anatomy import MUSCLES, muscle

C_MM2 = 1.01 / (4 * math.pi * 0.063)  # inner conductivity over 4 pi times the radial one
RATIO = 0.33 / 0.063


def fibre(depth=1000.0, half=60.0, v=4.0, diameter=55.0, end_plate=0.0):
    one = np.ones(1)
    return unit_potentials.Fibres(
        0 * one, depth * one, end_plate * one, v * one, diameter * one, one, half, v
    )


def point(depth, along, across=0.0):
    return unit_potentials.Electrode("point", ((across, depth, along),), (1.0,))


def seen(f, e, hz=20_000.0, ms=60.0):
    return unit_potentials.fibres_potential_uv(f, e, hz, round(ms * hz / 1000))


def area(diameter=55.0):
    return math.pi / 4 * (diameter / 1000) ** 2


def test_the_spike_is_rosenfalcks():
    x = np.linspace(0, 20, 20_001)
    v = unit_potentials.spike_mv(x)
    assert x[v.argmax()] == pytest.approx(3.0, abs=1e-3)
    assert v.max() - 90.0 == pytest.approx(96 * 27 * math.exp(-3) - 90)
    assert unit_potentials.spike_mv(-1.0) == 0.0


def direct_uv(t_ms, r, z0, half, v):
    """Return the potential from line source and point sources, one by one, by quadrature."""

    def slope(x):
        return 96 * (3 * x**2 - x**3) * math.exp(-x) if x > 0 else 0.0

    def bend(x):
        return 96 * (6 * x - 6 * x**2 + x**3) * math.exp(-x) if x > 0 else 0.0

    total = 0.0
    for side in (1, -1):

        def w(s, side=side):
            return 1 / math.sqrt(RATIO * r**2 + (side * s - z0) ** 2)

        front = min(v * t_ms, half)
        line = quad(
            lambda s: bend(v * t_ms - s) * w(s),
            max(0, front - 40),
            front,
            limit=400,
            points=[min(max(side * z0, 0), front)],
        )[0]
        total += line - slope(v * t_ms) * w(0) + slope(v * t_ms - half) * w(half)
    return 1000 * C_MM2 * area() * total


@pytest.mark.parametrize("t_ms", [1.0, 3.0, 8.0, 10.5, 14.0, 15.6, 17.0])
def test_one_fibre_is_line_and_point_sources_summed(t_ms):
    # end plate (1 ms), passing the electrode (8), running into the tendons (15 ms)
    p = seen(fibre(), point(1000 - 1.0, 30.0))
    expected = direct_uv(t_ms, 1.0, 30.0, 60.0, 4.0)
    assert p[round(t_ms * 20)] == pytest.approx(expected, abs=0.01 * np.ptp(p))


def test_a_unit_is_the_sum_of_its_fibres():
    # of one velocity, with end plates apart, so that each reaches its tendons in its own time
    ends, x = np.array([-20.0, 0.0, 25.0]), np.array([0.5, -1.0, 2.0])
    one = np.ones(3)
    unit = unit_potentials.Fibres(x, 1000 * one, ends, 4.0 * one, 55.0 * one, one, 60.0, 4.0)
    e = point(999.0, 30.0)
    alone = sum(
        seen(fibre(end_plate=z), point(999.0, 30.0, -at)) for z, at in zip(ends, x, strict=True)
    )
    assert np.allclose(seen(unit, e), alone, atol=1e-3 * np.ptp(alone))


def test_far_away_a_wave_is_a_quadrupole():
    # the integral of the spike over its length, times w'', which is -1 / R^3 abreast
    f = fibre(depth=10_000.0, half=4000.0)
    content = 96 * 6  # mV mm
    for r in (60.0, 120.0):
        p = seen(f, point(10_000 - r, 2000.0), 2000.0, 900.0)
        near = p[900:1200]
        law = -1000 * C_MM2 * area() * content / (math.sqrt(RATIO) * r) ** 3
        assert near.min() == pytest.approx(law, rel=0.03)


def test_all_currents_add_to_nothing():
    # a net current would fall as 1/r: a factor of 2; a finite symmetric fibre falls as 1/r^3
    f = fibre(depth=1e6, half=20.0)
    near, far = (np.ptp(seen(f, point(1e6 - r, 0.0))) for r in (1000.0, 2000.0))
    assert near / far == pytest.approx(8.0, rel=0.01)


def test_the_delay_between_two_places_is_their_distance_over_the_velocity():
    for v in (3.0, 5.0):
        a, b = (seen(fibre(v=v), point(999.0, z)).argmin() / 20 for z in (20.0, 40.0))
        assert b - a == pytest.approx(20.0 / v, abs=0.06)


def test_the_tendon_is_heard_at_once_everywhere():
    # the wave's end does not travel: it comes at (half length) / v wherever one listens
    peaks = []
    for z in (20.0, 35.0):
        p = seen(fibre(half=60.0), point(980.0, z))
        late = p[round(14.5 * 20) :]
        peaks.append(14.5 + late.argmax() / 20)
    assert peaks[0] == pytest.approx(peaks[1], abs=0.4)
    assert 15.0 < peaks[0] < 17.0


def test_the_skin_doubles_what_an_endless_muscle_shows():
    deep = seen(fibre(depth=1e5 + 5.0), point(1e5, 30.0))
    skin = seen(fibre(depth=5.0), point(0.0, 30.0))
    assert np.allclose(skin, 2 * deep, rtol=1e-4, atol=1e-4)


def test_the_surface_sees_less_of_what_lies_deeper():
    pair = unit_potentials.surface_electrode("upper_arm")
    sizes = [np.ptp(seen(fibre(depth=d), pair)) for d in (5.0, 10.0, 20.0, 40.0)]
    assert all(a > 2 * b for a, b in itertools.pairwise(sizes))


def test_few_far_fibres_stand_for_many():
    unit = 150  # 1000 fibres
    full = unit_potentials.unit_fibres("shin", unit)
    pair = unit_potentials.surface_electrode("shin")
    few = unit_potentials._thin_fibres(full, pair)
    assert few.x_mm.size == 100 and few.count.sum() == pytest.approx(full.x_mm.size)
    a, b = (np.ptp(seen(f, pair)) for f in (full, few))
    assert b == pytest.approx(a, rel=0.25)


# --- The record ------------------------------------------------------------------------


def brute_uv(times, units, name, duration, hz, electrode):
    """Return the record by convolution of impulse trains at the inner rate."""
    m, fine = muscle(name), unit_potentials._oversampling(hz)
    out = np.zeros(round(duration * hz) * fine)
    for u in np.unique(units):
        table = unit_potentials._unit_potential(m, electrode, hz, (1,), (1.0, 1.0), int(u))
        kernel = table.T.ravel()
        train = np.zeros(out.size)
        np.add.at(train, np.rint(times[units == u] * hz * fine).astype(int), 1.0)
        out += np.convolve(train, kernel)[: out.size]
    return out[::fine]


@pytest.mark.parametrize("events", [12, 4000])  # one by one, and by chunks
@pytest.mark.parametrize("hz", [1000.0, 5000.0])
def test_adding_potentials_is_convolution(events, hz):
    rng = np.random.default_rng(3)
    times, units = rng.uniform(0, 1.95, events), rng.integers(0, 3, events)
    e = unit_potentials.needle_electrode("foot_sole")
    record = emg.emg_uv(
        times, units, "foot_sole", 2.0, e, unit_potentials.EmgSettings(hz, noise_uv=0)
    )
    expected = brute_uv(times, units, "foot_sole", 2.0, hz, e)
    assert np.allclose(record, expected, atol=1e-9 * np.ptp(expected))
    energy = np.mean(np.abs(np.fft.fft(record)) ** 2)  # Parseval
    assert energy == pytest.approx(np.sum(expected**2))


def test_discharges_beyond_the_record_count_with_what_is_inside():
    full = emg.emg_uv(
        [0.5, 1.0], [40, 40], "foot_sole", 2.0, settings=unit_potentials.EmgSettings(noise_uv=0)
    )
    for shift in (-0.505, -0.99):
        part = emg.emg_uv(
            np.array([0.5, 1.0]) + shift,
            [40, 40],
            "foot_sole",
            0.3,
            settings=unit_potentials.EmgSettings(noise_uv=0),
        )
        lag = round(-shift * 2000)
        assert np.allclose(part, full[lag : lag + 600])


def test_noise_and_silence():
    e = unit_potentials.surface_electrode("thumb")
    quiet = emg.emg_uv([], [], "thumb", 10, e)
    assert np.sqrt(np.mean(quiet**2)) == pytest.approx(parameter("emg", "noise_surface_uv"))
    power = np.abs(np.fft.rfft(quiet)) ** 2
    hz = np.fft.rfftfreq(quiet.size, 1 / 2000)
    assert power[hz > 900].mean() < 0.1 * power[(hz > 50) & (hz < 300)].mean()
    assert np.array_equal(quiet, emg.emg_uv([], [], "thumb", 10, e))
    assert not np.array_equal(
        quiet, emg.emg_uv([], [], "thumb", 10, e, unit_potentials.EmgSettings(seed=2))
    )


def test_a_slow_record_holds_nothing_above_its_half_rate():
    e = unit_potentials.needle_electrode("shin", *unit_potentials.territories_mm("shin")[60, :2])
    fast = unit_potentials.unit_potentials("shin", e, unit_potentials.EmgSettings(10_000.0), 60)[0]
    hz = np.fft.rfftfreq(fast.size, 1e-4)
    slow = unit_potentials._amplify(fast, e, 10_000.0, 450.0)
    assert (np.abs(np.fft.rfft(slow)) ** 2)[hz > 1000].sum() < 0.01 * np.sum(slow**2) * slow.size


# --- Published sizes -------------------------------------------------------------------


def needle_shapes(name, units, seed, scales=(1.0, 1.0), hz=10_000.0):
    """Return the shapes that needles at random places of units' territories read."""
    rng = np.random.default_rng(seed)
    settings = unit_potentials.EmgSettings(hz, fibres_scale=scales[0], scatter_scale=scales[1])
    table, record = unit_potentials.territories_mm(name), []
    for u in units:
        x, y, r = table[u]
        far, angle = r * math.sqrt(rng.random()), 2 * math.pi * rng.random()
        e = unit_potentials.needle_electrode(
            name, x + far * math.cos(angle), max(y + far * math.sin(angle), 1.0)
        )
        p = unit_potentials.unit_potentials(name, e, settings, u)[0]
        s = unit_potentials.measure_shape(p, hz)
        if s.amplitude_uv > 100:  # what is read at all
            record.append((s.amplitude_uv, s.duration_ms, s.phases))
    return np.array(record)


def test_needle_potentials_are_of_published_size():
    units = np.random.default_rng(1).integers(0, 153, 80)
    amplitude, duration, phases = needle_shapes("shin", units, 2).T
    # tibialis anterior: fasciculations 561 +- 367 uV; healthy voluntary units 661 uV, 9.35 ms,
    # 3.47 phases, up to 35 % with more than four
    assert 400 < amplitude.mean() < 1000
    assert np.mean((amplitude > 200) & (amplitude < 2000)) > 0.8
    assert 7 < duration.mean() < 13 and np.mean((duration > 5) & (duration < 15)) > 0.9
    assert 2.5 < phases.mean() < 4.5 and np.median(phases) <= 4


def test_reinnervated_units_are_larger_and_longer():
    units = np.random.default_rng(1).integers(0, 153, 60)
    healthy, sick = (needle_shapes("shin", units, 2, s) for s in ((1.0, 1.0), (2.5, 1.5)))
    assert sick[:, 0].mean() > 1.3 * healthy[:, 0].mean()
    assert sick[:, 1].mean() > healthy[:, 1].mean()


def test_surface_potentials_are_of_published_size():
    tibialis = np.ptp(unit_potentials.unit_potentials("shin"), axis=1)
    assert 26 < tibialis[: tibialis.size // 2].mean() < 69  # from threshold to 40 % of force
    foot = np.ptp(unit_potentials.unit_potentials("foot_sole"), axis=1)
    assert np.mean((foot > 20) & (foot < 500)) > 0.9


def test_deep_units_of_the_biceps_are_smaller_at_the_skin():
    # 42 uV within 10 mm of the skin, 11 uV beyond 20 mm: within a factor of 2.5
    every = slice(0, 400, 5)
    size = np.ptp(unit_potentials.unit_potentials("upper_arm", units=np.arange(400)[every]), axis=1)
    depth = unit_potentials.territories_mm("upper_arm")[every, 1]
    assert 42 / 2.5 < size[depth < 10].mean() < 42 * 2.5
    assert 11 / 2.5 < size[depth > 20].mean() < 11 * 2.5


@pytest.mark.parametrize("name", MUSCLES)
def test_the_fibres_fit_into_the_muscle(name):
    d_um = (unit_potentials.velocities_m_s(name) - 0.95) / 0.05
    filled = np.sum(unit_potentials.fibre_counts(name) * math.pi / 4 * (d_um / 1000) ** 2)
    size = (
        math.pi
        / 4
        * parameter("emg", f"{name}.width_mm")
        * parameter("emg", f"{name}.thickness_mm")
    )
    assert 0.05 < filled / size < 1.0
    v = unit_potentials.velocities_m_s(name)
    assert 2.5 < v[0] < v[-1] < 5.4


def test_fibres_lie_in_the_muscle_and_are_counted():
    f = unit_potentials.unit_fibres("upper_arm", 399)
    assert f.x_mm.size == unit_potentials.fibre_counts("upper_arm")[399]
    names = ("width", "thickness", "cover")
    wide, thick, cover = (parameter("emg", f"upper_arm.{n}_mm") for n in names)
    inside = (f.x_mm / wide * 2) ** 2 + ((f.y_mm - cover - thick / 2) / thick * 2) ** 2
    assert inside.max() <= 1.0 + 1e-12
    assert f.diameter_um.std() / f.diameter_um.mean() == pytest.approx(0.1, rel=0.2)


def test_an_exchanged_number_is_not_answered_from_memory():
    before = np.ptp(unit_potentials.unit_potentials("foot_sole", units=10))
    with override("emg", "intracellular_conductivity", 2.02):
        assert np.ptp(unit_potentials.unit_potentials("foot_sole", units=10)) == pytest.approx(
            2 * before
        )


# --- Mistakes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"electrode": "neddle"}, "did you mean 'needle'"),
        ({"muscle": "calff"}, "did you mean 'calf'"),
        ({"sampling_hz": 10}, "500 to 50000"),
        ({"duration_s": 1e9}, "3.2e.04 GB of memory"),
        ({"duration_s": -1}, "must not be negative"),
        ({"unit": [999]}, "does not exist"),
        ({"scale_of_units": [1, 2]}, "one number or 43"),
        ({"scale_of_units": -1}, "not negative"),
        ({"noise_uv": -1}, "noise_uv"),
        ({"fibres_scale": 0}, "fibres_scale"),
        ({"seed": 1.5}, "whole numbers"),
    ],
)
def test_mistakes_are_one_sentence(arguments, words):
    settings = {k: v for k, v in arguments.items() if k in vars(unit_potentials.EmgSettings())}
    rest = {k: v for k, v in arguments.items() if k not in settings}
    call = {"time_s": [0.1], "unit": [0], "muscle": "foot_sole", "duration_s": 1.0} | rest
    with pytest.raises(NeurosimError, match=words) as caught:
        emg.emg_uv(**call, settings=unit_potentials.EmgSettings(**settings))
    assert "\n" not in str(caught.value)


def test_an_electrode_must_make_sense():
    with pytest.raises(NeurosimError, match="three coordinates"):
        unit_potentials.Electrode("x", ((0.0, 0.0, 0.0),), (1.0, -1.0))
    with pytest.raises(NeurosimError, match="depth"):
        unit_potentials.Electrode("x", ((0.0, -1.0, 0.0),), (1.0,))
