"""Running a body that changes: what stays the same, what is seen, and what it leans on."""

import numpy as np
import pytest
from scipy import stats

from neurosim.model.body.course import Course
from neurosim.model.body.state import Body
from neurosim.model.firing.hazard import hazard_course, hazard_table
from neurosim.simulation.person_run import person_sites
from neurosim.simulation.replicate import replicate
from neurosim.simulation.scenario import Scenario, catalogue, load_scenario
from neurosim.simulation.simulate import simulate
from neurosim.simulation.state import body_trajectory
from neurosim.simulation.tally import tally_person

STILL = Course.from_tables(
    [{"from": "07:00", "to": "08:00", "stress": 0.0}, {"at": "07:30", "caffeine_mg": 0}], "06:00"
)
HOUR_S = 3600.0


@pytest.mark.parametrize("name", ["normal", "low_calcium", "isaacs", "pinched_nerve", "cramp"])
def test_a_course_that_never_changes_is_the_constant_scenario_to_the_bit(name):
    asked = load_scenario(name).replace(duration_s=120.0)
    constant, still = simulate(asked, person=1), simulate(asked.replace(course=STILL), person=1)
    for column, values in constant.firing.columns().items():
        assert np.array_equal(values, still.firing.columns()[column]), column
    for column, values in constant.twitches.columns().items():
        assert np.array_equal(values, still.twitches.columns()[column]), column
    assert constant.expected_per_min == still.expected_per_min
    one, other = (tally_person([s], 1, 20.0)[0] for s in (asked, asked.replace(course=STILL)))
    for column, values in vars(one).items():
        assert np.array_equal(values, vars(other)[column]), column


def ramp(**level):
    """Return an hour in which a level holds from minute 20 to minute 40."""
    table = {"from": "06:20", "to": "06:40", **level}
    return Scenario(duration_s=HOUR_S, course=Course.from_tables([table], "06:00"))


def test_a_change_of_the_drive_is_seen_in_the_discharges():
    tense = ramp(stress=1.0).replace(body=Body(sleep_debt_h=20.0))
    minutes = np.zeros(60)
    expected = np.zeros(60)
    for person in range(4):
        result = simulate(tense, person=person, muscle="calf")
        minutes += np.histogram(result.firing.time_s[result.firing.place == 0], 60, (0, 3600))[0]
        middle = np.arange(30.0, 3600.0, 60.0)
        expected += np.exp(np.interp(middle, result.trajectory.at_s, np.log(result.per_min)))
    before, busiest = minutes[:20].sum(), minutes[22:42].sum()
    assert busiest > 40 and busiest > 5 * max(before, 1)
    # Motoneurons' cell bodies carry no sodium load: the counts are Poisson about the law.
    assert stats.poisson.cdf(minutes.sum(), expected.sum()) == pytest.approx(0.5, abs=0.499)
    cells = np.array([expected[a:b].sum() for a, b in ((0, 22), (22, 27), (27, 34), (34, 42))])
    found = np.array([minutes[a:b].sum() for a, b in ((0, 22), (22, 27), (27, 34), (34, 42))])
    assert stats.chisquare(found, cells * found.sum() / cells.sum()).pvalue > 1e-3


def test_each_moment_is_the_constant_body_of_that_time():
    asked = ramp(stress=0.8).replace(muscle="calf")
    result = simulate(asked, person=2)
    for i in np.unique(np.linspace(0, result.trajectory.at_s.size - 1, 4).astype(int)):
        body = result.trajectory.bodies[i]
        alone = simulate(Scenario(body=body, muscle="calf", duration_s=60.0), person=2)
        assert result.per_min[i] == pytest.approx(alone.expected_per_min, rel=0.05)


def test_lines_between_examined_axons_are_near_the_truth():
    asked = load_scenario("a_day")
    result = simulate(asked, person=1)
    at = np.linspace(0.2, 23.7, 14)
    bodies = asked.course.bodies_at(at, asked.body)
    off = []
    for hour, body in zip(at, bodies, strict=True):
        truth = simulate(Scenario(body=body, duration_s=1.0), person=1).expected_per_min
        found = np.exp(np.interp(hour * HOUR_S, result.trajectory.at_s, np.log(result.per_min)))
        off.append(np.log(found / truth))
    assert np.abs(off).max() < 0.25 and abs(np.mean(off)) < 0.05


