"""Malformed tables: labels, sample submission, groups, overlaps and pseudo labels."""

import re
from collections.abc import Iterator
from functools import partial

from tests.bad_input.case import QUICK, Case, Sandbox, flipped, rubbish, sparse, write

_LABELS = {
    "empty": "",
    "blank": "\n\n\n",
    "header only": "id,target\n",
    "other names": "name,label\na,1\n",
    "other order": "target,id\n1,a\n",
    "one column": "id\na\n",
    "no header": "a,1\nb,0\n",
    "doubled column": "id,target,target\na,1,0\n",
    "doubled id column": "id,id,target\na,a,1\n",
    "booleans": "id,target\na,True\nb,False\n",
    "one boolean": "id,target\na,True\nb,0\n",
    "words": "id,target\na,yes\n",
    "half": "id,target\na,0.5\n",
    "two": "id,target\na,2\n",
    "negative": "id,target\na,-1\n",
    "NaN": "id,target\na,nan\n",
    "infinite": "id,target\na,inf\n",
    "hexadecimal": "id,target\na,0x1\n",
    "no target": "id,target\na,\n",
    "no id": "id,target\n,1\n",
    "huge": "id,target\na,1e999\n",
    "long number": f"id,target\na,{'9' * 5000}\n",
    "ragged": "id,target\na,1\nb,0,7,8\n",
    "long rows": "id,target\na,1,0\nb,0,1\n",
    "comma at the end": "id,target\na,1,\nb,0,\n",
    "open quote": 'id,target\n"a,1\nb,0\n',
    "semicolons": "id;target\na;1\n",
    "tabs": "id\ttarget\na\t1\n",
    "twice": "id,target\na,1\na,0\n",
    "formula": "id,target\n=1+1,1\n",
    "outside": "id,target\n../../x,1\nb,0\n",
    "absolute": "id,target\n/etc/passwd,1\n",
    "dots": "id,target\n..,1\n",
    "slash": "id,target\na/b,1\nc,0\n",
    "letters": "id,target\nä,1\nb,0\n",
    "space": "id,target\n a,1\n",
    "long id": f"id,target\n{'a' * 300},1\n",
    "null byte": "id,target\na\x00b,1\n",
    "surrogate": "id,target\n\udcff,1\n",
    "no files": "id,target\nabc,1\nabd,0\n",
    "wide": "id,target" + ",x" * 5000 + "\n",
}
_GROUPS = {
    "empty": "",
    "header only": "id,group\n",
    "other names": "a,b\n1,2\n",
    "doubled": "id,group,group\na,1,2\n",
    "too few": "id,group\nabc,1\n",
    "twice": "id,group\nabc,1\nabc,2\n",
    "no group": "id,group\nabc,\n",
    "ragged": "id,group\na,1,2,3\n",
}
_OVERLAPS = {
    "empty": "",
    "other names": "a,b\n1,2\n",
    "no number": "id_a,id_b,offset,columns\na,b,x,5\n",
    "half": "id_a,id_b,offset,columns\na,b,0.5,5\n",
    "no id": "id_a,id_b,offset,columns\n,b,1,5\n",
    "doubled": "id_a,id_b,offset,columns,offset\na,b,1,5,1\n",
    "NaN": "id_a,id_b,offset,columns\na,b,nan,5\n",
}
_PSEUDO = {
    "empty": "",
    "header only": "id,score,fold0,fold1\n",
    "other names": "id,target\na,1\n",
    "stranger": "id,score,fold0,fold1\nstranger,0.5,0.5,0.5\n",
    "above 1": "id,score,fold0,fold1\na,2,2,2\n",
    "NaN": "id,score,fold0,fold1\na,nan,nan,nan\n",
    "words": "id,score,fold0,fold1\na,high,high,high\n",
    "twice": "id,score,fold0,fold1\na,0,0,0\na,1,1,1\n",
}
_ENCODINGS = ("utf-16", "utf-32", "utf-16-le")


_OF = {"train_labels.csv": "train", "sample_submission.csv": "test"}


def _table(name: str, content: bytes | str, words: list[str], box: Sandbox) -> list[str]:
    if isinstance(content, str) and name in _OF:  # `a` is a cadence that is there, so that only the table is at fault
        first = min((box.data / _OF[name]).glob("?/*.npy")).stem
        content = re.sub(r"^a(?=[,;\t])", first, content, flags=re.MULTILINE)
    write(box.data / name, content)
    return [words[0], str(box.data), *words[1:], "--out" if words[0] == "audit" else "--run", str(box.out / "x")]


def _large(name: str, box: Sandbox) -> list[str]:
    sparse(box.data / name, 1 << 40, b"id,target\na,1\n")
    return ["audit", str(box.data), "--out", str(box.out / "x")]


def _pseudo(content: str, box: Sandbox) -> list[str]:
    path = write(box.root / "pseudo.csv", content)
    return ["train", str(box.data), "--run", str(box.out / "x"), *QUICK, "--data.pseudo", str(path)]


def cases() -> Iterator[Case]:
    """All of them."""
    for name, content in _LABELS.items():
        # of an id that stands there twice the audit tells, and a training is refused
        words = ["train", *QUICK] if name == "twice" else ["audit"]
        labels = partial(_table, "train_labels.csv", content, words)
        yield Case(f"labels: {name}", labels, ("train_labels.csv", "abc.npy"))
        if name != "no files":
            sample = partial(_table, "sample_submission.csv", content, ["audit"])
            may = name in ("booleans", "one boolean", "half", "two", "negative", "words")
            yield Case(f"sample: {name}", sample, ("sample_submission.csv",), may_pass=may)
    for code in _ENCODINGS:
        content = "id,target\nabc,1\n".encode(code)
        yield Case(f"labels in {code}", partial(_table, "train_labels.csv", content, ["audit"]), ("train_labels.csv",))
    for seed in range(12):
        content = rubbish(seed) if seed % 2 else flipped(b"id,target\n" + b"abc,1\nabd,0\n" * 20, seed)
        yield Case(
            f"labels changed {seed}", partial(_table, "train_labels.csv", content, ["audit"]), ("train_labels.csv",)
        )
    for name in ("train_labels.csv", "sample_submission.csv"):
        yield Case(f"{name} of 1 TB", partial(_large, name), (name,))
    for name, content in _GROUPS.items():
        yield Case(f"groups: {name}", partial(_table, "groups.csv", content, ["train", *QUICK]), ("groups.csv",))
    residual = ["train", *QUICK, "--represent.views", "[shared,residual]"]
    for name, content in _OVERLAPS.items():
        yield Case(f"overlaps: {name}", partial(_table, "overlaps.csv", content, residual), ("overlaps.csv",))
        yield Case(f"audit overlaps: {name}", partial(_table, "overlaps.csv", content, ["audit"]), ("overlaps.csv",))
    for name, content in _PSEUDO.items():
        yield Case(f"pseudo: {name}", partial(_pseudo, content), ("pseudo.csv",))
