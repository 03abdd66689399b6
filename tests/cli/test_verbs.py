"""All verbs in one order, none forgotten, and each with the defaults of the function of its name."""

import inspect

import pytest

import abacad
from abacad.cli import parser_of
from abacad.cli.verbs import _ALL, _ORDER, VERBS

NEEDED = {"simulate": ["OUT"], "predict": ["RUN"], "submit": ["RUN"], "report": ["RUN"], "review": ["SOURCE"],
          "score": ["FILE"], "bound": ["DATA"], "export": ["OUT"], "compare": ["RUN"]}  # fmt: skip
NAMES = {"train": "n_train", "test": "n_test", "paths": "paths"}
"""Options that are shorter than the parameters they set."""
TOLD = {
    ("audit", "out"): "a path as text",
    ("score", "out"): "Python gives the table back and needs no file",
    ("search", "out"): "Python is asked to name the folder",
    ("train", "recipe"): "the command line resolves it",
    ("train", "run"): "the command line names it after the recipe",
    ("pretrain", "recipe"): "the command line resolves it",
}
"""Options whose default differs from the function's, with the reason."""


def test_every_verb_has_its_place_and_no_other():
    assert list(VERBS) == list(_ORDER)
    assert set(_ORDER) == set(_ALL)
    assert len(set(_ORDER)) == len(_ORDER)


@pytest.mark.parametrize("name", [name for name, verb in VERBS.items() if verb.in_python])
def test_the_command_line_has_the_defaults_of_the_function(name):
    parsed = vars(parser_of(name).parse_args(NEEDED.get(name, [])))
    parameters = inspect.signature(getattr(abacad, name)).parameters
    differ, common = {}, 0
    for option, ours in parsed.items():
        parameter = parameters.get(option) or parameters.get(NAMES.get(option, ""))
        if parameter is None or parameter.default is inspect.Parameter.empty or (name, option) in TOLD:
            continue
        common += 1
        theirs = parameter.default
        same = list(ours) == list(theirs) if isinstance(ours, list | tuple) else str(ours) == str(theirs)
        if not same:
            differ[option] = (ours, theirs)
    assert differ == {}
    assert common or name in {"report", "compare", "train"}


@pytest.mark.parametrize("name", VERBS)
def test_every_option_that_a_function_has_can_be_given(name):
    if not VERBS[name].in_python:
        return
    options = set(vars(parser_of(name).parse_args(NEEDED.get(name, []))))
    given = {option for option in options} | {NAMES[option] for option in options if option in NAMES}
    parameters = set(inspect.signature(getattr(abacad, name)).parameters)
    others = {"overrides", "simulation", "recipe", "listen"} | ({"folder"} if name == "submit" else set())
    assert parameters - given - others == set()
