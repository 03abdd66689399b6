"""How inner loops are compiled: Numba, one thread, the global interpreter lock released.

Only loops that run over every channel, or over every row of a path, are compiled; all that decides is plain Python.
The compiled code is kept beside the source, so that the seconds it takes to compile are spent once a machine.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code, with additions reordered for speed (`fastmath`).

    A tool that checks signatures while tests run wraps functions; the loop below such a wrapper is what is compiled.
    """
    # `fastmath` lets the compiler assume that no value is NaN: masked pixels are exact zeros before any loop sees them.
    # `cache`: the first call on a machine compiles for some 20 s (docs/adr/0007-search-engine.md), later ones load.
    return numba.njit(cache=True, fastmath=True, nogil=True)(inspect.unwrap(function))


@contextmanager
def flushing() -> Iterator[None]:
    """Numbers below 1.2e-38 are 0 in this thread meanwhile, in compiled loops and in torch alike.

    The probabilities of a long path shrink to such numbers, of which a processor adds one in the time of a hundred.
    """
    import torch  # here: the search's loops are compiled without it

    tiny = torch.tensor(1e-30) * 1e-9
    was = bool(tiny == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(was)
