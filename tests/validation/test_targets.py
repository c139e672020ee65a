"""The list of targets: complete, honest about misses, and no pass that was lost unnoticed."""

import math

import numpy as np
import pytest

from neurosim.model.body.state import Body
from neurosim.model.muscle.anatomy import contraction_times_ms
from neurosim.model.soma.soma import SomaConditions
from neurosim.validation import (
    body_targets,
    motor_targets,
    validate,
)
from neurosim.validation import (
    target as target_,
)

# What the model is known to miss. A new miss, or a miss that is one no longer, belongs into
# docs/limits.md and here.
KNOWN_MISSES = {
    ("V72", "peak caffeine"),
    ("V10", "refractoriness_2_5_ms_percent"),
    ("V11", "relative_refractory_period_ms"),
    ("V15", "farthest point of the recovery cycle"),
    ("V17", "distance in te_h_10_20_percent"),
    ("V17", "distance in te_h20_10_20_percent"),
    ("V20", "change of sdtc_ms"),
    ("V20", "change of te_h_90_100_percent"),
    ("V24", "stable resting states"),
    ("V25", "change of threshold_1ms_pa"),
    ("V27", "change of sdtc_ms"),
    ("V28", "change of superexcitability_percent"),
    ("V34", "change of resting potential"),
    ("V47", "people who twitch at a look"),
    ("V55a", "change of the time constant with mexiletine"),
    ("V81", "eyelid twitches against health"),
    ("V84", "length of the longest tenth of episodes"),
    ("V84", "mean interval within an episode"),
    ("V70", "change of hysteresis by paired units"),
    ("V75", "rise of blood sodium"),
    ("V75", "sodium lost"),
    ("V53", "mean of least_per_s"),
    ("V53", "SD over units of mean_per_s"),
    ("V53", "SD over units of duration_s"),
    ("V62", "rate at which fusion begins, mean"),
    ("V62", "rate of the largest force, least"),
    ("V67", "surface potential of a unit, largest"),
    ("junction", "fibres that follow"),
}


@pytest.fixture(scope="module")
def rows():
    return validate.validation_rows()


def test_columns_are_those_promised(rows):
    assert all(hasattr(row, name) for row in rows for name in target_.COLUMNS)


def test_all_measures_of_the_norms_are_listed_and_inside(rows):
    norms = [row for row in rows if row.target.startswith("N")]
    assert len(norms) == 26
    assert all(row.inside for row in norms)


def test_every_target_of_nerve_excitability_is_asked_or_said_not_to_be(rows):
    listed = {row.target for row in rows} | {target for target, *_ in validate.NOT_COMPUTABLE}
    assert {f"V{i}" for i in range(1, 35)} | {"V1b"} <= listed
    assert all(why for _, _, why in validate.NOT_COMPUTABLE)
    assert not {target for target, *_ in validate.NOT_COMPUTABLE} & {row.target for row in rows}


def test_every_target_of_motor_units_is_asked_or_said_not_to_be(rows):
    listed = {row.target for row in rows} | {target for target, *_ in validate.NOT_COMPUTABLE}
    assert {f"V{i}" for i in range(38, 69)} | {f"V{i}n" for i in (36, 37, 38)} <= listed | {"V55"}
    # of units in cramps, the means published as they were read
    cramps = {r.quantity: r for r in rows if r.target == "V53"}
    assert cramps["mean of mean_per_s"].published_high == pytest.approx(19.6)
    assert cramps["mean of duration_s"].published_low == pytest.approx(7.4)


def test_every_target_of_the_body_is_asked_or_said_not_to_be(rows):
    listed = {row.target for row in rows} | {target for target, *_ in validate.NOT_COMPUTABLE}
    assert {f"V{i}" for i in (*range(69, 77), 78, 79, *range(80, 84))} <= listed
    assert {"V55a", "V55b", "V77K", "V77Na", "V77Ca", "V77Mg"} <= listed
    assert {row.quantity for row in rows if row.target == "V48b"}


def test_a_pinched_sensory_root_is_the_model_without_it_and_a_worse_one_twitches_more():
    person = body_targets._people_rates(Body(pinched_nerve=0.6), Body(), muscle="calf", people=3)
    alone = body_targets._people_rates(
        Body(pinched_nerve=0.6), Body(), muscle="calf", people=3, root="sensory"
    )
    assert np.array_equal(alone.expected_per_min[0], alone.expected_per_min[1])
    assert np.all(person.expected_per_min[0] > person.expected_per_min[1] + 1.0)


def test_a_stronger_inward_current_sustains_more_and_none_sustains_nothing():
    shares = [body_targets.sustained_share(SomaConditions(pic_gain=g)) for g in (0.2, 1.0, 1.25)]
    assert shares[0] < 0.05 < shares[1] < shares[2]


def test_thenar_trains_are_the_closed_forms():
    units, force, fused = motor_targets.thenar_curves(every=60)
    contraction_s = contraction_times_ms("thumb")[units] / 1000.0
    share = force / force[:, -1:]
    for i, T in enumerate(contraction_s):
        half = motor_targets._crossing(motor_targets.RATES, share[i], 0.5)
        assert half == pytest.approx(0.702 / T, rel=0.02)  # Fuglevand 1993
        # twitches of one size at 4 per second, summed from long ago: sum of u exp(1 - u)
        period = 0.25 / T
        u = np.linspace(0.0, period, 2001)[:, None] + period * np.arange(200)
        wave = (u * np.exp(1.0 - u)).sum(axis=1)
        at = int(np.flatnonzero(motor_targets.RATES == 4.0)[0])
        assert fused[i, at] == pytest.approx(wave.min() / wave.max(), abs=0.005)
    assert motor_targets._crossing(np.arange(4.0), np.array([0.0, 0.2, 0.6, 1.0]), 0.4) == 1.5


def test_surveys_are_listed(rows):
    assert {"V36", "V37"} <= {row.target for row in rows}


def test_misses_are_those_that_are_known(rows):
    misses = {(row.target, row.quantity) for row in rows if not row.inside}
    assert misses == KNOWN_MISSES


def test_inside_means_inside(rows):
    for row in rows:
        value = row.model
        within = row.published_low <= value <= row.published_high
        assert row.inside == (within and not math.isnan(value)), row
        assert row.grade in ("measured", "fitted", "assumed")
        assert row.source
