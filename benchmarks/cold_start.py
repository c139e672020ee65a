"""Measure a first command on a machine that never ran it, by every backend, and what is installed.

    python benchmarks/cold_start.py [PYTHON ...]

Each row is a whole process, ``neurosim run low_calcium --against normal``, with an empty home and
empty caches (first), then the same again (second): wall time, processor time with that of its
children, the largest memory of one process; and the megabytes of neurosim and of all that it asks
for, without pip. PYTHON are interpreters with neurosim installed; default: this one. A backend that
one lacks is left out. About 40 seconds for each with Numba, 15 without.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

RUN = ["-m", "neurosim", "run", "low_calcium", "--against", "normal"]
ASK = """
import json
from importlib.metadata import PackageNotFoundError, distribution
from re import match
from neurosim.base import backends
todo, bytes_of = ["neurosim"], {}
while todo:
    name = todo.pop()
    try:
        package = distribution(name)
    except PackageNotFoundError:
        continue
    if name in bytes_of:
        continue
    files = [file.locate() for file in package.files or ()]
    bytes_of[name] = sum(file.stat().st_size for file in files if file.is_file())
    asked = [line for line in package.requires or () if "extra ==" not in line]
    todo += [match("[A-Za-z0-9._-]+", line)[0].lower() for line in asked]
here = [name for name in backends.BACKENDS if backends._is_here(name)]
print(json.dumps([here, backends.describe(), sum(bytes_of.values()) / 1e6]))
"""


def measure(python: str, home: str, backend: str) -> tuple[float, float, float]:
    """Return wall and processor time (s) and memory (MB) of one run."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": home,
        "NUMBA_CACHE_DIR": f"{home}/numba",
        "XDG_CACHE_HOME": f"{home}/cache",
        "NEUROSIM_BACKEND": backend,
    }
    if "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    start = time.perf_counter()
    process = subprocess.Popen(
        [python, *RUN, "--out", f"{home}/out{time.time_ns()}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    wall = time.perf_counter() - start
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3


def main() -> None:
    """Print the table."""
    print(f"{'backend':<8}{'MB installed':>13}  {'':<7}{'wall s':>7}{'CPU s':>7}{'MB':>6}")
    for python in sys.argv[1:] or [sys.executable]:
        answer = subprocess.run([python, "-c", ASK], check=True, capture_output=True, text=True)
        here, chosen, size = json.loads(answer.stdout)
        print(f"{python}: {chosen} unless told otherwise")
        for backend in here:
            with tempfile.TemporaryDirectory() as home:
                for turn in ("first", "second"):
                    wall, spent, memory = measure(python, home, backend)
                    row = f"{wall:>7.2f}{spent:>7.2f}{memory:>6.0f}"
                    print(f"{backend:<8}{size:>13.0f}  {turn:<7}{row}", flush=True)


if __name__ == "__main__":
    main()
