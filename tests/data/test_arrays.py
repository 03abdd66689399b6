"""Arrays in memory become cadences: a float32 copy of six panels, or a message that names the array."""

from functools import partial

import numpy as np
import pytest

import abacad
from abacad.data.arrays import Arrays, arrays_of, as_cadence
from abacad.data.competition import read_cadence
from abacad.errors import CadenceError
from abacad.signal.cadence import LEAST

SHAPE = (6, 4, 8)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i1", "u1", "i8", "u2"])
def test_numbers_of_any_type_become_float32(dtype):
    values = (np.arange(np.prod(SHAPE)).reshape(SHAPE) % 100).astype(dtype)
    cadence = as_cadence(values)
    assert cadence.dtype == np.dtype("f4")
    np.testing.assert_array_equal(cadence, values.astype(float))


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_callers_array_stays_as_it_is(order):
    values = np.ones(SHAPE, np.float32, order=order)
    as_cadence(values)[:] = 7
    assert (values == 1).all()


def test_a_view_with_reversed_frequency_is_read_in_its_own_order():
    values = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    np.testing.assert_array_equal(as_cadence(values[..., ::-1]), np.flip(values, -1))


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((5, 4, 8)), np.zeros((4, 8)), np.zeros((1, 6, 4, 8)), np.zeros((6, 0, 8)), np.zeros((6, 4, 0)),
        np.zeros(SHAPE, complex), np.zeros(SHAPE, bool), np.full(SHAPE, "a"), np.full(SHAPE, None), np.zeros(()),
    ],
)  # fmt: skip
def test_what_is_no_cadence_is_told_with_its_shape_and_type(values):
    with pytest.raises(CadenceError, match=r"scan 3 has the shape .* and the type .*\n.*\(6, time, frequency\)"):
        as_cadence(values, "scan 3")


@pytest.mark.parametrize("shape", [(6, 1, 64), (6, 28, 7), (6, 1, 1)])
def test_what_is_too_small_for_a_detector_is_refused_as_array_and_as_file(shape, tmp_path):
    np.save(tmp_path / "small.npy", np.ones(shape))
    for read in (partial(as_cadence, np.ones(shape)), partial(read_cadence, tmp_path / "small.npy")):
        with pytest.raises(CadenceError, match=r"\nThe smallest cadence has 2 rows and 8 channels"):
            read()


def test_the_smallest_cadence_is_scored():
    scores = abacad.score(np.random.default_rng(0).normal(size=(6, *LEAST)), progress=False)["score"]
    assert scores.between(0, 1).all()


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_float32_cannot_hold_are_counted(strange):
    """Without a warning of numpy's beside the message."""
    values = np.zeros(SHAPE)
    values[2, 1, 3] = values[5, 0, 0] = strange
    with pytest.raises(CadenceError, match="the array holds 2 values that are NaN or infinite"):
        as_cadence(values)


def test_one_array_several_or_a_batch_are_a_list():
    one = np.zeros(SHAPE)
    assert arrays_of(one) == [one]
    assert len(arrays_of([one, one]) or []) == 2
    assert len(arrays_of((one,)) or []) == 1
    found = arrays_of(np.arange(3)[:, None, None, None] + np.zeros(SHAPE))
    assert [array[0, 0, 0] for array in found or []] == [0, 1, 2]
    assert arrays_of(np.zeros((0, *SHAPE))) == []


@pytest.mark.parametrize("given", ["a.npy", ["a.npy"], [], [np.zeros(SHAPE), "a.npy"], None, 3])
def test_paths_and_mixtures_are_no_arrays(given):
    assert arrays_of(given) is None


def test_arrays_are_told_by_their_numbers():
    source = Arrays([np.full(SHAPE, place) for place in range(3)] + [np.zeros((2, 2))])
    assert len(source) == 4
    assert source.read(2)[0, 0, 0] == 2
    assert source.table([2, 0]).to_dict("list") == {"array": [2, 0]}
    with pytest.raises(CadenceError, match=r"array 3 has the shape \(2, 2\)"):
        source.read(3)
