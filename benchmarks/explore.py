"""Time a move of the explorer's sliders: simulating against drawing, and what a pupil waits for.

Every move goes to values that were never requested before, so that no cache can answer; the
medians are printed in ms. Simulated are the person and the values that the text needs besides (a
threshold is computed on demand). To draw, the artists are moved, those that moved are drawn over
the static ones, and the picture is packed as a PNG; `drawn anew` is a full drawing and saving of
the figure by Matplotlib. Run as ``python benchmarks/explore.py``, and in NumPy as
``NEUROSIM_BACKEND=numpy python benchmarks/explore.py 5``; takes about half a minute else.
"""

import os
import statistics
import sys
from time import process_time

import numpy as np

from neurosim.base import backends
from neurosim.classroom.explorer.plot import ExplorerFigure
from neurosim.classroom.explorer.settings import Explorer, ExplorerSetting
from neurosim.view.style import png_bytes

MOVES = 40
SWEPT = {"ionised_calcium_mmol_l": (0.7, 1.4), "potassium_mmol_l": (2.5, 6.0),
         "sodium_mmol_l": (120.0, 160.0), "cups_of_coffee": (0.0, 8.0),
         "sleep_debt_h": (0.0, 30.0), "stress": (0.0, 1.0)}  # fmt: skip


def settings(name: str, moves: int) -> list[ExplorerSetting]:
    """Return moves of one slider, or of a condition's severity, to new values."""
    shares = (np.arange(moves) + np.random.default_rng(1).uniform(0.1, 0.9)) / moves
    if name not in SWEPT:
        return [ExplorerSetting(condition=name, severity=float(s)) for s in shares]
    low, high = SWEPT[name]
    return [ExplorerSetting({name: float(low + s * (high - low))}) for s in shares]


def time_call(act) -> tuple[float, object]:
    """Return the processor time of a call, ms, and what it gives."""
    start = process_time()
    value = act()
    return 1e3 * (process_time() - start), value


def main() -> None:
    """Print the table."""
    moves = int(sys.argv[1]) if len(sys.argv) > 1 else MOVES
    os.environ["NEUROSIM_CACHE"] = "0"
    explorer, figure = Explorer(), ExplorerFigure()
    begun, answer = time_call(lambda: explorer.respond(ExplorerSetting()))
    figure.update(answer)
    figure.png_bytes()
    explorer.respond(ExplorerSetting({"ionised_calcium_mmol_l": 1.0}, condition="isaacs"))
    print(f"backend {backends.describe()}; the first answer took {begun:.0f} ms")
    heads = ("simulate", "move artists", "draw, PNG", "drawing", "sim/drawing", "drawn anew")
    print(f"{'medians of ' + str(moves) + ' moves, ms':<26}" + "".join(f"{h:>13}" for h in heads))
    for name in (*SWEPT, "isaacs", "pinched_nerve", "serotonin_syndrome", "cramp"):
        rows = []
        for setting in settings(name, moves):
            simulated, answer = time_call(lambda s=setting: explorer.respond(s))
            text_ms, _ = time_call(answer.text)
            simulated += text_ms
            move_ms, _ = time_call(lambda a=answer: figure.update(a))
            draw_ms, _ = time_call(figure.png_bytes)
            rows.append((simulated, move_ms, draw_ms, move_ms + draw_ms))
        sim, move, draw, drawing = (statistics.median(column) for column in zip(*rows, strict=True))
        anew, _ = time_call(lambda: png_bytes(figure.figure))
        print(
            f"{name:<26}{sim:>13.1f}{move:>13.1f}{draw:>13.1f}{drawing:>13.1f}"
            f"{sim / drawing:>13.2f}{anew:>13.0f}"
        )


if __name__ == "__main__":
    main()
