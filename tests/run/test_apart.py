"""A function in a process of its own: what it gives, what it raises, and what it warns of come back."""

import logging
import pickle
import sys
from io import BytesIO

import pytest

from abacad.errors import AbacadError
from abacad.run import apart


def loaded(*_words):
    return "torch" in sys.modules


def failing(text):
    logging.getLogger("abacad.x").warning("it is late")
    raise AbacadError(text)


def test_a_process_of_its_own_is_without_torch_and_here_it_is_called_where_torch_is_loaded(monkeypatch):
    assert apart.apart(loaded)
    monkeypatch.delitem(sys.modules, "torch")
    assert not apart.apart(loaded, "word")
    monkeypatch.setattr(apart, "_PROGRAM", "")  # a process that is lost says nothing
    assert apart.apart(sorted, [3, 1]) == [1, 3]


def test_errors_and_warnings_come_back(monkeypatch, caplog):
    told = BytesIO()
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    apart.answer(BytesIO(pickle.dumps((failing, ("no such weights",)))), told)
    assert not caplog.records  # of that other process

    class Ran:
        stdout = told.getvalue()

    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(apart.subprocess, "run", lambda *_args, **_more: Ran)
    with pytest.raises(AbacadError, match="no such weights"):
        apart.apart(failing, "no such weights")
    assert [record.message for record in caplog.records] == ["it is late"]
