"""The documents say what the code does, and the project speaks of itself alone."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from abacad.cli import VERBS, parser_of
from abacad.recipes import packaged_recipes
from tests.show.pages import Opened

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="from 3.13 on argparse writes `--a, --b VALUE`; docs have 3.11's"
)
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


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "tutorials").glob("*.md")), ids=lambda page: page.name)
def test_the_tutorials_commands_can_be_parsed(page):
    text = page.read_text(encoding="utf-8")
    commands = [line.split(" > ")[0] for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
                for line in block.splitlines()]  # fmt: skip
    assert commands
    for command in commands:
        abacad, name, *words = shlex.split(command)
        assert abacad == "abacad"
        if name in VERBS:
            words = [word for word in words if word != "--print_config"]
            parser_of(name, words).parse_args(words)
        else:
            assert name == "--version"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as `make docs` does."""
    pytest.importorskip("furo")
    pytest.importorskip("myst_parser")
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", "-b", "html", ROOT / "docs", folder]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_is_built_without_a_warning(site):
    pages = {page.relative_to(site).as_posix() for page in site.rglob("*.html")}
    assert {"index.html", "api.html", "cli.html", "tutorials/astronomer.html", "gallery.html"} <= pages
    # The page on searching telescope files was called search.md, and the theme's own search page took its place.
    assert "joint SNR" in (site / "searching.html").read_text(encoding="utf-8")
    assert "abacad.run.score.score" in (site / "api.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
@pytest.mark.parametrize("page", ["index", "gallery", "tutorials/astronomer"])
def test_the_site_leaves_nobody_out(browser, site, page, width, scheme):
    opened = Opened(browser, site / f"{page}.html", width, scheme)
    assert opened.serious() == []
    assert opened.tab.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in opened.asked if not url.startswith(("file:", "data:"))] == []
    opened.context.close()


def test_no_page_has_a_name_that_the_site_takes_for_itself():
    taken = {"search", "genindex", "py-modindex"}
    assert not [page for page in (ROOT / "docs").rglob("*.md") if page.stem in taken]


def test_every_public_name_stands_in_the_reference():
    import abacad

    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    missing = [name for name in abacad.__all__ if not re.search(rf"\b{name}\b", text)]
    assert missing == ["__version__"]


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


def test_the_tests_that_reliability_names_exist():
    told = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    told = told[: told.index("## Not done")]
    rows = [row.rsplit("|", 2)[1] for row in told.splitlines() if row.startswith("|") and "`" in row.rsplit("|", 2)[1]]
    items = [item.partition(": ")[2] for item in re.findall(r"^- .*(?:\n  .*)*", told, re.MULTILINE)]
    named = {name for part in rows + items for name in re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+)`", part)}
    ours = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    functions = " ".join(re.findall(r"def (test_\w+)", ours))
    assert len(named) > 90
    assert [name for name in named if name not in functions] == []


def test_no_lock_names_an_address():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.match(r"[A-Za-z0-9_.-]+==[^\s/]+( ; [^/]+)?$", line), line
