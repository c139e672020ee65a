"""Calls of public functions: a misspelt or missing argument is answered with one sentence."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import partial, wraps
from typing import Any, TypeVar, overload

from neurosim.base.errors import NeurosimError, unknown_name

Function = TypeVar("Function", bound=Callable[..., Any])
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
PLACED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@overload
def public(function: Function) -> Function: ...
@overload
def public(*, also: Collection[str]) -> Callable[[Function], Function]: ...
def public(function: Callable[..., Any] | None = None, *, also: Collection[str] = ()) -> Any:
    """Answer a call that does not fit the signature with a `NeurosimError`, not a ``TypeError``.

    Parameters
    ----------
    function : callable
    also : collection of str
        Names that a function with ``**changes`` takes beside its own arguments.

    Examples
    --------
    >>> @public
    ... def double(value, *, times=1): return 2 * value * times
    >>> double(3, tims=2)
    Traceback (most recent call last):
    neurosim.base.errors.NeurosimError: Unknown argument of double 'tims': did you mean 'times'?
    """
    if function is None:
        return partial(public, also=also)
    signature = inspect.signature(function)
    names = [p.name for p in signature.parameters.values() if p.kind in NAMED]

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        wrong = next((key for key in kwargs if key not in (*names, *also)), None)
        if also and wrong is not None:
            raise unknown_name(f"argument of {function.__name__}", wrong, (*names, *also))
        try:
            signature.bind(*args, **kwargs)
        except TypeError:
            raise _misfit(function.__name__, signature, args, kwargs) from None
        return function(*args, **kwargs)

    return call


def _misfit(
    name: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> NeurosimError:
    """Return the sentence about arguments that a signature does not take."""
    parameters = signature.parameters.values()
    names = [p.name for p in parameters if p.kind in NAMED]
    for key in kwargs:
        if key not in names:
            return unknown_name(f"argument of {name}", key, names)
    places = [p.name for p in parameters if p.kind in PLACED]
    if len(args) > len(places):
        takes = f"at most {len(places)}" if places else "none"
        return NeurosimError(
            f"{name} takes {takes} without a name, not {len(args)}; by name it takes "
            f"{', '.join(names)}."
        )
    for key in places[: len(args)]:
        if key in kwargs:
            return NeurosimError(f"{name} got '{key}' twice.")
    missing = [
        p.name
        for p in parameters
        if p.kind in NAMED and p.default is p.empty and p.name not in kwargs
    ]
    missing = [n for n in missing if n not in places[: len(args)]]
    return NeurosimError(f"{name} needs {' and '.join(missing)}.")
