"""Signs of alarm drawn: typical diaries, who shows which sign, how many alarms are true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.article.alarms import SIGNS, Alarms
from neurosim.base.errors import number_within
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.view.style import (
    ADVICE,
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    VERMILION,
    add_titles,
    axes_or_new,
    house_style,
    label_number,
    muscle_words,
    new_figure,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.article.diary import Diary

TITLES = {"benign": "benign twitching", "als": "early ALS", "pinched": "pinched nerve",
          "anxiety": "anxiety with over-breathing"}  # fmt: skip
GROUP_STYLES = {"benign": (BLUE, "o"), "als": (VERMILION, "D"), "pinched": (PURPLE, "s"),
         "anxiety": (GREEN, "^")}  # fmt: skip
GROUP_GAP = 0.25  # of a row, between groups
ROW, ROWS = 50, 20  # of the picture of a thousand alarms


@house_style
def picture_alarms(alarms: Alarms) -> Any:
    """Draw a typical diary of each group, and how many people of each show each sign.

    Parameters
    ----------
    alarms : Alarms
        With all groups.
    """
    fig = new_figure()
    grid = fig.add_gridspec(2, 4, height_ratios=(2, 3))
    first = None
    for column, group in enumerate(TITLES):
        ax = fig.add_subplot(grid[0, column], sharey=first)
        plot_diary(alarms.typical(group), ax)
        ax.set_xlabel("week of a typical diary")
        ax.tick_params(labelleft=first is None)
        first = first or ax
    ill, well = fig.add_subplot(grid[1, :2]), fig.add_subplot(grid[1, 2:])
    plot_signs(alarms, ["als"], ill)
    ill.set_title("Early ALS: how many show each sign")
    plot_signs(alarms, [group for group in TITLES if group != "als"], well)
    well.set_title("The others: how many show each sign")
    well.tick_params(labelleft=False)
    well.legend(loc="lower right", labelcolor="linecolor")
    note = "Simulated. A week's dot: the larger, the more twitches seen. Lines: 95 % intervals."
    add_titles(fig, "When to worry?", note)
    fig.alt_text = describe_alarms(alarms)
    return fig


def describe_alarms(alarms: Alarms) -> str:
    """Return the words that stand for the picture of alarms."""
    sentences: list[str] = []
    for group, title in TITLES.items():
        seen = alarms.typical(group).seen()
        active = [muscle_words(m) for m, n in zip(MUSCLES, seen.sum(axis=0), strict=True) if n]
        sentences.append(
            f"A typical diary of {title}: {label_number(float(seen.sum()))} twitches seen in "
            f"{alarms.weeks} weeks, in {', '.join(active) or 'no muscle'}."
        )
    for sign, (words, _) in SIGNS.items():
        counts = ", ".join(
            f"{share.count} of {share.total} with {title}"
            for group, title in TITLES.items()
            if (share := alarms.share(sign, group)).total
        )
        sentences.append(f"{words[:1].upper()}{words[1:]}: {counts}.")
    return " ".join([*sentences, ADVICE])


@house_style
def plot_diary(diary: Diary, ax: Any = None) -> Any:
    """Draw one person's diary: a dot for each week and muscle, its area by the twitches seen.

    Parameters
    ----------
    diary : Diary
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, seen = axes_or_new(ax), diary.seen().T
    y, x = np.nonzero(seen)
    colour, _ = GROUP_STYLES[diary.group]
    ax.scatter(x + 0.5, y, s=10.0 + 45.0 * np.log10(seen[y, x]), color=colour, alpha=0.8, lw=0)
    ax.set_yticks(range(len(MUSCLES)), [muscle_words(m) for m in MUSCLES])
    ax.set(xlim=(0, diary.weeks), ylim=(len(MUSCLES) - 0.4, -0.6), xlabel="week")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="#DDDDDD", lw=0.6)
    ax.set_axisbelow(True)
    title = TITLES[diary.group]
    ax.set_title(f"{title[:1].upper()}{title[1:]}")
    return ax


