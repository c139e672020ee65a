"""One day with three large cups of coffee.

Question: how much is in the blood, and how often do motor neurons' cell bodies misfire?
You should see: caffeine stays into the night, yet the cell bodies misfire hardly ever; twitches
start in axon terminals (nerve endings), which it leaves alone. The shaded band shows how little
is known.
Takes about 5 seconds. Add --show to open the figure.
"""

import numpy as np
from _figures import finish, panels

import neurosim as ns
from neurosim.base.parameters import load_group, override
from neurosim.model.body.kinetics import caffeine_umol_l
from neurosim.model.soma.soma import margin_mv, misfires_per_min
from neurosim.simulation.state import state_from_contributions
from neurosim.view.style import BLUE, GREY, VERMILION, house_style

CUPS = [(200, 8), (200, 11), (200, 15)]  # mg of caffeine, o'clock
LABELS = [
    "caffeine in plasma,\nµmol/L",
    "persistent inward\ncurrent, times healthy",
    "margin: rest below\nthreshold, mV",
    "misfires of all\ncells per minute",
]
hours = np.arange(0, 24.01, 0.1)
plasma = caffeine_umol_l(CUPS, hours)
effect = load_group("body")["caffeine_pic_gain_full_block"]  # assumed
calm = ns.simulate()  # a person without caffeine
neurons = calm.sites.units


def day(strength):
    """Return level, gain, margin and misfires through the day for one strength of the effect."""
    bodies = [ns.Body(plasma_caffeine_umol_l=level) for level in plasma]
    with override("body", effect.name, strength):
        cells = [state_from_contributions(ns.contributions(body)).soma for body in bodies]
    values = [(c.pic_gain, margin_mv(c), neurons * misfires_per_min(c)) for c in cells]
    return np.vstack([plasma, np.transpose(values)])


likely, least, most = (day(strength) for strength in (effect.value, effect.low, effect.high))


@house_style
def draw():
    """Draw plasma level, gain, margin and misfires against the time of day."""
    figure, axes = panels(4, 1, "Three cups of coffee: blood and cell body", sharex=True)
    for ax, label, *lines in zip(axes, LABELS, least, likely, most, strict=True):
        ax.fill_between(hours, lines[0], lines[2], color=VERMILION, alpha=0.2, lw=0)
        ax.plot(hours, lines[1], color=VERMILION, lw=2.5)
        ax.axhline(lines[1][0], color=BLUE, ls="--", lw=1.5)
        ax.set_ylabel(label)
        ax.vlines([hour for _, hour in CUPS], *ax.get_ylim(), color=GREY, ls=":")
    axes[0].text(0.2, 2, "dashed: without caffeine\ndotted: 200 mg each", color=BLUE)
    axes[1].text(0.2, 1.05, "shaded: from no effect at all\nto twice the assumed one", color=GREY)
    axes[3].set(xlim=(0, 24), ylim=0, xticks=range(0, 25, 3), xlabel="time of day, hours")
    return figure


text = f"""One cell body of {neurons} misfires every {1 / 60 / likely[3].max():.0f} hours
after the last cup, or every {1 / 60 / most[3].max():.0f} if the effect is twice as strong.
The axon terminals fire {calm.expected_per_min:.0f} times a minute, caffeine or not."""
finish("caffeine_through_a_day", draw(), text)
