"""Every loop by every backend that is here: the same results; and which backend is chosen when."""

import os
import subprocess
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from neurosim.base import ahead, backends, jit, loops
from neurosim.base.errors import NeurosimError

COMPILED = [name for name in ("ahead", "numba") if backends._is_here(name)]


def some_axons(order="C"):
    from neurosim.model.axon.axon import Conditions, at_rest

    states = [Conditions(potassium_out_mmol_l=k) for k in np.linspace(3.0, 6.5, 18)]
    batch = at_rest(states).with_noise(1000.0)
    S, P = np.array(batch.rest, order=order), np.array(batch.P, order=order)
    S.flags.writeable = P.flags.writeable = False
    return S, P, batch.rest_mv


def search(n, first, most, near):
    return np.array([[first], [1.3], [0.0], [most], [near]]) * np.ones(n)


def find_threshold():
    from neurosim.model.axon import kernel

    S, P, rest = some_axons("F")
    lane = np.arange(18)[::-1]  # against the grain
    steps = np.broadcast_to(np.int64(20), 18)
    goal = search(18, 100.0, 9e3, 1.0)
    return kernel.find_threshold(S, P, lane, lane, np.zeros(18), steps, 100, rest, goal, 0.02)


def find_noise_threshold():
    from neurosim.model.axon import kernel

    S, P, rest = some_axons()
    course, lane = np.ones((20, 3, 18))[::-1], np.arange(18)
    goal = search(18, 0.3, 30.0, 0.1)
    return kernel.find_noise_threshold(S, P, lane, course, 100, rest, goal, 0.02)


def run_segments():
    from neurosim.model.axon import kernel

    S, P, _ = some_axons("F")
    S = S.copy("F")
    current = np.linspace(0.0, 900.0, 36).reshape(2, 18)
    return *kernel.run_segments(S, P, current, [50, 7], 0.01), S


def run_with_noise():
    from neurosim.model.axon import kernel

    S, P, _ = some_axons()
    S = S.copy()[:, ::-1]
    return kernel.run_with_noise(S, P, np.ones((30, 3, 18)), np.linspace(0, 1, 18), 0.02), S


def matched_noise():
    from neurosim.model.axon import kernel

    forward = np.eye(10) * np.linspace(0.9, 0.99, 18)[:, None, None] + 1e-3
    return kernel.matched_noise(forward, np.ones((18, 3)) * [0.1, 0.2, 0.3], 40)


def noisy_spikes():
    from neurosim.model.axon import kernel

    S, P, _ = some_axons()
    S = S.copy()
    spikes = kernel.noisy_spikes(S, P, np.full(18, 450.0), 600, 0.02, 5, 8)
    times, peaks, counts = spikes
    valid = np.arange(8) < counts[:, None]
    assert counts.sum() > 3
    return np.where(valid, times, 0.0), np.where(valid, peaks, 0.0), counts, S


def chain():
    from neurosim.model.axon import chain as ch

    units = [ch.ChainUnit(), ch.ChainUnit(channels=2500.0), ch.ChainUnit()]
    built = ch.build_chain([units] * 17, 80.0)
    push = np.zeros((3, 1))
    push[0] = 1500.0
    state, settings = built.start(), ch.RunSettings(seed=4, every=7)
    spikes, trace = ch.run_chain(
        built, 3.0, state=state, stimulus=ch.Stimulus(push, 1.0), settings=settings
    )
    assert spikes.counts.sum() > 17
    return state.S, state.slow, trace, spikes.counts


def pool():
    from neurosim.model.soma import pool as pl

    drive = pl.PoolInput(excitation=0.3, duration_s=2.0)
    run = pl.run_pool(pl.build_pool(12, person=3), drive, seed=6, trace=(0, 4))
    assert run.time_s.size > 20
    return run.time_s, run.unit, run.potential_mv, run.threshold_adaptation_mv, run.pic_mv


