"""Recipes by name or file: YAML, one whole run each; any key can be overridden on the command line.

Those that come with the package lie beside this file. Light on purpose, as `abacad.config` is.
"""

import difflib
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from jsonargparse import ArgumentError, ArgumentParser, Namespace

from abacad.config import Recipe
from abacad.errors import AbacadError, brief


def packaged_recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(
        entry.name.removesuffix(".yaml") for entry in files("abacad.recipes").iterdir() if entry.name.endswith(".yaml")
    )


def recipe_path(name: str | Path) -> Path:
    """The YAML file of a recipe, given as a packaged name or as a path."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise AbacadError(f"There is no recipe file {path}.\nPackaged recipes: {', '.join(packaged_recipes())}.")
        return path
    known = packaged_recipes()
    if str(name) not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise AbacadError(
            f"There is no recipe '{name}'.{hint}\n"
            f"Packaged recipes: {', '.join(known)}. A recipe of your own is a .yaml file."
        )
    return Path(str(files("abacad.recipes").joinpath(f"{name}.yaml")))


def add_recipe_arguments(parser: ArgumentParser) -> None:
    """Give `parser` one option for each key of the recipe (`--seed`, `--model.name`, …)."""
    parser.add_class_arguments(Recipe, nested_key=None)


def recipe_of(parser: ArgumentParser, parsed: Namespace) -> Recipe:
    """The recipe that a parser with `add_recipe_arguments` has read."""
    built = parser.instantiate(parsed)
    return Recipe(**{key: getattr(built, key) for key in Recipe.__dataclass_fields__})


def read_recipe(name: str | Path = "baseline", overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of that packaged name or file, with overrides written as on the command line.

    `read_recipe("baseline", ["--model.name", "convnext_tiny", "--optim.lr", "3e-4"])`
    """
    parser = ArgumentParser(exit_on_error=False, default_config_files=[os.fspath(recipe_path(name))])
    add_recipe_arguments(parser)
    try:
        return recipe_of(parser, parser.parse_args(list(overrides)))
    except ArgumentError as error:
        raise AbacadError(f"Recipe {name}: {brief(str(error))}") from error
