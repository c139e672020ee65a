"""Run `neurosim sensitivity` and put its figure, words and table into the docs.

``python scripts/draw_sensitivity.py`` takes some three minutes on two cores; options are passed
on to the command, such as ``--samples 256``.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill

from neurosim.cli.main import main

DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- made by scripts/draw_sensitivity.py -->\n", "<!-- end -->\n"


def draw(options: list[str]) -> int:
    """Run the command and replace its former output."""
    with TemporaryDirectory() as folder:
        code = main(["sensitivity", *options, "--out", folder])
        if code:
            return code
        page = DOCS / "sensitivity.md"
        before, _, rest = page.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        output = (Path(folder) / "sensitivity.txt").read_text("utf-8")
        text, _, table = output.partition("\n\n")
        text = "\n\n".join(fill(line, 100, break_on_hyphens=False) for line in text.splitlines())
        page.write_text(f"{before}{BEGIN}\n{text}\n\n{table}\n{END}{after}", "utf-8")
        figure = (Path(folder) / "sensitivity.png").read_bytes()
        (DOCS / "figures" / "sensitivity.png").write_bytes(figure)
    return 0


if __name__ == "__main__":
    sys.exit(draw(sys.argv[1:]))
