"""Loops in the part of Python that numba compiles, where it is installed."""

from __future__ import annotations

import importlib.util
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable


@cache
def compiled(loop: Callable[..., None]) -> Callable[..., None] | None:
    """Return a loop, and the functions of its module that it calls, as compiled ones; None where numba is missing.

    What is compiled is kept beside the module for the next process, where that can be written.
    """
    if importlib.util.find_spec("numba") is None:
        return None
    return _with_helpers(cast("FunctionType", loop))


def _with_helpers(loop: FunctionType) -> Callable[..., None]:
    import numba

    named = {name: loop.__globals__.get(name) for name in loop.__code__.co_names}
    helpers = {
        name: _with_helpers(found)
        for name, found in named.items()
        if isinstance(found, FunctionType) and found.__module__ == loop.__module__
    }
    calling = FunctionType(loop.__code__, {**loop.__globals__, **helpers}, loop.__name__)
    calling.__qualname__, calling.__module__ = loop.__qualname__, loop.__module__
    try:
        made = numba.njit(calling, cache=True, nogil=True)
    except RuntimeError:  # no folder that a cache could be written to
        made = numba.njit(calling, nogil=True)
    return cast("Callable[..., None]", made)
