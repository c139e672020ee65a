"""Minutes of firing and of lost blood flow: balances by hand, published courses, mistakes."""

import math
from itertools import pairwise

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import override, override_all, parameter
from neurosim.clinic.excitability import examine
from neurosim.model.axon import activity as act
from neurosim.model.axon import kernel
from neurosim.model.axon.activity import AxonHistory
from neurosim.model.axon.axon import (
    AXONS,
    Conditions,
    at_rest,
    healthy_threshold_pa,
    resting_states,
    threshold_pa,
)
from neurosim.model.firing.hazard import conduction_probability

CONTRACTION = AxonHistory(train_per_s=27.0, train_min=1.0)


@pytest.fixture(scope="module")
def health():
    return {axon: examine(Conditions(), axon) for axon in AXONS}


@pytest.mark.parametrize("axon", AXONS)
def test_in_health_the_pump_takes_out_what_enters(axon):
    sodium, pump = act.sodium_currents_pa(Conditions(), axon)
    assert sodium == pytest.approx(-3.0 * pump, rel=1e-4)
    assert abs(act.net_gain_mmol_l_per_min(Conditions(), axon)) < 1e-4


@pytest.mark.parametrize("axon", AXONS)
def test_a_settled_potential_trades_sodium_for_potassium(axon):
    # all currents at rest add up to zero, so what is not sodium or pump is potassium
    c = Conditions(potassium_out_mmol_l=5.0, sodium_in_mmol_l=12.0, pump_scale=0.4)
    sodium, pump = act.sodium_currents_pa(c, axon)
    axons = at_rest(c, axon)
    a_k = 26.3849 * math.log(5.0 / 155.0)  # RT/F at 33 degC, by hand
    e, ei = axons.rest[0, 0], axons.rest[1, 0]
    assert e > a_k and ei > a_k
    potassium = -(sodium + pump)
    assert potassium > 0  # it leaves the axon
    assert sodium + 3 * pump == pytest.approx(-(potassium - 2 * pump))


@pytest.mark.parametrize("axon", AXONS)
def test_a_small_load_goes_in_the_time_it_was_said_to_take(axon):
    # with the entry held, the pump alone leaves exp(-t/tau); a hyperpolarised axon lets in less
    tau, fast = parameter("firing", "load_tau_min"), parameter("firing", "load_fast_tau_min")
    share = parameter("firing", "load_fast_share")
    small = {"train_per_s": 2.0, "train_min": 0.5}
    start, remaining = (
        act.conditions_after(AxonHistory(**small, after_min=t), None, axon).sodium_in_mmol_l - 9.0
        for t in (0.0, tau)
    )
    in_fast = 2.0 * fast * -math.expm1(-0.5 / fast)  # minutes of firing that are still in it
    per_min = 60 * parameter("firing", "load_per_discharge_mmol_l")
    expected = per_min * (share * in_fast + (1.0 - share))
    assert start == pytest.approx(expected, rel=0.06)
    in_slow = per_min * (1.0 - share)
    assert 0.75 * math.exp(-1.0) < remaining / in_slow < math.exp(-1.0)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_what_a_train_leaves_decays_in_two_exponentials(monkeypatch, share):
    # by a pump that is linear in sodium each store decays alone, as in the sampler
    tau = parameter("firing", "load_tau_min")
    monkeypatch.setattr(
        act, "net_gain_mmol_l_per_min", lambda c, _: -(c.sodium_in_mmol_l - 9.0) / tau
    )
    history = AxonHistory(ischaemia_min=9.0, train_per_s=10.0, train_min=3.0, after_min=4.0)
    times = np.array([0.0, 6.0, 7.0, 9.0, 9.5, 13.0])
    firing, since = np.clip(times - 6.0, 0.0, 3.0), np.maximum(times - 9.0, 0.0)
    values = {"load_fast_share": share, "load_fast_tau_min": 0.8}
    with override_all({("firing", name): value for name, value in values.items()}):
        course = act.ion_course(history, None, "ghk", times)
    per_min = 600.0 * parameter("firing", "load_per_discharge_mmol_l")
    slow, fast = (t * -np.expm1(-firing / t) * np.exp(-since / t) for t in (tau, 0.8))
    np.testing.assert_allclose(
        course.sodium_in_mmol_l - 9.0,
        per_min * ((1.0 - share) * slow + share * fast),
        rtol=1e-3,
        atol=1e-4,
    )


