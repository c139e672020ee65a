"""The model against published numbers, target by target, misses included.

Targets carry a short name (V1 to V87, N for the norms of nerve excitability). A signed
target ("goes down") has a range that is open on one side. The grade says what the target
is for the model: `fitted` if it was used in a fit, else `measured` (a prediction held
against a measurement) or `assumed` (the published number could not be read again).
"""

from __future__ import annotations

import math

import numpy as np

from neurosim.base.calls import public
from neurosim.base.parameters import keep_reads, parameter
from neurosim.model.axon.axon import Conditions
from neurosim.model.body.kinetics import caffeine_umol_l
from neurosim.model.body.state import Body
from neurosim.model.firing.hazard import hazard_table
from neurosim.model.muscle import junction
from neurosim.simulation.simulate import simulate
from neurosim.validation import axon_targets, body_targets, lid_targets, motor_targets
from neurosim.validation.axon_targets import (
    BLANCHARD,
    KLEINE,
    condition_rows,
    norm_rows,
    population_rows,
)
from neurosim.validation.body_targets import body_rows
from neurosim.validation.lid_targets import lid_rows
from neurosim.validation.motor_targets import motor_rows
from neurosim.validation.people_targets import people_rows
from neurosim.validation.target import INF, Row, Validation

NOT_COMPUTABLE = (
    *axon_targets.NOT_COMPUTABLE,
    *motor_targets.NOT_COMPUTABLE,
    *body_targets.NOT_COMPUTABLE,
    *lid_targets.NOT_COMPUTABLE,
)


def _tetany_rows() -> list[Row]:
    """Share of a shin's units that misfire at least once a minute in low calcium."""
    from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs] scipy has no types

    spread = parameter("firing", "bulk_spread") * np.log(
        hazard_table(Conditions()).critical_multiplier
    )
    shares: list[float] = []
    for calcium in (0.7, 0.8):
        critical = hazard_table(Conditions(calcium_out_mmol_l=calcium)).critical_multiplier
        z = np.log(critical) / spread
        share = 1.0 - (1.0 - ndtr(-z)) ** parameter("firing", "bulk_sites_per_unit")
        shares.append(float(share))
    health, low = (
        simulate(Body(ionised_calcium_mmol_l=c), person=0, duration_s=1.0).expected_per_min
        for c in (1.2, 0.6)
    )
    misfiring, many = "units that misfire once a minute", "many units in tetany; no published share"
    targets = (
        ("tetany", misfiring, "share", "ionised calcium 0.7", 0.05, 1.0, shares[0], "assumed",
         many),
        ("tetany", misfiring, "share", "ionised calcium 0.8", 0.005, 1.0, shares[1], "assumed",
         many),
        ("tetany", "twitches against health", "1", "ionised calcium 0.6", 10.0, INF, low / health,
         "assumed", "tetany is full there; no published ratio"),
    )  # fmt: skip
    return [Row(*target) for target in targets]


def _firing_rows() -> list[Row]:
    result = simulate("normal", duration_s=24 * 3600, person=_busy_person())
    f = result.firing
    unit = np.bincount(f.unit).argmax()  # the busiest unit: pooling units would mix rates
    gaps = np.diff(f.time_s[f.unit == unit]) * 1000.0
    long = gaps[gaps > 100.0]
    doublet = gaps[gaps < 20.0]
    targets = (
        ("V42", "shortest interval", "ms", "busiest unit, 24 h", 3.0, 4.0,
         float(gaps.min(initial=INF)), "fitted", KLEINE),
        ("V42", "median interval of doublets", "ms", "busiest unit, 24 h", 4.0, 6.0,
         float(np.median(doublet)) if doublet.size else math.nan, "measured", KLEINE),
        ("V42", "coefficient of variation of other intervals", "1", "busiest unit, 24 h", 0.8, 1.2,
         float(long.std() / long.mean()) if long.size else math.nan, "measured",
         "Kleine 2008 Neurology: Poisson"),
    )  # fmt: skip
    return [Row(*target) for target in targets]


def _busy_person() -> int:
    """Return the most active of the first ten people, so that there are intervals to look at."""
    return int(
        np.argmax([simulate("normal", person=p, duration_s=60).expected_per_min for p in range(10)])
    )


def _elsewhere_rows() -> list[Row]:
    hours = np.linspace(0.0, 4.0, 481)
    course = (
        caffeine_umol_l([(5.0 * 70.0, 0.0)], hours)
        * parameter("body", "caffeine_molar_mass")
        * 1e-3
    )
    slope = math.log(junction.relative_release(0.22, 0.55) / junction.relative_release(0.2, 0.55))
    targets = (
        ("V72", "peak caffeine", "mg/L", "5 mg/kg", 8.0, 12.0, float(course.max()), "measured",
         BLANCHARD),
        ("V72", "time of peak caffeine", "min", "5 mg/kg", 14.0, 46.0,
         float(hours[course.argmax()] * 60.0), "measured", BLANCHARD),
        ("V76", "log-log slope of release on calcium", "1", "low calcium", 3.4, 4.2,
         slope / math.log(1.1), "measured", "Dodge & Rahamimoff 1967: 3.78 +- 0.2"),
    )  # fmt: skip
    return [Row(*target) for target in targets]


def validation_rows(people: int = 1500) -> tuple[Row, ...]:
    """Return every target.

    Parameters
    ----------
    people : int
        Simulated people behind the survey targets.
    """
    return (
        *norm_rows(),
        *_elsewhere_rows(),
        *condition_rows(),
        *_firing_rows(),
        *population_rows(people),
        *_tetany_rows(),
        *motor_rows(),
        *body_rows(),
        *people_rows(),
        *lid_rows(),
    )


@public
@keep_reads
def validate() -> Validation:
    """Hold the model against published numbers, target by target, misses included.

    The same as ``neurosim validate``; it takes about a minute.

    Returns
    -------
    Validation
        It prints the misses, draws all targets (``plot``) and writes the table (``save``).

    Examples
    --------
    >>> ns.validate().to_dataframe()  # doctest: +SKIP
    """
    return Validation(validation_rows(), NOT_COMPUTABLE)
