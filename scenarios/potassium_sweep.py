"""Potassium from 2.5 to 8 mmol/L.

Question: does more potassium always mean more twitching, whatever drives the sodium?
You should see: the threshold falls to about 7 mmol/L and the twitches rise with it, until near 8
they stop in more and more people: spikes of such depolarised nerves are too weak to travel.
Takes about 20 seconds. Add --show to open the figure.
"""

import numpy as np
from _figures import SEEN_S, finish, panels

import neurosim as ns
from neurosim.model.body.fields import FIELDS
from neurosim.simulation.ratio import paired_ratio
from neurosim.view.describe_ratio import ratio_band
from neurosim.view.panels import log_rate_axis
from neurosim.view.style import BLUE, GREY, VERMILION, house_style

PEOPLE = 20
FORCES = {"ghk": (BLUE, "o-", "constant field (GHK)"), "ohmic": (VERMILION, "D--", "ohmic")}
usual = FIELDS["potassium_mmol_l"]
steps = [2.5, 3, 3.5, usual.healthy, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8]
scenarios = [ns.Scenario(name=f"{k:g}", body=ns.Body(potassium_mmol_l=k)) for k in steps]
people = {axon: ns.replicate(scenarios, PEOPLE, axon=axon) for axon in FORCES}


def threshold(scenario, axon):
    """Return the 20-ms threshold in per cent of health."""
    result = ns.simulate(scenario, axon=axon, duration_s=1)
    return result.excitability.relative_to(result.healthy)["threshold_20ms_percent"]


@house_style
def draw():
    """Draw threshold and twitches against potassium for both driving forces."""
    figure, (top, bottom) = panels(2, 1, "Potassium: the nerve and the twitches", sharex=True)
    least, none = 60 / SEEN_S, 15 / SEEN_S  # one twitch in all the time; where none is drawn
    for axon, (colour, line, name) in FORCES.items():
        top.plot(steps, [threshold(s, axon) for s in scenarios], line, color=colour, label=name)
        quartiles = np.maximum(np.quantile(people[axon].per_min, (0.25, 0.5, 0.75), axis=1), none)
        bottom.fill_between(steps, quartiles[0], quartiles[2], color=colour, alpha=0.15, lw=0)
        bottom.plot(steps, quartiles[1], line, color=colour)
    log_rate_axis(bottom, least, 100, none, none)
    for ax in (top, bottom):
        ax.vlines([usual.low, usual.high], *ax.get_ylim(), color=GREY, ls=":")
    top.text(
        usual.low + 0.05, 0.03, "reference range", color=GREY, transform=top.get_xaxis_transform()
    )
    top.legend(title="driving force of sodium")
    top.set_ylabel("current to fire the nerve\n(20-ms threshold), % of health")
    bottom.set_ylabel("twitches per minute\n(median person, middle half shaded)")
    bottom.set_xlabel("potassium in plasma, mmol/L")
    return figure


lines = [f"{PEOPLE} people against themselves in health, constant field (GHK); ohmic:"]
for i, k in enumerate(steps):
    ratios = [paired_ratio(p.expected_per_min[i], p.expected_per_min[3]) for p in people.values()]
    lines.append(f"{k:g} mmol/L: " + "; ".join(ratio_band(r.value) for r in ratios) + ".")
finish("potassium_sweep", draw(), "\n".join(lines))
