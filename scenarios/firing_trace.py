"""A motor neuron at rest, at work, under stress and with low calcium.

Question: do drive, stress and low calcium change the potential, or the threshold?
You should see: at rest the potential wanders far below the threshold. With drive it fires in
rhythm, as every spike raises the threshold. Stress lifts the potential. Low calcium lowers the
threshold: little behind the barrier between blood and spinal fluid, plainly in a dish.
Takes about 5 seconds. Add --show to open the figure.
"""

from _figures import finish, panels

import neurosim as ns
from neurosim.membrane.motoneuron import simulate_soma
from neurosim.show.style import BLACK, BLUE, GREY, VERMILION, styled
from neurosim.study.run import state_of

DRIVE_MV, TIME_MS = 11.0, 1500
bodies = (ns.Body(), ns.Body(stress=0.5), ns.Body(ionised_calcium_mmol_l=0.8))
calm, stressed, low = (state_of(ns.contributions(body)).soma for body in bodies)
CASES = {
    "at rest": (calm, 0.0),
    "with drive": (calm, DRIVE_MV),
    "with drive, under stress": (stressed, DRIVE_MV),
    "with drive, low blood calcium": (low, DRIVE_MV),
    "with drive, calcium as low in a dish": (calm.replace(calcium_out_mmol_l=0.8), DRIVE_MV),
}
traces = {n: simulate_soma(s, drive, TIME_MS, seed=1) for n, (s, drive) in CASES.items()}


def parts(trace):
    """Return the parts of the threshold in words."""
    ions = f"ions {round(trace.threshold_electrolyte_mv, 1) + 0.0:+.1f} mV (dash-dot)"
    spikes = f"recent spikes up to {trace.threshold_adaptation_mv.max():+.1f} mV (shaded)"
    return f"healthy {trace.threshold_baseline_mv:.1f} mV (dotted)", ions, spikes


@styled
def draw():
    """Draw potential and threshold of each case, with the parts of the threshold."""
    title = "A motor neuron's cell body: the potential, and the threshold with its parts"
    figure, axes = panels(14, 14, len(CASES), 1, title, sharex=True, sharey=True)
    for ax, (name, trace) in zip(axes, traces.items(), strict=True):
        time, healthy = trace.time_ms, trace.threshold_baseline_mv
        rested = healthy + trace.threshold_electrolyte_mv
        ax.plot(time, trace.potential_mv[0], color=BLUE, lw=1.2)
        ax.fill_between(time, rested, trace.threshold_mv[0], color=VERMILION, alpha=0.25, lw=0)
        ax.plot(time, trace.threshold_mv[0], color=VERMILION, lw=1.8)
        ax.axhline(healthy, color=GREY, ls=":", lw=1.8)
        ax.axhline(rested, color=BLACK, ls="-.", lw=1.2)
        texts = ["threshold (upper line):", *parts(trace), "potential (lower line)"]
        for i, colour in enumerate((VERMILION, GREY, BLACK, VERMILION, BLUE)):
            ax.text(1.01, 0.9 - 0.16 * i, texts[i], color=colour, transform=ax.transAxes)
        ax.set(title=f"{name}: {trace.spikes[0].size} spikes", xlim=(0, TIME_MS))
        ax.set_ylabel("potential, mV")
    axes[-1].set_xlabel("time, ms")
    return figure


words = [f"{n}: {t.spikes[0].size} spikes; " + ", ".join(parts(t)) for n, t in traces.items()]
finish("firing_trace", draw(), "\n".join(words))
