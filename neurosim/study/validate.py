"""The model against published numbers, target by target, misses included.

Targets carry a short name (V1 to V80, N for the norms of nerve excitability). A signed
target ("goes down") has a range that is open on one side. The grade says what the target
is for the model: `fitted` if it was used in a fit, else `measured` (a prediction held
against a measurement) or `assumed` (the published number could not be read again).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from neurosim.body.kinetics import caffeine_umol_l
from neurosim.body.state import Body
from neurosim.firing.hazard import hazard_table
from neurosim.membrane import ions
from neurosim.membrane.axon import Conditions
from neurosim.membrane.excitability import compare, examine
from neurosim.muscle.force import tetanic_fraction
from neurosim.sources import number
from neurosim.study.healthy import facts
from neurosim.study.run import simulate

COLUMNS = (
    "target", "quantity", "unit", "condition", "published_low", "published_high", "model",
    "inside", "grade", "source",
)  # fmt: skip
INF = math.inf
KRISHNAN = "Krishnan 2005 Brain, doi 10.1093/brain/awh558"
KUWABARA = "Kuwabara 2002 Muscle Nerve 26:283, recalled"
GEEVASINGA = "Geevasinga 2015, doi 10.1001/jamaneurol.2014.2940"
KLEINE = "Kleine 2008, doi 10.1212/01.WNL.0000300559.14806.2A"
BLANCHARD = "Blanchard & Sawers 1983, doi 10.1007/BF00613933"
KIERNAN = "Kiernan 2002 Brain 125:1366, recalled"


@dataclass(frozen=True)
class Row:
    """One target: what was published, what the model gives, whether it lies inside."""

    target: str
    quantity: str
    unit: str
    condition: str
    published_low: float
    published_high: float
    model: float
    grade: str
    source: str

    @property
    def inside(self) -> bool:
        """Whether the model's value lies in the published range (NaN does not)."""
        return bool(self.published_low <= self.model <= self.published_high)


def _norm_rows() -> list[Row]:
    return [
        Row("N" + str(i + 1), c.measure.name, c.measure.unit, "health",
            c.human_mean - 1.96 * c.human_sd, c.human_mean + 1.96 * c.human_sd, c.model,
            "fitted", f"Nerve Norms, {c.human_n} median nerves: mean and 1.96 SD")
        for i, c in enumerate(c for c in compare(examine(Conditions())) if c.human_n)
    ]  # fmt: skip


def _condition_rows() -> list[Row]:
    """Signs of the condition targets: change against health, by measure."""
    states = {
        "potassium 6": Conditions(potassium_out_mmol_l=6.0),
        "potassium 2.8": Conditions(potassium_out_mmol_l=2.8),
        "ischaemia (pump off, potassium 6)": Conditions(potassium_out_mmol_l=6.0, pump_scale=0.0),
        "ionised calcium 0.8": Conditions(calcium_out_mmol_l=0.8),
        "ionised calcium 1.75": Conditions(calcium_out_mmol_l=1.75),
        "persistent sodium x2": Conditions(persistent_sodium_scale=2.0),
        "after one minute of contraction": Conditions(
            sodium_in_mmol_l=Conditions().sodium_in_mmol_l
            + number("body", "fatigue_sodium_load_mmol_l")
        ),
    }
    health = examine(Conditions())
    found = {name: examine(c) for name, c in states.items()}
    signs = (
        ("V19", "potassium 6", "superexcitability_percent", +1, "fitted", KRISHNAN),
        ("V19", "potassium 6", "te_d_90_100_percent", -1, "fitted", KRISHNAN),
        ("V19", "potassium 6", "relative_refractory_period_ms", +1, "fitted",
         KRISHNAN),
        ("V21", "potassium 2.8", "superexcitability_percent", -1, "fitted", KUWABARA),
        ("V21", "potassium 2.8", "relative_refractory_period_ms", -1, "fitted", KUWABARA),
        ("V21", "potassium 2.8", "te_d_90_100_percent", +1, "fitted", KUWABARA),
        ("V23", "ischaemia (pump off, potassium 6)", "sdtc_ms", +1, "measured",
         "Hofmeijer 2013 PLoS One"),
        ("V23", "ischaemia (pump off, potassium 6)", "superexcitability_percent", +1, "measured",
         "Hofmeijer 2013 PLoS One"),
        ("V27", "persistent sodium x2", "sdtc_ms", +1, "fitted", GEEVASINGA),
        ("V27", "persistent sodium x2", "superexcitability_percent", -1, "fitted",
         GEEVASINGA),
        ("V32", "after one minute of contraction", "sdtc_ms", -1, "measured",
         "Vucic 2007, PMC2117598"),
        ("V32", "after one minute of contraction", "superexcitability_percent", -1, "measured",
         "Vucic 2007, PMC2117598"),
    )  # fmt: skip
    rows = []
    for target, name, key, sign, grade, source in signs:
        change = found[name].measures[key] - health.measures[key]
        low, high = (0.0, INF) if sign > 0 else (-INF, 0.0)
        rows.append(Row(target, f"change of {key}", "of the measure", name, low, high, change,
                        grade, source))  # fmt: skip
    for target, name, low, high, grade, source in (
        ("V19", "potassium 6", -INF, 0.0, "fitted", KIERNAN),
        ("V21", "potassium 2.8", 0.0, INF, "fitted", KUWABARA),
        ("V26", "ionised calcium 0.8", -INF, 0.0, "assumed", "sign only"),
        ("V26", "ionised calcium 1.75", 0.0, INF, "assumed", "sign only"),
        ("V32", "after one minute of contraction", 12.7, 26.5, "fitted", "Vucic 2007, PMC2117598"),
    ):
        percent = found[name].relative_to(health)["threshold_1ms_percent"] - 100.0
        rows.append(Row(target, "change of 1-ms threshold", "%", name, low, high, percent,
                        grade, source))  # fmt: skip
    relative = found["after one minute of contraction"].measures["sdtc_ms"]
    relative = (relative / health.measures["sdtc_ms"] - 1.0) * 100.0
    rows.append(Row("V32", "change of time constant", "%", "after one minute of contraction",
                    -14.9, -5.1, relative, "measured", "Vucic 2007: -10 (SEM 2.5) %"))  # fmt: skip
    return rows


