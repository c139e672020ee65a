"""Twitches against closed forms and a plain loop over a finely sampled force."""

import dataclasses
import time

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.model.muscle import anatomy
from neurosim.model.muscle.events import (
    KINDS,
    DischargeLabels,
    Twitches,
    _crossing,
    find_twitches,
)
from neurosim.model.muscle.force import UNSCALED, TwitchScales, muscle_force_mn, summation_gain


def naive_events(times, units, name, time_scale=1.0):
    """Return (onset, duration, peak, unit, count) per event from densely sampled twitches."""
    peaks, contractions = anatomy.twitch_forces_mn(name), anatomy.contraction_times_ms(name)
    twitches = []
    for u in sorted(set(units.tolist())):
        unit_times = sorted(times[units == u].tolist())
        T = contractions[u] * time_scale / 1000
        events = []
        for k, t0 in enumerate(unit_times):
            g = float(summation_gain(T / (t0 - unit_times[k - 1]))) if k else 1.0
            if k and t0 - unit_times[k - 1] <= 0.020 + 1e-9:
                events[-1].append((t0, g))
            else:
                events.append([(t0, g)])
        for event in events:
            t = np.arange(event[0][0], event[-1][0] + 12 * T, T / 5000)
            force = np.zeros(t.size)
            for t0, g in event:
                x = np.maximum(t - t0, 0) / T
                force += g * peaks[u] * x * np.exp(1 - x)
            above = t[force > 0.05 * force.max()]
            twitches.append((above[0], above[-1] - above[0], force.max(), u, len(event)))
    return sorted(twitches)


def test_one_twitch_is_the_closed_form():
    # v exp(1 - v) = 0.05 at v = 0.018753 and v = 5.74393 (solved apart by bisection).
    twitches = find_twitches([10.0], [0], "thumb")
    assert twitches.peak_mn == pytest.approx([3.0], rel=1e-12)
    low, high = 0.0187389, 5.7439
    assert low * np.exp(1 - low) == pytest.approx(0.05, rel=1e-3)
    assert high * np.exp(1 - high) == pytest.approx(0.05, rel=1e-3)
    assert twitches.onset_s == pytest.approx([10 + low * 0.080], abs=2e-6)
    assert twitches.duration_s == pytest.approx([(high - low) * 0.080], rel=1e-3)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("time_scale", [0.1, 1.0, 3.0])
def test_events_agree_with_the_plain_loop(seed, time_scale):
    rng = np.random.default_rng(seed)
    # Bursts of 1 to 12 discharges 2 to 30 ms apart, so that events split and run on.
    starts = rng.uniform(0, 20, 12)
    bursts = [s + np.cumsum(rng.uniform(0.002, 0.030, rng.integers(1, 13))) for s in starts]
    units = np.repeat(rng.integers(0, 43, 12), [b.size for b in bursts])
    times = np.concatenate(bursts)
    twitches = find_twitches(times, units, "foot_sole", TwitchScales(1.0, time_scale))
    expected = np.array(naive_events(times, units, "foot_sole", time_scale))
    T = anatomy.contraction_times_ms("foot_sole").max() * time_scale / 1000
    assert twitches.unit.tolist() == expected[:, 3].tolist()
    assert twitches.discharges.tolist() == expected[:, 4].tolist()
    np.testing.assert_allclose(twitches.peak_mn, expected[:, 2], rtol=1e-3)
    np.testing.assert_allclose(twitches.onset_s, expected[:, 0], rtol=0, atol=1e-3 * T)
    np.testing.assert_allclose(twitches.duration_s, expected[:, 1], rtol=0, atol=1e-3 * T)


def test_counts_are_kept_and_order_of_units_does_not_matter():
    rng = np.random.default_rng(1)
    times = np.round(np.sort(rng.uniform(0, 30, 3000)), 4)
    units = rng.integers(0, 43, 3000)
    twitches = find_twitches(times, units, "foot sole")
    assert twitches.discharges.sum() == 3000
    counts = np.bincount(twitches.unit, weights=twitches.discharges, minlength=43)
    np.testing.assert_array_equal(counts, np.bincount(units, minlength=43))
    assert np.all(np.diff(twitches.onset_s) >= 0)
    shuffle = rng.permutation(3000)
    other = find_twitches(times[shuffle], units[shuffle], "abductor hallucis")
    for name, column in twitches.columns().items():
        np.testing.assert_array_equal(column, other.columns()[name])


