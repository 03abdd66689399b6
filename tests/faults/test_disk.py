"""A full disk ends in one message; what was finished is whole, and with more room the same command ends well."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import QUICK
from tests.faults.child import command, enlarge, in_child, is_one_message, needs_mount, small_disk

pytestmark = needs_mount
SIMULATE = ("--preset", "demo", "--axes.n_time", 28, "--axes.n_freq", 64, "--scenes.n_freq", 256, "--seed", 5)


def words_of(verb: str, data: Path, disk: Path) -> list[object]:
    return {
        "simulate": ["simulate", disk / "set", *SIMULATE, "--train", 20, "--test", 4],
        "telescope": ["simulate", disk / "sky", "--telescope", "--channels", 16384, "--signals", 1],
        "train": ["train", data, "--run", disk / "run", *QUICK, "--data.pack", "always", "--trainer.loggers", "[]"],
        "overlaps": ["overlaps", data, "--out", disk],
        "audit": ["audit", data, "--out", disk / "audit.html"],
        "score": ["score", data / "test", "--out", disk / "s.csv", "--page", disk / "s.html"],
    }[verb]


@pytest.mark.parametrize(
    ("verb", "size"),
    [
        ("simulate", "128k"), ("telescope", "1m"), ("train", "256k"), ("overlaps", "4k"), ("audit", "8k"),
        ("score", "8k"),
    ],
)  # fmt: skip
def test_a_full_disk_is_one_message_and_the_way_goes_on(verb, size, shared_competition, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    words = words_of(verb, shared_competition, disk)

    def filled() -> int:
        small_disk(disk, size)
        code = command(*words)
        for path in disk.rglob("*.npy"):
            np.load(path, allow_pickle=False)
        for path in disk.rglob("*.csv"):
            assert len(pd.read_csv(path)) > 0
        assert not list(disk.rglob(".*.part"))
        return code

    def filled_then_enlarged() -> int:
        filled()
        enlarge(disk, "64m")
        return command(*words)

    ended = in_child(filled)
    is_one_message(ended, "disk")
    assert "is full" in ended.message or " are free at " in ended.message
    again = in_child(filled_then_enlarged)
    assert again.code == 0, again.told[-800:]
