"""Names of the model's parameters become links to their row; on the page of equations, values too.

A name is written as code, ``group.name``, as `neurosim.base.parameters.parameter` takes it. A
parameter that its group does not have is a warning on the page of equations, which so cannot fall
behind the code.
"""

from docutils import nodes
from generated import in_words
from sphinx.util import logging

from neurosim.base.parameters import FILES, all_values
from neurosim.validation.views import unit_words

logger = logging.getLogger(__name__)
WITH_VALUES = "equations"


def link(app, doctree, docname: str) -> None:
    """Replace the names in one page."""
    values = {f"{group}.{value.name}": value for group, value in all_values()}
    for code in list(doctree.findall(nodes.literal)):
        name = code.astext()
        if name not in values:
            looks_named = name.partition(".")[0] in FILES and not name.endswith((".py", "()"))
            if docname == WITH_VALUES and looks_named:
                logger.warning("no number of the model is called %r", name, location=code)
            continue
        if isinstance(code.parent, nodes.reference):
            continue
        value = values[name]
        page = app.builder.get_relative_uri(docname, "generated/parameters")
        text = f"{value.value:g} {unit_words(value.unit)}".strip()
        reference = nodes.reference("", "", code.deepcopy(), refuri=f"{page}#{name}", internal=True)
        reference["reftitle"] = f"{text}, {value.grade}: {in_words(value)}"
        replacement = [reference]
        if docname == WITH_VALUES:
            replacement.append(nodes.inline("", f" = {text}", classes=["value"]))
        code.parent.replace(code, replacement)


def setup(app) -> dict:
    """Tell Sphinx of it."""
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
