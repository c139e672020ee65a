"""Changes by name: all of them apply, point where they are known to, and mistakes are sentences."""

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.clinic.excitability import examine
from neurosim.model.axon import axon as ax
from neurosim.model.axon import changes as ch
from neurosim.model.axon import equations as eq
from neurosim.model.axon.axon import AXONS, Conditions

# threshold, resting potential, time constant: +1 up, -1 down, 0 not looked at; from
# experiments on nerves (potassium, calcium, pump) or from what the channel does
SIGNS = {
    "hypokalaemia": (+1, -1, -1), "hyperkalaemia": (-1, +1, +1),
    "hyponatraemia": (+1, -1, -1), "hypernatraemia": (-1, +1, +1),
    "hypocalcaemia": (-1, 0, +1), "hypercalcaemia": (+1, 0, -1),
    "hypomagnesaemia": (-1, 0, +1), "hypermagnesaemia": (+1, 0, -1),
    "over_breathing": (-1, 0, +1), "acidosis": (+1, 0, -1),
    "pump_off": (-1, +1, +1), "cold": (+1, +1, +1), "hot": (0, -1, -1),
    "ischaemia": (-1, +1, +1), "ischaemia_released": (+1, -1, -1), "contraction": (+1, -1, -1),
    "persistent_sodium_twice": (-1, +1, +1), "fast_potassium_lost": (-1, 0, 0),
    "slow_potassium_half": (-1, +1, +1), "slow_potassium_opened": (+1, -1, -1),
    "hcn_lost": (+1, -1, 0), "sodium_block": (+1, 0, -1), "mexiletine": (+1, -1, -1),
    "als_early": (-1, +1, +1), "als_late": (0, 0, 0), "stroke": (0, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("axon", AXONS)
def test_every_named_condition_points_where_it_should(axon):
    assert set(SIGNS) == set(ch.named_conditions())
    health = examine(Conditions(), axon, full=False)
    for name, signs in SIGNS.items():
        examination = examine(ch.condition(name, axon), axon, full=False)
        assert not examination.blocked, name
        pairs = (
            (examination.threshold_1ms_pa, health.threshold_1ms_pa),
            (examination.resting_potential_mv, health.resting_potential_mv),
            (examination.tau_sd_ms, health.tau_sd_ms),
        )
        for sign, (measures, then) in zip(signs, pairs, strict=True):
            assert sign * (measures - then) > 0 or sign == 0, (name, measures, then)


def test_every_named_condition_has_words_and_allowed_changes():
    for name, one in ch.named_conditions().items():
        assert one.title and one.description.endswith(".") and one.changes, name
        assert ch.check_changes(one.changes) == dict(one.changes)


def test_every_field_of_the_conditions_is_a_change():
    assert set(Conditions.__dataclass_fields__) <= set(ch.CHANGES)


def test_scales_multiply_and_the_rest_is_set():
    start = Conditions(pump_scale=0.5, potassium_out_mmol_l=5.0)
    conditions = ch.apply_changes(
        {"pump_scale": 0.5, "potassium_out_mmol_l": 6, "ph": "7.2"}, start
    )
    assert conditions == start.replace(pump_scale=0.25, potassium_out_mmol_l=6.0, ph=7.2)
    assert ch.apply_changes({}) == Conditions()


def test_blood_without_flow_starts_from_its_own_potassium():
    low, high = (
        ch.apply_changes({"potassium_out_mmol_l": k, "ischaemia_min": 5.0}).potassium_out_mmol_l
        for k in (3.0, 6.0)
    )
    assert 3.0 < low < 4.0 and 6.0 < high < 7.0


@pytest.mark.parametrize("axon", AXONS)
def test_a_healthy_ph_changes_nothing(axon):
    a, P = ax.axon_parameters(axon), ax.kernel_parameters(axon, [Conditions(), Conditions(ph=7.4)])
    assert (P[:, 0] == P[:, 1]).all()
    assert P[eq.ROW["P_na"], 0] == a["PNa"]
    assert P[eq.ROW["shift_m"], 0] == pytest.approx(a["dVm"], abs=1e-12)


def test_hydrogen_ions_block_and_shift_as_published():
    P = ax.kernel_parameters("ghk", [Conditions(ph=ph) for ph in (7.4, 7.0, 5.4, 5.0, 7.9)])
    open_na, shift = P[eq.ROW["P_na"]], P[eq.ROW["shift_m"]]
    # Woodhull 1973: pK 5.4; from pH 7 to 5 the permeability falls by 60 % at +20 mV, more below
    assert open_na[2] / open_na[0] == pytest.approx(0.5 * (1 + 10**-2.0))
    assert 0.6 < 1 - open_na[3] / open_na[1] < 0.75
    assert shift[4] - shift[0] == pytest.approx(1.0)  # 1 mV for half a unit
    examinations = [examine(Conditions(ph=ph), full=False) for ph in (7.1, 7.4, 7.7)]
    assert np.all(np.diff([f.threshold_1ms_pa for f in examinations]) < 0)
    assert np.all(np.diff([f.tau_sd_ms for f in examinations]) > 0)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ch.condition("ischemia"), "did you mean 'ischaemia'"),
        (lambda: ch.check_changes({"pump": 1}), "Unknown membrane change 'pump': did you mean"),
        (lambda: ch.check_changes({"ph": 4}), "ph = 4 is outside the allowed range 6.5 to 8"),
        (lambda: ch.check_changes({"hcn_scale": "half"}), "must be a finite number"),
        (lambda: ch.apply_changes({"after_min": 3}), "after_min needs"),
    ],
)
def test_a_mistake_is_one_sentence(call, says):
    with pytest.raises(NeurosimError, match=says):
        call()
