"""Pages that are made from the package while the site is built, so that they cannot fall behind it.

Written into ``docs/generated`` (which git ignores) before Sphinx reads its pages: every number
with its grade, the literature, the model against published numbers, and the names of the API.
"""

from __future__ import annotations

import html
import inspect
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

import neurosim
from neurosim.base import disk_cache
from neurosim.base.code_hash import code_hash
from neurosim.base.parameters import FILES, GRADES, Value, all_values, load_group, references
from neurosim.validation.plot import picture_misses, picture_targets
from neurosim.validation.target import Row, Validation
from neurosim.validation.validate import NOT_COMPUTABLE, validation_rows
from neurosim.validation.views import condition_words, quantity_words, range_words, unit_words
from neurosim.view.style import png_bytes

HERE = Path(__file__).parent.parent
PACKAGE = Path(neurosim.__file__).parent
ROOMS = {
    "model": "from a blood value to a twitch: body, axon, soma, firing, muscle",
    "clinic": "the excitability test, the fit of a person, electrodes, their files",
    "simulation": "scenarios, one person, many people, cohorts, sensitivity",
    "view": "figures, words, tables and files of a result",
    "article": "the claims on trial, the signs of alarm, the report",
    "classroom": "sliders, lessons, the mystery patient",
    "validation": "the model against published numbers",
    "base": "numbers and their sources, errors, caches, files",
}
OBJECTS = (
    ("simulation.result.Result", "one person's run, every link of the chain"),
    ("simulation.people.People", "many people under several scenarios"),
    ("model.muscle.events.Twitches", "the events of a muscle, in columns"),
    ("model.firing.discharge.Firing", "the discharges behind them"),
    ("model.body.contributions.Contribution", "one change of one parameter, with its reason"),
    ("model.axon.conditions.Conditions", "the fluids and channels of an axon"),
    ("clinic.excitability.Excitability", "what the clinic's test finds"),
    ("model.firing.hazard.HazardTable", "how often a site misfires in one body"),
    ("base.parameters.Value", "one number with unit, range, grade and source"),
)
MEANING = {
    "measured": "read from a publication about the thing itself",
    "fitted": "found by a fit on published targets or on direct simulation",
    "assumed": "nobody has measured it, or the source could not be read again",
}
# What a target is for the model, by its grade.
ROLE = {"measured": "prediction", "fitted": "fitted on", "assumed": "assumed"}


# --- Small words ----------------------------------------------------------------------------------


def in_words(value: Value) -> str:
    """Return what a number's note says, or its name in words."""
    return value.note or value.name.rpartition(".")[2].replace("_", " ")


def linked(text: str) -> str:
    """Return a citation as HTML, its DOI and PubMed numbers as links."""
    text = html.escape(text)
    text = re.sub(
        r"\b(doi[:\s]\s*)(10\.\d{4,9}/[^\s;,]*[^\s;,.:)])",
        r'\1<a class="external" href="https://doi.org/\2">\2</a>',
        text,
    )
    text = re.sub(
        r"\b(PMC\d{4,})",
        r'<a class="external" href="https://pmc.ncbi.nlm.nih.gov/articles/\1/">\1</a>',
        text,
    )
    return re.sub(
        r"\bPMID (\d{4,})",
        r'<a class="external" href="https://pubmed.ncbi.nlm.nih.gov/\1/">PMID \1</a>',
        text,
    )


def anchor(key: str) -> str:
    """Return the place of a source on its page."""
    return f"source-{key}"


def cell(text: str, kind: str = "") -> str:
    """Return a table cell of HTML."""
    return f'<td class="{kind}">{text}</td>' if kind else f"<td>{text}</td>"


def table(caption: str, heads: Sequence[str], rows: Iterable[str]) -> str:
    """Return a table that scrolls within the page and that the filter finds."""
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        f'<div class="table-wrapper numbers" tabindex="0" role="region" aria-label="{caption}">\n'
        f'<table class="numbers" data-filter><caption>{caption}</caption>\n'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody></table></div>\n"
    )


