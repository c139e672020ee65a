"""Signs of alarm drawn: typical diaries, who shows which sign, how many alarms are true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurosim.errors import number_within
from neurosim.muscle.anatomy import MUSCLES
from neurosim.show.style import (
    ADVICE,
    BLACK,
    BLUE,
    GREY,
    VERMILION,
    muscle_words,
    new_figure,
    plain_number,
    styled,
)
from neurosim.study.alarms import SIGNS, Alarms, Share
from neurosim.study.diary import Diary

TITLES = {"benign": "benign twitching", "als": "early ALS", "pinched": "pinched nerve",
          "anxiety": "anxiety with over-breathing"}  # fmt: skip
LOOKS = {"benign": (BLUE, "o"), "pinched": (GREY, "s"), "anxiety": (BLACK, "D")}
ROW, ROWS = 40, 25  # of the picture of a thousand alarms


@styled
def picture_alarms(found: Alarms) -> Any:
    """Draw a typical diary of each group, and how many people of each show each sign.

    Parameters
    ----------
    found : Alarms
        With all groups.
    """
    fig = new_figure(17.0, 11.0)
    axes = fig.subplots(2, 4, height_ratios=(2, 3))
    for ax, (group, title) in zip(axes[0], TITLES.items(), strict=True):
        _diary(ax, found.typical(group))
        ax.set_title(f"{title}\n(a typical diary)")
    for ax in axes[0, 1:]:
        ax.set_yticklabels([])
    below = axes[1, 0].get_gridspec()
    for ax in axes[1]:
        ax.remove()
    names = [words for words, _ in SIGNS.values()]
    ill, well = fig.add_subplot(below[1, :2]), fig.add_subplot(below[1, 2:])
    _shares(ill, [found.sensitivity(s) for s in SIGNS], names, VERMILION, "o", 0.0)
    ill.set(title="of those with early ALS: who shows the sign, %")
    for i, (group, (colour, marker)) in enumerate(LOOKS.items()):
        shares = [found.share(sign, group) for sign in SIGNS]
        _shares(well, shares, [""] * len(names), colour, marker, 0.25 * (i - 1))
        well.plot([], [], marker, color=colour, ms=9, label=TITLES[group])
    well.set(title="of the others: who shows the sign, %")
    well.legend(loc="lower right")
    fig.suptitle("When to worry?", x=0.01, ha="left")
    note = f"Simulated. A week's dot: the larger, the more twitches. {ADVICE}"
    fig.supxlabel(note, x=0.01, ha="left", fontsize=11, color=GREY)
    fig.words = describe_alarms(found)
    return fig


def describe_alarms(found: Alarms) -> str:
    """Return the words that stand for the picture of alarms."""
    told = []
    for group, title in TITLES.items():
        seen = found.typical(group).seen()
        active = [muscle_words(m) for m, n in zip(MUSCLES, seen.sum(axis=0), strict=True) if n]
        told.append(
            f"A typical diary of {title}: {plain_number(float(seen.sum()))} twitches seen in "
            f"{found.weeks} weeks, in {', '.join(active) or 'no muscle'}."
        )
    for sign, (words, _) in SIGNS.items():
        each = ", ".join(
            f"{share.count} of {share.of} with {title}"
            for group, title in TITLES.items()
            if (share := found.share(sign, group)).of
        )
        told.append(f"{words[:1].upper()}{words[1:]}: {each}.")
    return " ".join([*told, ADVICE])


def _diary(ax: Any, one: Diary) -> None:
    """Draw one person's diary: a dot for each week and muscle, its area by the twitches seen."""
    seen = one.seen().T
    y, x = np.nonzero(seen)
    ax.scatter(x + 0.5, y, s=10.0 + 45.0 * np.log10(seen[y, x]), color=VERMILION, alpha=0.8, lw=0)
    ax.set_yticks(range(len(MUSCLES)), [muscle_words(m) for m in MUSCLES])
    ax.set(xlim=(0, one.weeks), ylim=(len(MUSCLES) - 0.4, -0.6), xlabel="week")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="#DDDDDD", lw=0.6)
    ax.set_axisbelow(True)


def _shares(
    ax: Any, shares: Sequence[Share], names: Sequence[str], colour: str, marker: str, shift: float
) -> None:
    """Draw shares with their intervals, in per cent, one row each from the top."""
    for row, share in enumerate(shares):
        ax.plot([100 * share.low, 100 * share.high], [row + shift] * 2, color=colour, lw=2.5)
        ax.plot(100 * share.value, row + shift, marker, color=colour, ms=9)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlim=(-2, 102), ylim=(len(names) - 0.4, -0.6), xlabel="%")


@styled
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
    share = number_within("share", share, 0.0, 1.0)
    true = round(1000 * share)
    fig = new_figure(11.0, 7.6)
    ax = fig.add_subplot()
    at = np.arange(ROW * ROWS)
    x, y = at % ROW, at // ROW
    ill = at < true
    ax.scatter(x[~ill], y[~ill], s=75, marker="s", facecolors="none", edgecolors=GREY, lw=0.7)
    ax.scatter(x[ill], y[ill], s=90, marker="s", color=VERMILION)
    ax.set(xlim=(-1, ROW), ylim=(ROWS, -1), aspect="equal")
    ax.axis("off")
    words = true_alarms_words(share, sign, who)
    fig.suptitle(words.replace(": ", ":\n", 1), x=0.01, ha="left", fontsize=14)
    fig.supxlabel(f"Filled: early ALS. Open: a false alarm. {ADVICE}", x=0.01, ha="left",
                  fontsize=11, color=GREY)  # fmt: skip
    fig.words = f"{words} {ADVICE}"
    return fig


def true_alarms_words(share: float, sign: str = "this sign", who: str = "") -> str:
    """Return how many of a thousand alarms are true, in a sentence.

    Examples
    --------
    >>> true_alarms_words(0.004, "it gets worse", "everybody who twitches")
    'Of 1000 alarms (it gets worse, among everybody who twitches): 4 are true, 996 are false.'
    """
    true = 1000 * share
    told = f"{true:.0f}" if true >= 1 or not true else f"{true:.1f}"
    rest = f"{1000 - true:.0f}" if true >= 1 or not true else "nearly all"
    among = f", among {who}" if who else ""
    verb = "is" if told == "1" else "are"
    return f"Of 1000 alarms ({sign}{among}): {told} {verb} true, {rest} are false."