def rising_hazard():
    from neurosim.model.firing.discharge import HazardCourse, UnitHazard

    rate, origin = np.array([30.0, 9.0, 60.0]), np.zeros(3, int)
    grid = np.array([0.0, 5.0, 10.0])
    knots = [
        UnitHazard(
            load_mmol_l=grid,
            bursts_per_min=f * rate[:, None] * np.exp(-0.3 * grid),
            unit=np.array([0, 0, 1]),
            origin=origin,
            pair=np.full(3, 0.3),
            units=2,
            load_per_spike_mmol_l=0.1,
            load_tau_s=60.0,
            ceiling_per_min=5000.0,
        )
        for f in (1.0, 3.0)
    ]
    return HazardCourse(np.array([0.0, 300.0]), tuple(knots))


def sample():
    from neurosim.model.firing.discharge import stream_discharges

    stream = stream_discharges(rising_hazard(), 600.0, np.random.default_rng(2), 40)
    rows = [piece.copy() for piece in stream]
    assert len(rows) > 5  # goes on where it stopped
    return (np.concatenate(rows, axis=1),)


def count_bursts():
    from neurosim.simulation import counting

    rows = sample()[0]
    twitch = np.array([8.0, 30.0]), np.array([0.05, 0.08])
    knots = np.array([0.0, 300.0]), np.array([150.0]), np.ones(2), np.array([1.0, 1.5]), np.ones(2)
    last, by_bin, active = np.array([-1.0, 0.0, 0.0]), np.zeros((4, 6), int), np.zeros(2, bool)
    origins, sizes, intervals = np.zeros(3, int), np.zeros(9, int), np.zeros(50, int)
    count = backends.loop("count_bursts") or counting.count_bursts
    count(
        rows, twitch, 10.0, counting.force_law(), knots, np.arange(3), 100, last, by_bin,
        origins, sizes, intervals, active,
    )  # fmt: skip
    assert by_bin.min() > 0 and active.all()
    return last, by_bin, origins, sizes, intervals, active


CASES = {
    f.__name__: f
    for f in (
        find_threshold, find_noise_threshold, run_segments, run_with_noise, matched_noise,
        noisy_spikes, chain, pool, sample, count_bursts,
    )
}  # fmt: skip


def arrays(result):
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled here")
@pytest.mark.parametrize("name", loops.LOOPS)
def test_every_backend_gives_what_numpy_gives(name, monkeypatch):
    monkeypatch.setenv("NEUROSIM_BACKEND", "numpy")
    plain, results = arrays(CASES[name]()), {}
    for backend in COMPILED:
        monkeypatch.setenv("NEUROSIM_BACKEND", backend)
        calls, loop = [], backends._loop
        with monkeypatch.context() as patch:
            patch.setattr(
                backends,
                "_loop",
                lambda n, b, calls=calls, loop=loop: calls.append((n, b)) or loop(n, b),
            )
            results[backend] = arrays(CASES[name]())
        assert (name, backend) in calls
    for result in results.values():
        for one, other in zip(plain, result, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-7)
    if set(results) == {"ahead", "numba"}:
        for one, other in zip(*results.values(), strict=True):
            if ahead.open_library().target.endswith("v3"):
                assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.skipif("ahead" not in COMPILED, reason="no library is here")
@pytest.mark.parametrize("name", loops.LOOPS)
def test_the_library_for_older_processors_gives_the_same(name, monkeypatch):
    here = ahead.open_library()
    older = [*here.path.parent.glob(f"{loops.digest()}-x86_64_v2-*")]
    if not here.target.startswith("x86_64") or not older:
        pytest.skip("no older instructions")
    library = ahead.Library(older[0], "x86_64_v2")
    expected = arrays(CASES[name]())
    monkeypatch.setattr(backends, "_loop", lambda name, which: library.loop(name))
    for one, other in zip(expected, arrays(CASES[name]()), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-10)


@pytest.mark.skipif("numba" not in COMPILED, reason="without Numba")
@pytest.mark.parametrize("name", loops.LOOPS)
def test_a_loop_is_compiled_for_one_signature(name, monkeypatch):
    monkeypatch.setenv("NEUROSIM_BACKEND", "numba")
    CASES[name]()
    assert len(jit.dispatcher(name).signatures) == 1


