"""Published measures of nerve excitability, compared with the model's axon."""

from __future__ import annotations

import numpy as np

from neurosim.clinic.comparison import NORMAL_Z, compare_with_norms
from neurosim.clinic.excitability import Excitability, examine
from neurosim.clinic.norms import norms
from neurosim.model.axon.activity import AxonHistory, conditions_after, ion_course
from neurosim.model.axon.axon import Conditions, resting_states
from neurosim.model.axon.changes import condition
from neurosim.model.firing.hazard import conduction_probability
from neurosim.validation.surveys import survey_facts
from neurosim.validation.target import INF, Row

KRISHNAN = "Krishnan 2005 Brain, doi 10.1093/brain/awh558"
KUWABARA = "Kuwabara 2002 Muscle Nerve 26:283, recalled"
GEEVASINGA = "Geevasinga 2015, doi 10.1001/jamaneurol.2014.2940"
KLEINE = "Kleine 2008, doi 10.1212/01.WNL.0000300559.14806.2A"
BLANCHARD = "Blanchard & Sawers 1983, doi 10.1007/BF00613933"
KIERNAN = "Kiernan 2002 Brain 125:1366, recalled"
DEPOLARISATION = "Kiernan & Bostock 2000 Brain 123:2542, recalled"
HOFMEIJER = "Hofmeijer 2013 PLoS One"
JANKELOWITZ = "Jankelowitz 2007, PMC2170828"
VUCIC = "Vucic 2007, PMC2117598"
CONTRACTION = AxonHistory(train_per_s=27.0, train_min=1.0)


def norm_rows() -> list[Row]:
    """Return the rows of N: the healthy axon among the people of Nerve Norms."""
    return [
        Row(
            "N" + str(i + 1),
            c.measure.name,
            c.measure.unit,
            "health",
            c.human_mean - 1.96 * c.human_sd,
            c.human_mean + 1.96 * c.human_sd,
            c.model,
            "fitted",
            f"Nerve Norms, {c.human_n} median nerves: mean and 1.96 SD",
        )
        for i, c in enumerate(c for c in compare_with_norms(examine(Conditions())) if c.human_n)
    ]


NOT_COMPUTABLE = (
    ("V1b", "time constant of sensory axons", "the model's axon is a motor axon"),
    ("V18", "palm against wrist", "one site: the palm has no parameters of its own"),
    ("V29", "Isaacs' syndrome at the wrist", "channels are lost at the terminals, so that the "
     "wrist's axon is the healthy one and every index normal by construction"),
    ("V30", "cramp-fasciculation syndrome at the wrist", "as for V29; the one index that differs "
     "(electrotonus at -70 and -100 %) has no size to hold the model against"),
)  # fmt: skip
# Ranges of about 95 % of healthy adults, recalled: target, measure, low, high.
RECALLED_RANGES = (
    ("V3", "te_d_10_20_percent", 58.0, 78.0), ("V4", "te_d_40_60_percent", 43.0, 60.0),
    ("V5", "te_d_90_100_percent", 37.0, 53.0), ("V6", "s2_accommodation_percent", 15.0, 30.0),
    ("V7", "te_h_10_20_percent", -86.0, -62.0), ("V8", "te_h_90_100_percent", -160.0, -85.0),
    ("V9", "te_d_undershoot_percent", -27.0, -10.0), ("V9", "te_h_overshoot_percent", 7.0, 25.0),
    ("V10", "refractoriness_2_5_ms_percent", 0.0, 60.0),
    ("V10", "refractoriness_2_ms_percent", 20.0, 150.0),
    ("V11", "relative_refractory_period_ms", 2.5, 3.6),
    ("V12", "superexcitability_percent", -34.0, -14.0),
    ("V13", "subexcitability_percent", 8.0, 21.0), ("V14", "resting_iv_slope", 0.45, 0.80),
    ("V14", "minimum_iv_slope", 0.18, 0.36),
)  # fmt: skip
# One healthy man of 30 years at 33.5 degC: by curve, where, and his value.
ONE_MAN = {
    "recovery_cycle": ((3.2, 4.0, 5.0, 6.3, 7.9), (5.0, -12.8, -22.2, -24.5, -24.1)),
    "threshold_iv": ((50.0, 40.0, 30.0, 20.0, 10.0, -10.0, -20.0),
                     (49.3, 39.0, 31.6, 22.6, 13.1, -17.6, -39.3)),
}  # fmt: skip
HIS_MEASURES = {"sdtc_ms": 0.287, "te_h_10_20_percent": -64.2, "s2_accommodation_percent": 20.332,
                "te_d20_10_20_percent": 30.8, "te_h20_10_20_percent": -32.2}  # fmt: skip


