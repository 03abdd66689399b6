"""An observer that has to find out about gains and interference by itself."""

import numpy as np
import pytest
import torch

from abacad.errors import AbacadError
from abacad.ideal.blind_observer import BlindObserver, blind_observer
from abacad.signal.cadence import ON, Axes

AXES = Axes.evenly(75.0, n_time=64, n_freq=64)


def noise(seed: int = 0) -> np.ndarray:
    """Noise χ² with 10 degrees of freedom, under a bandpass and a gain of each panel."""
    rng = np.random.default_rng(seed)
    gain = np.linspace(0.9, 1.1, AXES.n_freq) * rng.uniform(0.8, 1.2, (6, 1, 1))
    return (gain * rng.chisquare(10, (6, AXES.n_time, AXES.n_freq)) / 10).astype(np.float32)


def with_line(panels: tuple[int, ...], power: float, drift: float = 0.1) -> torch.Tensor:
    """Noise with a line of so many channels a row that goes on through all panels and stands in these."""
    given = noise()
    for panel in panels:
        rows = np.arange(AXES.n_time)
        path = 10 + drift * (rows + AXES.panel_start_s[panel] / AXES.dt_s)
        given[panel, rows, np.rint(path).astype(int)] += power
    return torch.from_numpy(given)


@pytest.fixture(scope="module")
def observer() -> BlindObserver:
    return blind_observer(AXES)


def test_a_needle_in_on_panels_is_believed_and_noise_is_not(observer):
    empty, needle = observer.opinion(with_line((), 0)), observer.opinion(with_line(ON, 0.9))
    assert needle.better > 5 > 0 > empty.better
    assert needle.log_odds > 1 > -1 > empty.log_odds


def test_the_same_line_in_all_panels_is_not_believed(observer):
    everywhere = observer.opinion(with_line((0, 1, 2, 3, 4, 5), 0.9))
    assert everywhere.log_odds < observer.opinion(with_line(ON, 0.9)).log_odds - 1


def test_gain_and_zero_of_the_file_do_not_matter(observer):
    given = with_line(ON, 0.6)
    plain, moved = observer.opinion(given), observer.opinion(5 * given - 3)
    assert moved.parts() == pytest.approx(plain.parts(), abs=0.2)


def test_an_empty_file_has_a_finite_opinion(observer):
    assert np.isfinite(observer.opinion(torch.zeros(6, AXES.n_time, AXES.n_freq)).parts()).all()


def test_panels_of_few_rows_are_refused_with_the_way_out():
    with pytest.raises(AbacadError, match=r"16 rows[\s\S]*without it"):
        BlindObserver(Axes.usual(16, 256))


def test_a_squiggle_is_weighed_in_each_panel(observer):
    in_first = observer.opinion(with_line((0,), 0.9)).walks["squiggle"]
    assert len(in_first) == 6
    assert int(np.argmax(in_first)) == 0


def test_a_line_that_keeps_its_channel_is_told_from_one_that_drifts(observer):
    drifting = observer.opinion(with_line((0, 2), 0.9))
    standing = observer.opinion(with_line((0, 2), 0.9, drift=0.0))
    assert standing.stands > standing.better
    assert drifting.stands < drifting.better - 5
