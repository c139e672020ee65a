"""Results in words: what the command line prints, and the text beside every figure.

Rates are compared in decade bands, never as a bare ratio: nobody has measured how much
the rate of a healthy person's twitches changes with an ion near its reference range.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.base.parameters import Value, all_values, load_group, track_reads
from neurosim.clinic.excitability import Excitability
from neurosim.model.axon.axon import AXONS
from neurosim.model.axon.people import Scores, largest_differences
from neurosim.model.body.contributions import PARAMETERS, contributions
from neurosim.model.body.course import Course
from neurosim.model.body.fields import CONDITIONS, FIELDS
from neurosim.model.body.state import Body
from neurosim.model.firing.discharge import ORIGINS, balance
from neurosim.model.firing.sites import CLASSES
from neurosim.model.muscle.anatomy import MUSCLES, SENSORY, muscle_roots
from neurosim.model.muscle.anatomy import muscle as muscle_of
from neurosim.model.muscle.events import KINDS, Twitches
from neurosim.model.soma.soma import SomaConditions, margin_mv
from neurosim.view.style import (
    ADVICE,
    ORIGIN_MARKS,
    format_signed,
    label_number,
    muscle_words,
    pluralize,
    time_words,
)

if TYPE_CHECKING:
    from neurosim.simulation.people import People
    from neurosim.simulation.result import Result
    from neurosim.simulation.scenario import Scenario


SMALLEST_SHOWN = 0.01
SILENT_PER_MIN = 1e-5  # about one twitch in ten weeks: called silent
# Upper edge of a band of rate ratios, and its words.
_BANDS = (
    (SMALLEST_SHOWN, "near zero"),
    (1 / 10, "less than a tenth as many"),
    (1 / 2, "less than half as many"),
    (1 / 1.25, "somewhat fewer"),
    (1.25, "about as many"),
    (2.0, "somewhat more"),
    (10.0, "a few times as many"),
    (100.0, "tens of times as many"),
    (1000.0, "hundreds of times as many"),
    (math.inf, "thousands of times as many"),
)


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
    >>> band(12, 4, 300)
    'tens of times as many (between 4 and 300 times)'
    >>> band(0.0002, 0, 0.004)
    'near zero'
    >>> band(1.4, 0.7, 3.0)
    'no clear difference (between 0.7 and 3 times)'
    """
    if math.isnan(ratio):
        return "no twitches in either, so nothing to compare"
    known = not (math.isnan(low) or math.isnan(high))
    if ratio == math.inf:
        return "some, where there were none"
    words = next(text for edge, text in _BANDS if ratio < edge or edge == math.inf)
    if known and low <= 1.0 <= high:
        words = "no clear difference" if high / max(low, 1e-9) > 1.25 else "about as many"
    if not known or low == high or words == "near zero":
        return words
    if high < 0.001:
        return f"{words} (less than a thousandth)"
    for more in range(3):  # as few digits as tell the ends apart
        ends = _interval_end(low, more), _interval_end(high, more)
        if ends[0] != ends[1]:
            return f"{words} (between {ends[0]} and {ends[1]} times)"
    return f"{words} ({ends[0]} times)"


def _interval_end(value: float, more: int = 0) -> str:
    """Return an end of an interval with one digit, two if it begins with 1, and some more."""
    if value < 0.001:
        return "nearly 0"
    if value == math.inf:
        return "any number of"
    digits = 2 if 1 <= value / 10 ** math.floor(math.log10(value)) < 2 else 1
    step = 10.0 ** (math.floor(math.log10(value)) - digits - more + 1)
    return label_number(round(value / step) * step)


def people_ratio(people: People) -> tuple[float, float, float]:
    """Return rate ratio and 95 % interval of the first scenario against the second.

    The same rule as in the article's verdicts: person by person; one person alone has no
    interval.
    """
    from neurosim.simulation.ratio import paired_ratio

    found = paired_ratio(people.expected_per_min[0], people.expected_per_min[1])
    if found.people < 2:
        return found.value, math.nan, math.nan
    return found.value, found.low, found.high


def person_ratio(result: Result, against: Result) -> float:
    """Return the ratio of the long-run twitch rates of one person, NaN if both are silent."""
    a, b = result.expected_per_min, against.expected_per_min
    if max(a, b) < SILENT_PER_MIN:
        return math.nan
    return math.inf if b < SILENT_PER_MIN else a / b


