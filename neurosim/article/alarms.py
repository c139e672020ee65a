"""When to worry: the article's three signs and the clinic's, in weeks of people who twitch.

The article's signs (twitching persists, spreads, gets worse) are read from diaries alone
(`neurosim.article.diary`): when which muscle was seen to twitch. The sign that it leaves out,
weakness, is what a clinic measures: force, and the number of motor units. Each is a rule with
parameters of ``alarms.toml``, fixed before anything was counted. Early ALS is compared with benign
twitching, pinched nerves and anxiety, as many people of each: a mix of this study, not of any
clinic.
"""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property, partial, wraps
from typing import TYPE_CHECKING, Any, cast

from neurosim.article.diary import EVERYBODY, GROUPS, Diary, simulate_diary, twitches_at_a_look
from neurosim.base.errors import NeurosimError, number_within, unknown_name
from neurosim.base.parameters import parameter
from neurosim.simulation.signs import (
    gets_worse,
    persists,
    spreads,
    spreads_beyond_a_root,
)
from neurosim.simulation.workers import map_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    import numpy as np

    MapJobs = Callable[..., Generator[Any, None, None]]  # `map_jobs` of so many processes

CONFIDENCE_Z = 1.959964
CHUNK = 100  # healthy people looked at together
MAX_LOOKED_AT = 100_000


def _param(name: str) -> float:
    return parameter("alarms", name)


def shows_weakness(diary: Diary) -> bool:
    """Whether some muscle's force fell between the visits by more than the error of measuring."""
    limit = _param("clinic_limit_sd") * _param("force_error") * math.sqrt(2.0)
    return bool((diary.force[1] < diary.force[0] * math.exp(-limit)).any())


def shows_lost_units(diary: Diary) -> bool:
    """Whether some muscle has fewer motor units than healthy people's."""
    return bool((diary.units < math.exp(-_param("clinic_limit_sd") * _param("units_error"))).any())


def _is_weak(diary: Diary) -> bool:
    return shows_weakness(diary) or shows_lost_units(diary)


def _on_seen(rule: Callable[[np.ndarray], bool]) -> Callable[[Diary], bool]:
    @wraps(rule)
    def on_diary(diary: Diary) -> bool:
        return rule(diary.seen())

    return on_diary


_persists, _spreads, _gets_worse = map(_on_seen, (persists, spreads, gets_worse))
SIGNS: dict[str, tuple[str, Callable[[Diary], bool]]] = {
    "persists": ("it persists", _persists),
    "spreads": ("it spreads", _spreads),
    "gets_worse": ("it gets worse", _gets_worse),
    "all_three": ("all three", lambda d: _persists(d) and _spreads(d) and _gets_worse(d)),
    "spreads_beyond_a_root": ("it spreads beyond one root", _on_seen(spreads_beyond_a_root)),
    "weakness": ("a muscle grew weaker", shows_weakness),
    "units_lost": ("motor units are lost", shows_lost_units),
    "weak": ("weaker or units lost", _is_weak),
    "persists_and_weak": ("it persists, and weak", lambda d: _persists(d) and _is_weak(d)),
    "spreads_and_weak": ("it spreads, and weak", lambda d: _spreads(d) and _is_weak(d)),
    "gets_worse_and_weak": ("it gets worse, and weak", lambda d: _gets_worse(d) and _is_weak(d)),
}
ARTICLE = ("persists", "spreads", "gets_worse")


@dataclass(frozen=True)
class Share:
    """So many of so many people, with the exact binomial 95 % interval (Clopper & Pearson)."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """Share, 0 to 1; NaN of nobody."""
        return self.count / self.total if self.total else math.nan

    @property
    def low(self) -> float:
        """Lower end of the interval; 0 of nobody."""
        return self._interval[0]

    @property
    def high(self) -> float:
        """Upper end of the interval; 1 of nobody."""
        return self._interval[1]

    @cached_property
    def _interval(self) -> tuple[float, float]:
        from scipy.stats import binomtest  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] scipy has no types

        if not self.total:
            return 0.0, 1.0
        ends = cast("Any", binomtest(self.count, self.total)).proportion_ci()
        return float(ends.low), float(ends.high)

    def __str__(self) -> str:
        return f"{100 * self.value:.0f} ({100 * self.low:.0f} to {100 * self.high:.0f})"


@dataclass(frozen=True)
class LikelihoodRatio:
    """A likelihood ratio with its 95 % interval (by its logarithm)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2g} ({self.low:.2g} to {self.high:.2g})"


