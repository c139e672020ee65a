"""A twitch is not a spasm: a healthy twitcher, Isaacs' syndrome, a pinched nerve and a cramp.

Question: what tells a twitch from a spasm, and one kind of twitch from another?
You should see: in health lone discharges of a few units, short and weak. In Isaacs' syndrome each
discharge comes back as a rattle of 5-ms intervals; a pinched nerve fires in groups, 15 to 200 ms
apart (these are drawn by a rule). In the cramp all units fire on for seconds, with a hundred times
the force, until a stretch at 10 s ends it.
Takes about 10 seconds. Add --show to open the figure.
"""

import numpy as np
from _figures import finish, panels

import neurosim as ns
from neurosim.view.panels import origin_handles, plot_raster
from neurosim.view.style import BLACK, ORIGIN_MARKS, house_style, label_decades

SECONDS, HZ = 15.0, 200.0
NAMES = {
    "normal": "healthy twitcher",
    "isaacs": "Isaacs' syndrome",
    "pinched_nerve": "pinched nerve",
    "cramp": "cramp, stretched at 10 s",
}
bodies = {name: ns.load_scenario(name).body for name in NAMES}
bodies["cramp"] = bodies["cramp"].replace(stretch=1.0)
results = {name: ns.simulate(body, duration_s=SECONDS, seed=4) for name, body in bodies.items()}


def intervals_ms(firing):
    """Return of each discharge but a unit's first its time (s), origin and interval (ms)."""
    order = np.lexsort((firing.time_s, firing.unit))
    later = np.diff(firing.unit[order], prepend=-1) == 0
    gap = np.diff(firing.time_s[order], prepend=0.0)[later]
    return firing.time_s[order][later], firing.origin[order][later], gap * 1000.0


@house_style
def draw():
    """Draw units, intervals and force of each, a column each."""
    figure, axes = panels(3, 4, "Twitch or spasm?", sharex=True)
    for column, (name, one) in zip(axes.T, results.items(), strict=True):
        plot_raster(one, (0.0, SECONDS), column[0])
        column[0].set_title(NAMES[name], color=BLACK)
        time, origin, gap = intervals_ms(one.firing)
        for kind, (colour, marker, _) in enumerate(ORIGIN_MARKS):
            column[1].plot(time[origin == kind], gap[origin == kind], marker, color=colour, ms=4)
        column[1].set(yscale="log", ylim=(2, 2e4), ylabel="interval in a unit, ms")
        force = one.force_mn(HZ)
        column[2].plot(np.arange(force.size) / HZ, force, color=BLACK, lw=1)
        column[2].set(yscale="log", ylim=(1, 5e4), xlabel="time, seconds", ylabel="force, mN")
        column[2].set_xticks([0, 5, 10, 15])
        for ax in column[1:]:
            label_decades(ax.yaxis)
    figure.legend(
        handles=origin_handles(list(results.values())), loc="outside upper right", ncols=4
    )
    for ax in axes.flat:
        ax.label_outer()
    return figure


lines = [f"{NAMES[name]}: {one.twitches}" for name, one in results.items()]
finish("twitch_or_spasm", draw(), "\n".join(lines))
