"""Functions whose values are cached, in memory and on disk.

A value is cached by the arguments it was made of and by the overrides of the parameters it reads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from functools import update_wrapper
from typing import NamedTuple

from neurosim.base import disk_cache
from neurosim.base.parameters import _overrides


class Codec(NamedTuple):
    """How a value goes to disk: as what `store.pack` takes, and back."""

    encode: Callable
    decode: Callable


IDENTITY = Codec(lambda value: value, lambda value: value)


class CachedFunction:
    """A function whose values are kept, by its arguments and by what is exchanged in its rooms.

    With a `Form` they are kept on disk, too; the `repr` of its arguments must tell them wholly.
    """

    def __init__(
        self, function: Callable, rooms: Collection[str], size: int, form: Codec | None
    ) -> None:
        self.function, self.groups, self.size = function, frozenset(rooms), size
        self.codec, self.values = form, OrderedDict()
        update_wrapper(self, function)

    def cache_key(self, *args) -> tuple:
        """Return what the value for these arguments is kept by."""
        now = {k: v for k, v in _overrides.items() if {k[0], ".".join(k)} & self.groups}
        return (*sorted(now.items()), *args)

    def __call__(self, *args):
        """Return the value for these arguments."""
        key = self.cache_key(*args)
        if key not in self.values and self.missing([args]):
            value = self.function(*args)
            return self.values[key] if key in self.values else self.store(value, *args)
        self.values.move_to_end(key)
        return self.values[key]

    def missing(self, several: Iterable[tuple]) -> list[tuple]:
        """Return those of several arguments whose values are not kept."""
        new = {key: args for args in several if (key := self.cache_key(*args)) not in self.values}
        if self.codec is not None and new and disk_cache.cache_folder() is not None:
            on_disk = {self._disk_key(key): key for key in new}
            for name, value in disk_cache.get(list(on_disk)).items():
                self._store(on_disk[name], self.codec.decode(value))
                del new[on_disk[name]]
        return list(new.values())

    def store(self, value, *args):
        """Keep a value that was found together with others, and return it."""
        self.store_all([value], [args])
        return value

    def store_all(self, values: Iterable, several: Iterable[tuple]) -> None:
        """Keep values that were found together, by their arguments."""
        new = {self.cache_key(*args): value for value, args in zip(values, several, strict=True)}
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
    *rooms: str, size: int = 256, form: Codec | None = None
) -> Callable[[Callable], CachedFunction]:
    """Keep up to `size` values of a function, by its arguments and by what is exchanged in `rooms`.

    A room may be narrowed to one of its numbers, as ``"firing.noise_channels"``. With a `form`
    values are kept on disk, too (`neurosim.base.disk_cache`): for what costs milliseconds and more.
    """
    return lambda function: CachedFunction(function, rooms, size, form)
