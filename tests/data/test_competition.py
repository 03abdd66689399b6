"""The competition folder: found, read in its order, and never trusted."""

import numpy as np
import pandas as pd
import pytest

from abacad.data.check import check_cadences
from abacad.data.competition import cadence_path, listed_files, read_cadence, read_header, read_labels, read_sample
from abacad.errors import AbacadError, CadenceError
from abacad.places import find_competition
from tests.conftest import SHAPE


def test_found_where_it_is_named_or_one_level_down(competition, monkeypatch):
    assert find_competition(competition) == competition
    public = competition.parent / "mle" / "prepared" / "public"
    public.parent.mkdir(parents=True)
    competition.rename(public)
    assert find_competition(competition.parent / "mle") == public
    monkeypatch.chdir(public.parent)
    assert find_competition() / "x" == find_competition().joinpath("x")
    with pytest.raises(AbacadError, match="holds no train_labels"):
        find_competition(public / "train")


def test_tables_keep_their_order(shared_competition):
    labels = read_labels(shared_competition)
    raw = pd.read_csv(shared_competition / "train_labels.csv", dtype=str)
    assert list(labels["id"]) == list(raw["id"])
    assert labels["target"].sum() == 14
    assert len(read_sample(shared_competition)) == 12
    assert set(listed_files(shared_competition, "train")) == set(labels["id"])


def test_a_cadence_is_read_whole(shared_competition):
    cadence_id = read_labels(shared_competition)["id"][0]
    path = cadence_path(shared_competition, "train", cadence_id)
    cadence = read_cadence(path, SHAPE)
    assert cadence.dtype == np.float32
    np.testing.assert_array_equal(cadence, np.load(path).astype(np.float32))
    assert read_header(path) == (SHAPE, np.dtype(np.float16))
    with pytest.raises(CadenceError, match="the others'"):
        read_cadence(path, (6, 273, 256))


@pytest.mark.parametrize("cadence_id", ["../x", "/etc/passwd", "a/b", "", ".", "..", "a\\b", "a..b"])
def test_an_id_cannot_leave_the_folder(tmp_path, cadence_id):
    with pytest.raises(CadenceError):
        cadence_path(tmp_path, "train", cadence_id)


def test_check_tells_range_and_what_is_bad(competition):
    ids = list(read_labels(competition)["id"])
    np.save(cadence_path(competition, "train", ids[3]), np.full(SHAPE, np.inf, np.float16))
    quick, full = check_cadences(competition, "train", ids, full=False), check_cadences(competition, "train", ids)
    assert quick.shape == SHAPE
    assert quick.bad == {}
    assert list(full.bad) == [ids[3]]
    assert full.good == [one for one in ids if one != ids[3]]
    assert -6 < full.low < -3
    assert 6 < full.high < 12


def test_a_copy_without_the_folders_of_first_letters_is_read(competition):
    ids = list(read_labels(competition)["id"])
    before = [read_cadence(cadence_path(competition, "train", name)) for name in ids]
    for path in list((competition / "train").glob("?/*.npy")):
        path.rename(competition / "train" / path.name)
    assert set(listed_files(competition, "train")) == set(ids)
    after = [read_cadence(cadence_path(competition, "train", name)) for name in ids]
    np.testing.assert_array_equal(before, after)


def test_a_competition_as_it_was_downloaded_is_told_with_how_to_unpack_it(competition, tmp_path):
    packed = tmp_path / "down" / "seti-breakthrough-listen.zip"
    packed.parent.mkdir()
    packed.write_bytes(b"PK")
    for given in (packed, packed.parent):
        with pytest.raises(AbacadError, match=r"is not unpacked yet\.\nUnpack it.*: unzip .*listen\.zip -d .*listen$"):
            find_competition(given)
    (competition / "train").rename(tmp_path / "elsewhere")
    (competition / "train.zip").write_bytes(b"PK")
    with pytest.raises(AbacadError, match=r"It is packed\. Unpack it: unzip .*train\.zip"):
        check_cadences(find_competition(competition), "train", list(read_labels(competition)["id"]))
