"""Spoiled states of folds under way, and facts of a run folder of other kinds, met by the verbs that read them."""

import json
import pickle
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tests.bad_input.cadences import Bomb
from tests.bad_input.case import Case, Sandbox, rubbish, sparse, write
from tests.bad_input.weights import read
from tests.conftest import QUICK

State = dict[str, Any]
KIND = "abacad: state of a fold, 1"


def good(weights: dict[str, torch.Tensor]) -> State:
    """A state that nothing is wrong with: a fold after its first epoch."""
    return {
        "kind": KIND, "epochs": 1, "best_epoch": 0, "best_auc": 0.5, "weights": weights,
        "average": {}, "optimizer": {}, "scaler": {}, "steps": 1, "best": {},
    }  # fmt: skip


def state_of(box: Sandbox) -> State:
    """That of fold 0 of the run."""
    return good(read(box.run / "fold0" / "best.safetensors")[1])


def unfinished(box: Sandbox) -> Path:
    """Make the run one that was stopped in its first fold; the place of its state."""
    for name in ("fold0/oof.csv", "oof.csv"):
        (box.run / name).unlink()
    return box.run / "fold0" / "last.ckpt"


def _go_on(box: Sandbox) -> list[str]:
    return ["train", str(box.data), "--run", str(box.run), *QUICK, "--data.pack", "never", "--trainer.loggers", "[]"]


def _bytes(make: Callable[[bytes], bytes], box: Sandbox) -> list[str]:
    path = unfinished(box)
    torch.save(state_of(box), path)
    write(path, make(path.read_bytes()))
    return _go_on(box)


def _object(make: Callable[[State], Any], old: bool, box: Sandbox) -> list[str]:
    torch.save(make(state_of(box)), unfinished(box), _use_new_zipfile_serialization=not old)
    return _go_on(box)


def _of_weights(box: Sandbox) -> list[str]:
    write(unfinished(box), (box.run / "fold1" / "best.safetensors").read_bytes())
    return _go_on(box)


def _of_1_tb(box: Sandbox) -> list[str]:
    sparse(unfinished(box), 1 << 40, b"PK\x03\x04")
    return _go_on(box)


def _table(name: str, change: Callable[[str], str], box: Sandbox) -> list[str]:
    unfinished(box)
    path = box.run / name
    write(path, change(path.read_text()))
    return _go_on(box)


def _exchanged(box: Sandbox) -> list[str]:
    """The folders of both folds in each other's place."""
    unfinished(box)
    (box.run / "fold0").rename(box.run / "fold")
    (box.run / "fold1").rename(box.run / "fold0")
    (box.run / "fold").rename(box.run / "fold1")
    return _go_on(box)


def _fact(key: str, value: Any, verb: str, box: Sandbox) -> list[str]:
    record = json.loads((box.run / "run.json").read_text())
    write(box.run / "run.json", json.dumps(record | {key: value}))
    if verb == "train":
        return _go_on(box)
    if verb == "review":
        return ["review", str(box.run), "--of", "oof", "--shown", "1", "--out", str(box.out / "r.html")]
    return [verb, str(box.run)]


def _checked(content: Any, box: Sandbox) -> list[str]:
    unfinished(box)
    write(box.run / "checked.json", json.dumps(content))
    return _go_on(box)


