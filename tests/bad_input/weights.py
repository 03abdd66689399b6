"""Malformed files of weights, met by `abacad score --weights`, and by a training that starts from them."""

import json
import pickle
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from tests.bad_input.cadences import Bomb
from tests.bad_input.case import MARK, Case, Sandbox, flipped, rubbish, sparse, write
from tests.bad_input.tables import QUICK

Weights = dict[str, torch.Tensor]
_ABOUT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "null": lambda about: None,
    "list": lambda about: [1],
    "no model": lambda about: {key: about[key] for key in about if key != "model"},
    "no represent": lambda about: {key: about[key] for key in about if key != "represent"},
    "model of text": lambda about: about | {"model": "panel"},
    "unknown key": lambda about: about | {"model": about["model"] | {"code": "os.system"}},
    "unknown network": lambda about: about | {"model": about["model"] | {"name": "no_such_network"}},
    "network of the hub": lambda about: about | {"model": about["model"] | {"name": "hf-hub:nobody/nothing"}},
    "network of a folder": lambda about: about | {"model": about["model"] | {"name": "local-dir:/etc"}},
    "huge width": lambda about: about | {"model": about["model"] | {"width": 10**9}},
    "wide": lambda about: about | {"model": about["model"] | {"width": 500}},
    "width of text": lambda about: about | {"model": about["model"] | {"width": "12"}},
    "size": lambda about: about | {"model": about["model"] | {"size": 10**9}},
    "huge network": lambda about: (
        about
        | {
            "model": about["model"] | {"name": "vit_giant_patch14_224"},
            "represent": about["represent"] | {"kind": "tall"},
        }
    ),
    "other kind": lambda about: about | {"represent": about["represent"] | {"kind": "difference"}},
    "no such kind": lambda about: about | {"represent": about["represent"] | {"kind": "nonsense"}},
    "no views": lambda about: about | {"represent": about["represent"] | {"views": []}},
    "views of text": lambda about: about | {"represent": about["represent"] | {"views": "clean"}},
    "unknown view": lambda about: about | {"represent": about["represent"] | {"views": ["nonsense"]}},
    "many views": lambda about: about | {"represent": about["represent"] | {"views": ["clean"] * 100000}},
    "rows 0": lambda about: about | {"represent": about["represent"] | {"rows": 0}},
    "rows of text": lambda about: about | {"represent": about["represent"] | {"rows": "7"}},
}


def _first(weights: Weights, change: Callable[[torch.Tensor], torch.Tensor]) -> Weights:
    name = max(weights, key=lambda one: weights[one].numel())
    return weights | {name: change(weights[name])}


def _without(weights: Weights, place: int) -> Weights:
    gone = sorted(weights)[place]
    return {name: value for name, value in weights.items() if name != gone}


def _spoiled(value: float, tensor: torch.Tensor) -> torch.Tensor:
    changed = tensor.clone()
    changed.view(-1)[0] = value
    return changed


_TENSORS: dict[str, Callable[[Weights], Weights]] = {
    "none": lambda weights: {"x": torch.zeros(1)},
    "one missing": lambda weights: _without(weights, 0),
    "last missing": lambda weights: _without(weights, -1),
    "one more": lambda weights: weights | {"more": torch.zeros(3)},
    "NaN": lambda weights: _first(weights, partial(_spoiled, float("nan"))),
    "infinite": lambda weights: _first(weights, partial(_spoiled, float("-inf"))),
    "all NaN": lambda weights: {name: value * float("nan") for name, value in weights.items()},
    "other shape": lambda weights: _first(weights, lambda tensor: tensor[:1].clone()),
    "turned": lambda weights: _first(weights, lambda tensor: tensor.transpose(0, 1).contiguous()),
    "whole numbers": lambda weights: _first(weights, lambda tensor: tensor.to(torch.int32)),
    "halves": lambda weights: _first(weights, lambda tensor: tensor.to(torch.float16)),
    "complex": lambda weights: _first(weights, lambda tensor: tensor.to(torch.complex64)),
    "renamed": lambda weights: {f"module.{name}": value for name, value in weights.items()},
}  # fmt: skip


def read(path: Path) -> tuple[dict[str, Any], Weights]:
    """What a file of weights says of itself, and its weights."""
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["abacad"])
        return about, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _score(path: Path, box: Sandbox) -> list[str]:
    return ["score", str(box.good), "--weights", str(path), "--out", str(box.out / "s.csv")]


def _of_bytes(make: Callable[[bytes], bytes], box: Sandbox) -> list[str]:
    whole = (box.run / "fold0" / "best.safetensors").read_bytes()
    return _score(write(box.root / "bad.safetensors", make(whole)), box)


def _of_about(change: Callable[[dict[str, Any]], Any], box: Sandbox) -> list[str]:
    about, weights = read(box.run / "fold0" / "best.safetensors")
    content = save(weights, {"abacad": json.dumps(change(about))})
    return _score(write(box.root / "bad.safetensors", content), box)


