"""Figures say what they show, tell curves apart without colour, and keep legends off the data."""

import io
import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from abacad.show import figure
from abacad.show.figure import looks

TARGETS = np.arange(200) % 2
SCORES = np.clip(np.random.default_rng(0).normal(0.4 + 0.2 * TARGETS, 0.2), 0.001, 0.999)
BY_FOLD = {f"fold {k}": (np.arange(1, 6), np.linspace(0.6, 0.9, 5)) for k in range(5)}

EACH = {
    "roc": lambda: figure.roc(TARGETS, SCORES),
    "histogram": lambda: figure.histogram(TARGETS, SCORES),
    "fold_bars": lambda: figure.fold_bars([0.7, 0.8], [0.6, 0.7], [0.8, 0.9], 0.77),
    "curves": lambda: figure.curves(BY_FOLD, "validation AUC"),
    "completeness": lambda: figure.completeness({"a": (np.array([1.0, 10.0]), *3 * [np.array([0.1, 0.9])])}, "SNR"),
    "bars": lambda: figure.bars(("a", "b"), (3, 4), "cadences"),
    "plane_images": lambda: figure.plane_images(np.zeros((3, 273, 64)), ("x", "y", "z"), "id"),
}


@pytest.mark.parametrize("name", EACH)
def test_every_figure_has_a_text(name):
    root = ElementTree.fromstring(EACH[name]().replace('.png">', '.png"/>') if name != "plane_images" else "<a/>")
    if name == "plane_images":
        assert re.search(r'<img alt="[^"]+" title="[^"]+"', EACH[name]())
    else:
        assert len(root.get("aria-label", "")) > 10
        assert root.findtext("{http://www.w3.org/2000/svg}title") == root.get("aria-label")


def test_folds_differ_without_colour():
    some = looks()
    seen = [next(some) for _ in range(6)]
    assert len({str(look["ls"]) for look in seen}) == 6
    assert len({look["marker"] for look in seen}) == 6


@pytest.mark.parametrize("name", ["roc", "histogram", "fold_bars", "curves", "completeness"])
def test_legends_do_not_cover_the_axes(name, monkeypatch):
    drawn: list[Figure] = []
    monkeypatch.setattr(figure, "svg", lambda made, told: drawn.append(made) or "")
    EACH[name]()
    with mpl.rc_context(figure.STYLE):
        drawn[0].savefig(io.BytesIO(), format="png")
    boxes = [legend.get_window_extent() for legend in drawn[0].legends]
    assert len(boxes) == 1
    assert all(axis.get_legend() is None and not axis.get_window_extent().overlaps(boxes[0]) for axis in drawn[0].axes)


def test_no_gate_is_drawn_where_there_is_none():
    assert "gate" not in figure.fold_bars([0.7, 0.8], [0.6, 0.7], [0.8, 0.9])


def test_plane_images_are_small_and_averaged():
    rng = np.random.default_rng(0)
    picture = figure.plane_images(rng.normal(size=(3, 273, 256)), ("x", "y", "z"))
    assert len(picture) < 90_000
    assert figure._fewer_rows(np.arange(273.0)[:, None], 64).mean() == pytest.approx(136, rel=0.01)