@house_style
def plot_signs(alarms: Alarms, groups: Sequence[str], ax: Any = None) -> Any:
    """Draw how many people of each group show each sign, %, with 95 % intervals.

    Parameters
    ----------
    alarms : Alarms
    groups : sequence of str
        Of `TITLES`.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes
    """
    ax, rows = axes_or_new(ax), np.arange(len(SIGNS))
    for i, group in enumerate(groups):
        colour, marker = GROUP_STYLES[group]
        shares = [alarms.share(sign, group) for sign in SIGNS]
        y = rows + GROUP_GAP * (i - 0.5 * (len(groups) - 1))
        ax.hlines(
            y, [100 * s.low for s in shares], [100 * s.high for s in shares], color=colour, lw=2.5
        )
        ax.plot([100 * s.value for s in shares], y, marker, color=colour, ms=8, label=TITLES[group])
    ax.set_yticks(rows, [words for words, _ in SIGNS.values()])
    ax.set_yticks(rows[1:] - 0.5, minor=True)
    ax.grid(axis="y", which="minor", color="#DDDDDD", lw=0.6)
    ax.set(xlim=(-2, 102), ylim=(len(rows) - 0.4, -0.6), xlabel="who shows the sign, %")
    ax.tick_params(axis="y", which="both", length=0)
    ax.set_title("How many show each sign")
    return ax


@house_style
def picture_true_alarms(share: float, sign: str = "this sign", who: str = "") -> Any:
    """Draw a thousand people in whom an alarm rings: filled squares are those who are ill.

    Parameters
    ----------
    share : float
        Of alarms that are true, 0 to 1.
    sign, who : str
        The sign in words, and among whom it was looked for.

    Raises
    ------
    NeurosimError
        If the share is not within 0 to 1.
    """
    words = describe_true_alarms(share, sign, who)
    fig = new_figure()
    plot_true_alarms(share, fig.add_subplot())
    add_titles(fig, words.replace(": ", ":\n", 1), "")
    fig.alt_text = (
        f"{words} Squares, {ROW} in a row, one for each alarm: those that are true are filled, "
        f"the false ones open. {ADVICE}"
    )
    return fig


@house_style
def plot_true_alarms(share: float, ax: Any = None) -> Any:
    """Draw a square for each of a thousand alarms: those that are true are filled.

    Parameters
    ----------
    share : float
        Of alarms that are true, 0 to 1.
    ax : matplotlib axes, optional
        New ones if omitted.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    NeurosimError
        If the share is not within 0 to 1.
    """
    true = round(1000 * number_within("share", share, 0.0, 1.0))
    ax, index = axes_or_new(ax), np.arange(ROW * ROWS)
    x, y = index % ROW, index // ROW
    ill = index < true
    ax.scatter(x[~ill], y[~ill], s=120, marker="s", facecolors="none", edgecolors=GREY, lw=0.8)
    ax.scatter(x[ill], y[ill], s=145, marker="s", color=VERMILION)
    ax.set(xlim=(-1, ROW), ylim=(ROWS, -1), aspect="equal")
    ax.axis("off")
    ax.set_title("A square for each alarm. Filled: early ALS. Open: a false alarm.")
    return ax


def describe_true_alarms(share: float, sign: str = "this sign", who: str = "") -> str:
    """Return how many of a thousand alarms are true, in a sentence.

    Examples
    --------
    >>> describe_true_alarms(0.004, "it gets worse", "everybody who twitches")
    'Of 1000 alarms (it gets worse, among everybody who twitches): 4 are true, 996 are false.'
    """
    true = 1000 * share
    count = f"{true:.0f}" if true >= 1 or not true else f"{true:.1f}"
    rest = f"{1000 - true:.0f}" if true >= 1 or not true else "nearly all"
    among = f", among {who}" if who else ""
    verb = "is" if count == "1" else "are"
    return f"Of 1000 alarms ({sign}{among}): {count} {verb} true, {rest} are false."
