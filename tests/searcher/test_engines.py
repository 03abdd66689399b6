"""Whoever searches: tasks in their order, and what cannot work refused before anything is read."""

import pytest

from abacad.errors import AbacadError
from abacad.searcher.engines import check_engine, outcomes
from tests.searcher.pieces import plan, tasks


def test_serial_takes_a_task_only_when_the_one_before_is_done():
    taken = []

    def slowly():
        for task in tasks(plan()):
            taken.append(task.coarse)
            yield task

    with outcomes(slowly(), "serial", None) as found:
        for place, (task, outcome) in enumerate(found):
            assert taken == list(range(place + 1))
            assert task.coarse == outcome.result.coarse == place
            assert (outcome.result.events["class"] == "event").sum() == (place in (1, 2))


@pytest.mark.parametrize(
    ("name", "workers", "told"),
    [("dask", None, "no engine 'dask'"), ("processes", 0, "0 workers"), ("serial", 2, "2 workers make no sense")],
)
def test_what_cannot_work_is_refused(name, workers, told):
    with pytest.raises(AbacadError, match=told):
        check_engine(name, workers)


def test_ray_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("abacad.searcher.on_ray.find_spec", lambda name: None)
    with pytest.raises(AbacadError, match=r"pip install abacad\[ray\]"):
        check_engine("ray", None)