@pytest.mark.parametrize("axon", AXONS)
def test_one_model_serves_a_minute_and_ten(axon):
    def rise(history, width_ms=1.0):
        loaded = at_rest(act.conditions_after(history, None, axon), axon)
        now = float(threshold_pa(loaded, width_ms)[0])
        return 100.0 * (now / healthy_threshold_pa(axon, width_ms) - 1.0)

    ten = AxonHistory(train_per_s=8.0, train_min=10.0)
    # fitted on ghk: Vucic 2007, Kiernan 2004
    tolerance = 0.2 if axon == "ghk" else 2.5
    assert rise(CONTRACTION) == pytest.approx(19.6, abs=tolerance)
    assert rise(ten) == pytest.approx(16.4, abs=tolerance)
    assert 8.0 < rise(ten, 0.1) < 11.0  # not fitted: 9.9 (Kiernan 2004)
    # not fitted: gone after 15 to 20 min (Kiernan 2004), and not within 5
    after = [rise(AxonHistory(train_per_s=8.0, train_min=10.0, after_min=t)) for t in (5.0, 15.0)]
    assert after[0] > 2.5 and after[1] < 1.0
    # not fitted: the longer, the more (Vagg 1998)
    short, longer = (rise(AxonHistory(train_per_s=27.0, train_min=m)) for m in (0.25, 0.5))
    assert 0.0 < short < longer < rise(CONTRACTION)
    # one store that meets the minute gives twice as much for the ten
    with override_all({("firing", "load_fast_share"): 0.0,
                       ("firing", "load_per_discharge_mmol_l"): 0.001736}):  # fmt: skip
        assert rise(ten) > 25.0


def test_without_discharges_the_fast_store_is_empty():
    history = AxonHistory(ischaemia_min=10.0, after_min=3.0)
    times = np.array([4.0, 10.0, 13.0])
    course = act.ion_course(history, None, "ghk", times)
    with override("firing", "load_fast_share", 0.0):
        assert np.array_equal(
            course.sodium_in_mmol_l, act.ion_course(history, None, "ghk", times).sodium_in_mmol_l
        )


def test_without_blood_potassium_outside_follows_sodium_inside():
    ischaemia = act.ion_course(
        AxonHistory(ischaemia_min=15.0), times_min=np.array([3.0, 9.0, 15.0])
    )
    gained, risen = ischaemia.sodium_in_mmol_l - 9.0, ischaemia.potassium_out_mmol_l - 4.2
    ratio = parameter("membrane", "potassium_space_ratio")
    np.testing.assert_allclose(risen, ratio * gained, rtol=1e-6)
    # with the pump long stopped, sodium enters about as fast as it is turned over in health
    speed = (gained[2] - gained[1]) / 6.0
    assert speed == pytest.approx(act.turnover_mmol_l_per_min(), rel=0.15)
    fade = parameter("membrane", "ischaemia_pump_tau_min")
    np.testing.assert_allclose(ischaemia.pump_scale, np.exp(-ischaemia.time_min / fade))


def test_an_axon_in_balance_stays_there():
    for base in (Conditions(), Conditions(potassium_out_mmol_l=6.0), Conditions(ph=7.1)):
        quiet = act.conditions_after(AxonHistory(train_per_s=1e-6, train_min=8.0), base)
        assert quiet.sodium_in_mmol_l == pytest.approx(9.0, abs=2e-3)
        assert quiet.potassium_out_mmol_l == pytest.approx(base.potassium_out_mmol_l, abs=2e-3)
    assert act.conditions_after(AxonHistory()) == Conditions()


@pytest.mark.parametrize("axon", AXONS)
def test_one_minute_of_contraction_is_as_measured(axon, health):
    # Vucic 2007: threshold +19.6 (SEM 3.5) %, time constant -10 (2.5) %, superexcitability +42 %
    examination = examine(act.conditions_after(CONTRACTION, None, axon), axon)
    measures, then = examination.measures, health[axon].measures
    threshold = examination.relative_to(health[axon])["threshold_1ms_percent"]
    assert 112.0 < threshold < 127.0
    assert -15.0 < 100 * (measures["sdtc_ms"] / then["sdtc_ms"] - 1) < -5.0
    relative = measures["superexcitability_percent"] / then["superexcitability_percent"]
    assert 1.2 < relative < 1.6
    assert measures["subexcitability_percent"] < then["subexcitability_percent"]
    assert examination.resting_potential_mv < health[axon].resting_potential_mv - 1.0


def test_more_firing_loads_more_and_rest_undoes_it():
    trains = [AxonHistory(train_per_s=rate, train_min=2.0) for rate in (1.0, 5.0, 20.0)]
    loads = [act.conditions_after(h).sodium_in_mmol_l for h in trains]
    assert all(a < b for a, b in pairwise([9.0, *loads]))
    # a long train comes to the balance where the pump takes out what fires in
    short, more = (
        act.conditions_after(AxonHistory(train_per_s=5.0, train_min=m)) for m in (60.0, 120.0)
    )
    assert short.sodium_in_mmol_l == pytest.approx(more.sodium_in_mmol_l, abs=0.05)
    share = parameter("firing", "load_fast_share")
    taus = parameter("firing", "load_fast_tau_min") / parameter("firing", "load_tau_min")
    pumped = parameter("firing", "load_per_discharge_mmol_l") * (1.0 - share + share * taus)
    assert act.net_gain_mmol_l_per_min(more) == pytest.approx(-5.0 * 60 * pumped, rel=0.04)
    later = act.conditions_after(AxonHistory(train_per_s=20.0, train_min=2.0, after_min=40.0))
    assert later.sodium_in_mmol_l == pytest.approx(9.0, abs=0.02)


