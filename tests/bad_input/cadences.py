"""Malformed `.npy` cadences, met by `abacad score`."""

import io
import os
import pickle
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from tests.bad_input.case import MARK, QUICK, SHAPE, Case, Sandbox, flipped, rubbish, sparse, write

_GOOD = "{'descr': '<f2', 'fortran_order': False, 'shape': (6, 28, 64), }"
_HEADERS = {
    "empty header": "",
    "open brace": "{",
    "no dictionary": "[1, 2]",
    "code": f"__import__('os').system('touch {MARK}')",
    "deep": "(" * 3000,
    "no shape": "{'descr': '<f2', 'fortran_order': False}",
    "one key more": "{'descr': '<f2', 'fortran_order': False, 'shape': (6, 28, 64), 'more': 1}",
    "fortran text": "{'descr': '<f2', 'fortran_order': 'yes', 'shape': (6, 28, 64)}",
    "fields": "{'descr': [('a', '<f2')], 'fortran_order': False, 'shape': (6, 28, 64)}",
}
_DTYPES = (
    "|O",
    "<U4",
    "|S3",
    "|V8",
    "<c8",
    "|b1",
    "<m8",
    "<M8[s]",
    "<f16",
    "?",
    "f999",
    "",
    "<f2,<f2",
    "nonsense",
    "\x00",
)
_SHAPES = (
    "()",
    "6",
    "(6,)",
    "(6, 28)",
    "(5, 28, 64)",
    "(7, 28, 64)",
    "(6, 0, 64)",
    "(6, 28, 0)",
    "(6, -28, -64)",
    "(-6, 28, -64)",
    "(6, 28, 64, 1)",
    "(6, 28, 65)",
    "(6, 1000000000, 1000000000)",
    "(6, 10**12, 1)",
    "(6, 28.0, 64)",
    "(6, '28', 64)",
    "(6, None, 64)",
    "[6, 28, 64]",
    "(6, 99999999999999999999999999, 1)",
    "'666'",
)
_LAST = {"|b1"}


def npy(header: str, data: bytes = b"\x00" * 2 * 6 * 28 * 64, version: tuple[int, int] = (1, 0)) -> bytes:
    """The bytes of an .npy file with that header."""
    text = header.encode("latin1", "replace")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    length = len(text).to_bytes(2 if version == (1, 0) else 4, "little")
    return b"\x93NUMPY" + bytes(version) + length + text + data


def saved(values: np.ndarray) -> bytes:
    """As numpy saves it."""
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


def with_value(value: float, dtype: str) -> bytes:
    """A cadence with one value that is no number, or too large for 32 bits."""
    values = np.ones(SHAPE, dtype)
    values[2, 3, 4] = value
    return saved(values)


class Bomb:
    """What executes a command where it is unpickled."""

    def __reduce__(self):
        return os.system, (f"touch {MARK}",)


def contents() -> Iterator[tuple[str, bytes]]:
    """Every malformed content of an .npy file."""
    yield from ((name, npy(header)) for name, header in _HEADERS.items())
    yield from ((f"dtype {dtype!r}", npy(_GOOD.replace("<f2", dtype))) for dtype in _DTYPES)
    yield from ((f"shape {shape}", npy(_GOOD.replace("(6, 28, 64)", shape))) for shape in _SHAPES)
    yield from ((f"version {v}", npy(_GOOD, version=v)) for v in ((0, 0), (4, 0), (255, 255)))
    whole = npy(_GOOD)
    yield from (
        (f"cut at {place}", whole[:place]) for place in (0, 1, 5, 6, 7, 8, 9, 10, 40, 127, 128, 129, len(whole) - 1)
    )
    yield "header of 64 kB", b"\x93NUMPY\x01\x00\xff\xff" + whole[10:]
    yield "header of 4 GB", b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + whole[10:]
    yield from ((f"NaN in {dtype}", with_value(np.nan, dtype)) for dtype in ("f2", "f4", "f8", ">f4"))
    yield from ((f"infinite in {dtype}", with_value(-np.inf, dtype)) for dtype in ("f2", "f4", "f8"))
    yield "beyond 32 bits", with_value(1e300, "f8")
    yield "pickle", pickle.dumps(Bomb())
    yield "pickle within", saved(np.array([Bomb()] * 6, dtype=object))
    yield "zip", b"PK\x03\x04" + rubbish(1)
    yield "text", b"id,target\n1,0\n"
    yield from ((f"rubbish {seed}", rubbish(seed)) for seed in range(6))


def _score(content: bytes, box: Sandbox) -> list[str]:
    return ["score", str(write(box.root / "bad.npy", content)), "--out", str(box.out / "s.csv")]


def _place(make: Callable[[Path], object], box: Sandbox) -> list[str]:
    make(box.root / "bad.npy")
    return ["score", str(box.root / "bad.npy"), "--out", str(box.out / "s.csv")]


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's name is short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)
    os.chdir(here)


def _places() -> Iterator[tuple[str, Callable[[Path], object]]]:
    yield "pipe", os.mkfifo
    yield "socket", _socket
    yield "absent", lambda path: None
    yield "device", lambda path: path.symlink_to("/dev/zero")
    yield "terminal", lambda path: path.symlink_to("/dev/tty")
    yield "loop", lambda path: path.symlink_to(path.name)
    yield "dangling", lambda path: path.symlink_to("nowhere")
    yield "of 1 TB", lambda path: sparse(path, 1 << 40, npy(_GOOD.replace("28, 64", "1000, 1000000000"), b""))
    yield "header of 1 GB", lambda path: sparse(path, 1 << 31, b"\x93NUMPY\x02\x00\x00\x00\x00\x40{")


def _in_folder(verb: str, make: Callable[[Path], object], box: Sandbox) -> list[str]:
    """The first training cadence of a folder replaced."""
    train = box.data / "train"
    train.unlink()
    name = "0" * 15
    (train / "0").mkdir(parents=True)
    write(box.data / "train_labels.csv", f"id,target\n{name},1\n{'1' * 15},0\n")
    make(train / "0" / f"{name}.npy")
    more = ["--out", str(box.out)] if verb == "overlaps" else ["--run", str(box.out / "run"), *QUICK]
    return [verb, str(box.data), *more]


def cases() -> Iterator[Case]:
    """All of them."""
    for name, content in contents():
        passes = "shape (6, 28, 65)" in name or "[6, 28" in name
        yield Case(f"npy: {name}", partial(_score, content), ("bad",), may_pass=passes)
    for name, make in _places():
        yield Case(f"npy: {name}", partial(_place, make), ("bad",))
        yield Case(f"train with npy: {name}", partial(_in_folder, "train", make), ("0" * 15,))
    whole = npy(_GOOD)
    for seed in range(30):
        yield Case(f"npy: changed {seed}", partial(_score, flipped(whole, seed, 128)), ("bad",), may_pass=True)
