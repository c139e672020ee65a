"""The report: one file, no network, accessible, honest; every claim once, and it opens."""

import itertools
import re
from html.parser import HTMLParser

import pytest

from neurosim.article import phrases, report
from neurosim.article.claims import CLAIMS, GROUPS, claim_citations
from neurosim.model.body.remedies import remedy

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Reads a page: tags with what they hold, and whether they close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for element in self.open:
            element[2] += data

    def all(self, tag, **attrs):
        return [f for f in self.elements if f[0] == tag and attrs.items() <= f[1].items()]


@pytest.fixture(scope="module")
def html(small_article):
    return report.report_html(small_article)


@pytest.fixture(scope="module")
def page(html):
    page = Page(html)
    assert not page.open
    return page


def test_every_claim_is_a_row_that_opens(page, small_article):
    rows = page.all("details", **{"class": "claim"})
    assert len(rows) == len(CLAIMS) == 46
    for v in small_article.verdicts:
        (row,) = page.all("details", id=f"claim-{v.number}")
        for words in (v.claim, v.outcome, phrases.phrase(v, small_article)):
            assert words in row[2]
        record = CLAIMS[v.number - 1]
        assert record.physiology in row[2]
        assert all(c.rstrip(".") in row[2] for c in claim_citations(record))
    assert len(page.all("summary")) == 46 + 1


def test_a_cause_opens_to_body_membrane_and_rate(page):
    words = page.all("details", id="claim-24")[0][2]
    for part in (
        "Low blood calcium, mild",
        "calcium outside the axon \N{MINUS SIGN}0.4 mmol/L (assumed)",
        "The median person twitches",
        "channel noise of a site (4 <mV>)",
        "1.5 <mV>",
        "0.5 to 70 times",
        "9 numbers moved",
        "ohmic: tens of times as many twitches",
        "Over seeds",
    ):
        assert part in words, part


def test_a_remedy_opens_to_what_it_changes_by_cause(page):
    words = page.all("details", id="claim-37")[0][2]
    assert "calcium outside the axon \N{MINUS SIGN}0.08 mmol/L" in words
    assert "Without it \N{MINUS SIGN}0.4 mmol/L." in words
    assert "poor nutrition" in words and "caffeine" not in words  # where it has nothing to change


def test_assumed_sizes_are_told_and_are_assumed():
    from neurosim.base.parameters import load_group

    for kind, factor in (
        ("rate", "caffeine"),
        ("rate", "sleep_loss"),
        ("rate", "stress"),
        ("rate", "dehydration"),
        ("remedy", "stretching"),
        ("remedy", "healthy_diet"),
        ("remedy", "calm"),
        ("remedy", "plain_water"),
    ):
        names = phrases.assumed_sizes(kind, factor)
        assert names, factor
        for name in names:
            group, _, parameter = name.partition(".")
            assert load_group(group)[parameter].grade == "assumed"
    assert not phrases.assumed_sizes("rate", "low_calcium")  # a value of the blood is set


def test_report_needs_nothing_but_itself(html, page):
    text = re.sub(r"base64,[^\"]+", "", html)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link", text)
    assert not any("src" in f[1] and not f[1]["src"].startswith("data:") for f in page.elements)
    targets = {f[1]["id"] for f in page.elements if "id" in f[1]}
    links = [f[1]["href"] for f in page.all("a")]
    assert len(links) > 46 and all(h[0] == "#" and h[1:] in targets for h in links)


def test_pictures_tell_their_numbers_in_words(page, small_article):
    first, second = (f[1]["alt"] for f in page.all("img"))
    assert phrases.summary_sentences(small_article.verdicts)[0] in first
    assert all(v.claim in first for v in small_article.verdicts)
    assert all(remedy(n).label in second.lower() for n in small_article.matrix.remedies)


def test_tables_have_heads_and_headings_come_in_order(page):
    tables = page.all("table")
    assert len(page.all("caption")) == len(tables) >= 2 + 18
    (matrix,) = page.all("table", **{"class": "matrix"})
    assert "damaged nerve cells" in matrix[2] and "a gabapentinoid" in matrix[2]
    assert all(f[1].get("scope") in ("row", "col") for f in page.all("th"))
    levels = [int(f[0][1]) for f in page.elements if re.fullmatch("h[1-6]", f[0])]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert [f[2] for f in page.all("h3")] == list(GROUPS.values())


def test_report_is_honest_and_escapes(html, page):
    (header,) = page.all("header")
    assert "A teaching model, not medical advice." in header[2]
    for sign in ("persists", "spreads", "gets worse", "weakness", "thinner", "See a doctor"):
        assert sign in page.all("p", **{"class": "alarm"})[0][2]
    assert "found &lt;1 &amp; 2&gt;" in html and "found <1" not in html
    assert "site (4 &lt;mV&gt;)" in html and "<mV>" not in html
    assert "assumed magnitudes" in html and "clonus" in html
    assert "::details-content" in html and "@media print" in html
    assert page.all("html")[0][1]["lang"] == "en"


def test_the_table_fits_a_terminal_and_names_every_claim(small_article):
    text = phrases.verdict_table(small_article)
    assert max(map(len, text.splitlines())) <= 100
    numbers = [int(n) for n in re.findall(r"^ {0,2}(\d+)  [A-Z]", text, re.M)]
    assert sorted(numbers) == list(range(1, 47))
    assert all(title in text for title in GROUPS.values())
    counted = phrases.count_outcomes(small_article.verdicts)
    assert sum(counted.values()) == 46
    assert all(
        f"{n} {phrases.outcome_words(o)}" in " ".join(text.split()) for o, n in counted.items() if n
    )
    assert text.endswith("A teaching model, not medical advice.")


def test_turning_is_counted(small_article):
    lines = phrases.summary_sentences(small_article.verdicts)
    assert "For 1 of 1 examined" in lines[-1]
