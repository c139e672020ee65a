"""When to worry: half a year of diaries of people who twitch, and which signs tell early ALS.

Question: twitching that persists, spreads or gets worse: how well does each tell the start of ALS
from benign twitching, a pinched nerve and anxiety, and what does the clinic add?
You should see: it persists in all with benign twitching and in fewer with early ALS; it spreads or
gets worse in some with early ALS and in few others; hardly ever both worse twitches and a loss at
the clinic without ALS. Many with early ALS show no sign yet: no sign is no proof of health.
Takes about a minute. Add --show to open the figure.
"""

from _figures import diary_panel, finish, panels, share_bars

from neurosim.muscle.anatomy import MUSCLES
from neurosim.show.style import BLUE, GREY, VERMILION, muscle_words, styled
from neurosim.study import alarms

PEOPLE, WEEKS = 16, 26
TITLES = {"benign": "benign twitching", "als": "early ALS", "pinched": "pinched nerve",
          "anxiety": "anxiety with over-breathing"}  # fmt: skip


@styled
def draw(found):
    """Draw a typical diary of each group, and how well each sign tells."""
    figure, axes = panels(2, 4, "When to worry?", height_ratios=(2, 3))
    for ax, (group, title) in zip(axes[0], TITLES.items(), strict=True):
        diary_panel(ax, found.typical(group), [muscle_words(m) for m in MUSCLES])
        ax.set_title(f"{title}\n(a typical diary)")
    for ax in axes[0, 1:]:
        ax.set_yticklabels([])
    for ax in axes[1]:
        ax.remove()
    below = axes[1, 0].get_gridspec()
    names = [words for words, _ in alarms.SIGNS.values()]
    ill, well = figure.add_subplot(below[1, :2]), figure.add_subplot(below[1, 2:])
    share_bars(ill, [found.sensitivity(s) for s in alarms.SIGNS], names, VERMILION, "o", 0.0)
    ill.set(title="of those with early ALS: who shows the sign, %")
    looks = zip(("benign", "pinched", "anxiety"), (BLUE, GREY, "black"), "osD", strict=True)
    for i, (group, colour, marker) in enumerate(looks):
        shares = [found.share(sign, group) for sign in alarms.SIGNS]
        share_bars(well, shares, [""] * len(names), colour, marker, 0.25 * (i - 1))
        well.plot([], [], marker, color=colour, ms=9, label=TITLES[group])
    well.set(title="of the others: who shows the sign, %")
    well.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    found = alarms.cohort(PEOPLE, WEEKS, cores=2)
    finish("when_to_worry", draw(found), f"{found}\nA week's dot: the larger, the more twitches.")
