"""The refractory part of the recovery cycle against LSODA of the equations in textbook form."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from neurosim.clinic.excitability import REFRACTORY_MS, examine
from neurosim.model.axon import equations, reference
from neurosim.model.axon.axon import Conditions, at_rest


class Nerve:
    """One axon, moved by LSODA."""

    def __init__(self, axon):
        self.rest = axon.rest[:, 0]
        rows = zip(equations.PARAMETERS, axon.P[:, 0], strict=True)
        self.rows: dict[str, np.ndarray] = dict(rows)

    def run(self, state, current_pa, lasts_ms, times=None):
        """Return the states at `times` of a stretch of constant current, or at all its steps."""

        def slope(t, y):
            return reference.derivatives(y, self.rows, current_pa)

        return solve_ivp(slope, (0.0, lasts_ms), state, "LSODA", times, rtol=1e-8, atol=1e-9).y

    def fires(self, state, pulse_pa):
        """Return whether a 1-ms pulse fires: above -20 mV before E has fallen half-way to rest."""
        during = self.run(state, pulse_pa, 1.0)
        if ((during[0] > -20.0) & (during[2] > 0.5)).any():
            return True
        after = self.run(during[:, -1], 0.0, 4.0)[0]
        top = np.maximum.accumulate(np.append(during[0].max(), after))[1:]
        ends = (after > -20.0) | (after < 0.5 * (top + self.rest[0]))
        return bool(after[np.argmax(ends)] > -20.0)

    def threshold_pa(self, low, high):
        """Return the least 1-ms pulse from rest that fires, to one in a hundred thousand."""
        while high / low > 1.00001:
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self.fires(self.rest, middle) else (middle, high)
        return 0.5 * (low + high)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ghk", {}),
        ("ghk", {"potassium_out_mmol_l": 6.0}),  # 4.3 off at a step of 0.02 ms throughout
        ("ghk", {"calcium_out_mmol_l": 0.7}),  # 16; 0.6 with the threshold of a step of 0.02 ms
        ("ohmic", {"calcium_out_mmol_l": 0.8}),  # 21; 1.7 with a spike at a step of 0.005 ms
    ],
)
def test_the_refractory_nerve_is_that_of_lsoda(name, change):
    conditions = Conditions(**change)
    test, nerve = examine(conditions, name, full=False), Nerve(at_rest(conditions, name))
    single = nerve.threshold_pa(0.99 * test.threshold_1ms_pa, 1.01 * test.threshold_1ms_pa)
    interval_ms = test.recovery_interval_ms[test.recovery_interval_ms <= REFRACTORY_MS]
    assert interval_ms.tolist() == [2.0, 2.5, 3.2]
    spike = nerve.run(nerve.rest, 1.5 * single, 1.0)[:, -1]
    states = nerve.run(spike, 0.0, 3.0, interval_ms - 1.0)
    for state, percent in zip(states.T, test.recovery_change_percent, strict=False):
        pulses = single * (1.0 + (percent + np.array([-0.3, 0.3])) / 100.0)
        assert [nerve.fires(state, pulse) for pulse in pulses] == [False, True]


def test_an_axon_about_to_fire_again_has_no_refractory_threshold():
    # LSODA: it fires again 6.3 ms after the conditioning pulse, with no test pulse given
    axon = Conditions(persistent_sodium_scale=5.0)
    assert np.isnan(examine(axon, "ohmic", full=False).recovery_change_percent[:3]).all()
