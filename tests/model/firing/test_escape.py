"""The action of a site: its linear part against SciPy, and what its course does to an axon."""

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov

from neurosim.base.parameters import parameter
from neurosim.model.axon import equations as eq
from neurosim.model.axon import kernel
from neurosim.model.axon.axon import COARSE_DT_MS, Conditions, at_rest
from neurosim.model.firing import escape

STATES = [
    Conditions(),
    Conditions(persistent_sodium_scale=2.0),
    Conditions(persistent_sodium_scale=2.6),
    Conditions(persistent_sodium_scale=3.2),
    Conditions(potassium_out_mmol_l=5.5),
    Conditions(calcium_out_mmol_l=0.8),
]


@pytest.fixture(scope="module", params=["ghk", "ohmic"])
def noisy(request):
    return at_rest(STATES, request.param).with_noise(parameter("firing", "noise_channels"))


def test_the_jacobian_predicts_small_changes_of_the_flow(noisy):
    A = escape.jacobian(noisy)
    rng = np.random.default_rng(0)
    for _ in range(20):
        push = rng.standard_normal(noisy.rest.shape) * 1e-5
        push[:2] *= 10.0
        change = eq.flow(noisy.rest + push, noisy.P) - eq.flow(noisy.rest - push, noisy.P)
        predicted = 2.0 * np.einsum("nij,jn->in", A, push)
        assert change == pytest.approx(
            predicted, rel=1e-3, abs=1e-3 * np.abs(predicted).max(axis=0).min()
        )


def test_every_rest_is_stable(noisy):
    assert np.linalg.eigvals(escape.jacobian(noisy)).real.max() < 0.0


@pytest.mark.parametrize("dt", [0.005, 0.02, 1.0])
def test_the_matrix_exponential_is_scipys(noisy, dt):
    A = escape.jacobian(noisy) * dt
    exponentials = escape._matrix_exponential(A)
    for a, b in zip(exponentials, A, strict=True):
        assert a == pytest.approx(expm(b), rel=1e-6, abs=1e-9 * np.abs(a).max())


def response(noisy, course, amplitude, dt):
    """Return the course of E above rest, per unit of amplitude, shape (steps, n)."""
    S, n = noisy.rest.copy(), noisy.P.shape[1]
    course = np.concatenate([course, np.zeros((100, 3, n))])
    peaks = [
        kernel.run_with_noise(S, noisy.P, step[None], np.full(n, amplitude), dt) for step in course
    ]
    return (np.array(peaks) - noisy.rest[0]) / amplitude


def test_the_course_has_unit_norm_and_moves_e_most_at_its_end(noisy):
    course = escape.noise_course(noisy)
    assert (course**2).sum(axis=(0, 1)) == pytest.approx(np.ones(len(STATES)))
    deviation = response(noisy, course, 0.02, COARSE_DT_MS)
    latest = deviation.argmax(axis=0) - (course.shape[0] - 1)
    assert np.all(np.abs(latest) <= 2)  # a lag of two steps: gates move before the potential


def test_the_course_is_the_reversed_response_to_a_kick(noisy):
    dt = 0.005
    course = escape.noise_course(noisy, dt)
    before_end = np.arange(course.shape[0])[::-1]
    A = escape.jacobian(noisy)
    for i in range(len(STATES)):
        E, P = noisy.rest[0, i], noisy.P[:, i]
        spread = []
        for rates, shift, phi, size in (
            (eq.rates_m, P[0], P[1], P[37]),
            (eq.rates_h, P[2], P[3], P[37]),
            (eq.rates_m, P[4], P[5], P[38]),
        ):
            a, b = rates(E + shift)
            spread.append(size * np.sqrt(phi * a * b / (a + b)))
        times = before_end[::50]
        expected = np.array([expm(A[i] * dt * k)[0, 2:5] * spread for k in times])
        part = course[::50, :, i]
        expected *= np.sqrt((part**2).sum() / (expected**2).sum())
        assert part == pytest.approx(expected, abs=0.03 * np.abs(expected).max())


def test_no_other_course_of_the_same_norm_moves_e_more(noisy):
    course = escape.noise_course(noisy)
    best = response(noisy, course, 0.02, COARSE_DT_MS).max(axis=0)
    rng = np.random.default_rng(1)
    wave = np.sin(np.linspace(0, 6.0, course.shape[0]))[:, None, None]
    for other in (
        course + 0.02 * rng.standard_normal(course.shape),
        course * (1.0 + 0.5 * wave),
        course * np.array([1.0, 0.5, 1.0])[:, None],
        np.roll(course, -40, axis=0),
    ):
        other = other / np.sqrt((other**2).sum(axis=(0, 1)))
        assert np.all(response(noisy, other, 0.02, COARSE_DT_MS).max(axis=0) < best)