def test_another_unit_changes_nothing_about_a_twitch():
    alone = find_twitches([1.0, 1.005], [3, 3], "thumb")
    together = find_twitches([1.0, 1.002, 1.005, 1.2], [3, 8, 3, 9], "thumb")
    unit_times = together.unit == 3
    for name, column in alone.columns().items():
        np.testing.assert_array_equal(column, together.columns()[name][unit_times])


def test_kinds_follow_the_twenty_millisecond_rule():
    # 20 ms exactly belongs together, 20.1 ms does not.
    times = [1.0, 2.0, 2.005, 3.0, 3.02, 3.04, 4.0, 4.0201]
    twitches = find_twitches(times, [0] * 8, "shin")
    assert twitches.kind.tolist() == ["single", "doublet", "multiplet", "single", "single"]
    assert twitches.discharges.tolist() == [1, 2, 3, 1, 1]


def test_visible_and_scale():
    m = anatomy.muscle("thumb")
    forces = anatomy.twitch_forces_mn(m)
    units = np.arange(m.units)
    times = units * 1.0
    twitches = find_twitches(times, units, m)
    np.testing.assert_array_equal(twitches.visible, forces > m.visible_force_mn)
    assert not find_twitches(times, units, m, TwitchScales(0.0)).visible.any()
    assert find_twitches(times, units, m, TwitchScales(100)).visible.all()
    slower = find_twitches(times, units, m, TwitchScales(contraction_time=2))
    np.testing.assert_allclose(slower.duration_s, 2 * twitches.duration_s)


def test_read_aloud():
    assert str(find_twitches([], [], "calf")) == "no twitches"
    assert str(find_twitches([1], [0], "calf")) == "1 twitch: 1 single; none visible"
    # units 0 and 500 of the calf give 4 and 4 * 100**(500/580) = 212 mN
    words = str(find_twitches([1, 2, 2.01, 3, 3.01, 3.02, 4], [0, 500, 500, 0, 0, 0, 500], "calf"))
    assert words.startswith("4 twitches: 2 single, 1 doublet, 1 multiplet; ")
    two = str(find_twitches([2, 2.01, 3, 3.01], [500] * 4, "calf"))
    assert two == "2 twitches: 2 doublets; 2 visible"


def test_empty_gives_empty_columns():
    twitches = find_twitches([], [], "eyelid")
    assert len(twitches) == 0
    assert all(column.shape == (0,) for column in twitches.columns().values())
    assert twitches.kind.dtype.kind == "U"
    assert twitches.visible.dtype == bool


def test_a_long_train_is_one_event_at_its_plateau():
    # Unit 0 of the shin at 100 per second for 30 s: 9.05 twitches of 3 mN, T = 90 ms.
    times = np.arange(3000) / 100
    twitches = find_twitches(times, np.zeros(3000), "shin")
    assert twitches.discharges.tolist() == [3000]
    assert twitches.peak_mn[0] == pytest.approx(9.05 * 3.0, rel=0.02)
    assert 30.0 < twitches.duration_s[0] < 30.0 + 6 * 0.090 + 0.2


def test_a_million_discharges_in_seconds():
    rng = np.random.default_rng(0)
    times, units = np.sort(rng.uniform(0, 86_400, 1_000_000)), rng.integers(0, 580, 1_000_000)
    start = time.perf_counter()
    twitches = find_twitches(times, units, "calf")
    assert time.perf_counter() - start < 20
    assert twitches.discharges.sum() == 1_000_000


def test_twitches_are_frozen_with_equal_columns():
    twitches = find_twitches([1.0], [0], "calf")
    with pytest.raises(dataclasses.FrozenInstanceError):
        twitches.unit = np.zeros(1)  # type: ignore[misc]
    with pytest.raises(NeurosimError, match="equal length"):
        Twitches(**(twitches.columns() | {"unit": np.zeros(2)}))


