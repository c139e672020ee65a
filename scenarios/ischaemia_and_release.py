"""A cuff around the arm: ten minutes without blood, and what follows.

Question: why does a nerve first fire more easily and, once the blood is back, less easily?
You should see: without blood the pump stops and potassium gathers around the axon, so that it
depolarises; when the blood returns, the pump works off the sodium inside and hyperpolarises it
for a quarter of an hour. In people the second phase can bring twitches; the model stays silent.
Takes about 10 seconds. Add --show to open the figure.
"""

import numpy as np
from _figures import finish, panels

from neurosim.clinic.excitability import examine
from neurosim.model.axon.activity import AxonHistory, ion_course
from neurosim.model.axon.axon import Conditions
from neurosim.view.style import BLUE, GREY, VERMILION, house_style

CUFF = 10.0
minutes = np.r_[0:CUFF:6j, CUFF + 0.5 : CUFF + 3 : 6j, CUFF + 5 : CUFF + 25 : 6j]
LOOKS = {"ghk": (BLUE, "o-", "constant field (GHK)"), "ohmic": (VERMILION, "D--", "ohmic")}
NAMES = (
    "sodium inside, mmol/L",
    "potassium outside, mmol/L",
    "resting potential, mV",
    "current to fire it (1-ms pulse), % of health",
)


def curves(axon):
    """Return the four courses in time, in the order of `NAMES`."""
    course = ion_course(AxonHistory(ischaemia_min=CUFF, after_min=25.0), None, axon, minutes)
    health = examine(Conditions(), axon, full=False)
    examinations = [examine(c, axon, full=False) for c in course.conditions()]
    threshold = [e.relative_to(health)["threshold_1ms_percent"] for e in examinations]
    rest = [e.resting_potential_mv for e in examinations]
    return course.sodium_in_mmol_l, course.potassium_out_mmol_l, rest, threshold


@house_style
def draw():
    """Draw what moves, and what it does to the axon, against time."""
    figure, axes = panels(2, 2, "Ten minutes without blood (grey), and after", sharex=True)
    for axon, (colour, line, name) in LOOKS.items():
        for ax, values, title in zip(axes.flat, courses[axon], NAMES, strict=True):
            ax.plot(minutes, values, line, color=colour, ms=5, label=name)
            ax.set_title(title)
    for ax in axes.flat:
        ax.axvspan(0, CUFF, color="#E4E4E4", zorder=0)
        ax.set_xlabel("time, minutes")
    axes[1, 1].axhline(100, color=GREY, ls=":")
    axes[0, 1].legend(title="driving force of sodium", loc="upper right")
    return figure


courses = {axon: curves(axon) for axon in LOOKS}
lines = ["The threshold in per cent of health, at the end of the cuff and at its highest after:"]
for axon, (_, _, name) in LOOKS.items():
    threshold = courses[axon][3]
    lines.append(f"{name}: {threshold[5]:.0f} %, then {max(threshold):.0f} %.")
finish("ischaemia_and_release", draw(), "\n".join(lines))
