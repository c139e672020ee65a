"""Draw the house: ``python scripts/draw_house.py`` makes docs/figures/house.png.

Rooms, walls and what may never be in a room come from the tables of tests/test_architecture.py,
what a room is for from the first line of its docstring. A test fails while the picture is older.
"""

import ast
import textwrap
from pathlib import Path
from runpy import run_path

from neurosim.view.style import (
    BAND,
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILION,
    add_titles,
    house_style,
    new_figure,
)

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "figures" / "house.png"
PAGE, LEFT, WIDTH = (9.6, 11.9), 0.75, 8.4  # page; the house's margin and width; in inches
HEIGHTS = {"model": 3.8, "article": 1.0, "validation": 1.0, "cli": 1.35}
STOREY, CHAMBER, CELLAR = 0.98, 1.95, 0.62
COLOURS = {"base": (BAND, 1.0), "model": (GREEN, 0.16), "clinic": (BLUE, 0.10),
           "simulation": (BLUE, 0.18), "view": (PURPLE, 0.13),
           "cli": (VERMILION, 0.2)}  # fmt: skip
APPLICATION = (ORANGE, 0.22)
ALT = "The house of the code, from the ground up, each room importing only from rooms below."


def tables():
    """Return the tables of tests/test_architecture.py: rooms, the model's folders, forbidden."""
    tests = run_path(str(ROOT / "tests" / "test_architecture.py"))
    return tests["ROOMS"], tests["MODEL"], tests["FORBIDDEN"]


def purpose(room: str) -> str:
    """Return the first line of a room's docstring."""
    folder = ROOT / "neurosim" / room
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))).splitlines()[0]


def levels(rooms: dict) -> dict[str, int]:
    """Return the storey of each room: one above the highest that it imports."""
    storey: dict[str, int] = {}
    while len(storey) < len(rooms):
        for room, imports in rooms.items():
            if all(name in storey for name in imports):
                storey[room] = 1 + max((storey[name] for name in imports), default=-1)
    return storey


def plan(rooms: dict) -> dict[str, tuple[float, float, float, float]]:
    """Return (left, bottom, right, top) of each room, every one on what it imports."""
    storey, boxes = levels(rooms), {}
    bottom = 0.0
    for level in range(max(storey.values()) + 1):
        here = [room for room in rooms if storey[room] == level]
        height = max(HEIGHTS.get(room, STOREY) for room in here)
        for i, room in enumerate(here):
            under = [boxes[name] for name in rooms[room] if storey[name] == level - 1]
            left = min((box[0] for box in under), default=0.0)
            right = max((box[2] for box in under), default=WIDTH)
            if room == "cli":
                left, right = 0.0, WIDTH
            share = (right - left) / len(here)
            x = left + i * share
            boxes[room] = (x, bottom, x + share, bottom + height)
        bottom += height
    return {room: _grown(room, boxes) for room in boxes}


def _grown(room: str, boxes: dict) -> tuple[float, float, float, float]:
    """Return a room's box up to the lowest floor above it."""
    left, bottom, right, top = boxes[room]
    above = [b[1] for b in boxes.values() if b[1] >= top and b[0] < right and left < b[2]]
    return left, bottom, right, min(above, default=top)


def label(ax, x: float, y: float, width: float, room: str, never=()) -> None:
    """Write a room's name, what it is for and what is never in it in the middle of a box."""
    text = purpose(room).rstrip(".").removeprefix("Application: ")
    text = text[:1].upper() + text[1:]
    lines = [(line, BLACK) for line in textwrap.wrap(text, int(12.2 * width - 2))]
    lines += [(f"never in it: {', '.join(sorted(never))}", GREY)] if never else []
    space = 0.215
    top = y + space * len(lines) / 2.0
    name = room.removeprefix("model/")
    ax.text(x, top, name, weight="bold", size=14, ha="center", va="center", color=BLACK)
    for i, (line, colour) in enumerate(lines, 1):
        ax.text(x, top - 0.03 - space * i, line, size=11, ha="center", va="center", color=colour)


