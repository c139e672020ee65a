"""A real browser works the mystery patient to its end with the keyboard alone.

The page is one cell, served by Voila on loopback. Skipped with a reason where Playwright, Voila or
a Chromium is missing, unless NEUROSIM_BROWSER=required.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOTS = os.environ.get("NEUROSIM_SHOTS", "")
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update",
           "--disable-sync"]  # fmt: skip
SIZE = {"width": 1100, "height": 1000}
WAIT_MS = 90_000

pytestmark = [
    pytest.mark.browser,
    # what Playwright and its child processes leave to the garbage collector is not ours to mend
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def missing(what):
    """Skip, or fail where a browser is required."""
    if os.environ.get("NEUROSIM_BROWSER") == "required":
        pytest.fail(f"{what} is missing, and NEUROSIM_BROWSER=required")
    pytest.skip(f"{what} is missing")


def found(module):
    try:
        return __import__(module)
    except ImportError:
        return missing(module)


@pytest.fixture(scope="module")
def chromium():
    """Return the path of a Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    return missing("chromium")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def address(chromium, tmp_path_factory):
    """Serve a notebook of one cell and return its address."""
    for module in ("voila", "ipywidgets", "playwright"):
        found(module)
    folder = tmp_path_factory.mktemp("patient")
    cell = {"cell_type": "code", "execution_count": None, "id": "one", "metadata": {},
            "outputs": [], "source": "import neurosim as ns\n\nns.mystery(seed=7)"}  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / "patient.ipynb").write_text(json.dumps(notebook), "utf-8")
    port = free_port()
    words = [sys.executable, "-m", "voila", "patient.ipynb", "--no-browser", f"--port={port}",
             "--Voila.ip=127.0.0.1"]  # fmt: skip
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH", "")) if p)
    with (folder / "server.txt").open("wb") as log:
        server = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log,
                                  env={**os.environ, "PYTHONPATH": path})  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/static/", server, folder / "server.txt")
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(20)


def wait_for(address, server, log):
    """Wait until the server answers at all."""
    end = time.monotonic() + 60.0
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"no server: {log.read_text('utf-8', 'replace')[-2000:]}")


@pytest.fixture
def page(request, address):
    """Return an empty page, of the folder's browser if it has one, else of an own one.

    Two get into each other's way in one process.
    """
    try:
        context = request.getfixturevalue("browser").new_context(viewport=SIZE)
        yield context.new_page()
        context.close()
    except pytest.FixtureLookupError:
        from playwright.sync_api import sync_playwright

        path = request.getfixturevalue("chromium")
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=path, args=OPTIONS)
            yield browser.new_page(viewport=SIZE)
            browser.close()


def focused(page):
    """Return what has the focus: its tag and its text or label."""
    return page.evaluate(
        """() => { const e = document.activeElement;
        const label = e.labels && e.labels.length ? e.labels[0].innerText : '';
        return [e.tagName, (label || e.innerText || '').trim()]; }"""
    )


def tab_to(page, tag, text, most=60):
    """Press Tab until an element with this text has the focus, from wherever it is."""
    seen = []
    for _ in range(most):
        page.keyboard.press("Tab")
        now = focused(page)
        seen.append(now)
        if now[0] == tag and text in now[1]:
            return
    pytest.fail(f"Tab never comes to {tag} {text!r}: {seen}")


def choose(page, label, text, most=80):
    """Choose an entry of a list with the arrow keys, as somebody does who looks at it.

    The server repeats every choice; on a busy machine a late repeat takes the list one back.
    """
    tab_to(page, "SELECT", label)
    page.keyboard.press("Home")
    chosen = ""
    for _ in range(most):
        page.wait_for_timeout(100)
        chosen = selected(page)
        if text in chosen:
            page.wait_for_timeout(1000)
            if text in selected(page):
                return
        else:
            page.keyboard.press("ArrowDown")
    pytest.fail(f"{label} does not stay at {text!r}, the last is {chosen!r}")


def selected(page):
    """Return the chosen entry of the list that has the focus."""
    entry = page.evaluate("document.activeElement.selectedOptions[0].innerText")
    return entry.replace("\xa0", " ")


def shot(page, name):
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def test_a_patient_is_solved_with_the_keyboard_alone(page, address):
    # Voila asks a server far away for a font of signs; a class without internet has none.
    page.route(lambda url: "//127.0.0.1:" not in url, lambda route: route.abort())
    page.goto(address, timeout=WAIT_MS)
    page.get_by_text("Mystery patient 7").wait_for(timeout=WAIT_MS)
    live = page.locator("[aria-live=polite]").first
    shot(page, "mystery_start")

    tab_to(page, "BUTTON", "History")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="History, 0 points").wait_for(timeout=WAIT_MS)
    assert "drinks coffee" in live.inner_text()
    tab_to(page, "BUTTON", "Blood panel")
    page.keyboard.press("Space")
    page.get_by_role("heading", name="Blood panel, 10 points").wait_for(timeout=WAIT_MS)
    assert "ionised calcium: 1.11 mmol/L" in live.inner_text()
    tab_to(page, "BUTTON", "Blood gas")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Blood gas, 15 points").wait_for(timeout=WAIT_MS)
    alt = page.locator("img").first.get_attribute("alt")
    assert "carbon dioxide: 22 mmHg" in alt and "LOW" in alt
    assert page.get_by_text("Bill: 25 points").count() == 1

    choose(page, "Muscle", "calf")
    tab_to(page, "BUTTON", "EMG")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Electromyogram, calf, 25 points").wait_for(timeout=WAIT_MS)
    assert " of units near it" in page.locator("img").first.get_attribute("alt")
    shot(page, "mystery_tests")

    choose(page, "Cause", "Anxiety with")
    choose(page, "Remedy", "calm")
    tab_to(page, "BUTTON", "Propose")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Outcome").wait_for(timeout=WAIT_MS)
    assert focused(page) == ["BUTTON", "Propose"]  # nothing takes the keyboard away
    told = page.locator("[aria-live=polite]").last.inner_text()
    assert "Right: Anxiety with over-breathing." in told and "90 of 100" in told
    assert "not medical advice" in told
    shot(page, "mystery_end")
