"""Pages from Jinja templates, which stand as ``templates/NAME.html`` in the room that fills them.

Every text is escaped unless it is `Markup`. Jinja is imported when the first page is written.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from neurosim.view.style import html_image, png_bytes

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("neurosim", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **facts: object) -> str:
    """Return a page.

    Parameters
    ----------
    template : str
        Its place inside the package, such as ``"article/templates/report.html"``.
    **facts
        What it shows, by the names that it uses.
    """
    return _environment().get_template(template).render(facts)


def mark_html(text: str) -> Markup:
    """Return a text that is HTML already, so that no template escapes it."""
    from markupsafe import Markup

    return Markup(text)


def inline_picture(figure: Any) -> Markup:
    """Return a figure as an inline image with its alt text."""
    return mark_html(html_image(png_bytes(figure), figure.alt_text))
