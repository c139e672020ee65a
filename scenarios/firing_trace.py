"""A motor neuron at rest, at work, under stress and with low calcium.

Question: how far is the potential of its cell body from the threshold at rest? And what
do drive, stress and low blood calcium change: the potential, or the threshold?
You should see: at rest the potential wanders far below the threshold. With drive it fires
in a rhythm, because every spike raises the threshold and pulls the potential down. Stress
lifts the potential. Low calcium lowers the threshold, but the barrier between blood and
spinal fluid hides that; in a dish, without the barrier, it can be seen.
Takes about 5 seconds. Add --show to open the figure.
"""

from _figures import finish, panels

import neurosim as ns
from neurosim.membrane.motoneuron import margin_mv, noise_mv, simulate_soma
from neurosim.show.style import BLACK, BLUE, GREY, VERMILION, styled
from neurosim.study.run import state_of

MS = 1500


def soma(body):
    """Return the cell body's surroundings in a body."""
    return state_of(ns.contributions(body)).soma


DRIVE = 11.0  # mV
calm = soma(ns.Body())
CASES = {
    "at rest": (calm, 0.0),
    "with drive": (calm, DRIVE),
    "with drive, under stress": (soma(ns.Body(stress=0.5)), DRIVE),
    "with drive, low calcium": (soma(ns.Body(ionised_calcium_mmol_l=0.8)), DRIVE),
    "with drive, low calcium in a dish": (calm.replace(calcium_out_mmol_l=0.8), DRIVE),
}
traces = {n: simulate_soma(c, drive, MS, seed=1) for n, (c, drive) in CASES.items()}


@styled
def draw():
    """Draw potential and threshold of each case, the parts of the threshold named."""
    title = "A motor neuron's cell body: potential and threshold"
    figure, axes = panels(13, 13, len(CASES), 1, title, sharex=True, sharey=True)
    for ax, (name, trace) in zip(axes, traces.items(), strict=True):
        base = trace.threshold_baseline_mv
        rested = base + trace.threshold_electrolyte_mv
        t, threshold = trace.time_ms, trace.threshold_mv[0]
        ax.plot(t, trace.potential_mv[0], color=BLUE, lw=1)
        ax.fill_between(t, rested, threshold, color=VERMILION, alpha=0.25, lw=0)
        ax.plot(t, threshold, color=VERMILION, lw=1.8)
        ax.axhline(base, color=GREY, ls=":")
        ax.set_title(f"{name}: {trace.spikes[0].size} spikes")
    return figure


finish("firing_trace", draw(), "x")
