"""Feed the readers of files with what a coverage-guided fuzzer makes up: each input is read, or refused by AbacadError.

    pip install atheris
    python benchmarks/fuzz.py fil -max_total_time=600 CORPUS
    python benchmarks/fuzz.py all -max_total_time=600

What follows the reader is libFuzzer's. An input that raised anything else is kept as `READER-raised-…`, once for each
place in the code, and the search goes on; `timeout-…` and `oom-…` hold what took too long or too much memory, and end
it. Each becomes a case of tests/bad_input. The first folder keeps what was found to reach new lines; it is filled with
good files when empty.
"""

import hashlib
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import atheris

with atheris.instrument_imports(include=["abacad"]):
    from abacad.data.competition import read_cadence, read_labels, read_sample
    from abacad.data.filterbank import open_filterbank
    from abacad.data.simulated_folder import read_card
    from abacad.learn.record import read_record
    from abacad.learn.run_folder import RunFolder, read_oof
    from abacad.learn.state import read_state
    from abacad.learn.verdicts import read_verdicts
    from abacad.model.checkpoint import load_detector
    from abacad.overlap.links import read_overlaps
    from abacad.recipes import read_recipe
    from abacad.run.search_catalogue import read_catalogue
    from abacad.searcher.exclude import read_bands

import h5py
import numpy as np
import torch

from abacad.config import Model, Represent
from abacad.errors import AbacadError
from abacad.model.checkpoint import save_detector
from abacad.model.detector import build_detector

LONGEST = 200_000


def telescope(path: Path) -> None:
    """Open a telescope file, and read its first channels."""
    file = open_filterbank(path)
    file.read(0, min(file.n_rows, 16), 0, min(file.n_channels, 64))


def tables(path: Path) -> None:
    """All tables that one file can be."""
    for read in (read_verdicts, read_overlaps, read_catalogue, read_bands):
        tried(read, path)
    for name, read_folder in (("train_labels.csv", read_labels), ("sample_submission.csv", read_sample)):
        named = path.with_name(name)
        path.replace(named)
        tried(read_folder, path.parent)
        named.replace(path)


def run_folder(path: Path) -> None:
    """run.json, oof.csv and the simulation's card."""
    run = RunFolder(path.parent)
    for target, read in ((run.record, lambda: read_record(run.record)), (run.oof, lambda: read_oof(run))):
        target.write_bytes(path.read_bytes())
        tried(read)
        target.unlink()
    card = path.with_name("simulation.json")
    path.replace(card)
    tried(read_card, path.parent)
    card.unlink()


def tried(read: Callable[..., object], *words: object) -> None:
    """Read; a refusal is well."""
    try:
        read(*words)
    except AbacadError as refused:
        if len(str(refused).splitlines()) > 3:
            raise ValueError("a message of more than three lines") from refused


def kept(reader: str, content: bytes, raised: Exception) -> None:
    """Write down an input that raised what no reader may raise, once for each place in abacad's code."""
    inside = [frame for frame in traceback.extract_tb(raised.__traceback__) if "abacad" in frame.filename]
    where = f"{type(raised).__name__} at {Path(inside[-1].filename).name}:{inside[-1].lineno}" if inside else "outside"
    path = Path(f"{reader}-raised-{hashlib.sha256(where.encode()).hexdigest()[:12]}")
    if not path.exists():
        path.write_bytes(content)
        print(f"FOUND {path}: {where}: {raised}", file=sys.stderr, flush=True)


def good_fil() -> bytes:
    """A small SIGPROC file."""
    word = lambda text: len(text).to_bytes(4, "little") + text  # noqa: E731
    head = word(b"HEADER_START")
    for key, value in ((b"nchans", 64), (b"nbits", 32), (b"nifs", 1)):
        head += word(key) + value.to_bytes(4, "little")
    for key, number in ((b"tsamp", 18.0), (b"fch1", 8400.0), (b"foff", -2.8e-6), (b"tstart", 57650.0)):
        head += word(key) + np.float64(number).tobytes()
    head += word(b"source_name") + word(b"NOISE") + word(b"src_raj") + np.float64(171003.98).tobytes()
    return head + word(b"HEADER_END") + np.ones((4, 64), np.float32).tobytes()


