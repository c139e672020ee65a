"""The house palette: told apart by colour-blind readers, read as text, and told apart in grey.

Colour vision is simulated after Machado, Oliveira and Fernandes (2009), "A physiologically-based
model for simulation of color vision deficiency", IEEE Transactions on Visualization and Computer
Graphics 15: 1291-1298, at full severity; distances are CIE 1976 L*a*b* under D65.
"""

from itertools import combinations, product

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from neurosim.article import plot
from neurosim.view import emg_plot, sensitivity, state_panels, style

# Their table of matrices, severity 1.0, on linear RGB.
EYES = {
    "all three cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
APART = 19.0  # where about 2 can just be seen side by side
MEANINGS = {
    "body": (style.HEALTH, style.CHANGED, style.BLACK),
    "where a discharge starts": [colour for colour, _, _ in style.ORIGIN_MARKS],
    "potentials": [colour for colour, _ in emg_plot.LINES],
    "outcomes": [c for c, marker in plot.OUTCOME_MARKS.values() if marker],
    "inputs": [colour for colour, _ in sensitivity.KIND_MARKS.values()],
}


def lab(colour, eye):
    """Return L*, a* and b* of a colour as an eye sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(EYES[eye]) @ linear, 0.0, 1.0)
    xyz = (
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
        @ seen
        / [0.95047, 1.0, 1.08883]
    )
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one, other, eye):
    return float(np.linalg.norm(lab(one, eye) - lab(other, eye)))


def test_the_ruler_is_right():
    sees = "all three cones"
    np.testing.assert_allclose(lab("#FF0000", sees), [53.24, 80.09, 67.20], atol=0.02)
    np.testing.assert_allclose(lab("#0000FF", sees), [32.30, 79.19, -107.86], atol=0.02)
    for eye in EYES:
        np.testing.assert_allclose(lab("white", eye), [100, 0, 0], atol=0.02)
        np.testing.assert_allclose(lab("#808080", eye)[1:], 0, atol=0.02)
    # What such eyes mix up: red and green without M or L cones, blue and green without S.
    assert (
        distance("#C00000", "#707000", "deuteranopia") < 20 < distance("#C00000", "#707000", sees)
    )
    assert distance("#00A0B0", "#00A080", "tritanopia") < 12 < distance("#00A0B0", "#00A080", sees)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("what", MEANINGS)
def test_colours_of_different_meaning_differ(what, eye):
    for one, other in combinations(MEANINGS[what], 2):
        assert distance(one, other, eye) >= APART, f"{one} and {other}"


@pytest.mark.parametrize("eye", EYES)
def test_fewer_and_more_differ(eye):
    fewer, more = ("nearly none", "far fewer", "fewer"), ("more", "far more")
    for one, other in product(fewer, more):
        colours = plot.CELLS[one][0], plot.CELLS[other][0]
        assert distance(*colours, eye) >= APART


def test_colours_of_words_can_be_read(contrast):
    for colour in (style.BLACK, style.GREY, style.GREEN, style.BLUE, style.VERMILION, style.PURPLE):
        assert contrast(colour, "white") >= 4.5 and contrast(colour, style.PALE) >= 4.5
    for colour, ink in plot.CELLS.values():
        assert contrast(colour, ink) >= 4.5


def test_every_meaning_has_a_second_mark():
    for marks in (style.LINE_STYLES, style.OUTCOME_SHAPES):
        assert len(set(marks.values())) == len(marks) == 3
    assert len({marker for _, marker, _ in style.ORIGIN_MARKS}) == len(style.ORIGIN_MARKS)
    assert len({line for _, line in emg_plot.LINES}) == len(emg_plot.LINES)
    outcomes = [marker for _, marker in plot.OUTCOME_MARKS.values()]
    assert len(set(outcomes)) == len(outcomes)
    assert len(set(plot.ARROWS.values())) == len(plot.ARROWS)


def test_health_and_changed_are_told_apart_in_grey_print():
    from neurosim.clinic.excitability import examine
    from neurosim.model.axon.axon import Conditions
    from neurosim.view.excitability_figures import plot_iv

    ax = plot_iv(examine(Conditions(potassium_out_mmol_l=6.0)), examine(Conditions()))
    looks = {}
    for line in ax.lines:
        if line.get_color() in (style.HEALTH, style.CHANGED):
            looks.setdefault(line.get_color(), set()).add((line.get_linestyle(), line.get_marker()))
    assert looks[style.HEALTH] == {("--", "None"), ("None", "o")}
    assert looks[style.CHANGED] == {("-", "None"), ("None", "D")}
    assert state_panels._LINE_NAMES[style.HEALTH] == ("health", "dashed")


def test_a_page_has_a_projectors_shape_and_no_small_text():
    assert style.PAGE_INCHES[0] / style.PAGE_INCHES[1] == pytest.approx(1920 / 1080)
    assert style.SMALLEST_PT / 72 * 1080 / style.PAGE_INCHES[1] >= 18.0
    sizes = [v for name, v in style.SETTINGS.items() if name.endswith("size")]
    assert len(sizes) == 7 and min(sizes) >= style.SMALLEST_PT
    assert set(style.SETTINGS) <= set(matplotlib.rcParams)
