"""Every command and snippet of README runs as it stands."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


COMMANDS = [
    command
    for block in re.findall(r"<!-- commands -->\s*```sh\n(.+?)```", README, re.S)
    for command in block.strip().splitlines()
]
ENVIRONMENT = {**os.environ, "MPLBACKEND": "Agg", "PYTHONWARNINGS": "error"}


def test_there_are_exactly_two_commands_to_set_up():
    assert len(COMMANDS) > 12
    assert len(re.findall(r"<!-- command: \w+ -->", README)) == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, tmp_path):
    words = shlex.split(command)
    assert words[0] == "neurosim"
    done = subprocess.run(
        [sys.executable, "-m", "neurosim", *words[1:]],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_python_snippet(tmp_path):
    snippet = re.search(r"```python\n(.+?)```", README, re.S).group(1)
    done = subprocess.run(
        [sys.executable, "-c", snippet],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "chain.png").stat().st_size > 10_000
    assert "not medical advice" in done.stdout


def test_links_and_figures_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (Path(__file__).parents[1] / target).exists(), target
