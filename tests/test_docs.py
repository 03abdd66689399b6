"""The documents say what the code does, and the project speaks of itself alone."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from abacad.cli import VERBS, parser_of
from abacad.recipes import packaged_recipes

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_command_reference_is_up_to_date():
    done = subprocess.run([sys.executable, ROOT / "docs" / "make_cli.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_readme_names_every_verb_and_recipe():
    assert all(f"abacad {name}" in README or f"make {name}" in README for name in VERBS if name != "simulate")
    assert all(f"`{name}`" in README for name in packaged_recipes())


def test_the_readmes_commands_can_be_parsed():
    commands = re.findall(r"^abacad (\w+) ([^#\n]*)", README, re.MULTILINE)
    assert len(commands) >= 5
    for name, rest in commands:
        words = rest.split()
        parser_of(name, words).parse_args(words)


def test_the_two_commands_come_first():
    assert README.index("make demo") < README.index("make test") < README.index("## What it is for")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^demo:", makefile, re.MULTILINE)
    assert re.search(r"^test:", makefile, re.MULTILINE)
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name
)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_no_lock_names_an_address():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.match(r"[A-Za-z0-9_.-]+==[^\s/]+( ; [^/]+)?$", line), line
