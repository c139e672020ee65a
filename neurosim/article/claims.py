"""What the popular article claims, one record each, in our own words (`claims.toml`).

Nothing of the article is left out. A claim on a cause is put to the model as scenarios against
health, one on a remedy as that remedy on every cause, the others as a stated test; a claim that a
threshold model cannot judge has the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
# Joins a scenario and the muscle of a claim that is judged elsewhere, as a name of its rates.
IN_MUSCLE = "@"
KINDS = ("rate", "remedy", "test", "alarm", "outside")
GROUPS = {
    "nature": "What twitches (fasciculations) and spasms (cramps) are",
    "cause": "What makes muscles twitch",
    "rare cause": "Rarer causes",
    "relief": "What stops it",
    "worry": "When to worry",
}


@dataclass(frozen=True)
class Claim:
    """One claim of the article.

    Attributes
    ----------
    number : int
    claim : str
        The claim, paraphrased.
    group : str
        One of `GROUPS`.
    kind : str
        One of `KINDS`: how it is put to the model.
    scenarios : tuple of str
        Scenarios of a rate claim, the first the main one; the claim holds if any of them does it.
    muscle : str
        Where a rate claim is judged, if not where all others are.
    combination : tuple of str
        Scenarios that often come with the first; tried with it if it makes no difference alone.
    remedies : tuple of str
        Remedies of a remedy claim (`neurosim.article.matrix`).
    test, sign : str
        Test of `neurosim.article.claim_tests`, or sign of `neurosim.article.alarms`.
    question : str
        What the test or the sign asks, beginning with "whether".
    outside : str
        Why the model cannot judge it; empty if it can.
    physiology : str
        What physiology says, for and against.
    sources : tuple of str
        Keys of `references`.
    """

    number: int
    claim: str
    group: str = "cause"
    kind: str = "rate"
    scenarios: tuple[str, ...] = ()
    muscle: str = ""
    combination: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    test: str = ""
    sign: str = ""
    question: str = ""
    outside: str = ""
    physiology: str = ""
    sources: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """``"more"`` or ``"fewer"`` twitches, as the article says; empty for other claims."""
        return {"rate": "more", "remedy": "fewer"}.get(self.kind, "")

    def rates_name(self, scenario: str) -> str:
        """Return the name of the rates of a scenario in the muscle where the claim is judged."""
        return f"{scenario}{IN_MUSCLE}{self.muscle}" if self.muscle else scenario

    def own_rates(self, rates: Mapping[str, T]) -> dict[str, T]:
        """Return what stands under the names of scenarios in the muscle of the claim, by name."""
        if not self.muscle:
            return dict(rates)
        ending = f"{IN_MUSCLE}{self.muscle}"
        return {n.removesuffix(ending): v for n, v in rates.items() if n.endswith(ending)}

    @property
    def factor(self) -> str:
        """What stands behind the claim, be it a scenario, a remedy, a test or a sign."""
        return (*self.scenarios, *self.remedies, self.test, self.sign, "none")[0] or (
            self.test or self.sign or "none"
        )


def _read_claim(table: Mapping[str, Any]) -> Claim:
    fields: dict[str, Any] = {
        k: tuple(cast("list[str]", v)) if isinstance(v, list) else v for k, v in table.items()
    }
    return Claim(**fields)


@cache
def _claims_file() -> Mapping[str, Any]:
    return read_toml("article/claims.toml")


CLAIMS = tuple(_read_claim(table) for table in _claims_file()["claim"])


def claim(number: int) -> Claim:
    """Return a claim by its number.

    Raises
    ------
    NeurosimError
        If there is no such claim.
    """
    for each in CLAIMS:
        if each.number == number:
            return each
    raise NeurosimError(f"There is no claim {number}: the claims are numbered 1 to {len(CLAIMS)}.")


def claim_citations(claim: Claim) -> tuple[str, ...]:
    """Return the citations behind the physiology of a claim."""
    return tuple(_claims_file()["references"][key] for key in claim.sources)
