"""Whatever comes in, a finite result or one clear sentence goes out: bodies, files, commands.

A small run, the same every time, belongs to the tests. ``NEUROSIM_CASES=100000 python -m pytest
tests/test_properties.py`` tries about so many cases, others every time; what it finds it prints
with the line that tries it again.
"""

import dataclasses
import json
import math
import os
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurosim.base.errors import NeurosimError
from neurosim.cli import main as cli
from neurosim.cli import output
from neurosim.clinic.panel import read_panel
from neurosim.clinic.record import read_record
from neurosim.model.body.contributions import contributions
from neurosim.model.body.course import MOMENTS, SPANS, Course
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body
from neurosim.model.body.units import INPUT_UNITS
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.simulation.scenario import Scenario, catalogue, duration_seconds
from neurosim.simulation.simulate import simulate
from neurosim.simulation.state import tissue_state

CASES = int(os.environ.get("NEUROSIM_CASES", "0"))
USUAL = 2908  # cases of the small run
LONGEST_SENTENCE = 2500


def tried(usual):
    """Return the settings of a test that usually tries so many cases."""
    return settings(
        max_examples=max(1, round(usual * CASES / USUAL)) if CASES else usual,
        derandomize=not CASES,
        deadline=None,
        database=None,
        print_blob=bool(CASES),
        suppress_health_check=list(HealthCheck),
    )


def sentence(error):
    """Check that a refusal is one that can be read aloud."""
    words = " ".join(str(error).split())
    assert 10 < len(words) < LONGEST_SENTENCE and words[-1] in ".?", words[:300]
    words.encode("utf-8", "replace").decode("utf-8")


# --- What may come in ------------------------------------------------------------------

ODD = [
    "", " ", "0", "1", "-1", "0.5", "nan", "inf", "-inf", "1e300", "1e-300", "99999999999999999999",
    "9" * 5000, "a" * 5000, "1_000", "0x10", "1,5", "true", "None", "١٢", "½", "../../x", "/etc/x",
    "..\\..\\x", "CON", "nul.txt", "\N{GRINNING FACE}" * 300, "\u00e4" * 300, "\u4e2d" * 100,
    "\u202e", "%s%n", "{0}", "{0.__class__}", "${HOME}", "$(touch x)", "; touch x",
    "__import__('os')", "-", "--", "=", "a=b", "=1", "stress=", "\n", "\r\n", "\x1b[31m", ":",
    "0:1:1e9", "0:1:3", "1:0:3", "nan:1:3", "24 h", "1e300 weeks", "1.2.3 h", "9" * 400 + " h",
    "5 s", "0 s", "-1 h", "\ud800",
]  # fmt: skip
numbers = st.one_of(
    st.floats(),
    st.integers(),
    st.integers(300, 5000).map(lambda digits: 10**digits),
    st.booleans(),
    st.none(),
    st.sampled_from([math.nan, math.inf, -0.0, 1e-323, 1.8e308, 10**400, np.float64(3), True]),
)
texts = st.one_of(st.sampled_from(ODD), st.text(max_size=30))
leaves = st.one_of(numbers, texts, st.binary(max_size=5))
garbage = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(texts, inner, max_size=3),
        st.tuples(inner),
        st.just([[[[[[[[]]]]]]]]),
    ),
    max_leaves=8,
)


def within(name):
    """Return values of one field: in range, at the edges, and just or far beyond."""
    f = FIELDS[name]
    edge = [f.lowest, f.highest, f.low, f.high, f.healthy, math.nextafter(f.highest, math.inf)]
    inside = st.floats(f.lowest, f.highest)
    return st.one_of(inside, inside, inside, st.sampled_from(edge))


valid_bodies = st.lists(st.sampled_from(list(FIELDS)), max_size=5, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({n: within(n) for n in names})
)
bodies = st.one_of(
    valid_bodies,
    st.dictionaries(
        st.sampled_from(list(INPUT_UNITS)), st.one_of(st.floats(0, 300), garbage), max_size=4
    ),
    st.dictionaries(texts, garbage, max_size=3),
)
clock = st.one_of(
    st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59)),
    st.sampled_from(["24:00", "7:5", "0730", "07:30 ", "１２:３０"]),
    garbage,
)


