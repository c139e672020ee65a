"""Weeks of one person's six muscles: what they see twitch, and what a clinic measures.

A week has a body for every muscle: blood that is a little off in everyone, ALS that begins in one
muscle and reaches others, a pinched root that comes and may go, bouts of over-breathing. Twitches
follow from it as in any run; a diary has those that come while somebody looks. What is stated
of the weeks is in ``alarms.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.axon.axon import Conditions
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body
from neurosim.model.firing.hazard import prefetch_tables
from neurosim.model.firing.sites import (
    DAY_S,
    ROGUE,
    Sites,
    draw_sites,
    person_scores,
    person_streams,
)
from neurosim.model.muscle.anatomy import MUSCLES, muscle, muscle_roots
from neurosim.model.muscle.events import KINDS
from neurosim.simulation.person_run import long_lived, person_sites, simulate_person, sites_in_state
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.signs import ORDINARY
from neurosim.simulation.state import TissueState, constant_trajectory, strength, tissue_state

GROUPS = ("benign", "als", "pinched", "anxiety")
ROOTS = ("S1", "L5", "C6", "C8")
EVERYBODY = 1_000_000  # people of one group are numbered apart from those of the next
ALS_STEPS = 10  # severities are rounded to a tenth, so that weeks share their membranes
NEARLY_ROGUE = 0.8  # of the margin: a site short of it misfires less than once in ten hours
# One ion is off by so many SDs a week: variances as if both always were off by one.
OFF_SCALE = np.sqrt(2.0)


@dataclass(frozen=True)
class Story:
    """What happens to one person over the weeks.

    Attributes
    ----------
    als : ndarray, shape (weeks, muscles)
    pinched, anxious : ndarray, shape (weeks,)
        `pinched_nerve` of the body; share of the looking that falls into a bout of over-breathing.
    root : str
    """

    als: np.ndarray
    pinched: np.ndarray
    anxious: np.ndarray
    root: str = "S1"


@dataclass(frozen=True, eq=False)
class Diary:
    """One person's weeks.

    Attributes
    ----------
    group : str
        One of `GROUPS`.
    person, weeks : int
    time_d : ndarray, shape (n,)
        When each twitch came, days since the diary began, rising.
    muscle, kind : ndarray of int, shape (n,)
        Index into `MUSCLES` and `KINDS`.
    visible : ndarray of bool, shape (n,)
        Whether it could be seen.
    force : ndarray, shape (2, muscles)
        Largest force as measured at the first and the last visit, against health.
    units : ndarray, shape (muscles,)
        Number of motor units as estimated at the last visit, against the mean of healthy people.
    """

    group: str
    person: int
    weeks: int
    time_d: np.ndarray
    muscle: np.ndarray
    kind: np.ndarray
    visible: np.ndarray
    force: np.ndarray = field(repr=False)
    units: np.ndarray = field(repr=False)

    def columns(self) -> dict[str, np.ndarray]:
        """Return the twitches as columns for a table, names in words."""
        return {
            "time_d": self.time_d,
            "muscle": np.array(MUSCLES)[self.muscle],
            "kind": np.array(KINDS)[self.kind],
            "visible": self.visible,
        }

    def seen(self) -> np.ndarray:
        """Return how many twitches were seen, shape (weeks, muscles)."""
        week = (self.time_d[self.visible] / 7.0).astype(int)
        table = np.zeros((self.weeks, len(MUSCLES)), np.int64)
        np.add.at(table, (week, self.muscle[self.visible]), 1)
        return table


def person_rng(seed: int, person: int, *key: int) -> np.random.Generator:
    """Return a generator of one person's weeks, apart from all that `firing` draws."""
    path = (40, *key)  # 0 to 3: `firing`
    return np.random.default_rng(np.random.SeedSequence([seed, person], spawn_key=path))


def _param(name: str) -> float:
    return parameter("alarms", name)


