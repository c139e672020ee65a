"""Who does the work of a long run: this process, several on this machine, or a Dask cluster.

Each of them takes jobs one by one, so that only few are under way, and gives back each result as
it comes, in any order (`run_jobs`), or in the order of the jobs (`map_jobs`).

Processes are started fresh. They take over the overrides of parameters and end with their parent.
They do not run the user's script again, so that one without ``if __name__ == "__main__"`` works,
as do ``python -c`` and a script on the standard input; and a file such as types.py beside the
script does not stand in their way.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from neurosim.base import parameters
from neurosim.base.errors import NeurosimError, short_repr
from neurosim.simulation.provenance import build_info
from neurosim.simulation.scenario import check_whole

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

MAX_WORKERS = 512
JOBS_AHEAD = 2  # jobs under way for each worker
CONNECT_S = 10.0
RETRIES = 5  # of a job whose Dask worker was lost
PACKAGE_FOLDER = str(Path(__file__).parents[2])
_one_at_a_time = threading.Lock()
_lifelong = ExitStack()  # what holds in a process until it ends
_starting = threading.RLock()
Job = tuple[Any, ...]
Work = Callable[..., Any]
Results = Generator[tuple[Job, Any], None, None]


class WorkersLost(Exception):
    """Workers were lost; its text says how, as the end of a sentence."""


@contextmanager
def defer_interrupts() -> Generator[None, None, None]:
    """Put off Ctrl-C inside a ``with`` block; processes begun there never get it."""
    mask = getattr(signal, "pthread_sigmask", None)
    if mask is None:
        yield
        return
    before = mask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        mask(signal.SIG_SETMASK, before)


def run_jobs(work: Work, jobs: Iterable[Job], workers: int = 1, client: Any = None) -> Results:
    """Yield (job, ``work(*job)``) of every job as it comes.

    Parameters
    ----------
    work : callable
        A function of a module.
    jobs : iterable of tuple
        Asked for one by one.
    workers : int
        Processes on this machine; 1 is this process itself.
    client : distributed.Client, optional
        Of a Dask cluster that does the work instead.

    Raises
    ------
    WorkersLost
        If processes or the cluster went away.
    """
    if client is not None:
        return _run_on_cluster(work, jobs, client)
    if workers > 1:
        return _run_in_processes(work, jobs, workers)
    return ((job, work(*job)) for job in jobs)


def _tracked(work: Work, job: Job) -> tuple[Any, frozenset[parameters.Key]]:
    """Do one job in a worker; return its result and the parameters that were read."""
    with parameters.track_reads() as reads:
        result = work(*job)
    return result, frozenset(reads)


def _received(outcome: tuple[Any, frozenset[parameters.Key]]) -> Any:
    """Return a worker's result; its reads count as if they were made here."""
    result, reads = outcome
    parameters.count_reads(reads)
    return result


def map_jobs(work: Work, jobs: Iterable[Job], workers: int = 1) -> Generator[Any, None, None]:
    """Yield ``work(*job)`` of every job in their order; arguments as for `run_jobs`.

    Raises
    ------
    NeurosimError
        If a process died.
    """
    numbered = ((i, work, job) for i, job in enumerate(jobs))
    early: dict[int, Any] = {}
    position = 0
    try:
        with closing(run_jobs(_run_numbered, numbered, workers)) as results:
            for (i, *_), result in results:
                early[i] = result
                while position in early:
                    yield early.pop(position)
                    position += 1
    except WorkersLost as error:
        raise NeurosimError(f"Stopped, because {error}.") from None


def _run_numbered(_: int, work: Work, job: Job) -> Any:
    return work(*job)


def check_cores(cores: object) -> int:
    """Return how many processes are asked for, 1 if nothing is said.

    Raises
    ------
    NeurosimError
        For anything but a whole number up to `MAX_WORKERS`.
    """
    return 1 if cores is None else check_whole("cores", cores, 1, MAX_WORKERS)


def _run_in_processes(work: Work, jobs: Iterable[Job], workers: int) -> Results:
    from concurrent.futures import FIRST_COMPLETED, wait
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children

    others, pool, queue = set(active_children()), _start_pool(workers), iter(jobs)
    waiting: dict[Future[Any], Job] = {}
    try:
        while True:
            for job in islice(queue, JOBS_AHEAD * workers - len(waiting)):
                with defer_interrupts():
                    waiting[pool.submit(_tracked, work, job)] = job
            if not waiting:
                break
            for one in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(one), _received(one.result())
        pool.shutdown()
    except BaseException as error:  # Ctrl-C and a consumer that stops, too: end them at once
        with defer_interrupts():
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(active_children()) - others:
                child.terminate()
            pool.shutdown(wait=True)
        if isinstance(error, BrokenProcessPool):
            raise WorkersLost("a worker process died, perhaps for want of memory") from None
        raise