def good_h5() -> bytes:
    """A small Breakthrough Listen file, compressed."""
    whole = io.BytesIO()
    with h5py.File(whole, "w") as file:
        file.attrs["CLASS"] = b"FILTERBANK"
        data = file.create_dataset("data", data=np.ones((4, 1, 64), np.float32), chunks=(1, 1, 64), compression="gzip")
        data.attrs.update({"tsamp": 18.0, "fch1": 8400.0, "foff": -2.8e-6, "tstart": 57650.0, "source_name": b"NOISE"})
    return whole.getvalue()


def good_npy() -> bytes:
    """A small cadence."""
    whole = io.BytesIO()
    np.save(whole, np.ones((6, 4, 8), np.float16))
    return whole.getvalue()


def good_weights() -> bytes:
    """A small detector."""
    model, represent = Model(name="panel", pretrained=False, width=2), Represent(kind="binned")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        save_detector(path, build_detector(model, represent), model, represent)
        return path.read_bytes()


def good_state() -> bytes:
    """The state of a fold with one tensor."""
    whole = io.BytesIO()
    state = {"format": "abacad: state of a fold, 1", "epochs": 1, "best_epoch": 0, "best_auc": 0.5}
    torch.save(state | {"weights": {"a": torch.ones(2)}, "average": {}, "optimizer": {}, "scaler": {}}, whole)
    return whole.getvalue()


TABLES = (
    b"id,target\nabc,1\nabd,0\n",
    b"id,verdict,note\nabc,candidate,x\nabd,rfi,\n",
    b"id_a,id_b,offset,columns\nabc,abd,-3,200\n",
    b"name,files,pattern\nnight,*.h5,ABACAD\n",
    b"start_mhz,end_mhz,name\n1,2,radar\n",
)
READERS: dict[str, tuple[str, Callable[[Path], object], Callable[[], tuple[bytes, ...]]]] = {
    "fil": ("x.fil", telescope, lambda: (good_fil(),)),
    "h5": ("x.h5", telescope, lambda: (good_h5(),)),
    "npy": ("x.npy", read_cadence, lambda: (good_npy(),)),
    "table": ("x.csv", tables, lambda: TABLES),
    "recipe": ("x.yaml", read_recipe, lambda: (b"seed: 1\ndata: {folds: 3}\nmodel:\n  name: panel\n  width: 8\n",)),
    "run": ("x.bin", run_folder, lambda: (b'{"verb": "train", "data": {"folder": "."}, "auc_oof": [0.5, 0.4, 0.6]}',)),
    "weights": ("x.safetensors", load_detector, lambda: (good_weights(),)),
    "state": ("x.ckpt", read_state, lambda: (good_state(),)),
}
"""By name: what the file is called, how it is read, and good files to begin with."""


def fuzz(reader: str, words: list[str]) -> None:
    """Run libFuzzer on one reader; it ends the process."""
    name, read, good = READERS[reader]
    for corpus in [Path(word) for word in words if not word.startswith("-")][:1]:
        corpus.mkdir(parents=True, exist_ok=True)
        if not any(corpus.iterdir()):
            for number, content in enumerate(good()):
                (corpus / f"good{number}").write_bytes(content)
    folder = tempfile.mkdtemp()
    (Path(folder) / "config.yaml").write_text("seed: 0\n")
    path = Path(folder) / name

    def one(content: bytes) -> None:
        path.write_bytes(content)
        try:
            tried(read, path)
        except Exception as raised:  # anything that is no refusal is a finding
            kept(reader, content, raised)

    atheris.Setup([sys.argv[0], f"-max_len={LONGEST}", *words], one)
    atheris.Fuzz()


def fuzz_all(words: list[str]) -> int:
    """One reader after the other, each in a process forked from this one; how many things were found."""
    failed = 0
    for reader in READERS:
        print(f"== {reader}", file=sys.stderr, flush=True)
        child = os.fork()
        if child == 0:
            fuzz(reader, [*words, f"-artifact_prefix={reader}-", f"corpus-{reader}"])
            os._exit(0)
        failed += os.waitpid(child, 0)[1] != 0
    return failed + sum(1 for _ in Path().glob("*-raised-*"))


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in (*READERS, "all"):
        raise SystemExit(f"{__doc__}\nReaders: {', '.join(READERS)}")
    if sys.argv[1] == "all":
        raise SystemExit(fuzz_all(sys.argv[2:]))
    fuzz(sys.argv[1], sys.argv[2:])
