"""The misfire sites (ectopic sites) of one person's muscle, where twitches may start.

There are two classes. Every unit has a few ordinary distal nodes, equal but for a narrow spread
(bulk, origin ``axon``). A few others - a terminal branch, a last node, a sprout - are far more
excitable (rogue, origin ``terminal``), and people differ in how many they have. A share
`event_share` of the rogue ones are event sites: the ordinary membrane, which random events fire
(`event_sites`); the mean size of a site's events has an exponential tail. All other sites are
channel sites: the axon model with its own multiplier nu of the persistent sodium current, fired by
channel noise; the excess nu - 1 of a rogue one has an exponential tail, and is measured in units
of the one at which the healthy axon misfires once a minute, so that a person means the same with
either axon. The soma is a third kind of site, equal in every unit. A person has the same sites in
every body state. Over weeks rogue sites come and go (`add_lives`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neurosim.base.parameters import parameter
from neurosim.model.axon.people import Scores, draw_scores

CLASSES = ("foot_sole", "ordinary")
# Who is run where nobody is named: of seed 1, near the median person under most scenarios.
TYPICAL_PERSON = 12
BULK, ROGUE, SOMA, LESION = 0, 1, 2, 3  # indices into discharge.ORIGINS
DAY_S = 86_400.0
MONTH_S = 365.25 / 12.0 * DAY_S
# Of the critical excess; in health a channel site below fires once in a century.
RELEVANT_EXCESS = 0.48
LEAST_RUN_S = DAY_S  # in a shorter run no site comes or goes: of 100 less than one would


@dataclass(frozen=True)
class Sites:
    """The misfire sites of one muscle of one person.

    Attributes
    ----------
    sodium_multiplier : ndarray, shape (sites,)
        Persistent sodium current relative to the healthy axon.
    unit : ndarray of int, shape (sites,)
        Motor unit of each site.
    origin : ndarray of int, shape (sites,)
        0 for an ordinary node (axon), 1 for a rogue (terminal), 3 for a lesion.
    units : int
    event_size : ndarray, shape (sites,), optional
        Mean size of the events of an event site, in thresholds of the person's healthy axon; 0 for
        a channel site, and for all if omitted.
    born_s, gone_s : ndarray, shape (sites,), optional
        When each site comes and goes, s from the start of the run; -inf and inf if omitted.
    scores : tuple of float
        The person's scores (`neurosim.model.axon.people`); none for the mean axon.
    alive : ndarray of bool, shape (units,), optional
        Mask of living units; all if omitted.
    """

    sodium_multiplier: np.ndarray
    unit: np.ndarray
    origin: np.ndarray
    units: int
    event_size: np.ndarray = field(default_factory=lambda: np.zeros(0))
    born_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    gone_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    scores: Scores = ()
    alive: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = self.sodium_multiplier.size
        for name, usual in (("event_size", 0.0), ("born_s", -np.inf), ("gone_s", np.inf)):
            if getattr(self, name).size != n:
                object.__setattr__(self, name, np.full(n, usual))

    def take(self, index: np.ndarray, **changes: Any) -> Sites:
        """Return some of the sites, in the order of `index`."""
        columns = ("sodium_multiplier", "unit", "origin", "event_size", "born_s", "gone_s")
        return replace(self, **{name: getattr(self, name)[index] for name in columns}, **changes)

    def joined(self, other: Sites) -> Sites:
        """Return these sites and those of `other`, sorted by unit."""
        columns = ("sodium_multiplier", "unit", "origin", "event_size", "born_s", "gone_s")
        both = {n: np.append(getattr(self, n), getattr(other, n)) for n in columns}
        return replace(self, **both).take(np.argsort(both["unit"], kind="stable"))

    @property
    def living(self) -> np.ndarray:
        """Mask of living units, shape (units,)."""
        return np.ones(self.units, bool) if self.alive is None else self.alive


def person_streams(seed: int, person: int, muscle_index: int):
    """Return generators (person, sites, discharges) of one person's muscle.

    They depend on the seed, the person and the muscle alone, so that nobody changes with the
    number of people or the order in which they are run.
    """
    root = np.random.SeedSequence([seed, person])
    person_seed, muscles = root.spawn(2)
    sites, firing = muscles.spawn(muscle_index + 1)[muscle_index].spawn(2)
    return tuple(np.random.default_rng(s) for s in (person_seed, sites, firing))


def lives_rng(seed: int, person: int, muscle_index: int) -> np.random.Generator:
    """Return the generator of when the sites of one person's muscle come and go."""
    path = (4, muscle_index)  # 0 to 2: above and below; 3: `disease`
    return np.random.default_rng(np.random.SeedSequence([seed, person], spawn_key=path))


