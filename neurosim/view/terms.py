"""The field's terms, each with the plain word that stands beside its first use in a text."""

from __future__ import annotations

import re

# Of one and of several.
PLAIN_WORDS = {
    "ectopic site": ("a place that fires by itself", "places that fire by themselves"),
    "hyperexcitable axon terminal": (
        "a nerve ending that fires by itself",
        "nerve endings that fire by themselves",
    ),
    "doublet": ("two discharges together", "two discharges together"),
    "fasciculation": ("a twitch you can see", "twitches you can see"),
    "neuromyotonic burst": ("a rattle of discharges", "rattles of discharges"),
}


def explain_terms(text: str) -> str:
    """Return a text with the plain word beside the first use of each term.

    Examples
    --------
    >>> explain_terms("Today 2 fasciculations, yesterday 1 fasciculation.")
    'Today 2 fasciculations (twitches you can see), yesterday 1 fasciculation.'
    """
    for term, (one, several) in PLAIN_WORDS.items():
        first = re.search(rf"\b{term}(s?)\b", text)
        if first:
            plain = several if first[1] else one
            text = f"{text[: first.end()]} ({plain}){text[first.end() :]}"
    return text
