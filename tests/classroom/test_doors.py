"""The Python twins of the classroom's commands: same files and words, nonsense in one sentence."""

import asyncio

import pytest

import neurosim as ns
from neurosim.classroom import lab as lab_room
from neurosim.classroom.lessons import execute
from neurosim.classroom.mystery import key as keys
from neurosim.cli.main import main


def contents(folder):
    """Return the files of a folder by name; those with the origin of numbers by name alone."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_lessons_writes_what_the_command_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(execute, "execute_notebook", None)
    paths = ns.lessons(1, "02", only="student", folder=tmp_path / "twin")
    assert main(["lessons", "1", "2", "--only", "student", "--out", str(tmp_path / "command")]) == 0
    assert f"Written: {len(paths)} files" in capsys.readouterr().out
    assert [p.name for p in paths][-1] == "index.html" and all(p.is_file() for p in paths)
    for path in paths:
        other = tmp_path / "command" / path.relative_to(tmp_path / "twin")
        assert path.read_bytes() == other.read_bytes()


def test_lessons_goes_to_its_usual_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ns.lessons("one twitch", only="student")
    assert (tmp_path / "neurosim-out/lessons/student/01_one_twitch.ipynb").is_file()


@pytest.mark.parametrize("seed", ["7", "7:8"])
def test_a_key_prints_and_saves_what_the_command_does(seed, tmp_path, capsys):
    counts = []
    key = ns.key(seed, progress=lambda done, total: counts.append((done, total)))
    assert counts == [(n, len(key)) for n in range(1, len(key) + 1)]
    assert main(["key", "--seed", seed, "--out", str(tmp_path / "command")]) == 0
    assert capsys.readouterr().out.startswith(f"{key}\nWritten into ")
    key.save(tmp_path / "twin")
    assert contents(tmp_path / "twin") == contents(tmp_path / "command")
    assert len(repr(key).splitlines()) == 1 and str(key).splitlines()[0] in key._repr_html_()
    assert len(key.sources()) > 100


def test_a_whole_number_is_a_seed_too():
    assert ns.key(7) == ns.key("7")


def test_a_game_shows_and_saves_itself(tmp_path):
    patient = ns.mystery(7)
    with pytest.raises(ns.NeurosimError, match="No test with a picture is ordered yet"):
        patient.plot()
    figure = patient.order("blood")
    assert patient.plot().alt_text == figure.alt_text
    patient.propose("anxiety", "calm")
    names = {path.name for path in patient.save(tmp_path)}
    assert names == {"mystery.csv", "mystery.json", "mystery.txt"}
    text = (tmp_path / "mystery.txt").read_text("utf-8")
    assert "ionised calcium: 1.11 mmol/L" in text and "Right: Anxiety" in text
    assert repr(patient).startswith("<Mystery: patient 7") and len(repr(patient)) < 100
    assert list(patient.to_dataframe()["finding"])[2] == "ionised_calcium_mmol_l"


def test_the_lab_is_the_command(tmp_path, monkeypatch):
    calls, said = [], []
    monkeypatch.setattr(lab_room, "missing_packages", lambda: "")
    monkeypatch.setattr(lab_room, "serve", lambda *values: calls.append(values))
    folder = ns.lab(1, browser=False, folder=tmp_path / "a", tell=said.append)
    assert main(["lab", "1", "--no-browser", "--out", str(tmp_path / "b")]) == 0
    assert folder == tmp_path / "a" and said == [f"Closed; your files are in {folder}."]
    (place, where, port, browser, _), (other, *_) = calls
    assert place == other and where == folder and port >= 1024 and browser is False


def test_no_lab_is_opened_inside_a_notebook(tmp_path, monkeypatch):
    monkeypatch.setattr(lab_room, "missing_packages", lambda: "")

    async def cell():
        ns.lab(folder=tmp_path / "lab")

    with pytest.raises(ns.NeurosimError, match="in a terminal"):
        asyncio.run(cell())
    assert not list(tmp_path.iterdir())


LABS = {"port": [True, "x", 80, 1e9], "folder": [5], "page": [5.5, "77", []], "tell": ["print"]}
NONSENSE = [
    *((ns.lessons, (value,), {}) for value in (True, 1.5, None, [], "99", "", 10**400)),
    *((ns.lessons, (1,), {"only": value}) for value in ("key", 1, [])),
    *((ns.lessons, (1,), {name: "x"}) for name in ("progress", "stage")),
    (ns.lessons, (1,), {"only": "student", "folder": 5}),
    (ns.lessons, (1,), {"onli": "student"}),
    *((ns.key, (v,), {}) for v in (None, True, 1.5, -1, "a", "", "8:7", "1:500", [7], 2**60)),
    (ns.key, (7,), {"progress": "x"}),
    (ns.key, (), {}),
    *((ns.mystery, (value,), {}) for value in (True, 1.5, -1, "a", [7], float("nan"))),
    (ns.mystery, (), {"sed": 7}),
    *((ns.explore, (), {"person": value}) for value in (True, -1, "a", 1.5, None)),
    *((ns.explore, (), {"seed": value}) for value in (-1, "a", None)),
    *((ns.explore, (), {name: 5}) for name in ("muscle", "axon", "sliders", "canvas")),
    (ns.explore, ("calf",), {}),
    *((ns.lab, (), {name: value}) for name, values in LABS.items() for value in values),
]


@pytest.mark.parametrize(("function", "values", "options"), NONSENSE)
def test_nonsense_is_answered_in_one_sentence(function, values, options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lab_room, "missing_packages", lambda: "")
    monkeypatch.setattr(lab_room, "serve", None)
    with pytest.raises(ns.NeurosimError) as caught:
        function(*values, **options)
    text = str(caught.value)
    assert text and "\n" not in text and len(text) < 700
    assert not list(tmp_path.iterdir())


def test_a_class_has_a_bound():
    assert len(keys.patient_seeds("1:100")) == keys.MAX_PATIENTS