def _recalled_rows(health: Excitability) -> list[Row]:
    """V1 to V14: single measures of the healthy axon."""
    ratio = health.threshold_1ms_pa / health.rheobase_pa
    rows = [
        Row("V1", "strength-duration time constant", "ms", "health", 0.25, 0.70,
            health.tau_sd_ms, "fitted", "Mogyoros 1996 Brain 119:439"),
        Row("V2", "1-ms threshold against rheobase", "1", "health", 1.25, 1.7, ratio, "fitted",
            "Weiss's law"),
    ]  # fmt: skip
    return rows + [
        Row(
            target,
            key,
            "of the measure",
            "health",
            low,
            high,
            health.measures[key],
            "fitted",
            "Kiernan 2000 Muscle Nerve 23:399, recalled",
        )
        for target, key, low, high in RECALLED_RANGES
    ]


def _one_man_rows(health: Excitability) -> list[Row]:
    """V15 to V17: whether the model's axon and one man could be two of the same people.

    The distance between them in standard deviations of the people, the largest of a curve.
    """
    distances: list[tuple[str, str, float]] = []
    curves = {"recovery_cycle": (health.recovery_interval_ms, health.recovery_change_percent),
              "threshold_iv": (health.iv_current_percent, health.iv_reduction_percent)}  # fmt: skip
    for target, (name, (positions, values)) in zip(("V15", "V17"), ONE_MAN.items(), strict=True):
        x, model = curves[name]
        curve = norms()[name]
        index = [int(np.argmin(np.abs(x - position))) for position in positions]
        largest = (np.abs(model[index] - np.array(values)) / curve.sd[index]).max()
        quantity = f"farthest point of the {name.replace('_', ' ')}"
        distances.append((target, quantity, float(largest)))
    sd = {c.measure.key: c.human_sd for c in compare_with_norms(health)}
    for key, value in HIS_MEASURES.items():
        target = "V16" if key == "sdtc_ms" else "V17"
        distance = abs(health.measures[key] - value) / sd[key]
        distances.append((target, f"distance in {key}", distance))
    unit, condition = "SD of people", "health against one man"
    source = "one record among Nerve Norms' test data; limit 1.96 of the people's SD"
    return [
        Row(target, quantity, unit, condition, 0.0, NORMAL_Z, distance, "fitted", source)
        for target, quantity, distance in distances
    ]


# Signs of change against health: target, condition, measure, sign, grade, source.
TE_D, TE_H = "te_d_90_100_percent", "te_h_90_100_percent"
SUPER, SUB, RRP = ("superexcitability_percent", "subexcitability_percent",
                   "relative_refractory_period_ms")  # fmt: skip
