"""The fast equations against the textbook's form, and a spike of both."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from neurosim.model.axon import chain_equations, reference
from neurosim.model.axon import equations as eq
from neurosim.model.axon.axon import AXONS, Conditions, at_rest

CONDITIONS = [
    Conditions(),
    Conditions(potassium_out_mmol_l=6.5),
    Conditions(temperature_c=30.0, persistent_sodium_scale=2.0),
    Conditions(calcium_out_mmol_l=0.8, fast_potassium_scale=0.3),
]


def rows(axons):
    return dict(zip(eq.PARAMETERS, axons.P, strict=True))


@pytest.mark.parametrize("axon", AXONS)
def test_every_derivative_is_that_of_the_textbook(axon):
    rng = np.random.default_rng(1)
    many = [condition for condition in CONDITIONS for _ in range(100)]
    axons = at_rest(many, axon)
    state = rng.uniform(0.0, 1.0, axons.rest.shape)
    state[:2] = rng.uniform(-110.0, 60.0, (2, len(many)))
    plain = reference.derivatives(state, rows(axons))
    fast = eq.flow(state, axons.P)
    # `linoid_parts` is finite at the removable zero of a rate, and 3e-7 wrong close to it
    np.testing.assert_allclose(fast, plain, rtol=1e-6, atol=1e-9)
    away = is_away_from_zeros(state[:2], axons.P)
    assert away.sum() > 150
    error = np.abs(fast - plain)[:, away] / np.abs(plain).max(axis=1, keepdims=True)
    assert error.max() < 1e-12


def is_away_from_zeros(potentials, P):
    """Return a mask of axons, no potential of which is within 1 mV of a removable zero."""
    halves = np.array([20.4, 25.7, 114.0, 83.2, 66.0, 23.5, 91.1])[:, None]
    shifts = [row for name, row in zip(eq.PARAMETERS, P, strict=True) if name.startswith("shift")]
    near = [np.abs(v + shift + halves) < 1.0 for v in potentials for shift in shifts]
    return ~np.any(near, axis=(0, 1))


def spike_by_steps(axons, stimulus_pa, dt, end_ms=4.0):
    """Return the potentials of the node at multiples of 0.2 ms, by the fast scheme."""
    S, P = eq.shift_gates(axons.rest.copy(), axons.P, -0.5 * dt), axons.P
    course = []
    for k in range(round(end_ms / dt)):
        on = stimulus_pa * (k * dt < 1.0 - 1e-9)
        S = eq.step(S, P, np.full(S.shape[1], on), None, dt)
        if (k + 1) % round(0.2 / dt) == 0:
            course.append(S[0].copy())
    return np.array(course)


def test_a_spike_of_the_fast_scheme_converges_on_the_textbook_in_second_order():
    axons = at_rest(CONDITIONS[:3])
    stimulus = 1500.0

    def rate(on):
        def change(t, y):
            state = y.reshape(10, -1)
            return reference.derivatives(state, rows(axons), on).ravel()

        return change

    settings = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-12}
    at = np.arange(1, 21) * 0.2
    pulse = solve_ivp(rate(stimulus), (0, 1), axons.rest.ravel(), t_eval=at[:5], **settings)
    after = solve_ivp(rate(0.0), (1, 4), pulse.y[:, -1], t_eval=at[5:], **settings)
    exact = np.concatenate([pulse.y.reshape(10, 3, -1)[0], after.y.reshape(10, 3, -1)[0]], 1).T
    assert exact.max() > 0.0  # it is a spike
    coarse, fine, finest = (
        np.abs(spike_by_steps(axons, stimulus, dt) - exact).max() for dt in (0.005, 0.0025, 0.00125)
    )
    assert finest < 0.1
    assert 3.0 < coarse / fine < 5.0
    assert 3.0 < fine / finest < 5.0


def test_every_row_has_the_name_of_its_parameter():
    for module, rows_by_name in ((eq, eq.ROW), (chain_equations, chain_equations.FEEDBACK_ROWS)):
        for name, row in rows_by_name.items():
            assert getattr(module, name.upper()) == row, name
