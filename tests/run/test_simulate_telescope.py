"""`abacad simulate --telescope`: whole or absent, never over something else, and the truth in the files."""

import numpy as np
import pandas as pd
import pytest

from abacad.cli import main
from abacad.data.observation import open_observation
from abacad.errors import AbacadError
from abacad.run import simulate_telescope as verb
from abacad.run.simulate_telescope import simulate_telescope
from abacad.simulator.telescope import Session

SMALL = Session(channels=16_384, needles=3, drift_hz_s=(0.05, 1.0))


def test_the_command_writes_an_observation_with_its_truth(tmp_path, capsys):
    out = tmp_path / "sky"
    words = ["simulate", "--telescope", str(out), "--channels", "16384", "--signals", "3", "--progress", "false"]
    assert main(words) == 0
    assert "truth.csv" in capsys.readouterr().out
    seen = open_observation(sorted(out.glob("*.h5"), reverse=True))
    assert (seen.pattern, seen.n_freq, seen.n_time, seen.telescope) == ("ABACAD", 16_384, (16,) * 6, "GBT")
    assert all(after - before > 16 * seen.dt_s for before, after in zip(seen.start_s, seen.start_s[1:], strict=False))
    truth = pd.read_csv(out / "truth.csv")
    assert set(truth["class"]) == {"event", "near-zero drift", "in OFF"}
    assert (truth["kind"] == "needle").sum() == 3
    assert (truth.loc[truth["kind"] == "needle", "panels_lit"] == "0 2 4").all()


def test_the_brightest_carrier_stands_at_its_frequency(tmp_path):
    seen = open_observation(simulate_telescope(tmp_path / "sky", SMALL, progress=False))
    truth = pd.read_csv(tmp_path / "sky" / "truth.csv")
    best = truth[truth["kind"] == "carrier"].nlargest(1, "snr").iloc[0]
    channel = (best["freq_mhz"] * 1e6 - seen.low_hz) / seen.df_hz
    near = round(channel) - 50
    spectrum = seen.read(near, 101)[1].mean(axis=0)
    assert abs(near + int(np.argmax(spectrum)) - channel) < 2


def test_a_killed_call_goes_on_and_a_finished_one_is_left_alone(tmp_path, monkeypatch):
    whole = {path.name: path.read_bytes() for path in simulate_telescope(tmp_path / "whole", SMALL, progress=False)}
    real = verb.write_panel
    written = []

    def killed(path, *rest):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(path)
        real(path, *rest)

    monkeypatch.setattr(verb, "write_panel", killed)
    with pytest.raises(KeyboardInterrupt):
        simulate_telescope(tmp_path / "sky", SMALL, progress=False)
    assert not (tmp_path / "sky" / "truth.csv").exists()
    monkeypatch.setattr(verb, "write_panel", real)
    times = {path: path.stat().st_mtime_ns for path in written}
    paths = simulate_telescope(tmp_path / "sky", SMALL, progress=False)
    assert {path: path.stat().st_mtime_ns for path in written} == times
    assert {path.name: path.read_bytes() for path in paths} == whole
    truth = (tmp_path / "sky" / "truth.csv").stat().st_mtime_ns
    assert simulate_telescope(tmp_path / "sky", SMALL, progress=False) == paths
    assert (tmp_path / "sky" / "truth.csv").stat().st_mtime_ns == truth


def test_other_folders_are_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(AbacadError, match="not empty"):
        simulate_telescope(tmp_path, SMALL, progress=False)
    simulate_telescope(tmp_path / "sky", SMALL, progress=False)
    with pytest.raises(AbacadError, match="another seed"):
        simulate_telescope(tmp_path / "sky", SMALL, seed=1, progress=False)
    assert main(["simulate", str(tmp_path / "sky"), "--train", "2"]) == 2


@pytest.mark.parametrize(
    "words", [["--channels", "16384"], ["--telescope", "--preset", "easy"], ["--telescope", "--channels", "7"]]
)
def test_options_that_do_not_go_together_are_refused(words, tmp_path):
    assert main(["simulate", str(tmp_path / "sky"), *words]) == 2
    assert not (tmp_path / "sky").exists()
