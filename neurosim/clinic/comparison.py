"""How an excitability test differs from healthy people's: z-scores and the pattern of signs."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from neurosim.clinic.indices import (
    MEASURES,
    Measure,
)
from neurosim.clinic.norms import _norm_file  # pyright: ignore[reportPrivateUsage] same room

if TYPE_CHECKING:
    from neurosim.clinic.excitability import Excitability

NORMAL_Z = 1.96


class NormComparison(NamedTuple):
    """One derived measure of the model beside the people's."""

    measure: Measure
    model: float
    human_mean: float
    human_median: float
    human_sd: float
    human_n: int
    z: float
    inside_95: bool

    @property
    def verdict(self) -> str:
        """``inside`` or ``outside`` the 95 % limits, ``not defined`` or ``no norm``."""
        if math.isnan(self.human_sd):
            return "no norm"
        if math.isnan(self.z):
            return "not defined"
        return "inside" if self.inside_95 else "outside"


def compare_with_norms(examination: Excitability) -> list[NormComparison]:
    """Return the derived measures beside the people's, in the order of `MEASURES`.

    z is the distance from the human mean in human SDs; within 1.96 counts as inside the
    95 % limits. A measure that is undefined or has no norm has z NaN and is not inside. A
    median that was not published is NaN.
    """
    rows: list[NormComparison] = []
    published: dict[str, Any] = _norm_file()["measures"]["rows"]
    for measure in MEASURES:
        row = published.get(measure.key, (None, None, 0, None))
        numbers: list[float] = [math.nan if value is None else value for value in row]
        mean, sd, n, median = numbers
        model = examination.measures[measure.key]
        z = (model - mean) / sd
        inside = abs(z) <= NORMAL_Z
        rows.append(NormComparison(measure, model, mean, median, sd, int(n), z, inside))
    return rows


PATTERNS = MappingProxyType(
    {
        "a depolarised axon": {
            "threshold_1ms_pa": -1,
            "sdtc_ms": +1,
            "relative_refractory_period_ms": +1,
            "superexcitability_percent": +1,
            "te_d_90_100_percent": -1,
            "te_h_90_100_percent": +1,
        },
        "a hyperpolarised axon": {
            "threshold_1ms_pa": +1,
            "sdtc_ms": -1,
            "relative_refractory_period_ms": -1,
            "superexcitability_percent": -1,
            "te_d_90_100_percent": +1,
            "te_h_90_100_percent": -1,
        },
        "more persistent sodium current": {
            "rheobase_pa": -1,
            "sdtc_ms": +1,
            "superexcitability_percent": -1,
            "te_d_peak_percent": +1,
        },
        "less persistent sodium current": {
            "rheobase_pa": +1,
            "sdtc_ms": -1,
            "superexcitability_percent": +1,
            "te_d_peak_percent": -1,
        },
    }
)
# A change counts from a quarter of the people's SD (a current: from 2 % of health); chosen here.
LEAST_SD, LEAST_PART = 0.25, 0.02


def sign_of_change(examination: Excitability, healthy: Excitability, key: str) -> int:
    """Return +1 or -1 if a measure (or ``threshold_1ms_pa``) is up or down, 0 if neither."""
    if key.endswith("_pa"):
        value, healthy_value = getattr(examination, key), getattr(healthy, key)
        least = LEAST_PART * healthy_value
    else:
        value, healthy_value = examination.measures[key], healthy.measures[key]
        sd: float = _norm_file()["measures"]["rows"][key][1]
        least = LEAST_SD * sd
    return int(value - healthy_value > least) - int(healthy_value - value > least)


def match_pattern(examination: Excitability, healthy: Excitability) -> str | None:
    """Return the one of `PATTERNS` whose every sign `examination` shows against `healthy`, if any.

    The signs are those known from people and experiments: a depolarised or hyperpolarised
    nerve, whatever the cause; and the whole nerve in ALS, read as more persistent sodium
    current (its larger hyperpolarising electrotonus is left out: in the model persistent
    sodium hardly moves it).
    """
    for name, signs in PATTERNS.items():
        if all(sign_of_change(examination, healthy, key) == sign for key, sign in signs.items()):
            return name
    return None
