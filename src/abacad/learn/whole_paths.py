"""Paths in a recipe: made absolute before the recipe is saved, and looked for before any work.

A user writes `--data.verdicts verdicts.csv` relative to the folder he stands in. The run folder keeps the recipe, and
may be continued from another folder, where that relative path would mean another file or none.
"""

import os
from dataclasses import replace
from pathlib import Path

from abacad.config import Recipe
from abacad.errors import AbacadError, plain_name
from abacad.model.backbone import IN_DOMAIN


def with_whole_paths(recipe: Recipe) -> Recipe:
    """The recipe in which each file and run folder is named by its absolute path.

    Words that stand for no path (`auto`, `none`, `in-domain`) and keys that are null stay as they are.
    """
    data, model = recipe.data, recipe.model
    groups = data.groups if data.groups in ("auto", "none") else _whole(data.groups)
    weights = model.weights if model.weights == IN_DOMAIN else _whole(model.weights)
    data = replace(data, groups=groups or data.groups, pseudo=_whole(data.pseudo), verdicts=_whole(data.verdicts))
    return replace(recipe, data=data, model=replace(model, weights=weights))


def require_files(recipe: Recipe) -> None:
    """Refuse a recipe whose tables of labels are not there.

    Reading and packing all cadences takes up to an hour, and a wrong name should not.

    Raises:
        AbacadError: a file that the recipe names is absent.
    """
    for key, path in (("pseudo", recipe.data.pseudo), ("verdicts", recipe.data.verdicts)):
        if path and not Path(path).is_file():
            raise AbacadError(f"There is no file {plain_name(path)}.\nName another, or none: --data.{key} FILE|null.")


def _whole(path: str | None) -> str | None:
    """The absolute path; null stays null."""
    # `abspath`, not `resolve`: a link such as `data → /mnt/disk3/data` is kept, so that the link may be moved
    return os.path.abspath(Path(path).expanduser()) if path else path
