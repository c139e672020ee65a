"""The lab in a browser: lessons copied to a folder, and one Jupyter server for this machine alone.

A page without code is a notebook of one cell, shown through Voila; a lesson is opened in
JupyterLab. Nothing is fetched from elsewhere: a room without internet will do. Jupyter is imported
inside functions.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import threading
import webbrowser
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from neurosim.base import backends
from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, number_within, short_repr
from neurosim.base.files import prepare_folder, write_files
from neurosim.classroom.lessons import build, source
from neurosim.simulation.simulate import simulate
from neurosim.view.export import json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

# The pages that need no code: the name of each, its title and its one cell.
LAB_PAGES = {
    "explore": ("neurosim explorer", "import neurosim as ns\n\nns.explore()"),
    "mystery": ("neurosim mystery patient", "import neurosim as ns\n\nns.mystery(seed=7)"),
}
FOLDER = "neurosim-lab"
COPY_RECORD = ".neurosim-lab.json"  # what was copied, so that a pupil's changes are known
LOG = ".neurosim-lab.log"  # what Jupyter and its kernels write
HOST = "127.0.0.1"
NEEDS = ("jupyterlab", "voila", "ipywidgets")
SETTINGS_FOLDER = Path(__file__).parent / "jupyter"
# Whatever a page asks for, it gets it from this server or not at all.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "connect-src 'self' data: blob: ws://127.0.0.1:*; frame-ancestors 'self'"
)

# Voila shows formulae with what it brings along, instead of fetching it.
OWN_FORMULAE = {"mathjax_url": "null", "mathjax_config": "null"}
DISABLED_EXTENSIONS = ["jupyterlab-jupytext"]  # of JupyterLab alone; Voila would complain


@public
def lab(
    page: str | int | None = None,
    *,
    port: int | None = None,
    browser: bool = True,
    folder: str | Path = FOLDER,
    tell: Callable[[str], object] = print,
) -> Path:
    """Open the sliders, a lesson or the mystery patient in the browser, until Ctrl-C ends it.

    Lessons and pages are copied to the folder, never over what a pupil has changed; one server
    for this machine alone serves them.

    Parameters
    ----------
    page : str or int, optional
        A lesson's number or name, ``"mystery"``, or ``"explore"``, which is the default.
    port : int, optional
        From 1024 to 65535; one that is free if omitted.
    browser : bool
        Whether to open one.
    folder : str or Path
        Made if need be.
    tell : callable
        Takes the sentences, such as the address.

    Returns
    -------
    Path
        The folder with the pupil's files.

    Raises
    ------
    NeurosimError
        If Jupyter is not installed or cannot start, the page is unknown, the port is taken or
        the folder cannot be written to; or inside a notebook, which is such a server itself.

    Examples
    --------
    >>> lab("01")  # doctest: +SKIP
    Lesson 01_one_twitch: http://127.0.0.1:50211/lab/tree/01_one_twitch.ipynb?token=...
    """
    sentence = missing_packages()
    if sentence:
        raise NeurosimError(sentence)
    if not callable(tell):
        raise NeurosimError(f"tell must be a function of a text, not {short_repr(tell)}.")
    place, free_port = resolve_place(page), check_port(port)
    _refuse_in_notebook()
    home, changed = copy_lessons(folder)
    if changed:
        them = "it" if len(changed) == 1 else "them"
        tell(f"Left as you changed {them}: {', '.join(changed)}.")
    _compile_once()
    serve(place, home, free_port, bool(browser), tell)
    tell(f"Closed; your files are in {home}.")
    return home


def _refuse_in_notebook() -> None:
    """Refuse to wait where somebody else's loop or thread would wait with it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if threading.current_thread() is threading.main_thread():
            return
    raise NeurosimError(
        "The lab cannot be opened from inside a notebook or a thread; write 'neurosim lab' in a "
        "terminal, or show ns.explore() and ns.mystery() here."
    )


def _compile_once() -> None:
    """Compile what a page needs now, while something can be said, not behind an empty page."""
    if backends.backend() == "numba":
        simulate("normal", duration_s=60.0)


# --- Lessons ---------------------------------------------------------------------------


def lesson_names() -> list[str]:
    """Return the name of every lesson, such as ``01_one_twitch``."""
    return [path.stem for path in source.select_sources([])]


def page_bytes(title: str, code: str) -> bytes:
    """Return a notebook of one cell."""
    cell: dict[str, Any] = {
        "cell_type": "code", "execution_count": None, "id": "page", "metadata": {},
        "outputs": [], "source": code.splitlines(keepends=True),
    }  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}, "title": title}
    return json_bytes({"cells": [cell], "metadata": about, "nbformat": 4, "nbformat_minor": 5})


def copy_lessons(out: str | Path = FOLDER) -> tuple[Path, list[str]]:
    """Copy lessons and pages to a folder, but never over what a pupil has changed.

    Parameters
    ----------
    out : str or path
        Made if it is not there.

    Returns
    -------
    folder : Path
    changed : list of str
        Names of the files that a pupil has changed, and that were left as they are.

    Raises
    ------
    NeurosimError
        If the folder cannot be made or written to.
    """
    folder = prepare_folder(out, parents=True)
    wanted = {f"{name}.ipynb": data for name, data in build.student_notebooks().items()}
    wanted |= {f"{name}.ipynb": page_bytes(*page) for name, page in LAB_PAGES.items()}
    before = _read_copy_record(folder)
    new: dict[str, bytes] = {}
    changed: list[str] = []
    for name, data in wanted.items():
        existing = (folder / name).read_bytes() if (folder / name).is_file() else None
        if existing is None or _file_hash(existing) == before.get(name):
            if existing != data:
                new[name] = data
            before[name] = _file_hash(data)
        elif existing == data:
            before[name] = _file_hash(data)
        else:
            changed.append(name)
    write_files(folder, {**new, COPY_RECORD: json_bytes(before)})
    return folder, changed


