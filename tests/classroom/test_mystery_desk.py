"""The mystery patient at the desk, on the page and in pictures: one game, plain words."""

import json
import sys
from io import BytesIO, StringIO, TextIOWrapper

import pytest

import neurosim as ns
from neurosim.classroom.mystery import desk, key_phrases, phrases
from neurosim.classroom.mystery.examinations import TESTS, Finding, Report
from neurosim.classroom.mystery.game import REMEDIES, Game
from neurosim.classroom.mystery.key import TeacherKey, patient_key
from neurosim.classroom.mystery.page import findings_html
from neurosim.classroom.mystery.patient import CAUSES, EXPOSURES
from neurosim.classroom.mystery.plot import picture_report
from neurosim.cli.main import main
from neurosim.view.style import ADVICE

RIGHT = "order history\norder blood\norder gas\ncause anxiety\nremedy calm\nbill\nquit\n"


@pytest.fixture(scope="module")
def full():
    """Return the key of patient 7: every report once."""
    return patient_key(7)


def play_lines(capsys, monkeypatch, lines, *options):
    """Return exit code and lines of a game that is piped in."""
    monkeypatch.setattr(sys, "stdin", StringIO(lines))
    code = main(["mystery", "--seed", "7", *options])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# --- Words ------------------------------------------------------------------------------------


def test_everything_has_words(full):
    assert set(phrases.MYSTERY_TEXTS) == set(phrases.TITLES) == set(TESTS)
    assert set(phrases.EXPOSURE_WORDS) == set(EXPOSURES)
    assert set(phrases.CLUES) == set(CAUSES)
    assert {c.doctor for c in CAUSES.values()} == set(phrases.BY_DOCTOR)
    for report in full.reports:
        for finding in report.findings:
            line = phrases.finding_words(finding)
            assert "nan" not in line and "inf" not in line and "_" not in line
            assert line.endswith(finding.flag.upper())


def test_a_finding_is_read_with_its_range(full):
    blood = next(r for r in full.reports if r.test == "blood")
    lines = phrases.report_lines(blood)
    assert lines[2] == "ionised calcium: 1.11 mmol/L (usual 1.15 to 1.3), LOW"
    assert phrases.report_title(blood) == "Blood panel, 10 points"


def test_where_only_a_doctor_helps_it_is_said_kindly():
    game = Game(1)  # ALS
    assert game.give_up().cause == "als"
    text = "\n".join(phrases.outcome_lines(game.propose("als", "see_doctor")))
    assert "nobody should be alone with it" in text and ADVICE in text


def test_the_key_says_the_cause_and_what_shows_it(full):
    text = str(TeacherKey((full,)))
    assert "Cause: anxiety" in text and "Best: calm." in text and ADVICE in text
    assert any(
        "carbon dioxide" in line and "LOW" in line for line in key_phrases.decisive_findings(full)
    )
    (row,) = key_phrases.key_rows(TeacherKey((full,)))
    assert row["patient"] == 7 and row["right_remedies"] == "calm"


# --- The command line -------------------------------------------------------------------------


def test_a_patient_is_worked_to_the_end_from_a_pipe(capsys, monkeypatch):
    code, out, err = play_lines(capsys, monkeypatch, RIGHT)
    assert code == 0 and not err
    assert "Patient 7: an adult who twitches in the sole of the foot" in out
    assert "the patient drinks coffee" in out and "carbon dioxide: 22 mmHg" in out
    assert "Right: Anxiety with over-breathing." in out and "95 of 100" in out
    assert "Together: 25 points." in out and out.rstrip().endswith("Goodbye.")
    assert all(len(line) < 500 and "\t" not in line for line in out.splitlines())


