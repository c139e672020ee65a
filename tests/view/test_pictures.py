"""Every figure of the package, found by its name: it has alt text, and it leaves all else alone.

`picture_*` return a whole `Picture` with alt text; `plot_*` draw on the axes in `ax`.
"""

import dataclasses
import importlib
import inspect
import math
import pkgutil
import re
from html.parser import HTMLParser
from io import BytesIO, StringIO
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

import neurosim as ns
from neurosim.article.alarms import SIGNS, Alarms
from neurosim.article.diary import GROUPS, Diary
from neurosim.base.parameters import GRADES
from neurosim.classroom.explorer.settings import Explorer, ExplorerSetting
from neurosim.classroom.lessons.unlabelled import unlabelled_patients
from neurosim.classroom.mystery.game import Game
from neurosim.clinic import fit, mem
from neurosim.clinic.emg import emg_uv
from neurosim.clinic.excitability import examine
from neurosim.clinic.norms import norms
from neurosim.clinic.record import read_record
from neurosim.clinic.space import Space
from neurosim.clinic.unit_potentials import unit_potentials
from neurosim.model.axon.axon import Conditions
from neurosim.model.soma.soma import SomaConditions, simulate_soma
from neurosim.simulation import cohort as cohorts
from neurosim.simulation import plan
from neurosim.simulation import sensitivity as sensitivities
from neurosim.validation.target import Row, Validation
from neurosim.view import export, figures, fitted, style
from neurosim.view.recording import make_recording as recorded

TITLE = "Low <calcium> & \"salt\" 'n' $x$"  # what HTML, SVG and mathtext would trip over
ROOMS = tuple(f"neurosim.{room}." for room in ("view", "article", "classroom", "validation"))
LISTS = (
    "picture_verdicts",
    "picture_remedies",
    "picture_cohort",
    "picture_misses",
)  # pages to scroll


def functions(prefix):
    """Return every public function of the package whose name begins so, by its name."""
    by_name = {}
    for module in pkgutil.walk_packages(ns.__path__, "neurosim."):
        if not module.name.startswith(ROOMS):
            continue
        room = importlib.import_module(module.name)
        for name, function in inspect.getmembers(room, inspect.isfunction):
            if name.startswith(prefix) and function.__module__ == room.__name__:
                assert name not in by_name, f"two functions are called {name}"
                by_name[name] = function
    return by_name


PICTURES, PLOTS = functions("picture_"), functions("plot_")


def drawn_sensitivity():
    """Return indices that are drawn, of the fields of the body and a few numbers."""
    factors = (
        sensitivities.body_factors() + sensitivities.number_factors(ns.load_scenario("normal"))[:6]
    )
    rng, n = np.random.default_rng(1), len(factors)
    total = np.sort(rng.exponential(0.1, n))
    indices = sensitivities.Indices(
        factors, 0.5 * total, total, 0.1 * total, 0.2 * total, rng.normal(0, 1, 640), 32
    )
    screened, effects = factors[-6:], np.linspace(2.0, 0.1, 6)
    return sensitivities.Sensitivity(
        ns.load_scenario("normal"), "reference", 8, indices, screened, effects, 4
    )


def drawn_alarms():
    """Return diaries of ten weeks, and signs, at random: three people of each group."""
    rng, n, diaries = np.random.default_rng(1), 60, []
    for group in GROUPS:
        for person in range(3):
            time, muscle = np.sort(rng.uniform(0.0, 70.0, n)), rng.integers(0, 6, n)
            diaries.append(
                Diary(
                    group,
                    person,
                    10,
                    time,
                    muscle,
                    np.zeros(n, int),
                    np.ones(n, bool),
                    np.ones((2, 6)),
                    np.ones(6),
                )
            )
    shown = {sign: tuple(rng.random(len(diaries)) < 0.5) for sign in SIGNS}
    return Alarms(10, 1, 0, tuple(diaries), shown)