def draw_story(group: str, weeks: int, rng: np.random.Generator) -> Story:
    """Return what happens to somebody of a group."""
    als, quiet = np.zeros((weeks, len(MUSCLES))), np.zeros(weeks)
    week = np.arange(weeks) + 0.5
    onset = rng.random() * _param("onset_weeks")
    if group == "als":
        speed = _param("als_speed") * np.exp(_param("als_speed_spread") * rng.standard_normal())
        delays = np.cumsum(rng.exponential(_param("als_spread_weeks"), len(MUSCLES) - 1))
        begins = onset + np.concatenate([[0.0], delays])[rng.permutation(len(MUSCLES))]
        als = np.clip(speed * (week[:, None] - begins), 0.0, 1.0)
        return Story((als * ALS_STEPS).round() / ALS_STEPS, quiet, quiet)
    if group == "pinched":
        share = np.array([_param(f"pinched_root_{root}") for root in ROOTS])
        root = ROOTS[rng.choice(len(ROOTS), p=share / share.sum())]
        worst = rng.uniform(_param("pinched_least"), _param("pinched_most"))
        lasts = rng.exponential(_param("pinched_heals_weeks"))
        lasts = lasts if rng.random() < _param("pinched_heals") else np.inf
        ill = (week > onset) & (week < onset + lasts)
        healing = week > onset + 2.0 / 3.0 * lasts
        return Story(als, worst * ill * np.where(healing, 0.5, 1.0), quiet, root)
    if group == "anxiety":
        bouts = (rng.random(weeks) < _param("anxious_weeks")) & (week > onset)
        return Story(als, quiet, bouts * _param("anxious_looking"))
    return Story(als, quiet, quiet)


def _draw_bloods(weeks: int, rng: np.random.Generator) -> list[dict[str, float]]:
    """Return what is off in the blood each week: one ion, up or down."""
    names = ("potassium_mmol_l", "ionised_calcium_mmol_l")
    off = [_param("week_potassium_mmol_l"), _param("week_calcium_mmol_l")]
    which, sign = rng.integers(0, 2, weeks), rng.choice([-1.0, 1.0], weeks)
    return [
        {names[i]: FIELDS[names[i]].healthy + s * OFF_SCALE * off[i]}
        for i, s in zip(which, sign, strict=True)
    ]


def _look_shares(story: Story, bloods: list[dict[str, float]], m: int) -> dict[Body, np.ndarray]:
    """Return how much of each week's looking at a muscle meets which body, shape (weeks,) each."""
    shares: dict[Body, np.ndarray] = {}
    reached = story.root in muscle_roots(MUSCLES[m])
    for w, blood in enumerate(bloods):
        body = Body(**blood, als=story.als[w, m], pinched_nerve=story.pinched[w] * reached)
        bout = story.anxious[w]
        for looked_at, share in (
            (body, 1.0 - bout),
            (hyperventilate(body) if bout else body, bout),
        ):
            if share:
                shares.setdefault(looked_at, np.zeros(len(bloods)))[w] += share
    return shares


def hyperventilate(body: Body) -> Body:
    """Return a body in a bout of over-breathing."""
    return body.replace(anxiety=_param("anxiety_level"))


def simulate_diary(group: str, person: int, weeks: int, seed: int) -> Diary:
    """Return the weeks of one person of a group.

    Parameters
    ----------
    group : str
        One of `GROUPS`.
    person : int
        Number of the person within the seed.
    weeks : int
    seed : int
    """
    rng = person_rng(seed, person, 0)
    story, bloods = draw_story(group, weeks, rng), _draw_bloods(weeks, rng)
    plans = [_look_shares(story, bloods, m) for m in range(len(MUSCLES))]
    scenario = Scenario(seed=seed, root=story.root)
    states = {
        (m, body): tissue_state(scenario.replace(muscle=name, body=body))
        for m, name in enumerate(MUSCLES)
        for body in plans[m]
    }
    scores = person_scores(seed, person)
    prefetch_tables([Conditions(), *(s.axon for s in states.values())], scenario.axon, scores)
    rows: list[np.ndarray] = []
    strengths: list[list[tuple[float, float]]] = []
    for m, name in enumerate(MUSCLES):
        in_muscle = {body: state for (index, body), state in states.items() if index == m}
        twitches, visits = _muscle_weeks(scenario.replace(muscle=name), person, plans[m], in_muscle)
        rows += twitches
        strengths.append(visits)
    table = np.concatenate(rows, axis=1)
    time, m, kind, visible = table[:, np.argsort(table[0], kind="stable")]
    force, units = _measure_visits(np.array(strengths), person_rng(seed, person, 2))
    return Diary(
        group, person, weeks, time, m.astype(int), kind.astype(int), visible > 0.0, force, units
    )


