"""Every malformed state of a fold is refused by its reader: nothing is executed, and the message names the file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from abacad.errors import AbacadError
from abacad.learn.record import read_checked
from abacad.learn.state import read_state, require_fit
from tests.bad_input.case import MARK, flipped, rubbish
from tests.bad_input.checkpoints import BYTES, CHECKED, OBJECTS, good

NETWORK = {"a.weight": torch.ones(3, 2), "b.bias": torch.zeros(5), "n": torch.tensor(4)}
CHANGED: dict[str, Callable[[bytes], bytes]] = {
    **{f"rubbish {seed}": lambda whole, seed=seed: rubbish(seed) for seed in range(8)},
    **{f"changed {seed}": lambda whole, seed=seed: flipped(whole, seed, 600) for seed in range(24)},
    **{f"cut at {place}": lambda whole, place=place: whole[: place * len(whole) // 9] for place in range(1, 9)},
}
"""A change may leave the state a good one."""


@pytest.fixture(autouse=True)
def _within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def met(path: Path) -> None:
    """What a training does with a state before it goes on from it."""
    parameters = [NETWORK["a.weight"], NETWORK["b.bias"]]
    require_fit(read_state(path), path, NETWORK, parameters, averaged=True)


def is_told(error: BaseException, name: str) -> None:
    """One message of at most three lines that names the file and the way out, and nothing was executed."""
    assert name in str(error)
    assert len(str(error).splitlines()) <= 3
    assert "Remove it" in str(error)
    assert not Path(MARK).exists()


def test_the_state_that_is_spoiled_is_a_good_one(tmp_path):
    torch.save(good(NETWORK), tmp_path / "last.ckpt")
    met(tmp_path / "last.ckpt")


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old form"])
@pytest.mark.parametrize("name", OBJECTS)
def test_a_spoiled_state_is_refused(name, old, tmp_path):
    path = tmp_path / "last.ckpt"
    torch.save(OBJECTS[name](good(NETWORK)), path, _use_new_zipfile_serialization=not old)
    with pytest.raises(AbacadError) as caught:
        met(path)
    is_told(caught.value, "last.ckpt")


@pytest.mark.parametrize("name", [*BYTES, *CHANGED])
def test_spoiled_bytes_of_a_state_are_refused(name, tmp_path):
    path = tmp_path / "last.ckpt"
    torch.save(good(NETWORK), path)
    path.write_bytes((BYTES | CHANGED)[name](path.read_bytes()))
    try:
        met(path)
    except AbacadError as error:
        is_told(error, "last.ckpt")
    else:
        assert name == "longer" or name in CHANGED


@pytest.mark.parametrize("name", [name for name in CHECKED if name not in ("another shape", "huge")])
def test_a_spoiled_record_of_the_check_is_refused(name: str, tmp_path: Path):
    path = tmp_path / "checked.json"
    content: Any = CHECKED[name]
    path.write_text(json.dumps(content))
    with pytest.raises(AbacadError) as caught:
        read_checked(path, path.parent, [])
    is_told(caught.value, "checked.json")
