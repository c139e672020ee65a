"""The lab in a real browser, by keyboard alone: sliders, and a lesson run in JupyterLab."""

import json
import re
from urllib.request import urlopen

import pytest

import neurosim as ns
from neurosim.classroom.explorer.settings import rate_words

CALCIUM = "Ionised calcium"


def rate(**body):
    """Return the rate that the model has, in the words of the page."""
    found = ns.simulate(ns.Body(**body), duration_s=60, seed=1).expected_per_min
    return f"{rate_words(found)} over a long time"


def words(page):
    return page.locator(".neurosim-words").inner_text()


def wait_for(page, text):
    page.wait_for_function(
        "text => document.querySelector('.neurosim-words').innerText.includes(text)", arg=text
    )


COUNTED = """
import neurosim as ns
from neurosim.classroom.explorer import settings
moves, respond = [], settings.Explorer.respond
settings.Explorer.respond = lambda self, setting: moves.append(setting) or respond(self, setting)
ui = ns.explore(canvas=False)
ui.sentences.observe(lambda change: setattr(ui.reset, "tooltip", str(len(moves))), "value")
ui
""".strip()


def open_explorer(page, address, kind):
    """Open the sliders and return a function that gives the picture and one that gives its name."""
    page.goto(address)
    page.wait_for_selector(".neurosim-words b")
    wait_for(page, rate())
    picture = page.locator(f".neurosim-explorer {kind}").first
    picture.wait_for()
    name = "alt" if kind == "img" else "aria-label"
    return picture.screenshot, lambda: picture.get_attribute(name)


def test_sliders_by_keyboard_alone(page, lab, tab_to, shot):
    pytest.importorskip("ipympl")
    address = lab.url("voila/render/explore.ipynb")
    picture, name = open_explorer(page, address, "canvas")
    before, in_health = picture(), name()
    assert rate() in in_health

    tab_to(page, CALCIUM)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    low = rate(ionised_calcium_mmol_l=0.8)
    wait_for(page, "ionised calcium 0.80 mmol/L (low)")
    assert low != rate() and low in words(page) and low in name()
    assert "changed, LOW" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert picture() != before
    shot("explorer", clip={"x": 0, "y": 0, "width": 1366, "height": 725})
    assert page.locator("[aria-live=polite]").first.inner_text() == words(page)

    tab_to(page, "Condition")
    page.keyboard.type("Isaacs")
    wait_for(page, "Isaacs' syndrome")
    tab_to(page, "Reset to health")
    page.keyboard.press("Enter")
    wait_for(page, "all as in health")
    assert name() == in_health
    page.keyboard.press("Tab")  # and out of it again
    assert not page.evaluate("document.activeElement.className.includes('matplotlib')")


def test_without_ipympl_an_image_changes_and_moves_do_not_queue(page, lab, tab_to):
    picture, name = open_explorer(page, lab.add_page("counted", COUNTED), "img")
    before, in_health = picture(), name()
    assert rate() in in_health
    tab_to(page, "Sodium")
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    wait_for(page, "sodium 180 mmol/L (high)")
    high = rate(sodium_mmol_l=180)
    assert high in name() and name() != in_health and picture() != before
    answered = int(page.locator(".neurosim-explorer button").get_attribute("title"))
    assert 2 <= answered < 40


def test_a_closed_page_ends_its_kernel(page, lab):
    def kernels():
        with urlopen(lab.url("api/kernels"), timeout=20) as answer:
            return {kernel["id"] for kernel in json.load(answer)}

    before = kernels()
    page.goto(lab.add_page("short", "print('here')"))
    page.wait_for_selector("text=here")
    page.wait_for_function("document.cookie.includes('_xsrf')")
    assert len(kernels() - before) == 1
    page.goto("about:blank")
    for _ in range(100):
        if kernels() <= before:
            return
        page.wait_for_timeout(100)
    raise AssertionError("the kernel of a closed page goes on")


def test_a_lesson_runs_in_jupyterlab_by_keyboard(page, lab):
    (lesson,) = lab.folder.glob("01_*.ipynb")
    page.goto(lab.url(f"lab/tree/{lesson.name}"))
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_selector("text=/Python 3.*Idle/")
    assert page.locator(".jp-Dialog, .jp-toast-button").count() == 0, "a class is asked nothing"
    page.locator(".jp-Notebook .jp-MarkdownCell").first.focus()
    status = page.locator("text=/^Cell \\d+\\/\\d+$/").inner_text()
    for _ in range(int(status.split("/")[1]) - 1):
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(30)
    page.keyboard.press("Control+Enter")  # the last, without a new one below it

    cells = saved_when_run(page, lesson)
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    assert "Twitches: " in "".join("".join(o.get("text", "")) for o in outputs)
    pictures = [o["data"] for o in outputs if "image/png" in o.get("data", {})]
    assert len(pictures) >= 3
    page.wait_for_selector(".jp-Notebook .jp-OutputArea-output img")
    from neurosim.view.style import new_figure

    if hasattr(new_figure(1, 1), "words"):
        for picture in pictures:
            assert re.search(r'<img[^>]* alt="[^"]{40,}', "".join(picture["text/html"]))


def saved_when_run(page, path):
    """Save the notebook by keyboard until all of it has run, and return its code cells."""
    for _ in range(60):
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1000)
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        if all(cell["execution_count"] for cell in code):
            return code
    raise AssertionError(f"not run: {[c['source'] for c in code if not c['execution_count']]}")