# Numbers that no run reads: limits of what is accepted, conversions at the door, how well the
# hazard law fits, the survey that sets people's sites, what only a firing cell body needs, named
# conditions of an axon, chains of nodes and their bursts, axons that touch, pools of motoneurons
# and their fatigue, loss of blood flow, the needle, the detector, the mystery patient's game, and
# the rule for events whose bursts nobody told.
_UNREAD_NUMBERS = {
    "alarms": re.compile(""),
    "anatomy": re.compile(r".*\.roots\."),
    "bursts": re.compile(""),
    "chain": re.compile(""),
    "conditions": re.compile(""),
    "course": re.compile(""),
    "detect": re.compile(""),
    "fatigue": re.compile(""),
    "pool": re.compile(""),
    "membrane": re.compile(r"(ischaemia|release)_pump_|washout_|potassium_space_"),
    "body": re.compile(""),  # what a body reads is recorded
    "emg": re.compile(r"needle_|noise_needle_|core_|shaft_|onset_"),
    "ephapse": re.compile(""),
    "fit": re.compile(""),
    "hazard": re.compile(r".*error"),
    "isaacs": re.compile(""),
    "mystery": re.compile(""),
    "study": re.compile(r"(?!smallest_|rate_floor|confidence)"),
    "soma": re.compile(r"soma_(ahp|adaptation|reset|refractory|rest)_"),
}
# What a run reads only where a body has a condition; AXON is the chain's, MUSCLE the run's.
_CRAMP = {"pool": "", "soma": "(?!soma_ahp_tau)"}
_CONDITIONAL_NUMBERS = {
    "isaacs": {
        "chain": (
            r"AXON\.isaacs\.((potassium_\d+\.)?(burst_rate|size_)|interval_\d_|nu|node|internode|"
            r"noise_factor|outward_|slow_potassium)"
        ),
        "isaacs": r"AXON\.(?!.*(error|median|wrong|silent|inside))",
    },
    "pinched_nerve": {"bursts": "", "anatomy": r"MUSCLE\.roots\."},
    **{
        name: _CRAMP
        for name in ("shortened_muscle", "cramp_proneness", "nerve_stimulation_per_s", "stretch")
    },
}


def _condition_reads(body: Body, axon: str, muscle: str, room: str, name: str) -> bool:
    chain = "ohmic" if axon == "ohmic" else "ghk"
    return any(
        room in rooms
        and re.match(rooms[room].replace("AXON", chain).replace("MUSCLE", muscle), name)
        for field, rooms in _CONDITIONAL_NUMBERS.items()
        if getattr(body, field)
    )


def used_values(
    axon: str = "ghk",
    muscle: str = "foot_sole",
    body: Body | None = None,
    course: Course | None = None,
) -> list[tuple[str, Value]]:
    """Return (room, value) for the numbers a run can read: axon, muscle, conditions, the rest."""
    kind = muscle_of(muscle).site_class
    others = {name for name in MUSCLES if name != muscle}
    others |= {name for name in AXONS if name != axon}
    others |= {f"axon_{name}" for name in AXONS if name != axon}
    others |= {f"rogues_per_unit_{name}" for name in CLASSES if name != kind}
    with track_reads() as reads:
        before = body or Body()
        for each in course.knots(before, 24.0)[1] if course else [before]:
            contributions(each)
            each.blood()
    # What a muscle gives for itself stands in place of what most share.
    others |= {
        n.removeprefix(f"{muscle}.") for n in load_group("anatomy") if n.startswith(f"{muscle}.")
    }
    return [
        (room, value)
        for room, value in all_values()
        if room not in others
        and value.name.split(".")[0] not in others
        and not (room in _UNREAD_NUMBERS and _UNREAD_NUMBERS[room].match(value.name))
        or (room, value.name) in reads
        or (body and _condition_reads(body, axon, muscle, room, value.name))
    ]


def used_parameters(result: Result) -> set[tuple[str, str]]:
    """Return (group, name) of the parameters that a result can rest on; rather too many."""
    s = result.scenario
    return {(g, v.name) for g, v in used_values(s.axon, s.muscle, s.body, s.course)}


def healthy_partner(result: Result) -> Result:
    """Return the same person and seed in health."""
    from neurosim.simulation.simulate import simulate

    s = result.scenario
    title = "In health"
    same = s.replace(name="normal", title=title, about="", body=Body(), course=None)
    return simulate(same, person=result.person)


def is_healthy(result: Result) -> bool:
    """Return whether a body changes nothing."""
    return not any(state.contributions for state in result.trajectory.states)


