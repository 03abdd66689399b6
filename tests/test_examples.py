"""Every public name has an example, and the examples of the whole package say what they say."""

import doctest
import importlib
import inspect
import pkgutil
import shutil
from dataclasses import replace

import numpy as np
import pytest

import abacad
from abacad.simulator.presets import PRESETS

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules() -> list[str]:
    return ["abacad", *(module.name for module in pkgutil.walk_packages(abacad.__path__, "abacad."))]


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [
        test
        for name in modules()
        if not name.endswith("__main__")
        for test in finder.find(importlib.import_module(name))
        if test.examples
    ]


@pytest.fixture
def workplace(shared_competition, trained_run, tmp_path, monkeypatch):
    """The folder in which the examples run: a small competition, a trained run, and a preset of small cadences."""
    shutil.copytree(shared_competition, tmp_path / "data")
    np.save(tmp_path / "data" / "0a1b2c3d4e5f607.npy", np.zeros((6, 28, 64), np.float16))
    shutil.copytree(trained_run, tmp_path / "runs" / "compact")
    quick = "data: {folds: 2}\nrepresent: {kind: binned}\nmodel: {name: panel, width: 4, pretrained: false}\n"
    (tmp_path / "quick.yaml").write_text(f"{quick}trainer: {{max_epochs: 1, precision: 32-true}}\n")
    small = replace(PRESETS["easy"], axes=replace(PRESETS["easy"].axes, n_time=28, n_freq=64))
    monkeypatch.setitem(PRESETS, "demo", small)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_an_example_says_what_it_says(example, workplace):
    if example.name.endswith("export.export"):
        pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    example.globs |= {"abacad": abacad, "np": np}
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    runner.run(example, out=said.append)
    assert runner.failures == 0, "".join(said)


@pytest.mark.parametrize("name", [name for name in dir(abacad) if callable(getattr(abacad, name))])
def test_every_public_function_has_an_example(name):
    thing = getattr(abacad, name)
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return
    assert ">>> " in (inspect.getdoc(thing) or ""), name
    assert f"{thing.__module__}.{name}" in {test.name for test in examples()}


def test_the_public_names_are_listed():
    assert set(dir(abacad)) == set(abacad.__all__)
    assert {"Cadence", "score", "simulate", "train", "PRESETS", "AbacadError"} <= set(dir(abacad))


def test_a_room_never_hides_a_verb():
    """Importing `abacad.simulator.presets` used to make `abacad.simulate` the room's module."""
    importlib.import_module("abacad.simulator.presets")
    assert inspect.isfunction(inspect.unwrap(abacad.simulate))
    assert abacad.simulate.__module__ == "abacad.run.simulate"