def draw_model(ax, box, folders: dict, never) -> None:
    """Draw the chambers of the model and who imports whom among them."""
    from matplotlib.patches import Rectangle

    left, bottom, right, top = box
    gap, floor = 0.1, bottom + CELLAR
    share = (right - left - gap) / len(folders)
    middle = {}
    for i, folder in enumerate(folders):
        x, size = left + gap + i * share, share - gap
        ax.add_patch(Rectangle((x, floor), size, CHAMBER, fc="white", ec=GREEN, lw=1.2))
        middle[folder] = x + size / 2.0
        label(ax, middle[folder], floor + CHAMBER / 2.0, size, f"model/{folder}")
    pairs = [(a, b) for a, imports in folders.items() for b in imports]
    for i, (a, b) in enumerate(sorted(pairs, key=lambda p: abs(middle[p[0]] - middle[p[1]]))):
        start, end = middle[a] - 0.12 * (i + 1), middle[b] + 0.12 * (i + 1)
        low = floor - 0.06 - 0.15 * (i + 1)
        ax.plot([start, start, end, end], [floor, low, low, floor - 0.1], color=GREEN, lw=1.3)
        ax.plot(end, floor - 0.07, "^", color=GREEN, ms=8)
    label(ax, (left + right) / 2.0, 0.5 * (floor + CHAMBER + top), right - left, "model", never)


@house_style
def draw():
    """Return the picture of the house, with its words."""
    from matplotlib.patches import Polygon, Rectangle

    rooms, folders, forbidden = tables()
    boxes = plan(rooms)
    figure = new_figure(*PAGE)
    ax = figure.add_subplot()
    for room, box in boxes.items():
        left, bottom, right, top = box
        colour, alpha = COLOURS.get(room, APPLICATION)
        style = {"fc": (colour, alpha), "ec": BLACK, "lw": 1.6}
        middle, never = (left + right) / 2.0, forbidden.get(room, ())
        if room == "cli":
            roof = [(left - 0.3, bottom), (right + 0.3, bottom), (middle, top + 0.25)]
            ax.add_patch(Polygon(roof, joinstyle="round", **style))
            label(ax, middle, bottom + 0.42 * (top - bottom), 0.45 * WIDTH, room)
            continue
        ax.add_patch(Rectangle((left, bottom), right - left, top - bottom, **style))
        if room == "model":
            draw_model(ax, box, folders, never)
        else:
            label(ax, middle, (bottom + top) / 2.0, right - left, room, never)
    eaves = boxes["cli"][1]
    ax.annotate("", (-0.2, 0.1), (-0.2, eaves - 0.1),
                arrowprops={"arrowstyle": "-|>", "color": BLUE, "lw": 2.2})  # fmt: skip
    ax.text(-0.45, eaves / 2.0, "a room imports only from rooms below it", rotation=90,
            size=12.5, color=BLUE, ha="center", va="center")  # fmt: skip
    ax.set(xlim=(-LEFT, WIDTH + 0.35), ylim=(-0.05, boxes["cli"][3] + 0.3), aspect="equal")
    ax.axis("off")
    note = (
        "Green arrows: imports between the model's folders. "
        "Orange: applications, which the rooms below do without.\n"
    )
    add_titles(figure, "The house: nine rooms, and which may import which", note)
    figure.alt_text = words_of(rooms, folders, forbidden)
    return figure


def words_of(rooms: dict, folders: dict, forbidden: dict) -> str:
    """Return what the picture shows, in sentences."""
    lines = [ALT]
    for room, imports in rooms.items():
        never = f" Never in it: {', '.join(sorted(forbidden[room]))}." if room in forbidden else ""
        lines.append(f"{room}: {purpose(room)} Imports {', '.join(imports) or 'nothing'}.{never}")
        for folder, others in folders.items() if room == "model" else ():
            words = f"{room}/{folder}: {purpose(f'{room}/{folder}')}"
            lines.append(f"{words} Imports {', '.join(others) or 'none of the other folders'}.")
    return "\n".join(lines)


if __name__ == "__main__":
    draw().savefig(PICTURE, dpi=150)
    print(f"Written into {PICTURE.relative_to(ROOT)}")
