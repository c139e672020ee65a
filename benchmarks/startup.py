"""Time how long a fresh process takes to answer: ``neurosim --help``, and to import things.

Every round starts each command once, so that what else the machine does meets all of them
alike; the medians are printed in seconds, and against ``import numpy``. Takes about 20 seconds;
run as ``python benchmarks/startup.py``.
"""

import statistics
import subprocess
import sys
import time

ROUNDS = 25
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import neurosim": ["-c", "import neurosim"],
    "neurosim --help": ["-m", "neurosim", "--help"],
    "neurosim list": ["-m", "neurosim", "list"],
    "import neurosim.simulation.simulate": ["-c", "import neurosim.simulation.simulate"],
}


def seconds(arguments: list[str]) -> float:
    """Return how long a fresh Python takes with `arguments`, s."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    times_s: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(ROUNDS + 1):
        for name, arguments in COMMANDS.items():
            spent = seconds(arguments)
            if turn:  # the first round fills the machine's caches
                times_s[name].append(spent)
    median = {name: statistics.median(times) for name, times in times_s.items()}
    print(f"{'fresh process, medians of ' + str(ROUNDS):<32}{'s':>7}{'/ import numpy':>17}")
    for name, spent in median.items():
        print(f"{name:<32}{spent:>7.3f}{spent / median['import numpy']:>17.2f}")


if __name__ == "__main__":
    main()
