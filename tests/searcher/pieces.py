"""An observation in four pieces, the tasks that search them, and what they must give."""

import dataclasses

import pandas as pd

from abacad.searcher.settings import Settings
from abacad.searcher.task import Plan, Task, done
from tests.searcher.made import Made, add_line, made

PIECES = 4


def observation(opened=Made, **more):
    """Four coarse channels of 1,024 channels with a needle in each of the two in the middle."""
    there = made(seed=11, n_freq=4096)
    for channel in (1500, 2500):
        add_line(there, channel, 0.1, 20)
    kept = {field.name: getattr(there, field.name) for field in dataclasses.fields(there)}
    return opened(**{**kept, "piece": 1024, **more})


def plan(opened=Made, **more):
    return Plan.of(observation(opened, **more), Settings(max_drift_hz_s=0.5, judged=0))


def tasks(plan):
    return [Task(plan, coarse) for coarse in range(PIECES)]


def same(found, expected):
    """Both hold the same results, bit for bit."""
    assert sorted(found) == sorted(expected)
    for coarse, outcome in found.items():
        pd.testing.assert_frame_equal(outcome.result.events, expected[coarse].result.events, check_exact=True)
        assert outcome.result.summary == expected[coarse].result.summary


def expected():
    return {task.coarse: done(task) for task in tasks(plan())}
