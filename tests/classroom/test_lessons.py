"""Lessons: their format, the copies made of them, that all run, and what is on paper."""

import ast
import base64
import json
import os
import re
import signal
from html.parser import HTMLParser

import numpy as np
import pytest

import neurosim as ns
from neurosim.base import files as files_
from neurosim.base.errors import NeurosimError
from neurosim.classroom.lessons import build, execute, worksheet
from neurosim.classroom.lessons import source as source_
from neurosim.cli import main as cli
from neurosim.view.style import ADVICE

SOURCES = source_.lesson_sources()
NAMES = list(SOURCES)
ORDER = ("predict", "run", "compare", "explain")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Let kernels share what costs much, so that the second copy of a lesson runs quickly."""
    before = os.environ["NEUROSIM_CACHE"]
    os.environ["NEUROSIM_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ["NEUROSIM_CACHE"] = before


@pytest.fixture(scope="module")
def taught(cache):
    """Return a function that gives the teacher's copy of a lesson after its run, run once."""
    done = {}

    def of(name):
        if name not in done:
            # the first on a machine compiles the loops, which takes longer than any lesson
            done[name] = execute.execute_notebook(
                build.teacher_copy(lesson_named(name)), name, 300.0
            )
        return done[name]

    return of


def lesson_named(name):
    return source_.read_lesson(SOURCES[name])


def cells(name, tag):
    return [cell for cell in lesson_named(name).cells if tag in source_.cell_tags(cell)]


def source(tmp_path, body, name="01_test", **front):
    """Write a lesson's source and return its path."""
    about = {
        "title": "T",
        "level": "all",
        "minutes": "20 to 30",
        "aims": ["You will a"],
        "knobs": ["x", "y"],
        "goal": "g",
    } | front
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    head = json.dumps({"kernelspec": kernel, "neurosim": about}, indent=1)
    path = tmp_path / f"{name}.md"
    path.write_text(f"---\n{head}\n---\n\n{body}\n", "utf-8")
    return path


BODY = """# T

## 1. Predict

+++ {"tags": ["question"], "lines": 5}

**Predict.** Is *2* more than <1>?

```{code-cell}
:tags: [answer]

print(f"Yes: {1 + 1} & more")
```

+++ {"tags": ["teacher"]}

*Teacher.* Ask again.

+++ {"tags": ["question"], "lines": 0}

**Why?**

```{code-cell}
:tags: [answer]

print(f"Because of {1 + 2}.")
```

```{code-cell}
x = 2
```

```{code-cell}
:tags: [check]

assert x == 2
```
"""


# --- The format ------------------------------------------------------------------------


def test_there_are_lessons():
    assert len(NAMES) >= 4
    numbers = [int(name[:2]) for name in NAMES]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("name", NAMES)
def test_head(name):
    lesson = lesson_named(name)
    low, high = map(int, re.fullmatch(r"(\d\d) to (\d\d)", lesson.minutes).groups())
    assert 20 <= low < high <= 45
    assert 2 <= len(lesson.aims) <= 4 and all(a.startswith("You will ") for a in lesson.aims)
    assert 2 <= len(lesson.knobs) <= 3
    first = lesson.cells[0].source
    assert first.startswith(f"# {lesson.title}\n")
    for part in ("**For** ", f"**Time** {lesson.minutes} minutes", "**You will** ", ADVICE):
        assert part in first
    assert lesson.cells[-1].source.strip().endswith(ADVICE) or "check" in source_.cell_tags(
        lesson.cells[-1]
    )


