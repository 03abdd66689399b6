"""The files that a recipe names, by their whole paths: a saved recipe is read again from any folder."""

import os
from dataclasses import replace
from pathlib import Path

from abacad.config import Recipe
from abacad.model.backbone import IN_DOMAIN


def with_whole_paths(recipe: Recipe) -> Recipe:
    """The recipe with the whole path of each file and run folder that it names."""
    data, model = recipe.data, recipe.model
    groups = data.groups if data.groups in ("auto", "none") else _whole(data.groups)
    weights = model.weights if model.weights == IN_DOMAIN else _whole(model.weights)
    data = replace(data, groups=groups or data.groups, pseudo=_whole(data.pseudo), verdicts=_whole(data.verdicts))
    return replace(recipe, data=data, model=replace(model, weights=weights))


def _whole(path: str | None) -> str | None:
    """The path from the root; links in it stay."""
    return os.path.abspath(Path(path).expanduser()) if path else path