def test_the_linear_response_is_the_deviation_of_e_by_lyapunov(noisy):
    # A course of unit norm moves E by the standard deviation that noise of its length gives.
    dt = 0.005
    peak = response(noisy, escape.noise_course(noisy, dt), 0.02, dt).max(axis=0)
    A = escape.jacobian(noisy)
    for i in range(len(STATES)):
        E, P = noisy.rest[0, i], noisy.P[:, i]
        power = np.zeros(10)
        for gate, rates, shift, phi, size in (
            (2, eq.rates_m, P[0], P[1], P[37]),
            (3, eq.rates_h, P[2], P[3], P[37]),
            (4, eq.rates_m, P[4], P[5], P[38]),
        ):
            a, b = rates(E + shift)
            power[gate] = 2.0 * phi * a * b / (a + b) * size**2  # 2 rate x variance
        full = solve_continuous_lyapunov(A[i], -np.diag(power))
        past = expm(A[i] * escape.COURSE_MS)
        within = full - past @ full @ past.T
        assert peak[i] == pytest.approx(np.sqrt(within[0, 0]), rel=0.02)
        assert peak[i] == pytest.approx(np.sqrt(full[0, 0]), rel=0.09)  # noise before the course


@pytest.mark.parametrize("axon", ["ghk", "ohmic"])
def test_action_falls_with_persistent_sodium_and_rises_with_load(axon):
    nu = np.arange(3.0, 4.9, 0.2)
    free, height = escape.escape_action(
        at_rest([Conditions(persistent_sodium_scale=v) for v in nu], axon)
    )
    assert np.isfinite(free).all() and np.all(np.diff(free) < 0) and np.all(height > -20.0)
    loaded, _ = escape.escape_action(
        at_rest([Conditions(persistent_sodium_scale=v, sodium_in_mmol_l=10.0) for v in nu], axon)
    )
    assert np.all((loaded > free) | np.isnan(loaded) | (free < 1.0))


def test_the_healthy_axon_has_no_action_within_reach():
    action, height = escape.escape_action(at_rest(Conditions()))
    assert np.isnan(action).all() and np.isnan(height).all()


def test_the_amplitude_of_the_action_is_where_the_full_model_fires():
    batch = at_rest([Conditions(persistent_sodium_scale=v) for v in (2.4, 2.8, 3.2)])
    action, height = escape.escape_action(batch)
    noisy = batch.with_noise(parameter("firing", "noise_channels"))
    course = escape.noise_course(noisy)
    tail = np.zeros((250, 3, 3))

    def peak(factor):
        S, amplitude = noisy.rest.copy(), factor * np.sqrt(2.0 * action)
        first = kernel.run_with_noise(S, noisy.P, course, amplitude, COARSE_DT_MS)
        return np.maximum(first, kernel.run_with_noise(S, noisy.P, tail, amplitude, COARSE_DT_MS))

    assert np.all(peak(0.98) < -20.0)
    assert np.all(peak(1.005) > -20.0)
    assert peak(1.03) == pytest.approx(height, abs=1.0)


def test_more_channels_need_proportionally_more_action():
    from neurosim.base.parameters import override

    batch = at_rest([Conditions(persistent_sodium_scale=v) for v in (3.0, 3.4)])
    action, _ = escape.escape_action(batch)
    with override("firing", "noise_channels", 2.0 * parameter("firing", "noise_channels")):
        doubled, _ = escape.escape_action(batch)
    assert doubled == pytest.approx(2.0 * action, rel=0.02)


def test_the_compiled_course_of_noise_is_that_of_numpy(monkeypatch):
    pytest.importorskip("numba")
    sites = at_rest([Conditions(potassium_out_mmol_l=k) for k in np.linspace(2.5, 7.0, 21)])
    noisy = sites.with_noise(1000.0)
    compiled = escape.noise_course(noisy)
    assert np.allclose((compiled**2).sum(axis=(0, 1)), 1.0, rtol=1e-12)
    monkeypatch.setenv("NEUROSIM_BACKEND", "numpy")
    assert np.allclose(compiled, escape.noise_course(noisy), rtol=1e-9, atol=1e-13)
