"""Training from a notebook: the log is shown below the cell, and several devices can be used.

Lightning's own `ddp_notebook` forks the kernel, the process behind the notebook. A forked process cannot use CUDA once
the kernel has used it, and one score or one look at the device is enough for that. So the training runs as a command of
its own, as from a shell, and the kernel logs what the command says.
"""

import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import yaml

from abacad.config import Recipe
from abacad.errors import AbacadError

log = logging.getLogger(__name__)

_SEPARATOR = "\t"


def is_notebook() -> bool:
    """Whether a kernel runs this process, whose output is a page."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None


@contextmanager
def shown_in_notebook() -> Iterator[None]:
    """Show what the library logs below the cell, while the block runs; in a shell the command line shows it."""
    logger = logging.getLogger("abacad")
    if not is_notebook() or logger.hasHandlers():
        yield
        return
    handler, level = logging.StreamHandler(sys.stdout), logger.level  # standard error would be red
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def needs_own_process(recipe: Recipe) -> bool:
    """Whether the training has to leave this process: several devices, asked for in a notebook."""
    wanted = recipe.trainer
    several = wanted.devices * wanted.num_nodes > 1
    return wanted.strategy == "ddp_notebook" or (several and wanted.strategy == "auto" and is_notebook())


def train_in_own_process(root: Path, run: Path, recipe: Recipe) -> None:
    """Train by a command of its own, and log what it logs. Stopping the cell stops the command.

    Raises:
        AbacadError: with what the command said, when it ended badly.
    """
    recipe = replace(recipe, trainer=replace(recipe.trainer, strategy="ddp", progress=False))
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "recipe.yaml"
        config.write_text(yaml.safe_dump(recipe.as_dict(), sort_keys=False), encoding="utf-8")
        # -u: lines come as they are said, not when some kilobytes of them have gathered in a buffer
        words = [sys.executable, "-u", "-m", "abacad.run.train_process", str(root), str(run), str(config)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            try:
                said = _relayed(process)
                status = process.wait()
            except BaseException:  # a stopped cell raises KeyboardInterrupt, which is no Exception
                process.terminate()
                raise
    if status:
        raise AbacadError("\n".join(said[-3:]) or f"The training ended with status {status}.")


def _relayed(process: subprocess.Popen) -> list[str]:
    """Log each line that says its level; the others are the last words of a process that failed."""
    assert process.stdout is not None
    others: list[str] = []
    for line in process.stdout:
        level, separator, text = line.rstrip("\n").partition(_SEPARATOR)
        number = logging.getLevelNamesMapping().get(level) if separator else None
        if number is None:
            others.append(line.strip())
        elif number >= logging.ERROR:
            others += [each for each in text.split(_SEPARATOR) if each]
        else:
            log.log(number, "%s", text)
    return [line for line in others if line]


def tell_levels() -> None:
    """Write each line of the log with its level to standard output, in the process that a notebook started."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(f"%(levelname)s{_SEPARATOR}%(message)s"))
    logger = logging.getLogger("abacad")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # a handler of the root logger would say each line a second time


def tell_error(error: AbacadError) -> None:
    """Write an error as one line for the notebook's process, which raises it again."""
    logging.getLogger("abacad").error("%s", str(error).replace("\n", _SEPARATOR))
