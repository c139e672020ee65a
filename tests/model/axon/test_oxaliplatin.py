"""Oxaliplatin slows one gate: what moves and what stays in the clinic's test."""

import numpy as np
import pytest

from neurosim.clinic.excitability import examine
from neurosim.model.axon import chain as ch
from neurosim.model.axon import equations as eq
from neurosim.model.axon import kernel
from neurosim.model.axon.axon import AXONS, Conditions, at_rest
from neurosim.model.axon.conditions import apply_contributions
from neurosim.model.body.contributions import contributions
from neurosim.model.body.state import Body
from neurosim.model.firing.escape import jacobian

SLOW = Conditions(inactivation_tau_scale=1.6)


@pytest.mark.parametrize("axon", AXONS)
def test_only_the_time_constant_of_inactivation_moves(axon):
    usual, slow = (at_rest(c, axon) for c in (Conditions(), SLOW))
    np.testing.assert_allclose(slow.rest, usual.rest, atol=1e-9)  # gates settle where they did
    pairs = zip(eq.PARAMETERS, usual.P[:, 0], slow.P[:, 0], strict=True)
    assert {name for name, a, b in pairs if a != pytest.approx(b, rel=1e-12)} == {"phi_h"}
    tau = [-1.0 / jacobian(one)[0, 3, 3] for one in (usual, slow)]
    assert tau[1] == pytest.approx(1.6 * tau[0], rel=1e-4)


def test_every_loop_slows_it_alike():
    """The quick loop, the chain's and the reference's give one course of an answer."""
    axons = at_rest(SLOW)
    S, steps, pulse = axons.rest.copy(), 70, np.array([600.0])
    kernel.advance(S, axons.P, pulse, steps, 0.01)
    R = axons.rest.copy()
    for _ in range(steps):
        R = eq.step(R, axons.P, pulse, None, 0.01)
    np.testing.assert_allclose(S, R, atol=0.05)
    built = ch.build_chain([[ch.ChainUnit(SLOW)]], 80.0)
    state = built.start()
    ch.run_chain(built, steps * 0.01, state=state, stimulus=ch.Stimulus(600.0))
    np.testing.assert_allclose(state.S[:, 0], R, atol=1e-6)
    usual = at_rest(Conditions())
    other = usual.rest.copy()
    kernel.advance(other, usual.P, pulse, steps, 0.01)
    assert other[3, 0] < S[3, 0] - 0.02  # less inactivated after the same time


def test_the_clinic_s_test_moves_where_patients_moved():
    """PLoS One 2011, PMC3072981: refractoriness +37 (SE 16), time constant x0.997 (SE 0.07).

    Another series of 20 patients (Aretaieion Hospital, abstract read): refractory period,
    refractoriness, sub- and superexcitability moved, electrotonus and the time constant did not.
    """
    before, after = (
        examine(c).measures
        for c in (Conditions(), apply_contributions(contributions(Body(oxaliplatin=1)), "axon"))
    )

    def rise(name):
        return after[name] - before[name]

    assert rise("refractoriness_2_5_ms_percent") == pytest.approx(37.1, abs=2.0)  # fitted on it
    assert after["sdtc_ms"] / before["sdtc_ms"] == pytest.approx(0.997, abs=0.07)
    assert rise("relative_refractory_period_ms") > 0.3
    assert rise("superexcitability_percent") > 5.0 and rise("subexcitability_percent") > 3.0
    for name in ("te_d_10_20_percent", "te_d_90_100_percent", "te_h_90_100_percent"):
        assert abs(rise(name)) < 5.0  # less than one SD of people
