"""The drawing that the scenario scripts share, so that they themselves stay a question."""

import sys
import webbrowser

import numpy as np

from neurosim.show.export import prepare_folder, text_bytes, write_files
from neurosim.show.panels import log_rate_axis
from neurosim.show.style import ADVICE, BLACK, BLUE, GREY, new_figure, png_bytes

SEEN_S = 600.0  # time in which twitches are counted, as in the package's scenarios


def panels(width, height, rows, columns, title, **options):
    """Return an empty figure with a title, and its panels."""
    figure = new_figure(width, height)
    figure.suptitle(title, x=0.01, ha="left", fontsize=16, fontweight="bold")
    figure.supxlabel(f"Simulated. {ADVICE}", x=0.01, ha="left", fontsize=11, color=GREY)
    return figure, figure.subplots(rows, columns, **options)


def lanes(ax, names):
    """Name the lanes of a panel."""
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_xticks(range(len(names)), names)


def value_dots(ax, values, looks, form="{:.0f}"):
    """Draw one value in each lane with its number beside it; `looks` are (colour, marker).

    A dotted line runs through health, the lane with a circle.
    """
    health = values[[marker for _, marker in looks].index("o")]
    for x, (value, (colour, marker)) in enumerate(zip(values, looks, strict=True)):
        ax.plot(x, value, marker, color=colour, ms=12)
        ax.annotate(form.format(value), (x, value), (0, -20 if value < health else 10),
                    textcoords="offset points", ha="center", color=colour,
                    fontweight="bold")  # fmt: skip
    ax.axhline(health, color=BLUE, lw=1, ls=":", zorder=0)
    ax.margins(y=0.25)
    lanes(ax, [""] * len(looks))


def people_dots(ax, rates, looks, highest=0.0):
    """Draw the twitches per minute of the same people in each lane, and the median person.

    `rates` are of shape (lanes, people); people without a twitch lie in the band "none".
    The axis reaches at least to `highest`.
    """
    rates = np.asarray(rates)
    least = 60.0 / SEEN_S
    none = least / 4.0
    height = np.where(rates > 0, rates, none)
    at = np.arange(len(rates))[:, None] + np.linspace(-0.2, 0.2, rates.shape[1])
    ax.plot(at, height, color="#B8B8B8", lw=0.6, zorder=1)
    for x, (colour, marker) in enumerate(looks):
        ax.plot(at[x], height[x], marker, color=colour, ms=5, alpha=0.7, ls="none")
        ax.plot([x - 0.34, x + 0.34], [max(np.median(rates[x]), none)] * 2, color=BLACK, lw=3)
    log_rate_axis(ax, least, max(float(height.max()), highest), none, none)


def finish(name, figure, words):
    """Print `words`; write NAME.png and NAME.txt into neurosim-out; open it with ``--show``."""
    words = words if words.endswith(ADVICE) else f"{words}\n{ADVICE}"
    print(words)
    files = {f"{name}.png": png_bytes(figure), f"{name}.txt": text_bytes(words)}
    paths = write_files(prepare_folder("neurosim-out"), files)
    print("Written: " + ", ".join(str(path) for path in paths))
    if "--show" in sys.argv:
        webbrowser.open(paths[0].resolve().as_uri())
