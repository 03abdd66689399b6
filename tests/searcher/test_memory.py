"""Freed blocks go back to the system where its C library has the call, and nothing happens where it has not."""

import pytest

from abacad.searcher import memory


class Library:
    """A C library that notes what it is asked for."""

    def __init__(self):
        self.asked = []

    def malloc_trim(self, kept):
        self.asked.append(kept)


def test_all_free_blocks_are_asked_back(monkeypatch):
    library = Library()
    monkeypatch.setattr(memory, "_c_library", lambda: library)
    memory.trim()
    assert library.asked == [0]  # bytes that the library may keep


@pytest.mark.parametrize("library", [None, object()])
def test_a_system_without_the_call_is_left_alone(monkeypatch, library):
    monkeypatch.setattr(memory, "_c_library", lambda: library)
    memory.trim()


def test_a_system_that_gives_no_handle_has_no_library(monkeypatch):
    def none(_):
        raise TypeError("no handle of the program itself")

    monkeypatch.setattr("ctypes.CDLL", none)
    memory._c_library.cache_clear()
    assert memory._c_library() is None
    memory._c_library.cache_clear()
