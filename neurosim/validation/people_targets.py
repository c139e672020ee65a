"""Targets on people: who twitches, for how long, and what blood, sleep and a block do to it.

V48 (benign twitching months later), V55 (a sodium-channel blocker in ALS), V77 (the blood of people
whose eyelid twitches), V81 (their sleep), V82 (how alike a patient's rates are through a day).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import parameter
from neurosim.clinic.excitability import examine
from neurosim.model.axon.axon import Conditions
from neurosim.model.body.contributions import contributions
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body
from neurosim.model.firing.event_sites import events_per_min
from neurosim.model.firing.hazard import hazard_table, prefetch_tables, site_rates
from neurosim.model.firing.sites import person_scores
from neurosim.model.muscle.anatomy import muscle
from neurosim.simulation.long_run import seed_and_person
from neurosim.simulation.persistence import follow_up
from neurosim.simulation.replicate import replicate
from neurosim.simulation.scenario import Scenario
from neurosim.simulation.state import state_from_contributions
from neurosim.validation.target import INF, Row

if TYPE_CHECKING:
    from neurosim.model.firing.hazard import HazardTable

PEOPLE, SLEEP_PEOPLE = 40, 400
IONS = {
    "potassium_mmol_l": "V77K",
    "sodium_mmol_l": "V77Na",
    "ionised_calcium_mmol_l": "V77Ca",
    "ionised_magnesium_mmol_l": "V77Mg",
}
CASE_PEOPLE, CASE_SEED = 150, 101
LARGEST_DIFFERENCE_SD = 0.28  # that 103 against 103 people may have and show no difference
ALS_QUARTILES = (10.6, 79.4)  # twitches per minute of the biceps (V39)
LEAST_CASE_PER_MIN = 0.01  # a lid that twitches more rarely is no case: nobody would notice
FILIPPAKIS = "Filippakis 2018, doi 10.1002/mus.26193"


def people_rows() -> list[Row]:
    """Return the rows of V48, V55, V77, V81 and V82."""
    return [*_months_rows(), *_blocker_rows(), *_blood_rows(), *_sleep_rows(), *_day_rows()]


def _months_rows() -> list[Row]:
    """V48: benign twitching after 24 months; the life of a site is fitted on these."""
    after = follow_up()
    where = f"complaint from {parameter('study', 'complaint_per_min'):g}/min, 24 months"
    targets = (
        ("V48", "benign twitching that persists", "share", where, 0.79, 0.99, after.persists,
         "fitted", f"{FILIPPAKIS}: 93 % of 35"),
        ("V48b", "benign twitching that is halved", "share", where, 0.40, 0.62, after.halved,
         "fitted", "reviews: about half of 121 improved after years"),
        ("V48b", "benign twitching that is doubled", "share", where, 0.01, 0.09, after.doubled,
         "fitted", "reviews: 4 % of 121 worse after years"),
    )  # fmt: skip
    return [Row(*target) for target in targets]


def _blocker_rows() -> list[Row]:
    """V55: a sodium-channel blocker in ALS, at the size that the nerve test allows."""
    dose, most = parameter("study", "mexiletine_block"), parameter("study", "mexiletine_block_most")
    ill = Body(als=1.0)

    def time_constant_ms(block: float) -> float:
        state = state_from_contributions(contributions(ill.replace(sodium_channel_blocker=block)))
        return float(examine(state.axon, full=False).tau_sd_ms)

    treated, untreated = _rates(ill.replace(sodium_channel_blocker=most), ill, muscle="upper_arm")
    targets = (
        ("V55a", "change of the time constant with mexiletine", "ms",
         f"ALS, 300 mg a day taken as {dose:g} of the full block", -0.01, INF,
         time_constant_ms(dose) - time_constant_ms(0.0), "measured",
         "Shibuya 2015: +0.04 with it, -0.04 without, SD 0.1 each; not shorter; sign only"),
        ("V55b", "twitch rate with mexiletine", "1",
         f"ALS, upper arm, {most:g} of the full block, the most that V55a allows", 0.5, 1.25,
         float(treated.sum() / untreated.sum()), "measured",
         "Oskarsson 2018, doi 10.1002/mus.26117: unchanged; Shibuya 2015: fewer; width chosen "
         "here"),
    )  # fmt: skip
    return [Row(*target) for target in targets]


def _rates(*bodies: Body, muscle: str, people: int = PEOPLE) -> np.ndarray:
    scenarios = [Scenario(name=f"body {i}", body=b) for i, b in enumerate(bodies)]
    return replicate(scenarios, people, muscle=muscle, duration_s=1.0).expected_per_min


# --- Case-control studies of the eyelid -------------------------------------------------------


@dataclass(frozen=True)
class Bloods:
    """Blood of people, shape (ions, people) each: habitual, on the day, and as measured then."""

    habitual: np.ndarray
    day: np.ndarray
    measured: np.ndarray


def draw_bloods(people: int, seed: int = CASE_SEED) -> Bloods:
    """Return people's blood: they differ, it moves in each of them, and a laboratory errs."""
    rng = np.random.default_rng(seed)
    habitual, day, measured = (np.empty((len(IONS), people)) for _ in range(3))
    for i, name in enumerate(IONS):
        within, between, assay = (
            parameter("variation", f"{part}.{name.removesuffix('_mmol_l')}") / 100.0
            for part in ("within", "between", "assay")
        )
        z = np.clip(rng.standard_normal((3, people)), -2.5, 2.5)
        habitual[i] = FIELDS[name].healthy * (1.0 + between * z[0])
        day[i] = habitual[i] * (1.0 + within * z[1])
        measured[i] = day[i] * (1.0 + assay * z[2])
    return Bloods(habitual, day, measured)


