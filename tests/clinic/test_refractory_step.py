"""The refractory part of the recovery cycle against LSODA of the equations in textbook form."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from neurosim.clinic.excitability import examine
from neurosim.model.axon import equations, reference
from neurosim.model.axon.axon import Conditions, at_rest


def solver(axon):
    rows = dict(zip(equations.PARAMETERS, (row[0] for row in axon.P), strict=True))

    def advance(state, current_pa, lasts_ms):
        """Return the end of a stretch of constant current, and all E and m within it."""
        run = solve_ivp(
            lambda t, y: reference.derivatives(y, rows, current_pa),
            (0.0, lasts_ms), state, "LSODA", rtol=1e-7, atol=1e-9, max_step=0.05,
        )  # fmt: skip
        return run.y[:, -1], run.y[0], run.y[2]

    return advance


def threshold_pa(advance, state, low, high):
    """Return the least 1-ms pulse that fires, to one in ten thousand."""
    while high / low > 1.0001:
        middle = 0.5 * (low + high)
        after, E, m = advance(state, middle, 1.0)
        fired = bool(((E > -20.0) & (m > 0.5)).any())
        if not fired:
            fired = advance(after, 0.0, 4.0)[1].max() > -20.0
        low, high = (low, middle) if fired else (middle, high)
    return high


@pytest.mark.parametrize("potassium", [4.2, 6.0])
def test_the_refractory_nerve_is_that_of_lsoda(potassium):
    # A step of 0.02 ms throughout would be off by 4.3 at potassium 6, and by 0.7 in health.
    conditions = Conditions(potassium_out_mmol_l=potassium)
    axon, told = at_rest(conditions), examine(conditions, full=False)
    advance, rest = solver(axon), axon.rest[:, 0]
    single = threshold_pa(advance, rest, 100.0, 1000.0)
    fired, *_ = advance(rest, 1.5 * single, 1.0)
    state, *_ = advance(fired, 0.0, 1.0)
    conditioned = threshold_pa(advance, state, single, 3.0 * single)
    change = 100.0 * (conditioned / single - 1.0)
    assert told.recovery_interval_ms[0] == 2.0
    assert told.recovery_change_percent[0] == pytest.approx(change, abs=0.5)
    assert np.isfinite(told.recovery_change_percent).all()
