"""What a simulated observation is made of, and the sets of values that have a name.

Everything here is plain data: no arrays, no torch, so that a command line can show it at once.
"""

import difflib
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Literal

from abacad.errors import AbacadError
from abacad.signal.cadence import N_PANELS, Axes

_MOST_VALUES = 1 << 28
"""Of a scene: 1 GB as float32. One of 4,096 channels and 273 rows has 6.7 million."""
_MOST_WINDOWS = 100_000  # of a scene
_WIDEST = 64  # channels, of a needle
_MOST_EMITTERS = 1000  # of a kind in a window


def _range(name: str, values: tuple[float, float], least: float, way_out: str) -> None:
    low, high = values
    if not least <= low <= high < float("inf"):
        raise AbacadError(
            f"{name} is {low:g} to {high:g}: it has to rise and to start at {least:g} or above.\n{way_out}"
        )


def _at_least(name: str, value: float, least: float, way_out: str) -> None:
    if not least <= value < float("inf"):
        raise AbacadError(f"{name} is {value:g}: it has to be {least:g} or more.\n{way_out}")


def _share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise AbacadError(f"{name} is {value:g}: it is a share, give a number from 0 to 1.")


@dataclass(frozen=True)
class Noise:
    """Radiometer noise: χ² with k degrees of freedom, and the gains of the receiver.

    Attributes:
        dof: Degrees of freedom k of one pixel; none: 4·round(df·dt), two polarisations (12 for 2.79 Hz × 1.07 s).
        dof_scale: Lowest and highest k of a scene over the nominal k; 0.82 to 0.95 on real GBT data.
        bandpass_ripple: Rms of the smooth bandpass across a scene, over its mean.
        channel_gain: Rms of the gain from one channel to the next, the same in all panels.
        panel_level: Rms of the level from panel to panel, over its mean (no matter once panels are normalised).
        slow_gain: Rms of the slow drift of the gain within a panel, each panel its own.
        fast_gain: Rms of the gain from row to row.
    """

    dof: float | None = None
    dof_scale: tuple[float, float] = (0.82, 0.95)
    bandpass_ripple: float = 0.04
    channel_gain: float = 0.02
    panel_level: float = 0.17
    slow_gain: float = 0.04
    fast_gain: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what no receiver does."""
        if self.dof is not None:
            _at_least("noise.dof", self.dof, 2.0, "2 is the noise of one polarisation and one sample.")
        _range("noise.dof_scale", self.dof_scale, 0.1, "1 1 is the ideal receiver.")
        for name in ("bandpass_ripple", "channel_gain", "panel_level", "slow_gain", "fast_gain"):
            _at_least(f"noise.{name}", getattr(self, name), 0.0, "0 switches it off.")
            if getattr(self, name) > 0.3:
                raise AbacadError(f"noise.{name} is {getattr(self, name):g}: above 0.3 gains turn negative.")


@dataclass(frozen=True)
class Rfi:
    """Interference, by the mean number of its emitters in one window.

    Amplitudes are in σ of one pixel.

    Attributes:
        carriers: Lines of constant frequency in all panels, or missing from some.
        blobs: Patches 3 to 12 channels wide that switch on and off.
        bursts: Broadband bursts of one to twelve rows, per cadence.
        lines: Drifting lines from the ground, in all panels, in OFF panels only, or in a mixture.
        squiggles: Wandering lines from the ground, in the same panels.
        combs: Carriers at equal distances.
        dc_spike: The digitiser's own bright channel, in the middle of a scene.
        carrier_snr: Faintest and brightest carrier, comb and DC spike.
        carrier_level: Rms of a carrier's level from panel to panel, over its mean: each pointing has other sidelobes.
        blob_snr: Faintest and brightest blob.
        burst_level: Weakest and strongest burst, over the noise level.
        decoys: Share of the negatives that hold a needle which also stands in OFF panels.
    """

    carriers: float = 0.5
    blobs: float = 0.4
    bursts: float = 0.4
    lines: float = 0.06
    squiggles: float = 0.04
    combs: float = 0.02
    dc_spike: float = 0.01
    carrier_snr: tuple[float, float] = (0.3, 40.0)
    carrier_level: float = 0.0
    blob_snr: tuple[float, float] = (0.3, 4.0)
    burst_level: tuple[float, float] = (0.03, 0.6)
    decoys: float = 0.05

    def __post_init__(self) -> None:
        """Refuse negative rates and amplitudes."""
        for name in ("carriers", "blobs", "bursts", "lines", "squiggles", "combs", "dc_spike"):
            _at_least(f"rfi.{name}", getattr(self, name), 0.0, "0 switches it off.")
            if getattr(self, name) > _MOST_EMITTERS:
                raise AbacadError(f"rfi.{name} is {getattr(self, name):g}: more than {_MOST_EMITTERS} hide everything.")
        for name in ("carrier_snr", "blob_snr", "burst_level"):
            _range(f"rfi.{name}", getattr(self, name), 1e-3, "To have none, set the rates to 0.")
        _share("rfi.carrier_level", self.carrier_level)
        _share("rfi.decoys", self.decoys)


@dataclass(frozen=True)
class Families:
    """How often each kind of needle is drawn, relative to the others.

    Attributes:
        line: Straight, continuing through the OFF panels' gaps.
        squiggle: A dashed random walk, another one in each panel.
        dash: A short piece in each panel, level or wriggling.
        sine: A line that swings.
        s_curve: A line that changes lanes once.
        pulsed: A line that switches on and off.
        scintillating: A line whose intensity twinkles, exponentially distributed.
        others: Families that were added to `abacad.simulator.shape.SHAPES`, each with its weight.
    """

    line: float = 0.4
    squiggle: float = 0.25
    dash: float = 0.1
    sine: float = 0.05
    s_curve: float = 0.05
    pulsed: float = 0.05
    scintillating: float = 0.1
    others: dict[str, float] = field(default_factory=dict, hash=False)  # equal ones hash alike, as they must

    def __post_init__(self) -> None:
        """Refuse a draw from nothing."""
        for name, weight in self.weights().items():
            _at_least(f"families.{name}", weight, 0.0, "0 leaves the family out.")
        if not sum(self.weights().values()) > 0:
            raise AbacadError("All families of needles have weight 0.\nGive at least one of them a positive weight.")

    @classmethod
    def only(cls, **weights: float) -> "Families":
        """These families and no others: `Families.only(line=0.6, sine=0.4)`."""
        own = [one.name for one in fields(cls) if one.name != "others"]
        others = {name: weight for name, weight in weights.items() if name not in own}
        return cls(**{name: weights.get(name, 0.0) for name in own}, others=others)

    def weights(self) -> dict[str, float]:
        """The weight of each family by its name."""
        own = {name: weight for name, weight in vars(self).items() if name != "others"}
        return own | self.others


@dataclass(frozen=True)
class Needles:
    """The signals to be found, and those that only look so.

    Attributes:
        families: How often each kind is drawn.
        test_families: The same for the test set; none: as in train.
        pixel_snr: Faintest and brightest needle, in σ of one pixel before smearing; drawn log-uniformly.
        drift_hz_s: Slowest and fastest drift in Hz/s, of either sign; drawn log-uniformly.
        width: Narrowest and widest needle in channels, drawn log-uniformly; below 1 all are one channel wide.
        partial: Share that stands in one or two of the three ON panels only.
        cut: Share that starts late or ends early.
    """

    families: Families = field(default_factory=Families)
    test_families: Families | None = None
    pixel_snr: tuple[float, float] = (0.16, 3.0)
    drift_hz_s: tuple[float, float] = (0.006, 0.35)
    width: tuple[float, float] = (0.1, 2.0)
    partial: float = 0.2
    cut: float = 0.25

    def __post_init__(self) -> None:
        """Refuse needles that cannot be."""
        _range("needles.pixel_snr", self.pixel_snr, 1e-6, "An SNR is positive: the amplitude over σ of one pixel.")
        _range("needles.drift_hz_s", self.drift_hz_s, 1e-9, "Give magnitudes: both signs are drawn.")
        _range("needles.width", self.width, 1e-3, "Widths are in channels, 0.1 to 2 are narrow-band.")
        if self.width[1] > _WIDEST:
            raise AbacadError(f"needles.width reaches {self.width[1]:g} channels; at most {_WIDEST} are narrow-band.")
        _share("needles.partial", self.partial)
        _share("needles.cut", self.cut)


@dataclass(frozen=True)
class Scenes:
    """The wide observations that windows are cut from.

    Attributes:
        n_freq: Channels of a scene.
        coverage: Windows that hold a channel of a scene, on average; 1.5 lets 19 of 20 windows overlap another.
        overlap: "shared" cuts train and test from the same scenes, "split" keeps them apart.
    """

    n_freq: int = 4096
    coverage: float = 1.5
    overlap: Literal["shared", "split"] = "split"

    def __post_init__(self) -> None:
        """Refuse empty scenes."""
        _at_least("scenes.n_freq", float(self.n_freq), 1.0, "A scene has at least as many channels as a window.")
        _at_least("scenes.coverage", self.coverage, 0.01, "1.5 is like the competition.")
        if self.overlap not in ("shared", "split"):
            raise AbacadError(f'scenes.overlap is "{self.overlap}": choose shared or split.')


@dataclass(frozen=True)
class Simulation:
    """All that defines a simulated data set but its size and its seed.

    Attributes:
        axes: Rows and channels of a panel, and their units.
        noise: Radiometer noise and gains.
        rfi: Interference.
        needles: Signals.
        scenes: The wide observations that windows are cut from.
        positives: Share of the cadences that hold a needle in ON panels alone.
        normalise: Bring each panel to mean 0 and standard deviation 1 in float16; otherwise raw power in float32.
    """

    axes: Axes = field(default_factory=Axes)
    noise: Noise = field(default_factory=Noise)
    rfi: Rfi = field(default_factory=Rfi)
    needles: Needles = field(default_factory=Needles)
    scenes: Scenes = field(default_factory=Scenes)
    positives: float = 0.1
    normalise: bool = True

    def __post_init__(self) -> None:
        """Refuse axes that hold no cadence, and windows wider than their scene."""
        axes = self.axes
        _at_least("axes.n_time", float(axes.n_time), 2.0, "A panel has at least two rows.")
        _at_least("axes.n_freq", float(axes.n_freq), 8.0, "A window has at least eight channels.")
        for name in ("dt_s", "df_hz"):
            _at_least(f"axes.{name}", getattr(axes, name), 1e-9, "It has to be positive.")
        _timetable(axes)
        if self.scenes.n_freq < axes.n_freq:
            raise AbacadError(
                f"The window is wider than the scene: {axes.n_freq} channels of {self.scenes.n_freq}.\n"
                f"Set scenes.n_freq to {axes.n_freq} or more."
            )
        _share("positives", self.positives)
        values = N_PANELS * axes.n_time * self.scenes.n_freq
        if values > _MOST_VALUES:
            raise AbacadError(
                f"axes.n_time {axes.n_time:,} and scenes.n_freq {self.scenes.n_freq:,} make {values:,} values a scene; "
                f"at most {_MOST_VALUES:,} fit.\nAsk for fewer rows or channels."
            )
        if self.windows_per_scene > _MOST_WINDOWS:
            raise AbacadError(
                f"scenes.coverage {self.scenes.coverage:g} makes {self.windows_per_scene:,} windows a scene; at most "
                f"{_MOST_WINDOWS:,} can be.\n1.5 is like the competition."
            )

    @property
    def dof(self) -> float:
        """Nominal degrees of freedom of a pixel: 4·round(df·dt), 12 for 2.79 Hz × 1.07 s, 204 for 2.79 Hz × 18.25 s."""
        if self.noise.dof is not None:
            return self.noise.dof
        return 4.0 * max(1, round(self.axes.df_hz * self.axes.dt_s))

    @property
    def windows_per_scene(self) -> int:
        """Windows cut from one scene: 1.5 × 4096 / 256 = 24."""
        return max(1, round(self.scenes.coverage * self.scenes.n_freq / self.axes.n_freq))


def _timetable(axes: Axes) -> None:
    """Refuse panels that overlap in time, and another number of them than six."""
    starts = axes.panel_start_s
    if len(starts) != N_PANELS:
        raise AbacadError(f"axes.panel_start_s has {len(starts)} starts: a cadence has {N_PANELS} panels.")
    shortest = min(later - start for start, later in pairwise(starts))
    if not shortest >= axes.panel_s * (1 - 1e-9):
        raise AbacadError(
            f"axes.panel_start_s has panels that begin {shortest:g} s apart, but {axes.n_time} rows of "
            f"{axes.dt_s:g} s last {axes.panel_s:g} s.\nPanels follow one another: give at least that."
        )


_NO_S_CURVES = Families(s_curve=0.0)

_COMPETITION_RFI = Rfi(carriers=0.8, blobs=0.8, bursts=0.5, carrier_level=0.2, lines=0.02, squiggles=0.01, decoys=0.012)
"""About one needle in nine stands in OFF panels too. Carriers differ between pointings, blobs and bursts come and go,
often enough to hide from statistics of whole panels what needles add to them: on the competition's data such
statistics reach an AUC of 0.496 to 0.519 (docs/data-format.md)."""

_FINE_PRODUCT = Axes(n_time=16, n_freq=256, dt_s=18.253611, df_hz=2.7939677)
"""Breakthrough Listen's fine product at GBT: 16 rows of 18.25 s in a five-minute panel."""