def person_scores(seed: int, person: int) -> Scores:
    """Return the scores of one person's axon, which depend on the seed and the person alone."""
    seed_of_scores = np.random.SeedSequence([seed, person]).spawn(3)[2]  # 0, 1: `person_streams`
    return draw_scores(np.random.default_rng(seed_of_scores))


def draw_sites(
    units: int,
    site_class: str,
    critical_nu: float,
    person_rng: np.random.Generator,
    rng: np.random.Generator,
    scores: Scores = (),
) -> Sites:
    """Draw the sites of one muscle.

    Parameters
    ----------
    units : int
        Number of motor units of the muscle.
    site_class : str
        ``"foot_sole"`` or ``"ordinary"``; sets the mean number of rogues of a unit.
    critical_nu : float
        The nu at which the healthy axon misfires once a minute, the unit of every excess.
    person_rng : numpy.random.Generator
        The person's stream, from which their density of rogues is drawn.
    rng : numpy.random.Generator
        The muscle's stream.
    scores : tuple of float
        Scores of the person's axon.
    """
    mean = mean_rogues(units, site_class, person_rng)
    per_unit = round(parameter("firing", "bulk_sites_per_unit"))
    bulk_unit = np.repeat(np.arange(units), per_unit)
    spread = parameter("firing", "bulk_spread") * np.log(critical_nu)
    bulk = np.exp(spread * rng.standard_normal(bulk_unit.size))
    rogues = int(rng.poisson(mean))
    rogue_unit = rng.integers(0, units, rogues)
    readiness = rng.standard_exponential(rogues)
    rogue, size = split_rogues(readiness, rng.random(rogues), critical_nu)
    unit = np.concatenate([bulk_unit, rogue_unit])
    order = np.argsort(unit, kind="stable")
    origin = np.concatenate([np.full(bulk.size, BULK), np.full(rogues, ROGUE)])
    nu = np.concatenate([bulk, rogue])[order]
    size = np.concatenate([np.zeros(bulk.size), size])[order]
    return Sites(nu, unit[order], origin[order], units, size, scores=scores)


def mean_rogues(units: int, site_class: str, person_rng: np.random.Generator) -> float:
    """Return the mean number of rogue sites of one person's muscle; arguments as `draw_sites`."""
    spread = parameter("firing", f"rogue_person_spread_{site_class}")
    density = np.exp(spread * person_rng.standard_normal())
    return float(parameter("firing", f"rogues_per_unit_{site_class}") * density * units)


def add_lives(
    sites: Sites, mean: float, critical_nu: float, duration_s: float, rng: np.random.Generator
) -> Sites:
    """Return the sites of a long run: when each rogue one goes, and those that come.

    Lives are exponential, and as many sites come as go, so that each moment is like every other.
    A longer run has the same sites in its first part.

    Parameters
    ----------
    sites : Sites
        Those at the start.
    mean : float
        `mean_rogues` of the muscle.
    critical_nu : float
        As in `draw_sites`.
    duration_s : float
    rng : numpy.random.Generator
    """
    life_s = parameter("firing", "site_life_months") * MONTH_S
    left, gaps, lives, ready, uniform, unit = rng.spawn(6)
    gone = np.full(sites.unit.size, np.inf)
    rogue = sites.origin == ROGUE
    gone[rogue] = life_s * left.standard_exponential(rogue.sum())
    expected = mean * duration_s / life_s
    enough = int(expected + 10.0 * expected**0.5 + 20.0)
    born = np.cumsum(gaps.standard_exponential(enough)) * life_s / mean
    born = born[born < duration_s]
    n = born.size
    nu, size = split_rogues(ready.standard_exponential(n), uniform.random(n), critical_nu)
    new = Sites(
        nu,
        unit.integers(0, sites.units, n),
        np.full(n, ROGUE),
        sites.units,
        size,
        born,
        born + life_s * lives.standard_exponential(n),
    )
    return replace(sites, gone_s=gone).joined(new)


def split_rogues(
    readiness: np.ndarray, uniform: np.ndarray, critical_nu: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sodium multiplier and the event size of rogue sites.

    Parameters
    ----------
    readiness : ndarray, shape (n,)
        How excitable each is, exponential of mean 1: its excess of persistent sodium against
        `rogue_tail`, or the size of its events against `event_size`.
    uniform : ndarray, shape (n,)
        Uniform deviates; below `event_share`, an event site.
    critical_nu : float
        As in `draw_sites`.
    """
    driven = uniform < parameter("firing", "event_share")
    tail = parameter("firing", "rogue_tail") * (critical_nu - 1.0)
    nu = np.where(driven, 1.0, 1.0 + tail * readiness)
    return nu, np.where(driven, parameter("firing", "event_size") * readiness, 0.0)
