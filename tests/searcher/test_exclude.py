"""What lies in an excluded band is kept, named, and comes last."""

import pytest

from abacad.errors import AbacadError
from abacad.searcher.engine import search_unit
from abacad.searcher.exclude import excluded, read_bands
from abacad.searcher.settings import Settings
from tests.searcher.made import add_line, made


def test_a_brighter_event_in_a_band_comes_after_a_fainter_one_outside(tmp_path):
    observation = add_line(add_line(made(seed=7), 2000, 0.1, 40), 6000, -0.1, 20)
    events = search_unit(observation, 0, Settings(judged=0)).events
    assert events["channel"].tolist() == [pytest.approx(2000, abs=1), pytest.approx(6000, abs=1)]
    bands = tmp_path / "bands.csv"
    bands.write_text("start_mhz,end_mhz,name\n1400.003,1400.005,our radar\n")
    table = excluded(events, read_bands(bands))
    assert table["excluded"].tolist() == ["", "our radar"]
    assert table["channel"].tolist() == [pytest.approx(6000, abs=1), pytest.approx(2000, abs=1)]


def test_the_packaged_list_holds_the_notch_filters():
    bands = read_bands("gbt")
    inside = bands[(bands["start_mhz"] <= 1250) & (bands["end_mhz"] >= 1250)]
    assert "notch" in inside.iloc[0]["name"]
    assert (bands["end_mhz"] > bands["start_mhz"]).all()
    assert bands["source"].str.len().min() > 10  # of each row somebody can look up where it is from


def test_a_band_that_ends_before_it_starts_is_refused(tmp_path):
    bands = tmp_path / "bands.csv"
    bands.write_text("start_mhz,end_mhz,name\n1400,1300,radar\n")
    with pytest.raises(AbacadError, match="radar ends before it starts"):
        read_bands(bands)
    with pytest.raises(AbacadError, match="no file"):
        read_bands(tmp_path / "none.csv")
