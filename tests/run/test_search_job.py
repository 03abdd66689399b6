"""The search of one observation as a job: what is done stays done, and the order of the workers is no matter."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from abacad.data.observation import Observation, open_observation
from abacad.errors import AbacadError
from abacad.run import search_job
from abacad.run.search_job import Wanted, begin
from abacad.searcher.task import Outcome, done
from tests.data.files import write_panel
from tests.searcher.made import add_line, made

WANTED = Wanted(max_drift=1.0, judged=0, shown=0)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Six files of two coarse channels (as the fixture below cuts them), a needle in each."""
    folder = tmp_path_factory.mktemp("telescope")
    there = made(seed=5, n_freq=4096, start_s=[400.0 * panel for panel in range(6)], df_hz=2.79, dt_s=18.0, dof=200)
    add_line(there, 1000, 0.1, 20)
    add_line(there, 3000, -0.1, 20)
    return [write_panel(folder, number, there.panels[number]) for number in range(6)]


@pytest.fixture(autouse=True)
def two_coarse_channels(monkeypatch):
    monkeypatch.setattr(Observation, "coarse", lambda self: [(0, 2048), (2048, 2048)])


def test_a_job_goes_on_with_what_is_left_and_ends_with_the_same_table(files, tmp_path):
    whole = begin(files, tmp_path / "whole", WANTED)
    assert (whole.total, whole.complete, [task.coarse for task in whole.tasks()]) == (2, False, [0, 1])
    for task in reversed(whole.tasks()):  # the last coarse channel first
        whole.take(done(task))
    assert whole.complete
    expected = whole.write()
    assert (expected["class"] == "event").sum() == 2

    first = begin(files, tmp_path / "stopped", WANTED)
    first.take(done(first.tasks()[0]))
    again = begin(files, tmp_path / "stopped", WANTED)
    assert [task.coarse for task in again.tasks()] == [1]
    again.take(done(again.tasks()[0]))
    pd.testing.assert_frame_equal(again.write(), expected)


def test_stamps_and_windows_have_each_their_detector(files, tmp_path):
    job = begin(files, tmp_path / "both", replace(WANTED, judged=1, windows=1))
    assert (job.judge.stamps, job.plan.judge.stamps) == (True, False)
    assert begin(files, tmp_path / "lines", replace(WANTED, judged=1)).plan.judge is None


def test_a_folder_of_another_search_is_refused(files, tmp_path):
    begin(files, tmp_path / "found", WANTED)
    with pytest.raises(AbacadError, match="settings"):
        begin(files, tmp_path / "found", Wanted(max_drift=2.0, judged=0, shown=0))


def test_files_that_fail_end_the_job_and_keep_what_was_found(files, tmp_path):
    job = begin(files, tmp_path / "found", WANTED)
    job.take(done(job.tasks()[0]))
    with pytest.raises(OSError, match="the disk is gone"):
        job.take(Outcome(None, OSError("the disk is gone")))
    assert list(job.results) == [0]
    assert len(job.write()) >= 1


def test_nothing_found_yet_writes_nothing(files, tmp_path):
    job = begin(files, tmp_path / "found", WANTED)
    assert job.write().empty
    assert not (tmp_path / "found" / "events.csv").exists()


@pytest.mark.parametrize("name", ["sefd", "distance", "hit_snr", "shown"])
def test_what_would_be_told_wrongly_in_the_end_is_refused_at_the_start(name):
    """A receiver of −1 Jy once gave a smallest flux below 0."""
    wrong = (-1, 10**9) if name == "shown" else (-1.0, 0.0, float("nan"), 1e30)
    for value in wrong:
        with pytest.raises(AbacadError, match=name):
            Wanted(**{name: value})
    good = type(wrong[0])(10)
    assert getattr(Wanted(**{name: good}), name) == good


def test_tables_are_there_before_the_first_score(files, tmp_path, monkeypatch):
    """A second Ctrl-C ends the process at once: nothing could be written after it."""
    job = begin(files, tmp_path / "found", replace(WANTED, judged=4))
    for task in job.tasks():
        job.take(done(task))
    seen = []

    def scored(*_):
        seen.append(pd.read_csv(tmp_path / "found" / "events.csv")["class"].tolist())
        raise KeyboardInterrupt

    monkeypatch.setattr(search_job, "scores", scored)
    with pytest.raises(KeyboardInterrupt):
        job.write()
    assert seen == [["event", "event"]]


def test_a_drift_that_no_band_so_narrow_holds_is_told(files, tmp_path, caplog):
    begin(files, tmp_path / "found", replace(WANTED, max_drift=2000.0))
    assert "faster than 317 Hz/s" in caplog.text  # 4,096 channels of 2.79 Hz in two rows of 18 s


def test_one_polarisation_alone_is_told_as_one(tmp_path):
    noise = np.random.default_rng(0).chisquare(8, (6, 4, 2, 64)).astype(np.float32)
    files = [write_panel(tmp_path, panel, values) for panel, values in enumerate(noise)]
    assert open_observation(files).n_pol == 2
    assert open_observation(files, pol="first").n_pol == 1
    noise[:, :, 1] -= 8  # Q, of which half is below 0: the first is I, of both
    stokes = [write_panel(tmp_path, panel, values) for panel, values in enumerate(noise)]
    assert open_observation(stokes, pol="first").n_pol == 2
