"""The device that scores: what was asked for, the best that is there, or a message that names it."""

import pytest
import torch

from abacad.errors import AbacadError
from abacad.model.device import pick_device


def there(monkeypatch, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "auto"), [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_the_fastest_device_that_is_there_is_taken(cuda, mps, auto, monkeypatch):
    there(monkeypatch, cuda, mps)
    assert pick_device() == torch.device(auto)
    if auto != "cpu":
        assert pick_device("gpu") == torch.device(auto)


def test_the_cpu_can_be_asked_for_where_there_is_something_faster(monkeypatch):
    there(monkeypatch, cuda=True, mps=True)
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("asked", ["gpu", "cuda:99", "auto:1"])
def test_a_device_that_is_not_there_is_told_with_the_way_out(asked, monkeypatch):
    there(monkeypatch, cuda=False, mps=False)
    with pytest.raises(AbacadError, match=rf"The device {asked} is not there\.\n.*`auto`"):
        pick_device(asked)


@pytest.mark.parametrize("asked", ["", "tpu", "CPU", "meta", "cuda1", "x" * 500])
def test_a_device_of_no_name_is_told_with_the_names(asked):
    with pytest.raises(AbacadError, match="it may be auto, cpu, cuda, gpu, mps") as told:
        pick_device(asked)
    assert len(str(told.value)) < 200