@pytest.fixture(scope="module")
def examples(small_article, tmp_path_factory):
    """Return the arguments of every figure and panel, by name."""
    health = ns.simulate("normal", duration_s=60, seed=2)
    low = ns.simulate("low_calcium", duration_s=60, seed=2)
    low = dataclasses.replace(low, scenario=low.scenario.replace(title=TITLE))
    day = ns.simulate("a_day", person=1)
    people = ns.replicate(["low_calcium", "normal"], 4, duration_s=60, seed=2)
    base, examination = examine(Conditions()), examine(Conditions(potassium_out_mmol_l=6.0))
    test = (examination, base, norms())
    path = tmp_path_factory.mktemp("record") / "one.mem"
    path.write_text(mem.mem_text(examination, "potassium high", "ghk", 33.0), "utf-8")
    few = Space.from_file("person", ("persistent_sodium_scale", "potassium_out_mmol_l"))
    fitted_one = fit.fit_record(read_record(path), space=few)
    study = plan.make_plan(["stress", "caffeine"], people=5, hours=0.1, muscle="calf")
    cohort = cohorts.run_cohort(study, workers=1)
    rates = np.array([[0.0, 2.0, 30.0], [0.0, 0.0, 1.0], [3.0, 4.0, 55.0]])
    sweep = ("potassium in plasma, mmol/L", [3.0, 4.2, 6.0], rates, (3.5, 5.0))
    trace = simulate_soma(SomaConditions(calcium_out_mmol_l=1.0), 9.0, 200.0, seed=1)
    times, units = np.array([0.5, 0.505, 1.5]), np.array([40, 40, 20])
    signal = emg_uv(times, units, "foot_sole", 2.0)
    record = (times, units, np.linspace(0.0, 20.0, 2000), signal, 2000.0)
    potentials = (unit_potentials("foot_sole", units=[5, 40]), 2000.0, ["small", "large"])
    alarms, patients = drawn_alarms(), unlabelled_patients(1, watched_s=10.0)
    heard = [recorded(health, "In health", 5.0), recorded(low, length_s=5.0)] * 2
    row = Row("V1", "change", "mV", "health", 1.0, 2.0, 3.0, "measured", "Somebody 2020")
    misses = [dataclasses.replace(row, grade=grade) for grade in GRADES for _ in range(3)]
    validation = Validation((*misses, dataclasses.replace(row, model=1.5)), ())
    rng = np.random.default_rng(3)
    long = emg_uv(np.arange(0.2, 9.8, 0.37), np.full(26, 40), "foot_sole", 10.0, "needle")
    detection = (ns.detect(long + rng.normal(0, 1, long.size), rate_hz=2000.0),)
    why = "No sliders, because no notebook is running; the same as small pictures."
    return {
        "picture_alarms": (alarms,),
        "picture_true_alarms": (0.028, "it gets worse", "everybody"),
        "picture_patients": (patients,),
        "picture_recordings": (heard,),
        "picture_report": (Game(7).order("gas"),),
        "picture_settings": (Explorer(), ExplorerSetting(), why),
        "plot_diary": (alarms.typical("als"),),
        "plot_signs": (alarms, ["als", "benign"]),
        "plot_true_alarms": (0.028,),
        "plot_rhythms": patients[:1],
        "plot_lost": patients[:1],
        "picture_chain": (low, health, people),
        "picture_pair": (health, low),
        "picture_course": (day, health),
        "picture_excitability": (*test, TITLE),
        "picture_examination": (ns.excitability(ns.Body(potassium_mmol_l=6.0)),),
        "picture_sweep": sweep,
        "picture_soma": (trace,),
        "picture_emg": record,
        "picture_detection": detection,
        "plot_trace": detection,
        "plot_unit_raster": detection,
        "plot_unit_shapes": detection,
        "plot_intervals": detection,
        "picture_verdicts": (small_article,),
        "picture_remedies": (small_article.matrix,),
        "picture_cohort": (cohort,),
        "picture_fit": (fitted_one,),
        "picture_targets": (validation,),
        "picture_misses": (validation,),
        "picture_sensitivity": (drawn_sensitivity(),),
        "plot_body": (low.scenario.body,),
        "plot_thresholds": (low,),
        "plot_margin": ([health, low],),
        "plot_raster": (low,),
        "plot_force": (low,),
        "plot_rate": (low, health),
        "plot_charge": (examination, base),
        "plot_electrotonus": test,
        "plot_recovery": test,
        "plot_iv": test,
        "plot_sweep": sweep,
        "plot_soma": (trace,),
        "plot_course_value": (day, "stress"),
        "plot_course_rate": (day, health),
        "plot_course_counts": (day,),
        "plot_course_raster": (day,),
        "plot_verdicts": (small_article,),
        "plot_remedies": (small_article.matrix,),
        "plot_cohort": (cohort,),
        "plot_fit": (fitted_one,),
        "plot_single_changes": (fitted_one,),
        "plot_sensitivity": (drawn_sensitivity(),),
        "plot_record": record,
        "plot_discharges": record[:2],
        "plot_signal": (record[2], 1000.0, "force, mN"),
        "plot_spectrogram": record[3:],
        "plot_stretch": (*record[3:], 0.49),
        "plot_potentials": potentials,
    }


@pytest.fixture(scope="module")
def pictures(examples):
    """Return every whole figure, by the name of its function."""
    return {name: function(*examples[name]) for name, function in PICTURES.items()}


