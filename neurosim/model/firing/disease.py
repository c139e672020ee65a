"""What disease adds to one person's muscle: lost units, sprouts, hurt axons, bursts and cramps.

Sprouts (ALS) and hurt axons (a pinched nerve) are sites like others and fire by the hazard law.
Three sources stand beside that law, because one node cannot make them: the multiplets of Isaacs'
syndrome, distilled from direct runs of a chain of nodes; plateaus of the pool of motoneurons (a
cramp); and myokymia, which is an empirical rule (`firing.bursts`). Nothing here is drawn in a
body without the disease.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.axon.axon import Conditions
from neurosim.model.firing.bursts import (
    draw_rhythm,
    isaacs_bursts,
    sample_multiplets,
    sample_myokymia,
)
from neurosim.model.firing.discharge import Firing, firing_from_rows
from neurosim.model.firing.sites import LESION, ROGUE, SOMA, Sites
from neurosim.model.soma import cramp, trains
from neurosim.model.soma.cramp import Cramping
from neurosim.model.soma.soma import SomaConditions

# At least, from one multiplet of an ending to its next: longer than any lasts. Where they come
# oftener than twice a second it is half of the mean time between them.
PAUSE_S = 0.25
LEAST_PER_MIN = 1e-6  # multiplets a minute: none


@dataclass(frozen=True)
class Terminal:
    """Nerve endings: what is left of their fast potassium channels, and how many there are.

    `exposed_per_unit` endings have lost channels; `sprouts_per_unit` are new and excitable: their
    persistent sodium exceeds the healthy one by `sprout_sodium_excess` on average (against the
    excess at which the healthy axon misfires once a minute), as that of other endings if 0.
    """

    fast_potassium_scale: float = 1.0
    exposed_per_unit: float = 0.0
    sprouts_per_unit: float = 0.0
    sprout_sodium_excess: float = 0.0


@dataclass(frozen=True)
class Lesion:
    """A lesion in the trunk of the nerve.

    `axons_share` of the axons run through it; their persistent sodium there exceeds the healthy
    one by `sodium_excess` on average (against the excess at which the healthy axon misfires once
    a minute); `myokymic_share` of them fire in myokymic bursts.
    """

    axons_share: float = 0.0
    sodium_excess: float = 0.0
    myokymic_share: float = 0.0


@dataclass(frozen=True)
class DiseaseStreams:
    """Random numbers of one person's disease in one muscle, apart from all that health draws."""

    seed: int
    person: int
    muscle_index: int
    NAMES = ("lost", "sprouts", "lesion", "endings", "myokymia", "units", "pool")

    def sequence(self, name: str, *key: int) -> np.random.SeedSequence:
        """Return the seed of one use, one of `NAMES`, always the same."""
        path = (3, self.muscle_index, self.NAMES.index(name), *key)  # 0 to 2: `firing.sites`
        return np.random.SeedSequence([self.seed, self.person], spawn_key=path)

    def rng(self, name: str, *key: int) -> np.random.Generator:
        """Return a fresh generator for one use."""
        return np.random.default_rng(self.sequence(name, *key))


# --- Sites -----------------------------------------------------------------------------------


def draw_lesion(lesion: Lesion, units: int, streams: DiseaseStreams):
    """Return who is in the lesion, who is myokymic there, and the excess of persistent sodium.

    Each of shape (units,), the excess against that of once a minute in health. Who is hurt by
    a mild lesion is so by a worse one.
    """
    rng = streams.rng("lesion")
    inside = rng.random(units) < lesion.axons_share
    myokymic = inside & (rng.random(units) < lesion.myokymic_share)
    return inside, myokymic, lesion.sodium_excess * rng.standard_exponential(units)


def draw_sprouts(
    terminal: Terminal, units: int, streams: DiseaseStreams
) -> tuple[np.ndarray, np.ndarray]:
    """Return the unit of each sprout and its excess of persistent sodium, as of `hurt`.

    A Poisson number of them; whoever has few keeps them when there are more.
    """
    mean = terminal.sprouts_per_unit * units
    enough = int(mean + 10.0 * mean**0.5 + 20.0)
    count = np.searchsorted(np.cumsum(streams.rng("sprouts").standard_exponential(enough)), mean)
    unit = streams.rng("sprouts", 1).integers(0, units, count)
    tail = terminal.sprout_sodium_excess or parameter("firing", "rogue_tail")
    return unit, tail * streams.rng("sprouts", 2).standard_exponential(count)


