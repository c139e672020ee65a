"""Where a result finds its views: the package registers them, so that imports point one way."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

_VIEWS: dict[str, str] = {}  # "module:function" of each, by name


def register(name: str, where: str) -> None:
    """Say where a view stands, as ``"module:function"``; it is imported when it is first used."""
    _VIEWS[name] = where


def get_view(name: str) -> Callable:
    """Return a view of results, imported now."""
    module, function = _VIEWS[name].split(":")
    return getattr(import_module(module), function)
