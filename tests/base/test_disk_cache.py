"""The cache on disk: the same values with it, without it and with a broken one."""

import inspect
import os
import pickle
import re
import sqlite3
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import neurosim
from neurosim.base import backends, disk_cache
from neurosim.base.cache import IDENTITY, cached
from neurosim.base.disk_cache import Entry
from neurosim.base.parameters import override, parameter
from neurosim.model.axon.axon import Conditions, axon_parameters
from neurosim.model.firing import examined_sites
from neurosim.model.firing import hazard as hz
from neurosim.model.firing.sites import person_scores
from neurosim.model.muscle import junction
from neurosim.simulation import person_run

ROOT = Path(neurosim.__file__).parent
CACHED = (
    hz._table, hz.examined_sites, hz.evoked_mv, hz.pulse_pa, person_run._examine_person,
    person_run._draw_healthy_sites, junction.fibre_response, junction.end_plate_mv,
)  # fmt: skip
STATE = Conditions(calcium_out_mmol_l=0.9, potassium_out_mmol_l=4.9)


def put(values):
    disk_cache.put({key: Entry(value) for key, value in values.items()})


def get(keys):
    return {key: entry.value for key, entry in disk_cache.get(keys).items()}


def clear_memory():
    for function in CACHED:
        function.clear()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own in a new folder, which is returned; nothing is kept in memory."""
    monkeypatch.setenv("NEUROSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(disk_cache, "_disabled", set())
    clear_memory()
    yield tmp_path / "cache"
    disk_cache.close()
    clear_memory()


def everything(axon="ghk", scores=()):
    """Return all that is kept of one state, as arrays by name."""
    table = hz.hazard_table(STATE, axon, scores)
    values = {n: getattr(table, n) for n in ("bursts_per_min", "action", "pair", "rest_mv")}
    values |= {
        "x": table.threshold_ratio,
        "travels": np.array(hz.conduction_probability(STATE, axon, scores)),
    }
    test = person_run._examine_person(STATE, axon, scores)
    for f in fields(test):
        value = getattr(test, f.name)
        for name, one in value.items() if isinstance(value, dict) else [("", value)]:
            values[f"{f.name} {name!r}"] = np.array(one)
    fibre = junction.fibre_response(0.3)
    values |= {"quanta": fibre.quanta, "least": np.array(fibre.threshold_quanta)}
    return values | {f"spikes {i}": times for i, times in enumerate(fibre.spikes_ms)}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


def failing(*args, **options):
    raise AssertionError("what is on disk was computed again")


@pytest.mark.parametrize("scores", [(), person_scores(1, 3)], ids=["mean axon", "a person's"])
def test_the_same_to_the_last_bit_cold_warm_and_without(cache, monkeypatch, scores):
    cold = everything(scores=scores)
    clear_memory()
    with monkeypatch.context() as patch:
        for module, name in (
            (examined_sites, "escape_action"),
            (examined_sites, "threshold_pa"),
            (person_run, "examine"),
            (junction, "fibre_mv"),
        ):
            patch.setattr(module, name, failing)
        warm = everything(scores=scores)
    clear_memory()
    monkeypatch.setenv("NEUROSIM_CACHE", "0")
    assert same(cold, warm) and same(cold, everything(scores=scores))


def test_overrides_have_values_of_their_own(cache):
    def state_values():
        clear_memory()
        return hz.conduction_probability(STATE), hz.hazard_table(STATE).rest_mv[0]

    healthy = state_values()
    half = parameter("membrane", "pump_k_half")
    with override("membrane", "pump_k_half", 3.0 * half):
        other = state_values()
        assert state_values() == other != healthy
    assert state_values() == healthy


def test_a_key_tells_function_arguments_and_numbers(cache):
    ghk = axon_parameters("ghk")
    near = ghk.replace(PNa=np.nextafter(ghk["PNa"], np.inf))
    acid = Conditions(ph=np.nextafter(7.4, 7.0))
    parts = [("f", ghk), ("f", near), ("g", ghk), ("f", Conditions()), ("f", acid), ("f", "ghk"),
             ("f", "ghk", (0.1,))]  # fmt: skip
    assert len({disk_cache.cache_key(*p) for p in parts}) == len(parts)
    assert disk_cache.cache_key("f", axon_parameters("ghk")) == disk_cache.cache_key("f", ghk)


def test_other_code_knows_nothing_of_what_was_kept(cache, monkeypatch):
    calls = []

    @cached(codec=IDENTITY)
    def double(x):
        calls.append(x)
        return 2.0 * x

    def again():
        double.clear()
        return double(3.0)

    assert [again(), again(), len(calls)] == [6.0, 6.0, 1]
    monkeypatch.setattr(disk_cache, "code_signature", lambda: "another version")
    assert [again(), again(), len(calls)] == [6.0, 6.0, 2]


def test_the_signature_is_that_of_code_numbers_and_backend(monkeypatch):
    signatures = []
    with monkeypatch.context() as patch:
        for code, backend in (("a", "numba"), ("b", "numba"), ("b", "ahead v3"), ("b", "ahead v2")):
            patch.setattr(disk_cache, "code_hash", lambda *paths, code=code: (code, *paths))
            patch.setattr(backends, "describe", lambda backend=backend: backend)
            disk_cache._signature.cache_clear()
            signatures.append(disk_cache.code_signature())
    disk_cache._signature.cache_clear()
    assert len(set(signatures)) == 4


def test_the_signature_covers_whatever_is_cached_on_disk():
    covered = {ROOT / path for path in disk_cache.CODE}
    assert all(path.exists() for path in covered) and ROOT / "model" in covered
    for path in ROOT.rglob("*.py"):
        if re.search(r"@cached\(.*codec=", path.read_text("utf-8")):
            assert covered & {path, *path.parents}, path


VALUES = {
    "number": 0.1 + 0.2, "never": np.nan, "all": np.inf, "text": "nu", "none": None, "yes": True,
    "tuple": (1, (2.5, np.float64(1e-300)), np.arange(6).reshape(2, 3) > 2),
    "dict": {"a": np.array([np.nan, -0.0]), 40: np.zeros((0, 3))}, "empty": (),
}  # fmt: skip


def test_what_is_packed_comes_back_to_the_last_bit():
    values = disk_cache.unpack(disk_cache.pack(VALUES))
    assert repr(values) == repr(VALUES)
    values["dict"]["a"][0] = 1.0  # as writable as before


@pytest.mark.parametrize("value", [object(), [1.0], {1, 2}, np.array([object()]), b"x"])
def test_other_things_are_refused(value):
    with pytest.raises((TypeError, ValueError)):
        disk_cache.unpack(disk_cache.pack(value))


def test_broken_and_foreign_bytes_are_refused_and_never_run():
    whole = disk_cache.pack(VALUES)
    refused = 0
    for i in range(len(whole)):  # a byte may be one that nobody reads, such as a date
        try:
            values = disk_cache.unpack(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        except ValueError:
            refused += 1
        else:
            assert repr(values) == repr(VALUES)
    assert refused > 0.5 * len(whole)
    with pytest.raises(ValueError):
        disk_cache.unpack(pickle.dumps(VALUES["number"]))
    with pytest.raises(ValueError):
        disk_cache.unpack(b"")


@pytest.mark.parametrize("column", ["overridden", "reads", "checksum", "value"])
def test_no_column_of_an_entry_can_be_changed_unnoticed(cache, column):
    reads = frozenset({("firing", "load_factor"), ("firing", "noise_channels")})
    entry = Entry(np.arange(3.0), reads)
    with override("firing", "load_factor", 7.0):
        changed = entry._replace(overridden={("firing", "load_factor"): 7.0})
        disk_cache.put({b"a": changed, b"b": entry})
        assert disk_cache.get([b"a"])[b"a"].reads == reads and disk_cache.get([b"b"]) == {}
    assert disk_cache.get([b"a"]) == {} and b"b" in disk_cache.get([b"b"])
    disk_cache.close()
    with sqlite3.connect(cache / "values-2.sqlite") as to:
        other = '{"firing.load_factor": 8.0}' if column == "overridden" else b"garbage"
        to.execute(f"UPDATE kept SET {column} = ?", (other,))
    to.close()
    for value in (7.0, 8.0):
        with override("firing", "load_factor", value):
            assert disk_cache.get([b"a", b"b"]) == {}
    assert disk_cache.get([b"a", b"b"]) == {}


def test_a_broken_value_is_found_anew(cache):
    put({b"a": 1.0, b"b": 2.0})
    disk_cache.close()
    with sqlite3.connect(cache / "values-2.sqlite") as to:
        to.execute("UPDATE kept SET value = ? WHERE key = ?", (b"garbage", b"a"))
    to.close()
    assert get([b"a", b"b", b"c"]) == {b"b": 2.0}
    put({b"a": 3.0})
    assert get([b"a"]) == {b"a": 3.0}


@pytest.mark.parametrize("whole", [False, True], ids=["no database", "a broken database"])
def test_a_broken_file_is_set_aside(cache, whole):
    garbage = b"this is no database, whatever its name says" * 400
    put({b"before": 1.0})
    disk_cache.close()
    file = cache / "values-2.sqlite"
    file.write_bytes((file.read_bytes()[:100] if whole else b"") + garbage)
    assert get([b"before"]) == {}
    put({b"a": 1.0})
    assert get([b"a"]) == {b"a": 1.0}
    assert (cache / "values-2.broken").read_bytes().endswith(garbage)


@pytest.mark.parametrize("where", ["file/cache", "none\0such"])
def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, monkeypatch, where):
    (tmp_path / "file").write_text("a file, no folder")
    monkeypatch.setattr(disk_cache, "cache_folder", lambda: tmp_path / where)
    monkeypatch.setattr(disk_cache, "_disabled", set())
    clear_memory()
    assert 0.0 <= hz.conduction_probability(STATE) <= 1.0
    assert get([b"a"]) == {} and disk_cache._disabled


def test_without_sqlite_nothing_is_kept(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    put({b"a": 1.0})
    assert get([b"a"]) == {} and not cache.exists()


def test_the_file_stays_small_and_the_oldest_goes(cache, monkeypatch):
    monkeypatch.setattr(disk_cache, "MOST_BYTES", 400_000)
    for i in range(40):
        put({bytes([i, k]): np.full(1000, float(k)) for k in range(4)})
    assert not get([bytes([0, 0])]) and get([bytes([39, 3])])
    assert (cache / "values-2.sqlite").stat().st_size < 800_000


@pytest.mark.parametrize("setting", ["", "0"])
def test_the_cache_can_be_turned_off(monkeypatch, tmp_path, setting):
    monkeypatch.setenv("NEUROSIM_CACHE", setting)
    monkeypatch.chdir(tmp_path)
    put({b"a": 1.0})
    assert disk_cache.cache_folder() is None and get([b"a"]) == {} and not any(tmp_path.iterdir())


def test_the_folder_is_the_platforms_own(monkeypatch, tmp_path):
    monkeypatch.delenv("NEUROSIM_CACHE")
    monkeypatch.setattr(disk_cache.Path, "home", lambda: tmp_path)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    places = {"linux": ".cache/neurosim", "darwin": "Library/Caches/neurosim",
              "win32": "local/neurosim/Cache"}  # fmt: skip
    for platform, place in places.items():
        monkeypatch.setattr(disk_cache.sys, "platform", platform)
        assert disk_cache.cache_folder() == tmp_path / place


HELPERS = f"""
from neurosim.base import disk_cache
from neurosim.base.disk_cache import Entry
{inspect.getsource(put)}
{inspect.getsource(get)}
"""
MANY = f"""{HELPERS}
import sys
import numpy as np
me = int(sys.argv[1])
for i in range(60):
    put({{disk_cache.cache_key(k): np.full(200, float(k)) for k in range(i, i + 8)}})
    found = get([disk_cache.cache_key(k) for k in range(i + 8)])
    assert len(found) == i + 8, (len(found), i)
    assert all((found[disk_cache.cache_key(k)] == k).all() for k in range(i + 8))
