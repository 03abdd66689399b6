"""Residuals: nothing of a shared background is left, an own needle whole, and nothing invented where nobody shares."""

import numpy as np
import pandas as pd
import pytest
import torch

from abacad.errors import AbacadError
from abacad.learn.dataset import Cadences
from abacad.overlap.partners import Partners, no_residual, partners_for, residual
from abacad.recipes import read_recipe
from abacad.represent.binned import binned
from abacad.represent.residual import Residual

N_TIME, N_FREQ = 63, 64


def noise(seed: int, n_freq: int = 200) -> torch.Tensor:
    scene = torch.randn(6, N_TIME, n_freq, generator=torch.Generator().manual_seed(seed)) + 5
    scene[:, :, 37] += 20  # a carrier, and a burst
    scene[2, 10:12] *= 2
    return scene


def window(scene: torch.Tensor, first: int, needle: torch.Tensor | float = 0.0) -> torch.Tensor:
    panels = scene[..., first : first + N_FREQ] + needle
    panels = panels - panels.mean((1, 2), keepdim=True)
    return (panels / panels.std((1, 2), keepdim=True)).half().float()


def line(amplitude: float, f0: int = 30, panels: tuple[int, ...] = (0, 2, 4)) -> torch.Tensor:
    needle = torch.zeros(6, N_TIME, N_FREQ)
    for panel in panels:
        needle[panel, torch.arange(N_TIME), f0 + torch.arange(N_TIME) // 8] = amplitude
    return needle


@pytest.mark.parametrize("offset", [0, 9, -9])
def test_a_shared_background_vanishes(offset):
    scene = noise(0)
    left = residual(window(scene, 50), [window(scene, 50 + offset)], [offset])
    shared = torch.zeros(N_FREQ, dtype=torch.bool)
    shared[max(offset, 0) : N_FREQ + min(offset, 0)] = True
    assert torch.equal(left.covered, shared.expand(6, -1))
    assert left.difference.abs().amax() < 0.02
    assert (left.difference[:, :, ~shared] == 0).all()


@pytest.mark.parametrize("amplitude", [0.2, 3.0, 30.0])
def test_an_own_needle_stays_and_a_partners_is_its_negative(amplitude):
    """Though it shifts and scales the whole panel that it stands in."""
    scene, needle = noise(1), line(amplitude)
    plain, with_needle = window(scene, 0), window(scene, 0, needle)
    for panels, other, sign in ((with_needle, plain, 1), (plain, with_needle, -1)):
        left = residual(panels, [other], [0]).difference[0]
        lit = needle[0] > 0
        power = scene[0, :, :N_FREQ] + (needle[0] if sign > 0 else 0)
        torch.testing.assert_close(
            left[lit], torch.full((N_TIME,), sign * amplitude) / power.std(), rtol=0.03, atol=0.005
        )
        assert left[~lit].abs().amax() < 0.05 * left[lit].abs().median()


def test_the_shadow_of_one_of_two_partners_is_gone():
    scene = noise(2)
    others = [window(scene, 0, line(3.0)), window(scene, 4)]
    assert residual(window(scene, 0), others[:1], [0]).difference.amin() < -1
    assert residual(window(scene, 0), others, [0, 4]).difference[:, :, 4:].abs().amax() < 0.02
    own = residual(window(scene, 0, line(3.0, 20)), others, [0, 4]).difference
    lit = line(3.0, 20)[0] > 0
    assert own[0][lit].amin() > 1
    assert own[0][:, 4:][~lit[:, 4:]].abs().amax() < 0.02


def test_a_stranger_and_a_dead_panel_cover_nothing():
    scene = noise(3)
    broken = window(scene, 0)
    broken[1] = 0
    left = residual(window(scene, 0), [broken], [0])
    assert left.covered.all(1).tolist() == [True, False, True, True, True, True]
    assert left.difference[1].abs().amax() == 0
    assert not residual(window(scene, 0), [window(noise(4), 0)], [0]).covered.any()
    assert not residual(torch.zeros(6, N_TIME, N_FREQ), [window(scene, 0)], [0]).covered.any()
    with pytest.raises(AbacadError, match="64 channels away"):
        residual(window(scene, 0), [window(scene, 0)], [64])


def pairs_of(rows: list[tuple[str, str, int]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["id_a", "id_b", "offset"])
    return table.assign(columns=N_FREQ - table["offset"].abs())


def test_partners_are_those_allowed_largest_first_three_a_channel(tmp_path):
    rows = [("x", f"p{step}", step) for step in (20, 1, 2, 3, 4, 60)] + [("q", "x", 5), ("x", "banned", 0)]
    allowed = {name: tmp_path / name for name in ("x", "q", "p1", "p2", "p3", "p4", "p20", "p60")}
    chosen = Partners(pairs_of(rows), allowed).of("x", N_FREQ)
    assert [(partner.path.name, partner.offset) for partner in chosen] == [("p1", 1), ("p2", 2), ("p3", 3), ("q", -5)]
    assert Partners(pairs_of(rows), allowed).of("q", N_FREQ)[0].offset == 5
    assert Partners(pairs_of(rows), allowed).of("nobody", N_FREQ) == []
    assert Partners(pairs_of(rows), allowed).count(["x", "q", "nobody"]) == 2


def test_the_view_tells_what_is_covered_and_makes_a_faint_needle_bright():
    scene = noise(5)
    panels, views = window(scene, 0, line(0.3)), ("clean", "residual")
    left = residual(panels, [window(scene, 16)], [16])
    plain, seen = (binned(panels, 7, views, each).unflatten(0, (2, 6)) for each in (None, left))
    torch.testing.assert_close(plain[0], binned(panels, 7, ("clean",)))
    assert not plain[1].any()
    assert (seen[1, :, :, 16:] == 1).all()
    assert not seen[1, :, :, :16].any()
    torch.testing.assert_close(seen[0, :, :, :16], plain[0, :, :, :16])
    assert seen[0, 0, :, 30:38].amax(1).median() > 4
    assert seen[0, 1, :, 16:].abs().amax() < 1.5


def test_nothing_covered_changes_nothing():
    panels = window(noise(6), 0)
    views = ("shared", "clean", "track", "residual")
    torch.testing.assert_close(binned(panels, 7, views, no_residual(panels)), binned(panels, 7, views))
    broken = Residual(torch.zeros_like(panels), torch.ones(6, N_FREQ, dtype=torch.bool))
    assert binned(torch.zeros_like(panels), 7, views, broken).abs().amax() == 0


def folder(root, seeds_of: dict[str, tuple[int, int]], split: str = "train"):
    for name, (seed, first) in seeds_of.items():
        path = root / split / name[0] / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, window(noise(seed), first).half().numpy())


def test_a_recipe_chooses_the_folders_of_the_partners(tmp_path):
    folder(tmp_path, {"a": (7, 0), "b": (8, 0)})
    folder(tmp_path, {"t": (7, 10)}, "test")
    asked = ["--represent.views", "[shared,clean,track,residual]"]
    assert partners_for(tmp_path, read_recipe("compact")) is None
    with pytest.raises(AbacadError, match="abacad overlaps DATA"):
        partners_for(tmp_path, read_recipe("compact", asked))
    pairs_of([("a", "t", 10)]).to_csv(tmp_path / "overlaps.csv", index=False)
    alone = partners_for(tmp_path, read_recipe("compact", asked))
    both = partners_for(tmp_path, read_recipe("compact", [*asked, "--data.partners", "train+test"]))
    assert alone is not None
    assert both is not None
    assert [alone.count([name]) for name in ("a", "b", "t")] == [0, 0, 1]
    assert [both.count([name]) for name in ("a", "b", "t")] == [1, 0, 1]
    recipe = read_recipe("compact", asked).represent
    seen = Cadences(tmp_path, "test", ["t"], recipe, None, alone)[0]
    assert seen.shape == (24, 9, N_FREQ)
    assert seen[18:, 0].sum(1).tolist() == [54] * 6
    unseen = Cadences(tmp_path, "train", ["a", "b"], recipe, None, alone).__getitems__([0, 1])
    assert not torch.stack(unseen)[:, 18:].any()
