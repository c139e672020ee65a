"""Salts in the blood: too little of them, or too much.

Question: sodium, potassium, calcium and magnesium, each too low and too high. In which of
the eight states do the same people twitch more often, in which less?
You should see: low calcium and high potassium make everybody twitch more, high calcium, high
magnesium and low potassium less. The easier the nerve is to fire, the more it fires by itself.
Takes about 15 seconds. Add --show to open the figure.
"""

from _figures import finish, lanes, panels, people_dots, value_dots

import neurosim as ns
from neurosim.simulation.ratio import paired_ratio
from neurosim.view.describe_ratio import ratio_band
from neurosim.view.style import BLUE, VERMILION, house_style

PEOPLE = 40
IONS = ("sodium", "potassium", "calcium", "magnesium")
LOOKS = [(VERMILION, "v"), (BLUE, "o"), (VERMILION, "^")]  # low, health, high
states = ["normal", *(f"{side}_{ion}" for ion in IONS for side in ("low", "high"))]

people = ns.replicate(states, PEOPLE)  # the same people in every state
nerve = {name: ns.simulate(name, duration_s=1) for name in states}
brief, long = (
    {name: r.excitability.relative_to(r.healthy)[measure] for name, r in nerve.items()}
    for measure in ("threshold_1ms_percent", "threshold_20ms_percent")
)
rates = {name: people.per_min[people.row(name)] for name in states}


@house_style
def draw():
    """Draw both thresholds and the twitches of the people for each ion."""
    title = f"Eight blood values, {PEOPLE} people: sole of the foot"
    figure, axes = panels(3, 4, title, sharey="row")
    for column, ion in enumerate(IONS):
        trio = (f"low_{ion}", "normal", f"high_{ion}")
        low, high = (nerve[n].scenario.body.abnormal()[0][1] for n in (trio[0], trio[2]))
        axes[0, column].set_title(ion)
        value_dots(axes[0, column], [long[n] for n in trio], LOOKS)
        value_dots(axes[1, column], [brief[n] for n in trio], LOOKS)
        people_dots(axes[2, column], [rates[n] for n in trio], LOOKS, people.per_min.max())
        lanes(axes[2, column], (f"low\n{low:g} mmol/L", "health", f"high\n{high:g} mmol/L"))
    axes[0, 0].set_ylabel("long pulse\n(20-ms threshold),\n% of health")
    axes[1, 0].set_ylabel("brief pulse, decides\n(1-ms threshold),\n% of health")
    axes[2, 0].set_ylabel("twitches per minute\n(bar: median person)")
    return figure


lines = [f"The same {PEOPLE} people in each state, against themselves in health:"]
for name in states[1:]:
    row, healthy = people.row(name), people.row("normal")
    ratio = paired_ratio(people.expected_per_min[row], people.expected_per_min[healthy])
    title, needs = nerve[name].scenario.title, brief[name]
    lines.append(
        f"{title}: a brief pulse needs {needs:.0f} % of the healthy current; "
        f"twitches: {ratio_band(ratio.value, ratio.low, ratio.high)}."
    )
finish("electrolytes_high_and_low", draw(), "\n".join(lines))
