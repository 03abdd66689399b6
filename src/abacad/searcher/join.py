"""De-doppler and join: in one pass over the band, the best line through several panels at every frequency.

    S(f, D) = Σ over panels p of tree_p[climb_p(D), f + offset_p(D)]         SNR = (S − location_D) / σ_D

Sums by drift and frequency are never kept for the whole band: a stretch small enough for the processor's cache is
summed by one tree a panel, the trees' rows are added along every line, and only the best line of each frequency
stays. The additions are made before any threshold, so that a needle too faint for each panel alone is found √(number
of panels) deeper.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from abacad.searcher.line_sums import Sums, best_lines, sampled
from abacad.searcher.plan import Octave, lines, tree
from abacad.signal.deviation import MAD_TO_SIGMA

_STRETCH = 2048  # bins of the band that are worked on at once: trees of 3 × 16 rows fill half a megabyte
_FEWEST = 64  # sums that location and σ of a line can be measured on

Band = Float[np.ndarray, "panel time bin"]


class Join:
    """Sums of the powers of several panels along all lines of one octave of drifts.

    Attributes:
        octave: range of drifts.
        lines: lines that are summed, one bin apart at the end of the last panel.
        location, scale: (line,) median of noise of the sums along each line, and 1 / σ.
    """

    def __init__(
        self,
        octave: Octave,
        start_s: Float[np.ndarray, " panel"],
        n_time: Int[np.ndarray, " panel"],
        dt_s: float,
        fastest_channels_a_row: float = np.inf,
    ) -> None:
        """Plan the lines.

        Args:
            octave: range of drifts.
            start_s: start of each panel; the frequency of a line is counted at time 0.
            n_time: rows of each panel.
            dt_s: seconds a row.
            fastest_channels_a_row: fastest drift that is asked for; none: that of the octave.
        """
        self.octave = octave
        self.lines = lines(octave, start_s, n_time, dt_s, fastest_channels_a_row)
        tables, n_stage = _tables(n_time)
        offset, climb = self.lines.offset, self.lines.climb
        self._sums = Sums(n_time.astype(np.int64), tables, n_stage, offset, climb, octave.sign, octave.shear)
        # Until `calibrate` has samples, sums are taken for those of white noise: n rows of bins of `width` channels.
        self.location = np.zeros(len(offset), np.float32)
        self.scale = np.full(len(offset), 1 / np.sqrt(n_time.sum() * octave.width), np.float32)

    def tree(self, panel: int) -> tuple[int, Int[np.ndarray, "stage row 3"]]:
        """Rows of a panel, and the stages of its tree."""
        rows = int(self._sums.n_time[panel])
        return rows, self._sums.tables[panel, : self._sums.n_stage[panel], :rows]

    @property
    def reach(self) -> int:
        """Bins that a line moves at most."""
        return int(self.lines.offset.max() + (self.octave.shear + 1) * self._sums.n_time.max())

    def samples(self, band: Band, starts: Sequence[int], size: int) -> Float[np.ndarray, "line some"]:
        """Sums along every line from a few stretches of a band, `size` bins each."""
        sums = np.zeros((len(self.lines.offset), len(starts), size), np.float32)
        sampled(band, self._sums, np.array(starts, np.int64), size, sums)
        return sums.reshape(len(sums), -1)

    def calibrate(self, sums: Float[np.ndarray, "line some"]) -> None:
        """Take location and σ of the sums along each line from samples: median, median absolute deviation."""
        masked = ~sums.any(axis=0)  # such bins say nothing about noise
        sums = sums[:, ~masked] if masked.any() else sums
        if sums.shape[1] < _FEWEST:
            return  # and the σ of white noise stays
        self.location = _middle(sums)
        sigma = MAD_TO_SIGMA * _middle(np.abs(sums - self.location[:, None]))
        # A line on which all is masked has no scatter: its scale of 0 keeps it from ever being the best.
        self.scale = np.where(sigma > 0, 1 / np.maximum(sigma, 1e-12), 0).astype(np.float32)

    def best(
        self, band: Band, threshold: float = -np.inf, every: int = 1
    ) -> tuple[Float[np.ndarray, " bin"], Int[np.ndarray, " bin"]]:
        """SNR of the best line from each bin of a band; which line that is, at the best of every few bins.

        Args:
            band: panels in units of their σ, binned as the octave asks; rows beyond a panel's own are not read.
            threshold: SNR that a bin must exceed for its line to be told.
            every: Bins of which the best has its line told.

        Returns:
            SNR of each bin, and the number of its line; −1 where it is not told.
        """
        best, line = np.empty(band.shape[2], np.float32), np.empty(band.shape[2], np.int32)
        stretch = every * -(-min(_STRETCH, band.shape[2]) // every)
        best_lines(band, self._sums, self.location, self.scale, stretch, every, threshold, best, line)
        return best, line


def _middle(values: Float[np.ndarray, "line some"]) -> Float[np.ndarray, " line"]:
    """Median of each line but for half a rank: a third of the time of np.median."""
    rank = values.shape[1] // 2
    return np.partition(values, rank, axis=1)[:, rank]


def _tables(
    n_time: Int[np.ndarray, " panel"],
) -> tuple[Int[np.ndarray, "panel stage row 3"], Int[np.ndarray, " panel"]]:
    """The tree of each panel, in one array."""
    trees = [tree(int(rows)) for rows in n_time]
    tables = np.zeros((len(trees), max(map(len, trees)), int(n_time.max()), 3), np.int32)
    for panel, table in enumerate(trees):
        tables[panel, : len(table), : table.shape[1]] = table
    return tables, np.array([len(table) for table in trees])
