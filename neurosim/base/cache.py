"""Functions whose return values are cached, in memory and on disk.

The key of a value is the arguments and the active overrides of the parameters that the function
reads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from functools import update_wrapper
from typing import NamedTuple

from neurosim.base import disk_cache
from neurosim.base.parameters import overrides


class Codec(NamedTuple):
    """How a value is turned into what `disk_cache.pack` takes, and back."""

    encode: Callable
    decode: Callable


IDENTITY = Codec(lambda value: value, lambda value: value)


class CachedFunction:
    """A function whose return values are cached by its arguments and the overrides of its groups.

    Not to be called from several threads at once.

    Attributes
    ----------
    function : callable
        The function behind the cache.
    groups : frozenset of str
        Parameter groups that it reads, or single parameters as ``"group.name"``.
    size : int
        Number of values held in memory; the least recently used goes first.
    codec : Codec or None
        How values are written to disk; None: they are held in memory only. What is on disk is
        found by the `repr` of the arguments, which must therefore tell them apart.
    values : OrderedDict
        Values in memory by their keys.
    """

    def __init__(
        self, function: Callable, groups: Collection[str], size: int, codec: Codec | None
    ) -> None:
        self.function, self.groups, self.size = function, frozenset(groups), size
        self.codec, self.values = codec, OrderedDict()
        update_wrapper(self, function)

    def cache_key(self, *args) -> tuple:
        """Return the cache key of these arguments."""
        active = {k: v for k, v in overrides().items() if {k[0], ".".join(k)} & self.groups}
        return (*sorted(active.items()), *args)

    def __call__(self, *args):
        """Return the value for these arguments, computed if it is in no cache."""
        key = self.cache_key(*args)
        if key not in self.values and self.missing([args]):
            value = self.function(*args)
            return self.values[key] if key in self.values else self.store(value, *args)
        self.values.move_to_end(key)
        return self.values[key]

    def missing(self, calls: Iterable[tuple]) -> list[tuple]:
        """Return those tuples of arguments whose values are in no cache.

        Values that are on disk are read into memory.
        """
        new = {key: args for args in calls if (key := self.cache_key(*args)) not in self.values}
        if self.codec is not None and new and disk_cache.cache_folder() is not None:
            on_disk = {self._disk_key(key): key for key in new}
            for name, value in disk_cache.get(list(on_disk)).items():
                self._store(on_disk[name], self.codec.decode(value))
                del new[on_disk[name]]
        return list(new.values())

    def store(self, value, *args):
        """Cache the value for these arguments, which was computed elsewhere, and return it."""
        self.store_all([value], [args])
        return value

    def store_all(self, values: Iterable, calls: Iterable[tuple]) -> None:
        """Cache values that were computed together, one for each tuple of arguments."""
        new = {self.cache_key(*args): value for value, args in zip(values, calls, strict=True)}
        for key, value in new.items():
            self._store(key, value)
        if self.codec is not None and disk_cache.cache_folder() is not None:
            disk_cache.put(
                {self._disk_key(key): self.codec.encode(value) for key, value in new.items()}
            )

    def _store(self, key: tuple, value) -> None:
        self.values[key] = value
        if len(self.values) > self.size:
            self.values.popitem(last=False)

    def _disk_key(self, key: tuple) -> bytes:
        return disk_cache.cache_key(self.function.__module__, self.function.__qualname__, key)


def cached(
    *groups: str, size: int = 256, codec: Codec | None = None
) -> Callable[[Callable], CachedFunction]:
    """Cache up to `size` values of a function by its arguments and the overrides of its groups.

    Parameters
    ----------
    *groups : str
        Parameter groups that the function reads; one of their parameters alone is written as
        ``"firing.noise_channels"``.
    size : int
        Number of values held in memory.
    codec : Codec, optional
        How values are written to disk (`neurosim.base.disk_cache`), for what takes milliseconds
        and more.

    Returns
    -------
    callable
        A decorator.
    """
    return lambda function: CachedFunction(function, groups, size, codec)
