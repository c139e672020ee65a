"""A real browser for the tests in this folder, and the lab that it opens.

They are skipped where Chromium or Playwright is missing, unless NEUROSIM_BROWSER=required.
A test asks for `page` (a page whose every request must stay on this machine), for `lab` (the
server of `neurosim lab`, with `lab.url(path)` and `lab.folder` to put a notebook into) and moves
about with `tab_to`. With NEUROSIM_SHOTS=FOLDER, `shot` keeps pictures of the pages there.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
NEEDS = ("playwright", "jupyterlab", "voila", "ipywidgets")
OWN = re.compile(r"(http|ws)://127\.0\.0\.1[:/]|file:|data:|blob:|about:")
WAIT_MS = 60_000


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)


def _missing():
    """Return why no browser can be had, or an empty text."""
    absent = [name for name in NEEDS if find_spec(name) is None]
    if absent:
        return f"{', '.join(absent)} is not installed (pip install '.[browser]')"
    return "" if any(map(shutil.which, NAMES)) else f"none of {', '.join(NAMES)} is installed"


# Of the folder, not of the session: Playwright's loop is in the way of other tests' own.
@pytest.fixture(scope="package")
def browser():
    why = _missing()
    if why and os.environ.get("NEUROSIM_BROWSER") == "required":
        pytest.fail(f"NEUROSIM_BROWSER=required, but {why}")
    if why:
        pytest.skip(why)
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture
def page(browser):
    """A page as on a school laptop; in the end, everything it asked for was on this machine."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    found, asked = context.new_page(), []
    found.set_default_timeout(WAIT_MS)
    context.on("request", lambda request: asked.append(request.url))
    yield found
    context.close()
    assert asked and not [url for url in asked if not OWN.match(url)]


@dataclass
class Lab:
    """A running `neurosim lab`: its process, folder, address and token."""

    process: subprocess.Popen
    folder: Path
    base: str
    token: str

    def url(self, path):
        return f"{self.base}/{quote(path)}?token={self.token}"

    def add_page(self, name, source):
        """Add a page without code, and return its address."""
        from neurosim.classroom.lab import page_bytes

        (self.folder / f"{name}.ipynb").write_bytes(page_bytes(name, source))
        return self.url(f"voila/render/{name}.ipynb")


@pytest.fixture(scope="package")
def lab(browser, tmp_path_factory):
    """The lab, started as a pupil does and stopped by Ctrl-C in the end."""
    home = tmp_path_factory.mktemp("lab")
    own = {f"JUPYTER_{n}_DIR": str(home / n) for n in ("CONFIG", "DATA", "RUNTIME")}
    own |= {f"JUPYTERLAB_{n}_DIR": str(home / n) for n in ("SETTINGS", "WORKSPACES")}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, **own, "IPYTHONDIR": str(home / "ipython"),
           "PYTHONPATH": os.pathsep.join(paths)}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "neurosim", "lab", "--no-browser"],
        cwd=home,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        first = process.stdout.readline()
        base, token = re.search(r"(http://127\.0\.0\.1:\d+)/\S*token=(\w+)", first).groups()
        assert process.stdout.readline().startswith("Your files are in neurosim-lab. Leave this")
        yield Lab(process, home / "neurosim-lab", base, token)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[0]
        assert process.returncode == 0
        assert said == "Closed; your files are in neurosim-lab.\n"
    finally:
        process.kill()


@pytest.fixture
def tab_to():
    """Return a function that presses Tab until something whose name begins so has the focus."""

    def press(page, name, most=60):
        for _ in range(most):
            page.keyboard.press("Tab")
            if page.evaluate(_NAME).startswith(name):
                return
        raise AssertionError(f"the keyboard does not reach {name!r}")

    return press


@pytest.fixture
def shot(page):
    """Return a function that keeps a picture of the page, where a folder is named for it."""
    folder = os.environ.get("NEUROSIM_SHOTS")

    def keep(name, **options):
        if folder:
            page.screenshot(path=str(Path(folder) / f"{name}.png"), **options)

    return keep


_NAME = """() => {
  const e = document.activeElement, own = e.getAttribute("aria-label") || e.getAttribute("title");
  return own || (e.labels && e.labels.length ? e.labels[0].textContent : e.textContent) || "";
}"""
