"""Where a result finds what shows it: the package registers views, so that imports point one way."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

_VIEWS: dict[tuple[str, str], str] = {}  # "module:function" by name of a class and kind of view


def register(owner: str, **views: str) -> None:
    """Say where the views of a class stand, as ``"module:function"``; imported when first used."""
    _VIEWS.update({(owner, kind): where for kind, where in views.items()})


def view(owner: str, kind: str) -> Callable:
    """Return a view of the objects of a class, imported now."""
    module, function = _VIEWS[owner, kind].split(":")
    return getattr(import_module(module), function)