def _muscle_weeks(
    scenario: Scenario,
    person: int,
    plan: dict[Body, np.ndarray],
    states: dict[Body, TissueState],
) -> tuple[list[np.ndarray], list[tuple[float, float]]]:
    """Return one muscle's twitches, an array for each body, and its strength at both visits."""
    seed, m = scenario.seed, MUSCLES.index(scenario.muscle)
    weeks = next(iter(plan.values())).size
    healthy, _ = person_sites(scenario, person)
    healthy = long_lived(healthy, scenario, person, weeks * 7.0 * DAY_S)
    sites: dict[Body, Sites] = {}
    rows: list[np.ndarray] = []
    for i, (body, share) in enumerate(plan.items()):
        sites[body] = sites_in_state(states[body], healthy, scenario, person)
        rng = person_rng(seed, person, 1, m, i)
        rows.append(_looked_at_twitches(states[body], sites[body], scenario, person, share, rng))
    visits = (_body_at(plan, week) for week in (0, weeks - 1))
    return rows, [strength(states[body], sites[body], scenario.muscle) for body in visits]


def _body_at(plan: dict[Body, np.ndarray], week: int) -> Body:
    """Return the body that most of a week's looking met."""
    return max(plan, key=lambda body: plan[body][week])


def _looked_at_twitches(
    state: TissueState,
    sites: Sites,
    scenario: Scenario,
    person: int,
    share: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return rows (time in days, muscle, kind, visible) of one muscle while its body is the same.

    All looking that meets this body is one stretch of time, cut up over the evenings after.
    """
    look_s = _param("looking_min") * 60.0
    ends = np.cumsum(share * 7.0 * look_s)
    stretch = scenario.replace(duration_s=max(float(ends[-1]), 1.0))
    sites = _lives_within(sites, ends)
    twitches = simulate_person(
        constant_trajectory(state), sites, stretch, person, rng, named=False
    ).twitches
    onset_s = np.clip(twitches.onset_s, 0.0, ends[-1] * (1.0 - 1e-12))
    week = np.searchsorted(ends, onset_s, side="right")
    part = (onset_s - (ends - share * 7.0 * look_s)[week]) / (share[week] * look_s)  # days' looking
    day = np.minimum(part.astype(int), 6)
    evening = (20.0 + (part - day) * share[week] * look_s / 3600.0) / 24.0
    kind = [KINDS.index(k) for k in twitches.kind]
    m = np.full(onset_s.size, MUSCLES.index(scenario.muscle))
    return np.array([7.0 * week + day + evening, m, kind, twitches.visible], float)


def _lives_within(sites: Sites, ends_s: np.ndarray) -> Sites:
    """Return sites with their lives told in time of looking, of which week `w` ends at `ends_s`."""
    edges, looked = np.arange(ends_s.size + 1) * 7.0 * DAY_S, np.concatenate([[0.0], ends_s])
    born = np.interp(sites.born_s, edges, looked, left=-np.inf)
    gone = np.interp(sites.gone_s, edges, looked, right=np.inf)
    return replace(sites, born_s=born, gone_s=gone)


def _measure_visits(true: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return force (2, muscles) and units (muscles,) as measured from (muscles, 2, 2) true ones."""
    error = rng.standard_normal((3, len(MUSCLES)))
    force = true[:, :, 0].T * np.exp(_param("force_error") * error[:2])
    return force, true[:, 1, 1] * np.exp(_param("units_error") * error[2])


def twitches_at_a_look(person: int, seed: int) -> bool:
    """Return whether a healthy person's twitch is seen at one look at each muscle but the sole.

    Whose sites are all far from misfiring is not looked at.
    """
    if not any(_has_nearly_rogue_site(person, seed, name) for name in ORDINARY):
        return False
    for name in ORDINARY:
        scenario = Scenario(seed=seed, muscle=name, duration_s=_param("benign_look_min") * 60.0)
        state = tissue_state(scenario)
        sites, _ = person_sites(scenario, person)
        rng = person_rng(seed, person, 3, MUSCLES.index(name))
        twitches = simulate_person(
            constant_trajectory(state), sites, scenario, person, rng, named=False
        ).twitches
        if twitches.visible.any():
            return True
    return False


def _has_nearly_rogue_site(person: int, seed: int, name: str) -> bool:
    """Return whether a muscle has a rogue site near its person's margin (`NEARLY_ROGUE`)."""
    m = muscle(name)
    deviates, rng, _ = person_streams(seed, person, MUSCLES.index(name))
    sites = draw_sites(m.units, m.site_class, 2.0, deviates, rng)  # by margins of 1, whoever it is
    return bool((sites.sodium_multiplier[sites.origin == ROGUE] > 1.0 + NEARLY_ROGUE).any())
