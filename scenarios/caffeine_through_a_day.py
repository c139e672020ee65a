"""One day with three large cups of coffee.

Question: does it make muscles twitch? 200 mg of caffeine at 8, 11 and 15 o'clock. How much is in the blood, what does it
do to the motor neuron's cell body, and how often does that fire by mistake?
You should see: caffeine stays far into the night and moves the cell body a little towards
its threshold, but that fires hardly ever; twitches start elsewhere, in the nerve endings,
where the model knows of no effect. The shaded band shows what nobody knows.
Takes about 5 seconds. Add --show to open the figure.
"""

import numpy as np
from _figures import finish, panels

import neurosim as ns
from neurosim.body.kinetics import caffeine_umol_l
from neurosim.membrane.motoneuron import margin_mv, misfires_per_min
from neurosim.show.style import BLUE, GREY, VERMILION, styled
from neurosim.sources import exchanged, load
from neurosim.study.run import state_of

CUPS = [(200, 8), (200, 11), (200, 15)]  # mg, o'clock
LABELS = ("caffeine in plasma\nµmol/L", "persistent inward current\nof the cell body, times healthy",
          "margin: rest below\nthreshold, mV", "misfires of all cell\nbodies per minute")  # fmt: skip
hours = np.arange(0, 24.01, 0.1)
plasma = caffeine_umol_l(CUPS, hours)
healthy = ns.simulate()  # a person without caffeine
effect = load("body")["caffeine_pic_gain_full_block"]  # how strong it is: assumed


def cell_body(strength):
    """Return gain, margin and misfires through the day for one strength of the effect."""
    with exchanged("body", effect.name, strength):
        bodies = [ns.Body(plasma_caffeine_umol_l=level) for level in plasma]
        somas = [state_of(ns.contributions(body)).soma for body in bodies]
    n = healthy.sites.units
    return np.array([(s.pic_gain, margin_mv(s), n * misfires_per_min(s)) for s in somas]).T


nominal, least, most = (cell_body(v) for v in (effect.value, effect.low, effect.high))


@styled
def draw():
    """Draw plasma level, gain, margin and misfires against the time of day."""
    figure, axes = panels(12, 11, 4, 1, "Three cups of coffee: blood and cell body", sharex=True)
    axes[0].plot(hours, plasma, color=VERMILION, lw=2.5)
    for mg, hour in CUPS:
        axes[0].text(hour, 1, f"↑ {mg} mg", color=GREY)
    for ax, low, middle, high in zip(axes[1:], least, nominal, most, strict=True):
        ax.fill_between(hours, low, high, color=VERMILION, alpha=0.2, lw=0)
        ax.plot(hours, middle, color=VERMILION, lw=2.5)
    for ax, label, calm in zip(axes, LABELS, (0, *nominal[:, 0]), strict=True):
        ax.axhline(calm, color=BLUE, ls="--", lw=1.5)
        ax.set_ylabel(label)
    axes[0].text(0.2, 2, "without caffeine", color=BLUE)
    axes[3].set_ylim(bottom=0)
    axes[3].set_xlim(0, 24)
    axes[3].set_xticks(range(0, 25, 3))
    axes[3].set_xlabel("time of day, hours")
    return figure


top = int(plasma.argmax())
hours_each = [1 / (60 * c[2, top]) for c in (nominal, most)]
words = (
    f"At {hours[top]:.0f} o'clock there are {plasma[top]:.0f} µmol/L of caffeine in plasma, at "
    f"midnight still {plasma[-1]:.0f}.\nThe cell bodies then rest {nominal[1, top]:.1f} mV below "
    f"their threshold ({nominal[1, 0]:.1f} mV without caffeine).\nOne of them misfires about every "
    f"{hours_each[0]:.0f} hours, at the strongest effect that is possible every "
    f"{hours_each[1]:.0f}.\nThis person's nerve endings twitch the foot "
    f"{healthy.expected_per_min:.0f} times a minute, with caffeine or without."
)
finish("caffeine_through_a_day", draw(), words)
