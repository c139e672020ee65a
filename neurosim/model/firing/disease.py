"""Effects of disease on one person's muscle: lost units, sprouts, lesions, bursts and cramps.

Sprouts (ALS) are sites like others, a share of them driven by events; injured axons (a pinched
nerve) are channel sites, by their excess of sodium channels. Three sources are separate from both
laws, because a single node cannot generate them: the multiplets of Isaacs' syndrome, distilled
from direct runs of a chain of nodes; plateaus of the motoneuron pool (a cramp); and myokymia, an
empirical rule (`neurosim.model.firing.bursts`).
Nothing here is drawn in a body without the disease.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.firing.bursts import (
    draw_rhythm,
    isaacs_bursts,
    sample_multiplets,
    sample_myokymia,
)
from neurosim.model.firing.discharge import Firing, firing_from_rows
from neurosim.model.firing.sites import LESION, ROGUE, SOMA, Sites, split_rogues
from neurosim.model.soma import cramp, facial, trains

if TYPE_CHECKING:
    from neurosim.model.axon.axon import Conditions
    from neurosim.model.soma.cramp import Cramping
    from neurosim.model.soma.soma import SomaConditions

# Least time from one multiplet of an ending to its next, longer than any multiplet. If they come
# more often than twice a second, it is half of their mean interval.
PAUSE_S = 0.25
LEAST_PER_MIN = 1e-6  # a lower rate of multiplets counts as none


@dataclass(frozen=True)
class Terminal:
    """Axon terminals: their remaining fast potassium channels, and the number of each kind.

    `exposed_per_unit` endings have lost channels. `sprouts_per_unit` endings are new and
    hyperexcitable: their mean excess of persistent sodium is `sprout_sodium_excess` times that at
    which the healthy axon misfires once a minute, or, if 0, that of any other ending.
    """

    fast_potassium_scale: float = 1.0
    exposed_per_unit: float = 0.0
    sprouts_per_unit: float = 0.0
    sprout_sodium_excess: float = 0.0


@dataclass(frozen=True)
class Lesion:
    """A lesion in the trunk of the nerve.

    A share `axons_share` of the axons runs through it. Their mean excess of persistent sodium
    there is `sodium_excess` times that at which the healthy axon misfires once a minute; a share
    `myokymic_share` of them fires in myokymic bursts.
    """

    axons_share: float = 0.0
    sodium_excess: float = 0.0
    myokymic_share: float = 0.0


@dataclass(frozen=True)
class DiseaseStreams:
    """Random streams of one person's disease in one muscle, separate from all healthy ones.

    In each `part` of a body's time, endings are the same but their multiplets are drawn anew.
    """

    seed: int
    person: int
    muscle_index: int
    part: int = 0
    NAMES = ("lost", "sprouts", "lesion", "endings", "myokymia", "units", "pool", "lid")

    def sequence(self, name: str, *key: int) -> np.random.SeedSequence:
        """Return the seed of one use, one of `NAMES`; the same at every call."""
        path = (3, self.muscle_index, self.NAMES.index(name), *key)  # 0 to 2 are used in `sites`
        return np.random.SeedSequence([self.seed, self.person], spawn_key=path)

    def rng(self, name: str, *key: int) -> np.random.Generator:
        """Return a new generator for one use."""
        return np.random.default_rng(self.sequence(name, *key))


# --- Sites -----------------------------------------------------------------------------------


def draw_lesion(lesion: Lesion, units: int, streams: DiseaseStreams):
    """Return masks of units in the lesion and of myokymic ones, and the excess of sodium.

    Each has shape (units,); the excess of persistent sodium is relative to that at which the
    healthy axon misfires once a minute. Units injured by a mild lesion are also in a worse one.
    """
    rng = streams.rng("lesion")
    inside = rng.random(units) < lesion.axons_share
    myokymic = inside & (rng.random(units) < lesion.myokymic_share)
    return inside, myokymic, lesion.sodium_excess * rng.standard_exponential(units)


def draw_sprouts(
    terminal: Terminal, units: int, streams: DiseaseStreams
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the unit of each sprout, its readiness (`sites.split_rogues`), and a uniform deviate.

    Their number is Poisson; with a larger mean, the sprouts of a smaller one stay.
    """
    mean = terminal.sprouts_per_unit * units
    enough = int(mean + 10.0 * mean**0.5 + 20.0)
    count = np.searchsorted(np.cumsum(streams.rng("sprouts").standard_exponential(enough)), mean)
    unit = streams.rng("sprouts", 1).integers(0, units, count)
    if terminal.sprout_sodium_excess:
        more = terminal.sprout_sodium_excess / parameter("firing", "rogue_tail")
    else:
        more = parameter("firing", "sprout_readiness")
    readiness = more * streams.rng("sprouts", 2).standard_exponential(count)
    return unit, readiness, streams.rng("sprouts", 3).random(count)