def arrays(value, seen=None):
    """Return every array that a value holds."""
    seen = {} if seen is None else seen
    if id(value) in seen:
        return []
    seen[id(value)] = value
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, (list, tuple)):
        inside = list(value)
    elif isinstance(value, dict):
        inside = list(value.values())
    else:
        inside = list(vars(value).values()) if hasattr(value, "__dict__") else []
    return [a for one in inside for a in arrays(one, seen)]


def test_every_figure_and_panel_has_an_example(examples):
    assert set(examples) == set(PICTURES) | set(PLOTS)
    assert len(PICTURES) >= 18 and len(PLOTS) >= 30


@pytest.mark.parametrize("name", sorted(PLOTS))
def test_a_panel_leaves_data_and_settings_alone(name, examples):
    assert inspect.signature(PLOTS[name]).parameters["ax"].default is None
    writeable = [a for a in arrays(examples[name]) if a.flags.writeable]
    settings = dict(matplotlib.rcParams)
    for array in writeable:
        array.flags.writeable = False
    try:
        figure = style.new_figure()
        axes = figure.subplots(4, 1) if name == "plot_record" else figure.add_subplot()
        assert PLOTS[name](*examples[name], ax=axes) is axes
        alone = PLOTS[name](*examples[name])
    finally:
        for array in writeable:
            array.flags.writeable = True
    assert dict(matplotlib.rcParams) == settings
    for ax in np.ravel(alone):
        assert isinstance(ax, Axes) and ax.figure is not figure
        assert ax.has_data() or name == "plot_single_changes"
    assert len(np.ravel(alone)[0].figure.alt_text) > 10


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_is_readable_on_a_projector(name, pictures, check):
    check(pictures[name], page=name in LISTS)


def numbers(words):
    return [float(n.replace(" ", "")) for n in re.findall(r"\d+(?: \d{3})*(?:\.\d+)?", words)]


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_has_words_of_sentences_and_numbers(name, pictures):
    picture = pictures[name]
    words = picture.alt_text
    assert len(words) > 100 and len(numbers(words)) >= 4
    assert not re.search(r"\b(nan|inf|None)\b", words)
    assert "Hz" not in words or name in ("picture_emg", "picture_detection")
    for sentence in style.one_line(words).split(". "):
        assert len(sentence) > 3
    assert style.one_line(words).endswith((".", "!", "?"))
    shown = picture.savefig  # the file's own words, not Matplotlib's
    assert shown.__func__ is type(picture).savefig


def test_the_words_tell_the_numbers_of_the_data(examples, pictures):
    result, health, people = examples["picture_chain"]
    text = pictures["picture_chain"].alt_text
    assert f"{result.scenario.body.ionised_calcium_mmol_l:g} mmol/L" in text
    assert style.label_number(result.twitches_per_min) in text
    active = [(row > 0).sum() for row in people.twitches]
    assert f"{active[0]} of 4, {active[1]} of 4" in text
    text = pictures["picture_pair"].alt_text
    for one in (result, health):
        assert f"{style.pluralize(one.twitches_per_min, 'twitch')} per minute" in text
        assert f"{style.label_number(len(one.twitches))}, or" in text
    _, values, rates, _ = examples["picture_sweep"]
    for value, row in zip(values, rates, strict=True):
        line = f"{value:g} mmol/L: {style.label_number(row.mean())} twitches per minute"
        assert line in pictures["picture_sweep"].alt_text
        assert f"{(row > 0).sum()} of 3 people" in pictures["picture_sweep"].alt_text
    (trace,) = examples["picture_soma"]
    assert style.pluralize(trace.spikes[0].size, "spike") in pictures["picture_soma"].alt_text
    matrix = examples["picture_remedies"][0]
    percents = numbers(pictures["picture_remedies"].alt_text)
    share = (matrix.log_ratio < -math.log(1.25)).mean(axis=2)[matrix.applies]
    assert sorted(np.unique(np.round(100 * share))) == sorted(
        set(percents) & set(np.round(100 * share))
    )
    for v in examples["picture_verdicts"][0].verdicts:
        assert f"{v.number} {v.claim}: {v.outcome}" in pictures["picture_verdicts"].alt_text
    (cohort,) = examples["picture_cohort"]
    for state, rate in zip(cohort.plan.states, cohort.per_min, strict=True):
        line = next(t for t in pictures["picture_cohort"].alt_text.split("\n") if state.title in t)
        assert numbers(line)[0] == pytest.approx(np.median(rate), rel=0.06)


# --- The words in HTML, SVG, PNG and PDF ---------------------------------------------------


