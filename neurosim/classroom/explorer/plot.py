"""The explorer's picture: drawn once, then only its lines and words move; and small pictures.

Axes stay where they are while a slider moves, so that the eye can follow what changes.
"""

from __future__ import annotations

import math
from functools import wraps
from io import BytesIO
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from neurosim.classroom.explorer.settings import (
    DURATION_S,
    Explorer,
    ExplorerSetting,
    Response,
    rate_words,
    small_settings,
)
from neurosim.model.body.state import Body
from neurosim.model.muscle.events import KINDS
from neurosim.model.soma.soma import SomaConditions, margin_mv
from neurosim.view.describe_body import count_ectopic_sites, site_rates_per_min
from neurosim.view.style import (
    ADVICE,
    BLACK,
    CHANGED,
    GREY,
    HEALTH,
    ORIGIN_MARKS,
    PALE,
    add_titles,
    house_style,
    label_number,
    new_figure,
    pluralize,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from neurosim.simulation.result import Result

P = ParamSpec("P")
Drawn = TypeVar("Drawn")
WIDTH_IN, HEIGHT_IN = 11.2, 6.1
DPI = 125
THRESHOLD_TOP = 200.0  # %; a larger one is drawn at the edge with its number
LEAST_PER_MIN, MOST_PER_MIN = 1e-3, 3e4
FORCE_HZ = 200.0
FULL_FORCE_MN = tuple(m * 10.0**e for e in range(2, 7) for m in (1, 3))
# Its panels are packed closer than those of a page.
SIZES: dict[Any, Any] = {
    "font.size": 11.0, "axes.titlesize": 13.0, "axes.titlepad": 9.0, "axes.labelsize": 11.0,
    "xtick.labelsize": 11.0, "ytick.labelsize": 11.0, "legend.fontsize": 11.0,
    "figure.titlesize": 16.0,
}  # fmt: skip
SHORT_ORIGINS = ("node of the axon", "axon terminal", "cell body", "lesion", "end plate")
ROWS = ("1-ms pulse", "20-ms pulse", "cell body's\nmargin")


def _with_sizes(draw: Callable[P, Drawn]) -> Callable[P, Drawn]:
    """Run a drawing function in the house style with `SIZES`."""

    @house_style
    @wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> Drawn:
        from matplotlib import rc_context  # pyright: ignore[reportUnknownVariableType]

        with rc_context(SIZES):
            return draw(*args, **kwargs)

    return inner


class ExplorerFigure:
    """The picture of one response, whose artists `update` moves.

    Parameters
    ----------
    canvas : callable, optional
        Returns a canvas for a figure, derived from Agg's; Agg's if omitted.

    Attributes
    ----------
    figure : Picture
        Matplotlib's figure; the same object after every update.
    """

    @_with_sizes
    def __init__(self, canvas: Callable[[Any], Any] | None = None) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self.figure = new_figure(WIDTH_IN, HEIGHT_IN)
        self.figure.set_layout_engine("none")  # nothing is laid out anew when a line moves
        self.figure.set_dpi(DPI)
        sides = {"left": 0.098, "right": 0.985}
        upper = self.figure.add_gridspec(
            1, 3, top=0.915, bottom=0.635, wspace=0.32, width_ratios=[1.0, 1.6, 1.2], **sides
        )
        lower = self.figure.add_gridspec(
            2, 1, top=0.49, bottom=0.085, hspace=0.42, height_ratios=[1.25, 1.0], **sides
        )
        top = [self.figure.add_subplot(grid) for grid in upper]
        wide = [self.figure.add_subplot(grid) for grid in lower]
        self._threshold_panel(top[0])
        self._margin_panel(top[1])
        self._rate_panel(top[2])
        self._raster_panel(wide[0])
        self._force_panel(wide[1])
        self._moving = self._moving_artists()
        for artist in self._moving:
            artist.set_animated(True)  # drawn by `draw_moving`, over what stays
        self._background: Any = None
        self._stale = True
        self.canvas: Any = FigureCanvasAgg(self.figure) if canvas is None else canvas(self.figure)
        self.canvas.mpl_connect("draw_event", self._on_draw)

    def _moving_artists(self) -> list[Any]:
        """Return the artists that `update` moves, in the order in which they are drawn."""
        threshold = [*self._bars, *self._ends, *self._percents]
        margin = [self._healthy_curve, self._curve, self._healthy_name, self._critical]
        margin += [self._margin_title]
        rate = [self._link, self._healthy_rate, self._rate, self._healthy_label, self._rate_label]
        raster = [*self._dots, self._silent, self._raster_title]
        return [*threshold, *margin, *rate, *raster, self._trace, self._seen, self._force_title]

    def _on_draw(self, event: Any) -> None:
        """Store the static part, just drawn, and draw the moving artists on top."""
        self._stale = self.canvas.is_saving()  # into a file, which has all of it already
        if not self._stale:
            self._background = self.canvas.copy_from_bbox(self.figure.bbox)
            self._draw_moving()

    def _draw_moving(self) -> None:
        for artist in self._moving:
            self.figure.draw_artist(artist)

    @_with_sizes
    def draw(self) -> None:
        """Redraw the moving artists; everything if the numbers at an axis have changed."""
        if self._stale or self._background is None:
            self.canvas.draw()
            return
        self.canvas.restore_region(self._background)
        self._draw_moving()
        self.canvas.blit(self.figure.bbox)

    def png_bytes(self) -> bytes:
        """Return the picture as a PNG file, packed fast rather than small."""
        from PIL import Image

        self.draw()
        buffer = BytesIO()
        pixels = np.asarray(self.canvas.buffer_rgba())[..., :3]
        Image.fromarray(pixels).save(buffer, "png", compress_level=1)
        return buffer.getvalue()

    @_with_sizes
    def update(self, response: Response) -> None:
        """Move the artists to another response; `draw` or `png_bytes` then shows them."""
        result, healthy = response.result, response.healthy
        colour = HEALTH if result.scenario.body == Body() else CHANGED
        self._move_threshold(result, colour)
        self._move_margin(result, healthy, colour)
        self._move_rate(result, healthy, colour)
        self._move_raster(result, healthy, colour)
        self._move_force(result, healthy, colour)

    # Threshold ----------------------------------------------------------------------

    def _threshold_panel(self, ax: Any) -> None:
        ax.axvline(100.0, color=HEALTH, lw=2)
        ax.text(100, 2.64, "health", color=HEALTH, ha="center", va="bottom")
        self._bars = [ax.plot([], [], lw=4, solid_capstyle="butt")[0] for _ in ROWS]
        self._ends = [ax.plot([], [], "D", ms=8)[0] for _ in ROWS]
        self._percents = [
            ax.text(
                100,
                y,
                "",
                va="center",
                fontweight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )
            for y in (2, 1, 0)
        ]
        ax.set_yticks([2, 1, 0], ROWS)
        ax.set_xlim(0, THRESHOLD_TOP)
        ax.set_ylim(-0.55, 2.6)
        ax.set_xticks([0, 50, 100, 150, 200])
        ax.set_xlabel("needed to fire, % of health")
        ax.set_title("Threshold", pad=16)

    def _move_threshold(self, result: Result, colour: str) -> None:
        part = result.excitability.relative_to(result.healthy)
        margin = 100.0 * margin_mv(result.state.soma) / margin_mv(SomaConditions())
        values = (part["threshold_1ms_percent"], part["threshold_20ms_percent"], margin)
        for y, value, bar, end, text in zip(
            (2, 1, 0), values, self._bars, self._ends, self._percents, strict=True
        ):
            known = not math.isnan(value)
            x = float(np.clip(value, 0.0, THRESHOLD_TOP)) if known else 100.0
            bar.set_data([100.0, x], [y, y])
            end.set_data([x] if known else [], [y] if known else [])
            for artist in (bar, end, text):
                artist.set_color(colour)
            text.set_text(f"{value:.0f} %" if known else "blocked")
            is_left = x > 100.0 + 0.5 * (THRESHOLD_TOP - 100.0) or (x < 99.5 and x > 45.0)
            text.set_position((x - 9 if is_left else x + 9, y))
            text.set_ha("right" if is_left else "left")

    # Margin -------------------------------------------------------------------------

    def _margin_panel(self, ax: Any) -> None:
        (self._healthy_curve,) = ax.plot([], [], "--", color=HEALTH, lw=2, drawstyle="steps-pre")
        (self._curve,) = ax.plot([], [], "-", lw=2.5, drawstyle="steps-pre")
        (self._critical,) = ax.plot([], [], "D", ms=9, zorder=5)
        self._healthy_name = ax.text(
            0.03, 0.05, "health (dashed)", color=HEALTH, transform=ax.transAxes
        )
        ax.axvline(1.0, color=BLACK, lw=0.8, ls=":")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(1e-4, 1e3)
        ax.set_ylim(0.7, 3000)
        ax.set_xticks([1e-4, 1e-2, 1, 100], ["0.0001", "0.01", "1", "100"])
        ax.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
        ax.set_xticks([], minor=True)
        ax.set_yticks([], minor=True)
        ax.set_ylabel("number of sites")
        ax.set_xlabel("times a minute (from the dotted line on: ectopic)")
        self._margin_title = ax.set_title("", pad=16)

    def _move_margin(self, result: Result, healthy: Result, colour: str) -> None:
        for curve, one in ((self._healthy_curve, healthy), (self._curve, result)):
            rates = np.sort(np.clip(site_rates_per_min(one), 1e-5, 1e3))[::-1]
            curve.set_data(rates, np.arange(1, rates.size + 1))
        count = count_ectopic_sites(result)
        self._critical.set_data([1.0] if count else [], [count] if count else [])
        self._margin_title.set_text(f"Margin: {pluralize(count, 'ectopic site')}")
        for artist in (self._curve, self._critical, self._margin_title):
            artist.set_color(colour)

    # Rate ---------------------------------------------------------------------------

    def _rate_panel(self, ax: Any) -> None:
        self._link = ax.plot([], [], color=GREY, lw=1.5, ls=":")[0]
        self._healthy_rate = ax.plot([], [], "o", color=HEALTH, ms=11)[0]
        self._rate = ax.plot([], [], "D", ms=11)[0]
        white = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        at_edge = {"fontweight": "bold", "va": "center", "bbox": white}
        self._healthy_label = ax.text(1, 0.28, "", color=HEALTH, **at_edge)
        self._rate_label = ax.text(1, 1.28, "", **at_edge)
        ax.set_xscale("log")
        ax.set_xlim(LEAST_PER_MIN / 2.5, MOST_PER_MIN)
        ticks = [LEAST_PER_MIN, 0.1, 10.0, 1000.0]
        ax.set_xticks(ticks, ["rarer", "0.1", "10", "1000"])
        ax.set_xticks([], minor=True)
        ax.axvspan(LEAST_PER_MIN / 2.5, LEAST_PER_MIN * 2.5, color=PALE, zorder=0)
        ax.set_yticks([0, 1], ["health", "now"])
        ax.set_ylim(-0.5, 1.75)
        ax.set_xlabel("twitches per minute, long run")
        ax.set_title("How often it twitches", pad=16)

    def _move_rate(self, result: Result, healthy: Result, colour: str) -> None:
        rates = (healthy.expected_per_min, result.expected_per_min)
        x = [float(np.clip(r, LEAST_PER_MIN, MOST_PER_MIN)) for r in rates]
        self._link.set_data([x[0], x[1]], [0, 1])
        rows = (
            (self._healthy_rate, self._healthy_label, HEALTH),
            (self._rate, self._rate_label, colour),
        )
        middle = math.sqrt(LEAST_PER_MIN * MOST_PER_MIN)
        for y, (marker, label, row_colour) in enumerate(rows):
            marker.set_data([x[y]], [y])
            label.set_text(rate_words(rates[y]))
            label.set_ha("left" if x[y] < middle else "right")
            label.set_position((x[y], y + 0.36))
            marker.set_color(row_colour)
            label.set_color(row_colour)

    # Discharges and force -----------------------------------------------------------

    def _raster_panel(self, ax: Any) -> None:
        self._dots = [
            ax.plot([], [], marker, color=colour, ms=5, ls="none", mew=0, alpha=0.85, label=name)[0]
            for (colour, marker, _), name in zip(ORIGIN_MARKS, SHORT_ORIGINS, strict=True)
        ]
        self._silent = ax.text(
            0.5,
            0.5,
            "silent for this minute",
            ha="center",
            va="center",
            color=GREY,
            transform=ax.transAxes,
        )
        self._raster_title = ax.set_title("")
        legend = ax.legend(
            loc="lower right",
            bbox_to_anchor=(1.01, 0.99),
            ncols=5,
            borderpad=0.1,
            handletextpad=-0.1,
            columnspacing=0.7,
        )
        for handle in legend.legend_handles:
            handle.set_markersize(8)
        ax.set_xlim(0, DURATION_S)
        ax.set_xticks(range(0, 61, 10))
        ax.tick_params(labelbottom=False)
        ax.set_ylabel("motor unit,\nsmall to large")
        self._raster = ax

    def _move_raster(self, result: Result, healthy: Result, colour: str) -> None:
        f, units = result.firing, result.sites.units
        for kind, dots in enumerate(self._dots):
            of_origin = f.origin == kind
            dots.set_data(f.time_s[of_origin], f.unit[of_origin] + 1)
        self._silent.set_visible(len(f) == 0)
        if units != self._raster.get_yticks()[-1]:
            self._raster.set_ylim(1 - 0.08 * units, 1.08 * units)
            self._raster.set_yticks([1, units])
            self._stale = True
        bursts, healthy_bursts = (int((r.firing.place == 0).sum()) for r in (result, healthy))
        comparison = "" if result is healthy else f" (health {label_number(healthy_bursts)})"
        self._raster_title.set_text(f"Discharges: {pluralize(bursts, 'burst')}{comparison}")
        self._raster_title.set_color(colour)

    def _force_panel(self, ax: Any) -> None:
        (self._trace,) = ax.plot([], [], lw=1.0)
        (self._seen,) = ax.plot([], [], "o", ms=5, ls="none")
        self._force_title = ax.set_title("")
        ax.text(
            1.0,
            1.06,
            "circle: fasciculation, seen at the skin",
            transform=ax.transAxes,
            ha="right",
            va="bottom",
            color=GREY,
        )
        ax.set_xlim(0, DURATION_S)
        ax.set_xticks(range(0, 61, 10))
        ax.set_xlabel("time, seconds")
        ax.set_ylabel("force, mN")
        self._force = ax

    def _move_force(self, result: Result, healthy: Result, colour: str) -> None:
        force, t = result.force_mn(FORCE_HZ), result.twitches
        self._trace.set_data(np.arange(force.size) / FORCE_HZ, force)
        seen = t.visible & ~t.painful
        self._seen.set_data(t.onset_s[seen], t.peak_mn[seen])
        for artist in (self._trace, self._seen, self._force_title):
            artist.set_color(colour)
        most = max(float(force.max(initial=0.0)), float(t.peak_mn[seen].max(initial=0.0)))
        top = next((limit for limit in FULL_FORCE_MN if limit >= most * 1.05), most * 1.05)
        if top != self._force.get_ylim()[1]:
            self._force.set_ylim(-0.04 * top, top)
            ticks = [0.0, top / 2, top]
            self._force.set_yticks(ticks, [label_number(tick) for tick in ticks])
            self._stale = True
        self._force_title.set_text(f"Force: {force_words(result)}")


def force_words(result: Result) -> str:
    """Return the number of twitches in the minute, of visible ones, and of spasms, in words."""
    t = result.twitches
    short, spasms = int((~t.painful).sum()), int((t.kind == KINDS[-1]).sum())
    seen = int((t.visible & ~t.painful).sum())
    text = pluralize(short, "twitch") + (
        f", {label_number(seen) if seen else 'none'} visible" if short else ""
    )
    return text + (f", {pluralize(spasms, 'spasm')}" if spasms else "")


@_with_sizes
def picture_settings(explorer: Explorer, start: ExplorerSetting, why: str) -> Any:
    """Draw a minute of discharges for every slider low and high, and for conditions, small.

    Parameters
    ----------
    explorer : Explorer
    start : ExplorerSetting
        Gives the muscle.
    why : str
        Why there are no sliders: one sentence, below the picture and in its alt text.

    Returns
    -------
    Picture
        Its ``alt_text`` has the same in words.
    """
    settings = small_settings(start)
    columns = 4
    rows = -(-len(settings) // columns)
    fig = new_figure()
    axes = fig.subplots(rows, columns, sharex=True).ravel()
    sentences: list[str] = []
    for ax, setting in zip(axes, settings, strict=False):
        response = explorer.respond(setting)
        sentences.append(_small_panel(ax, response))
    for ax in axes[len(settings) :]:
        ax.set_visible(False)
    for ax in axes[max(0, len(settings) - columns) : len(settings)]:
        ax.tick_params(labelbottom=True)
        ax.set_xlabel("time, seconds")
    handles = [
        axes[0].plot([], [], marker, color=colour, ls="none", ms=7, label=name)[0]
        for (colour, marker, _), name in zip(ORIGIN_MARKS, SHORT_ORIGINS, strict=True)
    ]
    add_titles(fig, "One minute of one person: each slider low and high, and illnesses", f"{why}\n")
    fig.legend(
        handles=handles, loc="outside upper right", ncols=5, handletextpad=0.0, columnspacing=1.0
    )
    fig.alt_text = "\n".join([why, *sentences, ADVICE])
    return fig


def _small_panel(ax: Any, response: Response) -> str:
    """Draw the discharges of one response and return it in words."""
    result, firing = response.result, response.result.firing
    colour = HEALTH if result is response.healthy else CHANGED
    for kind, (origin_colour, marker, _) in enumerate(ORIGIN_MARKS):
        time_s, unit = firing.time_s[firing.origin == kind], firing.unit[firing.origin == kind]
        ax.plot(time_s, unit + 1, marker, color=origin_colour, ms=3.5, ls="none", mew=0)
    title = response.setting.describe()
    title = "In health" if result is response.healthy else title[:1].upper() + title[1:]
    short = result.excitability.relative_to(result.healthy)["threshold_1ms_percent"]
    threshold = "blocked" if math.isnan(short) else f"threshold {short:.0f} %"
    rate = rate_words(result.expected_per_min)
    spasms = int((result.twitches.kind == "spasm").sum())
    rate += f" and {pluralize(spasms, 'spasm')}" if spasms else ""
    ax.set_title(f"{title}\n{rate}", color=colour, fontsize=11)
    if not len(firing):
        centre = {"transform": ax.transAxes, "ha": "center", "va": "center"}
        ax.text(0.5, 0.4, "silent for this minute", color=GREY, **centre)
    corner = {"transform": ax.transAxes, "ha": "right", "va": "top"}
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    ax.text(0.99, 0.97, threshold, color=colour, bbox=white, **corner)
    ax.set_xlim(0, DURATION_S)
    ax.set_ylim(0, result.sites.units * 1.3)
    ax.set_yticks([])
    return f"{title}: {rate}; {threshold}."
