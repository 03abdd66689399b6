"""A cadence in a notebook: read from every source, drawn, scored and explained as the verbs do."""

import numpy as np
import pytest

import abacad
from abacad.config import Model, Represent
from abacad.errors import AbacadError
from abacad.model.checkpoint import save_detector
from abacad.model.detector import build_detector
from abacad.model.judge import Judge
from abacad.signal.cadence import Axes
from tests.data.test_observation import six


def test_a_file_an_array_and_the_verb_give_one_score(shared_competition):
    file = next((shared_competition / "test").rglob("*.npy"))
    cadence = abacad.Cadence.read(file)
    table = abacad.score(file, progress=False)
    assert cadence.score() == pytest.approx(table["score"][0], abs=1e-6)
    array = np.load(file)
    assert abacad.Cadence(array).score() == pytest.approx(cadence.score(), abs=1e-6)
    scores = abacad.score([array, array], progress=False)
    np.testing.assert_allclose(scores["score"], cadence.score(), atol=1e-6)
    assert sorted(scores["array"]) == [0, 1]
    array[:] = 0
    assert cadence.panels.std() > 0


def saved(folder, axes):
    """A detector of random weights that was trained with these axes."""
    path, model, represent = folder / "slow.safetensors", Model("panel", width=2, pretrained=False), Represent("binned")
    save_detector(path, build_detector(model, represent, axes), model, represent)
    return path


