"""What each factor changes, where, in which direction, and that it stays in its place."""

import dataclasses

import pytest

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter, read_toml
from neurosim.model.body.contributions import (
    PARAMETERS,
    Contribution,
    adenosine_block,
    contributions,
    describe_contributions,
)
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body

MVC_LOAD = parameter("body", "fatigue_sodium_load_mmol_l")


def changes(**values):
    items = contributions(Body(**values))
    changes = {(c.site, c.parameter): (c.operation, c.change) for c in items}
    assert len(changes) == len(items)
    return changes


def near(operation, change):
    return (operation, pytest.approx(change))


def test_a_healthy_body_changes_nothing():
    assert contributions(Body()) == ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"sodium_mmol_l": 120},
            {
                ("axon", "sodium_out_mmol_l"): near("add", -20.6),
                ("axon", "sodium_in_mmol_l"): near("scale", 1.0 - 0.97 / 7.0),
                ("axon", "potassium_in_scale"): near("scale", 1.0 - 0.97 / 7.0),
                ("soma", "sodium_out_mmol_l"): near("add", -2.0),
            },
        ),
        (
            {"potassium_mmol_l": 6.2},
            {
                ("axon", "potassium_out_mmol_l"): near("add", 2.0),
                ("soma", "potassium_out_mmol_l"): near("add", 0.2),
            },
        ),
        (
            {"ionised_calcium_mmol_l": 0.8},
            {
                ("axon", "calcium_out_mmol_l"): near("add", -0.4),
                ("junction", "calcium_out_mmol_l"): near("add", -0.4),
                ("soma", "calcium_out_mmol_l"): near("add", -0.04),
            },
        ),
        (
            {"ionised_magnesium_mmol_l": 2.55},
            {
                ("axon", "magnesium_out_mmol_l"): near("add", 2.0),
                ("junction", "magnesium_out_mmol_l"): near("add", 2.0),
                ("soma", "magnesium_out_mmol_l"): near("add", 0.2),
            },
        ),
        ({"limb_temperature_c": 30}, {("axon", "temperature_c"): near("add", -3.0)}),
        # caffeine_pic_gain_full_block is 1.125, and 20 umol/L blocks half: 1 + 0.125 x 0.5.
        ({"plasma_caffeine_umol_l": 20}, {("soma", "pic_gain"): near("scale", 1.0625)}),
        (
            {"stress": 0.5},
            {
                ("soma", "pic_gain"): near("scale", 1.25),
                ("soma", "synaptic_noise_scale"): near("scale", 1.05),
                ("axon", "potassium_out_mmol_l"): near("add", -0.4),
                ("soma", "potassium_out_mmol_l"): near("add", -0.04),
            },
        ),
        # 1 - exp(-1) of 15 %
        ({"sleep_debt_h": 8}, {("soma", "synaptic_noise_scale"): near("scale", 1.0948181)}),
        (
            {"serotonin_excess": 0.5},
            {
                ("soma", "pic_gain"): near("scale", 2.5),
                ("soma", "ahp_scale"): near("scale", 0.75),
            },
        ),
        (
            {"sodium_channel_blocker": 0.5},
            {
                ("axon", "persistent_sodium_scale"): near("scale", 0.8),
                ("axon", "sodium_scale"): near("scale", 0.95),
            },
        ),
        ({"gabapentinoid": 1}, {("soma", "synaptic_noise_scale"): near("scale", 0.8)}),
        (
            # half of 50 % are lost; 80 % of their fibres go to the 75 % that live
            {"nerve_damage": 0.5},
            {
                ("terminal", "sprouts_per_unit"): near("add", 0.2),
                ("terminal", "sprout_sodium_excess"): near("set", 0.4),
                ("muscle", "units_scale"): near("scale", 0.75),
                ("muscle", "fibres_scale"): near("scale", 1.0 + 0.8 * 0.25 / 0.75),
            },
        ),
        (
            {"fatigue": 1},
            {
                ("axon", "sodium_in_mmol_l"): near(
                    "add", parameter("body", "fatigue_sodium_load_mmol_l")
                ),
                ("soma", "drive_scale"): near("scale", 0.8),
                ("soma", "ahp_scale"): near("scale", 1.2),
                ("muscle", "force_scale"): near("scale", 0.7),
                ("muscle", "contraction_time_scale"): near("scale", 1.1137),
            },
        ),
        (
            {"cholinesterase_inhibition": 0.8},
            {("junction", "acetylcholinesterase_scale"): near("scale", 0.24)},
        ),
        (
            {"isaacs": 0.5},
            {
                ("terminal", "fast_potassium_scale"): near("scale", 0.6),
                ("terminal", "exposed_per_unit"): near("add", 0.3),
            },
        ),
        (
            {"pinched_nerve": 0.5},
            {
                ("lesion", "axons_share"): near("add", 0.25),
                ("lesion", "sodium_excess"): near("add", 0.16),
                ("lesion", "myokymic_share"): near("add", 0.1),
            },
        ),
        (
            # half of 70 % are lost; 80 % of their fibres go to the 65 % that live
            {"als": 0.5},
            {
                ("axon", "persistent_sodium_scale"): near("scale", 1.125),
                ("axon", "fast_potassium_scale"): near("scale", 0.95),
                ("axon", "slow_potassium_scale"): near("scale", 0.95),
                ("terminal", "sprouts_per_unit"): near("add", 0.2),
                ("muscle", "units_scale"): near("scale", 0.65),
                ("muscle", "fibres_scale"): near("scale", 1.0 + 0.8 * 0.35 / 0.65),
            },
        ),
        (
            {
                "shortened_muscle": 0.5,
                "cramp_proneness": 1.0,
                "nerve_stimulation_per_s": 20.0,
                "stretch": 1.0,
            },
            {
                ("pool", "pic_scale"): near("scale", 0.5 + 0.5 * parameter("pool", "cramp_gain")),
                ("pool", "pic_lowered_mv"): near("add", parameter("pool", "prone_shift_mv")),
                ("pool", "push_mv"): near("add", 20.0 * parameter("pool", "reflex_mv")),
                ("pool", "stretch_mv"): near("add", 30.0),
                ("soma", "tone_scale"): near("scale", 0.8),
            },
        ),
        (
            # a share of what a limb's neuron feels, and only in a lid that is prone
            {"eyelid_proneness": 0.5, "stress": 1.0},
            {
                ("lid", "local_tone_mv"): near("add", 0.5 * parameter("facial", "prone_tone_mv")),
                ("soma", "pic_gain"): near("scale", 1.5),
                ("facial", "pic_gain"): near("scale", 1.1),
                ("soma", "synaptic_noise_scale"): near("scale", 1.1),
                ("facial", "synaptic_noise_scale"): near("scale", 1.1),
                ("axon", "potassium_out_mmol_l"): near("add", -0.8),
                ("soma", "potassium_out_mmol_l"): near("add", -0.08),
                ("facial", "potassium_out_mmol_l"): near("add", -0.008),
            },
        ),
    ],
)
def test_each_factor_alone(values, expected):
    assert changes(**values) == expected


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("edge", ["lowest", "highest"])
def test_every_field_does_something_sourced_at_its_limits(name, edge):
    sweat = {"mass_loss_percent": 5} if name in ("plain_water_l", "rehydration_l") else {}
    # a litre, as enough of the solution leaves nothing to be told
    value = 1.0 if name == "rehydration_l" else getattr(FIELDS[name], edge)
    items = contributions(Body(**sweat, **{name: value}))
    if getattr(FIELDS[name], edge) != FIELDS[name].healthy:
        assert items, f"{name} does nothing"
    known = {
        **read_toml("model/body/parameters.toml")["references"],
        **read_toml("model/soma/pool.toml")["references"],
        **read_toml("model/soma/facial.toml")["references"],
    }
    for item in items:
        assert item.source in known and item.why.endswith(".")
        assert item.operation != "scale" or (item.change > 0 and item.unit == "1")
        in_units = not item.parameter.endswith(("_mmol_l", "_c", "_mv"))
        assert (item.unit == "1") == (item.operation == "scale" or in_units)


