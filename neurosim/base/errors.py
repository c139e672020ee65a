"""The one exception of the package, and the sentences of its messages.

A mistake of the user becomes one sentence that names the field, the value, what
is allowed and, for a misspelt name, the nearest valid one.
"""

from __future__ import annotations

import difflib
import math
import reprlib
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_SHOWN = 60  # characters of what a user wrote, as a sentence repeats it
LONGEST_PATH = 300  # characters of a file's name that a sentence repeats


class NeurosimError(ValueError):
    """An error that the user can fix; its message is one plain sentence."""


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = LONGEST_SHOWN
_SHORT.maxlevel = 3


def short_repr(value: object) -> str:
    """Return the `repr` of what a user wrote for a message: on one line, long ones shortened.

    Examples
    --------
    >>> short_repr("07:3O"), short_repr([1, 2]), len(short_repr("x" * 10**6))
    ("'07:3O'", '[1, 2]', 60)
    """
    try:
        text = _SHORT.repr(value)
    except Exception:  # an int of too many digits for Python, or one whose repr fails
        text = f"a very large {type(value).__name__}"
    return text if len(text) <= LONGEST_SHOWN * 2 else text[: LONGEST_SHOWN * 2] + "..."


def clip_name(name: object) -> str:
    """Return a name that a user wrote for a message, without quotes; a long one is cut."""
    text = name if isinstance(name, str) else short_repr(name)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "..."


def _is_path(value: object) -> bool:
    return isinstance(value, (str, PathLike))


def file_bytes(path: str | PathLike[str], most_mb: float, what: str = "") -> bytes:
    """Return the content of a user's file, unless it is larger than such a file ever is.

    Parameters
    ----------
    path : str or path
    most_mb : float
        Largest size, MB.
    what : str
        What the file is, such as ``"the laboratory panel"``.

    Raises
    ------
    NeurosimError
        If it cannot be read, is no file, or is larger.
    """
    if not _is_path(path):
        raise NeurosimError(
            f"Cannot read {what or 'a file'}: it needs the path of one, not {short_repr(path)}."
        )
    place = str(path) if len(str(path)) <= LONGEST_PATH else f"{str(path)[:LONGEST_PATH]}..."
    name = f"{what} {place}".strip()
    most = int(most_mb * 1e6)
    try:
        with Path(path).open("rb") as file:  # not open(5), which reads an open file descriptor
            content = file.read(most + 1)
    except (OSError, TypeError, ValueError) as error:
        why = getattr(error, "strerror", None) or "that is not the name of a file"
        raise NeurosimError(f"Cannot read {name}: {why}.") from None
    if len(content) > most:
        raise NeurosimError(f"Cannot read {name}: it is larger than {most_mb:g} MB.")
    return content


def format_number(number: float) -> str:
    """Return a number for a message: a whole one with all its digits, no exponent below 1e16.

    Examples
    --------
    >>> format_number(31557600.0), format_number(2**53), format_number(0.25)
    ('31557600', '9007199254740992', '0.25')
    """
    is_whole = abs(number) < 1e16 and number == int(number)
    return str(int(number)) if is_whole else f"{number:g}"


def unknown_name(kind: str, name: object, valid: Iterable[str], nearest: str = "") -> NeurosimError:
    """Return the error for a name that is not one of `valid`, offering the nearest.

    Parameters
    ----------
    kind : str
        What the name is a name of, such as ``"scenario"``.
    name : object
        What the user wrote.
    valid : iterable of str
        The names that exist.
    nearest : str
        The name that was probably meant, where the caller knows better than the spelling.
    """
    names = sorted(valid)
    name = clip_name(name)
    near = [nearest] if nearest else difflib.get_close_matches(name.lower(), names, 1, 0.5)
    hint = f"did you mean '{near[0]}'?" if near else "choose from " + ", ".join(names) + "."
    return NeurosimError(f"Unknown {kind} '{name}': {hint}")


def finite_number(field: str, value: object) -> float:
    """Return `value` as a finite float.

    Raises
    ------
    NeurosimError
        If it is not a number, or is NaN or infinite.
    """
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise NeurosimError(f"{clip_name(field)} must be a finite number, not {short_repr(value)}.")
    return number


def number_within(
    field: str, value: object, low: float, high: float, unit: str = "", meaning: str = "allowed"
) -> float:
    """Return `value` as a float between `low` and `high` (both included).

    `meaning` says what the range means, for example ``"survivable"``.

    Raises
    ------
    NeurosimError
        If it is not a finite number or lies outside the range.
    """
    number = finite_number(field, value)
    if not low <= number <= high:
        u = f" {unit}" if unit else ""
        raise NeurosimError(
            f"{field} = {format_number(number)}{u} is outside the {meaning} range "
            f"{format_number(low)} to {format_number(high)}{u}."
        )
    return number
