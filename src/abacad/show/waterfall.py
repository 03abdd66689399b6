"""A cadence as a picture with axes: an SVG of some 40 kB that holds the averaged pixels as a PNG.

Time runs downwards as in an observer's notebook. The guide along the drift is a pair of dashes on both sides of the
path, so that it covers nothing of what it points at.
"""

from collections.abc import Sequence
from html import escape

from jaxtyping import Float
from numpy import isfinite, ndarray

from abacad.show.guide import Guide
from abacad.show.picture import Layout, data_uri, evidence_png, waterfall_png
from abacad.signal.cadence import N_PANELS, ON, Axes
from abacad.types import CadenceArray

_LEFT, _TOP, _WIDTH, _HEIGHT, _BELOW = 62, 22, 240, 420, 34
_GUIDE_CHANNELS = 5  # between the path and each of its two guides, of 256
TruePath = Float[ndarray, "panel time"]
"""Channel of a needle in each row; NaN where it is dark."""


def waterfall(
    cadence: CadenceArray,
    title: str = "",
    evidence: CadenceArray | None = None,
    *,
    axes: Axes | None = None,
    low_mhz: float | None = None,
    guide: Guide | None = None,
    truth: TruePath | None = None,
) -> str:
    """Six panels one below the other; ON panels named in green. The caption has to say `Layout.told()`.

    Args:
        cadence: (6, time, freq).
        title: Above it, and its text for those who cannot see it.
        evidence: (6, time, freq) how much each pixel speaks for a needle, in log-odds of a neighbourhood.
        axes: Axes of the cadence, with units; none takes the competition's for so many rows and channels.
        low_mhz: Frequency of its first channel; none labels channels.
        guide: A straight path, drawn as dashed lines on both sides of it where OFF panels do not have it; none: none.
        truth: The needle's true place, drawn in green beside it.
    """
    layout = Layout.of(axes or Axes.usual(*cadence.shape[1:]))
    parts = [_image(waterfall_png(cadence, layout))]
    # One above the other, in this order: evidence over the powers, thin lines over both.
    if evidence is not None:
        parts.append(_image(evidence_png(evidence, layout), "evidence"))
    if truth is not None:
        parts += _true_path(truth, layout)
    if guide is not None and guide.is_drawn:
        parts += _guide(guide, layout)
    parts += _panel_labels(layout) + _time_axis(layout) + _frequency_axis(layout, low_mhz)
    # Pictures, guide and axes share one coordinate system of SVG: they stay aligned at any size, on paper too.
    whole, tall = _LEFT + _WIDTH + 14, _TOP + _HEIGHT + _BELOW
    told = escape(f"Waterfall of {title or 'a cadence'}: six panels, time downwards, frequency to the right")
    return (
        f'<svg class="waterfall" xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{tall}" '
        f'viewBox="0 0 {whole} {tall}" role="img" aria-label="{told}" font-family="sans-serif" font-size="10">'
        f"<title>{told}</title>"
        f'<text x="{_LEFT}" y="13" font-size="11" class="ink">{escape(title)}</text>{"".join(parts)}</svg>'
    )


def _image(png: bytes, name: str = "powers") -> str:
    # Pixelated: a browser would otherwise blur a line one channel wide when it enlarges the picture.
    return (
        f'<image class="{name}" x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="{data_uri(png)}"/>'
    )


def _x(channel: float, layout: Layout) -> float:
    return _LEFT + channel / layout.axes.n_freq * _WIDTH


def _y(row: float, layout: Layout) -> float:
    return _TOP + row / layout.height * _HEIGHT


