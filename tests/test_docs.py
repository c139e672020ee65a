"""The documentation without Sphinx: its Markdown, the pages made from the code, and the checker."""

import doctest
import importlib
import importlib.util
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neurosim
from neurosim.base.parameters import FILES, all_values, references
from neurosim.model.axon import equations as eq
from neurosim.validation.target import Row
from neurosim.view.style import one_line

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FOLDERS = (
    "neurosim|base|model|clinic|simulation|view|article|classroom|validation|tests|docs|scripts"
)
PATH = rf"(?<![\w/])(?:(?:{FOLDERS}|scenarios|benchmarks|notebooks)/[\w./-]*\w|\w+\.py\b)"
MADE = {"docs/_build/html", "docs/_build/html/index.html", "notebooks/NN_name.md"}
GOOD = """<!doctype html><html lang="en"><head><title>t</title>
<link rel="stylesheet" href="site.css"></head><body><h1 id="top">t</h1>
<a href="#top">up</a> <a href="two.html#there">two</a> <a href="https://doi.org/10.1/x">out</a>
<img src="a.png" alt="A falling line"></body></html>"""


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def architecture():
    return loaded(ROOT / "tests" / "test_architecture.py")


@pytest.fixture(scope="module")
def generated():
    return loaded(ROOT / "docs" / "_ext" / "generated.py")


def slug(heading):
    """Return a heading's anchor as a code host makes it."""
    plain = re.sub(r"[`*$]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_pictures_of_markdown_lead_somewhere_and_pictures_have_words(page):
    text = re.sub(r"```.*?```|`[^`\n]+`", "", page.read_text("utf-8"), flags=re.S)
    for mark, words, to in re.findall(r"(!?)\[([^]]*)\]\(([^)\s]+)\)", text):
        if mark:
            assert len(words.split()) >= 3, to
        if to.startswith(("http", "generated/")):
            continue
        path, _, place = to.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name}: {to}"
        if place:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.M)
            assert place in map(slug, headings), f"{page.name}: {to}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_and_modules_named_in_markdown_are_there(page):
    if page.name == "CHANGELOG.md":
        pytest.skip("older versions had other files")
    text = page.read_text("utf-8")
    blocks = re.findall(r"```.*?```", text, flags=re.S)
    spans = blocks + re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    paths = {path for span in spans for path in re.findall(PATH, span)} - MADE
    assert sorted(path for path in paths if not is_file(path)) == []
    names = {name for span in spans for name in re.findall(r"\bneurosim(?:\.\w+)+", span)}
    assert sorted(name for name in names if not is_module_or_inside_one(name)) == []


NAMING = [
    *sorted((ROOT / "neurosim").rglob("*.toml")),
    *(p for f in ("scripts", "benchmarks", "scenarios") for p in sorted((ROOT / f).rglob("*.py"))),
]


@pytest.mark.parametrize("file", NAMING, ids=lambda file: file.name)
def test_folders_of_the_package_that_a_script_or_a_source_names_are_there(file):
    named = re.findall(r"\bneurosim/(?:[a-z_]+/)*", file.read_text("utf-8"))
    assert sorted(path for path in set(named) if not (ROOT / path).is_dir()) == []


def is_file(path):
    """Whether a path, or a file's bare name, is there; a module may lack its ending."""
    places = [ROOT / path, ROOT / "neurosim" / path, ROOT / f"{path}.py"]
    if "/" not in path:
        folders = ("neurosim", "scripts", "scenarios", "benchmarks")
        places += (place for folder in folders for place in ROOT.glob(f"{folder}/**/{path}"))
    return any(place.exists() for place in places)


def is_module_or_inside_one(name):
    module, _, last = name.rpartition(".")
    for path in (name, module):
        try:
            found = importlib.import_module(path)
        except ImportError:
            continue
        return path == name or hasattr(found, last)
    return False


def test_the_page_of_the_house_names_every_room(architecture):
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rooms = [*architecture.ROOMS, *(f"model/{folder}" for folder in architecture.MODEL)]
    assert [room for room in rooms if f"| `neurosim/{room}` |" not in text] == []