@pytest.mark.parametrize("name", NAMES)
def test_order(name):
    texts = [c.source for c in lesson_named(name).cells if c.cell_type == "markdown"]
    heads = [h.lower() for text in texts for h in re.findall(r"^## (.*)$", text, re.MULTILINE)]
    at = [next(i for i, h in enumerate(heads) if word in h) for word in ORDER]
    assert at == sorted(at)
    kinds = [source_.cell_tags(c) for c in lesson_named(name).cells]
    first_knob = next(i for i, t in enumerate(kinds) if "knob" in t)
    assert "question" in set().union(*kinds[:first_knob]), "a pupil predicts before anything is run"
    last = max(i for i, t in enumerate(kinds) if "question" in t)
    assert last > max(i for i, t in enumerate(kinds) if "goal" in t)
    assert "**What this model leaves out" in lesson_named(name).cells[last].source


@pytest.mark.parametrize("name", NAMES)
def test_cells(name):
    assert cells(name, "knob") and cells(name, "goal") and cells(name, "figure")
    assert "check" in source_.cell_tags(lesson_named(name).cells[-1])
    known = lesson_named(name)
    for cell in known.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 12, cell.source
            assert not re.search(r"^\s*[%!]", cell.source, re.MULTILINE)
        assert not re.search(r"pip install|https?://|\bHz\b", cell.source), cell.source
    for cell in cells(name, "knob"):
        names = [n for n in ast.parse(cell.source).body if isinstance(n, ast.Assign)]
        assert 1 <= len(names) <= 4
        assert "#" in cell.source, "a knob says what it is"


@pytest.mark.parametrize("name", NAMES)
def test_model_code_is_imported(name):
    written = "\n".join(c.source for c in lesson_named(name).cells if c.cell_type == "code")
    assert re.search(r"^(import|from) neurosim\b", written, re.MULTILINE)
    for node in ast.walk(ast.parse(written)):
        assert not isinstance(node, ast.ClassDef)
        if isinstance(node, ast.Import | ast.ImportFrom):
            single = [getattr(node, "module", None)] if hasattr(node, "module") else []
            for module in single or [alias.name for alias in node.names]:
                top = module.split(".")[0]
                assert top in {"neurosim", "numpy", "ipywidgets", "IPython"}, module


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_computed(name):
    """Every answer prints something that holds a value."""
    assert len(cells(name, "answer")) >= 4 and cells(name, "teacher")
    for cell in cells(name, "answer"):
        printed = [
            n
            for n in ast.walk(ast.parse(cell.source))
            if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "print"
        ]
        held = [n for call in printed for arg in call.args for n in ast.walk(arg)]
        assert any(isinstance(n, ast.FormattedValue | ast.Name) for n in held), cell.source


# --- Copies ----------------------------------------------------------------------------


def test_the_table_of_lessons_is_what_the_sources_make():
    page, text = build.lessons_page()
    assert page.read_bytes() == text, "run 'python scripts/build_lessons.py'"


def test_no_copy_of_a_lesson_is_committed_beside_its_source():
    copies = {path.name for path in source_.source_folder().iterdir()}
    assert copies >= {f"{name}.md" for name in NAMES}
    assert build.student_notebooks().keys() == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_copies_hold_what_is_theirs(name):
    import nbformat

    pupil, teacher = build.student_copy(lesson_named(name)), build.teacher_copy(lesson_named(name))
    for book in (pupil, teacher):
        nbformat.validate(book)
        assert (book.nbformat, book.nbformat_minor) == (4, 5)
        ids = [cell.id for cell in book.cells]
        assert len(set(ids)) == len(ids)
        code = [cell for cell in book.cells if cell.cell_type == "code"]
        assert all(c.outputs == [] and c.execution_count is None for c in code)
    seen = set().union(*map(source_.cell_tags, pupil.cells))
    assert not seen & {"answer", "teacher", "check"} and seen >= {"question", "knob", "goal"}
    assert len(teacher.cells) == len(lesson_named(name).cells)
    questions = len(cells(name, "question"))
    assert sum(cell.source == build.MY_ANSWER for cell in pupil.cells) == questions
    assert set(pupil.metadata) == {"kernelspec", "language_info"}