def blood_differences(
    by_day: bool, per_min: float | None = None, people: int = CASE_PEOPLE
) -> tuple[np.ndarray, float]:
    """Return how the blood of people whose lid twitches differs from that of the others.

    Sites are set against the person's habitual blood. A case has a site in a lid that fires
    `per_min` or more; in closed form, so that no lid need be drawn.

    Parameters
    ----------
    by_day : bool
        Whether being a case goes with the blood of the day, otherwise with the habitual one.
    per_min : float, optional
        `case_per_min` of the study if omitted.
    people : int

    Returns
    -------
    (ndarray, float)
        Difference of the measured value in SD, by `IONS`; share of people who are cases.

    Raises
    ------
    NeurosimError
        If a case would be a lid that nobody sees twitch.
    """
    per_min = parameter("study", "case_per_min") if per_min is None else per_min
    if per_min < LEAST_CASE_PER_MIN:
        raise NeurosimError(
            f"per_min = {per_min:g} is too rare for a case: a study asks people whose lid twitches,"
            f" so at least {LEAST_CASE_PER_MIN:g} a minute; silent lids are no cases."
        )
    bloods = draw_bloods(people)
    expected = np.array([_expected_sites(bloods, p, by_day, per_min) for p in range(people)])
    weight = _some_site(expected)
    z = bloods.measured - bloods.measured.mean(axis=1, keepdims=True)
    z /= bloods.measured.std(axis=1, keepdims=True)
    cases = (z * weight).sum(axis=1) / weight.sum()
    others = (z * (1.0 - weight)).sum(axis=1) / (1.0 - weight).sum()
    return cases - others, float(weight.mean())


def _blood_axon(values: np.ndarray) -> Conditions:
    body = Body(**dict(zip(IONS, map(float, values), strict=True)))
    return state_from_contributions(contributions(body)).axon


def _expected_sites(bloods: Bloods, person: int, by_day: bool, per_min: float) -> float:
    """Return the mean number of sites of a lid of average density that fire `per_min` or more."""
    scores = person_scores(*seed_and_person(person, CASE_SEED))
    usual = _blood_axon(bloods.habitual[:, person])
    now = _blood_axon(bloods.day[:, person]) if by_day else usual
    prefetch_tables([Conditions(), usual, now], "ghk", scores)
    habitual, table = (hazard_table(c, "ghk", scores) for c in (usual, now))
    share, size = parameter("firing", "event_share"), parameter("firing", "event_size")
    ratio = table.threshold_ratio[0] / habitual.threshold_ratio[0]
    events = np.exp(-ratio / (size * np.log(events_per_min() / per_min)))
    excess = _excess_at(table, habitual.critical_multiplier, per_min)
    channels = np.exp(-excess / parameter("firing", "rogue_tail"))
    units = muscle("eyelid").units * parameter("firing", "rogues_per_unit_ordinary")
    return float(units * (share * events + (1.0 - share) * channels))


