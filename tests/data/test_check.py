"""Every cadence is looked at: what can be used, what cannot and why, and one shape for all."""

import gc
import time

import numpy as np
import pytest

from abacad.data.check import Checked, check_cadences, usable
from abacad.data.competition import cadence_path
from abacad.errors import AbacadError, CadenceError

SHAPE = (6, 4, 8)
GOOD = np.zeros(SHAPE, np.float16)


def folder(root, *cadences) -> list[str]:
    """A split `train` with these cadences, a0 on; none: no file."""
    ids = []
    for number, cadence in enumerate(cadences):
        ids.append(f"a{number}")
        path = cadence_path(root, "train", ids[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        if cadence is not None:
            np.save(path, cadence)
    return ids


def spoiled(value: float) -> np.ndarray:
    cadence = GOOD.copy()
    cadence[3, 2, 1] = value
    return cadence


def test_range_and_types_of_good_cadences(tmp_path):
    ids = folder(tmp_path, spoiled(-3.5), spoiled(7.25), GOOD.astype(np.float32))
    checked = check_cadences(tmp_path, "train", ids)
    assert (checked.low, checked.high) == (-3.5, 7.25)
    assert checked.dtypes == {"float16": 2, "float32": 1}
    assert (checked.good, checked.bad, checked.shape) == (ids, {}, SHAPE)


def test_the_bad_are_named_with_their_reason_and_the_good_keep_their_order(tmp_path):
    ids = folder(tmp_path, GOOD, None, spoiled(np.nan), GOOD, np.zeros((6, 4, 9)), GOOD)
    checked = check_cadences(tmp_path, "train", ids[::-1])
    assert checked.good == ["a5", "a3", "a0"]
    assert set(checked.bad) == {"a1", "a2", "a4"}
    assert checked.missing == {"a1"}
    assert "there is no file" in checked.bad["a1"]
    assert "NaN or infinite" in checked.bad["a2"]
    assert checked.bad["a4"] == "Cadence a4: its shape is (6, 4, 9), the others' is (6, 4, 8)."


def test_headers_alone_see_neither_nan_nor_range(tmp_path):
    ids = folder(tmp_path, GOOD, spoiled(np.nan))
    checked = check_cadences(tmp_path, "train", ids, full=False)
    assert checked.good == ids
    assert np.isnan(checked.low)


def test_the_commonest_shape_is_the_splits_whichever_comes_first(tmp_path):
    ids = folder(tmp_path, np.zeros((6, 4, 9)), GOOD, GOOD)
    assert check_cadences(tmp_path, "train", ids).good == ["a1", "a2"]


@pytest.mark.parametrize("cadences", [(None, None), (np.zeros((5, 4, 8)),)])
def test_no_cadence_at_all_is_refused_with_the_first_reason(cadences, tmp_path):
    ids = folder(tmp_path, *cadences)
    with pytest.raises(AbacadError, match=rf"None of the {len(ids)} train cadences .*\nThe first: Cadence a0"):
        check_cadences(tmp_path, "train", ids)


def test_of_no_ids_none_can_be_used(tmp_path):
    with pytest.raises(AbacadError, match="there are none"):
        check_cadences(tmp_path, "train", [])


def test_where_only_values_are_bad_none_is_left_and_the_range_unknown(tmp_path):
    checked = check_cadences(tmp_path, "train", folder(tmp_path, spoiled(np.inf)))
    assert checked.good == []
    assert np.isnan(checked.low)
    assert np.isnan(checked.high)


def test_an_id_that_might_leave_the_folder_stops_before_anything_is_read(tmp_path):
    with pytest.raises(CadenceError, match="no plain file name"):
        check_cadences(tmp_path, "train", ["a0", "../a0"])


def test_bad_cadences_stop_or_are_left_out_as_asked():
    checked = Checked(SHAPE, {}, good=["a", "d"], bad={"b": "Cadence b: broken.", "c": "Cadence c: gone."})
    assert usable(checked, "skip") == ["a", "d"]
    with pytest.raises(CadenceError, match=r"Cadence b: broken\. \(2 cadences are bad\.\)\n.*--data\.bad skip"):
        usable(checked, "fail")
    del checked.bad["c"]
    with pytest.raises(CadenceError, match=r"Cadence b: broken\.\nMend it"):
        usable(checked, "fail")
    checked.bad.clear()
    assert usable(checked, "fail") == ["a", "d"]


def test_no_cadence_is_lost_where_threads_that_read_headers_are_interrupted(tmp_path):
    """Python 3.11 counts the depth of what numpy parses for all threads in one place."""
    ids = folder(tmp_path, *[GOOD] * 16)
    before = gc.get_threshold()

    def interrupted(*_) -> None:
        time.sleep(1e-5)  # lets another thread run, as any finaliser may

    gc.callbacks.append(interrupted)
    gc.set_threshold(5)
    try:
        lost = [check_cadences(tmp_path, "train", ids, full=False).bad for _ in range(60)]
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(interrupted)
    assert lost == [{}] * 60