def filter_box(choices: Sequence[tuple[str, str]], what: str) -> str:
    """Return the box that filters a page's tables; hidden until its script runs."""
    options = "".join(f'<option value="{value}">{words}</option>' for value, words in choices)
    return (
        '<form class="filter" hidden role="search">'
        '<label>Find <input type="search" autocomplete="off" spellcheck="false"></label>'
        f'<label>Show <select><option value="">all</option>{options}</select></label>'
        f'<output aria-live="polite" data-what="{what}"></output></form>\n'
    )


# --- Numbers and their sources --------------------------------------------------------------------


def parameters() -> str:
    """Return the page of every number."""
    every = [value for _, value in all_values()]
    counts = Counter(value.grade for value in every)
    rows = "".join(f"| {g} | {counts[g]} | {MEANING[g]} |\n" for g in GRADES)
    page = (
        "# Parameters, with grades\n\n"
        f"All {len(every)} numbers of the model, as `neurosim sources` prints them "
        "(`neurosim sources --csv sources.csv` for a spreadsheet). A name is what "
        "`neurosim.base.parameters.parameter(group, name)` takes.\n\n"
        f"| grade | numbers | means |\n|---|---:|---|\n{rows}\n"
        "A *range* is what the source supports, or what a sensitivity runs over. The gates of the "
        "axon and of the muscle fibre stand in code, with the published code they come from "
        "([equations](../equations.md)).\n\n"
    )
    page += filter_box([(g, f"only {g}") for g in GRADES], "numbers")
    for group, path in FILES.items():
        values = load_group(group).values()
        group_counts = Counter(value.grade for value in values)
        grades = ", ".join(f"{group_counts[g]} {g}" for g in GRADES if group_counts[g])
        page += f"\n## {group}\n\n{about(path)} {len(values)} numbers: {grades} (`{path}`).\n\n"
        page += table(
            f"Numbers of {group}",
            ("name", "value", "unit", "range", "grade", "source", "note"),
            (parameter_row(group, value) for value in values),
        )
    return page


def about(path: str) -> str:
    """Return what the first comment of a TOML file says, as sentences."""
    lines = (PACKAGE / path).read_text("utf-8").splitlines()
    sentences = []
    for line in lines:
        if not line.startswith("#"):
            break
        sentences.append(line.lstrip("# ").strip())
    text = " ".join(sentences).strip()
    return text if not text or text.endswith(".") else text + "."


def parameter_row(group: str, value: Value) -> str:
    """Return one number's row."""
    link = f'<a href="sources.html#{anchor(value.source)}">{html.escape(value.source)}</a>'
    return (
        f'<tr id="{group}.{value.name}" data-kind="{value.grade}">'
        f'<th scope="row"><code>{value.name}</code></th>'
        + cell(f"{value.value:g}", "number")
        + cell(html.escape(unit_words(value.unit)))
        + cell(range_words(value.low, value.high), "range")
        + cell(value.grade, value.grade)
        + cell(link)
        + cell(html.escape(value.note))
        + "</tr>"
    )


def sources() -> str:
    """Return the page of the literature."""
    used: dict[str, list[str]] = {}
    for group, value in all_values():
        groups = used.setdefault(value.source, [])
        if group not in groups:
            groups.append(group)
    page = (
        "# Sources\n\n"
        f"The {len(references())} sources behind the model's numbers and claims, by the key "
        "that a number names. Where one was recalled and not read again it says so; then the "
        'number is "assumed".\n\n'
    )
    page += filter_box([], "sources") + '<dl class="sources" data-filter>\n'
    for key, text in sorted(references().items(), key=lambda item: item[0].lower()):
        groups = ", ".join(
            f'<a href="parameters.html#{group.replace("_", "-")}">{group}</a>'
            for group in used.get(key, [])
        )
        where = f'<br><span class="used">Numbers of: {groups}</span>' if groups else ""
        page += (
            f'<div id="{anchor(key)}"><dt><code>{html.escape(key)}</code></dt>'
            f"<dd>{linked(text)}{where}</dd></div>\n"
        )
    return page + "</dl>\n"


# --- Validation -----------------------------------------------------------------------------------


