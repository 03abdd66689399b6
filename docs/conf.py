"""How the site is built: `make docs` writes it to docs/_build/html.

Sphinx with MyST (the pages stay plain Markdown, as they are read in the repository) and the theme Furo.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

import abacad

project = "abacad"
author = "the abacad authors"
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
