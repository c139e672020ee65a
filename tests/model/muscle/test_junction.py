"""The junction against published ratios, closed forms, another integrator and clinical signs."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import override, parameter
from neurosim.model.firing.discharge import ORIGINS, append_followers, firing_from_rows
from neurosim.model.muscle import junction
from neurosim.model.muscle.junction import Junction, transmit
from neurosim.simulation.person_run import add_fibre_repeats
from neurosim.simulation.simulate import simulate
from neurosim.simulation.state import constant_trajectory, state_from_contributions

# ionised calcium, ionised magnesium, release relative to health: Dodge & Rahamimoff 1967
RELEASE = (
    (1.2, 0.55, 1.00), (1.0, 0.55, 0.67), (0.8, 0.55, 0.40), (0.6, 0.55, 0.19),
    (1.5, 0.55, 1.55), (2.0, 0.55, 2.54), (1.2, 0.25, 1.20), (1.2, 1.0, 0.78),
    (1.2, 2.0, 0.46), (1.2, 3.0, 0.29), (1.2, 4.0, 0.20), (1.2, 5.0, 0.13),
)  # fmt: skip


@pytest.mark.parametrize(("calcium", "magnesium", "expected"), RELEASE)
def test_release_follows_dodge_and_rahamimoff(calcium, magnesium, expected):
    assert junction.relative_release(calcium, magnesium) == pytest.approx(expected, abs=0.006)


def test_release_takes_arrays_and_its_slope_is_the_published_one():
    found = junction.relative_release(np.array([1.2, 0.20, 0.22]), 0.55)
    assert found[0] == pytest.approx(1.0)
    assert np.log(found[2] / found[1]) / np.log(1.1) == pytest.approx(3.78, abs=0.4)  # +- 2 SD


def test_an_end_plate_that_stays_open_is_the_closed_form_of_a_cable():
    # half a fibre with a sealed end: R = R_m / (2 pi a lambda) coth(L / lambda), two halves
    radius, length = 25e-4, 24 * 0.025 - 0.0125  # cm; the first compartment is cut in its middle
    r_m, r_i = 1e3 / parameter("junction", "fibre_leak"), 100.0 / parameter(
        "emg", "intracellular_conductivity")  # fmt: skip
    constant = np.sqrt(radius * r_m / (2.0 * r_i))
    half = r_m / (2.0 * np.pi * radius * constant) / np.tanh(length / constant)
    drive = parameter("junction", "reversal_mv") - parameter("junction", "rest_mv")
    for strength_ns in (1.0, 300.0, 3000.0):
        x = strength_ns * 1e-9 * half / 2.0
        found = junction.fibre_mv(strength_ns, 1e12, 40.0, channels=False)[-1, 0, 0]
        # the sum of packets saturates as x / (1 + x) (Martin 1955)
        expected = drive * x / (1.0 + x)
        assert found - parameter("junction", "rest_mv") == pytest.approx(expected, rel=0.02)
    quantum = junction.end_plate_mv(junction.quantum_ns(), parameter("junction", "decay_ms"))
    assert quantum == pytest.approx(0.75, rel=0.01)


def _by_solver(strength_ns, tau_ms, run_ms):
    """Return the potential 5 mm on from SciPy's solver, equations written anew."""
    n, warm = 24, 2.2**1.7
    area = 2 * np.pi * 25e-4 * 0.025 * np.r_[0.5, np.ones(n - 1)]
    axial = 1e3 * np.pi * 25e-4**2 * 1.01e-2 / 0.025
    g_na, g_k = 134 * 1.4**1.7 * np.r_[2.0, np.ones(n - 1)], 10.8 * 1.4**1.7

    def rates(v):
        x, y = (v + 46) / 10, (v + 40) / 7
        up = np.stack(
            [
                2.88 * x / (1 - np.exp(-x)),
                0.0081 * np.exp(-(v + 45) / 14.7),
                0.0917 * y / (1 - np.exp(-y)),
            ]
        )
        down = np.stack(
            [
                1.38 * np.exp(-(v + 46) / 18),
                4.38 / (1 + np.exp(-(v + 45) / 9)),
                0.067 * np.exp(-(v + 40) / 40),
            ]
        )
        slow = 60.0 / (0.2 + 5.65 * ((v + 70) / 100) ** 2)
        return warm * up, warm * down, 1 / (1 + np.exp((v + 68) / 7.1)), slow / warm

    def ionic(v, m, h, k, s):
        return g_na * m**3 * h * s * (v - 50) + g_k * k**4 * (v + 85)

    v0 = np.full(n, -82.0)
    up, down, slow0, _ = rates(v0)
    start = np.vstack([v0, up / (up + down), slow0])
    e_leak = -82.0 + ionic(*start)[-1] / 0.4

    def change(t, y):
        v, m, h, k, s = y.reshape(5, n)
        current = ionic(v, m, h, k, s) + 0.4 * (v - e_leak)
        current[0] += 0.5e-6 * strength_ns * np.exp(-t / tau_ms) / area[0] * (v[0] + 5)
        flow = np.zeros(n)
        flow[:-1] += axial * np.diff(v)
        flow[1:] -= axial * np.diff(v)
        up, down, slow, tau = rates(v)
        gates = up * (1 - np.stack([m, h, k])) - down * np.stack([m, h, k])
        return np.concatenate([flow / area - current, gates.ravel(), (slow - s) / tau])

    t = np.arange(1, round(run_ms / 0.02) + 1) * 0.02
    done = solve_ivp(change, (0, run_ms), start.ravel(), "LSODA", t, rtol=1e-6, atol=1e-6)
    return done.y[n - 4]


