"""Six muscles by plain names, their spinal roots, and strength and speed of their motor units.

The parameters, with grade and source, are in ``anatomy.toml``. Within a muscle the units
follow the size principle: unit 0 is the weakest and slowest, the last the strongest and
fastest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base import parameters
from neurosim.base.cache import cached
from neurosim.base.errors import clip_name, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

SENSORY = "sensory"  # a lesion of sensory fibres alone: no motor axon runs through it
MUSCLES = ("eyelid", "calf", "foot_sole", "thumb", "shin", "upper_arm")
_PARAMETERS = (
    "units",
    "contraction_time_slow_ms",
    "contraction_time_range",
    "twitch_force_smallest_mn",
    "twitch_force_range",
    "visible_force_mn",
)


@dataclass(frozen=True)
class Muscle:
    """One muscle: its motor units and what it takes to see one move.

    Attributes
    ----------
    name : str
        Plain name, one of `MUSCLES`.
    latin : str
        Anatomical name.
    units : int
        Number of motor units.
    contraction_time_slow_ms : float
        Time from onset to peak of the slowest unit's twitch, ms.
    contraction_time_range : float
        Slowest over fastest contraction time.
    twitch_force_smallest_mn : float
        Peak twitch force of the weakest unit, mN.
    twitch_force_range : float
        Strongest over weakest twitch force.
    visible_force_mn : float
        A twitch whose peak is above this force is seen at the skin, mN.
    site_class : str
        Kind of muscle for the density of sites that misfire: ``"foot_sole"`` or ``"ordinary"``.
    """

    name: str
    latin: str
    units: int
    contraction_time_slow_ms: float
    contraction_time_range: float
    twitch_force_smallest_mn: float
    twitch_force_range: float
    visible_force_mn: float
    site_class: str

    def __str__(self) -> str:
        return (
            f"{self.name} ({self.latin}): {self.units} motor units, "
            f"twitches of {self.twitch_force_smallest_mn:g} to "
            f"{self.twitch_force_smallest_mn * self.twitch_force_range:.3g} mN that peak after "
            f"{self.contraction_time_slow_ms / self.contraction_time_range:.3g} to "
            f"{self.contraction_time_slow_ms:g} ms; seen above {self.visible_force_mn:g} mN"
        )


def muscle(name: str | Muscle) -> Muscle:
    """Return a muscle by its plain name, anatomical name or another common one.

    Capitals, spaces, hyphens and underscores make no difference. A `Muscle` is returned
    as it is.

    Raises
    ------
    NeurosimError
        If no muscle has that name; the nearest name is offered.

    Examples
    --------
    >>> muscle("Biceps brachii").name
    'upper_arm'
    """
    return name if isinstance(name, Muscle) else _read_muscle(muscle_name(name))


def muscle_name(name: str | Muscle) -> str:
    """Return the plain name of a muscle, from any name of it.

    Raises
    ------
    NeurosimError
        If no muscle has that name; the nearest name is offered.
    """
    if isinstance(name, Muscle):
        return name.name
    key = _muscle_aliases().get(_fold_name(name))
    if key is None:
        latin = [_anatomy_file()[key]["latin"] for key in MUSCLES]
        raise unknown_name("muscle", name, [*MUSCLES, *latin])
    return key


def muscle_values(name: str | Muscle) -> Mapping[str, parameters.Value]:
    """Return the parameters of a muscle by attribute, each with unit, range, grade and source.

    Raises
    ------
    NeurosimError
        If no muscle has that name.
    """
    key = muscle(name).name
    specific, general = parameters.load_group("anatomy"), parameters.load_group("muscle")
    return {n: specific.get(f"{key}.{n}") or general[n] for n in _PARAMETERS}


def twitch_forces_mn(muscle: str | Muscle) -> np.ndarray:
    """Return the peak twitch force of every unit, mN, shape (units,), rising.

    P_i = P_0 exp(ln(R) i / n) with R the range of force (Fuglevand, Winter & Patla 1993).

    Raises
    ------
    NeurosimError
        If no muscle has that name.
    """
    m = _cached_muscle(muscle)
    return m.twitch_force_smallest_mn * _relative_forces(m)


def contraction_times_ms(muscle: str | Muscle) -> np.ndarray:
    """Return the contraction time of every unit, ms, shape (units,), falling.

    T_i = T_0 (P_0 / P_i)^(1/c), c = ln(range of force) / ln(range of time) (Fuglevand,
    Winter & Patla 1993).

    Raises
    ------
    NeurosimError
        If no muscle has that name.
    """
    m = _cached_muscle(muscle)
    inverse_c = math.log(m.contraction_time_range) / math.log(m.twitch_force_range)
    return m.contraction_time_slow_ms * _relative_forces(m) ** -inverse_c


def muscle_roots(muscle: str | Muscle) -> Mapping[str, float]:
    """Return the spinal roots of a muscle with the share of its motor units that each supplies.

    Empty for a muscle that no spinal root supplies (the eyelid's nerve is the facial one).

    Raises
    ------
    NeurosimError
        If no muscle has that name.
    """
    key = muscle_name(muscle)
    return {
        r: parameters.parameter("anatomy", f"{key}.roots.{r}") for m, r in _root_names() if m == key
    }


def canonical_root(name: str) -> str:
    """Return the usual spelling of what is pinched: a spinal root, or ``"sensory"``.

    Raises
    ------
    NeurosimError
        If it supplies none of the muscles here; the nearest name is offered.
    """
    known = sorted({r for _, r in _root_names()})
    text = clip_name(name).strip()
    for one in (*known, SENSORY):
        if text.lower() == one.lower():
            return one
    near = get_close_matches(text.upper(), known, 1, 0.5)
    raise unknown_name("root", name, [*known, SENSORY], *near)


_cached_muscle = muscle  # for functions whose argument has the same name


@cache
def _root_names() -> tuple[tuple[str, str], ...]:
    """Return (muscle, root) for every share of a muscle that is in the tables."""
    parts = (name.split(".") for name in parameters.load_group("anatomy"))
    return tuple((p[0], p[2]) for p in parts if p[1] == "roots")


def _relative_forces(m: Muscle) -> np.ndarray:
    """Return twitch force over that of the weakest unit, shape (units,)."""
    return np.exp(math.log(m.twitch_force_range) * np.arange(m.units) / m.units)


def _fold_name(name: object) -> str:
    """Return a name without capitals and with single spaces."""
    return " ".join(clip_name(name).lower().replace("_", " ").replace("-", " ").split())


@cache
def _muscle_aliases() -> Mapping[str, str]:
    """Return every accepted name, plain, with the muscle it means."""
    table = _anatomy_file()
    return {
        _fold_name(name): key
        for key in MUSCLES
        for name in (key, table[key]["latin"], *table[key]["aliases"])
    }


@cached()
def _read_muscle(key: str) -> Muscle:
    """Return one muscle from the tables."""
    table, specific = _anatomy_file()[key], parameters.load_group("anatomy")
    values = {
        n: parameters.parameter("anatomy", own)
        if (own := f"{key}.{n}") in specific
        else parameters.parameter("muscle", n)
        for n in _PARAMETERS
    }
    return Muscle(
        name=key,
        latin=table["latin"],
        units=round(values.pop("units")),
        site_class=table["site_class"],
        **values,
    )


@cache
def _anatomy_file() -> Mapping[str, Any]:
    return parameters.read_toml(parameters.FILES["anatomy"])