def _excess_at(table: HazardTable, critical_multiplier: float, per_min: float) -> float:
    """Return the excess of a channel site that fires `per_min`, in units of the critical one."""
    excess = np.linspace(0.05, 3.0, 600)
    rates = site_rates(table, 1.0 + excess * (critical_multiplier - 1.0))[:, 0]
    log = np.maximum.accumulate(np.log(rates)) + 1e-9 * excess
    return float(np.interp(float(np.log(per_min)), log, excess))


def _some_site(expected: np.ndarray) -> np.ndarray:
    """Return the chance of any such site, over how much people differ in their number."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    own = np.exp(parameter("firing", "rogue_person_spread_ordinary") * nodes)
    return 1.0 - np.exp(-expected[:, None] * own) @ (weights / weights.sum())


def _blood_rows() -> list[Row]:
    """V77: 103 people whose eyelid twitches for weeks against 103 others; no ion differed."""
    rows: list[Row] = []
    for by_day, status in ((False, "habitual blood"), (True, "the blood of the day")):
        difference, share = blood_differences(by_day)
        where = f"lids that twitch ({100 * share:.1f} %), by {status}"
        source = "Gunes 2024, doi 10.7759/cureus.69249: none of 103 against 103; Kim 2021 the same"
        for (name, target), d in zip(IONS.items(), difference, strict=True):
            quantity = f"difference of {FIELDS[name].label}"
            limits = (-LARGEST_DIFFERENCE_SD, LARGEST_DIFFERENCE_SD)
            rows.append(Row(target, quantity, "SD", where, *limits, float(d), "measured", source))
    return rows


def _sleep_rows() -> list[Row]:
    """V81: poor sleep is more common in people whose eyelid twitches."""
    tired, rested = _rates(Body(sleep_debt_h=8.0), Body(), muscle="eyelid", people=SLEEP_PEOPLE)
    case = rested >= LEAST_CASE_PER_MIN
    where = f"8 h of sleep lost, the {case.sum()} of {SLEEP_PEOPLE} lids that twitch, together"
    source = "Kim 2021 Korean J Health Promot 21:129: who twitches sleeps worse; sign only"
    least, ratio = parameter("study", "smallest_ratio"), tired[case].sum() / rested[case].sum()
    quantity = "eyelid twitches against health"
    return [Row("V81", quantity, "1", where, least, INF, float(ratio), "measured", source)]


# --- A patient's day --------------------------------------------------------------------------


def day_consistency(people: int = PEOPLE) -> float:
    """Return the intraclass correlation of ln rate in ALS through a day, at most.

    Upper arms with ALS while potassium and calcium move as they do within a person, and nothing
    else moves: b^2 / (b^2 + within^2), b the published spread between patients (`ALS_QUARTILES`).
    """
    ill = Body(als=1.0)
    names = ("potassium_mmol_l", "ionised_calcium_mmol_l")
    bodies = [ill]
    for name in names:
        sd = (
            FIELDS[name].healthy
            * parameter("variation", f"within.{name.removesuffix('_mmol_l')}")
            / 100.0
        )
        bodies += [ill.replace(**{name: FIELDS[name].healthy + sign * sd}) for sign in (-1.0, 1.0)]
    rates = np.log(np.maximum(_rates(*bodies, muscle="upper_arm", people=people), 1e-5))
    within = np.mean([((rates[i + 1] - rates[i]) / 2.0) ** 2 for i in (1, 3)], axis=1).sum()
    low, high = ALS_QUARTILES
    between = (np.log(high / low) / 1.349) ** 2  # the quartiles of a normal are 1.349 SD apart
    return float(between / (between + within))


def _day_rows() -> list[Row]:
    """V82: three recordings in one day."""
    where = f"ALS, upper arm, {PEOPLE} people; potassium and calcium of a day"
    source = "Bashford 2020, doi 10.1002/mus.26864: 0.95 of 19 muscles; Fisher interval; ceiling"
    quantity = "intraclass correlation of a day, at most"
    return [Row("V82", quantity, "1", where, 0.89, 1.0, day_consistency(), "measured", source)]