@pytest.mark.parametrize(("quanta", "scale"), [(50.0, 1.0), (30.0, 0.1)])
def test_the_fibre_agrees_with_another_integrator(quanta, scale):
    strength, tau = quanta * junction.quantum_ns(), junction.decay_ms(scale)
    ours = junction.spike_times_ms(junction.fibre_mv(strength, tau, 20.0)[:, 1])[0]
    theirs = junction.spike_times_ms(_by_solver(strength, tau, 20.0)[:, None])[0]
    assert ours.size == theirs.size == (1 if scale == 1.0 else 2)
    assert ours == pytest.approx(theirs, abs=0.06)


def test_strengths_are_the_law_of_random_packets_of_random_sizes():
    rng, mean, n = np.random.default_rng(1), 20.0, 40_000
    packets = rng.poisson(mean * np.exp(0.25 * rng.standard_normal(n)))
    shape = 0.3**-2
    sums = np.where(packets > 0, rng.gamma(np.maximum(packets, 1) * shape, 1 / shape), 0.0)
    edges = np.array([5.0, 12.0, 20.0, 30.0, 45.0])
    share = (sums[:, None] > edges).mean(axis=0)
    assert junction.exceeding_share(edges, mean) == pytest.approx(share, abs=0.01)  # 4 SE
    assert junction.exceeding_share([0.0], 0.5)[0] == pytest.approx(1 - np.exp(-0.5), abs=0.02)
    with override("junction", "quanta_spread", 0.0):
        assert junction.exceeding_share([1e-9], 3.0)[0] == pytest.approx(1 - np.exp(-3.0), rel=1e-6)


def test_the_safety_factor_is_that_of_people_and_healthy_fibres_fire_once():
    health = transmit(1.2, 0.55)
    assert 2.0 <= health.safety_factor <= 4.0
    assert health.share > 0.99 and health.repeats_ms == ()
    usual = junction.fibre_response().quanta < 120.0  # more packets than that have none in 10 000
    assert junction.exceeding_share(120.0, health.quanta)[0] < 0.01
    assert (
        max(t.size for t, u in zip(junction.fibre_response().spikes_ms, usual, strict=True) if u)
        == 1
    )


def test_low_calcium_does_not_silence_the_muscle_but_magnesium_does():
    assert transmit(0.8, 0.55).share > 0.8  # tetany, not weakness
    assert transmit(0.7, 0.55).share > 0.4
    assert transmit(0.4, 0.55).share < 0.005
    levels = (0.55, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)
    shares = [transmit(1.2, mg).share for mg in levels]
    assert all(a > b for a, b in itertools.pairwise(shares))
    # reflexes go at 1.5 to 3.3, breathing at 2.1 to 3.9 mmol/L ionised (0.65 of the total)
    half = float(np.interp(-0.5, -np.array(shares), levels))
    assert 1.5 < half < 3.9


def test_the_enzyme_sets_how_long_the_end_plate_stays_open():
    assert junction.decay_ms(1.0) == pytest.approx(1.0)
    assert junction.decay_ms(0.0) == pytest.approx(7.0)
    # rates add up: 1/7 without the enzyme, the rest in proportion to what is left of it
    assert junction.decay_ms(0.5) == pytest.approx(1 / (1 / 7 + 0.5 * 6 / 7))
    assert transmit(0.7, 0.55, 0.3).share > transmit(0.7, 0.55).share + 0.2  # as in myasthenia


def test_fibres_fire_again_while_the_end_plate_outlasts_their_refractory_time():
    assert transmit(1.2, 0.55, 0.8).repeats_ms == ()
    least = [transmit(1.2, 0.55, e) for e in (0.5, 0.2, 0.0)]
    delays = [j.repeats_ms[0] for j in least]
    assert delays == sorted(delays, reverse=True), "the longer it is open, the sooner"
    assert min(delays) > 2.5 and max(delays) < 6.0
    lone = junction.fibre_mv(50.0 * junction.quantum_ns(), junction.decay_ms(0.0), 30.0)
    apart = np.diff(junction.spike_times_ms(lone[:, 1])[0])[0]
    assert delays[-1] == pytest.approx(apart, abs=0.2), "that of a middle fibre"
    # an unrelated way to the refractory time: the shortest gap at which a second strong impulse
    # of a healthy end plate makes a second spike 5 mm on
    strong = 120.0 * junction.quantum_ns()
    gaps = np.arange(1.0, 5.0, 0.25)
    second = [
        junction.spike_times_ms(junction.fibre_mv(strong, 1.0, 15.0, (0.0, g))[:, 1])[0].size > 1
        for g in gaps
    ]
    assert min(delays) > gaps[int(np.argmax(second))] - 0.5
    assert transmit(1.2, 5.0, 0.3).repeats_ms == (), "too little release to fire twice"