THRESHOLD, TAU = "threshold_1ms_pa", "sdtc_ms"
DEPOLARISED = ((THRESHOLD, -1), (TAU, +1), (RRP, +1), (SUPER, +1), (TE_D, -1), (TE_H, +1))
SIGNS = (
    (
        "V19",
        "hyperkalaemia",
        "fitted",
        KRISHNAN,
        (("refractoriness_2_5_ms_percent", +1), (SUPER, +1), (TE_D, -1), (RRP, +1)),
    ),
    ("V19", "hyperkalaemia", "fitted", KIERNAN, ((THRESHOLD, -1),)),
    (
        "V21",
        "hypokalaemia",
        "fitted",
        KUWABARA,
        ((RRP, -1), (SUPER, -1), (TE_D, +1), (TE_H, -1), (THRESHOLD, +1)),
    ),
    ("V22", "steady current in", "assumed", DEPOLARISATION, DEPOLARISED),
    (
        "V22",
        "steady current out",
        "assumed",
        DEPOLARISATION,
        tuple((key, -sign) for key, sign in DEPOLARISED),
    ),
    (
        "V23",
        "ischaemia",
        "measured",
        HOFMEIJER,
        ((THRESHOLD, -1), (TAU, +1), (RRP, +1), (SUPER, +1)),
    ),
    (
        "V24",
        "ischaemia_released",
        "assumed",
        "Bostock 1991, 1994, recalled",
        (("resting_potential_mv", -1), (THRESHOLD, +1)),
    ),
    ("V25", "over_breathing", "measured", "Macefield & Burke 1991 Brain", ((THRESHOLD, -1),)),
    ("V26", "hypocalcaemia", "assumed", "sign only", ((THRESHOLD, -1),)),
    ("V26", "hypercalcaemia", "assumed", "sign only", ((THRESHOLD, +1),)),
    (
        "V27",
        "als_early",
        "measured",
        GEEVASINGA,
        ((TAU, +1), (SUPER, -1), ("te_d_peak_percent", +1), (TE_H, -1), ("rheobase_pa", -1)),
    ),
    ("V27", "persistent_sodium_twice", "fitted", GEEVASINGA, ((TAU, +1), (SUPER, -1))),
    (
        "V28",
        "als_late",
        "measured",
        "Howells 2018, PMC6235931",
        ((THRESHOLD, +1), (TE_H, -1), ("s2_accommodation_percent", -1), (SUPER, -1)),
    ),
    (
        "V31",
        "fast_potassium_lost",
        "fitted",
        "Tomlinson 2010, doi 10.1093/brain/awq318",
        ((SUPER, -1), ("te_d_peak_percent", +1)),
    ),
    (
        "V33",
        "mexiletine",
        "assumed",
        "contested: shorter in some reports, unchanged in a trial",
        ((TAU, -1),),
    ),
    ("V34", "stroke", "measured", JANKELOWITZ, ((TE_H, -1),)),
)
STEADY_PA = 40.0  # about a tenth of the 1-ms threshold


def _read_measure(examination: Excitability, key: str) -> float:
    return examination.measures[key] if key in examination.measures else getattr(examination, key)


def _signed_rows(health: Excitability, examinations: dict[str, Excitability]) -> list[Row]:
    rows: list[Row] = []
    for target, name, grade, source, signs in SIGNS:
        for key, sign in signs:
            low, high = (0.0, INF) if sign > 0 else (-INF, 0.0)
            change = _read_measure(examinations[name], key) - _read_measure(health, key)
            unit = "of the measure"
            rows.append(
                Row(target, f"change of {key}", unit, name, low, high, change, grade, source)
            )
    return rows


def _sized_rows(health: Excitability, examinations: dict[str, Excitability]) -> list[Row]:
    """V25, V27, V32, V34: changes with a published size."""
    trained = examine(conditions_after(CONTRACTION, condition("als_early")))

    def percent(changed: Excitability, rest: Excitability, key: str) -> float:
        return (_read_measure(changed, key) / _read_measure(rest, key) - 1.0) * 100.0

    states = {
        "one minute of contraction": (examinations["contraction"], health),
        "one minute of contraction, early ALS": (trained, examinations["als_early"]),
        "over_breathing": (examinations["over_breathing"], health),
        "als_early": (examinations["als_early"], health),
    }
    contraction, ill = list(states)[:2]
    sizes = (
        ("V32", contraction, THRESHOLD, 12.7, 26.5, "fitted", f"{VUCIC}: +19.6 (SEM 3.5) %"),
        ("V32", contraction, TAU, -14.9, -5.1, "measured", f"{VUCIC}: -10 (SEM 2.5) %"),
        ("V32", contraction, SUPER, 0.0, INF, "measured",
         f"{VUCIC}: +42 %, no SEM read: sign only"),
        ("V32", ill, THRESHOLD, 24.9, 48.1, "measured", f"{VUCIC}: +36.5 (SEM 5.9) %"),
        ("V32", ill, TAU, -29.6, -10.4, "measured", f"{VUCIC}: -20 (SEM 4.9) %"),
        ("V25", "over_breathing", THRESHOLD, -30.0, -20.0, "assumed",
         "20 to 30 % reported, secondary source"),
        ("V27", "als_early", TAU, 5.0, 20.0, "assumed",
         "about 0.46 against 0.41 ms, recalled; width chosen here"),
    )  # fmt: skip
    rows: list[Row] = []
    for target, name, key, low, high, grade, source in sizes:
        change = percent(*states[name], key)
        rows.append(Row(target, f"change of {key}", "%", name, low, high, change, grade, source))
    shift_mv = examinations["stroke"].resting_potential_mv - health.resting_potential_mv
    stroke = ("V34", "change of resting potential", "mV", "stroke", -1.0, 1.0, shift_mv, "assumed",
              f"{JANKELOWITZ}: no change; width chosen here")  # fmt: skip
    return [*rows, Row(*stroke)]


