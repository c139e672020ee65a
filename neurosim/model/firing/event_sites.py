"""Event sites: ectopic sites that fire when a random event exceeds the threshold of the membrane.

Events come by chance (Poisson), `event_rate_per_s` a second, and act as a brief depolarising
pulse. Their sizes are exponentially distributed, with a mean of kappa thresholds of this person's
own healthy membrane. An event fires the site if it exceeds the threshold of the moment, which is
rho times the healthy one, so that

    rate = 60 lambda exp(-rho / kappa)        bursts per minute.

rho is what a clinic measures: the threshold of a pulse of `event_width_ms` at the ordinary node of
this person's axon in this body, over that in health. No cause of the events is assumed: no body
state changes how many come or how large they are.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np

from neurosim.base.parameters import load_group, parameter

# A site with smaller events fires less than once in twenty years of health.
LEAST_PER_MIN = 1e-7


def events_per_min() -> float:
    """Return how many events come to a site, per minute."""
    return 60.0 * parameter("firing", "event_rate_per_s")


@cache
def _fitted_at_ends() -> dict[float, dict[str, float]]:
    """Return the numbers of the sites fitted at each end of the range of `event_share`."""
    text = resources.files("neurosim.model.firing").joinpath("event_shares.csv").read_text("utf-8")
    head, *rows = (line.split(",") for line in text.splitlines())
    tables = (dict(zip(head, map(float, row), strict=True)) for row in rows)
    return {table.pop("event_share"): table for table in tables}


def fitted_at_share(share: float) -> dict[str, float]:
    """Return the fitted numbers of the group `firing` that go with another share of event sites.

    The surveys would not be met if the share alone were moved. The numbers were fitted again at
    both ends of its range (`scripts/calibration/fit_population.py --shares`); between these and
    the share in use their logarithms are interpolated.
    """
    ends, usual = _fitted_at_ends(), load_group("firing")
    shares = np.sort([*ends, usual["event_share"].value])
    fitted: dict[str, float] = {}
    for name in next(iter(ends.values())):
        values = [ends[s][name] if s in ends else usual[name].value for s in shares]
        fitted[name] = float(np.exp(np.interp(share, shares, np.log(values))))
    return fitted


def event_rate(threshold_ratio: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return bursts per minute of event sites.

    Parameters
    ----------
    threshold_ratio : ndarray
        rho, threshold of a brief pulse over that of the person's healthy axon; infinite where no
        pulse fires the axon, which gives a rate of 0.
    size : ndarray
        kappa, mean size of the events of a site in healthy thresholds; above 0.
    """
    return events_per_min() * np.exp(-threshold_ratio / size)


def least_size(per_min: float = LEAST_PER_MIN) -> float:
    """Return the mean size of events of a site that fires `per_min` times a minute in health."""
    return float(1.0 / np.log(events_per_min() / per_min))


def share_above(per_min: float, threshold_ratio: float = 1.0) -> float:
    """Return the share of event sites that fire more often than `per_min`, without load.

    exp(-rho / (tau ln(60 lambda / per_min))): sizes are exponential between sites, of mean tau.
    """
    most = events_per_min()
    if per_min >= most:
        return 0.0
    mean = parameter("firing", "event_size")
    return float(np.exp(-threshold_ratio / (mean * np.log(most / per_min))))


def mean_rate(threshold_ratio: np.ndarray | float) -> np.ndarray:
    """Return the mean rate of all event sites of a muscle without load, bursts per minute.

    60 lambda z K1(z) with z = 2 sqrt(rho / tau), K1 the modified Bessel function: the integral of
    `event_rate` over exponential sizes of mean tau.
    """
    from scipy.special import k1

    z = 2.0 * np.sqrt(np.asarray(threshold_ratio) / parameter("firing", "event_size"))
    return events_per_min() * z * k1(z)
