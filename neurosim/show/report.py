"""The article's report: one HTML file that opens from a USB stick, without a network."""

from __future__ import annotations

import math
from base64 import b64encode
from html import escape
from typing import Any

from neurosim.membrane.axon import AXON_WORDS
from neurosim.show import describe as words
from neurosim.show.style import ADVICE, muscle_words, png_bytes, time_words
from neurosim.study.compare import assumptions

ALARM = (
    "See a doctor if twitching persists for weeks, spreads to other muscles or gets worse, or "
    "if there is weakness, a muscle becomes thinner, or speech or swallowing changes."
)
STYLE = """
body{font:17px/1.5 system-ui,"Segoe UI",Arial,sans-serif;color:#1a1a1a;background:#fff;
margin:0 auto;padding:1rem;max-width:70rem}
h1{font-size:1.7rem;line-height:1.25}h2{font-size:1.3rem;margin-top:2rem}
.note{border-left:.4rem solid #0072b2;background:#eef4f8;padding:.6rem 1rem}
.alarm{border-left:.4rem solid #b34700;background:#fdf1e8;padding:.6rem 1rem}
img{max-width:100%;height:auto}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.93rem}
caption{text-align:left;font-weight:bold;padding:.3rem 0}
th,td{border-bottom:1px solid #b8b8b8;padding:.4rem .5rem;text-align:left;vertical-align:top}
thead th{border-bottom:2px solid #1a1a1a}
.outcome{font-weight:bold;white-space:nowrap}
@media(max-width:700px){thead{position:absolute;left:-9999px}
table,tbody,tr,th,td{display:block}tr{border-bottom:2px solid #1a1a1a;padding:.5rem 0}
td,th{border:0;padding:.15rem 0}td::before{content:attr(data-label) ": ";font-weight:bold}
.outcome{white-space:normal}}
@media print{body{font-size:11pt;max-width:none}tr,img{break-inside:avoid}a{color:#000}}
"""


