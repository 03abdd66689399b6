"""Shared backgrounds are found with their place, and nothing else is."""

import numpy as np
import pytest
import torch

from abacad.overlap.fingerprint import PROJECTIONS, steps
from abacad.overlap.match import ALIKE, Recent, compared, components, likely_pairs, verified
from tests.overlap.made import N_FREQ, N_TIME, codes_of, noise, snippet


def line(panels: tuple[int, ...], drift: float, amplitude: float) -> torch.Tensor:
    needle = torch.zeros(6, N_TIME, N_FREQ)
    for panel in panels:
        for row in range(N_TIME):
            needle[panel, row, int(10 + drift * row) % N_FREQ] = amplitude
    return needle


def found(cadences: list[np.ndarray]) -> list[tuple]:
    """(a, b, offset, columns, differ) of the pairs that are borne out."""
    codes = codes_of(cadences)
    pairs = compared(codes, likely_pairs(codes))
    kept = (pairs["alike"] <= ALIKE).to_numpy(copy=True)
    kept[~kept] = verified(pairs[~kept], lambda k: steps(torch.from_numpy(cadences[k]).float()[:, 20:52]).numpy())
    return [tuple(row) for row in pairs[kept][["a", "b", "offset", "columns", "differ"]].itertuples(index=False)]


@pytest.mark.parametrize("shared", [8, 16, 40, N_FREQ])
def test_a_shared_background_is_found_with_its_place(shared):
    scene, first = noise(3), N_FREQ - shared
    assert found([snippet(scene, first), snippet(scene, 0), snippet(noise(4), 0)]) == [(0, 1, -first, shared, "")]


@pytest.mark.parametrize(("drift", "amplitude"), [(0.05, 1.0), (0.3, 3.0), (0.02, 30.0)])
def test_a_needle_does_not_hide_a_shared_background(drift, amplitude):
    """It stands in some columns, and shifts and scales the whole panel when that is normalised."""
    scene = noise(5)
    pairs = found([snippet(scene, 0, line((0, 2, 4), drift, amplitude)), snippet(scene, 6)])
    assert [(pair[:3], pair[4]) for pair in pairs] == [((0, 1, 6), "0 2 4")]
    assert pairs[0][3] == N_FREQ - 6


def test_dead_panels_do_not_hide_a_shared_background():
    scene = noise(6)
    broken = snippet(scene, 0)
    broken[1:3] = 0
    assert [pair[:3] for pair in found([broken, snippet(scene, 6)])] == [(0, 1, 6)]
    assert found([broken, snippet(scene, 6)])[0][4] == "1 2"


def test_what_is_alike_in_unrelated_files_is_no_overlap():
    cadences = []
    for seed in range(80):
        panels = noise(100 + seed, N_FREQ)
        panels[:, :, :10] = 50  # carriers without noise
        panels[:, :, 10:14] = 0  # dead
        panels[:, ::2, 14:20] = 60_000  # saturated in every second row, and dead in the others
        panels[:, 1::2, 14:20] = 0
        panels[:, :48, 20:34] = 3  # switched at the same row
        panels[:, 48:, 20:34] = 90
        panels[:, 30:33] += 40  # the same burst
        cadences.append(snippet(panels, 0))
    assert found(cadences) == []


@pytest.mark.parametrize("switches", [(30,), (24, 40), (10, 26, 42, 70)])
def test_panels_that_switch_together_are_no_overlap(switches):
    """All columns agree, in all panels: they are one column many times over."""
    cadences = []
    for seed in (1, 2):
        panels = noise(seed, N_FREQ)
        for row in switches:
            panels[:, row:] += 300
        cadences.append(snippet(panels, 0))
    codes = codes_of(cadences)
    assert compared(codes, likely_pairs(codes))["alike"].tolist() == pytest.approx([1], abs=0.1)
    assert found(cadences) == []


def test_columns_of_noise_are_not_alike():
    codes = codes_of([snippet(noise(9), 0), snippet(noise(9), 20)])
    assert compared(codes, likely_pairs(codes))["alike"].tolist() == pytest.approx([1 / PROJECTIONS], abs=0.05)


def test_few_alike_columns_among_independent_ones_are_no_overlap():
    """A spurious carrier of the receiver itself may be the same in two files; the rest is not."""
    first, second = noise(7, N_FREQ), noise(8, N_FREQ)
    second[..., 5:10] = first[..., 5:10]
    assert found([snippet(first, 0), snippet(second, 0)]) == []


def test_components_are_numbered_by_their_first_member():
    assert components(6, [1, 4], [3, 0]).tolist() == [0, 1, 2, 1, 0, 3]
    assert components(3, [], []).tolist() == [0, 1, 2]


def test_recent_answers_are_kept():
    asked = []
    recent = Recent(lambda k: asked.append(k) or np.zeros((1, 6, 2), np.float32), n_kept=2)
    for number in (0, 1, 0, 2, 0, 1):
        recent(number)
    assert asked == [0, 1, 2, 1]