@dataclass(frozen=True)
class Alarms:
    """Who shows which sign.

    Attributes
    ----------
    weeks, seed : int
    looked_at : int
        Healthy people among whom those with benign twitching were found.
    diaries : tuple of Diary
    signs_shown : dict of str to tuple of bool
        By sign: whether each diary shows it.
    """

    weeks: int
    seed: int
    looked_at: int
    diaries: tuple[Diary, ...] = field(repr=False)
    signs_shown: dict[str, tuple[bool, ...]] = field(repr=False)

    def for_group(self, group: str) -> tuple[Diary, ...]:
        """Return the diaries of a group."""
        return tuple(d for d in self.diaries if d.group == group)

    def typical(self, group: str) -> Diary:
        """Return the diary of a group with the median number of signs, then of twitches seen."""
        signs = dict(zip(self.diaries, zip(*self.signs_shown.values(), strict=True), strict=True))
        ranked = sorted(self.for_group(group), key=lambda d: (sum(signs[d]), d.seen().sum()))
        return ranked[len(ranked) // 2]

    def share(self, sign: str, *groups: str) -> Share:
        """Return how many people of some groups show a sign.

        Raises
        ------
        NeurosimError
            For an unknown sign or group.
        """
        if sign not in self.signs_shown:
            raise unknown_name("sign", sign, self.signs_shown)
        for group in groups:
            if group not in GROUPS:
                raise unknown_name("group", group, GROUPS)
        shown = [
            s
            for s, d in zip(self.signs_shown[sign], self.diaries, strict=True)
            if d.group in groups
        ]
        return Share(sum(shown), len(shown))

    def sensitivity(self, sign: str) -> Share:
        """Return the share of people with early ALS who show a sign."""
        return self.share(sign, "als")

    def specificity(self, sign: str, *groups: str) -> Share:
        """Return the share of the others (or of some groups of them) who do not show a sign."""
        shown = self.share(sign, *(groups or [g for g in GROUPS if g != "als"]))
        return Share(shown.total - shown.count, shown.total)

    def likelihood_ratio(self, sign: str, present: bool = True) -> LikelihoodRatio:
        """Return how much more often a sign (or its absence) is met in ALS than in the others.

        Half a person is added to every cell if one of them is empty.
        """
        ill, well = self.sensitivity(sign), self.specificity(sign)
        a, b = ill.count, well.total - well.count
        if not present:
            a, b = ill.total - a, well.total - b
        m, n = float(ill.total), float(well.total)
        if not (a and b):
            a, b, m, n = a + 0.5, b + 0.5, m + 1.0, n + 1.0
        value = (a / m) / (b / n)
        half = CONFIDENCE_Z * math.sqrt(max(1.0 / a - 1.0 / m + 1.0 / b - 1.0 / n, 0.0))
        return LikelihoodRatio(value, value * math.exp(-half), value * math.exp(half))

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each sign: counts by group, and how well it discriminates ALS."""
        rows: list[dict[str, object]] = []
        for sign, (words, _) in SIGNS.items():
            row: dict[str, object] = {"sign": sign, "words": words}
            for group in GROUPS:
                share = self.share(sign, group)
                row |= {f"{group}_shown": share.count, f"{group}_people": share.total}
            for name in ("sensitivity", "specificity", "likelihood_ratio"):
                value = getattr(self, name)(sign)
                row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            rows.append(row)
        return rows

    def __str__(self) -> str:
        people = ", ".join(f"{len(self.for_group(g))} {g}" for g in GROUPS if self.for_group(g))
        heads = ("sign", *GROUPS, "sensitivity, %", "specificity, %", "likelihood ratio")
        rows: list[tuple[str, ...]] = [heads]
        for sign, (words, _) in SIGNS.items():
            counts = (str(self.share(sign, g).count) for g in GROUPS)
            measures = (self.sensitivity(sign), self.specificity(sign), self.likelihood_ratio(sign))
            rows.append((words, *counts, *map(str, measures)))
        width = [max(len(row[i]) for row in rows) for i in range(len(heads))]
        lines = [
            "  ".join(
                c.ljust(w) if not i else c.rjust(w)
                for i, (c, w) in enumerate(zip(row, width, strict=True))
            )
            for row in rows
        ]
        return f"{self.weeks} weeks of {people} (seed {self.seed}); 95 % intervals\n" + "\n".join(
            lines
        )


def true_alarm_share(one_in: float, ratio: float) -> float:
    """Return which share of alarms is true (Bayes): odds before, times the likelihood ratio.

    Parameters
    ----------
    one_in : float
        Of so many people looked at one is ill, above 1.
    ratio : float
        Likelihood ratio of the sign.

    Raises
    ------
    NeurosimError
        For a value that is not allowed.

    Examples
    --------
    >>> round(true_alarm_share(101, 10), 3)
    0.091
    """
    one_in = number_within("one_in", one_in, 1.0 + 1e-9, 1e9)
    odds = number_within("ratio", ratio, 0.0, 1e12) / (one_in - 1.0)
    return odds / (1.0 + odds)


def _twitching_at_a_look(first: int, seed: int) -> list[int]:
    return [p for p in range(first, first + CHUNK) if twitches_at_a_look(p, seed)]


def _find_twitching(people: int, seed: int, over: MapJobs) -> tuple[list[int], int]:
    """Return the first healthy people who twitch at a look, and how many were looked at."""
    twitching: list[int] = []
    starts = range(0, MAX_LOOKED_AT, CHUNK)
    with closing(over(_twitching_at_a_look, ((start, seed) for start in starts))) as looks:
        for start, some in zip(starts, looks, strict=True):
            twitching += some
            if len(twitching) >= people:
                return twitching[:people], start + CHUNK
    raise NeurosimError(
        f"Of {MAX_LOOKED_AT} healthy people fewer than {people} were seen to twitch."
    )


def run_alarms(
    people: int = 60,
    weeks: int = 26,
    seed: int = 1,
    cores: int = 1,
    progress: Callable[[int, int], None] | None = None,
    groups: Sequence[str] = GROUPS,
) -> Alarms:
    """Return who shows which sign among people of each group who keep a diary.

    Parameters
    ----------
    people : int
        Of each group, 1 to 10 000.
    weeks : int
        Length of the diary, 8 to 520.
    seed : int
        Same seed, same people and twitches.
    cores : int
        Processes to use; the result does not depend on it.
    progress : callable, optional
        Called with (diaries done, diaries).
    groups : sequence of str
        Some of `GROUPS`.

    Raises
    ------
    NeurosimError
        For a value that is not allowed.
    """
    people = round(number_within("people", people, 1, 10_000))
    weeks = round(number_within("weeks", weeks, 8, 520, "weeks"))
    for group in groups:
        if group not in GROUPS:
            raise unknown_name("group", group, GROUPS)
    return _run_alarms(people, weeks, seed, progress, groups, partial(map_jobs, workers=cores))


def _run_alarms(
    people: int,
    weeks: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
    groups: Sequence[str],
    over: MapJobs,
) -> Alarms:
    who: dict[str, Sequence[int]] = {
        g: range(i * EVERYBODY, i * EVERYBODY + people) for i, g in enumerate(GROUPS)
    }
    looked_at = 0
    if "benign" in groups:
        who["benign"], looked_at = _find_twitching(people, seed, over)
    jobs = [(g, p, weeks, seed) for g in groups for p in who[g]]
    diaries: list[Diary] = []
    for diary in over(simulate_diary, jobs):
        diaries.append(diary)
        if progress:
            progress(len(diaries), len(jobs))
    shown = {name: tuple(sign(d) for d in diaries) for name, (_, sign) in SIGNS.items()}
    return Alarms(weeks, seed, looked_at, tuple(diaries), shown)
