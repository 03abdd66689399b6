"""How the site is built: `make docs` writes it to docs/_build/html.

Sphinx with MyST (the pages stay plain Markdown, as they are read in the repository) and the theme Furo.
"""

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

import abacad

project = "abacad"
author = "the abacad authors"
project_copyright = "2026, the abacad authors; BSD-3-Clause"
release = abacad.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = f"abacad {release}"
html_copy_source = False
html_show_sphinx = False
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_custom_sections = [("Example", "example")]
nitpicky = False
# pages that lead to files of the repository lead there on the site, too, by way of the file's text
suppress_warnings = ["myst.xref_missing"]


def _for_everybody(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """What the theme leaves out: a level for the headings of the menu, and code that the keyboard can scroll."""
    menu = context.get("furo_navigation_tree")
    if menu:
        context["furo_navigation_tree"] = menu.replace('role="heading"', 'role="heading" aria-level="2"')
    if "body" in context:
        context["body"] = re.sub(r"<pre(?![^>]*tabindex)", '<pre tabindex="0"', context["body"])


def setup(app: Any) -> None:
    """Run after the theme's own step, which fills the menu."""
    app.connect("html-page-context", _for_everybody, priority=900)
