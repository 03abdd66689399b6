"""The names of shapes say what they allow, and a function that is annotated with them is checked in the tests."""

import importlib
import pkgutil
import sys
from inspect import get_annotations, isclass, isfunction
from types import SimpleNamespace
from typing import get_type_hints

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError, jaxtyped

import abacad
from abacad.types import CadenceArray, Logits, Panels, Planes
from tests import checked


@jaxtyped(typechecker=checked)
def array(cadence: CadenceArray) -> None: ...


@jaxtyped(typechecker=checked)
def panels(values: Panels) -> None: ...


@jaxtyped(typechecker=checked)
def planes(values: Planes) -> None: ...


@jaxtyped(typechecker=checked)
def answer(values: Panels) -> Logits:
    return values.flatten(1).mean(1) if values.ndim == 4 else values


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_cadence_is_panels_of_rows_of_channels(dtype):
    array(np.zeros((6, 4, 8), dtype))
    for wrong in (np.zeros((4, 8), dtype), np.zeros((1, 6, 4, 8), dtype), np.zeros((6, 4, 8), int)):
        with pytest.raises(TypeCheckError):
            array(wrong)


@pytest.mark.parametrize("take", [panels, planes])
def test_one_or_a_batch_of_any_depth(take):
    for shape in ((6, 4, 8), (2, 6, 4, 8), (3, 2, 6, 4, 8)):
        take(torch.zeros(shape))
    with pytest.raises(TypeCheckError):
        take(torch.zeros(4, 8))
    with pytest.raises(TypeCheckError):
        take(torch.zeros(6, 4, 8, dtype=torch.long))


def test_a_detector_gives_one_number_a_cadence():
    answer(torch.zeros(5, 6, 4, 8))
    with pytest.raises(TypeCheckError):
        answer(torch.zeros(6, 4, 8))


def owned(module):
    """The functions and classes of a module, and the functions of those classes."""
    for thing in vars(module).values():
        if getattr(thing, "__module__", None) == module.__name__ and (isfunction(thing) or isclass(thing)):
            yield thing
            yield from (one for one in vars(thing).values() if isfunction(one)) if isclass(thing) else ()


def test_every_annotation_can_be_looked_up():
    """Checkers of types do so, the earlier ones even where it is a text: `array[int]` is none before Python 3.12."""
    names = [module.name for module in pkgutil.walk_packages(abacad.__path__, "abacad.")]
    things = [thing for name in names for thing in owned(importlib.import_module(name))]
    assert len(things) > 1000
    for thing in things:
        # of a class its own alone: a class of another library that it is built on may have some that only checkers know
        own = SimpleNamespace(__annotations__=get_annotations(thing))
        get_type_hints(own, vars(sys.modules[thing.__module__]))