def test_the_end_of_the_input_is_polite(capsys, monkeypatch):
    code, out, err = play_lines(capsys, monkeypatch, "")
    assert code == 0 and not err and out.rstrip().endswith("Goodbye.")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("order blod", "Unknown test 'blod': did you mean 'blood'?"),
        ("ordr blood", "Unknown command 'ordr': did you mean 'order'?"),
        ("order", "order needs a test, such as 'order blood'"),
        ("order emg tongue", "Unknown muscle 'tongue'"),
        ("order blood calf", "'blood' is not done in one muscle"),
        ("cause gout", "Unknown cause 'gout'"),
        ("cause", "cause needs a name, such as 'cause low_calcium'; see 'causes'."),
        ("remedy", "remedy needs a name, such as 'remedy calm'; see 'remedies'."),
        ("bill please", "'bill' stands alone, without 'please'."),
    ],
)
def test_a_mistake_is_one_sentence_and_the_game_goes_on(capsys, monkeypatch, line, answer):
    code, out, err = play_lines(capsys, monkeypatch, f"{line}\nbill\n")
    assert code == 0 and not err
    (answered,) = [text for text in out.splitlines() if answer in text]
    assert "Nothing ordered yet: 0 points." in out.split(answered)[1]


def test_a_cause_or_a_remedy_alone_is_noted():
    assert desk.Desk(Game(7)).answer("cause low calcium") == (
        "Cause noted: low_calcium. Now say the remedy, such as 'remedy calm'."
    )
    assert desk.Desk(Game(7)).answer("remedy calm") == (
        "Remedy noted: calm. Now say the cause, such as 'cause low_calcium'."
    )


def test_bytes_that_are_no_text_are_answered_too(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"order \xff\xfe\n\x00\n"), "utf-8"))
    assert main(["mystery", "--seed", "7"]) == 0
    out = capsys.readouterr().out
    assert "Unknown test" in out and out.rstrip().endswith("Goodbye.")


def test_a_line_of_a_million_letters_is_answered_in_short(capsys, monkeypatch):
    for line in ("order " + "b" * 10**6, "x" * 10**6, "cause " + "y " * 10**5):
        code, out, _ = play_lines(capsys, monkeypatch, line + "\n")
        assert code == 0 and len(out) < 5000


def test_lists_help_and_giving_up(capsys, monkeypatch):
    lines = "tests\ncauses\nremedies\nrules\nreports\nhelp\ngive up\ncause als\nremedy calm\n"
    code, out, _ = play_lines(capsys, monkeypatch, lines)
    assert code == 0
    for name in (*TESTS, *CAUSES, *REMEDIES):
        assert f"  {name}" in out
    assert "Patient 7 has: Anxiety with over-breathing." in out
    assert "This one is not scored" in out and "of 100" not in out.split("give up:")[1]


def test_a_record_is_kept_without_the_secret(capsys, monkeypatch, tmp_path):
    code, out, _ = play_lines(capsys, monkeypatch, "order blood\n", "--out", str(tmp_path))
    assert code == 0 and "Written into " in out
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "mystery.csv",
        "mystery.json",
        "mystery.txt",
    ]
    rows = (tmp_path / "mystery.csv").read_text("utf-8").splitlines()
    assert len(rows) == 5 and ",low" in rows[3]
    about = json.loads((tmp_path / "mystery.json").read_text("utf-8"))
    assert about["patient"] == 7 and about["cost_points"] == 10.0 and about["proposals"] == []
    assert "over-breathing" not in "".join(p.read_text("utf-8") for p in tmp_path.iterdir())


def test_without_a_seed_the_seed_is_told(capsys, monkeypatch):
    monkeypatch.setattr(desk, "any_seed", lambda: 7)
    monkeypatch.setattr(sys, "stdin", StringIO(""))
    assert main(["mystery"]) == 0
    assert "To meet this patient again: neurosim mystery --seed 7" in capsys.readouterr().out


