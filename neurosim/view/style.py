"""How every figure looks and says what it shows: colours, sizes, and a figure with its alt text.

Colour is never the only mark: each meaning also has a shape, a line style or a word. A page has
the shape of a projector's, and no text on it is smaller than `SMALLEST_PT`, which is 18 pixels on a
screen of 1920 by 1080. Matplotlib is imported inside functions, and its global settings are never
touched.
"""

from __future__ import annotations

import math
import os
import re
import zlib
from base64 import b64encode
from functools import cache, wraps
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.ticker import FuncFormatter

P = ParamSpec("P")
Drawn = TypeVar("Drawn")

# Hues of Okabe & Ito's palette, darkened so that a line and the word at its end share one colour:
# any of them but orange and sky is text of 4.5:1 or better, on white and on `PALE`.
BLACK, GREY = "#000000", "#595959"
GREEN, BLUE, VERMILION, PURPLE = "#00573A", "#0066C0", "#B34700", "#8A2472"
ORANGE, SKY = "#E69F00", "#56B4E9"  # for marks and areas, never for text
PALE, BAND = "#E8EEF2", "#D0D0D0"  # behind the data: a reference range, published people
HEALTH, CHANGED = BLUE, VERMILION
LINE_STYLES = {HEALTH: "--", CHANGED: "-", BLACK: "-."}  # told apart in grey print, too
OUTCOME_SHAPES = {HEALTH: "o", CHANGED: "D", BLACK: "s"}
# By index into neurosim.model.firing.discharge.ORIGINS: colour, marker, name.
ORIGIN_MARKS = (
    (BLACK, "o", "an ordinary axon site"),
    (GREEN, "^", "a hyperexcitable axon terminal"),
    (PURPLE, "s", "the cell body"),
    (ORANGE, "D", "a lesion of the nerve"),
    (SKY, "v", "the end plate"),
)
PAGE_INCHES = (16.0, 9.0)  # inches
SMALLEST_PT = 11.0
SETTINGS: dict[Any, Any] = {
    "font.size": 12.0,
    "axes.titlesize": 14.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.labelsize": 12.0,
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
    "legend.fontsize": 12.0,
    "legend.frameon": False,
    "figure.titlesize": 18.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "neurosim",  # the same picture, the same file
    "text.usetex": False,
}
ADVICE = "A teaching model, not medical advice."


# --- A figure with alt text ---------------------------------------------------------------


@cache
def _picture_class() -> type:
    """Return the class of the figures: Matplotlib's own, with alt text and without pyplot."""
    from matplotlib import rc_context, rcParams  # pyright: ignore[reportUnknownVariableType]
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that says in words what it shows.

        A notebook shows it as the value of a cell, with its alt text; `savefig` writes that into
        SVG, PNG and PDF files.
        """

        _alt_text = ""

        @property
        def alt_text(self) -> str:
            """What the figure shows, in sentences; if nobody set it, its titles and axes."""
            return self._alt_text or _outline_text(self)

        @alt_text.setter
        def alt_text(self, text: str) -> None:
            self._alt_text = text

        def savefig(self, fname: Any, *, format: str | None = None, **options: Any) -> None:
            """Write the figure with its alt text; arguments as Matplotlib's."""
            is_path = isinstance(fname, (str, os.PathLike))
            suffix = Path(cast("str", fname)).suffix[1:] if is_path else ""
            kind = (format or suffix or rcParams["savefig.format"]).lower()
            options["metadata"] = _file_metadata(self, kind) | (options.get("metadata") or {})
            target = BytesIO() if kind == "svg" else fname
            dpi = options.get("dpi")
            dpi = self.dpi if dpi in (None, "figure") else dpi
            # Letters of few pixels are wider than those of a drawing without pixels.
            with rc_context(SETTINGS), _lay_out(self, dpi if kind == "png" else 200.0):
                super().savefig(target, format=kind, **options)  # pyright: ignore[reportUnknownMemberType]
            if kind == "svg":
                _write_text(fname, _add_svg_text(self, target.getvalue().decode("utf-8")))

        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
            png = png_bytes(self)  # drawn once for both
            return {
                "text/html": html_image(png, self.alt_text),
                "image/png": b64encode(png).decode("ascii"),
            }

        def _repr_html_(self) -> str:
            return html_image(png_bytes(self), self.alt_text)

        def _repr_png_(self) -> bytes:
            return png_bytes(self)

    return Picture


