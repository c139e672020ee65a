"""Fatigue and stress, alone and together.

Question: the same people rested and calm, just after a tiring contraction, under stress,
and both at once. Who twitches more, and which part of the nerve explains it?
You should see: the two act on different places. A tired axon is full of sodium, and pumping
it out calms the axon. Stress brings the cell body nearer to its threshold, but adrenaline
calms the axon. Axon terminals make most twitches, so in this model both mean fewer.
Takes about 10 seconds. Add --show to open the figure.
"""

from _figures import finish, lanes, panels, people_dots, value_dots

import neurosim as ns
from neurosim.model.soma.soma import margin_mv
from neurosim.simulation.ratio import paired_ratio
from neurosim.view.describe_ratio import ratio_band
from neurosim.view.style import BLACK, BLUE, GREEN, VERMILION, house_style

PEOPLE = 60
BODIES = {
    "rested\nand calm": ns.Body(),
    "tired": ns.Body(fatigue=1),
    "stressed": ns.Body(stress=0.5),
    "both": ns.Body(fatigue=1, stress=0.5),
}
LOOKS = [(BLUE, "o"), (VERMILION, "v"), (GREEN, "s"), (BLACK, "D")]

scenarios = [ns.Scenario(name=name, body=body) for name, body in BODIES.items()]
people = ns.replicate(scenarios, PEOPLE)  # the same people in every state
nerve = [ns.simulate(scenario, duration_s=1) for scenario in scenarios]
brief = [r.excitability.relative_to(r.healthy)["threshold_1ms_percent"] for r in nerve]
margin = [margin_mv(r.state.soma) for r in nerve]


@house_style
def draw():
    """Draw the axon, the cell body and the people's twitches in each state."""
    title = f"Fatigue and stress, alone and together: sole of the foot, {PEOPLE} people"
    figure, axes = panels(1, 3, title)
    value_dots(axes[0], brief, LOOKS)
    value_dots(axes[1], margin, LOOKS, "{:.1f}")
    people_dots(axes[2], people.per_min, LOOKS)
    for ax in axes:
        lanes(ax, list(BODIES))
    axes[0].set_title("Axon: higher is calmer")
    axes[0].set_ylabel("threshold of a 1-ms pulse, % of health")
    axes[1].set_title("Cell body: higher is calmer")
    axes[1].set_ylabel("margin: rest below threshold, mV")
    axes[2].set_title("Muscle: the same people")
    axes[2].set_ylabel("twitches per minute (bar: median person)")
    return figure


lines = [f"The same {PEOPLE} people, against themselves rested and calm:"]
for name, rates in list(zip(BODIES, people.expected_per_min, strict=True))[1:]:
    ratio = paired_ratio(rates, people.expected_per_min[0])
    lines.append(f"{name}: {ratio_band(ratio.value, ratio.low, ratio.high)}.")
finish("fatigue_and_stress", draw(), "\n".join(lines))