def _start_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of fresh processes, in which parameters are overridden as they are here."""
    from concurrent.futures import ProcessPoolExecutor

    with _safe_path():  # of the process that looks after the pool's semaphores
        return ProcessPoolExecutor(
            workers,
            _FreshContext(),
            initializer=_prepare_worker,
            initargs=(parameters.overrides(),),
        )


def _prepare_worker(overrides: dict[parameters.Key, float]) -> None:
    """Prepare a fresh process: its parent alone answers Ctrl-C, and it does not outlive that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _lifelong.enter_context(parameters.override_all(overrides))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _FreshProcess(SpawnProcess):
    """A process that imports nothing of the user's script."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        from multiprocessing import spawn

        def prepare_without_script(name: str) -> dict[str, Any]:
            data = prepare(name)
            if name == process_obj.name:
                data.pop("init_main_from_name", None)
                data.pop("init_main_from_path", None)
                data["sys_path"] = _package_first(data["sys_path"])
            return data

        with _safe_path():
            prepare = spawn.get_preparation_data
            spawn.get_preparation_data = prepare_without_script
            try:
                return SpawnProcess._Popen(process_obj)  # pyright: ignore[reportAttributeAccessIssue]  # noqa: SLF001
            finally:
                spawn.get_preparation_data = prepare


class _FreshContext(SpawnContext):
    Process = _FreshProcess  # type: ignore[assignment]


def _package_first(path: list[str]) -> list[str]:
    """Return where a worker looks for modules: in the script's folder last, unless we are in it."""
    if sys.flags.safe_path or not path or os.path.abspath(path[0]) == PACKAGE_FOLDER:
        return path
    return [*path[1:], path[0]]


@contextmanager
def _safe_path() -> Generator[None, None, None]:
    """Let Python processes started in a ``with`` block not look for modules where we stand."""
    with _starting:
        before = os.environ.get("PYTHONSAFEPATH")
        os.environ["PYTHONSAFEPATH"] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ["PYTHONSAFEPATH"]
            else:
                os.environ["PYTHONSAFEPATH"] = before


def check_address(address: str) -> str:
    """Return the address of a Dask scheduler if it looks like one.

    Raises
    ------
    NeurosimError
        If it does not, or Dask is not installed.
    """
    from importlib.util import find_spec

    text = address if isinstance(address, str) else short_repr(address)  # pyright: ignore[reportUnnecessaryIsInstance] a user may pass anything
    port = re.fullmatch(r"(?:tcp|tls|ws|wss)://[^\s/:]+:(\d+)", text)
    if not port or not 1 <= int(port[1]) <= 65_535:
        raise NeurosimError(
            f"scheduler = '{text}' must be an address such as tcp://127.0.0.1:8786."
        )
    if find_spec("distributed") is None:
        raise NeurosimError(
            "--scheduler needs Dask: install it with: pip install 'neurosim[cohort]'."
        )
    return address


@contextmanager
def cluster(address: str) -> Generator[Any, None, None]:
    """Give a client of a Dask cluster for a ``with`` block.

    Raises
    ------
    NeurosimError
        If no scheduler answers there within ten seconds, or it has no workers.
    """
    from distributed import Client

    check_address(address)
    logs = [
        logging.getLogger(n)
        for n in logging.root.manager.loggerDict
        if n.split(".")[0] == "distributed"
    ]
    levels = [log.level for log in logs]
    for log in logs:  # what went wrong is told in one sentence
        log.setLevel(logging.CRITICAL)
    try:
        try:
            client = cast("Any", Client(address, timeout=CONNECT_S, set_as_default=False))
        except (OSError, ValueError):
            raise NeurosimError(f"No Dask scheduler answers at {address}.") from None
        try:
            try:
                client.wait_for_workers(1, timeout=CONNECT_S)
            except TimeoutError:
                raise NeurosimError(f"The Dask scheduler at {address} has no workers.") from None
            yield client
        finally:
            client.close(timeout=CONNECT_S)
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


def cluster_capacity(client: Any) -> int:
    """Return how many jobs a cluster does at a time: one for each worker process."""
    return max(1, len(client.nthreads()))


def _run_on_worker(
    overrides: dict[parameters.Key, float], marks: dict[str, str], work: Work, job: Job
) -> Any:
    """Do one job on a Dask worker, whose threads take turns: they share the cached values."""
    if build_info() != marks:
        raise NeurosimError("A Dask worker has another neurosim, or other packages under it.")
    with _one_at_a_time, parameters.override_all(overrides):
        return _tracked(work, job)


def _run_on_cluster(work: Work, jobs: Iterable[Job], client: Any) -> Results:
    from concurrent.futures import CancelledError

    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    queue, overrides, marks = iter(jobs), parameters.overrides(), build_info()
    waiting: dict[Any, Job] = {}

    def submit(most: int) -> list[Any]:
        some = {
            client.submit(
                _run_on_worker, overrides, marks, work, job, pure=False, retries=RETRIES
            ): job
            for job in islice(queue, most)
        }
        waiting.update(some)
        return list(some)

    first = submit(JOBS_AHEAD * cluster_capacity(client))
    coming = cast("Any", as_completed(first, loop=client.loop))
    try:
        for one in coming:
            result = _received(one.result())
            job = waiting.pop(one)
            # Fewer than none if a worker has just been lost.
            coming.update(submit(max(JOBS_AHEAD * cluster_capacity(client) - len(waiting), 0)))
            yield job, result
    except KilledWorker:
        raise WorkersLost(
            "the Dask workers died again and again, perhaps for want of memory"
        ) from None
    except (CancelledError, OSError, TimeoutError):
        raise WorkersLost("the Dask cluster went away") from None
    except (ImportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "deserializ" not in str(error):
            raise
        raise WorkersLost("neurosim is not installed on the Dask cluster, or another one") from None
    finally:
        for one in waiting:
            one.release()