def diseased_sites(
    sites: Sites,
    units_scale: float,
    terminal: Terminal,
    lesion: Lesion,
    critical_nu: float,
    streams: DiseaseStreams,
) -> Sites:
    """Return a muscle's sites without those of lost units, with sprouts and lesions.

    Parameters
    ----------
    sites : Sites
        The person's sites in health.
    units_scale : float
        Share of motor units that live; units lost early stay lost later.
    terminal : Terminal
    lesion : Lesion
    critical_nu : float
        The nu by which sites are measured (`hazard.critical_multiplier`).
    streams : DiseaseStreams
    """
    n = sites.units
    living = streams.rng("lost").random(n) < units_scale
    sprout, readiness, uniform = draw_sprouts(terminal, n, streams)
    sprout_nu, sprout_size = split_rogues(readiness, uniform, critical_nu)
    inside, _, excess = draw_lesion(lesion, n, streams)
    unit = np.concatenate([sprout, np.flatnonzero(inside)])
    injured_nu = 1.0 + excess[inside] * (critical_nu - 1.0)
    new = Sites(
        np.concatenate([sprout_nu, injured_nu]),
        unit,
        np.repeat([ROGUE, LESION], [sprout.size, injured_nu.size]),
        n,
        np.concatenate([sprout_size, np.zeros(injured_nu.size)]),
    )
    all_sites = sites.joined(new)
    return all_sites.take(np.flatnonzero(living[all_sites.unit]), alive=living)


# --- Sources beside the hazard law ---------------------------------------------------------------


def _firing_rows(
    time_s: np.ndarray, unit: int | np.ndarray, origin: int, place: float | np.ndarray
) -> np.ndarray:
    """Return rows for `firing_from_rows`; these discharges carry no sodium load."""
    return np.stack(np.broadcast_arrays(time_s, unit, float(origin), place, 0.0))


def _join_rows(parts: list[np.ndarray], duration_s: float, process: str) -> Firing:
    rows = np.concatenate([np.empty((5, 0)), *parts], axis=1)
    return firing_from_rows(rows[:, rows[0] < duration_s], duration_s, process)


def fire_multiplets(
    terminal: Terminal,
    living: np.ndarray,
    axon: str,
    duration_s: float,
    streams: DiseaseStreams,
    body: Conditions | None = None,
) -> tuple[Firing, float]:
    """Return the discharges of endings without fast potassium channels, and multiplets per minute.

    Intervals between starts are exponential beyond the shortest; bursts are those of the chain in
    that `body` (`bursts.isaacs_bursts`), at a constant rate. For axon ``"alternative"``, of which
    no chain was simulated, the chain of ``"ghk"`` is used. Endings are the same in each part of a
    body's time (`DiseaseStreams.part`); their multiplets are drawn anew.

    Parameters
    ----------
    terminal : Terminal
    living : ndarray of bool, shape (units,)
    axon : str
    duration_s : float
    streams : DiseaseStreams
    body : Conditions, optional
        Fluids and channels of all axons; healthy if omitted.
    """
    chain = "ohmic" if axon == "ohmic" else "ghk"
    per_min, table = isaacs_bursts(terminal.fast_potassium_scale, chain, body)
    rng = streams.rng("endings")
    units = rng.integers(0, living.size, rng.poisson(terminal.exposed_per_unit * living.size))
    parts: list[np.ndarray] = []
    for i in np.flatnonzero(living[units]):
        rng_of_ending = streams.rng("endings", int(i), *([streams.part] if streams.part else []))
        starts = (
            _multiplet_starts(60.0 / per_min, duration_s, rng_of_ending)
            if per_min > LEAST_PER_MIN
            else np.empty(0)
        )
        time, place = sample_multiplets(table, starts, rng_of_ending)
        parts.append(_firing_rows(time, int(units[i]), ROGUE, place))
    return _join_rows(parts, duration_s, "neuromyotonia"), per_min * len(parts)


