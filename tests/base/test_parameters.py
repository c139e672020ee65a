"""Every number of the model: a known unit, a grade, a source that resolves, a range about it."""

import ast
import math
import os
import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

import neurosim
from neurosim.base.cache import cached
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import (
    FILES,
    GRADES,
    Value,
    all_values,
    citation,
    load_group,
    override,
    override_all,
    overrides,
    parameter,
    read_toml,
    references,
    track_reads,
)
from neurosim.model.body.contributions import contributions
from neurosim.model.body.fields import FIELDS
from neurosim.model.body.state import Body

ROOT = Path(neurosim.__file__).parent
READERS = {"parameter", "parameters.parameter", "_param", "param"}
UNITS = {
    "1/min", "1/s", "units", "mV per pH unit", "months", "thresholds",
    "1", "1/h", "1e-9 cm3/s", "C/m2", "L/(h kg)", "L/kg", "L/mol", "channels", "degC", "g/L",
    "g/mol", "kg", "ln", "mN", "mV per e-fold", "mV", "mg", "min", "mmol/L", "mmol/g", "ms", "nS",
    "%", "pA", "pA/mV", "pF", "s", "sites", "spikes", "twitches", "umol/L",
    "1/mm", "1/mm2", "Hz", "S/m", "fibres", "m/s", "m/s per um", "mV/mm3", "mm", "nA", "uV",
    "um", "mS/cm2", "uF/cm2", "mmHg", "mmol/(L mmHg)", "L", "h", "mmol/(mmol/L)",
    "weeks", "1/week", "Mohm", "points",
}  # fmt: skip
# What the end of a name says of its unit; the longest that fits counts.
SUFFIXES = {
    "_umol_l": "umol/L", "_mmol_l": "mmol/L", "_l_h_kg": "L/(h kg)", "_l_kg": "L/kg",
    "_g_l": "g/L", "_per_h": "1/h", "_mv": "mV", "_ms": "ms", "_min": "min", "_mn": "mN",
    "_mg": "mg", "_kg": "kg", "_c": "degC", "_pa": "pA", "_mm": "mm", "_hz": "Hz", "_uv": "uV",
    "_per_s": "1/s", "_mmhg": "mmHg", "_l": "L", "_debt_h": "h", "_half_h": "h", "_percent": "%",
    "_mohm": "Mohm", "_per_min": "1/min",
}  # fmt: skip
VALUES = all_values()
IDS = [f"{group}.{value.name}" for group, value in VALUES]


@pytest.mark.parametrize(("group", "value"), VALUES, ids=IDS)
def test_a_number_says_what_it_is(group, value):
    assert isinstance(value.value, (int, float)) and math.isfinite(value.value)
    assert value.unit in UNITS
    assert value.grade in GRADES
    assert citation(value.source).strip()
    assert value.source in read_toml(FILES[group])["references"], "not in its own group"
    assert math.isnan(value.low) == math.isnan(value.high), "half a range"
    if not math.isnan(value.low):
        assert value.low <= value.value <= value.high
    assert float(value) == parameter(group, value.name) == value.value


@pytest.mark.parametrize(("group", "value"), VALUES, ids=IDS)
def test_the_end_of_a_name_agrees_with_the_unit(group, value):
    for part in value.name.split("."):
        fitting = [s for s in SUFFIXES if part.endswith(s)]
        if fitting and "per_" not in part.removesuffix(max(fitting, key=len)):
            assert value.unit == SUFFIXES[max(fitting, key=len)]


def test_entries_are_not_overlooked():
    # every table with a value is a number; none was passed over for want of a grade
    for group, path in FILES.items():
        text = (ROOT / path).read_text("utf-8")
        assert len(re.findall(r"(?m)^value\s*=", text)) == len(load_group(group)), group


def test_a_body_field_has_the_unit_of_its_name():
    signs = {"µmol/L": "umol/L", "°C": "degC", "": "1", "per second": "1/s"}
    assert [f.name for f in fields(Body)] == list(FIELDS)
    for name, field in FIELDS.items():
        unit = signs.get(field.unit, field.unit)
        assert unit == next((u for s, u in SUFFIXES.items() if name.endswith(s)), "1")
        assert field.lowest <= field.low <= field.healthy <= field.high <= field.highest


def test_a_contribution_has_the_unit_of_its_parameter():
    body = Body(
        sodium_mmol_l=130,
        potassium_mmol_l=5,
        ionised_calcium_mmol_l=1,
        stress=1,
        fatigue=1,
        ionised_magnesium_mmol_l=1,
        limb_temperature_c=30,
        plasma_caffeine_umol_l=40,
        **dict.fromkeys(
            {n for n, f in FIELDS.items() if f.is_scale and not f.usual} - {"magnesium_depletion"},
            0.5,
        ),
        magnesium_depletion=0.2,
        mass_loss_percent=3,
        plain_water_l=1,
        sleep_debt_h=8,
    )
    for c in contributions(body):
        unit = next((u for s, u in SUFFIXES.items() if c.parameter.endswith(s)), "1")
        assert c.unit == ("1" if c.operation == "scale" else unit)
        assert c.parameter.endswith("_scale") <= (c.operation == "scale")
        assert citation(c.source)


