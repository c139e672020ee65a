"""The six muscles: names, provenance, size principle."""

import dataclasses
import math

import numpy as np
import pytest

from neurosim.base import parameters
from neurosim.base.errors import NeurosimError
from neurosim.model.muscle import anatomy

UNITS = {"1", "ms", "mN"}


@pytest.mark.parametrize("group", ["anatomy", "muscle"])
def test_every_number_has_unit_grade_source_and_sits_in_its_range(group):
    known = parameters.read_toml(parameters.FILES[group])["references"]
    values = parameters.load_group(group)
    assert values
    for value in values.values():
        assert value.unit in UNITS, value
        assert value.source in known, value
        assert value.low <= value.value <= value.high, value
        assert value.note, value
        if value.source == "assumption":
            assert value.grade == "assumed", value
        suffix = {"ms": "_ms", "mN": "_mn"}.get(value.unit)
        assert suffix is None or value.name.endswith(suffix), value


def test_every_reference_is_used():
    for group in ("anatomy", "muscle"):
        used = {value.source for value in parameters.load_group(group).values()}
        assert used == set(parameters.read_toml(parameters.FILES[group])["references"])


def test_same_key_means_the_same_source_in_both_files():
    a, b = (parameters.read_toml(parameters.FILES[r])["references"] for r in ("anatomy", "muscle"))
    for key in a.keys() & b.keys():
        assert a[key] == b[key]


def test_roots_are_the_textbooks_and_share_a_muscle_out():
    known = {"calf": "S1 S2", "foot_sole": "S1 S2", "shin": "L4 L5", "thumb": "C8 T1",
             "upper_arm": "C5 C6"}  # fmt: skip
    for name in anatomy.MUSCLES:
        roots = anatomy.muscle_roots(name)
        assert sorted(roots) == known.get(name, "").split()
        assert not roots or sum(roots.values()) == pytest.approx(1.0)
    assert anatomy.muscle_roots("calf")["S1"] > anatomy.muscle_roots("calf")["S2"]
    assert anatomy.muscle_roots("shin")["L5"] > anatomy.muscle_roots("shin")["L4"]
    with parameters.override("anatomy", "calf.roots.S1", 0.9):
        assert anatomy.muscle_roots("calf")["S1"] == 0.9


def test_a_root_is_read_generously_and_checked():
    assert [anatomy.canonical_root(r) for r in ("c6", " S1", "Sensory")] == ["C6", "S1", "sensory"]
    with pytest.raises(NeurosimError, match="Unknown root 'S11': did you mean 'S1'?"):
        anatomy.canonical_root("S11")


def test_counts_read_from_publications():
    # Johns & Fuglevand 2011; McNeil 2005; Brown 1972.
    assert anatomy.muscle("foot_sole").units == 43
    assert anatomy.muscle("shin").units == 153
    assert anatomy.muscle("thumb").units == 253
    for name in ("foot_sole", "shin", "thumb"):
        assert anatomy.muscle_values(name)["units"].grade == "measured"


def test_thenar_units_span_what_was_measured():
    # Thomas and others 1990: 3 to 34 mN, 35 to 80 ms.
    force, time = anatomy.twitch_forces_mn("thumb"), anatomy.contraction_times_ms("thumb")
    assert force[0] == pytest.approx(3)
    assert force[-1] == pytest.approx(34, rel=0.02)
    assert time[0] == pytest.approx(80)
    assert time[-1] == pytest.approx(35, rel=0.02)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("foot sole", "foot_sole"),
        ("Foot-Sole", "foot_sole"),
        ("abductor hallucis", "foot_sole"),
        ("biceps", "upper_arm"),
        ("Biceps Brachii", "upper_arm"),
        ("orbicularis oculi", "eyelid"),
        ("medial gastrocnemius", "calf"),
        ("gastrocnemius-medialis", "calf"),
        ("abductor pollicis brevis", "thumb"),
        ("tibialis_anterior", "shin"),
    ],
)
def test_other_names(alias, name):
    assert anatomy.muscle(alias).name == name
    assert anatomy.muscle(anatomy.muscle(alias)) is anatomy.muscle(name)


def test_unknown_name_offers_the_nearest():
    with pytest.raises(NeurosimError, match="Unknown muscle 'eyelit': did you mean 'eyelid'"):
        anatomy.muscle("eyelit")
    with pytest.raises(NeurosimError, match="muscle"):
        anatomy.twitch_forces_mn(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", anatomy.MUSCLES)
def test_size_principle(name):
    m = anatomy.muscle(name)
    force, time = anatomy.twitch_forces_mn(m), anatomy.contraction_times_ms(m)
    assert force.shape == time.shape == (m.units,)
    assert np.all(np.diff(force) > 0) and np.all(np.diff(time) < 0)
    # Fuglevand 1993 written out with c, unit by unit.
    c = math.log(m.twitch_force_range) / math.log(m.contraction_time_range)
    for i in (0, m.units // 2, m.units - 1):
        p = math.exp(math.log(m.twitch_force_range) * i / m.units)
        assert force[i] == pytest.approx(m.twitch_force_smallest_mn * p)
        assert time[i] == pytest.approx(m.contraction_time_slow_ms * (1 / p) ** (1 / c))
    # Some units are seen and some are not.
    assert 0 < np.mean(force > m.visible_force_mn) < 1


def test_muscles_are_frozen_and_read_aloud():
    m = anatomy.muscle("eyelid")
    with pytest.raises(dataclasses.FrozenInstanceError):
        m.units = 3  # type: ignore[misc]
    assert str(m).startswith("eyelid (orbicularis oculi): 300 motor units")
    assert {anatomy.muscle(n).site_class for n in anatomy.MUSCLES} == {"foot_sole", "ordinary"}
    assert anatomy.muscle("foot_sole").site_class == "foot_sole"
    for name in anatomy.MUSCLES:
        for field, value in anatomy.muscle_values(name).items():
            assert getattr(anatomy.muscle(name), field) == float(value)
