"""Fit what a discharge leaves under the membrane, and in how large a share only for a moment.

    python scripts/calibration/fit_sodium.py [--axon ghk] [--write]

Two numbers of model/firing/parameters.toml, `load_per_discharge_mmol_l` and `load_fast_share`, on
two thresholds to 1-ms pulses: +19.6 % just after a minute of maximal contraction at 27 per second
(Vucic 2007) and +16.4 % just after ten minutes at 8 per second (Kiernan 2004). One store of 6
minutes that meets the first gives 35 % for the second. `load_fast_tau_min` is assumed: both are
met as well from 0.33 to 1.5 minutes. Each fit is followed by what is not fitted: the threshold to
0.1-ms pulses, the recovery, a contraction of 15 and 30 s. The second table takes the contraction at
20 per second, the mean while its rate falls from 27 to 15 (Bigland-Ritchie 1983). The last lines
predict the train from the contraction alone, by diffusion from the node (`DIFFUSION_SHARE`).

Ischaemia decides nothing here: without discharges the fast store is empty. About a minute.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from fit_population import rewrite
from scipy.optimize import brentq

from neurosim.base.parameters import override_all, parameter
from neurosim.model.axon import axon as ax
from neurosim.model.axon.activity import AxonHistory, ion_course

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTRACTION_PER_S, CONTRACTION_PERCENT = (27.0, 20.0), 19.6
TRAIN, TRAIN_PERCENT = AxonHistory(train_per_s=8.0, train_min=10.0), 16.4
TAUS_MIN = (0.33, 0.5, 1.0, 1.5)
AFTER_MIN = (0.0, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0)
# Sodium that enters at a node has spread evenly over the internode when all modes cos(2 pi n x / L)
# of its excess have gone. At the node each begins with twice the mean and lasts tau / n^2, together
# pi^2 / 3 times tau: as long as one store of tau that begins with pi^2 / 3 times the mean.
DIFFUSION_SHARE = 1.0 / (1.0 + 3.0 / np.pi**2)
Values = dict[tuple[str, str], float]


def rise_percent(
    history: AxonHistory, axon: str, values: Mapping[tuple[str, str], float], width_ms: float = 1.0
) -> float:
    """Return by how much a history raises the threshold to a pulse, with other numbers."""
    with override_all(values):
        loaded = ion_course(history, None, axon).conditions()[-1]
        threshold = float(ax.threshold_pa(ax.at_rest(loaded, axon), width_ms)[0])
    return 100.0 * (threshold / ax.healthy_threshold_pa(axon, width_ms) - 1.0)


def numbers(load: float, share: float, tau_min: float) -> Values:
    """Return the three numbers by name."""
    names = ("load_per_discharge_mmol_l", "load_fast_share", "load_fast_tau_min")
    return {("firing", n): v for n, v in zip(names, (load, share, tau_min), strict=True)}


def contraction(per_s: float, minutes: float = 1.0) -> AxonHistory:
    """Return a maximal contraction."""
    return AxonHistory(train_per_s=per_s, train_min=minutes)


def load_for(share: float, tau_min: float, axon: str, per_s: float) -> float:
    """Return the load per discharge at which the contraction is met."""

    def miss(load: float) -> float:
        rise = rise_percent(contraction(per_s), axon, numbers(load, share, tau_min))
        return rise - CONTRACTION_PERCENT

    return float(brentq(miss, 5e-4, 1.2e-2, xtol=1e-7))  # type: ignore[arg-type]


def fit(tau_min: float, axon: str, per_s: float = 27.0) -> Values:
    """Return the numbers at which the contraction and the train are met."""

    def miss(share: float) -> float:
        values = numbers(load_for(share, tau_min, axon, per_s), share, tau_min)
        return rise_percent(TRAIN, axon, values) - TRAIN_PERCENT

    share = float(brentq(miss, 0.2, 0.98, xtol=1e-4))  # type: ignore[arg-type]
    return numbers(load_for(share, tau_min, axon, per_s), share, tau_min)


def later(history: AxonHistory, after_min: float) -> AxonHistory:
    """Return a train, examined some minutes after it."""
    return AxonHistory(
        train_per_s=history.train_per_s, train_min=history.train_min, after_min=after_min
    )


def print_course(values: Values, axon: str, per_s: float = 27.0) -> None:
    """Print thresholds after both trains, most of which were not fitted."""
    for name, train in ((f"minute at {per_s:g}", contraction(per_s)), ("10 min at 8", TRAIN)):
        rises = [rise_percent(later(train, t), axon, values) for t in AFTER_MIN]
        print(f"    {name}, after {AFTER_MIN} min:", *np.round(rises, 1))
    short = [rise_percent(contraction(per_s, m), axon, values) for m in (0.25, 0.5)]
    print(f"    0.1-ms pulse after the train {rise_percent(TRAIN, axon, values, 0.1):.1f} (9.9)")
    print(f"    15 and 30 s at {per_s:g}:", *np.round(short, 1))
    print(f"    10 min at 2: {rise_percent(AxonHistory(0.0, 2.0, 10.0), axon, values):.1f}")


def main() -> None:
    """Fit, print what was and was not fitted, and write the parameters with --write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axon", default="ghk", choices=ax.AXONS)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    for per_s in CONTRACTION_PER_S:
        print(f"contraction at {per_s:g} per second, one store")
        print_course(numbers(load_for(0.0, 0.5, args.axon, per_s), 0.0, 0.5), args.axon, per_s)
        for tau in TAUS_MIN:
            values = fit(tau, args.axon, per_s)
            load, share, _ = values.values()
            print(f"  tau {tau} min: load {load:.6f} mmol/L, share {share:.3f}")
            print_course(values, args.axon, per_s)
    for per_s in CONTRACTION_PER_S:
        load = load_for(DIFFUSION_SHARE, 0.5, args.axon, per_s)
        rise = rise_percent(TRAIN, args.axon, numbers(load, DIFFUSION_SHARE, 0.5))
        print(
            f"share {DIFFUSION_SHARE:.3f} by diffusion, contraction at {per_s:g}: train {rise:.1f}"
        )
    if args.write:
        values = fit(parameter("firing", "load_fast_tau_min"), args.axon)
        named = {name: value for (_, name), value in values.items()}
        rewrite("neurosim/model/firing/parameters.toml", named)


if __name__ == "__main__":
    main()
