"""A waterfall has axes with units, a text for those who do not see it, and guides at the right place."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from abacad.show.guide import Guide
from abacad.show.picture import Layout
from abacad.show.waterfall import true_points, waterfall
from abacad.signal.cadence import Axes

CADENCE = np.random.default_rng(0).normal(size=(6, 28, 64)).astype(np.float32)
AXES = Axes(n_time=28, n_freq=64, dt_s=10.0)
SVG = "{http://www.w3.org/2000/svg}"


def _parsed(**options) -> ElementTree.Element:
    return ElementTree.fromstring(waterfall(CADENCE, "a <b> & c", axes=AXES, **options))


def test_it_is_named_and_escaped():
    svg = _parsed()
    assert svg.get("role") == "img"
    assert "a <b> & c" in svg.get("aria-label", "")
    assert "a <b> & c" in svg.findtext(f"{SVG}title", "")


def test_axes_are_seconds_and_megahertz_or_channels():
    texts = [text.text for text in _parsed().iter(f"{SVG}text")]
    assert {"0 s", "315 s", "630 s", "945 s", "1260 s", "1575 s", "channel", "64"} <= set(texts)
    texts = [text.text for text in _parsed(low_mhz=8419.297028).iter(f"{SVG}text")]
    assert "kHz above 8419.297028 MHz" in texts
    assert f"{64 * AXES.df_hz / 1e3:.3g}" in texts


def test_the_guide_stands_on_both_sides_of_the_path():
    drift = 0.05
    lines = [line for line in _parsed(guide=Guide(20.0, drift, 9.0, "drifting line")).iter(f"{SVG}line")
             if line.get("stroke-dasharray")]  # fmt: skip
    assert len(lines) == 12
    first, second = [float(line.get("x1", "nan")) for line in lines[:2]]
    middle = (first + second) / 2
    assert middle == pytest.approx(62 + 20 / 64 * 240, abs=0.1)
    last = [(float(a.get("x1", "nan")) + float(b.get("x1", "nan"))) / 2 for a, b in [lines[10:12]]]
    assert last[0] - middle == pytest.approx(drift * AXES.panel_start_s[5] / AXES.df_hz / 64 * 240, abs=0.2)


def test_true_places_are_drawn_where_the_needle_is_lit():
    layout = Layout.of(AXES)
    truth = np.full((6, 28), np.nan)
    truth[2, :14] = np.linspace(10, 12, 14)
    truth[4, :] = 70  # beyond the window
    pieces = true_points(truth, layout)
    assert len(pieces) == 1
    rows = [row for row, _ in pieces[0]]
    assert min(rows) >= layout.tops[2]
    assert max(rows) <= layout.tops[2] + layout.n_rows / 2 + 1
    assert len(re.findall("<circle", waterfall(CADENCE, axes=AXES, truth=truth))) == len(pieces[0])


def test_evidence_is_a_layer_of_its_own():
    assert len(list(_parsed().iter(f"{SVG}image"))) == 1
    assert len(list(_parsed(evidence=np.ones_like(CADENCE)).iter(f"{SVG}image"))) == 2


def test_a_line_in_off_panels_too_is_named_and_not_drawn():
    drawn = _parsed(guide=Guide(20.0, 0.0, 9.0, "line in OFF panels too"))
    assert not [line for line in drawn.iter(f"{SVG}line") if line.get("class") == "guide"]
