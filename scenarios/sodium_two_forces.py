"""Sodium in the blood, under two assumptions.

Question: a sodium channel's current can be written in two ways, with the constant-field
(GHK) or the ohmic driving force. Both fit the healthy nerve. Do they agree about too little
and too much sodium?
You should see: too much sodium quietens with both. Too little excites a little with the constant
field, which feels the sodium outside directly, and more with the ohmic force, where the water
that follows and dilutes the axon's potassium wins. How much, this model does not tell.
Takes about 40 seconds. Add --show to open the figure.
"""

from _figures import finish, lanes, panels, people_dots, value_dots

import neurosim as ns
from neurosim.simulation.ratio import paired_ratio
from neurosim.view.describe_ratio import ratio_band
from neurosim.view.style import BLUE, VERMILION, house_style

PEOPLE = 60
STATES = ("low_sodium", "normal", "high_sodium")
NAMES = ("low\n120 mmol/L", "health", "high\n160 mmol/L")
LOOKS = [(VERMILION, "v"), (BLUE, "o"), (VERMILION, "^")]
FORCES = {"ghk": "constant field (GHK)", "ohmic": "ohmic"}

people = {axon: ns.replicate(STATES, PEOPLE, axon=axon) for axon in FORCES}
highest = max(p.per_min.max() for p in people.values())


def threshold(name, axon):
    """Return the 20-ms threshold of the nerve in per cent of health."""
    result = ns.simulate(name, axon=axon, duration_s=1)
    return result.excitability.relative_to(result.healthy)["threshold_20ms_percent"]


@house_style
def draw():
    """Draw threshold and twitches of the same people, one column for each driving force."""
    title = f"Two driving forces of sodium: sole of the foot, {PEOPLE} people"
    figure, axes = panels(2, 2, title, sharey="row")
    for column, (axon, name) in enumerate(FORCES.items()):
        axes[0, column].set_title(name)
        value_dots(axes[0, column], [threshold(name, axon) for name in STATES], LOOKS)
        people_dots(axes[1, column], people[axon].per_min, LOOKS, highest)
        lanes(axes[1, column], NAMES)
    axes[0, 0].set_ylabel("current to fire the nerve\n(20-ms threshold), % of health")
    axes[1, 0].set_ylabel("twitches per minute\n(bar: median person)")
    return figure


lines = [f"The same {PEOPLE} people, against themselves in health:"]
for row, state in ((0, "Low blood sodium"), (2, "High blood sodium")):
    for axon, name in FORCES.items():
        ratio = paired_ratio(people[axon].expected_per_min[row], people[axon].expected_per_min[1])
        lines.append(f"{state}, {name}: {ratio_band(ratio.value, ratio.low, ratio.high)}.")
finish("sodium_two_forces", draw(), "\n".join(lines))
