"""Follow one blood value from the command line to a verdict, with the number at every step.

``python scripts/one_value.py`` prints the table of docs/architecture.md in about ten seconds;
``--write`` puts it there. Every file and function is read from the code that is run.
"""

import inspect
import sys
from pathlib import Path

import numpy as np

import neurosim as ns
from neurosim.article.claims import CLAIMS, claim
from neurosim.article.report import report_html
from neurosim.article.verdict import judge_rate
from neurosim.cli import main as cli
from neurosim.clinic.excitability import examine
from neurosim.model.axon.axon import at_rest, threshold_pa
from neurosim.model.axon.ions import gate_shift_mv
from neurosim.model.axon.kernel import find_threshold
from neurosim.model.axon.people import axon_of_person
from neurosim.model.body.blood import blood
from neurosim.model.body.contributions import contributions
from neurosim.model.body.units import to_body_fields
from neurosim.model.firing.discharge import expected_bursts_per_min, sample_firing
from neurosim.model.firing.escape import escape_action
from neurosim.model.firing.event_sites import event_rate
from neurosim.model.firing.hazard import hazard_table, rates_without_load
from neurosim.model.firing.sites import draw_sites
from neurosim.model.muscle.events import find_twitches
from neurosim.model.muscle.force import muscle_force_mn
from neurosim.model.muscle.junction import transmit
from neurosim.simulation.long_run import long_run_rates
from neurosim.simulation.ratio import paired_ratio
from neurosim.simulation.scenario import Scenario, load_scenario
from neurosim.simulation.state import tissue_state
from neurosim.view.describe_ratio import ratio_band
from neurosim.view.figures import picture_chain
from neurosim.view.save import result_files
from neurosim.view.style import label_number
from neurosim.view.summary import describe

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- made by scripts/one_value.py -->\n", "<!-- end -->\n"
CLAIM, PEOPLE = 24, 200  # the claim on low calcium, and the people that the article asks
NAMES = ("normal", "low_calcium")


def place(function) -> str:
    """Return where a function or class is defined: file in neurosim, and name."""
    path = (
        Path(inspect.getsourcefile(inspect.unwrap(function)))
        .resolve()
        .relative_to(ROOT / "neurosim")
        .as_posix()
    )
    return f"`{path}`, `{function.__name__}`"


def body_steps(bodies, states):
    """Yield what happens, where, and its numbers, from the door to the tissues."""
    yield "A command names a scenario", cli.main, *(f"`run {name}`" for name in NAMES)
    values = [f"{body.ionised_calcium_mmol_l:.2f} mmol/L" for body in bodies]
    yield "The scenario's file is read into a frozen `Scenario` with a `Body`", Scenario, *values
    totals = [2.0 * body.ionised_calcium_mmol_l for body in bodies]
    units = [
        f"{total:.1f} is {to_body_fields({'calcium_mmol_l': total})['ionised_calcium_mmol_l']:.2f}"
        for total in totals
    ]
    yield "Had the sheet said *total* calcium, mmol/L", to_body_fields, *units
    made = [blood(vars(body)) for body in bodies]
    words = [f"{b['ionised_calcium_mmol_l']:.2f} mmol/L, pH {b['ph']:.2f}" for b in made]
    yield "Indirect causes act on the blood first: none here", blood, *words
    lists = [", ".join(f"{c.site} {c.change:+.2f}" for c in contributions(b)) for b in bodies]
    yield (
        "The body says what it changes where, mmol/L",
        contributions,
        *(x or "nothing" for x in lists),
    )
    words = [f"{s.axon.calcium_out_mmol_l:.2f} and {s.soma.calcium_out_mmol_l:.2f}" for s in states]
    yield "Calcium around axon and soma, mmol/L", tissue_state, *words


