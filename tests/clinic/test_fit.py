"""The fit of one record: what it recovers, what it says it cannot, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from neurosim.base.errors import NeurosimError
from neurosim.clinic import excitability as ex
from neurosim.clinic import fit
from neurosim.clinic import norms as norms_
from neurosim.clinic.space import Space
from neurosim.model.axon import axon as ax
from neurosim.model.axon.axon import Conditions

FEW = ("persistent_sodium_scale", "fast_potassium_scale", "potassium_out_mmol_l", "leak_scale")
KNOWN = {
    "persistent_sodium_scale": 1.6, "fast_potassium_scale": 0.4, "potassium_out_mmol_l": 5.5,
}  # fmt: skip


def record_of(**changes):
    """Return the model's own record under changed conditions, without noise."""
    curves = ex.measure_curves(ax.at_rest(Conditions(**changes)), full=True)
    return fit.NerveRecord.from_curves(curves, temperature_c=33.0)


def noisy(record, rng):
    """Return the record with the noise that a record is taken to have."""
    p = fit.comparable_points(record)
    y = p.value + p.noise_sd * rng.standard_normal(p.x.size)
    part = {name: (p.x[p.curve == name], y[p.curve == name]) for name in np.unique(p.curve)}
    return replace(
        record,
        electrotonus={level: part[name] for level, name in norms_.TE_CURVES.items()},
        recovery=part["recovery_cycle"],
        iv=part["threshold_iv"],
        sdtc_ms=float(part["sdtc"][1][0]),
    )


@pytest.fixture(scope="module")
def few():
    return Space.from_file("person", FEW)


@pytest.fixture(scope="module")
def raised_potassium(few):
    record = noisy(record_of(potassium_out_mmol_l=5.5), np.random.default_rng(3))
    return fit.fit_record(record, space=few)


def test_nothing_moved_in_the_mean_of_the_people(few):
    result = fit.fit_record(fit.NerveRecord.from_norms(), space=few)
    assert result.is_explained_by_health and not any(e.moved for e in result.estimates)
    assert result.misfit(result.healthy) == pytest.approx(0.0, abs=1e-20)
    for e in result.estimates:
        assert e.value == pytest.approx(e.health, rel=1e-4) and e.low < e.health < e.high


def test_a_known_change_is_found_among_others(raised_potassium):
    moved = [e for e in raised_potassium.estimates if e.moved]
    assert [e.name for e in moved] == ["potassium_out_mmol_l"]
    assert moved[0].low < 5.5 < moved[0].high and moved[0].spread > 2
    assert (
        not raised_potassium.is_explained_by_health
        and raised_potassium.noise_scale < fit.NOISE_TOLERANCE
    )
    assert raised_potassium.misfit(raised_potassium.fitted) == pytest.approx(1.0, abs=0.35)


def test_a_known_change_alone_explains_all(raised_potassium):
    best = raised_potassium.singles[0]
    assert best.name == "potassium_out_mmol_l" and best.low < 5.5 < best.high
    assert best.high - best.low < 0.1 and best.removed_percent > 97
    assert [s.name for s in raised_potassium.rival_changes] == ["potassium_out_mmol_l"]
    # a leak does nearly the same: it too lets the axon depolarise
    assert raised_potassium.singles[1].name == "leak_scale"
    assert 80 < raised_potassium.singles[1].removed_percent < best.removed_percent


def test_points_lie_where_the_model_has_them():
    record = record_of(potassium_out_mmol_l=5.0)
    points = fit.comparable_points(record)
    curves = ex.measure_curves(ax.at_rest(Conditions(potassium_out_mmol_l=5.0)), full=True)
    np.testing.assert_allclose(
        points.predict(fit.comparable_rows(curves))[0], points.value, rtol=1e-12
    )
    # every point of the four curves from the onset on, of the cycle and the I/V, and one SDTC
    norms = norms_.norms()
    expected = sum((norms[n].x >= 10).sum() for n in norms_.TE_CURVES.values()) + 18 + 16 + 1
    assert points.x.size == expected


def test_a_point_between_two_is_read_on_the_line():
    record = record_of()
    x, y = record.recovery
    middle = replace(record, recovery=(np.sqrt(x[3:4] * x[4:5]), np.array([0.0])))
    points = fit.comparable_points(middle)
    at = points.curve == "recovery_cycle"
    rows = fit.comparable_rows(ex.measure_curves(ax.at_rest(Conditions()), full=True))
    assert points.predict(rows)[0, at] == pytest.approx((y[3] + y[4]) / 2)


def test_more_noise_than_stated_widens_the_intervals(few):
    quiet = record_of(fast_potassium_scale=0.4)
    rough = noisy(quiet, np.random.default_rng(5))
    third = {
        level: (x, y + 4.0 * (y - np.interp(x, *quiet.electrotonus[level])))
        for level, (x, y) in rough.electrotonus.items()
    }
    result = fit.fit_record(replace(rough, electrotonus=third), space=few)
    assert result.noise_scale > 2.0
    plain = fit.fit_record(rough, space=few)
    for wide, narrow in zip(result.estimates, plain.estimates, strict=True):
        assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)


def test_too_little_is_refused():
    empty = fit.NerveRecord(recovery=(np.array([2.0, 5.0]), np.array([50.0, -20.0])))
    with pytest.raises(NeurosimError, match="has 2 points .* at least 20"):
        fit.fit_record(empty)


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_the_interval_of_a_single_change_holds_the_truth_as_often_as_it_says(name):
    # 40 records: 95 % of the intervals are to hold the truth; fewer than 34 has p < 0.004
    truth, record = KNOWN[name], record_of(**{name: KNOWN[name]})
    rng = np.random.default_rng(7)
    space = Space.from_file("person", [name])
    held = 0
    for _ in range(40):
        single = fit.fit_record(noisy(record, rng), space=space).singles[0]
        held += single.low <= truth <= single.high
    assert held >= 34


@pytest.mark.slow
def test_the_intervals_of_all_together_hold_the_truth_as_often_as_they_say():
    # people drawn from the prior: the intervals of every parameter, 95 % of 25 x 16
    space, rng = Space.from_file("person"), np.random.default_rng(11)
    held, informed = [], []
    for x in space.draw(25, rng):
        curves = ex.measure_curves(space.at_rest(x[None]), full=True)
        result = fit.fit_record(noisy(fit.NerveRecord.from_curves(curves, temperature_c=33.0), rng))
        for e, truth in zip(result.estimates, space.values(x).values(), strict=True):
            held.append(e.low <= truth <= e.high)
            informed.append(e.told)
    assert 0.90 < np.mean(held) < 0.985
    assert np.mean(informed) > 0.2  # and not by saying nothing


def test_a_single_change_is_followed_to_where_the_test_breaks_off():
    # below some 0.3 of the fast potassium the axon fires during a polarising current
    grid, rows = fit.single_change("fast_potassium_scale", "ghk", 33.0)
    assert np.isfinite(rows).all() and (np.diff(grid) > 0).all() and 0.0 in grid
    space = fit.person_space("ghk", 33.0)
    at = space.names.index("fast_potassium_scale")
    assert space.dimensions[at].low < space.dimensions[at].value(grid[0]) < 0.4
