"""The report: one file, no network, accessible, honest."""

import math
import re
from html.parser import HTMLParser

from neurosim.show import plot, report
from neurosim.study.compare import Article, Verdict
from neurosim.study.run import replicate


def html():
    people = replicate(["normal"], 2, duration_s=10)
    nan = math.nan
    verdicts = (
        Verdict(
            "A <b>claim</b>",
            "a",
            "cause",
            "more",
            "supported",
            12,
            4,
            300,
            2,
            "a guess",
            "2",
            axon_ratios={"ohmic": 30.0, "alternative": 0.001},
        ),
        Verdict("Other", "b", "cause", "more", "outside this model", nan, nan, nan, note="later"),
    )
    article = Article(verdicts, people)
    return report.report_html(article, plot.plot_verdicts(verdicts))


def test_report_is_one_honest_accessible_file(tmp_path):
    text = html()
    HTMLParser().feed(text)
    assert "A teaching model, not medical advice." in text
    for alarm in ("persists", "spreads", "gets worse", "weakness", "thinner", "See a doctor"):
        assert alarm in text
    assert "tens of times as many" in text
    assert "4 to 300 times" in text
    assert "of them assumed" in text
    assert "(turns with alternative)" in text and "without slow inactivation" in text
    assert "A &lt;b&gt;claim&lt;/b&gt;" in text
    assert text.count('scope="col"') == len(report.COLUMNS)
    assert 'scope="row"' in text
    assert re.search(r'<img src="data:image/png;base64,[^"]+" alt="[^"]{40,}"', text)
    assert "http" not in text
    assert '<html lang="en">' in text and 'name="viewport"' in text


def test_outside_claims_are_listed_without_a_ratio():
    text = html()
    outside = text[text.index("Outside this model</h2>") :]
    assert "<li>Other (later)</li>" in outside
