"""A lesson's notebook run from its first cell to its last, in a fresh kernel of this Python.

The kernel reaches no network and takes a warning for an error, so that what runs here runs in a
class without internet; an error ends in one sentence that names lesson and cell.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from neurosim.base import disk_cache
from neurosim.base.errors import NeurosimError
from neurosim.classroom.lessons.source import require_packages

if TYPE_CHECKING:
    from collections.abc import Callable

# Run before the first cell and kept out of the notebook.
SINGLE_USER = """\
import socket, warnings
warnings.simplefilter("error")
def _only_this_machine(connect):
    def inner(self, address, *more):
        if isinstance(address, tuple) and str(address[0]) not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a lesson may not use the network, but asked for {address[0]}")
        return connect(self, address, *more)
    return inner
def _no_names(host, *more, **options):
    if host not in (None, "127.0.0.1", "::1", "localhost", b"127.0.0.1", b"localhost"):
        raise OSError(f"a lesson may not use the network, but asked for {host}")
    return _look_up(host, *more, **options)
_look_up = socket.getaddrinfo
socket.getaddrinfo = _no_names
socket.socket.connect = _only_this_machine(socket.socket.connect)
socket.socket.connect_ex = _only_this_machine(socket.socket.connect_ex)
del _only_this_machine, _no_names, socket, warnings
"""


def execute_notebook(
    book: Any, name: str, limit_s: float, progress: Callable[[int, int], object] | None = None
) -> Any:
    """Run a notebook in place and return it with its outputs.

    Parameters
    ----------
    book : notebook
    name : str
        Name of the lesson, for error sentences.
    limit_s : float
        How long all cells together may take, s.
    progress : callable, optional
        Called after every code cell with the number done and the total.

    Raises
    ------
    NeurosimError
        If a cell fails, the time is up, or no kernel starts; it names lesson and cell.
    """
    require_packages("nbclient", "ipykernel")
    # zmq cannot use Windows' own loop
    loop = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(_run_kernel(book, name, limit_s, progress, folder))
    return book


async def _run_kernel(book: Any, name: str, limit_s: float, progress: Any, folder: str) -> None:
    """Start a kernel, run all code cells in it, and always end it."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    specs = KernelSpecManager()
    specs.kernel_dirs = []  # this Python's own kernel, whatever else the user has under its name
    manager = AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=specs,
        connection_file=str(Path(folder) / "kernel.json"),
        transport="tcp" if sys.platform == "win32" else "ipc",
    )
    client = NotebookClient(book, km=manager, coalesce_streams=True)
    try:
        await client.async_start_new_kernel(env=_kernel_environment(folder), cwd=folder)
        await client.async_start_new_kernel_client()
        await _run_cells(client, book, name, limit_s, progress)
    except RuntimeError as error:
        raise NeurosimError(f"Lesson {name}: no kernel started ({error}).") from None
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        if manager.has_kernel:
            await cast("Any", manager).shutdown_kernel(now=True)


def _kernel_environment(folder: str) -> dict[str, str]:
    """Return the kernel's environment, in which this copy of the package is imported."""
    home = str(Path(disk_cache.__file__).parents[2])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "IPYTHONDIR": folder}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **quiet}


async def _run_cells(client: Any, book: Any, name: str, limit_s: float, progress: Any) -> None:
    """Run the cells in order, each within the time that is left."""
    import nbformat
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    book.cells.insert(0, cast("Any", nbformat).v4.new_code_cell(SINGLE_USER))
    code = [(i, cell) for i, cell in enumerate(book.cells) if cell.cell_type == "code"]
    start_s = monotonic()
    for done, (i, cell) in enumerate(code):
        client.timeout = max(1, int(limit_s - (monotonic() - start_s)))
        where = f"Lesson {name}, cell {i} ('{_first_line(cell)}')"
        try:
            await client.async_execute_cell(cell, i, store_history=i > 0)
        except CellExecutionError as error:
            raise NeurosimError(f"{where}: {_failure_words(error)}.") from None
        except CellTimeoutError:
            raise NeurosimError(f"{where}: the lesson took longer than {limit_s:g} s.") from None
        except DeadKernelError:
            task = asyncio.current_task()
            if (
                task is not None and task.cancelling()
            ):  # Ctrl-C, which nbclient reports as a dead kernel
                raise asyncio.CancelledError from None
            raise NeurosimError(f"{where}: its kernel died.") from None
        cell.metadata.pop("execution", None)  # clock times: two builds would differ
        if progress is not None and done:
            progress(done, len(code) - 1)
    del book.cells[0]


def _failure_words(error: Any) -> str:
    """Return the reason why a cell failed; an assertion without a message is quoted."""
    reason = " ".join(str(error.evalue).split())[:300].rstrip(".")
    lines = re.findall(r"-+> *\d+ (.*)", re.sub(r"\x1b\[[0-9;]*m", "", error.traceback))
    return f"{error.ename}: {reason or (lines[-1].strip()[:200] if lines else 'no reason given')}"


def _first_line(cell: Any) -> str:
    return str(cell.source).strip().partition("\n")[0][:60]
