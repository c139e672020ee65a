"""Two factors at once.

Question: which pairs do more than the sum of what each does alone? Factors meet in one membrane:
their changes add up there, and the rate follows steeply.
You should see: pairs that bring the same site nearer to firing (over-breathing with lack of
magnesium or calcium) do much more than the sum; a factor that calms the axon takes most of what
the other does. Everything at its mild size; pairs of which neither raises the rate
are left out.
Takes about 20 seconds. Add --show to open the figure.
"""

from itertools import combinations

import numpy as np
from _figures import finish, panels

import neurosim as ns
from neurosim.show.style import styled
from neurosim.study.compare import paired_ratio
from neurosim.study.rates import long_run
from neurosim.study.scenario import combined

PEOPLE = 12
FACTORS = ("over_breathing", "low_calcium", "magnesium_depletion", "high_potassium", "stress",
           "sleep_loss", "caffeine", "dehydration", "diuretic", "fatigue")  # fmt: skip
WORDS = {"more": "more than\nthe sum", "same": "about\nthe sum", "fewer": "less than\nthe sum"}
titles = [ns.scenario(name).title.replace(" alone", "") for name in FACTORS]
mild = [(f"{name}_mild",) for name in FACTORS]
asked = [ns.scenario("normal"), *map(combined, mild + [a + b for a, b in combinations(mild, 2)])]
rates = dict(zip((s.name for s in asked), long_run(asked, PEOPLE), strict=True))
found, healthy = {}, rates["normal"]
raising = [n for n in FACTORS if paired_ratio(rates[f"{n}_mild"], healthy).value > 1.25]
pairs = [p for p in combinations(FACTORS, 2) if set(p) & set(raising)]
for a, b in pairs:
    sum_of_both = np.maximum(rates[f"{a}_mild"] + rates[f"{b}_mild"] - healthy, 0.0)
    found[a, b] = paired_ratio(rates[f"{a}_mild+{b}_mild"], sum_of_both)


@styled
def draw():
    """Draw a square for each pair: the rate against the sum of what each does alone."""
    figure, ax = panels(15, 12, 1, 1, f"Two mild factors at once, {PEOPLE} people")
    grid = np.full((len(FACTORS), len(FACTORS)), np.nan)
    for (a, b), ratio in found.items():
        i, j = FACTORS.index(a), FACTORS.index(b)
        grid[j, i] = np.log10(np.clip(ratio.value, 0.01, 100.0))
        ax.text(i, j, WORDS[ratio.change], ha="center", va="center", fontsize=10)
    image = ax.imshow(grid, cmap="PuOr_r", vmin=-2, vmax=2)
    bar = figure.colorbar(image, ax=ax, ticks=[-2, -1, 0, 1, 2], shrink=0.7)
    bar.ax.set_yticklabels(["1/100", "1/10", "the sum", "10 times", "100 times"])
    ax.set_xticks(range(len(titles)), titles, rotation=35, ha="right")
    ax.set_yticks(range(len(titles)), titles)
    ax.set(xlim=(-0.5, len(titles) - 1.5), ylim=(len(titles) - 0.5, 0.5))
    return figure


lines = [f"{PEOPLE} people, two mild factors at once against the sum of what each does alone:"]
for change, words in (("more", "More than the sum"), ("fewer", "Less than the sum")):
    some = [" with ".join(ns.scenario(n).title for n in p) for p in pairs
            if found[p].change == change]  # fmt: skip
    lines.append(f"{words} ({len(some)} of {len(pairs)} pairs): {'; '.join(some)}.")
finish("combinations", draw(), "\n".join(lines))