class Images(HTMLParser):
    """What a browser reads of a page's images."""

    def __init__(self, page):
        super().__init__()
        self.images = []
        self.tags = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))


@pytest.mark.parametrize("name", ["picture_chain", "picture_excitability"])
def test_the_words_are_in_html_and_svg_whatever_they_hold(name, pictures):
    picture = pictures[name]
    text = style.one_line(picture.alt_text)
    assert "<calcium>" in text.lower() and "&" in text
    page = Images(picture._repr_html_())
    assert page.tags == ["figure", "img"]
    (image,) = page.images
    assert image["alt"] == text
    assert image["src"].startswith("data:image/png;base64,iVBORw0KGgo")
    file = BytesIO()
    picture.savefig(file, format="svg")
    root = ElementTree.fromstring(file.getvalue())
    svg = "{http://www.w3.org/2000/svg}"
    title, desc = list(root)[:2]
    assert (title.tag, desc.tag) == (f"{svg}title", f"{svg}desc")
    assert desc.text == text and title.text
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"


def test_files_of_every_kind_hold_the_words(examples, tmp_path):
    picture, same = (figures.picture_sweep(*examples["picture_sweep"]) for _ in range(2))
    description = style.one_line(picture.alt_text)
    picture.savefig(tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as image:
        assert image.text["Description"] == description and image.text["Title"].startswith("Sweep")
    picture.savefig(tmp_path / "one.pdf")
    data = (tmp_path / "one.pdf").read_bytes()
    assert b"/Subject" in data and b"potassium in plasma 3 mmol/L" in data
    picture.savefig(tmp_path / "one.svg", metadata={"Creator": "a pupil"})
    text = (tmp_path / "one.svg").read_text("utf-8")
    assert description in text and "a pupil" in text
    for target in (tmp_path / "first.png", tmp_path / "one.pdf"):
        same.savefig(target)
    page = StringIO()
    same.savefig(page, format="svg")
    assert page.getvalue() == text.replace("a pupil", "neurosim"), "the same is the same file"


def test_a_notebook_gets_the_words_and_one_picture(pictures):
    from base64 import b64decode

    bundle = pictures["picture_sweep"]._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png"}
    assert b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["image/png"] in bundle["text/html"]


def test_a_minus_is_read_aloud():
    text = style.one_line("rests at -80.5 mV (health -80)\n20-ms pulse, 1e-05, x-1")
    assert (
        text == "rests at \N{MINUS SIGN}80.5 mV (health \N{MINUS SIGN}80). 20-ms pulse, 1e-05, x-1."
    )


def test_a_figure_without_a_text_names_its_axes():
    ax = figures.plot_sweep("potassium, mmol/L", [3.0, 5.0], np.ones((2, 3)))
    assert ax.figure.alt_text == (
        "Sweep: how often it twitches: twitches per minute against potassium, mmol/L."
    )


def test_a_picture_may_be_changed_after_it_was_saved(examples):
    picture = figures.picture_soma(*examples["picture_soma"])
    once, ax = style.png_bytes(picture), picture.axes[0]
    left = ax.get_position().x0
    ax.set_ylabel("potential\nof the\ncell body, mV")
    assert style.png_bytes(picture) != once
    assert ax.get_position().x0 > left + 0.01, "it is arranged anew"


@pytest.mark.parametrize("dpi", [60, 75])
def test_nothing_is_cut_off_however_few_the_pixels(dpi, pictures):
    for name in ("picture_course", "picture_verdicts"):
        with Image.open(BytesIO(style.png_bytes(pictures[name], dpi))) as image:
            grey = np.asarray(image.convert("L"))
        assert grey.shape[1] == round(dpi * style.PAGE_INCHES[0])
        assert grey[:, [0, 1, -2, -1]].min() > 200, f"{name} has ink at its edge"


def test_unknown_panels_are_one_sentence(examples):
    with pytest.raises(ns.NeurosimError, match="panel = 'x'"):
        fitted.plot_fit(examples["plot_fit"][0], "x")
    with pytest.raises(ns.NeurosimError, match="not in this cohort"):
        PLOTS["plot_cohort"](examples["plot_cohort"][0], "eyelid")


def test_the_command_line_writes_the_same_words(tmp_path, capsys):
    from neurosim.cli import main as cli

    assert cli.main(["run", "low_calcium", "--duration", "20", "--out", str(tmp_path)]) == 0
    beside = (tmp_path / "figure.txt").read_text("utf-8").strip()
    assert beside in capsys.readouterr().out
    with Image.open(tmp_path / "figure.png") as image:
        assert image.text["Description"] == style.one_line(beside)
    assert export.text_bytes(beside)
