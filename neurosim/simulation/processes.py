"""Fresh processes to share work with: they take over the overrides and end with their parent."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from multiprocessing import parent_process

from neurosim.base import parameters

_lifelong = ExitStack()  # what holds in a process until it ends


def map_parallel(work: Callable, first, rest: Sequence, cores: int):
    """Yield ``work(first, one)`` for each one of `rest`, in their order, on several cores."""
    if cores <= 1:
        yield from (work(first, one) for one in rest)
        return
    with process_pool(cores) as pool:
        yield from pool.map(work, [first] * len(rest), rest)


def _prepare_worker(overrides: dict[tuple[str, str], float]) -> None:
    """Prepare a fresh process: its parent alone answers Ctrl-C, and it does not outlive that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _lifelong.enter_context(parameters.override_all(overrides))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def process_pool(cores: int):
    """Return a pool of `cores` fresh processes, a context manager.

    The overrides that are active here are so in each of them.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(
        cores,
        get_context("spawn"),
        initializer=_prepare_worker,
        initargs=(parameters.overrides(),),
    )
