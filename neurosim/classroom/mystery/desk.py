"""The mystery patient to work with: in a notebook, with or without widgets, and line by line.

`Desk` holds the one `neurosim.classroom.mystery.game.Game` and answers lines; the command line
reads them, the notebook's `Mystery` prints its answers, and the page of buttons plays its game.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, clip_name, unknown_name
from neurosim.base.viewable import Viewable
from neurosim.classroom.mystery import phrases
from neurosim.classroom.mystery.game import Game, check_choice
from neurosim.view.style import ADVICE, muscle_words

if TYPE_CHECKING:
    from neurosim.base.parameters import Key
    from neurosim.classroom.mystery.patient import Case

COMMANDS = {
    "order TEST [MUSCLE]": "do a test, such as 'order blood' or 'order emg calf'",
    "cause NAME": "say what it is; with a remedy, that is your proposal",
    "remedy NAME": "say what to do; with a cause, that is your proposal",
    "tests": "tests and their prices",
    "causes": "what it may be",
    "remedies": "what can be done",
    "rules": "how points are given",
    "reports": "read all findings again",
    "bill": "points spent so far",
    "give up": "be told what it is",
    "help": "this list",
    "quit": "leave",
}

LISTS = {
    "tests": phrases.tests_words,
    "causes": phrases.causes_words,
    "remedies": phrases.remedies_words,
    "rules": phrases.rules_words,
}
# What a proposal consists of: the list of each, and an example.
NOTES = {"cause": ("causes", "cause low_calcium"), "remedy": ("remedies", "remedy calm")}


def any_seed() -> int:
    """Return a random seed."""
    import secrets

    return secrets.randbelow(10_000)


class Desk:
    """Answers lines such as ``order blood``.

    Parameters
    ----------
    game : Game
    """

    def __init__(self, game: Game) -> None:
        self.game, self.open = game, True
        self.notes: dict[str, str] = {}  # the cause and the remedy said so far

    def welcome(self) -> str:
        """Return the text at the start of a game."""
        return "\n".join(
            [
                phrases.patient_words(self.game),
                "",
                phrases.tests_words(),
                "",
                phrases.rules_words(),
                "Write 'order TEST', 'causes', 'remedies', 'cause NAME', 'remedy NAME' or 'help'.",
                ADVICE,
            ]
        )

    def answer(self, line: str) -> str:
        """Return the answer to a line.

        Raises
        ------
        NeurosimError
            If it is not understood; the game goes on.
        """
        parts = line.split()
        if not parts:
            return ""
        verb, rest = parts[0].lower(), parts[1:]
        if (verb, *rest)[:2] == ("give", "up"):
            return "\n".join(phrases.secret_lines(self.game.give_up()))
        known = {name.split()[0] for name in COMMANDS} - {"give"} | {"exit", "give up"}
        if verb not in known:
            raise unknown_name("command", verb, known)
        if verb == "order":
            return self._order(rest)
        if verb in NOTES:
            return self._note(verb, "_".join(rest))
        if rest:
            raise NeurosimError(f"'{verb}' stands alone, without '{clip_name(' '.join(rest))}'.")
        return self._plain(verb)

    def _plain(self, verb: str) -> str:
        if verb in LISTS:
            return LISTS[verb]()
        if verb == "bill":
            return phrases.bill_words(self.game)
        if verb == "reports":
            return "\n".join(map(phrases.report_words, self.game.reports)) or "Nothing ordered yet."
        if verb == "help":
            return "\n".join(f"  {name}: {text}" for name, text in COMMANDS.items())
        self.open = False
        return "Goodbye."

    def _order(self, rest: list[str]) -> str:
        if not rest:
            raise NeurosimError("order needs a test, such as 'order blood'; 'tests' lists them.")
        return phrases.report_words(self.game.order(rest[0], " ".join(rest[1:])))

    def _note(self, kind: str, name: str) -> str:
        listed, example = NOTES[kind]
        if not name:
            raise NeurosimError(f"{kind} needs a name, such as '{example}'; see '{listed}'.")
        self.notes[kind] = check_choice(kind, name)
        if len(self.notes) == len(NOTES):
            return self.propose(**self.notes)
        (missing,) = NOTES.keys() - {kind}
        return (
            f"{kind.capitalize()} noted: {self.notes[kind]}. Now say the {missing}, such as "
            f"'{NOTES[missing][1]}'."
        )

    def propose(self, cause: str, remedy: str) -> str:
        """Return what comes of a cause and a remedy.

        Raises
        ------
        NeurosimError
            For an unknown cause or remedy.
        """
        return "\n".join(phrases.outcome_lines(self.game.propose(cause, remedy)))


class Mystery(Viewable):
    """A mystery patient for a notebook: a page with buttons, or methods that print.

    Shown as the value of a cell it is a page, if ipywidgets is installed; the methods work
    anyway, and both are the same game.

    Parameters
    ----------
    seed : int, optional
        Same seed, same patient; anybody if omitted.

    Raises
    ------
    NeurosimError
        If the seed is no whole number from 0 to 2**53.
    """

    _repr_html_: Any = None  # a notebook shows the page, or the text

    def __init__(self, seed: int | None = None) -> None:
        self.desk = Desk(Game(any_seed() if seed is None else seed))
        self._page: Any = None

    @property
    def game(self) -> Game:
        """The game that is played, of the patient whom the page shows."""
        return self.desk.game

    @property
    def parameters(  # pyright: ignore[reportIncompatibleVariableOverride] grows with the game
        self,
    ) -> frozenset[Key]:
        """Group and name of every parameter that was read for the patient and the tests so far."""
        return self.game.parameters

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        try:
            return self.page()._repr_mimebundle_(include=include, exclude=exclude)
        except ImportError:
            return {"text/plain": f"{self}\n(With ipywidgets installed, buttons stand here.)"}

    def page(self) -> Any:
        """Return the page of buttons, an ipywidgets box; the same one every time.

        Raises
        ------
        ImportError
            Without ipywidgets.
        """
        from neurosim.classroom.mystery.page import Page

        if self._page is None:
            self._page = Page(self.desk)
        return self._page.box

    def order(self, test: str, muscle: str = "") -> Any:
        """Do a test, print its findings, and return its picture if it has one.

        Raises
        ------
        NeurosimError
            For an unknown test or muscle.
        """
        from neurosim.classroom.mystery.plot import picture_report

        report = self.game.order(test, muscle)
        print(phrases.report_words(report))
        return picture_report(report)

    def propose(self, cause: str, remedy: str) -> None:
        """Say what it is and what to do, and print what comes of it.

        Raises
        ------
        NeurosimError
            For an unknown cause or remedy.
        """
        print(self.desk.propose(cause, remedy))

    def tests(self) -> None:
        """Print the tests with their prices."""
        print(self.desk.answer("tests"))

    def causes(self) -> None:
        """Print the possible causes."""
        print(self.desk.answer("causes"))

    def remedies(self) -> None:
        """Print the possible remedies."""
        print(self.desk.answer("remedies"))

    def rules(self) -> None:
        """Print how points are given."""
        print(self.desk.answer("rules"))

    def bill(self) -> None:
        """Print the tests ordered and the points spent."""
        print(self.desk.answer("bill"))

    def give_up(self) -> Case:
        """Print what it is, and return the case."""
        print(self.desk.answer("give up"))
        return self.game.give_up()


def describe_mystery(mystery: Mystery) -> str:
    """Return who comes, the tests with their prices, and what to write in a notebook."""
    return "\n".join(
        [
            phrases.patient_words(mystery.game),
            "",
            phrases.tests_words(),
            "",
            'Write .order("blood"), .order("emg", "calf"), .causes(), .remedies(), .bill(), '
            ".propose(cause=..., remedy=...).",
            ADVICE,
        ]
    )


def mystery_headline(mystery: Mystery) -> str:
    """Return who comes and how far the game is."""
    game = mystery.game
    return (
        f"patient {game.seed}, twitches in the {muscle_words(game.muscle)}; tests ordered: "
        f"{len(game.reports)}"
    )


def newest_picture(mystery: Mystery) -> Any:
    """Return the picture of the newest report that has one.

    Raises
    ------
    NeurosimError
        If no such test was ordered.
    """
    from neurosim.classroom.mystery.plot import picture_report

    for report in reversed(mystery.game.reports):
        figure = picture_report(report)
        if figure is not None:
            return figure
    raise NeurosimError("No test with a picture is ordered yet; order one such as 'blood'.")


@public
def mystery(seed: int | None = None) -> Mystery:
    """Return a mystery patient: order tests, propose a cause and a remedy, see what happens.

    Parameters
    ----------
    seed : int, optional
        Same seed, same patient; anybody if omitted.

    Raises
    ------
    NeurosimError
        If the seed is no whole number from 0 to 2**53.

    Examples
    --------
    >>> patient = mystery(seed=7)
    >>> _ = patient.order("history")
    History, 0 points:
      the patient drinks coffee
      the patient sleeps badly
      the patient feels tense
      coffee, an hour ago: 3.16 cups
      sleep debt (sleep missing): 2.09 h
    """
    return Mystery(seed)