def validate() -> Validation:
    """Return what `neurosim validate` computes, anew whenever any code or number changed."""
    key = disk_cache.cache_key("docs", code_hash())
    entry = disk_cache.get([key]).get(key)
    if entry is None:
        entry = disk_cache.Entry(tuple(vars(row) for row in validation_rows()))
        disk_cache.put({key: entry})
    return Validation(tuple(Row(**table) for table in entry.value), NOT_COMPUTABLE)


def draw_validation(validation: Validation, folder: Path) -> dict[str, str]:
    """Draw both figures into a folder and return their words, and what is not drawn."""
    figures = {"places": picture_targets(validation), "misses": picture_misses(validation)}
    for name, figure in figures.items():
        (folder / f"validation_{name}.png").write_bytes(png_bytes(figure, 150))
    signs = [row.inside for row in validation.rows if row.place != row.place]
    not_drawn = (
        f"Not drawn: {len(signs)} targets that ask for a direction or a bound alone, "
        f"of which {sum(signs)} are met."
    )
    return {name: figure.alt_text for name, figure in figures.items()} | {"signs": not_drawn}


def validation() -> str:
    """Return the page of the model against published numbers, and draw its figures."""
    results = validate()
    rows = results.rows
    words = draw_validation(results, HERE / "generated")
    met = {grade: [r.inside for r in rows if r.grade == grade] for grade in GRADES}
    counts = "".join(
        f"| {ROLE[g]} | {len(met[g])} | {sum(met[g])} | {len(met[g]) - sum(met[g])} | {why} |\n"
        for g, why in (
            ("measured", "held against a measurement that no fit used"),
            ("fitted", "used in a fit: meeting it shows that the fit worked, no more"),
            ("assumed", "the published number was recalled, or its width chosen here"),
        )
    )
    page = (
        "# Validation\n\n"
        "The model held against published numbers, misses included: what `neurosim validate` "
        "prints, found anew while this page was built.\n\n"
        f"| what a target is | targets | met | missed | |\n|---|---:|---:|---:|---|\n{counts}\n"
        f"![{words['places']}](validation_places.png)\n\n{words['signs']}\n\n"
        "## Misses\n\nEvery miss stays in the list. [Limits](../limits.md) says what is thought to "
        f"be behind most of them.\n\n![{words['misses']}](validation_misses.png)\n\n"
        "## Every target\n\n"
    )
    page += filter_box(
        [("missed", "only misses"), *((ROLE[g], f"only {ROLE[g]}") for g in GRADES)], "targets"
    )
    page += table(
        "Targets",
        ("target", "quantity", "condition", "published", "model", "unit", "met", "role", "source"),
        (target_row(row) for row in rows),
    )
    page += "\n## Not asked\n\nPublished facts that the model cannot be asked, and why.\n\n"
    page += "| target | fact | why not |\n|---|---|---|\n"
    page += "".join(f"| {target} | {what} | {why} |\n" for target, what, why in NOT_COMPUTABLE)
    return page + FIGURES


FIGURES = """
## Figures

Further comparisons, each drawn by the script named on the page of [the model](../model.md).

![The shipped axon's strength-duration, electrotonus, recovery cycle and threshold I/V on the bands
of 280 healthy people](../figures/excitability_health.png)

![Spread and correlations of the excitability measures: axons drawn for the model against
people's](../figures/people.png)

![Bursts and doublets predicted by the hazard law against direct simulation, in body states that
were not fitted](../figures/hazard_check.png)

![P-values of the sampler of discharges on the diagonal; those of samplers that are wrong on purpose
off it](../figures/sampler.png)
"""


def target_row(row: Row) -> str:
    """Return one target's row."""
    role = ROLE[row.grade]
    met = "met" if row.inside else "missed"
    words, unit = quantity_words(row)
    sign = "✓ met" if row.inside else "✗ missed"
    return (
        f'<tr data-kind="{role} {met}"><th scope="row">{html.escape(row.target)}</th>'
        + cell(html.escape(words))
        + cell(html.escape(condition_words(row)))
        + cell(range_words(row.published_low, row.published_high), "range")
        + cell(f"{row.model:.4g}", "number")
        + cell(html.escape(unit))
        + cell(sign, met)
        + cell(role)
        + cell(linked(row.source))
        + "</tr>"
    )


