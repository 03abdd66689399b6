"""What a simulated observation is made of: its noise, its interference, its needles and its axes.

Everything here is plain data: no arrays, no torch, so that a command line can show it at once.
"""

from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Literal

from abacad.errors import AbacadError
from abacad.limits import at_least, rising, within
from abacad.signal.cadence import N_PANELS, Axes

_MOST_VALUES = 1 << 28
"""Of a scene: 1 GB as float32. One of 4,096 channels and 273 rows has 6.7 million."""
_MOST_WINDOWS = 100_000  # of a scene
_WIDEST = 64  # channels, of a needle
_MOST_EMITTERS = 1000.0  # of one sort of interference in a window: more hide everything


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
            at_least("noise.dof", self.dof, 2.0, "2 is the noise of one polarisation and one sample.")
        rising("noise.dof_scale", self.dof_scale, 0.1, "1 1 is the ideal receiver.")
        gains = ("bandpass_ripple", "channel_gain", "panel_level", "slow_gain", "fast_gain")
        within(self, "noise", "Above 0.3 gains turn negative.", **dict.fromkeys(gains, (0.0, 0.3)))


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
        rates = ("carriers", "blobs", "bursts", "lines", "squiggles", "combs", "dc_spike")
        within(self, "rfi", "0 switches it off.", **dict.fromkeys(rates, (0.0, _MOST_EMITTERS)))
        for name in ("carrier_snr", "blob_snr", "burst_level"):
            rising(f"rfi.{name}", getattr(self, name), 1e-3, "To have none, set the rates to 0.")
        within(self, "rfi", carrier_level=(0, 1), decoys=(0, 1))


@dataclass(frozen=True)
class Families:
    """How often each family of needles is drawn, relative to the others.

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
            at_least(f"families.{name}", weight, 0.0, "0 leaves the family out.")
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
        families: How often each family is drawn.
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
        rising("needles.pixel_snr", self.pixel_snr, 1e-6, "An SNR is positive: the amplitude over σ of one pixel.")
        rising("needles.drift_hz_s", self.drift_hz_s, 1e-9, "Give magnitudes: both signs are drawn.")
        rising("needles.width", self.width, 1e-3, "Widths are in channels, 0.1 to 2 are narrow-band.")
        if self.width[1] > _WIDEST:
            raise AbacadError(f"needles.width reaches {self.width[1]:g} channels; at most {_WIDEST} are narrow-band.")
        within(self, "needles", partial=(0, 1), cut=(0, 1))


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
        at_least("scenes.n_freq", float(self.n_freq), 1.0, "A scene has at least as many channels as a window.")
        at_least("scenes.coverage", self.coverage, 0.01, "1.5 is like the competition.")
        # checked here and not by its type alone: Python takes any text for a Literal
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
        at_least("axes.n_time", float(axes.n_time), 2.0, "A panel has at least two rows.")
        at_least("axes.n_freq", float(axes.n_freq), 8.0, "A window has at least eight channels.")
        for name in ("dt_s", "df_hz"):
            at_least(f"axes.{name}", getattr(axes, name), 1e-9, "It has to be positive.")
        _timetable(axes)
        if self.scenes.n_freq < axes.n_freq:
            raise AbacadError(
                f"The window is wider than the scene: {axes.n_freq} channels of {self.scenes.n_freq}.\n"
                f"Set scenes.n_freq to {axes.n_freq} or more."
            )
        within(self, "", positives=(0, 1))
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
    # to nine digits: starts are sums of decimal fractions, which round
    shortest = min(later - start for start, later in pairwise(starts))
    if not shortest >= axes.panel_s * (1 - 1e-9):
        raise AbacadError(
            f"axes.panel_start_s has panels that begin {shortest:g} s apart, but {axes.n_time} rows of "
            f"{axes.dt_s:g} s last {axes.panel_s:g} s.\nPanels follow one another: give at least that."
        )
