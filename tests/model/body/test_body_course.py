"""A body that changes: closed forms, differential equations, published times, and mistakes."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import linregress

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import load_group, override, parameter
from neurosim.model.body.course import MEDICINES, Course, medicine_rates_per_h, select_knots
from neurosim.model.body.kinetics import caffeine_umol_l
from neurosim.model.body.state import Body


def course(*tables, start="06:00"):
    return Course.from_tables(list(tables), start)


def hours(many=24.0, step=0.25):
    return np.arange(0.0, many + 1e-9, step)


def column(timeline, name, at, body=None):
    return np.array([getattr(b, name) for b in timeline.bodies_at(at, body or Body())])


# --- Caffeine ---------------------------------------------------------------------------------


def test_caffeine_doses_add_up_and_are_those_of_the_closed_form():
    cups = [{"at": "07:30", "caffeine_mg": 100}, {"at": "13:00", "caffeine_mg": 60}]
    at = hours()
    both = column(course(*cups), "plasma_caffeine_umol_l", at)
    each = [column(course(cup), "plasma_caffeine_umol_l", at) for cup in cups]
    assert both == pytest.approx(each[0] + each[1], abs=1e-9)
    assert both == pytest.approx(caffeine_umol_l([(100, 1.5), (60, 7.0)], at), abs=1e-9)
    assert both[at <= 1.5].max() == 0.0


def test_caffeine_halves_in_the_published_time():
    timeline = course({"at": "06:00", "caffeine_mg": 350})
    clearance = load_group("body")["caffeine_clearance_l_h_kg"]
    for value in (clearance.low, clearance.value, clearance.high):
        with override("body", clearance.name, value):
            at = np.arange(6.0, 16.0)
            level = np.log(column(timeline, "plasma_caffeine_umol_l", at))
            half_life_h = -np.log(2.0) / linregress(at, level).slope
        # Blanchard & Sawers 1983 (V72): 2.7 to 9.9 h; the range of the clearance reaches beyond
        assert 1.5 < half_life_h < 13.0
        assert (value != clearance.value) or 2.7 < half_life_h < 9.9


def test_what_was_in_the_blood_before_leaves_too():
    timeline = course({"at": "20:00", "caffeine_mg": 100})
    before = column(timeline, "plasma_caffeine_umol_l", [0, 5, 10], Body(plasma_caffeine_umol_l=40))
    rate = parameter("body", "caffeine_clearance_l_h_kg") / parameter(
        "body", "caffeine_volume_l_kg"
    )
    assert before == pytest.approx(40 * np.exp(-rate * np.array([0, 5, 10])))


# --- Levels, effort, medicines ----------------------------------------------------------------


def test_stress_follows_its_span_and_returns_to_the_body():
    timeline = course({"from": "09:00", "to": "12:00", "stress": 0.5})
    calm = column(timeline, "stress", hours(), Body(stress=0.1))
    tau_h = parameter("course", "mood_min") / 60.0
    at = hours()
    inside = (at >= 3.0) & (at <= 6.0)
    assert calm[inside] == pytest.approx(0.5 - 0.4 * np.exp(-(at[inside] - 3.0) / tau_h))
    assert np.all(calm[at <= 3.0] == 0.1) and calm[-1] == pytest.approx(0.1)
    assert np.all(np.diff(calm[inside]) > 0) and np.all(np.diff(calm[at >= 6.0]) <= 0)


def test_over_breathing_falls_faster_than_it_returns():
    timeline = course({"from": "06:30", "to": "07:30", "paco2_mmhg": 20})
    level = timeline.values(Body(), 4.0)["paco2_mmhg"]
    assert level[30] == 40.0 and level[90] == pytest.approx(20.0, abs=1e-4)
    # half of the fall in about 3 min; three quarters back in 12 min
    assert level[33] == pytest.approx(30.0, abs=0.5)
    assert level[102] == pytest.approx(35.0, abs=0.1)
    ph = [b.blood()["ph"] for b in timeline.bodies_at([0.0, 1.5, 4.0], Body())]
    assert ph[1] > ph[0] + 0.15 and ph[2] == pytest.approx(ph[0], abs=1e-3)


def test_an_effort_fades_as_a_nerve_recovers():
    # Vucic et al. 2007: the threshold is back 15 to 20 minutes after a minute's contraction
    timeline = course({"at": "07:00", "contraction": 1.0})
    level = timeline.values(Body(), 2.0)["fatigue"]
    assert level[60] == 0.0 and level[61] == 1.0
    assert level[81] < 0.06 and level[66] > 0.15
    # in two stores: the same as an axon that fired for a minute, by its linear law
    share, slow, fast = (
        parameter("firing", f"load_{name}") for name in ("fast_share", "tau_min", "fast_tau_min")
    )
    left = {
        t: (1.0 - share) * slow * -np.expm1(-1.0 / slow) * np.exp(-t / slow)
        + share * fast * -np.expm1(-1.0 / fast) * np.exp(-t / fast)
        for t in (0, 1, 4, 20)
    }
    for t, value in left.items():
        assert level[61 + t] == pytest.approx(value / left[0])
    assert np.all(np.diff(level[61:]) < 0)


def test_efforts_add_up_to_no_more_than_the_most():
    again = [{"at": f"07:{minute:02d}", "contraction": 0.8} for minute in (0, 2, 4)]
    level = course(*again).values(Body(), 2.0)["fatigue"]
    assert level.max() == 1.0 and level[63] > course(again[0]).values(Body(), 2.0)["fatigue"][63]


@pytest.mark.parametrize("name", MEDICINES)
def test_a_medicine_solves_its_differential_equation(name):
    timeline = course({"at": "08:00", name: 0.8})
    take, leave = medicine_rates_per_h(name)
    at = np.linspace(0.0, 20.0, 401)
    solved = solve_ivp(
        lambda t, y: [-take * y[0], take * y[0] - leave * y[1]],
        (0, 20),
        [1.0, 0.0],
        t_eval=at,
        rtol=1e-9,
        atol=1e-12,
    ).y[1]
    columns = column(timeline, name, at + 2.0)
    assert columns == pytest.approx(0.8 * solved / solved.max(), abs=2e-3)
    assert at[columns.argmax()] == pytest.approx(
        parameter("course", f"medicine.{name}.peak_h"), abs=0.1
    )
    late = column(
        timeline, name, [30.0, 30.0 + parameter("course", f"medicine.{name}.half_life_h")]
    )
    assert late[1] / late[0] == pytest.approx(0.5, rel=0.05)


def test_a_dose_every_day_comes_every_day():
    timeline = course({"at": "08:00", "gabapentinoid": 0.3, "daily": True})
    level = column(timeline, "gabapentinoid", [4.5, 28.5, 52.5])
    assert level[0] == pytest.approx(0.3, abs=1e-3)
    assert level[0] < level[1] < level[2] < 0.35
    third = course({"at": "08:00", "gabapentinoid": 0.3, "day": 3})
    assert column(third, "gabapentinoid", [49.9, 52.5]) == pytest.approx([0.0, 0.3], abs=1e-3)


# --- Water and sleep --------------------------------------------------------------------------


def test_sweat_is_what_was_lost_and_water_is_taken_up_in_its_time():
    timeline = course(
        {"from": "08:00", "to": "10:00", "sweat_l_per_h": 1.0},
        {"at": "10:00", "plain_water_l": 1.0},
    )
    columns = timeline.values(Body(), 12.0)
    assert columns["mass_loss_percent"][240:] == pytest.approx(100 * 2.0 / 70.0)
    assert columns["mass_loss_percent"][180] == pytest.approx(100 * 1.0 / 70.0)
    water = columns["plain_water_l"]
    assert water[240] == 0.0 and np.all(np.diff(water[240:]) > 0)
    assert water[252] == pytest.approx(0.5, abs=0.02)  # half-life of absorption 11 to 13 min
    assert water[330] > 0.98


def test_kidneys_let_go_of_what_is_not_missing():
    # the water-load test: nine tenths of it in four hours
    timeline = course({"at": "06:00", "plain_water_l": 1.4})
    water = timeline.values(Body(), 10.0)["plain_water_l"]
    assert water[240] < 0.2 and water[600] < 0.01 and water.max() < 1.4

    def slope(t, y):
        gut, body = y
        taken = gut / parameter("course", "drink_absorption_min")
        return [-taken, taken - body / (60.0 * parameter("course", "water_excretion_h"))]

    solved = solve_ivp(slope, (0, 600), [1.4, 0.0], t_eval=np.arange(601), rtol=1e-8).y[1]
    assert water == pytest.approx(solved, abs=0.01)


def test_plain_water_and_solution_leave_different_blood():
    sweat = {"from": "08:00", "to": "10:00", "sweat_l_per_h": 1.5}
    drink = {"at": "10:00", "plain_water_l": 3.0}
    timeline = course(sweat, drink)
    water = timeline.body_at(16.0).blood()
    solution = timeline.replace_events("plain_water_l", "rehydration_l").body_at(16.0).blood()
    none = timeline.without_events("plain_water_l").body_at(16.0).blood()
    assert water["sodium_mmol_l"] < solution["sodium_mmol_l"] < none["sodium_mmol_l"]
    assert water["sodium_mmol_l"] < 138.0 and none["sodium_mmol_l"] > 142.0


def test_a_debt_of_sleep_grows_in_the_night_and_is_slept_off():
    awake = course({"from": "08:00", "to": "12:00", "sleep": True, "day": 2}, start="06:30")
    debt = column(awake, "sleep_debt_h", [0.0, 0.5, 16.5, 24.5, 25.5, 29.5])
    # half an hour of usual sleep is left at the start; a night is missed; four hours pay back
    assert debt == pytest.approx([0.0, 0.5, 0.5, 8.5, 8.5, 4.5])
    usual = course({"from": "23:00", "to": "07:00", "sleep": True, "daily": True}, start="07:00")
    assert column(usual, "sleep_debt_h", hours(96.0), Body(sleep_debt_h=3.0)) == pytest.approx(3.0)
    more = course({"from": "21:00", "to": "09:00", "sleep": True, "daily": True}, start="09:00")
    rested = column(more, "sleep_debt_h", hours(72.0), Body(sleep_debt_h=3.0))
    assert rested[-1] == 0.0 and rested.min() == 0.0 and np.all(np.diff(rested) <= 0)


# --- The whole --------------------------------------------------------------------------------


def test_what_no_event_names_stays():
    body = Body(potassium_mmol_l=3.3, stress=0.2, fatigue=0.4, isaacs=0.1)
    timeline = course({"at": "07:00", "caffeine_mg": 100})
    assert timeline.changes == ("plasma_caffeine_umol_l",)
    for columns in timeline.bodies_at([0.0, 3.3, 30.0], body):
        assert columns.replace(plasma_caffeine_umol_l=0) == body
    assert timeline.body_at(0.0, body) == body


def test_between_knots_lines_stay_near_what_is_between():
    timeline = course(
        {"at": "07:30", "caffeine_mg": 200},
        {"from": "09:00", "to": "12:00", "stress": 0.6},
        {"at": "18:00", "contraction": 1.0},
    )
    at, bodies = timeline.knots(Body(), 24.0)
    assert at[0] == 0.0 and at[-1] == 24.0 and at.size < 40
    for name, values in timeline.values(Body(), 24.0).items():
        line = np.interp(np.arange(1441) / 60.0, at, [getattr(b, name) for b in bodies])
        assert np.abs(line - values).max() <= 0.0501 * np.ptp(values)


def test_corners_keep_what_bends_and_nothing_else():
    time = np.arange(101.0)
    straight = np.stack([time, np.where(time < 40, 0.0, time - 40.0)], axis=1)
    assert select_knots(time, straight, 1e-6).tolist() == [0, 40, 100]
    assert select_knots(
        np.array([0.0, 10.0, 11.0]), np.array([[0.0], [10.0], [11.0]])
    ).tolist() == [
        0,
        2,
    ]


def test_a_course_that_changes_nothing_has_one_knot():
    still = course(
        {"from": "07:00", "to": "08:00", "stress": 0.0}, {"at": "09:00", "caffeine_mg": 0}
    )
    at, bodies = still.knots(Body(), 24.0)
    assert at.tolist() == [0.0] and bodies == [Body()]


def test_the_clock_goes_round():
    timeline = course({"from": "23:00", "to": "06:30", "sleep": True}, start="06:30")
    assert (timeline.events[0].start_min, timeline.events[0].stop_min) == (990, 1440)
    assert [timeline.clock_time(h) for h in (0.0, 16.5, 23.99, 30.0)] == [
        "06:30",
        "23:00",
        "06:29",
        "12:30",
    ]
    past = course({"at": "05:00", "contraction": 1.0}, start="06:30")
    assert past.events[0].start_min == 1350


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ([{"at": "25:00", "caffeine_mg": 1}], "must be a time of the clock"),
        ([{"at": 7.5, "caffeine_mg": 1}], "must be a time of the clock"),
        ([{"caffeine_mg": 1}], "needs its time"),
        ([{"at": "07:00", "to": "08:00", "stress": 1}], "needs its time"),
        ([{"from": "07:00", "stress": 1}], "needs its time"),
        ([{"from": "12:00", "to": "09:00", "stress": 1}], "the wrong way round"),
        ([{"from": "12:00", "to": "12:00", "stress": 1}], "would last 24 h"),
        (
            [
                {"from": "09:00", "to": "12:00", "stress": 1},
                {"from": "11:00", "to": "13:00", "stress": 0.5},
            ],
            "overlap at 11:00",
        ),
        (
            [
                {"from": "05:00", "to": "12:00", "sleep": True, "daily": True},
                {"from": "11:00", "to": "13:00", "sleep": True, "day": 4},
            ],
            "overlap at 11:00",
        ),
        ([{"at": "07:00", "cafeine_mg": 1}], "did you mean 'caffeine_mg'"),
        ([{"at": "07:00", "stress": 1}], "happens over a span"),
        ([{"from": "07:00", "to": "08:00", "caffeine_mg": 1}], "happens at a time"),
        ([{"from": "07:00", "to": "08:00", "als": 1}], "cannot change als"),
        ([{"at": "07:00", "caffeine_mg": -1}], "caffeine_mg = -1 mg is outside"),
        ([{"from": "07:00", "to": "08:00", "stress": 1.5}], "stress = 1.5 is outside"),
        ([{"from": "07:00", "to": "08:00", "sleep": False}], "sleep of a course must be true"),
        ([{"at": "07:00"}], "says nothing that happens"),
        ([{"at": "07:00", "caffeine_mg": 1, "daily": 1}], "daily must be true or false"),
        ([{"at": "07:00", "caffeine_mg": 1, "day": 1.5}], "whole number"),
        ([{"at": "07:00", "caffeine_mg": 1, "day": 0}], "day = 0 is outside"),
        (["coffee"], "tables of an event"),
        ("coffee", "list of tables"),
        ({"at": "07:00"}, "list of tables"),
    ],
)
def test_a_mistake_is_one_sentence(tables, words):
    with pytest.raises(NeurosimError) as error:
        Course.from_tables(tables, "06:00")
    text = str(error.value)
    assert words in text and "\n" not in text and text.count(". ") == 0


def test_a_body_that_could_not_live_is_told_with_its_time():
    timeline = course(*({"at": "08:00", "caffeine_mg": 10_000} for _ in range(3)))
    with pytest.raises(NeurosimError, match=r"In this course at 0\d:\d\d: plasma_caffeine"):
        timeline.bodies_at(hours(), Body())
    with pytest.raises(NeurosimError, match="before the start"):
        timeline.body_at(-1.0)
    with pytest.raises(NeurosimError, match="did you mean 'caffeine_mg'"):
        timeline.without_events("cafeine_mg")
    with pytest.raises(NeurosimError, match="did you mean 'gabapentinoid'"):
        medicine_rates_per_h("gabapentin")