def nerve_steps(results):
    """Yield the same from the membrane to the discharges."""
    one = results[0]
    axon = axon_of_person(one.scenario.axon, one.sites.scores)
    conditions = [r.state.axon for r in results]
    shifts = [
        gate_shift_mv("na", c.calcium_out_mmol_l, c.magnesium_out_mmol_l, c.temperature_c,
                      axon["S5Na"])
        for c in conditions
    ]  # fmt: skip
    words = [f"{shift - shifts[0]:+.1f}" for shift in shifts]
    yield "Less calcium on the membrane's charges moves the sodium gates, mV", gate_shift_mv, *words
    rested = [at_rest(c, axon) for c in conditions]
    words = [f"{float(r.rest_mv[0]):.1f}" for r in rested]
    yield "This person's node comes to rest, mV", at_rest, *words
    words = [f"{float(threshold_pa(r, 1.0)[0]):.0f}" for r in rested]
    yield "A 1-ms pulse is tried until it just fires, pA", find_threshold, *words
    words = [f"{r.excitability.tau_sd_ms:.2f}" for r in results]
    yield "The clinic's test of that axon: strength-duration time constant, ms", examine, *words
    sites = [at_rest(c.replace(persistent_sodium_scale=2.0), axon) for c in conditions]
    words = [f"{float(escape_action(s)[0][0]):.1f}" for s in sites]
    yield "How hard noise must push a site of twice the sodium (action)", escape_action, *words
    words = [f"{r.hazard.critical_multiplier:.2f}" for r in results]
    yield "Sodium multiplier of a channel site that fires once a minute", hazard_table, *words
    words = [f"{r.hazard.threshold_ratio[0]:.3f}" for r in results]
    yield "Threshold of a brief pulse against this person in health (rho)", event_rate, *words
    rates = [rates_without_load(r.hazard, one.sites) for r in results]
    words = [f"{(rate >= 1.0).sum()} of {rate.size}" for rate in rates]
    yield "This person's sites that fire once a minute or more", draw_sites, *words
    words = [label_number(expected_bursts_per_min(r.hazards).sum()) for r in results]
    yield "Bursts a minute, sodium load in balance", expected_bursts_per_min, *words
    words = [label_number(len(r.firing)) for r in results]
    yield "Discharges drawn in ten minutes", sample_firing, *words


def muscle_steps(results):
    """Yield the same from the junction to the words and files."""
    words = [
        f"{r.state.junction.safety_factor:.2f}; {100 * r.state.transmission:.0f} % of fibres"
        for r in results
    ]
    yield "The junction's safety factor, and which share follows an impulse", transmit, *words
    words = [
        f"{label_number(len(r.twitches))}, {label_number(r.twitches.visible.sum())} visible"
        for r in results
    ]
    yield "Twitches, and those one can see", find_twitches, *words
    words = [label_number(r.force_mn(200.0).max()) for r in results]
    yield "Largest force, mN", muscle_force_mn, *words
    words = [f"{label_number(r.twitches_per_min)} a minute" for r in results]
    yield "All of it is one `Result`", ns.simulate, *words
    words = [str(len(describe(r).splitlines())) for r in results]
    yield "Told in lines of plain words", describe, *words
    words = [str(len(picture_chain(r).axes)) for r in results]
    yield "Drawn as panels of one picture", picture_chain, *words
    words = [str(len(result_files(r))) for r in results]
    yield "Saved as files", result_files, *words


def article_steps(scenarios):
    """Yield the same of many people, up to the verdict."""
    rates = dict(zip(NAMES, long_run_rates(scenarios, PEOPLE), strict=True))
    words = [f"median {label_number(np.median(rate))} a minute" for rate in rates.values()]
    yield f"{PEOPLE} people, each in both states", long_run_rates, *words
    ratio = paired_ratio(rates[NAMES[1]], rates[NAMES[0]])
    words = "1", f"{ratio.value:.0f} ({ratio.low:.0f} to {ratio.high:.0f})"
    yield "Rate ratio of the same people, 95 % interval", paired_ratio, *words
    verdict = judge_rate(claim(CLAIM), rates)
    yield f"Claim {CLAIM}: {claim(CLAIM).claim}", judge_rate, "", f"**{verdict.outcome}**"
    words = ratio_band(ratio.value, ratio.low, ratio.high)
    yield "Told as a decade band, since sizes are uncertain", ratio_band, "", words
    yield "Written into `report.html`", report_html, "", f"one row of {len(CLAIMS)}"


def table() -> str:
    """Return the table in Markdown."""
    scenarios = [load_scenario(name) for name in NAMES]
    results = [ns.simulate(scenario) for scenario in scenarios]
    bodies, states = [s.body for s in scenarios], [tissue_state(s) for s in scenarios]
    rows = [
        *body_steps(bodies, states),
        *nerve_steps(results),
        *muscle_steps(results),
        *article_steps(scenarios),
    ]
    lines = ["| | what happens | where | health | calcium 0.8 |", "|--:|---|---|---|---|"]
    for number, (what, function, health, changed) in enumerate(rows, 1):
        lines.append(f"| {number} | {what} | {place(function)} | {health} | {changed} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table, or write it into the page."""
    made = table()
    if "--write" not in sys.argv[1:]:
        print(made, end="")
        return
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
