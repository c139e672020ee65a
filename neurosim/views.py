"""Where a result finds its views: the package names them here, so that imports point one way."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

VIEWS: dict[str, str] = {}  # module and function of each, by name


def view(name: str) -> Callable:
    """Return a view of results, imported now."""
    module, function = VIEWS[name].split(":")
    return getattr(import_module(module), function)