def test_factor_names_say_the_side():
    def names(**values):
        return {c.factor for c in contributions(Body(**values))}

    assert names(potassium_mmol_l=3.0) == {"potassium low"}
    assert names(sodium_mmol_l=150, ionised_magnesium_mmol_l=0.3) == {
        "sodium high",
        "magnesium low",
    }
    assert names(limb_temperature_c=36) == {"limb warm"}
    assert names(limb_temperature_c=30) == {"limb cold"}


def test_no_factor_can_touch_a_rate():
    for parameters in PARAMETERS.values():
        assert not any("rate" in name for name in parameters)
    with pytest.raises(NeurosimError, match="Unknown axon parameter 'twitch_rate'"):
        Contribution("x", "axon", "twitch_rate", "add", 1, "1/min", "assumed", "assumption", "No.")


def test_caffeine_block_is_half_at_twenty():
    assert adenosine_block(0) == 0
    assert adenosine_block(20) == pytest.approx(0.5)
    assert adenosine_block(60) == pytest.approx(0.75)
    with pytest.raises(NeurosimError, match="plasma_caffeine_umol_l = -1"):
        adenosine_block(-1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"site": "axn"}, "Unknown site 'axn': did you mean 'axon'"),
        ({"parameter": "temprature_c"}, "did you mean 'temperature_c'"),
        ({"operation": "multiply"}, "Unknown operation 'multiply'"),
        ({"grade": "sure"}, "Unknown grade 'sure'"),
        ({"change": float("nan")}, "change must be a finite number"),
    ],
)
def test_a_contribution_checks_itself(change, words):
    good = contributions(Body(limb_temperature_c=30))[0]
    with pytest.raises(NeurosimError, match=words):
        dataclasses.replace(good, **change)


def test_the_words():
    items = contributions(Body(potassium_mmol_l=3.2, fatigue=1, limb_temperature_c=36))
    lines = describe_contributions(items)
    assert len(lines) == len(items)
    assert lines[0].startswith("potassium low: potassium outside the axon -1 mmol/L (assumed). ")
    assert any("+3 °C" in line for line in lines)
    assert any("times 0.7" in line for line in lines)
    assert any(f"+{MVC_LOAD:.3g} mmol/L (fitted)" in line for line in lines)
    assert describe_contributions([]) == []


@pytest.mark.parametrize("nonsense", [None, 3, {"stress": 1}, "body"])
def test_only_a_body_contributes(nonsense):
    with pytest.raises(NeurosimError, match="contributions needs a Body"):
        contributions(nonsense)
    for items in ([nonsense], nonsense):
        with pytest.raises(NeurosimError, match="needs Contributions"):
            describe_contributions(items)
