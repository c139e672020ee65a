"""What pyproject.toml asks for: a lowest version of everything, the same in every extra."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))[
    "project"
]
EXTRAS = PROJECT["optional-dependencies"]
NEEDS = [*PROJECT["dependencies"], *(need for extra in EXTRAS.values() for need in extra)]
# Name and lowest version, or the only one; a ceiling stands beside a floor elsewhere.
FLOORS = [re.match(r"([\w-]+)(?:(?:>=|==)([\d.]+))?", need).groups() for need in NEEDS]
CEILINGS = {need for need in NEEDS if re.match(r"[\w-]+<", need)}


def whole(version):
    return tuple(int(part) for part in re.match(r"[\d.]*\d", version)[0].split("."))


@pytest.mark.parametrize("need", sorted({*NEEDS} - CEILINGS))
def test_every_dependency_has_a_floor(need):
    assert need.startswith("neurosim[") or re.match(r"[\w-]+(>=|==)\d", need)


def test_a_dependency_has_one_floor_wherever_it_is_asked_for():
    assert len({name for name, floor in FLOORS if floor}) == len({f for f in FLOORS if f[1]})


@pytest.mark.parametrize(("name", "floor"), [f for f in sorted({*FLOORS}, key=str) if f[1]])
def test_what_is_installed_is_not_below_its_floor(name, floor):
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        pytest.skip("not installed")
    assert whole(installed) >= whole(floor)


def test_changelog_and_citation_are_of_this_version_with_its_date():
    root = Path(__file__).parents[1]
    citation = (root / "CITATION.cff").read_text("utf-8")
    version = re.search(r"^version: (.+)$", citation, re.M)[1]
    day = re.search(r"^date-released: (.+)$", citation, re.M)[1]
    newest = re.search(r"^## .+$", (root / "CHANGELOG.md").read_text("utf-8"), re.M)[0]
    assert version == PROJECT["version"]
    assert newest == f"## {version} ({day})"


def test_hosted_runs_try_every_python_from_the_lowest_on():
    workflow = (Path(__file__).parents[1] / ".github/workflows/tests.yml").read_text("utf-8")
    pythons = re.findall(r'"(3\.\d+)"', re.search(r"python: \[(.+)\]", workflow)[1])
    lowest = PROJECT["requires-python"].removeprefix(">=")
    first = int(lowest.split(".")[1])
    assert pythons == [f"3.{first + k}" for k in range(len(pythons))]
    assert len(pythons) >= 4
