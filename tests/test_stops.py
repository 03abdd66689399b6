"""A stop waits for the end of a block that must not be left half done."""

import signal
import threading

import pytest

from abacad.stops import Stopped, stop, stops_wait


def stopped_within(done: list[str]) -> None:
    with stops_wait():
        with stops_wait():
            stop(Stopped(signal.SIGTERM))
            done.append("inner")
        done.append("outer")
    done.append("after")


def stopped_and_failed() -> None:
    with stops_wait():
        stop(Stopped(signal.SIGINT))
        raise ValueError


def test_a_stop_waits_for_the_outermost_block():
    done: list[str] = []
    with pytest.raises(Stopped) as stopped:
        stopped_within(done)
    assert done == ["inner", "outer"]
    assert stopped.value.status == 143


def test_a_stop_comes_before_the_error_of_its_block():
    with pytest.raises(Stopped) as stopped:
        stopped_and_failed()
    assert isinstance(stopped.value.__context__, ValueError)


def test_nothing_is_kept_for_the_next_block():
    with pytest.raises(Stopped), stops_wait():
        stop(Stopped(signal.SIGINT))
    with stops_wait():
        pass
    with pytest.raises(Stopped):
        stop(Stopped(signal.SIGINT))


def test_a_block_of_another_thread_holds_nothing_up():
    inside, over = threading.Event(), threading.Event()

    def waits() -> None:
        with stops_wait():
            inside.set()
            over.wait(10)

    thread = threading.Thread(target=waits)
    thread.start()
    inside.wait(10)
    with pytest.raises(Stopped):
        stop(Stopped(signal.SIGINT))
    over.set()
    thread.join()
