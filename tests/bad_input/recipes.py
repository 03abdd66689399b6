"""Malformed recipes: every key with values that no run can mean, and files that are no recipes."""

import dataclasses
import typing
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

from abacad.config import Recipe
from tests.bad_input.case import MARK, Case, Sandbox, rubbish, sparse, write

_FILES = {
    "list": "- 1\n",
    "text": "hello",
    "number": "5",
    "null": "null",
    "tab": "\tdata: 1",
    "open": "data: {folds: 5",
    "colon": "a: b: c",
    "null byte": "seed: \x00",
    "control": "seed: \x07",
    "deep": "[" * 20000,
    "deep keys": "{a: " * 3000,
    "doubled section": "data: {folds: 3}\ndata: {folds: 4}\n",
    "doubled key": "data: {folds: 3, folds: 4}\n",
    "merge": "data: {<<: {folds: 3}}\n",
    "section of text": "data: five\n",
    "section of list": "optim: [1]\n",
    "section of null": "model: null\n",
    "code": f"seed: !!python/object/apply:os.system ['touch {MARK}']\n",
    "tag": "seed: !unknown 5\n",
    "name": "model: {name: !!python/name:os.system}\n",
    "two documents": "seed: 1\n---\nseed: 2\n",
    "reference": "augment: &a {shift: 0.1}\noptim: *a\n",
    "itself": "data: &a {folds: *a}\n",
    "unknown": "nonsense: 1\n",
    "binary key": "? [1]\n: 2\n",
    "nested section": "model: {model: {name: panel}}\n",
    "dotted": "model.name: panel\n",
}
_FOREIGN = ("run", "folder", "recipe", "config", "help", "_", "progress", "print_config")
_WRONG: dict[Any, tuple[str, ...]] = {
    int: ("null", "-1", "1.5", "99999999999999999999", "word", "true"),
    float: ("null", "-1", "1e30", "word", ".nan"),
    bool: ("null", "maybe"),
    str: ("[1]",),
    tuple: ("null", "[]", "[nonsense]", "5"),
    Literal: ("null", "nonsense", "5"),
}


def _bomb() -> str:
    lines = ["data: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
    return "\n".join(lines)


def _outer_type(hint: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (tuple, Literal):
        return origin
    if origin is not None or not isinstance(hint, type):  # int | None
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint


def _keys() -> Iterator[tuple[str, str, Any]]:
    for field in dataclasses.fields(Recipe):
        part = field.default_factory
        if dataclasses.is_dataclass(part):
            hints = typing.get_type_hints(part)
            yield from ((field.name, one.name, hints[one.name]) for one in dataclasses.fields(part))


def _values(section: str, key: str, hint: Any) -> Iterator[str]:
    for value in _WRONG[_outer_type(hint)]:
        optional = value == "null" and type(None) in typing.get_args(hint)
        if not optional and (key, value) != ("loggers", "[]"):
            yield value


def _recipe(content: bytes | str, box: Sandbox) -> list[str]:
    path = write(box.root / "bad.yaml", content)
    return ["train", str(box.data), "--config", str(path), "--run", str(box.out / "run")]


def _option(key: str, value: str, box: Sandbox) -> list[str]:
    return ["train", str(box.data), "--run", str(box.out / "run"), f"--{key}={value}"]


def _large(box: Sandbox) -> list[str]:
    path = sparse(box.root / "bad.yaml", 1 << 40, b"seed: 1\n")
    return ["train", str(box.data), "--config", str(path), "--run", str(box.out / "run")]


def _pipe(box: Sandbox) -> list[str]:
    import os

    os.mkfifo(box.root / "bad.yaml")
    return ["train", str(box.data), "--config", str(box.root / "bad.yaml"), "--run", str(box.out / "run")]


def cases() -> Iterator[Case]:
    """All of them."""
    for name, content in _FILES.items():
        yield Case(f"recipe: {name}", partial(_recipe, content), ("bad.yaml",))
    for key in _FOREIGN:
        yield Case(f"recipe with {key}", partial(_recipe, f"{key}: x\n"), (key,))
    yield Case("recipe: bomb", partial(_recipe, _bomb()), ("bad.yaml",))
    yield Case("recipe: of 1 TB", _large, ("bad.yaml",))
    yield Case("recipe: pipe", _pipe, ("bad.yaml",))
    yield Case("recipe: utf-16", partial(_recipe, "seed: 1\n".encode("utf-16")), ("bad.yaml",))
    for seed in range(6):
        yield Case(f"recipe: rubbish {seed}", partial(_recipe, rubbish(seed)), ("bad.yaml",))
    for value in ("null", "-1", "1e30", "word", "[1]", "4294967296"):
        yield Case(f"recipe: seed {value}", partial(_recipe, f"seed: {value}\n"), ("seed",))
    for section, key, hint in _keys():
        for value in _values(section, key, hint):
            content = f"{section}: {{{key}: {value}}}\n"
            yield Case(f"recipe: {section}.{key} {value}", partial(_recipe, content), (key,))
        if key not in ("groups", "pseudo", "simulated_preset", "verdicts"):  # a name of a file may be anything
            yield Case(f"option: {section}.{key}", partial(_option, f"{section}.{key}", "[[["), (key,))