def _first(part: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    name = next(iter(part))
    return part | {name: change(part[name])}


def _moment(shape: tuple[int, ...], value: float = 0.0) -> State:
    return {"step": torch.tensor(1.0), "exp_avg": torch.full(shape, value), "exp_avg_sq": torch.full(shape, value)}


_KEPT = {"auc": 0.5, "weights": {}}
BYTES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "text": lambda whole: b"state\n",
    "JSON": lambda whole: b'{"epochs": 1}',
    "pickle": lambda whole: pickle.dumps(Bomb()),
    "zip": lambda whole: b"PK\x03\x04" + rubbish(5),
    "cut": lambda whole: whole[:-1000],
    "half": lambda whole: whole[: len(whole) // 2],
    "longer": lambda whole: whole + b"more" * 50,
    "its pickle exchanged": lambda whole: whole.replace(b"abacad: state", b"abacad: statE"),
}
OBJECTS: dict[str, Callable[[State], Any]] = {
    "executes": lambda state: Bomb(),
    "executes within": lambda state: state | {"scaler": {"scale": Bomb()}},
    "a module": lambda state: state | {"weights": torch.nn.Linear(2, 2)},
    "a path": lambda state: state | {"scaler": Path("x")},
    "a list": lambda state: [state],
    "a number": lambda state: 5,
    "no kind": lambda state: {key: state[key] for key in state if key != "kind"},
    "another kind": lambda state: state | {"kind": "abacad: state of a fold, 9"},
    "a key more": lambda state: state | {"more": 1},
    "no weights": lambda state: state | {"weights": {}},
    "weights as a list": lambda state: state | {"weights": list(state["weights"].values())},
    "weights of text": lambda state: state | {"weights": _first(state["weights"], str)},
    "a weight missing": lambda state: state | {"weights": dict(list(state["weights"].items())[1:])},
    "a weight more": lambda state: state | {"weights": state["weights"] | {"more": torch.zeros(2)}},
    "a weight of another shape": lambda state: state | {"weights": _first(state["weights"], lambda w: w[None])},
    "NaN": lambda state: state | {"weights": _first(state["weights"], lambda w: w * float("nan"))},
    "an average of text": lambda state: state | {"average": "x"},
    "a moment as a number": lambda state: state | {"optimizer": {0: 3}},
    "a moment named": lambda state: state | {"optimizer": {"a": _moment((1,))}},
    "a moment too many": lambda state: state | {"optimizer": {9999: _moment((1,))}},
    "a moment of another shape": lambda state: state | {"optimizer": {0: _moment((3, 3, 3))}},
    "moments as a list": lambda state: state | {"optimizer": [1]},
    "a scale of text": lambda state: state | {"scaler": "x"},
    **{
        f"{key} {value!r}": partial(lambda state, key, value: state | {key: value}, key=key, value=value)
        for key, values in {
            "epochs": ("two", -1, 0, 1.5, True, 10**30, None),
            "best_epoch": (1, -2, "x", 0.0, None),
            "best_auc": (2.0, -0.1, float("nan"), "x", None, 1),
            "steps": ("two", -1, 1.5, True, 10**30, None),
            "best": ([1], {"a": 1}, {0: 3}, {0: {}}, {5: _KEPT}, {0: _KEPT | {"auc": "x"}}, {0: _KEPT}),
        }.items()
        for value in values
    },
}
_FOLDS: dict[str, Callable[[str], str]] = {
    "exchanged": lambda text: text.replace(",0,", ",x,").replace(",1,", ",0,").replace(",x,", ",1,"),
    "header only": lambda text: text.splitlines()[0] + "\n",
    "empty": lambda text: "",
    "a row twice": lambda text: text + text.splitlines()[-1] + "\n",
    "a row less": lambda text: "\n".join(text.splitlines()[:-1]) + "\n",
    "a stranger": lambda text: text + "stranger,0,stranger\n",
    "fold 9": lambda text: text.replace(",0,", ",9,"),
    "fold -1": lambda text: text.replace(",0,", ",-1,"),
    "fold of text": lambda text: text.replace(",0,", ",first,"),
    "one fold": lambda text: text.replace(",0,", ",1,"),
    "other columns": lambda text: text.replace("id,fold", "name,part"),
}
_HELD: dict[str, Callable[[str], str]] = {
    "of another fold": lambda text: re.sub(r"(?m)^(\w+,[01]),1,", r"\1,0,", text),
    "of other labels": lambda text: re.sub(r"(?m)^(\w+),0,", r"\1,1,", text),
    "empty": lambda text: "",
    "header only": lambda text: text.splitlines()[0] + "\n",
    "a row twice": lambda text: text + text.splitlines()[-1] + "\n",
    "a row less": lambda text: "\n".join(text.splitlines()[:-1]) + "\n",
}
_FACTS: dict[str, tuple[Any, ...]] = {
    "verb": (5, ["train"], None),
    "data": ([1], "x", 5),
    "auc_fold": ("x", [None], {"a": 1}),
    "auc_oof": ([0.5], "abc", [0.5, "x", 1]),
    "folds_trained": ("01", [0.5, "x"]),
    "train_seconds": ("long", [1], {}),
}
CHECKED: dict[str, Any] = {
    "empty": {},
    "no shape": {"skipped": []},
    "shape of text": {"shape": "6,28,64", "skipped": []},
    "two axes": {"shape": [6, 28], "skipped": []},
    "negative": {"shape": [6, -28, 64], "skipped": []},
    "broken numbers": {"shape": [6, 28.5, 64], "skipped": []},
    "huge": {"shape": [6, 10**9, 10**9], "skipped": []},
    "another shape": {"shape": [6, 28, 32], "skipped": []},
    "left out: a number": {"shape": [6, 28, 64], "skipped": 3},
    "left out: numbers": {"shape": [6, 28, 64], "skipped": [3]},
}


_MET = ("executes", "a list", "no kind", "no weights", "a weight of another shape", "a moment of another shape")
"""The objects, and the records, that the whole verb meets as well: a training takes a third of a second to begin."""
_MET_CHECKED = ("no shape", "huge", "another shape", "left out: numbers")


def cases() -> Iterator[Case]:
    """Those that the command line meets; `tests/bad_input/test_checkpoints.py` has all states, met by their reader."""
    for name in ("empty", "text", "pickle", "half"):
        yield Case(f"state: {name}", partial(_bytes, BYTES[name]), ("last.ckpt",))
    for name in _MET:
        yield Case(f"state: {name}", partial(_object, OBJECTS[name], False), ("last.ckpt",))
    yield Case("state: weights in its place", _of_weights, ("last.ckpt",))
    yield Case("state: of 1 TB", _of_1_tb, ("last.ckpt",))
    for name, change in _FOLDS.items():
        yield Case(f"folds: {name}", partial(_table, "folds.csv", change), ("folds.csv",))
    for name, change in _HELD.items():
        yield Case(f"held back: {name}", partial(_table, "fold1/oof.csv", change), ("oof.csv",))
    yield Case("folders of folds exchanged", _exchanged, ("oof.csv",))
    for key, values in _FACTS.items():
        for value in values:
            for verb in ("report", "review") if key == "data" else ("report",):
                yield Case(f"{verb} with {key} {value!r}", partial(_fact, key, value, verb), ("run.json",))
    for name in _MET_CHECKED:
        yield Case(f"checked: {name}", partial(_checked, CHECKED[name]), ("checked.json",))
