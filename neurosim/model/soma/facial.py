"""One motor neuron of the lid that can hold itself firing: the twitching eye, a hypothesis.

Nobody has measured the persistent inward current (PIC) of a human lid's motor neurons, and half of
what is published places eyelid myokymia in the nerve fibre instead (docs/eyelid.md). This unit has
a PIC of its own, slow and opening below the spike threshold, fitted to the published pattern; the
limb's pool has no part in it. The equations are `pool_equations.step`, unchanged. Blinks are in
every run: each pushes the unit, as it pushes every unit of the lid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.errors import number_within
from neurosim.base.parameters import parameter
from neurosim.model.soma import pool
from neurosim.model.soma.pool_equations import DT_MS, NOISE_HZ
from neurosim.model.soma.soma import SomaConditions, noise_mv, resting_mv, threshold_parts_mv

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_S = 7.2e6  # of one run: 2000 hours, about an hour of computing
CHUNK_MS = 10_000
PAUSE_S, LEAST_SPIKES, LEAST_S = 1.0, 6, 1.0  # what makes firing an episode
BLINK_OWN_S = 0.12  # from a blink's start: discharges in it are the blink's


@dataclass(frozen=True)
class Lid:
    """What a body makes of that motor neuron.

    `local_tone_mv` is how far it is depolarised beyond a healthy one at rest; 0 without the
    illness, and then it is not simulated.
    """

    local_tone_mv: float = 0.0


def _param(name: str) -> float:
    return parameter("facial", name)


def _soma_param(name: str) -> float:
    return parameter("soma", f"soma_{name}")


def unit_parameters(conditions: SomaConditions, local_tone_mv: float = 0.0) -> np.ndarray:
    """Return what `step` needs of the unit, shape (len(pool.ROWS), 1).

    The PIC that is part of a limb soma's rest does not grow with the gain here, since this unit's
    is closed at rest. What divalent ions do to the threshold they do to the PIC's opening, too.
    """
    shift = threshold_parts_mv(conditions)
    values = {
        "keep": np.exp(-DT_MS / _soma_param("tau_membrane_ms")),
        "rest": resting_mv(conditions.replace(pic_gain=1.0)) + local_tone_mv,
        "ahp_keep": np.exp(-DT_MS / _param("ahp_tau_ms")),
        "ahp_jump": _param("ahp_mv") * conditions.ahp_scale,
        "rise_keep": np.exp(-DT_MS / _soma_param("adaptation_tau_ms")),
        "rise_jump": _soma_param("adaptation_mv"),
        "pic": _param("pic_mv") * conditions.pic_gain,
        "half": _param("pic_half_mv") + shift["electrolyte"],
        "slope": _param("pic_slope_mv"),
        "pic_share": -np.expm1(-DT_MS / _param("pic_tau_ms")),
        "slow_share": -np.expm1(-DT_MS / _param("pic_inactivation_tau_ms")),
        "least": _param("pic_least"),
        "rested": sum(shift.values()),
        "reset": _soma_param("reset_mv"),
        "refractory": round(_soma_param("refractory_ms") / DT_MS),
    }
    return np.array([[values[row]] for row in pool.ROWS], float)


def _noise_sizes(conditions: SomaConditions) -> np.ndarray:
    """Return the rows of `size` that `pool.move` needs: noise as in the limb, no drive."""
    slow, fast = (parameter("pool", f"noise_common_{name}") for name in ("slow", "fast"))
    shares, hz = (1.0 - slow - fast, slow, fast), (NOISE_HZ[2], *NOISE_HZ[:2])
    tau = _soma_param("tau_membrane_ms")
    rows = [
        np.sqrt(s * (1.0 + tau * 2.0 * np.pi * f / 1000.0)) for s, f in zip(shares, hz, strict=True)
    ]
    return np.array([*(noise_mv(conditions) * row for row in rows), 0.0, 0.0])[:, None]


def blink_drive(first_ms: int, ms: int) -> np.ndarray:
    """Return what blinks add to the unit's input in some milliseconds of a run, mV."""
    every = round(60_000.0 / _param("blinks_per_min"))
    return _param("blink_mv") * ((np.arange(first_ms, first_ms + ms) % every) < _param("blink_ms"))


def since_blink_s(time_s: np.ndarray) -> np.ndarray:
    """Return the time from the start of the last blink to each time, s."""
    return time_s % (60.0 / _param("blinks_per_min"))


