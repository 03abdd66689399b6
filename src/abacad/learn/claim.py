"""Claims a run folder for a training: for one process, one recipe and one data set.

A folder that an earlier start left is continued, if recipe and data are the same in all that scores depend on.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from abacad.config import Recipe
from abacad.errors import AbacadError
from abacad.files import holds_something, write_text
from abacad.learn.lock import locked
from abacad.learn.notebook import shown_in_notebook
from abacad.learn.record import part_of, read_record
from abacad.learn.run_folder import RunFolder, logging_to
from abacad.learn.whole_paths import with_whole_paths

log = logging.getLogger(__name__)

_MAY_CHANGE = {
    "trainer.accelerator", "trainer.devices", "trainer.num_nodes", "trainer.strategy", "trainer.loggers",
    "trainer.progress", "trainer.max_epochs", "trainer.patience", "trainer.stop_below", "trainer.accumulate",
    "trainer.max_time", "trainer.channels_last", "trainer.compile",
    "data.only", "data.workers", "data.pack", "optim.batch_size", "inference.batch_size",
}  # fmt: skip
"""Keys of the recipe that may differ when a run is continued: the scores of finished folds stay comparable."""


@contextmanager
def claimed(run: RunFolder, recipe: Recipe, data: dict[str, Any], **facts: Any) -> Iterator[None]:
    """Hold a run folder for a recipe and its data while the block runs, and log into it.

    Args:
        run: The folder: a new one, or that of an earlier start.
        recipe: The whole run.
        data: What tells the data from others, made by `fingerprint`.
        facts: Further facts for run.json of a new run.

    Raises:
        AbacadError: another process trains into the folder, it belongs to another recipe or other data, or it is not
            empty and no run folder.
    """
    with locked(run.lock):
        _claim(run, recipe, data, facts)
        clean(run)
        with shown_in_notebook(), logging_to(run.path / "log.txt"):
            yield
        clean(run)


def clean(run: RunFolder) -> None:
    """Remove files that a finished run or fold no longer needs, which a kill may have left."""
    for fold in run.path.glob("fold*/oof.csv"):
        fold.with_name(run.last(0).name).unlink(missing_ok=True)
    if run.oof.is_file() and (run.verb == "train" or run.pretrained.is_file()):
        for packed in (run.packed, run.packed_pseudo):
            packed.unlink(missing_ok=True)


def _claim(run: RunFolder, recipe: Recipe, data: dict[str, Any], facts: dict[str, Any]) -> None:
    if not run.config.is_file():
        if holds_something(run.path, but=run.lock.name):
            raise AbacadError(f"{run.path} is not empty and is no run folder.\nName another: --run runs/NAME.")
        _begin(run, recipe, data, facts)
        return
    changed, differs = _changed(with_whole_paths(run.recipe()), recipe), _differs(run, data)
    lasting = [key for key in changed if key not in _MAY_CHANGE]
    if not _has_trained(run):
        if lasting or differs:
            _forget_preparation(run)
        _begin(run, recipe, data, facts)
        return
    _refuse(run, [changed[key] for key in lasting], differs)
    log.info("Continuing the run in %s", run.path)
    if changed:
        log.info("From here on with %s", ", ".join(changed.values()))
        run.note(changes=[*read_record(run.record).get("changes", []), *changed.values()])
        _write(run, recipe)


def _begin(run: RunFolder, recipe: Recipe, data: dict[str, Any], facts: dict[str, Any]) -> None:
    _write(run, recipe)  # first: it makes this a run folder
    run.note(data=data, **facts)


def _write(run: RunFolder, recipe: Recipe) -> None:
    write_text(run.config, yaml.safe_dump(recipe.as_dict(), sort_keys=False))


def _has_trained(run: RunFolder) -> bool:
    """Whether an epoch was finished; before that another recipe may take the folder, since nothing is lost."""
    found = (*run.path.glob("fold*/last.ckpt"), *run.path.glob("fold*/oof.csv"), run.pretrained)
    return any(path.is_file() for path in found)


def _forget_preparation(run: RunFolder) -> None:
    """Remove folds and packed cadences that were made for another recipe or from other data."""
    for path in (run.checked, run.folds, run.packed, run.packed_pseudo):
        path.unlink(missing_ok=True)


def _changed(before: Recipe, now: Recipe) -> dict[str, str]:
    """Keys in which two recipes differ, each with a text `key: before → now`."""
    old, new = flat(before.as_dict()), flat(now.as_dict())
    return {key: f"{key}: {old.get(key)} → {new[key]}" for key in new if new[key] != old.get(key)}


def _differs(run: RunFolder, data: dict[str, Any]) -> str:
    """Where the other data lie that the run was made from; empty where they are the same."""
    known = part_of(read_record(run.record), "data") or data
    return "" if known.get("labels_sha256") == data["labels_sha256"] else str(known.get("folder"))


def _refuse(run: RunFolder, changed: list[str], differs: str) -> None:
    if changed:
        raise AbacadError(
            f"{run.path} was made by another recipe ({', '.join(changed[:4])}).\n"
            f"Name another run folder, or continue this one: --config {run.config}."
        )
    if differs:
        raise AbacadError(f"{run.path} was trained on other labels ({differs}).\nName another: --run runs/NAME.")


def flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by their whole keys: `{"optim": {"lr": 1}}` is `{"optim.lr": 1}`."""
    found: dict[str, Any] = {}
    for key, value in nested.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found
