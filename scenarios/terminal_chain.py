"""A few nodes in a row: one impulse, a doublet, Isaacs' afterdischarge, and grouped bursts.

Question: why does one misfire become two, one impulse a burst, and a scarred nerve fire in groups?
You should see: a healthy chain passes one impulse on. A sick last node behind a short internode
sends a doublet; both spikes arrive whole. With few fast potassium channels at the last two nodes
an impulse comes back as a burst. Two short internodes with a slow outward current fire in groups.
Takes about 20 seconds. Add --show to open the figure.
"""

import numpy as np
from _figures import finish, panels

from neurosim.base.parameters import parameter
from neurosim.model.axon import chain, terminals
from neurosim.view.style import BLACK, BLUE, GREY, VERMILION, house_style

KF = (1.0, 0.5, 0.3, 0.2, 0.1, 0.0)


def traced(units, ms, at=0, every=2, dt=0.02):
    """Return time (ms), potentials (units, times) and arriving spikes after one impulse."""
    nodes = chain.build_chain([units], parameter("chain", "axial_ns"))
    pulse = chain.Stimulus(np.eye(nodes.units)[:, at : at + 1] * 1500.0, 1.0)
    spikes, trace = chain.run_chain(
        nodes, ms, settings=chain.RunSettings(dt=dt, seed=5, every=every), stimulus=pulse
    )
    return dt * every * np.arange(1, len(trace) + 1), trace[:, :, 0].T, spikes.for_unit(0)[0]


healthy = traced([chain.ChainUnit()] * 7, 3.0, dt=0.005)
time, potential, arrived = traced(terminals.fitted_terminal("short"), 30000.0)
near = np.diff(arrived, append=np.inf) < 30.0  # the next spike is of the same burst
first = arrived[2:-1][near[2:-1] & ~near[1:-2] & ~near[3:]][0]
near_first = np.abs(time - first - 5.0) < 9.0
isaacs = {kf: traced(terminals.fitted_isaacs(kf), 80.0) for kf in KF}
groups = traced(terminals.fitted_myokymia(), 8000.0, 2, 10)
counts = [len(isaacs[kf][2]) for kf in KF]


@house_style
def draw():
    """Draw the nodes, the healthy end at the bottom."""
    figure, axes = panels(3, 2, "A few nodes of a motor axon in a row")
    doublet = time[near_first] - first, potential[:, near_first]
    traces = (
        ("a healthy chain passes one impulse on", *healthy[:2]),
        ("sick last node, short internode: a doublet", *doublet),
        ("Isaacs: fast potassium × 0.1 at the last two", *isaacs[0.1][:2]),
        ("the same chain with all its fast potassium", *isaacs[1.0][:2]),
    )
    for ax, (title, ms, mv) in zip(axes.flat, traces, strict=False):
        for u, one in enumerate(mv):
            colour = BLUE if u == 0 else VERMILION if u == len(mv) - 1 else GREY
            ax.plot(ms, one + 60.0 * u, color=colour, lw=1.2)
        ax.set(title=title, xlabel="time, ms", yticks=[], ylabel="node, the\nhealthy end below")
    axes[2, 0].plot(KF, counts, "o-", color=BLACK)
    axes[2, 0].set(title="Isaacs: spikes after one impulse", yticks=range(1, max(counts) + 1))
    axes[2, 0].set(xlabel="fast potassium, share of health", ylabel="spikes")
    axes[2, 1].plot(groups[0] / 1000.0, groups[1][0], color=BLUE, lw=0.8)
    axes[2, 1].set(title="a scar's bursts", xlabel="time, seconds", ylabel="potential, mV")
    return figure


text = f"Spikes at fast potassium {KF}: {counts}"
finish("terminal_chain", draw(), text)
