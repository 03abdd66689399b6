"""What a notebook shows of a training, and how it trains on several devices."""

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from abacad.config import Recipe, Trainer
from abacad.errors import AbacadError
from abacad.learn import notebook
from abacad.learn.notebook import is_notebook, needs_own_process, shown_in_notebook, train_in_own_process


def in_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object())))


def trained_with(**wanted) -> Recipe:
    return replace(Recipe(), trainer=Trainer(**wanted))


def test_a_log_is_shown_below_the_cell_and_only_there(monkeypatch, capsys):
    log = logging.getLogger("abacad.learn")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with shown_in_notebook():
        log.info("in a shell")
    in_kernel(monkeypatch)
    with shown_in_notebook():
        log.info("Fold 0, epoch 1 of 5: AUC 0.7")
    log.info("after the cell")
    assert capsys.readouterr().out == "Fold 0, epoch 1 of 5: AUC 0.7\n"


def test_several_devices_leave_a_notebook_and_no_shell(monkeypatch):
    assert not is_notebook()
    assert not needs_own_process(trained_with(devices=2))
    assert needs_own_process(trained_with(strategy="ddp_notebook"))
    in_kernel(monkeypatch)
    assert needs_own_process(trained_with(devices=2))
    assert not needs_own_process(trained_with())
    assert not needs_own_process(trained_with(devices=2, strategy="ddp"))


def with_child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Run that code instead of the training."""
    plain = subprocess.Popen
    monkeypatch.setattr(
        notebook.subprocess, "Popen", lambda words, **more: plain([*words[:2], "-c", code, *words[4:]], **more)
    )


def test_lines_of_the_training_are_logged_with_their_level(tmp_path, monkeypatch, caplog):
    code = (
        "import sys, pathlib; data, run, config = sys.argv[1:]\n"
        "assert 'strategy: ddp\\n' in pathlib.Path(config).read_text()\n"
        "print('INFO\\tFold 0: AUC 0.8'); print('WARNING\\tfew cadences'); print('some library: nonsense')"
    )
    with_child(monkeypatch, code)
    with caplog.at_level(logging.INFO, "abacad"):
        train_in_own_process(Path("data"), tmp_path, trained_with(devices=2))
    assert [(line.levelname, line.message) for line in caplog.records] == [
        ("INFO", "Fold 0: AUC 0.8"), ("WARNING", "few cadences"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (r"print('ERROR\tNo such fold.\tName another.'); raise SystemExit(2)", "No such fold.\nName another."),
        (r"print('first'); raise MemoryError('too large')", "MemoryError: too large"),
    ],
)
def test_what_went_wrong_is_raised(code, said, tmp_path, monkeypatch):
    with_child(monkeypatch, code)
    with pytest.raises(AbacadError) as told:
        train_in_own_process(Path("data"), tmp_path, trained_with(devices=2))
    assert str(told.value).endswith(said)