def _multiplet_starts(mean_gap_s: float, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Return the start times (s) of one ending's multiplets: a stationary renewal process."""
    expected, pause = duration_s / mean_gap_s, min(PAUSE_S, 0.5 * mean_gap_s)
    gaps = pause + rng.exponential(mean_gap_s - pause, int(expected + 10 * expected**0.5 + 20))
    in_pause = rng.random() < pause / mean_gap_s
    gaps[0] -= pause * (rng.random() if in_pause else 1.0)  # the rest of the gap that spans time 0
    starts = np.cumsum(gaps)
    return starts[starts < duration_s]


def fire_myokymia(
    lesion: Lesion, living: np.ndarray, duration_s: float, streams: DiseaseStreams
) -> tuple[Firing, float]:
    """Return the discharges of axons with myokymia (an empirical rule), and bursts per minute."""
    units = np.flatnonzero(draw_lesion(lesion, living.size, streams)[1] & living)
    parts: list[np.ndarray] = []
    per_min = 0.0
    for unit in units:
        rng = streams.rng("myokymia", int(unit))
        rhythm = draw_rhythm(rng)
        time, place = sample_myokymia(rhythm, duration_s, rng)
        parts.append(_firing_rows(time, int(unit), LESION, place))
        per_min += 60.0 / rhythm.period_s
    return _join_rows(parts, duration_s, "myokymia"), per_min


def fire_cramps(
    cramping: Cramping,
    soma: SomaConditions,
    living: np.ndarray,
    duration_s: float,
    streams: DiseaseStreams,
) -> list[Firing]:
    """Return the discharges of the motoneuron pool after a push: single ones, and plateaus.

    Plateaus that overlap in time form one episode, of all units that take part.
    """
    time, unit = cramp.spikes_after_push(
        living.size,
        cramping,
        soma,
        duration_s,
        streams.sequence("units"),
        streams.sequence("pool"),
    )
    time, unit = time[living[unit]], unit[living[unit]]
    episode = trains.number_plateaus(time, unit)
    order = np.lexsort((time, episode))
    time, unit, episode = time[order], unit[order], episode[order]
    in_plateau = episode >= 0
    place = np.diff(episode[in_plateau], prepend=-1) == 0
    return [
        _join_rows(
            [_firing_rows(time[~in_plateau], unit[~in_plateau], SOMA, 0.0)], duration_s, "misfire"
        ),
        _join_rows(
            [_firing_rows(time[in_plateau], unit[in_plateau], SOMA, place)], duration_s, "plateau"
        ),
    ]


def fire_lid(
    lid: facial.Lids, living: np.ndarray, duration_s: float, streams: DiseaseStreams
) -> list[Firing]:
    """Return the discharges of a lid's motor neuron that can hold itself firing.

    Lone ones, and those of plateaus, each discharge an event. Those of blinks are left out, as all
    discharges by will are.
    """
    units = np.flatnonzero(living)
    if not units.size:
        return []
    unit = int(streams.rng("lid").choice(units))
    time = facial.run_unit(lid, duration_s, seed=streams.sequence("lid", 1))
    time = facial.spontaneous(time) if lid.blinks else time
    on = facial.number_episodes(time) >= 0
    return [
        _join_rows([_firing_rows(time[which], unit, SOMA, 0.0)], duration_s, process)
        for which, process in ((~on, "misfire"), (on, "plateau"))
    ]
