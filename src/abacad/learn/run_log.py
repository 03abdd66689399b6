"""The log of a run in its own folder, log.txt: what the library says there while a verb runs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _QuietFile(logging.FileHandler):
    """A log file whose errors are ignored: on a full disk its lines are lost, while the training goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 — logging's name
        """Go on without the line."""


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Write the library's log into the file `path` as well, while the block runs; its level is restored afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A file name on Linux may hold bytes that are no UTF-8. Python reads them as lone surrogates, which no encoding can
    # write: the line would be lost without `backslashreplace`.
    handler = _QuietFile(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("abacad")
    level = logger.level
    logger.addHandler(handler)
    # A logger passes on nothing below its own level, whatever its handlers want: so it is lowered to INFO for the file.
    # A level of 0 means "as the parent"; `min` alone would keep that 0 and let every debug line through.
    logger.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()
