"""Writes docs/cli.md from the command line's own help; with `--check`, only says whether it is up to date."""

import os
import sys
from pathlib import Path

os.environ["COLUMNS"] = "110"

from abacad.cli import VERBS, overview, parser_of

PAGE = Path(__file__).parent / "cli.md"


def reference() -> str:
    """The whole page."""
    parts = [
        "# Command line\n\n"
        "Written by `make docs` from the help of each verb. The verbs are Python functions, too: `abacad.train(…)`.\n\n"
        f"```text\n{overview()}\n```\n"
    ]
    parts += [f"## abacad {name}\n\n```text\n{parser_of(name).format_help().rstrip()}\n```\n" for name in VERBS]
    return "\n".join(parts)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == reference() else "docs/cli.md is out of date: make docs")
    PAGE.write_text(reference(), encoding="utf-8")
