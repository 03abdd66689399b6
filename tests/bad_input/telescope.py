"""Malformed telescope files, met by `abacad score` with six of them."""

import os
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from tests.bad_input.case import Case, Sandbox, flipped, rubbish, sparse, write

N_ROWS, N_CHANNELS = 16, 256


def _word(text: str) -> bytes:
    return struct.pack("<i", len(text)) + text.encode()


def noise(seed: int) -> np.ndarray:
    """A panel's values; no two panels hold the same."""
    return np.random.default_rng(seed).chisquare(200, (N_ROWS, 1, N_CHANNELS)).astype(np.float32)


def fil(data: bytes | None = None, seed: int = 9, **changed: float) -> bytes:
    """The bytes of a small SIGPROC file, with other values in its header where asked."""
    whole = {"nchans": N_CHANNELS, "nbits": 32, "nifs": 1, "tsamp": 18.0, "fch1": 8400.0, "foff": -2.8e-6} | changed
    header = _word("HEADER_START")
    for key, value in whole.items():
        layout = "<i" if key in ("nchans", "nbits", "nifs", "nsamples") else "<d"
        header += _word(key) + struct.pack(layout, int(value) if layout == "<i" else value)
    return header + _word("HEADER_END") + (noise(seed).tobytes() if data is None else data)


def h5(path: Path, spoil: Callable[[h5py.File], object] = lambda file: None, seed: int = 9) -> None:
    """A small Breakthrough Listen file, spoiled."""
    with h5py.File(path, "w") as file:
        file.attrs["CLASS"], file.attrs["VERSION"] = b"FILTERBANK", b"1.0"
        data = file.create_dataset("data", data=noise(seed))
        data.attrs.update({"tsamp": 18.0, "fch1": 8400.0, "foff": -2.8e-6})
        spoil(file)


def _attribute(key: str, value: object, file: h5py.File) -> None:
    del file["data"].attrs[key]
    if value is not None:
        file["data"].attrs[key] = value


def _dataset(values: np.ndarray, file: h5py.File) -> None:
    del file["data"]
    file["data"] = values
    file["data"].attrs.update({"tsamp": 18.0, "fch1": 8400.0, "foff": -2.8e-6})


def _external(file: h5py.File) -> None:
    del file["data"]
    file["data"] = h5py.ExternalLink("/etc/passwd", "data")


def _huge(file: h5py.File) -> None:
    del file["data"]
    file.create_dataset("data", (10**6, 1, 10**6), np.float32, chunks=(1, 1, 10**6))
    file["data"].attrs.update({"tsamp": 18.0, "fch1": 8400.0, "foff": -2.8e-6})


_FIL: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "start alone": lambda: _word("HEADER_START"),
    "no end": lambda: fil()[:60],
    "no data": lambda: fil(b""),
    "half a row": lambda: fil(b"\x00" * 100),
    "no channels": lambda: fil(nchans=0),
    "negative channels": lambda: fil(nchans=-256),
    "billions of channels": lambda: fil(nchans=2**31 - 1),
    "3 bits": lambda: fil(nbits=3),
    "negative bits": lambda: fil(nbits=-32),
    "no polarisations": lambda: fil(nifs=0),
    "negative polarisations": lambda: fil(nifs=-1),
    "many polarisations": lambda: fil(nifs=2**31 - 1),
    "no time": lambda: fil(tsamp=0.0),
    "negative time": lambda: fil(tsamp=-1.0),
    "NaN time": lambda: fil(tsamp=float("nan")),
    "infinite frequency": lambda: fil(fch1=float("inf")),
    "NaN frequency": lambda: fil(fch1=float("nan")),
    "no step": lambda: fil(foff=0.0),
    "NaN step": lambda: fil(foff=float("nan")),
    "NaN data": lambda: fil(np.full(N_ROWS * N_CHANNELS, np.nan, np.float32).tobytes()),
    "infinite data": lambda: fil(np.full(N_ROWS * N_CHANNELS, np.inf, np.float32).tobytes()),
    "other name": lambda: fil().replace(b"HEADER_START", b"HEADER_STOPP"),
    "long word": lambda: _word("HEADER_START") + struct.pack("<i", 2**31 - 1) + b"x" * 100,
    "negative word": lambda: _word("HEADER_START") + struct.pack("<i", -5) + b"x" * 100,
    "few channels": lambda: fil(nchans=8),
    "text": lambda: b"HEADER_START nchans 256\n",
}
_H5: dict[str, Callable[[h5py.File], object]] = {
    "no data": lambda file: file.pop("data"),
    "no step": partial(_attribute, "foff", None),
    "no time": partial(_attribute, "tsamp", None),
    "step of text": partial(_attribute, "foff", "fast"),
    "step 0": partial(_attribute, "foff", 0.0),
    "NaN step": partial(_attribute, "foff", float("nan")),
    "time 0": partial(_attribute, "tsamp", 0.0),
    "list of frequencies": partial(_attribute, "fch1", [1.0, 2.0]),
    "two axes": partial(_dataset, np.ones((16, 256), np.float32)),
    "four axes": partial(_dataset, np.ones((16, 1, 256, 2), np.float32)),
    "no rows": partial(_dataset, np.ones((0, 1, 256), np.float32)),
    "no polarisations": partial(_dataset, np.ones((16, 0, 256), np.float32)),
    "texts": partial(_dataset, np.full((16, 1, 256), b"a")),
    "complex": partial(_dataset, np.ones((16, 1, 256), np.complex64)),
    "NaN": partial(_dataset, np.full((16, 1, 256), np.nan, np.float32)),
    "scalar": partial(_dataset, np.float32(1)),
    "external link": _external,
    "of 4 TB": _huge,
    "group for data": lambda file: (file.pop("data"), file.create_group("data")),
}