def _potassium_rows(health: Excitability) -> list[Row]:
    """V20: what moves with potassium from 3.5 to 5.0 mmol/L, in SDs of people.

    Within one axon: people differ in other things too, which a study of people adds.
    """
    low, high = (examine(Conditions(potassium_out_mmol_l=k)) for k in (3.5, 5.0))
    sd = {c.measure.key: c.human_sd for c in compare_with_norms(health)}
    expected = (
        (RRP, 0.0, INF, "measured"), (SUPER, 0.0, INF, "measured"), (TE_D, -INF, 0.0, "measured"),
        (TAU, -1.0, 1.0, "assumed"), (SUB, -1.0, 1.0, "assumed"), (TE_H, -1.0, 1.0, "assumed"),
    )  # fmt: skip
    width = {"measured": "", "assumed": ": not detectably; width chosen here"}
    return [
        Row(
            "V20",
            f"change of {key}",
            "SD of people",
            "potassium 3.5 to 5.0",
            least,
            most,
            (high.measures[key] - low.measures[key]) / sd[key],
            grade,
            f"Kuwabara 2007{width[grade]}",
        )
        for key, least, most, grade in expected
    ]


def _ischaemia_rows() -> list[Row]:
    """V23 and V24: an hour without blood flow, and the return of blood after twenty minutes."""
    minutes = np.arange(2.0, 61.0, 2.0)
    states = ion_course(AxonHistory(ischaemia_min=60.0), times_min=minutes).conditions()
    travels = np.minimum.accumulate([conduction_probability(c) for c in states])
    lost = float(np.interp(-0.5, -travels, minutes))
    tau = np.array([examine(c, full=False).tau_sd_ms for c in states])[minutes <= lost]
    back = 20.0 + np.array([0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0])
    released = ion_course(AxonHistory(ischaemia_min=20.0, after_min=10.0), times_min=back)
    rests = max(resting_states(c) for c in released.conditions())
    targets = (
        ("V23", "muscle's response lost", "min", "ischaemia", 34.0, 58.0, lost, "fitted",
         f"{HOFMEIJER}: 46 (SD 6) min"),
        ("V23", "change of time constant from its longest to block", "ms", "ischaemia", -INF, -1e-6,
         float(tau[-1] - np.nanmax(tau)), "measured", f"{HOFMEIJER}: falls later"),
        ("V24", "stable resting states", "1", "release of 20 min of ischaemia", 2.0, INF,
         float(rests), "assumed", "Bostock 1991, recalled: two, and firing between them"),
    )  # fmt: skip
    return [Row(*target) for target in targets]


def condition_rows() -> list[Row]:
    """Return the rows of V1 to V34: the healthy axon, and how conditions move it."""
    health = examine(Conditions())
    steady = {"steady current in": STEADY_PA, "steady current out": -STEADY_PA}
    names = {name for _, name, *_ in SIGNS} - set(steady) | {"contraction"}
    examinations = {name: examine(condition(name)) for name in names}
    examinations |= {n: examine(Conditions(bias_current_pa=pa)) for n, pa in steady.items()}
    return [
        *_recalled_rows(health),
        *_one_man_rows(health),
        *_signed_rows(health, examinations),
        *_potassium_rows(health),
        *_ischaemia_rows(),
        *_sized_rows(health, examinations),
    ]


def population_rows(people: int) -> list[Row]:
    """Return the rows of V36 and V37, on which the free numbers of the sites are fitted."""
    names = {"vanderheijden1994": "V36", "reimers1996": "V37"}
    source = {"V36": "van der Heijden 1994", "V37": "Reimers 1996"}
    rows: list[Row] = []
    for f in survey_facts(people):
        v = names[f.source]
        target = (v, f.name, f.unit, f.condition, f.low, f.high, f.model, "fitted", source[v])
        rows.append(Row(*target))
    return rows
