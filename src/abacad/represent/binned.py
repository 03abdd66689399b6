"""`binned`: six robustly cleaned panels with rows averaged, each in several views, for the panel network.

Views of a panel: less the spectrum common to all panels (`shared`), also less the other class's spectra (`clean`),
and the evidence that a narrow-band path runs through each pixel (`track`). Rows are binned by 7: the 273 × 256 pixels
of a panel become 39 × 256, and a line that drifts 24 channels a panel smears by 0.6 channel.
"""

import torch
from torch import Tensor

from abacad.config import Represent
from abacad.represent.clean import decluttered, evened, whitened
from abacad.represent.representation import Representation
from abacad.represent.residual import RESIDUAL, Residual, uncovered
from abacad.represent.rows import compressed, row_blocks, row_sums
from abacad.represent.track import track_evidence
from abacad.signal.cadence import N_PANELS
from abacad.types import Panels, Planes

VIEWS = ("shared", "clean", "track")
# Mean and σ of the largest evidence in 7 rows of white noise, measured; the view is scaled by them to mean 0 and σ 1.
_TRACK_MEAN, _TRACK_SIGMA = 2.5, 1.5
_GROUP = 4  # cadences that are cleaned at once on a CPU: what lies between the steps stays in its cache


class Binned(Representation):
    """Six planes a view, view by view."""

    def __init__(self, recipe: Represent) -> None:
        """Take rows and views from the recipe."""
        super().__init__(recipe)
        self.n_planes = N_PANELS * len(recipe.views)

    def make(self, panels: Panels, residual: Residual | None = None) -> Planes:
        """(*batch, 6, time, freq) → (*batch, 6·views, time // rows, freq)."""
        return binned(panels, self.recipe.summed_rows, self.recipe.views, residual)

    def by_panel(self, evidence: Planes, planes: Planes) -> Panels:
        """The views of each panel added."""
        return evidence.unflatten(1, (-1, N_PANELS)).sum(1)


def binned(panels: Panels, rows: int = 7, views: tuple[str, ...] = VIEWS, residual: Residual | None = None) -> Planes:
    """Clean, view and bin cadences: (*batch, 6, time, freq) → (*batch, 6·views, time // rows, freq).

    Planes are view-major: the six panels of the first view come first. White noise has σ = 1 in all views, in
    `track` roughly so. The result does not depend on the gain (if positive) and the offset of any panel, is finite
    for finite input, and is zero where a panel is constant. A remainder of time // rows is dropped at the end.

    Args:
        panels: cadences in any units, of at least two rows.
        rows: time rows to bin.
        views: any of `shared` (step 1, compressed), `clean` (steps 1 and 2), `track` (steps 1 to 3), and `residual`:
            1 in covered channels, 0 elsewhere; with it, `clean` and `track` show residuals in covered channels.
        residual: of the cadences, for that view; none where nothing is covered.

    Raises:
        ValueError: for an unknown view.
    """
    if unknown := set(views) - {*VIEWS, RESIDUAL}:
        raise ValueError(f"unknown views {sorted(unknown)}; known are {', '.join(VIEWS)}, {RESIDUAL}")
    flat = panels.reshape(-1, *panels.shape[-3:])
    size = _GROUP if flat.device.type == "cpu" else max(1, len(flat))
    made = []
    for first in range(0, max(1, len(flat)), size):
        part, rest = slice(first, first + size), None
        # cadences are cleaned one by one whatever the group: the group decides on speed alone, never on a value
        if residual is not None:
            covered = residual.covered.reshape(-1, *residual.covered.shape[-2:])
            rest = Residual(residual.difference.reshape(flat.shape)[part], covered[part])
        made.append(_binned(flat[part], rows, views, rest))
    whole = torch.cat(made)
    return whole.reshape(*panels.shape[:-3], *whole.shape[1:])


def _binned(panels: Panels, rows: int, views: tuple[str, ...], residual: Residual | None) -> Planes:
    white, alive = whitened(panels)
    made: dict[str, Tensor] = {}
    if "shared" in views:
        made["shared"] = compressed(row_sums(white, rows))
    if "clean" in views or "track" in views:
        clean = decluttered(evened(white) * alive)
        if RESIDUAL in views and residual is not None:
            clean = uncovered(clean, panels, residual)
        made["clean"] = row_sums(clean, rows)
        if "track" in views:
            evidence = track_evidence(clean)
            made["track"] = compressed((row_blocks(evidence, rows).amax(-2) - _TRACK_MEAN) / _TRACK_SIGMA)
    if RESIDUAL in views:
        n_time, n_freq = panels.shape[-2:]
        made[RESIDUAL] = white.new_zeros(*panels.shape[:-2], n_time // rows, n_freq)
        if residual is not None:
            made[RESIDUAL] += residual.covered[..., None, :]
    return torch.cat([made[view] * alive for view in views], dim=-3)  # a constant panel is 0 in every view
