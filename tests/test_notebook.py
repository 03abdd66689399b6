"""The notebooks run from top to bottom, on small competitions, with the public names of abacad alone."""

import re
import subprocess
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

import abacad
from tests.conftest import write_competition

FOLDER = Path(__file__).parents[1] / "notebooks"
ADVICE = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")


def executed(name: str, tmp_path: Path) -> nbformat.NotebookNode:
    """A notebook after a run; as it is kept, it has no outputs."""
    notebook = nbformat.read(FOLDER / name, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    return notebook


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [out for cell in notebook.cells for out in cell.get("outputs", [])]


@pytest.mark.parametrize("name", [path.name for path in FOLDER.glob("*.ipynb")])
def test_a_notebook_uses_public_names_alone(name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "from abacad" not in code
    assert "import abacad." not in code
    assert set(re.findall(r"abacad\.(\w+)", code)) <= set(abacad.__all__)


@ADVICE
def test_the_notebook_runs(tmp_path, monkeypatch):
    for name, value in (("", str(tmp_path)), ("_TRAIN", "60"), ("_EPOCHS", "1")):
        monkeypatch.setenv(f"ABACAD_NOTEBOOK{name}", value)
    notebook = executed("competition.ipynb", tmp_path)
    submission = pd.read_csv(tmp_path / "submission.csv")
    assert len(submission) == 15
    assert submission["target"].between(0, 1).all()
    pictures = [out for out in outputs(notebook) if "text/html" in out.get("data", {})]
    assert len(pictures) >= 4


QUICK = """
data: {folds: 2, workers: 0}
represent: {kind: difference}
model: {name: test_efficientnet, pretrained: false}
optim: {batch_size: 8}
trainer: {max_epochs: 2, precision: 32-true, accelerator: cpu, loggers: [], progress: false}
inference: {precision: auto}
"""


@ADVICE
def test_the_kaggle_notebook_runs_offline_on_data_that_are_only_read(tmp_path, monkeypatch):
    data, work = write_competition(tmp_path / "input"), tmp_path / "working"
    work.mkdir()
    (work / "quick.yaml").write_text(QUICK)
    for path in (*data.rglob("*"), data):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    given = {"": work, "_DATA": data, "_RECIPE": work / "quick.yaml", "_LIMIT": 20}
    for name, value in given.items():
        monkeypatch.setenv(f"ABACAD_NOTEBOOK{name}", str(value))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    try:
        notebook = executed("kaggle.ipynb", work)
    finally:
        after = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
        for path in (data, *data.rglob("*")):
            path.chmod(0o755)
    assert after == before
    assert len(pd.read_csv(work / "submission.csv")) == 12
    assert (work / "report.html").is_file()
    said = "".join(out.get("text", "") for out in outputs(notebook))
    for line in (r"Fold 0, epoch 2 of 2: AUC 0\.\d+", r"Fold 1, epoch 2 of 2: AUC", r"First fold: AUC 0\.\d+ \[",
                 r"Mean of 2 folds: AUC 0\.\d+ \["):  # fmt: skip
        assert re.search(line, said), line


def test_the_kaggle_notebook_installs_from_its_wheels_alone(tmp_path, monkeypatch):
    notebook = nbformat.read(FOLDER / "kaggle.ipynb", as_version=4)
    install = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    asked = []
    monkeypatch.setattr(subprocess, "run", lambda words, **more: asked.append((words, more)))
    exec(install, {})  # without the data set nothing is installed
    assert asked == []
    exec(install.replace("/kaggle/input/abacad-wheels", str(tmp_path)), {})
    ((words, more),) = asked
    assert {"--no-index", "--find-links", str(tmp_path), "abacad[imagenet]"} <= set(words)
    assert more == {"check": True}
