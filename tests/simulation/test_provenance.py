"""What a result rests on: exactly what was read, whatever was cached and wherever it ran."""

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import neurosim as ns
from neurosim.base import cache, disk_cache, parameters
from neurosim.base.cache import CachedFunction
from neurosim.base.parameters import all_values, load_group, override, parameter, track_reads
from neurosim.simulation import cohort as cohort_
from neurosim.simulation import long_run, person_run
from neurosim.view.parameter_use import assumption_words

RUNS = {
    "low_calcium": {},
    "isaacs": {"muscle": "calf"},
    "als": {"duration_s": 60},
    "pinched_nerve": {"muscle": "calf"},
    "cramp": {"duration_s": 30},
    "high_potassium": {"axon": "ohmic"},
    "a_day": {},
    "dehydration": {"people": 3, "duration_s": 60},
}


def forget_memory():
    for module in [m for name, m in sys.modules.items() if name.startswith("neurosim.")]:
        for value in list(vars(module).values()):
            if isinstance(value, CachedFunction):
                value.clear()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for the cache on disk."""
    monkeypatch.setenv("NEUROSIM_CACHE", str(tmp_path / "cache"))
    cache.clear()
    yield
    disk_cache.close()
    cache.clear()


@pytest.mark.parametrize("name", RUNS)
def test_sources_are_the_same_cold_warm_and_from_disk(folder, name):
    cold = ns.simulate(name, **RUNS[name])
    warm = ns.simulate(name, **RUNS[name])
    forget_memory()
    disk = ns.simulate(name, **RUNS[name])
    assert 100 < len(cold.parameters) < 300
    assert cold.parameters == warm.parameters == disk.parameters
    assert cold.sources() == disk.sources() and len(cold.sources()) == len(cold.parameters)
    ns.simulate("stress", people=2, duration_s=10)  # what others have cached changes nothing
    assert ns.simulate(name, **RUNS[name]).parameters == cold.parameters


def test_a_scenario_by_name_rests_on_what_it_does_as_an_object():
    by_name = ns.simulate("als", muscle="shin", duration_s=1)
    scenario = ns.load_scenario("als").replace(muscle="shin", duration_s=1)
    assert ns.simulate(scenario).parameters == by_name.parameters
    assert not any(name.startswith("foot_sole.") for _, name in by_name.parameters)


def test_what_workers_read_comes_back(folder):
    options = {"people": 20, "duration_s": 10}
    one = ns.replicate(["isaacs", "normal"], **options)
    for _ in range(2):  # workers with a cold cache on disk, then with a warm one
        forget_memory()
        assert ns.replicate(["isaacs", "normal"], cores=2, **options).parameters == one.parameters
        forget_memory()
        counted = ns.simulate("isaacs", cores=2, **options)
        cache.clear()
    assert counted.parameters >= one.parameters
    assert one.parameters > ns.replicate(["normal"], **options).parameters
    scenarios = [ns.load_scenario("isaacs"), ns.load_scenario("normal")]
    reads = []
    for cores in (1, 2, 2):
        with track_reads() as found:
            long_run.long_run_rates(scenarios, 10, cores=cores)
        reads.append(set(found))
    assert reads[0] == reads[1] == reads[2] and len(reads[0]) > 150


def test_a_cohort_that_goes_on_knows_what_was_read_before(folder, tmp_path, monkeypatch):
    whole = ns.cohort("isaacs", people=4, hours=0.01, muscle="calf")
    count = cohort_.count_people

    def stop(plan, first, stop):
        if first:
            raise KeyboardInterrupt
        return count(plan, first, stop)

    monkeypatch.setattr(cohort_, "plan_layout", lambda *_: {"chunk": 2, "seconds_expected": 0.0})
    monkeypatch.setattr(cohort_, "count_people", stop)
    options = {"people": 4, "hours": 0.01, "muscle": "calf", "folder": tmp_path / "run"}
    with pytest.raises(KeyboardInterrupt):
        ns.cohort("isaacs", workers=1, **options)
    monkeypatch.setattr(cohort_, "count_people", count)
    resumed = ns.cohort("isaacs", workers=1, resume=True, **options)
    assert resumed.resumed and resumed.parameters == whole.parameters
    assert len(resumed.sources()) > 100


def test_every_number_that_a_result_names_could_have_changed_it(folder):
    result = ns.simulate("low_calcium", duration_s=10)
    caches = [person_run._draw_healthy_sites, person_run._examine_person]
    sites = (result.scenario.muscle, result.scenario.axon, 1, result.person)
    with track_reads() as reads:
        caches[0](*sites)
    assert reads <= result.parameters
    for group, name in reads:
        with override(group, name, load_group(group)[name].value * 1.01 + 1e-9):
            assert caches[0].missing([sites]), (group, name)


def unrecorded(function):
    """Return the parameters whose values are taken from their files, but not by `parameter`."""
    taken, keys = set(), {id(value): (group, value.name) for group, value in all_values()}
    usual = parameters.Value.__getattribute__

    def watch(self, attribute):
        if attribute == "value" and id(self) in keys:
            taken.add(keys[id(self)])
        return usual(self, attribute)

    cache.clear()
    with pytest.MonkeyPatch.context() as patch, track_reads() as reads:
        patch.setattr(parameters.Value, "__getattribute__", watch)
        function()
    # Limits of what is accepted are no numbers of a result.
    return {key for key in taken - set(reads) if ".survivable_" not in key[1]}


@pytest.mark.parametrize("name", ["low_calcium", "isaacs", "cramp", "pinched_nerve", "a_day"])
def test_no_run_reads_a_number_unrecorded(folder, name):
    assert unrecorded(lambda: ns.simulate(name, duration_s=60, muscle="calf")) == set()


def test_a_lie_would_be_noticed(folder):
    assert unrecorded(lambda: load_group("firing")["load_factor"].value) == {
        ("firing", "load_factor")
    }
    assert unrecorded(lambda: parameter("firing", "load_factor")) == set()


def test_nothing_that_functools_caches_reads_a_number(folder):
    # Every functools cache of the package is emptied; none reads a number while it is filled.
    for module in pkgutil.walk_packages(ns.__path__, "neurosim."):
        if not module.name.endswith(("__main__", "_ext")):
            try:
                importlib.import_module(module.name)
            except ImportError:
                continue
    fills = []
    for name, module in list(sys.modules.items()):
        if name.startswith("neurosim."):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_info") and value.__module__ == name:
                    fills.append(value)
    assert len(fills) > 10
    for value in fills:
        if value.__wrapped__.__code__.co_argcount == 0 and "class" not in value.__name__:
            value.cache_clear()
            with track_reads() as reads:
                value()
            assert not reads, value


AT_IMPORT = """
import importlib, json, pkgutil
from neurosim.base.parameters import track_reads
import neurosim
with track_reads() as reads:
    for module in pkgutil.walk_packages(neurosim.__path__, "neurosim."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ImportError:
                pass
print(json.dumps(sorted(".".join(key) for key in reads)))
"""


def test_modules_read_no_number_when_imported_but_what_a_body_is_entered_with():
    done = subprocess.run(
        [sys.executable, "-c", AT_IMPORT], capture_output=True, text=True, check=True
    )
    names = set(json.loads(done.stdout))
    # A healthy body, limits and units of what is entered; and a number of the pool that its
    # compiled loop reads again at every call.
    others = {n for n in names if not n.startswith("body.")}
    assert "body.stress_pic_gain_rise" not in names and others <= {"pool.driving_force_mv"}


def test_no_private_name_of_the_parameters_is_used_elsewhere():
    root = Path(ns.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                private = node.value.id == "parameters" and node.attr.startswith("_")
                assert not private, f"{path}: {node.attr}"
            if isinstance(node, ast.ImportFrom) and node.module == "neurosim.base.parameters":
                assert not any(a.name.startswith("_") for a in node.names), path


def test_the_words_count_what_was_read():
    result = ns.simulate("low_calcium", duration_s=10)
    grades = [load_group(group)[name].grade for group, name in result.parameters]
    words = f"This leans on {len(grades)} numbers, {grades.count('assumed')} of them assumed"
    assert words in str(result) and words in assumption_words(result.parameters)