@pytest.mark.parametrize(
    ("times", "units", "words"),
    [
        ([np.nan], [0], "finite"),
        ([1.0], [580], "units 0 to 579"),
        ([1.0, 2.0], [0], "equal length"),
    ],
)
def test_nonsense_is_one_sentence(times, units, words):
    with pytest.raises(NeurosimError, match=words):
        find_twitches(times, units, "calf")


def test_no_time_between_two_discharges_stays_finite():
    twitches = find_twitches([1.0, 1.0], [0, 0], "calf")
    assert twitches.discharges.tolist() == [2]
    assert twitches.peak_mn[0] == pytest.approx(4.0, rel=1e-3)


def test_kinds_follow_from_what_made_the_discharges():
    bursts = [("misfire", 1), ("misfire", 2), ("misfire", 4), ("neuromyotonia", 2),
              ("neuromyotonia", 5), ("myokymia", 1), ("myokymia", 3)]  # fmt: skip
    process = np.repeat([b[0] for b in bursts], [b[1] for b in bursts])
    episode = np.repeat(np.arange(7), [b[1] for b in bursts])
    times = 2.0 * episode + 0.03 * np.arange(process.size)
    twitches = find_twitches(
        times,
        np.full(process.size, 3),
        "thumb",
        labels=DischargeLabels(
            np.where(process == "myokymia", "lesion", "terminal"), episode, process
        ),
    )
    assert twitches.kind.tolist() == [
        "single",
        "doublet",
        "multiplet",
        "doublet",
        "neuromyotonic_burst",
        "single",
        "myokymic_burst",
    ]
    assert twitches.origin.tolist() == ["terminal"] * 5 + ["lesion"] * 2
    assert twitches.units.tolist() == [1] * 7 and not twitches.painful.any()
    assert "1 myokymic burst" in str(twitches) and set(twitches.kind) < set(KINDS)


@pytest.mark.parametrize(
    ("process", "kinds"),
    [  # of one, two, three and four discharges
        ("misfire", ["single", "doublet", "multiplet", "multiplet"]),
        ("myokymia", ["single"] + ["myokymic_burst"] * 3),  # a group is two or more
        ("neuromyotonia", ["single", "doublet"] + ["neuromyotonic_burst"] * 2),
        ("plateau", ["single"] + ["spasm"] * 3),  # a lid's twitches come apart
    ],
)
def test_the_kind_of_so_many_discharges(process, kinds):
    counts = [1, 2, 3, 4]
    episode = np.repeat(np.arange(4), counts)
    times = 2.0 * episode + 0.03 * np.arange(episode.size)
    labels = DischargeLabels(None, episode, [process] * episode.size)
    twitches = find_twitches(times, np.full(episode.size, 3), "thumb", labels=labels)
    assert twitches.kind.tolist() == kinds and twitches.discharges.tolist() == counts


def spasm(start_s, scales=UNSCALED):
    """Return one spasm of two units that fire 15 times a second for two seconds."""
    times = np.tile(start_s + np.arange(30) / 15.0, 2)
    labels = DischargeLabels(None, [0] * 60, ["plateau"] * 60)
    return find_twitches(times, np.repeat([7, 3], 30), "calf", scales, labels)


def test_a_spasm_is_the_same_at_any_time_and_in_any_strength():
    early, late = spasm(0.0), spasm(100.0)
    assert late.peak_mn == pytest.approx(early.peak_mn, rel=1e-3)
    assert late.duration_s == pytest.approx(early.duration_s)
    weak = spasm(0.0, TwitchScales(1e-4))
    assert weak.peak_mn == pytest.approx(1e-4 * early.peak_mn) and weak.peak_mn < 1.0


def test_a_spasm_takes_the_scale_of_its_first_discharge():
    # in order of units and time: unit 3 comes first, whose discharges stand last
    force = np.repeat([2.0, 0.5], 30)
    assert spasm(0.0, TwitchScales(force)).peak_mn == pytest.approx(
        0.5 * spasm(0.0).peak_mn, rel=1e-9
    )