def test_the_table_names_every_file_that_a_loop_is_made_of():
    import ast
    from pathlib import Path

    import neurosim

    root, seen = Path(neurosim.__file__).parent, set()
    todo = [f"neurosim.{loop.module}" for loop in loops.LOOPS.values()]
    while todo:
        module = todo.pop()
        path = root.joinpath(*module.split(".")[1:]).with_suffix(".py")
        if module in seen or not path.exists():
            continue
        seen.add(module)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("neurosim"):
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    files = {m.removeprefix("neurosim.").replace(".", "/") + ".py" for m in seen}
    # numbers are given to a loop as arguments, but those of `counting` and `pool` that are written
    # in files below: `parameters` and `force` are read where the loops are called
    passed = {f for f in files if f.startswith(("base/", "model/muscle/"))}
    assert files - passed <= {*loops.SOURCES} and len(files - passed) >= 10


def test_the_digest_changes_with_any_line_of_an_equation(monkeypatch):
    monkeypatch.setattr(loops, "code_hash", lambda *paths: "".join(paths))
    loops.digest.cache_clear()
    try:
        assert loops.digest() == "".join(loops.SOURCES)[:16]
    finally:
        monkeypatch.undo()
        loops.digest.cache_clear()
    assert "model/axon/equations.py" in loops.SOURCES and len(loops.digest()) == 16


@pytest.mark.parametrize(
    ("here", "setting", "chosen"),
    [
        (("ahead", "numba"), "", "ahead"),
        (("numba",), "", "numba"),
        ((), "", "numpy"),
        (("ahead", "numba"), "numba", "numba"),
        (("ahead", "numba"), "numpy", "numpy"),
    ],
)
def test_the_first_backend_that_is_here_is_chosen(here, setting, chosen, monkeypatch):
    monkeypatch.setattr(backends, "_is_here", lambda name: name == "numpy" or name in here)
    monkeypatch.setenv("NEUROSIM_BACKEND", setting)
    backends._choose.cache_clear()
    try:
        assert backends.backend() == chosen
    finally:
        backends._choose.cache_clear()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("nunba", "did you mean 'numba'"),
        ("numba", "Numba is not installed"),
        ("ahead", "no library"),
    ],
)
def test_a_backend_that_is_not_here_is_refused_in_one_sentence(setting, words, monkeypatch):
    monkeypatch.setattr(backends, "_is_here", lambda name: name == "numpy")
    monkeypatch.setenv("NEUROSIM_BACKEND", setting)
    backends._choose.cache_clear()
    with pytest.raises(NeurosimError, match=words):
        backends.backend()


def test_a_numba_that_cannot_be_imported_is_told_in_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(NeurosimError, match="Numba cannot be imported.*NEUROSIM_BACKEND=numpy"):
        jit.JitLoop("matched_noise")(np.zeros((1, 10, 10)), np.zeros((1, 3)), 4)


def test_a_result_names_its_backend():
    from neurosim.simulation.provenance import build_info, versions

    assert versions()["backend"] == build_info()["backend"] == backends.describe()


def test_a_wrong_array_is_refused_before_machine_code_sees_it():
    kind = loops.kinds("run_segments")[0][0]  # two dimensions of float, changed in place
    for wrong in (np.zeros(3), np.zeros((2, 2), int)):
        with pytest.raises(TypeError, match="is due"):
            loops.contiguous(kind, wrong, [])
    right = np.zeros((2, 2))
    assert loops.contiguous(kind, right, []) is right
    back = []
    copy = loops.contiguous(kind, right.T[::-1], back)
    assert copy.flags.c_contiguous and back[0][1] is copy


@pytest.mark.skipif(find_spec("numba") is None, reason="without Numba")
def test_the_second_process_tells_what_it_stored(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "neurosim.base.jit", "matched_noise"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "matched_noise\n" and not done.stderr
    assert [*tmp_path.rglob("*matched_noise_*.nbi")]


def test_a_second_process_that_dies_holds_nobody_up(monkeypatch):
    monkeypatch.setattr(jit, "sys", SimpleNamespace(executable="/bin/false"))
    process = jit.SecondProcess(("sample",))
    process.wait_for("sample")
    assert "sample" not in process.done and process.process.returncode