@st.composite
def events(draw):
    """Draw a table of a course, mostly well formed."""
    kinds = draw(st.sampled_from([MOMENTS, SPANS]))
    name = draw(st.sampled_from(list(kinds)))
    low, high, _ = kinds[name]
    good = st.just(True) if name == "sleep" else st.floats(low, high)
    table = {name: draw(st.one_of(good, good, good, garbage))}
    for key in ("at",) if kinds is MOMENTS else ("from", "to"):
        table[key] = draw(clock)
    if draw(st.integers(0, 3)) == 0:
        table[draw(st.sampled_from(["day", "daily", "at", "to", "x"]))] = draw(
            st.one_of(st.integers(1, 3), st.just(True), garbage)
        )
    return table


tables = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "title": texts,
        "about": texts,
        "start": clock,
        "body": st.one_of(bodies, garbage),
        "course": st.one_of(st.lists(events(), max_size=5), garbage),
        "muscle": st.one_of(st.sampled_from(MUSCLES), garbage),
        "duration": st.one_of(st.sampled_from(["24 h", "2 days", "90 min"]), garbage),
        "duration_s": garbage,
        "people": st.one_of(st.integers(1, 50), garbage),
        "seed": garbage,
        "axon": garbage,
        "root": garbage,
    },
)
scenarios = st.one_of(tables, tables, st.dictionaries(texts, garbage, max_size=4))