@pytest.mark.parametrize(("scale", "is_valid"), [(0, 1), (100, 1), (-0.5, 0), (100.5, 0)])
def test_the_force_is_scaled_by_0_to_100(scale, is_valid):
    if is_valid:
        twitches = find_twitches([1.0], [0], "calf", TwitchScales(scale))
        expected = scale * find_twitches([1.0], [0], "calf").peak_mn
        assert twitches.peak_mn == pytest.approx(expected)
        return
    with pytest.raises(NeurosimError, match="force_scale"):
        find_twitches([1.0], [0], "calf", TwitchScales(scale))


def test_what_is_just_as_strong_as_the_least_visible_force_is_not_seen():
    peak = float(find_twitches([1.0], [0], "calf").peak_mn[0])
    for visible_mn, is_seen in ((peak, False), (np.nextafter(peak, 0.0), True)):
        muscle = dataclasses.replace(anatomy.muscle("calf"), visible_force_mn=visible_mn)
        assert find_twitches([1.0], [0], muscle).visible.tolist() == [is_seen]


def test_both_crossings_meet_at_the_top():
    # b u exp(-u) is largest, b / e, at u = 1; rounding may put a level just above it
    b = np.geomspace(1e-3, 1e3, 101)
    for rising in (True, False):
        u = _crossing(np.zeros(101), b, b * np.exp(-1.0), rising)
        assert u == pytest.approx(np.ones(101), abs=1e-6)


def test_crossings_are_those_of_lambert():
    # (a + b u) exp(-u) = y has the roots u = -a/b - W(-y exp(-a/b) / b) of both branches
    from scipy.special import lambertw

    rng = np.random.default_rng(0)
    b, u_top = rng.uniform(0.1, 10.0, 500), rng.uniform(0.05, 1.0, 500)
    a = b * (1.0 - u_top)
    level = rng.uniform(0.001, 0.999, 500) * b * np.exp(-u_top)
    for rising, branch in ((True, 0), (False, -1)):
        exact = -a / b - lambertw(-level * np.exp(-a / b) / b, branch).real
        u = _crossing(a, b, level, rising)
        assert u == pytest.approx(np.maximum(exact, 0.0), rel=1e-9, abs=1e-9)


def test_a_spasm_is_one_event_over_its_units_and_its_force_the_sum():
    rng = np.random.default_rng(2)
    trains = [np.sort(rng.uniform(1.0, 9.0, 90)) for _ in range(5)]
    times, units = np.concatenate(trains), np.repeat([2, 5, 9, 20, 40], 90)
    order = rng.permutation(times.size)
    times, units = np.append(times[order], 20.0), np.append(units[order], 5)
    twitches = find_twitches(
        times,
        units,
        "foot_sole",
        TwitchScales(0.5),
        DischargeLabels(["soma"] * 451, [0] * 450 + [1], ["plateau"] * 450 + ["misfire"]),
    )
    assert twitches.kind.tolist() == ["spasm", "single"] and twitches.painful.tolist() == [
        True,
        False,
    ]
    assert twitches.units.tolist() == [5, 1] and twitches.discharges.tolist() == [450, 1]
    assert twitches.unit.tolist() == [2, 5]
    force = muscle_force_mn(times[:-1], units[:-1], "foot_sole", 12.0, 2000.0, TwitchScales(0.5))
    assert twitches.peak_mn[0] == pytest.approx(force.max(), rel=2e-3)
    assert twitches.onset_s[0] == pytest.approx(times.min(), abs=0.05)
    assert 0.1 < twitches.onset_s[0] + twitches.duration_s[0] - times[:-1].max() < 1.0


def test_bursts_of_one_unit_that_run_into_each_other_stay_apart():
    times, episode = [1.0, 1.01, 1.02, 1.03], [0, 1, 0, 1]
    twitches = find_twitches(times, [4] * 4, "shin", labels=DischargeLabels(episode=episode))
    assert twitches.kind.tolist() == ["doublet", "doublet"] and twitches.discharges.sum() == 4
    alone = find_twitches([1.0, 1.02], [4, 4], "shin")
    assert twitches.onset_s[0] == pytest.approx(alone.onset_s[0], abs=1e-3)


@pytest.mark.parametrize("name", ["origin", "episode", "process"])
def test_a_column_of_another_length_is_one_sentence(name):
    with pytest.raises(NeurosimError, match=name):
        find_twitches([1.0, 2.0], [0, 0], "calf", labels=DischargeLabels(**{name: [0, 0, 0]}))
