"""Run folders that somebody else made, or that a disk spoiled."""

import json
import shutil
from collections.abc import Iterator
from functools import partial

from tests.bad_input.case import Case, Sandbox, rubbish, sparse, write

_ANY = {"empty": b"", "rubbish": rubbish(7), "text": b"hello", "null byte": b"\x00" * 50, "list": b"[1]\n"}
_FILES = {
    "config.yaml": ("report", "predict", "fitted", "train"),
    "oof.csv": ("report", "fitted"),
    "test.csv": ("submit",),
    "run.json": ("report", "train"),
    "fold0/best.safetensors": ("predict", "report"),
    "fold0/metrics.csv": ("report",),
    "simulation.json": ("bound",),
}
_OOF = {
    "no columns": "a,b\n1,2\n",
    "header only": "id,target,fold,score\n",
    "NaN": "id,target,fold,score\na,1,0,nan\nb,0,1,1\n",
    "score of 5": "id,target,fold,score\na,1,0,5\nb,0,1,1\n",
    "target of 7": "id,target,fold,score\na,7,0,0.5\nb,0,1,1\n",
    "words": "id,target,fold,score\na,1,0,high\n",
    "twice": "id,target,fold,score\na,1,0,0.5\na,0,1,0.5\n",
    "doubled": "id,target,fold,score,score\na,1,0,0.5,0.5\n",
}
_TEST = {
    "no columns": "a,b\n1,2\n",
    "NaN": "id,score\na,nan\n",
    "above 1": "id,score\na,2\n",
    "words": "id,score\na,b\n",
}
_CARDS = {
    "no seed": {"simulation": {}, "background": None},
    "seed of text": {"simulation": {}, "seed": "x", "background": None},
    "unknown key": {"simulation": {"nonsense": 1}, "seed": 0, "background": None},
    "axes of text": {"simulation": {"axes": "x"}, "seed": 0, "background": None},
    "huge": {"simulation": {"axes": {"n_freq": 10**12}, "scenes": {"n_freq": 10**12}}, "seed": 0, "background": None},
    "rows of text": {"simulation": {"axes": {"n_time": "5"}}, "seed": 0, "background": None},
    "one value": {"simulation": {"noise": {"dof_scale": [1]}}, "seed": 0, "background": None},
    "families": {"simulation": {"needles": {"families": {"line": "often"}}}, "seed": 0, "background": None},
}


def _words(verb: str, box: Sandbox) -> list[str]:
    return {
        "report": ["report", str(box.run)],
        "predict": ["predict", str(box.run), str(box.data)],
        "submit": ["submit", str(box.run), str(box.data), "--out", str(box.out / "s.csv")],
        "fitted": ["submit", str(box.run), str(box.data), "--weights", "fitted", "--out", str(box.out / "s.csv")],
        "train": ["train", str(box.data), "--run", str(box.run), "--config", str(box.run / "config.yaml")],
        "bound": ["bound", str(box.data), "--out", str(box.out / "b.csv")],
    }[verb]


def _replaced(name: str, content: bytes | str, verb: str, box: Sandbox) -> list[str]:
    write((box.data if verb == "bound" else box.run) / name, content)
    if verb in ("submit", "fitted") and name != "test.csv":
        ids = (box.data / "sample_submission.csv").read_text().splitlines()[1:]
        write(box.run / "test.csv", "id,score\n" + "".join(f"{line.split(',')[0]},0.5\n" for line in ids))
    return _words(verb, box)


def _missing(name: str, verb: str, box: Sandbox) -> list[str]:
    place = box.run / name
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    return _words(verb, box)


def _large(name: str, verb: str, box: Sandbox) -> list[str]:
    sparse(box.run / name, 1 << 40, b"id,score\n")
    return _words(verb, box)


def _spoiled() -> Iterator[Case]:
    for name, verbs in _FILES.items():
        short = name.rpartition("/")[2]
        for verb in verbs:
            for content_name, content in _ANY.items():
                may = name in ("config.yaml", "run.json") and content_name == "empty"
                make = partial(_replaced, name, content, verb)
                yield Case(f"{verb} with {name}: {content_name}", make, (short, "config"), may_pass=may)
            if verb != "bound":
                yield Case(f"{verb} with {name} of 1 TB", partial(_large, name, verb), (short,))


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _spoiled()
    for content_name, text in _OOF.items():
        for verb in ("report", "fitted"):
            yield Case(f"{verb} with oof: {content_name}", partial(_replaced, "oof.csv", text, verb), ("oof.csv",))
    for content_name, text in _TEST.items():
        yield Case(f"submit with test: {content_name}", partial(_replaced, "test.csv", text, "submit"), ("test.csv",))
    for content_name, card in _CARDS.items():
        make = partial(_replaced, "simulation.json", json.dumps(card), "bound")
        yield Case(f"bound with card: {content_name}", make, ("simulation.json",))
    for name in ("config.yaml", "fold0", "fold1/oof.csv"):
        yield Case(f"report without {name}", partial(_missing, name, "report"), ("run",))
    for name in ("config.yaml", "fold1/best.safetensors"):
        yield Case(f"predict without {name}", partial(_missing, name, "predict"), ("run",))
    folds = partial(_replaced, "config.yaml", "data: {folds: 1000000000}\n", "report")
    yield Case("folds beyond", folds, ("data.folds",))
