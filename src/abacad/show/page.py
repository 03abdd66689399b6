"""One self-contained HTML page: sections of text, tables and figures, nothing fetched from anywhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from abacad.files import write_text

LAYERS = {"guide": "guides along the drift", "true": "true places", "evidence": "evidence"}
"""Layers of the pictures that a reader can switch off: class of the element in the SVG, and its name on the page."""


@dataclass
class Section:
    """A part of a page; what is empty is not shown.

    Attributes:
        title: Its heading.
        text: A paragraph.
        points: A list.
        columns, rows: A table.
        figures: Pairs of a picture (trusted SVG or img element) and its caption.
        legend: Pairs of a colour as CSS and the log-odds that it stands for, above the figures.
        code: Text in a fixed font.
    """

    title: str
    text: str = ""
    points: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    figures: Sequence[tuple[str, str]] = ()
    legend: Sequence[tuple[str, str]] = ()
    code: str = ""


@dataclass
class Page:
    """A page under construction.

    Attributes:
        title: Its heading.
        lead: What it is, in a sentence.
        tiles: Pairs of a name and its figure, shown large at the top.
        sections: The parts, in order.
    """

    title: str
    lead: str = ""
    tiles: Sequence[tuple[str, str]] = ()
    sections: list[Section] = field(default_factory=list)

    def write(self, path: Path) -> Path:
        """Write the page in one step; everything but the figures is escaped."""
        # Everything is escaped unless it says otherwise: ids, names of files and sources come from strangers' headers.
        environment = Environment(loader=PackageLoader("abacad.show"), autoescape=select_autoescape(default=True))
        environment.filters["words"] = _words
        template = environment.get_template("page.html.j2")
        text = template.render(
            title=self.title, lead=self.lead, tiles=self.tiles, sections=self.sections, layers=self._layers()
        )
        write_text(path, text)
        return path

    def _layers(self) -> dict[str, str]:
        """The layers that some picture of the page has; switches for others would do nothing."""
        # By the text of the pictures: they come from several places, and each marks its layers by a class.
        drawn = "".join(picture for section in self.sections for picture, _ in section.figures)
        return {name: told for name, told in LAYERS.items() if f'class="{name}"' in drawn}


def _words(text: object) -> str:
    """Text as HTML: escaped; commands between backticks in a fixed font, and no line ends within `3.4 [3.1, 3.8]`."""
    whole = re.sub(r"[−+\d.]+ \[[^\]]{1,24}\]", r'<span class="whole">\g<0></span>', escape(str(text)))
    return re.sub("`([^`]+)`", r"<code>\1</code>", whole)
