"""Figures: units on the axes, no text upon text, nothing cut off, no global state."""

import dataclasses
from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from neurosim.article import phrases
from neurosim.article import plot as article_plot
from neurosim.clinic.excitability import examine
from neurosim.clinic.norms import norms
from neurosim.model.axon.axon import Conditions
from neurosim.model.soma.soma import SomaConditions, simulate_soma
from neurosim.simulation.replicate import replicate
from neurosim.simulation.simulate import simulate
from neurosim.view import excitability_figures, figures, panels, style

UNITS = ("%", "ms", "mV", "mN", "mmol/L", "second", "minute", "hour", "day", "no unit",
         "per minute", "times", "number", "motor unit", "people", "person")  # fmt: skip


def labels(figure):
    return [t for ax in figure.axes for t in (ax.get_xlabel(), ax.get_ylabel()) if t]


@pytest.fixture(scope="module")
def low():
    return simulate("low_calcium", duration_s=60, seed=2)


@pytest.fixture(scope="module")
def healthy():
    return simulate("normal", duration_s=60, seed=2)


def test_chain_beside_health(low, check, texts):
    before = dict(matplotlib.rcParams)
    figure = low.plot()
    assert dict(matplotlib.rcParams) == before
    check(figure)
    assert all(any(unit in text for unit in UNITS) for text in labels(figure)), labels(figure)
    written = " ".join(words for words, _ in texts(figure)[0])
    assert "0.8 mmol/L LOW" in written
    assert "not medical advice" in written
    assert "Hz" not in written


def test_scales_are_not_survivable_and_odd_titles_are_drawn(low, check, texts):
    scenario = low.scenario.replace(title="低 calcium $1 $x^$ \n 😀")
    figure = figures.picture_chain(dataclasses.replace(low, scenario=scenario))
    check(figure)
    written = [words for words, _ in texts(figure)[0]]
    assert written.count("0 of 1") == 2
    assert any("? calcium" in words for words in written)


def test_chain_of_many_people_with_a_silent_lane(check):
    people = replicate(["stress", "normal"], 3, duration_s=60, muscle="calf")
    result = simulate("stress", duration_s=60, muscle="calf")
    check(figures.picture_chain(result, people=people))


def test_chain_of_a_healthy_body_and_of_two_changed_ones(low, healthy, check):
    check(figures.picture_chain(healthy))
    check(figures.picture_chain(simulate("stress", duration_s=60, seed=2), against=low))


def test_chain_of_hours_draws_no_long_array(check):
    check(figures.picture_chain(simulate("stress", duration_s=40_000, muscle="eyelid")))


def test_pair(low, healthy, check):
    check(figures.picture_pair(healthy, low))


def test_picture_is_shown_by_a_notebook(healthy):
    figure = figures.picture_chain(healthy)
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert len(style.png_bytes(figure, 50)) > 20_000


def test_verdicts_draw_every_claim_in_its_group(small_article, check):
    figure = article_plot.picture_verdicts(small_article)
    check(figure, page=True)
    ax = figure.axes[0]
    names = [label.get_text() for label in ax.get_yticklabels()][::-1]
    assert (
        names[0] == "What twitches (fasciculations) and spasms (cramps) are"
        and len(names) == 46 + 5
    )
    for v in small_article.verdicts:
        assert sum(n.startswith(v.claim) and n.endswith(f" {v.number}") for n in names) == 1
    drawn = [t.get_text() for t in ax.texts]
    for outcome, n in phrases.count_outcomes(small_article.verdicts).items():
        assert drawn.count(phrases.outcome_words(outcome)) == n


def test_verdicts_beyond_the_axis_are_arrows(small_article):
    far = replace(small_article.verdicts[23], rate_ratio=1e-7, ci_low=1e-8, ci_high=1e-6)
    ax = article_plot.picture_verdicts((far,)).axes[0]
    assert [line.get_marker() for line in ax.lines].count("<") == 1


def test_remedies_say_in_words_what_each_does(small_article, check):
    matrix = small_article.matrix
    figure = article_plot.picture_remedies(matrix)
    check(figure, page=True)
    ax = figure.axes[0]
    drawn = [t.get_text() for t in ax.texts]
    floor = {"▼▼▼ nearly none": 0.0, "▼▼ far fewer": 0.01, "▼ fewer": 0.1}
    assert len(drawn) == matrix.applies.size
    assert drawn.count("–") == (~matrix.applies).sum()
    for text, i in zip(drawn, np.ndindex(*matrix.applies.shape), strict=True):
        ratio = float(np.exp(matrix.log_ratio[i].mean()))
        if not matrix.applies[i]:
            continue
        least = floor.get(text.split("\n")[0])
        if least is not None:
            assert least <= ratio < max(10 * least, 0.01)
        elif "more" in text:
            assert ratio > 1.25 and text.endswith("\n0 %")
        else:
            assert text.startswith(("= same", "? unclear"))
    words = phrases.describe_remedies(matrix)
    assert "sodium-channel blocker" in words and "Isaacs' syndrome" in words
    assert words.count("\n") == len(matrix.remedies)


def test_excitability_over_the_norm(check):
    base = examine(Conditions())
    examination = examine(Conditions(potassium_out_mmol_l=6.0))
    figure = excitability_figures.picture_excitability(examination, base, norms(), "potassium 6")
    check(figure)
    assert all(any(unit in text for unit in UNITS) for text in labels(figure))
    blocked = examine(Conditions(potassium_out_mmol_l=9.5))
    check(excitability_figures.picture_excitability(blocked, base))


def test_sweep_and_soma(check):
    rates = np.array([[0.0, 2.0, 30.0], [0.0, 0.0, 1.0]])
    check(figures.picture_sweep("potassium in plasma, mmol/L", [3.0, 6.0], rates, (3.5, 5.0)))
    trace = simulate_soma(SomaConditions(calcium_out_mmol_l=1.0), 9.0, 200.0, seed=1)
    check(figures.picture_soma(trace))


def test_the_window_shows_an_episode_where_the_end_has_none(low):
    result = simulate("eyelid_myokymia")
    start, end = panels.window_s(result)
    assert (start, end) == (420.0, 480.0)
    held = result.firing.time_s[result.firing.process == panels.PLATEAU]
    assert not (held > 540.0).any() and ((held >= start) & (held <= end)).sum() > 60
    words = panels.window_words((start, end), 600.0)
    assert words == "60 seconds of 10 minutes shown, from 7 minutes on"
    assert panels.window_s(low)[1] == 60.0, "nothing holds itself firing: the end"
    assert panels.window_words((540.0, 600.0), 600.0) == "the last 60 seconds of 10 minutes shown"