def person_words(axon: str, scores: Scores) -> str:
    """Return how a person's axon differs from the mean one: the parts that differ most."""
    parts = largest_differences(axon, scores)
    told = [
        f"{words} {change:+.{0 if unit == '%' else 1}f} {unit}"
        for words, change, unit in parts
        if abs(change) >= (0.5 if unit == "%" else 0.05)
    ]
    if not told:
        return "Person: has the mean axon of healthy people."
    return "Person: against the mean axon of healthy people, " + ", ".join(told) + "."


def body_words(body: Body) -> str:
    """Return what of a body lies outside its reference range."""
    parts = []
    for name, value, side in body.abnormal():
        f = FIELDS[name]
        unit = f" {f.unit}" if f.unit else ""
        if name in CONDITIONS:
            parts.append(f"{f.label}: {value:.4g}{unit}")
            continue
        usual = f"{f.low:g} to {f.high:g}" if f.high > f.low else f"{f.low:g}"
        parts.append(f"{f.label} {value:.4g}{unit} is {side.upper()} (reference {usual})")
    routes = f" {body.routes()}." if body.routes() else ""
    if parts:
        return "Body: " + "; ".join(parts) + "; all else is normal." + routes
    if body == Body():
        return "Body: all values are normal."
    words = "Body: all values are inside their reference ranges, but not in their middle."
    return words + routes


def contribution_words(result: Result) -> str:
    """Return what the body changes in nerve and muscle, each with its grade."""
    parts = []
    for c in result.state.contributions:
        unit = {"1": "", "degC": " °C"}.get(c.unit, f" {c.unit}")
        size = f"{c.change:+.2g}{unit}" if c.operation == "add" else f"times {c.change:.3g}"
        parts.append(f"{PARAMETERS[c.site][c.parameter]} {size} ({c.grade})")
    if not parts:
        return "What it changes: nothing."
    return "What it changes: " + "; ".join(parts) + "."


def root_words(asked: Scenario) -> list[str]:
    """Return what a pinched nerve has to do with the muscle, one sentence, if there is one."""
    if not asked.body.pinched_nerve:
        return []
    name, supply = muscle_words(asked.muscle), muscle_roots(asked.muscle)
    share = supply.get(asked.root, 0.0)
    if share:
        return [f"Root: {asked.root} carries {share * 100:.0f} % of the axons of the {name}."]
    if asked.root == SENSORY:
        why = "a lesion of sensory fibres alone touches no motor axon"
    elif not supply:
        why = f"the facial nerve, no spinal root, moves the {name}; {asked.root} does not reach it"
    else:
        why = (
            f"{asked.root} carries no axons of the {name}, whose roots are "
            f"{' and '.join(supply)} (--root {max(supply, key=lambda r: supply[r])} pinches one)"
        )
    return [f"Root: {why}, so the pinched nerve changes nothing here."]


def threshold_words(found: Excitability, healthy: Excitability) -> str:
    """Return resting potential and thresholds beside those of health."""
    rest = f"Axon: rests at {found.resting_potential_mv:.1f} mV"
    if found.resting_potential_mv != healthy.resting_potential_mv:
        rest += f" (health {healthy.resting_potential_mv:.1f})"
    if math.isnan(found.resting_potential_mv):
        return "Axon: has no resting potential, so it cannot fire."
    if found.blocked:
        return f"{rest} and is blocked: no pulse makes it fire."
    part = found.relative_to(healthy)
    return (
        f"{rest}; a 1-ms pulse needs {part['threshold_1ms_percent']:.0f} % of the healthy current, "
        f"a 20-ms pulse {part['threshold_20ms_percent']:.0f} %."
    )


def firing_point(hazard: Any) -> tuple[float, float]:
    """Return (nu, threshold in %) of the place that fires once a minute; NaN if none does."""
    nu = float(hazard.critical_multiplier)
    if hazard.bursts_per_min[0, 0] >= 1.0:
        nu = float(hazard.sodium_multiplier[0])  # even the least excitable place fires
    return nu, float(np.interp(nu, hazard.sodium_multiplier, hazard.threshold_percent))


def margin_words(result: Result) -> str:
    """Return how far nerve and cell body are from firing by themselves."""
    margin, healthy = margin_mv(result.state.soma), margin_mv(SomaConditions())
    soma = f"the cell body rests {margin:.1f} mV below its threshold"
    if abs(margin - healthy) >= 0.05:
        soma += f" (health {healthy:.1f})"
    nu, x = firing_point(result.hazard)
    if math.isnan(nu):
        return f"Margin: no place fires by itself, however excitable; {soma}."
    near = int((result.sites.sodium_multiplier >= nu).sum())
    return (
        f"Margin: a place fires once a minute if its threshold is down to {x:.0f} % of health; "
        f"{near or 'none'} of this person's {result.sites.sodium_multiplier.size} places "
        f"{'is' if near == 1 else 'are'} there; {soma}."
    )


