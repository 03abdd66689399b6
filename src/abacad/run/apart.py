"""Functions called in a process that ends with them, so that what they load is gone from memory afterwards.

torch, the detector and the page's pictures take 0.6 GB, which would stay in a process that has more to search.
"""

import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from abacad.searcher.task import listening

log = logging.getLogger(__name__)

Given = TypeVar("Given")

# Not by `multiprocessing`, which imports the user's script once more: one that calls a search without
# `if __name__ == "__main__":` would then begin another search in each process.
_PROGRAM = """
import pickle, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.path[:] = pickle.load(sys.stdin.buffer)
from abacad.run.apart import answer
answer(sys.stdin.buffer, sys.stdout.buffer)
"""


def apart(function: Callable[..., Given], *args: Any) -> Given:
    """What a function gives, called in a process of its own; here where torch is loaded already.

    Args:
        function: can be pickled, as its arguments, its result and its errors can.
        args: its arguments.

    Raises:
        Exception: what the function raises.
    """
    if "torch" in sys.modules or not sys.executable:
        return function(*args)
    asked = pickle.dumps(sys.path) + pickle.dumps((function, args))
    command = [sys.executable, "-c", _PROGRAM]
    told = subprocess.run(command, input=asked, stdout=subprocess.PIPE, check=False).stdout
    # The process may be gone without an answer, by a lack of memory: here at least the user sees why.
    if not told:
        return function(*args)
    given, error, said = pickle.loads(told)  # of the process that was started here
    for level, text in said:
        log.log(level, "%s", text)
    if error is not None:
        raise error
    result: Given = given
    return result


def answer(asked: Any, told: Any) -> None:
    """What the process does: one call, whose result, error and warnings it tells.

    Args:
        asked: stream of the pickled function and its arguments.
        told: stream for (result, error, warnings), pickled.
    """
    sys.stdout = sys.stderr  # what a library prints must not get among the bytes of the answer
    function, args = pickle.load(asked)
    given, error = None, None
    with listening() as said:
        try:
            given = function(*args)
        except Exception as raised:  # any: it is raised again where the user is
            error = raised
    told.write(pickle.dumps((given, error, said)))
