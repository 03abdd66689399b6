"""The simulations that have a name: `abacad presets` lists them."""

import difflib
from dataclasses import replace

from abacad.errors import AbacadError
from abacad.signal.cadence import Axes
from abacad.simulator.settings import Families, Needles, Noise, Rfi, Scenes, Simulation

_NO_S_CURVES = Families(s_curve=0.0)

_COMPETITION_RFI = Rfi(carriers=0.8, blobs=0.8, bursts=0.5, carrier_level=0.2, lines=0.02, squiggles=0.01, decoys=0.012)
"""About one needle in nine stands in OFF panels too. Carriers differ between pointings, blobs and bursts come and go,
often enough to hide from statistics of whole panels what needles add to them: on the competition's data such
statistics reach an AUC of 0.496 to 0.519 (docs/data-format.md)."""

_FINE_PRODUCT = Axes(n_time=16, n_freq=256, dt_s=18.253611, df_hz=2.7939677)
"""Breakthrough Listen's fine product at GBT: 16 rows of 18.25 s in a five-minute panel."""

ABOUT = {
    "kaggle": "as the re-issued competition: S-curves in the test set alone, whose scenes are others",
    "kaggle-2": "kaggle, its faintest needles so bright that the baseline has its published AUC",
    "mlebench": "as MLE-bench's copy: train and test of one distribution, under one sky",
    "easy": "bright, common needles, little interference: what fails here is broken",
    "demo": "for a small set on a laptop: many needles, half of them below 1 σ a pixel",
    "hard": "to train on: S-curves, interference, and needles that stand in OFF panels too",
    "telescope": "the fine product of telescope files, drifts up to 4 Hz/s",
    "telescope-slow": "the same, drifts that a detector follows in a window: up to 0.35 Hz/s",
}
"""What each preset is for."""

_TELESCOPE = Simulation(
    axes=_FINE_PRODUCT,
    noise=Noise(bandpass_ripple=0.02, channel_gain=0.005, slow_gain=0.01, fast_gain=0.003),
    needles=Needles(pixel_snr=(0.5, 20.0), drift_hz_s=(0.005, 4.0)),
)

PRESETS: dict[str, Simulation] = {
    "kaggle": Simulation(
        needles=Needles(families=_NO_S_CURVES, test_families=Families(s_curve=0.5)), rfi=_COMPETITION_RFI
    ),
    "kaggle-2": Simulation(
        needles=Needles(pixel_snr=(0.7, 3.0), families=_NO_S_CURVES, test_families=Families(s_curve=0.5)),
        rfi=_COMPETITION_RFI,
    ),
    "mlebench": Simulation(
        needles=Needles(families=_NO_S_CURVES), rfi=_COMPETITION_RFI, scenes=Scenes(overlap="shared")
    ),
    "easy": Simulation(
        needles=Needles(pixel_snr=(1.5, 8.0), partial=0.0, cut=0.0),
        rfi=Rfi(carriers=0.2, blobs=0.1, bursts=0.1, combs=0.0, dc_spike=0.0, decoys=0.1),
        positives=0.5,
    ),
    "demo": Simulation(
        needles=Needles(pixel_snr=(0.35, 2.5), partial=0.1, cut=0.2),
        rfi=Rfi(decoys=0.1),
        scenes=Scenes(overlap="shared"),
        positives=0.3,
    ),
    "hard": Simulation(
        needles=Needles(families=Families(s_curve=0.4)),
        rfi=replace(_COMPETITION_RFI, carriers=2.0, blobs=1.2, lines=0.1, squiggles=0.08, decoys=0.33),
    ),
    "telescope": _TELESCOPE,
    "telescope-slow": replace(_TELESCOPE, needles=replace(_TELESCOPE.needles, drift_hz_s=(0.005, 0.35))),
}


def preset_named(name: str) -> Simulation:
    """The preset of that name.

    Raises:
        AbacadError: there is none.
    """
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise AbacadError(f"there is no preset '{name}'.{hint}\nPresets: {', '.join(PRESETS)}.")
    return PRESETS[name]