def firing_words(result: Result) -> str:
    """Return how many bursts there were and where they started."""
    f, n = result.firing, int((result.firing.place == 0).sum())
    if n == 0:
        return f"Discharges: none in {time_words(f.duration_s)}."
    share = np.bincount(f.origin[f.place == 0], minlength=len(ORIGINS)) / n
    top = int(share.argmax())
    units = np.unique(f.unit).size
    return (
        f"Discharges: {pluralize(n, 'burst')} of {units} of {result.sites.units} motor units, "
        f"{'all' if share[top] == 1 else 'mostly'} from {ORIGIN_MARKS[top][2]}."
    )


def twitch_words(result: Result) -> str:
    """Return how many twitches there were, of which kind, and how many could be seen."""
    t = result.twitches
    if len(t) == 0:
        some = len(result.firing) > 0
        why = " (too few muscle fibres follow a discharge)" if some else ""
        return f"Twitches: none{why}."
    short = int((~t.painful).sum())
    count = {kind: int((t.kind == kind).sum()) for kind in KINDS}
    kinds = [pluralize(count["doublet"], "doublet")]
    if count["multiplet"]:
        kinds.append(pluralize(count["multiplet"], "longer group"))
    elif not (count["neuromyotonic_burst"] or count["myokymic_burst"]):
        kinds.append("none longer")
    if count["neuromyotonic_burst"]:
        kinds.append(pluralize(count["neuromyotonic_burst"], "neuromyotonic burst"))
    if count["myokymic_burst"]:
        name = pluralize(count["myokymic_burst"], "myokymic burst")
        kinds.append(f"{name} (drawn by an empirical rule, not by a mechanism)")
    seen = int((t.visible & ~t.painful).sum())
    words = (
        f"Twitches: {label_number(short) if short else 'none'}, or "
        f"{label_number(result.twitches_per_min)} per minute, short and usually painless; "
        f"{', '.join(kinds)}; {label_number(seen) if seen else 'none'} visible."
    )
    return f"{words}\n{spasm_words(t)}" if count["spasm"] else words


def spasm_words(twitches: Twitches) -> str:
    """Return what spasms there were, by the article's distinction from twitches."""
    t, mine = twitches, twitches.kind == "spasm"
    largest = np.flatnonzero(mine)[t.discharges[mine].argmax()]
    return (
        f"Spasms: {label_number(int(mine.sum()))}, the largest of "
        f"{pluralize(int(t.units[largest]), 'motor unit')} "
        f"for {t.duration_s[largest]:.0f} s with up to {t.peak_mn[largest] / 1000.0:.2g} N: "
        "a spasm is prolonged and often painful (stated, not computed), a twitch is neither."
    )


def comparison_words(result: Result, against: Result | None, people: People | None) -> list[str]:
    """Return the lines that compare with health or another scenario."""
    if people is not None and len(people.scenarios) > 1:
        ratio = people_ratio(people)
        n = people.twitches.shape[1]
        active = [int((row > 0).sum()) for row in people.twitches[:2]]
        who = comparison_name(people.scenarios[1].body, people.scenarios[1].title)
        return [
            f"Against {who}, the same {n} people: {ratio_band(*ratio)}"
            f"{_append_clause(origin_of_increase(result, ratio[0], people))}.",
            f"People who twitched: {active[0]} of {n}, {active[1]} of {n} {_state_phrase(who)}.",
        ]
    if people is not None:
        n = people.twitches.shape[1]
        return [f"People who twitched: {int((people.twitches[0] > 0).sum())} of {n}."]
    if against is None:
        return []
    ratio = person_ratio(result, against)
    who = comparison_name(against.scenario.body, against.scenario.title)
    often = max(result.expected_per_min, against.expected_per_min)
    rare = f", rare in both: at most once in {time_words(60.0 / often)}" if 0 < often < 0.1 else ""
    source = _append_clause(origin_of_increase(result, ratio))
    spasms = ", spasms not counted" if (result.twitches.kind == "spasm").any() else ""
    return [
        f"Against {who}, the same person over a long time: {ratio_band(ratio)}{source}{rare}{spasms}."
    ]


def _append_clause(words: str) -> str:
    return f", {words}" if words else ""


