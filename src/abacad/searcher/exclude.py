"""Frequency ranges whose signals are kept, but out of the headline: filters of a receiver, known transmitters.

A list is a CSV file with the columns start_mhz, end_mhz and name. The package has `gbt`: the notch filters of the Green
Bank Telescope's L and S receivers, as the observatory's documentation of the receivers gives them, and allocations to
satellites and to industrial use. The L filter can be switched out; the S filter cannot. Each row has its source.
"""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from abacad.errors import AbacadError
from abacad.files import read_table
from abacad.searcher.table import in_order

PACKAGED = ("gbt",)

_WAY_OUT = f"Give a CSV file with the columns start_mhz, end_mhz and name, or one of: {', '.join(PACKAGED)}."


def read_bands(named: str | Path) -> pd.DataFrame:
    """A list of bands, packaged or of a file.

    Raises:
        AbacadError: there is no such list, or a band ends before it starts.
    """
    path = (
        Path(str(files("abacad").joinpath("searcher", "bands", f"{named}.csv"))) if named in PACKAGED else Path(named)
    )
    bands = read_table(path, {"start_mhz": float, "end_mhz": float, "name": str}, _WAY_OUT)
    wrong = bands[bands["end_mhz"] <= bands["start_mhz"]]
    if len(wrong):
        raise AbacadError(f"{path.name}: the band {wrong.iloc[0]['name']} ends before it starts.\n{_WAY_OUT}")
    return bands


def excluded(events: pd.DataFrame, bands: pd.DataFrame) -> pd.DataFrame:
    """The table with the name of the band that each signal lies in; signals of excluded bands come last.

    Args:
        events: signals, with the column frequency_mhz.
        bands: start_mhz, end_mhz and name of each band; where bands overlap, the later one gives the name.
    """
    names = np.full(len(events), "", dtype=object)
    at = events["frequency_mhz"].to_numpy(dtype=float)
    for band in bands.itertuples(index=False):
        names[(at >= band.start_mhz) & (at <= band.end_mhz)] = str(band.name)
    return in_order(events.assign(excluded=names))
