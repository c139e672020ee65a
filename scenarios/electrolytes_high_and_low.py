"""Which salts in the blood make muscles twitch: too little of them, or too much?

Question: sodium, potassium, calcium and magnesium, each too low and too high. In which of
the eight states do the same people twitch more often, in which less?
You should see: low calcium makes everybody twitch, high calcium and high magnesium hardly
anybody. The easier the nerve is to fire, the more it fires by itself, except for potassium.
Takes about 15 seconds. Add --show to open the figure.
"""

from _figures import BLUE, VERMILION, finish, lanes, panels, people_dots, styled, value_dots

import neurosim as ns
from neurosim.show.describe import band
from neurosim.study.compare import paired_ratio

PEOPLE = 40
IONS = ("sodium", "potassium", "calcium", "magnesium")
LOOKS = [(VERMILION, "v"), (BLUE, "o"), (VERMILION, "^")]  # low, health, high
states = ["normal", *(f"{side}_{ion}" for ion in IONS for side in ("low", "high"))]

people = ns.replicate(states, PEOPLE)  # the same people in every state
nerve = {name: ns.simulate(name, duration_s=1) for name in states}
threshold = {
    name: r.excitability.relative_to(r.healthy)["threshold_20ms_percent"]
    for name, r in nerve.items()
}
critical = {name: r.hazard.nu_critical for name, r in nerve.items()}
twitches = {name: people.twitches[people.row(name)] for name in states}


@styled
def draw():
    """Draw threshold, critical sodium current and twitches of the people for each ion."""
    title = f"Eight blood values, {PEOPLE} people: sole of the foot"
    figure, axes = panels(14, 11, 3, 4, title, sharey="row", sharex=True)
    for column, ion in enumerate(IONS):
        trio = (f"low_{ion}", "normal", f"high_{ion}")
        top, middle, bottom = axes[:, column]
        top.set_title(ion)
        value_dots(top, [threshold[name] for name in trio], LOOKS)
        value_dots(middle, [critical[name] for name in trio], LOOKS, "{:.1f}")
        people_dots(bottom, people.per_min[[people.row(name) for name in trio]], LOOKS)
        lanes(bottom, ("low", "health", "high"))
    axes[0, 0].set_ylabel("current to fire the nerve\n(20-ms threshold), % of health")
    axes[1, 0].set_ylabel("fires by itself from this persistent\nsodium current on, times healthy")
    axes[2, 0].set_ylabel("twitches per minute\n(line: median person)")
    return figure


lines = [f"The same {PEOPLE} people in each state, against themselves in health:"]
for name in states[1:]:
    ratio = paired_ratio(twitches[name], twitches["normal"])
    lines.append(
        f"{nerve[name].scenario.title}: twitches {band(ratio.value, ratio.low, ratio.high)}; "
        f"the nerve needs {threshold[name]:.0f} % of the healthy current."
    )
finish("electrolytes_high_and_low", draw(), "\n".join(lines))
