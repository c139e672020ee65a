"""`neurosim.article()`: the function whatever was imported before; what its result shows."""

import subprocess
import sys
from dataclasses import replace

import pytest

import neurosim as ns
from neurosim.article import trial
from neurosim.article.report import article_files

FUNCTION = "neurosim.article.trial.article"
IMPORTS = (
    "import neurosim.article",
    "import neurosim.article.claims",
    "from neurosim.article import claims, plot",
    "import neurosim.cli, importlib; importlib.import_module('neurosim.article.trial')",
)


@pytest.mark.parametrize("imported", IMPORTS)
@pytest.mark.parametrize("function_first", [True, False])
def test_the_function_is_not_hidden_by_the_folder_of_its_name(imported, function_first):
    lines = ["assert callable(ns.article)", imported]
    code = "\n".join(
        [
            "import neurosim as ns",
            *(lines if function_first else lines[::-1]),
            "from neurosim.article import claims, trial",
            "assert ns.article is trial.article and claims.CLAIMS",
            "from neurosim import article",
            "assert article is ns.article",
            "print(ns.article.__module__ + '.' + ns.article.__name__)",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (FUNCTION, "")


def test_the_function_and_the_command_ask_the_same(monkeypatch, small_article):
    def judge(base, *, cores, progress, stage):
        calls.append((base.people, base.seed, base.name, cores, progress, stage))
        return small_article

    calls = []
    monkeypatch.setattr(trial, "run_article", judge)
    assert ns.article() is small_article
    ns.article(people=5, seed=3, cores=2, progress=print, stage=print)
    assert calls == [(200, 1, "normal", 1, None, None), (5, 3, "normal", 2, print, print)]


NONSENSE = [
    ({"people": 1}, "people = 1 is too few"),
    ({"people": "a"}, "people must be a finite number, not 'a'"),
    ({"people": None}, "people must be"),
    ({"people": True}, "people must be"),
    ({"people": 2.5}, "people must be a whole number"),
    ({"people": 10**9}, "people = 1000000000 is outside"),
    ({"seed": -1}, "seed = -1 is outside"),
    ({"seed": "x"}, "seed must be"),
    ({"seed": float("nan")}, "seed must be"),
    ({"cores": "a"}, "cores must be a finite number, not 'a'"),
    ({"cores": 0}, "cores = 0 is outside"),
    ({"cores": 1.5}, "cores must be a whole number"),
    ({"cores": 10**9}, "cores = 1000000000 is outside"),
    ({"progress": 3}, "progress must be a function or None, not 3"),
    ({"stage": "x"}, "stage must be a function or None, not 'x'"),
    ({"peple": 3}, "did you mean 'people'"),
]


@pytest.mark.parametrize(("arguments", "sentence"), NONSENSE)
def test_nonsense_is_answered_in_one_sentence(arguments, sentence, monkeypatch):
    monkeypatch.setattr(trial, "run_article", lambda *args, **more: pytest.fail("it ran"))
    with pytest.raises(ns.NeurosimError, match=sentence) as error:
        ns.article(**arguments)
    assert "\n" not in str(error.value)


def test_the_result_shows_and_saves_itself(small_article, tmp_path):
    text = str(small_article)
    assert text.count("\n") > 60 and text.endswith("A teaching model, not medical advice.")
    assert len(repr(small_article)) < 110 and "46 claims put to 6 people" in repr(small_article)
    assert small_article.plot().alt_text == (
        article_files(small_article)["verdicts.txt"].decode().rstrip("\n")
    )
    html = small_article._repr_html_()
    assert html.startswith("<pre>") and "<img" in html
    paths = small_article.save(tmp_path / "report")
    assert {path.name: path.read_bytes() for path in paths} == article_files(small_article)
    assert len(paths) == 10
    table = small_article.to_dataframe()
    assert list(table["number"]) == list(range(1, 47)) and "rate_ratio_ohmic" in table
    read = replace(small_article, parameters=frozenset({("firing", "load_factor")}))
    assert [value.name for _, value in read.sources().entries] == ["load_factor"]