def _of_tensors(verb: str, change: Callable[[Weights], Weights], box: Sandbox) -> list[str]:
    about, weights = read(box.run / "fold0" / "best.safetensors")
    path = write(box.root / "bad.safetensors", save(change(weights), {"abacad": json.dumps(about)}))
    if verb == "score":
        return _score(path, box)
    return [
        "train",
        str(box.data),
        "--run",
        str(box.out / "run"),
        *QUICK,
        "--model.width",
        "4",
        "--model.weights",
        str(path),
    ]


def _with_metadata(metadata: dict[str, str] | None, box: Sandbox) -> list[str]:
    _, weights = read(box.run / "fold0" / "best.safetensors")
    return _score(write(box.root / "bad.safetensors", save(weights, metadata)), box)


def _swapped(verb: str, box: Sandbox) -> list[str]:
    one, other = (box.run / f"fold{number}" / "best.safetensors" for number in (0, 1))
    first, second = one.read_bytes(), other.read_bytes()
    write(one, second)
    write(other, first)
    words = {
        "score": ["score", str(box.good), "--weights", str(box.run), "--out", str(box.out / "s.csv")],
        "predict": ["predict", str(box.run), str(box.data)],
    }
    return words[verb]


def _backbone(make: Callable[[Path], object], box: Sandbox) -> list[str]:
    make(box.root / "bad.pth")
    words = [
        "train",
        str(box.data),
        "--run",
        str(box.out / "run"),
        "--recipe",
        "baseline",
        "--model.name",
        "test_efficientnet",
    ]
    return [*words, "--data.folds", "2", "--model.weights", str(box.root / "bad.pth")]


def _header(header: Any, length: int | None = None) -> Callable[[bytes], bytes]:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return lambda whole: struct.pack("<Q", len(text) if length is None else length) + text + whole[-1000:]


_BYTES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "JSON": lambda whole: b'{"a": 1}',
    "pickle": lambda whole: pickle.dumps(Bomb()),
    "text": lambda whole: b"weights\n",
    "cut": lambda whole: whole[:-100],
    "longer": lambda whole: whole + b"more",
    "header alone": lambda whole: whole[:2000],
    "header of 2**60": _header({}, 1 << 60),
    "header of 90 MB": _header({}, 90_000_000),
    "header list": _header([1]),
    "header deep": _header(b"[" * 10000),
    "header empty": _header({}),
    "overlapping": _header({name: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} for name in "ab"}),
    "beyond": _header({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}),
    "negative": _header({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}),
    "unknown dtype": _header({"a": {"dtype": "X32", "shape": [1], "data_offsets": [0, 4]}}),
}


def cases() -> Iterator[Case]:
    """All of them."""
    names = ("bad.safetensors",)
    for name, make in _BYTES.items():
        yield Case(f"weights: {name}", partial(_of_bytes, make), names)
    for seed in range(12):
        yield Case(
            f"weights changed {seed}",
            partial(_of_bytes, partial(flipped, seed=seed, within=1200)),
            names,
            may_pass=True,
        )
        yield Case(f"weights rubbish {seed}", partial(_of_bytes, lambda whole, seed=seed: rubbish(seed)), names)
    for name, change in _ABOUT.items():
        yield Case(f"weights that say: {name}", partial(_of_about, change), names)
    for name, change in _TENSORS.items():
        for verb in ("score", "train") if name != "halves" else ("score",):
            yield Case(
                f"{verb} with tensors: {name}", partial(_of_tensors, verb, change), names, may_pass=name == "halves"
            )
    yield Case("weights without metadata", partial(_with_metadata, None), names)
    for text in ("", "{", "1", '{"model": 1}', "[" * 5000):
        yield Case(f"weights with metadata {text[:12]!r}", partial(_with_metadata, {"abacad": text}), names)
    for verb in ("score", "predict"):
        yield Case(f"{verb} with swapped weights", partial(_swapped, verb), ("best.safetensors",))
    yield Case(
        "weights of 1 TB",
        lambda box: _score(sparse(box.root / "bad.safetensors", 1 << 40, b"\xff\xff\x00\x00\x00\x00\x00\x00{"), box),
        names,
    )
    yield Case("weights absent", lambda box: _score(box.root / "bad.safetensors", box), names)
    yield Case("weights that are a folder", lambda box: _score(box.data, box), ("data",))
    backbones: dict[str, Callable[[Path], object]] = {
        "pickle": lambda path: write(path, pickle.dumps(Bomb())),
        "torch": lambda path: torch.save({"state_dict": Bomb()}, path),
        "old torch": lambda path: torch.save(Bomb(), path, _use_new_zipfile_serialization=False),
        "rubbish": lambda path: write(path, rubbish(0)),
        "empty": lambda path: write(path, b""),
        "zip": lambda path: write(path, b"PK\x03\x04" + rubbish(3)),
        "list": lambda path: torch.save([1, 2], path),
        "other": lambda path: torch.save({"a": torch.zeros(3)}, path),
    }
    for name, make in backbones.items():
        yield Case(f"backbone: {name}", partial(_backbone, make), ("bad.pth",))
    assert MARK