def origin_shares(result: Result) -> np.ndarray:
    """Return the share of the long-run bursts that each origin gives, NaN if there are none.

    In a body that changes, of all bursts of the course.
    """
    at_s = result.trajectory.at_s
    each = np.stack([origin_bursts(result, i) for i in range(at_s.size)])
    found = each[0] if at_s.size == 1 else np.trapezoid(each, at_s, axis=0)
    return found / found.sum() if found.sum() > 0 else np.full(len(ORIGINS), math.nan)


def origin_bursts(result: Result, moment: int) -> np.ndarray:
    """Return bursts per minute of each origin at one moment, sodium loads in balance.

    Each unit's sites share its long-run rate as they do at its sodium load in balance.
    """
    hazard = result.hazards.knots[moment]
    rate, load = balance(hazard)
    grid, log = hazard.load_mmol_l, np.log(np.maximum(hazard.bursts_per_min, 1e-300))
    at = load[hazard.unit]
    j = np.clip(np.searchsorted(grid, at) - 1, 0, grid.size - 2)
    w = np.clip((at - grid[j]) / (grid[j + 1] - grid[j]), 0.0, 1.0)
    site = np.arange(at.size)
    each = np.exp((1.0 - w) * log[site, j] + w * log[site, j + 1])
    whole = np.bincount(hazard.unit, each, hazard.units)
    each = each * rate[hazard.unit] / np.maximum(whole, 1e-300)[hazard.unit]
    return np.bincount(hazard.origin, each, len(ORIGINS)) + result.other_bursts_per_min[moment]


def origin_of_increase(result: Result, ratio: float, people: People | None = None) -> str:
    """Return where a raised long-run rate comes from, such as ``all from the cell body``.

    Empty if nothing is raised. Of many people it is said of this one alone.
    """
    if not ratio > _BANDS[4][0]:
        return ""
    share = origin_shares(result)
    if np.isnan(share).any():
        return ""
    top = int(share.argmax())
    who = "" if people is None else f"in person {result.person} "
    return f"{who}{'all' if share[top] > 0.995 else 'mostly'} from {ORIGIN_MARKS[top][2]}"


def comparison_name(body: Body, title: str) -> str:
    """Return how to name what is compared with: health, or a scenario's title."""
    return "health" if body == Body() else f"'{title}'"


def _state_phrase(who: str) -> str:
    return "in health" if who == "health" else f"under {who}"


def assumption_words(
    axon: str, muscle: str, body: Body | None = None, course: Course | None = None
) -> str:
    """Return how many numbers a run leans on, and how many are assumed."""
    grades = [value.grade for _, value in used_values(axon, muscle, body, course)]
    return (
        f"This leans on {len(grades)} numbers, {grades.count('assumed')} of them assumed "
        "('neurosim sources' lists them)."
    )


def describe_sweep(label: str, values: Iterable[float], per_min: np.ndarray) -> str:
    """Return a sweep in words: the mean rate at each value.

    Parameters
    ----------
    label : str
        What is swept; after a comma its unit.
    values : iterable of float, shape (n,)
    per_min : ndarray, shape (n, people)
        Twitches per minute.
    """
    name, _, unit = label.partition(", ")
    unit = "" if unit in ("", "no unit") else f" {unit}"
    lines = [
        f"{name} {value:.4g}{unit}: {label_number(float(row.mean()))} twitches per minute on "
        f"average, {int((row > 0).sum())} of {row.size} people twitched."
        for value, row in zip(values, per_min, strict=True)
    ]
    return "\n".join([*lines, ADVICE])


def describe_soma(trace: Any, neuron: int = 0) -> str:
    """Return the trace of a motor neuron's cell body in words: spikes, thresholds, how near.

    Parameters
    ----------
    trace : SomaTrace
    neuron : int
        Which of the neurons.
    """
    potential, threshold = trace.potential_mv[neuron], trace.threshold_mv[neuron]
    base, ions = trace.threshold_baseline_mv, trace.threshold_electrolyte_mv
    near = float((threshold - potential).min())
    return "\n".join(
        [
            f"Cell body of a motor neuron, {trace.time_ms[-1] - trace.time_ms[0]:.4g} ms: "
            f"{pluralize(trace.spikes[neuron].size, 'spike')}.",
            f"Threshold: {format_signed(base)} mV in health, {format_signed(ions)} mV by the ions; recent spikes "
            f"raise it to at most {format_signed(float(threshold.max()))} mV.",
            f"Potential: {format_signed(float(np.median(potential)))} mV in the middle; "
            + (
                f"never nearer than {near:.1f} mV to the threshold."
                if near > 0
                else "it reaches the threshold."
            ),
            ADVICE,
        ]
    )
