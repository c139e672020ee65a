"""How far a computation is, on a terminal: one line that is written over."""

from __future__ import annotations

import sys
from time import perf_counter

from neurosim.cli.output import print_now

WIDTH = 70  # of a line, so that a shorter one wipes a longer


class ProgressLine:
    """A line on a terminal that says how much is done and what is left; silent elsewhere.

    Called with what is done and the total. What was done before the first call (a run that goes
    on) does not count for the rate.

    Parameters
    ----------
    what : str
        What is counted, such as ``"people"``.
    """

    def __init__(self, what: str = "done") -> None:
        self.what, self.is_shown = what, sys.stderr.isatty()
        self._begun = perf_counter()
        self._first: tuple[int, float] | None = None  # what was done when the counting began

    def __call__(self, done: int, total: int) -> None:
        """Write the line anew, and end it when all is done."""
        if not self.is_shown:
            return
        now = perf_counter()
        self._first = self._first or (done, now)
        rate_per_s = (done - self._first[0]) / max(now - self._first[1], 1e-9)
        text = f"{done} of {total} {self.what}"
        if rate_per_s > 0.0:
            text += f", {rate_per_s:.2g} a second"
            if done < total:
                text += f", {format_time_left((total - done) / rate_per_s)} to go"
        print_now(f"\r{text:<{WIDTH}}", end="\n" if done >= total else "", file=sys.stderr)

    def stage(self, words: str) -> None:
        """Say what is done next, and begin counting again."""
        if self.is_shown:
            minutes = (perf_counter() - self._begun) / 60.0
            print_now(f"{minutes:.0f} min: {words}", file=sys.stderr)
            self._first = None


def format_time_left(seconds: float) -> str:
    """Return a time in words, rounded as one guesses: seconds, minutes or hours.

    >>> format_time_left(1.2), format_time_left(80.0), format_time_left(600.0)
    ('a second', '80 seconds', '10 minutes')
    """
    minutes = seconds / 60.0
    if minutes < 1.5:
        return "a second" if seconds < 1.5 else f"{seconds:.0f} seconds"
    return f"{minutes:.0f} minutes" if minutes < 120.0 else f"{minutes / 60.0:.0f} hours"
