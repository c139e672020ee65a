"""The backends of the loops, and which of them runs: the one place that knows.

``ahead``
    A library of machine code that was built from these very lines (`neurosim.base.ahead`).
``numba``
    Numba compiles the loops when they are first called, and stores them on disk.
``numpy``
    Nothing is compiled: every room runs its own reference in NumPy or plain Python.

The first that is there is taken; NEUROSIM_BACKEND chooses one by name. Results of the first two
agree to the bit on processors with the same instructions, and with NumPy's to 1e-9.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from neurosim.base import ahead, jit
from neurosim.base.errors import NeurosimError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable

BACKENDS = ("ahead", "numba", "numpy")
SLOWNESS = (
    "Nothing is compiled here: this takes about 20 times as long ('pip install numba' helps)."
)


def backend() -> str:
    """Return the backend that runs the loops: ``ahead``, ``numba`` or ``numpy``.

    Raises
    ------
    NeurosimError
        If NEUROSIM_BACKEND names none, or one that is not here.

    Examples
    --------
    >>> from neurosim.base.backends import backend
    >>> backend() in ("ahead", "numba", "numpy")
    True
    """
    return _choose(os.environ.get("NEUROSIM_BACKEND", ""))


@cache
def _choose(setting: str) -> str:
    if setting not in ("", *BACKENDS):
        raise unknown_name("NEUROSIM_BACKEND", setting, BACKENDS)
    for name in (setting,) if setting else BACKENDS:
        if _is_here(name):
            return name
    why = (
        "Numba is not installed"
        if setting == "numba"
        else "no library was built from these equations for this machine"
    )
    raise NeurosimError(f"NEUROSIM_BACKEND is '{setting}', but {why}; without it one is chosen.")


def _is_here(name: str) -> bool:
    if name == "ahead":
        return ahead.open_library() is not None
    return name == "numpy" or find_spec("numba") is not None


def is_compiled() -> bool:
    """Return whether loops run as machine code."""
    return backend() != "numpy"


def describe() -> str:
    """Return the backend in a word or two, with the instruction set of a library: what results say.

    Examples
    --------
    >>> from neurosim.base.backends import backend, describe
    >>> describe().split()[0] == backend()
    True
    """
    library = ahead.open_library() if backend() == "ahead" else None
    return backend() if library is None else f"ahead {library.target}"


def loop(name: str) -> Callable[..., Any] | None:
    """Return a loop of `loops.LOOPS` as machine code; None where its reference is to run."""
    return _loop(name, backend())


@cache
def _loop(name: str, which: str) -> Callable[..., Any] | None:
    library = ahead.open_library() if which == "ahead" else None
    if library is not None:
        return library.loop(name)
    return jit.JitLoop(name) if which == "numba" else None
