"""The lab without a browser: what is copied and opened, and that it is for one machine alone."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from neurosim.base.errors import NeurosimError
from neurosim.classroom import lab
from neurosim.classroom.lessons import build, source
from neurosim.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


def test_lessons_and_pages_are_copied(tmp_path):
    folder, changed = lab.copy_lessons(tmp_path / "own" / "lab")
    assert changed == []
    copied = {path.name for path in folder.glob("*.ipynb")}
    assert copied == {f"{name}.ipynb" for name in (*lab.lesson_names(), *lab.LAB_PAGES)}
    for name in lab.lesson_names():
        lesson = source.read_lesson(source.source_folder() / f"{name}.md")
        cells = json.loads((folder / f"{name}.ipynb").read_text("utf-8"))["cells"]
        assert len(cells) == len(build.student_copy(lesson).cells)
    page = json.loads((folder / "explore.ipynb").read_text("utf-8"))
    assert "".join(page["cells"][0]["source"]).endswith("ns.explore()")


def test_what_a_pupil_changed_is_kept_and_the_rest_renewed(tmp_path, monkeypatch):
    old, new = (dict.fromkeys(("01_one", "02_two"), text) for text in (b"old", b"new"))
    monkeypatch.setattr(lab.build, "student_notebooks", lambda: old)
    folder, _ = lab.copy_lessons(tmp_path / "lab")
    (folder / "01_one.ipynb").write_text("my answers")
    monkeypatch.setattr(lab.build, "student_notebooks", lambda: new)
    for _ in range(2):
        assert lab.copy_lessons(folder) == (folder, ["01_one.ipynb"])
        assert (folder / "01_one.ipynb").read_text() == "my answers"
        assert (folder / "02_two.ipynb").read_text() == "new"
    (folder / lab.COPY_RECORD).write_text("[broken")  # then nothing is known to be unchanged
    (folder / "02_two.ipynb").write_text("mine, too")
    assert lab.copy_lessons(folder)[1] == ["01_one.ipynb", "02_two.ipynb"]
    assert (folder / "02_two.ipynb").read_text() == "mine, too"


@pytest.mark.parametrize("query", ["01", "1", "01_one_twitch", "one twitch", "01_one_twitch.ipynb"])
def test_a_lesson_is_found_by_number_or_name(query):
    assert lab.resolve_place(query) == lab.Place(
        "Lesson 01_one_twitch", "lab/tree/01_one_twitch.ipynb"
    )


def test_the_sliders_are_where_nothing_is_asked_for():
    assert lab.resolve_place(None) == lab.resolve_place("explore")
    assert lab.resolve_place(None).path == "voila/render/explore.ipynb"


def test_a_misspelt_lesson_is_answered_with_the_nearest():
    with pytest.raises(NeurosimError, match="Unknown lesson or page 'explor': did you mean"):
        lab.resolve_place("explor")
    with pytest.raises(NeurosimError, match="Unknown lesson or page '77'"):
        lab.resolve_place("77")


@pytest.mark.parametrize("port", ["80", "70000", "x", "8888.5"])
def test_a_port_that_cannot_be_is_refused(port, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lab, "missing_packages", lambda: "")
    assert main(["lab", "--port", port]) == 2
    message = capsys.readouterr().err
    assert "port" in message and message.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_taken_port_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(NeurosimError, match=f"port {port} is taken"):
            lab.check_port(port)
    assert lab.check_port(None) >= 1024


def test_the_server_is_for_this_machine_alone(tmp_path):
    options = dict(o.split("=", 1) for o in lab.server_options(tmp_path, 8888))
    assert options["--ServerApp.ip"] == "127.0.0.1"
    assert options["--ServerApp.allow_remote_access"] == "False"
    sources = re.findall(r"[a-z]+://\S+?(?=[;\s])", lab.POLICY)
    assert sources == ["ws://127.0.0.1:*"] and "default-src 'self'" in lab.POLICY


def test_without_jupyter_one_sentence_says_how_to_install_it(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lab, "find_spec", lambda name: None if name != "ipywidgets" else name)
    assert main(["lab"]) == 2
    message = capsys.readouterr().err
    assert message == (
        "'neurosim lab' needs jupyterlab and voila: pip install \"neurosim[lab]\" "
        '(from a checkout: pip install ".[lab]").\n'
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no Ctrl-C to one process alone")
def test_lab_is_served_and_stops_with_a_sentence(tmp_path):
    for name in lab.NEEDS:
        pytest.importorskip(name)
    from urllib.error import HTTPError
    from urllib.request import urlopen

    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    folders = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "RUNTIME")}
    env = {**os.environ, **folders, "PYTHONPATH": paths}
    process = subprocess.Popen(
        [sys.executable, "-m", "neurosim", "lab", "01", "--no-browser", "--out", "here"],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        first, second = process.stdout.readline(), process.stdout.readline()
        address = re.fullmatch(
            r"Lesson 01_one_twitch: (http://127\.0\.0\.1:(\d+)/lab/tree/01_one_twitch\.ipynb)"
            r"\?token=(\w{48})\n",
            first,
        )
        assert address and second.startswith("Your files are in here.")
        base = f"http://127.0.0.1:{address[2]}"
        with pytest.raises(HTTPError, match="403"), urlopen(f"{base}/api/contents", timeout=20):
            pass
        with urlopen(f"{base}/api/contents?token={address[3]}", timeout=20) as answer:
            names = {item["name"] for item in json.load(answer)["content"]}
            assert {"01_one_twitch.ipynb", "explore.ipynb"} <= names
            assert answer.headers["Content-Security-Policy"].startswith(lab.POLICY)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert out == "Closed; your files are in here.\n" and err == ""
    with socket.socket() as gone:
        assert gone.connect_ex(("127.0.0.1", int(address[2]))) != 0