@pytest.mark.parametrize("axon", AXONS)
def test_ischaemia_and_release_run_as_in_people(axon, health):
    times = np.array([3.0, 10.0, 12.0])
    h = AxonHistory(ischaemia_min=10.0, after_min=2.0)
    early, late, released = (
        examine(c, axon) for c in act.ion_course(h, None, axon, times).conditions()
    )
    first = health[axon]
    for less, more in ((first, early), (early, late)):  # ever more depolarised (Hofmeijer 2013)
        assert more.threshold_1ms_pa < less.threshold_1ms_pa
        assert more.tau_sd_ms > less.tau_sd_ms
        for key in ("superexcitability_percent", "relative_refractory_period_ms"):
            assert more.measures[key] > less.measures[key]
    assert released.threshold_1ms_pa > 1.1 * first.threshold_1ms_pa  # Bostock 1991, sign
    assert released.resting_potential_mv < first.resting_potential_mv - 2.0
    key = "superexcitability_percent"  # greatest after release (Grosskreutz 1999)
    assert released.measures[key] < first.measures[key]


@pytest.mark.parametrize("axon", AXONS)
def test_long_ischaemia_first_lengthens_then_shortens_the_time_constant_and_blocks(axon):
    times = np.arange(4.0, 61.0, 4.0)
    states = act.ion_course(AxonHistory(ischaemia_min=60.0), None, axon, times).conditions()
    travels = np.array([conduction_probability(c, axon) for c in states])
    lost = times[np.argmax(travels < 0.5)]
    assert 46 - 12 <= lost <= 46 + 12  # Hofmeijer 2013: 46 (SD 6) min, fitted on ghk and ohmic
    tau = np.array([examine(c, axon, full=False).tau_sd_ms for c in states])[times <= lost]
    top = int(np.nanargmax(tau))
    assert tau[top] > 1.1 * tau[0]  # not fitted, nor is its fall
    if axon == "alternative":  # without slow sodium inactivation it rises up to the block
        assert times[top] == lost
    else:
        assert tau[top] > tau[-1] and times[top] < lost


def test_the_step_in_time_is_fine_enough(monkeypatch):
    h = AxonHistory(ischaemia_min=10.0, train_per_s=5.0, train_min=4.0, after_min=2.0)
    coarse = act.conditions_after(h)
    monkeypatch.setattr(act, "RELATIVE", 1e-7)
    monkeypatch.setattr(act, "ABSOLUTE_MMOL_L", 1e-7)
    fine = act.conditions_after(h)
    assert coarse.sodium_in_mmol_l == pytest.approx(fine.sodium_in_mmol_l, abs=0.005)
    assert coarse.potassium_out_mmol_l == pytest.approx(fine.potassium_out_mmol_l, abs=0.005)


def test_numbers_that_are_exchanged_count():
    h = AxonHistory(ischaemia_min=5.0)
    with override("membrane", "potassium_space_ratio", 0.2):
        more = act.conditions_after(h)
    assert more.potassium_out_mmol_l > act.conditions_after(h).potassium_out_mmol_l + 0.1


def test_two_resting_states_are_two_places_to_stay():
    # without fast potassium channels, by direct integration from both sides of the barrier
    assert resting_states(Conditions()) == 1
    two = Conditions(fast_potassium_scale=0.0, slow_potassium_scale=0.2, pump_scale=2.0)
    assert resting_states(two) == 2
    axons = at_rest(two)
    ends = []
    for push in (0.0, 300.0):
        S = axons.rest.copy()
        kernel.advance(S, axons.P, np.array([push]), 5000, 0.02)
        kernel.advance(S, axons.P, np.zeros(1), 50_000, 0.02)
        ends.append(S[0, 0])
    assert ends[0] == pytest.approx(axons.rest_mv[0], abs=0.01)
    assert ends[1] > ends[0] + 5.0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"ischaemia_min": -1.0}, "ischaemia_min = -1 min is outside the allowed range 0 to 240"),
        ({"train_per_s": 20.0}, "Firing needs both"),
        ({"train_min": 2.0}, "Firing needs both"),
        ({"after_min": 2.0}, "after_min needs"),
        ({"train_per_s": math.nan, "train_min": 1.0}, "must be a finite number"),
    ],
)
def test_an_impossible_history_is_one_sentence(values, says):
    with pytest.raises(NeurosimError, match=says):
        AxonHistory(**values)
