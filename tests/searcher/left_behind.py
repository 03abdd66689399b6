"""A client that is left to Python's collector, as `ray.shutdown` leaves its own."""

import gc
import weakref
from contextlib import contextmanager


class Client:
    """It refers to itself, so that no count of references ends it."""

    def __init__(self):
        self.itself = self


@contextmanager
def left_to_the_collector():
    """A function that leaves a client behind and gives a weak reference to it; nothing is collected by itself."""
    gc.disable()
    try:
        yield lambda: weakref.ref(Client())
    finally:
        gc.enable()
