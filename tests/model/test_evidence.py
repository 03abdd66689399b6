"""Evidence of lines that was kept is that of the cadence, turned round or not."""

import pytest
import torch

from abacad.model.evidence import MAX_DRIFT, as_bytes, from_bytes, line_evidence, reversed_freq, reversed_time
from abacad.model.lines import spread
from abacad.signal.cadence import OFF, ON
from tests.model.made import EVEN, N_FREQ, N_TIME, UNEVEN, lines

LARGEST = slice(0, 8)
"""Maps that are largest sums; the last two are differences of such."""
REVERSED = (4, 5, 2, 3, 0, 1)
"""Panels in the order ON, OFF, … when time runs backwards: the last OFF panel comes before the first ON."""


def cadence(starts, seed=0):
    """Noise with bright lines: one in the ON panels, one in all, one in two OFF panels; no two drifts are opposite."""
    noise = torch.randn(1, 6, N_TIME, N_FREQ, generator=torch.Generator().manual_seed(seed))
    drawn = lines(ON, 20, 5, 3.0, starts=starts) + lines((*ON, *OFF), 40, -2, 3.0, starts=starts)
    return noise + drawn + lines(OFF[1:], 30, 9, 3.0, starts=starts)


def alike(one, other):
    """Correlation of each map with its counterpart."""
    one, other = ((maps - maps.mean((-2, -1), keepdim=True)).flatten(-2) for maps in (one, other))
    return (one * other).sum(-1) / (one.norm(dim=-1) * other.norm(dim=-1))


def near(one, other):
    """Whether each pixel of either, but at the band's ends, is reached by a neighbour of the other.

    Drifts are taken together from either end, and half channels lie beyond the last channel, but not before the first.
    """
    around = [spread(spread(maps, -1), -2) + 1e-4 for maps in (one, other)]
    return bool((one <= around[1])[..., 1:-1].all() and (other <= around[0])[..., 1:-1].all())


@pytest.mark.parametrize("starts", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("reversal", ["freq", "time", "both"])
def test_evidence_turned_round_is_that_of_the_cadence_turned_round(reversal, starts):
    panels, kept = cadence(starts), line_evidence(cadence(starts), 12, starts)
    before = kept
    if reversal in ("freq", "both"):
        panels, kept = panels.flip(-1), reversed_freq(kept)
    if reversal in ("time", "both"):
        panels, kept = panels[:, REVERSED].flip(-2), reversed_time(kept)
        starts = tuple(starts[4] - starts[panel] for panel in REVERSED)
    made = line_evidence(panels, 12, starts)
    assert near(kept[:, LARGEST], made[:, LARGEST])
    assert alike(kept, made).min() > 0.55
    assert alike(kept, made).mean() > alike(before, made).mean() + 0.4


def test_turning_twice_is_turning_never():
    evidence = line_evidence(cadence(EVEN), 12, EVEN)
    for turned in (reversed_freq, reversed_time):
        assert torch.equal(turned(turned(evidence)), evidence)


def test_bytes_keep_what_noise_can_tell():
    bright = cadence(EVEN) + 1e4 * lines(ON, 10, 3)
    evidence = line_evidence(bright, MAX_DRIFT, EVEN)
    kept = as_bytes(evidence)
    assert kept.dtype == torch.int8
    assert evidence.max() > 2.99
    # where lines are faint, two steps of evidence are one of σ
    torch.testing.assert_close(from_bytes(kept), evidence, atol=0.5 * 3 / 127 + 1e-6, rtol=0)
