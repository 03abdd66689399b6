"""What run.json says of data and versions: labels tell data apart, and what is absent is called absent."""

import pandas as pd
import torch

from abacad.learn import provenance
from abacad.learn.provenance import environment, fingerprint


def test_the_labels_are_what_tells_data_from_other_data(tmp_path):
    labels = pd.DataFrame({"id": ["a", "b", "c"], "target": [0, 1, 1]})
    original = fingerprint(tmp_path, labels)
    assert (original["cadences"], original["positives"], original["folder"]) == (3, 2, str(tmp_path.resolve()))
    same = fingerprint(tmp_path / "moved", labels.copy())
    assert same["labels_sha256"] == original["labels_sha256"]
    for other in (labels[::-1], labels.assign(target=[1, 0, 1]), labels[1:], labels.assign(id=["a", "b", "d"])):
        assert fingerprint(tmp_path, other)["labels_sha256"] != original["labels_sha256"]


def test_versions_are_noted_and_an_absent_package_is_absent(monkeypatch):
    noted = environment(7, "cpu")
    assert (noted["seed"], noted["device"]) == (7, "cpu")
    assert noted["packages"]["torch"].split("+")[0] == torch.__version__.split("+")[0]

    def none_of_it(name):
        raise provenance.PackageNotFoundError(name)

    monkeypatch.setattr(provenance, "version", none_of_it)
    monkeypatch.setattr(provenance.subprocess, "run", lambda *_args, **_more: (_ for _ in ()).throw(OSError()))
    noted = environment(7, "cpu")
    assert set(noted["packages"].values()) == {"absent"}
    assert noted["git"] is None
