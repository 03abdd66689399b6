"""What a picture shows is what the cadence holds: averaged, on one scale, each panel at its time."""

import io

import numpy as np
import pytest
from PIL import Image

from abacad.show.picture import (
    EVIDENCE_EDGES,
    LOWEST,
    MOST_CHANNELS,
    MOST_ROWS,
    STEP,
    Layout,
    averaged,
    evidence_legend,
    evidence_png,
    greys,
    in_sigma,
    waterfall_png,
)
from abacad.signal.cadence import Axes


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def _column_z(image: np.ndarray, channel: int) -> float:
    """How far the column of a channel stands above the others', in their spread, mean over the panels."""
    means = image.mean(axis=1)
    above = means - np.median(means, axis=1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(above), axis=1)
    return float((above[:, channel] / spread).mean())


def test_a_line_of_0_4_sigma_a_pixel_stands_out_of_the_drawn_picture():
    rng, layout = np.random.default_rng(0), Layout.of(Axes())
    cadence = rng.normal(size=(6, 273, 256)).astype(np.float32)
    cadence[:, :, 100] += 0.4
    drawn = _pixels(waterfall_png(cadence, layout))[..., 0].astype(float)
    panels = np.stack([drawn[top : top + layout.n_rows] for top in layout.tops])
    whole = _column_z(cadence, 100)
    assert _column_z(panels, 100) > 6  # 0.4 · √273 = 6.6 when nothing is thrown away
    assert _column_z(panels, 100) > 0.95 * whole
    assert _column_z(cadence[:, :: 273 // 71], 100) < 0.65 * whole  # every fourth row only, as pictures often do


@pytest.mark.parametrize("shape", [(273, 256), (16, 256), (28, 64), (100, 1000), (5, 9)])
def test_every_row_and_channel_counts_once(shape):
    cadence = np.arange(6 * shape[0] * shape[1], dtype=np.float32).reshape(6, *shape)
    layout = Layout.of(Axes(n_time=shape[0], n_freq=shape[1], dt_s=300 / shape[0]))
    edges = [np.round(np.linspace(0, n, m + 1)) for n, m in zip(shape, (layout.n_rows, layout.n_channels), strict=True)]
    weights = np.diff(edges[0])[:, None] * np.diff(edges[1])
    np.testing.assert_allclose((averaged(cadence, layout) * weights).sum((1, 2)), cadence.sum((1, 2), dtype=float))
    assert layout.n_rows <= MOST_ROWS
    assert layout.n_channels <= MOST_CHANNELS


def test_greys_do_not_depend_on_gain_and_offset():
    rng, layout = np.random.default_rng(1), Layout.of(Axes(n_time=32, n_freq=64, dt_s=9))
    cadence = rng.normal(size=(6, 32, 64))
    gains = rng.uniform(0.5, 50, (6, 1, 1))
    changed = greys(cadence * gains + 1e3 * gains, layout) != greys(cadence, layout)
    assert changed.mean() < 1e-3  # a pixel at the edge of a grey may round to its neighbour


def test_a_pixel_of_a_known_height_gets_its_grey():
    layout = Layout.of(Axes(n_time=32, n_freq=64, dt_s=9))
    cadence = np.tile([-1.0, 1.0], (6, 32, 32))  # median absolute deviation 1, so σ = 1.4826
    cadence[:, 3, 7] = 3 * 1.4826
    assert in_sigma(cadence)[2, 3, 7] == pytest.approx(3)
    assert (greys(cadence, layout)[:, 3, 7] == np.floor((3 - LOWEST) / STEP)).all()


def test_a_panel_without_variation_is_drawn():
    layout = Layout.of(Axes(n_time=32, n_freq=64, dt_s=9))
    assert waterfall_png(np.full((6, 32, 64), 7.0), layout)


def test_panels_stand_at_their_times_and_slews_are_clear():
    axes = Axes()
    layout = Layout.of(axes)
    for top, start in zip(layout.tops, axes.panel_start_s, strict=True):
        assert top == pytest.approx(start / layout.row_s, abs=0.5)
    opacity = _pixels(waterfall_png(np.zeros((6, 273, 256)), layout))[..., 3]
    within = {top + row for top in layout.tops for row in range(layout.n_rows)}
    for row in range(layout.height):
        assert (opacity[row] == (255 if row in within else 0)).all()


def test_evidence_has_the_same_shade_in_every_picture():
    layout = Layout.of(Axes(n_time=32, n_freq=64, dt_s=9))
    alone, beside = np.zeros((6, 32, 64)), np.zeros((6, 32, 64))
    alone[0, 3, 5] = beside[0, 3, 5] = 0.2
    beside[2, 8, 9] = 50.0  # a scale of its own would make the first vanish
    one, other = _pixels(evidence_png(alone, layout)), _pixels(evidence_png(beside, layout))
    assert (one[3, 5] == other[3, 5]).all()
    assert one[3, 5, 3] > 0
    assert one[3, 6, 3] == 0  # no evidence, no colour


def test_weaker_evidence_never_looks_stronger_and_its_sign_is_a_colour():
    layout = Layout.of(Axes(n_time=32, n_freq=64, dt_s=9))
    heights = [0.0, *(1.01 * edge for edge in EVIDENCE_EDGES)]
    evidence = np.zeros((6, 32, 64))
    evidence[0, 0, : len(heights)] = heights
    evidence[0, 1, : len(heights)] = [-height for height in heights]
    drawn = _pixels(evidence_png(evidence, layout)).astype(int)
    assert (np.diff(drawn[0, : len(heights), 3]) > 0).all()
    assert drawn[0, 3, 0] > drawn[0, 3, 2]  # red speaks for a needle
    assert drawn[1, 3, 2] > drawn[1, 3, 0]  # blue against one


def test_the_legend_lists_every_shade():
    assert len(evidence_legend()) == 2 * len(EVIDENCE_EDGES)
    values = [float(value.replace("−", "-")) for _, value in evidence_legend()]
    assert values == sorted(values)


def test_the_caption_says_what_a_pixel_is_the_mean_of():
    assert "mean of 8.5 rows (9.2 s, 2.8 Hz)" in Layout.of(Axes()).told()
    assert "one row and channel" in Layout.of(Axes(n_time=16, n_freq=256, dt_s=18.25)).told()


def test_a_candidate_takes_tens_of_kilobytes():
    rng, layout = np.random.default_rng(2), Layout.of(Axes())
    assert len(waterfall_png(rng.normal(size=(6, 273, 256)), layout)) * 4 / 3 < 37_000
