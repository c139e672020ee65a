"""The chain of nodes: cable theory, an independent integrator, one axon, the plain loop."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.constants import physical_constants
from scipy.integrate import solve_ivp

from neurosim.base.errors import NeurosimError
from neurosim.model.axon import chain as ch
from neurosim.model.axon import chain_equations, ions
from neurosim.model.axon import equations as eq
from neurosim.model.axon.axon import AXONS, Conditions, at_rest

SICK = ch.ChainUnit(
    Conditions(persistent_sodium_scale=5.0, fast_potassium_scale=0.3),
    internode=0.6,
    bridge=0.7,
    node=1.2,
    channels=2500.0,
    outward_pa_per_spike=8.0,
    inactivation_tau_ms=300.0,
    space_pl=0.8,
)


def at_first(units, pa):
    stimulus = np.zeros((units, 1))
    stimulus[0] = pa
    return stimulus


def crossing_ms(built, unit, dt, pa=1500.0, ms=4.0):
    """Return when a node rises through -20 mV, linear between steps."""
    _, trace = ch.run_chain(
        built,
        ms,
        stimulus=ch.Stimulus(at_first(built.units, pa), 1.0),
        settings=ch.RunSettings(dt=dt, every=1),
    )
    e = trace[:, unit, 0]
    i = int(np.argmax(e > -20.0))
    return dt * (i + (-20.0 - e[i - 1]) / (e[i] - e[i - 1]))


@pytest.mark.parametrize("axon", AXONS)
def test_one_unit_is_the_axon(axon):
    condition = Conditions(potassium_out_mmol_l=5.0, persistent_sodium_scale=2.0)
    chain = ch.build_chain([[ch.ChainUnit(condition)]], 80.0, axon)
    alone = at_rest(condition, axon)
    np.testing.assert_allclose(chain.rest[:, 0], alone.rest, atol=1e-8)
    state, S = chain.start(), alone.rest.copy()
    ch.run_chain(chain, 3.0, state=state, stimulus=ch.Stimulus(600.0, 1.0))
    for t in range(300):  # `kernel.advance` would hold the rates of the internode
        S = eq.step(S, alone.P, 600.0 * (t < 100), None, 0.01)
    np.testing.assert_allclose(state.S[:, 0], S, atol=1e-7)


@pytest.mark.parametrize("axon", AXONS)
def test_a_weak_current_spreads_as_in_a_ladder_of_conductances(axon):
    """Sealed ends: V_k goes as cosh(theta (K - 1/2 - k)), 2 cosh(theta) = 2 + g/G."""
    k, pa, ms = 6, 0.05, 1500.0

    def settled(units):
        built = ch.build_chain([[ch.ChainUnit()] * units], 60.0, axon)
        state = built.start()
        ch.run_chain(
            built,
            ms,
            state=state,
            stimulus=ch.Stimulus(at_first(units, pa)),
            settings=ch.RunSettings(dt=0.02),
        )
        return state.S[0, :, 0] - built.rest[0, :, 0]

    g = pa / settled(1)[0]  # nS, of one unit by itself
    theta = np.arccosh(1.0 + g / 60.0 / 2.0)
    shape = np.cosh(theta * (k - 0.5 - np.arange(k)))
    expected = pa / g * shape / shape.sum()
    np.testing.assert_allclose(settled(k), expected, rtol=2e-3)


def test_the_common_rest_lets_no_current_flow():
    calm = replace(SICK, membrane=Conditions(persistent_sodium_scale=3.0), channels=np.inf)
    built = ch.build_chain([[ch.ChainUnit(), ch.ChainUnit(), calm]], 80.0)
    state = built.start()
    ch.run_chain(built, 200.0, state=state)
    np.testing.assert_allclose(state.S, built.rest, atol=1e-6)
    assert np.ptp(built.rest[0]) > 0.3, "the sick end pulls the others up"


def test_against_an_independent_integrator():
    """Three different units against LSODA on `equations.flow` with the axial current added."""
    short = ch.ChainUnit(Conditions(persistent_sodium_scale=3.0), internode=0.5, bridge=0.5)
    units = [ch.ChainUnit(), ch.ChainUnit(Conditions(potassium_out_mmol_l=5.0)), short]
    built = ch.build_chain([units], 80.0)
    P, r = built.P[:, :, 0], dict(zip(eq.PARAMETERS, built.P[:, :, 0], strict=True))

    def flow(t, y):
        S = y.reshape(10, 3)
        d = eq.flow(S, P)
        i = np.zeros(3)
        i[:-1] += 80.0 * np.diff(S[0])
        i[1:] -= 80.0 * np.diff(S[0])
        i[0] += 1500.0 * (t < 1.0)
        det = (r["C_n"] + r["C_my"]) * (r["C_i"] + r["C_my"]) - r["C_my"] ** 2
        d[0] += (r["C_i"] + r["C_my"]) * i / det
        d[1] += r["C_my"] * i / det
        return d.ravel()

    ends_ms = np.array([1.0, 1.5, 2.0, 3.0, 6.0])
    options = {"method": "LSODA", "rtol": 1e-9, "atol": 1e-9}
    first = solve_ivp(flow, (0.0, 1.0), built.rest[:, :, 0].ravel(), **options)
    rest = solve_ivp(
        lambda t, y: flow(t + 1.0, y), (0.0, 5.0), first.y[:, -1], t_eval=ends_ms - 1.0, **options
    )
    expected = rest.y.reshape(10, 3, -1)[0].T
    state, potentials = built.start(), []
    for end in ends_ms:
        ch.run_chain(
            built,
            end - state.time_ms,
            state=state,
            stimulus=ch.Stimulus(at_first(3, 1500.0 * (state.time_ms < 1.0))),
            settings=ch.RunSettings(dt=0.001),
        )
        potentials.append(state.S[0, :, 0].copy())
    np.testing.assert_allclose(potentials, expected, atol=0.05)


@pytest.mark.parametrize("axon", AXONS)
def test_the_delay_converges_with_the_square_of_the_step(axon):
    built = ch.build_chain([[ch.ChainUnit()] * 8], 80.0, axon)

    def delay(dt):
        return (crossing_ms(built, 6, dt) - crossing_ms(built, 2, dt)) / 4.0

    truth = delay(0.001)
    errors = np.array([delay(dt) / truth - 1.0 for dt in (0.02, 0.01, 0.005)])
    assert (np.abs(errors) < (0.09, 0.03, 0.008)).all()
    assert (errors[:-1] / errors[1:] > 2.8).all()
    # 1.4 mm a node; 35 to 60 m/s in the human arm, less towards the end of a nerve
    assert 20.0 < 1.4 / truth < 60.0


def test_compiled_and_plain_give_the_same(monkeypatch):
    pytest.importorskip("numba")
    built = ch.build_chain(
        [[ch.ChainUnit(), ch.ChainUnit(), SICK]] * 3 + [[ch.ChainUnit()] * 3], 80.0
    )

    def go():
        state = built.start()
        result = ch.run_chain(
            built,
            12.0,
            state=state,
            stimulus=ch.Stimulus(at_first(3, 1500.0), 1.0),
            settings=ch.RunSettings(seed=4, every=7),
        )
        return state, *result

    fast = go()
    monkeypatch.setenv("NEUROSIM_BACKEND", "numpy")
    plain = go()
    np.testing.assert_allclose(fast[0].S, plain[0].S, atol=1e-9)
    np.testing.assert_allclose(fast[0].slow, plain[0].slow, atol=1e-9)
    np.testing.assert_allclose(fast[2], plain[2], atol=1e-9)
    assert np.array_equal(fast[0].above, plain[0].above)
    assert np.array_equal(fast[1].counts, plain[1].counts) and plain[1].counts.min() >= 1
    for unit in range(3):
        for j in range(4):
            for a, b in zip(fast[1].for_unit(unit, j), plain[1].for_unit(unit, j), strict=True):
                np.testing.assert_allclose(a, b, atol=1e-9)


def test_two_halves_are_the_whole():
    built = ch.build_chain([[ch.ChainUnit(), ch.ChainUnit(), replace(SICK, channels=np.inf)]], 80.0)
    pulse = ch.Stimulus(at_first(3, 1500.0), 1.0)
    uncut, halves = built.start(), built.start()
    spikes, _ = ch.run_chain(built, 8.0, state=uncut, stimulus=pulse)
    a, _ = ch.run_chain(built, 1.5, state=halves, stimulus=pulse)  # cut within a spike
    b, _ = ch.run_chain(built, 6.5, state=halves)
    assert np.array_equal(uncut.S, halves.S)
    assert np.array_equal(spikes.counts, a.counts + b.counts)
    assert spikes.for_unit(2)[0] == pytest.approx(
        np.concatenate([a.for_unit(2)[0], b.for_unit(2)[0]])
    )


def test_slow_feedbacks():
    # the outward current of one spike fades by e in its time constant
    unit = ch.ChainUnit(outward_pa_per_spike=5.0, outward_tau_ms=40.0)
    built = ch.build_chain([[unit]], 80.0)
    state = built.start()
    spikes, _ = ch.run_chain(built, 40.0, state=state, stimulus=ch.Stimulus(800.0, 1.0))
    gone = 40.0 - spikes.for_unit(0)[0][0]
    assert spikes.counts[0, 0] == 1
    assert state.slow[0, 0, 0] == pytest.approx(5.0 * np.exp(-gone / 40.0), rel=1e-9)
    # inactivation goes to its curve where the potential is held up by a current
    unit = ch.ChainUnit(inactivation_tau_ms=50.0)
    built = ch.build_chain([[unit]], 80.0)
    state = built.start()
    ch.run_chain(
        built, 2000.0, state=state, stimulus=ch.Stimulus(100.0), settings=ch.RunSettings(dt=0.02)
    )
    f = built.feedback[:, 0, 0]
    e = state.S[0, 0, 0]
    expected = (1 + np.exp((built.rest[0, 0, 0] - f[2]) / f[3])) / (1 + np.exp((e - f[2]) / f[3]))
    assert e > built.rest[0, 0, 0] + 3.0
    assert state.slow[1, 0, 0] == pytest.approx(expected, rel=1e-3)


def test_potassium_gathers_as_charge_over_volume():
    faraday = physical_constants["Faraday constant"][0]
    assert pytest.approx(1e-15 / faraday / 1e-12 * 1e3, rel=1e-6) == ch.MMOL_L_PER_PA_MS_PL * 1.0
    x = np.linspace(1 / 3, 3.0, 200)
    assert np.abs(chain_equations.log_ratio(x) - np.log(x)).max() < 0.008 * np.log(3.0)
    shift, shift_h = chain_equations.nernst_shift(6.0, 4.2, ions.thermal_mv(33.0), 14.0)
    nernst_change = ions.nernst_mv(6.0, 155.0, 33.0) - ions.nernst_mv(4.2, 155.0, 33.0)
    assert shift == pytest.approx(nernst_change, rel=1e-3)
    nernst_change = ions.nernst_mv(20.0, 155.0, 33.0) - ions.nernst_mv(18.2, 155.0, 33.0)
    assert shift_h == pytest.approx(nernst_change, rel=1e-3)
    closed = ch.ChainUnit(space_pl=0.5, space_tau_ms=1e12)
    built = ch.build_chain([[closed]], 80.0)
    state = built.start()
    ch.run_chain(built, 1e-2, state=state, stimulus=ch.Stimulus(0.0))
    assert state.slow[2, 0, 0] == pytest.approx(4.2, abs=1e-9), "at rest none gathers"
    ch.run_chain(built, 20.0, state=state, stimulus=ch.Stimulus(800.0, 1.0))
    narrow = state.slow[2, 0, 0] - 4.2
    wide = ch.build_chain([[ch.ChainUnit(space_pl=50.0, space_tau_ms=1e12)]], 80.0)
    state = wide.start()
    ch.run_chain(wide, 20.0, state=state, stimulus=ch.Stimulus(800.0, 1.0))
    assert narrow > 0.0
    assert (state.slow[2, 0, 0] - 4.2) * 100.0 == pytest.approx(narrow, rel=0.1)


def test_mistakes_are_one_sentence():
    with pytest.raises(NeurosimError, match="space_pl must be above 0, not 0"):
        ch.ChainUnit(space_pl=0.0)
    with pytest.raises(NeurosimError, match="equally long"):
        ch.build_chain([[ch.ChainUnit()], [ch.ChainUnit()] * 2], 80.0)
    mad = ch.ChainUnit(Conditions(persistent_sodium_scale=40.0))
    with pytest.raises(NeurosimError, match="Chain 1 of 2 has no resting potential"):
        ch.build_chain([[ch.ChainUnit(), ch.ChainUnit()], [ch.ChainUnit(), mad]], 80.0)
    loose = ch.build_chain(
        [[ch.ChainUnit(), ch.ChainUnit()], [ch.ChainUnit(), mad]], 80.0, strict=False
    )
    assert np.isnan(loose.rest[0, :, 1]).all() and np.isfinite(loose.rest[:, :, 0]).all()
    assert ch.run_chain(loose, 2.0)[0].counts.sum() == 0