def test_tired_fibres_pull_less_and_recover():
    effort = Course.from_tables([{"at": "06:10", "contraction": 1.0}], "06:00")
    result = simulate(Scenario(course=effort, duration_s=HOUR_S), person=2)
    t = result.twitches
    alone = t.discharges == 1
    unit = np.bincount(t.unit[alone]).argmax()
    mine = alone & (t.unit == unit)
    tired, fresh = mine & (t.onset_s > 660) & (t.onset_s < 900), mine & (t.onset_s > 2700)
    assert tired.any() and fresh.sum() > 20
    assert np.median(t.peak_mn[tired]) < 0.95 * np.median(t.peak_mn[fresh])
    assert np.median(t.duration_s[tired]) > np.median(t.duration_s[fresh])
    states = result.trajectory.states
    assert min(s.force_scale for s in states) < 0.75 and states[-1].force_scale > 0.99
    force = result.force_mn(50.0)
    assert force.size == 180_000 and force.max() > 0


def test_a_block_holds_back_twitches_only_while_it_lasts():
    result = simulate(ramp(potassium_mmol_l=9.5).replace(muscle="calf"), person=0)
    of = result.trajectory
    assert result.reached[0] == 1.0 and result.per_min.size == of.at_s.size
    assert np.all(result.per_min[result.reached == 0.0] == 0.0)
    blocked = result.reached[of.nearest(result.twitches.onset_s)] == 0.0
    assert not blocked.any()


def test_replicate_gives_what_simulate_gives():
    asked = ramp(stress=0.9)
    people = replicate([asked, asked.replace(course=None, name="calm")], 3, muscle="calf")
    for person in range(3):
        one = simulate(asked, person=person, muscle="calf")
        assert people.twitches[0, person] == (~one.twitches.painful).sum()
        assert people.expected_per_min[0, person] == pytest.approx(one.expected_per_min)
    assert np.all(people.expected_per_min[0] > people.expected_per_min[1])


def test_the_day_that_ships_runs_and_knows_its_clock():
    assert "a_day" in catalogue()
    asked = load_scenario("a_day")
    assert asked.duration_s == 86_400.0 and asked.course.clock_time(0.0) == "06:30"
    result = simulate(asked, muscle="calf")
    assert result.firing.duration_s == 86_400.0
    busiest = result.per_min.argmax()
    assert 9.0 < 6.5 + result.trajectory.at_s[busiest] / HOUR_S < 12.5  # the tense morning
    assert result.expected_per_min == pytest.approx(result.twitches_per_min, rel=0.5)
    text = str(result)
    assert "from 06:30 on" in text and "caffeine in plasma" in text and "10:30" in text


def test_the_moments_are_as_few_as_they_need_be():
    of = body_trajectory(load_scenario("a_day"))
    assert of.at_s.size < 60 and of.examined_index.size < 45
    assert np.all(np.diff(of.at_s) > 0) and of.at_s[0] == 0 and of.at_s[-1] == 86_400
    coffee = Course.from_tables([{"at": "07:00", "caffeine_mg": 300}], "06:00")
    alone = body_trajectory(Scenario(course=coffee, duration_s=86_400))
    assert alone.examined_index.size == 1  # coffee does not reach the axon
    assert body_trajectory(Scenario()).bodies == (Body(),)


def test_the_endings_of_isaacs_syndrome_answer_to_the_hour():
    asked = ramp(stress=0.2).replace(body=Body(isaacs=1.0))
    result = simulate(asked)
    mine = result.firing.process > 0
    start = result.firing.time_s[mine & (result.firing.place == 0)]
    at = result.trajectory.at_s
    for begin, end in ((0.0, 1150.0), (1800.0, 2390.0)):
        moment = int(np.abs(at - 0.5 * (begin + end)).argmin())
        body = result.trajectory.bodies[moment]
        alone = simulate(Scenario(body=body, duration_s=2000.0))
        usual = (alone.firing.process > 0) & (alone.firing.place == 0)
        found, expected = ((start > begin) & (start < end)).sum(), usual.sum() / 2000.0
        assert found == pytest.approx(expected * (end - begin), rel=0.15) and found > 50
        assert result.per_min[moment] == pytest.approx(alone.expected_per_min, rel=0.05)
    assert np.all(np.diff(result.firing.time_s) >= 0)


def test_between_examined_axons_the_log_rate_is_a_straight_line():
    states = [
        body_trajectory(Scenario(body=Body(potassium_mmol_l=k))).states[0].axon for k in (4.2, 5.0)
    ]
    tables = [hazard_table(state) for state in states]
    sites, _ = person_sites(Scenario(), 2)
    quiet = np.zeros(sites.units)
    at_s = np.array([0.0, 30.0, 120.0])
    law = hazard_course(tables, np.array([0, 2]), sites, [quiet] * 3, at_s, 120.0)
    first, between, last = (np.log(knot.bursts_per_min) for knot in law.knots)
    assert not np.allclose(first, last)
    assert between == pytest.approx(0.75 * first + 0.25 * last)
    assert law.knots[1].pair == pytest.approx(0.75 * law.knots[0].pair + 0.25 * law.knots[2].pair)
