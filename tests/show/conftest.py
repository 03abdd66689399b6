"""One browser for all tests of a process: a second Playwright cannot start while the first one runs."""

from tests.show.pages import browser  # noqa: F401