assert not disk_cache._disabled
"""


def test_four_processes_fill_the_same_cache(cache):
    runs = [
        subprocess.Popen([sys.executable, "-c", MANY, str(i)], stderr=subprocess.PIPE, text=True)
        for i in range(4)
    ]
    errors = [one.communicate()[1] for one in runs]
    assert [one.returncode for one in runs] == [0] * 4, errors
    values = get([disk_cache.cache_key(k) for k in range(67)])
    assert sorted(v[0] for v in values.values()) == [float(k) for k in range(67)]


FORK = (
    HELPERS
    + """
import os
put({b"a": 1.0})
child = os.fork()
if not child:
    ok = get([b"a"]) == {b"a": 1.0} and len(disk_cache._inherited) == 1
    put({b"b": 2.0})
    os._exit(0 if ok else 1)
assert os.waitpid(child, 0)[1] == 0
put({b"c": 3.0})
assert get([b"a", b"b", b"c"]) == {b"a": 1.0, b"b": 2.0, b"c": 3.0}
"""
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_a_connection_of_its_own(cache):
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_pause_keeps_and_finds_nothing(cache):
    name = disk_cache.cache_key("a pause")
    with disk_cache.bypass_cache():
        put({name: 1.0})
        assert get([name]) == {}
    assert get([name]) == {}
    put({name: 1.0})
    assert get([name]) == {name: 1.0}
