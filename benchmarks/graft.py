"""Put the functions of a changed source file into a module that others have imported from."""

import ast
import inspect
import types
from typing import Any


def function_at(source: str, line: int) -> ast.FunctionDef | None:
    """The outermost function or method that holds a line; None outside of functions."""
    holders = (ast.Module, ast.ClassDef)
    nodes: list[ast.stmt] = list(ast.parse(source).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0):
            return node
        if isinstance(node, holders):
            nodes += node.body
    return None


def graft(module: types.ModuleType, source: str) -> int:
    """Put the functions of a changed source into a module that others have imported from; how many changed."""
    fresh: dict[str, Any] = {
        "__name__": module.__name__,
        "__file__": module.__file__,
        "__package__": module.__package__,
    }
    exec(compile(source, str(module.__file__), "exec"), fresh)
    return sum(_put(vars(module)[name], new, module.__name__) for name, new in fresh.items() if name in vars(module))


def _put(old: Any, new: Any, home: str) -> int:
    if isinstance(old, type) and old.__module__ == home:
        return sum(_put(vars(old)[each], part, home) for each, part in vars(new).items() if each in vars(old))
    before, now = _function(old), _function(new)
    return 0 if before is None or now is None else _put_code(before, now)


def _function(thing: Any) -> types.FunctionType | None:
    """The plain function within a method, a property or a wrapper."""
    for inner in ("__func__", "fget", "func"):
        thing = getattr(thing, inner, thing)
    found = inspect.unwrap(thing) if callable(thing) else thing
    return found if isinstance(found, types.FunctionType) and "abacad" in found.__code__.co_filename else None


def _put_code(old: types.FunctionType, new: types.FunctionType) -> int:
    defaults = (old.__defaults__, old.__kwdefaults__) != (new.__defaults__, new.__kwdefaults__)
    if old.__code__ == new.__code__ and not defaults:
        return 0
    try:
        old.__code__ = new.__code__
    except ValueError:  # another number of closed-over variables
        return 0
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
    return 1
