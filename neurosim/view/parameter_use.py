"""How many parameters something rests on, and how many of them nobody has measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.base.viewable import sources_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from neurosim.base.parameters import Key


def assumption_words(parameters: Collection[Key], what: str = "This leans") -> str:
    """Return how many parameters a result leans on, and how many of them are assumed.

    Parameters
    ----------
    parameters : collection of (str, str)
        Those of a result (`neurosim.base.viewable.Viewable.parameters`).
    what : str
        Subject and verb of the sentence.
    """
    used = sources_of(parameters)
    return (
        f"{what} on {len(used)} numbers, {used.grades['assumed']} of them assumed "
        "('neurosim sources' lists them)."
    )
