"""Draw the figures of README and docs again.

    python scripts/draw_figures.py [--people 200] [--only PART]

Writes docs/figures/*.png, by parts: `excitability`, the clinic's test in health and in named
conditions; `scenarios`, the pictures of some scripts of scenarios/; `day`, one person's day;
`pair`, health above low calcium; `threshold`, what decides how often people twitch; `ensemble`,
axons that no norm tells apart; `article`, verdicts and remedies (some minutes).
`draw_emg.py`, `draw_sensitivity.py` and the fits draw their own.
`hazard_law.png` is drawn by fit_hazard.py. `neurosim excitability --condition NAME --out DIR`
draws the same picture of any other state.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from neurosim.article.plot import picture_remedies, picture_verdicts
from neurosim.base.parameters import parameter
from neurosim.clinic.excitability import examine
from neurosim.clinic.indices import MEASURES
from neurosim.clinic.norms import norm_measures, norms
from neurosim.model.axon.axon import Conditions
from neurosim.model.axon.changes import condition, named_condition
from neurosim.model.axon.ensemble import ENSEMBLE, parameter_key
from neurosim.model.body.fields import FIELDS
from neurosim.model.firing.event_sites import mean_rate
from neurosim.model.firing.hazard import hazard_table, prefetch_tables, site_rates
from neurosim.simulation.scenario import load_scenario
from neurosim.simulation.state import tissue_state
from neurosim.view.excitability_figures import picture_excitability
from neurosim.view.figures import picture_pair
from neurosim.view.style import BLUE, PALE, VERMILION

FOLDER = Path("docs/figures")
SCENARIOS = ("firing_trace", "terminal_chain", "when_to_worry")
EXAMINED = (
    "hypokalaemia", "hyperkalaemia", "hypocalcaemia", "persistent_sodium_twice",
    "fast_potassium_lost", "ischaemia", "ischaemia_released",
)  # fmt: skip


def draw_excitability() -> None:
    """Draw the four classic plots of health and of each of `EXAMINED` over the norm band."""
    health, table = examine(Conditions()), norms()
    states = {"health": (health, "health")}
    states |= {name: (examine(condition(name)), named_condition(name).title) for name in EXAMINED}
    for name, (examination, title) in states.items():
        figure = picture_excitability(examination, health, table, title)
        figure.savefig(FOLDER / f"excitability_{name}.png", dpi=65)


def draw_scenarios() -> None:
    """Run the scenarios whose pictures the docs show, and keep these."""
    for name in SCENARIOS:
        script = Path("scenarios") / f"{name}.py"
        subprocess.run([sys.executable, script], check=True)
        shutil.copy(Path("neurosim-out") / f"{name}.png", FOLDER)


def draw_day() -> None:
    """Draw one person's day on its clock."""
    figure = ns.simulate("a_day").plot()
    figure.savefig(FOLDER / "a_day.png", dpi=75)


def draw_pair() -> None:
    """Draw one person in health and with low calcium."""
    healthy, low = (ns.simulate(n) for n in ("normal", "low_calcium"))
    picture_pair(healthy, low).savefig(FOLDER / "health_and_low_calcium.png", dpi=110)


THRESHOLD_STATES = {
    "potassium 3.5": ns.Body(potassium_mmol_l=3.5),
    "potassium 6": ns.Body(potassium_mmol_l=6.0),
    "calcium 0.8": ns.Body(ionised_calcium_mmol_l=0.8),
    "calcium 1.5": ns.Body(ionised_calcium_mmol_l=1.5),
    "stress": load_scenario("stress").body,
    "anxiety": load_scenario("anxiety").body,
    "kidney disease": load_scenario("kidney_disease").body,
    "dehydration": load_scenario("dehydration").body,
}
DOSES = {
    "potassium_mmol_l": np.array([2.7, 3.0, 3.5, 4.0, 4.2, 4.5, 5.0, 5.5, 6.0, 6.5]),
    "ionised_calcium_mmol_l": np.array([0.7, 0.8, 0.9, 1.0, 1.1, 1.15, 1.2, 1.25, 1.35, 1.5]),
}


