"""Equations as MathML, which browsers draw and screen readers read without any script.

docutils translates the equations, which Sphinx does not offer by itself. What it cannot translate
is a warning, so that ``-W`` fails on it. Roots and brackets grow only in a font made for equations,
which not every machine has: the site brings DejaVu Serif, which comes with Matplotlib, with the
places of sub- and superscripts that it leaves at 0.
"""

import re
from pathlib import Path

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)
# In 1/2048 of the font's size, as in fonts made for equations.
PLACES = {
    "ScriptPercentScaleDown": 72, "SubscriptShiftDown": 400, "SubscriptTopMax": 800,
    "SuperscriptShiftUp": 740, "SuperscriptShiftUpCramped": 620, "SuperscriptBottomMin": 480,
    "SuperscriptBottomMaxWithSubscript": 800, "SubSuperscriptGapMin": 250, "LowerLimitGapMin": 260,
    "UpperLimitGapMin": 200, "SuperscriptBaselineDropMax": 500, "SubscriptBaselineDropMin": 200,
}  # fmt: skip
# A function's name stands apart from an argument without brackets.
NAMED = re.compile(r"(&ApplyFunction;</mo>)(?!\s*(?:<mspace|<mrow>\s*<mo>[(|]|<mo[^>]*>[(]))")
GREEK = re.compile("<mi>([\u0370-\u03ff])</mi>")


def mathml(node, block: bool) -> str:
    """Return an equation's MathML; its LaTeX as text if it cannot be translated."""
    try:
        equation = tex2mathml(node.astext(), as_block=block)
    except MathError as error:
        logger.warning("no MathML for %r: %s", node.astext(), error, location=node)
        return f"<code>{node.astext()}</code>"
    equation = NAMED.sub(r'\1<mspace width="0.17em"></mspace>', equation)
    # upright: few fonts have the slanted Greek letters that browsers put there otherwise
    return GREEK.sub(r'<mi mathvariant="normal">\1</mi>', equation)


def visit_inline(self, node) -> None:
    """Write an equation within a line."""
    self.body.append(mathml(node, block=False))
    raise nodes.SkipNode


def visit_block(self, node) -> None:
    """Write an equation on its own line, which scrolls by itself where it is too wide."""
    name = f' id="{node["ids"][0]}"' if node.get("ids") else ""
    self.body.append(f'<div class="equation"{name}>{mathml(node, block=True)}</div>\n')
    raise nodes.SkipNode


def write_font(app, error) -> None:
    """Put the font beside the site's styles."""
    if error is not None or app.builder.format != "html":
        return
    from fontTools.ttLib import TTFont
    from matplotlib import get_data_path

    font = TTFont(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSerif.ttf")
    constants = font["MATH"].table.MathConstants
    for name, value in PLACES.items():
        if name.endswith("Down") and "Percent" in name:
            setattr(constants, name, value)
        else:
            getattr(constants, name).Value = value
    font.save(Path(app.outdir) / "_static" / "equations.ttf")


def setup(app) -> dict:
    """Tell Sphinx of the renderer."""
    app.connect("build-finished", write_font)
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
