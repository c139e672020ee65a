"""Alarms: the rules on diaries made by hand, the counting by other means, the diaries by law."""

import numpy as np
import pytest

from neurosim.article import alarms
from neurosim.article.alarms import Alarms, Share
from neurosim.article.diary import (
    EVERYBODY,
    GROUPS,
    Diary,
    draw_story,
    person_rng,
    simulate_diary,
)
from neurosim.base import parameters
from neurosim.base.errors import NeurosimError
from neurosim.model.firing import disease
from neurosim.model.firing.disease import DiseaseStreams, Terminal
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.simulation import signs
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.signs import ORDINARY
from neurosim.simulation.simulate import simulate

WEEKS = 26
CALF, SOLE, THUMB = (MUSCLES.index(m) for m in ("calf", "foot_sole", "thumb"))
HEALTHY = {"force": np.ones((2, 6)), "units": np.ones(6)}


def make_diary(counts, hidden=0, group="benign", **clinic):
    """Return a diary with so many twitches of each muscle (by index) in each week."""
    rows = [
        (7.0 * w + 6.9 * (i + 0.5) / n, m, True)
        for m, each in counts.items()
        for w, n in enumerate(each)
        for i in range(n)
    ]
    rows += [(0.5 + i % WEEKS * 7.0, CALF, False) for i in range(hidden)]
    time, muscle, visible = (np.array(c) for c in zip(*sorted(rows), strict=True))
    kind = np.zeros(time.size, int)
    return Diary(group, 0, WEEKS, time, muscle, kind, visible, **{**HEALTHY, **clinic})


def weekly(*parts):
    """Return counts of 26 weeks from (weeks, count) parts."""
    counts = [n for weeks, n in parts for _ in range(weeks)]
    assert len(counts) == WEEKS
    return counts


STEADY, RISING = weekly((26, 5)), list(range(1, 27))
SHUFFLED = np.random.default_rng(3).permutation(RISING).tolist()


def test_a_diary_counts_by_week_and_muscle_what_was_seen():
    diary = make_diary({CALF: RISING, THUMB: STEADY}, hidden=50)
    assert diary.seen()[:, CALF].tolist() == RISING and diary.seen()[:, THUMB].tolist() == STEADY
    assert diary.seen().sum() == sum(RISING) + sum(STEADY)
    assert set(diary.columns()) == {"time_d", "muscle", "kind", "visible"}


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        (STEADY, True),
        (weekly((14, 1), (12, 0)), False),  # it passed
        (weekly((22, 0), (4, 3)), False),  # it is new
        (weekly((10, 0), (1, 1), (14, 0), (1, 1)), True),
        (weekly((15, 0), (1, 1), (9, 0), (1, 1)), False),  # 11 weeks
    ],
)
def test_what_persists(counts, wanted):
    assert signs.persists(make_diary({CALF: counts}).seen()) is wanted
    assert not signs.persists(make_diary({SOLE: counts}).seen())  # it twitches in all
    assert not signs.persists(make_diary({SOLE: STEADY}, hidden=200).seen())


def test_what_spreads():
    grown, same, few = weekly((22, 1), (4, 3)), weekly((26, 3)), weekly((25, 0), (1, 3))
    assert signs.newly_active_muscles(make_diary({CALF: grown, THUMB: same}).seen()).tolist() == [
        m == CALF for m in range(6)
    ]
    assert not signs.spreads(make_diary({CALF: grown, THUMB: same}).seen())
    assert not signs.spreads(make_diary({CALF: grown, THUMB: few}).seen())
    assert not signs.spreads(make_diary({CALF: grown, THUMB: weekly((22, 1), (4, 2))}).seen())
    assert signs.spreads(make_diary({CALF: grown, THUMB: grown}).seen())
    one_root = make_diary({CALF: grown, SOLE: grown})
    assert signs.spreads(one_root.seen()) and not signs.spreads_beyond_a_root(one_root.seen())
    assert signs.spreads_beyond_a_root(make_diary({CALF: grown, THUMB: grown}).seen())
    assert signs.spreads_beyond_a_root(
        make_diary({CALF: grown, MUSCLES.index("eyelid"): grown}).seen()
    )
    with parameters.override("alarms", "spread_muscles", 3.0):
        assert not signs.spreads(make_diary({CALF: grown, THUMB: grown}).seen())


def test_what_gets_worse():
    assert signs.gets_worse(make_diary({CALF: RISING, SOLE: weekly((26, 90))}).seen())
    assert not signs.gets_worse(make_diary({CALF: RISING[::-1]}).seen())
    assert not signs.gets_worse(make_diary({CALF: SHUFFLED}).seen())  # it rises only in order
    assert not signs.gets_worse(make_diary({CALF: weekly((13, 10), (13, 19))}).seen())  # not twice
    assert not signs.gets_worse(
        make_diary({CALF: weekly((22, 1), (3, 1), (1, 12))}).seen()
    )  # one bad week
    with parameters.override("alarms", "progress_ratio", 40.0):
        assert not signs.gets_worse(make_diary({CALF: RISING}).seen())


