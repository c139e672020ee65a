"""Held forces against Potvin & Fuglevand 2017, and what units do as they tire."""

import math

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter
from neurosim.model.muscle.force import force_fraction
from neurosim.validation import fatigue

UNITS = fatigue.build_units()


@pytest.mark.parametrize(("percent", "endurance_s"), [(20.0, 512.0), (50.0, 95.0), (80.0, 15.0)])
def test_endurance_is_that_of_the_authors_code(percent, endurance_s):
    assert fatigue.longest_hold_s(percent, 700.0) == pytest.approx(endurance_s, rel=0.05)


def test_units_are_those_of_the_paper():
    # closed forms: recruitment 1 to 50, force 1 to 100, 90 to 30 ms, 35 to 25 per s
    assert UNITS.threshold[[0, -1]] == pytest.approx([1.0, 50.0])
    assert UNITS.force[[0, -1]] == pytest.approx([1.0, 100.0])
    assert UNITS.contraction_time_ms[[0, -1]] == pytest.approx([90.0, 30.0])
    assert UNITS.highest_per_s[[0, -1]] == pytest.approx([35.0, 25.0])
    assert UNITS.loss_per_s[[0, -1]] == pytest.approx([0.0225 / 180.0, 0.0225])
    assert UNITS.full_excitation == pytest.approx(67.0)
    rates = fatigue.rates_per_s(UNITS, 30.0)
    assert rates[0] == 35.0 and (rates[UNITS.threshold > 30.0] == 0.0).all()
    assert rates[(UNITS.threshold < 30.0)].min() >= 8.0


def test_rates_adapt_with_22_s():
    fresh, tired = (fatigue.rates_per_s(UNITS, 67.0, t) for t in (0.0, 1e6))
    fall = fresh - tired
    assert fall[0] == pytest.approx(0.0)
    assert fall[-1] == pytest.approx(0.67 * (25.0 - 6.0))  # closed form of the last unit
    at_tau = fresh - fatigue.rates_per_s(UNITS, 67.0, 22.0)
    assert at_tau[1:] / fall[1:] == pytest.approx(1.0 - math.exp(-1.0))


def test_force_against_rate_joins_at_the_linear_limit():
    x = np.array([0.2, 0.4, 0.4 + 1e-9, 0.702, 1.048])
    found = force_fraction(x)
    assert found[2] == pytest.approx(found[1], abs=1e-6)
    assert found[0] == pytest.approx(found[1] / 2.0)
    assert found[3:] == pytest.approx([0.5, 0.9], abs=0.002)


def test_full_effort_loses_the_big_units_first_and_recovery_returns_them():
    work = np.full(600, 100.0)  # a minute
    tired = fatigue.simulate_effort(work)
    assert tired.force_percent[0] == pytest.approx(100.0, abs=0.1)
    assert tired.left[:20].min() > 0.95 and tired.left[-30:].max() < 0.7
    rested = fatigue.simulate_effort(np.concatenate([work, np.zeros(6000)]), recovery=True)
    still = fatigue.simulate_effort(np.concatenate([work, np.zeros(6000)]))
    assert np.array_equal(still.left, tired.left), "no recovery unless asked for"
    # lone exponential return over the ten minutes: 1 - left falls by exp(-600 s / tau)
    during = fatigue.simulate_effort(work, recovery=True).left
    expected = 1.0 - (1.0 - during) * np.exp(-600.0 / UNITS.recovery_tau_s)
    assert rested.left == pytest.approx(expected, abs=2e-3)
    assert (rested.left > tired.left).all()


def test_a_target_is_met_by_the_least_drive_however_it_goes():
    # rising, falling and far falling targets; a hundredth of excitation is under 0.1 % of force
    target = np.repeat([20.0, 60.0, 59.0, 5.0, 80.0], 3)
    found = fatigue.simulate_effort(target)
    over = found.force_percent - target
    assert (over >= -1e-9).all() and (over < 0.15).all()
    assert (np.diff(found.excitation_percent[[0, 3, 6, 9, 12]]) * [1, -1, -1, 1] > 0).all()


@pytest.mark.parametrize("recovery", [False, True])
def test_full_effort_is_the_papers_equations_step_by_step(recovery):
    # written anew: dP/dt = -loss x activation, slowing, adaptation; recovery as stated
    steps, left, on_s = 300, np.ones(120), np.zeros(120)
    fresh, capacity, force = 0.0, [], []
    for _ in range(steps):
        slow = UNITS.contraction_time_ms / 1000.0 * (1.0 + 0.379 * (1.0 - left))
        rested, rate = (fatigue.rates_per_s(UNITS, 67.0, t) for t in (0.0, on_s))
        capacity.append((force_fraction(slow * rested) * left * UNITS.force).sum())
        active = force_fraction(slow * rate)
        force.append((active * left * UNITS.force).sum())
        fresh = fresh or capacity[0]
        back = recovery * (1.0 - left) * (1.0 - active) / UNITS.recovery_tau_s
        left = left + 0.1 * (back - UNITS.loss_per_s * active)
        on_s = on_s + 0.1
    found = fatigue.simulate_effort(np.full(steps, 100.0), recovery=recovery)
    assert found.left == pytest.approx(left, abs=1e-9)
    assert found.capacity_percent == pytest.approx(100.0 * np.array(capacity) / fresh)
    assert found.force_percent == pytest.approx(100.0 * np.array(force) / fresh)
    slowest, fastest = (parameter("fatigue", f"recovery_tau_{end}_s") for end in ("slow", "fast"))
    assert UNITS.recovery_tau_s[[0, -1]] == pytest.approx([slowest, fastest])


def test_recovery_prolongs_a_weak_hold_more_than_a_strong_one():
    gains = []
    for percent, most in ((30.0, 400.0), (80.0, 40.0)):
        without, with_it = (
            fatigue.longest_hold_s(percent, most, recovery=r) for r in (False, True)
        )
        gains.append(with_it / without - 1.0)
    assert gains[0] > gains[1] >= 0.0 and gains[0] < 0.5


def test_mistakes_are_one_sentence():
    for target in ("strong", [50.0, 120.0], [-1.0], [[1.0]], [math.nan]):
        with pytest.raises(NeurosimError, match="target_percent"):
            fatigue.simulate_effort(target)
    with pytest.raises(NeurosimError, match="percent"):
        fatigue.longest_hold_s(120.0)
    assert fatigue.longest_hold_s(1.0, 5.0) == math.inf
