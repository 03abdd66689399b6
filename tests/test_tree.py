"""The tests mirror the tree: who changes src/abacad/a/b.py finds its tests in tests/a/test_b.py, and the reverse."""

import ast
import importlib.util
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "abacad"
FEW_LINES, MOST_LINES = 15, 300

WITHOUT: dict[str, str] = {}
"""Modules without a test file of their own, each with the reason."""

OF_SEVERAL = {
    "test_dependencies.py": "what `make audit` says of licences and vulnerabilities",
    "test_docs.py": "every document against the code that it tells of",
    "test_examples.py": "the examples of all docstrings",
    "test_extending.py": "what docs/extending.md promises to whoever adds a part",
    "test_notebook.py": "a notebook that is run from end to end",
    "test_tree.py": "this file",
    "bad_input/test_checkpoints.py": "malformed states of a fold, each refused by the reader that meets it",
    "bad_input/test_every_bad_input.py": "malformed inputs to every verb, judged alike",
    "bad_input/test_messages.py": "bad input through the command line",
    "data/test_hdf5_damaged.py": "what a fuzzer made of HDF5 files, by way of the reader of all formats",
    "faults/test_disk.py": "a full disk under several verbs",
    "faults/test_kills.py": "kills of several verbs at their file operations",
    "faults/test_machine.py": "killed readers, little memory and a clock that jumps, under several verbs",
    "faults/test_rights.py": "files and folders without rights, for every verb",
    "faults/test_vanishing.py": "files that change between check and use",
    "learn/test_going_on.py": "what goes on after a stop: curves, averaged epochs, a time budget",
    "learn/test_holding_back.py": "what a fold holds back: data, training and scores together",
    "model/test_timetable.py": "one timetable for detector, classical search and checkpoint",
    "run/test_pipeline.py": "the verbs one after the other",
    "searcher/test_turboseti.py": "files that another program reads",
    "show/test_pages_browser.py": "pages of every sort in a browser",
    "show/test_review_browser.py": "the review page in a browser",
    "show/test_review_served.py": "the review page and its server in a browser",
    "simulator/test_leak.py": "labels cannot be told from files or noise",
    "simulator/test_setigen.py": "the simulator against another one",
}
"""Test files of no single module, each with what it holds together."""


def modules() -> list[Path]:
    return sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))


def mirror_of(module: Path) -> Path:
    """tests/a/test_b.py of a/b.py; tests/test_a.py of a/__init__.py; tests/test_abacad.py of the package's own."""
    if module.name != "__init__.py":
        return module.with_name(f"test_{module.name}")
    return module.parent.with_name(f"test_{module.parent.name}.py") if module.parent.name else Path("test_abacad.py")


def does_something(module: Path) -> bool:
    """Whether there is more in a module than its docstring and imports, and it is longer than a few lines."""
    text = (SOURCE / module).read_text(encoding="utf-8")
    told = (ast.Expr, ast.Import, ast.ImportFrom)
    return text.count("\n") > FEW_LINES and any(not isinstance(node, told) for node in ast.parse(text).body)


def test_every_module_has_a_test_file_of_its_own():
    without = [
        str(module)
        for module in modules()
        if does_something(module) and str(module) not in WITHOUT and not (TESTS / mirror_of(module)).is_file()
    ]
    assert without == []


def test_every_test_file_is_a_modules_or_says_what_it_holds_together():
    expected = {str(mirror_of(module)) for module in modules()} | OF_SEVERAL.keys()
    found = {str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py")}
    assert sorted(found - expected) == []


def test_the_exceptions_are_needed():
    files = {str(module) for module in modules()}
    assert [name for name in WITHOUT if name not in files or (TESTS / mirror_of(Path(name))).is_file()] == []
    assert [name for name in OF_SEVERAL if not (TESTS / name).is_file()] == []


def test_files_of_tests_are_short():
    lengths = {str(path.relative_to(TESTS)): path.read_text().count("\n") for path in TESTS.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length >= MOST_LINES} == {}


def imported_from_abacad(script: Path) -> list[tuple[str, str]]:
    """Module and name of each `from abacad… import name` in a script that no checker of types reads."""
    nodes = [
        node for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)
    ]
    named = [(node.module or "", one.name) for node in nodes for one in node.names]
    return [(module, name) for module, name in named if module.partition(".")[0] == "abacad"]


@pytest.mark.parametrize("folder", ["benchmarks", "docs", "notebooks"])
def test_scripts_outside_the_package_import_what_is_there(folder):
    """A benchmark that is run twice a year once named a function that had moved."""
    gone = []
    for script in sorted((TESTS.parent / folder).rglob("*.py")):
        for module, name in imported_from_abacad(script):
            holder = importlib.import_module(module)
            if not hasattr(holder, name) and importlib.util.find_spec(f"{module}.{name}") is None:
                gone.append(f"{script.name}: {module}.{name}")
    assert gone == []
