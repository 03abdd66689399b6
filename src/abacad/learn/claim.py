"""A training claims its run folder: the folder then belongs to one process, one recipe and one set of labels.

A folder that an earlier start left half trained is continued, as long as recipe and labels are the same in everything
that decides a score. Otherwise it would mix folds of two recipes, and the error says so.
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
from abacad.learn.run_folder import RunFolder
from abacad.learn.run_log import logging_to
from abacad.learn.whole_paths import with_whole_paths
from abacad.recipes import recipe_with

log = logging.getLogger(__name__)

_MAY_CHANGE = {
    # where it computes and what it shows: a run may move to another machine
    "trainer.accelerator", "trainer.devices", "trainer.num_nodes", "trainer.strategy", "trainer.loggers",
    "trainer.progress", "trainer.channels_last", "trainer.compile",
    # when to stop: more epochs or another fold may be asked for once the first scores are known
    "trainer.max_epochs", "trainer.patience", "trainer.stop_below", "trainer.max_time", "data.only",
    # what fits the memory: after an out-of-memory error the run goes on with half the batch and twice the accumulation
    "optim.batch_size", "trainer.accumulate", "inference.batch_size", "data.workers", "data.pack",
    # what the scores need: where 16 bits overflow, a fold's epochs are kept, and scored in 32 bits
    "inference.precision",
}  # fmt: skip
"""Keys of the recipe that may differ when a run is continued: the scores of finished folds stay comparable."""
_NOT_OF_TRAINING = {
    "trainer.accelerator", "trainer.progress", "trainer.stop_below", "inference.batch_size", "data.workers",
}  # fmt: skip
"""Those of them that still mean something once all folds are trained."""
_DATA = {"labels_sha256": "other labels", "simulation_sha256": "another simulation"}
"""What tells data from others, by its key in run.json (`provenance.fingerprint`)."""
_TABLES = {
    "groups_sha256": "The groups file (data.groups)",
    "overlaps_sha256": "The overlaps.csv beside the groups file",
    "partners_sha256": "The overlaps.csv of the data folder",
    "pseudo_sha256": "The file of pseudo labels (data.pseudo)",
    "verdicts_sha256": "The file of verdicts (data.verdicts)",
}
"""Tables that decide what is trained on and held back, by the key of their digest in run.json (`provenance.tables`)."""


@contextmanager
def claimed(run: RunFolder, recipe: Recipe, data: dict[str, Any], **facts: Any) -> Iterator[None]:
    """Hold a run folder for one recipe and its data while the block runs, and write the log into it.

    Args:
        run: The folder: a new one, or that of an earlier start.
        recipe: The whole run.
        data: What tells these data from others, as `provenance.fingerprint` and `provenance.tables` give it.
        facts: More entries for the run.json of a new run.

    Raises:
        AbacadError: another process trains into the folder, it belongs to another recipe or other data, a table
            has changed since an epoch of it was finished, or it is not empty and no run folder.
    """
    # The lock comes first: without it two starts at once would both see an empty folder and both begin.
    with locked(run.lock):
        _claim(run, recipe, data, facts)
        clean(run)
        # The log begins after the claim: a start that is refused writes nothing into somebody else's run.
        with shown_in_notebook(), logging_to(run.path / "log.txt"):
            yield
        clean(run)


def clean(run: RunFolder) -> None:
    """Remove what a finished fold or run no longer needs: a kill may have come before these files were removed."""
    # oof.csv is a fold's last file. One that has it is never continued, so the state in last.ckpt is of no more use.
    for fold in run.path.glob("fold*/oof.csv"):
        fold.with_name(run.last(0).name).unlink(missing_ok=True)
    if run.oof.is_file() and (run.verb == "train" or run.pretrained.is_file()):
        for packed in run.all_packed:
            packed.unlink(missing_ok=True)


def _claim(run: RunFolder, recipe: Recipe, data: dict[str, Any], facts: dict[str, Any]) -> None:
    if not run.config.is_file():
        if holds_something(run.path, but=run.lock.name):
            raise AbacadError(f"{run.path} is not empty and is no run folder.\nName another: --run runs/NAME.")
        _begin(run, recipe, data, facts)
        return
    changed = _changed(with_whole_paths(run.recipe()), recipe)
    # a start that was killed before its first note left no data in run.json, and so nothing to differ from
    known = part_of(read_record(run.record), "data") or data
    lasting = [key for key in changed if key not in _MAY_CHANGE]
    # Until an epoch is finished nothing is lost by another recipe: after "cadence X is truncated" the same command with
    # `--data.bad skip` simply works (docs/adr/0002-folds-and-scores.md).
    if not _has_trained(run):
        # An absent entry counts as one that says none: an earlier version noted no tables.
        if lasting or any(known.get(key) != data.get(key) for key in (*_DATA, *_TABLES)):
            _forget_preparation(run)
        _begin(run, recipe, data, facts)
        return
    _refuse(run, [changed[key] for key in lasting], known, data)
    log.info("Continuing the run in %s", run.path)
    if _is_trained(run) and (idle := [key for key in changed if key not in _NOT_OF_TRAINING]):
        told = ", ".join(changed.pop(key) for key in idle)
        log.warning("%s is trained; this changes nothing: %s. Train otherwise into another run: --run", run.path, told)
        whole = flat(recipe.as_dict())
        recipe = recipe_with(
            run.recipe(), {key: whole[key] for key in changed}
        )  # config.yaml tells of what was trained
    if changed:
        log.info("From here on with %s", ", ".join(changed.values()))
        run.note(changes=[*read_record(run.record).get("changes", []), *changed.values()])
        _write(run, recipe)


def _begin(run: RunFolder, recipe: Recipe, data: dict[str, Any], facts: dict[str, Any]) -> None:
    _write(run, recipe)  # first: a folder without a recipe is no run folder, and a kill here would leave it refused
    run.note(data=data, **facts)


def _write(run: RunFolder, recipe: Recipe) -> None:
    write_text(run.config, yaml.safe_dump(recipe.as_dict(), sort_keys=False))


def _has_trained(run: RunFolder) -> bool:
    """Whether an epoch of any fold was finished."""
    results = (*run.path.glob("fold*/last.ckpt"), *run.path.glob("fold*/oof.csv"), run.pretrained)
    return any(path.is_file() for path in results)


def _is_trained(run: RunFolder) -> bool:
    """Whether nothing is left to train: neither a fold, nor the weights of a pretraining."""
    folds = range(run.recipe().data.folds)
    return run.pretrained.is_file() or all(run.fold_oof(number).is_file() for number in folds)


def _forget_preparation(run: RunFolder) -> None:
    """Remove folds and packed cadences that were made for another recipe or from other data."""
    for path in (run.checked, run.folds, *run.all_packed):
        path.unlink(missing_ok=True)


def _changed(before: Recipe, now: Recipe) -> dict[str, str]:
    """Keys in which two recipes differ, each with a text `key: before → now`."""
    old, new = flat(before.as_dict()), flat(now.as_dict())
    return {key: f"{key}: {old.get(key)} → {new[key]}" for key in new if new[key] != old.get(key)}


def _refuse(run: RunFolder, changed: list[str], known: dict[str, Any], data: dict[str, Any]) -> None:
    """Refuse to go on with keys of the recipe that were `changed`, or with other `data` than the run is `known` by."""
    if changed:
        raise AbacadError(
            f"{run.path} was made by another recipe ({', '.join(changed[:4])}).\n"
            f"Name another run folder, or continue this one: --config {run.config}."
        )
    # A run of an earlier version noted its labels alone; what else it was trained with is not known.
    for key in (*_DATA, *_TABLES):
        if key in known and key in data and known[key] != data[key]:
            raise AbacadError(_told(run, key, known))


def _told(run: RunFolder, key: str, known: dict[str, Any]) -> str:
    """What to say where the data or a table is another than the run is `known` by."""
    if key in _DATA:
        return f"{run.path} was trained on {_DATA[key]} ({known.get('folder')}).\nName another: --run runs/NAME."
    was, back = ("has changed since", "Put it back as it was") if known[key] else ("is new since", "Remove it")
    return f"{_TABLES[key]} {was} {run.path} was trained.\n{back}, or name another run: --run runs/NAME."


def flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by their whole keys: `{"optim": {"lr": 1}}` is `{"optim.lr": 1}`."""
    whole: dict[str, Any] = {}
    for key, value in nested.items():
        whole |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return whole
