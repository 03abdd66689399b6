"""Compiled loops are the Python functions they were written as, whatever wraps these while tests run."""

import functools

import numba
import numpy as np
import pytest
import torch

from abacad.searcher.path import _joint_snr, _panel_sums
from abacad.signal.compiled import compiled, flushing


def total(values: np.ndarray, power: float) -> float:
    out = 0.0
    for value in values:
        out += value**power
    return out


def test_a_compiled_loop_gives_what_python_gives():
    quick = numba.njit(fastmath=True)(compiled(total).py_func)
    values = np.random.default_rng(0).random(100)
    assert quick(values, 2.0) == pytest.approx(total(values, 2.0))


def test_the_loop_below_a_wrapper_is_what_is_compiled():
    @functools.wraps(total)
    def checked(*args: object) -> float:
        raise AssertionError("the wrapper was compiled")

    assert compiled(checked).py_func is total


def test_the_search_loops_are_compiled_and_release_the_interpreter():
    for loop in (_panel_sums, _joint_snr):
        assert isinstance(loop, numba.core.registry.CPUDispatcher)
        assert loop.targetoptions["nogil"]
        assert loop.targetoptions["fastmath"]


def test_the_compiled_sum_along_a_line_is_that_of_plain_python():
    """Several channels a row, masked pixels, a cut: the same loop, interpreted."""
    power = np.random.default_rng(1).normal(size=(2, 5, 40)).astype(np.float32)
    power[1, 2, 10:14] = 0
    power[1, 3, 15] = 50
    given = (power, 1, 5, 8.3, 2.4, 0.5, 6.0)
    assert _panel_sums(*given) == pytest.approx(_panel_sums.py_func(*given), rel=1e-5)


@compiled
def halved(values: np.ndarray) -> None:
    for i in range(len(values)):
        values[i] *= np.float32(0.5)


def tiny_halves() -> list[float]:
    """1e-38 and half of it, by a compiled loop and by torch."""
    values = np.full(64, 1.2e-38, np.float32)
    halved(values)
    return [float(values[0]), float(torch.full((64,), 1.2e-38).mul(0.5)[0])]


def test_numbers_too_small_for_the_processor_are_0_meanwhile_and_not_afterwards():
    before = tiny_halves()
    assert min(before) > 0
    with flushing():
        assert tiny_halves() == [0, 0]
        with flushing():  # whoever asked first keeps it
            pass
        assert tiny_halves() == [0, 0]
    assert tiny_halves() == before
    with pytest.raises(KeyError), flushing():
        raise KeyError
    assert tiny_halves() == before
