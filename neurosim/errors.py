"""The one exception of the package, and the sentences it speaks.

A mistake of the user becomes one sentence that names the field, the value, what
is allowed and, for a misspelt name, the nearest valid one.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable


class NeurosimError(ValueError):
    """A mistake the user can mend; its text is one sentence, fit to be read aloud."""


def plain(number: float) -> str:
    """Return a number as a sentence has it: a whole one with all its digits, no exponent.

    Examples
    --------
    >>> plain(31557600.0), plain(2**53), plain(0.25), plain(1e300)
    ('31557600', '9007199254740992', '0.25', '1e+300')
    """
    whole = abs(number) < 1e16 and number == int(number)
    return str(int(number)) if whole else f"{number:g}"


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
    near = [nearest] if nearest else difflib.get_close_matches(str(name).lower(), names, 1, 0.5)
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
        raise NeurosimError(f"{field} must be a finite number, not {value!r}.")
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
            f"{field} = {plain(number)}{u} is outside the {meaning} range {plain(low)} to "
            f"{plain(high)}{u}."
        )
    return number
