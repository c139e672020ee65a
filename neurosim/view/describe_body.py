"""Person, body, axon and cell body in words: what a result starts from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neurosim.model.axon.people import Scores, largest_differences
from neurosim.model.body.contributions import PARAMETERS
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body
from neurosim.model.firing.hazard import rates_without_load
from neurosim.model.muscle.anatomy import SENSORY, muscle_roots
from neurosim.model.soma.soma import SomaConditions, margin_mv
from neurosim.view.style import label_number, muscle_words

if TYPE_CHECKING:
    import numpy as np

    from neurosim.clinic.excitability import Excitability
    from neurosim.simulation.result import Result
    from neurosim.simulation.scenario import Scenario


# What a clinician calls a value outside its range.
_CLINICAL_NAMES = {
    ("sodium_mmol_l", "low"): "hyponatraemia",
    ("sodium_mmol_l", "high"): "hypernatraemia",
    ("potassium_mmol_l", "low"): "hypokalaemia",
    ("potassium_mmol_l", "high"): "hyperkalaemia",
    ("ionised_calcium_mmol_l", "low"): "hypocalcaemia",
    ("ionised_calcium_mmol_l", "high"): "hypercalcaemia",
    ("ionised_magnesium_mmol_l", "low"): "hypomagnesaemia",
    ("ionised_magnesium_mmol_l", "high"): "hypermagnesaemia",
    ("paco2_mmhg", "low"): "hyperventilation, over-breathing",
    ("paco2_mmhg", "high"): "hypoventilation, too little breath",
}


def person_words(axon: str, scores: Scores) -> str:
    """Return how a person's axon differs from the mean one: the parts that differ most."""
    parts = largest_differences(axon, scores)
    differences = [
        f"{label} {change:+.{0 if unit == '%' else 1}f} {unit}"
        for label, change, unit in parts
        if abs(change) >= (0.5 if unit == "%" else 0.05)
    ]
    if not differences:
        return "Person: has the mean axon of healthy people."
    return "Person: against the mean axon of healthy people, " + ", ".join(differences) + "."


def body_words(body: Body) -> str:
    """Return what of a body lies outside its reference range, as a line of its own."""
    return f"Body: {body_state_words(body)}"


def body_state_words(body: Body) -> str:
    """Return what of a body lies outside its reference range, with its clinical name."""
    parts = [_value_words(*value) for value in body.abnormal()]
    routes = f" {body.routes()}." if body.routes() else ""
    if parts:
        return "; ".join(parts) + "; all else is normal." + routes
    if body == Body():
        return "all values are normal."
    return "all values are inside their reference ranges, but not in their middle." + routes


def _value_words(name: str, value: float, side: str) -> str:
    field = FIELDS[name]
    amount = f"{value:.4g} {field.unit}".strip()
    clinical = _CLINICAL_NAMES.get((name, side), "")
    if not field.usual:
        return f"{field.title}: {amount}" + (f" ({clinical})" if clinical else "")
    usual = f"{field.low:g} to {field.high:g}" if field.high > field.low else f"{field.low:g}"
    text = f"{field.label} {amount} is {side.upper()} (reference {usual})"
    return f"{text}, {clinical}" if clinical else text


def contribution_words(result: Result) -> str:
    """Return what the body changes in nerve and muscle, each with its grade."""
    parts: list[str] = []
    for c in result.state.contributions:
        unit = {"1": "", "degC": " °C"}.get(c.unit, f" {c.unit}")
        size = f"{c.change:+.2g}{unit}" if c.operation == "add" else f"times {c.change:.3g}"
        parts.append(f"{PARAMETERS[c.site][c.parameter]} {size} ({c.grade})")
    if not parts:
        return "What it changes: nothing."
    return "What it changes: " + "; ".join(parts) + "."


def root_words(scenario: Scenario) -> list[str]:
    """Return what a pinched nerve has to do with the muscle, one sentence, if there is one."""
    if not scenario.body.pinched_nerve:
        return []
    name, supply = muscle_words(scenario.muscle), muscle_roots(scenario.muscle)
    share = supply.get(scenario.root, 0.0)
    if share:
        return [f"Root: {scenario.root} carries {share * 100:.0f} % of the axons of the {name}."]
    if scenario.root == SENSORY:
        why = "a lesion of sensory fibres alone touches no motor axon"
    elif not supply:
        why = (
            f"the facial nerve, no spinal root, moves the {name}; {scenario.root} does not reach it"
        )
    else:
        why = (
            f"{scenario.root} carries no axons of the {name}, whose roots are "
            f"{' and '.join(supply)} (--root {max(supply, key=lambda r: supply[r])} pinches one)"
        )
    return [f"Root: {why}, so the pinched nerve changes nothing here."]


def threshold_words(examination: Excitability, healthy: Excitability) -> str:
    """Return resting potential and thresholds beside those of health."""
    if math.isnan(examination.resting_potential_mv):
        return "Axon: has no resting potential, so it cannot fire."
    rest = f"Axon: rests at {examination.resting_potential_mv:.1f} mV"
    if examination.resting_potential_mv != healthy.resting_potential_mv:
        rest += f" (health {healthy.resting_potential_mv:.1f})"
    if examination.blocked:
        return f"{rest} and is blocked: no pulse makes it fire."
    percent = examination.relative_to(healthy)
    return (
        f"{rest}; a 1-ms pulse needs {percent['threshold_1ms_percent']:.0f} % of the healthy "
        f"current, a 20-ms pulse {percent['threshold_20ms_percent']:.0f} %."
    )


def site_rates_per_min(result: Result) -> np.ndarray:
    """Return how often each of the person's sites would fire without load, per minute."""
    return rates_without_load(result.hazard, result.sites)


def count_ectopic_sites(result: Result) -> int:
    """Return how many of the person's sites fire by themselves at least once a minute."""
    return int((site_rates_per_min(result) >= 1.0).sum())


def margin_words(result: Result) -> str:
    """Return how far nerve and cell body are from firing by themselves."""
    margin, healthy = margin_mv(result.state.soma), margin_mv(SomaConditions())
    soma = f"the cell body rests {margin:.1f} mV below its threshold"
    if abs(margin - healthy) >= 0.05:
        soma += f" (health {healthy:.1f})"
    count = count_ectopic_sites(result)
    total = label_number(result.sites.unit.size)
    fires = "is an ectopic site" if count == 1 else "are ectopic sites"
    return (
        f"Margin: {label_number(count) if count else 'none'} of this person's {total} nodes "
        f"{fires} that would fire once a minute or more; {soma}."
    )