def toml(value):
    """Return a value as TOML, as far as it can be; what it cannot say is written all the same."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > 10**4000:
        return "9" * 4500
    return str(value)


# --- What must come out ----------------------------------------------------------------


def is_finite(thing):
    """Check every number of a frozen object, of what it holds, too."""
    if dataclasses.is_dataclass(thing):
        for name, value in vars(thing).items():
            assert value is not None, name
            is_finite(value)
    elif isinstance(thing, (tuple, list)):
        for one in thing:
            is_finite(one)
    elif isinstance(thing, (float, int, np.ndarray, np.generic)):
        assert np.isfinite(thing).all(), thing


def holds(asked):
    """Check that a scenario is what its fields allow, and makes a finite state of the body."""
    assert 1 <= asked.duration_s <= 31_557_600 and 1 <= asked.people <= 100_000
    assert 0 <= asked.seed <= 2**53 and len(asked.name) <= 100
    for name, value in vars(asked.body).items():
        assert FIELDS[name].lowest <= value <= FIELDS[name].highest
    try:
        is_finite(tissue_state(asked))
        if asked.course is not None:
            hours, bodies = asked.course.knots(asked.body, min(asked.duration_s / 3600.0, 49.0))
            assert np.isfinite(hours).all() and len(hours) == len(bodies)
    except NeurosimError as error:
        sentence(error)


@tried(400)
@given(bodies)
def test_a_body_is_finite_or_a_sentence(values):
    try:
        body = Body.from_values(values)
        print(body, body._repr_html_(), file=StringIO())
        for c in contributions(body):
            assert math.isfinite(c.change)
    except NeurosimError as error:
        sentence(error)


@tried(8)
@given(valid_bodies, st.sampled_from(MUSCLES), st.integers(0, 2**53), st.integers(0, 10**6))
def test_a_run_is_finite_or_a_sentence(values, muscle, seed, person):
    try:
        found = simulate(Body(**values), muscle=muscle, seed=seed, person=person, duration_s=2)
    except NeurosimError as error:
        sentence(error)
        return
    assert math.isfinite(found.expected_per_min) and found.expected_per_min >= 0.0
    assert np.isfinite(found.firing.time_s).all() and np.isfinite(found.twitches.onset_s).all()
    assert str(found)


@tried(600)
@given(st.one_of(scenarios, garbage))
def test_a_mapping_is_a_scenario_or_a_sentence(table):
    try:
        holds(Scenario.from_mapping(table))
    except NeurosimError as error:
        sentence(error)


@tried(200)
@given(st.lists(events(), max_size=8), clock, valid_bodies, st.floats(0.02, 49.0))
def test_a_course_is_finite_or_a_sentence(tables, start, values, hours):
    try:
        course, body = Course.from_tables(tables, start), Body(**values)
        for column in course.values(body, hours).values():
            assert np.isfinite(column).all()
        assert Course.from_tables(course.as_tables(), course.clock_time(0.0)) == course
    except NeurosimError as error:
        sentence(error)


@tried(200)
@given(garbage)
def test_a_duration_is_seconds_or_a_sentence(value):
    try:
        assert duration_seconds(value) >= 0.0
    except NeurosimError as error:
        sentence(error)


def from_file(read, data, name, tmp_path_factory):
    """Read a file of these bytes; it may be refused in a sentence that begins with a word."""
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(data)
    try:
        return read(path)
    except NeurosimError as error:
        sentence(error)
        return None


written = scenarios.map(
    lambda t: "\n".join(f"{json.dumps(str(k))} = {toml(v)}" for k, v in t.items())
)
raw = st.one_of(written, st.text(max_size=200), st.sampled_from(["[" * 9000, "x = " + "9" * 9000]))
raw = st.one_of(raw.map(lambda t: t.encode("utf-8", "replace")), st.binary(max_size=200))


@tried(400)
@given(raw)
def test_a_toml_file_is_a_scenario_or_a_sentence(tmp_path_factory, data):
    found = from_file(Scenario.from_toml, data, "x.toml", tmp_path_factory)
    if found is not None:
        holds(found)


cells = st.one_of(
    st.sampled_from(
        [
            "analyte",
            "value",
            "unit",
            "Potassium",
            "Calcium",
            "Albumin",
            "pH",
            "mmol/L",
            "mg/dL",
            "g/L",
            "curve",
            "x",
            "model",
            "recovery_cycle",
            "threshold_iv",
            "sdtc_ms",
            "charge_duration",
            "4.1",
            "8,1",
            "1e400",
            "-1",
            '"',
            "\0",
            "RC1.1",
            "TE1.1",
            "Age:",
            " RECOVERY CYCLE DATA",
            " DERIVED EXCITABILITY",
            "Temperature:\t33",
        ]
    ),
    st.text(max_size=8),
    st.floats().map(str),
)
sheets = st.lists(st.lists(cells, max_size=5), max_size=12).flatmap(
    lambda rows: st.sampled_from([",", ";", "\t"]).map(lambda s: "\n".join(s.join(r) for r in rows))
)
curves = st.lists(
    st.tuples(
        st.sampled_from(["recovery_cycle", "threshold_iv", "sdtc_ms", "charge_duration"]),
        st.floats(),
        st.floats(),
    ),
    max_size=12,
).map(lambda rows: "\n".join(["curve,x,value", *(f"{c},{x},{y}" for c, x, y in rows)]))
panels = st.lists(
    st.tuples(
        st.sampled_from(["Potassium", "Ionised calcium", "Calcium", "Albumin", "pH", "Zinc"]),
        st.floats(0, 20).map("{:.3g}".format),
        st.sampled_from(["mmol/L", "mg/dL", "g/L", ""]),
    ),
    max_size=6,
).map(lambda rows: "\n".join(["analyte;value;unit", *(";".join(r) for r in rows)]))
files = st.one_of(
    st.one_of(sheets, curves, panels).map(lambda t: t.encode("utf-8", "replace")),
    st.binary(max_size=200),
)


@tried(250)
@given(files)
def test_a_panel_is_a_body_or_a_sentence(tmp_path_factory, data):
    found = from_file(read_panel, data, "panel.csv", tmp_path_factory)
    assert found is None or isinstance(found, Body)


@tried(250)
@given(files, st.sampled_from(["record.csv", "record.mem"]))
def test_a_record_is_one_or_a_sentence(tmp_path_factory, data, name):
    found = from_file(read_record, data, name, tmp_path_factory)
    if found is not None:
        for curve in (*found.electrotonus.values(), found.recovery, found.iv):
            assert all(np.isfinite(column).all() for column in curve)


# --- The command line ------------------------------------------------------------------


class Reached(Exception):
    """A command whose input is in order would now compute."""


def _stop():
    raise Reached


FIRST = ["run", "excitability", "fit", "sweep", "article", "validate", "sensitivity", "list",
         "sources", "rnu", "--version", "--help"]  # fmt: skip
VALUES = {
    "against": [*catalogue()[:4], "normal"], "remedy": ["calm", "calmm"], "muscle": [*MUSCLES],
    "set": ["stress=0.5", "potassium_mmol_l=3", "cups_of_coffee=3", "calcium_mg_dl=7.2", "als=1"],
    "change": ["leak_scale=2", "ph=7.6", "ischaemia_min=10"], "condition": ["ischaemia"],
    "duration": ["24 h", "5", "1 min"], "people": ["1", "3"], "person": ["0", "7"],
    "seed": ["1", "9007199254740993"], "axon": ["ghk", "ohmic"], "root": ["C6", "sensory"],
    "out": ["out", "a/b", ".", "x.toml"], "csv": ["all.csv", "a/b.csv", "."], "range": ["clinical"],
    "samples": ["8", "9"], "frobnicate": ["1"],
}  # fmt: skip
POSITIONAL = ["normal", "low_calcium", "a_day", "x.toml", "good.toml", "stress", "ph", "0:1:3",
              "r.mem", "no.csv", "nowhere.toml"]  # fmt: skip
words_ = st.one_of(st.sampled_from(POSITIONAL), texts.filter(lambda t: "\0" not in t))


@st.composite
def lines(draw):
    """Draw a command line of valid and invalid pieces."""
    argv = [draw(st.one_of(st.sampled_from(FIRST), words_))]
    argv += draw(st.lists(words_, max_size=2))
    for name in draw(st.lists(st.sampled_from(list(VALUES)), max_size=3)):
        value = draw(
            st.one_of(st.sampled_from(VALUES[name]), st.sampled_from(VALUES[name]), words_)
        )
        argv += [f"--{name}={value}"] if draw(st.booleans()) else [f"--{name}", value]
    return argv


def everything(folder):
    """Return every file and folder below one, with what files hold."""
    return {p: p.read_bytes() if p.is_file() else b"" for p in sorted(Path(folder).rglob("*"))}


@pytest.fixture(scope="module")
def _desk(tmp_path_factory):
    """Stand in a folder with a good and a bad file, two levels below what is watched."""
    top = tmp_path_factory.mktemp("watched")
    place = top / "above" / "here"
    place.mkdir(parents=True)
    (place / "x.toml").write_text("title = \n")
    (place / "good.toml").write_text('name = "../../x"\n[body]\nstress = 0.5\n')
    (place / "r.mem").write_text("nothing")
    before, patch = Path.cwd(), pytest.MonkeyPatch()
    patch.setattr(output, "warn_if_slow", _stop)
    os.chdir(place)
    yield top
    os.chdir(before)
    patch.undo()


def command(argv):
    """Return exit code, output and complaint of a command line that does not compute."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = cli.main(argv)
        except Reached:
            code = 0
        except SystemExit as asked:
            code = asked.code
    return code, out.getvalue(), err.getvalue()


@tried(600)
@given(lines())
def test_a_command_is_understood_or_refused_in_a_line(_desk, argv):
    before = everything(_desk)
    code, out, err = command(argv)
    after = everything(_desk)
    if code == 2:
        assert out == "" and err.count("\n") == 1 and "Traceback" not in err, err[:300]
        sentence(err)
    assert code in (0, 2)
    new = set(after) - set(before)
    assert code == 0 and "sources" in argv if new else after == before
    for path in new:
        assert path.parent in (_desk / "above" / "here", _desk / "above" / "here" / "a"), path
        path.unlink()
