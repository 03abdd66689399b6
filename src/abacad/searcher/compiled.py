"""How the search's inner loops are compiled: Numba, one thread, the global interpreter lock released.

Only loops that run over every channel, or over every row of a path, are compiled; all that decides is plain Python.
The compiled code is kept beside the source, so that the seconds it takes to compile are spent once a machine.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code, with additions reordered for speed (`fastmath`).

    A tool that checks signatures while tests run wraps functions; the loop below such a wrapper is what is compiled.
    """
    # `fastmath` lets the compiler assume that no value is NaN: masked pixels are exact zeros before any loop sees them.
    # `cache`: the first call on a machine compiles for some 20 s (docs/adr/0007-search-engine.md), later ones load.
    return numba.njit(cache=True, fastmath=True, nogil=True)(inspect.unwrap(function))
