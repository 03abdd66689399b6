"""What the command line looks at before it calls anything."""

from pathlib import Path

import pytest


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A folder that passes for a run's: nothing in it is read when the function behind a verb is replaced."""
    folder = tmp_path / "a run"
    folder.mkdir()
    (folder / "config.yaml").write_text("seed: 0\n")
    return folder