def test_the_picture_of_the_house_is_drawn_from_the_rooms_as_they_are():
    from PIL import Image

    script = loaded(ROOT / "scripts" / "draw_house.py")
    words = one_line(script.words_of(*script.tables()))
    with Image.open(script.PICTURE) as picture:
        assert picture.info["Description"] == words, "run scripts/draw_house.py"


def test_one_value_is_followed_as_the_page_says():
    script = loaded(ROOT / "scripts" / "one_value.py")
    page = script.PAGE.read_text("utf-8")
    written = page.partition(script.BEGIN)[2].partition(script.END)[0].strip()
    now = script.table().strip()
    number = r"[-+]?\d+(?:[ \u202f]\d{3})*(?:\.\d+)?"
    assert re.sub(number, "#", written) == re.sub(number, "#", now), "scripts/one_value.py --write"
    numbers = ([float(re.sub(r"\s", "", n)) for n in re.findall(number, t)] for t in (written, now))
    np.testing.assert_allclose(*numbers, rtol=0.02)  # other machines round otherwise


def test_every_number_named_in_the_equations_is_one_of_the_model():
    text = (ROOT / "docs" / "equations.md").read_text("utf-8")
    known = {f"{room}.{value.name}" for room, value in all_values()}
    named = set(re.findall(rf"`((?:{'|'.join(FILES)})\.[\w.]+)`", text))
    named = {name for name in named if not name.endswith(".py")}
    assert len(named) > 150
    assert named <= known


def test_gates_of_the_equations_are_those_of_the_code():
    text = (ROOT / "docs" / "equations.md").read_text("utf-8")
    v = np.linspace(-120.0, 40.0, 33)

    def linoid(numbers):
        c, v0, w = (float(n) for n in numbers)
        return c * (v + v0) / w / -np.expm1(-(v + v0) / w)

    gates = {"m": eq.rates_m, "h": eq.rates_h, "n": eq.rates_n, "s": eq.rates_s}
    for gate, rates in gates.items():
        row = re.search(rf"^\| \${gate}\$.*\((?:transient|sodium|fast|slow).*$", text, re.M)[0]
        forms = re.findall(r"\\ell\(V;\\ ([-\d.]+),\\ ([-\d.]+),\\ ([-\d.]+)\)", row)
        told = [linoid(form) for form in forms]
        if gate == "h":
            top, half, width = re.search(
                r"([\d.]+) / \(1 \+ e\^\{-\(V \+ ([\d.]+)\)/([\d.]+)\}", row
            ).groups()
            told.append(float(top) / (1.0 + np.exp(-(v + float(half)) / float(width))))
        np.testing.assert_allclose(told, rates(v), rtol=1e-6)
    scale, half, width = re.search(r"([\d.]+)\\,e\^\{-\(V \+ ([\d.]+)\)/([\d.]+)\}", text).groups()
    x = (v + float(half)) / float(width)
    told = float(scale) * np.exp(-x), float(scale) * np.exp(x)
    np.testing.assert_allclose(told, eq.rates_q(v))


def test_the_page_of_numbers_has_a_row_for_each(generated):
    page = generated.parameters()
    rows = re.findall(r'<tr id="([^"]+)" data-kind="(\w+)">', page)
    assert rows == [(f"{room}.{v.name}", v.grade) for room, v in all_values()]
    assert 'surface_charge_na</code></th><td class="number">-0.16</td><td>C/m²</td>' in page
    places = set(re.findall(r'sources\.html#([^"]+)"', page))
    assert places <= set(re.findall(r'<div id="([^"]+)">', generated.sources()))


def test_the_page_of_sources_links_what_can_be_looked_up(generated):
    page = generated.sources()
    assert page.count("<dt>") == len(references())
    assert 'href="https://doi.org/10.1212/01.WNL.0000300559.14806.2A"' in page
    assert 'href="https://pmc.ncbi.nlm.nih.gov/articles/PMC2117598/"' in page


