"""The detector comes late: what searches for lines imports no torch, which with the detector takes 0.6 GB."""

import ast
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import abacad
from abacad.errors import AbacadError
from abacad.learn.run_folder import judge_of
from abacad.model.judge import shipped
from abacad.searcher.late import LateJudge

ROOT = Path(abacad.__file__).parent


def imported_by(module):
    """Modules that a module of the package imports when it is imported itself, and not when a function is called."""
    path = ROOT.parent / module.replace(".", "/")
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.parse(source.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            is_module = [(ROOT.parent / f"{node.module}.{name.name}".replace(".", "/")) for name in node.names]
            yield node.module
            for name, place in zip(node.names, is_module, strict=True):
                if place.with_suffix(".py").exists() or place.is_dir():
                    yield f"{node.module}.{name.name}"


def reached_from(start):
    """All modules that come with one, each with the one that imports it."""
    found, waiting = {start: ""}, [start]
    while waiting:
        module = waiting.pop()
        if module.split(".")[0] != "abacad":
            continue
        for name in imported_by(module):
            if name not in found:
                found[name] = module
                waiting.append(name)
    return found


@pytest.mark.parametrize("module", ["abacad.run.search", "abacad.searcher.task", "abacad.searcher.stamp"])
def test_a_search_for_lines_comes_without_torch(module):
    found = reached_from(module)
    assert len(found) > 10
    assert "numba" in found
    assert "torch" not in found, f"torch is imported by {found.get('torch')}"


def test_the_late_judge_is_the_packages_and_travels_as_a_name():
    late = LateJudge(None, 16)
    assert len(pickle.dumps(late)) < 1000
    cadences = torch.rand(2, 6, 16, 256, generator=torch.Generator().manual_seed(1))
    assert late.judge.flips == ("identity",)
    # A search shows it stamps, and windows where it is asked to: each is another detector's.
    for stamps in (True, False):
        expected = replace(judge_of(shipped(16, stamps), torch.device("cpu")), flips=("identity",))
        of_those = LateJudge(None, 16, stamps=stamps).scores(cadences)
        np.testing.assert_allclose(of_those, expected.scores(cadences), rtol=1e-5)
    assert not np.allclose(of_those, late.scores(cadences), rtol=1e-2)


def test_weights_that_are_not_there_are_refused_when_asked(tmp_path):
    with pytest.raises(AbacadError, match="nothing"):
        _ = LateJudge(tmp_path / "nothing", 16).judge