def test_sources_shared_by_groups_say_the_same():
    citations = {}
    for group, path in FILES.items():
        for key, text in read_toml(path)["references"].items():
            citations.setdefault(key, {}).setdefault(str(text), []).append(group)
    differ = {key: texts for key, texts in citations.items() if len(texts) > 1}
    assert not differ
    assert set(citations) == set(references())


def test_no_source_is_kept_that_no_parameter_of_its_group_cites():
    for group, path in FILES.items():
        text = (ROOT / path).read_text("utf-8")
        used = set(re.findall(r'(?m)^source\s*=\s*"([^"]+)"', text))
        assert used <= set(read_toml(path)["references"]), group


def test_mistakes_are_one_sentence():
    with pytest.raises(NeurosimError, match="did you mean 'firing'"):
        load_group("fireing")
    with pytest.raises(NeurosimError, match="did you mean 'load_factor'"):
        parameter("firing", "load_facto")
    with pytest.raises(NeurosimError, match="no group"):
        citation("nobody2099")
    with pytest.raises(NeurosimError, match="did you mean 'measured'"):
        Value("x", 1.0, "1", "mesured", "rule")


def plain_caches_of_parameters():
    """Yield functions that read a parameter but are cached without regard to overrides."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            is_cached = any(
                re.search(r"\b(lru_)?cache\b", ast.unparse(d)) for d in node.decorator_list
            )
            calls = {ast.unparse(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
            if is_cached and calls & READERS:
                yield f"{path.relative_to(ROOT)}: {node.name}"


def test_a_function_that_reads_a_parameter_is_cached_by_its_overrides():
    assert list(plain_caches_of_parameters()) == []


def test_the_least_recently_used_value_leaves_the_cache_first():
    calls = []

    @cached(size=2)
    def double(x):
        calls.append(x)
        return 2 * x

    assert [double(x) for x in (1, 2, 1, 3)] == [2, 4, 2, 6] and calls == [1, 2, 3]
    assert double.missing([(1,), (2,), (3,)]) == [(2,)]
    double.store_all([9], [(4,)], set())
    assert double.missing([(1,), (4,)]) == [(1,)] and double(4) == 9


def test_a_cached_value_belongs_to_one_value_of_an_override():
    @cached()
    def factor():
        return parameter("firing", "load_factor")

    for value in (7.0, 8.0, 7.0):
        with override("firing", "load_factor", value):
            assert factor() == value
    assert factor() == parameter("firing", "load_factor")


def test_a_tracker_inside_another_ends_alone():
    with track_reads() as outer:
        with track_reads() as inner:
            pass
        parameter("firing", "load_factor")
    parameter("firing", "noise_channels")
    assert outer == {("firing", "load_factor")} and inner == set()


LOAD = ("firing", "load_factor")


def test_overrides_are_a_copy_and_override_all_replaces_them():
    nominal = parameter(*LOAD)
    with override(*LOAD, 7.0), override("study", "confidence", 0.5):
        taken = overrides()
        taken[LOAD] = 8.0
        assert parameter(*LOAD) == 7.0
        with override_all({LOAD: 9.0}):
            assert parameter(*LOAD) == 9.0 and parameter("study", "confidence") == 0.95
        assert parameter(*LOAD) == 7.0 and parameter("study", "confidence") == 0.5
    assert parameter(*LOAD) == nominal and overrides() == {}
    with pytest.raises(NeurosimError, match="load_factor"), override_all({("firing", "load"): 1.0}):
        pass


def test_threads_neither_see_nor_end_the_overrides_and_trackers_of_others():
    nominal, both = parameter(*LOAD), threading.Barrier(2, timeout=30)

    def read(value):
        with override(*LOAD, value), track_reads() as reads:
            both.wait()  # both threads are inside
            inside = parameter(*LOAD)
            if value > 2.0:
                parameter("firing", "noise_channels")
            both.wait()
        return inside, parameter(*LOAD), len(reads)

    with override(*LOAD, 5.0), ThreadPoolExecutor(2) as pool:
        assert list(pool.map(read, (2.0, 3.0))) == [(2.0, nominal, 1), (3.0, nominal, 2)]
        assert parameter(*LOAD) == 5.0


WITHOUT = """
from neurosim.base import parameters
try:
    print(sorted(parameters.FILES), len(parameters.all_values()))
except FileNotFoundError as error:
    print("absent", error.filename)
"""


@pytest.mark.parametrize(
    ("deleted", "whole"),
    [("classroom", True), ("classroom/mystery/mystery.toml", False), ("clinic/emg.toml", False)],
)
def test_only_an_application_takes_its_parameters_with_it(tmp_path, deleted, whole):
    copy = shutil.copytree(
        ROOT, tmp_path / "neurosim", ignore=shutil.ignore_patterns("__pycache__")
    )
    path = copy / deleted
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    groups = sorted(set(FILES) - {"mystery"})
    count = sum(len(load_group(group)) for group in groups)
    assert done.stdout.startswith(f"{groups} {count}" if whole else "absent")
