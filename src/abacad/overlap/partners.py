"""What a cadence holds that other windows of its observation do not: its columns minus theirs.

Two snippets that share columns differ by an affine map for each panel, by rounding, and by their needles:

    residual = (x − a·partner − b) / σ

with a and b fitted over the shared columns of the panel, needles trimmed off. Noise, carriers and bursts are gone, down
to float16 rounding, some 10⁻³ σ; this cadence's needle stays, and a partner's shows as a negative shadow. Where there
are several partners the difference nearest to zero is taken, pixel by pixel: an own needle stands in all differences,
a partner's only in one. (Averaging would only thin the shadow.)

The method follows the competition's winning solution, which subtracted matched backgrounds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from abacad.config import Recipe
from abacad.data.competition import listed_files, read_cadence
from abacad.errors import AbacadError
from abacad.overlap.links import OVERLAPS, read_overlaps
from abacad.represent.residual import RESIDUAL, Residual
from abacad.signal.deviation import MAD_TO_SIGMA
from abacad.signal.robust import median
from abacad.types import Panels

_ENOUGH = 3  # partners of a channel, beyond which another is not read: one of three has no needle there
_FEWEST = 4  # shared channels that two numbers, gain and offset, are fitted to
_ROWS_APART = 9  # the map is fitted on every ninth row: thousands of pixels are enough for two numbers
_UNLIKE = 0.2  # σ; a partner's panel whose typical difference is larger holds something else


class Partner(NamedTuple):
    """Another window of the same observation.

    Attributes:
        path: Its file.
        offset: The channel of ours where its channel 0 lies; negative where it begins before ours.
    """

    path: Path
    offset: int


class Partners:
    """The partners of each cadence, by its id."""

    def __init__(self, pairs: pd.DataFrame, allowed: Mapping[str, Path]) -> None:
        """Take the pairs of overlaps.csv; only ids of `allowed` are read as partners, at its paths."""
        self._allowed = allowed
        there = pairs[["id_a", "id_b", "offset", "columns"]]
        back = there.rename(columns={"id_a": "id_b", "id_b": "id_a"}).assign(offset=-there["offset"])
        both = pd.concat([there, back])
        both = both[both["id_b"].isin(allowed.keys())].sort_values(["columns", "id_b"], ascending=[False, True])
        self._of = {
            name: list(zip(rows["id_b"], rows["offset"], strict=True))
            for name, rows in both.groupby("id_a", sort=False)
        }

    def of(self, cadence_id: str, n_freq: int) -> list[Partner]:
        """Those with most columns first, as many as give each channel three where there are three."""
        count = torch.zeros(n_freq, dtype=torch.int64)
        chosen = []
        for name, offset in self._of.get(cadence_id, []):
            shared = count[max(offset, 0) : n_freq + min(offset, 0)]
            if len(shared) >= _FEWEST and bool((shared < _ENOUGH).any()):
                shared += 1
                chosen.append(Partner(self._allowed[name], int(offset)))
        return chosen

    def residual(self, cadence_id: str, panels: Panels) -> Residual:
        """What is left of a cadence (6, time, freq).

        Raises:
            CadenceError: the file of a partner cannot be used.
        """
        partners = self.of(cadence_id, panels.shape[-1])
        others = [torch.from_numpy(read_cadence(partner.path, tuple(panels.shape))) for partner in partners]
        return residual(panels, others, [partner.offset for partner in partners])

    def count(self, ids: Sequence[str]) -> int:
        """How many of the ids have a partner."""
        return sum(name in self._of for name in ids)


def needs_partners(recipe: Recipe) -> bool:
    """Whether a recipe asks for residuals, and so for overlaps.csv in the competition folder."""
    return recipe.represent.kind == "binned" and RESIDUAL in recipe.represent.views


def partners_for(root: Path, recipe: Recipe) -> Partners | None:
    """The partners that a recipe allows in a competition folder; none where it does not ask for residuals.

    Raises:
        AbacadError: there is no overlaps.csv, or it cannot be used.
    """
    if not needs_partners(recipe):
        return None
    pairs = read_overlaps(root / OVERLAPS)
    allowed = listed_files(root, "train")
    if recipe.data.partners == "train+test":
        allowed |= listed_files(root, "test")
    return Partners(pairs, allowed)


def no_residual(panels: Panels) -> Residual:
    """That of cadences without a partner."""
    return Residual(torch.zeros_like(panels), torch.zeros_like(panels[..., 0, :], dtype=torch.bool))


def residual(panels: Panels, others: Sequence[Panels], offsets: Sequence[int]) -> Residual:
    """Differences to the partners, the one nearest to zero where there are several.

    Args:
        panels: (6, time, freq).
        others: partners of the same shape.
        offsets: the channel of `panels` where each begins.
    """
    n_freq = panels.shape[-1]
    left, covered = no_residual(panels)
    left.fill_(torch.inf)
    for other, offset in zip(others, offsets, strict=True):
        ours = slice(max(offset, 0), n_freq + min(offset, 0))
        theirs = slice(max(-offset, 0), n_freq - max(offset, 0))
        if offset <= -n_freq or offset >= n_freq:
            raise AbacadError(f"A partner begins {offset} channels away, beyond the {n_freq} of a cadence.")
        difference, alike = _difference(panels[..., ours], other[..., theirs])
        part = left[..., ours]
        nearer = (difference.abs() < part.abs()) & alike
        part.copy_(torch.where(nearer, difference, part))
        covered[..., ours] |= alike[..., 0, :]
    return Residual(torch.where(covered[..., None, :], left, 0.0), covered)


def _difference(x: Panels, y: Panels) -> tuple[Panels, Bool[Tensor, "panel 1 freq"]]:
    """x − a·y − b, and in which panels the two are alike."""
    few_x, few_y = x[:, ::_ROWS_APART], y[:, ::_ROWS_APART]
    spread_x, spread_y = few_x.std(1), few_y.std(1)  # of the columns
    alive = (spread_x > 0).any(1) & (spread_y > 0).any(1)
    a = median(spread_x / spread_y.clamp_min(1e-12))[:, None]
    b = median(few_x.mean(1) - a * few_y.mean(1))[:, None]
    noise = median(spread_x)[:, None]
    # Pixels beyond 3 σ are left out, needles above all, and the line is fitted again; the third fit is stable.
    for _ in range(3):
        off = few_x - a[..., None] * few_y - b[..., None]
        typical = MAD_TO_SIGMA * median(off.abs().flatten(1))[:, None]
        kept = (off.abs().flatten(1) <= 3 * typical).float()
        a, b = _line(few_x.flatten(1), few_y.flatten(1), kept)
    alike = alive & (typical <= _UNLIKE * noise)[:, 0] & (a > 0)[:, 0]
    return x - a[..., None] * y - b[..., None], alike[:, None, None].expand(-1, 1, x.shape[-1])


def _line(
    x: Float[Tensor, "panel pixel"], y: Float[Tensor, "panel pixel"], kept: Float[Tensor, "panel pixel"]
) -> tuple[Float[Tensor, "panel 1"], Float[Tensor, "panel 1"]]:
    """Slope and intercept of x against y over the pixels kept."""
    n = kept.sum(1, keepdim=True).clamp_min(1)
    mean_x, mean_y = (x * kept).sum(1, keepdim=True) / n, (y * kept).sum(1, keepdim=True) / n
    dy = (y - mean_y) * kept
    a = (dy * (x - mean_x)).sum(1, keepdim=True) / dy.square().sum(1, keepdim=True).clamp_min(1e-12)
    return a, mean_x - a * mean_y
