"""A verb's command line without its work: the function behind it is replaced, and what reaches it is kept."""

import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from abacad.cli import main


class Called:
    """Stands for the function of a verb: remembers the arguments of its only call."""

    def __init__(self, result: Any) -> None:
        self.result, self.positional, self.named = result, (), {}
        self.times = 0

    def __call__(self, *positional: Any, **named: Any) -> Any:
        self.positional, self.named, self.times = positional, named, self.times + 1
        return self.result(*positional, **named) if isinstance(self.result, Callable) else self.result


def instead(monkeypatch: pytest.MonkeyPatch, home: str, result: Any, name: str = "") -> Called:
    """Replace the function `name` (as its module, when left out) of `abacad.run.<home>`."""
    called = Called(result)
    monkeypatch.setattr(importlib.import_module(f"abacad.run.{home}"), name or home, called)
    return called


def told(capsys: pytest.CaptureFixture, *words: object) -> list[dict[str, Any]]:
    """What a command that goes well tells programs."""
    status = main([*map(str, words), "--json"])
    said = capsys.readouterr()
    assert status == 0, said.err
    return [json.loads(line) for line in said.out.splitlines()]


def refused(capsys: pytest.CaptureFixture, *words: object) -> str:
    """What a command that is refused tells people."""
    assert main(list(map(str, words))) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) <= 3
    return said