def _population_rows(people: int) -> list[Row]:
    names = {"vanderheijden1994": "V36", "reimers1996": "V37"}
    source = {"V36": "van der Heijden 1994", "V37": "Reimers 1996"}
    rows = []
    for f in facts(people):
        v = names[f.source]
        rows.append(Row(v, f.name, f.unit, "health", f.low, f.high, f.model, "fitted", source[v]))
    return rows


def _tetany_rows() -> list[Row]:
    """Share of a shin's units that misfire at least once a minute in low calcium."""
    from scipy.special import ndtr

    spread = number("firing", "bulk_spread") * np.log(hazard_table(Conditions()).nu_critical)
    rows = []
    for calcium, low in ((0.7, 0.05), (0.8, 0.005)):
        table = hazard_table(Conditions(calcium_out_mmol_l=calcium))
        critical = table.nu_critical
        z = np.log(critical) / spread
        share = 1.0 - (1.0 - ndtr(-z)) ** number("firing", "bulk_sites_per_unit")
        rows.append(Row("tetany", "units that misfire once a minute", "share",
                        f"ionised calcium {calcium:g}", low, 1.0, float(share), "assumed",
                        "many units in tetany; no published share"))  # fmt: skip
    health, low = (
        simulate(Body(ionised_calcium_mmol_l=c), duration_s=1.0).expected_per_min
        for c in (1.2, 0.6)
    )
    rows.append(Row("tetany", "twitches against health", "1", "ionised calcium 0.6", 10.0, INF,
                    low / health, "assumed",
                        "tetany is full there; no published ratio"))  # fmt: skip
    return rows


def _firing_rows() -> list[Row]:
    result = simulate("normal", duration_s=24 * 3600, person=_busy_person())
    f = result.firing
    unit = np.bincount(f.unit).argmax()  # the busiest unit: pooling units would mix rates
    gaps = np.diff(f.time_s[f.unit == unit]) * 1000.0
    long = gaps[gaps > 100.0]
    doublet = gaps[gaps < 20.0]
    return [
        Row("V42", "shortest interval", "ms", "busiest unit, 24 h", 3.0, 4.0,
            float(gaps.min(initial=INF)), "fitted", KLEINE),
        Row("V42", "median interval of doublets", "ms", "busiest unit, 24 h", 4.0, 6.0,
            float(np.median(doublet)) if doublet.size else math.nan, "measured",
            KLEINE),
        Row("V42", "coefficient of variation of other intervals", "1", "busiest unit, 24 h",
            0.8, 1.2, float(long.std() / long.mean()) if long.size else math.nan, "measured",
            "Kleine 2008 Neurology: Poisson"),
    ]  # fmt: skip


def _busy_person() -> int:
    """Return the most active of the first ten people, so that there are intervals to look at."""
    return int(np.argmax([simulate("normal", person=p, duration_s=60).expected_per_min
                          for p in range(10)]))  # fmt: skip


def _elsewhere_rows() -> list[Row]:
    hours = np.linspace(0.0, 4.0, 481)
    course = (
        caffeine_umol_l([(5.0 * 70.0, 0.0)], hours) * number("body", "caffeine_molar_mass") * 1e-3
    )
    slope = math.log(ions.relative_release(0.22, 0.55) / ions.relative_release(0.2, 0.55))
    half = _crossing(0.5)
    return [
        Row("V72", "peak caffeine", "mg/L", "5 mg/kg", 8.0, 12.0, float(course.max()), "measured",
            BLANCHARD),
        Row("V72", "time of peak caffeine", "min", "5 mg/kg", 14.0, 46.0,
            float(hours[course.argmax()] * 60.0), "measured",
            BLANCHARD),
        Row("V76", "log-log slope of release on calcium", "1", "low calcium", 3.4, 4.2,
            slope / math.log(1.1), "measured", "Dodge & Rahamimoff 1967: 3.78 +- 0.2"),
        Row("V65", "contraction time x rate at half of the tetanus", "1", "any unit", 0.695, 0.709,
            half, "assumed", "Fuglevand 1993"),
        Row("V1", "strength-duration time constant", "ms", "health", 0.25, 0.70,
            examine(Conditions(), full=False).tau_sd_ms, "fitted", "Mogyoros 1996 Brain 119:439"),
    ]  # fmt: skip


def _crossing(level: float) -> float:
    x = np.linspace(0.1, 3.0, 5001)
    return float(np.interp(level, np.asarray(tetanic_fraction(x)), x))


def rows(people: int = 300) -> list[dict]:
    """Return every target as a dict with the columns of `COLUMNS`.

    Parameters
    ----------
    people : int
        Simulated people behind the survey targets.
    """
    found = [
        *_norm_rows(), *_elsewhere_rows(), *_condition_rows(), *_firing_rows(),
        *_population_rows(people), *_tetany_rows(),
    ]  # fmt: skip
    return [{**asdict(r), "inside": r.inside} for r in found]
