"""An audit counts what is there, names what is wrong, and never opens the leaked folder."""

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.data.competition import cadence_path, read_labels
from abacad.errors import AbacadError
from abacad.run import audit as module
from abacad.run.audit import _bytes, audit


def looked_at(root: Path, **options):
    return audit(root, **({"out": None, "full": True, "progress": False} | options))


def relabelled(root: Path, change) -> None:
    change(read_labels(root)).to_csv(root / "train_labels.csv", index=False)


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (838_784, "838.8 kB"), (2.5e9, "2.5 GB"), (7e15, "7000.0 TB")],
)
def test_a_size_has_the_unit_that_makes_it_short(size, told):
    assert _bytes(size) == told


def test_nothing_is_wrong_with_a_sound_folder(shared_competition):
    found = looked_at(shared_competition)
    facts = dict(found.facts())
    assert found.problems == []
    assert (found.positives, found.looked_at) == (14, {"train": 40, "test": 12})
    assert facts["train cadences"] == "40 usable, 0 not"
    assert facts["test shape"] == "(6, 28, 64) = (panel, time, frequency), float16 (12)"
    assert facts["pos_weight"] == f"{26 / 14:.2f}"
    assert "not looked for" in facts["shared backgrounds"]
    assert ("old_leaky_data/", "never opened", "—") in found.tree
    assert next(row for row in found.tree if row[0] == "train/")[1] == "40"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda labels: pd.concat([labels, labels[7:9]]), "names 2 ids more than once"),
        (lambda labels: labels.assign(target=0), "All labels are 0: nothing can be learned"),
        (lambda labels: labels[3:], "3 files in train/ are not in train_labels.csv"),
        (lambda labels: pd.concat([labels, labels[:1].assign(id="0gone")]), "1 ids of train_labels.csv have no file"),
    ],
)
def test_what_is_wrong_with_labels_is_a_sentence_with_the_first(change, said, competition):
    relabelled(competition, change)
    (problem,) = looked_at(competition).problems
    assert said in problem


def test_a_cadence_that_cannot_be_used_is_told_once(competition):
    """A missing file is told where labels and files are compared, and not again among the unusable ones."""
    ids = list(read_labels(competition)["id"])
    cadence_path(competition, "train", ids[0]).unlink()
    np.save(cadence_path(competition, "train", ids[1]), np.full((6, 28, 64), np.nan))
    problems = looked_at(competition).problems
    assert len(problems) == 2
    assert "1 ids of train_labels.csv have no file" in problems[0]
    assert f"1 train files cannot be used. Cadence {ids[1]}" in problems[1]


def test_without_a_sample_nothing_can_be_submitted(competition):
    (competition / "sample_submission.csv").unlink()
    found = looked_at(competition)
    assert found.problems == ["sample_submission.csv is absent: nothing can be submitted."]
    assert dict(found.facts())["sample_submission.csv"] == "absent"


def test_a_quick_look_reads_some_values_and_every_header(competition, monkeypatch):
    monkeypatch.setattr(module, "_LOOKED_AT", 5)
    ids = list(read_labels(competition)["id"])
    cadence_path(competition, "train", ids[30]).write_bytes(b"")
    found = looked_at(competition, full=False)
    assert found.looked_at == {"train": 5, "test": 5}
    assert any("1 train files cannot be used" in problem for problem in found.problems)
    assert np.isfinite(found.checked["train"].low)


def test_a_bad_cadence_of_the_sample_is_not_usable(competition):
    path = next((competition / "train").rglob("*.npy"))
    values = np.load(path)
    values[0, 0, 0] = np.nan
    np.save(path, values)
    checked = looked_at(competition, full=False).checked["train"]
    assert path.stem in checked.bad
    assert path.stem not in checked.good


def test_without_any_test_cadence_the_rest_is_looked_at(competition):
    shutil.rmtree(competition / "test")
    audited = looked_at(competition)
    assert audited.checked["train"].good
    assert any("None of the" in problem and "test" in problem for problem in audited.problems)


def test_shared_backgrounds_are_counted_by_group_and_by_what_a_random_split_would_leak(competition):
    ids = list(read_labels(competition)["id"])
    pairs = [(ids[0], ids[1]), (ids[1], ids[2]), (ids[10], ids[11])]
    table = pd.DataFrame(pairs, columns=["id_a", "id_b"]).assign(offset=3, columns=40)
    table.to_csv(competition / "overlaps.csv", index=False)
    found = looked_at(competition)
    rows = dict(found.shared)
    assert rows["labelled pairs that share columns"] == "3"
    assert rows["groups of 1"] == "35, holding 87.5% of the cadences"
    assert rows["groups of 2 to 3"] == "2, holding 12.5% of the cadences"
    assert found.leak is not None
    assert 0 < found.leak <= 5 / 40
    assert rows["share columns with a labelled one"] == "0.0% of the test cadences"


def test_a_folder_without_labels_or_cadences_is_refused(tmp_path, competition):
    with pytest.raises(AbacadError, match="holds no train_labels"):
        looked_at(tmp_path)
    for path in (competition / "train").rglob("*.npy"):
        path.unlink()
    with pytest.raises(AbacadError, match="None of the 40 train cadences"):
        looked_at(competition)


def test_the_audit_tells_what_is_there_and_what_is_wrong(competition, tmp_path, capsys):
    labels = read_labels(competition)
    first, second = labels["id"][0], labels["id"][1]
    (competition / "train" / first[0] / f"{first}.npy").rename(competition / "train" / first[0] / "stranger.npy")
    (competition / "train" / second[0] / f"{second}.npy").write_bytes(b"nonsense")
    pd.concat([labels, labels[7:8]]).to_csv(competition / "train_labels.csv", index=False)
    assert main(["audit", str(competition), "--out", str(tmp_path / "a.html"), "--full", "--progress", "false"]) == 0
    said = capsys.readouterr().out
    for part in (
        "1 ids more than once",
        "have no file in train/",
        "are not in train_labels.csv",
        "1 train files cannot",
    ):
        assert part in " ".join(said.split()), part
    assert first in said
    assert second in said
    assert "never opened" in said
    assert len(re.findall(r'<img alt="[^"]+"|<svg class="waterfall"', (tmp_path / "a.html").read_text())) == 12


def test_the_audit_never_opens_the_leaked_folder(shared_competition, monkeypatch):
    opened = []
    plain = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: opened.append(self) or plain(self, *a, **k))
    hooked = []
    sys.addaudithook(
        lambda event, args: hooked.append(str(args[0])) if event in ("open", "os.scandir", "os.listdir") else None
    )
    found = audit(shared_competition, out=None, full=True, progress=False)
    assert found.problems == []
    assert found.positives == 14
    assert found.pos_weight == pytest.approx(26 / 14)
    touched = [name for name in [*map(str, opened), *hooked] if "old_leaky_data" in name]
    assert touched == []
