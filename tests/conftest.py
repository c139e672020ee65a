"""The lanes: unit (20 s, nothing compiled), all, slow; an article without a run, looks at figures.

The look: what is written on it, where, how large and in which colour.
"""

import os
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

os.environ["NEUROSIM_CACHE"] = "0"  # nobody's cache is read or filled by a test
SLOWER = Path(__file__).with_name("slower.txt")  # tests that are not of the unit lane, by name
SLOW = pytest.StashKey()
UNIT_S = 0.1  # the longest test of the unit lane


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the tests that need minutes")
    parser.addoption(
        "--measure", action="store_true", help=f"add tests above {UNIT_S} s to {SLOWER.name}"
    )


def pytest_configure(config):
    if config.option.markexpr == "unit" or config.option.measure:
        os.environ["NEUROSIM_BACKEND"] = "numpy"  # the reference in NumPy: nothing is compiled


def function_name(item):
    """Return a test's file and function, whatever its parameters."""
    return item.nodeid.partition("[")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    slower = set(SLOWER.read_text("utf-8").split("\n"))
    for item in items:
        if function_name(item) not in slower and not {"slow", "browser"} & set(item.keywords):
            item.add_marker(pytest.mark.unit)
        if "slow" in item.keywords and not config.option.slow:
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if item.config.option.measure and (report.failed or call.duration > UNIT_S):
        item.config.stash.setdefault(SLOW, set()).add(function_name(item))
    return report


def pytest_sessionfinish(session):
    if session.config.option.measure:
        names = set(SLOWER.read_text("utf-8").split()) | session.config.stash.get(SLOW, set())
        SLOWER.write_text("\n".join(sorted(names)) + "\n", "utf-8")


@pytest.fixture(scope="session")
def small_article():
    """Return a whole `Article` of six people whose rates are drawn, judged by the real rules."""
    from neurosim.article import claim_tests, trial, verdict
    from neurosim.article.claims import CLAIMS
    from neurosim.article.matrix import remedy_matrix
    from neurosim.simulation.robustness import Lean
    from neurosim.simulation.scenario import load_scenario

    base = load_scenario("normal").replace(people=6)
    rng = np.random.default_rng(5)
    person = rng.lognormal(0.0, 1.0, 6)
    rates = {
        n: person * rng.choice([0.001, 0.3, 1.0, 30.0]) * rng.lognormal(0.0, 0.02, 6)
        for some in trial._all_scenarios(base)
        for n in some
    }
    rates["normal"] = person
    table, alarms = remedy_matrix(base, rates), small_alarms()
    evidence = claim_tests.Evidence(base, rates, table)
    judged = [
        verdict.make_verdict(c, "supported", finding=f"test {c.test} found <1 & 2>")
        if c.kind == "test"
        else trial._judge(c, evidence, alarms)
        for c in CLAIMS
    ]
    lean = Lean("channel noise of a site", 4.0, "<mV>", 1.0, 6.0, flips_at=1.5)
    leaning = {"lean": lean, "assumed": 9,
               "span_low": 0.5, "span_high": 70.0, "axon_ratios": {"ohmic": 30.0},
               "elsewhere_ratio": 2.0}  # fmt: skip
    judged = [replace(v, **leaning) if v.number == 24 else v for v in judged]
    return trial.Article(tuple(judged), base, rates, table, alarms)


def small_alarms():
    """Return alarms of two people of each group: everybody persists, half of ALS spreads."""
    from neurosim.article.alarms import SIGNS, Alarms
    from neurosim.article.diary import GROUPS, Diary
    from neurosim.model.muscle.anatomy import MUSCLES

    none = np.zeros(0, int)
    diaries = tuple(
        Diary(
            group,
            person,
            26,
            np.zeros(0),
            none,
            none,
            none.astype(bool),
            np.ones((2, len(MUSCLES))),
            np.ones(len(MUSCLES)),
        )
        for group in GROUPS
        for person in range(2)
    )
    shown = {
        sign: tuple(sign == "persists" or (d.group == "als" and d.person == 0) for d in diaries)
        for sign in SIGNS
    }
    return Alarms(26, 1, 100, diaries, shown)


# --- The look at a figure ---------------------------------------------------------------------


SCREEN = (1920.0, 1080.0)  # pixels of a projector
LEAST_PX = 18.0  # of a font there
LEAST_CONTRAST = 4.5  # of WCAG 2.2, success criterion 1.4.3


def luminance(colour):
    """Return the relative luminance of WCAG 2.2, from 0 to 1."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast_of(one, other):
    """Return the contrast ratio of WCAG 2.2, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def written(figure):
    """Return (text, bounding box) of everything that is written on a figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    hidden = set()
    for ax in figure.findobj(lambda a: hasattr(a, "get_xlim")):
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            low, high = sorted((low, high))
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not (ax.axison and low <= tick.get_loc() <= high and tick.get_visible()):
                    hidden |= {tick.label1, tick.label2}
        if not ax.axison:
            hidden |= {ax.xaxis.label, ax.yaxis.label}
    found = {}
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text not in hidden:
            found[id(text)] = (text, Text.get_window_extent(text, renderer))
    return list(found.values()), figure.bbox


def screen_px(text, figure, page=False):
    """Return the height of a text's letters, px, with the figure as large as the screen holds.

    A page to scroll is only as wide as the screen.
    """
    wide, high = figure.get_size_inches()
    per_inch = SCREEN[0] / wide if page else min(SCREEN[0] / wide, SCREEN[1] / high)
    return text.get_fontsize() / 72.0 * per_inch


@pytest.fixture(scope="session")
def texts():
    """Return what tells (words, box) of everything on a figure, and its page."""

    def look(figure):
        found, page = written(figure)
        return [(text.get_text(), box) for text, box in found], page

    return look


@pytest.fixture(scope="session")
def check():
    """Return what fails if texts overlap, leave the page, are too small, or too pale."""

    def look(figure, page=False):
        found, paper = written(figure)
        assert found
        for text, box in found:
            words = text.get_text()
            inside = box.x0 >= paper.x0 - 1 and box.x1 <= paper.x1 + 1
            assert inside and box.y0 >= paper.y0 - 1 and box.y1 <= paper.y1 + 1, f"cut: {words!r}"
            assert "\\mathdefault{10^" not in words, f"a small exponent: {words!r}"
            px = screen_px(text, figure, page)
            assert px >= LEAST_PX, f"{px:.1f} px on a projector: {words!r}"
        for (a, one), (b, two) in combinations(found, 2):
            wide = min(one.x1, two.x1) - max(one.x0, two.x0)
            high = min(one.y1, two.y1) - max(one.y0, two.y0)
            assert wide <= 1 or high <= 1, f"{a.get_text()!r} lies upon {b.get_text()!r}"
        pixels = np.asarray(figure.canvas.buffer_rgba())[::-1]
        for text, box in found:
            x0, x1, y0, y1 = (max(int(v), 0) for v in (box.x0, box.x1, box.y0, box.y1))
            part = pixels[y0 : y1 + 1, x0 : x1 + 1, :3].reshape(-1, 3)
            shades, counts = np.unique(part, axis=0, return_counts=True)
            behind = shades[counts.argmax()] / 255.0
            ratio = contrast_of(text.get_color(), behind)
            assert ratio >= LEAST_CONTRAST, f"contrast {ratio:.1f}: {text.get_text()!r}"

    return look


@pytest.fixture(scope="session")
def contrast():
    """Return what tells the contrast ratio of two colours."""
    return contrast_of
