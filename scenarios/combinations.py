"""Two factors at once.

Question: which pairs do more than the sum of what each does alone? Factors meet in one membrane:
their changes add up there, and the rate follows steeply.
You should see: pairs that bring the same site nearer to firing (low calcium with over-breathing,
which is hyperventilation) do more than the sum; what calms the axon takes most of what the other
does. All mild; pairs of which neither raises the rate are left out. Takes about 20 s. Add --show
to open the figure.
"""

from itertools import combinations

import numpy as np
from _figures import finish, panels

import neurosim as ns
from neurosim.simulation.long_run import long_run_rates
from neurosim.simulation.ratio import paired_ratio
from neurosim.simulation.scenario import combine
from neurosim.view.style import house_style

PEOPLE = 10
FACTORS = ("over_breathing", "low_calcium", "magnesium_depletion", "high_potassium", "stress",
           "sleep_loss", "caffeine", "dehydration", "diuretic", "fatigue")  # fmt: skip
BAND_NAMES = {"more": "more than\nthe sum", "same": "about\nthe sum", "fewer": "less than\nthe sum"}
mild = [(f"{name}_mild",) for name in FACTORS]
scenarios = [
    ns.load_scenario("normal"),
    *map(combine, mild + [a + b for a, b in combinations(mild, 2)]),
]
rates = dict(zip((s.name for s in scenarios), long_run_rates(scenarios, PEOPLE), strict=True))
ratios, healthy = {}, rates["normal"]
raising = [n for n in FACTORS if paired_ratio(rates[f"{n}_mild"], healthy).value > 1.25]
pairs = [p for p in combinations(FACTORS, 2) if set(p) & set(raising)]
for a, b in pairs:
    alone = np.maximum(rates[f"{a}_mild"] + rates[f"{b}_mild"] - healthy, 0.0)
    ratios[a, b] = paired_ratio(rates[f"{a}_mild+{b}_mild"], alone)


@house_style
def draw():
    """Draw a square for each pair."""
    figure, ax = panels(1, 1, f"Two mild factors at once, {PEOPLE} people")
    grid = np.full((len(FACTORS), len(FACTORS)), np.nan)
    for (a, b), ratio in ratios.items():
        i, j = FACTORS.index(a), FACTORS.index(b)
        grid[j, i] = np.log10(np.clip(ratio.value, 0.01, 100.0))
        wide = ratio.change == "same" and ratio.high > 2.0 * ratio.low
        ax.text(
            i,
            j,
            "people\ndiffer" if wide else BAND_NAMES[ratio.change],
            ha="center",
            va="center",
            color="white" if abs(grid[j, i]) > 1.3 else "black",
        )
    image = ax.imshow(grid, cmap="PuOr_r", vmin=-2, vmax=2, aspect="auto")
    figure.colorbar(image, ax=ax, label="decades above or below the sum")
    titles = [ns.load_scenario(name).title for name in FACTORS]
    ax.set_xticks(range(len(titles)), titles, rotation=0)
    ax.set_yticks(range(len(titles)), titles)
    ax.set(xlim=(-0.5, len(raising) - 0.5), ylim=(len(titles) - 0.5, 0.5))
    return figure


lines = [f"{PEOPLE} people, two mild factors against the sum of what each does alone:"]
for change, name in (("more", "More than the sum"), ("fewer", "Less than the sum")):
    titles = [combine(p).title for p in pairs if ratios[p].change == change]
    lines.append(f"{name} ({len(titles)} of {len(pairs)} pairs): {'; '.join(titles)}.")
finish("combinations", draw(), "\n".join(lines))
