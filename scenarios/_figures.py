"""The drawing that the scenario scripts share, so that each holds little but its question."""

import sys
import webbrowser

import numpy as np

from neurosim.base.files import prepare_folder, write_files
from neurosim.view.export import text_bytes
from neurosim.view.panels import log_rate_axis
from neurosim.view.style import (
    ADVICE,
    BLACK,
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    add_titles,
    format_signed,
    new_figure,
    png_bytes,
)

SEEN_S = 600.0  # time in which twitches are counted, as in the package's scenarios


def panels(rows, columns, title, **options):
    """Return an empty page with a title, and its panels."""
    figure = new_figure()
    add_titles(figure, title, "Simulated.")
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
        if np.isnan(value):
            ax.text(x, 0.5, "none", transform=ax.get_xaxis_transform(), ha="center", color=GREY)
            continue
        ax.plot(x, value, marker, color=colour, ms=12)
        ax.annotate(
            form.format(value),
            (x, value),
            (0, -20 if value < health else 10),
            textcoords="offset points",
            ha="center",
            color=colour,
            fontweight="bold",
        )
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
    x = np.arange(len(rates))[:, None] + np.linspace(-0.2, 0.2, rates.shape[1])
    ax.plot(x, height, color="#B8B8B8", lw=0.6, zorder=1)
    for lane, (colour, marker) in enumerate(looks):
        ax.plot(x[lane], height[lane], marker, color=colour, ms=5, alpha=0.7, ls="none")
        ax.plot(
            [lane - 0.34, lane + 0.34], [max(np.median(rates[lane]), none)] * 2, color=BLACK, lw=3
        )
    log_rate_axis(ax, least, max(float(height.max()), highest), none, none)


def threshold_trace(ax, one, row=0, gap_mv=4.4):
    """Draw potential and threshold of a traced unit of a pool, its parts named at the line ends."""
    s, base = one.time_ms / 1000.0, one.threshold_baseline_mv
    rested, v = base + one.threshold_electrolyte_mv, one.potential_mv[row]
    threshold, pic = one.threshold_mv[row], one.pic_mv[row]
    ax.fill_between(s, rested, threshold, color=VERMILION, alpha=0.25, lw=0)
    ax.fill_between(s, rested - pic, rested, color=GREEN, alpha=0.3, lw=0)
    ax.axhline(base, color=GREY, ls=":", lw=1.8)
    ax.axhline(rested, color=BLACK, ls="-.", lw=1.2)
    ax.plot(s, v, color=BLUE, lw=1.5)
    ax.plot(s, threshold, color=VERMILION, lw=2.2)
    fired = one.spikes_s(int(one.traced[row]))
    ax.vlines(fired, np.interp(fired, s, threshold), ax.get_ylim()[1] + 6.0, color=BLUE, lw=1.5)
    labels = [
        (threshold[-1], f"threshold {format_signed(threshold[-1])} mV", VERMILION),
        (
            0.5 * (rested + threshold[-1]),
            f"adaptation {format_signed(threshold[-1] - rested)} mV",
            VERMILION,
        ),
        (rested, f"electrolyte {format_signed(rested - base)} mV", BLACK),
        (base - 1e-6, f"baseline {format_signed(base)} mV", GREY),
        (rested - 0.5 * pic[-1], f"PIC spares {pic[-1]:.1f} mV", GREEN),
        (v[-1], f"potential {format_signed(v[-1])} mV", BLUE),
    ]
    height = np.inf
    for y, text, colour in sorted(labels, reverse=True):
        height = height - gap_mv if np.isfinite(height) else y + gap_mv
        leader = {"arrowstyle": "-", "color": colour, "lw": 0.8, "relpos": (0, 0.5)}
        ax.annotate(
            text,
            (s[-1], y),
            (1.03, height),
            xycoords="data",
            arrowprops=leader,
            textcoords=ax.get_yaxis_transform(),
            color=colour,
            va="center",
        )
    ax.set_xlim(s[0], s[-1])


def voluntary(axes, drive, willed, misfires, every=3):
    """Draw a drive, and below it willed discharges and misfires of every third unit."""
    axes[0].plot(np.arange(drive.size) / 1000.0, 100.0 * drive, color=GREY, lw=2.5)
    axes[0].set(title="voluntary drive, blood calcium low", ylabel="drive, %")
    looks = {"marker": "|", "color": BLUE}, {"marker": "D", "color": VERMILION, "mec": BLACK}
    for firing, look in zip((willed, misfires), looks, strict=True):
        mask = firing.unit % every == 1
        axes[1].plot(firing.time_s[mask], firing.unit[mask] + 1, ls="none", ms=8, **look)
    for y, text, colour in ((0.85, "willed", BLUE), (0.2, "misfires of\nthe axons", VERMILION)):
        axes[1].text(1.01, y, text, color=colour, transform=axes[1].transAxes, weight="bold")
    axes[1].set(xlabel=f"time, s (one unit in {every} is shown)", ylabel="motor unit")
    for ax in axes:
        ax.set_xlim(0.0, drive.size / 1000.0)


def finish(name, figure, text):
    """Print `text`; write NAME.png and NAME.txt into neurosim-out; open it with ``--show``."""
    figure.alt_text = text if text.endswith(ADVICE) else f"{text}\n{ADVICE}"
    print(figure.alt_text)
    files = {f"{name}.png": png_bytes(figure), f"{name}.txt": text_bytes(figure.alt_text)}
    paths = write_files(prepare_folder("neurosim-out"), files)
    print("Written: " + " and ".join(str(path) for path in paths))
    if "--show" in sys.argv:
        webbrowser.open(paths[0].resolve().as_uri())
