"""The everyday claims in a prone eyelid, beside the foot: a hypothesis (docs/eyelid.md).

The factor of a cause on the episodes of a prone lid is judged by the rule of the foot; what it
says never changes the foot's verdict. Numbers with a range are moved one at a time, and where one
of them turns the outcome it is not told by this model. A size that was chosen because studies of
lids found the cause is tried at none, too: it cannot support what it was chosen by.
"""

from __future__ import annotations

from neurosim.article.verdict import NOT_TOLD, LidFinding
from neurosim.base.cache import cached
from neurosim.base.parameters import load_group, override, track_reads
from neurosim.simulation.lid import onset_factors
from neurosim.simulation.ratio import Ratio

GROUPS = ("facial", "body")  # whose numbers say how a cause acts on a lid
CHOSEN = "facial-risk"  # source of sizes that were chosen because studies found the cause


def _side(ratio: float) -> str:
    return Ratio(ratio, ratio, ratio, 1).change


@cached()
def judge_in_lid(name: str, expected: str = "more") -> LidFinding:
    """Return what a prone lid says of a cause of the catalogue.

    Parameters
    ----------
    name : str
        Scenario of the catalogue.
    expected : str
        ``"more"`` or ``"fewer"``.

    Examples
    --------
    >>> judge_in_lid("caffeine").outcome
    'not told by this model'
    """
    with track_reads() as reads:
        ratio = onset_factors([name])[name]
    moved = {
        f"{group}.{number}": _moved_ratios(name, group, number)
        for group, number in sorted(reads)
        if group in GROUPS and load_group(group)[number].low < load_group(group)[number].high
    }
    turned_by = tuple(n for n, rs in moved.items() if any(_side(r) != _side(ratio) for r in rs))
    acting = [n for n, rs in moved.items() if any(abs(r / ratio - 1.0) > 0.01 for r in rs)]
    chosen = tuple(n for n in acting if _source(n) == CHOSEN)
    ends = [ratio, *(r for rs in moved.values() for r in rs)]
    return LidFinding(
        NOT_TOLD if turned_by else _outcome(_side(ratio), expected),
        ratio,
        min(ends),
        max(ends),
        turned_by,
        chosen,
    )


def _moved_ratios(name: str, group: str, number: str) -> tuple[float, ...]:
    """Return the factor of a cause at both ends of the range of one number, and at a chosen's 0."""
    value = load_group(group)[number]
    ends = (value.low, value.high, *((0.0,) if value.source == CHOSEN else ()))
    ratios: list[float] = []
    for end in ends:
        with override(group, number, end):
            ratios.append(onset_factors([name])[name])
    return tuple(ratios)


def _source(full_name: str) -> str:
    group, _, number = full_name.partition(".")
    return load_group(group)[number].source


def _outcome(side: str, expected: str) -> str:
    if side == expected:
        return "supported"
    return "no difference at this size" if side == "same" else "opposed"