def one_line(text: str) -> str:
    """Return a text as a screen reader needs it: on one line, every line a sentence.

    A hyphen before a number becomes a minus sign, which is read aloud.

    Examples
    --------
    >>> one_line("  Axon: rests at -80 mV").isascii(), one_line("Margin:   8.5 mV")
    (False, 'Margin: 8.5 mV.')
    """
    text = re.sub(r"(?<![\w.])-(?=\d)", "\N{MINUS SIGN}", text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return " ".join(line if line[-1] in ".!?:;," else f"{line}." for line in lines if line)


def html_image(png: bytes, alt_text: str) -> str:
    """Return an inline image with its alt text, no wider than the page."""
    data, alt = b64encode(png).decode("ascii"), escape(one_line(alt_text), quote=True)
    fit = 'style="max-width:100%;height:auto"'
    image = f'<img alt="{alt}" {fit} src="data:image/png;base64,{data}">'
    return f'<figure style="margin:0">{image}</figure>'


def _figure_title(figure: Any) -> str:
    """Return the figure's title, or that of its first panel."""
    titles = [figure.get_suptitle(), *(ax.get_title("left") for ax in figure.axes)]
    return one_line(next((title for title in titles if title), "Figure")).rstrip(".")


def _outline_text(figure: Any) -> str:
    """Return which panels a figure has, the alt text of last resort."""
    parts = [figure.get_suptitle()]
    for ax in figure.axes:
        axes = " against ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel())))
        parts.append(": ".join(filter(None, (ax.get_title("left"), axes))))
    return "\n".join(one_line(part.replace("\n", " ")) for part in parts if part) or "Figure."


def _file_metadata(figure: Any, kind: str) -> dict[str, Any]:
    """Return the metadata of a file of one kind."""
    title, description = _figure_title(figure), one_line(figure.alt_text)
    return {
        "png": {"Title": title, "Description": description, "Software": "neurosim"},
        "pdf": {
            "Title": title,
            "Subject": description,
            "Creator": "neurosim",
            "CreationDate": None,
        },
        "svg": {"Creator": "neurosim", "Date": None},
    }.get(kind, {})


def _lay_out(figure: Any, dpi: float) -> Any:
    """Return a context in which the figure is laid out once, for `dpi` pixels an inch.

    Left to itself, Matplotlib would draw everything once more only to lay it out.
    """
    from contextlib import contextmanager

    @contextmanager
    def frozen_layout():
        engine, before = figure.get_layout_engine(), figure.dpi
        figure.dpi = dpi
        if engine is not None:
            engine.execute(figure)
        figure.dpi = before
        figure.set_layout_engine(None)
        try:
            yield
        finally:
            figure.set_layout_engine(engine)

    return frozen_layout()


def _add_svg_text(figure: Any, svg: str) -> str:
    """Return an SVG with title and description, where a screen reader looks for them."""
    description = one_line(figure.alt_text)
    mark = f"{zlib.crc32(description.encode()):08x}"  # ids of several pictures on a page differ
    start = svg.index("<svg ") + len("<svg ")
    end = svg.index(">", start) + 1
    elements = (
        f'<title id="title-{mark}">{escape(_figure_title(figure))}</title>'
        f'<desc id="desc-{mark}">{escape(description)}</desc>'
    )
    role = f'role="img" aria-labelledby="title-{mark} desc-{mark}" '
    return f"{svg[:start]}{role}{svg[start:end]}\n{elements}{svg[end:]}"


def _write_text(target: Any, text: str) -> None:
    """Write to a path or to an open file, of text or of bytes."""
    if isinstance(target, (str, os.PathLike)):
        Path(cast("str", target)).write_bytes(text.encode("utf-8"))
        return
    try:
        target.write(text.encode("utf-8"))
    except TypeError:
        target.write(text)


def new_figure(width: float = PAGE_INCHES[0], height: float = PAGE_INCHES[1]) -> Any:
    """Return an empty `Picture` of a size in inches, its texts kept apart."""
    return _picture_class()(figsize=(width, height), dpi=100, layout="constrained")


def add_titles(figure: Any, title: str, note: str) -> None:
    """Give a figure its title above and a note in grey below, ending in the advice."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=SETTINGS["figure.titlesize"])
    gap = "" if note.endswith("\n") else " "
    figure.supxlabel(
        f"{note}{gap}{ADVICE}".strip(), x=0.01, ha="left", fontsize=SMALLEST_PT, color=GREY
    )


def axes_or_new(ax: Any, width: float = 11.0, height: float = 6.2) -> Any:
    """Return `ax`, or the axes of a new picture if it is None."""
    return ax if ax is not None else new_figure(width, height).add_subplot()


def name_lines(ax: Any, labels: Sequence[tuple[float, str, str]], gap: float = 1.45) -> None:
    """Write the name of each line beside its end; names that would collide are moved apart.

    Parameters
    ----------
    ax : matplotlib axes
        With its final limits and, nearly, its final height.
    labels : sequence of (float, str, str)
        Where a line ends on the y axis, its name, its colour.
    gap : float
        Between two lines of text, in heights of a letter.
    """
    low, high = ax.get_ylim()
    inches = ax.figure.get_figure(root=True).get_figheight() * ax.get_position().height
    scale = ax.transScale.transform
    ends = [(scale((1.0, y))[1] - scale((1.0, low))[1]) for y, _, _ in labels]
    step = gap * SETTINGS["font.size"] / 72.0 / inches  # of the axes' height
    height = scale((1.0, high))[1] - scale((1.0, low))[1]
    edge = math.inf
    for end, (_, text, colour) in sorted(zip(ends, labels, strict=True), key=lambda e: -e[0]):
        text_height = step * (1 + text.count("\n"))
        middle = min(end / height, edge - text_height / 2.0)
        edge = middle - text_height / 2.0
        ax.annotate(
            text,
            (1.0, end / height),
            (1.02, middle),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=colour,
            va="center",
            annotation_clip=False,
            arrowprops=_LEADER | {"color": colour},
        )


_LEADER = {"arrowstyle": "-", "lw": 0.8, "relpos": (0.0, 0.5), "shrinkA": 1.0, "shrinkB": 1.0}


def label_decades(axis: Any) -> None:
    """Write the decades of a log axis in full: exponents are too small on a projector."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_major_formatter(plain_numbers())
    axis.set_minor_locator(NullLocator())


def plain_numbers() -> FuncFormatter:
    """Return a formatter of ticks that writes numbers as `label_number` does."""
    from matplotlib.ticker import FuncFormatter

    def label(value: float, _position: int | None = None) -> str:
        return label_number(value)

    return FuncFormatter(label)


def png_bytes(figure: Any, dpi: int = 110) -> bytes:
    """Return a figure as a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def house_style(draw: Callable[P, Drawn]) -> Callable[P, Drawn]:
    """Run a drawing function under `SETTINGS` without touching the global ones."""

    @wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> Drawn:
        from matplotlib import rc_context  # pyright: ignore[reportUnknownVariableType]

        with rc_context(SETTINGS):
            return draw(*args, **kwargs)

    return inner


def time_unit(seconds: float) -> tuple[float, str]:
    """Return (seconds per unit, name) of the unit that suits a time."""
    for size, name in ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")):
        if seconds >= 3 * size:
            return size, name
    return 1.0, "seconds"


def time_words(seconds: float) -> str:
    """Return a time in words, such as ``10 minutes``."""
    size, name = time_unit(seconds)
    return f"{seconds / size:.3g} {name}"


def label_number(value: float) -> str:
    """Return a number for a label: three digits, thousands set apart, no exponent in between.

    Examples
    --------
    >>> [label_number(x) for x in (12345.6, 0.01234, 0, 0.000694)]
    ['12 346', '0.0123', '0', '0.00069']
    """
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    if 1e-6 <= abs(value) < 1e-3:
        return f"{float(f'{value:.2g}'):.7f}".rstrip("0")
    return f"{value:.1e}" if abs(value) < 1e-6 else f"{value:.3g}"


def format_signed(value: float, digits: int = 1) -> str:
    """Return a number with its sign, a real minus.

    Examples
    --------
    >>> format_signed(2.53), format_signed(-0.0), format_signed(-2.53).isascii()
    ('+2.5', '+0.0', False)
    """
    return f"{value + 0.0:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def pluralize(number: float, noun: str) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> pluralize(0, "burst"), pluralize(1, "twitch"), pluralize(2, "twitch")
    ('no bursts', '1 twitch', '2 twitches')
    """
    ending = "" if number == 1 else "es" if noun.endswith("ch") else "s"
    return f"{label_number(number) if number else 'no'} {noun}{ending}"


def safe_label(text: str) -> str:
    """Return a user's text as a figure can show it, on one line.

    A character that the font lacks becomes ``?``, and a dollar stays a dollar.
    """
    from matplotlib.font_manager import FontProperties, findfont  # pyright: ignore[reportUnknownVariableType]

    known = _font_characters(findfont(FontProperties()))
    line = " ".join(text.split())
    return "".join(c if ord(c) in known else "?" for c in line).replace("$", r"\$")


@cache
def _font_characters(font: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font  # pyright: ignore[reportUnknownVariableType]

    return frozenset(get_font(font).get_charmap())


def muscle_words(name: str) -> str:
    """Return a muscle's name as read aloud."""
    return {"foot_sole": "sole of the foot", "shin": "shin"}.get(name, name.replace("_", " "))
