"""Rate ratios in words, and the lines that compare a result with health or another scenario.

Rates are compared in decade bands, never as a bare ratio: nobody has measured how much
the rate of a healthy person's twitches changes with an ion near its reference range.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neurosim.model.body.state import Body
from neurosim.view.describe_firing import origin_shares
from neurosim.view.style import ORIGIN_MARKS, label_number, time_words

if TYPE_CHECKING:
    from neurosim.simulation.people import People
    from neurosim.simulation.result import Result

SMALLEST_SHOWN = 0.01
SILENT_PER_MIN = 1e-5  # about one twitch in ten weeks: called silent


class Band(NamedTuple):
    """A band of rate ratios.

    Attributes
    ----------
    words : str
    upper : float
        Its upper edge; NaN for what is no band.
    joint : str
        What joins its words to what is compared with ("more *than*"); empty if nothing can.
    """

    words: str
    upper: float = math.nan
    joint: str = ""


NOTHING_TO_COMPARE = Band("no twitches in either, so nothing to compare")
OUT_OF_NOTHING = Band("some, where there were none")
NO_CLEAR_DIFFERENCE = Band("no clear difference")
NEAR_ZERO = Band("near zero", SMALLEST_SHOWN)
AS_MANY = Band("about as many", 1.25, "as")
_BANDS = (
    NEAR_ZERO,
    Band("less than a tenth as many", 1 / 10, "as"),
    Band("less than half as many", 1 / 2, "as"),
    Band("somewhat fewer", 1 / 1.25, "than"),
    AS_MANY,
    Band("somewhat more", 2.0, "than"),
    Band("a few times as many", 10.0, "as"),
    Band("tens of times as many", 100.0, "as"),
    Band("hundreds of times as many", 1000.0, "as"),
    Band("thousands of times as many", math.inf, "as"),
)


class RatioFacts(NamedTuple):
    """What is told of a rate ratio: its band, and in words its 95 % interval, if that is told."""

    band: Band
    interval: str = ""

    def words(self) -> str:
        """Return both in words, the interval in brackets."""
        return f"{self.band.words} ({self.interval})" if self.interval else self.band.words


def band_of(ratio: float, low: float = math.nan, high: float = math.nan) -> Band:
    """Return the band of a rate ratio, of which the interval tells whether it differs at all."""
    if math.isnan(ratio):
        return NOTHING_TO_COMPARE
    if ratio == math.inf:
        return OUT_OF_NOTHING
    if low <= 1.0 <= high:
        return NO_CLEAR_DIFFERENCE if high / max(low, 1e-9) > AS_MANY.upper else AS_MANY
    return next(band for band in _BANDS if ratio < band.upper or band.upper == math.inf)


def ratio_facts(ratio: float, low: float = math.nan, high: float = math.nan) -> RatioFacts:
    """Return what is told of a rate ratio; arguments as `ratio_band`."""
    band = band_of(ratio, low, high)
    if band in (NOTHING_TO_COMPARE, OUT_OF_NOTHING, NEAR_ZERO):
        return RatioFacts(band)
    if math.isnan(low) or math.isnan(high) or low == high:
        return RatioFacts(band)
    return RatioFacts(band, _interval_words(low, high))


def _interval_words(low: float, high: float) -> str:
    """Return an interval in words, with as few digits as tell its ends apart."""
    if high < 0.001:
        return "less than a thousandth"
    ends = ("", "")
    for extra_digits in range(3):
        ends = _interval_end(low, extra_digits), _interval_end(high, extra_digits)
        if ends[0] != ends[1]:
            return f"between {ends[0]} and {ends[1]} times"
    return f"{ends[0]} times"


def ratio_band(ratio: float, low: float = math.nan, high: float = math.nan) -> str:
    """Return a rate ratio in words: its decade band, and the 95 % interval where there is one.

    Parameters
    ----------
    ratio : float
        Rate over rate in health.
    low, high : float
        95 % interval; NaN if there is none.

    Examples
    --------
    >>> ratio_band(12, 4, 300)
    'tens of times as many (between 4 and 300 times)'
    >>> ratio_band(0.0002, 0, 0.004)
    'near zero'
    >>> ratio_band(1.4, 0.7, 3.0)
    'no clear difference (between 0.7 and 3 times)'
    """
    return ratio_facts(ratio, low, high).words()


def _interval_end(value: float, extra_digits: int = 0) -> str:
    """Return an end of an interval: one digit, two if it begins with 1, and the extra ones."""
    if value < 0.001:
        return "nearly 0"
    if value == math.inf:
        return "any number of"
    digits = 2 if 1 <= value / 10 ** math.floor(math.log10(value)) < 2 else 1
    step = 10.0 ** (math.floor(math.log10(value)) - digits - extra_digits + 1)
    return label_number(round(value / step) * step)


def people_ratio(people: People) -> tuple[float, float, float]:
    """Return rate ratio and 95 % interval of the first scenario against the second.

    Each person is compared with themselves, as in the article's verdicts. One person alone has no
    interval.
    """
    from neurosim.simulation.ratio import paired_ratio

    ratio = paired_ratio(people.expected_per_min[0], people.expected_per_min[1])
    if ratio.people < 2:
        return ratio.value, math.nan, math.nan
    return ratio.value, ratio.low, ratio.high


def person_ratio(result: Result, against: Result) -> float:
    """Return the ratio of the long-run twitch rates of one person, NaN if both are silent."""
    rate, other = result.expected_per_min, against.expected_per_min
    if max(rate, other) < SILENT_PER_MIN:
        return math.nan
    return math.inf if other < SILENT_PER_MIN else rate / other


def healthy_partner(result: Result) -> Result:
    """Return the same person and seed in health."""
    from neurosim.simulation.person_run import run_one

    healthy = result.scenario.replace(
        name="normal", title="In health", about="", body=Body(), course=None
    )
    return run_one(healthy, result.person)


def is_healthy(result: Result) -> bool:
    """Return whether a body changes nothing."""
    return not any(state.contributions for state in result.trajectory.states)


def comparison_words(result: Result, against: Result | None, people: People | None) -> list[str]:
    """Return the lines that compare with health or another scenario."""
    if people is not None:
        return _people_comparison(result, people)
    if against is None:
        return []
    ratio = person_ratio(result, against)
    name = comparison_name(against.scenario.body, against.scenario.title)
    clauses = [ratio_band(ratio), origin_of_increase(result, ratio)]
    often = max(result.expected_per_min, against.expected_per_min)
    if 0 < often < 0.1:
        clauses.append(f"rare in both: at most once in {time_words(60.0 / often)}")
    if (result.twitches.kind == "spasm").any():
        clauses.append("spasms not counted")
    comparison = ", ".join(filter(None, clauses))
    return [f"Against {name}, the same person over a long time: {comparison}."]


def _people_comparison(result: Result, people: People) -> list[str]:
    """Return how many people twitched and, of two scenarios, the ratio of their rates."""
    n = people.twitches.shape[1]
    active = [f"{int((row > 0).sum())} of {n}" for row in people.twitches[:2]]
    if len(people.scenarios) == 1:
        return [f"People who twitched: {active[0]}."]
    other = people.scenarios[1]
    name, ratio = comparison_name(other.body, other.title), people_ratio(people)
    clauses = [ratio_band(*ratio), origin_of_increase(result, ratio[0], people)]
    state = "in health" if name == "health" else f"under {name}"
    return [
        f"Against {name}, the same {n} people: {', '.join(filter(None, clauses))}.",
        f"People who twitched: {active[0]}, {active[1]} {state}.",
    ]


def origin_of_increase(result: Result, ratio: float, people: People | None = None) -> str:
    """Return where a raised long-run rate comes from, such as ``all from the cell body``.

    Empty if the rate is not raised. Among many people the origin is that of this person alone.
    """
    if not ratio > AS_MANY.upper:
        return ""
    share = origin_shares(result)
    if np.isnan(share).any():
        return ""
    top = int(share.argmax())
    start = "" if people is None else f"in person {result.person} "
    return f"{start}{'all' if share[top] > 0.995 else 'mostly'} from {ORIGIN_MARKS[top][2]}"


def comparison_name(body: Body, title: str) -> str:
    """Return how to name what is compared with: health, or a scenario's title."""
    return "health" if body == Body() else f"'{title}'"


def ratio_words(value: float) -> str:
    """Return a ratio with at most two digits.

    Examples
    --------
    >>> ratio_words(0.0002), ratio_words(0.123), ratio_words(234.5)
    ('nearly 0', '0.12', '230')
    """
    if value < 1e-3:
        return "nearly 0"
    if value < 100:
        return f"{value:.2g}"
    return "more than 10 000" if value >= 1e4 else f"{float(f'{value:.2g}'):.0f}"


def interval_words(low: float, high: float) -> str:
    """Return an interval of ratios, empty if there is none."""
    if math.isnan(low):
        return ""
    ends = ratio_words(low), ratio_words(high)
    return f"{ends[0]} times" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]} times"
