"""The settings of a search, as plain data."""

from dataclasses import dataclass

from abacad.errors import AbacadError
from abacad.limits import within


@dataclass(frozen=True)
class Settings:
    """How deep and how wide to search.

    Attributes:
        max_drift_hz_s: largest drift rate that is searched, of both signs.
        snr: least SNR of a line through all ON panels that makes it a signal. At 6.5, four of five simulated coarse
            channels of 2^20 held one false event, of SNR 6.57 to 6.92 (docs/benchmarks.md), hence 7.
        min_drift_hz_s: events that drift more slowly are of the class near-zero drift.
        windows: how many windows of each coarse channel, those with the highest scores, may be signals though no line
            is in them; 0 scores no window.
        judged: how many events of each coarse channel, the brightest, the detector scores.
        inject: needles added to each coarse channel, in memory, to measure what share of them is found.
        seed: seed of the injected needles.
    """

    max_drift_hz_s: float = 4.0
    min_drift_hz_s: float = 0.0
    snr: float = 7.0
    windows: int = 0
    judged: int = 32
    inject: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no search can mean."""
        if not 0 < self.max_drift_hz_s < 10_000:
            raise AbacadError(
                f"max_drift is {self.max_drift_hz_s:g} Hz/s.\nGive a rate above 0 and below 10,000, such as 4."
            )
        if not 0 <= self.min_drift_hz_s < self.max_drift_hz_s:
            raise AbacadError(
                f"min_drift is {self.min_drift_hz_s:g} Hz/s, max_drift {self.max_drift_hz_s:g}.\n"
                "Give a smaller rate, or 0 for lines of any drift."
            )
        if not self.snr >= 5:
            raise AbacadError(f"snr is {self.snr:g}: below 5 noise alone makes hundreds of events.\nGive 5 or more.")
        # Bounded above, too: a needle that is injected takes memory, and no coarse channel has a million signals.
        within(self, "", judged=(0, 10**6), windows=(0, 10**6), inject=(0, 10**4), seed=(0, 2**63 - 1))

    @property
    def first_snr(self) -> float:
        """SNR of a path in the first look that is worth a second one."""
        # A path of the tree keeps three quarters of its line's SNR or more (docs/adr/0007-search-engine.md); two thirds
        # leave room for noise.
        return 0.67 * self.snr
