"""Work side by side: order, errors, threads of torch, and an early end."""

import threading
from contextlib import closing

import pytest
import torch

from abacad.parallel import side_by_side


def test_results_come_in_the_order_of_their_parts_however_long_each_takes():
    """The first part waits for the last one, which another thread works on."""
    last_is_done = threading.Event()

    def work(part: int) -> int:
        if part == 3:
            last_is_done.set()
        if part == 0:
            assert last_is_done.wait(20)
        return 10 * part

    assert list(side_by_side(work, range(4), workers=2)) == [0, 10, 20, 30]


def test_each_worker_has_one_thread_of_torch_and_the_caller_keeps_its_own():
    before = torch.get_num_threads()
    torch.set_num_threads(3)  # the test run itself asks for one
    try:
        assert set(side_by_side(lambda _: torch.get_num_threads(), range(8), workers=2)) == {1}
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_an_error_is_raised_at_its_turn_and_stops_parts_that_have_not_begun():
    begun, error_was_raised = [], threading.Event()

    def work(part: int) -> int:
        begun.append(part)
        if part == 1:
            raise ValueError("part 1")
        if part > 1:
            error_was_raised.wait(20)
        return part

    results = side_by_side(work, range(100), workers=1)
    assert next(results) == 0
    threading.Timer(0.2, error_was_raised.set).start()
    with pytest.raises(ValueError, match="part 1"):
        next(results)
    assert len(begun) < 100


def test_closing_early_stops_parts_that_have_not_begun():
    begun, first_was_taken = [], threading.Event()

    def work(part: int) -> int:
        begun.append(part)
        if part > 0:
            first_was_taken.wait(20)
        return part

    with closing(side_by_side(work, range(100), workers=1)) as results:
        assert next(results) == 0
        threading.Timer(0.2, first_was_taken.set).start()
    assert len(begun) < 100


def test_no_more_parts_are_taken_ahead_than_asked_for():
    """What a part holds stays in memory until its result was taken: a million windows must not be read at once."""
    taken, given, most = 0, 0, 0

    def parts():
        nonlocal taken
        for part in range(50):
            taken += 1
            yield part

    for result in side_by_side(lambda part: 2 * part, parts(), workers=2, ahead=3):
        assert result == 2 * given
        given += 1
        most = max(most, taken - given)
    assert (given, taken) == (50, 50)
    assert most <= 3


def test_a_part_that_cannot_be_made_is_an_error_and_ends_the_others():
    def parts():
        yield 1
        raise ValueError("no part")

    with pytest.raises(ValueError, match="no part"):
        list(side_by_side(abs, parts(), workers=1, ahead=2))
