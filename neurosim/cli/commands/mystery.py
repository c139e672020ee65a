"""``neurosim mystery``: work a patient with a hidden cause."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, TextIO

from neurosim.base.errors import NeurosimError
from neurosim.cli.options import parse_whole
from neurosim.cli.output import output_folder, print_now, save_files

if TYPE_CHECKING:
    import argparse

HELP = "work a patient with a hidden cause: order tests, say what it is, what to do"
OPTIONS = ("seed", "out")


def run(args: argparse.Namespace) -> None:
    """Play the game on the standard input."""
    seed = parse_whole("seed", args.seed)
    if args.out is None:
        _play_lines(seed)
        return
    with output_folder(args.out, "mystery") as folder:
        from neurosim.classroom.mystery.files import game_files

        game, messages = _play_lines(seed)
        print_now(save_files(folder, game_files(game, messages)))


def _play_lines(seed: Any) -> tuple[Any, list[str]]:
    """Answer lines of the standard input until it ends; return the game and all messages."""
    from neurosim.classroom.mystery.desk import Desk, mystery

    game = mystery(seed).game
    desk = Desk(game)
    messages = [desk.welcome()]
    if seed is None:
        messages.append(f"To meet this patient again: neurosim mystery --seed {game.seed}")
    print_now("\n".join(messages))
    stdin: TextIO | None = sys.stdin  # none in a program without a terminal
    if isinstance(stdin, TextIOWrapper):
        stdin.reconfigure(errors="replace")
    is_terminal = stdin is not None and stdin.isatty()
    while desk.open:
        if is_terminal:
            print_now("> ", end="")
        line = stdin.readline() if stdin is not None else ""
        if line:
            messages.append(f"> {line.strip()}")
        try:
            messages.append(desk.answer(line or "quit"))  # the input has ended
        except NeurosimError as error:
            messages.append(" ".join(str(error).split()))
        if messages[-1]:
            print_now(messages[-1])
    return game, messages
