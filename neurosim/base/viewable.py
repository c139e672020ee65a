"""A result that shows itself: prints, plots, saves itself, becomes a table, names its sources.

Results know no figure and no sentence. What shows a class is registered by the package
(`neurosim.base.registry`) under the name of the class, as these kinds of view: `text` (the
lines that the command prints), `headline` (what it is, in one line of at most 90 characters),
`plot` (a `Picture`), `files` (content by file name: what the command writes) and `table` (columns
by name, or rows as dictionaries). What it rests on it holds itself, as `parameters`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError, unknown_name
from neurosim.base.files import prepare_folder, write_files
from neurosim.base.parameters import FILES, GRADES, Key, Value, all_values, references
from neurosim.base.registry import view

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


class Viewable:
    """What a public result can do beside holding its numbers; `plot` where it has a picture.

    A dataclass that inherits from it says ``repr=False``.

    Attributes
    ----------
    parameters : frozenset of (str, str)
        Group and name of every parameter that was read to compute it.
    """

    parameters: frozenset[Key]

    def _view(self, kind: str, **options: Any) -> Any:
        return view(type(self).__name__, kind)(self, **options)

    def __str__(self) -> str:
        return self._view("text")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._view('headline')}>"

    def _repr_html_(self) -> str:
        return view("Viewable", "html")(self)

    def plot(self, **options: Any) -> Any:
        """Return a `Picture`: a Matplotlib figure with its description as ``alt_text``."""
        return self._view("plot", **options)

    def save(self, folder: str | Path) -> list[Path]:
        """Write the files that the command of the same name writes, all or none of them.

        Parameters
        ----------
        folder : str or Path
            Made if it is absent; its parent must exist.

        Returns
        -------
        list of Path

        Raises
        ------
        NeurosimError
            If the folder cannot be made or written to.
        """
        return write_files(prepare_folder(folder), self._view("files"))

    def to_dataframe(self) -> Any:
        """Return the result's table as a ``pandas.DataFrame``, units in the names of its columns.

        Raises
        ------
        NeurosimError
            If pandas is not installed.
        """
        try:
            pandas = import_module("pandas")
        except ImportError:
            raise NeurosimError(
                "A DataFrame needs pandas: install it with 'python -m pip install pandas', "
                "or write the table as CSV with save()."
            ) from None
        return pandas.DataFrame(self._view("table"))

    def sources(self) -> Sources:
        """Return the parameters that were read to compute it, each with grade and citation."""
        return sources_of(self.parameters)


@dataclass(frozen=True, repr=False)
class Sources(Viewable):
    """Parameters of the model with unit, range, grade and source, and the citations behind them.

    Attributes
    ----------
    entries : tuple of (str, Value)
        Group and parameter.
    """

    entries: tuple[tuple[str, Value], ...]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def grades(self) -> dict[str, int]:
        """How many parameters have each grade."""
        counts = Counter(value.grade for _, value in self.entries)
        return {grade: counts[grade] for grade in GRADES}

    @property
    def citations(self) -> dict[str, str]:
        """Citation by source key, of the sources named here."""
        keys = {value.source for _, value in self.entries}
        return {key: text for key, text in references().items() if key in keys}

    def sources(self) -> Sources:
        """Return itself."""
        return self


def sources_of(names: Collection[tuple[str, str]]) -> Sources:
    """Return the parameters with these (group, name), in the order of the groups."""
    return Sources(tuple((g, v) for g, v in all_values() if (g, v.name) in names))


def _check_name(what: str, name: object, known: Collection[str]) -> None:
    if name is not None and (not isinstance(name, str) or name not in known):
        raise unknown_name(what, name, known)


@public
def sources(group: str | None = None, *, grade: str | None = None) -> Sources:
    """Return every parameter of the model with unit, range, grade and source.

    Parameters
    ----------
    group : str, optional
        Only those of one group, such as ``"body"`` or ``"firing"``.
    grade : str, optional
        Only ``"measured"``, ``"fitted"`` or ``"assumed"`` ones.

    Returns
    -------
    Sources

    Raises
    ------
    NeurosimError
        For a group or a grade that does not exist.

    Examples
    --------
    >>> sources("firing", grade="assumed").grades["measured"]
    0
    """
    _check_name("group", group, FILES)
    _check_name("grade", grade, GRADES)
    entries = ((g, v) for g, v in all_values() if group in (None, g) and grade in (None, v.grade))
    return Sources(tuple(entries))
