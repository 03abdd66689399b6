"""A real Ray of two nodes on this machine, one of which is killed at work: the same results as without."""

import os
import time
import warnings
from contextlib import closing

import pandas as pd
import pytest

import abacad
from abacad.searcher.on_ray import _SETTINGS, _cluster, on_ray
from abacad.searcher.settings import Settings
from abacad.searcher.task import Plan, Task, done
from tests.data.files import write_panel
from tests.searcher.left_behind import left_to_the_collector
from tests.searcher.made import add_line, made
from tests.searcher.pieces import PIECES, observation, same
from tests.searcher.slow import Stuck

pytest.importorskip("ray", reason="Ray is not installed: pip install abacad[ray]")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray leaves its log files to the collector

OUTLIVES: list = []


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Two nodes with a core each; nothing of them reaches the network or outlives the test."""
    for key, value in _SETTINGS.items():
        monkeypatch.setenv(key, value)
    monkeypatch.syspath_prepend(os.getcwd())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Ray's own imports
        import ray
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "object_store_memory": 10**8}
        nodes = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        second = nodes.add_node(**node)
        ray.init(nodes.address, log_to_driver=False, logging_level="ERROR")
    # Python calls what this node wants to be called at the end, and forgets it in forked processes, from 3.13 on: the
    # node would end there, and take the process along. It lives as long as this process.
    OUTLIVES.append(second)
    yield nodes, second
    ray.shutdown()
    nodes.shutdown()


def waited_for(path, seconds=60):
    end = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert path.exists()


def test_a_node_that_is_killed_at_work_costs_nothing_but_time_and_files_are_searched_as_serially(cluster, tmp_path):
    nodes, second = cluster
    notes = tmp_path / "stuck"
    stuck = observation(Stuck, notes=str(notes), doomed=second.node_id)
    plan = Plan.of(stuck, Settings(max_drift_hz_s=0.5, judged=0))
    found = {}
    with closing(on_ray([Task(plan, coarse) for coarse in range(PIECES)])) as pairs:
        for task, outcome in pairs:
            if not found:
                waited_for(notes)
                nodes.remove_node(second, allow_graceful=False)
            found[task.coarse] = outcome
    same(found, {coarse: done(Task(Plan.of(observation(), plan.settings), coarse)) for coarse in range(PIECES)})

    there = made(seed=5, n_freq=2048, start_s=[400.0 * p for p in range(6)], df_hz=2.79, dt_s=18.0)
    add_line(there, 1000, 0.1, 20)
    files = [write_panel(tmp_path, panel, there.panels[panel]) for panel in range(6)]
    options = {"max_drift": 0.5, "judged": 3, "shown": 0, "progress": False, "snr": 5.0}
    tables = [abacad.search(files, out=tmp_path / name, engine=name, **options) for name in ("ray", "serial")]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert tables[0]["score"].notna().any()
    for name in ("events.csv", "hits.csv", "dat/0.dat"):
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "serial" / name).read_bytes()


def test_a_ray_of_our_own_leaves_no_client_to_processes_that_are_forked_later(monkeypatch):
    """`ray.shutdown` leaves some to the collector; a reader of a training that ended one would crash."""

    class Ray:
        left = None

        is_initialized = staticmethod(lambda: False)
        init = staticmethod(lambda *_, **__: None)

        def shutdown(self):
            self.left = leave()

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with left_to_the_collector() as leave:
        ray = Ray()
        with _cluster(ray, 1):
            pass
        assert ray.left is not None
        assert ray.left() is None
