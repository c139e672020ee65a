"""Studies of the twitching eyelid, simulated: causes, cases and controls, students before exams.

All of it stands on a hypothesis, the motor neuron of `neurosim.model.soma.facial`, and on how many
people have one near its edge, which is assumed. Episodes come by its fitted law of onset.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.body.state import Body
from neurosim.model.soma import facial
from neurosim.simulation.scenario import Scenario, load_scenario
from neurosim.simulation.state import tissue_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neurosim.model.soma.soma import SomaConditions

CLAIMED = ("stress", "caffeine", "sleep_loss", "fatigue")  # in everyday advice
WAKING_H = 16.0  # of a day: asleep, nobody sees a lid
IONS = (
    "sodium_mmol_l", "potassium_mmol_l", "ionised_calcium_mmol_l", "ionised_magnesium_mmol_l",
)  # fmt: skip
# Standard deviations between healthy people, assumed: hours of sleep, and tiredness.
SLEEP_DEBT_SD_H, TIREDNESS_SD, TIREDNESS_BY_SLEEP = 1.5, 0.25, 0.5


def onset_of(body: Body, local_tone_mv: float | None = None) -> float:
    """Return how many episodes begin in an hour of silence of a prone lid in a body."""
    tone_mv = parameter("facial", "prone_tone_mv") if local_tone_mv is None else local_tone_mv
    return float(facial.onset_per_h(prone_conditions(body), tone_mv))


def prone_conditions(body: Body) -> SomaConditions:
    """Return what a body makes of a prone lid's motor neuron."""
    return tissue_state(Scenario(body=body.replace(eyelid_proneness=1.0), muscle="eyelid")).facial


def onset_factors(names: Sequence[str] = CLAIMED, *, mild: bool = False) -> dict[str, float]:
    """Return the factor of each cause on the episodes per hour of a prone lid.

    Parameters
    ----------
    names : sequence of str
        Scenarios of the catalogue; those of everyday advice by default.
    mild : bool
        Whether each is taken at its mild size.

    Returns
    -------
    dict
        By name; 1 changes nothing. The signs follow from the membrane, but for sleep and tiredness;
        the sizes are assumed (`facial.toml`).

    Raises
    ------
    NeurosimError
        For a scenario that does not exist.

    Examples
    --------
    >>> onset_factors(["low_magnesium"])["low_magnesium"] < onset_factors()["stress"]
    True
    """
    healthy = onset_of(Body())
    bodies = {n: load_scenario(f"{n}_mild" if mild else n).body for n in names}
    return {name: onset_of(body) / healthy for name, body in bodies.items()}


@dataclass(frozen=True, eq=False)
class People:
    """People drawn for a study; every column of shape (people,).

    Attributes
    ----------
    columns : dict of ndarray
        Blood ions in their unit; ``sleep_debt_h``, ``tiredness`` (0 to 1).
    log_onset : ndarray
        ln of the episodes that begin in an hour of silence.
    tone_mv : ndarray
        Tone with all that acts on it.
    """

    columns: Mapping[str, np.ndarray]
    log_onset: np.ndarray
    tone_mv: np.ndarray


def blood_sd(ion: str) -> float:
    """Return the standard deviation of an ion in the blood of healthy people on some day, mmol/L.

    People differ, and each of them from day to day; the laboratory's error is not in it.
    """
    name = ion.removesuffix("_mmol_l")
    within, between = (parameter("variation", f"{part}.{name}") for part in ("within", "between"))
    return getattr(Body(), ion) * math.hypot(within, between) / 100.0