def six_good(root: Path, suffix: str = ".fil") -> list[str]:
    """A command on six files that nothing is wrong with."""
    paths = [root / f"panel{number}{suffix}" for number in range(6)]
    for seed, path in enumerate(paths):
        write(path, fil(seed=seed)) if suffix == ".fil" else h5(path, seed=seed)
    return ["score", *map(str, paths), "--pattern", "ABACAD", "--out", str(root / "out" / "s.csv")]


def _six(suffix: str, make: Callable[[Path], object], box: Sandbox) -> list[str]:
    """Six files of which the third is bad."""
    words = six_good(box.root, suffix)
    path = box.root / f"bad{suffix}"
    make(path)
    return [*words[:3], str(path), *words[4:]]


def _fil(content: Callable[[], bytes], path: Path) -> None:
    write(path, content())


def _h5(spoil: Callable[[h5py.File], object], path: Path) -> None:
    h5(path, spoil)


def _h5_bytes(change: Callable[[bytes], bytes], path: Path) -> None:
    h5(path)
    write(path, change(path.read_bytes()))


def _five(box: Sandbox) -> list[str]:
    words = _six(".fil", partial(_fil, fil), box)
    return words[:3] + words[4:]


def cases() -> Iterator[Case]:
    """All of them."""
    for name, content in _FIL.items():
        yield Case(f"fil: {name}", partial(_six, ".fil", partial(_fil, content)), ("bad.fil",))
    for seed in range(10):
        changed = partial(flipped, fil(), seed, 200)
        yield Case(f"fil: changed {seed}", partial(_six, ".fil", partial(_fil, changed)), ("bad.fil",), may_pass=True)
        yield Case(f"fil: rubbish {seed}", partial(_six, ".fil", partial(_fil, partial(rubbish, seed))), ("bad.fil",))
    for suffix in (".fil", ".h5"):
        places: dict[str, Callable[[Path], object]] = {
            "pipe": os.mkfifo,
            "absent": lambda path: None,
            "folder": Path.mkdir,
            "device": lambda path: path.symlink_to("/dev/zero"),
        }
        for name, make in places.items():
            yield Case(f"{suffix}: {name}", partial(_six, suffix, make), (f"bad{suffix}",))
    yield Case(
        "fil: of 1 TB",
        partial(_six, ".fil", lambda path: sparse(path, 1 << 40, fil(nchans=2**30))),
        ("bad.fil",),
        may_pass=True,
    )
    for name, spoil in _H5.items():
        may = name == "two axes"
        yield Case(f"h5: {name}", partial(_six, ".h5", partial(_h5, spoil)), ("bad.h5",), may_pass=may)
    for share in (0.1, 0.3, 0.5, 0.9):
        cut = partial(_h5_bytes, lambda whole, share=share: whole[: int(share * len(whole))])
        yield Case(f"h5: cut at {share}", partial(_six, ".h5", cut), ("bad.h5",), may_pass=share > 0.2)
    for seed in range(10):
        change = partial(_h5_bytes, partial(flipped, seed=seed, within=2000))
        yield Case(f"h5: changed {seed}", partial(_six, ".h5", change), ("bad.h5",), may_pass=True)
    yield Case("five files", _five, ("5", "pattern"))
    yield Case("mixed files", lambda box: [*_six(".fil", partial(_fil, fil), box)[:6], str(box.good)], ("npy",))
