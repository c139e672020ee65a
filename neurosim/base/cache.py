"""Functions whose return values are cached, in memory and on disk.

Each value is held with the parameters that it was computed from. It is served as long as they are
what they were, and whoever records reads then (`neurosim.base.parameters.track_reads`) learns of
them as if the value had been computed. That is exact: what a function reads depends on nothing
but its arguments and the numbers that it has read.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from neurosim.base import disk_cache
from neurosim.base.disk_cache import Entry
from neurosim.base.errors import NeurosimError
from neurosim.base.parameters import Key, count_reads, overridden, track_reads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Set

Call = tuple[Any, ...]  # the arguments of a call
_functions: WeakSet[CachedFunction] = WeakSet()
_read_sets: dict[frozenset[Key], frozenset[Key]] = {}  # many values share one


class Codec(NamedTuple):
    """How a value is turned into what `disk_cache.pack` takes, and back."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def _as_it_is(value: Any) -> Any:
    return value


IDENTITY = Codec(_as_it_is, _as_it_is)


class CachedFunction:
    """A function whose return values are cached by its arguments and the numbers that it reads.

    Not to be called from several threads at once.

    Attributes
    ----------
    function : callable
        The function behind the cache.
    size : int
        Number of values held in memory; those of the least recently used arguments go first.
    codec : Codec or None
        How values are written to disk; None: they are held in memory only. What is on disk is
        found by the `repr` of the arguments, which must therefore tell them apart.
    """

    def __init__(self, function: Callable[..., Any], size: int, codec: Codec | None) -> None:
        self.function, self.size, self.codec = function, size, codec
        # By arguments, one entry for each set of overrides, the newest first.
        self._entries: OrderedDict[Call, list[Entry]] = OrderedDict()
        self._count = 0
        update_wrapper(self, function)
        _functions.add(self)

    def __call__(self, *args: Any) -> Any:
        """Return the value for these arguments, computed if it is in no cache."""
        entry = self._look_up(args) or self._compute(args)
        count_reads(entry.reads)
        return entry.value

    def _look_up(self, args: Call) -> Entry | None:
        """Return the entry of these arguments that holds under the active overrides."""
        entries = self._entries.get(args)
        if entries is None:
            return None
        for i, entry in enumerate(entries):
            if overridden(entry.reads) == entry.overridden:
                self._entries.move_to_end(args)
                if i:
                    entries.insert(0, entries.pop(i))
                return entry
        return None

    def _compute(self, args: Call) -> Entry:
        if not self.missing([args]):
            return self._entries[args][0]
        reads: Set[Key] = frozenset()
        try:
            with track_reads(alone=True) as reads:
                value = self.function(*args)
        except NeurosimError:
            count_reads(frozenset(reads))
            raise
        # A function may have stored it, with others of a batch.
        return self._look_up(args) or self.store_all([value], [args], reads)[0]

    def missing(self, calls: Iterable[Call]) -> list[Call]:
        """Return those tuples of arguments whose values are in no cache.

        Values that are on disk are read into memory.
        """
        new = [args for args in dict.fromkeys(calls) if self._look_up(args) is None]
        if self.codec is None or not new or disk_cache.cache_folder() is None:
            return new
        on_disk = {self._disk_key(args): args for args in new}
        for name, entry in disk_cache.get(list(on_disk)).items():
            value = self.codec.decode(entry.value)
            self._hold(on_disk.pop(name), entry._replace(value=value))
        return list(on_disk.values())

    def store_all(
        self, values: Iterable[Any], calls: Iterable[Call], reads: Set[Key]
    ) -> list[Entry]:
        """Cache values computed together under the active overrides.

        Parameters
        ----------
        values : iterable
        calls : iterable of tuple
            The arguments of each.
        reads : set of (str, str)
            Parameters that computing each of them alone would read (``track_reads(alone=True)``).
        """
        reads = frozenset(reads)
        new = {
            args: Entry(value, reads, overridden(reads))
            for value, args in zip(values, calls, strict=True)
        }
        held = [self._hold(args, entry) for args, entry in new.items()]
        codec = self.codec
        if codec is not None and disk_cache.cache_folder() is not None:
            disk_cache.put(
                {
                    self._disk_key(args): entry._replace(value=codec.encode(entry.value))
                    for args, entry in new.items()
                }
            )
        return held

    def clear(self) -> None:
        """Forget the values in memory."""
        self._entries.clear()
        self._count = 0

    def _hold(self, args: Call, entry: Entry) -> Entry:
        entry = entry._replace(reads=_read_sets.setdefault(entry.reads, entry.reads))
        self._entries.setdefault(args, []).insert(0, entry)
        self._entries.move_to_end(args)
        self._count += 1
        while self._count > self.size:
            oldest, entries = next(iter(self._entries.items()))
            entries.pop()
            self._count -= 1
            if not entries:
                del self._entries[oldest]
        return entry

    def _disk_key(self, args: Call) -> bytes:
        return disk_cache.cache_key(self.function.__module__, self.function.__qualname__, args)


def cached(
    *, size: int = 256, codec: Codec | None = None
) -> Callable[[Callable[..., Any]], CachedFunction]:
    """Cache up to `size` values of a function by its arguments and the parameters that it reads.

    Parameters
    ----------
    size : int
        Number of values held in memory.
    codec : Codec, optional
        How values are written to disk (`neurosim.base.disk_cache`), for what takes milliseconds
        and more.

    Returns
    -------
    callable
        A decorator.

    Examples
    --------
    >>> from neurosim.base.parameters import parameter
    >>> @cached()
    ... def channels(share):
    ...     return share * parameter("firing", "noise_channels")
    >>> with track_reads() as reads:
    ...     _ = channels(0.5), channels(0.5)
    >>> set(reads)
    {('firing', 'noise_channels')}
    """
    return lambda function: CachedFunction(function, size, codec)


def clear() -> None:
    """Forget every cached value, in memory and on disk: what comes next is computed anew."""
    for function in _functions:
        function.clear()
    disk_cache.clear()
