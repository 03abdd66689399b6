"""Weights of a file are believed only where name, shape, type of number and every number are what the network takes."""

import json
import os
import struct

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from abacad.errors import AbacadError
from abacad.model.tensors import about_text, compare, on_no_device, read_weights

ABOUT = {"fold": 2, "model": {"name": "panel", "views": ["clean"]}, "name": "Nançay"}


def test_what_is_written_is_read(tmp_path):
    weights = {"a.weight": torch.randn(3, 2), "n": torch.tensor(7), "empty": torch.zeros(0)}
    save_file(weights, tmp_path / "w.safetensors", about_text(ABOUT))
    about, found = read_weights(tmp_path / "w.safetensors")
    assert about == ABOUT
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], value) and found[name].dtype == value.dtype for name, value in weights.items())


def test_a_file_that_says_nothing_of_itself_says_nothing(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
    assert read_weights(tmp_path / "w.safetensors")[0] == {}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1j])
@pytest.mark.parametrize("half", [True, False])
def test_numbers_that_are_none_are_refused_by_the_tensors_name(value, half, tmp_path):
    dtype = torch.complex64 if isinstance(value, complex) else torch.float16 if half else torch.float32
    spoiled = torch.ones(2, 3).to(dtype)
    spoiled[1, 2] = value
    try:
        save_file({"fine": torch.zeros(1), "bad.weight": spoiled}, tmp_path / "w.safetensors")
    except KeyError:  # as early versions of safetensors do
        pytest.skip("this safetensors writes no complex numbers")
    with pytest.raises(AbacadError, match=r"w\.safetensors: bad\.weight holds values that are NaN"):
        read_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    "content", [b"", b"short", b"\x08" + b"\0" * 7 + b"nonsense", struct.pack("<Q", 1 << 40) + b"{}", b"PK\x03\x04" * 9]
)
def test_what_is_no_file_of_weights_is_told_in_one_line(content, tmp_path):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(AbacadError, match=r"w\.safetensors holds no weights: ") as told:
        read_weights(tmp_path / "w.safetensors")
    assert len(str(told.value).splitlines()) == 1


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "absent"):
        with pytest.raises(AbacadError, match="holds no weights"):
            read_weights(path)


@pytest.mark.parametrize("text", ["[1]", "null", "3", '"panel"'])
def test_metadata_that_are_no_keys_are_refused(text, tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors", {"abacad": text})
    with pytest.raises(AbacadError, match="its metadata are no keys with values"):
        read_weights(tmp_path / "w.safetensors")


def test_metadata_that_are_no_json_are_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors", {"abacad": "{"})
    with pytest.raises(AbacadError, match="holds no weights"):
        read_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weight": None}, "lacks weight, which this network has"),
        ({"more": torch.zeros(1)}, "holds more, which this network has not"),
        ({"weight": torch.zeros(2, 3)}, r"weight is \(2, 3\) of float32; this network takes \(3, 2\) of float32"),
        ({"weight": torch.zeros(3, 2, dtype=torch.int8)}, r"of int8; this network takes \(3, 2\) of float32"),
        ({"bias": torch.zeros(())}, r"bias is \(\) of float32"),
    ],
)
def test_each_tensor_has_to_be_the_networks(change, said, tmp_path):
    wanted = nn.Linear(2, 3).state_dict()
    found = {name: value for name, value in (dict(wanted) | change).items() if value is not None}
    with pytest.raises(AbacadError, match=said):
        compare(tmp_path / "w.safetensors", found, wanted)


def test_the_networks_own_weights_pass_in_any_order_and_in_half_precision(tmp_path):
    wanted = nn.Linear(2, 3).state_dict()
    compare(tmp_path / "w", dict(reversed(list(wanted.items()))), wanted)
    compare(tmp_path / "w", {name: value.half() for name, value in wanted.items()}, wanted)


def test_shapes_are_learnt_without_memory():
    """8 TB of weights, were they made."""
    network = on_no_device(nn.Linear, 1 << 20, 1 << 21)
    assert network.weight.shape == (1 << 21, 1 << 20)
    assert network.weight.is_meta
    assert not nn.Linear(2, 3).weight.is_meta


def test_metadata_are_text_that_json_reads():
    assert json.loads(about_text(ABOUT)["abacad"]) == ABOUT
