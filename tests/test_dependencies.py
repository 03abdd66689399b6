"""`make audit`: an answer on vulnerabilities is read, and none is never taken for a good one."""

import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "dependencies.py"
CLEAN = {"name": "numpy", "version": "2.0.0", "vulns": []}
KNOWN = {
    "name": "pillow", "version": "10.0.0",
    "vulns": [
        {"id": "PYSEC-2023-1", "fix_versions": ["10.0.1"], "aliases": ["CVE-2023-1"], "description": "Reads beyond."},
        {"id": "PYSEC-2023-2", "fix_versions": [], "aliases": [], "description": ""},
    ],
}  # fmt: skip


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dependencies", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.needed = lambda name: {"numpy": "BSD-3-Clause"}
    return module


def answers(script: ModuleType, monkeypatch: pytest.MonkeyPatch, out: str, said: str = "", status: int = 0) -> None:
    """Let pip-audit end so."""
    done = SimpleNamespace(stdout=out, stderr=said, returncode=status)
    monkeypatch.setattr(script.subprocess, "run", lambda *words, **options: done)


def test_known_vulnerabilities_are_told_and_fail(script, monkeypatch, capsys):
    skipped = {"name": "abacad", "skip_reason": "distribution marked as editable"}
    answers(script, monkeypatch, json.dumps({"dependencies": [CLEAN, KNOWN, skipped], "fixes": []}), status=1)
    assert script.main() == 1
    told = capsys.readouterr().out
    assert "2 known" in told
    assert "pillow 10.0.0: PYSEC-2023-1, fixed in 10.0.1" in told
    assert "PYSEC-2023-2, fixed in no version" in told


def test_a_package_that_nobody_knows_is_not_taken_for_a_good_one(script, monkeypatch, capsys):
    unknown = {"name": "own", "skip_reason": "Dependency not found"}
    answers(script, monkeypatch, json.dumps({"dependencies": [CLEAN, unknown], "fixes": []}))
    assert script.main() == 1
    assert "own: not asked for" in capsys.readouterr().out


def test_none_known_is_well(script, monkeypatch, capsys):
    answers(script, monkeypatch, json.dumps({"dependencies": [CLEAN], "fixes": []}))
    assert script.main() == 0
    assert "vulnerabilities: 0 known" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("", "/usr/bin/python: No module named pip_audit"),
        ("", "ERROR:pip_audit._cli:ConnectionError: no route to the service"),
        ("", ""),
        ("{", ""),
        ("{}", ""),
        ('{"dependencies": []}', ""),
        ('{"dependencies": [{"name": "numpy", "skip_reason": "x"}]}', ""),
        ('{"dependencies": [{"vulns": [{"id": 1}]}]}', ""),
    ],
)
def test_no_answer_is_said_and_is_no_good_one(out, said, script, monkeypatch, capsys):
    answers(script, monkeypatch, out, said, status=1)
    assert script.main() == 2
    assert "UNAVAILABLE" in capsys.readouterr().out


def test_a_service_that_does_not_answer_is_said(script, monkeypatch):
    def waits(*words, **options):
        raise subprocess.TimeoutExpired(words, 300)

    monkeypatch.setattr(script.subprocess, "run", waits)
    with pytest.raises(script.UnavailableError, match="five minutes"):
        script.pip_audit()


def test_licences_are_those_of_all_that_is_needed():
    spec = importlib.util.spec_from_file_location("dependencies", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = script.needed("import-linter")
    assert {"click", "grimp"} <= set(found)
    assert all(found.values())


@pytest.mark.parametrize(
    ("licence", "binds"),
    [("GPL-3.0-only", True), ("AGPL-3.0", True), ("GNU General Public License v3 (GPLv3)", True),
     ("GNU Lesser General Public License v3 (LGPLv3)", False), ("BSD-3-Clause", False), ("MIT", False)],
)  # fmt: skip
def test_licences_that_bind(licence, binds, script):
    assert bool(script.BINDING.search(licence) and not script.NO_BINDING.search(licence)) is binds
