"""A training on two devices as a notebook starts it: in processes of its own, its log relayed."""

import logging

import pandas as pd
import pytest

from abacad.errors import AbacadError
from abacad.recipes import read_recipe
from abacad.run.train import train
from tests.conftest import QUICK


def test_two_devices_from_a_notebook_hold_back_each_id_once(shared_competition, tmp_path, monkeypatch, caplog):
    for name, value in (("MASTER_ADDR", "127.0.0.1"), ("GLOO_SOCKET_IFNAME", "lo")):
        monkeypatch.setenv(name, value)
    recipe = read_recipe("compact", [*QUICK[2:], "--trainer.strategy", "ddp_notebook", "--trainer.devices", "2",
                                     "--trainer.accelerator", "cpu", "--trainer.max_epochs", "1"])  # fmt: skip
    with caplog.at_level(logging.INFO, "abacad"):
        run = train(shared_competition, tmp_path / "run", recipe)
    oof = pd.read_csv(run.oof)
    assert oof["id"].nunique() == len(oof) == 40
    said = caplog.messages
    assert sum("epoch 1 of 1: AUC" in line for line in said) == 2  # one a fold, of the first process alone
    assert sum("AUC of all held-back cadences" in line for line in said) == 1
    with pytest.raises(AbacadError, match=r"was made by another recipe \(optim.lr"):
        train(shared_competition, tmp_path / "run", recipe, **{"optim.lr": 0.5})
