"""How Sphinx builds the documentation: ``python -m sphinx -W -n -b html docs docs/_build/html``.

The site asks no other machine for anything: equations become MathML, fonts are the reader's, and
tables of numbers are made from the package while it is built (`_ext/generated.py`).
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]  # the package of this checkout

import neurosim  # noqa: E402

project = "neurosim"
author = copyright = "The neurosim developers"
version = release = neurosim.__version__

extensions = [
    "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon",
    "mathml", "generated", "numbers_link",
]  # fmt: skip
exclude_patterns = ["_build"]
nitpicky = True
language = "en"

# --- Markdown -------------------------------------------------------------------------------------

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3  # as a code host makes them, so that links work in both places

# --- What the code says of itself -----------------------------------------------------------------

# Docstrings say types and shapes in words, so that signatures stay short and types are no links.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style"), ("Grades", "params_style")]
default_role = "py:obj"  # single backticks in docstrings name code; see `_ext/generated.py`
add_module_names = False
toc_object_entries = False

# --- The site -------------------------------------------------------------------------------------

html_theme = "furo"
html_title = "neurosim"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("filter.js", {"defer": "defer"})]
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # it fetches pages, which a browser forbids on a stick
html_last_updated_fmt = None
html_theme_options = {
    "navigation_with_keys": False,
    "light_css_variables": {
        "color-brand-primary": "#005a92",
        "color-brand-content": "#005a92",
        "color-brand-visited": "#6b3f75",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7cc4ef",
        "color-brand-content": "#7cc4ef",
        "color-brand-visited": "#d6a6e0",
    },
}