def test_trains_fall_out_under_inhibition_as_in_poisoned_people():
    # Wadia 1987 and others: repetitive answers; no decrement at 3 per second, decrement at 30
    for hz, impulses in ((3.0, 5), (30.0, 15), (50.0, 15)):
        assert (junction.train_response(hz, impulses)[:, 0] == 1).all()
    slow, fast = (
        junction.train_response(hz, n, None, 0.2)[:, 0] for hz, n in ((3.0, 5), (30.0, 15))
    )
    assert (slow == 2).all()
    assert fast[0] == 2 and (fast == 0).sum() >= 2
    assert fast[1] == 0 and fast[2:5].any(), "decrement, then increment"
    assert (junction.train_response(100.0, 15)[:, 0] == 1).all()
    blocked = junction.train_response(100.0, 15, None, 0.1)[:, 0]
    assert blocked.tolist() == [2] + [0] * 14, "the end plate never closes: depolarisation block"


def test_further_discharges_come_behind_their_own_as_by_hand():
    made = Junction(50.0, 13.0, 3.0, 1.0, (4.0, 8.0), (0.9, 0.6))
    at, behind = junction.add_repeats([0.0, 0.005, 1.0, 2.0], [7, 7, 7, 3], made)
    assert at == pytest.approx([0.004, 0.009, 0.013, 1.004, 1.008, 2.004, 2.008])
    assert behind.tolist() == [0, 1, 1, 2, 2, 3, 3]
    assert junction.add_repeats([0.0], [1], transmit(1.2, 0.55))[0].size == 0
    rows = np.array([[0.0, 0.005, 1.0, 2.0], [7, 7, 7, 3], [0, 0, 1, 2], [0, 1, 0, 0], [0.0] * 4])
    fired = firing_from_rows(rows, 2.006)
    found = append_followers(fired, at, behind, "junction")
    assert len(found) == 10, "the last comes after the end"
    assert np.array(ORIGINS)[found.origin].tolist() == [
        "axon",
        "junction",
        "axon",
        "junction",
        "junction",
        "terminal",
        "junction",
        "junction",
        "soma",
        "junction",
    ]
    assert found.episode.tolist() == [0] * 5 + [1] * 3 + [2] * 2
    assert found.place.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 0, 1]
    assert found.unit.tolist() == [7] * 8 + [3] * 2


def test_a_body_reaches_the_enzyme_by_its_parameter_alone():
    less = SimpleNamespace(
        site="junction", parameter="acetylcholinesterase_scale", operation="scale", change=0.1
    )
    state = state_from_contributions([less])
    assert state.junction == transmit(1.2, 0.55, 0.1)
    assert state.axon == state_from_contributions([]).axon
    healthy = simulate(duration_s=120.0, person=3)
    fired = add_fibre_repeats(healthy.firing, constant_trajectory(state))
    extra = ORIGINS.index("junction")
    assert len(healthy.firing) and (healthy.firing.origin != extra).all()
    assert (fired.origin == extra).sum() == len(fired) - len(healthy.firing) > 0
    wrong = SimpleNamespace(
        site="axon", parameter="acetylcholinesterase_scale", operation="scale", change=0.1
    )
    with pytest.raises(NeurosimError):
        state_from_contributions([wrong])


def test_a_person_under_an_inhibitor_twitches_as_often_and_in_doublets():
    asked = {"duration_s": 600.0, "seed": 1}
    health, blocked = (simulate(n, **asked) for n in ("normal", "cholinesterase_inhibition"))
    firing = blocked.firing
    extra = firing.origin == ORIGINS.index("junction")
    assert np.array_equal(firing.time_s[~extra], health.firing.time_s), "the nerve's are the same"
    assert len(blocked.twitches) == len(health.twitches)
    assert (blocked.twitches.discharges > 1).all()
    behind = firing.time_s[extra] - firing.time_s[np.flatnonzero(extra) - 1]
    assert np.median(behind) == pytest.approx(blocked.state.junction.repeats_ms[0] / 1000.0)
    assert blocked.force_mn().max() > health.force_mn().max()


def test_mistakes_are_one_sentence():
    with pytest.raises(NeurosimError, match="acetylcholinesterase_scale"):
        transmit(1.2, 0.55, -0.1)
    with pytest.raises(NeurosimError, match="calcium"):
        transmit(-1.0, 0.55)
    with pytest.raises(NeurosimError, match="rate_per_s"):
        junction.train_response(0.0, 3)
    with pytest.raises(NeurosimError, match="same length"):
        junction.add_repeats([0.0, 1.0], [1], transmit(1.2, 0.55))