@dataclass(frozen=True, eq=False)
class Lids:
    """A motor neuron of a lid under what changes with time, for `run_unit`.

    Attributes
    ----------
    conditions : sequence of SomaConditions
        One, or one for each of `begin_s`.
    local_tone_mv : float
    begin_s : sequence of float
        When each of the conditions begins, rising from 0.
    blinks : bool
        Whether the lid blinks.
    input_mv : array_like, optional
        Further input, mV, one number each millisecond; negative is inhibition.
    """

    conditions: Sequence[SomaConditions]
    local_tone_mv: float
    begin_s: Sequence[float] = (0.0,)
    blinks: bool = True
    input_mv: Any = None


def run_unit(lid: Lids, duration_s: float, *, seed: int | np.random.SeedSequence) -> np.ndarray:
    """Return the spike times (s) of one motor neuron of the lid.

    Conditions change at the first start of ten seconds after they do.

    Parameters
    ----------
    lid : Lids
    duration_s : float
        From 0.001 s to 2000 hours; an hour takes one to two seconds.
    seed : int or numpy.random.SeedSequence
        Of the noise.

    Raises
    ------
    NeurosimError
        For a duration that is out of range.

    Examples
    --------
    >>> run_unit(Lids([SomaConditions()], 0.0, blinks=False), 2.0, seed=1).size
    0
    """
    ms = round(1000.0 * number_within("duration_s", duration_s, 0.001, MAX_S, "s"))
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    noise = pool.noise_chunks(sequence, 1, ms, True)
    made = [(unit_parameters(c, lid.local_tone_mv), _noise_sizes(c)) for c in lid.conditions]
    S = pool.at_rest(made[0][0])
    spikes, counts = np.empty((1, CHUNK_MS), np.int64), np.empty(1, np.int64)
    traces, rows = np.empty((3, 0, 0)), np.full(1, -1)
    parts: list[np.ndarray] = []
    for first, (common, kicks) in zip(range(0, ms, CHUNK_MS), noise.chunks, strict=True):
        at = np.searchsorted(lid.begin_s, first / 1000.0 + 1e-9, side="right") - 1
        P, size = made[int(at)]
        n = kicks.shape[1]
        other = blink_drive(first, n) if lid.blinks else np.zeros(n)
        if lid.input_mv is not None:
            other = other + np.asarray(lid.input_mv, float)[first : first + n]
        zero, counts[:] = np.zeros(n), 0
        drive = size, zero, zero, other[None]
        pool.move(S, P, noise.start, kicks, common, *drive, spikes, counts, traces, rows)
        parts.append((spikes[0, : counts[0]] + 1.0) * DT_MS / 1000.0 + first / 1000.0)
    return np.concatenate(parts)


def spontaneous(time_s: np.ndarray) -> np.ndarray:
    """Return the discharges of a lid that blinks without those of the blinks themselves."""
    return time_s[since_blink_s(time_s) > BLINK_OWN_S]


def number_episodes(time_s: np.ndarray) -> np.ndarray:
    """Return the episode of each discharge, from 0, and -1 for a lone one, shape (n,).

    An episode has six discharges and more, lasts a second and more, and has no pause of more than
    a second.
    """
    if not time_s.size:
        return np.empty(0, np.int64)
    run = np.cumsum(np.diff(time_s, prepend=time_s[0]) > PAUSE_S)
    size = np.bincount(run)
    last = np.cumsum(size) - 1
    lasting = (size >= LEAST_SPIKES) & (time_s[last] - time_s[last - size + 1] >= LEAST_S)
    return np.where(lasting, np.cumsum(lasting) - 1, -1)[run]


@dataclass(frozen=True)
class Pattern:
    """How a unit of the lid fires.

    Attributes
    ----------
    episodes : int
    per_h : float
        Episodes for each hour of silence.
    lone : int
        Discharges outside episodes and blinks.
    rate_hz, interval_cv : float
        Median over episodes; NaN without any.
    within_share : float
        Share of the intervals of episodes from 100 to 350 ms.
    duration_s : tuple of float
        Quantiles 0.1, 0.5 and 0.9 of how long episodes last.
    share_on : float
        Share of the time in episodes.
    """

    episodes: int
    per_h: float
    lone: int
    rate_hz: float
    interval_cv: float
    within_share: float
    duration_s: tuple[float, ...]
    share_on: float


