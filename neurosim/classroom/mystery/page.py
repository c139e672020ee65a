"""The mystery patient's page in a notebook: buttons, lists and results, worked by keyboard too.

Tab moves, space or Enter presses, arrows choose. News appear in a live region, which a screen
reader reads at once; every picture has an alternative text.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Protocol

from neurosim.base.errors import NeurosimError
from neurosim.classroom.mystery import phrases
from neurosim.classroom.mystery.examinations import TESTS, Report
from neurosim.classroom.mystery.game import REMEDIES, Game
from neurosim.classroom.mystery.patient import CAUSES
from neurosim.classroom.mystery.plot import picture_report
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.view.style import ADVICE, html_image, label_number, muscle_words, png_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

CHOOSE = "choose ..."


def _on_click(button: Any, act: Callable[[], object]) -> None:
    """Let a button do something when it is pressed."""

    def press(_: Any) -> None:
        act()

    button.on_click(press)


def lines_html(lines: Iterable[str], bold: Container[int] = ()) -> str:
    """Return lines as a list in HTML, those whose places are named in bold."""
    items = (
        f"<li>{f'<b>{html.escape(line)}</b>' if i in bold else html.escape(line)}</li>"
        for i, line in enumerate(lines)
    )
    return f"<ul style='margin:0.2em 0;line-height:1.5'>{''.join(items)}</ul>"


def findings_html(report: Report) -> str:
    """Return what a test brought as a list in HTML, values outside their range in bold."""
    lines = phrases.mention_lines(report)
    flagged = {i for i, f in enumerate(report.findings, len(lines)) if f.flag}
    return lines_html([*lines, *map(phrases.finding_words, report.findings)], flagged)


def report_html(report: Report) -> str:
    """Return a report with its picture, newest at the top of the page."""
    figure = picture_report(report)
    image = html_image(png_bytes(figure), figure.alt_text) if figure else ""
    return (
        f"<h3 style='margin:0.6em 0 0.2em'>{html.escape(phrases.report_title(report))}</h3>"
        f"{findings_html(report)}{image}"
    )


class GameHolder(Protocol):
    """Whatever holds the game that is played, such as the desk."""

    game: Game


class Page:
    """The page of one game.

    Parameters
    ----------
    desk : GameHolder
        Where the game is played; another patient is put there too.

    Attributes
    ----------
    box : ipywidgets.VBox
        The whole page, as a notebook shows it.

    Raises
    ------
    ImportError
        Without ipywidgets.
    """

    def __init__(self, desk: GameHolder) -> None:
        import ipywidgets as widgets  # pyright: ignore[reportMissingTypeStubs] scipy has no types

        self.desk, self._w = desk, widgets
        self.live = widgets.HTML()
        self.head, self.bill, self.results, self.outcome = (widgets.HTML() for _ in range(4))
        self.box = widgets.VBox(
            [
                self.head,
                self._tests(),
                self.live,
                self.bill,
                self._answer(),
                self.outcome,
                self.results,
                self._other_patient_field(),
                widgets.HTML(f"<p>{html.escape(ADVICE)}</p>"),
            ]
        )
        self.show_patient(desk.game)

    @property
    def game(self) -> Game:
        """The game of the patient who is shown."""
        return self.desk.game

    def show_patient(self, game: Game) -> None:
        """Show a new patient."""
        self.desk.game = game
        self.head.value = self._heading()
        self.muscle.value, self.cause.value, self.remedy.value = game.muscle, "", ""
        self.outcome.value = self.results.value = ""
        self._say(f"{phrases.patient_words(game)} Order a test; its findings come below.")
        self._show_bill()

    def _other_patient_field(self) -> Any:
        """Return a field for the number of another patient: pupils beside each other get others."""
        w = self._w
        self.number = w.BoundedIntText(
            value=self.game.seed,
            min=0,
            max=10**6,
            description="Patient number:",
            style={"description_width": "initial"},
            layout=w.Layout(width="220px"),
        )
        self.other = w.Button(description="See this patient", tooltip="leave the present one")
        _on_click(self.other, lambda: self.show_patient(Game(self.number.value)))
        return w.HBox([self.number, self.other])

    def _heading(self) -> str:
        return (
            f"<h2 style='margin:0'>Mystery patient {self.game.seed}</h2>"
            f"<p>{html.escape(phrases.patient_words(self.game))} Another patient: below.</p>"
            f"<details><summary>How points are given</summary><p>"
            f"{html.escape(phrases.rules_words())}</p></details>"
        )

    def _tests(self) -> Any:
        w = self._w
        self.muscle = w.Dropdown(
            options=[(muscle_words(m), m) for m in MUSCLES],
            value=self.game.muscle,
            description="Muscle for EMG and count:",
            style={"description_width": "initial"},
            layout=w.Layout(width="360px"),
        )
        self.buttons: dict[str, Any] = {}
        for name, test in TESTS.items():
            button = w.Button(
                description=f"{phrases.TITLES[name]}: {label_number(test.price)} points",
                tooltip=phrases.MYSTERY_TEXTS[name],
                layout=w.Layout(width="240px"),
            )
            _on_click(button, lambda name=name: self.order(name))
            self.buttons[name] = button
        row = w.Box(list(self.buttons.values()), layout=w.Layout(flex_flow="row wrap"))
        return w.VBox([w.HTML("<h3 style='margin:0'>Order tests</h3>"), self.muscle, row])

    def _answer(self) -> Any:
        w, wide = self._w, {"description_width": "70px"}
        causes = [(c.title, name) for name, c in CAUSES.items()]
        cures = [(text, name) for name, text in REMEDIES.items()]
        self.cause = w.Dropdown(
            options=[(CHOOSE, ""), *causes],
            description="Cause:",
            style=wide,
            layout=w.Layout(width="min(640px, 95%)"),
        )
        self.remedy = w.Dropdown(
            options=[(CHOOSE, ""), *cures],
            description="Remedy:",
            style=wide,
            layout=w.Layout(width="min(640px, 95%)"),
        )
        self.button = w.Button(
            description="Propose", button_style="primary", tooltip="say what it is and what to do"
        )
        _on_click(self.button, lambda: self.propose())
        self.giving_up = w.Button(description="Give up", tooltip="be told what it is")
        _on_click(self.giving_up, lambda: self.give_up())
        head = w.HTML("<h3 style='margin:0.4em 0 0'>Say what it is, and what to do</h3>")
        clues = w.HTML(
            "<details><summary>What to look for</summary>"
            f"{lines_html([f'{c.title}: {phrases.CLUES[n]}' for n, c in CAUSES.items()])}</details>"
        )
        row = w.HBox([self.button, self.giving_up])
        return w.VBox([head, clues, self.cause, self.remedy, row])

    # --- What a press does ---------------------------------------------------------------------

    def _say(self, text: str) -> None:
        """Put a sentence into the live region, so that it is read aloud.

        A widget makes the region anew each time; a new one is read where it is an alert.
        """
        self.live.value = f"<div role='alert' aria-live='polite'>{html.escape(text)}</div>"

    def _show_bill(self) -> None:
        spent = label_number(self.game.cost)
        self.bill.value = f"<p><b>Bill: {spent} points</b> for {len(self.game.reports)} tests.</p>"

    def order(self, test: str) -> None:
        """Do a test and show its findings above the earlier ones."""
        try:
            report = self.game.order(test, self.muscle.value if TESTS[test].in_a_muscle else "")
        except NeurosimError as error:
            self._say(str(error))
            return
        self.results.value = report_html(report) + self.results.value
        self._show_bill()
        flagged = "; ".join(phrases.finding_words(f) for f in report.flagged)
        summary = flagged or "nothing outside the usual ranges" if report.findings else ""
        text = "; ".join(phrases.report_lines(report)) if test in ("history", "count") else summary
        self._say(f"{phrases.report_title(report)}: {text}.")

    def propose(self) -> None:
        """Show the outcome of the chosen cause and remedy."""
        if not (self.cause.value and self.remedy.value):
            self._say("Choose a cause and a remedy first.")
            return
        outcome = self.game.propose(self.cause.value, self.remedy.value)
        self._show_outcome("Outcome", phrases.outcome_lines(outcome))

    def give_up(self) -> None:
        """Show the cause."""
        self._show_outcome("The answer", phrases.secret_lines(self.game.give_up()))

    def _show_outcome(self, title: str, lines: list[str]) -> None:
        self.outcome.value = (
            f"<div role='alert' aria-live='polite'><h3 style='margin:0.4em 0 0'>{title}</h3>"
            f"{lines_html(lines)}</div>"
        )
