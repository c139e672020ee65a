"""Where a result finds its views: the package registers them, so imports point one way."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neurosim.base.errors import NeurosimError

if TYPE_CHECKING:
    from collections.abc import Callable

_VIEWS: dict[tuple[str, str], str] = {}  # "module:function" by name of a class and kind of view


def register(owner: str, **views: str) -> None:
    """Register the views of a class, ``"module:function"`` each; imported when first used."""
    _VIEWS.update({(owner, kind): where for kind, where in views.items()})


def has_view(owner: str, kind: str) -> bool:
    """Return whether the objects of a class have such a view."""
    return (owner, kind) in _VIEWS


def view(owner: str, kind: str) -> Callable[..., Any]:
    """Import and return one view of the objects of a class.

    Raises
    ------
    NeurosimError
        If the class has no such view.
    """
    if not has_view(owner, kind):
        raise NeurosimError(f"A {owner} has no {kind}.")
    module, function = _VIEWS[owner, kind].split(":")
    return getattr(import_module(module), function)