def measure_pattern(time_s: np.ndarray, duration_s: float, *, blinks: bool = True) -> Pattern:
    """Return how a unit fires in a run of `run_unit`; intervals across a blink do not count."""
    own = spontaneous(time_s) if blinks else time_s
    episode = number_episodes(own)
    count = int(episode.max(initial=-1)) + 1
    lone = int((episode < 0).sum())
    if not count:
        return Pattern(0, 0.0, lone, np.nan, np.nan, np.nan, (np.nan,) * 3, 0.0)
    gap = np.diff(own)
    inside = (np.diff(episode) == 0) & (episode[1:] >= 0)
    if blinks:
        inside &= since_blink_s(own[1:]) > gap
    trains = [gap[inside & (episode[1:] == i)] for i in range(count)]
    long = [t for t in trains if t.size > 2]
    lasted = np.array([np.ptp(own[episode == i]) for i in range(count)])
    every = np.concatenate(trains)
    return Pattern(
        episodes=count,
        per_h=3600.0 * count / max(duration_s - lasted.sum(), 1.0),
        lone=lone,
        rate_hz=float(np.median([1.0 / t.mean() for t in long])),
        interval_cv=float(np.median([t.std() / t.mean() for t in long])),
        within_share=float(np.mean((every >= 0.1) & (every <= 0.35))),
        duration_s=tuple(float(q) for q in np.quantile(lasted, (0.1, 0.5, 0.9))),
        share_on=float(lasted.sum() / duration_s),
    )


def lift_mv(conditions: SomaConditions) -> float:
    """Return by how many mV of tone more the unit would lie as near to firing as it does now.

    The shift of its rest and threshold as they are, gain of the PIC and noise by what they are
    worth in the law of onset.
    """
    resting = resting_mv(conditions.replace(pic_gain=1.0)) - resting_mv(SomaConditions())
    return (
        resting
        - threshold_parts_mv(conditions)["electrolyte"]
        + _param("onset_gain_mv") * (conditions.pic_gain - 1.0)
        + _param("onset_noise_mv") * (conditions.synaptic_noise_scale - 1.0)
    )


def onset_per_h(conditions: SomaConditions, local_tone_mv: Any) -> Any:
    """Return how many episodes begin in an hour of silence of a lid that blinks.

    A law fitted on direct runs: the logarithm is quadratic in the tone, up to its highest value,
    and what else acts is worth some mV of tone (`lift_mv`).

    Parameters
    ----------
    conditions : SomaConditions
    local_tone_mv : float or array_like
    """
    slope, bend = _param("onset_by_tone"), _param("onset_by_tone2")
    x = np.asarray(local_tone_mv, float) + lift_mv(conditions) - _param("prone_tone_mv")
    x = np.minimum(x, -0.5 * slope / bend)
    return np.exp(_param("onset_log") + slope * x + bend * x**2)


def twitches_per_min(conditions: SomaConditions, local_tone_mv: float) -> float:
    """Return how many twitches a minute the unit makes in the long run, by the law of onset."""
    on = onset_per_h(conditions, local_tone_mv) * _param("episode_s") / 3600.0
    return float(60.0 * _param("episode_hz") * on / (1.0 + on))


ENDINGS = {  # mV and s of what is done to a unit that fires
    "nothing": (0.0, 0.0),
    "inhibition": (-4.0, 0.5),
    "short closure": (20.0, 2.0),
    "long closure": (20.0, 20.0),
}
PUSH_S, ACT_AT_S, LOOK_S = (2.0, 3.0), 8.0, (0.5, 2.5)


def ending_shares(*, lids: int, seed: int) -> dict[str, float]:
    """Return the share of firing prone lids that still fire after each of `ENDINGS`.

    Each is pushed for a second at rest, and left alone (no blinks); six seconds later, if it fires,
    something is done, and from half a second after that has ended it is looked at for two.

    Parameters
    ----------
    lids : int
        How many are pushed.
    seed : int
        Of the first; the next have the next.
    """
    shares: dict[str, float] = {}
    for name, (level, lasting) in ENDINGS.items():
        after = ACT_AT_S + lasting
        drive = np.zeros(round(1000.0 * (after + LOOK_S[1])))
        drive[round(1000.0 * PUSH_S[0]) : round(1000.0 * PUSH_S[1])] = 12.0
        drive[round(1000.0 * ACT_AT_S) : round(1000.0 * after)] += level
        lid = Lids([SomaConditions()], _param("prone_tone_mv"), blinks=False, input_mv=drive)
        on: list[bool] = []
        for i in range(lids):
            t = run_unit(lid, drive.size / 1000.0, seed=seed + i)
            if _count_in(t, ACT_AT_S - 2.0, ACT_AT_S) >= 2:
                on.append(_count_in(t, after + LOOK_S[0], after + LOOK_S[1]) >= 2)
        shares[name] = float(np.mean(on)) if on else float("nan")
    return shares


def _count_in(time_s: np.ndarray, start_s: float, stop_s: float) -> int:
    return int(((time_s > start_s) & (time_s < stop_s)).sum())