def test_what_a_clinic_calls_a_loss():
    fell = np.array([[1.0] * 6, [1.0, 1.0, 0.69, 1.0, 1.0, 1.0]])  # exp(-2.5 * 0.1 * 1.414) = 0.70
    assert alarms.shows_weakness(make_diary({CALF: STEADY}, force=fell))
    assert not alarms.shows_weakness(make_diary({CALF: STEADY}, force=np.maximum(fell, 0.71)))
    assert not alarms.shows_weakness(make_diary({CALF: STEADY}, force=fell[::-1]))
    for share, wanted in ((0.53, True), (0.54, False)):  # exp(-2.5 * 0.25) = 0.535
        units = np.array([1.0, share, 1.2, 1.0, 1.0, 1.0])
        assert alarms.shows_lost_units(make_diary({CALF: STEADY}, units=units)) is wanted


# --- Counting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "of"), [(0, 60), (60, 60), (13, 60), (1, 7), (177, 180)])
def test_at_the_ends_of_an_interval_the_count_is_one_in_forty(count, of):
    from scipy.stats import binom

    low, high = Share(count, of).low, Share(count, of).high
    assert low == 0.0 if count == 0 else binom.sf(count - 1, of, low) == pytest.approx(0.025)
    assert high == 1.0 if count == of else binom.cdf(count, of, high) == pytest.approx(0.025)


def test_of_nobody_an_interval_says_nothing():
    assert (Share(0, 0).low, Share(0, 0).high) == (0.0, 1.0)


def counted(ill, well):
    """Return alarms in which so many of (ALS, others) persist."""
    who = [("als", i < ill[0]) for i in range(ill[1])]
    who += [("benign", i < well[0]) for i in range(well[1])]
    diaries = tuple(make_diary({CALF: STEADY}, group=g) for g, _ in who)
    return Alarms(WEEKS, 1, 0, diaries, {"persists": tuple(s for _, s in who)})


def test_sensitivity_specificity_and_likelihood_ratio_by_hand():
    study = counted((30, 40), (6, 60))
    assert (study.sensitivity("persists").value, study.specificity("persists").value) == (0.75, 0.9)
    ratio = study.likelihood_ratio("persists")
    half = 1.96 * np.sqrt(1 / 30 - 1 / 40 + 1 / 6 - 1 / 60)  # Simel, Samsa & Matchar 1991
    assert ratio.value == pytest.approx(0.75 / 0.1)
    assert (ratio.low, ratio.high) == pytest.approx(7.5 * np.exp([-half, half]), rel=1e-4)
    assert study.likelihood_ratio("persists", False).value == pytest.approx(0.25 / 0.9)
    none = counted((10, 40), (0, 60)).likelihood_ratio("persists")
    assert none.value == pytest.approx((10.5 / 41) / (0.5 / 61)) and np.isfinite(none.high)


def test_mistakes_are_one_sentence():
    study = counted((1, 2), (1, 2))
    with pytest.raises(NeurosimError, match="Unknown sign 'persist': did you mean 'persists'"):
        study.sensitivity("persist")
    with pytest.raises(NeurosimError, match="Unknown group 'alz'"):
        study.specificity("persists", "alz")
    for wrong in ({"people": 0}, {"weeks": 3}, {"groups": ("benine",)}):
        with pytest.raises(NeurosimError):
            alarms.run_alarms(**wrong)


# --- Diaries -------------------------------------------------------------------------------------


@pytest.fixture
def steady_blood():
    with (
        parameters.override("alarms", "week_potassium_mmol_l", 0.0),
        parameters.override("alarms", "week_calcium_mmol_l", 0.0),
        parameters.override("alarms", "force_error", 0.0),
        parameters.override("alarms", "units_error", 0.0),
        parameters.override("firing", "site_life_months", 1e9),
    ):
        yield


def test_a_diary_has_what_the_hazard_law_gives_in_the_time_of_looking(steady_blood):
    diary = simulate_diary("benign", 3, WEEKS, 1)
    rate = simulate(Scenario(muscle="foot_sole", duration_s=60.0), person=3).expected_per_min
    expected = rate * WEEKS * 7 * 1.0
    onset_d = diary.time_d[diary.muscle == SOLE]
    assert expected > 200.0
    assert onset_d.size == pytest.approx(expected, abs=5.0 * np.sqrt(expected))
    by_week = np.histogram(onset_d, np.arange(WEEKS + 1) * 7.0)[0]
    assert ((by_week - expected / WEEKS) ** 2).sum() * WEEKS / expected < 70.0  # chi square of 25
    assert set(np.floor(onset_d % 7.0)) == set(range(7))
    assert np.all(
        (onset_d % 1.0 >= 20.0 / 24.0) & (onset_d % 1.0 <= (20.0 + 1.0 / 60.0) / 24.0 + 1e-9)
    )
    assert np.all(np.diff(diary.time_d) >= 0.0)