PRESETS: dict[str, Simulation] = {
    # As the re-issued Kaggle competition: S-curves in test only, train and test from other scenes.
    "kaggle": Simulation(
        needles=Needles(families=_NO_S_CURVES, test_families=Families(s_curve=0.5)), rfi=_COMPETITION_RFI
    ),
    # As MLE-bench's re-split of its training set: one distribution, one sky.
    "mlebench": Simulation(
        needles=Needles(families=_NO_S_CURVES), rfi=_COMPETITION_RFI, scenes=Scenes(overlap="shared")
    ),
    # Bright, common needles and little interference: a detector that fails here is broken.
    "easy": Simulation(
        needles=Needles(pixel_snr=(1.5, 8.0), partial=0.0, cut=0.0),
        rfi=Rfi(carriers=0.2, blobs=0.1, bursts=0.1, combs=0.0, dc_spike=0.0, decoys=0.1),
        positives=0.5,
    ),
    # For a first look on a laptop: enough positives for a small set to train on, half of them below 1 σ a pixel.
    "demo": Simulation(
        needles=Needles(pixel_snr=(0.35, 2.5), partial=0.1, cut=0.2),
        rfi=Rfi(decoys=0.1),
        scenes=Scenes(overlap="shared"),
        positives=0.3,
    ),
    # To train on, not to judge by: as kaggle, but with as many S-curves as lines, more interference, and in a third of
    # the negatives a needle that stands in OFF panels too.
    "hard": Simulation(
        needles=Needles(families=Families(s_curve=0.4)),
        rfi=replace(_COMPETITION_RFI, carriers=2.0, blobs=1.2, lines=0.1, squiggles=0.08, decoys=0.33),
    ),
    # What a telescope's files look like: the fine product, drifts up to 4 Hz/s, many times the unit drift.
    "telescope": Simulation(
        axes=_FINE_PRODUCT,
        noise=Noise(bandpass_ripple=0.02, channel_gain=0.005, slow_gain=0.01, fast_gain=0.003),
        needles=Needles(pixel_snr=(0.5, 20.0), drift_hz_s=(0.005, 4.0)),
    ),
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
