"""`abacad simulate --telescope`: six telescope files of one observation, with the truth beside them.

    <out>/0_TARGET.h5, 1_OFF1.h5, … 5_OFF3.h5    the fine product: 16 rows of 18.25 s, channels of 2.79 Hz
    <out>/truth.csv                              what stands in them, and what a search should call it
    <out>/simulation.json                        parameters, seed and version

Every file is whole or absent. The truth is written last, so a folder without it is not finished; the same command goes
on with it.
"""

import logging
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from rich.progress import track

from abacad.data.header import Header
from abacad.data.simulated_folder import begin
from abacad.data.telescope_writer import write_panel
from abacad.errors import AbacadError
from abacad.files import write_table
from abacad.signal.cadence import N_PANELS
from abacad.simulator.telescope import COARSE, Emissions, Session, draw_emissions, pieces, power

log = logging.getLogger(__name__)

SOURCES = ("TARGET", "OFF1", "TARGET", "OFF2", "TARGET", "OFF3")
CLASSES = {"needle": "event", "standing": "near-zero drift"}
"""Class that a search should give to the lines of each emitter; those of all others stand in OFF panels too."""

# Frequency, date and position as in the header of Breakthrough Listen's file of Voyager 1, so that all are usual ones.
_FCH1_MHZ = 8421.386717353016
_TSTART_MJD = 57650.78209490741
_RA_HOURS, _DEC_DEG = 17.16777333, 12.18300000


def simulate_telescope(
    out: str | Path, session: Session | None = None, *, seed: int = 0, progress: bool = True
) -> list[Path]:
    """Write six telescope files and return their paths, in the order of time.

    Args:
        out: The folder; new, empty, or begun by the same call.
        session: Channels, needles and interference of the observation; none: 2^18 channels with 20 needles.
        seed: Decides everything else.
        progress: Show a progress bar.

    Raises:
        AbacadError: the folder holds something else, the disk is full, or the band is too narrow for the needles.

    Example:
        >>> from abacad.simulator.telescope import Session
        >>> files = abacad.simulate_telescope("sky", Session(channels=2**13, needles=0), progress=False)
        >>> [file.name for file in files][:2]
        ['0_TARGET.h5', '1_OFF1.h5']
    """
    out, session = Path(out), session or Session()
    emissions = draw_emissions(session, seed)
    paths = [out / f"{panel}_{source}.h5" for panel, source in enumerate(SOURCES)]
    if begin(out, session, {"seed": seed, "sources": SOURCES}, last="truth.csv"):
        log.info("%s is finished already", out)
        return paths
    _check_space(out, session)
    for panel in track(range(N_PANELS), "Simulating", disable=not progress, transient=True):
        # A file that exists is whole: it was written under another name first.
        if not paths[panel].exists():
            header = _header(session, panel, float(emissions.start_s[panel]))
            made = _made(session, emissions, seed, panel)
            write_panel(paths[panel], header, session.axes.n_time, made, f"simulated by abacad, seed {seed}")
    # 13 digits: a frequency of 8,421 MHz is then good to 1 mHz, where a channel has 2.79 Hz.
    write_table(out / "truth.csv", truth(session, emissions), digits=13)
    log.info("Wrote six files of %s channels to %s", f"{session.channels:,}", out)
    return paths


def _made(
    session: Session, emissions: Emissions, seed: int, panel: int
) -> Iterator[tuple[int, Float[np.ndarray, "time freq"]]]:
    # Piece by piece: six panels of a wide band in 32 bits would not fit into the memory of a laptop.
    for first, n in pieces(session.channels):
        yield first, power(session, emissions, seed, panel, first, n).numpy()


def _header(session: Session, panel: int, start_s: float) -> Header:
    return Header(
        source_name=SOURCES[panel],
        tstart_mjd=_TSTART_MJD + start_s / 86_400,
        tsamp_s=session.axes.dt_s,
        fch1_mhz=_FCH1_MHZ,
        foff_mhz=-session.axes.df_hz * 1e-6,  # descending, as files of this telescope usually are
        n_channels=session.channels,
        n_ifs=1,
        n_bits=32,
        telescope="GBT",
        ra_hours=_RA_HOURS,
        dec_deg=_DEC_DEG + (panel % 2) * math.ceil(panel / 2) * 0.5,  # OFF targets lie 0.5, 1 and 1.5 degrees away
        n_fine=min(session.channels, COARSE),  # a narrow band is part of one coarse channel
    )


def truth(session: Session, emissions: Emissions) -> pd.DataFrame:
    """The table of all emissions in the files, ascending in frequency.

    Returns:
        Columns kind, the emitter; class, as a search should say; freq_mhz, when the first panel begins; drift_hz_s;
        snr, summed along the path in one panel, before smearing; joint_snr, along the path through all ON panels,
        smearing matched; width_hz; panels_lit, as "0 2 4".
    """
    axes = session.axes
    low_mhz = _FCH1_MHZ - (session.channels - 1) * axes.df_hz * 1e-6
    table = pd.DataFrame(
        {
            "kind": emissions.emitter,
            "class": [CLASSES.get(emitter, "in OFF") for emitter in emissions.emitter],
            "freq_mhz": low_mhz + emissions.channel * axes.df_hz * 1e-6,
            "drift_hz_s": emissions.drift_hz_s,
            "snr": emissions.snr,
            "joint_snr": emissions.joint_snr(axes),
            "width_hz": emissions.width * axes.df_hz,
            "panels_lit": [" ".join(str(panel) for panel in np.flatnonzero(lit)) for lit in emissions.lit],
        }
    )
    return table.sort_values("freq_mhz", ignore_index=True)


def _check_space(out: Path, session: Session) -> None:
    size = N_PANELS * session.axes.n_time * session.channels * 4
    free = shutil.disk_usage(out).free
    if size > free:
        raise AbacadError(
            f"Six files of {session.channels:,} channels need {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free at "
            f"{out}.\nMake room, choose another disk, or ask for fewer channels."
        )