# --- API ------------------------------------------------------------------------------------------


def api_pages() -> dict[str, str]:
    """Return the pages of the API by name: what a user imports, then one page for each room."""
    rooms = "".join(f"- [{room}](api_{room}.md): {what}\n" for room, what in ROOMS.items())
    objects = "".join(f"- {{py:class}}`~neurosim.{name}`: {what}\n" for name, what in OBJECTS)
    hidden = "\n".join(f"api_{room}" for room in ROOMS)
    page = (
        "# API\n\n`import neurosim as ns` gives these names; `help(ns.simulate)` and the like say "
        "the same. Units stand in the names, shapes in the docstrings. Everything behind them, "
        f"room by room:\n\n{rooms}\n"
        f"```{{toctree}}\n:hidden:\n{hidden}\n```\n\n"
        f"What comes back, or goes in:\n\n{objects}\n"
        "## Names of the package\n\n"
    )
    modules = []
    for name in neurosim.__all__:
        thing = getattr(neurosim, name)
        if inspect.ismodule(thing):
            modules.append(name)
        else:
            page += documented(thing, name)
    page += "".join(
        f"`neurosim.{name}`\n: {inspect.getdoc(getattr(neurosim, name)).splitlines()[0]}\n\n"
        for name in modules
    )
    pages = {"api": page}
    for room, what in ROOMS.items():
        package = import_module(f"neurosim.{room}")
        modules = pkgutil.walk_packages(package.__path__, f"neurosim.{room}.")
        names = [m.name for m in modules if not m.ispkg and "compiled" not in m.name]
        pages[f"api_{room}"] = f"# {room}: {what}\n\n" + "".join(map(module_part, names))
    return pages


def rst(text: str) -> str:
    """Return reStructuredText as a block of Markdown."""
    return f"```{{eval-rst}}\n{text}\n```\n\n"


def documented(thing: object, name: str) -> str:
    """Return the entry of one public name, with all that it holds."""
    if inspect.isclass(thing):
        kind = "autoexception" if issubclass(thing, Exception) else "autoclass"
        return rst(f".. {kind}:: neurosim.{name}\n   :members:\n   :no-index:")
    if callable(thing):
        return rst(f".. autofunction:: neurosim.{name}\n   :no-index:")
    return f"`neurosim.{name}` = `{thing!r}`\n\n"


def module_part(name: str) -> str:
    """Return the part of a page about one module."""
    if name.rpartition(".")[2].startswith(("_", "compiled")):
        return ""
    title = name.removeprefix("neurosim.")
    return f"## {title}\n\n" + rst(f".. automodule:: {name}\n   :members:")


# --- Sphinx ---------------------------------------------------------------------------------------


def write(folder: Path, pages: dict[str, str]) -> None:
    """Write pages that changed, and remove those that are no more."""
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    for path in folder.glob("*.md"):
        if path.stem not in pages:
            path.unlink()


def generate(app) -> None:
    """Make the pages."""
    folder = HERE / "generated"
    folder.mkdir(exist_ok=True)
    pages = {"parameters": parameters(), "sources": sources(), "validation": validation()}
    write(folder, {**pages, **api_pages()})


def plain_name(app, env, node, content):
    """Return a name in single backticks that is no entry of the API as code, without a warning.

    Docstrings name columns, files, attributes and arguments so.
    """
    if node.get("reftype") == "obj" and node.get("refdomain") == "py":
        return content
    return None


def property_words(app, what, name, obj, options, lines) -> None:
    """Put a property's first sentence together again, which napoleon cuts at a colon as a type."""
    if what == "property":
        for i, line in enumerate(lines):
            if line.startswith(":type: "):
                lines[:] = [f"{line.removeprefix(':type: ')}: {lines[0]}", *lines[1:i]]
                break


def setup(app) -> dict:
    """Tell Sphinx of it."""
    app.connect("autodoc-process-docstring", property_words, priority=600)  # after napoleon
    app.connect("builder-inited", generate)
    app.connect("missing-reference", plain_name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
