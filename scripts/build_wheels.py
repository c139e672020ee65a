"""Build a wheel for every system that carries the loops as machine code and does not ask for Numba.

    python scripts/build_wheels.py FOLDER [SYSTEM ...]

Each is the wheel of the source tree with libraries of `build_loops` in it, its own tag, and without
the line that asks for Numba. The libraries ask nothing of the system, not even a C library, so one
wheel serves every Python and, on Linux, glibc and musl. Needs what ``build_loops.py`` needs.
"""

from __future__ import annotations

import argparse
import base64
import subprocess
import sys
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path

from neurosim.base.ahead import FOLDER
from neurosim.base.loops import SOURCES

PACKAGE = FOLDER.parent.name
ROOT = Path(__file__).parents[1]
PLATFORMS = {
    "linux_x86_64": "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
    "linux_arm64": "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    "macos_x86_64": "macosx_11_0_x86_64",
    "macos_arm64": "macosx_11_0_arm64",
    "windows_x86_64": "win_amd64",
    "windows_arm64": "win_arm64",
}


def pure_wheel(folder: Path) -> Path:
    """Build the wheel of the source tree and return its path."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True)
    path = next(folder.glob("neurosim-*-py3-none-any.whl"))
    with zipfile.ZipFile(path) as wheel:
        for name in SOURCES:
            if wheel.read(f"{PACKAGE}/{name}") != (FOLDER.parent / name).read_bytes():
                raise SystemExit(f"The installed neurosim is not that of this tree: see {name}.")
    return path


def without_numba(metadata: str) -> str:
    """Return a wheel's METADATA without the line that asks for Numba."""
    lines = metadata.split("\n")
    rest = [line for line in lines if not line.startswith("Requires-Dist: numba")]
    assert len(rest) == len(lines) - 1
    return "\n".join(rest)


def with_platform(wheel: str, platform: str) -> str:
    """Return a wheel's WHEEL file with the tags of a platform."""
    tags = "\n".join(f"Tag: py3-none-{tag}" for tag in platform.split("."))
    wheel = wheel.replace("Root-Is-Purelib: true", "Root-Is-Purelib: false")
    assert "Tag: py3-none-any" in wheel
    return wheel.replace("Tag: py3-none-any", tags)


def platform_wheel(pure: Path, libraries: list[Path], platform: str, folder: Path) -> Path:
    """Write the wheel of one platform into a folder and return its path."""
    path = folder / pure.name.replace("-any.whl", f"-{platform}.whl")
    with zipfile.ZipFile(pure) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        entries = {info: old.read(info) for info in old.infolist()}
        date = min(info.date_time for info in entries)
        for library in libraries:
            inside = zipfile.ZipInfo(f"{PACKAGE}/{FOLDER.name}/{library.name}", date)
            entries[inside] = library.read_bytes()
        record = []
        for info, content in entries.items():
            name = info.filename
            if name.endswith(".dist-info/RECORD"):
                listing = info
                continue
            if name.endswith(".dist-info/METADATA"):
                content = without_numba(content.decode()).encode()
            elif name.endswith(".dist-info/WHEEL"):
                content = with_platform(content.decode(), platform).encode()
            digest = base64.urlsafe_b64encode(sha256(content).digest()).decode().rstrip("=")
            record.append(f"{name},sha256={digest},{len(content)}")
            info.external_attr = info.external_attr or 0o644 << 16
            new.writestr(info, content, zipfile.ZIP_DEFLATED)
        new.writestr(listing, "\n".join([*record, f"{listing.filename},,", ""]))
    return path


def main() -> None:
    """Build what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the wheels are written")
    parser.add_argument("systems", nargs="*", help=f"of {', '.join(PLATFORMS)}; default: all")
    words = parser.parse_args()
    from build_loops import SYSTEMS, build  # which decides how Numba compiles

    systems = words.systems or [*PLATFORMS]
    for name in systems:
        if name not in PLATFORMS:
            parser.error(f"unknown system {name!r}: choose from {', '.join(PLATFORMS)}")
    words.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pure, libraries = pure_wheel(Path(folder)), build(Path(folder), systems)
        for system in systems:
            inside = [path for path in libraries if path.parent.name == system]
            assert len(inside) == len(SYSTEMS[system])
            path = platform_wheel(pure, inside, PLATFORMS[system], words.folder)
            print(f"{path} {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
