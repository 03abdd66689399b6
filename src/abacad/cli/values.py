"""What jsonargparse says of a value that does not fit its option, in a sentence without names of Python types."""

import re

from abacad.errors import brief

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "tuple": "a list",
    "NoneType": "null",
    "Path": "a path",
}
_OF_MANY = {"int": "a list of whole numbers", "float": "a list of numbers", "str": "a list of texts"}


def told_of_value(said: str) -> str:
    """A message of jsonargparse, in plain words where it is one on the value of an option.

    Example:
        >>> from abacad.cli.values import told_of_value
        >>> told_of_value("Parser key \\"optim.lr\\": Expected a <class 'float'>. Got value: fast")
        "--optim.lr must be a number, not 'fast'."
    """
    # By patterns, since jsonargparse raises one error for all and keeps its parts in the text alone.
    found = re.search(r'Parser key "([^"]+)"[^:]*:\s*(.*)', said, re.DOTALL)
    if not found:
        return said
    key, what = found.groups()
    if "codec can't encode" in what:
        return f"{key}: a name holds bytes that are no UTF-8."
    value = re.search(r"(?:Got value|Given value): *(.*?)\s*$", what, re.DOTALL)
    wanted = _wanted(what)
    if value is None or wanted is None:
        return said
    return f"--{key} {wanted}, not {brief(repr(value[1]), 60)}."


def _wanted(what: str) -> str | None:
    """What the option takes; none where the message is of another sort."""
    if choices := re.search(r"Literal\[([^]]*)\]", what):
        return f"is {choices[1].replace(chr(39), '')}"
    if elements := re.search(r"Expected a tuple with (\d+) elements", what):
        return f"takes {elements[1]} values"
    if several := re.search(r"Subtypes: \[(.*?)\]\s+Errors:", what, re.DOTALL):
        return f"must be {_joined([_type(one) for one in several[1].split(', <')])}"
    if one := re.search(r"Expected a (<class '[\w.]+'>)", what):
        return f"must be {_type(one[1])}"
    return None


def _type(named: str) -> str:
    many = re.search(r"tuple\[(\w+), \.\.\.\]", named)
    # "<class 'int'>, tuple[int, ...]" is one part of a list that is split before the next class
    first = re.search(r"class '(?:\w+\.)*(\w+)'", named)
    told = [_TYPES.get(first[1], first[1])] if first else []
    return _joined([*told, *([_OF_MANY.get(many[1], "a list")] if many else [])])


def _joined(parts: list[str]) -> str:
    return " or ".join(parts)
