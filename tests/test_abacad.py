"""The package: instant to import, with a verb's function under its name, and nothing else."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import abacad
from abacad.errors import AbacadError
from abacad.recipes import read_recipe
from abacad.simulator.presets import PRESETS


@pytest.mark.parametrize("name", [name for name in abacad.__all__ if name != "__version__"])
def test_every_public_name_leads_to_what_it_names(name):
    found = getattr(abacad, name)
    assert found is not None
    if inspect.isfunction(found) or inspect.isclass(found):
        assert found.__name__ == name
        assert found.__doc__


def test_names_are_the_objects_of_their_homes():
    assert abacad.AbacadError is AbacadError
    assert abacad.read_recipe is read_recipe
    assert abacad.PRESETS is PRESETS


def test_a_name_that_is_none_is_told_as_pythons_own():
    with pytest.raises(AttributeError, match="module 'abacad' has no attribute 'nonsense'"):
        _ = abacad.nonsense
    assert not hasattr(abacad, "config_")


def test_all_public_names_are_listed():
    assert dir(abacad) == sorted(abacad.__all__)
    assert len(set(abacad.__all__)) == len(abacad.__all__)


def test_type_checkers_are_told_the_same_names_and_homes():
    home = Path(abacad.__file__).parent
    assert (home / "py.typed").is_file()
    stub = ast.parse((home / "__init__.pyi").read_text(encoding="utf-8"))
    told = {node.names[0].asname: node.module for node in stub.body if isinstance(node, ast.ImportFrom)}
    assert told == abacad._HOMES


def test_importing_it_imports_nothing_heavy():
    code = "import sys, abacad; print([n for n in ('torch', 'numpy', 'pandas', 'yaml') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
