"""The compiled noise loop: compiled once, and never from stale machine code."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neurosim
from neurosim.model.axon import kernel
from neurosim.model.axon.axon import Conditions, at_rest

pytest.importorskip("numba")
PACKAGE = Path(neurosim.__file__).parent


def run(n, steps=4000, seed=3):
    scales = 3.4 + 0.01 * np.arange(n)
    batch = at_rest([Conditions(persistent_sodium_scale=v) for v in scales]).with_noise(2500.0)
    S = batch.rest.copy()
    times, peaks, counts = kernel.noisy_spikes(
        S, batch.P, np.zeros(n), steps, 0.02, seed, capacity=32
    )
    return S, times, peaks, counts


def test_any_number_of_axons_takes_one_compilation():
    from neurosim.model.axon import compiled

    for n in (1, 16, 17, 40):
        run(n, steps=10)
    assert len(compiled.noisy_spikes.signatures) == 1


def test_a_block_does_not_depend_on_the_blocks_beside_it():
    few, many = run(17), run(40)
    assert np.array_equal(few[0], many[0][:, :17])
    assert np.array_equal(few[3], many[3][:17])


def test_the_noise_loop_agrees_with_the_plain_one(monkeypatch):
    fast = run(20)
    monkeypatch.setenv("NEUROSIM_BACKEND", "numpy")
    plain = run(20)
    assert fast[3].sum() > 0 and np.array_equal(fast[3], plain[3])
    assert fast[0] == pytest.approx(plain[0], abs=1e-6)
    for i, c in enumerate(plain[3]):
        assert fast[1][i, :c] == pytest.approx(plain[1][i, :c])
        assert fast[2][i, :c] == pytest.approx(plain[2][i, :c], abs=1e-5)


def test_machine_code_is_kept_under_the_digest_of_its_lines():
    from neurosim.model.axon import compiled

    assert re.fullmatch("[0-9a-f]{12}", compiled.DIGEST)
    run(1, steps=2)
    stored = list(Path(compiled.noisy_spikes.stats.cache_path).glob("compiled.noisy_*.nbi"))
    assert any(compiled.DIGEST in path.name for path in stored)


def test_without_a_folder_for_machine_code_it_is_compiled_anyway(monkeypatch):
    from neurosim.model.axon import compiled

    cache_flags = []

    def njit(cache=False, **options):
        cache_flags.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(compiled, "njit", njit)
    assert compiled.compile_loop(lambda: 7)() == 7
    assert cache_flags == [True, False]


SCRIPT = """
import numpy as np
from neurosim.model.axon import axon, kernel
one = axon.at_rest(axon.Conditions())
S = one.rest.copy()
kernel.advance(S, one.P, np.full(1, 100.0), 20, 0.01)
print(repr(float(S[0, 0])))
"""
SAMPLER = """
from neurosim.model.firing.compiled import sample
assert not sample.stats.cache_path
"""


def in_copy(folder, script=SCRIPT, **environment):
    """Return the number that `script` prints with the copy of the package in `folder`."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "NEUROSIM_"))}
    env |= {"PYTHONPATH": str(folder), **environment}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout or 0)


@pytest.mark.slow
def test_changed_equations_are_never_run_from_old_machine_code(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "neurosim", ignore=shutil.ignore_patterns("__pycache__"))
    before = in_copy(tmp_path)
    file = tmp_path / "neurosim" / "model" / "axon" / "equations.py"
    text, stat = file.read_text("utf-8"), file.stat()
    changed = text.replace("return e + scale * (a22 * r1", "return e + 1.001 * scale * (a22 * r1")
    assert changed != text
    file.write_text(changed, "utf-8")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = in_copy(tmp_path)
    assert after != before
    assert after == pytest.approx(in_copy(tmp_path, NEUROSIM_BACKEND="numpy"), abs=1e-9)


@pytest.mark.slow
def test_the_package_runs_where_nothing_can_be_kept(tmp_path):
    # No place for machine code at all: Numba then refuses to cache.
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}
    in_copy(PACKAGE.parent, SAMPLER, **nowhere)
    assert in_copy(PACKAGE.parent, **nowhere) == pytest.approx(in_copy(PACKAGE.parent), abs=1e-12)