def test_ids_follow_the_text_and_not_the_place(tmp_path):
    before = build.student_copy(source_.read_lesson(source(tmp_path, BODY)))
    after = build.student_copy(
        source_.read_lesson(source(tmp_path, BODY.replace("## 1.", "New\n\n+++\n\n## 1.")))
    )
    committed = {cell.id for cell in before.cells} & {cell.id for cell in after.cells}
    assert len(after.cells) == len(before.cells) + 1
    assert len(committed) >= len(before.cells) - 1


# --- They run --------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_teachers_copy_runs(name, taught):
    done = taught(name)
    for cell in done.cells:
        if cell.cell_type == "code":
            assert cell.execution_count is not None
            assert not any(out.get("name") == "stderr" for out in cell.outputs), cell.source
    for cell in done.cells:
        printed = "".join(out.get("text", "") for out in cell.get("outputs", ()))
        if "answer" in source_.cell_tags(cell):
            assert re.search(r"\d", printed), cell.source
            assert not re.search(r"\bnan\b|\binf\b", printed), printed
        if "goal" in source_.cell_tags(cell):
            assert printed.strip(), "a goal says whether it is reached"
        if "figure" in source_.cell_tags(cell):
            image = [
                out.data["image/png"] for out in cell.outputs if "image/png" in out.get("data", {})
            ]
            assert base64.b64decode(image[0]).startswith(b"\x89PNG")
        if "check" in source_.cell_tags(cell):
            assert cell.outputs == [], "a check is silent"


@pytest.mark.parametrize("name", NAMES)
def test_pupils_copy_runs(name, taught):
    """In order, from a fresh kernel, without the answers, offline, with warnings as errors."""
    taught(name)  # fills the shared cache
    book = execute.execute_notebook(build.student_copy(lesson_named(name)), name, 60.0)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


def notebook(*code):
    cells_ = [build._Cell("code", text, {}, f"c{i}") for i, text in enumerate(code)]
    return build._notebook(cells_)


@pytest.mark.parametrize(
    ("bad", "phrase"),
    [
        ("import warnings\nwarnings.warn('old')", "cell 2 ('import warnings'): UserWarning: old"),
        (
            "import socket\nsocket.create_connection(('192.0.2.1', 80), 1)",
            "may not use the network",
        ),
        ("import socket\nsocket.socket().connect(('192.0.2.1', 80))", "but asked for 192.0.2.1"),
        (
            "import urllib.request\nurllib.request.urlopen('http://example.org', timeout=1)",
            "may not use the network, but asked for example.org",
        ),
        ("assert 1 > 2", "AssertionError: assert 1 > 2"),
        ("assert 1 > 2, 'one is less'", "AssertionError: one is less."),
    ],
)
def test_a_lesson_that_fails_says_where(bad, phrase):
    with pytest.raises(NeurosimError) as caught:
        execute.execute_notebook(notebook("x = 1", bad), "07_bad", 60.0)
    message = str(caught.value)
    assert message.startswith("Lesson 07_bad, cell 2 (") and phrase in message
    assert "\n" not in message and "Traceback" not in message


