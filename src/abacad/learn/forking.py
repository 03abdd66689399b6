"""What must be gone before reader processes are forked.

`ray.shutdown` leaves clients of its cluster to Python's collector. Their end wakes threads that wait for them, and a
forked process has no such threads and no stacks of theirs: a reader that ends a client dies by a segmentation fault.
"""

import gc
import sys


def before_forking() -> None:
    """Let what Ray has left behind end in this process, where it can."""
    if "ray" in sys.modules:
        gc.collect()