def test_the_observer_reads_a_cadence_without_axes_by_the_detectors_timetable_too(tmp_path):
    """Also where the detector was trained on other rows and channels."""
    weights = saved(tmp_path, Axes.evenly(900.0, n_time=128, n_freq=256, dt_s=2.25))
    array = np.random.default_rng(0).chisquare(10, (6, 64, 64))
    for panel in (0, 2, 4):  # 200 rows from one panel to the next, 4.5 s each: straight by this timetable alone
        array[panel, np.arange(64), 5 + 5 * (np.arange(64) + panel * 200) // 200] += 1.5
    told = abacad.Cadence(array, Axes.evenly(900.0, n_time=64, n_freq=64, dt_s=4.5)).score(weights, observer=True)
    assert abacad.Cadence(array).score(weights, observer=True) == pytest.approx(told, abs=1e-6)
    table = abacad.score(array, weights=weights, observer=True, progress=False)
    assert table["score"][0] == pytest.approx(told, abs=1e-6)
    usual = abacad.Cadence(array, Axes.usual(64, 64)).score(weights, observer=True)
    assert usual < told - 0.2


def test_a_timetable_that_the_observer_does_not_know_is_refused_before_anything_is_scored(tmp_path, monkeypatch):
    uneven = Axes(64, 64, 4.5, panel_start_s=(0.0, 313.0, 651.0, 944.0, 1537.0, 1851.0))
    monkeypatch.setattr(Judge, "scores", lambda *_: pytest.fail("scored first"))
    with pytest.raises(AbacadError, match="equal gaps"):
        abacad.score(np.zeros((6, 64, 64)), weights=saved(tmp_path, uneven), observer=True, progress=False)


def test_a_cadence_without_axes_is_read_by_those_of_the_detector(tmp_path):
    """Whatever these are: by the verb and by the class alike; and by its own where it has them."""
    slow = Axes.evenly(900.0, n_time=16, n_freq=64, dt_s=18.0)
    detector = build_detector(Model("panel", width=2, pretrained=False), Represent("binned", rows=1), slow)
    save_detector(tmp_path / "slow.safetensors", detector, Model("panel", width=2), Represent("binned", rows=1))
    array = np.random.default_rng(0).normal(size=(6, 16, 64))
    array[::2, :, 30] += 3
    alone, told = abacad.Cadence(array), abacad.Cadence(array, slow)
    score = alone.score(tmp_path / "slow.safetensors")
    table = abacad.score([array], weights=tmp_path / "slow.safetensors", progress=False)
    assert score == pytest.approx(table["score"][0], abs=1e-6)
    assert score == pytest.approx(told.score(tmp_path / "slow.safetensors"), abs=1e-6)
    np.testing.assert_allclose(
        alone.evidence(tmp_path / "slow.safetensors"), told.evidence(tmp_path / "slow.safetensors"), atol=1e-6
    )
    assert alone.axes == Axes.usual(16, 64)


def test_a_window_of_telescope_files_knows_its_units_and_scores_as_the_verb(tmp_path):
    files = six(tmp_path)
    table = abacad.score(files, progress=False).set_index("channel")
    cadence = abacad.Cadence.read(files, channel=128)
    assert cadence.score() == pytest.approx(table.loc[128, "score"], abs=1e-6)
    assert cadence.low_mhz == pytest.approx(table.loc[128, "freq_mhz"], abs=1e-6)
    assert "MHz" in cadence.plot().svg
    with pytest.raises(AbacadError, match="last such window"):
        abacad.Cadence.read(files, channel=10**6)


def test_evidence_lies_on_the_needle():
    rng = np.random.default_rng(1)
    panels = rng.normal(size=(6, 64, 64))
    panels[::2, :, 30] += 3
    cadence = abacad.Cadence(panels, name="line")
    evidence = cadence.evidence()
    assert evidence.shape == panels.shape
    assert np.abs(evidence[::2, :, 28:33]).mean() > 5 * np.abs(evidence[::2, :, 40:]).mean()


def test_pictures_show_themselves_and_are_saved_without_overwriting(tmp_path):
    cadence = abacad.Cadence(np.zeros((6, 28, 64)), name="<nothing>")
    assert "<svg" in cadence._repr_html_()
    assert "&lt;nothing&gt;" in cadence._repr_html_()
    assert len(repr(cadence)) < 120
    picture = cadence.plot(evidence=True)
    assert picture.save(tmp_path / "c.svg").read_text() == picture.svg
    picture.save(tmp_path / "c.svg")
    (tmp_path / "own.svg").write_text("<svg>mine</svg>")
    with pytest.raises(AbacadError, match="left as it is"):
        picture.save(tmp_path / "own.svg")


@pytest.mark.parametrize(
    "panels",
    [np.zeros((5, 4, 4)), np.zeros((6, 4)), np.full((6, 4, 4), np.nan), np.array([["a"]]), np.zeros((6, 0, 4))],
)
def test_what_is_no_cadence_is_refused(panels):
    with pytest.raises(AbacadError):
        abacad.Cadence(panels)
    with pytest.raises(AbacadError):
        abacad.score(panels, progress=False)


def test_axes_of_another_shape_are_refused():
    with pytest.raises(AbacadError, match="same shape"):
        abacad.Cadence(np.zeros((6, 28, 64)), Axes())
    with pytest.raises(AbacadError, match="2 files"):
        abacad.Cadence.read(["a.npy", "b.npy"])


def test_results_tell_themselves_in_a_line_and_as_a_table(shared_competition, trained_run, tmp_path):
    found = [
        abacad.audit(shared_competition, out=None, progress=False),
        abacad.overlaps(shared_competition, tmp_path, progress=False),
        abacad.train(shared_competition, trained_run, trained_run / "config.yaml"),
    ]
    for result in found:
        assert "\n" not in repr(result)
        assert len(repr(result)) <= 160
        assert result._repr_html_().startswith("<table>")


def test_a_recipe_takes_keys_in_python(shared_competition, tmp_path):
    quick = {"trainer.max_epochs": 1, "data.folds": 2, "trainer.progress": False, "model.pretrained": False}
    run = abacad.train(shared_competition, tmp_path / "run", recipe="compact", **quick)
    assert run.recipe().trainer.max_epochs == 1
    for wrong in ({"trainer.epochs": 1}, {"trainer.max_epochs": 0}, {"represent.kind": "diffrence"}, {"sed": 1}):
        with pytest.raises(AbacadError):
            abacad.train(shared_competition, tmp_path / "other", recipe="compact", **wrong)
    assert not (tmp_path / "other").exists()


def test_a_preset_by_name(tmp_path):
    with pytest.raises(AbacadError, match="Did you mean kaggle"):
        abacad.simulate(tmp_path / "data", "kagle")
    assert not (tmp_path / "data").exists()