def draw_people(people: int, rng: np.random.Generator, ion_share: float | None = None) -> People:
    """Return people of a population in an ordinary week.

    Parameters
    ----------
    people : int
    rng : numpy.random.Generator
    ion_share : float, optional
        Share of a change of the blood that reaches the motor neuron, in place of the model's.
    """
    normal = rng.standard_normal((len(IONS) + 3, people))
    columns: dict[str, np.ndarray] = {}
    tone = parameter("facial", "tone_mean_mv") + parameter("facial", "tone_sd_mv") * normal[-1]
    usual = parameter("body", "csf_transfer") * parameter("facial", "ion_share")
    scale = 1.0 if ion_share is None else ion_share / usual
    lifted = np.zeros(people)
    for name, z in zip(IONS, normal, strict=False):
        sd = blood_sd(name)
        columns[name] = getattr(Body(), name) + sd * z
        lifted += scale * _lift_mv(name, sd) * z
    columns["sleep_debt_h"] = np.maximum(SLEEP_DEBT_SD_H * normal[-2], 0.0)
    r = TIREDNESS_BY_SLEEP
    columns["tiredness"] = np.clip(
        0.3 + TIREDNESS_SD * (r * normal[-2] + np.sqrt(1.0 - r * r) * normal[-3]), 0.0, 1.0
    )
    lifted += parameter("facial", "onset_noise_mv") * (_noise_of(columns) - 1.0)
    healthy = tissue_state(Scenario()).facial
    return People(columns, np.log(facial.onset_per_h(healthy, tone + lifted)), tone + lifted)


def _lift_mv(ion: str, more: float) -> float:
    """Return by how much more of an ion in the blood lifts the motor neuron to its threshold."""
    return facial.lift_mv(prone_conditions(Body(**{ion: getattr(Body(), ion) + more})))


def _noise_of(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the scale of synaptic noise of people who are tired and short of sleep."""
    late = 1.0 - np.exp(-columns["sleep_debt_h"] / parameter("body", "sleep_debt_half_h"))
    sleep = parameter("facial", "sleep_share") * parameter("body", "sleep_noise_rise") * late
    return (1.0 + sleep) * (
        1.0 + parameter("facial", "tiredness_noise_rise") * columns["tiredness"]
    )


def case_control(
    cases: int, controls: int, *, repeats: int, seed: int, ion_share: float | None = None
) -> dict[str, float]:
    """Return how often a study of twitching lids finds each difference, P < .05, by column.

    A case is one with an episode a day or more; a control has fewer than one in a month. Welch's
    test, as studies of two groups use.

    Parameters
    ----------
    cases, controls : int
        How many of each a study has, such as 103 and 103.
    repeats : int
        Studies.
    seed : int
    ion_share : float, optional
        As in `draw_people`.
    """
    from scipy.stats import ttest_ind  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] scipy has no types

    rng = np.random.default_rng(seed)
    by_column: dict[str, list[float]] = {}
    for _ in range(repeats):
        ill, well = _draw_groups(cases, controls, rng, ion_share)
        for name, values in ill.items():
            p = cast("tuple[float, float]", ttest_ind(values, well[name], equal_var=False))[1]
            by_column.setdefault(name, []).append(p)
    return {name: float(np.mean(np.array(p) < 0.05)) for name, p in by_column.items()}


def _draw_groups(
    cases: int, controls: int, rng: np.random.Generator, ion_share: float | None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the columns of the first cases and controls that a population holds."""
    groups: tuple[list[dict[str, np.ndarray]], ...] = ([], [])
    while any(
        sum(c["tiredness"].size for c in group) < enough
        for group, enough in zip(groups, (cases, controls), strict=True)
    ):
        drawn = draw_people(4000, rng, ion_share)
        a_day = np.exp(drawn.log_onset) * WAKING_H
        for group, which in zip(groups, (a_day >= 1.0, a_day < 1.0 / 30.0), strict=True):
            group.append({name: column[which] for name, column in drawn.columns.items()})
    ill, well = (
        {name: np.concatenate([c[name] for c in group])[:n] for name in group[0]}
        for group, n in zip(groups, (cases, controls), strict=True)
    )
    return ill, well


def exam_week(
    people: int = 20_000, *, seed: int, stress: float = 0.5, sleep_debt_h: float = 2.0
) -> tuple[float, float]:
    """Return the share of students with an episode in an ordinary and in an exam week.

    Parameters
    ----------
    people : int
    seed : int
    stress, sleep_debt_h : float
        Of the exam week, over what people have anyway, with two cups of coffee.
    """
    drawn = draw_people(people, np.random.default_rng(seed))
    week = Body(stress=stress, sleep_debt_h=sleep_debt_h, cups_of_coffee=2.0)
    shares: list[float] = []
    for body in (Body(), week):
        per_h = facial.onset_per_h(prone_conditions(body), drawn.tone_mv)
        shares.append(float(-np.expm1(-7.0 * WAKING_H * per_h).mean()))
    return shares[0], shares[1]