def test_the_key_of_a_class(capsys, tmp_path):
    assert main(["key", "--seed", "7:8", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "Patient 7: anxiety" in out and "Patient 8: als" in out and "best: calm" in out
    rows = (tmp_path / "key.csv").read_text("utf-8").splitlines()
    assert len(rows) == 3 and rows[1].startswith("7,anxiety,")


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ([], "key needs --seed"),
        (["--seed", "8:7"], "must run upwards"),
        (["--seed", "1:500"], "at most 100 patients"),
        (["--seed", "1:"], "seed must be a finite number"),
        (["--seed", "0.5"], "must be a whole number"),
    ],
)
def test_a_wrong_key_is_one_sentence(capsys, options, answer):
    assert main(["key", *options]) == 2
    captured = capsys.readouterr()
    assert answer in captured.err and captured.err.count("\n") == 1 and not captured.out


# --- The notebook -----------------------------------------------------------------------------


def test_plain_methods_print_and_return_pictures(capsys):
    patient = ns.mystery(seed=7)
    assert patient.order("history") is None
    figure = patient.order("blood")
    assert "ionised calcium: 1.11 mmol/L" in figure.alt_text
    patient.bill()
    patient.propose(cause="anxiety", remedy="calm")
    out = capsys.readouterr().out
    assert "Together: 10 points." in out and "98 of 100" in out


def test_pictures_say_what_they_show_and_are_readable(full, check):
    shown = {r.test: picture_report(r) for r in full.reports}
    assert {t for t, figure in shown.items() if figure is None} == {"history", "count"}
    for test, figure in shown.items():
        if figure is not None:
            assert len(figure.alt_text) > 80, test
            check(figure)
    assert " of units near it" in shown["emg"].alt_text


def test_without_widgets_the_text_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    captured = ns.mystery(seed=7)._repr_mimebundle_()
    assert (
        "With ipywidgets installed" in captured["text/plain"]
        and ".order(" in captured["text/plain"]
    )


def test_a_finding_is_bold_by_its_flag_and_not_by_its_last_word(monkeypatch):
    findings = (
        Finding("ph", 7.2, "", 7.35, 7.45),
        Finding("ph", 7.4, "", 7.35, 7.45),
        Finding("units", 130.0, "", 90.0, 120.0),
    )
    monkeypatch.setitem(phrases.EXPOSURE_WORDS, "coffee", "is LOW")
    text = findings_html(Report("gas", "", 0, 1.0, findings, ("coffee",)))
    items = text.split("<li>")[1:]
    assert [item.startswith("<b>") for item in items] == [False, True, False, True]


def test_the_page_works_the_same_game(capsys):
    pytest.importorskip("ipywidgets")
    patient = ns.mystery(seed=7)
    box = patient.page()
    assert box is patient.page()
    page = patient._page
    for test in ("history", "blood", "gas"):
        page.buttons[test].click()
    assert "Bill: 25 points" in page.bill.value
    assert page.results.value.index("Blood gas") < page.results.value.index("Blood panel")
    assert 'alt="Blood gas on the usual ranges' in page.results.value
    assert "aria-live='polite'" in page.live.value and "carbon dioxide" in page.live.value
    page.button.click()
    assert "Choose a cause and a remedy first." in page.live.value
    page.cause.value, page.remedy.value = "anxiety", "calm"
    page.button.click()
    assert "Right: Anxiety with over-breathing." in page.outcome.value
    assert "95 of 100" in page.outcome.value
    patient.bill()
    assert "Together: 25 points." in capsys.readouterr().out
    page.giving_up.click()
    assert "Patient 7 has" in page.outcome.value


def test_the_page_shows_another_patient_and_the_object_follows():
    pytest.importorskip("ipywidgets")
    patient = ns.mystery(seed=7)
    patient.page()
    page = patient._page
    page.order("blood")
    page.cause.value = "anxiety"
    page.number.value = 12
    page.other.click()
    assert patient.game.seed == 12 and patient.game.cost == 0
    assert patient.desk.answer("bill") == "Nothing ordered yet: 0 points."
    assert "Mystery patient 12" in page.head.value and "Bill: 0 points" in page.bill.value
    assert page.results.value == page.outcome.value == page.cause.value == ""
    assert page.muscle.value == patient.game.muscle