def _file_hash(data: bytes) -> str:
    return sha256(data).hexdigest()


def _read_copy_record(folder: Path) -> dict[str, str]:
    """Return what was copied before; nothing if that cannot be read, which loses no change."""
    try:
        record: Any = json.loads((folder / COPY_RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(record, dict):
        return {}
    return {str(k): str(v) for k, v in cast("dict[Any, Any]", record).items()}


# --- The server ------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """What a browser is sent to: what it is called, and its path on the server."""

    title: str
    path: str


def resolve_place(page: str | int | None) -> Place:
    """Return where a page or a lesson is; the explorer if none is named.

    Raises
    ------
    NeurosimError
        If there is no such page or lesson.
    """
    name = "explore" if page is None else source.lesson_query(page).strip().lower()
    if name in LAB_PAGES:
        return Place(LAB_PAGES[name][0].capitalize(), f"voila/render/{name}.ipynb")
    lesson = source.resolve_lesson(page, lesson_names(), list(LAB_PAGES))
    return Place(f"Lesson {lesson}", f"lab/tree/{quote(lesson)}.ipynb")


def missing_packages() -> str:
    """Return the sentence that says what is not installed, or an empty text."""
    absent = [name for name in NEEDS if find_spec(name) is None]
    if not absent:
        return ""
    return (
        f"'neurosim lab' needs {' and '.join(absent)}: pip install \"neurosim[lab]\" "
        '(from a checkout: pip install ".[lab]").'
    )


def check_port(port: Any) -> int:
    """Return a port, a free one if it is None.

    Raises
    ------
    NeurosimError
        If it is no whole number from 1024 to 65535, or taken.
    """
    number = 0 if port is None else number_within("port", port, 1024, 65535)
    if number != int(number):
        raise NeurosimError(f"port must be a whole number, not {number:g}.")
    with socket.socket() as probe:
        if os.name != "nt":  # where it would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(number)))
        except OSError:
            raise NeurosimError(
                f"port {number:g} is taken; choose another, or leave --port out."
            ) from None
        return probe.getsockname()[1]


def server_options(folder: Path, port: int) -> list[str]:
    """Return how Jupyter is started: for this machine alone, quietly, with Voila."""
    return [
        f"--ServerApp.ip={HOST}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder.resolve()}",
        "--ServerApp.open_browser=False",
        "--ServerApp.allow_remote_access=False",
        "--ServerApp.allow_root=True",  # as in a container; it is for this machine alone
        "--ServerApp.answer_yes=True",
        "--ServerApp.certfile=",
        "--ServerApp.base_url=/",
        "--ServerApp.jpserver_extensions={'jupyterlab': True, 'voila.server_extension': True}",
        "--ServerApp.quit_button=True",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        "--VoilaConfiguration.template=neurosim",
        f"--VoilaConfiguration.extension_denylist={DISABLED_EXTENSIONS!r}",
    ]


def _set_environment() -> None:
    """Let Jupyter find this package's page and settings, and this Python's kernel first."""
    for name, folder in (("JUPYTER_PATH", "data"), ("JUPYTER_CONFIG_PATH", "config")):
        paths = [str(SETTINGS_FOLDER / folder), *filter(None, [os.environ.get(name)])]
        os.environ[name] = os.pathsep.join(paths)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"


def serve(
    place: Place, folder: Path, port: int, browser: bool, tell: Callable[[str], object] = print
) -> None:
    """Serve a folder until the user stops it, and open a place of it in the browser.

    Parameters
    ----------
    place : Place
    folder : Path
    port : int
        From `check_port`.
    browser : bool
        Whether to open one.
    tell : callable
        Takes the sentences.

    Raises
    ------
    NeurosimError
        If Jupyter cannot start.
    """
    _set_environment()
    with _redirect_stderr(folder / LOG):
        server, address = _make_server(place, folder, port)

        def say() -> None:
            tell(f"{place.title}: {address}")
            tell(f"Your files are in {folder}. Leave this window open; Ctrl-C here ends it.")
            if browser:
                webbrowser.open(address)

        server.io_loop.add_callback(say)  # once it listens
        server.start()


@contextmanager
def _redirect_stderr(path: Path) -> Generator[None]:
    """Let what Jupyter and its kernels complain of go into a file: it is not for a pupil."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)


def _make_server(place: Place, folder: Path, port: int) -> tuple[Any, str]:
    """Return a server ready to be started, and the address of a place on it."""
    import zmq
    from jupyterlab.labapp import LabApp  # pyright: ignore[reportMissingTypeStubs] scipy has no types
    from traitlets.config import Config

    token = secrets.token_hex(24)
    secret = {"transport_encryption": "auto"} if zmq.has("curve") else {}
    config: Mapping[str, Any] = {
        "KernelManager": secret,
        "IdentityProvider": {"token": token},
        "PasswordIdentityProvider": {"hashed_password": ""},
        "ServerApp": {
            "tornado_settings": {
                "headers": {"Content-Security-Policy": POLICY},
                **OWN_FORMULAE,
            }
        },
    }
    try:
        server = cast("Any", LabApp).initialize_server(
            server_options(folder, port), config=Config(config)
        )
    except SystemExit as stopped:  # Jupyter's way to say that it cannot
        raise NeurosimError(
            f"Jupyter did not start (its code {stopped.code}); {folder / LOG} says why."
        ) from None

    # At once, whether or not a terminal is there to ask on.
    def stop(*_: Any) -> None:
        server.stop(from_signal=True)

    signal.signal(signal.SIGINT, stop)
    return server, f"http://{HOST}:{server.port}/{place.path}?token={token}"
