"""One motor neuron in five states, and a voluntary movement over which axons misfire.

Question: what do caffeine, stress and fatigue change, the potential or the threshold? And can a
misfire be told from a willed discharge?
You should see: the same drive in all. Each spike raises the threshold for a while; the inward
current (PIC) does a part of the drive's work. Stress adds current and noise, fatigue slows,
calcium moves the threshold itself. Below, willed discharges follow the drive by size; misfires
of the axons do not.
Takes about 10 seconds. Add --show to open the figure.
"""

from _figures import finish, panels, threshold_trace, voluntary

import neurosim as ns
from neurosim.model.soma import pool
from neurosim.simulation.state import state_from_contributions
from neurosim.view.style import house_style

BODIES = {"in health": ns.Body(), "after coffee": ns.Body(plasma_caffeine_umol_l=40.0),
          "under stress": ns.Body(stress=0.7), "in fatigue": ns.Body(fatigue=1.0)}  # fmt: skip
UNIT, LOW = 8, ns.Body(ionised_calcium_mmol_l=1.0)
SOMAS = {
    name: state_from_contributions(ns.contributions(body)).soma for name, body in BODIES.items()
}
SOMAS["calcium low in a dish"] = SOMAS["in health"].replace(calcium_out_mmol_l=0.8)
DRIVE = pool.join_inputs(
    pool.hold_input(0.3), pool.ramp_input(0.6, 0.0, 0.12), pool.hold_input(0.8, 0.12)
)
WILL = pool.join_inputs(
    pool.hold_input(3.0),
    pool.ramp_input(3.0, 0.0, 0.16),
    pool.hold_input(3.0, 0.16),
    pool.sine_input(6.0, 0.08, 0.08, 0.5),
    pool.hold_input(3.0),
)
units = pool.build_pool(43)
runs = {
    name: pool.run_pool(units, pool.PoolInput(excitation=DRIVE), soma, seed=1, trace=(UNIT,))
    for name, soma in SOMAS.items()
}
willed = pool.run_pool(
    units,
    pool.PoolInput(excitation=WILL),
    state_from_contributions(ns.contributions(LOW)).soma,
    seed=1,
)
misfires = ns.simulate(LOW, duration_s=willed.duration_s, seed=1).firing


@house_style
def draw():
    """Draw potential and threshold in each state; then drive, willed spikes and misfires."""
    figure, axes = panels(3, 2, "A motor neuron's potential and its threshold")
    for ax, (name, one) in zip(axes.flat, runs.items(), strict=False):
        threshold_trace(ax, one)
        rate = one.spikes_s(UNIT)
        ax.set_title(f"{name}: {rate[rate > 0.9].size / 0.8:.0f} spikes per second at the end")
        ax.set(ylim=(-73, -42), ylabel="potential, mV")
        ax.set_xlabel("time, s (the drive rises from 0.3 to 0.9 s)" if ax in axes[2] else "")
    spec = axes[2, 1].get_subplotspec().subgridspec(2, 1, height_ratios=(1, 2))
    axes[2, 1].remove()
    voluntary([figure.add_subplot(spec[i]) for i in (0, 1)], WILL, willed, misfires)
    return figure


lines = [f"{n}: {r.spikes_s(UNIT).size} spikes" for n, r in runs.items()]
lines += [f"voluntary drive: {willed.time_s.size} willed discharges, {len(misfires)} misfires"]
finish("firing_trace", draw(), "\n".join(lines))
