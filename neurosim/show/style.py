"""How every figure looks: colours that a colour-blind reader can tell, fonts for a projector.

Colour is never the only mark: each meaning also has a shape, a line style or a word.
Matplotlib is imported inside functions, and its global settings are never touched.
"""

from __future__ import annotations

from functools import cache, wraps
from io import BytesIO
from typing import Any

# Okabe & Ito's palette.
BLACK, GREY = "#000000", "#595959"
ORANGE, SKY, GREEN = "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
PALE = "#E8EEF2"
HEALTH, CHANGED = BLUE, VERMILION
# By index into neurosim.firing.discharge.ORIGINS: colour, marker, word.
ORIGIN_MARKS = (
    (BLACK, "o", "an ordinary place of the axon"),
    (GREEN, "^", "an excitable nerve ending"),
    (PURPLE, "s", "the cell body"),
    (ORANGE, "D", "a lesion of the nerve"),
    (SKY, "v", "the end plate"),
)
SETTINGS: dict[Any, Any] = {
    "font.size": 11.0,
    "axes.titlesize": 13.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9.0,
    "axes.labelsize": 11.0,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "figure.titlesize": 16.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.usetex": False,
}
ADVICE = "A teaching model, not medical advice."


@cache
def _picture() -> type:
    """Return the class of the figures: Matplotlib's own, shown by a notebook without pyplot."""
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that a notebook shows as the value of a cell."""

        def _repr_png_(self) -> bytes:
            return png_bytes(self)

    return Picture


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure of a size in inches, its texts kept apart."""
    return _picture()(figsize=(width, height), dpi=100, layout="constrained")


def png_bytes(figure: Any, dpi: int = 110) -> bytes:
    """Return a figure as a PNG file."""
    from matplotlib import rc_context

    buffer = BytesIO()
    with rc_context(SETTINGS):
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": "neurosim"})
    return buffer.getvalue()


def styled(draw):
    """Run a drawing function under `SETTINGS` without touching the global ones."""

    @wraps(draw)
    def inner(*args, **kwargs):
        from matplotlib import rc_context

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


def plain_number(value: float) -> str:
    """Return a number for a label: three digits, thousands set apart, no exponent in between.

    Examples
    --------
    >>> plain_number(12345.6), plain_number(0.01234), plain_number(0)
    ('12 346', '0.0123', '0')
    """
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1e}" if abs(value) < 1e-3 else f"{value:.3g}"


def counted(number: float, word: str) -> str:
    """Return a count with its word.

    Examples
    --------
    >>> counted(0, "burst"), counted(1, "twitch"), counted(2, "twitch")
    ('no bursts', '1 twitch', '2 twitches')
    """
    ending = "" if number == 1 else "es" if word.endswith("ch") else "s"
    return f"{plain_number(number) if number else 'no'} {word}{ending}"


def drawable(text: str) -> str:
    """Return a user's text as a figure can show it, on one line.

    A character that the font lacks becomes ``?``, and a dollar stays a dollar.
    """
    from matplotlib.font_manager import FontProperties, findfont

    known = _characters(findfont(FontProperties()))
    line = " ".join(text.split())
    return "".join(c if ord(c) in known else "?" for c in line).replace("$", r"\$")


@cache
def _characters(font: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(font).get_charmap())


def muscle_words(name: str) -> str:
    """Return a muscle's name as read aloud."""
    return {"foot_sole": "sole of the foot", "shin": "shin"}.get(name, name.replace("_", " "))