def report_html(article: Any, figure: Any) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    article : Article
        From `neurosim.study.compare.article`.
    figure : matplotlib.figure.Figure
        From `neurosim.show.plot.plot_verdicts`.
    """
    judged = [v for v in article.verdicts if v.outcome != "outside this model"]
    outside = [v for v in article.verdicts if v.outcome == "outside this model"]
    first = article.people_result.scenarios[0]
    parts = [
        "<h1>What makes muscles twitch? An article's claims, put to a model</h1>",
        f'<p class="note"><strong>{ADVICE}</strong> Everything here is simulated.</p>',
        _summary(article, judged, outside),
        "<h2>The verdicts in one picture</h2>",
        _image(figure, article),
        "<h2>The verdicts one by one</h2>",
        _table(judged),
        "<h2>How it was judged</h2>",
        _rules(first),
        f"<p>The axon is one of {len(AXON_WORDS)} sets of parameters that fit the same nerves: "
        f"{escape(_axon_list())}. The table gives the result with each and says where that turns "
        "it: what turns is not known. 'As assumptions vary' is the least and greatest result while "
        f"each of those among {len(assumptions())} assumed or fitted numbers that can touch it is "
        "moved alone over its range. 'In "
        "another muscle' is the calf: there hardly anybody twitches in health, and the cell "
        "bodies count for more. 'Over the reference range' is the model's rate at the low and "
        "the high end of what is normal: sites are steep, nobody has measured such a ratio, and "
        "no more than its direction should be believed.</p>",
        "<h2>Outside this model</h2>",
        "<p>The model has nothing that could answer these claims, which says nothing about "
        "whether they are true.</p>",
        "<ul>" + "".join(f"<li>{escape(v.claim)}{_because(v)}</li>" for v in outside) + "</ul>",
        "<h2>When to see a doctor</h2>",
        f'<p class="alarm">{ALARM}</p>',
        "<h2>What this leans on</h2>",
        f"<p>{escape(words.leaning_words(first.axon, first.muscle))} {_made_with(first)}</p>",
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>What makes muscles twitch? A model's verdicts</title>\n<style>{STYLE}</style>\n"
        f"</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>"
    )


def _because(verdict: Any) -> str:
    return f" ({escape(verdict.note)})" if verdict.note else ""


def _summary(article: Any, judged: list, outside: list) -> str:
    """Return what was asked and found, in a few sentences."""
    groups = []
    for outcome in words.OUTCOMES:
        claims = [v.claim for v in judged if v.outcome == outcome]
        if claims:
            listed = "; ".join(escape(c[0].lower() + c[1:]) for c in claims)
            sign = words.outcome_symbol(outcome)
            groups.append(f"<li><strong>{sign} {escape(outcome)}</strong>: {listed}.</li>")
    s = article.people_result.scenarios[0]
    people = article.people_result.twitches.shape[1]
    return (
        f"<p>The article makes {len(article.verdicts)} claims. {len(judged)} of them were put to "
        f"{people} simulated people ({muscle_words(s.muscle)}, {time_words(s.duration_s)} each); "
        f"{len(outside)} are outside this model.</p><ul>{''.join(groups)}</ul>"
    )


def _image(figure: Any, article: Any) -> str:
    data = b64encode(png_bytes(figure)).decode("ascii")
    counted = words.describe_verdicts(article).splitlines()[0]
    alt = escape(
        f"One line for each claim: rate against health with its interval, and the outcome. "
        f"{counted} The table below says the same in words.",
        quote=True,
    )
    return f'<img src="data:image/png;base64,{data}" alt="{alt}">'


COLUMNS = (
    "Claim",
    "Outcome",
    "Twitches against health",
    "95 % interval",
    "As assumptions vary",
    "With other axons",
    "In another muscle",
    "Over the reference range",
    "People",
    "Leans most on",
    "Outcome turns at",
)


def _interval(low: float, high: float) -> str:
    if math.isnan(low):
        return "not examined"
    return f"{_times(low)} to {_times(high)} times"


def _axon_list() -> str:
    return "; ".join(f"'{name}' ({words})" for name, words in AXON_WORDS.items())


def _axons(verdict: Any) -> str:
    """Return the result with every other axon, and whether it survives the exchange."""
    if not verdict.axon_ratios:
        return "not examined"
    parts = (f"{name}: {words.band(ratio)}" for name, ratio in verdict.axon_ratios.items())
    turns = " and ".join(verdict.turns_with)
    return "; ".join(parts) + (f" (turns with {turns})" if turns else " (survives)")


def _band(ratio: float) -> str:
    return "not examined" if math.isnan(ratio) else words.band(ratio)


def _reference(verdict: Any) -> str:
    if math.isnan(verdict.reference_low):
        return "does not apply"
    return f"{_times(verdict.reference_low)} to {_times(verdict.reference_high)} times"


def _times(value: float) -> str:
    return "nearly 0" if value < 1e-3 else f"{value:.2g}" if value < 100 else f"{value:.0f}"


def _table(judged: list) -> str:
    """Return the table of the verdicts that the model could reach."""
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    rows = []
    for v in judged:
        cells = (
            f"{words.outcome_symbol(v.outcome)} {v.outcome}" + (f" ({v.note})" if v.note else ""),
            words.band(v.rate_ratio, v.ci_low, v.ci_high).split(" (")[0],
            _interval(v.ci_low, v.ci_high),
            _interval(v.span_low, v.span_high),
            _axons(v),
            _band(v.elsewhere_ratio),
            _reference(v),
            str(v.people),
            v.leans_on or "not examined",
            v.flips_at or "not examined",
        )
        body = "".join(
            f'<td data-label="{label}"{_class(label)}>{escape(cell)}</td>'
            for label, cell in zip(COLUMNS[1:], cells, strict=True)
        )
        rows.append(f'<tr><th scope="row">{escape(v.claim)}</th>{body}</tr>')
    return (
        '<div class="wide"><table><caption>Each claim, what the model finds, and how sure that '
        f"is</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _class(label: str) -> str:
    return ' class="outcome"' if label == "Outcome" else ""


def _rules(first: Any) -> str:
    """Return the rules, which were fixed before anything was run."""
    from neurosim.sources import number

    edge, sure = number("study", "smallest_ratio"), number("study", "confidence")
    outcomes = "".join(
        f"<li><strong>{sign} {escape(name)}</strong>: {escape(meaning)}.</li>"
        for name, (sign, meaning) in words.OUTCOMES.items()
    )
    return (
        "<p>The rules were fixed beforehand. Every simulated person is compared with the same "
        "person in health: same muscle, same places where twitches can start. The mean of their "
        f"rate ratios has a {100 * sure:.0f} % interval; a claim counts as decided only if the "
        f"whole interval lies beyond {edge:g} times, up or down. Sizes are given in bands of "
        "about ten, because nobody has measured them. Each verdict names the assumption that "
        "moves it most, and the value of that assumption at which the outcome would turn.</p>"
        f"<ul>{outcomes}</ul>"
    )


def _made_with(first: Any) -> str:
    from neurosim.study.run import versions

    v = versions()
    return escape(f"Made with neurosim {v['neurosim']}, seed {first.seed}, axon '{first.axon}'.")
