"""One motor neuron in four bodies, and a cramp in all motor neurons of a foot muscle.

Question: what do caffeine, stress and fatigue do to a working motor neuron, and what is a cramp?
You should see: the same drive gives about the same firing; stress raises rate and noise, fatigue
slows it. The shaded inward current stands in for drive. In a shortened muscle a short train of
stimuli leaves all units firing by themselves, for tens of seconds, until a stretch ends it.
Takes about 10 seconds. Add --show to open the figure.
"""

import numpy as np
from _figures import finish, panels

import neurosim as ns
from neurosim.model.muscle.anatomy import muscle
from neurosim.model.muscle.force import muscle_force_mn
from neurosim.model.soma import cramp, pool
from neurosim.simulation.state import state_from_contributions
from neurosim.view.style import BLACK, BLUE, GREEN, GREY, VERMILION, house_style

BODIES = {"in health": ns.Body(), "after coffee": ns.Body(plasma_caffeine_umol_l=40.0),
          "under stress": ns.Body(stress=0.7), "in fatigue": ns.Body(fatigue=1.0)}  # fmt: skip
DRIVE = pool.join_inputs(
    pool.hold_input(0.5),
    pool.ramp_input(1.0, 0.0, 0.1),
    pool.hold_input(1.5, 0.1),
    pool.hold_input(0.5),
)
units = pool.build_pool(120)
somas = {n: state_from_contributions(ns.contributions(body)).soma for n, body in BODIES.items()}
runs = {
    name: pool.run_pool(units, pool.PoolInput(excitation=DRIVE), soma, seed=1, trace=(20,))
    for name, soma in somas.items()
}
person_pool = cramp.person_pool(1, muscle("foot_sole").units, prone=False)
inhibition = cramp.Stimulation(40.0, 24.0, 30.0, 2.0)
cramps = cramp.stimulate(person_pool, cramp.shorten(), inhibition, seed=3)
force = muscle_force_mn(cramps.time_s, cramps.unit, "foot_sole", cramps.duration_s, 200.0)


@house_style
def draw():
    """Draw potential, threshold and inward current; then raster and force of the cramp."""
    figure, grid = panels(3, 2, "Motor neurons at work, and a cramp")
    for ax, (name, one) in zip(grid.flat, runs.items(), strict=False):
        s, base = one.time_ms / 1000.0, one.threshold_baseline_mv
        rested = base + one.threshold_electrolyte_mv
        ax.plot(s, one.potential_mv[0], color=BLUE, lw=1.0)
        ax.plot(s, one.threshold_mv[0], color=VERMILION, lw=1.6)
        ax.fill_between(s, rested, one.threshold_mv[0], color=VERMILION, alpha=0.25, lw=0)
        ax.fill_between(s, rested - one.pic_mv[0], rested, color=GREEN, alpha=0.3, lw=0)
        ax.axhline(base, color=GREY, ls=":", lw=1.5)
        ax.set(
            title=f"{name}: {one.spikes_s(20).size} spikes",
            ylabel="potential, mV",
            xlim=(0, s[-1]),
            ylim=(-80, -28),
            xlabel="time, s",
        )
    texts = (
        ("threshold; shaded: raised by spikes", VERMILION),
        ("dotted: in health", GREY),
        ("shaded: spared by inward current", GREEN),
        ("potential", BLUE),
    )
    for i, (text, colour) in enumerate(texts):
        grid[0, 0].text(0.05 + 1.8 * (i % 2), -29 - 7 * (i // 2), text, color=colour, va="top")
    raster, pull = grid[2]
    raster.plot(cramps.time_s, cramps.unit + 1, "|", color=BLACK, ms=4)
    pull.plot(np.arange(force.size) / 200.0, force / 1000.0, color=BLACK)
    raster.set(title="cramp: stimuli 1 to 3 s, stretch 14 to 16 s", ylabel="motor unit")
    pull.set(title="its force", xlim=raster.get_xlim(), xlabel="time, s", ylabel="force, N")
    return figure


lines = [f"{n}: {r.spikes_s(20).size} spikes of unit 20" for n, r in runs.items()]
lines += [f"cramp: {(cramps.time_s > 4).sum() / person_pool.units:.0f} spikes a unit"]
finish("motoneuron_pool", draw(), "\n".join(lines))