def test_a_pinched_nerve_twitches_in_its_weeks_and_its_muscles(steady_blood):
    for person in range(2 * EVERYBODY, 2 * EVERYBODY + 40):
        story = draw_story("pinched", WEEKS, person_rng(1, person, 0))
        ill = story.pinched > 0.0
        if story.root == "S1" and 5 < ill.sum() < 20 and story.pinched.max() > 0.4:
            break
    diary = simulate_diary("pinched", person, WEEKS, 1)
    seen = diary.seen()[:, CALF]
    assert seen[ill].min() > 20 > 2 * seen[~ill].max()
    other = [MUSCLES.index(m) for m in ("eyelid", "thumb", "shin", "upper_arm")]
    assert diary.seen()[:, other].sum() < 0.01 * seen.sum()
    assert diary.force[0] == pytest.approx(1.0, abs=1e-3) and diary.units == pytest.approx(1.0)
    with parameters.override("alarms", "pinched_heals", 0.0):
        left = simulate_diary("pinched", person, WEEKS, 1).force[1]
    weak = 1.0 - 0.5 * 0.5 * story.pinched.max() * np.array([0.0, 0.7, 0.6, 0.0, 0.0, 0.0])
    assert left == pytest.approx(weak, abs=1e-3)


def test_als_begins_in_one_muscle_and_takes_units_from_it(steady_blood):
    person = EVERYBODY + 6
    story = draw_story("als", WEEKS, person_rng(1, person, 0))
    begins = (story.als > 0).argmax(axis=0) + WEEKS * ~(story.als > 0).any(axis=0)
    assert np.sort(begins)[0] < np.sort(begins)[1]
    assert np.all(np.diff(story.als, axis=0) >= 0.0)
    diary = simulate_diary("als", person, WEEKS, 1)
    lost = 1.0 - 0.7 * story.als[-1]
    count = np.array([300, 580, 43, 253, 153, 400])
    assert np.all(np.abs(diary.units - lost) <= 4.0 * np.sqrt(lost * (1.0 - lost) / count) + 1e-9)
    assert diary.force[0] == pytest.approx(1.0, abs=1e-3)
    assert diary.force[1][story.als[-1] == 0.0] == pytest.approx(1.0, abs=1e-3)


def test_speed_of_als_is_as_stated():
    with parameters.override("alarms", "als_speed_spread", 0.0):
        story = [
            draw_story("als", 60, np.random.default_rng(i)).als.max(axis=1) for i in range(200)
        ]
    late = np.array([t[30] for t in story])  # none is at 1 yet
    onset = 30.5 - late / 0.025  # uniform within the first 8 weeks
    assert onset.mean() == pytest.approx(4.0, abs=0.8) and -2.1 < onset.min() < onset.max() < 10.1


def test_a_worse_als_keeps_its_sprouts():
    few, many = (
        disease.draw_sprouts(Terminal(sprouts_per_unit=s), 300, DiseaseStreams(1, 4, 0))
        for s in (0.1, 0.4)
    )
    n = few[0].size
    assert 10 < n < many[0].size
    assert np.array_equal(few[0], many[0][:n]) and np.array_equal(few[1], many[1][:n])
    sizes = [
        disease.draw_sprouts(Terminal(sprouts_per_unit=0.1), 300, DiseaseStreams(2, p, 0))[0].size
        for p in range(300)
    ]
    assert np.mean(sizes) == pytest.approx(30.0, abs=4.0 * np.sqrt(30.0 / 300.0))  # Poisson
    assert np.var(sizes) == pytest.approx(30.0, rel=0.35)


def test_people_do_not_depend_on_cores_or_company():
    two = alarms.run_alarms(2, 10, seed=5, groups=("als", "anxiety"), cores=2)
    diary = alarms.run_alarms(1, 10, seed=5, groups=("als",))
    a, b = two.for_group("als")[0], diary.for_group("als")[0]
    assert np.array_equal(a.time_d, b.time_d) and np.array_equal(a.units, b.units)
    assert len(two.rows()) == len(alarms.SIGNS)
    assert "of 2 als, 2 anxiety" in str(two) and set(ORDINARY) < set(MUSCLES)
    assert [d.group for d in two.diaries] == ["als"] * 2 + ["anxiety"] * 2


@pytest.mark.slow
def test_in_the_cohort_persistence_tells_nothing_and_losses_tell_much():
    study = alarms.run_alarms(30, WEEKS, seed=2, cores=2)
    for group in GROUPS:
        assert len(study.for_group(group)) == 30
    assert study.share("persists", "benign").low > 0.8  # 93 % at 24 months (Filippakis 2018)
    worse, weak = (study.specificity(s).value for s in ("gets_worse", "gets_worse_and_weak"))
    assert weak > max(worse, 0.97)
    assert study.sensitivity("gets_worse").value > 1.0 - study.specificity("gets_worse").value


def test_true_alarms_by_counting_people():
    ill, well, shown, false = 1000, 19_000, 0.4, 0.05  # one in 20
    counted = ill * shown / (ill * shown + well * false)
    assert alarms.true_alarm_share(20, shown / false) == pytest.approx(counted)
    for bad in ((1, 2), (20, -1)):
        with pytest.raises(NeurosimError):
            alarms.true_alarm_share(*bad)
