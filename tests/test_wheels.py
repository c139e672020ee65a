"""Wheels of platforms: what pip needs to know of them, and that they do not ask for Numba."""

import base64
import importlib.util
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "build_wheels.py"
spec = importlib.util.spec_from_file_location("build_wheels", SCRIPT)
build_wheels = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build_wheels)

METADATA = """Name: neurosim
Requires-Dist: numba>=0.60; platform_machine != 'wasm32'
Requires-Dist: numpy>=2.0
"""
WHEEL = """Wheel-Version: 1.0
Root-Is-Purelib: true
Tag: py3-none-any
"""


@pytest.fixture
def wheel(tmp_path):
    """Return the open wheel of a platform, made from a small one."""
    pure = tmp_path / "neurosim-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pure, "w") as file:
        file.writestr("neurosim/__init__.py", "")
        for name, text in (("METADATA", METADATA), ("WHEEL", WHEEL), ("RECORD", "old")):
            file.writestr(f"neurosim-1.0.dist-info/{name}", text)
    library = tmp_path / "abc-x86_64_v2-def.so"
    library.write_bytes(b"code")
    (tmp_path / "out").mkdir()
    path = build_wheels.platform_wheel(pure, [library], "some_1.some_2", tmp_path / "out")
    assert path.name == "neurosim-1.0-py3-none-some_1.some_2.whl"
    with zipfile.ZipFile(path) as file:
        yield file


def test_a_platforms_wheel_has_its_tags_and_does_not_ask_for_numba(wheel):
    told = wheel.read("neurosim-1.0.dist-info/WHEEL").decode()
    assert "Tag: py3-none-some_1\nTag: py3-none-some_2\n" in told
    assert "Root-Is-Purelib: false" in told and "none-any" not in told
    asked = wheel.read("neurosim-1.0.dist-info/METADATA").decode()
    assert "numba" not in asked and "Requires-Dist: numpy>=2.0\n" in asked


def test_a_wheels_record_has_every_file_with_its_digest(wheel):
    record = wheel.read("neurosim-1.0.dist-info/RECORD").decode().splitlines()
    rows = [line.split(",") for line in record]
    assert sorted(row[0] for row in rows) == sorted(wheel.namelist())
    assert "neurosim/_loops/abc-x86_64_v2-def.so" in wheel.namelist()
    for name, digest, size in rows[:-1]:
        content = wheel.read(name)
        encoded = base64.urlsafe_b64encode(sha256(content).digest()).decode().rstrip("=")
        assert digest == f"sha256={encoded}" and int(size) == len(content)
    assert rows[-1] == ["neurosim-1.0.dist-info/RECORD", "", ""]


def test_every_system_with_libraries_has_a_tag():
    listed = SCRIPT.with_name("build_loops.py").read_text("utf-8")
    for system in build_wheels.PLATFORMS:
        assert f'"{system}": ' in listed