EXAMPLES = [
    name
    for _, name, is_folder in pkgutil.walk_packages(neurosim.__path__, "neurosim.")
    if not is_folder and "compiled" not in name and "jupyter" not in name
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_in_docstrings_hold(name):
    results = doctest.testmod(importlib.import_module(name))
    assert not results.failed


def test_a_target_is_told_by_name_unit_and_outcome(generated):
    row = Row(
        *("V9", "change of sdtc_ms", "of the measure", "als_early"),
        *(5.0, float("inf"), 1.0, "measured", "Kuwabara <2007>"),
    )
    html = generated.target_row(row)
    for words in (
        "change of strength-duration time constant",
        ">ms<",
        "at least 5",
        "✗ missed",
        "prediction",
        "ALS early",
        "&lt;2007&gt;",
    ):
        assert words in html


# --- The checker of the built pages ---------------------------------------------------------------


def check(folder, *options):
    run = [
        sys.executable,
        str(ROOT / "scripts" / "verification" / "check_docs.py"),
        str(folder),
        *options,
    ]
    return subprocess.run(run, capture_output=True, text=True, timeout=60)


@pytest.fixture
def site(tmp_path):
    (tmp_path / "index.html").write_text(GOOD, "utf-8")
    (tmp_path / "two.html").write_text(
        GOOD.replace('id="top"', 'id="there"').replace("#top", "#there"), "utf-8"
    )
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "site.css").write_text("p { background: url(a.png) }", "utf-8")
    return tmp_path


def test_the_checker_passes_a_sound_site_and_lists_other_addresses(site):
    found = check(site, "--list")
    assert found.returncode == 0, found.stderr
    assert "https://doi.org/10.1/x\n" in found.stdout
    assert "2 pages" in found.stdout and "1 addresses elsewhere; 0 wrong" in found.stdout


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("two.html#there", "two.html#gone", "two.html#gone leads to no place"),
        ('href="#top"', 'href="#bottom"', "#bottom leads to no place"),
        ("two.html#there", "three.html", "three.html leads nowhere"),
        ('src="a.png"', 'src="b.png"', "b.png leads nowhere"),
        ('src="a.png"', 'src="https://cdn.example/a.png"', "would load https://cdn.example/a.png"),
        ('src="a.png"', 'src="//cdn.example/a.png"', "would load //cdn.example/a.png"),
        ("site.css", "https://cdn.example/site.css", "would load"),
        ("</head>", "<style>@import 'https://fonts.example/f.css';</style></head>", "would load"),
        ("</head>", '<script src="http://cdn.example/x.js"></script></head>', "would load"),
        ("</body>", '<p style="background: url(http://cdn.example/x)"></p></body>', "would load"),
        (' alt="A falling line"', "", "has no words"),
        ("A falling line", "a.png", "has no words"),
        ("https://doi.org/10.1/x", "https://doi", "not well formed"),
        ("https://doi.org/10.1/x", "htp://doi.org/10.1/x", "not well formed"),
        ("</body>", '<p id="top"></p></body>', "occurs 2 times"),
        ("<h1", "<h2", "0 main headings"),
        (' lang="en"', "", "no title or no language"),
    ],
)
def test_the_checker_finds_what_is_broken(site, old, new, words):
    text = GOOD.replace(old, new)
    assert text != GOOD
    (site / "index.html").write_text(text, "utf-8")
    found = check(site)
    assert found.returncode == 1
    assert words in found.stderr


def test_the_checker_reads_styles(site):
    (site / "site.css").write_text('@font-face { src: url("https://fonts.example/f.woff") }')
    assert "would load https://fonts.example/f.woff" in check(site).stderr


def test_the_checker_asks_for_a_site(tmp_path):
    found = check(tmp_path)
    assert found.returncode == 2
    assert "build it first" in found.stderr


def prose_lines(text):
    """Yield the lines of a page that are prose: no code, mathematics, table, heading or HTML."""
    text = re.sub(r"(?ms)^---\n.*?^---\n", "", text, count=1) if text.startswith("---") else text
    text = re.sub(r"(?ms)^\s*(```|~~~|\$\$).*?^\s*\1|<!--.*?-->", "", text)
    text = re.sub(r"(?m)^\n(?: {4}.*\n)+", "\n", text)
    for line in text.splitlines():
        if not re.match(r"\s*(\||#|<|:::|!\[|\$\$|\{)", line):
            yield line


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted((ROOT / "notebooks").glob("*.md"))], ids=lambda page: page.name
)
def test_prose_is_wrapped_so_that_a_review_shows_what_changed(page):
    long = [line for line in prose_lines(page.read_text("utf-8")) if len(line) > 100]
    assert [line for line in long if " " in line.strip()[:100].removeprefix("- ")] == []