def test_a_lesson_that_takes_too_long_is_ended():
    with pytest.raises(NeurosimError, match=r"07_slow, cell 1 .*took longer than 2 s\."):
        execute.execute_notebook(notebook("import time\ntime.sleep(60)"), "07_slow", 2.0)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_stops_a_lesson(small, capsys):
    """The user's Ctrl-C, sent by the lesson itself to the process that runs it."""
    path = source_.source_folder() / "01_test.md"
    stop = "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(30)"
    path.write_text(path.read_text("utf-8").replace("assert x == 2", stop), "utf-8")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal
    try:
        assert cli.main(["lessons", "--out", str(small)]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "Stopped; nothing was written.\n" and not small.exists()


# --- On paper --------------------------------------------------------------------------


class Page(HTMLParser):
    """Counts what a page holds and checks that its tags are closed."""

    VOID = {"meta", "input", "img", "br", "hr", "link"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.alts, self.links, self.texts = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        self.tags.append((tag, about))
        if tag == "img":
            self.alts.append(about.get("alt"))
        self.links += [about[key] for key in ("href", "src") if key in about]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def count(self, tag, **about):
        return sum(
            t == tag and all(a.get(k.rstrip("_")) == v for k, v in about.items())
            for t, a in self.tags
        )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", [False, True], ids=["worksheet", "key"])
def test_page(name, key, taught):
    text = worksheet.worksheet_html(lesson_named(name), taught(name), key)
    page, questions = Page(text), len(cells(name, "question"))
    assert page.count("html", lang="en") == page.count("h1") == page.count("main") == 1
    assert page.count("div", class_="question") == questions
    assert page.count("figure") >= len(cells(name, "figure"))
    assert page.alts and all(page.alts)
    assert all(link.startswith("data:") for link in page.links), "nothing is fetched"
    assert "@import" not in text and "url(" not in text and "<script" not in text
    assert ADVICE in "".join(page.texts)
    ruled = sum(c.metadata.get("lines", source_.ANSWER_LINES) for c in cells(name, "question"))
    assert page.count("i") == (0 if key else ruled)
    answers = len(cells(name, "answer"))
    assert page.count("div", class_="answer") == (answers if key else 0)
    assert page.count("aside", class_="teacher") == (len(cells(name, "teacher")) if key else 0)


def test_key_tells_what_the_model_gives(taught):
    """The threshold and the rates of lesson 01, computed here by other ways."""
    text = "".join(
        Page(worksheet.worksheet_html(lesson_named(NAMES[0]), taught(NAMES[0]), True)).texts
    )
    low = ns.Scenario(body=ns.Body(ionised_calcium_mmol_l=0.9), seed=1)
    run = {
        which: ns.simulate(questions, seed=1)
        for which, questions in (("low", low), ("well", "normal"))
    }
    # by counting onsets and by force of the currents themselves, not by the result's properties
    rate = {which: np.sum(r.twitches.onset_s >= 0) / 10.0 for which, r in run.items()}
    now, then = (run[which].excitability.threshold_1ms_pa for which in ("low", "well"))
    assert f"needs {100 * now / then:.0f} % of the healthy current" in text
    assert f"{rate['low']:.0f} per minute instead of {rate['well']:.0f}" in text
    sheet = "".join(Page(worksheet.worksheet_html(lesson_named(NAMES[0]), taught(NAMES[0]))).texts)
    assert f"{100 * now / then:.0f} %" not in sheet


def test_page_of_a_small_lesson(tmp_path):
    lesson = source_.read_lesson(source(tmp_path, BODY, title='A "title" <b>'))
    done = execute.execute_notebook(build.teacher_copy(lesson), lesson.name, 60.0)
    sheet = worksheet.worksheet_html(lesson, done)
    key = worksheet.worksheet_html(lesson, done, key=True)
    for text in (sheet, key):
        page = Page(text)
        assert "<em>2</em> more than &lt;1&gt;?" in text and "<b>" not in text
        assert [t for t in page.texts if t.startswith("Question")] == ["Question 1", "Question 2"]
    assert key.count("Teacher.") == 0 and key.count("For the teacher") == 1
    assert sheet.count("<i></i>") == 5
    assert "Yes: 2 &amp; more" in key and "Ask again." in key and "Because of 3." in key
    assert (
        "Yes" not in sheet
        and "Because" not in sheet
        and "Ask again" not in sheet
        and "assert" not in key
    )


def test_words_of_a_picture_come_from_beside_it():
    image = {"image/png": "AAAA", "text/plain": "<Figure>"}
    printed = {"output_type": "display_data", "metadata": {}, "data": image}
    assert f'alt="{worksheet._NO_WORDS}"' in worksheet._figure_html(printed)
    html = {"text/html": '<img src="x" alt="Two &lt; three">'}
    assert 'alt="Two &lt; three"' in worksheet._figure_html(printed | {"data": image | html})
    with_metadata = printed | {"metadata": {"image/png": {"alt": 'a "b"'}}}
    assert 'alt="a &#34;b&#34;"' in worksheet._figure_html(with_metadata)
    assert worksheet._figure_html({"data": {"text/plain": "1"}}) == ""


# --- The command -----------------------------------------------------------------------


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Let the package have one small lesson only."""
    at = tmp_path / "sources"
    at.mkdir()
    source(at, BODY)
    monkeypatch.setattr(source_, "source_folder", lambda: at)
    return tmp_path / "out"


def test_command_builds_everything(small, capsys):
    assert cli.main(["lessons", "--out", str(small)]) == 0
    files = sorted(str(p.relative_to(small).as_posix()) for p in small.rglob("*") if p.is_file())
    assert files == [
        "index.html",
        "keys/01_test.html",
        "student/01_test.ipynb",
        "teacher/01_test.ipynb",
        "worksheets/01_test.html",
    ]
    book = json.loads((small / "teacher/01_test.ipynb").read_text("utf-8"))
    outs = [out["text"] for cell in book["cells"] for out in cell.get("outputs", ())]
    assert outs == [["Yes: 2 & more\n"], ["Because of 3.\n"]]
    page = Page((small / "index.html").read_text("utf-8"))
    assert sorted(page.links) == files[1:]
    assert "Written: 5 files" in capsys.readouterr().out


def test_command_builds_a_part_without_running_anything(small, monkeypatch):
    monkeypatch.setattr(execute, "execute_notebook", None)
    assert cli.main(["lessons", "1", "--only", "student", "--out", str(small)]) == 0
    files = sorted(p.name for p in small.rglob("*") if p.is_file())
    assert files == ["01_test.ipynb", "index.html"]
    assert Page((small / "index.html").read_text("utf-8")).links == ["student/01_test.ipynb"]


def test_a_lesson_that_fails_leaves_nothing(small, capsys):
    path = source_.source_folder() / "01_test.md"
    path.write_text(path.read_text("utf-8").replace("assert x == 2", "assert x == 3"), "utf-8")
    assert cli.main(["lessons", "--out", str(small)]) == 2
    assert not small.exists()
    message = capsys.readouterr().err
    assert (
        message.startswith("Lesson 01_test, cell 8 ('assert x == 3')") and message.count("\n") == 1
    )


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        (["99"], "Unknown lesson '99'"),
        (["one_twich"], "Unknown lesson 'one_twich'"),
        (["--only", "key"], "Unknown part for only 'key'"),
    ],
)
def test_command_refuses(phrase, message, capsys):
    assert cli.main(["lessons", *phrase]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"minutes": ""}, "lacks 'minutes'"),
        ({"aims": "You will"}, "lacks 'aims'"),
    ],
)
def test_a_source_that_lacks_something(tmp_path, change, phrase):
    with pytest.raises(NeurosimError, match=phrase):
        source_.read_lesson(source(tmp_path, BODY, **change))


def test_an_unknown_tag(tmp_path):
    with pytest.raises(NeurosimError, match="Unknown tag 'answr'.*answer"):
        source_.read_lesson(source(tmp_path, BODY.replace("[answer]", "[answr]")))


def test_what_is_not_installed_is_told():
    with pytest.raises(NeurosimError, match="needs no_such_thing, which is not installed: pip"):
        source_.require_packages("nbformat", "no_such_thing")


def test_files_in_folders_are_all_or_none(tmp_path):
    with pytest.raises(NeurosimError):
        files_.write_files(tmp_path, {"new/a.txt": b"1", "no/such/b.txt": b"2"})
    assert list(tmp_path.iterdir()) == []
    files_.write_files(tmp_path, {"new/a.txt": b"1", "b.txt": b"2"})
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.txt", "b.txt", "new"]
