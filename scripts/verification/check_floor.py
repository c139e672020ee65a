"""Try the lowest versions that pyproject.toml allows: check_floor.py FOLDER [TEST ...].

Makes an environment in FOLDER with the floor of every dependency, those of the tests included, runs
a command of the README and tests there (or those named). Needs Python 3.11, the lowest, and the
network; some five minutes, of which the first compilation takes one.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Matplotlib 3.10.0 calls names that a later pyparsing warns of, and a warning fails a test.
BESIDES = ["pyparsing<3.3"]
COMMAND = ["-m", "neurosim", "run", "low_calcium", "--against", "normal", "--out"]
TESTS = [
    "tests/view/test_pictures.py", "tests/view/test_course.py", "tests/classroom/test_explore.py",
    "tests/model/body", "tests/clinic/test_detect.py", "tests/simulation/test_cohort.py",
    "tests/simulation/test_sensitivity.py", "tests/cli", "tests/base",
]  # fmt: skip


def floors(extra: str) -> list[str]:
    """Return ``name==floor`` of what the package and one extra need, markers included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needs = [*project["dependencies"], *project["optional-dependencies"][extra]]
    return [re.sub(r">=([\w.]+)", r"==\1", need) for need in needs]


def main() -> None:
    """Make the environment and try it."""
    if sys.version_info[:2] != (3, 11) or len(sys.argv) < 2:
        sys.exit(f"With Python 3.11: {__doc__}")
    folder = Path(sys.argv[1]).absolute()
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    lowest = [*floors("test"), *BESIDES]
    print("Installed:", *lowest, sep="\n  ", flush=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *lowest], check=True)
    caches = {"NUMBA_CACHE_DIR": str(folder / "numba"), "XDG_CACHE_HOME": str(folder / "cache")}
    env = os.environ | caches | {"PYTHONPATH": str(ROOT)}
    tests = ["-m", "pytest", "-p", "no:cacheprovider", *(sys.argv[2:] or TESTS)]
    for command in ([*COMMAND, folder / "out"], tests):
        subprocess.run([python, *command], cwd=ROOT, env=env, check=True)


if __name__ == "__main__":
    main()
