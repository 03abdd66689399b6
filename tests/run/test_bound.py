"""The ceiling of a simulated folder: a table whole or none, the same each time, and no bound where there is no law."""

import io
import json
import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.data.simulated_folder import read_card
from abacad.errors import AbacadError
from abacad.outputs import BOUND
from abacad.run.bound import auc_rows, bound
from abacad.run.simulate import simulate
from abacad.signal.cadence import Axes
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Families, Needles, Scenes, Simulation

SMALL = Simulation(
    axes=Axes.evenly(40.0, n_time=36, n_freq=48),
    needles=Needles(families=Families.only(line=0.5, squiggle=0.5), drift_hz_s=(0.01, 0.2), pixel_snr=(1.0, 3.0)),
    scenes=Scenes(n_freq=128, overlap="shared"),
    positives=0.5,
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch):
    """Intervals from few draws."""
    monkeypatch.setattr(import_module("abacad.run.bound"), "_DRAWS", 20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("bound") / "set", SMALL, n_train=4, n_test=10, seed=2, progress=False)


def test_the_verb_scores_the_test_set_and_shows_its_auc(folder: Path, capsys):
    assert main(["bound", str(folder), "--progress", "false"]) == 0
    assert "classical search" in capsys.readouterr().out
    table, truth = pd.read_csv(folder / "bound.csv"), pd.read_csv(folder / "truth.csv")
    assert list(table["id"]) == list(truth[truth["split"] == "test"]["id"])
    assert {"id", "target", "score", "classical", "decoy", "unlearned", "line", "squiggle"} == set(table.columns)
    assert BOUND.wrote(folder / "bound.csv")  # which the same command may replace
    bright, none = table[table["target"] == 1]["score"], table[table["target"] == 0]["score"]
    assert bright.median() > none.max()


def test_scores_depend_on_the_folder_alone(folder: Path, tmp_path: Path):
    both = bound(folder, split="both", out=tmp_path / "both.csv", seed=1, progress=False)
    few = bound(folder, limit=3, out=tmp_path / "few.csv", progress=False)
    table = pd.read_csv(both.path).set_index("id")
    assert len(table) == 14
    for row in pd.read_csv(few.path).itertuples():
        assert table.loc[row.id, "score"] == row.score


def test_the_card_gives_the_simulation_back(folder: Path):
    card = read_card(folder)
    assert (card.simulation, card.seed, card.background) == (SMALL, 2, None)


def test_folders_without_a_known_law_are_refused(folder: Path, tmp_path: Path):
    with pytest.raises(AbacadError, match=r"no simulation\.json"):
        bound(tmp_path)
    card = json.loads((folder / "simulation.json").read_text())
    other = tmp_path / "other"
    other.mkdir()
    (other / "simulation.json").write_text(json.dumps(card))
    with pytest.raises(AbacadError, match="not finished"):
        bound(other)
    (other / "train_labels.csv").write_text("id,target\n")
    (other / "simulation.json").write_text(json.dumps(card | {"background": {"name": "x"}}))
    with pytest.raises(AbacadError, match="taken from a file"):
        bound(other)
    (other / "simulation.json").write_text("{}")
    with pytest.raises(AbacadError, match="cannot be read"):
        bound(other)
    with pytest.raises(AbacadError, match="no cadence"):
        bound(folder, limit=0)


def test_every_preset_comes_back_from_its_card(tmp_path: Path):
    for name, preset in PRESETS.items():
        odd = replace(preset, noise=replace(preset.noise, dof=8.0))
        from abacad.data.simulated_folder import begin

        begin(tmp_path / name, odd, {"seed": 1, "background": None})
        (tmp_path / name / "train_labels.csv").write_text("id,target\n")
        assert read_card(tmp_path / name).simulation == odd


def test_rows_for_families_and_bins_count_all_needles():
    rng = np.random.default_rng(0)
    target = np.arange(400) % 2
    snr = np.where(target == 1, rng.uniform(0.2, 3, 400), np.nan)
    table = pd.DataFrame({"target": target, "family": np.where(target == 1, "line", ""), "pixel_snr": snr,
                          "panel_snr": 16 * snr, "score": target + 0.0, "classical": rng.normal(size=400),
                          "unlearned": rng.normal(size=400)})  # fmt: skip
    rows = auc_rows(table)
    assert rows["number"].iloc[0] == 200
    for label in ("pixel SNR", "panel SNR"):
        assert rows[rows["needles"].str.startswith(label)]["number"].sum() == 200
    assert all(figure.startswith("1.000 [") for figure in rows["bound"])


def test_the_observer_without_its_knowledge_is_scored_beside_the_one_that_has_it(tmp_path: Path):
    longer = replace(SMALL, axes=Axes.evenly(75.0, n_time=64, n_freq=48))
    folder = simulate(tmp_path / "set", longer, n_train=1, n_test=8, seed=2, progress=False)
    result = bound(folder, blind=True, progress=False)
    table = pd.read_csv(result.path)
    assert np.isfinite(table["blind"]).all()
    bright, none = table[table["target"] == 1]["blind"], table[table["target"] == 0]["blind"]
    assert bright.median() > none.median()
    assert "blind observer" in result.rows
    with pytest.raises(AbacadError, match="64 or more"):
        bound(simulate(tmp_path / "few", SMALL, n_train=1, n_test=2, progress=False), blind=True, progress=False)


TRUTHS = {
    "empty": lambda text: "",
    "binary": lambda text: b"\xff\xfe\x00",
    "another table": lambda text: "id,target\na,1\n",
    "no SNR": lambda text: text.replace("pixel_snr", "other"),
    "scene of text": lambda text: text.replace("scene,offset", "note,scene,offset").replace("\n", ",1\n", 1),
    "window beyond": lambda text: changed(text, "offset", 10**6),
    "window before": lambda text: changed(text, "offset", -5),
    "label of 7": lambda text: changed(text, "target", 7),
    "split of neither": lambda text: changed(text, "split", "both"),
    "an id twice": lambda text: changed(text, "id", "abc"),
}


def changed(text: str, column: str, value: object) -> str:
    table = pd.read_csv(io.StringIO(text), dtype={"id": str})
    return table.assign(**{column: value}).to_csv(index=False)


@pytest.mark.parametrize("name", TRUTHS)
def test_a_truth_that_is_none_is_named_with_the_way_out(name, folder: Path, tmp_path: Path, capsys):
    """Before, each of these was called a fault of abacad's, or gave a bound on windows that are not there."""
    shutil.copytree(folder, tmp_path / "set")
    truth = tmp_path / "set" / "truth.csv"
    content = TRUTHS[name](truth.read_text())
    truth.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["bound", str(tmp_path / "set"), "--out", str(tmp_path / "b.csv"), "--progress", "false"]) == 2
    told = capsys.readouterr().err
    assert "truth.csv" in told
    assert "abacad simulate" in told
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit, folder: Path, tmp_path: Path):
    """−1 once left the last cadence out without a word."""
    with pytest.raises(AbacadError, match="limit"):
        bound(folder, limit=limit, out=tmp_path / "b.csv", progress=False)
