"""The review page: waterfalls of candidates, with a key for each verdict, in one HTML file that needs no server.

review.html     data as JSON, pictures as PNG of some 30 kB each, script and style; nothing comes from the network
review-files/   the pictures, when there are more than some two thousand candidates
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, select_autoescape

from abacad.errors import AbacadError, brief
from abacad.files import replacing, write_text
from abacad.show.guide import Guide
from abacad.show.picture import (
    Layout,
    data_uri,
    evidence_legend,
    evidence_png,
    waterfall_png,
)
from abacad.show.waterfall import TruePath, true_points
from abacad.types import CadenceArray

MOST_WITHIN = 2000
"""Largest number of candidates whose pictures stand in the page; browsers open larger files slowly."""

# A training takes the first as label 1, the next two as 0, and leaves out what is unsure.
VERDICTS = ("candidate", "rfi", "noise", "unsure")

Blind = Literal["", "needle", "empty"]

# In this order: each file uses what those before it define. Plain scripts in one element, since a browser loads no
# modules of a page that is opened from a disk.
_PARTS = ("review_store.js", "review_table.js", "review_cards.js", "review_filters.js", "review_sync.js", "review.js")


@dataclass(frozen=True)
class Candidate:
    """One cadence of the page.

    Attributes:
        name: Its id; the exported table names it so.
        log_odds: Its score as log-odds; none where it has no score.
        picture: PNG of its waterfall.
        evidence: PNG of the detector's evidence, transparent, to lie on the waterfall; none where it is not drawn.
        low_mhz: Frequency of its first channel, MHz; none where only channels are known.
        df_hz: Width of a channel, Hz, where it differs from that of the other candidates.
        guide: The guide that is drawn on both sides of its line; none: no guide.
        family: What sort of line it is, such as "drifting line"; a filter of the page.
        label: 1 with a needle, 0 without, as the data say; none where nobody knows.
        truth: True path of a simulated needle, as pieces of (row of the picture, channel).
        blind: `needle` or `empty` where it was simulated to test the reviewer; else empty.
    """

    name: str
    log_odds: float | None
    picture: bytes
    evidence: bytes | None = None
    low_mhz: float | None = None
    df_hz: float | None = None
    guide: Guide | None = None
    family: str = ""
    label: int | None = None
    truth: Sequence[Sequence[tuple[float, float]]] = ()
    blind: Blind = ""


def candidate(
    name: str,
    log_odds: float | None,
    cadence: CadenceArray,
    layout: Layout,
    evidence: CadenceArray | None = None,
    truth: TruePath | None = None,
    **others: Any,
) -> Candidate:
    """Draw the pictures of a candidate; the cadence itself, which is far larger, is not kept.

    Args:
        name: Its id.
        log_odds: Its score; none where it has none.
        cadence: (6, time, freq).
        layout: Where the panels stand in every picture.
        evidence: (6, time, freq) log-odds of neighbourhoods; none is not drawn.
        truth: (6, time) true channel of the needle, NaN where it is dark; none where nothing is known.
        others: Further attributes of `Candidate`.
    """
    # 31 kB of pictures instead of 1.7 MB of powers: two thousand candidates fit into memory, and into one page.
    return Candidate(
        name,
        log_odds,
        waterfall_png(cadence, layout),
        None if evidence is None else evidence_png(evidence, layout),
        truth=() if truth is None else true_points(truth, layout, every=3),
        **others,
    )


@dataclass(frozen=True)
class ReviewPage:
    """A page of candidates.

    Attributes:
        title: Its heading.
        lead: Where the candidates are from.
        layout: Where the panels stand in every picture.
        candidates: In the order in which they are shown, each with a name of its own.
        reader: Name of the person, which the exported table holds.
    """

    title: str
    lead: str
    layout: Layout
    candidates: Sequence[Candidate]
    reader: str = ""

    def __post_init__(self) -> None:
        """Refuse two candidates of one name: verdicts are kept by name, and one of the two would be lost."""
        name, times = max(Counter(one.name for one in self.candidates).items(), key=itemgetter(1), default=("", 0))
        if times > 1:
            raise AbacadError(
                f"{times} candidates are named {brief(name, 80)}: a verdict would not say which it is on.\n"
                "Give each its own name, or a row that stands there twice once."
            )

    @property
    def digest(self) -> str:
        """A number in 16 hexadecimal digits that changes with the candidates' names and pictures.

        Verdicts are stored under it: a new page of other candidates does not show those of an older one.
        """
        content = hashlib.sha256()
        for one in self.candidates:
            # A name ends in a byte that no name holds, or "ab" + "c" and "a" + "bc" would have one digest.
            content.update(f"{one.name}\0".encode())
            content.update(one.picture)
        return content.hexdigest()[:16]

    def write(self, path: Path) -> Path:
        """Write the page, and a folder of pictures beside it where there are more than `MOST_WITHIN` candidates."""
        folder = None
        if len(self.candidates) > MOST_WITHIN:
            folder = path.with_name(f"{path.stem}-files")
            for place, one in enumerate(self.candidates):
                _write_bytes(folder / f"{place:05d}.png", one.picture)
                if one.evidence is not None:
                    _write_bytes(folder / f"{place:05d}e.png", one.evidence)
        write_text(path, self.html(None if folder is None else folder.name))
        return path

    def html(self, folder: str | None = None, server: bool = False) -> str:
        """The page as text.

        Args:
            folder: Folder beside the page with the pictures; none puts them into the page.
            server: Whether verdicts are also sent to the server that sent the page; requests to it carry the digest.
        """
        environment = Environment(
            loader=PackageLoader("abacad.show"), autoescape=select_autoescape(default=True), keep_trailing_newline=True
        )
        # Put in as they are and not as templates: braces of JavaScript would be taken for those of jinja2.
        sources = {name: _source(environment, name) for name in ("review.css", *_PARTS)}
        return environment.get_template("review.html.j2").render(
            title=self.title,
            lead=self.lead,
            told=self.layout.told(),
            legend=evidence_legend(),
            style=sources.pop("review.css"),
            script="\n".join(sources.values()),
            data=_json(self._data(folder, server)),
            has_evidence=any(one.evidence is not None for one in self.candidates),
            has_truth=any(one.truth or one.label is not None for one in self.candidates),
            has_mhz=any(one.low_mhz is not None for one in self.candidates),
            is_served=server,
            is_blind=any(one.blind for one in self.candidates),
        )

    def _data(self, folder: str | None, server: bool) -> dict[str, Any]:
        layout, axes, digest = self.layout, self.layout.axes, self.digest
        address = partial(_address, folder=folder, query=f"?page={digest}" if server else "")
        return {
            "digest": digest,
            "reader": self.reader,
            "server": server,
            "layout": {
                "n_freq": axes.n_freq,
                "df_hz": axes.df_hz,
                "panel_s": axes.panel_s,
                "starts": list(layout.starts_s),
                "tops": list(layout.tops),
                "rows": layout.n_rows,
                "height": layout.height,
            },
            "items": [self._item(place, one, address) for place, one in enumerate(self.candidates)],
            # Encoded, so that a reader who opens the source of the page does not learn by chance which ones are tests.
            "blind": base64.b64encode(json.dumps([one.blind for one in self.candidates]).encode()).decode(),
        }

    @staticmethod
    def _item(place: int, one: Candidate, address: Callable[[bytes, str], str]) -> dict[str, Any]:
        guide = one.guide
        return {
            "id": one.name,
            # Rounded: nobody reads more digits, and a page holds thousands of scores.
            "score": None if one.log_odds is None else round(one.log_odds, 3),
            "mhz": one.low_mhz,
            "df_hz": one.df_hz,
            "line": None if guide is None else [round(guide.channel, 2), guide.drift_hz_s, round(guide.strength, 1)],
            "drawn": guide is not None and guide.is_drawn,
            "family": one.family,
            "label": one.label,
            "truth": [[[round(row, 1), round(channel, 1)] for row, channel in piece] for piece in one.truth],
            # Numbered, not named: ids hold signs that file systems do not allow, and one could tell what was simulated.
            "picture": address(one.picture, f"{place:05d}.png"),
            "evidence": None if one.evidence is None else address(one.evidence, f"{place:05d}e.png"),
        }


def _address(picture: bytes, name: str, folder: str | None, query: str) -> str:
    """Where the page finds a picture: in itself, or in a folder beside it."""
    return data_uri(picture) if folder is None else f"{folder}/{name}{query}"


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _json(data: dict[str, Any]) -> str:
    """JSON that may stand in a script element: no text in it can end the element."""
    # An id with `</script>` in it would end the element and be run; within JSON, \u003c means the same as `<`.
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def _write_bytes(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)