def draw_threshold(people: int) -> None:
    """Draw rates against the threshold of a brief pulse, and against two ions of the blood."""
    figure, (law, *doses) = plt.subplots(1, 3, figsize=(13.5, 4.4), layout="constrained")
    rho = np.linspace(0.45, 1.45, 101)
    law.plot(rho, mean_rate(rho) / mean_rate(1.0), color=BLUE, lw=2, label="closed form, no load")
    names = list(THRESHOLD_STATES)
    scenarios = [ns.Scenario(name=n, body=THRESHOLD_STATES[n]) for n in names]
    rates = ns.replicate([ns.Scenario(), *scenarios], people, duration_s=1.0).expected_per_min
    for i, name in enumerate(names):
        axon = tissue_state(scenarios[i]).axon
        x = hazard_table(axon).threshold_ratio[0]
        y = np.exp(np.mean(np.log(rates[i + 1] / rates[0])))
        law.plot(x, y, "o", color=VERMILION)
        left = i % 2 == 0
        where = {"xytext": (-7, -9) if left else (7, 2), "ha": "right" if left else "left"}
        law.annotate(name, (x, y), textcoords="offset points", fontsize=9, **where)
    law.set_yscale("log")
    law.set_xlabel("threshold of a 1-ms pulse, times health")
    law.set_ylabel("twitches, times health")
    law.set_title("The measured threshold decides")
    law.legend(frameon=False, loc="lower left")
    for ax, (field, values) in zip(doses, DOSES.items(), strict=True):
        bodies = [ns.Scenario(name=f"{v:g}", body=ns.Body(**{field: float(v)})) for v in values]
        rates = ns.replicate(bodies, people, duration_s=1.0).expected_per_min
        low, middle, high = np.quantile(rates, (0.25, 0.5, 0.75), axis=1)
        ax.fill_between(values, low, high, color=BLUE, alpha=0.25, lw=0, label="quartiles")
        ax.plot(values, middle, "o-", color=BLUE, label=f"median of {people} people")
        record = FIELDS[field]
        ax.axvspan(record.low, record.high, color=PALE, zorder=0)
        ax.set_yscale("log")
        ax.set_xlabel(f"{record.label}, mmol/L (shaded: reference range)")
        ax.set_ylabel("twitches a minute, sole of the foot")
        ax.legend(frameon=False)
    figure.savefig(FOLDER / "threshold_decides.png", dpi=80)
    plt.close(figure)


def draw_ensemble() -> None:
    """Draw what the norms see of the ensemble, and what blood does to its two kinds of sites."""
    figure, (norm, threshold, channel) = plt.subplots(
        1, 3, figsize=(13.5, 4.4), layout="constrained"
    )
    potassium = np.linspace(2.8, 7.0, 22)
    colours = plt.get_cmap("viridis")(np.linspace(0.9, 0.1, len(ENSEMBLE)))
    for axon, colour in zip(("ghk", *ENSEMBLE), ("black", *colours), strict=True):
        mark = {"color": colour, "lw": 2.5 if axon == "ghk" else 1.3}
        examination = examine(Conditions(), axon)
        of_people = {m.key: norm_measures()[m.key] for m in MEASURES if m.key in norm_measures()}
        z = [(examination.measures[k] - m) / sd for k, (m, sd) in of_people.items()]
        norm.plot(z, range(len(z)), "o", ms=4, color=colour)
        health = hazard_table(Conditions(), axon)
        states = [Conditions(potassium_out_mmol_l=float(k)) for k in potassium]
        prefetch_tables(states, axon, ())
        tables = [hazard_table(c, axon) for c in states]
        midpoint = parameter(*parameter_key(axon, "Vs"))
        label = f"{axon} ({midpoint:.1f} mV)"
        threshold.plot(potassium, [t.threshold_ratio[0] for t in tables], label=label, **mark)
        site = np.array([health.critical_multiplier])
        channel.semilogy(potassium, [site_rates(t, site)[0, 0] for t in tables], **mark)
    norm.axvspan(-1.96, 1.96, color=PALE, zorder=0)
    norm.set_yticks(
        range(len(norm_measures())),
        [m.name for m in MEASURES if m.key in norm_measures()],
        fontsize=7,
    )
    norm.set_xlabel("SD of people (shaded: 95 % of them)")
    norm.set_title("The nerve test: all alike")
    for ax in (threshold, channel):
        ax.axvspan(3.5, 5.0, color=PALE, zorder=0)
        ax.set_xlabel("potassium, mmol/L (shaded: reference range)")
    threshold.set_ylabel("threshold of a 1-ms pulse, times health")
    threshold.set_title("Event sites: one direction")
    threshold.legend(
        frameon=False, fontsize=7, title="midpoint of slow inactivation", title_fontsize=7
    )
    channel.set_ylim(1e-4, 1e3)
    channel.set_ylabel("bursts a minute")
    channel.set_title("A channel site of one a minute: not told")
    figure.savefig(FOLDER / "ensemble.png", dpi=80)
    plt.close(figure)


def draw_article(people: int) -> None:
    """Put the article's claims to many people, and draw verdicts and remedies."""
    article = ns.article(people=people, cores=os.cpu_count() or 1)
    picture_verdicts(article).savefig(FOLDER / "verdicts.png", dpi=80)
    picture_remedies(article.matrix).savefig(FOLDER / "remedies.png", dpi=80)


def main() -> None:
    """Draw and write every figure, or those of one part."""
    parts = {
        "excitability": draw_excitability,
        "threshold": lambda: draw_threshold(args.people),
        "ensemble": draw_ensemble,
        "scenarios": draw_scenarios,
        "day": draw_day,
        "pair": draw_pair,
        "article": lambda: draw_article(args.people),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--only", choices=parts)
    args = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in parts.items():
        if args.only in (None, name):
            draw()


if __name__ == "__main__":
    main()
