"""Which tests run which lines of a source file, and in how many seconds."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest


@dataclass
class Reached:
    """What the tests of several source files run.

    Attributes:
        lines: By name of the source file and of the test: the lines that it runs, those of its fixtures too.
        took: By name of the source file and of the test: processor seconds.
    """

    lines: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    took: dict[str, dict[str, float]] = field(default_factory=dict)

    def tests(self, name: str, lines: Iterable[int] | None = None) -> list[str]:
        """The tests that run any of these lines of a file, or all, the quickest first."""
        wanted, took = set(lines or ()), self.took[name]
        return sorted(
            (test for test, seen in self.lines[name].items() if lines is None or seen & wanted), key=took.__getitem__
        )

    def seconds(self, tests: Sequence[str]) -> float:
        """Processor seconds of some tests."""
        return sum(took.get(test, 0.0) for took in self.took.values() for test in tests)


class _Watch:
    """A plugin of pytest that notes the lines of one source file which each test runs."""

    def __init__(self, source: Path) -> None:
        self.source = str(source)
        self.seen: set[int] = set()
        self.of_fixtures: dict[str, set[int]] = {}
        self.lines: dict[str, set[int]] = {}
        self.took: dict[str, float] = {}

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename == self.source else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.seen.add(frame.f_lineno)
        return self._line

    @contextmanager
    def _watched(self) -> Iterator[set[int]]:
        """Collect the lines run meanwhile; what is outside of this goes on collecting afterwards."""
        outer, self.seen, before = self.seen, set(), sys.gettrace()
        sys.settrace(self._call)
        try:
            yield self.seen
        finally:
            sys.settrace(before)
            self.seen = outer

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Any:
        """A fixture of a session runs once, and serves all tests that name it."""
        with self._watched() as seen:
            found = yield
        self.of_fixtures.setdefault(fixturedef.argname, set()).update(seen)
        return found

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """One test."""
        before = sum(os.times()[:4])
        with self._watched() as seen:
            found = yield
        self.took[item.nodeid] = sum(os.times()[:4]) - before
        fixtures = [self.of_fixtures.get(name, set()) for name in getattr(item, "fixturenames", ())]
        self.lines[item.nodeid] = seen.union(*fixtures)
        return found


def reached_by(tests: Mapping[str, list[str]], sources: Mapping[str, Path]) -> Reached:
    """Run the tests of each source file once; they have to pass.

    Args:
        tests: By name of the source file: files of tests.
        sources: By name: the source file.
    """
    reached = Reached()
    for name, files in tests.items():
        watch = _Watch(sources[name])
        words = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore", "--tb=short", "-o", "addopts="]
        if pytest.main([*words, *files], plugins=[watch]) != 0:
            raise SystemExit(f"{' '.join(files)}: fails without a fault.")
        reached.lines[name], reached.took[name] = watch.lines, watch.took
    return reached
