"""Draws a cadence as a small picture: rows and channels are averaged into pixels of 15 greys, a PNG of about 20 kB.

    pixel = (mean of the rows and channels that it covers − median of its panel) / σ, in 15 greys from −2 to +5.5 σ
    σ     = 1.4826 · median |pixel − median of its panel|

The mean of n rows raises the SNR of a line by √n; showing every n-th row would not. Time runs downwards, and
transparent rows stand for the slews between the panels.
"""

import base64
import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from PIL import Image

from abacad.signal.cadence import N_PANELS, Axes
from abacad.signal.deviation import MAD_TO_SIGMA
from abacad.types import CadenceArray

MOST_ROWS, MOST_CHANNELS = 32, 256
"""Largest number of rows of a panel, and of channels, in a picture."""

LOWEST, STEP, N_GREYS = -2.0, 0.5, 15
"""Value of the darkest grey and step from grey to grey, in σ of a pixel of the picture; number of greys."""

EVIDENCE_EDGES = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Log-odds of a neighbourhood at which the shades begin; the same on all pages, so that pictures can be compared."""

_CLEAR = N_GREYS  # entry of the palette for the slews, which is transparent: 15 greys and this fill four bits
_FOR, _AGAINST = (200, 30, 30), (40, 90, 220)  # red and blue, which people who do not tell red from green tell apart
_OPACITY = (70, 120, 170, 210, 240)
_LONGEST_GAP = 0.4  # of a panel; a longer slew is cut to that, or panels an hour apart would become thin stripes


@dataclass(frozen=True)
class Layout:
    """Where the panels stand in a picture, and what its pixels cover.

    Attributes:
        axes: Axes of the cadences that are drawn.
        n_rows: Rows of a panel in the picture.
        n_channels: Channels of the picture.
        tops: First row of each panel.
    """

    axes: Axes
    n_rows: int
    n_channels: int
    tops: tuple[int, ...]

    @classmethod
    def of(cls, axes: Axes) -> "Layout":
        """The layout of cadences with these axes.

        Example:
            >>> from abacad.show.picture import Layout
            >>> from abacad.signal.cadence import Axes
            >>> layout = Layout.of(Axes())
            >>> layout.n_rows, layout.n_channels, layout.tops
            (32, 256, (0, 34, 69, 103, 138, 172))
        """
        # Few rows: each mean of n rows lifts a line by √n, and a page shows hundreds of pictures.
        n_rows = min(MOST_ROWS, axes.n_time)
        row_s = axes.panel_s / n_rows
        tops, top = [0], 0.0
        # Usual gaps are to scale, so that a straight line through the cadence is straight in the picture as well.
        for before, start in zip(axes.panel_start_s, axes.panel_start_s[1:], strict=False):
            gap = min((start - before - axes.panel_s) / row_s, _LONGEST_GAP * n_rows)
            top += n_rows + max(0.0, gap)
            tops.append(round(top))
        return cls(axes, n_rows, min(MOST_CHANNELS, axes.n_freq), tuple(tops))

    @property
    def starts_s(self) -> tuple[float, ...]:
        """Seconds from the start of the first panel to that of each."""
        first = self.axes.panel_start_s[0]
        return tuple(start - first for start in self.axes.panel_start_s)

    @property
    def height(self) -> int:
        """Rows of the picture."""
        return self.tops[-1] + self.n_rows

    @property
    def row_s(self) -> float:
        """Seconds that a row of the picture covers: 273 rows of 1.07 s in 32 are 9.2 s each."""
        return self.axes.panel_s / self.n_rows

    def row(self, panel: int, seconds: float) -> float:
        """The row of the picture at that many seconds after the start of a panel."""
        return self.tops[panel] + seconds / self.row_s

    def told(self, each: int = 1) -> str:
        """Sentences for a caption: what one pixel covers, since a picture that averages has to say so, and its greys.

        Args:
            each: Channels of the files that were averaged into one of the cadence before.
        """
        rows, channels = self.axes.n_time / self.n_rows, each * self.axes.n_freq / self.n_channels
        several = [f"{_brief(n)} {name}" for n, name in ((rows, "rows"), (channels, "channels")) if n > 1]
        what = f"the mean of {' and '.join(several)}" if several else "one row and channel"
        size = f"{_brief(self.row_s)} s, {_brief(self.axes.df_hz * channels / each)} Hz"
        # The whitest grey begins one step below its upper end.
        white = LOWEST + STEP * (N_GREYS - 1)
        greys_told = f"black: −{-LOWEST:.0f} σ of such pixels or less, white: +{white:.0f} σ or more"
        return f"A pixel is {what} ({size}); {greys_told}."


def _brief(value: float) -> str:
    """Two digits, or all before the point."""
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def averaged(cadence: CadenceArray, layout: Layout) -> Float[np.ndarray, "panel row channel"]:
    """Means over the rows and channels of each pixel; blocks differ by one row at most."""
    by_rows = _mean(np.asarray(cadence, dtype=np.float64), 1, layout.n_rows)
    return _mean(by_rows, 2, layout.n_channels)


def _mean(values: np.ndarray, axis: int, n: int) -> np.ndarray:
    # Blocks of unlike size instead of a remainder that is left out: 273 rows make 32 pixels of 8 or 9.
    edges = np.round(np.linspace(0, values.shape[axis], n + 1)).astype(int)
    shape = [1] * values.ndim
    shape[axis] = n
    return np.add.reduceat(values, edges[:-1], axis) / np.diff(edges).reshape(shape)


def in_sigma(pixels: Float[np.ndarray, "panel row channel"]) -> Float[np.ndarray, "panel row channel"]:
    """Pixels above the median of their panel, in its robust σ; a panel without any variation is 0."""
    above = pixels - np.median(pixels, axis=(1, 2), keepdims=True)
    sigma = MAD_TO_SIGMA * np.median(np.abs(above), axis=(1, 2), keepdims=True)
    return np.divide(above, sigma, out=np.zeros_like(above), where=sigma > 0)


def greys(cadence: CadenceArray, layout: Layout) -> Int[np.ndarray, "panel row channel"]:
    """The grey of each pixel, 0 (−2 σ and below) to 14 (+5 σ and above)."""
    sigmas = in_sigma(averaged(cadence, layout))
    # Half a σ a grey: finer steps would show nothing, as noise moves each pixel by two of these.
    return np.clip(np.floor((sigmas - LOWEST) / STEP), 0, N_GREYS - 1).astype(int)


def waterfall_png(cadence: CadenceArray, layout: Layout) -> bytes:
    """The picture of a cadence: bright is strong; `layout` says where its panels stand."""
    ramp = [round(255 * grey / (N_GREYS - 1)) for grey in range(N_GREYS)]
    return _png(_stacked(greys(cadence, layout), layout, _CLEAR), [(grey, grey, grey, 255) for grey in ramp])


def evidence_png(evidence: CadenceArray, layout: Layout) -> bytes:
    """The layer that shows where a detector saw its evidence: red for a needle, blue against one, else transparent.

    Args:
        evidence: (6, time, freq) in log-odds of a neighbourhood.
        layout: Layout of the waterfall on which it lies.
    """
    values = averaged(evidence, layout)
    shades = np.digitize(np.abs(values), EVIDENCE_EDGES)
    n = len(EVIDENCE_EDGES)
    index = np.where((values < 0) & (shades > 0), shades + n, shades)
    colours = [(*colour, opacity) for colour in (_FOR, _AGAINST) for opacity in _OPACITY]
    return _png(_stacked(index, layout, 0), [(0, 0, 0, 0), *colours])


def evidence_legend() -> list[tuple[str, str]]:
    """Pairs (colour as CSS, log-odds from which on it is drawn), from strongest against to strongest for a needle."""
    sides = ((_AGAINST, -1, list(zip(EVIDENCE_EDGES, _OPACITY, strict=True))[::-1]),
             (_FOR, 1, list(zip(EVIDENCE_EDGES, _OPACITY, strict=True))))  # fmt: skip
    return [
        (f"rgba({colour[0]},{colour[1]},{colour[2]},{opacity / 255:.2f})", f"{sign * edge:+g}".replace("-", "−"))
        for colour, sign, steps in sides
        for edge, opacity in steps
    ]


def data_uri(png: bytes) -> str:
    """A PNG as the address of a picture within a page."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _stacked(panels: Int[np.ndarray, "panel row channel"], layout: Layout, empty: int) -> np.ndarray:
    """One image of all panels, each at its place in time; `empty` fills the slews between them."""
    picture = np.full((layout.height, layout.n_channels), empty, dtype=np.uint8)
    for panel in range(N_PANELS):
        picture[layout.tops[panel] : layout.tops[panel] + layout.n_rows] = panels[panel]
    return picture


def _png(index: np.ndarray, colours: list[tuple[int, ...]]) -> bytes:
    """A PNG with a palette, four bits a pixel; entries after the given colours are transparent."""
    # A palette, since 16 entries take four bits a pixel: with the full colour a page of candidates is several times as
    # large (docs/adr/0003-tools.md).
    image = Image.frombytes("P", index.shape[::-1], index.tobytes())
    padded = colours + [(0, 0, 0, 0)] * (16 - len(colours))
    image.putpalette([int(part) for colour in padded for part in colour[:3]])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", bits=4, optimize=True, transparency=bytes(int(colour[3]) for colour in padded))
    return buffer.getvalue()
