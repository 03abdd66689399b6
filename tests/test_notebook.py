"""The notebook runs from top to bottom, on a small competition."""

import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

import abacad

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "competition.ipynb"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")
def test_the_notebook_runs(tmp_path, monkeypatch):
    for name, value in (("", str(tmp_path)), ("_TRAIN", "60"), ("_EPOCHS", "1")):
        monkeypatch.setenv(f"ABACAD_NOTEBOOK{name}", value)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "from abacad" not in code
    assert "import abacad." not in code
    assert set(re.findall(r"abacad\.(\w+)", code)) <= set(abacad.__all__)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    submission = pd.read_csv(tmp_path / "submission.csv")
    assert len(submission) == 15
    assert submission["target"].between(0, 1).all()
    pictures = [out for cell in notebook.cells for out in cell.get("outputs", []) if "text/html" in out.get("data", {})]
    assert len(pictures) >= 4