def diseased_sites(
    sites: Sites,
    units_scale: float,
    terminal: Terminal,
    lesion: Lesion,
    critical_nu: float,
    streams: DiseaseStreams,
) -> Sites:
    """Return a muscle's sites without those of lost units, with sprouts and hurt axons.

    Parameters
    ----------
    sites : Sites
        The person's in health.
    units_scale : float
        Share of motor units that live; units lost early stay lost later.
    terminal : Terminal
    lesion : Lesion
    critical_nu : float
        The nu by which sites are measured (`firing.hazard.critical_multiplier`).
    streams : Streams
    """
    n = sites.units
    living = streams.rng("lost").random(n) < units_scale
    sprout, tail = draw_sprouts(terminal, n, streams)
    inside, _, excess = draw_lesion(lesion, n, streams)
    unit = np.concatenate([sites.unit, sprout, np.flatnonzero(inside)])
    more = 1.0 + np.concatenate([tail, excess[inside]]) * (critical_nu - 1.0)
    new = np.repeat([ROGUE, LESION], [sprout.size, inside.sum()])
    order = np.argsort(unit, kind="stable")
    order = order[living[unit[order]]]
    return replace(
        sites,
        sodium_multiplier=np.append(sites.sodium_multiplier, more)[order],
        unit=unit[order],
        origin=np.append(sites.origin, new)[order],
        alive=living,
    )


# --- Sources beside the hazard law ---------------------------------------------------------------


def _firing_rows(time_s, unit, origin: int, place) -> np.ndarray:
    """Return the rows of `firing_from_rows`; these discharges carry no sodium load."""
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
    part: int = 0,
) -> tuple[Firing, float]:
    """Return the discharges of endings without fast potassium channels, and multiplets per minute.

    Gaps between starts are exponential beyond the shortest; bursts are the chain's in that
    `body` (`firing.bursts.isaacs_bursts`), the same rate at all times. With axon
    ``"alternative"``, of which no chain was run, it is the one of ``"ghk"``. The endings are the
    same in each `part` of a body's time; what they do in it is drawn anew.
    """
    chain = "ohmic" if axon == "ohmic" else "ghk"
    per_min, table = isaacs_bursts(terminal.fast_potassium_scale, chain, body)
    rng = streams.rng("endings")
    units = rng.integers(0, living.size, rng.poisson(terminal.exposed_per_unit * living.size))
    parts = []
    for i in np.flatnonzero(living[units]):
        own = streams.rng("endings", int(i), *([part] if part else []))
        starts = (
            _multiplet_starts(60.0 / per_min, duration_s, own)
            if per_min > LEAST_PER_MIN
            else np.empty(0)
        )
        time, place = sample_multiplets(table, starts, own)
        parts.append(_firing_rows(time, units[i], ROGUE, place))
    return _join_rows(parts, duration_s, "neuromyotonia"), per_min * len(parts)


def _multiplet_starts(mean_gap_s: float, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Return when multiplets of one ending start, s: a renewal process that has run for long."""
    expected, pause = duration_s / mean_gap_s, min(PAUSE_S, 0.5 * mean_gap_s)
    gaps = pause + rng.exponential(mean_gap_s - pause, int(expected + 10 * expected**0.5 + 20))
    in_pause = rng.random() < pause / mean_gap_s
    gaps[0] -= pause * (rng.random() if in_pause else 1.0)  # what is left of a gap at time 0
    starts = np.cumsum(gaps)
    return starts[starts < duration_s]


def fire_myokymia(
    lesion: Lesion, living: np.ndarray, duration_s: float, streams: DiseaseStreams
) -> tuple[Firing, float]:
    """Return the discharges of hurt axons that fire in groups, and groups per minute: a rule."""
    units = np.flatnonzero(draw_lesion(lesion, living.size, streams)[1] & living)
    parts, per_min = [], 0.0
    for unit in units:
        own = streams.rng("myokymia", int(unit))
        rhythm = draw_rhythm(own)
        time, place = sample_myokymia(rhythm, duration_s, own)
        parts.append(_firing_rows(time, unit, LESION, place))
        per_min += 60.0 / rhythm.period_s
    return _join_rows(parts, duration_s, "myokymia"), per_min


def fire_cramps(
    cramping: Cramping,
    soma: SomaConditions,
    living: np.ndarray,
    duration_s: float,
    streams: DiseaseStreams,
) -> list[Firing]:
    """Return what the pool of motoneurons fires after a push: plateaus, and lone discharges.

    Plateaus that overlap in time are one episode, over as many units as take part.
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
    held = episode >= 0
    place = np.diff(episode[held], prepend=-1) == 0
    return [
        _join_rows([_firing_rows(time[~held], unit[~held], SOMA, 0.0)], duration_s, "misfire"),
        _join_rows([_firing_rows(time[held], unit[held], SOMA, place)], duration_s, "plateau"),
    ]