def _guide(guide: Guide, layout: Layout) -> list[str]:
    """Two dashed lines a panel, on both sides of the path, so that they do not cover the pixels of the signal itself.

    A piece is left out where it leaves the window.
    """
    apart, axes, dashes = _GUIDE_CHANNELS / 256 * layout.axes.n_freq, layout.axes, []
    for panel in range(N_PANELS):
        for side in (-apart, apart):
            ends = []
            # Panel by panel: the picture shortens long slews, so that one line through all of it would bend.
            for seconds in (0.0, axes.panel_s):
                channel = guide.channel + guide.drift_hz_s * (layout.starts_s[panel] + seconds) / axes.df_hz + side
                ends.append((channel, layout.row(panel, seconds)))
            # Left out and not clipped at the edge: a clipped piece would show another drift.
            if all(0 <= channel <= axes.n_freq for channel, _ in ends):
                (x1, y1), (x2, y2) = [(_x(channel, layout), _y(row, layout)) for channel, row in ends]
                dashes.append(
                    f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ffb000" '
                    'stroke-width="1.2" stroke-dasharray="5 4" class="guide"/>'
                )
    return dashes


def true_points(truth: TruePath, layout: Layout, every: int = 2) -> list[list[tuple[float, float]]]:
    """The path of a needle as pieces of (row, channel), a point every few rows of the picture."""
    pieces: list[list[tuple[float, float]]] = []
    # A point every few rows of the picture: more of them would only run into each other.
    step = max(1, round(every * layout.axes.n_time / layout.n_rows))
    for panel in range(N_PANELS):
        piece: list[tuple[float, float]] = []
        for row in range(0, layout.axes.n_time, step):
            channel = float(truth[panel, row])
            if isfinite(channel) and 0 <= channel < layout.axes.n_freq:
                piece.append((layout.row(panel, (row + 0.5) * layout.axes.dt_s), channel + 0.5))
            elif piece:
                pieces, piece = [*pieces, piece], []
        pieces += [piece] if piece else []
    return pieces


def _true_path(truth: TruePath, layout: Layout) -> list[str]:
    """Dots a few channels to the right of the needle, so that they do not cover its pixels."""
    beside = _GUIDE_CHANNELS / 256 * layout.axes.n_freq / 2
    return [
        f'<circle cx="{_x(channel + beside, layout):.1f}" cy="{_y(row, layout):.1f}" r="1.3" fill="#35e0a1" '
        'class="true"/>'
        for piece in true_points(truth, layout)
        for row, channel in piece
    ]


def _panel_labels(layout: Layout) -> list[str]:
    labels = []
    for panel in range(N_PANELS):
        y = _y(layout.tops[panel] + layout.n_rows / 2, layout) + 4
        css_class, name = ("on", "ON") if panel in ON else ("off", "OFF")
        labels.append(f'<text x="4" y="{y:.1f}" class="{css_class}" font-weight="bold">{name}</text>')
    return labels


def _time_axis(layout: Layout) -> list[str]:
    """Seconds since the start of the cadence, at the start of each panel."""
    axis: list[str] = []
    for panel, start in enumerate(layout.starts_s):
        y = _y(layout.tops[panel], layout)
        axis.append(_tick(_LEFT - 4, y, _LEFT, y))
        axis.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" class="soft">{start:.0f} s</text>')
    return axis


def _frequency_axis(layout: Layout, low_mhz: float | None) -> list[str]:
    y, ticks = _TOP + _HEIGHT, []
    for channel, text in frequency_ticks(layout, low_mhz):
        x = _x(channel, layout)
        ticks.append(_tick(x, y, x, y + 4))
        ticks.append(f'<text x="{x:.1f}" y="{y + 15}" text-anchor="middle" class="soft">{text}</text>')
    # Above the first channel: full frequencies of nine digits would differ in the last three alone.
    name = "channel" if low_mhz is None else f"kHz above {low_mhz:.6f} MHz"
    middle = _LEFT + _WIDTH / 2
    return [*ticks, f'<text x="{middle}" y="{y + 29}" text-anchor="middle" class="ink">{name}</text>']


def frequency_ticks(layout: Layout, low_mhz: float | None) -> Sequence[tuple[float, str]]:
    """Five ticks (channel, label) from edge to edge; kHz above `low_mhz` where it is known, else channels."""
    places = [part / 4 * layout.axes.n_freq for part in range(5)]
    if low_mhz is None:
        return [(place, f"{place:.0f}") for place in places]
    return [(place, f"{place * layout.axes.df_hz / 1e3:.3g}") for place in places]


def _tick(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#9aa5b1"/>'
