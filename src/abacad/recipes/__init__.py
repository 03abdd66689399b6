"""Recipes by name or file: YAML, one whole run each; any key can be overridden on the command line.

Those that come with the package lie beside this file. Light on purpose, as `abacad.config` is.
"""

import dataclasses
import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentError, ArgumentParser, Namespace

from abacad.config import Recipe
from abacad.errors import AbacadError, brief, plain_name
from abacad.plain import build, read_text, unknown_key

_TAGS = {f"tag:yaml.org,2002:{tag}" for tag in ("null", "bool", "int", "float", "str", "seq", "map")}
_LARGEST = 1 << 16
"""Bytes of a recipe file; a whole resolved recipe has 1,500."""


def packaged_recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(
        entry.name.removesuffix(".yaml") for entry in files("abacad.recipes").iterdir() if entry.name.endswith(".yaml")
    )


def recipe_path(name: str | Path) -> Path:
    """The YAML file of a recipe, given as a packaged name or as a path."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.exists():
            raise AbacadError(
                f"There is no recipe file {plain_name(path)}.\nPackaged recipes: {', '.join(packaged_recipes())}."
            )
        _check(path)
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


def _check(path: Path) -> None:
    """Look at a recipe file before any library builds values from it.

    Raises:
        AbacadError: it is no plain file, too large, no YAML, refers to itself, or has a key that is doubled or unknown.
    """
    way_out = "`abacad train --help` lists the keys of a recipe."
    try:
        _check_text(read_text(path, _LARGEST, way_out))
    except yaml.YAMLError as error:
        raise AbacadError(f"{plain_name(path)} is no YAML: {brief(str(error), 120)}\n{way_out}") from error
    except RecursionError as error:
        raise AbacadError(f"{plain_name(path)} is nested too deeply.\n{way_out}") from error
    except ValueError as error:
        raise AbacadError(f"{plain_name(path)}: {error}\n{way_out}") from error


@lru_cache(maxsize=64)
def _check_text(text: str) -> None:
    _check_keys(yaml.compose(text, yaml.SafeLoader))


def _check_keys(tree: yaml.Node | None) -> None:
    if tree is None:  # an empty file is a lost one: a run folder's recipe would silently be the defaults
        raise ValueError("it is empty.")
    if not isinstance(tree, yaml.MappingNode):
        raise ValueError("it holds no keys with values.")
    parts = _keys(Recipe)
    for section, value in _pairs(tree):
        if section not in parts:
            raise ValueError(unknown_key(section, list(parts)))
        if not parts[section]:
            continue
        if not isinstance(value, yaml.MappingNode):
            raise ValueError(f"{section} must hold keys, such as {section}.{parts[section][0]}.")
        for key, _ in _pairs(value):
            if key not in parts[section]:
                raise ValueError(unknown_key(f"{section}.{key}", [f"{section}.{each}" for each in parts[section]]))
    _refuse_references(tree, set())


def _keys(recipe_type: type) -> dict[str, list[str]]:
    """The keys of a recipe, and those within each."""
    parts = {field.name: field.default_factory for field in dataclasses.fields(recipe_type)}
    return {
        name: [field.name for field in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else []
        for name, part in parts.items()
    }


def _pairs(tree: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    seen: set[str] = set()
    for key, value in tree.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in seen:
            raise ValueError(f"the key {brief(name, 40)} stands there twice, again in line {line}.")
        seen.add(name)
        yield name, value


def _refuse_references(node: yaml.Node, seen: set[int]) -> None:
    """A few nested references stand for gigabytes of values; a recipe needs none."""
    if id(node) in seen:
        raise ValueError(f"line {node.start_mark.line + 1} is referred to by `*`. Write the values out.")
    seen.add(id(node))
    if node.tag not in _TAGS:
        raise ValueError(f"line {node.start_mark.line + 1} has the tag {brief(node.tag, 60)}. Write plain values.")
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _refuse_references(key, seen)
            _refuse_references(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_references(value, seen)


def add_recipe_arguments(parser: ArgumentParser) -> None:
    """Give `parser` one option for each key of the recipe (`--seed`, `--model.name`, …)."""
    parser.add_class_arguments(Recipe, nested_key=None)


def recipe_of(parser: ArgumentParser, parsed: Namespace) -> Recipe:
    """The recipe that a parser with `add_recipe_arguments` has read.

    Raises:
        AbacadError: a value is null where it must not be, or out of its bounds.
    """
    values = parsed.as_dict()
    try:
        return build(Recipe, {key: values[key] for key in Recipe.__dataclass_fields__})
    except AbacadError as error:
        places = [plain_name(path) for path in parser.default_config_files]
        raise AbacadError(f"{error}\nMend it on the command line or in {', '.join(places)}.") from error


def read_recipe(name: str | Path = "baseline", overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of that packaged name or file, with overrides written as on the command line.

    Example:
        >>> abacad.read_recipe("baseline", ["--model.name", "convnext_tiny", "--optim.lr", "3e-4"]).optim.lr
        0.0003
    """
    path = recipe_path(name)
    return _read(path, read_text(path, _LARGEST), tuple(overrides))


@lru_cache(maxsize=1)  # building it takes as long as reading two recipes
def _reader() -> ArgumentParser:
    """A parser of recipes, which takes the name of a file for each."""
    parser = ArgumentParser(exit_on_error=False)
    add_recipe_arguments(parser)
    return parser


@lru_cache(maxsize=64)  # a verb asks for its run's recipe several times, and each parsing takes 0.01 s
def _read(path: Path, text: str, overrides: tuple[str, ...]) -> Recipe:
    """The recipe in a file that holds that text."""
    parser = _reader()
    parser.default_config_files = [os.fspath(path)]
    try:
        return recipe_of(parser, parser.parse_args(list(overrides)))
    except ArgumentError as error:
        raise AbacadError(f"Recipe {plain_name(path)}: {brief(str(error))}") from error


def recipe_with(recipe: str | Path | Recipe, overrides: Mapping[str, Any]) -> Recipe:
    """A recipe with some of its keys changed.

    Args:
        recipe: A packaged name, a YAML file, or a recipe.
        overrides: Values by their keys, as `{"trainer.max_epochs": 2}`.

    Raises:
        AbacadError: there is no such recipe or key, or a value is out of its bounds.

    Example:
        >>> recipe_with("compact", {"trainer.max_epochs": 2}).trainer.max_epochs
        2
    """
    values = (recipe if isinstance(recipe, Recipe) else read_recipe(recipe)).as_dict()
    for key, value in overrides.items():
        section, _, name = key.rpartition(".")
        part = values.get(section) if section else values
        known = [f"{section}.{each}" if section else each for each in part] if isinstance(part, dict) else []
        if not isinstance(part, dict) or name not in part:
            raise AbacadError(f"{unknown_key(key, known)}\n`abacad train --help` lists the keys of a recipe.")
        part[name] = value
    return build(Recipe, values)
