"""The line that says how far a computation is."""

import sys

import pytest

from neurosim.cli import progress


@pytest.fixture
def clock(monkeypatch):
    """Set a terminal, and the times (s) at which the clock is read."""

    def set_times(*times_s):
        times = iter(times_s)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(progress, "perf_counter", lambda: next(times))

    return set_times


def test_it_tells_rate_and_what_is_left(clock, capsys):
    clock(0.0, 0.0, 60.0, 120.0, 7200.0)
    line = progress.ProgressLine("people")
    for done in (0, 10, 199, 20):
        line(done, 200)
    none, first, second, third = capsys.readouterr().err.split("\r")[1:]
    assert none.rstrip() == "0 of 200 people"
    assert first.rstrip() == "10 of 200 people, 0.17 a second, 19 minutes to go"
    assert second.rstrip() == "199 of 200 people, 1.7 a second, a second to go"
    assert third.rstrip() == "20 of 200 people, 0.0028 a second, 18 hours to go"


def test_it_wipes_what_was_longer_and_ends_its_line(clock, capsys):
    clock(0.0, 0.0, 60.0, 62.0, 63.0)
    line = progress.ProgressLine("people")
    for done in (0, 10, 199, 200):
        line(done, 200)
    _, first, second, last = capsys.readouterr().err.split("\r")[1:]
    assert len(second) >= len(first.rstrip())
    assert last.endswith("\n") and "\n" not in first + second


def test_what_was_done_before_does_not_count_for_the_rate(clock, capsys):
    clock(0.0, 0.0, 10.0, 20.0)
    line = progress.ProgressLine("people")
    for done in (1000, 1020, 2000):  # a thousand were there
        line(done, 2000)
    first, second, last = capsys.readouterr().err.split("\r")[1:]
    assert first.rstrip() == "1000 of 2000 people"
    assert second.rstrip() == "1020 of 2000 people, 2 a second, 8 minutes to go"
    assert last.rstrip() == "2000 of 2000 people, 50 a second" and last.endswith("\n")


def test_a_stage_says_what_is_next_and_counts_anew(clock, capsys):
    clock(0.0, 1.0, 300.0, 300.0, 360.0)
    line = progress.ProgressLine()
    line(5, 5)
    line.stage("diaries")
    for done in (0, 10):
        line(done, 100)
    text = capsys.readouterr().err
    assert "\n5 min: diaries\n" in text
    assert text.split("\r")[-1].rstrip() == "10 of 100 done, 0.17 a second, 9 minutes to go"


def test_nothing_is_shown_elsewhere(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    line = progress.ProgressLine("people")
    line(1, 2)
    line.stage("more")
    assert capsys.readouterr().err == ""
