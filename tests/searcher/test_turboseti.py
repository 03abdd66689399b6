"""turboSETI's own tools take our `.dat` files: they read the hits, and name the same event.

Needs an environment with turbo_seti 2.3.2 and blimpy; the variable ABACAD_TURBOSETI_PYTHON names its interpreter.
"""

import os
import subprocess

import h5py
import pytest

import abacad
from tests.data.files import write_panel
from tests.searcher.made import add_line, made

PYTHON = os.environ.get("ABACAD_TURBOSETI_PYTHON", "")

PROGRAM = """
import sys
from turbo_seti.find_event.find_event import read_dat
from turbo_seti.find_event.find_event_pipeline import find_event_pipeline
folder, n = sys.argv[1], (len(sys.argv) - 2) // 2
for name, words in (("dat.lst", sys.argv[2 : 2 + n]), ("h5.lst", sys.argv[2 + n :])):
    open(f"{folder}/{name}", "w").write("\\n".join(words) + "\\n")
print("HITS", [len(read_dat(path)) for path in sys.argv[2 : 2 + n]])
table = find_event_pipeline(f"{folder}/dat.lst", h5_file_list_str=f"{folder}/h5.lst", filter_threshold=3,
                            number_in_cadence=6, csv_name=f"{folder}/events.csv", saving=True)
print("FOUND:", *table.iloc[0][["Freq", "DriftRate", "SNR"]])
"""


@pytest.mark.skipif(not PYTHON, reason="ABACAD_TURBOSETI_PYTHON names no interpreter with turbo_seti")
def test_turboseti_reads_the_hits_and_finds_the_event(tmp_path):
    observation = made(seed=5, n_freq=8192, start_s=[400.0 * p for p in range(6)], df_hz=2.79, dt_s=18.0)
    add_line(observation, 2000, 0.1, 25)
    add_line(observation, 5000, 0.0, 50, panels=range(6))
    says = {"src_raj": 17.2, "src_dej": 12.4, "nbits": 32, "machine_id": 20, "telescope_id": 6, "data_type": 1}
    files = [write_panel(tmp_path, k, observation.panels[k], nchans=8192, nifs=1, **says) for k in range(6)]
    for file in files:  # blimpy asks for the version of the layout
        with h5py.File(file, "r+") as opened:
            opened.attrs["VERSION"] = "1.0"
    event = abacad.search(files, out=tmp_path / "found", max_drift=1, judged=0, shown=0, progress=False).iloc[0]
    dats = [tmp_path / "found" / "dat" / f"{k}.dat" for k in range(6)]
    command = [PYTHON, "-W", "ignore", "-c", PROGRAM, tmp_path, *dats, *files]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert "HITS [2, 1, 2, 1, 2, 1]" in done.stdout, done.stderr[-800:]
    freq, drift, snr = map(float, done.stdout.split("FOUND:", 1)[1].split()[:3])
    assert freq == pytest.approx(event["frequency_mhz"], abs=2e-6)
    assert drift == pytest.approx(event["drift_hz_s"], abs=1e-5)
    assert snr == pytest.approx(event["snr_1"], abs=1e-3)
